//go:build unix

package store

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Modes of everything in a tree: nobody but the owner.
const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

// checkOwner refuses what another user could change under our feet.
func checkOwner(name string, info fs.FileInfo) error {
	if sys, ok := info.Sys().(*syscall.Stat_t); ok && int(sys.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to user %d, not to the user %d that runs this program", name, sys.Uid,
			os.Geteuid())
	}
	return nil
}

// checkPrivate is asked about every file and folder of a tree.
func checkPrivate(name string, info fs.FileInfo) error {
	want := fileMode | info.Mode()&0o100
	switch {
	case info.IsDir():
		want = dirMode
	case info.Mode()&fs.ModeSymlink != 0:
		want = info.Mode().Perm() // a link's own mode means nothing
	}
	if mode := info.Mode() &^ fs.ModeType; mode != want {
		return fmt.Errorf("%s has mode %v, not %v", name, mode, want)
	}
	return checkOwner(name, info)
}
