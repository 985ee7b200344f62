"""The work of the parallel rows, in a module that every interpreter and process can import."""

import json


def work(n):
    x = 0
    for i in range(n):
        x ^= i
    return x


def line(text):
    """What pyctx map does with a line."""
    return json.dumps(item(json.loads(text)))


def item(n):
    for _ in range(n):
        pass
    return n
