"""Python's own ways to run in parallel.

    pools.py interpreters|processes speedup    reads numbers, and prints how much faster two workers did so much work than one
    pools.py interpreters|processes|none map   does to the lines of standard input what pyctx map does
"""

import sys
import time
from concurrent.futures import InterpreterPoolExecutor, ProcessPoolExecutor

from work import line, work

pools = {"interpreters": InterpreterPoolExecutor, "processes": ProcessPoolExecutor}


def timed(pool, workers, n):
    start = time.perf_counter()
    list(pool.map(work, [n] * workers))
    return time.perf_counter() - start


def speedup(pool):
    for number in sys.stdin:
        n = int(number)
        print(2 * timed(pool, 1, n) / timed(pool, 2, n), flush=True)


def main(kind, what):
    if kind == "none":
        sys.stdout.writelines(line(text) + "\n" for text in sys.stdin)
        return
    with pools[kind](2) as pool:
        if what == "speedup":
            timed(pool, 2, 1000)  # both workers are there
            speedup(pool)
        else:
            for result in pool.map(line, sys.stdin, chunksize=100):
                sys.stdout.write(result + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
