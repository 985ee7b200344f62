package wire

import (
	"reflect"
	"slices"
	"strings"
)

// mismatch is the error of a value that is not of the wanted type: what it is, and what to do about it.
func (d *Decoder) mismatch(want string) error { return d.mismatchThat(want, "") }

// mismatchThat is mismatch with what there is to say of the value.
func (d *Decoder) mismatchThat(want, says string) error {
	if _, err := d.Peek(); err != nil {
		return err
	}
	got, class := d.what()
	whole := got
	if class != "" {
		whole += " of class " + class
	}
	return &Error{Type: got, Reason: "expected " + want + ", got " + whole + says + advice(want, got, class)}
}

// what is the Python type of the value that is next, and the class of an object.
func (d *Decoder) what() (got, class string) {
	at := *d
	k, ok := at.kind()
	switch {
	case ok && k == KindRecord:
		at.Buf = at.Buf[2:]
		if len(at.Buf) > 0 && at.Buf[0] == byte(TagTuple) {
			return "named tuple", ""
		}
	case ok:
		return k.String(), ""
	}
	t, _ := at.Peek()
	if at.is(TagNamed) {
		name, _ := at.Raw()
		class = string(name)
	}
	return t.String(), class
}

// inGo is what to take a value of a Python type as.
var inGo = map[string]string{
	"None": "a pointer", "bool": "bool", "int": "int", "float": "float64", "str": "string", "bytes": "[]byte",
	"list": "a slice", "tuple": "a slice or py.Tuple", "dict": "a map or struct", "set": "py.Set", "frozenset": "py.FrozenSet",
	"named tuple": "a slice or struct", "object": "*py.Object", "array of numbers": "a slice or py.Array",
	KindComplex.String(): "complex128", KindDate.String(): "py.Date", KindTime.String(): "py.TimeOfDay",
	KindDateTime.String(): "py.DateTime", KindAware.String(): "time.Time", KindTimedelta.String(): "time.Duration",
	KindDecimal.String(): "py.Decimal", KindFraction.String(): "*big.Rat", KindUUID.String(): "py.UUID",
	KindPath.String(): "py.Path", KindRange.String(): "py.Range or a slice", KindSlice.String(): "py.Slice",
	KindByteArray.String(): "py.ByteArray",
}

// inPython is what to do to values of some Python types where another is wanted.
var inPython = map[string][]remedy{
	"int":   {{"int() or round() it", []string{"float"}}, {"int() it", []string{"bool", "str", "Decimal", "Fraction"}}},
	"float": {{"float() it", []string{"bool", "str", "Decimal", "Fraction"}}},
	"str":   {{"str() it", []string{"bool", "int", "float", "UUID", "Decimal"}}, {"decode() it", []string{"bytes"}}},
	"bool":  {{"bool() it", []string{"int", "str", "list", "dict"}}},
	"bytes": {{"encode() it", []string{"str"}}, {"bytes() it", []string{"list", "tuple"}}},
	"list":  {{"list() it", []string{"str", "dict"}}},
	"tuple": {{"tuple() it", []string{"list", "set"}}},
	"set":   {{"set() it", []string{"list", "tuple"}}},

	becomesA + "time.Time":   {{"give it a tzinfo", []string{KindDateTime.String()}}},
	becomesA + "py.DateTime": {{"take its tzinfo away", []string{KindAware.String()}}},
	becomesA + "py.Date":     {{"call its date()", []string{KindDateTime.String(), KindAware.String()}}},
	becomesA + "py.Decimal":  {{"make it a Decimal", []string{"int", "float", "str"}}},
	becomesA + "*big.Rat":    {{"make it a Fraction", []string{"float", "str"}}},
	becomesA + "py.UUID":     {{"make it a UUID", []string{"str"}}},
}

type remedy struct {
	do string
	to []string
}

// becomesA is what is wanted where a Go type, which follows, is not made of one Python type.
const becomesA = "what becomes a Go "

func becomes(t reflect.Type) string { return becomesA + t.String() }

// reasons are why objects of classes that have a Go form come as objects.
var reasons = map[string]string{
	"datetime.timedelta": "it is longer than the 292 years of a time.Duration",
	"datetime.datetime":  "its time zone gives no offset from UTC in whole seconds",
	"datetime.time":      "it has a time zone",
	"range":              "it goes beyond 64 bits",
}

// advice says what to do with a value that is not what is wanted.
func advice(want, got, class string) string {
	var b strings.Builder
	if why := reasons[class]; why != "" {
		b.WriteString("; " + why)
	}
	take := inGo[got]
	if want == "bytes" && (got == "list" || got == "tuple") {
		take = "[]int"
	}
	if take != "" {
		b.WriteString("; take it as " + take + " in Go")
	}
	if got == "None" {
		b.WriteString(", which it makes nil")
	}
	if got == "object" && want == "list" && class != "range" {
		b.WriteString(", or as iter.Seq2[T, error] where Python iterates over it")
	}
	for _, p := range inPython[want] {
		if slices.Contains(p.to, got) {
			b.WriteString(", or " + p.do + " in Python")
			break
		}
	}
	return b.String()
}
