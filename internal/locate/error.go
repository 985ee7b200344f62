package locate

import (
	"fmt"
	"slices"
	"strings"
)

// Attempt is a candidate that could not be used.
type Attempt struct {
	Source string // one of the Source constants
	Path   string // what was looked at; empty for the bundled Python
	Err    error  // why it was refused
}

// String returns source, path and reason on one line.
func (a Attempt) String() string {
	if a.Path == "" {
		return fmt.Sprintf("%s: %v", a.Source, a.Err)
	}
	return fmt.Sprintf("%s: %q: %v", a.Source, a.Path, a.Err)
}

// Error is why [Find] found no Python.
type Error struct {
	// Explicit is true when the user named the Python: then there is one attempt and no other was made.
	Explicit bool
	// Attempts are the candidates in the order tried. Empty means that there was none at all.
	Attempts []Attempt
}

const (
	advice = "install CPython 3.12 or later with its shared library, or set PYCTX_PYTHON to an interpreter, " +
		"a virtual environment or a libpython"
	embedAdvice = ", or import github.com/pycontext/py/embedded for a bundled one"
)

// Error lists every candidate with the reason it was refused, and says what to do.
func (e *Error) Error() string {
	if e.Explicit && len(e.Attempts) == 1 {
		return "no usable Python: " + e.Attempts[0].String()
	}
	var b strings.Builder
	b.WriteString("no usable Python found")
	if len(e.Attempts) == 0 {
		b.WriteString(": no virtual environment is active and PATH has no python3")
	}
	for _, a := range e.Attempts {
		b.WriteString("\n\t" + a.String())
	}
	b.WriteString("\n" + advice)
	if !slices.ContainsFunc(e.Attempts, func(a Attempt) bool { return a.Source == SourceBundled }) {
		b.WriteString(embedAdvice)
	}
	return b.String()
}

// Unwrap returns the reasons of all attempts.
func (e *Error) Unwrap() []error {
	errs := make([]error, len(e.Attempts))
	for i, a := range e.Attempts {
		errs[i] = a.Err
	}
	return errs
}
