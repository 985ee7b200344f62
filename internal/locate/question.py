# Asks an interpreter, of any version from 2.7 on, about itself. One line of JSON is the answer.
import sys
sys.path[:] = [p for p in sys.path if p]  # "" is the current folder: its json.py must not run
import json, os, sysconfig


def raw(path):
    if not path:
        return ""
    data = path if isinstance(path, bytes) else os.fsencode(path)
    return data.decode("latin-1")  # one code point per byte: a path need not be text


def implementation():
    if hasattr(sys, "implementation"):
        return sys.implementation.name
    return "pypy" if hasattr(sys, "pypy_version_info") else "cpython"


names = "INSTSONAME LDLIBRARY LIBDIR LIBPL MULTIARCH PYTHONFRAMEWORKPREFIX".split()
answer = dict((name, raw(sysconfig.get_config_var(name))) for name in names)
answer.update(
    implementation=implementation(),
    version=list(sys.version_info[:3]),
    executable=raw(sys.executable),
    base_executable=raw(getattr(sys, "_base_executable", None)),
    base_prefix=raw(getattr(sys, "base_prefix", sys.prefix)),
    gil_disabled=bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    enable_shared=bool(sysconfig.get_config_var("Py_ENABLE_SHARED")),
)
sys.stdout.write("\n" + json.dumps(answer) + "\n")
