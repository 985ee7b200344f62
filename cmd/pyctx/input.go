package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// kind says what an item is. Its text is what python/items.py calls it.
type kind string

const (
	jsonLines kind = "json"
	textLines kind = "text"
	fileNames kind = "files"
)

// place is where an item comes from.
type place struct {
	file string
	line int64 // 0: the item is the file itself
}

func (p place) String() string {
	if p.line == 0 {
		return p.file
	}
	return fmt.Sprintf("%s:%d", p.file, p.line)
}

// item is one input of the function.
type item struct {
	number int64 // from 0, in the order of the input
	place  place
	raw    []byte
	size   int64 // how far it takes the progress bar
	err    error // it cannot be given to the function
}

// maxLine keeps an input without line ends from filling the memory.
const maxLine = 256 << 20

var errLongLine = fmt.Errorf("the line is longer than %d MiB", maxLine>>20)

// input is the list of inputs of a command line.
type input struct {
	kind  kind
	paths []string
	stdin *os.File
}

func newInput(k kind, args []string) *input {
	if len(args) == 0 {
		args = []string{"-"}
	}
	return &input{kind: k, paths: args, stdin: os.Stdin}
}

// typed tells whether items are typed by hand: what a terminal echoes leaves no place for a progress bar.
func (in *input) typed() bool { return in.readsStdin() && isTerminal(in.stdin) }

// check finds files that cannot be read before anything runs.
func (in *input) check() error {
	if in.kind == fileNames {
		return nil // they are the function's business
	}
	for _, path := range in.paths {
		if path == "-" {
			continue
		}
		if err := readable(path); err != nil {
			return err
		}
	}
	return nil
}

func readable(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder; to give its files to the function, use --files %s/*", path, path)
	}
	return openable(path)
}

// openable says why a file cannot be read. To open a pipe and close it would be noticed at its other end.
func openable(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode().IsRegular() {
		var f *os.File
		if f, err = os.Open(path); err == nil {
			return f.Close()
		}
	}
	if err != nil {
		return cannotRead(path, err)
	}
	return nil
}

// cannotRead says in the words of shells what is wrong with a file.
func cannotRead(path string, err error) error {
	var e *os.PathError
	if errors.As(err, &e) {
		err = e.Err
	}
	return fmt.Errorf("cannot read %s: %w", path, err)
}

func (in *input) readsStdin() bool {
	for _, path := range in.paths {
		if path == "-" {
			return true
		}
	}
	return false
}

// total is what the sizes of all items add up to, or -1 if that cannot be known beforehand.
func (in *input) total() int64 {
	var total int64
	for _, path := range in.paths {
		switch {
		case in.kind == fileNames && path != "-":
			total++
		case in.kind == fileNames:
			return -1
		default:
			n := in.length(path)
			if n < 0 {
				return -1
			}
			total += n
		}
	}
	return total
}

func (in *input) length(path string) int64 {
	info, err := in.stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return -1
	}
	return info.Size()
}

func (in *input) stat(path string) (os.FileInfo, error) {
	if path == "-" {
		return in.stdin.Stat()
	}
	return os.Stat(path)
}

// read yields all items until yield returns false.
func (in *input) read(yield func(item) bool) error {
	var number int64
	numbered := func(it item) bool {
		it.number = number
		number++
		return yield(it)
	}
	for _, path := range in.paths {
		if in.kind == fileNames && path != "-" {
			if !numbered(item{place: place{file: path}, raw: []byte(path), size: 1}) {
				return nil
			}
			continue
		}
		if more, err := in.readFile(path, numbered); err != nil || !more {
			return err
		}
	}
	return nil
}

func (in *input) readFile(path string, yield func(item) bool) (more bool, err error) {
	if path == "-" {
		return in.readLines(in.stdin, "<stdin>", yield)
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	return in.readLines(f, path, yield)
}

func (in *input) readLines(r io.Reader, name string, yield func(item) bool) (more bool, err error) {
	lines := lineReader{r: bufio.NewReaderSize(r, 256<<10)}
	for n := int64(1); ; n++ {
		line, size, err := lines.next()
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		long := errors.Is(err, errLongLine)
		if err == nil || long || (len(line) > 0 && errors.Is(err, io.EOF)) {
			if !in.blank(line) || long {
				it := item{place: place{name, n}, raw: line, size: size}
				if in.kind == fileNames {
					it = item{place: place{file: string(line)}, raw: line, size: 1}
				}
				if long {
					it.err = errLongLine
				}
				if !yield(it) {
					return false, nil
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil && !long {
			return false, fmt.Errorf("%s: line %d: %w", name, n, err)
		}
	}
}

// blank tells lines that are no items.
func (in *input) blank(line []byte) bool {
	if in.kind == jsonLines {
		line = bytes.TrimSpace(line)
	}
	return len(line) == 0
}

// lineReader reads lines of any length up to maxLine.
type lineReader struct{ r *bufio.Reader }

// next returns a copy of the next line without its end, and how many bytes it took. At the end of the input it returns
// io.EOF, maybe with a last line. A line too long is skipped.
func (l *lineReader) next() (line []byte, size int64, err error) {
	for {
		var part []byte
		part, err = l.r.ReadSlice('\n')
		size += int64(len(part))
		if size <= maxLine {
			line = append(line, part...)
		} else {
			line = nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			break
		}
	}
	if size > maxLine {
		if err == nil || errors.Is(err, io.EOF) {
			err = errLongLine // an end of the input comes again
		}
		return nil, size, err
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), size, err
}
