package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pycontext/py"
)

// chaos is what all goroutines of Case79Chaos share: contexts of every mode, which come and go.
type chaos struct {
	t     *testing.T
	s     *suite
	slots [9]atomic.Pointer[py.Context]

	token                               atomic.Int64
	requests, ended, callbacks, opened  atomic.Int64
	fromThreads, finalized, interrupted atomic.Int64
}

// everythingAtOnce uses contexts of all modes in all ways at random, while they are interrupted, closed and opened. Whatever has an
// answer has the right one, whatever ends early says why, and nothing is left.
func everythingAtOnce(t *testing.T, s *suite) {
	if s.Mode != py.Worker {
		t.Skip("once for all modes")
	}
	h := &chaos{t: t, s: s}
	for i := range h.slots {
		h.slots[i].Store(h.open(i))
	}
	atRandom(t, 24, 3*time.Second, h.step)
	for i := range h.slots {
		is(t, "closing", h.slots[i].Load().Close(), nil)
	}
	t.Logf("%d requests, of which %d ended early; %d callbacks, %d of threads; %d finalizers; %d interrupts; %d contexts", h.requests.Load(), h.ended.Load(),
		h.callbacks.Load(), h.fromThreads.Load(), h.finalized.Load(), h.interrupted.Load(), h.opened.Load())
}

const chaotic = `
import go, threading, queue, contextvars, gc
var = contextvars.ContextVar("var")
class Noted:
    def __init__(self, f): self.f = f
    def __del__(self):
        try: self.f()
        except BaseException: pass
class Kelvin:
    def __init__(self, n): self.n = n
def plain(n): return n
def echo(n): return go.echo(n)
def quick(n): return go.quick(n)
def deeper(n, depth): return n if depth <= 0 else go.deeper(n, depth)
def deep(n): return deeper(n, n % 8)
def below(n): return go.below(n)
def other(n): return go.other(n)
def caught(n):
    try: go.fail(n)
    except Exception as e: return int(str(e).split()[1])
def spin(n):
    for _ in range(20000): pass
    return n
jobs = queue.SimpleQueue() # no thread is started where an interrupt may strike: it would leave threading's own lock taken
def work():
    while True:
        try: n, answers = jobs.get(timeout=0.1)
        except queue.Empty:
            try: go.quick(0) # an error once the context is closed
            except Exception: return
            continue
        try: answers.put(go.from_thread(n))
        except BaseException as e: answers.put(e)
for _ in range(2): threading.Thread(target=work).start()
def threads(n):
    answers = queue.SimpleQueue()
    jobs.put((n, answers))
    got = answers.get(timeout=20)
    if isinstance(got, BaseException): raise got
    return got
def noted(n):
    var.set(Noted(go.note if n % 2 else go.note_inline))
    return n
def cycle(n):
    a = Noted(go.note); a.a = a
    gc.collect(0)
    return n
def heat(n): return int(go.heat(Kelvin(float(n))).n)
def generate(n):
    try:
        for i in range(n % 200 + 1): yield go.echo(i) if i % 16 == 0 else i
    finally: go.note_inline()
def big(b): return b + b
def fill(m):
    for i in range(len(m)): m[i] = i
def apply(f, n): return f(n)
def drain(items): return sum(items)
def asked(n):
    try: return go.echo(n)
    finally: go.note_inline()
`

