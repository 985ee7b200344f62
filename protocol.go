package py

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/pycontext/py/internal/wire"
)

// Marshaler is a type that says itself how it travels to Python: as what MarshalPython returns, which may be anything that
// travels. A method with a pointer receiver is used for values too. A nil pointer is None, without a call.
type Marshaler interface {
	MarshalPython() (any, error)
}

// Unmarshaler is a type that makes itself of a value from Python, in the Go form that an any within a typed result has. It
// owns the value, an *[Object] too. None sets a pointer to nil, and is given to anything else as nil.
type Unmarshaler interface {
	UnmarshalPython(value any) error
}

var (
	marshalerType   = reflect.TypeFor[Marshaler]()
	unmarshalerType = reflect.TypeFor[Unmarshaler]()
)

var marshals sync.Map // reflect.Type to bool

// isMarshaler reports whether a type or a pointer to it is a Marshaler.
func isMarshaler(t reflect.Type) bool {
	if known, ok := marshals.Load(t); ok {
		return known.(bool)
	}
	is := t.Kind() != reflect.Interface && (t.Implements(marshalerType) || reflect.PointerTo(t).Implements(marshalerType))
	marshals.Store(t, is)
	return is
}

func isUnmarshaler(t reflect.Type) bool {
	return t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(unmarshalerType)
}

// encodeMarshaler writes what a Marshaler says, and reports whether v is one.
func encodeMarshaler(e *wire.Encoder, v any) (bool, error) {
	t := reflect.TypeOf(v)
	if !isMarshaler(t) {
		return false, nil
	}
	m, ok := v.(Marshaler)
	switch {
	case !ok:
		m = pointerTo(v).(Marshaler)
	case t.Kind() == reflect.Pointer && reflect.ValueOf(v).IsNil():
		e.None()
		return true, nil
	}
	var value any
	err := safely("MarshalPython of a Go "+t.String(), func() (err error) {
		value, err = m.MarshalPython()
		return err
	})
	if err != nil {
		return true, err
	}
	return true, e.Nested(t.String(), value)
}

// pointerTo is a pointer to a copy of v.
func pointerTo(v any) any {
	p := reflect.New(reflect.TypeOf(v))
	p.Elem().Set(reflect.ValueOf(v))
	return p.Interface()
}

// safely makes an error of a panic: a request is not to be lost over it.
func safely(what string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack(), name: what}
		}
	}()
	return f()
}

// decodeUnmarshaler reads a value for an Unmarshaler.
func decodeUnmarshaler(d *wire.Decoder, v reflect.Value) error {
	read := d.Part
	if _, ok := v.Addr().Interface().(interface{ plainly() }); ok {
		read = d.Plain
	}
	value, err := read()
	if err != nil {
		return err
	}
	err = safely("UnmarshalPython of a Go "+v.Type().String(), func() error {
		return v.Addr().Interface().(Unmarshaler).UnmarshalPython(value)
	})
	if err != nil {
		return &wire.Error{Type: v.Type().String(), Reason: err.Error(), Err: err}
	}
	return nil
}

// Text is a value that travels as a str: see [AsText]. As the T of a result it takes a str, if T, or a pointer to it, is an
// [encoding.TextUnmarshaler]. The field tag `py:"name,text"` does the same for one field.
type Text[T any] struct{ Value T }

// AsText lets a value travel as the text of its [encoding.TextMarshaler], which by itself nobody asks for: a netip.Addr, a
// big.Float.
func AsText[T any](v T) Text[T] { return Text[T]{v} }

// MarshalPython returns the text.
func (t Text[T]) MarshalPython() (any, error) { return marshalText(t.Value) }

// UnmarshalPython takes a str.
func (t *Text[T]) UnmarshalPython(value any) error { return unmarshalText(value, &t.Value) }

// JSON is a value that travels as what its JSON says: see [AsJSON]. As the T of a result it takes what JSON can say. The
// field tag `py:"name,json"` does the same for one field.
type JSON[T any] struct{ Value T }

