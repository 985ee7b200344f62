package cpython

import "sync"

// table gives Go values the numbers by which C names them. 0 is nothing's number.
type table[T any] struct {
	mu    sync.RWMutex
	items []T
	free  []uint64
}

func (t *table[T]) add(item T) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.free); n > 0 {
		i := t.free[n-1]
		t.free = t.free[:n-1]
		t.items[i-1] = item
		return i
	}
	t.items = append(t.items, item)
	return uint64(len(t.items))
}

// find returns the zero value for a number that is not in use.
func (t *table[T]) find(i uint64) (item T) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if i == 0 || i > uint64(len(t.items)) {
		return item
	}
	return t.items[i-1]
}

func (t *table[T]) remove(i uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var zero T
	t.items[i-1] = zero
	t.free = append(t.free, i)
}
