package py_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

func ExampleContext_Call() {
	c := newContext()
	defer c.Close()
	fmt.Println(c.Call(ctx, "json", "dumps", []any{1, nil}, py.Kw{"separators": py.Tuple{",", ":"}}))
	fmt.Println(c.Call(ctx, "datetime", "date.fromisoformat", "no date"))
	// Output:
	// [1,null] <nil>
	// <nil> ValueError: Invalid isoformat string: 'no date'
}

func ExampleContext_Eval() {
	c := newContext()
	defer c.Close()
	fmt.Println(c.Eval(ctx, "[x * y for y in ys]", py.Vars{"x": 2, "ys": []int{1, 2, 3}}))
	// Output: [2 4 6] <nil>
}

func ExampleContext_Exec() {
	c := newContext()
	defer c.Close()
	fmt.Println(c.Exec(ctx, "from math import gcd\nresult = gcd(a, b)", py.Vars{"a": 12, "b": 18}))
	fmt.Println(c.Eval(ctx, "result"))
	// Output:
	// <nil>
	// 6 <nil>
}

func ExampleCall() {
	c := newContext()
	defer c.Close()
	fmt.Println(py.Call[float64](ctx, c, "math", "sqrt", 16))
	fmt.Println(py.Call[int8](ctx, c, "math", "factorial", 20))
	// Output:
	// 4 <nil>
	// 0 py: result: 2432902008176640000 does not fit int8; use int64
}

func ExampleEval() {
	type point struct {
		X, Y float64
		Name string `py:"name"`
	}
	c := newContext()
	defer c.Close()
	points, err := py.Eval[[]point](ctx, c, "[{'X': 1, 'Y': 2.5, 'name': 'a'}]")
	fmt.Printf("%+v %v\n", points, err)
	// Output: [{X:1 Y:2.5 Name:a}] <nil>
}

func ExampleRunner() {
	count := func(r py.Runner, text string) (map[string]int, error) {
		return py.Call[map[string]int](ctx, r, "collections", "Counter", strings.Fields(text))
	}
	c := newContext()
	defer c.Close()
	fmt.Println(count(c, "a b a"))
	// Output: map[a:2 b:1] <nil>
}

func ExampleKw() {
	c := newContext()
	defer c.Close()
	fmt.Println(c.Call(ctx, "builtins", "sorted", []int{2, 3, 1}, py.Kw{"reverse": true}))
	// Output: [3 2 1] <nil>
}

func ExampleVars() {
	c := newContext()
	defer c.Close()
	fmt.Println(c.Eval(ctx, "(lambda: name.upper())()", py.Vars{"name": "ann"}))
	_, err := c.Eval(ctx, "name") // it was for that expression alone
	fmt.Println(err)
	// Output:
	// ANN <nil>
	// NameError: name 'name' is not defined
}

func ExampleWithTimes() {
	c, err := py.New(context.Background(), py.Options{})
	if err != nil {
		panic(err)
	}
	defer c.Close()
	ctx, times := py.WithTimes(context.Background())
	if _, err := c.Call(ctx, "time", "sleep", 0.05); err != nil {
		panic(err)
	}
	t := times()
	fmt.Println(t.Requests, t.Running > t.Queued+t.Lock+t.Callbacks)
	// Output: 1 true
}

func ExampleContext_Times() {
	c, err := py.New(context.Background(), py.Options{Profile: true})
	if err != nil {
		panic(err)
	}
	defer c.Close()
	for range 3 {
		if _, err := c.Call(context.Background(), "math", "sqrt", 2); err != nil {
			panic(err)
		}
	}
	fmt.Println(c.Times().Requests)
	// Output: 3
}
