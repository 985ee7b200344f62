package py

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/wire"
)

// An Object is a live Python object that Go refers to. It belongs to the context that it came from: given back to it as
// an argument it is the identical object; given to another context it is [ErrWrongContext]. Any number of goroutines may
// use it. Close releases it; one that Go forgets is released by the garbage collector.
type Object struct {
	context *Context
	handle  uint64
	closed  atomic.Bool
	cleanup runtime.Cleanup
}

type objectHandle struct {
	core   *cpython.Context
	handle uint64
}

func newObject(c *Context, handle uint64) *Object {
	o := &Object{context: c, handle: handle}
	o.cleanup = runtime.AddCleanup(o, func(h objectHandle) { h.core.Drop(h.handle) }, objectHandle{c.core, handle})
	return o
}

// Context is the context that the object belongs to.
func (o *Object) Context() *Context { return o.context }

// Close lets the object go. It does not wait for Python. Closing again does nothing; any other use fails with
// [ErrClosed]. It always returns nil.
func (o *Object) Close() error {
	if o != nil && o.context != nil && !o.closed.Swap(true) {
		o.cleanup.Stop()
		o.context.core.Drop(o.handle)
	}
	return nil
}

// CallMethod calls a method and returns its result in the Go form that "Values" in the package documentation lists. An empty name calls the object itself. A last
// argument of type [Kw] holds the keyword arguments.
func (o *Object) CallMethod(ctx context.Context, name string, args ...any) (any, error) {
	return CallMethod[any](ctx, o, name, args...)
}

// Call calls the object itself.
func (o *Object) Call(ctx context.Context, args ...any) (any, error) {
	return CallMethod[any](ctx, o, "", args...)
}

// Attr returns an attribute. A dotted name walks attributes.
func (o *Object) Attr(ctx context.Context, name string) (any, error) {
	return Attr[any](ctx, o, name)
}

// Value converts the object in the Go form that "Values" in the package documentation lists. An object without a Go counterpart becomes another reference to it.
func (o *Object) Value(ctx context.Context) (any, error) {
	return Decode[any](ctx, o)
}

// String names the context; it does not ask Python.
func (o *Object) String() string {
	if o == nil || o.context == nil {
		return "<nil Python object>"
	}
	return fmt.Sprintf("<Python object of %s>", o.context.name)
}

// runner is nil for an object that is none.
func (o *Object) runner() Runner {
	if o == nil || o.context == nil {
		return nil
	}
	return o.context
}

// handleFor returns the handle for a request to c.
func (o *Object) handleFor(c *Context) (uint64, error) {
	switch {
	case o == nil || o.context == nil:
		return 0, fmt.Errorf("py: the object is nil or was not made by py: %w", ErrClosed)
	case o.context != c:
		return 0, fmt.Errorf("%w: it is one of %s, and the request goes to %s", ErrWrongContext, o.context.name, c.name)
	case o.closed.Load():
		return 0, fmt.Errorf("py: the object: %w", ErrClosed)
	}
	return o.handle, nil
}

// handleIn is handleFor for what e writes, until that is read.
func (o *Object) handleIn(e *wire.Encoder, c *Context) (uint64, error) {
	handle, err := o.handleFor(c)
	if err == nil {
		e.Keep = append(e.Keep, o)
	}
	return handle, err
}

func encodeObject(e *wire.Encoder, o *Object) error {
	if o == nil {
		e.None()
		return nil
	}
	handle, err := o.handleIn(e, e.Scope.(home).context())
	if err != nil {
		return err
	}
	e.Ref(handle)
	return nil
}
