"""Failing calls, two hundred times each: the interpreter's count of allocated blocks must not move.

Error branches are where references are lost. Memory of the core is watched elsewhere (budgets that must return to zero,
LeakSanitizer in `make asan`); this sees Python objects. A call must fail, by an exception or a refusal, to stand here.
"""

import datetime as dt
import enum
import gc
import os
import sys
import uuid
import weakref
from decimal import Decimal

import pytest

import ccpq

TIMES = 200
NOISE = 40
SCHEMA = {"n": "int8", "s": "string?", "f": "float32", "b": "binary?"}
GOOD = (1, "a", 1.0, b"x")


class Private(Exception):
    pass


# Not SystemError and the like, which the interpreter raises when an extension misbehaves.
REFUSALS = (Private, ccpq.Error, TypeError, ValueError, OverflowError, OSError, MemoryError, NotImplementedError)


class Bytes:
    """A sink that keeps what it was given; `fail` is the call that raises."""

    def __init__(self, fail=None):
        self.fail, self.n_bytes = fail, 0

    def write(self, data):
        if self.fail == "write":
            raise Private
        self.n_bytes += len(data)
        return len(data)

    def finish(self):
        if self.fail == "finish":
            raise Private

    def abort(self):
        pass


class Index:
    def __index__(self):
        raise Private


def failing_rows():
    yield GOOD
    raise Private


def write(rows, method="write_rows", fail=None, **options):
    with ccpq.Writer(Bytes(fail), SCHEMA, **options) as w:
        getattr(w, method)(rows)


CASES = {
    "no such type": lambda: ccpq.Writer(Bytes(), {"n": "int9"}),
    "no such option": lambda: ccpq.Writer(Bytes(), SCHEMA, compresion="zstd"),
    "no such codec": lambda: ccpq.Writer(Bytes(), SCHEMA, compression="lzma"),
    "no such sorting column": lambda: ccpq.Writer(Bytes(), SCHEMA, sorting_columns=["x"]),
    "metadata of numbers": lambda: ccpq.Writer(Bytes(), SCHEMA, metadata={"a": 1, "b": "c"}),
    "limit too small": lambda: ccpq.Writer(Bytes(), SCHEMA, memory_limit="4KiB"),
    "size without a unit": lambda: ccpq.Writer(Bytes(), SCHEMA, memory_limit="64M"),
    "folder is absent": lambda: ccpq.Writer("/nonexistent/folder/x.parquet", SCHEMA),
    "target is no target": lambda: ccpq.Writer(3.5, SCHEMA),
    "rows are no iterable": lambda: write(5),
    "row is no row": lambda: write([GOOD, 5]),
    "row is too short": lambda: write([GOOD, (1, "a")]),
    "integer out of range": lambda: write([GOOD, (300, "a", 1.0, b"x")]),
    "bool is no integer": lambda: write([GOOD, (True, "a", 1.0, b"x")]),
    "__index__ raises": lambda: write([GOOD, (Index(), "a", 1.0, b"x")]),
    "null in a required column": lambda: write([GOOD, (None, "a", 1.0, b"x")]),
    "bytes are no string": lambda: write([GOOD, (1, b"a", 1.0, b"x")]),
    "a lone surrogate": lambda: write([GOOD, (1, "\ud800", 1.0, b"x")]),
    "string is no float": lambda: write([GOOD, (1, "a", "1.0", b"x")]),
    "string is no bytes": lambda: write([GOOD, (1, "a", 1.0, "x")]),
    "missing key": lambda: write([{"n": 1, "f": 1.0}, {"n": 1}]),
    "key too many": lambda: write([{"n": 1, "f": 1.0, "more": 1}]),
    "iterator raises": lambda: write(failing_rows()),
    "iterator raises in a group": lambda: write(failing_rows(), "write_group"),
    "group with a bad row": lambda: write([GOOD, (1,)], "write_group"),
    "one row, bad": lambda: write((1, "a", None, None), "write_row"),
    "sink's write raises": lambda: write([GOOD], fail="write"),
    "sink's finish raises": lambda: write([GOOD], fail="finish"),
}


class Color(enum.Enum):
    RED, FIVE = "red", 5


class Zone(dt.tzinfo):
    def utcoffset(self, when):
        raise Private


class Odd(dt.datetime):
    def utcoffset(self):
        return 5


class Uid(uuid.UUID):
    __slots__ = ()

    def __init__(self):
        pass

    int = property(lambda self: 2**200)
    __repr__ = object.__repr__


class Items(dict):
    def items(self):
        raise Private


class Path:
    def __fspath__(self):
        raise Private


def ring():
    r = [1]
    r.append({"again": r})
    return r


