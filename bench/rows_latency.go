package bench

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/pycontext/py"
	"github.com/pycontext/py/internal/cpython/floor"
)

const burnSource = `
def burn():
    while True:
        pass
`

func latencyRows() []row {
	const apart = time.Millisecond
	calls := func(count int, pause time.Duration, ways []way) []subject {
		return append(each(func(w way) subject { return w.latencies(count, pause) }, ways...), tripsOf(count, pause))
	}
	spinning := way{ours, func(l *lab, _ int) (func() error, error) {
		c, err := l.contextOf(py.Options{Mode: ownLock(), Spin: 2 * apart})
		return func() error { return sqrt(l.ctx, c) }, err
	}}
	return []row{
		{
			name: callsApart, unit: nanoseconds, figures: spreads, pinned: true, goal: goal{limit: 8000},
			of: calls(100, apart, sqrtWays()),
		},
		{
			name: "calls 1 ms apart, a processor left to Python", unit: nanoseconds, figures: spreads, goal: goal{limit: 8000},
			beside: leaveProcessor, of: calls(100, apart, sqrtWays()[:1]),
		},
		{
			name: "calls 1 ms apart, a processor left to Python, Spin 2 ms", unit: nanoseconds, figures: spreads,
			goal: goal{limit: 8000}, beside: leaveProcessor, of: calls(100, apart, []way{spinning}),
		},
		{
			name: callsInARow, unit: nanoseconds, figures: spreads, pinned: true,
			of: calls(2000, 0, sqrtWays()),
		},
		{
			name: "calls while another context burns a processor", unit: nanoseconds, figures: spreads, beside: burn(ownLock),
			of: calls(2000, 0, sqrtWays()),
		},
		{
			name: "calls 1 ms apart while another context burns a processor", unit: nanoseconds, figures: spreads,
			beside: burn(ownLock), of: calls(100, apart, sqrtWays()),
		},
		{
			name: "worker calls while another worker burns the shared lock", unit: nanoseconds, figures: spreads,
			beside: burn(worker), of: []subject{on(worker, "", sqrt).latencies(100, 0)},
		},
		{
			name: "calls of 100 goroutines on one context", unit: nanoseconds, figures: spreads, pinned: true,
			of: each(func(w way) subject { return w.crowd(100, 1, crowdLatencies) }, sqrtWays()...),
		},
		{
			name: "calls of 100 goroutines on one context, a processor left to Python", unit: nanoseconds, figures: spreads,
			beside: leaveProcessor, of: each(func(w way) subject { return w.crowd(100, 1, crowdLatencies) }, sqrtWays()[:1]...),
		},
	}
}

// tripsOf is the floor: a thread that sleeps is woken, and wakes the first.
func tripsOf(count int, pause time.Duration) subject {
	return subject{floorName, func(l *lab) (probe, error) {
		trips, err := floor.NewTrips(false)
		if err != nil {
			return nil, err
		}
		l.onClose(trips.Close)
		return latencies(count, pause, func() error { return trips.Run(1) }), nil
	}}
}

// leaveProcessor has Go use all processors but one until the row is over. Otherwise its scheduler wakes a second thread together
// with a goroutine that slept, and that one takes the processor that Python is to run on.
func leaveProcessor(l *lab) error {
	before := runtime.GOMAXPROCS(max(1, runtime.NumCPU()-1))
	l.onClose(func() { runtime.GOMAXPROCS(before) })
	return nil
}

// burn keeps another context busy until the row is over.
func burn(mode func() py.Mode) func(l *lab) error {
	return func(l *lab) error {
		c, err := l.context(mode(), burnSource)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(l.ctx)
		over := make(chan struct{})
		go func() {
			_, _ = c.Call(ctx, "__main__", "burn")
			close(over)
		}()
		l.onClose(func() {
			cancel()
			<-over
		})
		return nil
	}
}

// crowdLatencies measures each call of goroutines that call as fast as they can. Those of the first half do not count, in which some
// have not begun.
func crowdLatencies(l *lab, goroutines int, op func(goroutine int) error) probe {
	return func() ([]float64, error) {
		var wg sync.WaitGroup
		each, errs := make([][]float64, goroutines), make([]error, goroutines)
		counts := time.Now().Add(2 * l.batch)
		end := counts.Add(2 * l.batch)
		for g := range goroutines {
			wg.Go(func() {
				for begun := time.Now(); errs[g] == nil && begun.Before(end); {
					errs[g] = op(g)
					now := time.Now()
					if begun.After(counts) {
						each[g] = append(each[g], float64(now.Sub(begun)))
					}
					begun = now
				}
			})
		}
		wg.Wait()
		return slices.Concat(each...), errors.Join(errs...)
	}
}
