package py

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The types below are what values of Python's standard library are in Go where Go has no type of its own for them. The
// table under "Values" in the package documentation has all of them.

// Date is a Python date.
type Date struct {
	Year  int // 1 to 9999
	Month time.Month
	Day   int
}

func (d Date) check() error {
	day := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
	if y, m, n := day.Date(); y != d.Year || m != d.Month || n != d.Day || y < 1 || y > 9999 {
		return fmt.Errorf("there is no day %d-%02d-%02d in Python, which has the years 1 to 9999", d.Year, int(d.Month), d.Day)
	}
	return nil
}

// TimeOfDay is a Python time without a time zone.
type TimeOfDay struct {
	Hour, Minute, Second, Microsecond int
	Fold                              int // 1: the second of two equal times when clocks are set back (PEP 495)
}

func (t TimeOfDay) check() error {
	in := func(n, most int) bool { return n >= 0 && n <= most }
	if !in(t.Hour, 23) || !in(t.Minute, 59) || !in(t.Second, 59) || !in(t.Microsecond, 999999) || !in(t.Fold, 1) {
		return fmt.Errorf("there is no time %02d:%02d:%02d.%06d, fold %d, in Python", t.Hour, t.Minute, t.Second, t.Microsecond, t.Fold)
	}
	return nil
}

// DateTime is a Python datetime without a time zone: what a clock on some wall shows. One with a time zone is a
// [time.Time].
type DateTime struct {
	Date
	TimeOfDay
}

// In is the time at which clocks in loc show d. Where they show it twice, because they are set back, Fold says which; where
// they never do, because they are set forward, it is as far from the change as with the offset of before (Fold 0) or after
// (Fold 1), as in Python.
func (d DateTime) In(loc *time.Location) time.Time {
	wall := time.Date(d.Year, d.Month, d.Day, d.Hour, d.Minute, d.Second, d.Microsecond*1000, time.UTC)
	at := func(days int) time.Time { // with the offset of a day before or after
		_, offset := wall.AddDate(0, 0, days).In(loc).Zone()
		return wall.Add(-time.Duration(offset) * time.Second).In(loc)
	}
	shows := func(t time.Time) bool { return t.Hour() == d.Hour && t.Minute() == d.Minute && t.Second() == d.Second }
	before, after := at(-1), at(1)
	switch {
	case shows(before) && !shows(after):
		return before
	case shows(after) && !shows(before):
		return after
	case d.Fold == 1:
		return after
	}
	return before
}

// DateTimeOf is what the clocks of t's location show at t. What is less than a microsecond is cut off.
func DateTimeOf(t time.Time) DateTime {
	d := DateTime{
		Date{t.Year(), t.Month(), t.Day()},
		TimeOfDay{t.Hour(), t.Minute(), t.Second(), t.Nanosecond() / 1000, 0},
	}
	if d.In(t.Location()).Before(t.Truncate(time.Microsecond)) {
		d.Fold = 1
	}
	return d
}

// Decimal is a Python decimal.Decimal, as its exact text: "1.10", "-1E+3", "NaN".
type Decimal string

// The exponents that the decimal module has: of the first digit and of the last.
const (
	mostExponent  = 999_999_999_999_999_999
	leastExponent = -1_999_999_999_999_999_997
)

// check is the error of a text that no Decimal can be made of: one with the white space, underscores or digits of other scripts that
// decimal.Decimal takes too, or with an exponent that the decimal module has not.
func (d Decimal) check() error {
	s := string(d)
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	number, exponent := s, "0"
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		number, exponent = s[:i], s[i+1:]
	}
	whole, part, _ := strings.Cut(number, ".")
	last, err := strconv.ParseInt(exponent, 10, 64)
	if len(whole)+len(part) > 0 && isDigits(whole) && isDigits(part) && !errors.Is(err, strconv.ErrSyntax) {
		first := int64(max(1, len(strings.TrimLeft(whole+part, "0")))-1) - int64(len(part))
		if err != nil || last > mostExponent-first || last < leastExponent+int64(len(part)) {
			return fmt.Errorf("Python's decimal has no exponent as that of the py.Decimal %.60q: that of the first digit is at most %d, "+
				"of the last at least %d", string(d), mostExponent, leastExponent)
		}
		return nil
	}
	s = strings.ToLower(s)
	payload, isNaN := strings.CutPrefix(strings.TrimPrefix(s, "s"), "nan")
	if s == "inf" || s == "infinity" || isNaN && isDigits(payload) {
		return nil
	}
	return fmt.Errorf("the py.Decimal %.60q is no number, such as \"-1.50\", \"1E+3\" or \"NaN\"", string(d))
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

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
