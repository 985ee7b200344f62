package py

import (
	"fmt"
	"maps"
	"slices"
	"unicode"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/wire"
)

// frame writes the request as SPEC.md has it, or releases it.
func (c *Context) frame(r *cpython.Request, q *request, args []any) ([]byte, error) {
	written := false
	defer func() {
		if !written { // or a Marshaler panicked, or called runtime.Goexit
			r.Release()
		}
	}()
	x, ok := r.Scratch.(*exchange)
	if !ok {
		x = &exchange{
			encoder: wire.Encoder{Grow: r.Grow, Lend: r.Lend, Blob: r.Blob, BlobStr: r.BlobStr, Hooks: codecHooks, Scope: c, Converted: &c.converted},
			decoder: wire.Decoder{Hooks: codecHooks, Bytes: pythonBytes},
			home:    c,
		}
		x.decoder.Scope = x
		r.Scratch = x
	}
	e := &x.encoder
	buf := r.Buffer()
	if n := sameHead(q, buf[:cap(buf)]); n > 0 {
		e.Reset(buf[:n])
	} else {
		e.Reset(buf)
		if err := c.writeHead(e, q); err != nil {
			return nil, err
		}
	}
	err := c.operands(e, q, args)
	written = err == nil
	return e.Buf, err
}

const headNames = 2 + 8 // where the names begin in a head, behind the verb, the want and the env

// sameHead is how long the head of a frame is that the buffer has from the last request, where that of q would be the same: a program
// mostly asks for the same again. 0: it has to be written.
func sameHead(q *request, buf []byte) int {
	most := headNames + 2 + len(q.module) + len(q.name)
	if most > min(0x7f, len(buf)) || q.env != nil || buf[0] != byte(q.verb) || buf[1] != byte(q.want) || q.want == wire.WantFields ||
		[8]byte(buf[2:headNames]) != [8]byte{} {
		return 0
	}
	switch q.verb {
	case wire.VerbCall:
		if n := sameName(buf, headNames, q.module); n > 0 {
			return sameName(buf, n, q.name)
		}
	case wire.VerbEval, wire.VerbExec:
		return sameName(buf, headNames, q.name)
	}
	return 0
}

// sameName is where a name in the buffer ends, if it is that one, and else 0.
func sameName(buf []byte, at int, name string) int {
	end := at + 1 + len(name)
	if int(buf[at]) != len(name) || string(buf[at+1:end]) != name {
		return 0
	}
	return end
}

// writeHead writes what a frame begins with: the verb, the want, the env, and the names of what is asked for.
func (c *Context) writeHead(e *wire.Encoder, q *request) error {
	e.Byte(0) // no verb, until the head is complete
	if err := q.check(); err != nil {
		return err
	}
	e.Byte(byte(q.want))
	env, err := q.env.handleIn(e, c)
	if err != nil {
		return err
	}
	e.Uint64(env)
	if q.want == wire.WantFields {
		writeFields(e, q.fields)
	}
	switch q.verb {
	case wire.VerbCall:
		err = writeNames(e, q.module, q.name)
	case wire.VerbEval, wire.VerbExec, wire.VerbEnv:
		err = writeNames(e, q.name)
	}
	if err == nil {
		e.Buf[0] = byte(q.verb)
	}
	return err
}

// pythonBytes are bytes that Python keeps where they are until a request or a callback is over.
func pythonBytes(address, n uint64) []byte { return cpython.Items[byte](address, int(n)) }

// operands writes what follows the head.
func (c *Context) operands(e *wire.Encoder, q *request, args []any) error {
	switch q.verb {
	case wire.VerbCall:
		return writeArgs(e, args)
	case wire.VerbEval, wire.VerbExec:
		return writeVars(e, q.vars)
	case wire.VerbEnv:
		return nil
	case wire.VerbConvert, wire.VerbUnconvert:
		return c.writeConverter(e, q)
	case wire.VerbAttach:
		e.Uint64(q.attached)
		return nil
	}
	handle, err := q.object.handleIn(e, c)
	e.Uint64(handle)
	switch {
	case err != nil || q.verb == wire.VerbBuffer:
		return err
	case q.verb == wire.VerbValue:
		e.Uvarint(uint64(q.spent.Depth))
		e.Uvarint(q.spent.Items)
		e.Uvarint(q.spent.Bytes)
		return nil
	case q.verb == wire.VerbNext:
		q.batch.write(e)
		return nil
	}
	if err := writeNames(e, q.name); err != nil || q.verb == wire.VerbAttr {
		return err
	}
	return writeArgs(e, args)
}

func writeFields(e *wire.Encoder, f wire.Fields) {
	keep := byte(0)
	if f.Keep {
		keep = 1
	}
	e.Byte(keep)
	e.Raw(f.Names)
}

func writeNames(e *wire.Encoder, names ...string) error {
	for _, name := range names {
		if err := e.Text(name); err != nil {
			return conversionError("source", err)
		}
	}
	return nil
}

// writeArgs writes positional arguments, and those of a last Kw as keyword arguments.
func writeArgs(e *wire.Encoder, args []any) error {
	var kw Kw
	if n := len(args); n > 0 {
		if k, ok := args[n-1].(Kw); ok {
			kw, args = k, args[:n-1]
		}
	}
	e.Uvarint(uint64(len(args)))
	for i, arg := range args {
		if _, ok := arg.(Kw); ok {
			return misfit(fmt.Sprintf("args[%d]", i), "a py.Kw must be the last argument", nil)
		}
		if err := e.Value(arg); err != nil {
			return conversionError(fmt.Sprintf("args[%d]", i), err)
		}
	}
	e.Uvarint(uint64(len(kw)))
	if len(kw) == 0 { // an iterator of a map costs something even when there is nothing in it
		return nil
	}
	for name, value := range kw {
		if err := writeNamed(e, "kw", name, value); err != nil {
			return err
		}
	}
	return nil
}

// writeVars writes variables in the order of their names, so that the same expression is compiled once.
func writeVars(e *wire.Encoder, vars []Vars) error {
	var all Vars
	switch len(vars) {
	case 0:
		e.Uvarint(0)
		return nil
	case 1:
		all = vars[0]
	default:
		all = Vars{}
		for _, v := range vars {
			maps.Copy(all, v)
		}
	}
	var few [8]string
	names := few[:0]
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	e.Uvarint(uint64(len(names)))
	for _, name := range names {
		if !isIdentifier(name) || isKeyword(name) {
			return misfit(fmt.Sprintf("vars[%q]", name), "the name is no Python identifier", nil)
		}
		if err := writeNamed(e, "vars", name, all[name]); err != nil {
			return err
		}
	}
	return nil
}

func writeNamed(e *wire.Encoder, what, name string, value any) error {
	if err := e.Text(name); err != nil {
		return conversionError(fmt.Sprintf("%s[%q]", what, name), err)
	}
	if err := e.Value(value); err != nil {
		return conversionError(fmt.Sprintf("%s[%q]", what, name), err)
	}
	return nil
}

func isIdentifier(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.In(r, unicode.Nd, unicode.Mn, unicode.Mc, unicode.Pc)) {
			return false
		}
	}
	return s != ""
}

// isKeyword tells what looks like an identifier and cannot be assigned to.
func isKeyword(s string) bool {
	switch s {
	case "False", "None", "True", "__debug__", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
		"elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or",
		"pass", "raise", "return", "try", "while", "with", "yield":
		return true
	}
	return false
}
