"""Rows and values as the contract has them: each accepted and refused cell of the table of rows and of the table of values.

Every value goes in as a row, in a group and as a column; what is refused is refused by each with the same error. Values are
read back by the oracle and by pyarrow (api_readback.py). Details of one conversion are in test_rows.py and test_values.py.
"""

import array
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import io
import ipaddress
import json
import math
import pickle
import sqlite3
import struct
import types
import typing
import uuid
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath

import ccpq
import pytest
from api_readback import UTC, column, compact, need, read, refused, same, write

ROUTES = ["write_rows", "write_group", "write_columns"]
TYPE, VALUE, OVERFLOW, ANY = ccpq.RowTypeError, ccpq.RowValueError, ccpq.RowOverflowError, ccpq.RowError

INTS = {f"{u}int{n}": (0 if u else -(1 << n - 1), (1 << n - (0 if u else 1)) - 1) for u in ("", "u") for n in (8, 16, 32, 64)}
F32_MAX = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
INF, NAN = math.inf, math.nan
UID = uuid.UUID("12345678-1234-5678-9234-567812345678")
PLUS2 = dt.timezone(dt.timedelta(hours=2))
NOON = dt.datetime(2024, 2, 29, 12, 30, 15, 123456)
NOON_NS = 1709209815123456000
DAY, CLOCK = dt.date(2024, 2, 29), dt.time(12, 30, 15, 123456)


class IntColor(enum.IntEnum):
    RED = 3


class StrColor(str, enum.Enum):
    RED = "red"


class Color(enum.Enum):
    RED = "red"


class Str(str):
    pass


class Day(dt.date):
    pass


class Stamp(dt.datetime):
    pass


def ids(cases):
    return [f"{i}-{c[0]}-{c[1]!r:.40}".encode("ascii", "replace").decode() for i, c in enumerate(cases)]


# -- accepted values: (type, value, what is read back) -----------------------------------------------------------------

ACCEPTED = [
    *((t, v, v) for t, (low, high) in INTS.items() for v in (low, high, 0)),
    *((t, IntColor.RED, 3) for t in INTS),
    *((t, v, v) for t in ("float32", "float64") for v in (0.0, -0.0, 1.5, INF, -INF, NAN)),
    *((t, v, float(v)) for t in ("float32", "float64") for v in (0, -7, 2**24, 2**53, -(2**53))),
    ("float64", 2**60, 2.0**60), ("float64", 0.1, 0.1), ("float64", 5e-324, 5e-324), ("float64", 1e300, 1e300),
    ("float32", 0.1, struct.unpack("<f", struct.pack("<f", 0.1))[0]), ("float32", F32_MAX, F32_MAX),
    ("float32", 2**24 + 1, 2.0**24),
    *(("float16", v, v) for v in (0.0, -0.0, 1.5, 65504.0, INF, -INF, NAN, 2.0**-24)),
    ("float16", 0.1, struct.unpack("<e", struct.pack("<e", 0.1))[0]), ("float16", 7, 7.0),
    ("bool", True, True), ("bool", False, False),
    *(("string", s, s) for s in ("", "a", "ü", "漢字", "\U0001f600", "a\0b", "x" * 5000)),
    ("string", Str("sub"), "sub"), ("string", StrColor.RED, "red"),
    *(("binary", b, bytes(b)) for b in (b"", b"\0\xff", bytearray(b"ab"), memoryview(b"abcdef")[::2])),
    *(("binary[4]", b, b"abcd") for b in (b"abcd", bytearray(b"abcd"), memoryview(b"abcd"))),
    ("bson", b"\5\0\0\0\0", b"\5\0\0\0\0"), ("enum", "RED", "RED"),
    # an aware datetime is converted, a naive one is local; ints are in the declared unit
    *((f"timestamp[{u}, UTC]", d.replace(microsecond=m, tzinfo=UTC), d.replace(microsecond=m, tzinfo=UTC))
      for u, m in (("s", 0), ("ms", 123000), ("us", 123456)) for d in (NOON, dt.datetime(1969, 12, 31, 23, 59, 59))),
    *((f"timestamp[{u}]", NOON.replace(microsecond=m), NOON.replace(microsecond=m))
      for u, m in (("s", 0), ("ms", 123000), ("us", 123456))),
    ("timestamp[us, UTC]", NOON.replace(tzinfo=PLUS2), (NOON - dt.timedelta(hours=2)).replace(tzinfo=UTC)),
    ("timestamp[ns, UTC]", NOON.replace(tzinfo=UTC), NOON_NS), ("timestamp[ns]", NOON, NOON_NS),
    ("timestamp[us]", dt.datetime.min, dt.datetime.min), ("timestamp[us]", dt.datetime.max, dt.datetime.max),
    ("timestamp[ms]", dt.datetime.min, dt.datetime.min), ("timestamp[s]", dt.datetime.min, dt.datetime.min),
    ("timestamp[us]", Stamp(2024, 2, 29), dt.datetime(2024, 2, 29)),
    ("timestamp[s]", 5, dt.datetime(1970, 1, 1, 0, 0, 5)),
    ("timestamp[s, UTC]", -5, dt.datetime(1969, 12, 31, 23, 59, 55, tzinfo=UTC)),
    ("timestamp[ms]", 5, dt.datetime(1970, 1, 1, 0, 0, 0, 5000)),
    ("timestamp[us, UTC]", 5, dt.datetime(1970, 1, 1, 0, 0, 0, 5, tzinfo=UTC)),
    ("timestamp[ns]", 5, 5), ("timestamp[ns, UTC]", -(2**63), -(2**63)), ("timestamp[ns]", 2**63 - 1, 2**63 - 1),
    *(("date", d, d) for d in (DAY, dt.date.min, dt.date.max, dt.date(1970, 1, 1))), ("date", Day(2024, 2, 29), DAY),
    ("time[us]", CLOCK, CLOCK), ("time[us]", dt.time.min, dt.time.min), ("time[us]", dt.time.max, dt.time.max),
    ("time[ms]", CLOCK.replace(microsecond=123000), CLOCK.replace(microsecond=123000)),
    ("time[ns]", CLOCK, 45015123456000), ("time[us, UTC]", CLOCK, CLOCK.replace(tzinfo=UTC)),
    *(("decimal(9, 2)", v, Decimal(b)) for v, b in (
        (Decimal("1.25"), "1.25"), (Decimal("1.5"), "1.50"), (Decimal("-0.01"), "-0.01"), (Decimal("1E+3"), "1000.00"), (7, "7.00"),
        (-7, "-7.00"), (Decimal("9999999.99"), "9999999.99"), (0, "0.00"))),
    ("decimal(3)", 999, Decimal(999)), ("decimal(38, 4)", Decimal("9" * 34 + ".9999"), Decimal("9" * 34 + ".9999")),
    ("decimal(38)", -(10**38 - 1), Decimal(-(10**38 - 1))), ("decimal(18, 18)", Decimal("0." + "1" * 18), Decimal("0." + "1" * 18)),
    ("uuid", UID, UID), ("uuid", UID.bytes, UID),
    ("json", {"b": 1, "a": [1, 2.5, None, True, "x"]}, '{"b":1,"a":[1,2.5,null,true,"x"]}'), ("json", [], "[]"), ("json", {}, "{}"),
    ("json", [{"k": {}}], '[{"k":{}}]'), ("json", '{"a" : 1}', '{"a" : 1}'), ("json", b'[1, 2 ]', "[1, 2 ]"), ("json", "5", "5"),
    ("json", "not JSON", "not JSON"),  # given text is taken verbatim, it is not validated
]  # fmt: skip


