//go:build cgo && (linux || darwin)

package cpython

// #include "request.h"
import "C"

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/pycontext/py/internal/handle"
)

// Request is one exchange with a context's thread. One goroutine at a time uses it: fill Buffer, Run, read the result,
// Release.
type Request struct {
	c       *C.request
	context *Context
	handle  uint64
	wake    chan bool // true when the result is there, false when the context closes; has room for both

	lent   []uint64       // the numbers of memory lent for it
	pinner runtime.Pinner // of blobs

	// Scratch is the caller's, kept with the request for its next use.
	Scratch any

	caller  context.Context
	regions *regions // of a use that is traced

	// For callbacks made while it runs.
	mu     sync.Mutex
	use    atomic.Uint64 // an even number for each; odd from when others than the caller have to do with it, under mu
	within *within       // derived from caller, once a callback asks for it
	cancel context.CancelCauseFunc

	// Once its caller no longer waits.
	keepers atomic.Int32 // the run itself and the interrupter
	over    chan struct{}

	// While its callbacks run on the goroutine that waits for it, and are cancelled with those of the request below.
	child, sibling *Request // under mu of the request below
	cancelled      bool     // under mu: this use's callbacks are
	interrupted    bool     // what forget returned
}

var requests handle.Table[Request]

// Request returns an idle request of the context, or ErrClosed; one of a chain also while the context drains.
func (c *Context) Request(chain bool) (*Request, error) {
	if !c.hold() {
		return nil, ErrClosed
	}
	if stage := c.stage.Load(); stage == closed || stage == draining && !chain {
		c.release()
		return nil, ErrClosed
	}
	if c.taken.CompareAndSwap(false, true) {
		return c.first, nil
	}
	if r := c.takeIdle(); r != nil {
		return r, nil
	}
	return c.newRequest(), nil
}

