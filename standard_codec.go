package py

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/pycontext/py/internal/wire"
)

// standardTypes are the types that a value of Python's standard library may be decoded into.
var standardTypes = append(arrayTypes(), []reflect.Type{
	reflect.TypeFor[complex128](), reflect.TypeFor[complex64](), reflect.TypeFor[Date](), reflect.TypeFor[TimeOfDay](),
	reflect.TypeFor[DateTime](), reflect.TypeFor[time.Time](), reflect.TypeFor[time.Duration](), reflect.TypeFor[Decimal](),
	reflect.TypeFor[*big.Rat](), reflect.TypeFor[big.Rat](), reflect.TypeFor[UUID](), reflect.TypeFor[Path](),
	reflect.TypeFor[Range](), reflect.TypeFor[Slice](), reflect.TypeFor[ByteArray](),
}...)

// encodeStandard writes a value that is an object of Python's standard library, and reports whether it is one.
func encodeStandard(e *wire.Encoder, v any) (bool, error) {
	switch v := v.(type) {
	case complex128:
		encodeComplex(e, v)
	case complex64:
		encodeComplex(e, complex128(v))
	case Date:
		if err := v.check(); err != nil {
			return true, err
		}
		encodeInts(e, wire.KindDate, v.Year, int(v.Month), v.Day)
	case TimeOfDay:
		if err := v.check(); err != nil {
			return true, err
		}
		encodeInts(e, wire.KindTime, v.Hour, v.Minute, v.Second, v.Microsecond, v.Fold)
	case DateTime:
		if err := errors.Join(v.Date.check(), v.TimeOfDay.check()); err != nil {
			return true, err
		}
		encodeInts(e, wire.KindDateTime, v.Year, int(v.Month), v.Day, v.Hour, v.Minute, v.Second, v.Microsecond, v.Fold)
	case time.Time:
		return true, encodeTime(e, v)
	case time.Duration:
		if v%time.Microsecond != 0 {
			return true, finer("time.Duration", v)
		}
		e.Standard(wire.KindTimedelta)
		e.Int(v.Microseconds())
	case Decimal:
		if err := v.check(); err != nil {
			return true, err
		}
		e.Standard(wire.KindDecimal)
		return true, e.Str(string(v))
	case *big.Rat:
		encodeRat(e, v)
	case big.Rat:
		encodeRat(e, &v)
	case UUID:
		e.Standard(wire.KindUUID)
		e.Bytes(v[:])
	case Path:
		e.Standard(wire.KindPath)
		return true, e.Str(string(v))
	case Range:
		if v.Step == 0 {
			return true, errors.New("a py.Range with a Step of 0: Python has none")
		}
		encodeInts(e, wire.KindRange, v.Start, v.Stop, v.Step)
	case Slice:
		e.Standard(wire.KindSlice)
		return true, e.Items(wire.TagTuple, []any{v.Start, v.Stop, v.Step})
	case ByteArray:
		e.Standard(wire.KindByteArray)
		e.Bytes(v)
	default:
		return false, nil
	}
	return true, nil
}

func encodeComplex(e *wire.Encoder, c complex128) {
	e.Standard(wire.KindComplex)
	e.Tuple(2)
	e.Float(real(c))
	e.Float(imag(c))
}

func encodeRat(e *wire.Encoder, r *big.Rat) {
	if r == nil {
		e.None()
		return
	}
	e.Standard(wire.KindFraction)
	e.Tuple(2)
	e.BigInt(r.Num())
	e.BigInt(r.Denom())
}

func encodeInts[T int | int64](e *wire.Encoder, k wire.Kind, n ...T) {
	e.Standard(k)
	e.Tuple(len(n))
	for _, i := range n {
		e.Int(int64(i))
	}
}

func finer(what string, v any) error {
	return fmt.Errorf("a %s of %v is finer than the microseconds of Python: use Truncate(time.Microsecond)", what, v)
}

// encodeTime writes a datetime with a time zone: the named one of the IANA database where t's location is one and Python
// knows it, with the same offset, otherwise a fixed offset.
func encodeTime(e *wire.Encoder, t time.Time) error {
	abbreviation, offset := t.Zone()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	switch {
	case t.Nanosecond()%1000 != 0:
		return finer("time.Time", t)
	case year < 1 || year > 9999:
		return fmt.Errorf("a time.Time in the year %d: Python has the years 1 to 9999", year)
	case offset <= -86400 || offset >= 86400:
		return fmt.Errorf("a time.Time %d seconds from UTC: Python has offsets of less than a day", offset)
	}
	// That of the machine is called Local.
	name := t.Location().String()
	named := strings.Contains(name, "/") || name != "Local" && name != "UTC" && (name != abbreviation || changes(t, name, offset))
	if !named && name != "UTC" {
		name = abbreviation
	}
	e.Standard(wire.KindAware)
	e.Tuple(11)
	for _, n := range [...]int{year, int(month), day, hour, minute, second, t.Nanosecond() / 1000, 0, offset} {
		e.Int(int64(n))
	}
	if err := e.Str(name); err != nil {
		return err
	}
	e.Bool(named)
	return nil
}

