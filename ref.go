package py

import (
	"context"
	"errors"
	"iter"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/wire"
)

// Ref is a Python object within Attach. All of them are released when the attached function returns; Release lets one go
// earlier, in a long loop. A Ref is a value for everything else that is done within the same Attach: an argument, a key, an
// item of a list. Using one that was released, or after the function returned, panics.
type Ref struct {
	a     *Attached
	p     cpython.Pointer
	place int // in a.refs
	use   int // of that place
}

// attached is where the object lives. It panics where that is over.
func (r Ref) attached() *Attached {
	switch {
	case r.a == nil:
		panic("py: a Ref was used that was not made by py")
	case r.a.over:
		panic("py: a Ref was used after the attached function returned")
	case !r.held():
		panic("py: a Ref was used after its Release")
	}
	return r.a
}

func (r Ref) held() bool { return r.a.refs[r.place] == place{r.p, r.use} }

func encodeRef(e *wire.Encoder, r Ref) error {
	if r.a == nil || e != &r.a.encoder {
		return errors.New("a py.Ref is a value within its own Attach only; Keep makes a py.Object of it")
	}
	r.attached()
	e.Pointer(uint64(r.p))
	return nil
}

// Pointer is the PyObject*, which the Ref keeps alive, for other cgo code.
func (r Ref) Pointer() uintptr {
	r.attached()
	return uintptr(r.p)
}

// Release lets the object go before the attached function returns. The Ref is invalid from then on.
func (r Ref) Release() {
	a := r.attached()
	if a.core.Release(r.p) != nil {
		panic(a.misused())
	}
	a.refs[r.place] = place{use: r.use + 1}
	a.free = append(a.free, r.place)
}

// Attr returns an attribute.
func (r Ref) Attr(name string) (Ref, error) {
	a := r.attached()
	return a.ref(a.core.Attr(r.p, name))
}

// SetAttr sets an attribute.
func (r Ref) SetAttr(name string, value any) error {
	a := r.attached()
	if err := a.value(value); err != nil {
		return err
	}
	return a.done(a.core.SetAttr(r.p, name))
}

// DelAttr deletes an attribute.
func (r Ref) DelAttr(name string) error {
	a := r.attached()
	return a.done(a.core.DelAttr(r.p, name))
}

// HasAttr tells whether the object has an attribute. An exception other than AttributeError is an error.
func (r Ref) HasAttr(name string) (bool, error) {
	a := r.attached()
	ok, err := a.core.HasAttr(r.p, name)
	return ok, a.done(err)
}

// Item returns r[key].
func (r Ref) Item(key any) (Ref, error) {
	a := r.attached()
	if err := a.value(key); err != nil {
		return Ref{}, err
	}
	return a.ref(a.core.Item(r.p))
}

// SetItem sets r[key].
func (r Ref) SetItem(key, value any) error {
	a := r.attached()
	if err := a.keyAndValue(key, value); err != nil {
		return err
	}
	return a.done(a.core.SetItem(r.p))
}

// DelItem deletes r[key].
func (r Ref) DelItem(key any) error {
	a := r.attached()
	if err := a.value(key); err != nil {
		return err
	}
	return a.done(a.core.DelItem(r.p))
}

// Len is Python's len(r).
func (r Ref) Len() (int, error) {
	a := r.attached()
	n, err := a.core.Len(r.p)
	return n, a.done(err)
}

// Contains is Python's value in r.
func (r Ref) Contains(value any) (bool, error) {
	a := r.attached()
	if err := a.value(value); err != nil {
		return false, err
	}
	ok, err := a.core.Contains(r.p)
	return ok, a.done(err)
}

// Bool is Python's bool(r).
func (r Ref) Bool() (bool, error) {
	a := r.attached()
	ok, err := a.core.Truth(r.p)
	return ok, a.done(err)
}

// Compare tells whether r op other is true in Python. op is one of "<", "<=", "==", "!=", ">" and ">=".
func (r Ref) Compare(op string, other any) (bool, error) {
	a := r.attached()
	number, err := comparison(op)
	if err == nil {
		err = a.value(other)
	}
	if err != nil {
		return false, err
	}
	ok, err := a.core.Compare(r.p, number)
	return ok, a.done(err)
}

// Equal is Python's r == other.
func (r Ref) Equal(other any) (bool, error) { return r.Compare("==", other) }

// Is tells whether both are the same object.
func (r Ref) Is(other Ref) bool { return r.attached() == other.attached() && r.p == other.p }

// Hash is Python's hash(r).
func (r Ref) Hash() (int64, error) {
	a := r.attached()
	n, err := a.core.Hash(r.p)
	return n, a.done(err)
}

// Repr is Python's repr(r).
func (r Ref) Repr() (string, error) { return described[string](r, 'r') }

// Str is Python's str(r).
func (r Ref) Str() (string, error) { return described[string](r, 's') }

// Dir is Python's dir(r).
func (r Ref) Dir() ([]string, error) { return described[[]string](r, 'd') }

