package py

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/pycontext/py/internal/wire"
)

// callArgs are the arguments of a call from Python.
type callArgs struct {
	pos []any
	kw  []any // names and values, in turn
}

func args(pos ...any) callArgs { return callArgs{pos: pos} }

func (a callArgs) with(kw ...any) callArgs { return callArgs{a.pos, kw} }

func (a callArgs) encode(t testing.TB) []byte {
	t.Helper()
	var e wire.Encoder
	e.Uvarint(uint64(len(a.pos)))
	for _, v := range a.pos {
		if err := e.Value(v); err != nil {
			t.Fatal(err)
		}
	}
	e.Uvarint(uint64(len(a.kw) / 2))
	for i := 0; i < len(a.kw); i += 2 {
		e.Raw(a.kw[i].(string))
		if err := e.Value(a.kw[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	return e.Buf
}

// callFunc registers fn as go.f, calls it, and returns the result, or the exception
// as "Kind: message".
func callFunc(t testing.TB, fn any, a callArgs) any {
	t.Helper()
	f, err := newGoFunc("f", fn)
	if err != nil {
		t.Fatal(err)
	}
	d := wire.Decoder{Buf: a.encode(t)}
	e := wire.Encoder{Buf: []byte("before")}
	if err := f.call(func() context.Context { return t.Context() }, &d, &e); err != nil {
		t.Fatalf("%T: %v", fn, err)
	}
	if len(d.Buf) != 0 {
		t.Errorf("%T: %d bytes of the arguments are left", fn, len(d.Buf))
	}
	return readAnswer(t, e.Buf)
}

func readAnswer(t testing.TB, b []byte) any {
	t.Helper()
	d := wire.Decoder{Buf: b[len("before"):]}
	if status, _ := d.Byte(); wire.Answer(status) == wire.AnswerOK {
		v, err := d.Any()
		if err != nil || len(d.Buf) != 0 {
			t.Fatal(err, d.Buf)
		}
		return v
	}
	kind, _ := d.Text()
	message, _ := d.Text()
	d.Uint64() // the Go error
	if itself, err := d.Uint64(); itself != 0 || err != nil || len(d.Buf) != 0 {
		t.Fatal(itself, err, d.Buf)
	}
	return kind + ": " + message
}

type options struct {
	Scale float64 `py:"scale"`
	Name  string
}

func TestGoFunc(t *testing.T) {
	type nested struct{ Items []any }
	add := func(a, b int) int { return a + b }
	ctxUpper := func(ctx context.Context, s string) (string, error) { return strings.ToUpper(s), ctx.Err() }
	opts := func(n int, o options) string { return fmt.Sprint(n, o) }
	optsPtr := func(o *options) string { return fmt.Sprint(*o) }
	kw := func(a int, kw Kw) int { return a + len(kw) }
	sum := func(first string, rest ...float64) any { return append([]any{first, len(rest)}, fmt.Sprint(rest)) }
	noKeywords := func(name string) string {
		return "TypeError: go.f() takes no keyword arguments, and '" + name + "' was given: pass it by its position, or let the Go " +
			"function end in a py.Kw or a struct"
	}
	for _, c := range []struct {
		fn   any
		args callArgs
		want any
	}{
		{func() {}, args(), nil},
		{func() error { return nil }, args(), nil},
		{func(context.Context) {}, args(), nil},
		{func(i int) int { return -i }, args(5), int64(-5)},
		{func(i int64) int64 { return -i }, args(5), int64(-5)},
		{func(f float64) float64 { return f / 2 }, args(5), 2.5},
		{func(s string) string { return s + s }, args("x"), "xx"},
		{func(s string) (string, error) { return s, nil }, args("x"), "x"},
		{func(v any) any { return v }, args([]any{1, nil}), []any{int64(1), nil}},
		{func(v any) (any, error) { return nil, io.EOF }, args(1), "EOFError: EOF"},
		{func(ctx context.Context, v any) any { return ctx != nil }, args(nil), true},
		{func(a, b float64) float64 { return a - b }, args(1.5, 1), 0.5},
		{func(ctx context.Context, a, b int) (int, error) { return a * b, ctx.Err() }, args(3, 4), int64(12)},
		{add, args(1, 2), int64(3)}, {ctxUpper, args("a"), "A"},
		{add, args(1), "TypeError: go.f() missing 1 required positional argument"},
		{add, args(), "TypeError: go.f() missing 2 required positional arguments"},
		{add, args(1, 2, 3), "TypeError: go.f() takes 2 positional arguments but 3 were given"},
		{func() {}, args(1), "TypeError: go.f() takes 0 positional arguments but 1 was given"},
		{ctxUpper, args("a", "b"), "TypeError: go.f() takes 1 positional argument but 2 were given"},
		{add, args("x", 2), "TypeError: go.f() argument 1: expected int, got str; take it as string in Go, or int() it in Python"},
		{add, args(1, 2.5), "TypeError: go.f() argument 2: expected int, got float; take it as float64 in Go, or int() or round() it in Python"},
		{add, args(1, 2).with("c", 3), noKeywords("c")},
		{add, args(1).with("b", 2), noKeywords("b")},
		{add, args().with("a", 1, "b", 2), noKeywords("a")},
		{add, args(1, 2, 3).with("a", []any{1}), noKeywords("a")},
		{func() {}, args().with("a", 1), noKeywords("a")},
		{func([]int8, bool) {}, args([]any{1, 300}, true), "TypeError: go.f() argument 1[1]: 300 does not fit int8; use int64"},
		{func([]int8, bool) {}, args([]any{1}, 1), "TypeError: go.f() argument 2: expected bool, got int; take it as int in Go, or bool() it in Python"},
		{func(_ *big.Int, m map[string][]int) int { return len(m["a"]) }, args(1, map[string]any{"a": []any{1, 2}}), int64(2)},
		{func(context.Context, int, uint8) (n []string) { return }, args(1, 2), []any{}},
		{sum, args("s"), []any{"s", int64(0), "[]"}}, {sum, args("s", 1, 2.5), []any{"s", int64(2), "[1 2.5]"}},
		{sum, args(), "TypeError: go.f() missing 1 required positional argument"},
		{sum, args("s", 1, "x", 2), "TypeError: go.f() argument 3: expected float, got str; take it as string in Go, or float() it in Python"},
		{sum, args("s").with("x", 1), noKeywords("x")},
		{sum, args().with("first", "s"), noKeywords("first")},
		{func(ctx context.Context, v ...any) int { return len(v) }, args(1, 2, 3), int64(3)},
		{kw, args(1), int64(1)}, {kw, args(1).with("x", 1, "y", nil), int64(3)},
		{kw, args(1, 2), "TypeError: go.f() takes 1 positional argument but 2 were given"},
		{opts, args(1), "1 {0 }"}, {opts, args(1).with("scale", 2, "Name", "n"), "1 {2 n}"},
		{opts, args(1, map[string]any{"scale": 3.5}), "1 {3.5 }"},
		{opts, args(1, 2), "TypeError: go.f() argument 2: expected dict, got int; take it as int in Go"},
		{opts, args(1, map[string]any{}).with("scale", 1), "TypeError: go.f() takes a dict as argument 2 or keyword arguments, not both"},
		{opts, args(1, 2, 3), "TypeError: go.f() takes from 1 to 2 positional arguments but 3 were given"},
		{opts, args(1).with("size", 2, "scale", 1), "TypeError: go.f() got an unexpected keyword argument 'size'"},
		{opts, args(1).with("scale", "big", "Name", "n"), "TypeError: go.f() argument 'scale': expected float, got str; take it as string in Go, or float() it in Python"},
		{optsPtr, args(), "{0 }"}, {optsPtr, args().with("Name", "n"), "{0 n}"}, {optsPtr, args(map[string]any{"Name": "n"}), "{0 n}"},
		{func(o *options) bool { return o == nil }, args(nil), true},
		{func() nested { return nested{[]any{1, uintptr(2)}} }, args(), "TypeError: go.f() result.Items[1]: a Go uintptr has no Python counterpart; use uint64"},
		{func() string { return "\xff" }, args(), `TypeError: go.f() result: a Python str is text, and this string is not valid UTF-8: "\xff"; use []byte for bytes`},
		{func() (int, error) { return 1, errors.New("bad \xff") }, args(), ": bad \uFFFD"},
		{func() (int, error) { return 7, nil }, args(), int64(7)},
		{func(int) { panic("boom") }, args(1), `RuntimeError: panic in Go function "f": boom`},
		//lint:ignore SA4000 the panic is what is tested
		{func(a int) int { return 1 / (a - a) }, args(1), `RuntimeError: panic in Go function "f": runtime error: integer divide by zero`},
		{func() error { return (*nilError)(nil) }, args(), `RuntimeError: panic in Go function "f": runtime error: invalid memory address or nil pointer dereference`},
	} {
		if got := callFunc(t, c.fn, c.args); fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", c.want) {
			t.Errorf("%T%v: got %#v, want %#v", c.fn, c.args, got, c.want)
		}
	}
}

// nilError panics when it is nil.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

type kindError struct{}

func (kindError) Error() string      { return "own" }
func (kindError) pythonKind() string { return "KeyError" }

func TestGoFuncErrors(t *testing.T) {
	var kept []error
	old := keepError
	keepError = func(err error) uint64 { kept = append(kept, err); return 42 }
	defer func() { keepError = old }()
	wrap := func(err error) error { return fmt.Errorf("wrapped: %w", err) }
	for _, c := range []struct {
		err  error
		kind string
	}{
		{wrap(context.DeadlineExceeded), "TimeoutError"}, {os.ErrDeadlineExceeded, "TimeoutError"}, {context.Canceled, ""},
		{wrap(fs.ErrNotExist), "FileNotFoundError"}, {fs.ErrPermission, "PermissionError"}, {fs.ErrExist, "FileExistsError"},
		{wrap(io.EOF), "EOFError"}, {io.ErrUnexpectedEOF, ""}, {wrap(kindError{}), "KeyError"}, {wrap(wire.ErrMalformed), ""},
	} {
		kept = nil
		got := callFunc(t, func() error { return c.err }, args())
		if got != c.kind+": "+c.err.Error() || len(kept) != 1 || kept[0] != c.err {
			t.Errorf("got %v, kept %v, want %s of %v", got, kept, c.kind, c.err)
		}
	}
	kept = nil
	callFunc(t, func(int) {}, args("x"))
	if kept != nil {
		t.Errorf("kept %v for a wrong argument", kept)
	}
	callFunc(t, func() { panic(io.ErrNoProgress) }, args())
	var p *PanicError
	if len(kept) != 1 || !errors.As(kept[0], &p) || !errors.Is(p, io.ErrNoProgress) || !strings.Contains(string(p.Stack), "TestGoFuncErrors") {
		t.Errorf("kept %v", kept)
	}
}

func TestGoFuncGoexit(t *testing.T) {
	f, _ := newGoFunc("f", func() { runtime.Goexit() })
	e := wire.Encoder{Buf: []byte("before")}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.call(nil, &wire.Decoder{Buf: args().encode(t)}, &e)
		t.Error("Goexit is undone")
	}()
	<-done
	if got := readAnswer(t, e.Buf); got != `RuntimeError: Go function "f" ended its goroutine with runtime.Goexit` {
		t.Error(got)
	}
}

// TestGoFuncContext checks that a context is made only for functions that take one,
// and only once their arguments fit.
func TestGoFuncContext(t *testing.T) {
	for _, c := range []struct {
		fn   any
		args callArgs
		want int
	}{
		{func(int) int { return 0 }, args(1), 0},
		{func(context.Context, int) int { return 0 }, args(1), 1},
		{func(context.Context, int) int { return 0 }, args("x"), 0},
		{func(context.Context, int8) {}, args(1), 1},
		{func(context.Context, int8) {}, args(1000), 0},
	} {
		f, err := newGoFunc("f", c.fn)
		if err != nil {
			t.Fatal(err)
		}
		made := 0
		ctx := func() context.Context { made++; return t.Context() }
		if err := f.call(ctx, &wire.Decoder{Buf: c.args.encode(t)}, &wire.Encoder{}); err != nil || made != c.want {
			t.Errorf("%T: %v, %d contexts", c.fn, err, made)
		}
	}
}

func TestNewGoFuncErrors(t *testing.T) {
	for _, c := range []struct {
		fn   any
		want string
	}{
		{nil, "expected a function, such as func(n int) (string, error), got nil"},
		{5, "got int"},
		{(func())(nil), "got a nil func()"},
		{func() (int, int, error) { return 0, 0, nil }, "at most two results"},
		{func() (int, int) { return 0, 0 }, "second result to be of type error, got func() (int, int)"},
		{func() (error, error) { return nil, nil }, "not error"},
		{func(int, context.Context) {}, "context.Context as the first parameter"},
		{func(...context.Context) {}, "context.Context as the first parameter"},
		{func(Kw, int) {}, "py.Kw as the last parameter"},
		{func(...Kw) {}, "py.Kw as the last parameter"},
		{func(chan int) {}, "parameters that Python can give, not chan int"},
		{func() chan<- int { return nil }, "a result that Python can have, not chan<- int"},
		{func(Memory) {}, "parameters that Python can give, not py.Memory"},
		{func() (Memory, error) { return Lend([]byte{1}), nil }, "a result that Python can have, not py.Memory"},
	} {
		_, err := newGoFunc("f", c.fn)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), `py: cannot register "f": `) {
			t.Errorf("%T: got %v, want %s", c.fn, err, c.want)
		}
	}
}

