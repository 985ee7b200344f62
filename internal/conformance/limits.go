package conformance

import (
	"context"
	"errors"
	"testing"

	"github.com/pycontext/py"
)

func init() {
	standardCases = append(standardCases, testCase{"Limits", limits}, testCase{"LimitsByDefault", limitsByDefault})
}

func limits(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Limits: py.Limits{Depth: 3, Bytes: 10000, Items: 100}, Preload: "import go\ndef ev(s): return eval(s, globals())\ndef deep(n): return [deep(n - 1)] if n > 1 else []"})
	register(t, c, "f", func(v any) any { return v })
	for expr, option := range map[string]string{
		"deep(4)": "Limits.Depth", "{1: {2: {3: {}}}}": "Limits.Depth", "(((({1},),),),)": "Limits.Depth",
		"list(range(101))": "Limits.Items", "[[0] * 50, [0] * 50]": "Limits.Items", "{n: n for n in range(101)}": "Limits.Items", "[None] * 10**5": "Limits.Items",
		"'x' * 10001": "Limits.Bytes", "b'x' * 10**6": "Limits.Bytes", "['x' * 5000, 'y' * 5000]": "Limits.Bytes", "[b'x' * 5000, b'y' * 5000, 1]": "Limits.Bytes", "1 << 100000": "Limits.Bytes",
		"[2**63] * 90 + ['x' * 9500]": "Limits.Bytes", "set(range(101))": "Limits.Items",
	} {
		for how, err := range map[string]error{
			"any":       discardValue(c.Eval(limit(t), expr)),
			"typed":     discardValue(py.Eval[[]any](limit(t), c, expr)),
			"a part":    discardValue(c.Eval(limit(t), "{'a': "+expr+"}")),
			"keyword":   discardValue(c.Eval(limit(t), "go.f(v="+expr+")")),
			"an object": discardValue(eval[*py.Object](t, c, expr).Value(limit(t))),
			"attached": c.Attach(limit(t), func(a *py.Attached) error {
				o, err := a.Global("ev")
				if err == nil {
					_, err = py.CallRef[any](o, expr)
				}
				return err
			}),
		} {
			if how == "keyword" {
				continue // the function takes none
			}
			if !errors.Is(err, py.ErrLimit) || !isConversion(err) {
				t.Errorf("%s, %s: got %v, want a ConversionError for ErrLimit", expr, how, err)
			} else {
				contains(t, expr+", "+how, err.Error(), option)
			}
		}
		err := discardValue(c.Eval(limit(t), "go.f("+expr+")"))
		raises(t, expr+" as an argument", err, "TypeError")
		is(t, expr+" as an argument", err, py.ErrLimit)
		contains(t, expr+" as an argument", err.Error(), option, "argument 1")
		works(t, c)
	}
	for _, expr := range []string{"deep(3)", "[0] * 100", "'x' * 9990", "[[0] * 49, [0] * 49]"} {
		eval[any](t, c, expr)
		equal(t, expr+" as an argument", eval[bool](t, c, "go.f(v) == v", py.Vars{"v": eval[*py.Object](t, c, expr)}), true)
	}
	limitedRanges(t, c)
	_, err := c.Eval(limit(t), "1 / 0")
	raises(t, "an exception is not limited", err, "ZeroDivisionError")
	_, err = c.Eval(limit(t), "deep(100000)")
	raises(t, "nor is its traceback", err, "RecursionError")
	for _, l := range []py.Limits{{Depth: -1}, {Depth: 1001}, {Bytes: -1}, {Items: -1}} {
		if bad, err := s.New(context.Background(), py.Options{Mode: s.Mode, Limits: l}); err == nil {
			t.Errorf("%+v: no error", l)
			bad.Close()
		}
	}
}

// limitsByDefault has the value that looks small and is not.
func limitsByDefault(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: "bomb = [0] * 10\nfor _ in range(9): bomb = [bomb] * 10"})
	before := Measure().Memory
	err := discardValue(c.Eval(limit(t), "[[None] * 10**6] * 1000"))
	is(t, "a billion items", err, py.ErrLimit)
	is(t, "a bomb", discardValue(py.Eval[[]any](limit(t), c, "bomb")), py.ErrLimit)
	works(t, c)
	if after := Measure().Memory; after-before > 1<<30 {
		t.Errorf("memory grew from %d to %d", before, after)
	}
}

// limitedRanges has ranges, which are small until they become slices. The limit is a hundred items.
func limitedRanges(t *testing.T, c *py.Context) {
	equal(t, "a range", len(eval[[]int](t, c, "range(-50, 50)")), 100)
	equal(t, "two ranges", len(eval[[][]int16](t, c, "[range(40, 0, -1), range(1000, 1050)]")), 2)
	equal(t, "not a slice", eval[py.Range](t, c, "range(10**9)"), py.Range{Stop: 1e9, Step: 1})
	register(t, c, "ints", func(v []int) int { return len(v) })
	equal(t, "an argument", eval[int](t, c, "go.ints(range(100))"), 100)
	for how, err := range map[string]error{
		"too long":    discardValue(py.Eval[[]int](limit(t), c, "range(101)")),
		"together":    discardValue(py.Eval[[][]any](limit(t), c, "[range(60), range(60)]")),
		"huge":        discardValue(py.Eval[[]int8](limit(t), c, "range(-2**63, 2**63 - 1)")),
		"an array":    discardValue(py.Eval[[200]int](limit(t), c, "range(200)")),
		"an argument": discardValue(c.Eval(limit(t), "go.ints(range(101))")),
	} {
		if how == "an argument" {
			raises(t, how, err, "TypeError")
		} else if !isConversion(err) {
			t.Errorf("%s: got %v, want a ConversionError", how, err)
		}
		is(t, how, err, py.ErrLimit)
		contains(t, how, err.Error(), "Limits.Items")
	}
}
