//go:build cgo && (linux || darwin)

package cpython

// #include "request.h"
import "C"

import (
	"sync"
	"time"
)

// turns let other interpreters have the lock now and then, while requests of a context wait. In CPython 3.12 whoever wants the
// lock asks for it in its own interpreter, where code that computes in another never hears of it. However many requests wait, one
// timer does so for all: what it runs takes a thread and the lock.
type turns struct {
	sync.Mutex
	waiting int         // requests
	timer   *time.Timer // from the first on that waited
	taking  bool        // one is being taken, which sets the timer again
}

const turn = 5 * time.Millisecond

func (t *turns) begin(c *Context) {
	t.Lock()
	defer t.Unlock()
	if t.waiting++; t.waiting > 1 || t.taking {
		return
	}
	if t.timer == nil {
		t.timer = time.AfterFunc(turn, func() { t.take(c) })
	} else {
		t.timer.Reset(turn)
	}
}

func (t *turns) end() {
	t.Lock()
	defer t.Unlock()
	if t.waiting--; t.waiting == 0 {
		t.timer.Stop()
	}
}

func (t *turns) take(c *Context) {
	t.Lock()
	defer t.Unlock()
	if t.taking || t.waiting == 0 { // another one is late, or this one came too late
		return
	}
	t.taking = true
	t.Unlock()
	if c.hold() {
		C.context_yield(c.c)
		c.release()
	}
	t.Lock()
	t.taking = false
	if t.waiting > 0 {
		t.timer.Reset(turn)
	}
}
