//go:build cgo && (linux || darwin)

package cpython

// #include "request.h"
import "C"

import (
	"context"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Callback is a call of a Go function by Python. It is valid until the function's answer is given, and used for another
// call then, unless a Link to it was taken.
type Callback struct {
	c       *C.callback
	context *Context
	link    *Link

	// Scratch is the callee's, kept for the next call.
	Scratch any
}

// Link is what a chain of requests keeps of a callback: the way to the Python thread that waits in it. It stays valid
// when the callback is over.
type Link struct {
	lane    *C.lane
	main    bool // on the context's own thread
	context *Context

	mu     sync.Mutex
	active atomic.Bool // Python waits: requests of the chain run on top of it
}

var callbacks = sync.Pool{New: func() any { return new(Callback) }}

func newCallback(c *C.callback) *Callback {
	cb := callbacks.Get().(*Callback)
	cb.c = c
	cb.context = contexts.find(uint64(c.lane.context.handle))
	cb.context.fence.in()
	return cb
}

// Context is the context whose Python made the call.
func (cb *Callback) Context() *Context { return cb.context }

// Within is what the Go function's context.Context derives from.
func (cb *Callback) Within() context.Context {
	if cb.c.request != nil {
		return requests.find(uint64(cb.c.request.handle)).Within()
	}
	return cb.context.life
}

// Link returns the callback's link, made when it is first asked for.
func (cb *Callback) Link() *Link {
	if cb.link == nil {
		cb.link = &Link{lane: cb.c.lane, main: cb.c.lane.is_main != 0, context: cb.context}
		cb.link.active.Store(true)
	}
	return cb.link
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
var held table[func(read bool)]

// Hold has over called once Python has read the answer, or dropped it.
func (cb *Callback) Hold(over func(read bool)) { cb.c.held = C.uint64_t(held.add(over)) }

// submit sends a request of the chain to the Python thread that waits, or, when it waits no more, to the context's
// thread like any other.
func (l *Link) submit(r *Request) C.int {
	if l.main {
		return C.request_submit(l.lane, r.c, boolInt(l.active.Load()), 1)
	}
	l.mu.Lock()
	if l.active.Load() {
		defer l.mu.Unlock()
		return C.request_submit(l.lane, r.c, 1, 0)
	}
	l.mu.Unlock()
	return C.request_submit(r.context.c.main, r.c, 0, 1)
}

func (l *Link) end() {
	l.mu.Lock()
	l.active.Store(false)
	l.mu.Unlock()
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

// runEvents is a goroutine that runs a callback, and what the same lane has next as long as it comes quickly.
func runEvents(event C.uintptr_t) {
	for event != 0 {
		if event&C.EVENT_BITS != 0 {
			endRequest(event)
			return
		}
		event = runCallback(event)
	}
}

func runCallback(event C.uintptr_t) (next C.uintptr_t) {
	returned := false
	c := *(**C.callback)(unsafe.Pointer(&event))
	cb := newCallback(c)
	defer func() {
		cb.end()
		next = C.callback_finish(c)
		if !returned && next != 0 { // the function called runtime.Goexit, and this goroutine is going
			go runEvents(next)
		}
	}()
	hooks.Call(cb)
	returned = true
	return 0
}

//export goEvent
func goEvent(event C.uintptr_t) {
	if event&C.EVENT_BITS != 0 {
		endRequest(event)
	} else {
		go runEvents(event)
	}
}

//export goInline
func goInline(c *C.callback) {
	cb := newCallback(c)
	hooks.Call(cb)
	cb.end()
}

//export goLookup
func goLookup(context C.uint64_t, name *C.char, n C.size_t, isInline *C.int) C.uint64_t {
	number, inline := hooks.Lookup(contexts.find(uint64(context)), C.GoStringN(name, C.int(n)))
	*isInline = boolInt(inline)
	return C.uint64_t(number)
}

//export goNames
func goNames(context C.uint64_t, out *C.buf) {
	names := hooks.Names(contexts.find(uint64(context)))
	buf := append(grow(out, nil, len(names)), names...)
	out.len = C.size_t(len(buf))
}

//export goRetainError
func goRetainError(number C.uint64_t) { hooks.RetainError(uint64(number)) }

//export goRetainFunction
func goRetainFunction(number C.uint64_t) C.int { return boolInt(hooks.RetainFunction(uint64(number))) }

//export goReleaseFunction
func goReleaseFunction(number C.uint64_t) { hooks.ReleaseFunction(uint64(number)) }

//export goAnswered
func goAnswered(number C.uint64_t, read C.int) {
	over := held.find(uint64(number))
	held.remove(uint64(number))
	over(read != 0)
}

//export goReleaseError
func goReleaseError(number C.uint64_t) { hooks.ReleaseError(uint64(number)) }

//export goWrite
func goWrite(stream C.int, p *C.char, n C.size_t) C.int {
	if hooks.Write(int(stream), unsafe.Slice((*byte)(unsafe.Pointer(p)), int(n))) != nil {
		return 1
	}
	return 0
}
