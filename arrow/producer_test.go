//go:build cgo && (linux || darwin)

package arrow_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pycontext/py"
	pyarrow "github.com/pycontext/py/arrow"
)

// producer is a producer and a consumer of the C data interface that takes it at its word: a structure that was released holds
// nothing but garbage, and what is released twice is noted.
const producer = `
import ctypes, sys
from ctypes import CFUNCTYPE, Structure, addressof, c_char_p, c_int, c_int32, c_int64, c_void_p, cast, py_object, sizeof

def structure(*fields):
    return type("S", (Structure,), {"_fields_": fields})

names = lambda words, type: [(w, type) for w in words.split()]
Schema = structure(*names("format name metadata", c_void_p), *names("flags n_children", c_int64), *names("children dictionary release private", c_void_p))
Array = structure(*names("length null_count offset n_buffers n_children", c_int64), *names("buffers children dictionary release private", c_void_p))
Stream = structure(*names("get_schema get_next get_last_error release private", c_void_p))
kept, log = [], []  # what C refers to; the names of what was released

def keep(x):
    kept.append(x)
    return x

def address(x):
    return None if x is None else addressof(keep(x))

def text(s):
    return address(ctypes.create_string_buffer(s.encode()))

def pointers(items):
    return address((c_void_p * max(len(items), 1))(*items))

def released(type, name, parts=()):
    @CFUNCTYPE(None, c_void_p)
    def release(p):
        log.append(name)
        for part in parts:
            if part is not None and part.release: release_of(part)
        ctypes.memset(p, 0x5a, sizeof(type))
        type.from_address(p).release = None
    return cast(keep(release), c_void_p).value

def release_of(s):
    CFUNCTYPE(None, c_void_p)(s.release)(addressof(s))

def schema(format, *children, dictionary=None, name="", flags=2):
    return keep(Schema(text(format), text(name), None, flags, len(children), pointers([address(c) for c in children]),
        address(dictionary), released(Schema, "schema", (*children, dictionary)), None))

def data(length, buffers, *children, nulls=0, offset=0, dictionary=None, name="array"):
    return keep(Array(length, nulls, offset, len(buffers), len(children), pointers([address(b) for b in buffers]),
        pointers([address(c) for c in children]), address(dictionary), released(Array, name, (*children, dictionary)), None))

def ints(*values): return (c_int32 * max(len(values), 1))(*values)
def chars(s): return ctypes.create_string_buffer(s.encode())

new = ctypes.pythonapi.PyCapsule_New
new.restype, new.argtypes = py_object, [c_void_p, c_char_p, c_void_p]
pointer = ctypes.pythonapi.PyCapsule_GetPointer
pointer.restype, pointer.argtypes = c_void_p, [py_object, c_char_p]

class One:
    """Gives the same capsules each time."""
    def __init__(self, schema, array): self.pair = new(address(schema), b"arrow_schema", None), new(address(array), b"arrow_array", None)
    def __arrow_c_array__(self, requested_schema=None): return self.pair
    def __arrow_c_schema__(self): return self.pair[0]

class Many:
    """A stream of arrays and, at its end, an error or none."""
    def __init__(self, schema, arrays, error=0):
        self.arrays, self.error, self.why = list(arrays), error, chars("no more today")
        def get_schema(s, out):
            if schema is None: return error
            ctypes.memmove(out, addressof(schema), sizeof(Schema))
            return 0
        def get_next(s, out):
            if not self.arrays:
                Array.from_address(out).release = None
                return self.error
            ctypes.memmove(out, addressof(self.arrays.pop(0)), sizeof(Array))
            return 0
        of = lambda f, *types: cast(keep(CFUNCTYPE(*types)(f)), c_void_p).value
        self.stream = keep(Stream(of(get_schema, c_int, c_void_p, c_void_p), of(get_next, c_int, c_void_p, c_void_p),
            of(lambda s: addressof(self.why), c_void_p, c_void_p), released(Stream, "stream"), None))
    def __arrow_c_stream__(self, requested_schema=None): return new(addressof(self.stream), b"arrow_array_stream", None)

def numbers(*values, **more): return data(len(values), [None, ints(*values)], **more)
def table(*arrays): return Many(schema("+s", schema("i", name="n")), arrays)
def rows(*values, **more): return data(len(values), [None], numbers(*values, name="column"), **more)
`

func producing(t *testing.T) *py.Context {
	t.Helper()
	c := open(t, py.Worker)
	ok(t, c.Exec(ctx, producer))
	return c
}

// releases waits for what Python was told.
func releases(t *testing.T, c *py.Context, want string) {
	t.Helper()
	live(t, pyarrow.Counts{})
	got, err := py.Eval[string](ctx, c, "' '.join(sorted(log))")
	ok(t, err)
	equal(t, "released", got, want)
	ok(t, c.Exec(ctx, "log.clear()"))
}

