package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lines is the numbers from 1 to n, as map puts them out.
func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, i+1)
	}
	return b.String()
}

func TestMap(t *testing.T) {
	dir := folder(t, map[string]string{"a.jsonl": "1\n2\n", "b.jsonl": "\ufeff3\r\n\n  \n4"})
	a, b := filepath.Join(dir, "a.jsonl"), filepath.Join(dir, "b.jsonl")
	for _, c := range []struct {
		name, stdin string
		args        []string
		out         string
	}{
		{"standard input", "1\n[2]\n\"x\"\n", []string{"items.py:double"}, "2\n[2,2]\n\"xx\"\n"},
		{"files", "", []string{"items.py:double", a, b}, "2\n4\n6\n8\n"},
		{"a file and standard input", "7\n", []string{"items.py:double", a, "-"}, "2\n4\n14\n"},
		{"nothing", "", []string{"items.py:double"}, ""},
		{"order and digits of JSON", `{"b":1,"a":12345678901234567890123,"é":1.50}` + "\n", []string{"items.py:same"},
			`{"b":1,"a":12345678901234567890123,"é":1.5}` + "\n"},
		{"half of a surrogate pair", `"\ud800"` + "\n", []string{"items.py:same"}, `"\ud800"` + "\n"},
		{"None", "null\n", []string{"items.py:same"}, "null\n"},
		{"text", "a b\n\n{é\n", []string{"--text", "items.py:upper"}, "\"A B\"\n\"{É\"\n"},
		{"file names", "", []string{"--files", "items.py:size", a}, fmt.Sprintf("[%q,4]\n", a)},
		{"file names on standard input", a + "\n" + b + "\n", []string{"--files", "items.py:size", "-"}, fmt.Sprintf("[%q,4]\n[%q,11]\n", a, b)},
		{"a dotted function", "\"tea\"\n", []string{"items.py:Shop.price"}, "3\n"},
		{"flags behind", "1\n", []string{"items.py:double", "-", "--workers", "1"}, "2\n"},
		{"worker mode", lines(50), []string{"--mode", "worker", "items.py:same"}, lines(50)},
		{"sub-interpreters", lines(50), []string{"--mode", "subinterp", "items.py:same"}, lines(50)},
	} {
		t.Run(c.name, func(t *testing.T) {
			pyctxWith(t, c.stdin, append([]string{"map"}, c.args...)...).check(t, c.out, 0, " 0 failed")
		})
	}
}

func TestMapOrder(t *testing.T) {
	in := lines(20000)
	pyctxWith(t, in, "map", "--workers", "4", "items.py:same").check(t, in, 0, "pyctx: 20000 items, 0 failed, ", " items/s")

	o := pyctxWith(t, in, "map", "--workers", "4", "--unordered", "items.py:same")
	got, want := strings.Split(o.out, "\n"), strings.Split(in, "\n")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || o.status != 0 {
		t.Errorf("--unordered: %d lines and status %d, want each of %d once, and 0", len(got), o.status, len(want))
	}
	for flag, want := range map[string]string{"--unordered=false": "1\n2\n", "--unordered": "2\n1\n"} {
		file := filepath.Join(t.TempDir(), "file")
		in := fmt.Sprintf("after %s\n%s\n", file, file)
		pyctxWith(t, in, "map", "--text", "--workers", "2", flag, "items.py:after").check(t, want, 0)
	}
}

// TestMapWorkers has items wait for each other in as many threads as there are to be, and counts them.
func TestMapWorkers(t *testing.T) {
	for n, flag := range map[int]string{1: "--workers=1", 3: "-j3"} {
		in := strings.Repeat(fmt.Sprintf("[%q,%d]\n", t.TempDir(), n), 30)
		o := pyctxWith(t, in, "map", flag, "items.py:meet")
		threads := strings.Fields(o.out)
		slices.Sort(threads)
		if got := len(slices.Compact(threads)); got != n {
			t.Errorf("%s: %d threads ran items; standard error:\n%s", flag, got, o.err)
		}
	}
}

func TestMapModes(t *testing.T) {
	// The main interpreter's lock is its own, too, and shared in that others use it.
	for mode, want := range map[string]string{"worker": "own", "subinterp": "shared", "owngil": "own", "": "own"} {
		args := []string{"map", "items.py:interpreter"}
		if mode != "" {
			args = append(args, "--mode", mode)
		}
		o := pyctxWith(t, "1\n", args...)
		var got [2]any
		if err := json.Unmarshal([]byte(o.out), &got); err != nil {
			t.Errorf("%s: %v\n%s", mode, err, o.err)
		} else if got[1] != want || (got[0] == 0.0) != (mode == "worker") {
			t.Errorf("mode %q: got interpreter %v with its lock %v, want %s", mode, got[0], got[1], want)
		}
	}
	// Each context has a module of its own, with a global of its own, also where interpreters are shared.
	o := pyctxWith(t, lines(40), "map", "--mode", "worker", "--workers", "1", "items.py:count")
	o.check(t, lines(40), 0)
}

