package conformance

import (
	"context"
	"fmt"
	"math/big"
	"runtime"
	"testing"
	"time"

	"github.com/pycontext/py"
)

func init() {
	standardCases = append(standardCases, testCase{"Parameters", parameters})
}

const parameterClasses = `
import go, array, collections, dataclasses, datetime, decimal, enum, pathlib, types
class Level(enum.IntEnum): LOW = 1
class Colour(enum.Enum): RED = 'red'
class Maybe(enum.Enum): SOME = 3; NONE = None
class Name(str): pass
class Real(float): pass
class Row(list): pass
class When(datetime.datetime): pass
@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    X: float
    Y: float
Pair = collections.namedtuple('Pair', 'X Y')
class Half:
    X = 1.0
    @property
    def Y(self): raise ValueError('no Y today')
class Raw:
    X = 1.0
    Y = 'text'
`

// parameters gives Go functions what a result of their parameters' types would be made of.
func parameters(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: parameterClasses, Limits: py.Limits{Bytes: 100000}})
	type point struct{ X, Y float64 }
	show := func(v any) string { return fmt.Sprint(v) }
	for name, fn := range map[string]any{
		"integer": func(n int) int { return n }, "small": func(n int8) string { return show(n) },
		"real": func(f float64) float64 { return f }, "text": func(s string) string { return s },
		"add":     func(a, b float64) float64 { return a + b },
		"inline":  func(p point) float64 { return p.X + p.Y },
		"point":   func(_ context.Context, p point) float64 { return p.X + p.Y },
		"points":  func(p []*point, more ...point) string { return show(len(p)) + show(*p[0]) + show(more) },
		"by":      func(m map[string]point) string { return show(m) },
		"ints":    func(n []int) string { return show(n) },
		"reals":   func(f []float64) string { return show(f) },
		"texts":   func(s []string) string { return show(s) },
		"counts":  func(m map[string]int) string { return show(m) },
		"data":    func(b []byte) string { return string(b) },
		"tuple":   func(v py.Tuple) string { return show(v) },
		"pair":    func(p [2]int) string { return show(p) },
		"dict":    func(v py.Dict) string { return show(v) },
		"clock":   func(v py.DateTime) string { return show(v) },
		"big":     func(n *big.Int) string { return n.String() },
		"options": func(o struct{ P point }) string { return show(o) },
		"maybe":   func(n *int, more **int) bool { return n == nil && more == nil },
		"object":  func(o *py.Object, v **any) bool { _, is := (**v).(*py.Object); return o != nil && is },
		"nested":  func(v map[string][]map[string]point) string { return show(v) },
		"exactly": func(v any, list []any) bool {
			_, is := v.(*py.Object)
			_, too := list[0].(*py.Object)
			return is && too
		},
		"within": func(ctx context.Context, d time.Duration, p point) (float64, error) {
			return py.Eval[float64](ctx, c, "x*2", py.Vars{"x": p.X})
		},
	} {
		if name == "inline" {
			register(t, c, name, fn, py.Inline())
			continue
		}
		register(t, c, name, fn)
	}
	for expr, want := range map[string]any{
		"go.integer(Level.LOW)": 1, "go.small(Level.LOW)": "1", "go.real(Real(1.5))": 1.5, "go.text(Name('a'))": "a",
		"go.text(Colour.RED)": "red", "go.text(pathlib.PurePosixPath('a'))": "a", "go.add(Real(1), Level.LOW)": 2.0, "go.big(Level.LOW)": "1",
		"go.inline(Point(1.0, 2.0))": 3.0, "go.point(Pair(1, 2))": 3.0, "go.point(types.SimpleNamespace(X=1.0, Y=2.0))": 3.0,
		"go.point(collections.OrderedDict(X=1.0, Y=2.0))":                        3.0,
		"go.points(Row([Point(1.0, 2.0)]), Pair(3, 4), {'X': 5})":                "1{1 2}[{3 4} {5 0}]",
		"go.by({'a': Point(1.0, 2.0)})":                                          "map[a:{1 2}]",
		"go.ints(collections.deque([1, 2]))":                                     "[1 2]",
		"go.ints(array.array('h', [1, 2]))":                                      "[1 2]",
		"go.ints([Level.LOW, 2, Level.LOW])":                                     "[1 2 1]",
		"go.reals([Real(0.5), 1])":                                               "[0.5 1]",
		"go.texts(Row([Name('a'), Colour.RED]))":                                 "[a red]",
		"go.counts(collections.Counter('aab'))":                                  "map[a:2 b:1]",
		"go.counts({Name('a'): Level.LOW})":                                      "map[a:1]",
		"go.counts(types.MappingProxyType({'a': 1}))":                            "map[a:1]",
		"go.data(memoryview(b'abc'))":                                            "abc",
		"go.tuple(Pair(1, 2))":                                                   "[1 2]",
		"go.pair(Pair(1, 2))":                                                    "[1 2]",
		"go.dict(collections.OrderedDict(a=1))":                                  "[{a 1}]",
		"go.clock(When(2020, 1, 2))":                                             "{{2020 January 2} {0 0 0 0 0}}",
		"go.options(P=Point(1.0, 2.0))":                                          "{{1 2}}",
		"go.options(types.SimpleNamespace(P=Point(1.0, 2.0)))":                   "{{1 2}}",
		"go.nested({'a': [{'b': Point(1.0, 2.0)}, {}]})":                         "map[a:[map[b:{1 2}] map[]]]",
		"go.maybe(Maybe.NONE, Maybe.NONE)":                                       true,
		"go.maybe(Maybe.SOME, Maybe.NONE)":                                       false,
		"go.object(Level.LOW, Level.LOW)":                                        true,
		"go.exactly(Level.LOW, [Level.LOW])":                                     true,
		"go.within(datetime.timedelta(0), Point(4.0, 2.0))":                      8.0,
		"[go.point(p) for p in (Point(float(i), 0.0) for i in range(300))][299]": 299.0,
	} {
		if n, ok := want.(int); ok {
			want = int64(n)
		}
		equal(t, expr, eval[any](t, c, expr), want)
	}
	for expr, part := range map[string]string{
		"go.object(1, None)":                   "argument 1: expected object that has no Go form, got int; take it as int in Go",
		"go.point(object())":                   "argument 1: expected dict, got object of class object, which is no instance with one of the attributes X, Y",
		"go.point(Raw())":                      "argument 1.Y: expected float, got str",
		"go.by({'a': [Point(1.0, 2.0)]})":      `argument 1["a"]: expected dict, got list`,
		"go.ints([1, Real(1)])":                "argument 1[1]: expected int, got float",
		"go.small(Level(1) if 0 else Row([]))": "argument 1: expected int, got list",
		"go.options(P=Raw())":                  "argument 'P'.Y",
		"go.counts({Real(1): 1})":              "argument 1.keys()",
	} {
		err := discardValue(c.Eval(limit(t), expr))
		contains(t, expr, raises(t, expr, err, "TypeError").Message, part)
	}
	err := discardValue(c.Eval(limit(t), "go.point(Half())"))
	contains(t, "an exception of a property", raises(t, "an exception of a property", err, "ValueError").Message, "no Y today")
	err = discardValue(c.Eval(limit(t), "go.data(memoryview(bytes(200000)))"))
	raises(t, "too large", err, "TypeError")
	is(t, "too large", err, py.ErrLimit)
	eventually(t, "no reference is left", func() bool { runtime.GC(); works(t, c); return py.Live().References == 0 })
}
