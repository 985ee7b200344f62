package py_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/pycontext/py"
)

func ExampleObject() {
	c := newContext()
	defer c.Close()
	o, err := py.Eval[*py.Object](ctx, c, "object()")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer o.Close()
	fmt.Println(c.Eval(ctx, "a is b", py.Vars{"a": o, "b": o}))
	// Output: true <nil>
}

func ExampleObject_CallMethod() {
	c := newContext()
	defer c.Close()
	list, _ := py.Eval[*py.Object](ctx, c, "[3, 1, 2]")
	defer list.Close()
	list.CallMethod(ctx, "sort", py.Kw{"reverse": true})
	fmt.Println(list.Value(ctx))
	// Output: [3 2 1] <nil>
}

func ExampleObject_Call() {
	c := newContext()
	defer c.Close()
	double, _ := py.Eval[*py.Object](ctx, c, "lambda n: 2 * n")
	defer double.Close()
	fmt.Println(double.Call(ctx, 21))
	// Output: 42 <nil>
}

func ExampleObject_Attr() {
	c := newContext()
	defer c.Close()
	day, _ := py.Call[*py.Object](ctx, c, "datetime", "date", 2026, 2, 1)
	defer day.Close()
	fmt.Println(day.Attr(ctx, "year"))
	// Output: 2026 <nil>
}

func ExampleObject_Value() {
	c := newContext()
	defer c.Close()
	o, _ := py.Eval[*py.Object](ctx, c, "(1, 'a', None)")
	defer o.Close()
	v, err := o.Value(ctx)
	fmt.Printf("%#v %v\n", v, err)
	// Output: py.Tuple{1, "a", interface {}(nil)} <nil>
}

func ExampleObject_Close() {
	c := newContext()
	defer c.Close()
	o, _ := py.Eval[*py.Object](ctx, c, "[1]")
	o.Close()
	_, err := o.Value(ctx)
	fmt.Println(errors.Is(err, py.ErrClosed))
	// Output: true
}

func ExampleObject_Context() {
	a, b := newContext(), newContext()
	defer a.Close()
	defer b.Close()
	o, _ := py.Eval[*py.Object](ctx, a, "[1]")
	defer o.Close()
	fmt.Println(o.Context() == a)
	_, err := b.Call(ctx, "builtins", "len", o)
	fmt.Println(errors.Is(err, py.ErrWrongContext))
	// Output:
	// true
	// true
}

func ExampleObject_String() {
	c, _ := py.New(ctx, py.Options{Name: "mail"})
	defer c.Close()
	o, _ := c.Eval(ctx, "object()")
	fmt.Println(o)
	// Output: <Python object of mail>
}

func ExampleCallMethod() {
	c := newContext()
	defer c.Close()
	counter, _ := py.Call[*py.Object](ctx, c, "collections", "Counter", "abracadabra")
	defer counter.Close()
	fmt.Println(py.CallMethod[[]any](ctx, counter, "most_common", 2))
	// Output: [[a 5] [b 2]] <nil>
}

func ExampleAttr() {
	c := newContext()
	defer c.Close()
	day, _ := py.Call[*py.Object](ctx, c, "datetime", "date", 2026, 2, 1)
	defer day.Close()
	fmt.Println(py.Attr[string](ctx, day, "__class__.__name__"))
	// Output: date <nil>
}

func ExampleDecode() {
	c := newContext()
	defer c.Close()
	o, _ := py.Eval[*py.Object](ctx, c, "{'a': 1}")
	defer o.Close()
	fmt.Println(py.Decode[map[string]float64](ctx, o))
	// Output: map[a:1] <nil>
}

// newObject evaluates an expression to an object, in a context that is closed by the function returned.
func newObject(expr string) (*py.Object, func() error) {
	c := newContext()
	o, err := py.Eval[*py.Object](ctx, c, expr)
	if err != nil {
		panic(err)
	}
	return o, c.Close
}

func ExampleObject_SetAttr() {
	o, done := newObject("__import__('types').SimpleNamespace(x=1)")
	defer done()
	fmt.Println(o.SetAttr(ctx, "x", 2))
	fmt.Println(o.Attr(ctx, "x"))
	// Output:
	// <nil>
	// 2 <nil>
}

