//go:build cgo && (linux || darwin)

package cpython

// #include "request.h"
import "C"

import (
	"context"
	"runtime"
	"runtime/trace"
)

// regions are what one use of a request is in a trace of runtime/trace, where a region belongs to a goroutine: it waits on one of its own,
// since its caller's is within the wait, and runs on that of the thread.
type regions struct {
	ctx   context.Context
	name  string
	begun chan struct{} // closed when it runs, or never will
	run   *trace.Region // nil before it runs
}

// Trace makes the next Run two regions in the trace that is being made: its wait for its turn, and its run.
func (r *Request) Trace(ctx context.Context, name string) {
	g := &regions{ctx: ctx, name: name, begun: make(chan struct{})}
	r.regions = g
	r.c.timed |= C.TRACED
	waits := make(chan struct{})
	go func() {
		queue := trace.StartRegion(ctx, "py queue of "+name)
		close(waits)
		<-g.begun
		queue.End()
	}()
	<-waits
}

// goRun is called when a traced request begins to run, and when it ends, on its thread.
//
//export goRun
func goRun(handle C.uint64_t, begins C.int) {
	r := requests.Find(uint64(handle))
	r.context.fence.in()
	g := r.regions
	if begins != 0 {
		close(g.begun)
		runtime.Gosched() // to the goroutine that waits for that: else it had no processor before this thread comes back to Go
		g.run = trace.StartRegion(g.ctx, "py run of "+g.name)
	} else {
		g.run.End()
	}
	r.context.fence.out()
}

// endRegions is called when the use of the request is over.
func (r *Request) endRegions() {
	if r.regions.run == nil {
		close(r.regions.begun)
	}
	r.regions = nil
}
