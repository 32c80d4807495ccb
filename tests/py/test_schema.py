"""The type grammar and Schema: canonical forms, advice, carets, names, immutability, pickling, Arrow schemas."""

import copy
import pickle
import random
import typing
import warnings

import ccpq
import pytest

from ccpq._errors import SchemaError, UnsupportedError
from ccpq._schema import TYPES, Field, Schema, core_fields, schema
from ccpq._types import FORMS, MAX_FIXED_BYTES, parse_type

UNITS = ("s", "ms", "us", "ns")
PARAMETRIC = {
    # canonical text: the core's terms
    **{f"time[{u}]": (f"time_{u}", 0, 0) for u in UNITS[1:]}, **{f"time[{u}, UTC]": (f"time_{u}_utc", 0, 0) for u in UNITS[1:]},
    **{f"timestamp[{u}]": (f"timestamp_{u}", 0, 0) for u in UNITS}, **{f"timestamp[{u}, UTC]": (f"timestamp_{u}_utc", 0, 0) for u in UNITS},
    **{f"decimal({p}, {s})": ("decimal", p, s) for p, s in [(1, 0), (1, 1), (9, 2), (12, 2), (18, 18), (38, 0), (38, 38)]},
    **{f"binary[{n}]": ("fixed", n, 0) for n in [1, 16, 1000, MAX_FIXED_BYTES]},
}  # fmt: skip


@pytest.mark.parametrize("word", [*TYPES, *PARAMETRIC])
@pytest.mark.parametrize(("mark", "nullable"), [("", False), ("?", True), (" ?", True), (" | None", True), ("|None", True), (" not null", False)])
def test_every_type_with_every_mark_is_canonical_again(word, mark, nullable):
    f = Field("x", word + mark)
    assert (f.type, f.nullable) == (word, nullable)
    assert Field("x", f.type_string) == f
    assert str(f) == f"x: {word}{'?' if nullable else ''}"


