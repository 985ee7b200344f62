//go:build unix

package bench

import (
	"syscall"
	"time"
)

// processorTime is what this process has used so far, and its children that have ended.
func processorTime() (time.Duration, error) {
	var all time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var usage syscall.Rusage
		if err := syscall.Getrusage(who, &usage); err != nil {
			return 0, err
		}
		all += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return all, nil
}
