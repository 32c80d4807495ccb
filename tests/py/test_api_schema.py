"""Schemas as the contract has them: the grammar of types, what a schema is made from, what is refused and with which advice.

What only the module's own words decide (texts of errors, reprs) is in test_schema.py.
"""

import collections
import dataclasses
import datetime as dt
import enum
import importlib
import io
import pickle
import re
import sys
import typing
import uuid
import warnings
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, NamedTuple, Optional, TypedDict

import ccpq
import pytest
from api_readback import UTC, need, pa, read, write

UNITS = ("s", "ms", "us", "ns")
CANONICAL = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64", "string",
    "binary",
    "binary[1]", "binary[16]", "binary[1000]", "date", "uuid", "json", "bson", "enum",
    *(f"time[{u}{z}]" for u in UNITS[1:] for z in ("", ", UTC")), *(f"timestamp[{u}{z}]" for u in UNITS for z in ("", ", UTC")),
    "decimal(1, 0)", "decimal(9, 2)", "decimal(12, 12)", "decimal(38, 0)", "decimal(38, 38)",
]  # fmt: skip


def canonical(text):
    """(type, nullable) of a type string, by way of a schema."""
    field = ccpq.schema({"x": text})["x"]
    return field.type, field.nullable


@pytest.mark.parametrize("text", CANONICAL)
def test_every_type_with_every_mark(text):
    kind, nullable = canonical(text)
    assert nullable is False  # unmarked: required
    assert canonical(kind) == (kind, False)
    if not text.startswith("decimal"):
        assert kind == text
    for mark, expect in (("?", True), (" ?", True), ("| None", True), (" | None", True), (" not null", False)):
        assert canonical(text + mark) == (kind, expect)
    s = ccpq.schema({"x": text + " | None"})
    assert s.to_dict() == {"x": kind + "?"} and ccpq.schema(s.to_dict()) == s
    assert str(s["x"]).endswith(kind + "?")


@pytest.mark.parametrize(("given", "kind"), [
    ("str", "string"), ("utf8", "string"), ("large_string", "string"), ("bytes", "binary"), ("large_binary", "binary"),
    ("boolean", "bool"), ("double", "float64"),
    ("halffloat", "float16"), ("date32[day]", "date"), ("time32[ms]", "time[ms]"), ("time64[us]", "time[us]"),
    ("time64[ns]", "time[ns]"),
    ("fixed_size_binary[16]", "binary[16]"), ("decimal128(12, 2)", "decimal(12, 2)"), ("decimal128(12,2)", "decimal(12, 2)"),
    ("decimal( 12 , 2 )", "decimal(12, 2)"),
    ("decimal(12)", "decimal(12, 0)"), ("timestamp[us, tz=UTC]", "timestamp[us, UTC]"), ("timestamp[ns,UTC]", "timestamp[ns, UTC]"),
    ("timestamp[ms,tz=UTC]", "timestamp[ms, UTC]"), (" timestamp [ us ] ", "timestamp[us]"), ("time[us,UTC]", "time[us, UTC]"),
    ("binary[ 4 ]", "binary[4]"),
])  # fmt: skip
def test_aliases_and_spaces(given, kind):
    assert canonical(given) == canonical(kind)
    assert canonical(given + "?") == (canonical(kind)[0], True)
    if "decimal" not in kind:
        assert canonical(given)[0] == kind


def test_types_as_arrow_prints_them():
    need("pyarrow")
    for t, kind in [
        (pa.int8(), "int8"), (pa.uint64(), "uint64"), (pa.float16(), "float16"), (pa.float64(), "float64"), (pa.bool_(), "bool"),
        (pa.string(), "string"), (pa.large_string(), "string"),
        (pa.binary(), "binary"), (pa.large_binary(), "binary"), (pa.binary(7), "binary[7]"), (pa.date32(), "date"),
        (pa.time32("ms"), "time[ms]"), (pa.time64("ns"), "time[ns]"),
        (pa.timestamp("us"), "timestamp[us]"), (pa.timestamp("ns", "UTC"), "timestamp[ns, UTC]"),
        (pa.decimal128(12, 2), "decimal(12, 2)"),
    ]:  # fmt: skip
        assert canonical(str(t)) == canonical(kind), t


