package wire_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/pycontext/py/internal/wire"
)

// FuzzDecode decodes any bytes, into several types. Nothing panics, and what decodes
// is the same after another trip.
func FuzzDecode(f *testing.F) {
	for _, file := range []string{"vectors.txt", "malformed.txt"} {
		data, _ := lines(f, file)
		for _, b := range data {
			f.Add(b)
		}
	}
	f.Add(mustEncode(record{Name: "n", Next: &record{}, Other: &Other{}}))
	f.Add(append(named("Point"), 7, 0, 0, 0, 0, 0, 0, 0))
	f.Add(bytes.Join([][]byte{{byte(wire.TagSet), 1}, mustEncode(standard{wire.KindByteArray, wire.Payload{Raw: []byte{}}})}, nil))
	f.Add([]byte{byte(wire.TagSet), 1, byte(wire.TagTuple), 1, byte(wire.TagList), 0})
	for _, s := range []standard{
		{wire.KindComplex, wire.Payload{Floats: [2]float64{1.5, math.NaN()}}}, {wire.KindSlice, wire.Payload{Parts: [3]any{nil, math.NaN(), 1}}},
		{wire.KindArray, wire.Payload{Format: 'h', Shape: []int{2, 1}, Raw: []byte{1, 2, 3, 4}}},
	} {
		f.Add(mustEncode(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, p := range []any{
			new(int8), new(uint64), new(float32), new(float64), new(big.Int), new(string), new([]byte), new([3]byte), new([]int),
			new([2]any), new(map[string]int), new(map[any]any), new(map[any]struct{}), new(map[[1]any]struct{}), new(record), new([]record),
			new(map[string]record), new(tuple), new(set), new(dict), new([]dict), new(*object), new(error), new(ring), new(pointer),
		} {
			d := wire.Decoder{Buf: b, Hooks: hooks}
			v := reflect.ValueOf(p).Elem()
			if d.Reflect(v) == nil {
				if again := reflect.New(v.Type()).Elem(); !retrip(again, v.Interface()) {
					t.Errorf("%T does not decode again: %+v", p, v)
				}
			}
		}
		r, s := &refs{}, &refs{}
		d := wire.Decoder{Buf: b, Hooks: hooks, Scope: r}
		skip := wire.Decoder{Buf: b, Hooks: hooks, Scope: s}
		v, err := d.Any()
		skipErr := skip.Skip()
		if err != nil {
			return
		}
		if skipErr != nil || len(skip.Buf) != len(d.Buf) || !reflect.DeepEqual(r.made, s.dropped) {
			t.Errorf("Skip differs from Any: %v, %d and %d bytes left, refs %v and %v", skipErr, len(skip.Buf), len(d.Buf), r.made, s.dropped)
		}
		again, err := encode(v)
		if err == nil {
			w, err := decode[any](again)
			if err != nil || !same(v, w) {
				t.Errorf("%#v is now %#v, %v", v, w, err)
			}
		} else if !isUnhashable(err) {
			t.Errorf("%#v: %v", v, err)
		}
	})
}

// retrip encodes v and decodes it into again.
func retrip(again reflect.Value, v any) bool {
	b, err := encode(v)
	d := wire.Decoder{Buf: b, Hooks: hooks}
	return isUnhashable(err) || err == nil && d.Reflect(again) == nil && len(d.Buf) == 0
}

// isUnhashable reports whether err is about a key that no dict of Python's has, which a decoder need not notice.
func isUnhashable(err error) bool {
	return err != nil && strings.Contains(err.Error(), "is not hashable in Python")
}

// FuzzRoundTrip builds a value from the fuzzer's bytes, which must survive a trip.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("some bytes to build a value from, \x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d"))
	for i := range byte(16) {
		f.Add([]byte{i, 3, i + 1, 200, i + 2, 7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14})
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		g := &generator{b}
		v := g.value(0)
		w, err := decode[any](mustEncode(v))
		if err != nil || !same(v, w) {
			t.Errorf("%#v is now %#v, %v", v, w, err)
		}
	})
}

// A generator makes values, as Any returns them, from bytes.
type generator struct{ b []byte }

func (g *generator) next() byte {
	if len(g.b) == 0 {
		return 0
	}
	b := g.b[0]
	g.b = g.b[1:]
	return b
}

func (g *generator) bytes(n int) []byte {
	n = min(n, len(g.b))
	b := g.b[:n:n]
	g.b = g.b[n:]
	return append([]byte{}, b...)
}

func (g *generator) word() uint64 {
	var w [8]byte
	copy(w[:], g.bytes(8))
	return binary.LittleEndian.Uint64(w[:])
}

func (g *generator) items(depth int) []any {
	items := make([]any, min(int(g.next()%8), len(g.b)))
	for i := range items {
		items[i] = g.value(depth + 1)
	}
	return items
}

func (g *generator) value(depth int) any {
	kind := g.next() % 16
	if depth > 20 {
		kind %= 8
	}
	switch kind {
	case 0:
		return nil
	case 1, 2:
		return kind == 1
	case 3:
		return int64(g.word())
	case 4:
		x := new(big.Int).SetBytes(g.bytes(int(g.next() % 64)))
		x.Add(x, bigOf("0x8000000000000000"))
		if g.next()&1 == 1 {
			x.Neg(x.Add(x, big.NewInt(1)))
		}
		return x
	case 5:
		return math.Float64frombits(g.word())
	case 6:
		return string([]rune(string(g.bytes(int(g.next())))))
	case 7:
		return g.bytes(int(g.next()))
	case 8:
		return tuple(g.items(depth))
	case 9:
		return &object{g.word()}
	case 10:
		return g.strMap(depth)
	case 11:
		return g.dict(depth)
	case 12:
		return set{g.value(100)}
	case 13:
		return frozenSet{g.value(100), g.value(100)}
	}
	return g.items(depth)
}

func (g *generator) strMap(depth int) any {
	m := map[string]any{}
	for _, v := range g.items(depth) {
		m[string([]rune(string(g.bytes(3))))] = v
	}
	return m
}

// dict makes one that no Go map holds, because of its last key.
func (g *generator) dict(depth int) any {
	d := dict{}
	for _, v := range g.items(depth) {
		d = append(d, pair{g.value(100), v})
	}
	return append(d, pair{tuple{}, nil})
}
