package conformance

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pycontext/py"
)

var nestingCases = []testCase{
	{"Case36NestingDeep", nestingDeep},
	{"Case36NestingWithoutEnd", nestingWithoutEnd},
	{"Case36NestingInline", nestingInline},
	{"Case37NestingWide", nestingWide},
	{"Case38Goroutines", goroutinesOfAFunction},
	{"Case39SeveralContexts", severalContexts},
	{"Case39CrossedContexts", crossedContexts},
	{"Case39NestedEnd", nestedEnd},
	{"Case39NestedDeadline", nestedDeadline},
	{"Case39NestedGoexit", nestedGoexit},
	{"Case40Background", ownContextInBackground},
	{"Case40BackgroundWide", manyInBackground},
	{"Case41OthersAreServed", othersAreServed},
	{"Case41OthersWaitForGreenlets", othersWaitForGreenlets},
	{"Case42NoStarvation", noStarvation},
	{"Case42PassingTheTurn", passingTheTurn},
	{"Case42GivenUpInTheRow", givenUpInTheRow},
}

const downCode = `
import go
def down(n, how): return 0 if n == 0 else 1 + go.down(n - 1, how)
class Down:
    def down(self, n, how): return down(n, how)
`

// registerDown makes go.down, which calls down again: by the verb, in the env if there is one.
func registerDown(t testing.TB, c *py.Context, env *py.Env, o *py.Object) {
	var r py.Runner = c
	if env != nil {
		r = env
	}
	register(t, c, "down", func(ctx context.Context, n int, how string) (int, error) {
		verb := how
		if how == "mixed" {
			verb = []string{"call", "eval", "exec", "method"}[n%4]
		}
		switch verb {
		case "call":
			return py.Call[int](ctx, r, "__main__", "down", n, how)
		case "eval":
			return py.Eval[int](ctx, r, "down(n, how)", py.Vars{"n": n, "how": how})
		case "method":
			return py.CallMethod[int](ctx, o, "down", n, how)
		}
		name := fmt.Sprint("r", n)
		if err := r.(execer).Exec(ctx, fmt.Sprintf("%s = down(%d, %q)", name, n, how)); err != nil {
			return 0, err
		}
		return py.Eval[int](ctx, r, name)
	})
}

func nestingDeep(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, downCode)
	registerDown(t, c, nil, eval[*py.Object](t, c, "Down()"))
	for _, how := range []string{"call", "eval", "exec", "method", "mixed"} {
		start := time.Now()
		equal(t, how, call[int](t, c, "__main__", "down", s.depth(), how), s.depth())
		t.Logf("%d deep by %s: %v", s.depth(), how, time.Since(start))
	}
	works(t, c)
	env := s.env(t, c)
	run(t, env, downCode)
	registerDown(t, c, env, eval[*py.Object](t, env, "Down()"))
	equal(t, "in an env", call[int](t, env, "__main__", "down", s.depth(), "mixed"), s.depth())
	works(t, c)
}

// nestingWithoutEnd recurses until Python says stop, in a process of its own, since the other way to stop is a crash.
func nestingWithoutEnd(t *testing.T, s *suite) {
	inChild(t, func() {
		for _, stack := range []int{0, s.smallestStack(), 4 * s.smallestStack()} {
			c := s.open(t, py.Options{StackSize: stack})
			run(t, c, downCode)
			registerDown(t, c, nil, eval[*py.Object](t, c, "Down()"))
			for _, how := range []string{"call", "eval", "exec", "method", "mixed"} {
				_, err := c.Call(limit(t), "__main__", "down", 1<<30, how)
				raises(t, how, err, "RecursionError")
				works(t, c)
			}
			// Python frames between the Go ones, so that other stacks end first.
			run(t, c, "class A:\n  def __init__(self, n): self.n = n\n  def __repr__(self): return repr([go.rep(self.n)])")
			register(t, c, "rep", func(ctx context.Context, n int) (string, error) {
				return py.Eval[string](ctx, c, "repr(A(n))", py.Vars{"n": n})
			})
			_, err := c.Eval(limit(t), "repr(A(1))")
			raises(t, "through __repr__", err, "RecursionError")
			equal(t, "not too deep afterwards", call[int](t, c, "__main__", "down", 100, "mixed"), 100)
			c.Close()
		}
	})
}

func nestingInline(t *testing.T, s *suite) {
	inChild(t, func() {
		c := s.open(t)
		run(t, c, downCode)
		register(t, c, "down", func(ctx context.Context, n int, how string) (int, error) {
			return py.Call[int](ctx, c, "__main__", "down", n, how)
		}, py.Inline())
		equal(t, "deep", call[int](t, c, "__main__", "down", s.depth(), ""), s.depth())
		_, err := c.Call(limit(t), "__main__", "down", 1<<30, "")
		raises(t, "without end", err, "RecursionError")
		works(t, c)
	})
}

