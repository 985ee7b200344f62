package conformance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pycontext/py"
)

var interruptCases = []testCase{
	{"Case56BusyLoop", busyLoop},
	{"Case57InsideC", insideC},
	{"Case58QueuedDeadline", queuedDeadline},
	{"Case59Stubborn", stubborn},
	{"Case60NeverTheNext", neverTheNext},
	{"Case60RandomDeadlines", randomDeadlines},
	{"Case60Bystanders", bystanders},
	{"Case61DeadlineInCallback", deadlineInCallback},
	{"Case61IgnoredCancellation", ignoredCancellation},
	{"Case61CancelCause", cancelCause},
	{"Case63NoDeadline", noDeadline},
	{"Case63NoDeadlineBusy", noDeadlineBusy},
	{"Case63EndlessStr", endlessStr},
}

func timeout(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	context.AfterFunc(ctx, cancel)
	return ctx
}

func busyLoop(t *testing.T, s *suite) {
	c := s.open(t)
	within(t, "the caller's error after the deadline", 100*time.Millisecond, func() time.Duration {
		start := time.Now()
		err := c.Exec(timeout(500*time.Millisecond), "while True: pass")
		late := time.Since(start) - 500*time.Millisecond
		is(t, "the call", err, context.DeadlineExceeded)
		if late < 0 {
			t.Errorf("%v too early", -late)
		}
		after := time.Now()
		equal(t, "2+2", eval[int](t, c, "2+2"), 4)
		return max(late, time.Since(after))
	})
}

func insideC(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import time\nslept = 0")
	within(t, "the caller's error after the deadline", 50*time.Millisecond, func() time.Duration {
		start := time.Now()
		err := c.Exec(timeout(100*time.Millisecond), "time.sleep(0.6)\nslept += 1")
		late := time.Since(start) - 100*time.Millisecond
		is(t, "the call", err, context.DeadlineExceeded)
		if py.SafeToRetry(err) {
			return time.Hour // it had no time to begin
		}
		equal(t, "afterwards", eval[int](t, c, "2+2"), 4)
		if d := time.Since(start); d < 590*time.Millisecond {
			t.Errorf("the next request ran after %v, while the thread slept", d)
		}
		equal(t, "what came after the sleep", eval[int](t, c, "slept"), 0)
		return late
	})
}

func queuedDeadline(t *testing.T, s *suite) {
	c := s.open(t)
	running := make(chan struct{}, 1)
	var ran atomic.Int64
	var enough atomic.Bool
	register(t, c, "running", func() { running <- struct{}{} }, py.Inline()) // others would be let in while it runs
	register(t, c, "enough", enough.Load, py.Inline())
	register(t, c, "ran", func() { ran.Add(1) }, py.Inline())
	run(t, c, "import go")
	for range 3 {
		first := make(chan error)
		enough.Store(false)
		go func() { first <- c.Exec(context.Background(), "go.running()\nwhile not go.enough(): pass") }()
		<-running
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				_, err := c.Eval(timeout(time.Duration(20+i)*time.Millisecond), "go.ran()")
				is(t, "the queued one", err, context.DeadlineExceeded)
				if !py.SafeToRetry(err) {
					t.Errorf("%v says that it ran", err)
				}
			})
		}
		wg.Wait()
		enough.Store(true)
		is(t, "the other", <-first, nil)
		works(t, c)
	}
	equal(t, "requests that ran", ran.Load(), int64(0))
}

