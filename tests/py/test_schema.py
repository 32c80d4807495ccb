"""The type grammar and Schema: canonical forms, advice, carets, names, immutability, pickling."""

import copy
import datetime
import pickle
import typing
import warnings

import pytest

from ccpq._errors import SchemaError, UnsupportedError
from ccpq._schema import TYPES, Field, Schema, core_fields, schema


@pytest.mark.parametrize("word", TYPES)
@pytest.mark.parametrize(("mark", "nullable"), [("", False), ("?", True), (" ?", True), (" | None", True), ("|None", True), (" not null", False)])
def test_every_type_with_every_mark_is_canonical_again(word, mark, nullable):
    f = Field("x", word + mark)
    assert (f.type, f.nullable) == (word, nullable)
    assert Field("x", f.type_string) == f
    assert str(f) == f"x: {word}{'?' if nullable else ''}"


@pytest.mark.parametrize(("alias", "word"), [
    ("str", "string"), ("utf8", "string"), ("large_string", "string"), ("bytes", "binary"), ("large_binary", "binary"), ("boolean", "bool"),
    ("double", "float64"),
])  # fmt: skip
def test_aliases(alias, word):
    assert Field("x", alias + "?").type_string == word + "?"


@pytest.mark.parametrize(("python", "word"), [
    (int, "int64"), (float, "float64"), (str, "string"), (bytes, "binary"), (bool, "bool"), (int | None, "int64?"),
    (typing.Optional[float], "float64?"), (None | str, "string?"),
])  # fmt: skip
def test_python_types(python, word):
    assert Field("x", python).type_string == word


@pytest.mark.parametrize("word", ["int", "float", "i8", "f4", "bigint", "datetime", "real", "integer", "f64", "u2"])
def test_words_of_many_widths_are_refused(word):
    with pytest.raises(SchemaError, match="refused: .*"):
        Field("x", word)


@pytest.mark.parametrize("text", [
    "float16", "halffloat", "binary[16]", "date", "date32", "uuid", "json", "bson", "enum", "time[us]", "timestamp[us, UTC]", "timestamp",
    "decimal(12, 2)", "decimal128(3)", "list<string>", "map<string, int64>", "struct<a: int64>", "fixed_size_binary[4]", "large_list<int8>", "uuid?",
])  # fmt: skip
def test_types_of_later_releases(text):
    with pytest.raises(UnsupportedError, match="later release"):
        Field("x", text)


@pytest.mark.parametrize("python", [datetime.datetime, datetime.date, datetime.time, list[int], dict[str, int], tuple[int, ...]])
def test_python_types_of_later_releases(python):
    with pytest.raises(UnsupportedError, match="later release"):
        Field("x", python)


@pytest.mark.parametrize(("text", "at", "words"), [
    ("strng", 0, "did you mean 'string'"), ("  flaot32?", 2, "did you mean 'float32'"), ("int64??", 6, "has ended"), ("int64 | Nil", 6, "what may follow"),
    ("int64 null", 6, "what may follow"), ("string? not null", 8, "has ended"), ("", 0, "empty"), ("   ", 0, "empty"), ("int64 ;", 6, "unexpected character"),
    ("?", 0, "unknown type"), ("int128", 0, "did you mean"), ("zzzzzz", 0, "known: bool"), ("int64[3]", 5, "what may follow"),
    ("string | None | None", 14, "has ended"), ("String", 0, "did you mean 'string'"),
])  # fmt: skip
def test_errors_have_a_caret_under_the_position(text, at, words):
    with pytest.raises(SchemaError, match=words) as e:
        Field("x", text)
    lines = str(e.value).splitlines()
    assert lines[-2] == "  " + text
    assert lines[-1] == "  " + " " * at + "^"
    assert "column 'x'" in lines[0]


def test_a_hostile_type_text_keeps_its_line():
    with pytest.raises(SchemaError) as e:
        Field("x", "int64\n\x1b[31m")
    assert "\x1b" not in str(e.value)
    assert len(str(e.value).splitlines()) == 3


@pytest.mark.parametrize("x", [int | str, int | str | None, 3, None, object(), typing.Any, type(None)])
def test_no_types(x):
    with pytest.raises(SchemaError):
        Field("x", x)


