package py

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"runtime/debug"
	"strings"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/wire"
)

// Kw takes the keyword arguments of a call from Python, as the last parameter of a
// Go function. It is nil when there are none.
type Kw map[string]any

// A PanicError is the error of a Go function that panicked while Python called it.
type PanicError struct {
	// Value is what was given to panic.
	Value any
	// Stack is the stack of the goroutine at the panic, as debug.Stack formats it.
	Stack []byte

	name string
}

// Error names the function and the value, without the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("panic in Go function %q: %v", e.name, e.Value)
}

func (e *PanicError) safeToRetry() bool { return false }

func (e *PanicError) pythonKind() string { return "RuntimeError" }

// Unwrap returns Value if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// A goexitError is that of Go code, which it names, that ended its goroutine while Python waited for it.
type goexitError string

func (e goexitError) Error() string {
	return string(e) + " ended its goroutine with runtime.Goexit"
}

func (e goexitError) pythonKind() string { return "RuntimeError" }

// keepError stores an error that goes through Python and returns its number, by
// which it is found again where it comes out. Nil: no error is stored.
var keepError func(error) uint64

// funcHooks tells newGoFunc which structs have a meaning of their own, so that they
// are not taken for keyword arguments.
var funcHooks *wire.Hooks

// A goFunc is a Go function that Python can call.
type goFunc struct {
	name     string
	lent     bool // not registered: name is not one of the module go
	min, max int  // positional arguments; max is -1 where there is no limit
	keywords bool // it takes keyword arguments
	body     body
	quick    quick                // may be nil
	ready    func() (taken, bool) // of one that runs on the Python thread where it need not wait: what body then uses
}

func (f *goFunc) arity() cpython.Arity {
	return cpython.Arity{Least: f.min, Most: f.max, Keywords: f.keywords}
}

// A body decodes the arguments, calls the function and encodes the answer. It
// returns what to raise in Python instead, or the error of malformed arguments.
type body func(f *goFunc, ctx func() context.Context, d *wire.Decoder, e *wire.Encoder) (*raise, error)

// A raise is an exception for Python: the name of a built-in class, or "" for
// go.Error, and the Go error that it carries, if any. Where that is one of Python's
// and the exception is still there, it is raised itself.
type raise struct {
	kind, message string
	err           error
	python        *Error // nil if err is none of Python's
}

// newGoFunc makes fn callable. It may be any function that takes values that come
// from Python, after a context.Context if it wants one, and returns nothing, a
// value, an error, or a value and an error. A last parameter that is a [Kw], a
// struct, or a pointer to one, takes the keyword arguments; a struct also takes a
// dict in its position.
func newGoFunc(name string, fn any) (*goFunc, error) {
	v := reflect.ValueOf(fn)
	if !v.IsValid() || v.Kind() != reflect.Func || v.IsNil() {
		return nil, badFunc(name, fn, "expected a function, such as func(n int) (string, error)")
	}
	f, why := planGoFunc(name, v)
	if why != "" {
		return nil, badFunc(name, fn, why)
	}
	return f, nil
}

// planGoFunc is newGoFunc of what is known to be a function; it returns why it is none that Python can call.
func planGoFunc(name string, v reflect.Value) (*goFunc, string) {
	p, why := planFunc(v)
	if why != "" {
		return nil, why
	}
	f := &goFunc{name: name, min: p.fixed, max: p.fixed, keywords: p.keywords || p.options != nil}
	f.body, f.quick = fastBody(v.Interface())
	switch {
	case p.variadic:
		f.max = -1
	case p.options != nil:
		f.max++
	}
	if f.body == nil {
		f.body = p.run
	}
	return f, ""
}

func badFunc(name string, fn any, why string) error {
	got := fmt.Sprintf("%T", fn)
	if v := reflect.ValueOf(fn); v.IsValid() && v.Kind() == reflect.Func && v.IsNil() {
		got = "a nil " + got
	}
	return fmt.Errorf("py: cannot register %q: %s, got %s", name, why, strings.Replace(got, "<nil>", "nil", 1))
}

