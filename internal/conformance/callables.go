package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/pycontext/py"
)

func callablesToGo(t *testing.T, s *suite) {
	c := s.open(t)
	ctx := limit(t)
	run(t, c, `
import functools
def show(*args, **kwargs): return f"{args} {sorted(kwargs.items())}"
class Adder:
    def __init__(self, n=0): self.n = n
    def __call__(self, m): return self.n + m
    def add(self, m): self.n += m
seen = []
`)
	str := eval[func(context.Context, int) (string, error)](t, c, "str")
	equal(t, "str(5)", must(str(ctx, 5)), "5")
	equal(t, "a call's result", must(call[func(float64) (float64, error)](t, c, "operator", "attrgetter", "real")(2.5)), 2.5)
	show := eval[func(...any) (string, error)](t, c, "show")
	equal(t, "variadic", must(show(1, "a", nil)), "(1, 'a', None) []")
	equal(t, "variadic, none", must(show()), "() []")
	kw := eval[func(context.Context, []int, py.Kw) (string, error)](t, c, "show")
	equal(t, "keywords", must(kw(ctx, []int{1}, py.Kw{"k": 2})), "([1],) [('k', 2)]")
	equal(t, "no keywords", must(kw(ctx, nil, nil)), "([],) []")
	spread := eval[func(context.Context, ...int) (string, error)](t, c, "show")
	equal(t, "ctx and variadic", must(spread(ctx, 1, 2)), "(1, 2) []")
	is(t, "an error alone", eval[func(any) error](t, c, "seen.append")("x"), nil)
	equal(t, "what it did", eval[[]string](t, c, "seen"), []string{"x"})
	add := eval[func(int) (int, error)](t, c, "Adder(3)")
	equal(t, "an object with __call__", must(add(4)), 7)
	adder := eval[func(...any) (*py.Object, error)](t, c, "Adder")
	o := must(adder(10))
	is(t, "a class, a bound method", must(py.Attr[func(int) error](ctx, o, "add"))(5), nil)
	equal(t, "state", must(py.Attr[int](ctx, o, "n")), 15)
	type tools struct {
		Len   func([]int) (int, error) `py:"len"`
		Maybe func() error
		All   []func(any) (any, error)
		By    map[string]*func(string) (int, error)
	}
	v := eval[tools](t, c, "{'len': len, 'Maybe': None, 'All': [str, repr], 'By': {'int': int}}")
	equal(t, "a field", must(v.Len([]int{1, 2})), 2)
	equal(t, "None", v.Maybe == nil, true)
	equal(t, "in a slice", must(v.All[1]("x")), any("'x'"))
	equal(t, "behind a pointer", must((*v.By["int"])("12")), 12)
	equal(t, "a struct from an object", must(eval[struct {
		Add func(int) (any, error) `py:"add"`
	}](t, c, "Adder(1)").Add(2)), any(nil))
	equal(t, "a Go func that comes back", must(eval[func(int) (int, error)](t, c, "f", py.Vars{"f": func(n int) int { return n + 1 }})(1)), 2)
	equal(t, "a func as an argument again", eval[int](t, c, "f(1)", py.Vars{"f": add}), 4)
	type named func(n int) (int, error)
	equal(t, "a named type", must(eval[named](t, c, "abs")(-1)), 1)
	equal(t, "decoded from an object", must(must(py.Decode[func() (int, error)](ctx, eval[*py.Object](t, c, "Adder().add.__self__.__class__.__len__ if 0 else int")))()), 0)
	c.Attach(ctx, func(a *py.Attached) error {
		f, err := a.Global("divmod")
		if err != nil {
			return err
		}
		equal(t, "attached", must(must(py.DecodeRef[func(int, int) ([]int, error)](f))(7, 2)), []int{3, 1})
		return nil
	})
}

func callableErrors(t *testing.T, s *suite) {
	c := s.open(t)
	_, err := eval[func(string) (int, error)](t, c, "int")("x")
	raises(t, "an exception", err, "ValueError")
	n, err := eval[func() (int, error)](t, c, "lambda: 'x'")()
	var bad *py.ConversionError
	if !errors.As(err, &bad) || bad.Place != "result" || n != 0 {
		t.Errorf("a result of another type: %v, %v", n, err)
	}
	err = eval[func(any) error](t, c, "print")(make(chan<- int))
	if !errors.As(err, &bad) || bad.Place != "args[0]" {
		t.Errorf("an argument that does not travel: %v", err)
	}
	for _, expr := range []string{"5", "'len'", "[len]", "{}"} {
		if f, err := py.Eval[func() error](limit(t), c, expr); !errors.As(err, &bad) || f != nil {
			t.Errorf("%s became a func: %v", expr, err)
		} else {
			contains(t, expr, bad.Reason, "callable")
		}
	}
	_, err = py.Eval[func() int](limit(t), c, "int")
	contains(t, "without an error", fmt.Sprint(err), "nowhere to go in a Go func() int")
	_, err = py.Eval[[]func() (int, int, error)](limit(t), c, "[int]")
	contains(t, "three results", fmt.Sprint(err), "result[0]", "more results")
	_, err = py.Eval[func(py.Kw, int) error](limit(t), c, "int")
	contains(t, "Kw first", fmt.Sprint(err), "py.Kw")
	for want, fn := range map[string]any{"nowhere to go": func(func(int) int) {}, "more results": func(func() (int, int, error)) {}} {
		contains(t, "registered", fmt.Sprint(c.Register("x", fn)), want)
	}
	raises(t, "no callable", eval[func() error](t, c, "object()")(), "TypeError")
	own := errors.New("mine")
	is(t, "an error through Python", eval[func() error](t, c, "lambda: f()", py.Vars{"f": func() error { return own }})(), own)
	sleep := eval[func(context.Context, float64) error](t, c, "__import__('time').sleep")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	is(t, "a deadline", sleep(ctx, 0.2), context.DeadlineExceeded)
	is(t, "afterwards", sleep(ctx, 0), context.DeadlineExceeded)
	works(t, c)
	noFunctions(t, "errors")
	d := s.open(t)
	f := eval[func() (int, error)](t, d, "int")
	d.Close()
	_, err = f()
	is(t, "a closed context", err, py.ErrClosed)
	contains(t, "a closed context", fmt.Sprint(err), "call of an object")
}

