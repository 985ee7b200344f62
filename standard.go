package py

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"time"

	"github.com/pycontext/py/internal/wire"
)

// Date is a Python date.
type Date struct {
	Year  int // 1 to 9999
	Month time.Month
	Day   int
}

// TimeOfDay is a Python time without a time zone.
type TimeOfDay struct {
	Hour, Minute, Second, Microsecond int
	Fold                              int // 1: the second of two equal times when clocks are set back (PEP 495)
}

// DateTime is a Python datetime without a time zone: what a clock on some wall shows. One with a time zone is a
// [time.Time].
type DateTime struct {
	Date
	TimeOfDay
}

// In is the time at which clocks in loc show d.
func (d DateTime) In(loc *time.Location) time.Time {
	t := time.Date(d.Year, d.Month, d.Day, d.Hour, d.Minute, d.Second, d.Microsecond*1000, loc)
	if d.Fold == 1 {
		if later := t.Add(time.Hour); later.Hour() == t.Hour() && later.Minute() == t.Minute() {
			return later
		}
	}
	return t
}

// DateTimeOf is what the clocks of t's location show at t. What is less than a microsecond is cut off.
func DateTimeOf(t time.Time) DateTime {
	return DateTime{
		Date{t.Year(), t.Month(), t.Day()},
		TimeOfDay{t.Hour(), t.Minute(), t.Second(), t.Nanosecond() / 1000, 0},
	}
}

// Decimal is a Python decimal.Decimal, as its exact text: "1.10", "-1E+3", "NaN".
type Decimal string

// UUID is a Python uuid.UUID. Other Go types for UUIDs, arrays of 16 bytes, convert to it, and results decode into them.
type UUID [16]byte

// String is the usual form, with hyphens.
func (u UUID) String() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// Path is a Python pathlib.Path. Paths also decode into any string type.
type Path string

// Range is a Python range. Ranges also decode into slices.
type Range struct{ Start, Stop, Step int64 }

// Slice is a Python slice. A part that is not given is nil.
type Slice struct{ Start, Stop, Step any }

// ByteArray is a Python bytearray. They also decode into a []byte.
type ByteArray []byte

var standardTypes = []reflect.Type{
	reflect.TypeFor[complex128](), reflect.TypeFor[complex64](), reflect.TypeFor[Date](), reflect.TypeFor[TimeOfDay](),
	reflect.TypeFor[DateTime](), reflect.TypeFor[time.Time](), reflect.TypeFor[time.Duration](), reflect.TypeFor[Decimal](),
	reflect.TypeFor[*big.Rat](), reflect.TypeFor[UUID](), reflect.TypeFor[Path](), reflect.TypeFor[Range](),
	reflect.TypeFor[Slice](), reflect.TypeFor[ByteArray](),
}

// encodeStandard writes a value that is an object of Python's standard library, and reports whether it is one.
func encodeStandard(e *wire.Encoder, v any) (bool, error) {
	payload := func(k wire.Kind, values ...any) (bool, error) {
		e.Standard(k)
		return true, e.Items(wire.TagTuple, values)
	}
	one := func(k wire.Kind, value any) (bool, error) {
		e.Standard(k)
		return true, e.Value(value)
	}
	switch v := v.(type) {
	case complex128:
		return payload(wire.KindComplex, real(v), imag(v))
	case complex64:
		return payload(wire.KindComplex, float64(real(v)), float64(imag(v)))
	case Date:
		return payload(wire.KindDate, v.Year, int(v.Month), v.Day)
	case TimeOfDay:
		return payload(wire.KindTime, v.Hour, v.Minute, v.Second, v.Microsecond, v.Fold)
	case DateTime:
		return payload(wire.KindDateTime, v.Year, int(v.Month), v.Day, v.Hour, v.Minute, v.Second, v.Microsecond, v.Fold)
	case time.Time:
		return true, encodeTime(e, v)
	case time.Duration:
		if v%time.Microsecond != 0 {
			return true, finer("time.Duration", v)
		}
		return one(wire.KindTimedelta, v.Microseconds())
	case Decimal:
		return one(wire.KindDecimal, string(v))
	case *big.Rat:
		if v == nil {
			e.None()
			return true, nil
		}
		return payload(wire.KindFraction, v.Num(), v.Denom())
	case UUID:
		return one(wire.KindUUID, v[:])
	case Path:
		return one(wire.KindPath, string(v))
	case Range:
		if v.Step == 0 {
			return true, fmt.Errorf("a py.Range with a Step of 0: Python has none")
		}
		return payload(wire.KindRange, v.Start, v.Stop, v.Step)
	case Slice:
		return payload(wire.KindSlice, v.Start, v.Stop, v.Step)
	case ByteArray:
		return one(wire.KindByteArray, []byte(v))
	}
	return false, nil
}

func finer(what string, v any) error {
	return fmt.Errorf("a %s of %v is finer than the microseconds of Python: use Truncate(time.Microsecond)", what, v)
}

