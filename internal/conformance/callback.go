package conformance

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pycontext/py"
)

var callbackCases = []testCase{
	{"Case29Ways", callbackWays},
	{"Case29Registration", registration},
	{"Case29SameName", sameName},
	{"Case30ExactlyOnce", exactlyOnce},
	{"Case31Linear", linear},
	{"Case32Places", places},
	{"Case33GoErrors", goErrors},
	{"Case34Panics", panics},
	{"Case35WrongArguments", wrongArguments},
}

type scaled struct {
	Scale float64 `py:"scale"`
	Label string
}

func callbackWays(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "f", func(n int) int { return n + 1 })
	register(t, c, "inline", func(n int) int { return n + 1 }, py.Inline())
	register(t, c, "kw", func(n int, kw py.Kw) (string, error) { return fmt.Sprint(n, len(kw), kw["a"]), nil })
	register(t, c, "opts", func(n int, o scaled) float64 { return float64(n) * o.Scale })
	register(t, c, "nothing", func() {})
	register(t, c, "many", func(xs ...any) int { return len(xs) })
	register(t, c, "ctx", func(ctx context.Context) bool { return ctx != nil && ctx.Err() == nil })
	run(t, c, "import go\nfrom go import f, inline as i\nfrom inspect import signature")
	for _, x := range []struct {
		expr string
		want any
	}{
		{"go.f(1)", int64(2)}, {"f(1)", int64(2)}, {"go.call('f', 1)", int64(2)},
		{"go.inline(1)", int64(2)}, {"i(1)", int64(2)}, {"go.call('inline', 1)", int64(2)},
		{"go.kw(1, a=5, b=6)", "1 2 5"}, {"go.call('kw', 1, a=5)", "1 1 5"}, {"go.kw(1)", "1 0 <nil>"},
		{"go.kw(1, **{'name': 1, 'a b': 2})", "1 2 <nil>"}, {"go.call('kw', 1, name=3)", "1 1 <nil>"},
		{"go.opts(3, scale=2.5)", 7.5}, {"go.opts(3, {'scale': 2})", 6.0},
		{"go.nothing()", nil}, {"go.many()", int64(0)}, {"go.many(*range(500))", int64(500)},
		{"go.ctx()", true},
		{"[*map(go.f, range(3))]", []any{int64(1), int64(2), int64(3)}},
		{"callable(go.f), go.f.__name__", py.Tuple{true, "f"}},
		{"hasattr(go, 'f'), hasattr(go, 'nope')", py.Tuple{true, false}},
		{"'f' in dir(go), 'call' in dir(go), 'nope' in dir(go)", py.Tuple{true, true, false}},
		{"__import__('functools').partial(go.f, 4)()", int64(5)},
		{"[str(signature(f)) for f in (go.f, go.kw, go.opts, go.nothing, go.many, go.ctx)]", []any{
			"(arg1, /)", "(arg1, /, **kwargs)", "(arg1, arg2=None, /, **kwargs)", "()", "(*args)", "()"}},
		{"go.f.__doc__", "A function of the Go program."},
	} {
		v, err := c.Eval(limit(t), x.expr)
		if err != nil {
			t.Errorf("%s: %v", x.expr, err)
			continue
		}
		equal(t, x.expr, v, x.want)
	}
	for _, expr := range []string{"go.nope", "go.nope(1)", "go.call('nope', 1)"} {
		_, err := c.Eval(limit(t), expr)
		if !errors.Is(err, py.Exception("AttributeError")) && !errors.Is(err, py.Exception("LookupError")) {
			t.Errorf("%s: %v", expr, err)
		} else {
			contains(t, expr, err.Error(), "nope")
		}
	}
	err := c.Exec(limit(t), "from go import nope")
	contains(t, "from go import nope", raises(t, "import", err, "ImportError").Message, "nope")
	_, err = c.Eval(limit(t), "go.call(5)")
	raises(t, "go.call(5)", err, "TypeError")
	_, err = c.Eval(limit(t), "go.call('\\ud800')")
	if err == nil {
		t.Error("a surrogate's name")
	}
	_, err = c.Eval(limit(t), "go.call()")
	raises(t, "go.call()", err, "TypeError")
	env := s.env(t, c)
	run(t, env, "from go import f")
	equal(t, "in an env", eval[int](t, env, "f(1)"), 2)

	signature := func(v any) string {
		return eval[string](t, c, "str(signature(f))", py.Vars{"f": v})
	}
	equal(t, "a func as a value", signature(func(ctx context.Context, a, b int) {}), "(arg1, arg2, /)")
	equal(t, "with a name", signature(py.Func(func(a int, more ...any) {}, py.Name("a.b(c"))), "(arg1, /, *args)")
	many := reflect.FuncOf(slices.Repeat([]reflect.Type{reflect.TypeFor[int]()}, 100), nil, false)
	_, err = c.Eval(limit(t), "signature(f)", py.Vars{"f": reflect.MakeFunc(many, nil).Interface()})
	raises(t, "a hundred parameters", err, "ValueError")
	register(t, c, "f", func(a, b int) {})
	equal(t, "another function of that name", eval[string](t, c, "str(signature(go.f))"), "(arg1, arg2, /)")
}

