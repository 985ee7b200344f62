package bench

import (
	"context"
	"testing"

	"github.com/pycontext/py"
)

// BenchmarkSortKey sorts 100,000 numbers by a Go func, given as an argument.
func BenchmarkSortKey(b *testing.B) {
	c := benchCtx(b)
	ctx := context.Background()
	if err := c.Exec(ctx, "numbers = [(i * 7919) % 100003 for i in range(100000)]\ndef sort(key): sorted(numbers, key=key)"); err != nil {
		b.Fatal(err)
	}
	run := func(b *testing.B, key any) {
		for b.Loop() {
			if _, err := c.Call(ctx, "__main__", "sort", key); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100000, "ns/item")
	}
	b.Run("inline", func(b *testing.B) { run(b, py.Func(func(n int) int { return -n }, py.Inline())) })
	b.Run("queued", func(b *testing.B) { run(b, func(n int) int { return -n }) })
	b.Run("floor", func(b *testing.B) { run(b, nil) })
}
