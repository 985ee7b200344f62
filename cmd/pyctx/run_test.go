package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

const forks = `
import atexit, os, sys, warnings

warnings.simplefilter("ignore")
atexit.register(lambda: print("at exit", flush=True))
for ending in "exit", "raise", "end":
    child = os.fork()
    if child == 0:
        if ending == "exit":
            sys.exit(3)
        if ending == "raise":
            raise ValueError
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit(7)
`

const forked = "at exit\n3\nat exit\n1\nat exit\n0\nat exit\n"

func TestRun(t *testing.T) {
	dir := folder(t, map[string]string{
		"script.py": "import sys\nprint(sys.argv, __name__, __file__ == sys.argv[1], sys.path[0] == sys.argv[2])\n",
		"mod.py":    "import sys\nprint(sys.argv[1:], __name__, sys.argv[0] == __file__)\n",
		"forks.py":  forks,
		"raises.py": "def f():\n    return 1 / 0\n\nf()\n",
		"none.pyc":  "print(1)",
	})
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	main := "import sys; print(sys.argv, __name__)\n"
	if err := os.WriteFile(filepath.Join(dir, "folder", "__main__.py"), []byte(main), 0o600); err != nil {
		t.Fatal(err)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(real, "script.py")
	cmd := command(t, "run", "-c", "import py_compile\nfor name in 'script.pyc', 'script': py_compile.compile('script.py', name)")
	cmd.Dir = dir
	finish(t, cmd).check(t, "", 0)
	for _, c := range []struct {
		name, stdin, out string
		status           int
		args             []string
		err              []string
	}{
		{name: "file", args: []string{"script.py", script, real, "-x", "--help", "--", "a b"},
			out: "['script.py', '" + script + "', '" + real + "', '-x', '--help', '--', 'a b'] __main__ True True\n"},
		{name: "file behind --", args: []string{"--", "script.py", script, real}, out: "['script.py', '" + script + "', '" + real + "'] __main__ True True\n"},
		{name: "module", args: []string{"-m", "mod", "-m", "a"}, out: "['-m', 'a'] __main__ True\n"},
		{name: "module in one word", args: []string{"-mmod", "-x"}, out: "['-x'] __main__ True\n"},
		{name: "code", args: []string{"-c", main, "-c", "x"}, out: "['-c', '-c', 'x'] __main__\n"},
		{name: "folder", args: []string{"folder", "a"}, out: "['folder', 'a'] __main__\n"},
		{name: "bytecode", args: []string{"script.pyc", filepath.Join(real, "script.pyc"), real},
			out: "['script.pyc', '" + filepath.Join(real, "script.pyc") + "', '" + real + "'] __main__ True True\n"},
		{name: "bytecode of another name", args: []string{"script", filepath.Join(real, "script"), real},
			out: "['script', '" + filepath.Join(real, "script") + "', '" + real + "'] __main__ True True\n"},
		{name: "no bytecode", args: []string{"none.pyc"}, status: 1, err: []string{"ImportError: bad magic number in '__main__'"}},
		{name: "standard input", args: []string{"-", "a"}, stdin: main, out: "['-', 'a'] __main__\n"},
		{name: "input", args: []string{"-c", "print(input().upper())"}, stdin: "ada\n", out: "ADA\n"},
		{name: "streams", args: []string{"-c", "import sys; print('é', flush=True); sys.stderr.write('ü'); sys.stdout.buffer.write(b'\\xff')"},
			out: "é\n\xff", err: []string{"ü"}},
		{name: "errors that have nowhere to go", args: []string{"--mode", "owngil", "-c",
			"import builtins\nclass D:\n  def __init__(self, e): self.e = e\n  def __del__(self): raise self.e\nD(KeyError('at once'))\nbuiltins.kept = D(ValueError('at the end'))"},
			err: []string{", line 4, in __del__\n", "\nKeyError: 'at once'\n", "\nValueError: at the end\n"}},
		{name: "another interpreter", args: []string{"--mode", "owngil", "-c", "import sys; sys.exit(3)"}, status: 3},
		{name: "exit 0", args: []string{"-c", "raise SystemExit"}},
		{name: "in a folder that is gone", args: []string{"-c", "import os, subprocess, sys\nos.mkdir('gone')\nos.chdir('gone')\nos.rmdir('../gone')\n" +
			"sys.exit(subprocess.run([sys.argv[1], 'run', '-m', 'json.tool'], input='1', text=True).returncode)", os.Args[0]}, out: "1\n"},
		{name: "exit 3", args: []string{"-c", "import sys; sys.exit(3)"}, status: 3},
		{name: "exit 256+7", args: []string{"-c", "import sys; sys.exit(263)"}, status: 7},
		{name: "exit -1", args: []string{"-c", "import sys; sys.exit(-1)"}, status: 255},
		{name: "exit with a text", args: []string{"-c", "import sys; sys.exit('sorry')"}, status: 1, err: []string{"sorry\n"}},
		{name: "os._exit", args: []string{"-c", "import os; os._exit(9)"}, status: 9},
		{name: "KeyboardInterrupt", args: []string{"-c", "raise KeyboardInterrupt"}, status: 130, err: []string{"\nKeyboardInterrupt\n"}},
		{name: "exception", args: []string{"raises.py"}, status: 1, err: []string{
			"Traceback (most recent call last):\n  File \"" + real + "/raises.py\", line 4, in <module>\n    f()\n    ~^^\n" +
				"  File \"" + real + "/raises.py\", line 2, in f\n    return 1 / 0\n           ~~^~~\nZeroDivisionError: division by zero\n"}},
		{name: "exception in code", args: []string{"-c", "1/0"}, status: 1, err: []string{
			"Traceback (most recent call last):\n  File \"<string>\", line 1, in <module>\n    1/0\n    ~^~\nZeroDivisionError: division by zero\n"}},
		{name: "exception below odd characters", args: []string{"-c", "x = '\f\u2028'\n1/0"}, status: 1, err: []string{"line 2, in <module>\n    1/0\n    ~^~\n"}},
		{name: "syntax error", args: []string{"-c", "def f(:"}, status: 1, err: []string{"  File \"<string>\", line 1\n    def f(:\n          ^\nSyntaxError: invalid syntax\n"}},
		{name: "no such module", args: []string{"-m", "nosuch"}, status: 1, err: []string{": No module named nosuch\n"}},
		{name: "a hook for exceptions", args: []string{"-c", "import sys; sys.excepthook = lambda *e: print('hook', e[0].__name__); 1/0"}, status: 1, out: "hook ZeroDivisionError\n"},
		{name: "exit functions", args: []string{"-c", "import atexit; atexit.register(print, 'bye'); print('hi')"}, out: "hi\nbye\n"},
		{name: "threads", args: []string{"-c", "import threading, time; threading.Thread(target=lambda: (time.sleep(.1), print('thread'))).start()"},
			out: "thread\n"},
		{name: "threads of an interpreter of its own", args: []string{"--mode", "owngil", "-c",
			"import threading, time; threading.Thread(target=lambda: (time.sleep(.1), print('thread'))).start()"}, out: "thread\n"},
		{name: "the thread's name", args: []string{"-c", "import logging\nlogging.basicConfig(format='%(threadName)s')\nlogging.error('')"}, err: []string{"MainThread\n"}},
		{name: "daemon threads", args: []string{"-c", "import threading, time; threading.Thread(target=time.sleep, args=(600,), daemon=True).start()"}},
		{name: "forks", args: []string{"forks.py"}, status: 7, out: forked, err: []string{
			"forks.py\", line 12, in <module>\n    raise ValueError\nValueError\n"}},
		{name: "a process pool", args: []string{"-c", "import subprocess, sys; print(subprocess.run([sys.executable, '-c', 'print(6*7)'], capture_output=True, text=True).stdout)"},
			out: "42\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := command(t, append([]string{"run"}, c.args...)...)
			cmd.Dir, cmd.Stdin = dir, strings.NewReader(c.stdin)
			o := finish(t, cmd)
			o.check(t, c.out, c.status, c.err...)
			if len(c.err) == 0 && o.err != "" || strings.Contains(o.err, "<pyctx>") {
				t.Errorf("standard error: %s", o.err)
			}
			if c.name == "exception" && o.err != c.err[0] {
				t.Errorf("standard error is more than Python's traceback:\n%s", o.err)
			}
		})
	}
}

