package locate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// library finds the shared library of an interpreter that answered.
func (a *answer) library() (string, error) {
	var refused []string
	for _, path := range a.candidates() {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if err := a.owns(path); err != nil {
			refused = append(refused, fmt.Sprintf("%q %v", path, err))
			continue
		}
		return path, nil
	}
	if len(refused) > 0 {
		return "", fmt.Errorf("is CPython %s, but its shared library cannot be used: %s", a.Version,
			strings.Join(refused, "; "))
	}
	return "", a.noLibrary()
}

// owns reports whether the library at path is this interpreter's: a libpython of another version or build
// may lie in the same folder.
func (a *answer) owns(path string) error {
	lib, err := inspect(path)
	if err != nil {
		return err
	}
	if lib.version.minor() != a.Version.minor() || lib.freeThreaded != a.FreeThreaded {
		return fmt.Errorf("belongs to another Python, %s", lib)
	}
	return nil
}

// candidates lists where the library may be, likeliest first. What the build recorded comes before what is
// usual, but it is not always true: a relocated installation still names the folder it was built for.
func (a *answer) candidates() []string {
	var paths []string
	seen := map[string]bool{}
	for _, dir := range a.libraryDirs() {
		for _, name := range a.libraryNames() {
			path := filepath.Join(dir, name)
			if dir != "" && filepath.IsAbs(dir) && !seen[path] {
				seen[path] = true
				paths = append(paths, path)
			}
		}
	}
	return paths
}

func (a *answer) libraryDirs() []string {
	prefix, libDir, multi := string(a.BasePrefix), string(a.LibDir), string(a.MultiArch)
	exe := string(a.BaseExecutable)
	if exe == "" {
		exe = string(a.Executable)
	}
	if target, err := filepath.EvalSymlinks(exe); err == nil {
		exe = target
	}
	bin := filepath.Dir(exe)
	dirs := []string{libDir, filepath.Join(prefix, "lib"), filepath.Join(prefix, "lib64"), prefix, bin,
		filepath.Join(bin, "..", "lib"), string(a.LibPL), string(a.Framework)}
	if multi != "" { // Debian and Ubuntu
		dirs = append(dirs, filepath.Join(libDir, multi), filepath.Join(prefix, "lib", multi),
			filepath.Join("/usr/lib", multi))
	}
	return dirs
}

func (a *answer) libraryNames() []string {
	var names []string
	for _, name := range []string{string(a.InstSoName), string(a.LDLibrary)} {
		if name != "" && !strings.HasSuffix(name, ".a") {
			names = append(names, name)
		}
	}
	build := a.Version.minor()
	if a.FreeThreaded {
		build += "t"
	}
	switch runtime.GOOS {
	case "windows":
		names = append(names, "python"+strings.ReplaceAll(build, ".", "")+".dll")
	case "darwin":
		names = append(names, "libpython"+build+".dylib", "Python")
	default:
		names = append(names, "libpython"+build+".so.1.0", "libpython"+build+".so")
	}
	return names
}

// noLibrary says what to do about an interpreter that has everything in its executable.
func (a *answer) noLibrary() error {
	why := "its shared library is not installed (on Debian and Ubuntu: apt install libpython" +
		a.Version.minor() + ")"
	if !a.Shared && a.Framework == "" {
		why = "it is built without a shared library: rebuild it with --enable-shared (pyenv: " +
			"PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install --force " + a.Version.String() + ")"
	}
	return fmt.Errorf("is CPython %s, but %s; or set PYCTX_PYTHON to another Python, or import "+
		"github.com/pycontext/py/embedded", a.Version, why)
}

// fromLibrary takes a libpython by itself. Nothing says which interpreter it belongs to, so its prefix is
// derived from the standard library around it.
func fromLibrary(path string) (Python, error) {
	lib, err := inspect(path)
	if err != nil {
		return Python{}, err
	}
	if err := supported(lib.version); err != nil {
		return Python{}, err
	}
	py := Python{Library: path, Version: lib.version, FreeThreaded: lib.freeThreaded}
	py.Home = prefixOf(path, lib)
	if py.Home == "" { // a link in a folder of its own, perhaps
		if target, err := filepath.EvalSymlinks(path); err == nil {
			py.Home = prefixOf(target, lib)
		}
	}
	py.Executable = executableOf(py.Home, lib)
	return py, nil
}

// prefixOf walks up from the library to the folder that has the standard library below it, CPython's own
// landmark os.py. It returns "" if there is none: then CPython's built-in prefix has to do.
func prefixOf(path string, lib library) string {
	landmarks := []string{
		filepath.Join("lib", "python"+lib.build(), "os.py"),
		filepath.Join("lib64", "python"+lib.build(), "os.py"),
	}
	if runtime.GOOS == "windows" {
		landmarks = []string{filepath.Join("Lib", "os.py")}
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		for _, mark := range landmarks {
			if _, err := os.Stat(filepath.Join(dir, mark)); err == nil {
				return dir
			}
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// executableOf returns the interpreter that was installed with the library, or "".
func executableOf(prefix string, lib library) string {
	if prefix == "" {
		return ""
	}
	if runtime.GOOS == "windows" {
		return pythonIn(prefix)
	}
	exe := filepath.Join(prefix, binDir, "python"+lib.build())
	if checkExecutable(exe) != nil {
		return ""
	}
	return exe
}

var errNotLibpython = errors.New("is a shared library, but not the libpython of a CPython 3.11 or later " +
	"(a libpython3.so is only a stub: give the libpython3.X itself)")