func TestMapFailures(t *testing.T) {
	o := pyctxWith(t, lines(6), "map", "items.py:odd")
	o.check(t, "1\n3\n5\n", statusFailed, "pyctx: 6 items, 3 failed, ",
		"pyctx: <stdin>:2: ValueError: 2 is even\n  Traceback (most recent call last):\n    File \"",
		"items.py\", line 35, in odd\n      raise ValueError(f\"{x} is even\")\n  ValueError: 2 is even\n",
		"pyctx: <stdin>:4: ValueError: 4 is even", "pyctx: <stdin>:6: ValueError: 6 is even")
	if strings.Contains(o.err, "<pyctx>") {
		t.Errorf("frames that are not the user's:\n%s", o.err)
	}

	pyctxWith(t, "1\n", "map", "items.py:deep").check(t, "", statusFailed, // each frame with its own line
		", in deep\n      return odd(x + 1)\n", ", in odd\n      raise ValueError(f\"{x} is even\")\n")

	dir := folder(t, map[string]string{"in.jsonl": "1\n[1\n{\"a\":}\nNaN\n\xff\n2\n"})
	in := filepath.Join(dir, "in.jsonl")
	pyctx(t, "map", "items.py:same", in).check(t, "1\n2\n", statusFailed, "6 items, 4 failed",
		in+":2:3: the input is not JSON: Expecting ',' delimiter",
		in+":3:6: the input is not JSON: Expecting value",
		in+":4: the input is not JSON: NaN is not a JSON value",
		in+":5: the input is not UTF-8: invalid start byte at byte 1")

	for _, c := range []struct{ function, says string }{
		{"a_set", "<stdin>:1: the result is not JSON: Object of type set is not JSON serializable"},
		{"leaves", "<stdin>:1: SystemExit: 1"},
		{"needs_readline", "the module does not load in mode owngil: use --mode worker"},
	} {
		pyctxWith(t, "1\n", "map", "items.py:"+c.function).check(t, "", statusFailed, c.says, "1 item, 1 failed")
	}
	pyctx(t, "map", "--files", "items.py:size", "none").check(t, "", statusFailed, "pyctx: none: FileNotFoundError: ")
	o = pyctxWith(t, "1\n", "map", "items.py:wants_two")
	if o.check(t, "", statusFailed); strings.Count(o.err, "TypeError: wants_two() missing 1 required positional argument: 'y'\n") != 1 {
		t.Errorf("not said once:\n%s", o.err)
	}
}

func TestMapFailFast(t *testing.T) {
	in := "1\n3\n5\n6\n7\n8\n"
	pyctxWith(t, in, "map", "--fail-fast", "items.py:odd").check(t, "1\n3\n5\n", statusFailed, "<stdin>:4: ValueError: 6 is even")
	o := pyctxWith(t, in, "map", "--fail-fast", "--workers", "1", "items.py:odd")
	o.check(t, "1\n3\n5\n", statusFailed, "<stdin>:4: ValueError: 6 is even", "4 items, 1 failed, ")
	if strings.Contains(o.err, "<stdin>:6") {
		t.Errorf("an item behind the one that failed is reported:\n%s", o.err)
	}
	// What runs before the one that fails goes on, what runs behind it is stopped.
	o = pyctxWith(t, "0\n1\n2\n3\n", "map", "--fail-fast", "--workers", "3", "items.py:rough")
	o.check(t, "0\n", statusFailed, "<stdin>:2: ValueError: 1", ", 1 failed, ")
}

func TestMapTimeout(t *testing.T) {
	o := pyctxWith(t, lines(5), "map", "--timeout", "1s", "--workers", "1", "items.py:spins")
	o.check(t, "1\n3\n4\n5\n", statusFailed, "pyctx: <stdin>:2: no result within the timeout of 1s\n", "5 items, 1 failed")

	// Code in C is left behind, and code that catches everything.
	for _, function := range []string{"sleeps", "stubborn"} {
		o = pyctxWith(t, lines(5), "map", "--timeout", "1s", "--workers", "1", "items.py:"+function)
		o.check(t, "1\n3\n4\n5\n", statusFailed, "<stdin>:2: no result within the timeout of 1s",
			"a context is still busy, in C code or in Python code that stops at nothing, 2s after its item's timeout; another takes its place")
	}
}

