package conformance

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/pycontext/py"
)

var envCases = []testCase{
	{"Case21EnvsApart", envsApart},
	{"Case22EnvPreload", envPreload},
	{"Case23EnvWrongContext", envWrongContext},
	{"Case23ClosedOnTheWay", closedOnTheWay},
	{"Case24EnvFunctions", envFunctions},
}

func (s *suite) env(t testing.TB, c *py.Context) *py.Env {
	t.Helper()
	e, err := c.NewEnv(limit(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func envsApart(t *testing.T, s *suite) {
	c := s.open(t)
	a, b := s.env(t, c), s.env(t, c)
	run(t, a, "x = 1\nonly_a = 1\ndef f(): return x")
	run(t, b, "x = 2\ndef f(): return x")
	run(t, c, "x = 3\nonly_c = 1")
	for i, r := range []py.Runner{a, b, c} {
		equal(t, "x", eval[int](t, r, "x"), i+1)
	}
	equal(t, "a.f", call[int](t, a, "__main__", "f"), 1)
	equal(t, "b.f", call[int](t, b, "__main__", "f"), 2)
	for name, runners := range map[string][]py.Runner{"only_a": {b, c}, "only_c": {a, b}} {
		for _, r := range runners {
			_, err := py.Eval[any](limit(t), r, name)
			raises(t, name, err, "NameError")
		}
	}
	_, err := py.Call[any](limit(t), c, "__main__", "f")
	raises(t, "f in the context", err, "AttributeError")
	equal(t, "variables in an env", eval[int](t, a, "x + v", py.Vars{"v": 10}), 11)
	equal(t, "exec variables in an env", func() int { run(t, a, "w = v", py.Vars{"v": 10}); return eval[int](t, a, "w + v") }(), 20)
	_, err = c.Eval(limit(t), "v")
	raises(t, "v in the context", err, "NameError")
	equal(t, "__name__", eval[string](t, a, "__name__"), "__main__")
	equal(t, "the same source in both", eval[int](t, a, "(lambda: x)()")*10+eval[int](t, b, "(lambda: x)()"), 12)
}

func envPreload(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: "base = [1]\ndef get(): return base"})
	a := s.env(t, c)
	equal(t, "base", eval[any](t, a, "get()"), []any{int64(1)})
	run(t, a, "base.append(2)\nlater = 1")
	run(t, c, "base.append(3)\nin_context = 1")
	b := s.env(t, c)
	for _, x := range []struct {
		r    py.Runner
		want []int
	}{{a, []int{1, 2}}, {c, []int{1, 3}}, {b, []int{1}}} {
		equal(t, "base", eval[[]int](t, x.r, "get()"), x.want)
	}
	for r, name := range map[py.Runner]string{b: "later", c: "later", a: "in_context"} {
		_, err := py.Eval[any](limit(t), r, name)
		raises(t, name, err, "NameError")
	}
	counted := s.open(t, py.Options{Preload: "import sys\nsys.made = getattr(sys, 'made', 0) + 1\nassert sys.made < 2, 'no more'"})
	_, err := counted.NewEnv(limit(t))
	contains(t, "a preload that fails in NewEnv", raises(t, "NewEnv", err, "AssertionError").Message, "no more")
	run(t, counted, "del sys.made")
}

func envWrongContext(t *testing.T, s *suite) {
	a, b := s.open(t), s.open(t)
	env := s.env(t, a)
	_, err := b.Call(limit(t), "builtins", "len", env)
	is(t, "as an argument elsewhere", err, py.ErrWrongContext)
	equal(t, "as an argument", call[bool](t, a, "builtins", "isinstance", env, eval[*py.Object](t, a, "dict")), true)
	equal(t, "Context", env.Context() == a, true)
	o := eval[*py.Object](t, b, "[]")
	_, err = env.Call(limit(t), "builtins", "len", o)
	is(t, "another context's object in an env", err, py.ErrWrongContext)
	a.Close()
	_, err = env.Eval(limit(t), "1")
	is(t, "after Close of the context", err, py.ErrClosed)
	env = s.env(t, b)
	equal(t, "before", eval[int](t, env, "1"), 1)
	env.Close()
	_, err = env.Eval(limit(t), "1")
	is(t, "after Close of the env", err, py.ErrClosed)
	_, err = b.Call(limit(t), "builtins", "len", env)
	is(t, "a closed env as an argument", err, py.ErrClosed)
	is(t, "Close again", env.Close(), nil)
	works(t, b)
}

// closing closes something while a request that names it is on its way.
type closing struct{ io.Closer }

func (c closing) MarshalPython() (any, error) { return 0, c.Close() }

func closedOnTheWay(t *testing.T, s *suite) {
	c := s.open(t)
	object := func() *py.Object { return eval[*py.Object](t, c, "[]") }
	env := s.env(t, c)
	_, err := env.Eval(limit(t), "1", py.Vars{"x": closing{env}})
	is(t, "the env of a request", err, py.ErrClosed)
	env = s.env(t, c)
	_, err = c.Call(limit(t), "builtins", "len", []any{env, closing{env}})
	is(t, "an env as an argument", err, py.ErrClosed)
	o := object()
	_, err = o.CallMethod(limit(t), "append", closing{o})
	is(t, "the object of a method", err, py.ErrClosed)
	o = object()
	_, err = c.Call(limit(t), "builtins", "len", []any{o, closing{o}})
	is(t, "an object as an argument", err, py.ErrClosed)
	works(t, c)
}

func envFunctions(t *testing.T, s *suite) {
	c := s.open(t)
	env := s.env(t, c)
	register(t, c, "back", func(ctx context.Context, name string, n int) (int, error) {
		return py.Call[int](ctx, env, "__main__", name, n)
	})
	run(t, env, "import go\nk = 10\ndef outer(n): return go.back('inner', n) + 1\ndef inner(n): return n * k\ndef deep(n): return n if n == 0 else go.back('deep', n - 1) + 1")
	equal(t, "outer", call[int](t, env, "__main__", "outer", 5), 51)
	equal(t, "deep", call[int](t, env, "__main__", "deep", 50), 50)
	f := eval[*py.Object](t, env, "outer")
	env2 := s.env(t, c)
	equal(t, "called elsewhere", eval[int](t, env2, "f(5)", py.Vars{"f": f}), 51)
	env.Close()
	_, err := f.Call(limit(t), 5)
	is(t, "through a closed env", err, py.ErrClosed)
	equal(t, "its globals live on", eval[int](t, c, "f.__globals__['k']", py.Vars{"f": f}), 10)
	for i := range 50 {
		e := s.env(t, c)
		run(t, e, fmt.Sprintf("v = %d\ndef f(): return v", i))
		equal(t, "v", call[int](t, e, "__main__", "f"), i)
		e.Close()
	}
}
