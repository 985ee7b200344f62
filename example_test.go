package py_test

import (
	"context"
	"fmt"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

var ctx = context.Background()

// newContext is py.New without an error, to keep the examples short.
func newContext() *py.Context {
	c, err := py.New(ctx, py.Options{})
	if err != nil {
		panic(err)
	}
	return c
}

func Example() {
	c, err := py.New(ctx, py.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	c.Register("greet", func(name string) string { return "Hello " + name })
	c.Exec(ctx, "import go\ndef greet_all(names):\n    return [go.greet(n) for n in names]")
	fmt.Println(py.Call[[]string](ctx, c, "__main__", "greet_all", []string{"Ann", "Bob"}))
	// Output: [Hello Ann Hello Bob] <nil>
}