@pytest.mark.parametrize(("word", "advice"), [
    ("int", ("int64",)), ("float", ("float64", "float32")), ("i8", ("int8", "int64")), ("f4", ("float32",)), ("bigint", ("int64",)),
    ("datetime", ("timestamp[",)),
    ("timestamp", ("timestamp[us",)), ("timestamp[UTC]", ("us",)), ("timestamp[us, Europe/Berlin]", ("UTC",)),
    ("timestamp[us, tz=Europe/Berlin]", ("UTC",)),
    ("timestamp[ns, +02:00]", ("UTC",)), ("time[us, Asia/Tokyo]", ("UTC",)),
])  # fmt: skip
@pytest.mark.parametrize("mark", ["", "?"])
def test_refused_words_come_with_advice(word, advice, mark):
    with pytest.raises(ccpq.SchemaError) as info:
        ccpq.schema({"x": word + mark})
    assert isinstance(info.value, ValueError) and "'x'" in str(info.value)
    for text in advice:
        assert text in str(info.value)


@pytest.mark.parametrize(("text", "at", "words"), [
    ("strng", 0, "'string'"), ("flaot32?", 0, "'float32'"), ("timestmp[us]", 0, "'timestamp"), ("decimel(3)", 0, "'decimal"),
    ("uid", 0, "'uuid'"),
    ("timestamp[us, UTC", 17, ""), ("timestamp[uss]", 10, "'us'"), ("timestamp[h]", 10, ""), ("time[s]", 5, ""),
    ("timestamp[us; UTC]", 12, ""), ("timestamp[us, tz]", 14, ""),
    ("decimal", 7, ""), ("decimal()", 8, ""), ("decimal(39)", 8, "38"), ("decimal(0)", 8, ""), ("decimal(5, 6)", 11, ""),
    ("decimal(5, -1)", 11, ""), ("decimal(5 2)", 10, ""),
    ("decimal[5, 2]", 7, ""), ("binary[]", 7, ""), ("binary[x]", 7, ""), ("binary[0]", 7, ""), ("binary[16", 9, ""),
    ("date[ms]", 4, ""), ("int64[3]", 5, ""), ("string?x", 7, ""),
    ("int64 | Nil", 6, ""), ("int64??", 6, ""), ("timestamp[us]] ", 13, ""), ("", 0, ""), ("§", 0, "§"), ("time32[us]", 7, ""),
    ("time64[ms]", 7, ""),
])  # fmt: skip
def test_an_error_shows_its_place(text, at, words):
    with pytest.raises(ccpq.SchemaError) as info:
        ccpq.schema({"x": text})
    lines = str(info.value).splitlines()
    assert lines[-2].strip() == text.strip() and words in str(info.value) and "'x'" in lines[0]
    assert lines[-1] == " " * (len(lines[-2]) - len(lines[-2].lstrip()) + at) + "^"


def test_large_decimals_and_lengths():
    for text in ("decimal(99999999999999999999)", "binary[99999999999999999999]", "decimal(38, 99999999999999999999)"):
        with pytest.raises(ccpq.SchemaError):
            ccpq.schema({"x": text})


# -- what is of a later release ------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Inner:
    a: int


@dataclasses.dataclass
class Outer:
    inner: Inner


@pytest.mark.parametrize("x", [
    {"a": "list<int64>"}, {"a": "list<item: string?>?"}, {"a": "large_list<string>"}, {"a": "map<string, int64?>"},
    {"a": "struct<x: int64, 'y z': string>"}, {"a": list[int]},
    {"a": dict[str, float]}, {"a": Inner}, Outer,
], ids=str)  # fmt: skip
def test_nested_types_are_of_a_later_release(x):
    with pytest.raises(ccpq.UnsupportedError, match="nested|list|map|struct|Inner"):
        ccpq.Writer(io.BytesIO(), x)


# -- what a schema is made from ------------------------------------------------------------------------------------------


class Tone(enum.Enum):
    LOUD = "loud"
    SOFT = "soft"


