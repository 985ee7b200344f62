// Package locate finds the CPython that a program is to load. It reads files and runs interpreters to
// ask them about themselves; it never loads a library, and it imports only the standard library.
//
// The candidates, first match wins:
//
//  1. an explicit choice: [Options.Python], else the variable PYCTX_PYTHON;
//  2. an active virtual environment: the variable VIRTUAL_ENV;
//  3. the bundled CPython, if a package registered one with [RegisterBundled];
//  4. python3, python, the versioned names from python3.15 down to python3.12, and those of free-threaded builds (python3.14t),
//     on PATH.
//
// An explicit choice that cannot be used is an error at once. The others are passed over and remembered:
// [Python.Passed] lists them when a later one suits, an [*Error] lists all of them when none does.
package locate
