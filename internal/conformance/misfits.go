package conformance

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pycontext/py"
)

func init() {
	standardCases = append(standardCases, testCase{"Misfits", misfits}, testCase{"MisfitArguments", misfitArguments}, testCase{"MisfitNone", misfitNone},
		testCase{"MisfitPlaces", misfitPlaces})
}

const misfitClasses = `
import go, array, collections, dataclasses, datetime, decimal, enum, types, uuid
from datetime import timezone
class Empty: pass
@dataclasses.dataclass
class Point:
    x: int = 1
    y: int = 2
Pair = collections.namedtuple('Pair', 'x y')
class Colour(enum.Enum): RED = 'red'
shapes = types.ModuleType('shapes')
shapes.Square = type('Square', (), {'__module__': 'shapes'})
Odd = type('Odd\\ud800', (), {'__module__': 5})
def items(): yield 1; yield Empty()
`

type (
	misfitXY    struct{ X, Y int }
	misfitOrder struct {
		Lines []struct{ Price int }
		Any   any
	}
)

// misfits has what the errors of results say: the place, what was wanted, what was there, and what to do.
func misfits(t *testing.T, s *suite) {
	c := s.openStandard(t, misfitClasses)
	type row struct {
		expr  string
		eval  func(string) error
		parts []string
	}
	integer, text, ints, counts := evaluator[int](t, c), evaluator[string](t, c), evaluator[[]int](t, c), evaluator[map[string]int](t, c)
	xy, order := evaluator[misfitXY](t, c), evaluator[misfitOrder](t, c)
	for _, r := range []row{
		{"Empty()", integer, []string{"result: expected int, got object of class Empty", "*py.Object"}},
		{"Point()", integer, []string{"got object of class Point"}},
		{"shapes.Square()", integer, []string{"got object of class shapes.Square"}},
		{"Empty", integer, []string{"got object of class type"}},
		{"object()", integer, []string{"got object of class object"}},
		{"Odd()", integer, []string{`got object of class Odd\ud800`}},
		{"collections.Counter.most_common", text, []string{"expected str, got object of class function"}},
		{"[1, Empty()]", ints, []string{"result[1]: expected int, got object of class Empty"}},
		{"items()", ints, []string{"expected list, got object of class generator", "iter.Seq2"}},
		{"{'a': Point()}", counts, []string{`result["a"]: expected int, got object of class Point`}},
		{"{Empty(): 1}", counts, []string{"result.keys(): expected str, got object of class Empty"}},
		{"Empty()", xy, []string{"expected dict, got object of class Empty, which is no instance with one of the attributes X, Y"}},
		{"Point()", xy, []string{"expected dict, got object of class Point, which is no instance"}},
		{"types.SimpleNamespace(X=Empty())", xy, []string{"result.X: expected int, got object of class Empty"}},
		{"types.SimpleNamespace(X=types.SimpleNamespace(Y=1))", xy, []string{"result.X: expected int, got object of class types.SimpleNamespace"}},
		{"{'Lines': [{'Price': 1}, {'Price': Empty()}], 'Any': Empty()}", order, []string{"result.Lines[1].Price: expected int, got object of class Empty"}},
		{"{'Lines': Empty(), 'Any': [Empty()]}", order, []string{"result.Lines: expected list, got object of class Empty"}},
		{"Pair(1, 2)", evaluator[struct{ P struct{ Q, x int } }](t, c), []string{"expected dict, got tuple, which is no instance"}},
		{"[Pair(1, 2)]", evaluator[[]struct {
			X int `py:"x"`
		}](t, c), nil},
		{"{'X': Pair(1, 2)}", evaluator[struct {
			X int
			Y struct {
				X int `py:"x"`
			}
		}](t, c), []string{"result.X: expected int, got named tuple"}},
		{"Empty()", evaluator[time.Time](t, c), []string{"expected what becomes a Go time.Time, got object of class Empty"}},
		{"Empty()", evaluator[map[int]struct{}](t, c), []string{"expected set, got object of class Empty"}},
		{"Empty()", evaluator[error](t, c), []string{"expected what implements error, got object of class Empty, a Go *py.Object"}},
		{"Empty()", evaluator[[2]int](t, c), []string{"expected list, got object of class Empty"}},
		{"Empty()", evaluator[[]byte](t, c), []string{"expected bytes, got object of class Empty"}},
		{"[1]", evaluator[[]*py.Object](t, c), []string{"result[0]: expected object that has no Go form, got int; take it as int in Go"}},
		{"datetime.timedelta.max", evaluator[time.Duration](t, c), []string{"got object of class datetime.timedelta; it is longer than the 292 years"}},
		{"datetime.time(1, tzinfo=timezone.utc)", evaluator[py.TimeOfDay](t, c), []string{"class datetime.time; it has a time zone"}},
		{"range(2**64)", ints, []string{"class range; it goes beyond 64 bits"}},
		{"datetime.datetime.now()", evaluator[time.Time](t, c), []string{"got datetime without time zone; take it as py.DateTime in Go, or give it a tzinfo in Python"}},
		{"datetime.datetime.now(timezone.utc)", evaluator[py.Date](t, c), []string{"got datetime with time zone", "or call its date() in Python"}},
		{"1", evaluator[py.Decimal](t, c), []string{"got int; take it as int in Go, or make it a Decimal in Python"}},
		{"'1'", integer, []string{"expected int, got str; take it as string in Go, or int() it in Python"}},
		{"1.5", integer, []string{"expected int, got float; take it as float64 in Go, or int() or round() it in Python"}},
		{"b''", text, []string{"expected str, got bytes; take it as []byte in Go, or decode() it in Python"}},
		{"None", text, []string{"expected str, got None; take it as a pointer in Go, which it makes nil"}},
		{"300", evaluator[int8](t, c), []string{"300 does not fit int8; use int64"}},
		{"2**63", integer, []string{"9223372036854775808 does not fit int; use uint64 or *big.Int"}},
		{"2**64", integer, []string{"use *big.Int"}},
		{"2**53 + 1", evaluator[float64](t, c), []string{"cannot be a float64 exactly; use int64"}},
		{"{(1,): 2}", evaluator[map[any]int](t, c), []string{"tuple cannot be a key of a Go map[interface {}]; take a dict as py.Dict"}},
		{"1", evaluator[chan int](t, c), []string{"a Go chan int has no Python counterpart; use iter.Seq2[T, error]"}},
	} {
		err := r.eval(r.expr)
		if r.parts == nil && err == nil {
			continue
		}
		if !isConversion(err) {
			t.Errorf("%s: got %v, want a ConversionError", r.expr, err)
			continue
		}
		contains(t, r.expr, err.Error(), r.parts...)
	}
	for _, err := range py.StreamEval[int](limit(t), c, "items()") {
		if err != nil {
			contains(t, "a stream", err.Error(), "items[1]: expected int, got object of class Empty")
		}
	}
	f := eval[func(any) (int, error)](t, c, "lambda x: Empty()")
	contains(t, "a callable", fmt.Sprint(discardValue(f(1))), "result: expected int, got object of class Empty")
	o := eval[*py.Object](t, c, "Point(Empty())")
	contains(t, "an attribute", fmt.Sprint(discardValue(py.Attr[int](limit(t), o, "x"))), "result: expected int, got object of class Empty")
	contains(t, "an object", fmt.Sprint(discardValue(py.Decode[[]int](limit(t), o))), "result: expected list, got object of class Point")
	o.Close()
	attached(t, c, func(a *py.Attached) error {
		class := sure(a.Global("Empty"))
		contains(t, "a scalar in Attach", fmt.Sprint(discardValue(py.CallRef[int](class))), "result: expected int, got object of class Empty")
		contains(t, "Attach", fmt.Sprint(discardValue(py.DecodeRef[[]misfitXY](class))), "result: expected list, got object of class type")
		contains(t, "an argument in Attach", fmt.Sprint(discardValue(class.Call(uintptr(1)))), "args[0]: a Go uintptr has no Python counterpart; use uint64")
		return nil
	})
}