// TestRunFinalizes checks that what the program's globals hold is finalized in each mode.
func TestRunFinalizes(t *testing.T) {
	for _, mode := range []string{"worker", "subinterp", "owngil"} {
		dir := folder(t, map[string]string{"script.py": `
import sys
class C:
    def __del__(self):
        sys.__stdout__.write("finalized\n")
left, c = open("left.txt", "w"), C()
left.write("text")
`})
		cmd := command(t, "run", "--mode", mode, "script.py")
		cmd.Dir = dir
		finish(t, cmd).check(t, "finalized\n", 0)
		if text, err := os.ReadFile(filepath.Join(dir, "left.txt")); string(text) != "text" {
			t.Errorf("%s: the file that was left open has %q, %v", mode, text, err)
		}
	}
}

// TestEndFlags checks where the flags of pyctx end and the arguments of the program begin.
func TestEndFlags(t *testing.T) {
	cmd := newRun(&global{})
	root := &cobra.Command{Use: "pyctx"}
	root.PersistentFlags().String("python", "", "")
	root.AddCommand(cmd)
	for _, c := range []struct{ args, want string }{
		{"", ""},
		{"f.py -m x", "f.py -m x"},
		{"- -m x", "- -m x"},
		{"-m mod -x", "-m mod -- -x"},
		{"-m mod", "-m mod --"},
		{"-m", "-m"},
		{"-mmod -x", "-mmod -- -x"},
		{"--module mod -x", "--module mod -- -x"},
		{"--module=mod -x", "--module=mod -- -x"},
		{"-c code -c x", "-c code -- -c x"},
		{"--mode owngil -m mod --mode x", "--mode owngil -m mod -- --mode x"},
		{"--mode=owngil -m mod -h", "--mode=owngil -m mod -- -h"},
		{"--python -m -m mod -x", "--python -m -m mod -- -x"},
		{"--help -m mod", "--help -m mod --"},
		{"-- -m mod", "-- -m mod"},
	} {
		if got := endFlags(cmd, strings.Fields(c.args)); !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: got %q, want %q", c.args, got, c.want)
		}
	}
}

