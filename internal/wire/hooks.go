package wire

import (
	"errors"
	"math/big"
	"reflect"
	"sync"
)

// Hooks tell the codec about the types of package py, which it cannot import: how
// they are written, and how they are made. One Hooks serves every encoder and
// decoder of a program, also at once; it must not be copied or changed after its
// first use, because it keeps what was learned about Go types.
//
// Without hooks, or where one is nil, the values that need it are errors.
type Hooks struct {
	// Encode writes a value of one of the special types and reports whether it was
	// one: the types that the functions below make, RefType, and Types. It is asked
	// about everything that is not a plain Go type, before its structure is looked at.
	Encode func(e *Encoder, v any) (bool, error)

	// Tuple, Set, FrozenSet and Dict make the Go value of what they are named after.
	// They own the slices. The type of what they return is a special type: as a
	// destination, it takes only a tuple, a set, and so on. They are called with nil
	// once, to learn that type.
	Tuple, Set, FrozenSet func(items []any) any
	Dict                  func(keys, values []any) any

	// Ref makes the Go value, of RefType, of a reference. From this call on the
	// reference is its own, also when it fails.
	Ref     func(scope any, handle uint64) (any, error)
	RefType reflect.Type

	// Drop is told of every reference that is passed over and will never reach Ref,
	// because it was skipped or because the value around it does not fit.
	Drop func(scope any, handle uint64)

	// Standard makes the Go value of a standard value: the usual one, or, where into is a pointer to one of StandardTypes,
	// what that points to. Kind 0 is a plain value that such a type may be made of. An error says why there is none;
	// ErrOther, that such a type is made of something else.
	Standard      func(k Kind, p *Payload, into any) (any, error)
	StandardTypes []reflect.Type

	// Converted returns the Go type of a number that Python was given for a converter, or nil.
	Converted func(number uint64) reflect.Type

	// Limits is how many items and bytes a value may have that is made larger here: a range or an array that becomes a slice.
	// Nil: 2^24 and 2^28.
	Limits func(scope any) (items, bytes uint64)

	// Numbers reports whether the numbers of an array that stays one count as items. Nil: they do not.
	Numbers func(scope any) bool

	// Fetch is asked where a Go type was wanted and only a reference came, which it owns: it may have more come, see
	// [Decoder.Spent], and read that into what into points to. It reports whether it did. Nil: it never does.
	Fetch func(d *Decoder, ref, into any) (bool, error)

	// Types lists special types that only Encode knows.
	Types []reflect.Type

	// Encodes reports whether Encode writes values of a type that is not listed above: a class of types, such as
	// those with a certain method. Nil: there are none.
	Encodes func(t reflect.Type) bool
	// Decodes returns how values of such a type are read, or nil for any other. It is asked once about a type.
	Decodes func(t reflect.Type) func(d *Decoder, v reflect.Value) error

	// EncodeTagged and DecodeTagged are for the fields of structs with one of the tag options text and json: what is to
	// travel in place of a value, and how what came becomes what into points to.
	EncodeTagged func(option string, v any) (any, error)
	DecodeTagged func(option string, value, into any) error

	once     sync.Once
	special  map[reflect.Type]decFunc // special types; nil where none can be made
	encPlans sync.Map                 // reflect.Type to encFunc
	decPlans sync.Map                 // reflect.Type to decFunc
	structs  sync.Map                 // reflect.Type to *structure
	fields   sync.Map                 // reflect.Type to Fields
}

// ErrOther is the error of Hooks.Standard for a value that is not of the wanted type.
var ErrOther = errors.New("of another type")

// noHooks stands in where none are given.
var noHooks Hooks

var (
	bigIntType = reflect.TypeFor[big.Int]()
	emptyType  = reflect.TypeFor[struct{}]()
)

func (h *Hooks) orNone() *Hooks {
	if h == nil {
		return &noHooks
	}
	return h
}

// IsStruct reports whether a value of type t travels as a dict of its fields: t is
// a struct, or a pointer to one, and not a type with a meaning of its own.
func (h *Hooks) IsStruct(t reflect.Type) bool {
	h = h.orNone()
	if h.hasMeaning(t) {
		return false
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && t != bigIntType && !h.hasMeaning(t)
}

// hasMeaning reports whether a hook writes or reads values of type t.
func (h *Hooks) hasMeaning(t reflect.Type) bool {
	return h.isSpecial(t) || h.Encodes != nil && h.Encodes(t) || h.Decodes != nil && h.Decodes(t) != nil
}

func (h *Hooks) isSpecial(t reflect.Type) bool {
	h.once.Do(h.learn)
	_, ok := h.special[t]
	return ok
}

// learn asks the hooks for the types that they make.
func (h *Hooks) learn() {
	h.special = map[reflect.Type]decFunc{}
	for _, t := range h.Types {
		h.special[t] = nil
	}
	for _, t := range h.StandardTypes {
		h.special[t] = decStandard
	}
	h.learnItems(h.Tuple, TagTuple)
	h.learnItems(h.Set, TagSet)
	h.learnItems(h.FrozenSet, TagFrozenSet)
	if h.Dict != nil {
		h.special[reflect.TypeOf(h.Dict(nil, nil))] = decDictHook
	}
	if h.RefType != nil {
		h.special[h.RefType] = decRefHook
	}
}

func (h *Hooks) learnItems(make func([]any) any, tag Tag) {
	if make != nil {
		h.special[reflect.TypeOf(make(nil))] = decItemsHook(make, tag)
	}
}

// plan returns what is kept for t, and compiles it the first time. A type that
// contains itself meets the entry put in before its plan is ready; that entry waits
// for the plan, but is only run once there is something to encode or decode.
func plan[F any](cache *sync.Map, t reflect.Type, compile func(reflect.Type) F, wait func(func() F) F) F {
	if p, ok := cache.Load(t); ok {
		return p.(F)
	}
	ready := sync.OnceValue(func() F { return compile(t) })
	if p, loaded := cache.LoadOrStore(t, wait(ready)); loaded {
		return p.(F)
	}
	p := ready()
	cache.Store(t, p)
	return p
}
