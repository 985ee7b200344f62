package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"

	"github.com/pycontext/py"
)

type customError struct{ code int }

func (e *customError) Error() string { return fmt.Sprint("custom ", e.code) }

func goErrors(t *testing.T, s *suite) {
	before := py.Live().Errors
	c := s.open(t)
	sentinel := errors.New("a sentinel")
	var next error
	register(t, c, "fail", func(int) (int, error) { return 0, next })
	register(t, c, "inline", func(int) (int, error) { return 0, next }, py.Inline())
	run(t, c, `
import go
def catch(f):
    try:
        f(1)
    except go.Error as e:
        return [type(e).__name__, str(e)] + [k.__name__ for k in (OSError, TimeoutError, EOFError, Exception) if isinstance(e, k)]
def wrap():
    try: go.fail(1)
    except Exception as e: raise ValueError('wrapped') from e
def during():
    try: go.fail(1)
    except Exception as e: raise ValueError('during')
def hidden():
    try: go.fail(1)
    except Exception as e: raise ValueError('hidden') from None
def group():
    try: go.fail(1)
    except Exception as e: raise ExceptionGroup('g', [KeyError(1), e])
def again():
    try: go.fail(1)
    except Exception as e: kept.append(e)
    raise kept.pop()
kept = []
`)
	for _, x := range []struct {
		err   error
		class string
		bases []string
	}{
		{sentinel, "Error", nil},
		{fmt.Errorf("wrapping: %w", sentinel), "Error", nil},
		{&customError{5}, "Error", nil},
		{fs.ErrNotExist, "FileNotFoundError", []string{"OSError"}},
		{context.DeadlineExceeded, "TimeoutError", []string{"OSError", "TimeoutError"}},
		{io.EOF, "EOFError", []string{"EOFError"}},
		{errors.New(""), "Error", nil},
		{errors.New("text with \xff"), "Error", nil},
		{errors.New("nul\x00 ü 😀 % {} \n"), "Error", nil},
		{errors.Join(sentinel, io.EOF), "EOFError", []string{"EOFError"}},
	} {
		next = x.err
		message := strings.ToValidUTF8(x.err.Error(), "\uFFFD")
		want := append(append([]string{x.class, message}, x.bases...), "Exception")
		for _, f := range []string{"go.fail", "go.inline"} {
			equal(t, fmt.Sprintf("%v caught", x.err), eval[[]string](t, c, "catch("+f+")"), want)
			_, err := c.Eval(limit(t), f+"(1)")
			is(t, "uncaught", err, x.err)
			raises(t, "uncaught", err, x.class)
			contains(t, "uncaught", err.Error(), message)
		}
		for _, f := range []string{"wrap", "during", "group", "again"} {
			_, err := c.Call(limit(t), "__main__", f)
			is(t, f, err, x.err)
		}
		_, err := c.Call(limit(t), "__main__", "hidden")
		raises(t, "hidden", err, "ValueError")
		equal(t, "hidden: errors.Is", errors.Is(err, x.err), false)
		var custom *customError
		_, err = c.Call(limit(t), "__main__", "wrap")
		if errors.As(err, &custom) != errors.As(x.err, &custom) {
			t.Errorf("errors.As of %v", err)
		}
	}
	next = sentinel
	// Through two contexts: the error of one becomes the error of the other.
	d := s.open(t)
	register(t, d, "via", func(ctx context.Context) error { return c.Exec(ctx, "go.fail(1)") })
	err := d.Exec(limit(t), "import go\ngo.via()")
	is(t, "through two contexts", err, sentinel)
	raises(t, "through two contexts", err, "go.Error")
	// A Python exception that passes through Go keeps its class.
	register(t, c, "up", func(ctx context.Context, code string) error { return c.Exec(ctx, code) })
	equal(t, "a KeyError through Go", eval[bool](t, c, "caught", py.Vars{"caught": c.Exec(limit(t),
		"try: go.up('{}[1]')\nexcept KeyError: pass") == nil}), true)
	raises(t, "a KeyError through Go", c.Exec(limit(t), "go.up('{}[1]')"), "LookupError")
	next = nil
	equal(t, "no error", eval[int](t, c, "go.fail(1)"), 0)
	eventually(t, "errors are forgotten", func() bool { c.Call(limit(t), "gc", "collect"); return py.Live().Errors == before })
}

