//go:build cgo && (linux || darwin)

package arrow

// #include <stdlib.h>
// #include "abi.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pycontext/py"
)

// Export makes an object in context c of an arrow.RecordBatch, an arrow.Table, an arrow.Array, an *arrow.Chunked, an
// array.RecordReader or an *arrow.Schema, for Python code that takes Arrow data by the PyCapsule interface. Export keeps what it
// needs of v until Python has let go of the object and of all that was made of it; the caller releases v as if it had not been
// exported. The caller closes the object, for which Python code may go on to use it.
//
// A reader is read, by one consumer, as Python asks for batches: on a goroutine like a callback's, so that it may use Python
// itself. (Where a thread that C code started asks, as pyarrow.dataset's do, the context's thread may wait for that; such a reader uses
// another context.) Its error, or a panic, fails the Python code that reads, as an OSError or similar with its text; the reader's Err
// has the error itself.
//
// A value with a type that arrow-go cannot hand over whole is an error: an extension type whose storage is nested or a dictionary.
func Export(ctx context.Context, c *py.Context, v any) (*py.Object, error) {
	if c == nil {
		return nil, fmt.Errorf("py/arrow: no context: %w", py.ErrClosed)
	}
	e, kind, err := exportedOf(v)
	if err != nil {
		return nil, err
	}
	number := addEntry(e)
	var begun atomic.Bool // or never to begin
	made := make(chan *py.Object, 1)
	err = c.Attach(ctx, func(a *py.Attached) error {
		if begun.Swap(true) {
			return context.Canceled
		}
		o, err := e.object(a, number, kind)
		if err != nil {
			dropEntry(number)
			return err
		}
		kept, err := o.Keep()
		made <- kept
		return err
	})
	if err == nil {
		return <-made, nil
	}
	if !begun.Swap(true) {
		dropEntry(number)
	}
	return nil, err
}

// object makes the Python object, which owns the entry from then on.
func (e *entry) object(a *py.Attached, number uint64, kind C.int) (py.Ref, error) {
	if err := load(); err != nil {
		return py.Ref{}, err
	}
	var next py.Ref
	var address uintptr
	if e.reader != nil {
		var err error
		if next, err = a.New(py.Func(e.next, py.Name("next_batch"))); err != nil {
			return py.Ref{}, err
		}
		address = next.Pointer()
	}
	o := C.pyarrow_object(C.uint64_t(number), kind, C.uintptr_t(address))
	if o == 0 {
		text := C.pyarrow_problem()
		defer C.free(unsafe.Pointer(text))
		return py.Ref{}, errors.New("py/arrow: " + C.GoString(text))
	}
	return a.Own(uintptr(o)), nil
}

// exportedOf is the entry of a value, and what its object can do.
func exportedOf(v any) (*entry, C.int, error) {
	e, kind := &entry{}, C.int(C.KIND_STREAM)
	if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && p.IsNil() {
		return nil, 0, fmt.Errorf("py/arrow: a nil %T is no Arrow data to export", v)
	}
	switch v := v.(type) {
	case *arrow.Schema:
		e.field, kind = fieldOfSchema(v), C.KIND_SCHEMA
	case arrow.RecordBatch:
		e.field, kind = fieldOfSchema(v.Schema()), C.KIND_BATCH
	case arrow.Table:
		e.field = fieldOfSchema(v.Schema())
	case arrow.Array:
		e.field, kind = arrow.Field{Type: v.DataType()}, C.KIND_ARRAY
	case *arrow.Chunked:
		e.field = arrow.Field{Type: v.DataType()}
	case array.RecordReader:
		e.field = fieldOfSchema(v.Schema())
	default:
		return nil, 0, fmt.Errorf("py/arrow: a Go %T is no Arrow data to export", v)
	}
	if err := check(e.field.Type); err != nil {
		return nil, 0, err
	}
	if err := e.fill(v); err != nil {
		return nil, 0, err
	}
	return e, kind, nil
}

func (e *entry) fill(v any) error {
	switch v := v.(type) {
	case arrow.RecordBatch:
		e.addBatch(v)
	case arrow.Table:
		rows := array.NewTableReader(v, 0)
		defer rows.Release()
		for rows.Next() {
			e.addBatch(rows.RecordBatch())
		}
		return rows.Err()
	case arrow.Array:
		e.add(v.Data())
	case *arrow.Chunked:
		for _, chunk := range v.Chunks() {
			e.add(chunk.Data())
		}
	case array.RecordReader:
		v.Retain()
		e.reader = v
	}
	return nil
}

func (e *entry) add(d arrow.ArrayData) { e.arrays = append(e.arrays, held(d)) }

// held is data that Python may keep: the caller owns it.
func held(d arrow.ArrayData) *array.Data {
	data := whole(d)
	defer data.Release()
	return rebuild(data, pinned)
}

func (e *entry) addBatch(b arrow.RecordBatch) {
	s := structOf(b)
	defer s.Release()
	e.add(s)
}

// structOf is a batch as the one array that it is in the C data interface. The caller owns it.
func structOf(b arrow.RecordBatch) *array.Data {
	columns := make([]arrow.ArrayData, b.NumCols())
	for i := range columns {
		columns[i] = b.Column(i).Data()
	}
	return array.NewData(arrow.StructOf(b.Schema().Fields()...), int(b.NumRows()), noNulls(), columns, 0, 0)
}

func fieldOfSchema(s *arrow.Schema) arrow.Field {
	return arrow.Field{Type: arrow.StructOf(s.Fields()...), Metadata: s.Metadata()}
}

// check refuses what arrow-go would export without its children or its dictionary.
func check(t arrow.DataType) error {
	if e, ok := t.(arrow.ExtensionType); ok {
		_, nested := e.StorageType().(arrow.NestedType)
		if id := e.StorageType().ID(); nested || id == arrow.DICTIONARY || id == arrow.EXTENSION {
			return fmt.Errorf("py/arrow: arrow-go cannot export the extension type %s, which is stored as %s: export its storage",
				e.ExtensionName(), e.StorageType())
		}
		return nil
	}
	if d, ok := t.(*arrow.DictionaryType); ok {
		return check(d.ValueType)
	}
	if n, ok := t.(arrow.NestedType); ok {
		for _, f := range n.Fields() {
			if err := check(f.Type); err != nil {
				return err
			}
		}
	}
	return nil
}
