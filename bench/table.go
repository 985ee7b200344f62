package bench

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// report is all that a run has measured.
type report struct {
	Machine machine  `json:"machine"`
	Results []result `json:"results"`
	Notes   []string `json:"notes,omitempty"`
}

// readReports puts together what was measured in pieces.
func readReports(context.Context) (report, error) {
	var all report
	for _, file := range flag.Args() {
		var r report
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &r)
		}
		if err != nil {
			return all, fmt.Errorf("%s: %w", file, err)
		}
		all.add(r)
	}
	return all, nil
}

// add puts the results of another run, such as one on one processor, behind those of the same section.
func (r *report) add(more report) {
	if r.Results == nil {
		r.Machine = more.Machine
	}
	if r.Machine != more.Machine {
		r.Notes = append(r.Notes, "some of it: "+more.Machine.String())
	}
	r.Results = append(r.Results, more.Results...)
	r.Notes = append(r.Notes, more.Notes...)
	order := map[string]int{}
	for i, s := range sections() {
		order[s.name] = i
	}
	slices.SortStableFunc(r.Results, func(a, b result) int { return order[a.Section] - order[b.Section] })
}

func (r report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// table is one section, as text.
type table struct {
	name  string
	lines [][]string
	notes []string
}

const legend = `Medians, and half the distance of the quartiles of the rounds. The columns of a row take turns, in one run on one CPython:
  py            this package
  floor         the same in plain C API on one thread; for latencies, to a sleeping thread and back (futex)
  channel       a goroutine that is locked to a thread and fed by a Go channel does what the floor does
  json text     this package, which is given JSON by Go, and by Python
  json, msgpack a Python process at a Unix socket
  http          a Python process with http.server, threading
  exec          a Python process for each
  interpreters, processes  Python's own InterpreterPoolExecutor and ProcessPoolExecutor, with two workers
  none          one Python process, nothing in parallel`

func (r report) tables() []table {
	var all []table
	for _, s := range sections() {
		var rows []result
		for _, one := range r.Results {
			if one.Section == s.name {
				rows = append(rows, one)
			}
		}
		if rows != nil {
			all = append(all, tableOf(s.name, rows))
		}
	}
	return all
}

func tableOf(name string, rows []result) table {
	var used []string
	for _, column := range columns {
		if slices.ContainsFunc(rows, func(r result) bool { _, ok := r.Figures[column]; return ok }) {
			used = append(used, column)
		}
	}
	header := append([]string{name}, used...)
	compared := slices.Contains(used, ours)
	if compared {
		header = append(header, "py / floor", "goal")
	}
	t := table{name: name, lines: [][]string{header}}
	for _, r := range rows {
		line := []string{r.title()}
		for _, column := range used {
			line = append(line, r.cell(column))
		}
		if compared {
			line = append(line, r.floors(), r.verdict())
		}
		t.lines = append(t.lines, line)
		t.note(r)
	}
	return t
}

func (t *table) note(r result) {
	for _, subject := range slices.Sorted(maps.Keys(r.Empty)) {
		note := subject + ": " + r.Empty[subject]
		if strings.HasPrefix(r.Empty[subject], "failed") {
			note = r.title() + ", " + note
		}
		if !slices.Contains(t.notes, note) {
			t.notes = append(t.notes, note)
		}
	}
}

func (r result) title() string {
	if r.Pinned {
		return r.Name + ", on one processor"
	}
	return r.Name
}

func (r result) cell(column string) string {
	s, ok := r.Figures[column]
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s ±%.0f%%", r.unit().write(s.Value), 100*s.spread())
}

func (r result) floors() string {
	if ratio := r.ratio(); ratio != 0 {
		return fmt.Sprintf("%.2f", ratio)
	}
	return ""
}

func (r report) writeText(out io.Writer) error {
	fmt.Fprintf(out, "%s\n\n%s\n", r.Machine, legend)
	for _, t := range r.tables() {
		fmt.Fprintln(out)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, line := range t.lines {
			fmt.Fprintln(w, strings.Join(line, "\t"))
		}
		if err := w.Flush(); err != nil {
			return err
		}
		writeNotes(out, t.notes)
	}
	writeNotes(out, r.Notes)
	return nil
}

func writeNotes(out io.Writer, notes []string) {
	for _, note := range notes {
		fmt.Fprintln(out, note)
	}
}

func (r report) writeMarkdown(out io.Writer) error {
	fmt.Fprintf(out, "%s\n", r.Machine)
	for _, t := range r.tables() {
		fmt.Fprintln(out)
		for i, line := range t.lines {
			fmt.Fprintf(out, "| %s |\n", strings.Join(line, " | "))
			if i == 0 {
				fmt.Fprintf(out, "|%s\n", strings.Repeat(" --- |", len(line)))
			}
		}
		if len(t.notes) > 0 {
			fmt.Fprintln(out)
			writeNotes(out, t.notes)
		}
	}
	if len(r.Notes) > 0 {
		fmt.Fprintln(out)
		writeNotes(out, r.Notes)
	}
	return nil
}
