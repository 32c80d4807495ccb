"""What is written: every type, columns whose values call for each encoding, the codecs and the profiles; and the files.

A case is a nature of values ("ramp", "few", ...). A file holds one type in one codec and one profile, with two columns for
every case, required (`ramp`) and optional (`ramp_opt`); its values depend on the type alone. Which encodings a file really
took is read from the file (interop_inspect.py), never assumed.

Beside what ccpq writes there are files made by hand (tests/model/handmade.py), whose dictionary indexes are wider than
need be: every width in whole bytes that the writer may choose one day is tried on every reader today.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import random
import re
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from interop_values import UNITS, Tell, column, teller
from model.handmade import build
from model.handmade_parts import ColumnSpec, FileSpec, PageSpec, dictionary_ids, rle_runs

CODECS = ("none", "snappy", "zstd")
PROFILES = ("compat", "default", "modern")
ROWS = 1200
# Small pages and groups, so that every column has several of both.
WRITER_OPTIONS = {"row_group_size": 900, "data_page_size": 2048, "memory_limit": "64MiB", "durability": "none"}
FULL_ROWS = 34 * 8192
FULL_OPTIONS = {"data_page_size": 65_536, "memory_limit": "256MiB", "durability": "none"}
FULL_TYPES = ("int64", "string")
HAND_TYPES = ("int32", "int64", "float64", "string")
HAND_WIDTHS = (8, 16, 24)

Make = Callable[[random.Random], Any]


@dataclass(frozen=True, eq=False)
class Type:
    """A column type in ccpq's words.

    `fresh` makes a value of its own, `ramp` the i-th of slowly growing values (None: the type has no such), `edges` are the
    values at which something could break, `extremes` those that the type holds but the types of some readers do not.
    """

    text: str
    kind: str
    fresh: Make
    ramp: Callable[[int], Any] | None
    edges: tuple[Any, ...]
    extremes: tuple[Any, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    tell: Tell | None = None

    @property
    def as_file_name(self) -> str:
        return "".join(c if c.isalnum() else "-" for c in self.text).strip("-").replace("--", "-")

    def told(self, values: list[Any]) -> dict[str, Any]:
        """The column in the canonical form."""
        tell = self.tell or teller(self.kind, bits=self.facts.get("bits", 64), scale=self.facts.get("scale", 0))
        return column(self.kind, values, tell, **self.facts)


def _integer(bits: int, signed: bool) -> Type:
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    step, span = {8: 1, 16: 16}.get(bits, 977), high - low + 1
    return Type(
        f"{'' if signed else 'u'}int{bits}", "int",
        lambda rng: rng.randint(low, high),
        lambda i: low + (span // 3 + i * step) % span,
        (low, low + 1, 0, 1, high // 2, high // 2 + 1, high - 1, high) + ((-1,) if signed else ()),
        facts={"bits": bits, "signed": signed},
    )  # fmt: skip


def _float(bits: int) -> Type:
    fmt = {16: "<e", 32: "<f", 64: "<d"}[bits]

    def rounded(x: float) -> float:
        return struct.unpack(fmt, struct.pack(fmt, x))[0]

    def fresh(rng: random.Random) -> float:
        if rng.random() < 0.05:
            return rng.choice((math.nan, math.inf, -math.inf, 0.0, -0.0))
        return struct.unpack(fmt, rng.randbytes(bits // 8))[0]

    tiny, normal = {16: (2.0**-24, 2.0**-14), 32: (2.0**-149, 2.0**-126), 64: (5e-324, 2.0**-1022)}[bits]
    huge = {16: 65504.0, 32: struct.unpack("<f", b"\xff\xff\x7f\x7f")[0], 64: 1.7976931348623157e308}[bits]
    edges = [0.0, tiny, normal, 1.0, huge, math.inf]
    return Type(
        f"float{bits}", "float", fresh,
        lambda i: rounded(20 * math.sin(i / 50) + 100 + math.sin(i * 1.7) / 64),
        (*edges, *(-x for x in edges), math.nan),
        facts={"bits": bits},
    )  # fmt: skip


_LETTERS = "abcdefgh-0123456789\u00e4\u03bb\u65e5\U0001f600"


def _text(rng: random.Random) -> str:
    return "".join(rng.choice(_LETTERS) for _ in range(rng.choice((3, 8, 8, 20, 70))))


_TEXT_EDGES = ("", "\0", "a", "a\0", "\x7f", "\u07ff", "\ud7ff", "\ufeff", "\uffff", "\U0010ffff", "x" * 64,
               "\U0010ffff" * 20, "e\u0301", 'say "no"\n', "y" * 3000)  # fmt: skip


def _document(rng: random.Random) -> str:
    return json.dumps({"job": rng.randrange(10**6), "tags": [_text(rng)], "load": rng.random()}, separators=(",", ":"),
                      ensure_ascii=False)


def _bson(number: int) -> bytes:
    """The BSON document {"n": number}: total size, one int64 element, the closing zero."""
    body = b"\x12n\0" + struct.pack("<q", number) + b"\0"
    return struct.pack("<i", 4 + len(body)) + body


def _days(value: dt.date) -> str:
    return str(value.toordinal() - dt.date(1970, 1, 1).toordinal())


def _time(unit: str, utc: bool) -> Type:
    per = UNITS[unit]
    micros = min(per, 10**6)  # a datetime.time holds microseconds

    def at(count: int) -> dt.time:
        us = count * (10**6 // micros)
        return dt.time(us // 3_600_000_000, us // 60_000_000 % 60, us // 10**6 % 60, us % 10**6)

    def tell(value: dt.time) -> str:
        us = ((value.hour * 60 + value.minute) * 60 + value.second) * 10**6 + value.microsecond
        return str(us * per // 10**6)

    day = 86_400 * micros
    return Type(
        f"time[{unit}{', UTC' if utc else ''}]", "time",
        lambda rng: at(rng.randrange(day)), lambda i: at((6 * 3600 + i * 30) * micros % day),
        (at(0), at(1), at(day // 2), at(day - 1)),
        facts={"unit": unit, "utc": utc}, tell=tell,
    )  # fmt: skip


def _timestamp(unit: str, utc: bool) -> Type:
    per = UNITS[unit]
    stored = "ms" if unit == "s" else unit
    first, last = -6_000_000_000 * per, 7_000_000_000 * per  # the years 1779 to 2191: within 64 bits of nanoseconds
    years = (-62_135_596_800 * per, 253_402_300_800 * per - 1)  # 1 to 9999
    room = 2**63 // (UNITS[stored] // per)
    edges = (first, -1, 0, 1, last) + (years if unit != "ns" else ())
    return Type(
        f"timestamp[{unit}{', UTC' if utc else ''}]", "timestamp",
        lambda rng: rng.randint(first, last), lambda i: 1_700_000_000 * per + i * 60 * per,
        edges, (-room, 1 - room, room - 1),
        facts={"unit": stored, "utc": utc}, tell=lambda v: str(v * (UNITS[stored] // per)),
    )  # fmt: skip


def _decimal(precision: int, scale: int) -> Type:
    top = 10**precision - 1

    def at(unscaled: int) -> Decimal:
        return Decimal((int(unscaled < 0), tuple(map(int, str(abs(unscaled)))), -scale))

    return Type(
        f"decimal({precision}, {scale})", "decimal",
        lambda rng: at(rng.randint(-top, top)), lambda i: at(i * 25 % top),
        tuple(at(v) for v in (-top, -1, 0, 1, top // 2, top)),
        facts={"precision": precision, "scale": scale},
    )  # fmt: skip


def _fixed(n: int) -> Type:
    return Type(f"binary[{n}]", "binary", lambda rng: rng.randbytes(n), lambda i: i.to_bytes(4, "big").rjust(n, b"k")[-n:],
                (b"\0" * n, b"\xff" * n, b"\x80" + b"\0" * (n - 1), b"k" * n), facts={"length": n})  # fmt: skip


def types() -> list[Type]:
    first, last = dt.date(1680, 1, 1).toordinal(), dt.date(2250, 1, 1).toordinal()
    sorted_text = "node{:04}/cpu_load/socket".format
    return [
        Type("bool", "bool", lambda rng: rng.random() < 0.5, None, (False, True)),
        *(_integer(bits, signed) for signed in (True, False) for bits in (8, 16, 32, 64)),
        *(_float(bits) for bits in (16, 32, 64)),
        Type("string", "string", _text, sorted_text, _TEXT_EDGES),
        Type("binary", "binary", lambda rng: rng.randbytes(rng.choice((1, 8, 40))), lambda i: sorted_text(i).encode(),
             (b"", b"\0", b"\x80", b"\xff" * 65, bytes(range(256)), b"\xff\xfe" * 40)),
        _fixed(1), _fixed(5), _fixed(16), _fixed(70),
        Type("date", "date", lambda rng: dt.date.fromordinal(rng.randint(first, last)),
             lambda i: dt.date.fromordinal(719_163 + i // 3),
             (dt.date(1969, 12, 31), dt.date(1970, 1, 1), dt.date(1970, 1, 2)), (dt.date.min, dt.date.max), tell=_days),
        *(_time(unit, utc) for unit in ("ms", "us", "ns") for utc in (False, True)),
        *(_timestamp(unit, utc) for unit in ("s", "ms", "us", "ns") for utc in (False, True)),
        *(_decimal(*p) for p in ((1, 0), (9, 2), (10, 0), (18, 6), (19, 3), (38, 10), (38, 38))),
        Type("uuid", "uuid", lambda rng: uuid.UUID(bytes=rng.randbytes(16)), None,
             (uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), uuid.UUID(int=2**127)), tell=lambda v: v.hex),
        Type("json", "json", _document, lambda i: json.dumps({"node": i}, separators=(",", ":")),
             ("{}", "[]", '""', "0", "-1.5", "true", '{"\u03bb":["\u65e5",null]}', '{"a":1,"b":{"c":[1,2]}}')),
        Type("bson", "bson", lambda rng: _bson(rng.getrandbits(60)), _bson, (_bson(0), _bson(-1))),
        Type("enum", "enum", lambda rng: rng.choice("NSEW") + format(rng.getrandbits(40), "x"), sorted_text, ("", "\u03bb")),
    ]  # fmt: skip


def _nulls(values: list[Any], how: str, rng: random.Random) -> list[Any]:
    """The values of an optional column: some rows null, one stretch of nulls longer than a page."""
    n = len(values)
    if how == "none":
        return values
    if how == "most":
        return [v if rng.random() < 0.1 else None for v in values]
    return [None if n // 4 <= i < n // 2 or rng.random() < 0.2 else v for i, v in enumerate(values)]


@dataclass(frozen=True)
class Case:
    """`values(type, n, rng)` gives n values; `nulls` says where the optional twin has none."""

    name: str
    values: Callable[[Type, int, random.Random], list[Any]]
    nulls: str = "some"
    only: Callable[[Type], bool] = lambda t: True


def _pool(size: int) -> Callable[[Type, int, random.Random], list[Any]]:
    def values(t: Type, n: int, rng: random.Random) -> list[Any]:
        pool = [t.fresh(rng) for _ in range(size)]
        return [rng.choice(pool) for _ in range(n)]

    return values


def _growing(t: Type, n: int, rng: random.Random) -> list[Any]:
    """New values all the way, but fewer than old ones: more than 256 distinct in a group."""
    pool = [t.fresh(rng) for _ in range(n // 3 + 1)]
    return [pool[max(0, i // 3 - rng.choice((0, 0, 1, 2, 30)))] for i in range(n)]


def _fresh(t: Type, n: int, rng: random.Random) -> list[Any]:
    return [t.fresh(rng) for _ in range(n)]


def _turns(t: Type, n: int, rng: random.Random) -> list[Any]:
    return _pool(12)(t, n // 4, rng) + _fresh(t, n - n // 4, rng)


def _ramp(t: Type, n: int, rng: random.Random) -> list[Any]:
    assert t.ramp is not None
    return [t.ramp(i) for i in range(n)]


def _cycle(values: tuple[Any, ...], n: int) -> list[Any]:
    return [values[i % len(values)] for i in range(n)]


CASES = (
    Case("fresh", _fresh),
    Case("one", lambda t, n, rng: [t.fresh(rng)] * n, nulls="most"),
    Case("few", _pool(20)),
    Case("many", _pool(400)),
    Case("growing", _growing),
    Case("turns", _turns),
    Case("ramp", _ramp, nulls="none", only=lambda t: t.ramp is not None),
    Case("edges", lambda t, n, rng: _cycle(t.edges, n)),
    Case("extremes", lambda t, n, rng: _cycle(t.extremes, n), only=lambda t: bool(t.extremes)),
)


@lru_cache(maxsize=1)
def columns(t: Type) -> dict[str, tuple[bool, list[Any]]]:
    """name -> (optional, Python values), the same for every codec and profile."""
    out = {}
    for case in CASES:
        if case.only(t):
            values = case.values(t, ROWS, random.Random(f"{t.text} {case.name}"))
            out[case.name] = (False, values)
            out[case.name + "_opt"] = (True, _nulls(values, case.nulls, random.Random(case.name)))
    return out


@lru_cache(maxsize=1)
def full_columns(t: Type) -> dict[str, tuple[bool, list[Any]]]:
    """More distinct values in one group than a dictionary takes, each four times within 8,192 values."""
    rng = random.Random(t.text)
    values: list[Any] = []
    for _ in range(FULL_ROWS // 8192):
        block = [rng.getrandbits(62) if t.kind == "int" else f"{rng.getrandbits(48):012x}" for _ in range(2048)] * 4
        rng.shuffle(block)
        values += block
    return {"full": (False, values)}


@lru_cache(maxsize=1)
def hand_columns(t: Type) -> dict[str, tuple[bool, list[Any]]]:
    """Few values behind indexes of 8, 16 and 24 bits, bit-packed (`packed16`) and in runs (`runs16`)."""
    rng = random.Random(t.text)
    pool = [t.fresh(rng) for _ in range(60)]
    values = {"packed": [rng.choice(pool) for _ in range(300)], "runs": [pool[i // 20] for i in range(300)]}
    return {
        f"{way}{width}{'_opt' * optional}": (optional, _nulls(values[way], "some", rng) if optional else values[way])
        for way in values
        for width in HAND_WIDTHS
        for optional in (False, True)
    }


def hand_width(name: str) -> int:
    """Bits of the indexes of a column made by hand."""
    return int(re.sub(r"\D", "", name))


@dataclass(frozen=True)
class File:
    """One file to write and read. `content`: cases, full or hand (made by hand: its profile is called hand, too)."""

    type: Type
    codec: str
    profile: str
    content: str = "cases"

    @property
    def name(self) -> str:
        return f"{self.type.as_file_name}.{self.content}.{self.codec}.{self.profile}.parquet"

    def columns(self) -> dict[str, tuple[bool, list[Any]]]:
        return {"cases": columns, "full": full_columns, "hand": hand_columns}[self.content](self.type)

    def schema(self) -> dict[str, str]:
        return {name: self.type.text + ("?" if optional else "") for name, (optional, _) in self.columns().items()}

    def expected(self) -> dict[str, dict[str, Any]]:
        """Its columns in the canonical form."""
        return {name: self.type.told(values) for name, (_, values) in self.columns().items()}


def files(some: list[Type], profiles: list[str]) -> list[File]:
    """In an order in which the values of a type are made once."""
    out = []
    for t in some:
        out += [File(t, codec, profile) for codec in CODECS for profile in profiles]
        if t.text in FULL_TYPES:
            out += [File(t, "zstd", profile, "full") for profile in profiles]
        if t.text in HAND_TYPES:
            out += [File(t, codec, "hand", "hand") for codec in CODECS]
    return out


def refusal(ccpq: Any, schema: dict[str, str], **options: Any) -> str | None:
    """What ccpq says against such a writer, None where it takes it."""
    import io

    try:
        ccpq.Writer(io.BytesIO(), schema, **options).abort()
    except (ValueError, TypeError, NotImplementedError) as e:
        return str(e).split("\n")[0]
    return None


def write(ccpq: Any, file: File, folder: Path) -> Path:
    path = folder / file.name
    path.unlink(missing_ok=True)
    if file.content == "hand":
        path.write_bytes(by_hand(file))
        return path
    options = {**(FULL_OPTIONS if file.content == "full" else WRITER_OPTIONS), "compression": file.codec}
    with ccpq.Writer(path, file.schema(), profile=file.profile, **options) as w:
        w.write_rows(zip(*(values for _, values in file.columns().values())))
    return path


def by_hand(file: File) -> bytes:
    """The bytes of a file whose index widths are those that the names of its columns say."""

    def indexes(body: bytes, group: int, name: str, page: Any) -> bytes | None:
        present = [v for v in file.columns()[name][1] if v is not None]
        ids = [list(dict.fromkeys(present)).index(v) for v in present]
        width = hand_width(name)
        return dictionary_ids(ids, width) if name.startswith("packed") else bytes([width]) + rle_runs(ids, width)

    specs = [
        ColumnSpec(name, file.type.text, [[PageSpec(values, "DICT")]], optional=optional)
        for name, (optional, values) in file.columns().items()
    ]
    return build(FileSpec(specs, codec=file.codec, hooks={"data_body": indexes}))
