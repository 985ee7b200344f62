package py_test

import (
	"fmt"

	"github.com/pycontext/py"
)

// onValue runs f in a new context with the value of an expression.
func onValue(expr string, f func(a *py.Attached, r py.Ref) error) {
	c := newContext()
	defer c.Close()
	if err := c.Exec(ctx, "value = "+expr); err != nil {
		fmt.Println(err)
	}
	err := c.Attach(ctx, func(a *py.Attached) error {
		r, err := a.Global("value")
		if err != nil {
			return err
		}
		return f(a, r)
	})
	if err != nil {
		fmt.Println(err)
	}
}

func ExampleRef_DelAttr() {
	onValue("__import__('types').SimpleNamespace(x=1)", func(_ *py.Attached, r py.Ref) error {
		fmt.Println(r.DelAttr("x"))
		return nil
	})
	// Output: <nil>
}

func ExampleRef_HasAttr() {
	onValue("[]", func(_ *py.Attached, r py.Ref) error {
		fmt.Println(r.HasAttr("pop"))
		return nil
	})
	// Output: true <nil>
}

func ExampleRef_SetItem() {
	onValue("{}", func(_ *py.Attached, r py.Ref) error {
		for i := range 3 {
			if err := r.SetItem(i, i*i); err != nil {
				return err
			}
		}
		fmt.Println(r.Value())
		return nil
	})
	// Output: map[0:0 1:1 2:4] <nil>
}

func ExampleRef_DelItem() {
	onValue("[1, 2]", func(_ *py.Attached, r py.Ref) error {
		fmt.Println(r.DelItem(0))
		return nil
	})
	// Output: <nil>
}

func ExampleRef_Len() {
	onValue("[1, 2]", func(_ *py.Attached, r py.Ref) error {
		fmt.Println(r.Len())
		return nil
	})
	// Output: 2 <nil>
}

func ExampleRef_Contains() {
	onValue("[1, 2]", func(_ *py.Attached, r py.Ref) error {
		fmt.Println(r.Contains(2))
		return nil
	})
	// Output: true <nil>
}

func ExampleRef_Bool() {
	onValue("0", func(_ *py.Attached, r py.Ref) error {
		fmt.Println(r.Bool())
		return nil
	})
	// Output: false <nil>
}

func ExampleRef_Compare() {
	onValue("'a'", func(_ *py.Attached, r py.Ref) error {
		fmt.Println(r.Compare("<", "b"))
		return nil
	})
	// Output: true <nil>
}

func ExampleRef_Equal() {
	onValue("(1, 2)", func(_ *py.Attached, r py.Ref) error {
		fmt.Println(r.Equal(py.Tuple{1, 2}))
		return nil
	})
	// Output: true <nil>
}

func ExampleRef_Is() {
	onValue("None", func(a *py.Attached, r py.Ref) error {
		none, err := a.New(nil)
		fmt.Println(none.Is(r))
		return err
	})
	// Output: true
}

func ExampleRef_Hash() {
	onValue("7", func(_ *py.Attached, r py.Ref) error {
		fmt.Println(r.Hash())
		return nil
	})
	// Output: 7 <nil>
}

func ExampleRef_Repr() {
	onValue("'x'", func(_ *py.Attached, r py.Ref) error {
		fmt.Println(r.Repr())
		return nil
	})
	// Output: 'x' <nil>
}

func ExampleRef_Str() {
	onValue("b'x'", func(_ *py.Attached, r py.Ref) error {
		fmt.Println(r.Str())
		return nil
	})
	// Output: b'x' <nil>
}

func ExampleRef_Dir() {
	onValue("__import__('types').SimpleNamespace(zz=1)", func(_ *py.Attached, r py.Ref) error {
		names, err := r.Dir()
		fmt.Println(names[len(names)-1])
		return err
	})
	// Output: zz
}

func ExampleRef_IsInstance() {
	onValue("True", func(a *py.Attached, r py.Ref) error {
		class, err := a.Global("int")
		if err != nil {
			return err
		}
		fmt.Println(r.IsInstance(class))
		return nil
	})
	// Output: true <nil>
}

func ExampleRef_Type() {
	onValue("1.5", func(_ *py.Attached, r py.Ref) error {
		class, err := r.Type()
		if err != nil {
			return err
		}
		fmt.Println(class.Repr())
		return nil
	})
	// Output: <class 'float'> <nil>
}

func ExampleRef_Iter() {
	onValue("(n * n for n in range(4))", func(_ *py.Attached, r py.Ref) error {
		for item, err := range r.Iter() {
			if err != nil {
				return err
			}
			n, err := py.DecodeRef[int](item)
			if err != nil {
				return err
			}
			fmt.Println(n)
		}
		return nil
	})
	// Output:
	// 0
	// 1
	// 4
	// 9
}

func ExampleRef_CallMethod() {
	onValue("'a-b'", func(_ *py.Attached, r py.Ref) error {
		parts, err := r.CallMethod("split", "-")
		if err != nil {
			return err
		}
		fmt.Println(parts.Value())
		return nil
	})
	// Output: [a b] <nil>
}

func ExampleCallMethodRef() {
	onValue("'a-b'", func(_ *py.Attached, r py.Ref) error {
		fmt.Println(py.CallMethodRef[[]string](r, "split", "-"))
		return nil
	})
	// Output: [a b] <nil>
}

func ExampleRef_With() {
	onValue("__import__('threading').Lock()", func(_ *py.Attached, lock py.Ref) error {
		err := lock.With(func(py.Ref) error {
			fmt.Println(py.CallMethodRef[bool](lock, "locked"))
			return nil
		})
		fmt.Println(py.CallMethodRef[bool](lock, "locked"))
		return err
	})
	// Output:
	// true <nil>
	// false <nil>
}
