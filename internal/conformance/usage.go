package conformance

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Usage is what the process takes from the system.
type Usage struct {
	Goroutines int
	Threads    int // of the system, those that the Go runtime keeps idle included
	Stacks     int // threads with the stack of a context
	Files      int
	Memory     int // resident bytes
}

// Measure asks the system. Where there is no /proc, only the goroutines are counted.
func Measure() Usage {
	u := Usage{Goroutines: runtime.NumGoroutine(), Stacks: contextStacks(), Memory: resident()}
	if tasks, err := os.ReadDir("/proc/self/task"); err == nil {
		u.Threads = len(tasks)
	}
	if files, err := os.ReadDir("/proc/self/fd"); err == nil {
		u.Files = len(files) - 1
	}
	return u
}

// contextStacks counts the mappings that are as large as a context's stack and lie behind a guard page.
func contextStacks() int {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return 0
	}
	defer f.Close()
	n, guard := 0, uint64(0)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var low, high uint64
		var flags string
		fmt.Sscanf(lines.Text(), "%x-%x %s", &low, &high, &flags)
		if strings.HasPrefix(flags, "rw") && guard == low && high-low >= 63<<20 && high-low <= 64<<20 {
			n++
		}
		guard = 0
		if strings.HasPrefix(flags, "---") {
			guard = high
		}
	}
	return n
}

func resident() int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var total, pages int
	fmt.Sscan(string(b), &total, &pages)
	return pages * os.Getpagesize()
}

// goMemory is what Go values take, without what is garbage.
func goMemory() int {
	runtime.GC()
	runtime.GC() // what finalizers let go of
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
