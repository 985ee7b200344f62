//go:build cgo && (linux || darwin)

package floor

// #include "floor.h"
import "C"

import (
	"unsafe"

	_ "github.com/pycontext/py/internal/cpython" // has the functions of CPython
)

// Floor has the Python objects that the operations need, of the interpreter that it was made in. Its methods are for
// the thread and the time of that Attach.
type Floor struct{ c *C.floor }

// New makes a Floor. Close it before the attached function returns.
func New() (*Floor, error) {
	c := C.floor_new()
	if c == nil {
		return nil, ErrFailed
	}
	return &Floor{c}, nil
}

// Close lets the objects go.
func (f *Floor) Close() { C.floor_free(f.c) }

func outcome(status C.int) error {
	if status < 0 {
		return ErrFailed
	}
	return nil
}

// Calls calls math.sqrt n times with a float, in a loop in C.
func (f *Floor) Calls(n int) error { return outcome(C.floor_calls(f.c, C.int(n), 0)) }

// ReleasedCalls lets the interpreter's lock go and takes it again before each call.
func (f *Floor) ReleasedCalls(n int) error { return outcome(C.floor_calls(f.c, C.int(n), 1)) }

// Evals evaluates x*y, compiled before, n times with two variables.
func (f *Floor) Evals(n int) error { return outcome(C.floor_evals(f.c, C.int(n))) }

// Execs executes z = 1, compiled before, n times.
func (f *Floor) Execs(n int) error { return outcome(C.floor_execs(f.c, C.int(n))) }

// Callbacks calls a Python function that calls a C function n times.
func (f *Floor) Callbacks(n int) error { return outcome(C.floor_callbacks(f.c, C.int(n))) }

// Nest has Python and C call each other.
func (f *Floor) Nest(depth int) error { return outcome(C.floor_nest(f.c, C.int(depth))) }

// Sort sorts 100,000 numbers by a C function.
func (f *Floor) Sort() error { return outcome(C.floor_sort(f.c)) }

// Identity makes a Python object of a value, has a Python function return it, and reads it back, n times.
func (f *Floor) Identity(v *Value, n int) error {
	return outcome(C.floor_identity(f.c, &v.c, C.int(n)))
}

// Interpreter is one with a lock of its own, which nobody uses.
type Interpreter struct{ state *C.PyThreadState }

// NewInterpreter makes one. Close it on the same thread.
func (f *Floor) NewInterpreter() (Interpreter, error) {
	state := C.floor_interpreter()
	if state == nil {
		return Interpreter{}, ErrFailed
	}
	return Interpreter{state}, nil
}

// Close ends the interpreter.
func (i Interpreter) Close() { C.floor_interpreter_end(i.state) }

// EmptyCall is a crossing to C that does nothing. It needs no Python.
func EmptyCall() { C.floor_nothing() }

// Trips are hand-overs to another thread and back. They need no Python.
type Trips struct{ c *C.trips }

// NewTrips starts the other thread. Both spin as they wait for each other, or sleep.
func NewTrips(spin bool) (*Trips, error) {
	how := C.int(0)
	if spin {
		how = 1
	}
	c := C.trips_new(how)
	if c == nil {
		return nil, ErrFailed
	}
	return &Trips{c}, nil
}

// Run goes there and back n times.
func (t *Trips) Run(n int) error {
	C.trips_run(t.c, C.int(n))
	return nil
}

// Close ends the other thread. A Trips that spins costs a processor until then.
func (t *Trips) Close() { C.trips_free(t.c) }

// Mark is what callgrind is told to look for: it ends what is counted before and begins what is counted behind.
func Mark() { C.floor_mark() }

// Value is a value as a C program has it.
type Value struct{ c C.node }

// Close frees the value.
func (v *Value) Close() { C.node_free(&v.c) }

func text(s string) (*C.char, C.size_t) {
	return (*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.size_t(len(s))
}
