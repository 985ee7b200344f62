# What Go asks of objects, where no function of the standard library does it. The module _go is py's own.


def owner_of(obj, name):
    """The object that holds a dotted attribute, and the attribute's own name."""
    *path, last = name.split(".")
    for part in path:
        obj = getattr(obj, part)
    return obj, last


def set_attr(obj, name, value):
    setattr(*owner_of(obj, name), value)


def del_attr(obj, name):
    delattr(*owner_of(obj, name))


def has_attr(obj, name):
    try:
        obj, name = owner_of(obj, name)
    except AttributeError:
        return False
    return hasattr(obj, name)


comparisons = {
    "<": lambda a, b: True if a < b else False,
    "<=": lambda a, b: True if a <= b else False,
    "==": lambda a, b: True if a == b else False,
    "!=": lambda a, b: True if a != b else False,
    ">": lambda a, b: True if a > b else False,
    ">=": lambda a, b: True if a >= b else False,
}


def compare(obj, operator, other):
    return comparisons[operator](obj, other)


class Reference:
    """Goes to Go as a reference to an object, whatever that is."""

    __slots__ = ("object",)

    def __init__(self, obj):
        self.object = obj


def using(obj, body):
    """Runs a Go function in a with statement."""
    with obj as value:
        body(Reference(value))


def make_private_module():
    private = ModuleType("_go", "Parts of py that are written in Python, for its own use.")
    for f in set_attr, del_attr, has_attr, compare, using, Reference:
        f.__module__ = "_go"
        setattr(private, f.__name__, f)
    sys.modules["_go"] = private


make_private_module()