PYTHON = {
    "i": (int, "int64"), "f": (float, "float64"), "s": (str, "string"), "b": (bytes, "binary"), "t": (bool, "bool"),
    "ts": (dt.datetime, "timestamp[us, UTC]"),
    "d": (dt.date, "date"), "tm": (dt.time, "time[us]"), "u": (uuid.UUID, "uuid"), "o": (int | None, "int64?"),
    "p": (Optional[dt.datetime], "timestamp[us, UTC]?"),
    "q": (None | uuid.UUID, "uuid?"),
}  # fmt: skip
TYPES = {name: kind for name, (_, kind) in PYTHON.items()}


@pytest.mark.parametrize("x", [
    {n: t for n, (t, _) in PYTHON.items()}, [(n, t) for n, (t, _) in PYTHON.items()], TYPES, list(TYPES.items()),
    tuple(TYPES.items()), [ccpq.Field(*item) for item in TYPES.items()],
    collections.OrderedDict(TYPES), {n: ccpq.Field(n, t) for n, t in TYPES.items()}, ccpq.schema(TYPES),
], ids=lambda x: type(x).__name__)  # fmt: skip
def test_mappings_pairs_and_fields(x):
    s = ccpq.schema(x)
    assert s.to_dict() == TYPES
    w = ccpq.Writer(io.BytesIO(), x)  # converts
    assert w.schema == s
    w.abort()


def test_nullable_is_the_mark_of_what_has_none():
    assert ccpq.schema({"a": "int64", "b": "uuid not null", "c": "date?", "d": dt.date}, nullable=True).to_dict() == {"a": "int64?",
        "b": "uuid", "c": "date?", "d": "date?"}
    assert ccpq.schema({"a": "int64", "c": "date?"}, nullable=False).to_dict() == {"a": "int64", "c": "date?"}


@dataclasses.dataclass
class Base:
    host: str
    when: dt.datetime
    count: ClassVar[int] = 0
    init: dataclasses.InitVar[int] = 0


@dataclasses.dataclass
class Sample(Base):
    value: Annotated[float, "float32"] = 0.5
    price: Annotated[Decimal, "decimal(12,2)"] = Decimal("1.5")
    maybe: Annotated[float, "float32"] | None = None
    marked: Annotated[Optional[float], "float32?"] = None
    tone: Tone = Tone.LOUD
    mode: Literal["a", "b"] = "a"
    text: "str | None" = None
    day: "dt.date" = dt.date(2024, 2, 29)

    def method(self):
        raise AssertionError


SAMPLE = {"host": "string", "when": "timestamp[us, UTC]", "value": "float32", "price": "decimal(12, 2)", "maybe": "float32?",
    "marked": "float32?", "tone": "string", "mode": "string",
          "text": "string?", "day": "date"}  # fmt: skip


@dataclasses.dataclass(slots=True)
class Slots:
    host: str
    value: Annotated[float, "float32"]
    note: str | None = None


class Tuple(NamedTuple):
    host: str
    value: Annotated[float, "float32"]
    note: str | None = None


class TypedBase(TypedDict):
    host: str


class Typed(TypedBase, total=False):
    value: Annotated[float, "float32"]
    note: Optional[str]


Late = TypedDict("Late", {"host": str, "value": typing.Annotated[float, "float32"]})
if hasattr(typing, "NotRequired"):
    Late = TypedDict("Late", {"host": str, "value": typing.NotRequired[Annotated[float, "float32"]],
        "note": "typing.NotRequired[str | None]"})

HOSTS = {"host": "string", "value": "float32", "note": "string?"}


def same_types(s, expected):
    assert s == ccpq.schema(expected)
    assert s.to_dict() == ccpq.schema(expected).to_dict()


def test_dataclasses():
    same_types(ccpq.schema(Sample), SAMPLE)
    same_types(ccpq.schema(Base), {k: SAMPLE[k] for k in ("host", "when")})


@pytest.mark.parametrize(("cls", "expected"), [(Slots, HOSTS), (Tuple, HOSTS), (Typed, {**HOSTS, "value": "float32?"})],
    ids=["slots", "NamedTuple", "TypedDict"])
def test_other_classes(cls, expected):
    same_types(ccpq.schema(cls), expected)
    w = ccpq.Writer(io.BytesIO(), cls)
    same_types(w.schema, expected)
    w.abort()


