package conformance

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pycontext/py"
)

// What no case lists and a user may do all the same.
var hostileCases = []testCase{
	{"HostileRecursion", recursion},
	{"HostileRecursionOnThreads", recursionOnThreads},
	{"HostileAsyncio", asyncioCallbacks},
	{"HostileContextVariables", contextVariables},
	{"HostileNilArguments", nilArguments},
	{"HostileConcurrentEnds", concurrentEnds},
	{"HostileShutdown", shutdown},
	{"HostileShutdownDeadline", shutdownDeadline},
	{"HostileCloseFromWithin", closeFromWithin},
	{"HostileFork", fork},
	{"HostileSubprocess", subprocesses},
	{"HostileAttach", attach},
	{"HostileAttachRequests", attachRequests},
	{"HostileRegisterConcurrently", registerConcurrently},
	{"HostileFinalizersAtClose", finalizersAtClose},
	{"HostileMutation", mutation},
	{"HostileSubclasses", subclasses},
	{"HostileNamespace", hostileNamespace},
	{"HostileBytesThatGo", bytesThatGo},
	{"HostileIdle", idle},
}

// recursion of Python code alone, in the ways that use up different stacks.
func recursion(t *testing.T, s *suite) {
	inChild(t, func() {
		for _, stack := range []int{0, s.smallestStack()} {
			c := s.open(t, py.Options{StackSize: stack})
			run(t, c, recursions)
			for _, name := range eval[[]string](t, c, "sorted(ways)") {
				_, err := c.Eval(limit(t), "ways[name]()", py.Vars{"name": name})
				if deep[name] && (err == nil || errors.Is(err, py.Exception("ValueError"))) {
					continue
				}
				if !errors.Is(err, py.Exception("RecursionError")) && !errors.Is(err, py.Exception("MemoryError")) {
					t.Errorf("%s with a stack of %d: %.200v", name, stack, err)
				}
				works(t, c)
			}
		}
	})
}

// deep are those that may fit.
var deep = map[string]bool{"compare nested": true, "json loads": true, "json of nested": true, "repr of nested": true}

const recursions = `
import functools, copy, json, pickle, sys
def plain(): plain()
class A:
    def __getattr__(self, n): return getattr(self, n + 'x'[:0])
    def __repr__(self): return repr(self)
    def __call__(self): return self()
    def __hash__(self): return hash(self)
    def __eq__(self, o): return o == self
    def __len__(self): return len(self)
    def __iter__(self): return iter(self)
    def __add__(self, o): return self + o
    def __del__(self): pass
    def __lt__(self, o): return self < o
def key(x): return sorted([1, 2], key=key)
def mapped(x): return list(map(mapped, [x]))
part = functools.partial(lambda: part())
def nested(n=200000):
    x = []
    for _ in range(n): x = [x]
    return x
def gen(): yield from gen()
def through_exec(): exec('through_exec()')
def through_class():
    class K: through_class()
def deco(): functools.reduce(lambda a, b: deco(), [1, 2])
def ctx():
    with C(): pass
class C:
    def __enter__(self): ctx()
    def __exit__(self, *a): pass
ways = {
    'plain': plain, 'getattr': lambda: A().z, 'repr': lambda: repr(A()), 'call': lambda: A()(), 'hash': lambda: hash(A()), 'eq': lambda: A() == A(),
    'len': lambda: len(A()), 'add': lambda: A() + A(), 'lt': lambda: A() < A(), 'key': lambda: key(1), 'map': lambda: mapped(1), 'partial': lambda: part(),
    'repr of nested': lambda: repr(nested(20000)), 'copy of nested': lambda: copy.deepcopy(nested()), 'json of nested': lambda: json.dumps(nested()),
    'json loads': lambda: json.loads('[' * 200000), 'pickle': lambda: pickle.dumps(nested()), 'compare nested': lambda: nested() == nested(),
    'gen': lambda: list(gen()), 'exec': through_exec, 'class': through_class, 'reduce': deco, 'with': ctx,
    'literal': lambda: eval('-' * 100000 + '1'),
}
`

