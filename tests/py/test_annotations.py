"""Schemas from Python types and from classes: dataclass, NamedTuple, TypedDict, and classes that list their fields as others do."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import pathlib
import pickle
import subprocess
import sys
import textwrap
import typing
import uuid
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, Optional, TypedDict, TypeVar

import ccpq
import pytest
from conftest import ROOT

from ccpq._errors import SchemaError, UnsupportedError
from ccpq._schema import Field, core_fields, schema

# This file has string annotations throughout; tests of others compile their classes.

T = TypeVar("T")
Celsius = Annotated[float, "float32"]
HostName = typing.NewType("HostName", str)


class Tone(enum.Enum):
    LOUD = "loud"
    SOFT = "soft"


class Mixed(enum.Enum):
    LOUD = "loud"
    SOFT = 2


class Level(enum.IntEnum):
    LOW = 1


class Text(str, enum.Enum):
    A = "a"


class Custom:
    pass


@pytest.mark.parametrize(("x", "text"), [
    (int, "int64"), (float, "float64"), (str, "string"), (bytes, "binary"), (bytearray, "binary"), (memoryview, "binary"), (bool, "bool"),
    (datetime.datetime, "timestamp[us, UTC]"), (datetime.date, "date"), (datetime.time, "time[us]"), (uuid.UUID, "uuid"), (ccpq.Json, "json"),
    (int | None, "int64?"), (None | datetime.date, "date?"), (Optional[uuid.UUID], "uuid?"), (typing.Union[int, None], "int64?"),
    (Celsius, "float32"), (Celsius | None, "float32?"), (Annotated[float | None, "float32"], "float32?"), (Annotated[float, "float32?"], "float32?"),
    (Annotated[Optional[float], "float32?"] | None, "float32?"), (Annotated[Decimal, "decimal(12,2)"], "decimal(12, 2)"), (Annotated[Decimal | None, "decimal(3)"], "decimal(3, 0)?"),
    (Annotated[dict, "json"], "json"), (Annotated[list[int] | None, "json"], "json?"), (Annotated[Any, "binary[16]"], "binary[16]"), (Annotated[int, "int8 not null"], "int8"),
    (Annotated[int, 3], "int64"), (Annotated[int, {"unit": "W"}, "int32", [1]], "int32"), (Annotated[Celsius, "of the room".split()], "float32"),
    (HostName, "string"), (HostName | None, "string?"), (typing.Final[int], "int64"),
    (Tone, "string"), (Tone | None, "string?"), (Text, "string"), (Level, "int64"), (Literal["a", "b"], "string"), (Literal["a", None], "string?"), (Literal["a"] | None, "string?"),
    ("int64?", "int64?"),
])  # fmt: skip
def test_types(x, text):
    assert Field("x", x).type_string == text


@pytest.mark.parametrize(("x", "message"), [
    (Decimal, 'Decimal has no fixed number of digits; write Annotated[Decimal, "decimal(12, 2)"]'),
    (Decimal | None, 'Decimal has no fixed number of digits; write Annotated[Decimal, "decimal(12, 2)"]'),
    (datetime.timedelta, "readers agree on no type for durations; write int, and the unit in the name"),
    (dict, 'dict has no types inside; write Annotated[dict, "json"]'), (list, 'list has no types inside; write Annotated[list, "json"]'),
    (int | str, "a column has one type, not the union int | str; only '| None' may be added"),
    (typing.Union[int, str, None], "a column has one type, not the union Union[int, str, NoneType]; only '| None' may be added"),
    (type(None), "a column of nulls only has no type; write for example int | None"), (Literal[None], "a column of nulls only has no type; write for example int | None"),
    (Literal["a", 3], "Literal['a', 3]: a Literal of strings is a column type; for others write the type, such as int"),
    (Annotated[int, "int32", "int64"], "Annotated has more than one type text: 'int32', 'int64'"),
    (Annotated[int, "int32 not null"] | None, None), (Annotated[int | None, "int32 not null"], None),
    (Optional["Sample"], "'Sample' is the name of a type; give the type itself, or the whole type as a string"),
    (pathlib.Path, "paths are no column type; write str, and give str(path)"), (object, "object is no column type; a column holds values of one type"),
    (Mixed, "Mixed.SOFT is 2, which is no text; give the members values that are str, or make it an IntEnum"),
    (Annotated[Mixed | None, "enum"], "Mixed.SOFT is 2, which is no text; give the members values that are str, or make it an IntEnum"),
    (Any, None), (T, None), (complex, None), (Custom, None), (3, 'a type is a string such as "float32?" or a Python type, not int'), (None, None), (int.__add__, None),
])  # fmt: skip
def test_what_is_no_type(x, message):
    with pytest.raises(SchemaError) as e:
        Field("x", x)
    if message is None:
        assert str(e.value).startswith("column 'x': ") and ("no column type" in str(e.value) or "contradict" in str(e.value) or "a type is a string" in str(e.value))
    else:
        assert str(e.value) == f"column 'x': {message}"


@dataclasses.dataclass
class Point:
    x: int


@pytest.mark.parametrize("x", [
    list[int], dict[str, int], tuple[int, ...], set[str], typing.List[int], typing.Sequence[int], collections.abc.Iterable[int], tuple, set, Point, Optional[Point],
    list[Point] | None,
])  # fmt: skip
def test_nested_types_come_later(x):
    with pytest.raises(UnsupportedError, match=r"column 'x': .*: nested types come with a later release; Annotated\[\.\.\., \"json\"\] keeps it as JSON"):
        Field("x", x)


def test_a_misspelt_annotation_shows_its_place():
    with pytest.raises(SchemaError) as e:
        Field("x", Annotated[float, "flaot32"])
    assert str(e.value) == "column 'x': unknown type 'flaot32'; did you mean 'float32'?\n  flaot32\n  ^"


# Classes


@dataclasses.dataclass
class Base:
    host: str
    when: datetime.datetime
    count: ClassVar[int] = 0
    unknown: ClassVar[NoSuchName] = None  # noqa: F821: need not be evaluable
    init: dataclasses.InitVar[int] = 0


@dataclasses.dataclass
class Sample(Base):
    value: Celsius | None = None
    price: Annotated[Decimal, "decimal(12,2)"] = Decimal(0)
    tone: Tone = Tone.LOUD
    mode: Literal["a", "b"] = "a"
    when: Annotated[datetime.datetime, "timestamp[ns, UTC]"] = datetime.datetime.min  # the base's place, this type
    derived: int = dataclasses.field(init=False, default=3)
    raw: Optional[bytes] = dataclasses.field(default=None, repr=False)

    @property
    def shown(self) -> NoSuchName:  # noqa: F821
        return self.host


SAMPLE = {
    "host": "string", "when": "timestamp[ns, UTC]", "value": "float32?", "price": "decimal(12, 2)", "tone": "string", "mode": "string", "derived": "int64", "raw": "binary?",
}  # fmt: skip


def test_dataclasses():
    assert schema(Base).to_dict() == {"host": "string", "when": "timestamp[us, UTC]"}
    s = schema(Sample)
    assert s.to_dict() == SAMPLE
    assert s == schema(SAMPLE)
    assert schema(Sample, nullable=True).to_dict() == {n: t.rstrip("?") + "?" for n, t in SAMPLE.items()}


@dataclasses.dataclass(slots=True, kw_only=True, frozen=True)
class Slots:
    date: datetime.date
    time: datetime.time | None = None


def test_slots_and_names_that_hide_types():
    assert schema(Slots).to_dict() == {"date": "date", "time": "time[us]?"}
    module = sys.modules["test_annotations_hidden"] = type(sys)("test_annotations_hidden")
    source = "from __future__ import annotations\nimport dataclasses\nfrom datetime import date\n@dataclasses.dataclass\nclass C:\n    date: date | None = None\n    day: date | None = None\n"
    try:
        exec(source, vars(module))
        assert schema(module.C).to_dict() == {"date": "date?", "day": "date?"}
    finally:
        del sys.modules["test_annotations_hidden"]


class Pair(NamedTuple):
    host: str
    value: Annotated[float, "float32"]
    note: str | None = None


class MorePair(Pair):
    extra: int = 3


def test_named_tuples():
    expected = {"host": "string", "value": "float32", "note": "string?"}
    assert schema(Pair).to_dict() == schema(MorePair).to_dict() == expected
    assert schema(NamedTuple("Made", [("a", int), ("b", Optional[str])])).to_dict() == {"a": "int64", "b": "string?"}
    with pytest.raises(SchemaError, match="column 'a' of Bare has no annotation"):
        schema(collections.namedtuple("Bare", "a b"))


class TypedBase(TypedDict):
    host: str


class Typed(TypedBase, total=False):
    value: Celsius
    note: Optional[str]


def test_typed_dicts():
    assert schema(Typed).to_dict() == {"host": "string", "value": "float32?", "note": "string?"}
    assert schema(TypedDict("Made", {"not a name": int, "b": "datetime.date"})).to_dict() == {"not a name": "int64", "b": "date"}


@pytest.mark.skipif(not hasattr(typing, "NotRequired"), reason="typing.NotRequired came with 3.11")
def test_not_required_keys_are_optional():
    class Marked(TypedDict):
        a: typing.NotRequired[int]
        b: Annotated[typing.NotRequired[float], "float32"]
        c: typing.NotRequired[Annotated[float, "float32"]]
        d: int

    class Turned(Marked, total=False):
        e: typing.Required[int]
        f: typing.Required[int | None]
        g: int

    assert schema(Turned).to_dict() == {"a": "int64?", "b": "float32?", "c": "float32?", "d": "int64", "e": "int64", "f": "int64?", "g": "int64?"}
    eager = TypedDict("eager", {"a": typing.NotRequired[int], "b": typing.Required[int]}, total=False)
    assert schema(eager).to_dict() == {"a": "int64?", "b": "int64"}


class AttrsLike:
    host: str
    value: Celsius | None
    count: ClassVar[int] = 0
    __attrs_attrs__ = (collections.namedtuple("Attribute", "name alias")("host", "_host"), collections.namedtuple("Attribute", "name")("value"))


class PydanticLike:
    model_config: ClassVar[dict] = {}
    model_fields: ClassVar[dict] = {"host": object(), "value": object()}
    host: str
    value: Celsius | None = None
    _private: int


class MsgspecLike:
    __struct_fields__ = ("host", "value")
    host: str
    value: Celsius | None


@pytest.mark.parametrize("cls", [AttrsLike, PydanticLike, MsgspecLike])
def test_classes_that_list_their_fields(cls):
    assert schema(cls).to_dict() == {"host": "string", "value": "float32?"}


def test_classes_with_annotations_that_are_not_strings(tmp_path, monkeypatch):
    (tmp_path / "plain_annotations_for_a_test.py").write_text(textwrap.dedent("""
        import dataclasses, typing
        from decimal import Decimal

        class Color(typing.NamedTuple):
            name: str
            share: typing.Annotated[Decimal, "decimal(5, 4)"] | None

        @dataclasses.dataclass
        class Root:
            late: "Later"
            init: "dataclasses.InitVar[int]" = 0
            kept: "typing.ClassVar[int]" = 0

        Later = typing.Annotated[float, "float32"]
    """))
    monkeypatch.syspath_prepend(tmp_path)
    import plain_annotations_for_a_test as m

    @dataclasses.dataclass
    class Leaf(m.Root):
        note: str = ""

    assert schema(m.Color).to_dict() == {"name": "string", "share": "decimal(5, 4)?"}
    assert schema(Leaf).to_dict() == {"late": "float32", "note": "string"}  # each evaluated in the module of its class


class Plain:
    x: int


@dataclasses.dataclass
class Union:
    x: int | str


@dataclasses.dataclass
class Lost:
    x: NoSuchName  # noqa: F821


@dataclasses.dataclass
class NestedFields:
    x: list[int]


@dataclasses.dataclass
class Empty:
    pass


@dataclasses.dataclass
class Box(Generic[T]):
    x: T


@pytest.mark.parametrize(("x", "error", "message"), [
    (Plain, SchemaError, "class Plain is no dataclass, NamedTuple or TypedDict; its columns are not known"),
    (int, SchemaError, "class int is no dataclass, NamedTuple or TypedDict; its columns are not known"),
    (Union, SchemaError, "column 'x' of Union: a column has one type, not the union int | str; only '| None' may be added"),
    (Lost, SchemaError, "the annotations of Lost cannot be evaluated: name 'NoSuchName' is not defined; types in string annotations must be found in the module test_annotations"),
    (NestedFields, UnsupportedError, "column 'x' of NestedFields: list[int]: nested types come with a later release; Annotated[..., \"json\"] keeps it as JSON"),
    (Empty, SchemaError, "a schema needs at least one column"), (Point(1), SchemaError, "a schema is made from the class Point, not from an object of it: ccpq.schema(Point)"),
    (Pair("a", 1.0), SchemaError, "a schema is made from the class Pair, not from an object of it: ccpq.schema(Pair)"),
    (Box, SchemaError, None), (Box[int], SchemaError, None), (list[int], SchemaError, "a schema is a mapping or a list of pairs name -> type, or a class, not GenericAlias"),
    (3, SchemaError, "a schema is a mapping or a list of pairs name -> type, or a class, not int"),
    ("int64", SchemaError, "a schema is a mapping or a list of pairs name -> type, not the str 'int64'"),
])  # fmt: skip
def test_what_is_no_schema(x, error, message):
    with pytest.raises(error) as e:
        schema(x)
    assert message is None or str(e.value) == message


def takes_members(s):
    return {name for name, _, _, _, _, members in core_fields(s) if members}


def test_enums_are_remembered():
    s = schema(Sample)
    assert takes_members(s) == takes_members(pickle.loads(pickle.dumps(s))) == {"tone"}
    assert takes_members(schema(s.to_dict())) == set()
    assert takes_members(schema({"a": Tone | None, "b": Text, "c": Level, "d": Annotated[Tone, "enum"], "e": Annotated[Tone | None, "string"], "f": str, "g": Annotated[Mixed, "int8"]})) == {"a", "d", "e"}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type statements came with 3.12")
def test_type_statements():
    space = {}
    exec("type Celsius = float\ntype Loop = Loop | None", space)
    assert Field("x", space["Celsius"] | None).type_string == "float64?"
    with pytest.raises(SchemaError, match="names itself"):
        Field("x", space["Loop"])


def test_a_writer_takes_the_class(tmp_path):
    with ccpq.Writer(tmp_path / "x.parquet", Pair) as w:
        w.write_rows([Pair("a", 0.5), Pair("b", 1.5, "x")])
    assert w.schema.to_dict() == {"host": "string", "value": "float32", "note": "string?"}


def test_members_are_values_where_the_annotation_names_their_enum(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    Row = dataclasses.make_dataclass("Row", [("a", Tone), ("b", Tone | None), ("c", Text), ("d", str)])
    with ccpq.Writer(tmp_path / "x.parquet", Row) as w:
        w.write_rows([Row(Tone.LOUD, None, Text.A, "x"), Row("soft", Tone.SOFT, "b", "y")])
        with pytest.raises(ccpq.RowTypeError, match="column 'd'.*write value.value or value.name"):
            w.write_row(Row(Tone.LOUD, None, Text.A, Tone.LOUD))
        with pytest.raises(ccpq.RowTypeError, match="column 'a'.*only members whose value is a str are text"):
            w.write_row(Row(Mixed.SOFT, None, Text.A, "x"))
    assert [tuple(row.values()) for row in pq.read_table(tmp_path / "x.parquet").to_pylist()] == [("loud", None, "a", "x"), ("soft", "soft", "b", "y")]


def test_nothing_is_imported_for_it():
    code = "import sys, ccpq; sys.exit(','.join({'numpy', 'pyarrow', 'pandas', 'attrs', 'pydantic', 'typing_extensions'} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
