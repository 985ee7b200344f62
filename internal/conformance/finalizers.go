package conformance

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/pycontext/py"
)

// What runs on a context's thread on behalf of no request: finalizers of what Go let go of, and of what a request left behind.
var finalizerCases = []testCase{
	{"Case62InterruptSparesFinalizers", interruptSparesFinalizers},
	{"Case62FinalizerBetweenRequests", finalizerBetweenRequests},
	{"Case62InterruptInFinalizers", interruptInFinalizers},
	{"Case32FinalizersOfTheNamespace", finalizersOfTheNamespace},
}

// interruptSparesFinalizers interrupts a function of Attach, which then lets an object go and calls its context.
func interruptSparesFinalizers(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
done = []
class D:
    def __del__(self):
        for i in range(1000): pass
        done.append(1)
def spin():
    while True: pass
`)
	for i := range 20 {
		o := eval[*py.Object](t, c, "D()")
		err := c.Attach(limit(t), func(a *py.Attached) error {
			if !c.Interrupt() {
				t.Error("nothing to interrupt")
			}
			o.Close()
			equal(t, "finalizers that came to their end", eval[int](t, c, "len(done)"), i+1)
			spin, err := a.Global("spin")
			if err != nil {
				return err
			}
			_, err = py.CallRef[bool](spin)
			return err
		})
		is(t, "the attached function", err, py.ErrInterrupted)
	}
}

// finalizerBetweenRequests has a request that ends on top of one that waits leave an object in a context variable, which calls
// Go when it goes.
func finalizerBetweenRequests(t *testing.T, s *suite) {
	c := s.open(t)
	waiting, release := make(chan struct{}), make(chan struct{})
	register(t, c, "wait", func() { waiting <- struct{}{}; <-release })
	register(t, c, "inline", func() int { return 1 }, py.Inline())
	register(t, c, "queued", func() int { return 1 })
	run(t, c, `
import go, contextvars
v, done = contextvars.ContextVar("v"), []
class D:
    def __init__(self, f): self.f = f
    def __del__(self):
        try: done.append(self.f())
        except BaseException as e: done.append(repr(e))
`)
	for _, f := range []string{"inline", "queued"} {
		ctx, cancel := context.WithCancel(context.Background())
		result := make(chan error, 1)
		go func() { result <- c.Exec(ctx, "go.wait()\nwhile True: pass") }()
		<-waiting
		cancel()
		is(t, "the caller", <-result, context.Canceled) // and is to be interrupted once it goes on
		run(t, c, "v.set(D(go."+f+"))")
		equal(t, "what the finalizer got of go."+f, eval[any](t, c, "done.pop()"), any(int64(1)))
		release <- struct{}{}
		works(t, c)
	}
}

// interruptInFinalizers interrupts code that is within a __del__ nearly all the time, from where no exception comes out.
func interruptInFinalizers(t *testing.T, s *suite) {
	c := s.open(t)
	started := make(chan struct{}, 1)
	register(t, c, "started", func() { started <- struct{}{} })
	register(t, c, "wait", func(ctx context.Context) { started <- struct{}{}; <-ctx.Done() })
	run(t, c, `
import go, weakref
class Computing:
    def __del__(self):
        for i in range(100_000): pass
class Waiting:
    def __del__(self): go.wait()
def compute(_):
    for i in range(100_000): pass
class Plain: pass
`)
	for _, code := range []string{"while True: Computing()", "while True: [Computing() for _ in range(100)]",
		"while True:\n  x = Plain()\n  r = weakref.ref(x, compute)\n  del x", "Waiting()\nwhile True: pass"} {
		for range 5 {
			result := make(chan error, 1)
			go func() { result <- c.Exec(limit(t), "go.started()\n"+code) }()
			<-started
			if code[0] == 'W' {
				<-started
			}
			eventually(t, "it is interrupted", func() bool { return c.Interrupt() })
			is(t, code, <-result, py.ErrInterrupted)
			works(t, c)
		}
		struck(t, code, func(ctx context.Context) error { return c.Exec(ctx, code) })
		for len(started) > 0 {
			<-started
		}
		works(t, c)
	}
}

// finalizersOfTheNamespace has what the context's code leaves in its names call Go at the end, with all these names still there.
func finalizersOfTheNamespace(t *testing.T, s *suite) {
	c := s.open(t)
	var mu sync.Mutex
	var called []string
	register(t, c, "bye", func(ctx context.Context, who string) error {
		mu.Lock()
		defer mu.Unlock()
		called = append(called, who)
		return nil
	})
	source := `
import go, threading
class D:
    def __init__(self, name): self.name = name
    def __del__(self): say(self.name)
def say(name): go.bye(name + suffix)
def generator():
    try: yield
    finally: say("generator")
def leave():
    global suffix, kept, cycle, running, local
    suffix, kept, cycle, running, local = " of " + where, D("name"), [D("cycle")], generator(), threading.local()
    cycle.append(cycle)
    next(running)
    local.x = D("thread")
`
	run(t, c, source+"where = 'context'\nleave()")
	run(t, s.env(t, c), source+"where = 'env'\nleave()")
	is(t, "Close", c.Close(), nil)
	slices.Sort(called)
	equal(t, "those that called Go", called, []string{"cycle of context", "cycle of env", "generator of context", "generator of env",
		"name of context", "name of env", "thread of context", "thread of env"})
}
