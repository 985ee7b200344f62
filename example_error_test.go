package py_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

func ExampleError() {
	c := newContext()
	defer c.Close()
	c.Exec(ctx, "def f():\n    return {}['x']")
	_, err := c.Call(ctx, "__main__", "f")
	var e *py.Error
	if errors.As(err, &e) {
		frame := e.Traceback[len(e.Traceback)-1]
		fmt.Println(e.Type, e.Message, e.Bases)
		fmt.Println(frame.Function, frame.Line)
	}
	// Output:
	// KeyError 'x' [LookupError Exception BaseException]
	// f 2
}

func ExampleError_Format() {
	c := newContext()
	defer c.Close()
	err := c.Exec(ctx, `
try:
    1 / 0
except ZeroDivisionError as e:
    raise ValueError("no ratio") from e`)
	fmt.Printf("%v\n\n%+v\n", err, err)
	// Output:
	// ValueError: no ratio
	//
	// Traceback (most recent call last):
	//   File "<string>", line 3, in <module>
	//     1 / 0
	//     ~~^~~
	// ZeroDivisionError: division by zero
	//
	// The above exception was the direct cause of the following exception:
	//
	// Traceback (most recent call last):
	//   File "<string>", line 5, in <module>
	//     raise ValueError("no ratio") from e
	// ValueError: no ratio
}

func ExampleError_Error() {
	c := newContext()
	defer c.Close()
	_, err := c.Call(ctx, "json", "loads", "{")
	fmt.Println(err)
	// Output: json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)
}

func ExampleError_Is() {
	c := newContext()
	defer c.Close()
	_, err := c.Eval(ctx, "{}['x']")
	fmt.Println(errors.Is(err, py.Exception("LookupError")), errors.Is(err, py.Exception("OSError")))
	// Output: true false
}

// A Go error that goes through Python is the same error where it comes out.
func ExampleError_Unwrap() {
	c := newContext()
	defer c.Close()
	c.Register("open", func(name string) error { return fmt.Errorf("reading %s: %w", name, fs.ErrNotExist) })
	err := c.Exec(ctx, "import go\ngo.open('a')")
	fmt.Println(err)
	fmt.Println(errors.Is(err, fs.ErrNotExist), errors.Is(err, py.Exception("FileNotFoundError")))
	// Output:
	// go.FileNotFoundError: reading a: file does not exist
	// true true
}

func ExampleException() {
	c := newContext()
	defer c.Close()
	_, err := c.Call(ctx, "json", "loads", "{")
	fmt.Println(errors.Is(err, py.Exception("json.decoder.JSONDecodeError")), errors.Is(err, py.Exception("ValueError")))
	// Output: true true
}

func ExampleException_Error() {
	fmt.Println(py.Exception("KeyError").Error())
	// Output: KeyError
}

func ExampleFrame() {
	c := newContext()
	defer c.Close()
	_, err := c.Call(ctx, "json", "loads", 5)
	var e *py.Error
	errors.As(err, &e)
	frame := e.Traceback[0]
	fmt.Println(strings.HasSuffix(frame.File, "__init__.py"), frame.Line > 0, frame.Function)
	// Output: true true loads
}

func ExampleSyntax() {
	c := newContext()
	defer c.Close()
	_, err := c.Eval(ctx, "1 +* 2")
	var e *py.Error
	errors.As(err, &e)
	fmt.Println(e.Syntax.Line, e.Syntax.Column, e.Syntax.Text)
	// Output: 1 4 1 +* 2
}

func ExampleSafeToRetry() {
	a, b := newContext(), newContext()
	defer b.Close()
	a.Close()
	_, err := a.Eval(ctx, "1+1")
	if py.SafeToRetry(err) { // it never ran, so it does not run twice
		fmt.Println(b.Eval(ctx, "1+1"))
	}
	// Output: 2 <nil>
}
