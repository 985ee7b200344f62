package bench

import (
	"context"
	"fmt"
	"testing"

	"github.com/pycontext/py"
)

// BenchmarkLend is large data in place: what a call costs beyond its work on the data must not depend on the size.
func BenchmarkLend(b *testing.B) {
	for _, size := range []int{64, 64 << 20} {
		data := make([]byte, size)
		for _, f := range []struct{ module, name string }{{"builtins", "len"}, {"zlib", "adler32"}} {
			b.Run(fmt.Sprintf("%s/%d", f.name, size), func(b *testing.B) {
				benchmark(b, "import zlib", func(ctx context.Context, c *py.Context) error {
					_, err := py.Call[int](ctx, c, f.module, f.name, py.Lend(data))
					return err
				})
			})
		}
	}
}

// BenchmarkView is memory of Python's in Go, where it is.
func BenchmarkView(b *testing.B) {
	for _, size := range []int{64, 64 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c := newContext(b, "")
			o, err := py.Eval[*py.Object](b.Context(), c, "bytearray(n)", py.Vars{"n": size})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				v, err := py.View[byte](b.Context(), o)
				if err != nil {
					b.Fatal(err)
				}
				if data, err := v.Data(); err != nil || len(data) != size {
					b.Fatal(len(data), err)
				}
				v.Close()
			}
		})
	}
}