func recursionOnThreads(t *testing.T, s *suite) {
	inChild(t, func() {
		c := s.open(t)
		run(t, c, recursions+`
import threading
def on_thread(f):
    out = []
    def run():
        try: f()
        except BaseException as e: out.append(type(e).__name__)
    t = threading.Thread(target=run)
    t.start()
    t.join()
    return out[0] if out else None
`)
		for _, name := range eval[[]string](t, c, "sorted(ways)") {
			class := eval[string](t, c, "on_thread(ways[name]) or 'nothing'", py.Vars{"name": name})
			if deep[name] && (class == "nothing" || class == "JSONDecodeError") {
				continue
			}
			if class != "RecursionError" && class != "MemoryError" {
				t.Errorf("%s: %s", name, class)
			}
		}
		register(t, c, "down", func(ctx context.Context) error { return c.Exec(ctx, "go.down()") })
		run(t, c, "import go")
		class := eval[string](t, c, "on_thread(lambda: go.down())")
		equal(t, "Go and Python on a thread", class, "RecursionError")
		works(t, c)
	})
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
	for name, use := range map[string]func() error{
		"nil env":         func() error { _, err := py.Eval[int](ctx, (*py.Env)(nil), "1"); return err },
		"nil context":     func() error { _, err := py.Eval[int](ctx, (*py.Context)(nil), "1"); return err },
		"nil runner":      func() error { _, err := py.Eval[int](ctx, nil, "1"); return err },
		"nil object":      func() error { _, err := py.Decode[int](ctx, nil); return err },
		"nil attach":      func() error { return c.Attach(ctx, nil) },
		"zero env":        func() error { _, err := (&py.Env{}).Eval(ctx, "1"); return err },
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

// concurrentEnds closes contexts in all ways at once while they are used in all ways.
func concurrentEnds(t *testing.T, s *suite) {
	for round := range 30 {
		parent, cancel := context.WithCancel(context.Background())
		c, err := s.New(parent, py.Options{Mode: s.Mode})
		if err != nil {
			t.Fatal(err)
		}
		register(t, c, "f", func(ctx context.Context, n int) (int, error) { return py.Eval[int](ctx, c, "n", py.Vars{"n": n}) })
		run(t, c, "import go\ndef f(n): return go.f(n)\ndef spin():\n  while True: pass")
		var wg sync.WaitGroup
		use := func(f func(i int) error) {
			wg.Go(func() {
				for i := 0; ; i++ {
					err := f(i)
					if err != nil && !errors.Is(err, py.ErrClosed) && !errors.Is(err, py.ErrInterrupted) && !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("round %d: %v", round, err)
					}
					if errors.Is(err, py.ErrClosed) || c.Err() != nil {
						return
					}
				}
			})
		}
		use(func(i int) error {
			n, err := py.Call[int](context.Background(), c, "__main__", "f", i)
			if err == nil && n != i {
				t.Errorf("got %d, want %d", n, i)
			}
			return err
		})
		use(func(i int) error { _, err := py.Eval[*py.Object](context.Background(), c, "[]"); return err })
		use(func(i int) error { return c.Exec(timeout(time.Millisecond), "spin()") })
		use(func(i int) error { e, err := c.NewEnv(context.Background()); runtime.KeepAlive(e); return err })
		use(func(i int) error { c.Interrupt(); time.Sleep(100 * time.Microsecond); return nil })
		use(func(i int) error {
			return c.Attach(context.Background(), func(a *py.Attached) error { _, err := a.New(i); return err })
		})
		time.Sleep(time.Duration(round%10) * time.Millisecond)
		for _, end := range []func(){func() { c.Close() }, func() { c.Shutdown(timeout(time.Duration(round) * time.Millisecond)) }, cancel, func() { c.Close() }} {
			wg.Go(end)
		}
		wg.Wait()
		<-c.Done()
	}
}

func shutdown(t *testing.T, s *suite) {
	c := s.open(t)
	inside := make(chan struct{})
	register(t, c, "slow", func(ctx context.Context) (int, error) {
		close(inside)
		time.Sleep(50 * time.Millisecond)
		return py.Eval[int](ctx, c, "5") // a request of the chain still runs
	})
	run(t, c, "import go, time")
	first := make(chan any, 1)
	go func() { v, err := c.Eval(context.Background(), "go.slow()"); first <- []any{v, err} }()
	<-inside
	var done atomic.Int64
	var wg sync.WaitGroup
	before := py.Live().Requests
	for i := range 10 {
		wg.Go(func() {
			if v, err := c.Eval(context.Background(), "time.sleep(0.02) or i", py.Vars{"i": i}); err == nil && v == int64(i) {
				done.Add(1)
			} else {
				t.Errorf("%d: %v, %v", i, v, err)
			}
		})
	}
	eventually(t, "the requests are there", func() bool { return py.Live().Requests >= before+9 })
	time.Sleep(10 * time.Millisecond)
	is(t, "Shutdown", c.Shutdown(limit(t)), nil)
	wg.Wait()
	equal(t, "the one that ran", <-first, []any{int64(5), nil})
	equal(t, "those that waited", done.Load(), int64(10))
	_, err := c.Eval(context.Background(), "1")
	is(t, "afterwards", err, py.ErrClosed)
	is(t, "Shutdown again", c.Shutdown(limit(t)), nil)
	select {
	case <-c.Done():
	default:
		t.Error("Shutdown returned before Done")
	}
}

func shutdownDeadline(t *testing.T, s *suite) {
	c := s.open(t)
	inside := make(chan struct{})
	register(t, c, "running", func() { close(inside) })
	result := make(chan error, 1)
	go func() { result <- c.Exec(context.Background(), "import go\ngo.running()\nwhile True: pass") }()
	<-inside
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("enough")
	time.AfterFunc(30*time.Millisecond, func() { cancel(cause) })
	refused := make(chan error, 1)
	time.AfterFunc(10*time.Millisecond, func() { _, err := c.Eval(timeout(5*time.Second), "1"); refused <- err })
	is(t, "Shutdown", c.Shutdown(ctx), cause)
	is(t, "the running one", <-result, py.ErrClosed)
	is(t, "a new one", <-refused, py.ErrClosed)
	<-c.Done()
}

// closeFromWithin closes a context from a function that its Python called: it cannot end before that returns.
func closeFromWithin(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Grace: 100 * time.Millisecond})
	register(t, c, "close", func() error { return c.Close() })
	err := c.Exec(limit(t), "import go\ngo.close()")
	is(t, "the call", err, py.ErrClosed)
	select {
	case <-c.Done():
	case <-time.After(20 * time.Second):
		t.Error("it never ended")
	}
	d := s.open(t)
	register(t, d, "close", func() { go d.Close() })
	err = d.Exec(limit(t), "import go\ngo.close()\nwhile True: pass")
	is(t, "the call", err, py.ErrClosed)
	<-d.Done()
}

