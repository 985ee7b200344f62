package conformance

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/pycontext/py"
)

var liveCases = []testCase{
	{"IteratorsToPython", iteratorsToPython},
	{"IteratorsStopped", iteratorsStopped},
	{"IteratorErrors", iteratorErrors},
	{"ChannelsToPython", channelsToPython},
	{"ChannelsLoseNothing", channelsLoseNothing},
	{"ChannelsThatAreReady", channelsThatAreReady},
}

func iteratorsToPython(t *testing.T, s *suite) {
	c := s.open(t)
	equal(t, "a Seq", eval[[]int](t, c, "list(it)", py.Vars{"it": slices.Values([]int{1, 2, 3})}), []int{1, 2, 3})
	equal(t, "of strings", eval[string](t, c, "', '.join(it)", py.Vars{"it": slices.Values([]string{"a", "b"})}), "a, b")
	equal(t, "a Seq2", eval[[][]any](t, c, "list(it)", py.Vars{"it": slices.All([]string{"a", "b"})}), [][]any{{int64(0), "a"}, {int64(1), "b"}})
	equal(t, "a map's", eval[map[string]int](t, c, "dict(it)", py.Vars{"it": maps.All(map[string]int{"x": 1, "y": 2})}), map[string]int{"x": 1, "y": 2})
	equal(t, "empty", eval[int](t, c, "len(list(it))", py.Vars{"it": slices.Values([]int(nil))}), 0)
	equal(t, "nil", eval[bool](t, c, "it is None", py.Vars{"it": iter.Seq[int](nil)}), true)
	equal(t, "a func of that shape", eval[int](t, c, "sum(it)", py.Vars{"it": func(yield func(any) bool) { _ = yield(1) && yield(2) }}), 3)
	equal(t, "in a struct", eval[int](t, c, "sum(s['Items'])", py.Vars{"s": struct{ Items iter.Seq[int] }{slices.Values([]int{4, 5})}}), 9)
	equal(t, "of funcs", eval[int](t, c, "sum(f() for f in it)", py.Vars{"it": slices.Values([]func() int{func() int { return 1 }, func() int { return 2 }})}), 3)
	equal(t, "it is an iterator", eval[bool](t, c, "iter(it) is it and next(it) == 7 and next(it, 'end') == 'end' and next(it, 'end') == 'end'",
		py.Vars{"it": slices.Values([]int{7})}), true)
	run(t, c, "import itertools\ndef first(it, n): return list(itertools.islice(it, n))\ndef keep(it): global kept; kept = it")
	endless := func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	}
	equal(t, "an endless one", call[[]int](t, c, "__main__", "first", endless, 3), []int{0, 1, 2})
	call[any](t, c, "__main__", "keep", endless)
	for i := range 3 {
		equal(t, "kept for later", eval[int](t, c, "next(kept)"), i)
	}
	run(t, c, "del kept")
	// The iterator uses the same context, and another Go iterator.
	ctx := limit(t)
	squares := func(yield func(int, error) bool) {
		for n, err := range py.StreamEval[int](ctx, c, "map(f, it)", py.Vars{"f": func(n int) int { return n * n }, "it": slices.Values([]int{1, 2, 3})}) {
			if !yield(n, err) {
				return
			}
		}
	}
	equal(t, "through Python and back", eval[int](t, c, "sum(it)", py.Vars{"it": iter.Seq2[int, error](squares)}), 14)
	register(t, c, "lines", func(n int) iter.Seq[string] {
		return func(yield func(string) bool) {
			for i := range n {
				if !yield(fmt.Sprint("line ", i)) {
					return
				}
			}
		}
	})
	equal(t, "a callback's result", eval[[]string](t, c, "list(__import__('go').lines(2))"), []string{"line 0", "line 1"})
	sum := 0
	for i := range 20000 {
		sum += i
	}
	equal(t, "many", eval[int](t, c, "sum(first(it, 20000))", py.Vars{"it": endless}), sum)
	run(t, c, "class Odd:\n  def __eq__(self, other): raise ValueError('compared')")
	odd := eval[*py.Object](t, c, "Odd()")
	equal(t, "items that cannot be compared", eval[int](t, c, "len(list(it))", py.Vars{"it": slices.Values([]*py.Object{odd, odd})}), 2)
	noFunctions(t, "iterators")
}