@pytest.mark.parametrize(("alias", "word"), [
    ("str", "string"), ("utf8", "string"), ("large_string", "string"), ("bytes", "binary"), ("large_binary", "binary"), ("boolean", "bool"),
    ("double", "float64"), ("halffloat", "float16"), ("date32", "date"), ("date32[day]", "date"), ("date32 [ day ]", "date"), ("time32[ms]", "time[ms]"),
    ("time64[us]", "time[us]"), ("time64[ns, UTC]", "time[ns, UTC]"), ("decimal128(12, 2)", "decimal(12, 2)"), ("decimal(5)", "decimal(5, 0)"),
    ("decimal(012,02)", "decimal(12, 2)"), ("fixed_size_binary[16]", "binary[16]"), ("timestamp[us,UTC]", "timestamp[us, UTC]"),
    ("timestamp[us, tz=UTC]", "timestamp[us, UTC]"), (" timestamp [ ns , tz = UTC ] ", "timestamp[ns, UTC]"), ("time[us,tz=UTC]", "time[us, UTC]"),
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


@pytest.mark.parametrize(("text", "message"), [
    ("int", 'type \'int\' is refused: the width differs from program to program; write "int64" or "int32"'),
    ("float?", 'type \'float\' is refused: it is 32 bits wide to Arrow and 64 to Python; write "float64" or "float32"'),
    ("i8", 'type \'i8\' is refused: eight bits or eight bytes? write "int8" or "int64"'), ("f4", 'type \'f4\' is refused: write "float32"'),
    ("bigint", 'type \'bigint\' is refused: write "int64"'), ("VARCHAR", 'type \'VARCHAR\' is refused: write "string"'),
    ("datetime", 'type \'datetime\' is refused: its unit is not given; write "timestamp[us, UTC]" for instants or "timestamp[us]" for local times'),
    ("timestamp", 'type \'timestamp\' is refused without a unit: write "timestamp[us, UTC]" for instants or "timestamp[us]" for local times'),
    ("time?", 'type \'time\' is refused without a unit: write "time[us]" or "time[ms]"'),
    ("decimal", 'type \'decimal\' is refused without digits and scale: write "decimal(12, 2)"'),
    ("timestamp[us, Europe/Berlin]", 'zone \'Europe/Berlin\' is refused, Parquet keeps the instant only; write "timestamp[us, UTC]"'),
    ("timestamp[ns, tz=+02:00]", 'zone \'+02:00\' is refused, Parquet keeps the instant only; write "timestamp[ns, UTC]"'),
    ("time[us, utc]", 'zone \'utc\' is refused, Parquet keeps the instant only; write "time[us, UTC]"'),
    ("timestamp[us, ]", 'a zone is expected here: write "timestamp[us, UTC]"'),
    ("timestamp[m]", 'the unit of timestamp is s, ms, us or ns, not \'m\'; did you mean \'ms\'?'),
    ("time[s]", 'the unit of time is ms, us or ns, not \'s\'; write "time[us]" or "time[ms]"'), ("time32[us]", 'the unit of time32 is ms, not \'us\'; write "time[ms]"'),
    ("timestamp(us)", '\'[\' is expected here, not \'(\'; write "timestamp[us, UTC]" for instants or "timestamp[us]" for local times'),
    ("decimal(39)", "a decimal has 1 to 38 digits, not 39"), ("decimal(0)", "a decimal has 1 to 38 digits, not 0"),
    ("decimal(5, 6)", "the scale of a decimal is 0 to 5, the number of its digits, not 6"),
    ("decimal(5, -1)", "the scale of a decimal is 0 to 5, the number of its digits, not -1"),
    ("decimal(" + "9" * 5000 + ")", "a decimal has 1 to 38 digits, not " + "9" * 40),
    ("decimal[5]", '\'(\' is expected here, not \'[\'; write "decimal(12, 2)": digits and scale'),
    ("decimal()", "a number is expected here, not ')': a decimal has 1 to 38 digits"),
    ("binary[0]", "binary[N] has 1 to 1048576 bytes, not 0"), ("binary[1048577]", "binary[N] has 1 to 1048576 bytes, not 1048577"),
    ("fixed_size_binary[-1]", "fixed_size_binary[N] has 1 to 1048576 bytes, not -1"), ("binary(16)", '\'[\' is expected here, not \'(\'; write "binary[16]"'),
    ("binary[16", '\']\' is expected here, and the text ends; write "binary[16]"'), ("fixed_size_binary", '\'[\' is expected here, and the text ends; write "fixed_size_binary[16]"'),
    ("date64", 'type \'date64\' is refused: write "date" or "timestamp[ms]"'), ("date32[ms]", '\'day\' is expected here, not \'ms\'; write "date"'),
    ("duration[us]", 'type \'duration\' is refused: readers agree on no type for it; write "int64" and the unit in the name'),
    ("datum", "unknown type 'datum'; did you mean 'date'?"), ("xyzzy", "unknown type 'xyzzy'; known: " + ", ".join(FORMS)),
])  # fmt: skip
def test_refusals_give_advice(text, message):
    with pytest.raises(SchemaError) as e:
        Field("x", text)
    assert str(e.value).splitlines()[0] == f"column 'x': {message}"


@pytest.mark.parametrize("text", [
    "list<string>", "list<string?>?", "list<element: string not null> | None", "large_list<int8>", "map<string, int64?>", "struct<a: int64>",
    "struct<a: int64?, 'b c': list<map<string, decimal(3, 1)>>, 'it''s': struct<a: date>>?", "list<'an item': timestamp[us, tz=UTC]>",
])  # fmt: skip
def test_nested_types_come_later(text):
    with pytest.raises(UnsupportedError) as e:
        Field("x", text)
    assert str(e.value) == f"column 'x': type {text!r}: nested types come with a later release"


@pytest.mark.parametrize(("text", "at", "message"), [
    ("list<int>", 5, "type 'int' is refused: the width differs"), ("list<item: strin?>?", 11, "unknown type 'strin'; did you mean 'string'?"),
    ("list", 4, "'<' is expected here, and the text ends"), ("list[string]", 4, "'<' is expected here, not '['"), ("list<string", 11, "'>' is expected here"),
    ("list<>", 5, "unknown type '>'"), ("list<", 5, "a type is expected here, and the text ends"), ("list<string, string>", 11, "'>' is expected here, not ','"),
    ("map<string?, int64>", 4, "a key of a map is never null"), ("map<string>", 10, "',' is expected here, not '>'"), ("map<string, i8>", 12, "type 'i8' is refused"),
    ("struct<>", 7, "a name is expected here, not '>'"), ("struct<a int64>", 9, "':' is expected here, not 'int64'"), ("struct<a: int64, a: int8>", 17, "'a' is there twice"),
    ("struct<'a'', b: int64>", 7, "a quote that is not closed"), ("struct<'': int64>", 7, "a name in a struct is empty"), ("struct<a: date,>", 15, "a name is expected here"),
    ("list<int64>?x", 12, "unexpected 'x': the type has ended"), ("list<" * 33, 160, "types are nested at most 32 deep"), ("list<timestamp[us, CET]>", 19, "zone 'CET'"),
])  # fmt: skip
def test_errors_inside_nested_types_are_told(text, at, message):
    with pytest.raises(SchemaError) as e:
        Field("x", text)
    lines = str(e.value).splitlines()
    assert lines[0].startswith(f"column 'x': {message}")
    if len(text) < 100:
        assert lines[1:] == ["  " + text, "  " + " " * at + "^"]
    else:
        assert lines[1].startswith("  ...list<") and text[at:].startswith(lines[1][len(lines[2]) - 1 :])


def test_a_long_text_is_shown_around_the_place():
    text = "struct<" + ", ".join(f"column{i}: int64" for i in range(50)) + ", bad: strin, " + ", ".join(f"more{i}: int64" for i in range(50)) + ">"
    with pytest.raises(SchemaError, match="did you mean 'string'") as e:
        Field("x", text)
    shown, caret = str(e.value).splitlines()[1:]
    assert shown.startswith("  ...") and shown.endswith("...") and len(shown) < 120
    assert shown[len(caret) - 1 :].startswith("strin, more0")


def test_no_text_breaks_the_grammar():
    """Texts of the grammar's own pieces: canonical again, or an error of ours whose caret is inside the text."""
    pieces = [*TYPES, "time", "timestamp", "decimal", "fixed_size_binary", "list", "map", "struct", "?", "|", "None", "not", "null", "[", "]", "(", ")", "<", ">", ",", ":", "=",
              "tz", "UTC", "us", "12", "-3", "'q'", "'", "§", "\t", " ", "int", "x"]  # fmt: skip
    rng = random.Random(3)
    good = 0
    for _ in range(20_000):
        text = "".join(rng.choice(pieces) for _ in range(rng.randrange(1, 9)))
        try:
            parsed = parse_type(text)
        except UnsupportedError:
            continue
        except SchemaError as e:
            shown, caret = str(e).splitlines()[-2:]
            assert set(caret) == {" ", "^"} and len(caret) <= len(shown) + 1
            continue
        assert parse_type(str(parsed.type)) == parsed._replace(nullable=None)
        good += 1
    assert good > 100


def test_the_core_gets_kinds_and_parameters():
    types = [*TYPES, *PARAMETRIC]
    s = schema({f"c{i}": t + "?" * (i % 2) for i, t in enumerate(types)})
    assert core_fields(s) == [(f"c{i}", *([t, i % 2 == 1, 0, 0] if t in TYPES else [PARAMETRIC[t][0], i % 2 == 1, *PARAMETRIC[t][1:]]), False) for i, t in enumerate(types)]


@pytest.mark.parametrize(("text", "at", "words"), [
    ("strng", 0, "did you mean 'string'"), ("  flaot32?", 2, "did you mean 'float32'"), ("int64??", 6, "has ended"), ("int64 | Nil", 6, "what may follow"),
    ("int64 null", 6, "what may follow"), ("string? not null", 8, "has ended"), ("", 0, "empty"), ("   ", 0, "empty"), ("int64 ;", 6, "unexpected character"),
    ("?", 0, "unknown type"), ("int128", 0, "did you mean"), ("timestmp[us]", 0, "did you mean 'timestamp'"),
    ("int64 | not null", 6, "what may follow"), ("decimal", 7, "without digits"), ("timestamp ?", 10, "without a unit"), ("timestamp[us; UTC]", 12, "unexpected character"),
    ("decimal(5, 6)", 11, "the scale"), ("timestamp[us, CET]?", 14, "zone 'CET'"), ("binary[16]]", 10, "what may follow"), ("zzzzzz", 0, "known: bool"), ("int64[3]", 5, "what may follow"),
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
    assert core_fields(s) == [("b", "int64", False, 0, 0, False), ("a", "string", True, 0, 0, False), ("c", "float32", False, 0, 0, False)]
    with pytest.raises(KeyError):
        s["d"]
    assert (s.get("a"), "z" in s, dict(s)["b"]) == (s["a"], False, s["b"])


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


class Capsule:
    """Something with an Arrow schema, which is pyarrow's."""

    def __init__(self, inner):
        self.inner = inner

    def __arrow_c_schema__(self):
        return self.inner.__arrow_c_schema__()


def test_arrow_schemas_keep_their_nullability():
    pa = pytest.importorskip("pyarrow")
    given = pa.schema([pa.field("a", pa.int64(), nullable=False), ("b", pa.large_string()), pa.field("c", pa.timestamp("ns", "Europe/Berlin"), nullable=False), ("d", pa.decimal128(5, 2))])
    expected = {"a": "int64", "b": "string?", "c": "timestamp[ns, UTC]", "d": "decimal(5, 2)?"}
    table = given.empty_table()
    for x in (given, Capsule(given), pa.struct(given), table, table.to_reader()):
        assert schema(x).to_dict() == expected
        assert schema(x, nullable=True).to_dict() == expected


def test_arrow_types_are_types_of_columns():
    pa = pytest.importorskip("pyarrow")
    given = {"a": pa.float32(), "b": pa.field("x", pa.large_string()), "c": pa.field("c", pa.int8(), nullable=False), "d": pa.decimal128(5, 2), "e": Capsule(pa.timestamp("s", "UTC"))}
    assert schema(given).to_dict() == {"a": "float32", "b": "string?", "c": "int8", "d": "decimal(5, 2)", "e": "timestamp[s, UTC]"}
    assert schema(given, nullable=True).to_dict() == {"a": "float32?", "b": "string?", "c": "int8", "d": "decimal(5, 2)?", "e": "timestamp[s, UTC]?"}
    with pytest.raises((SchemaError, UnsupportedError), match="^column 'late': .*duration"):
        Field("late", pa.duration("us"))
    with pytest.raises(TypeError, match="arrow_schema"):
        schema(Capsule(type("Bad", (), {"__arrow_c_schema__": lambda self: 3})()))


def test_polars_types_get_the_string_to_write():
    pl = pytest.importorskip("polars")
    for x in (pl.Float32, pl.Float32()):
        with pytest.raises(SchemaError):
            Field("x", x)
    with pytest.raises(SchemaError, match="write the string 'float32'"):
        Field("x", pl.Float32)


def test_frames_have_schemas():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    assert schema(pl.DataFrame({"a": [1], "s": ["x"]})).to_dict() == {"a": "int64?", "s": "string?"}
    assert schema(pl.Schema({"a": pl.Int8, "t": pl.Datetime("us", "UTC")})).to_dict() == {"a": "int8?", "t": "timestamp[us, UTC]?"}
    pytest.importorskip("pyarrow")
    assert schema(pd.DataFrame({"a": [1], "s": ["x"]})).to_dict() == {"a": "int64?", "s": "string?"}


def test_arrow_schemas_are_checked_as_others_are():
    pa = pytest.importorskip("pyarrow")
    with pytest.raises(SchemaError, match="'a' is there twice"):
        schema(pa.schema([("a", pa.int64()), ("a", pa.int64())]))
    with pytest.raises((SchemaError, UnsupportedError), match="'late'"):
        schema(pa.schema([("a", pa.int64()), ("late", pa.duration("us"))]))
    with pytest.raises(SchemaError, match="at least one column"):
        schema(pa.schema([]))
    with pytest.warns(UserWarning, match="'A' and 'a'"):
        schema(pa.schema([("A", pa.int64()), ("a", pa.int64())]))


def test_a_schema_is_an_arrow_schema():
    pa = pytest.importorskip("pyarrow")
    s = schema({"a": "int64", "b": "timestamp[us, UTC]?", "c": "decimal(12, 2)", "d": "binary[3]?", "e": "time[ns]"})
    assert pa.schema(s) == pa.schema([
        pa.field("a", pa.int64(), nullable=False), ("b", pa.timestamp("us", "UTC")), pa.field("c", pa.decimal128(12, 2), nullable=False), ("d", pa.binary(3)),
        pa.field("e", pa.time64("ns"), nullable=False),
    ])  # fmt: skip
    assert schema(pa.schema(s)) == s


def test_names_equal_but_for_case_warn():
    with pytest.warns(UserWarning, match="'Value' and 'value' differ in case only"):
        schema({"Value": "int64", "value": "int64"})


def test_reprs_are_short():
    s = schema({f"column{i}": "int64?" for i in range(100)})
    assert repr(s).startswith("<ccpq.Schema column0: int64?, ") and repr(s).endswith("... 92 more>")
    assert repr(s["column3"]) == "Field('column3', 'int64?')"
    assert str(schema({"a": "int64", "long": "string?"})) == "a     int64\nlong  string?"
    assert isinstance(s, Schema)


def test_json_is_a_small_immutable_wrapper():
    j = ccpq.Json({"a": [1]})
    assert (j.value, repr(j), j == ccpq.Json({"a": [1]}), j == ccpq.Json({}), j == {"a": [1]}) == ({"a": [1]}, "Json({'a': [1]})", True, False, False)
    assert pickle.loads(pickle.dumps(j)) == copy.deepcopy(j) == j
    assert len({ccpq.Json(1), ccpq.Json(1), ccpq.Json(None), ccpq.Json("1")}) == 3
    with pytest.raises(TypeError):
        hash(j)
    for change in (lambda: setattr(j, "value", 3), lambda: setattr(j, "more", 3), lambda: delattr(j, "value")):
        with pytest.raises(AttributeError):
            change()