// encodeTime writes a datetime with a time zone: a ZoneInfo where the location has a name such as Europe/Berlin that
// Python knows, with the same offset there, otherwise a fixed offset.
func encodeTime(e *wire.Encoder, t time.Time) error {
	if t.Nanosecond()%1000 != 0 {
		return finer("time.Time", t)
	}
	if y := t.Year(); y < 1 || y > 9999 {
		return fmt.Errorf("a time.Time in the year %d: Python has the years 1 to 9999", y)
	}
	name, offset := t.Zone()
	if location := t.Location().String(); location == "UTC" || strings.Contains(location, "/") {
		name = location
	}
	e.Standard(wire.KindAware)
	return e.Items(wire.TagTuple, []any{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(),
		t.Nanosecond() / 1000, 0, offset, name})
}

// decodeStandard makes the Go value of a standard value: of the type wanted, or the usual one. Kind 0 is a plain value.
func decodeStandard(k wire.Kind, payload any, want reflect.Type) (any, error) {
	v := usualStandard(k, payload)
	if v == nil {
		return nil, fmt.Errorf("the value from Python is malformed; please report this: kind %d, %T", k, payload)
	}
	if want == nil || reflect.TypeOf(v) == want {
		return v, nil
	}
	if as := asStandard(v, want); as != nil {
		return as, nil
	}
	return v, nil
}

func usualStandard(k wire.Kind, payload any) any {
	f := fields(asTuple(payload))
	n := func(i int) int { return int(field[int64](f, i)) }
	switch k {
	case 0:
		return payload
	case wire.KindComplex:
		return complex(field[float64](f, 0), field[float64](f, 1))
	case wire.KindDate:
		return Date{n(0), time.Month(n(1)), n(2)}
	case wire.KindTime:
		return TimeOfDay{n(0), n(1), n(2), n(3), n(4)}
	case wire.KindDateTime:
		return DateTime{Date{n(0), time.Month(n(1)), n(2)}, TimeOfDay{n(3), n(4), n(5), n(6), n(7)}}
	case wire.KindAware:
		return time.Date(n(0), time.Month(n(1)), n(2), n(3), n(4), n(5), n(6)*1000, time.UTC).
			Add(-time.Duration(n(8)) * time.Second).In(location(field[string](f, 9), f, n(8)))
	case wire.KindTimedelta:
		us, _ := payload.(int64)
		return time.Duration(us) * time.Microsecond
	case wire.KindDecimal:
		return Decimal(asString(payload))
	case wire.KindFraction:
		return new(big.Rat).SetFrac(asInt(f, 0), asInt(f, 1))
	case wire.KindUUID:
		b, _ := payload.([]byte)
		if len(b) != 16 {
			return nil
		}
		return UUID(b)
	case wire.KindPath:
		return Path(asString(payload))
	case wire.KindRange:
		return Range{field[int64](f, 0), field[int64](f, 1), field[int64](f, 2)}
	case wire.KindSlice:
		if len(f) != 3 {
			return nil
		}
		return Slice{f[0], f[1], f[2]}
	case wire.KindByteArray:
		b, _ := payload.([]byte)
		return ByteArray(b)
	}
	return nil
}

// location is that of a name, if it has the offset at that time; otherwise a fixed one.
func location(name string, f fields, offset int) *time.Location {
	if name == "UTC" && offset == 0 {
		return time.UTC
	}
	if strings.Contains(name, "/") {
		if loc, err := time.LoadLocation(name); err == nil {
			utc := time.Date(int(field[int64](f, 0)), time.Month(field[int64](f, 1)), int(field[int64](f, 2)),
				int(field[int64](f, 3)), int(field[int64](f, 4)), int(field[int64](f, 5)), 0, time.UTC).
				Add(-time.Duration(offset) * time.Second)
			if _, there := utc.In(loc).Zone(); there == offset {
				return loc
			}
		}
	}
	return time.FixedZone(name, offset)
}

// asStandard converts without loss to a type that is not the usual one, or returns nil.
func asStandard(v any, want reflect.Type) any {
	switch want {
	case reflect.TypeFor[*big.Rat]():
		return asRat(v)
	case reflect.TypeFor[complex128]():
		switch v := v.(type) {
		case float64:
			return complex(v, 0)
		case int64:
			if f := float64(v); int64(f) == v && f < math.MaxInt64 {
				return complex(f, 0)
			}
		}
	case reflect.TypeFor[complex64]():
		if c, ok := v.(complex128); ok && complex128(complex64(c)) == c {
			return complex64(c)
		}
	case reflect.TypeFor[Path]():
		if s, ok := v.(string); ok {
			return Path(s)
		}
	case reflect.TypeFor[ByteArray]():
		if b, ok := v.([]byte); ok {
			return ByteArray(b)
		}
	}
	return nil
}

// asRat is the exact value of an int or a finite Decimal, or nil.
func asRat(v any) any {
	switch v := v.(type) {
	case int64:
		return new(big.Rat).SetInt64(v)
	case *big.Int:
		return new(big.Rat).SetInt(v)
	case Decimal:
		const longest = 10000 // an exponent makes a short text a huge number
		if r, ok := new(big.Rat).SetString(string(v)); ok && len(r.Denom().Bits())+len(r.Num().Bits()) < longest {
			return r
		}
	}
	return nil
}

func asString(v any) string {
	s, _ := v.(string)
	return s
}

func asInt(f fields, i int) *big.Int {
	if i < len(f) {
		switch v := f[i].(type) {
		case int64:
			return big.NewInt(v)
		case *big.Int:
			return v
		}
	}
	return big.NewInt(1)
}
