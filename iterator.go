package py

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"runtime/debug"
	"sync"

	"github.com/pycontext/py/internal/wire"
)

// A source gives Python the items of a Go iterator or channel, one for each call.
type source struct {
	// take returns the next item, false when there is none any more, or an error in its place.
	take func(ctx func() context.Context) (item any, ok bool, err error)

	mu   sync.Mutex
	back []any // was taken, and then dropped on the way to a request that was interrupted
}

// encode writes an iterator over the source. ended is called when Python has dropped it.
func (s *source) encode(e *wire.Encoder, ended func()) {
	e.Standard(wire.KindIterator)
	lend(e, &goFunc{name: "next", lent: true, min: 1, max: 1, body: s.next}, false, ended)
}

// next is the body of the function that returns the next item.
func (s *source) next(f *goFunc, ctx func() context.Context, d *wire.Decoder, e *wire.Encoder) (*raise, error) {
	if _, r, err := f.positional(d); r != nil || err != nil {
		return r, err
	}
	if err := d.Skip(); err != nil {
		return nil, err
	}
	if r, err := f.noKeywords(d); r != nil || err != nil {
		return r, err
	}
	item, ok, err := s.again()
	if !ok {
		item, ok, err = s.take(ctx)
	}
	switch {
	case err != nil:
		r := raiseError(err)
		if r.kind == "StopIteration" { // an error is no end
			r.kind = "RuntimeError"
		}
		return r, nil
	case !ok:
		return &raise{kind: "StopIteration"}, nil
	}
	e.Holds = append(e.Holds, func(read bool) {
		if !read {
			s.mu.Lock()
			s.back = append(s.back, item)
			s.mu.Unlock()
		}
	})
	return answer(f, e, item), nil
}

func (s *source) again() (item any, ok bool, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.back) == 0 {
		return nil, false, nil
	}
	item, s.back = s.back[0], s.back[1:]
	return item, true, nil
}

func encodeChannel(e *wire.Encoder, ch reflect.Value) error {
	if ch.Type().ChanDir()&reflect.RecvDir == 0 {
		return fmt.Errorf("a %s only sends: Python iterates over channels that can be received from", ch.Type())
	}
	s := &source{take: func(ctx func() context.Context) (any, bool, error) {
		v, ok := ch.TryRecv()
		if !v.IsValid() {
			done := ctx()
			var chosen int
			chosen, v, ok = reflect.Select([]reflect.SelectCase{
				{Dir: reflect.SelectRecv, Chan: ch}, {Dir: reflect.SelectRecv, Chan: reflect.ValueOf(done.Done())},
			})
			if chosen == 1 {
				return nil, false, context.Cause(done)
			}
		}
		if !ok {
			return nil, false, nil
		}
		return v.Interface(), true, nil
	}}
	s.encode(e, nil)
	return nil
}

// yields returns how many values an iterator of type t yields for each step, 1 or 2, or 0 if it is none.
func yields(t reflect.Type) int {
	if t.NumIn() != 1 || t.NumOut() != 0 || t.IsVariadic() {
		return 0
	}
	yield := t.In(0)
	if yield.Kind() != reflect.Func || yield.IsVariadic() || yield.NumOut() != 1 || yield.Out(0).Kind() != reflect.Bool || yield.NumIn() > 2 {
		return 0
	}
	return yield.NumIn()
}

func encodeSeq(e *wire.Encoder, v reflect.Value) error {
	p := &puller{turn: make(chan struct{}, 1), ask: make(chan struct{}), items: make(chan pulled), stop: make(chan struct{})}
	if yields(v.Type()) == 1 {
		p.seq = func(yield func(pulled) bool) {
			for item := range v.Seq() {
				if !yield(pulled{item: item.Interface()}) {
					return
				}
			}
		}
	} else {
		p.seq = pairs(v.Seq2(), v.Type().In(0).In(1) == errorType)
	}
	s := &source{take: p.next}
	s.encode(e, func() { close(p.stop) })
	return nil
}

// pairs yields the first of two values where the second is an error, else both as a tuple.
func pairs(seq iter.Seq2[reflect.Value, reflect.Value], fails bool) iter.Seq[pulled] {
	return func(yield func(pulled) bool) {
		for a, b := range seq {
			p := pulled{item: a.Interface()}
			if fails {
				p.err, _ = b.Interface().(error)
			} else {
				p.item = Tuple{p.item, b.Interface()}
			}
			if !yield(p) {
				return
			}
		}
	}
}

// A puller takes the items of an iterator, as [iter.Pull] does, on a goroutine of its own: it is used by any goroutine,
// also by one that is locked to a thread, and who waits for an item can stop waiting. The item is for the next then.
type puller struct {
	seq   iter.Seq[pulled]
	turn  chan struct{} // one element, of who takes an item: what follows is its own
	begun bool
	asked bool // for an item that has not come
	ended bool

	ask   chan struct{}
	items chan pulled
	stop  chan struct{}
}

type pulled struct {
	item any
	err  error
	end  bool
}

func (p *puller) next(ctx func() context.Context) (item any, ok bool, err error) {
	done := ctx()
	select {
	case p.turn <- struct{}{}:
	case <-done.Done():
		return nil, false, context.Cause(done)
	}
	defer func() { <-p.turn }()
	switch {
	case p.ended:
		return nil, false, nil
	case !p.begun:
		p.begun, p.asked = true, true
		go p.run()
	case !p.asked:
		p.ask <- struct{}{}
		p.asked = true
	}
	select {
	case r := <-p.items:
		p.asked, p.ended = false, r.end
		return r.item, !r.end, r.err
	case <-done.Done():
		return nil, false, context.Cause(done)
	}
}

// run runs the iterator, from when it is asked for an item until it is asked for the next, or stopped.
func (p *puller) run() {
	last := pulled{end: true, err: errors.New("a Go iterator ended its goroutine with runtime.Goexit")}
	defer func() {
		if v := recover(); v != nil {
			last.err = &PanicError{Value: v, Stack: debug.Stack(), name: "an iterator"}
		}
		select {
		case p.items <- last:
		case <-p.stop:
		}
	}()
	p.seq(func(item pulled) bool {
		select {
		case p.items <- item:
		case <-p.stop:
			return false
		}
		select {
		case <-p.ask:
			return true
		case <-p.stop:
			return false
		}
	})
	last.err = nil
}
