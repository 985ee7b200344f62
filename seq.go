package py

import (
	"reflect"

	"github.com/pycontext/py/internal/wire"
)

// A sequence is how a Go iter.Seq2[T, error] ranges over what Python iterates over.
type sequence struct {
	typ, item reflect.Type
	want      wire.Want // of the items
	fields    wire.Fields
}

// planSequence returns how, for an iterator type, or why that is none for it.
func planSequence(t reflect.Type) (*sequence, string) {
	yield := t.In(0)
	switch {
	case yield.NumIn() == 1:
		return nil, "a Python exception would have nowhere to go in a Go " + t.String() + ": use iter.Seq2[" + yield.In(0).String() + ", error]"
	case yield.In(1) != errorType:
		return nil, "a " + t.String() + " yields two values, and no error: use a map, or iter.Seq2[py.Tuple, error] over the items() of a mapping"
	}
	p := &sequence{typ: t, item: yield.In(0)}
	p.want, p.fields = wantOfType(p.item)
	return p, ""
}

func isSequence(t reflect.Type) bool { return t.Kind() == reflect.Func && yields(t) > 0 }

// decodeSequence returns how what Python iterates over is read into an iterator type.
func decodeSequence(t reflect.Type) func(*wire.Decoder, reflect.Value) error {
	p, why := planSequence(t)
	return func(d *wire.Decoder, v reflect.Value) error {
		if p == nil {
			return &wire.Error{Type: t.String(), Reason: why}
		}
		if travels(d) {
			items := reflect.New(reflect.SliceOf(p.item)).Elem()
			err := d.PartInto(items)
			v.Set(p.over(items))
			return err
		}
		return decodeBound(d, v, "what Python iterates over,", p.bind)
	}
}

// travels reports whether what is next are the items themselves.
func travels(d *wire.Decoder) bool {
	switch t, _ := d.Peek(); t {
	case wire.TagList, wire.TagTuple, wire.TagSet, wire.TagFrozenSet:
		return true
	case wire.TagStandard:
		return len(d.Buf) > 1 && (wire.Kind(d.Buf[1]) == wire.KindRange || wire.Kind(d.Buf[1]) == wire.KindArray)
	}
	return false
}

// over makes an iterator over items that have come.
func (p *sequence) over(items reflect.Value) reflect.Value {
	none := errorValue(nil)
	return reflect.MakeFunc(p.typ, func(in []reflect.Value) []reflect.Value {
		for i := range items.Len() {
			if !in[0].Call([]reflect.Value{items.Index(i), none})[0].Bool() {
				break
			}
		}
		return nil
	})
}

// bind makes an iterator over o, and keeps it. It is part of the chain that o came with, as long as that runs.
func (p *sequence) bind(o *Object, chain *chain) reflect.Value {
	zero, none := reflect.Zero(p.item), errorValue(nil)
	read := func(d *wire.Decoder) (reflect.Value, error) {
		v := reflect.New(p.item).Elem()
		return v, d.Reflect(v)
	}
	return reflect.MakeFunc(p.typ, func(in []reflect.Value) []reflect.Value {
		s := streaming[reflect.Value]{want: p.want, fields: p.fields, read: read}
		for item, err := range s.of(chain.now(), o.runner(), request{verb: wire.VerbValue, object: o}, nil) {
			failed := none
			if err != nil {
				item, failed = zero, errorValue(err)
			}
			if !in[0].Call([]reflect.Value{item, failed})[0].Bool() {
				break
			}
		}
		return nil
	})
}