@pytest.mark.skipif(not hasattr(typing, "NotRequired"), reason="needs typing.NotRequired")
def test_not_required_is_optional():
    same_types(ccpq.schema(Late), {**HOSTS, "value": "float32?"})


def test_annotations_may_be_text(tmp_path, monkeypatch):
    (tmp_path / "text_annotations.py").write_text(
        "from __future__ import annotations\nimport dataclasses, datetime, typing\n@dataclasses.dataclass\nclass Text:\n    a: int\n"
        "    b: typing.ClassVar[int]\n    c: datetime.datetime | None\n    d: typing.Annotated[float, 'float32']\n")  # fmt: skip
    monkeypatch.syspath_prepend(tmp_path)
    Text = importlib.import_module("text_annotations").Text
    try:
        same_types(ccpq.schema(Text), {"a": "int64", "c": "timestamp[us, UTC]?", "d": "float32"})
    finally:
        del sys.modules["text_annotations"]


def test_a_class_and_its_rows():
    when = dt.datetime(2024, 2, 29, 12, tzinfo=UTC)
    rows = [Sample("h", when), Sample("i", when, value=1.5, price=Decimal("2"), maybe=0.25, marked=4.0, tone=Tone.SOFT, mode="b",
        text="x")]
    got = read(write(Sample, rows), SAMPLE)
    assert got == {"host": ["h", "i"], "when": [when, when], "value": [0.5, 1.5], "price": [Decimal("1.50"), Decimal("2.00")],
        "maybe": [None, 0.25], "marked": [None, 4.0],
                   "tone": ["loud", "soft"], "mode": ["a", "b"], "text": [None, "x"],
                   "day": [dt.date(2024, 2, 29)] * 2}  # fmt: skip


@dataclasses.dataclass
class BareDecimal:
    x: Decimal


@dataclasses.dataclass
class Union:
    x: int | str


@dataclasses.dataclass
class Something:
    x: object


@dataclasses.dataclass
class Unknown:
    x: "NoSuchName"  # noqa: F821


@dataclasses.dataclass
class Misspelt:
    x: Annotated[float, "flaot32"]


class Plain:
    x: int


@pytest.mark.parametrize(("x", "words"), [
    (BareDecimal, "decimal("), (Union, "'x'"), (Something, "'x'"), (Unknown, "NoSuchName"), (Misspelt, "float32"),
    ("int64", "mapping"), (b"x", ""), (5, ""), (None, ""), ({}, "at least one column"),
    ([], "at least one column"), ({"a": None}, ""), ({"a": 5}, ""), ([("a",)], ""), ([("a", "int64", 1)], ""),
    ([("a", "int64"), ("a", "string")], "twice"), ({"": "int64"}, "name"), ({5: "int64"}, "name"),
    ({"a\0": "int64"}, "NUL"), ({"\ud800": "int64"}, "surrogate"), ({"a": int | str}, "union"), (Plain, ""),
    ({"a": Decimal}, "decimal("), ({"a": complex}, ""), ({"a": dt.timedelta}, ""),
], ids=str)  # fmt: skip
def test_what_is_no_schema(x, words):
    with pytest.raises(ccpq.SchemaError) as info:
        ccpq.schema(x)
    assert words in str(info.value)


def test_names_equal_but_for_case_warn():
    with pytest.warns(UserWarning, match="'A' and 'a'"):
        ccpq.schema({"A": "int64", "a": "int64"})


# -- Schema ----------------------------------------------------------------------------------------------------------------

EVERY = {f"c{i}": t + "?" * (i % 2) for i, t in enumerate(CANONICAL)}


def test_a_schema_is_an_immutable_mapping():
    s = ccpq.schema({"b": "int64", "a": "timestamp[us, UTC]?"})
    assert (s.names, [*s], len(s), "a" in s, "x" in s) == (("b", "a"), ["b", "a"], 2, True, False)
    assert [f.name for f in s.fields] == ["b", "a"] and all(isinstance(f, ccpq.Field) for f in s.fields) and s["b"] == s.fields[0]
    assert (s["a"].type, s["a"].nullable) == ("timestamp[us, UTC]", True)
    assert [(n, f.name) for n, f in s.items()] == [("b", "b"), ("a", "a")]
    for change in (lambda: s.__setitem__("c", 1), lambda: setattr(s, "names", ()), lambda: setattr(s["b"], "type", "x"),
        lambda: s.pop("a")):
        with pytest.raises((AttributeError, TypeError)):
            change()
    with pytest.raises(KeyError):
        s["c"]


