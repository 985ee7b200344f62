//go:build cgo && (linux || darwin)

package cpython

// #include "function.h"
// #include "request.h"
import "C"

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/pycontext/py/internal/handle"
)

// Callback is a call of a Go function by Python. It is valid until the function's answer is given, and used for another
// call then, unless a Link to it was taken.
type Callback struct {
	c       *C.callback
	context *Context
	link    *Link
	depth   int // callbacks below it on the same goroutine

	// Scratch is the callee's, kept for the next call.
	Scratch any
}

// Link is what a chain of requests keeps of a callback: the way to the Python thread that waits in it. It stays valid
// when the callback is over.
type Link struct {
	lane    *C.lane
	main    bool // on the context's own thread
	context *Context
	request *Request        // that the callback was made in, or nil
	serial  uint64          // of that use of it
	depth   int             // as Callback.depth
	ended   <-chan struct{} // closed when the function's context.Context ends

	mu     sync.RWMutex // a thread in an inline function runs what it asks for with it locked
	active atomic.Bool  // Python waits: requests of the chain run on top of it; under mu where it is no thread of a context

	ends ends // of AtEnd
}

var callbacks = sync.Pool{New: func() any { return new(Callback) }}

func newCallback(c *C.callback, depth int) *Callback {
	cb := callbacks.Get().(*Callback)
	cb.c, cb.depth = c, depth
	cb.context = contexts.Find(uint64(c.lane.context.handle))
	cb.context.fence.in()
	return cb
}

// Context is the context whose Python made the call.
func (cb *Callback) Context() *Context { return cb.context }

// Within is what the Go function's context.Context derives from.
func (cb *Callback) Within() context.Context {
	if r := cb.request(); r != nil {
		return r.Within()
	}
	return cb.context.life
}

// request is the one that the call was made in, or nil.
func (cb *Callback) request() *Request {
	if cb.c.request == nil {
		return nil
	}
	return requests.Find(uint64(cb.c.request.handle))
}

// Link returns the callback's link, made when it is first asked for, for the function's context.Context, which ends with the
// channel.
func (cb *Callback) Link(ended <-chan struct{}) *Link {
	if cb.link != nil {
		return cb.link
	}
	l := cb.c.lane
	cb.link = &Link{lane: l, main: l.is_main != 0, context: cb.context, depth: cb.depth, ended: ended}
	if r := cb.request(); r != nil {
		cb.link.request, cb.link.serial = r, r.serial()
	}
	cb.link.active.Store(true)
	return cb.link
}

const mostOnGoroutine = 100 // callbacks, so that its stack stays small

// admits tells whether the callbacks of a request of the chain may run on the goroutine that waits for it: that cannot
// return before they do, so not where it has a deadline of its own.
func (l *Link) admits(ctx context.Context) bool {
	return l != nil && l.request != nil && l.depth < mostOnGoroutine && ctx.Done() == l.ended
}

// Context is the context whose Python waits.
func (l *Link) Context() *Context { return l.context }

// Active tells whether Python still waits.
func (l *Link) Active() bool { return l.active.Load() }

// Function is the number that Hooks.Lookup gave.
func (cb *Callback) Function() uint64 { return uint64(cb.c.function) }

// Args are the arguments, in C memory.
func (cb *Callback) Args() []byte { return bytesOf(&cb.c.args)[:cb.c.args.len] }

// Buffer is where the answer is to be written; Grow makes it larger.
func (cb *Callback) Buffer() []byte { return bytesOf(&cb.c.answer)[:0] }

// Grow returns buf with room for n more bytes.
func (cb *Callback) Grow(buf []byte, n int) []byte { return grow(&cb.c.answer, buf, n) }

// Answer sets the answer, which was written to Buffer.
func (cb *Callback) Answer(answer []byte) { cb.c.answer.len = C.size_t(len(answer)) }

// held is what is to be done once an answer was read or dropped.
var held handle.Table[func(read bool)]

// Hold has over called once Python has read the answer, or dropped it.
func (cb *Callback) Hold(over func(read bool)) { cb.c.held = C.uint64_t(held.Add(&over)) }

// submit sends a request of the chain to the Python thread that waits, or, when it waits no more, to the context's
// thread like any other.
func (l *Link) submit(r *Request) C.int {
	if l.main {
		return r.submitTo(l.lane, boolInt(l.active.Load()), 1)
	}
	l.mu.RLock()
	if l.active.Load() {
		defer l.mu.RUnlock()
		return r.submitTo(l.lane, 1, 1)
	}
	l.mu.RUnlock()
	return r.submitTo(r.context.c.main, 0, r.context.callers())
}

