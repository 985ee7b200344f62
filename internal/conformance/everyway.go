package conformance

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pycontext/py"
)

func init() { standardCases = append(standardCases, testCase{"EveryWay", everyWay}) }

const everyWayClasses = `
import go, array, collections, dataclasses, datetime, decimal, enum, fractions, pathlib, types, typing, uuid
from datetime import timedelta, timezone
class Int(int): pass
class Str(str): pass
class Bytes(bytes): pass
class Float(float): pass
class Tup(tuple): pass
class FS(frozenset): pass
class BA(bytearray): pass
class Frac(fractions.Fraction): pass
class Level(enum.IntEnum): LOW = 1
class Colour(enum.Enum): RED = 'red'; PAIR = (1, 2); NONE = None
class Flag(enum.Flag): A = 1; B = 2
class Named(typing.NamedTuple):
    a: int
    b: str = 'x'
@dataclasses.dataclass(slots=True)
class Data:
    a: int
    b: str = 'def'
    c: list = dataclasses.field(default_factory=list)
class Half:
    a = 1
    @property
    def b(self): raise AttributeError
class Any:
    def __getattr__(self, name): return 7
def evaluate(s): return eval(s, globals())
`

// an anyWay is a way for a value from Python to become a T.
type anyWay[T any] func(t *testing.T, c *py.Context, expr string) (T, error)

type wayField[T any] struct{ V T }

func waysTo[T any]() map[string]anyWay[T] {
	attached := func(t *testing.T, c *py.Context, expr string) (v T, err error) {
		err = c.Attach(limit(t), func(a *py.Attached) (err error) {
			v, err = py.CallRef[T](sure(a.Global("evaluate")), expr)
			return err
		})
		return v, err
	}
	argument := func(call string) anyWay[T] {
		return func(t *testing.T, c *py.Context, expr string) (v T, err error) {
			register(t, c, "one", func(got T, _ ...int) { v = got })
			register(t, c, "named", func(o wayField[T]) { v = o.V })
			register(t, c, "pointer", func(p *T) {
				if p != nil {
					v = *p
				}
			})
			return v, discardValue(c.Eval(limit(t), fmt.Sprintf(call, expr)))
		}
	}
	return map[string]anyWay[T]{
		"an item": func(t *testing.T, c *py.Context, expr string) (v T, _ error) {
			list, err := py.Eval[[1]T](limit(t), c, "["+expr+"]")
			return list[0], err
		},
		"a value": func(t *testing.T, c *py.Context, expr string) (v T, _ error) {
			m, err := py.Eval[map[string]T](limit(t), c, "{'a': "+expr+"}")
			return m["a"], err
		},
		"a field": func(t *testing.T, c *py.Context, expr string) (v T, _ error) {
			s, err := py.Eval[wayField[T]](limit(t), c, "{'V': "+expr+"}")
			return s.V, err
		},
		"an attribute": func(t *testing.T, c *py.Context, expr string) (v T, _ error) {
			s, err := py.Eval[*wayField[T]](limit(t), c, "types.SimpleNamespace(V="+expr+")")
			if err != nil {
				return v, err
			}
			return s.V, nil
		},
		"a stream": func(t *testing.T, c *py.Context, expr string) (v T, err error) {
			for v, err = range py.StreamEval[T](limit(t), c, "["+expr+"]") {
			}
			return v, err
		},
		"an object": func(t *testing.T, c *py.Context, expr string) (v T, _ error) {
			o := eval[*py.Object](t, c, expr)
			defer o.Close()
			return py.Decode[T](limit(t), o)
		},
		"a callable": func(t *testing.T, c *py.Context, expr string) (v T, _ error) {
			return eval[func() (T, error)](t, c, "lambda: "+expr)()
		},
		"attached": attached, "an argument": argument("go.one(%s)"), "a keyword": argument("go.named(V=%s)"),
		"one of a struct": argument("go.named(types.SimpleNamespace(V=%s))"), "for a pointer": argument("go.pointer(%s)"),
	}
}

