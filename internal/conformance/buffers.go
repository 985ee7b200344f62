package conformance

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/pycontext/py"
)

var bufferCases = []testCase{
	{"LendFormats", lendFormats},
	{"LendInPlace", lendInPlace},
	{"LendIsOverWithTheCall", lendIsOver},
	{"LendKept", lendKept},
	{"LendNeverDangles", lendNeverDangles},
	{"LendFailures", lendFailures},
	{"LendNested", lendNested},
	{"LendAttached", lendAttached},
	{"LendClosed", lendClosed},
	{"LendThreads", lendThreads},
	{"ViewKinds", viewKinds},
	{"ViewStrides", viewStrides},
	{"ViewMisfits", viewMisfits},
	{"ViewWrites", viewWrites},
	{"ViewLife", viewLife},
	{"ViewCloseRace", viewCloseRace},
	{"Arrays", arrays},
}

func lendFormats(t *testing.T, s *suite) {
	c := s.open(t)
	type celsius float32
	for _, e := range []struct {
		memory py.Memory
		size   int
		items  []any
	}{
		{py.Lend([]byte{0, 255}), 1, []any{int64(0), int64(255)}},
		{py.Lend([]int8{-128, 127}), 1, []any{int64(-128), int64(127)}},
		{py.Lend([]int16{-1 << 15, 1}), 2, []any{int64(-1 << 15), int64(1)}},
		{py.Lend([]uint16{1<<16 - 1}), 2, []any{int64(1<<16 - 1)}},
		{py.Lend([]int32{-1 << 31}), 4, []any{int64(-1 << 31)}},
		{py.Lend([]uint32{1<<32 - 1}), 4, []any{int64(1<<32 - 1)}},
		{py.Lend([]int64{-1 << 63}), 8, []any{int64(-1 << 63)}},
		{py.Lend([]uint64{1 << 62}), 8, []any{int64(1 << 62)}},
		{py.Lend([]int{-5, 5}), 8, []any{int64(-5), int64(5)}},
		{py.Lend([]uint{5}), 8, []any{int64(5)}},
		{py.Lend([]celsius{1.5}), 4, []any{1.5}},
		{py.Lend([]float64{-0.5, 1e300}), 8, []any{-0.5, 1e300}},
		{py.Lend([]time.Duration{1}), 8, []any{int64(1)}},
		{py.Lend([]float64{}), 8, []any{}},
		{py.Lend([]int32(nil)), 4, []any{}},
	} {
		vars := py.Vars{"v": e.memory}
		equal(t, e.memory.String(), eval[[]any](t, c, "v.tolist()", vars), e.items)
		equal(t, "about "+e.memory.String(), eval[py.Tuple](t, c, "(type(v).__name__, v.itemsize, v.shape, v.ndim, v.readonly, v.nbytes)", vars),
			py.Tuple{"memoryview", int64(e.size), py.Tuple{int64(len(e.items))}, int64(1), true, int64(e.size * len(e.items))})
	}
	for _, m := range []py.Memory{py.Lend([]complex64{1 + 2i}), py.Lend([]complex128{1 + 2i})} {
		want := map[int64]string{8: "Zf", 16: "Zd"}
		size := eval[int64](t, c, "v.itemsize", py.Vars{"v": m})
		equal(t, "complex", eval[string](t, c, "v.format", py.Vars{"v": m}), want[size])
		equal(t, "complex parts", eval[[]float64](t, c, "list(v.cast('B').cast('f' if v.itemsize == 8 else 'd'))", py.Vars{"v": m}), []float64{1, 2})
	}
}