// TestOtherPython runs the commands on the Python that PYCTX_PYTHON names: each version ends in another way.
func TestOtherPython(t *testing.T) {
	other := os.Getenv("PYCTX_PYTHON")
	if other == "" {
		t.Skip("PYCTX_PYTHON is not set")
	}
	dir := folder(t, map[string]string{"main.py": leavesMuch + "\nif __name__ == '__main__':\n    f(1)\n"})
	for _, mode := range []string{"worker", "subinterp"} {
		for _, args := range []string{"run main.py", "map main.py:f"} {
			verb, rest, _ := strings.Cut(args, " ")
			cmd := command(t, verb, "--python", other, "--mode", mode, rest)
			cmd.Dir, cmd.Stdin = dir, strings.NewReader("1\n")
			if o := finish(t, cmd); o.status != 0 || !strings.Contains(o.out+o.err, "thread 1\nat exit\n") {
				t.Errorf("%s in mode %s: status %d, output %q, standard error:\n%s", args, mode, o.status, o.out, o.err)
			}
			left := filepath.Join(dir, "left.txt")
			if text, err := os.ReadFile(left); err != nil || string(text) != "1\n" {
				t.Errorf("%s in mode %s: the file that was left open has %q, %v", args, mode, text, err)
			}
			os.Remove(left)
		}
	}
	pyctx(t, "eval", "--python", other, "x+1", "--var", "x=1").check(t, "2\n", 0)
	o := pyctx(t, "run", "--python", other, "-c", forks)
	if o.check(t, forked, 7, "ValueError\n"); strings.Contains(o.err, "AssertionError") {
		t.Errorf("the end of a child:\n%s", o.err)
	}
	if o := pyctx(t, "doctor", "--python", other, "json"); o.status != 0 || !strings.Contains(o.out, "asked for with --python") {
		t.Errorf("status %d, and output\n%s", o.status, o.out)
	}
}
