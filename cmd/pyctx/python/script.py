# The Python half of "pyctx run" and "pyctx eval": what the python command does around a program, for a program in a
# context. Both return the exit status.

import keyword
import os
import sys
import textwrap
import threading

import go


class program:
    """The one program of this process."""

    thread = process = 0  # that it runs on, and in
    noticed = False  # that Ctrl-C was pressed
    ending = threading.Lock()  # held by the thread that ends it
    waiting = False  # for its threads: nothing else of it runs any more
    over = False  # nor does anything but exit functions and finalizers


def run(kind, target, args):
    """target is what kind says: file, module or code."""
    target, args = os.fsdecode(target), [os.fsdecode(a) for a in args]
    start = {"file": run_file, "module": run_module, "code": run_code}[kind]
    return conclude(lambda: start(target, args))


def run_file(path, args):
    sys.argv = [path, *args]
    if path == "-":
        sys.path.insert(0, "")
        return execute(sys.stdin.buffer.read(), "<stdin>")
    from importlib.machinery import SourceFileLoader, SourcelessFileLoader
    from importlib.util import MAGIC_NUMBER
    from pkgutil import get_importer

    if get_importer(path) is not None:  # a folder or an archive with a __main__.py
        sys.path.insert(0, path)
        return run_main_module("__main__", False)
    sys.path.insert(0, os.path.dirname(os.path.realpath(path)))
    path = os.path.abspath(path)
    loader = SourceFileLoader("__main__", path)
    code = loader.get_data(path)
    if path.endswith(".pyc") or code.startswith(MAGIC_NUMBER):
        loader = SourcelessFileLoader("__main__", path)
        code = loader.get_code("__main__")
    execute(code, path, __file__=path, __loader__=loader)


def run_module(name, args):
    sys.argv = ["-m", *args]
    try:
        sys.path.insert(0, os.getcwd())
    except OSError:  # the folder is gone, which python -m does not mind
        pass
    run_main_module(name, True)


def run_main_module(name, alter_argv):
    import runpy

    fresh_main()
    runpy._run_module_as_main(name, alter_argv)  # what python -m calls


def run_code(code, args):
    sys.argv = ["-c", *args]
    sys.path.insert(0, "")
    code = textwrap.dedent(code)
    show_source("<string>", code)
    execute(code, "<string>")


def execute(code, file, **names):
    if isinstance(code, (bytes, str)):
        code = compile(code, file, "exec", dont_inherit=True)
    exec(code, fresh_main(**names))


def fresh_main(**names):
    main = type(sys)("__main__")
    vars(main).update(__builtins__=sys.modules["builtins"], **names)
    sys.modules["__main__"] = main
    return vars(main)


def evaluate(expression, variables, as_text):
    def work():
        sys.path.insert(0, "")
        source = os.fsdecode(expression).strip()
        show_source("<expression>", source)
        code = compile(source, "<expression>", "eval", dont_inherit=True)
        value = eval(code, fresh_main(**{named(os.fsdecode(name)): variable(os.fsdecode(text)) for name, text in variables}))
        print_line(str(value) if as_text else as_json(value))

    return conclude(work)


def as_json(value):
    try:
        return to_json(value).decode()
    except Invalid as e:
        sys.exit(f"pyctx{e}")


def named(name):
    """The name as Python reads it in an expression (PEP 3131)."""
    if not name.isascii():
        from unicodedata import normalize

        name = normalize("NFKC", name)
    if keyword.iskeyword(name):
        sys.exit(f"pyctx: --var {name}: no expression can use it, since it is a keyword of Python; choose another name")
    return name


def variable(text):
    try:
        return from_json(text)
    except Invalid:
        return text


def print_line(text):
    try:
        print(text, flush=True)
    except OSError as e:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # where the end of the program writes what is left
        sys.exit(128 + 13 if isinstance(e, BrokenPipeError) else f"pyctx: cannot write the value: {e.strerror.lower()}")


def show_source(file, text):
    """Lets tracebacks show lines of what is no file."""
    import io
    import linecache

    lines = list(io.StringIO(text, None))  # the parser's, not those of splitlines
    linecache.cache[file] = len(text), None, lines, file


def conclude(work):
    program.thread, program.process = threading.get_ident(), os.getpid()
    begin()
    threading.current_thread().name = threading.main_thread().name  # what logs have of it
    if sys.stdout is not None:
        sys.stdout.reconfigure(line_buffering=sys.stdout.isatty())
    raised = None
    try:
        work()
    except BaseException as e:
        raised = e
    with program.ending:
        if program.over:  # it was given up, and what it waited for has come all the same
            return 130
        status = status_of(raised)
        raised = None
    program.waiting = True
    attempt(wait_for_threads)
    with program.ending:
        if program.over:
            return 130
        program.over = True
        status = finish_alone(status)
    if os.getpid() != program.process:  # a child of os.fork(), which has no Go to come back to
        os._exit(status)
    return status


def status_of(exc):
    if exc is None:
        return 0
    if isinstance(exc, SystemExit):
        return exit_status(exc.code)
    exc.__traceback__ = beyond_this_file(exc.__traceback__)
    if isinstance(exc, go.Interrupted):  # how Go interrupts; the program's user pressed Ctrl-C
        exc = KeyboardInterrupt().with_traceback(exc.__traceback__)
    try:
        sys.excepthook(type(exc), exc, exc.__traceback__)
    except BaseException:
        sys.__excepthook__(type(exc), exc, exc.__traceback__)
    return 130 if isinstance(exc, KeyboardInterrupt) else 1


def exit_status(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF if -(2**63) <= code < 2**63 else 0xFF
    print(code, file=sys.stderr)
    return 1


# For Ctrl-C while the program waits in C: called on another context of the interpreter.


def notice(self):
    program.noticed = True


go.Interrupted.__init__ = notice  # runs where the exception is raised


def noticed():
    return program.noticed


def give_up():
    """Ends a program that an exception cannot reach, as if it had been raised where the program waits."""
    import traceback

    with program.ending:
        if program.over:
            return
        program.over = True
        frame = sys._current_frames().get(program.thread)
        stack = [f for f in traceback.extract_stack(frame) if f.filename != "<pyctx>"]
        lines = traceback.StackSummary.from_list(stack).format()
        sys.stderr.write("".join(["Traceback (most recent call last):\n", *lines, "KeyboardInterrupt\n"]))
        (finish_alone if program.waiting else finish)(130)
