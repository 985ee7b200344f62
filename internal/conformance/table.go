package conformance

import (
	"fmt"
	"go/parser"
	"go/token"
	"iter"
	"math/big"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pycontext/py"
)

var tableCases = []testCase{
	{"TableFromGo", tableFromGo},
	{"TableFromPython", tableFromPython},
}

// The tables of the package documentation are the one place that says what becomes what. Each of their rows has samples
// here, by its first cell, so that what it says is true; a row without samples fails, and so do samples without a row.

// fromGo has Go values for the rows of the first table. Their classes in Python must be the second cell.
var fromGo = map[string][]any{
	"nil func, nil channel":             {(func())(nil), (func(int) error)(nil), iter.Seq[int](nil), (chan int)(nil), (<-chan int)(nil)},
	"nil, nil pointer, nil interface":   {nil, (*int)(nil), error(nil), (*py.Object)(nil), (*big.Int)(nil), (*big.Rat)(nil)},
	"bool":                              {true, false},
	"every int and uint kind, *big.Int": {int8(1), uint64(1 << 63), big.NewInt(1), *big.NewInt(1), time.March},
	"float32, float64":                  {float32(1), 1.5},
	"complex64, complex128":             {complex64(1), 1i},
	"string":                            {"", "é"},
	"[]byte, [N]byte":                   {[]byte("x"), [2]byte{}, []byte(nil)},
	"ByteArray":                         {py.ByteArray("x"), py.ByteArray(nil)},
	"slice, array":                      {[]int{1}, [2]string{}, []any(nil)},
	"map":                               {map[string]int{"a": 1}, map[[2]int]string{{1, 2}: "x"}, map[int]int(nil)},
	"map[K]struct{}":                    {map[int]struct{}{1: {}}},
	"struct":                            {struct{ A int }{1}, &struct{ A int }{1}},
	"Tuple":                             {py.Tuple{1}},
	"Set":                               {py.Set{1}},
	"FrozenSet":                         {py.FrozenSet{1}},
	"Dict":                              {py.Dict{{Key: 1, Value: 2}}},
	"Date":                              {py.Date{Year: 1, Month: 1, Day: 1}, py.Date{Year: 9999, Month: 12, Day: 31}},
	"TimeOfDay":                         {py.TimeOfDay{Hour: 1, Fold: 1}},
	"DateTime":                          {py.DateTime{Date: py.Date{Year: 1, Month: 1, Day: 1}}},
	"time.Time":                         {time.Unix(0, 0), time.Time{}},
	"time.Duration":                     {time.Hour, time.Duration(-1 << 63).Truncate(time.Microsecond)},
	"Decimal":                           {py.Decimal("1.5"), py.Decimal("sNaN"), py.Decimal("-Infinity")},
	"*big.Rat":                          {big.NewRat(1, 3), *big.NewRat(1, 3)},
	"UUID":                              {py.UUID{1}},
	"Path":                              {py.Path("/x")},
	"Range":                             {py.Range{Stop: 3, Step: 1}},
	"Slice":                             {py.Slice{}},
	"*Object":                           {},
	"func, iter.Seq2, io.Reader or io.Writer": {}, // originalsComeBack has it
	"*Env":                            {},
	"func, Function":                  {},
	"Array":                           {}, // the tests with the real numpy have it
	"Lend, LendWritable of a slice":   {py.Lend([]float64{1}), py.LendWritable([]byte("x"))},
	"iter.Seq, iter.Seq2, chan":       {},
	"io.Reader, io.Writer":            {},
	"a T with a converter":            {}, // the tests of converters have it
	"chan<-, uintptr, unsafe.Pointer": {make(chan<- int), (chan<- int)(nil), struct{ C chan<- int }{}, uintptr(1), reflect.ValueOf((*int)(nil)).UnsafePointer()},
}

func tableFromGo(t *testing.T, s *suite) {
	c := s.openStandard(t, "")
	rows := tableRows(t, "Go, as an argument")
	object := eval[*py.Object](t, c, "object()")
	env, err := c.NewEnv(limit(t))
	if err != nil {
		t.Fatal(err)
	}
	defer env.Close()
	for row, cells := range rows {
		samples, ok := fromGo[row]
		if !ok {
			t.Errorf("the row %q of doc.go has no samples in table.go", row)
		}
		for _, v := range samples {
			class, err := py.Eval[string](limit(t), c, "(v.__class__.__module__ + '.' + v.__class__.__qualname__) if v is not None else 'None'", py.Vars{"v": v})
			if err != nil {
				class = "an error"
			}
			// pathlib has a private module for its classes in CPython 3.13.
			if class = strings.Replace(strings.TrimPrefix(class, "builtins."), "._local", "", 1); class != cells[1] {
				t.Errorf("row %q: %T %v is %s in Python, not %s: %v", row, v, v, class, cells[1], err)
			}
		}
	}
	for row := range fromGo {
		if rows[row] == nil {
			t.Errorf("%q has samples in table.go and no row in doc.go", row)
		}
	}
	equal(t, "*Object", eval[bool](t, c, "v is w", py.Vars{"v": object, "w": object}), true)
	run(t, env, "here = 1")
	equal(t, "*Env", eval[int](t, c, "v['here']", py.Vars{"v": env}), 1)
	object.Close()
}

