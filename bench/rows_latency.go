package bench

import (
	"context"
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
	return []row{
		{
			name: callsApart, unit: nanoseconds, figures: spreads, pinned: true, goal: goal{limit: 8000},
			of: calls(100, apart, sqrtWays()),
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

// crowdLatencies measures each call of goroutines that call as fast as they can.
func crowdLatencies(_ *lab, goroutines int, op func(goroutine int) error) probe {
	return func() ([]float64, error) {
		var wg sync.WaitGroup
		each, errs := make([][]float64, goroutines), make([]error, goroutines)
		for g := range goroutines {
			wg.Go(func() { each[g], errs[g] = latencies(100, 0, func() error { return op(g) })() })
		}
		wg.Wait()
		var all []float64
		for g := range goroutines {
			if errs[g] != nil {
				return nil, errs[g]
			}
			all = append(all, each[g]...)
		}
		return all, nil
	}
}
