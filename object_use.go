package py

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/pycontext/py/internal/wire"
)

// SetAttr sets an attribute. A dotted name walks attributes: it sets the last.
func (o *Object) SetAttr(ctx context.Context, name string, value any) error {
	return o.change(ctx, "set attribute "+name, checkDotted("attribute", name), "_go", "set_attr", name, value)
}

// DelAttr deletes an attribute. A dotted name walks attributes: it deletes the last.
func (o *Object) DelAttr(ctx context.Context, name string) error {
	return o.change(ctx, "delete attribute "+name, checkDotted("attribute", name), "_go", "del_attr", name)
}

// HasAttr tells whether the object has an attribute. A dotted name walks attributes. An exception other than AttributeError
// is an error.
func (o *Object) HasAttr(ctx context.Context, name string) (bool, error) {
	return use[bool](ctx, o, "attribute "+name, checkDotted("attribute", name), "_go", "has_attr", name)
}

// Item returns o[key] in the Go form that "Values" in the package documentation lists. A [Slice] as the key takes a part.
func (o *Object) Item(ctx context.Context, key any) (any, error) { return ItemOf[any](ctx, o, key) }

// SetItem sets o[key].
func (o *Object) SetItem(ctx context.Context, key, value any) error {
	return o.change(ctx, "set item", nil, "operator", "setitem", key, value)
}

// DelItem deletes o[key].
func (o *Object) DelItem(ctx context.Context, key any) error {
	return o.change(ctx, "delete item", nil, "operator", "delitem", key)
}

// Len is Python's len(o).
func (o *Object) Len(ctx context.Context) (int, error) {
	return use[int](ctx, o, "len", nil, "builtins", "len")
}

// Contains is Python's value in o.
func (o *Object) Contains(ctx context.Context, value any) (bool, error) {
	return use[bool](ctx, o, "contains", nil, "operator", "contains", value)
}

// Bool is Python's bool(o): whether the object is true in an if.
func (o *Object) Bool(ctx context.Context) (bool, error) {
	return use[bool](ctx, o, "bool", nil, "operator", "truth")
}

// Compare tells whether o op other is true in Python. op is one of "<", "<=", "==", "!=", ">" and ">=".
func (o *Object) Compare(ctx context.Context, op string, other any) (bool, error) {
	_, err := comparison(op)
	return use[bool](ctx, o, "comparison", err, "_go", "compare", op, other)
}

// Equal is Python's o == other.
func (o *Object) Equal(ctx context.Context, other any) (bool, error) {
	return o.Compare(ctx, "==", other)
}

// Hash is Python's hash(o).
func (o *Object) Hash(ctx context.Context) (int64, error) {
	return use[int64](ctx, o, "hash", nil, "builtins", "hash")
}

// Repr is Python's repr(o).
func (o *Object) Repr(ctx context.Context) (string, error) {
	return use[string](ctx, o, "repr", nil, "builtins", "repr")
}

// Str is Python's str(o). It is for people to read; [Decode] converts a value.
func (o *Object) Str(ctx context.Context) (string, error) {
	return use[string](ctx, o, "str", nil, "builtins", "str")
}

// Dir is Python's dir(o): the names of its attributes.
func (o *Object) Dir(ctx context.Context) ([]string, error) {
	return use[[]string](ctx, o, "dir", nil, "builtins", "dir")
}

// IsInstance is Python's isinstance(o, class). class is an *Object of a class, or a [Tuple] of such.
func (o *Object) IsInstance(ctx context.Context, class any) (bool, error) {
	return use[bool](ctx, o, "isinstance", nil, "builtins", "isinstance", class)
}

// Type is Python's type(o). The caller closes it.
func (o *Object) Type(ctx context.Context) (*Object, error) {
	return use[*Object](ctx, o, "type", nil, "builtins", "type")
}

// With runs body in a Python with statement of the object, which is what the statement binds to a name: a file, a
// connection, a lock's answer. It is closed when body returns. Requests that body makes with its ctx run within the
// statement.
//
// An error or a panic of body is raised in Python, so that the object's __exit__ sees it. The error comes back as it is,
// unless __exit__ suppresses it, and With returns nil, or raises another.
func (o *Object) With(ctx context.Context, body func(ctx context.Context, value *Object) error) error {
	var own error
	f := Func(func(ctx context.Context, value *Object) error {
		defer value.Close()
		own = body(ctx, value)
		return own
	}, Name("with"))
	err := o.change(ctx, "with", nil, "_go", "using", f)
	if _, raised := err.(*Error); !raised { // body may still run, and say what it returns
		return err
	}
	return sameError(err, own)
}

// sameError returns own where err is no more than that after its way through Python.
func sameError(err, own error) error {
	var raised *Error
	if own != nil && errors.As(err, &raised) && reflect.TypeOf(own).Comparable() && raised.goError == own {
		return own
	}
	return err
}

// ItemOf returns o[key], decoded as a T.
func ItemOf[T any](ctx context.Context, o *Object, key any) (T, error) {
	return use[T](ctx, o, "item", nil, "operator", "getitem", key)
}

// comparison is CPython's number of an operator.
func comparison(op string) (int, error) {
	for i, known := range [...]string{"<", "<=", "==", "!=", ">", ">="} {
		if op == known {
			return i, nil
		}
	}
	return 0, fmt.Errorf("py: %q is no comparison: it must be <, <=, ==, !=, > or >=", op)
}

func (o *Object) change(ctx context.Context, what string, problem error, module, function string, operands ...any) error {
	_, err := use[any](ctx, o, what, problem, module, function, operands...)
	return err
}

// use calls a function of Python with the object and the operands. A problem is one that is known before.
func use[T any](ctx context.Context, o *Object, what string, problem error, module, function string, operands ...any) (T, error) {
	q := &request{verb: wire.VerbCall, what: what, module: module, name: function}
	var zero T
	r := o.runner()
	if r == nil {
		return zero, q.nowhere("object")
	}
	if _, err := o.handleFor(o.context); err != nil {
		return zero, notSent(err)
	}
	if problem != nil {
		return zero, notSent(problem)
	}
	v, err := run[T](ctx, r, q, append([]any{o}, operands...)...)
	var bad *ConversionError
	if errors.As(err, &bad) {
		bad.Place = operandPlace(bad.Place, function)
	}
	return v, err
}

// operandPlace names an operand as the methods of Object do.
func operandPlace(place, function string) string {
	rest, ok := strings.CutPrefix(place, "args[1]")
	if ok && strings.HasSuffix(function, "item") {
		return "key" + rest
	}
	if !ok {
		rest, ok = strings.CutPrefix(place, "args[2]")
	}
	if ok {
		return "value" + rest
	}
	return place
}
