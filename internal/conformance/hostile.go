package conformance

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pycontext/py"
)

// What no case lists and a user may do all the same.
var hostileCases = []testCase{
	{"HostileAsyncio", asyncioCallbacks},
	{"HostileContextVariables", contextVariables},
	{"HostileNilArguments", nilArguments},
	{"HostileRegisterConcurrently", registerConcurrently},
	{"HostileMutation", mutation},
	{"HostileSubclasses", subclasses},
	{"HostileNamespace", hostileNamespace},
	{"HostileBytesThatGo", bytesThatGo},
	{"HostileIdle", idle},
}

func asyncioCallbacks(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "f", func(n int) int { return n * 2 })
	register(t, c, "nested", func(ctx context.Context, n int) (int, error) { return py.Eval[int](ctx, c, "n * 2", py.Vars{"n": n}) })
	register(t, c, "slow", func() { time.Sleep(50 * time.Millisecond) })
	run(t, c, `
import go, asyncio
async def one(i):
    await asyncio.sleep(0)
    a = go.f(i)
    await asyncio.sleep(0.001)
    return go.nested(a)
async def main(n): return await asyncio.gather(*[one(i) for i in range(n)])
async def slow():
    go.slow()
    await asyncio.sleep(0)
    return 'slow'
async def quick(): return 'quick'
async def timed():
    try:
        async with asyncio.timeout(0.01): await asyncio.sleep(10)
    except TimeoutError: return go.f(1)
async def never():
    while True: await asyncio.sleep(0.01)
`)
	for range 3 {
		equal(t, "gather", len(eval[[]int](t, c, "asyncio.run(main(50))")), 50)
	}
	equal(t, "timeout", eval[int](t, c, "asyncio.run(timed())"), 2)
	is(t, "a deadline", c.Exec(timeout(50*time.Millisecond), "asyncio.run(never())"), context.DeadlineExceeded)
	equal(t, "afterwards", eval[string](t, c, "asyncio.run(quick())"), "quick")
	// Two callers that know nothing of one another run coroutines.
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 5 {
				v, err := c.Eval(context.Background(), "asyncio.run(slow())")
				equal(t, "one of several callers", []any{v, err}, []any{"slow", nil})
			}
		})
	}
	wg.Wait()
}

// contextVariables of one caller are not those of another.
func contextVariables(t *testing.T, s *suite) {
	if s.entangled() {
		t.Skip("decimal of CPython 3.12 has state that interpreters share")
	}
	c := s.open(t)
	inside, release := make(chan struct{}), make(chan struct{})
	register(t, c, "wait", func() { close(inside); <-release })
	run(t, c, "import go, contextvars, decimal\nv = contextvars.ContextVar('v', default='nobody')\ndecimal.getcontext().prec")
	result := make(chan any)
	go func() {
		run(t, c, "def alice():\n  v.set('alice')\n  with decimal.localcontext() as d:\n    d.prec = 3\n    go.wait()\n    return v.get(), str(decimal.Decimal(1) / 3)")
		r, _ := c.Call(context.Background(), "__main__", "alice")
		result <- r
	}()
	<-inside
	equal(t, "seen by another caller", eval[any](t, c, "v.get(), len(str(decimal.Decimal(1) / 3))"), py.Tuple{"nobody", int64(30)})
	run(t, c, "v.set('bob')")
	close(release)
	equal(t, "after another caller", <-result, py.Tuple{"alice", "0.333"})
}

func nilArguments(t *testing.T, s *suite) {
	c := s.open(t)
	ctx := limit(t)
	for _, none := range []*py.Context{nil, {}} {
		is(t, "Close of what New did not make", none.Close(), nil)
		equal(t, "Interrupt of it", none.Interrupt(), false)
		equal(t, "Unregister with it", none.Unregister("f"), false)
	}
	for name, use := range map[string]func() error{
		"nil env":         func() error { _, err := py.Eval[int](ctx, (*py.Env)(nil), "1"); return err },
		"nil context":     func() error { _, err := py.Eval[int](ctx, (*py.Context)(nil), "1"); return err },
		"nil NewEnv":      func() error { _, err := (*py.Context)(nil).NewEnv(ctx); return err },
		"nil Register":    func() error { return (*py.Context)(nil).Register("f", func() {}) },
		"nil Shutdown":    func() error { return (*py.Context)(nil).Shutdown(ctx) },
		"nil runner":      func() error { _, err := py.Eval[int](ctx, nil, "1"); return err },
		"nil object":      func() error { _, err := py.Decode[int](ctx, nil); return err },
		"nil attach":      func() error { return c.Attach(ctx, nil) },
		"zero env":        func() error { _, err := (&py.Env{}).Eval(ctx, "1"); return err },
		"zero env arg":    func() error { _, err := c.Call(ctx, "builtins", "repr", &py.Env{}); return err },
		"zero object":     func() error { _, err := (&py.Object{}).Value(ctx); return err },
		"zero object arg": func() error { _, err := c.Call(ctx, "builtins", "len", &py.Object{}); return err },
	} {
		func() {
			defer func() {
				if v := recover(); v != nil {
					t.Errorf("%s: panic: %v", name, v)
				}
			}()
			if err := use(); err == nil {
				t.Errorf("%s: no error", name)
			}
		}()
		works(t, c)
	}
}

