package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pycontext/py/bench"
)

// TestBench measures one quick row.
func TestBench(t *testing.T) {
	o := pyctx(t, "bench", "--rows", "^requests: exec")
	if o.status != 0 || o.err != "" {
		t.Fatalf("status %d, standard error %q", o.status, o.err)
	}
	for _, part := range []string{"CPython 3.", "\nREQUESTS (less is better)\n\n  exec z = 1\n", "\n    py  ", "\n    floor  ", "\n    json  ", "█"} {
		if !strings.Contains(o.out, part) {
			t.Errorf("no %q in the output:\n%s", part, o.out)
		}
	}
	file := filepath.Join(t.TempDir(), "speed.svg")
	o = pyctx(t, "bench", "--rows", "^goroutines: calls of 1 goroutine on 1 ", "--json", "--plot", file)
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	var report bench.Report
	if err := json.Unmarshal([]byte(o.out), &report); err != nil || len(report.Results) != 1 || report.Results[0].Figures[ours].Value <= 0 {
		t.Errorf("%v, status %d, and output\n%s", err, o.status, o.out)
	}
	o = pyctx(t, "bench", "--rows", "^requests: exec", "--plot", filepath.Join(t.TempDir(), "none", "speed.svg"))
	if o.status != statusFailed || !strings.Contains(o.out, "exec z = 1") {
		t.Errorf("a picture that cannot be drawn: status %d, and output %q", o.status, o.out)
	}
	o.says(t, "pyctx: cannot draw ")
}

func TestBar(t *testing.T) {
	for _, c := range []struct {
		value, least float64
		want         string
	}{
		{100, 100, "█"},
		{1000, 100, "█████"},
		{133.4, 100, "█▌"},
		{1e9, 1e9, "█"},
		{0, 0, ""},
		{5, 0, ""},
	} {
		if got := bar(c.value, c.least); got != c.want {
			t.Errorf("%v of %v: got %q, want %q", c.value, c.least, got, c.want)
		}
	}
}

// TestDrawBench looks for what has to be in the picture.
func TestDrawBench(t *testing.T) {
	figures := func(values ...float64) map[string]bench.Summary {
		all := map[string]bench.Summary{}
		for i, way := range []string{"py", "floor", "http"}[:len(values)] {
			all[way] = bench.Summary{Value: values[i]}
		}
		return all
	}
	report := bench.Report{Results: []bench.Result{
		{Section: "latency", Name: bench.CallsInARow("median"), Unit: "ns", Figures: figures(500, 400, 2e5)},
		{Section: "latency", Name: bench.CallsApart("p99"), Unit: "ns", Figures: figures(9000, 8000, 4e5)},
		{Section: "goroutines", Name: bench.CallsBy(1, 1), Unit: "per second", Figures: figures(1e6, 1e7, 5e3)},
		{Section: "goroutines", Name: bench.CallsBy(100, 1), Unit: "per second", Figures: figures(1e6)},
		{Section: "goroutines", Name: bench.CallsBy(8, 2), Unit: "per second", Figures: figures(2e6)},
	}}
	text := drawn(t, report)
	for _, part := range []string{"One call of math.sqrt", "back to back", "1 ms apart", "p99", "10 us", "Calls of math.sqrt a second",
		"1M/s", "py, 1 context", "py, 2 contexts", "floor", "http"} {
		if !strings.Contains(text, part) {
			t.Errorf("the picture has no %q", part)
		}
	}
	if strings.Contains(text, "4 contexts") {
		t.Error("the picture has what was not measured")
	}
	if drawBench(bench.Report{}, filepath.Join(t.TempDir(), "speed.svg")) == nil {
		t.Error("a picture of nothing: no error")
	}
	if drawBench(report, filepath.Join(t.TempDir(), "none", "speed.svg")) == nil {
		t.Error("a file in no folder: no error")
	}
}

// drawn is the text in a picture.
func drawn(t *testing.T, report bench.Report) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "speed.svg")
	if err := drawBench(report, file); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var text strings.Builder
	for d := xml.NewDecoder(f); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return text.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if chars, ok := token.(xml.CharData); ok {
			text.Write(chars)
		}
	}
}
