package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pycontext/py"
)

// module is the name under which the Python halves of the commands live in an interpreter.
const module = "_pyctx"

//go:embed python/*.py
var halves embed.FS

// start loads Python.
func (g *global) start(config py.Config) error {
	config.Python = g.python
	config.Paths = filepath.SplitList(os.Getenv("PYTHONPATH"))
	return asFailure(py.Start(config))
}

const install = `
import sys
if name not in sys.modules:
    _module = type(sys)(name)
    for _text in texts:
        exec(compile(_text, "<pyctx>", "exec"), vars(_module))
    sys.modules[name] = _module
del name, texts
`

// furnish puts the named files into a context's interpreter, as one module. Contexts that share an interpreter share it,
// and must not be furnished at the same time.
func furnish(ctx context.Context, c *py.Context, files ...string) error {
	var texts []string
	for _, file := range files {
		text, err := halves.ReadFile("python/" + file)
		if err != nil {
			return err
		}
		texts = append(texts, string(text))
	}
	if err := c.Exec(ctx, install, py.Vars{"name": module, "texts": texts}); err != nil {
		return fmt.Errorf("cannot prepare a %s context: %w", c.Mode(), err)
	}
	return nil
}

// withoutOwnFrames takes the frames of the files above, and of Python's loading of FILE.py, out of a traceback: they are
// not the user's.
func withoutOwnFrames(err error) error {
	var e *py.Error
	if errors.As(err, &e) {
		e.Traceback = slices.DeleteFunc(e.Traceback, func(f py.Frame) bool { return f.File == "<pyctx>" || strings.HasPrefix(f.File, "<frozen importlib.") })
	}
	return err
}
