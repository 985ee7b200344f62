package py

import (
	"sync"

	"github.com/pycontext/py/internal/cpython"
)

// goErrors keeps the Go errors that are inside Python exceptions, by number, each as long as an exception holds it or
// a record on its way to Go names it.
var goErrors = struct {
	mu   sync.Mutex
	last uint64
	kept map[uint64]*keptError
}{kept: map[uint64]*keptError{}}

type keptError struct {
	err  error
	uses int
}

func init() { keepError = keep }

func keep(err error) uint64 {
	goErrors.mu.Lock()
	defer goErrors.mu.Unlock()
	goErrors.last++
	goErrors.kept[goErrors.last] = &keptError{err, 1}
	cpython.CountErrors(1)
	return goErrors.last
}

// retainError is for a record that names the error: takeError ends it.
func retainError(number uint64) {
	goErrors.mu.Lock()
	defer goErrors.mu.Unlock()
	if k := goErrors.kept[number]; k != nil {
		k.uses++
	}
}

func releaseError(number uint64) { takeError(number) }

func takeError(number uint64) error {
	goErrors.mu.Lock()
	defer goErrors.mu.Unlock()
	k := goErrors.kept[number]
	if k == nil {
		return nil
	}
	if k.uses--; k.uses == 0 {
		delete(goErrors.kept, number)
		cpython.CountErrors(-1)
	}
	return k.err
}
