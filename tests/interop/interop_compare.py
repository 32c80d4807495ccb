"""Does a reader agree? What each reader makes of a type, what counts as equal, and the known exceptions.

A reader that has no type of its own for a column still gives its values: as bytes, in another unit, as a wider float.
`VIEWS` is the one table of these. No value written here loses anything by its view: the expected column is put through it
and must then be equal value for value; of the facts of a column those are compared that the reader tells. Whatever is not
equal then is an exception, which stands in exceptions.toml or fails the run.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from interop_values import FACTS, HEX_KINDS, UNITS, as_hex, tell_float

Column = dict[str, Any]

READERS = ("pyarrow", "duckdb", "polars", "parquet-java", "parquet-go", "hyparquet", "fastparquet")

# reader -> (types, what it makes of them); `*` stands for anything.
VIEWS: dict[str, tuple[tuple[str, str], ...]] = {
    "pyarrow": (("bson", "binary"), ("enum", "binary")),
    "duckdb": (
        ("float16", "float32"), ("bson", "binary"), ("enum", "string"), ("time[ms*", "time[us]"),
        ("time[ns, UTC]", "time[us]"), ("timestamp[ms*", "timestamp[us]"), ("timestamp[s*", "timestamp[us]"),
    ),
    "polars": (("time[*", "time[ns]"), ("uuid", "binary"), ("json", "binary"), ("bson", "binary"), ("enum", "string")),
    "parquet-java": (),
    "parquet-go": (("float16", "two bytes"),),
    "hyparquet": (),
    "fastparquet": (
        ("float16", "two bytes"), ("date", "timestamp[ns]"), ("time[ns*", "int"),
        ("uuid", "binary"), ("bson", "binary"), ("enum", "binary"),
    ),
}  # fmt: skip


def like(pattern: str, text: str) -> bool:
    """`*` stands for anything; brackets, which types are full of, for themselves."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


def _each(column: Column, change: Callable[[str], str], **facts: Any) -> Column:
    return {**facts, "values": [None if v is None else change(v) for v in column["values"]]}


def viewed(column: Column, view: str) -> Column:
    """The column as a view has it: itself, binary, string, int, float32, float64, time[unit], timestamp[unit]."""
    if view in ("itself", "two bytes"):
        return column
    m = re.fullmatch(r"([a-z]+)(?:\[(\w+)\]|(\d+))?", view)
    kind, unit, bits = (m[1], m[2], m[3]) if m else (None, None, None)
    if kind == "binary":
        return as_hex(column)
    if kind == "string" and column["kind"] not in HEX_KINDS:
        return {"kind": "string", "values": column["values"]}
    if kind == "int":
        return {"kind": "int", "values": column["values"]}
    if kind == "float" and column["kind"] == "float":
        fmt, tell = {16: ">e", 32: ">f"}[column["bits"]], tell_float(int(bits))
        widen = lambda v: v if v == "nan" else tell(struct.unpack(fmt, bytes.fromhex(v))[0])  # noqa: E731
        return _each(column, widen, kind="float", bits=int(bits))
    if unit and (kind == column["kind"] or (kind, column["kind"]) == ("timestamp", "date")):
        from_unit = Fraction(1, 86_400) if column["kind"] == "date" else UNITS[column["unit"]]
        factor = Fraction(UNITS[unit]) / from_unit
        facts = {"utc": column["utc"]} if "utc" in column else {}
        return _each(column, lambda v: str(int(v) * factor), kind=kind, unit=unit, **facts)
    raise ValueError(f"a {column['kind']} column is no {view}")


def halves(column: Column) -> Column:
    """A column of two bytes each, little endian, as the floats that they are."""

    def tell(v: str) -> str:
        if len(v) != 4:
            return f"bytes {v}"
        bits = v[2:] + v[:2]
        return "nan" if int(bits, 16) & 0x7FFF > 0x7C00 else bits

    return _each(column, tell, kind="float", bits=16)


def view_of(reader: str, type_text: str) -> str:
    for pattern, view in VIEWS[reader]:
        if like(pattern, type_text):
            return view
    return "itself"


def difference(expected: Column, got: Column) -> str | None:
    """None where the columns are equal, else what is not, with the first value of it."""
    for fact in FACTS:
        if fact in got and fact in expected and got[fact] != expected[fact]:
            return f"{fact} is {got[fact]!r}, not {expected[fact]!r}"
    if got.get("kind") != expected["kind"]:
        return f"kind is {got.get('kind')!r}, not {expected['kind']!r}"
    want, have = expected["values"], got["values"]
    if want == have:
        return None
    if len(want) != len(have):
        return f"{len(have)} values, not {len(want)}"
    wrong = [i for i, (a, b) in enumerate(zip(want, have)) if a != b]
    i = wrong[0]
    return f"{len(wrong)} of {len(want)} values, first value {i}: {_short(have[i])}, not {_short(want[i])}"


def _short(value: str | None) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


# Ways of being wrong that an exception can name: (expected column, what came) -> does it explain every value?


def _values(change: Callable[[str], str | None]) -> Callable[[Column, Column], bool]:
    def way(expected: Column, got: Column) -> bool:
        return got["values"] == [None if v is None else change(v) for v in expected["values"]]

    return way


def _doubles(expected: Column, got: Column) -> bool:
    """Decimals as the doubles near them, to one part in 10**15; nulls as nulls or as NaN."""
    if got["kind"] not in ("float", "decimal_as_double") or len(got["values"]) != len(expected["values"]):
        return False
    for want, have in zip(expected["values"], got["values"]):
        if want is None or have is None or have == "nan":
            if want is not None or have not in (None, "nan"):
                return False
            continue
        exact = int(want) / 10 ** expected["scale"]
        if abs(struct.unpack(">d", bytes.fromhex(have))[0] - exact) > 1e-15 * abs(exact):
            return False
    return True


