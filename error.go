package py

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/wire"
)

// The errors that a program branches on, for errors.Is.
var (
	// ErrClosed: the context, env or object was closed before the request was over.
	ErrClosed = cpython.ErrClosed
	// ErrUnsupportedMode: the Python that runs is too old for the mode.
	ErrUnsupportedMode = errors.New("py: unsupported mode")
	// ErrWrongContext: an object or env was used with a context that it does not belong to.
	ErrWrongContext = errors.New("py: object of another context")
	// ErrInterrupted: [Context.Interrupt] ended the request.
	ErrInterrupted = errors.New("py: interrupted")
	// ErrLimit: a value from Python is beyond one of the [Limits] of the context.
	ErrLimit = wire.ErrLimit
	// ErrStuck: a context's thread did not end in its grace time, because code in C does not come back.
	ErrStuck = errors.New("its thread is still busy in Python or C code, and is reclaimed when that comes back")
)

// Exception is the name of a Python exception class, as a target for errors.Is: errors.Is(err,
// py.Exception("LookupError")) is true for a KeyError. A class that is not built in may be named with its module
// ("json.decoder.JSONDecodeError") or without.
type Exception string

// Error returns the name.
func (e Exception) Error() string { return string(e) }

// Frame is one entry of a traceback.
type Frame struct {
	File     string
	Line     int
	Function string
	Source   string // the line's text, where it is known
}

// Syntax is where a SyntaxError lies.
type Syntax struct {
	File         string
	Line, Column int // from 1; 0 if unknown
	Text         string
}

// Error is a Python exception. It lives as long as Go likes, and holds nothing of Python, but for the exception itself while the Go
// function runs that got it from Python: returned from there, by itself or wrapped, it is raised in Python as what it was.
//
// errors.Is matches an [Exception] of its class or a base class of it, [ErrInterrupted] for an interrupt, and the Go
// errors that it, its causes or the members of its group carry; errors.As finds those too.
type Error struct {
	Type    string // the class, such as "KeyError"
	Module  string // the module of the class, such as "builtins"
	Message string // str(exception)
	// Bases are the classes that it derives from, nearest first, with their modules unless those are built in.
	Bases []string
	Notes []string // PEP 678
	// Traceback is the stack where it was raised, outermost first. Of one that came through Go functions, no more than the first
	// and the last 50 frames are there.
	Traceback []Frame
	Cause     *Error   // of "raise ... from"
	Context   *Error   // what was being handled when it was raised; where that is the Cause too, the same *Error
	Group     []*Error // the members of an exception group (PEP 654)
	Syntax    *Syntax  // of a SyntaxError

	hideContext bool
	goError     error
	again       bool     // goError is what this exception was in Go, on its way
	itself      *Object  // the exception, for the Go function that got it, or nil
	entries     []Frame  // the traceback as it came, which a program may have changed since
	beneath     []string // for each of them, what Python prints beneath it: source, with its marks
	last        string   // the last lines of what Python prints, where they are not just class, message and notes
}

// Error is the last line of Python's traceback: the class and the message.
func (e *Error) Error() string {
	name := printed(e.Module, e.Type)
	if e.Message == "" {
		return name
	}
	return name + ": " + e.Message
}

// Is matches an [Exception] and [ErrInterrupted]; see [Error].
func (e *Error) Is(target error) bool {
	if target == ErrInterrupted {
		return e.Module == "go" && e.Type == "Interrupted"
	}
	want, ok := target.(Exception)
	if !ok {
		return false
	}
	if sameClass(qualified(e.Module, e.Type), string(want)) {
		return true
	}
	for _, base := range e.Bases {
		if sameClass(base, string(want)) {
			return true
		}
	}
	return false
}

func sameClass(full, want string) bool {
	return full == want || strings.HasSuffix(full, "."+want) || !strings.Contains(full, ".") && "builtins."+full == want
}

func qualified(module, name string) string {
	if module == "builtins" || module == "" {
		return name
	}
	return module + "." + name
}

// printed is the name of a class as a traceback has it.
func printed(module, name string) string {
	if module == "__main__" {
		return name
	}
	return qualified(module, name)
}

