package py_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pycontext/py"
	"github.com/pycontext/py/internal/locate"
)

// inFreshProcess runs what needs a process in which Python was not started yet.
func inFreshProcess(t *testing.T, f func(t *testing.T)) {
	const variable = "PYCTX_TEST_CHILD"
	if os.Getenv(variable) == t.Name() {
		f(t)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=170s")
	child.Env = append(os.Environ(), variable+"="+t.Name())
	if out, err := child.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Errorf("the child process: %v\n%.6000s", err, out)
	}
}

// TestStartAfterFailure: what could not be loaded is said again, and not that it was started.
func TestStartAfterFailure(t *testing.T) {
	inFreshProcess(t, func(t *testing.T) {
		t.Setenv("PYCTX_PYTHON", "/no/such/python")
		_, want := py.New(ctx, py.Options{})
		for range 2 {
			if err := py.Start(py.Config{}); err == nil || want == nil || err.Error() != want.Error() {
				t.Errorf("got %v, want %v", err, want)
			}
		}
	})
}

// TestPathsAreText: the folder of a virtual environment is a text in Python, whatever the locale.
func TestPathsAreText(t *testing.T) {
	inFreshProcess(t, func(t *testing.T) {
		found, err := locate.Find(locate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "é 日本 😀")
		if out, err := exec.Command(found.Executable, "-m", "venv", "--without-pip", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		t.Setenv("LC_ALL", "C")
		if err := py.Start(py.Config{Python: dir}); err != nil {
			t.Fatal(err)
		}
		everyMode(t, func(t *testing.T, c *py.Context) {
			for _, expr := range []string{"sys.prefix", "os.path.dirname(os.path.dirname(sys.executable))", "str(pathlib.Path(sys.path[-1]).parents[2])"} {
				got, err := py.Eval[string](ctx, c, "(lambda os, sys, pathlib: "+expr+")(*map(__import__, ['os', 'sys', 'pathlib']))")
				if got != dir || err != nil {
					t.Errorf("%s: got %q, %v, want %q", expr, got, err, dir)
				}
			}
		})
	})
}

// everyMode runs f with a new context of each mode.
func everyMode(t *testing.T, f func(t *testing.T, c *py.Context)) {
	info, err := py.Info()
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range info.Modes {
		c, err := py.New(ctx, py.Options{Mode: mode, Grace: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		f(t, c)
		if err := c.Close(); err != nil {
			t.Errorf("%v: %v", mode, err)
		}
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A panickingError has no text.
type panickingError struct{ why any }

func (e panickingError) Error() string { panic(e.why) }

func TestStreams(t *testing.T) {
	inFreshProcess(t, func(t *testing.T) {
		var printed strings.Builder
		var write func(p []byte) (int, error)
		plain := func(p []byte) (int, error) { return printed.Write(p) }
		config := py.Config{Stdout: writerFunc(func(p []byte) (int, error) { return write(p) }), Stderr: &printed, Args: []string{"a b", "\xff\u00ff\x00"},
			Paths: []string{"/somewhere/\xfe"}}
		if err := py.Start(config); err != nil {
			t.Fatal(err)
		}
		if err := py.Start(config); err == nil {
			t.Error("a second Start")
		}
		broken := errors.New("broken")
		everyMode(t, func(t *testing.T, c *py.Context) {
			printed.Reset()
			write = plain
			if err := c.Exec(ctx, "import sys\nprint('hello', sys.argv == ['a b', '\\udcff\\xff\\0'], sys.path[0] == '/somewhere/\\udcfe')"); err != nil {
				t.Error(err)
			}
			if printed.String() != "hello True True\n" {
				t.Errorf("%v printed %q", c, printed.String())
			}
			printed.Reset()
			err := c.Exec(ctx, "sys.stdout.reconfigure(line_buffering=True)\nsys.stdout.buffer.write(b'\\xff\\n')\nsys.stdout.write('\\ud800')\nprint('é', end='', file=sys.__stdout__)")
			if printed.String() != "\xff\n\\ud800é" || err != nil {
				t.Errorf("%v printed %q, %v", c, printed.String(), err)
			}
			for _, failing := range []func(p []byte) (int, error){
				func(p []byte) (int, error) { return 0, broken },
				func(p []byte) (int, error) { panic(broken) },
				func(p []byte) (int, error) { return 0, panickingError{broken} },
			} {
				write = failing
				err := c.Exec(ctx, "print('x')")
				if !errors.Is(err, broken) || !errors.Is(err, py.Exception("OSError")) {
					t.Errorf("%v: a writer that fails: %v", c, err)
				}
			}
			write = func(p []byte) (int, error) { return 0, nil }
			if err := c.Exec(ctx, "print('x')"); !errors.Is(err, io.ErrShortWrite) {
				t.Errorf("%v: a writer that writes less: %v", c, err)
			}
			write = plain
			// What has nowhere to go is printed, also by a hook of the program's own.
			printed.Reset()
			err = c.Exec(ctx, "import sys\nclass D:\n  def __del__(self): raise KeyError('lost')\nD()\n"+
				"hook, sys.unraisablehook = sys.unraisablehook, lambda u: print('own', u.exc_type.__name__)\nD()\nsys.unraisablehook = hook")
			if text := printed.String(); err != nil || !strings.Contains(text, "KeyError: 'lost'") || !strings.Contains(text, "own KeyError") || strings.Contains(text, "TypeError") {
				t.Errorf("%v: an exception of a finalizer: %v, printed %q", c, err, text)
			}
		})
	})
}

// A writer may call Python: another context, and the one whose code prints.
func TestStreamCallsPython(t *testing.T) {
	inFreshProcess(t, func(t *testing.T) {
		var calls []func() error
		err := py.Start(py.Config{Stdout: writerFunc(func(p []byte) (int, error) {
			for _, call := range calls {
				if err := call(); err != nil {
					return 0, err
				}
			}
			return len(p), nil
		})})
		if err != nil {
			t.Fatal(err)
		}
		other := newContext()
		defer other.Close()
		everyMode(t, func(t *testing.T, c *py.Context) {
			minute, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			ask := func(c *py.Context) func() error {
				return func() error { _, err := c.Eval(minute, "sum(range(10000))"); return err }
			}
			calls = []func() error{ask(other), ask(c), func() error { runtime.GC(); return nil }}
			if err := c.Exec(minute, "for i in range(50): print(i)"); err != nil {
				t.Errorf("%v: %v", c, err)
			}
			calls = calls[:1]
			if err := c.Register("f", func() {}); err != nil {
				t.Fatal(err)
			}
			err := c.Exec(minute, "import threading, go\ndef run():\n  for i in range(50):\n    print(i)\n    go.f()\nts = [threading.Thread(target=run) for _ in range(4)]\n"+
				"for t in ts: t.start()\nfor t in ts: t.join()")
			if err != nil {
				t.Errorf("%v: on threads: %v", c, err)
			}
			calls = nil
		})
	})
}

// The natives that Python code can reach take nothing that they were not given.
func TestNativesAreChecked(t *testing.T) {
	inFreshProcess(t, func(t *testing.T) {
		if err := py.Start(py.Config{Stdout: io.Discard}); err != nil {
			t.Fatal(err)
		}
		everyMode(t, func(t *testing.T, c *py.Context) {
			for _, call := range []string{"write(99, b'x')", "write(0, b'x')", "write(1, 'x')", "write(1)", "write('x', b'')", "adopt(names.__self__)", "adopt(5)",
				"function('x\\0y')", "function(5)"} {
				var e *py.Error
				if err := c.Exec(ctx, "import go\neval(call, go.call.__globals__)", py.Vars{"call": call}); !errors.As(err, &e) {
					t.Errorf("%v: %s: %v", c, call, err)
				}
			}
			if sum, err := py.Eval[int](ctx, c, "1+1"); sum != 2 || err != nil {
				t.Errorf("%v: afterwards: %v, %v", c, sum, err)
			}
		})
	})
}

// A child made by os.fork() ends where its code would come back to Go.
func TestForkedChildEnds(t *testing.T) {
	c := newContext()
	defer c.Close()
	minute, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := c.Exec(minute, "import os, sys, warnings\nwarnings.simplefilter('ignore')\ndef silent():\n  sys.stderr = None\n  raise KeyError\n"); err != nil {
		t.Fatal(err)
	}
	c.Register("fork", func(ctx context.Context) (int, error) { return py.Eval[int](ctx, c, "os.fork()") })
	for code, want := range map[string]int{"os.fork()": 0, "os.fork() or sys.exit(7)": 7, "os.fork() or silent()": 1, "__import__('go').fork()": 0} {
		pid, err := py.Eval[int](minute, c, code)
		if err != nil || pid <= 0 {
			t.Fatalf("%s: %d, %v", code, pid, err)
		}
		status, err := py.Eval[int](minute, c, "os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])", py.Vars{"pid": pid})
		if status != want || err != nil {
			t.Errorf("%s: the child ends with %d, %v, want %d", code, status, err, want)
		}
	}
	c.Exec(minute, "import warnings\nwarnings.resetwarnings()")
}

// Threads that the module threading does not know of keep an interpreter, whose end they would make fatal before 3.14.
func TestRawThreadsKeepTheInterpreter(t *testing.T) {
	inFreshProcess(t, func(t *testing.T) {
		everyMode(t, func(t *testing.T, c *py.Context) {
			err := c.Exec(ctx, "import _thread, time\nfor i in range(20): _thread.start_new_thread(time.sleep, (0.01 * i,))")
			if err != nil {
				t.Error(err)
			}
		})
		if modes := must(py.Info()).Modes; slices.Contains(modes, py.Subinterp) {
			c := must(py.New(ctx, py.Options{Mode: py.Subinterp, Grace: 50 * time.Millisecond}))
			c.Exec(ctx, "import _thread, time\nflag = []\ndef run():\n  while not flag: time.sleep(0.001)\n_thread.start_new_thread(run, ())\n"+
				"import atexit\natexit.register(lambda: _thread.start_new_thread(lambda: (time.sleep(0.2), flag.append(1)), ()))")
			if err := c.Close(); !errors.Is(err, py.ErrStuck) {
				t.Errorf("Close with a thread that runs: %v", err)
			}
			<-c.Done()
		}
	})
}

// However many requests wait, and whatever the interpreter lock has Go do for them, few of them take a thread.
func TestWaitingTakesNoThreads(t *testing.T) {
	inFreshProcess(t, func(t *testing.T) {
		var callers sync.WaitGroup
		for range 3 {
			c := must(py.New(ctx, py.Options{}))
			defer c.Close()
			c.Register("f", func(n int) int { return n })
			if err := c.Exec(ctx, "import go\ndef compute():\n  for i in range(40): sum(range(5000)); go.f(i)"); err != nil {
				t.Fatal(err)
			}
			for range 100 {
				callers.Go(func() {
					if _, err := c.Call(ctx, "__main__", "compute"); err != nil {
						t.Error(err)
					}
				})
			}
		}
		callers.Wait()
		if n := pprof.Lookup("threadcreate").Count(); n > 100 {
			t.Errorf("%d threads for 300 requests", n)
		}
	})
}

// CPython makes no interpreter while standard input is a folder: that is an error, and no more.
func TestInterpreterRefused(t *testing.T) {
	inFreshProcess(t, func(t *testing.T) {
		c := must(py.New(ctx, py.Options{}))
		if err := c.Exec(ctx, "import os\nstdin = os.dup(0)\nos.dup2(os.open('/', os.O_RDONLY), 0)"); err != nil {
			t.Fatal(err)
		}
		for _, mode := range must(py.Info()).Modes[1:] {
			for range 3 {
				if _, err := py.New(ctx, py.Options{Mode: mode}); err == nil || !strings.Contains(err.Error(), "<stdin> is a directory") {
					t.Errorf("%v: %v", mode, err)
				}
			}
		}
		if err := c.Exec(ctx, "os.dup2(stdin, 0)"); err != nil {
			t.Fatal(err)
		}
		c.Close()
		everyMode(t, func(t *testing.T, c *py.Context) {
			if sum, err := py.Eval[int](ctx, c, "1+1"); sum != 2 || err != nil {
				t.Errorf("%v afterwards: %v, %v", c, sum, err)
			}
		})
		for began := time.Now(); py.Live() != (py.Counts{}); runtime.GC() {
			if time.Since(began) > 30*time.Second {
				t.Fatalf("left: %+v", py.Live())
			}
		}
	})
}

// Go code that ends its goroutine on the Python thread, as FailNow of a test does, loses that context, and nothing else.
func TestGoexitOnThread(t *testing.T) {
	inFreshProcess(t, func(t *testing.T) {
		for _, mode := range must(py.Info()).Modes {
			other := must(py.New(ctx, py.Options{Mode: mode}))
			for name, use := range map[string]func(c *py.Context) error{
				"Attach": func(c *py.Context) error {
					return c.Attach(ctx, func(a *py.Attached) error { a.Import("math"); runtime.Goexit(); return nil })
				},
				"inline": func(c *py.Context) error {
					c.Register("f", func() { runtime.Goexit() }, py.Inline())
					return c.Exec(ctx, "import go\ngo.f()")
				},
			} {
				c := must(py.New(ctx, py.Options{Mode: mode, Grace: 20 * time.Millisecond}))
				err := use(c)
				if !errors.Is(err, py.ErrClosed) || !strings.Contains(err.Error(), "Goexit") || !errors.Is(c.Close(), py.ErrStuck) {
					t.Errorf("%s in %v: %v", name, mode, err)
				}
				if sum, err := py.Eval[int](ctx, other, "1+1"); sum != 2 || err != nil {
					t.Errorf("%v afterwards: %v, %v", other, sum, err)
				}
			}
			other.Close()
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprint(err))
	}
	return v
}
