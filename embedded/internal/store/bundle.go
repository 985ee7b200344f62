package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Bundle is a tree of files and the way to unpack it.
type Bundle struct {
	// Name is the name of its folder; it must differ for different contents.
	Name string
	// Digest is what [Digest] returns for the unpacked tree.
	Digest string
	// Unpack writes the tree to dir, whose parent exists and is private. It leaves modes to the caller.
	Unpack func(dir string) error
}

// lockTime is how long to wait for another process that unpacks.
const lockTime = 5 * time.Minute

// Open returns the folder of the tree below base, unpacked and checked. base is made if it is missing, with
// mode 0700, and narrowed to that if it is this user's and wider. Any number of goroutines and processes may
// call Open at the same time.
func (b Bundle) Open(base string) (string, error) {
	if err := Private(base); err != nil {
		return "", err
	}
	dir := filepath.Join(base, b.Name)
	files, fresh, err := b.check(dir)
	switch {
	case err != nil:
		err = b.repair(base, dir)
	case !fresh:
		// Right contents, other stat: the folder was copied, say. If the manifest cannot be renewed,
		// on a read-only file system, the next start hashes again, and that is all.
		_ = writeManifest(dir, filepath.Join(base, b.stage()), files)
	}
	if err != nil {
		return "", err
	}
	return dir, nil
}

// Private makes dir a folder that only this user can enter, or says why it is none.
func Private(dir string) error {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is a link, not a folder", dir)
	}
	if err := checkOwner(dir, info); err != nil {
		return err
	}
	if checkPrivate(dir, info) == nil {
		return nil
	}
	// On a read-only file system this fails, which does no harm as long as nobody else can write there.
	if err := os.Chmod(dir, dirMode); err != nil && info.Mode()&0o022 != 0 {
		return err
	}
	return nil
}

// check returns the files if dir holds the tree and nothing else; fresh says that the manifest knows all of
// them as they are.
func (b Bundle) check(dir string) (files []file, fresh bool, err error) {
	known := readManifest(dir)
	files, err = list(dir, runtime.GOOS, checkPrivate)
	if err != nil {
		return nil, false, err
	}
	fresh, err = hashAll(dir, files, known)
	if err != nil {
		return nil, false, err
	}
	if got := digest(files); got != b.Digest {
		return nil, false, fmt.Errorf("%s holds %d files with digest %.16s, not %.16s", dir, len(files), got, b.Digest)
	}
	return files, fresh, nil
}

// repair puts a fresh tree into place, unless another process has done so in the meantime.
func (b Bundle) repair(base, dir string) error {
	lock := flock.New(dir + ".lock")
	ctx, cancel := context.WithTimeout(context.Background(), lockTime)
	defer cancel()
	if _, err := lock.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	defer lock.Close()
	if _, _, err := b.check(dir); err == nil {
		return nil
	}
	b.sweep(base)
	stage, err := os.MkdirTemp(base, b.stage())
	if err != nil {
		return err
	}
	defer remove(stage)
	tree := filepath.Join(stage, "tree")
	if err := b.unpack(stage, tree); err != nil {
		return err
	}
	return swap(tree, dir, filepath.Join(stage, "old"))
}

const stageSuffix = ".stage-"

// stage is the pattern for names of what is not in place yet.
func (b Bundle) stage() string { return b.Name + stageSuffix + "*" }

// sweep removes what killed processes left behind. It is called with the lock held, so nobody works there.
func (b Bundle) sweep(base string) {
	left, _ := os.ReadDir(base)
	for _, d := range left {
		if strings.HasPrefix(d.Name(), b.Name+stageSuffix) {
			remove(filepath.Join(base, d.Name()))
		}
	}
}

// unpack fills tree, checks it and writes its manifest. A check that fails here means a bad disk, or bad
// memory, or a program linked with other data than its digest is for.
func (b Bundle) unpack(stage, tree string) error {
	if err := b.Unpack(tree); err != nil {
		return err
	}
	if err := narrow(tree); err != nil {
		return err
	}
	files, _, err := b.check(tree)
	if err != nil {
		return fmt.Errorf("the files just unpacked are not the right ones: %w", err)
	}
	return writeManifest(tree, filepath.Join(stage, b.stage()), files)
}

// narrow takes everything away from other users, and makes everything writable for this one.
func narrow(tree string) error {
	return filepath.WalkDir(tree, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		if d.IsDir() {
			return os.Chmod(name, dirMode)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.Chmod(name, fileMode|info.Mode()&0o100)
	})
}

// swap moves tree to dir, and what was at dir to old. A process that uses the old tree keeps its open files,
// and finds the same contents under the same names when it opens more.
func swap(tree, dir, old string) error {
	info, err := os.Lstat(dir)
	if err == nil && info.IsDir() {
		_ = os.Chmod(dir, dirMode) // moving a folder needs write permission on it
	}
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(tree, dir); err != nil {
		_ = os.Rename(old, dir)
		return err
	}
	return nil
}

// remove deletes dir even where permissions are missing inside. What stays is swept next time.
func remove(dir string) {
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(name, dirMode)
		}
		return nil
	})
	_ = os.RemoveAll(dir)
}