@pytest.mark.parametrize("method", ROUTES)
@pytest.mark.parametrize(("type_", "value", "back"), ACCEPTED, ids=ids(ACCEPTED))
def test_accepted(type_, value, back, method):
    same(column(type_, [value], method), [back], type_)
    same(column(type_ + "?", [None, value, None], method), [None, back, None], type_)


@pytest.mark.parametrize(("scalar", "text"),
    [(5, "5"), (1.5, "1.5"), ("s", '"s"'), (True, "true"), (None, "null"), ({"a": 1}, '{"a":1}')])
@pytest.mark.parametrize("method", ROUTES)
def test_json_of_a_scalar_is_asked_for(scalar, text, method):
    same(column("json?", [ccpq.Json(scalar), None], method), [text, None], "json")


def test_json_keeps_what_is_in_it():
    deep = {"z": "ü\n\"", "a": {"k": [10**20, -0.5, "漢\U0001f600"]}}
    (text,) = column("json", [deep])
    assert json.loads(text) == deep and list(json.loads(text)) == ["z",
        "a"] and len(text) <= len(json.dumps(deep, separators=(",", ":")))


# -- accepted from numpy and pandas -------------------------------------------------------------------------------------

NUMPY = [
    *((t, f"np.{t}({v})", v) for t, bounds in INTS.items() for v in bounds),
    ("int8", "np.uint64(7)", 7), ("uint64", "np.int8(7)", 7), ("int64", "np.longlong(7)", 7),
    *((t, f"np.{n}(1.5)", 1.5) for t in ("float16", "float32", "float64") for n in ("float16", "float32", "float64")),
    ("float64", "np.int32(7)", 7.0), ("bool", "np.bool_(True)", True), ("bool", "np.bool_(False)", False),
    ("string", "np.str_('ü')", "ü"), ("binary", "np.bytes_(b'x')", b"x"),
    ("timestamp[us]", "np.datetime64('2024-02-29T12:30:15.123456')", NOON),
    ("timestamp[us, UTC]", "np.datetime64('2024-02-29T12:30:15.123456')", NOON.replace(tzinfo=UTC)),
    ("timestamp[us]", "np.datetime64('2024-02-29T12', 'h')", dt.datetime(2024, 2, 29, 12)),
    ("timestamp[ms]", "np.datetime64('2024-02-29T12:30:15', 's')", dt.datetime(2024, 2, 29, 12, 30, 15)),
    ("timestamp[ms]", "np.datetime64('2024-02-29T12:30:15.123000', 'us')", NOON.replace(microsecond=123000)),
    ("timestamp[s]", "np.datetime64('2024-02-29T12:30:15', 'ns')", NOON.replace(microsecond=0)),
    ("timestamp[ns]", "np.datetime64(5, 'ns')", 5), ("timestamp[ns, UTC]", "np.datetime64(-5, 's')", -5 * 10**9),
    ("timestamp[us]", "np.int64(5)", dt.datetime(1970, 1, 1, 0, 0, 0, 5)),
    ("timestamp[ns]", "pd.Timestamp(NOON_NS + 789)", NOON_NS + 789),
    ("timestamp[ns, UTC]", "pd.Timestamp(NOON_NS + 789, tz='Europe/Berlin')", NOON_NS + 789),
    ("timestamp[us]", "pd.Timestamp(NOON_NS)", NOON),
    ("timestamp[us, UTC]", "pd.Timestamp(NOON_NS, tz='UTC')", NOON.replace(tzinfo=UTC)),
    ("timestamp[us, UTC]", "pd.Timestamp(NOON_NS, tz='Asia/Tokyo')", NOON.replace(tzinfo=UTC)),
]  # fmt: skip


@pytest.mark.parametrize("method", ROUTES)
@pytest.mark.parametrize(("type_", "code", "back"), NUMPY, ids=ids(NUMPY))
def test_accepted_from_numpy_and_pandas(type_, code, back, method):
    np, pd = need("numpy", "pandas")
    value = eval(code, {"np": np, "pd": pd, **globals()})
    same(column(type_, [value], method), [back], type_)