// TestGoFuncMalformed cuts arguments short: no answer, no panic.
func TestGoFuncMalformed(t *testing.T) {
	whole := args(1, "two").with("scale", 2.5).encode(t)
	for _, fn := range []any{func(int, string, options) {}, func(int, string, Kw) {}, func(int) int { return 0 }, func(...any) {}, func(a, b int) int { return 0 }} {
		f, err := newGoFunc("f", fn)
		if err != nil {
			t.Fatal(err)
		}
		for n := range whole {
			var e wire.Encoder
			err := f.call(t.Context, &wire.Decoder{Buf: slices.Clip(whole[:n])}, &e)
			if !errors.Is(err, wire.ErrMalformed) || len(e.Buf) != 0 {
				t.Errorf("%T: %d of %d bytes: %v, answer %q", fn, n, len(whole), err, e.Buf)
			}
		}
	}
}

func benchFunc(b *testing.B, fn any, a callArgs) {
	f, err := newGoFunc("f", fn)
	if err != nil {
		b.Fatal(err)
	}
	buf := a.encode(b)
	var d wire.Decoder
	var e wire.Encoder
	ctx := func() context.Context { return context.Background() }
	b.ReportAllocs()
	for b.Loop() {
		d.Buf = buf
		e.Reset(e.Buf[:0])
		if err := f.call(ctx, &d, &e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGoFunc(b *testing.B) {
	b.Run("none", func(b *testing.B) { benchFunc(b, func() {}, args()) })
	b.Run("int", func(b *testing.B) { benchFunc(b, func(i int) int { return i + 1 }, args(1)) })
	b.Run("float2", func(b *testing.B) { benchFunc(b, func(x, y float64) float64 { return x + y }, args(1.5, 2.5)) })
	b.Run("string", func(b *testing.B) { benchFunc(b, func(s string) (string, error) { return s, nil }, args("hello")) })
	b.Run("any", func(b *testing.B) { benchFunc(b, func(v any) any { return v }, args(1.5)) })
	b.Run("reflect2", func(b *testing.B) {
		benchFunc(b, func(s string, n int) (int, error) { return len(s) + n, nil }, args("hello", 3))
	})
	b.Run("reflectKw", func(b *testing.B) {
		benchFunc(b, func(n int, o options) float64 { return o.Scale }, args(1).with("scale", 2.5))
	})
}
