package bench

import (
	"context"
	"testing"

	"github.com/pycontext/py"
)

// What Python takes from Go, ten thousand items for each operation.
func BenchmarkChannel(b *testing.B) {
	benchmark(b, streamSource, func(ctx context.Context, c *py.Context) error {
		ch := make(chan int, 10000)
		for i := range 10000 {
			ch <- i
		}
		close(ch)
		_, err := c.Eval(ctx, "sum(ch)", py.Vars{"ch": ch})
		return err
	})
}

func BenchmarkSeq(b *testing.B) {
	benchmark(b, streamSource, func(ctx context.Context, c *py.Context) error {
		_, err := c.Eval(ctx, "sum(it)", py.Vars{"it": func(yield func(int) bool) {
			for i := 0; i < 10000 && yield(i); i++ {
			}
		}})
		return err
	})
}
