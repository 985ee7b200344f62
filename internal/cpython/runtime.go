//go:build cgo && (linux || darwin)

package cpython

// #include <stdlib.h>
// #include "function.h"
// #include "request.h"
// #include "runtime.h"
import "C"

import (
	_ "embed"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

//go:embed bootstrap.py
var bootstrap string

//go:embed sources.py
var sources string

//go:embed loops.py
var loops string

//go:embed printing.py
var printing string

//go:embed objects.py
var objects string

//go:embed values.py
var values string

//go:embed converters.py
var converters string

//go:embed live.py
var live string

// Supported tells whether this build can run Python.
const Supported = true

var hooks Hooks

// RecursionLimit is sys.getrecursionlimit() in every interpreter.
const RecursionLimit = 12000

const spinTime = 50 * time.Microsecond

// Start loads CPython and initialises it, once per process. It blocks for some ten milliseconds.
func Start(config Config, h Hooks) (Version, error) {
	hooks = h
	c := C.runtime_config{
		library:    C.CString(config.Library),
		executable: optional(config.Executable),
		home:       optional(config.Home),
		wide:       C.struct_wide_paths{home: wide(config.Home), executable: wide(config.Executable)},
		bootstrap:  C.CString(settings(config) + bootstrap + loops + sources + printing + values + converters + live + objects),
		spin_ns:    C.int64_t(spinTime),
		spinners:   C.int(max(1, min(runtime.NumCPU(), runtime.GOMAXPROCS(0))/2)), // the other half is for Python
		few:        C.int(min(2, runtime.GOMAXPROCS(0))),                          // of one processor, a caller that spins leaves nothing to others
	}
	// Every string stays: CPython may refer to it as long as the process lives.
	kept := (*C.runtime_config)(C.malloc(C.size_t(unsafe.Sizeof(c))))
	*kept = c
	if problem := C.runtime_start(kept); problem != nil {
		return Version{}, errors.New(C.GoString(problem))
	}
	return version(), nil
}

func optional(s string) *C.char {
	if s == "" {
		return nil
	}
	return C.CString(s)
}

func version() Version {
	n := int(C.api_version)
	text, _, _ := strings.Cut(C.GoString(C.runtime_version()), " ")
	return Version{Text: text, Major: n >> 8, Minor: n & 0xff, FreeThreaded: C.api_free_threaded != 0}
}

// settings is the Python text that stands before bootstrap.py.
func settings(config Config) string {
	return fmt.Sprintf("CONFIG = {'recursion_limit': %d, 'argv': %s, 'paths': %s, 'redirect': (%s, %s)}\n",
		RecursionLimit, pythonList(config.Args), pythonList(config.Paths),
		pythonBool(config.Redirect[0]), pythonBool(config.Redirect[1]))
}

func pythonBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// pythonList writes Python source. Go's escapes for ASCII output mean the same in Python.
func pythonList(items []string) string {
	var b strings.Builder
	b.WriteByte('[')
	for _, s := range items {
		b.WriteByte('"')
		for _, r := range codePoints(s) {
			if utf16.IsSurrogate(r) {
				fmt.Fprintf(&b, `\u%04x`, r)
			} else {
				quoted := strconv.QuoteToASCII(string(r))
				b.WriteString(quoted[1 : len(quoted)-1])
			}
		}
		b.WriteString(`", `)
	}
	b.WriteByte(']')
	return b.String()
}

// codePoints are those of Python's str for an argument or a path: bytes that are no UTF-8 are lone surrogates (PEP 383).
func codePoints(s string) (all []rune) {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			r = 0xdc00 + rune(s[0])
		}
		all = append(all, r)
		s = s[n:]
	}
	return all
}

// wide is a path in C memory, or NULL if it is empty. CPython's own function for that goes by the locale, which a Go program
// has not set.
func wide(path string) *C.wchar_t {
	if path == "" {
		return nil
	}
	text := append(codePoints(path), 0)
	p := (*C.wchar_t)(C.malloc(C.size_t(len(text)) * C.sizeof_wchar_t))
	for i, out := range text {
		unsafe.Slice(p, len(text))[i] = C.wchar_t(out)
	}
	return p
}

// Symbol is the address of a function or an object of CPython, which runs, or 0: for C outside of this package.
func Symbol(name string) uintptr {
	p := C.CString(name)
	defer C.free(unsafe.Pointer(p))
	return uintptr(C.api_symbol(p))
}

// FunctionsChanged makes Python look every Go function up again. Call it after each change of what Hooks.Lookup answers.
func FunctionsChanged() { C.registry_changed() }

// CountErrors keeps the live count of Go errors that Python holds.
func CountErrors(n int) { atomic.AddInt64((*int64)(&C.stats[C.STAT_ERRORS]), int64(n)) }

// CountFunctions keeps the live count of Go functions that are lent.
func CountFunctions(n int) { atomic.AddInt64((*int64)(&C.stats[C.STAT_FUNCTIONS]), int64(n)) }

// Counts returns the live counts.
func Counts() Live {
	stat := func(which C.int) int64 { return atomic.LoadInt64((*int64)(&C.stats[which])) }
	return Live{
		Threads:    stat(C.STAT_THREADS),
		Contexts:   stat(C.STAT_CONTEXTS),
		Lanes:      stat(C.STAT_LANES),
		Requests:   stat(C.STAT_REQUESTS),
		Callbacks:  stat(C.STAT_CALLBACKS),
		References: stat(C.STAT_REFS),
		Errors:     stat(C.STAT_ERRORS),
		Functions:  stat(C.STAT_FUNCTIONS),
		Lent:       stat(C.STAT_LENT),
	}
}
