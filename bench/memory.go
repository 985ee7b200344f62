package bench

import (
	"context"
	"fmt"
	"os"
	osexec "os/exec"
	"strings"

	"github.com/pycontext/py"
	"github.com/pycontext/py/internal/cpython/floor"
)

// measuredBySelf is a figure that this program finds out in a fresh process: memory that was used before is used again
// and does not show.
func measuredBySelf(what string) func(l *lab) (probe, error) {
	return func(l *lab) (probe, error) {
		if ownLock() != py.OwnGIL {
			return nil, skipped("this Python has no own-lock interpreters")
		}
		if _, err := resident(); err != nil {
			return nil, err
		}
		self, err := os.Executable()
		return func() ([]float64, error) {
			var value float64
			out, err := osexec.CommandContext(l.ctx, self, "-child", what).Output()
			if err == nil {
				_, err = fmt.Sscan(string(out), &value)
			}
			return []float64{value}, err
		}, err
	}
}

// printMemory prints how much each of several things adds to this process, in megabytes. The first is not counted.
func printMemory(makeOne func() error) error {
	if err := makeOne(); err != nil {
		return err
	}
	before, err := resident()
	if err != nil {
		return err
	}
	if err := repeated(makeOne)(crowdOfContexts); err != nil {
		return err
	}
	after, err := resident()
	fmt.Println(float64(after-before) / crowdOfContexts / 1e6)
	return err
}

func printMemoryOfContexts(ctx context.Context) error {
	return printMemory(func() error {
		c, err := py.New(ctx, py.Options{Mode: py.OwnGIL})
		if err != nil {
			return err
		}
		return sqrt(ctx, c)
	})
}

func printMemoryOfInterpreters(ctx context.Context) error {
	s, _, err := openStation(ctx)
	if err != nil {
		return err
	}
	return s.do(func(_ *py.Attached, f *floor.Floor) error {
		return printMemory(func() error {
			_, err := f.NewInterpreter()
			return err
		})
	})
}

// memoryOfPeers is what Python processes have for themselves alone.
func memoryOfPeers(l *lab) (probe, error) {
	s, err := l.service(jsonName, 0)
	if err != nil {
		return nil, err
	}
	return func() ([]float64, error) {
		if err := sqrtOf(s); err != nil {
			return nil, err
		}
		private, err := privateMemory(s.(*peer).pid)
		return []float64{float64(private) / 1e6}, err
	}, nil
}

func privateMemory(pid int) (bytes int64, err error) {
	file := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, skipped("there is no " + file + " to read memory from")
	}
	for line := range strings.Lines(string(text)) {
		var name string
		var kilobytes int64
		if n, _ := fmt.Sscan(line, &name, &kilobytes); n == 2 && strings.HasPrefix(name, "Private_") {
			bytes += kilobytes << 10
		}
	}
	return bytes, nil
}

// resident is the memory of this process that is in RAM.
func resident() (int64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, skipped("there is no /proc here to read memory from")
	}
	var size, pages int64
	_, err = fmt.Sscan(string(text), &size, &pages)
	return pages * int64(os.Getpagesize()), err
}
