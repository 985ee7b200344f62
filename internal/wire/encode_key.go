package wire

import "reflect"

// What is a key of a dict, or an item of a set, has to be hashable in Python. So an array there becomes a tuple, also where its
// type is only known from the value.

// key writes a key of any type.
func (e *Encoder) key(v any) error {
	start := len(e.Buf)
	if t := reflect.TypeOf(v); t != nil && t.Kind() == reflect.Array {
		if err := e.Hooks.orNone().encKeyPlan(t)(e, reflect.ValueOf(v)); err != nil {
			return err
		}
	} else if err := e.Value(v); err != nil {
		return err
	}
	return e.checkHashable(start)
}

// encKeyPlan returns how keys of type t are written.
func (h *Hooks) encKeyPlan(t reflect.Type) encFunc {
	switch {
	case t.Kind() == reflect.Interface:
		return func(e *Encoder, v reflect.Value) error { return e.key(v.Interface()) }
	case t.Kind() == reflect.Array && t.Elem().Kind() != reflect.Uint8 && !h.isSpecial(t) && (h.Encodes == nil || !h.Encodes(t)):
		return h.converting(t, encItems(t, TagTuple, h.encKeyPlan(t.Elem())))
	}
	return h.encPlan(t)
}

// encKey writes a key of the type that enc is for.
func encKey(e *Encoder, enc encFunc, k reflect.Value) error {
	start := len(e.Buf)
	err := enc(e, k)
	if err == nil {
		err = e.checkHashable(start)
	}
	if err != nil {
		return atKeys(err)
	}
	return nil
}

// unhashable says of the values that are not hashable what to use instead.
var unhashable = map[string]string{
	"list":             "use a Go array, which becomes a tuple, or a py.Tuple",
	"dict":             "use a Go array or a py.Tuple of what tells one from another, or give a struct a MarshalPython that returns that, or a converter",
	"set":              "use a py.FrozenSet",
	"bytearray":        "use bytes",
	"array of numbers": "use a Go array, which becomes a tuple",
}

// checkHashable looks at the key that was written from start on, and at what tuples in it hold. Of objects that are in Python
// already, and of what a converter makes, Python says it.
func (e *Encoder) checkHashable(start int) error {
	if t := Tag(e.Buf[start]); t.hashable() && t != TagTuple && t != TagStandard {
		return nil
	}
	d := Decoder{Buf: e.Buf[start:]}
	within := ""
	for left := 1; left > 0; left-- {
		t, err := d.Peek()
		if err != nil {
			return nil // what only goes to Python, such as a function
		}
		name := t.String()
		if k, ok := d.kind(); ok {
			name = k.String()
		}
		if advice, bad := unhashable[name]; bad {
			return &Error{Type: name, Reason: within + "a " + name + " is not hashable in Python, so it cannot be a dict key or an item of a set; " + advice}
		}
		if t != TagTuple {
			err = d.skip(d.refs)
		} else if n, e := d.Count(TagTuple); e == nil {
			left += n
			within = "in a tuple, "
		} else {
			err = e
		}
		if err != nil {
			return nil
		}
	}
	return nil
}
