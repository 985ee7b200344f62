package bench

import (
	"github.com/pycontext/py"
	"github.com/pycontext/py/internal/cpython/floor"
)

const (
	sortedItems = 100_000
	sortSource  = `
numbers = [(i * 7919) % 100003 for i in range(100_000)]
def sort(key): sorted(numbers, key=key)
`
)

func negative(n int) int { return -n }

// functionRows are Go functions that travel as values.
func functionRows() []row {
	inC := floorOf(func(f *floor.Floor, n int) error { return repeated(f.Sort)(n) })
	return []row{
		{
			name: "an item of sorted(key=...) by an inline Go func, of 100,000", unit: nanoseconds, goal: goal{limit: 300},
			check: true, of: eachOf(sortedItems, sorting(py.Func(negative, py.Inline())), inC),
		},
		{
			name: "an item of sorted(key=...) by a Go func, of 100,000", unit: nanoseconds,
			of: eachOf(sortedItems, sorting(negative), inC),
		},
	}
}

// sorting is ours.
func sorting(key any) subject {
	return subject{ours, func(l *lab) (probe, error) {
		c, err := l.context(ownLock(), sortSource)
		if err != nil {
			return nil, err
		}
		return l.timed(repeated(func() error {
			_, err := c.Call(l.ctx, "__main__", "sort", key)
			return err
		}))
	}}
}