// a sample is an expression of Python and what becomes of it.
type sample struct {
	expr  string
	typed func(t *testing.T, c *py.Context, expr string) (label string)
}

// plain is an expression that is looked at as an any.
func plain(exprs ...string) (all []sample) {
	for _, expr := range exprs {
		all = append(all, sample{expr, nil})
	}
	return all
}

// as is an expression with what it is as a T. label is what the last cell calls T.
func as[T any](label, expr string, want T) []sample {
	return []sample{{expr, func(t *testing.T, c *py.Context, expr string) string {
		got, err := py.Eval[T](limit(t), c, expr)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s as a %s: got %#v, %v, want %#v", expr, reflect.TypeFor[T](), got, err, want)
		}
		return label
	}}}
}

func all(samples ...[]sample) (joined []sample) {
	for _, s := range samples {
		joined = append(joined, s...)
	}
	return joined
}

// tableImports makes the objects that the samples of the second table need.
const tableImports = `
import datetime, decimal, fractions, uuid, pathlib, collections, array, enum, types, dataclasses
Point = collections.namedtuple('Point', 'x y')
Data = dataclasses.make_dataclass('Data', ['x', 'y'])
class Slots:
    __slots__ = 'x', 'y'
    def __init__(self, x, y): self.x, self.y = x, y
class Int(enum.IntEnum): A = 1
class Flag(enum.Flag): A = 1; B = 2
class Colour(enum.Enum): RED = 'red'
class Str(enum.StrEnum): A = 'a'
moved = collections.OrderedDict(a=1, b=2)
moved.move_to_end('a')
now = datetime.datetime(2024, 2, 29, 1, 2, 3, 4)
class Scalar:
    def item(self): return 5
Scalar.__module__, Scalar.__qualname__, Scalar.__name__ = 'numpy', 'generic', 'generic'
import sys
`

type tablePoint struct {
	X int `py:"x"`
	Y int `py:"y"`
}

