//go:build cgo && (linux || darwin)

package cpython

// #include "attach.h"
import "C"

import "unsafe"

// The numbers of both languages are the same.
var (
	_ = [1]int{}[ScalarNone-C.SCALAR_NONE]
	_ = [1]int{}[ScalarRef-C.SCALAR_REF]
	_ = [1]int{}[MostScalars-C.MOST_SCALARS]
	_ = [1]int{}[unsafe.Sizeof(Scalar{})-unsafe.Sizeof(C.scalar{})]
	_ = [1]int{}[unsafe.Offsetof(Scalar{}.Kind)-unsafe.Offsetof(C.scalar{}.kind)]
)

func scalars(p *C.scalar, n int) []Scalar { return unsafe.Slice((*Scalar)(unsafe.Pointer(p)), n) }

// Scalars are the arguments, in C memory, where they are scalars. Otherwise, ok is false, and Args has them.
func (cb *Callback) Scalars() (args []Scalar, ok bool) {
	if cb.c.few < 0 {
		return nil, false
	}
	return scalars(&cb.c.scalars[0], int(cb.c.few)), true
}

// AnswerScalar sets the answer, without a use of Buffer.
func (cb *Callback) AnswerScalar(s Scalar) {
	scalars(&cb.c.scalars[0], 1)[0] = s
	cb.c.brief = 1
}

// SetScalar sets an argument of the next call with scalars.
func (a *Attached) SetScalar(i int, s Scalar) { scalars(&a.c.scalars[0], MostScalars)[i] = s }

// CallScalars calls f with n scalars. A result of one of the wanted kinds is returned; for any other, and an error, the kind is 0,
// and Result has it, converted as how says.
func (a *Attached) CallScalars(f Pointer, n int, wanted ScalarKind, how uint8) (Scalar, error) {
	return a.scalar(C.attached_call_scalars(a.at(), C.uintptr_t(f), nil, 0, C.size_t(n), C.int(wanted), C.int(how)))
}

// CallMethodScalars is CallScalars of a method.
func (a *Attached) CallMethodScalars(o Pointer, name string, n int, wanted ScalarKind, how uint8) (Scalar, error) {
	p, size := text(name)
	return a.scalar(C.attached_call_scalars(a.at(), C.uintptr_t(o), p, size, C.size_t(n), C.int(wanted), C.int(how)))
}

// Scalar is an object that is one of the wanted kinds, or what CallScalars returns for one that is not.
func (a *Attached) Scalar(o Pointer, wanted ScalarKind, how uint8) (Scalar, error) {
	return a.scalar(C.attached_scalar(a.at(), C.uintptr_t(o), C.int(wanted), C.int(how)))
}

func (a *Attached) scalar(failed C.int) (Scalar, error) {
	if failed != 0 {
		return Scalar{}, ErrMisused
	}
	return scalars(&a.c.scalars[0], 1)[0], nil
}
