package bench

import (
	"testing"

	"github.com/pycontext/py"
)

// BenchmarkSortKey sorts 100,000 numbers by a Go func, given as an argument.
func BenchmarkSortKey(b *testing.B) {
	c := newContext(b, sortSource)
	run := func(name string, key any) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := c.Call(b.Context(), "__main__", "sort", key); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/sortedItems, "ns/item")
		})
	}
	run("inline", py.Func(negative, py.Inline()))
	run("queued", negative)
	run("floor", nil)
}
