package main

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
	return []row{
		{
			name: "calls 1 ms apart", unit: nanoseconds, figures: spreads, pinned: true, goal: goal{limit: 8000},
			of: []subject{
				latencyOf(ownLock(), 200, time.Millisecond, nil),
				tripsOf(200, time.Millisecond),
			},
		},
		{
			name: "calls back to back", unit: nanoseconds, figures: spreads, pinned: true,
			of: []subject{latencyOf(ownLock(), 5000, 0, nil), tripsOf(2000, 0)},
		},
		{
			name: "calls while another context burns a processor", unit: nanoseconds, figures: spreads,
			of: []subject{latencyOf(ownLock(), 5000, 0, burnBeside), tripsOf(2000, 0)},
		},
		{
			name: "calls 1 ms apart while another context burns a processor", unit: nanoseconds, figures: spreads,
			of: []subject{latencyOf(ownLock(), 200, time.Millisecond, burnBeside), tripsOf(200, time.Millisecond)},
		},
		{
			name: "worker calls while another worker burns the shared lock", unit: nanoseconds, figures: spreads,
			of: []subject{latencyOf(py.Worker, 100, 0, burnBeside)},
		},
		{
			name: "calls of 100 goroutines on one context", unit: nanoseconds, figures: spreads, pinned: true,
			of: []subject{{ours, func(l *lab) (probe, error) {
				c, err := l.context(ownLock(), "")
				return l.crowdLatencies(100, func() error { return sqrt(l.ctx, c) }), err
			}}},
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

// latencyOf is ours: calls one at a time, beside what the row wants to run beside them.
func latencyOf(mode py.Mode, count int, pause time.Duration, beside func(l *lab, mode py.Mode) error) subject {
	return subject{ours, func(l *lab) (probe, error) {
		c, err := l.context(mode, "")
		if err != nil {
			return nil, err
		}
		if beside != nil {
			if err := beside(l, mode); err != nil {
				return nil, err
			}
		}
		return latencies(count, pause, func() error { return sqrt(l.ctx, c) }), nil
	}}
}

// burnBeside keeps another context busy until the row is over.
func burnBeside(l *lab, mode py.Mode) error {
	c, err := l.context(mode, burnSource)
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

// crowdLatencies measures each call of goroutines that call as fast as they can.
func (l *lab) crowdLatencies(goroutines int, op func() error) probe {
	return func() ([]float64, error) {
		var wg sync.WaitGroup
		each, errs := make([][]float64, goroutines), make([]error, goroutines)
		for g := range goroutines {
			wg.Go(func() { each[g], errs[g] = latencies(200, 0, op)() })
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
