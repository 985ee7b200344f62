package embedded

import (
	"os"
	"path/filepath"
)

// links are symbolic links of the distribution that the Go module unpacks as copies. As links again they save
// half of the folder's 140 MB. Those of a few hundred bytes are left as they come.
var links = []struct{ name, target string }{
	{"bin/python", "python3.14"},
	{"bin/python3", "python3.14"},
	{"lib/libpython3.14.so", "libpython3.14.so.1.0"},
}

// relink replaces the copies in dir; those that this platform does not have are passed over.
func relink(dir string) error {
	for _, l := range links {
		name := filepath.Join(dir, filepath.FromSlash(l.name))
		if _, err := os.Lstat(name); err != nil {
			continue
		}
		if err := os.Remove(name); err != nil {
			return err
		}
		if err := os.Symlink(l.target, name); err != nil {
			return err
		}
	}
	return nil
}
