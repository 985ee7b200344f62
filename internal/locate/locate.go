package locate

import (
	"fmt"
	"os"
	"sync/atomic"
)

// The values of [Python.Source]: how a Python was found.
const (
	SourceConfig     = "Config.Python"
	SourceVariable   = "PYCTX_PYTHON"
	SourceVirtualEnv = "VIRTUAL_ENV"
	SourceBundled    = "bundled"
	SourcePath       = "PATH"
)

// Version is a CPython version: major, minor, micro. The zero Version is unknown.
type Version [3]int

// oldest is the first CPython with an interpreter lock per interpreter (PEP 684).
var oldest = Version{3, 12, 0}

// String returns the version as Python writes it, "3.14.6".
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

// minor returns the part that names files and folders, "3.14".
func (v Version) minor() string { return fmt.Sprintf("%d.%d", v[0], v[1]) }

func (v Version) less(w Version) bool {
	if v[0] != w[0] {
		return v[0] < w[0]
	}
	return v[1] < w[1]
}

// Python says what to load and what to tell it. All paths are absolute.
type Python struct {
	// Source is how it was found, one of the Source constants.
	Source string
	// Executable is what sys.executable must be: in a virtual environment the environment's own
	// python, from which CPython derives the environment. Empty for a libpython without one.
	Executable string
	// Library is the shared library to load.
	Library string
	// Home is the prefix that CPython must be told, as PYTHONHOME would. It is empty where CPython
	// finds its prefix by itself from Executable.
	Home string
	// Version is the version of Library. The last number may be 0 when only a file's name told it.
	Version Version
	// FreeThreaded is true for a build without the global lock (PEP 703).
	FreeThreaded bool
	// Venv is the folder of the virtual environment, empty outside one.
	Venv string
	// Passed lists the candidates that come earlier in the order and could not be used, and why.
	Passed []Attempt
}

// Options are the inputs of [Find]. The zero value looks in the places of this process.
type Options struct {
	// Python is an explicit choice: the path of an interpreter, of a virtual environment or an
	// installation's prefix, or of a libpython. It is taken literally; a name without a separator
	// that is no file here is looked up on PATH.
	Python string
	// Env looks a variable up; nil means os.Getenv.
	Env func(string) string
	// Bundled provides the bundled Python; nil means the registered one, if any.
	Bundled func() (Python, error)
}

var bundled atomic.Pointer[func() (Python, error)]

// RegisterBundled makes f the provider of the bundled Python for every later [Find] that gets that far
// down the order. f is called once per such Find, from any goroutine. The last registration stands.
func RegisterBundled(f func() (Python, error)) { bundled.Store(&f) }

// Find returns the first Python of the package's order that this program can load. It may run
// interpreters and, for the bundled one, extract files; it keeps nothing, so every call looks anew.
// The error is an [*Error].
func Find(opts Options) (Python, error) {
	f := finder{env: opts.Env, bundled: opts.Bundled}
	if f.env == nil {
		f.env = os.Getenv
	}
	if reg := bundled.Load(); f.bundled == nil && reg != nil {
		f.bundled = *reg
	}
	if opts.Python != "" {
		return f.explicit(SourceConfig, opts.Python)
	}
	if path := f.env(SourceVariable); path != "" {
		return f.explicit(SourceVariable, path)
	}
	return f.implicit()
}
