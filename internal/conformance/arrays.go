package conformance

import (
	"context"
	"fmt"
	"testing"

	"github.com/pycontext/py"
)

func init() {
	standardCases = append(standardCases, testCase{"ArrayArguments", arrayArguments})
}

// arrayArguments has arrays without numpy: what else has numbers in a row. internal/packages has numpy's.
func arrayArguments(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: "import go, array, threading\nsquare = memoryview(bytes(range(4))).cast('B', [2, 2])", Limits: py.Limits{Bytes: 100000}})
	sum := func(a py.Array[float64]) (sum float64) {
		for _, x := range a.Data {
			sum += x
		}
		return sum
	}
	type pair struct {
		A py.Array[int]   `py:"a"`
		B []py.Array[int] `py:"b"`
	}
	register(t, c, "sum", sum)
	register(t, c, "inline", sum, py.Inline())
	register(t, c, "shape", func(_ context.Context, a py.Array[uint8]) string { return fmt.Sprint(a.Shape, a.Data) })
	register(t, c, "pair", func(p *pair) string { return fmt.Sprint(p) })
	register(t, c, "pairs", func(m map[string]pair, more ...py.Array[int8]) string { return fmt.Sprint(m, more) })
	for expr, want := range map[string]any{
		"go.sum(array.array('d', [1, 2.5]))":     3.5,
		"go.inline(array.array('d', [1, 2.5]))":  3.5,
		"go.sum(array.array('h', [1, -2]))":      -1.0,
		"go.sum(b'ab')":                          195.0,
		"go.sum(array.array('d', bytes(80000)))": 0.0,
		"go.shape(square)":                       "[2 2] [0 1 2 3]",
		"go.shape(bytearray(b'a'))":              "[1] [97]",
		"go.pair(a=array.array('q', [1]), b=[array.array('b', [2]), array.array('h', [3])])":                                                                "&{{[1] [1]} [{[1] [2]} {[1] [3]}]}",
		"go.pairs({'x': {'a': array.array('I', [7])}}, array.array('b', [2]), array.array('b'))":                                                            "map[x:{{[1] [7]} []}] [{[1] [2]} {[0] []}]",
		"(lambda box, t: (t.start(), t.join(), box[0])[2])(*(lambda b: (b, threading.Thread(target=lambda: b.append(go.sum(array.array('f', [2]))))))([]))": 2.0,
	} {
		equal(t, expr, eval[any](t, c, expr), want)
	}
	for expr, part := range map[string]string{
		"go.sum([1, 2])":                     "argument 1: expected what becomes a Go py.Array[float64], got list",
		"go.sum(object())":                   "argument 1: expected what becomes a Go py.Array[float64], got object of class object",
		"go.shape(array.array('i', [300]))":  "argument 1[0]",
		"go.pair(b=[object()])":              "argument 'b'[0]",
		"go.pair(a=array.array('d', [0.5]))": "argument 'a'[0]",
		"go.pairs({'x': {'b': ['0']}})":      `argument 1["x"]`,
	} {
		err := discardValue(c.Eval(limit(t), expr))
		contains(t, expr, raises(t, expr, err, "TypeError").Message, part)
	}
	err := discardValue(c.Eval(limit(t), "go.sum(array.array('d', bytes(800000)))"))
	contains(t, "too large", raises(t, "too large", err, "TypeError").Message, "Limits.Bytes")
	is(t, "too large", err, py.ErrLimit)
	eventually(t, "no reference is left", func() bool { works(t, c); return py.Live().References == 0 })
}
