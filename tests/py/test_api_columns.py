"""Columns and Arrow as the contract has them: what write_columns and write_arrow take, convert and refuse, all or nothing.

The same values one by one are in test_api_values.py; hostile producers and faults at each position have files of their own.
"""

import array  # noqa: F401: the cases are code
import ctypes  # noqa: F401
import datetime as dt
import io
import struct
import uuid
from decimal import Decimal

import ccpq
import pytest
from api_readback import UTC, need, pa, read, same, write

MS = dt.timedelta(milliseconds=1)
DAY0, T0 = dt.date(1970, 1, 1), dt.datetime(1970, 1, 1)
TZ0 = T0.replace(tzinfo=UTC)
UID = uuid.UUID(int=5)


def columns(schema, mapping, **options):
    return read(write(schema, mapping, "write_columns", **options), schema)


def evaluate(code):
    """A case's value; names of libraries stand for the libraries, which are needed then."""
    names = {"np": "numpy", "pd": "pandas", "pl": "polars", "pa": "pyarrow"}
    found = {short: need(long) for short, long in names.items() if f"{short}." in code}
    return eval(code, {**globals(), **found})


# -- write_columns: (type, column as code, values read back) ----------------------------------------------------------------

F01 = struct.unpack("<f", struct.pack("<f", 0.1))[0]
GIVEN = [
    # sequences, value by value
    ("int64", "[1, 2, 3]", [1, 2, 3]), ("int64?", "(1, None, 3)", [1, None, 3]), ("string?", "['a', None, 'ü']", ["a", None, "ü"]),
    ("json", "[{'a': 1}, [], '5']", ['{"a":1}', "[]", "5"]),
    ("binary[2]", "[b'ab', bytearray(b'cd')]", [b"ab", b"cd"]),
    ("decimal(5, 2)", "[1, Decimal('0.25')]", [Decimal("1.00"), Decimal("0.25")]), ("uuid", "[UID, UID.bytes]", [UID, UID]),
    ("timestamp[us, UTC]", "[TZ0, 5]", [TZ0, TZ0 + dt.timedelta(microseconds=5)]), ("bool", "[True, False]", [True, False]),
    ("date?", "[DAY0, None]", [DAY0, None]),
    # a range is a ramp
    ("int64", "range(5)", [0, 1, 2, 3, 4]), ("int8", "range(127, -129, -127)", [127, 0, -127]),
    ("float32", "range(3)", [0.0, 1.0, 2.0]), ("timestamp[s]", "range(0, 120, 60)", [T0, T0 + dt.timedelta(minutes=1)]),
    ("uint64?", "range(2**64 - 2, 2**64)", [2**64 - 2, 2**64 - 1]), ("decimal(4, 1)", "range(2)", [Decimal("0.0"), Decimal("1.0")]),
    ("int64", "range(0)", []),
    # buffers
    ("int16", "array.array('h', [1, -2])", [1, -2]), ("float64", "array.array('d', [0.5, -0.0])", [0.5, -0.0]),
    ("float32", "array.array('f', [0.5])", [0.5]), ("uint8", "memoryview(b'\\0\\xff')", [0, 255]),
    ("int64", "memoryview(array.array('q', range(6)))[::2]", [0, 2, 4]),
    ("int64", "memoryview(array.array('q', range(3)))[::-1]", [2, 1, 0]), ("int32", "(ctypes.c_int32 * 2)(1, 2)", [1, 2]),
    ("int64", "array.array('b', [1, -2])", [1, -2]), ("float64", "array.array('i', [1, -2])", [1.0, -2.0]),
    # numpy: any stride and byte order
    *((t, f"np.array([0, 1, 100], '{t}')", [0, 1, 100]) for t in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
      "uint64")),
    *((t, f"np.array([0.5, -0.0, np.inf, np.nan], '{t}')", [0.5, -0.0, float("inf"), float("nan")]) for t in ("float16", "float32",
      "float64")),
    ("bool", "np.array([True, False])", [True, False]), ("int64", "np.arange(6)[::2]", [0, 2, 4]),
    ("int64", "np.arange(6)[::-2]", [5, 3, 1]), ("int64", "np.arange(6).reshape(3, 2)[:, 1]", [1, 3, 5]),
    ("int64", "np.broadcast_to(np.int64(7), 3)", [7, 7, 7]), ("int32", "np.array([1, -2], '>i4')", [1, -2]),
    ("float64", "np.array([0.5, 2], '>f8')", [0.5, 2.0]), ("uint16", "np.array([1, 65535], '>u2')[::-1]", [65535, 1]),
    ("int64", "np.array([(1, 2.0), (3, 4.0)], 'i4,f8')['f0']", [1, 3]),
    ("bool", "np.array([True, False, True])[::2]", [True, True]), ("float32", "np.array([0.1, 1e-50])", [F01, 0.0]),
    ("int8", "np.array([1, -128])", [1, -128]), ("uint64", "np.array([2**64 - 1], 'u8')", [2**64 - 1]),
    ("int64", "np.array([2**63 - 1], 'u8')", [2**63 - 1]), ("float64", "np.array([2**53], 'i8')", [2.0**53]),
    ("int64?", "np.ma.array([1, 2, 3], mask=[0, 1, 0])", [1, None, 3]),
    ("float32?", "np.ma.array([0.5, 1.5], mask=True)", [None, None]), ("int64", "np.ma.array([1, 2])", [1, 2]),
    ("string?", "np.ma.array(['a', 'b'], mask=[1, 0])", [None, "b"]),
    ("int32?", "np.ma.array(np.arange(8), mask=[0, 0, 1, 0] * 2)[::2]", [0, None, 4, None]),
    ("timestamp[us]", "np.array([0, 1000], 'M8[us]')", [T0, T0 + MS]),
    ("timestamp[us, UTC]", "np.array([0, 1], 'M8[ms]')", [TZ0, TZ0 + MS]),
    ("timestamp[ms]", "np.array([0, 10**6], 'M8[ns]')", [T0, T0 + MS]),
    ("timestamp[us]?", "np.array([0, 'NaT'], 'M8[us]')", [T0, None]),
    ("timestamp[ns]?", "np.array(['NaT', 7], '>M8[ns]')", [None, 7]), ("timestamp[s]", "np.array([0], 'M8[D]')", [T0]),
    ("date?", "np.array([0, 'NaT'], 'M8[D]')", [DAY0, None]),
    ("string", "np.array(['a', 'ü漢', ''])", ["a", "ü漢", ""]), ("string", "np.array(['a', 'bc'], '>U5')[::-1]", ["bc", "a"]),
    ("string?", "np.array(['a', None, 'ü'], object)", ["a", None, "ü"]),
    ("decimal(5, 2)", "np.array([Decimal(1), 2], object)", [Decimal("1.00"), Decimal("2.00")]), ("int64", "np.array([], 'i8')", []),
    ("int64?", "np.array([1, None], object)[::-1]", [None, 1]),
    # columns of frames and arrays of Arrow
    ("int64", "pd.Series([1, 2])", [1, 2]), ("int64?", "pd.Series([1, None], dtype='Int64')", [1, None]),
    ("string?", "pd.Series(['a', None])", ["a", None]), ("int64", "pd.Series([1, 2, 3])[::2]", [1, 3]),
    ("timestamp[us, UTC]", "pd.Series([0, 1000], dtype='M8[us]').dt.tz_localize('UTC')", [TZ0, TZ0 + MS]),
    ("string", "pd.Series(['a', 'b', 'a'], dtype='category')", ["a", "b", "a"]),
    ("int64?", "pl.Series([1, None])", [1, None]),
    ("string?", "pl.Series(['a', None, 'a long string, not inlined'])", ["a", None, "a long string, not inlined"]),
    ("date", "pl.Series([DAY0])", [DAY0]),
    ("int64?", "pa.array([1, None])", [1, None]), ("int64", "pa.chunked_array([[1, 2], [], [3]])", [1, 2, 3]),
    ("string?", "pa.array(['a', None, 'b'])[1:]", [None, "b"]), ("bool?", "pa.array([True, None, False] * 5)[7:9]", [None, False]),
    ("decimal(5, 2)", "pa.array([Decimal('1.25')])", [Decimal("1.25")]),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "code", "back"), GIVEN, ids=[f"{t}-{c}"[:70] for t, c, _ in GIVEN])
