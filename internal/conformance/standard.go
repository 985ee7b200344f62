package conformance

import (
	"errors"
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/pycontext/py"
)

var standardCases = []testCase{
	{"StandardExact", standardExact},
	{"StandardTyped", standardTyped},
	{"StandardLimits", standardLimits},
	{"StructsFromObjects", structsFromObjects},
	{"LooseSequences", looseSequences},
	{"TimesTwice", timesTwice},
	{"ManyRecords", manyRecords},
	{"FinerSubclasses", finerSubclasses},
}

const standardImports = `
import datetime, decimal, fractions, uuid, pathlib, collections, array, enum, types, dataclasses
from datetime import date, time, timedelta, timezone
`

// openStandard makes a context whose preload imports modules that the interpreters of CPython 3.12 do not all survive: its
// decimal and datetime have state in common.
func (s *suite) openStandard(t *testing.T, preload string) *py.Context {
	t.Helper()
	if s.entangled() {
		t.Skip("in CPython 3.12 decimal and datetime have state that interpreters share")
	}
	return s.open(t, py.Options{Preload: preload})
}

// standardValues are Go values and the Python expressions that they equal.
func standardValues(t testing.TB) map[string]any {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Logf("no time zones on this machine: %v", err)
		berlin = time.FixedZone("CET", 3600)
	}
	return map[string]any{
		"1.5-2j":                        complex(1.5, -2),
		"complex(-0.0, 1e300)":          complex(0, 1e300) * complex(1, 0),
		"date(2024, 2, 29)":             py.Date{Year: 2024, Month: time.February, Day: 29},
		"date(1, 1, 1)":                 py.Date{Year: 1, Month: time.January, Day: 1},
		"time(23, 59, 58, 7)":           py.TimeOfDay{Hour: 23, Minute: 59, Second: 58, Microsecond: 7},
		"time(1, 2, fold=1)":            py.TimeOfDay{Hour: 1, Minute: 2, Fold: 1},
		"timedelta(days=-1)":            -24 * time.Hour,
		"timedelta(0, 0, 1)":            time.Microsecond,
		"decimal.Decimal('1.10')":       py.Decimal("1.10"),
		"decimal.Decimal('-1E+3')":      py.Decimal("-1E+3"),
		"fractions.Fraction(-1, 3)":     big.NewRat(-1, 3),
		"fractions.Fraction(10**30, 7)": new(big.Rat).SetFrac(new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil), big.NewInt(7)),
		"uuid.UUID('12345678-1234-5678-1234-567812345678')":        py.UUID{0x12, 0x34, 0x56, 0x78, 0x12, 0x34, 0x56, 0x78, 0x12, 0x34, 0x56, 0x78, 0x12, 0x34, 0x56, 0x78},
		"pathlib.Path('/a/b c/ü')":                                 py.Path("/a/b c/ü"),
		"range(1, 10, 2)":                                          py.Range{Start: 1, Stop: 10, Step: 2},
		"slice(None, 5, -1)":                                       py.Slice{Stop: int64(5), Step: int64(-1)},
		"bytearray(b'x\\0y')":                                      py.ByteArray("x\x00y"),
		"datetime.datetime(2024, 2, 29, 1, 2, 3, 4)":               py.DateTime{Date: py.Date{Year: 2024, Month: 2, Day: 29}, TimeOfDay: py.TimeOfDay{Hour: 1, Minute: 2, Second: 3, Microsecond: 4}},
		"datetime.datetime(2024, 2, 29, 1, 2, 3, 4, timezone.utc)": time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC),
		"datetime.datetime(1969, 12, 31, 23, 0, 0, 999999, timezone(timedelta(hours=-7), 'X'))": time.Date(1969, 12, 31, 23, 0, 0, 999999000, time.FixedZone("X", -7*3600)),
		"datetime.datetime(2024, 7, 1, 12, 0, 0, 0, timezone(timedelta(hours=2)))":              time.Date(2024, 7, 1, 12, 0, 0, 0, berlin),
	}
}

