package conformance

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pycontext/py"
)

var callCases = []testCase{
	{"Case11Call", callBasics},
	{"Case11SameAgain", sameAgain},
	{"Case12Missing", callMissing},
	{"Case12HalfImported", halfImported},
	{"Case13Large", callLarge},
	{"Case14OwnAnswers", ownAnswers},
	{"Case14ArrivalOrder", arrivalOrder},
	{"Case15BadArguments", badArguments},
}

func callBasics(t *testing.T, s *suite) {
	c := s.open(t)
	env, err := c.NewEnv(limit(t))
	if err != nil {
		t.Fatal(err)
	}
	run(t, c, "def who(): return 'context'\nclass A:\n  class B:\n    def f(x, *, y=1): return x, y")
	run(t, env, "def who(): return 'env'")
	for _, x := range []struct {
		r                py.Runner
		module, function string
		args             []any
		want             any
	}{
		{c, "math", "sqrt", []any{16}, 4.0},
		{c, "builtins", "len", []any{[]int{1, 2, 3}}, int64(3)},
		{c, "json", "dumps", []any{map[string]int{"a": 1}, py.Kw{"indent": 2}}, "{\n  \"a\": 1\n}"},
		{c, "builtins", "dict", []any{py.Kw{"a": 1, "b": "x"}}, map[string]any{"a": int64(1), "b": "x"}},
		{c, "builtins", "int", []any{"ff", py.Kw{"base": 16}}, int64(255)},
		{c, "__main__", "who", nil, "context"},
		{env, "__main__", "who", nil, "env"},
		{env, "math", "sqrt", []any{4}, 2.0},
		{c, "__main__", "len", []any{"abc"}, int64(3)},
		{env, "__main__", "len", []any{"abc"}, int64(3)},
		{c, "__main__", "A.B.f", []any{1, py.Kw{"y": 2}}, py.Tuple{int64(1), int64(2)}},
		{c, "datetime", "datetime.fromtimestamp.__name__.upper", nil, "FROMTIMESTAMP"},
		{c, "os.path", "join", []any{"a", "b"}, "a/b"},
		{c, "importlib.util", "find_spec.__name__.__len__", nil, int64(9)},
		{c, "builtins", "max", []any{1, 2, py.Kw{}}, int64(2)},
		{c, "builtins", "max", []any{1, 2, py.Kw(nil)}, int64(2)},
	} {
		got, err := py.Call[any](limit(t), x.r, x.module, x.function, x.args...)
		if err != nil {
			t.Errorf("%s.%s: %v", x.module, x.function, err)
			continue
		}
		if d, ok := got.(map[string]any); !ok || d == nil {
			equal(t, x.module+"."+x.function, got, x.want)
		} else {
			equal(t, x.module+"."+x.function, d, x.want)
		}
	}
	many := py.Kw{}
	for i := range 1000 {
		many[fmt.Sprint("k", i)] = i
	}
	equal(t, "1000 keywords", call[int](t, c, "builtins", "eval", "len(k) + sum(k.values())",
		map[string]any{"k": call[*py.Object](t, c, "builtins", "dict", many)}), 1000+999*500)
	args := make([]any, 1000)
	equal(t, "1000 arguments", len(call[[]any](t, c, "__main__", "list", call[*py.Object](t, c, "builtins", "tuple", args))), 1000)
	run(t, c, "def count(*a, **k): return len(a), len(k)")
	equal(t, "1000 of both", call[any](t, c, "__main__", "count", append(args, many)...), py.Tuple{int64(1000), int64(1000)})
}

