package wire_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pycontext/py/internal/wire"
)

func checkError(t *testing.T, what any, err error, path, reason string) {
	t.Helper()
	var e *wire.Error
	if !errors.As(err, &e) {
		t.Errorf("%T: got %v, want an error at %q: %s", what, err, path, reason)
		return
	}
	if e.Path != path || !strings.Contains(e.Reason, reason) {
		t.Errorf("%T: got %q: %s, want %q: %s", what, e.Path, e.Reason, path, reason)
	}
}

func TestEncodeErrors(t *testing.T) {
	type twice struct {
		A int `py:"x"`
		B int `py:"x"`
	}
	type bad struct {
		Items []any `py:"items"`
	}
	self := []any{nil}
	self[0] = self
	var loop any
	loop = &loop
	var p pointer
	p = &p
	for _, c := range []struct {
		v            any
		path, reason string
	}{
		{make(chan int), "", "chan int has no Python counterpart"},
		{func() {}, "", "func() has no Python counterpart"},
		{complex(1, 2), "", "complex128"},
		{uintptr(1), "", "uintptr"},
		{reflect.ValueOf((*int)(nil)).UnsafePointer(), "", "unsafe.Pointer"},
		{"a\xff", "", "not valid UTF-8"},
		{myString("\xed\xa0\x80"), "", "not valid UTF-8"},
		{[]string{"", "\xff"}, "[1]", "not valid UTF-8"},
		{map[string]int{"\xff": 1}, ".keys()", "not valid UTF-8"},
		{[]any{1, []any{2, make(chan int)}}, "[1][1]", "chan int"},
		{bad{[]any{0, 1, 2, map[string]any{"key": func() {}}}}, `.items[3]["key"]`, "func()"},
		{map[int]any{7: [1]any{uintptr(0)}}, "[7][0]", "uintptr"},
		{tuple{1, set{complex64(1)}}, "[1][0]", "complex64"},
		{dict{{"a", 1}, {"b", func() {}}}, `["b"]`, "func()"},
		{dict{{[]int{}, 1}}, ".keys()", "not hashable"},
		{set{"a", []any{}}, "[1]", "not hashable"},
		{map[[1]base]int{{}: 1}, ".keys()", "in a tuple, a dict is not hashable"},
		{set{[1]any{[]int{}}}, "[0][0]", "a list is not hashable"},
		{set{tuple{1, tuple{set{}}}}, "[0]", "in a tuple, a set is not hashable"},
		{map[base]struct{}{{}: {}}, ".keys()", "not hashable"},
		{twice{}, "", `two fields of wire_test.twice are named "x"`},
		{[]twice{{}}, "[0]", "two fields"},
		{[]any{time.Time{}}, "[0]", "no field that travels"},
		{self, strings.Repeat("[0]", wire.MaxDepth), "more than 1000 deep"},
		{loop, "", "more than 1000 deep"},
		{p, "", "more than 1000 deep"},
	} {
		_, err := encode(c.v)
		checkError(t, c.v, err, c.path, c.reason)
	}
	_, err := encode(self)
	if n := len(err.Error()); n > 300 {
		t.Errorf("a message of %d bytes", n)
	}
}

// deep returns n lists inside one another.
func deep(n int) any {
	v := []any{}
	for range n - 1 {
		v = []any{v}
	}
	return v
}

func TestDepth(t *testing.T) {
	trip(t, deep(wire.MaxDepth), deep(wire.MaxDepth))
	if _, err := encode(deep(wire.MaxDepth + 1)); err == nil {
		t.Error("too deep a value is encoded")
	}
	tail := (*record)(nil)
	for range wire.MaxDepth - 1 {
		tail = &record{Next: tail, Special: tuple{}}
	}
	b, err := encode(tail)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decode[*record](b); err != nil {
		t.Error(err)
	}
}

// bad decodes v as a T, which must fail.
func bad[T any](t *testing.T, v any, path, reason string) {
	t.Helper()
	b := append(mustEncode(v), 0x02)
	d := wire.Decoder{Buf: b, Hooks: hooks}
	got, err := wire.Decode[T](&d)
	checkError(t, got, err, path, reason)
	if !slices.Equal(d.Buf, []byte{0x02}) {
		t.Errorf("%T: %d bytes are left behind a value that does not fit", got, len(d.Buf))
	}
	if errors.Is(err, wire.ErrMalformed) {
		t.Errorf("%T: %v is malformed", got, err)
	}
}

