// Package embedded gives a program a CPython of its own, version 3.14.6 with the whole standard library, so
// that it runs on a machine that has no Python. Import it for its effect, like a database driver:
//
//	import (
//		"github.com/pycontext/py"
//		_ "github.com/pycontext/py/embedded"
//	)
//
// It adds about 40 MB to the program. The bundled Python is used when no other was asked for
// (Config.Python, PYCTX_PYTHON) and no virtual environment is active; it comes before the python3 on PATH.
//
// # Where it goes
//
// A shared library has to be a file before it can be loaded. The first program that needs the bundled Python
// unpacks it, which takes a second or two, 70 MB, and 200 MB of memory for that time, to a folder of the user's:
//
//	Linux    $XDG_CACHE_HOME/pyctx or ~/.cache/pyctx
//	macOS    ~/Library/Caches/pyctx
//	Windows  %LocalAppData%\pyctx
//
// The variable PYCTX_CACHE, if set, names the folder to use in place of ~/.cache and its like; pyctx is made
// in it. Without PYCTX_CACHE, where there is no such folder, nothing can be written there, or CPython could not be
// started from there (because of a colon in its name, say), pyctx-<user id> in the system's temporary folder is
// used. Every version has a folder of its own, named by version and digest of the contents; those of other
// versions are left alone, and any of them may be deleted while no program uses it.
//
// # What is checked
//
// The folder has mode 0700 and must belong to the user that runs the program; one that belongs to someone
// else, root included, is refused. Contents are compared with a digest that is compiled into the program, each
// time a program starts. That takes a few milliseconds, since a file whose size, times and inode are as they
// were need not be read again. A folder that is incomplete, damaged or changed is unpacked anew; any number of
// processes may do all this at the same time.
//
// So nothing may be added to the folder, least of all with pip: a foreign file (a package, a .pth, a
// sitecustomize.py) makes it invalid, and goes when it is unpacked anew. Packages belong in a virtual
// environment, made with the bundled Python or another one; the bundled one has no ensurepip, so give
// --without-pip and install from outside (pip --python, uv). The only exception is __pycache__: the standard
// library is compiled into the folder as its modules are first imported. A compiled file is not checked until it is
// imported; one that cannot be read then is compiled again. That does not help with the few
// that Python reads before it has started: the error of the start says which folder to delete.
//
// # Platforms
//
// Linux with glibc, and macOS, on amd64 and arm64; Windows on amd64. Elsewhere the import compiles, and using
// the bundled Python is an error.
package embedded