// TestShapesFromC imports arrays as the C data interface allows them.
func TestShapesFromC(t *testing.T) {
	c := producing(t)
	for _, x := range []struct{ schema, data, want, released string }{
		{"'i'", "numbers(1, 2, 3)", "[1 2 3]", "array schema"},
		{"'i'", "data(2, [None, ints(1, 2, 3)], offset=1)", "[2 3]", "array schema"},
		{"'i'", "data(3, [chars('\\x05'), ints(1, 2, 3)], nulls=-1)", "[1 (null) 3]", "array schema"},
		{"'i'", "data(0, [None, None])", "[]", "array schema"},
		{"'i'", "data(0, [None, None], nulls=-1)", "[]", "array schema"},
		{"'n'", "data(4, [], nulls=4)", "[(null) (null) (null) (null)]", "array schema"},
		{"'u'", "data(2, [None, ints(0, 1, 3), chars('abc')])", `["a" "bc"]`, "array schema"},
		{"'u'", "data(1, [None, ints(0, 1, 3), chars('abc')], offset=1)", `["bc"]`, "array schema"},
		{"'u'", "data(2, [None, ints(0, 0, 0), None])", `["" ""]`, "array schema"},
		{"'u'", "data(0, [None, ints(0), None])", "[]", "array schema"},
		{"'+l', schema('i')", "data(2, [None, ints(0, 1, 3)], numbers(1, 2, 3))", "[[1] [2 3]]", "array array schema schema"},
		{"'+s', schema('i', name='x')", "data(1, [None], numbers(1, 2), offset=1)", "{[2]}", "array array schema schema"},
		{"'+s', schema('i', name='x')", "data(0, [None], data(0, [None, None]))", "{[]}", "array array schema schema"},
		{"'+s'", "data(3, [None])", "{}", "array schema"},
		{"'i', dictionary=schema('u')", "data(3, [None, ints(1, 0, 1)], dictionary=data(2, [None, ints(0, 1, 2), chars('ab')]))",
			"{ dictionary: [\"a\" \"b\"]\n  indices: [1 0 1] }", "array array schema schema"},
	} {
		o := object(t, c, fmt.Sprintf("One(schema(%s), %s)", x.schema, x.data))
		a, err := pyarrow.Array(ctx, o)
		if err != nil {
			t.Errorf("%s: %v", x.data, err)
			continue
		}
		equal(t, x.data, a.String(), x.want)
		_, err = pyarrow.Array(ctx, o)
		if err == nil || !strings.Contains(err.Error(), "consumed by somebody else") {
			t.Errorf("%s: a second time: %v", x.data, err)
		}
		_, err = pyarrow.Schema(ctx, o)
		if err == nil || !strings.Contains(err.Error(), "consumed by somebody else") {
			t.Errorf("%s: its schema: %v", x.data, err)
		}
		a.Release()
		releases(t, c, x.released)
	}
	// It is released once, whoever holds what of it, and after the context.
	for _, close := range []bool{false, true} {
		if close {
			c = producing(t)
		}
		a, err := pyarrow.Array(ctx, object(t, c, "One(schema('+s', schema('i', name='x')), data(3, [None], numbers(1, 2, 3)))"))
		ok(t, err)
		column := a.(*array.Struct).Field(0)
		column.Retain()
		part := array.NewSlice(column, 1, 2)
		a.Release()
		column.Release()
		equal(t, "what is left", part.String(), "[2]")
		if !close {
			part.Release()
			releases(t, c, "array array schema schema")
			continue
		}
		ok(t, c.Exec(ctx, "sys.modules['log'] = log, kept"))
		c.Close()
		equal(t, "what is left", part.String(), "[2]")
		part.Release()
		c = open(t, py.Worker)
		ok(t, c.Exec(ctx, "import sys; log, kept = sys.modules.pop('log')"))
		releases(t, c, "array array schema schema")
	}
}

// TestMisfitsFromC imports what is not as it says. It is released all the same.
func TestMisfitsFromC(t *testing.T) {
	c := producing(t)
	for _, x := range []struct{ schema, data, want, released string }{
		{"'?'", "numbers(1)", "unimplemented type", "schema"},
		{"'+s', schema('?')", "rows(1)", "unimplemented type", "schema schema"},
		{"'i'", "data(2, [ints(1)])", "expected 2 buffers", "array schema"},
		{"'i'", "data(2, [None, None])", "invalid buffer", "array schema"},
		{"'i'", "data(-1, [None, ints(1)])", "negative", "array schema"},
		{"'i'", "data(2, [None, ints(1, 2)], nulls=1)", "null_count 1", "array schema"},
		{"'+s', schema('i'), schema('i')", "data(1, [None], numbers(1))", "expected 2 children", "array array schema schema schema"},
		{"'+s', schema('i'), schema('u')", "data(1, [None], numbers(1), numbers(2))", "expected 3 buffers", "array array array schema schema schema"},
		{"'i', dictionary=schema('u')", "numbers(1)", "has no dictionary", "array schema schema"},
	} {
		o := object(t, c, fmt.Sprintf("One(schema(%s), %s)", x.schema, x.data))
		if a, err := pyarrow.Array(ctx, o); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: got %v, %v, want %s", x.data, a, err, x.want)
		}
		releases(t, c, x.released)
	}
}

