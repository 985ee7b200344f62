//go:build cgo && (linux || darwin)

package arrow

// #include <stdlib.h>
// #include "abi.h"
import "C"

import (
	"errors"
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/cdata"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/handle"
)

// load resolves what the C of this package uses of CPython. Python runs by then.
var load = sync.OnceValue(func() error {
	for i := C.int(0); ; i++ {
		name := C.GoString(C.pyarrow_name(i))
		if name == "" {
			return nil
		}
		address := cpython.Symbol(name)
		if address == 0 {
			return fmt.Errorf("py/arrow: this CPython has no %s", name)
		}
		C.pyarrow_resolve(i, C.uintptr_t(address))
	}
})

// An entry is what an object or a stream in Python stands for.
type entry struct {
	field  arrow.Field
	arrays []*array.Data
	reader array.RecordReader // or nil
}

var entries handle.Table[entry]

func addEntry(e *entry) uint64 {
	objects.Add(1)
	return entries.Add(e)
}

// dropEntry ends an entry. Python's thread must not wait for a reader, which may itself wait for Python.
func dropEntry(number uint64) {
	e := entries.Remove(number)
	for _, a := range e.arrays {
		a.Release()
	}
	if e.reader == nil {
		objects.Add(-1)
		return
	}
	go func() {
		e.reader.Release()
		objects.Add(-1)
	}()
}

// again is an entry of the same, to be read from its beginning, or wherever its reader is.
func (e *entry) again() *entry {
	for _, a := range e.arrays {
		a.Retain()
	}
	if e.reader != nil {
		e.reader.Retain()
	}
	return &entry{e.field, append([]*array.Data(nil), e.arrays...), e.reader}
}

// next puts the next batch of the reader at an address in C, or nothing at its end. Python calls it.
func (e *entry) next(to uint64) error {
	if !e.reader.Next() {
		return e.reader.Err()
	}
	s := structOf(e.reader.RecordBatch())
	defer s.Release()
	data := held(s)
	defer data.Release()
	return giveArray(data, C.uintptr_t(to))
}

// nextElsewhere is next on a goroutine that is not a thread of C's, which Go code might end.
func (e *entry) nextElsewhere(to uint64) error {
	result := make(chan error, 1)
	go func() {
		err := errors.New("py/arrow: the reader ended its goroutine")
		defer func() { result <- err }()
		if failed := safely(func() { err = e.next(to) }); failed != nil {
			err = failed
		}
	}()
	return <-result
}

func noNulls() []*memory.Buffer { return []*memory.Buffer{nil} }

// giveArray exports data to an address in C, which is empty.
func giveArray(data *array.Data, to C.uintptr_t) error {
	return safely(func() {
		a := array.MakeFromData(data)
		defer a.Release()
		from := C.pyarrow_new_array()
		cdata.ExportArrowArray(a, cdata.ArrayFromPtr(uintptr(from)), nil)
		C.pyarrow_move(from, to)
	})
}

func (e *entry) giveSchema(to C.uintptr_t) error {
	out := cdata.SchemaFromPtr(uintptr(to))
	return safely(func() {
		if t, ok := e.field.Type.(*arrow.StructType); ok {
			metadata := e.field.Metadata
			cdata.ExportArrowSchema(arrow.NewSchema(t.Fields(), &metadata), out)
			return
		}
		b := array.NewBuilder(memory.DefaultAllocator, e.field.Type)
		defer b.Release()
		a := b.NewArray()
		defer a.Release()
		unused := C.pyarrow_new_array()
		defer C.pyarrow_free(unused)
		cdata.ExportArrowArray(a, cdata.ArrayFromPtr(uintptr(unused)), out)
		cdata.ReleaseCArrowArray(cdata.ArrayFromPtr(uintptr(unused)))
	})
}

// safely makes an error of a panic, which is what arrow-go does with types that it does not know.
func safely(f func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("py/arrow: panic: %v", v)
		}
	}()
	f()
	return nil
}

// problem is an error for C, which frees it; NULL is none.
func problem(err error) *C.char {
	if err == nil {
		return nil
	}
	return C.CString(err.Error())
}

//export goArrowSchema
func goArrowSchema(number C.uint64_t, to C.uintptr_t) *C.char {
	return problem(entries.Find(uint64(number)).giveSchema(to))
}

//export goArrowArray
func goArrowArray(number C.uint64_t, to C.uintptr_t) *C.char {
	return problem(giveArray(entries.Find(uint64(number)).arrays[0], to))
}

//export goArrowStream
func goArrowStream(number C.uint64_t) C.uint64_t {
	return C.uint64_t(addEntry(entries.Find(uint64(number)).again()))
}

// goArrowNext is for streams without a reader, and for threads that are not Python's. A consumer asks for one batch at a time.
//
//export goArrowNext
func goArrowNext(number C.uint64_t, to C.uintptr_t) *C.char {
	e := entries.Find(uint64(number))
	if e.reader != nil {
		return problem(e.nextElsewhere(uint64(to)))
	}
	if len(e.arrays) == 0 {
		return nil
	}
	first := e.arrays[0]
	e.arrays = e.arrays[1:]
	defer first.Release()
	return problem(giveArray(first, to))
}

//export goArrowDrop
func goArrowDrop(number C.uint64_t) { dropEntry(uint64(number)) }
