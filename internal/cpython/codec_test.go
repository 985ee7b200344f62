//go:build cgo && (linux || darwin)

package cpython_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/wire"
)

// python is a context without package py's codec: requests and results are bytes.
type python struct {
	t    *testing.T
	core *cpython.Context
}

func newPython(t *testing.T) python {
	if _, err := py.Info(); err != nil { // starts CPython
		t.Fatal(err)
	}
	core, err := cpython.NewContext(cpython.Worker, 16<<20, 0, new(py.Context))
	if err != nil {
		t.Fatal(err)
	}
	return python{t, core}
}

func (p python) close() {
	p.core.Close()
	<-p.core.Ended()
}

// run sends a request of SPEC.md and returns its result.
func (p python) run(verb wire.Verb, want wire.Want, operands ...[]byte) []byte {
	p.t.Helper()
	r, err := p.core.Request(false)
	if err != nil {
		p.t.Fatal(err)
	}
	frame := append([]byte{byte(verb), byte(want)}, make([]byte, 8)...)
	frame = append(frame, bytes.Join(operands, nil)...)
	out, err := r.Run(context.Background(), nil, append(r.Grow(r.Buffer(), len(frame)), frame...))
	if err != nil {
		p.t.Fatal(err)
	}
	defer r.Release()
	return bytes.Clone(out)
}

func raw(s string) []byte { return append(binary.AppendUvarint(nil, uint64(len(s))), s...) }

// identity gives a value to Python and takes it back.
func (p python) identity(value []byte) []byte {
	return p.run(wire.VerbCall, wire.WantExact, raw("__main__"), raw("identity"), []byte{1}, value, []byte{0})
}

func vectors(t *testing.T, file string) [][]string {
	t.Helper()
	text, err := os.ReadFile("../wire/testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for line := range strings.Lines(string(text)) {
		all = append(all, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return all
}

// same tells whether two values are equal but for the order of a set.
func same(t *testing.T, a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	v, err := wire.Decode[any](&wire.Decoder{Buf: a})
	w, err2 := wire.Decode[any](&wire.Decoder{Buf: b})
	if err != nil || err2 != nil {
		t.Errorf("%x, %x: %v, %v", a, b, err, err2)
	}
	return reflect.DeepEqual(v, w)
}

// The C half reads and writes the vectors of the Go half.
func TestVectors(t *testing.T) {
	p := newPython(t)
	defer p.close()
	p.run(wire.VerbExec, wire.WantNone, raw(`
nan, inf = float('nan'), float('inf')
def identity(x): return x
def nest(n): return [nest(n - 1)] if n > 1 else []
`), []byte{0})
	for _, v := range vectors(t, "vectors.txt") {
		if strings.Contains(v[1], "Ref(") { // means something in one context only
			continue
		}
		value, err := hex.DecodeString(v[0])
		if err != nil {
			t.Fatal(err)
		}
		got := p.identity(value)
		if got[0] != byte(wire.StatusOK) || !strings.HasPrefix(v[2], "accept:") && !same(t, got[1:], value) {
			t.Errorf("%s: %x came back as %x", v[1], value, got)
		}
		if again := p.identity(got[1:]); !bytes.Equal(again, got) {
			t.Errorf("%s: what came back, %x, came back as %x", v[1], got, again)
		}
		if made := p.run(wire.VerbEval, wire.WantExact, raw(v[1]), []byte{0}); !same(t, made[1:], got[1:]) {
			t.Errorf("Python's own %s is %x, want %x", v[1], made, got)
		}
	}
}

// Bytes that are no value are an exception in Python, and nothing worse.
func TestMalformed(t *testing.T) {
	p := newPython(t)
	defer p.close()
	p.run(wire.VerbExec, wire.WantNone, raw("def identity(x): return x"), []byte{0})
	for _, v := range vectors(t, "malformed.txt") {
		value, err := hex.DecodeString(v[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := p.identity(value); got[0] != byte(wire.StatusRaised) {
			t.Errorf("%s: %x was taken, and is %x", v[1], value, got)
		}
	}
	if got := p.identity([]byte{byte(wire.TagTrue)}); !bytes.Equal(got, []byte{byte(wire.StatusOK), byte(wire.TagTrue)}) {
		t.Errorf("afterwards True is %x", got)
	}
}
