package py_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

func ExampleRegister() {
	err := py.Register("fact", func(ctx context.Context, n int) (int, error) {
		if n < 0 {
			return 0, errors.New("fact of a negative number")
		}
		result := 1
		for ; n > 1; n-- {
			result *= n
		}
		return result, nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer py.Unregister("fact")
	c := newContext()
	defer c.Close()
	fmt.Println(c.Eval(ctx, "__import__('go').fact(5)"))
	fmt.Println(c.Eval(ctx, "__import__('go').fact(-5)"))
	fmt.Println(py.Register("bad", func(chan int) {}))
	// Output:
	// 120 <nil>
	// <nil> go.Error: fact of a negative number
	// py: cannot register "bad": expected parameters that Python can give, not chan int, got func(chan int)
}

func ExampleUnregister() {
	py.Register("twice", func(n int) int { return 2 * n })
	c := newContext()
	defer c.Close()
	c.Exec(ctx, "import go")
	fmt.Println(c.Eval(ctx, "hasattr(go, 'twice')"))
	fmt.Println(py.Unregister("twice"))
	fmt.Println(c.Eval(ctx, "hasattr(go, 'twice')"))
	// Output:
	// true <nil>
	// true
	// false <nil>
}

func ExampleContext_Register() {
	c := newContext()
	defer c.Close()
	type options struct {
		Sep string `py:"sep"`
	}
	c.Register("join", func(parts []string, o options) string { return strings.Join(parts, o.Sep) })
	fmt.Println(c.Eval(ctx, "__import__('go').join(['a', 'b'], sep='-')"))
	// Output: a-b <nil>
}

// Python calls Go, which calls the same Python again.
func ExampleContext_Register_nesting() {
	c := newContext()
	defer c.Close()
	c.Register("down", func(ctx context.Context, n int) (int, error) {
		return py.Call[int](ctx, c, "__main__", "depth", n) // with the ctx of the call: on top of it
	})
	c.Exec(ctx, "import go\ndef depth(n):\n    return 0 if n == 0 else 1 + go.down(n - 1)")
	fmt.Println(py.Call[int](ctx, c, "__main__", "depth", 100))
	// Output: 100 <nil>
}

func ExampleContext_Unregister() {
	c := newContext()
	defer c.Close()
	c.Register("f", func() {})
	fmt.Println(c.Unregister("f"), c.Unregister("f"))
	// Output: true false
}

func Example_callable() {
	c := newContext()
	defer c.Close()
	c.Exec(ctx, "import os.path")
	join, err := py.Eval[func(parts ...string) (string, error)](ctx, c, "os.path.join")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(join("a", "b"))

	c.Register("twice", func(ctx context.Context, f func(context.Context, int) (int, error), n int) (int, error) {
		n, err := f(ctx, n)
		if err != nil {
			return 0, err
		}
		return f(ctx, n)
	})
	fmt.Println(py.Eval[int](ctx, c, "__import__('go').twice(lambda n: n * n, 3)"))
	// Output:
	// a/b <nil>
	// 81 <nil>
}

func Example_iterators() {
	c := newContext()
	defer c.Close()
	jobs := make(chan string)
	go func() {
		defer close(jobs)
		for _, name := range []string{"a", "b"} {
			jobs <- name
		}
	}()
	fmt.Println(py.Eval[[]string](ctx, c, "[name.upper() for name in jobs]", py.Vars{"jobs": jobs}))
	fmt.Println(py.Eval[int](ctx, c, "sum(i * n for i, n in pairs)", py.Vars{"pairs": slices.All([]int{5, 6, 7})}))
	// Output:
	// [A B] <nil>
	// 20 <nil>
}

func Example_files() {
	c := newContext()
	defer c.Close()
	c.Exec(ctx, "import csv, io, json")
	body := strings.NewReader("name,age\nAnn,5\n")
	fmt.Println(py.Eval[[]map[string]string](ctx, c, "list(csv.DictReader(io.TextIOWrapper(body)))", py.Vars{"body": body}))

	var out strings.Builder
	c.Exec(ctx, "out.write(json.dumps([1, 2]).encode())", py.Vars{"out": &out})
	fmt.Println(out.String())

	f, err := py.Eval[io.Reader](ctx, c, "io.StringIO('from Python')")
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := io.ReadAll(f)
	fmt.Println(string(text), err)
	// Output:
	// [map[age:5 name:Ann]] <nil>
	// [1, 2]
	// from Python <nil>
}

func ExampleStream() {
	c := newContext()
	defer c.Close()
	c.Exec(ctx, `
def countdown(n):
    try:
        while True:
            yield n
            n -= 1
    finally:
        pass # runs before the loop is left
`)
	for n, err := range py.Stream[int](ctx, c, "__main__", "countdown", 3) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(n)
		if n == 0 {
			break // closes the generator
		}
	}
	// Output:
	// 3
	// 2
	// 1
	// 0
}

func ExampleStreamEval() {
	c := newContext()
	defer c.Close()
	for pair, err := range py.StreamEval[[2]any](ctx, c, "zip(names, range(10, 100, 10))", py.Vars{"names": []string{"a", "b"}}) {
		fmt.Println(pair, err)
	}
	for _, err := range py.StreamEval[float64](ctx, c, "(1 / x for x in [0])") {
		fmt.Println(err)
	}
	// Output:
	// [a 10] <nil>
	// [b 20] <nil>
	// ZeroDivisionError: division by zero
}

func ExampleStreamObject() {
	c := newContext()
	defer c.Close()
	o, err := py.Eval[*py.Object](ctx, c, "{'a': 1, 'b': 2}.items()")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer o.Close()
	for kv, err := range py.StreamObject[py.Tuple](ctx, o) {
		fmt.Println(kv, err)
	}
	// Output:
	// [a 1] <nil>
	// [b 2] <nil>
}

func ExampleFunc() {
	c := newContext()
	defer c.Close()
	last := func(s string) byte { return s[len(s)-1] }
	words := []string{"one", "two", "six"}
	fmt.Println(py.Call[[]string](ctx, c, "builtins", "sorted", words, py.Kw{"key": last}))
	fmt.Println(py.Call[[]string](ctx, c, "builtins", "sorted", words, py.Kw{"key": py.Func(last, py.Inline())}))
	// Output:
	// [one two six] <nil>
	// [one two six] <nil>
}

func ExampleFunction() {
	c := newContext()
	defer c.Close()
	handlers := map[string]py.Function{
		"add": py.Func(func(a, b int) int { return a + b }, py.Inline()),
		"get": py.Func(func(ctx context.Context, key string) (string, error) { return "", fs.ErrNotExist }),
	}
	fmt.Println(py.Eval[int](ctx, c, "handlers['add'](2, 3)", py.Vars{"handlers": handlers}))
	_, err := c.Eval(ctx, "handlers['get']('x')", py.Vars{"handlers": handlers})
	fmt.Println(errors.Is(err, fs.ErrNotExist), errors.Is(err, py.Exception("FileNotFoundError")))
	// Output:
	// 5 <nil>
	// true true
}

func ExampleName() {
	c := newContext()
	defer c.Close()
	f := py.Func(func() {}, py.Name("on_click"))
	fmt.Println(py.Eval[string](ctx, c, "f.__name__", py.Vars{"f": f}))
	// Output: on_click <nil>
}

func ExampleInline() {
	c := newContext()
	defer c.Close()
	c.Register("clamp", func(f float64) float64 { return min(max(f, 0), 1) }, py.Inline())
	fmt.Println(c.Eval(ctx, "list(map(__import__('go').clamp, [-1, 0.5, 7]))"))
	// Output: [0 0.5 1] <nil>
}

func ExampleFuncOption() {
	quick := []py.FuncOption{py.Inline()}
	c := newContext()
	defer c.Close()
	c.Register("next", func(n int) int { return n + 1 }, quick...)
	fmt.Println(c.Eval(ctx, "__import__('go').next(1)"))
	// Output: 2 <nil>
}

func ExamplePanicError() {
	c := newContext()
	defer c.Close()
	c.Register("f", func(a []int) int { return a[5] })
	_, err := c.Eval(ctx, "__import__('go').f([1])")
	var p *py.PanicError
	fmt.Println(errors.As(err, &p), p.Value, len(p.Stack) > 0)
	// Output: true runtime error: index out of range [5] with length 1 true
}

func ExamplePanicError_Error() {
	c := newContext()
	defer c.Close()
	c.Register("f", func() { panic("oh") })
	_, err := c.Eval(ctx, "__import__('go').f()")
	var p *py.PanicError
	errors.As(err, &p)
	fmt.Println(p.Error())
	// Output: panic in Go function "f": oh
}

func ExamplePanicError_Unwrap() {
	c := newContext()
	defer c.Close()
	c.Register("f", func() { panic(fs.ErrInvalid) })
	_, err := c.Eval(ctx, "__import__('go').f()")
	fmt.Println(errors.Is(err, fs.ErrInvalid))
	// Output: true
}

// A generator is an iterator in Go: leaving the loop closes it.
func ExampleRegister_iterator() {
	c := newContext()
	defer c.Close()
	c.Register("first_long", func(words iter.Seq2[string, error], n int) (string, error) {
		for word, err := range words {
			if err != nil || len(word) >= n {
				return word, err
			}
		}
		return "", errors.New("they are all short")
	})
	c.Exec(ctx, `
import go
state = "open"
def words():
    global state
    try:
        yield from "one two three four".split()
    finally:
        state = "closed"
`)
	fmt.Println(c.Eval(ctx, "go.first_long(words(), 5), state"))
	// Output: [three closed] <nil>
}
