package conformance

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/pycontext/py"
)

const viewImports = `
import ctypes, struct
from array import array
def pack(format, *values):
    return memoryview(struct.pack(f'{len(values)}{format}', *values)).cast(format)
`

// view is the buffer of an expression, closed when the test ends.
func view[T py.Number](t testing.TB, c *py.Context, expr string) *py.Buffer[T] {
	t.Helper()
	o := eval[*py.Object](t, c, expr)
	defer o.Close()
	b, err := py.View[T](limit(t), o)
	if err != nil {
		t.Fatalf("view of %s: %v", expr, err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func holds[T py.Number](t testing.TB, c *py.Context, expr string, want ...T) {
	t.Helper()
	b := view[T](t, c, expr)
	equal(t, expr+": length", b.Len(), len(want))
	data, err := b.Data()
	if err != nil {
		t.Errorf("%s: %v", expr, err)
	}
	equal(t, expr, data, append([]T{}, want...))
	items, err := b.Copy()
	if err != nil {
		t.Errorf("%s: %v", expr, err)
	}
	equal(t, "copy of "+expr, items, append([]T{}, want...))
}

func viewKinds(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: viewImports})
	type level uint16
	holds[byte](t, c, "b'abc'", 'a', 'b', 'c')
	holds[byte](t, c, "bytearray(b'\\0\\xff')", 0, 255)
	holds[byte](t, c, "memoryview(b'abcd')[1:3]", 'b', 'c')
	holds[byte](t, c, "b''")
	holds[byte](t, c, "pack('?', True, False)", 1, 0)
	holds[byte](t, c, "pack('c', b'x')", 'x')
	holds[int8](t, c, "pack('b', -128, 127)", -128, 127)
	holds[int16](t, c, "array('h', [-1])", -1)
	holds[level](t, c, "array('H', [65535])", 65535)
	holds[int32](t, c, "array('i', [-1 << 31])", -1<<31)
	holds[uint32](t, c, "array('I', [2**32 - 1])", 1<<32-1)
	holds[int64](t, c, "array('q', [-1 << 63])", -1<<63)
	holds[int64](t, c, "array('l', [5])", 5)
	holds[int](t, c, "pack('n', -6)", -6)
	holds[uint64](t, c, "array('Q', [2**64 - 1])", 1<<64-1)
	holds[uint](t, c, "array('L', [7])", 7)
	holds[float32](t, c, "array('f', [1.5])", 1.5)
	holds[float64](t, c, "array('d', [-0.1, 1e300])", -0.1, 1e300)
	holds[float64](t, c, "array('d')")
	holds[int32](t, c, "(ctypes.c_int32 * 3)(1, 2, 3)", 1, 2, 3)
	holds[float64](t, c, "ctypes.c_double(2.5)", 2.5)
	equal(t, "a single item has no dimensions", view[float64](t, c, "ctypes.c_double(2.5)").At(), 2.5)
	equal(t, "shape", view[int16](t, c, "((ctypes.c_int16 * 3) * 2)()").Shape(), []int{2, 3})
	equal(t, "strides", view[int16](t, c, "((ctypes.c_int16 * 3) * 2)()").Strides(), []int{6, 2})
	equal(t, "bytes are read-only", view[byte](t, c, "b'x'").ReadOnly(), true)
	equal(t, "a bytearray is not", view[byte](t, c, "bytearray(1)").ReadOnly(), false)
}

func viewStrides(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: viewImports})
	for expr, want := range map[string][]int32{
		"memoryview(array('i', range(10)))[::3]":    {0, 3, 6, 9},
		"memoryview(array('i', range(10)))[::-1]":   {9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
		"memoryview(array('i', range(10)))[8:1:-4]": {8, 4},
	} {
		b := view[int32](t, c, expr)
		items, err := b.Copy()
		if err != nil {
			t.Error(err)
		}
		equal(t, expr, items, want)
		equal(t, "last of "+expr, b.At(len(want)-1), want[len(want)-1])
		if data, err := b.Data(); err == nil {
			t.Errorf("%s as a slice: %v", expr, data)
		} else {
			contains(t, "no slice", err.Error(), "Copy")
		}
	}
	b := view[byte](t, c, "memoryview(bytes(range(24))).cast('B', [2, 3, 4])")
	equal(t, "three dimensions", b.At(1, 2, 3), byte(23))
	odd := view[int32](t, c, "memoryview(bytes([0, 1, 0, 0, 0, 2, 0, 0, 0]))[1:].cast('i')") // not aligned
	items, err := odd.Copy()
	if err != nil {
		t.Error(err)
	}
	equal(t, "not aligned", items, []int32{1, 2})
	equal(t, "one that is not aligned", odd.At(1), int32(2))
	for what, f := range map[string]func(){
		"too many indices": func() { b.At(1, 2, 3, 0) },
		"out of range":     func() { b.At(2, 0, 0) },
		"negative":         func() { b.At(0, -1, 0) },
	} {
		if !panicked(f) {
			t.Errorf("%s: no panic", what)
		}
	}
}

