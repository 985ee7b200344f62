package py

import (
	"errors"
	"slices"
	"weak"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/wire"
)

// An exception that a Go function got from Python, and returns, is raised there as the object that it was. Until the function has
// returned, its callback holds the exception for that; or until Go has forgotten the error, or many others have come since.

// asker is a home of results that a Go function waits for.
type asker interface {
	asker() *cpython.Link // of the function's callback, or nil
}

// hold keeps the exception for the Go function that asked for what raised it, and lets it go where there is none.
func (e *Error) hold(o *Object, scope any) {
	a, ok := scope.(asker)
	held := weak.Make(o)
	if !ok || !a.asker().AtEnd(func() { held.Value().Close() }) {
		o.Close()
		return
	}
	e.itself = o
}

// giveBack returns the handle of the exception for an answer, which holds it from then on; 0 where it is none of the answer's context,
// or not held any more.
func (e *Error) giveBack(answer *wire.Encoder) uint64 {
	if e == nil || e.itself == nil || e.itself.context != answer.Scope.(home).context() || e.itself.closed.Swap(true) {
		return 0
	}
	o := e.itself
	o.cleanup.Stop()
	answer.Holds = append(answer.Holds, func(bool) { o.context.core.Drop(o.handle) })
	return o.handle
}

// goOn ends the traceback with that of the error that the exception was in Go.
func (e *Error) goOn() {
	before, _ := errors.AsType[*Error](e.goError)
	if !e.again || before == nil {
		return
	}
	e.Traceback = withoutMiddle(append(e.Traceback, before.entries...))
	e.beneath = withoutMiddle(append(e.beneath, before.beneath...))
}

const mostAtEnds = 50 // each level that an exception comes through has a traceback of its own

func withoutMiddle[T any](all []T) []T {
	if n := len(all); n > 2*mostAtEnds {
		all = slices.Delete(all, mostAtEnds, n-mostAtEnds)
	}
	return slices.Clip(all)
}

// sameException is the Go error of an exception that was raised again as itself, while Python has it.
type sameException struct{ error }
