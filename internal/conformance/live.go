package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
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
	{"ReadersToPython", readersToPython},
	{"WritersToPython", writersToPython},
	{"FilesClosed", filesClosed},
	{"FilesToGo", filesToGo},
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

func readersToPython(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import csv, io, json, gzip, zipfile, pickle")
	text := strings.Repeat("a,b\nc,\"d e\"\n", 5000)
	equal(t, "read", eval[int](t, c, "len(f.read())", py.Vars{"f": strings.NewReader(text)}), len(text))
	equal(t, "lines", eval[[]string](t, c, "[line.decode() for line in f]", py.Vars{"f": strings.NewReader("x\ny\n\nz")}), []string{"x\n", "y\n", "\n", "z"})
	equal(t, "csv", eval[[][]string](t, c, "list(csv.reader(io.TextIOWrapper(f)))", py.Vars{"f": strings.NewReader(text)})[1], []string{"c", "d e"})
	equal(t, "json", eval[map[string]int](t, c, "json.load(f)", py.Vars{"f": strings.NewReader(`{"a": 1}`)}), map[string]int{"a": 1})
	equal(t, "parts", eval[[]string](t, c, "[f.read(2).decode(), f.read1(1).decode(), f.readline().decode(), f.peek(1)[:1].decode()]",
		py.Vars{"f": strings.NewReader("abcdef\nghi")}), []string{"ab", "c", "def\n", "g"})
	equal(t, "the end", eval[[]string](t, c, "[f.read().decode(), f.read().decode(), f.readline().decode()]", py.Vars{"f": strings.NewReader("x")}), []string{"x", "", ""})
	equal(t, "an iotest reader", eval[int](t, c, "len(f.read())", py.Vars{"f": &oneByte{strings.NewReader("hello")}}), 5)
	equal(t, "seek", eval[string](t, c, "(f.seek(-3, 2), f.tell(), f.read().decode(), f.seek(0), f.read(1).decode()).__repr__()",
		py.Vars{"f": strings.NewReader("0123456789")}), "(7, 7, '789', 0, '0')")
	equal(t, "what it can", eval[py.Tuple](t, c, "f.readable(), f.writable(), f.seekable(), isinstance(f, io.BufferedReader)", py.Vars{"f": &oneByte{strings.NewReader("")}}),
		py.Tuple{true, false, false, true})
	equal(t, "nil", eval[bool](t, c, "f is None", py.Vars{"f": (*bytes.Buffer)(nil)}), true)
	equal(t, "a field", eval[string](t, c, "r['Body'].read().decode()", py.Vars{"r": struct{ Body io.Reader }{strings.NewReader("b")}}), "b")
	equal(t, "a field of its own type", eval[string](t, c, "r['Body'].read().decode()", py.Vars{"r": struct{ Body *strings.Reader }{strings.NewReader("c")}}), "c")
	register(t, c, "body", func() io.Reader { return strings.NewReader("from go") })
	equal(t, "a callback's result", eval[string](t, c, "__import__('go').body().read().decode()"), "from go")
	own := errors.New("mine")
	_, err := c.Eval(limit(t), "f.read()", py.Vars{"f": io.MultiReader(strings.NewReader("x"), &failing{own})})
	is(t, "an error", err, own)
	_, err = c.Eval(limit(t), "f.write(b'x')", py.Vars{"f": strings.NewReader("")})
	raises(t, "not a writer", err, "OSError")
	_, err = c.Eval(limit(t), "f.seek(0)", py.Vars{"f": &oneByte{strings.NewReader("")}})
	raises(t, "not a seeker", err, "OSError")
	_, err = c.Eval(limit(t), "f.read()", py.Vars{"f": &lazy{}})
	is(t, "no progress", err, io.ErrNoProgress)
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	sum := 0
	for _, b := range large {
		sum += int(b)
	}
	equal(t, "a large one", eval[int](t, c, "sum(f.read())", py.Vars{"f": bytes.NewReader(large)}), sum)
	noFunctions(t, "readers")
}

type oneByte struct{ r io.Reader }

