"""strict=False: what is taken beyond the strict table, and that nothing is guessed or cut."""

import datetime as dt
import enum
import math
import struct
import uuid
from decimal import Decimal
from pathlib import Path, PurePosixPath

import ccpq
import model
import pytest
from api_readback import UTC, column, need, refused, write

try:
    import pyarrow  # noqa: F401 (where it is made unimportable, numpy is too, and hypothesis stumbles over that)
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:
    given = None

TYPE, VALUE, OVERFLOW = ccpq.RowTypeError, ccpq.RowValueError, ccpq.RowOverflowError
INTS = {f"{u}int{n}": (0 if u else -(1 << n - 1), (1 << n - (0 if u else 1)) - 1) for u in ("", "u") for n in (8, 16, 32, 64)}
UID = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")


class Color(enum.Enum):
    RED, FIVE = "rëd", 5


def taken(type_, *values):
    return column(type_, list(values), strict=False)


def left(type_, value, cls, *words):
    """Refused, and in the same words as where strict is not asked to be else."""
    text = str(refused(type_, value, cls, *words, strict=False))
    assert text == str(refused(type_, value, cls))


def unread(type_, value, form):
    """A text that is refused, told which texts are read; no remedy that fails itself, as int("x") would."""
    text = str(refused(type_, value, TYPE, "(str)", strict=False))
    if value:
        assert text.endswith(f"column; strict=False reads {form}") and "; write " not in text
    else:
        assert text.endswith("column; an empty text is null where the column is optional, declared with \"?\"")