func standardExact(t *testing.T, s *suite) {
	c := s.openStandard(t, standardImports)
	for expr, v := range standardValues(t) {
		if ok := eval[bool](t, c, "v == w and type(v) is type(w)", py.Vars{"v": v, "w": eval[*py.Object](t, c, expr)}); !ok {
			t.Errorf("%#v is not %s in Python but %s", v, expr, eval[string](t, c, "repr(v)", py.Vars{"v": v}))
		}
		for what, got := range map[string]any{
			"itself": eval[any](t, c, expr), "sent": eval[any](t, c, "v", py.Vars{"v": v}),
			"in a list": eval[[]any](t, c, "["+expr+"]")[0], "in a dict": eval[map[string]any](t, c, "{'k': "+expr+"}")["k"],
		} {
			if a, ok := v.(time.Time); ok {
				b, ok := got.(time.Time)
				_, offset := a.Zone()
				if _, other := b.Zone(); !ok || !a.Equal(b) || offset != other {
					t.Errorf("%s %s: got %v, want %v", expr, what, got, v)
				}
			} else if !reflect.DeepEqual(got, v) {
				t.Errorf("%s %s: got %#v, want %#v", expr, what, got, v)
			}
		}
	}
	now := time.Now().Truncate(time.Microsecond)
	equal(t, "now", eval[time.Time](t, c, "v", py.Vars{"v": now}).Equal(now), true)
	equal(t, "zone", eval[string](t, c, "str(v.tzinfo)", py.Vars{"v": time.Unix(0, 0).UTC()}), "UTC")
	equal(t, "a class of one's own stays", eval[*py.Object](t, c, "type('D', (date,), {})(2024, 1, 1)") != nil, true)
	if _, ok := eval[any](t, c, "type('D', (date,), {})(2024, 1, 1)").(*py.Object); !ok {
		t.Error("an instance of a subclass of date lost its class")
	}
	if v, ok := eval[any](t, c, "timedelta(days=999999999)").(*py.Object); !ok {
		t.Errorf("a timedelta that a Duration cannot hold: %v", v)
	}
}

func standardTyped(t *testing.T, s *suite) {
	c := s.openStandard(t, standardImports)
	equal(t, "complex of float", eval[complex128](t, c, "1.5"), 1.5+0i)
	equal(t, "complex of a large int", eval[complex128](t, c, "2**100"), complex(0x1p100, 0))
	if v := eval[complex64](t, c, "complex(float('nan'), 0.5)"); real(v) == real(v) || imag(v) != 0.5 {
		t.Errorf("a NaN in a complex64: %v", v)
	}
	equal(t, "rat of Decimal", eval[*big.Rat](t, c, "decimal.Decimal('1.25')"), big.NewRat(5, 4))
	equal(t, "rat of int", eval[*big.Rat](t, c, "3"), big.NewRat(3, 1))
	equal(t, "string of path", eval[string](t, c, "pathlib.Path('/x')"), "/x")
	equal(t, "path of string", eval[py.Path](t, c, "'/x'"), py.Path("/x"))
	equal(t, "bytes of bytearray", eval[[]byte](t, c, "bytearray(b'ab')"), []byte("ab"))
	equal(t, "array of UUID", eval[[16]byte](t, c, "uuid.UUID(int=1)"), [16]byte{15: 1})
	equal(t, "slice of range", eval[[]int](t, c, "range(5, 0, -2)"), []int{5, 3, 1})
	equal(t, "slice of empty range", eval[[]int](t, c, "range(0)"), []int{})
	equal(t, "nested", eval[map[string]time.Duration](t, c, "{'a': timedelta(seconds=1)}"), map[string]time.Duration{"a": time.Second})
	equal(t, "subclass", eval[py.Date](t, c, "type('D', (date,), {})(2024, 1, 1)"), py.Date{Year: 2024, Month: 1, Day: 1})
	for expr, err := range map[string]error{
		"naive as time.Time":   discardValue(py.Eval[time.Time](limit(t), c, "datetime.datetime(2024, 1, 1)")),
		"aware as DateTime":    discardValue(py.Eval[py.DateTime](limit(t), c, "datetime.datetime.now(timezone.utc)")),
		"date as DateTime":     discardValue(py.Eval[py.DateTime](limit(t), c, "date(2024, 1, 1)")),
		"str as Decimal":       discardValue(py.Eval[py.Decimal](limit(t), c, "'1.5'")),
		"int as Duration":      discardValue(py.Eval[time.Duration](limit(t), c, "5")),
		"long range as slice":  discardValue(py.Eval[[]int](limit(t), c, "range(10**12)")),
		"inexact complex":      discardValue(py.Eval[complex128](limit(t), c, "2**53 + 1")),
		"2**1100 as complex":   discardValue(py.Eval[complex128](limit(t), c, "2**1100")),
		"inexact in complex64": discardValue(py.Eval[complex64](limit(t), c, "complex(float('nan'), 0.1)")),
		"NaN as rat":           discardValue(py.Eval[*big.Rat](limit(t), c, "decimal.Decimal('NaN')")),
		"Decimal as int":       discardValue(py.Eval[int](limit(t), c, "decimal.Decimal('1')")),
	} {
		if !isConversion(err) {
			t.Errorf("%s: %v", expr, err)
		}
	}
	works(t, c)
}

