"""Rows and values: every accepted and refused cell of the conversion table, what a row may be, texts of refusals, and
that a refused row or group leaves no trace, which is checked by comparing the bytes of whole files.
"""

import collections
import enum
import io
import itertools
import math
import random
import struct
import types
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import model
import pytest

import ccpq

INT_RANGES = {f"int{b}": (-(2 ** (b - 1)), 2 ** (b - 1) - 1) for b in (8, 16, 32, 64)} | {
    f"uint{b}": (0, 2**b - 1) for b in (8, 16, 32, 64)
}
INTS = list(INT_RANGES)
FLOATS = ["float32", "float64"]
ALL = [*INTS, *FLOATS, "bool", "string", "binary"]
SAMPLE = {**dict.fromkeys(INTS, 7), **dict.fromkeys(FLOATS, 0.5), "bool": True, "string": "s", "binary": b"b"}
F32_MAX = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]


def write(schema, rows, method="write_rows", **options):
    """The bytes of a file with these rows."""
    f = io.BytesIO()
    with ccpq.Writer(f, schema, compression="none", **options) as w:
        getattr(w, method)(rows)
    return f.getvalue()


def read(data):
    model.validate(data)
    return model.read_table(data)


def column(type_, *values):
    return read(write({"c": type_}, [(v,) for v in values]))["c"]


def refused(type_, value, cls, *words):
    with pytest.raises(cls) as info:
        write({"c": type_}, [(value,)])
    e = info.value
    assert (e.row, e.row_in_call, e.column, e.rows_written) == (0, 0, "c", 0)
    assert e.value is value
    assert str(e).startswith("row 0 of this call (row 0 of the file), column 'c': ")
    for word in words:
        assert word in str(e)
    return e


class Color(enum.IntEnum):
    RED = 3


class Int(int):
    def __index__(self):
        raise AssertionError

    __int__ = __eq__ = __float__ = __index__
    __hash__ = int.__hash__


class Str(str):
    def __str__(self):
        raise AssertionError


class Float(float):
    def __float__(self):
        raise AssertionError


# -- values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("t", INTS)
def test_int_bounds(t):
    low, high = INT_RANGES[t]
    values = sorted({low, high, 0, 1, 100, max(low, -1), *(v for k in (14, 15, 29, 30, 31, 59, 60, 62)
                                                            for v in (2**k - 1, 2**k, -(2**k)) if low <= v <= high)})
    assert column(t, *values) == values
    for bad in (low - 1, high + 1, 2**63, 2**64, -(2**63) - 1, -(2**100), 10**5000):
        if not low <= bad <= high:
            refused(t, bad, ccpq.RowOverflowError, f"does not fit {t} ({low} to {high})")
    assert isinstance(refused(t, high + 1, ccpq.RowOverflowError), OverflowError)


@pytest.mark.parametrize("t", INTS)
def test_ints_of_other_kinds(t):
    assert column(t, Color.RED, Int(5)) == [3, 5]
    refused(t, True, ccpq.RowTypeError, f"True (bool) in a{'n' if t[0] == 'i' else ''} {t} column; write int(value)")
    for bad in (3.0, 3.5, math.nan):
        refused(t, bad, ccpq.RowTypeError, "a float is never cut to an int")
    for bad in ("3", "", Decimal(3), Fraction(3), b"3", [3], (3,), object(), 3j):
        assert isinstance(refused(t, bad, ccpq.RowTypeError), TypeError)


@pytest.mark.parametrize("t", INTS)
def test_numpy_ints(t):
    np = pytest.importorskip("numpy")
    low, high = INT_RANGES[t]
    for name in INTS:
        kind = getattr(np, name)
        assert column(t, kind(7)) == [7]
        for edge in INT_RANGES[name]:
            if low <= edge <= high:
                assert column(t, kind(edge)) == [edge]
            else:
                refused(t, kind(edge), ccpq.RowOverflowError, f"does not fit {t}")
    assert column(t, np.longlong(5), np.intc(6)) == [5, 6]
    for bad in (np.float64(3), np.float32(3), np.bool_(True), np.array(3), np.array([3]), np.str_("3"), np.datetime64(3, "s")):
        refused(t, bad, ccpq.RowTypeError)


