package wire_test

import (
	"encoding/json"
	"maps"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pycontext/py/internal/wire"
)

type (
	myInt    int16
	myString string
	myBytes  []byte
	myByte   uint8
	ring     []ring
	pointer  *pointer
	base     struct {
		ID   int `py:"id"`
		Kind string
	}
	Other  struct{ Extra []int }
	record struct {
		base
		*Other
		Name    string         `py:"name" json:"ignored"`
		Score   float64        `json:"score,omitempty"`
		Tags    []myString     `py:",omitempty"`
		Next    *record        `py:"next,omitempty"`
		Any     any            `py:"any"`
		Key     [4]byte        `py:"key"`
		Big     big.Int        `py:"big"`
		Special tuple          `py:"special"`
		Obj     *object        `py:"obj"`
		ByName  map[myInt]base `py:"by_name,omitzero"`
		Skipped int            `py:"-"`
		//lint:ignore SA5008 a field named "-", as encoding/json has it
		Dash     int `json:"-,"`
		internal int
	}
)

func ptr[T any](v T) *T { return &v }

func bigOf(s string) *big.Int {
	x, ok := new(big.Int).SetString(s, 0)
	if !ok {
		panic(s)
	}
	return x
}

// trip encodes v and decodes it as a T.
func trip[T any](t *testing.T, v any, want T) {
	t.Helper()
	b, err := encode(v)
	if err != nil {
		t.Errorf("encode %#v: %v", v, err)
		return
	}
	got, err := decode[T](b)
	if err != nil {
		t.Errorf("decode %#v as %T: %v", v, want, err)
		return
	}
	if !same(any(got), any(want)) {
		t.Errorf("%#v as %T: got %#v, want %#v", v, want, got, want)
	}
}

func TestRoundTripAny(t *testing.T) {
	for _, c := range []struct{ in, out any }{
		{nil, nil}, {true, true}, {int8(-5), int64(-5)}, {uint16(700), int64(700)},
		{uint64(math.MaxUint64), bigOf("0xffffffffffffffff")}, {myInt(3), int64(3)},
		{bigOf("100000000000000000000"), bigOf("100000000000000000000")}, {*bigOf("-7"), int64(-7)},
		{(*big.Int)(nil), nil}, {float32(0.5), 0.5}, {math.Copysign(0, -1), math.Copysign(0, -1)},
		{math.NaN(), math.NaN()}, {"a\x00😀", "a\x00😀"}, {[]byte(nil), []byte{}}, {[]any(nil), []any{}},
		{map[string]any(nil), map[string]any{}}, {[]int(nil), []any{}}, {(*int)(nil), nil}, {ptr(5), int64(5)},
		{[]int{1, 300, -70000}, []any{int64(1), int64(300), int64(-70000)}},
		{[]float64{1, 2}, []any{1.0, 2.0}}, {[]string{"x", ""}, []any{"x", ""}},
		{map[string]int{"a": 1}, map[string]any{"a": int64(1)}}, {map[myInt]string{4: "x"}, map[any]any{int64(4): "x"}},
		{map[string]struct{}{"k": {}}, set{"k"}}, {[2]bool{true}, []any{true, false}}, {[3]byte{1, 2}, []byte{1, 2, 0}},
		{myBytes("hi"), []byte("hi")}, {[]myByte{7}, []byte{7}}, {myString("s"), "s"},
		{tuple{1, tuple{}}, tuple{int64(1), tuple{}}}, {set{1}, set{int64(1)}}, {frozenSet{"a"}, frozenSet{"a"}},
		{dict{{tuple{1}, 2}, {"a", nil}}, dict{{tuple{int64(1)}, int64(2)}, {"a", nil}}},
		{dict{{"a", 1}}, map[string]any{"a": int64(1)}}, {&object{7}, &object{7}}, {(*object)(nil), nil},
		{[]*object{{1}, nil}, []any{&object{1}, nil}}, {[]tuple{nil}, []any{tuple{}}}, {custom{"c"}, "c"}, {[]custom{{"c"}}, []any{"c"}},
		{base{3, "k"}, map[string]any{"id": int64(3), "Kind": "k"}}, {struct{}{}, map[string]any{}},
		{dict{{1, 1}, {"a", 2}, {math.NaN(), 3}}, dict{{int64(1), int64(1)}, {"a", int64(2)}, {math.NaN(), int64(3)}}},
		{dict{{"a", 1}, {"b", &object{5}}, {2, 2}}, map[any]any{"a": int64(1), "b": &object{5}, int64(2): int64(2)}},
		{dict{{"b", 1}, {"a", 2}, {"b", 3}}, dict{{"b", int64(1)}, {"a", int64(2)}, {"b", int64(3)}}},
		{ring{ring{}}, []any{[]any{}}},
	} {
		trip(t, c.in, c.out)
	}
}

