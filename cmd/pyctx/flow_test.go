package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// put collects what a flow puts out.
type put struct {
	mu    sync.Mutex
	lines []string
}

func (p *put) line(line []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, string(line))
}

func (p *put) all() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, " ")
}

func offer(f *flow, n int) {
	for i := range n {
		f.offer(item{number: int64(i), raw: []byte{byte(i)}, place: place{"f", int64(i + 1)}})
	}
}

func done(f *flow, items ...item) {
	for _, it := range items {
		f.finish([]item{it}, [][]byte{fmt.Append(nil, it.number)})
	}
}

func TestFlowOrder(t *testing.T) {
	for _, c := range []struct {
		ordered bool
		want    string
	}{{true, "0 1 2 3"}, {false, "2 0 3 1"}} {
		var p put
		f := newFlow(c.ordered, p.line)
		offer(f, 4)
		f.end()
		items := f.take(3)
		items = append(items, f.take(3)...)
		done(f, items[2], items[0], items[3], items[1])
		if got := p.all(); got != c.want {
			t.Errorf("ordered %v: got %s, want %s", c.ordered, got, c.want)
		}
		if rest := f.take(1); rest != nil {
			t.Errorf("ordered %v: %v is left", c.ordered, rest)
		}
	}
}

// TestFlowGivesBack has items come back from a worker: the next one takes them before any other.
func TestFlowGivesBack(t *testing.T) {
	var p put
	f := newFlow(true, p.line)
	offer(f, 6)
	f.end()
	first, second := f.take(2), f.take(2)
	f.giveBack(second)
	f.giveBack(first[1:])
	if again := f.take(10); len(again) != 3 || again[0].number != 1 || again[2].number != 3 {
		t.Fatalf("got %v", again)
	} else {
		done(f, again...)
	}
	done(f, first[0])
	done(f, f.take(10)...)
	if got := p.all(); got != "0 1 2 3 4 5" {
		t.Errorf("got %s", got)
	}
}

// TestFlowFailed has an item without a result: it has no line, and holds up nothing.
func TestFlowFailed(t *testing.T) {
	var p put
	f := newFlow(true, p.line)
	offer(f, 3)
	items := f.take(3)
	f.finish(items[:1], [][]byte{nil})
	done(f, items[1])
	if over, last := f.position(); over != 2 || last.line != 2 || p.all() != "1" {
		t.Errorf("got %d, %v, %s", over, last, p.all())
	}
}

func TestFlowCut(t *testing.T) {
	var p put
	f := newFlow(true, p.line)
	offer(f, 6)
	items := f.take(4)
	causes := make([]error, 4)
	for i := range items {
		ctx, cancel := context.WithCancelCause(t.Context())
		if !f.guard(items[i].number, cancel) {
			t.Fatal("an item is not wanted")
		}
		defer func() {
			if cause := context.Cause(ctx); cause != causes[i] {
				t.Errorf("item %d: got %v, want %v", i, cause, causes[i])
			}
		}()
	}
	done(f, items[0])
	if !f.cut(2, errCut) || f.cut(3, errCut) {
		t.Error("the cut is not at the first that fails")
	}
	causes[3] = errCut
	if f.guard(3, nil) || f.offer(item{number: 6}) {
		t.Error("an item behind the cut is wanted")
	}
	if rest := f.take(1); rest != nil {
		t.Errorf("%v is to be run", rest)
	}
	done(f, items[3], items[1])
	if got := p.all(); got != "0 1" {
		t.Errorf("got %s", got)
	}
}

// TestFlowCutEndsAll has every item with workers when one fails: the others do not wait for more.
func TestFlowCutEndsAll(t *testing.T) {
	var p put
	f := newFlow(true, p.line)
	offer(f, 2)
	f.end()
	f.take(2)
	f.cut(0, errCut)
	over := make(chan []item)
	go func() { over <- f.take(1) }()
	select {
	case rest := <-over:
		if rest != nil {
			t.Errorf("%v is to be run", rest)
		}
	case <-time.After(patience):
		t.Error("a worker waits for ever")
	}
}

// TestFlowHalt ends those that wait.
func TestFlowHalt(t *testing.T) {
	f := newFlow(true, (&put{}).line)
	offer(f, maxItems)
	var group sync.WaitGroup
	group.Go(func() {
		if f.offer(item{number: maxItems}) {
			t.Error("the reader goes on")
		}
	})
	f.take(maxItems)
	group.Go(func() {
		if items := f.take(1); items != nil {
			t.Errorf("a worker got %v", items)
		}
	})
	time.Sleep(10 * time.Millisecond)
	f.halt()
	group.Wait()
}

// TestFlowHolds checks the limits of what is held, and that the first item that is not finished may always go on.
func TestFlowHolds(t *testing.T) {
	f := newFlow(true, (&put{}).line)
	offer(f, maxItems)
	more := make(chan bool)
	go func() { more <- f.offer(item{number: maxItems}) }()
	select {
	case <-more:
		t.Fatal("the reader does not wait")
	case <-time.After(20 * time.Millisecond):
	}
	first := f.take(maxItems/2 + 1)
	done(f, first[1:]...)
	select {
	case <-more:
		t.Fatal("the reader does not wait for the first item")
	case <-time.After(20 * time.Millisecond):
	}
	done(f, first[0])
	if !<-more {
		t.Error("the reader does not go on")
	}

	f = newFlow(true, (&put{}).line)
	offer(f, 4)
	items := f.take(3)
	f.finish(items[1:2], [][]byte{make([]byte, maxBytes)})
	last := make(chan []item)
	go func() { last <- f.take(1) }()
	select {
	case <-last:
		t.Fatal("a worker does not wait while too much is held")
	case <-time.After(20 * time.Millisecond):
	}
	f.giveBack(items[:1])
	if got := <-last; len(got) != 1 || got[0].number != 0 {
		t.Errorf("got %v, want the first item", got)
	}
}

// TestFlowHammer has workers take, give back and finish at random.
func TestFlowHammer(t *testing.T) {
	const n = 50_000
	for _, ordered := range []bool{true, false} {
		var p put
		f := newFlow(ordered, p.line)
		go func() {
			offer(f, n)
			f.end()
		}()
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for items := f.take(1 + rand.IntN(50)); items != nil; items = f.take(1 + rand.IntN(50)) {
					keep := rand.IntN(len(items) + 1)
					f.giveBack(items[keep:])
					done(f, items[:keep]...)
				}
			})
		}
		group.Wait()
		var want []string
		for i := range n {
			want = append(want, fmt.Sprint(i))
		}
		if !ordered {
			slices.Sort(p.lines)
			slices.Sort(want)
		}
		if !slices.Equal(p.lines, want) {
			t.Errorf("ordered %v: %d lines, want each of %d once, in order", ordered, len(p.lines), n)
		}
	}
}

func TestReport(t *testing.T) {
	for _, c := range []struct {
		err    error
		text   string
		status int
	}{
		{nil, "", 0},
		{silent(0), "", 0},
		{silent(7), "", 7},
		{failedf("py: it is %d", 1), "pyctx: it is 1\n", 1},
		{errors.New("what?"), "pyctx: what?\nRun 'pyctx map --help' for usage.\n", 2},
		{&exit{2, errors.New("what?")}, "pyctx: what?\n", 2},
	} {
		var b strings.Builder
		if got := report(&b, "pyctx map", c.err); got != c.status || b.String() != c.text {
			t.Errorf("%v: got %d and %q, want %d and %q", c.err, got, b.String(), c.status, c.text)
		}
	}
}
