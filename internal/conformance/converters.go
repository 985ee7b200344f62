package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

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
	convert[text2](t, c, "Text", py.Converter{To: "lambda t: t.s", From: "Text"})
	equal(t, "as a key that To makes a str", eval[any](t, c, "[{Text('a'): 1}, {'b': 1, Text('c'): 2}]"), any([]any{
		py.Dict{{Key: text2("a"), Value: int64(1)}}, py.Dict{{Key: "b", Value: int64(1)}, {Key: text2("c"), Value: int64(2)}}}))
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

	type text struct{ s string }
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
		if err := py.RegisterConverter[text2](limit(t), c, module, class, py.Converter{To: "str", From: module + "." + class + ".fromisoformat"}); class == "date" {
			equal(t, class, err, nil)
		} else {
			raises(t, "an expression that raises", err, "AttributeError")
		}
	}
	equal(t, "a class of the standard library", eval[any](t, c, "[datetime.date(2024, 1, 2), decimal.Decimal(1)]"), any([]any{text2("2024-01-02"), py.Decimal("1")}))
	equal(t, "and back", eval[bool](t, c, "d == datetime.date(2024, 1, 2)", py.Vars{"d": text2("2024-01-02")}), true)
}

type (
	text2   string
	text3   string
	pairKey [2]int8
)

// convertersPerContext: what one context has, no other has.
func convertersPerContext(t *testing.T, s *suite) {
	c, d := openShapes(t, s), s.open(t)
	run(t, d, shapes)
	equal(t, "to Go elsewhere", eval[point](t, d, "Point(1, 2)"), point{1, 2}) // its attributes
	o, ok := eval[any](t, d, "Point(1, 2)").(*py.Object)
	if !ok {
		t.Error("an any elsewhere is no *py.Object")
	}
	o.Close()
	equal(t, "from Go elsewhere", eval[string](t, d, "repr(p)", py.Vars{"p": point{1, 2}}), "{'x': 1, 'y': 2}")
	convert[point](t, d, "Point", py.Converter{To: "lambda p: {'x': -p.x}", From: "lambda d: ('other', d['x'])"})
	for range 2 {
		equal(t, "here", eval[any](t, c, "Point(1, 2)"), any(point{1, 2}))
		equal(t, "there", eval[any](t, d, "Point(1, 2)"), any(point{X: -1}))
		equal(t, "here, back", eval[string](t, c, "repr(p)", py.Vars{"p": point{1, 2}}), "Point(x=1, y=2)")
		equal(t, "there, back", eval[string](t, d, "repr(p)", py.Vars{"p": point{1, 2}}), "('other', 1)")
	}
	// A class of a module that worker contexts share.
	for i, c := range []*py.Context{c, d} {
		conv := py.Converter{To: fmt.Sprintf("lambda f: %d.0", i)}
		if err := py.RegisterConverter[kelvin](limit(t), c, "types", "SimpleNamespace", conv); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "a shared class", eval[any](t, c, "__import__('types').SimpleNamespace()"), any(kelvin(0)))
	equal(t, "a shared class, there", eval[any](t, d, "__import__('types').SimpleNamespace()"), any(kelvin(1)))
	// Through a callback from one into the other, and back.
	register(t, c, "there", func(ctx context.Context, p any) (any, error) {
		return py.Eval[any](ctx, d, "[Point(p[1], 0), p]", py.Vars{"p": p})
	})
	equal(t, "across", eval[any](t, c, "repr(go.there(Point(1, 2)))"), any("[Point(x=-1, y=0), ('other', 1)]"))
	run(t, c, "import threading\ndef threaded():\n  box = []\n  t = threading.Thread(target=lambda: box.append(go.there(Point(1, 2))))\n  t.start(); t.join()\n  return repr(box)")
	equal(t, "on a thread of Python's", call[string](t, c, "__main__", "threaded"), "[[Point(x=-1, y=0), ('other', 1)]]")
}

