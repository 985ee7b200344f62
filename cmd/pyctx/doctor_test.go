package main

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/pycontext/py"
)

// extensions imitate modules that do not load everywhere.
var extensions = map[string]string{
	"fine.py":    "__version__ = '1.2.3'\nprint('loading')\n",
	"crashes.py": "import ctypes\nctypes.string_at(0)\n",
	"goes_on.py": "try: import tracemalloc, readline\nexcept ImportError: pass\n",
	"exits.py":   "import os\nos._exit(3)\n",
	"hangs.py":   "import time\ntime.sleep(600)\n",
	"raises.py":  "raise ValueError('first line\\nsecond line')\n",
	"onlymain.py": `
import _interpreters
try:
    if _interpreters.get_current()[0] > 0:
        raise ImportError("cannot load module more than once per process")
except ImportError as e:
    raise ImportError("Unable to import required dependencies") from e
`,
}

func doctor(t *testing.T, args ...string) outcome {
	t.Helper()
	cmd := command(t, append([]string{"doctor"}, args...)...)
	cmd.Dir = folder(t, extensions)
	return finish(t, cmd)
}

func TestDoctor(t *testing.T) {
	o := doctor(t)
	want := regexp.MustCompile(`^Python +CPython 3\.\d+\.\d+
Found +bundled with pyctx
Library +/.*
Executable +/.*
Home +/.*
Mode worker +yes
Mode subinterp +yes
Mode owngil +yes
$`)
	if !want.MatchString(o.out) || o.status != 0 || o.err != "" {
		t.Errorf("status %d, standard error %q, and output\n%s", o.status, o.err, o.out)
	}
}

// TestDoctorPassedOver: a virtual environment that is active and gone is not passed over in silence.
func TestDoctorPassedOver(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		cmd := command(t, "doctor")
		says := `(?m)^Found +bundled with pyctx\nPassed over +VIRTUAL_ENV: "/gone": no such file or folder$`
		if asJSON {
			cmd, says = command(t, "doctor", "--json"), `"passed_over": \[\s*"VIRTUAL_ENV: \\"/gone\\": no such file or folder"\s*\]`
		}
		cmd.Env = append(cmd.Env, "VIRTUAL_ENV=/gone")
		if o := finish(t, cmd); !regexp.MustCompile(says).MatchString(o.out) || o.status != 0 {
			t.Errorf("status %d, standard error %q, and output\n%s", o.status, o.err, o.out)
		}
	}
}

func TestDoctorModules(t *testing.T) {
	o := doctor(t, "fine", "onlymain", "readline", "goes_on", "crashes", "exits", "raises", "nosuch", "os.path")
	for _, line := range []string{
		`Module +worker +subinterp +owngil`,
		`fine 1\.2\.3 +ok, [\d.]+.?s +ok, [\d.]+.?s +ok, [\d.]+.?s`,
		`onlymain +ok, [\d.]+.?s +no +no`,
		`readline +ok, [\d.]+.?s +ok, [\d.]+.?s +no`,
		`crashes +CRASH +CRASH +CRASH`,
		`exits +CRASH +CRASH +CRASH`,
		`raises +no +no +no`,
		`nosuch +no +no +no`,
		`os.path +ok, [\d.]+.?s +ok, [\d.]+.?s +ok, [\d.]+.?s`,
		`onlymain in subinterp: ImportError: .*; a py.Subinterp context has an interpreter of its own: use a py.Worker context for it`,
		`  the module does not load in mode owngil: use --mode worker \(py.Worker\)`,
		`readline in owngil: ImportError: module readline does not support loading in subinterpreters; a py.OwnGIL context .*`,
		`goes_on +ok, [\d.]+.?s +ok, [\d.]+.?s +ok, [\d.]+.?s`,
		`goes_on in owngil: it goes without what does not load here, and may be slower or fail in use: _tracemalloc`,
		`  all of it loads in mode worker: use --mode worker \(py.Worker\)`,
		`crashes in worker, subinterp, owngil: it ended its process: (segmentation fault|SIGSEGV) in .*ctypes.*`,
		`exits in worker, subinterp, owngil: it ended its process: exit status 3`,
		`raises in worker, subinterp, owngil: ValueError: first line`,
		`nosuch in worker, subinterp, owngil: ModuleNotFoundError: No module named 'nosuch'`,
	} {
		if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(o.out) {
			t.Errorf("no line %s", line)
		}
	}
	if o.status != statusFailed || t.Failed() {
		t.Errorf("status %d, standard error %q, and output\n%s", o.status, o.err, o.out)
	}
	if o := doctor(t, "onlymain"); o.status != 0 {
		t.Errorf("a module that loads in one mode: status %d", o.status)
	}
}

func TestDoctorJSON(t *testing.T) {
	o := doctor(t, "--json", "fine", "crashes")
	var d diagnosis
	decoder := json.NewDecoder(strings.NewReader(o.out))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil || o.status != statusFailed {
		t.Fatalf("%v, status %d, and output\n%s", err, o.status, o.out)
	}
	if d.Source != "bundled" || !strings.HasPrefix(d.Version, "3.") || len(d.Modes) != 3 || len(d.Modules) != 2 {
		t.Fatalf("got\n%s", o.out)
	}
	for i, mode := range []string{"worker", "subinterp", "owngil"} {
		fine, crashes := d.Modules[0].Imports[i], d.Modules[1].Imports[i]
		if !d.Modes[i].Supported || fine.Mode != mode || !fine.OK || fine.Version != "1.2.3" || fine.Seconds <= 0 ||
			crashes.OK || crashes.Crash == "" {
			t.Errorf("%s: got\n%s", mode, o.out)
		}
	}
}

func TestDoctorTimeout(t *testing.T) {
	o := doctor(t, "--timeout", "1s", "hangs")
	if !strings.Contains(o.out, "hangs in worker, subinterp, owngil: the import takes longer than 1s\n") || o.status != statusFailed {
		t.Errorf("status %d, and output\n%s", o.status, o.out)
	}
}

func TestAdvice(t *testing.T) {
	refused := &py.Error{Type: "ImportError", Message: "Interpreter change detected - only one interpreter is supported"}
	for _, c := range []struct {
		err  *py.Error
		mode py.Mode
		want string
	}{
		{refused, py.OwnGIL, "use --mode worker"},
		{&py.Error{Type: "ImportError", Cause: refused}, py.Subinterp, "use --mode worker"},
		{&py.Error{Type: "ImportError", Context: refused}, py.Subinterp, "use --mode worker"},
		{refused, py.Worker, ""},
		{&py.Error{Type: "ModuleNotFoundError", Message: "No module named 'x'"}, py.Worker, "not installed"},
		{&py.Error{Type: "ValueError", Message: "x"}, py.OwnGIL, ""},
	} {
		if got := advice(c.err, c.mode); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%v in %v: got %q, want %q", c.err, c.mode, got, c.want)
		}
	}
}

// TestCrashOf checks what is made of a process that Go's own handler of signals ended.
func TestCrashOf(t *testing.T) {
	crash, where := crashOf(errors.New("exit status 2"),
		"SIGSEGV: segmentation violation\nPC=0x1\n\nFatal Python error\n  File \"/a b/mod.py\", line 3 in <module>\n  File \"x\", line 4 in y\n")
	if crash != "SIGSEGV" || where != "in /a b/mod.py, line 3" {
		t.Errorf("got %q %q", crash, where)
	}
	if crash, where := crashOf(nil, ""); crash != "exit status 0" || where != "" {
		t.Errorf("got %q %q", crash, where)
	}
}
