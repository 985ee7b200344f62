package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/pycontext/py/embedded/internal/store"
	"github.com/pycontext/py/internal/locate"
)

//go:generate go test -run TestDigests -update .

// Version is the version of the bundled CPython.
const Version = "3.14.6"

var version = locate.Version{3, 14, 6}

func init() { locate.RegisterBundled(find) }

// Dir returns the folder of the bundled Python, its sys.prefix, and unpacks or repairs it first if need be.
// The answer of the first call that succeeds stands for the life of the process. Any goroutine may call it;
// only one works, the others wait for it.
func Dir() (string, error) {
	opened.Lock()
	defer opened.Unlock()
	if opened.dir != "" {
		return opened.dir, nil
	}
	dir, err := open()
	opened.dir = dir
	return dir, err
}

var opened struct {
	sync.Mutex
	dir string
}

// find is what locate asks.
func find() (locate.Python, error) {
	dir, err := Dir()
	if err != nil {
		return locate.Python{}, err
	}
	py := locate.Python{Source: locate.SourceBundled, Home: dir, Version: version}
	switch runtime.GOOS {
	case "windows":
		py.Executable, py.Library = filepath.Join(dir, "python.exe"), filepath.Join(dir, "python314.dll")
	case "darwin":
		py.Executable = filepath.Join(dir, "bin", "python3.14")
		py.Library = filepath.Join(dir, "lib", "libpython3.14.dylib")
	default:
		py.Executable = filepath.Join(dir, "bin", "python3.14")
		py.Library = filepath.Join(dir, "lib", "libpython3.14.so.1.0")
	}
	return py, nil
}

// open tries the possible places in turn.
func open() (string, error) {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	digest, ok := digests[platform]
	if !ok {
		return "", fmt.Errorf("there is no bundled Python for %s: set PYCTX_PYTHON to an installed one", platform)
	}
	bundle := store.Bundle{Name: Version + "-" + digest[:16], Digest: digest, Unpack: unpack}
	var errs []error
	for _, place := range places(os.Getenv) {
		base, err := place()
		if err == nil {
			var dir string
			if err = startable(base); err == nil {
				dir, err = bundle.Open(base)
			}
			if err == nil {
				return dir, nil
			}
			err = fmt.Errorf("in %s: %w", base, err)
		}
		errs = append(errs, err)
	}
	return "", fmt.Errorf("cannot unpack the bundled Python: %w; set %s to a folder with 200 MB of free space "+
		"that belongs to you and that you can write", errors.Join(errs...), cacheVariable)
}
