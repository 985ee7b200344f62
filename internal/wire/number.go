package wire

import (
	"fmt"
	"math/big"
	"math/bits"
	"reflect"
)

// outOfRange is the error of an int, an int64 or *big.Int, that typ cannot hold.
func outOfRange(n any, typ string) error {
	what := "an int"
	if b, ok := n.(*big.Int); !ok || b.BitLen() <= 128 {
		what = fmt.Sprint(n)
	} else {
		what = fmt.Sprintf("an int of %d bits", b.BitLen())
	}
	return &Error{Type: "int", Reason: what + " does not fit " + typ + "; use " + intFor(n)}
}

// intFor is a type that holds an int.
func intFor(n any) string {
	switch n := n.(type) {
	case *big.Int:
		if n.IsUint64() {
			return "uint64 or *big.Int"
		}
		return "*big.Int"
	case uint64:
		return "uint64"
	}
	return "int64"
}

func notExact(n any, typ string) error {
	return &Error{Type: "int", Reason: fmt.Sprintf("the int %v cannot be a %s exactly; use %s", n, typ, intFor(n))}
}

// floatOfInt reads an int as the float64 that is equal to it.
func (d *Decoder) floatOfInt() (float64, error) {
	if t, err := d.Peek(); err != nil {
		return 0, err
	} else if t != TagInt8 && t != TagInt64 && t != TagBigInt {
		return 0, d.mismatch("float")
	}
	n, x, err := d.integer()
	switch {
	case err != nil:
		return 0, err
	case x != nil:
		return floatOfBig(x)
	case !intHasBits(n, 53):
		return 0, notExact(n, "float64")
	}
	return float64(n), nil
}

func floatOfBig(x *big.Int) (float64, error) {
	f, accuracy := x.Float64()
	if accuracy != big.Exact {
		return 0, &Error{Type: "int", Reason: fmt.Sprintf("an int of %d bits cannot be a float64 exactly; use *big.Int", x.BitLen())}
	}
	return f, nil
}

// intHasBits reports whether n has at most that many significant bits.
func intHasBits(n int64, most int) bool {
	u := uint64(n)
	if n < 0 {
		u = -u
	}
	return bits.Len64(u)-bits.TrailingZeros64(u) <= most
}

// float32 reads a float or an int that a float32 holds exactly.
func (d *Decoder) float32() (float64, error) {
	f, err := d.float64()
	if err == nil && f == f && float64(float32(f)) != f {
		return 0, &Error{Type: "float", Reason: fmt.Sprintf("%v cannot be a float32 exactly; use float64", f)}
	}
	return f, err
}

// bigInt reads an int of any size.
func (d *Decoder) bigInt() (*big.Int, error) {
	n, x, err := d.integer()
	if x == nil && err == nil {
		x = big.NewInt(n)
	}
	return x, err
}

// uint64 reads an int that fits a uint64.
func (d *Decoder) uint64(typ reflect.Type) (uint64, error) {
	n, x, err := d.integer()
	switch {
	case err != nil:
		return 0, err
	case x != nil && x.IsUint64():
		return x.Uint64(), nil
	case x != nil:
		return 0, outOfRange(x, typ.String())
	case n < 0:
		return 0, outOfRange(n, typ.String())
	}
	return uint64(n), nil
}

func decInt(d *Decoder, v reflect.Value) error {
	n, x, err := d.integer()
	switch {
	case err != nil:
		return err
	case x != nil:
		return outOfRange(x, v.Type().String())
	case v.OverflowInt(n):
		return outOfRange(n, v.Type().String())
	}
	v.SetInt(n)
	return nil
}

func decUint(d *Decoder, v reflect.Value) error {
	u, err := d.uint64(v.Type())
	if err != nil {
		return err
	}
	if v.OverflowUint(u) {
		return outOfRange(u, v.Type().String())
	}
	v.SetUint(u)
	return nil
}

func decFloat(d *Decoder, v reflect.Value) error {
	f, err := d.float64()
	if err == nil {
		v.SetFloat(f)
	}
	return err
}

func decFloat32(d *Decoder, v reflect.Value) error {
	f, err := d.float32()
	if err == nil {
		v.SetFloat(f)
	}
	return err
}

func decBig(d *Decoder, v reflect.Value) error {
	x, err := d.bigInt()
	if err == nil {
		v.Addr().Interface().(*big.Int).Set(x)
	}
	return err
}