func iteratorsStopped(t *testing.T, s *suite) {
	c := s.open(t)
	stopped := make(chan int, 100)
	seq := func(yield func(int) bool) {
		i := 0
		defer func() { stopped <- i }()
		for ; yield(i); i++ {
		}
	}
	run(t, c, "def take(it, n):\n  for x in it:\n    n -= 1\n    if not n: break\ndef loop(it): l = [it, next(it)]; l.append(l)")
	call[any](t, c, "__main__", "take", seq, 5)
	equal(t, "left", <-stopped, 4)
	call[any](t, c, "__main__", "loop", seq)
	call[any](t, c, "gc", "collect")
	equal(t, "in a cycle", <-stopped, 0)
	call[any](t, c, "builtins", "callable", seq)
	d := s.open(t)
	run(t, d, "def keep(it): global kept; kept = it; return next(it)")
	call[any](t, d, "__main__", "keep", seq)
	d.Close()
	equal(t, "a closed context", <-stopped, 0)
	noFunctions(t, "stopped")
	equal(t, "one that never began", len(stopped), 0)
}

func iteratorErrors(t *testing.T, s *suite) {
	c := s.open(t)
	own := errors.New("mine")
	fails := func(yield func(int, error) bool) { _ = yield(1, nil) && yield(0, own) && yield(3, nil) }
	_, err := c.Eval(limit(t), "list(it)", py.Vars{"it": fails})
	is(t, "an error", err, own)
	run(t, c, "def patient(it):\n  seen = []\n  while True:\n    try: seen.append(next(it))\n    except StopIteration: return seen\n    except Exception as e: seen.append(str(e))")
	equal(t, "caught", call[[]any](t, c, "__main__", "patient", fails), []any{int64(1), "mine", int64(3)})
	_, stop := c.Eval(limit(t), "next(iter(()))")
	equal(t, "a StopIteration that is an error", call[[]any](t, c, "__main__", "patient", func(yield func(int, error) bool) { yield(0, stop) }), []any{""})
	_, err = c.Eval(limit(t), "list(it)", py.Vars{"it": func(yield func(int) bool) { yield(1); panic(own) }})
	var p *py.PanicError
	if !errors.As(err, &p) || !errors.Is(err, own) {
		t.Errorf("a panic: %v", err)
	}
	raises(t, "a panic", err, "RuntimeError")
	_, err = c.Eval(limit(t), "list(it)", py.Vars{"it": func(yield func(int) bool) { yield(1); runtime.Goexit() }})
	raises(t, "Goexit", err, "RuntimeError")
	_, err = c.Eval(limit(t), "list(it)", py.Vars{"it": slices.Values([]any{1, uintptr(2)})})
	contains(t, "an item that does not travel", raises(t, "an item", err, "TypeError").Message, "uintptr")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	release := make(chan struct{})
	_, err = c.Eval(ctx, "next(it)", py.Vars{"it": func(yield func(int) bool) { <-release; yield(1) }})
	is(t, "a deadline", err, context.DeadlineExceeded)
	works(t, c)
	close(release)
	noFunctions(t, "errors")
}

func channelsToPython(t *testing.T, s *suite) {
	c := s.open(t)
	filled := func(n int) chan int {
		ch := make(chan int, n)
		for i := range n {
			ch <- i
		}
		close(ch)
		return ch
	}
	equal(t, "a channel", eval[[]int](t, c, "list(ch)", py.Vars{"ch": filled(3)}), []int{0, 1, 2})
	equal(t, "receive only", eval[int](t, c, "sum(ch)", py.Vars{"ch": (<-chan int)(filled(100))}), 4950)
	equal(t, "nil", eval[bool](t, c, "ch is None", py.Vars{"ch": (chan int)(nil)}), true)
	ch := make(chan map[string]int)
	go func() {
		for i := range 5 {
			ch <- map[string]int{"n": i}
		}
		close(ch)
	}()
	equal(t, "as it comes", eval[int](t, c, "sum(m['n'] for m in ch)", py.Vars{"ch": ch}), 10)
	register(t, c, "numbers", func() <-chan int { return filled(4) })
	equal(t, "a callback's result", eval[int](t, c, "sum(__import__('go').numbers())"), 6)
	// Several Python threads share one.
	run(t, c, `
from concurrent.futures import ThreadPoolExecutor
def share(ch):
    with ThreadPoolExecutor(4) as pool:
        return sorted(sum(pool.map(lambda _: list(ch), range(4)), []))
`)
	equal(t, "shared by threads", call[[]int](t, c, "__main__", "share", filled(500)), slices.Collect(func(yield func(int) bool) {
		for i := range 500 {
			if !yield(i) {
				return
			}
		}
	}))
	// While it waits, others are served.
	slow := make(chan int)
	done := make(chan int)
	go func() { done <- must(py.Eval[int](limit(t), c, "sum(ch)", py.Vars{"ch": slow})) }()
	slow <- 1
	works(t, c)
	slow <- 2
	close(slow)
	equal(t, "afterwards", <-done, 3)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	_, err := c.Eval(ctx, "next(ch)", py.Vars{"ch": make(chan int)})
	is(t, "a deadline", err, context.DeadlineExceeded)
	works(t, c)
	noFunctions(t, "channels")
}

