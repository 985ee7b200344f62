package wire

import (
	"reflect"
)

// A decFunc reads a value into a settable v of one Go type.
type decFunc func(d *Decoder, v reflect.Value) error

// Reflect reads one value into v, which must be settable. Nothing is rounded,
// replaced or lost:
//
//   - an int goes into every int, uint and float kind that holds it exactly, and into
//     a big.Int; a float only into a float64, or a float32 that holds it exactly; a
//     bool only into a bool; a str only into a string kind;
//   - bytes go into a []byte, or a [N]byte of that length;
//   - a list or tuple goes into a slice, or an array of that length; a set or
//     frozenset into a slice or a map[K]struct{};
//   - a dict goes into a map, where it is an error if two keys become equal, or into
//     a struct: a field takes the value of the key that its `py:"name"` tag names, or
//     its json tag, or its own name. Other keys are passed over, and fields without a
//     key are left as they are;
//   - None goes into a pointer, interface, slice or map as nil. A pointer gets a new
//     value for anything else;
//   - an empty interface takes everything, as [Decoder.Any] makes it; another one
//     takes that if it implements it.
func (d *Decoder) Reflect(v reflect.Value) error {
	if d.marksDue() {
		d.beginMarked()
	}
	d.begin()
	start, refs := d.Buf, d.refs
	if err := d.Hooks.orNone().decPlan(v.Type())(d, v); err != nil {
		return d.abandon(start, refs, err)
	}
	return nil
}

// decPlan returns how values of type t are read.
func (h *Hooks) decPlan(t reflect.Type) decFunc {
	return plan(&h.decPlans, t, h.compileDec, func(ready func() decFunc) decFunc {
		return func(d *Decoder, v reflect.Value) error { return ready()(d, v) }
	})
}

func (h *Hooks) compileDec(t reflect.Type) decFunc {
	if h.Decodes != nil {
		if dec := h.Decodes(t); dec != nil {
			return dec
		}
	}
	dec := h.compileKind(t)
	if h.Fetch == nil || !h.fetches(t) {
		return dec
	}
	return func(d *Decoder, v reflect.Value) error {
		if len(d.Buf) == 0 || d.Buf[0] != byte(TagRef) {
			return dec(d, v)
		}
		return d.fetch(v, dec)
	}
}

// fetches reports whether more may come where a reference did, for a type or what it points to: it is no wanted reference there.
func (h *Hooks) fetches(t reflect.Type) bool {
	for range MaxDepth { // a type may point to itself
		if t == h.RefType || t.Kind() == reflect.Interface || h.Decodes != nil && h.Decodes(t) != nil {
			return false
		}
		if t.Kind() != reflect.Pointer || h.isSpecial(t) {
			return true
		}
		t = t.Elem()
	}
	return false
}

// fetch reads what a reference refers to, where that can be had. Otherwise dec says why there is no such Go type.
func (d *Decoder) fetch(v reflect.Value, dec decFunc) error {
	at := d.Buf
	x, err := d.ref()
	if err != nil {
		return err
	}
	ok, err := d.Hooks.Fetch(d, x, v.Addr().Interface())
	if !ok && err == nil {
		err = dec(&Decoder{Buf: at, Hooks: d.Hooks, Scope: d.Scope}, v)
	}
	return err
}

func (h *Hooks) compileKind(t reflect.Type) decFunc {
	switch {
	case h.isSpecial(t):
		if dec := h.special[t]; dec != nil {
			return dec
		}
		return decRefuse
	case t == bigIntType:
		return decBig
	case fastType(t):
		return decFast
	}
	switch t.Kind() {
	case reflect.Bool:
		return decBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return decInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return decUint
	case reflect.Float32:
		return decFloat32
	case reflect.Float64:
		return decFloat
	case reflect.String:
		return decString
	case reflect.Interface:
		return decInterface
	case reflect.Pointer:
		return decPointer(t, h.decPlan(t.Elem()))
	case reflect.Slice:
		return h.decSlice(t)
	case reflect.Array:
		return h.decArray(t)
	case reflect.Map:
		return h.decMap(t)
	case reflect.Struct:
		return h.decStruct(t)
	}
	return decRefuse
}

