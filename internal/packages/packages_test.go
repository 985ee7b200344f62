package packages_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

var ctx = context.Background()

func TestMain(m *testing.M) {
	status := m.Run()
	if live := py.Live(); live.Lent != 0 || live.Contexts != 0 {
		fmt.Fprintf(os.Stderr, "FAIL: left behind at the end: %+v\n", live)
		status = 1
	}
	os.Exit(status)
}

// worker is a context in which a package is imported, or the test is skipped.
func worker(t *testing.T, module string) *py.Context {
	t.Helper()
	c, err := py.New(ctx, py.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Exec(ctx, "import "+module+", gc"); err != nil && os.Getenv("PYCTX_PACKAGES") != "" {
		t.Fatalf("PYCTX_PACKAGES says that all is there: %v", err)
	} else if err != nil {
		t.Skipf("skipped: %v; .ci/run packages makes a virtual environment with what is needed", err)
	}
	return c
}

func eval[T any](t *testing.T, c *py.Context, expr string, vars ...py.Vars) T {
	t.Helper()
	v, err := py.Eval[T](ctx, c, expr, vars...)
	if err != nil {
		t.Errorf("%s: %v", expr, err)
	}
	return v
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %#v, want %#v", what, got, want)
	}
}

func travels[T py.Element](t *testing.T, c *py.Context, dtype string, items ...T) {
	t.Helper()
	for _, shape := range [][]int{{len(items)}, {1, len(items)}, {len(items), 1, 1}} {
		a := py.Array[T]{Shape: shape, Data: items}
		vars := py.Vars{"a": a}
		equal(t, dtype, eval[string](t, c, "a.dtype.str", vars), dtype)
		equal(t, dtype+" writable and its own", eval[bool](t, c, "a.flags.writeable and a.base is None", vars), true)
		equal(t, dtype+" back", eval[py.Array[T]](t, c, "a", vars), a)
		equal(t, dtype+" big-endian", eval[py.Array[T]](t, c, "a.astype(a.dtype.newbyteorder('>'))", vars), a)
		equal(t, dtype+" backwards twice", eval[py.Array[T]](t, c, "a[::-1][::-1]", vars), a)
		equal(t, dtype+" in Fortran's order", eval[py.Array[T]](t, c, "numpy.asfortranarray(a)", vars), a)
	}
	equal(t, dtype+" as a slice", eval[[]T](t, c, "a", py.Vars{"a": py.Array[T]{Data: items}}), items)
	equal(t, dtype+" within", eval[map[string]any](t, c, "{'a': a}", py.Vars{"a": py.Array[T]{Data: items}})["a"] != nil, true)
}

