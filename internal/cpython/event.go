//go:build cgo && (linux || darwin)

package cpython

// #include "request.h"
import "C"

import (
	"context"
	"runtime"
	"runtime/pprof"
	"sync/atomic"
	"time"
	"unsafe"
)

// An event is what a context's thread has for Go: see EVENT_BITS.

//export goEvent
func goEvent(event C.uintptr_t) {
	if event&(C.EVENT_DONE|C.EVENT_ABANDONED) != 0 {
		endRequest(event)
	} else {
		start(event)
	}
}

// idle is where goroutines that ran callbacks wait a moment for more: their stacks have grown to what callbacks take.
var idle = make(chan C.uintptr_t)

const lingering = 10 * time.Millisecond

// start runs an event on a goroutine.
func start(event C.uintptr_t) {
	select {
	case idle <- event:
	default:
		go work(event)
	}
}

func work(event C.uintptr_t) {
	timer := time.NewTimer(lingering)
	defer timer.Stop()
	for {
		runEvents(event)
		pprof.SetGoroutineLabels(context.Background()) // those of the callbacks
		timer.Reset(lingering)
		select {
		case event = <-idle:
		case <-timer.C:
			return
		}
	}
}

// runEvents runs an event, and after a callback what the same lane has next, as long as it comes quickly.
func runEvents(event C.uintptr_t) {
	for event != 0 {
		switch {
		case event&C.EVENT_MANY != 0:
			takeMany(laneOf(event))
			return
		case event&C.EVENT_BITS != 0:
			endRequest(event)
			return
		}
		event = runCallback(event, 0)
	}
}

func callbackOf(event C.uintptr_t) *C.callback { return *(**C.callback)(unsafe.Pointer(&event)) }

func requestOf(event C.uintptr_t) *C.request {
	event &^= C.EVENT_BITS
	return *(**C.request)(unsafe.Pointer(&event))
}

func laneOf(event C.uintptr_t) *C.lane {
	event &^= C.EVENT_BITS
	return *(**C.lane)(unsafe.Pointer(&event))
}

// endRequest wakes the caller of a request that is done, or recycles one that nobody waits for.
func endRequest(event C.uintptr_t) {
	r := requests.Find(uint64(requestOf(event).handle))
	if event&C.EVENT_DONE != 0 {
		r.wake <- true
		return
	}
	r.context.fence.in()
	close(r.over)
	r.unkeep()
}

// takeMany runs the events that the lane's thread leaves, until there are none for some turns of the scheduler, and none for a while
// longer where it may spin for them.
func takeMany(l *C.lane) {
	defer C.lane_release(l)
	events, taker := (*unsafe.Pointer)(unsafe.Pointer(&l.events)), (*uint32)(unsafe.Pointer(&l.taker))
	for quiet := 0; ; runtime.Gosched() {
		if quiet++; quiet > mostQuiet && !spinForEvents(l) {
			atomic.SwapUint32(taker, 0) // before events is read; the race detector lets a mere store come behind that
			if atomic.LoadPointer(events) == nil || !atomic.CompareAndSwapUint32(taker, 0, 1) {
				return
			}
		}
		var oldest *C.event
		e := (*C.event)(atomic.SwapPointer(events, nil))
		took(unsafe.Pointer(events))
		for e != nil {
			e, e.next, oldest = e.next, oldest, e
		}
		for e := oldest; e != nil; quiet = 0 {
			next := e.next // until it is run, e is this goroutine's
			goEvent(e.what)
			e = next
		}
	}
}

const mostQuiet = 8

// spinForEvents is the spinning of those who wait for the lane's results, done by one goroutine for all of them.
func spinForEvents(l *C.lane) (found bool) {
	if C.lane_may_spin_for_events(l) == 0 {
		return false
	}
	for end := time.Now().Add(time.Duration(C.park_spin_ns)); !found && time.Now().Before(end); runtime.Gosched() {
		found = C.lane_spin_for_events(l) != 0
	}
	C.lane_stop_spinning(l, boolInt(found))
	return found
}
