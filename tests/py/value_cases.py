"""Files for the value tests: columns of every type and nature, and ways to write them as rows. Reading back is in
value_readers.py, columns and Arrow are in value_routes.py.

A column is a short recipe that hypothesis draws (pool of values, nature, nulls, seed) and `stored` expands: thousands of
values cost no more to draw than ten, and a failing example stays readable. Its values are the stored ones, as the oracle
gives them: integers of dates, times, timestamps (of seconds: milliseconds) and decimals (unscaled), the bytes of a UUID,
floats, text and bytes. `forms` says by which Python values a row can give one of them.
"""

import datetime as dt
import functools
import io
import math
import random
import re
import struct
import uuid
from collections import namedtuple
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

import ccpq
from hypothesis import strategies as st

DAY = 86_400
EPOCH = dt.datetime(1970, 1, 1)
PER_SECOND = {"s": 1, "ms": 1000, "us": 1_000_000, "ns": 1_000_000_000}
ZONES = (dt.timezone.utc, dt.timezone(dt.timedelta(hours=5, minutes=45)), dt.timezone(-dt.timedelta(seconds=3607)))


@dataclass(frozen=True)
class Facts:
    """What a type text says. `low`, `high`, `step`: the stored integers it has, where they are integers; of times in
    nanoseconds only whole microseconds, which is what a row can give."""

    base: str
    unit: str = ""  # of times and timestamps, as declared
    utc: bool = False
    n: int = 0  # bytes of binary[N] and uuid; digits of decimals
    scale: int = 0
    low: int = 0
    high: int = 0
    step: int = 1

    @property
    def stored_unit(self):
        return "ms" if self.unit == "s" else self.unit

    @property
    def is_int(self):
        return self.high > 0

    @property
    def is_bytes(self):
        return self.base in ("binary", "bson", "uuid")

    @property
    def is_text(self):
        return self.base in ("string", "json", "enum")


