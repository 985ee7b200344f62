package conformance

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/pycontext/py"
)

var scalarCases = []testCase{
	{"ScalarsAttached", scalarsAttached},
	{"ScalarsReleasedInCalls", scalarsReleasedInCalls},
	{"ScalarsInCallbacks", scalarsInCallbacks},
	{"ScalarsInCallbackErrors", scalarsInCallbackErrors},
}

// scalarsAttached: within Attach, values that cross without being encoded are what they are when a request carries them.
func scalarsAttached(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
class F(float): pass
class I(int): pass
class T:
    value = 4
    def me(self, x): return x
t = T()
def same(x, *more): return x
def fail(x): return x / 0
`)
	values := []any{nil, true, false, 0, -1, int64(math.MaxInt64), math.MinInt64, 0.0, math.Copysign(0, -1), 1e300, math.Inf(-1), 2.0,
		math.Float64frombits(0x7ff8000000000123), int32(5), uint64(math.MaxUint64), float32(0.5), big.NewInt(9), "text", []byte("b"), py.Tuple{1}}
	for _, expr := range []string{"F(1.5)", "I(7)", "10**30", "2.0**53", "t", "1j"} {
		values = append(values, eval[*py.Object](t, c, expr))
	}
	err := c.Attach(limit(t), func(a *py.Attached) error {
		for _, v := range values {
			scalarAs[float64](t, a, v)
			scalarAs[int](t, a, v)
			scalarAs[int64](t, a, v)
			scalarAs[bool](t, a, v)
			scalarAs[any](t, a, v)
		}
		same, none := must(a.Global("same")), must(a.Global("T"))
		equal(t, "all kinds of arguments", must(py.CallRef[int](same, 5, true, nil, 1.5)), 5)
		equal(t, "more arguments", must(py.CallRef[int](same, 5, 1, 2, 3, 4, 5, 6)), 5)
		equal(t, "a Ref", must(must(py.CallRef[*py.Object](same, none)).Attr(limit(t), "value")), int64(4))
		isNone, err := py.CallRef[bool](must(must(a.Import("operator")).Attr("is_")), none, none)
		equal(t, "the identical object", []any{isNone, err}, []any{true, nil})
		_, err = py.CallRef[float64](same)
		raises(t, "no argument", err, "TypeError")
		_, err = py.CallMethodRef[float64](none, "missing", 1)
		raises(t, "no method", err, "AttributeError")
		_, err = py.CallRef[int](must(a.Global("fail")), 1)
		raises(t, "an exception", err, "ZeroDivisionError")
		n, err := py.CallRef[int](same, 3)
		equal(t, "after exceptions", []any{n, err}, []any{3, nil})
		return nil
	})
	is(t, "Attach", err, nil)
}

// scalarAs compares what a call, a method and a Ref give with what a request gives.
func scalarAs[T any](t *testing.T, a *py.Attached, v any) {
	t.Helper()
	what := fmt.Sprintf("%T %v as %v", v, v, reflect.TypeFor[T]())
	want, refused := py.Call[T](limit(t), a.Context(), "__main__", "same", v)
	compare := func(how string, got T, err error) {
		t.Helper()
		if fmt.Sprint(err) != fmt.Sprint(refused) || !reflect.DeepEqual(bits(got), bits(want)) {
			t.Errorf("%s, %s: got %#v, %v, want %#v, %v", what, how, got, err, want, refused)
		}
	}
	got, err := py.CallRef[T](must(a.Global("same")), v)
	compare("a call", got, err)
	got, err = py.CallMethodRef[T](must(a.Global("t")), "me", v)
	compare("a method", got, err)
	r, err := a.New(v)
	if err != nil {
		t.Fatal(err)
	}
	got, err = py.DecodeRef[T](r)
	compare("a Ref", got, err)
}

// bits makes NaNs equal that are, zeros unequal, and references to one object equal.
func bits(v any) any {
	switch v := v.(type) {
	case float64:
		return math.Float64bits(v)
	case *py.Object:
		return v.String()
	}
	return v
}

// scalarsReleasedInCalls: what is called and given may be released, by Go, while the call is under way.
func scalarsReleasedInCalls(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import go, gc\nclass C:\n  def __init__(self): self.x = [1, 2]\n  def __call__(self, other): go.release(); gc.collect(); return self.x[1] + other.x[1]")
	err := c.Attach(limit(t), func(a *py.Attached) error {
		class := must(a.Global("C"))
		f, other := must(class.Call()), must(class.Call())
		register(t, c, "release", func() { f.Release(); other.Release() }, py.Inline())
		n, err := py.CallRef[int](f, other)
		equal(t, "the result", []any{n, err}, []any{4, nil})
		return nil
	})
	is(t, "Attach", err, nil)
}

type (
	someInt   int
	someInt64 int64
	someFloat float64
)

// scalarsInCallbacks: functions whose arguments cross without being encoded get and give what others do.
func scalarsInCallbacks(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
import go
class F(float): pass
class I(int): pass
values = [None, True, False, 0, -1, 2**63 - 1, -2**63, 2**63, 10**30, 0.0, -0.0, 2.0, 1.5, float('inf'), 1e300, F(2.0), I(7), 'x', b'x', [1], (1, 2), 1j]
calls = [(v,) for v in values] + [(v, w) for v in values for w in (3, 2.5, None)] + [(), (1, 2, 3), (1, 2, 3, 4), (1, 2, 3, 4, 5)]
def outcome(f, args, **kw):
    try: v = f(*args, **kw)
    except Exception as e: return type(e).__name__
    return type(v).__name__ + repr(v)
def differences(quick, other):
    bad = [f"{a}: {outcome(quick, a)}, not {outcome(other, a)}" for a in calls if outcome(quick, a) != outcome(other, a)]
    return bad if outcome(quick, (1,), k=1) == 'TypeError' else bad + ['keywords']
`)
	for _, options := range [][]py.FuncOption{nil, {py.Inline()}} {
		for what, pair := range map[string][2]any{
			"int":    {func(n int) int { return n }, func(n someInt) someInt { return n }},
			"int64":  {func(n int64) (int64, error) { return n, nil }, func(n someInt64) (someInt64, error) { return n, nil }},
			"float":  {func(v float64) float64 { return -v }, func(v someFloat) someFloat { return -v }},
			"ints":   {func(a, b int) int { return a - b }, func(a, b someInt) someInt { return a - b }},
			"floats": {func(a, b float64) float64 { return a - b }, func(a, b someFloat) someFloat { return a - b }},
			"any":    {func(v any) any { return v }, "lambda v: v"},
			"none":   {func() {}, "lambda: None"},
			"some":   {func(a any, more ...any) any { return append(more, a) }, "lambda v, *more: [*more, v]"},
			"string": {func(v any) any { return fmt.Sprint(v == nil) }, "lambda v: 'true' if v is None else 'false'"},
		} {
			register(t, c, "quick", pair[0], options...)
			other, ok := pair[1].(string)
			if !ok {
				other = "go.other"
				register(t, c, "other", pair[1], options...)
			}
			for _, difference := range eval[[]string](t, c, "differences(go.quick, "+other+")") {
				t.Errorf("%s%s", what, difference)
			}
		}
	}
}

