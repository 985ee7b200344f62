package conformance

import (
	"encoding/json"
	"iter"
	"testing"

	"github.com/pycontext/py"
)

func init() {
	standardCases = append(standardCases,
		testCase{"Converters", converters}, testCase{"ConvertersFrom", convertersFrom}, testCase{"ConvertersOfSubclasses", convertersOfSubclasses},
		testCase{"ConvertersPerContext", convertersPerContext}, testCase{"ConvertersChange", convertersChange},
		testCase{"ConvertersRefuse", convertersRefuse}, testCase{"ConvertersRaise", convertersRaise},
		testCase{"ConvertersCallGo", convertersCallGo}, testCase{"ConvertersAttached", convertersAttached},
		testCase{"ConvertersLimits", convertersLimits}, testCase{"ConvertersHostile", convertersHostile},
		testCase{"ConvertersConcurrently", convertersConcurrently})
}

// point stands for the class Point.
type point struct {
	X int `py:"x"`
	Y int `py:"y"`
}

type kelvin float64

const shapes = `
import go, dataclasses, collections
@dataclasses.dataclass(frozen=True)
class Point:
    x: int
    y: int
class Kelvin:
    def __init__(self, n): self.n = n
    def __eq__(self, other): return type(other) is Kelvin and other.n == self.n
    def __hash__(self): return hash(self.n)
class Holder:
    def __init__(self, p): self.p = p
`

var pointConverter = py.Converter{To: "lambda p: {'x': p.x, 'y': p.y}", From: "lambda d: Point(**d)"}

func convert[T any](t testing.TB, r py.Runner, class string, conv py.Converter) {
	t.Helper()
	if err := py.RegisterConverter[T](limit(t), r, "__main__", class, conv); err != nil {
		t.Fatalf("converter of %s: %+v", class, err)
	}
}

func openShapes(t testing.TB, s *suite, options ...py.Options) *py.Context {
	t.Helper()
	c := s.open(t, options...)
	run(t, c, shapes)
	convert[point](t, c, "Point", pointConverter)
	convert[kelvin](t, c, "Kelvin", py.Converter{To: "lambda k: k.n", From: "Kelvin"})
	return c
}