func standardLimits(t *testing.T, s *suite) {
	c := s.openStandard(t, standardImports)
	for name, v := range map[string]any{
		"nanoseconds":          time.Unix(0, 1),
		"a nanosecond":         time.Nanosecond,
		"year 0":               time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
		"year 10000":           time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		"a range without step": py.Range{},
		"no day":               py.Date{Year: 2023, Month: 2, Day: 30},
		"the zero date":        py.DateTime{},
		"no time":              py.TimeOfDay{Hour: 24},
		"no microsecond":       py.DateTime{Date: py.Date{Year: 2023, Month: 2, Day: 3}, TimeOfDay: py.TimeOfDay{Microsecond: 1000000}},
		"no number":            py.Decimal("x"),
		"no digits":            py.Decimal("-.E1"),
		"an empty number":      py.Decimal(""),
		"spaces":               py.Decimal(" 1"),
		"a huge exponent":      py.Decimal("1E+99999999999999999999"),
		"a large one":          py.Decimal("12E+999999999999999999"),
		"a small one":          py.Decimal("1.0E-1999999999999999997"),
		"a large one of zero":  py.Decimal("0E+1000000000000000000"),
	} {
		err := discardValue(c.Eval(limit(t), "v", py.Vars{"v": []any{v}}))
		if !isConversion(err) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		contains(t, name, err.Error(), `vars["v"][0]`)
	}
	for _, text := range []py.Decimal{"1", "+1", "-.5", "5.", "1e5", "1E-5", "inf", "-Infinity", "nan12", "sNaN", "-0", "1E+999999999999999999", "00.012E+1000000000000000001",
		"1E-1999999999999999997", "0.0E-1999999999999999996", "0E+999999999999999999"} {
		equal(t, string(text), eval[bool](t, c, "v.compare_total(decimal.Decimal(text)) == 0", py.Vars{"v": text, "text": string(text)}), true)
	}
	run(t, c, "class Odd(datetime.tzinfo):\n  def utcoffset(self, d): raise LookupError('odd')\nclass Fine(datetime.tzinfo):\n  def utcoffset(self, d): return timedelta(microseconds=1)")
	raises(t, "a time zone that raises", discardValue(c.Eval(limit(t), "[datetime.datetime(2024, 1, 1, tzinfo=Odd())]")), "LookupError")
	if v, ok := eval[any](t, c, "datetime.datetime(2024, 1, 1, tzinfo=Fine())").(*py.Object); !ok {
		t.Errorf("an offset of microseconds: %v", v)
	}
	works(t, c)
}

func structsFromObjects(t *testing.T, s *suite) {
	c := s.openStandard(t, standardImports+`
@dataclasses.dataclass
class Point:
    x: int
    y: int
@dataclasses.dataclass
class Line:
    name: str
    ends: list
    extra: object = None
Pair = collections.namedtuple('Pair', 'x y')
class Plain:
    __slots__ = 'x', 'hidden'
    def __init__(self): self.x, self.hidden = 1, self
    @property
    def y(self): return self.x + 1
class Broken:
    x = 1
    @property
    def y(self): raise LookupError('y')
`)
	type point struct {
		X int `py:"x"`
		Y int `py:"y"`
	}
	for _, expr := range []string{"Point(1, 2)", "Pair(1, 2)", "Plain()", "{'x': 1, 'y': 2}", "types.SimpleNamespace(x=1, y=2, z=3)"} {
		equal(t, expr, eval[point](t, c, expr), point{1, 2})
		equal(t, expr+" behind a pointer", eval[*point](t, c, expr), &point{1, 2})
		equal(t, expr+" in a list", eval[[]point](t, c, "["+expr+"] * 2"), []point{{1, 2}, {1, 2}})
	}
	type line struct {
		Name  string     `json:"name"`
		Ends  []point    `json:"ends"`
		Extra any        `json:"extra"`
		Kept  *py.Object `json:"kept,omitempty"`
	}
	got := eval[line](t, c, "Line('l', [Point(0, 0), Pair(1, 1)], Point(3, 4))")
	equal(t, "ends", got.Ends, []point{{0, 0}, {1, 1}})
	if o, ok := got.Extra.(*py.Object); !ok {
		t.Errorf("an object within an any: %#v", got.Extra)
	} else {
		equal(t, "it", call[int](t, c, "builtins", "getattr", o, "y"), 4)
	}
	equal(t, "a tuple within an any", eval[line](t, c, "Line('l', [], Pair(1, 2))").Extra, any(py.Tuple{int64(1), int64(2)}))
	kept := eval[struct{ V *py.Object }](t, c, "types.SimpleNamespace(V=Point(1, 2))")
	equal(t, "a reference", call[int](t, c, "builtins", "getattr", kept.V, "x"), 1)
	equal(t, "positions", eval[struct{ V []int }](t, c, "types.SimpleNamespace(V=Pair(5, 6))").V, []int{5, 6})
	raises(t, "a property that raises", discardValue(py.Eval[point](limit(t), c, "Broken()")), "LookupError")
	_, err := py.Eval[[]point](limit(t), c, "[Point(1, 'two')]")
	contains(t, "the field", err.Error(), "[0].y", "expected int, got str")
	if _, err := py.Eval[point](limit(t), c, "object()"); !isConversion(err) {
		t.Errorf("an object without the fields: %v", err)
	}
	equal(t, "there and back", eval[point](t, c, "v", py.Vars{"v": point{7, 8}}), point{7, 8})
	works(t, c)
}

