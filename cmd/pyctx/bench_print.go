package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/pycontext/py/bench"
)

// printBench prints a table with bars, which are logarithmic: the ways of a row lie far apart.
func printBench(out io.Writer, report bench.Report) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%s\n%s\n", report.Machine, "Bars are logarithmic: four blocks more are ten times as much.")
	section := ""
	for _, r := range report.Results {
		if r.Section != section {
			section = r.Section
			better := "less is better"
			if r.HigherIsBetter() {
				better = "more is better"
			}
			fmt.Fprintf(w, "\n%s (%s)\n", strings.ToUpper(section), better)
		}
		printRow(w, r)
	}
	for _, note := range report.Notes {
		fmt.Fprintf(w, "\n%s\n", note)
	}
	return w.Flush()
}

func printRow(w io.Writer, r bench.Result) {
	fmt.Fprintf(w, "\n  %s", r.Title())
	if verdict := r.Verdict(); verdict != "" {
		fmt.Fprintf(w, "  [%s]", verdict)
	}
	fmt.Fprintln(w)
	least := math.Inf(1)
	for _, way := range r.Ways() {
		least = min(least, r.Figures[way].Value)
	}
	for _, way := range r.Ways() {
		v := r.Figures[way].Value
		fmt.Fprintf(w, "    %-10s %9s  %s\n", way, r.Format(v), bar(v, least))
	}
}

// bar is one block for the least of its row, and four more for each factor of ten.
func bar(v, least float64) string {
	if v <= 0 || least <= 0 {
		return ""
	}
	eighths := int(math.Round(8 * (1 + 4*math.Log10(v/least))))
	text := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		text += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return text
}
