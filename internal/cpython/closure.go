package cpython

import (
	"reflect"
	"runtime"
	"weak"
)

// Closure is the identity of a func value that reflect.MakeFunc made, which == does not tell. No other func value has it, not even one
// whose memory was that of a func that is gone. It keeps nothing alive.
type Closure struct{ weak weak.Pointer[byte] }

var made = reflect.MakeFunc(reflect.TypeFor[func()](), nil).Pointer()

// ClosureOf returns that of a func, or false where reflect.MakeFunc did not make it.
func ClosureOf(f reflect.Value) (Closure, bool) {
	if f.Pointer() != made {
		return Closure{}, false
	}
	return Closure{weak.Make(memory(f))}, true
}

// OnCollected has do called some time after a func that reflect.MakeFunc made is garbage.
func OnCollected(f reflect.Value, do func(Closure)) {
	c, _ := ClosureOf(f)
	runtime.AddCleanup(memory(f), do, c)
}

// memory is what a func value points to.
func memory(f reflect.Value) *byte {
	p := reflect.New(f.Type())
	p.Elem().Set(f)
	return *(**byte)(p.UnsafePointer())
}
