// Package floor does in plain C API what package py is for, so that bench/ can tell what that costs at least: calls,
// evaluations, callbacks and conversions on one thread, and the hand-over to another thread without any Python.
//
// It uses the CPython that internal/cpython has loaded, from within Context.Attach.
package floor

import "errors"

// ErrFailed says that an operation failed; C has printed why.
var ErrFailed = errors.New("the floor does not hold: see above")
