package conformance

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"testing"

	"github.com/pycontext/py"
)

func init() {
	standardCases = append(standardCases, testCase{"Sequences", sequences}, testCase{"SequencesInCallbacks", sequencesInCallbacks},
		testCase{"SequencesEnd", sequencesEnd})
}

func sequences(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: streamSource})
	for expr, want := range map[string][]int{
		"count(5000)": nil, "[1, 2]": {1, 2}, "(3,)": {3}, "range(3)": {0, 1, 2}, "{5: 6}": {5}, "iter([])": nil,
		"type('It', (), {'__getitem__': lambda self, i: [7, 8][i]})()": {7, 8},
	} {
		if expr == "count(5000)" {
			for i := range 5000 {
				want = append(want, i)
			}
		}
		items, err := collectAll(eval[iter.Seq2[int, error]](t, c, expr))
		is(t, expr, err, nil)
		equal(t, expr, items, want)
	}
	type point struct {
		X int `py:"x"`
	}
	type parts struct {
		Points iter.Seq2[point, error]        `py:"points"`
		Words  func(func(string, error) bool) `py:"words"`
		None   iter.Seq2[any, error]          `py:"none"`
	}
	run(t, c, "import types")
	p := eval[parts](t, c, "types.SimpleNamespace(points=(types.SimpleNamespace(x=i) for i in range(3)), words=['a', 'b'], none=None)")
	points, err := collectAll(p.Points)
	is(t, "a field", err, nil)
	equal(t, "a field", points, []point{{0}, {1}, {2}})
	words, err := collectAll(p.Words)
	is(t, "a list", err, nil)
	equal(t, "a list", words, []string{"a", "b"})
	equal(t, "None", p.None == nil, true)
	f := eval[func(context.Context, int) (iter.Seq2[int, error], error)](t, c, "count")
	seq, err := f(limit(t), 3)
	is(t, "what a callable returns", err, nil)
	items, err := collectAll(seq)
	is(t, "what a callable returns", err, nil)
	equal(t, "what a callable returns", items, []int{0, 1, 2})

	items, err = collectAll(call[iter.Seq2[int, error]](t, c, "__main__", "failing", 20))
	raises(t, "an exception", err, "ValueError")
	equal(t, "before it", len(items), 20)
	var bad *py.ConversionError
	_, err = collectAll(eval[iter.Seq2[int, error]](t, c, "(i if i < 40 else 'x' for i in count(100))"))
	if !errors.As(err, &bad) || bad.Place != "items[40]" {
		t.Errorf("an item that is no int: %v", err)
	}
	_, err = collectAll(eval[iter.Seq2[int, error]](t, c, "5"))
	raises(t, "no iterable", err, "TypeError")
	for what, err := range map[string]error{
		"iter.Seq2[int, error]":              discardValue(py.Eval[iter.Seq[int]](limit(t), c, "count(3)")),
		"iter.Seq2[py.Tuple, error]":         discardValue(py.Eval[iter.Seq2[string, int]](limit(t), c, "{'a': 1}.items()")),
		"expected what Python iterates over": discardValue(py.Eval[parts](limit(t), c, "{'words': 5}")),
	} {
		if !isConversion(err) {
			t.Errorf("%s: got %v, want a ConversionError", what, err)
		} else {
			contains(t, what, err.Error(), what)
		}
	}
	if err := c.Register("refused", func(iter.Seq[int]) {}); err == nil {
		t.Error("a parameter that is an iter.Seq was registered")
	} else {
		contains(t, "a parameter", err.Error(), "iter.Seq2[int, error]")
	}
}

func sequencesInCallbacks(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: streamSource + "\nimport go, threading"})
	sum := func(seq iter.Seq2[int, error]) (sum int, err error) {
		for n, err := range seq {
			if err != nil {
				return sum, err
			}
			if sum += n; n == 1000 {
				break
			}
		}
		return sum, nil
	}
	register(t, c, "sum", sum)
	register(t, c, "inline", sum, py.Inline())
	for expr, want := range map[string]int{
		"go.sum(count(100))": 4950, "go.sum([1, 2])": 3, "go.sum(range(4))": 6, "go.sum(count(10**9))": 500500,
		"go.sum(go.sum(count(i)) for i in range(4))": 4, "go.inline(count(100))": 4950, "f(count(5))": 10,
	} {
		equal(t, expr, eval[int](t, c, expr, py.Vars{"f": sum}), want)
	}
	equal(t, "closed before the function returns", eval[bool](t, c, "(trace.clear(), go.sum(count(10**9)), trace == ['begin', 'end'])[2]"), true)
	run(t, c, "box = []\nt = threading.Thread(target=lambda: box.append(go.sum(count(50))))\nt.start(); t.join()")
	equal(t, "in a Python thread", eval[int](t, c, "box[0]"), 1225)
	raises(t, "through both", discardValue(c.Eval(limit(t), "go.sum(failing(3))")), "ValueError")
	raises(t, "an argument", discardValue(c.Eval(limit(t), "go.sum('ab')")), "TypeError")
	// Kept beyond the call, it is used like any other.
	var kept iter.Seq2[int, error]
	register(t, c, "keep", func(seq iter.Seq2[int, error]) { kept = seq })
	run(t, c, "go.keep(count(3))")
	items, err := collectAll(kept)
	is(t, "kept", err, nil)
	equal(t, "kept", items, []int{0, 1, 2})
}

// sequencesEnd has those that are left, and those that nobody ranges over.
func sequencesEnd(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: streamSource})
	seq := call[iter.Seq2[int, error]](t, c, "__main__", "count", 1000000)
	equal(t, "lazy", takeTrace(t, c), []string{})
	for n := range seq {
		if n == 100 {
			break
		}
	}
	equal(t, "left", takeTrace(t, c), []string{"begin", "end"})
	items, err := collectAll(seq)
	is(t, "a generator that is closed", err, nil)
	equal(t, "a generator that is closed", len(items), 0)
	list := eval[iter.Seq2[int, error]](t, c, "[1, 2]")
	for range 2 {
		items, _ := collectAll(list)
		equal(t, "a list, each time", items, []int{1, 2})
	}
	run(t, c, "import weakref\ng = count(3); next(g)\nweakref.finalize(g, lambda: trace.append('gone'))")
	func() { _ = eval[iter.Seq2[int, error]](t, c, "globals().pop('g')") }()
	seq, list = nil, nil
	eventually(t, "one that nobody ranged over is closed", func() bool {
		runtime.GC()
		return eval[bool](t, c, "trace[-2:] == ['end', 'gone'] or trace[-2:] == ['gone', 'end']")
	})
	eventually(t, "no reference is left", func() bool { runtime.GC(); works(t, c); return py.Live().References == 0 })
	last := call[iter.Seq2[int, error]](t, c, "__main__", "count", 3)
	c.Close()
	_, err = collectAll(last)
	is(t, "after Close", err, py.ErrClosed)
}