func fork(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "f", func() int { return 1 })
	const code = `
import go, os, select, warnings
warnings.simplefilter('ignore')
def forked():
    r, w = os.pipe()
    try: pid = os.fork()
    except RuntimeError:
        os.close(r)
        os.close(w)
        raise
    if pid == 0:
        text = 'nothing'
        try:
            try: text = 'called ' + str(go.f())
            except RuntimeError as e: text = 'refused: ' + str(e)
            except BaseException as e: text = repr(e)
            os.write(w, text.encode())
        finally: os._exit(0)
    os.close(w)
    if not select.select([r], [], [], 10)[0]: os.kill(pid, 9)
    out = os.read(r, 1000).decode()
    os.close(r)
    os.waitpid(pid, 0)
    return out
`
	run(t, c, code)
	out, err := py.Eval[string](limit(t), c, "forked()")
	if s.Mode != py.Worker {
		raises(t, "fork", err, "RuntimeError")
		works(t, c)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "in the child", out, "refused", "fork")
	equal(t, "in the parent", eval[int](t, c, "go.f()"), 1)
	// Nor is Go asked for the function, which would wait for a processor for ever where all were in use.
	var stop atomic.Bool
	defer stop.Store(true)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for !stop.Load() {
			}
		}()
	}
	for range 10 {
		register(t, c, "f", func() int { return 1 })
		contains(t, "in the child of a busy process", eval[string](t, c, "forked()"), "refused", "fork")
	}
}

