package conformance

import (
	"errors"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/pycontext/py"
)

var valueCases = []testCase{
	{"Case46RoundTrips", roundTrips},
	{"Case46GoTypes", goTypes},
	{"Case46SharedKeys", sharedKeys},
	{"Case46LargeBytes", largeBytes},
	{"Case46LargeTexts", largeTexts},
	{"Case46LargeBytesAbandoned", largeBytesAbandoned},
	{"Case46GivenUpWhileBusy", givenUpWhileBusy},
	{"Case47Integers", integers},
	{"Case48Floats", floats},
	{"Case49Text", texts},
	{"Case50TooDeep", tooDeep},
	{"Case51CollidingKeys", collidingKeys},
	{"Case52NoCounterpart", noCounterpart},
}

// ways sends a value through every way that values take, and gives the results to check.
func ways(t *testing.T, c *py.Context, what string, value any, check func(way string, got any)) {
	t.Helper()
	got, err := c.Call(limit(t), "__main__", "same", value)
	if err != nil {
		t.Errorf("%s by call: %v", what, err)
		return
	}
	check(what+" by call", got)
	check(what+" by eval", eval[any](t, c, "x", py.Vars{"x": value}))
	check(what+" by keyword", call[any](t, c, "__main__", "same", py.Kw{"x": value}))
	check(what+" within a list", eval[[]any](t, c, "[x]", py.Vars{"x": value})[0])
	check(what+" by callback", eval[any](t, c, "go.same(x)", py.Vars{"x": value}))
	err = c.Attach(limit(t), func(a *py.Attached) error {
		r, err := a.New(value)
		if err != nil {
			return err
		}
		v, err := r.Value()
		check(what+" within Attach", v)
		return err
	})
	if err != nil {
		t.Errorf("%s within Attach: %v", what, err)
	}
}

func (s *suite) openSame(t *testing.T) *py.Context {
	c := s.open(t)
	register(t, c, "same", func(x any) any { return x })
	run(t, c, "import go\ndef same(x): return x")
	return c
}

// sharedKeys has the names of fields, which are the same str in Python, and keys that nearly are.
func sharedKeys(t *testing.T, s *suite) {
	c := s.openSame(t)
	type inner struct{ Name, Deeper string }
	type row struct {
		Name  string
		ID    int `py:"ein_Schlüssel_für_ID"`
		Inner inner
	}
	rows := make([]row, 100)
	run(t, c, "def strs(rows): return len({id(k) for r in rows for d in (r, r['Inner']) for k in d})\ndef answered(): return strs(go.rows())")
	register(t, c, "rows", func() []row { return rows })
	equal(t, "keys of an argument", call[int](t, c, "__main__", "strs", rows), 4)
	equal(t, "of an answer", call[int](t, c, "__main__", "answered"), 4)
	equal(t, "in a thread", eval[bool](t, c, "__import__('concurrent.futures').futures.ThreadPoolExecutor(1).submit(answered).result() > 3"), true)
	err := c.Attach(limit(t), func(a *py.Attached) error {
		strs, err := a.Global("strs")
		if err != nil {
			return err
		}
		n, err := py.CallRef[int](strs, rows)
		equal(t, "within Attach", n, 4)
		return err
	})
	is(t, "within Attach", err, nil)
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		dict := map[string]int{}
		for n := range r.IntN(80) {
			dict[strings.Repeat("aé\x00", 9)[:4*r.IntN(9)]+strconv.Itoa(r.IntN(1000))] = n
		}
		if got := call[map[string]int](t, c, "__main__", "same", dict); !maps.Equal(got, dict) {
			t.Fatalf("%v came back as %v", dict, got)
		}
	}
}