# -- numbers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", INTS)
def test_ints(type_):
    low, high = INTS[type_]
    assert taken(type_, str(low), str(high), "+7", "007", "0" * 60 + "1", 5) == [low, high, 7, 7, 1, 5]
    assert taken(type_, 3.0, -0.0, 100.0, float(high // 2 + 1)) == [3, 0, 100, high // 2 + 1]
    for bad in (str(low - 1), str(high + 1), "9" * 300):
        refused(type_, bad, OVERFLOW, f"{bad!r}"[:70], f"does not fit {type_}", strict=False)
    for bad in (float(high) * 2 + 2, -1e300):
        refused(type_, bad, OVERFLOW, f"{bad!r} does not fit {type_}", strict=False)
    for bad in (" 1", "1 ", "1_0", "1.0", "1e3", "0x10", "--1", "+", "-", "x", "٣", "１", "1\0", "9" * 500, "nan"):
        unread(type_, bad, 'texts such as "-12"')
    for bad in (3.5, -0.5, math.nan, math.inf, 1e-300):
        left(type_, bad, TYPE, "a float is never cut to an int")
    for bad in (True, b"1", Decimal(3), [1], object()):
        left(type_, bad, TYPE)
    assert taken(type_ + "?", "", "1", None) == [None, 1, None]
    unread(type_, "", "")


@pytest.mark.parametrize("type_", ["float16", "float32", "float64"])
def test_floats(type_):
    cut = {"float16": "<e", "float32": "<f", "float64": "<d"}[type_]
    texts = ["1.5", "-2e3", "7", "+.5", "1.", "0.1", "1e-7", "-0.0", "inf", "-Infinity", "INF", "12345"]
    assert taken(type_, *texts) == [struct.unpack(cut, struct.pack(cut, float(t)))[0] for t in texts]
    assert math.isnan(taken(type_, "NaN")[0])
    for bad in ("1e999", "-1e400") if type_ == "float64" else ("1e999", "1e39" if type_ == "float32" else "65520"):
        refused(type_, bad, OVERFLOW, f"{bad!r} does not fit {type_}", strict=False)
    for bad in (" 1", "1 ", "1_0", "0x10", "1e", "e5", ".", "x", "1,5", "１", "1\0", "infinite", "nan5"):
        unread(type_, bad, 'texts such as "-1.5", "2e3", "nan"')
    for bad in (True, b"1", Decimal(1), None.__class__, 1j):
        left(type_, bad, TYPE)
    left(type_, 2**53 + 1, VALUE, "is not exact as a float")
    assert taken(type_ + "?", "", "1") == [None, 1.0]
    unread(type_, "", "")


def test_bools():
    values = [0, 1, "0", "1", "true", "True", "TRUE", "tRuE", "false", "FALSE", True, False]
    assert taken("bool", *values) == [False, True, False, True, True, True, True, True, False, False, True, False]
    for bad in (2, -1, 10**30, 0.0, 1.0, b"1", [], object()):
        left("bool", bad, TYPE, "in a bool column")
    for bad in ("yes", "no", "t", "f", "on", " true", "2", ""):
        unread("bool", bad, '"true", "false", "1", "0"')
    assert taken("bool?", "", None, 1) == [None, None, True]

    class Truth(enum.IntEnum):
        YES, NO = 1, 0

    assert taken("bool", Truth.YES, Truth.NO) == [True, False]


def test_numpy_numbers():
    np = need("numpy")
    assert taken("int64", np.float64(3), np.float32(-4), np.float16(5), np.int8(6), np.str_("7")) == [3, -4, 5, 6, 7]
    assert taken("bool", np.int64(0), np.uint8(1), np.bool_(True)) == [False, True, True]
    assert taken("float64", np.str_("1.5")) == [1.5]
    for bad in (np.float64(2.5), np.float32("nan"), np.float16("inf")):
        left("int8", bad, TYPE, "a float is never cut to an int")
    refused("int8", np.float64(300), OVERFLOW, "does not fit int8", strict=False)
    left("bool", np.int64(2), TYPE)
    left("bool", np.float64(1), TYPE)


# -- days and instants ----------------------------------------------------------------------------------------------------


def test_dates():
    texts = ["2024-02-29", "0001-01-01", "9999-12-31", "2000-02-29", "1900-02-28"]
    assert taken("date", *texts) == [dt.date.fromisoformat(t) for t in texts]
    for bad in ("2023-02-29", "1900-02-29", "2100-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "2024-01-32", "2024-04-31", "0000-01-01", "20240229", "2024-2-29", "24-02-29",
                "2024-02-29 ", " 2024-02-29", "2024-02-29T00:00:00", "2024-W09-4", "10000-01-01", "2024/02/29", "29.02.2024", "x", "２024-02-29"):  # fmt: skip
        unread("date", bad, 'texts such as "2024-02-29"')
    left("date", dt.datetime(2024, 1, 1), TYPE)
    left("date", 5, TYPE)
    assert taken("date?", "", None) == [None, None]
    unread("date", "", "")


NOON = dt.datetime(2024, 2, 29, 12, 30, 15)
LOCAL = [
    ("2024-02-29T12:30:15", NOON), ("2024-02-29 12:30:15", NOON), ("2024-02-29T12:30", NOON.replace(second=0)), ("2024-02-29T12:30:15.123456", NOON.replace(microsecond=123456)),
    ("2024-02-29T12:30:15.5", NOON.replace(microsecond=500000)), ("2024-02-29T12:30:15.000001", NOON.replace(microsecond=1)),
    ("2024-02-29T12:30:15.1234560000000", NOON.replace(microsecond=123456)), ("0001-01-01T00:00:00", dt.datetime.min), ("9999-12-31T23:59:59.999999", dt.datetime.max),
]  # fmt: skip
ZONES = [("Z", 0), ("+00:00", 0), ("-00:00", 0), ("+01:00", 3600), ("-0530", -19800), ("+14", 50400), ("-23:59:59", -86399), ("+00:53:28", 3208)]
NO_TIMES = ["2024-02-29", "2024-02-29T", "2024-02-29T12", "2024-02-29T1230", "2024-02-29T12:30:", "2024-02-29T12:30:15.", "2024-02-29T12:30:15,5", "2024-02-29t12:30",
            "2024-02-29  12:30", "2024-02-29T24:00", "2024-02-29T12:60", "2024-02-29T12:30:60", "2023-02-29T12:30", "2024-02-29T12:30 Z", "2024-02-29T12:30z", "2024-02-29T12:30+",
            "2024-02-29T12:30+1", "2024-02-29T12:30+24:00", "2024-02-29T12:30+01:60", "2024-02-29T12:30+01:00:60", "2024-02-29T12:30+0100:00", "2024-02-29T12:30 +01:00",
            "2024-02-29T12:30ZZ", "2024-02-29T12:30:15Z ", " 2024-02-29T12:30", "now", "1709209815", "２024-02-29T12:30"]  # fmt: skip


def test_texts_without_a_zone():
    assert taken("timestamp[us]", *(t for t, _ in LOCAL)) == [v for _, v in LOCAL]
    assert taken("timestamp[us]?", "", LOCAL[0][0]) == [None, NOON]
    for text, _ in LOCAL[:4]:
        refused("timestamp[us, UTC]", text, TYPE, f"{text!r} (str) in a timestamp[us, UTC] column; it is naive: add its zone, as in +01:00 or Z", strict=False)


def test_texts_with_a_zone():
    for zone, seconds in ZONES:
        for text, v in LOCAL[:7]:
            expected = (v - dt.timedelta(seconds=seconds)).replace(tzinfo=UTC)
            assert taken("timestamp[us, UTC]", text + zone) == [expected]
        refused("timestamp[us]", text + zone, TYPE, "(str) in a timestamp[us] column; it is aware: declare the column 'timestamp[us, UTC]'", strict=False)


@pytest.mark.parametrize("type_", ["timestamp[us]", "timestamp[s, UTC]"])
def test_texts_that_are_no_instants(type_):
    zone = "Z" if "UTC" in type_ else ""
    for bad in NO_TIMES:
        unread(type_, bad, f'texts such as "2024-02-29T12:30:15{zone}"')
    unread(type_, "", "")
    left(type_, 1.5, TYPE, "a float is no exact time")
    left(type_, dt.date(2024, 1, 1), TYPE)


def test_texts_are_never_cut():
    def of(type_, text):
        return model.read_table(write({"c": type_}, [(text,)], strict=False))["c"][0]

    nanos = 1709209815123456789
    assert of("timestamp[ns]", "2024-02-29T12:30:15.123456789") == nanos
    assert of("timestamp[ns]", "2024-02-29T12:30:15.123456789000000") == nanos
    assert of("timestamp[ns, UTC]", "2024-02-29T13:30:15.123456789+01:00") == nanos
    for unit, digits, words in [("us", "1234567", "nanoseconds"), ("ms", "1234", "microseconds"), ("s", "1", "fraction of a second"), ("ns", "1234567891", "finer than a nanosecond")]:
        refused(f"timestamp[{unit}]", "2024-02-29T12:30:15." + digits, VALUE, f"(str) in a timestamp[{unit}] column would lose", words, strict=False)
        if unit != "ns":
            refused(f"timestamp[{unit}]", "2024-02-29T12:30:15." + digits + "0" * 9 + "1", VALUE, words, strict=False)
    assert of("timestamp[s]", "2024-02-29T12:30:15.0") == 1709209815000
    for bad in ("1677-09-21T00:12:43.145224191", "2262-04-11T23:47:16.854775808", "9999-01-01T00:00"):
        refused("timestamp[ns]", bad, OVERFLOW, "does not fit timestamp[ns] (the years 1677 to 2262)", strict=False)
    assert of("timestamp[ns]", "1677-09-21T00:12:43.145224192") == -(2**63)


# -- decimal and uuid -------------------------------------------------------------------------------------------------------


def test_decimals():
    texts = ["1.25", "-7", "+0.01", ".5", "5.", "1E+2", "1e2", "0.500000", "000999.99", "-0", "1" + "0" * 400 + "E-400"]
    assert taken("decimal(5, 2)", *texts) == [Decimal(t).quantize(Decimal("0.01")).copy_abs() if Decimal(t) == 0 else Decimal(t).quantize(Decimal("0.01")) for t in texts]
    assert taken("decimal(38)", "9" * 38, "-" + "9" * 38) == [Decimal("9" * 38), Decimal("-" + "9" * 38)]
    refused("decimal(5, 2)", "1.234", VALUE, "'1.234' (str) in a decimal(5, 2) column; it has more digits than the scale", strict=False)
    for bad in ("1000", "1E999999999999999999999999", "9" * 60):
        refused("decimal(5, 2)", bad, OVERFLOW, "does not fit decimal(5, 2)", strict=False)
    refused("decimal(5, 2)", "1E-999999999999999999999999", VALUE, "more digits than the scale", strict=False)
    for bad in ("NaN", "Infinity", " 1", "1 ", "1_0", "1,5", "1.2.3", "", "-", ".", "E5", "1E", "1E+", "x", "１", "1\0", "0x1"):
        unread("decimal(5, 2)", bad, 'texts such as "-1.25"')
    left("decimal(5, 2)", 1.5, TYPE)
    left("decimal(5, 2)", True, TYPE)
    assert taken("decimal(5, 2)?", "", None) == [None, None]


def test_uuids():
    assert taken("uuid", str(UID), str(UID).upper(), UID.hex, UID, UID.bytes) == [UID] * 5
    for bad in ("{%s}" % UID, f"urn:uuid:{UID}", str(UID)[:-1], str(UID) + "0", str(UID)[:-1] + "g", UID.hex[:-1] + "-", "-" * 36, str(UID).replace("-", ":"),
                " " + UID.hex, "00112233-44556-677-8899-aabbccddeeff", "x", "é" * 32, UID.hex[:16]):  # fmt: skip
        unread("uuid", bad, "32 hexadecimal digits, with hyphens or without")
    left("uuid", 5, TYPE)
    left("uuid", b"x", VALUE)
    assert taken("uuid?", "", None, UID) == [None, None, UID]


# -- strings ------------------------------------------------------------------------------------------------------------------


def test_strings():
    assert taken("string", Path("a/ü"), PurePosixPath("/x"), UID, Color.RED, "", "x") == ["a/ü", "/x", str(UID), "rëd", "", "x"]

    class Place:
        def __fspath__(self):
            return "place"

    class Raw:
        def __fspath__(self):
            return b"place"

    assert taken("string?", Place(), None) == ["place", None]
    for bad in (Raw(), Color.FIVE, 5, 1.5, True, b"x", NOON, NOON.date(), Decimal(1), ["x"], object()):
        left("string", bad, TYPE, "in a string column")
    refused("string", Path("\udc80"), VALUE, "lone surrogate", strict=False)
    left("string", "\ud800", VALUE, "lone surrogate")


def test_a_path_that_raises():
    boom = KeyError("mine")

    class Broken:
        def __fspath__(self):
            raise boom

    with pytest.raises(KeyError) as info:
        write({"c": "string"}, [(Broken(),)], strict=False)
    assert info.value is boom


def test_shared_strings_stay_fast_and_right():
    words = ["a", "b", Path("b"), "a", UID]
    assert taken("string", *words * 200) == ["a", "b", "b", "a", str(UID)] * 200


@pytest.mark.parametrize("type_", ["binary", "binary[3]", "bson", "time[ms]", "time[us, UTC]"])
def test_empty_text_is_null(type_):
    assert taken(type_ + "?", "", None) == [None, None]
    left(type_, "", TYPE, f"'' (str) in a {type_} column")
    for bad in ("x", "12:30", "abc"):
        left(type_ + "?", bad, TYPE, "(str)")


@pytest.mark.parametrize("type_", ["string", "enum"])
def test_empty_text_is_text(type_):
    assert taken(type_ + "?", "", None) == ["", None]
    assert taken(type_, "") == [""]


def test_empty_text_is_no_json():
    assert taken("json?", "", "[]", None) == [None, "[]", None]
    assert taken("json", "", "[]") == ["", "[]"]


@pytest.mark.parametrize("type_", ["enum", "json"])
def test_other_text_columns_are_strict(type_):
    for bad in (Path("x"), UID, 5, 1.5):
        left(type_, bad, TYPE)


def test_a_row_that_user_code_changes():
    class Evil:
        def __fspath__(self):
            row.clear()
            return "x"

    row = []
    row += [Evil(), "y" * 50]
    with pytest.raises(ccpq.RowValueError, match="0 values in the row"):
        write({"a": "string", "b": "string"}, [row], strict=False)

    class Odd(str):
        def __repr__(self):
            row.clear()
            return "odd"

    for type_ in ("int8", "float32", "bool", "date", "timestamp[us]", "decimal(5, 2)", "uuid", "binary"):
        row = []
        row += [Odd("no" * 30), "y" * 50]
        with pytest.raises(ccpq.RowTypeError, match=r"odd \(Odd\)"):
            write({"a": type_, "b": "string"}, [row], strict=False)


if given:

    @settings(max_examples=100)
    @given(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**8), max_value=10**8), st.uuids())
    def test_any_text_of_a_value(i, f, d, u):
        assert taken("int64", str(i)) == [i]
        assert taken("float64", repr(f)) == [f]
        assert taken("decimal(20, 4)", str(d))[0] == d
        assert taken("uuid", str(u)) == [u]

    @settings(max_examples=100)
    @given(st.datetimes(), st.timedeltas(dt.timedelta(hours=-23), dt.timedelta(hours=23)), st.dates())
    def test_any_text_of_a_time(v, offset, day):
        offset -= dt.timedelta(microseconds=offset.microseconds)
        assert taken("timestamp[us]", v.isoformat()) == taken("timestamp[us]", str(v)) == [v]
        aware = v.replace(tzinfo=dt.timezone(offset))
        read = [model.read_table(write({"c": "timestamp[us, UTC]"}, [(w,)], strict=False))["c"] for w in (aware, aware.isoformat(), str(aware))]
        assert read[0] == read[1] == read[2]
        assert taken("date", day.isoformat()) == [day]

    @settings(max_examples=300)
    @given(st.text(alphabet="0123456789-+:.TZ eE_naifNI\u0663", max_size=30))
    def test_no_text_is_guessed(text):
        """What is taken, Python's own readers take as well, and say the same."""
        readers = {"int64": int, "float64": float, "date": dt.date.fromisoformat, "decimal(38, 19)": Decimal}
        for type_, reader in readers.items():
            try:
                (found,) = taken(type_, text)
            except ccpq.RowError:
                continue
            expected = reader(text)
            assert found == expected or (found != found and expected != expected)
