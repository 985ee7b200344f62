//go:build cgo && (linux || darwin)

package arrow

// #include "abi.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pycontext/py"
)

// Reader reads the batches of an object with __arrow_c_stream__, or the one of a struct array with __arrow_c_array__, one at a time.
// Each Next is a request to the object's context, made with ctx: Python makes the batch on the context's thread, and when ctx ends
// or the context closes, Next returns false and Err says why. What a pyarrow.RecordBatchReader raises is a *[py.Error]; other streams
// have but a text to say. Batches are valid as those of [Record] are. The caller releases the reader; as always in arrow-go, one
// goroutine at a time uses it.
func Reader(ctx context.Context, o *py.Object) (array.RecordReader, error) {
	s, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	schema, err := schemaOf(s.field)
	if err != nil {
		s.close()
		return nil, err
	}
	r := &reader{stream: s, schema: schema}
	r.uses.Store(1)
	return r, nil
}

type reader struct {
	stream *stream
	schema *arrow.Schema
	now    arrow.RecordBatch
	err    error
	over   bool
	uses   atomic.Int64
}

func (r *reader) Retain() { r.uses.Add(1) }

func (r *reader) Release() {
	if r.uses.Add(-1) == 0 {
		r.over = true
		r.drop()
		r.stream.close()
	}
}

func (r *reader) drop() {
	if r.now != nil {
		r.now.Release()
		r.now = nil
	}
}

func (r *reader) Schema() *arrow.Schema          { return r.schema }
func (r *reader) RecordBatch() arrow.RecordBatch { return r.now }
func (r *reader) Record() arrow.RecordBatch      { return r.now }
func (r *reader) Err() error                     { return r.err }

func (r *reader) Next() bool {
	r.drop()
	if r.over {
		return false
	}
	items, err := r.stream.next()
	if items != nil {
		defer items.Release()
		r.now, err = batchOf(r.stream.field, items)
	}
	r.err, r.over = err, r.now == nil
	return !r.over
}

// A stream is what Python gives arrays one after the other. The object behind it keeps it, and ends with the context.
type stream struct {
	ctx    context.Context
	field  arrow.Field
	source *py.Object
	read   func(*py.Attached, *stream, py.Ref) (arrow.Array, error) // nil, nil at the end
	only   atomic.Pointer[arrow.Array]                              // of a stream of one that was not read yet
}

func (s *stream) next() (arrow.Array, error) {
	return within(s.ctx, s.source, func(a *py.Attached, r py.Ref) (arrow.Array, error) { return s.read(a, s, r) })
}

func (s *stream) close() {
	s.source.Close()
	if only := s.only.Swap(nil); only != nil {
		(*only).Release()
	}
}

// open returns a stream of the object's data.
func open(ctx context.Context, o *py.Object) (*stream, error) {
	return within(ctx, o, func(a *py.Attached, r py.Ref) (*stream, error) {
		s := &stream{ctx: ctx}
		for _, way := range []struct {
			method string
			begin  func(*py.Attached, *stream, py.Ref) (py.Ref, error)
		}{{"read_next_batch", s.ofReader}, {"__arrow_c_stream__", s.ofCapsule}, {"__arrow_c_array__", s.ofArray}} {
			has, err := r.HasAttr(way.method)
			if err != nil {
				return nil, err
			}
			if !has {
				continue
			}
			source, err := way.begin(a, s, r)
			if err == nil {
				s.source, err = source.Keep()
			}
			return s, err
		}
		return nil, missing(r, "__arrow_c_stream__")
	})
}

// Release is for a stream that nobody waits for any more.
func (s *stream) Release() { s.close() }

// ofReader reads a pyarrow.RecordBatchReader by its own method: what that raises would be a text in a C stream.
func (*stream) ofReader(_ *py.Attached, s *stream, r py.Ref) (py.Ref, error) {
	schema, err := r.Attr("schema")
	if err == nil {
		s.field, err = fieldOf(schema)
	}
	s.read = func(a *py.Attached, _ *stream, r py.Ref) (arrow.Array, error) {
		batch, err := r.CallMethod("read_next_batch")
		if errors.Is(err, py.Exception("StopIteration")) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		_, items, err := arrayOf(a.Context(), batch)
		return items, err
	}
	return r, err
}

func (*stream) ofCapsule(_ *py.Attached, s *stream, r py.Ref) (py.Ref, error) {
	c, err := method(r, "__arrow_c_stream__")
	if err != nil {
		return c, err
	}
	p, err := capsule(c, C.OF_STREAM)
	if err != nil {
		return c, err
	}
	out := C.pyarrow_new_schema()
	defer C.pyarrow_free(out)
	if code := C.pyarrow_stream_schema(C.uintptr_t(p), out); code != 0 {
		return c, streamError(p, code)
	}
	s.field, err = takeField(uintptr(out))
	s.read = readCapsule
	return c, err
}

func readCapsule(a *py.Attached, s *stream, r py.Ref) (arrow.Array, error) {
	p, err := capsule(r, C.OF_STREAM)
	if err != nil {
		return nil, err
	}
	out := C.pyarrow_new_array()
	defer C.pyarrow_free(out)
	if code := C.pyarrow_stream_next(C.uintptr_t(p), out); code != 0 {
		return nil, streamError(p, code)
	}
	if C.pyarrow_is_released(out) != 0 {
		return nil, nil
	}
	return take(a.Context(), uintptr(out), s.field.Type)
}

func streamError(p uintptr, code C.int) error {
	why := "no reason given"
	if text := C.pyarrow_stream_error(C.uintptr_t(p)); text != nil {
		why = C.GoString(text)
	}
	return fmt.Errorf("py/arrow: the stream failed: %s (%w)", why, syscall.Errno(code))
}

// ofArray is a stream of the one batch of a struct array.
func (*stream) ofArray(a *py.Attached, s *stream, r py.Ref) (py.Ref, error) {
	field, items, err := arrayOf(a.Context(), r)
	if err != nil {
		return r, err
	}
	s.field = field
	s.only.Store(&items)
	s.read = func(_ *py.Attached, s *stream, _ py.Ref) (arrow.Array, error) {
		if only := s.only.Swap(nil); only != nil {
			return *only, nil
		}
		return nil, nil
	}
	return r, nil
}
