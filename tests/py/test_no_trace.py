"""Calls that fail at every position leave no trace: the file is byte for byte the one of the accepted rows alone.

A schema of all kinds of columns; the k-th conversion fails for every k, by a value that is refused, by an object or an iterator
that raises, or by a stream whose k-th batch is bad. Then the writer goes on. write_rows keeps the rows before, write_group and
write_columns keep none, write_arrow keeps the batches before. The options make groups and pages end inside of the failing call.
"""

import collections
import dataclasses
import datetime as dt
import io
import math
import numbers
import random
import uuid
from decimal import Decimal

import ccpq
import model
import pytest
from api_readback import need, pa

UTC = dt.timezone.utc
T0 = dt.datetime(2024, 2, 29, 12)

# type -> (the i-th value, refused values)
KINDS = {
    "string": (lambda i: f"host{i % 5}", ["\ud800", b"x"]),
    "int64": (lambda i: i * 7919 % 1009, [2**63, "1"]),
    "string?": (lambda i: None if i % 4 == 0 else f"new {i}", [5]),
    "bool": (lambda i: i % 3 == 0, [1]),
    "int8?": (lambda i: None if i % 3 else i % 128, [128, True]),
    "uint64": (lambda i: 2**64 - 1 - i, [-1, 1.5]),
    "float16": (lambda i: i / 4 % 100, [1e9]),
    "float32?": (lambda i: None if i % 5 == 1 else i / 8, [1e39, "x"]),
    "float64": (lambda i: math.sqrt(i), [2**53 + 1, Decimal(1)]),
    "binary": (lambda i: bytes([i % 256]) * (i % 7), ["x"]),
    "binary[3]": (lambda i: bytes([i % 3, 0, 255]), [b"xx"]),
    "timestamp[us, UTC]": (lambda i: T0.replace(tzinfo=UTC) + dt.timedelta(seconds=i), [T0, 1.5]),
    "timestamp[s]?": (lambda i: None if i % 6 == 0 else T0 + dt.timedelta(hours=i), [T0.replace(tzinfo=UTC), 2**62]),
    "timestamp[ns]": (lambda i: i, [dt.datetime(3000, 1, 1)]),
    "date": (lambda i: T0.date() + dt.timedelta(days=i), [T0]),
    "time[ms]?": (lambda i: None if i % 4 == 2 else dt.time(i % 24), [dt.time(0, 0, 0, 1)]),
    "decimal(9, 2)": (lambda i: Decimal(i) / 4, [Decimal("0.001"), Decimal("1e9"), 1.5]),
    "decimal(38, 4)?": (lambda i: None if i % 2 else Decimal(i) * 10**30, [10**38]),
    "uuid": (lambda i: uuid.UUID(int=i % 4 * 2**100 + 5), ["x", b"x"]),
    "json?": (lambda i: None if i % 5 == 2 else {"i": i % 3, "a": [None, "ü"]}, [5, {"a": object()}]),
    "enum": (lambda i: "AB"[i % 2], [b"A"]),
    "bson": (lambda i: bytes([5, 0, 0, 0, i % 2]), ["x"]),
}  # fmt: skip
SCHEMA = {f"c{j}": t for j, t in enumerate(KINDS)}
INTEGERS = [j for j, t in enumerate(KINDS) if t.rstrip("?") in ("int64", "int8", "uint64", "float64", "timestamp[ns]",
    "timestamp[us, UTC]", "decimal(9, 2)")]
N = 4  # rows of the failing call: the last one follows the cut of a group, where those have 4 rows

OPTIONS = {
    "plain": {"compression": "none"},
    "small groups": {"row_group_size": 4},
    "small pages": {"data_page_size": 16, "compression": "snappy"},
    "little memory": {"data_page_size": 64, "memory_limit": "least"},
    "sorted": {"sorting_columns": [("c5", "descending"), "c11"], "compression": "none"},
    "modern": {"profile": "modern", "row_group_size": 9},
}  # fmt: skip


class Boom(Exception):
    pass


@numbers.Integral.register
class Raises:
    """A whole number by its own word, which raises when it is asked."""

    def __index__(self):
        raise Boom

    __int__ = __float__ = __index__


