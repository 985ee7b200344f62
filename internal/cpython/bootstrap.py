# Runs once in every interpreter, with the natives of module.c as its globals: furnishes the interpreter and makes the
# module go. What C keeps of them is in interpreter.c. CONFIG stands before this text.

import sys
from types import ModuleType

# Go and Python calling each other use up Python's count of nested frames, so that it starts higher than Python's 1000.
sys.setrecursionlimit(CONFIG["recursion_limit"])
# Contexts that share a lock wait for one another no longer than this, and an interrupt for a busy one.
sys.setswitchinterval(0.0005)
if sys.version_info < (3, 14):  # which does not notice that the stack of a thread is full
    __import__("_thread").stack_size(32 << 20)
sys.unraisablehook = unraisable
sys.argv = list(CONFIG["argv"])
sys.path[:0] = CONFIG["paths"]


class Error(Exception):
    """A Go function returned an error."""

    __module__ = "go"


class Interrupted(KeyboardInterrupt):
    """The Go caller no longer waits: its deadline passed, it was cancelled, or the context was interrupted or closed."""

    __module__ = "go"

    __new__ = new_interrupted  # which asks interrupted_class


def call(name, /, *args, **kwargs):
    """Calls the Go function registered under name."""
    return function(name)(*args, **kwargs)


def make_go_module():
    go = Module("go", "Calls functions of the Go program that this Python runs in: go.f(1), or go.call('f', 1).")
    go.Error, go.Interrupted, go.call = Error, Interrupted, call
    public = sorted(n for n in vars(go) if not n.startswith("_"))
    go.__getattr__ = function  # for threads, and for what Module did not find before
    go.__dir__ = lambda: public + names().split()
    call.__module__ = "go"
    sys.modules["go"] = go


make_go_module()


class Main(ModuleType):
    """__main__ as each request and each thread sees it: the namespace that it works in."""

    def __getattribute__(self, name):
        own, names = super().__getattribute__, namespace()
        if names is None or names is own("__dict__"):
            return own(name)
        if name == "__dict__":
            return names
        try:
            return names[name]
        except KeyError:
            pass
        module = ModuleType("__main__")  # which knows what else a module has, and what to raise
        vars(module).update(names)
        return getattr(module, name)

    def __setattr__(self, name, value):
        self.__dict__[name] = value

    def __delattr__(self, name):
        if name not in self.__dict__:
            raise AttributeError(f"module '__main__' has no attribute {name!r}", name=name, obj=self)
        del self.__dict__[name]


sys.modules["__main__"].__class__ = Main


# Errors on their way to Go.


def text(value):
    """value as text that UTF-8 can carry."""
    try:
        return str.encode(value, "utf-8", "backslashreplace").decode()
    except TypeError:
        return ""


def attempt(read, default):
    """read(), or the default: an exception that cannot even be looked at is still one to report."""
    try:
        return read()
    except (RecursionError, MemoryError, Interrupted):  # there is no room for more than C says by itself, or no wish for it
        raise
    except BaseException:
        return default


def class_of(cls):
    """The module and the name of a class, without asking a metaclass."""
    name = attempt(lambda: type.__dict__["__qualname__"].__get__(cls), "")
    return text(attempt(lambda: type.__dict__["__module__"].__get__(cls), "")), text(name)


def own(name, exc, default=None):
    """An attribute that BaseException itself keeps."""
    return attempt(lambda: BaseException.__dict__[name].__get__(exc), default)


def frames_of(exc):
    frames, tb, passed = [], own("__traceback__", exc), passed_of(exc)
    while tb is not None:
        if passed and passed.knows(tb):
            frames.append(())
            break
        code = tb.tb_frame.f_code
        if code.co_filename != "<py>":
            frames.append((text(plain_name(code.co_filename)), tb.tb_lineno or 0, text(code.co_qualname), *lines_of(tb)))
        tb = tb.tb_next
    return frames


def syntax_of(exc):
    if not isinstance(exc, SyntaxError):
        return None
    number = lambda n: n if type(n) is int and 0 <= n < 1 << 31 else 0
    return text(exc.filename) or "<string>", number(exc.lineno), number(exc.offset), text(exc.text)