func (h *chaos) open(i int) *py.Context {
	mode := h.s.info.Modes[i%len(h.s.info.Modes)]
	c, err := py.New(context.Background(), py.Options{Mode: mode, Grace: 30 * time.Second})
	if err != nil {
		h.t.Fatal(err)
	}
	h.opened.Add(1)
	count := func(n int64) int64 { h.callbacks.Add(1); return n }
	for name, f := range map[string]any{
		"echo": count,
		"from_thread": func(ctx context.Context, n int64) (int64, error) {
			h.fromThreads.Add(1)
			return py.Eval[int64](ctx, c, "n", py.Vars{"n": n})
		},
		"deeper": func(ctx context.Context, n int64, depth int) (int64, error) {
			return py.Call[int64](ctx, c, "__main__", "deeper", count(n), depth-1)
		},
		"other": func(ctx context.Context, n int64) (int64, error) {
			return py.Call[int64](ctx, h.slots[n%9].Load(), "__main__", "echo", count(n))
		},
		"fail": func(n int64) error { return fmt.Errorf("token %d", count(n)) },
		"heat": func(k kelvin) kelvin { h.callbacks.Add(1); return k },
		"note": func() { h.finalized.Add(1) },
	} {
		register(h.t, c, name, f)
	}
	register(h.t, c, "quick", count, py.Inline())
	register(h.t, c, "note_inline", func() { h.finalized.Add(1) }, py.Inline())
	register(h.t, c, "below", func(ctx context.Context, n int64) (int64, error) {
		return py.Eval[int64](ctx, c, "go.quick(n)", py.Vars{"n": n})
	}, py.Inline())
	run(h.t, c, chaotic)
	convert[kelvin](h.t, c, "Kelvin", py.Converter{To: "lambda k: go.quick(int(k.n)) + 0.0", From: "Kelvin"})
	return c
}

