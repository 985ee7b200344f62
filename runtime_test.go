package py

import (
	"errors"
	"strings"
	"testing"

	"github.com/pycontext/py/internal/locate"
)

// A library that the system does not map is an error that says why that may be, in the loader's words and in plain ones.
func TestCannotStart(t *testing.T) {
	unmapped := errors.New("libpython.so: failed to map segment from shared object")
	uncoded := errors.New("CPython does not start: failed to get the Python codec of the filesystem encoding")
	for _, c := range []struct {
		source string
		err    error
		says   []string
	}{
		{locate.SourceBundled, unmapped, []string{"bundled", unmapped.Error(), "noexec", "PYCTX_CACHE"}},
		{locate.SourcePath, unmapped, []string{"PATH", unmapped.Error(), "noexec"}},
		{locate.SourceBundled, uncoded, []string{uncoded.Error(), "delete the folder /x, "}},
		{locate.SourcePath, uncoded, []string{"libpython.so (PATH): " + uncoded.Error()}},
		{locate.SourceBundled, errors.New("other"), []string{"/x/libpython.so (bundled): other"}},
	} {
		err := cannotStart(locate.Python{Source: c.source, Library: "/x/libpython.so", Home: "/x"}, c.err)
		for _, part := range c.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%v does not say %q", err, part)
			}
		}
		if !errors.Is(err, c.err) || strings.Contains(err.Error(), "noexec") != (c.err == unmapped) {
			t.Errorf("got %v", err)
		}
	}
}
