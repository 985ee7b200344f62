//go:build cgo && (linux || darwin)

package arrow

// #include "abi.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/cdata"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pycontext/py"
)

// Array returns the data of an object with __arrow_c_array__. The caller releases it.
func Array(ctx context.Context, o *py.Object) (arrow.Array, error) {
	return within(ctx, o, func(a *py.Attached, r py.Ref) (arrow.Array, error) {
		_, items, err := arrayOf(a.Context(), r)
		return items, err
	})
}

// Record returns the data of an object as one batch: of one with __arrow_c_array__ whose data is a struct array, or of a stream
// that has no more than one batch. Data in several is an error: it would have to be copied together, and [Table] and [Reader] take
// it as it is. The caller releases it.
func Record(ctx context.Context, o *py.Object) (arrow.RecordBatch, error) {
	direct, err := within(ctx, o, func(a *py.Attached, r py.Ref) (arrow.RecordBatch, error) {
		if has, err := r.HasAttr("__arrow_c_array__"); !has {
			return nil, err
		}
		field, items, err := arrayOf(a.Context(), r)
		if err != nil {
			return nil, err
		}
		defer items.Release()
		return batchOf(field, items)
	})
	if direct != nil || err != nil {
		return direct, err
	}
	rows, err := Reader(ctx, o)
	if err != nil {
		return nil, err
	}
	defer rows.Release()
	if !rows.Next() {
		if rows.Err() != nil {
			return nil, rows.Err()
		}
		b := array.NewRecordBuilder(memory.DefaultAllocator, rows.Schema())
		defer b.Release()
		return b.NewRecordBatch(), nil
	}
	first := rows.RecordBatch()
	first.Retain()
	if rows.Next() {
		first.Release()
		return nil, errors.New("py/arrow: the data is in more than one batch: use Table or Reader")
	}
	if rows.Err() != nil {
		first.Release()
		return nil, rows.Err()
	}
	return first, nil
}

// Table returns the data of an object as a table: of one with __arrow_c_stream__ or, for a struct array, __arrow_c_array__. The
// caller releases it.
func Table(ctx context.Context, o *py.Object) (arrow.Table, error) {
	rows, err := Reader(ctx, o)
	if err != nil {
		return nil, err
	}
	defer rows.Release()
	var all []arrow.RecordBatch
	for rows.Next() {
		rows.RecordBatch().Retain()
		all = append(all, rows.RecordBatch())
		defer rows.RecordBatch().Release()
	}
	if rows.Err() != nil {
		return nil, rows.Err()
	}
	return array.NewTableFromRecords(rows.Schema(), all), nil
}

// Chunked returns the data of an object with __arrow_c_stream__, of any type: a pyarrow.ChunkedArray, a polars.Series. The caller
// releases it.
func Chunked(ctx context.Context, o *py.Object) (*arrow.Chunked, error) {
	s, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	var chunks []arrow.Array
	for {
		a, err := s.next()
		if err != nil {
			for _, chunk := range chunks {
				chunk.Release()
			}
			return nil, err
		}
		if a == nil {
			break
		}
		chunks = append(chunks, a)
	}
	defer func() {
		for _, chunk := range chunks {
			chunk.Release()
		}
	}()
	return arrow.NewChunked(s.field.Type, chunks), nil
}

// Schema returns the schema of an object with __arrow_c_schema__: a pyarrow.Schema, a pyarrow.Table.
func Schema(ctx context.Context, o *py.Object) (*arrow.Schema, error) {
	return within(ctx, o, func(_ *py.Attached, r py.Ref) (*arrow.Schema, error) {
		field, err := fieldOf(r)
		if err != nil {
			return nil, err
		}
		return schemaOf(field)
	})
}

// within runs f attached, and releases what comes of it when the caller has given up before that.
func within[T any](ctx context.Context, o *py.Object, f func(*py.Attached, py.Ref) (T, error)) (T, error) {
	var none, got T
	if o == nil || o.Context() == nil {
		return none, fmt.Errorf("py/arrow: the object is nil or was not made by py: %w", py.ErrClosed)
	}
	var over atomic.Bool
	err := o.Context().Attach(ctx, func(a *py.Attached) error {
		if err := load(); err != nil {
			return err
		}
		r, err := a.Object(o)
		if err != nil {
			return err
		}
		v, err := f(a, r)
		if err != nil {
			return err
		}
		got = v
		if over.Swap(true) {
			release(v)
		}
		return nil
	})
	if err == nil {
		return got, nil
	}
	if over.Swap(true) {
		release(got)
	}
	return none, err
}

