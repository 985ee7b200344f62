package py_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

func ExampleContext_Attach() {
	c := newContext()
	defer c.Close()
	sum := 0.0
	err := c.Attach(ctx, func(a *py.Attached) error {
		math, err := a.Import("math")
		if err != nil {
			return err
		}
		sqrt, err := math.Attr("sqrt")
		if err != nil {
			return err
		}
		for i := range 5 {
			root, err := py.CallRef[float64](sqrt, i*i)
			if err != nil {
				return err
			}
			sum += root
		}
		return nil
	})
	fmt.Println(sum, err)
	// Output: 10 <nil>
}

// attached runs the body of an example with a fresh context.
func attached(f func(a *py.Attached) error) {
	c := newContext()
	defer c.Close()
	if err := c.Attach(ctx, f); err != nil {
		fmt.Println(err)
	}
}

func ExampleAttached() {
	attached(func(a *py.Attached) error {
		list, err := a.New([]int{1, 2})
		if err != nil {
			return err
		}
		second, err := list.Item(1)
		if err != nil {
			return err
		}
		fmt.Println(second.Value())
		return nil
	})
	// Output: 2 <nil>
}

func ExampleAttached_Context() {
	attached(func(a *py.Attached) error {
		// A request to the same context runs at once, on the same thread.
		fmt.Println(a.Context().Eval(ctx, "1+1"))
		return nil
	})
	// Output: 2 <nil>
}

func ExampleAttached_Detach() {
	attached(func(a *py.Attached) error {
		a.Detach(func() { time.Sleep(time.Millisecond) }) // other contexts with this lock run meanwhile
		fmt.Println("attached again")
		return nil
	})
	// Output: attached again
}

func ExampleAttached_Global() {
	attached(func(a *py.Attached) error {
		length, err := a.Global("len")
		if err != nil {
			return err
		}
		fmt.Println(py.CallRef[int](length, "abc"))
		return nil
	})
	// Output: 3 <nil>
}

func ExampleAttached_Import() {
	attached(func(a *py.Attached) error {
		_, err := a.Import("missing")
		fmt.Println(errors.Is(err, py.Exception("ModuleNotFoundError")))
		return nil
	})
	// Output: true
}

func ExampleAttached_New() {
	attached(func(a *py.Attached) error {
		text, err := a.New("abc")
		if err != nil {
			return err
		}
		upper, err := text.Attr("upper")
		if err != nil {
			return err
		}
		fmt.Println(py.CallRef[string](upper))
		return nil
	})
	// Output: ABC <nil>
}

func ExampleAttached_Object() {
	c := newContext()
	defer c.Close()
	o, _ := py.Eval[*py.Object](ctx, c, "[1, 2, 3]")
	defer o.Close()
	err := c.Attach(ctx, func(a *py.Attached) error {
		list, err := a.Object(o)
		if err != nil {
			return err
		}
		fmt.Println(py.DecodeRef[[]int](list))
		return nil
	})
	fmt.Println(err)
	// Output:
	// [1 2 3] <nil>
	// <nil>
}

func ExampleAttached_Own() {
	attached(func(a *py.Attached) error {
		// newReference stands for a function of other cgo code that makes a PyObject*.
		newReference := func(state uintptr) uintptr { return 0 }
		if p := newReference(a.ThreadState()); p != 0 {
			fmt.Println(a.Own(p).Value())
		}
		return nil
	})
}

func ExampleAttached_ThreadState() {
	attached(func(a *py.Attached) error {
		fmt.Println(a.ThreadState() != 0)
		return nil
	})
	// Output: true
}

func ExampleRef() {
	attached(func(a *py.Attached) error {
		r, err := a.New(map[string]int{"a": 1})
		if err != nil {
			return err
		}
		fmt.Println(r.Value())
		return nil // r is released
	})
	// Output: map[a:1] <nil>
}

func ExampleRef_Attr() {
	attached(func(a *py.Attached) error {
		sys, err := a.Import("sys")
		if err != nil {
			return err
		}
		largest, err := sys.Attr("maxsize")
		if err != nil {
			return err
		}
		fmt.Println(py.DecodeRef[int64](largest))
		return nil
	})
	// Output: 9223372036854775807 <nil>
}

func ExampleRef_SetAttr() {
	attached(func(a *py.Attached) error {
		types, err := a.Import("types")
		if err != nil {
			return err
		}
		space, err := types.Attr("SimpleNamespace")
		if err != nil {
			return err
		}
		if space, err = space.Call(py.Kw{"x": 1}); err != nil {
			return err
		}
		if err := space.SetAttr("x", 2); err != nil {
			return err
		}
		x, err := space.Attr("x")
		if err != nil {
			return err
		}
		fmt.Println(x.Value())
		return nil
	})
	// Output: 2 <nil>
}

func ExampleRef_Item() {
	attached(func(a *py.Attached) error {
		dict, err := a.New(map[string]string{"a": "b"})
		if err != nil {
			return err
		}
		_, err = dict.Item("x")
		fmt.Println(err)
		return nil
	})
	// Output: KeyError: 'x'
}

func ExampleRef_Call() {
	attached(func(a *py.Attached) error {
		date, err := a.Import("datetime")
		if err != nil {
			return err
		}
		if date, err = date.Attr("date"); err != nil {
			return err
		}
		day, err := date.Call(2026, 2, py.Kw{"day": 1})
		if err != nil {
			return err
		}
		weekday, err := day.Attr("isoweekday")
		if err != nil {
			return err
		}
		fmt.Println(py.CallRef[int](weekday))
		return nil
	})
	// Output: 7 <nil>
}

func ExampleRef_Value() {
	attached(func(a *py.Attached) error {
		r, err := a.New(py.Tuple{1, "a"})
		if err != nil {
			return err
		}
		fmt.Println(r.Value())
		return nil
	})
	// Output: [1 a] <nil>
}

func ExampleRef_Keep() {
	c := newContext()
	defer c.Close()
	var kept *py.Object
	c.Attach(ctx, func(a *py.Attached) error {
		list, err := a.New([]int{1})
		if err != nil {
			return err
		}
		kept, err = list.Keep()
		return err
	})
	defer kept.Close()
	fmt.Println(kept.Value(ctx))
	// Output: [1] <nil>
}

func ExampleRef_Pointer() {
	attached(func(a *py.Attached) error {
		r, err := a.New("x")
		if err != nil {
			return err
		}
		fmt.Println(r.Pointer() != 0) // a PyObject*, for other cgo code
		return nil
	})
	// Output: true
}

func ExampleRef_Release() {
	attached(func(a *py.Attached) error {
		for i := range 100_000 {
			r, err := a.New(i)
			if err != nil {
				return err
			}
			r.Release() // else all of them live until the end
		}
		fmt.Println("done")
		return nil
	})
	// Output: done
}

func ExampleCallRef() {
	attached(func(a *py.Attached) error {
		f, err := a.Global("divmod")
		if err != nil {
			return err
		}
		fmt.Println(py.CallRef[[2]int](f, 17, 5))
		return nil
	})
	// Output: [3 2] <nil>
}

func ExampleDecodeRef() {
	attached(func(a *py.Attached) error {
		r, err := a.New([]any{1, 2.5})
		if err != nil {
			return err
		}
		fmt.Println(py.DecodeRef[[]float64](r))
		return nil
	})
	// Output: [1 2.5] <nil>
}
