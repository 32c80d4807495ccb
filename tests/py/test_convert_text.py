"""Text and bytes as rows: enum, json, uuid, binary[N], bson, and what a string column says to things that have a text."""

import collections
import enum
import io
import json
import math
import sys
import uuid
from decimal import Decimal
from pathlib import Path

import ccpq
import pytest
from api_readback import column, compact, need, refused, write

try:
    import pyarrow  # noqa: F401 (where it is made unimportable, numpy is too, and hypothesis stumbles over that)
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:
    given = None

TYPE, VALUE = ccpq.RowTypeError, ccpq.RowValueError
UIDS = [uuid.UUID(int=n) for n in (0, 1, 2**128 - 1, 2**127, 2**64, 2**64 - 1, 0x0102030405060708090A0B0C0D0E0F10)]


class Color(enum.Enum):
    RED, FIVE, NAN = "rëd", 5, math.nan


class Word(str, enum.Enum):
    RED = "red"

    def __str__(self):
        raise AssertionError


class Number(enum.IntEnum):
    FIVE = 5


# -- enum and string ----------------------------------------------------------------------------------------------------


def test_enum_columns():
    assert column("enum", ["a", "", "rëd", Color.RED, Word.RED]) == ["a", "", "rëd", "rëd", "red"]
    many = ["a", "b", Color.RED] * 300
    assert column("enum?", [*many, None]) == [*("a", "b", "rëd") * 300, None]
    for bad in (Color.FIVE, Color.NAN):
        refused("enum", bad, TYPE, "only members whose value is a str are text")
    for bad in (Number.FIVE, 5, 1.5, Path("x"), UIDS[0], ["a"], object()):
        refused("enum", bad, TYPE, "in an enum column; write str(value)")
    refused("enum", b"a", TYPE, "b'a' (bytes) in an enum column; decode it")


def test_strings_of_enums():
    assert column("string", [Word.RED]) == ["red"]
    refused("string", Color.RED, TYPE, "<Color.RED: 'rëd'> (Color) in a string column; write value.value or value.name")
    refused("string", Color.FIVE, TYPE, "write value.value or value.name")
    for bad in (UIDS[0], Path("x"), Number.FIVE, Decimal(1)):
        refused("string", bad, TYPE, "write str(value) if its text is meant")


@pytest.mark.parametrize("type_", ["string", "enum", "json"])
def test_lone_surrogates(type_):
    for bad in ("\ud800", "é漢\udc80", "\U0001f600\ud800"):
        refused(type_, bad, VALUE, "has a lone surrogate at index", "which no UTF-8 can hold")
    if type_ == "json":
        refused(type_, {"a": "\ud800"}, VALUE, "has a lone surrogate at index")

    class Bad(str):
        def __repr__(self):
            row.clear()
            raise ValueError

    row = []
    row += [Bad("\ud800"), 1]
    with pytest.raises(ccpq.RowValueError, match="<Bad object> has a lone surrogate"):
        write({"a": type_, "b": "int8"}, [row])


def test_a_member_whose_value_raises():
    boom = KeyError("mine")

    class Broken(enum.Enum):
        A = "a"

        @property
        def value(self):
            raise boom

    with pytest.raises(KeyError) as info:
        write({"c": "enum"}, [(Broken.A,)])
    assert info.value is boom


# -- bytes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 300])
def test_fixed_bytes(n):
    class Bytes(bytes):
        def __bytes__(self):
            raise AssertionError

    raw = bytes(i * 7 % 256 for i in range(n))
    values = [raw, bytearray(raw), memoryview(raw), Bytes(raw), memoryview(bytes(2 * n))[::2], bytes(n), b"\xff" * n]
    assert column(f"binary[{n}]", values) == [raw, raw, raw, raw, bytes(n), bytes(n), b"\xff" * n]
    for bad in (b"", raw[:-1], raw + b"x", bytearray(n + 1), memoryview(bytes(n + 3)), raw * 2, Bytes(n + 1)):
        size = len(bad)
        refused(f"binary[{n}]", bad, VALUE, f"in a binary[{n}] column: it has {size} byte{'s' * (size != 1)}, {n} are needed")
    for bad in ("x" * n, n, [0] * n, None.__class__, 1.5, UIDS[0]):
        refused(f"binary[{n}]", bad, TYPE, f"in a binary[{n}] column")


def test_ints_are_no_bytes():
    """bytes(5) would be five zeros: no such advice."""
    assert "bytes(" not in str(refused("binary", 5, TYPE))
    refused("binary", Path("x"), TYPE, "write bytes(value) if its bytes are meant")


def test_bson():
    assert column("bson", [b"\5\0\0\0\0", bytearray(b""), memoryview(b"ab")]) == [b"\5\0\0\0\0", b"", b"ab"]
    refused("bson", {}, TYPE, "{} (dict) in a bson column")
    refused("bson", "x", TYPE, "encode it")


