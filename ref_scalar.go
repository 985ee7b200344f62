package py

import (
	"math"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/wire"
)

// Scalars, such as numbers, cross from and to Python without being encoded within Attach: to encode them takes longer than most
// calls.

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

// scalarResult is a result as a T. One of kind 0 is in the wire format.
func scalarResult[T any](a *Attached, s cpython.Scalar, err error) (value T, _ error) {
	switch {
	case err != nil:
		return value, errDetached
	case s.Kind == 0:
		return decodeResult[T](a.result())
	}
	switch v := any(&value).(type) {
	case *float64:
		*v = math.Float64frombits(s.Bits)
	case *int:
		*v = int(s.Bits)
	case *int64:
		*v = int64(s.Bits)
	case *bool:
		*v = s.Kind == cpython.ScalarTrue
	case *any:
		*v = scalarValue(s)
	}
	return value, nil
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

// scalars sets the arguments of a call, and reports whether all of them are scalars.
func (a *Attached) scalars(args []any) bool {
	if len(args) > cpython.MostScalars {
		return false
	}
	a.checkIdle()
	for i, arg := range args {
		s := cpython.Scalar{Kind: cpython.ScalarNone}
		switch v := arg.(type) {
		case nil:
		case float64:
			s = cpython.Scalar{Kind: cpython.ScalarFloat, Bits: math.Float64bits(v)}
		case int:
			s = cpython.Scalar{Kind: cpython.ScalarInt, Bits: uint64(v)}
		case int64:
			s = cpython.Scalar{Kind: cpython.ScalarInt, Bits: uint64(v)}
		case bool:
			s.Kind = cpython.ScalarFalse
			if v {
				s.Kind = cpython.ScalarTrue
			}
		case Ref:
			if v.a != a {
				return false // an error, which says where
			}
			v.attached()
			s = cpython.Scalar{Kind: cpython.ScalarRef, Bits: uint64(v.p)}
		default:
			return false
		}
		a.core.SetScalar(i, s)
	}
	return true
}