func TestArrays(t *testing.T) {
	c := worker(t, "numpy")
	travels(t, c, "|b1", true, false)
	travels[int8](t, c, "|i1", -128, 127)
	travels[int16](t, c, "<i2", -1<<15)
	travels[int32](t, c, "<i4", -1<<31, 5)
	travels[int64](t, c, "<i8", -1<<63, 1<<63-1)
	travels(t, c, "<i8", -1, 1)
	travels[uint8](t, c, "|u1", 0, 255)
	travels[uint16](t, c, "<u2", 1<<16-1)
	travels[uint32](t, c, "<u4", 1<<32-1)
	travels[uint64](t, c, "<u8", 1<<64-1)
	travels[float32](t, c, "<f4", 1.5, -0.1)
	travels(t, c, "<f8", 1e300, -0.1)
	travels[complex64](t, c, "<c8", 1+2i)
	travels(t, c, "<c16", 1e300-0.1i, 2)

	equal(t, "transposed", eval[py.Array[int]](t, c, "numpy.arange(6).reshape(2, 3).T"), py.Array[int]{Shape: []int{3, 2}, Data: []int{0, 3, 1, 4, 2, 5}})
	equal(t, "strided", eval[py.Array[int]](t, c, "numpy.arange(10)[7:2:-2]"), py.Array[int]{Shape: []int{3}, Data: []int{7, 5, 3}})
	equal(t, "rows", eval[[][]int](t, c, "numpy.arange(6).reshape(2, 3)"), [][]int{{0, 1, 2}, {3, 4, 5}})
	equal(t, "empty", eval[py.Array[float64]](t, c, "a", py.Vars{"a": py.Array[float64]{Shape: []int{0, 3}}}), py.Array[float64]{Shape: []int{0, 3}, Data: []float64{}})
	equal(t, "no dimensions", eval[py.Array[int]](t, c, "numpy.array(5)"), py.Array[int]{Shape: []int{}, Data: []int{5}})
	equal(t, "a class of numpy's own", eval[py.Array[int]](t, c, "numpy.matrix([[1, 2]])"), py.Array[int]{Shape: []int{1, 2}, Data: []int{1, 2}})
	if _, ok := eval[[]any](t, c, "numpy.array([1], 'longdouble')")[0].(*py.Object); !ok {
		t.Error("a long double is no float64")
	}
	for expr, option := range map[string]string{
		"numpy.broadcast_to(numpy.float16(0), (10**6, 10**6))": "Limits.Bytes", "numpy.broadcast_to(numpy.array(None), (10**6, 10**6))": "Limits.Bytes",
	} {
		if _, err := py.Eval[[]any](t.Context(), c, expr); !errors.Is(err, py.ErrLimit) || !strings.Contains(err.Error(), option) {
			t.Errorf("%s: %v", expr, err)
		}
	}
	equal(t, "half floats", eval[py.Array[float32]](t, c, "numpy.array([0.5, -2], dtype='f2')"), py.Array[float32]{Shape: []int{2}, Data: []float32{0.5, -2}})
	equal(t, "another dtype, exactly", eval[py.Array[float64]](t, c, "numpy.arange(3, dtype='u1')"), py.Array[float64]{Shape: []int{3}, Data: []float64{0, 1, 2}})
	for _, expr := range []string{"numpy.array([1.5])", "numpy.array([300])", "numpy.array([-1])", "numpy.array(['x'])", "numpy.array([1, None])", "[1, 2]"} {
		if v, err := py.Eval[py.Array[uint8]](ctx, c, expr); err == nil {
			t.Errorf("%s as an Array[uint8]: %v", expr, v)
		}
	}
	equal(t, "an array of Python's", eval[py.Array[int16]](t, c, "__import__('array').array('h', [1, -1])"), py.Array[int16]{Shape: []int{2}, Data: []int16{1, -1}})
	equal(t, "bytes", eval[py.Array[uint8]](t, c, "b'ab'"), py.Array[uint8]{Shape: []int{2}, Data: []uint8("ab")})
	equal(t, "a scalar", eval[float64](t, c, "numpy.float64(1.5)"), 1.5)
	equal(t, "masked", eval[[]any](t, c, "numpy.ma.array([1, 2], mask=[0, 1])"), []any{int64(1), nil})
	if _, ok := eval[any](t, c, "numpy.arange(3)").(*py.Object); !ok {
		t.Error("an array as an any is not a reference")
	}
	for _, a := range []py.Array[int]{{Shape: []int{3}, Data: []int{1}}, {Shape: []int{-1}, Data: nil}, {Shape: []int{1 << 62, 1 << 62}, Data: []int{1}}} {
		if err := c.Exec(ctx, "pass", py.Vars{"a": a}); err == nil {
			t.Errorf("a shape that does not fit: %v", a)
		}
	}
	if err := c.Register("table", func() py.Array[int] { return py.Array[int]{Shape: []int{1, 2}, Data: []int{1, 2}} }); err != nil {
		t.Fatal(err)
	}
	equal(t, "a callback's result", eval[int](t, c, "int(__import__('go').table().sum())"), 3)
	first := func(a py.Array[float64], more struct {
		B py.Array[int8] `py:"b"`
	}) (float64, error) {
		if !slices.Equal(a.Shape, []int{2, 2}) || more.B.Shape == nil {
			return 0, fmt.Errorf("got %v and %v", a, more)
		}
		return a.Data[1], nil
	}
	vars := py.Vars{"f": first}
	equal(t, "a callback's arguments", eval[float64](t, c, "f(numpy.arange(4.0).reshape(2, 2).T, b=numpy.ones(3, dtype='i8'))", vars), 2.0)
	for _, expr := range []string{"f(numpy.array(['x']))", "f('1')", "f(numpy.ones((2, 2)), b=numpy.array([300]))"} {
		if _, err := c.Eval(ctx, expr, vars); !errors.Is(err, py.Exception("TypeError")) {
			t.Errorf("%s: %v", expr, err)
		}
	}
}