func registration(t *testing.T, s *suite) {
	c, other := s.open(t), s.open(t)
	const name = "conformance_global"
	if err := py.Register(name, func() string { return "global" }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { py.Unregister(name) })
	run(t, c, "import go\ng = go."+name)
	run(t, other, "import go\ng = go."+name)
	equal(t, "global", eval[string](t, c, "g()"), "global")
	register(t, c, name, func() string { return "own" })
	equal(t, "own", eval[string](t, c, "g()")+eval[string](t, c, "go."+name+"()"), "ownown")
	equal(t, "elsewhere", eval[string](t, other, "g()"), "global")
	register(t, c, name, func() string { return "newer" })
	equal(t, "newer", eval[string](t, c, "g()"), "newer")
	equal(t, "Unregister", c.Unregister(name), true)
	equal(t, "Unregister again", c.Unregister(name), false)
	equal(t, "global again", eval[string](t, c, "g()"), "global")
	equal(t, "Unregister", py.Unregister(name), true)
	equal(t, "hasattr", eval[bool](t, c, "hasattr(go, '"+name+"')"), false)
	_, err := c.Eval(limit(t), "g()")
	contains(t, "a kept function", raises(t, "g()", err, "AttributeError").Message, name)
	for _, bad := range []string{"", "a b", "__x", "call", "Error", "Interrupted", "1a", "a.b", "\xff"} {
		if c.Register(bad, func() {}) == nil {
			t.Errorf("registered as %q", bad)
		}
	}
	for _, fn := range []any{nil, 5, "x", (func())(nil), func() (int, int) { return 1, 2 }, func(chan int) {},
		func(func()) {}, func() chan<- int { return nil }, func() uintptr { return 0 },
		func(int, context.Context) {}, func() (error, int) { return nil, 0 }, func() (int, error, int) { return 0, nil, 0 }} {
		if c.Register("x", fn) == nil {
			t.Errorf("registered a %T", fn)
		}
	}
	equal(t, "nothing registered", eval[bool](t, c, "hasattr(go, 'x')"), false)
	register(t, c, "known", func() string { return "Go" })
	for _, code := range []string{"known = go.known\nassert go.known is known and getattr(go, 'known') is known",
		"go.known = 5\nassert go.known == 5\ndel go.known\nassert go.known() == 'Go'",
		"class Name(str): pass\nassert getattr(go, Name('known')).__name__ == 'known'",
		"try: getattr(go, 5)\nexcept TypeError: pass\nelse: raise AssertionError",
		"import threading\nfound = []\nt = threading.Thread(target=lambda: found.append(go.known()))\nt.start()\nt.join()\nassert found == ['Go']",
		"import types\nassert isinstance(go, types.ModuleType) and repr(go) == \"<module 'go'>\", repr(go)",
		"import go; go.x = 5", "import go, sys, importlib; assert sys.modules['go'] is go"} {
		run(t, c, code)
	}
	run(t, c, "del go.x")
}

