package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/pycontext/py"
	"github.com/pycontext/py/bench/internal/sample"
	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/cpython/floor"
	"github.com/pycontext/py/internal/wire"
)

const (
	halves  = 5 // Go encodes, C decodes, C encodes, Go decodes; and the floor of the two in C
	repeats = 20
)

// work converts values between marks, on a context's thread, and prints their names.
func work() error {
	if _, err := py.Info(); err != nil { // loads CPython
		return err
	}
	c, err := cpython.NewContext(cpython.Worker, 16<<20, 0, new(py.Context))
	if err != nil {
		return err
	}
	defer func() {
		c.Close()
		<-c.Ended()
	}()
	var failed error
	number := cpython.AddAttachment(func(a *cpython.Attached) { failed = convertAll(a) })
	defer cpython.RemoveAttachment(number)
	r, err := c.Request(false)
	if err != nil {
		return err
	}
	e := wire.Encoder{Buf: r.Buffer(), Grow: r.Grow}
	e.Byte(byte(wire.VerbAttach))
	e.Byte(byte(wire.WantNone))
	e.Uint64(0)
	e.Uint64(number)
	if _, err := r.Run(context.Background(), nil, e.Buf); err != nil {
		return err
	}
	r.Release()
	return failed
}

func convertAll(a *cpython.Attached) error {
	for _, convert := range []func(*cpython.Attached) error{
		func(a *cpython.Attached) error { return convert(a, "a float", 16.0) },
		func(a *cpython.Attached) error { return convert(a, "1,000 ints", sample.Ints(1000)) },
		func(a *cpython.Attached) error { return convert(a, "dict of 100", sample.Scores(100)) },
		func(a *cpython.Attached) error { return convert(a, "1,000 structs", sample.People(1000)) },
		func(a *cpython.Attached) error { return convert(a, "tree of 10,000", sample.Tree(10_000)) },
		func(a *cpython.Attached) error { return convert(a, "1 MiB of bytes", make([]byte, 1<<20)) },
	} {
		if err := convert(a); err != nil {
			return err
		}
	}
	return nil
}

// convert sends a value through the four halves.
func convert[T any](a *cpython.Attached, name string, v T) error {
	e := wire.Encoder{Grow: a.Grow}
	d := wire.Decoder{}
	encode := func() error {
		e.Reset(a.Buffer())
		err := wire.Encode(&e, v)
		a.Input(e.Buf)
		return err
	}
	if err := counted(encode); err != nil {
		return err
	}
	made := func() error {
		p, err := a.New()
		a.Release(p)
		return err
	}
	if err := counted(made); err != nil {
		return err
	}
	p, err := a.New()
	if err != nil {
		return err
	}
	defer a.Release(p)
	if err := counted(func() error { a.Value(p, uint8(wire.WantLoose)); return nil }); err != nil {
		return err
	}
	result := a.Result()[1:] // behind the status
	err = counted(func() error {
		d.Buf = result
		_, err := wire.Decode[T](&d)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Println(name)
	return inPlainC(v)
}

// inPlainC makes the same Python object of a C value and reads it back.
func inPlainC(v any) error {
	f, err := floor.New()
	if err != nil {
		return err
	}
	defer f.Close()
	value, err := floor.NewValue(v)
	if err != nil {
		return err
	}
	defer value.Close()
	return counted(func() error { return f.Identity(value, 1) })
}

// counted does something once to be prepared, and then between two marks.
func counted(f func() error) error {
	if err := f(); err != nil {
		return err
	}
	runtime.GC()
	floor.Mark()
	defer floor.Mark()
	for range repeats {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}
