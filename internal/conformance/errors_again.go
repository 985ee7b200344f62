package conformance

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/pycontext/py"
)

// errorsAgain has exceptions of nested requests come back to Python through Go functions.
func errorsAgain(t *testing.T, s *suite) {
	c := s.open(t)
	var wrap func(err error) error
	ask := func(ctx context.Context, code string) error { return wrap(c.Exec(ctx, code)) }
	register(t, c, "ask", ask)
	register(t, c, "inline", ask, py.Inline())
	register(t, c, "use", func(f func(int) (int, error)) (int, error) { n, err := f(1); return n, wrap(err) })
	register(t, c, "walk", func(items func(func(int, error) bool)) (n int, err error) {
		for n, err = range items {
			if err != nil {
				return 0, wrap(err)
			}
		}
		return n, nil
	})
	register(t, c, "stream", func(ctx context.Context) error {
		for _, err := range py.StreamEval[int](ctx, c, "items()") {
			if err != nil {
				return wrap(err)
			}
		}
		return nil
	})
	register(t, c, "attach", func(ctx context.Context) error {
		return c.Attach(ctx, func(a *py.Attached) error {
			f, err := a.Global("fail")
			if err == nil {
				_, err = f.Call(1)
			}
			return wrap(err)
		})
	})
	run(t, c, `
import go, threading
class Mine(Exception):
    def __init__(self, a, *, b):
        super().__init__(a, b)
        self.b = b
made = []
def fail(x):
    try: 1/0
    except ZeroDivisionError as e:
        made.append(Mine(x, b=[]))
        raise made[-1] from e
def deep():
    import copy
    try: go.ask("raise ValueError('text')")
    except ValueError as e: return copy.deepcopy(e)
def items():
    yield 1
    fail(2)
def comes(f, *args):
    made.clear()
    try: f(*args)
    except Mine as e:
        assert e is made[-1] and e.b == [] and type(e.__cause__) is ZeroDivisionError, repr(e)
        tb, names = e.__traceback__, []
        while tb: names, tb = names + [tb.tb_frame.f_code.co_name], tb.tb_next
        assert names[0] == 'comes' and names[-1] == 'fail', names
        return getattr(e, '__notes__', [])
def on_thread(*args):
    notes = []
    thread = threading.Thread(target=lambda: notes.extend(comes(*args)))
    thread.start()
    thread.join()
    return notes
ways = [(go.ask, 'fail(1)'), (go.inline, 'fail(1)'), (go.use, fail), (go.walk, items()), (go.stream,), (go.attach,), (go.ask, "go.ask('fail(1)')")]
`)
	wrap = func(err error) error { return err }
	for i := range 7 {
		equal(t, fmt.Sprint("notes of way ", i), eval[[]string](t, c, "comes(*ways[i])", py.Vars{"i": i}), []string{})
	}
	equal(t, "notes on a thread", eval[[]string](t, c, "on_thread(go.ask, 'fail(1)')"), []string{})
	sentinel := errors.New("sentinel")
	wrap = func(err error) error { return fmt.Errorf("%w: %w", sentinel, err) }
	for i := range 6 {
		if i == 3 {
			run(t, c, "ways[3] = go.walk, items()")
		}
		notes := eval[[]string](t, c, "comes(*ways[i])", py.Vars{"i": i})
		if len(notes) != 1 || !strings.HasPrefix(notes[0], "sentinel: Mine: (") {
			t.Errorf("way %d, wrapped, has the notes %q", i, notes)
		}
	}
	// What Python does not catch is the exception as it is there, and the Go error, and is printed once.
	err := c.Exec(limit(t), "go.ask('fail(1)')")
	is(t, "uncaught", err, sentinel)
	e := raises(t, "uncaught", err, "Mine")
	equal(t, "module", e.Module, "__main__")
	equal(t, "cause", e.Cause.Type, "ZeroDivisionError")
	if text := fmt.Sprintf("%+v", err); strings.Count(text, "\nMine: (1, [])") != 1 || strings.Count(text, "sentinel: Mine: (1, [])") != 1 {
		t.Errorf("printed:\n%s", text)
	}
	var functions []string
	for _, f := range e.Traceback {
		functions = append(functions, f.Function)
	}
	equal(t, "the traceback in Go", functions, []string{"<module>", "<module>", "fail"})
	// A long way up has no longer a traceback on each level.
	register(t, c, "up", func(ctx context.Context, n int) error { return c.Exec(ctx, "up(n)", py.Vars{"n": n - 1}) })
	run(t, c, "def up(n):\n  if n: go.up(n)\n  else: fail(n)")
	e = raises(t, "a long way", c.Exec(limit(t), "up(200)"), "Mine")
	equal(t, "its frames", []any{len(e.Traceback), e.Traceback[0].Function, e.Traceback[99].Function}, []any{100, "<module>", "fail"})
	equal(t, "a copy", eval[bool](t, c, `"'text'" in repr(copied)`, py.Vars{"copied": eval[*py.Object](t, c, "deep()")}), true)
	for code, want := range map[string]string{
		"raise SystemExit(7)":                       "SystemExit",
		"raise ExceptionGroup('g', [Mine(1, b=2)])": "ExceptionGroup",
		"'\\xff'.encode('ascii')":                   "UnicodeEncodeError",
		"raise StopIteration(5)":                    "StopIteration",
	} {
		run(t, c, "try: go.ask(code)\nexcept BaseException as e: caught = e", py.Vars{"code": code})
		equal(t, code, eval[string](t, c, "type(caught).__module__ + '.' + type(caught).__name__"), "builtins."+want)
	}
}