func (c *Context) newRequest() *Request {
	r := &Request{context: c, wake: make(chan bool, 2)}
	r.handle = requests.Add(r)
	r.c = C.request_new(C.uint64_t(r.handle))
	if r.c == nil {
		panic("cpython: out of memory")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all[r] = struct{}{}
	if c.told {
		r.wake <- false
	}
	return r
}

func (c *Context) takeIdle() *Request {
	var r *Request
	c.mu.Lock()
	if n := len(c.idle); n > 0 {
		r, c.idle = c.idle[n-1], c.idle[:n-1]
	}
	c.mu.Unlock()
	return r
}

// keep takes back a request. Whoever gives it holds the context.
func (c *Context) keep(r *Request) {
	if r == c.first {
		c.taken.Store(false)
		return
	}
	c.mu.Lock()
	full := len(c.idle) >= mostIdle
	if !full {
		c.idle = append(c.idle, r)
	} else {
		delete(c.all, r)
	}
	c.mu.Unlock()
	if full {
		r.destroy()
	}
}

// Buffer is where the frame of the request is to be written, in C memory; Grow makes it larger.
func (r *Request) Buffer() []byte { return bytesOf(&r.c.in)[:0] }

// Grow returns buf with room for n more bytes.
func (r *Request) Grow(buf []byte, n int) []byte { return grow(&r.c.in, buf, n) }

// Lend keeps the memory that p points to in its place until the request is released, and longer if Python does. It returns
// its number and its address.
func (r *Request) Lend(p any) (number, address uint64) {
	number, address = lend(p)
	r.lent = append(r.lent, number)
	return number, address
}

// Result is what Run returned, until Release.
func (r *Request) Result() []byte { return bytesOf(&r.c.out)[:r.c.out.len] }

// giveBack keeps the storage of a buffer for the next use, unless it is large.
func giveBack(b *C.buf) {
	b.len = 0
	if b.cap >= C.BUF_LARGE {
		C.buf_free(b)
	}
}

func bytesOf(b *C.buf) []byte { return unsafe.Slice((*byte)(b.p), int(b.cap)) }

func grow(b *C.buf, buf []byte, n int) []byte {
	b.len = C.size_t(len(buf))
	C.request_room(b, C.size_t(n))
	return bytesOf(b)[:len(buf)]
}

// Release gives the request back. The result of Run is invalid from then on.
func (r *Request) Release() {
	r.settle()
	r.over, r.interrupted = nil, false
	if r.regions != nil {
		r.endRegions()
	}
	r.dropFrame()
	giveBack(&r.c.in)
	giveBack(&r.c.out)
	r.resultRead()
	c := r.context
	c.keep(r)
	c.release()
}

// dropFrame lets go of what the frame holds of Go.
func (r *Request) dropFrame() {
	if r.Scratch != nil {
		hooks.Released(r.Scratch)
	}
	r.giveBackBlobs()
	if len(r.lent) > 0 {
		r.lent = giveUp(r.lent)
	}
}

func (r *Request) destroy() {
	requests.Remove(r.handle)
	C.request_free(r.c)
}

// Time makes the next Run note how long each part of it takes, for Times.
func (r *Request) Time(on bool) { r.c.timed = boolInt(on) * C.TIMED }

// Times are those of the last Run.
func (r *Request) Times() Times {
	t := r.c.times
	return Times{time.Duration(t.queued), time.Duration(t.lock), time.Duration(t.running), time.Duration(t.callbacks)}
}

// Run sends the frame, which was written to Buffer, and waits for the result. via links to the callback that the
// caller runs in, when that belongs to this context: the request then runs on top of it.
//
// When ctx ends or the context closes, Run returns at once: a request that has not started never runs, a running one is
// interrupted. After such an error the request releases itself.
func (r *Request) Run(ctx context.Context, via *Link, frame []byte) ([]byte, error) {
	r.c.in.len = C.size_t(len(frame))
	r.c.serial = C.uint64_t(r.serial())
	r.c.of = nil
	if via != nil && via.request != nil {
		r.c.of, r.c.of_serial = via.request.c, C.uint64_t(via.serial)
	}
	r.caller = ctx
	r.context.fence.out()
	how := r.submit(via)
	if how&C.SUBMIT_DETACHED != 0 {
		defer C.thread_reattach()
	}
	if how&C.SUBMIT_CLOSED != 0 {
		r.Release()
		return nil, ErrClosed
	}
	done := how&C.SUBMIT_DONE != 0
	if how&C.SUBMIT_CALLBACK != 0 {
		event := C.uintptr_t(uintptr(unsafe.Pointer(r.c.offered)))
		if how&C.SUBMIT_DETACHED == 0 && via.admits(ctx) && via.request.adopt(r, via.serial) {
			if done = r.serve(via, event); r.interrupted {
				return nil, r.giveUp(causeOf(ctx), done)
			}
		} else {
			start(event)
		}
	}
	if !done {
		if err := r.wait(ctx); err != nil {
			return nil, err
		}
	}
	r.context.fence.in()
	out := r.Result()
	if len(out) == 0 { // refused by the thread as it ended
		r.Release()
		return nil, ErrClosed
	}
	return out, nil
}

func (r *Request) submit(via *Link) C.int {
	if via == nil {
		return r.submitTo(r.context.c.main, 0, r.context.callers())
	}
	return via.submit(r)
}

func (r *Request) submitTo(lane *C.lane, chain C.int, callers int64) C.int {
	return C.request_submit(C.uintptr_t(uintptr(unsafe.Pointer(lane))), C.uintptr_t(uintptr(unsafe.Pointer(r.c))), chain, C.int64_t(callers))
}

// serial is the number of the request's use, which no other use of it has.
func (r *Request) serial() uint64 { return r.use.Load() &^ 1 }

// share tells whether a use of the request is not over, and keeps it from being so before mu, which is locked, is let go.
func (r *Request) share(serial uint64) bool {
	return r.use.CompareAndSwap(serial, serial|1) || r.use.Load() == serial|1
}

// serve runs the callbacks of r, of which event is the first, on the goroutine that waits for r: one that runs within the
// callback of via, so that Go and Python nest on one goroutine without a turn of Go's scheduler. It returns whether r is
// done; if not, it is to be waited for. When the callback of via is cancelled meanwhile, so are those of r.
func (r *Request) serve(via *Link, event C.uintptr_t) (done bool) {
	returned := false
	defer func() {
		r.interrupted = via.request.forget(r, via.serial)
		if !returned { // the function called runtime.Goexit, which ends this goroutine and with it the wait for r
			r.giveUp(context.Canceled, done)
		}
	}()
	for event != 0 && event&C.EVENT_BITS == 0 && callbackOf(event).request == r.c {
		event = runCallback(event, via.depth+1)
	}
	returned = true
	switch {
	case event == C.uintptr_t(uintptr(unsafe.Pointer(r.c)))|C.EVENT_DONE:
		return true
	case event&C.EVENT_BITS != 0:
		endRequest(event)
	case event != 0:
		start(event) // a callback of another request, which is not for this one to wait for
	}
	return false
}

// adopt makes the cancelling of the callbacks of this use of r cancel those of child too. It returns false when they are
// cancelled already.
func (r *Request) adopt(child *Request, serial uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.share(serial) || r.cancelled {
		return false
	}
	child.sibling, r.child = r.child, child
	return true
}

// forget ends adopt. It returns whether child was interrupted.
func (r *Request) forget(child *Request, serial uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for at := &r.child; *at != nil; at = &(*at).sibling {
		if *at == child {
			*at, child.sibling = child.sibling, nil
			break
		}
	}
	return !r.share(serial) || r.cancelled
}

// giveUp ends the wait for a request that runs, or is done, and whose result is not wanted.
func (r *Request) giveUp(cause error, done bool) error {
	if !done {
		if err := r.abandon(cause); err != nil {
			return err
		}
	}
	hooks.Discard(r.context, r.Result())
	r.Release()
	return &unfinished{started: true, cause: cause}
}

func (r *Request) wait(ctx context.Context) error {
	if r.context.selfish {
		r.context.turns.begin(r.context)
		defer r.context.turns.end()
	}
	done := false
	if over := ctx.Done(); over == nil {
		done = <-r.wake
	} else {
		select {
		case done = <-r.wake:
		case <-over:
			return r.abandon(causeOf(ctx))
		}
	}
	if !done {
		return r.abandon(ErrClosed)
	}
	return nil
}

// abandon ends the wait. It returns nil when the result came first.
func (r *Request) abandon(cause error) error {
	r.over = make(chan struct{})
	r.keepers.Store(2)
	r.context.fence.out()
	before := orState(r.c, C.ST_ABANDONED)
	if before&C.ST_DONE != 0 {
		for !<-r.wake { // the context closes, besides
		}
		r.over = nil
		return nil
	}
	r.context.users.Add(stray)
	if r.context.stage.Load() != open {
		r.context.tellCalm()
	}
	started := before&C.ST_STARTED != 0
	if started {
		C.request_mark(r.c) // before its caller goes on: it may still be about to begin, or wait for a callback
		C.blobs_wait(r.c)
		go r.interrupt(cause)
	} else {
		r.dropFrame() // now: its turn, when it is passed over, may be far
		C.buf_free(&r.c.in)
		r.unkeep()
	}
	return &unfinished{started: started, cause: cause}
}

// interrupt strikes until the request is over: code may catch the exception, once or a hundred times.
func (r *Request) interrupt(cause error) {
	again := 100 * time.Millisecond
	for {
		C.request_mark(r.c)
		r.cancelCallbacks(r.serial(), cause)
		C.request_interrupt(r.c)
		select {
		case <-r.over:
			r.unkeep()
			return
		case <-time.After(again):
			again = min(2*again, 5*time.Second)
		}
	}
}

// unkeep releases an abandoned request once its run and its interrupter are done with it.
func (r *Request) unkeep() {
	if r.keepers.Add(-1) == 0 {
		hooks.Discard(r.context, r.Result())
		r.context.users.Add(-stray)
		r.Release()
	}
}

// within is the context.Context of the Go functions that a request calls: its caller's values and deadline, and an end
// that comes after the request was marked as interrupted, so that Python code never goes on behind a function that was
// cancelled.
type within struct {
	context.Context       // ends by Request.cancel
	err             error // set before that
}

// Err is what the caller's was when it ended, if that was the reason.
func (w *within) Err() error {
	if err := w.Context.Err(); err == nil || w.err == nil {
		return err
	}
	return w.err
}

// endless has the caller's values and deadline, and no end.
type endless struct{ context.Context }

func (endless) Done() <-chan struct{} { return nil }
func (endless) Err() error            { return nil }

// Within is what the context.Context of a Go function derives from that is called by this request.
func (r *Request) Within() context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.share(r.serial())
	r.makeWithin()
	return r.within
}