Row = dataclasses.make_dataclass("Row", list(SCHEMA), slots=True)
Tuple = collections.namedtuple("Tuple", reversed(list(SCHEMA)))
SHAPES = [tuple, list, lambda r: dict(zip(SCHEMA, r)), lambda r: Row(*r), lambda r: Tuple(*reversed(r)),
    lambda r: collections.UserDict(zip(SCHEMA, r))]


def rows(first, n):
    return [tuple(value(i) for value, _ in KINDS.values()) for i in range(first, first + n)]


# Values of the failing call are new to the file: entries of dictionaries have to go away again.
BEFORE, CALL, AFTER = rows(0, 5), rows(100, N), rows(200, 7)


def least_limit(options):
    try:
        ccpq.Writer(io.BytesIO(), SCHEMA, **options, memory_limit=1).abort()
    except ccpq.BudgetError as e:
        return e.needed
    raise AssertionError("a limit of one byte was accepted")


def opened(name):
    options = dict(OPTIONS[name])
    if options.get("memory_limit") == "least":
        del options["memory_limit"]
        options["memory_limit"] = least_limit(options)
    f = io.BytesIO()
    return f, ccpq.Writer(f, SCHEMA, **options)


def reference(name, *parts):
    """The file of rows without a failure; None ends the open group."""
    f, w = opened(name)
    with w:
        for part in parts:
            if part is None:
                w.flush_group()
            else:
                w.write_rows(part)
    model.validate(f.getvalue(), profile=OPTIONS[name].get("profile", "default"))
    return f.getvalue()


def shaped(given, k):
    return [SHAPES[(k + i) % len(SHAPES)](r) for i, r in enumerate(given)]


def faults():
    """(row, column, refused value) for every position and every refused value, None in a required column among them."""
    for j, (kind, (_, bad)) in enumerate(KINDS.items()):
        for value in [*bad, object(), *([] if kind.endswith("?") else [None]), *([Raises()] if j in INTEGERS else [])]:
            for i in range(N):
                yield i, j, value


def spoilt(i, j, value):
    given = list(CALL)
    given[i] = (*given[i][:j], value, *given[i][j + 1 :])
    return given


def fails(call, i, j, value, written=None, column=True):
    """The call raises what it should; `written` rows of it are told as kept."""
    if isinstance(value, Raises):
        with pytest.raises(Boom):
            call()
        return
    with pytest.raises(ccpq.RowError) as info:
        call()
    e = info.value
    assert (e.column, e.row_in_call, e.rows_written) == (f"c{j}", i, i if written is None else written), (i, j, value)
    assert e.value is value


def test_a_plain_call_is_read_back():
    """Nothing here is refused but what is meant to be."""
    names = {name: reference(name, BEFORE, CALL, AFTER) for name in OPTIONS}
    tables = [model.read_table(data) for data in names.values()]
    assert all(t == tables[0] for t in tables) and all(len(c) == 5 + N + 7 for c in tables[0].values())
    assert len(model.read_metadata(names["small groups"]).row_groups) == 4


@pytest.mark.parametrize("name", OPTIONS)
def test_rows_keep_those_before(name):
    expect = [reference(name, BEFORE, CALL[:i], AFTER) for i in range(N + 1)]
    for k, (i, j, value) in enumerate(faults()):
        f, w = opened(name)
        with w:
            w.write_rows(BEFORE)
            fails(lambda: w.write_rows(iter(shaped(spoilt(i, j, value), k))), i, j, value)
            assert w.rows == 5 + i
            w.write_rows(AFTER)
        assert f.getvalue() == expect[i], (i, j, value)


@pytest.mark.parametrize("name", OPTIONS)
def test_rows_that_are_skipped(name):
    expect = [reference(name, BEFORE, CALL[:i], CALL[i + 1 :], AFTER) for i in range(N)]
    for k, (i, j, value) in enumerate(faults()):
        if not isinstance(value, Raises):
            f, w, seen = *opened(name), []
            with w:
                w.write_rows(BEFORE)
                assert w.write_rows(shaped(spoilt(i, j, value), k), on_error=seen.append) == N - 1
                w.write_rows(AFTER)
            assert f.getvalue() == expect[i] and [e.column for e in seen] == [f"c{j}"], (i, j, value)