// channelsLoseNothing interrupts a loop over a channel again and again: every item is seen once.
func channelsLoseNothing(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "seen = []\ndef keep(ch): global kept; kept = ch\ndef loop():\n  for x in kept: seen.append(x)")
	ch := make(chan int)
	call[any](t, c, "__main__", "keep", ch)
	const n = 2000
	go func() {
		for i := range n {
			ch <- i
		}
		close(ch)
	}()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(100+time.Now().Nanosecond()%400)*time.Microsecond)
		_, err := c.Call(ctx, "__main__", "loop")
		cancel()
		if err == nil {
			break
		}
		works(t, c)
	}
	seen := eval[[]int](t, c, "seen")
	lost := n - len(seen)
	slices.Sort(seen)
	if seen = slices.Compact(seen); len(seen) != n-lost {
		t.Errorf("items came twice")
	}
	// Python's own loop may be struck between the item and the append; Go's side never loses one.
	if lost > n/100 {
		t.Errorf("%d of %d items are lost", lost, n)
	}
	run(t, c, "del kept")
	noFunctions(t, "interrupted")
}

// asking is an item whose way to Python goes through Python, on another goroutine.
type asking struct{ c *py.Context }

func (a asking) MarshalPython() (any, error) {
	type result struct {
		v   any
		err error
	}
	done := make(chan result)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		v, err := a.c.Eval(ctx, "6 * 7")
		done <- result{v, err}
	}()
	r := <-done
	return r.v, r.err
}

// channelsThatAreReady has items that are there when Python asks, which are received on its own thread.
func channelsThatAreReady(t *testing.T, s *suite) {
	c := s.open(t)
	items := make(chan asking, 3)
	for range 3 {
		items <- asking{c}
	}
	close(items)
	equal(t, "items that ask Python", eval[[]int](t, c, "list(ch)", py.Vars{"ch": items}), []int{42, 42, 42})
	bad := make(chan string, 3)
	bad <- "a"
	bad <- "\xff"
	bad <- "b"
	close(bad)
	run(t, c, "def tolerant(ch):\n  seen = []\n  while True:\n    try: seen.append(next(ch))\n    except StopIteration: return seen\n    except TypeError: seen.append('?')")
	equal(t, "an item that does not travel", call[[]string](t, c, "__main__", "tolerant", bad), []string{"a", "?", "b"})
	// No more is taken than Python asked for.
	ch := make(chan int, 10)
	for i := range 10 {
		ch <- i
	}
	equal(t, "three of ten", eval[py.Tuple](t, c, "next(ch), next(ch), next(ch)", py.Vars{"ch": ch}), py.Tuple{int64(0), int64(1), int64(2)})
	equal(t, "are left", len(ch), 7)
	// A loop that is always ready can be stopped, and loses nothing by it.
	run(t, c, "seen = []\ndef loop(ch):\n  for x in ch: seen.append(x)")
	stop, sent := make(chan struct{}), make(chan int)
	go func() {
		for i := 0; ; i++ {
			select {
			case ch <- i:
			case <-stop:
				sent <- i
				return
			}
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err := c.Call(ctx, "__main__", "loop", ch)
	is(t, "a deadline", err, context.DeadlineExceeded)
	works(t, c)
	close(stop)
	// Python may be struck between an item and the append.
	if n, seen := 7+<-sent, eval[int](t, c, "len(seen)"); n-len(ch)-seen > 1 {
		t.Errorf("of %d items, %d are left and %d were seen", n, len(ch), seen)
	}
	noFunctions(t, "channels that are ready")
}
