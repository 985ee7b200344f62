# Iterators and files of Go. Continues values.py.

ITERATOR, FILE = 15, 16


@maker(ITERATOR)
def _():
    from itertools import repeat

    # Nothing but C between Go and who gets the item, so that no interrupt takes it away; and nothing is compared, as in
    # iter(advance, sentinel), nor kept, so that threads may share one.
    return lambda advance: map(advance, repeat(None))


@maker(FILE)
def _():
    import io

    class File(io.RawIOBase):
        """An io.Reader or io.Writer of Go. Closing it closes what is in Go; dropping it does not."""

        def __init__(self, read, write, seek, truncate, flush, close):
            self._read, self._write, self._seek = read, write, seek
            self._truncate, self._flush, self._close = truncate, flush, close

        def readable(self):
            return self._read is not None

        def writable(self):
            return self._write is not None

        def seekable(self):
            return self._seek is not None

        def _use(self, function, what):
            self._checkClosed()
            if function is None:
                raise io.UnsupportedOperation(f"{what}: the Go value has no such method")
            return function

        def readinto(self, buffer):
            read = self._use(self._read, "read")
            view = memoryview(buffer).cast("B")
            for data in map(read, (len(view),)):  # as above: from here on Go has no more what an interrupt takes away
                try:
                    view[: len(data)] = data
                    return len(data)
                except BaseException:
                    read(data)  # takes it back
                    raise

        def write(self, data):
            return self._use(self._write, "write")(memoryview(data).tobytes())

        def seek(self, offset, whence=0, /):
            return self._use(self._seek, "seek")(offset, whence)

        def truncate(self, size=None, /):
            size = self.tell() if size is None else size
            self._use(self._truncate, "truncate")(size)
            return size

        def flush(self):
            super().flush()
            if self._flush is not None:
                self._flush()

        def close(self):
            if not self.closed:
                try:
                    super().close()
                finally:
                    if self._close is not None:
                        self._close()

        def __del__(self):
            pass

    class Reader(io.BufferedReader):
        def __del__(self):
            pass

    class Duplex(Reader):
        """Both ways, each at its own place."""

        def writable(self):
            return True

        def write(self, data):
            return self.raw.write(data)

        def flush(self):
            self.raw.flush()

    class Random(io.BufferedRandom):
        """Both ways, at one place."""

        def write(self, data):
            n = super().write(data)
            self.flush()
            return n

        def __del__(self):
            pass

    for cls in File, Reader, Duplex, Random:
        cls.__module__, cls.__qualname__ = "go", cls.__name__

    def make(read, write, seek, *rest):
        raw = File(read, write, seek, *rest)
        if read is None:
            return raw
        return (Reader if write is None else Duplex if seek is None else Random)(raw)

    return make
