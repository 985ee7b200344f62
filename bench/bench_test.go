package bench

import (
	"context"
	"sync"
	"testing"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

func benchCtx(b *testing.B) *py.Context {
	c, err := py.New(context.Background(), py.Options{Mode: py.OwnGIL})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}

func BenchmarkSqrt(b *testing.B) {
	c := benchCtx(b)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := py.Call[float64](ctx, c, "math", "sqrt", 16.0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEval(b *testing.B) {
	c := benchCtx(b)
	ctx := context.Background()
	v := py.Vars{"x": 3, "y": 4}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := py.Eval[int](ctx, c, "x*y", v); err != nil {
			b.Fatal(err)
		}
	}
}

func benchCallbacks(b *testing.B, opts ...py.FuncOption) {
	c := benchCtx(b)
	ctx := context.Background()
	c.Register("f", func(n int) int { return n + 1 }, opts...)
	if err := c.Exec(ctx, "from go import f\ndef run():\n  x=0\n  for i in range(1000):\n    x=f(x)\n  return x"); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := py.Call[int](ctx, c, "__main__", "run"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/callback")
}
func BenchmarkCallback(b *testing.B) { benchCallbacks(b) }
func BenchmarkInline(b *testing.B)   { benchCallbacks(b, py.Inline()) }

func BenchmarkNest1000(b *testing.B) {
	c := benchCtx(b)
	ctx := context.Background()
	c.Register("nest", func(ctx context.Context, n int) (int, error) {
		if n == 0 {
			return 0, nil
		}
		return py.Call[int](ctx, c, "__main__", "nest", n-1)
	})
	c.Exec(ctx, "import go\ndef nest(n):\n  return 1+go.nest(n)")
	for b.Loop() {
		if _, err := py.Call[int](ctx, c, "__main__", "nest", 1000); err != nil {
			b.Fatal(err)
		}
	}
}

func Benchmark100(b *testing.B) {
	c := benchCtx(b)
	ctx := context.Background()
	b.ResetTimer()
	var wg sync.WaitGroup
	for g := range 100 {
		n := b.N / 100
		if g < b.N%100 {
			n++
		}
		wg.Go(func() {
			for range n {
				if _, err := py.Call[float64](ctx, c, "math", "sqrt", 16.0); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

func BenchmarkInts(b *testing.B) {
	c := benchCtx(b)
	ctx := context.Background()
	v := make([]int, 1000)
	for i := range v {
		v[i] = i * 1000
	}
	c.Exec(ctx, "def ident(x): return x")
	for b.Loop() {
		if _, err := py.Call[[]int](ctx, c, "__main__", "ident", v); err != nil {
			b.Fatal(err)
		}
	}
}
func BenchmarkBytes(b *testing.B) {
	c := benchCtx(b)
	ctx := context.Background()
	v := make([]byte, 1<<20)
	c.Exec(ctx, "def ident(x): return x")
	for b.Loop() {
		if _, err := py.Call[[]byte](ctx, c, "__main__", "ident", v); err != nil {
			b.Fatal(err)
		}
	}
}
func BenchmarkAttach(b *testing.B) {
	c := benchCtx(b)
	c.Attach(context.Background(), func(a *py.Attached) error {
		m, _ := a.Import("math")
		f, _ := m.Attr("sqrt")
		for b.Loop() {
			py.CallRef[float64](f, 16.0)
		}
		return nil
	})
}