var fromPython = map[string][]sample{
	"None": all(plain("None"), as[*int]("pointer", "None", nil), as[error]("interface", "None", nil), as[[]int]("slice", "None", nil),
		as[map[string]int]("map", "None", nil), as[*big.Rat]("pointer", "None", nil)),
	"bool": all(plain("True", "False"), as("bool kinds", "True", true)),
	"int": all(plain("1", "10**30"), as("int", "1", int8(1)), as("uint", "2**64 - 1", uint64(1<<64-1)), as("float kinds", "2**53", 9007199254740992.0),
		as("complex128", "3", 3+0i), as("*big.Int", "3", big.NewInt(3)), as("*big.Rat", "3", big.NewRat(3, 1))),
	"float":                     all(plain("1.5"), as("float64", "1.5", 1.5), as("complex128", "1.5", 1.5+0i), as("float32", "0.5", float32(0.5))),
	"complex":                   all(plain("1j"), as("complex128", "1j", 1i), as("complex64", "1j", complex64(1i))),
	"str":                       all(plain("'x'"), as("string kinds", "'x'", "x"), as("Path", "'/x'", py.Path("/x"))),
	"bytes":                     all(plain("b'x'"), as("[]byte", "b'x'", []byte("x")), as("[N]byte", "b'x'", [1]byte{'x'}), as("ByteArray", "b'x'", py.ByteArray("x"))),
	"bytearray":                 all(plain("bytearray(b'x')"), as("ByteArray", "bytearray(b'x')", py.ByteArray("x")), as("[]byte", "bytearray(b'x')", []byte("x")), as("[N]byte", "bytearray(b'x')", [1]byte{'x'})),
	"list":                      all(plain("[1]"), as("slice", "[1]", []int{1}), as("array", "[1]", [1]int{1})),
	"tuple":                     all(plain("(1,)"), as("Tuple", "(1,)", py.Tuple{int64(1)}), as("slice", "(1,)", []int{1}), as("array", "(1,)", [1]int{1})),
	"set":                       all(plain("{1}"), as("Set", "{1}", py.Set{int64(1)}), as("slice", "{1}", []int{1}), as("map[K]struct{}", "{1}", map[int]struct{}{1: {}})),
	"frozenset":                 all(plain("frozenset({1})"), as("FrozenSet", "frozenset({1})", py.FrozenSet{int64(1)}), as("slice", "frozenset({1})", []int{1}), as("map[K]struct{}", "frozenset({1})", map[int]struct{}{1: {}})),
	"dict, keys all str":        all(plain("{'x': 1}", "{}"), as("map", "{'x': 1}", map[string]int{"x": 1}), as("struct", "{'x': 1}", tablePoint{X: 1}), as("Dict", "{'x': 1}", dict("x", int64(1)))),
	"dict, keys None, bool,":    all(plain("{1: 2, None: 3, True: 4, 1.5: 5, 'x': 6}"), as("map", "{1: 2}", map[int]int{1: 2}), as("Dict", "{1: 2}", dict(int64(1), int64(2)))),
	"dict, other keys":          all(plain("{(1,): 2}", "{b'x': 1}", "{10**30: 1}", "{float('nan'): 1}"), as("Dict", "{(1,): 2}", dict(py.Tuple{int64(1)}, int64(2))), as("map whose keys", "{(1,): 2}", map[[1]int]int{{1}: 2}), as("map whose keys", "{datetime.date(2024, 1, 2): 2}", map[py.Date]int{{Year: 2024, Month: 1, Day: 2}: 2})),
	"date":                      all(plain("now.date()"), as("Date", "now.date()", py.Date{Year: 2024, Month: 2, Day: 29})),
	"time, no tzinfo":           all(plain("now.time()"), as("TimeOfDay", "now.time()", py.TimeOfDay{Hour: 1, Minute: 2, Second: 3, Microsecond: 4})),
	"datetime, no tzinfo":       all(plain("now"), as("DateTime", "datetime.datetime(2024, 1, 2, fold=1)", py.DateTime{Date: py.Date{Year: 2024, Month: 1, Day: 2}, TimeOfDay: py.TimeOfDay{Fold: 1}})),
	"datetime with tzinfo":      all(plain("now.astimezone(datetime.timezone.utc)"), as("time.Time", "datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)", time.Unix(0, 0).UTC())),
	"timedelta":                 all(plain("datetime.timedelta(1)"), as("time.Duration", "datetime.timedelta(1)", 24*time.Hour)),
	"Decimal":                   all(plain("decimal.Decimal('1.50')", "decimal.Decimal('NaN')"), as("Decimal", "decimal.Decimal('1.50')", py.Decimal("1.50")), as("NaN", "decimal.Decimal('sNaN')", py.Decimal("sNaN")), as("Infinity", "-decimal.Decimal('inf')", py.Decimal("-Infinity")), as("*big.Rat", "decimal.Decimal('1.50')", big.NewRat(3, 2))),
	"Fraction":                  all(plain("fractions.Fraction(1, 3)"), as("*big.Rat", "fractions.Fraction(1, 3)", big.NewRat(1, 3)), as("*big.Rat", "fractions.Fraction(1, 3)", *big.NewRat(1, 3))),
	"UUID":                      all(plain("uuid.UUID(int=1)"), as("UUID", "uuid.UUID(int=1)", py.UUID{15: 1}), as("[16]byte", "uuid.UUID(int=1)", [16]byte{15: 1})),
	"PosixPath":                 all(plain("pathlib.Path('/x')"), as("Path", "pathlib.Path('/x')", py.Path("/x")), as("string kinds", "pathlib.Path('/x')", "/x")),
	"range":                     all(plain("range(3)"), as("Range", "range(3)", py.Range{Stop: 3, Step: 1}), as("slice", "range(3)", []int{0, 1, 2})),
	"slice":                     all(plain("slice(3)"), as("Slice", "slice(3)", py.Slice{Stop: int64(3)})),
	"subclass of any of these,": all(plain("moved", "collections.Counter('aa')", "Int.A", "collections.defaultdict(int)", "Str.A", "type('D', (datetime.date,), {})(2024, 1, 2)"), as("its base", "moved", dict("b", int64(2), "a", int64(1))), as("its base", "collections.Counter('aa')", map[string]int{"a": 2}), as("its base", "Int.A", 1), as("its base", "collections.defaultdict(int, x=1)", tablePoint{X: 1}), as("its base", "Str.A", "a"), as("its base", "type('D', (datetime.date,), {})(2024, 1, 2)", py.Date{Year: 2024, Month: 1, Day: 2})),
	"member of an Enum or Flag": all(plain("Colour.RED", "Flag.A"), as("its value", "Colour.RED", "red"), as("its value", "Flag.A | Flag.B", 3), as("its value", "[Colour.RED]", []any{"red"})),
	"array, numpy.ndarray":      all(plain("array.array('i', [1])"), as("list", "array.array('d', [1])", [1]float64{1}), as("Array", "array.array('i', [1])", py.Array[int32]{Shape: []int{1}, Data: []int32{1}})),
	"deque, UserList,":          all(plain("collections.deque([1])", "{1: 2}.keys()"), as("list", "collections.deque([1])", []int{1}), as("list", "collections.UserList([1])", []int{1}), as("list", "{1: 2}.values()", []int{2})),
	"memoryview":                all(plain("memoryview(b'x')"), as("[]byte", "memoryview(b'x')", []byte("x")), as("list", "memoryview(array.array('h', [1, -1]))", []int{1, -1})),
	"mappingproxy, ChainMap,":   all(plain("types.MappingProxyType({})"), as("dict", "types.MappingProxyType({'x': 1})", map[string]int{"x": 1}), as("dict", "collections.ChainMap({'x': 1})", tablePoint{X: 1}), as("dict", "collections.UserDict(x=1)", map[string]int{"x": 1})),
	"UserString, other paths":   all(plain("collections.UserString('x')", "pathlib.PurePosixPath('/x')", "pathlib.PureWindowsPath('x')"), as("str", "collections.UserString('x')", "x"), as("str", "pathlib.PureWindowsPath('a/b')", `a\b`), as("str", "pathlib.PurePosixPath('/x')", py.Path("/x"))),
	"numpy scalar":              nil, // the tests with the real numpy have it
	"named tuple":               all(plain("Point(1, 2)"), as("Tuple", "Point(1, 2)", py.Tuple{int64(1), int64(2)}), as("slice", "Point(1, 2)", []int{1, 2}), as("array", "Point(1, 2)", [2]int{1, 2}), as("struct", "Point(1, 2)", tablePoint{1, 2})),
	"dataclass, other object":   all(plain("Data(1, 2)", "Slots(1, 2)"), as("struct", "Data(1, 2)", tablePoint{1, 2}), as("struct", "Slots(1, 2)", tablePoint{1, 2}), as("struct", "types.SimpleNamespace(x=1)", &tablePoint{X: 1})),
	"object with a converter":   nil, // the tests of converters have it
	"callable":                  all(plain("len", "int", "lambda: 1")),
	"generator, other iterable": plain("(i for i in ())", "iter([])", "map(len, ())"),
	"file object":               plain("sys.__stdin__"),
	"anything else":             plain("object()", "len", "int", "...", "iter([])", "datetime.timedelta.max", "range(2**64)", "datetime.time(tzinfo=datetime.timezone.utc)"),
}