// call answers one call from Python: it decodes args of SPEC.md from d, runs the
// function, and writes the answer behind what e holds. The context is only asked for
// if the function takes one. The error is that of malformed arguments; no answer is
// written then.
//
// If the function ends its goroutine with runtime.Goexit, the answer is written, but
// call does not return: the caller delivers it in a deferred function.
func (f *goFunc) call(ctx func() context.Context, d *wire.Decoder, e *wire.Encoder) (err error) {
	start, done := len(e.Buf), false
	defer f.answerAlways(e, start, &done)
	r, err := f.body(f, ctx, d, e)
	r.writeBehind(e, start)
	done = true
	return err
}

// callScalars is call for arguments that are scalars. It returns false, and has done nothing, where the function wants others. A
// result of kind 0 is written.
func (f *goFunc) callScalars(ctx func() context.Context, args []cpython.Scalar, e *wire.Encoder) (result cpython.Scalar, ok bool) {
	ok = true // also where the function panics
	start, done := len(e.Buf), false
	defer f.answerAlways(e, start, &done)
	result, r, ok := f.quick(f, ctx, args, e)
	r.writeBehind(e, start)
	done = true
	return result, ok
}

// answerAlways is deferred: it writes an answer where the function did not return.
func (f *goFunc) answerAlways(e *wire.Encoder, start int, done *bool) {
	if !*done {
		f.stopped(recover()).writeBehind(e, start)
	}
}

// stopped returns what to raise for a function that did not return.
func (f *goFunc) stopped(value any) *raise {
	var err error
	if value != nil {
		err = &PanicError{Value: value, Stack: debug.Stack(), name: f.name}
	} else {
		err = goexitError(fmt.Sprintf("Go function %q", f.name))
	}
	return &raise{kind: "RuntimeError", message: err.Error(), err: err}
}

// raiseError returns what to raise for an error that the function returned.
func raiseError(err error) *raise {
	r := &raise{kind: pythonKind(err), message: err.Error(), err: err}
	r.python, _ = errors.AsType[*Error](err)
	if r.says(r.kind) {
		r.message = r.python.Message // the class says the rest, and says it once, however often it goes back and forth
	}
	return r
}

// says reports whether an exception of the class says all of the message but what is in the message of the
// one from Python.
func (r *raise) says(kind string) bool {
	e := r.python
	return e != nil && r.message == e.Error() && (e.Type == kind || e.Module == "go" && kind == "")
}

// pythonKind returns the name of the built-in Python exception that says what err
// says, or "".
func pythonKind(err error) string {
	var own interface{ pythonKind() string }
	switch {
	case errors.As(err, &own):
		return own.pythonKind()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "TimeoutError"
	case errors.Is(err, fs.ErrNotExist):
		return "FileNotFoundError"
	case errors.Is(err, fs.ErrPermission):
		return "PermissionError"
	case errors.Is(err, fs.ErrExist):
		return "FileExistsError"
	case errors.Is(err, io.EOF):
		return "EOFError"
	}
	return ""
}

// writeBehind writes the answer, if there is one to write, in the place of what is behind start.
func (r *raise) writeBehind(e *wire.Encoder, start int) {
	if r != nil {
		e.Reset(e.Buf[:start])
		r.write(e)
	}
}

// write writes the answer. A message is for people to read, so what is not text in
// it is replaced; the error itself comes back as it is.
func (r *raise) write(e *wire.Encoder) {
	var number uint64
	err, message, handle := r.err, r.message, r.python.giveBack(e)
	if handle != 0 {
		err = sameException{err}
		if r.says(r.python.Type) {
			message = r.python.Message
		}
	}
	if err != nil && keepError != nil {
		number = keepError(err)
	}
	e.Byte(byte(wire.AnswerRaise))
	e.Raw(r.kind)
	e.Raw(strings.ToValidUTF8(message, "\uFFFD"))
	e.Uint64(number)
	e.Uint64(handle)
}

// answer writes the result of the function.
func answer[R any](f *goFunc, e *wire.Encoder, result R) *raise {
	e.Byte(byte(wire.AnswerOK))
	if err := wire.Encode(e, result); err != nil {
		err = wire.At(err, "result")
		return &raise{kind: "TypeError", message: f.message("%v", err), err: err}
	}
	return nil
}

func (f *goFunc) message(format string, args ...any) string {
	title := "go." + f.name
	if f.lent {
		title = f.name
	}
	return title + "() " + fmt.Sprintf(format, args...)
}

