# Values of the standard library, on their way to Go and back. Continues bootstrap.py. C keeps plans, classify and makers.

import _weakref

# A kind is the second byte of such a value in SPEC.md; with it goes a payload of plain values.

COMPLEX, DATE, TIME, DATETIME, AWARE, TIMEDELTA, DECIMAL, FRACTION, UUID, PATH, RANGE, SLICE, BYTEARRAY, RECORD = range(1, 15)
ARRAY = 18
PLAIN = 0  # not a kind: the payload is to travel in the object's place
REFERENCE = 255  # nor is this: a reference to the payload is


# From Python to Go: a function for a class returns (kind, payload), or None where only a reference will do.


def reduce_time(t):
    if t.tzinfo is None:
        return TIME, (t.hour, t.minute, t.second, t.microsecond, t.fold)


def reduce_datetime(t):
    zone = t.tzinfo
    if zone is None:
        return DATETIME, (t.year, t.month, t.day, t.hour, t.minute, t.second, t.microsecond, t.fold)
    offset = t.utcoffset()
    if offset is None or offset.microseconds:
        return None
    key = getattr(zone, "key", None)
    named = type(key) is str and key != "UTC"
    if type(key) is str:
        name = key
    elif offset and class_of(type(zone)) == ("datetime", "timezone") and len(zone.__getinitargs__()) == 1:
        name = ""  # what its tzname() says is not its own
    else:
        name = t.tzname() or ""
    seconds = offset.days * 86400 + offset.seconds
    return AWARE, (t.year, t.month, t.day, t.hour, t.minute, t.second, t.microsecond, t.fold, seconds, name, named)


def reduce_timedelta(d):
    us = (d.days * 86400 + d.seconds) * 1000000 + d.microseconds
    if abs(us) <= 9223372036854775:  # what a time.Duration holds
        return TIMEDELTA, us


def reduce_range(r):
    parts = r.start, r.stop, r.step
    if all(type(n) is int and -(1 << 63) <= n < 1 << 63 for n in parts):
        return RANGE, parts


# What travels exactly, by the name of its class. Classes that are not built in are looked up once they are met, so that
# their modules need not be imported.
exact = {
    "builtins.complex": lambda c: (COMPLEX, (c.real, c.imag)),
    "datetime.date": lambda d: (DATE, (d.year, d.month, d.day)),
    "datetime.time": reduce_time,
    "datetime.datetime": reduce_datetime,
    "datetime.timedelta": reduce_timedelta,
    "decimal.Decimal": lambda d: (DECIMAL, str(d)),
    "fractions.Fraction": lambda f: (FRACTION, (f.numerator, f.denominator)),
    "uuid.UUID": lambda u: (UUID, u.bytes),
    "pathlib.PosixPath": lambda p: (PATH, str(p)),
    "pathlib._local.PosixPath": lambda p: (PATH, str(p)),
    "builtins.range": reduce_range,
    "builtins.slice": lambda s: (SLICE, (s.start, s.stop, s.step)),
    "builtins.bytearray": lambda b: (BYTEARRAY, bytes(b)),
    "_go.Reference": lambda r: (REFERENCE, r.object),
}


# Numbers in a row travel as such where a Go type asks for what may be made of them.

LETTERS = {"bhilqn": {1: "b", 2: "h", 4: "i", 8: "q"}, "BHILQN": {1: "B", 2: "H", 4: "I", 8: "Q"}, "fd": {4: "f", 8: "d"},
           "?": {1: "?"}, "FD": {8: "F", 16: "D"}}


def numbers(m):
    """The numbers of a memoryview as an array, or plain items where Go has no such numbers, or they have no dimension."""
    letter = m.format.lstrip("@=<>!")
    if letter.startswith("Z"):
        letter = letter[1:].upper()
    size = m.itemsize
    for letters, sizes in LETTERS.items():
        if m.ndim and len(letter) == 1 and letter in letters and size in sizes:
            data = m.tobytes()
            if m.format[0] in ">!" or m.format[0] != "<" and sys.byteorder == "big":
                part, turned = size // 2 if letters == "FD" else size, bytearray(len(data))
                for i in range(part):
                    turned[i::part] = data[part - 1 - i :: part]
                data = bytes(turned)
            return ARRAY, (sizes[size], m.shape, data)
    return PLAIN, m.tolist()


def reduce_memory(m):
    return (PLAIN, m.tobytes()) if m.format in ("B", "c") and m.ndim == 1 else numbers(m)


def reduce_array(a):
    return (PLAIN, a.tolist()) if a.typecode in "uw" else numbers(memoryview(a))


def reduce_ndarray(a):
    if type(a).__module__ != "numpy":  # a class that knows more of the items, such as one with a mask
        return PLAIN, a.tolist()
    if a.dtype.char == "e":
        a = a.astype("f4")
    try:
        m = memoryview(a)
    except ValueError:  # a dtype that only numpy has
        return PLAIN, a.tolist()
    # Of a float that is longer than a double, a memoryview makes nothing.
    return numbers(m) if a.dtype.kind in "biufc" and a.dtype.char not in "gG" else (PLAIN, a.tolist())


inline = {"builtins.memoryview": reduce_memory, "array.array": reduce_array, "numpy.ndarray": reduce_ndarray}

