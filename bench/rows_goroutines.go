package bench

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pycontext/py/internal/cpython/floor"
)

func goroutineRows() []row {
	var rows []row
	for _, contexts := range []int{1, 2, 4} {
		for _, goroutines := range []int{1, 8, 100, 1000} {
			r := row{
				name: CallsBy(goroutines, contexts),
				unit: perSecond, pinned: contexts == 1,
				of: append(each(func(w way) subject { return rateOf(w.crowd(goroutines, contexts, (*lab).crowd)) }, sqrtWays()...),
					rateOf(floorOf((*floor.Floor).ReleasedCalls))),
			}
			if goroutines == 100 && contexts == 1 {
				r.goal, r.check = goal{limit: 1e6}, true
			}
			rows = append(rows, r)
		}
	}
	return rows
}

func number(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%s %ss", strings.Replace(fmt.Sprint(n), "1000", "1,000", 1), what)
}

// rateOf turns time for one into how many in a second.
func rateOf(s subject) subject { return s.as(func(v float64) float64 { return 1e9 / v }) }

// crowd measures goroutines that do the same for a batch's time: nanoseconds of all of them for one operation.
func (l *lab) crowd(goroutines int, op func(goroutine int) error) probe {
	return func() ([]float64, error) {
		var wg sync.WaitGroup
		counts, errs := make([]int, goroutines), make([]error, goroutines)
		start := time.Now()
		end := start.Add(4 * l.batch)
		for g := range goroutines {
			wg.Go(func() {
				for n := 0; errs[g] == nil && (n%8 != 0 || time.Now().Before(end)); n++ {
					errs[g] = op(g)
					counts[g]++
				}
			})
		}
		wg.Wait()
		took, all := time.Since(start), 0
		for g := range goroutines {
			if errs[g] != nil {
				return nil, errs[g]
			}
			all += counts[g]
		}
		return []float64{float64(took) / float64(all)}, nil
	}
}
