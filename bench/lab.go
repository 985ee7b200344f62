package bench

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/pycontext/py"
)

// lab is where rows are measured: what subjects share, and what they have to close.
type lab struct {
	ctx    context.Context
	batch  time.Duration // how long one round of a quick operation takes
	rounds int
	closed []func()       // by a row's end, last first
	shared map[string]any // what is opened once and used by several rows
	atEnd  []func()
}

func newLab(ctx context.Context, rounds int, batch time.Duration) *lab {
	return &lab{ctx: ctx, batch: batch, rounds: rounds, shared: map[string]any{}}
}

// onClose runs f when the row that is being measured is over.
func (l *lab) onClose(f func()) { l.closed = append(l.closed, f) }

func (l *lab) endRow() { l.closed = undo(l.closed) }

func (l *lab) close() {
	l.endRow()
	l.atEnd = undo(l.atEnd)
}

func undo(all []func()) []func() {
	for len(all) > 0 {
		last := len(all) - 1
		all[last]()
		all = all[:last]
	}
	return nil
}

// sharedBy opens something once, or fails the same way each time.
func sharedBy[T any](l *lab, name string, open func() (T, func(), error)) (T, error) {
	type opened struct {
		what T
		err  error
	}
	o, ok := l.shared[name].(opened)
	if !ok {
		var end func()
		o.what, end, o.err = open()
		if o.err == nil {
			l.atEnd = append(l.atEnd, end)
		}
		l.shared[name] = o
	}
	return o.what, o.err
}

func (l *lab) context(mode py.Mode, preload string) (*py.Context, error) {
	return l.contextOf(py.Options{Mode: mode, Preload: preload})
}

// contextOf makes a context for the row.
func (l *lab) contextOf(options py.Options) (*py.Context, error) {
	c, err := py.New(l.ctx, options)
	if errors.Is(err, py.ErrUnsupportedMode) {
		return nil, skipped(err.Error())
	}
	if err == nil {
		l.onClose(func() { _ = c.Close() })
	}
	return c, err
}

// timed measures an operation that is done n times in a row, in nanoseconds for one.
func (l *lab) timed(op func(n int) error) (probe, error) {
	n, err := l.calibrate(op)
	return func() ([]float64, error) {
		if n >= 10 { // what was measured before has left the caches, and perhaps the processor, to something else
			if err := op(n / 10); err != nil {
				return nil, err
			}
		}
		start := time.Now()
		err := op(n)
		return []float64{float64(time.Since(start)) / float64(n)}, err
	}, err
}

// calibrate finds how often an operation is to be done to take as long as a batch. What only the first time costs, or
// another program, does not count: the quicker of two runs does.
func (l *lab) calibrate(op func(n int) error) (int, error) {
	if err := op(1); err != nil {
		return 0, err
	}
	for n := 1; ; n *= 4 {
		var took time.Duration
		for i := range 2 {
			start := time.Now()
			if err := op(n); err != nil {
				return 0, err
			}
			if d := time.Since(start); i == 0 || d < took {
				took = d
			}
		}
		if took > l.batch/4 {
			return max(1, int(float64(n)*float64(l.batch)/float64(took))), nil
		}
	}
}

// repeated makes op of a function that does one thing.
func repeated(f func() error) func(n int) error {
	return func(n int) error {
		for range n {
			if err := f(); err != nil {
				return err
			}
		}
		return nil
	}
}

// latencies measures an operation count times, each by itself, with a pause before each.
func latencies(count int, pause time.Duration, op func() error) probe {
	return func() ([]float64, error) {
		all := make([]float64, count)
		for i := range all {
			if pause > 0 {
				time.Sleep(pause)
			}
			start := time.Now()
			if err := op(); err != nil {
				return nil, err
			}
			all[i] = float64(time.Since(start))
		}
		return all, nil
	}
}

// ownLock is the mode whose contexts share no lock, or the nearest that this Python has.
func ownLock() py.Mode {
	info, err := py.Info()
	if err != nil || len(info.Modes) == 0 {
		return py.OwnGIL
	}
	return info.Modes[len(info.Modes)-1]
}

// settle makes rounds alike: what one leaves behind is not collected in the next.
func settle() { runtime.GC() }
