// Package wire is the Go half of the codec between Go and Python; SPEC.md
// describes the bytes, and internal/cpython (encode.c, decode.c) is the other half.
//
// An [Encoder] writes Go values, a [Decoder] reads them straight into the wanted
// Go type. Nothing is lost on the way: a value that the other side cannot hold
// exactly is an [*Error] that names the place.
//
//	Go                                         Python
//	nil, nil pointer, nil interface            None
//	bool                                       bool
//	every int and uint kind, *big.Int          int
//	float32, float64                           float
//	string                                     str
//	[]byte, [N]byte                            bytes
//	slice, array                               list
//	map[K]struct{}                             set
//	other maps                                 dict
//	struct                                     dict with str keys, see [Decoder.Reflect]
//
// A nil slice is an empty slice to Go, and so it is an empty list, set, dict or
// bytes to Python. A nil pointer or interface is None.
package wire

import "fmt"

// MaxDepth is how many containers may lie inside one another: a value in MaxDepth
// nested lists travels, one more list is refused. A value that contains itself
// meets this limit too.
const MaxDepth = 1000

// A Tag is the first byte of a value, and says what follows.
type Tag byte

// The tags of SPEC.md.
const (
	TagNone      Tag = 0x00
	TagFalse     Tag = 0x01
	TagTrue      Tag = 0x02
	TagInt8      Tag = 0x03
	TagInt64     Tag = 0x04
	TagBigInt    Tag = 0x05
	TagFloat     Tag = 0x06
	TagStr       Tag = 0x07
	TagBytes     Tag = 0x08
	TagList      Tag = 0x09
	TagTuple     Tag = 0x0a
	TagDict      Tag = 0x0b
	TagSet       Tag = 0x0c
	TagFrozenSet Tag = 0x0d
	TagStandard  Tag = 0x0e
	TagRef       Tag = 0x40
	TagFunc      Tag = 0x41 // to Python only
	TagMemory    Tag = 0x42 // never in what Python sends
	TagBlob      Tag = 0x43 // to Python only
	TagKept      Tag = 0x44 // from Python only
	TagPointer   Tag = 0x45 // to Python only, within Attach
	TagMarked    Tag = 0x46 // from Python only, in front of a whole value
	TagNamed     Tag = 0x47 // from Python only, in front of a reference
	TagKeptStr   Tag = 0x48 // from Python only
)

// A FuncRun says where a Go function runs, and is what SPEC.md calls its flags.
type FuncRun byte

const (
	FuncQueued FuncRun = 0 // on a goroutine, while Python serves other requests
	FuncInline FuncRun = 1 // on the Python thread
	FuncReady  FuncRun = 2 // on the Python thread where it need not wait, otherwise on a goroutine
)

// A Kind says which class of Python's standard library a value of TagStandard is of. SPEC.md has the payloads.
type Kind byte

// The kinds of SPEC.md.
const (
	KindComplex   Kind = 1
	KindDate      Kind = 2
	KindTime      Kind = 3
	KindDateTime  Kind = 4 // naive
	KindAware     Kind = 5 // a datetime with an offset
	KindTimedelta Kind = 6
	KindDecimal   Kind = 7
	KindFraction  Kind = 8
	KindUUID      Kind = 9
	KindPath      Kind = 10
	KindRange     Kind = 11
	KindSlice     Kind = 12
	KindByteArray Kind = 13
	KindRecord    Kind = 14 // an object with fields
	KindIterator  Kind = 15 // to Python only
	KindFile      Kind = 16 // to Python only
	KindArray     Kind = 18 // numbers in a row
	KindConverted Kind = 24 // to Python only: a value of a Go type that a converter may make an object of
)

// String returns the name of the Python class.
func (k Kind) String() string {
	names := [...]string{"", "complex", "date", "time", "datetime without time zone", "datetime with time zone", "timedelta",
		"Decimal", "Fraction", "UUID", "Path", "range", "slice", "bytearray", "object"}
	if k == KindArray {
		return "array of numbers"
	}
	if k == 0 || int(k) >= len(names) {
		return fmt.Sprintf("kind %d", byte(k))
	}
	return names[k]
}

// String returns the name of the tag's Python type.
func (t Tag) String() string {
	switch t {
	case TagNone:
		return "None"
	case TagFalse, TagTrue:
		return "bool"
	case TagInt8, TagInt64, TagBigInt:
		return "int"
	case TagFloat:
		return "float"
	case TagStr, TagKeptStr:
		return "str"
	case TagBytes, TagKept:
		return "bytes"
	case TagList:
		return "list"
	case TagTuple:
		return "tuple"
	case TagDict:
		return "dict"
	case TagSet:
		return "set"
	case TagFrozenSet:
		return "frozenset"
	case TagStandard:
		return "standard value"
	case TagRef, TagNamed:
		return "object"
	case TagFunc:
		return "function"
	case TagBlob:
		return "str or bytes"
	}
	return fmt.Sprintf("tag 0x%02x", byte(t))
}

// known reports whether the tag has a meaning.
func (t Tag) known() bool {
	return t <= TagStandard || t == TagRef || t == TagKept || t == TagNamed || t == TagKeptStr
}

// hashable reports whether Python takes such a value as a key of a dict or an item
// of a set. A tuple may still hold something that is not hashable; Python says so.
func (t Tag) hashable() bool { return t != TagList && t != TagDict && t != TagSet }
