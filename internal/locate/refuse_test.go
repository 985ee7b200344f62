//go:build unix

package locate_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pycontext/py/internal/locate"
)

// TestRefuse is about explicit choices that cannot be used. Each makes its case in an oddly named folder and
// returns the path to ask for.
func TestRefuse(t *testing.T) {
	file := func(t *testing.T, path, text string, mode os.FileMode) string {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cases := []struct {
		name string
		make func(t *testing.T, dir string) string
		want []string
	}{
		{"missing", func(_ *testing.T, dir string) string { return dir + "/none" }, []string{"no such file"}},
		{"unknown name", func(*testing.T, string) string { return "python9.9" }, []string{"no such file"}},
		{"NUL", func(_ *testing.T, dir string) string { return dir + "/a\x00b" }, []string{"invalid argument"}},
		{"dangling", func(t *testing.T, dir string) string {
			os.Symlink("/gone/python3", dir+"/python")
			return dir + "/python"
		}, []string{"link to \"/gone/python3\"", "does not exist"}},
		{"folder", func(_ *testing.T, dir string) string { return dir }, []string{"neither a virtual environment"}},
		{"text", func(t *testing.T, dir string) string { return file(t, dir+"/x", "hello", 0o644) },
			[]string{"not executable"}},
		{"pipe", func(*testing.T, string) string { return "/dev/null" }, []string{"is not a file"}},
		{"3.11", func(t *testing.T, dir string) string {
			return fake(t, dir+"/python", answer{"version": []int{3, 11, 7}})
		}, []string{"is CPython 3.11.7", "3.12 or later is needed"}},
		{"2.7", func(t *testing.T, dir string) string {
			return fake(t, dir+"/python", answer{"version": []int{2, 7, 18}})
		}, []string{"is CPython 2.7.18"}},
		{"PyPy", func(t *testing.T, dir string) string {
			return fake(t, dir+"/python", answer{"implementation": "pypy", "version": []int{3, 12, 9}})
		}, []string{"is pypy 3.12.9", "CPython 3.12"}},
		{"static", func(t *testing.T, dir string) string {
			return fake(t, dir+"/python", answer{"enable_shared": false, "LDLIBRARY": "libpython3.12.a", "LIBDIR": dir})
		}, []string{"without a shared library", "--enable-shared", "PYCTX_PYTHON", "py/embedded"}},
		{"library not installed", func(t *testing.T, dir string) string {
			return fake(t, dir+"/python", answer{"INSTSONAME": "libpython3.12.so.1.0", "LIBDIR": "/gone"})
		}, []string{"not installed", "libpython3.12", "PYCTX_PYTHON"}},
		{"library damaged", func(t *testing.T, dir string) string {
			file(t, dir+"/lib/libpython3.12.so.1.0", "\x7fELF", 0o644)
			return fake(t, dir+"/bin/python", answer{"INSTSONAME": "libpython3.12.so.1.0", "base_prefix": latin(dir)})
		}, []string{"cannot be used", "damaged"}},
		{"library is text", func(t *testing.T, dir string) string {
			file(t, dir+"/lib/libpython3.12.so.1.0", "GROUP ( libpython )", 0o644)
			return fake(t, dir+"/bin/python", answer{"INSTSONAME": "libpython3.12.so.1.0", "base_prefix": latin(dir)})
		}, []string{"not a shared library"}},
		{"prints nothing", func(t *testing.T, dir string) string { return script(t, dir+"/python", "exit 0") },
			[]string{"does not answer as Python does"}},
		{"prints something else", func(t *testing.T, dir string) string { return script(t, dir+"/python", "echo '{}'") },
			[]string{"no version"}},
		{"no path of its own", func(t *testing.T, dir string) string {
			return fake(t, dir+"/python", answer{"executable": ""})
		}, []string{"does not know its own path"}},
		{"fails", func(t *testing.T, dir string) string {
			return script(t, dir+"/python", "echo pyenv: not found >&2; exit 127")
		}, []string{"does not run", "127", "pyenv: not found"}},
		{"no interpreter for it", func(t *testing.T, dir string) string {
			return file(t, dir+"/python", "#!/gone/sh\n", 0o755)
		}, []string{"does not run"}},
		{"endless output", func(t *testing.T, dir string) string {
			return script(t, dir+"/python", "head -c 50000000 /dev/zero; exit 1")
		}, []string{"does not run"}},
		{"venv without base", func(t *testing.T, dir string) string {
			file(t, dir+"/pyvenv.cfg", "version = 3.12.1\nHome =  /gone/a = b/bin \n", 0o644)
			fake(t, dir+"/bin/python", nil)
			return dir
		}, []string{"\"/gone/a = b/bin\"", "gone", "create it anew"}},
		{"python of a venv without base", func(t *testing.T, dir string) string {
			file(t, dir+"/pyvenv.cfg", "home = /gone/bin\n", 0o644)
			return fake(t, dir+"/bin/python", nil)
		}, []string{"\"/gone/bin\"", "gone"}},
		{"venv without home", func(t *testing.T, dir string) string {
			file(t, dir+"/pyvenv.cfg", "version = 3.12.1\n", 0o644)
			return dir
		}, []string{"does not name its base"}},
		{"venv without python", func(t *testing.T, dir string) string {
			file(t, dir+"/pyvenv.cfg", "home = /\n", 0o644)
			os.Mkdir(dir+"/bin", 0o755)
			os.Symlink("/gone", dir+"/bin/python3")
			return dir
		}, []string{"without a working bin/python3"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := c.make(t, odd(t))
			_, err := locate.Find(locate.Options{Python: path, Env: env("PATH", "/gone"), Bundled: bundledAt("/x")})
			var e *locate.Error
			if !errors.As(err, &e) || !e.Explicit || len(e.Attempts) != 1 || e.Attempts[0].Path != path {
				t.Fatalf("got %v", err)
			}
			wantAll(t, err, append(c.want, "Config.Python")...)
		})
	}
}

// latin writes a path as question.py does, one code point per byte.
func latin(path string) string {
	runes := make([]rune, len(path))
	for i := range len(path) {
		runes[i] = rune(path[i])
	}
	return string(runes)
}

// Real libraries that are none of ours.
func TestRefuseLibrary(t *testing.T) {
	supported := find(t, locate.Options{Python: real(t)})
	if stub := filepath.Join(filepath.Dir(supported.Library), "libpython3.so"); exists(stub) {
		_, err := locate.Find(locate.Options{Python: stub})
		wantAll(t, err, "only a stub")
	}
	old, _ := filepath.Glob(os.ExpandEnv("$HOME/.pyenv/versions/*/lib/libpython*.so.1.0"))
	for _, path := range old {
		for version, says := range map[string]string{"2.7": "CPython 2.7", "3.8": "CPython 3.8", "3.11": "CPython 3.11."} {
			if strings.Contains(filepath.Base(path), "libpython"+version+".") {
				_, err := locate.Find(locate.Options{Python: path})
				wantAll(t, err, says, "3.12 or later")
			}
		}
	}
}

// A library that belongs to another interpreter is not taken, whatever its name.
func TestOtherLibrary(t *testing.T) {
	other := find(t, locate.Options{Python: real(t)})
	dir := t.TempDir()
	name := "libpython3.99.so.1.0"
	if err := os.Symlink(other.Library, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	for what, a := range map[string]answer{
		"version": {"version": []int{3, 99, 0}},
		"build":   {"version": other.Version, "gil_disabled": !other.FreeThreaded},
	} {
		a["INSTSONAME"], a["LIBDIR"] = name, dir
		_, err := locate.Find(locate.Options{Python: fake(t, filepath.Join(dir, what), a)})
		wantAll(t, err, "belongs to another Python", other.Version.String())
	}
}

// A library for another processor: the ELF header says so.
func TestOtherProcessor(t *testing.T) {
	supported := find(t, locate.Options{Python: real(t)})
	if runtime.GOOS != "linux" || runtime.GOARCH == "s390x" {
		t.Skip("edits an ELF header")
	}
	data, err := os.ReadFile(supported.Library)
	if err != nil {
		t.Fatal(err)
	}
	copy(data[18:], "\x16\x00") // e_machine: s390
	path := filepath.Join(t.TempDir(), "libpython.so")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = locate.Find(locate.Options{Python: path})
	wantAll(t, err, "s390x", runtime.GOARCH)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
