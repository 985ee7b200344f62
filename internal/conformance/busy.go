package conformance

import (
	"context"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/pycontext/py"
)

func init() {
	hostileCases = append(hostileCases, testCase{"BusyMachine", busyMachine}, testCase{"BusyContext", busyContext})
}

// busyMachine has more programs compute than there are processors. To wait for the turn of each of them would take milliseconds
// for a call.
func busyMachine(t *testing.T, s *suite) {
	c := s.open(t)
	for range 2 * runtime.NumCPU() {
		cmd := exec.Command("sh", "-c", "while :; do :; done")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	}
	within(t, "500 calls", 400*time.Millisecond, func() time.Duration {
		start := time.Now()
		for range 500 {
			equal(t, "sqrt", call[float64](t, c, "math", "sqrt", 16), 4.0)
		}
		t.Logf("500 calls: %v", time.Since(start))
		return time.Since(start)
	})
}

// busyContext has goroutines call as fast as they can. Once all are at it, they take turns; where the one that runs has its results at
// once, it makes thousands of calls before another has one.
func busyContext(t *testing.T, s *suite) {
	const callers, inTurn, most, enough = 8, 4000, 100, 1 << 20
	c := s.open(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var mu sync.Mutex
	var last, streak, since, calls int // since the last streak that was too long
	made := func(goroutine int) (more bool) {
		mu.Lock()
		defer mu.Unlock()
		if goroutine != last {
			last, streak = goroutine, 0
		}
		streak++
		since++
		calls++
		if streak > most {
			since = 0
		}
		return since < inTurn && calls < enough
	}
	var wg sync.WaitGroup
	for g := range callers {
		wg.Go(func() {
			for more := true; more; more = made(g) {
				if _, err := py.Call[float64](context.Background(), c, "math", "sqrt", 16); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if since < inTurn {
		t.Errorf("among %d calls of %d goroutines there are no %d without more than %d by one of them in a row", calls, callers, inTurn, most)
	}
}