func decRefuse(d *Decoder, v reflect.Value) error {
	t, err := d.Peek()
	if err != nil {
		return err
	}
	return &Error{Type: t.String(), Reason: "a Go " + v.Type().String() + " has no Python counterpart" + instead(v.Type())}
}

// instead is what to use in the place of a Go type that has no Python counterpart.
func instead(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Uintptr:
		return "; use uint64"
	case reflect.Chan:
		return "; use iter.Seq2[T, error]"
	}
	return ""
}

func decFast(d *Decoder, v reflect.Value) error {
	_, err := d.fast(v.Addr().Interface())
	return err
}

func decBool(d *Decoder, v reflect.Value) error {
	b, err := d.bool()
	if err == nil {
		v.SetBool(b)
	}
	return err
}

func decString(d *Decoder, v reflect.Value) error {
	d.isKind(KindPath)
	b, err := d.str()
	if err == nil {
		v.SetString(string(b))
	}
	return err
}

func decInterface(d *Decoder, v reflect.Value) error {
	at := d.Buf
	t, err := d.Peek()
	if err != nil {
		return err
	}
	x, err := d.any()
	if err != nil {
		return err
	}
	if x == nil {
		v.SetZero()
		return nil
	}
	rx := reflect.ValueOf(x)
	if !rx.Type().AssignableTo(v.Type()) {
		if t == TagRef && d.Hooks.Fetch != nil { // for the name of its class, or a value that it stands for
			if ok, err := d.Hooks.Fetch(d, x, v.Addr().Interface()); ok || err != nil {
				return err
			}
		}
		return (&Decoder{Buf: at}).mismatchThat("what implements "+v.Type().String(), ", a Go "+rx.Type().String())
	}
	v.Set(rx)
	return nil
}

func decPointer(t reflect.Type, elem decFunc) decFunc {
	return func(d *Decoder, v reflect.Value) error {
		if d.is(TagNone) {
			v.SetZero()
			return nil
		}
		if d.hops > MaxDepth {
			return tooDeep(t.String())
		}
		d.hops++
		p := reflect.New(t.Elem())
		if err := elem(d, p.Elem()); err != nil {
			return err
		}
		v.Set(p)
		d.hops--
		return nil
	}
}

// decItemsHook reads into the type that make returns.
func decItemsHook(make func([]any) any, tag Tag) decFunc {
	return func(d *Decoder, v reflect.Value) error {
		if d.is(TagNone) {
			v.SetZero()
			return nil
		}
		record := d.isRecord()
		if record {
			if err := d.openRecord(); err != nil {
				return err
			}
		}
		if len(d.Buf) == 0 || d.Buf[0] != byte(tag) {
			return d.mismatch(tag.String())
		}
		items, err := d.items(tag)
		if err == nil {
			v.Set(reflect.ValueOf(make(items)))
		}
		if record {
			err = d.shutRecord(err)
		}
		return err
	}
}

// decDictHook reads any dict into the type that Hooks.Dict returns.
func decDictHook(d *Decoder, v reflect.Value) error {
	n, err := d.mapping()
	if err != nil {
		return err
	}
	if n < 0 {
		v.SetZero()
		return nil
	}
	keys, values, err := d.pairs(n, nil, nil)
	if err == nil {
		v.Set(reflect.ValueOf(d.Hooks.Dict(keys, values)))
	}
	return err
}

// decRefHook reads a reference into the type that Hooks.Ref returns.
func decRefHook(d *Decoder, v reflect.Value) error {
	if d.isRecord() {
		if err := d.openRecord(); err != nil {
			return err
		}
		return d.shutRecord(decRefHook(d, v))
	}
	if d.is(TagNone) {
		v.SetZero()
		return nil
	}
	x, err := d.ref()
	if err == nil {
		v.Set(reflect.ValueOf(x))
	}
	return err
}
