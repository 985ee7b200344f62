package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pycontext/py"
)

const workSource = `
def work(n):
    x = 0
    for i in range(n):
        x ^= i
    return x
`

// parallelTime is how long a measured run takes: shorter ones often land on one processor.
const parallelTime = 2 * time.Second

func parallelRows() []row {
	return []row{
		{
			name: "CPU-bound work on two own-lock contexts, against one", unit: times, goal: goal{limit: 1.9}, rounds: 3,
			of: []subject{{ours, speedup(contextWorkers)}, {floorName, speedup(goWorkers)}},
		},
	}
}

// speedup measures how much faster two workers are than one, at work that takes one worker about parallelTime.
func speedup(open func(l *lab) ([2]func(n int) error, error)) func(l *lab) (probe, error) {
	return func(l *lab) (probe, error) {
		if runtime.GOMAXPROCS(0) < 2 {
			return nil, skipped("there is one processor only")
		}
		workers, err := open(l)
		if err != nil {
			return nil, err
		}
		n, err := l.calibrate(workers[0])
		if err != nil {
			return nil, err
		}
		n = int(float64(n) * float64(parallelTime) / float64(l.batch))
		return func() ([]float64, error) {
			alone, err := timeOf(workers[:1], n)
			if err != nil {
				return nil, err
			}
			both, err := timeOf(workers[:], n)
			return []float64{2 * alone / both}, err
		}, nil
	}
}

// timeOf runs workers at the same time, and returns when the last is done.
func timeOf(workers []func(n int) error, n int) (float64, error) {
	var wg sync.WaitGroup
	errs := make([]error, len(workers))
	start := time.Now()
	for i, work := range workers {
		wg.Go(func() { errs[i] = work(n) })
	}
	wg.Wait()
	took := time.Since(start)
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return float64(took), nil
}

func contextWorkers(l *lab) (workers [2]func(n int) error, err error) {
	for i := range workers {
		c, err := l.context(py.OwnGIL, workSource)
		if err != nil {
			return workers, err
		}
		workers[i] = func(n int) error {
			_, err := py.Call[int](l.ctx, c, "__main__", "work", n)
			return err
		}
	}
	return workers, nil
}

// goWorkers are goroutines that compute: what the machine has to give.
func goWorkers(*lab) (workers [2]func(n int) error, _ error) {
	for i := range workers {
		workers[i] = func(n int) error {
			x := uint64(1)
			for range n {
				x ^= x << 13
				x ^= x >> 7
				x ^= x << 17
			}
			sink.Store(&x)
			return nil
		}
	}
	return workers, nil
}

var sink atomic.Pointer[uint64] // keeps the compiler from leaving the work out