// everyWayTo has what Python says become the same T, or an error, in every way that there is.
func everyWayTo[T any](t *testing.T, c *py.Context, all ...string) {
	t.Helper()
	for _, expr := range all {
		want, wanted := py.Eval[T](limit(t), c, expr)
		for way, convert := range waysTo[T]() {
			isNil := way == "for a pointer" && wanted != nil && reflect.TypeFor[T]().Kind() != reflect.Interface
			got, err := convert(t, c, expr)
			switch {
			case isNil && err == nil && eval[bool](t, c, "getattr("+expr+", 'value', "+expr+") is None"):
			case (err == nil) != (wanted == nil):
				t.Errorf("%s as a %s: %v, as %s %v", expr, reflect.TypeFor[T](), wanted, way, err)
			case err == nil && !reflect.DeepEqual(got, want) && fmt.Sprint(got) != fmt.Sprint(want): // NaN is not itself
				t.Errorf("%s as a %s: %#v, as %s %#v", expr, reflect.TypeFor[T](), want, way, got)
			case err != nil && errors.Is(err, py.ErrLimit) != errors.Is(wanted, py.ErrLimit):
				t.Errorf("%s as a %s: %v, as %s %v", expr, reflect.TypeFor[T](), wanted, way, err)
			}
		}
	}
}

// exprs are those that a text has, with bars in between.
func exprs(text string) []string { return strings.Split(text, "|") }

