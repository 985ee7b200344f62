package py_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/pycontext/py"
)

// temperature travels as a dict with its unit.
type temperature float64

func (c temperature) MarshalPython() (any, error) {
	return map[string]any{"value": float64(c), "unit": "C"}, nil
}

func (c *temperature) UnmarshalPython(value any) error {
	m, _ := value.(map[string]any)
	degrees, ok := m["value"].(float64)
	if !ok || m["unit"] != "C" {
		return fmt.Errorf("%v is no temperature", value)
	}
	*c = temperature(degrees)
	return nil
}

func ExampleMarshaler() {
	c := newContext()
	defer c.Close()
	fmt.Println(py.Eval[string](ctx, c, "t['unit']", py.Vars{"t": temperature(20)}))
	// Output: C <nil>
}

func ExampleUnmarshaler() {
	c := newContext()
	defer c.Close()
	fmt.Println(py.Eval[[]temperature](ctx, c, "[{'value': 20.0, 'unit': 'C'}]"))
	_, err := py.Eval[[]temperature](ctx, c, "[5]")
	fmt.Println(err)
	// Output:
	// [20] <nil>
	// py: result[0]: 5 is no temperature
}

func ExampleText() {
	c := newContext()
	defer c.Close()
	a, err := py.Eval[py.Text[netip.Addr]](ctx, c, "'10.0.0.1'")
	fmt.Println(a.Value.Is4(), err)
	// Output: true <nil>
}

func ExampleAsText() {
	c := newContext()
	defer c.Close()
	fmt.Println(py.Eval[string](ctx, c, "a.split('.')[0]", py.Vars{"a": py.AsText(netip.MustParseAddr("10.0.0.1"))}))
	// Output: 10 <nil>
}

func ExampleJSON() {
	c := newContext()
	defer c.Close()
	v, err := py.Eval[py.JSON[json.RawMessage]](ctx, c, "{'a': [1, None]}")
	fmt.Println(string(v.Value), err)
	// Output: {"a":[1,null]} <nil>
}

func ExampleAsJSON() {
	c := newContext()
	defer c.Close()
	fmt.Println(py.Eval[string](ctx, c, "v['When']", py.Vars{"v": py.AsJSON(struct{ When time.Time }{time.Unix(0, 0).UTC()})}))
	// Output: 1970-01-01T00:00:00Z <nil>
}

// vector stands for the Python class Vector.
type vector struct {
	X float64 `py:"x"`
	Y float64 `py:"y"`
}

const vectorClass = `
class Vector:
    def __init__(self, x, y):
        self.x, self.y = x, y
    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)
`

func ExampleRegisterConverter() {
	c := newContext()
	defer c.Close()
	if err := c.Exec(ctx, vectorClass); err != nil {
		fmt.Println(err)
		return
	}
	err := py.RegisterConverter[vector](ctx, c, "__main__", "Vector", py.Converter{
		To:   "vars",
		From: "lambda d: Vector(**d)",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Eval(ctx, "[a + Vector(10, 20), 'text']", py.Vars{"a": vector{1, 2}}))
	// Output: [{11 22} text] <nil>
}

func ExampleConverter() {
	c := newContext()
	defer c.Close()
	// A converter without From is for one way only: here for dates, whose texts are to come as a type of one's own.
	type day string
	fmt.Println(py.RegisterConverter[day](ctx, c, "datetime", "date", py.Converter{To: "str"}))
	v, err := c.Eval(ctx, "{'due': __import__('datetime').date(2024, 2, 29)}")
	fmt.Printf("%#v %v\n", v, err)
	// Output:
	// <nil>
	// map[string]interface {}{"due":"2024-02-29"} <nil>
}

func ExampleUnregisterConverter() {
	c := newContext()
	defer c.Close()
	err := py.RegisterConverter[string](ctx, c, "fractions", "Fraction", py.Converter{To: "str"})
	fmt.Println(c.Eval(ctx, "__import__('fractions').Fraction(1, 3)"))
	was, err2 := py.UnregisterConverter(ctx, c, "fractions", "Fraction")
	fmt.Println(was, err, err2)
	// Output:
	// 1/3 <nil>
	// true <nil> <nil>
}

func ExampleLimits() {
	c, err := py.New(ctx, py.Options{Limits: py.Limits{Items: 1000}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	_, err = c.Eval(ctx, "list(range(10000))")
	fmt.Println(errors.Is(err, py.ErrLimit), err)
	// Output: true py: result: the value has more than 1000 items, which is the limit: see Options.Limits.Items
}
