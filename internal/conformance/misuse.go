package conformance

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pycontext/py"
)

// What is against the rules, or at their edge, and is to end in an error, at the one who did it.
var misuseCases = []testCase{
	{"MisuseNilContext", nilContext},
	{"MisuseAttached", misusedAttached},
	{"MisuseNames", oddNames},
	{"SafeToRetry", safeToRetry},
	{"DropsUnderLoad", dropsUnderLoad},
	{"DropsLeaveRequestsAlone", dropsLeaveRequestsAlone},
	{"InterruptWithinAttach", interruptWithinAttach},
	{"WaitsOnThread", waitsOnThread},
	{"InterruptedImports", interruptedImports},
	{"InterruptedPackage", interruptedPackage},
	{"InterruptedEndlessImport", endlessImport},
	{"BrokenPipe", brokenPipe},
}

func nilContext(t *testing.T, s *suite) {
	c := s.open(t)
	var none context.Context
	for name, use := range map[string]func() error{
		"New":      func() error { _, err := s.New(none, py.Options{Mode: s.Mode}); return err },
		"Call":     func() error { _, err := c.Call(none, "math", "sqrt", 1); return err },
		"Exec":     func() error { return c.Exec(none, "pass") },
		"NewEnv":   func() error { _, err := c.NewEnv(none); return err },
		"Attach":   func() error { return c.Attach(none, func(*py.Attached) error { return nil }) },
		"Shutdown": func() error { return c.Shutdown(none) },
		"no func":  func() error { return c.Attach(limit(t), nil) },
	} {
		err := use()
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		contains(t, name, err.Error(), "nil")
		equal(t, name+" is safe to retry", py.SafeToRetry(err), name != "New" && name != "Shutdown")
	}
	works(t, c)
}

// misusedAttached uses what Attach gave in the wrong place: it must not touch Python.
func misusedAttached(t *testing.T, s *suite) {
	c, other := s.open(t), s.open(t)
	ctx := limit(t)
	uses := func(a *py.Attached, r py.Ref) map[string]func() error {
		return map[string]func() error{
			"Import":      func() error { _, err := a.Import("math"); return err },
			"Global":      func() error { _, err := a.Global("len"); return err },
			"New":         func() error { _, err := a.New(1); return err },
			"Attr":        func() error { _, err := r.Attr("__name__"); return err },
			"SetAttr":     func() error { return r.SetAttr("x", 1) },
			"Item":        func() error { _, err := r.Item(0); return err },
			"Call":        func() error { _, err := r.Call([]int{1}); return err },
			"Value":       func() error { _, err := r.Value(); return err },
			"Keep":        func() error { _, err := r.Keep(); return err },
			"CallRef":     func() error { _, err := py.CallRef[int](r, []int{1}); return err },
			"DecodeRef":   func() error { _, err := py.DecodeRef[int](r); return err },
			"Detach":      func() error { return panicOf(func() { a.Detach(func() {}) }) },
			"Release":     func() error { return panicOf(r.Release) },
			"ThreadState": func() error { return panicOf(func() { a.ThreadState() }) },
			"Own":         func() error { return panicOf(func() { a.Own(r.Pointer()) }) },
		}
	}
	refused := func(where string, a *py.Attached, r py.Ref) {
		for name, use := range uses(a, r) {
			if err := use(); err == nil {
				t.Errorf("%s %s: no error", name, where)
			} else {
				contains(t, name+" "+where, err.Error(), "Attached")
			}
		}
	}
	err := c.Attach(ctx, func(a *py.Attached) error {
		r, err := a.Global("len")
		if err != nil {
			return err
		}
		a.Detach(func() { refused("within Detach", a, r) })
		var wg sync.WaitGroup
		wg.Go(func() { refused("on another goroutine", a, r) })
		wg.Wait()
		err = other.Attach(ctx, func(*py.Attached) error { refused("in another context", a, r); return nil })
		is(t, "Attach to another context", err, nil)
		n, err := py.CallRef[int](r, []int{1, 2})
		equal(t, "afterwards", []any{n, err}, []any{2, nil})
		return nil
	})
	is(t, "Attach", err, nil)
	works(t, c)
}

func panicOf(f func()) (err error) {
	defer func() { err, _ = recover().(error) }()
	f()
	return nil
}

func oddNames(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "f", func() int { return 1 })
	run(t, c, "import go")
	for _, expr := range []string{`go.call("f\0x")`, `getattr(go, "f\0")`, `go.call("")`} {
		_, err := c.Eval(limit(t), expr)
		raises(t, expr, err, "AttributeError")
	}
	err := c.Exec(limit(t), "class ValueError(KeyError): pass\nclass Mine(ValueError): pass\nraise Mine('x')")
	for class, want := range map[string]bool{"Mine": true, "__main__.Mine": true, "__main__.ValueError": true, "KeyError": true, "builtins.KeyError": true,
		"builtins.Mine": false, "builtins.ValueError": false} {
		equal(t, class, errors.Is(err, py.Exception(class)), want)
	}
	equal(t, "text", err.Error(), "Mine: 'x'")
}

