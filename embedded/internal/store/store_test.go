//go:build unix

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tree of these tests, small but with one of everything.
var contents = map[string]string{
	"bin/python":             "a program",
	"lib/libpython.so":       strings.Repeat("library ", 1000),
	"lib/python/os.py":       "import sys\n",
	"lib/python/json/dec.py": "pass\n",
}

const linked = "bin/python3"

func writeTree(dir string) error {
	for name, text := range contents {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return err
		}
		mode := fs.FileMode(0o664)
		if strings.HasPrefix(name, "bin/") {
			mode = 0o775
		}
		if err := os.WriteFile(full, []byte(text), mode); err != nil {
			return err
		}
	}
	return os.Symlink("python", filepath.Join(dir, linked))
}

// testBundle counts its unpackings in the file count beside the cache, for other processes to see.
func testBundle(count string) Bundle {
	return Bundle{Name: "1.0-test", Digest: treeDigest, Unpack: func(dir string) error {
		f, err := os.OpenFile(count, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		fmt.Fprintln(f, os.Getpid())
		f.Close()
		return writeTree(dir)
	}}
}

var treeDigest string

// TestMain is also the main function of the child processes.
func TestMain(m *testing.M) {
	tmp, err := os.MkdirTemp("", "store-test-")
	if err != nil {
		panic(err)
	}
	if err := writeTree(tmp); err != nil {
		panic(err)
	}
	if treeDigest, err = Digest(tmp, "linux"); err != nil {
		panic(err)
	}
	os.RemoveAll(tmp)
	switch os.Getenv("STORE_TEST_CHILD") {
	case "open":
		err = openMany(testBundle(os.Getenv("COUNT")), os.Getenv("BASE"))
	case "hang":
		err = openAndHang(testBundle(os.Getenv("COUNT")), os.Getenv("BASE"))
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// openMany opens from 8 goroutines at once.
func openMany(b Bundle, base string) error {
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			var dir string
			if dir, errs[i] = b.Open(base); errs[i] == nil {
				_, errs[i] = os.Stat(filepath.Join(dir, "lib/python/os.py"))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// openAndHang is killed by its parent when half the tree is there.
func openAndHang(b Bundle, base string) error {
	b.Unpack = func(dir string) error {
		if err := writeTree(dir); err != nil {
			return err
		}
		os.Remove(filepath.Join(dir, "lib/libpython.so"))
		fmt.Println("half")
		select {}
	}
	_, err := b.Open(base)
	return err
}

// fixture is a bundle in an empty cache.
type fixture struct {
	*testing.T
	Bundle
	base, count string
}

func newFixture(t *testing.T) fixture {
	tmp := t.TempDir()
	count := filepath.Join(tmp, "count")
	return fixture{t, testBundle(count), filepath.Join(tmp, "cache"), count}
}

func (f fixture) open() string {
	f.Helper()
	dir, err := f.Open(f.base)
	if err != nil {
		f.Fatal(err)
	}
	return dir
}

func (f fixture) unpacked() int {
	data, _ := os.ReadFile(f.count)
	return strings.Count(string(data), "\n")
}

// intact fails unless the cache is as after a first unpacking.
func (f fixture) intact(dir string) {
	f.Helper()
	if _, fresh, err := f.check(dir); err != nil || !fresh {
		f.Errorf("after Open: fresh %v, %v", fresh, err)
	}
	for name, want := range contents {
		if got, err := os.ReadFile(filepath.Join(dir, name)); string(got) != want {
			f.Errorf("%s holds %.20q, %v", name, got, err)
		}
	}
	entries, err := os.ReadDir(f.base)
	if len(entries) != 2 {
		f.Errorf("the cache should hold a folder and its lock, not %v, %v", entries, err)
	}
}

func (f fixture) child(mode string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STORE_TEST_CHILD="+mode, "BASE="+f.base, "COUNT="+f.count)
	return cmd
}

func TestOpenUnpacksOnce(t *testing.T) {
	f := newFixture(t)
	first := f.open()
	second := f.open()
	if first != second || first != filepath.Join(f.base, f.Name) || f.unpacked() != 1 {
		t.Errorf("got %s, then %s, unpacked %d times", first, second, f.unpacked())
	}
	f.intact(first)
}

func TestOpenRepairs(t *testing.T) {
	cases := []struct {
		name   string
		damage func(t *testing.T, dir string)
	}{
		{"deleted file", func(t *testing.T, dir string) { must(t, os.Remove(dir+"/lib/python/os.py")) }},
		{"deleted link", func(t *testing.T, dir string) { must(t, os.Remove(dir+"/bin/python3")) }},
		{"deleted folder", func(t *testing.T, dir string) { must(t, os.RemoveAll(dir+"/lib")) }},
		{"truncated", func(t *testing.T, dir string) { must(t, os.Truncate(dir+"/lib/libpython.so", 100)) }},
		{"same size", func(t *testing.T, dir string) { write(t, dir+"/lib/python/os.py", "import sus\n") }},
		{"same size and time", func(t *testing.T, dir string) {
			info, err := os.Stat(dir + "/lib/python/os.py")
			must(t, err)
			write(t, dir+"/lib/python/os.py", "import sus\n")
			must(t, os.Chtimes(dir+"/lib/python/os.py", info.ModTime(), info.ModTime()))
		}},
		{"other link target", func(t *testing.T, dir string) {
			must(t, os.Remove(dir+"/bin/python3"))
			must(t, os.Symlink("/bin/sh", dir+"/bin/python3"))
		}},
		{"file made a link", func(t *testing.T, dir string) {
			must(t, os.Rename(dir+"/bin/python", dir+"/../stolen"))
			must(t, os.Symlink("../../stolen", dir+"/bin/python"))
		}},
		{"foreign file", func(t *testing.T, dir string) { write(t, dir+"/lib/python/sitecustomize.py", "evil") }},
		{"foreign package", func(t *testing.T, dir string) { write(t, dir+"/lib/python/site-packages/x/__init__.py", "") }},
		{"foreign link", func(t *testing.T, dir string) { must(t, os.Symlink("/tmp", dir+"/lib/python/site-packages")) }},
		{"pyc without source", func(t *testing.T, dir string) { write(t, dir+"/lib/python/evil.pyc", "") }},
		{"library among the pyc", func(t *testing.T, dir string) { write(t, dir+"/lib/python/__pycache__/evil.so", "") }},
		{"folder among the pyc", func(t *testing.T, dir string) { write(t, dir+"/lib/python/__pycache__/x/evil.pyc", "") }},
		{"pyc folder is a link", func(t *testing.T, dir string) { must(t, os.Symlink("/tmp", dir+"/lib/python/__pycache__")) }},
		{"pipe", func(t *testing.T, dir string) { must(t, syscall.Mkfifo(dir+"/lib/python/x", 0o600)) }},
		{"manifest is a pipe", func(t *testing.T, dir string) {
			must(t, os.Remove(dir+"/"+manifestName))
			must(t, syscall.Mkfifo(dir+"/"+manifestName, 0o600))
		}},
		{"not executable", func(t *testing.T, dir string) { must(t, os.Chmod(dir+"/bin/python", 0o600)) }},
		{"executable", func(t *testing.T, dir string) { must(t, os.Chmod(dir+"/lib/python/os.py", 0o700)) }},
		{"file for everyone", func(t *testing.T, dir string) { must(t, os.Chmod(dir+"/lib/python/os.py", 0o666)) }},
		{"set-uid file", func(t *testing.T, dir string) { must(t, os.Chmod(dir+"/bin/python", 0o700|fs.ModeSetuid)) }},
		{"folder for everyone", func(t *testing.T, dir string) { must(t, os.Chmod(dir+"/lib/python", 0o777)) }},
		{"top folder for everyone", func(t *testing.T, dir string) { must(t, os.Chmod(dir, 0o755)) }},
		{"folder for nobody", func(t *testing.T, dir string) { must(t, os.Chmod(dir+"/lib/python", 0)) }},
		{"top folder for nobody", func(t *testing.T, dir string) { must(t, os.Chmod(dir, 0)) }},
		{"manifest gone and a file changed", func(t *testing.T, dir string) {
			must(t, os.Remove(dir+"/"+manifestName))
			write(t, dir+"/lib/python/os.py", "import sus\n")
		}},
		{"manifest vouches for a changed file", func(t *testing.T, dir string) {
			write(t, dir+"/lib/python/os.py", "import sus\n")
			files, err := list(dir, "linux", nil)
			must(t, err)
			_, err = hashAll(dir, files, nil)
			must(t, err)
			must(t, writeManifest(dir, dir+"/../x*", files))
		}},
		{"half unpacked in place", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir))
			must(t, os.MkdirAll(dir+"/bin", 0o700))
			write(t, dir+"/bin/python", "a pro")
		}},
		{"a file instead", func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)); write(t, dir, "") }},
		{"a link instead", func(t *testing.T, dir string) {
			must(t, os.Rename(dir, dir+"/../../x"))
			must(t, os.Symlink("../x", dir))
		}},
		{"another user's folder", func(t *testing.T, dir string) { chown(t, dir) }},
		{"another user's file", func(t *testing.T, dir string) { chown(t, dir+"/lib/python/os.py") }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			dir := f.open()
			c.damage(t, dir)
			os.Remove(f.base + "/stolen")
			f.open()
			if f.unpacked() != 2 {
				t.Errorf("unpacked %d times, want 2", f.unpacked())
			}
			f.intact(dir)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(name), 0o700))
	must(t, os.WriteFile(name, []byte(text), 0o600))
}