// scalarsInCallbackErrors: they fail as others do, and what they were given matters no more then.
func scalarsInCallbackErrors(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import go\ndef caught(f, *args):\n  try: return f(*args)\n  except Exception as e: return type(e).__name__")
	cold := errors.New("cold")
	for _, options := range [][]py.FuncOption{nil, {py.Inline()}} {
		register(t, c, "fails", func(n int) (int, error) { return n, cold }, options...)
		calls := 0
		register(t, c, "panics", func(v float64) float64 { calls++; panic(v) }, options...)
		register(t, c, "refuses", func(v any) any { return make(chan<- int) }, options...)
		register(t, c, "again", func(ctx context.Context, n int) (int, error) {
			if n == 0 {
				return 0, nil
			}
			return py.Eval[int](ctx, c, "1 + go.again(n - 1)", py.Vars{"n": n})
		}, options...)
		is(t, "an error", discardValue(c.Eval(limit(t), "go.fails(1)")), cold)
		equal(t, "a panic", eval[string](t, c, "caught(go.panics, 1.0)"), "RuntimeError")
		equal(t, "it ran", calls, 1)
		equal(t, "a result that cannot travel", eval[string](t, c, "caught(go.refuses, 1)"), "TypeError")
		equal(t, "nested", eval[int](t, c, "go.again(10)"), 10)
	}
	register(t, c, "leaves", func(n int) int { runtime.Goexit(); return n })
	equal(t, "runtime.Goexit", eval[string](t, c, "caught(go.leaves, 1)"), "RuntimeError")
	register(t, c, "slow", func(ctx context.Context, n int) int { <-ctx.Done(); return n })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	is(t, "a deadline", discardValue(c.Eval(ctx, "go.slow(1)")), context.DeadlineExceeded)
	works(t, c)
}
