# Values of the standard library, on their way to Go and back. Continues bootstrap.py. C keeps reduce and restore.

import _weakref

# A kind, below, is the second byte of such a value in SPEC.md; with it goes a payload of plain values.

COMPLEX, DATE, TIME, DATETIME, AWARE, TIMEDELTA, DECIMAL, FRACTION, UUID, PATH, RANGE, SLICE, BYTEARRAY, RECORD = range(1, 15)
PLAIN = 0  # not a kind: the payload is to travel in the object's place


def reduce_time(t):
    if t.tzinfo is None:
        return TIME, (t.hour, t.minute, t.second, t.microsecond, t.fold)


def reduce_datetime(t):
    civil = t.year, t.month, t.day, t.hour, t.minute, t.second, t.microsecond, t.fold
    if t.tzinfo is None:
        return DATETIME, civil
    offset = t.utcoffset()
    if offset is None or offset.microseconds:
        return None
    key = getattr(t.tzinfo, "key", None)
    name = key if type(key) is str else t.tzname() or ""
    return AWARE, civil + (offset.days * 86400 + offset.seconds, name)


def reduce_timedelta(d):
    if abs(d.days) < 106751:  # what a time.Duration holds
        return TIMEDELTA, (d.days * 86400 + d.seconds) * 1000000 + d.microseconds


def reduce_range(r):
    parts = r.start, r.stop, r.step
    if all(-(1 << 63) <= n < 1 << 63 for n in parts):
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
    "builtins.range": reduce_range,
    "builtins.slice": lambda s: (SLICE, (s.start, s.stop, s.step)),
    "builtins.bytearray": lambda b: (BYTEARRAY, bytes(b)),
}
for module in "pathlib", "pathlib._local":
    for name in "PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath", "Path", "PurePath":
        exact[f"{module}.{name}"] = lambda p: (PATH, str(p))


def memory(m):
    return bytes(m) if m.format in ("B", "b", "c") and m.ndim == 1 else m.tolist()


# What stands for a plain value where a Go type asks for one.
loose = {
    "builtins.mappingproxy": dict,
    "builtins.memoryview": memory,
    "collections.deque": list,
    "array.array": lambda a: a.tolist(),
    "collections.UserDict": dict,
    "collections.UserList": list,
    "collections.UserString": str,
    "collections.ChainMap": dict,
    "builtins.dict_keys": list,
    "builtins.dict_values": list,
    "builtins.dict_items": list,
    "enum.Enum": lambda e: e.value,
    "numpy.generic": lambda n: n.item(),
    "numpy.ndarray": lambda a: a.tolist(),
}

reducers = {}  # class to function
unknown = {}  # id to weak reference, of classes without


def named(table, cls):
    """The function for a class in a table of names, or None."""
    module, name = class_of(cls)
    f = table.get(f"{module}.{name}")
    if f is None or module == "builtins":
        return f
    holder = sys.modules.get(module)
    return f if holder is not None and vars(holder).get(name) is cls else None


def reducer(cls):
    f = reducers.get(cls)
    if f is not None or id(cls) in unknown:
        return f
    f = named(exact, cls)
    if f is not None:
        reducers[cls] = f
    else:
        number = id(cls)
        unknown[number] = _weakref.ref(cls, lambda _: unknown.pop(number, None))
    return f


def fields_of(obj, names):
    """The fields of an object that a Go struct asks for, or None."""
    found = {}
    for name in names.split("\n"):
        try:
            found[name] = getattr(obj, name)
        except AttributeError:
            pass
    return found or None


def reduce(obj, is_loose, names):
    """(kind, payload) of an object that is no plain value, or None where only a reference will do.

    names are those of the fields that a Go struct has, one a line, or None.
    """
    cls = type(obj)
    f = reducer(cls)
    if f is not None:
        return f(obj)
    if not is_loose:
        return None
    mro = type.__dict__["__mro__"].__get__(cls)
    for base in mro:
        if (f := reducer(base)) is not None:
            return f(obj)
        if (f := named(loose, base)) is not None:
            return PLAIN, f(obj)
    plain = tuple.__getitem__(obj, slice(None)) if isinstance(obj, tuple) else obj
    fields = fields_of(obj, names) if names is not None and not isinstance(obj, type) else None
    if fields is not None:
        return RECORD, (plain, fields)
    return None if plain is obj else (PLAIN, plain)


def zone(offset, name):
    from datetime import timedelta, timezone

    if name == "UTC" and offset == 0:
        return timezone.utc
    delta = timedelta(seconds=offset)
    return timezone(delta, name) if name else timezone(delta)


def restore_aware(year, month, day, hour, minute, second, microsecond, fold, offset, name):
    from datetime import datetime

    fixed = datetime(year, month, day, hour, minute, second, microsecond, zone(offset, name))
    if "/" in name:
        try:
            from zoneinfo import ZoneInfo

            there = fixed.astimezone(ZoneInfo(name))
            if there.utcoffset() == fixed.utcoffset():
                return there
        except Exception:  # no such zone here
            pass
    return fixed


def restore_datetime(year, month, day, hour, minute, second, microsecond, fold):
    from datetime import datetime

    return datetime(year, month, day, hour, minute, second, microsecond, fold=fold)


def restore_time(hour, minute, second, microsecond, fold):
    from datetime import time

    return time(hour, minute, second, microsecond, fold=fold)


def restore_date(year, month, day):
    from datetime import date

    return date(year, month, day)


def restore_timedelta(microseconds):
    from datetime import timedelta

    return timedelta(microseconds=microseconds)


def restore_decimal(text):
    from decimal import Decimal

    return Decimal(text)


def restore_fraction(numerator, denominator):
    from fractions import Fraction

    return Fraction(numerator, denominator)


def restore_uuid(data):
    from uuid import UUID

    return UUID(bytes=data)


def restore_path(text):
    from pathlib import Path

    return Path(text)


restorers = {
    COMPLEX: lambda p: complex(*p),
    DATE: lambda p: restore_date(*p),
    TIME: lambda p: restore_time(*p),
    DATETIME: lambda p: restore_datetime(*p),
    AWARE: lambda p: restore_aware(*p),
    TIMEDELTA: restore_timedelta,
    DECIMAL: restore_decimal,
    FRACTION: lambda p: restore_fraction(*p),
    UUID: restore_uuid,
    PATH: restore_path,
    RANGE: lambda p: range(*p),
    SLICE: lambda p: slice(*p),
    BYTEARRAY: bytearray,
}


def restore(kind, payload):
    """The object that Go described."""
    return restorers[kind](payload)
