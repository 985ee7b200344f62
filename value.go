package py

import (
	"reflect"

	"github.com/pycontext/py/internal/wire"
)

// Tuple is a Python tuple.
type Tuple []any

// Set is a Python set. Its order means nothing. A map[K]struct{} travels as a set too.
type Set []any

// FrozenSet is a Python frozenset. Its order means nothing.
type FrozenSet []any

// Item is one entry of a [Dict].
type Item struct {
	Key, Value any
}

// Dict is a Python dict in its order. A dict becomes one where no Go map can hold it: when keys are tuples, bytes, big
// integers or other things that Go cannot compare, or would be equal in Go.
type Dict []Item

// Value returns the value of the first item whose key is == key, for a key that Go can compare.
func (d Dict) Value(key any) (value any, ok bool) {
	for _, item := range d {
		if reflect.TypeOf(item.Key) == reflect.TypeOf(key) && reflect.ValueOf(key).Comparable() && item.Key == key {
			return item.Value, true
		}
	}
	return nil, false
}

// codecHooks tell the codec about the types of this package. The scope is a home.
var codecHooks = &wire.Hooks{
	Tuple:     func(items []any) any { return Tuple(items) },
	Set:       func(items []any) any { return Set(items) },
	FrozenSet: func(items []any) any { return FrozenSet(items) },
	Dict: func(keys, values []any) any {
		d := make(Dict, len(keys))
		for i := range keys {
			d[i] = Item{keys[i], values[i]}
		}
		return d
	},
	Ref: func(scope any, handle uint64) (any, error) {
		return newObject(scope.(home).context(), handle), nil
	},
	RefType: reflect.TypeFor[*Object](),
	Drop: func(scope any, handle uint64) {
		if handle != 0 { // stands for an object that nobody wants
			scope.(home).context().core.Drop(handle)
		}
	},
	Converted: convertedTypes.of,
	Limits: func(scope any) (items, bytes uint64) {
		if scope == nil { // bytes of Go's own
			return defaultItems, defaultBytes
		}
		c := scope.(home).context()
		return c.items, c.bytes
	},
	Numbers: func(scope any) bool { // by default, their bytes are counted
		return scope != nil && scope.(home).context().items != defaultItems
	},
	Standard:      decodeStandard,
	StandardTypes: standardTypes,
	Types:         []reflect.Type{reflect.TypeFor[*Env](), reflect.TypeFor[Function](), reflect.TypeFor[Memory](), reflect.TypeFor[Ref]()},
	Encodes:       func(t reflect.Type) bool { return isMarshaler(t) || isLive(t) },
	EncodeTagged:  encodeTagged,
	DecodeTagged:  decodeTagged,
}

// home is what a coding is for: the context, and the chain that a value from Python may be used in without naming it.
type home interface {
	context() *Context
	origin() *chain
}

func (c *Context) context() *Context { return c }
func (c *Context) origin() *chain    { return nil }

func encodeSpecial(e *wire.Encoder, v any) (bool, error) {
	switch v := v.(type) {
	case Tuple:
		return true, e.Items(wire.TagTuple, v)
	case Set:
		return true, e.Items(wire.TagSet, v)
	case FrozenSet:
		return true, e.Items(wire.TagFrozenSet, v)
	case Dict:
		return true, e.Pairs(len(v), func(i int) (any, any) { return v[i].Key, v[i].Value })
	case *Object:
		return true, encodeObject(e, v)
	case Ref:
		return true, encodeRef(e, v)
	case arrayValue:
		return true, v.encodeArray(e)
	case Memory:
		return true, encodeMemory(e, v)
	case Function:
		return true, encodeFunction(e, v)
	case *Env:
		return true, encodeEnv(e, v)
	}
	if ok, err := encodeStandard(e, v); ok || err != nil {
		return ok, err
	}
	if ok, err := encodeMarshaler(e, v); ok || err != nil {
		return ok, err
	}
	return encodeLive(e, v)
}

func init() {
	// Here, as they use codecHooks.
	codecHooks.Encode, codecHooks.Decodes, codecHooks.Fetch = encodeSpecial, decodesLive, fetch
	funcHooks = codecHooks
}
