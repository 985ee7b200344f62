"""Counts primes: work for a processor, without any package.

    pyctx map examples/primes.py:count examples/ranges.jsonl
"""


def count(item):
    """How many primes there are from item["from"] up to, but not including, item["to"]."""
    numbers = range(item["from"], item["to"])
    return {**item, "primes": sum(map(is_prime, numbers))}


def is_prime(n):
    if n < 4:
        return n > 1
    if n % 2 == 0 or n % 3 == 0:
        return False
    for d in range(5, int(n**0.5) + 1, 6):
        if n % d == 0 or n % (d + 2) == 0:
            return False
    return True
