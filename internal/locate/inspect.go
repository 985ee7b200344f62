package locate

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
)

// library is what a libpython's file says about it, without loading it.
type library struct {
	version      Version
	freeThreaded bool
}

// build is the version as it stands in file names: "3.14", "3.14t".
func (l library) build() string {
	if l.freeThreaded {
		return l.version.minor() + "t"
	}
	return l.version.minor()
}

func (l library) String() string {
	if l.freeThreaded {
		return l.version.String() + " (free-threaded)"
	}
	return l.version.String()
}

// Both symbols are part of CPython's exports: Py_Version since 3.11 (PY_VERSION_HEX), _Py_DecRefShared
// only in free-threaded builds, whose reference counts have a shared half.
const (
	versionSymbol      = "Py_Version"
	freeThreadedSymbol = "_Py_DecRefShared"
)

// kindOf tells a library from an interpreter by content, since names may be anything.
func kindOf(path string) (kind, error) {
	img, err := open(path)
	if err != nil {
		return otherFile, err
	}
	defer img.Close()
	return img.kind, nil
}

// inspect reads the version out of a libpython, and refuses one that this program cannot load.
func inspect(path string) (library, error) {
	img, err := open(path)
	if err != nil {
		return library{}, err
	}
	defer img.Close()
	if img.kind != sharedLibrary {
		return library{}, errors.New("is not a shared library")
	}
	if img.arch != runtime.GOARCH {
		return library{}, fmt.Errorf("is built for %s, this program for %s", img.arch, runtime.GOARCH)
	}
	if hex, ok := img.symbol(versionSymbol); ok {
		_, free := img.symbol(freeThreadedSymbol)
		return library{version: decodeVersion(hex), freeThreaded: free}, nil
	}
	if lib, ok := fromName(path); ok && (lib.version.less(Version{3, 11, 0}) || img.stripped) {
		return lib, nil
	}
	return library{}, errNotLibpython
}

// decodeVersion splits PY_VERSION_HEX: a byte each for major, minor and micro, then the release level.
func decodeVersion(hex uint32) Version {
	return Version{int(hex >> 24), int(hex >> 16 & 0xff), int(hex >> 8 & 0xff)}
}

var namePattern = regexp.MustCompile(`^(?:lib)?python(\d)\.?(\d+)(t?)(?:[dmu]*)\.(?:so|dylib|dll)`)

// fromName is for old versions, and for files whose symbols cannot be read.
func fromName(path string) (library, bool) {
	m := namePattern.FindStringSubmatch(filepath.Base(path))
	if m == nil {
		return library{}, false
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	return library{version: Version{major, minor, 0}, freeThreaded: m[3] == "t"}, true
}