// misfitArguments has what the errors about arguments of Go functions say.
func misfitArguments(t *testing.T, s *suite) {
	c := s.openStandard(t, misfitClasses)
	for name, fn := range map[string]any{
		"one": func(int) {}, "list": func([]int) {}, "point": func(misfitXY) {}, "counts": func(map[string]int) {}, "many": func(int, ...string) {},
		"set": func(map[int]struct{}) {}, "order": func(misfitOrder) {}, "clock": func(time.Time) {}, "fails": func(error) {}, "data": func([]byte) {},
	} {
		register(t, c, name, fn)
	}
	for expr, part := range map[string]string{
		"one(Empty())":                           "argument 1: expected int, got object of class Empty; take it as *py.Object in Go",
		"one(shapes.Square)":                     "argument 1: expected int, got object of class type",
		"one(Colour.RED)":                        "argument 1: expected int, got str",
		"list(Point())":                          "argument 1: expected list, got object of class Point",
		"list([1, Empty()])":                     "argument 1[1]: expected int, got object of class Empty",
		"list(items())":                          "argument 1: expected list, got object of class generator",
		"point(Empty())":                         "argument 1: expected dict, got object of class Empty, which is no instance with one of the attributes X, Y",
		"point(X=Empty())":                       "argument 'X': expected int, got object of class Empty",
		"counts({'a': Empty()})":                 `argument 1["a"]: expected int, got object of class Empty`,
		"counts({Empty(): 1})":                   "argument 1.keys(): expected str, got object of class Empty",
		"many(1, 'a', shapes.Square())":          "argument 3: expected str, got object of class shapes.Square",
		"set({Empty()})":                         "argument 1.keys(): expected int, got object of class Empty",
		"order({'Lines': [{'Price': Point()}]})": "argument 1.Lines[0].Price: expected int, got object of class Point",
		"clock(Empty())":                         "argument 1: expected what becomes a Go time.Time, got object of class Empty",
		"clock(datetime.datetime.now())":         "argument 1: expected what becomes a Go time.Time, got datetime without time zone; take it as py.DateTime",
		"fails(Empty())":                         "argument 1: expected what implements error, got object of class Empty",
		"data(Empty())":                          "argument 1: expected bytes, got object of class Empty",
	} {
		err := discardValue(c.Eval(limit(t), "go."+expr))
		contains(t, expr, raises(t, expr, err, "TypeError").Message, part)
	}
}

