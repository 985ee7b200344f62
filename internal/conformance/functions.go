package conformance

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pycontext/py"
)

var functionCases = []testCase{
	{"FunctionsAsArguments", functionsAsArguments},
	{"FunctionsInValues", functionsInValues},
	{"FunctionsThatAreNone", functionsThatAreNone},
	{"FunctionsReleased", functionsReleased},
	{"FunctionsReleasedWithRequests", functionsReleasedWithRequests},
	{"FunctionErrors", functionErrors},
	{"FunctionsInChains", functionsInChains},
	{"FunctionsInThreads", functionsInThreads},
	{"CallablesToGo", callablesToGo},
	{"CallableErrors", callableErrors},
	{"CallablesReleased", callablesReleased},
	{"CallablesInCallbacks", callablesInCallbacks},
	{"OriginalsComeBack", originalsComeBack},
}

// noFunctions waits until Python holds no function of Go.
func noFunctions(t testing.TB, what string) {
	t.Helper()
	eventually(t, what+": every function is released", func() bool { runtime.GC(); return py.Live().Functions == 0 })
}

func functionsAsArguments(t *testing.T, s *suite) {
	c := s.open(t)
	ctx := limit(t)
	double := func(n int) int { return 2 * n }
	equal(t, "an argument", call[[]int](t, c, "builtins", "list", call[*py.Object](t, c, "builtins", "map", double, []int{1, 2})), []int{2, 4})
	run(t, c, "def apply(f, *args, **kwargs): return f(*args, **kwargs)")
	equal(t, "apply", call[int](t, c, "__main__", "apply", double, 21), 42)
	equal(t, "kw", call[string](t, c, "__main__", "apply", func(kw py.Kw) string { return fmt.Sprint(kw) }, py.Kw{"a": 1}), "map[a:1]")
	equal(t, "a variable", eval[[]string](t, c, "sorted(words, key=lower)", py.Vars{"words": []string{"b", "A", "C"}, "lower": strings.ToLower}),
		[]string{"A", "b", "C"})
	equal(t, "a method value", eval[string](t, c, "f()", py.Vars{"f": errors.New("x").Error}), "x")
	equal(t, "a func with a ctx", eval[bool](t, c, "f()", py.Vars{"f": func(ctx context.Context) bool { return ctx.Err() == nil }}), true)
	o := eval[*py.Object](t, c, "lambda f: f()")
	equal(t, "a call of an object", must(py.CallMethod[int](ctx, o, "", func() int { return 5 })), 5)
	for _, inline := range []bool{false, true} {
		options := []py.FuncOption{py.Name("key of mine")}
		if inline {
			options = append(options, py.Inline())
		}
		f := py.Func(func(n int) int { return -n }, options...)
		equal(t, "with options", eval[[]int](t, c, "sorted(range(3), key=f)", py.Vars{"f": f}), []int{2, 1, 0})
		equal(t, "its name", eval[string](t, c, "f.__name__", py.Vars{"f": f}), "key of mine")
		_, err := c.Eval(ctx, "f('x')", py.Vars{"f": f})
		contains(t, "a wrong argument", raises(t, "f('x')", err, "TypeError").Message, "key of mine()", "expected int")
	}
	contains(t, "a name from Go", eval[string](t, c, "f.__name__", py.Vars{"f": double}), "functionsAsArguments.func1")
	equal(t, "a func type", eval[int](t, c, "f()", py.Vars{"f": namedFunc(func() int { return 3 })}), 3)
	equal(t, "nil", eval[bool](t, c, "f is None", py.Vars{"f": (func())(nil)}), true)
	run(t, c, "def keep(f): global kept; kept = f")
	call[any](t, c, "__main__", "keep", double)
	equal(t, "kept for later", eval[int](t, c, "kept(4)"), 8)
	equal(t, "the identical function", eval[bool](t, c, "f is kept", py.Vars{"f": eval[*py.Object](t, c, "kept")}), true)
	equal(t, "called from Go", call[int](t, c, "__main__", "kept", 5), 10)
	run(t, c, "kept = None")
	err := c.Attach(ctx, func(a *py.Attached) error {
		f, err := a.New(double)
		if err != nil {
			return err
		}
		apply, err := a.Global("apply")
		if err != nil {
			return err
		}
		equal(t, "attached", must(py.CallRef[int](f, 3)), 6)
		equal(t, "attached, as an argument", must(py.CallRef[int](apply, double, 4)), 8)
		return nil
	})
	is(t, "Attach", err, nil)
	noFunctions(t, "arguments")
}

