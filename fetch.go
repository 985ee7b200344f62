package py

import (
	"reflect"
	"strings"

	"github.com/pycontext/py/internal/wire"
)

// fetch reads what came as a reference where a Go type was wanted. An argument of a Go function comes as what it is to an
// any, an object of a subclass or a dataclass as a reference; what it is to the parameter is asked for now, while Python waits
// in the call.
// ok is false where nobody waits, and where there is no more to it. The limits are those of all arguments together, so what they
// have had goes with the request.
func fetch(arguments *wire.Decoder, ref, into any) (ok bool, err error) {
	o := ref.(*Object)
	defer o.Close()
	chain := arguments.Scope.(home).origin()
	if chain == nil {
		return false, nil
	}
	v := reflect.ValueOf(into).Elem()
	q := &request{verb: wire.VerbValue, object: o, spent: arguments.Spent()}
	q.want, q.fields = wantOfType(v.Type())
	answer, err := o.context.send(chain, q, nil)
	if err != nil {
		return true, err
	}
	defer answer.release()
	d := answer.decoder
	if status, _ := d.Byte(); wire.Status(status) != wire.StatusOK {
		err := decodeFailure(d, wire.Status(status))
		if bad, ok := err.(*ConversionError); ok {
			err = &wire.Error{Path: strings.TrimPrefix(bad.Place, "result"), Reason: bad.Reason, Err: bad.err}
		}
		return true, err
	}
	if t, err := d.Peek(); err != nil || t == wire.TagRef {
		return false, d.Skip()
	}
	arguments.Lead(d)
	defer arguments.Follow(d)
	return true, d.Reflect(v)
}
