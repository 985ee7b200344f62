# JSON in and out. It is read and written here, and not in Go, because Python keeps the order of keys and every digit.

import json
import sys

sys.set_int_max_str_digits(0)  # an integer is read and printed whatever its size


class Invalid(Exception):
    """The input or the result is at fault, and a traceback would say nothing. The text goes right behind its place."""


def refuse_constant(name):
    raise Invalid(f": the input is not JSON: {name} is not a JSON value")


parse = json.JSONDecoder(parse_constant=refuse_constant).decode
plain = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
escaped = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def from_json(text):
    try:
        return parse(text)
    except json.JSONDecodeError as e:
        raise Invalid(f":{e.colno}: the input is not JSON: {e.msg}") from None
    except RecursionError:
        raise Invalid(": the input is not JSON that Python can read: it is nested too deep") from None


def to_json(value):
    try:
        return plain(value).encode()
    except UnicodeEncodeError:  # half of a surrogate pair has no UTF-8, but JSON can escape it
        return escaped(value).encode()
    except (TypeError, ValueError, RecursionError) as e:
        where = "".join(f", {note}" for note in getattr(e, "__notes__", ()))
        raise Invalid(f": the result is not JSON: {e}{where}") from None