def test_columns(type_, code, back):
    value = evaluate(code)
    f = io.BytesIO()
    with ccpq.Writer(f, {"c": type_}) as w:
        assert w.write_columns({"c": value}) == len(back)
    same(read(f.getvalue(), {"c": type_})["c"], back, type_)
    # The same bytes as the same values as rows.
    assert f.getvalue() == write({"c": type_}, [(v,) for v in back]), "columns and rows give other bytes"


SCALARS = [("int64", 7, 7), ("float32", 0.5, 0.5), ("float64", 3, 3.0), ("string", "fritz", "fritz"), ("binary", b"xy", b"xy"),
    ("bool", True, True), ("int64?", None, None), ("string?", None, None),
           ("date", DAY0, DAY0), ("timestamp[us, UTC]", TZ0, TZ0), ("decimal(3, 1)", Decimal("1.5"), Decimal("1.5")),
           ("uuid", UID, UID), ("time[us]", dt.time(1), dt.time(1))]  # fmt: skip


@pytest.mark.parametrize(("type_", "value", "back"), SCALARS, ids=lambda x: repr(x)[:30])
def test_a_scalar_is_a_constant_column(type_, value, back):
    schema = {"n": "int32", "c": type_}
    assert columns(schema, {"n": range(3), "c": value}) == {"n": [0, 1, 2], "c": [back] * 3}
    assert write(schema, {"c": value, "n": [0, 1, 2]}, "write_columns") == write(schema, [(i, value) for i in range(3)])
    assert columns(schema, {"n": [], "c": value}) == {"n": [], "c": []}
    with pytest.raises((TypeError, ValueError), match="number of rows"):  # at least one column has one
        columns({"c": type_}, {"c": value})


