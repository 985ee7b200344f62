//go:build cgo && (linux || darwin)

package arrow_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"

	"github.com/pycontext/py"
	pyarrow "github.com/pycontext/py/arrow"
)

// in checks that an expression with an object, x, is true.
func in(t *testing.T, c *py.Context, o *py.Object, expr string) {
	t.Helper()
	if is, err := py.Eval[bool](ctx, c, expr, py.Vars{"x": o}); err != nil || !is {
		t.Errorf("%s: %v %v", expr, is, err)
	}
}

func TestExportToPyarrow(t *testing.T) {
	c := worker(t, "pyarrow as pa")
	for _, mem := range []memory.Allocator{memory.NewGoAllocator(), mallocator.NewMallocator()} {
		r := batch(mem)
		o := export(t, c, r)
		in(t, c, o, "pa.record_batch(x).to_pylist() == "+rows)
		in(t, c, o, "pa.table(x).to_pylist() == "+rows)
		in(t, c, o, "pa.RecordBatchReader.from_stream(x).read_all().to_pylist() == "+rows)
		in(t, c, o, "pa.table(x).validate(full=True) is None and pa.schema(x).names == ['n', 'text', 'point', 'list', 'word']")
		for range 3 { // slices of everything, those of a struct array too
			s := array.RecordToStructArray(r)
			for from := range int64(5) {
				part := array.NewSlice(s, from, 5)
				again := array.NewSlice(part, int64(part.Len())/2, int64(part.Len()))
				for _, a := range []arrow.Array{part, again} {
					slice := export(t, c, a)
					first := 5 - a.Len()
					if is, err := py.Eval[bool](ctx, c, "pa.array(x).to_pylist() == "+rows+"[first:] and pa.array(x).validate(full=True) is None", py.Vars{"x": slice, "first": first}); err != nil || !is {
						t.Errorf("from %d: %v %v", first, is, err)
					}
					slice.Close()
					a.Release()
				}
			}
			s.Release()
		}
		// Python keeps it when Go has let go, and the context too.
		where := address(r.Column(0))
		ok(t, c.Exec(ctx, "kept = pa.record_batch(x); builtins = __import__('builtins'); builtins.kept = kept", py.Vars{"x": o}))
		r.Release()
		o.Close()
		kept, err := py.Eval[*py.Object](ctx, c, "kept")
		ok(t, err)
		got, err := pyarrow.Record(ctx, kept)
		ok(t, err)
		kept.Close()
		equal(t, "in place", address(got.Column(0)) == where, true)
		ok(t, c.Exec(ctx, "del kept, builtins.kept; x = None; gc.collect()"))
		equal(t, "Go holds it", pyarrow.Live().Exported > 0, true)
		got.Release()
		live(t, pyarrow.Counts{})
	}
}

func TestKeptBeyondContext(t *testing.T) {
	c := worker(t, "pyarrow as pa, builtins")
	r := batch(memory.DefaultAllocator)
	o := export(t, c, r)
	r.Release()
	ok(t, c.Exec(ctx, "builtins.kept = pa.table(x), x", py.Vars{"x": o}))
	c.Close()
	c = worker(t, "pyarrow as pa, builtins")
	if is, err := py.Eval[bool](ctx, c, "kept[0].to_pylist() == pa.table(kept[1]).to_pylist() == "+rows); err != nil || !is {
		t.Error("what is kept is something else", err)
	}
	ok(t, c.Exec(ctx, "del builtins.kept; gc.collect()"))
	live(t, pyarrow.Counts{})
}

func TestImportFromPyarrow(t *testing.T) {
	c := worker(t, "pyarrow as pa")
	ok(t, c.Exec(ctx, "t = pa.Table.from_pylist("+rows+"); b = t.to_batches()[0]"))
	b := object(t, c, "b")
	r, err := pyarrow.Record(ctx, b)
	ok(t, err)
	where, err := py.Eval[uint64](ctx, c, "b.column(0).buffers()[1].address")
	ok(t, err)
	equal(t, "in place", addressOf(r.Column(0)), where)
	o := export(t, c, r)
	in(t, c, o, "pa.record_batch(x).equals(b) and pa.record_batch(x).column(0).buffers()[1].address == b.column(0).buffers()[1].address")
	o.Close()
	c.Close() // it stays
	equal(t, "a value", r.Column(0).(*array.Int64).Value(4), 4)
	r.Release()
	live(t, pyarrow.Counts{})
}

