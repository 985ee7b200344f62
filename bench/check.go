package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
)

// The check compares how many floors a row takes with what a file of the repository says. Everything runs on one
// processor, where ours and the floor suffer alike from what else the machine does.
const (
	attempts = 3
	lost     = 1.5  // a row that takes so many times its ratio has lost a third of its speed
	tooNoisy = 0.25 // the spread of a ratio that says nothing
)

// ratios is the file.
type ratios struct {
	Machine string             `json:"machine"`
	Rows    map[string]float64 `json:"rows"`
}

func readRatios(file string) (ratios, error) {
	var r ratios
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		err = fmt.Errorf("the ratios to compare with: %w (run it in the root of the repository; -update makes the file)", err)
	}
	return r, err
}

func (r ratios) write(file string) error {
	for name, ratio := range r.Rows {
		r.Rows[name] = float64(int(ratio*100)) / 100
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// checkedRows are the names of the rows that have a ratio, of those that are asked for.
func (o *options) checkedRows() []string { return o.rowNames(func(r row) bool { return r.check }) }

// measureRatios has rows measured in a child with one processor, and returns their ratios, by name.
func (o *options) measureRatios(ctx context.Context, names []string) (map[string]summary, machine, error) {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	inner := *o
	inner.rows = pattern{regexp.MustCompile("^(" + strings.Join(quoted, "|") + ")$")}
	inner.subjects = pattern{regexp.MustCompile("^(" + ours + "|" + floorName + ")$")}
	measured, err := inner.measurePinned(ctx, pinCheck)
	found := map[string]summary{}
	for _, r := range measured.Results {
		if r.ratio() == 0 {
			return nil, machine{}, fmt.Errorf("%s cannot be measured: %v", r.Name, r.Empty)
		}
		var each []float64
		for i, v := range r.Rounds[ours] {
			floors := v / r.Rounds[floorName][i]
			if r.unit().higher {
				floors = 1 / floors
			}
			each = append(each, floors)
		}
		found[r.Section+": "+r.Name] = summary{percentile(each, 50), percentile(each, 25), percentile(each, 75)}
	}
	return found, measured.Machine, err
}

// update writes the file anew, or the rows that are asked for.
func (o *options) update(ctx context.Context) error {
	found, machine, err := o.measureRatios(ctx, o.checkedRows())
	if err != nil {
		return err
	}
	kept, err := readRatios(o.ratios)
	if err != nil || o.rows.Regexp == nil {
		kept.Rows = map[string]float64{}
	}
	kept.Machine = machine.String()
	for name, s := range found {
		kept.Rows[name] = s.Value
	}
	return kept.write(o.ratios)
}

// check fails when a row has lost more than a third, in each of several attempts.
func (o *options) check(ctx context.Context) error {
	kept, err := readRatios(o.ratios)
	if err != nil {
		return err
	}
	best := map[string]summary{}
	pending := o.checkedRows()
	for range attempts {
		found, _, err := o.measureRatios(ctx, pending)
		if isSkipped(err) {
			fmt.Println("skipped: nothing can be measured on one processor:", err)
			return nil
		}
		if err != nil {
			return err
		}
		for name, s := range found {
			if b, ok := best[name]; !ok || s.Value < b.Value {
				best[name] = s
			}
		}
		pending = slices.DeleteFunc(pending, func(name string) bool { return best[name].Value <= lost*kept.Rows[name] })
		if len(pending) == 0 {
			break
		}
	}
	return judge(os.Stdout, kept.Rows, best)
}

func judge(out *os.File, kept map[string]float64, found map[string]summary) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "times its floor, on one processor\twas\tis\t")
	failures := 0
	for _, name := range slices.Sorted(maps.Keys(found)) {
		s, was := found[name], kept[name]
		verdict := "as it was"
		switch {
		case was == 0:
			verdict = "new: -update keeps its ratio"
		case s.Value > lost*was && s.spread() > tooNoisy:
			verdict = "skipped: the machine is too noisy"
		case s.Value > lost*was:
			verdict = "LOST more than a third"
			failures++
		case s.Value*lost < was:
			verdict = "better: -update keeps it so"
		}
		fmt.Fprintf(w, "%s\t%.2f\t%.2f ±%.0f%%\t%s\n", name, was, s.Value, 100*s.spread(), verdict)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if failures > 0 {
		return fmt.Errorf("%d of %d rows have lost more than a third against their floors, in each of %d attempts", failures, len(found),
			attempts)
	}
	return nil
}