def notes_of(exc):
    notes = object.__getattribute__(exc, "__dict__").get("__notes__")
    if not isinstance(notes, (list, tuple)):
        return []
    return [attempt(lambda: text(str(n)), "<note str() failed>") for n in notes]


class Passed:
    """What an exception that came from Go keeps of that: what C keeps the Go error in, and how far Go knows the traceback."""

    __slots__ = "error", "known"

    def __init__(self, error, tb=None):
        self.error, self.known = error, self.mark(tb)

    def mark(self, tb):
        return tb and (id(tb), id(tb.tb_frame), tb.tb_lasti)  # which do not keep it

    def knows(self, tb):
        return self.known is not None and self.known[0] == id(tb) and self.known == self.mark(tb)

    def __reduce__(self):  # a copy of the exception has nothing of Go
        return type(None), ()


def passed_of(exc):
    passed = attempt(lambda: object.__getattribute__(exc, "__dict__").get("_go_error"), None)
    return passed if type(passed) is Passed else None


def go_error_of(exc):
    """What C keeps a Go error in, or 0."""
    passed = passed_of(exc)
    return passed.error if passed and is_error(passed.error) else 0


def message_of(exc):
    try:
        return text(str(exc))
    except Interrupted:
        raise
    except BaseException:
        return "<exception str() failed>"


def members_of(exc):
    return BaseExceptionGroup.exceptions.__get__(exc) if issubclass(type(exc), BaseExceptionGroup) else ()


def describe(exc, depth=32, seen=None):
    """exc as an exception record of the wire format, with what belongs to it, each exception once."""
    seen = set() if seen is None else seen
    if exc is None or depth == 0 or id(exc) in seen:
        return None
    seen.add(id(exc))
    cause, context = own("__cause__", exc), own("__context__", exc)
    cls = type(exc)
    module, name = class_of(cls)
    mro = attempt(lambda: type.__dict__["__mro__"].__get__(cls), ())
    return (
        name,
        module,
        message_of(exc),
        [class_of(c) for c in mro[1:] if c is not object],
        attempt(lambda: notes_of(exc), []),
        attempt(lambda: frames_of(exc), []),
        describe(cause, depth - 1, seen),
        context is cause or describe(context, depth - 1, seen),
        bool(own("__suppress_context__", exc, False)),
        go_error_of(exc),
        attempt(lambda: syntax_of(exc), None),
        [r for r in (describe(p, depth - 1, seen) for p in attempt(lambda: members_of(exc), ())) if r],
        last_lines(exc),
    )


# Errors on their way from Go.

error_classes = {}


def error_class(kind, also_go):
    """The class to raise for an error of Go: a built-in one, go.Error, or one that is both."""
    import builtins

    builtin = getattr(builtins, kind, None)
    if not (isinstance(builtin, type) and issubclass(builtin, BaseException)):
        return Error
    if not also_go:
        return builtin
    if kind not in error_classes:
        # what except Exception lets pass, it lets pass behind Go too; and a KeyError would quote its message once more
        bases = (Error, builtin) if issubclass(builtin, Exception) else (builtin,)
        names = {"__module__": "go", "__doc__": builtin.__doc__, "__str__": BaseException.__str__}
        error_classes.setdefault(kind, type(kind, bases, names))
    return error_classes[kind]


def make_error(kind, message, go_error):
    try:
        exc = error_class(kind, go_error is not None)(message)
    except TypeError:  # a class that wants more than a message
        exc = Error(f"{kind}: {message}")
    if go_error is not None:
        exc._go_error = Passed(go_error)
    return exc


def raise_again(exc, note, go_error):
    """exc, which a Go function passes on, with its error, and what that says more."""
    passed = Passed(go_error, own("__traceback__", exc))
    attempt(lambda: object.__getattribute__(exc, "__dict__").update(_go_error=passed), None)
    if note != message_of(exc):
        attempt(lambda: BaseException.add_note(exc, note), None)
    return exc


# Source to code.

EVAL = 2


