package py

import (
	"context"
	"math"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/wire"
)

// Scalars, such as numbers, cross from and to Python without being encoded, within Attach and as what Python calls Go functions with:
// to encode them takes as long as the rest of such a call.

const boolean = cpython.ScalarFalse | cpython.ScalarTrue

// scalarsFor are the kinds of scalars in Python that are a T as they are, and how what is no such scalar becomes a T. It is 0 where
// there are none.
func scalarsFor[T any]() (cpython.ScalarKind, wire.Want) {
	switch any((*T)(nil)).(type) {
	case *float64:
		return cpython.ScalarFloat, wire.WantLoose
	case *int, *int64:
		return cpython.ScalarInt, wire.WantLoose
	case *bool:
		return boolean, wire.WantLoose
	case *any:
		return cpython.ScalarNone | boolean | cpython.ScalarInt | cpython.ScalarFloat, wire.WantExact
	}
	return 0, 0
}

// scalarInto makes a T of a scalar of one of the kinds in scalarsFor, and reports whether it is one.
func scalarInto[T any](s cpython.Scalar, value *T) bool {
	kind := s.Kind
	switch v := any(value).(type) {
	case *float64:
		*v = math.Float64frombits(s.Bits)
		return kind == cpython.ScalarFloat
	case *int:
		*v = int(s.Bits)
		return kind == cpython.ScalarInt && int64(*v) == int64(s.Bits)
	case *int64:
		*v = int64(s.Bits)
		return kind == cpython.ScalarInt
	case *bool:
		*v = kind == cpython.ScalarTrue
		return kind&boolean != 0
	case *any:
		*v = scalarValue(s)
		return true
	}
	return false
}

func scalarValue(s cpython.Scalar) any {
	switch s.Kind {
	case cpython.ScalarFloat:
		return math.Float64frombits(s.Bits)
	case cpython.ScalarInt:
		return int64(s.Bits)
	case cpython.ScalarTrue:
		return true
	case cpython.ScalarFalse:
		return false
	}
	return nil
}

// scalarOf is a Go value as a scalar, of kind 0 where it is none.
func scalarOf(value any) cpython.Scalar {
	switch v := value.(type) {
	case nil:
		return cpython.Scalar{Kind: cpython.ScalarNone}
	case float64:
		return cpython.Scalar{Kind: cpython.ScalarFloat, Bits: math.Float64bits(v)}
	case int:
		return cpython.Scalar{Kind: cpython.ScalarInt, Bits: uint64(v)}
	case int64:
		return cpython.Scalar{Kind: cpython.ScalarInt, Bits: uint64(v)}
	case bool:
		if v {
			return cpython.Scalar{Kind: cpython.ScalarTrue}
		}
		return cpython.Scalar{Kind: cpython.ScalarFalse}
	}
	return cpython.Scalar{}
}

// scalars sets the arguments of a call, and reports whether all of them are scalars.
func (a *Attached) scalars(args []any) bool {
	if len(args) > cpython.MostScalars {
		return false
	}
	a.checkIdle()
	for i, arg := range args {
		s := scalarOf(arg)
		if s.Kind == 0 {
			r, ok := arg.(Ref)
			if !ok || r.a != a { // one of another Attach is an error, which says where
				return false
			}
			r.attached()
			s = cpython.Scalar{Kind: cpython.ScalarRef, Bits: uint64(r.p)}
		}
		a.core.SetScalar(i, s)
	}
	return true
}

// scalarResult is a result as a T. One of kind 0 is in the wire format.
func scalarResult[T any](a *Attached, s cpython.Scalar, err error) (value T, _ error) {
	switch {
	case err != nil:
		return value, a.misused()
	case s.Kind == 0:
		return resultOf[T](a)
	}
	scalarInto(s, &value)
	return value, nil
}

// encodeScalars writes them as the arguments of a call from Python.
func encodeScalars(e *wire.Encoder, args []cpython.Scalar) {
	e.Uvarint(uint64(len(args)))
	for _, s := range args {
		switch v := scalarValue(s).(type) {
		case float64:
			e.Float(v)
		case int64:
			e.Int(v)
		case bool:
			e.Bool(v)
		default:
			e.None()
		}
	}
	e.Uvarint(0)
}

// A quick is a body for arguments that are scalars. It returns false, before it has done anything, where they are not those of the
// function. The result is a scalar, or of kind 0, and written.
type quick func(f *goFunc, ctx func() context.Context, args []cpython.Scalar, e *wire.Encoder) (cpython.Scalar, *raise, bool)

func quickNone(fn func(func() context.Context) error) quick {
	return func(f *goFunc, ctx func() context.Context, args []cpython.Scalar, e *wire.Encoder) (cpython.Scalar, *raise, bool) {
		if len(args) != 0 {
			return cpython.Scalar{}, nil, false
		}
		s, r := scalarAnswer[any](f, e, nil, fn(ctx))
		return s, r, true
	}
}

func quickUnary[A, R any](fn func(func() context.Context, A) (R, error)) quick {
	return func(f *goFunc, ctx func() context.Context, args []cpython.Scalar, e *wire.Encoder) (cpython.Scalar, *raise, bool) {
		var a A
		if len(args) != 1 || !scalarInto(args[0], &a) {
			return cpython.Scalar{}, nil, false
		}
		result, err := fn(ctx, a)
		s, r := scalarAnswer(f, e, result, err)
		return s, r, true
	}
}

func quickBinary[A, R any](fn func(func() context.Context, A, A) (R, error)) quick {
	return func(f *goFunc, ctx func() context.Context, args []cpython.Scalar, e *wire.Encoder) (cpython.Scalar, *raise, bool) {
		var a, b A
		if len(args) != 2 || !scalarInto(args[0], &a) || !scalarInto(args[1], &b) {
			return cpython.Scalar{}, nil, false
		}
		result, err := fn(ctx, a, b)
		s, r := scalarAnswer(f, e, result, err)
		return s, r, true
	}
}

// scalarAnswer is what a quick returns for a result.
func scalarAnswer[R any](f *goFunc, e *wire.Encoder, result R, err error) (cpython.Scalar, *raise) {
	if err != nil {
		return cpython.Scalar{}, raiseError(err)
	}
	if s := scalarOf(result); s.Kind != 0 {
		return s, nil
	}
	return cpython.Scalar{}, answer(f, e, result)
}
