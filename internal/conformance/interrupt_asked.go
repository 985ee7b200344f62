package conformance

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pycontext/py"
)

// Context.Interrupt, which aims at whatever runs.
var askedCases = []testCase{
	{"Case62InterruptIdle", interruptIdle},
	{"Case62Interrupt", interruptRunning},
	{"Case62InterruptNested", interruptNested},
	{"Case62InterruptDeep", interruptDeep},
	{"Case62InterruptInline", interruptInline},
}

func init() { interruptCases = append(interruptCases, askedCases...) }

func interruptIdle(t *testing.T, s *suite) {
	c := s.open(t)
	for range 100 {
		if c.Interrupt() {
			t.Fatal("interrupted an idle context")
		}
		works(t, c)
	}
	run(t, c, "import threading, time\nt = threading.Thread(target=time.sleep, args=[0.1])\nt.start()")
	if c.Interrupt() {
		t.Error("interrupted a context whose own thread is idle")
	}
	run(t, c, "t.join()")
}

func interruptRunning(t *testing.T, s *suite) {
	c := s.open(t)
	inside := make(chan struct{}, 1)
	register(t, c, "running", func() { inside <- struct{}{} })
	register(t, c, "wait", func(ctx context.Context) error { inside <- struct{}{}; <-ctx.Done(); return context.Cause(ctx) })
	run(t, c, "import go")
	for _, code := range []string{"go.running()\nwhile True: pass", "go.wait()", "try: go.wait()\nexcept Exception: pass"} {
		result := make(chan error)
		go func() { result <- c.Exec(context.Background(), code) }()
		<-inside
		eventually(t, "it is interrupted", func() bool { return c.Interrupt() })
		err := <-result
		is(t, code, err, py.ErrInterrupted)
		raises(t, code, err, "KeyboardInterrupt")
		if py.SafeToRetry(err) {
			t.Error("SafeToRetry of one that ran")
		}
		works(t, c)
	}
	// Interrupts at any moment hit the request that runs, or nothing.
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				c.Interrupt()
				time.Sleep(time.Duration(rand.IntN(200)) * time.Microsecond)
			}
		}
	})
	var hit, ok int
	register(t, c, "f", func(ctx context.Context, n int) (int, error) { return py.Eval[int](ctx, c, "n", py.Vars{"n": n}) })
	for i := range 1000 {
		n, err := py.Eval[int](context.Background(), c, "sum(1 for _ in range(n)) + go.f(n)", py.Vars{"n": i})
		switch {
		case err == nil && n == 2*i:
			ok++
		case errors.Is(err, py.ErrInterrupted):
			hit++
		default:
			t.Errorf("%d: %v, %+v", i, n, err)
		}
	}
	close(stop)
	wg.Wait()
	t.Logf("%d interrupted, %d not", hit, ok)
	works(t, c)
}

// interruptDeep aims at code that has no room left for another call.
func interruptDeep(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import asyncio\ndef deep():\n  try: deep()\n  except RecursionError:\n    while True: pass\nasync def coroutine(): deep()")
	for _, code := range []string{"deep()", "asyncio.run(coroutine())"} {
		result := make(chan error)
		go func() { result <- c.Exec(timeout(30*time.Second), code) }()
		time.Sleep(100 * time.Millisecond)
		eventually(t, "it is interrupted", c.Interrupt)
		is(t, code, <-result, py.ErrInterrupted)
		works(t, c)
	}
}

func interruptNested(t *testing.T, s *suite) {
	c := s.open(t)
	inside := make(chan struct{})
	var inner error
	register(t, c, "enter", func(ctx context.Context) string {
		inner = c.Exec(ctx, "go.running()\nwhile True: pass")
		return "outer goes on"
	})
	register(t, c, "running", func() { close(inside) })
	run(t, c, "import go")
	result := make(chan error)
	var value any
	go func() {
		v, err := c.Eval(context.Background(), "go.enter()")
		value = v
		result <- err
	}()
	<-inside
	time.Sleep(5 * time.Millisecond)
	eventually(t, "it is interrupted", func() bool { return c.Interrupt() })
	is(t, "the outer one", <-result, nil)
	equal(t, "its value", value, "outer goes on")
	is(t, "the inner one", inner, py.ErrInterrupted)
	works(t, c)
}

// interruptInline aims at a request while a function on its own thread runs other requests on top of it.
func interruptInline(t *testing.T, s *suite) {
	c := s.open(t)
	var failed atomic.Int64
	register(t, c, "nest", func() error {
		n, err := py.Eval[int](context.Background(), c, "sum(1 for _ in range(300))")
		if err != nil || n != 300 {
			failed.Add(1)
		}
		return nil
	}, py.Inline())
	run(t, c, "import go")
	for range 100 {
		err := c.Exec(timeout(time.Duration(3000+rand.IntN(3000))*time.Microsecond), "while True: go.nest()")
		is(t, "the outer one", err, context.DeadlineExceeded)
	}
	works(t, c)
	equal(t, "requests that got the interrupt of another", failed.Load(), int64(0))
}
