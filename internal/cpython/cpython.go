// Package cpython holds CPython: it loads it, runs its threads and carries requests to them. It is the only package with
// C or unsafe in it. It decides nothing and knows no Go values: requests and results are bytes in the format of
// internal/wire/SPEC.md.
//
// C keeps no Go pointer. What it needs to name on the Go side it names by number: contexts, requests, functions, errors.
package cpython

import (
	"context"
	"errors"
	"time"
)

// The errors of this package; package py has public ones for them.
var (
	ErrClosed      = errors.New("closed")
	ErrUnsupported = errors.New("this build cannot run Python: it needs cgo, on Linux or macOS")
	// ErrMisused: Python would have been touched from a thread that is not attached.
	ErrMisused = errors.New("not attached")
)

// Mode says which interpreter and lock a context uses.
type Mode int

// The values are those of the C side.
const (
	Worker Mode = iota
	Subinterp
	OwnGIL
)

// Config says how CPython is started.
type Config struct {
	Library    string // libpython
	Home       string // prefix, or empty to derive it from Executable
	Executable string // sys.executable
	Args       []string
	Paths      []string // put in front of sys.path
	Redirect   [2]bool  // stdout and stderr go to Hooks.Write
}

// Version is what was loaded.
type Version struct {
	Text         string
	Major, Minor int
	FreeThreaded bool
}

// Arity is what arguments a function takes.
type Arity struct {
	Least, Most int // by position; Most is -1 where there is no limit
	Keywords    bool
}

// Hooks are the functions through which Python reaches package py. They are set once, before Start.
type Hooks struct {
	// Lookup finds the function of a name for a context: its number, or 0, whether it runs on the Python thread, and what it takes.
	Lookup func(c *Context, name string) (number uint64, inline bool, takes Arity)
	// Names lists the registered functions, one a line.
	Names func(c *Context) string
	// Call runs a function and writes its answer. It must not panic.
	Call func(cb *Callback)
	// Ready is Call, on the Python thread, where that need not wait; it reports whether it was.
	Ready func(cb *Callback) bool
	// RetainFunction tells that Python has one more callable for a function that Go lends, and answers whether there is
	// such a function, and what it takes.
	RetainFunction func(number uint64) (takes Arity, ok bool)
	// ReleaseFunction tells that it has one less.
	ReleaseFunction func(number uint64)
	// Released tells that a request is over and its frame read or dropped. It gets the request's Scratch.
	Released func(scratch any)
	// Discard drops what a result holds that nobody waits for.
	Discard func(c *Context, result []byte)
	// RetainError tells that a result names a Go error once more, until it is decoded or discarded.
	RetainError func(number uint64)
	// ReleaseError tells that a Python exception no longer holds a Go error.
	ReleaseError func(number uint64)
	// LimitError is the number of a Go error for an argument that is beyond a limit; an exception is to hold it.
	LimitError func() uint64
	// ClosedError is the same for what Go closed while a request that names it was on its way.
	ClosedError func() uint64
	// Ending tells that nothing runs in a context any more, and that its objects are about to go.
	Ending func(c *Context)
	// Ended tells that a context's thread and interpreter are gone.
	Ended func(c *Context)
	// GaveUp tells that Go code on a thread of the context does not come back, and that the context is to close.
	GaveUp func(c *Context)
	// Write takes output of Python: 1 is stdout, 2 stderr. It returns nothing, or the answer of a callback that says what
	// to raise. It must not panic.
	Write func(stream int, p []byte) []byte
}

// Live counts what must come back to zero.
type Live struct {
	Threads, Contexts, Lanes, Requests, Callbacks, References, Errors, Functions, Lent int64
}

// Times are how long a request waited for its turn and for the interpreter's lock, ran, and waited for Go functions.
type Times struct{ Queued, Lock, Running, Callbacks time.Duration }

// outcome of a wait that ended without a result.
type unfinished struct {
	started bool
	cause   error
}

func (u *unfinished) Error() string { return u.cause.Error() }
func (u *unfinished) Unwrap() error { return u.cause }

// Started says whether the request had reached Python when its caller stopped waiting for it. For errors of Run only.
func Started(err error) bool {
	var u *unfinished
	return errors.As(err, &u) && u.started
}

func causeOf(ctx context.Context) error { return context.Cause(ctx) }

// Scalar is a value that crosses without being encoded: what is in the register, and its kind, which is 0 where there is none.
type Scalar struct {
	Bits uint64
	Kind ScalarKind
}

// ScalarKind is a set of kinds of scalars. A Ref is a Pointer, and an argument within Attach only.
type ScalarKind int32

// The kinds of scalars, as scalar.h has them.
const (
	ScalarNone ScalarKind = 1 << iota
	ScalarFalse
	ScalarTrue
	ScalarInt
	ScalarFloat
	ScalarRef
)

// MostScalars is how many of them a message may have.
const MostScalars = 4
