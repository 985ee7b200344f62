package conformance

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pycontext/py"
)

var threadCases = []testCase{
	{"Case43ThreadCallbacks", threadCallbacks},
	{"Case44ThreadReentry", threadReentry},
	{"Case44ThreadErrors", threadErrors},
	{"Case44ThreadOutlivesRequest", threadOutlivesRequest},
	{"Case44ThreadInline", threadInline},
	{"Case44ThreadOutlivesContext", threadOutlivesContext},
	{"Case44ThreadsOfC", threadsOfC},
	{"Case45ThreadsGoOn", threadsGoOn},
	{"Case45OneThread", oneThread},
	{"Case45OneThreadWhenNested", oneThreadWhenNested},
}

// threadsOfC has threads call Go that are C's: CPython makes a thread state of its own for each of their calls, and a pool of them may serve
// several contexts.
func threadsOfC(t *testing.T, s *suite) {
	if s.Mode != py.Worker {
		t.Skip("skipped: CPython gives such threads to the main interpreter")
	}
	if runtime.GOOS != "linux" {
		t.Skip("skipped: no dl_iterate_phdr, which calls a function several times, and has a signature that a thread can start with")
	}
	a, b := s.open(t), s.open(t)
	run(t, a, `
import ctypes, go, threading
libc = ctypes.CDLL(None)
several = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
def on_thread(*functions):
    results = []
    def step(info, size, data):
        try:
            results.append(functions[len(results) % len(functions)](threading.get_ident()))
        except Exception as e:
            results.append(str(e))
        return len(results) == 4
    step = several(step)
    thread = ctypes.c_ulong()
    libc.pthread_create(ctypes.byref(thread), None, libc.dl_iterate_phdr, step)
    libc.pthread_join(thread, None)
    return results
`)
	same := func(c *py.Context) func(context.Context, int) (bool, error) {
		return func(ctx context.Context, ident int) (bool, error) {
			there, err := py.Eval[int](ctx, c, "__import__('threading').get_ident()")
			return there == ident, err
		}
	}
	run(t, b, "import threading; threading.of_b = f", py.Vars{"f": same(b)})
	always := []any{true, true, true, true}
	equal(t, "one context's", eval[any](t, a, "on_thread(f)", py.Vars{"f": same(a)}), always)
	equal(t, "two contexts'", eval[any](t, a, "on_thread(threading.of_b, f)", py.Vars{"f": same(a)}), always)
	run(t, b, "del threading.of_b")
	register(t, a, "named", func(int) int { return 1 })
	for _, result := range eval[[]string](t, a, "on_thread(go.named)") {
		contains(t, "a function that only has a name", result, "this thread belongs to no context")
	}
	is(t, "closing the other", b.Close(), nil)
	equal(t, "a function that only has a name, and one context", eval[any](t, a, "on_thread(go.named)"), []any{int64(1), int64(1), int64(1), int64(1)})
}

// threadsGoOn has a thread run beside requests that wait in a row, and none of which lets go of the lock itself: they call C.
func threadsGoOn(t *testing.T, s *suite) {
	const n = 20
	c := s.open(t)
	var ticks, held, seen atomic.Int64
	on := make(chan struct{}, 1)
	for name, f := range map[string]func(){
		"tick": func() { ticks.Add(1) },
		"hold": func() {
			on <- struct{}{}
			eventually(t, "the last one is sent", func() bool { return waiting() == n+2 })
			held.Store(ticks.Load())
		},
		"see": func() { seen.Store(ticks.Load()) },
	} {
		if err := c.Register(name, f, py.Inline()); err != nil {
			t.Fatal(err)
		}
	}
	run(t, c, "import go, threading\ngoes = True\ndef f():\n  while goes: go.tick()\nthread = threading.Thread(target=f)\nthread.start()")
	eventually(t, "the thread goes", func() bool { return ticks.Load() > 0 })
	var wg sync.WaitGroup
	send := func(module, function string, args ...any) {
		wg.Go(func() {
			_, err := c.Call(limit(t), module, function, args...)
			is(t, function, err, nil)
		})
	}
	send("go", "hold")
	<-on
	for range n {
		send("builtins", "max", make([]byte, 60_000))
	}
	eventually(t, "the others are sent", func() bool { return waiting() == n+1 })
	send("go", "see")
	wg.Wait()
	if seen.Load() <= held.Load() {
		t.Error("the thread stands still")
	}
	run(t, c, "goes = False\nthread.join()")
}

