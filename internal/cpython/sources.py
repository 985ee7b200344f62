# The source of code that came from Go, which is in no file. Each text has a name of its own, under which the module linecache
# has its lines as long as there is code of it: so traceback, inspect, pdb and others show them. Continues bootstrap.py.

from _weakref import ref

sources = {}  # by name: the entry of linecache, and weak references to the code that was made of the text
SOURCES_LEAST = 1 << 16
sources_size, sources_most = 0, SOURCES_LEAST  # in characters, or what takes as much


def source_name(source):
    """The same in every interpreter, process and run."""
    return f"<string-{hash(int.from_bytes(source.encode())) & 0xFFFFFFFF:08x}>"


def plain_name(name):
    """The name of a file as Go sees it."""
    return "<string>" if name in sources else name


def keep_source(name, source, code):
    global sources_size
    known = sources.get(name)
    if known is None:
        lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")  # the parser's, not those of splitlines
        known = (len(source), None, [line + "\n" for line in lines], name), []
        sources_size += len(source)
    sources[name] = known
    codes = [code]
    for code in codes:
        codes += [c for c in code.co_consts if type(c) is type(code)]
    known[1].extend(map(ref, codes))
    sources_size += 50 * len(codes)
    if sources_size > sources_most:
        forget_sources()
    if sys.version_info >= (3, 13) or "linecache" in sys.modules:  # before that it takes long to import
        show_source(name)


def forget_sources():
    """Lets go of the texts of which there is no code any more, and does so again when as many may have come together."""
    global sources_size, sources_most
    sources_size = 0
    for name, (entry, refs) in list(sources.items()):
        n = len(refs)  # another thread may add some meanwhile
        refs[:n] = [r for r in refs[:n] if r() is not None]
        if refs:
            sources_size += entry[0] + 50 * len(refs)
        else:
            sources.pop(name, None)
            linecache = sys.modules.get("linecache")
            if linecache is not None:
                linecache.cache.pop(name, None)
    sources_most = 2 * sources_size + SOURCES_LEAST


def show_source(name):
    try:
        import linecache

        linecache.cache[name] = sources[name][0]
    except Exception:  # what a program may have done to the module
        pass


