package py_test

import (
	"errors"
	"fmt"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

func ExampleLend() {
	c := newContext()
	defer c.Close()
	data := make([]byte, 64<<20)
	fmt.Println(py.Call[int](ctx, c, "zlib", "crc32", py.Lend(data)))
	err := c.Exec(ctx, "part = view[1:]", py.Vars{"view": py.Lend(data)})
	fmt.Println(errors.Is(err, py.Exception("BufferError")))
	// Output:
	// 3001757933 <nil>
	// true
}

func ExampleLendWritable() {
	c := newContext()
	defer c.Close()
	samples := []float64{1, 2, 3}
	err := c.Exec(ctx, "for i, x in enumerate(samples): samples[i] = x * x", py.Vars{"samples": py.LendWritable(samples)})
	fmt.Println(samples, err)
	// Output: [1 4 9] <nil>
}

func ExampleView() {
	c := newContext()
	defer c.Close()
	o, err := py.Eval[*py.Object](ctx, c, "memoryview(__import__('array').array('d', [1, 2, 3, 4, 5, 6])).cast('B').cast('d', [2, 3])")
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := py.View[float64](ctx, o)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	data, err := b.Data() // Python's memory
	fmt.Println(b.Shape(), data, b.At(1, 2), err)
	_, err = py.View[int32](ctx, o)
	fmt.Println(err)
	// Output:
	// [2 3] [1 2 3 4 5 6] 6 <nil>
	// py: view: the memory holds items of format "d", 8 bytes each, and a Go int32 is something else: use a float64
}

func ExampleBuffer_Copy() {
	c := newContext()
	defer c.Close()
	o, _ := py.Eval[*py.Object](ctx, c, "memoryview(bytes(range(10)))[::3]")
	b, err := py.View[byte](ctx, o)
	if err != nil {
		fmt.Println(err)
		return
	}
	items, err := b.Copy() // any strides
	b.Close()
	fmt.Println(b.Strides(), b.ReadOnly(), items, err)
	// Output: [3] true [0 3 6 9] <nil>
}

func ExampleMemory() {
	c := newContext()
	defer c.Close()
	parts := []py.Memory{py.Lend([]int{1, 2}), py.Lend([]int{3})}
	fmt.Println(py.Eval[int](ctx, c, "sum(sum(p) for p in parts)", py.Vars{"parts": parts}))
	// Output: 6 <nil>
}

func ExampleArray() {
	c := newContext()
	defer c.Close()
	a, err := py.Eval[py.Array[float64]](ctx, c, "memoryview(bytes(range(6))).cast('B', [2, 3])")
	fmt.Println(a.Shape, a.Data, err)
	_, err = c.Call(ctx, "numpy", "linalg.inv", py.Array[float64]{Shape: []int{2, 2}, Data: []float64{1, 2, 3, 4}})
	if errors.Is(err, py.Exception("ImportError")) {
		fmt.Println("numpy is not installed")
	}
	// Output:
	// [2 3] [0 1 2 3 4 5] <nil>
	// numpy is not installed
}

func ExampleElement() {
	fmt.Println(identity[float32](2).Data)
	// Output: [1 0 0 1]
}

func identity[T interface {
	py.Element
	float32 | float64
}](n int) py.Array[T] {
	a := py.Array[T]{Shape: []int{n, n}, Data: make([]T, n*n)}
	for i := range n {
		a.Data[i*n+i] = 1
	}
	return a
}

func ExampleNumber() {
	lend := func(temperatures []celsius) py.Memory { return py.Lend(temperatures) }
	fmt.Println(lend([]celsius{20.5}))
	// Output: <1 items of format f>
}

type celsius float32