def test_numpy_scalars_are_constants():
    np = need("numpy")
    schema = {"n": "int8", "i": "int64", "f": "float32", "s": "string", "t": "timestamp[ns]?"}
    assert columns(schema, {"n": [1, 2], "i": np.int16(5), "f": np.float64(0.5), "s": np.str_("x"),
        "t": np.datetime64("NaT")}) == {"n": [1, 2], "i": [5, 5], "f": [0.5, 0.5], "s": ["x", "x"], "t": [None, None]}


ABC = {"a": "int64", "b": "string?", "c": "float64?"}


def test_names():
    assert columns(ABC, {"c": [0.5], "a": [1]}) == {"a": [1], "b": [None],
        "c": [0.5]}  # any order; an optional column may be missing
    for mapping, words in [({"b": ["x"]}, "'a'"), ({"a": [1], "cc": [1.0]}, "'cc'.*did you mean 'c'"), ({}, "'a'|length"),
        ({"a": [1], 5: [1]}, "5")]:
        with pytest.raises((TypeError, ValueError), match=words):
            columns(ABC, mapping)
    assert columns(ABC, {"a": [1], "z": [1, 2, 3], "y": object()}, extra="ignore") == {"a": [1], "b": [None], "c": [None]}


@pytest.mark.parametrize("second", ["['x', 'y']", "[]", "np.array(['x'])", "range(4)", "pa.array(['x'])"])
def test_lengths_must_agree(second):
    with pytest.raises(ValueError, match="3") as info:
        columns({"a": "int64", "b": "string?"}, {"a": [1, 2, 3], "b": evaluate(second)})
    assert "'a'" in str(info.value) and "'b'" in str(info.value)


REFUSED = [
    ("int64", "np.array([0.5])", "float"), ("int64", "np.array([1.0])", "float"), ("int64", "np.array([True])", "bool"),
    ("bool", "np.array([0, 1])", ""), ("bool", "np.array([0, 1], 'u1')", ""), ("float64", "np.array([True])", "bool"),
    ("string", "np.array([1])", ""), ("int64", "np.array(['1'])", ""), ("float64", "np.array(['1.5'])", ""),
    ("binary", "np.array(['x'])", ""), ("int64", "np.array([0], 'M8[us]')", ""), ("timestamp[us]", "np.array([0.5])", ""),
    ("date", "np.array([0], 'M8[us]')", ""), ("int64", "np.array([0], 'm8[us]')", ""), ("float64", "np.array([1j])", ""),
    ("int64", "np.zeros((2, 2), 'i8')", "dimension"), ("int64", "np.array([(1, 2)], 'i4,i4')", ""),
    ("int64", "{1, 2}", "set"), ("int64", "(i for i in range(3))", ""), ("int64", "iter([1])", ""), ("int64", "{'a': 1}", ""),
    ("int64", "object()", ""), ("float64", "array.array('u', 'x')", ""), ("int64", "array.array('d', [1])", "float"),
    ("int64", "['2']", "(str)"), ("int64", "[2.5]", "float"), ("int64", "pa.array(['x'])", ""),
    ("int64", "pa.array([0.5])", ""), ("string", "pa.array([b'x'])", ""), ("timestamp[us, UTC]", "pa.array([T0])", ""),
    ("int64", "pl.Series(['x'])", ""),
    ("timestamp[us, UTC]", "pd.Series([0], dtype='M8[us]')", "naive"), ("timestamp[us, UTC]", "pl.Series([T0])", ""),
    ("timestamp[us]", "pd.Series([0], dtype='M8[us]').dt.tz_localize('UTC')", ""), ("int64", "{1: 5}.values()", "list("),
    ("int64", "pd.Series([0.5])", ""), ("string", "'x'.encode()", "(bytes)"), ("string", "5", "(int)"), ("int64", "'5'", "(str)"),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "code", "words"), REFUSED, ids=[f"{t}-{c}"[:70] for t, c, _ in REFUSED])
