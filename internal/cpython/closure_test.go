package cpython

import (
	"reflect"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

func TestClosure(t *testing.T) {
	typ := reflect.TypeFor[func() int]()
	n := 0
	make := func() reflect.Value {
		n++
		i := n
		return reflect.MakeFunc(typ, func([]reflect.Value) []reflect.Value { return []reflect.Value{reflect.ValueOf(i)} })
	}
	f, g := make(), make()
	a, ok := ClosureOf(f)
	b, _ := ClosureOf(g)
	again, _ := ClosureOf(reflect.ValueOf(f.Interface()))
	if !ok || a == b || a != again {
		t.Errorf("two funcs: %v and %v, the first again: %v, known: %v", a, b, again, ok)
	}
	for _, f := range []any{t.Log, func() int { return n }, runtime.GC} {
		if _, ok := ClosureOf(reflect.ValueOf(f)); ok {
			t.Errorf("%T is one that reflect made", f)
		}
	}
	runtime.KeepAlive(f)
	runtime.KeepAlive(g)
}

// The memory of funcs that are gone is used again; what they were is not.
func TestClosuresThatAreGone(t *testing.T) {
	seen := map[Closure]bool{}
	var gone atomic.Int64
	const rounds, each = 20, 100
	for range rounds {
		for i := range each {
			f := reflect.MakeFunc(reflect.TypeFor[func()](), func([]reflect.Value) []reflect.Value { _ = i; return nil })
			c, _ := ClosureOf(f)
			if seen[c] {
				t.Fatal("a func has the identity of one before")
			}
			seen[c] = true
			OnCollected(f, func(Closure) { gone.Add(1) })
		}
		runtime.GC()
	}
	for range 100 {
		if runtime.GC(); gone.Load() == rounds*each {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d of %d funcs are gone", gone.Load(), rounds*each)
}