func roundTrips(t *testing.T, s *suite) {
	c := s.openSame(t)
	for _, x := range []struct {
		expr string
		want any
	}{
		{"None", nil}, {"True", true}, {"False", false}, {"0", int64(0)}, {"-1", int64(-1)}, {"1.5", 1.5}, {"0.0", 0.0},
		{"''", ""}, {"'x'", "x"}, {"b''", []byte{}}, {"b'x\\x00'", []byte("x\x00")}, {"[]", []any{}}, {"()", py.Tuple{}},
		{"{}", map[string]any{}}, {"set()", py.Set{}}, {"frozenset()", py.FrozenSet{}},
		{"[None, True, 1, 1.0, 'a', b'a']", []any{nil, true, int64(1), 1.0, "a", []byte("a")}},
		{"(1, (2, ()), [3, (4,)])", py.Tuple{int64(1), py.Tuple{int64(2), py.Tuple{}}, []any{int64(3), py.Tuple{int64(4)}}}},
		{"{'a': 1, 'b': {'c': []}}", map[string]any{"a": int64(1), "b": map[string]any{"c": []any{}}}},
		{"{'': 0}", map[string]any{"": int64(0)}},
		{"{1: 'a', 2: 'b'}", map[any]any{int64(1): "a", int64(2): "b"}},
		{"{None: 1, 'a': 2, 1.5: 3}", map[any]any{nil: int64(1), "a": int64(2), 1.5: int64(3)}},
		{"{(1, 2): 3}", dict(py.Tuple{int64(1), int64(2)}, int64(3))},
		{"{b'a': 1, 'a': 2}", dict([]byte("a"), int64(1), "a", int64(2))},
		{"{1}", py.Set{int64(1)}}, {"{(1, 'a')}", py.Set{py.Tuple{int64(1), "a"}}}, {"frozenset({'x'})", py.FrozenSet{"x"}},
		{"{frozenset({1}): {2}}", dict(py.FrozenSet{int64(1)}, py.Set{int64(2)})},
		{"[[[[[[]]]]]]", []any{[]any{[]any{[]any{[]any{[]any{}}}}}}},
		{"[{}, [], (), set(), '', b'', None]", []any{map[string]any{}, []any{}, py.Tuple{}, py.Set{}, "", []byte{}, nil}},
	} {
		got := eval[any](t, c, x.expr)
		if m, ok := got.(map[any]any); ok && len(m) == 0 {
			got = map[string]any{}
		}
		equal(t, x.expr, got, x.want)
		ways(t, c, x.expr, x.want, func(way string, got any) { equal(t, way, got, x.want) })
		equal(t, x.expr+" in Python", eval[bool](t, c, "x == "+x.expr+" and type(x) is type("+x.expr+")", py.Vars{"x": x.want}), true)
	}
	equal(t, "order of a dict", eval[string](t, c, "''.join(x)", py.Vars{"x": dict("c", 1, "a", 2, "b", 3)}), "cab")
	equal(t, "a large set", len(eval[py.Set](t, c, "set(range(10000))")), 10000)
}