type namedFunc func() int

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func functionsInValues(t *testing.T, s *suite) {
	c := s.open(t)
	type handlers struct {
		Open  func(name string) string
		Close func() error `py:"close"`
		Any   any
		Func  py.Function
		None  func() `py:",omitempty"`
	}
	h := handlers{
		Open: func(name string) string { return "opened " + name }, Close: func() error { return nil },
		Any: func() int { return 1 }, Func: py.Func(func() int { return 2 }, py.Inline()),
	}
	equal(t, "a struct", eval[py.Tuple](t, c, "h['Open']('x'), h['close'](), h['Any'](), h['Func'](), len(h)", py.Vars{"h": h}),
		py.Tuple{"opened x", nil, int64(1), int64(2), int64(4)})
	fs := []func(int) int{func(n int) int { return n + 1 }, func(n int) int { return n * n }}
	equal(t, "a slice", eval[[]int](t, c, "[f(7) for f in fs]", py.Vars{"fs": fs}), []int{8, 49})
	equal(t, "a map", eval[int](t, c, "m['f'](7)", py.Vars{"m": map[string]func(int) int{"f": fs[0]}}), 8)
	equal(t, "any", eval[int](t, c, "m['f'][0](7)", py.Vars{"m": map[string]any{"f": py.Tuple{fs[1]}}}), 49)
	equal(t, "the same twice", eval[int](t, c, "a(1) + b(1)", py.Vars{"a": fs[0], "b": fs[0]}), 4)
	register(t, c, "adder", func(n int) func(int) int { return func(m int) int { return n + m } })
	register(t, c, "adders", func() map[string]any {
		return map[string]any{"two": py.Func(func(m int) int { return 2 + m }, py.Inline())}
	}, py.Inline())
	equal(t, "a result of a callback", eval[int](t, c, "__import__('go').adder(3)(4)"), 7)
	equal(t, "of an inline one", eval[int](t, c, "__import__('go').adders()['two'](4)"), 6)
	equal(t, "of one that is a value", eval[int](t, c, "f()()", py.Vars{"f": func() func() int { return func() int { return 9 } }}), 9)
	noFunctions(t, "values")
}

func functionsThatAreNone(t *testing.T, s *suite) {
	c := s.open(t)
	for what, f := range map[string]any{
		"two results": func() (int, int) { return 1, 2 }, "a send-only channel": func(chan<- int) {}, "a late ctx": func(int, context.Context) {},
		"a Func of one": py.Func(func() (int, int) { return 1, 2 }), "a Func of nothing": py.Func(nil), "a Func of 5": py.Func(5), "no Func": py.Function{},
	} {
		before := eval[int](t, c, "1")
		_, err := c.Eval(limit(t), "f", py.Vars{"f": []any{before, f}})
		var bad *py.ConversionError
		if !errors.As(err, &bad) || bad.Place != `vars["f"][1]` || !py.SafeToRetry(err) {
			t.Errorf("%s: got %v, want a ConversionError at vars[\"f\"][1]", what, err)
		}
	}
	// The functions before the one that fails are let go.
	_, err := c.Call(limit(t), "builtins", "print", func() {}, []any{func() {}, make(chan<- int)})
	if err == nil {
		t.Error("a send-only channel traveled")
	}
	_, err = c.Eval(limit(t), "f()", py.Vars{"f": func() []any { return []any{func() {}, make(chan<- int)} }})
	contains(t, "a callback's result", raises(t, "result", err, "TypeError").Message, "result[1]")
	noFunctions(t, "refused")
}

