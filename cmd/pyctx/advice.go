package main

import (
	"strings"

	"github.com/pycontext/py"
)

// refusals are what modules say that do not load in an interpreter that is not the main one, or not the only one.
var refusals = []string{
	"does not support loading in subinterpreters",           // CPython
	"PyO3 modules do not yet support subinterpreters",       // PyO3
	"PyO3 modules may only be initialized once",             // PyO3, older
	"Interpreter change detected",                           // Cython
	"cannot load module more than once per process",         // numpy and others
	"module does not support multiple interpreters",         // pybind11, nanobind
	"has no support for sub-interpreters",                   // mod_wsgi's list of offenders
	"does not support sub-interpreters", "sub interpreters", // others
}

// advice says what to do about an exception of an import, or nothing.
func advice(err *py.Error, mode py.Mode) string {
	for e := err; e != nil; e = next(e) {
		if refused(e.Message) && mode != py.Worker {
			return "the module does not load in mode " + mode.String() + ": use --mode worker (py.Worker)"
		}
		if e.Is(py.Exception("ModuleNotFoundError")) {
			return "it is not installed in this Python: see \"pyctx doctor\", and --python for another one"
		}
	}
	return ""
}

func refused(message string) bool {
	for _, r := range refusals {
		if strings.Contains(message, r) {
			return true
		}
	}
	return false
}

// next is the exception behind an exception: numpy, for one, explains an ImportError with another.
func next(e *py.Error) *py.Error {
	if e.Cause != nil {
		return e.Cause
	}
	return e.Context
}

// hint is advice below a traceback.
func hint(err *py.Error, mode py.Mode) string {
	if text := advice(err, mode); text != "" {
		return "\npyctx: " + text
	}
	return ""
}