def test_columns_of_a_wrong_type(type_, code, words):
    value = evaluate(code)
    with ccpq.Writer(io.BytesIO(), {"n": "int64", "c": type_}) as w:
        with pytest.raises(TypeError, match="'c'") as info:
            w.write_columns({"n": [1], "c": value})
        assert words in str(info.value) and w.rows == 0


VALUES = [
    ("int8", "np.array([1, 2, 128])", 2, OverflowError), ("uint8", "np.array([1, -1, 3])", 1, OverflowError),
    ("int64", "np.array([0, 2**63], 'u8')", 1, OverflowError), ("float64", "np.array([0, 2**53 + 1])", 1, ValueError),
    ("float32", "np.array([0.5, 1e39])", 1, OverflowError), ("float16", "np.array([0.5, 65520.0])", 1, OverflowError),
    ("int64", "np.ma.array([1, 2], mask=[0, 1])", 1, ValueError),
    ("timestamp[us]", "np.array([0, 'NaT'], 'M8[us]')", 1, ValueError),
    ("timestamp[us]", "np.array([0, 1], 'M8[ns]')", 1, ValueError),
    ("timestamp[ns]", "np.array([0, 2**60], 'M8[s]')", 1, OverflowError),
    ("string", "np.array(['a', None], object)", 1, ValueError), ("int64", "[1, None]", 1, ValueError),
    ("int8", "range(126, 130)", 2, OverflowError), ("uint16", "range(2, -2, -1)", 3, OverflowError),
    ("float64", "range(2**53, 2**53 + 3)", 1, ValueError), ("string", "['a', '\\ud800']", 1, ValueError),
    ("uint8", "array.array('h', [5, 300])", 1, OverflowError),
    ("int64", "pa.array([1, None])", 1, ValueError), ("int64", "pl.Series([1, 2, None])", 2, ValueError),
    ("int8", "pl.Series([1, 2, 300], dtype=pl.Int8, strict=False)", 2, ValueError),
    ("string", "pd.Series(['a', None])", 1, ValueError),
    ("binary[2]", "[b'ab', b'abc']", 1, ValueError),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "code", "at", "cls"), VALUES, ids=[f"{t}-{c}"[:70] for t, c, _, _ in VALUES])
def test_values_that_do_not_fit(type_, code, at, cls):
    """The row is named, all or nothing of the call is written, and the writer goes on."""
    value = evaluate(code)
    schema = {"n": "int64", "c": type_}
    f = io.BytesIO()
    with ccpq.Writer(f, {**schema, "c": type_.rstrip("?")}) as w:
        with pytest.raises(cls) as info:
            w.write_columns({"n": 1, "c": value})
        e = info.value
        assert isinstance(e, ccpq.RowError) and (e.row, e.row_in_call, e.column, e.rows_written) == (at, at, "c", 0)
        assert str(e).startswith(f"row {at} of this call (row {at} of the file), column 'c': ")
        assert repr(e.value) == repr(value[at]) and w.rows == 0
    assert f.getvalue() == write(schema, [])