func nestingWide(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, downCode)
	registerDown(t, c, nil, eval[*py.Object](t, c, "Down()"))
	var wg sync.WaitGroup
	for g := range 10 {
		wg.Go(func() {
			for i := range 20 {
				how := []string{"call", "eval", "method"}[(g+i)%3]
				n, err := py.Call[int](context.Background(), c, "__main__", "down", 10, how)
				if n != 10 || err != nil {
					t.Errorf("%d, %s: %v, %v", g, how, n, err)
				}
			}
		})
	}
	wg.Wait()
}

func goroutinesOfAFunction(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "spread", func(ctx context.Context, n int) (int, error) {
		var wg sync.WaitGroup
		var sum atomic.Int64
		errs := make([]error, n)
		for i := range n {
			wg.Go(func() {
				v, err := py.Eval[int](ctx, c, "i * k", py.Vars{"i": i})
				sum.Add(int64(v))
				errs[i] = err
			})
		}
		wg.Wait()
		return int(sum.Load()), errors.Join(errs...)
	})
	run(t, c, "import go\nk = 2")
	for range 20 {
		equal(t, "sum", eval[int](t, c, "go.spread(20)"), 20*19)
	}
	equal(t, "twice nested", eval[int](t, c, "[go.spread(i) for i in range(5)][4]"), 4*3)
	derived := make(chan error, 1)
	register(t, c, "late", func(ctx context.Context) {
		go func() { // outlives the callback
			time.Sleep(20 * time.Millisecond)
			_, err := c.Eval(context.WithoutCancel(ctx), "1+1")
			derived <- err
		}()
	})
	run(t, c, "go.late()")
	is(t, "a call after the function returned", <-derived, nil)
}

func severalContexts(t *testing.T, s *suite) {
	a, b, c := s.open(t), s.open(t), s.open(t)
	next := map[*py.Context]*py.Context{a: b, b: c, c: a}
	for x, y := range next {
		register(t, x, "hop", func(ctx context.Context, n int) (int, error) { return py.Call[int](ctx, y, "__main__", "hop", n) })
		run(t, x, "import go\ndef hop(n): return 0 if n == 0 else 1 + go.hop(n - 1)")
	}
	for _, n := range []int{1, 2, 3, 6, 300} {
		equal(t, "three contexts", call[int](t, a, "__main__", "hop", n), n)
	}
	register(t, a, "hop", func(ctx context.Context, n int) (int, error) { return py.Call[int](ctx, b, "__main__", "hop", n) })
	register(t, b, "hop", func(ctx context.Context, n int) (int, error) { return py.Call[int](ctx, a, "__main__", "hop", n) })
	for _, n := range []int{1, 2, 3, 300} {
		equal(t, "two contexts", call[int](t, a, "__main__", "hop", n), n)
	}
	_, err := a.Call(limit(t), "__main__", "hop", "x")
	raises(t, "an error on the way", err, "TypeError")
	// Contexts of every mode in one chain.
	var mixed []*py.Context
	for _, m := range s.info.Modes {
		x, err := py.New(context.Background(), py.Options{Mode: m})
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		mixed = append(mixed, x)
	}
	for i, x := range mixed {
		y := mixed[(i+1)%len(mixed)]
		register(t, x, "hop", func(ctx context.Context, n int) (int, error) { return py.Call[int](ctx, y, "__main__", "hop", n) })
		run(t, x, "import go\ndef hop(n): return 0 if n == 0 else 1 + go.hop(n - 1)")
	}
	equal(t, "modes in a chain", call[int](t, mixed[0], "__main__", "hop", 50), 50)
}

func ownContextInBackground(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "outside", func(n int) (int, error) {
		return py.Call[int](context.Background(), c, "__main__", "outside", n)
	})
	run(t, c, "import go\ndef outside(n): return 0 if n == 0 else 1 + go.outside(n - 1)")
	for _, n := range []int{1, 10, 50, 100} {
		start := time.Now()
		equal(t, "depth", call[int](t, c, "__main__", "outside", n), n)
		t.Logf("%d deep with context.Background(): %v", n, time.Since(start))
	}
	works(t, c)
}

// manyInBackground has callers wait for one another in ways that the context cannot know of.
func manyInBackground(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "outside", func(n int) (int, error) {
		return py.Call[int](context.Background(), c, "__main__", "outside", n)
	})
	run(t, c, "import go\ndef outside(n): return 0 if n == 0 else 1 + go.outside(n - 1)")
	within(t, "20 callers, 10 deep with context.Background(),", 4*time.Second, func() time.Duration {
		start := time.Now()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				n, err := py.Call[int](limit(t), c, "__main__", "outside", 10)
				equal(t, "depth", []any{n, err}, []any{10, nil})
			})
		}
		wg.Wait()
		return time.Since(start)
	})
	works(t, c)
}

