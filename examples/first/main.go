// Command first calls Python from Go and Go from Python.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded" // a CPython of its own; leave it out to use the one on the machine
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	c, err := py.New(ctx, py.Options{Mode: py.OwnGIL})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	root, err := py.Call[float64](ctx, c, "math", "sqrt", 2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(root)

	// A Go function for Python: code in this context may call go.price(...).
	err = c.Register("price", func(ctx context.Context, item string) (float64, error) {
		switch item {
		case "tea":
			return 2.5, nil
		case "cake":
			return 4, nil
		}
		return 0, fmt.Errorf("no price for %q", item)
	})
	if err != nil {
		log.Fatal(err)
	}
	err = c.Exec(ctx, `
import go

def total(*items):
    return sum(go.price(item) for item in items)
`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(py.Call[float64](ctx, c, "__main__", "total", "tea", "cake", "tea"))

	_, err = c.Call(ctx, "__main__", "total", "tea", "ice")
	fmt.Println(err)
}