@pytest.mark.parametrize("name", OPTIONS)
def test_one_row_of_each(name):
    expect = reference(name, BEFORE, AFTER)
    for k, (i, j, value) in enumerate(faults()):
        if i == 0:
            f, w = opened(name)
            with w:
                w.write_rows(BEFORE)
                fails(lambda: w.write_row(shaped(spoilt(0, j, value), k)[0]), 0, j, value, 0)
                w.write_rows(AFTER)
            assert f.getvalue() == expect, (j, value)


@pytest.mark.parametrize("name", OPTIONS)
def test_groups_keep_none(name):
    expect = reference(name, BEFORE, None, AFTER)
    for k, (i, j, value) in enumerate(faults()):
        f, w = opened(name)
        with w:
            w.write_rows(BEFORE)
            fails(lambda: w.write_group(shaped(spoilt(i, j, value), k)), i, j, value, 0)
            assert w.rows == 5
            w.write_rows(AFTER)
        assert f.getvalue() == expect, (i, j, value)


@pytest.mark.parametrize("name", OPTIONS)
def test_iterators_that_raise(name):
    def source(i):
        yield from CALL[:i]
        raise Boom

    for i in range(N + 1):
        for method, expect in (("write_rows", reference(name, BEFORE, CALL[:i], AFTER)),
            ("write_group", reference(name, BEFORE, None, AFTER))):
            f, w = opened(name)
            with w:
                w.write_rows(BEFORE)
                with pytest.raises(Boom):
                    getattr(w, method)(source(i))
                w.write_rows(AFTER)
            assert f.getvalue() == expect, (i, method)


class Looks:
    """A mapping whose k-th look-up raises, over all of its kind."""

    def __init__(self, k):
        self.left = k

    def take(self):
        self.left -= 1
        if self.left < 0:
            raise Boom


class Mapping(collections.abc.Mapping):
    def __init__(self, row, looks):
        self.row, self.looks = dict(zip(SCHEMA, row)), looks

    def __getitem__(self, key):
        self.looks.take()
        return self.row[key]

    def __iter__(self):
        return iter(self.row)

    def __len__(self):
        return len(self.row)


def test_mappings_that_raise_at_the_kth_look():
    expect = [reference("small groups", BEFORE, CALL[:i], AFTER) for i in range(N + 1)]
    k = 0
    while True:
        looks = Looks(k)
        f, w = opened("small groups")
        with w:
            w.write_rows(BEFORE)
            try:
                w.write_rows([Mapping(r, looks) for r in CALL])
            except Boom:
                pass
            kept = w.rows - 5
            w.write_rows(AFTER)
        assert f.getvalue() == expect[kept], k
        if looks.left >= 0:
            break
        k += 1
    assert kept == N and k >= N * len(SCHEMA)


# -- columns ---------------------------------------------------------------------------------------------------------------------


def as_columns(given):
    return dict(zip(SCHEMA, map(list, zip(*given))))


@pytest.mark.parametrize("name", OPTIONS)
def test_columns_keep_none(name):
    expect = reference(name, BEFORE, AFTER)
    for i, j, value in faults():
        f, w = opened(name)
        with w:
            w.write_rows(BEFORE)
            mapping = as_columns(CALL)
            mapping[f"c{j}"][i] = value
            fails(lambda: w.write_columns(mapping), i, j, value, 0)
            assert w.rows == 5
            w.write_rows(AFTER)
        assert f.getvalue() == expect, (i, j, value)


class Values(collections.abc.Sequence):
    """A sequence whose k-th read raises, over all columns together; `length` counts as a read too."""

    def __init__(self, values, looks):
        self.values, self.looks = values, looks

    def __len__(self):
        self.looks.take()
        return len(self.values)

    def __getitem__(self, i):
        self.looks.take()
        return self.values[i]


@pytest.mark.parametrize("name", ["small groups", "little memory"])
def test_columns_that_raise_at_the_kth_read(name):
    expect = reference(name, BEFORE, AFTER)
    k = 0
    while True:
        looks = Looks(k)
        f, w = opened(name)
        with w:
            w.write_rows(BEFORE)
            try:
                w.write_columns({n: Values(v, looks) for n, v in as_columns(CALL).items()})
            except Boom:
                assert w.rows == 5
            else:
                break
            w.write_rows(AFTER)
        assert f.getvalue() == expect, k
        k += 1
    w.abort()
    assert k >= N * len(SCHEMA)