// othersWaitForGreenlets has a module that moves the C stack of waiting frames: what other callers ask for does not run on top of a callback
// then, since the one that it is suspended in might go on below it.
func othersWaitForGreenlets(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import sys, types\nsys.modules['gevent'] = types.ModuleType('gevent')\norder = []")
	defer run(t, c, "del sys.modules['gevent']")
	var other sync.WaitGroup
	f := func(ctx context.Context) error {
		other.Go(func() { run(t, c, "order.append('other')") })
		for range 1000 { // the chain is served, so that the other would be
			if _, err := c.Eval(ctx, "len(order)"); err != nil {
				return err
			}
		}
		return nil
	}
	run(t, c, "f(); order.append('f')", py.Vars{"f": f})
	other.Wait()
	equal(t, "order", eval[[]string](t, c, "order"), []string{"f", "other"})
}

func othersAreServed(t *testing.T, s *suite) {
	c := s.open(t)
	inside, release := make(chan struct{}), make(chan struct{})
	register(t, c, "wait", func() { close(inside); <-release })
	result := make(chan error)
	go func() {
		result <- c.Exec(context.Background(), "import go\nstate = 'waiting'\ngo.wait()\nstate = 'done'")
	}()
	<-inside
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			for range 40 {
				v, err := c.Eval(limit(t), "state")
				equal(t, "meanwhile", []any{v, err}, []any{"waiting", nil})
			}
		})
	}
	wg.Wait()
	close(release)
	is(t, "the one that waited", <-result, nil)
	equal(t, "afterwards", eval[string](t, c, "state"), "done")
}

func noStarvation(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "nap", func() { time.Sleep(5 * time.Millisecond) })
	run(t, c, "import go\ndef work(): return sum(range(200))")
	var others atomic.Int64
	stop := meanwhile(slices.Repeat([]func(){func() {
		if _, err := c.Call(context.Background(), "__main__", "work"); err != nil && !t.Failed() {
			t.Error(err)
		}
		others.Add(1)
	}}, 8)...)
	var longest time.Duration
	for range 20 {
		start := time.Now()
		run(t, c, "go.nap()\ngo.nap()")
		longest = max(longest, time.Since(start))
	}
	stop()
	t.Logf("two naps of 5 ms among %d other calls: at most %v", others.Load(), longest)
	if longest > 10*time.Second {
		t.Errorf("a finished callback waited up to %v", longest)
	}
	if others.Load() == 0 {
		t.Error("no other calls")
	}
}

// passingTheTurn lets a function on top wait for one below it to finish: nobody may wait for ever.
func passingTheTurn(t *testing.T, s *suite) {
	c := s.open(t)
	first, second := make(chan struct{}), make(chan struct{})
	register(t, c, "one", func() { close(first); <-second })
	register(t, c, "two", func() { close(second); time.Sleep(20 * time.Millisecond) })
	run(t, c, "import go\norder = []")
	result := make(chan error)
	go func() { result <- c.Exec(context.Background(), "go.one()\norder.append(1)") }()
	<-first
	run(t, c, "go.two()\norder.append(2)")
	is(t, "the one below", <-result, nil)
	equal(t, "order", eval[any](t, c, "order"), []any{int64(2), int64(1)})
	// The function on top waits for a request that nobody's chain leads to, while the one below is ready.
	below, ready := make(chan struct{}), make(chan struct{})
	register(t, c, "below", func() { close(below); <-ready })
	register(t, c, "top", func() (int, error) {
		close(ready)
		time.Sleep(10 * time.Millisecond)
		return py.Eval[int](context.Background(), c, "5")
	})
	go func() { result <- c.Exec(context.Background(), "go.below()") }()
	<-below
	equal(t, "on top", eval[int](t, c, "go.top()"), 5)
	is(t, "below", <-result, nil)
}

