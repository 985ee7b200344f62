// Package handle gives Go values the numbers by which C names them.
package handle

import (
	"sync"
	"sync/atomic"
)

// A Table is ready to use when it is zero. Its methods may be called by any number of goroutines.
type Table[T any] struct {
	slots atomic.Pointer[[]*slot[T]]

	mu   sync.Mutex // what follows, and changes
	free []uint32
}

// A slot has one value after the other, each under a number of its own.
type slot[T any] struct {
	value  atomic.Pointer[T]
	number atomic.Uint64 // set before the value
}

// A number has the place of the slot, counted from 1, below the count of the slot's uses.
const placeBits = 32

// Add returns a number for a value, which must not be nil. It is never 0, and one that no other value had in four thousand
// million uses of its slot.
func (t *Table[T]) Add(value *T) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.free)
	if n == 0 {
		t.grow()
		n = 1
	}
	place := t.free[n-1]
	t.free = t.free[:n-1]
	s := (*t.slots.Load())[place-1]
	number := s.number.Load() + 1<<placeBits
	s.number.Store(number)
	s.value.Store(value)
	return number
}

// grow adds a slot. Those who read the old slice do not see behind its end.
func (t *Table[T]) grow() {
	var slots []*slot[T]
	if old := t.slots.Load(); old != nil {
		slots = *old
	}
	s := new(slot[T])
	place := uint32(len(slots) + 1)
	s.number.Store(uint64(place))
	slots = append(slots, s)
	t.slots.Store(&slots)
	t.free = append(t.free, place)
}

// Find returns the value of a number, or nil when it is not in use. It takes no lock.
func (t *Table[T]) Find(number uint64) *T {
	slots, place := t.slots.Load(), uint32(number)
	if slots == nil || place-1 >= uint32(len(*slots)) {
		return nil
	}
	s := (*slots)[place-1]
	if value := s.value.Load(); s.number.Load() == number {
		return value
	}
	return nil
}

// Remove ends the use of a number and returns its value, or nil when it was not in use.
func (t *Table[T]) Remove(number uint64) *T {
	t.mu.Lock()
	defer t.mu.Unlock()
	value := t.Find(number)
	if value != nil {
		(*t.slots.Load())[uint32(number)-1].value.Store(nil)
		t.free = append(t.free, uint32(number))
	}
	return value
}