func threadCallbacks(t *testing.T, s *suite) {
	c := s.open(t)
	var calls atomic.Int64
	register(t, c, "work", func(i, k int) int { calls.Add(1); return i*10 + k })
	run(t, c, `
import go, threading, queue
from concurrent.futures import ThreadPoolExecutor
def task(i): return [go.work(i, k) for k in range(5)]
want = [[i * 10 + k for k in range(5)] for i in range(200)]
def pooled():
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(task, range(200))) == want
def threaded():
    todo, got = queue.SimpleQueue(), [None] * 200
    for i in range(200): todo.put(i)
    def worker():
        try:
            while True:
                i = todo.get_nowait()
                got[i] = task(i)
        except queue.Empty: pass
    threads = [threading.Thread(target=worker) for _ in range(8)]
    for t in threads: t.start()
    for t in threads: t.join()
    assert got == want
`)
	rounds := 10
	for _, how := range []string{"pooled", "threaded"} {
		start := time.Now()
		for range rounds {
			call[any](t, c, "__main__", how)
		}
		t.Logf("%s: %v for %d callbacks", how, time.Since(start), rounds*1000)
	}
	equal(t, "callbacks", calls.Load(), int64(2*rounds*1000))
}

func threadReentry(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "back", func(ctx context.Context, n int) (int, error) { return py.Call[int](ctx, c, "__main__", "down", n) })
	register(t, c, "background", func(n int) (int, error) { return py.Call[int](context.Background(), c, "__main__", "quick", n) })
	run(t, c, `
import go, threading
def down(n): return 0 if n == 0 else 1 + go.back(n - 1)
def quick(n): return n
def ident(n): return threading.get_ident()
def in_thread(f, *args):
    out = []
    t = threading.Thread(target=lambda: out.append(f(*args)))
    t.start()
    t.join()
    return out[0]
def alternate(n): return 0 if n == 0 else 1 + in_thread(go.alternate, n - 1)
def same():
    me = threading.get_ident()
    return go.ident(0) == me
`)
	register(t, c, "alternate", func(ctx context.Context, n int) (int, error) { return py.Call[int](ctx, c, "__main__", "alternate", n) })
	register(t, c, "ident", func(ctx context.Context, n int) (int64, error) { return py.Call[int64](ctx, c, "__main__", "ident", n) })
	equal(t, "a thread's callback that calls back", eval[int](t, c, "in_thread(go.back, 0)"), 0)
	equal(t, "100 deep on a thread", eval[int](t, c, "in_thread(down, 100)"), 100)
	equal(t, "a thread in each", eval[int](t, c, "alternate(20)"), 20)
	equal(t, "runs on the thread that called", eval[bool](t, c, "in_thread(same)"), true)
	run(t, c, `
threads = [threading.Thread(target=lambda i=i: out.append((i, down(10)))) for i in range(8)]
out = []
for t in threads: t.start()
for t in threads: t.join()
assert sorted(out) == [(i, 10) for i in range(8)]
`)
	register(t, c, "spread", func(ctx context.Context) (int64, error) {
		var wg sync.WaitGroup
		var sum atomic.Int64
		for i := range 10 {
			wg.Go(func() {
				n, _ := py.Call[int64](ctx, c, "__main__", "quick", i)
				sum.Add(n)
			})
		}
		wg.Wait()
		return sum.Load(), nil
	})
	equal(t, "goroutines of a thread's function", eval[int](t, c, "in_thread(go.spread)"), 45)
}

func threadErrors(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "fail", func(ctx context.Context) error { return c.Exec(ctx, "{}[1]") })
	register(t, c, "panic", func() { panic("boom") })
	run(t, c, `
import go, threading, sys, io
from concurrent.futures import ThreadPoolExecutor
def caught(f):
    with ThreadPoolExecutor(2) as pool:
        try: pool.submit(f).result()
        except Exception as e: return [k.__name__ for k in type(e).__mro__]
`)
	for expr, class := range map[string]string{"caught(go.fail)": "KeyError", "caught(go.panic)": "RuntimeError",
		"caught(lambda: go.nope())": "AttributeError", "caught(lambda: go.fail(1))": "TypeError"} {
		found := false
		for _, k := range eval[[]string](t, c, expr) {
			found = found || k == class
		}
		equal(t, expr, found, true)
	}
	run(t, c, "hook = threading.excepthook\nseen = []\nthreading.excepthook = lambda a: seen.append(a.exc_type.__name__)\nt = threading.Thread(target=sys.exit)\nt.start()\nt.join()\nt = threading.Thread(target=lambda: 1/0)\nt.start()\nt.join()\nthreading.excepthook = hook")
	equal(t, "what the hook saw", eval[[]string](t, c, "[x for x in seen if x != 'SystemExit']"), []string{"ZeroDivisionError"})
	works(t, c)
}