// givenUpInTheRow has a function on top wait for a request while the one below it is ready, behind many that their callers gave up.
// Those do not take a turn.
func givenUpInTheRow(t *testing.T, s *suite) {
	c := s.open(t)
	behind := func() (took time.Duration) {
		below, ready := make(chan struct{}), make(chan struct{})
		register(t, c, "below", func() { close(below); <-ready })
		register(t, c, "top", func() (int, error) {
			close(ready)
			for range 400 {
				c.Eval(timeout(100*time.Microsecond), "0")
			}
			start := time.Now()
			defer func() { took = time.Since(start) }()
			return py.Eval[int](limit(t), c, "5")
		})
		result := make(chan error)
		go func() { result <- c.Exec(limit(t), "import go\ngo.below()") }()
		<-below
		equal(t, "on top", eval[int](t, c, "go.top()"), 5)
		is(t, "below", <-result, nil)
		return took
	}
	within(t, "the slowest of three requests behind 400 that were given up", 200*time.Millisecond, func() time.Duration {
		return max(behind(), behind(), behind()) // one may be lucky
	})
}

// crossedContexts has chains from each of two contexts to the other at the same time: what the one waits for may be behind
// what the other waits for.
func crossedContexts(t *testing.T, s *suite) {
	contexts := []*py.Context{s.open(t), s.open(t)}
	for i, c := range contexts {
		other := contexts[1-i]
		register(t, c, "echo", func(n int) int { return n })
		register(t, c, "other", func(ctx context.Context, n int) (int, error) { return py.Call[int](ctx, other, "__main__", "echo", n) })
		run(t, c, "import go\ndef echo(n): return go.echo(n)\ndef other(n): return go.other(n)")
	}
	var longest atomic.Int64
	var wg sync.WaitGroup
	for g := range 30 {
		wg.Go(func() {
			for i := range 100 {
				start := time.Now()
				n, err := py.Call[int](limit(t), contexts[g%2], "__main__", "other", i)
				equal(t, "other", []any{n, err}, []any{i, nil})
				longest.Store(max(longest.Load(), int64(time.Since(start))))
			}
		})
	}
	wg.Wait()
	t.Logf("the longest call took %v", time.Duration(longest.Load()))
	if longest.Load() > int64(10*time.Second) {
		t.Errorf("a call took %v", time.Duration(longest.Load()))
	}
}

// nestedEnd ends a chain from outside while a Go function deep in it waits: the functions below, which may share its
// goroutine, all see it.
func nestedEnd(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import go\ndef down(n): return go.down(n - 1) if n else go.hold()")
	held, seen := make(chan bool, 1), make(chan error, 1000)
	register(t, c, "hold", func(ctx context.Context) error {
		select {
		case held <- true:
		default:
		}
		<-ctx.Done()
		return context.Cause(ctx)
	})
	register(t, c, "down", func(ctx context.Context, n int) error {
		_, err := c.Call(ctx, "__main__", "down", n)
		seen <- err
		return err
	})
	for _, depth := range []int{1, 2, 5, 150} {
		why := errors.New("why")
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(0, func() { <-held; cancel(why) })
		_, err := c.Call(ctx, "__main__", "down", depth)
		is(t, "the caller's error", err, context.Canceled)
		is(t, "its cause", err, why)
		for range depth {
			select {
			case err := <-seen:
				is(t, "the error within", err, context.Canceled)
				is(t, "its cause", err, why)
			case <-time.After(10 * time.Second):
				t.Fatalf("%d deep: a function below never came back", depth)
			}
		}
		works(t, c)
	}
	for d := 20 * time.Millisecond; len(held) == 0; d *= 2 { // until it gets as far as that
		_, err := c.Call(timeout(d), "__main__", "down", 3)
		is(t, "the caller's error", err, context.DeadlineExceeded)
		works(t, c)
	}
	eventually(t, "all are back", func() bool { return len(seen) >= 3 })
	for range len(seen) {
		is(t, "the error within", <-seen, context.DeadlineExceeded)
	}
}

// nestedDeadline gives a request within a callback a deadline of its own: it holds although a function above ignores it.
func nestedDeadline(t *testing.T, s *suite) {
	c := s.open(t)
	release := make(chan bool)
	register(t, c, "deaf", func() { <-release })
	register(t, c, "f", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		_, err := c.Eval(ctx, "go.deaf()")
		is(t, "the request with a deadline", err, context.DeadlineExceeded)
		close(release)
		return nil
	})
	run(t, c, "import go\ngo.f()")
	works(t, c)
}

// nestedGoexit ends the goroutine that several functions of a chain may share.
func nestedGoexit(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import go\ndef down(n): return go.down(n - 1) if n else go.leave()")
	register(t, c, "leave", func() { runtime.Goexit() })
	register(t, c, "down", func(ctx context.Context, n int) error {
		_, err := c.Call(ctx, "__main__", "down", n)
		return err
	})
	for _, depth := range []int{0, 1, 2, 5, 150} {
		_, err := c.Call(limit(t), "__main__", "down", depth)
		raises(t, fmt.Sprint("Goexit ", depth, " deep"), err, "RuntimeError")
		works(t, c)
	}
	if err := c.Shutdown(limit(t)); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}
