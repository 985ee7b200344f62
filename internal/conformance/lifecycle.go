package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pycontext/py"
)

var lifecycleCases = []testCase{
	{"Case01MakeUseClose", makeUseClose},
	{"Case03BadOptions", badOptions},
	{"Spin", spin},
	{"Case04CloseTwice", closeTwice},
	{"Case05UseAfterClose", useAfterClose},
	{"Case06CloseInFlight", closeInFlight},
	{"Case06CloseStuck", closeStuck},
	{"Case06CloseInCallback", closeInCallback},
	{"Case07CloseQueued", closeQueued},
	{"Case07CloseManyAtOnce", closeManyAtOnce},
	{"Case08ParentEnds", parentEnds},
	{"Case08ParentEndsDuringNew", parentEndsDuringNew},
	{"Case09Identity", identity},
	{"Case10Rounds", rounds},
}

const listInterpreters = `
try:
    import _interpreters as _i
except ImportError:
    import _xxsubinterpreters as _i
interpreters = lambda: [int(x[0] if isinstance(x, tuple) else x) for x in _i.list_all()]
`

func makeUseClose(t *testing.T, s *suite) {
	main, err := py.New(limit(t), py.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer main.Close()
	run(t, main, listInterpreters)
	before := py.Live()
	c := s.open(t)
	equal(t, "1+1", eval[any](t, c, "1+1"), int64(2))
	kept := eval[*py.Object](t, c, "object()")
	if live := py.Live(); live.Contexts != before.Contexts+1 || live.Threads != before.Threads+1 ||
		live.References != before.References+1 {
		t.Errorf("counts while it lives: %+v, before %+v", live, before)
	}
	if s.Mode != py.Worker && !slices.Contains(eval[[]int64](t, main, "interpreters()"), c.InterpreterID()) {
		t.Errorf("CPython knows no interpreter %d", c.InterpreterID())
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.Done():
	default:
		t.Error("Close returned before Done")
	}
	eventually(t, "the counts are back", func() bool { return py.Live() == before })
	if ids := eval[[]int64](t, main, "interpreters()"); s.Mode != py.Worker && slices.Contains(ids, c.InterpreterID()) {
		t.Errorf("interpreter %d lives on: %v", c.InterpreterID(), ids)
	}
	is(t, "the object", kept.Close(), nil)
	goneAtOnce(t, s)
}

// goneAtOnce looks at the counts right after Close.
func goneAtOnce(t *testing.T, s *suite) {
	before := py.Live()
	for range 30 {
		c := s.open(t)
		works(t, c)
		is(t, "Close", c.Close(), nil)
		if live := py.Live(); live.Contexts > before.Contexts || live.Lanes > before.Lanes {
			t.Fatalf("right after Close %+v, before %+v", live, before)
		}
	}
}

func unsupportedMode(t *testing.T, s *suite) {
	needs := map[py.Mode]int{py.Worker: 12, py.Subinterp: 12, py.OwnGIL: 14}[s.Mode]
	equal(t, "supported", s.supports(s.Mode), s.atLeast(needs))
	if s.supports(s.Mode) {
		return
	}
	start := time.Now()
	c, err := s.New(context.Background(), py.Options{Mode: s.Mode})
	if c != nil || !errors.Is(err, py.ErrUnsupportedMode) {
		t.Fatalf("got %v, %v, want ErrUnsupportedMode", c, err)
	}
	contains(t, "the error", err.Error(), s.info.Version, fmt.Sprintf("3.%d", needs), s.Mode.String())
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("it took %v", d)
	}
}

// spin has threads that do not sleep.
func spin(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Spin: time.Hour})
	d := s.open(t, py.Options{Spin: time.Hour})
	register(t, c, "other", func(ctx context.Context, n int) (int, error) { return py.Call[int](ctx, d, "operator", "neg", n) })
	run(t, c, "import go")
	for i := range 20 {
		equal(t, "through another", eval[int](t, c, "go.other(x)", py.Vars{"x": i}), -i)
		time.Sleep(time.Millisecond)
	}
	is(t, "a deadline", c.Exec(timeout(50*time.Millisecond), "while True: pass"), context.DeadlineExceeded)
	eventually(t, "both threads are on a processor, or wait for one", func() bool {
		before, start := cpuTime()+waitTime(), time.Now()
		time.Sleep(100 * time.Millisecond)
		return cpuTime()+waitTime()-before > time.Since(start)*3/2
	})
	eval[*py.Object](t, c, "object()") // let go of by the collector
	eventually(t, "the reference's end", func() bool { runtime.GC(); return py.Live().References == 0 })
	is(t, "closing", c.Close(), nil)
}

