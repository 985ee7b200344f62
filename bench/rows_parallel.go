package bench

import (
	"bytes"
	"fmt"
	osexec "os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pycontext/py"
)

// parallelTime is how long a measured run takes: shorter ones often land on one processor.
const parallelTime = 2 * time.Second

func parallelRows() []row {
	rows := []row{{
		name: "CPU-bound work on two own-lock contexts, against one", unit: times, goal: goal{limit: 1.9}, rounds: 3,
		of: []subject{{ours, speedup(contextWorkers)}, {floorName, speedup(goWorkers)}, executors(interpName), executors(processName)},
	}}
	for _, cost := range []struct {
		name        string
		loops, many int
	}{{"nothing", 0, 100_000}, {"10 us", 1000, 50_000}, {"100 us", 10_000, 10_000}, {"1 ms", 100_000, 1000}} {
		rows = append(rows, mapRow(cost.name, cost.loops, cost.many))
	}
	return rows
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
	source, err := pythonFiles.ReadFile("python/work.py")
	if err != nil {
		return workers, err
	}
	for i := range workers {
		c, err := l.context(py.OwnGIL, string(source))
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

// workLoops is about parallelTime of the function work.
const workLoops = 40_000_000

// executors is a Python process that has two workers of its own.
func executors(kind string) subject {
	return subject{kind, func(l *lab) (probe, error) {
		cmd, err := l.python("pools.py", kind, "speedup")
		if err != nil {
			return nil, err
		}
		in, err := cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		l.onClose(func() {
			_ = in.Close()
			_ = cmd.Wait()
		})
		return func() ([]float64, error) {
			fmt.Fprintln(in, workLoops)
			var ratio float64
			_, err := fmt.Fscan(out, &ratio)
			return []float64{ratio}, err
		}, nil
	}}
}

// mapRow has lines mapped by a Python function: items in a second, from the start of the program to its end.
func mapRow(cost string, loops, many int) row {
	lines := strings.Repeat(fmt.Sprintln(loops), many)
	mapped := func(name string, command func(l *lab) (*osexec.Cmd, error)) subject {
		return subject{name, func(l *lab) (probe, error) {
			return func() ([]float64, error) {
				cmd, err := command(l)
				if err != nil {
					return nil, err
				}
				var out bytes.Buffer
				cmd.Stdin, cmd.Stdout = strings.NewReader(lines), &out
				start := time.Now()
				if err := cmd.Run(); err != nil {
					return nil, fmt.Errorf("%s: %w", cmd, err)
				}
				took := time.Since(start)
				if got := bytes.Count(out.Bytes(), []byte("\n")); got != many {
					return nil, fmt.Errorf("%s: %d results of %d items", cmd, got, many)
				}
				return []float64{float64(many) / took.Seconds()}, nil
			}, nil
		}}
	}
	pool := func(kind string) subject {
		return mapped(kind, func(l *lab) (*osexec.Cmd, error) { return l.python("pools.py", kind, "map") })
	}
	return row{
		name: "pyctx map, items that cost " + cost, unit: perSecond, rounds: 3,
		of: []subject{mapped(ours, (*lab).pyctxMap), pool(plainName), pool(interpName), pool(processName)},
	}
}

// pyctxMap is the command, built here.
func (l *lab) pyctxMap() (*osexec.Cmd, error) {
	dir, err := l.scripts()
	if err != nil {
		return nil, err
	}
	command, err := sharedBy(l, "pyctx", func() (string, func(), error) {
		command := filepath.Join(dir, "pyctx")
		if err := run(osexec.CommandContext(l.ctx, "go", "build", "-o", command, "github.com/pycontext/py/cmd/pyctx")); err != nil {
			return "", nil, err
		}
		return command, func() {}, nil
	})
	return osexec.CommandContext(l.ctx, command, "map", "--quiet", filepath.Join(dir, "work.py")+":item"), err
}
