package py

import (
	"errors"
	"reflect"
	"runtime"
	"strings"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/wire"
)

// Function is a Go function with options, to be given to Python as a value: see [Func]. Any number of goroutines may use
// it, any number of times.
type Function struct {
	f      *goFunc
	inline bool
	err    error
}

// Func gives a Go function options on its way to Python, where it is an argument, in a container or in a callback's
// result. A func without options needs no Func. fn is one that [Register] takes; any other is a [ConversionError] where
// the Function is used.
func Func(fn any, options ...FuncOption) Function {
	v := reflect.ValueOf(fn)
	if v.Kind() != reflect.Func || v.IsNil() {
		return Function{err: badFunc("Func", fn, "expected a function")}
	}
	f := &function{}
	for _, option := range options {
		option(f)
	}
	g, err := newFuncValue(v, f.title)
	return Function{g, f.inline, err}
}

// Name is the name that a [Func] has in Python, in messages and as __name__. Without it that is a part of its name in Go.
func Name(name string) FuncOption { return func(f *function) { f.title = name } }

// newFuncValue makes a function callable that has no name in the module go.
func newFuncValue(v reflect.Value, name string) (*goFunc, error) {
	if name == "" {
		name = nameOf(v)
	}
	name = strings.ToValidUTF8(strings.ReplaceAll(name, "\x00", ""), "\uFFFD")
	f, why := planGoFunc(name, v)
	if why != "" {
		return nil, errors.New("a Go " + v.Type().String() + " is no function for Python: " + why)
	}
	f.lent = true
	return f, nil
}

// nameOf is the name of a function without its package: "Handler.Serve-fm" or "main.func1".
func nameOf(v reflect.Value) string {
	name := runtime.FuncForPC(v.Pointer()).Name()
	name = name[strings.LastIndexByte(name, '/')+1:]
	_, name, _ = strings.Cut(name, ".")
	return name
}

func encodeFunction(e *wire.Encoder, f Function) error {
	if f.f == nil && f.err == nil {
		return errors.New("a py.Function that was not made by py.Func")
	}
	if f.err == nil {
		lend(e, f.f, f.inline, nil)
	}
	return f.err
}

func encodeFunc(e *wire.Encoder, v reflect.Value) error {
	f, err := newFuncValue(v, "")
	if err == nil {
		lend(e, f, false, nil)
	}
	return err
}

// lend writes a function under a number of its own. What is written holds one use of it; each callable that Python makes
// of it takes another. ended, if there is one, is called after the last of them; it must not wait.
func lend(e *wire.Encoder, f *goFunc, inline bool, ended func()) {
	number := registry.all.Add(&function{goFunc: f, inline: inline, uses: 1, ended: ended})
	cpython.CountFunctions(1)
	e.Holds = append(e.Holds, func(bool) { releaseFunction(number) })
	run := wire.FuncQueued
	switch {
	case inline:
		run = wire.FuncInline
	case f.ready != nil:
		run = wire.FuncReady
	}
	e.Func(number, run, f.name)
}

func retainFunction(number uint64) (takes cpython.Arity, ok bool) {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	f := registry.all.Find(number)
	if f == nil || f.uses == 0 {
		return takes, false
	}
	f.uses++
	return f.arity(), true
}

func releaseFunction(number uint64) {
	registry.mu.Lock()
	f := registry.all.Find(number)
	f.uses--
	over := f.uses == 0
	if over {
		registry.all.Remove(number)
		cpython.CountFunctions(-1)
	}
	registry.mu.Unlock()
	if over && f.ended != nil {
		f.ended()
	}
}