func TestViews(t *testing.T) {
	c := worker(t, "numpy")
	o := eval[*py.Object](t, c, "numpy.arange(24.0).reshape(2, 3, 4)[:, ::-1, 1:]")
	defer o.Close()
	b, err := py.View[float64](ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	items, err := b.Copy()
	equal(t, "shape", b.Shape(), []int{2, 3, 3})
	equal(t, "items", items, eval[[]float64](t, c, "numpy.arange(24.0).reshape(2, 3, 4)[:, ::-1, 1:].ravel()"))
	equal(t, "one", b.At(1, 0, 2), items[len(items)/2+2])
	equal(t, "error", err, nil)
	b.Close()
	for dtype, ok := range map[string]bool{"f8": true, "<f8": true, ">f8": false, "f4": false, "i8": false, "O": false, "M8[s]": false, "U3": false, "f2": false, "c16": false, "f8,i4": false} {
		o := eval[*py.Object](t, c, "numpy.zeros(3, dtype=d)", py.Vars{"d": dtype})
		b, err := py.View[float64](ctx, o)
		if (err == nil) != ok {
			t.Errorf("%s as float64: %v", dtype, err)
		}
		if err == nil {
			b.Close()
		}
		o.Close()
	}
}

func TestLend(t *testing.T) {
	c := worker(t, "numpy")
	data := []float64{1, 2, 3, 4}
	equal(t, "sum", eval[float64](t, c, "float(numpy.asarray(v).sum())", py.Vars{"v": py.Lend(data)}), 10.0)
	equal(t, "dtype", eval[bool](t, c, "numpy.asarray(v).dtype is numpy.dtype('int64')", py.Vars{"v": py.Lend([]int{1})}), true)
	equal(t, "complex", eval[complex128](t, c, "complex(numpy.asarray(v).sum())", py.Vars{"v": py.Lend([]complex128{1i, 2})}), 2+1i)
	if err := c.Exec(ctx, "a = numpy.asarray(v); a *= 2; del a", py.Vars{"v": py.LendWritable(data)}); err != nil {
		t.Error(err)
	}
	equal(t, "written in place", data, []float64{2, 4, 6, 8})
	for _, keep := range []string{"numpy.asarray(v)", "numpy.frombuffer(v)", "numpy.frombuffer(v)[1:].reshape(3, 1)", "numpy.ndarray((4,), 'f8', v)"} {
		err := c.Exec(ctx, "kept = "+keep, py.Vars{"v": py.Lend(slices.Clone(data))})
		e, _ := err.(*py.Error)
		if e == nil || e.Type != "BufferError" || !strings.Contains(e.Message, "copy") {
			t.Errorf("%s kept: %v", keep, err)
		}
		equal(t, keep, py.Live().Lent, int64(1))
		equal(t, keep+" is still what it was", eval[float64](t, c, "float(kept.ravel()[-1])"), 8.0)
		if err := c.Exec(ctx, "del kept"); err != nil {
			t.Error(err)
		}
		equal(t, keep+" in the end", py.Live().Lent, int64(0))
	}
	if err := c.Exec(ctx, "copied = numpy.array(v)", py.Vars{"v": py.Lend(data)}); err != nil {
		t.Error(err)
	}
}

// TestTimestamps has times of pandas, which are finer than Python's: what Go's types for those cannot hold does not become one.
func TestTimestamps(t *testing.T) {
	c := worker(t, "pandas")
	want := time.Date(2024, 2, 29, 12, 0, 0, 123456000, time.UTC)
	equal(t, "microseconds", eval[time.Time](t, c, "pandas.Timestamp('2024-02-29T12:00:00.123456', tz='UTC')").UTC(), want)
	for _, expr := range []string{"pandas.Timestamp('2024-02-29T12:00:00.123456789', tz='UTC')", "pandas.NaT"} {
		if v, err := py.Eval[time.Time](ctx, c, expr); err == nil || !strings.Contains(err.Error(), "take it as *py.Object") {
			t.Errorf("%s: %v, %v", expr, v, err)
		}
	}
	ns := eval[int64](t, c, "pandas.Timestamp('2024-02-29T12:00:00.123456789', tz='UTC').value")
	equal(t, "its value", time.Unix(0, ns).UTC(), want.Add(789))
	if d, err := py.Eval[time.Duration](ctx, c, "pandas.Timedelta(5, 'ns')"); err == nil {
		t.Errorf("a Timedelta with nanoseconds: %v", d)
	}
}

// TestUvloop interrupts loops that asyncio runs and that are not made of Python code: what they run is cancelled, and cleans up.
func TestUvloop(t *testing.T) {
	c := worker(t, "uvloop")
	idle := make(chan struct{}, 2)
	if err := c.Register("idle", func() { idle <- struct{}{} }, py.Inline()); err != nil {
		t.Fatal(err)
	}
	if err := c.Exec(ctx, `
import asyncio, go
cleaned = 0
async def wait(seconds):
    global cleaned
    asyncio.get_running_loop().call_later(0.002, go.idle)
    try:
        while True:
            await asyncio.sleep(seconds)
    finally:
        cleaned += 1
async def gathered():
    await asyncio.gather(wait(100), wait(100))
def run(coroutine):
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(coroutine)
`); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		expr    string
		cleaned int
	}{{"uvloop.run(wait(100))", 1}, {"uvloop.run(wait(0.0005))", 1}, {"run(wait(100))", 1}, {"uvloop.run(gathered())", 2}} {
		before := eval[int](t, c, "cleaned")
		waiting, cancel := context.WithCancel(ctx)
		go func() {
			for range x.cleaned {
				<-idle
			}
			time.Sleep(10 * time.Millisecond) // it is about to wait
			cancel()
		}()
		if _, err := c.Eval(waiting, x.expr); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", x.expr, err)
		}
		equal(t, x.expr+" in the end", eval[int](t, c, "cleaned"), before+x.cleaned)
	}
}

