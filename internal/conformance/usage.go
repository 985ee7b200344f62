package conformance

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
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

// contextStacks counts the threads that wait on a stack as large as a context's. The mappings alone would not do: the C
// library keeps the stack of a thread that has ended until another one ends.
func contextStacks() int {
	stacks := stackMappings()
	tasks, _ := filepath.Glob("/proc/self/task/*/syscall")
	n := 0
	for _, task := range tasks {
		b, _ := os.ReadFile(task) // "NUMBER ARGUMENTS... SP PC", or "running"
		fields := strings.Fields(string(b))
		if len(fields) < 3 {
			continue
		}
		sp, err := strconv.ParseUint(strings.TrimPrefix(fields[len(fields)-2], "0x"), 16, 64)
		if err == nil && slices.ContainsFunc(stacks, func(s [2]uint64) bool { return s[0] <= sp && sp < s[1] }) {
			n++
		}
	}
	return n
}

// stackMappings finds the mappings that are as large as a context's stack and lie behind a guard page. Go's heap is as large at times, and
// lies behind more.
func stackMappings() (stacks [][2]uint64) {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return nil
	}
	defer f.Close()
	guard := uint64(0)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var low, high uint64
		var flags string
		fmt.Sscanf(lines.Text(), "%x-%x %s", &low, &high, &flags)
		if strings.HasPrefix(flags, "rw") && guard == low && high-low >= 63<<20 && high-low <= 64<<20 {
			stacks = append(stacks, [2]uint64{low, high})
		}
		guard = 0
		if strings.HasPrefix(flags, "---") && high-low <= 64<<10 {
			guard = high
		}
	}
	return stacks
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

// waitTime is for how long threads of the process were ready to run, and others had the processors. Where there is no /proc it is not known.
func waitTime() (sum time.Duration) {
	tasks, _ := filepath.Glob("/proc/self/task/*/schedstat")
	for _, task := range tasks {
		b, _ := os.ReadFile(task)
		var ran, waited int64 // ns
		fmt.Sscan(string(b), &ran, &waited)
		sum += time.Duration(waited)
	}
	return sum
}

// goMemory is what Go values take, without what is garbage.
func goMemory() int {
	runtime.GC()
	runtime.GC() // what finalizers let go of
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