// converters: objects on their way to Go.
func converters(t *testing.T, s *suite) {
	c := openShapes(t, s)
	p, k := point{1, 2}, kelvin(3.5)
	equal(t, "an any", eval[any](t, c, "Point(1, 2)"), any(p))
	equal(t, "a defined type", eval[any](t, c, "Kelvin(3.5)"), any(k))
	equal(t, "typed", eval[point](t, c, "Point(1, 2)"), p)
	equal(t, "a pointer", eval[*point](t, c, "Point(1, 2)"), &p)
	equal(t, "what To gives", eval[map[string]int](t, c, "Point(1, 2)"), map[string]int{"x": 1, "y": 2})
	equal(t, "a plain float", eval[float64](t, c, "Kelvin(3.5)"), 3.5)
	equal(t, "another struct", eval[struct {
		Y any `py:"y"`
	}](t, c, "Point(1, 2)").Y, any(int64(2)))
	equal(t, "in a list", eval[any](t, c, "[0, Point(1, 2), [Point(3, 4)], Kelvin(3.5)]"),
		any([]any{int64(0), p, []any{point{3, 4}}, k}))
	equal(t, "in a typed slice", eval[[]point](t, c, "[Point(1, 2), {'x': 3, 'y': 4}]"), []point{p, {3, 4}})
	equal(t, "in a slice of any", eval[[]any](t, c, "[Point(1, 2), 1]"), []any{p, int64(1)})
	equal(t, "in a dict", eval[any](t, c, "{'a': Point(1, 2)}"), any(map[string]any{"a": p}))
	equal(t, "in a tuple", eval[any](t, c, "(Point(1, 2),)"), any(py.Tuple{p}))
	equal(t, "in a set", eval[any](t, c, "{Point(1, 2)}"), any(py.Set{p}))
	equal(t, "as a key", eval[any](t, c, "{Point(1, 2): 'a'}"), any(py.Dict{{Key: p, Value: "a"}}))
	equal(t, "as a key behind others", eval[any](t, c, "{'b': Kelvin(3.5), Point(1, 2): 'a', 'c': 1}"),
		any(py.Dict{{Key: "b", Value: k}, {Key: p, Value: "a"}, {Key: "c", Value: int64(1)}}))
	equal(t, "as a key of a map", eval[map[point]string](t, c, "{Point(1, 2): 'a'}"), map[point]string{p: "a"})
	equal(t, "in a Go set", eval[map[kelvin]struct{}](t, c, "{Kelvin(3.5)}"), map[kelvin]struct{}{k: {}})
	equal(t, "in a slice object", eval[py.Slice](t, c, "slice(Point(1, 2), None)").Start, any(p))
	type holder struct {
		P any     `py:"p"`
		Q []point `py:"q"`
		K *kelvin `py:"k"`
	}
	equal(t, "fields", eval[holder](t, c, "{'p': Point(1, 2), 'q': [Point(3, 4)], 'k': Kelvin(3.5)}"), holder{p, []point{{3, 4}}, &k})
	equal(t, "attributes", eval[holder](t, c, "Holder(Point(1, 2))").P, any(p))
	equal(t, "passed over", eval[[]holder](t, c, "[{'other': [Point(1, 2)], 'p': Point(3, 4)}, {'p': 5}]"),
		[]holder{{P: point{3, 4}}, {P: int64(5)}})
	run(t, c, "Named = collections.namedtuple('Named', 'n m')")
	type lists struct {
		L []any `py:"l"`
		M any   `py:"m2"`
	}
	equal(t, "in a named tuple that has none of the fields", eval[lists](t, c, "{'l': [Named(5, Point(1, 2)), Point(3, 4)], 'm2': Named(Kelvin(1), [7])}"),
		lists{[]any{py.Tuple{int64(5), p}, point{3, 4}}, py.Tuple{kelvin(1), []any{int64(7)}}})
	o := eval[*py.Object](t, c, "Point(1, 2)")
	defer o.Close()
	equal(t, "an object", eval[int](t, c, "o.x", py.Vars{"o": o}), 1)
	v, err := o.Value(limit(t))
	equal(t, "its value", v, any(p))
	equal(t, "its error", err, nil)
	equal(t, "a method's result", call[any](t, c, "copy", "copy", o), any(p))
	var items []any
	for item, err := range py.StreamEval[any](limit(t), c, "(Point(n, 2) if n % 2 else n for n in range(4))") {
		items = append(items, item)
		equal(t, "an item's error", err, nil)
	}
	equal(t, "items", items, []any{int64(0), p, int64(2), point{3, 2}})
	many := eval[[]any](t, c, "[Point(n, n) for n in range(10000)]")
	equal(t, "many", many[9999], any(point{9999, 9999}))
	env, err := c.NewEnv(limit(t))
	if err != nil {
		t.Fatal(err)
	}
	defer env.Close()
	equal(t, "in an env", eval[any](t, env, "[P(1, 2)]", py.Vars{"P": eval[*py.Object](t, c, "Point")}), any([]any{p}))
	run(t, env, "class Own:\n  n = 5\ndef of(o): return o.n")
	convert[kelvin](t, env, "Own", py.Converter{To: "of"})
	equal(t, "a class of an env", eval[any](t, env, "Own()"), any(kelvin(5)))
	equal(t, "From of another class stays", eval[bool](t, c, "k == Kelvin(1)", py.Vars{"k": kelvin(1)}), true)
	equal(t, "a plain value", eval[any](t, c, "[1, 'a', {'x': 1, 'y': 2}]"), any([]any{int64(1), "a", map[string]any{"x": int64(1), "y": int64(2)}}))
	raised := raises(t, "an exception with one", discardValue(c.Eval(limit(t), "(_ for _ in ()).throw(ValueError(Point(1, 2)))")), "ValueError")
	equal(t, "its message", raised.Message, "Point(x=1, y=2)")
}