def test_equality_hash_and_pickle():
    s = ccpq.schema(EVERY)
    again = [ccpq.schema(s.to_dict()), ccpq.schema(s.fields), ccpq.schema(list(s.to_dict().items())), pickle.loads(pickle.dumps(s)),
        ccpq.schema(s)]
    assert all(a == s and hash(a) == hash(s) and a.to_dict() == s.to_dict() for a in again)
    assert s != ccpq.schema(dict(reversed(EVERY.items()))) and s != ccpq.schema({**EVERY,
        "c0": "bool?"}) and s != ccpq.schema({**EVERY, "more": "date"})


ARROW = {
    "bool": "bool", "int8": "int8", "uint64": "uint64", "float16": "halffloat", "float32": "float", "float64": "double",
    "string": "string", "binary": "binary", "binary[16]": "fixed_size_binary[16]",
    "date": "date32[day]", "time[ms]": "time32[ms]", "time[us]": "time64[us]", "time[ns]": "time64[ns]",
    "timestamp[ms]": "timestamp[ms]", "timestamp[us]": "timestamp[us]",
    "timestamp[ns]": "timestamp[ns]", "timestamp[us, UTC]": "timestamp[us, tz=UTC]", "timestamp[ns, UTC]": "timestamp[ns, tz=UTC]",
    "decimal(9, 2)": "decimal128(9, 2)",
    "decimal(38, 0)": "decimal128(38, 0)",
}  # fmt: skip


def test_to_arrow():
    need("pyarrow")
    arrow = pa.schema(ccpq.schema({k: k + "?" * (i % 2) for i, k in enumerate(ARROW)}))
    assert {f.name: str(f.type) for f in arrow} == ARROW
    assert [f.nullable for f in arrow] == [bool(i % 2) for i in range(len(ARROW))]
    every = pa.schema(ccpq.schema(EVERY))
    assert every.names == [*EVERY] and [f.nullable for f in every] == [t.endswith("?") for t in EVERY.values()]


def test_from_arrow_and_back():
    need("pyarrow")
    kept = {k: v for k, v in EVERY.items() if v.rstrip("?") not in ("bson", "enum", "json", "uuid", "timestamp[s]",
        "timestamp[s, UTC]") and not re.fullmatch(r"time\[.*UTC\]\??", v)}
    assert ccpq.schema(pa.schema(ccpq.schema(kept))) == ccpq.schema(kept)


def test_an_arrow_schema_keeps_its_nullability():
    need("pyarrow")
    given = pa.schema([
        pa.field("a", pa.int64(), nullable=False), pa.field("b", pa.large_string()), ("c", pa.dictionary(pa.int32(), pa.string())),
        ("d", pa.string_view()), ("e", pa.timestamp("s")),
        pa.field("f", pa.timestamp("ns", "UTC"), False), ("g", pa.decimal128(20, 3)), ("h", pa.binary_view()),
        pa.field("i", pa.date32(), False), ("j", pa.binary(3)), ("k", pa.time32("ms")),
        ("l", pa.float16()), ("m", pa.run_end_encoded(pa.int32(), pa.int8())),
    ])  # fmt: skip
    same_types(ccpq.schema(given), {"a": "int64", "b": "string?", "c": "string?", "d": "string?", "e": "timestamp[s]?",
        "f": "timestamp[ns, UTC]", "g": "decimal(20, 3)?", "h": "binary?", "i": "date",
                                    "j": "binary[3]?", "k": "time[ms]?", "l": "float16?", "m": "int8?"})  # fmt: skip
    w = ccpq.Writer(io.BytesIO(), given)
    assert w.schema == ccpq.schema(given)
    w.abort()


@pytest.mark.parametrize("make", ["pa.duration('us')", "pa.month_day_nano_interval()", "pa.list_(pa.int8())",
    "pa.struct([('a', pa.int8())])", "pa.map_(pa.string(), pa.int8())", "pa.decimal256(60, 2)"])
