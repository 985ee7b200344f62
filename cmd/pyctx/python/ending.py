# What Python's main thread and the end of a Python process do. The main interpreter, where worker contexts run, never ends
# by itself, and its main thread is not theirs.

import atexit
import gc
import io
import sys
import threading
import weakref


def begin():
    """Called on the thread of a program: those that it starts are no daemons, and are waited for in the end."""
    threading.current_thread()._daemonic = False


def finish(status):
    """What the end of a Python process does. See Py_FinalizeEx."""
    attempt(wait_for_threads)
    return finish_alone(status)


def finish_alone(status):
    """The end once no thread is waited for any more."""
    attempt(atexit._run_exitfuncs)
    attempt(let_go)
    return status if flush(sys.stdout) & flush(sys.stderr) else 120


def wait_for_threads():
    main = threading.main_thread()
    if hasattr(threading, "_shutdown_locks"):  # CPython 3.12
        if main.ident != threading.get_ident():
            threading._shutdown_locks.discard(main._tstate_lock)  # the main thread is in no hurry to end
        elif main._tstate_lock is None:  # this became the main thread by os.fork()
            main._set_tstate_lock()
    threading._shutdown()
    threading._shutdown = lambda: None  # the end of an interpreter calls it again, which CPython 3.12 does not expect


def attempt(function):
    try:
        function()
    except BaseException as e:
        sys.excepthook(type(e), e, beyond_this_file(e.__traceback__))


def let_go():
    """Finalizes what the program's globals hold, and writes out what is left in files that it did not close."""
    write_out()
    threading.excepthook = lambda _: None  # daemon threads find their globals gone
    main = weakref.ref(sys.modules.pop("__main__"))
    gc.collect()  # finalizers still see the globals
    if main() is not None:
        names = vars(main())
        for name in sorted(names, key=lambda name: not name.startswith("_")):
            if name != "__builtins__":
                names[name] = None
    gc.collect()
    write_out()


def write_out():
    streams = sys.stdout, sys.stderr
    for o in gc.get_objects():
        if type(o) in (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom) and not o.closed and o not in streams:
            try:
                o.flush()
            except Exception:
                pass


def flush(stream):
    try:
        if stream is not None and not stream.closed:
            stream.flush()
        return True
    except BaseException as e:
        if stream is not sys.stderr:
            print(f"Exception ignored while flushing sys.stdout:\n{type(e).__name__}: {e}", file=sys.stderr)
        return False


def beyond_this_file(tb):
    while tb is not None and tb.tb_frame.f_code.co_filename == "<pyctx>":
        tb = tb.tb_next
    return tb
