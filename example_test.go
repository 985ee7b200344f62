package py_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math/big"
	"os"
	"slices"
	"strings"
	"time"

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

// Starting

func ExampleStart() {
	// Before the first New, to say which Python, and what it sees of the process.
	err := py.Start(py.Config{
		Python: "/opt/app/venv",
		Args:   []string{"job", "--fast"},
		Paths:  []string{"/opt/app/python"},
		Stdout: os.Stderr,
	})
	if err != nil {
		fmt.Println(err)
	}
}

func ExampleConfig() {
	// Output of Python into a variable, for a test.
	var printed strings.Builder
	if err := py.Start(py.Config{Stdout: &printed, Stderr: &printed}); err != nil {
		fmt.Println(err)
	}
}

func ExampleInfo() {
	info, err := py.Info()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.HasPrefix(info.Version, "3."), slices.Contains(info.Modes, py.Worker))
	// Output: true true
}

func ExampleRuntimeInfo() {
	info, _ := py.Info()
	fmt.Printf("CPython %s from %s: %s, modes %v\n", info.Version, info.Source, info.Library, info.Modes)
	if info.FreeThreaded {
		fmt.Println("all modes run in parallel")
	}
}

func ExampleLive() {
	before := py.Live()
	c := newContext()
	fmt.Println(py.Live().Threads - before.Threads)
	c.Close()
	fmt.Println(py.Live().Threads - before.Threads)
	// Output:
	// 1
	// 0
}

func ExampleCounts() {
	c := newContext()
	defer c.Close()
	before := py.Live().References
	o, _ := py.Eval[*py.Object](ctx, c, "[1, 2]")
	defer o.Close()
	fmt.Println(py.Live().References - before)
	// Output: 1
}

// Contexts and modes