def test_columns_of_numpy_keep_none():
    np = need("numpy")
    schema = {"i": "int8", "f": "float32", "s": "string", "t": "timestamp[us]", "o": "string?", "u": "uint16", "b": "bool"}
    good = {"i": np.arange(300) % 100, "f": np.arange(300) / 8, "s": np.array([f"s{i % 7}" for i in range(300)]),
        "t": np.arange(300).astype("M8[s]"),
            "o": np.array([None, "x", "y"] * 100, object), "u": np.arange(300).astype(">u4"),
            "b": np.arange(300) % 2 == 0}  # fmt: skip
    bad = {"i": 200, "f": 1e39, "s": "\ud800", "t": np.datetime64("NaT"), "o": 5, "u": 70_000}

    def plain(target):
        w.write_columns({n: v[:10] for n, v in target.items()})

    f = io.BytesIO()
    with ccpq.Writer(f, schema, row_group_size=64) as w:
        plain(good)
        plain(good)
    expect = f.getvalue()
    for name, value in bad.items():
        for at in (0, 1, 63, 64, 150, 299):
            f = io.BytesIO()
            with ccpq.Writer(f, schema, row_group_size=64) as w:
                plain(good)
                spoiled = good[name].astype(object) if name == "s" else good[name].astype("i8") if name == "u" else good[name].copy()
                spoiled[at] = value
                with pytest.raises(ccpq.RowError) as info:
                    w.write_columns({**good, name: spoiled})
                assert (info.value.column, info.value.row_in_call, info.value.rows_written, w.rows) == (name, at, 0, 10)
                for wrong in ({**good, name: good[name][:299]}, {**good, name: object()}, {**good, "more": [1]},
                    {k: v for k, v in good.items() if k != name or name == "o"}):
                    if name != "o" or len(wrong) != len(good) or wrong[name] is not good[name]:
                        with pytest.raises((TypeError, ValueError)):
                            w.write_columns(wrong)
                assert w.rows == 10
                plain(good)
            assert f.getvalue() == expect, (name, at)


@pytest.mark.parametrize("method", ["write_group", "write_columns"])
def test_a_large_call_that_fails_at_its_end(method):
    """What was parked and spilled of it is gone; the memory limit holds."""
    schema = {"i": "int64", "s": "string", "b": "binary?"}
    rng, n = random.Random(1), 60_000
    given = [(rng.getrandbits(60), f"text {rng.getrandbits(40)}", rng.randbytes(20) if i % 3 else None) for i in range(n)]
    bad = [*given[:-1], (1, "x", "no bytes")]
    options = {"memory_limit": "4MiB", "data_page_size": "32KiB", "row_group_size": 25_000}
    files = []
    for failing in (True, False):
        f = io.BytesIO()
        with ccpq.Writer(f, schema, **options) as w:
            w.write_rows(given[:1000])
            if failing:
                before = w.bytes_written, w.row_groups
                with pytest.raises(ccpq.RowTypeError) as info:
                    getattr(w, method)(bad if method == "write_group" else dict(zip(schema, map(list, zip(*bad)))))
                assert (info.value.row_in_call, info.value.rows_written, w.rows) == (n - 1, 0, 1000)
                if method == "write_columns":
                    assert (w.bytes_written, w.row_groups) == before
            elif method == "write_group":
                w.flush_group()
            w.write_rows(given[1000:30_000])
        assert w.report.peak_memory <= 4 << 20
        files.append(f.getvalue())
    assert files[0] == files[1]
    model.validate(files[0])


# -- Arrow -----------------------------------------------------------------------------------------------------------------------