func TestRoundTripTyped(t *testing.T) {
	trip(t, 5, int8(5))
	trip(t, uint64(math.MaxUint64), uint64(math.MaxUint64))
	trip(t, -1, float32(-1))
	trip(t, 1<<62, float64(1<<62))
	trip(t, bigOf("0x10000000000000000"), math.Ldexp(1, 64))
	trip(t, 0.25, float32(0.25))
	trip(t, math.Inf(-1), float32(math.Inf(-1)))
	trip(t, 9, big.NewInt(9))
	trip(t, "s", myString("s"))
	trip(t, []byte{1, 2}, [2]byte{1, 2})
	trip(t, []byte{1, 2}, []myByte{1, 2})
	trip(t, tuple{1, 2}, []int{1, 2})
	trip(t, tuple{1, 2}, [2]int8{1, 2})
	trip(t, set{1, 2}, map[int]struct{}{1: {}, 2: {}})
	trip(t, nil, []int(nil))
	trip(t, nil, map[int]int(nil))
	trip(t, nil, (*int)(nil))
	trip(t, nil, []byte(nil))
	trip(t, nil, error(nil))
	trip(t, nil, map[string]struct{}(nil))
	trip(t, []any{}, []string{})
	trip(t, []any{1, nil}, []*int{ptr(1), nil})
	trip(t, 5, ptr(ptr(5)))
	trip(t, map[any]any{1: "a", 2: "b"}, map[myInt]myString{1: "a", 2: "b"})
	trip(t, dict{{1, base{5, "x"}}, {2, map[string]any{}}}, map[int]base{1: {5, "x"}, 2: {}})
	trip(t, map[[2]int][1][]int{{1, 2}: {{3}}}, dict{{tuple{int64(1), int64(2)}, []any{[]any{int64(3)}}}})
	trip(t, map[[1][2]int]struct{}{{{1, 2}}: {}}, map[[1][2]int]struct{}{{{1, 2}}: {}})
	trip(t, map[string][]base{"x": {{1, "y"}}}, map[string][]base{"x": {{1, "y"}}})
	trip(t, tuple{1}, tuple{int64(1)})
	trip(t, []any{tuple{1}}, []tuple{{int64(1)}})
	trip(t, map[string]any{"a": 1}, dict{{"a", int64(1)}})
	trip(t, nil, dict(nil))
	trip(t, &object{3}, &object{3})
	trip(t, []any{&object{3}, nil}, []*object{{3}, nil})
	trip(t, map[float64]int{math.Inf(1): 1}, map[float64]int{math.Inf(1): 1})
	trip(t, ring{{}, {{}}}, ring{{}, {{}}})
	trip(t, map[string]any{"id": 4, "nobody": []any{1}, "wants": tuple{}}, base{ID: 4})
	trip(t, dict{{1, 2}, {"id", 4}}, base{ID: 4})
}

func TestRoundTripStruct(t *testing.T) {
	full := record{
		base: base{1, "k"}, Other: &Other{[]int{1}}, Name: "n", Score: 1.5, Tags: []myString{"t"},
		Next: &record{Name: "inner", Special: tuple{}}, Any: "any", Key: [4]byte{1, 2, 3, 4}, Big: *bigOf("0x1000000000000000000"),
		Special: tuple{"x"}, Obj: &object{8}, ByName: map[myInt]base{1: {2, "z"}}, Dash: 3,
	}
	trip(t, full, full)
	trip(t, &full, full)
	trip(t, []record{full, full}, []*record{&full, &full})
	v, err := decode[map[string]any](mustEncode(record{Skipped: 1, internal: 1}))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"id", "Kind", "name", "any", "key", "big", "special", "obj", "-"}
	for _, k := range want {
		if _, ok := v[k]; !ok {
			t.Errorf("no %q in %v", k, v)
		}
	}
	if len(v) != len(want) {
		t.Errorf("got %v, want only %q", v, want)
	}
}