def identifier(name):
    """name as Python's parser reads it."""
    if name.isascii():
        return name
    import unicodedata

    return unicodedata.normalize("NFKC", name)


def compile_source(verb, source, parameters):
    """Code of a statement list or an expression; with parameters, the code of a function of them."""
    if verb == EVAL:
        source = source.lstrip(" \t")
    name = source_name(source)
    try:
        code = compile_named(name, verb, source, parameters)
    except SyntaxError as e:
        if e.filename == name:
            e.filename = "<string>"
        raise
    keep_source(name, source, code)
    return code


def compile_named(name, verb, source, parameters):
    if verb != EVAL:
        return compile(source, name, "exec", dont_inherit=True)
    if not parameters:
        return compile(source, name, "eval", dont_inherit=True)
    import _ast  # a quarter of a megabyte, for those that need it

    compile(source, name, "eval", dont_inherit=True)  # what is wrong on its own stays wrong within a function
    body = compile(source, name, "eval", 0x400, dont_inherit=True).body  # ast.PyCF_ONLY_AST
    place = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}
    args = [_ast.arg(identifier(name), **place) for name in parameters]
    signature = _ast.arguments(posonlyargs=[], args=args, kwonlyargs=[], kw_defaults=[], defaults=[])
    tree = _ast.Expression(_ast.Lambda(signature, body, **place))
    outer = compile(tree, name, "eval", dont_inherit=True)
    code = next(c for c in outer.co_consts if hasattr(c, "co_code"))
    return code.replace(co_name="<module>", co_qualname="<module>")


# Streams.


def redirect(name, stream):
    import io

    class Writer(io.BufferedIOBase):
        """Gives bytes to an io.Writer of the Go program, at once."""

        def writable(self):
            return True

        def write(self, data):
            data = bytes(memoryview(data))
            write(stream, data)
            return len(data)

    Writer.__module__, Writer.__qualname__ = "go", "Writer"
    text = io.TextIOWrapper(Writer(), "utf-8", "backslashreplace", write_through=True)
    setattr(sys, name, text)
    setattr(sys, f"__{name}__", text)


def prepare_streams():
    for stream, name in (1, "stdout"), (2, "stderr"):
        if CONFIG["redirect"][stream - 1]:
            redirect(name, stream)
        elif getattr(sys, name) is not None:
            getattr(sys, name).reconfigure(line_buffering=True)  # a line is not lost when the Go program exits


prepare_streams()


def join_threads():
    """Waits for the threads of this interpreter, as its end would, while everything that they use is still there."""
    threading, pools = sys.modules.get("threading"), sys.modules.get("concurrent.futures.thread")
    if pools is not None:
        pools._python_exit()
    if threading is None:
        return
    here = threading.get_ident()
    for thread in threading.enumerate():
        if thread.ident != here and thread is not threading.main_thread() and not thread.daemon:
            thread.join()


def forget_thread():
    """Drops what the module threading noted of this thread, which it did not start, while it is there to do so."""
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._active.pop(threading.get_ident(), None)
        vars(getattr(threading, "_thread_local_info", threading.local())).clear()


def run_exit_handlers():
    """Those of this interpreter, as its end would, while they can still call Go and start threads."""
    atexit = sys.modules.get("atexit")
    if atexit is not None:
        atexit._run_exitfuncs()


def flush_streams():
    for stream in sys.stdout, sys.stderr:
        attempt(lambda: stream.flush(), None)


def finish():
    """The end of a context: nothing that it printed is lost."""
    if not is_main:
        attempt(join_threads, None)
        attempt(run_exit_handlers, None)
    attempt(forget_thread, None)
    flush_streams()


def end_child(exc):
    """The end of a child made by os.fork(), whose code came to its end, or raised."""
    import os

    status = 0
    try:
        if isinstance(exc, SystemExit) and (exc.code is None or isinstance(exc.code, int)):
            status = exc.code or 0
        elif exc is not None:
            status = 1
            if isinstance(exc, SystemExit):
                print(exc.code, file=sys.stderr)
            else:
                sys.excepthook(type(exc), exc, exc.__traceback__)
        flush_streams()
    finally:
        os._exit(status & 0xFF)