func callablesReleased(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import weakref\nclass W:\n  def __call__(self): return 1\nalive = weakref.WeakSet()\ndef make(): w = W(); alive.add(w); return w")
	count := func() int { runtime.GC(); return eval[int](t, c, "len(alive)") }
	f := eval[func() (int, error)](t, c, "make()")
	fs := eval[map[string]func() (int, error)](t, c, "{'a': make(), 'b': make()}")
	equal(t, "held", count(), 3)
	equal(t, "they work", must(f())+must(fs["a"]()), 2)
	f, fs = nil, nil
	eventually(t, "they are released", func() bool { return count() == 0 })
	_, err := py.Eval[[]func() error](limit(t), c, "[make(), make(), 5]")
	if err == nil {
		t.Error("5 became a func")
	}
	eventually(t, "those of a value that failed", func() bool { return count() == 0 && py.Live().References == 0 })
}

func callablesInCallbacks(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
import go, threading
def twice(f): return go.twice(f)
def in_thread(f):
    box = []
    t = threading.Thread(target=lambda: box.append(go.twice(f)))
    t.start()
    t.join() # the context's thread serves nobody meanwhile
    return box[0]
`)
	for _, options := range [][]py.FuncOption{nil, {py.Inline()}} {
		register(t, c, "twice", func(f func(int) (int, error)) (int, error) {
			a, err := f(1)
			if err != nil {
				return 0, err
			}
			b, err := f(a)
			return b, err
		}, options...)
		square := eval[*py.Object](t, c, "lambda n: n * 10")
		equal(t, "called back", call[int](t, c, "__main__", "twice", square), 100)
		equal(t, "from a thread", call[int](t, c, "__main__", "in_thread", square), 100)
		equal(t, "a Go func through Python", call[int](t, c, "__main__", "twice", func(n int) int { return n + 1 }), 3)
		_, err := c.Eval(limit(t), "twice(lambda n: 1 / 0)")
		raises(t, "an exception within", err, "ZeroDivisionError")
		_, err = c.Eval(limit(t), "go.twice(5)")
		contains(t, "no callable", raises(t, "go.twice(5)", err, "TypeError").Message, "argument 1", "callable")
	}
	var kept func(int) (int, error)
	register(t, c, "keep", func(f func(int) (int, error)) { kept = f })
	run(t, c, "go.keep(lambda n: n + 1)")
	equal(t, "after the callback", must(kept(1)), 2)
	register(t, c, "compose", func(f, g func(context.Context, any) (any, error)) func(context.Context, any) (any, error) {
		return func(ctx context.Context, v any) (any, error) {
			v, err := g(ctx, v)
			if err != nil {
				return nil, err
			}
			return f(ctx, v)
		}
	})
	equal(t, "functions of functions", eval[string](t, c, "go.compose(str, go.compose(abs, int))('-7')"), "7")
	noFunctions(t, "callbacks")
}

// originalsComeBack: what Go made of a Python object is that object again in its context, and something that uses it in another.
func originalsComeBack(t *testing.T, s *suite) {
	c, other := s.open(t), s.open(t)
	run(t, c, "import io\ndef f(n): return n + 1\ndef items(): yield from (1, 2)\nit = items()\ntext = io.StringIO('abc')")
	type mine func(n int) (int, error)
	f := eval[func(int) (int, error)](t, c, "f")
	g := eval[mine](t, c, "f")
	it := eval[iter.Seq2[int, error]](t, c, "it")
	text := eval[io.Reader](t, c, "text")
	inside := struct{ F []func(int) (int, error) }{[]func(int) (int, error){f}}
	vars := py.Vars{"a": f, "b": g, "c": it, "d": text, "e": inside}
	equal(t, "identical", eval[[]bool](t, c, "[a is f, b is f, c is it, d is text, e['F'][0] is f]", vars), []bool{true, true, true, true, true})
	equal(t, "in another context", eval[[]any](t, other, "[a(1), list(c), d.read().decode()]", vars),
		[]any{int64(2), []any{int64(1), int64(2)}, "abc"})
	for _, options := range [][]py.FuncOption{nil, {py.Inline()}} {
		register(t, c, "same", func(f func(int) (int, error)) func(int) (int, error) { return f }, options...)
		equal(t, "from a callback", eval[bool](t, c, "__import__('go').same(f) is f"), true)
	}
	own := func(n int) (int, error) { return n, nil }
	made := reflect.MakeFunc(reflect.TypeOf(own), func(in []reflect.Value) []reflect.Value { return reflect.ValueOf(own).Call(in) })
	equal(t, "another func that reflect made", eval[int](t, c, "v(7)", py.Vars{"v": made.Interface()}), 7)
	b := make([]byte, 1)
	run(t, c, "text.seek(0)")
	text = eval[io.Reader](t, c, "io.TextIOWrapper(io.BytesIO('\u00e4b'.encode()), encoding='utf-8')")
	must(text.Read(b))
	equal(t, "a file that Go has read of", eval[[]byte](t, c, "v.read()", py.Vars{"v": text}), []byte("\u00e4b")[1:])
}
