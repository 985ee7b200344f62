//go:build !cgo || !(linux || darwin)

package arrow

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/pycontext/py"
	"github.com/pycontext/py/internal/cpython"
)

// Without cgo there is no Python, and each of these returns the error that says so.

// Array returns an error.
func Array(context.Context, *py.Object) (arrow.Array, error) { return nil, cpython.ErrUnsupported }

// Record returns an error.
func Record(context.Context, *py.Object) (arrow.RecordBatch, error) {
	return nil, cpython.ErrUnsupported
}

// Table returns an error.
func Table(context.Context, *py.Object) (arrow.Table, error) { return nil, cpython.ErrUnsupported }

// Chunked returns an error.
func Chunked(context.Context, *py.Object) (*arrow.Chunked, error) { return nil, cpython.ErrUnsupported }

// Reader returns an error.
func Reader(context.Context, *py.Object) (array.RecordReader, error) {
	return nil, cpython.ErrUnsupported
}

// Schema returns an error.
func Schema(context.Context, *py.Object) (*arrow.Schema, error) { return nil, cpython.ErrUnsupported }

// Export returns an error.
func Export(context.Context, *py.Context, any) (*py.Object, error) {
	return nil, cpython.ErrUnsupported
}
