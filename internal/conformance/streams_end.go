package conformance

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pycontext/py"
)

func takeTrace(t testing.TB, c *py.Context) []string {
	t.Helper()
	trace := eval[[]string](t, c, "trace")
	run(t, c, "trace.clear()")
	return trace
}

func streamCloses(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: streamSource})
	for _, after := range []int{1, 2, 17, 500, 5000} {
		for i, err := range py.Stream[int](limit(t), c, "__main__", "count", 1000000) {
			if err != nil {
				t.Fatal(err)
			}
			if i == after {
				break
			}
		}
		equal(t, fmt.Sprint("left after ", after), takeTrace(t, c), []string{"begin", "end"})
	}
	func() {
		defer func() { equal(t, "the panic", recover(), any("in the body")) }()
		for range py.Stream[int](limit(t), c, "__main__", "count", 10) {
			panic("in the body")
		}
	}()
	equal(t, "after a panic", takeTrace(t, c), []string{"begin", "end"})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range py.Stream[int](limit(t), c, "__main__", "count", 10) {
			runtime.Goexit()
		}
	}()
	<-done
	equal(t, "after Goexit", takeTrace(t, c), []string{"begin", "end"})
	run(t, c, `
class It:
    def __init__(self): self.closed = False
    def __iter__(self): return self
    def __next__(self): return 1
    def close(self): self.closed = True
it = It()
g = count(100)
`)
	for range py.StreamEval[int](limit(t), c, "it") {
		break
	}
	equal(t, "an iterator that is no generator", eval[bool](t, c, "it.closed"), false)
	o := eval[*py.Object](t, c, "g")
	for i := range py.StreamObject[int](limit(t), o) {
		if i == 3 {
			break
		}
	}
	equal(t, "a generator that Python holds", takeTrace(t, c), []string{"begin", "end"})
	equal(t, "is closed", len(streamOf[int](t, c, "g")), 0)
	// An exception while it is closed has nowhere to go.
	run(t, c, `
import sys
unraisable = []
hook, sys.unraisablehook = sys.unraisablehook, lambda u: unraisable.append(type(u.exc_value).__name__)
def stubborn():
    try:
        yield 1
        yield 2
    finally:
        raise KeyError('late')
`)
	for range py.StreamEval[int](limit(t), c, "stubborn()") {
		break
	}
	equal(t, "an exception in finally", eval[[]string](t, c, "unraisable"), []string{"KeyError"})
	run(t, c, "sys.unraisablehook = hook")
	o.Close()
	eventually(t, "no reference is left", func() bool { works(t, c); return py.Live().References == 0 })
}

func streamCancel(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: streamSource})
	// In the body of the loop.
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	why := errors.New("enough")
	seen, err := 0, error(nil)
	for _, err = range py.Stream[int](ctx, c, "__main__", "count", 1000000) {
		if seen++; seen == 2000 {
			cancel(why)
		}
	}
	is(t, "cancelled in the body", err, context.Canceled)
	is(t, "cancelled in the body", err, why)
	if seen > 2000+1024+1 {
		t.Errorf("%d items after the end", seen-2000)
	}
	eventually(t, "it is closed", func() bool { return eval[int](t, c, "len(trace)") == 2 })
	takeTrace(t, c)
	// While Python runs.
	run(t, c, "import go\ndef busy(begin=int):\n  try:\n    yield 1\n    begin()\n    while True: pass\n  finally: trace.append('end')")
	var late context.Context
	var items []int
	for d := 50 * time.Millisecond; len(items) == 0; d *= 2 { // until it gets as far as the item
		works(t, c)
		takeTrace(t, c)
		late = timeout(d)
		items, err = collectAll(py.StreamEval[int](late, c, "busy()"))
		is(t, "a deadline", err, context.DeadlineExceeded)
	}
	equal(t, "before", items, []int{1})
	eventually(t, "it is closed", func() bool { return eval[int](t, c, "len(trace)") == 1 })
	takeTrace(t, c)
	// While a batch has references in it.
	for range 10 {
		ctx, stop := context.WithTimeout(context.Background(), 5*time.Millisecond)
		_, err = collectAll(py.StreamEval[*py.Object](ctx, c, "([] for _ in iter(int, 1) if time.sleep(0.0001) is None)"))
		is(t, "a deadline within a batch", err, context.DeadlineExceeded)
		stop()
	}
	// Before it begins.
	_, err = collectAll(py.StreamEval[int](late, c, "busy()"))
	is(t, "too late", err, context.DeadlineExceeded)
	// By Interrupt.
	register(t, c, "interrupt", func() { go c.Interrupt() }, py.Inline())
	items, err = collectAll(py.StreamEval[int](limit(t), c, "busy(go.interrupt)"))
	equal(t, "before", items, []int{1})
	is(t, "interrupted", err, py.ErrInterrupted)
	equal(t, "closed", takeTrace(t, c), []string{"end"})
	works(t, c)
	eventually(t, "nothing is left behind", func() bool { runtime.GC(); works(t, c); return py.Live().References == 0 })
}

