package conformance

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pycontext/py"
)

// The end of a context: from within, at once with others, and while a thread that Python started is in the middle of a request, or
// its own is in Python code.
var closingCases = []testCase{
	{"Case44ThreadResultAfterClose", threadResultAfterClose},
	{"Case44ThreadNamespaceAfterClose", threadNamespaceAfterClose},
	{"Case06CallbackWhileClosing", callbackWhileClosing},
	{"HostileConcurrentEnds", concurrentEnds},
	{"HostileShutdown", shutdown},
	{"HostileShutdownDeadline", shutdownDeadline},
	{"HostileShutdownStray", shutdownStray},
	{"HostileCloseFromWithin", closeFromWithin},
	{"HostileFinalizersAtClose", finalizersAtClose},
}

// threadResultAfterClose has a request on a thread come to an object when the context has let go of all.
func threadResultAfterClose(t *testing.T, s *suite) {
	for _, expr := range []string{"(hold(), object())[1]", "[hold(), object()]"} {
		c, err := s.New(context.Background(), py.Options{Mode: s.Mode})
		if err != nil {
			t.Fatal(err)
		}
		inside := make(chan struct{})
		register(t, c, "inside", func() { close(inside) }, py.Inline())
		register(t, c, "start", func(ctx context.Context) error {
			o, err := py.Eval[any](ctx, c, expr)
			if o, ok := o.(*py.Object); ok {
				o.Close()
			}
			return err
		})
		run(t, c, `
import go, threading, time
def hold():
    go.inside()
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        try: time.sleep(0.3)
        except BaseException: pass
threading.excepthook = lambda *a: None
threading.Thread(target=go.start, daemon=`+map[bool]string{true: "True", false: "False"}[s.Mode == py.Worker]+`).start()
`)
		<-inside
		is(t, "closing", c.Close(), nil)
	}
}

// threadNamespaceAfterClose has a request on a thread read its operands while the context ends. What was its namespace must not
// be somebody else's dict when it goes on.
func threadNamespaceAfterClose(t *testing.T, s *suite) {
	inChild(t, func() {
		other := s.open(t)
		for range 3 {
			c, err := s.New(context.Background(), py.Options{Mode: s.Mode})
			if err != nil {
				t.Fatal(err)
			}
			inside := make(chan struct{})
			register(t, c, "hold", func(n float64) float64 {
				close(inside)
				select {
				case <-c.Done(): // in a worker
					run(t, other, "dicts = [{} for _ in range(1000)]")
				case <-time.After(100 * time.Millisecond):
				}
				return n
			})
			register(t, c, "start", func(ctx context.Context) error {
				return c.Exec(ctx, "for i in range(100): globals()[f'x{i}'] = k", py.Vars{"k": kelvin(1)})
			})
			run(t, c, `
import go, threading
threading.excepthook = id
class Kelvin: pass
elsewhere = {"go": go}
exec("""
def make(n):
    try: go.hold(n)
    except BaseException: return n
""", elsewhere)
make = elsewhere["make"] # nothing but the context holds this namespace
`)
			convert[kelvin](t, c, "Kelvin", py.Converter{From: "make"})
			run(t, c, "threading.Thread(target=go.start, daemon="+map[bool]string{true: "True", false: "False"}[s.Mode == py.Worker]+").start()")
			<-inside
			is(t, "closing", c.Close(), nil)
			eventually(t, "the thread's end", func() bool { return py.Live().Lanes == 1 })
			equal(t, "written to", eval[int](t, other, "sum(len(d) for d in globals().get('dicts', ()))"), 0)
		}
	})
}

// callbackWhileClosing has the end of a context call a Go function that takes its time: the thread sleeps meanwhile.
func callbackWhileClosing(t *testing.T, s *suite) {
	within(t, "the processor's time, with a closing context that waits for 500 ms", 100*time.Millisecond, func() time.Duration {
		c := s.open(t)
		var called atomic.Int64
		register(t, c, "slow", func() { called.Add(1); time.Sleep(500 * time.Millisecond) })
		run(t, c, "import go\nclass D:\n  def __del__(self): go.slow()\nkept = D()")
		o := eval[*py.Object](t, c, "kept")
		defer o.Close()
		run(t, c, "del kept")
		before := cpuTime()
		is(t, "closing", c.Close(), nil)
		equal(t, "calls", called.Load(), int64(1))
		return cpuTime() - before
	})
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
		eventually(t, "the context shuts down", func() bool { return c.Err() != nil })
		return py.Eval[int](ctx, c, "5") // a request of the chain still runs
	})
	run(t, c, "import go, time")
	first := make(chan any, 1)
	go func() { v, err := c.Eval(context.Background(), "go.slow()"); first <- []any{v, err} }()
	<-inside
	var done, over atomic.Int64
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			defer over.Add(1)
			if v, err := c.Eval(context.Background(), "time.sleep(0.02) or i", py.Vars{"i": i}); err == nil && v == int64(i) {
				done.Add(1)
			} else {
				t.Errorf("%d: %v, %v", i, v, err)
			}
		})
	}
	eventually(t, "all are sent", func() bool { return int64(waiting())+over.Load() == 11 })
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
	register(t, c, "running", func() { close(inside) }, py.Inline()) // others would be let in while it runs
	result := make(chan error, 1)
	go func() { result <- c.Exec(context.Background(), "import go\ngo.running()\nwhile True: pass") }()
	<-inside
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("enough")
	refused := make(chan error, 1)
	go func() {
		eventually(t, "the context shuts down", func() bool { return c.Err() != nil })
		_, err := c.Eval(timeout(5*time.Second), "1")
		refused <- err
		cancel(cause)
	}()
	is(t, "Shutdown", c.Shutdown(ctx), cause)
	is(t, "the running one", <-result, py.ErrClosed)
	is(t, "a new one", <-refused, py.ErrClosed)
	<-c.Done()
}

// shutdownStray shuts down, three times at once, while a request runs that its caller gives up: before that, or meanwhile. Nobody waits
// for it any more.
func shutdownStray(t *testing.T, s *suite) {
	for _, meanwhile := range []bool{false, true} {
		c := s.open(t, py.Options{Grace: 20 * time.Millisecond})
		started := make(chan struct{})
		register(t, c, "started", func() { close(started) })
		ctx, cancel := context.WithCancel(limit(t))
		called, down := make(chan error, 1), make(chan error, 3)
		go func() { called <- c.Exec(ctx, "import go, time\ntry: go.started()\nfinally: time.sleep(2)") }()
		<-started
		shutdown := func() { down <- c.Shutdown(limit(t)) }
		if meanwhile {
			for range 3 {
				go shutdown()
			}
			for c.Err() == nil {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Millisecond) // for the others
		}
		cancel()
		is(t, "Exec", <-called, context.Canceled)
		if !meanwhile {
			for range 3 {
				shutdown()
			}
		}
		for range 3 {
			is(t, "Shutdown", <-down, py.ErrStuck)
		}
		<-c.Done()
	}
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

// finalizersAtClose run Python code that calls Go while the context ends.
func finalizersAtClose(t *testing.T, s *suite) {
	for i := range 20 {
		c := s.open(t)
		var calls atomic.Int64
		register(t, c, "bye", func(ctx context.Context) (string, error) {
			calls.Add(1)
			_, err := c.Eval(ctx, "1")
			if err != nil {
				is(t, "a request of a finalizer's function", err, py.ErrClosed)
				is(t, "its cause", context.Cause(ctx), py.ErrClosed)
			}
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
