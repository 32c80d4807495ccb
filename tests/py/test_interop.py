"""The pure parts of `make interop`: canonical values, comparison, known exceptions, labels of encodings, the page.

No foreign reader runs here; what they print is made up, right and wrong.
"""

import json
import math
import re
import struct
import sys
from dataclasses import replace
from datetime import date, time
from decimal import Decimal

import ccpq
import pytest
from conftest import ROOT
from model import read_table

INTEROP = ROOT / "tests" / "interop"
sys.path.insert(0, str(INTEROP))
import interop_cases as cases  # noqa: E402
import interop_compare as compare  # noqa: E402
import interop_inspect as inspect_  # noqa: E402
import interop_page as pages  # noqa: E402
import interop_readers as readers  # noqa: E402
from interop_values import as_hex, column, tell_decimal, tell_float  # noqa: E402

TYPES = {t.text: t for t in cases.types()}


def values_of(t):
    return [*t.edges, *t.extremes, None]


# values

@pytest.mark.parametrize("bits, value, text", [
    (64, 1.5, "3ff8000000000000"), (64, 0.0, "0000000000000000"), (64, -0.0, "8000000000000000"),
    (32, math.inf, "7f800000"), (16, -2.0, "c000"), (16, math.nan, "nan"), (64, -math.nan, "nan"),
])  # fmt: skip
def test_floats_are_told_by_their_bits(bits, value, text):
    assert tell_float(bits)(value) == text


def test_decimals_are_told_unscaled():
    top = Decimal("9" * 28 + "." + "9" * 10)
    assert tell_decimal(10)(top) == "9" * 38
    assert tell_decimal(2)(Decimal("-1.5")) == "-150" and tell_decimal(0)(Decimal("1E+3")) == "1000"
    with pytest.raises(ValueError, match="more than 1 digits"):
        tell_decimal(1)(Decimal("0.25"))


@pytest.mark.parametrize("text, values, told", [
    ("date", [date(1970, 1, 2), date(1, 1, 1)], ["1", "-719162"]),
    ("time[ms]", [time(0, 0, 1)], ["1000"]),
    ("time[ns, UTC]", [time(23, 59, 59, 999_999)], ["86399999999000"]),
    ("timestamp[s]", [-1, 2], ["-1000", "2000"]),
    ("timestamp[us, UTC]", [5, None], ["5", None]),
    ("bool", [True, False], ["true", "false"]),
    ("binary[1]", [b"\x80"], ["80"]),
    ("json", ['{"a": 1}'], ['{"a": 1}']),
])  # fmt: skip
def test_values_of_types_are_told(text, values, told):
    assert TYPES[text].told(values)["values"] == told


@pytest.mark.parametrize("t", TYPES.values(), ids=TYPES)
def test_edges_are_told_apart(t):
    values = [*t.edges, *t.extremes]
    told = t.told(values)
    assert len(set(told["values"])) == len({repr(v) for v in values})
    assert json.loads(json.dumps(told)) == told


# comparison

@pytest.mark.parametrize("t", TYPES.values(), ids=TYPES)
def test_difference_finds_every_wrong_value(t):
    values = values_of(t)
    right = t.told(values)
    assert compare.difference(right, t.told(values)) is None
    for i, v in enumerate(values):
        other = None if v is not None else values[0]
        found = compare.difference(right, t.told([*values[:i], other, *values[i + 1 :]]))
        assert found is not None and f"first value {i}:" in found
    assert "values, not" in compare.difference(right, t.told(values[:-1]))


def test_difference_finds_wrong_facts():
    right = TYPES["timestamp[us, UTC]"].told([1])
    assert compare.difference(right, {**right, "unit": "ms"}) == "unit is 'ms', not 'us'"
    assert compare.difference(right, {**right, "utc": False}) == "utc is False, not True"
    assert "kind" in compare.difference(right, {**right, "kind": "int"})
    assert compare.difference(right, {k: v for k, v in right.items() if k not in ("unit", "utc")}) is None  # not told


def test_difference_finds_signs_of_zero_and_swapped_rows():
    t = TYPES["float32"]
    assert compare.difference(t.told([0.0]), t.told([-0.0]))
    assert compare.difference(t.told([1.0, 2.0]), t.told([2.0, 1.0])).startswith("2 of 2 values")


@pytest.mark.parametrize("reader", compare.READERS)
def test_views_keep_values_apart(reader):
    for t in TYPES.values():
        view, values = compare.view_of(reader, t.text), values_of(t)
        seen = compare.viewed(t.told(values), view)["values"]
        assert len(set(seen)) == len({repr(v) for v in values}), (t.text, view)
        assert all(v is None or "/" not in v for v in seen) or t.kind in ("json", "string"), (t.text, view)


