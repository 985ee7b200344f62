package py

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strconv"

	"github.com/pycontext/py/internal/wire"
)

// A funcPlan is how a function of any signature is called by reflection.
type funcPlan struct {
	fn       reflect.Value
	context  bool           // the first parameter is a context.Context
	params   []reflect.Type // the positional ones; the last is repeated if variadic
	fixed    int            // how many of them are required
	variadic bool
	keywords bool         // the last parameter is a Kw
	options  reflect.Type // of the last parameter, if that is a struct or points to one
	result   bool
	err      bool
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
	memoryType  = reflect.TypeFor[Memory]()
	kwType      = reflect.TypeFor[Kw]()
)

// planFunc returns how to call fn, or what was expected instead of it.
func planFunc(fn reflect.Value) (p *funcPlan, why string) {
	t := fn.Type()
	p = &funcPlan{fn: fn, variadic: t.IsVariadic()}
	if why = p.planResults(t); why != "" {
		return nil, why
	}
	for i := range t.NumIn() {
		if why := p.planParam(t, i); why != "" {
			return nil, why
		}
	}
	p.fixed = len(p.params)
	if p.variadic {
		p.fixed--
	}
	return p, ""
}

func (p *funcPlan) planResults(t reflect.Type) string {
	n := t.NumOut()
	if n > 2 {
		return "expected at most two results, a value and an error"
	}
	if n == 2 && t.Out(1) != errorType {
		return "expected the second result to be of type error"
	}
	p.err = n > 0 && t.Out(n-1) == errorType
	p.result = n == 2 || n == 1 && !p.err
	if p.result && (t.Out(0) == errorType || !goes(t.Out(0))) {
		return "expected a result that Python can have, not " + t.Out(0).String()
	}
	return ""
}

func (p *funcPlan) planParam(t reflect.Type, i int) string {
	in, last := t.In(i), i == t.NumIn()-1
	if last && p.variadic {
		in = in.Elem()
	}
	switch {
	case in == contextType && i == 0 && !(last && p.variadic):
		p.context = true
	case in == contextType:
		return "expected the context.Context as the first parameter"
	case in == kwType && last && !p.variadic:
		p.keywords = true
	case in == kwType:
		return "expected py.Kw as the last parameter"
	case isSequence(in):
		if _, why := planSequence(in); why != "" {
			return "a parameter: " + why
		}
		p.params = append(p.params, in)
	case in.Kind() == reflect.Func:
		if _, why := planCallable(in); why != "" {
			return "a parameter: " + why
		}
		p.params = append(p.params, in)
	case !comes(in):
		return "expected parameters that Python can give, not " + in.String()
	case last && !p.variadic && funcHooks.IsStruct(in):
		p.options = in
	default:
		p.params = append(p.params, in)
	}
	return ""
}

// comes reports whether a value from Python may become a t, at a first glance; goes, whether a t may go to Python.
func comes(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Chan, reflect.Uintptr, reflect.UnsafePointer:
		return false
	}
	return t != memoryType
}

func goes(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Chan:
		return t.ChanDir()&reflect.RecvDir != 0
	case reflect.Uintptr, reflect.UnsafePointer:
		return false
	}
	return t != memoryType // which is lent to requests
}

// run is the body of a function that is called by reflection.
func (p *funcPlan) run(f *goFunc, ctx func() context.Context, d *wire.Decoder, e *wire.Encoder) (*raise, error) {
	n, r, err := f.positional(d)
	if r != nil || err != nil {
		return r, err
	}
	in := make([]reflect.Value, 0, n+2)
	if p.context {
		in = append(in, reflect.Value{}) // filled in when the arguments are known to fit
	}
	for i := range n {
		v := reflect.New(p.param(i)).Elem()
		if err := d.Reflect(v); err != nil {
			return f.badArgument(d, strconv.Itoa(i+1), n-i-1, err)
		}
		in = append(in, v)
	}
	switch given := p.options != nil && n > p.fixed; {
	case p.keywords || p.options != nil && !given:
		var kw reflect.Value
		kw, r, err = p.readKeywords(f, d)
		in = append(in, kw)
	case given && len(d.Buf) > 0 && d.Buf[0] != 0:
		r, err = f.refuse(d, 0, "takes a dict as argument %d or keyword arguments, not both", n)
	default:
		r, err = f.noKeywords(d)
	}
	if r != nil || err != nil {
		return r, err
	}
	if p.context {
		in[0] = reflect.ValueOf(ctx())
	}
	return p.finish(f, e, p.fn.Call(in)), nil
}

// param returns the type of a positional argument.
func (p *funcPlan) param(i int) reflect.Type {
	switch {
	case i < len(p.params):
		return p.params[i]
	case p.options != nil:
		return p.options
	}
	return p.params[len(p.params)-1]
}

// readKeywords reads the keyword arguments as the last parameter.
func (p *funcPlan) readKeywords(f *goFunc, d *wire.Decoder) (reflect.Value, *raise, error) {
	n, err := d.Uvarint()
	if err != nil {
		return reflect.Value{}, nil, err
	}
	if p.keywords {
		kw, r, err := readKw(f, d, n)
		return reflect.ValueOf(kw), r, err
	}
	v := reflect.New(p.options).Elem()
	s := v
	if p.options.Kind() == reflect.Pointer {
		v.Set(reflect.New(p.options.Elem()))
		s = v.Elem()
	}
	required := funcHooks.Required(s.Type())
	for ; n > 0; n-- {
		name, err := d.Text()
		if err != nil {
			return v, nil, err
		}
		required = slices.DeleteFunc(required, func(r string) bool { return r == name })
		known, err := d.Field(s, name)
		if err != nil {
			r, err := f.badKeyword(d, name, n-1, err)
			return v, r, err
		}
		if !known {
			if err := d.Skip(); err != nil {
				return v, nil, err
			}
			r, err := f.refuseKeywords(d, n-1, "got an unexpected keyword argument '%s'", name)
			return v, r, err
		}
	}
	if len(required) > 0 {
		r, err := f.refuseKeywords(d, 0, "missing required keyword argument '%s'", required[0])
		return v, r, err
	}
	return v, nil, nil
}

func readKw(f *goFunc, d *wire.Decoder, n uint64) (kw Kw, r *raise, err error) {
	if n > 0 {
		kw = Kw{}
	}
	for ; n > 0; n-- {
		name, err := d.Text()
		if err != nil {
			return nil, nil, err
		}
		if kw[name], err = d.Any(); err != nil {
			r, err := f.badKeyword(d, name, n-1, err)
			return nil, r, err
		}
	}
	return kw, nil, nil
}

// badKeyword is badArgument for a keyword argument that left others follow.
func (f *goFunc) badKeyword(d *wire.Decoder, name string, left uint64, err error) (*raise, error) {
	if errors.Is(err, wire.ErrMalformed) {
		return nil, err
	}
	r, malformed := f.refuseKeywords(d, left, "%v", wire.At(err, "argument '"+name+"'"))
	return r.because(err), malformed
}

// finish answers with what the function returned.
func (p *funcPlan) finish(f *goFunc, e *wire.Encoder, out []reflect.Value) *raise {
	if p.err {
		if err, _ := out[len(out)-1].Interface().(error); err != nil {
			return raiseError(err)
		}
	}
	if !p.result {
		return answer[any](f, e, nil)
	}
	return answer(f, e, out[0].Interface())
}
