package py

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"
	"unicode/utf8"

	"github.com/pycontext/py/internal/wire"
)

// encodeFile writes an io.Reader, an io.Writer or both, with what else they can do.
func encodeFile(e *wire.Encoder, v any) error {
	e.Standard(wire.KindFile)
	e.Tuple(6)
	r := &reader{}
	if from, ok := v.(io.Reader); ok {
		r.from = from
		lend(e, &goFunc{name: "read", lent: true, min: 1, max: 1, body: r.answer}, false, nil)
	} else {
		e.None()
	}
	for _, m := range r.methods(v) {
		if m.f == nil {
			e.None()
			continue
		}
		g, err := newFuncValue(reflect.ValueOf(m.f), m.name)
		if err != nil {
			return err
		}
		lend(e, g, false, nil)
	}
	return nil
}

type method struct {
	name string
	f    any
}

// methods are those beside read, in the order of SPEC.md; nil stands for what v does not have.
func (r *reader) methods(v any) [5]method {
	m := [5]method{{name: "write"}, {name: "seek"}, {name: "truncate"}, {name: "flush"}, {name: "close"}}
	if w, ok := v.(io.Writer); ok {
		m[0].f = writeAll(w)
	}
	if s, ok := v.(io.Seeker); ok {
		if _, err := s.Seek(0, io.SeekCurrent); err == nil { // a pipe has the method, and no place
			r.to = s
			m[1].f = r.seek
		}
	}
	if t, ok := v.(interface{ Truncate(size int64) error }); ok {
		m[2].f = func(size int64) error { return fileFails(t.Truncate(size)) }
	}
	if f, ok := v.(interface{ Flush() error }); ok {
		m[3].f = func() error { return fileFails(f.Flush()) }
	}
	if c, ok := v.(io.Closer); ok {
		m[4].f = func() error { return fileFails(c.Close()) }
	}
	return m
}

func writeAll(w io.Writer) func(p []byte) (int, error) {
	return func(p []byte) (int, error) {
		n, err := w.Write(p)
		if n < len(p) && err == nil {
			err = io.ErrShortWrite
		}
		return n, fileFails(err)
	}
}

// fileError is an error of a file, which Python expects to be an OSError.
type fileError struct{ error }

func fileFails(err error) error {
	if err == nil {
		return nil
	}
	return fileError{err}
}

func (e fileError) Unwrap() error { return e.error }

func (e fileError) pythonKind() string {
	if kind := pythonKind(e.error); kind != "" {
		return kind
	}
	return "OSError"
}

// A reader gives Python the bytes of an io.Reader.
type reader struct {
	mu   sync.Mutex
	from io.Reader
	to   io.Seeker
	err  error  // came with the last bytes
	back []byte // was read, and then dropped on the way to a request that was interrupted
}

// largestRead is how much Python gets at once.
const largestRead = 1 << 20

// answer is the body of the function read: as many bytes as there are, at most n, and none at the end. Given bytes, it takes
// them back.
func (r *reader) answer(f *goFunc, ctx func() context.Context, d *wire.Decoder, e *wire.Encoder) (*raise, error) {
	read, _ := unary(func(_ func() context.Context, arg any) ([]byte, error) {
		n, ok := arg.(int64)
		if !ok {
			back, _ := arg.([]byte)
			r.takeBack(back)
			return nil, nil
		}
		data, err := r.read(int(min(n, largestRead)))
		e.Holds = append(e.Holds, func(read bool) {
			if !read {
				r.takeBack(data)
			}
		})
		return data, fileFails(err)
	})
	return read(f, ctx, d, e)
}

func (r *reader) takeBack(data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.back = append(data[:len(data):len(data)], r.back...) // it may have been a part of that
}

func (r *reader) read(n int) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n <= 0 {
		return nil, nil
	}
	if k := min(n, len(r.back)); k > 0 {
		data := r.back[:k:k]
		r.back = r.back[k:]
		return data, nil
	}
	buf := make([]byte, n)
	const tries = 100
	for range tries {
		var k int
		err := r.err
		if r.err = nil; err == nil {
			k, err = r.from.Read(buf)
		}
		if k > 0 {
			r.err = err
			return buf[:k], nil
		}
		if err == io.EOF {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, io.ErrNoProgress
}

func (r *reader) seek(offset int64, whence int) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if whence == io.SeekCurrent {
		offset -= int64(len(r.back))
	}
	r.back, r.err = nil, nil
	at, err := r.to.Seek(offset, whence)
	return at, fileFails(err)
}

