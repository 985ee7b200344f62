package py

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/wire"
)

// Attached is Python from within: a function that [Context.Attach] runs uses it, on the context's thread, with the
// interpreter attached, at about the cost of the same thing in C. It is valid until that function returns, and for the
// function's goroutine only; elsewhere, and within [Attached.Detach], its use and that of its Refs is an error, or a panic
// where there is no error to return.
type Attached struct {
	context *Context
	core    *cpython.Attached
	encoder wire.Encoder
	decoder wire.Decoder
	refs    []cpython.Pointer // of the Refs; 0 where one was released
	free    []int             // places in refs that are 0
	over    bool
}

// Attach runs f on the context's thread with the interpreter attached. It waits for its turn like a call. While f runs,
// nothing else runs in the context; f must not wait for other Python code except within [Attached.Detach], or by calling this
// package. A request to the same context that f makes runs at once, on the same thread. The error of f is returned as it is;
// a panic becomes a *[PanicError]. f must not end its goroutine (runtime.Goexit, testing.T.FailNow): that is the end of the
// context, and its thread is lost.
//
// What Python keeps of memory that was lent (see [Lend]) within f is a BufferError of Attach.
//
// When ctx ends while f runs, Attach returns, and f goes on: f has to watch ctx itself.
func (c *Context) Attach(ctx context.Context, f func(a *Attached) error) error {
	if f == nil {
		return notSent(errors.New("py: attach: the function is nil"))
	}
	result := make(chan error, 1)
	number := cpython.AddAttachment(func(core *cpython.Attached) { result <- c.runAttached(core, f) })
	defer cpython.RemoveAttachment(number)
	if _, err := run[any](ctx, c, &request{verb: wire.VerbAttach, want: wire.WantNone, attached: number}); err != nil {
		select {
		case why := <-result: // what was lent to f is kept
			if why != nil {
				return errors.Join(why, err)
			}
		default:
		}
		return err
	}
	return <-result
}

func (c *Context) runAttached(core *cpython.Attached, f func(*Attached) error) (err error) {
	a := &Attached{
		context: c,
		core:    core,
		encoder: wire.Encoder{Grow: core.Grow, Lend: core.Lend, Hooks: codecHooks, Scope: c, Converted: &c.converted},
		decoder: wire.Decoder{Hooks: codecHooks, Scope: c},
	}
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack(), name: "within Attach"}
		}
		a.over = true
		endHolds(&a.encoder, true)
		for _, p := range a.refs {
			if p != 0 {
				core.Release(p)
			}
		}
	}()
	return f(a)
}

func (a *Attached) check() {
	if a.over {
		panic("py: an Attached was used after its function returned")
	}
}

func (a *Attached) checkIdle() {
	a.check()
	if a.core.Busy() {
		panic("py: an Attached was used by what a conversion within it called")
	}
}

// Context is the context that the function is attached to.
func (a *Attached) Context() *Context { return a.context }

// ThreadState is the PyThreadState* of the context's thread, for other cgo code.
func (a *Attached) ThreadState() uintptr { return a.core.ThreadState() }

// Detach lets the interpreter go while f runs, so that other threads can use it, and takes it back. Nothing of a or its
// Refs may be used in f.
func (a *Attached) Detach(f func()) {
	a.check()
	if a.core.Detach() != nil {
		panic(errDetached)
	}
	defer a.core.Attach()
	f()
}

// Import imports a module.
func (a *Attached) Import(module string) (Ref, error) {
	a.check()
	return a.ref(a.core.Import(module))
}

// Global returns what a name is bound to in the context's namespace, or among the built-ins.
func (a *Attached) Global(name string) (Ref, error) {
	a.check()
	return a.ref(a.core.Global(name, 0))
}

// New makes a Python object of a Go value.
func (a *Attached) New(value any) (Ref, error) {
	if err := a.value(value); err != nil {
		return Ref{}, err
	}
	return a.ref(a.core.New())
}

// Object returns the object that o refers to.
func (a *Attached) Object(o *Object) (Ref, error) {
	a.check()
	handle, err := o.handleFor(a.context)
	if err != nil {
		return Ref{}, err
	}
	return a.ref(a.core.Object(handle))
}

// Own makes a Ref of a PyObject* that other cgo code got as a new reference. It takes the reference over.
func (a *Attached) Own(object uintptr) Ref {
	r, _ := a.ref(cpython.Pointer(object), nil)
	return r
}

func (a *Attached) ref(p cpython.Pointer, err error) (Ref, error) {
	if err != nil {
		return Ref{}, a.raised(err)
	}
	if n := len(a.free); n > 0 {
		place := a.free[n-1]
		a.free, a.refs[place] = a.free[:n-1], p
		return Ref{a, p, place}, nil
	}
	a.refs = append(a.refs, p)
	return Ref{a, p, len(a.refs) - 1}, nil
}

// raised is the error of a step that failed: what Python raised, but for one in the wrong place.
func (a *Attached) raised(err error) error {
	if errors.Is(err, cpython.ErrMisused) {
		return errDetached
	}
	_, err = decodeResult[any](a.result())
	return err
}

var errDetached = errors.New("py: an Attached and its Refs were used within Detach, or by another goroutine than the " +
	"attached function's: only that function, while it is attached, may use them")

// result is over what the last call gave.
func (a *Attached) result() *wire.Decoder {
	a.decoder.Buf = a.core.Result()
	return &a.decoder
}

// reset makes room for what the next call is to be given. What the last one was given has been read.
func (a *Attached) reset() {
	a.checkIdle()
	endHolds(&a.encoder, true)
	a.encoder.Reset(a.core.Buffer())
}

// fields, value and args write what the next call is to be given.
func (a *Attached) fields(f wire.Fields) {
	a.reset()
	if f.Names != "" {
		writeFields(&a.encoder, f)
	}
}

func (a *Attached) value(v any) error {
	a.reset()
	if err := a.encoder.Value(v); err != nil {
		return conversionError("value", err)
	}
	a.core.Input(a.encoder.Buf)
	return nil
}

func (a *Attached) keyAndValue(key, value any) error {
	a.reset()
	if err := a.encoder.Value(key); err != nil {
		return conversionError("key", err)
	}
	if err := a.encoder.Value(value); err != nil {
		return conversionError("value", err)
	}
	a.core.Input(a.encoder.Buf)
	return nil
}

func (a *Attached) args(f wire.Fields, args []any) error {
	a.fields(f)
	if err := writeArgs(&a.encoder, args); err != nil {
		return err
	}
	a.core.Input(a.encoder.Buf)
	return nil
}