func everyWay(t *testing.T, s *suite) {
	c := s.openStandard(t, everyWayClasses)
	type record struct {
		A int    `py:"a"`
		B string `py:"b"`
	}
	const numbers = "True|1|-1|300|2**53 + 1|2**63|2**64|10**400|1.5|float('nan')|-0.0|1e39|1j|Int(5)|Float(1)|Level.LOW|Flag.A|Colour.NONE|None|'1'|Data(1)|decimal.Decimal(1)|fractions.Fraction(2)"
	everyWayTo[int](t, c, exprs(numbers)...)
	everyWayTo[uint16](t, c, exprs(numbers)...)
	everyWayTo[float64](t, c, exprs(numbers)...)
	everyWayTo[float32](t, c, exprs(numbers)...)
	everyWayTo[bool](t, c, exprs(numbers)...)
	everyWayTo[complex128](t, c, exprs(numbers)...)
	everyWayTo[complex64](t, c, exprs(numbers)...)
	everyWayTo[*big.Int](t, c, exprs(numbers)...)
	everyWayTo[*big.Rat](t, c, exprs(numbers)...)
	everyWayTo[py.Decimal](t, c, exprs(numbers)...)
	const texts = `'a\x00b'|''|'\ud800'|Str('x')|Str('\udc80')|b'x'|Bytes(b'y')|bytearray(b'z')|BA(b'z')|memoryview(b'abcd')[::2]|array.array('B', b'xy')|array.array('b', b'xy')|` +
		"pathlib.Path('a')|pathlib.PureWindowsPath('a')|collections.UserString('u')|Colour.RED|uuid.UUID(int=1)|None|1|[1, 2]|(1, 2)"
	everyWayTo[string](t, c, exprs(texts)...)
	everyWayTo[[]byte](t, c, exprs(texts)...)
	everyWayTo[[1]byte](t, c, exprs(texts)...)
	everyWayTo[py.ByteArray](t, c, exprs(texts)...)
	everyWayTo[py.Path](t, c, exprs(texts)...)
	everyWayTo[py.UUID](t, c, exprs(texts)...)
	const containers = "[]|[1]|(1, 2)|Tup((1, 2))|Named(1)|Named(1, 'z')|{1, 2}|FS({1})|{1: 2}|{'a': 1}|{'a': 1, 'b': 'c', 'd': 1}|collections.Counter('aab')|collections.OrderedDict(b='q', a=1)|" +
		"collections.defaultdict(int, a=1)|types.MappingProxyType({'a': 1})|collections.ChainMap({'a': 1}, {'b': 'y'})|collections.deque([1, 2], maxlen=2)|collections.UserList([1])|range(2)|range(2**64)|" +
		"{1: 2}.keys()|{1: 2}.items()|array.array('i', [1, 2])|memoryview(b'abcd').cast('H')|memoryview(b'abcd').cast('B', (2, 2))|Data(1)|Half()|Any()|Data|Colour.PAIR|None|iter([1])|" +
		"{Level.LOW: 1}|{(1, 2): 3}|{Named(1): 2}|{b'x': 1}|[Level.LOW]|[None]|[Data(1)]|{'a': Data(1)}|slice(1)"
	everyWayTo[[]int](t, c, exprs(containers)...)
	everyWayTo[[2]int](t, c, exprs(containers)...)
	everyWayTo[[][]int](t, c, exprs(containers)...)
	everyWayTo[[]float64](t, c, exprs(containers)...)
	everyWayTo[map[string]int](t, c, exprs(containers)...)
	everyWayTo[map[int]int](t, c, exprs(containers)...)
	everyWayTo[map[[2]int]int](t, c, exprs(containers)...)
	everyWayTo[map[record]int](t, c, exprs(containers)...)
	everyWayTo[map[int]struct{}](t, c, exprs(containers)...)
	everyWayTo[record](t, c, exprs(containers)...)
	everyWayTo[[]record](t, c, exprs(containers)...)
	everyWayTo[map[string]record](t, c, exprs(containers)...)
	everyWayTo[py.Tuple](t, c, "()", "(1, 2)", "Tup((1,))", "Named(1)", "[1]", "None")
	everyWayTo[py.Set](t, c, "{1}", "frozenset({1})", "FS({1})", "[1]")
	everyWayTo[py.FrozenSet](t, c, "{1}", "frozenset({1})", "FS({1})", "[1]")
	everyWayTo[py.Dict](t, c, "{}", "{(1,): 2}", "collections.OrderedDict(a=1)", "[1]", "Data(1)")
	everyWayTo[py.Array[float64]](t, c, exprs(containers)...)
	everyWayTo[py.Array[uint8]](t, c, exprs(texts)...)
	everyWayTo[py.Range](t, c, "range(3)", "range(2**63)", "range(5, 1, -2)", "[1]")
	everyWayTo[py.Slice](t, c, "slice(None)", "slice(1, 'a', None)", "[1]")
	const times = "datetime.date.max|datetime.datetime.max|datetime.datetime.min|datetime.datetime(2024, 10, 27, 2, 30, fold=1)|datetime.datetime(2020, 1, 1, tzinfo=timezone.utc)|" +
		"datetime.datetime(2020, 1, 1, tzinfo=timezone(timedelta(seconds=1)))|datetime.datetime(2020, 1, 1, tzinfo=timezone(timedelta(microseconds=1)))|datetime.time(1, 2, fold=1)|" +
		"datetime.time(1, tzinfo=timezone.utc)|timedelta.max|timedelta.min|timedelta.resolution|timedelta(microseconds=9223372036854775)|timedelta(microseconds=9223372036854776)|None|1"
	everyWayTo[py.Date](t, c, exprs(times)...)
	everyWayTo[py.TimeOfDay](t, c, exprs(times)...)
	everyWayTo[py.DateTime](t, c, exprs(times)...)
	everyWayTo[time.Time](t, c, exprs(times)...)
	everyWayTo[time.Duration](t, c, exprs(times)...)
	everyWayTo[error](t, c, "None", "1", "ValueError()", "Data(1)", "Level.LOW")
	everyWayTo[*record](t, c, "None", "Data(1)", "Colour.NONE", "1")
	everyWayTo[*float64](t, c, "None", "1", "Colour.NONE", "Level.LOW", "Data(1)")
	equal(t, "an infinity", eval[float32](t, c, "float('-inf')"), float32(math.Inf(-1)))
}