func convertersChange(t *testing.T, s *suite) {
	c := openShapes(t, s)
	convert[point](t, c, "Point", py.Converter{To: "lambda p: {'x': p.y, 'y': p.x}"})
	equal(t, "replaced", eval[any](t, c, "Point(1, 2)"), any(point{2, 1}))
	equal(t, "without From", eval[string](t, c, "repr(p)", py.Vars{"p": point{1, 2}}), "{'x': 1, 'y': 2}")
	convert[point](t, c, "Point", py.Converter{From: "lambda d: Point(**d)"})
	if o, ok := eval[any](t, c, "Point(1, 2)").(*py.Object); !ok {
		t.Error("without To: no *py.Object")
	} else {
		o.Close()
	}
	equal(t, "with From", eval[string](t, c, "repr(p)", py.Vars{"p": point{1, 2}}), "Point(x=1, y=2)")
	convert[kelvin](t, c, "Point", py.Converter{To: "lambda p: p.x", From: "lambda n: Point(n, n)"})
	equal(t, "another T", eval[any](t, c, "Point(1, 2)"), any(kelvin(1)))
	equal(t, "the T before", eval[string](t, c, "repr(p)", py.Vars{"p": point{1, 2}}), "{'x': 1, 'y': 2}")
	equal(t, "another T, back", eval[string](t, c, "repr(p)", py.Vars{"p": kelvin(1)}), "Point(x=1.0, y=1.0)")
	for i, want := range []bool{true, false} {
		was, err := py.UnregisterConverter(limit(t), c, "__main__", "Point")
		equal(t, fmt.Sprint("unregister ", i), was, want)
		equal(t, "its error", err, nil)
	}
	eval[*py.Object](t, c, "[Point(1, 2)]").Close()
	equal(t, "without, back", eval[string](t, c, "repr(p)", py.Vars{"p": kelvin(1)}), "1.0")
	_, err := py.UnregisterConverter(limit(t), c, "__main__", "Nothing")
	raises(t, "unregister what is not", err, "AttributeError")
	if was, err := py.UnregisterConverter(limit(t), s.open(t), "builtins", "object"); was || err != nil {
		t.Errorf("where none ever was: %v, %v", was, err)
	}
	// A class that is defined again is another; the first one goes.
	convert[point](t, c, "Point", pointConverter)
	run(t, c, "import weakref, gc\nold = weakref.ref(Point)\n"+shapes+"\ngc.collect()")
	if o, ok := eval[any](t, c, "Point(1, 2)").(*py.Object); !ok {
		t.Error("a class defined again has the converter of the first")
	} else {
		o.Close()
	}
	equal(t, "the class is gone", eval[bool](t, c, "old() is None"), true)
	convert[point](t, c, "Point", pointConverter)
	equal(t, "registered again", eval[any](t, c, "Point(1, 2)"), any(point{1, 2}))
	// A function that registers what it returns.
	register(t, c, "late", func(ctx context.Context) (any, error) {
		return text2("x"), py.RegisterConverter[text2](ctx, c, "__main__", "Holder", py.Converter{From: "Holder"})
	})
	equal(t, "by a callback", eval[string](t, c, "go.late().p"), "x")
	run(t, c, "import sys; sys._converted = weakref.ref(Point)")
	c.Close()
	if s.Mode == py.Worker {
		equal(t, "the class is gone with the context", eval[bool](t, s.open(t), "__import__('sys')._converted() is None"), true)
	}
	is(t, "closed", py.RegisterConverter[point](limit(t), c, "__main__", "Point", pointConverter), py.ErrClosed)
	_, err = py.UnregisterConverter(limit(t), c, "__main__", "Point")
	is(t, "closed", err, py.ErrClosed)
	is(t, "nil", py.RegisterConverter[point](limit(t), nil, "__main__", "Point", pointConverter), py.ErrClosed)
}

