package wire_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/pycontext/py/internal/wire"
)

// lines returns the tab-separated lines of a file, of which the first field is hex.
func lines(t testing.TB, file string) (data [][]byte, rest [][]string) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		b, err := hex.DecodeString(fields[0])
		if err != nil {
			t.Fatal(err)
		}
		data, rest = append(data, b), append(rest, fields[1:])
	}
	return data, rest
}

func TestVectors(t *testing.T) {
	data, rest := lines(t, "vectors.txt")
	for i, b := range data {
		v, err := decode[any](b)
		if err != nil {
			t.Errorf("%s: %v", rest[i][0], err)
			continue
		}
		if d := (wire.Decoder{Buf: b}); d.Skip() != nil || len(d.Buf) != 0 {
			t.Errorf("%s: Skip does not pass over it", rest[i][0])
		}
		accept := strings.HasPrefix(rest[i][1], "accept:")
		if got := again(t, v, b); bytes.Equal(got, b) == accept {
			t.Errorf("%s: encoded again as %x, want %x", rest[i][0], got, b)
		}
	}
}

// again encodes v, and tries a few times to hit the order of maps that want has.
func again(t *testing.T, v any, want []byte) (got []byte) {
	for range 200 {
		if got = mustEncode(v); bytes.Equal(got, want) {
			return got
		}
	}
	w, err := decode[any](got)
	if err != nil || !same(v, w) {
		t.Errorf("encoded again, %#v is %#v, %v", v, w, err)
	}
	switch v.(type) {
	case map[string]any, map[any]any:
		if len(got) == len(want) {
			return want
		}
	}
	return got
}

func TestMalformed(t *testing.T) {
	data, rest := lines(t, "malformed.txt")
	for i, b := range data {
		v, err := decode[any](b)
		if err == nil {
			t.Errorf("%x (%s): decoded as %#v", b, rest[i][0], v)
			continue
		}
		deep := strings.HasSuffix(rest[i][0], " deep")
		if deep == errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%x (%s): %v", b, rest[i][0], err)
		}
	}
}