// What a request leaves of itself for the next, which may be the same again, or nearly, is never taken for something else.
func sameAgain(t *testing.T, s *suite) {
	c := s.open(t)
	env, err := c.NewEnv(limit(t))
	if err != nil {
		t.Fatal(err)
	}
	const code = "def %s(*args): return {'Name': '%s', 'Args': len(args), 'Bytes': sum(map(len, args))}"
	for _, name := range []string{"f", "g", "ff", "a" + strings.Repeat("b", 200)} {
		run(t, c, fmt.Sprintf(code, name, name))
		run(t, env, fmt.Sprintf(code, name, "env "+name))
	}
	run(t, c, "import sys, types\nsys.modules['again'] = types.ModuleType('again')")
	run(t, c, "exec(code, vars(sys.modules['again']))", py.Vars{"code": fmt.Sprintf(code, "f", "again f")})
	type answer struct {
		Name        string
		Args, Bytes int
	}
	random := mathrand.New(mathrand.NewPCG(1, 2))
	pick := func(names ...string) string { return names[random.IntN(len(names))] }
	for i := range 3000 {
		runner, who := py.Runner(c), ""
		if random.IntN(4) == 0 {
			runner, who = env, "env "
		}
		name := pick("f", "f", "f", "g", "ff", "a"+strings.Repeat("b", 200))
		module := "__main__"
		if name == "f" && random.IntN(4) == 0 {
			module, who = "again", "again "
		}
		want := answer{Name: who + name}
		var args []any
		for range random.IntN(3) {
			n := []int{0, 5, 90, 110, 300, 70_000, 140_000}[random.IntN(7)]
			args = append(args, strings.Repeat("x", n))
			want.Args, want.Bytes = want.Args+1, want.Bytes+n
		}
		var got answer
		switch random.IntN(6) {
		case 0:
			got, err = py.Call[answer](limit(t), runner, module, name, args...)
		case 1, 2:
			var x any
			x, err = py.Call[any](limit(t), runner, module, name, args...)
			if m, ok := x.(map[string]any); ok {
				got = answer{m["Name"].(string), int(m["Args"].(int64)), int(m["Bytes"].(int64))}
			}
		case 3:
			var o *py.Object
			if o, err = py.Call[*py.Object](limit(t), runner, module, name, args...); err == nil {
				got, err = py.Decode[answer](limit(t), o)
				o.Close()
			}
		case 4:
			module := fmt.Sprintf("__import__('sys').modules.get(%q) or __import__('types').SimpleNamespace(**globals())", strings.Trim(module, "_"))
			got, err = py.Eval[answer](limit(t), runner, "("+module+")."+name+"(*args)", py.Vars{"args": args})
		case 5:
			if _, err = runner.(interface {
				Call(context.Context, string, string, ...any) (any, error)
			}).Call(limit(t), "__main__", name, append(args, make(chan<- int))...); !py.SafeToRetry(err) {
				t.Fatalf("request %d: got %v for what Python cannot have", i, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("request %d, %s: %v", i, want.Name, err)
		}
		equal(t, fmt.Sprintf("request %d", i), got, want)
	}
}

func callMissing(t *testing.T, s *suite) {
	c := s.open(t)
	for _, x := range []struct{ module, function, class, text string }{
		{"no_such_module", "f", "ModuleNotFoundError", "no_such_module"},
		{"math", "no_such", "AttributeError", "no_such"},
		{"math", "sqrt.no_such", "AttributeError", "no_such"},
		{"__main__", "no_such", "AttributeError", "no_such"},
		{"os.no_such", "f", "ModuleNotFoundError", "no_such"},
		{"math", "pi", "TypeError", "not callable"},
		{"builtins", "len", "TypeError", "exactly one argument"},
		{"with space", "f", "ModuleNotFoundError", "with space"},
		{"ünï", "f", "ModuleNotFoundError", "ünï"},
		{"..", "f", "", ""},
		{".rel", "f", "", ""},
		{"a\x00b", "f", "", ""},
		{strings.Repeat("x", 100000), "f", "", ""},
	} {
		_, err := c.Call(limit(t), x.module, x.function)
		if err == nil {
			t.Errorf("%.20q.%s: no error", x.module, x.function)
		}
		if x.class != "" {
			contains(t, x.module, raises(t, x.module+"."+x.function, err, x.class).Message, x.text)
		}
		works(t, c)
	}
	for _, x := range [][2]string{{"", "f"}, {"math", ""}, {"math", "."}, {"math", "a..b"}, {"math", "a."}, {"math", "\xff"}, {"\xff", "a"}} {
		_, err := c.Call(limit(t), x[0], x[1])
		if err == nil || !py.SafeToRetry(err) {
			t.Errorf("%q: got %v, want an error before Python is touched", x, err)
		}
	}
	works(t, c)
}

// halfImported calls a function of a module that a thread is in the middle of importing: as for an import statement, it has to wait.
func halfImported(t *testing.T, s *suite) {
	c := s.open(t)
	dir := t.TempDir()
	source := "import go\ngo.halfway()\ndef f(): return 1"
	if err := os.WriteFile(filepath.Join(dir, "conformance_half.py"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	halfway, goOn := make(chan struct{}), make(chan struct{})
	register(t, c, "halfway", func() { close(halfway); <-goOn })
	run(t, c, "import sys, threading\nsys.path.append(d)\ndef load(): import conformance_half\nt = threading.Thread(target=load)\nt.start()", py.Vars{"d": dir})
	<-halfway
	type answer struct {
		value int
		err   error
	}
	answers := make(chan answer, 2)
	go func() {
		v, err := py.Call[int](limit(t), c, "conformance_half", "f")
		answers <- answer{v, err}
		err = c.Attach(limit(t), func(a *py.Attached) error {
			m, err := a.Import("conformance_half")
			if err == nil {
				v, err = py.CallMethodRef[int](m, "f")
			}
			return err
		})
		answers <- answer{v, err}
	}()
	time.AfterFunc(20*time.Millisecond, func() { close(goOn) }) // one that does not wait is through before
	for range 2 {
		equal(t, "f", <-answers, answer{value: 1})
	}
	run(t, c, "t.join()\nsys.path.remove(d)\nsys.modules['conformance_half'] = None")
	_, err := c.Call(limit(t), "conformance_half", "f")
	raises(t, "a module that sys.modules forbids", err, "ModuleNotFoundError")
	run(t, c, "del sys.modules['conformance_half']")
}

func callLarge(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "def same(x): return x")
	ints := make([]int, 10000)
	for i := range ints {
		ints[i] = i * i
	}
	equal(t, "ints", call[[]int](t, c, "__main__", "same", ints), ints)
	b := make([]byte, 64<<10)
	rand.Read(b)
	if !bytes.Equal(call[[]byte](t, c, "__main__", "same", b), b) {
		t.Error("bytes differ")
	}
	big := bytes.Repeat([]byte{0, 1, 255}, 10<<20)
	if !bytes.Equal(call[[]byte](t, c, "__main__", "same", big), big) {
		t.Error("30 MB differ")
	}
	equal(t, "afterwards", call[int](t, c, "__main__", "same", 1), 1)
}

func ownAnswers(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
busy = 0
def answer(g, i):
    global busy
    busy += 1
    assert busy == 1
    x = [g * 1000 + i for _ in range(50)]
    busy -= 1
    return sum(x) // 50
`)
	var wg sync.WaitGroup
	for g := range 20 {
		wg.Go(func() {
			for i := range 100 {
				n, err := py.Call[int](context.Background(), c, "__main__", "answer", g, i)
				if err != nil || n != g*1000+i {
					t.Errorf("%d, %d: %v, %v", g, i, n, err)
				}
			}
		})
	}
	wg.Wait()
}

// arrivalOrder puts requests behind a long one, one after the other.
func arrivalOrder(t *testing.T, s *suite) {
	c := s.open(t)
	running := make(chan struct{})
	register(t, c, "running", func() { close(running) }, py.Inline()) // others would be let in while it runs
	run(t, c, "import go, time\norder = []")
	var wg sync.WaitGroup
	release := t.TempDir() + "/release"
	wg.Go(func() {
		c.Exec(context.Background(), "import os\ngo.running()\nwhile not os.path.exists(path): time.sleep(0.005)", py.Vars{"path": release})
	})
	<-running
	for i := range 20 {
		wg.Go(func() { c.Call(context.Background(), "__main__", "order.append", i) })
		eventually(t, "the request is there", func() bool { return waiting() == i+2 })
	}
	main, err := py.New(context.Background(), py.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer main.Close()
	run(t, main, "open(path, 'w').close()", py.Vars{"path": release})
	wg.Wait()
	for i, got := range eval[[]int](t, c, "order") {
		equal(t, "position", got, i)
	}
}

type inner struct{ Items []any }

func badArguments(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "calls = []\ndef f(*a, **k): calls.append((a, k))")
	channel := make(chan<- int)
	cyclicList := []any{nil}
	cyclicList[0] = cyclicList
	cyclicMap := map[string]any{}
	cyclicMap["me"] = cyclicMap
	type node struct{ Next *node }
	cyclicPointer := &node{}
	cyclicPointer.Next = cyclicPointer
	deep := any(1)
	for range 2000 {
		deep = []any{deep}
	}
	for _, x := range []struct {
		place string
		args  []any
	}{
		{"args[0]", []any{channel}},
		{"args[1]", []any{1, func() (int, int) { return 1, 2 }}},
		{"args[0].Items[3]", []any{inner{[]any{1, 2, 3, channel}}}},
		{"args[0][\"a\"][1]", []any{map[string]any{"a": []any{1, channel}}}},
		{"kw[\"x\"]", []any{1, py.Kw{"x": channel}}},
		{"kw[\"x\"][2]", []any{py.Kw{"x": []any{1, 2, channel}}}},
		{"args[0]", []any{"\xff"}},
		{"args[0]", []any{"\xed\xa0\x80"}},
		{"args[0]", []any{py.Kw{"a": 1}, 2}},
		{"args[0]", []any{cyclicList}},
		{"args[0]", []any{cyclicMap}},
		{"args[0]", []any{cyclicPointer}},
		{"args[0]", []any{deep}},
		{"kw[", []any{py.Kw{"\xff": 1}}},
		{"args[0]", []any{&channel}},
		{"args[0]", []any{uintptr(5)}},
		{"args[0]", []any{map[any]any{channel: 1}}},
	} {
		_, err := c.Call(limit(t), "__main__", "f", x.args...)
		var bad *py.ConversionError
		if !errors.As(err, &bad) || !strings.HasPrefix(bad.Place, x.place) || !py.SafeToRetry(err) {
			t.Errorf("%T: got %.200v, want a ConversionError at %s", x.args[0], err, x.place)
		} else if len(bad.Place) > 210 || len(err.Error()) > 600 {
			t.Errorf("%T: a place of %d bytes, a message of %d", x.args[0], len(bad.Place), len(err.Error()))
		}
	}
	for name, value := range map[string]any{"chan": channel, "not text": "\xff"} {
		_, err := c.Eval(limit(t), "calls.append(x)", py.Vars{"x": value})
		var bad *py.ConversionError
		if !errors.As(err, &bad) || bad.Place != `vars["x"]` {
			t.Errorf("%s: got %v, want a ConversionError", name, err)
		}
	}
	for _, name := range []string{"", "1x", "a b", "a.b", "a-b", "a\x00", "\xff", "a\n"} {
		if _, err := c.Eval(limit(t), "calls.append(1)", py.Vars{name: 1}); err == nil || !py.SafeToRetry(err) {
			t.Errorf("variable %q: got %v", name, err)
		}
	}
	for _, name := range []string{"None", "class", "__debug__", "True", "def"} { // nothing can refer to them; an error is fine too
		c.Eval(limit(t), "1", py.Vars{name: 1})
		works(t, c)
	}
	equal(t, "NaN", math.IsNaN(call[float64](t, c, "builtins", "float", "nan")), true)
	equal(t, "calls", eval[int](t, c, "len(calls)"), 0)
}