func goTypes(t *testing.T, s *suite) {
	c := s.openSame(t)
	type named int
	type text string
	one, hello := 1, "hello"
	var nilMap map[string]int
	var nilSlice []int
	var nilPointer *int
	var nilBytes []byte
	for _, x := range []struct {
		value any
		repr  string
	}{
		{int8(-5), "-5"}, {int16(-5), "-5"}, {int32(-5), "-5"}, {uint(5), "5"}, {uint8(5), "5"}, {uint16(5), "5"}, {uint32(5), "5"},
		{float32(0.5), "0.5"}, {named(3), "3"}, {text("x"), "'x'"}, {&one, "1"}, {&hello, "'hello'"}, {[2]int{1, 2}, "[1, 2]"},
		{[]string{"a"}, "['a']"}, {[][]int{{1}, {}}, "[[1], []]"}, {map[string][]int{"a": {1}}, "{'a': [1]}"}, {map[int]bool{1: true}, "{1: True}"},
		{nilPointer, "None"}, {[]any{nil, nilPointer}, "[None, None]"}, {[]byte("ab"), "b'ab'"}, {[3]byte{1, 2, 3}, ""},
		{map[string]struct{}{"a": {}}, "{'a'}"}, {big.NewInt(7), "7"}, {*big.NewInt(7), "7"}, {(*big.Int)(nil), "None"},
		{[]*int{&one, nil}, "[1, None]"}, {any(any(5)), "5"}, {py.Tuple{}, "()"}, {py.FrozenSet{1}, "frozenset({1})"},
		{nilMap, ""}, {nilSlice, ""}, {nilBytes, ""}, {'a', "97"}, {uint64(math.MaxUint64), "18446744073709551615"},
		{inner{[]any{1}}, "{'Items': [1]}"}, {&inner{}, ""},
	} {
		got, err := py.Eval[string](limit(t), c, "repr(x)", py.Vars{"x": x.value})
		if err != nil {
			t.Errorf("%T: %v", x.value, err)
		} else if x.repr != "" {
			equal(t, reflect.TypeOf(x.value).String(), got, x.repr)
		}
	}
	typed[int8](t, c, "5", 5, "300")
	typed[uint](t, c, "5", 5, "-1")
	typed[uint64](t, c, "2**64 - 1", math.MaxUint64, "2**64")
	typed[int64](t, c, "-2**63", math.MinInt64, "-2**63 - 1")
	typed[bool](t, c, "True", true, "1")
	typed[int](t, c, "5", 5, "5.0")
	typed[int](t, c, "5", 5, "'5'")
	typed[int](t, c, "5", 5, "None")
	typed[float64](t, c, "5", 5, "'5'")
	typed[float64](t, c, "2**53", 1<<53, "2**53 + 1")
	typed[float64](t, c, "1.5", 1.5, "10**400")
	typed[float32](t, c, "0.5", 0.5, "0.1")
	typed[string](t, c, "'a'", "a", "b'a'")
	typed[[]byte](t, c, "b'a'", []byte("a"), "'a'")
	typed[[]int](t, c, "[1, 2]", []int{1, 2}, "[1, 'x']")
	typed[[2]int](t, c, "[1, 2]", [2]int{1, 2}, "[1, 2, 3]")
	typed[map[string]int](t, c, "{'a': 1}", map[string]int{"a": 1}, "{1: 1}")
	typed[py.Tuple](t, c, "(1,)", py.Tuple{int64(1)}, "[1]")
	typed[*int](t, c, "1", &one, "'x'")
	typed[map[string]struct{}](t, c, "{'a'}", map[string]struct{}{"a": {}}, "{1}")
	equal(t, "a nil pointer", eval[*int](t, c, "None") == nil, true)
	equal(t, "bool subclass of int", eval[any](t, c, "True"), true)
	equal(t, "loose", eval[int](t, c, "__import__('enum').IntEnum('E', 'a b').b"), 2)
	equal(t, "loose", eval[map[string]int](t, c, "__import__('collections').OrderedDict(a=1)"), map[string]int{"a": 1})
	if _, ok := eval[any](t, c, "__import__('collections').OrderedDict(a=1)").(*py.Object); !ok {
		t.Error("an instance of a subclass is carried over as if it were of its base class")
	}
}

// typed checks that an expression becomes a T, and that another one does not.
func typed[T any](t *testing.T, c *py.Context, good string, want T, bad string) {
	t.Helper()
	equal(t, reflect.TypeFor[T]().String()+" of "+good, eval[T](t, c, good), want)
	v, err := py.Eval[T](limit(t), c, bad)
	var conversion *py.ConversionError
	if !errors.As(err, &conversion) {
		t.Errorf("%v of %s: got %v, %v, want a ConversionError", reflect.TypeFor[T](), bad, v, err)
	}
}