func subprocesses(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import subprocess, sys, os")
	equal(t, "echo", eval[string](t, c, "subprocess.run(['echo', 'hi'], capture_output=True, text=True).stdout"), "hi\n")
	equal(t, "python", eval[string](t, c, "subprocess.run([sys.executable, '-c', 'print(6*7)'], capture_output=True, text=True).stdout"), "42\n")
	equal(t, "shell", eval[int](t, c, "subprocess.call('exit 3', shell=True)"), 3)
	equal(t, "popen", eval[string](t, c, "os.popen('echo x').read()"), "x\n")
	equal(t, "version", eval[string](t, c, "subprocess.run([sys.executable, '-c', 'import sys; print(sys.version.split()[0])'], capture_output=True, text=True).stdout.strip()"), s.info.Version)
	run(t, c, "p = subprocess.Popen(['sleep', '30'])")
	// Not a loop of p.poll(), which takes a lock of its own: struck between that and its try, it never gives it back.
	err := c.Exec(timeout(100*time.Millisecond), "try:\n  while True: pass\nfinally: p.kill(); p.wait()")
	is(t, "a deadline", err, context.DeadlineExceeded)
	works(t, c)
}

func attach(t *testing.T, s *suite) {
	c, other := s.open(t), s.open(t)
	run(t, c, "class K: pass\nk = K()\nd = {'a': [1, 2]}\ndef f(*a, **kw): return a, kw\ndef fail(): {}['x']")
	foreign := eval[*py.Object](t, other, "[]")
	mine := eval[*py.Object](t, c, "k")
	sentinel := errors.New("mine")
	var kept *py.Object
	err := c.Attach(limit(t), func(a *py.Attached) error {
		d, err := a.Global("d")
		if err != nil {
			return err
		}
		list, err := d.Item("a")
		if err != nil {
			return err
		}
		v, err := list.Value()
		equal(t, "d['a']", []any{v, err}, []any{[]any{int64(1), int64(2)}, nil})
		_, err = d.Item("no")
		raises(t, "Item", err, "KeyError")
		_, err = list.Item(99)
		raises(t, "Item", err, "IndexError")
		_, err = a.Global("nope")
		if err == nil {
			t.Error("Global of nothing")
		}
		_, err = a.Global("len")
		is(t, "a built-in", err, nil)
		_, err = a.Import("nope")
		raises(t, "Import", err, "ModuleNotFoundError")
		_, err = a.New(make(chan<- int))
		var bad *py.ConversionError
		equal(t, "New of a channel", errors.As(err, &bad), true)
		f, _ := a.Global("f")
		r, err := f.Call(1, py.Kw{"x": 2})
		if err != nil {
			return err
		}
		v, err = r.Value()
		equal(t, "f(1, x=2)", []any{v, err}, []any{py.Tuple{py.Tuple{int64(1)}, map[string]any{"x": int64(2)}}, nil})
		_, err = f.Call(foreign)
		is(t, "a foreign object", err, py.ErrWrongContext)
		_, err = a.Object(foreign)
		is(t, "a foreign object", err, py.ErrWrongContext)
		k, err := a.Object(mine)
		if err != nil {
			return err
		}
		is(t, "SetAttr", k.SetAttr("x", 5), nil)
		n, err := py.DecodeRef[int](func() py.Ref { r, _ := k.Attr("x"); return r }())
		equal(t, "Attr", []any{n, err}, []any{5, nil})
		raises(t, "SetAttr", list.SetAttr("x", 5), "AttributeError")
		fail, _ := a.Global("fail")
		_, err = fail.Call()
		raises(t, "Call", err, "KeyError")
		_, err = py.CallRef[int](fail)
		raises(t, "CallRef", err, "KeyError")
		_, err = k.Call()
		raises(t, "Call", err, "TypeError")
		if a.ThreadState() == 0 || k.Pointer() == 0 || a.Context() != c {
			t.Error("no raw pointers")
		}
		kept, err = list.Keep()
		is(t, "Keep", err, nil)
		a.Detach(func() {
			if s.Mode != py.OwnGIL {
				works(t, other)
			}
		})
		length, _ := a.Global("len")
		for range 3000 {
			r, err := a.New([]int{1, 2, 3})
			if err != nil {
				return err
			}
			if n, err := py.CallRef[int](length, []int{1, 2, 3}); n != 3 || err != nil {
				t.Errorf("len: %d, %v", n, err)
			}
			r.Release()
		}
		return sentinel
	})
	is(t, "Attach", err, sentinel)
	v, err := kept.Value(limit(t))
	equal(t, "kept", []any{v, err}, []any{[]any{int64(1), int64(2)}, nil})
	err = c.Attach(limit(t), func(a *py.Attached) error { panic(sentinel) })
	var p *py.PanicError
	if !errors.As(err, &p) || !errors.Is(err, sentinel) {
		t.Errorf("a panic: %v", err)
	}
	works(t, c)
	err = c.Attach(limit(t), func(a *py.Attached) error { a.Detach(func() { panic("detached") }); return nil })
	equal(t, "a panic while detached", errors.As(err, &p), true)
	works(t, c)
	for range 100 {
		if err := c.Attach(limit(t), func(a *py.Attached) error { _, err := a.New("x"); return err }); err != nil {
			t.Fatal(err)
		}
	}
	var late *py.Attached
	c.Attach(limit(t), func(a *py.Attached) error { late = a; return nil })
	func() {
		defer func() {
			if recover() == nil {
				t.Error("an Attached after its function returned: no panic")
			}
		}()
		late.New(1)
	}()
	kept.Close()
}