// TestStreamsFromC reads streams to their end, and those that fail at any place.
func TestStreamsFromC(t *testing.T) {
	c := producing(t)
	read := func(expr string, most int) (rows int, err error) {
		t.Helper()
		r, err := pyarrow.Reader(ctx, object(t, c, expr))
		if err != nil {
			return 0, err
		}
		defer r.Release()
		for most > 0 && r.Next() {
			rows += int(r.RecordBatch().NumRows())
			most--
		}
		return rows, r.Err()
	}
	for _, x := range []struct {
		expr     string
		most     int
		rows     int
		want     string
		released string
	}{
		{"table(rows(1, 2), rows(3), rows())", 9, 3, "", "array array array column column column schema schema"},
		{"table()", 9, 0, "", "schema schema"},
		{"table(rows(1, 2), rows(3))", 1, 2, "", "array column schema schema"},
		{"table(rows(1, 2))", 0, 0, "", "schema schema"},
		{"Many(None, [], 5)", 9, 0, "no more today", ""},
		{"Many(schema('?'), [])", 9, 0, "unimplemented type", "schema"},
		{"Many(schema('i'), [])", 9, 0, "use Array or Chunked", "schema"},
		{"Many(schema('+s', schema('i')), [rows(1), rows(2)], 5)", 9, 2, "no more today", "array array column column schema schema"},
		{"table(rows(1), data(1, [None]), rows(2))", 9, 1, "expected 1 children", "array array column schema schema"},
		{"table(rows(1), data(1, [chars('\\0')], numbers(1), nulls=1))", 9, 1, "rows cannot be null", "array array array column schema schema"},
	} {
		got, err := read(x.expr, x.most)
		equal(t, x.expr, got, x.rows)
		if x.want == "" && err != nil || x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)) {
			t.Errorf("%s: got %v, want %q", x.expr, err, x.want)
		}
		releases(t, c, x.released)
	}
	// A table of a stream that fails has nothing; who consumed a stream has it alone.
	_, err := pyarrow.Table(ctx, object(t, c, "Many(schema('+s', schema('i')), [rows(1), rows(2)], 5)"))
	equal(t, "a table", err != nil && strings.Contains(err.Error(), "no more today"), true)
	_, err = pyarrow.Chunked(ctx, object(t, c, "Many(schema('i'), [numbers(1), numbers(2)], 5)"))
	equal(t, "chunks", err != nil && strings.Contains(err.Error(), "no more today"), true)
	releases(t, c, "array array array array column column schema schema schema")
	ok(t, c.Exec(ctx, "taken = table(rows(1)); taken.stream.release = None"))
	_, err = pyarrow.Table(ctx, object(t, c, "taken"))
	equal(t, "a consumed stream", err != nil && strings.Contains(err.Error(), "consumed by somebody else"), true)
	// An object that gives its array once is a stream of that one.
	r, err := pyarrow.Reader(ctx, object(t, c, "One(schema('+s', schema('i', name='n')), rows(1, 2, 3))"))
	ok(t, err)
	equal(t, "the batch", r.Next() && r.RecordBatch().NumRows() == 3, true)
	equal(t, "another", r.Next(), false)
	ok(t, r.Err())
	r.Release()
	releases(t, c, "array column schema schema")
	r, err = pyarrow.Reader(ctx, object(t, c, "One(schema('+s', schema('i', name='n')), rows(1, 2, 3))"))
	ok(t, err)
	r.Release() // before it was read
	releases(t, c, "array column schema schema")
}