# -- null ---------------------------------------------------------------------------------------------------------------

SAMPLE = {
    **dict.fromkeys(INTS, 7), **dict.fromkeys(("float16", "float32", "float64"), 0.5), "bool": True, "string": "s", "binary": b"b",
    "binary[2]": b"bb", "bson": b"b", "enum": "e", "date": DAY, "time[ms]": dt.time(1), "time[us]": CLOCK, "time[ns, UTC]": CLOCK,
    **{f"timestamp[{u}]": NOON.replace(microsecond=0) for u in ("s", "ms", "us", "ns")},
    **{f"timestamp[{u}, UTC]": NOON.replace(microsecond=0, tzinfo=UTC) for u in ("s", "ms", "us", "ns")},
    "decimal(4, 1)": Decimal("1.5"), "decimal(38, 10)": Decimal(7), "uuid": UID, "json": {"a": 1},
}  # fmt: skip


# type -> the type that DuckDB finds, and the value as it prints it
IN_DUCKDB = {
    **{t: (n, "7") for t, n in zip(INTS, "TINYINT SMALLINT INTEGER BIGINT UTINYINT USMALLINT UINTEGER UBIGINT".split())},
    "float16": ("FLOAT", "0.5"), "float32": ("FLOAT", "0.5"), "float64": ("DOUBLE", "0.5"), "bool": ("BOOLEAN", "true"),
    "string": ("VARCHAR", "s"), "binary": ("BLOB", "b"), "binary[2]": ("BLOB", "bb"),
    "bson": ("BLOB", "b"), "enum": ("VARCHAR", "e"), "date": ("DATE", "2024-02-29"), "time[ms]": ("TIME", "01:00:00"),
    "time[us]": ("TIME", "12:30:15.123456"),
    "time[ns, UTC]": ("TIME WITH TIME ZONE", "12:30:15.123456+00"),
    **{f"timestamp[{u}]": ("TIMESTAMP", "2024-02-29 12:30:15") for u in ("s", "ms", "us")},
    **{f"timestamp[{u}, UTC]": ("TIMESTAMP WITH TIME ZONE", "2024-02-29 12:30:15+00") for u in ("s", "ms", "us")},
    "decimal(4, 1)": ("DECIMAL(4,1)", "1.5"),
    "decimal(38, 10)": ("DECIMAL(38,10)", "7.0000000000"), "uuid": ("UUID", str(UID)), "json": ("JSON", '{"a":1}'),
}  # fmt: skip
IN_POLARS = {"uuid": UID.bytes, "json": b'{"a":1}'}


@pytest.mark.parametrize("method", ROUTES)
def test_every_type_in_other_readers(method, tmp_path):
    duckdb, pl = need("duckdb", "polars")
    types, values = list(SAMPLE), list(SAMPLE.values())
    given = {f"c{i}": [v, None] for i, v in enumerate(values)} if method == "write_columns" else [tuple(values),
        (None,) * len(values)]
    with ccpq.Writer(tmp_path / "x.parquet", {f"c{i}": t + "?" for i, t in enumerate(types)}) as w:
        getattr(w, method)(given)
    frame = pl.read_parquet(tmp_path / "x.parquet")
    assert [frame[f"c{i}"].to_list() for i in range(len(types))] == [[IN_POLARS.get(t, v), None] for t, v in SAMPLE.items()]
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.read_parquet(str(tmp_path / "x.parquet")).create_view("x")
        found = [str(t) for t in db.table("x").types]
        shown = db.sql("select columns(*)::varchar from x").fetchall()
    # Types of nanoseconds with a zone are younger than others there.
    assert {t: (f, v) for t, f, v in zip(types, found, shown[0]) if not t.startswith("timestamp[ns")} == IN_DUCKDB
    assert shown[1] == (None,) * len(types)


@pytest.mark.parametrize("method", ROUTES)
@pytest.mark.parametrize("type_", SAMPLE)
def test_none(type_, method):
    v = SAMPLE[type_]
    got = column(type_ + "?", [None, v, None, v], method)
    assert got[0] is None is got[2] and got[1] == got[3] is not None
    assert column(type_ + "?", [None], method) == [None]
    refused(type_, None, VALUE, f"None in a required column; declare it '{type_}?' to allow nulls", method=method)


@pytest.mark.parametrize("method", ROUTES)
@pytest.mark.parametrize("type_", SAMPLE)
def test_nulls_of_pandas_and_numpy(type_, method):
    pd, np = need("pandas", "numpy")
    nulls = [pd.NA, pd.NaT] + [np.datetime64("NaT", "us")] * type_.startswith("timestamp")
    got = column(type_ + "?", [*nulls, SAMPLE[type_]], method)
    assert got[:-1] == [None] * len(nulls) and got[-1] is not None
    for null in nulls:
        refused(type_, null, VALUE, "in a required column", f"declare it '{type_}?'", method=method)


@pytest.mark.parametrize("type_", [t for t in SAMPLE if not t.startswith("float")])
def test_nan_is_a_value_of_float_columns_only(type_):
    refused(type_ + "?", NAN, ANY)
    same(column("float64?", [NAN, None]), [NAN, None], "float64")


# -- refused values: (type, value, class, words of the message) ----------------------------------------------------------