// attachRequests makes requests from within an attached function.
func attachRequests(t *testing.T, s *suite) {
	c, other := s.open(t), s.open(t)
	register(t, c, "f", func(ctx context.Context, n int) (int, error) { return py.Eval[int](ctx, c, "n + 1", py.Vars{"n": n}) })
	register(t, c, "attach", func(ctx context.Context) (n int, err error) {
		err = c.Attach(ctx, func(a *py.Attached) error {
			f, err := a.Global("five")
			if err != nil {
				return err
			}
			n, err = py.CallRef[int](f)
			return err
		})
		return n, err
	})
	run(t, c, "import go\ndef five(): return 5\ndef g(): return go.f(1)")
	ctx := limit(t)
	err := c.Attach(ctx, func(a *py.Attached) error {
		n, err := py.Eval[int](ctx, c, "1+1")
		equal(t, "the same context", []any{n, err}, []any{2, nil})
		n, err = py.Eval[int](ctx, other, "1+1")
		equal(t, "another context", []any{n, err}, []any{2, nil})
		g, err := a.Global("g")
		if err != nil {
			return err
		}
		n, err = py.CallRef[int](g)
		equal(t, "a callback", []any{n, err}, []any{2, nil})
		_, err = c.Eval(ctx, "1/0")
		raises(t, "an error", err, "ZeroDivisionError")
		return c.Attach(ctx, func(b *py.Attached) error { _, err := b.Import("math"); return err })
	})
	is(t, "Attach", err, nil)
	equal(t, "Attach within a callback", eval[int](t, c, "go.attach()"), 5)
	started := make(chan struct{})
	release := make(chan struct{})
	short, cancel := context.WithCancel(context.Background())
	go func() { <-started; cancel() }()
	err = c.Attach(short, func(a *py.Attached) error { close(started); a.Detach(func() { <-release }); return nil })
	is(t, "a cancelled Attach", err, context.Canceled)
	close(release)
	works(t, c)
}

func registerConcurrently(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import go\ndef f():\n  try: return go.changing(1)\n  except (AttributeError, LookupError): return -1")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	loop := func(f func()) {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					f()
				}
			}
		})
	}
	loop(func() { c.Register("changing", func(n int) int { return n }) })
	loop(func() { c.Unregister("changing") })
	loop(func() { py.Register("changing", func(n int) int { return n * 100 }); py.Unregister("changing") })
	for range 1000 {
		if n := call[int](t, c, "__main__", "f"); n != 1 && n != -1 && n != 100 {
			t.Fatalf("got %d", n)
		}
	}
	close(stop)
	wg.Wait()
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

// finalizersAtClose run Python code that calls Go while the context ends.
func finalizersAtClose(t *testing.T, s *suite) {
	for i := range 20 {
		c := s.open(t)
		var calls atomic.Int64
		register(t, c, "bye", func(ctx context.Context) (string, error) {
			calls.Add(1)
			_, err := c.Eval(ctx, "1")
			return "x", err
		})
		run(t, c, "import go\nclass X:\n  def __del__(self, go=go):\n    try: go.bye()\n    except BaseException: pass\nx = X()\nclass Y:\n  def __del__(self): self.x = X()\ny = Y()\ncycle = [X()]\ncycle.append(cycle)\nimport atexit\natexit.register(lambda: None)")
		o := eval[*py.Object](t, c, "X()")
		e := s.env(t, c)
		run(t, e, "z = x", py.Vars{"x": o})
		if i%2 == 0 {
			o.Close()
		}
		is(t, "Close", c.Close(), nil)
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
