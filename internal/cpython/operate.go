//go:build cgo && (linux || darwin)

package cpython

// #include "attach.h"
import "C"

import "unsafe"

// What can be done with an object. Keys, values and arguments are in the buffer. An error is ErrRaised: Result has it then.

func (a *Attached) at() C.uintptr_t { return C.uintptr_t(uintptr(unsafe.Pointer(a.c))) }

// number is what C gave, or the error that it stands for.
func (a *Attached) number(n int64) (int64, error) {
	switch n {
	case -1:
		C.attached_error(a.c)
		return 0, ErrRaised
	case C.MISUSE:
		return 0, ErrMisused
	}
	return n, nil
}

func (a *Attached) done(n C.int) error {
	_, err := a.number(int64(n))
	return err
}

func (a *Attached) truth(n C.int) (bool, error) {
	_, err := a.number(int64(n))
	return n == 1, err
}

// Attr returns an attribute.
func (a *Attached) Attr(o Pointer, name string) (Pointer, error) {
	p, n := text(name)
	return a.result(C.attached_attr(a.at(), C.uintptr_t(o), p, n))
}

// HasAttr tells whether there is such an attribute.
func (a *Attached) HasAttr(o Pointer, name string) (bool, error) {
	p, n := text(name)
	return a.truth(C.attached_has_attr(a.at(), C.uintptr_t(o), p, n))
}

// SetAttr sets an attribute to the value in the buffer.
func (a *Attached) SetAttr(o Pointer, name string) error {
	a.keepLent()
	p, n := text(name)
	return a.done(C.attached_set_attr(a.at(), C.uintptr_t(o), p, n))
}

// DelAttr deletes an attribute.
func (a *Attached) DelAttr(o Pointer, name string) error {
	p, n := text(name)
	return a.done(C.attached_del_attr(a.at(), C.uintptr_t(o), p, n))
}

// Item returns the item for the key in the buffer.
func (a *Attached) Item(o Pointer) (Pointer, error) {
	a.keepLent()
	return a.result(C.attached_item(a.at(), C.uintptr_t(o)))
}

// SetItem sets the item for the key in the buffer to the value behind it.
func (a *Attached) SetItem(o Pointer) error {
	a.keepLent()
	return a.done(C.attached_set_item(a.at(), C.uintptr_t(o)))
}

// DelItem deletes the item for the key in the buffer.
func (a *Attached) DelItem(o Pointer) error {
	a.keepLent()
	return a.done(C.attached_del_item(a.at(), C.uintptr_t(o)))
}

// Contains tells whether the value in the buffer is in o.
func (a *Attached) Contains(o Pointer) (bool, error) {
	a.keepLent()
	return a.truth(C.attached_contains(a.at(), C.uintptr_t(o)))
}

// Compare compares o with the value in the buffer; op is one of CPython's Py_LT to Py_GE.
func (a *Attached) Compare(o Pointer, op int) (bool, error) {
	a.keepLent()
	return a.truth(C.attached_compare(a.at(), C.uintptr_t(o), C.int(op)))
}

// IsInstance tells whether o is one of the class in the buffer.
func (a *Attached) IsInstance(o Pointer) (bool, error) {
	return a.truth(C.attached_is_instance(a.at(), C.uintptr_t(o)))
}

// Truth is bool(o).
func (a *Attached) Truth(o Pointer) (bool, error) {
	return a.truth(C.attached_truth(a.at(), C.uintptr_t(o)))
}

// Len is len(o).
func (a *Attached) Len(o Pointer) (int, error) {
	n, err := a.number(int64(C.attached_len(a.at(), C.uintptr_t(o))))
	return int(n), err
}

// Hash is hash(o).
func (a *Attached) Hash(o Pointer) (int64, error) {
	err := a.done(C.attached_hash(a.at(), C.uintptr_t(o)))
	return int64(a.c.hash), err
}

// Type is type(o).
func (a *Attached) Type(o Pointer) (Pointer, error) {
	return a.result(C.attached_type(a.at(), C.uintptr_t(o)))
}

// Iter is iter(o).
func (a *Attached) Iter(o Pointer) (Pointer, error) {
	return a.result(C.attached_iter(a.at(), C.uintptr_t(o)))
}

// Next is the next item of an iterator, or 0 when there is none.
func (a *Attached) Next(iterator Pointer) (Pointer, error) {
	o := C.attached_next(a.at(), C.uintptr_t(iterator))
	if o == nil && a.c.at_end != 0 {
		return 0, nil
	}
	return a.result(o)
}

// Describe leaves in Result what repr (how is 'r'), str ('s') or dir ('d') says.
func (a *Attached) Describe(o Pointer, how byte) error {
	return a.done(C.attached_describe(a.at(), C.uintptr_t(o), C.int(how)))
}

// Call calls f with the arguments in the buffer and returns the result as an object.
func (a *Attached) Call(f Pointer) (Pointer, error) {
	a.keepLent()
	return a.result(C.attached_call(a.at(), C.uintptr_t(f)))
}

// CallMethod calls a method with the arguments in the buffer and returns the result as an object.
func (a *Attached) CallMethod(o Pointer, name string) (Pointer, error) {
	a.keepLent()
	p, n := text(name)
	return a.result(C.attached_call_method(a.at(), C.uintptr_t(o), p, n))
}

// CallValue calls f with the arguments in the buffer; Result has what came of it.
func (a *Attached) CallValue(f Pointer, want uint8) error {
	lent := a.takePending()
	err := a.done(C.attached_call_value(a.at(), C.uintptr_t(f), nil, 0, C.int(want)))
	giveUp(lent)
	return err
}

// CallMethodValue calls a method with the arguments in the buffer; Result has what came of it.
func (a *Attached) CallMethodValue(o Pointer, name string, want uint8) error {
	lent := a.takePending()
	p, n := text(name)
	err := a.done(C.attached_call_value(a.at(), C.uintptr_t(o), p, n, C.int(want)))
	giveUp(lent)
	return err
}

// takePending are the numbers of what was lent to the call that is about to be made: others may be made within it.
func (a *Attached) takePending() []uint64 {
	if len(a.pending) == 0 {
		return nil
	}
	pending := a.pending
	a.pending = nil
	return pending
}
