package bench

import (
	"testing"
	"time"

	"github.com/pycontext/py"
)

type record struct {
	ID    int     `py:"id"`
	Name  string  `py:"name"`
	Score float64 `py:"score"`
	Live  bool    `py:"live"`
	Tag   string  `py:"tag"`
}

const rowClass = `
import dataclasses, datetime, decimal
@dataclasses.dataclass
class Row:
    id: int; name: str; score: float; live: bool; tag: str
dicts = [{'id': i, 'name': f'n{i}', 'score': i / 2, 'live': True, 'tag': 't'} for i in range(1000)]
rows = [Row(**d) for d in dicts]
times = [datetime.datetime(2024, 2, 29, 1, 2, 3, i) for i in range(1000)]
aware = [t.replace(tzinfo=datetime.timezone.utc) for t in times]
decimals = [decimal.Decimal(i) / 7 for i in range(1000)]
def ident(x): return x
def take(x): return None
`

// benchTake measures one list out of Python, benchGive one into it.
func benchTake[T any](b *testing.B, expr string) {
	c, ctx := newContext(b, rowClass), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := py.Eval[T](ctx, c, expr); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/item")
}

func benchGive[T any](b *testing.B, expr string) {
	c, ctx := newContext(b, rowClass), b.Context()
	v, err := py.Eval[T](ctx, c, expr)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Call(ctx, "__main__", "take", v); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/item")
}

func BenchmarkTake(b *testing.B) {
	b.Run("structs/dict", func(b *testing.B) { benchTake[[]record](b, "dicts") })
	b.Run("structs/dataclass", func(b *testing.B) { benchTake[[]record](b, "rows") })
	b.Run("datetime", func(b *testing.B) { benchTake[[]py.DateTime](b, "times") })
	b.Run("datetime/any", func(b *testing.B) { benchTake[any](b, "times") })
	b.Run("aware", func(b *testing.B) { benchTake[[]time.Time](b, "aware") })
	b.Run("decimal", func(b *testing.B) { benchTake[[]py.Decimal](b, "decimals") })
}

func BenchmarkGive(b *testing.B) {
	b.Run("structs", func(b *testing.B) { benchGive[[]record](b, "dicts") })
	b.Run("datetime", func(b *testing.B) { benchGive[[]py.DateTime](b, "times") })
	b.Run("aware", func(b *testing.B) { benchGive[[]time.Time](b, "aware") })
	b.Run("decimal", func(b *testing.B) { benchGive[[]py.Decimal](b, "decimals") })
}