func ExampleNew() {
	c, err := py.New(ctx, py.Options{Mode: py.Subinterp, Name: "reports"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	fmt.Println(c, c.Mode(), c.Err())
	// Output: reports subinterp <nil>
}

func ExampleOptions() {
	c, err := py.New(ctx, py.Options{
		Preload:   "import math\ndef area(r):\n    return math.pi * r * r",
		Grace:     time.Second,
		StackSize: 16 << 20,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	area, err := py.Call[float64](ctx, c, "__main__", "area", 2)
	fmt.Printf("%.2f %v\n", area, err)
	// Output: 12.57 <nil>
}

func ExampleMode() {
	// Parallel where the Python at hand can do it.
	c, err := py.New(ctx, py.Options{Mode: py.OwnGIL})
	if errors.Is(err, py.ErrUnsupportedMode) {
		c, err = py.New(ctx, py.Options{Mode: py.Worker})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Close())
	// Output: <nil>
}

func ExampleMode_String() {
	fmt.Println(py.Worker, py.Subinterp, py.OwnGIL)
	// Output: worker subinterp owngil
}

func ExampleParseMode() {
	mode, err := py.ParseMode("owngil")
	fmt.Println(mode == py.OwnGIL, err)
	_, err = py.ParseMode("fast")
	fmt.Println(err)
	// Output:
	// true <nil>
	// py: unknown mode "fast": it must be worker, subinterp or owngil
}

func ExampleContext() {
	c := newContext()
	defer c.Close()
	// Requests of all goroutines run on one thread, one after the other.
	c.Exec(ctx, "import threading, sqlite3\ndb = sqlite3.connect(':memory:')\ndb.execute('create table t (n)')")
	done := make(chan error)
	for n := range 10 {
		go func() { done <- c.Exec(ctx, "db.execute('insert into t values (?)', (n,))", py.Vars{"n": n}) }()
	}
	for range 10 {
		if err := <-done; err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(py.Eval[int](ctx, c, "db.execute('select sum(n) from t').fetchone()[0]"))
	// Output: 45 <nil>
}

func ExampleContext_ID() {
	a, b := newContext(), newContext()
	defer a.Close()
	defer b.Close()
	fmt.Println(a.ID() == b.ID())
	// Output: false
}

func ExampleContext_Name() {
	c, err := py.New(ctx, py.Options{Name: "mail"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	fmt.Println(c.Name(), c.String())
	// Output: mail mail
}

func ExampleContext_InterpreterID() {
	c := newContext()
	defer c.Close()
	fmt.Println(c.Mode(), c.InterpreterID(), c.IsSubinterp())
	// Output: worker 0 false
}

func ExampleContext_IsSubinterp() {
	c, err := py.New(ctx, py.Options{Mode: py.Subinterp})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	fmt.Println(c.IsSubinterp(), c.InterpreterID() > 0)
	// Output: true true
}

func ExampleContext_Mode() {
	c := newContext()
	defer c.Close()
	fmt.Println(c.Mode())
	// Output: worker
}

func ExampleContext_String() {
	c, err := py.New(ctx, py.Options{Name: "mail"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	fmt.Println("in", c)
	// Output: in mail
}

func ExampleContext_Close() {
	c := newContext()
	if err := c.Close(); errors.Is(err, py.ErrStuck) {
		fmt.Println("code in C does not come back:", err)
	}
	_, err := c.Eval(ctx, "1+1")
	fmt.Println(errors.Is(err, py.ErrClosed))
	// Output: true
}

func ExampleContext_Shutdown() {
	c := newContext()
	c.Register("started", func() { go c.Shutdown(ctx) })
	err := c.Exec(ctx, "import go, time\ngo.started()\ntime.sleep(0.05)")
	fmt.Println("the request under way:", err)
	<-c.Done()
	// Output: the request under way: <nil>
}

func ExampleContext_Done() {
	parent, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := py.New(parent, py.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	cancel()
	<-c.Done() // its thread and interpreter are gone
	fmt.Println(errors.Is(c.Err(), context.Canceled))
	// Output: true
}

func ExampleContext_Err() {
	c := newContext()
	fmt.Println(c.Err())
	c.Close()
	fmt.Println(errors.Is(c.Err(), py.ErrClosed))
	// Output:
	// <nil>
	// true
}

func ExampleContext_Interrupt() {
	c := newContext()
	defer c.Close()
	fmt.Println("idle:", c.Interrupt())
	c.Register("running", func() { go c.Interrupt() })
	err := c.Exec(ctx, "import go\ngo.running()\nwhile True: pass")
	fmt.Println("busy:", errors.Is(err, py.ErrInterrupted))
	// Output:
	// idle: false
	// busy: true
}

// Requests

func ExampleContext_Call() {
	c := newContext()
	defer c.Close()
	fmt.Println(c.Call(ctx, "json", "dumps", []any{1, nil}, py.Kw{"separators": py.Tuple{",", ":"}}))
	fmt.Println(c.Call(ctx, "datetime", "date.fromisoformat", "no date"))
	// Output:
	// [1,null] <nil>
	// <nil> ValueError: Invalid isoformat string: 'no date'
}

func ExampleContext_Eval() {
	c := newContext()
	defer c.Close()
	fmt.Println(c.Eval(ctx, "[x * y for y in ys]", py.Vars{"x": 2, "ys": []int{1, 2, 3}}))
	// Output: [2 4 6] <nil>
}

func ExampleContext_Exec() {
	c := newContext()
	defer c.Close()
	fmt.Println(c.Exec(ctx, "from math import gcd\nresult = gcd(a, b)", py.Vars{"a": 12, "b": 18}))
	fmt.Println(c.Eval(ctx, "result"))
	// Output:
	// <nil>
	// 6 <nil>
}

func ExampleCall() {
	c := newContext()
	defer c.Close()
	fmt.Println(py.Call[float64](ctx, c, "math", "sqrt", 16))
	fmt.Println(py.Call[int8](ctx, c, "math", "factorial", 20))
	// Output:
	// 4 <nil>
	// 0 py: result: 2432902008176640000 does not fit int8
}

func ExampleEval() {
	type point struct {
		X, Y float64
		Name string `py:"name"`
	}
	c := newContext()
	defer c.Close()
	points, err := py.Eval[[]point](ctx, c, "[{'X': 1, 'Y': 2.5, 'name': 'a'}]")
	fmt.Printf("%+v %v\n", points, err)
	// Output: [{X:1 Y:2.5 Name:a}] <nil>
}

func ExampleRunner() {
	count := func(r py.Runner, text string) (map[string]int, error) {
		return py.Call[map[string]int](ctx, r, "collections", "Counter", strings.Fields(text))
	}
	c := newContext()
	defer c.Close()
	fmt.Println(count(c, "a b a"))
	// Output: map[a:2 b:1] <nil>
}

func ExampleKw() {
	c := newContext()
	defer c.Close()
	fmt.Println(c.Call(ctx, "builtins", "sorted", []int{2, 3, 1}, py.Kw{"reverse": true}))
	// Output: [3 2 1] <nil>
}

func ExampleVars() {
	c := newContext()
	defer c.Close()
	fmt.Println(c.Eval(ctx, "(lambda: name.upper())()", py.Vars{"name": "ann"}))
	_, err := c.Eval(ctx, "name") // it was for that expression alone
	fmt.Println(err)
	// Output:
	// ANN <nil>
	// NameError: name 'name' is not defined
}

// Envs

func ExampleContext_NewEnv() {
	c := newContext()
	defer c.Close()
	a, _ := c.NewEnv(ctx)
	defer a.Close()
	b, _ := c.NewEnv(ctx)
	defer b.Close()
	a.Exec(ctx, "x = 1")
	b.Exec(ctx, "x = 2")
	fmt.Println(a.Eval(ctx, "x"))
	fmt.Println(b.Eval(ctx, "x"))
	// Output:
	// 1 <nil>
	// 2 <nil>
}

func ExampleEnv() {
	c, err := py.New(ctx, py.Options{Preload: "total = 0\ndef add(n):\n    global total\n    total += n\n    return total"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	user, _ := c.NewEnv(ctx)
	defer user.Close()
	user.Call(ctx, "__main__", "add", 2)
	fmt.Println(user.Call(ctx, "__main__", "add", 3))
	fmt.Println(c.Eval(ctx, "total"))
	// Output:
	// 5 <nil>
	// 0 <nil>
}

func ExampleEnv_Call() {
	c := newContext()
	defer c.Close()
	e, _ := c.NewEnv(ctx)
	defer e.Close()
	e.Exec(ctx, "def double(n): return 2 * n")
	fmt.Println(e.Call(ctx, "__main__", "double", 21))
	// Output: 42 <nil>
}

func ExampleEnv_Eval() {
	c := newContext()
	defer c.Close()
	e, _ := c.NewEnv(ctx)
	defer e.Close()
	fmt.Println(e.Eval(ctx, "a + 1", py.Vars{"a": 1}))
	// Output: 2 <nil>
}

func ExampleEnv_Exec() {
	c := newContext()
	defer c.Close()
	e, _ := c.NewEnv(ctx)
	defer e.Close()
	fmt.Println(e.Exec(ctx, "a = 1"))
	fmt.Println(py.Eval[int](ctx, e, "a"))
	// Output:
	// <nil>
	// 1 <nil>
}

func ExampleEnv_Close() {
	c := newContext()
	defer c.Close()
	e, _ := c.NewEnv(ctx)
	e.Close()
	fmt.Println(errors.Is(e.Exec(ctx, "a = 1"), py.ErrClosed))
	// Output: true
}

func ExampleEnv_Context() {
	c := newContext()
	defer c.Close()
	e, _ := c.NewEnv(ctx)
	defer e.Close()
	fmt.Println(e.Context() == c)
	// Output: true
}

// Objects

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

// Large data

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

// Values

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

// Values of the standard library

func ExampleDate() {
	c := newContext()
	defer c.Close()
	d, err := py.Call[py.Date](ctx, c, "datetime", "date.fromisoformat", "2024-02-29")
	fmt.Println(d.Year, d.Month, d.Day, err)
	// Output: 2024 February 29 <nil>
}

func ExampleTimeOfDay() {
	c := newContext()
	defer c.Close()
	fmt.Println(py.Eval[string](ctx, c, "t.isoformat()", py.Vars{"t": py.TimeOfDay{Hour: 9, Minute: 30}}))
	// Output: 09:30:00 <nil>
}

func ExampleDateTime() {
	c := newContext()
	defer c.Close()
	// A datetime without a time zone; one with a time zone is a time.Time.
	d := py.DateTime{Date: py.Date{Year: 2024, Month: time.February, Day: 29}, TimeOfDay: py.TimeOfDay{Hour: 12}}
	fmt.Println(py.Eval[string](ctx, c, "str(d)", py.Vars{"d": d}))
	fmt.Println(py.Eval[string](ctx, c, "str(d)", py.Vars{"d": d.In(time.UTC)}))
	// Output:
	// 2024-02-29 12:00:00 <nil>
	// 2024-02-29 12:00:00+00:00 <nil>
}

func ExampleDateTime_In() {
	// An hour that clocks in Central Europe show twice.
	d := py.DateTime{Date: py.Date{Year: 2024, Month: time.October, Day: 27}, TimeOfDay: py.TimeOfDay{Hour: 2, Minute: 30}}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		berlin = time.FixedZone("CEST", 2*3600) // no time zones on this machine
	}
	fmt.Println(d.In(berlin).UTC().Format(time.TimeOnly))
	// Output: 00:30:00
}

func ExampleDateTimeOf() {
	d := py.DateTimeOf(time.Date(2024, 2, 29, 12, 0, 0, 1500, time.UTC))
	fmt.Println(d.Day, d.Hour, d.Microsecond)
	// Output: 29 12 1
}

func ExampleDecimal() {
	c := newContext()
	defer c.Close()
	price, err := py.Eval[py.Decimal](ctx, c, "price * 3", py.Vars{"price": py.Decimal("1.10")})
	fmt.Println(price, err)
	exact, err := py.Eval[*big.Rat](ctx, c, "price", py.Vars{"price": price})
	fmt.Println(exact, err)
	// Output:
	// 3.30 <nil>
	// 33/10 <nil>
}

func ExampleUUID() {
	c := newContext()
	defer c.Close()
	id, err := py.Call[py.UUID](ctx, c, "uuid", "uuid5", py.UUID{}, "name")
	fmt.Println(id, err)
	// Output: 9ced7028-3599-573c-90ef-9590f243b9b3 <nil>
}

func ExampleUUID_String() {
	fmt.Println(py.UUID{0: 0x12, 15: 0x34}.String())
	// Output: 12000000-0000-0000-0000-000000000034
}

func ExamplePath() {
	c := newContext()
	defer c.Close()
	fmt.Println(py.Eval[py.Path](ctx, c, "p / 'b.txt'", py.Vars{"p": py.Path("/a")}))
	// Output: /a/b.txt <nil>
}

func ExampleRange() {
	c := newContext()
	defer c.Close()
	fmt.Println(py.Eval[py.Range](ctx, c, "range(0, 10, 3)"))
	fmt.Println(py.Eval[[]int](ctx, c, "range(0, 10, 3)"))
	// Output:
	// {0 10 3} <nil>
	// [0 3 6 9] <nil>
}

func ExampleSlice() {
	c := newContext()
	defer c.Close()
	fmt.Println(py.Eval[string](ctx, c, "'abcdef'[s]", py.Vars{"s": py.Slice{Stop: 5, Step: 2}}))
	// Output: ace <nil>
}

func ExampleByteArray() {
	c := newContext()
	defer c.Close()
	b, err := py.Eval[py.ByteArray](ctx, c, "b.upper()", py.Vars{"b": py.ByteArray("abc")})
	fmt.Println(string(b), err)
	// Output: ABC <nil>
}

func ExampleConversionError() {
	c := newContext()
	defer c.Close()
	_, err := c.Call(ctx, "builtins", "print", map[string]any{"items": []any{1, uintptr(2)}})
	var misfit *py.ConversionError
	fmt.Println(errors.As(err, &misfit), py.SafeToRetry(err))
	fmt.Println(misfit.Place)
	fmt.Println(err)
	// Output:
	// true true
	// args[0]["items"][1]
	// py: args[0]["items"][1]: a Go uintptr has no Python counterpart
}

func ExampleConversionError_Error() {
	c := newContext()
	defer c.Close()
	_, err := py.Eval[int](ctx, c, "2.5")
	fmt.Println(err)
	// Output: py: result: expected int, got float
}

func ExampleConversionError_Unwrap() {
	a, b := newContext(), newContext()
	defer a.Close()
	defer b.Close()
	o, _ := py.Eval[*py.Object](ctx, a, "[]")
	defer o.Close()
	_, err := b.Call(ctx, "builtins", "len", o)
	var misfit *py.ConversionError
	fmt.Println(errors.As(err, &misfit), errors.Is(misfit.Unwrap(), py.ErrWrongContext))
	// Output: true true
}

// Callbacks

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

// Errors

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
	// ZeroDivisionError: division by zero
	//
	// The above exception was the direct cause of the following exception:
	//
	// Traceback (most recent call last):
	//   File "<string>", line 5, in <module>
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

// Attach

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

func ExampleWithTimes() {
	c, err := py.New(context.Background(), py.Options{})
	if err != nil {
		panic(err)
	}
	defer c.Close()
	ctx, times := py.WithTimes(context.Background())
	if _, err := c.Call(ctx, "time", "sleep", 0.05); err != nil {
		panic(err)
	}
	t := times()
	fmt.Println(t.Requests, t.Running > t.Queued+t.Lock+t.Callbacks)
	// Output: 1 true
}

func ExampleContext_Times() {
	c, err := py.New(context.Background(), py.Options{Profile: true})
	if err != nil {
		panic(err)
	}
	defer c.Close()
	for range 3 {
		if _, err := c.Call(context.Background(), "math", "sqrt", 2); err != nil {
			panic(err)
		}
	}
	fmt.Println(c.Times().Requests)
	// Output: 3
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