func release(v any) {
	if v, ok := v.(interface{ Release() }); ok {
		v.Release()
	}
}

func schemaOf(f arrow.Field) (*arrow.Schema, error) {
	t, ok := f.Type.(*arrow.StructType)
	if !ok {
		return nil, fmt.Errorf("py/arrow: a table's type is a struct, and this is %s: use Array or Chunked", f.Type)
	}
	return arrow.NewSchema(t.Fields(), &f.Metadata), nil
}

// batchOf is a batch of the fields of a struct array. The caller owns it.
func batchOf(f arrow.Field, a arrow.Array) (arrow.RecordBatch, error) {
	schema, err := schemaOf(f)
	if err != nil {
		return nil, err
	}
	s := a.(*array.Struct)
	if s.NullN() > 0 {
		return nil, errors.New("py/arrow: a struct array with nulls is no record batch, whose rows cannot be null: use Array")
	}
	columns := make([]arrow.Array, s.NumField())
	for i := range columns {
		columns[i] = s.Field(i)
	}
	return array.NewRecordBatch(schema, columns, int64(s.Len())), nil
}

// capsule is what a capsule of that name holds.
func capsule(r py.Ref, of C.int) (uintptr, error) {
	if p := uintptr(C.pyarrow_capsule(C.uintptr_t(r.Pointer()), of)); p != 0 {
		return p, nil
	}
	text, _ := r.Repr()
	return 0, fmt.Errorf("py/arrow: expected a capsule of Arrow data, got %s", text)
}

// missing is a method that an object lacks.
func missing(r py.Ref, name string) error {
	text := "the object"
	if t, err := r.Type(); err == nil {
		text, _ = t.Repr()
	}
	return fmt.Errorf("py/arrow: %s has no %s: it is no Arrow data by the PyCapsule interface", text, name)
}

// method calls one of the PyCapsule interface.
func method(r py.Ref, name string) (py.Ref, error) {
	has, err := r.HasAttr(name)
	if err != nil {
		return py.Ref{}, err
	}
	if !has {
		return py.Ref{}, missing(r, name)
	}
	return r.CallMethod(name)
}

func fieldOf(r py.Ref) (arrow.Field, error) {
	s, err := method(r, "__arrow_c_schema__")
	if err != nil {
		return arrow.Field{}, err
	}
	p, err := capsule(s, C.OF_SCHEMA)
	if err != nil {
		return arrow.Field{}, err
	}
	return takeField(p)
}

// arrayOf imports what __arrow_c_array__ gives.
func arrayOf(c *py.Context, r py.Ref) (arrow.Field, arrow.Array, error) {
	pair, err := method(r, "__arrow_c_array__")
	if err != nil {
		return arrow.Field{}, nil, err
	}
	var places [2]uintptr
	for i, of := range []C.int{C.OF_SCHEMA, C.OF_ARRAY} {
		item, err := pair.Item(i)
		if err != nil {
			return arrow.Field{}, nil, err
		}
		if places[i], err = capsule(item, of); err != nil {
			return arrow.Field{}, nil, err
		}
	}
	field, err := takeField(places[0])
	if err != nil {
		return field, nil, err
	}
	a, err := take(c, places[1], field.Type)
	return field, a, err
}

// takeField imports a schema from where it lies, which is empty then. One that is empty has pointers to what is gone.
func takeField(from uintptr) (arrow.Field, error) {
	if C.pyarrow_schema_is_released(C.uintptr_t(from)) != 0 {
		return arrow.Field{}, errors.New("py/arrow: the schema was consumed by somebody else")
	}
	return cdata.ImportCArrowField(cdata.SchemaFromPtr(from))
}

// take imports an array from where it lies, which is empty then. The caller owns it.
func take(c *py.Context, from uintptr, t arrow.DataType) (arrow.Array, error) {
	if C.pyarrow_is_released(C.uintptr_t(from)) != 0 {
		return nil, errors.New("py/arrow: the array was consumed by somebody else")
	}
	original, err := cdata.ImportCArrayWithType(cdata.ArrayFromPtr(from), t)
	if err != nil {
		cdata.ReleaseCArrowArray(cdata.ArrayFromPtr(from))
		return nil, err
	}
	defer original.Release()
	wrap := borrowed
	if c.Mode() != py.Worker {
		wrap = copied
	}
	data := rebuild(original.Data(), wrap)
	defer data.Release()
	return array.MakeFromData(data), nil
}