// TestTakenApart has a consumer in Python take what Go exports apart: it moves a child away, and releases the rest before it and on
// another thread, or keeps it beyond the context.
func TestTakenApart(t *testing.T) {
	c := producing(t)
	const takeApart = `
import threading
def move(s):
    moved = type(s).from_buffer_copy(s)
    s.release = None
    return moved
def apart(o):
    for capsule in o.__arrow_c_array__():
        kind = b"arrow_schema" if "arrow_schema" in repr(capsule) else b"arrow_array"
        whole = move((Schema if kind == b"arrow_schema" else Array).from_address(pointer(capsule, kind)))
        children = (c_void_p * whole.n_children).from_address(whole.children)
        child = move(type(whole).from_address(children[0]))
        release_of(whole)
        assert not whole.release and child.release
        if type(child) is Array:
            buffers = (c_void_p * 2).from_address(child.buffers)
            assert list((c_int64 * 5).from_address(buffers[1]))[2:] == [2, 3, 4]
        t = threading.Thread(target=release_of, args=[child])
        t.start()
        t.join()
        assert not child.release
`
	ok(t, c.Exec(ctx, takeApart))
	r := batch(memory.DefaultAllocator)
	defer r.Release()
	o := export(t, c, r)
	_, err := c.Call(ctx, "__main__", "apart", o)
	ok(t, err)
	ok(t, c.Exec(ctx, "capsules = [o.__arrow_c_array__(), o.__arrow_c_stream__(), o.__arrow_c_schema__(), o]; sys.modules['taken'] = capsules", py.Vars{"o": o}))
	o.Close()
	c.Close()
	equal(t, "is kept", pyarrow.Live().Exported > 0, true)
	c = open(t, py.Worker)
	ok(t, c.Exec(ctx, "import sys; sys.modules.pop('taken').clear()"))
	live(t, pyarrow.Counts{})
}

const reading = `
def read(o):
    capsule = o.__arrow_c_stream__()
    s = Stream.from_address(pointer(capsule, b"arrow_array_stream"))
    n, here = 0, addressof(s)
    try:
        while True:
            out = Array()
            code = CFUNCTYPE(c_int, c_void_p, c_void_p)(s.get_next)(here, addressof(out))
            if code: return n, code, ctypes.string_at(CFUNCTYPE(c_void_p, c_void_p)(s.get_last_error)(here)).decode()
            if not out.release: return n, 0, ""
            n += out.length
            release_of(out)
    finally:
        release_of(s)
`

// TestStreamTaken has a consumer in Python read a stream of Go, whose reader fails, panics or ends its goroutine in the middle.
func TestStreamTaken(t *testing.T) {
	c := producing(t)
	ok(t, c.Exec(ctx, reading))
	r := batch(memory.DefaultAllocator)
	defer r.Release()
	for _, x := range []struct{ how, want string }{{"", "(10, 0, '')"}, {"fail", "no more today"}, {"panic", "no more today"}, {"exit", "Goexit"}} {
		source := array.ReaderFromIter(r.Schema(), func(yield func(arrow.RecordBatch, error) bool) {
			for range 2 {
				r.Retain()
				if !yield(r, nil) {
					return
				}
			}
		})
		o := export(t, c, leaving{source, x.how})
		source.Release()
		got, err := py.Call[py.Tuple](ctx, c, "__main__", "read", o)
		ok(t, err)
		text := fmt.Sprintf("(%v, %v, '%v')", got...)
		if !strings.Contains(text, x.want) || !strings.HasPrefix(text, "(10, ") {
			t.Errorf("%s: got %s, want %s", x.how, text, x.want)
		}
		o.Close()
		live(t, pyarrow.Counts{})
	}
}

// TestStreamInterrupted interrupts a reader in Go that Python reads by way of C, which has no exceptions.
func TestStreamInterrupted(t *testing.T) {
	c := producing(t)
	ok(t, c.Exec(ctx, reading))
	r := batch(memory.DefaultAllocator)
	defer r.Release()
	reads := make(chan struct{})
	source := array.ReaderFromIter(r.Schema(), func(yield func(arrow.RecordBatch, error) bool) {
		reads <- struct{}{}
		<-reads
		yield(nil, errors.New("too late"))
	})
	o := export(t, c, source)
	source.Release()
	result := make(chan error, 1)
	limit, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	go func() { result <- c.Exec(limit, "got = read(o)\nwhile True: pass", py.Vars{"o": o}) }()
	<-reads
	equal(t, "interrupts", c.Interrupt(), true)
	reads <- struct{}{}
	if err := <-result; !errors.Is(err, py.ErrInterrupted) {
		t.Errorf("got %v", err)
	}
	ok(t, c.Exec(ctx, "del o"))
	o.Close()
	live(t, pyarrow.Counts{})
}

// leaving ends in another way than with its last batch.
type leaving struct {
	array.RecordReader
	how string
}

func (l leaving) Next() bool {
	if l.RecordReader.Next() {
		return true
	}
	switch l.how {
	case "panic":
		panic("no more today")
	case "exit":
		t := new(testing.T)
		t.SkipNow()
	}
	return false
}

func (l leaving) Err() error {
	if l.how == "fail" {
		return errors.New("no more today")
	}
	return l.RecordReader.Err()
}
