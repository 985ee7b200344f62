package locate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// finder walks the order of candidates and remembers those that it passed over.
type finder struct {
	env     func(string) string
	bundled func() (Python, error)
	passed  []Attempt
}

// explicit uses what the user named, or fails.
func (f *finder) explicit(source, path string) (Python, error) {
	py, err := f.resolve(path)
	if err != nil {
		return Python{}, &Error{Explicit: true, Attempts: []Attempt{{source, path, err}}}
	}
	py.Source = source
	return py, nil
}

// implicit tries what the machine offers.
func (f *finder) implicit() (Python, error) {
	if dir := f.env(SourceVirtualEnv); dir != "" {
		if py, ok := f.try(SourceVirtualEnv, dir, fromVenv); ok {
			return py, nil
		}
	}
	if f.bundled != nil {
		provide := func(string) (Python, error) { return f.bundled() }
		if py, ok := f.try(SourceBundled, "", provide); ok {
			return py, nil
		}
	}
	for _, path := range onPath(f.env("PATH")) {
		if py, ok := f.try(SourcePath, path, fromInterpreter); ok {
			return py, nil
		}
	}
	return Python{}, &Error{Attempts: f.passed}
}

// try notes the candidate if it cannot be used.
func (f *finder) try(source, path string, from func(string) (Python, error)) (Python, bool) {
	py, err := from(path)
	if err != nil {
		f.passed = append(f.passed, Attempt{source, path, err})
		return Python{}, false
	}
	py.Source, py.Passed = source, f.passed
	return py, true
}

// resolve tells apart what an explicit path may be.
func (f *finder) resolve(path string) (Python, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && filepath.Base(path) == path {
		if found := lookPath(f.env("PATH"), path); found != "" {
			return fromInterpreter(found)
		}
	}
	if err != nil {
		return Python{}, missing(path, err)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return Python{}, err
	}
	if info.IsDir() {
		return fromFolder(abs)
	}
	if kind, _ := kindOf(abs); kind == sharedLibrary {
		return fromLibrary(abs)
	}
	return fromInterpreter(abs)
}

// missing explains a failed stat. A python that is a link to nothing is the usual sign of a virtual
// environment whose base was removed.
func missing(path string, err error) error {
	target, linkErr := os.Readlink(path)
	switch {
	case linkErr == nil && errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("is a link to %q, which does not exist", target)
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("no such file or folder")
	}
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return err
}

// fromFolder takes a virtual environment, or the prefix of an installation.
func fromFolder(dir string) (Python, error) {
	if isVenv(dir) {
		return fromVenv(dir)
	}
	exe := pythonIn(dir)
	if exe == "" {
		return Python{}, fmt.Errorf("is a folder, but neither a virtual environment (no pyvenv.cfg) nor an "+
			"installation of Python (no %s)", filepath.Join(binDir, pythonNames[0]))
	}
	return fromInterpreter(exe)
}

// pathNames are tried on PATH in this order: first what a user gets by typing, then the newest.
var pathNames = []string{"python3", "python", "python3.15", "python3.14", "python3.13", "python3.12",
	"python3.15t", "python3.14t", "python3.13t"}

// onPath lists the interpreters on PATH, each once although folders and names may be links to each other.
func onPath(path string) []string {
	var found []string
	seen := map[string]bool{}
	for _, name := range pathNames {
		for _, dir := range filepath.SplitList(path) {
			exe := filepath.Join(dir, name+exeSuffix)
			if !filepath.IsAbs(dir) || checkExecutable(exe) != nil {
				continue
			}
			if id := identity(exe); !seen[id] {
				seen[id] = true
				found = append(found, exe)
			}
		}
	}
	return found
}

// lookPath finds one name on PATH. Like os/exec it does not look into the current folder.
func lookPath(path, name string) string {
	for _, dir := range filepath.SplitList(path) {
		exe := filepath.Join(dir, name)
		if filepath.IsAbs(dir) && checkExecutable(exe) == nil {
			return exe
		}
	}
	return ""
}

// identity is equal for two paths that must be the same interpreter. The folder counts, because a link in
// a virtual environment is not its target; the name counts where the target is a launcher that looks at it.
func identity(exe string) string {
	target, err := filepath.EvalSymlinks(exe)
	if err != nil {
		return exe
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(exe))
	if err != nil {
		return exe
	}
	if !strings.HasPrefix(filepath.Base(target), "python") {
		return filepath.Join(dir, filepath.Base(exe))
	}
	return dir + "\x00" + target
}

// checkExecutable is what can be said about an interpreter without running it.
func checkExecutable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return missing(path, err)
	}
	if info.IsDir() {
		return errors.New("is a folder, not an interpreter")
	}
	if !info.Mode().IsRegular() {
		return errors.New("is not a file")
	}
	if !executableMode(info) {
		return errors.New("is not executable, and no shared library")
	}
	return nil
}
