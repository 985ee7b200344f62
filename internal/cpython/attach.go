//go:build cgo && (linux || darwin)

package cpython

// #include "attach.h"
import "C"

import (
	"errors"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Attached is Python as a function sees it that runs on the context's thread, attached to its interpreter. Objects are
// plain pointers; whoever gets one releases it.
type Attached struct {
	c *C.attached
}

// Pointer is a PyObject*; 0 is none.
type Pointer uintptr

// attachments are the functions of Attach, by numbers that are never used again: a caller that stopped waiting has taken
// its function back, and the request may still come to ask for it.
var attachments struct {
	functions sync.Map // uint64 to func(*Attached)
	last      atomic.Uint64
}

// AddAttachment gives a function the number that an attach request names. RemoveAttachment takes it back.
func AddAttachment(f func(*Attached)) uint64 {
	number := attachments.last.Add(1)
	attachments.functions.Store(number, f)
	return number
}

// RemoveAttachment forgets the function of a number.
func RemoveAttachment(number uint64) { attachments.functions.Delete(number) }

//export goAttach
func goAttach(number C.uint64_t, l *C.lane) {
	c := C.attached{lane: l}
	kept := (*C.attached)(C.malloc(C.size_t(unsafe.Sizeof(c))))
	*kept = c
	defer func() {
		C.buf_free(&kept.out)
		C.free(unsafe.Pointer(kept))
	}()
	if f, ok := attachments.functions.Load(uint64(number)); ok {
		f.(func(*Attached))(&Attached{c: kept})
	}
}

// ErrRaised says that Python raised; Result has the exception.
var ErrRaised = errors.New("Python raised an exception")

func (a *Attached) result(o *C.PyObject) (Pointer, error) {
	if o == nil {
		C.attached_error(a.c)
		return 0, ErrRaised
	}
	return Pointer(uintptr(unsafe.Pointer(o))), nil
}

func object(p Pointer) *C.PyObject { return *(**C.PyObject)(unsafe.Pointer(&p)) }

func text(s string) (*C.char, C.size_t) {
	return (*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.size_t(len(s))
}

func data(b []byte) (*C.uint8_t, C.size_t) {
	return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(b))), C.size_t(len(b))
}

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

// New makes an object of a value.
func (a *Attached) New(value []byte) (Pointer, error) {
	p, n := data(value)
	return a.result(C.attached_new(a.c, p, n))
}

// Attr returns an attribute.
func (a *Attached) Attr(o Pointer, name string) (Pointer, error) {
	p, n := text(name)
	return a.result(C.attached_attr(a.c, object(o), p, n))
}

// SetAttr sets an attribute to a value.
func (a *Attached) SetAttr(o Pointer, name string, value []byte) error {
	p, n := text(name)
	v, vn := data(value)
	if C.attached_set_attr(a.c, object(o), p, n, v, vn) < 0 {
		C.attached_error(a.c)
		return ErrRaised
	}
	return nil
}

// Item returns o[key].
func (a *Attached) Item(o Pointer, key []byte) (Pointer, error) {
	p, n := data(key)
	return a.result(C.attached_item(a.c, object(o), p, n))
}

// Call calls f and returns the result as an object.
func (a *Attached) Call(f Pointer, args []byte) (Pointer, error) {
	p, n := data(args)
	return a.result(C.attached_call(a.c, object(f), p, n))
}

// CallValue calls f; Result has what came of it.
func (a *Attached) CallValue(f Pointer, args []byte, want uint8) {
	p, n := data(args)
	C.attached_call_value(a.c, object(f), p, n, C.int(want))
}

// Value converts an object; Result has what came of it.
func (a *Attached) Value(o Pointer, want uint8) { C.attached_value(a.c, object(o), C.int(want)) }

// Object returns the object of a handle.
func (a *Attached) Object(handle uint64) (Pointer, error) {
	return a.result(C.attached_ref(a.c, C.uint64_t(handle)))
}

// Release lets an object go.
func (a *Attached) Release(o Pointer) { C.attached_release(object(o)) }

// Detach and Attach let the interpreter go and take it back.
func (a *Attached) Detach() { C.attached_detach(a.c) }

// Attach takes the interpreter back after Detach.
func (a *Attached) Attach() { C.attached_attach(a.c) }

// ThreadState is the PyThreadState* of the context's thread.
func (a *Attached) ThreadState() uintptr { return uintptr(unsafe.Pointer(C.attached_state())) }