func convertersRefuse(t *testing.T, s *suite) {
	c := openShapes(t, s)
	try := func(what string, err error, parts ...string) {
		t.Helper()
		if err == nil {
			t.Errorf("%s: no error", what)
			return
		}
		contains(t, what, err.Error(), parts...)
	}
	both := py.Converter{To: "repr", From: "repr"}
	try("string", py.RegisterConverter[string](limit(t), c, "__main__", "Point", both), "Go string", "a meaning of its own", "Point")
	try("int", py.RegisterConverter[int](limit(t), c, "__main__", "Point", both), "Go int")
	try("any", py.RegisterConverter[any](limit(t), c, "__main__", "Point", both), "Go interface {}")
	try("time", py.RegisterConverter[time.Time](limit(t), c, "__main__", "Point", both), "Go time.Time")
	try("a type of py", py.RegisterConverter[py.Tuple](limit(t), c, "__main__", "Point", both), "Go py.Tuple")
	try("a pointer", py.RegisterConverter[*point](limit(t), c, "__main__", "Point", both), "pointers to it are converted too")
	try("a slice", py.RegisterConverter[[]point](limit(t), c, "__main__", "Point", both), "Go []conformance.point")
	try("a func", py.RegisterConverter[func()](limit(t), c, "__main__", "Point", both), "Go func()")
	try("an object", py.RegisterConverter[*py.Object](limit(t), c, "__main__", "Point", py.Converter{To: "repr"}), "py.Object")
	try("nothing", py.RegisterConverter[point](limit(t), c, "__main__", "Point", py.Converter{}), "neither To nor From")
	try("no module", py.RegisterConverter[point](limit(t), c, "", "Point", both), "no module")
	try("no class", py.RegisterConverter[point](limit(t), c, "__main__", "", both), "class")
	for what, class := range map[string][]string{
		"AttributeError": {"__main__.Missing", "__main__.Point.Missing", "json.Missing"}, "ModuleNotFoundError": {"missing_module.C"},
		"TypeError": {"__main__.pointless", "builtins.len", "builtins.int", "builtins.dict", "builtins.object", "builtins.bool"},
	} {
		for _, name := range class {
			module, name := split(name)
			run(t, c, "pointless = Point(1, 2)")
			raises(t, name, py.RegisterConverter[kelvin](limit(t), c, module, name, py.Converter{To: "repr", From: "repr"}), what)
		}
	}
	for source, class := range map[string]string{
		"lambda p:": "SyntaxError", "missing": "NameError", "1": "TypeError", "1/0": "ZeroDivisionError", "x = 1": "SyntaxError",
		"(_ for _ in ()).throw(SystemExit)": "SystemExit",
	} {
		raises(t, "To "+source, py.RegisterConverter[kelvin](limit(t), c, "__main__", "Point", py.Converter{To: source}), class)
		raises(t, "From "+source, py.RegisterConverter[kelvin](limit(t), c, "__main__", "Point", py.Converter{To: "repr", From: source}), class)
	}
	raises(t, "no converter is no misuse", py.RegisterConverter[point](limit(t), c, "__main__", "Holder", py.Converter{To: "lambda: x.__class__", From: "nope"}), "NameError")
	equal(t, "nothing changed", eval[any](t, c, "Point(1, 2)"), any(point{1, 2}))
	equal(t, "nothing changed, back", eval[string](t, c, "repr([p, k])", py.Vars{"p": point{1, 2}, "k": 1.5}), "[Point(x=1, y=2), 1.5]")
	equal(t, "a T whose registering failed", eval[string](t, c, "type(p).__name__", py.Vars{"p": kelvin(1)}), "Kelvin")
	ctx, cancel := context.WithCancel(limit(t))
	cancel()
	is(t, "cancelled", py.RegisterConverter[point](ctx, c, "__main__", "Point", pointConverter), context.Canceled)
}

func split(name string) (module, class string) {
	for i := range name {
		if name[i] == '.' {
			return name[:i], name[i+1:]
		}
	}
	return "", name
}