func badOptions(t *testing.T, s *suite) {
	for name, o := range map[string]py.Options{
		"mode":     {Mode: 7},
		"negative": {Mode: -1},
		"grace":    {Mode: s.Mode, Grace: -time.Second},
		"spin":     {Mode: s.Mode, Spin: -1},
		"stack":    {Mode: s.Mode, StackSize: 1000},
		"preload":  {Mode: s.Mode, Preload: "x = 1\x00"},
	} {
		within(t, name, 100*time.Millisecond, func() time.Duration {
			start := time.Now()
			if c, err := s.New(context.Background(), o); c != nil || err == nil {
				t.Errorf("%s: got %v, %v", name, c, err)
			}
			return time.Since(start)
		})
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("no more")
	cancel(cause)
	if c, err := s.New(ctx, py.Options{Mode: s.Mode}); c != nil || !errors.Is(err, cause) || !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v, %v", c, err)
	}
	c, err := s.New(limit(t), py.Options{Mode: s.Mode, StackSize: 1 << 60})
	if c != nil || err == nil {
		t.Error("a context with a stack beyond all memory")
	} else {
		contains(t, "a stack beyond all memory", err.Error(), "Options.StackSize")
	}
	c, err = s.New(limit(t), py.Options{Mode: s.Mode, Preload: "1/0"})
	if c != nil {
		t.Error("a context with a failed preload")
	}
	raises(t, "preload", err, "ZeroDivisionError")
	c, err = s.New(limit(t), py.Options{Mode: s.Mode, Preload: "def"})
	if c != nil {
		t.Error("a context with a failed preload")
	}
	raises(t, "preload", err, "SyntaxError")
}

func closeTwice(t *testing.T, s *suite) {
	c := s.open(t)
	results := make(chan error)
	for range 2 {
		go func() { results <- c.Close() }()
	}
	for range 2 {
		is(t, "Close", <-results, nil)
	}
	is(t, "Close again", c.Close(), nil)
}

func useAfterClose(t *testing.T, s *suite) {
	c := s.open(t)
	ctx := limit(t)
	env, err := c.NewEnv(ctx)
	if err != nil {
		t.Fatal(err)
	}
	o := eval[*py.Object](t, c, "[]")
	is(t, "Err before", c.Err(), nil)
	c.Close()
	is(t, "Err", c.Err(), py.ErrClosed)
	uses := map[string]func() error{
		"Call":        func() error { _, err := c.Call(ctx, "math", "sqrt", 1); return err },
		"Eval":        func() error { _, err := c.Eval(ctx, "1"); return err },
		"Exec":        func() error { return c.Exec(ctx, "x=1") },
		"NewEnv":      func() error { _, err := c.NewEnv(ctx); return err },
		"Attach":      func() error { return c.Attach(ctx, func(*py.Attached) error { return nil }) },
		"Register":    func() error { return c.Register("f", func() {}) },
		"Env.Call":    func() error { _, err := env.Call(ctx, "math", "sqrt", 1); return err },
		"Env.Eval":    func() error { _, err := env.Eval(ctx, "1"); return err },
		"Env.Exec":    func() error { return env.Exec(ctx, "x=1") },
		"CallMethod":  func() error { _, err := o.CallMethod(ctx, "append", 1); return err },
		"Object.Call": func() error { _, err := o.Call(ctx); return err },
		"Attr":        func() error { _, err := o.Attr(ctx, "x"); return err },
		"Value":       func() error { _, err := o.Value(ctx); return err },
		"argument":    func() error { _, err := c.Call(ctx, "builtins", "len", o); return err },
	}
	for name, use := range uses {
		is(t, name, use(), py.ErrClosed)
		if name != "Register" && !py.SafeToRetry(use()) {
			t.Errorf("%s: SafeToRetry is false", name)
		}
	}
	if c.Interrupt() {
		t.Error("Interrupt found something to interrupt")
	}
	c.Unregister("f")
	is(t, "Shutdown", c.Shutdown(ctx), nil)
	is(t, "Env.Close", env.Close(), nil)
	is(t, "Object.Close", o.Close(), nil)
}

func closeInFlight(t *testing.T, s *suite) {
	c := s.open(t)
	running := make(chan struct{})
	register(t, c, "running", func() { close(running) })
	result := make(chan error)
	go func() { result <- c.Exec(context.Background(), "import go\ngo.running()\nwhile True: pass") }()
	<-running
	is(t, "Close", c.Close(), nil)
	err := <-result
	is(t, "the call", err, py.ErrClosed)
	if py.SafeToRetry(err) {
		t.Error("SafeToRetry of a call that ran")
	}
}