T_UTC, T_LOCAL = "timestamp[us, UTC]", "timestamp[us]"
REFUSED = [
    *((t, True, TYPE, "True (bool)") for t in INTS),
    *((t, v, TYPE, "float") for t in INTS for v in (3.0, 3.5)),
    *((t, v, TYPE, "(str)") for t in INTS for v in ("3", "")),
    *((t, v, TYPE, type(v).__name__) for t in ("int64", "uint8") for v in (Decimal(3), Fraction(3), b"3", [3], (3,), {}, object(),
      3j, DAY, UID)),
    *((t, v, OVERFLOW, f"does not fit {t}") for t, (low, high) in INTS.items() for v in (low - 1, high + 1, 10**40, -(10**40))),
    *((t, 2**53 + 1, VALUE, "exact") for t in ("float32", "float64")),
    *((t, v, TYPE, type(v).__name__) for t in ("float16", "float32", "float64")
      for v in (Decimal("1.5"), "1.5", "nan", "", b"1", True, Fraction(1, 2), 1j, [1.0], object())),
    *(("float32", v, OVERFLOW, "float32") for v in (1e39, -1e300)),
    *(("float16", v, OVERFLOW, "float16") for v in (65520.0, -1e9, 1e300)),
    ("float64", 10**400, OVERFLOW, "float64"),
    *(("bool", v, TYPE, "in a bool column") for v in (0, 1, 2, 0.0, 1.0, "True", "", b"", None.__class__, [])),
    *(("string", v, TYPE, f"{type(v).__name__}) in a string column")
      for v in (b"s", bytearray(b"s"), memoryview(b"s"), Path("p"), UID, Color.RED, 5, 1.5, True, Decimal(1), DAY, NOON, ["s"],
          {"s": 1})),
    *(("string", v, VALUE, "lone surrogate") for v in ("\ud800", "a\udfff", "漢\udc80")),
    ("json", "\ud800", VALUE, "lone surrogate"),
    ("enum", "\ud800", VALUE, "lone surrogate"), ("enum", b"x", TYPE, "(bytes)"), ("enum", 5, TYPE, "(int)"),
    *((t, v, TYPE, f"{type(v).__name__}) in a") for t in ("binary", "binary[1]", "bson") for v in ("s", 5, [1], UID, Path("p"),
      None.__class__)),
    *(("binary[4]", v, VALUE, "4") for v in (b"abc", b"abcde", b"", bytearray(5))),
    # naive and aware
    *((t, NOON.replace(microsecond=0), TYPE, "naive") for t in ("timestamp[s, UTC]", "timestamp[ms, UTC]", T_UTC,
      "timestamp[ns, UTC]")),
    *((t, NOON.replace(microsecond=0, tzinfo=z), TYPE, "aware") for t in ("timestamp[s]", T_LOCAL, "timestamp[ns]") for z in (UTC,
      PLUS2)),
    *((t, v, TYPE, f"{type(v).__name__}) in a") for t in (T_UTC, T_LOCAL, "timestamp[s, UTC]")
      for v in (1.5, 5.0, "2024-02-29T12:00:00", "2024-02-29T12:00:00Z", "", DAY, CLOCK, True, dt.timedelta(1), b"x", Decimal(5))),
    *((t, NOON, VALUE, "micro") for t in ("timestamp[ms]",)), ("timestamp[ms, UTC]", NOON.replace(tzinfo=UTC), VALUE, "micro"),
    *((t, v, OVERFLOW, t) for t in ("timestamp[ns]", T_LOCAL) for v in (2**63, -(2**63) - 1)),
    ("timestamp[s]", 2**62, OVERFLOW, "timestamp[s]"), ("timestamp[ns]", dt.datetime(3000, 1, 1), OVERFLOW, "timestamp[ns]"),
    ("timestamp[ns, UTC]", dt.datetime(1600, 1, 1, tzinfo=UTC), OVERFLOW, "timestamp[ns, UTC]"),
    # date and time
    *(("date", v, TYPE, f"{type(v).__name__}) in a") for v in (NOON, NOON.replace(tzinfo=UTC), Stamp(2024, 2, 29), CLOCK,
      "2024-02-29",
      5, 1.5, True)),
    *((t, CLOCK.replace(microsecond=0, tzinfo=z), TYPE, "aware") for t in ("time[ms]", "time[us]", "time[us, UTC]") for z in (UTC,
      PLUS2)),
    *(("time[us]", v, TYPE, f"{type(v).__name__}) in a") for v in (NOON, DAY, "12:30", 1.5, dt.timedelta(hours=1), True)),
    ("time[ms]", CLOCK, VALUE, "micro"),
    # decimal
    *(("decimal(5, 2)", v, TYPE, f"{type(v).__name__}) in a") for v in (1.5, 1.0, "1.5", True, Fraction(1, 2), b"1", NAN)),
    *(("decimal(5, 2)", Decimal(v), VALUE, "scale") for v in ("1.234", "0.001", "-9.999", "1E-30")),
    *((t, Decimal(v), VALUE, v) for t in ("decimal(5, 2)", "decimal(38)") for v in ("NaN", "sNaN", "Infinity", "-Infinity")),
    *(("decimal(5, 2)", v, OVERFLOW, "decimal(5, 2)") for v in (1000, -1000, Decimal("1000"), Decimal("999.99") + Decimal("0.01"),
      Decimal("1E+30"), 10**50)),
    ("decimal(38)", 10**38, OVERFLOW, "decimal(38"), ("decimal(3, 3)", 1, OVERFLOW, "decimal(3, 3)"),
    # uuid and json
    *(("uuid", v, TYPE, "(str)") for v in (str(UID), UID.hex, "")),
    *(("uuid", v, VALUE, "16") for v in (UID.bytes[:15], UID.bytes + b"x", b"")),
    *(("uuid", v, TYPE, f"{type(v).__name__}) in a") for v in (5, UID.int, [1], 1.5, True)),
    *(("json", v, TYPE, "Json(") for v in (5, True, False, 1.5)),
    *(("json", v, TYPE, type(v).__name__) for v in (DAY, UID, object(), {1, 2}, Decimal(1))),
    *(("json", v, ANY, "") for v in ({"a": object()}, [NOON], {"a": {1, 2}}, {(1, 2): 3}, [NAN], {"a": INF}, ["\ud800"])),
]  # fmt: skip


