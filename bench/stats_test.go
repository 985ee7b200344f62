package bench

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestSummary(t *testing.T) {
	rounds := [][]float64{{1, 1, 1}, {2, 2, 2}, {3, 3, 9}}
	for _, c := range []struct{ p, value, low, high float64 }{
		{50, 2, 1.5, 2.5},
		{100, 9, 1.5, 5.5},
	} {
		if got := summarize(rounds, c.p); got != (summary{c.value, c.low, c.high}) {
			t.Errorf("percentile %v: %v", c.p, got)
		}
	}
	if got := percentile([]float64{4, 1}, 50); got != 2.5 {
		t.Errorf("between two: %v", got)
	}
}

func TestVerdict(t *testing.T) {
	figures := func(us, floor float64) map[string]summary {
		return map[string]summary{ours: {Value: us}, floorName: {Value: floor}}
	}
	for _, c := range []struct {
		result result
		want   string
	}{
		{result{Unit: "ns", Goal: 1000, Figures: figures(900, 90)}, "<= 1.00 us: met"},
		{result{Unit: "ns", Goal: 1000, Figures: figures(1001, 90)}, "<= 1.00 us: NOT met"},
		{result{Unit: "ns", Goal: 1.3, OfFloor: true, Figures: figures(120, 100)}, "<= 1.3x floor: met"},
		{result{Unit: "ns", Goal: 1.3, OfFloor: true, Figures: figures(140, 100)}, "<= 1.3x floor: NOT met"},
		{result{Unit: "ns", Goal: 100, Beyond: true, Figures: figures(190, 100)}, "<= 100 ns + floor: met"},
		{result{Unit: "ns", Goal: 100, Beyond: true, Figures: figures(210, 100)}, "<= 100 ns + floor: NOT met"},
		{result{Unit: "per second", Goal: 1e6, Figures: figures(2e6, 1e7)}, ">= 1.00M/s: met"},
		{result{Unit: "per second", Goal: 1e6, Figures: figures(9e5, 1e7)}, ">= 1.00M/s: NOT met"},
		{result{Unit: "ns", Figures: figures(1, 1)}, ""},
	} {
		if got := c.result.verdict(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestJudge(t *testing.T) {
	kept := map[string]float64{"a": 10, "b": 10, "c": 10}
	steady, noisy := summary{20, 19, 21}, summary{20, 10, 30}
	out, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := judge(out, kept, map[string]summary{"a": {14, 14, 14}, "b": noisy, "d": steady}); err != nil {
		t.Error(err)
	}
	err = judge(out, kept, map[string]summary{"a": {14, 14, 14}, "b": noisy, "c": steady})
	if err == nil || !strings.Contains(err.Error(), "1 of 3") {
		t.Errorf("a row that is twice as slow: %v", err)
	}
}

// A check of no row would find nothing lost.
func TestChoosesSome(t *testing.T) {
	for _, c := range []struct {
		options
		want string
	}{
		{options{}, ""},
		{options{rows: of("^values"), subjects: of("json")}, ""},
		{options{rows: of("exec z"), checking: true}, ""},
		{options{rows: of("exec z"), pin: pinOnly}, ""},
		{options{rows: of("no such")}, `-rows is "no such"`},
		{options{rows: of("^floors"), checking: true}, "-rows"},
		{options{rows: of("^floors"), updating: true}, "-rows"},
		{options{rows: of("^values"), pin: pinOnly}, "-rows"},
		{options{subjects: of("no such")}, `-subjects is "no such"`},
	} {
		err := c.choosesSome()
		if (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.options, err, c.want)
		}
	}
}

func of(s string) pattern { return pattern{regexp.MustCompile(s)} }

// A name chooses a row in ratios.json and in -rows.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sections() {
		for _, r := range s.rows {
			name := s.name + ": " + r.name
			if seen[name] {
				t.Errorf("two rows are named %q", name)
			}
			seen[name] = true
		}
	}
	for _, row := range summaryRows {
		name := strings.TrimPrefix(row[0], "|")
		for _, f := range spreads {
			name = strings.TrimSuffix(name, ", "+f.name)
		}
		if !slices.ContainsFunc(slices.Collect(maps.Keys(seen)), func(s string) bool { return strings.HasSuffix(s, ": "+name) }) {
			t.Errorf("the table of README.md has a row %q, which is gone", name)
		}
	}
	kept, err := readRatios("ratios.json")
	if err != nil {
		t.Fatal(err)
	}
	for name := range kept.Rows {
		if !seen[name] {
			t.Errorf("ratios.json has a row %q, which is gone", name)
		}
	}
}