// AtEnd has f called when the callback is over, or before that, when many others have been given since. It returns false where it is
// over, or there is none.
func (l *Link) AtEnd(f func()) bool { return l != nil && l.ends.add(f) }

func (l *Link) end() {
	l.mu.Lock()
	l.active.Store(false)
	l.mu.Unlock()
	l.ends.come()
}

// ends are what is to be done when something ends.
type ends struct {
	mu   sync.Mutex
	todo []func() // oldest first
	over bool
}

const mostEnds = 16 // so that a function which runs for long collects no more

func (e *ends) add(f func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return false
	}
	if len(e.todo) == mostEnds {
		e.todo[0]()
		e.todo = slices.Delete(e.todo, 0, 1)
	}
	e.todo = append(e.todo, f)
	return true
}

func (e *ends) come() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
	for _, f := range e.todo {
		f()
	}
	e.todo = nil
}

func boolInt(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// end is called before Python goes on.
func (cb *Callback) end() {
	if cb.link != nil {
		cb.link.end()
		cb.link = nil
	}
	cb.context.fence.out()
	cb.c, cb.context = nil, nil
	callbacks.Put(cb)
}

// runCallback answers a callback that runs on top of depth others on this goroutine, and returns the lane's next event, or
// 0.
func runCallback(event C.uintptr_t, depth int) (next C.uintptr_t) {
	returned := false
	c := callbackOf(event)
	cb := newCallback(c, depth)
	defer func() {
		cb.end()
		next = C.callback_finish(c)
		if !returned && next != 0 { // the function called runtime.Goexit, and this goroutine is going
			start(next)
		}
	}()
	hooks.Call(cb)
	returned = true
	return 0
}

//export goInline
func goInline(c *C.callback) {
	onThread(func() {
		cb := newCallback(c, mostOnGoroutine)
		hooks.Call(cb)
		cb.end()
	})
}

//export goReady
func goReady(c *C.callback) (ran C.int) {
	onThread(func() {
		cb := newCallback(c, mostOnGoroutine)
		ran = boolInt(hooks.Ready(cb))
		cb.end()
	})
	return ran
}

// onThread runs Go code on a Python thread, which it must give back. Go ends the process when such code ends its goroutine
// (runtime.Goexit, testing.T.FailNow). So the context is given up instead: it closes, and its thread stays here, detached.
func onThread(f func()) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			panic(v)
		}
		if c := contexts.Find(uint64(C.thread_give_up())); c != nil {
			hooks.GaveUp(c)
		}
		select {}
	}()
	f()
	returned = true
}

//export goLookup
func goLookup(context C.uint64_t, name *C.char, n C.size_t, isInline *C.int, takes *C.arity) C.uint64_t {
	number, inline, arity := hooks.Lookup(contexts.Find(uint64(context)), C.GoStringN(name, C.int(n)))
	*isInline = boolInt(inline)
	arity.write(takes)
	return C.uint64_t(number)
}

func (a Arity) write(to *C.arity) {
	*to = C.arity{least: C.int(a.Least), most: C.int(a.Most), keywords: boolInt(a.Keywords)}
}

//export goNames
func goNames(context C.uint64_t, out *C.buf) {
	names := hooks.Names(contexts.Find(uint64(context)))
	buf := append(grow(out, nil, len(names)), names...)
	out.len = C.size_t(len(buf))
}

//export goRetainError
func goRetainError(number C.uint64_t) { hooks.RetainError(uint64(number)) }

//export goLimitError
func goLimitError() C.uint64_t { return C.uint64_t(hooks.LimitError()) }

//export goClosedError
func goClosedError() C.uint64_t { return C.uint64_t(hooks.ClosedError()) }

//export goRetainFunction
func goRetainFunction(number C.uint64_t, takes *C.arity) C.int {
	arity, ok := hooks.RetainFunction(uint64(number))
	arity.write(takes)
	return boolInt(ok)
}

//export goReleaseFunction
func goReleaseFunction(number C.uint64_t) { hooks.ReleaseFunction(uint64(number)) }

//export goAnswered
func goAnswered(number C.uint64_t, read C.int) {
	over := held.Remove(uint64(number))
	(*over)(read != 0)
}

//export goReleaseError
func goReleaseError(number C.uint64_t) { hooks.ReleaseError(uint64(number)) }

//export goWrite
func goWrite(stream C.int, p *C.char, n C.size_t, out *C.buf) {
	onThread(func() {
		answer := hooks.Write(int(stream), unsafe.Slice((*byte)(unsafe.Pointer(p)), int(n)))
		out.len = C.size_t(len(append(grow(out, nil, len(answer)), answer...)))
	})
}
