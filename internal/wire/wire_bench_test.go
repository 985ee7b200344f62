package wire_test

import (
	"fmt"
	"testing"

	"github.com/pycontext/py/internal/wire"
)

type row struct {
	ID    int     `py:"id"`
	Name  string  `py:"name"`
	Score float64 `py:"score"`
	Live  bool    `py:"live"`
	Tag   string  `py:"tag"`
}

func sampleInts() []int {
	s := make([]int, 1000)
	for i := range s {
		s[i] = i * 37
	}
	return s
}

func sampleMap() map[string]float64 {
	m := map[string]float64{}
	for i := range 100 {
		m[fmt.Sprintf("key%d", i)] = float64(i) / 3
	}
	return m
}

func sampleRows() []row {
	s := make([]row, 1000)
	for i := range s {
		s[i] = row{i, fmt.Sprint("name ", i), float64(i) / 7, i%2 == 0, "tag"}
	}
	return s
}

// benchEncode and benchDecode measure one direction, with a buffer that is used again.
func benchEncode[T any](b *testing.B, v T) {
	e := wire.Encoder{Hooks: hooks}
	b.ReportAllocs()
	for b.Loop() {
		e.Reset(e.Buf[:0])
		if err := wire.Encode(&e, v); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(e.Buf)))
}

func benchDecode[T any](b *testing.B, v any) {
	buf := mustEncode(v)
	d := wire.Decoder{Hooks: hooks}
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		d.Buf = buf
		if _, err := wire.Decode[T](&d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	b.Run("float64", func(b *testing.B) { benchEncode(b, 1.5) })
	b.Run("ints1000", func(b *testing.B) { benchEncode(b, sampleInts()) })
	b.Run("map100", func(b *testing.B) { benchEncode(b, sampleMap()) })
	b.Run("rows1000", func(b *testing.B) { benchEncode(b, sampleRows()) })
	b.Run("str1MiB", func(b *testing.B) { benchEncode(b, string(make([]byte, 1<<20))) })
}

func BenchmarkDecode(b *testing.B) {
	b.Run("float64", func(b *testing.B) { benchDecode[float64](b, 1.5) })
	b.Run("ints1000", func(b *testing.B) { benchDecode[[]int](b, sampleInts()) })
	b.Run("map100", func(b *testing.B) { benchDecode[map[string]float64](b, sampleMap()) })
	b.Run("rows1000", func(b *testing.B) { benchDecode[[]row](b, sampleRows()) })
	b.Run("str1MiB", func(b *testing.B) { benchDecode[string](b, string(make([]byte, 1<<20))) })
	b.Run("any/ints1000", func(b *testing.B) { benchDecode[any](b, sampleInts()) })
	b.Run("any/map100", func(b *testing.B) { benchDecode[any](b, sampleMap()) })
	b.Run("any/rows1000", func(b *testing.B) { benchDecode[any](b, sampleRows()) })
}

// BenchmarkSmallCall is the codec's part of math.sqrt(2.0): an argument, a result.
func BenchmarkSmallCall(b *testing.B) {
	e := wire.Encoder{Hooks: hooks, Buf: make([]byte, 0, 64)}
	d := wire.Decoder{Hooks: hooks}
	x := 1.5
	b.ReportAllocs()
	for b.Loop() {
		e.Reset(e.Buf[:0])
		if wire.Encode(&e, x) != nil {
			b.Fatal()
		}
		d.Buf = e.Buf
		if _, err := wire.Decode[float64](&d); err != nil {
			b.Fatal(err)
		}
	}
}

func TestSmallCallAllocs(t *testing.T) {
	e := wire.Encoder{Hooks: hooks, Buf: make([]byte, 0, 64)}
	d := wire.Decoder{Hooks: hooks}
	if n := testing.AllocsPerRun(100, func() {
		e.Reset(e.Buf[:0])
		wire.Encode(&e, 1.5)
		d.Buf = e.Buf
		wire.Decode[float64](&d)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
