"""What the tests of the Writer share: a schema with its rows, classes of such rows, a sink, an exception of nobody else.

Writing and reading back is api_readback.py's.
"""

import dataclasses
import typing

S = {"a": "int64", "s": "string?"}


def rows_of(n):
    return [(i, None if i % 7 == 0 else f"s{i % 50}") for i in range(n)]


@dataclasses.dataclass
class Sample:
    a: int
    s: str | None = None


class Named(typing.NamedTuple):
    a: int
    s: str | None


class Boom(Exception):
    pass


class Sink:
    """Takes a file; `fail` maps a method's name to the call, counted from 0, that raises `boom`."""

    def __init__(self, **fail):
        self.fail, self.calls, self.data, self.boom = fail, [], bytearray(), Boom("mine")

    def _called(self, name):
        n = self.calls.count(name)
        self.calls.append(name)
        if self.fail.get(name) == n:
            raise self.boom

    def write(self, data):
        assert isinstance(data, memoryview) and data.readonly
        self._called("write")
        self.data += data

    def finish(self):
        self._called("finish")

    def abort(self):
        self._called("abort")
