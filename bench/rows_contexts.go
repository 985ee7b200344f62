package bench

import (
	"context"
	"fmt"
	"os"
	osexec "os/exec"
	"strings"
	"time"

	"github.com/pycontext/py"
	"github.com/pycontext/py/internal/cpython/floor"
)

const (
	crowdOfContexts = 20
	idleContexts    = 100
	idleTime        = 2 * time.Second
)

func contextRows() []row {
	return []row{
		{
			name: "making an own-lock context", unit: nanoseconds, goal: goal{limit: 10e6}, check: true,
			of: []subject{making(py.OwnGIL), {floorName, interpretersInC}, {jsonName, makingPeer}},
		},
		{name: "making a context with an interpreter, shared lock", unit: nanoseconds, of: []subject{making(py.Subinterp)}},
		{name: "making a worker context", unit: nanoseconds, of: []subject{making(py.Worker)}},
		{
			name: "memory of an own-lock context", unit: megabytes, goal: goal{limit: 3}, rounds: 3,
			of: []subject{{ours, measuredBySelf("contexts")}, {floorName, measuredBySelf("interpreters")}, {jsonName, memoryOfPeers}},
		},
		{
			name: fmt.Sprintf("processor use of %d idle contexts", idleContexts), unit: percent, goal: goal{limit: 1}, rounds: 3,
			of: []subject{{ours, idle(idleContexts)}, {floorName, idle(0)}},
		},
		{
			name: "start of a program to its first result", unit: nanoseconds,
			of: []subject{{ours, selfAs("start")}, {floorName, selfAs("nothing")}, {jsonName, selfAs("peer")},
				commanded("import math; print(math.sqrt(16))")},
		},
	}
}

func making(mode py.Mode) subject {
	return subject{ours, func(l *lab) (probe, error) {
		if _, err := l.context(mode, ""); err != nil { // whether there is such a mode
			return nil, err
		}
		return func() ([]float64, error) {
			start := time.Now()
			c, err := py.New(l.ctx, py.Options{Mode: mode})
			if err != nil {
				return nil, err
			}
			took := time.Since(start)
			return []float64{float64(took)}, c.Close()
		}, nil
	}}
}

// atStation measures what happens in one visit to C.
func atStation(l *lab, measure func(f *floor.Floor) (float64, error)) (probe, error) {
	s, err := l.station(floorName)
	return func() ([]float64, error) {
		var value float64
		err := s.do(func(_ *py.Attached, f *floor.Floor) (err error) {
			value, err = measure(f)
			return err
		})
		return []float64{value}, err
	}, err
}

func interpretersInC(l *lab) (probe, error) {
	if ownLock() != py.OwnGIL {
		return nil, skipped("this Python has no own-lock interpreters")
	}
	return atStation(l, func(f *floor.Floor) (float64, error) {
		start := time.Now()
		i, err := f.NewInterpreter()
		if err != nil {
			return 0, err
		}
		took := time.Since(start)
		i.Close()
		return float64(took), nil
	})
}

// makingPeer starts a Python process and asks it something.
func makingPeer(l *lab) (probe, error) {
	return func() ([]float64, error) {
		start := time.Now()
		s, end, err := l.openPeer(jsonName)
		if err != nil {
			return nil, err
		}
		defer end()
		err = sqrtOf(s)
		return []float64{float64(time.Since(start))}, err
	}, nil
}

func idle(contexts int) func(l *lab) (probe, error) {
	return func(l *lab) (probe, error) {
		for range contexts {
			c, err := l.context(ownLock(), "")
			if err != nil {
				return nil, err
			}
			if err := sqrt(l.ctx, c); err != nil {
				return nil, err
			}
		}
		return func() ([]float64, error) {
			before, err := processorTime()
			if err != nil {
				return nil, err
			}
			time.Sleep(idleTime)
			after, err := processorTime()
			return []float64{100 * float64(after-before) / float64(idleTime)}, err
		}, nil
	}
}

// selfAs runs this program as one that does something small.
func selfAs(what string) func(l *lab) (probe, error) {
	return func(l *lab) (probe, error) {
		self, err := os.Executable()
		return latencies(1, 0, func() error { return run(osexec.CommandContext(l.ctx, self, "-child", what)) }), err
	}
}

func run(cmd *osexec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", cmd, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// child is this program as selfAs and measuredBySelf start it.
func child(what string) error {
	ctx := context.Background()
	switch what {
	case "start":
		c, err := py.New(ctx, py.Options{Mode: ownLock()})
		if err != nil {
			return err
		}
		return sqrt(ctx, c)
	case "peer":
		l := newLab(ctx, 1, 0)
		defer l.close()
		s, err := l.service(jsonName, 0)
		if err != nil {
			return err
		}
		return sqrtOf(s)
	case "contexts":
		return printMemoryOfContexts(ctx)
	case "interpreters":
		return printMemoryOfInterpreters(ctx)
	}
	return nil
}