func TestDecodeErrors(t *testing.T) {
	bad[int](t, "s", "", "expected int, got str")
	bad[int](t, 1.0, "", "expected int, got float")
	bad[int](t, true, "", "expected int, got bool")
	bad[bool](t, 1, "", "expected bool, got int")
	bad[int](t, nil, "", "expected int, got None")
	bad[base](t, nil, "", "expected dict, got None")
	bad[[2]int](t, nil, "", "expected list, got None")
	bad[int8](t, 128, "", "128 does not fit int8")
	bad[uint](t, -1, "", "-1 does not fit uint")
	bad[uint32](t, 1<<32, "", "4294967296 does not fit uint32")
	bad[int64](t, uint64(1<<63), "", "9223372036854775808 does not fit int64")
	bad[myInt](t, bigOf("0x"+strings.Repeat("f", 100)), "", "an int of 400 bits does not fit wire_test.myInt")
	bad[float64](t, 1<<53+1, "", "cannot be a float64 exactly")
	bad[float64](t, bigOf("0x10000000000000001"), "", "exactly")
	bad[float64](t, bigOf("0x1"+strings.Repeat("0", 300)), "", "exactly")
	bad[float32](t, 1<<24+1, "", "cannot be a float32 exactly")
	bad[float32](t, 0.1, "", "cannot be a float32 exactly")
	bad[float32](t, math.MaxFloat64, "", "cannot be a float32 exactly")
	bad[float64](t, true, "", "expected float, got bool")
	bad[[]byte](t, "s", "", "expected bytes, got str; take it as string")
	bad[string](t, []byte("s"), "", "expected str, got bytes; take it as []byte")
	bad[[2]byte](t, []byte("s"), "", "expected bytes of length 2, got length 1")
	bad[[2]int](t, tuple{1}, "", "expected tuple of length 2, got length 1")
	bad[[2]int](t, set{1, 2}, "", "expected list, got set")
	bad[[]int](t, []any{1, 2, "x"}, "[2]", "expected int, got str")
	bad[[]int8](t, []any{1, 2, "x"}, "[2]", "expected int, got str")
	bad[[]int](t, base{}, "", "expected list, got dict")
	bad[map[string]int](t, map[string]any{"k": "v"}, `["k"]`, "expected int, got str")
	bad[map[string]int](t, dict{{1, 1}}, ".keys()", "expected str, got int")
	bad[map[int]int](t, dict{{1, 1}, {1, 2}}, "[1]", "two keys are equal in Go")
	bad[map[string]int](t, dict{{"a", 1}, {"a", 2}}, `["a"]`, "two keys are equal in Go")
	bad[map[float64]int](t, dict{{1, 1}, {1.0, 2}}, "[1]", "two keys are equal in Go")
	bad[map[int]struct{}](t, set{1, 1}, "[1]", "two keys are equal in Go")
	bad[map[int]struct{}](t, []any{1}, "", "expected set, got list")
	bad[map[any]int](t, dict{{tuple{}, 1}}, ".keys()", "tuple cannot be a key of a Go map[interface {}]")
	bad[map[any]struct{}](t, set{bigOf("0x1000000000000000000")}, ".keys()", "int cannot be a key of a Go map[interface {}]")
	bad[map[[1]any]int](t, dict{{tuple{[]byte{}}, 1}}, ".keys()", "tuple cannot be a key of a Go map[[1]interface {}]")
	bad[map[any]int](t, dict{{math.NaN(), 1}}, ".keys()", "float cannot be a key")
	bad[tuple](t, []any{1}, "", "expected tuple, got list")
	bad[set](t, tuple{}, "", "expected set, got tuple")
	bad[dict](t, set{}, "", "expected dict, got set")
	bad[*object](t, 1, "", "expected object that has no Go form, got int")
	bad[custom](t, "c", "", "no Python counterpart")
	bad[chan int](t, 1, "", "no Python counterpart")
	bad[error](t, 1, "", "expected what implements error, got int")
	bad[pointer](t, 1, "", "1000 deep")
	bad[record](t, map[string]any{"by_name": dict{{1, map[string]any{"id": "x"}}}}, ".by_name[1].id", "expected int, got str")
	bad[[]record](t, []any{map[string]any{"Extra": []any{1, nil}}}, "[0].Extra[1]", "expected int, got None")
	bad[time.Time](t, base{}, "", "no field that travels")
}

