# Converters of Python classes. Continues bootstrap.py. C keeps what converters() returns, once for each context that has some.


def travels_by_itself(cls):
    return any(cls is c for c in (int, float, str, bytes, bool, type(None), list, tuple, dict, set, frozenset, object))


def class_named(namespace, module, name):
    """The class, of a module or, for __main__, of a namespace."""
    if module == "__main__":
        name, _, rest = name.partition(".")
        builtins = sys.modules["builtins"]
        if name not in namespace and not hasattr(builtins, name):
            raise AttributeError(f"module '__main__' has no attribute '{name}'", name=name)
        cls = namespace[name] if name in namespace else getattr(builtins, name)
    else:
        __import__(module)
        cls, rest = sys.modules[module], name
    for part in rest.split(".") if rest else ():
        cls = getattr(cls, part)
    if not issubclass(type(cls), type):
        raise TypeError(f"{module}.{name} is no class: it is an object of type {type(cls).__name__}")
    return cls


def function_of(namespace, what, source):
    """What an expression says, which has to be callable; None for no expression."""
    if not source:
        return None
    f = eval(compile_source(EVAL, source, ()), namespace)
    if not callable(f):
        raise TypeError(f"{what} of a converter has to be callable, and is of type {type(f).__name__}")
    return f


def keeper(cls, gone):
    """A function that returns the class for as long as it lives; gone() is called after that."""
    if type.__dict__["__flags__"].__get__(cls) & HEAP_TYPE:
        return _weakref.ref(cls, lambda _: gone())
    return lambda: cls  # as classify has it


def known_of(cls, table):
    """What a table has for the id of the class, or None where that is of a class which had the id before."""
    entry = table.get(id(cls))
    return entry if entry is not None and entry[0]() is cls else None


def noting(convert, note):
    """convert, whose exceptions say where they are from."""

    def converting(value):
        try:
            return convert(value)
        except BaseException as e:
            attempt(lambda: BaseException.add_note(e, note), None)
            raise

    return converting


class Converters:
    """Those of one context. Threads of it may look at them while they change: whoever does sees the old or the new."""

    __slots__ = "to", "known", "makers"

    def __init__(self):
        self.to = {}  # by the id of the class: its keeper, the number of the Go type, the function
        self.known = {}  # the same, or None, by the id of any class that was asked for; a new one after each change
        self.makers = {}  # by the number of the Go type: the keeper of the class, the function

    def add(self, namespace, module, name, number, to, source):
        cls = class_named(namespace, module, name)
        if travels_by_itself(cls):
            raise TypeError(f"a converter for {name}, which has a meaning of its own")
        to, make = function_of(namespace, "To", to), function_of(namespace, "From", source)
        key, title = id(cls), ".".join(class_of(cls))
        kept = keeper(cls, lambda: self.to.pop(key, None))
        if to is not None:
            self.to[key] = kept, number, noting(to, f"in To of the converter for {title}")
        else:
            self.to.pop(key, None)
        self.known = {}
        if make is not None:
            self.makers[number] = kept, noting(make, f"in From of the converter for {title}")
        self.drop_makers(cls, None if make is None else number)

    def drop_makers(self, cls, spared=None):
        found = [n for n, (kept, _) in list(self.makers.items()) if kept() is cls and n != spared]
        return [self.makers.pop(n, None) for n in found]

    def remove(self, namespace, module, name):
        cls = class_named(namespace, module, name)
        found = known_of(cls, self.to)
        self.to.pop(id(cls), None)
        self.known = {}
        return bool(self.drop_makers(cls)) or found is not None

    def find(self, cls):
        """The converter of a class: its own, or that of the nearest base."""
        known, key = self.known, id(cls)  # in this order: what is found in the old self.to goes into the old self.known
        bases = type.__dict__["__mro__"].__get__(cls)
        found = next((c for b in bases if (c := known_of(b, self.to)) is not None), None)
        known[key] = keeper(cls, lambda: known.pop(key, None)), found
        return found

    def reduce(self, obj, cls):
        """The number of the Go type, and what is to travel in place of an object; or None."""
        plan = known_of(cls, self.known)
        found = self.find(cls) if plan is None else plan[1]
        return None if found is None else (found[1], found[2](obj))

    def make(self, number, value):
        """The instance that is made of the value of a Go type; the value where there is no converter, or not any more."""
        maker = self.makers.get(number)
        return value if maker is None else maker[1](value)


def converters():
    c = Converters()
    return c.add, c.remove, c.reduce, c.make