func convertersRaise(t *testing.T, s *suite) {
	c := openShapes(t, s)
	run(t, c, `
class Cold(BaseException): pass
def cold(p): raise Cold('too cold')
def loop(p):
    while True: pass
class Odd:
    def __init__(self, how=None): self.how = how
def odd(o): return o.how(o)
def caught():
    try: go.give()
    except Cold as e: return str(e)
`)
	convert[text2](t, c, "Odd", py.Converter{To: "odd", From: "cold"})
	for _, expr := range []string{"Odd(cold)", "[1, {'a': Odd(cold)}]", "(Odd(cold),)", "{Odd(cold)}", "{Odd(cold): 1}", "Holder(Odd(cold))"} {
		for how, err := range map[string]error{
			"any": discardValue(c.Eval(limit(t), expr)), "typed": discardValue(py.Eval[[]text2](limit(t), c, expr)),
			"fields": discardValue(py.Eval[[]struct {
				P text2 `py:"p"`
			}](limit(t), c, "["+expr+"]")),
			"argument": discardValue(c.Eval(limit(t), "go.take("+expr+")")),
		} {
			if expr == "Holder(Odd(cold))" && how != "fields" {
				continue
			}
			register(t, c, "take", func(any) {})
			if how == "argument" {
				err = discardValue(c.Eval(limit(t), "go.take("+expr+")"))
			}
			e := raises(t, expr+", "+how, err, "Cold")
			equal(t, expr+", "+how, e.Message, "too cold")
			equal(t, expr+", "+how, fmt.Sprint(e.Notes), "[in To of the converter for __main__.Odd]")
			equal(t, expr+", "+how, e.Traceback[len(e.Traceback)-1].Function, "cold")
		}
	}
	for what, v := range map[string]any{"From": text2("x"), "deep": []any{map[string]any{"a": text2("x")}}, "a key": map[text2]int{"x": 1}} {
		e := raises(t, what, discardValue(c.Eval(limit(t), "1", py.Vars{"v": v})), "Cold")
		equal(t, what, fmt.Sprint(e.Notes), "[in From of the converter for __main__.Odd]")
		raises(t, what, discardValue(c.Call(limit(t), "builtins", "repr", v)), "Cold")
		register(t, c, "give", func() any { return v })
		raises(t, what+" of a callback", discardValue(c.Eval(limit(t), "go.give()")), "Cold")
		equal(t, what+", caught", eval[string](t, c, "caught()"), "too cold")
	}
	var items int
	for _, err := range py.StreamEval[any](limit(t), c, "(Odd(cold) if n == 3 else n for n in range(5))") {
		if items++; items == 4 {
			raises(t, "in a stream", err, "Cold")
		}
	}
	equal(t, "items", items, 4)
	ctx, cancel := context.WithTimeout(limit(t), 50*time.Millisecond)
	defer cancel()
	is(t, "a deadline in To", discardValue(c.Eval(ctx, "[Odd(loop)]")), context.DeadlineExceeded)
	convert[text2](t, c, "Odd", py.Converter{To: "odd", From: "loop"})
	ctx, cancel = context.WithTimeout(limit(t), 50*time.Millisecond)
	defer cancel()
	is(t, "a deadline in From", discardValue(c.Eval(ctx, "v", py.Vars{"v": []text2{"x"}})), context.DeadlineExceeded)
	works(t, c)
	// What To gives, and is no T.
	var bad *py.ConversionError
	err := discardValue(c.Eval(limit(t), "[0, {'a': Odd(lambda o: 5)}]"))
	if !errors.As(err, &bad) {
		t.Fatalf("no T: %v", err)
	}
	equal(t, "its place", bad.Place, `result[1]["a"]`)
	contains(t, "its reason", bad.Reason, "expected str, got int", "text2")
	register(t, c, "take", func(any) {})
	contains(t, "an argument that is no T", raises(t, "no T", discardValue(c.Eval(limit(t), "go.take([Odd(lambda o: 5)])")), "TypeError").Message, "argument 1", "text2")
	for _, expr := range []string{"Odd(lambda o: o)", "Odd(lambda o: Odd())", "Odd(lambda o: [o])", "Odd(lambda o: {'a': (o,)})"} {
		err := discardValue(c.Eval(limit(t), expr))
		if !isConversion(err) {
			t.Errorf("%s: %v", expr, err)
		}
		equal(t, expr, strings.Contains(err.Error(), "the same class again"), !strings.Contains(expr, "[") && !strings.Contains(expr, "{"))
		works(t, c)
	}
	equal(t, "what is a str as well", eval[any](t, c, "Odd(lambda o: type('S', (str,), {})('x'))"), any(text2("x")))
	equal(t, "what stands for one", eval[any](t, c, "Odd(lambda o: collections.UserString('x'))"), any(text2("x")))
}