func integers(t *testing.T, s *suite) {
	c := s.openSame(t)
	power := func(b, e int64) *big.Int { return new(big.Int).Exp(big.NewInt(b), big.NewInt(e), nil) }
	minus := func(x *big.Int, y int64) *big.Int { return new(big.Int).Sub(x, big.NewInt(y)) }
	exact := func(text string, want *big.Int) {
		t.Helper()
		if got := eval[*big.Int](t, c, text); got.Cmp(want) != 0 {
			t.Errorf("%s: got %v", text, got)
		}
		equal(t, text+" in Python", eval[bool](t, c, "x == "+text, py.Vars{"x": want}), true)
		var natural any = new(big.Int).Set(want)
		if want.IsInt64() {
			natural = want.Int64()
		}
		ways(t, c, text, want, func(way string, got any) {
			if b, ok := got.(*big.Int); ok {
				if want.IsInt64() || b.Cmp(want) != 0 {
					t.Errorf("%s: got %T %v", way, got, got)
				}
			} else {
				equal(t, way, got, natural)
			}
		})
	}
	for _, sign := range []string{"", "-"} {
		for text, n := range map[string]*big.Int{
			"(2**63 - 1)": minus(power(2, 63), 1), "(2**63)": power(2, 63), "(2**64 - 1)": minus(power(2, 64), 1), "(2**64)": power(2, 64),
			"(2**63 + 1)": minus(power(2, 63), -1), "(10**50)": power(10, 50), "(2**127)": power(2, 127), "(2**128 - 1)": minus(power(2, 128), 1),
			"(256**8 - 256)": minus(power(256, 8), 256), "(2**31)": power(2, 31), "127": big.NewInt(127), "128": big.NewInt(128), "129": big.NewInt(129),
			"(1 << 10000)": power(2, 10000),
		} {
			if sign == "-" {
				n = new(big.Int).Neg(n)
			}
			exact(sign+text, n)
		}
	}
	huge := power(10, 50000)
	if got := eval[*big.Int](t, c, "10**50000"); got.Cmp(huge) != 0 {
		t.Error("10**50000 differs")
	}
	equal(t, "10**50000 in Python", eval[bool](t, c, "x == -10**50000", py.Vars{"x": new(big.Int).Neg(huge)}), true)
	if got := eval[any](t, c, "10**50000").(*big.Int); got.Cmp(huge) != 0 {
		t.Error("10**50000 as any differs")
	}
	equal(t, "uint64", eval[bool](t, c, "x == 2**64 - 1", py.Vars{"x": uint64(math.MaxUint64)}), true)
}

func floats(t *testing.T, s *suite) {
	c := s.openSame(t)
	for text, f := range map[string]float64{
		"float('nan')": math.NaN(), "float('inf')": math.Inf(1), "float('-inf')": math.Inf(-1), "-0.0": math.Copysign(0, -1), "1e-300": 1e-300,
		"1.7976931348623157e308": math.MaxFloat64, "5e-324": math.SmallestNonzeroFloat64, "0.1": 0.1, "-1.5": -1.5,
	} {
		same := func(way string, got any) {
			t.Helper()
			g, ok := got.(float64)
			if !ok || math.Float64bits(g) != math.Float64bits(f) && !(math.IsNaN(f) && math.IsNaN(g)) {
				t.Errorf("%s: got %v", way, got)
			}
		}
		same(text, eval[any](t, c, text))
		same(text, eval[float64](t, c, text))
		ways(t, c, text, f, same)
		equal(t, text+" in Python", eval[string](t, c, "repr(x)", py.Vars{"x": f}), eval[string](t, c, "repr("+text+")"))
	}
}

