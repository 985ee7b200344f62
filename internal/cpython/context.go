//go:build cgo && (linux || darwin)

package cpython

// #include "request.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pycontext/py/internal/handle"
)

// Context is the Go side of one context: its thread, its interpreter and the requests under way.
type Context struct {
	c       *C.context
	handle  uint64
	id      int64
	started chan struct{}
	ended   chan struct{}
	selfish bool            // what computes in its interpreter keeps a lock that others share
	turns   turns           // where it is
	life    context.Context // ends with the context; for callbacks that no request stands behind
	die     context.CancelCauseFunc
	once    sync.Once

	fence fence

	// The thread, the requests under way, and who else needs the C side; at zero that is let go. A request that nobody waits for any
	// more counts as a stray besides.
	users atomic.Int64
	stage atomic.Int32
	calm  chan struct{} // one element: there may be none under way, while the context drains

	first *Request // is enough for one caller, and taken without a lock
	taken atomic.Bool
	mu    sync.Mutex
	idle  []*Request            // under mu: further ones
	all   map[*Request]struct{} // under mu: those and first, idle or not
	told  bool                  // under mu: all of them have been told that it closes

	// Owner is package py's context.
	Owner any
}

// The stages of a context's life: all requests begin, only those of a chain do, or none.
const (
	open = iota
	draining
	closed
)

const stray = 1 << 32 // in Context.users

const mostIdle = 1024 // requests that are kept for their next use

var contexts handle.Table[Context]

// NewContext starts a context's thread and interpreter and waits until it is ready. The thread looks for requests for that long
// before it sleeps; 0: as long as that pays.
func NewContext(mode Mode, stackSize int, spin time.Duration, owner any) (*Context, error) {
	c := &Context{
		started: make(chan struct{}),
		all:     map[*Request]struct{}{},
		ended:   make(chan struct{}),
		calm:    make(chan struct{}, 1),
		Owner:   owner,
	}
	c.selfish = mode != OwnGIL && version().Minor < 13
	c.life, c.die = context.WithCancelCause(context.Background())
	c.users.Store(2) // the thread, and this function
	c.handle = contexts.Add(c)
	c.c = C.context_start(C.uint64_t(c.handle), C.int(mode), C.size_t(stackSize), C.int64_t(spin))
	if c.c == nil {
		c.die(ErrClosed)
		return nil, fmt.Errorf("the system has no thread with a stack of %d bytes: make Options.StackSize smaller, or close other contexts", stackSize)
	}
	c.first = c.newRequest()
	defer c.release()
	Wait(func() { <-c.started })
	if problem := C.GoString(&c.c.problem[0]); problem != "" {
		<-c.ended
		return nil, errors.New(problem)
	}
	c.id = int64(c.c.interp.id)
	return c, nil
}

// Limit sets what a value from Python may be at most: how deep, how many bytes, how many items. It is for the time before
// the first request.
func (c *Context) Limit(depth int, bytes, items uint64) {
	c.c.limits = C.limits{depth: C.int(depth), bytes: C.uint64_t(bytes), items: C.uint64_t(items)}
}

// InterpreterID is CPython's own number: 0 for the main interpreter.
func (c *Context) InterpreterID() int64 { return c.id }

// Life ends when the context begins to close.
func (c *Context) Life() context.Context { return c.life }

// Close lets no new request begin, fails those that wait with ErrClosed, interrupts those that run, and returns at once.
// Ended tells when the thread is gone.
func (c *Context) Close() {
	c.once.Do(func() {
		c.stage.Store(closed)
		c.tellClosing()
		c.die(ErrClosed)
		if c.hold() {
			C.context_close(c.c)
			c.release()
		}
	})
}

// Drain lets no new request begin, unless it belongs to a chain.
func (c *Context) Drain() { c.stage.CompareAndSwap(open, draining) }

// Calm waits, after Drain, until no request is under way that somebody waits for, or the context has ended. It returns false when
// ctx ended first.
func (c *Context) Calm(ctx context.Context) bool {
	for c.waitedFor() {
		select {
		case <-c.calm:
		case <-c.ended:
			return true
		case <-ctx.Done():
			return false
		}
	}
	c.tellCalm() // whoever else waits
	return true
}

// waitedFor tells whether there is a request under way that is no stray.
func (c *Context) waitedFor() bool {
	return c.callers() > 0
}

// callers is how many requests are under way that somebody waits for.
func (c *Context) callers() int64 {
	n := c.users.Load()
	return n%stray - n/stray - 1
}

// Ended is closed when the thread and the interpreter are gone.
func (c *Context) Ended() <-chan struct{} { return c.ended }

// Drop lets go of an object that a result gave a handle for. It returns at once.
func (c *Context) Drop(handle uint64) {
	if c.hold() {
		C.context_drop(c.c, C.uint64_t(handle))
		c.release()
	}
}

// Interrupt raises the interrupt in the request on top of the context's thread and cancels the callbacks it waits for.
// It returns false when there is none. It waits for the interpreter's lock.
func (c *Context) Interrupt(cause error) bool {
	if !c.hold() {
		return false
	}
	defer c.release()
	var serial C.uint64_t
	handle := C.context_interrupt(c.c, &serial)
	if handle == 0 {
		return false
	}
	if r := requests.Find(uint64(handle)); r != nil {
		r.cancelCallbacks(uint64(serial), cause)
	}
	return true
}

// Wait calls f, which waits for other Python code. A Python thread in the middle of an inline function or of Attach lets go of
// its interpreter meanwhile.
func Wait(f func()) {
	if C.thread_detach() != 0 {
		defer C.thread_reattach()
	}
	f()
}

// hold keeps the C side from going. It returns false when it is gone already.
func (c *Context) hold() bool {
	for {
		n := c.users.Load()
		if n == 0 {
			return false
		}
		if c.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release ends a hold.
func (c *Context) release() {
	switch n := c.users.Add(-1); {
	case n == 0:
		c.letGo()
	case c.stage.Load() != open:
		c.tellCalm()
	}
}

// tellClosing ends the waits of callers, those that are to begin yet included. No request is used after that.
func (c *Context) tellClosing() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = true
	for r := range c.all {
		r.wake <- false
	}
}

func (c *Context) tellCalm() {
	select {
	case c.calm <- struct{}{}:
	default:
	}
}

// letGo is called when nobody needs the C side, and nobody ever will.
func (c *Context) letGo() {
	c.mu.Lock()
	all := c.all
	c.idle, c.all = nil, nil
	c.mu.Unlock()
	for r := range all {
		r.destroy()
	}
	C.context_release(c.c)
}

//export goStarted
func goStarted(handle C.uint64_t) { close(contexts.Find(uint64(handle)).started) }

// goFreed is called when nothing names the context any more: Python threads that outlive it do.
//
//export goFreed
func goFreed(handle C.uint64_t) { contexts.Remove(uint64(handle)) }

//export goEnding
func goEnding(handle C.uint64_t) { hooks.Ending(contexts.Find(uint64(handle))) }

//export goEnded
func goEnded(handle C.uint64_t) {
	c := contexts.Find(uint64(handle))
	c.die(ErrClosed)
	hooks.Ended(c)
	c.release() // before anyone hears of it: who closed the context then finds nothing of it alive
	close(c.ended)
}
