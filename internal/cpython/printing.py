# What Python prints for an exception, as far as it does not follow from the exception itself: the source of the frames, with
# marks under the part that failed, and hints ("Did you mean"). Continues bootstrap.py.


def have_source(file):
    """Whether linecache may know the lines of a file, which for most of those that are none it does not."""
    linecache = sys.modules.get("linecache")
    return not file.startswith("<") or file in sources or linecache is not None and file in linecache.cache


known_lines = {}  # by code, instruction and line: errors mostly come from the same few places


def lines_of(tb):
    """The line of source of an entry of a traceback, and what Python prints for it."""
    code = tb.tb_frame.f_code
    if not have_source(code.co_filename):
        return "", ""
    key = id(code), tb.tb_lasti, tb.tb_lineno
    known = known_lines.get(key)
    if known is None or known[0] is not code:
        if len(known_lines) >= 500:
            known_lines.clear()
        try:
            known = code, *read_lines(tb, code)
        except Interrupted:
            raise
        except BaseException:
            return "", ""
        known_lines[key] = known
    return known[1:]


def read_lines(tb, code):
    import linecache

    if code.co_filename in sources:
        show_source(code.co_filename)
    linecache.lazycache(code.co_filename, tb.tb_frame.f_globals)
    linecache.checkcache(code.co_filename)
    source = text(linecache.getline(code.co_filename, tb.tb_lineno or 0)).strip()
    if not source:
        return "", ""
    try:
        printed = text(print_frame(tb, code))
    except Exception:
        printed = ""
    return source, printed if printed != f"    {source}\n" else ""


def print_frame(tb, code):
    from itertools import islice
    from traceback import FrameSummary, StackSummary

    line, end_line, column, end_column = next(islice(code.co_positions(), tb.tb_lasti // 2, None))
    frame = FrameSummary(code.co_filename, line or tb.tb_lineno, code.co_name, lookup_line=False, end_lineno=end_line,
                         colno=column, end_colno=end_column)
    return StackSummary().format_frame_summary(frame).partition("\n")[2]


def has_hints(exc):
    """Whether Python says more of an exception than its class, its message and its notes."""
    cls = type(exc)
    if issubclass(cls, SyntaxError):
        return True
    if issubclass(cls, ImportError):
        return exc.name_from is not None
    return issubclass(cls, (NameError, AttributeError)) and exc.name is not None


def print_last(exc):
    from traceback import TracebackException

    # With _seen it leaves causes, contexts and members alone.
    printed = TracebackException(type(exc), exc, own("__traceback__", exc), limit=0, _seen=set())
    printed.exceptions = None
    return text("".join(printed.format_exception_only()))


def last_lines(exc):
    try:
        return print_last(exc) if has_hints(exc) else ""
    except Interrupted:
        raise
    except BaseException:
        return ""


