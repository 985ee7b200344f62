package py

import (
	"context"
	"iter"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/pycontext/py/internal/wire"
)

// A source gives Python the items of a Go iterator or channel, one for each call.
type source struct {
	// take returns the next item, false when there is none any more, or an error in its place.
	take func(ctx func() context.Context) (item any, ok bool, err error)
	// try is take where that need not wait; it reports whether. Nil: it always may.
	try func() (taken, bool)

	mu   sync.Mutex
	back []any // was taken, and then dropped on the way to a request that was interrupted
}

// A taken is an item of a source, or the end of it.
type taken struct {
	item     any
	ok, here bool // it is an item; there is something here
}

// ready takes the next item where it need not be waited for.
func (s *source) ready() (taken, bool) {
	if item, ok, _ := s.again(); ok {
		return taken{item, true, true}, true
	}
	return s.try()
}

// encode writes an iterator over the source. ended is called when Python has dropped it.
func (s *source) encode(e *wire.Encoder, ended func()) {
	e.Standard(wire.KindIterator)
	f := &goFunc{name: "next", lent: true, min: 1, max: 1, body: s.next}
	if s.try != nil {
		f.ready = s.ready
	}
	lend(e, f, false, ended)
}

// next is the body of the function that returns the next item.
func (s *source) next(f *goFunc, ctx func() context.Context, d *wire.Decoder, e *wire.Encoder) (*raise, error) {
	x := d.Scope.(*exchange)
	now := x.taken
	x.taken = taken{}
	if r, err := noArguments(f, d); r != nil || err != nil {
		if now.ok {
			s.giveBack(now.item)
		}
		return r, err
	}
	item, ok, err := now.item, now.ok, error(nil)
	if !now.here {
		item, ok, err = s.again()
	}
	if !now.here && !ok {
		item, ok, err = s.take(ctx)
	}
	switch {
	case err != nil:
		r := raiseError(err)
		if r.kind == "StopIteration" { // an error is no end
			r.kind, r.python = "RuntimeError", nil
		}
		return r, nil
	case !ok:
		return &raise{kind: "StopIteration"}, nil
	}
	e.Holds = append(e.Holds, func(read bool) {
		if !read {
			s.giveBack(item)
		}
	})
	return answer(f, e, item), nil
}

// noArguments reads those that mean nothing.
func noArguments(f *goFunc, d *wire.Decoder) (*raise, error) {
	if _, r, err := f.positional(d); r != nil || err != nil {
		return r, err
	}
	if err := d.Skip(); err != nil {
		return nil, err
	}
	return f.noKeywords(d)
}

func (s *source) giveBack(item any) {
	s.mu.Lock()
	s.back = append(s.back, item)
	s.mu.Unlock()
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

func encodeChannel(e *wire.Encoder, ch reflect.Value) {
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
	if isPlain(ch.Type().Elem()) {
		s.try = func() (taken, bool) {
			v, ok := ch.TryRecv()
			if !ok {
				return taken{here: true}, v.IsValid() // it is closed, or nothing is there
			}
			return taken{v.Interface(), true, true}, true
		}
	}
	s.encode(e, nil)
}

// isPlain reports whether writing a value of a type runs no code of the program's: that may wait, also for Python.
func isPlain(t reflect.Type) bool {
	if isMarshaler(t) || isLive(t) {
		return false
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		return isPlain(t.Elem())
	case reflect.Map:
		return isPlain(t.Key()) && isPlain(t.Elem())
	case reflect.Pointer, reflect.Interface, reflect.Struct: // of structs and what they point to, the common few
		return slices.Contains(standardTypes, t)
	}
	return true
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
	last := pulled{end: true, err: goexitError("a Go iterator")}
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