@functools.lru_cache(maxsize=None)
def facts(kind):
    """Of a canonical type text without a mark."""
    if m := re.fullmatch(r"(u?)int(\d+)", kind):
        bits, unsigned = int(m[2]), bool(m[1])
        return Facts("int", low=0 if unsigned else -(1 << bits - 1), high=(1 << bits - (not unsigned)) - 1)
    if kind == "date":
        return Facts("date", low=-(2**31), high=2**31 - 1)
    if m := re.fullmatch(r"(time|timestamp)\[(\w+)(, UTC)?\]", kind):
        base, unit, step = m[1], m[2], 1
        if base == "time":
            step = 1000 if unit == "ns" else 1
            return Facts(base, unit, bool(m[3]), low=0, high=DAY * PER_SECOND[unit] - step, step=step)
        step = 1000 if unit == "s" else 1
        return Facts(base, unit, bool(m[3]), low=-(2**63 // step) * step, high=(2**63 - 1) // step * step, step=step)
    if m := re.fullmatch(r"decimal\((\d+), (\d+)\)", kind):
        most = 10 ** int(m[1]) - 1
        return Facts("decimal", n=int(m[1]), scale=int(m[2]), low=-most, high=most)
    if m := re.fullmatch(r"binary\[(\d+)\]", kind):
        return Facts("binary", n=int(m[1]))
    return Facts(kind, n=16 if kind == "uuid" else 0)


INTS = tuple(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64))
FLOATS = {"float16": struct.Struct("<e"), "float32": struct.Struct("<f"), "float64": struct.Struct("<d")}
TIMES = tuple(f"time[{u}{z}]" for u in ("ms", "us", "ns") for z in ("", ", UTC"))
TIMESTAMPS = tuple(f"timestamp[{u}{z}]" for u in ("s", "ms", "us", "ns") for z in ("", ", UTC"))
DECIMALS = tuple(f"decimal({p}, {s})" for p, s in ((1, 1), (9, 2), (10, 0), (18, 18), (19, 4), (38, 0), (38, 38)))
FIXED = ("binary[1]", "binary[5]", "binary[64]", "binary[65]")
# Types whose values are given as they are stored.
AS_STORED = frozenset(("bool", *INTS, *FLOATS, "string", "enum"))
# Each way in which a type is stored, and each width of it.
TYPES = ("bool", *INTS, *FLOATS, "string", "binary", "json", "bson", "enum", *FIXED, "uuid", "date", *TIMES, *TIMESTAMPS, *DECIMALS)

_tiny = {"float16": 2.0**-24, "float32": 2.0**-149, "float64": 5e-324}
_huge = {"float16": 65504.0, "float32": struct.unpack("<f", b"\xff\xff\x7f\x7f")[0], "float64": 1.7976931348623157e308}
_least_normal = {"float16": 2.0**-14, "float32": 2.0**-126, "float64": 2.0**-1022}
_texts = ("", "\0", "a", "a\0", "ab", "\x7f", "\u07ff", "\ud7ff", "\ufffd", "\uffff", "\U0010ffff", "\U0010ffff" * 20,
          "\u00e9" * 31 + "ab", "x" * 63, "x" * 64, "x" * 65, "x" * 64 + "\U0010ffff", "e\u0301", "\u00e9", "y" * 5000)  # fmt: skip
_blobs = (*(t.encode() for t in _texts), b"\xff", b"\xff" * 64, b"\xff" * 65, b"\xff\xfe" * 40, bytes(range(256)), b"\x80")


def _edges(f):
    """Of a type of integers: its limits, what is around 0 and around half of the width, the first and last year of datetime."""
    if f.base == "int":
        return [f.low, f.low + 1, -1, 0, 1, f.high // 2, f.high // 2 + 1, f.high - 1, f.high]
    found = [f.low, f.low + f.step, -f.step, 0, f.step, f.high - f.step, f.high]
    if f.base == "decimal":
        found += [10**f.scale, -(10**f.scale), 2**31 - 1, -(2**31), 2**63, -(2**63) - 1, 255, -256]
    elif f.base != "time":
        per_day = 1 if f.base == "date" else DAY * PER_SECOND[f.stored_unit]
        found += [-719_162 * per_day, 2_932_897 * per_day - f.step, -per_day, 2**53 * f.step, 2**31 * f.step]
    return found


@functools.lru_cache(maxsize=None)
def extremes(kind):
    """The stored values of a type at which something could break."""
    f = facts(kind)
    if kind == "bool":
        return [False, True]
    if kind in FLOATS:
        some = [0.0, _tiny[kind], _least_normal[kind], 1.0, _huge[kind], math.inf]
        return some + [-x for x in some] + [math.nan]
    if f.is_int:
        return sorted({v for v in _edges(f) if f.low <= v <= f.high and v % f.step == 0})
    if f.n:
        zeros, ones = bytes(f.n - 1), b"\xff" * (f.n - 1)
        return [zeros + b"\0", ones + b"\xff", b"\x7f" * f.n, b"\x80" + zeros, zeros + b"\x01", ones + b"\0"]
    if kind == "json":
        return ["null", "{}", '""', '"\U0010ffff"', "[" + "1," * 40 + "1]", '{"\u00e9": 1e400}', "7"]
    return list(_texts if f.is_text else _blobs)


def of_type(kind):
    """A strategy for one stored value."""
    f = facts(kind)
    if kind == "bool":
        return st.booleans()
    if kind in FLOATS:
        return st.floats(width=FLOATS[kind].size * 8)
    if f.is_int:
        return st.integers(-(-f.low // f.step), f.high // f.step).map(lambda i: i * f.step)
    if f.n:
        return st.binary(min_size=f.n, max_size=f.n)
    if kind == "json":
        return st.text(max_size=30).map(_json_text)
    return st.text(max_size=80) if f.is_text else st.binary(max_size=80)


def _json_text(text):
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"_{ord(c):x}" for c in text) + '"'


def fresh(kind, rng):
    """One stored value of its own."""
    f = facts(kind)
    if kind == "bool":
        return rng.random() < 0.5
    if kind in FLOATS:
        return FLOATS[kind].unpack(rng.randbytes(FLOATS[kind].size))[0]
    if f.is_int:
        low, high = -(-f.low // f.step), f.high // f.step
        return (rng.randint(low, high) >> (0 if rng.random() < 0.5 else rng.randrange(high.bit_length()))) * f.step
    if f.n:
        return rng.randbytes(f.n)
    n = rng.choice((3, 8, 8, 20, 70))
    if f.is_text:
        text = "".join(rng.choice("abcdefgh-0123456789\u00e4\u03bb\u65e5\U0001f600") for _ in range(n))
        return f'"{text}"' if kind == "json" else text
    return rng.randbytes(n)


# Rows.


def _datetime(f, v):
    """A timestamp as a datetime; None where there is none."""
    micros, rest = divmod(v * 1_000_000, PER_SECOND[f.stored_unit])
    if rest or not -62_135_596_800 * 10**6 <= micros < 253_402_300_800 * 10**6:
        return None
    return EPOCH + dt.timedelta(microseconds=micros)


def _of_datetime(f, v, shift):
    found = _datetime(f, v)
    if not f.utc or found is None:
        return found
    try:
        return found.replace(tzinfo=ZONES[0]).astimezone(ZONES[shift])
    except OverflowError:  # beyond the first or last year there
        return found.replace(tzinfo=ZONES[0])


def _numpy_instant(v, unit):
    import numpy

    return numpy.datetime64(v, unit)


def forms(kind, v):
    """Python values that a row can give for a stored one: at least one, the plainest first."""
    f = facts(kind)
    if v is None:
        return [None]
    if f.base == "timestamp":
        found = [_of_datetime(f, v, 0), v // f.step]
        if v % 7 == 0:  # not too many: they are slow
            found += [_of_datetime(f, v, 1), _of_datetime(f, v, 2)]
            found += [] if v == -(2**63) else [_numpy_instant(v, f.stored_unit)]  # which is NaT
        return [x for x in found if x is not None]
    if f.base == "time":
        return [(EPOCH + dt.timedelta(microseconds=v * 1_000_000 // PER_SECOND[f.unit])).time()]
    if f.base == "date":
        if -719_162 <= v <= 2_932_896:
            return [EPOCH.date() + dt.timedelta(days=v)]
        return [_numpy_instant(v, "D")]
    if f.base == "decimal":
        found = [Decimal((int(v < 0), tuple(map(int, str(abs(v)))), -f.scale))]
        return found if v % 10**f.scale else [*found, v // 10**f.scale]
    if kind == "uuid":
        return [uuid.UUID(bytes=v), v]
    if f.is_bytes:
        return [v, bytearray(v), memoryview(v)]
    return [v, v.encode()] if kind == "json" else [v]


def as_rows(columns, stored, rng=None):
    """Rows of stored values as the tuples that a writer takes; with `rng` in any of their forms."""
    def given(kind, values):
        if kind in AS_STORED:
            return values
        return [forms(kind, v)[0] if rng is None else rng.choice(forms(kind, v)) for v in values]

    return list(zip(*(given(c.kind, values) for c, values in zip(columns, stored))))


def sort_rows(rows, keys):
    """In the order of the keys [(index, descending)], nulls last; rows with NaN in a key have no place."""
    rows = [r for r in rows if not any(r[i] is not None and r[i] != r[i] for i, _ in keys)]
    for i, descending in reversed(keys):
        some, none = [r for r in rows if r[i] is not None], [r for r in rows if r[i] is None]
        rows = sorted(some, key=lambda r: r[i], reverse=descending) + none
    return rows


@dataclass(frozen=True)
class Column:
    name: str
    kind: str
    optional: bool
    nature: str  # pool | runs | ramp | fresh | turns (a pool, then fresh values) | long
    nulls: str  # none | some | most | all | blocks
    pool: tuple
    seed: int

    @property
    def type(self):
        return self.kind + ("?" if self.optional else "")

    def value(self, i, n, rng):
        f, pool, nature = facts(self.kind), self.pool, self.nature
        if nature == "turns":
            nature = "pool" if i < n // 2 else "fresh"
        if nature == "ramp" and f.is_int:
            return f.low + (pool[0] - f.low + i * (self.seed % 9) * f.step) % (f.high - f.low + f.step)
        if nature == "runs":
            return pool[i // (1 + self.seed % 40) % len(pool)]
        if nature == "long" and self.kind in ("string", "binary", "bson", "enum") and rng.random() < 0.2:
            blob = rng.randbytes(rng.randrange(500, 4000))
            return blob if f.is_bytes else blob.decode("latin-1")
        return fresh(self.kind, rng) if nature in ("fresh", "long") else rng.choice(pool)

    def stored(self, n):
        rng = random.Random(self.seed)
        out = [self.value(i, n, rng) for i in range(n)]
        if self.optional and self.nulls != "none":
            for i in range(n):
                if (self.nulls == "all" or (self.nulls == "blocks" and i // 50 % 2)
                        or (self.nulls in ("some", "most") and rng.random() < {"some": 0.2, "most": 0.9}[self.nulls])):  # fmt: skip
                    out[i] = None
        return out


NAMES = ("a", "b", "value", "\u0394 t", "with.dot", "quote\"d", "sp ace", "_", "1st", "\U0001f600")
KINDS = (
    st.sampled_from(TYPES)
    | st.tuples(st.integers(1, 38), st.integers(0, 38)).map(lambda p: f"decimal({p[0]}, {p[1] % (p[0] + 1)})")
    | st.sampled_from((1, 2, 3, 8, 15, 64, 65, 300)).map("binary[{}]".format)
)


@st.composite
def columns(draw, least=1, most=5, kinds=KINDS):
    names = draw(st.lists(st.sampled_from(NAMES), min_size=least, max_size=most, unique=True))
    out = []
    for name in names:
        kind = draw(kinds)
        pool = draw(st.lists(st.sampled_from(extremes(kind)) | of_type(kind), min_size=1, max_size=6))
        out.append(Column(
            name, kind, draw(st.booleans()), draw(st.sampled_from(("pool", "runs", "ramp", "fresh", "turns", "long"))),
            draw(st.sampled_from(("none", "some", "most", "all", "blocks"))), tuple(pool), draw(st.integers(0, 999)),
        ))  # fmt: skip
    return out


def least_limit(schema, **options):
    """The smallest memory limit that is accepted."""
    try:
        ccpq.Writer(io.BytesIO(), schema, memory_limit=65_536, **options).abort()
        return 65_536
    except ccpq.BudgetError as e:
        return e.needed


@st.composite
def options(draw, columns):
    """Writer options but memory_limit and sorting_columns."""
    codec, level = draw(st.sampled_from(
        (("zstd", None), ("zstd", 1), ("zstd", 9), ("zstd", 16), ("zstd", 19), ("snappy", None), ("none", None))))
    if level is None and draw(st.integers(0, 3)) == 0:
        codec = {c.name: draw(st.sampled_from(("zstd", "snappy", "none", None))) for c in columns}
    profile = draw(st.sampled_from(("default", "compat", "modern")))
    found = {"compression": codec, "compression_level": level, "profile": profile}
    for name, values in (
        ("row_group_size", st.integers(1, 9) | st.integers(10, 3000)),
        ("row_group_bytes", st.sampled_from((1, 100, 1000, 20_000))),
        ("data_page_size", st.integers(1, 100) | st.integers(100, 5000)),
        ("metadata", st.dictionaries(st.text(max_size=9), st.text(max_size=30), max_size=3)),
    ):
        if draw(st.booleans()):
            found[name] = draw(values)
    return found


# Ways to write.


class Sink:
    def __init__(self):
        self.parts, self.state = [], "open"

    def write(self, data):
        self.parts.append(bytes(data))

    def finish(self):
        self.state = "finished"

    def abort(self):
        self.state = "aborted"


def shaped(rows, names, rng):
    """The same rows in other clothes: tuples, lists, mappings without nulls, NamedTuples."""
    named = namedtuple("named", names) if all(n.isidentifier() and n[0] != "_" for n in names) else None
    for row in rows:
        shape = rng.randrange(6)
        if shape == 0:
            yield list(row)
        elif shape in (1, 2, 3):
            pairs = [(k, v) for k, v in zip(names, row) if v is not None or shape == 1]
            rng.shuffle(pairs)
            yield MappingProxyType(dict(pairs)) if shape == 3 else dict(pairs)
        elif shape == 4 and named:
            yield named(*row)
        else:
            yield row


def write_simply(path, schema, segments, **options):
    """Each segment in one call. A segment is ("open", rows) or ("group", rows); None ends the open group."""
    with ccpq.Writer(path, schema, durability="none", **options) as w:
        for segment in segments:
            if segment is None:
                w.flush_group()
            elif segment[0] == "group":
                w.write_group(segment[1])
            else:
                w.write_rows(segment[1])
    return w.report


def write_oddly(target, schema, segments, seed, **options):
    """The same calls in pieces of any size, by every method, in every shape of a row."""
    rng, names = random.Random(seed), list(schema)
    with ccpq.Writer(target, schema, **options) as w:
        for segment in segments:
            if segment is None:
                w.flush_group()
                assert w.flush_group() is False
                continue
            kind, rows = segment
            if kind == "group":
                w.write_group(shaped(rows, names, rng))
                continue
            at = 0
            while at < len(rows):
                n = rng.choice((1, 1, 3, 50, 1000))
                piece, at = rows[at : at + n], at + n
                way = rng.randrange(4)
                if way == 0:
                    for row in shaped(piece, names, rng):
                        w.write_row(row)
                elif way == 1:
                    order = rng.sample(range(len(names)), len(names))
                    w.write_rows((tuple(row[i] for i in order) for row in piece), columns=[names[i] for i in order])
                elif way == 2 and piece:
                    # A refused row and a group that is rolled back leave no trace.
                    w.write_rows([*piece, (object(),) * len(names)], on_error=lambda e: None)
                else:
                    w.write_rows(shaped(piece, names, rng))
    return w.report