// positional reads the number of positional arguments and checks it.
func (f *goFunc) positional(d *wire.Decoder) (int, *raise, error) {
	u, err := d.Uvarint()
	if err != nil {
		return 0, nil, err
	}
	if u > uint64(len(d.Buf)) {
		return 0, nil, fmt.Errorf("%w: %d arguments in %d bytes", wire.ErrMalformed, u, len(d.Buf))
	}
	n := int(u)
	if n < f.min || f.max >= 0 && n > f.max {
		r, err := f.refuseCount(d, n)
		return n, r, err
	}
	return n, nil, nil
}

// refuseCount refuses n positional arguments, or first the keyword arguments that may have been meant instead of others.
func (f *goFunc) refuseCount(d *wire.Decoder, n int) (*raise, error) {
	if f.keywords {
		return f.refuse(d, n, "%s", f.wrongCount(n))
	}
	for range n {
		if err := d.Skip(); err != nil {
			return nil, err
		}
	}
	if r, err := f.noKeywords(d); r != nil || err != nil {
		return r, err
	}
	return f.refuseKeywords(d, 0, "%s", f.wrongCount(n))
}

// wrongCount says it as Python does.
func (f *goFunc) wrongCount(n int) string {
	switch were := "were"; {
	case n < f.min:
		return "missing " + arguments(f.min-n, "required ")
	case f.min != f.max:
		return fmt.Sprintf("takes from %d to %s but %d were given", f.min, arguments(f.max, ""), n)
	default:
		if n == 1 {
			were = "was"
		}
		return fmt.Sprintf("takes %s but %d %s given", arguments(f.max, ""), n, were)
	}
}

func arguments(n int, what string) string {
	if n == 1 {
		return "1 " + what + "positional argument"
	}
	return fmt.Sprintf("%d %spositional arguments", n, what)
}

// noKeywords reads the keyword arguments, of which there must be none.
func (f *goFunc) noKeywords(d *wire.Decoder) (*raise, error) {
	if len(d.Buf) > 0 && d.Buf[0] == 0 {
		d.Buf = d.Buf[1:]
		return nil, nil
	}
	n, err := d.Uvarint()
	if err != nil {
		return nil, err
	}
	name, err := d.Text()
	if err != nil {
		return nil, err
	}
	if err := d.Skip(); err != nil {
		return nil, err
	}
	return f.refuseKeywords(d, n-1, "takes no keyword arguments, and '%s' was given: pass it by its position, "+
		"or let the Go function end in a py.Kw or a struct", name)
}

// badArgument is the answer to an argument that does not fit, which was passed over;
// left more positional ones follow it.
func (f *goFunc) badArgument(d *wire.Decoder, which string, left int, err error) (*raise, error) {
	if errors.Is(err, wire.ErrMalformed) {
		return nil, err
	}
	r, malformed := f.refuse(d, left, "%v", wire.At(err, "argument "+which))
	return r.because(err), malformed
}

// because makes the exception about an argument that of Python's own code, such as a property that a struct asked for, where
// one was raised there, and lets it carry the error of an argument that is beyond a limit.
func (r *raise) because(err error) *raise {
	var raised *Error
	switch {
	case r == nil:
	case errors.As(err, &raised):
		return raiseError(raised)
	case errors.Is(err, wire.ErrLimit):
		r.err = err
	}
	return r
}

// refuse passes over the rest of the arguments, so that references in them are
// dropped, and returns a TypeError.
func (f *goFunc) refuse(d *wire.Decoder, left int, format string, args ...any) (*raise, error) {
	for range left {
		if err := d.Skip(); err != nil {
			return nil, err
		}
	}
	n, err := d.Uvarint()
	if err != nil {
		return nil, err
	}
	return f.refuseKeywords(d, n, format, args...)
}

// refuseKeywords is refuse when n keyword arguments are left.
func (f *goFunc) refuseKeywords(d *wire.Decoder, n uint64, format string, args ...any) (*raise, error) {
	for range n {
		if _, err := d.Raw(); err != nil {
			return nil, err
		}
		if err := d.Skip(); err != nil {
			return nil, err
		}
	}
	return &raise{kind: "TypeError", message: f.message(format, args...)}, nil
}
