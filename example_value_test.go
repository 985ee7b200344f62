package py_test

import (
	"fmt"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

func ExampleTuple() {
	c := newContext()
	defer c.Close()
	fmt.Println(c.Eval(ctx, "'%s is %d' % t", py.Vars{"t": py.Tuple{"Ann", 7}}))
	// Output: Ann is 7 <nil>
}

func ExampleSet() {
	c := newContext()
	defer c.Close()
	fmt.Println(c.Eval(ctx, "sorted(a | b)", py.Vars{"a": py.Set{1, 2}, "b": map[int]struct{}{3: {}}}))
	// Output: [1 2 3] <nil>
}

func ExampleFrozenSet() {
	c := newContext()
	defer c.Close()
	fmt.Println(c.Eval(ctx, "{f: 'a key'}[frozenset([1])]", py.Vars{"f": py.FrozenSet{1}}))
	// Output: a key <nil>
}

func ExampleDict() {
	c := newContext()
	defer c.Close()
	v, err := c.Eval(ctx, "{(0, 1): 'a', (1, 0): 'b'}")
	fmt.Printf("%T %v %v\n", v, v, err)
	fmt.Println(c.Eval(ctx, "list(d)", py.Vars{"d": py.Dict{{Key: "z", Value: 1}, {Key: "a", Value: 2}}}))
	// Output:
	// py.Dict [{[0 1] a} {[1 0] b}] <nil>
	// [z a] <nil>
}

func ExampleDict_Value() {
	d := py.Dict{{Key: py.Tuple{0, 1}, Value: "a"}, {Key: "x", Value: 5}}
	fmt.Println(d.Value("x"))
	// Output: 5 true
}

func ExampleItem() {
	c := newContext()
	defer c.Close()
	d, _ := py.Eval[py.Dict](ctx, c, "{'z': 1, 'a': 2}")
	for _, item := range d {
		fmt.Println(item.Key, item.Value)
	}
	// Output:
	// z 1
	// a 2
}
