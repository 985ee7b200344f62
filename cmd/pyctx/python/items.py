# The Python half of "pyctx map": loads FILE.py and makes the function that takes one item to one line of JSON.

import io
import os
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from threading import get_ident
from time import perf_counter

BATCH_TIME = 0.001
CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR = 0x20, 0x80, 0x200  # as in inspect, which takes long to import


class Missing(Exception):
    """FILE.py has no such function: a mistake in the command, not in the code."""


class Lines(io.TextIOBase):
    """Passes whole lines on, so that threads that print at the same time do not mix within a line."""

    encoding, errors, name, mode, line_buffering = "utf-8", "backslashreplace", "<stderr>", "w", True

    def __init__(self, stream):
        self.stream, self.pending = stream, {}  # by thread

    def writable(self):
        return True

    def write(self, text):
        thread = get_ident()
        whole, newline, rest = (self.pending.pop(thread, "") + text).rpartition("\n")
        if rest:
            self.pending[thread] = rest
        if newline:
            self.stream.write(whole + newline)
        return len(text)

    @property
    def buffer(self):
        return Bytes(self)

    def fileno(self):
        return 2

    def reconfigure(self, **_):
        """For programs that ask for UTF-8, or for what they print at once."""

    def finish(self):
        while self.pending:
            self.stream.write(self.pending.popitem()[1] + "\n")


class Bytes(io.BufferedIOBase):
    """The same for bytes."""

    name, mode = "<stderr>", "wb"

    def __init__(self, lines):
        self.lines = lines

    def writable(self):
        return True

    def write(self, data):
        with memoryview(data) as view:
            self.lines.write(str(view, "utf-8", "backslashreplace"))
            return view.nbytes

    def fileno(self):
        return 2


printed = Lines(sys.__stderr__)


def furnish():
    """Standard output is for results alone: what the function prints goes to standard error."""
    begin()
    sys.stdout = sys.stderr = printed


def load(path):
    """A module of its own for each context, also where contexts share an interpreter."""
    folder, file = os.path.split(path)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = os.path.splitext(file)[0]
    loader = SourceFileLoader(name, path)
    module = module_from_spec(spec_from_loader(name, loader))
    known = sys.modules.get(name)
    if known is None or getattr(known, "__file__", None) == module.__file__:
        sys.modules[name] = module  # dataclasses, pickle and others look up the module of a class
    exec(loader.source_to_code(loader.get_data(path), path), vars(module))
    return module


def find(module, path, dotted):
    value = module
    for name in dotted.split("."):
        try:
            value = getattr(value, name)
        except AttributeError:
            raise Missing(f"{path} has no function {dotted!r}{suggestion(module, dotted)}") from None
    if not callable(value):
        raise Missing(f"{dotted!r} in {path} is no function: it is of type {type(value).__name__}")
    flags = getattr(getattr(value, "__code__", None), "co_flags", 0)
    if flags & CO_GENERATOR:
        raise Missing(f"{dotted!r} in {path} is a generator function, and an item has one result: return a list")
    if flags & (CO_COROUTINE | CO_ASYNC_GENERATOR):
        raise Missing(f"{dotted!r} in {path} is an async function, and nobody awaits it: call it with asyncio.run in a plain one")
    return value


def suggestion(module, wanted):
    from difflib import get_close_matches

    own = [n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__]
    close = get_close_matches(wanted, own, 1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; it has {', '.join(own[:10])}" if own else ""


def text(raw):
    try:
        return raw.decode()
    except UnicodeDecodeError as e:
        raise Invalid(f": the input is not UTF-8: {e.reason} at byte {e.start + 1}") from None


read = {"json": lambda raw: from_json(text(raw)), "text": text, "files": os.fsdecode}


def stepper(names, kind):
    """The function from the bytes of inputs to those of lines of output.

    It does as many as it can in a short time, and at least one. An exception ends it: one of the first input is raised;
    one of a later input is kept and raised when that input comes back as the first.
    """
    path, shown, dotted = map(os.fsdecode, names)
    function, of, kept = find(load(path), shown, dotted), read[kind], []

    def steps(raws):
        if kept:
            raise kept.pop()
        lines, until = [], perf_counter() + BATCH_TIME
        for raw in raws:
            try:
                lines.append(to_json(function(of(raw))))
            except BaseException as e:
                if not lines:
                    raise
                kept.append(e)
                break
            if perf_counter() > until:
                break
        return lines

    return steps
