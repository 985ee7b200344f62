package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// file is one entry of a tree. Folders are not entries: an empty one runs nothing, and the others follow
// from the files in them.
type file struct {
	name string // relative, with forward slashes
	exec bool   // owner may execute it; always false on Windows, which has no such bit
	link string // target, for a symbolic link
	sum  string // SHA-256 of the contents in hex; empty for a link
	stat stat
}

// stat is what changes when somebody writes a file. The change time and the inode are zero where the
// system has none.
type stat struct{ size, modified, changed, inode int64 }

// Digest returns the digest of the tree in dir, as [Bundle.Digest] wants it. goos is the system that the
// tree is for; it need not be this one.
func Digest(dir, goos string) (string, error) {
	files, err := list(dir, goos, nil)
	if err != nil {
		return "", err
	}
	if _, err := hashAll(dir, files, nil); err != nil {
		return "", err
	}
	return digest(files), nil
}

// digest is over names, execute bits, link targets and contents. Times, owners and other permissions do not
// belong to the contents; the latter two are checked on their own.
func digest(files []file) string {
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%q %t %q %s\n", f.name, f.exec, f.link, f.sum)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// list returns the tree's files sorted by name, without their sums. check, if not nil, is asked about every
// file and folder. Python's compiled files are left out: they come and go as the tree is used.
func list(dir, goos string, check func(name string, info fs.FileInfo) error) ([]file, error) {
	var files []file
	err := filepath.WalkDir(dir, func(full string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, full)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if isManifest(name, d) || isCache(name, d) {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if check != nil {
			if err := check(name, info); err != nil {
				return err
			}
		}
		if d.IsDir() {
			return nil
		}
		f, err := entry(full, name, goos, info)
		files = append(files, f)
		return err
	})
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return files, err
}

func entry(full, name, goos string, info fs.FileInfo) (file, error) {
	f := file{name: name, stat: statOf(info)}
	switch {
	case info.Mode().IsRegular():
		f.exec = goos != "windows" && info.Mode()&0o100 != 0
		return f, nil
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(full)
		f.link = filepath.ToSlash(target)
		return f, err
	}
	return f, fmt.Errorf("%s is neither a file, a folder nor a link", name)
}

func isManifest(name string, d fs.DirEntry) bool { return name == manifestName && d.Type().IsRegular() }

// pyc matches what CPython writes into __pycache__, its temporary files included: those exist for a moment
// whenever another process compiles a module.
var pyc = regexp.MustCompile(`\.pyc(\.\d+)?$`)

// isCache is true for a __pycache__ folder and its .pyc files. CPython reads such a file only for the module
// beside the folder, and only this user can have written it. Anything else in there counts as foreign.
func isCache(name string, d fs.DirEntry) bool {
	if d.IsDir() {
		return path.Base(name) == cacheDir
	}
	return d.Type().IsRegular() && path.Base(path.Dir(name)) == cacheDir && pyc.MatchString(name)
}

const cacheDir = "__pycache__"

// hashAll fills the sums in: from known where the stat is the same, else from the contents. It reports
// whether known had all of them.
func hashAll(dir string, files []file, known map[string]file) (fresh bool, err error) {
	fresh = true
	for i := range files {
		f := &files[i]
		if old, ok := known[f.name]; ok && old.stat == f.stat && old.link == f.link && old.exec == f.exec {
			f.sum = old.sum
			continue
		}
		fresh = false
		if f.link != "" {
			continue
		}
		if f.sum, err = hash(filepath.Join(dir, filepath.FromSlash(f.name))); err != nil {
			return false, err
		}
	}
	return fresh, nil
}

func hash(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
