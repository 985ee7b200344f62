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
