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

var stressCases = []testCase{{"Case79Hammer", hammer}, {"Case79Chaos", everythingAtOnce}}

// hammer uses ten contexts from fifty goroutines in every way at random, and closes and opens them meanwhile.
func hammer(t *testing.T, s *suite) {
	h := &hammered{t: t, s: s}
	for i := range h.slots {
		h.slots[i].Store(h.open())
	}
	atRandom(t, 50, 4*time.Second, h.step)
	for i := range h.slots {
		if err := h.slots[i].Load().Close(); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d requests, of which %d ended early; %d callbacks; %d contexts", h.requests.Load(), h.ended.Load(), h.callbacks.Load(), h.opened.Load())
}

// atRandom has n goroutines take steps for that time, or a minute with -long, or until the test has failed.
func atRandom(t *testing.T, n int, length time.Duration, step func(*rand.Rand)) {
	if *long {
		length = time.Minute
	}
	end := time.Now().Add(length)
	var wg sync.WaitGroup
	for g := range n {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), uint64(time.Now().UnixNano())))
			for time.Now().Before(end) && !t.Failed() {
				step(r)
			}
		})
	}
	wg.Wait()
}

type hammered struct {
	t                                         *testing.T
	s                                         *suite
	slots                                     [10]atomic.Pointer[py.Context]
	requests, ended, callbacks, opened, token atomic.Int64
}

func (h *hammered) open() *py.Context {
	c, err := h.s.New(context.Background(), py.Options{Mode: h.s.Mode, Grace: 20 * time.Second})
	if err != nil {
		h.t.Fatal(err)
	}
	h.opened.Add(1)
	c.Register("echo", func(n int64) int64 { h.callbacks.Add(1); return n })
	c.Register("quick", func(n int64) int64 { h.callbacks.Add(1); return n }, py.Inline())
	c.Register("deeper", func(ctx context.Context, n int64, depth int) (int64, error) {
		h.callbacks.Add(1)
		return py.Call[int64](ctx, c, "__main__", "deeper", n, depth-1)
	})
	c.Register("other", func(ctx context.Context, n int64) (int64, error) {
		h.callbacks.Add(1)
		return py.Call[int64](ctx, h.slots[n%10].Load(), "__main__", "echo", n)
	})
	c.Register("fail", func(n int64) (int64, error) { return 0, fmt.Errorf("token %d", n) })
	err = c.Exec(context.Background(), `
import go
from concurrent.futures import ThreadPoolExecutor
def echo(n): return go.echo(n)
def quick(n): return go.quick(n)
def plain(n): return n
def deeper(n, depth): return n if depth <= 0 else go.deeper(n, depth)
def deep(n): return deeper(n, n % 8)
def other(n): return go.other(n)
def caught(n):
    try: go.fail(n)
    except Exception as e: return int(str(e).split()[1])
def spin(n):
    for _ in range(20000): pass
    return n
def threads(n):
    with ThreadPoolExecutor(2) as pool: return list(pool.map(go.echo, [0, n]))[1]
`)
	if err != nil {
		h.t.Error(err)
	}
	return c
}

var errHammer = errors.New("given up")

func (h *hammered) step(r *rand.Rand) {
	slot := &h.slots[r.IntN(10)]
	c := slot.Load()
	if r.IntN(1500) == 0 {
		fresh := h.open()
		if slot.CompareAndSwap(c, fresh) {
			if r.IntN(2) == 0 {
				c.Shutdown(timeout(time.Duration(r.IntN(50)) * time.Millisecond))
			}
			if err := c.Close(); err != nil {
				h.t.Error(err)
			}
		} else {
			fresh.Close()
		}
		return
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	if r.IntN(3) == 0 {
		timer := time.AfterFunc(time.Duration(r.IntN(3000))*time.Microsecond, func() { cancel(errHammer) })
		defer timer.Stop()
	}
	if r.IntN(200) == 0 {
		c.Interrupt()
	}
	n := h.token.Add(1)
	got, err := h.request(ctx, c, r, n)
	h.requests.Add(1)
	switch {
	case err == nil && got == n:
	case err == nil:
		h.t.Errorf("got %d, want %d", got, n)
	case errors.Is(err, py.ErrClosed), errors.Is(err, errHammer), errors.Is(err, py.ErrInterrupted), errors.Is(err, context.Canceled):
		h.ended.Add(1)
	default:
		h.t.Errorf("request %d: %+v", n, err)
	}
}

func (h *hammered) request(ctx context.Context, c *py.Context, r *rand.Rand, n int64) (int64, error) {
	switch r.IntN(9) {
	case 0:
		return py.Eval[int64](ctx, c, "n", py.Vars{"n": n})
	case 1:
		return py.Eval[int64](ctx, c, "go.echo(n)", py.Vars{"n": n})
	case 2:
		return n, c.Exec(ctx, "x = go.echo(n)\nassert x == n if False else True", py.Vars{"n": n})
	case 3:
		o, err := py.Eval[*py.Object](ctx, c, "[n]", py.Vars{"n": n})
		if err != nil {
			return 0, err
		}
		if r.IntN(2) == 0 {
			defer o.Close()
		}
		return py.CallMethod[int64](ctx, o, "pop")
	case 4:
		e, err := c.NewEnv(ctx)
		if err != nil {
			return 0, err
		}
		defer e.Close()
		if err := e.Exec(ctx, "v = n", py.Vars{"n": n}); err != nil {
			return 0, err
		}
		return py.Eval[int64](ctx, e, "v")
	case 5:
		var got atomic.Int64
		err := c.Attach(ctx, func(a *py.Attached) error {
			f, err := a.Global("plain")
			if err != nil {
				return err
			}
			v, err := py.CallRef[int64](f, n)
			got.Store(v)
			return err
		})
		return got.Load(), err
	}
	names := []string{"echo", "quick", "plain", "deep", "other", "caught", "spin"}
	return py.Call[int64](ctx, c, "__main__", names[r.IntN(len(names))], n)
}