func (r *Request) makeWithin() {
	if r.cancel != nil {
		return
	}
	ctx, cancel := context.WithCancelCause(endless{r.caller})
	r.within, r.cancel = &within{Context: ctx}, cancel
}

// settle ends what belongs to one use of the request: callbacks that still run are cancelled.
func (r *Request) settle() {
	serial := r.serial()
	if !r.use.CompareAndSwap(serial, serial+2) {
		r.settleShared(serial)
	}
	r.caller = nil
}

func (r *Request) settleShared(serial uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel != nil {
		r.cancelAll(context.Canceled)
	}
	for r.child != nil {
		c := r.child
		r.child, c.sibling = c.sibling, nil
	}
	r.within, r.cancel, r.cancelled = nil, nil, false
	r.use.Store(serial + 2)
}

func (r *Request) cancelCallbacks(serial uint64, cause error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.share(serial) {
		r.cancelAll(cause)
	}
}

// cancelAll is called with mu locked.
func (r *Request) cancelAll(cause error) {
	r.makeWithin() // a callback that is about to begin must find it cancelled
	r.cancelled = true
	if r.within.Context.Err() == nil {
		r.within.err = r.caller.Err()
	}
	r.cancel(cause)
	for c := r.child; c != nil; c = c.sibling {
		C.request_mark(c.c)
		c.cancelCallbacks(c.serial(), cause)
	}
}

func orState(c *C.request, bit C.uint32_t) C.uint32_t {
	return C.uint32_t(atomic.OrUint32((*uint32)(unsafe.Pointer(&c.state)), uint32(bit)))
}