// convertersFrom: values on their way to Python.
func convertersFrom(t *testing.T, s *suite) {
	c := openShapes(t, s)
	repr := func(v any) string { return eval[string](t, c, "repr(v)", py.Vars{"v": v}) }
	p, k := point{1, 2}, kelvin(3)
	equal(t, "a value", repr(p), "Point(x=1, y=2)")
	equal(t, "a pointer", repr(&p), "Point(x=1, y=2)")
	equal(t, "a pointer to a pointer", repr([]**point{ptr(&p)}), "[Point(x=1, y=2)]")
	equal(t, "nil", repr([]*point{nil}), "[None]")
	equal(t, "a defined type", eval[bool](t, c, "k == Kelvin(3) and type(k) is Kelvin", py.Vars{"k": k}), true)
	equal(t, "in any", repr([]any{p, &p, 1}), "[Point(x=1, y=2), Point(x=1, y=2), 1]")
	equal(t, "in a slice", repr([]point{p}), "[Point(x=1, y=2)]")
	equal(t, "in a map", repr(map[string]point{"a": p}), "{'a': Point(x=1, y=2)}")
	equal(t, "as a key", repr(map[point]int{p: 1}), "{Point(x=1, y=2): 1}")
	equal(t, "in a set", repr(map[point]struct{}{p: {}}), "{Point(x=1, y=2)}")
	equal(t, "in containers of py", repr(py.Tuple{p, py.Dict{{Key: p, Value: p}}, py.Set{p}, py.Slice{Start: p}}),
		"(Point(x=1, y=2), {Point(x=1, y=2): Point(x=1, y=2)}, {Point(x=1, y=2)}, slice(Point(x=1, y=2), None, None))")
	equal(t, "in a struct", repr(struct{ P *point }{&p}), "{'P': Point(x=1, y=2)}")
	equal(t, "not a type alike", repr(struct {
		X int `py:"x"`
		Y int `py:"y"`
	}{1, 2}), "{'x': 1, 'y': 2}")
	equal(t, "an argument and a keyword", call[string](t, c, "builtins", "str", []any{p}), "[Point(x=1, y=2)]")
	equal(t, "keywords", eval[string](t, c, "f(p=p)", py.Vars{"p": p, "f": eval[*py.Object](t, c, "lambda p: repr(p)")}), "Point(x=1, y=2)")
	equal(t, "there and back", eval[any](t, c, "v", py.Vars{"v": []any{p, k}}), any([]any{p, k}))
	run(t, c, "assert type(v) is Point", py.Vars{"v": p})

	register(t, c, "move", func(a any, b point, more ...any) (any, error) {
		return []any{a, point{b.X + 1, b.Y}, more}, nil
	})
	equal(t, "a callback", eval[string](t, c, "repr(go.move(Point(1, 2), Point(3, 4), [Point(5, 6)]))"),
		"[Point(x=1, y=2), Point(x=4, y=4), [[Point(x=5, y=6)]]]")
	register(t, c, "keywords", func(kw py.Kw) any { return kw["p"] == any(p) })
	equal(t, "its keywords", eval[bool](t, c, "go.keywords(p=Point(1, 2))"), true)
	register(t, c, "plain", func(a point) point { return a }, py.Inline())
	equal(t, "an inline one", eval[string](t, c, "repr(go.plain(Point(1, 2)))"), "Point(x=1, y=2)")
	seq := iter.Seq[point](func(yield func(point) bool) { _ = yield(p) && yield(point{3, 4}) })
	equal(t, "an iterator", eval[string](t, c, "repr(list(v))", py.Vars{"v": seq}), "[Point(x=1, y=2), Point(x=3, y=4)]")
	f := eval[func(point) (any, error)](t, c, "lambda p: [p, p.x]")
	v, err := f(p)
	equal(t, "a callable", v, any([]any{p, int64(1)}))
	equal(t, "its error", err, nil)
	run(t, c, "class Text:\n  def __init__(self, s): self.s = s\n  def __repr__(self): return f'Text({self.s!r})'")
	convert[celsius](t, c, "Text", py.Converter{To: "lambda t: t.s", From: "Text"})
	equal(t, "a Marshaler", repr([]any{celsius{1}, &celsius{2}, (*celsius)(nil)}), "[Text('1 C'), Text('2 C'), None]")
	equal(t, "an Unmarshaler", eval[any](t, c, "[Text('1 C')]"), any([]any{celsius{1}}))
	equal(t, "a typed one", eval[[]*celsius](t, c, "[Text('1 C')]"), []*celsius{{1}})
	convert[label](t, c, "Text", py.Converter{To: "lambda t: t.s", From: "Text"})
	equal(t, "as a key that To makes a str", eval[any](t, c, "[{Text('a'): 1}, {'b': 1, Text('c'): 2}]"), any([]any{
		py.Dict{{Key: label("a"), Value: int64(1)}}, py.Dict{{Key: "b", Value: int64(1)}, {Key: label("c"), Value: int64(2)}}}))
	equal(t, "as a key of type string", eval[map[string]int](t, c, "{'b': 1, Text('c'): 2}"), map[string]int{"b": 1, "c": 2})
	equal(t, "a type of py", eval[[]py.Path](t, c, "[Text('/x')]"), []py.Path{"/x"})
	equal(t, "a field as JSON", string(eval[struct {
		V json.RawMessage `py:"v,json"`
	}](t, c, "{'v': [Text('x')]}").V), `["x"]`)
	equal(t, "as JSON", string(eval[py.JSON[json.RawMessage]](t, c, "[Text('x')]").Value), `["x"]`)
	convert[error](t, c, "Text", py.Converter{To: "lambda t: t.s"})
	if err := discardValue(c.Eval(limit(t), "[Text('x')]")); !isConversion(err) {
		t.Errorf("an interface that a str is none of: %v", err)
	}
	for range 3 {
		equal(t, "marks that nobody looks at", eval[[]point](t, c, "[Point(1, 2)]"), []point{p})
		equal(t, "another value in their place", eval[any](t, c, "[1, 2, 3, 4, 5]"), any([]any{int64(1), int64(2), int64(3), int64(4), int64(5)}))
	}
	run(t, c, "class Pair(tuple): pass")
	convert[pairKey](t, c, "Pair", py.Converter{From: "Pair"})
	equal(t, "an array as a key", eval[string](t, c, "type(next(iter(v))).__name__", py.Vars{"v": map[pairKey]int{{1, 2}: 3}}), "Pair")
	equal(t, "many", eval[bool](t, c, "v == [Point(0, 0)] * 3000", py.Vars{"v": make([]point, 3000)}), true)
	convert[[2]int8](t, c, "Holder", py.Converter{To: "lambda h: [1, 2]"})
	equal(t, "a type without a name, to Go", eval[any](t, c, "Holder(1)"), any([2]int8{1, 2}))
	convert[any](t, c, "Holder", py.Converter{To: "lambda h: h.p"})
	equal(t, "any, to Go", eval[any](t, c, "[Holder(1), Holder(Point(1, 2))]"), any([]any{int64(1), p}))
	err = discardValue(c.Eval(limit(t), "v", py.Vars{"v": map[point]int{p: 1, {}: 2}, "w": []any{1, point{}, func(a, b chan<- int) {}}}))
	if !isConversion(err) {
		t.Errorf("a misfit behind one: %v", err)
	}
	works(t, c)
}