// changes reports whether t's location, which shows that name and offset at t, shows others at any of the times when those change
// that have the name of their own abbreviation, such as CET: a fixed zone never does.
func changes(t time.Time, name string, offset int) bool {
	in := func(year int, month time.Month) time.Time {
		return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).In(t.Location())
	}
	for _, at := range [...]time.Time{in(1800, 1), in(2000, 1), in(2000, 7), t.AddDate(0, -6, 0), t.AddDate(0, 6, 0)} {
		if n, o := at.Zone(); n != name || o != offset {
			return true
		}
	}
	return false
}

var errOther = wire.ErrOther

// decodeStandard makes the Go value of a standard value: where into points to, or the usual one where into is nil. Kind 0
// is a plain value.
func decodeStandard(k wire.Kind, p *wire.Payload, into any) (any, error) {
	if into == nil {
		return usualStandard(k, p)
	}
	ok, err := storeStandard(k, p, into)
	if !ok && err == nil {
		err = storeOther(k, p, into)
	}
	return nil, err
}

func usualStandard(k wire.Kind, p *wire.Payload) (any, error) {
	switch k {
	case wire.KindComplex:
		return complex(p.Floats[0], p.Floats[1]), nil
	case wire.KindDate:
		return dateOf(p), nil
	case wire.KindTime:
		return timeOfDayOf(p.Ints[:]), nil
	case wire.KindDateTime:
		return DateTime{dateOf(p), timeOfDayOf(p.Ints[3:])}, nil
	case wire.KindAware:
		return timeOf(p), nil
	case wire.KindTimedelta:
		return durationOf(p)
	case wire.KindDecimal:
		return Decimal(p.Raw), nil
	case wire.KindFraction:
		return new(big.Rat).SetFrac(p.Big[0], p.Big[1]), nil
	case wire.KindUUID:
		return UUID(p.Raw), nil
	case wire.KindPath:
		return Path(p.Raw), nil
	case wire.KindRange:
		return Range{p.Ints[0], p.Ints[1], p.Ints[2]}, nil
	case wire.KindSlice:
		return Slice{p.Parts[0], p.Parts[1], p.Parts[2]}, nil
	case wire.KindByteArray:
		return ByteArray(append([]byte{}, p.Raw...)), nil
	case wire.KindArray:
		return usualArray(p)
	}
	return nil, errOther
}

// storeStandard stores the value where into points to, and reports whether that is of the usual type for the kind.
func storeStandard(k wire.Kind, p *wire.Payload, into any) (ok bool, err error) {
	switch into := into.(type) {
	case *Date:
		if ok = k == wire.KindDate; ok {
			*into = dateOf(p)
		}
	case *TimeOfDay:
		if ok = k == wire.KindTime; ok {
			*into = timeOfDayOf(p.Ints[:])
		}
	case *DateTime:
		if ok = k == wire.KindDateTime; ok {
			*into = DateTime{dateOf(p), timeOfDayOf(p.Ints[3:])}
		}
	case *time.Time:
		if ok = k == wire.KindAware; ok {
			*into = timeOf(p)
		}
	case *time.Duration:
		if ok = k == wire.KindTimedelta; ok {
			*into, err = durationOf(p)
		}
	case *Decimal:
		if ok = k == wire.KindDecimal; ok {
			*into = Decimal(p.Raw)
		}
	case *UUID:
		if ok = k == wire.KindUUID; ok {
			*into = UUID(p.Raw)
		}
	case *Range:
		if ok = k == wire.KindRange; ok {
			*into = Range{p.Ints[0], p.Ints[1], p.Ints[2]}
		}
	case *Slice:
		if ok = k == wire.KindSlice; ok {
			*into = Slice{p.Parts[0], p.Parts[1], p.Parts[2]}
		}
	}
	return ok, err
}