// noneAs has None where a T is wanted, which is no pointer or the like.
func noneAs[T any](t *testing.T, c *py.Context) {
	what := "None as a " + reflect.TypeFor[T]().String()
	err := discardValue(py.Eval[T](limit(t), c, "None"))
	if !isConversion(err) {
		t.Errorf("%s: got %v, want a ConversionError", what, err)
		return
	}
	contains(t, what, err.Error(), "expected", "got None")
	err = discardValue(py.Eval[map[string]T](limit(t), c, "{'a': None}"))
	contains(t, what, err.Error(), `result["a"]: expected`, "got None")
}

func misfitNone(t *testing.T, s *suite) {
	c := s.open(t)
	noneAs[bool](t, c)
	noneAs[int](t, c)
	noneAs[float64](t, c)
	noneAs[string](t, c)
	noneAs[struct{ X int }](t, c)
	noneAs[[2]int](t, c)
	noneAs[[2]byte](t, c)
	noneAs[complex128](t, c)
	noneAs[complex64](t, c)
	noneAs[py.Date](t, c)
	noneAs[py.TimeOfDay](t, c)
	noneAs[py.DateTime](t, c)
	noneAs[time.Time](t, c)
	noneAs[time.Duration](t, c)
	noneAs[py.Decimal](t, c)
	noneAs[py.UUID](t, c)
	noneAs[py.Path](t, c)
	noneAs[py.Range](t, c)
	noneAs[py.Slice](t, c)
	noneAs[py.Array[int]](t, c)
	equal(t, "a bytearray", eval[py.ByteArray](t, c, "None") == nil, true)
	equal(t, "a pointer", eval[*time.Time](t, c, "None") == nil, true)
	register(t, c, "at", func(at time.Time, n int) {})
	raises(t, "an argument", discardValue(c.Eval(limit(t), "__import__('go').at(None, 1)")), "TypeError")
	err := discardValue(py.Eval[[]py.Array[int8]](limit(t), c, "[__import__('array').array('i', [1, 300])]"))
	contains(t, "an item of an array", err.Error(), "result[0][1]: 300 does not fit int8")
}

// misfitPlaces has places that are longer than anyone reads: both ends are there, in whole characters.
func misfitPlaces(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: "import go, types\ndef nest(n, k, v):\n  for _ in range(n): v = {k: v}\n  return {'outermost': v}"})
	register(t, c, "named", func(kw py.Kw) {})
	register(t, c, "any", func(any) {})
	type field struct {
		V any `py:"éééééééééééééééééééééééééééééééééééééééééééé"`
		W any `py:"xéééééééééééééééééééééééééééééééééééééééééééé"`
	}
	for odd := range 4 {
		key := strings.Repeat("x", odd) + strings.Repeat("é", 28)
		vars := py.Vars{"k": key, "odd": odd}
		for expr, parts := range map[string][]string{
			"nest(9, k, {'innermost': '\\ud800'})":                             {`result["outermost"]["`, `é"]["innermost"]: the text`},
			"go.any(nest(9, k, {'innermost': '\\ud800'}))":                     {`argument 1["outermost"]["`, `é"]["innermost"]: the text`},
			"go.named(**{k * 9: nest(9, k, ['a', '\\ud800'])})":                {"argument '" + key, `["outermost"]["`, `é"][1]: the text`},
			"types.SimpleNamespace(**{'x' * (odd % 2) + 'é' * 44: '\\ud800'})": {"result.", "éé: the text"},
		} {
			_, err := py.Eval[struct{ V field }](limit(t), c, "{'V': "+expr+"}", vars)
			if strings.HasPrefix(expr, "types") {
				contains(t, expr, fmt.Sprint(err), `result["V"].`, parts[1])
				continue
			}
			err = discardValue(c.Eval(limit(t), expr, vars))
			contains(t, expr, fmt.Sprint(err), parts...)
			if text := fmt.Sprint(err); !utf8.ValidString(text) || len(text) > 600 {
				t.Errorf("%s: %q", expr, text)
			}
		}
		deep := any(uintptr(0))
		for range 9 {
			deep = map[string]any{key: deep}
		}
		err := discardValue(c.Eval(limit(t), "v", py.Vars{"v": deep}))
		contains(t, "to Python", fmt.Sprint(err), `vars["v"]["`, `é"...]: a Go uintptr`)
		if text := fmt.Sprint(err); !utf8.ValidString(text) || len(text) > 400 {
			t.Errorf("to Python: %q", text)
		}
	}
	name := "x" + strings.Repeat("é", 200)
	if err := c.Register(name, func(any) {}); err != nil {
		t.Fatal(err)
	}
	raises(t, "a long name", discardValue(c.Eval(limit(t), "go.call(name, '\\ud800')", py.Vars{"name": name})), "TypeError")
}