def test_views_convert():
    assert compare.viewed(TYPES["date"].told([date(1970, 1, 3)]), "timestamp[ns]")["values"] == ["172800000000000"]
    assert compare.viewed(TYPES["float16"].told([1.5, math.nan]), "float32")["values"] == ["3fc00000", "nan"]
    assert compare.viewed(TYPES["timestamp[s]"].told([1]), "timestamp[us]")["unit"] == "us"
    assert as_hex(TYPES["enum"].told(["\u03bb"]))["values"] == ["cebb"]
    halves = column("binary", [struct.pack("<e", v) for v in (1.5, -0.0, math.nan)])
    assert compare.difference(TYPES["float16"].told([1.5, -0.0, math.nan]), compare.halves(halves)) is None
    for text, view in (("uuid", "string"), ("int8", "time[us]"), ("bool", "nothing at all")):
        with pytest.raises(ValueError, match="is no"):
            compare.viewed(TYPES[text].told([]), view)


@pytest.mark.parametrize("pattern, text, yes", [
    ("*", "anything", True), ("time[ms*", "time[ms, UTC]", True), ("time[ms]", "time[ms, UTC]", False),
    ("decimal(1*", "decimal(10, 0)", True), ("binary[*", "binary", False), ("dict*+plain", "dict16+plain", True),
])  # fmt: skip
def test_like(pattern, text, yes):
    assert compare.like(pattern, text) is yes


# known exceptions

CELL = compare.Cell("hyparquet", "int8", "plain", "zstd", "default", "few_opt")
ENTRY = {"id": "e", "reader": "hyparquet", "version": "1", "what": "w", "known": "k", "types": ["int*"]}
GOOD = column("int", [1, None, 3], bits=8, signed=True)


def judged(got, *entries, cell=CELL):
    verdict = compare.Verdict([compare.Known(**{**ENTRY, **e}) for e in entries])
    verdict.judge(cell, GOOD, got)
    verdict.finish({"hyparquet"})
    return verdict


def test_equal_passes_and_wrong_fails():
    assert judged(GOOD).failures == {}
    for got in ({"error": "no such codec"}, {**GOOD, "values": ["1", None, "4"]}, {**GOOD, "values": []}):
        verdict = judged(got)
        assert verdict.outcomes == {CELL: "!"} and list(verdict.failures.values()) == [[CELL]]


def test_known_exception_passes():
    assert judged({"error": "Error: no such codec"}, {"error": "such codec$"}).failures == {}
    assert judged({**GOOD, "values": ["1", None, "4"]}, {"way": "other values"}).outcomes == {CELL: "e"}


def test_exception_that_no_longer_fails_is_an_error():
    [message] = judged(GOOD, {"error": "x"}).failures
    assert "hyparquet" in message and "e is none any more" in message and "delete" in message
    [message] = judged(GOOD, {"types": ["bool"], "error": "x"}).failures
    assert "nothing is written that it covers" in message


def test_exception_of_a_reader_that_did_not_run_is_left_alone():
    verdict = compare.Verdict([compare.Known(**ENTRY, error="x")])
    verdict.finish({"pyarrow"})
    assert verdict.failures == {}


@pytest.mark.parametrize("entry", [
    {"error": "another error"}, {"way": "doubles"}, {"types": ["uint*"]}, {"codecs": ["none"]}, {"columns": ["few"]},
    {"profiles": ["modern"]}, {"encodings": ["dict*"]}, {"reader": "duckdb"},
])  # fmt: skip
def test_exception_excuses_nothing_else(entry):
    entry = entry if "error" in entry or "way" in entry else {"error": "such codec", **entry}
    assert judged({"error": "no such codec"}, entry).outcomes == {CELL: "!"}


@pytest.mark.parametrize("entry, words", [
    ({}, "exactly one"), ({"error": "x", "way": "doubles"}, "exactly one"), ({"way": "somehow"}, "none of"),
    ({"error": "x", "reader": "spark"}, "none of"),
])  # fmt: skip
def test_entries_are_checked(entry, words):
    with pytest.raises(ValueError, match=words):
        compare.Known(**{**ENTRY, **entry})


@pytest.mark.parametrize("way, text, values, came", [
    ("doubles", "decimal(9, 2)", [Decimal("0.30"), None], column("float", [0.1 + 0.2, math.nan], bits=64)),
    ("nulls are NaN", "float64", [1.0, None], column("float", [1.0, math.nan], bits=64)),
    ("zeros cut", "binary[5]", [b"ab\0\0\0", None], column("binary", [b"ab", None])),
    ("zeros cut", "float16", [0.0, 1.0], column("binary", [b"", b"\0\x3c"])),
    ("largest are infinite", "timestamp[us]", [2**63 - 1, 5], column("timestamp", [None, 5])),
    ("lowest is null", "timestamp[us]", [-(2**63), 5], column("timestamp", [None, 5])),
    ("days wrap", "date", [date(1970, 1, 2), date.max], column("timestamp", [86_400 * 10**9, -4_852_202_631_933_722_624])),
    ("values are lost", "string", ["a", "b"], column("string", [None, "b"])),
])  # fmt: skip
def test_ways_explain_what_they_say(way, text, values, came):
    expected = TYPES[text].told(values)
    assert compare.WAYS[way](expected, came)
    spoilt = {**came, "values": [*came["values"][:-1], "7" * 16]}
    assert not compare.WAYS[way](expected, spoilt)
    assert not compare.WAYS[way](expected, {**came, "values": came["values"][:-1]})