@pytest.mark.parametrize("method", ROUTES)
@pytest.mark.parametrize(("type_", "value", "cls", "words"), REFUSED, ids=ids(REFUSED))
def test_refused(type_, value, cls, words, method):
    refused(type_, value, cls, words, method=method)
    refused(type_ + "?", value, cls, words, method=method)


REFUSED_LIBRARIES = [
    *((t, code, TYPE) for t in INTS for code in ("np.float64(3)", "np.float32(3)", "np.bool_(True)", "np.str_('3')", "np.array(3)",
      "np.datetime64(3, 's')")),
    ("int8", "np.int64(128)", OVERFLOW), ("uint8", "np.int8(-1)", OVERFLOW), ("float64", "np.int64(2**53 + 1)", VALUE),
    ("float64", "np.bool_(True)", TYPE), ("float32", "np.float64(1e39)", OVERFLOW), ("bool", "np.int8(1)", TYPE),
    ("bool", "np.float32(0)", TYPE),
    ("string", "np.bytes_(b'x')", TYPE), ("binary", "np.str_('x')", TYPE),
    # loss of nanoseconds
    ("timestamp[us]", "np.datetime64(1, 'ns')", VALUE), ("timestamp[us, UTC]", "np.datetime64(-1, 'ns')", VALUE),
    ("timestamp[ms]", "np.datetime64(1, 'us')", VALUE),
    ("timestamp[us]", "pd.Timestamp(1)", VALUE), ("timestamp[us, UTC]", "pd.Timestamp(NOON_NS + 789, tz='UTC')", VALUE),
    ("timestamp[ns]", "np.datetime64(2**60, 's')", OVERFLOW), ("timestamp[us]", "np.datetime64(2**60, 's')", OVERFLOW),
    ("timestamp[us, UTC]", "pd.Timestamp(NOON_NS)", ANY), ("timestamp[us]", "pd.Timestamp(NOON_NS, tz='UTC')", ANY),
    ("date", "pd.Timestamp(0)", TYPE), ("timestamp[us]", "np.timedelta64(1, 's')", TYPE), ("timestamp[us]", "np.float64(1)", TYPE),
    ("decimal(5, 2)", "np.float64(1)", TYPE), ("uuid", "np.str_('x')", TYPE),
]  # fmt: skip


@pytest.mark.parametrize("method", ROUTES)
@pytest.mark.parametrize(("type_", "code", "cls"), REFUSED_LIBRARIES, ids=ids(REFUSED_LIBRARIES))
def test_refused_from_numpy_and_pandas(type_, code, cls, method):
    np, pd = need("numpy", "pandas")
    refused(type_, eval(code, {"np": np, "pd": pd, **globals()}), cls, method=method)


# -- strict=False -------------------------------------------------------------------------------------------------------

LAX_ACCEPTED = [
    ("int64", "12", 12), ("int8", "-128", -128), ("uint64", str(2**64 - 1), 2**64 - 1), ("int32", "+5", 5),
    ("float64", "1.5", 1.5), ("float32", "-2e3", -2000.0), ("float64", "7", 7.0),
    *(("bool", s, s.lower() == "true") for s in ("true", "false", "True", "False")),
    ("date", "2024-02-29", DAY), ("timestamp[us]", "2024-02-29T12:30:15.123456", NOON),
    ("timestamp[us]", "2024-02-29 12:30:15.123456", NOON),
    ("timestamp[us, UTC]", "2024-02-29T12:30:15.123456+00:00", NOON.replace(tzinfo=UTC)),
    ("timestamp[us, UTC]", "2024-02-29T14:30:15.123456+02:00", NOON.replace(tzinfo=UTC)),
    ("timestamp[us, UTC]", "2024-02-29T12:30:15.123456Z", NOON.replace(tzinfo=UTC)),
    ("decimal(5, 2)", "1.25", Decimal("1.25")), ("decimal(5, 2)", "-7", Decimal("-7.00")),
    ("decimal(38)", "9" * 38, Decimal("9" * 38)),
    ("uuid", str(UID), UID), ("uuid", UID.hex, UID),
    ("bool", 0, False), ("bool", 1, True), ("int64", 3.0, 3), ("uint8", 255.0, 255), ("int64", -0.0, 0), ("int64", 2.0**62, 2**62),
    ("string", Path("a/b"), "a/b"), ("string", PurePosixPath("/x"), "/x"), ("string", UID, str(UID)), ("string", Color.RED, "red"),
    ("string", "", ""),
]  # fmt: skip


@pytest.mark.parametrize("method", ROUTES)
@pytest.mark.parametrize(("type_", "value", "back"), LAX_ACCEPTED, ids=ids(LAX_ACCEPTED))
def test_accepted_if_not_strict(type_, value, back, method):
    same(column(type_, [value], method, strict=False), [back], type_)
    same(column(type_ + "?", [None, value], method, strict=False), [None, back], type_)
    if value != "":
        refused(type_, value, ANY, method=method)


STRICT_TOO = [c for c in ACCEPTED if c[1:] != ("not JSON", "not JSON")]


@pytest.mark.parametrize(("type_", "value", "back"), STRICT_TOO, ids=ids(STRICT_TOO))
def test_strict_values_are_the_same_if_not_strict(type_, value, back):
    same(column(type_, [value], strict=False), [back], type_)


EMPTY_IS_NULL = ["int64", "uint8", "float32", "float64", "bool", "date", "timestamp[us]", "timestamp[us, UTC]", "decimal(5, 2)",
    "uuid"]


