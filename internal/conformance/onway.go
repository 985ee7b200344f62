package conformance

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pycontext/py"
)

// onWayCases are about what a value names while it is on its way, when it does not arrive.
var onWayCases = []testCase{
	{"LargeBytesPassedOver", largeBytesPassedOver},
	{"ReferencesOfFailedCalls", referencesOfFailedCalls},
	{"CallsOfWhatIsGone", callsOfWhatIsGone},
	{"GoCodeThatDoesNotReturn", goCodeThatDoesNotReturn},
	{"FinalizersAtTheEnd", finalizersAtTheEnd},
	{"ThreadsAfterTheEnd", threadsAfterTheEnd},
	{"ForeignBytesOfLateRequests", foreignBytesOfLateRequests},
}

func init() { hostileCases = append(hostileCases, onWayCases...) }

func noReferences(t testing.TB, what string, c *py.Context) {
	t.Helper()
	for began := time.Now(); py.Live().References > 0; time.Sleep(time.Millisecond) {
		if time.Since(began) > 5*time.Second {
			t.Fatalf("%s: %d references are left", what, py.Live().References)
		}
		runtime.GC()
		run(t, c, "1")
	}
}

// largeBytesPassedOver: bytes and texts that a result or an argument refers to by address are in a part of a value that nobody takes.
func largeBytesPassedOver(t *testing.T, s *suite) {
	largePassedOver(t, s, "bytes(1 << 17)")
	largePassedOver(t, s, "'é' * (1 << 17)")
}

func largePassedOver(t *testing.T, s *suite, big string) {
	c := s.open(t)
	run(t, c, "import go\nbig = "+big+"\nclass X: pass")
	found := eval[any](t, c, "{'a': big, 'k' * (1 << 17): 3, 1: 2}")
	if m, ok := found.(map[any]any); !ok || reflect.ValueOf(m["a"]).Len() < 1<<17 || m[int64(1)] != int64(2) {
		t.Errorf("a dict with keys of two types: %T", found)
	}
	_, err := py.Eval[[]string](limit(t), c, "[big, X(), 1]")
	var bad *py.ConversionError
	if !errors.As(err, &bad) {
		t.Errorf("an object as a string: %v", err)
	}
	noReferences(t, "a result of another type", c)
	struck(t, "a result that nobody waits for", func(ctx context.Context) error {
		_, err := py.Eval[any](ctx, c, "v(), (big, X(), [big, X()])[1:] * 0 or (big, X(), [big, X()])", py.Vars{"v": func(ctx context.Context) {
			<-ctx.Done()
		}})
		return err
	})
	run(t, c, `
def late():
    try:
        go.wait()
    except BaseException:
        pass
    return big, X(), [big, X()]
`)
	register(t, c, "wait", func(ctx context.Context) { <-ctx.Done() })
	struck(t, "a late result", func(ctx context.Context) error {
		_, err := py.Call[any](ctx, c, "__main__", "late")
		return err
	})
	noReferences(t, "a late result", c)
	register(t, c, "f", func(n int, o *py.Object, rest ...any) {})
	for _, args := range []string{"big, X()", "(big, 1), X()", "X(), big, X()", "(big, X()), X(), big, X()"} {
		_, err := c.Eval(limit(t), "go.f("+args+")")
		raises(t, "f("+args+")", err, "TypeError")
		noReferences(t, args, c)
	}
}

// referencesOfFailedCalls: a call of a Go function fails for one of its arguments when others have been written.
func referencesOfFailedCalls(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import go\nclass X: pass")
	register(t, c, "f", func(args []any, kw py.Kw) {}, py.Inline())
	register(t, c, "g", func(args ...any) {})
	for _, call := range []string{
		"go.g(X(), '\\ud800')", "go.g([X(), X()], X(), ['\\ud800'])", "go.f([X()], a=X(), b='\\ud800')", "go.f([X()], **{'\\ud800': 1})",
	} {
		if _, err := c.Eval(limit(t), call); err == nil {
			t.Errorf("%s: no error", call)
		}
		noReferences(t, call, c)
	}
}

