package embedded

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pycontext/py/internal/locate"
)

// together holds what two processes said that were started at once on an empty cache.
var together [2]bytes.Buffer

// One unpacking serves all tests: TestMain points PYCTX_CACHE at a folder of its own.
func TestMain(m *testing.M) {
	if os.Getenv("EMBEDDED_TEST_CHILD") != "" {
		dir, err := Dir()
		fmt.Printf("%s\n%v\n", dir, err)
		return
	}
	tmp, err := os.MkdirTemp("", "embedded-test-")
	if err != nil {
		panic(err)
	}
	os.Setenv(cacheVariable, filepath.Join(tmp, "a 'cache' with spä\"ces"))
	startTogether()
	code := m.Run()
	os.RemoveAll(tmp)
	os.Exit(code)
}

func startTogether() {
	var cmds []*exec.Cmd
	for i := range together {
		cmd := child(cacheVariable + "=" + os.Getenv(cacheVariable))
		cmd.Stdout, cmd.Stderr = &together[i], &together[i]
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		cmds = append(cmds, cmd)
	}
	for _, cmd := range cmds {
		cmd.Wait() // the output tells
	}
}

// Both got the folder, and nothing was written besides: no log of the Go module's.
func TestTwoProcesses(t *testing.T) {
	want := bundledPython(t).Home + "\n<nil>\n"
	for i := range together {
		if got := together[i].String(); got != want {
			t.Errorf("process %d: %q, want %q", i, got, want)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(bundledPython(t).Home))
	if err != nil || len(entries) != 2 {
		t.Errorf("the cache should hold a folder and its lock, not %v, %v", entries, err)
	}
}

func bundledPython(t *testing.T) locate.Python {
	t.Helper()
	if _, ok := digests[runtime.GOOS+"/"+runtime.GOARCH]; !ok {
		t.Skipf("no bundled Python for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	py, err := locate.Find(locate.Options{Env: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	return py
}

func TestFindBundled(t *testing.T) {
	py := bundledPython(t)
	dir, err := Dir()
	if err != nil {
		t.Fatal(err)
	}
	if py.Source != locate.SourceBundled || py.Home != dir || py.Version.String() != Version || py.FreeThreaded {
		t.Errorf("got %+v", py)
	}
	if !strings.HasPrefix(dir, os.Getenv(cacheVariable)+string(filepath.Separator)) {
		t.Errorf("%q is not below %s", dir, cacheVariable)
	}
	for _, name := range []string{py.Executable, py.Library} {
		if info, err := os.Stat(name); err != nil || info.Size() == 0 {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// The interpreter itself must find the folder, and so must locate when it asks it as any other.
func TestRunBundled(t *testing.T) {
	py := bundledPython(t)
	script := `import sys, asyncio, ssl, sqlite3, ctypes, decimal; print(sys.prefix, sys.version_info[:3], sep="|")`
	out, err := exec.Command(py.Executable, "-I", "-X", "utf8", "-c", script).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.TrimSpace(string(out)), py.Home+"|(3, 14, 6)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	asked, err := locate.Find(locate.Options{Python: py.Executable})
	if err != nil {
		t.Fatal(err)
	}
	if asked.Library != py.Library || asked.Version != py.Version || asked.Executable != py.Executable {
		t.Errorf("asked, it says %+v, not %+v", asked, py)
	}
	bare, err := locate.Find(locate.Options{Python: py.Library})
	if err != nil {
		t.Fatal(err)
	}
	if bare.Home != py.Home || bare.Version != py.Version || bare.Executable != py.Executable {
		t.Errorf("its library says %+v, not %+v", bare, py)
	}
}

// The bundled Python makes virtual environments as any other does; packages belong there.
func TestVirtualEnvironment(t *testing.T) {
	py := bundledPython(t)
	venv := filepath.Join(t.TempDir(), "venv")
	if out, err := exec.Command(py.Executable, "-I", "-m", "venv", "--without-pip", venv).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got, err := locate.Find(locate.Options{Python: venv})
	if err != nil {
		t.Fatal(err)
	}
	if got.Venv != venv || got.Library != py.Library || got.Home != "" || !strings.HasPrefix(got.Executable, venv) {
		t.Errorf("got %+v", got)
	}
}

// The compiled files that the run before left behind are no damage.
func TestOpenAfterUse(t *testing.T) {
	py := bundledPython(t)
	cmd := exec.Command(py.Executable, "-I", "-c", "import json.tool, asyncio")
	cmd.Env = []string{}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if runtime.GOOS != "windows" {
		if pyc, _ := filepath.Glob(glob(py.Home) + "/lib/python3.14/json/__pycache__/*.pyc"); len(pyc) == 0 {
			t.Error("Python compiled nothing into its folder")
		}
	}
	before := stat(t, py.Home)
	if dir, err := open(); dir != py.Home || err != nil {
		t.Errorf("got %q, %v", dir, err)
	}
	if !os.SameFile(before, stat(t, py.Home)) {
		t.Error("unpacked again")
	}
}

func glob(path string) string {
	return strings.NewReplacer("[", "\\[", "*", "\\*", "?", "\\?", "\\", "\\\\").Replace(path)
}

func stat(t *testing.T, name string) fs.FileInfo {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// A tampered standard library is repaired by the next process. The same for every kind of damage, on a
// smaller tree, is in package store.
func TestRepair(t *testing.T) {
	py := bundledPython(t)
	name := filepath.Join(py.Home, "lib", "python3.14", "os.py")
	if runtime.GOOS == "windows" {
		name = filepath.Join(py.Home, "Lib", "os.py")
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, bytes.Repeat([]byte("#"), len(want)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(name); !bytes.Equal(got, want) {
		t.Errorf("os.py is still %.20q", got)
	}
}

// child runs Dir in a process of its own and prints its results.
func child(env ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, cacheVariable+"=") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(append(cmd.Env, "EMBEDDED_TEST_CHILD=1"), env...)
	return cmd
}

// Without a usable cache folder the temporary one serves, privately. The shared tree is moved there for the
// moment, since unpacking is slow.
func TestFallback(t *testing.T) {
	cache := filepath.Dir(bundledPython(t).Home)
	if runtime.GOOS != "linux" {
		t.Skip("the variables of the folders differ")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	base := filepath.Join(tmp, fmt.Sprintf("pyctx-%d", os.Geteuid()))
	if err := os.Rename(cache, base); err != nil {
		t.Skipf("cannot move the tree: %v", err)
	}
	defer os.Rename(base, cache)
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, cache := range []string{file, filepath.Join(t.TempDir(), "a:b"), filepath.Join(t.TempDir(), "\xff")} {
		out, err := child("HOME=", "XDG_CACHE_HOME="+cache, "TMPDIR="+tmp).CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), base+"/3.14.6-") {
			t.Fatalf("%q: got %q, %v", cache, out, err)
		}
	}
	if mode := stat(t, base).Mode().Perm(); mode != 0o700 {
		t.Errorf("mode %v", mode)
	}
}

// A name that someone else has taken is not used; the random one that is made instead is found again.
func TestTemporaryTaken(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("TMPDIR is not Windows' variable")
	}
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	name := filepath.Join(tmp, fmt.Sprintf("pyctx-%d", os.Geteuid()))
	if err := os.Symlink(t.TempDir(), name); err != nil {
		t.Fatal(err)
	}
	first, err := temporary()
	if err != nil || !strings.HasPrefix(first, name+"-") {
		t.Fatalf("got %q, %v", first, err)
	}
	if second, err := temporary(); second != first || err != nil {
		t.Errorf("got %q, then %q, %v", first, second, err)
	}
}

// The folder that the user named is not silently replaced by another.
func TestNamedCacheUnusable(t *testing.T) {
	bundledPython(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(cacheVariable, file)
	_, err := open()
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "set PYCTX_CACHE") {
		t.Errorf("got %v", err)
	}
	for name, why := range map[string]string{"a" + string(filepath.ListSeparator) + "b": "list of folders", "\xff": "UTF-8"} {
		dir := filepath.Join(t.TempDir(), name)
		t.Setenv(cacheVariable, dir)
		if _, err := open(); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: got %v", dir, err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%q was made", dir)
		}
	}
}

func TestPlaces(t *testing.T) {
	named := places(func(string) string { return "relative" })
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	got, err := named[0]()
	if want := filepath.Join(wd, "relative", folder); len(named) != 1 || got != want || err != nil {
		t.Errorf("got %d places, %q, %v, want %q", len(named), got, err, want)
	}
	if n := len(places(func(string) string { return "" })); n != 2 {
		t.Errorf("%d places by default", n)
	}
}

// BenchmarkOpen is what each start of a program pays: the check of a folder in order.
func BenchmarkOpen(b *testing.B) {
	if _, err := Dir(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := open(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUnpack is what the first start pays in addition.
func BenchmarkUnpack(b *testing.B) {
	for b.Loop() {
		b.Setenv(cacheVariable, b.TempDir())
		if _, err := open(); err != nil {
			b.Fatal(err)
		}
	}
}
