package bench

import (
	"context"
	"regexp"
	"slices"
	"time"
)

// What others see of a run.
type (
	Report  = report
	Result  = result
	Summary = summary
)

// The rows and columns of the short form. What is left out takes long, needs something that is not at hand, or starts this
// program again.
var (
	shortRows = regexp.MustCompile(`^(requests: (call|eval|exec|a callback, one|a callback, inline$|Go and Python)` +
		`|values: |goroutines: |latency: calls (1 ms apart$|back to back)|contexts: making an own-lock|parallel: CPU-bound)`)
	shortColumns = regexp.MustCompile(`^(` + ours + `|` + floorName + `|` + channelName + `|` + jsonName + `|` + httpName + `|` + execName +
		`|` + processName + `)$`)
)

// Short measures what matters most, in about a minute; of that, the rows that a pattern matches, if it is not nil: it is
// matched with "section: row". It ends early with ctx.
func Short(ctx context.Context, rows *regexp.Regexp) (Report, error) {
	o := &options{rows: pattern{rows}, subjects: pattern{shortColumns}, rounds: 3, batch: 20 * time.Millisecond, short: true}
	return o.measure(ctx)
}

// Ways are the columns that have a figure, in order: package py first, if it is there.
func (r result) Ways() []string {
	return slices.DeleteFunc(slices.Clone(columns), func(c string) bool { _, ok := r.Figures[c]; return !ok })
}

// Format writes a figure in the unit of the row.
func (r result) Format(v float64) string { return r.unit().write(v) }

// HigherIsBetter tells which way is better.
func (r result) HigherIsBetter() bool { return r.unit().higher }

// Title is the name, and where it was measured.
func (r result) Title() string { return r.title() }

// Verdict says whether the goal is reached, or nothing.
func (r result) Verdict() string { return r.verdict() }

// The names of rows that a picture is made of.

// CallsBy is the row of calls by goroutines on contexts.
func CallsBy(goroutines, contexts int) string {
	return "calls of " + number(goroutines, "goroutine") + " on " + number(contexts, "context")
}

// CallsApart is the row of the latencies of calls, by the name of a percentile: median, p99 or p99.9.
func CallsApart(figure string) string { return callsApart + ", " + figure }

// CallsInARow is that of calls without a pause.
func CallsInARow(figure string) string { return callsInARow + ", " + figure }

const (
	callsApart  = "calls 1 ms apart"
	callsInARow = "calls back to back"
)

// FormatTime writes nanoseconds with a unit that suits them.
func FormatTime(ns float64) string { return short(ns) }

// FormatRate writes how many there are in a second.
func FormatRate(v float64) string { return perSecond.write(v) }