// callsOfWhatIsGone: a function is taken back after Python found it, and before Go is asked to run it.
func callsOfWhatIsGone(t *testing.T, s *suite) {
	c := s.open(t)
	type money struct{ N int }
	if err := py.RegisterConverter[money](limit(t), c, "__main__", "Money", py.Converter{To: "lambda m: {}"}); err == nil {
		t.Error("a class that does not exist")
	}
	run(t, c, "import go\nclass X: pass\nclass Money: pass\nx = X()\ndef to(m):\n    go.forget()\n    return {'N': 1}")
	if err := py.RegisterConverter[money](limit(t), c, "__main__", "Money", py.Converter{To: "to"}); err != nil {
		t.Fatal(err)
	}
	register(t, c, "forget", func() { c.Unregister("f") })
	for _, options := range [][]py.FuncOption{nil, {py.Inline()}} {
		register(t, c, "f", func(args []any, kw py.Kw) {}, options...)
		_, err := c.Eval(limit(t), "go.f([x, x], x, Money(), k=[x])")
		raises(t, "a call of what is gone", err, "AttributeError")
		noReferences(t, "a call of what is gone", c)
	}
}

// A stopping value panics, or ends its goroutine, where it is written or read.
type stopping struct {
	how string
	V   int
}

func stop(how string) {
	switch how {
	case "panic":
		panic("stopped")
	case "exit":
		runtime.Goexit()
	}
}

func (s stopping) MarshalPython() (any, error) { stop(s.how); return 1, nil }

type (
	exiting  struct{}
	bursting struct{}
)

func (*exiting) UnmarshalPython(any) error    { stop("exit"); return nil }
func (*bursting) UnmarshalPython(any) error   { stop("panic"); return nil }
func (bursting) MarshalText() ([]byte, error) { stop("panic"); return nil, nil }
func (*bursting) UnmarshalText([]byte) error  { stop("panic"); return nil }
func (bursting) MarshalJSON() ([]byte, error) { stop("panic"); return nil, nil }
func (*bursting) UnmarshalJSON([]byte) error  { stop("panic"); return nil }

// goCodeThatDoesNotReturn: what values of the program's own types run panics, or ends its goroutine.
func goCodeThatDoesNotReturn(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import go\nclass X: pass\nx = X()")
	type tagged struct {
		A bursting `py:"a,text"`
	}
	type taggedJSON struct {
		A bursting `py:"a,json"`
	}
	apart := func(what string, f func()) (panicked any) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { panicked = recover() }()
			f()
		}()
		select {
		case <-done:
		case <-time.After(30 * time.Second):
			t.Fatal(what, "does not end")
		}
		return panicked
	}
	fn := func() {}
	for name, value := range map[string]any{
		"a Marshaler that panics": stopping{how: "panic"}, "a Marshaler that exits": stopping{how: "exit"}, "text": tagged{}, "json": taggedJSON{},
	} {
		if p := apart(name, func() { c.Eval(limit(t), "v", py.Vars{"u": fn, "v": []any{fn, value}}) }); p != nil {
			t.Errorf("%s: a panic of the caller: %v", name, p)
		}
	}
	for name, read := range map[string]func(){
		"an Unmarshaler that exits":  func() { py.Eval[[]exiting](limit(t), c, "[x, x, x]") },
		"an Unmarshaler that panics": func() { py.Eval[[]bursting](limit(t), c, "[x, x, x]") },
		"text":                       func() { py.Eval[[]tagged](limit(t), c, "[{'a': 'b', 'c': x}, {'a': x}, x]") },
		"json":                       func() { py.Eval[[]taggedJSON](limit(t), c, "[{'a': 'b', 'c': x}, {'a': x}, x]") },
	} {
		if p := apart(name, read); p != nil {
			t.Errorf("%s: a panic of the caller: %v", name, p)
		}
		noReferences(t, name, c)
	}
	register(t, c, "takes", func(v []exiting, o *py.Object) {})
	apart("a parameter that exits", func() {
		_, err := c.Eval(limit(t), "go.takes([x, x], x)")
		raises(t, "a parameter that exits", err, "RuntimeError")
	})
	noReferences(t, "a parameter that exits", c)
	if err := c.Shutdown(timeout(10 * time.Second)); err != nil {
		t.Errorf("requests are still counted: %v", err)
	}
}

