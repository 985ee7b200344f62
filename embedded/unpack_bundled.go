//go:build (linux && (amd64 || arm64)) || (darwin && (amd64 || arm64)) || (windows && amd64)

package embedded

import "github.com/kluctl/go-embed-python/python"

// unpack writes the bundled Python to dir. The module's own ideas of a good folder, and of an intact one (the
// sizes are right), are not relied on: dir is new and the caller checks what comes out.
func unpack(dir string) error {
	if _, err := python.NewEmbeddedPythonWithTmpDir(dir, false); err != nil {
		return err
	}
	return relink(dir)
}