func described[T any](r Ref, how byte) (T, error) {
	a := r.attached()
	if a.core.Describe(r.p, how) != nil {
		var zero T
		return zero, a.misused()
	}
	return resultOf[T](a)
}

// IsInstance is Python's isinstance(r, class). class is a Ref or an *[Object] of a class, or a [Tuple] of such.
func (r Ref) IsInstance(class any) (bool, error) {
	a := r.attached()
	if err := a.value(class); err != nil {
		return false, err
	}
	ok, err := a.core.IsInstance(r.p)
	return ok, a.done(err)
}

// Type is Python's type(r).
func (r Ref) Type() (Ref, error) {
	a := r.attached()
	return a.ref(a.core.Type(r.p))
}

// Iter ranges over the items of the object, as Python's for. Each item is released when the next one is asked for. An
// exception is the last item.
func (r Ref) Iter() iter.Seq2[Ref, error] {
	return func(yield func(Ref, error) bool) {
		a := r.attached()
		iterator, err := a.ref(a.core.Iter(r.p))
		if err != nil {
			yield(Ref{}, err)
			return
		}
		defer iterator.Release()
		for {
			p, err := a.core.Next(iterator.p)
			if err == nil && p == 0 {
				return
			}
			item, err := a.ref(p, err)
			if err != nil {
				yield(Ref{}, err)
				return
			}
			more := yield(item, nil)
			if item.held() {
				item.Release()
			}
			if !more {
				return
			}
		}
	}
}

// Call calls the object. A last argument of type [Kw] holds the keyword arguments.
func (r Ref) Call(args ...any) (Ref, error) {
	a := r.attached()
	if err := a.args(wire.Fields{}, args); err != nil {
		return Ref{}, err
	}
	return a.ref(a.core.Call(r.p))
}

// CallMethod calls a method. A last argument of type [Kw] holds the keyword arguments.
func (r Ref) CallMethod(name string, args ...any) (Ref, error) {
	a := r.attached()
	if err := a.args(wire.Fields{}, args); err != nil {
		return Ref{}, err
	}
	return a.ref(a.core.CallMethod(r.p, name))
}

// With runs body in a Python with statement of the object; see [Object.With]. The value is released when body returns.
func (r Ref) With(body func(value Ref) error) error {
	a := r.attached()
	using, err := a.Import("_go")
	if err != nil {
		return err
	}
	defer using.Release()
	var own error
	f := Func(func(_ context.Context, o *Object) error {
		defer o.Close()
		value, err := a.Object(o)
		if err != nil {
			return err
		}
		defer value.Release()
		own = body(value)
		return own
	}, Inline(), Name("with"))
	_, err = CallMethodRef[any](using, "using", r, f)
	return sameError(err, own)
}

// Value converts the object to Go.
func (r Ref) Value() (any, error) { return DecodeRef[any](r) }

// Keep returns an [Object] for use after the attached function has returned.
func (r Ref) Keep() (*Object, error) { return DecodeRef[*Object](r) }

// CallRef calls an object and decodes the result as a T, in one crossing to C.
func CallRef[T any](f Ref, args ...any) (T, error) {
	a := f.attached()
	if wanted, how := scalarsFor[T](); wanted != 0 && a.scalars(args) {
		s, err := a.core.CallScalars(f.p, len(args), wanted, uint8(how))
		return scalarResult[T](a, s, err)
	}
	want, fields := wantOf[T]()
	if err := a.args(fields, args); err != nil {
		var zero T
		return zero, err
	}
	if a.core.CallValue(f.p, uint8(want)) != nil {
		var zero T
		return zero, a.misused()
	}
	return resultOf[T](a)
}

// CallMethodRef calls a method and decodes the result as a T, in one crossing to C.
func CallMethodRef[T any](r Ref, name string, args ...any) (T, error) {
	a := r.attached()
	if wanted, how := scalarsFor[T](); wanted != 0 && a.scalars(args) {
		s, err := a.core.CallMethodScalars(r.p, name, len(args), wanted, uint8(how))
		return scalarResult[T](a, s, err)
	}
	want, fields := wantOf[T]()
	if err := a.args(fields, args); err != nil {
		var zero T
		return zero, err
	}
	if a.core.CallMethodValue(r.p, name, uint8(want)) != nil {
		var zero T
		return zero, a.misused()
	}
	return resultOf[T](a)
}

// DecodeRef converts an object to a T.
func DecodeRef[T any](r Ref) (T, error) {
	a := r.attached()
	if wanted, how := scalarsFor[T](); wanted != 0 {
		a.checkIdle()
		s, err := a.core.Scalar(r.p, wanted, uint8(how))
		return scalarResult[T](a, s, err)
	}
	want, fields := wantOf[T]()
	a.fields(fields)
	a.core.Input(a.encoder.Buf)
	if a.core.Value(r.p, uint8(want)) != nil {
		var zero T
		return zero, a.misused()
	}
	return resultOf[T](a)
}

// done is what an error of C is in full.
func (a *Attached) done(err error) error {
	if err == nil {
		return nil
	}
	return a.raised(err)
}
