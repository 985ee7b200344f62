package bench

import (
	"context"
	"time"

	"github.com/pycontext/py"
	"github.com/pycontext/py/internal/cpython/floor"
)

// A way is how an operation is done, whatever is measured about it: ours, or an alternative. Open gives an operation that
// any goroutine may do; those of different numbers have nothing in common.
type way struct {
	name string
	open func(l *lab, number int) (op func() error, err error)
}

// on is ours: an operation on a context of its own.
func on(mode func() py.Mode, preload string, op func(ctx context.Context, c *py.Context) error) way {
	return way{ours, func(l *lab, _ int) (func() error, error) {
		c, err := l.context(mode(), preload)
		return func() error { return op(l.ctx, c) }, err
	}}
}

// worker is the mode whose contexts share the main interpreter.
func worker() py.Mode { return py.Worker }

// timed measures operations back to back.
func (w way) timed() subject {
	return subject{w.name, func(l *lab) (probe, error) {
		op, err := w.open(l, 0)
		if err != nil {
			return nil, err
		}
		return l.timed(repeated(op))
	}}
}

// latencies measures each operation by itself, with a pause before it, and what the row wants to run beside it.
func (w way) latencies(count int, pause time.Duration) subject {
	return subject{w.name, func(l *lab) (probe, error) {
		op, err := w.open(l, 0)
		return latencies(count, pause, op), err
	}}
}

// crowd is goroutines that do the operation as fast as they can, each on one of several contexts or processes, or, where those are
// more, on one after the other.
func (w way) crowd(goroutines, several int, measure func(l *lab, goroutines int, op func(goroutine int) error) probe) subject {
	return subject{w.name, func(l *lab) (probe, error) {
		ops := make([]func() error, several)
		for i := range ops {
			var err error
			if ops[i], err = w.open(l, i); err != nil {
				return nil, err
			}
		}
		if goroutines >= several {
			return measure(l, goroutines, func(g int) error { return ops[g%several]() }), nil
		}
		turns := make([]int, goroutines)
		return measure(l, goroutines, func(g int) error {
			turns[g] += goroutines
			return ops[(g+turns[g])%several]()
		}), nil
	}}
}

// each makes subjects of ways.
func each(measure func(way) subject, ways ...way) []subject {
	all := make([]subject, len(ways))
	for i, w := range ways {
		all[i] = measure(w)
	}
	return all
}

// sqrtWays are the ways to call math.sqrt; ours is the first.
func sqrtWays() []way {
	return append([]way{on(ownLock, "", sqrt), overChannel(sqrtInC)}, askedEach(sqrtOf)...)
}

func sqrtOf(s service) error {
	var root float64
	return s.call("math.sqrt", &root, 16.0)
}

func sqrtInC(f *floor.Floor) error { return f.Calls(1) }