func functionsReleased(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "kept = []\ndef keep(f): kept.append(f)")
	for range 10 {
		call[any](t, c, "__main__", "keep", func() {})
	}
	equal(t, "kept", py.Live().Functions, int64(10))
	run(t, c, "kept.clear()")
	noFunctions(t, "dropped")
	finalized := make(chan struct{})
	func() {
		big := new([1 << 20]byte)
		runtime.AddCleanup(big, func(int) { close(finalized) }, 0)
		call[any](t, c, "__main__", "keep", func() int { return len(big) })
	}()
	runtime.GC()
	equal(t, "what it refers to lives", eval[int](t, c, "kept[0]()"), 1<<20)
	run(t, c, "del kept[0]")
	eventually(t, "what it refers to is gone", func() bool {
		runtime.GC()
		select {
		case <-finalized:
			return true
		default:
			return false
		}
	})
	call[any](t, c, "__main__", "keep", func() {})
	o := eval[*py.Object](t, c, "kept[0]")
	run(t, c, "kept.clear()")
	equal(t, "held by an Object", py.Live().Functions, int64(1))
	o.Close()
	noFunctions(t, "closed")
	d := s.open(t)
	run(t, d, "def keep(f): global kept, loop; kept = f; loop = [f]; loop.append(loop)")
	call[any](t, d, "__main__", "keep", func() {})
	is(t, "Close", d.Close(), nil)
	noFunctions(t, "a closed context")
	ctx := limit(t)
	flat(t, "20,000 functions", 1<<20, func() {
		for range 20_000 {
			if _, err := c.Call(ctx, "builtins", "callable", func() {}); err != nil {
				t.Fatal(err)
			}
		}
		noFunctions(t, "20,000")
	})
}

// functionsReleasedWithRequests has requests end in every other way than with a result.
func functionsReleasedWithRequests(t *testing.T, s *suite) {
	c := s.open(t)
	f := func() {}
	_, err := c.Call(limit(t), "no_such_module", "f", f)
	raises(t, "no such module", err, "ModuleNotFoundError")
	_, err = c.Call(limit(t), "builtins", "print", f, map[any]any{1: f, 1.0: f})
	raises(t, "keys that collide", err, "ValueError")
	_, err = c.Eval(limit(t), "f(", py.Vars{"f": f})
	raises(t, "source that does not compile", err, "SyntaxError")
	_, err = py.Eval[int](limit(t), c, "f", py.Vars{"f": f})
	if err == nil {
		t.Error("a function became an int")
	}
	noFunctions(t, "failed")
	// Abandoned: while it runs, and while it waits.
	ctx, cancel := context.WithCancel(context.Background())
	running := make(chan error)
	go func() {
		_, err := c.Eval(ctx, "[f() for _ in iter(int, 1)]", py.Vars{"f": py.Func(f, py.Inline())})
		running <- err
	}()
	eventually(t, "it runs", func() bool { return py.Live().Functions >= 1 })
	for range 10 {
		go func() { _, err := c.Call(ctx, "builtins", "print", f); running <- err }()
	}
	eventually(t, "they wait", func() bool { return py.Live().Functions >= 11 })
	cancel()
	for range 11 {
		is(t, "abandoned", <-running, context.Canceled)
	}
	works(t, c)
	noFunctions(t, "abandoned")
	// Interrupted while the function runs: its answer, with a function in it, is dropped.
	ctx, cancel = context.WithCancel(context.Background())
	_, err = c.Eval(ctx, "f()", py.Vars{"f": func(ctx context.Context) func() { cancel(); <-ctx.Done(); return f }})
	is(t, "a dropped answer", err, context.Canceled)
	works(t, c)
	noFunctions(t, "a dropped answer")
	// Closed: the one that runs, and those that wait, where it lets no others in.
	for wait, options := range [][]py.FuncOption{nil, {py.Inline()}} {
		d := s.open(t)
		started := make(chan struct{})
		go func() {
			_, err := d.Eval(context.Background(), "f()", py.Vars{"f": py.Func(func(ctx context.Context) { close(started); <-ctx.Done() }, options...)})
			running <- err
		}()
		<-started
		for range wait {
			go func() { _, err := d.Call(context.Background(), "builtins", "print", f); running <- err }()
		}
		eventually(t, "all are sent", func() bool { return waiting() == 1+wait })
		is(t, "Close", d.Close(), nil)
		for range 1 + wait {
			is(t, "closed", <-running, py.ErrClosed)
		}
		_, err = d.Call(limit(t), "builtins", "print", f)
		is(t, "after Close", err, py.ErrClosed)
		noFunctions(t, "closed")
	}
}

