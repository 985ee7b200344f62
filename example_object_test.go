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
