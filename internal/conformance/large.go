package conformance

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pycontext/py"
)

// largeBytes cross by address, each way, and are nobody's but the receiver's.
func largeBytes(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import go\ndef same(x): return x\ndef nest(x): return {'a': [x, (x,)], x: bytearray(x)}\ndef through(x): return go.through(x)")
	register(t, c, "through", func(x []byte) []byte { return x })
	for _, n := range []int{64<<10 - 1, 64 << 10, 1 << 20, 9 << 20} {
		data := make([]byte, n)
		rand.NewChaCha8([32]byte{byte(n)}).Read(data)
		want := bytes.Clone(data)
		for _, f := range []string{"same", "through"} {
			got := call[[]byte](t, c, "__main__", f, data)
			clear(data)
			equal(t, f, bytes.Equal(got, want), true)
			copy(data, want)
		}
		nested := call[py.Dict](t, c, "__main__", "nest", data)
		list, _ := nested.Value("a")
		equal(t, "in a list", bytes.Equal(list.([]any)[0].([]byte), want), true)
		equal(t, "in a tuple", bytes.Equal(list.([]any)[1].(py.Tuple)[0].([]byte), want), true)
		equal(t, "as a key", bytes.Equal(nested[1].Key.([]byte), want), true)
		equal(t, "bytearray", bytes.Equal(nested[1].Value.(py.ByteArray), want), true)
	}
}

// largeTexts cross by address, too.
func largeTexts(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
import go, decimal, sys
def same(x): return x
def nest(x): return {'a': [x, (x,)], x: x, 'path': type('S', (str,), {})(x)}
def through(x): return go.through(x)
def fields(x): return {'Text': x, x: 1}
def digits(x): return decimal.Decimal(x)
`)
	register(t, c, "through", func(x string) string { return x })
	for _, n := range []int{64<<10 - 1, 64 << 10, 1 << 20} {
		for _, char := range []string{"x", "\x00", "é", "€", "😀"} {
			text := strings.Repeat(char, n/len(char)+1)
			what := fmt.Sprintf("%d of %q", n, char)
			for _, f := range []string{"same", "through"} {
				equal(t, what+": "+f, call[string](t, c, "__main__", f, text) == text, true)
				equal(t, what+": any "+f, call[any](t, c, "__main__", f, text) == text, true)
			}
			equal(t, what+": its length", call[int](t, c, "builtins", "len", text), utf8.RuneCountInString(text))
			nested := call[map[string]any](t, c, "__main__", "nest", text)
			equal(t, what+": in a list", nested["a"].([]any)[0] == any(text), true)
			equal(t, what+": in a tuple", nested["a"].([]any)[1].(py.Tuple)[0] == any(text), true)
			equal(t, what+": as a key", nested[text] == any(text), true)
			equal(t, what+": of a subclass", eval[string](t, c, "type('S', (str,), {})(x)", py.Vars{"x": text}) == text, true)
			equal(t, what+": given as a key", call[int](t, c, "__main__", "same", map[string]int{text: 1}[text]), 1)
			equal(t, what+": a key there and back", call[map[string]int](t, c, "__main__", "same", map[string]int{text: 1})[text], 1)
			equal(t, what+": in a Dict", call[py.Dict](t, c, "__main__", "same", dict(text, text, 1, 2))[0].Value == any(text), true)
			type loose struct{ Text string }
			equal(t, what+": a field", call[loose](t, c, "__main__", "fields", text).Text == text, true)
			type strict struct {
				_    struct{} `py:",strict"`
				Text string
			}
			_, err := py.Call[strict](limit(t), c, "__main__", "fields", text)
			if err == nil || len(err.Error()) > 500 || !strings.Contains(err.Error(), "has no field for this key") {
				t.Errorf("%s: a key that there is no field for: %.600v", what, err)
			}
			_, err = py.Call[[]byte](limit(t), c, "__main__", "same", text)
			if err == nil || !strings.Contains(err.Error(), "str") {
				t.Errorf("%s: as bytes: %.600v", what, err)
			}
		}
		digits := "1" + strings.Repeat("0", n)
		if eval[bool](t, c, "'_decimal' in sys.modules") {
			equal(t, "a Decimal", call[py.Decimal](t, c, "__main__", "digits", digits) == py.Decimal(digits), true)
		} else {
			t.Log("no Decimal: that in Python, without the C library, takes no more than 4300 digits")
		}
		_, err := c.Call(limit(t), "__main__", "same", digits+"\xff")
		contains(t, "no text", fmt.Sprintf("%.300v", err), "not valid UTF-8")
		_, err = c.Eval(limit(t), "x + '\\ud800'", py.Vars{"x": digits})
		contains(t, "a surrogate", fmt.Sprintf("%.300v", err), "surrogate")
		works(t, c)
	}
	limited := s.open(t, py.Options{Limits: py.Limits{Bytes: 1 << 20}})
	for _, n := range []int{1<<20 - 1000, 1 << 20, 1<<20 + 1} {
		_, err := limited.Eval(limit(t), "'x' * n", py.Vars{"n": n})
		equal(t, fmt.Sprintf("%d bytes of text within the limit", n), err == nil, n < 1<<20)
	}
}

// largeBytesAbandoned changes the bytes of a call as soon as its caller has given up: Python has all of them or none.
func largeBytesAbandoned(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "torn = whole = 0\ndef check(x):\n  global torn, whole\n  try: all = x.count(x[0]) == len(x)\n  except BaseException: all = x.count(x[0]) == len(x)\n  if all: whole += 1\n  else: torn += 1")
	data := make([]byte, 32<<20)
	fill := func(b byte) {
		data[0] = b
		for n := 1; n < len(data); n *= 2 {
			copy(data[n:], data[:n])
		}
	}
	for i := range 40 {
		fill(byte(i))
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Duration(i)*time.Millisecond, cancel)
		c.Call(ctx, "__main__", "check", data)
		fill(byte(i + 100))
		cancel()
	}
	equal(t, "torn", eval[int](t, c, "torn"), 0)
	t.Logf("%d of 40 came through", eval[int](t, c, "whole"))
}

// givenUpWhileBusy has requests given up that wait behind one which takes long. What they were sent with is gone long before it is
// their turn.
func givenUpWhileBusy(t *testing.T, s *suite) {
	c := s.open(t)
	functions := py.Live().Functions
	in, out := make(chan struct{}), make(chan struct{})
	register(t, c, "hold", func() { close(in); <-out }, py.Inline())
	held := make(chan error)
	go func() { held <- c.Exec(limit(t), "import go; go.hold()") }()
	<-in
	for _, n := range []int{60_000, 500_000} {
		flat(t, fmt.Sprintf("200 requests of %d bytes that were given up", n), 4<<20, func() {
			for range 200 {
				_, err := c.Call(timeout(100*time.Microsecond), "builtins", "len", make([]byte, n), func() {})
				is(t, "a request behind another", err, context.DeadlineExceeded)
			}
		})
	}
	equal(t, "functions that are held", py.Live().Functions, functions)
	close(out)
	is(t, "what was before them", <-held, nil)
}
