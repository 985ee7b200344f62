package conformance_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
	"github.com/pycontext/py/internal/conformance"
)

func TestConformance(t *testing.T) {
	for _, target := range conformance.Targets() {
		t.Run(target.Name, func(t *testing.T) { conformance.Run(t, target) })
	}
}

// TestMain checks that nothing is left when every test is over.
func TestMain(m *testing.M) {
	flag.Parse()
	before, err := warm()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	if problem := leftovers(before); problem != "" {
		fmt.Fprintln(os.Stderr, "FAIL: left behind at the end:", problem)
		if status == 0 {
			status = 1
		}
	}
	os.Exit(status)
}

// warm starts what lives as long as the process does.
func warm() (conformance.Usage, error) {
	info, err := py.Info()
	if err != nil {
		return conformance.Usage{}, err
	}
	fmt.Printf("CPython %s (%s), modes %v, GOMAXPROCS %d\n", info.Version, info.Source, info.Modes, runtime.GOMAXPROCS(0))
	for _, mode := range info.Modes {
		c, err := py.New(context.Background(), py.Options{Mode: mode})
		if err != nil {
			return conformance.Usage{}, err
		}
		c.Exec(context.Background(), "import asyncio, threading, socket, ssl, sqlite3, subprocess, random, ctypes")
		c.Close()
	}
	return conformance.Measure(), nil
}

// leftovers waits for what still ends, and says what does not. Threads that the Go runtime keeps are no leftovers; a
// context's thread is known by its stack.
func leftovers(before conformance.Usage) string {
	var after conformance.Usage
	var live py.Counts
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(50 * time.Millisecond) {
		runtime.GC()
		after, live = conformance.Measure(), py.Live()
		if live == (py.Counts{}) && after.Goroutines <= before.Goroutines && after.Files <= before.Files &&
			after.Stacks <= before.Stacks && after.Threads <= before.Threads+maxIdleThreads {
			return ""
		}
	}
	if after.Goroutines > before.Goroutines {
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
	}
	return fmt.Sprintf("%+v\nbefore %+v\nafter  %+v", live, before, after)
}

// maxIdleThreads is how many threads the Go runtime may keep for later: one for each goroutine that was inside C at the
// busiest moment.
const maxIdleThreads = 150