def test_arrow_types_that_cannot_be_written(make):
    need("pyarrow")
    with pytest.raises((ccpq.SchemaError, ccpq.UnsupportedError), match="'gone'"):
        ccpq.schema(pa.schema([("a", pa.int8()), ("gone", eval(make))]))


def test_other_arrow_producers():
    pl = need("polars")
    schema = pl.DataFrame({"a": [1], "s": ["x"]}).schema
    if not hasattr(schema, "__arrow_c_schema__"):
        pytest.skip("this Polars has no Arrow schema export")
    same_types(ccpq.schema(schema), {"a": "int64?", "s": "string?"})


def test_no_arrow_schema_is_in_the_file():
    pq = need("pyarrow.parquet")
    meta = pq.ParquetFile(io.BytesIO(write({"a": "int64"}, [(1,)]))).metadata
    assert not meta.metadata or b"ARROW:schema" not in meta.metadata


# -- schema=None -------------------------------------------------------------------------------------------------------------


def written(rows, method="write_rows", **options):
    """(schema, columns) of a file whose schema is found out."""
    f = io.BytesIO()
    with ccpq.Writer(f, **options) as w:
        getattr(w, method)(rows)
    return w.schema.to_dict(), read(f.getvalue(), w.schema)


def test_dicts_are_sampled():
    when = dt.datetime(2024, 2, 29, tzinfo=UTC)
    rows = [{"i": 1, "f": 1, "s": None}, {"i": None, "f": 2.5, "s": "x", "b": b"y"},
        {"late": True, "u": uuid.UUID(int=5), "d": when.date(), "t": when, "l": when.replace(tzinfo=None)}]
    schema, columns = written(rows)
    assert schema == {"i": "int64?", "f": "float64?", "s": "string?", "b": "binary?", "late": "bool?", "u": "uuid?", "d": "date?",
        "t": "timestamp[us, UTC]?", "l": "timestamp[us]?"}
    assert columns == {"i": [1, None, None], "f": [1.0, 2.5, None], "s": [None, "x", None], "b": [None, b"y", None],
        "late": [None, None, True], "u": [None, None, uuid.UUID(int=5)],
                       "d": [None, None, when.date()], "t": [None, None, when],
                       "l": [None, None, when.replace(tzinfo=None)]}  # fmt: skip
    assert written(iter(rows)) == written(rows, "write_group") == (schema, columns)


def test_the_sample_is_a_thousand_rows():
    rows = [{"a": i} for i in range(999)] + [{"a": 0.5}] + [{"a": i / 4} for i in range(500)]
    schema, columns = written(rows)
    assert schema == {"a": "float64?"} and columns["a"] == [r["a"] for r in rows]
    with pytest.raises(ccpq.RowTypeError, match="column 'a'") as info:
        written([{"a": i} for i in range(1000)] + [{"a": 0.5}])
    assert info.value.row == 1000 and info.value.value == 0.5
    with pytest.raises(ccpq.RowValueError, match="'b'"):
        written([{"a": i} for i in range(1000)] + [{"a": 5, "b": 1}])


def test_rows_one_by_one():
    """The first row is all that write_row can look at: what is clear from it decides."""
    f = io.BytesIO()
    with ccpq.Writer(f) as w:
        w.write_row({"a": 1, "b": 0.5})
        w.write_row({"b": 2})
        with pytest.raises(ccpq.RowTypeError, match="column 'a'"):
            w.write_row({"a": 0.5})
    assert w.schema.to_dict() == {"a": "int64?", "b": "float64?"}
    assert read(f.getvalue(), w.schema) == {"a": [1, None], "b": [0.5, 2.0]}


@pytest.mark.parametrize(("rows", "words"), [
    ([{"a": 1, "n": None}, {"a": 2}], "'n'"), ([(1, 2)], "schema"), ([[1, 2]], "schema"), ([{"a": 1}, {"a": "x"}], "'a'"),
    ([{"a": object()}], "'a'"), ([{}], "column"),
])  # fmt: skip
def test_what_cannot_be_found_out(rows, words):
    f = io.BytesIO()
    with pytest.raises((ccpq.Error, TypeError), match=words), ccpq.Writer(f) as w:
        w.write_rows(rows)
    with pytest.raises((ccpq.Error, TypeError), match=words):
        ccpq.infer_schema(rows)