def arrow_type(kind):
    named = {"string": pa.string(), "bool": pa.bool_(), "binary": pa.large_binary(), "binary[3]": pa.binary(3),
        "timestamp[us, UTC]": pa.timestamp("us", "UTC"), "timestamp[s]": pa.timestamp("s"),
             "timestamp[ns]": pa.timestamp("ns"), "date": pa.date32(), "time[ms]": pa.time32("ms"),
             "decimal(9, 2)": pa.decimal128(9, 2), "decimal(38, 4)": pa.decimal128(38, 4), "uuid": pa.binary(16),
             "json": pa.string_view(), "enum": pa.dictionary(pa.int8(), pa.string()), "bson": pa.binary()}  # fmt: skip
    return named.get(kind) or getattr(pa, kind)()


def arrow_value(kind, v):
    if isinstance(v, uuid.UUID):
        return v.bytes
    return '{"i":%d,"a":[null,"ü"]}' % v["i"] if isinstance(v, dict) else v


def batch(given, spoil=None):
    """A record batch of rows; `spoil`: a column whose last value becomes null."""
    arrays = []
    for j, (kind, column) in enumerate(zip(KINDS, zip(*given))):
        values = [arrow_value(kind, v) for v in column]
        if j == spoil:
            values[-1] = None
        arrays.append(pa.array(values, arrow_type(kind.rstrip("?"))))
    return pa.record_batch(arrays, names=list(SCHEMA))


@pytest.mark.parametrize("name", OPTIONS)
def test_arrow_keeps_the_batches_before(name):
    need("pyarrow")
    given = rows(100, 12)
    batches = [batch(given[3 * b : 3 * b + 3]) for b in range(4)]
    expect = [reference(name, BEFORE, given[: 3 * b], AFTER) for b in range(5)]
    required = [j for j, t in enumerate(KINDS) if not t.endswith("?")]

    def stream(upto, last=None):
        yield from batches[:upto]
        if last is None:
            raise Boom("the stream broke")
        yield last

    for b in range(5):
        for j in [None, *(required if b < 4 else [])]:
            last = None if j is None else batch(given[3 * b : 3 * b + 3], j)
            f, w = opened(name)
            with w:
                w.write_rows(BEFORE)
                with pytest.raises(Exception) as info:
                    w.write_arrow(pa.RecordBatchReader.from_batches(batches[0].schema, stream(b, last)))
                if j is None:
                    assert "the stream broke" in str(info.value)
                else:
                    e = info.value
                    assert isinstance(e, ccpq.RowValueError) and (e.row_in_call, e.column, e.rows_written) == (3 * b + 2, f"c{j}",
                        3 * b)
                assert w.rows == 5 + 3 * b
                w.write_rows(AFTER)
            assert f.getvalue() == expect[b], (b, j)


@pytest.mark.parametrize("name", ["small groups", "modern"])
def test_arrow_that_does_not_fit_leaves_nothing(name):
    need("pyarrow")
    expect = reference(name, BEFORE, AFTER)
    good = batch(CALL)
    for j, kind in enumerate(KINDS):
        for wrong in (good.set_column(j, f"c{j}", pa.array([["x"]] * N)), good.remove_column(j),
            good.set_column(j, "misspelt", good.column(j)), good.append_column(f"c{j}", good.column(j))):
            if kind.endswith("?") and wrong.num_columns < good.num_columns:
                continue
            f, w = opened(name)
            with w:
                w.write_rows(BEFORE)
                with pytest.raises((TypeError, ValueError, ccpq.UnsupportedError)):
                    w.write_arrow(wrong)
                w.write_rows(AFTER)
            assert f.getvalue() == expect, (j, wrong.schema)


# -- refusals that no single value shows -----------------------------------------------------------------------------------------


ROUTES = ["write_rows", "write_group", "write_columns", "write_arrow"]


def give(w, route, schema, given):
    """The rows by a route; Arrow as batches of two."""
    by_column = dict(zip(schema, map(list, zip(*given))))
    if route == "write_columns":
        w.write_columns(by_column)
    elif route == "write_arrow":
        w.write_arrow(pa.table(by_column).to_reader(max_chunksize=2))
    else:
        getattr(w, route)(given)


def kept(route, at):
    """How many rows of a call stay whose row `at` is refused."""
    return at if route == "write_rows" else at // 2 * 2 if route == "write_arrow" else 0