func stubborn(t *testing.T, s *suite) {
	c := s.open(t)
	for name, code := range map[string]string{
		"except Exception":    "while True:\n  try:\n    while True: pass\n  except Exception: pass",
		"a bare except once":  "try:\n  while True: pass\nexcept BaseException: pass\nwhile True: pass",
		"BaseException twice": "for _ in range(3):\n  try:\n    while True: pass\n  except BaseException: pass",
		"finally":             "try:\n  while True: pass\nfinally: x = 1",
		"finally that loops":  "try:\n  while True: pass\nfinally:\n  while True: pass",
		"generator":           "def g():\n  while True:\n    try: yield 1\n    except Exception: pass\nfor _ in g(): pass",
		"asyncio":             "import asyncio\nasync def f():\n  while True:\n    try:\n      await asyncio.sleep(0)\n      for _ in range(10**6): pass\n    except Exception: pass\nasyncio.run(f())",
		"with":                "import contextlib\nwhile True:\n  with contextlib.suppress(Exception):\n    while True: pass",
		"thread lock":         "import threading\nl = threading.Lock()\nwhile True:\n  with l: pass",
		"sort":                "sorted(range(10**5), key=lambda x: [x for _ in range(1000)])",
		"regex":               "import re\nwhile True: re.match('a*b', 'a' * 100)",
		"short sleeps":        "import time\nwhile True: time.sleep(0.01)",
	} {
		err := c.Exec(timeout(40*time.Millisecond), code)
		is(t, name, err, context.DeadlineExceeded)
		start := time.Now()
		works(t, c)
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%s survived for %v", name, d)
		}
	}
}

// neverTheNext has 1000 deadlines of 5 ms, on a few contexts at once.
func neverTheNext(t *testing.T, s *suite) {
	var wg sync.WaitGroup
	for range 4 {
		c := s.open(t)
		wg.Go(func() {
			for i := range 250 {
				if err := c.Exec(timeout(5*time.Millisecond), "while True: pass"); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("round %d: %v", i, err)
				}
				if n, err := py.Eval[int](context.Background(), c, "1+1"); n != 2 || err != nil {
					t.Errorf("round %d: 1+1 is %v, %v", i, n, err)
				}
			}
		})
	}
	wg.Wait()
}

// randomDeadlines strike before, during and just after short requests.
func randomDeadlines(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "f", func(n int) int { return n })
	run(t, c, "import go\ndef work(n):\n  x = 0\n  for i in range(n): x += 1\n  return x\ndef calls(n): return sum(go.f(1) for _ in range(n))\ncount = 0\ndef once(n):\n  global count\n  count += 1\n  return work(n)")
	var done, ended, retry int64
	for i := range 4000 {
		n := rand.IntN(2000)
		expr := "once(n)"
		if i%2 == 1 {
			n, expr = n/100, "calls(n)"
		}
		got, err := py.Eval[int](timeout(time.Duration(rand.IntN(150))*time.Microsecond), c, expr, py.Vars{"n": n})
		switch {
		case err == nil && got == n:
			done++
		case err == nil:
			t.Fatalf("got %d, want %d", got, n)
		case errors.Is(err, context.DeadlineExceeded):
			ended++
			if py.SafeToRetry(err) {
				retry++
			}
		default:
			t.Fatal(err)
		}
		if i%10 == 0 {
			got, err := c.Call(context.Background(), "__main__", "work", 100)
			if err != nil || got != int64(100) {
				t.Fatalf("another request: %v, %v", got, err)
			}
		}
	}
	t.Logf("%d done, %d ended, of which %d never ran", done, ended, retry)
	works(t, c)
}

// bystanders must never see the interrupts of others.
func bystanders(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "f", func(ctx context.Context, n int) (int, error) { return py.Eval[int](ctx, c, "work(n)", py.Vars{"n": n}) })
	run(t, c, "import go\ndef work(n):\n  x = 0\n  for i in range(n): x += 1\n  return x\ndef nested(n): return go.f(n)")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var struck atomic.Int64
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				function := []string{"work", "nested"}[rand.IntN(2)]
				_, err := c.Call(timeout(time.Duration(rand.IntN(400))*time.Microsecond), "__main__", function, rand.IntN(5000))
				if err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("with a deadline: %v", err)
				} else if err != nil {
					struck.Add(1)
				}
			}
		})
	}
	for i := range 2000 {
		n, function := rand.IntN(500), []string{"work", "nested"}[i%2]
		if got, err := py.Call[int](context.Background(), c, "__main__", function, n); got != n || err != nil {
			t.Errorf("a bystander: %v, %v, want %d", got, err, n)
		}
	}
	close(stop)
	wg.Wait()
	if struck.Load() == 0 {
		t.Error("no deadline passed")
	}
}

