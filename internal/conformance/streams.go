package conformance

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pycontext/py"
)

var streamCases = []testCase{
	{"Case77Streams", streams},
	{"Case77Million", streamMillion},
	{"Case77Closes", streamCloses},
	{"Case77Exceptions", streamExceptions},
	{"Case78SlowConsumer", streamSlowConsumer},
	{"StreamSlowGenerator", streamSlowGenerator},
	{"StreamCancel", streamCancel},
	{"StreamCancelInGo", streamCancelInGo},
	{"StreamClosedContext", streamClosedContext},
	{"StreamReentry", streamReentry},
	{"StreamLargeItems", streamLargeItems},
	{"StreamManyGoroutines", streamManyGoroutines},
}

const streamSource = `
import time
trace = []
def count(n):
    trace.append('begin')
    try:
        for i in range(n):
            yield i
    finally:
        trace.append('end')
def failing(n):
    yield from count(n)
    raise ValueError('after ' + str(n))
`

// collectAll is the items and the error that a stream ends with.
func collectAll[T any](seq iter.Seq2[T, error]) (items []T, err error) {
	for item, e := range seq {
		if e != nil {
			if err != nil {
				return items, fmt.Errorf("a second error: %w", e)
			}
			err = e
			continue
		}
		items = append(items, item)
	}
	return items, err
}

func streamOf[T any](t testing.TB, r py.Runner, expr string, vars ...py.Vars) []T {
	t.Helper()
	items, err := collectAll(py.StreamEval[T](limit(t), r, expr, vars...))
	if err != nil {
		t.Fatalf("stream of %s: %+v", expr, err)
	}
	return items
}

func streams(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: streamSource})
	ctx := limit(t)
	items, err := collectAll(py.Stream[int](ctx, c, "__main__", "count", 5))
	equal(t, "a generator", items, []int{0, 1, 2, 3, 4})
	is(t, "a generator", err, nil)
	equal(t, "through", takeTrace(t, c), []string{"begin", "end"})
	items, err = collectAll(py.Stream[int](ctx, c, "builtins", "range", 1, 10, py.Kw{}))
	equal(t, "a range", items, []int{1, 2, 3, 4, 5, 6, 7, 8, 9})
	is(t, "a range", err, nil)
	for _, empty := range []string{"[]", "()", "''", "{}", "range(0)", "count(0)", "iter([])", "(x for x in ())"} {
		equal(t, empty, len(streamOf[any](t, c, empty)), 0)
	}
	takeTrace(t, c)
	equal(t, "a list", streamOf[string](t, c, "['a', 'b']"), []string{"a", "b"})
	equal(t, "a str", streamOf[string](t, c, "'äb'"), []string{"ä", "b"})
	equal(t, "a dict", streamOf[any](t, c, "{1: 2, 'x': 3}"), []any{int64(1), "x"})
	equal(t, "pairs", streamOf[py.Tuple](t, c, "enumerate('ab', n)", py.Vars{"n": 1}), []py.Tuple{{int64(1), "a"}, {int64(2), "b"}})
	equal(t, "any", streamOf[any](t, c, "[1, None, [2.5], b'x', (1,), {'a': 1}]"),
		[]any{int64(1), nil, []any{2.5}, []byte("x"), py.Tuple{int64(1)}, map[string]any{"a": int64(1)}})
	type point struct{ X, Y int }
	equal(t, "structs", streamOf[point](t, c, "__import__('itertools').starmap(__import__('collections').namedtuple('P', 'X Y'), [(1, 2), (3, 4)])"),
		[]point{{1, 2}, {3, 4}})
	objects := streamOf[*py.Object](t, c, "[1, [], object]")
	equal(t, "objects", must(py.Decode[int](ctx, objects[0])), 1)
	equal(t, "funcs", must(streamOf[func(string) (int, error)](t, c, "[int, len]")[1]("abc")), 3)
	env := s.env(t, c)
	run(t, env, "mine = [7]")
	equal(t, "an env", streamOf[int](t, env, "mine"), []int{7})
	o := eval[*py.Object](t, c, "[1, 2]")
	for range 2 {
		items, err = collectAll(py.StreamObject[int](ctx, o))
		equal(t, "an object", items, []int{1, 2})
		is(t, "an object", err, nil)
	}
	seq := py.StreamEval[int](ctx, c, "count(2)")
	for range 2 {
		items, _ = collectAll(seq)
		equal(t, "each range is a call", items, []int{0, 1})
	}
	next, stop := iter.Pull2(py.StreamEval[int](ctx, c, "count(1000)"))
	for i := range 300 {
		n, err, ok := next()
		equal(t, "pulled", []any{n, err, ok}, []any{i, error(nil), true})
	}
	takeTrace(t, c)
	stop()
	equal(t, "stopped", takeTrace(t, c), []string{"end"})
	objects = nil
	eventually(t, "nothing is kept", func() bool { runtime.GC(); works(t, c); return py.Live().References <= 3 })
}