def test_columns_and_rows_in_turns():
    f = io.BytesIO()
    with ccpq.Writer(f, ABC, row_group_size=4) as w:
        w.write_row((0, "x", 0.5))
        assert w.write_columns({"a": range(1, 7), "b": "y"}) == 6
        with pytest.raises(ccpq.RowError) as info:
            w.write_columns({"a": [7, None], "b": ["new", "newer"]})
        assert (info.value.row, info.value.row_in_call) == (8, 1)
        w.write_rows([(7, "z", None)])
    assert read(f.getvalue(), ABC) == {"a": [*range(8)], "b": ["x"] + ["y"] * 6 + ["z"], "c": [0.5] + [None] * 7}
    assert f.getvalue() == write(ABC, [(0, "x", 0.5), *((i, "y", None) for i in range(1, 7)), (7, "z", None)], row_group_size=4)


def test_a_column_of_its_own_kind():
    """Anything with __array_interface__, as libraries have it that are not numpy."""
    np = need("numpy")

    class Array:
        def __init__(self, values):
            self.base = np.asarray(values)
            self.__array_interface__ = self.base.__array_interface__

        def __len__(self):
            return len(self.base)

    assert columns({"a": "int32", "b": "float64"}, {"a": Array(np.array([1, 2], "i4")), "b": Array([0.5, 1.5])}) == {"a": [1, 2],
        "b": [0.5, 1.5]}


# -- write_arrow: (type of ours, array as code, values read back) ----------------------------------------------------------------

ARROW = [
    # strings of every layout
    *(("string?", f"pa.array(['a', None, 'ü', 'a string that is not inlined', ''], pa.{t}())",
      ["a", None, "ü", "a string that is not inlined", ""]) for t in ("string", "large_string", "string_view")),
    *(("binary?", f"pa.array([b'a', None, b'', b'bytes that are not inlined'], pa.{t}())",
      [b"a", None, b"", b"bytes that are not inlined"]) for t in ("binary", "large_binary", "binary_view")),
    ("string?", "pa.array(['a', None, 'b', 'a']).dictionary_encode()", ["a", None, "b", "a"]),
    ("string?", "pa.DictionaryArray.from_arrays([0, 1, None], ['x', None])", ["x", None, None]),
    ("int16", "pa.array([5, 5, 6], pa.int16()).dictionary_encode()", [5, 5, 6]),
    ("string?", "pa.array(['a', 'b', None, 'c'])[1:]", ["b", None, "c"]),
    ("string", "pa.array(['a', 'b', 'c'], pa.string_view())[1:]", ["b", "c"]),
    ("int32?", "pa.RunEndEncodedArray.from_arrays([2, 3, 5], pa.array([1, None, 3], pa.int32()))", [1, 1, None, 3, 3]),
    ("string", "pa.RunEndEncodedArray.from_arrays(pa.array([1, 4], pa.int64()), ['x', 'y'])[1:]", ["y", "y", "y"]),
    ("float64", "pa.array([0.5, 0.25]).dictionary_encode()", [0.5, 0.25]),
    # integers get wider without loss
    *((t, f"pa.array([1, 100], pa.{s}())", [1, 100])
      for s, wider in (("int8", "int16 int32 int64"), ("int16", "int32 int64"), ("int32", "int64"),
          ("uint8", "uint16 uint32 uint64 int16 int32 int64"), ("uint16", "uint64 int32"), ("uint32", "int64"))
      for t in [s, *wider.split()]),
    ("bool?", "pa.array([True, None, False] * 7)[2:6]", [False, True, None, False]),
    ("int64?", "pa.array([1, None, 3, None])[1:]", [None, 3, None]), ("float16", "pa.array([0.5], pa.float16())", [0.5]),
    ("float64", "pa.array([0.5], pa.float32())", [0.5]),
    ("float32?", "pa.array([0.5, None], pa.float32())", [0.5, None]), ("uint64", "pa.array([2**64 - 1], pa.uint64())", [2**64 - 1]),
    # any zone into UTC
    *((t, f"pa.array([0, 1], pa.timestamp('ms', {z!r}))", [TZ0, TZ0 + MS]) for t in ("timestamp[ms, UTC]",
      "timestamp[us, UTC]") for z in ("UTC", "Europe/Berlin", "+02:00")),
    *((f"timestamp[{u}]?", f"pa.array([0, None, 5], pa.timestamp('{u}'))", [T0, None, T0 + 5 * d])
      for u, d in (("s", 1000 * MS), ("ms", MS), ("us", MS / 1000))), ("timestamp[ns]", "pa.array([0, 5], pa.timestamp('ns'))", [0, 5]),
    ("timestamp[us]", "pa.array([1], pa.timestamp('s'))", [T0 + 1000 * MS]),
    ("timestamp[us]", "pa.array([1000], pa.timestamp('ns'))", [T0 + MS / 1000]),
    ("date?", "pa.array([DAY0, None])", [DAY0, None]), ("date", "pa.array([DAY0], pa.date64())", [DAY0]),
    ("time[ms]", "pa.array([5], pa.time32('ms'))", [dt.time(microsecond=5000)]),
    ("time[us]", "pa.array([5], pa.time64('us'))", [dt.time(microsecond=5)]),
    ("time[ns]", "pa.array([5], pa.time64('ns'))", [5]),
    ("time[us]", "pa.array([5], pa.time32('ms'))", [dt.time(microsecond=5000)]),
    ("time[ms]", "pa.array([5], pa.time32('s'))", [dt.time(second=5)]),
    ("decimal(9, 2)?", "pa.array([Decimal('1.25'), None], pa.decimal128(9, 2))", [Decimal("1.25"), None]),
    ("decimal(38, 2)", "pa.array([Decimal('-1.25')], pa.decimal128(9, 2))", [Decimal("-1.25")]),
    ("decimal(4, 1)", "pa.array([Decimal('1.5')], pa.decimal32(4, 1))", [Decimal("1.5")]),
    ("decimal(18, 1)", "pa.array([Decimal('-1.5')], pa.decimal64(18, 1))", [Decimal("-1.5")]),
    ("binary[2]?", "pa.array([b'ab', None], pa.binary(2))", [b"ab", None]), ("uuid", "pa.array([UID.bytes], pa.binary(16))", [UID]),
    ("uuid?", "pa.array([UID.bytes, None], pa.uuid())", [UID, None]), ("json", "pa.array(['{}'])", ["{}"]),
    ("json?", "pa.array(['{}', None], pa.json_())", ["{}", None]), ("enum", "pa.array(['A'])", ["A"]),
    ("bson", "pa.array([b'x'])", [b"x"]), ("binary", "pa.array([b'ab'], pa.binary(2))", [b"ab"]),
    ("int64?", "pa.nulls(3)", [None] * 3), ("string?", "pa.nulls(2)", [None] * 2),
]  # fmt: skip