func panicked(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}

func viewMisfits(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: viewImports + `
class Big(ctypes.BigEndianStructure): pass
`})
	refs := py.Live().References
	for expr, parts := range map[string][]string{
		"array('i', [1])":                      {`"i"`, "float64", "int32"},
		"array('f', [1])":                      {`"f"`, "float64", "float32"},
		"b'12345678'":                          {`"B"`, "float64", "uint8"},
		"(ctypes.c_double.__ctype_be__ * 2)()": {`">d"`, "byte order"},
		"pack('e', 1.5)":                       {`"e"`, "float64"},
	} {
		o := eval[*py.Object](t, c, expr)
		_, err := py.View[float64](limit(t), o)
		var conversion *py.ConversionError
		if !errors.As(err, &conversion) {
			t.Errorf("%s: %v", expr, err)
		} else {
			contains(t, expr, err.Error(), parts...)
		}
		o.Close()
	}
	o := eval[*py.Object](t, c, "object()")
	_, err := py.View[byte](limit(t), o)
	raises(t, "no buffer", err, "TypeError")
	o.Close()
	_, err = py.View[byte](limit(t), o)
	is(t, "a closed object", err, py.ErrClosed)
	_, err = py.View[byte](limit(t), nil)
	is(t, "no object", err, py.ErrClosed)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = py.View[byte](ctx, eval[*py.Object](t, c, "b''"))
	is(t, "cancelled", err, context.Canceled)
	runtime.GC()
	eventually(t, "no references left", func() bool { runtime.GC(); return py.Live().References <= refs })
}

func viewWrites(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: viewImports})
	run(t, c, "a = array('d', bytes(8 * 1000))")
	b := view[float64](t, c, "a")
	data, err := b.Data()
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i] = float64(i)
	}
	equal(t, "written by Go", eval[float64](t, c, "sum(a)"), 999*1000/2.0)
	run(t, c, "a[5] = -1")
	equal(t, "written by Python", b.At(5), -1.0)
	equal(t, "to Python and back in place", eval[float64](t, c, "sum(v)", py.Vars{"v": py.Lend(data)}), 999*1000/2.0-6)
}

func viewLife(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: viewImports})
	run(t, c, "a = bytearray(b'abc')")
	o := eval[*py.Object](t, c, "a")
	for range 100 {
		b, err := py.View[byte](limit(t), o)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Exec(limit(t), "a.append(1)")
		raises(t, "resized under a view", err, "BufferError")
		b.Close()
		run(t, c, "a.append(1)") // must not be late
		b.Close()
		_, err = b.Data()
		is(t, "data of a closed buffer", err, py.ErrClosed)
		_, err = b.Copy()
		is(t, "copy of a closed buffer", err, py.ErrClosed)
		if !panicked(func() { b.At(0) }) {
			t.Error("an item of a closed buffer")
		}
	}
	func() {
		if _, err := py.View[byte](limit(t), o); err != nil {
			t.Error(err)
		}
	}()
	eventually(t, "a forgotten buffer is closed", func() bool {
		runtime.GC()
		return c.Exec(context.Background(), "a.append(1)") == nil
	})
	b, err := py.View[byte](limit(t), o)
	if err != nil {
		t.Fatal(err)
	}
	o.Close()
	run(t, c, "del a")
	equal(t, "the buffer keeps the memory", b.At(0), byte('a'))
	c.Close()
	_, err = b.Copy()
	is(t, "copy when the context is closed", err, py.ErrClosed)
	if !panicked(func() { b.At(0) }) {
		t.Error("an item of a buffer whose context is closed")
	}
	b.Close()
}

// viewCloseRace copies from buffers while their context closes.
func viewCloseRace(t *testing.T, s *suite) {
	for range 10 {
		c := s.open(t)
		o := eval[*py.Object](t, c, "bytearray(b'x' * (1 << 20))")
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for {
					b, err := py.View[byte](context.Background(), o)
					for err == nil {
						var items []byte
						if items, err = b.Copy(); err == nil && items[len(items)-1] != 'x' {
							t.Error("a copy of memory that was gone")
						}
						if time.Now().UnixNano()%8 == 0 {
							b.Close()
						}
					}
					if c.Err() != nil {
						return
					}
				}
			})
		}
		time.Sleep(time.Duration(time.Now().UnixNano()%20) * time.Millisecond)
		c.Close()
		all.Wait()
	}
}