func convertersCallGo(t *testing.T, s *suite) {
	c := openShapes(t, s)
	calls := 0
	register(t, c, "name", func(ctx context.Context, n int) (string, error) {
		calls++
		if n == 0 {
			return "end", nil
		}
		// To within To, by way of Go.
		v, err := py.Eval[text2](ctx, c, "Named(n - 1)", py.Vars{"n": n})
		return string(v) + fmt.Sprint(n), err
	})
	run(t, c, "class Named:\n  def __init__(self, n): self.n = n\ndef named(s):\n  return Named(len(go.name(len(s))))")
	convert[text2](t, c, "Named", py.Converter{To: "lambda o: go.name(o.n)", From: "named"})
	equal(t, "To", eval[any](t, c, "[Named(3), Named(0)]"), any([]any{text2("end123"), text2("end")}))
	equal(t, "calls", calls, 5)
	equal(t, "From", eval[int](t, c, "v[0].n", py.Vars{"v": []text2{"ab"}}), 5)
	register(t, c, "give", func() text2 { return "ab" })
	equal(t, "From of an answer", eval[int](t, c, "go.give().n"), 5)
	register(t, c, "deep", func(ctx context.Context, o any) (any, error) { return o, nil })
	equal(t, "an argument and its answer", eval[int](t, c, "go.deep(Named(2)).n"), 8)
	// A converter that changes while it is used.
	register(t, c, "forget", func(ctx context.Context) (string, error) {
		_, err := py.UnregisterConverter(ctx, c, "__main__", "Named")
		return "forgotten", err
	})
	convert[text2](t, c, "Named", py.Converter{To: "lambda o: go.forget()", From: "lambda s: (go.forget(), s)"})
	list := eval[[]any](t, c, "[Named(1), Named(2)]")
	equal(t, "the first", list[0], any(text2("forgotten")))
	list[1].(*py.Object).Close()
	convert[text2](t, c, "Named", py.Converter{To: "lambda o: go.forget()", From: "lambda s: (go.forget(), s)"})
	equal(t, "From", eval[string](t, c, "repr(v)", py.Vars{"v": []text2{"a", "b"}}), "[('forgotten', 'a'), 'b']")
	var once sync.Once
	register(t, c, "close", func() {
		once.Do(func() { go c.Close() })
		time.Sleep(10 * time.Millisecond)
	})
	convert[text2](t, c, "Named", py.Converter{To: "lambda o: [go.close() for _ in range(1000)]"})
	is(t, "closed within", discardValue(c.Eval(limit(t), "[Named(1)] * 100")), py.ErrClosed)
}

func convertersAttached(t *testing.T, s *suite) {
	c := openShapes(t, s)
	err := c.Attach(limit(t), func(a *py.Attached) error {
		r, err := a.New([]any{point{1, 2}})
		if err != nil {
			return err
		}
		text, err := r.Repr()
		equal(t, "New", text, "[Point(x=1, y=2)]")
		if err != nil {
			return err
		}
		v, err := r.Value()
		equal(t, "Value", v, any([]any{point{1, 2}}))
		if err != nil {
			return err
		}
		typed, err := py.DecodeRef[[]point](r)
		equal(t, "DecodeRef", typed, []point{{1, 2}})
		if err != nil {
			return err
		}
		class, err := a.Global("Point")
		if err != nil {
			return err
		}
		made, err := py.CallRef[any](class, 3, 4)
		equal(t, "CallRef", made, any(point{3, 4}))
		if err != nil {
			return err
		}
		if err := py.RegisterConverter[text2](limit(t), c, "__main__", "Holder", py.Converter{From: "Holder", To: "lambda h: h.p"}); err != nil {
			return err
		}
		h, err := a.New(text2("x"))
		if err != nil {
			return err
		}
		made, err = h.Value()
		equal(t, "registered within", made, any(text2("x")))
		if err != nil {
			return err
		}
		// What a converter calls must leave the Attached alone.
		used := func() (string, error) {
			r, err := a.New([]byte("0123456789"))
			if err != nil {
				return "", err
			}
			return r.Repr()
		}
		if err := c.Register("used", used, py.Inline()); err != nil {
			return err
		}
		if err := py.RegisterConverter[text2](limit(t), c, "__main__", "Holder", py.Converter{From: "lambda s: go.used()", To: "lambda h: go.used()"}); err != nil {
			return err
		}
		_, err = a.New([]text2{"x", "y"})
		contains(t, "used in From", raises(t, "used in From", err, "RuntimeError").Message, "Attached")
		holder, err := a.Global("Holder")
		if err != nil {
			return err
		}
		_, err = py.CallRef[any](holder, 1)
		contains(t, "used in To", raises(t, "used in To", err, "RuntimeError").Message, "Attached")
		_, err = py.CallRef[string](holder, text2("x"))
		raises(t, "used in From of an argument", err, "RuntimeError")
		_, err = used()
		return err
	})
	if err != nil {
		t.Errorf("%+v", err)
	}
}

