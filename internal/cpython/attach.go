//go:build cgo && (linux || darwin)

package cpython

// #include "attach.h"
import "C"

import (
	"errors"
	"unsafe"

	"github.com/pycontext/py/internal/handle"
)

// Attached is Python as a function sees it that runs on the context's thread, attached to its interpreter. Objects are
// plain pointers; whoever gets one releases it.
type Attached struct {
	c *C.attached

	// The numbers of memory lent: to the call that is being written, with an object, and for the rest.
	pending []uint64
	with    map[Pointer][]uint64
	lent    []uint64
}

// Pointer is a PyObject*; 0 is none.
type Pointer uintptr

// attachments are the functions of Attach. A caller that stopped waiting has taken its function back, and the request may
// still come to ask for it.
var attachments handle.Table[func(*Attached)]

// AddAttachment gives a function the number that an attach request names. RemoveAttachment takes it back.
func AddAttachment(f func(*Attached)) uint64 { return attachments.Add(&f) }

// RemoveAttachment forgets the function of a number.
func RemoveAttachment(number uint64) { attachments.Remove(number) }

//export goAttach
func goAttach(number C.uint64_t, l *C.lane) (result C.int) {
	c := C.attached{lane: l}
	kept := (*C.attached)(C.malloc(C.size_t(unsafe.Sizeof(c))))
	*kept = c
	a := &Attached{c: kept}
	defer func() {
		result = a.end()
		C.buf_free(&kept.in)
		C.buf_free(&kept.out)
		C.free(unsafe.Pointer(kept))
	}()
	if f := attachments.Find(uint64(number)); f != nil {
		onThread(func() { (*f)(a) })
	}
	return
}

// end takes back what was lent. It returns -1, with an error set in Python, when Python keeps some of it.
func (a *Attached) end() C.int {
	result := C.attached_end(a.c, nil)
	a.pending = giveUp(a.pending)
	a.lent = giveUp(a.lent)
	for _, numbers := range a.with {
		giveUp(numbers)
	}
	return result
}

// Lend keeps the memory that p points to in its place: for the next call if that is CallValue, with the object that New
// makes, and for anything else until the attached function is over.
func (a *Attached) Lend(p any) (number, address uint64) {
	number, address = lend(p)
	a.pending = append(a.pending, number)
	return number, address
}

// keepLent is told that the call that is about to be made may keep what is lent to it.
func (a *Attached) keepLent() { a.lent = append(a.lent, a.takePending()...) }

// ErrRaised says that Python raised; Result has the exception.
var ErrRaised = errors.New("Python raised an exception")

const misused = 1 // MISUSED

func (a *Attached) result(o *C.PyObject) (Pointer, error) {
	switch p := Pointer(uintptr(unsafe.Pointer(o))); p {
	case 0:
		C.attached_error(a.c)
		return 0, ErrRaised
	case misused:
		return 0, ErrMisused
	default:
		return p, nil
	}
}

func use(failed C.int) error {
	if failed != 0 {
		return ErrMisused
	}
	return nil
}

func object(p Pointer) *C.PyObject { return *(**C.PyObject)(unsafe.Pointer(&p)) }

func text(s string) (*C.char, C.size_t) {
	return (*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.size_t(len(s))
}

// Busy says that one of the buffers is in use, by C or between Claim and Yield. C refuses what it is asked for meanwhile.
func (a *Attached) Busy() bool { return a.c.busy != 0 }

// Claim says that a buffer is written or read, by what runs other code in the middle; Yield ends it.
func (a *Attached) Claim() { a.c.busy++ }

// Yield ends Claim.
func (a *Attached) Yield() { a.c.busy-- }

// Buffer is where a value or arguments are to be written; Grow makes it larger. Input says that they are there.
func (a *Attached) Buffer() []byte {
	if len(a.pending) > 0 { // for a call that was never made
		a.pending = giveUp(a.pending)
	}
	return bytesOf(&a.c.in)[:0]
}

// Grow returns buf with room for n more bytes.
func (a *Attached) Grow(buf []byte, n int) []byte { return grow(&a.c.in, buf, n) }

// Input sets the value or the arguments, written to Buffer, of the next call.
func (a *Attached) Input(in []byte) { a.c.in.len = C.size_t(len(in)) }

// Result is the result of the last call, in the wire format, in C memory, until the next call.
func (a *Attached) Result() []byte { return bytesOf(&a.c.out)[:a.c.out.len] }

// Import returns a module.
func (a *Attached) Import(name string) (Pointer, error) {
	p, n := text(name)
	return a.result(C.attached_import(a.c, p, n))
}

// Global returns what a name is bound to in the namespace of env, or the context's own for 0.
func (a *Attached) Global(name string, env uint64) (Pointer, error) {
	p, n := text(name)
	return a.result(C.attached_global(a.c, p, n, C.uint64_t(env)))
}

// New makes an object of the value in the buffer.
func (a *Attached) New() (Pointer, error) {
	lent := a.takePending()
	p, err := a.result(C.attached_new(a.c))
	switch {
	case len(lent) == 0:
	case err != nil:
		a.lent = append(a.lent, lent...)
	default:
		if a.with == nil {
			a.with = map[Pointer][]uint64{}
		}
		a.with[p] = append(a.with[p], lent...)
	}
	return p, err
}

// Value converts an object; Result has what came of it.
func (a *Attached) Value(o Pointer, want uint8) error {
	return use(C.attached_value(a.c, object(o), C.int(want)))
}

// Object returns the object of a handle.
func (a *Attached) Object(handle uint64) (Pointer, error) {
	return a.result(C.attached_ref(a.c, C.uint64_t(handle)))
}

// Release lets an object go.
func (a *Attached) Release(o Pointer) error {
	if C.attached_release(a.c, object(o)) != 0 {
		return ErrMisused
	}
	if numbers := a.with[o]; numbers != nil {
		delete(a.with, o)
		C.attached_end(a.c, object(o))
		giveUp(numbers)
	}
	return nil
}

// Detach and Attach let the interpreter go and take it back.
func (a *Attached) Detach() error { return use(C.attached_detach(a.c)) }

// Attach takes the interpreter back after Detach.
func (a *Attached) Attach() { C.attached_attach(a.c) }

// ThreadState is the PyThreadState* of the context's thread, or 0 where a may not be used.
func (a *Attached) ThreadState() uintptr { return uintptr(unsafe.Pointer(C.attached_state(a.c))) }
