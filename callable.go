package py

import (
	"context"
	"reflect"

	"github.com/pycontext/py/internal/wire"
)

// A callable is how values of a Go func type call Python objects.
type callable struct {
	typ      reflect.Type
	context  bool // the first parameter is a context.Context
	variadic bool
	result   reflect.Type // nil: none is wanted
	want     wire.Want
	fields   wire.Fields // for wire.WantFields
}

// planCallable returns how to call Python through a func type, or why that is none for it.
func planCallable(t reflect.Type) (*callable, string) {
	p := &callable{typ: t, variadic: t.IsVariadic(), want: wire.WantNone}
	n := t.NumOut()
	switch {
	case n == 0 || t.Out(n-1) != errorType:
		return nil, "a Python exception would have nowhere to go in a Go " + t.String() + ": its last result must be an error"
	case n > 2:
		return nil, "a " + t.String() + " has more results than a value and an error"
	case n == 2:
		p.result = t.Out(0)
		p.want, p.fields = wantOfType(p.result)
	}
	p.context = t.NumIn() > 0 && t.In(0) == contextType && !(p.variadic && t.NumIn() == 1)
	for i := range t.NumIn() {
		if in := t.In(i); in == kwType && i != t.NumIn()-1 {
			return nil, "in a " + t.String() + " the py.Kw is not the last parameter"
		}
	}
	return p, ""
}

// decodeCallable returns how Python callables are read into a func type.
func decodeCallable(t reflect.Type) func(*wire.Decoder, reflect.Value) error {
	p, why := planCallable(t)
	return func(d *wire.Decoder, v reflect.Value) error {
		if p == nil {
			return &wire.Error{Type: t.String(), Reason: why}
		}
		return decodeBound(d, v, "a callable", p.bind)
	}
}

// decodeBound reads a reference to what stands behind a func or an iterator, and binds v to it; None is nil.
func decodeBound(d *wire.Decoder, v reflect.Value, what string, bind func(*Object, *chain) reflect.Value) error {
	x, err := d.Object(what + " for a Go " + v.Type().String())
	if err != nil {
		return err
	}
	if x == nil {
		v.SetZero()
		return nil
	}
	o := x.(*Object)
	v.Set(bind(o, d.Scope.(home).origin()))
	standFor(v, o)
	return nil
}

// bind makes a func that calls o, and keeps it. One without a context.Context is part of the chain that it came with.
func (p *callable) bind(o *Object, chain *chain) reflect.Value {
	return reflect.MakeFunc(p.typ, func(in []reflect.Value) []reflect.Value {
		ctx := chain.now()
		if p.context {
			ctx, _ = in[0].Interface().(context.Context)
			in = in[1:]
		}
		return p.call(ctx, o, in)
	})
}

func (p *callable) call(ctx context.Context, o *Object, in []reflect.Value) []reflect.Value {
	q := &request{verb: wire.VerbMethod, want: p.want, fields: p.fields, object: o}
	args := p.arguments(in)
	if p.result == nil {
		var none any
		return []reflect.Value{errorValue(runInto(ctx, o.runner(), q, reflect.ValueOf(&none).Elem(), args...))}
	}
	result := reflect.New(p.result).Elem()
	err := runInto(ctx, o.runner(), q, result, args...)
	if err != nil {
		result.SetZero()
	}
	return []reflect.Value{result, errorValue(err)}
}

func (p *callable) arguments(in []reflect.Value) []any {
	args := make([]any, 0, len(in))
	for i, v := range in {
		if p.variadic && i == len(in)-1 {
			for j := range v.Len() {
				args = append(args, v.Index(j).Interface())
			}
			break
		}
		args = append(args, v.Interface())
	}
	return args
}

func errorValue(err error) reflect.Value {
	v := reflect.New(errorType).Elem()
	if err != nil {
		v.Set(reflect.ValueOf(err))
	}
	return v
}
