"""Writes vectors.txt and malformed.txt, from SPEC.md alone: a third codec.

vectors.txt: hex, repr, comment. The repr is a Python expression, in which Ref(n) is a
reference and nest(n) n lists inside one another. Where the comment starts with "accept:", the bytes are not those that an
encoder writes, but a decoder takes them. malformed.txt: hex, comment.
"""
import os
import struct
import sys

sys.setrecursionlimit(20000)

class Ref:
    def __init__(self, n): self.n = n
    def __repr__(self): return f"Ref({self.n})"

def uvarint(n):
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7F | 0x80]); n >>= 7
    return out + bytes([n])

def raw(b): return uvarint(len(b)) + b
def many(tag, items): return bytes([tag]) + uvarint(len(items)) + b"".join(map(enc, items))

def enc_int(v):
    if -128 <= v <= 127: return b"\x03" + struct.pack("<b", v)
    if -(1 << 63) <= v < 1 << 63: return b"\x04" + struct.pack("<q", v)
    m = abs(v)
    return b"\x05" + bytes([v < 0]) + raw(m.to_bytes((m.bit_length() + 7) // 8, "little"))

def enc(v):
    if v is None: return b"\x00"
    if v is False: return b"\x01"
    if v is True: return b"\x02"
    t = type(v)
    if t is int: return enc_int(v)
    if t is float: return b"\x06" + struct.pack("<d", v)
    if t is str: return b"\x07" + raw(v.encode())
    if t is bytes: return b"\x08" + raw(v)
    if t is list: return many(9, v)
    if t is tuple: return many(10, v)
    if t is dict: return b"\x0b" + uvarint(len(v)) + b"".join(enc(k) + enc(x) for k, x in v.items())
    if t is set: return many(12, list(v))
    if t is frozenset: return many(13, list(v))
    if t is Ref: return b"\x40" + struct.pack("<Q", v.n)
    if t is Standard: return b"\x0e" + bytes([v.kind]) + enc(v.payload)
    raise TypeError(t)

class Standard:
    """A value of the standard library, by its kind, its payload and its expression."""
    def __init__(self, kind, payload, expr): self.kind, self.payload, self.expr = kind, payload, expr
    def __repr__(self): return self.expr

class Expr:
    """A repr that is an expression for floats without a literal."""
    def __init__(self, s): self.s = s
    def __repr__(self): return self.s

def plain(v):
    if type(v) is float and (v != v or v in (float("inf"), -float("inf"))): return Expr(f"float('{v}')")
    if type(v) in (list, tuple): return type(v)(map(plain, v))
    if type(v) is dict: return {k if k == k else plain(k): plain(x) for k, x in v.items()}
    return v

nan, inf = float("nan"), float("inf")
B = 1 << 63
deep = []
for _ in range(999): deep = [deep]

vectors = [(v, c) for c, vs in [
    ("the three constants", [None, False, True]),
    ("int8", [0, 1, -1, 42, 127, -128]),
    ("int64", [128, -129, 255, 256, -256, 32767, 65536, 2**31, -2**31 - 1, 2**53 + 1, B - 1, -B, -B + 1]),
    ("bigint", [B, -B - 1, 2 * B - 1, -2 * B + 1, 2 * B, -2 * B, 2 * B + 1, 10**50, -10**50, 2**1016 - 1, 2**1016, 3**700]),
    ("float", [0.0, -0.0, 1.0, -1.5, 0.1, 1e-300, 5e-324, 1.7976931348623157e308, inf, -inf, nan]),
    ("str", ["", "a", "h\u00e9llo", "\U0001f600 \U0001f469\u200d\U0001f4bb", "a\0b", "\0", "quotes ' \" \\ \n\r\t", "\u2028\ufeff\uffff", "\ud7ff\ue000\U0010ffff", "x" * 127, "y" * 128, "z" * 300]),
    ("bytes", [b"", b"\0", b"abc", bytes(range(256)), b"\xff" * 128]),
    ("list", [[], [None], [1, 2, 3], [1, "a", 2.5, None, True, b"b"], [[]], [[], [[]], [[], [[]]]], list(range(-200, 200))]),
    ("tuple", [(), (1,), (1, "a"), ((), ((),)), ([], {}, ())]),
    ("dict, str keys", [{}, {"a": 1}, {"": None}, {"b": 1, "a": 2}, {"a": {"b": {"c": []}}}, {"\U0001f600": "\0"}, {str(i): i for i in range(130)}]),
    ("dict, plain keys", [{1: "a"}, {None: 0}, {True: 1, 2: 2, 2.5: 3, "x": 4, None: 5}, {"a": 1, 1: "a"}, {-0.0: 1}]),
    ("dict, keys that no Go map holds", [{(1, 2): "t"}, {b"k": 1}, {10**50: 1}, {frozenset(): 1}, {"a": 1, (): 2, "b": 3}, {Ref(9): 1}, {nan: 1}]),
    ("set", [set(), {1}, {"a"}, {None}, {1, 2, 3}, {(1, 2)}, {frozenset()}]),
    ("frozenset", [frozenset(), frozenset({1}), frozenset({frozenset({1})})]),
    ("ref", [Ref(0), Ref(1), Ref(2**64 - 1), [Ref(1), Ref(2)], {"o": (Ref(3),)}]),
    ("standard", [
        Standard(1, (1.5, -2.0), "1.5-2j"),
        Standard(2, (2024, 2, 29), "__import__('datetime').date(2024, 2, 29)"),
        Standard(3, (23, 59, 58, 7, 1), "__import__('datetime').time(23, 59, 58, 7, fold=1)"),
        Standard(4, (2024, 2, 29, 1, 2, 3, 4, 0), "__import__('datetime').datetime(2024, 2, 29, 1, 2, 3, 4)"),
        Standard(4, (2024, 2, 29, 1, 2, 3, 4, 1), "__import__('datetime').datetime(2024, 2, 29, 1, 2, 3, 4, fold=1)"),
        Standard(5, (2024, 2, 29, 1, 2, 3, 4, 0, 0, "UTC", False), "__import__('datetime').datetime(2024, 2, 29, 1, 2, 3, 4, __import__('datetime').timezone.utc)"),
        Standard(5, (1, 1, 1, 0, 0, 0, 0, 0, -3600, "X", False), "__import__('datetime').datetime(1, 1, 1, tzinfo=__import__('datetime').timezone(__import__('datetime').timedelta(hours=-1), 'X'))"),
        Standard(6, -1, "__import__('datetime').timedelta(microseconds=-1)"),
        Standard(7, "1.10", "__import__('decimal').Decimal('1.10')"),
        Standard(8, (-1, 3), "__import__('fractions').Fraction(-1, 3)"),
        Standard(8, (10**30, 7), "__import__('fractions').Fraction(10**30, 7)"),
        Standard(9, bytes(15) + b"\1", "__import__('uuid').UUID(int=1)"),
        Standard(10, "/a b", "__import__('pathlib').Path('/a b')"),
        Standard(11, (1, 10, 2), "range(1, 10, 2)"),
        Standard(12, (None, 5, -1), "slice(None, 5, -1)"),
        Standard(12, (None, Standard(12, (1, 2, None), "slice(1, 2, None)"), "x"), "slice(None, slice(1, 2), 'x')"),
        Standard(13, b"x", "bytearray(b'x')"),
        [Standard(13, b"", "bytearray(b'')")],
    ]),
    ("1000 deep, the limit", [deep]),
] for v in vs]

accepted = [
    ("0400000000000000" + "00", 0, "accept: a small int64"),
    ("04ffffffffffffff" + "ff", -1, "accept: a small int64"),
    ("050000", 0, "accept: an empty bigint"),
    ("050100", 0, "accept: an empty bigint, minus"),
    ("05000101", 1, "accept: a small bigint"),
    ("05010180", -128, "accept: a small bigint"),
    ("050108" + "00" * 7 + "80", -B, "accept: a bigint that fits int64"),
    ("05000" + "8" + "ff" * 7 + "7f", B - 1, "accept: a bigint that fits int64"),
    ("098000", [], "accept: a uvarint longer than needed"),
]

malformed = [
    ("", "nothing"), ("0f", "a reserved tag"), ("3f", "a reserved tag"), ("41", "a func without a number"), ("41" + "ff" * 8 + "0000", "a func that there is not"), ("ff", "no tag"),
    ("03", "int8 without payload"), ("0401020304050607", "int64 too short"), ("05", "bigint without sign"),
    ("0500", "bigint without length"), ("050001", "bigint without magnitude"), ("05020101", "a sign of 2"),
    ("0500020100", "a zero byte ends the magnitude"), ("0601020304050607", "float too short"), ("07", "str without length"),
    ("070261", "str too short"), ("0702c328", "not UTF-8"), ("0703eda080", "a surrogate"), ("0702c080", "an overlong NUL"),
    ("0704f4908080", "above U+10FFFF"), ("07ffffffffffffffffff01", "a length of 2**64-1"),
    ("07ffffffffffffffffffff01", "a uvarint of eleven bytes"), ("07ffffffffffffffffff02", "a uvarint above 64 bits"),
    ("0902" + "00", "list too short"), ("09ffffff7f00", "a count larger than the bytes left"), ("0b0100", "a key without a value"),
    ("0b020000", "dict too short"), ("0aff", "a uvarint too short"), ("0c0109" + "00", "a list in a set"),
    ("0d010b00", "a dict in a frozenset"), ("0b01090000", "a list as a key"), ("0b010c0000", "a set as a key"),
    ("4001020304050607", "ref too short"), ("0901" * 1000 + "0900", "1001 deep"), ("0a01" * 5000 + "00", "5000 deep"),
    ("0901" * 3 + "ff", "no tag, inside"), ("090409030904090400000000", "counts that together exceed the bytes"),
    ("0e", "a standard value without kind"), ("0e00", "a kind of 0"), ("0e00" + "00", "a kind of 0"), ("0eff" + "00", "no kind"),
    ("0e01", "a standard value without payload"), ("0e020a020101", "a date without day"),
    ("0e020300", "a date that is an int"), ("0e0603", "a timedelta too short"),
    ("0e080a0203010300", "a denominator of 0"), ("0e090803" + "000000", "a UUID of three bytes"),
    ("0e0a0801" + "2f", "a path of bytes"), ("0e0b0a0303" + "0003000300", "a range with a step of 0"),
]

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "vectors.txt"), "w", encoding="utf-8") as f:
    for v, c in vectors: f.write(f"{enc(v).hex()}\t{'nest(1000)' if v is deep else ascii(plain(v))}\t{c}\n")
    for h, v, c in accepted: f.write(f"{h}\t{v!r}\t{c}\n")
with open(os.path.join(here, "malformed.txt"), "w", encoding="utf-8") as f:
    for h, c in malformed: f.write(f"{h}\t{c}\n")
