package main

import (
	"context"
	"math"
	"slices"
	"sync"
)

// The limits of what is held in memory: items that were read and not put out, bytes of inputs that wait for a worker,
// and bytes of results that wait for the one before them.
const (
	maxItems = 4096
	maxBytes = 64 << 20
)

// flow carries items from the reader to the workers, and results from them to the output, in the order of the input or
// as they come. It makes the reader and the workers wait while too much is held. The first item that is not finished is
// exempt, so that there is always one that goes on. Any goroutine may use it.
type flow struct {
	ordered bool
	put     func(line []byte) // called one at a time

	mu      sync.Mutex
	reader  sync.Cond // waits for room
	workers sync.Cond // wait for items, and for room

	read      int64  // items that were read
	over      int64  // items that were put out
	waiting   []item // for a worker
	returned  []item // by a worker, likewise; all are before those in waiting
	inputSize int64  // bytes of what is not finished
	complete  bool   // there is no more to be read

	next     int64 // the first item that is not put out, if ordered
	last     place // of the one before it
	kept     map[int64]result
	keptSize int64 // bytes

	limit   int64 // items from this one on are not wanted
	halted  bool  // no item is
	running map[int64]context.CancelCauseFunc
}

// result is a finished item: a line of output, or nil if it failed.
type result struct {
	place place
	line  []byte
}

func newFlow(ordered bool, put func(line []byte)) *flow {
	f := &flow{
		ordered: ordered,
		put:     put,
		kept:    map[int64]result{},
		limit:   math.MaxInt64,
		running: map[int64]context.CancelCauseFunc{},
	}
	f.reader.L, f.workers.L = &f.mu, &f.mu
	return f
}

// offer hands an item to the workers, once there is room. It returns false when no more items are wanted.
func (f *flow) offer(it item) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full(maxItems) {
		for f.full(maxItems * 3 / 4) { // some way below the limit, so as not to wake up for each item
			f.reader.Wait()
		}
	}
	if f.halted || it.number >= f.limit {
		return false
	}
	f.read++
	f.inputSize += int64(len(it.raw))
	f.waiting = append(f.waiting, it)
	f.workers.Signal()
	return true
}

func (f *flow) full(items int64) bool {
	return !f.halted && f.limit == math.MaxInt64 && (f.read-f.over >= items || f.inputSize >= maxBytes)
}

// end says that there are no more items.
func (f *flow) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.complete = true
	f.workers.Broadcast()
}

// take waits for items, and returns up to most of them. It returns none when there will be none.
func (f *flow) take(most int) []item {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		from := &f.waiting
		if len(f.returned) > 0 {
			from = &f.returned
		}
		switch {
		case f.halted || len(*from) == 0 && f.dry():
			return nil
		case len(*from) > 0 && (*from)[0].number >= f.limit:
			return nil
		case len(*from) > 0 && f.room((*from)[0]):
			return cutOff(from, most)
		}
		f.workers.Wait()
	}
}

// room tells whether a result of an item may be kept. The results of the items that run are over and above.
func (f *flow) room(it item) bool {
	return !f.ordered || it.number == f.next || f.keptSize < maxBytes
}

// dry tells whether nothing more comes to workers: all is read, and none of them may give anything back. Where there is a
// limit they have one item at a time, and all before it was read before it.
func (f *flow) dry() bool { return f.limit != math.MaxInt64 || f.complete && f.unfinished() == 0 }

// unfinished is how many items a worker may still return.
func (f *flow) unfinished() int64 { return f.read - f.over - int64(len(f.kept)) }

// cutOff takes items off the front, and leaves nothing of them there to be kept in memory.
func cutOff(from *[]item, most int) []item {
	n := min(most, len(*from))
	taken := slices.Clone((*from)[:n])
	clear((*from)[:n])
	*from = (*from)[n:]
	return taken
}

// giveBack returns items that a worker took, for any worker.
func (f *flow) giveBack(items []item) {
	if len(items) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.returned = append(f.returned, items...)
	slices.SortFunc(f.returned, func(a, b item) int { return int(a.number - b.number) })
	f.workers.Broadcast()
}

// guard arranges for cancel to be called when a running item is not wanted any more. It returns false when that is so
// already.
func (f *flow) guard(number int64, cancel context.CancelCauseFunc) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running[number] = cancel
	return !f.halted && number < f.limit
}

// finish takes the results of items; those of failed ones are nil.
func (f *flow) finish(items []item, lines [][]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, it := range items {
		delete(f.running, it.number)
		f.inputSize -= int64(len(it.raw))
		f.accept(it.number, result{it.place, lines[i]})
	}
	if f.read-f.over <= maxItems*3/4 && f.inputSize < maxBytes {
		f.reader.Signal()
	}
	if f.complete && f.unfinished() == 0 {
		f.workers.Broadcast()
	}
}

func (f *flow) accept(number int64, r result) {
	if f.ordered && number != f.next {
		f.kept[number] = r
		f.keptSize += int64(len(r.line))
		return
	}
	f.release(r)
	if !f.ordered {
		return
	}
	for number++; number < f.limit; number++ {
		r, ok := f.kept[number]
		if !ok {
			break
		}
		delete(f.kept, number)
		f.keptSize -= int64(len(r.line))
		f.release(r)
	}
	f.workers.Broadcast() // for those that wait for room
}

func (f *flow) release(r result) {
	f.next++
	f.over++
	f.last = r.place
	if r.line != nil {
		f.put(r.line)
	}
}

// cut makes an item the last that matters: those behind it are cancelled, those before it go on. It returns false when an
// earlier one was made that before.
func (f *flow) cut(number int64, cause error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if number >= f.limit {
		return false
	}
	f.limit = number
	for other, cancel := range f.running {
		if other > number {
			cancel(cause)
		}
	}
	f.wakeAll()
	return true
}

// halt ends the flow: no more items are read or taken.
func (f *flow) halt() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.halted = true
	f.wakeAll()
}

func (f *flow) wakeAll() {
	f.reader.Broadcast()
	f.workers.Broadcast()
}

// position is how many items were put out, and the place of the last one.
func (f *flow) position() (int64, place) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.over, f.last
}