func chown(t *testing.T, name string) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	if err := os.Chown(name, 12345, 12345); err != nil {
		t.Fatal(err)
	}
}

// What Python does by itself, and what changes no contents, is no reason to unpack again.
func TestOpenKeeps(t *testing.T) {
	cases := []struct {
		name   string
		change func(dir string) error
	}{
		{"pyc", func(dir string) error {
			os.Mkdir(dir+"/lib/python/__pycache__", 0o755)
			return os.WriteFile(dir+"/lib/python/__pycache__/os.cpython-314.pyc", nil, 0o644)
		}},
		{"pyc being written", func(dir string) error {
			os.Mkdir(dir+"/lib/python/__pycache__", 0o755)
			return os.WriteFile(dir+"/lib/python/__pycache__/os.cpython-314.pyc.139872", nil, 0o644)
		}},
		{"touched", func(dir string) error {
			return os.Chtimes(dir+"/lib/python/os.py", time.Now(), time.Now().Add(time.Hour))
		}},
		{"manifest gone", func(dir string) error { return os.Remove(dir + "/" + manifestName) }},
		{"manifest damaged", func(dir string) error { return os.Truncate(dir+"/"+manifestName, 150) }},
		{"manifest for everyone", func(dir string) error { return os.Chmod(dir+"/"+manifestName, 0o644) }},
		{"empty folder", func(dir string) error { return os.Mkdir(dir+"/lib/empty", 0o700) }},
		{"cache folder wider", func(dir string) error { return os.Chmod(filepath.Dir(dir), 0o755) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			dir := f.open()
			if err := c.change(dir); err != nil {
				t.Fatal(err)
			}
			f.open()
			if f.unpacked() != 1 {
				t.Errorf("unpacked %d times, want 1", f.unpacked())
			}
			f.intact(dir)
			if info, _ := os.Stat(f.base); info.Mode().Perm() != 0o700 {
				t.Errorf("the cache folder has mode %v", info.Mode())
			}
		})
	}
}