// storeOther stores what converts without loss to a type that takes more than one kind of value.
func storeOther(k wire.Kind, p *wire.Payload, into any) error {
	switch into := into.(type) {
	case *complex128:
		return storeComplex(k, p, into)
	case *complex64:
		var c complex128
		err := storeComplex(k, p, &c)
		*into = complex64(c)
		if err == nil && !(isFloat32(real(c)) && isFloat32(imag(c))) {
			return fmt.Errorf("%v cannot be a complex64 exactly; use complex128", c)
		}
		return err
	case *Path:
		if s, ok := p.Plain.(string); ok && k == 0 {
			*into = Path(s)
			return nil
		}
		if k == wire.KindPath {
			*into = Path(p.Raw)
			return nil
		}
	case *ByteArray:
		if b, ok := p.Plain.([]byte); ok && k == 0 {
			*into = b
			return nil
		}
		if k == wire.KindByteArray {
			*into = append([]byte{}, p.Raw...)
			return nil
		}
	case arrayDestination:
		return into.decodeArray(k, p)
	case **big.Rat:
		r := new(big.Rat)
		*into = r
		return storeRat(k, p, r)
	case *big.Rat:
		return storeRat(k, p, into)
	}
	return errOther
}

func storeComplex(k wire.Kind, p *wire.Payload, into *complex128) error {
	if k == wire.KindComplex {
		*into = complex(p.Floats[0], p.Floats[1])
		return nil
	}
	switch v := p.Plain.(type) {
	case float64:
		*into = complex(v, 0)
	case int64:
		f := float64(v)
		if f == math.MaxInt64 || int64(f) != v {
			return fmt.Errorf("the int %d cannot be a complex number exactly; use int64", v)
		}
		*into = complex(f, 0)
	case *big.Int:
		f, accuracy := v.Float64()
		if accuracy != big.Exact {
			return fmt.Errorf("an int of %d bits cannot be a complex number exactly; use *big.Int", v.BitLen())
		}
		*into = complex(f, 0)
	default:
		return errOther
	}
	return nil
}

func isFloat32(f float64) bool { return math.IsNaN(f) || float64(float32(f)) == f }

// storeRat takes a Fraction, an int, or a finite Decimal.
func storeRat(k wire.Kind, p *wire.Payload, into *big.Rat) error {
	switch v := p.Plain.(type) {
	case int64:
		into.SetInt64(v)
		return nil
	case *big.Int:
		into.SetInt(v)
		return nil
	}
	switch k {
	case wire.KindFraction:
		into.SetFrac(p.Big[0], p.Big[1])
		return nil
	case wire.KindDecimal:
		text := string(p.Raw)
		if !isFinite(text) {
			return fmt.Errorf("the Decimal %s is no number that a big.Rat can be; take it as py.Decimal", text)
		}
		if _, ok := into.SetString(text); !ok { // an exponent makes a short text a huge number
			return fmt.Errorf("the exponent of the Decimal %.40s is too large for a big.Rat; take it as py.Decimal", text)
		}
		return nil
	}
	return errOther
}

func isFinite(decimal string) bool {
	return decimal != "" && strings.Trim(decimal, "+-.0123456789Ee") == ""
}

func dateOf(p *wire.Payload) Date {
	return Date{int(p.Ints[0]), time.Month(p.Ints[1]), int(p.Ints[2])}
}

func timeOfDayOf(n []int64) TimeOfDay {
	return TimeOfDay{int(n[0]), int(n[1]), int(n[2]), int(n[3]), int(n[4])}
}

func durationOf(p *wire.Payload) (time.Duration, error) {
	us := p.Ints[0]
	if p.Big[0] != nil || us > math.MaxInt64/1000 || us < math.MinInt64/1000 {
		return 0, errors.New("a timedelta of more than 292 years is too long for a time.Duration")
	}
	return time.Duration(us) * time.Microsecond, nil
}

// timeOf is the time in the location of its name, if that has the same offset then; otherwise at a fixed offset.
func timeOf(p *wire.Payload) time.Time {
	n, offset := &p.Ints, int(p.Ints[8])
	t := time.Date(int(n[0]), time.Month(n[1]), int(n[2]), int(n[3]), int(n[4]), int(n[5])-offset, int(n[6])*1000, time.UTC)
	if offset == 0 && string(p.Raw) == "UTC" {
		return t
	}
	name := string(p.Raw)
	if p.Named {
		if loc := location(name); loc != nil {
			there := t.In(loc)
			if _, o := there.Zone(); o == offset {
				return there
			}
		}
	}
	return t.In(time.FixedZone(name, offset))
}

var locations sync.Map // string to *time.Location, of the names that there are: loading one reads a file

func location(name string) *time.Location {
	if loc, ok := locations.Load(name); ok {
		return loc.(*time.Location)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	locations.Store(name, loc)
	return loc
}
