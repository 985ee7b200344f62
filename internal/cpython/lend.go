//go:build cgo && (linux || darwin)

package cpython

// #include "stats.h"
import "C"

import (
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/pycontext/py/internal/handle"
)

// lending is memory that Python sees where it is. It stays in its place as long as somebody holds it: what it was lent for,
// and Python's views that outlive that.
type lending struct {
	pinner  runtime.Pinner
	holders atomic.Int32
}

var (
	lendings   handle.Table[lending]
	oldLending = sync.Pool{New: func() any { return new(lending) }}
)

// lend keeps the memory that p points to in its place. The caller holds it, by its number.
func lend(p any) (number, address uint64) {
	l := oldLending.Get().(*lending)
	l.pinner.Pin(p)
	l.holders.Store(1)
	countLent(1)
	return lendings.Add(l), uint64(reflect.ValueOf(p).Pointer())
}

// giveUp lets go of what the caller holds, and returns the emptied slice.
func giveUp(numbers []uint64) []uint64 {
	for _, number := range numbers {
		goReleaseMemory(C.uint64_t(number))
	}
	return numbers[:0]
}

//export goKeepMemory
func goKeepMemory(number C.uint64_t) { lendings.Find(uint64(number)).holders.Add(1) }

//export goReleaseMemory
func goReleaseMemory(number C.uint64_t) {
	l := lendings.Find(uint64(number))
	if l.holders.Add(-1) == 0 {
		lendings.Remove(uint64(number))
		l.pinner.Unpin()
		oldLending.Put(l)
		countLent(-1)
	}
}

func countLent(n int64) { atomic.AddInt64((*int64)(unsafe.Pointer(&C.stats[C.STAT_LENT])), n) }