NOON = dt.datetime(2024, 2, 29, 12, 30, 15, 123456)
UTC = dt.timezone.utc
# (type, a value it takes, a value it does not)
CONVERSIONS = [
    ("float16", 1.5, 1e6), ("float16", 7, "x"), ("enum", Color.RED, Color.FIVE), ("enum", "x", 5), ("string", "x", Color.RED), ("binary[3]", b"abc", b"ab"),
    ("binary[3]", bytearray(b"abc"), bytearray(5)), ("uuid", uuid.UUID(int=5), Uid()), ("uuid", uuid.UUID(int=5), "x"), ("uuid", bytes(16), b"x"),
    ("json", {"a": [1]}, {"a": object()}), ("json", [1], {"a": {1: 2}}), ("json", "x", b"\xff"), ("json", ccpq.Json(1), ccpq.Json({0: 1})), ("json", [], 5),
    ("json", [{"a": 1}], [Items(a=1)]), ("json", [{"a": 1}], ring()), ("json", {"a": 1}, {"a": "\ud800"}), ("json", [], [float("nan")]),
    ("timestamp[us]", NOON, NOON.replace(tzinfo=UTC)), ("timestamp[us, UTC]", NOON.replace(tzinfo=dt.timezone(dt.timedelta(hours=1))), NOON),
    ("timestamp[us, UTC]", NOON.replace(tzinfo=UTC), NOON.replace(tzinfo=Zone())), ("timestamp[us]", 5, Odd(2024, 1, 1)), ("timestamp[ms]", 5, NOON),
    ("timestamp[ns]", NOON, dt.datetime(3000, 1, 1)), ("timestamp[s]", 2**40, 2**70), ("timestamp[us]", NOON, 1.5), ("date", NOON.date(), NOON), ("time[ms]", dt.time(1), NOON.time()),
    ("time[us]", dt.time(1), dt.time(1, tzinfo=UTC)), ("decimal(5, 2)", Decimal("1.5"), Decimal("1.555")), ("decimal(38, 2)", 10**20, 10**38), ("decimal(5, 2)", 7, Decimal("sNaN")),
    ("decimal(5, 2)", 7, 10**5000), ("decimal(5, 2)", 7, 1.5),
]  # fmt: skip
LENIENT = [
    ("int8", "5", "500"), ("int8", 5.0, 5.5), ("float32", "1.5", "1e39"), ("float64", "1.5", "x"), ("bool", "true", "yes"), ("bool", 1, 2), ("date", "2024-02-29", "2023-02-29"),
    ("timestamp[us]", "2024-02-29T12:30", "2024-02-29T12:30Z"), ("timestamp[ms]", "2024-02-29T12:30", "2024-02-29T12:30:00.0001"), ("decimal(5, 2)", "1.5", "1.555"),
    ("decimal(5, 2)", "1.5", "x"), ("uuid", str(uuid.UUID(int=5)), "x"), ("string", Color.RED, Color.FIVE), ("string", uuid.UUID(int=5), Path()), ("binary", b"x", "x"),
]  # fmt: skip


def convert(type_, good, bad, strict):
    with ccpq.Writer(Bytes(), {"c": type_}, strict=strict) as w:
        w.write_rows([(good,), (bad,)])


def blocks_kept(call):
    """Blocks that TIMES failing calls leave behind: the least of some rounds, since caches fill up and a leak repeats."""
    rounds = []
    for n in (20, *[TIMES] * 6):
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(n):
            try:
                call()
            except REFUSALS:
                continue
            pytest.fail("the call did not fail")
        gc.collect()
        rounds.append(sys.getallocatedblocks() - before)
        if n == TIMES and rounds[-1] < NOISE:
            break
    return min(rounds[1:])


@pytest.mark.parametrize("name", CASES)
def test_failing_call_leaks_nothing(name):
    assert blocks_kept(CASES[name]) < NOISE


@pytest.mark.parametrize("i", range(len(CONVERSIONS)), ids=lambda i: f"{i}-{CONVERSIONS[i][0]}")
def test_refused_value_leaks_nothing(i):
    assert blocks_kept(lambda: convert(*CONVERSIONS[i], strict=True)) < NOISE


@pytest.mark.parametrize("i", range(len(LENIENT)), ids=lambda i: f"{i}-{LENIENT[i][0]}")
def test_refused_value_leaks_nothing_if_not_strict(i):
    assert blocks_kept(lambda: convert(*LENIENT[i], strict=False)) < NOISE


@pytest.mark.skipif(sys.getallocatedblocks() == 0, reason="needs Python's own allocator")
def test_planted_leak_is_found():
    kept = []

    def leak():
        kept.append(object())
        raise Private

    assert blocks_kept(leak) >= TIMES


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_failing_calls_leave_no_descriptor(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    for i in range(20):
        with pytest.raises(ccpq.RowError), ccpq.Writer(tmp_path / f"{i}.parquet", SCHEMA) as w:
            w.write_rows([GOOD] * 1000 + [(1,)])
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before
    assert os.listdir(tmp_path) == []


def test_cycle_through_the_sink_is_collected():
    sink = Bytes()
    sink.writer = w = ccpq.Writer(sink, SCHEMA)
    w.write_row(GOOD)
    w.abort()
    dead = weakref.ref(sink)
    del sink, w
    gc.collect()
    assert dead() is None