func texts(t *testing.T, s *suite) {
	c := s.openSame(t)
	all := strings.Builder{}
	for r := rune(0); r < 0x3000; r++ {
		if r < 0xd800 || r > 0xdfff {
			all.WriteRune(r)
		}
	}
	for name, text := range map[string]string{
		"quotes": `'"` + "`" + `'''"""`, "backslashes": `\ \\ \n \u0041 \`, "newlines": "a\nb\r\nc\rd\u2028\u2029", "NUL": "a\x00b\x00", "only NUL": "\x00",
		"emoji": "😀👨‍👩‍👧‍👦🏳️‍🌈", "200 kB": strings.Repeat("x", 200000), "200 kB wide": strings.Repeat("é😀", 50000), "BOM": "\ufeffx", "last": "\U0010ffff", "nonchar": "\ufffe\uffff",
		"percent": "%s {} {0} ${x}", "all": all.String(), "RTL": "שלום \u202e x", "replacement": "\ufffd",
	} {
		ways(t, c, name, text, func(way string, got any) {
			if got != text {
				t.Errorf("%s: differs: %.50q", way, got)
			}
		})
		equal(t, name+" in Python", eval[int](t, c, "len(x)", py.Vars{"x": text}), len([]rune(text)))
		equal(t, name+" as a key", eval[map[string]int](t, c, "{x: 1}", py.Vars{"x": text}), map[string]int{text: 1})
	}
	for _, expr := range []string{`'\ud800'`, `'a\udfffb'`, `['x', '\ud800']`, `{'\ud800': 1}`, `{'a': ('\ud800',)}`, `{'\ud800'}`} {
		_, err := c.Eval(limit(t), expr)
		var bad *py.ConversionError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), "surrogate") {
			t.Errorf("%s: got %v, want a ConversionError", expr, err)
		}
		works(t, c)
		err = c.Exec(limit(t), "go.same("+expr+")")
		contains(t, expr+" to a callback", raises(t, expr, err, "TypeError").Message, "surrogate")
	}
	equal(t, "a reference keeps it", eval[int](t, c, "len(x)", py.Vars{"x": eval[*py.Object](t, c, `'\ud800'`)}), 1)
	// Places that cut text must not cut within a character.
	for n := 70; n < 90; n++ {
		key := strings.Repeat("k", n) + strings.Repeat("é😀", 60)
		_, err := c.Eval(limit(t), "{x: {x: {x: {x: '\\ud800'}}}}", py.Vars{"x": key})
		var bad *py.ConversionError
		if !errors.As(err, &bad) || !strings.HasPrefix(bad.Place, "result[") {
			t.Fatalf("a long key of %d: %v", n, err)
		}
	}
	equal(t, "references", py.Live().References <= 1, true)
}

func tooDeep(t *testing.T, s *suite) {
	c := s.openSame(t)
	run(t, c, `
def deep(n, kind=list):
    x = kind()
    for _ in range(n - 1): x = kind([x]) if kind is not dict else {'k': x}
    return x
loop = []
loop.append(loop)
dloop = {}
dloop['me'] = dloop
tloop = ([],)
tloop[0].append(tloop)
`)
	for _, expr := range []string{"loop", "dloop", "tloop", "[loop]", "deep(1001)", "deep(5000)", "deep(100000)", "deep(1001, tuple)", "deep(1001, dict)",
		"deep(1001, frozenset)", "{1: deep(1000)}"} {
		_, err := c.Eval(limit(t), expr)
		var bad *py.ConversionError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), "1000 deep") {
			t.Errorf("%s: got %.300v, want a ConversionError", expr, err)
		}
		if _, err := py.Eval[[]any](limit(t), c, expr); err == nil {
			t.Errorf("%s: no error", expr)
		}
		works(t, c)
		contains(t, expr+" to a callback", raises(t, expr, c.Exec(limit(t), "go.same("+expr+")"), "TypeError").Message, "1000 deep")
	}
	nested := func(n int) any {
		x := []any{}
		for range n - 1 {
			x = []any{x}
		}
		return x
	}
	for _, n := range []int{1, 100, 999, 1000} {
		equal(t, "deep in", eval[bool](t, c, "x == deep(n)", py.Vars{"x": nested(n), "n": n}), true)
		equal(t, "deep out", eval[any](t, c, "deep(n)", py.Vars{"n": n}), nested(n))
	}
	for _, n := range []int{1001, 100000} {
		_, err := c.Eval(limit(t), "x", py.Vars{"x": nested(n)})
		var bad *py.ConversionError
		if !errors.As(err, &bad) || !py.SafeToRetry(err) {
			t.Errorf("%d deep in: %v", n, err)
		}
	}
	o := eval[*py.Object](t, c, "loop")
	if _, err := o.Value(limit(t)); err == nil {
		t.Error("a list that contains itself became a value")
	}
}

func collidingKeys(t *testing.T, s *suite) {
	c := s.openSame(t)
	for expr, n := range map[string]int{
		"{1: 'a', '1': 'b'}": 2, "{(1,): 'a', (1.5,): 'b'}": 2, "{float('nan'): 1, float('nan'): 2}": 2, "{b'a': 1, 'a': 2, 1: 3}": 3,
		"{2**64: 1, 2**65: 2}": 2, "{frozenset(): 1, (): 2}": 2, "{None: 1, 'None': 2}": 2, "{object(): 1, object(): 2}": 2,
	} {
		switch v := eval[any](t, c, expr).(type) {
		case map[any]any:
			equal(t, expr, len(v), n)
		case py.Dict:
			equal(t, expr, len(v), n)
		default:
			t.Errorf("%s: a %T", expr, v)
		}
	}
	// Two classes whose texts are the same; two keys that one Go type cannot tell apart.
	run(t, c, "class S(str):\n  def __hash__(self): return id(self)\n  def __eq__(self, o): return self is o")
	for _, expr := range []string{"{S('a'): 1, S('a'): 2}", "{S('a'): 1, 'a': 2}"} {
		got, err := py.Eval[map[string]int](limit(t), c, expr)
		if err == nil {
			t.Errorf("%s: got %v, want an error", expr, got)
		}
	}
	if got, err := py.Eval[map[float64]int](limit(t), c, "{2**53: 1, 2.0**53 + 2: 2}"); err != nil || len(got) != 2 {
		t.Errorf("float keys: %v, %v", got, err)
	}
	if got, err := py.Eval[map[float64]int](limit(t), c, "{2**60: 1, 2**60 + 1: 2}"); err == nil {
		t.Errorf("float keys that collide: %v", got)
	}
	// Keys that differ in Go and are the same in Python.
	for _, m := range []any{map[any]any{1: "a", 1.0: "b"}, map[any]any{1: "a", true: "b"}, map[any]any{int8(1): "a", int16(1): "b"},
		dict("a", 1, "a", 2), py.Set{1, 1.0}, map[any]any{int64(1): 1, uint64(1): 2}} {
		if n, err := py.Call[int](limit(t), c, "builtins", "len", m); err == nil {
			t.Errorf("%v: %d entries and no error", m, n)
		}
	}
	works(t, c)
	for _, unhashable := range []any{dict([]any{1}, 2), py.Set{map[string]int{}}} {
		_, err := c.Eval(limit(t), "x", py.Vars{"x": unhashable})
		var bad *py.ConversionError
		if !errors.As(err, &bad) && !errors.Is(err, py.Exception("TypeError")) {
			t.Errorf("%v: %v", unhashable, err)
		}
	}
}

func noCounterpart(t *testing.T, s *suite) {
	c := s.openSame(t)
	run(t, c, "import enum, collections\nclass I(int): pass\nclass L(list): pass\nclass D(complex): pass\nP = collections.namedtuple('P', 'x y')")
	for _, expr := range []string{"object()", "len", "int", "enum", "(i for i in ())", "...", "NotImplemented", "D('1.5')", "memoryview(b'a')",
		"range(2**70)", "I(5)", "L([1])", "P(1, 2)", "iter([])", "{}.keys()", "collections.deque()", "lambda: 1", "Exception('x')", "type"} {
		v := eval[any](t, c, expr)
		o, ok := v.(*py.Object)
		if !ok {
			t.Errorf("%s: a %T %v", expr, v, v)
			continue
		}
		equal(t, expr, eval[bool](t, c, "go.same(x) is x", py.Vars{"x": o}), true)
		o.Close()
		list := eval[any](t, c, "[1, "+expr+"]").([]any)
		if o, ok = list[1].(*py.Object); !ok {
			t.Errorf("[%s]: a %T", expr, list[1])
			continue
		}
		o.Close()
	}
	_, err := py.Eval[string](limit(t), c, "object()")
	var bad *py.ConversionError
	if !errors.As(err, &bad) {
		t.Errorf("an object as a string: %v", err)
	}
}

// dict makes a py.Dict of keys and values that take turns.
func dict(pairs ...any) (d py.Dict) {
	for i := 0; i < len(pairs); i += 2 {
		d = append(d, py.Item{Key: pairs[i], Value: pairs[i+1]})
	}
	return d
}
