package main

import (
	"os"
	"strings"
	"testing"

	"github.com/pycontext/py"
)

// TestUsage checks that what is wrong with a command line ends with status 2 and says what to do, before Python starts.
func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args string
		says string
	}{
		{"frob", `unknown command "frob"`},
		{"help frob", `unknown command "frob" for "pyctx"`},
		{"--frob", "unknown flag: --frob"},
		{"map", "name FILE.py:FUNC"},
		{"map items.py", `"items.py" is not FILE.py:FUNC`},
		{"map items.py:", `"items.py:" is not FILE.py:FUNC`},
		{"map :double", `":double" is not FILE.py:FUNC`},
		{"map none.py:double", "cannot read none.py: no such file"},
		{"map .:double", ". is a folder, not a Python file"},
		{"map items.py:double none.jsonl", "cannot read none.jsonl: no such file"},
		{"map items.py:double .", "use --files ./*"},
		{"map items.py:doubl items.py", "items.py has no function 'doubl'; did you mean 'double'?"},
		{"map items.py:Shop.cost items.py", "items.py has no function 'Shop.cost'"},
		{"map items.py:constant items.py", "'constant' in items.py is no function: it is of type int"},
		{"map items.py:waits items.py", "'waits' in items.py is an async function"},
		{"map items.py:streams items.py", "'streams' in items.py is an async function"},
		{"map items.py:yields items.py", "'yields' in items.py is a generator function, and an item has one result"},
		{"map --workers 0 items.py:double", "--workers is 0: it must be at least 1"},
		{"map --workers two items.py:double", `invalid argument "two" for --workers: it must be a whole number`},
		{"map --timeout 5 items.py:double", `missing unit in duration "5"`},
		{"map --timeout -5s items.py:double", "--timeout is -5s: it must not be negative"},
		{"map --mode thread items.py:double", "it must be worker, subinterp or owngil"},
		{"map --text --files items.py:double", "--text and --files exclude each other"},
		{"run", "name a FILE.py, -m MODULE or -c CODE"},
		{"run none.py", "cannot read none.py: no such file"},
		{"run -c", "flag needs an argument"},
		{"run --frob items.py", "unknown flag: --frob"},
		{"eval", "there is no expression"},
		{"eval 1 2", "there are 2 expressions"},
		{"eval -x", "an expression that begins with - goes behind --"},
		{"eval --var x 1", `--var "x" is not NAME=VALUE`},
		{"eval --var =x 1", `--var "=x" is not NAME=VALUE`},
		{"eval --var 1x=1 1", `--var "1x=1" is not NAME=VALUE`},
		{"doctor os/path", `"os/path" is no name of a module`},
		{"doctor --timeout 1 os", "missing unit in duration"},
		{"doctor --timeout 0s os", "--timeout is 0s: it must be more than 0"},
		{"bench --plot speed.png", "it must be the name of an .svg file"},
		{"bench --rows (", `--rows is "("`},
		{"bench x", `unknown command "x" for "pyctx bench"`},
		{"version 1", `unknown command "1" for "pyctx version"`},
	} {
		o := pyctx(t, strings.Fields(c.args)...)
		o.check(t, "", statusUsage, "pyctx: ", c.says)
		if strings.Contains(o.err, "Traceback") || strings.Count(o.err, "\n") > 2 {
			t.Errorf("pyctx %s is not short:\n%s", c.args, o.err)
		}
	}
}

func TestHelp(t *testing.T) {
	for args, says := range map[string]string{
		"":              "Available Commands:",
		"--help":        "Exit status:",
		"help map":      "pyctx map [flags] FILE.py:FUNC [INPUT...]",
		"map --help":    "--fail-fast",
		"run -h":        "pyctx run [flags] FILE.py [ARG...] | -m MODULE [ARG...] | -c CODE [ARG...]",
		"eval --help":   "--var NAME=VALUE",
		"doctor --help": "--json",
		"bench --help":  "--plot FILE.svg",
		"version":       "bundled CPython 3.",
		"--version":     "bundled CPython 3.",
	} {
		o := pyctx(t, strings.Fields(args)...)
		if o.status != 0 || o.err != "" || !strings.Contains(o.out, says) {
			t.Errorf("pyctx %s: got status %d, standard error %q, and output without %q:\n%s", args, o.status, o.err, says, o.out)
		}
		for _, line := range strings.Split(o.out, "\n") {
			if len(line) > 120 {
				t.Errorf("pyctx %s: a line of %d characters: %s", args, len(line), line)
			}
		}
	}
}

// TestNoPython checks --python with what is none.
func TestNoPython(t *testing.T) {
	for _, args := range []string{"eval 1", "map items.py:double", "run -c 1"} {
		o := pyctx(t, append([]string{"--python", "/no/python"}, strings.Fields(args)...)...)
		o.check(t, "", statusFailed, `pyctx: no usable Python: --python: "/no/python": no such file or folder`)
	}
	o := pyctx(t, "--python", "/no/python", "doctor")
	o.check(t, "No Python can be used:\nno usable Python: --python: \"/no/python\": no such file or folder\n", statusFailed)
}

// TestUnreadable checks that a file that may not be read is found out before Python starts.
func TestUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads every file")
	}
	file := folder(t, map[string]string{"secret.py": "def f(x): return x"}) + "/secret.py"
	if err := os.Chmod(file, 0); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"run", file}, {"map", file + ":f"}, {"map", "items.py:same", file}} {
		pyctx(t, args...).check(t, "", statusUsage, "pyctx: cannot read "+file+": permission denied\n")
	}
}

// TestNoThread checks that advice for programs is put in the words of the command.
func TestNoThread(t *testing.T) {
	_, err := py.New(t.Context(), py.Options{StackSize: 1 << 50})
	if err == nil {
		t.Fatal("a stack of a petabyte")
	}
	if text := message(err); !strings.Contains(text, "use fewer --workers") || strings.Contains(text, "Options") {
		t.Error(text)
	}
}

// TestFullDisk checks that what cannot be written is an error.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	for _, args := range [][]string{
		{"map", "items.py:double"}, {"doctor"}, {"doctor", "--json"}, {"version"}, {"--version"}, {}, {"--help"}, {"help"},
		{"help", "run"}, {"run", "--help"}, {"map", "-h"}, {"completion", "bash"}, {"completion", "zsh", "--help"}, {"__complete", "ru"},
	} {
		cmd := command(t, args...)
		cmd.Stdin, cmd.Stdout = strings.NewReader("1\n"), full
		o := finish(t, cmd)
		o.check(t, "", statusFailed, "no space left on device")
		if strings.Count(o.err, "no space left") != 1 {
			t.Errorf("pyctx %q says it more than once: %s", args, o.err)
		}
	}
	cmd := command(t, "eval", "1")
	cmd.Stdout = full
	if o := finish(t, cmd); o.status != statusFailed || o.err != "pyctx: cannot write the value: no space left on device\n" {
		t.Errorf("eval: got status %d and %q", o.status, o.err)
	}
	cmd = command(t, "run", "-c", "print(1)")
	cmd.Stdout = full
	if o := finish(t, cmd); o.status == 0 || !strings.Contains(o.err, "No space left on device") {
		t.Errorf("run: got status %d and %q", o.status, o.err)
	}
}
