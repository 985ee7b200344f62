package bench

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// noise is what the processors did up to some moment.
type noise struct {
	total, busy float64 // of all processors, in ticks; zero where it cannot be read
	own         time.Duration
}

const tick = 10 * time.Millisecond // USER_HZ, which is 100 everywhere

// readNoise reads the first line of /proc/stat: user, nice, system, idle, iowait, and more that is busy.
func readNoise() noise {
	line, _, _ := strings.Cut(contents("/proc/stat"), "\n")
	var n noise
	for i, word := range strings.Fields(line) {
		var ticks float64
		if fmt.Sscan(word, &ticks); i > 0 && i < 9 { // what follows is counted among the first
			n.total += ticks
			if i != 4 && i != 5 {
				n.busy += ticks
			}
		}
	}
	n.own, _ = processorTime()
	return n
}

// since tells which part of the processors other programs have used, in percent; NaN where that is not known.
func (n noise) since(before noise) float64 {
	total, busy := n.total-before.total, n.busy-before.busy
	if total == 0 {
		return math.NaN()
	}
	return 100 * max(0, busy-float64(n.own-before.own)/float64(tick)) / total
}
