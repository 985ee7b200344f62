package conformance

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/pycontext/py"
)

func init() {
	standardCases = append(standardCases, testCase{"Limits", limits}, testCase{"LimitsByDefault", limitsByDefault}, testCase{"LimitsExact", limitsExact},
		testCase{"LimitsOfArguments", limitsOfArguments})
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

const limitClasses = `
import array, collections, datetime, enum, fractions, types
class Level(enum.IntEnum): LOW = 1
class List(list): pass
Pair = collections.namedtuple('Pair', 'X Y')
def spaces(n): return [types.SimpleNamespace(X=1, Y=2) for _ in range(n)]
`

// limitsExact is at the limits of each kind of container, and beyond: a hundred items, four deep.
func limitsExact(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Limits: py.Limits{Depth: 4, Bytes: 10000, Items: 100}, Preload: limitClasses})
	type pair struct{ X, Y int }
	items := func(expr string) error { return discardValue(c.Eval(limit(t), expr)) }
	ints, lists := evaluator[[]int](t, c), evaluator[[][]int](t, c)
	pairs, deep, deeper := evaluator[[]pair](t, c), evaluator[[][][]pair](t, c), evaluator[[][][][]int](t, c)
	for _, l := range []struct {
		eval         func(string) error
		fits, beyond string
	}{
		{items, "[datetime.datetime(2020, 1, 1)] * 100", "[datetime.datetime(2020, 1, 1)] * 101"},
		{items, "[1j] * 100", "[1j] * 101"},
		{items, "[fractions.Fraction(1, 3)] * 100", "[fractions.Fraction(1, 3)] * 101"},
		{items, "[slice(1, 2)] * 100", "[slice(1, 2)] * 101"},
		{items, "[[[[1j]]]]", "[[[[[1j]]]]]"}, {items, "slice(slice(slice(slice(1))))", "slice(slice(slice(slice(slice(1)))))"},
		{items, "[[[range(1)]]]", "[[[[range(1)]]]]"},
		{ints, "array.array('b', bytes(100))", "array.array('b', bytes(101))"},
		{ints, "List([0] * 100)", "List([0] * 101)"}, {ints, "collections.deque([0] * 100)", "collections.deque([0] * 101)"},
		{evaluator[py.Array[int]](t, c), "array.array('b', bytes(100))", "array.array('b', bytes(101))"},
		{evaluator[[]py.Array[int]](t, c), "[array.array('b', bytes(49))] * 2", "[array.array('b', bytes(49)), array.array('b', bytes(50))]"},
		{lists, "memoryview(bytes(66)).cast('B', (33, 2))", "memoryview(bytes(68)).cast('B', (34, 2))"},
		{lists, "[range(99)]", "[range(100)]"}, {lists, "[range(48), [0] * 50]", "[range(49), [0] * 50]"},
		{lists, "[array.array('i', [0] * 99)]", "[array.array('i', [0] * 100)]"},
		{pairs, "spaces(33)", "spaces(34)"}, {pairs, "[Pair(1, 2)] * 33", "[Pair(1, 2)] * 34"},
		{deep, "[[[Pair(1, 2)]]]", "[[[[Pair(1, 2)]]]]"}, {deep, "[[spaces(1)]]", "[[[spaces(1)]]]"},
		{deeper, "[[[[Level.LOW]]]]", "[[[[[Level.LOW]]]]]"}, {deeper, "[[[collections.deque([1])]]]", "[[[[collections.deque([1])]]]]"},
		{deeper, "memoryview(bytes(1)).cast('B', (1, 1, 1, 1))", "memoryview(bytes(1)).cast('B', (1, 1, 1, 1, 1))"},
	} {
		if err := l.eval(l.fits); err != nil {
			t.Errorf("%s: %v", l.fits, err)
		}
		is(t, l.beyond, l.eval(l.beyond), py.ErrLimit)
	}
	small := s.open(t, py.Options{Limits: py.Limits{Bytes: 10000}})
	ranges := evaluator[[][]int](t, small)
	equal(t, "what ranges become", ranges("[range(500, 1000), range(500, 1100)]"), nil)
	is(t, "what ranges become", ranges("[range(500, 1000), range(500, 1200)]"), py.ErrLimit)
	n := 0
	for text, err := range py.StreamEval[string](limit(t), c, "('x' * 9000 for _ in range(300))") {
		if n++; err != nil || len(text) != 9000 {
			t.Fatalf("item %d of a stream, each within the limit: %v", n, err)
		}
	}
	equal(t, "items", n, 300)
}

// evaluator evaluates to a T.
func evaluator[T any](t *testing.T, c *py.Context) func(string) error {
	return func(expr string) error { return discardValue(py.Eval[T](limit(t), c, expr)) }
}