func looseSequences(t *testing.T, s *suite) {
	c := s.openStandard(t, standardImports+`
class Color(enum.Enum):
    RED = 1
`)
	for _, expr := range []string{"collections.deque([1, 2])", "array.array('i', [1, 2])", "(1, 2)", "range(1, 3)", "{1: 0, 2: 0}.keys()"} {
		equal(t, expr, eval[[]int](t, c, expr), []int{1, 2})
		if _, ok := eval[any](t, c, expr).(*py.Object); !ok && expr[0] != '(' && expr[0] != 'r' {
			t.Errorf("%s as any is no reference", expr)
		}
	}
	for _, expr := range []string{"collections.OrderedDict(a=1)", "collections.Counter('a')", "collections.defaultdict(int, a=1)", "types.MappingProxyType({'a': 1})", "collections.ChainMap({'a': 1})"} {
		equal(t, expr, eval[map[string]int](t, c, expr), map[string]int{"a": 1})
	}
	equal(t, "memoryview", eval[[]byte](t, c, "memoryview(b'abc')[1:]"), []byte("bc"))
	equal(t, "enum", eval[int](t, c, "Color.RED"), 1)
	if _, ok := eval[any](t, c, "Color.RED").(*py.Object); !ok {
		t.Error("an enum's member as any is no reference")
	}
	works(t, c)
}

func discardValue[T any](_ T, err error) error { return err }

func isConversion(err error) bool {
	var bad *py.ConversionError
	return errors.As(err, &bad)
}

// timesTwice has the hours that clocks show twice or never.
func timesTwice(t *testing.T, s *suite) {
	c := s.openStandard(t, standardImports+"from zoneinfo import ZoneInfo\nbase = datetime.datetime")
	for _, name := range []string{"Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "Japan"} {
		loc, err := time.LoadLocation(name)
		if err == nil {
			_, err = c.Eval(limit(t), "ZoneInfo(name)", py.Vars{"name": name})
		}
		if err != nil {
			t.Logf("no time zone %s on this machine: %v", name, err)
			continue
		}
		// Every half hour of the days on which clocks change somewhere, both times.
		for _, day := range []py.Date{{Year: 2024, Month: 3, Day: 10}, {Year: 2024, Month: 3, Day: 31}, {Year: 2024, Month: 4, Day: 7},
			{Year: 2024, Month: 10, Day: 6}, {Year: 2024, Month: 10, Day: 27}, {Year: 2024, Month: 11, Day: 3}} {
			for half := range 48 * 2 {
				d := py.DateTime{Date: day, TimeOfDay: py.TimeOfDay{Hour: half % 48 / 2, Minute: half % 2 * 30, Fold: half / 48}}
				want := eval[time.Time](t, c, "d.replace(tzinfo=ZoneInfo(name))", py.Vars{"d": d, "name": name})
				got := d.In(loc)
				if !got.Equal(want) {
					t.Fatalf("%v in %s is %v, and in Python %v", d, name, got, want)
				}
				if want.Location().String() != name {
					t.Fatalf("the location of %s is %s", name, want.Location())
				}
				back := eval[py.DateTime](t, c, "v.replace(tzinfo=None)", py.Vars{"v": got})
				equal(t, name, py.DateTimeOf(got), back)
				equal(t, name, eval[string](t, c, "v.tzinfo.key", py.Vars{"v": got}), name)
			}
		}
	}
	far := time.FixedZone("far", 24*3600)
	if err := discardValue(c.Eval(limit(t), "v", py.Vars{"v": time.Unix(0, 0).In(far)})); !isConversion(err) {
		t.Errorf("an offset of a day: %v", err)
	}
}

