package py

import (
	"strings"
	"testing"

	"github.com/pycontext/py/internal/wire"
)

// TestReadersKeepTheOrder: what was read and dropped on the way to Python, in any pieces, is read again in its order.
func TestReadersKeepTheOrder(t *testing.T) {
	r := &reader{from: strings.NewReader("abcdefgh")}
	f := &goFunc{name: "read", lent: true, min: 1, max: 1}
	read := func(n int, arrives bool) string {
		d, e := wire.Decoder{Buf: args(n).encode(t)}, wire.Encoder{}
		if raised, err := r.answer(f, t.Context, &d, &e); raised != nil || err != nil {
			t.Fatal(raised, err)
		}
		endHolds(&e, arrives)
		data, err := wire.Decode[[]byte](&wire.Decoder{Buf: e.Buf[1:]})
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	got := []string{read(4, false), read(2, false), read(1, true), read(2, false), read(9, true), read(9, true)}
	want := []string{"abcd", "ab", "a", "bc", "bcd", "efgh"}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %q, want %q", got, want)
	}
}