func TestKindsFromPyarrow(t *testing.T) {
	c := worker(t, "pyarrow as pa")
	ok(t, c.Exec(ctx, "t = pa.Table.from_pylist("+rows+")"))
	for expr, want := range map[string]int64{"t": 5, "pa.concat_tables([t, t])": 10, "t.slice(1, 2)": 2, "t.slice(0, 0)": 0, "t.to_reader(2)": 5,
		"t.to_batches()[0]": 5, "pa.table({})": 0, "t.to_struct_array().combine_chunks()": 5,
		"pa.RecordBatch.from_struct_array(pa.array([{}, {}], pa.struct([])))": 2, "pa.schema([('a', 'int8')]).empty_table()": 0} {
		table, err := pyarrow.Table(ctx, object(t, c, expr))
		ok(t, err)
		equal(t, expr, table.NumRows(), want)
		table.Release()
		r, err := pyarrow.Record(ctx, object(t, c, expr))
		if strings.Contains(expr, "concat") || strings.Contains(expr, "reader") {
			equal(t, expr+" is more than a batch", err != nil && strings.Contains(err.Error(), "more than one batch"), true)
			continue
		}
		ok(t, err)
		equal(t, expr, r.NumRows(), want)
		o := export(t, c, r)
		in(t, c, o, "pa.record_batch(x).num_rows >= 0")
		o.Close()
		r.Release()
	}
	for _, expr := range []string{"pa.array([1, None, 3])[1:]", "pa.array(['a', 'b', 'a']).dictionary_encode()[1:]", "pa.array([], 'int8')",
		"pa.array([None, None])", "pa.array([{'a': 1}, None, {'a': 3}])[1:]", "pa.array([True, None, False])[1:]", "pa.array([[1], [], [2, 3]])[1:]",
		"pa.array([[('a', 1)], []], pa.map_(pa.string(), pa.int8()))", "pa.array(['x' * 20, 'y'], pa.string_view())", "pa.array([[1, 2], [3, 4]], pa.list_(pa.int8(), 2))[1:]",
		"pa.UnionArray.from_sparse(pa.array([0, 1, 0], 'int8'), [pa.array([1, 2, 3]), pa.array(['a', 'b', 'c'])])[1:]",
		"pa.UnionArray.from_dense(pa.array([0, 1, 0], 'int8'), pa.array([0, 0, 1], 'int32'), [pa.array([1, 2]), pa.array(['a'])])[1:]",
		"pa.RunEndEncodedArray.from_arrays([2, 3], [1, 2])[1:]", "pa.array([1.5], pa.float64())", "pa.array([b'12', None], pa.binary(2))",
		"pa.array([__import__('datetime').datetime(2024, 2, 29)], pa.timestamp('us', 'UTC'))", "pa.array([__import__('decimal').Decimal('1.50')])"} {
		a, err := pyarrow.Array(ctx, object(t, c, expr))
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		o := export(t, c, a)
		in(t, c, o, "pa.array(x).equals("+expr+") and pa.array(x).validate(full=True) is None")
		chunked, err := pyarrow.Chunked(ctx, object(t, c, "pa.chunked_array(["+expr+", "+expr+"])"))
		ok(t, err)
		equal(t, expr, chunked.Len(), 2*a.Len())
		back := export(t, c, chunked)
		in(t, c, back, "pa.chunked_array(x).equals(pa.chunked_array(["+expr+", "+expr+"]))")
		back.Close()
		chunked.Release()
		a.Release()
		o.Close()
	}
	_, err := pyarrow.Record(ctx, object(t, c, "pa.array([{'a': 1}, None])"))
	equal(t, "null rows", err != nil && strings.Contains(err.Error(), "cannot be null"), true)
	schema, err := pyarrow.Schema(ctx, object(t, c, "pa.schema([('a', 'int8')], metadata={'k': 'v'})"))
	ok(t, err)
	o := export(t, c, schema)
	in(t, c, o, "pa.schema(x).equals(pa.schema([('a', 'int8')], metadata={'k': 'v'}), check_metadata=True)")
	o.Close()
	live(t, pyarrow.Counts{})
}