@pytest.mark.parametrize("t", FLOATS)
def test_floats(t):
    values = [0.0, -0.0, 1.5, -2.25, math.inf, -math.inf, 2.0**-149]
    got = column(t, *values)
    assert got == values and math.copysign(1, got[1]) == -1
    assert math.isnan(column(t, math.nan)[0])
    assert column(t, Float(1.5)) == [1.5]
    for bad in ("1.5", "nan", Decimal("1.5"), Fraction(1, 2), b"1", 1j, [1.0], object()):
        refused(t, bad, ccpq.RowTypeError)
    refused(t, True, ccpq.RowTypeError, "True (bool)")


@pytest.mark.parametrize("t", FLOATS)
def test_ints_in_float_columns(t):
    exact = [0, 1, -1, 2**24, 2**52 + 2**40, 2**53, -(2**53), 2**62, 2**63, 2**100, 3 * 2**70, Int(6), Color.RED]
    assert column(t, *exact) == [struct.unpack("<f", struct.pack("<f", float(int.__int__(v))))[0] if t == "float32" else float(int.__int__(v))
                                 for v in exact]
    for bad in (2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**64 - 1, 10**30, Int(2**53 + 1)):
        refused(t, bad, ccpq.RowValueError, "is not exact as a float")
    refused(t, 10**400, ccpq.RowOverflowError)
    refused(t, 1 << 1024, ccpq.RowOverflowError)


def test_float32_rounds_and_overflows():
    assert column("float32", 0.1) == [struct.unpack("<f", struct.pack("<f", 0.1))[0]]
    assert column("float32", 2**24 + 1) == [2.0**24]
    assert column("float32", F32_MAX, -F32_MAX) == [F32_MAX, -F32_MAX]
    just_below = math.nextafter(F32_MAX + 2.0**103, 0)  # the last double that rounds to the largest float32
    assert column("float32", just_below) == [F32_MAX]
    for bad in (F32_MAX + 2.0**103, 1e39, -1e300, 2**128, 10**30 * 2**100):
        e = refused("float32", bad, (ccpq.RowOverflowError, ccpq.RowValueError))
        assert "float32" in str(e) or "exact" in str(e)
    assert column("float64", 1e39) == [1e39]


@pytest.mark.parametrize("t", FLOATS)
def test_numpy_floats(t):
    np = pytest.importorskip("numpy")
    assert column(t, np.float64(1.5), np.float32(2.5), np.float16(3.5), np.int8(4), np.uint64(2**63)) == [1.5, 2.5, 3.5, 4.0, 2.0**63]
    for bad in (np.longdouble(1), np.bool_(True), np.array(1.0), np.complex64(1), np.str_("1")):
        refused(t, bad, ccpq.RowTypeError)
    refused(t, np.int64(2**53 + 1), ccpq.RowValueError, "is not exact")
    if t == "float32":
        refused(t, np.float64(1e39), ccpq.RowOverflowError)


def test_bools():
    assert column("bool", True, False) == [True, False]
    for bad in (0, 1, 2, "True", "", 0.0, b"", [], object()):
        refused("bool", bad, ccpq.RowTypeError)
    refused("bool", 1, ccpq.RowTypeError, "1 (int) in a bool column; write bool(value)")
    np = pytest.importorskip("numpy")
    assert column("bool", np.bool_(True), np.bool_(False)) == [True, False]
    for bad in (np.int8(1), np.array(True), np.float32(0)):
        refused("bool", bad, ccpq.RowTypeError)


STRINGS = ["", "a", "ascii " * 40, "é", "naïve ÿ", "Ω", "漢字" * 50, "\U0001f600", "a\0b", "aé漢\U0001f600",
           "\x7f\x80\u07ff\u0800\uffff\U00010000\U0010ffff", "x" * 300, "\ud7ff\ue000"]


def test_strings():
    assert column("string", *STRINGS) == STRINGS
    assert column("string", *(Str(s) for s in STRINGS)) == [str.__str__(s) for s in STRINGS]
    assert column("string", *STRINGS * 3) == STRINGS * 3
    for bad in (b"s", bytearray(b"s"), memoryview(b"s"), 5, 1.5, True, Path("/s"), Decimal(1), ["s"], object()):
        refused("string", bad, ccpq.RowTypeError)
    refused("string", b"s", ccpq.RowTypeError, "b's' (bytes) in a string column; decode it")
    refused("string", Path("p"), ccpq.RowTypeError, "write str(value)")


