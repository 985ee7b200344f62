// Command callback walks a folder with Go and Python taking turns: Go calls Python, which calls Go, which calls Python
// again, once for every level. Every call runs in the one context, on its one thread; none is ever repeated.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"path"
	"testing/fstest"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

// code decides what to count; Go knows the files. go.visit comes back to size once for each folder.
const code = `
import go

def size(folder, depth=0):
    total = 0
    for entry in go.entries(folder):
        if entry["Dir"]:
            total += go.visit(entry["Path"], depth + 1)
        elif entry["Path"].endswith(".txt"):
            total += entry["Size"]
    print("  " * depth + f"{folder}: {total} bytes of text")
    return total
`

type entry struct {
	Path string
	Size int64
	Dir  bool
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatalf("%+v", err)
	}
}

func run(ctx context.Context) error {
	files := fstest.MapFS{
		"notes/a.txt":           {Data: []byte("alpha")},
		"notes/b.bin":           {Data: []byte{1, 2, 3}},
		"notes/old/c.txt":       {Data: []byte("gamma!")},
		"notes/old/older/d.txt": {Data: []byte("delta!!")},
	}
	c, err := py.New(ctx, py.Options{Preload: code})
	if err != nil {
		return err
	}
	defer c.Close()

	err = c.Register("entries", func(folder string) ([]entry, error) { return list(files, folder) })
	if err != nil {
		return err
	}
	// ctx belongs to the Python code that made this call: a request made with it runs at once, on top of that code.
	err = c.Register("visit", func(ctx context.Context, folder string, depth int) (int64, error) {
		return py.Call[int64](ctx, c, "__main__", "size", folder, py.Kw{"depth": depth})
	})
	if err != nil {
		return err
	}

	total, err := py.Call[int64](ctx, c, "__main__", "size", "notes")
	if err != nil {
		return err
	}
	fmt.Println("in all:", total)

	// An error of a Go function is an exception in Python, and still the same error where it comes out.
	_, err = c.Call(ctx, "__main__", "size", "missing")
	fmt.Println(err, errors.Is(err, fs.ErrNotExist))
	return nil
}

func list(files fs.FS, folder string) ([]entry, error) {
	found, err := fs.ReadDir(files, folder)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, f := range found {
		info, err := f.Info()
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{path.Join(folder, f.Name()), info.Size(), f.IsDir()})
	}
	return entries, nil
}