// errorsForgotten has exceptions that do not come back, and are let go of.
func errorsForgotten(t *testing.T, s *suite) {
	c, d := s.open(t), s.open(t)
	var last error
	register(t, c, "swallow", func(ctx context.Context, n int) {
		for range n {
			last = c.Exec(ctx, "fail()")
		}
	})
	register(t, c, "late", func() error { return last })
	register(t, c, "other", func(ctx context.Context) error { return d.Exec(ctx, "raise KeyError('there')") })
	register(t, c, "elsewhere", func() error { return c.Exec(context.Background(), "fail()") })
	register(t, c, "interrupted", func(ctx context.Context) error { return c.Exec(ctx, "raise go.Interrupted") })
	run(t, c, `
import go, weakref
class Mine(ValueError):
    def __init__(self):
        super().__init__('x')
        alive.add(self)
alive = weakref.WeakSet()
def fail(): raise Mine
def caught(f, *args):
    try: f(*args)
    except BaseException as e: return type(e).__module__ + '.' + type(e).__name__ + ': ' + str(e)
`)
	eval[any](t, c, "caught(go.swallow, 1000)")
	eventually(t, "what was swallowed is gone", func() bool { return eval[int](t, c, "len(alive)") == 0 })
	raises(t, "what was swallowed", last, "Mine")
	for f, want := range map[string]string{
		"late": "go.ValueError: Mine: x", "other": "go.KeyError: 'there'", "elsewhere": "go.ValueError: Mine: x",
		"interrupted": "go.KeyboardInterrupt: go.Interrupted",
	} {
		equal(t, f, eval[string](t, c, "caught(go."+f+")"), want)
	}
	last = nil
	// While one function runs, it holds a few, whatever Go keeps of them.
	register(t, c, "count", func(ctx context.Context) (int, error) {
		kept := make([]error, 100)
		for i := range kept {
			kept[i] = c.Exec(ctx, "fail()")
		}
		defer runtime.KeepAlive(kept)
		return py.Eval[int](ctx, c, "len(alive)")
	})
	if n := eval[int](t, c, "go.count()"); n > 20 {
		t.Errorf("a Go function holds %d exceptions", n)
	}
	eventually(t, "none is left", func() bool { return eval[int](t, c, "len(alive)") == 0 && py.Live().References == 0 })
}