// exactlyOnce has every verb run code before, between and after callbacks, and counts.
func exactlyOnce(t *testing.T, s *suite) {
	c := s.open(t)
	var seen []string
	register(t, c, "cb", func(x string) string { seen = append(seen, x); return strings.ToUpper(x) })
	const code = `
import go
def body(trace):
    trace.append('before')
    try:
        with W(trace):
            a = go.cb('a')
            trace.append('between')
            b = go.cb('b')
            trace.append(a + b)
            go.cb('c')
    finally:
        trace.append('finally')
        go.cb('d')
    trace.append('after')
    return trace
class W:
    def __init__(self, trace): self.trace = trace
    def __enter__(self): self.trace.append('enter'); go.cb('in')
    def __exit__(self, *e): self.trace.append('exit'); go.cb('out')
class M:
    def go(self): return body([])
    @property
    def attr(self): return body([])
m = M()
`
	want := []string{"before", "enter", "between", "AB", "exit", "finally", "after"}
	calls := []string{"in", "a", "b", "c", "out", "d"}
	env := s.env(t, c)
	run(t, env, code)
	run(t, c, code)
	ctx := limit(t)
	o, p := eval[*py.Object](t, c, "m"), eval[*py.Object](t, env, "m")
	trace := func(r py.Runner) ([]string, error) { return py.Eval[[]string](ctx, r, "trace") }
	for name, use := range map[string]func() ([]string, error){
		"call":        func() ([]string, error) { return py.Call[[]string](ctx, c, "__main__", "body", []any{}) },
		"eval":        func() ([]string, error) { return py.Eval[[]string](ctx, c, "body([])") },
		"eval vars":   func() ([]string, error) { return py.Eval[[]string](ctx, c, "body(x)", py.Vars{"x": []any{}}) },
		"exec":        func() ([]string, error) { run(t, c, "trace = []\nbody(trace)"); return trace(c) },
		"method":      func() ([]string, error) { return py.CallMethod[[]string](ctx, o, "go") },
		"attr":        func() ([]string, error) { return py.Attr[[]string](ctx, o, "attr") },
		"env call":    func() ([]string, error) { return py.Call[[]string](ctx, env, "__main__", "body", []any{}) },
		"env eval":    func() ([]string, error) { return py.Eval[[]string](ctx, env, "body([])") },
		"env exec":    func() ([]string, error) { run(t, env, "trace = []\nbody(trace)"); return trace(env) },
		"env method":  func() ([]string, error) { return py.CallMethod[[]string](ctx, p, "go") },
		"env preload": func() ([]string, error) { return want, nil },
	} {
		seen = nil
		got, err := use()
		if err != nil {
			t.Errorf("%s: %+v", name, err)
		}
		equal(t, name, got, want)
		if name != "env preload" {
			equal(t, name+": callbacks", seen, calls)
		}
	}
	// A preload that calls Go, in New and in NewEnv.
	if err := py.Register("conformance_preload", func() int { seen = append(seen, "p"); return len(seen) }); err != nil {
		t.Fatal(err)
	}
	defer py.Unregister("conformance_preload")
	seen = nil
	d := s.open(t, py.Options{Preload: "import go\nn = go.conformance_preload()"})
	equal(t, "preload in an env", eval[int](t, s.env(t, d), "n"), 2)
	equal(t, "preload", eval[int](t, d, "n"), 1)
}

// linear compares the cost of a callback in a short and in a long call.
func linear(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "inc", func(n int) int { return n + 1 })
	run(t, c, "import go\ndef loop(n):\n  x = 0\n  for _ in range(n): x = go.inc(x)\n  return x")
	each := func(n int) time.Duration {
		best := time.Hour
		for range 5 {
			start := time.Now()
			equal(t, "loop", call[int](t, c, "__main__", "loop", n), n)
			best = min(best, time.Since(start)/time.Duration(n))
		}
		return best
	}
	bound := 3*each(100) + 20*time.Microsecond
	for _, n := range []int{1000, 4000} {
		within(t, fmt.Sprintf("one of %d callbacks", n), bound, func() time.Duration { return each(n) })
	}
}