func functionErrors(t *testing.T, s *suite) {
	c := s.open(t)
	own := errors.New("mine")
	_, err := c.Eval(limit(t), "f()", py.Vars{"f": func() error { return fmt.Errorf("wrapped: %w", own) }})
	is(t, "an error", err, own)
	raises(t, "an error", err, "go.Error")
	_, err = c.Eval(limit(t), "f()", py.Vars{"f": func() { panic(own) }})
	raises(t, "a panic", err, "RuntimeError")
	var p *py.PanicError
	if !errors.As(err, &p) || !errors.Is(err, own) {
		t.Errorf("a panic: %v", err)
	}
	_, err = c.Eval(limit(t), "f()", py.Vars{"f": func() { runtime.Goexit() }})
	raises(t, "Goexit", err, "RuntimeError")
	_, err = c.Eval(limit(t), "f(1, 2)", py.Vars{"f": func(int) {}})
	contains(t, "arity", raises(t, "arity", err, "TypeError").Message, "functionErrors.func4() takes 1 positional argument but 2 were given")
	_, err = c.Eval(limit(t), "f('\\ud800')", py.Vars{"f": func(string) {}})
	contains(t, "a surrogate", raises(t, "a surrogate", err, "TypeError").Message, "functionErrors.func5() argument 1")
	done := make(chan error, 1)
	for d := 50 * time.Millisecond; len(done) == 0; d *= 2 { // until it gets as far as the function
		_, err = c.Eval(timeout(d), "f()", py.Vars{"f": func(ctx context.Context) { <-ctx.Done(); done <- ctx.Err() }})
		is(t, "a deadline", err, context.DeadlineExceeded)
		works(t, c)
		eventually(t, "no callback is left", func() bool { return py.Live().Callbacks == 0 })
	}
	is(t, "in the function", <-done, context.DeadlineExceeded)
	works(t, c)
	noFunctions(t, "errors")
}

func functionsInChains(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "def down(f, n): return 1 + f(n - 1) if n else 0")
	var f func(ctx context.Context, n int) (int, error)
	f = func(ctx context.Context, n int) (int, error) { return py.Call[int](ctx, c, "__main__", "down", f, n) }
	equal(t, "nested", call[int](t, c, "__main__", "down", f, 200), 200)
	other := s.open(t)
	run(t, other, "def down(f, n): return 1 + f(n - 1) if n else 0")
	var there, back func(ctx context.Context, n int) (int, error)
	there = func(ctx context.Context, n int) (int, error) {
		return py.Call[int](ctx, other, "__main__", "down", back, n)
	}
	back = func(ctx context.Context, n int) (int, error) {
		return py.Call[int](ctx, c, "__main__", "down", there, n)
	}
	equal(t, "through two contexts", call[int](t, c, "__main__", "down", there, 50), 50)
	noFunctions(t, "chains")
}

func functionsInThreads(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
from concurrent.futures import ThreadPoolExecutor
def spread(f, n):
    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(f, range(n)))
`)
	equal(t, "threads", call[int](t, c, "__main__", "spread", func(n int) int { return n }, 100), 4950)
	equal(t, "threads, inline", call[int](t, c, "__main__", "spread", py.Func(func(n int) int { return n }, py.Inline()), 100), 4950)
	noFunctions(t, "threads")
}