func ExampleObject_DelAttr() {
	o, done := newObject("__import__('types').SimpleNamespace(x=1)")
	defer done()
	fmt.Println(o.DelAttr(ctx, "x"))
	fmt.Println(o.Repr(ctx))
	// Output:
	// <nil>
	// namespace() <nil>
}

func ExampleObject_HasAttr() {
	o, done := newObject("[]")
	defer done()
	fmt.Println(o.HasAttr(ctx, "append"))
	// Output: true <nil>
}

func ExampleObject_Item() {
	o, done := newObject("[1, 2, 3]")
	defer done()
	fmt.Println(o.Item(ctx, -1))
	fmt.Println(o.Item(ctx, py.Slice{Stop: 2}))
	// Output:
	// 3 <nil>
	// [1 2] <nil>
}

func ExampleItemOf() {
	o, done := newObject("{'a': [1, 2]}")
	defer done()
	fmt.Println(py.ItemOf[[]int](ctx, o, "a"))
	// Output: [1 2] <nil>
}

func ExampleObject_SetItem() {
	o, done := newObject("{}")
	defer done()
	fmt.Println(o.SetItem(ctx, "a", 1))
	fmt.Println(o.Value(ctx))
	// Output:
	// <nil>
	// map[a:1] <nil>
}

func ExampleObject_DelItem() {
	o, done := newObject("[1, 2, 3]")
	defer done()
	fmt.Println(o.DelItem(ctx, 0))
	fmt.Println(o.Value(ctx))
	// Output:
	// <nil>
	// [2 3] <nil>
}

func ExampleObject_Len() {
	o, done := newObject("'four'")
	defer done()
	fmt.Println(o.Len(ctx))
	// Output: 4 <nil>
}

func ExampleObject_Contains() {
	o, done := newObject("range(0, 10, 2)")
	defer done()
	fmt.Println(o.Contains(ctx, 4))
	// Output: true <nil>
}

func ExampleObject_Bool() {
	o, done := newObject("[]")
	defer done()
	fmt.Println(o.Bool(ctx))
	// Output: false <nil>
}

func ExampleObject_Compare() {
	o, done := newObject("{1, 2}")
	defer done()
	fmt.Println(o.Compare(ctx, "<", py.Set{1, 2, 3}))
	// Output: true <nil>
}

func ExampleObject_Equal() {
	o, done := newObject("1.0")
	defer done()
	fmt.Println(o.Equal(ctx, 1))
	// Output: true <nil>
}

func ExampleObject_Hash() {
	o, done := newObject("42")
	defer done()
	fmt.Println(o.Hash(ctx))
	// Output: 42 <nil>
}

func ExampleObject_Repr() {
	o, done := newObject("'text'")
	defer done()
	fmt.Println(o.Repr(ctx))
	// Output: 'text' <nil>
}

func ExampleObject_Str() {
	o, done := newObject("ValueError('too much')")
	defer done()
	fmt.Println(o.Str(ctx))
	// Output: too much <nil>
}

func ExampleObject_Dir() {
	o, done := newObject("__import__('types').SimpleNamespace(zz=1)")
	defer done()
	names, err := o.Dir(ctx)
	fmt.Println(names[len(names)-1], err)
	// Output: zz <nil>
}

func ExampleObject_IsInstance() {
	o, done := newObject("True")
	defer done()
	class, err := py.Eval[*py.Object](ctx, o.Context(), "int")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer class.Close()
	fmt.Println(o.IsInstance(ctx, class))
	// Output: true <nil>
}

func ExampleObject_Type() {
	o, done := newObject("1.5")
	defer done()
	class, err := o.Type(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer class.Close()
	fmt.Println(class.Attr(ctx, "__name__"))
	// Output: float <nil>
}

func ExampleObject_With() {
	o, done := newObject("__import__('tempfile').TemporaryFile('w+')")
	defer done()
	err := o.With(ctx, func(ctx context.Context, file *py.Object) error {
		n, err := py.CallMethod[int](ctx, file, "write", "some text")
		fmt.Println(n)
		return err
	})
	fmt.Println(err)
	fmt.Println(o.Attr(ctx, "closed"))
	// Output:
	// 9
	// <nil>
	// true <nil>
}

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
