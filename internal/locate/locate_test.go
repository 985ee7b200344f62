//go:build unix

package locate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pycontext/py/internal/locate"
)

// answer is what a fake interpreter says about itself; see question.py.
type answer map[string]any

// fake writes an interpreter that is a shell script: it says a, whatever it is asked.
func fake(t *testing.T, path string, a answer) string {
	t.Helper()
	full := answer{"implementation": "cpython", "version": []int{3, 12, 4}, "executable": path, "base_prefix": "/nowhere",
		"enable_shared": true}
	for k, v := range a {
		full[k] = v
	}
	data, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	return script(t, path, "cat <<'END'\n"+string(data)+"\nEND")
}

func script(t *testing.T, path, body string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// env looks variables up in pairs of name and value.
func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// real returns a supported interpreter of this machine, or skips.
func real(t *testing.T, versions ...string) string {
	t.Helper()
	if len(versions) == 0 {
		versions = []string{"3.14", "3.13", "3.12"}
	}
	for _, v := range versions {
		found, _ := filepath.Glob(os.ExpandEnv("$HOME/.pyenv/versions/" + v + ".*/bin/python3"))
		if path, err := exec.LookPath("python" + v); err == nil {
			found = append(found, path)
		}
		for _, exe := range found {
			if _, err := locate.Find(locate.Options{Python: exe}); err == nil {
				return exe
			}
		}
	}
	t.Skipf("no usable CPython %v is installed", versions)
	return ""
}

// venv makes a virtual environment with exe at dir.
func venv(t *testing.T, exe, dir string) string {
	t.Helper()
	if out, err := exec.Command(exe, "-m", "venv", "--without-pip", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

// odd is a folder whose name is taken literally, or nothing works.
func odd(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a 'b' \"c\" $HOME\n%s ünï")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func find(t *testing.T, opts locate.Options) locate.Python {
	t.Helper()
	py, err := locate.Find(opts)
	if err != nil {
		t.Fatal(err)
	}
	return py
}

func bundledAt(dir string) func() (locate.Python, error) {
	return func() (locate.Python, error) { return locate.Python{Home: dir, Version: locate.Version{3, 14, 6}}, nil }
}

func TestExplicitInterpreter(t *testing.T) {
	exe := real(t)
	for _, opts := range []locate.Options{
		{Python: exe, Env: env("PYCTX_PYTHON", "/not/this", "VIRTUAL_ENV", "/nor/this")},
		{Env: env("PYCTX_PYTHON", exe, "VIRTUAL_ENV", "/not/this"), Bundled: bundledAt("/x")},
	} {
		py := find(t, opts)
		want := locate.SourceConfig
		if opts.Python == "" {
			want = locate.SourceVariable
		}
		if py.Source != want || py.Executable != exe || py.Home != "" || py.Venv != "" || py.Version[0] != 3 {
			t.Errorf("got %+v", py)
		}
		if info, err := os.Stat(py.Library); err != nil || !strings.Contains(filepath.Base(py.Library), "python") ||
			info.Size() < 1<<20 {
			t.Errorf("library %q: %v", py.Library, err)
		}
	}
}

func TestExplicitLibrary(t *testing.T) {
	want := find(t, locate.Options{Python: real(t)})
	link := filepath.Join(odd(t), "any name")
	if err := os.Symlink(want.Library, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{want.Library, link} {
		py := find(t, locate.Options{Python: path})
		if py.Library != path || py.Version != want.Version || py.FreeThreaded != want.FreeThreaded || py.Venv != "" {
			t.Errorf("%q: got %+v", path, py)
		}
		if _, err := os.Stat(filepath.Join(py.Home, "lib", fmt.Sprintf("python%d.%d", py.Version[0], py.Version[1]),
			"os.py")); err != nil {
			t.Errorf("%q: home %q: %v", path, py.Home, err)
		}
		if !strings.HasPrefix(py.Executable, py.Home) {
			t.Errorf("%q: executable %q", path, py.Executable)
		}
	}
}

func TestRelativePathAndName(t *testing.T) {
	exe := real(t)
	t.Chdir(filepath.Dir(exe))
	if py := find(t, locate.Options{Python: "./" + filepath.Base(exe)}); py.Executable != exe {
		t.Errorf("relative: got %+v", py)
	}
	t.Chdir(t.TempDir())
	if py := find(t, locate.Options{Python: filepath.Base(exe), Env: env("PATH", filepath.Dir(exe))}); py.Executable != exe {
		t.Errorf("name: got %+v", py)
	}
	prefix := filepath.Dir(filepath.Dir(exe))
	if py := find(t, locate.Options{Python: prefix}); filepath.Dir(py.Executable) != filepath.Dir(exe) {
		t.Errorf("prefix: got %+v", py)
	}
}

func TestVirtualEnvironment(t *testing.T) {
	for _, version := range []string{"3.12", "3.13", "3.14"} {
		t.Run(version, func(t *testing.T) {
			base := find(t, locate.Options{Python: real(t, version)})
			dir := venv(t, base.Executable, filepath.Join(odd(t), "venv"))
			check := func(py locate.Python, source string) {
				t.Helper()
				bin := filepath.Dir(py.Executable)
				if py.Source != source || py.Venv != dir || bin != filepath.Join(dir, "bin") || py.Library != base.Library ||
					py.Home != "" || py.Version != base.Version {
					t.Errorf("got %+v", py)
				}
			}
			active := env("VIRTUAL_ENV", dir)
			check(find(t, locate.Options{Env: active, Bundled: bundledAt("/x")}), locate.SourceVirtualEnv)
			check(find(t, locate.Options{Python: dir, Env: env()}), locate.SourceConfig)
			check(find(t, locate.Options{Env: env("PYCTX_PYTHON", filepath.Join(dir, "bin", "python"))}), locate.SourceVariable)
			check(find(t, locate.Options{Env: env("PATH", filepath.Join(dir, "bin"))}), locate.SourcePath)
		})
	}
}

// A path need not be text: the folder's name is no UTF-8.
func TestPathOfBytes(t *testing.T) {
	exe := real(t)
	dir := filepath.Join(t.TempDir(), "\xff\xfe")
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Skipf("the file system takes only text: %v", err)
	}
	cfg := "home = " + filepath.Dir(exe) + "\n"
	if err := os.WriteFile(filepath.Join(dir, "pyvenv.cfg"), []byte(cfg), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(exe, filepath.Join(dir, "bin", "python")); err != nil {
		t.Fatal(err)
	}
	if py := find(t, locate.Options{Python: dir}); py.Venv != dir {
		t.Errorf("got %+v", py)
	}
}

// The order, with the implicit candidates that fail noted.
func TestOrder(t *testing.T) {
	old := fake(t, filepath.Join(odd(t), "python3"), answer{"version": []int{3, 11, 7}})
	path := filepath.Dir(old)
	t.Run("bundled before PATH", func(t *testing.T) {
		py := find(t, locate.Options{Env: env("PATH", path, "VIRTUAL_ENV", "/gone"), Bundled: bundledAt("/x")})
		if py.Source != locate.SourceBundled || py.Home != "/x" {
			t.Errorf("got %+v", py)
		}
		if len(py.Passed) != 1 || py.Passed[0].Source != locate.SourceVirtualEnv || py.Passed[0].Path != "/gone" {
			t.Errorf("passed over %v", py.Passed)
		}
	})
	t.Run("PATH after a broken bundled one", func(t *testing.T) {
		exe := real(t)
		broken := errors.New("disk full")
		py := find(t, locate.Options{Env: env("PATH", path+":"+filepath.Dir(exe)),
			Bundled: func() (locate.Python, error) { return locate.Python{}, broken }})
		if py.Source != locate.SourcePath || filepath.Dir(py.Executable) != filepath.Dir(exe) {
			t.Errorf("got %+v", py)
		}
		if len(py.Passed) != 2 || !errors.Is(py.Passed[0].Err, broken) || py.Passed[1].Path != old {
			t.Errorf("passed over %v", py.Passed)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		_, err := locate.Find(locate.Options{Env: env("PATH", path, "VIRTUAL_ENV", "/gone")})
		var e *locate.Error
		if !errors.As(err, &e) || e.Explicit || len(e.Attempts) != 2 {
			t.Fatalf("got %v", err)
		}
		wantAll(t, err, "/gone", "no such file", "CPython 3.11.7", "3.12 or later", "PYCTX_PYTHON", "py/embedded",
			fmt.Sprintf("%q", old))
	})
	t.Run("nothing but a broken bundled one", func(t *testing.T) {
		_, err := locate.Find(locate.Options{Env: env("PATH", path),
			Bundled: func() (locate.Python, error) { return locate.Python{}, errors.New("disk full") }})
		wantAll(t, err, "bundled: disk full", "PYCTX_PYTHON")
		if strings.Contains(err.Error(), "py/embedded") {
			t.Errorf("it advises what was done: %v", err)
		}
	})
	t.Run("nothing at all", func(t *testing.T) {
		_, err := locate.Find(locate.Options{Env: env()})
		wantAll(t, err, "PATH has no python3", "py/embedded")
	})
}

func wantAll(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("no %q in: %v", part, err)
		}
	}
}

// On PATH every name is tried in every folder; a launcher for several versions is asked under each name,
// and the same interpreter in a folder reached twice only once.
func TestPathNames(t *testing.T) {
	tmp := t.TempDir()
	a, b, link := filepath.Join(tmp, "a"), filepath.Join(tmp, "b"), filepath.Join(tmp, "link")
	old := answer{"version": []int{3, 11, 0}}
	fake(t, a+"/python3", old)
	fake(t, a+"/python3.13", old)
	fake(t, b+"/python3", old)
	fake(t, b+"/mise", old)
	for _, l := range [][2]string{{"b", link}, {"python3", a + "/python"}, {"mise", b + "/python3.14"},
		{"mise", b + "/python3.12"}} {
		if err := os.Symlink(l[0], l[1]); err != nil {
			t.Fatal(err)
		}
	}
	os.WriteFile(a+"/python3.12", nil, 0o644) // not executable
	os.Mkdir(b+"/python3.15", 0o755)
	t.Chdir(tmp)
	_, err := locate.Find(locate.Options{Env: env("PATH", strings.Join([]string{"", ".", "a", a, b, link}, ":"))})
	var e *locate.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	var got []string
	for _, at := range e.Attempts {
		got = append(got, at.Path)
	}
	want := []string{a + "/python3", b + "/python3", b + "/python3.14", a + "/python3.13", b + "/python3.12"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("tried %q, want %q", got, want)
	}
}

// pyenv's shims are scripts that run another file: what counts is what Python says of itself.
func TestShim(t *testing.T) {
	exe := real(t)
	shim := script(t, filepath.Join(odd(t), "python3"), "echo choosing a version; exec '"+exe+"' \"$@\"")
	py := find(t, locate.Options{Env: env("PATH", filepath.Dir(shim))})
	if py.Executable != exe {
		t.Errorf("got %+v", py)
	}
}

// A module in the current folder must not run, whatever its name.
func TestCurrentFolderIsNotImported(t *testing.T) {
	exe := real(t)
	t.Chdir(t.TempDir())
	for _, name := range []string{"json.py", "os.py", "sysconfig.py", "sitecustomize.py"} {
		if err := os.WriteFile(name, []byte("raise SystemExit('hijacked')"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	find(t, locate.Options{Python: exe})
	t.Setenv("PYTHONPATH", ".")
	t.Setenv("PYTHONHOME", "/nonsense")
	find(t, locate.Options{Python: exe})
}