// streamCancelInGo gives a stream up while its generator waits for a Go function.
func streamCancelInGo(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: streamSource + `
import go, sys
unraisable = []
hook, sys.unraisablehook = sys.unraisablehook, lambda u: unraisable.append(repr(u.exc_value))
def waits(stubborn):
    try:
        yield 1
        try:
            go.wait()
        except BaseException:
            if not stubborn:
                raise
        while True:
            yield 2
    finally:
        trace.append('end')
`})
	defer run(t, c, "sys.unraisablehook = hook")
	var stop atomic.Value
	register(t, c, "wait", func(ctx context.Context) {
		stop.Load().(context.CancelFunc)()
		<-ctx.Done()
		time.Sleep(20 * time.Millisecond) // for the stream to be left meanwhile
	})
	for _, stubborn := range []bool{false, true} {
		ctx, cancel := context.WithCancel(limit(t))
		defer cancel()
		stop.Store(cancel)
		_, err := collectAll(py.Stream[int](ctx, c, "__main__", "waits", stubborn))
		is(t, "cancelled in a Go function", err, context.Canceled)
		eventually(t, "the generator has ended", func() bool { return eval[int](t, c, "len(trace)") == 1 })
		takeTrace(t, c)
	}
	equal(t, "printed", eval[[]string](t, c, "unraisable"), []string{})
}

func streamClosedContext(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: streamSource})
	seen, err := 0, error(nil)
	for _, err = range py.Stream[int](limit(t), c, "__main__", "count", 1000000) {
		if seen++; seen == 100 {
			is(t, "Close", c.Close(), nil)
		}
	}
	is(t, "closed in the body", err, py.ErrClosed)
	equal(t, "the stream of items that came can be sent again", py.SafeToRetry(err), false)
	_, err = collectAll(py.Stream[int](limit(t), c, "__main__", "count", 1))
	is(t, "a closed context", err, py.ErrClosed)
	equal(t, "one that did not begin can be sent again", py.SafeToRetry(err), true)
	c = s.open(t, py.Options{Preload: streamSource})
	time.AfterFunc(30*time.Millisecond, func() { c.Close() })
	_, err = collectAll(py.StreamEval[int](limit(t), c, "(i for i in count(10**9) if i < 10)"))
	is(t, "closed while it runs", err, py.ErrClosed)
	c = s.open(t, py.Options{Preload: streamSource})
	seen = 0
	for _, err = range py.Stream[int](limit(t), c, "__main__", "count", 1000000) {
		if seen++; seen == 100 {
			is(t, "Shutdown", c.Shutdown(limit(t)), nil)
		}
	}
	is(t, "shut down in the body", err, py.ErrClosed)
}