func streamMillion(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: streamSource})
	run(t, c, "import os\ndef rows(n):\n  for i in range(n): yield {'id': i, 'name': 'x' * 50}")
	const n = 1000000
	var before, most int
	sum, seen := 0, 0
	for i, err := range py.Stream[int](limit(t), c, "__main__", "count", n) {
		if err != nil {
			t.Fatal(err)
		}
		sum, seen = sum+i, seen+1
		if seen%50000 == 0 {
			now := Measure().Memory
			if before == 0 {
				before = now
			}
			most = max(most, now)
		}
	}
	equal(t, "items", []int{seen, sum}, []int{n, n * (n - 1) / 2})
	if most > before+50<<20 {
		t.Errorf("memory grew from %d to %d", before, most)
	}
	type row struct {
		ID   int    `py:"id"`
		Name string `py:"name"`
	}
	seen, before = 0, 0
	for r, err := range py.Stream[row](limit(t), c, "__main__", "rows", n/10) {
		if err != nil || r.ID != seen || len(r.Name) != 50 {
			t.Fatal(r, err)
		}
		seen++
	}
	equal(t, "rows", seen, n/10)
}

func streamExceptions(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: streamSource})
	ctx := limit(t)
	for _, n := range []int{0, 1, 2, 100, 5000} {
		items, err := collectAll(py.Stream[int](ctx, c, "__main__", "failing", n))
		equal(t, "items before it", len(items), n)
		contains(t, "the exception", raises(t, "the exception", err, "ValueError").Message, fmt.Sprint("after ", n))
	}
	_, err := collectAll(py.Stream[int](ctx, c, "nowhere", "f"))
	raises(t, "no module", err, "ModuleNotFoundError")
	_, err = collectAll(py.StreamEval[int](ctx, c, "5"))
	raises(t, "not iterable", err, "TypeError")
	_, err = collectAll(py.StreamEval[int](ctx, c, "[x for"))
	raises(t, "source", err, "SyntaxError")
	_, err = collectAll(py.Stream[int](ctx, c, "builtins", "iter", make(chan<- int)))
	var bad *py.ConversionError
	if !errors.As(err, &bad) || bad.Place != "args[0]" {
		t.Errorf("an argument that does not travel: %v", err)
	}
	_, err = collectAll(py.StreamObject[int](ctx, nil))
	is(t, "no object", err, py.ErrClosed)
	_, err = collectAll(py.Stream[int](ctx, nil, "builtins", "range", 3))
	is(t, "no runner", err, py.ErrClosed)
	takeTrace(t, c)
	for expr, place := range map[string]string{
		"(i if i < 40 else 'x' for i in count(100))":          "items[40]",
		"([i] if i == 40 else i for i in count(100))":         "items[40]",
		"('\\ud800' if i == 3 else i for i in count(100))":    "items[3]",
		"([0, '\\ud800'] if i == 3 else i for i in count(9))": "items[3][1]",
	} {
		items, err := collectAll(py.StreamEval[int](ctx, c, expr))
		if !errors.As(err, &bad) || bad.Place != place || !strings.Contains(place, fmt.Sprint(len(items))) {
			t.Errorf("%s: got %d items and %v", expr, len(items), err)
		}
		equal(t, "it is closed", takeTrace(t, c), []string{"begin", "end"})
	}
	own := errors.New("mine")
	items, err := collectAll(py.StreamEval[int](ctx, c, "map(f, range(10))", py.Vars{"f": func(n int) (int, error) {
		if n == 4 {
			return 0, own
		}
		return n, nil
	}}))
	equal(t, "before a Go error", items, []int{0, 1, 2, 3})
	is(t, "a Go error", err, own)
	items, err = collectAll(py.StreamEval[int](ctx, c, "map(f, range(10))", py.Vars{"f": func(n int) int { return 1 / (5 - n) }}))
	equal(t, "before a panic", len(items), 5)
	var p *py.PanicError
	if !errors.As(err, &p) {
		t.Errorf("a panic: %v", err)
	}
	run(t, c, "class W:\n  pass\ndef objects():\n  while True: yield W()")
	for range py.StreamEval[map[string]any](ctx, c, "objects()") {
	}
	eventually(t, "nothing is left behind", func() bool { works(t, c); return py.Live().References == 0 })
	noFunctions(t, "streams")
}

func streamSlowConsumer(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: streamSource})
	run(t, c, "made = 0\ndef endless():\n  global made\n  while True:\n    made += 1\n    yield made")
	seen := 0
	for _, err := range py.StreamEval[int](limit(t), c, "endless()") {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; seen%1500 == 0 {
			time.Sleep(10 * time.Millisecond)
			if made := eval[int](t, c, "made"); made > seen+1024 {
				t.Fatalf("%d items were made, %d are used", made, seen)
			}
		}
		if seen == 20000 {
			break
		}
	}
}