def test_nothing_written_has_no_schema(tmp_path):
    with pytest.raises(ccpq.Error, match="schema"), ccpq.Writer(tmp_path / "x.parquet"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_classes_are_exact():
    when = dt.datetime(2024, 2, 29, 12, tzinfo=UTC)
    schema, columns = written([Sample("h", when)])
    same_types(ccpq.schema(schema), SAMPLE)
    assert columns["maybe"] == [None] and columns["tone"] == ["loud"]
    schema, columns = written([Tuple("h", 0.5), Tuple("i", 1.5, "x")])
    assert schema == HOSTS and columns == {"host": ["h", "i"], "value": [0.5, 1.5], "note": [None, "x"]}


def test_arrow_is_exact():
    need("pyarrow")
    table = pa.table([pa.array([1, 2]), pa.array(["x", None]), pa.array([0, 1], pa.timestamp("us", "Europe/Berlin"))],
                     schema=pa.schema([pa.field("a", pa.int64(), False), ("s", pa.large_string()),
                         ("t", pa.timestamp("us", "Europe/Berlin"))]))  # fmt: skip
    schema, columns = written(table, "write_arrow")
    assert schema == {"a": "int64", "s": "string?", "t": "timestamp[us, UTC]?"}
    assert columns == {"a": [1, 2], "s": ["x", None],
        "t": [dt.datetime(1970, 1, 1, tzinfo=UTC), dt.datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)]}


def test_a_relation_is_exact():
    duckdb = need("duckdb")
    with duckdb.connect() as db:
        query = "select 1::smallint as a, null::varchar as s, 0.5::float as f, date '2024-02-29' as d"
        expect = {"a": "int16?", "s": "string?", "f": "float32?", "d": "date?"}, {"a": [1], "s": [None], "f": [0.5], "d": [dt.date(2024, 2, 29)]}
        assert written(db.sql(query), "write_arrow") == expect


class TypedCursor:
    """A DB-API cursor whose driver has Python types for type codes."""

    def __init__(self, columns, rows):
        self.description = [(name, kind, None, None, None, None, None) for name, kind in columns]
        self.rows = iter(rows)

    def __iter__(self):
        return self.rows


def test_a_cursor_with_types_is_exact():
    schema, columns = written(TypedCursor([("s", str), ("f", float), ("d", dt.date)], [(None, 1, None), ("x", 0.5, None)]))
    assert schema == {"s": "string?", "f": "float64?", "d": "date?"}  # although the column d has no value
    assert columns == {"s": [None, "x"], "f": [1.0, 0.5], "d": [None, None]}


# -- infer_schema --------------------------------------------------------------------------------------------------------------


def test_infer_schema_gives_all_rows_back():
    taken = []

    def source():
        for i in range(2500):
            taken.append(i)
            yield {"a": i, "b": None if i % 2 else "x"}

    schema, rows = ccpq.infer_schema(source())
    assert isinstance(schema, ccpq.Schema) and schema.to_dict() == {"a": "int64?", "b": "string?"}
    assert len(taken) == 1000
    assert iter(rows) is rows and [r["a"] for r in rows] == [*range(2500)]
    schema, rows = ccpq.infer_schema(source(), sample=10)
    assert len(taken) == 2510
    assert read(write(schema, rows), schema)["a"] == [*range(2500)]
    schema, rows = ccpq.infer_schema([{"a": 1}, {"a": 0.5}], sample=1)
    assert schema.to_dict() == {"a": "int64?"}
    with pytest.raises(ccpq.RowTypeError):
        write(schema, rows)


@pytest.mark.parametrize("rows", [[], iter(())], ids=["list", "iterator"])
def test_infer_schema_of_nothing(rows):
    with pytest.raises((ccpq.Error, ValueError)):
        ccpq.infer_schema(rows)


@pytest.mark.parametrize(("sample", "cls"),
    [(0, ValueError), (-1, ValueError), ("10", TypeError), (1.5, TypeError), (None, TypeError)])
def test_infer_schema_checks_its_sample(sample, cls):
    with pytest.raises(cls, match="sample"):
        ccpq.infer_schema([{"a": 1}], sample=sample)


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ccpq.schema(EVERY)