@pytest.mark.parametrize("type_", EMPTY_IS_NULL)
def test_empty_text_is_null_if_not_strict(type_):
    assert column(type_ + "?", ["", None], strict=False) == [None, None]
    refused(type_, "", ANY, strict=False)
    assert column("string?", ["", None], strict=False) == ["", None]


LAX_REFUSED = [
    ("int64", 3.5, ""), ("int64", NAN, ""), ("int64", INF, ""), ("int8", 128.0, ""), ("int64", 2.0**63, ""), ("int64", "3.5", ""),
    ("int64", "x", ""), ("int8", "300", "int8"),
    ("int64", True, ""), ("int64", b"5", ""), ("int64", Decimal(3), ""), ("float64", "x", ""), ("float64", True, ""),
    ("float32", "1e39", ""), ("float64", 2**53 + 1, ""),
    ("bool", 2, ""), ("bool", -1, ""), ("bool", "maybe", ""), ("string", b"x", ""), ("string", 5, ""), ("string", 1.5, ""),
    ("string", True, ""), ("string", NOON, ""), ("binary", "x", ""),
    ("date", NOON, ""), ("date", "2024-02-30", ""), ("date", "29.02.2024", ""), ("date", "2024-02-29T12:00:00", ""),
    ("date", "x", ""),
    # it never guesses a zone
    ("timestamp[us, UTC]", NOON, "naive"), ("timestamp[us, UTC]", "2024-02-29T12:30:15", ""),
    ("timestamp[us]", NOON.replace(tzinfo=UTC), "aware"),
    ("timestamp[us]", "2024-02-29T12:30:15Z", ""), ("timestamp[us]", "yesterday", ""), ("timestamp[us]", 1.5, ""),
    ("timestamp[us]", DAY, ""),
    # and it never cuts
    ("timestamp[ms]", "2024-02-29T12:30:15.123456", ""), ("timestamp[ms]", NOON, ""), ("decimal(5, 2)", "1.234", ""),
    ("decimal(5, 2)", "1000", ""), ("decimal(5, 2)", "x", ""),
    ("decimal(5, 2)", "NaN", ""), ("decimal(5, 2)", 1.5, ""), ("uuid", "x", ""), ("uuid", str(UID)[:-1], ""), ("uuid", 5, ""),
    ("json", 5, "Json("), ("string", "\ud800", "surrogate"),
    ("string", None, "None in a required column"),
]  # fmt: skip


@pytest.mark.parametrize("method", ROUTES)
@pytest.mark.parametrize(("type_", "value", "words"), LAX_REFUSED, ids=ids(LAX_REFUSED))
def test_refused_even_if_not_strict(type_, value, words, method):
    refused(type_, value, ANY, words, method=method, strict=False)


# -- rows ---------------------------------------------------------------------------------------------------------------

ABC = {"a": "int32", "b": "string?", "c": "float64?"}
ROW = (1, "x", 0.5)
EXPECT = {"a": [1], "b": ["x"], "c": [0.5]}
NamedRow = collections.namedtuple("NamedRow", "c a b")


class TypedRow(typing.NamedTuple):
    b: str
    c: float
    a: int


@dataclasses.dataclass
class DataRow:
    c: float
    b: str
    a: int
    shared: typing.ClassVar[int] = 5

    def method(self):
        raise AssertionError


@dataclasses.dataclass(frozen=True, slots=True)
class SlotRow:
    b: str
    a: int
    c: float


class FieldsRow:
    """As some drivers have their rows: names in `_fields`, values as attributes."""

    _fields = ("c", "b", "a")

    def __init__(self, **values):
        self.__dict__.update(values)


def sqlite_row(sql="select 0.5 as c, 1 as a, 'x' as b"):
    db = sqlite3.connect(":memory:")
    db.row_factory = sqlite3.Row
    row = db.execute(sql).fetchone()
    db.close()
    return row


BY_NAME = {
    "dict": lambda: {"c": 0.5, "a": 1, "b": "x"},
    "OrderedDict": lambda: collections.OrderedDict(c=0.5, a=1, b="x"),
    "MappingProxyType": lambda: types.MappingProxyType({"b": "x", "a": 1, "c": 0.5}),
    "UserDict": lambda: collections.UserDict(b="x", a=1, c=0.5),
    "namedtuple": lambda: NamedRow(0.5, 1, "x"),
    "NamedTuple": lambda: TypedRow("x", 0.5, 1),
    "dataclass": lambda: DataRow(0.5, "x", 1),
    "dataclass with slots": lambda: SlotRow("x", 1, 0.5),
    "sqlite3.Row": sqlite_row,
    "_fields": lambda: FieldsRow(a=1, b="x", c=0.5),
}
BY_POSITION = {"tuple": lambda: ROW, "list": lambda: list(ROW)}


def msgspec_row():
    msgspec = need("msgspec")
    return msgspec.defstruct("R", [("c", float), ("a", int), ("b", str)])(0.5, 1, "x")


def attrs_row():
    attr = need("attr")
    return attr.make_class("R", ["c", "a", "b"])(0.5, 1, "x")


def attrs_slots_row():
    attr = need("attr")
    return attr.make_class("R", ["c", "a", "b"], slots=True)(0.5, 1, "x")


def pydantic_row():
    pydantic = need("pydantic")
    return pydantic.create_model("R", c=(float, ...), a=(int, ...), b=(str, ...))(a=1, b="x", c=0.5)


OF_LIBRARIES = {"msgspec": msgspec_row, "attrs": attrs_row, "attrs with slots": attrs_slots_row, "pydantic": pydantic_row}


def put(schema, rows, how, **options):
    f = io.BytesIO()
    with ccpq.Writer(f, schema, **options) as w:
        if how == "write_row":
            for row in rows:
                w.write_row(row)
        else:
            assert getattr(w, how)(rows) == len(rows)
    return read(f.getvalue(), schema)