func tableFromPython(t *testing.T, s *suite) {
	c := s.openStandard(t, tableImports)
	rows := tableRows(t, "Python                     any")
	for row, cells := range rows {
		samples, ok := fromPython[row]
		if !ok {
			t.Errorf("the row %q of doc.go has no samples in table.go", row)
		}
		for _, x := range samples {
			if x.typed != nil {
				if label := x.typed(t, c, x.expr); !strings.Contains(cells[2], label) {
					t.Errorf("row %q: %q is not in %q", row, label, cells[2])
				}
				continue
			}
			v := eval[any](t, c, x.expr)
			kind := strings.Replace(strings.Replace(fmt.Sprintf("%T", v), "py.", "", 1), "<nil>", "nil", 1)
			kind = regexp.MustCompile(`interface ?\{\}`).ReplaceAllString(strings.ReplaceAll(kind, "uint8", "byte"), "any")
			if !strings.Contains(cells[1], kind) {
				t.Errorf("row %q: %s as an any is a %s, not %s", row, x.expr, kind, cells[1])
			}
			if o, ok := v.(*py.Object); ok {
				o.Close()
			}
		}
	}
	for row := range fromPython {
		if rows[row] == nil {
			t.Errorf("%q has samples in table.go and no row in doc.go", row)
		}
	}
}

// tableRows are the rows of the table of doc.go whose head begins with that text, by their first cell. What a row goes on
// with in lines of its own is left out.
func tableRows(t *testing.T, head string) map[string][]string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(filepath.Dir(here), "..", "..", "doc.go"), nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(file.Doc.Text(), "\t"+head)
	if !ok {
		t.Fatalf("doc.go has no table that begins with %q", head)
	}
	rows := map[string][]string{}
	gap := regexp.MustCompile(`  +`)
	for i, line := range strings.Split(text, "\n") {
		if i > 0 && !strings.HasPrefix(line, "\t") {
			break
		}
		if cells := gap.Split(strings.TrimPrefix(line, "\t"), -1); i > 0 && cells[0] != "" {
			rows[cells[0]] = append(cells, "", "")
		}
	}
	return rows
}