// TestEmbedded checks what is promoted and what is not.
func TestEmbedded(t *testing.T) {
	type named struct {
		Other `py:"other"`
		A     int
	}
	type behind struct {
		*Other
		A int
	}
	type secret struct {
		*base
		B int
	}
	trip(t, named{Other{}, 1}, map[string]any{"other": map[string]any{"Extra": []any{}}, "A": int64(1)})
	trip(t, named{Other{[]int{2}}, 1}, named{Other{[]int{2}}, 1})
	trip(t, behind{nil, 1}, map[string]any{"A": int64(1)})
	trip(t, behind{nil, 1}, behind{nil, 1})
	trip(t, behind{&Other{[]int{}}, 1}, behind{&Other{[]int{}}, 1})
	trip(t, secret{&base{1, "k"}, 2}, map[string]any{"id": int64(1), "Kind": "k", "B": int64(2)})
	bad[secret](t, secret{&base{1, "k"}, 2}, ".id", "cannot be set")

	// A field may have the name of the struct around it, or that of a struct beside it.
	type user struct {
		ID
		Name string
	}
	trip(t, user{ID{1}, "n"}, map[string]any{"ID": int64(1), "Name": "n"})
	trip(t, user{ID{1}, "n"}, user{ID{1}, "n"})
	type loop struct {
		*ID
		*Loop
	}
	trip(t, loop{&ID{1}, &Loop{N: 2}}, map[string]any{"ID": int64(1), "N": int64(2)})
	type both struct {
		ID
		Second
	}
	if _, err := encode(both{}); err == nil || !strings.Contains(err.Error(), `two fields of wire_test.both are named "ID"`) {
		t.Error(err)
	}
	type outer struct {
		ID
		Second
		Own int `py:"ID"`
	}
	trip(t, outer{ID{1}, Second{2}, 3}, map[string]any{"ID": int64(3)})
}

type (
	ID     struct{ ID int }
	Second struct{ ID int }
	Loop   struct {
		*Loop
		N int
	}
)

// An even is zero when it is even, and a far one when its pointer says so.
type (
	even int
	far  struct{ N int }
	zero interface{ IsZero() bool }
)

func (n even) IsZero() bool { return n%2 == 0 }
func (f *far) IsZero() bool { return f.N < 0 }

// What is left out is what encoding/json leaves out.
func TestOmitted(t *testing.T) {
	type omitting struct {
		Int    int    `json:",omitzero"`
		Own    even   `json:",omitzero"`
		Behind *even  `json:",omitzero"`
		Far    far    `json:",omitzero"`
		There  *far   `json:",omitzero"`
		Any    any    `json:",omitzero"`
		Zero   zero   `json:",omitzero"`
		Items  []int  `json:",omitzero"`
		Empty  even   `json:",omitempty"`
		None   []int  `json:",omitempty"`
		Name   string `json:",omitempty"`
		Array  [0]int `json:",omitempty"`
	}
	one, two := even(1), even(2)
	for _, v := range []omitting{
		{}, {Items: []int{}, None: []int{}},
		{Own: one, Behind: &one, Far: far{1}, There: &far{1}, Any: one, Zero: one, Empty: two},
		{Own: two, Behind: &two, Far: far{-1}, There: &far{-1}, Any: two, Zero: two, Empty: one},
		{Zero: &two}, {Zero: (*even)(nil)}, {Zero: &far{-1}}, {Zero: &far{}}, {Any: &two},
	} {
		for _, p := range []any{v, &v} {
			var want map[string]any
			text, err := json.Marshal(p)
			if err != nil || json.Unmarshal(text, &want) != nil {
				t.Fatal(err)
			}
			got, err := decode[map[string]any](mustEncode(p))
			if names := slices.Sorted(maps.Keys(got)); err != nil || !slices.Equal(names, slices.Sorted(maps.Keys(want))) {
				t.Errorf("%T %s has %v, %v", p, text, names, err)
			}
		}
	}
}

// TestRecursiveTypes compiles plans of types that contain themselves at once.
func TestRecursiveTypes(t *testing.T) {
	type node struct {
		Left, Right *node
		Kids        map[string][]node
	}
	fresh := &wire.Hooks{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			want := node{Left: &node{}, Kids: map[string][]node{"a": {{Right: &node{}, Kids: map[string][]node{}}}}}
			want.Left.Kids, want.Kids["a"][0].Right.Kids = map[string][]node{}, map[string][]node{}
			e := wire.Encoder{Hooks: fresh}
			if err := e.Value(want); err != nil {
				t.Error(err)
			}
			got, err := wire.Decode[node](&wire.Decoder{Buf: e.Buf, Hooks: fresh})
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	wg.Wait()
}

// TestGrow writes into memory that the encoder does not own, and never past it.
func TestGrow(t *testing.T) {
	grown := 0
	e := wire.Encoder{Grow: func(buf []byte, n int) []byte {
		grown++
		exact := make([]byte, len(buf)+n)
		copy(exact, buf)
		return exact[:len(buf):len(exact)]
	}}
	v := map[string]any{"ints": []int{1, 1000}, "str": "héllo", "big": bigOf("0xfffffffffffffffffffff"), "f": []float64{1}, "s": base{1, "x"}}
	if err := e.Value(v); err != nil || grown == 0 {
		t.Fatal(err, grown)
	}
	if _, err := decode[any](e.Buf); err != nil {
		t.Error(err)
	}
}