def test_numpy_strings():
    np = pytest.importorskip("numpy")
    assert column("string", np.str_("xé")) == ["xé"]
    assert column("binary", np.bytes_(b"x")) == [b"x"]


@pytest.mark.parametrize("bad", ["\ud800", "a\udfff", "é漢\ud800x", "\U0001f600\udc00", Str("\udc80")])
def test_lone_surrogates_are_refused(bad):
    at = next(i for i, c in enumerate(bad) if "\ud800" <= c <= "\udfff")
    refused("string", bad, ccpq.RowValueError, f"a lone surrogate at index {at}")
    assert column("string?", None, "x") == [None, "x"]


def test_converting_a_string_keeps_nothing_in_it():
    s = "ü" * 100_000
    before = s.__sizeof__()
    assert column("string", s) == [s]
    assert s.__sizeof__() == before


def test_binary():
    class Bytes(bytes):
        def __bytes__(self):
            raise AssertionError

    values = [b"", b"x", b"\0\xff" * 500, bytearray(b"ab"), bytearray(), memoryview(b"abcdef")[::2], memoryview(b""), Bytes(b"s"),
              memoryview(b"abcdef").cast("H"), memoryview(bytes(range(6))).cast("B", (2, 3))]
    assert column("binary", *values) == [bytes(v) if type(v) is not Bytes else b"s" for v in values]
    for bad in ("x", 5, [1], object(), 1.0, None.__class__):
        refused("binary", bad, ccpq.RowTypeError)
    refused("binary", "x", ccpq.RowTypeError, "'x' (str) in a binary column; encode it")
    released = memoryview(b"x")
    released.release()
    with pytest.raises(ValueError, match="released") as info:
        write({"c": "binary"}, [(released,)])
    assert not isinstance(info.value, ccpq.Error)


def test_a_buffer_is_released():
    data = bytearray(b"abc")
    with pytest.raises(ccpq.RowError):
        write({"c": "binary", "n": "int8"}, [(data, 1000)])
    data.append(1)
    assert column("binary", data) == [b"abc\x01"]
    data.append(2)


@pytest.mark.parametrize("t", ALL)
def test_null(t):
    v = SAMPLE[t]
    assert column(t + "?", None, v, None, None, v) == [None, v, None, None, v]
    assert column(t + "?", None) == [None]
    refused(t, None, ccpq.RowValueError, f"None in a required column; declare it '{t}?' to allow nulls")


@pytest.mark.parametrize("t", ALL)
def test_pandas_nulls(t):
    pd = pytest.importorskip("pandas")
    assert column(t + "?", pd.NA, SAMPLE[t], pd.NaT) == [None, SAMPLE[t], None]
    refused(t, pd.NA, ccpq.RowValueError, "in a required column")
    refused(t, pd.NaT, ccpq.RowValueError, "in a required column")


@pytest.mark.parametrize("t", ALL)
def test_things_called_like_nulls_are_none(t):
    refused(t + "?", type("NAType", (), {})(), ccpq.RowTypeError)
    refused(t + "?", type("NaTType", (), {"__module__": 5})(), ccpq.RowTypeError)


def test_nan_is_a_value():
    got = column("float64?", math.nan, None)
    assert math.isnan(got[0]) and got[1] is None


def test_integral_of_other_libraries():
    import numbers

    class Mine:
        def __index__(self):
            return 9

    numbers.Integral.register(Mine)
    assert column("int8", Mine()) == [9]
    assert column("float32", Mine()) == [9.0]


def test_exceptions_of_values_arrive_unchanged():
    import numbers

    boom = KeyError("mine")

    class Bad:
        def __index__(self):
            raise boom

    numbers.Integral.register(Bad)
    for t in ("int8", "float64"):
        with pytest.raises(KeyError) as info:
            write({"c": t}, [(Bad(),)])
        assert info.value is boom


