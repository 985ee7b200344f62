package bench

import (
	"github.com/pycontext/py"
	"github.com/pycontext/py/internal/cpython/floor"
)

// floorRows are what no way of running Python from Go can do without.
func floorRows() []row {
	return []row{
		{
			name: "empty cgo call", unit: nanoseconds, pinned: true,
			of: []subject{{floorName, func(l *lab) (probe, error) { return l.timed(emptyCalls) }}},
		},
		{
			name: "there and back between two threads that sleep (futex)", unit: nanoseconds, pinned: true,
			of: []subject{{floorName, handOver(false)}},
		},
		{
			name: "there and back between two threads that spin", unit: nanoseconds, pinned: true,
			of: []subject{{floorName, handOver(true)}},
		},
		{
			name: "math.sqrt called from C, lock held", unit: nanoseconds, pinned: true,
			of: []subject{floorOf((*floor.Floor).Calls)},
		},
		{
			name: "math.sqrt called from C, lock taken and let go", unit: nanoseconds, pinned: true,
			of: []subject{floorOf((*floor.Floor).ReleasedCalls)},
		},
		{
			name: "math.sqrt called from C, a crossing from Go for each", unit: nanoseconds, pinned: true,
			of: []subject{floorOf(crossings)},
		},
	}
}

func emptyCalls(n int) error {
	for range n {
		floor.EmptyCall()
	}
	return nil
}

func handOver(spin bool) func(l *lab) (probe, error) {
	return func(l *lab) (probe, error) {
		trips, err := floor.NewTrips(spin)
		if err != nil {
			return nil, err
		}
		l.onClose(trips.Close)
		return l.timed(trips.Run)
	}
}

func crossings(f *floor.Floor, n int) error {
	return repeated(func() error { return f.Calls(1) })(n)
}

// sqrtAttached is the call within Attach, by Go.
func sqrtAttached(a *py.Attached, _ *floor.Floor, n int) error {
	math, err := a.Import("math")
	if err != nil {
		return err
	}
	defer math.Release()
	sqrt, err := math.Attr("sqrt")
	if err != nil {
		return err
	}
	defer sqrt.Release()
	for range n {
		if _, err := py.CallRef[float64](sqrt, 16.0); err != nil {
			return err
		}
	}
	return nil
}
