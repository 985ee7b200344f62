package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLines(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, c := range []struct {
		kind kind
		text string
		want []string // place and text
	}{
		{jsonLines, "", nil},
		{jsonLines, "1", []string{"f:1 1"}},
		{jsonLines, "1\n", []string{"f:1 1"}},
		{jsonLines, "1\r\n\n \t\n2\r\n", []string{"f:1 1", "f:4 2"}},
		{jsonLines, "\ufeff1\n\ufeff2", []string{"f:1 1", "f:2 \ufeff2"}},
		{textLines, "a \n\n b", []string{"f:1 a ", "f:3  b"}},
		{textLines, "a\rb\n", []string{"f:1 a\rb"}},
		{textLines, long + "\n1\n", []string{"f:1 " + long, "f:2 1"}},
		{fileNames, "a\nb c\n", []string{"a a", "b c b c"}},
	} {
		in := &input{kind: c.kind}
		var got []string
		var size int64
		more, err := in.readLines(strings.NewReader(c.text), "f", func(it item) bool {
			got = append(got, fmt.Sprintf("%v %s", it.place, it.raw))
			size += it.size
			return true
		})
		if !more || err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%.50q: got %.200q, %v, %v, want %.200q", c.text, got, more, err, c.want)
		}
	}
}

// TestLongLine has a line that is longer than is held: it is an item that fails, and the next is not.
func TestLongLine(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 600 MB")
	}
	text := io.MultiReader(strings.NewReader("1\n"), &repeated{'x', maxLine + 1}, strings.NewReader("\n2\n"))
	var got []string
	in := &input{kind: jsonLines}
	if _, err := in.readLines(text, "f", func(it item) bool {
		got = append(got, fmt.Sprintf("%v %s %v", it.place, it.raw, it.err))
		return true
	}); err != nil {
		t.Error(err)
	}
	if want := []string{"f:1 1 <nil>", "f:2  the line is longer than 256 MiB", "f:3 2 <nil>"}; !slices.Equal(got, want) {
		t.Errorf("got %.200q, want %q", got, want)
	}
}

type repeated struct {
	b byte
	n int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	n := min(len(p), r.n)
	for i := range n {
		p[i] = r.b
	}
	r.n -= n
	return n, nil
}

func TestTotal(t *testing.T) {
	dir := folder(t, map[string]string{"a": "1234", "b": "12"})
	a, b := dir+"/a", dir+"/b"
	pipe, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer w.Close()
	for _, c := range []struct {
		kind  kind
		paths []string
		want  int64
	}{
		{jsonLines, []string{a, b}, 6},
		{jsonLines, []string{a, "-"}, -1},
		{jsonLines, []string{a, dir + "/none"}, -1},
		{fileNames, []string{a, b}, 2},
		{fileNames, []string{a, "-"}, -1},
	} {
		in := &input{kind: c.kind, paths: c.paths, stdin: pipe}
		if got := in.total(); got != c.want {
			t.Errorf("%s of %q: got %d, want %d", c.kind, c.paths, got, c.want)
		}
	}
}

func TestRate(t *testing.T) {
	for _, c := range []struct {
		items int64
		took  time.Duration
		want  string
	}{
		{0, time.Second, "0 items/s"},
		{5, 0, "0 items/s"},
		{1234567, time.Second, "1234567 items/s"},
		{5, 2 * time.Second, "2.5 items/s"},
		{1, 90 * time.Second, "90.0 s/item"},
	} {
		if got := rate(c.items, c.took); got != c.want {
			t.Errorf("%d in %v: got %s, want %s", c.items, c.took, got, c.want)
		}
	}
	for took, want := range map[time.Duration]string{
		1234567 * time.Nanosecond: "1ms", 1234 * time.Millisecond: "1.2s", 83*time.Second + 400*time.Millisecond: "1m23s",
	} {
		if got := rounded(took).String(); got != want {
			t.Errorf("%v: got %s, want %s", took, got, want)
		}
	}
}

// TestOutputFlushes checks that a line does not wait for others, and that an error of the writer ends the run.
func TestOutputFlushes(t *testing.T) {
	r, w := io.Pipe()
	ended := make(chan error, 10)
	o := newOutput(w, func(err error) { ended <- err })
	go o.keepFlushing(t.Context())
	o.line([]byte("a"))
	line := make([]byte, 2)
	if _, err := io.ReadFull(r, line); err != nil || !bytes.Equal(line, []byte("a\n")) {
		t.Errorf("got %q, %v", line, err)
	}
	r.CloseWithError(os.ErrClosed)
	o.line([]byte("b"))
	if err := <-ended; err != os.ErrClosed {
		t.Errorf("got %v", err)
	}
}
