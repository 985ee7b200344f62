package py

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/locate"
	"github.com/pycontext/py/internal/wire"
)

// Config says which Python to run and what it sees of the process. Its zero value looks for a Python (see the package
// documentation) and gives it the process's own streams.
type Config struct {
	// Python is an interpreter, a virtual environment's folder, or a libpython. It is taken literally. Empty: the
	// variable PYCTX_PYTHON, an active virtual environment, the bundled Python, then python3 on PATH.
	Python string
	// Args is sys.argv. Nil: one empty string, as for an embedded Python.
	Args []string
	// Paths are put in front of sys.path, in every interpreter.
	Paths []string
	// Stdout and Stderr get what Python prints; calls to Write are made by the threads that print and not at the same
	// time. An error of Write is an OSError for the code that prints. Write may call Python that does not print itself.
	// Nil: the process's own, a line at a time.
	Stdout, Stderr io.Writer
}

// RuntimeInfo says what was loaded.
type RuntimeInfo struct {
	Version      string   // "3.14.6"
	FreeThreaded bool     // a build without the interpreter lock (PEP 703)
	Source       string   // how it was found: Config.Python, PYCTX_PYTHON, VIRTUAL_ENV, bundled or PATH
	PassedOver   []string // what comes before it in that order and could not be used, each with the reason
	Executable   string   // sys.executable
	Library      string   // the libpython that was loaded
	Home         string   // the prefix that it was told, if any
	Venv         string   // the virtual environment, if any
	Modes        []Mode   // the modes that it supports
}

var process struct {
	started bool
	mu      sync.Mutex
	info    RuntimeInfo
	version cpython.Version
	err     error
	streams [2]io.Writer
	writing [2]sync.Mutex
}

// Start loads and initialises CPython with the given configuration. It is optional: the first [New] starts with the zero
// Config. A process runs one Python; a second Start is an error. What could not be loaded cannot be tried again with
// another configuration. It may be called from any goroutine.
func Start(config Config) error {
	process.mu.Lock()
	defer process.mu.Unlock()
	if process.err != nil {
		return process.err
	}
	if process.started {
		return errors.New("py: Python was started before: call py.Start once, before the first py.New")
	}
	return start(config)
}

// Info starts Python if need be and says what was loaded.
func Info() (RuntimeInfo, error) {
	if err := ensureStarted(); err != nil {
		return RuntimeInfo{}, err
	}
	info := process.info
	info.Modes, info.PassedOver = slices.Clone(info.Modes), slices.Clone(info.PassedOver)
	return info, nil
}

func ensureStarted() error {
	process.mu.Lock()
	defer process.mu.Unlock()
	if process.started {
		return process.err
	}
	return start(Config{})
}

func start(config Config) error {
	process.started = true
	process.err = load(config)
	return process.err
}

func load(config Config) error {
	if !cpython.Supported {
		return fmt.Errorf("py: %w", cpython.ErrUnsupported)
	}
	found, err := locate.Find(locate.Options{Python: config.Python})
	if err != nil {
		return fmt.Errorf("py: %w", err)
	}
	process.streams = [2]io.Writer{config.Stdout, config.Stderr}
	args := config.Args
	if args == nil {
		args = []string{""}
	}
	version, err := cpython.Start(cpython.Config{
		Library:    found.Library,
		Home:       found.Home,
		Executable: found.Executable,
		Args:       args,
		Paths:      config.Paths,
		Redirect:   [2]bool{config.Stdout != nil, config.Stderr != nil},
	}, cpython.Hooks{
		Lookup:          lookup,
		Names:           functionNames,
		Call:            runCallback,
		Ready:           runReady,
		RetainError:     retainError,
		LimitError:      func() uint64 { return keep(ErrLimit) },
		ClosedError:     func() uint64 { return keep(ErrClosed) },
		ReleaseError:    releaseError,
		RetainFunction:  retainFunction,
		ReleaseFunction: releaseFunction,
		Released:        func(scratch any) { scratch.(*exchange).over(true) },
		Discard:         discard,
		Ending:          func(core *cpython.Context) { core.Owner.(*Context).endBuffers() },
		Ended:           func(core *cpython.Context) { core.Owner.(*Context).forget() },
		GaveUp:          func(core *cpython.Context) { core.Owner.(*Context).close(errGivenUp) },
		Write:           writeStream,
	})
	if err != nil {
		return cannotStart(found, err)
	}
	process.version = version
	process.info = infoOf(found, version)
	return nil
}

