package py

import (
	"fmt"

	"github.com/pycontext/py/internal/cpython"
)

// Mode says which interpreter and which interpreter lock a [Context] uses.
type Mode int

const (
	// Worker runs in the main interpreter, whose lock and modules all worker contexts share. Every package works, and
	// contexts take turns whenever Python code runs: they overlap in sleeps, input and output, and C code that lets go
	// of the lock.
	Worker Mode = iota
	// Subinterp runs in an interpreter of its own, with modules of its own, under the main interpreter's lock.
	// It needs CPython 3.12.
	Subinterp
	// OwnGIL runs in an interpreter with a lock of its own (PEP 684): contexts run in parallel on as many processors.
	// It needs CPython 3.14. Extension modules must support it; numpy and many others do not yet.
	OwnGIL
)

// String returns "worker", "subinterp" or "owngil".
func (m Mode) String() string {
	switch m {
	case Worker:
		return "worker"
	case Subinterp:
		return "subinterp"
	case OwnGIL:
		return "owngil"
	}
	return fmt.Sprintf("Mode(%d)", int(m))
}

// ParseMode is the inverse of [Mode.String].
func ParseMode(s string) (Mode, error) {
	for _, m := range []Mode{Worker, Subinterp, OwnGIL} {
		if m.String() == s {
			return m, nil
		}
	}
	return 0, fmt.Errorf("py: unknown mode %q: it must be worker, subinterp or owngil", s)
}

func (m Mode) internal() cpython.Mode { return cpython.Mode(m) }

// needs is the oldest minor version of CPython 3 that has the mode.
func (m Mode) needs() int {
	switch m {
	case OwnGIL:
		return 14
	default:
		return 12
	}
}

// check returns why a mode cannot be used with the Python that runs, or nil.
func (m Mode) check(v cpython.Version) error {
	if m < Worker || m > OwnGIL {
		return fmt.Errorf("py: unknown mode %d: it must be py.Worker, py.Subinterp or py.OwnGIL", int(m))
	}
	if v.Minor < m.needs() {
		return fmt.Errorf("%w: %s needs CPython 3.%d or later, and this is %s; use py.Worker, or another Python "+
			"(Config.Python, PYCTX_PYTHON, or the bundled one)", ErrUnsupportedMode, m, m.needs(), v.Text)
	}
	return nil
}
