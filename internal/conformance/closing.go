package conformance

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pycontext/py"
)

// The end of a context while a thread that Python started is in the middle of a request, or its own is in Python code.
var closingCases = []testCase{
	{"Case44ThreadResultAfterClose", threadResultAfterClose},
	{"Case44ThreadNamespaceAfterClose", threadNamespaceAfterClose},
	{"Case06CallbackWhileClosing", callbackWhileClosing},
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