// streamSlowGenerator has items come in bursts, and none of them wait for the next burst.
func streamSlowGenerator(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: streamSource})
	run(t, c, "def bursts(n, size, pause):\n  for _ in range(n):\n    for _ in range(size): yield time.time()\n    time.sleep(pause)")
	for _, size := range []int{1, 3, 8} {
		within(t, fmt.Sprintf("an item of a burst of %d", size), 50*time.Millisecond, func() (late time.Duration) {
			for made, err := range py.Stream[float64](limit(t), c, "__main__", "bursts", 4, size, 0.1) {
				if err != nil {
					t.Fatal(err)
				}
				late = max(late, time.Since(time.UnixMicro(int64(made*1e6))))
			}
			return late
		})
	}
	// Quick at first, and then one at a time.
	within(t, "an item after many quick ones", 50*time.Millisecond, func() (late time.Duration) {
		seen := 0
		for made, err := range py.StreamEval[float64](limit(t), c, "(time.time() for i in range(20005) if i < 20000 or time.sleep(0.06) is None)") {
			if err != nil {
				t.Fatal(err)
			}
			if seen++; seen > 20001 {
				late = max(late, time.Since(time.UnixMicro(int64(made*1e6))))
			}
		}
		equal(t, "items", seen, 20005)
		return late
	})
}

func streamReentry(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: streamSource})
	ctx := limit(t)
	sum := 0
	for i, err := range py.Stream[int](ctx, c, "__main__", "count", 100) {
		is(t, "outer", err, nil)
		for j, err := range py.StreamEval[int](ctx, c, "range(n)", py.Vars{"n": i}) {
			is(t, "inner", err, nil)
			sum += j
		}
		sum += eval[int](t, c, "1")
	}
	equal(t, "nested loops", sum, 161700+100)
	takeTrace(t, c)
	// Within a chain, from a goroutine of its own, with the generator calling Go too.
	register(t, c, "double", func(n int) int { return 2 * n })
	register(t, c, "total", func(ctx context.Context, n int) (int, error) {
		result := make(chan int)
		go func() {
			sum := 0
			for i, err := range py.StreamEval[int](ctx, c, "(go.double(i) for i in count(n))", py.Vars{"n": n}) {
				if err != nil {
					t.Error(err)
				}
				sum += i
			}
			result <- sum
		}()
		return <-result, nil
	})
	register(t, c, "first", func(ctx context.Context) (int, error) {
		for i, err := range py.Stream[int](ctx, c, "__main__", "count", 100) {
			return i, err
		}
		return 0, errors.New("no item")
	})
	run(t, c, "import go, threading")
	equal(t, "in a chain", eval[int](t, c, "go.total(100)"), 9900)
	takeTrace(t, c)
	equal(t, "left in a chain", eval[py.Tuple](t, c, "go.first(), trace[-1]"), py.Tuple{int64(0), "end"})
	run(t, c, "def threaded():\n  box = []\n  t = threading.Thread(target=lambda: box.append(go.total(50)))\n  t.start(); t.join()\n  return box[0]")
	equal(t, "in a chain of a Python thread", eval[int](t, c, "threaded()"), 2450)
	// The generator calls Go, which asks for its next item.
	var g *py.Object
	register(t, c, "again", func(ctx context.Context) error {
		for _, err := range py.StreamObject[int](ctx, g) {
			return err
		}
		return nil
	})
	run(t, c, "def biting():\n  yield go.again()\nb = biting()")
	g = eval[*py.Object](t, c, "b")
	_, err := collectAll(py.StreamObject[int](ctx, g))
	raises(t, "a generator within itself", err, "ValueError")
	works(t, c)
}

func streamLargeItems(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: streamSource})
	before := Measure().Memory
	n := 0
	for b, err := range py.StreamEval[[]byte](limit(t), c, "(bytes(1 << 20) for _ in range(500))") {
		if err != nil || len(b) != 1<<20 {
			t.Fatal(len(b), err)
		}
		n++
	}
	equal(t, "items", n, 500)
	if after := Measure().Memory; after > before+150<<20 {
		t.Errorf("memory grew from %d to %d", before, after)
	}
	equal(t, "floats", slices.Max(streamOf[float64](t, c, "map(float, range(5000))")), math.Nextafter(4999, 4999))
}

func streamManyGoroutines(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: streamSource})
	const many = 20
	done := make(chan int, many)
	for g := range many {
		go func() {
			sum := 0
			for i, err := range py.Stream[int](limit(t), c, "__main__", "count", 3000) {
				if err != nil {
					t.Error(err)
				}
				if sum += i; g%2 == 1 && i == 1000 {
					break
				}
			}
			done <- sum
		}()
	}
	total := 0
	for range many {
		total += <-done
	}
	equal(t, "sums", total, many/2*(2999*3000/2+1000*1001/2))
	equal(t, "every one is closed", eval[int](t, c, "trace.count('end')"), many)
}
