package bench

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/pycontext/py"
	"github.com/pycontext/py/bench/internal/sample"
)

// The benchmarks are what bench/compare runs on two commits: rows of the table, without their floors.

func newContext(b *testing.B, source string) *py.Context {
	c, err := py.New(b.Context(), py.Options{Mode: ownLock(), Preload: source})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	return c
}

func benchmark(b *testing.B, source string, op func(ctx context.Context, c *py.Context) error) {
	c, ctx := newContext(b, source), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if err := op(ctx, c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCall(b *testing.B) { benchmark(b, "", sqrt) }
func BenchmarkEval(b *testing.B) { benchmark(b, "", eval) }
func BenchmarkExec(b *testing.B) { benchmark(b, "", exec) }

func BenchmarkAttach(b *testing.B) {
	err := newContext(b, "").Attach(b.Context(), func(a *py.Attached) error {
		b.ResetTimer()
		return sqrtAttached(a, nil, b.N)
	})
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkCallback(b *testing.B) {
	b.Run("queued", func(b *testing.B) { benchmarkCallback(b) })
	b.Run("inline", func(b *testing.B) { benchmarkCallback(b, py.Inline()) })
}

func benchmarkCallback(b *testing.B, options ...py.FuncOption) {
	c := newContext(b, "")
	if err := c.Register("f", next, options...); err != nil {
		b.Fatal(err)
	}
	if err := c.Exec(b.Context(), callbackSource); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	if _, err := py.Call[int](b.Context(), c, "__main__", "run", b.N); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkNesting(b *testing.B) {
	c := newContext(b, nestSource)
	if err := c.Register("nest", nestIn(c)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := nest(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIdentity(b *testing.B) {
	identity(b, "ints10", sample.Ints(10))
	identity(b, "ints1000", sample.Ints(1000))
	identity(b, "dict100", sample.Scores(100))
	identity(b, "structs1000", sample.People(1000))
	identity(b, "tree10000", sample.Tree(10_000))
	identity(b, "bytes1MiB", make([]byte, 1<<20))
	identity(b, "text100", strings.Repeat("x", 100))
	identity(b, "text1MiB", strings.Repeat("x", 1<<20))
	identity(b, "text1MiBwide", strings.Repeat("é", 1<<19))
}

func identity[T any](b *testing.B, name string, v T) {
	b.Run(name, func(b *testing.B) {
		benchmark(b, identitySource, func(ctx context.Context, c *py.Context) error {
			_, err := py.Call[T](ctx, c, "__main__", "identity", v)
			return err
		})
	})
}

func BenchmarkGoroutines100(b *testing.B) {
	c, ctx := newContext(b, ""), b.Context()
	b.ResetTimer()
	var wg sync.WaitGroup
	for g := range 100 {
		wg.Go(func() {
			for i := g; i < b.N; i += 100 {
				if err := sqrt(ctx, c); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		c, err := py.New(b.Context(), py.Options{Mode: ownLock()})
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