func lendInPlace(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
def fill(v, n):
    for i in range(len(v)):
        v[i] = n + i
    return len(v)
def total(parts):
    return sum(sum(p) for p in parts['in'])
`)
	data := make([]int32, 1000)
	equal(t, "filled", call[int](t, c, "__main__", "fill", py.LendWritable(data), 7), 1000)
	equal(t, "written in place", data[999], int32(1006))
	_, err := c.Call(limit(t), "__main__", "fill", py.Lend(data), 0)
	raises(t, "writing to a read-only view", err, "TypeError")
	equal(t, "untouched", data[0], int32(7))
	equal(t, "in containers", call[int](t, c, "__main__", "total", map[string][]py.Memory{"in": {py.Lend(data[:2]), py.Lend([]byte{1})}}), 7+8+1)
	equal(t, "keyword", call[int](t, c, "builtins", "sum", py.Lend(data[:2]), py.Kw{"start": 1}), 16)
	equal(t, "as bytes", call[[]byte](t, c, "builtins", "bytes", py.Lend([]byte("abc"))), []byte("abc"))
	equal(t, "itself as a result", eval[[]byte](t, c, "v", py.Vars{"v": py.Lend([]byte("abc"))}), []byte("abc"))
	equal(t, "a part of it as a result", eval[[]int](t, c, "v[1::2]", py.Vars{"v": py.Lend([]int{1, 2, 3, 4})}), []int{2, 4})
	equal(t, "hashlib", eval[string](t, c, "__import__('hashlib').md5(v).hexdigest()", py.Vars{"v": py.Lend(make([]byte, 1<<20))}),
		"b6d81b360a5672d80c27430f39153e2c")
	equal(t, "ctypes", eval[int](t, c, "__import__('ctypes').c_int32.from_buffer(v).value", py.Vars{"v": py.LendWritable(data[5:6])}), 12)
	equal(t, "exporter", eval[string](t, c, "type(v.obj).__module__ + '.' + type(v.obj).__name__", py.Vars{"v": py.Lend(data)}), "go.Memory")
	_, err = c.Eval(limit(t), "type(v.obj)()", py.Vars{"v": py.Lend(data)})
	raises(t, "making one in Python", err, "TypeError")
}

// kept are ways to keep what was lent.
const kept = `
import gc
from array import array
class Box: pass
store = Box()
def keep(v): store.v = v
def keep_part(v): store.v = v[1:]
def keep_obj(v): store.v = v.obj
def keep_cycle(v):
    box = Box()
    box.me, box.v = box, v[:]
def keep_and_raise(v):
    store.v = v[1:]
    raise KeyError('own error')
def part(v): return v[1:]
def parts(v): return [store, v[1:], store]
def frame(v):
    w = v[:]
    try:
        1 / 0
    except ZeroDivisionError as e:
        store.e = e
def use(): return store.v[0]
def drop(): vars(store).clear()
`

func lendIsOver(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: kept})
	data := []int{1, 2, 3}
	if _, err := c.Call(limit(t), "__main__", "keep", py.Lend(data)); err != nil {
		t.Fatal("keeping the view itself: ", err)
	}
	_, err := c.Call(limit(t), "__main__", "use")
	contains(t, "using a kept view", raises(t, "using a kept view", err, "ValueError").Message, "released")
	call[any](t, c, "__main__", "keep_cycle", py.Lend(data)) // only garbage: collected
	equal(t, "nothing lent", py.Live().Lent, int64(0))
	o := eval[*py.Object](t, c, "v", py.Vars{"v": py.Lend(data)})
	defer o.Close()
	_, err = o.CallMethod(limit(t), "tolist")
	raises(t, "the view as an object", err, "ValueError")
}

func lendKept(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: kept})
	for _, function := range []string{"keep_part", "keep_obj", "frame"} {
		data := []int{1, 2, 3}
		_, err := c.Call(limit(t), "__main__", function, py.Lend(data))
		contains(t, function, raises(t, function, err, "BufferError").Message, "bytes(view)", "copy()")
		equal(t, function+": lent", py.Live().Lent, int64(1))
		call[any](t, c, "__main__", "drop")
		call[any](t, c, "gc", "collect")
		equal(t, function+": lent afterwards", py.Live().Lent, int64(0))
	}
	_, err := c.Call(limit(t), "__main__", "keep_and_raise", py.Lend([]int{1, 2}))
	raises(t, "an error of its own comes first", err, "KeyError")
	equal(t, "lent by what raised", py.Live().Lent, int64(1))
	call[any](t, c, "__main__", "drop")
	refs := py.Live().References
	_, err = py.Call[*py.Object](limit(t), c, "__main__", "part", py.Lend([]int{1, 2}))
	raises(t, "a part as an object", err, "BufferError")
	_, err = c.Call(limit(t), "__main__", "parts", py.Lend([]int{1, 2}))
	raises(t, "a part within the result", err, "BufferError")
	equal(t, "references of results that were taken back", py.Live().References, refs)
	equal(t, "lent in the end", py.Live().Lent, int64(0))
	works(t, c)
}

func lendNeverDangles(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: kept})
	func() {
		data := bytes.Repeat([]byte{42}, 1<<20)
		_, err := c.Call(limit(t), "__main__", "keep_part", py.Lend(data))
		raises(t, "kept", err, "BufferError")
	}()
	for range 5 { // the slice is garbage to Go, and would be used again
		runtime.GC()
		_ = bytes.Repeat([]byte{13}, 1<<20)
	}
	equal(t, "what was kept", eval[bool](t, c, "set(store.v) == {42}"), true)
	call[any](t, c, "__main__", "drop")
	equal(t, "lent", py.Live().Lent, int64(0))
}

func lendFailures(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: kept})
	memory := py.Lend([]int{1, 2, 3})
	_, err := c.Call(limit(t), "__main__", "use", memory, uintptr(1))
	var conversion *py.ConversionError
	if !errors.As(err, &conversion) {
		t.Errorf("an argument that cannot travel beside it: %v", err)
	}
	_, err = c.Call(limit(t), "__main__", "use", memory, map[any]any{1: memory, 1.0: memory})
	raises(t, "decoding fails half way", err, "ValueError")
	_, err = c.Call(limit(t), "__main__", "missing", memory)
	raises(t, "no such function", err, "AttributeError")
	_, err = c.Call(limit(t), "__main__", "keep", py.Memory{})
	if !errors.As(err, &conversion) {
		t.Errorf("a Memory that lends nothing: %v", err)
	}
	if _, err := py.Call[py.Memory](limit(t), c, "builtins", "bytes", 1); err == nil {
		t.Error("a result as a py.Memory: no error")
	}
	register(t, c, "lender", func() any { return memory })
	_, err = c.Eval(limit(t), "__import__('go').lender()")
	contains(t, "lending as an answer", raises(t, "lending as an answer", err, "TypeError").Message, "copy")

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err = c.Eval(ctx, "[v for _ in iter(int, 1)]", py.Vars{"v": memory})
	is(t, "interrupted", err, context.DeadlineExceeded)
	inside, release, blocked := make(chan struct{}), make(chan struct{}), make(chan error)
	register(t, c, "wait", func() { close(inside); <-release }, py.Inline())
	go func() { blocked <- c.Exec(context.Background(), "__import__('go').wait()") }()
	<-inside
	ctx, cancel = context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = c.Call(ctx, "__main__", "keep", memory)
	is(t, "never run", err, context.DeadlineExceeded)
	close(release)
	if err := <-blocked; err != nil {
		t.Error(err)
	}
	works(t, c)
	eventually(t, "nothing lent", func() bool { return py.Live().Lent == 0 })
}

func lendNested(t *testing.T, s *suite) {
	c := s.open(t)
	var inner []int
	register(t, c, "step", func(ctx context.Context, n int) (int, error) {
		if n == 0 {
			return 0, nil
		}
		data := []int{n, n}
		sum, err := py.Call[int](ctx, c, "__main__", "down", py.LendWritable(data), n)
		inner = append(inner, data[0])
		return sum, err
	})
	run(t, c, `
import go
def down(v, n):
    below = go.step(n - 1)
    v[0] += 100
    return below + sum(v)
`)
	equal(t, "nested", call[int](t, c, "__main__", "down", py.LendWritable([]int{0, 0}), 20), 2*(19*20/2)+20*100)
	slices.Sort(inner)
	equal(t, "written", inner[18], 119)
	equal(t, "lent", py.Live().Lent, int64(0))
}

func lendAttached(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: kept})
	data := []int{1, 2, 3}
	err := c.Attach(limit(t), func(a *py.Attached) error {
		sum, _ := a.Global("sum")
		use, _ := a.Global("use")
		for range 1000 {
			if n, err := py.CallRef[int](sum, py.Lend(data)); err != nil || n != 6 {
				t.Errorf("CallRef: %v, %v", n, err)
			}
		}
		equal(t, "lent to calls that are over", py.Live().Lent, int64(0))
		view, err := a.New(py.Lend(data))
		if err != nil {
			return err
		}
		if n, err := py.CallRef[int](sum, keepRef(t, view)); err != nil || n != 6 {
			t.Errorf("with a view: %v, %v", n, err)
		}
		equal(t, "lent with a Ref", py.Live().Lent, int64(1))
		view.Release()
		equal(t, "lent with a Ref that is released", py.Live().Lent, int64(0))
		keep, _ := a.Global("keep")
		if _, err := keep.Call(py.Lend(data)); err != nil {
			return err
		}
		if n, err := py.CallRef[int](use); err != nil || n != 1 {
			t.Errorf("within the function: %v, %v", n, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	_, err = c.Call(limit(t), "__main__", "use")
	raises(t, "after Attach", err, "ValueError")
	own := errors.New("own")
	err = c.Attach(limit(t), func(a *py.Attached) error {
		keep, _ := a.Global("keep_part")
		_, err := py.CallRef[any](keep, py.Lend(data))
		raises(t, "kept beyond CallRef", err, "BufferError")
		if _, err = keep.Call(py.Lend(data)); err != nil {
			t.Error(err)
		}
		return own
	})
	raises(t, "kept beyond Attach", err, "BufferError")
	is(t, "the error of the function", err, own)
	call[any](t, c, "__main__", "drop")
	equal(t, "lent", py.Live().Lent, int64(0))
}

func lendClosed(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: kept})
	_, err := c.Call(limit(t), "__main__", "keep_part", py.Lend([]int{1, 2}))
	raises(t, "kept", err, "BufferError")
	c.Close()
	eventually(t, "what a closed context kept is let go", func() bool { return py.Live().Lent == 0 })
}

func lendThreads(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
import threading, go
def work(v, results):
    results.append(sum(v))
def in_threads(v):
    results = []
    threads = [threading.Thread(target=work, args=(v[i:], results)) for i in range(8)]
    for t in threads: t.start()
    for t in threads: t.join()
    return results
def left_behind(v):
    go_on = threading.Event()
    def stay(w):
        go_on.wait()
        global seen
        seen = sum(w)
    global thread, let
    thread, let = threading.Thread(target=stay, args=(v[:],)), go_on.set
    thread.start()
def end():
    let()
    thread.join()
    return seen
`)
	equal(t, "in threads", len(call[[]int](t, c, "__main__", "in_threads", py.Lend(make([]int, 100)))), 8)
	_, err := c.Call(limit(t), "__main__", "left_behind", py.Lend([]int{1, 2, 3}))
	raises(t, "a thread goes on with a part", err, "BufferError")
	runtime.GC()
	equal(t, "what it sees", call[int](t, c, "__main__", "end"), 6)
	equal(t, "lent", py.Live().Lent, int64(0))
}

// keepRef is an object as an argument within Attach.
func keepRef(t testing.TB, r py.Ref) *py.Object {
	o, err := r.Keep()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}
