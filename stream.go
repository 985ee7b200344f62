package py

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/pycontext/py/internal/wire"
)

// Stream calls a function, as [Call], and ranges over the items of what it returns: a generator or anything else that
// Python can iterate over.
//
//	for line, err := range py.Stream[string](ctx, c, "__main__", "read_lines", name) {
//		if err != nil {
//			return err
//		}
//		...
//	}
//
// Each range over it makes the call again. Items come in batches, which are small when items are slow, so that none waits
// for the next ones; Python does not run ahead of the loop by more than one batch, which is at most 1024 items. An
// exception comes as the error of a last step, after the items before it, and so does an item that is no T, or the end of
// ctx.
//
// Leaving the loop closes a generator: its finally blocks run before the loop is left. An exception in there has nowhere
// to go, and Python prints it. When ctx ends, it is closed after that. The body of the loop may use the context, and a
// Stream may be used within a callback's chain.
func Stream[T any](ctx context.Context, r Runner, module, function string, args ...any) iter.Seq2[T, error] {
	return stream[T](ctx, r, request{verb: wire.VerbCall, module: module, name: function}, args...)
}

// StreamEval is [Stream] over the value of an expression, as of [Eval].
func StreamEval[T any](ctx context.Context, r Runner, expr string, vars ...Vars) iter.Seq2[T, error] {
	return stream[T](ctx, r, request{verb: wire.VerbEval, name: expr, vars: vars})
}

// StreamObject is [Stream] over the items of an object. A generator goes on where it is, and is closed when the loop is
// left; another object is iterated over from its start.
func StreamObject[T any](ctx context.Context, o *Object) iter.Seq2[T, error] {
	return stream[T](ctx, o.runner(), request{verb: wire.VerbValue, object: o})
}

// A batch says how much a request of a stream may bring at most.
type batch struct {
	items uint64 // 0 closes the iterator instead
	time  time.Duration
	bytes uint64
}

const (
	batchItems = 1024
	batchTime  = time.Millisecond
	batchBytes = 48 << 10
)

func (b batch) write(e *wire.Encoder) {
	e.Uvarint(b.items)
	e.Uint64(uint64(b.time))
	e.Uint64(b.bytes)
}

func stream[T any](ctx context.Context, r Runner, source request, args ...any) iter.Seq2[T, error] {
	s := streaming[T]{read: wire.Decode[T]}
	s.want, s.fields = wantOf[T]()
	return s.of(ctx, r, source, args)
}

// A streaming is how items travel, and how they are read.
type streaming[T any] struct {
	want   wire.Want
	fields wire.Fields
	read   func(*wire.Decoder) (T, error)
}

// of ranges over the items of what a request returns.
func (how streaming[T]) of(ctx context.Context, r Runner, source request, args []any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		q := source
		q.want = wire.WantIter
		over, err := run[*Object](ctx, r, &q, args...)
		if err != nil {
			yield(zero, err)
			return
		}
		s := &stepper[T]{streaming: how, ctx: ctx, over: over}
		defer s.close()
		for !s.ended {
			err := s.step()
			for _, item := range s.items {
				if !yield(item, nil) {
					return
				}
			}
			if err != nil {
				yield(zero, err)
				return
			}
		}
	}
}

// A stepper fetches the items of an iterator.
type stepper[T any] struct {
	streaming[T]
	ctx  context.Context
	over *Object

	items []T  // of the last batch
	index int  // of the next item
	quick int  // items since one was slow
	ended bool // the iterator has no more to give
}

// step fetches the next batch. With an error, the items before it are there.
//
// A batch grows with what has come quickly: one sixteenth of it. A generator that yields a few items and then waits is so
// asked for one at a time, and none is held back while it waits.
func (s *stepper[T]) step() error {
	clear(s.items)
	s.items = s.items[:0]
	q := &request{verb: wire.VerbNext, want: s.want, fields: s.fields, object: s.over}
	q.batch = batch{uint64(min(1+s.quick/16, batchItems)), batchTime, batchBytes}
	start := time.Now()
	answer, err := sendTo(s.ctx, s.over.context, q, nil)
	if err != nil {
		return begun(err)
	}
	defer answer.release()
	if err := s.take(answer.decoder); err != nil {
		return err
	}
	if s.quick += len(s.items); time.Since(start) > batchTime {
		s.quick = 0
	}
	return nil
}

// take reads all of a batch, also behind an item that is no T.
func (s *stepper[T]) take(d *wire.Decoder) (err error) {
	if status, _ := d.Byte(); wire.Status(status) != wire.StatusItems {
		s.ended = true
		return decodeFailure(d, wire.Status(status))
	}
	n, err := d.Count(wire.TagList)
	if err != nil {
		return conversionError("items", err)
	}
	for ; n > 0 && err == nil; n-- {
		var item T
		if item, err = s.read(d); err == nil {
			s.items = append(s.items, item)
			s.index++
		}
	}
	if err != nil {
		err = conversionError(s.place(), err)
	}
	for ; n > 0; n-- {
		d.Skip()
	}
	ended, end := decodeEnd(d, s.place())
	if s.ended = ended; err == nil {
		err = end
	}
	return err
}

func (s *stepper[T]) place() string { return fmt.Sprintf("items[%d]", s.index) }

// decodeEnd reads what is behind the items of a result: whether the iterator is through, and the error that came instead
// of the next item, which is to be at that place.
func decodeEnd(d *wire.Decoder, place string) (ended bool, err error) {
	end, _ := d.Byte()
	switch wire.End(end) {
	case wire.EndMore:
		return false, nil
	case wire.EndAll:
		return true, nil
	case wire.EndRaised:
		return true, decodeError(d)
	}
	return false, decodeMisfit(d, place)
}

// close closes the iterator if it is not through, and lets it go. It waits for that, unless the caller waits for nothing
// any more.
func (s *stepper[T]) close() {
	switch {
	case s.ended:
		s.over.Close()
	case s.ctx.Err() == nil:
		s.closeWith(s.ctx)
	default:
		go s.closeWith(context.WithoutCancel(s.ctx))
	}
}

func (s *stepper[T]) closeWith(ctx context.Context) {
	run[any](ctx, s.over.context, &request{verb: wire.VerbNext, want: wire.WantNone, object: s.over})
	s.over.Close() // gone already, where that was done
}
