package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/pycontext/py/embedded/internal/store"
)

// cacheVariable names the folder that takes the place of the user's cache folder.
const cacheVariable = "PYCTX_CACHE"

// folder is this project's below a cache folder.
const folder = "pyctx"

// places returns the folders to try. A folder that the user named is the only one: to use another silently
// would hide a mistake.
func places(getenv func(string) string) []func() (string, error) {
	if named := getenv(cacheVariable); named != "" {
		return []func() (string, error){func() (string, error) {
			abs, err := filepath.Abs(named)
			return filepath.Join(abs, folder), err
		}}
	}
	return []func() (string, error){userCache, temporary}
}

// startable says why CPython could not be started from below a folder.
func startable(dir string) error {
	switch {
	case !utf8.ValidString(dir):
		return errors.New("the name is not UTF-8, and CPython starts from no other")
	case strings.ContainsRune(dir, filepath.ListSeparator):
		return fmt.Errorf("CPython takes a name with a %q for a list of folders", filepath.ListSeparator)
	}
	return nil
}

// userCache fails where HOME and the like are unset.
func userCache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, folder), nil
}

// temporary returns a private folder below the shared temporary one. The first name is predictable, so that
// all programs of this user find the same; where someone else has taken it, a random one is made and found
// again by those that come later. Either must be this user's own: store.Private refuses another's.
func temporary() (string, error) {
	name := fmt.Sprintf("%s-%d", folder, os.Geteuid())
	tmp, err := filepath.Abs(os.TempDir())
	if err != nil {
		return "", err
	}
	first := filepath.Join(tmp, name)
	taken := store.Private(first)
	if taken == nil {
		return first, nil
	}
	entries, _ := os.ReadDir(tmp)
	for _, e := range entries {
		dir := filepath.Join(tmp, e.Name())
		if strings.HasPrefix(e.Name(), name+"-") && e.IsDir() && store.Private(dir) == nil {
			return dir, nil
		}
	}
	dir, err := os.MkdirTemp(tmp, name+"-")
	if err != nil {
		return "", errors.Join(taken, err)
	}
	return dir, nil
}
