# Functions for the tests of "pyctx map".

import io
import os
import subprocess
import sys
import threading
import time


def double(x):
    return x * 2


def same(x):
    return x


def upper(text):
    return text.upper()


def size(path):
    return [path, os.path.getsize(path)]


class Shop:
    @staticmethod
    def price(item):
        return len(item)


def odd(x):
    if x % 2 == 0:
        raise ValueError(f"{x} is even")
    return x


def deep(x):
    return odd(x + 1)


def rough(x):
    time.sleep(0.3 if x == 0 else 0.1)
    if x == 1:
        raise ValueError(x)
    while x > 1:
        pass
    return x


def chatty(x):
    print("about", x)
    sys.stderr.write("more ")
    return x


def starts(x):
    subprocess.run("cat; echo from a child", shell=True)
    os.write(1, b"from C\n")
    return x


def prints_bytes(x):
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.buffer.write("bytes: é\n".encode())
    print("wrapped", file=io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", write_through=True))
    subprocess.run(["echo", "from another"], stdout=sys.stdout)
    return x


def a_set(x):
    return {x}


def leaves(x):
    sys.exit(x)


def reads(x):
    return sys.stdin.read()


def needs_readline(x):
    import readline

    return x


async def waits(x):
    return x


async def streams(x):
    yield x


def yields(x):
    yield x


def wants_two(x, y):
    return x


def spins(x):
    while x == 2:
        pass
    return x


def stubborn(x):
    while x == 2:
        try:
            spins(x)
        except BaseException:
            pass
    return x


def sleeps(x):
    if x == 2:
        time.sleep(600)
    return x


def a_while(x):
    time.sleep(0.02)
    return x


def until_there(x):
    """Returns when the file is there, if it is the name of one."""
    while x.startswith("/") and not os.path.exists(x):
        time.sleep(0.01)
    return x


def after(path):
    """Waits for the item that is the name of a file."""
    if not path.startswith("after "):
        open(path, "w").close()
        return 2
    while not os.path.exists(path.removeprefix("after ")):
        time.sleep(0.01)
    time.sleep(1)  # its result comes first
    return 1


def interpreter(x):
    """The interpreter, and its lock: own or shared."""
    import _interpreters

    number = _interpreters.get_current()[0]
    return [number, _interpreters.get_config(number).gil]


def meet(x):
    """The thread, once so many threads have come to a folder."""
    folder, many = x
    open(f"{folder}/{threading.get_ident()}", "w").close()
    while len(os.listdir(folder)) < many:
        time.sleep(0.01)
    return threading.get_ident()


counted = 0


def count(x):
    global counted
    counted += 1
    return counted


constant = 3