func panics(t *testing.T, s *suite) {
	c := s.open(t)
	var value any
	register(t, c, "panic", func() { panic(value) })
	register(t, c, "inline", func() { panic(value) }, py.Inline())
	register(t, c, "deref", func() int { var p *int; return *p })
	register(t, c, "index", func(i int) int { return []int{1}[i] })
	register(t, c, "goexit", func() { runtime.Goexit() })
	register(t, c, "ctxpanic", func(ctx context.Context) { c.Eval(ctx, "1"); panic("after a call") })
	run(t, c, "import go")
	for _, v := range []any{"text", 5, io.ErrNoProgress, fmt.Errorf("wrapped: %w", io.EOF), "\xff", strings.Repeat("x", 100000), nil} {
		value = v
		for _, f := range []string{"panic", "inline"} {
			err := c.Exec(limit(t), "go."+f+"()")
			raises(t, f, err, "RuntimeError")
			var p *py.PanicError
			if !errors.As(err, &p) || len(p.Stack) == 0 {
				t.Errorf("%s(%.20v): no PanicError: %.100v", f, v, err)
			} else if v != nil {
				equal(t, "value", p.Value, v)
			}
			if e, ok := v.(error); ok {
				is(t, f, err, e)
			}
			works(t, c)
		}
	}
	for _, expr := range []string{"go.deref()", "go.index(5)", "go.goexit()", "go.ctxpanic()"} {
		for range 20 {
			_, err := c.Eval(limit(t), expr)
			raises(t, expr, err, "RuntimeError")
		}
		equal(t, expr+" caught", eval[int](t, c, "3"), 3)
	}
	run(t, c, "n = 0\nfor i in range(300):\n  try: [go.goexit, go.panic, go.deref][i % 3]()\n  except RuntimeError: n += 1\nassert n == 300")
	works(t, c)
}

func wrongArguments(t *testing.T, s *suite) {
	c := s.open(t)
	ran := 0
	register(t, c, "f", func(a int, b string) { ran++ })
	register(t, c, "inline", func(a int, b string) { ran++ }, py.Inline())
	register(t, c, "small", func(a int8) { ran++ })
	register(t, c, "opts", func(o scaled) { ran++ })
	run(t, c, "import go\nself = []\nself.append(self)")
	for _, x := range []struct {
		call  string
		texts []string
	}{
		{"f()", []string{"2 required"}}, {"f(1)", []string{"1 required positional argument"}},
		{"f(1, 'a', 2)", []string{"takes 2", "3 were given"}}, {"f('x', 'a')", []string{"argument 1", "int", "str"}},
		{"f(1, 2)", []string{"argument 2", "str", "int"}}, {"f(1, 'a', x=1)", []string{"keyword"}},
		{"f(1.5, 'a')", []string{"int", "float"}}, {"f(None, 'a')", []string{"int", "None"}}, {"f(1, None)", []string{"str", "None"}},
		{"f(2**64, 'a')", []string{"argument 1"}}, {"f(2**63, 'a')", []string{"argument 1"}}, {"small(128)", []string{"128", "int8"}},
		{"small(10**5000)", []string{"argument 1"}},
		{"f(1, b'a')", []string{"str", "bytes"}}, {"f(object(), 'a')", []string{"argument 1", "int"}},
		{"f(1, '\\ud800')", []string{"argument 2", "surrogate"}}, {"f(self, 'a')", []string{"argument 1", "1000 deep"}},
		{"opts(scale='x')", []string{"scale", "float"}}, {"opts(nope=1)", []string{"nope"}}, {"opts(Label='\\udfff')", []string{"Label", "surrogate"}},
		{"f(1, a='b' * 200)", nil}, {"f(True, 'a')", nil},
	} {
		for _, f := range []string{"go.", "go.in"} {
			if strings.HasPrefix(f, "go.in") {
				if !strings.HasPrefix(x.call, "f(") {
					continue
				}
				x.call = "line" + x.call[1:]
				f = "go.in"
			}
			_, err := c.Eval(limit(t), f+x.call)
			e := raises(t, f+x.call, err, "TypeError")
			contains(t, f+x.call, e.Message, x.texts...)
		}
	}
	equal(t, "functions that ran", ran, 0)
	equal(t, "references", py.Live().References, int64(0))
	works(t, c)
}