@pytest.mark.parametrize("how", ["write_row", "write_rows", "write_group"])
@pytest.mark.parametrize("shape", [*BY_POSITION, *BY_NAME, *OF_LIBRARIES])
def test_shapes_of_rows(shape, how):
    make = {**BY_POSITION, **BY_NAME, **OF_LIBRARIES}[shape]
    assert put(ABC, [make()], how) == EXPECT
    # A class is looked at once: rows of other classes in between change nothing.
    assert put(ABC, [make(), ROW, make(), {"a": 2}, make()], how) == {"a": [1, 1, 1, 2, 1], "b": ["x"] * 3 + [None, "x"],
        "c": [0.5] * 3 + [None, 0.5]}


@pytest.mark.parametrize("shape", [*BY_NAME, *OF_LIBRARIES])
def test_extra_names(shape):
    """What the schema does not have is an error, unless it is to be ignored."""
    row = {**BY_NAME, **OF_LIBRARIES}[shape]()
    narrow = {"b": "string", "a": "int32"}
    with pytest.raises(VALUE, match=r"row 0 of this call \(row 0 of the file\).*'c'") as info:
        write(narrow, [row])
    assert info.value.value is row
    assert put(narrow, [row], "write_rows", extra="ignore") == {"b": ["x"], "a": [1]}


@pytest.mark.parametrize("shape", [*BY_NAME, *OF_LIBRARIES])
def test_missing_names(shape):
    """A missing name is null in an optional column, else an error."""
    row = {**BY_NAME, **OF_LIBRARIES}[shape]()
    wide = {**ABC, "late": "uuid?"}
    assert put(wide, [row], "write_rows") == {**EXPECT, "late": [None]}
    with pytest.raises(VALUE, match="'late'"):
        write({**ABC, "late": "uuid"}, [row])
    with pytest.raises(VALUE, match="'late'"):
        write({**ABC, "late": "uuid"}, [row], extra="ignore")


@pytest.mark.parametrize("how", ["write_row", "write_rows", "write_group"])
@pytest.mark.parametrize("extra", ["error", "ignore"])
@pytest.mark.parametrize("row", [(1, "x"), [1, "x", 0.5, 2], (), []], ids=repr)
def test_positions_need_the_exact_length(row, extra, how):
    with pytest.raises(VALUE, match=f"{len(row)} values in the row, 3 are needed") as info:
        put(ABC, [row], how, extra=extra)
    assert info.value.column is None and info.value.value is row


@pytest.mark.parametrize("row", [None, 5, 1.5, "abc", b"abc", {1, 2, 3}, frozenset("abc"), iter(ROW), range(3), object(),
    ROW.__class__, DataRow, ipaddress.ip_address("::1"),
                                 array.array("d", [1, 2, 3])], ids=lambda r: type(r).__name__)  # fmt: skip
def test_what_is_no_row(row):
    for how in ("write_row", "write_rows", "write_group"):
        with pytest.raises(TYPE, match="not a row") as info:
            put(ABC, [row], how)
        assert (info.value.row, info.value.row_in_call, info.value.column, info.value.rows_written) == (0, 0, None, 0)
        assert info.value.value is row


@pytest.mark.parametrize("method", ["write_rows", "write_group"])
def test_names_given_by_columns(method):
    f = io.BytesIO()
    with ccpq.Writer(f, ABC) as w:
        assert getattr(w, method)([(0.5, 1), [0.5, 1]], columns=["c", "a"]) == 2
        with pytest.raises(ValueError, match="there is no column 'cc'.*'c'"):
            getattr(w, method)([(0.5, 1)], columns=["cc", "a"])
        with pytest.raises(ValueError, match="'a'"):
            getattr(w, method)([("x",)], columns=["b"])
        with pytest.raises(VALUE, match="3 values in the row, 2 are needed"):
            getattr(w, method)([ROW], columns=["c", "a"])
    assert read(f.getvalue(), ABC) == {"a": [1, 1], "b": [None, None], "c": [0.5, 0.5]}


class Cursor:
    """A DB-API cursor: seven items for each column, of which the name counts; rows are tuples."""

    def __init__(self, names, rows):
        self.description = [(n, None, None, None, None, None, None) for n in names]
        self.rows = iter(rows)

    def __iter__(self):
        return self.rows


@pytest.mark.parametrize("method", ["write_rows", "write_group"])
def test_names_given_by_a_cursor(method):
    assert read(write(ABC, Cursor("ca", [(0.5, 1), (None, 2)]), method), ABC) == {"a": [1, 2], "b": [None, None], "c": [0.5, None]}
    with pytest.raises(ValueError, match="'z'"):
        write(ABC, Cursor("az", [(1, 2)]), method)
    assert read(write(ABC, Cursor("az", [(1, 2)]), method, extra="ignore"), ABC) == {"a": [1], "b": [None], "c": [None]}
    with pytest.raises(ValueError, match="'a'"):
        write(ABC, Cursor("bc", [("x", 0.5)]), method)
    with pytest.raises(VALUE, match="1 values? in the row, 2 are needed"):
        write(ABC, Cursor("ca", [(0.5,)]), method)


@pytest.mark.parametrize("factory", [None, sqlite3.Row])
def test_a_database(factory):
    db = sqlite3.connect(":memory:")
    db.row_factory = factory
    db.execute("create table t (c real, a integer, b text)")
    db.executemany("insert into t values (?, ?, ?)", [(i / 2, i, None if i % 3 else f"t{i}") for i in range(100)])
    got = read(write(ABC, db.execute("select b, a, c from t order by a")), ABC)
    db.close()
    assert got == {"a": [*range(100)], "b": [None if i % 3 else f"t{i}" for i in range(100)], "c": [i / 2 for i in range(100)]}


