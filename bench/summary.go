package bench

import (
	"fmt"
	"io"
	"strings"
)

// summaryRows are what README.md shows, in its words; those behind a bar are measured on one processor.
var summaryRows = [][2]string{
	{"call math.sqrt, one context, back to back", "call `math.sqrt` on one context, back to back"},
	{"|call math.sqrt, one context, back to back", "the same, pinned to one processor"},
	{"eval x*y with two variables", "eval `x*y` with two variables"},
	{"math.sqrt within Attach, against C by cgo", "the same call inside `Attach`; the floor is C called by cgo"},
	{"a callback, one of 1,000 in a call", "one callback within a call, 1,000 in a row"},
	{"a callback, inline", "the same, inline"},
	{"Go and Python call each other, 1,000 deep", "nesting 1,000 deep"},
	{"identity of 1,000 ints", "identity of 1,000 ints"},
	{"identity of a dict of 100 str to float", "identity of a dict of 100 str to float"},
	{"identity of 1 MiB of bytes", "identity of 1 MiB of bytes"},
	{"identity of 1 MiB of bytes, in a program that holds 64 MiB", "the same, in a program that holds 64 MiB"},
	{"64 MiB lent to Python, against 64 bytes", "64 MiB lent to Python; the floor is 64 bytes"},
	{"an item of a generator, of 1,000,000", "an item of a generator"},
	{"an item of sorted(key=...) by an inline Go func, of 100,000", "an item of `sorted(key=...)` by an inline Go func"},
	{"calls of 100 goroutines on 1 context", "calls per second, 100 goroutines on one context"},
	{"calls of 100 goroutines on one context, median", "each of them takes"},
	{"calls of 100 goroutines on one context, p99", "the same, 99th percentile"},
	{"calls 1 ms apart, median", "a call after 1 ms of rest"},
	{"calls 1 ms apart, p99", "the same, 99th percentile"},
	{"calls 1 ms apart, a processor left to Python, median", "after 1 ms of rest, a processor left to Python"},
	{"calls 1 ms apart, a processor left to Python, Spin 2 ms, median", "the same, with `Spin`"},
	{"making an own-lock context", "making an `OwnGIL` context"},
	{"memory of an own-lock context", "memory of an `OwnGIL` context"},
	{"CPU-bound work on two own-lock contexts, against one", "CPU-bound work on two `OwnGIL` contexts, against one"},
	{"processor use of 100 idle contexts", "processor use of 100 idle contexts"},
	{"start of a program to its first result", "start of a program to its first result"},
}

// writeSummary prints the table of README.md.
func (r report) writeSummary(w io.Writer) error {
	shown := []string{ours, floorName, channelName, jsonName, httpName}
	fmt.Fprintln(w, r.Machine)
	fmt.Fprintln(w, "\n| what | here | its floor | locked goroutine, channel | Python process, JSON | HTTP |\n| --- | --- | --- | --- | --- | --- |")
	for _, row := range summaryRows {
		name, pinned := strings.CutPrefix(row[0], "|")
		for _, one := range r.Results {
			if one.Name != name || one.Pinned != pinned {
				continue
			}
			fmt.Fprintf(w, "| %s |", row[1])
			for _, column := range shown {
				cell := ""
				if s, ok := one.Figures[column]; ok {
					cell = one.unit().write(s.Value)
				}
				fmt.Fprintf(w, " %s |", cell)
			}
			fmt.Fprintln(w)
		}
	}
	return nil
}
