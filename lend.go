package py

import (
	"fmt"
	"reflect"

	"github.com/pycontext/py/internal/wire"
)

// Number is what the items of large data may be: the types whose memory means the same to Go and to Python.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64 |
		~complex64 | ~complex128
}

// Memory is a Go slice that [Lend] or [LendWritable] made ready to be an argument. It may be used for any number of
// requests, also at once, as far as the slice may.
type Memory struct {
	first    any // a pointer to the first item
	len      int
	format   byte
	writable bool
}

// Lend makes s an argument, or a part of one, that Python sees as a read-only memoryview of the slice's own memory, with
// the items' format: nothing is copied, whatever the length. numpy.asarray(view) is an array over the same memory.
//
// The view is valid for the length of the request. What Python keeps of it fails there: a view that was kept is released,
// and using it is a ValueError; what was derived from it and is still alive, such as a slice of the view or a numpy array,
// makes the request fail with a BufferError. The slice's memory stays in its place as long as Python can reach it, even
// then: [Counts].Lent has the number of slices.
//
// Go must not write to the slice until the request is over. A request whose context.Context ended returns at once, and may
// still read the slice for a while. Within [Context.Attach], the view lasts as long as the call of [CallRef] that it is an
// argument of, or the [Ref] that [Attached.New] made, and elsewhere until the attached function returns. Go functions that
// Python calls cannot lend what they return.
func Lend[T Number](s []T) Memory { return memoryOf(s, false) }

// LendWritable is [Lend] with a view that Python may write to. Go must neither read nor write the slice until the request
// is over.
func LendWritable[T Number](s []T) Memory { return memoryOf(s, true) }

func memoryOf[T Number](s []T, writable bool) Memory {
	m := Memory{len: len(s), format: formatOf(reflect.TypeFor[T]()), writable: writable}
	if len(s) > 0 {
		m.first = &s[0]
	}
	return m
}

// formatOf is the letter of SPEC.md for the items of a Number type.
func formatOf(t reflect.Type) byte {
	return "bhiq-BHIQ-fdFD"[itemOf(t)-reflect.Int8]
}

// String says how many items of which format are lent.
func (m Memory) String() string { return fmt.Sprintf("<%d items of format %c>", m.len, m.format) }

func encodeMemory(e *wire.Encoder, m Memory) error {
	if m.format == 0 {
		return fmt.Errorf("a py.Memory that was not made by py.Lend or py.LendWritable")
	}
	return e.Memory(m.first, m.len, m.format, m.writable)
}
