package py

import (
	"reflect"
	"sync"
	"weak"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/wire"
)

// What Go made of a Python object is that object again when it comes back to its context.

// originals are the objects behind funcs and iterators: cpython.Closure to weak.Pointer[Object].
var originals sync.Map

// standFor notes that f, which holds o, stands for it.
func standFor(f reflect.Value, o *Object) {
	closure, _ := cpython.ClosureOf(f)
	originals.Store(closure, weak.Make(o))
	cpython.OnCollected(f, func(gone cpython.Closure) { originals.Delete(gone) })
}

// originalOf returns the object behind a func, an iterator or a file, or nil.
func originalOf(v reflect.Value) *Object {
	if f, ok := v.Interface().(*file); ok {
		return f.original()
	}
	if v.Kind() != reflect.Func {
		return nil
	}
	closure, ok := cpython.ClosureOf(v)
	if !ok {
		return nil
	}
	o, _ := originals.Load(closure)
	if o == nil {
		return nil
	}
	return o.(weak.Pointer[Object]).Value()
}

// encodeOriginal writes the object behind v, where it is one of the same context, and reports whether it did.
func encodeOriginal(e *wire.Encoder, v reflect.Value) bool {
	o := originalOf(v)
	if o == nil {
		return false
	}
	handle, err := o.handleIn(e, e.Scope.(home).context())
	if err == nil {
		e.Ref(handle)
	}
	return err == nil
}