// threadOutlivesRequest leaves a thread behind that goes on calling Go.
func threadOutlivesRequest(t *testing.T, s *suite) {
	c := s.open(t)
	var ticks atomic.Int64
	register(t, c, "tick", func(ctx context.Context) (int, error) {
		ticks.Add(1)
		return py.Eval[int](ctx, c, "2")
	})
	run(t, c, "import go, threading, time\nstop = threading.Event()\ndef tick():\n  while not stop.is_set():\n    assert go.tick() == 2\n    time.sleep(0.001)\nts = [threading.Thread(target=tick) for _ in range(3)]\nfor t in ts: t.start()")
	eventually(t, "ticks", func() bool { return ticks.Load() > 30 })
	before := ticks.Load()
	for range 100 {
		works(t, c)
	}
	eventually(t, "more ticks", func() bool { return ticks.Load() > before })
	run(t, c, "stop.set()\nfor t in ts: t.join()\nassert not any(t.is_alive() for t in ts)")
}

// threadOutlivesContext closes contexts whose threads are in the middle of calling Go.
func threadOutlivesContext(t *testing.T, s *suite) {
	inChild(t, func() {
		for i := range 60 {
			c := s.open(t)
			var ticks atomic.Int64
			register(t, c, "tick", func(ctx context.Context) (int, error) {
				ticks.Add(1)
				if i%2 == 0 {
					return py.Eval[int](ctx, c, "2")
				}
				return 2, nil
			})
			run(t, c, `
import go, threading
def tick():
    try:
        while True: go.tick()
    except Exception: pass
    try:
        go.tick()
    except Exception: pass
ts = [threading.Thread(target=tick) for _ in range(4)]
for t in ts: t.start()
`)
			eventually(t, "ticks", func() bool { return ticks.Load() > int64(i) })
			if err := c.Close(); err != nil {
				t.Errorf("round %d: %v", i, err)
			}
		}
		settle(t, py.Counts{})
	})
}

func oneThread(t *testing.T, s *suite) {
	c, other := s.open(t), s.open(t)
	run(t, c, "import threading, sqlite3\ndb = sqlite3.connect(':memory:')\ndb.execute('create table t (n)')\nlocal = threading.local()\nlocal.x = 1")
	ident := func(c *py.Context) int64 { return call[int64](t, c, "threading", "get_ident") }
	me := ident(c)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if got, err := py.Call[int64](context.Background(), c, "threading", "get_ident"); got != me || err != nil {
				t.Errorf("thread %d, %v, want %d", got, err, me)
			}
			if err := c.Exec(context.Background(), "db.execute('insert into t values (?)', [n])", py.Vars{"n": i}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, "rows", eval[int](t, c, "db.execute('select count(*) from t').fetchone()[0]"), 20)
	equal(t, "thread-local", eval[int](t, c, "local.x"), 1)
	if ident(other) == me {
		t.Error("two contexts on one thread")
	}
	env := s.env(t, c)
	equal(t, "in an env", call[int64](t, env, "threading", "get_ident"), me)
	c.Attach(limit(t), func(a *py.Attached) error {
		m, err := a.Import("threading")
		if err != nil {
			return err
		}
		f, err := m.Attr("get_ident")
		if err != nil {
			return err
		}
		n, err := py.CallRef[int64](f)
		equal(t, "in Attach", n, me)
		return err
	})
	run(t, c, "db.close()")
}

func oneThreadWhenNested(t *testing.T, s *suite) {
	c := s.open(t)
	me := call[int64](t, c, "threading", "get_ident")
	register(t, c, "same", func(ctx context.Context) (bool, error) {
		n, err := py.Call[int64](ctx, c, "threading", "get_ident")
		m, err2 := py.Call[int64](context.Background(), c, "threading", "get_ident")
		if err == nil {
			err = err2
		}
		return n == me && m == me, err
	})
	equal(t, "nested", eval[bool](t, c, "__import__('go').same()"), true)
}

// threadInline has an inline function on a thread use its context.Context elsewhere than on the thread: behind what it calls there,
// and on a goroutine that it does not wait for.
func threadInline(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "within", func(ctx context.Context) (int, error) {
		callee := func(n int) (int, error) { return py.Eval[int](ctx, c, "n + 1", py.Vars{"n": n}) }
		return py.Eval[int](ctx, c, "callee(1)", py.Vars{"callee": callee})
	}, py.Inline())
	results := make(chan error)
	register(t, c, "aside", func(ctx context.Context) {
		go func() {
			_, err := py.Eval[int](context.WithoutCancel(ctx), c, "1")
			results <- err
		}()
		time.Sleep(time.Millisecond) // for some, their request is in the queue when this returns, and for others not
	}, py.Inline())
	run(t, c, `
import go, threading
def in_thread(f):
    out = []
    t = threading.Thread(target=lambda: out.append(f()))
    t.start()
    t.join()
    return out[0]
`)
	equal(t, "a callee with the context.Context of its caller", eval[int](t, c, "in_thread(go.within)"), 2)
	for range 20 {
		run(t, c, "in_thread(go.aside)")
		select {
		case err := <-results:
			is(t, "the request of a function that has returned", err, nil)
		case <-limit(t).Done():
			t.Fatal("the request of a function that has returned never runs")
		}
	}
}