# What stands for a plain value where a Go type asks for one.
loose = {
    "builtins.mappingproxy": dict,
    "collections.deque": list,
    "collections.UserDict": dict,
    "collections.UserList": list,
    "collections.UserString": str,
    "collections.ChainMap": dict,
    "builtins.dict_keys": list,
    "builtins.dict_values": list,
    "builtins.dict_items": list,
    "enum.Enum": lambda e: e.value,
    "pathlib.PurePath": str,
    "pathlib._local.PurePath": str,
    "numpy.generic": lambda n: n.item(),
}


def named(table, cls):
    """The function for a class in a table of names, or None."""
    module, name = class_of(cls)
    f = table.get(f"{module}.{name}")
    if f is None or module == "builtins":
        return f
    holder = sys.modules.get(module)
    return f if holder is not None and vars(holder).get(name) is cls else None


def inherited(f):
    """f for the objects of a subclass, such as those of pandas, which are finer than microseconds, or no time at all."""

    def reduce(obj):
        if getattr(obj, "nanosecond", 0) or getattr(obj, "nanoseconds", 0) or type(getattr(obj, "year", 0)) is not int:
            return None
        return f(obj)

    return reduce


def plainly(f):
    """f for use as one that reduces."""

    def reduce(obj):
        value = f(obj)
        return None if value is obj or type(value) is type(obj) else (PLAIN, value)

    return reduce


def title_of(cls):
    """The name of a class in messages: with its module, but for that of built-in ones and of the context's own."""
    module, name = class_of(cls)
    return name[:100] if module in ("builtins", "__main__", "") else f"{module}.{name}"[:200]


# What is known of a class, by its id: the class or a weak reference to it, what reduces its objects exactly and loosely, or
# None, whether they have memory, which C looks at the size of first, and its name. Not every end of a class is told: the collector
# just clears a weak reference that a finalizer of its garbage made, and the call of a callback may fail. So whoever looks something
# up by an id asks whether it is known of that class.
plans = {}
HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE


def classify(cls):
    """The plan for a class, which is kept until the class is gone."""
    exactly, loosely, memory = named(exact, cls), None, False
    for base in type.__dict__["__mro__"].__get__(cls):
        if (f := named(exact, base)) is not None:
            loosely = f if base is cls else inherited(f)
            break
        if (f := named(inline, base)) is not None:
            loosely, memory = f, True
            break
        if (f := named(loose, base)) is not None:
            loosely = plainly(f)
            break
    number, keeper = id(cls), cls
    # A static class lives on anyway, and CPython 3.12 has one list of its weak references for all interpreters.
    if type.__dict__["__flags__"].__get__(cls) & HEAP_TYPE:
        keeper = _weakref.ref(cls, lambda _: plans.pop(number, None))
    plan = plans[number] = keeper, exactly, loosely, memory, title_of(cls)
    return plan


# From Go to Python: what makes the object of a kind from its payload, the items of a tuple one by one. A maker imports what
# it needs when it is first used, and leaves its place to what it got.

makers = [None] * 256
makers[COMPLEX], makers[RANGE], makers[SLICE], makers[BYTEARRAY] = complex, range, slice, bytearray


def maker(kind):
    def keep(prepare):
        def first(*payload):
            makers[kind] = prepare()
            return makers[kind](*payload)

        makers[kind] = first

    return keep


@maker(DATE)
def _():
    from datetime import date

    return date


@maker(TIME)
def _():
    from datetime import time

    return lambda h, m, s, us, fold: time(h, m, s, us, None, fold=fold)


@maker(DATETIME)
def _():
    from datetime import datetime

    def make(y, mo, d, h, mi, s, us, fold):
        return datetime(y, mo, d, h, mi, s, us, None, fold=1) if fold else datetime(y, mo, d, h, mi, s, us)

    return make


@maker(AWARE)
def _():
    from datetime import datetime, timedelta, timezone

    def make(y, mo, d, h, mi, s, us, fold, offset, name, named):
        if offset == 0 and name == "UTC":
            return datetime(y, mo, d, h, mi, s, us, timezone.utc)
        delta = timedelta(0, offset)
        if named:
            try:
                from zoneinfo import ZoneInfo

                for fold in 0, 1:
                    there = datetime(y, mo, d, h, mi, s, us, ZoneInfo(name), fold=fold)
                    if there.utcoffset() == delta:
                        return there
            except Exception:  # no such zone here
                pass
        return datetime(y, mo, d, h, mi, s, us, timezone(delta, name) if name else timezone(delta))

    return make


@maker(TIMEDELTA)
def _():
    from datetime import timedelta

    return lambda us: timedelta(0, 0, us)


@maker(DECIMAL)
def _():
    from decimal import Decimal

    return Decimal


@maker(FRACTION)
def _():
    from fractions import Fraction

    return Fraction


@maker(UUID)
def _():
    from uuid import UUID

    return lambda data: UUID(bytes=data)


@maker(PATH)
def _():
    from pathlib import Path

    return Path


@maker(ARRAY)
def _():
    try:
        import numpy
    except ImportError as e:
        raise ImportError(f"a py.Array becomes a numpy.ndarray, and numpy cannot be imported here: {e}", name="numpy") from e
    kinds = {"?": "?", "b": "i1", "B": "u1", "h": "<i2", "H": "<u2", "i": "<i4", "I": "<u4", "q": "<i8", "Q": "<u8",
             "f": "<f4", "d": "<f8", "F": "<c8", "D": "<c16"}

    def make(format, shape, data):
        kind = kinds[format] if type(data) is bytes else numpy.dtype(kinds[format]).newbyteorder("=")
        return numpy.ndarray(shape, kind, data).astype(numpy.dtype(kind).newbyteorder("="))

    return make
