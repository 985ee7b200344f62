package py_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

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