func TestStreams(t *testing.T) {
	c := worker(t, "pyarrow as pa")
	boom := errors.New("boom in Go")
	ok(t, c.Register("fail", func() error { return boom }))
	ok(t, c.Exec(ctx, "import go, threading\n"+
		"s = pa.schema([('a', 'int64')])\n"+
		"threads, closed = set(), []\n"+
		"def batches(fail):\n"+
		"  try:\n"+
		"    for i in range(3):\n"+
		"      threads.add(threading.get_ident())\n"+
		"      yield pa.record_batch([pa.array([i])], schema=s)\n"+
		"    fail()\n"+
		"  finally: closed.append(1)\n"+
		"def reader(fail=lambda: None): return pa.RecordBatchReader.from_batches(s, batches(fail))\n"+
		"class Only:\n"+
		"  def __init__(self, r): self.r = r\n"+
		"  def __arrow_c_stream__(self, requested_schema=None): return self.r.__arrow_c_stream__(requested_schema)\n"))
	read := func(expr string) (n int, err error) {
		r, err := pyarrow.Reader(ctx, object(t, c, expr))
		ok(t, err)
		defer r.Release()
		for r.Next() {
			n++
		}
		return n, r.Err()
	}
	for _, wrap := range []string{"%", "Only(%)"} {
		n, err := read(strings.ReplaceAll(wrap, "%", "reader()"))
		equal(t, wrap, n, 3)
		ok(t, err)
		n, err = read(strings.ReplaceAll(wrap, "%", "reader(lambda: 1 // 0)"))
		equal(t, wrap, n, 3)
		equal(t, wrap+" raises", err != nil && strings.Contains(err.Error(), "division"), true)
		n, err = read(strings.ReplaceAll(wrap, "%", "reader(go.fail)"))
		equal(t, wrap, n, 3)
		equal(t, wrap+" fails", err != nil && strings.Contains(err.Error(), "boom in Go"), true)
	}
	_, err := read("reader(lambda: 1 // 0)")
	equal(t, "the exception", errors.Is(err, py.Exception("ZeroDivisionError")), true)
	_, err = read("reader(go.fail)")
	equal(t, "the Go error", errors.Is(err, boom), true)
	in(t, c, nil, "threads == {threading.get_ident()}")

	left, leave := context.WithCancel(ctx)
	r, err := pyarrow.Reader(left, object(t, c, "Only(reader(lambda: exec('while True: pass')))"))
	ok(t, err)
	time.AfterFunc(50*time.Millisecond, leave)
	for r.Next() {
	}
	equal(t, "left", errors.Is(r.Err(), context.Canceled), true)
	r.Release()
	in(t, c, nil, "1 + 1 == 2")

	closing, err := pyarrow.Reader(ctx, object(t, c, "Only(reader())"))
	ok(t, err)
	equal(t, "one", closing.Next(), true)
	one := closing.RecordBatch()
	one.Retain()
	c.Close()
	equal(t, "closed", closing.Next(), false)
	equal(t, "closed", errors.Is(closing.Err(), py.ErrClosed), true)
	equal(t, "the batch", one.NumRows(), 1)
	one.Release()
	closing.Release()
	live(t, pyarrow.Counts{})
}

func TestGoReaderInPyarrow(t *testing.T) {
	c := worker(t, "pyarrow as pa, pyarrow.dataset")
	r := batch(memory.DefaultAllocator)
	defer r.Release()
	for _, expr := range []string{"pa.table(x).num_rows == 15", "pa.RecordBatchReader.from_stream(x).read_all().num_rows == 15",
		"next(iter(pa.RecordBatchReader.from_stream(x))).num_rows == 5",
		"pyarrow.dataset.Scanner.from_batches(pa.RecordBatchReader.from_stream(x)).to_table().num_rows == 15"} {
		rows, err := array.NewRecordReader(r.Schema(), []arrow.RecordBatch{r, r, r})
		ok(t, err)
		var source array.RecordReader = asking{rows, c}
		if strings.Contains(expr, "Scanner") { // it reads on a thread of its own, while the context's waits
			source = rows
		}
		o := export(t, c, source)
		rows.Release()
		in(t, c, o, expr)
		o.Close()
		live(t, pyarrow.Counts{})
	}
	o := export(t, c, array.ReaderFromIter(r.Schema(), func(yield func(arrow.RecordBatch, error) bool) { panic("a bug") }))
	defer o.Close()
	if _, err := py.Eval[any](ctx, c, "pa.table(x)", py.Vars{"x": o}); err == nil || !strings.Contains(err.Error(), "a bug") {
		t.Errorf("a panic: %v", err)
	}
}

func TestExtensions(t *testing.T) {
	c := worker(t, "pyarrow as pa")
	b := array.NewBuilder(memory.DefaultAllocator, extensions.NewUUIDType()).(*extensions.UUIDBuilder)
	defer b.Release()
	ok(t, b.AppendValueFromString("00000000-0000-0000-0000-000000000001"))
	a := b.NewArray()
	defer a.Release()
	o := export(t, c, a)
	in(t, c, o, "pa.array(x).type == pa.uuid() and pa.array(x)[0].as_py().int == 1")
	o.Close()
	live(t, pyarrow.Counts{})
}

func TestPandas(t *testing.T) {
	c := worker(t, "pandas as pd")
	r := batch(memory.DefaultAllocator)
	defer r.Release()
	o := export(t, c, r)
	in(t, c, o, "pd.DataFrame.from_arrow(x)['n'].sum() == 9")
	o.Close()
	table, err := pyarrow.Table(ctx, object(t, c, "pd.DataFrame({'a': [1, 2], 'b': ['x', None]})"))
	ok(t, err)
	equal(t, "rows", table.NumRows(), 2)
	equal(t, "columns", table.NumCols(), 2)
	table.Release()
	ok(t, c.Exec(ctx, "gc.collect()"))
	live(t, pyarrow.Counts{})
}

// TestRefused: pyarrow does not load in an interpreter with a lock of its own.
func TestRefused(t *testing.T) {
	worker(t, "pyarrow")
	err := open(t, py.OwnGIL).Exec(ctx, "import pyarrow")
	if !errors.Is(err, py.Exception("ImportError")) || !strings.Contains(err.Error(), "py.Worker") {
		t.Errorf("pyarrow: %v", err)
	}
}
