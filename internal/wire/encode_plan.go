package wire

import (
	"math/big"
	"reflect"
)

// An encFunc writes values of one Go type.
type encFunc func(e *Encoder, v reflect.Value) error

// encPlan returns how values of type t are written.
func (h *Hooks) encPlan(t reflect.Type) encFunc {
	return plan(&h.encPlans, t, h.compileEnc, func(ready func() encFunc) encFunc {
		return func(e *Encoder, v reflect.Value) error { return ready()(e, v) }
	})
}

func (h *Hooks) compileEnc(t reflect.Type) encFunc { return h.converting(t, h.compilePlain(t)) }

func (h *Hooks) compilePlain(t reflect.Type) encFunc {
	switch {
	case h.isSpecial(t), h.Encodes != nil && h.Encodes(t):
		return func(e *Encoder, v reflect.Value) error { return h.encodeSpecial(e, v) }
	case t == bigIntType:
		return encBig
	}
	switch t.Kind() {
	case reflect.Bool:
		return func(e *Encoder, v reflect.Value) error { e.Bool(v.Bool()); return nil }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(e *Encoder, v reflect.Value) error { e.Int(v.Int()); return nil }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return func(e *Encoder, v reflect.Value) error { e.Uint(v.Uint()); return nil }
	case reflect.Float32, reflect.Float64:
		return func(e *Encoder, v reflect.Value) error { e.Float(v.Float()); return nil }
	case reflect.String:
		return func(e *Encoder, v reflect.Value) error { return e.Str(v.String()) }
	case reflect.Interface:
		return func(e *Encoder, v reflect.Value) error { return e.Value(v.Interface()) }
	case reflect.Pointer:
		return encPointer(h.encPlan(t.Elem()))
	case reflect.Slice, reflect.Array:
		return h.encSequence(t)
	case reflect.Map:
		return h.encMap(t)
	case reflect.Struct:
		return h.encStruct(t)
	}
	return encRefuse
}

func (h *Hooks) encodeSpecial(e *Encoder, v reflect.Value) error {
	ok, err := false, error(nil)
	if h.Encode != nil {
		ok, err = h.Encode(e, v.Interface())
	}
	if !ok && err == nil {
		return encRefuse(e, v)
	}
	return err
}

func encRefuse(_ *Encoder, v reflect.Value) error {
	t := v.Type().String()
	return &Error{Type: t, Reason: "a Go " + t + " has no Python counterpart" + instead(v.Type())}
}

func encBig(e *Encoder, v reflect.Value) error {
	if !v.CanAddr() {
		v = addressable(v)
	}
	e.BigInt(v.Addr().Interface().(*big.Int))
	return nil
}

// addressable returns a copy of v that has an address.
func addressable(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

func encPointer(elem encFunc) encFunc {
	return func(e *Encoder, v reflect.Value) error {
		if v.IsNil() {
			e.None()
			return nil
		}
		if e.hops > MaxDepth {
			return tooDeep(v.Type().String())
		}
		e.hops++
		err := elem(e, v.Elem())
		e.hops--
		return err
	}
}

func (h *Hooks) encSequence(t reflect.Type) encFunc {
	switch {
	case t.Elem().Kind() == reflect.Uint8 && !h.isSpecial(t.Elem()):
		return encBytes
	case fastType(t):
		return func(e *Encoder, v reflect.Value) error { return e.Value(v.Interface()) }
	}
	return encItems(t, TagList, h.encPlan(t.Elem()))
}

func encItems(t reflect.Type, tag Tag, elem encFunc) encFunc {
	name := t.String()
	return func(e *Encoder, v reflect.Value) error {
		if err := e.enter(name); err != nil {
			return err
		}
		n := v.Len()
		e.head(tag, n)
		for i := range n {
			if i >= v.Len() {
				return changed(name)
			}
			if err := elem(e, v.Index(i)); err != nil {
				return atIndex(err, i)
			}
		}
		e.leave()
		return nil
	}
}

func encBytes(e *Encoder, v reflect.Value) error {
	if v.Kind() == reflect.Array && !v.CanAddr() {
		v = addressable(v)
	}
	e.Bytes(v.Bytes())
	return nil
}

func (h *Hooks) encMap(t reflect.Type) encFunc {
	switch {
	case fastType(t):
		return func(e *Encoder, v reflect.Value) error { return e.Value(v.Interface()) }
	case t.Elem() == emptyType:
		return h.encSet(t)
	}
	key, elem, name := h.encKeyPlan(t.Key()), h.encPlan(t.Elem()), t.String()
	return func(e *Encoder, v reflect.Value) error {
		if err := e.enter(name); err != nil {
			return err
		}
		left := v.Len()
		e.Dict(left)
		k, x := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		for it := v.MapRange(); it.Next(); {
			k.SetIterKey(it)
			if err := encKey(e, key, k); err != nil {
				return err
			}
			x.SetIterValue(it)
			if err := elem(e, x); err != nil {
				return atKey(err, k.Interface())
			}
			left--
		}
		if left != 0 {
			return changed(name)
		}
		e.leave()
		return nil
	}
}

func (h *Hooks) encSet(t reflect.Type) encFunc {
	key, name := h.encKeyPlan(t.Key()), t.String()
	return func(e *Encoder, v reflect.Value) error {
		if err := e.enter(name); err != nil {
			return err
		}
		left := v.Len()
		e.Set(left)
		k := reflect.New(t.Key()).Elem()
		for it := v.MapRange(); it.Next(); left-- {
			k.SetIterKey(it)
			if err := encKey(e, key, k); err != nil {
				return err
			}
		}
		if left != 0 {
			return changed(name)
		}
		e.leave()
		return nil
	}
}

func (h *Hooks) encStruct(t reflect.Type) encFunc {
	s, name := h.structure(t), t.String()
	encs := h.encFields(s)
	return func(e *Encoder, v reflect.Value) error {
		if s.err != nil {
			return copyError(s.err)
		}
		if err := e.enter(name); err != nil {
			return err
		}
		left := s.count(v)
		e.Dict(left)
		for i, enc := range encs {
			there, err := s.fields[i].encode(e, v, enc)
			if err != nil {
				return err
			}
			if there {
				left--
			}
		}
		if left != 0 {
			return changed(name)
		}
		e.leave()
		return nil
	}
}

// count returns how many fields of v travel.
func (s *structure) count(v reflect.Value) int {
	if s.fixed {
		return len(s.fields)
	}
	n := 0
	for i := range s.fields {
		if x, ok := s.fields[i].get(v); ok && !s.fields[i].omitted(x) {
			n++
		}
	}
	return n
}

// encode writes the field, and reports whether v has it.
func (f *field) encode(e *Encoder, v reflect.Value, enc encFunc) (bool, error) {
	x, ok := f.get(v)
	if !ok || f.mayBeOmitted() && f.omitted(x) {
		return false, nil
	}
	copy(e.extend(len(f.key)), f.key)
	if err := enc(e, x); err != nil {
		return true, At(err, "."+f.name)
	}
	return true, nil
}

// copyError returns a copy of an error that is kept with a plan, so that a path can
// be put in front of it.
func copyError(err error) error {
	e := *err.(*Error)
	return &e
}