def of_arrow(type_, value, **options):
    return read(write({"c": type_}, pa.table({"c": value}), "write_arrow", **options), {"c": type_})["c"]


@pytest.mark.parametrize(("type_", "code", "back"), ARROW, ids=[f"{t}-{c}"[:80] for t, c, _ in ARROW])
def test_arrow(type_, code, back):
    need("pyarrow")
    value = evaluate(code)
    same(of_arrow(type_, value), back, type_)
    # The same bytes by every route; a time of a day in nanoseconds cannot be a row.
    data = write({"c": type_}, pa.table({"c": value}), "write_arrow")
    assert data == write({"c": type_}, {"c": value}, "write_columns")
    assert type_.startswith("time[ns]") or data == write({"c": type_}, [(v,) for v in back])


ARROW_REFUSED = [
    ("int32", "pa.array([1.0])"), ("bool", "pa.array([1], pa.int8())"), ("string", "pa.array([1])"), ("date", "pa.array([1], pa.int32())"),
    ("int64", "pa.array([True])"), ("int64", "pa.array(['1'])"), ("string", "pa.array([b'x'])"), ("binary", "pa.array(['x'])"),
    ("float64", "pa.array(['1.5'])"), ("float64", "pa.array([True])"), ("uuid", "pa.array(['x'])"),
    ("uuid", "pa.array([b'x'], pa.binary(1))"),
    ("timestamp[us, UTC]", "pa.array([T0])"), ("timestamp[us]", "pa.array([TZ0])"), ("timestamp[us]", "pa.array([0], pa.date32())"),
    ("date", "pa.array([T0])"), ("timestamp[us]", "pa.array([0], pa.duration('us'))"),
    ("string", "pa.array([['x']])"), ("int64", "pa.array([{'a': 1}])"), ("binary[3]", "pa.array([b'ab'], pa.binary(2))"),
    ("time[us]", "pa.array([T0])"),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "code"), ARROW_REFUSED, ids=[f"{t}-{c}"[:80] for t, c in ARROW_REFUSED])