func convertersLimits(t *testing.T, s *suite) {
	c := openShapes(t, s, py.Options{Limits: py.Limits{Items: 1000, Bytes: 10000, Depth: 20}})
	run(t, c, "class Big: pass\nmake = lambda: 0")
	convert[any](t, c, "Big", py.Converter{To: "lambda b: make()"})
	register(t, c, "take", func(any) {})
	for source, option := range map[string]string{
		"[0] * 1001": "Items", "'x' * 10001": "Bytes", "b'x' * (1 << 20)": "Bytes", "[Big()]": "Depth", "[Big(), Big()]": "s.",
	} {
		run(t, c, "make = lambda: "+source)
		for how, err := range map[string]error{"result": discardValue(c.Eval(limit(t), "[Big()]")), "argument": discardValue(c.Eval(limit(t), "go.take(Big())"))} {
			is(t, source+", "+how, err, py.ErrLimit)
			contains(t, source+", "+how, err.Error(), "Limits", option)
		}
	}
	before := py.Live()
	run(t, c, "make = lambda: [object(), 'x' * 10001]")
	is(t, "with a reference", discardValue(c.Eval(limit(t), "[object(), Big()]")), py.ErrLimit)
	if live := py.Live(); live.References > before.References {
		t.Errorf("left behind: %+v, before %+v", live, before)
	}
	works(t, c)
}

