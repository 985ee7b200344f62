//go:build cgo && (linux || darwin)

package arrow_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"

	"github.com/pycontext/py"
	pyarrow "github.com/pycontext/py/arrow"
	_ "github.com/pycontext/py/embedded"
)

var ctx = context.Background()

func TestMain(m *testing.M) {
	status := m.Run()
	if !settled() {
		fmt.Fprintf(os.Stderr, "FAIL: left behind at the end: %+v %+v\n", pyarrow.Live(), py.Live())
		status = 1
	}
	os.Exit(status)
}

func settled() bool {
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(10 * time.Millisecond) {
		if live := py.Live(); pyarrow.Live() == (pyarrow.Counts{}) && live.Contexts == 0 && live.Functions == 0 {
			return true
		}
		runtime.GC()
	}
	return false
}

// live waits for counts.
func live(t *testing.T, want pyarrow.Counts) {
	t.Helper()
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(5 * time.Millisecond) {
		if pyarrow.Live() == want {
			return
		}
	}
	t.Errorf("alive: %+v, want %+v", pyarrow.Live(), want)
}

func open(t *testing.T, mode py.Mode) *py.Context {
	t.Helper()
	c, err := py.New(ctx, py.Options{Mode: mode})
	if errors.Is(err, py.ErrUnsupportedMode) {
		t.Skip(err)
	}
	ok(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// worker is a context in which modules are imported, or the test is skipped.
func worker(t *testing.T, modules string) *py.Context {
	t.Helper()
	c := open(t, py.Worker)
	if err := c.Exec(ctx, "import gc, "+modules); err != nil && os.Getenv("PYCTX_PACKAGES") != "" {
		t.Fatalf("PYCTX_PACKAGES says that all is there: %v", err)
	} else if err != nil {
		t.Skipf("skipped: %v; .ci/run packages makes a virtual environment with what is needed", err)
	}
	return c
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func object(t *testing.T, c *py.Context, expr string) *py.Object {
	t.Helper()
	o, err := py.Eval[*py.Object](ctx, c, expr)
	ok(t, err)
	t.Cleanup(func() { o.Close() })
	return o
}

// batch has 5 rows: numbers with a null, texts, a struct, a list and a dictionary.
func batch(mem memory.Allocator) arrow.RecordBatch {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "text", Type: arrow.BinaryTypes.String},
		{Name: "point", Type: arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Float64}), Nullable: true},
		{Name: "list", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32)},
		{Name: "word", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}},
	}, nil)
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	for i := range 5 {
		if i == 1 {
			b.Field(0).AppendNull()
		} else {
			b.Field(0).(*array.Int64Builder).Append(int64(i))
		}
		b.Field(1).(*array.StringBuilder).Append(strings.Repeat("x", i))
		point := b.Field(2).(*array.StructBuilder)
		if i == 2 {
			point.AppendNull()
		} else {
			point.Append(true)
			point.FieldBuilder(0).(*array.Float64Builder).Append(float64(i) / 2)
		}
		list := b.Field(3).(*array.ListBuilder)
		list.Append(true)
		for j := range i {
			list.ValueBuilder().(*array.Int32Builder).Append(int32(j))
		}
		_ = b.Field(4).(*array.BinaryDictionaryBuilder).AppendString([]string{"a", "b"}[i%2])
	}
	return b.NewRecordBatch()
}

const rows = "[{'n': 0, 'text': '', 'point': {'x': 0.0}, 'list': [], 'word': 'a'}, " +
	"{'n': None, 'text': 'x', 'point': {'x': 0.5}, 'list': [0], 'word': 'b'}, " +
	"{'n': 2, 'text': 'xx', 'point': None, 'list': [0, 1], 'word': 'a'}, " +
	"{'n': 3, 'text': 'xxx', 'point': {'x': 1.5}, 'list': [0, 1, 2], 'word': 'b'}, " +
	"{'n': 4, 'text': 'xxxx', 'point': {'x': 2.0}, 'list': [0, 1, 2, 3], 'word': 'a'}]"

func export(t *testing.T, c *py.Context, v any) *py.Object {
	t.Helper()
	o, err := pyarrow.Export(ctx, c, v)
	ok(t, err)
	return o
}