def test_exceptions_file():
    pytest.importorskip("tomllib")
    entries = compare.load_exceptions(INTEROP / "exceptions.toml")
    assert entries
    for e in entries:
        assert e.what and e.known and any(compare.like(p, t) for p in e.types for t in TYPES), e.id


# files

@pytest.mark.parametrize("text", ["bool", "int32", "float64", "string"])
@pytest.mark.parametrize("codec", cases.CODECS)
def test_files_hold_the_cases(tmp_path, text, codec):
    file = cases.File(TYPES[text], codec, "default")
    path = cases.write(ccpq, file, tmp_path)
    assert inspect_.codecs(path) == {codec}
    labels, back = inspect_.labels(path), read_table(path)
    assert list(labels) == list(back) == list(file.schema())
    for name, expected in file.expected().items():
        assert file.type.told(back[name]) == expected
    if text != "bool":
        assert labels["few"] == ("dict8" if codec == "zstd" else "dict")
    assert text != "int32" or labels["ramp"] == "delta"
    assert "plain" in labels["fresh"].split("+")


@pytest.mark.parametrize("codec", cases.CODECS)
def test_files_made_by_hand_have_wide_indexes(tmp_path, codec):
    file = cases.File(TYPES["string"], codec, "hand", "hand")
    path = cases.write(ccpq, file, tmp_path)
    for name, label in inspect_.labels(path).items():
        assert label == "dict" + re.sub(r"\D", "", name)
    back = read_table(path)
    assert {n: file.type.told(v) for n, v in back.items()} == file.expected()


def test_every_type_has_its_files():
    files = cases.files(list(TYPES.values()), list(cases.PROFILES))
    assert len({f.name for f in files}) == len(files)
    for t in TYPES.values():
        mine = {(f.codec, f.profile) for f in files if f.type is t and f.content == "cases"}
        assert mine == {(c, p) for c in cases.CODECS for p in cases.PROFILES}


# page and pins

def test_page_shows_what_was_found():
    t = TYPES["int8"]
    file, hand = cases.File(t, "zstd", "default"), cases.File(TYPES["int32"], "zstd", "hand", "hand")
    found = {file: {"few": "dict8", "turns": "dict8+delta"}, hand: {"packed24": "dict24"}}
    verdict = compare.Verdict([compare.Known(**ENTRY, error="such codec")])
    for f, labels in found.items():
        for name, label in labels.items():
            cell = compare.Cell("hyparquet", f.type.text, label, f.codec, f.profile, name)
            verdict.judge(cell, GOOD, {"error": "no such codec"} if name == "turns" else GOOD)
    text = pages.page(verdict, found, {"modern": "not yet"}, {"hyparquet": "1.31.5"})
    assert "| `int8` | dict | = |\n|  | mixed | 1 |\n" in text
    assert "| 24 bits | `int32` | = |" in text
    assert "| 1 | `e` | w | `int8`; `default`; required | k |" in text
    assert "| `modern` | not yet |" in text and "| hyparquet | 1.31.5 |" in text
    wrong = replace(CELL, reader="hyparquet")
    verdict.judge(wrong, GOOD, {"error": "boom"})
    assert "WRONG" in pages.page(verdict, found, {}, {"hyparquet": "1.31.5"})


def test_page_names_the_pinned_versions():
    text = (ROOT / "docs" / "interop.md").read_text(encoding="utf-8")
    pins = dict(line.split("==") for line in readers.REQUIREMENTS.read_text().split())
    for name, file, pattern in (
        ("parquet-java", "java/pom.xml", r"<artifactId>parquet-hadoop</artifactId>\s*<version>(.*?)<"),
        ("parquet-go", "go/go.mod", r"parquet-go/parquet-go v(\S+)"),
    ):
        pins[name] = re.search(pattern, (INTEROP / file).read_text())[1]
    pins["hyparquet"] = json.loads((INTEROP / "js/package.json").read_text())["dependencies"]["hyparquet"]
    for name, reader in readers.READERS.items():
        assert f"| {reader.title} | {pins[name]} |" in text


def test_lock_names_no_registry():
    packages = json.loads((INTEROP / "js/package-lock.json").read_text())["packages"]
    assert not any("resolved" in p for p in packages.values())
    assert all("integrity" in p for name, p in packages.items() if name)
