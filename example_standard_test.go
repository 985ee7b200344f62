package py_test

import (
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

func ExampleDate() {
	c := newContext()
	defer c.Close()
	d, err := py.Call[py.Date](ctx, c, "datetime", "date.fromisoformat", "2024-02-29")
	fmt.Println(d.Year, d.Month, d.Day, err)
	// Output: 2024 February 29 <nil>
}

func ExampleTimeOfDay() {
	c := newContext()
	defer c.Close()
	fmt.Println(py.Eval[string](ctx, c, "t.isoformat()", py.Vars{"t": py.TimeOfDay{Hour: 9, Minute: 30}}))
	// Output: 09:30:00 <nil>
}

func ExampleDateTime() {
	c := newContext()
	defer c.Close()
	// A datetime without a time zone; one with a time zone is a time.Time.
	d := py.DateTime{Date: py.Date{Year: 2024, Month: time.February, Day: 29}, TimeOfDay: py.TimeOfDay{Hour: 12}}
	fmt.Println(py.Eval[string](ctx, c, "str(d)", py.Vars{"d": d}))
	fmt.Println(py.Eval[string](ctx, c, "str(d)", py.Vars{"d": d.In(time.UTC)}))
	// Output:
	// 2024-02-29 12:00:00 <nil>
	// 2024-02-29 12:00:00+00:00 <nil>
}

func ExampleDateTime_In() {
	// An hour that clocks in Central Europe show twice.
	d := py.DateTime{Date: py.Date{Year: 2024, Month: time.October, Day: 27}, TimeOfDay: py.TimeOfDay{Hour: 2, Minute: 30}}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		berlin = time.FixedZone("CEST", 2*3600) // no time zones on this machine
	}
	fmt.Println(d.In(berlin).UTC().Format(time.TimeOnly))
	// Output: 00:30:00
}

func ExampleDateTimeOf() {
	d := py.DateTimeOf(time.Date(2024, 2, 29, 12, 0, 0, 1500, time.UTC))
	fmt.Println(d.Day, d.Hour, d.Microsecond)
	// Output: 29 12 1
}

func ExampleDecimal() {
	c := newContext()
	defer c.Close()
	price, err := py.Eval[py.Decimal](ctx, c, "price * 3", py.Vars{"price": py.Decimal("1.10")})
	fmt.Println(price, err)
	exact, err := py.Eval[*big.Rat](ctx, c, "price", py.Vars{"price": price})
	fmt.Println(exact, err)
	// Output:
	// 3.30 <nil>
	// 33/10 <nil>
}

func ExampleUUID() {
	c := newContext()
	defer c.Close()
	id, err := py.Call[py.UUID](ctx, c, "uuid", "uuid5", py.UUID{}, "name")
	fmt.Println(id, err)
	// Output: 9ced7028-3599-573c-90ef-9590f243b9b3 <nil>
}

func ExampleUUID_String() {
	fmt.Println(py.UUID{0: 0x12, 15: 0x34}.String())
	// Output: 12000000-0000-0000-0000-000000000034
}

func ExamplePath() {
	c := newContext()
	defer c.Close()
	fmt.Println(py.Eval[py.Path](ctx, c, "p / 'b.txt'", py.Vars{"p": py.Path("/a")}))
	// Output: /a/b.txt <nil>
}

func ExampleRange() {
	c := newContext()
	defer c.Close()
	fmt.Println(py.Eval[py.Range](ctx, c, "range(0, 10, 3)"))
	fmt.Println(py.Eval[[]int](ctx, c, "range(0, 10, 3)"))
	// Output:
	// {0 10 3} <nil>
	// [0 3 6 9] <nil>
}

func ExampleSlice() {
	c := newContext()
	defer c.Close()
	fmt.Println(py.Eval[string](ctx, c, "'abcdef'[s]", py.Vars{"s": py.Slice{Stop: 5, Step: 2}}))
	// Output: ace <nil>
}

func ExampleByteArray() {
	c := newContext()
	defer c.Close()
	b, err := py.Eval[py.ByteArray](ctx, c, "b.upper()", py.Vars{"b": py.ByteArray("abc")})
	fmt.Println(string(b), err)
	// Output: ABC <nil>
}

func ExampleConversionError() {
	c := newContext()
	defer c.Close()
	_, err := c.Call(ctx, "builtins", "print", map[string]any{"items": []any{1, uintptr(2)}})
	var misfit *py.ConversionError
	fmt.Println(errors.As(err, &misfit), py.SafeToRetry(err))
	fmt.Println(misfit.Place)
	fmt.Println(err)
	// Output:
	// true true
	// args[0]["items"][1]
	// py: args[0]["items"][1]: a Go uintptr has no Python counterpart; use uint64
}

func ExampleConversionError_Error() {
	c := newContext()
	defer c.Close()
	_, err := py.Eval[int](ctx, c, "2.5")
	fmt.Println(err)
	// Output: py: result: expected int, got float; take it as float64 in Go, or int() or round() it in Python
}

func ExampleConversionError_Unwrap() {
	a, b := newContext(), newContext()
	defer a.Close()
	defer b.Close()
	o, _ := py.Eval[*py.Object](ctx, a, "[]")
	defer o.Close()
	_, err := b.Call(ctx, "builtins", "len", o)
	var misfit *py.ConversionError
	fmt.Println(errors.As(err, &misfit), errors.Is(misfit.Unwrap(), py.ErrWrongContext))
	// Output: true true
}
