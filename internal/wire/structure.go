package wire

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A structure is what the codec knows about a struct type.
type structure struct {
	fields []field
	index  map[string]int // by name
	fixed  bool           // every value has all the fields
	strict bool           // a dict must have no other keys
	err    error          // why the type cannot travel
}

// A field is one entry of the dict that a struct becomes.
type field struct {
	name      string
	key       []byte // the name as an encoded str
	path      []int  // more than one where it comes from an embedded struct
	typ       reflect.Type
	omitEmpty bool
	isZero    func(reflect.Value) bool // of omitzero; nil without it
	required  bool
	twice     bool   // another one is as embedded, and of that name
	option    string // text or json: how its value travels
}

// structure returns what is known about the struct type t.
func (h *Hooks) structure(t reflect.Type) *structure {
	if s, ok := h.structs.Load(t); ok {
		return s.(*structure)
	}
	s := h.inspect(t)
	h.structs.Store(t, s)
	return s
}

func (h *Hooks) inspect(t reflect.Type) *structure {
	s := &structure{index: map[string]int{}, fixed: true}
	s.collect(h, t, nil, []reflect.Type{t})
	for _, f := range s.fields {
		if f.twice {
			s.err = &Error{Type: t.String(), Reason: fmt.Sprintf("two fields of %s are named %q: give one another name, or \"-\", in its tag", t, f.name)}
		}
	}
	if len(s.fields) == 0 && t.NumField() > 0 {
		s.err = &Error{Type: t.String(), Reason: t.String() + " has no field that travels, and a value of it would be lost: see py.Marshaler, py.Unmarshaler, " +
			"py.AsText and py.AsJSON"}
	}
	return s
}

// collect takes the fields of t in, which is at that path, within the structs around it. Those of embedded structs count by the
// names that they have in Python, so that one may be there that is hidden in Go.
func (s *structure) collect(h *Hooks, t reflect.Type, path []int, around []reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, skip := parseTag(f)
		at := append(slices.Clip(path), i)
		if f.Anonymous && !skip && name == "" && h.IsStruct(f.Type) {
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner, s.fixed = inner.Elem(), false
			}
			if !slices.Contains(around, inner) {
				s.collect(h, inner, at, append(slices.Clip(around), inner))
			}
			continue
		}
		if f.Name == "_" && len(path) == 0 && slices.Contains(options, "strict") {
			s.strict = true
		}
		if skip || !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		own := field{
			name: name, path: at, typ: f.Type,
			omitEmpty: slices.Contains(options, "omitempty"),
			required:  slices.Contains(options, "required"),
			option:    tagOption(f, options),
		}
		if slices.Contains(options, "omitzero") {
			own.isZero = zeroOf(f.Type)
		}
		s.add(own)
	}
}

// add takes a field in. Of two with one name the less embedded wins, as in Go.
func (s *structure) add(f field) {
	var e Encoder
	if err := e.Str(f.name); err != nil {
		s.err = err
	}
	f.key = e.Buf
	if f.mayBeOmitted() {
		s.fixed = false
	}
	i, taken := s.index[f.name]
	switch {
	case !taken:
		s.index[f.name] = len(s.fields)
		s.fields = append(s.fields, f)
	case len(f.path) < len(s.fields[i].path):
		s.fields[i] = f
	case len(f.path) == len(s.fields[i].path):
		s.fields[i].twice = true
	}
}

// Fields are the names of the fields of all structs that a value of some type may hold: those that an object in Python is
// asked for.
type Fields struct {
	Names string // sorted, one a line; empty where there is no struct
	Keep  bool   // something in the type may take such an object itself
}

// Fields returns those of the type t.
func (h *Hooks) Fields(t reflect.Type) Fields {
	if f, ok := h.fields.Load(t); ok {
		return f.(Fields)
	}
	found := map[string]bool{}
	f := Fields{Keep: h.collectFields(t, found, map[reflect.Type]bool{})}
	f.Names = strings.Join(slices.Sorted(maps.Keys(found)), "\n")
	h.fields.Store(t, f)
	return f
}

// collectFields adds the names of the fields in t, and reports whether something in it takes any object.
func (h *Hooks) collectFields(t reflect.Type, found map[string]bool, seen map[reflect.Type]bool) (keep bool) {
	if seen[t] || t == bigIntType {
		return false
	}
	seen[t] = true
	if h.isSpecial(t) || h.Decodes != nil && h.Decodes(t) != nil {
		return true
	}
	switch t.Kind() {
	case reflect.Interface, reflect.Func:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return h.collectFields(t.Elem(), found, seen)
	case reflect.Map:
		keep = h.collectFields(t.Key(), found, seen)
		return h.collectFields(t.Elem(), found, seen) || keep
	case reflect.Struct:
		for _, f := range h.structure(t).fields {
			found[f.name] = true
			keep = f.option != "" || h.collectFields(f.typ, found, seen) || keep
		}
	}
	return keep
}

