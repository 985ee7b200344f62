package wire_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"testing"

	"github.com/pycontext/py/internal/wire"
)

type spot struct{ X, Y int }

// spots are hooks for one converted type, number 1.
var spots = &wire.Hooks{
	Tuple: func(items []any) any { return tuple(items) },
	Dict:  func(keys, values []any) any { return [2]any{keys, values} },
	Converted: func(number uint64) reflect.Type {
		if number == 1 {
			return reflect.TypeFor[spot]()
		}
		return nil
	},
}

func unhex(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMarkedValues(t *testing.T) {
	const one, two = "0b0207015803010701590302", "0b0207015803030701590304" // dicts of 12 bytes
	for in, want := range map[string]any{
		"46010001" + one:                                  spot{1, 2},
		"46010201" + "0901" + one:                         []any{spot{1, 2}},
		"46010e01" + "0902" + one + two:                   []any{map[string]any{"X": int64(1), "Y": int64(2)}, spot{3, 4}},
		"460202010e01" + "0a02" + one + two:               tuple{spot{1, 2}, spot{3, 4}},
		"46010201" + "0b01" + one + "00":                  [2]any{[]any{spot{1, 2}}, []any{nil}},
		"4600" + "01":                                     false,
		"46010301" + "0e0c" + "0a03" + "00" + "00" + "00": nil, // no such hook
	} {
		data := unhex(t, in)
		d := wire.Decoder{Buf: data, Hooks: spots}
		got, err := d.Any()
		if want == nil {
			if err == nil {
				t.Errorf("%s: %v", in, got)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, want) || len(d.Buf) > 0 {
			t.Errorf("%s: got %#v, %v with %d bytes left, want %#v", in, got, err, len(d.Buf), want)
		}
		if d := (wire.Decoder{Buf: data}); d.Skip() != nil || len(d.Buf) > 0 {
			t.Errorf("%s: Skip does not pass over it", in)
		}
	}
	d := wire.Decoder{Buf: unhex(t, "46010201"+"0901"+one+"02"), Hooks: spots}
	if got, err := wire.Decode[[]map[string]int](&d); err != nil || got[0]["Y"] != 2 {
		t.Errorf("as something else: %v, %v", got, err)
	}
	if got, err := d.Any(); got != true || err != nil {
		t.Errorf("what follows: %v, %v", got, err)
	}
	// One that does not fit is passed over.
	d = wire.Decoder{Buf: unhex(t, "46010201"+"0901"+"0301"+"02"), Hooks: spots}
	if got, err := d.Any(); err == nil || errors.Is(err, wire.ErrMalformed) {
		t.Errorf("an int as a struct: %v, %v", got, err)
	}
	if got, err := d.Any(); got != true || err != nil {
		t.Errorf("what follows: %v, %v", got, err)
	}
}

func TestConvertedTypes(t *testing.T) {
	type celsius float64
	var types wire.ConvertedTypes
	e := wire.Encoder{Converted: &types}
	write := func(v any) []byte {
		e.Reset(nil)
		if err := e.Value(v); err != nil {
			t.Fatal(err)
		}
		return e.Buf
	}
	plain := write([]celsius{1})
	types.Add(reflect.TypeFor[celsius](), 300)
	if got := write([]celsius{1}); bytes.Equal(got, plain) || !bytes.Contains(got, unhex(t, "0e180a02042c01000000000000"+"06")) {
		t.Errorf("got %x, before %x", got, plain)
	}
	if got := write((*celsius)(nil)); !bytes.Equal(got, []byte{0}) {
		t.Errorf("nil: %x", got)
	}
	type chain struct{ Next []chain }
	types.Add(reflect.TypeFor[chain](), 1)
	v := chain{}
	v.Next = []chain{v}
	v.Next[0].Next = v.Next // contains itself
	e.Reset(nil)
	if e.Value(v) == nil {
		t.Error("a value that contains itself")
	}
}