// limitsOfArguments is at the limits of the arguments of a call together, some of which come as what they are to their parameters,
// one by one: a hundred items, four deep.
func limitsOfArguments(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Limits: py.Limits{Depth: 4, Bytes: 10000, Items: 100}, Preload: limitClasses + `
import go
class Text(str): pass
class Row(list): pass
space, spaced = types.SimpleNamespace, lambda v: types.SimpleNamespace(X=v, Y=1)
array_of = lambda n: array.array('b', bytes(n))
`})
	type pair struct{ X, Y int }
	type values struct {
		X any
		Y int
	}
	type row struct{ X []int }
	for name, fn := range map[string]any{
		"pairs": func([]pair) {}, "two": func(_, _ []int) {}, "many": func(...[]int) {}, "named": func(o struct{ A, B []int }) {},
		"kw": func(_ []int, kw py.Kw) {}, "texts": func([]string) {},
		"rows": func([]row) {}, "any": func(any, pair) {}, "arrays": func(_, _ py.Array[int]) {}, "values": func([]values) {},
		"set": func(map[string]struct{}, []int) {}, "slices": func(py.Slice, []int) {}, "data": func([]byte, []string) {},
	} {
		register(t, c, name, fn)
	}
	for _, l := range []struct{ fits, beyond, place string }{
		// Each of these has what is fetched.
		{"pairs(spaces(33))", "pairs(spaces(34))", "argument 1[33].X"},
		{"pairs([Pair(1, 2)] * 33)", "pairs([Pair(1, 2)] * 34)", "argument 1[33]"},
		{"pairs(Row(spaces(33)))", "pairs(Row(spaces(34)))", "argument 1[33]"},
		{"two(Row([0] * 50), Row([0] * 50))", "two(Row([0] * 50), Row([0] * 51))", "argument 2"},
		{"two([0] * 50, Row([0] * 50))", "two([0] * 50, Row([0] * 51))", "argument 2"},
		{"two(Row([0] * 50), [0] * 50)", "two(Row([0] * 51), [0] * 50)", "argument 1"}, // what came at once was counted first
		{"two(Row([0] * 98), [Level.LOW] * 2)", "two(Row([0] * 99), [Level.LOW] * 2)", "argument 1"},
		{"many(*[Row([0] * 10)] * 10)", "many(*[Row([0] * 10)] * 10, Row([0]))", "argument 11"},
		{"named(A=Row([0] * 50), B=Row([0] * 50))", "named(A=Row([0] * 50), B=Row([0] * 51))", "argument 'B'"},
		{"kw(Row([0] * 50), a=[0] * 50)", "kw(Row([0] * 51), a=[0] * 50)", "argument 1"},
		{"any({'a': [0] * 97}, space(X=1, Y=2))", "any({'a': [0] * 98}, space(X=1, Y=2))", "argument 2"},
		{"set({Text('a')}, Row([0] * 99))", "set({Text('a')}, Row([0] * 100))", "argument 2"},
		{"slices(slice([0] * 50), Row([0] * 50))", "slices(slice([0] * 50), Row([0] * 51))", "argument 2"},
		{"rows([space(X=Row([0] * 49)), space(X=[0] * 47)])", "rows([space(X=Row([0] * 49)), space(X=[0] * 48)])", "argument 1[1].X"},
		{"values([spaced([0] * 94), spaced(1)])", "values([spaced([0] * 95), spaced(1)])", "argument 1[1]"},
		// Ranges and arrays, which Go makes larger.
		{"two(range(50), range(50))", "two(range(50), range(51))", "argument 2"},
		{"two([0] * 50, range(50))", "two([0] * 50, range(51))", "argument 2"},
		{"two(range(50), [0] * 50)", "two(range(51), [0] * 50)", "argument 2"},
		{"two(array_of(50), array_of(50))", "two(array_of(50), array_of(51))", "argument 2"},
		{"two(Row([0] * 50), range(50))", "two(Row([0] * 50), range(51))", "argument 2"},
		{"rows([space(X=range(50)), space(X=range(46))])", "rows([space(X=range(50)), space(X=range(47))])", "argument 1[1].X"},
		{"arrays(array_of(50), array_of(50))", "arrays(array_of(50), array_of(51))", "argument 2"},
		// A text of n takes two bytes more than n, or three; its own place in the list is nine bytes, for the reference.
		{"texts([Text('x' * 4900)] * 2)", "texts([Text('x' * 5000)] * 2)", "argument 1[1]"},
		{"data(b'x' * 5000, [Text('x' * 4900)])", "data(b'x' * 5000, [Text('x' * 5000)])", "argument 2[0]"},
		// Depth is that of each part within its argument.
		{"values([spaced([[1]])])", "values([spaced([[[1]]])])", "argument 1[0].X[0]"},
		{"rows([space(X=[Level.LOW])])", "rows([space(X=[[[1]]])])", "argument 1[0].X[0]"},
	} {
		if err := discardValue(c.Eval(limit(t), "go."+l.fits)); err != nil {
			t.Errorf("%s: %v", l.fits, err)
		}
		err := discardValue(c.Eval(limit(t), "go."+l.beyond))
		raises(t, l.beyond, err, "TypeError")
		is(t, l.beyond, err, py.ErrLimit)
		contains(t, l.beyond, err.Error(), l.place, "Options.Limits.")
	}
	// What one call had, the next has again.
	for range 3 {
		run(t, c, "go.pairs(spaces(33))")
	}
	eventually(t, "no reference is left", func() bool { runtime.GC(); works(t, c); return py.Live().References == 0 })
}