// TestGevent has Go functions called in greenlets, for several callers at a time.
func TestGevent(t *testing.T) {
	c := worker(t, "gevent.pool")
	f := func(ctx context.Context, x float64) (float64, error) {
		runtime.Gosched()
		return py.Eval[float64](ctx, c, "sum([x, x])", py.Vars{"x": x})
	}
	if err := c.Exec(ctx, `
def twice(x):
    gevent.sleep(0.0005)
    y = f(x)
    gevent.sleep(0.0005)
    return y
def total():
    return sum(gevent.pool.Pool(4).map(twice, map(float, range(20))))
`, py.Vars{"f": f}); err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	for range 3 {
		callers.Go(func() {
			for range 20 {
				v, err := py.Call[float64](ctx, c, "__main__", "total")
				if err != nil || v != 380 {
					t.Errorf("%v, %v", v, err)
				}
			}
		})
	}
	callers.Wait()
}

// TestExample runs the program of examples/packages, which says what it found.
func TestExample(t *testing.T) {
	for _, name := range []string{"pandas", "orjson", "pydantic", "PIL"} {
		worker(t, name)
	}
	out, err := exec.Command("go", "run", "../../examples/packages").CombinedOutput()
	want := `pandas: map[a:3 b:3]
orjson: {"numbers":[1,2,3],"when":"2024-02-29T00:00:00"}
pydantic: {Ann 36}; Input should be a valid integer
pillow: 8x8 pixels, the first [255 0 0]
`
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestRefusals imports packages where they do not load: the error says what and why, whatever the package makes of it.
func TestRefusals(t *testing.T) {
	worker(t, "numpy")
	for _, mode := range []py.Mode{py.OwnGIL, py.Subinterp} {
		for _, module := range []string{"numpy", "pandas", "orjson", "pydantic", "PIL.Image"} {
			c, err := py.New(ctx, py.Options{Mode: mode})
			if err != nil {
				t.Skipf("skipped: %v", err)
			}
			for range 2 {
				err := c.Exec(ctx, "try:\n  import "+module+"\nexcept ImportError as e:\n  assert 'py.Worker' in str(e)\n  raise")
				if err == nil && mode == py.Subinterp {
					continue // some do
				}
				e, _ := err.(*py.Error)
				if e == nil || e.Type != "ImportError" || !strings.Contains(e.Message, "py."+map[py.Mode]string{py.OwnGIL: "OwnGIL", py.Subinterp: "Subinterp"}[mode]) ||
					!strings.Contains(e.Message, "py.Worker") || !strings.HasPrefix(e.Message, "module ") {
					t.Errorf("%s in %v: %v", module, mode, err)
				}
			}
			equal(t, "afterwards", eval[int](t, c, "1 + 1"), 2)
			c.Close()
		}
	}
}
