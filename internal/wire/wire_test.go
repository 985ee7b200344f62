package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"

	"github.com/pycontext/py/internal/wire"
)

// Stand-ins for the types of package py.
type (
	tuple     []any
	set       []any
	frozenSet []any
	pair      struct{ Key, Value any }
	dict      []pair
	object    struct{ handle uint64 }
	custom    struct{ s string } // known to Encode only
	standard  struct {
		kind    wire.Kind
		payload wire.Payload
	}
)

// refs is the scope of a test: what became of each reference.
type refs struct{ made, dropped []uint64 }

var hooks = &wire.Hooks{
	Encode: func(e *wire.Encoder, v any) (bool, error) {
		switch v := v.(type) {
		case tuple:
			return true, e.Items(wire.TagTuple, v)
		case set:
			return true, e.Items(wire.TagSet, v)
		case frozenSet:
			return true, e.Items(wire.TagFrozenSet, v)
		case dict:
			return true, e.Pairs(len(v), func(i int) (any, any) { return v[i].Key, v[i].Value })
		case *object:
			if v == nil {
				e.None()
			} else {
				e.Ref(v.handle)
			}
			return true, nil
		case custom:
			return true, e.Str(v.s)
		case standard:
			return true, v.encode(e)
		}
		return false, nil
	},
	Tuple:     func(items []any) any { return tuple(items) },
	Set:       func(items []any) any { return set(items) },
	FrozenSet: func(items []any) any { return frozenSet(items) },
	Dict: func(keys, values []any) any {
		d := make(dict, len(keys))
		for i := range d {
			d[i] = pair{keys[i], values[i]}
		}
		return d
	},
	Ref: func(scope any, handle uint64) (any, error) {
		if r, ok := scope.(*refs); ok {
			r.made = append(r.made, handle)
		}
		return &object{handle}, nil
	},
	RefType: reflect.TypeFor[*object](),
	Drop: func(scope any, handle uint64) {
		if r, ok := scope.(*refs); ok {
			r.dropped = append(r.dropped, handle)
		}
	},
	Standard: func(k wire.Kind, p *wire.Payload, into any) (any, error) {
		if k == 0 {
			return nil, errors.New("not of the standard library")
		}
		v := standard{k, *p}
		v.payload.Raw = bytes.Clone(p.Raw)
		*p = wire.Payload{} // what a kind has not is left from others
		if into == nil {
			return v, nil
		}
		*into.(*standard) = v
		return nil, nil
	},
	StandardTypes: []reflect.Type{reflect.TypeFor[standard]()},
	Types:         []reflect.Type{reflect.TypeFor[custom]()},
}

// encode writes what the kind has of the payload, as SPEC.md has it.
func (s standard) encode(e *wire.Encoder) error {
	e.Standard(s.kind)
	p := &s.payload
	ints := map[wire.Kind]int{wire.KindDate: 3, wire.KindTime: 5, wire.KindDateTime: 8, wire.KindAware: 9, wire.KindRange: 3}[s.kind]
	switch s.kind {
	case wire.KindComplex:
		return e.Items(wire.TagTuple, []any{p.Floats[0], p.Floats[1]})
	case wire.KindTimedelta:
		if p.Big[0] != nil {
			return e.Value(p.Big[0])
		}
		return e.Value(p.Ints[0])
	case wire.KindDecimal, wire.KindPath:
		return e.Value(string(p.Raw))
	case wire.KindFraction:
		return e.Items(wire.TagTuple, []any{p.Big[0], p.Big[1]})
	case wire.KindUUID, wire.KindByteArray:
		return e.Value(p.Raw)
	case wire.KindSlice:
		return e.Items(wire.TagTuple, p.Parts[:])
	case wire.KindArray:
		shape := make(tuple, len(p.Shape))
		for i, n := range p.Shape {
			shape[i] = n
		}
		return e.Items(wire.TagTuple, []any{string(rune(p.Format)), shape, p.Raw})
	}
	parts := []any{}
	for _, n := range p.Ints[:ints] {
		parts = append(parts, n)
	}
	if s.kind == wire.KindAware {
		parts = append(parts, string(p.Raw), p.Named)
	}
	return e.Items(wire.TagTuple, parts)
}

func encode(v any) ([]byte, error) {
	e := wire.Encoder{Hooks: hooks}
	err := e.Value(v)
	return e.Buf, err
}

func mustEncode(v any) []byte {
	b, err := encode(v)
	if err != nil {
		panic(fmt.Sprintf("%#v: %v", v, err))
	}
	return b
}

func decode[T any](b []byte) (T, error) {
	d := wire.Decoder{Buf: b, Hooks: hooks}
	v, err := wire.Decode[T](&d)
	if err == nil && len(d.Buf) > 0 {
		err = fmt.Errorf("%d bytes left over", len(d.Buf))
	}
	return v, err
}

// same is reflect.DeepEqual where NaN equals itself, -0.0 does not equal 0.0, and
// numbers of any size are compared by value.
func same(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && math.Float64bits(a) == math.Float64bits(b)
	case *big.Int:
		b, ok := b.(*big.Int)
		return ok && a.Cmp(b) == 0
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	case tuple:
		b, ok := b.(tuple)
		return ok && slices.EqualFunc(a, b, same)
	case set:
		b, ok := b.(set)
		return ok && slices.EqualFunc(a, b, same)
	case frozenSet:
		b, ok := b.(frozenSet)
		return ok && slices.EqualFunc(a, b, same)
	case dict:
		b, ok := b.(dict)
		return ok && slices.EqualFunc(a, b, func(x, y pair) bool { return same(x.Key, y.Key) && same(x.Value, y.Value) })
	case standard:
		b, ok := b.(standard)
		return ok && a.same(b)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && sameMap(a, b)
	case map[any]any:
		b, ok := b.(map[any]any)
		return ok && sameMap(a, b)
	}
	return reflect.DeepEqual(a, b)
}

// same is about floats and parts too, where a NaN is no equal of itself.
func (s standard) same(t standard) bool {
	for i := range s.payload.Floats {
		if !same(s.payload.Floats[i], t.payload.Floats[i]) {
			return false
		}
	}
	for i := range s.payload.Parts {
		if !same(s.payload.Parts[i], t.payload.Parts[i]) {
			return false
		}
	}
	s.payload.Floats, t.payload.Floats = [2]float64{}, [2]float64{}
	s.payload.Parts, t.payload.Parts = [3]any{}, [3]any{}
	return reflect.DeepEqual(s, t)
}

func sameMap[K comparable](a, b map[K]any) bool {
	for k, v := range a {
		if w, ok := b[k]; !ok || !same(v, w) {
			return false
		}
	}
	return len(a) == len(b)
}