func deadlineInCallback(t *testing.T, s *suite) {
	c := s.open(t)
	causes := make(chan error, 1)
	var waits atomic.Int64
	register(t, c, "wait", func(ctx context.Context) error {
		waits.Add(1)
		<-ctx.Done()
		causes <- ctx.Err()
		return ctx.Err()
	})
	run(t, c, "import go\nafter = []\ndef f():\n  try: go.wait()\n  except Exception: after.append('except')\n  after.append('on')\ndef outer(): return go.inner()")
	register(t, c, "inner", func(ctx context.Context) error { _, err := c.Call(ctx, "__main__", "f"); return err })
	for _, function := range []string{"f", "outer"} {
		waits.Store(0)
		for d := 50 * time.Millisecond; waits.Load() == 0; d *= 2 { // until it gets as far as the callback
			_, err := c.Call(timeout(d), "__main__", function)
			is(t, function, err, context.DeadlineExceeded)
			works(t, c)
		}
		is(t, "the callback's ctx", <-causes, context.DeadlineExceeded)
		equal(t, "what ran after the callback", eval[any](t, c, "after"), []any{})
	}
	// Only the inner one of two has a deadline.
	register(t, c, "short", func(ctx context.Context) string {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
		defer cancel()
		_, err := c.Eval(ctx, "[0 for _ in iter(int, 1)]")
		is(t, "the inner one", err, context.DeadlineExceeded)
		return "outer lives"
	})
	equal(t, "the outer one", eval[string](t, c, "go.short()"), "outer lives")
}

// ignoredCancellation has a function that goes on for long after its caller's deadline.
func ignoredCancellation(t *testing.T, s *suite) {
	c := s.open(t)
	release := make(chan struct{})
	register(t, c, "ignore", func(int) int { <-release; return 1 })
	run(t, c, "import go\nwent_on = 0\ndef f():\n  global went_on\n  go.ignore(1)\n  went_on += 1")
	start := time.Now()
	_, err := c.Call(timeout(50*time.Millisecond), "__main__", "f")
	is(t, "the caller", err, context.DeadlineExceeded)
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("the caller waited %v", d)
	}
	for range 10 {
		works(t, c)
	}
	close(release)
	works(t, c)
	eventually(t, "no callback is left", func() bool { return py.Live().Callbacks == 0 })
	equal(t, "what ran after it", eval[int](t, c, "went_on"), 0)
}

func cancelCause(t *testing.T, s *suite) {
	c := s.open(t)
	cause := errors.New("the user left")
	seen := make(chan error, 1)
	inside := make(chan struct{}, 1)
	register(t, c, "wait", func(ctx context.Context) { inside <- struct{}{}; <-ctx.Done(); seen <- context.Cause(ctx) })
	register(t, c, "running", func() { inside <- struct{}{} })
	run(t, c, "import go")
	for _, code := range []string{"go.wait()\nwhile True: pass", "go.running()\nwhile True: pass"} {
		ctx, cancel := context.WithCancelCause(context.Background())
		result := make(chan error)
		go func() { result <- c.Exec(ctx, code) }()
		<-inside
		cancel(cause)
		err := <-result
		is(t, "the caller", err, context.Canceled)
		is(t, "the caller", err, cause)
		contains(t, "the text", fmt.Sprint(err), cause.Error())
	}
	is(t, "the callback", <-seen, cause)
	type key struct{}
	register(t, c, "value", func(ctx context.Context) string { v, _ := ctx.Value(key{}).(string); return v })
	ctx := context.WithValue(limit(t), key{}, "carried")
	got, err := c.Eval(ctx, "go.value()")
	equal(t, "a value of the caller's ctx", []any{got, err}, []any{"carried", nil})
	register(t, c, "nest", func(ctx context.Context) (string, error) {
		return py.Eval[string](context.WithValue(ctx, key{}, "inner"), c, "go.value()")
	})
	got, err = c.Eval(ctx, "go.nest() + go.value()")
	equal(t, "an inner value", []any{got, err}, []any{"innercarried", nil})
	deadline, _ := limit(t).Deadline()
	register(t, c, "deadline", func(ctx context.Context) bool { d, ok := ctx.Deadline(); return ok && d.Sub(deadline) < time.Minute })
	equal(t, "the deadline", eval[bool](t, c, "go.deadline()"), true)
	run(t, c, "kept = []")
	var kept context.Context
	register(t, c, "keep", func(ctx context.Context) { kept = ctx })
	run(t, c, "go.keep()")
	eventually(t, "a callback's ctx ends with its request", func() bool { return kept.Err() != nil })
	_, err = c.Eval(context.WithoutCancel(kept), "1")
	is(t, "a request with an old ctx's values", err, nil)
}