// TestReferences checks that each reference is made or dropped, once, whatever fails.
func TestReferences(t *testing.T) {
	v := []any{&object{1}, dict{{"a", &object{2}}, {"b", &object{3}}, {1, &object{4}}}, &object{5}, tuple{&object{6}}}
	type picky struct{ A *object }
	cases := []struct {
		name string
		run  func(d *wire.Decoder) error
		made []uint64
	}{
		{"any", func(d *wire.Decoder) error { _, err := d.Any(); return err }, []uint64{1, 2, 3, 4, 5, 6}},
		{"skip", func(d *wire.Decoder) error { return d.Skip() }, nil},
		{"objects", func(d *wire.Decoder) error { _, err := wire.Decode[[]*object](d); return err }, []uint64{1}},
		{"maps", func(d *wire.Decoder) error { _, err := wire.Decode[[]map[string]int](d); return err }, nil},
		{"array", func(d *wire.Decoder) error { return d.Reflect(reflect.ValueOf(new([4]any)).Elem()) }, []uint64{1, 2, 3, 4, 5, 6}},
		{"ints", func(d *wire.Decoder) error { _, err := wire.Decode[[4]int](d); return err }, nil},
	}
	plain := mustEncode(v)
	for i, c := range append(cases, cases...) {
		b := plain
		if i >= len(cases) {
			b = bytes.ReplaceAll(plain, []byte{byte(wire.TagRef)}, named("shapes.Point"))
		}
		r := &refs{}
		d := wire.Decoder{Buf: b, Hooks: hooks, Scope: r}
		err := c.run(&d)
		if (err == nil) != (len(c.made) == 6 || c.name == "skip") {
			t.Errorf("%s: %v", c.name, err)
		}
		all := slices.Concat(r.made, r.dropped)
		if !slices.Equal(r.made, c.made) || !slices.Equal(all, []uint64{1, 2, 3, 4, 5, 6}) || len(d.Buf) != 0 {
			t.Errorf("%s: made %v, dropped %v, %d bytes left", c.name, r.made, r.dropped, len(d.Buf))
		}
	}
	r := &refs{}
	d := wire.Decoder{Buf: mustEncode(dict{{"x", &object{1}}, {"A", &object{2}}, {"y", []any{&object{3}, &object{4}}}}), Hooks: hooks, Scope: r}
	p, err := wire.Decode[picky](&d)
	if err != nil || p.A.handle != 2 || !slices.Equal(r.dropped, []uint64{1, 3, 4}) {
		t.Errorf("%v, %+v, %+v", err, p, r)
	}
	r.dropped = nil
	d = wire.Decoder{Buf: mustEncode([]any{dict{{"x", &object{1}}, {"A", &object{2}}}, &object{3}}), Hooks: hooks, Scope: r}
	if _, err := wire.Decode[[]picky](&d); err == nil || !slices.Equal(r.dropped, []uint64{1, 3}) {
		t.Errorf("%v, %+v", err, r)
	}
}

// named is what stands in front of the handle of an object of a class.
func named(class string) []byte {
	var e wire.Encoder
	e.Byte(byte(wire.TagNamed))
	e.Raw(class)
	e.Byte(byte(wire.TagRef))
	return e.Buf
}

func TestNamedObjects(t *testing.T) {
	object7 := append(named("shapes.Point"), 7, 0, 0, 0, 0, 0, 0, 0)
	d := wire.Decoder{Buf: object7, Hooks: hooks, Scope: &refs{}}
	_, err := wire.Decode[int](&d)
	checkError(t, 0, err, "", "expected int, got object of class shapes.Point; take it as *py.Object in Go")
	record := slices.Concat([]byte{byte(wire.TagStandard), byte(wire.KindRecord)}, object7, mustEncode(map[string]any{"X": 1}))
	_, err = decode[int](record)
	checkError(t, 0, err, "", "expected int, got object of class shapes.Point")
	if p, err := decode[struct{ X int }](record); err != nil || p.X != 1 {
		t.Error(p, err)
	}
	for _, b := range [][]byte{{byte(wire.TagNamed)}, {byte(wire.TagNamed), 9, 1}, {byte(wire.TagNamed), 1, 'a'}, {byte(wire.TagNamed), 1, 'a', 2}} {
		if _, err := decode[any](b); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%x: %v", b, err)
		}
	}
}

func TestAt(t *testing.T) {
	_, err := encode([]any{make(chan int)})
	if got := wire.At(err, "args[0]").Error(); got != "args[0][0]: a Go chan int has no Python counterpart; use iter.Seq2[T, error]" {
		t.Error(got)
	}
	cause := errors.New("gone")
	if err := wire.At(wire.At(cause, "[1]"), "x"); !errors.Is(err, cause) || err.Error() != "x[1]: gone" {
		t.Error(err)
	}
}

// TestCounts checks that promised items do not make the decoder take memory.
func TestCounts(t *testing.T) {
	b := []byte{byte(wire.TagList), 0xff, 0xff, 0x3f}
	b = append(b, make([]byte, 1<<20)...)
	nested := b
	for range 400 {
		nested = append([]byte{byte(wire.TagList), 0xff, 0xff, 0x3f}, nested...)
	}
	type wide struct{ A, B [1 << 12]byte }
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := decode[any](nested); !errors.Is(err, wire.ErrMalformed) {
		t.Error(err)
	}
	if _, err := decode[[]wide](b); err == nil {
		t.Error("no error")
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 100<<20 {
		t.Errorf("%d MiB are allocated for 1 MiB", n>>20)
	}
}