def test_numpy_classes_get_the_string_to_write():
    numpy = pytest.importorskip("numpy")
    with pytest.raises(SchemaError, match="'float32'"):
        Field("x", numpy.float32)


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", 3, None, b"x"])
def test_bad_names(name):
    with pytest.raises(SchemaError, match="name"):
        schema([(name, "int64")])


def test_names_may_be_anything_else():
    s = schema({"größe µ": "int64", "a.b": "string", " ": "bool", "核": "binary?"})
    assert s.names == ("größe µ", "a.b", " ", "核")


def test_nullable_argument():
    assert Field("x", "int64", True).type_string == "int64?"
    assert Field("x", "int64?", True).nullable
    with pytest.raises(SchemaError, match="contradict"):
        Field("x", "int64?", False)
    with pytest.raises(SchemaError, match="contradict"):
        Field("x", "int64 not null", True)
    with pytest.raises(TypeError):
        Field("x", "int64", 1)
    s = schema({"a": "int64", "b": "int64 not null", "c": Field("c", "string")}, nullable=True)
    assert s.to_dict() == {"a": "int64?", "b": "int64", "c": "string"}


def test_a_schema_is_a_mapping_in_order():
    s = schema([("b", "int64"), ("a", "string?"), Field("c", "float32")])
    assert (s.names, len(s), list(s), "a" in s) == (("b", "a", "c"), 3, ["b", "a", "c"], True)
    assert s["a"] == Field("a", "string?")
    assert s.fields == (Field("b", int), Field("a", str | None), Field("c", "float32"))
    assert s.to_dict() == {"b": "int64", "a": "string?", "c": "float32"}
    assert core_fields(s) == [("b", "int64", False), ("a", "string", True), ("c", "float32", False)]
    with pytest.raises(KeyError):
        s["d"]


def test_equality_and_hash():
    s = schema({"a": "int64", "b": "string"})
    assert s == schema(s.to_dict()) == schema(list(s.to_dict().items())) == schema(s) == schema(s.fields)
    assert hash(s) == hash(schema(s.to_dict()))
    assert s != schema({"b": "string", "a": "int64"})
    assert s != schema({"a": "int64", "b": "string?"})
    assert s != {"a": s["a"], "b": s["b"]}
    assert schema(s) is s


def test_pickle_and_copy():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        s = schema({"a": "int64", "A": "string?"})
    for made in (pickle.loads(pickle.dumps(s)), copy.copy(s), copy.deepcopy(s)):
        assert made == s
    assert pickle.loads(pickle.dumps(s["A"])) == s["A"]


def test_immutable():
    s = schema({"a": "int64"})
    for change in (lambda: setattr(s, "names", ()), lambda: setattr(s["a"], "type", "string"), lambda: delattr(s["a"], "type")):
        with pytest.raises(AttributeError):
            change()
    with pytest.raises(TypeError):
        s["b"] = 3


@pytest.mark.parametrize("x", ["int64", b"a", 3, None, {}, [], [("a",)], ["a"], [("a", "int64", 3)], [("a", "int64"), ("a", "string")], {"a": None},
                               {"a": Field("b", "int64")}, {1, 2}])
def test_no_schemas(x):
    with pytest.raises(SchemaError):
        schema(x)


def test_frames_and_dataclasses_come_later():
    class Arrow:
        def __arrow_c_schema__(self):
            raise AssertionError

    for x in (Arrow(), Arrow, int):
        with pytest.raises(UnsupportedError, match="later release"):
            schema(x)


def test_names_equal_but_for_case_warn():
    with pytest.warns(UserWarning, match="'Value' and 'value' differ in case only"):
        schema({"Value": "int64", "value": "int64"})


def test_reprs_are_short():
    s = schema({f"column{i}": "int64?" for i in range(100)})
    assert repr(s).startswith("<ccpq.Schema column0: int64?, ") and repr(s).endswith("... 92 more>")
    assert repr(s["column3"]) == "Field('column3', 'int64?')"
    assert str(schema({"a": "int64", "long": "string?"})) == "a     int64\nlong  string?"
    assert isinstance(s, Schema)
