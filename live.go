package py

import (
	"fmt"
	"io"
	"reflect"

	"github.com/pycontext/py/internal/wire"
)

// What lives on one side and is used from the other: functions, iterators, channels and files.

var (
	readerType = reflect.TypeFor[io.Reader]()
	writerType = reflect.TypeFor[io.Writer]()
)

// isLive reports whether values of a Go type stay in Go, and Python gets something that uses them.
func isLive(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Func, reflect.Chan:
		return true
	case reflect.Interface: // it is up to what is in it
		return false
	}
	return t.Implements(readerType) || t.Implements(writerType)
}

// encodeLive writes such a value, and reports whether v is one.
func encodeLive(e *wire.Encoder, v any) (bool, error) {
	rv := reflect.ValueOf(v)
	_, reads := v.(io.Reader)
	_, writes := v.(io.Writer)
	switch kind := rv.Kind(); {
	case !reads && !writes && kind != reflect.Func && kind != reflect.Chan:
		return false, nil
	case kind == reflect.Chan && rv.Type().ChanDir()&reflect.RecvDir == 0: // also one that is nil
		return true, fmt.Errorf("a %s only sends: Python iterates over channels that can be received from", rv.Type())
	case (kind == reflect.Pointer || kind == reflect.Func || kind == reflect.Chan || kind == reflect.Map) && rv.IsNil():
		e.None()
		return true, nil
	case encodeOriginal(e, rv):
		return true, nil
	case reads || writes:
		return true, encodeFile(e, v)
	case kind == reflect.Chan:
		encodeChannel(e, rv)
		return true, nil
	case yields(rv.Type()) > 0:
		return true, encodeSeq(e, rv)
	}
	return true, encodeFunc(e, rv)
}

// decodesLive tells how what stays in Python becomes a Go value that uses it.
func decodesLive(t reflect.Type) func(*wire.Decoder, reflect.Value) error {
	if isUnmarshaler(t) {
		return decodeUnmarshaler
	}
	switch {
	case isSequence(t):
		return decodeSequence(t)
	case t.Kind() == reflect.Func:
		return decodeCallable(t)
	case isFile(t):
		return decodeFile
	}
	return nil
}
