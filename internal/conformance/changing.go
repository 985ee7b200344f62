package conformance

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pycontext/py"
)

// changingCases are about what changes, goes or lies while it is looked at.
var changingCases = []testCase{
	{"ContainersThatChangeInGo", containersThatChangeInGo},
	{"ForeignMemoryIsLent", foreignMemoryIsLent},
	{"ClassesThatChange", classesThatChange},
	{"IteratorsWithoutIter", iteratorsWithoutIter},
	{"BuffersWhileCopied", buffersWhileCopied},
	{"ErrorsThatLieAboutTheirClass", errorsThatLieAboutTheirClass},
}

func init() { hostileCases = append(hostileCases, changingCases...) }

// A shrinking value changes the container that it is in while that is written.
type shrinking struct{ change func() }

func (s shrinking) MarshalPython() (any, error) { s.change(); return "x", nil }

func containersThatChangeInGo(t *testing.T, s *suite) {
	c := s.open(t)
	ask := func(what string, value any) {
		t.Helper()
		defer func() {
			if v := recover(); v != nil {
				t.Errorf("%s: panic: %v", what, v)
			}
		}()
		got, err := c.Call(limit(t), "builtins", "repr", py.Tuple{value, "next"})
		var bad *py.ConversionError
		if !errors.As(err, &bad) {
			t.Errorf("%s: got %v, %v", what, got, err)
		}
	}
	m := map[string]any{}
	m["a"] = shrinking{func() { clear(m) }}
	m["b"] = m["a"]
	ask("a map[string]any", m)
	n := map[int]any{}
	n[1] = shrinking{func() { clear(n) }}
	n[2] = n[1]
	ask("a map", n)
	type fields struct {
		A shrinking
		B string `py:"b,omitempty"`
	}
	f := &fields{B: "there"}
	f.A = shrinking{func() { f.B = "" }}
	ask("a struct", f)
	f = &fields{}
	f.A = shrinking{func() { f.B = "there" }}
	ask("a struct that grows", f)
	type list struct{ Items []shrinking }
	l := &list{}
	l.Items = []shrinking{{func() { l.Items = l.Items[:1] }}, {func() {}}}
	ask("a slice", l)
}

// foreignMemoryIsLent: memory that is not the Go runtime's stays where it is by itself.
func foreignMemoryIsLent(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "a = bytearray(b'\\1\\2\\3')")
	o := eval[*py.Object](t, c, "a")
	defer o.Close()
	b, err := py.View[byte](limit(t), o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	data, err := b.Data()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "memory of Python", eval[int](t, c, "sum(v)", py.Vars{"v": py.Lend(data)}), 6)
	err = c.Attach(limit(t), func(a *py.Attached) error {
		r, err := a.New(py.LendWritable(data))
		if err != nil {
			return err
		}
		return r.SetItem(0, 5)
	})
	equal(t, "within Attach", err, nil)
	equal(t, "what Python wrote", eval[[]byte](t, c, "a"), []byte{5, 2, 3})
}

// classesThatChange: an object gets another class, and its own goes, while it is looked at.
func classesThatChange(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
import datetime, gc, sys
kept = []
def changing(base, name):
    def look(self):
        if type(self) is not last:
            self.__class__ = last
            gc.collect()
            kept.append([b'\x99' * n for n in range(500, 2500)])
        return 1
    last = type('Last', (base,), {})
    return type('First', (base,), {name: property(look)})
def make(): return changing(datetime.timedelta, 'nanoseconds')(1)
def date(): return changing(datetime.date, 'nanosecond')(2020, 1, 2)
`)
	for _, f := range []string{"make", "date"} {
		for range 20 {
			v, err := py.Eval[struct{ X []any }](limit(t), c, "{'X': ["+f+"()]}")
			if err != nil || fmt.Sprintf("%T", v.X) != "[]interface {}" {
				t.Errorf("%s: %T, %v", f, v.X, err)
			}
		}
	}
}

// iteratorsWithoutIter: for loops take what __iter__ returns as it is.
func iteratorsWithoutIter(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
class Items:
    n = 0
    def __next__(self):
        self.n += 1
        if self.n > 5: raise StopIteration
        return self.n
class Other(Items):
    def __iter__(self): return iter('abc')
class Over:
    def __init__(self, cls): self.cls = cls
    def __iter__(self): return self.cls()
class Changing(Items):
    def __next__(self):
        self.__class__ = Over
        return 7
`)
	for _, expr := range []string{"Over(Items)", "Over(Other)"} {
		var got []int
		for n, err := range py.StreamEval[int](limit(t), c, expr) {
			if err != nil {
				t.Errorf("%s: %v", expr, err)
			}
			got = append(got, n)
		}
		equal(t, expr, got, []int{1, 2, 3, 4, 5})
	}
	var last error
	for _, err := range py.StreamEval[int](limit(t), c, "Over(Changing)") {
		last = err
	}
	raises(t, "an iterator that is none any more", last, "TypeError")
}

// buffersWhileCopied: memory is not given back while it is copied, though nobody uses the Buffer afterwards.
func buffersWhileCopied(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
import go
class Memory:
    def __init__(self, n): self.n, self.data = n, bytearray(1 << 26)
    def __buffer__(self, flags): return memoryview(self.data)[::2]
    def __release_buffer__(self, view):
        go.released(self.n)
        view.release()
`)
	var copying atomic.Int64
	register(t, c, "released", func(n int64) {
		if copying.Load() == n {
			t.Error("the memory was given back while it was copied")
		}
	}, py.Inline())
	view := func(n int64) *py.Buffer[byte] {
		o := call[*py.Object](t, c, "__main__", "Memory", n)
		defer o.Close()
		b, err := py.View[byte](limit(t), o)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for n := int64(1); n <= 5; n++ {
		b := view(n)
		copying.Store(n)
		over := make(chan struct{})
		go func() {
			defer close(over)
			for range 3 {
				runtime.GC()
				time.Sleep(time.Millisecond)
			}
		}()
		b.Copy()
		copying.Store(0)
		<-over
	}
}

// errorsThatLieAboutTheirClass: what there is no room to describe is an error all the same.
func errorsThatLieAboutTheirClass(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
import gc
class Note:
    def __str__(self): raise MemoryError
class Meta(type):
    def __getattribute__(cls, name):
        return () if name == '__mro__' else type.__getattribute__(cls, name)
class Lying(Exception, metaclass=Meta): pass
class Other(Exception): pass
def make():
    class Gone(Exception):
        def __str__(self):
            if type(self) is Gone:
                self.__class__ = Other
                return 'changed'
            return 'other'
    e = Gone()
    e.__notes__ = [Note()]
    return e
def lie():
    e = Lying('text')
    e.__notes__ = [Note()]
    raise e
def change(): raise make()
`)
	_, err := c.Call(limit(t), "__main__", "lie")
	raises(t, "a lie", err, "Lying")
	_, err = c.Call(limit(t), "__main__", "change")
	if !errors.As(err, new(*py.Error)) {
		t.Errorf("a class that changes: %v", err)
	}
	works(t, c)
}