func noDeadline(t *testing.T, s *suite) {
	d := 1.5
	if *long {
		d = 32
	}
	c, other := s.open(t), s.open(t)
	result := make(chan error)
	start := time.Now()
	go func() { result <- c.Exec(context.Background(), fmt.Sprintf("import time\ntime.sleep(%v)", d)) }()
	meanwhile := 0
	for {
		select {
		case err := <-result:
			is(t, "the long call", err, nil)
			if time.Since(start).Seconds() < d {
				t.Error("it was too short")
			}
			if meanwhile < 10 {
				t.Errorf("%d calls meanwhile", meanwhile)
			}
			return
		default:
			works(t, other)
			meanwhile++
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// noDeadlineBusy has a call without a deadline compute. Contexts of every mode answer meanwhile, and can be made.
func noDeadlineBusy(t *testing.T, s *suite) {
	c := s.open(t)
	inside, over := make(chan struct{}), make(chan error, 1)
	register(t, c, "inside", func() { close(inside) })
	go func() { over <- c.Exec(context.Background(), "import go\ngo.inside()\nwhile True: pass") }()
	<-inside
	for _, m := range s.info.Modes {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second) // New has no other end
		stop := context.AfterFunc(ctx, func() { c.Interrupt() })
		other, err := py.New(context.Background(), py.Options{Mode: m})
		if err != nil {
			t.Fatal(err)
		}
		n, err := py.Eval[int](ctx, other, "1 + 1")
		equal(t, "1 + 1 in mode "+m.String(), []any{n, err}, []any{2, nil})
		is(t, "Close", other.Close(), nil)
		stop()
		cancel()
	}
	select {
	case err := <-over:
		t.Fatalf("the call is over: %v", err)
	default:
	}
	equal(t, "Interrupt", c.Interrupt(), true)
	is(t, "the call", <-over, py.ErrInterrupted)
}

// endlessStr has an exception that never comes to an end of its text, and a value whose conversion runs Python code.
func endlessStr(t *testing.T, s *suite) {
	inChild(t, func() {
		c := s.open(t, py.Options{Grace: time.Second})
		run(t, c, "class E(Exception):\n  def __str__(self):\n    while True: pass\nclass S(set):\n  def __iter__(self):\n    while True: pass\n")
		for _, code := range []string{"raise E", "raise KeyError(1) from E()"} {
			err := c.Exec(timeout(50*time.Millisecond), code)
			is(t, code, err, context.DeadlineExceeded)
			n, err := py.Eval[int](timeout(10*time.Second), c, "1+1")
			equal(t, "1+1 after "+code, []any{n, err}, []any{2, nil})
		}
		_, err := py.Eval[map[int]struct{}](timeout(50*time.Millisecond), c, "S([1])")
		t.Log("a set with an __iter__ of its own:", err)
		n, err := py.Eval[int](timeout(10*time.Second), c, "1+1")
		equal(t, "1+1 after a set", []any{n, err}, []any{2, nil})
	})
}