# -- uuid ---------------------------------------------------------------------------------------------------------------


class Mine(uuid.UUID):
    def __str__(self):
        raise AssertionError

    __repr__ = __int__ = __eq__ = __str__
    __hash__ = uuid.UUID.__hash__
    bytes = property(__str__)


class Lazy(uuid.UUID):
    """As a database driver has it: the number is a property of its own."""

    __slots__ = ("number",)

    def __init__(self, number):
        object.__setattr__(self, "number", number)

    int = property(lambda self: self.number)
    __repr__ = object.__repr__


def test_uuids():
    values = [*UIDS, *(u.bytes for u in UIDS), bytearray(UIDS[-1].bytes), memoryview(UIDS[-1].bytes)]
    assert column("uuid", values) == [*UIDS, *UIDS, UIDS[-1], UIDS[-1]]
    assert column("uuid", [Mine(int=5), Lazy(7), uuid.uuid4().__class__(int=9)]) == [uuid.UUID(int=n) for n in (5, 7, 9)]


@pytest.mark.parametrize("bad", [-1, 2**128, 2**400, "x", 1.5, None])
def test_uuids_that_are_none(bad):
    refused("uuid", Lazy(bad), VALUE, "its `int` is no number of 128 bits")


def test_a_uuid_that_raises():
    boom = KeyError("mine")

    class Broken(uuid.UUID):
        @property
        def int(self):
            raise boom

    v = Broken.__new__(Broken)
    with pytest.raises(KeyError) as info:
        write({"c": "uuid"}, [(v,)])
    assert info.value is boom


def test_what_is_no_uuid():
    for text in (str(UIDS[1]), UIDS[1].hex, "", "x"):
        refused("uuid", text, TYPE, "(str) in a uuid column; write uuid.UUID(value)")
    for bad in (5, 1.5, True, (1,) * 16, [1] * 16, object()):
        refused("uuid", bad, TYPE, "it takes uuid.UUID or 16 bytes")
    for bad in (b"", UIDS[1].bytes[:15], UIDS[1].bytes + b"x", bytearray(17)):
        refused("uuid", bad, VALUE, f"it has {len(bad)} bytes, 16 are needed")


# -- json ---------------------------------------------------------------------------------------------------------------

DOCUMENTS = [
    {}, [], {"b": 1, "a": [1, 2.5, None, True, False, "x"]}, [[[]], {}, [{}]], {"ü": "漢\U0001f600", "": "\n\"\\\0\x7f"}, [10**40, -1, 0, 1e300, -0.0, 5e-324, 0.1],
    {"k": (1, 2, ("x",))}, collections.OrderedDict(z=1, a=2), collections.defaultdict(list, a=[1]), [Number.FIVE, Word.RED], [""] * 500, {"deep": {"er": [{"still": None}]}},
]  # fmt: skip


def test_documents():
    found = column("json", DOCUMENTS)
    assert found == [compact(d) for d in DOCUMENTS]
    assert json.loads(found[4]) == DOCUMENTS[4] and list(json.loads(found[7])) == ["z", "a"]


def test_given_text_is_taken_verbatim():
    texts = ["{ }", '{"a" : 1.0}', "5", "null", "not JSON", "", '"é漢"']
    assert column("json", texts) == texts
    assert column("json", [t.encode() for t in texts]) == texts
    for bad in (b"\xff", b"\xed\xa0\x80", b"a\xc3"):
        refused("json", bad, VALUE, "(bytes) in a json column; its bytes are no UTF-8")
    for bad in (bytearray(b"{}"), memoryview(b"{}")):
        refused("json", bad, TYPE, "in a json column; it takes dict, list, ccpq.Json(value), or JSON text")


def test_scalars():
    scalars = [None, True, False, 0, -5, 10**30, 1.5, "", "é", [], {"a": None}, ["x"]]
    assert column("json", [ccpq.Json(v) for v in scalars]) == [compact(v) for v in scalars]
    assert column("json?", [None, ccpq.Json(None)]) == [None, "null"]
    for bad in (5, True, False, 1.5, math.nan, Number.FIVE, 10**30):
        refused("json", bad, TYPE, "in a json column; write ccpq.Json(value) if a JSON scalar is meant")
    refused("json", (1, 2), TYPE, "(1, 2) (tuple) in a json column; write list(value)")


BAD_DOCUMENTS = [
    *((d, VALUE, "not JSON compliant") for d in ([math.nan], {"a": [math.inf]}, [{"b": -math.inf}], ccpq.Json(math.nan))),
    *((d, TYPE, "is not JSON serializable") for d in ([object()], {"a": {1, 2}}, [b"x"], {"d": Decimal(1)}, [UIDS[0]], ccpq.Json(Decimal(1)), [ccpq.Json(1)])),
    *((d, TYPE, f"has the key {k}: keys of JSON objects are text") for d, k in [
        ({1: 2}, "1 (int)"), ({"a": {True: 1}}, "True (bool)"), ([{"a": [({None: 1},)]}], "None (NoneType)"), ({1.5: 0}, "1.5 (float)"), (ccpq.Json({0: 1}), "0 (int)"),
        ({"x": 1, "y": collections.OrderedDict([(3, 4)])}, "3 (int)")]),
    ({(1, 2): 3}, TYPE, "keys must be str"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "cls", "words"), BAD_DOCUMENTS, ids=lambda d: repr(d)[:40])
