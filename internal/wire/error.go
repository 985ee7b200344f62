package wire

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// ErrMalformed is what errors.Is finds in an error about bytes that do not follow
// SPEC.md, as opposed to a value that does not fit the wanted type.
var ErrMalformed = errors.New("malformed wire data")

// ErrLimit is what errors.Is finds in an error about a value that is larger than it may be.
var ErrLimit = errors.New("py: beyond a limit")

// An Error says which part of a value cannot travel, and why.
type Error struct {
	// Path is the place within the value, such as `.items[3]["key"]`, and empty for
	// the value itself. A dict key that is itself the trouble is at `.keys()`.
	Path string
	// Type is the Go type (encoding) or the Python type (decoding) found there.
	Type string
	// Reason says what is wrong, and where it helps, what to use instead.
	Reason string
	// Err is the error of a hook, or ErrMalformed, or nil.
	Err error
}

// Error returns the place and the reason.
func (e *Error) Error() string {
	if e.Path == "" {
		return e.Reason
	}
	return e.Place() + ": " + e.Reason
}

// Place is the path, a very long one without its middle.
func (e *Error) Place() string {
	const most = 200
	if len(e.Path) <= most {
		return e.Path
	}
	end := len(e.Path) - most/2
	for !utf8.RuneStart(e.Path[end]) {
		end++
	}
	return cut(e.Path, most/2) + "..." + e.Path[end:]
}

// Unwrap returns the error of a hook, if that is the cause.
func (e *Error) Unwrap() error { return e.Err }

// At puts a place in front of the path of err: At(err, "args[0]") makes the path
// `.items[3]` to `args[0].items[3]`. An err of another type becomes the cause of an
// [*Error]. The innermost place is put first, as the recursion unwinds, so that a
// value without trouble pays nothing.
func At(err error, place string) error {
	if e, ok := err.(*Error); ok {
		e.Path = place + e.Path
		return e
	}
	return &Error{Path: place, Reason: err.Error(), Err: err}
}

func atIndex(err error, i int) error { return At(err, "["+strconv.Itoa(i)+"]") }

func atKey(err error, key any) error {
	if s, ok := key.(string); ok {
		return At(err, "["+quote(s)+"]")
	}
	return At(err, "["+short(fmt.Sprint(key))+"]")
}

func atKeys(err error) error { return At(err, ".keys()") }

// quote returns s in quotes, shortened.
func quote(s string) string {
	if len(s) > 40 {
		return strconv.Quote(cut(s, 40)) + "..."
	}
	return strconv.Quote(s)
}

func short(s string) string {
	if len(s) > 40 {
		return cut(s, 40) + "..."
	}
	return s
}

// cut returns no more than n bytes of s, which has more, and no part of a character.
func cut(s string, n int) string {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func malformed(format string, args ...any) error {
	return &Error{Reason: "malformed: " + fmt.Sprintf(format, args...), Err: ErrMalformed}
}

func truncated() error { return malformed("it ends too early") }

func tooDeep(typ string) error {
	return &Error{Type: typ, Reason: fmt.Sprintf("values nest more than %d deep, or one contains itself", MaxDepth)}
}