def test_value_that_changes_its_row():
    import numbers

    class Evil:
        def __init__(self, row):
            self.row = row

        def __index__(self):
            self.row.clear()
            return 1000

    numbers.Integral.register(Evil)
    schema = {"a": "int8", "b": "string"}
    row = []
    row += [Evil(row), "x" * 50]
    with pytest.raises(ccpq.RowOverflowError):
        write(schema, [row])
    row += [Evil(row), "x" * 50]
    with pytest.raises(ccpq.RowValueError, match="0 values in the row, 2 are needed"):
        write({"a": "int16", "b": "string"}, [row])
    row = {}
    row |= {"a": Evil(row), "b": "x" * 50}
    with pytest.raises(ccpq.RowError):
        write(schema, [row])
    row |= {"a": Evil(row), "b": "x" * 50}
    with pytest.raises(ccpq.RowError):
        write({"a": "int16", "b": "string"}, [row])


def test_too_large_value():
    f = io.BytesIO()
    with ccpq.Writer(f, {"s": "string", "b": "binary?"}, memory_limit="16MiB") as w:
        n = w.plan["max_value_bytes"]
        w.write_row(("x" * min(n, w.plan["max_row_bytes"]), None))
        for bad in (("x" * (n + 1), None), ("é" * (n // 2 + 1), None), ("", b"x" * (n + 1)), ("", bytearray(n + 1))):
            with pytest.raises(ccpq.RowValueError, match="larger than the memory limit allows"):
                w.write_row(bad)
    assert w.report.rows == 1
    assert w.report.peak_memory <= 16 << 20


def test_value_text_is_cut():
    for value in ("x" * 10**6, b"x" * 10**6, list(range(10**6)), {i: i for i in range(10**5)}, 10**1000, bytearray(10**6)):
        with pytest.raises(ccpq.RowError) as info:
            write({"c": "bool"}, [(value,)])
        assert len(str(info.value)) < 260
        assert info.value.value is value


def test_repr_that_raises():
    class Shy:
        def __repr__(self):
            raise ValueError("no")

    refused("int8", Shy(), ccpq.RowTypeError, "<Shy object> (Shy) in an int8 column")

    class Stop:
        def __repr__(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write({"c": "int8"}, [(Stop(),)])


# -- rows ---------------------------------------------------------------------------------------------

ABC = {"a": "int32", "b": "string?", "c": "float64?"}
ROW = (1, "x", 0.5)


class Named(collections.namedtuple("Named", "c a b")):
    pass


class Cased(dict):
    """A dict with a look-up of its own."""

    def keys(self):
        return [k.lower() for k in dict.keys(self)]

    def __getitem__(self, key):
        return dict.__getitem__(self, key.upper())


class Counted(dict):
    def __missing__(self, key):
        raise AssertionError


@pytest.mark.parametrize("row", [
    ROW, list(ROW), {"a": 1, "b": "x", "c": 0.5}, {"c": 0.5, "b": "x", "a": 1}, Named(0.5, 1, "x"),
    types.MappingProxyType({"a": 1, "b": "x", "c": 0.5}), collections.OrderedDict(c=0.5, a=1, b="x"),
    collections.ChainMap({"a": 1}, {"b": "x", "c": 0.5}), collections.UserDict(a=1, b="x", c=0.5), Cased(A=1, B="x", C=0.5),
    type("T", (tuple,), {})(ROW), type("L", (list,), {})(ROW), {Str("a"): 1, "b": "x", Str("c"): 0.5},
], ids=lambda r: type(r).__name__)  # fmt: skip
def test_shapes_of_rows(row):
    same = write(ABC, [ROW, ROW, ROW])
    assert write(ABC, [row, ROW, row]) == same
    assert write(ABC, iter([row] * 3)) == same
    assert write(ABC, [row] * 3, "write_group") == same
    f = io.BytesIO()
    with ccpq.Writer(f, ABC, compression="none") as w:
        for _ in range(3):
            assert w.write_row(row) is None
    assert f.getvalue() == same


@pytest.mark.parametrize("make", [dict, Counted, collections.UserDict, collections.OrderedDict,
                                  lambda **k: collections.defaultdict(int, k)])
def test_missing_keys(make):
    row = make(a=1, c=0.5)
    assert write(ABC, [row]) == write(ABC, [(1, None, 0.5)])
    assert "b" not in row
    with pytest.raises(ccpq.RowValueError, match=r"row 0 .*, column 'a': the key is missing; declare the column 'int32\?'") as info:
        write(ABC, [make(b="x")])
    assert info.value.column == "a"
    with pytest.raises(ccpq.RowValueError):
        write(ABC, [make()])


@pytest.mark.parametrize("make", [lambda d: d, collections.UserDict, types.MappingProxyType])
def test_extra_keys(make):
    for row, words in [
        ({"a": 1, "bb": 2}, "unknown key 'bb'"),
        ({"a": 1, "b": "x", "c": 1.0, "d": 1}, "unknown key 'd'"),
        ({"w": 1, "x": 1, "y": 1, "z": 1}, "unknown keys 'w', 'x', 'y', ..."),
        ({"a": 1, 5: 2}, "unknown key 5"),
        ({"a": 1, None: 2, (1, 2): 3}, "unknown keys None, (1, 2)"),
    ]:
        with pytest.raises(ccpq.RowValueError) as info:
            write(ABC, [ROW, make(row)])
        assert words in str(info.value)
        assert info.value.column is None and info.value.value == row
    with pytest.raises(ccpq.RowValueError, match="unknown key 'vlaue', did you mean 'value'"):
        write({"value": "int8?", "n": "int8?"}, [make({"vlaue": 1})])


def test_alternating_mappings():
    rows = [{"a": i, **({"b": str(i)} if i % 2 else {}), **({"c": i / 2} if i % 3 else {})} for i in range(100)]
    rows += [dict(reversed(r.items())) for r in rows]
    expect = [(r["a"], r.get("b"), r.get("c")) for r in rows]
    assert write(ABC, rows) == write(ABC, expect)
    fresh = ({"".join(list(k)): v for k, v in r.items()} for r in rows)  # keys that are not the schema's objects
    assert write(ABC, fresh) == write(ABC, expect)
    odd = {"é": "int32", "漢": "string?"}
    assert write(odd, [{"é": 1, "漢": "x"}]) == write(odd, [(1, "x")])


def test_keys_equal_but_not_str():
    class Key:
        def __init__(self, s):
            self.s = s

        def __hash__(self):
            return hash(self.s)

        def __eq__(self, other):
            return self.s == other

    with pytest.raises(ccpq.RowError, match="unknown key|twice"):
        write(ABC, [{Key("zz"): 1, "a": 2}])


@pytest.mark.parametrize("row, cls, words", [
    ((1, "x"), ccpq.RowValueError, "2 values in the row, 3 are needed"),
    ((1, "x", 0.5, 1), ccpq.RowValueError, "4 values in the row, 3 are needed"),
    ([], ccpq.RowValueError, "0 values in the row, 3 are needed"),
    ("abc", ccpq.RowTypeError, "'abc' (str) is not a row"),
    (b"abc", ccpq.RowTypeError, "is not a row"),
    (5, ccpq.RowTypeError, "5 (int) is not a row: rows are tuples, lists, mappings, NamedTuples, dataclasses"),
    (None, ccpq.RowTypeError, "None (NoneType) is not a row"),
    ({1, 2, 3}, ccpq.RowTypeError, "(set) is not a row"),
    (iter(ROW), ccpq.RowTypeError, "an iterator is not a row; write tuple(row)"),
    (range(3), ccpq.RowTypeError, "is not a row"),
])  # fmt: skip
def test_what_is_no_row(row, cls, words):
    with pytest.raises(cls) as info:
        write(ABC, [ROW, row])
    assert words in str(info.value)
    assert str(info.value).startswith("row 1 of this call (row 1 of the file): ")
    assert info.value.column is None and info.value.value is row and info.value.rows_written == 1
    with pytest.raises(cls), ccpq.Writer(io.BytesIO(), ABC) as w:
        w.write_row(row)


def test_sqlite_rows_and_cursors():
    import sqlite3

    db = sqlite3.connect(":memory:")
    db.execute("create table t (c real, a int, b text)")
    db.executemany("insert into t values (?, ?, ?)", [(0.5, i, None) for i in range(10)])
    expect = write(ABC, [(i, None, 0.5) for i in range(10)])
    assert write(ABC, db.execute("select * from t order by a")) == expect
    assert write(ABC, db.execute("select * from t order by a"), "write_group") == expect
    db.row_factory = sqlite3.Row
    assert write(ABC, db.execute("select * from t order by a")) == expect
    assert write(ABC, list(db.execute("select * from t order by a"))) == expect
    with pytest.raises(ValueError, match="there is no column 'n'"):
        write(ABC, db.execute("select a as n from t"))
    with pytest.raises(ccpq.RowValueError, match="twice"):
        write(ABC, list(db.execute("select a, a from t")))
    db.close()


def test_columns_argument():
    f = io.BytesIO()
    with ccpq.Writer(f, ABC, compression="none") as w:
        assert w.write_rows([(0.5, 1), [0.5, 1], {"a": 1, "c": 0.5}, Named(0.5, 1, None)[:2]], columns=["c", "a"]) == 4
        for names, words in [
            (["a", "x"], "there is no column 'x'"), (["a", "a"], "column 'a' is given twice"),
            (["b", "c"], "the required column 'a' is missing"), ([], "the required column 'a' is missing"),
        ]:  # fmt: skip
            with pytest.raises(ValueError, match=words):
                w.write_rows([], columns=names)
        with pytest.raises(TypeError, match="not a str"):
            w.write_rows([], columns="abc")
        with pytest.raises(TypeError):
            w.write_rows([], columns=5)
        with pytest.raises(ccpq.RowValueError, match="3 values in the row, 2 are needed"):
            w.write_rows([ROW], columns=["c", "a"])
    assert f.getvalue() == write(ABC, [(1, None, 0.5)] * 4)


def test_named_tuples_go_by_name():
    short = collections.namedtuple("Short", "c a")
    assert write(ABC, [short(0.5, 1), Named(0.5, 1, "x"), short(0.5, 2)]) == write(ABC, [(1, None, 0.5), ROW, (2, None, 0.5)])
    other = collections.namedtuple("Other", "a b d")
    with pytest.raises(ccpq.RowValueError, match="there is no column 'd'"):
        write(ABC, [other(1, "x", 0.5)])
    with pytest.raises(ccpq.RowValueError, match="the required column 'a' is missing"):
        write(ABC, [collections.namedtuple("N", "b c")("x", 0.5)])


@pytest.mark.parametrize("method", ["write_rows", "write_group"])
def test_wrong_doors(method):
    for rows, words in [({"a": 1}, "one row"), ("abc", "not a str"), (b"abc", "not a bytes"), (5, "not iterable"),
                        (None, "not iterable"), (Path("x"), "not a path")]:  # fmt: skip
        with pytest.raises(TypeError, match=words):
            write(ABC, rows, method)


# -- refused rows leave no trace ----------------------------------------------------------------------

MIXED = {"s": "string", "i": "int32", "o": "string?", "f": "float32?", "b": "binary", "u": "uint64?", "t": "bool", "n": "int8"}


def mixed_rows(n, seed=1):
    r = random.Random(seed)
    pool = [f"host{i}" for i in range(20)]
    return [(r.choice(pool), r.randrange(10**6), r.choice([None, "é" + r.choice(pool), f"new{i}"]), r.choice([None, i / 8]),
             bytes([i % 256]) * (i % 5), r.choice([None, r.randrange(2**64)]), i % 3 == 0, i % 100) for i in range(n)]  # fmt: skip


BAD = {"s": "\ud800", "i": 2**31, "o": 5, "f": 1e39, "b": "x", "u": -1, "t": 1, "n": None}


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize("shape", ["tuple", "dict", "list"])
def test_bad_value_in_every_column_and_row(name, shape):
    rows = mixed_rows(40)
    same = write(MIXED, rows)
    i = list(MIXED).index(name)
    make = {"tuple": tuple, "list": list, "dict": lambda v: dict(zip(MIXED, v))}[shape]
    for at in range(0, 41, 4):
        # The values before the bad one are new to the file: their dictionary entries must go away again.
        bad = [f"only{at}", -at, f"önly{at}", at * 0.5, b"only", 2**40 + at, True, 3]
        bad[i] = BAD[name]
        f = io.BytesIO()
        with ccpq.Writer(f, MIXED, compression="none") as w:
            w.write_rows(map(make, rows[:at]))
            with pytest.raises(ccpq.RowError) as info:
                w.write_row(make(bad))
            assert (info.value.row, info.value.column) == (at, name)
            w.write_rows(map(make, rows[at:]))
        assert f.getvalue() == same


def test_ids_of_a_refused_row_are_forgotten():
    """A string object whose dictionary entry was taken back must not stand for the entry that came after it."""
    schema = {"s": "string", "n": "int8"}
    first, second = "first" * 3, "second" * 3
    f = io.BytesIO()
    with ccpq.Writer(f, schema) as w:
        w.write_row(("zero", 1))
        with pytest.raises(ccpq.RowError):
            w.write_row((first, 1000))
        w.write_row((second, 1))
        w.write_row((first, 1))
        w.write_group([(second, 2)])
        with pytest.raises(ccpq.RowError):
            w.write_group([(first, 1), (second, 1), (second, None)])
        w.write_group([(second, 2), (first, 3)])
    assert read(f.getvalue())["s"] == ["zero", second, first, second, second, first]


def test_on_error():
    rows = mixed_rows(100)
    bad = [(*r[:1], "no", *r[2:]) if k % 10 == 3 else r[:3] if k % 10 == 7 else r for k, r in enumerate(rows)]
    good = [r for k, r in enumerate(rows) if k % 10 not in (3, 7)]
    seen = []
    f = io.BytesIO()
    with ccpq.Writer(f, MIXED, compression="none") as w:
        assert w.write_rows(bad, on_error=seen.append) == 80
    assert f.getvalue() == write(MIXED, good)
    assert w.report.skipped_rows == 20 and "20 rows skipped" in w.report.summary()
    assert [e.row_in_call for e in seen] == [k for k in range(100) if k % 10 in (3, 7)]
    assert all(isinstance(e, ccpq.RowError) and e.rows_written == e.row for e in seen)
    assert {e.column for e in seen} == {"i", None}


def test_on_error_that_raises():
    boom = RuntimeError("mine")

    def handler(e):
        raise boom from e

    it = iter([(1,), ("x",), (2,)])
    f = io.BytesIO()
    with ccpq.Writer(f, {"a": "int8"}) as w:
        with pytest.raises(RuntimeError) as info:
            w.write_rows(it, on_error=handler)
        assert info.value is boom
        assert w.write_rows(it) == 1
        for bad in ("skip", 5):
            with pytest.raises(TypeError, match="on_error"):
                w.write_rows([], on_error=bad)
    assert read(f.getvalue()) == {"a": [1, 2]}


def test_the_same_iterator_goes_on():
    taken = []

    def source():
        for i in range(10):
            taken.append(i)
            yield ("bad",) if i in (3, 7) else (i,)

    f, it = io.BytesIO(), source()
    with ccpq.Writer(f, {"a": "int8"}) as w:
        with pytest.raises(ccpq.RowTypeError) as info:
            w.write_rows(it)
        assert (info.value.row_in_call, info.value.row, info.value.rows_written, taken[-1]) == (3, 3, 3, 3)
        with pytest.raises(ccpq.RowTypeError) as info:
            w.write_rows(it)
        assert (info.value.row_in_call, info.value.row, info.value.rows_written, taken[-1]) == (3, 6, 3, 7)
        assert w.write_rows(it) == 2
    assert read(f.getvalue()) == {"a": [0, 1, 2, 4, 5, 6, 8, 9]}


def test_exception_of_the_iterator_arrives_and_rows_stay():
    boom = LookupError("mine")

    def source():
        yield (1,)
        yield (2,)
        raise boom

    class NoIter:
        def __iter__(self):
            raise boom

    f = io.BytesIO()
    with ccpq.Writer(f, {"a": "int8"}) as w:
        for rows in (source(), NoIter()):
            with pytest.raises(LookupError) as info:
                w.write_rows(rows)
            assert info.value is boom
        assert w.rows == 2
    assert read(f.getvalue()) == {"a": [1, 2]}


def test_message_counts_from_zero():
    with pytest.raises(ccpq.RowValueError) as info, ccpq.Writer(io.BytesIO(), {"value": "float32"}) as w:
        w.write_rows([(1.0,)] * 1000)
        w.write_rows(itertools.chain([(1.0,)] * 500, [(None,)]))
    assert str(info.value) == ("row 500 of this call (row 1500 of the file), column 'value': "
                               "None in a required column; declare it 'float32?' to allow nulls")


# -- groups -------------------------------------------------------------------------------------------


def grouped(steps, **options):
    """The bytes after (method, rows) steps, of which those that raise are expected to."""
    f = io.BytesIO()
    with ccpq.Writer(f, MIXED, compression="none", **options) as w:
        for method, rows in steps:
            try:
                getattr(w, method)(rows)
            except (ccpq.RowError, LookupError):
                assert method == "write_group"
    return f.getvalue()


def raising(rows):
    yield from rows
    raise LookupError


@pytest.mark.parametrize("n", [1, 50, 3000])
@pytest.mark.parametrize("how", ["bad row", "iterator"])
def test_rolled_back_group_leaves_no_trace(n, how):
    a, b, c = mixed_rows(300, 1), mixed_rows(n, 2), mixed_rows(300, 3)
    bad = [*b, (1,)] if how == "bad row" else raising(b)
    options = {"row_group_size": 100_000}
    assert grouped([("write_rows", a), ("write_group", bad), ("write_rows", c)], **options) == grouped(
        [("write_rows", a), ("write_group", c)], **options)
    bad = [*b, (1,)] if how == "bad row" else raising(b)
    assert grouped([("write_group", bad), ("write_group", a)], **options) == grouped([("write_group", a)], **options)


def test_rollback_of_many_pages():
    schema = {"a": "int64", "s": "string"}
    rows = [(i * 7919 % 10007, f"text {i}") for i in range(150_000)]
    f, g = io.BytesIO(), io.BytesIO()
    with ccpq.Writer(f, schema) as w:
        w.write_rows(rows[:10])
        with pytest.raises(ccpq.RowError):
            w.write_group(itertools.chain(rows, [("x", 1)]))
        assert w.rows == 10
        w.write_rows(rows[10:20])
    with ccpq.Writer(g, schema) as w:
        w.write_rows(rows[:10])
        w.flush_group()
        w.write_rows(rows[10:20])
    assert f.getvalue() == g.getvalue()


def test_groups_are_as_given():
    f = io.BytesIO()
    with ccpq.Writer(f, {"a": "int32"}, row_group_size=100) as w:
        assert w.write_rows((i,) for i in range(250)) == 250
        assert w.write_group((i,) for i in range(1000)) == 1000
        assert w.write_group([]) == 0
        assert w.write_group(iter(())) == 0
        assert w.write_rows([(1,)]) == 1
        assert w.flush_group(min_rows=2) is False
        assert w.flush_group() is True
        assert w.flush_group() is False
        assert w.row_groups == 5
    data = f.getvalue()
    assert read(data)["a"] == [*range(250), *range(1000), 1]
    pq = pytest.importorskip("pyarrow.parquet")
    meta = pq.ParquetFile(io.BytesIO(data)).metadata
    assert [meta.row_group(i).num_rows for i in range(meta.num_row_groups)] == [100, 100, 50, 1000, 1]


def test_rows_of_a_refused_group_count_nothing():
    with pytest.raises(ccpq.RowTypeError) as info, ccpq.Writer(io.BytesIO(), {"a": "int8"}) as w:
        w.write_rows([(1,), (2,)])
        w.write_group([(3,), (4,), ("x",)])
    assert (info.value.rows_written, info.value.row_in_call, info.value.row) == (0, 2, 4)


# -- against a peer -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_pyarrow_reads_the_same(seed):
    pq = pytest.importorskip("pyarrow.parquet")
    rows = mixed_rows(5000, seed)
    data = write(MIXED, rows, row_group_size=1700)
    expect = {name: [r[i] for r in rows] for i, name in enumerate(MIXED)}
    assert pq.read_table(io.BytesIO(data)).to_pydict() == expect
    assert read(data) == expect