// Files whose stat is unchanged are not read: that is what makes a start quick.
func TestOpenTrustsManifest(t *testing.T) {
	f := newFixture(t)
	dir := f.open()
	files, fresh, err := f.check(dir)
	if err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	known := readManifest(dir)
	for _, want := range files {
		if got := known[want.name]; got != want {
			t.Errorf("manifest has %+v, want %+v", got, want)
		}
	}
	clear(known)
	if fresh, _ := hashAll(dir, files, known); fresh {
		t.Error("fresh without a manifest")
	}
}

func TestOpenTogether(t *testing.T) {
	f := newFixture(t)
	var children []*exec.Cmd
	for range 4 {
		cmd := f.child("open")
		cmd.Stdout = os.Stdout
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		children = append(children, cmd)
	}
	for _, cmd := range children {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if f.unpacked() != 1 {
		t.Errorf("unpacked %d times", f.unpacked())
	}
	f.intact(f.open())
}

func TestOpenAfterKill(t *testing.T) {
	f := newFixture(t)
	cmd := f.child("hang")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(f.base); len(entries) != 2 {
		t.Errorf("while unpacking: %v", entries)
	}
	cmd.Process.Kill()
	cmd.Wait()
	f.intact(f.open())
}

func TestOpenErrors(t *testing.T) {
	t.Run("disk full", func(t *testing.T) {
		f := newFixture(t)
		f.Unpack = func(dir string) error {
			os.Mkdir(dir, 0o700)
			return &fs.PathError{Op: "write", Path: dir, Err: syscall.ENOSPC}
		}
		_, err := f.Open(f.base)
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("got %v", err)
		}
		if entries, _ := os.ReadDir(f.base); len(entries) != 1 {
			t.Errorf("left behind: %v", entries)
		}
	})
	t.Run("other data", func(t *testing.T) {
		f := newFixture(t)
		f.Digest = strings.Repeat("0", 64)
		if _, err := f.Open(f.base); err == nil || !strings.Contains(err.Error(), "not the right ones") {
			t.Errorf("got %v", err)
		}
		if _, err := os.Stat(filepath.Join(f.base, f.Name)); err == nil {
			t.Error("the wrong tree was put into place")
		}
	})
	t.Run("failed repair keeps what is there", func(t *testing.T) {
		f := newFixture(t)
		dir := f.open()
		os.Remove(dir + "/lib/python/os.py")
		f.Unpack = func(string) error { return syscall.ENOSPC }
		if _, err := f.Open(f.base); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("got %v", err)
		}
		if _, err := os.Stat(dir + "/bin/python"); err != nil {
			t.Error(err)
		}
	})
	t.Run("below a file", func(t *testing.T) {
		f := newFixture(t)
		os.WriteFile(f.base, nil, 0o600)
		if _, err := f.Open(filepath.Join(f.base, "x")); !errors.Is(err, syscall.ENOTDIR) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a link", func(t *testing.T) {
		f := newFixture(t)
		os.Symlink(t.TempDir(), f.base)
		if _, err := f.Open(f.base); err == nil || !strings.Contains(err.Error(), "link") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("another user's", func(t *testing.T) {
		f := newFixture(t)
		os.Mkdir(f.base, 0o700)
		chown(t, f.base)
		if _, err := f.Open(f.base); err == nil || !strings.Contains(err.Error(), "belongs to user 12345") {
			t.Errorf("got %v", err)
		}
	})
}

// A repair must not disturb a process that uses the old tree.
func TestRepairKeepsOpenFiles(t *testing.T) {
	f := newFixture(t)
	dir := f.open()
	lib, err := os.Open(dir + "/lib/libpython.so")
	if err != nil {
		t.Fatal(err)
	}
	defer lib.Close()
	os.Remove(dir + "/lib/python/os.py")
	f.open()
	if info, err := lib.Stat(); err != nil || info.Size() != int64(len(contents["lib/libpython.so"])) {
		t.Errorf("%v, %v", info, err)
	}
}