// AsJSON lets a value travel as the None, bool, int, float, str, list or dict that its JSON is, by encoding/json and the
// [json.Marshaler] of its types.
func AsJSON[T any](v T) JSON[T] { return JSON[T]{v} }

// MarshalPython returns what the JSON says.
func (j JSON[T]) MarshalPython() (any, error) { return marshalJSON(j.Value) }

// UnmarshalPython takes what JSON can say.
func (j *JSON[T]) UnmarshalPython(value any) error { return unmarshalJSON(value, &j.Value) }

func (j *JSON[T]) plainly() {} // converters have no say in what is JSON

func marshalText(v any) (any, error) {
	m, ok := v.(encoding.TextMarshaler)
	if !ok && v != nil {
		m, ok = pointerTo(v).(encoding.TextMarshaler)
	}
	if !ok {
		return nil, fmt.Errorf("a Go %T is no encoding.TextMarshaler", v)
	}
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && rv.IsNil() {
		return nil, nil
	}
	text, err := m.MarshalText()
	return string(text), err
}

func unmarshalText(value, into any) error {
	m, ok := into.(encoding.TextUnmarshaler)
	if v := reflect.ValueOf(into).Elem(); !ok && v.Kind() == reflect.Pointer {
		if value == nil {
			v.SetZero()
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		m, ok = v.Interface().(encoding.TextUnmarshaler)
	}
	if !ok {
		return fmt.Errorf("a Go %s is no encoding.TextUnmarshaler", reflect.TypeOf(into).Elem())
	}
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("expected str for its UnmarshalText, got what is a Go %T", value)
	}
	return m.UnmarshalText([]byte(text))
}

func marshalJSON(v any) (any, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return readJSON(d)
}

// readJSON reads one value, a dict in its order.
func readJSON(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return readJSONObject(d)
		}
		list := []any{}
		for d.More() {
			item, err := readJSON(d)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		_, err = d.Token()
		return list, err
	case json.Number:
		if n, ok := new(big.Int).SetString(token.String(), 10); ok {
			return n, nil
		}
		return token.Float64()
	}
	return token, nil
}

func readJSONObject(d *json.Decoder) (any, error) {
	dict := Dict{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		value, err := readJSON(d)
		if err != nil {
			return nil, err
		}
		dict = append(dict, Item{key, value})
	}
	_, err := d.Token()
	return dict, err
}

func unmarshalJSON(value, into any) error {
	plain, err := jsonOf(value)
	if err != nil {
		return err
	}
	data, err := json.Marshal(plain)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// jsonOf is a value from Python with what JSON can say alone in it, as Python's own json has it: tuples are lists.
func jsonOf(value any) (any, error) {
	switch v := value.(type) {
	case nil, bool, int64, *big.Int, float64, string:
		return value, nil
	case []any:
		return jsonList(v)
	case Tuple:
		return jsonList(v)
	case map[string]any:
		object := make(map[string]any, len(v))
		for k, item := range v {
			plain, err := jsonOf(item)
			if err != nil {
				return nil, err
			}
			object[k] = plain
		}
		return object, nil
	}
	return nil, fmt.Errorf("JSON has nothing for what is a Go %s", strings.TrimPrefix(fmt.Sprintf("%T", value), "*"))
}

func jsonList(items []any) (any, error) {
	list := make([]any, len(items))
	for i, item := range items {
		var err error
		if list[i], err = jsonOf(item); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// decodeTagged and encodeTagged are for fields with the tag options text and json.

func encodeTagged(option string, v any) (out any, err error) {
	marshal := marshalJSON
	if option == "text" {
		marshal = marshalText
	}
	err = safely(fmt.Sprintf("writing a Go %T as %s", v, option), func() (err error) {
		out, err = marshal(v)
		return err
	})
	return out, err
}

func decodeTagged(option string, value, into any) error {
	unmarshal := unmarshalJSON
	if option == "text" {
		unmarshal = unmarshalText
	}
	return safely(fmt.Sprintf("reading a Go %s of %s", reflect.TypeOf(into).Elem(), option), func() error { return unmarshal(value, into) })
}
