package py_test

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

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
