package py_test

import (
	"errors"
	"fmt"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

func ExampleContext_NewEnv() {
	c := newContext()
	defer c.Close()
	a, _ := c.NewEnv(ctx)
	defer a.Close()
	b, _ := c.NewEnv(ctx)
	defer b.Close()
	a.Exec(ctx, "x = 1")
	b.Exec(ctx, "x = 2")
	fmt.Println(a.Eval(ctx, "x"))
	fmt.Println(b.Eval(ctx, "x"))
	// Output:
	// 1 <nil>
	// 2 <nil>
}

func ExampleEnv() {
	c, err := py.New(ctx, py.Options{Preload: "total = 0\ndef add(n):\n    global total\n    total += n\n    return total"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	user, _ := c.NewEnv(ctx)
	defer user.Close()
	user.Call(ctx, "__main__", "add", 2)
	fmt.Println(user.Call(ctx, "__main__", "add", 3))
	fmt.Println(c.Eval(ctx, "total"))
	// Output:
	// 5 <nil>
	// 0 <nil>
}

func ExampleEnv_Call() {
	c := newContext()
	defer c.Close()
	e, _ := c.NewEnv(ctx)
	defer e.Close()
	e.Exec(ctx, "def double(n): return 2 * n")
	fmt.Println(e.Call(ctx, "__main__", "double", 21))
	// Output: 42 <nil>
}

func ExampleEnv_Eval() {
	c := newContext()
	defer c.Close()
	e, _ := c.NewEnv(ctx)
	defer e.Close()
	fmt.Println(e.Eval(ctx, "a + 1", py.Vars{"a": 1}))
	// Output: 2 <nil>
}

func ExampleEnv_Exec() {
	c := newContext()
	defer c.Close()
	e, _ := c.NewEnv(ctx)
	defer e.Close()
	fmt.Println(e.Exec(ctx, "a = 1"))
	fmt.Println(py.Eval[int](ctx, e, "a"))
	// Output:
	// <nil>
	// 1 <nil>
}

func ExampleEnv_Close() {
	c := newContext()
	defer c.Close()
	e, _ := c.NewEnv(ctx)
	e.Close()
	fmt.Println(errors.Is(e.Exec(ctx, "a = 1"), py.ErrClosed))
	// Output: true
}

func ExampleEnv_Context() {
	c := newContext()
	defer c.Close()
	e, _ := c.NewEnv(ctx)
	defer e.Close()
	fmt.Println(e.Context() == c)
	// Output: true
}