func (h *chaos) step(r *rand.Rand) {
	i := r.IntN(len(h.slots))
	slot := &h.slots[i]
	c := slot.Load()
	switch r.IntN(3000) {
	case 0, 1, 2:
		h.replace(r, slot, i)
		return
	case 3, 4:
		runtime.GC()
	case 5, 6, 7, 8, 9, 10, 11, 12:
		if c.Interrupt() {
			h.interrupted.Add(1)
		}
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	switch r.IntN(6) {
	case 0:
		timer := time.AfterFunc(time.Duration(r.IntN(3000))*time.Microsecond, func() { cancel(errHammer) })
		defer timer.Stop()
	case 1:
		var stop func()
		ctx, stop = context.WithTimeout(ctx, time.Duration(r.IntN(5000))*time.Microsecond)
		defer stop()
	}
	n := h.token.Add(1)
	got, err := chaoticRequests[r.IntN(len(chaoticRequests))](h, ctx, c, r, n)
	h.requests.Add(1)
	switch {
	case err == nil && got == n:
	case err == nil:
		h.t.Errorf("got %d, want %d", got, n)
	case errors.Is(err, py.ErrClosed), errors.Is(err, errHammer), errors.Is(err, py.ErrInterrupted), errors.Is(err, context.Canceled),
		errors.Is(err, context.DeadlineExceeded):
		h.ended.Add(1)
	default:
		h.t.Errorf("request %d: %+v", n, err)
	}
}

// replace ends a context in one of the ways there are, and puts another in its place.
func (h *chaos) replace(r *rand.Rand, slot *atomic.Pointer[py.Context], i int) {
	c, fresh := slot.Load(), h.open(i)
	if !slot.CompareAndSwap(c, fresh) {
		c = fresh
	}
	if r.IntN(2) == 0 {
		c.Shutdown(timeout(time.Duration(r.IntN(50)) * time.Millisecond))
	}
	is(h.t, "closing", c.Close(), nil)
}

var chaoticRequests = []func(*chaos, context.Context, *py.Context, *rand.Rand, int64) (int64, error){
	(*chaos).calls, (*chaos).calls, (*chaos).calls, (*chaos).variables, (*chaos).objects, (*chaos).envs, (*chaos).attachments,
	(*chaos).streams, (*chaos).lends, (*chaos).blobs, (*chaos).functionsAndChannels,
}

func (*chaos) calls(ctx context.Context, c *py.Context, r *rand.Rand, n int64) (int64, error) {
	names := []string{"plain", "echo", "quick", "deep", "below", "other", "caught", "spin", "threads", "noted", "cycle", "heat", "asked"}
	return py.Call[int64](ctx, c, "__main__", names[r.IntN(len(names))], n)
}

func (*chaos) variables(ctx context.Context, c *py.Context, r *rand.Rand, n int64) (int64, error) {
	if r.IntN(2) == 0 {
		return n, c.Exec(ctx, "x = go.echo(n)\nassert x == n or True", py.Vars{"n": n})
	}
	return py.Eval[int64](ctx, c, "go.echo(n) if n % 2 else n", py.Vars{"n": n})
}

func (*chaos) objects(ctx context.Context, c *py.Context, r *rand.Rand, n int64) (int64, error) {
	o, err := py.Eval[*py.Object](ctx, c, "[n, Noted(go.note)]", py.Vars{"n": n})
	if err != nil {
		return 0, err
	}
	if r.IntN(2) == 0 {
		defer o.Close()
	}
	return py.CallMethod[int64](ctx, o, "__getitem__", 0)
}

func (*chaos) envs(ctx context.Context, c *py.Context, r *rand.Rand, n int64) (int64, error) {
	e, err := c.NewEnv(ctx)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	if err := e.Exec(ctx, "import go\nv = go.echo(n)", py.Vars{"n": n}); err != nil {
		return 0, err
	}
	return py.Eval[int64](ctx, e, "v")
}

// attachments let go of an object and call their own context meanwhile.
func (*chaos) attachments(ctx context.Context, c *py.Context, r *rand.Rand, n int64) (int64, error) {
	o, err := py.Eval[*py.Object](ctx, c, "Noted(go.note_inline)")
	if err != nil {
		return 0, err
	}
	var got atomic.Int64 // the function may still run when its caller has gone
	detach := r.IntN(2) == 0
	err = c.Attach(ctx, func(a *py.Attached) error {
		o.Close()
		if detach {
			a.Detach(runtime.Gosched)
		}
		if _, err := py.Eval[int64](ctx, c, "go.quick(n)", py.Vars{"n": n}); err != nil {
			return err
		}
		f, err := a.Global("spin")
		if err != nil {
			return err
		}
		v, err := py.CallRef[int64](f, n)
		got.Store(v)
		return err
	})
	return got.Load(), err
}

func (*chaos) streams(ctx context.Context, c *py.Context, r *rand.Rand, n int64) (int64, error) {
	want, leave := int64(0), r.Int64N(300)
	for i, err := range py.Stream[int64](ctx, c, "__main__", "generate", n) {
		if err != nil {
			return 0, err
		}
		if i != want {
			return 0, fmt.Errorf("item %d of the stream is %d", want, i)
		}
		if want++; want == leave {
			return n, nil
		}
	}
	if want != n%200+1 {
		return 0, fmt.Errorf("the stream of %d items ended after %d", n%200+1, want)
	}
	return n, nil
}

func (*chaos) lends(ctx context.Context, c *py.Context, r *rand.Rand, n int64) (int64, error) {
	items := make([]int64, 1+r.IntN(50))
	if _, err := c.Call(ctx, "__main__", "fill", py.LendWritable(items)); err != nil {
		return 0, err
	}
	for i, v := range items {
		if v != int64(i) {
			return 0, fmt.Errorf("item %d of memory that was lent is %d", i, v)
		}
	}
	return n, nil
}

func (*chaos) blobs(ctx context.Context, c *py.Context, r *rand.Rand, n int64) (int64, error) {
	b := bytes.Repeat([]byte{byte(n)}, 70_000+r.IntN(70_000))
	got, err := py.Call[[]byte](ctx, c, "__main__", "big", b)
	if err == nil && (len(got) != 2*len(b) || bytes.Count(got, b[:1]) != len(got)) {
		return 0, fmt.Errorf("%d bytes came back as %d, or others", len(b), len(got))
	}
	clear(b) // it is the caller's again, whatever became of the call
	return n, err
}

func (*chaos) functionsAndChannels(ctx context.Context, c *py.Context, r *rand.Rand, n int64) (int64, error) {
	if r.IntN(2) == 0 {
		return py.Call[int64](ctx, c, "__main__", "apply", func(m int64) int64 { return m }, n)
	}
	items := make(chan int64)
	go func() {
		for _, v := range []int64{n, -1, 1} {
			select {
			case items <- v:
			case <-ctx.Done(): // and not closed, which would be an end, and an answer
				return
			}
		}
		close(items)
	}()
	return py.Call[int64](ctx, c, "__main__", "drain", (<-chan int64)(items))
}
