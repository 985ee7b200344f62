package conformance

import (
	"os/exec"
	"runtime"
	"testing"
	"time"
)

func init() { hostileCases = append(hostileCases, testCase{"BusyMachine", busyMachine}) }

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