@pytest.mark.parametrize("empty", [False, True])
def test_arrow_of_a_wrong_type(type_, code, empty):
    """Refused by the types: before any row, without one too."""
    need("pyarrow")
    value = evaluate(code)[: 0 if empty else 9]
    f = io.BytesIO()
    with ccpq.Writer(f, {"c": type_ + "?"}) as w, pytest.raises((TypeError, ValueError, ccpq.UnsupportedError), match="'c'"):
        w.write_arrow(pa.table({"c": value}))
    assert f.getvalue() == write({"c": type_ + "?"}, [])


ARROW_VALUES = [
    ("int64", "pa.array([1, None])", 1, ValueError), ("string", "pa.array(['a', 'b', None]).dictionary_encode()", 2, ValueError),
    ("int64", "pa.nulls(2)", 0, ValueError), ("string", "pa.DictionaryArray.from_arrays([0, 1], ['x', None])", 1, ValueError),
    ("int32", "pa.RunEndEncodedArray.from_arrays([2, 4], pa.array([1, None], pa.int32()))", 2, ValueError),
    ("timestamp[us]", "pa.array([1000, 1], pa.timestamp('ns'))", 1, ValueError),
    ("timestamp[ns]", "pa.array([0, 2**60], pa.timestamp('s'))", 1, OverflowError),
    ("decimal(38, 2)", "pa.array([Decimal('1.250'), Decimal('1.255')], pa.decimal128(9, 3))", 1, ValueError),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "code", "at", "cls"), ARROW_VALUES, ids=[f"{t}-{c}"[:80] for t, c, _, _ in ARROW_VALUES])
def test_arrow_values_that_do_not_fit(type_, code, at, cls):
    need("pyarrow")
    value = evaluate(code)
    f = io.BytesIO()
    with ccpq.Writer(f, {"n": "int64", "c": type_}) as w:
        with pytest.raises(cls, match="column 'c'") as info:
            w.write_arrow(pa.table({"n": range(len(value)), "c": value}))
        e = info.value
        assert isinstance(e, ccpq.RowError) and (e.row, e.row_in_call, e.column, e.rows_written, w.rows) == (at, at, "c", 0, 0)
    assert f.getvalue() == write({"n": "int64", "c": type_}, [])


TABLE = {"a": [1, 2, 3], "b": ["x", None, "z"], "c": [0.5, None, 1.5]}
PRODUCERS = {
    "table": lambda: need("pyarrow").table(TABLE), "batch": lambda: need("pyarrow").record_batch(TABLE),
    "reader": lambda: need("pyarrow").table(TABLE).to_reader(max_chunksize=1), "polars": lambda: need("polars").DataFrame(TABLE),
    "pandas": lambda: need("pandas").DataFrame({**TABLE, "c": [0.5, None, 1.5]}),
    "duckdb": lambda: need("duckdb").sql("select * from (values (1::bigint, 'x', 0.5::double), (2, null, null), (3, 'z', 1.5)) t(a, b, c)"),
    "struct": lambda: need("pyarrow").record_batch(TABLE).to_struct_array(),
    "chunks": lambda: need("pyarrow").chunked_array([need("pyarrow").record_batch(TABLE).to_struct_array()]),
    "stream only": lambda: only(need("pyarrow").table(TABLE), "__arrow_c_stream__"),
    "array only": lambda: only(need("pyarrow").record_batch(TABLE), "__arrow_c_array__"),
}  # fmt: skip


def only(of, method):
    """An object with one method of the Arrow protocol and nothing else."""
    return type("Only", (), {method: lambda self, requested_schema=None: getattr(of, method)(requested_schema)})()


@pytest.mark.parametrize("kind", PRODUCERS)
def test_producers(kind):
    data = PRODUCERS[kind]()
    f = io.BytesIO()
    with ccpq.Writer(f, ABC) as w:
        assert w.write_arrow(data) == 3
    assert read(f.getvalue(), ABC) == TABLE
    assert f.getvalue() == write(ABC, list(zip(*TABLE.values())))