// safeToRetry is for the request that the error is of, whatever became of others that its code made.
func safeToRetry(t *testing.T, s *suite) {
	c, gone := s.open(t), s.open(t)
	gone.Close()
	var inner error
	register(t, c, "ask", func(ctx context.Context) error { _, inner = gone.Eval(ctx, "1"); return inner })
	register(t, c, "panic", func(ctx context.Context) { panic(inner) })
	for _, code := range []string{"import go\ngo.ask()", "import go\ngo.panic()", "import go\ntry: go.ask()\nexcept Exception as e: raise KeyError from e"} {
		err := c.Exec(limit(t), code)
		is(t, code, err, py.ErrClosed)
		equal(t, "the inner one can be sent again", py.SafeToRetry(inner), true)
		equal(t, "the outer one ran: "+code, py.SafeToRetry(err), false)
	}
}

// dropsUnderLoad: objects are let go of also while requests never cease to wait.
func dropsUnderLoad(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "class A: pass")
	before := py.Live().References
	var wg sync.WaitGroup
	stop := time.Now().Add(700 * time.Millisecond)
	for range 32 {
		wg.Go(func() {
			for time.Now().Before(stop) {
				o, err := py.Eval[*py.Object](context.Background(), c, "(sum(range(2000)), A())[1]")
				if err != nil {
					t.Error(err)
					return
				}
				o.Close()
			}
		})
	}
	var most int64
	for time.Now().Before(stop) {
		time.Sleep(time.Millisecond)
		most = max(most, py.Live().References-before)
	}
	wg.Wait()
	if most > 200 {
		t.Errorf("32 callers that each hold one object kept %d alive", most)
	}
}

// dropsLeaveRequestsAlone: the finalizer of an object that Go lets go of calls Go while a request is suspended, whose
// deadline then passes. No other request may get that.
func dropsLeaveRequestsAlone(t *testing.T, s *suite) {
	c := s.open(t)
	entered, release, finalized := make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)
	register(t, c, "wait", func() { entered <- struct{}{}; <-release })
	register(t, c, "finalized", func() { finalized <- struct{}{} })
	run(t, c, "import go\nclass A:\n  def __del__(self): go.finalized()\ndef wait():\n  try: go.wait()\n  finally: out.append(1)\nout = []")
	for i := range 50 {
		o := eval[*py.Object](t, c, "A()")
		ctx, cancel := context.WithCancel(context.Background())
		result := make(chan error, 1)
		go func() { _, err := c.Call(ctx, "__main__", "wait"); result <- err }()
		<-entered
		o.Close()
		<-finalized
		works(t, c)
		cancel()
		is(t, "the suspended one", <-result, context.Canceled)
		for range 5 {
			if n, err := py.Eval[int](limit(t), c, "sum(range(1000))"); n != 499500 || err != nil {
				t.Fatalf("round %d: another request: %d, %v", i, n, err)
			}
		}
		release <- struct{}{}
		eventually(t, "the suspended one goes on", func() bool { return eval[int](t, c, "len(out)") == i+1 })
	}
}

// interruptWithinAttach: an interrupt of an attached function is not one of the request that it makes next.
func interruptWithinAttach(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "def loop(n):\n  for i in range(n): pass\n  return n")
	for i := range 50 {
		var n int
		err := c.Attach(limit(t), func(a *py.Attached) (err error) {
			interrupt := func() { equal(t, "Interrupt", c.Interrupt(), true) }
			if i%2 == 0 {
				interrupt()
			} else {
				a.Detach(interrupt)
			}
			if n, err = py.Eval[int](limit(t), c, "loop(1000)"); err != nil {
				t.Errorf("a request of the attached function: %v", err)
			}
			f, err := a.Global("loop")
			if err != nil {
				return err
			}
			_, err = py.CallRef[int](f, 1000)
			return err
		})
		equal(t, "a request of the attached function", n, 1000)
		is(t, "the attached function", err, py.ErrInterrupted)
		works(t, c)
	}
}