# -- errors -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cls", "base"),
    [(TYPE, TypeError), (VALUE, ValueError), (OVERFLOW, OverflowError), (ccpq.SchemaError, ValueError),
     (ccpq.FormatError, ValueError),
                                           (ccpq.UnsupportedError, NotImplementedError), (ccpq.BudgetError, MemoryError),
                                           (ccpq.VerifyError, Exception)])  # fmt: skip
def test_classes(cls, base):
    assert issubclass(cls, base) and issubclass(cls, ccpq.Error)
    assert issubclass(cls, ccpq.RowError) == (cls in (TYPE, VALUE, OVERFLOW))


def test_attributes_and_the_message_of_the_contract():
    f = io.BytesIO()
    with ccpq.Writer(f, {"host": "string", "value": "float32"}) as w:
        w.write_columns({"host": "h", "value": range(1_200_000)})
        with pytest.raises(VALUE) as info:
            w.write_rows([("h", 1.0)] * 5003 + [("h", None)])
        e = info.value
        assert str(e) == "row 5003 of this call (row 1205003 of the file), column 'value': None in a required column; declare it 'float32?' to allow nulls"
        assert (e.row, e.row_in_call, e.column, e.value, e.rows_written) == (1_205_003, 5003, "value", None, 5003)
        with pytest.raises(TYPE) as info:
            w.write_group([("h", 1.0)] * 3 + [("h", "x")])
        e = info.value
        assert (e.row, e.row_in_call, e.column, e.value, e.rows_written) == (1_205_006, 3, "value", "x", 0)
        with pytest.raises(OVERFLOW) as info:
            w.write_columns({"host": "h", "value": [1.0, 2.0, 1e300]})
        e = info.value
        assert (e.row, e.row_in_call, e.column, e.value, e.rows_written) == (1_205_005, 2, "value", 1e300, 0)
        with pytest.raises(TYPE) as info:
            w.write_row((5, 1.0))
        e = info.value
        assert (e.row, e.row_in_call, e.column, e.value, e.rows_written) == (1_205_003, 0, "host", 5, 0)
        again = pickle.loads(pickle.dumps(e))
        assert type(again) is type(e) and str(again) == str(e) and again.__dict__ == e.__dict__
    assert w.report.rows == 1_205_003


@pytest.mark.parametrize("value", ["x" * 1000, b"x" * 1000, ["x"] * 1000, {i: i for i in range(1000)}, 10**900, "é" * 1000],
    ids=lambda v: type(v).__name__)
@pytest.mark.parametrize("method", ROUTES)
def test_a_value_is_shown_cut(value, method):
    e = refused("bool", value, TYPE, method=method)
    shown = str(e).split("column 'c': ")[1].split(f" ({type(value).__name__})")[0]
    assert len(shown) <= 83 and repr(value)[: 60 if isinstance(value, (str, bytes)) else 5] in shown


# A remedy is an expression that does it: what it gives is accepted.
REMEDIES = [
    ("int64", True, "int(value)"), ("int64", "3", "int(value)"), ("float64", "1.5", "float(value)"),
    ("float64", True, "float(value)"), ("float64", 2**53 + 1, "float(value)"),
    ("float64", Decimal("1.5"), "float(value)"), ("bool", 1, "bool(value)"), ("string", Path("p"), "str(value)"),
    ("string", UID, "str(value)"), ("string", 5, "str(value)"),
    ("string", Color.RED, "value.value"), ("binary", [1, 2], "bytes(value)"), ("binary", Path("p"), "bytes(value)"),
    ("binary[16]", UID, "value.bytes"),
    (T_UTC, NOON, "value.replace(tzinfo=datetime.timezone.utc)"),
    (T_LOCAL, NOON.replace(tzinfo=PLUS2), "value.replace(tzinfo=None)"),
    (T_UTC, 1.5, "datetime.datetime.fromtimestamp(value, datetime.timezone.utc)"),
    (T_LOCAL, 1.5, "datetime.datetime.fromtimestamp(value, datetime.timezone.utc).replace(tzinfo=None)"),
    (T_LOCAL, "2024-02-29T12:00:00", "datetime.datetime.fromisoformat(value)"), ("date", NOON, "value.date()"),
    ("date", "2024-02-29", "datetime.date.fromisoformat(value)"),
    ("time[us]", "12:30", "datetime.time.fromisoformat(value)"),
    ("time[us]", CLOCK.replace(tzinfo=UTC), "value.replace(tzinfo=None)"),
    ("decimal(5, 2)", 1.5, "decimal.Decimal(str(value))"), ("decimal(5, 2)", "1.5", "decimal.Decimal(value)"),
    ("decimal(5, 2)", Decimal("1.234"), "round(value, 2)"),
    ("uuid", str(UID), "uuid.UUID(value)"), ("json", 5, "ccpq.Json(value)"), ("json", True, "ccpq.Json(value)"),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "value", "remedy"), REMEDIES, ids=ids(REMEDIES))
def test_refusals_come_with_a_remedy(type_, value, remedy):
    refused(type_, value, ANY, f"write {remedy}")
    assert column(type_, [eval(remedy, {"ccpq": ccpq, "datetime": dt, "decimal": decimal, "uuid": uuid,
        "value": value})])[0] is not None


@pytest.mark.parametrize(("type_", "value", "words"),
    [("string", b"x", "decode"), ("binary", "x", "encode"), ("timestamp[ms]", NOON, "finer unit"), (T_UTC, DAY, "'date'"),
                                                       ("binary", UID, "value.bytes")])  # fmt: skip
def test_refusals_come_with_advice(type_, value, words):
    refused(type_, value, ANY, words)


def test_compact_is_what_python_writes():
    assert column("json", [{"k": [1, {"x": None}]}]) == [compact({"k": [1, {"x": None}]})]
