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
// function's goroutine only; elsewhere, within [Attached.Detach], and by what a conversion runs, such as a [Marshaler] or the
// __hash__ of a key, its use and that of its Refs is an error, or a panic where there is no error to return. Behind the function,
// it is a panic.
type Attached struct {
	context *Context
	core    *cpython.Attached
	encoder wire.Encoder
	decoder wire.Decoder
	refs    []place // of the Refs
	free    []int   // those that are free
	over    bool
}

// A place is one for a Ref, and after its Release for another.
type place struct {
	p   cpython.Pointer // 0 while it is free
	use int             // the how manyth
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
	number := cpython.AddAttachment(func(core *cpython.Attached) { result <- c.runAttached(ctx, core, f) })
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

func (c *Context) runAttached(ctx context.Context, core *cpython.Attached, f func(*Attached) error) (err error) {
	a := &Attached{
		context: c,
		core:    core,
		encoder: wire.Encoder{Grow: core.Grow, Lend: core.Lend, Hooks: codecHooks, Scope: c, Converted: &c.converted},
		decoder: wire.Decoder{Hooks: codecHooks, Scope: &exchange{home: c, via: callbackFor(ctx, c)}},
	}
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack(), name: "within Attach"}
		}
		a.over = true
		endHolds(&a.encoder, true)
		for _, at := range a.refs {
			if at.p != 0 {
				core.Release(at.p)
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
		panic(errBusy)
	}
}

// Context is the context that the function is attached to.
func (a *Attached) Context() *Context { return a.context }

// ThreadState is the PyThreadState* of the context's thread, for other cgo code.
func (a *Attached) ThreadState() uintptr {
	a.check()
	state := a.core.ThreadState()
	if state == 0 {
		panic(a.misused())
	}
	return state
}

// Detach lets the interpreter go while f runs, so that other threads can use it, and takes it back. Nothing of a or its
// Refs may be used in f.
func (a *Attached) Detach(f func()) {
	a.check()
	if a.core.Detach() != nil {
		panic(a.misused())
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

// Own makes a Ref of a PyObject* that other cgo code got as a new reference. It takes the reference over. It panics for NULL, which is
// how C says that it failed: the Python error is for that code to fetch.
func (a *Attached) Own(object uintptr) Ref {
	a.ThreadState() // which panics where a may not be used
	if object == 0 {
		panic("py: Own of a NULL, which is no object: the C function that returned it has failed, and set a Python error")
	}
	r, _ := a.ref(cpython.Pointer(object), nil)
	return r
}

func (a *Attached) ref(p cpython.Pointer, err error) (Ref, error) {
	if err != nil {
		return Ref{}, a.raised(err)
	}
	if n := len(a.free); n > 0 {
		i := a.free[n-1]
		a.free, a.refs[i].p = a.free[:n-1], p
		return Ref{a, p, i, a.refs[i].use}, nil
	}
	a.refs = append(a.refs, place{p: p})
	return Ref{a, p, len(a.refs) - 1, 0}, nil
}

// raised is the error of a step that failed: what Python raised, but for one in the wrong place.
func (a *Attached) raised(err error) error {
	if errors.Is(err, cpython.ErrMisused) {
		return a.misused()
	}
	_, err = resultOf[any](a)
	return err
}

// misused says why C refused.
func (a *Attached) misused() error {
	if a.core.Busy() {
		return errBusy
	}
	return errDetached
}

var errBusy = errors.New("py: an Attached was used by what a conversion within it called")

var errDetached = errors.New("py: an Attached and its Refs were used within Detach, or by another goroutine than the " +
	"attached function's: only that function, while it is attached, may use them")

// resultOf decodes what the last call gave. What that runs cannot use a.
func resultOf[T any](a *Attached) (T, error) {
	a.core.Claim()
	defer a.core.Yield()
	a.decoder.Reset(a.core.Result())
	return decodeResult[T](&a.decoder)
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
	if err := a.write(v, "value"); err != nil {
		return err
	}
	a.core.Input(a.encoder.Buf)
	return nil
}

func (a *Attached) keyAndValue(key, value any) error {
	a.reset()
	if err := a.write(key, "key"); err != nil {
		return err
	}
	if err := a.write(value, "value"); err != nil {
		return err
	}
	a.core.Input(a.encoder.Buf)
	return nil
}

// write writes a value. What that runs, such as a Marshaler, cannot use a.
func (a *Attached) write(v any, what string) error {
	a.core.Claim()
	defer a.core.Yield()
	if err := a.encoder.Value(v); err != nil {
		return conversionError(what, err)
	}
	return nil
}

func (a *Attached) args(f wire.Fields, args []any) error {
	a.fields(f)
	a.core.Claim()
	defer a.core.Yield()
	if err := writeArgs(&a.encoder, args); err != nil {
		return err
	}
	a.core.Input(a.encoder.Buf)
	return nil
}