func ptr[T any](v T) *T { return &v }

func convertersOfSubclasses(t *testing.T, s *suite) {
	c := openShapes(t, s)
	run(t, c, `
class Sub(Point): pass
class SubSub(Sub): pass
class Text(str): pass
class Count(int): pass
class Pair(collections.namedtuple('Pair', 'a b')): pass
import enum, datetime, decimal
class Color(enum.Enum): RED = 1
`)
	equal(t, "an inherited one", eval[any](t, c, "[Sub(1, 2), SubSub(3, 4)]"), any([]any{point{1, 2}, point{3, 4}}))
	convert[kelvin](t, c, "Sub", py.Converter{To: "lambda p: float(p.x)"})
	equal(t, "one of its own", eval[any](t, c, "[Point(1, 2), Sub(1, 2), SubSub(3, 4)]"), any([]any{point{1, 2}, kelvin(1), kelvin(3)}))
	run(t, c, "class Late(Sub): pass")
	equal(t, "a class made later", eval[any](t, c, "Late(5, 6)"), any(kelvin(5)))
	if was, err := py.UnregisterConverter(limit(t), c, "__main__", "Sub"); !was || err != nil {
		t.Errorf("unregister: %v, %v", was, err)
	}
	equal(t, "the base's again", eval[any](t, c, "[Sub(1, 2), Late(3, 4)]"), any([]any{point{1, 2}, point{3, 4}}))

	convert[kelvin](t, c, "Text", py.Converter{To: "len"})
	convert[kelvin](t, c, "Count", py.Converter{To: "lambda n: -float(n)"})
	convert[kelvin](t, c, "Pair", py.Converter{To: "lambda p: float(p.a)"})
	convert[kelvin](t, c, "Color", py.Converter{To: "lambda m: 7.0"})
	for expr, want := range map[string]kelvin{"Text('abc')": 3, "Count(4)": -4, "Pair(5, 6)": 5, "Color.RED": 7} {
		equal(t, expr, eval[any](t, c, expr), any(want))
		equal(t, expr+" typed", eval[kelvin](t, c, expr), want)
		equal(t, expr+" in a list", eval[[]float64](t, c, "["+expr+"]"), []float64{float64(want)})
		equal(t, expr+" where a struct is asked for", eval[[]struct {
			A any `py:"a"`
		}](t, c, "[{'a': "+expr+"}]")[0].A, any(want))
	}
	equal(t, "a plain str", eval[any](t, c, "['abc', 4]"), any([]any{"abc", int64(4)}))
	equal(t, "as a key", eval[any](t, c, "{'a': 1, Text('abc'): 2}"), any(py.Dict{{Key: "a", Value: int64(1)}, {Key: kelvin(3), Value: int64(2)}}))
	equal(t, "as the first key", eval[any](t, c, "{Text('abc'): 2}"), any(py.Dict{{Key: kelvin(3), Value: int64(2)}}))
	if s.entangled() {
		return
	}
	for module, class := range map[string]string{"decimal": "Decimal", "datetime": "date"} {
		if err := py.RegisterConverter[label](limit(t), c, module, class, py.Converter{To: "str", From: module + "." + class + ".fromisoformat"}); class == "date" {
			equal(t, class, err, nil)
		} else {
			raises(t, "an expression that raises", err, "AttributeError")
		}
	}
	equal(t, "a class of the standard library", eval[any](t, c, "[datetime.date(2024, 1, 2), decimal.Decimal(1)]"), any([]any{label("2024-01-02"), py.Decimal("1")}))
	equal(t, "and back", eval[bool](t, c, "d == datetime.date(2024, 1, 2)", py.Vars{"d": label("2024-01-02")}), true)
}

type (
	label      string
	otherLabel string
	pairKey    [2]int8
)
