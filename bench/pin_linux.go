package bench

import (
	osexec "os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// startPinned starts a process on one of the processors that this one may use: a child has the affinity of the thread
// that starts it.
func startPinned(cmd *osexec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	for cpu := 0; one.Count() == 0; cpu++ {
		if before.IsSet(cpu) {
			one.Set(cpu)
		}
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return skipped("no affinity can be set: " + err.Error())
	}
	defer func() { _ = unix.SchedSetaffinity(0, &before) }()
	return cmd.Start()
}