func array[T py.Element](t testing.TB, c *py.Context, expr string, shape []int, want ...T) {
	t.Helper()
	equal(t, expr, eval[py.Array[T]](t, c, expr), py.Array[T]{Shape: shape, Data: append([]T{}, want...)})
}

// arrays by value, as far as it goes without numpy.
func arrays(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: viewImports})
	array[int16](t, c, "array('h', [1, -1])", []int{2}, 1, -1)
	array[float64](t, c, "array('i', [1, -1])", []int{2}, 1, -1)
	array[uint8](t, c, "array('q', [255])", []int{1}, 255)
	array[bool](t, c, "pack('?', True, False)", []int{2}, true, false)
	array[float32](t, c, "memoryview(array('f', range(4)))[::-2]", []int{2}, 3, 1)
	array[byte](t, c, "memoryview(bytes(range(6))).cast('B', [2, 3])[:]", []int{2, 3}, 0, 1, 2, 3, 4, 5)
	array[float64](t, c, "memoryview((ctypes.c_double.__ctype_be__ * 2)(1, -0.5))", []int{2}, 1, -0.5)
	array[byte](t, c, "bytearray(b'ab')", []int{2}, 'a', 'b')
	array[byte](t, c, "b''", []int{0})
	array[int32](t, c, "array('i')", []int{0})
	array[int32](t, c, "-5", []int{}, -5)
	array[uint64](t, c, "2**64 - 1", []int{}, 1<<64-1)
	array[float64](t, c, "0.5", []int{}, 0.5)
	array[bool](t, c, "True", []int{}, true)
	array[complex128](t, c, "1j", []int{}, 1i)
	equal(t, "rows", eval[[][]int](t, c, "memoryview(bytes(range(6))).cast('B', [3, 2])"), [][]int{{0, 1}, {2, 3}, {4, 5}})
	equal(t, "a Go array", eval[[2]int](t, c, "array('h', [1, 2])"), [2]int{1, 2})
	equal(t, "in an any", eval[[]any](t, c, "[array('h', [1])]")[0], any(py.Array[int16]{Shape: []int{1}, Data: []int16{1}}))
	equal(t, "[]byte", eval[[]byte](t, c, "array('B', b'xy')"), []byte("xy"))
	equal(t, "in a struct", eval[struct{ A py.Array[int8] }](t, c, "{'A': array('b', [-1])}").A.Data, []int8{-1})
	equal(t, "text", eval[[]string](t, c, "array('u', 'ab')"), []string{"a", "b"})
	for expr, part := range map[string]string{
		"array('d', [1])": "expected int", "array('h', [0, 300])": "[1]: 300", "array('h', [-1])": "-1", "300": "300", "[1]": "list", "array('u', 'a')": "list",
	} {
		_, err := py.Eval[py.Array[uint8]](limit(t), c, expr)
		var conversion *py.ConversionError
		if !errors.As(err, &conversion) {
			t.Errorf("%s as an Array[uint8]: %v", expr, err)
			continue
		}
		contains(t, expr, err.Error(), part)
	}
	file := filepath.Join(t.TempDir(), "fails_on_import.py")
	if err := os.WriteFile(file, []byte("1 / 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	failed := c.Exec(limit(t), "import sys\nsys.path.append(dir)\nimport fails_on_import", py.Vars{"dir": filepath.Dir(file)})
	equal(t, "frames of a module that fails", len(raises(t, "a module that fails", failed, "ZeroDivisionError").Traceback), 2)
	run(t, c, "sys.path.pop()")
	if s.Mode == py.OwnGIL && !s.info.FreeThreaded { // a module of Python's own that knows one interpreter only
		err := c.Exec(limit(t), "import readline")
		if !errors.Is(err, py.Exception("ModuleNotFoundError")) {
			e := raises(t, "refused", err, "ImportError")
			contains(t, "refused", e.Message, "module readline", "py.OwnGIL", "py.Worker")
			equal(t, "frames", len(e.Traceback), 1)
		}
	}
	if err := c.Exec(limit(t), "import numpy"); err == nil {
		return
	}
	_, err := c.Eval(limit(t), "a", py.Vars{"a": py.Array[int]{Data: []int{1}}})
	contains(t, "without numpy", raises(t, "without numpy", err, "ImportError").Message, "py.Array", "numpy")
	equal(t, "lent", py.Live().Lent, int64(0))
	works(t, c)
}