@pytest.mark.parametrize("route", ROUTES)
def test_rows_out_of_order(route):
    if route == "write_arrow":
        need("pyarrow")
    schema, options = {"a": "int64", "s": "string"}, {"sorting_columns": ["a", ("s", "descending")], "row_group_size": 3}
    given = [(i // 2, "zy"[i % 2]) for i in range(10, 18)]
    before, after = [(1, "x"), (2, "x")], [(50, "x"), (50, "w")]
    for at in range(len(given)):
        for bad in ((given[at][0] - 9, "z"), (given[at][0], "zz") if at % 2 else (1, "a")):
            files = []
            for failing in (True, False):
                f = io.BytesIO()
                with ccpq.Writer(f, schema, **options) as w:
                    w.write_rows(before)
                    if failing:
                        with pytest.raises(ccpq.RowValueError) as info:
                            give(w, route, schema, [*given[:at], bad, *given[at + 1 :]])
                        assert (info.value.row_in_call, info.value.rows_written) == (at, kept(route, at))
                    else:
                        if route == "write_group":
                            w.flush_group()
                        w.write_rows(given[: kept(route, at)])
                    w.write_rows(after)
                files.append(f.getvalue())
            assert files[0] == files[1], (at, bad)


@pytest.mark.parametrize("route", ROUTES)
def test_values_that_are_too_large(route):
    if route == "write_arrow":
        need("pyarrow")
    schema = {"a": "int64", "s": "string", "b": "binary?"}
    before, after = [(1, "x", None)] * 3, [(2, "y", b"z")] * 3
    for at in range(4):
        for column in (1, 2):
            files = []
            for failing in (True, False):
                f = io.BytesIO()
                with ccpq.Writer(f, schema, memory_limit="4MiB", compression="none") as w:
                    n = w.plan["max_value_bytes"]
                    given = [(i, "large" * (n // 100), b"only once") for i in range(4)]
                    w.write_rows(before)
                    if failing:
                        bad = [*given[at]]
                        bad[column] = "x" * (n + 1) if column == 1 else b"x" * (n + 1)
                        with pytest.raises(ccpq.RowValueError, match="larger than the memory limit allows") as info:
                            give(w, route, schema, [*given[:at], tuple(bad), *given[at + 1 :]])
                        assert (info.value.row_in_call, info.value.rows_written) == (at, kept(route, at))
                    else:
                        if route == "write_group":
                            w.flush_group()
                        w.write_rows(given[: kept(route, at)])
                    w.write_rows(after)
                assert w.report.peak_memory <= 4 << 20
                files.append(f.getvalue())
            assert files[0] == files[1], (at, column)


# -- all together -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", [n for n in OPTIONS if n != "sorted"])
def test_failures_of_all_kinds_in_turns(name, seed):
    """Many failing calls between calls that succeed, in any order."""
    rng = random.Random(seed)
    every, accepted = list(faults()), []
    f, w = opened(name)
    with w:
        for step in range(150):
            first, n = rng.randrange(1000), rng.choice((1, 2, 9))
            good = rows(first, n)
            way = rng.randrange(8)
            i, j, value = rng.choice(every)
            error = Boom if isinstance(value, Raises) else ccpq.RowError
            if way == 0:
                w.write_rows(shaped(good, step))
                accepted.append(good)
            elif way == 1:
                w.write_columns(as_columns(good))
                accepted.append(good)
            elif way == 2:
                with pytest.raises(error):
                    w.write_rows(shaped(spoilt(i, j, value), step))
                accepted.append(CALL[:i])
            elif way == 3:
                with pytest.raises(error):
                    w.write_group(shaped(spoilt(i, j, value), step))
                accepted.append(None)
            elif way == 4:
                mapping = as_columns(CALL)
                mapping[f"c{j}"][i] = value
                with pytest.raises(error):
                    w.write_columns(mapping)
            elif way == 5:
                with pytest.raises((TypeError, ValueError)):
                    w.write_columns({**as_columns(good), f"c{j}": range(n + 1)})
            elif way == 6:
                with pytest.raises(ccpq.RowError):
                    w.write_row(good[0][:-1])
            elif pa is not None:
                if rng.random() < 0.5:
                    w.write_arrow(batch(good))
                    accepted.append(good)
                else:
                    with pytest.raises(ccpq.RowError):
                        w.write_arrow(batch(good, 0))
    assert f.getvalue() == reference(name, *accepted)