func TestMapPrints(t *testing.T) {
	o := pyctxWith(t, "1\n2\n", "map", "--workers", "1", "items.py:chatty")
	o.check(t, "1\n2\n", 0, "about 1\nmore about 2\n", "\nmore \n")
	if pyctxWith(t, "1\n", "map", "--quiet", "items.py:same").err != "" {
		t.Error("--quiet is not")
	}
	pyctxWith(t, "1\n", "map", "items.py:reads").check(t, "\"\"\n", 0) // standard input is the items'
	pyctxWith(t, "1\n2\n3\n", "map", "--workers", "1", "items.py:starts").check(t, "1\n2\n3\n", 0, "from a child\nfrom C\n")
	pyctxWith(t, "1\n2\n", "map", "items.py:prints_bytes").check(t, "1\n2\n", 0, "bytes: é\n", "wrapped\n", "from another\n")
}

func TestMapFileDoesNotLoad(t *testing.T) {
	dir := folder(t, map[string]string{
		"syntax.py":  "def f(x):\n    return (\n",
		"raises.py":  "def g():\n    raise KeyError('k')\n\ng()\n",
		"missing.py": "import no_such_module\n",
		"refused.py": "import readline\n",
		"exits.py":   "import sys\nsys.exit(0)\n",
	})
	for file, says := range map[string][]string{
		"syntax.py":  {"syntax.py cannot be loaded:\n", "syntax.py\", line 2\n    return (\n           ^\nSyntaxError: '(' was never closed"},
		"raises.py":  {"line 4, in <module>\n    g()\n", "line 2, in g\n", "KeyError: 'k'"},
		"missing.py": {"ModuleNotFoundError: No module named 'no_such_module'", "it is not installed in this Python"},
		"refused.py": {"module readline does not support loading in subinterpreters", "use --mode worker"},
		"exits.py":   {"SystemExit: 0"},
	} {
		o := pyctxWith(t, "1\n", "map", filepath.Join(dir, file)+":f")
		o.check(t, "", statusFailed, says...)
		if strings.Contains(o.err, "frozen") || strings.Contains(o.err, "<pyctx>") {
			t.Errorf("%s: frames that are not the user's:\n%s", file, o.err)
		}
		o = pyctx(t, "map", filepath.Join(dir, file)+":f") // also without any input
		o.check(t, "", statusFailed, says...)
	}
}

// TestMapModule checks what a file finds around it: its own name, and its neighbours.
func TestMapModule(t *testing.T) {
	dir := folder(t, map[string]string{
		"neighbour.py": "value = 41\n",
		"main.py": `
import dataclasses, os, pickle, neighbour

@dataclasses.dataclass
class D:
    x: int

def f(x):
    os.chdir("/")
    again = pickle.loads(pickle.dumps(D(x)))
    return [again.x + neighbour.value, __name__, os.path.exists(__file__)]
`,
	})
	cmd := command(t, "map", "main.py:f")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader("1\n")
	finish(t, cmd).check(t, "[42,\"main\",true]\n", 0)
}

// TestMapOddName takes a file whose name is not UTF-8, where the file system has such.
func TestMapOddName(t *testing.T) {
	file := filepath.Join(t.TempDir(), "\xff.py")
	if err := os.WriteFile(file, []byte("def f(x): return ascii(__file__)[-10:]"), 0o600); err != nil {
		t.Skip(err)
	}
	pyctxWith(t, "1\n", "map", file+":f").check(t, `"\\udcff.py'"`+"\n", 0)
	pyctxWith(t, "1\n", "map", file+":\xff").check(t, "", statusUsage, `has no function '\udcff'`)
}

// leavesMuch has something to be done at the end of its process.
const leavesMuch = `
import atexit, threading, time

left = open("left.txt", "a")
atexit.register(lambda: print("at exit"))

def f(x):
    threading.Thread(target=lambda: (time.sleep(0.1), print("thread", x))).start()
    left.write(f"{x}\n")
    return x
`

// TestMapEnds checks that what a Python process does at its end is done: threads are waited for, exit functions run, and
// files are written.
func TestMapEnds(t *testing.T) {
	dir := folder(t, map[string]string{"main.py": leavesMuch})
	for _, mode := range []string{"worker", "subinterp", "owngil"} {
		cmd := command(t, "map", "--workers", "1", "--mode", mode, "main.py:f")
		cmd.Dir, cmd.Stdin = dir, strings.NewReader("1\n2\n")
		finish(t, cmd).check(t, "1\n2\n", 0, "thread 1\n", "thread 2\n", "at exit\n")
		text, err := os.ReadFile(filepath.Join(dir, "left.txt"))
		if err != nil || string(text) != "1\n2\n" {
			t.Errorf("%s: the file that was left open has %q, %v", mode, text, err)
		}
		os.Remove(filepath.Join(dir, "left.txt"))
	}
}