// finalizersAtTheEnd: what a context lets go of at its end gives itself to Go.
func finalizersAtTheEnd(t *testing.T, s *suite) {
	c := s.open(t)
	var called atomic.Int64
	register(t, c, "f", func(o *py.Object, kw py.Kw) map[string]any { called.Add(1); return map[string]any{"key": o} })
	run(t, c, `
import go
class X:
    def __del__(self, f=go.f): f(self, a=[self])
x = X()
y = [X()]
y.append(y)
`)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if called.Load() == 0 && s.Mode == py.Worker {
		t.Error("no finalizer was run")
	}
	equal(t, "references", py.Live().References, int64(0))
}

// threadsAfterTheEnd: a thread of the main interpreter goes on when its context is gone, in the middle of a call of Go.
func threadsAfterTheEnd(t *testing.T, s *suite) {
	if s.Mode != py.Worker {
		t.Skip("the end of an interpreter waits for its threads")
	}
	c, other := s.open(t), s.open(t)
	run(t, c, `
import go, sys, threading
begun, go_on, errors = threading.Event(), threading.Event(), []
sys.of_a_test = begun, go_on, errors
class X: pass
class Money: pass
def to(m):
    begun.set()
    go_on.wait()
    return {}
def f():
    try:
        go.f(Money(), X())
    except RuntimeError as e:
        errors.append(str(e))
thread = threading.Thread(target=f)
sys.of_a_test += (thread,)
`)
	type money struct{}
	if err := py.RegisterConverter[money](limit(t), c, "__main__", "Money", py.Converter{To: "to"}); err != nil {
		t.Fatal(err)
	}
	register(t, c, "f", func(args ...any) {})
	run(t, c, "thread.start()\nbegun.wait()")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	run(t, other, "import sys\nbegun, go_on, errors, thread = sys.of_a_test\ndel sys.of_a_test\ngo_on.set()\nthread.join()")
	equal(t, "the error", eval[[]string](t, other, "errors"), []string{"the context is closed: Go can hold none of its objects any more"})
	run(t, other, "del thread")
	equal(t, "references", py.Live().References, int64(0))
}

// foreignBytesOfLateRequests: bytes that are not Go's own are gone soon after a request that was given up as it began.
func foreignBytesOfLateRequests(t *testing.T, s *suite) {
	inChild(t, func() {
		c := s.open(t)
		run(t, c, "import go\nbig = bytearray(1 << 26)\nclass Slow:\n    def __del__(self): go.slow()")
		entered, leave, blocks, unblock := make(chan int), make(chan int), make(chan int), make(chan int)
		register(t, c, "slow", func() { close(entered); <-leave })
		register(t, c, "block", func() { close(blocks); <-unblock }, py.Inline())
		o := eval[*py.Object](t, c, "big")
		run(t, c, "del big")
		b := must(py.View[byte](limit(t), o))
		o.Close()
		data := must(b.Data())[:1<<20]
		slow := call[*py.Object](t, c, "__main__", "Slow")
		go c.Eval(limit(t), "go.block()")
		<-blocks
		slow.Close() // runs as the next request begins
		ctx, cancel := context.WithCancel(context.Background())
		late := make(chan error)
		go func() {
			_, err := c.Call(ctx, "builtins", "len", data)
			b.Close()
			late <- err
		}()
		eventually(t, "both wait", func() bool { return waiting() == 2 })
		close(unblock)
		<-entered
		cancel()
		if err := <-late; py.SafeToRetry(err) {
			t.Fatal("it had not begun")
		}
		works(t, c) // Python has its memory back
		close(leave)
		works(t, c)
	})
}