// closeStuck closes a context whose thread reads from a pipe that nobody writes to.
func closeStuck(t *testing.T, s *suite) {
	for wait := 100 * time.Millisecond; wait < 10*time.Second; wait *= 3 {
		if closeWhileReading(t, s, wait) {
			return
		}
	}
	t.Error("the thread never got as far as the read")
}

// closeWhileReading returns false when Close came before the thread was inside C.
func closeWhileReading(t *testing.T, s *suite, wait time.Duration) bool {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c, err := s.New(context.Background(), py.Options{Mode: s.Mode, Grace: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() {
		result <- c.Exec(context.Background(), "import os\nos.read(fd, 1)", py.Vars{"fd": int(r.Fd())})
	}()
	time.Sleep(wait)
	start := time.Now()
	err = c.Close()
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("Close took %v, with a grace of 200 ms", d)
	}
	is(t, "the call", <-result, py.ErrClosed)
	if err != nil {
		is(t, "Close", err, py.ErrStuck)
		equal(t, "threads still counted", py.Live().Threads >= 1, true)
	}
	w.Close() // the read returns
	select {
	case <-c.Done():
	case <-time.After(20 * time.Second):
		t.Error("the thread is not reaped")
	}
	is(t, "Close again", c.Close(), nil)
	return err != nil
}

// closeInCallback closes while Python waits for Go, with a call nested in that.
func closeInCallback(t *testing.T, s *suite) {
	c := s.open(t)
	inside := make(chan struct{})
	var nested, cause error
	register(t, c, "wait", func(ctx context.Context) {
		close(inside)
		<-ctx.Done()
		cause = context.Cause(ctx)
		_, nested = c.Eval(context.WithoutCancel(ctx), "1")
	})
	result := make(chan error)
	go func() { result <- c.Exec(context.Background(), "import go\ngo.wait()") }()
	<-inside
	is(t, "Close", c.Close(), nil)
	is(t, "the call", <-result, py.ErrClosed)
	is(t, "the nested call", nested, py.ErrClosed)
	is(t, "the callback's cause", cause, py.ErrClosed)
}

func closeQueued(t *testing.T, s *suite) {
	c := s.open(t)
	var hits atomic.Int64
	running := make(chan struct{})
	register(t, c, "running", func() { close(running) }, py.Inline()) // others would be let in while it runs
	register(t, c, "hit", func() { hits.Add(1) }, py.Inline())
	run(t, c, "import go, time")
	go c.Exec(context.Background(), "go.running()\nwhile True: time.sleep(0.05)")
	<-running
	var wg sync.WaitGroup
	errs := make([]error, 100)
	for i := range errs {
		wg.Go(func() { _, errs[i] = c.Eval(context.Background(), "go.hit()") })
	}
	eventually(t, "100 requests are there, and the one that runs", func() bool { return waiting() == 101 })
	is(t, "Close", c.Close(), nil)
	wg.Wait()
	for i, err := range errs {
		is(t, fmt.Sprint("request ", i), err, py.ErrClosed)
		if !py.SafeToRetry(err) {
			t.Errorf("request %d: %v is not safe to retry", i, err)
		}
	}
	equal(t, "requests that ran", hits.Load(), int64(0))
}

// closeManyAtOnce closes contexts that all wait for the lock of one interpreter: not each of them may look at all of its objects.
func closeManyAtOnce(t *testing.T, s *suite) {
	if s.Mode != py.Worker {
		t.Skip("each context has its own objects")
	}
	const contexts = 40
	busy := s.open(t, py.Options{Preload: "import gc, go"})
	var open []*py.Context
	for range contexts {
		c := s.open(t)
		run(t, c, "def f(): pass")
		open = append(open, c)
	}
	var closing sync.WaitGroup
	register(t, busy, "close_all", func() {
		for _, c := range open {
			closing.Go(func() { c.Close() })
		}
		eventually(t, "all close", func() bool { return !slices.ContainsFunc(open, func(c *py.Context) bool { return c.Err() == nil }) })
		time.Sleep(200 * time.Millisecond) // with the lock, for their threads
	}, py.Inline())
	collections := func() int { return eval[int](t, busy, "gc.get_stats()[2]['collections']") }
	before := collections()
	run(t, busy, "go.close_all()")
	closing.Wait()
	if n := collections() - before; n == 0 || n > contexts/2 {
		t.Errorf("%d contexts that closed at once collected garbage %d times", contexts, n)
	}
}

func parentEnds(t *testing.T, s *suite) {
	parent, cancel := context.WithCancelCause(context.Background())
	c, err := s.New(parent, py.Options{Mode: s.Mode})
	if err != nil {
		t.Fatal(err)
	}
	works(t, c)
	cause := errors.New("the parent is gone")
	result := make(chan error)
	go func() { result <- c.Exec(context.Background(), "while True: pass") }()
	time.Sleep(20 * time.Millisecond)
	cancel(cause)
	select {
	case <-c.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("the context lives on")
	}
	err = <-result
	is(t, "the call", err, py.ErrClosed)
	is(t, "the call's cause", err, cause)
	is(t, "Err", c.Err(), py.ErrClosed)
	is(t, "Err's cause", c.Err(), cause)
	is(t, "what ended", c.Err(), context.Canceled)
	_, err = c.Eval(context.Background(), "1")
	is(t, "a later call", err, py.ErrClosed)
}

func parentEndsDuringNew(t *testing.T, s *suite) {
	var longest time.Duration
	for i := range 60 {
		parent, cancel := context.WithTimeout(context.Background(), time.Duration(i)*longest/40)
		start := time.Now()
		c, err := s.New(parent, py.Options{Mode: s.Mode, Preload: "import sys"})
		if i == 0 && err == nil {
			t.Fatal("a context for an ended parent")
		}
		if longest = max(longest, min(time.Since(start), 20*time.Millisecond)); longest == 0 || i == 0 {
			longest = 5 * time.Millisecond
		}
		if err == nil {
			<-parent.Done()
			select {
			case <-c.Done():
			case <-time.After(20 * time.Second):
				t.Fatal("the context lives on")
			}
		}
		cancel()
	}
}

func identity(t *testing.T, s *suite) {
	const code = listInterpreters + `
import _thread
here = int(_i.get_current()[0] if isinstance(_i.get_current(), tuple) else _i.get_current())
`
	a, b := s.open(t), s.open(t)
	if a.ID() == b.ID() || a.Name() == b.Name() {
		t.Errorf("two contexts with id %d, %d, name %s, %s", a.ID(), b.ID(), a.Name(), b.Name())
	}
	for _, c := range []*py.Context{a, b} {
		id, name := c.ID(), c.InterpreterID()
		run(t, c, code)
		equal(t, "InterpreterID", c.InterpreterID(), eval[int64](t, c, "here"))
		equal(t, "IsSubinterp", c.IsSubinterp(), s.Mode != py.Worker)
		equal(t, "interpreter 0", c.InterpreterID() == 0, s.Mode == py.Worker)
		equal(t, "Mode", c.Mode(), s.Mode)
		equal(t, "the id stays", [2]any{c.ID(), c.InterpreterID()}, [2]any{id, name})
	}
	named := s.open(t, py.Options{Name: "bob"})
	equal(t, "Name", named.Name(), "bob")
	a.Close()
	if c := s.open(t); c.ID() == a.ID() || c.ID() == b.ID() {
		t.Errorf("id %d is used again", c.ID())
	}
}

// rounds makes, uses and closes contexts, and looks at what is left of them.
func rounds(t *testing.T, s *suite) {
	round := func() {
		c, err := s.New(context.Background(), py.Options{Mode: s.Mode})
		if err != nil {
			t.Fatal(err)
		}
		register(t, c, "f", func(ctx context.Context, n int) (int, error) { return py.Eval[int](ctx, c, "n", py.Vars{"n": n}) })
		run(t, c, "import go, json\nx = [object() for _ in range(1000)]")
		equal(t, "f(5)", eval[int](t, c, "go.f(5)"), 5)
		eval[*py.Object](t, c, "x")
		c.Eval(context.Background(), "1/0")
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	start := py.Live()
	for range 40 {
		round()
	}
	most := 60 << 10
	switch { // CPython forgets some of an interpreter's memory, by its own _interpreters module too
	case s.Mode == py.Worker:
	case s.info.FreeThreaded:
		most = 16 << 20
	case !s.atLeast(14):
		most = 500 << 10
	}
	before := Measure()
	flat(t, "60 contexts", 60*most, func() {
		for range 60 {
			round()
		}
	})
	settle(t, start)
	var after Usage
	eventually(t, fmt.Sprintf("usage is as before: %+v", before), func() bool {
		after = Measure()
		return after.Threads <= before.Threads+3 && after.Files <= before.Files &&
			after.Goroutines <= before.Goroutines && after.Stacks <= before.Stacks
	})
	t.Logf("from %+v to %+v", before, after)
}
