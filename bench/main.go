// Package bench measures what a user of package py does, beside its floor and beside what else a Go user could do, all in
// one run on the same CPython. Command run prints all of it, "pyctx bench" a short form.
package bench

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"syscall"
	"time"

	"golang.org/x/term"

	_ "github.com/pycontext/py/embedded"
)

type options struct {
	rows     pattern
	subjects pattern
	rounds   int
	batch    time.Duration
	pin      string
	json     bool
	markdown bool
	summary  bool
	child    string
	short    bool // the rows of the short form, and what takes long once
	checking bool
	updating bool
	ratios   string
}

// pattern is a flag that chooses.
type pattern struct{ *regexp.Regexp }

func (p *pattern) String() string {
	if p.Regexp == nil {
		return ""
	}
	return p.Regexp.String()
}

func (p *pattern) Set(s string) (err error) {
	p.Regexp, err = regexp.Compile(s)
	return err
}

func (p *pattern) takes(s string) bool { return p.Regexp == nil || p.MatchString(s) }

func flags() *options {
	o := new(options)
	flag.Var(&o.rows, "rows", "measure the rows that this `regexp` matches; it is matched with \"section: row\"")
	flag.Var(&o.subjects, "subjects", "measure the columns that this `regexp` matches")
	flag.IntVar(&o.rounds, "rounds", 9, "how many rounds there are; the table has their medians")
	flag.DurationVar(&o.batch, "batch", 50*time.Millisecond, "how long one round of a quick operation takes")
	flag.StringVar(&o.pin, "pin", pinBoth, "whether to measure on one processor: no, only or both")
	flag.BoolVar(&o.json, "json", false, "print JSON")
	flag.BoolVar(&o.markdown, "markdown", false, "print Markdown")
	flag.BoolVar(&o.checking, "check", false, "compare the ratios to the floors with those of a file, and fail when a row has lost more than a third")
	flag.BoolVar(&o.updating, "update", false, "keep the ratios in the file")
	flag.StringVar(&o.ratios, "ratios", "bench/ratios.json", "the `file` of -check and -update")
	flag.BoolVar(&o.summary, "summary", false, "print the table of README.md, as Markdown")
	flag.StringVar(&o.child, "child", "", "used by bench itself")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: bench [flags] [FILE...]\n\nFILEs are what -json printed: they are shown as one table, and nothing is measured.")
		flag.PrintDefaults()
	}
	flag.Parse()
	return o
}

// Main is the command run.
func Main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := flags().main(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (o *options) main(ctx context.Context) error {
	if o.child != "" {
		return child(o.child)
	}
	if err := o.choosesSome(); err != nil {
		return err
	}
	switch {
	case o.updating:
		return o.update(ctx)
	case o.checking:
		return o.check(ctx)
	}
	measure := o.report
	if flag.NArg() > 0 {
		measure = readReports
	}
	report, err := measure(ctx)
	if err != nil {
		return err
	}
	switch {
	case o.json:
		return report.writeJSON(os.Stdout)
	case o.summary:
		return report.writeSummary(os.Stdout)
	case o.markdown:
		return report.writeMarkdown(os.Stdout)
	}
	return report.writeText(os.Stdout)
}

// choosesSome returns an error where no row or no column is asked for: a check of nothing would find nothing lost.
func (o *options) choosesSome() error {
	rows := o.rowNames(func(r row) bool {
		if o.checking || o.updating {
			return r.check
		}
		return r.pinned || o.pin != pinOnly
	})
	if len(rows) == 0 {
		return fmt.Errorf("-rows is %q: there is no such row to measure", o.rows.String())
	}
	if !slices.ContainsFunc(columns, o.subjects.takes) {
		return fmt.Errorf("-subjects is %q: there is no such column", o.subjects.String())
	}
	return nil
}

// rowNames are those of the rows that are asked for, with their sections, as far as they are wanted.
func (o *options) rowNames(wanted func(r row) bool) []string {
	var names []string
	for _, s := range sections() {
		for _, r := range s.rows {
			if name := s.name + ": " + r.name; wanted(r) && o.rows.takes(name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// report measures on all processors here, and on one in a child.
func (o *options) report(ctx context.Context) (report, error) {
	var r report
	switch o.pin {
	case pinNo, pinInside, pinCheck:
		return o.measure(ctx)
	case pinBoth:
		var err error
		if r, err = o.measure(ctx); err != nil {
			return r, err
		}
	case pinOnly:
	default:
		return r, fmt.Errorf("-pin is %q: it must be %s, %s or %s", o.pin, pinNo, pinOnly, pinBoth)
	}
	alone, err := o.measurePinned(ctx, pinInside)
	if isSkipped(err) {
		r.Notes = append(r.Notes, "nothing was measured on one processor: "+err.Error())
		return r, nil
	}
	r.add(alone)
	return r, err
}

// measure runs the rows that are asked for, and notes how much else the machine did.
func (o *options) measure(ctx context.Context) (report, error) {
	before := readNoise()
	made, err := o.measureRows(ctx)
	if others := readNoise().since(before); !math.IsNaN(others) {
		made.Machine.Others = fmt.Sprintf("other programs took %.0f %% of the processors meanwhile", others)
	}
	return made, err
}

func (o *options) measureRows(ctx context.Context) (report, error) {
	l := newLab(ctx, o.rounds, o.batch)
	defer l.close()
	about, err := describeMachine()
	if err != nil {
		return report{}, err
	}
	made := report{Machine: about}
	defer progress("")
	pinned := o.pin == pinInside || o.pin == pinCheck
	for _, s := range sections() {
		for _, r := range s.rows {
			if o.short && !shortRows.MatchString(s.name+": "+r.name) {
				continue
			}
			if !o.rows.takes(s.name+": "+r.name) || o.pin == pinInside && !r.pinned || o.pin == pinCheck && !r.check {
				continue
			}
			r.of = o.chosen(r.of)
			if o.short && r.rounds > 0 {
				r.rounds = 1
			}
			progress("%s: %s", s.name, r.name)
			results, err := l.measure(s.name, r, pinned)
			if err != nil {
				return report{}, err
			}
			made.Results = append(made.Results, results...)
		}
	}
	return made, nil
}

// progress replaces the line that says what is being measured.
func progress(format string, args ...any) {
	if term.IsTerminal(int(os.Stderr.Fd())) {
		fmt.Fprintf(os.Stderr, "\r\033[K"+format, args...)
	}
}

func (o *options) chosen(all []subject) []subject {
	var some []subject
	for _, s := range all {
		if o.subjects.takes(s.name) {
			some = append(some, s)
		}
	}
	return some
}