// parseTag reads the py tag of a field, or the json tag if it has none.
func parseTag(f reflect.StructField) (name string, options []string, skip bool) {
	tag, ok := f.Tag.Lookup("py")
	if !ok {
		tag = f.Tag.Get("json")
	}
	if tag == "-" {
		return "", nil, true
	}
	parts := strings.Split(tag, ",")
	return parts[0], parts[1:], false
}

// Required returns the names of the fields of the struct type t that have to be there.
func (h *Hooks) Required(t reflect.Type) (names []string) {
	for _, f := range h.orNone().structure(t).fields {
		if f.required {
			names = append(names, f.name)
		}
	}
	return names
}

// tagOption is the option that says how a field travels. Those of a json tag are not asked for.
func tagOption(f reflect.StructField, options []string) string {
	if _, own := f.Tag.Lookup("py"); !own {
		return ""
	}
	for _, option := range []string{"text", "json"} {
		if slices.Contains(options, option) {
			return option
		}
	}
	return ""
}

// encFields and decFields return how the fields are written and read.
func (h *Hooks) encFields(s *structure) []encFunc {
	encs := make([]encFunc, len(s.fields))
	for i, f := range s.fields {
		if encs[i] = h.encPlan(f.typ); f.option != "" && h.EncodeTagged != nil {
			encs[i] = func(e *Encoder, v reflect.Value) error {
				x, err := h.EncodeTagged(f.option, v.Interface())
				if err != nil {
					return &Error{Type: f.typ.String(), Reason: err.Error(), Err: err}
				}
				return e.Value(x)
			}
		}
	}
	return encs
}

func (h *Hooks) decFields(s *structure) []decFunc {
	decs := make([]decFunc, len(s.fields))
	for i, f := range s.fields {
		if decs[i] = h.decPlan(f.typ); f.option != "" && h.DecodeTagged != nil {
			decs[i] = func(d *Decoder, v reflect.Value) error {
				x, err := d.Plain()
				if err != nil {
					return err
				}
				if err := h.DecodeTagged(f.option, x, v.Addr().Interface()); err != nil {
					return &Error{Type: f.typ.String(), Reason: err.Error(), Err: err}
				}
				return nil
			}
		}
	}
	return decs
}

// get returns the field of struct v; there is none behind a nil embedded pointer.
func (f *field) get(v reflect.Value) (reflect.Value, bool) {
	if len(f.path) == 1 {
		return v.Field(f.path[0]), true
	}
	for i, x := range f.path {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v, true
}

// make returns the field of struct v, and makes the embedded structs on the way.
func (f *field) make(v reflect.Value) (reflect.Value, error) {
	for i, x := range f.path {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !v.CanSet() {
					return v, &Error{Type: v.Type().String(), Reason: "an embedded pointer to the unexported struct " + v.Type().Elem().String() + " cannot be set"}
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v, nil
}

func (f *field) mayBeOmitted() bool { return f.omitEmpty || f.isZero != nil }

// omitted reports whether the field is left out with this value.
func (f *field) omitted(v reflect.Value) bool {
	if f.isZero != nil && f.isZero(v) {
		return true
	}
	if !f.omitEmpty {
		return false
	}
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// A zeroer says itself which of its values are zero: a time.Time in any location, for one.
type zeroer interface{ IsZero() bool }

// zeroOf returns what omitzero asks about values of type t. It is what encoding/json asks.
func zeroOf(t reflect.Type) func(reflect.Value) bool {
	switch zeroerType := reflect.TypeFor[zeroer](); {
	case t.Implements(zeroerType):
		return func(v reflect.Value) bool { return holdsNil(v) || v.Interface().(zeroer).IsZero() }
	case reflect.PointerTo(t).Implements(zeroerType):
		return func(v reflect.Value) bool {
			if !v.CanAddr() {
				v = addressable(v)
			}
			return v.Addr().Interface().(zeroer).IsZero()
		}
	}
	return reflect.Value.IsZero
}

// holdsNil reports whether v is a nil pointer or interface, or an interface with a nil pointer in it.
func holdsNil(v reflect.Value) bool {
	if v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	return (v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer) && v.IsNil()
}

// find returns the field named name, or nil. Dicts mostly come in the order of the
// fields, so the one at guess is tried first.
func (s *structure) find(name []byte, guess int) (*field, int) {
	if guess < len(s.fields) && s.fields[guess].name == string(name) {
		return &s.fields[guess], guess
	}
	if i, ok := s.index[string(name)]; ok {
		return &s.fields[i], i
	}
	return nil, guess - 1
}