def _nulls_are_nan(expected: Column, got: Column) -> bool:
    return got["kind"] == "float" and got["values"] == ["nan" if v is None else v for v in expected["values"]]


def _zeros_cut(expected: Column, got: Column) -> bool:
    """Bytes without the zero bytes at their end."""

    def cut(v: str | None) -> str | None:
        return v if v is None else bytes.fromhex(v).rstrip(b"\0").hex()

    if got["kind"] != "binary":
        return False
    if expected["kind"] == "float":
        return halves(_each(got, lambda v: v.ljust(4, "0")))["values"] == expected["values"]
    return got["values"] == [cut(v) for v in as_hex(expected)["values"]]


def _plain_pages_only(expected: Column, got: Column) -> bool:
    """Values of some pages stand at the start or elsewhere, others are null: nothing comes that was not there."""
    return len(got["values"]) == len(expected["values"]) and set(got["values"]) <= {None, *expected["values"]}


WAYS: dict[str, Callable[[Column, Column], bool]] = {
    "doubles": _doubles,
    "nulls are NaN": _nulls_are_nan,
    "zeros cut": _zeros_cut,
    "largest are infinite": _values(lambda v: None if abs(int(v)) == 2**63 - 1 else v),
    "lowest is null": _values(lambda v: None if int(v) == -(2**63) else v),
    "days wrap": _values(lambda v: str((int(v) * 86_400 * 10**9 + 2**63) % 2**64 - 2**63)),
    "values are lost": _plain_pages_only,
    "other values": lambda expected, got: len(got["values"]) == len(expected["values"]),
}


@dataclass(frozen=True)
class Cell:
    """One column of one file in one reader."""

    reader: str
    type: str
    encoding: str
    codec: str
    profile: str
    column: str

    @property
    def case(self) -> str:
        return self.column.removesuffix("_opt")

    @property
    def nulls(self) -> str:
        return "optional" if self.column.endswith("_opt") else "required"


@dataclass
class Known:
    """An entry of exceptions.toml; see there."""

    id: str
    reader: str
    version: str
    what: str
    known: str
    types: list[str]
    encodings: list[str] = field(default_factory=lambda: ["*"])
    columns: list[str] = field(default_factory=lambda: ["*"])
    codecs: list[str] = field(default_factory=lambda: ["*"])
    profiles: list[str] = field(default_factory=lambda: ["*"])
    error: str | None = None
    way: str | None = None

    def __post_init__(self) -> None:
        if self.reader not in READERS:
            raise ValueError(f"exception {self.id}: reader {self.reader!r} is none of {', '.join(READERS)}")
        if (self.error is None) == (self.way is None):
            raise ValueError(f"exception {self.id}: exactly one of `error` and `way` says how it fails")
        if self.way is not None and self.way not in WAYS:
            raise ValueError(f"exception {self.id}: way {self.way!r} is none of {', '.join(WAYS)}")

    def covers(self, cell: Cell) -> bool:
        def among(patterns: list[str], text: str) -> bool:
            return any(like(p, text) for p in patterns)

        return (
            cell.reader == self.reader
            and among(self.types, cell.type)
            and among(self.encodings, cell.encoding)
            and among(self.codecs, cell.codec)
            and among(self.profiles, cell.profile)
            and among(self.columns, cell.column)
        )

    def explains(self, expected: Column, got: Column) -> bool:
        """Is this how the entry says that the reader fails? `got` has an error or values."""
        if "error" in got:
            return self.error is not None and re.search(self.error, got["error"]) is not None
        return self.way is not None and WAYS[self.way](expected, got)


def load_exceptions(path: Path) -> list[Known]:
    import tomllib

    entries = [Known(**e) for e in tomllib.loads(path.read_text(encoding="utf-8")).get("exception", [])]
    ids = [e.id for e in entries]
    for name in ids:
        if ids.count(name) > 1:
            raise ValueError(f"exception {name} stands twice")
    return entries


@dataclass
class Verdict:
    """What all cells came to. `outcomes`: "=" or the id of the exception; `failures`: what fails the run, by message."""

    exceptions: list[Known]
    outcomes: dict[Cell, str] = field(default_factory=dict)
    failures: dict[str, list[Cell]] = field(default_factory=dict)
    covered: set[str] = field(default_factory=set)

    def judge(self, cell: Cell, expected: Column, got: Column) -> None:
        if "error" in got:
            wrong: str | None = "error: " + got["error"]
        else:
            view = view_of(cell.reader, cell.type)
            as_read = halves(got) if view == "two bytes" and got.get("kind") == "binary" else got
            wrong = difference(viewed(expected, view), as_read)
        covering = [e for e in self.exceptions if e.covers(cell)]
        self.covered.update(e.id for e in covering)
        if wrong is None:
            self.outcomes[cell] = "="
            return
        for e in covering:
            if e.explains(expected, got):
                self.outcomes[cell] = e.id
                return
        self.outcomes[cell] = "!"
        known = f" (not as exception {covering[0].id} says)" if covering else ""
        self._fail(f"{cell.reader} {cell.type}{known}: {wrong}", cell)

    def _fail(self, message: str, cell: Cell) -> None:
        self.failures.setdefault(message, []).append(cell)

    def finish(self, readers: set[str]) -> None:
        """After the last cell: every exception of a reader that ran must still be one."""
        still = set(self.outcomes.values())
        for e in self.exceptions:
            if e.reader in readers and e.id not in still:
                why = "it reads all of this now" if e.id in self.covered else "nothing is written that it covers"
                self.failures[f"{e.reader}: the known exception {e.id} is none any more, {why}: delete its entry"] = []
