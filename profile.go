package py

import (
	"context"
	"fmt"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pycontext/py/internal/cpython"
)

// Times is where the time of requests went, as far as they ended with a result or a Python exception.
type Times struct {
	Requests  int64         // how many there were
	Queued    time.Duration // they waited for their turn on the context's thread
	Lock      time.Duration // they waited for the interpreter's lock, at first and after each Go function
	Running   time.Duration // Python ran
	Callbacks time.Duration // Python waited for Go functions, with all that these ask of Python
}

// String gives all of it in one line.
func (t Times) String() string {
	return fmt.Sprintf("requests %d, queued %v, lock %v, running %v, callbacks %v", t.Requests, t.Queued, t.Lock, t.Running,
		t.Callbacks)
}

// stopwatch adds up times.
type stopwatch struct {
	mu    sync.Mutex
	total Times
}

func (s *stopwatch) add(t cpython.Times) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total.Requests++
	s.total.Queued += t.Queued
	s.total.Lock += t.Lock
	s.total.Running += t.Running
	s.total.Callbacks += t.Callbacks
}

func (s *stopwatch) times() Times {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

type stopwatchKey struct{}

var stopwatches atomic.Bool // whether there ever was one: requests need not look for it before

// WithTimes returns a context.Context and what tells the times of the requests made with it, or with one derived from it,
// so far: of one request, or of all that belong to one job. Requests that Go functions make within others are counted on
// their own, and in the Callbacks of those. Both results may be used by any number of goroutines.
func WithTimes(ctx context.Context) (context.Context, func() Times) {
	s := new(stopwatch)
	stopwatches.Store(true)
	return context.WithValue(ctx, stopwatchKey{}, s), s.times
}

// Times are those of all requests of a context with [Options].Profile since it was made, and zero without that.
func (c *Context) Times() Times { return c.total.times() }

// watch is what looks at one request, or nil.
type watch struct {
	context *Context
	within  *stopwatch // of WithTimes
	ctx     context.Context
	region  *trace.Region // of name, or nil
	name    string
}

// watchFor returns the watch of a request, if somebody wants to know. It costs next to nothing where nobody does.
func (c *Context) watchFor(ctx context.Context, q *request) *watch {
	var within *stopwatch
	if stopwatches.Load() {
		within, _ = ctx.Value(stopwatchKey{}).(*stopwatch)
	}
	if within == nil && !c.profile && !trace.IsEnabled() {
		return nil
	}
	w := &watch{context: c, within: within, ctx: ctx}
	if c.profile {
		w.ctx = pprof.WithLabels(ctx, pprof.Labels("py.context", c.name, "py.request", q.describe()))
		pprof.SetGoroutineLabels(w.ctx)
	}
	if trace.IsEnabled() {
		w.name = q.describe()
		w.region = trace.StartRegion(ctx, "py "+w.name)
	}
	return w
}

// end is called when the request is over: with its times, or nil when they are not known. The ctx is the caller's.
func (w *watch) end(ctx context.Context, t *cpython.Times) {
	if t != nil {
		if w.within != nil {
			w.within.add(*t)
		}
		if w.context.profile {
			w.context.total.add(*t)
		}
	}
	if w.region != nil {
		if t != nil {
			trace.Logf(ctx, "py", "queued %v, lock %v, running %v, callbacks %v", t.Queued, t.Lock, t.Running, t.Callbacks)
		}
		w.region.End()
	}
	if w.context.profile {
		pprof.SetGoroutineLabels(ctx)
	}
}

// watchCall labels a Go function that Python calls, and makes it a region, until over is called. The function gets the
// context.Context that within returns. Over is nil where nobody looks.
func (c *Context) watchCall(name string, ctx func() context.Context) (within func() context.Context, over func()) {
	if !c.profile && !trace.IsEnabled() {
		return ctx, nil
	}
	below := ctx()
	labelled := below
	if c.profile {
		labelled = pprof.WithLabels(below, pprof.Labels("py.function", name))
		pprof.SetGoroutineLabels(labelled)
	}
	region := trace.StartRegion(below, "py function "+name)
	return func() context.Context { return labelled }, func() {
		region.End()
		if c.profile {
			pprof.SetGoroutineLabels(below)
		}
	}
}
