package conformance

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/pycontext/py"
)

var fileCases = []testCase{
	{"ReadersToPython", readersToPython},
	{"WritersToPython", writersToPython},
	{"FilesClosed", filesClosed},
	{"FilesToGo", filesToGo},
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