func registerConcurrently(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import go\ndef f():\n  try: return go.changing(1)\n  except (AttributeError, LookupError): return -1")
	stop := meanwhile(
		func() { c.Register("changing", func(n int) int { return n }) },
		func() { c.Unregister("changing") },
		func() { py.Register("changing", func(n int) int { return n * 100 }); py.Unregister("changing") },
	)
	for range 1000 {
		if n := call[int](t, c, "__main__", "f"); n != 1 && n != -1 && n != 100 {
			t.Fatalf("got %d", n)
		}
	}
	stop()
	for range 50 {
		d, err := s.New(context.Background(), py.Options{Mode: py.Worker})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range 50 {
				d.Register(fmt.Sprint("f", i), func() {})
				d.Unregister("f1")
			}
		})
		wg.Go(func() { d.Close() })
		wg.Wait()
	}
}

// mutation changes containers while they are converted, through finalizers and other threads.
func mutation(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
import threading
data = {i: [i, str(i), (i,)] for i in range(200)}
items = list(range(1000))
stop = False
def mutate():
    i = 0
    while not stop:
        i += 1
        data[i % 400] = [i]
        data.pop((i * 7) % 400, None)
        items.append(i)
        del items[:2 if len(items) > 1000 else 0]
ts = [threading.Thread(target=mutate) for _ in range(2)]
for t in ts: t.start()
`)
	for range 300 {
		if _, err := c.Eval(limit(t), "[data, items]"); err != nil {
			var bad *py.ConversionError
			if !errors.As(err, &bad) {
				t.Errorf("%v", err)
			}
		}
	}
	run(t, c, "stop = True\nfor t in ts: t.join()")
	run(t, c, `
import gc
class Shrink:
    def __init__(self, l): self.l = l; self.me = self
    def __del__(self): self.l.clear()
def trap():
    l = [1 << (70 + i) for i in range(2000)]
    for _ in range(50): Shrink(l)
    gc.set_threshold(1)
    return l
`)
	for range 20 {
		_, err := c.Eval(limit(t), "trap()")
		var bad *py.ConversionError
		if err != nil && !errors.As(err, &bad) {
			t.Errorf("%v", err)
		}
	}
	run(t, c, "gc.set_threshold(700, 10, 10)")
	works(t, c)
}

// subclasses of built-in types whose methods lie.
func subclasses(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
class I(int):
    def __abs__(self): return 5
    def bit_length(self): return 10**9
    def to_bytes(self, *a, **k): return b'wrong'
    def __index__(self): 1/0
class S(set):
    def __iter__(self): return iter([1, 2, 3])
    def __len__(self): return 1000
class L(list):
    def __iter__(self): 1/0
    def __len__(self): return 10**9
    def __getitem__(self, i): 1/0
class D(dict):
    def items(self): 1/0
    def __len__(self): return 10**9
    def __iter__(self): 1/0
class T(str):
    def encode(self, *a): 1/0
    def __str__(self): return 'wrong'
class B(bytes):
    def __bytes__(self): return b'wrong'
    def __len__(self): return 10**9
class F(float):
    def __float__(self): return 9.0
`)
	equal(t, "int", eval[int](t, c, "I(7)"), 7)
	equal(t, "str", eval[string](t, c, "T('right')"), "right")
	equal(t, "bytes", eval[[]byte](t, c, "B(b'right')"), []byte("right"))
	equal(t, "float", eval[float64](t, c, "F(1.5)"), 1.5)
	equal(t, "list", eval[[]int](t, c, "L([1, 2])"), []int{1, 2})
	equal(t, "dict", eval[map[string]int](t, c, "D(a=1)"), map[string]int{"a": 1})
	equal(t, "set", eval[map[int]struct{}](t, c, "S([7])"), map[int]struct{}{7: {}})
	text := eval[string](t, c, "str(int.__add__(I(-2**70), 0))")
	if v, err := py.Eval[*big.Int](limit(t), c, "I(-2**70)"); err != nil {
		t.Errorf("I(-2**70): %v", err)
	} else {
		equal(t, "I(-2**70)", v.String(), text)
	}
	works(t, c)
}