def test_documents_that_are_none(document, cls, words):
    refused("json", document, cls, "in a json column", words)


def nested(n):
    top = inner = {}
    for _ in range(n):
        inner["a"] = inner = {}
    return top


def test_endless_documents():
    ring = [1]
    ring.append({"again": ring})
    refused("json", ring, VALUE, "Circular reference")
    deep = nested(100_000)
    with pytest.raises(ccpq.RowValueError, match="in a json column") as info:
        write({"c": "json"}, [(deep,)])
    assert info.value.value is deep
    del info
    while deep:
        deep = deep.pop("a")  # so that its end is no recursion either
    fine = nested(50)
    assert column("json", [fine]) == [compact(fine)]


def test_an_encoder_survives_what_it_refused():
    """The containers that it was inside of when it failed are not taken for a circle later."""
    shared = {"x": [1, 2, object()]}
    errors = []
    f = io.BytesIO()
    with ccpq.Writer(f, {"c": "json"}) as w:
        for _ in range(3):
            w.write_rows([([shared, shared],), ({"y": shared},)], on_error=errors.append)
        shared["x"].pop()
        w.write_rows([([shared, shared],), ({"y": shared},)])
    assert len(errors) == 6 and w.report.rows == 2


def test_a_document_that_changes_while_it_is_read():
    class Items(dict):
        def items(self):
            row.clear()
            inner.clear()
            return [("k", "v" * 50), (key, 2)]

    for key, words in [(5, r"the key 5 \(int\)"), ("x", "0 values in the row, 2 are needed")]:
        row, inner = [], ["y" * 50]
        inner.append(Items(z=1))
        row += [{"a": inner, "b": Items()}, "x" * 50]
        with pytest.raises(ccpq.RowError, match=words):
            write({"a": "json", "b": "string"}, [row])

    class Raising(dict):
        def items(self):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        write({"c": "json"}, [({"a": Raising(b=1)},)])


def test_large_ints():
    n = 10 ** (sys.get_int_max_str_digits() + 1) if hasattr(sys, "get_int_max_str_digits") else None
    if n is None:
        pytest.skip("this Python writes ints of any size")
    with pytest.raises(ccpq.RowValueError, match="in a json column: Exceeds the limit"):
        write({"c": "json"}, [([n],)])


def test_numpy_and_pandas():
    np, pd = need("numpy", "pandas")
    assert column("json?", [pd.NA, pd.NaT, ["x"]]) == [None, None, '["x"]']
    assert column("json", [[np.float64(1.5), np.str_("x")]]) == ['[1.5,"x"]']
    refused("json", [np.int64(5)], TYPE, "is not JSON serializable")
    refused("json", np.int64(5), TYPE, "ccpq.Json(value)")
    refused("json", np.array([1]), TYPE, "(ndarray) in a json column")
    assert column("uuid", [np.bytes_(UIDS[-1].bytes)]) == [UIDS[-1]]
    assert column("enum", [np.str_("x")]) == ["x"]


def test_refusals_leave_nothing():
    schema = {"j": "json?", "u": "uuid?", "f": "binary[3]?", "e": "enum?"}
    good = [({"i": i}, UIDS[i % 7], b"abc", "e") if i % 5 else (None,) * 4 for i in range(200)]
    bad = [({"i": object()}, UIDS[0], b"abc", "e"), ({}, "x", b"abc", "e"), ({}, UIDS[0], b"ab", "e"), ({}, UIDS[0], b"abc", 5), ({1: 2}, None, None, None)]
    skipped = []
    f = io.BytesIO()
    with ccpq.Writer(f, schema) as w:
        w.write_rows([r for g in good for r in (*bad, g)], on_error=skipped.append)
    assert len(skipped) == 1000
    assert f.getvalue() == write(schema, good)


if given:
    SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    DOCS = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4), max_leaves=15)

    @settings(max_examples=100)
    @given(st.lists(DOCS, max_size=10))
    def test_any_document(documents):
        given_ = [d if isinstance(d, (dict, list)) else ccpq.Json(d) for d in documents]
        assert column("json", given_) == [compact(d) for d in documents]

    @settings(max_examples=50)
    @given(st.lists(st.uuids() | st.none(), max_size=20))
    def test_any_uuid(values):
        assert column("uuid?", values) == values
        assert column("uuid?", [v and v.bytes for v in values]) == values