func (o *oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

type failing struct{ err error }

func (f *failing) Read(p []byte) (int, error)  { return 0, f.err }
func (f *failing) Write(p []byte) (int, error) { return 0, f.err }

type lazy struct{}

func (*lazy) Read(p []byte) (int, error) { return 0, nil }

func writersToPython(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import csv, io, json, gzip, zipfile")
	var out strings.Builder
	equal(t, "write", eval[int](t, c, "f.write(b'hello ') + f.write(bytearray(b'you')) + f.write(memoryview(b'!'))", py.Vars{"f": &out}), 10)
	equal(t, "at once", out.String(), "hello you!")
	out.Reset()
	run(t, c, "t = io.TextIOWrapper(f, write_through=True)\nprint('ä', 1, file=t)\ncsv.writer(t).writerow(['a', 'b c', 1])\njson.dump({'k': [1]}, t)\nt.flush()\nt.detach()\ndel f, t", py.Vars{"f": &out})
	equal(t, "text", out.String(), "ä 1\na,b c,1\r\n{\"k\": [1]}")
	var zipped bytes.Buffer
	run(t, c, "with gzip.open(f, 'wb') as z: z.write(b'x' * 1000)\ndel f, z", py.Vars{"f": &zipped})
	equal(t, "gzip", eval[int](t, c, "len(gzip.open(f).read())", py.Vars{"f": bytes.NewReader(zipped.Bytes())}), 1000)
	var buffered bytes.Buffer
	w := bufio.NewWriter(&buffered)
	run(t, c, "f.write(b'x')", py.Vars{"f": w})
	equal(t, "in Go's buffer", buffered.Len(), 0)
	run(t, c, "f.flush()\ndel f", py.Vars{"f": w})
	equal(t, "flushed", buffered.String(), "x")
	own := errors.New("mine")
	_, err := c.Eval(limit(t), "f.write(b'x')", py.Vars{"f": struct{ io.Writer }{&failing{own}}})
	is(t, "an error", err, own)
	_, err = c.Eval(limit(t), "f.write('x')", py.Vars{"f": &out})
	raises(t, "text", err, "TypeError")
	_, err = c.Eval(limit(t), "f.read()", py.Vars{"f": &out})
	raises(t, "not a reader", err, "OSError")
	// Both ways.
	var both bytes.Buffer
	both.WriteString("in")
	equal(t, "a buffer", eval[string](t, c, "(f.read(2), f.write(b'out'), f.read()).__repr__()", py.Vars{"f": &both}), "(b'in', 3, b'out')")
	here, there := net.Pipe()
	go func() {
		line, _ := bufio.NewReader(there).ReadString('\n')
		io.WriteString(there, "you said "+line)
	}()
	equal(t, "a connection", eval[string](t, c, "f.write(b'hi\\n') and f.readline().decode()", py.Vars{"f": here}), "you said hi\n")
	here.Close()
	there.Close()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	equal(t, "a file", eval[string](t, c, "(f.write(b'0123456789'), f.seek(3), f.read(2), f.write(b'xy'), f.tell(), f.read(), f.seek(0), f.read()).__repr__()", py.Vars{"f": file}),
		"(10, 3, b'34', 2, 7, b'789', 0, b'01234xy789')")
	run(t, c, "with zipfile.ZipFile(f, 'a') as z: z.writestr('name', 'content')\ndel f, z", py.Vars{"f": file})
	file.Seek(0, io.SeekStart)
	equal(t, "a zip file", eval[string](t, c, "zipfile.ZipFile(f).read('name').decode()", py.Vars{"f": file}), "content")
	noFunctions(t, "writers")
}

type closer struct {
	io.Reader
	closed int
	err    error
}

func (c *closer) Close() error { c.closed++; return c.err }

func filesClosed(t *testing.T, s *suite) {
	c := s.open(t)
	f := &closer{Reader: strings.NewReader("abc")}
	equal(t, "dropped", eval[string](t, c, "f.read().decode()", py.Vars{"f": f}), "abc")
	noFunctions(t, "dropped")
	equal(t, "is not closed", f.closed, 0)
	run(t, c, "with f: pass\nf.close()\nassert f.closed\ndel f", py.Vars{"f": f})
	equal(t, "closed once", f.closed, 1)
	f = &closer{Reader: strings.NewReader("abc"), err: errors.New("mine")}
	_, err := c.Eval(limit(t), "f.close()", py.Vars{"f": f})
	is(t, "an error of Close", err, f.err)
	_, err = c.Eval(limit(t), "[f.close() for _ in '1'] and f.read()", py.Vars{"f": strings.NewReader("")})
	raises(t, "read after close", err, "ValueError")
	var out strings.Builder
	_, err = c.Eval(limit(t), "[f.close() for _ in '1'] and f.write(b'')", py.Vars{"f": &out})
	raises(t, "write after close", err, "ValueError")
	noFunctions(t, "closed")
}

func filesToGo(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import io, tempfile, os")
	data := strings.Repeat("zeile äöü\n", 3000)
	r := eval[io.Reader](t, c, "io.BytesIO(d)", py.Vars{"d": []byte(data)})
	equal(t, "BytesIO", string(must(io.ReadAll(r))), data)
	r = eval[io.Reader](t, c, "io.StringIO(d)", py.Vars{"d": data})
	equal(t, "StringIO gives UTF-8", string(must(io.ReadAll(r))), data)
	path := filepath.Join(t.TempDir(), "f.csv")
	os.WriteFile(path, []byte("a,b\nc,d\n"), 0o600)
	for _, mode := range []string{"r", "rb"} {
		f := call[io.ReadCloser](t, c, "builtins", "open", path, mode)
		equal(t, "a csv file, "+mode, must(csv.NewReader(f).ReadAll()), [][]string{{"a", "b"}, {"c", "d"}})
		is(t, "Close", f.Close(), nil)
		_, err := f.Read(make([]byte, 1))
		is(t, "after Close", err, py.ErrClosed)
	}
	raw := call[io.ReadSeekCloser](t, c, "builtins", "open", path, "rb", 0)
	equal(t, "skipped", must(io.CopyN(io.Discard, raw, 2)), int64(2))
	equal(t, "Seek", must(raw.Seek(0, io.SeekCurrent)), int64(2))
	equal(t, "the rest", string(must(io.ReadAll(raw))), "b\nc,d\n")
	is(t, "Close", raw.Close(), nil)
	for _, mode := range []string{"w", "wb"} {
		w := call[io.WriteCloser](t, c, "builtins", "open", path, mode, py.Kw{"encoding": map[string]any{"w": "utf-8", "wb": nil}[mode]})
		for i := range len(data) { // every character in pieces
			if _, err := w.Write([]byte{data[i]}); err != nil {
				t.Fatal(err)
			}
		}
		is(t, "Close", w.Close(), nil)
		equal(t, "written, "+mode, string(must(os.ReadFile(path))), data)
	}
	buf := eval[io.ReadWriter](t, c, "io.BytesIO()")
	equal(t, "write", must(io.WriteString(buf, "hello")), 5)
	equal(t, "at the end", len(must(io.ReadAll(buf))), 0)
	equal(t, "the same object again", eval[string](t, c, "f.getvalue().decode()", py.Vars{"f": buf}), "hello")
	equal(t, "None", eval[io.Reader](t, c, "None") == nil, true)
	equal(t, "in a struct", string(must(io.ReadAll(eval[struct{ F io.Reader }](t, c, "{'F': io.BytesIO(b'x')}").F))), "x")
	equal(t, "a Go reader that comes back", string(must(io.ReadAll(eval[io.Reader](t, c, "f", py.Vars{"f": strings.NewReader("there and back")})))), "there and back")
	_, err := io.ReadAll(eval[io.Reader](t, c, "object()"))
	raises(t, "no file", err, "AttributeError")
	_, err = py.Eval[io.Reader](limit(t), c, "b'bytes'")
	contains(t, "bytes", fmt.Sprint(err), "expected a file object")
	_, err = eval[io.Writer](t, c, "io.StringIO()").Write([]byte("\xff"))
	if err == nil {
		t.Error("text that is not UTF-8 was written")
	}
	for returned, says := range map[string]string{"None": "write() of a Python file returned None", "-1": "short write", "0": "short write"} {
		odd := eval[io.Writer](t, c, "type('Odd', (), {'write': lambda self, b: "+returned+"})()")
		n, err := odd.Write([]byte("abc"))
		equal(t, "written by a write that returns "+returned, n, 0)
		contains(t, "a write that returns "+returned, fmt.Sprint(err), says)
	}
	_, err = eval[io.Reader](t, c, "type('Odd', (), {'read': lambda self, n: None})()").Read(make([]byte, 1))
	contains(t, "a read that returns None", fmt.Sprint(err), "read() of a Python file returned None")
	// As a parameter, also from a thread that the context's own waits for.
	var mu sync.Mutex
	total := 0
	register(t, c, "count", func(f io.Reader) (int, error) {
		n, err := io.Copy(io.Discard, f)
		mu.Lock()
		defer mu.Unlock()
		total += int(n)
		return int(n), err
	})
	run(t, c, "import go, threading\nt = threading.Thread(target=lambda: go.count(io.BytesIO(b'x' * 100)))\nt.start(); t.join()")
	equal(t, "a parameter", eval[int](t, c, "go.count(io.StringIO('ä'))")+total, 2+2+100)
	r = nil
	buf = nil
	eventually(t, "files are released", func() bool { runtime.GC(); works(t, c); return py.Live().References == 0 })
	noFunctions(t, "files")
}