// waitsOnThread: Go code that runs on the Python thread waits for other contexts, which may need its interpreter's lock.
func waitsOnThread(t *testing.T, s *suite) {
	c, busy := s.open(t), s.open(t)
	visit := func() error {
		for _, mode := range s.info.Modes {
			d, err := py.New(limit(t), py.Options{Mode: mode})
			if err != nil {
				return err
			}
			if _, err := d.Eval(limit(t), "1"); err != nil {
				return err
			}
			if err := d.Shutdown(limit(t)); err != nil {
				return err
			}
			if d, err = py.New(limit(t), py.Options{Mode: mode}); err != nil {
				return err
			}
			if err := d.Close(); err != nil {
				return err
			}
		}
		result := make(chan error, 1)
		inside := make(chan struct{})
		register(t, busy, "inside", func() { close(inside) })
		go func() { result <- busy.Exec(context.Background(), "import go\ngo.inside()\nwhile True: pass") }()
		select {
		case <-inside:
		case <-time.After(100 * time.Millisecond): // it cannot begin while this code keeps the lock
		}
		for !busy.Interrupt() {
			time.Sleep(time.Millisecond)
		}
		c.Attach(limit(t), func(a *py.Attached) error {
			a.Detach(func() { is(t, "the other context", <-result, py.ErrInterrupted) })
			return nil
		})
		return nil
	}
	is(t, "within Attach", c.Attach(limit(t), func(*py.Attached) error { return visit() }), nil)
	register(t, c, "visit", visit, py.Inline())
	register(t, c, "interrupt", func() bool { return c.Interrupt() }, py.Inline())
	is(t, "inline", c.Exec(limit(t), "import go\ngo.visit()"), nil)
	is(t, "itself", c.Exec(limit(t), "import go\nassert go.interrupt()\nwhile True: pass"), py.ErrInterrupted)
	works(t, c)
}

// interruptedImports strikes contexts that wait for one another's imports: none may be left with the lock of a module taken.
func interruptedImports(t *testing.T, s *suite) {
	inChild(t, func() {
		dir := t.TempDir()
		os.WriteFile(filepath.Join(dir, "conformance_slow.py"), []byte("import time\ntime.sleep(0.002)\n"), 0o600)
		var wg sync.WaitGroup
		for range 5 {
			c := s.open(t)
			// importlib, struck while it writes a .pyc file, leaves that open
			run(t, c, "import sys\nsys.dont_write_bytecode = True\nif d not in sys.path: sys.path.append(d)\ndef load():\n  for _ in range(3):\n    sys.modules.pop('conformance_slow', None)\n    import conformance_slow", py.Vars{"d": dir})
			wg.Go(func() {
				for i := range 60 {
					ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+i%9)*time.Millisecond)
					c.Call(ctx, "__main__", "load")
					cancel()
				}
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				_, err := c.Call(ctx, "__main__", "load")
				if err != nil && !errors.Is(err, py.Exception("KeyError")) { // another one takes the module away meanwhile
					t.Errorf("afterwards: %v", err)
				}
			})
		}
		wg.Wait()
	})
}

// interruptedPackage cancels a request within the import of a package that, imported by half, cannot be imported again: it is
// struck behind that.
func interruptedPackage(t *testing.T, s *suite) {
	c := s.open(t)
	dir := t.TempDir()
	pkg := filepath.Join(dir, "conformance_pkg")
	os.Mkdir(pkg, 0o700)
	os.WriteFile(filepath.Join(pkg, "part.py"), nil, 0o600)
	os.WriteFile(filepath.Join(pkg, "__init__.py"), []byte("from . import part as _\nimport go\nwhile not go.over(): pass\nassert part"), 0o600)
	run(t, c, "import sys\nsys.path.append(d)", py.Vars{"d": dir})
	for what, interrupt := range map[string]func(cancel func()){
		"cancel":    func(cancel func()) { cancel() },
		"Interrupt": func(func()) { go c.Interrupt() },
	} {
		ctx, cancel := context.WithCancel(limit(t))
		var since time.Time
		register(t, c, "over", func() bool {
			if since.IsZero() {
				interrupt(cancel)
				since = time.Now()
			}
			return time.Since(since) > 40*time.Millisecond
		}, py.Inline())
		err := c.Exec(ctx, "import conformance_pkg\nwhile True: pass")
		if what == "cancel" {
			is(t, what, err, context.Canceled)
		} else {
			is(t, what, err, py.ErrInterrupted)
		}
		equal(t, "the import came to its end", eval[bool](t, c, "'conformance_pkg' in sys.modules"), true)
		run(t, c, "del sys.modules['conformance_pkg'], sys.modules['conformance_pkg.part']")
		cancel()
	}
	run(t, c, "sys.path.remove(d)")
}

// endlessImport is of a module that never comes to its end, which is struck after a while.
func endlessImport(t *testing.T, s *suite) {
	c := s.open(t)
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "conformance_endless.py"), []byte("while True: pass"), 0o600)
	run(t, c, "import sys\nsys.path.append(d)", py.Vars{"d": dir})
	is(t, "an endless import", c.Exec(timeout(50*time.Millisecond), "import conformance_endless"), context.DeadlineExceeded)
	works(t, c)
	run(t, c, "sys.path.remove(d)")
}

// brokenPipe writes to what nobody reads any more.
func brokenPipe(t *testing.T, s *suite) {
	inChild(t, func() {
		c := s.open(t)
		run(t, c, "import socket, os\na, b = socket.socketpair()\nb.close()\nr, w = os.pipe()\nos.close(r)")
		raises(t, "a socket", c.Exec(limit(t), "with a: a.send(b'x')"), "BrokenPipeError")
		raises(t, "a pipe", c.Exec(limit(t), "try: os.write(w, b'x')\nfinally: os.close(w)"), "BrokenPipeError")
		works(t, c)
	})
}