// Unwrap returns the Go errors that went through Python and into this exception.
func (e *Error) Unwrap() []error {
	var all []error
	if e.goError != nil {
		all = append(all, e.goError)
	}
	for _, inner := range e.Group {
		all = append(all, inner.Unwrap()...)
	}
	if e.Cause != nil {
		all = append(all, e.Cause.Unwrap()...)
	} else if e.Context != nil && !e.hideContext {
		all = append(all, e.Context.Unwrap()...)
	}
	return all
}

// safeToRetry is false: what raised had reached Python, whatever the Go errors beneath say of requests of their own.
func (e *Error) safeToRetry() bool { return false }

// pythonKind is the built-in class to raise when the error goes back into Python: the nearest that can be made of a message.
func (e *Error) pythonKind() string {
	kind, isException := "", false
	for _, name := range append([]string{qualified(e.Module, e.Type)}, e.Bases...) {
		switch name {
		case "BaseExceptionGroup", "ExceptionGroup", "UnicodeDecodeError", "UnicodeEncodeError", "UnicodeTranslateError":
		case "Exception":
			isException = true
		case "BaseException":
			if !isException {
				kind = name
			}
		default:
			if !strings.Contains(name, ".") {
				return name
			}
		}
	}
	return kind
}

// ConversionError is a value that cannot be carried over exactly. From an argument it means that Python was not touched.
type ConversionError struct {
	Place  string // such as "args[0].items[3]", "kw[\"x\"]" or "result[2]"; a very long one is cut in its middle
	Reason string
	err    error
}

// Error returns the place and the reason.
func (e *ConversionError) Error() string {
	return "py: " + e.Place + ": " + e.Reason
}

// Unwrap returns the error beneath, such as [ErrWrongContext].
func (e *ConversionError) Unwrap() error { return e.err }

func misfit(place, reason string, err error) *ConversionError {
	return &ConversionError{Place: (&wire.Error{Path: place}).Place(), Reason: reason, err: err}
}

func conversionError(place string, err error) error {
	err = wire.At(err, place)
	var w *wire.Error
	if !errors.As(err, &w) {
		return err
	}
	return misfit(w.Path, w.Reason, w.Err)
}

// SafeToRetry tells that the request of an error never reached Python, so that it can be sent again, to this or another
// context, without running anything twice.
func SafeToRetry(err error) bool {
	var e interface{ safeToRetry() bool }
	return errors.As(err, &e) && e.safeToRetry()
}

// notSentError wraps an error that was found before the request left Go.
type notSentError struct{ err error }

func notSent(err error) error             { return &notSentError{err} }
func (e *notSentError) Error() string     { return e.err.Error() }
func (e *notSentError) Unwrap() error     { return e.err }
func (e *notSentError) safeToRetry() bool { return true }

// unfinishedError is a request whose caller waits no more.
type unfinishedError struct {
	what    string
	started bool
	err     error // ErrClosed, context.Canceled or context.DeadlineExceeded
	cause   error
}

func (e *unfinishedError) Error() string {
	why := e.err.Error()
	if e.cause != nil {
		why = e.cause.Error()
	}
	if e.started {
		return fmt.Sprintf("py: %s: %s while it ran", e.what, why)
	}
	return fmt.Sprintf("py: %s: %s before it ran", e.what, why)
}

func (e *unfinishedError) Unwrap() []error { return []error{e.err, e.cause} }

func (e *unfinishedError) safeToRetry() bool { return !e.started }

// begun is the error of a later part of what has run in Python already.
func begun(err error) error {
	var e *unfinishedError
	if errors.As(err, &e) {
		e.started = true
	}
	return err
}

// endedError is the end of a context.Context: what Err says, and the cause, which is the text.
type endedError struct{ err, cause error }

func ended(ctx context.Context) error { return &endedError{ctx.Err(), context.Cause(ctx)} }

func (e *endedError) Error() string   { return e.cause.Error() }
func (e *endedError) Unwrap() []error { return []error{e.cause, e.err} }