func hostileNamespace(t *testing.T, s *suite) {
	c := s.open(t)
	for _, code := range []string{"globals().clear()", "del __builtins__", "__name__ = 5", "__builtins__ = {}", "import builtins\nlen = 5"} {
		d := s.open(t)
		if err := d.Exec(limit(t), code); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		d.Eval(limit(t), "1+1")
		d.Exec(limit(t), "x = 1")
		d.Eval(limit(t), "x + y", py.Vars{"y": 1})
		d.Call(limit(t), "math", "sqrt", 4)
		d.Eval(limit(t), "1/0")
		equal(t, code, eval[int](t, d, "1+1"), 2)
	}
	if s.Mode == py.Worker {
		return // the rest would be the ruin of every other worker
	}
	for _, code := range []string{"import sys\nsys.modules.clear()", "import sys\nsys.modules = {}", "import sys\ndel sys.modules['go']", "import sys\nsys.stdout = None\nsys.stderr = 5", "import sys\nsys.path = None",
		"import sys\nsys.setrecursionlimit(50)", "import builtins\nfor n in list(vars(builtins)):\n  if n not in ('__import__', 'list', 'vars'): delattr(builtins, n)", "import sys\nsys.excepthook = None\nsys.unraisablehook = None"} {
		d := s.open(t)
		d.Exec(limit(t), code)
		d.Eval(limit(t), "1/0")
		d.Exec(limit(t), "raise KeyError(1)")
		d.Eval(limit(t), "[x for x in (1, 2)]", py.Vars{"y": 1})
		d.Call(limit(t), "json", "dumps", 1)
		if n, err := py.Eval[int](limit(t), d, "1+1"); n != 2 && err == nil {
			t.Errorf("%s: 1+1 is %v, %v", code, n, err)
		}
		is(t, code, d.Close(), nil)
	}
	works(t, c)
}

// idle tells what many contexts cost that do nothing.
func idle(t *testing.T, s *suite) {
	var all []*py.Context
	for i := range 30 {
		c := s.open(t, py.Options{Spin: time.Duration(i%2) * time.Millisecond})
		works(t, c)
		all = append(all, c)
	}
	share := 1.0
	for try := 0; try < 5 && share > 0.25; try++ {
		time.Sleep(50 * time.Millisecond)
		before, start := cpuTime(), time.Now()
		time.Sleep(300 * time.Millisecond)
		share = min(share, float64(cpuTime()-before)/float64(time.Since(start)))
	}
	t.Logf("%d idle contexts use %.1f %% of a processor", len(all), 100*share)
	if share > 0.25 {
		t.Errorf("%d idle contexts use %.0f %% of a processor", len(all), 100*share)
	}
	equal(t, "all answer", strings.Repeat("x", len(all)), func() (out string) {
		for _, c := range all {
			out += eval[string](t, c, "'x'")
		}
		return out
	}())
}

// bytesThatGo is Python bytes, large enough to be read where they are, that are gone when the Go function gets them.
func bytesThatGo(t *testing.T, s *suite) {
	c := s.open(t)
	const size = 64 << 20 // its memory is given back to the system at once
	last := func(b []byte) byte { return b[len(b)-1] }
	register(t, c, "last", func(v any, _ ...any) byte {
		switch v := v.(type) {
		case py.ByteArray:
			return last(v)
		case []any:
			return last(v[0].([]byte))
		case map[string]any:
			return last(v["a"].([]byte))
		}
		return last(v.(py.Tuple)[0].([]byte))
	})
	run(t, c, `
import datetime, go
class Zone(datetime.tzinfo):
    def utcoffset(self, t):
        box.clear()
def emptied(make):
    global box
    box = make(b"x" * size)
    return go.last(box, datetime.datetime(2024, 1, 1, tzinfo=Zone()))
`, py.Vars{"size": size})
	equal(t, "a bytearray", eval[string](t, c, "chr(go.last(bytearray(b'x') * size))"), "x")
	equal(t, "in a list", eval[string](t, c, "chr(emptied(lambda b: [b]))"), "x")
	equal(t, "in a dict", eval[string](t, c, "chr(emptied(lambda b: {'a': b}))"), "x")
	equal(t, "in a tuple", eval[string](t, c, "chr(go.last((b'x' * size,)))"), "x")
}