func convertersHostile(t *testing.T, s *suite) {
	c := openShapes(t, s)
	run(t, c, `
import sys, types, gc, go
class Strange(type):
    def __eq__(cls, other): raise RuntimeError('eq')
    def __hash__(cls): raise RuntimeError('hash')
    def __getattribute__(cls, name): raise RuntimeError(name)
    def __instancecheck__(cls, o): raise RuntimeError('instancecheck')
    def mro(cls): return type.mro(cls)
class Odd(metaclass=Strange):
    def __eq__(self, other): raise RuntimeError('eq')
    __hash__ = None
    def __getattribute__(self, name): raise RuntimeError(name)
class Liar:
    @property
    def __class__(self): return Point
class Liar2(Point):
    __class__ = int
module = sys.modules['short_lived'] = types.ModuleType('short_lived')
exec('class Short: pass', vars(module))
def end(o):
    sys.modules.pop('short_lived', None)
    vars(module).clear()
    gc.collect()
    return 'ended'
def end_class(o):
    global Ended
    del Ended
    gc.collect()
    return 'ended'
class Ended: pass
class Sized:
    def __len__(self): return 1 << 40
class Slots: __slots__ = ()
class Gen: pass
`)
	to := func(class, source string) { t.Helper(); convert[text2](t, c, class, py.Converter{To: source}) }
	to("Odd", "lambda o: 'odd'")
	equal(t, "an odd metaclass", eval[any](t, c, "[Odd()]"), any([]any{text2("odd")}))
	equal(t, "an odd class replaced", eval[any](t, c, "[Odd(), Odd()]"), any([]any{text2("odd"), text2("odd")}))
	if o, ok := eval[any](t, c, "Liar()").(*py.Object); !ok {
		t.Error("a class that lies has the converter of another")
	} else {
		o.Close()
	}
	equal(t, "a subclass that lies", eval[any](t, c, "Liar2(1, 2)"), any(point{1, 2}))
	if err := py.RegisterConverter[text2](limit(t), c, "short_lived", "Short", py.Converter{To: "end"}); err != nil {
		t.Fatal(err)
	}
	equal(t, "a To that ends the module", eval[any](t, c, "[module.Short(), 1]"), any([]any{text2("ended"), int64(1)}))
	to("Ended", "end_class")
	equal(t, "a To that deletes the class", eval[any](t, c, "[Ended(), Point(1, 2)]"), any([]any{text2("ended"), point{1, 2}}))
	to("Slots", "lambda o: 'no dict'")
	equal(t, "slots", eval[any](t, c, "Slots()"), any(text2("no dict")))
	to("Gen", "lambda o: (x for x in 'ab')")
	if err := discardValue(c.Eval(limit(t), "[Gen()]")); !isConversion(err) {
		t.Errorf("a generator: %v", err)
	}
	convert[any](t, c, "Gen", py.Converter{To: "lambda o: (x for x in 'ab')"})
	gen := eval[[]any](t, c, "[Gen()]")[0].(*py.Object)
	equal(t, "a generator as any", eval[string](t, c, "''.join(g)", py.Vars{"g": gen}), "ab")
	gen.Close()
	// The container changes while its items are converted.
	for expr, what := range map[string]string{
		"[Ended2(), 1]": "list", "{'a': Ended2(), 'b': 1}": "dict", "[[Ended2()], 2]": "", "{Ended2(), 1}": "set",
	} {
		run(t, c, "class Ended2:\n  pass\ndef change(o):\n  if type(box) is dict: box[len(box)] = Ended2()\n  else: box.clear()\n  return 'changed'")
		to("Ended2", "change")
		run(t, c, "box = "+expr)
		err := discardValue(c.Eval(limit(t), "box"))
		if !isConversion(err) {
			t.Errorf("%s: %v", expr, err)
		}
		contains(t, expr, fmt.Sprint(err), what)
	}
	// Large bytes that To makes are gone when it has returned.
	register(t, c, "last", func(b any) int { v := b.([]byte); return int(v[len(v)-1]) })
	run(t, c, "class Bytes: pass")
	convert[[]byte](t, c, "Bytes", py.Converter{To: "lambda o: b'a' * (64 << 20)"})
	equal(t, "large bytes", eval[int](t, c, "go.last(Bytes())"), int('a'))
	equal(t, "large bytes of a result", len(eval[any](t, c, "Bytes()").([]byte)), 64<<20)
	// Neither of them knows the other.
	run(t, c, "class A: pass\nclass B: pass")
	to("A", "lambda o: B()")
	convert[any](t, c, "B", py.Converter{To: "lambda o: 'b'"})
	equal(t, "one that gives another", eval[any](t, c, "[A(), B()]"), any([]any{text2("b"), "b"}))
	convert[text3](t, c, "B", py.Converter{To: "lambda o: 'b'"})
	equal(t, "the first counts", eval[any](t, c, "[A(), B(), [A()]]"), any([]any{text2("b"), text3("b"), []any{text2("b")}}))
	to("B", "lambda o: A()")
	is(t, "round and round", discardValue(c.Eval(limit(t), "A()")), py.ErrLimit)
	// Raised by what may not even be looked at.
	run(t, c, "class Raises(BaseException):\n  __notes__ = property(lambda s: 1/0)\n  def add_note(self, n): 1/0\n  def __str__(self): 1/0\ndef throw(o): raise Raises()")
	to("A", "throw")
	raises(t, "an odd exception", discardValue(c.Eval(limit(t), "A()")), "Raises")
	to("A", "lambda o: sys.exit(3)")
	raises(t, "exit", discardValue(c.Eval(limit(t), "A()")), "SystemExit")
	to("A", "lambda o: A.__init__.__globals__ and o.again")
	raises(t, "recursion", discardValue(c.Eval(limit(t), "(f := lambda: f())()")), "RecursionError")
	if s.atLeast(13) { // the class of what holds a Go error within Python
		if err := py.RegisterConverter[text2](limit(t), c, "types", "CapsuleType", py.Converter{To: "repr"}); err != nil {
			t.Fatal(err)
		}
		failed := errors.New("failed")
		register(t, c, "fail", func() error { return failed })
		is(t, "a Go error", discardValue(c.Eval(limit(t), "go.fail()")), failed)
	}
	works(t, c)
}

func convertersConcurrently(t *testing.T, s *suite) {
	c := openShapes(t, s)
	var wg sync.WaitGroup
	ctx := limit(t)
	for i := range 4 {
		wg.Go(func() {
			for range 30 {
				if i == 0 {
					if err := py.RegisterConverter[point](ctx, c, "__main__", "Point", pointConverter); err != nil {
						t.Error(err)
					}
					continue
				}
				v, err := py.Eval[any](ctx, c, "[p, Point(3, 4)]", py.Vars{"p": point{1, 2}})
				if err != nil {
					t.Error(err)
				}
				equal(t, "concurrently", v, any([]any{point{1, 2}, point{3, 4}}))
			}
		})
	}
	wg.Wait()
}