func address(a arrow.Array) *byte { return &a.Data().Buffers()[1].Bytes()[0] }

// TestRoundTrip needs no packages: what goes into Python of any mode comes back.
func TestRoundTrip(t *testing.T) {
	for _, mode := range []py.Mode{py.Worker, py.Subinterp, py.OwnGIL} {
		t.Run(mode.String(), func(t *testing.T) {
			c := open(t, mode)
			r := batch(memory.DefaultAllocator)
			defer r.Release()
			part := r.NewSlice(1, 4)
			defer part.Release()
			for _, want := range []arrow.RecordBatch{r, part, r.NewSlice(2, 2)} {
				o := export(t, c, want)
				got, err := pyarrow.Record(ctx, o)
				ok(t, err)
				if !array.RecordEqual(got, want) || !got.Schema().Equal(want.Schema()) {
					t.Errorf("got %v, want %v", got, want)
				}
				if want.NumRows() > 0 {
					equal(t, "in place", address(got.Column(0)) == address(want.Column(0)), mode == py.Worker)
				}
				got.Release()
				table, err := pyarrow.Table(ctx, o)
				ok(t, err)
				equal(t, "rows", table.NumRows(), want.NumRows())
				table.Release()
				schema, err := pyarrow.Schema(ctx, o)
				ok(t, err)
				equal(t, "schema", schema.Equal(want.Schema()), true)
				o.Close()
			}
			live(t, pyarrow.Counts{})
			for i, column := range part.Columns() {
				o := export(t, c, column)
				got, err := pyarrow.Array(ctx, o)
				ok(t, err)
				if !array.Equal(got, column) {
					t.Errorf("column %d: got %v, want %v", i, got, column)
				}
				_, err = pyarrow.Record(ctx, o)
				equal(t, "a batch", err == nil, false)
				o.Close()
				got.Release()
			}
			live(t, pyarrow.Counts{})
		})
	}
}

// TestReaders passes a reader through Python twice, all in one context.
func TestReaders(t *testing.T) {
	for _, mode := range []py.Mode{py.Worker, py.Subinterp, py.OwnGIL} {
		t.Run(mode.String(), func(t *testing.T) {
			c := open(t, mode)
			r := batch(memory.DefaultAllocator)
			defer r.Release()
			source, err := array.NewRecordReader(r.Schema(), []arrow.RecordBatch{r, r, r})
			ok(t, err)
			o := export(t, c, asking{source, c})
			source.Release()
			first, err := pyarrow.Reader(ctx, o)
			ok(t, err)
			again := export(t, c, first)
			first.Release()
			second, err := pyarrow.Reader(ctx, again)
			ok(t, err)
			n := 0
			for second.Next() {
				n++
				equal(t, "equal", array.RecordEqual(second.RecordBatch(), r), true)
			}
			ok(t, second.Err())
			equal(t, "batches", n, 3)
			second.Release()
			o.Close()
			again.Close()
			live(t, pyarrow.Counts{})

			failing := export(t, c, asking{array.ReaderFromIter(r.Schema(), func(yield func(arrow.RecordBatch, error) bool) {
				r.Retain()
				_ = yield(r, nil) && yield(nil, errors.New("no more today"))
			}), c})
			defer failing.Close()
			read, err := pyarrow.Reader(ctx, failing)
			ok(t, err)
			defer read.Release()
			equal(t, "the first", read.Next(), true)
			equal(t, "the second", read.Next(), false)
			if err := read.Err(); err == nil || !strings.Contains(err.Error(), "no more today") {
				t.Errorf("the error: %v", err)
			}
		})
	}
}

// asking uses Python for each batch.
type asking struct {
	array.RecordReader
	c *py.Context
}

func (a asking) Next() bool {
	if n, err := py.Eval[int](ctx, a.c, "1 + 1"); err != nil || n != 2 {
		panic(fmt.Sprint(n, err))
	}
	return a.RecordReader.Next()
}