func places(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "f", func(n int) int { return n * 10 })
	register(t, c, "fail", func(n int) (int, error) { return 0, fmt.Errorf("failed %d", n) })
	register(t, c, "nested", func(ctx context.Context, expr string) (any, error) { return c.Eval(ctx, expr) })
	for name, code := range map[string]string{
		"try":              "try:\n  r = go.f(1)\nexcept Exception: r = -1",
		"except":           "try:\n  go.fail(1)\nexcept Exception as e: r = 10 if 'failed 1' in str(e) else -1",
		"except base":      "try:\n  go.fail(1)\nexcept BaseException as e: r = 10",
		"in except":        "try:\n  1/0\nexcept ZeroDivisionError:\n  r = go.f(1)\n  import sys\n  assert sys.exc_info()[0] is ZeroDivisionError",
		"finally":          "try:\n  r = 1\nfinally:\n  r = go.f(1)",
		"bare raise":       "try:\n  try:\n    1/0\n  except ZeroDivisionError:\n    go.f(1)\n    raise\nexcept ZeroDivisionError: r = 10",
		"with":             "import contextlib\n@contextlib.contextmanager\ndef m():\n  yield go.f(1)\n  go.f(2)\nwith m() as r: go.f(3)",
		"generator":        "def g():\n  for i in range(3): yield go.f(i)\nr = sum(g()) - 20",
		"generator2":       "def g():\n  for i in range(3):\n    yield i\n    go.f(i)\nr = 0\nfor x in g(): r += go.f(x)\nr -= 20",
		"comprehension":    "r = sum([go.f(i) for i in range(3)]) - 20",
		"dict compr.":      "r = {i: go.f(i) for i in range(3)}[1]",
		"gen. expr.":       "r = sum(go.f(i) for i in range(3)) - 20",
		"class body":       "class K:\n  x = go.f(1)\nr = K.x",
		"decorator":        "def d(f):\n  go.f(0)\n  return lambda: go.f(f())\n@d\ndef h(): return 1\nr = h()",
		"go decorator":     "class D:\n  def __init__(self, f): self.v = go.f(1)\n@D\ndef h(): pass\nr = h.v",
		"default":          "def h(x=go.f(1)): return x\nr = h()",
		"__del__":          "out = []\nclass X:\n  def __del__(self): out.append(go.f(1))\nx = X()\ndel x\nimport gc\ngc.collect()\nr = out[0]",
		"gc":               "import gc\nout = []\nclass X:\n  def __init__(self): self.me = self\n  def __del__(self): out.append(go.f(1))\nX()\ngc.collect()\nr = out[0]",
		"weakref":          "import weakref, gc\nout = []\nclass X: pass\nx = X()\nw = weakref.ref(x, lambda _: out.append(go.f(1)))\ndel x\ngc.collect()\nr = out[0]",
		"sort key":         "r = sorted([3, 1, 2], key=go.f)[0] * 10",
		"sort key2":        "l = [3, 1, 2]\nl.sort(key=lambda x: -go.f(x))\nr = l[-1] * 10",
		"cmp":              "import functools\nr = sorted([3, 1, 2], key=functools.cmp_to_key(lambda a, b: go.f(a) - go.f(b)))[0] * 10",
		"property":         "class K:\n  @property\n  def p(self): return go.f(1)\nr = K().p",
		"__getattr__":      "class K:\n  def __getattr__(self, n): return go.f(1)\nr = K().anything",
		"descriptor":       "class D:\n  def __set_name__(self, o, n): self.v = go.f(1)\nclass K:\n  d = D()\nr = K.__dict__['d'].v",
		"metaclass":        "class M(type):\n  def __new__(m, *a): go.f(1); return super().__new__(m, *a)\n  def __call__(c): return go.f(1)\nclass K(metaclass=M): pass\nr = K()",
		"__eq__/hash":      "class K:\n  def __hash__(self): return go.f(1)\n  def __eq__(self, o): return go.f(0) == 0\nr = 10 if K() in {K(): 1} else 0",
		"__iter__":         "class K:\n  def __iter__(self): return iter([go.f(1)])\nr, = K()",
		"yield from":       "def g():\n  yield go.f(1)\ndef h(): yield from g()\nr = next(h())",
		"lambda":           "r = (lambda x: go.f(x))(1)",
		"match":            "match go.f(1):\n  case 10: r = go.f(1)\n  case _: r = -1",
		"walrus":           "r = y if (y := go.f(1)) else 0",
		"f-string":         "r = int(f'{go.f(1)}')",
		"lru_cache":        "import functools\n@functools.lru_cache\ndef h(x): return go.f(x)\nh(1)\nr = h(1)",
		"import":           "import sys, types\nclass F:\n  @staticmethod\n  def find_spec(n, p, t=None):\n    if n == 'conf_mod': go.f(1)\nsys.meta_path.append(F)\ntry:\n  import conf_mod\nexcept ImportError: r = 10\nfinally: sys.meta_path.remove(F)",
		"star args":        "r = max(*[go.f(i) for i in (0, 1)])",
		"assert":           "try:\n  assert go.f(0), go.f(1)\nexcept AssertionError as e: r = e.args[0]",
		"del statement":    "class K:\n  def __delitem__(self, i): K.r = go.f(1)\nk = K()\ndel k[0]\nr = K.r",
		"coroutine":        "import asyncio\nasync def co():\n  a = go.f(1)\n  await asyncio.sleep(0)\n  return a\nr = asyncio.run(co())",
		"async gen":        "import asyncio\nasync def ag():\n  for i in range(3):\n    yield go.f(i)\n    await asyncio.sleep(0)\nasync def co(): return sum([x async for x in ag()])\nr = asyncio.run(co()) - 20",
		"gather":           "import asyncio\nasync def one(i):\n  await asyncio.sleep(0)\n  return go.f(i)\nasync def co(): return sum(await asyncio.gather(*[one(i) for i in range(3)]))\nr = asyncio.run(co()) - 20",
		"to_thread":        "import asyncio\nasync def co(): return await asyncio.to_thread(go.f, 1)\nr = asyncio.run(co())",
		"nested eval":      "r = go.nested('__import__(\"go\").f(1)')",
		"exec in exec":     "ns = {}\nexec('import go\\nr = go.f(1)', ns)\nr = ns['r']",
		"recursion":        "def rec(n): return go.f(1) if n == 0 else rec(n - 1)\nr = rec(500)",
		"context vars":     "import contextvars\nv = contextvars.ContextVar('v')\nv.set(1)\nctx = contextvars.copy_context()\nr = ctx.run(lambda: go.f(v.get()))\nassert v.get() == 1",
		"trace":            "import sys\nlines = []\nsys.settrace(lambda *a: lines.append(1))\ntry:\n  r = go.f(1)\nfinally: sys.settrace(None)",
		"atexit":           "import atexit\nr = go.f(1)",
		"warnings":         "import warnings\nwith warnings.catch_warnings():\n  warnings.simplefilter('error')\n  r = go.f(1)",
		"exception str":    "class E(Exception):\n  def __str__(self): return str(go.f(1))\ntry: raise E\nexcept E as e: r = int(str(e))",
		"generator close":  "out = []\ndef g():\n  try: yield 1\n  finally: out.append(go.f(1))\nx = g()\nnext(x)\nx.close()\nr = out[0]",
		"generator throw":  "def g():\n  try: yield 1\n  except ValueError: yield go.f(1)\nx = g()\nnext(x)\nr = x.throw(ValueError)",
		"signal.setitimer": "r = go.f(1)",
	} {
		env := s.env(t, c)
		if err := env.Exec(limit(t), "import go\n"+code); err != nil {
			t.Errorf("%s: %+v", name, err)
			continue
		}
		equal(t, name, eval[any](t, env, "r"), int64(10))
	}
	// A generator that lives across requests, and is suspended while others run.
	run(t, c, "import go\ndef gen():\n  for i in range(100): yield go.f(i)\ng = gen()")
	for i := range 100 {
		equal(t, "next", eval[int](t, c, "next(g)"), i*10)
	}
	// An exception's __str__ that calls Go while the result is written.
	err := c.Exec(limit(t), "class E(Exception):\n  def __str__(self): return str(go.f(7))\nraise E")
	equal(t, "message", raises(t, "raise E", err, "E").Message, "70")
	works(t, c)
}

// sameName calls a function whose arguments take their time to convert, while another context calls its own of that name, which
// is inline: functions are kept by name for all contexts of an interpreter.
func sameName(t *testing.T, s *suite) {
	c, other := s.open(t), s.open(t)
	converting := make(chan struct{})
	register(t, c, "converting", func() { close(converting) })
	register(t, c, "f", func(any) (int, error) {
		got := make(chan int, 1)
		go func() { got <- eval[int](t, c, "2") }()
		select {
		case n := <-got:
			return n, nil
		case <-time.After(20 * time.Second):
			return 0, errors.New("it runs on the Python thread")
		}
	})
	register(t, other, "f", func(any) int { return 3 }, py.Inline())
	run(t, c, "import go, time\nclass Kelvin: pass\ndef slow(k):\n  go.converting()\n  time.sleep(0.2)\n  return 1.0")
	convert[kelvin](t, c, "Kelvin", py.Converter{To: "slow"})
	result := make(chan any, 1)
	go func() {
		v, err := c.Eval(limit(t), "go.f(Kelvin())")
		result <- []any{v, err}
	}()
	<-converting
	run(t, other, "import go\nassert go.f(1) == 3")
	equal(t, "a function that is not inline", <-result, any([]any{int64(2), error(nil)}))
}
