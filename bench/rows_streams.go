package bench

import (
	"context"
	"fmt"

	"github.com/pycontext/py"
)

const (
	streamItems  = 1_000_000
	streamSource = `
import collections
def numbers(n):
    for i in range(n): yield i
def exhaust(n): collections.deque(numbers(n), maxlen=0)
`
)

// streamRows are the items of a generator; the floor is its own time.
func streamRows() []row {
	return []row{{
		name: "an item of a generator, of 1,000,000", unit: nanoseconds, goal: goal{limit: 200, beyond: true},
		of: eachOf(streamItems, streaming(ours, stream), streaming(floorName, exhaust)),
	}}
}

func streaming(name string, op func(ctx context.Context, c *py.Context) error) subject {
	return subject{name, func(l *lab) (probe, error) {
		c, err := l.context(ownLock(), streamSource)
		if err != nil {
			return nil, err
		}
		return l.timed(repeated(func() error { return op(l.ctx, c) }))
	}}
}

func stream(ctx context.Context, c *py.Context) error {
	sum := 0
	for n, err := range py.Stream[int](ctx, c, "__main__", "numbers", streamItems) {
		if err != nil {
			return err
		}
		sum += n
	}
	if sum != streamItems*(streamItems-1)/2 {
		return fmt.Errorf("the items add up to %d", sum)
	}
	return nil
}

func exhaust(ctx context.Context, c *py.Context) error {
	_, err := c.Call(ctx, "__main__", "exhaust", streamItems)
	return err
}