def collect():
    """The end of a context: its functions and their namespace refer to each other, and what they leave behind may call Go."""
    import gc

    if not is_main:
        sys.modules.pop("__main__", None)  # whose namespace it is
    gc.collect()


# Threads of the main interpreter belong to the context whose code started them; elsewhere there is only one.


def pass_context_on():
    import threading

    def starting(start):
        def start_thread(function, *args, **kwargs):
            context = inherit()
            if context is None:
                return start(function, *args, **kwargs)

            def run(*a, **k):
                adopt(context)
                try:
                    return function(*a, **k)
                finally:
                    abandon()

            return start(run, *args, **kwargs)

        return start_thread

    for name in "_start_joinable_thread", "_start_new_thread":
        if hasattr(threading, name):
            setattr(threading, name, starting(getattr(threading, name)))


if is_main:
    pass_context_on()


# A .pyc that was cut off, by a full disk or a machine that went down, would end every import of it with an error. It is compiled
# again.


def repair_bytecode():
    import _frozen_importlib_external as loaders

    read = loaders._compile_bytecode

    def compile_bytecode(data, name=None, bytecode_path=None, source_path=None):
        try:
            return read(data, name, bytecode_path, source_path)
        except (EOFError, ImportError, TypeError, ValueError):
            if source_path is None:
                raise
        try:
            loaders._os.unlink(bytecode_path)  # the next import writes it
        except OSError:
            pass
        loader = loaders.SourceFileLoader(name, source_path)
        return loader.source_to_code(loader.get_data(source_path), source_path)

    loaders._compile_bytecode = compile_bytecode


repair_bytecode()


# Extension modules that know one interpreter only say so in many ways, and packages hide it behind advice of their own.

REFUSALS = (
    "does not support loading in subinterpreters",  # CPython
    "failed to import from subinterpreter",  # CPython 3.14
    "do not yet support subinterpreters",  # PyO3
    "may only be initialized once",  # PyO3, older
    "does not support multiple interpreters",  # pybind11, nanobind
    "Interpreter change detected",  # Cython
    "cannot load module more than once per process",  # numpy
)


def refusal(exc):
    """The exception in the chain of exc with which a module refused this interpreter, or explaining's of it, or None."""
    seen, found = set(), None
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        if isinstance(exc, ImportError):
            if "_refused" in vars(exc):
                return exc
            if any(r in message_of(exc) for r in REFUSALS):
                found = exc
        exc = own("__cause__", exc) or own("__context__", exc)
    return found


def explaining(method):
    """A method of a loader, whose ImportErrors say what to do about a module that does not load in this interpreter."""

    def load(what, *args):  # a loader, or a spec
        try:
            return method(what, *args)
        except ImportError as e:
            refused = refusal(e)
            if refused is None or "_refused" in vars(e):
                raise
            name, text = refused.name or what.name, message_of(refused)
            if "_refused" not in vars(refused):
                text = text if name in text else f"module {name}: {text}"
                text += f"; a {MODE} context has an interpreter of its own: use a py.Worker context for it"
            error = ImportError(text, name=name, path=refused.path)
            error._refused = True
            tb = e.__traceback__
            while tb is not None and tb.tb_frame.f_code.co_filename.startswith("<frozen importlib."):
                tb = tb.tb_next
            raise error from (None if refused is e else e.with_traceback(tb))

    # As a part of importlib, it is left out of tracebacks with the rest of that.
    load.__code__ = load.__code__.replace(co_filename="<frozen importlib._bootstrap_external>")
    return load


def explain_refusals():
    import _frozen_importlib_external as loaders
    from _frozen_importlib import BuiltinImporter

    BuiltinImporter.create_module = staticmethod(explaining(BuiltinImporter.create_module))
    for cls, names in (loaders.ExtensionFileLoader, ("create_module", "exec_module")), (loaders._LoaderBasics, ("exec_module",)):
        for name in names:
            setattr(cls, name, explaining(getattr(cls, name)))


if not is_main:
    MODE = "py.OwnGIL" if own_lock else "py.Subinterp"
    explain_refusals()