// cannotStart says what to do where it is known.
func cannotStart(found locate.Python, err error) error {
	hint := ""
	switch {
	case strings.Contains(err.Error(), "failed to map segment"): // the dynamic loader's words
		hint = " (is its file system mounted noexec, or the process short of address space?"
		if found.Source == locate.SourceBundled {
			hint += " PYCTX_CACHE names another folder to unpack it to"
		}
		hint += ")"
	case strings.Contains(err.Error(), "codec of the filesystem encoding") && found.Source == locate.SourceBundled:
		hint = fmt.Sprintf(" (what it has compiled may be damaged: delete the folder %s, to have it unpacked anew)", found.Home)
	}
	return fmt.Errorf("py: cannot start %s (%s): %w%s", found.Library, found.Source, err, hint)
}

func infoOf(found locate.Python, version cpython.Version) RuntimeInfo {
	info := RuntimeInfo{
		Version:      version.Text,
		FreeThreaded: version.FreeThreaded,
		Source:       found.Source,
		Executable:   found.Executable,
		Library:      found.Library,
		Home:         found.Home,
		Venv:         found.Venv,
	}
	for _, passed := range found.Passed {
		info.PassedOver = append(info.PassedOver, passed.String())
	}
	for _, m := range []Mode{Worker, Subinterp, OwnGIL} {
		if m.check(version) == nil {
			info.Modes = append(info.Modes, m)
		}
	}
	return info
}

var errGivenUp = errors.New("a Go function on the Python thread ended its goroutine (runtime.Goexit, or FailNow of a test)")

// writeStream gives output of Python to the configured writer, 1 is stdout, 2 stderr, and returns what to raise when that
// fails: an OSError that carries the Go error.
func writeStream(stream int, p []byte) []byte {
	r := write(process.streams[stream-1], &process.writing[stream-1], p)
	if r == nil {
		return nil
	}
	var e wire.Encoder
	if _, panicked := errors.AsType[*PanicError](r.err); panicked || r.kind == "" {
		r.kind = "OSError" // which code that prints is prepared for
	}
	r.write(&e)
	return e.Buf
}

func write(w io.Writer, turn *sync.Mutex, p []byte) (r *raise) {
	turn.Lock()
	defer turn.Unlock()
	defer func() { // also of a panic of the error's own methods
		if v := recover(); v != nil {
			r = raiseError(&PanicError{Value: v, Stack: debug.Stack(), name: "Write"})
		}
	}()
	n, err := w.Write(p)
	switch {
	case err != nil:
		return raiseError(err)
	case n < len(p):
		return raiseError(io.ErrShortWrite)
	}
	return nil
}

// Counts of what is alive, of the whole process. All are zero when every context is closed and gone, and every error
// that passed through Python is forgotten.
type Counts struct {
	Threads    int64 // context threads, stuck ones included
	Contexts   int64 // contexts that still take memory
	Lanes      int64 // Python threads that have called Go
	Requests   int64 // requests under way or kept for use again
	Callbacks  int64 // Go functions that Python waits for, other than inline ones
	References int64 // Python objects that Go holds
	Errors     int64 // Go errors that Python holds
	Functions  int64 // Go functions that were given to Python as values and that it holds
	Lent       int64 // pieces of memory that are lent to Python
}

// Live returns the counts of what is alive, for tests and monitoring.
func Live() Counts { return Counts(cpython.Counts()) }
