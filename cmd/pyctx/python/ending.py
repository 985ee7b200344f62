# What the end of a Python process does. The main interpreter, where worker contexts run, never ends by itself.

import atexit
import gc
import io
import sys
import threading


def finish(status):
    """What the end of a Python process does; the interpreter of a worker context never ends. See Py_FinalizeEx."""
    attempt(threading._shutdown)
    attempt(atexit._run_exitfuncs)
    attempt(let_go)
    return status if flush(sys.stdout) & flush(sys.stderr) else 120


def attempt(function):
    try:
        function()
    except BaseException as e:
        sys.excepthook(type(e), e, beyond_this_file(e.__traceback__))


def let_go():
    """Finalizes what the program's globals hold, and writes out what is left in files that it did not close."""
    threading.excepthook = lambda _: None  # daemon threads find their globals gone
    vars(sys.modules["__main__"]).clear()
    gc.collect()
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