func TestRefusals(t *testing.T) {
	c := open(t, py.OwnGIL)
	for _, f := range []func(*py.Object) error{
		func(o *py.Object) error { _, err := pyarrow.Record(ctx, o); return err },
		func(o *py.Object) error { _, err := pyarrow.Table(ctx, o); return err },
		func(o *py.Object) error { _, err := pyarrow.Array(ctx, o); return err },
		func(o *py.Object) error { _, err := pyarrow.Chunked(ctx, o); return err },
		func(o *py.Object) error { _, err := pyarrow.Reader(ctx, o); return err },
		func(o *py.Object) error { _, err := pyarrow.Schema(ctx, o); return err },
	} {
		if err := f(object(t, c, "object()")); err == nil || !strings.Contains(err.Error(), "class 'object'> has no __arrow_c_") {
			t.Errorf("an object: %v", err)
		}
		lying := "type('C', (), {n: lambda self: (1, 2) for n in ['__arrow_c_array__', '__arrow_c_stream__', '__arrow_c_schema__']})()"
		if err := f(object(t, c, lying)); err == nil || !strings.Contains(err.Error(), "expected a capsule") {
			t.Errorf("no capsule: %v", err)
		}
		raising := "type('C', (), {'__getattr__': lambda self, name: 1 // 0})()"
		if err := f(object(t, c, raising)); !errors.Is(err, py.Exception("ZeroDivisionError")) {
			t.Errorf("raising: %v", err)
		}
		closed := object(t, c, "object()")
		closed.Close()
		if err := f(closed); !errors.Is(err, py.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	}
	if _, err := pyarrow.Record(ctx, nil); !errors.Is(err, py.ErrClosed) {
		t.Errorf("nil: %v", err)
	}
	for _, none := range []any{nil, (*arrow.Schema)(nil), (*arrow.Chunked)(nil), (*array.Int64)(nil)} {
		if _, err := pyarrow.Export(ctx, c, none); err == nil || !strings.Contains(err.Error(), "is no Arrow data") {
			t.Errorf("Export of a nil %T: %v", none, err)
		}
	}
	if _, err := pyarrow.Export(ctx, c, 5); err == nil || !strings.Contains(err.Error(), "a Go int is no Arrow data") {
		t.Errorf("an int: %v", err)
	}
	r := batch(memory.DefaultAllocator)
	defer r.Release()
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := pyarrow.Export(cancelled, c, r); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	c.Close()
	if _, err := pyarrow.Export(ctx, c, r); !errors.Is(err, py.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	live(t, pyarrow.Counts{})
}

// TestClosed has data outlive the context in each direction.
func TestClosed(t *testing.T) {
	for _, mode := range []py.Mode{py.Worker, py.Subinterp, py.OwnGIL} {
		t.Run(mode.String(), func(t *testing.T) {
			c := open(t, mode)
			r := batch(memory.DefaultAllocator)
			o := export(t, c, r)
			got, err := pyarrow.Record(ctx, o)
			ok(t, err)
			s, err := pyarrow.Reader(ctx, o)
			ok(t, err)
			c.Close()
			equal(t, "next", s.Next(), false)
			equal(t, "error", errors.Is(s.Err(), py.ErrClosed), true)
			equal(t, "equal", array.RecordEqual(got, r), true)
			s.Release()
			got.Release()
			got.Release() // once too often is nothing
			s.Release()
			r.Release()
			live(t, pyarrow.Counts{})
		})
	}
}

// TestGoroutines is for the race detector.
func TestGoroutines(t *testing.T) {
	c := open(t, py.Worker)
	other := open(t, py.OwnGIL)
	r := batch(mallocator.NewMallocator())
	defer r.Release()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				o, err := pyarrow.Export(ctx, c, r)
				if err != nil {
					t.Error(err)
					return
				}
				got, err := pyarrow.Table(ctx, o)
				if err != nil {
					t.Error(err)
					return
				}
				o.Close()
				// It is released by an interpreter that did not make it.
				there, err := pyarrow.Export(ctx, other, got)
				if err != nil {
					t.Error(err)
				}
				got.Release()
				there.Close()
			}
		})
	}
	all.Wait()
	live(t, pyarrow.Counts{})
}

func addressOf(a arrow.Array) uint64 { return uint64(reflect.ValueOf(address(a)).Pointer()) }