// file is a Python file object as Go uses it. Text is UTF-8.
type file struct {
	object *Object
	chain  *chain

	mu     sync.Mutex
	whole  bool   // it has no read1, only read
	rest   []byte // was read, and not asked for yet
	text   bool   // it takes str
	partly []byte // the beginning of a character that was not written yet
}

var fileType = reflect.TypeFor[*file]()

// isFile reports whether a Python file object can be a t: an interface to read or write with.
func isFile(t reflect.Type) bool {
	if t.Kind() != reflect.Interface || !fileType.Implements(t) {
		return false
	}
	_, reads := t.MethodByName("Read")
	_, writes := t.MethodByName("Write")
	return reads || writes
}

func decodeFile(d *wire.Decoder, v reflect.Value) error {
	x, err := d.Object("a file object for a Go " + v.Type().String())
	if err != nil {
		return err
	}
	if x == nil {
		v.SetZero()
		return nil
	}
	v.Set(reflect.ValueOf(&file{object: x.(*Object), chain: d.Scope.(home).origin()}))
	return nil
}

// original is the object, unless some of what it gave or is to be given is here, or somebody uses it.
func (f *file) original() *Object {
	if !f.mu.TryLock() {
		return nil
	}
	defer f.mu.Unlock()
	if len(f.rest) > 0 || len(f.partly) > 0 {
		return nil
	}
	return f.object
}

// Read reads what is there, at least a byte.
func (f *file) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	if len(f.rest) == 0 {
		data, err := f.fetch(len(p))
		if err != nil {
			return 0, err
		}
		if len(data) == 0 {
			return 0, io.EOF
		}
		f.rest = data
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// fetch reads up to n bytes, or characters of a text file.
func (f *file) fetch(n int) ([]byte, error) {
	var data any
	var err error
	if !f.whole {
		data, err = f.object.CallMethod(f.chain.now(), "read1", n)
		f.whole = errors.Is(err, Exception("AttributeError"))
	}
	if f.whole {
		data, err = f.object.CallMethod(f.chain.now(), "read", n)
	}
	switch data := data.(type) {
	case []byte:
		return data, err
	case string:
		return []byte(data), err
	case ByteArray:
		return data, err
	}
	switch {
	case err != nil:
	case data == nil:
		err = errors.New("py: read() of a Python file returned None: there is nothing at the moment, and the file does not wait")
	default:
		err = fmt.Errorf("py: read() of a Python file returned what is a Go %T, neither bytes nor text", data)
	}
	return nil, err
}

// Write writes all of p, as text where the file is one.
func (f *file) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.text {
		n, err := f.writeBytes(p)
		if n > 0 || !errors.Is(err, Exception("TypeError")) {
			return n, err
		}
		f.text = true
	}
	return f.writeText(p)
}

// writeBytes goes on while the file takes a part.
func (f *file) writeBytes(p []byte) (written int, err error) {
	for {
		n, err := CallMethod[*int](f.chain.now(), f.object, "write", p[written:])
		switch {
		case err != nil:
			return written, err
		case n == nil:
			return written, errors.New("py: write() of a Python file returned None, and it is unknown what it took: it has to return the " +
				"number of bytes; one that does not wait took none")
		case *n >= len(p)-written:
			return len(p), nil
		case *n <= 0:
			return written, io.ErrShortWrite
		}
		written += *n
	}
}

// writeText keeps back a character that is not complete yet.
func (f *file) writeText(p []byte) (int, error) {
	all := append(f.partly, p...)
	end := len(all)
	for i := 1; i < utf8.UTFMax && i <= len(all); i++ {
		if b := all[len(all)-i]; utf8.RuneStart(b) {
			if !utf8.FullRune(all[len(all)-i:]) {
				end = len(all) - i
			}
			break
		}
	}
	if _, err := f.object.CallMethod(f.chain.now(), "write", string(all[:end])); err != nil {
		return 0, err
	}
	f.partly = append([]byte(nil), all[end:]...)
	return len(p), nil
}

// Seek moves the file, whose place may be ahead of what was read.
func (f *file) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if whence == io.SeekCurrent {
		offset -= int64(len(f.rest))
	}
	at, err := CallMethod[int64](f.chain.now(), f.object, "seek", offset, whence)
	if err == nil {
		f.rest = nil
	}
	return at, err
}

// Close closes the file in Python and lets it go.
func (f *file) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.object.CallMethod(f.chain.now(), "close")
	if err == nil && len(f.partly) > 0 {
		err = errors.New("py: what was written to a Python text file ends within a character")
	}
	f.object.Close()
	return err
}