def test_columns_are_matched_by_name():
    need("pyarrow")
    table = pa.table({"c": [0.5], "a": [1], "b": ["x"]})
    assert read(write(ABC, table, "write_arrow"), ABC) == {"a": [1], "b": ["x"], "c": [0.5]}
    assert read(write(ABC, table.select(["a"]), "write_arrow"), ABC) == {"a": [1], "b": [None], "c": [None]}
    more = table.append_column("d", [[1]])
    for bad, words in ((more, "'d'"), (table.select(["b", "c"]), "'a'"),
        (table.rename_columns(["c", "aa", "b"]), "'aa'.*did you mean 'a'|'a'"), (table.append_column("a", [[2]]), "'a'.*twice")):
        with pytest.raises((TypeError, ValueError), match=words), ccpq.Writer(io.BytesIO(), ABC) as w:
            w.write_arrow(bad)
    assert read(write(ABC, more, "write_arrow", extra="ignore"), ABC) == {"a": [1], "b": ["x"], "c": [0.5]}
    nested = table.append_column("d", [[[1, 2]]])  # of a type that cannot be written: ignored is ignored
    assert read(write(ABC, nested, "write_arrow", extra="ignore"), ABC) == {"a": [1], "b": ["x"], "c": [0.5]}


@pytest.mark.parametrize("bad", ["pa.array([1, 2])", "pa.chunked_array([[1, 2]])", "pl.Series([1, 2])",
    "pa.schema([('a', pa.int64())])"])
def test_what_is_no_table(bad):
    with pytest.raises((TypeError, ValueError)), ccpq.Writer(io.BytesIO(), ABC) as w:
        w.write_arrow(evaluate(bad))


def test_advice_for_the_index_of_pandas():
    pd = need("pandas")
    need("pyarrow")
    frame = pd.DataFrame({"a": [1, 2, 3]})[::2]
    table = pa.table(frame)
    if "__index_level_0__" not in table.column_names:
        table = table.append_column("__index_level_0__", [[0, 2]])
    with pytest.raises((TypeError, ValueError), match="__index_level_0__.*reset_index"), ccpq.Writer(io.BytesIO(), {"a": "int64"}) as w:
        w.write_arrow(table)


def test_advice_for_nan_of_pandas():
    pd, np = need("pandas", "numpy")
    frame = pd.DataFrame({"v": [1.0, np.nan]})
    with pytest.raises(ccpq.RowValueError, match="pandas .*NaN as null") as info, ccpq.Writer(io.BytesIO(), {"v": "float64"}) as w:
        w.write_arrow(frame)
    assert (info.value.row, info.value.column) == (1, "v") and "float64?" in str(info.value)
    assert read(write({"v": "float64?"}, frame, "write_arrow"), {"v": "float64?"}) == {"v": [1.0, None]}


def test_batches_before_a_failing_one_stay():
    need("pyarrow")

    class Boom(Exception):
        pass

    schema = pa.schema([("a", pa.int64()), ("b", pa.string())])
    batches = [pa.record_batch([[2 * i, 2 * i + 1], ["x", "y"]], schema=schema) for i in range(4)]
    batches[2] = pa.record_batch([[4, None], ["only", "here"]], schema=schema)
    f = io.BytesIO()
    with ccpq.Writer(f, ABC) as w:
        with pytest.raises(ccpq.RowValueError) as info:
            w.write_arrow(pa.RecordBatchReader.from_batches(schema, iter(batches)))
        assert (info.value.row, info.value.row_in_call, info.value.column, info.value.rows_written, w.rows) == (5, 5, "a", 4, 4)

        def broken():
            yield batches[3]
            raise Boom("the stream broke")

        with pytest.raises((Boom, OSError), match="the stream broke"):
            w.write_arrow(pa.RecordBatchReader.from_batches(schema, broken()))
        assert w.rows == 6
    assert f.getvalue() == write(ABC, [(i, "xy"[i % 2], None) for i in (0, 1, 2, 3, 6, 7)])


def test_empty_streams():
    need("pyarrow")
    schema = pa.schema([("a", pa.int64())])
    f = io.BytesIO()
    with ccpq.Writer(f, ABC) as w:
        assert w.write_arrow(pa.RecordBatchReader.from_batches(schema, [])) == 0
        assert w.write_arrow(schema.empty_table()) == 0
        assert w.write_arrow(pa.RecordBatchReader.from_batches(schema,
            [schema.empty_table().to_batches()[0] if schema.empty_table().to_batches() else pa.record_batch([[]],
             schema=schema)])) == 0
    assert f.getvalue() == write(ABC, [])