// manyRecords takes time in proportion, and no references that nobody wants.
func manyRecords(t *testing.T, s *suite) {
	c := s.openStandard(t, standardImports+`
@dataclasses.dataclass
class Point:
    x: int
    y: int
Pair = collections.namedtuple('Pair', 'x y')
points = [Point(i, i) for i in range(30000)]
pairs = [Pair(i, i) for i in range(30000)]
ranges = [range(2)] * 30000
mixed = [Pair(1, [range(2), Pair(3, 4)]), Pair(range(2), ())]
`)
	type point struct {
		X any `py:"x"`
		Y any `py:"y"`
	}
	type numbers struct {
		X int `py:"x"`
		Y int `py:"y"`
	}
	within(t, "30,000 of each", 3*time.Second, func() time.Duration {
		start := time.Now()
		equal(t, "points", len(eval[[]numbers](t, c, "points")), 30000)
		equal(t, "pairs as slices", len(eval[struct{ X, V [][]int }](t, c, "{'V': pairs, 'X': []}").V), 30000)
		equal(t, "objects", len(eval[struct {
			V []any
			W []point
		}](t, c, "{'V': pairs, 'W': pairs}").V), 30000)
		equal(t, "ranges", len(eval[[][]int](t, c, "ranges")), 30000)
		return time.Since(start)
	})
	equal(t, "references", py.Live().References, int64(0))
	equal(t, "a tuple, fields passed over", eval[struct {
		V [][]any
		W point
	}](t, c, "{'V': mixed, 'W': Pair(1, 2)}").V, [][]any{{int64(1), []any{py.Range{Stop: 2, Step: 1}, py.Tuple{int64(3), int64(4)}}}, {py.Range{Stop: 2, Step: 1}, py.Tuple{}}})
	equal(t, "of ranges", eval[struct{ X [2][]int }](t, c, "types.SimpleNamespace(X=Pair(range(2), range(3)))").X, [2][]int{{0, 1}, {0, 1, 2}})
	if _, err := py.Eval[struct{ V []int }](limit(t), c, "types.SimpleNamespace(V=Point(1, 2))"); !isConversion(err) {
		t.Errorf("an object became a slice: %v", err)
	}
	if _, err := py.Eval[struct{ X [][]string }](limit(t), c, "types.SimpleNamespace(X=[Pair(1, 2), Point(1, 2)])"); !isConversion(err) {
		t.Errorf("ints became strings: %v", err)
	}
	eventually(t, "no references are left", func() bool { works(t, c); return py.Live().References == 0 })
}

// finerSubclasses loses nothing of classes that know more than their bases, as those of pandas.
func finerSubclasses(t *testing.T, s *suite) {
	c := s.openStandard(t, standardImports+`
class Stamp(datetime.datetime): nanosecond = 5
class Delta(timedelta): nanoseconds = 5
class Nothing(datetime.datetime):
    year = float('nan')
class Coarse(datetime.datetime): nanosecond = 0
`)
	for name, err := range map[string]error{
		"Stamp":   discardValue(py.Eval[py.DateTime](limit(t), c, "Stamp(2024, 1, 2)")),
		"Delta":   discardValue(py.Eval[time.Duration](limit(t), c, "Delta(1)")),
		"Nothing": discardValue(py.Eval[py.DateTime](limit(t), c, "Nothing(2024, 1, 2)")),
	} {
		if !isConversion(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	equal(t, "Coarse", eval[py.DateTime](t, c, "Coarse(2024, 1, 2)").Day, 2)
	run(t, c, "import weakref, gc\nW = type('W', (), {})\ngone = weakref.ref(W)")
	eval[any](t, c, "W()").(*py.Object).Close()
	run(t, c, "del W")
	eventually(t, "a class that was met is not kept", func() bool { return eval[bool](t, c, "(gc.collect(), gone() is None)[1]") })
}
