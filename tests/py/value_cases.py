"""Files for the value tests: columns of every type and nature, and ways to write them. Reading back is in value_readers.py.

A column is a short recipe that hypothesis draws (pool of values, nature, nulls, seed) and `values` expands: thousands of
values cost no more to draw than ten, and a failing example stays readable.
"""

import io
import math
import random
import struct
from collections import namedtuple
from dataclasses import dataclass
from types import MappingProxyType

import ccpq
from hypothesis import strategies as st

INTS = {f"{u}int{n}": (0 if u else -(1 << n - 1), (1 << n - (0 if u else 1)) - 1) for u in ("", "u") for n in (8, 16, 32, 64)}
TYPES = ("bool", *INTS, "float32", "float64", "string", "binary")
FLOATS = {"float32": struct.Struct("<f"), "float64": struct.Struct("<d")}

_tiny = {"float32": 2.0**-149, "float64": 5e-324}
_huge = {"float32": struct.unpack("<f", b"\xff\xff\x7f\x7f")[0], "float64": 1.7976931348623157e308}
_least_normal = {"float32": 2.0**-126, "float64": 2.0**-1022}


def extremes(kind):
    """The values of a type at which something could break."""
    if kind == "bool":
        return [False, True]
    if kind in INTS:
        low, high = INTS[kind]
        return sorted({low, low + 1, -1, 0, 1, high // 2, high // 2 + 1, high - 1, high} - ({-1} if low == 0 else set()))
    if kind in FLOATS:
        some = [0.0, _tiny[kind], _least_normal[kind], 1.0, _huge[kind], math.inf]
        return some + [-x for x in some] + [math.nan]
    texts = ["", "\0", "a", "a\0", "ab", "\x7f", "\u07ff", "\ud7ff", "\ufffd", "\uffff", "\U0010ffff", "\U0010ffff" * 20,
             "\u00e9" * 31 + "ab", "x" * 63, "x" * 64, "x" * 65, "x" * 64 + "\U0010ffff", "e\u0301", "\u00e9", "y" * 5000]  # fmt: skip
    if kind == "string":
        return texts
    return [t.encode() for t in texts] + [b"\xff", b"\xff" * 64, b"\xff" * 65, b"\xff\xfe" * 40, bytes(range(256)), b"\x80"]


def of_type(kind):
    """A strategy for one value."""
    if kind == "bool":
        return st.booleans()
    if kind in INTS:
        return st.integers(*INTS[kind])
    if kind in FLOATS:
        return st.floats(width=32 if kind == "float32" else 64)
    return st.text(max_size=80) if kind == "string" else st.binary(max_size=80)


def fresh(kind, rng):
    """One value of its own."""
    if kind == "bool":
        return rng.random() < 0.5
    if kind in INTS:
        low, high = INTS[kind]
        return rng.randint(low, high) >> (0 if rng.random() < 0.5 else rng.randrange(high.bit_length()))
    if kind in FLOATS:
        return FLOATS[kind].unpack(rng.randbytes(FLOATS[kind].size))[0]
    n = rng.choice((3, 8, 8, 20, 70))
    if kind == "string":
        return "".join(rng.choice("abcdefgh-0123456789\u00e4\u03bb\u65e5\U0001f600") for _ in range(n))
    return rng.randbytes(n)


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
        pool, nature = self.pool, self.nature
        if nature == "turns":
            nature = "pool" if i < n // 2 else "fresh"
        if nature == "ramp" and self.kind in INTS:
            low, high = INTS[self.kind]
            return low + (pool[0] - low + i * (self.seed % 9)) % (high - low + 1)
        if nature == "runs":
            return pool[i // (1 + self.seed % 40) % len(pool)]
        if nature == "long" and self.kind in ("string", "binary") and rng.random() < 0.2:
            blob = rng.randbytes(rng.randrange(500, 4000))
            return blob if self.kind == "binary" else blob.decode("latin-1")
        return fresh(self.kind, rng) if nature in ("fresh", "long") else rng.choice(pool)

    def values(self, n):
        rng = random.Random(self.seed)
        out = [self.value(i, n, rng) for i in range(n)]
        if self.optional and self.nulls != "none":
            for i in range(n):
                if (self.nulls == "all" or (self.nulls == "blocks" and i // 50 % 2)
                        or (self.nulls in ("some", "most") and rng.random() < {"some": 0.2, "most": 0.9}[self.nulls])):  # fmt: skip
                    out[i] = None
        return out


NAMES = ("a", "b", "value", "\u0394 t", "with.dot", "quote\"d", "sp ace", "_", "1st", "\U0001f600")


@st.composite
def columns(draw, least=1, most=5):
    names = draw(st.lists(st.sampled_from(NAMES), min_size=least, max_size=most, unique=True))
    out = []
    for name in names:
        kind = draw(st.sampled_from(TYPES))
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
def options(draw):
    """Writer options but memory_limit and sorting_columns, which depend on the columns."""
    codec, level = draw(st.sampled_from(
        (("zstd", None), ("zstd", 1), ("zstd", 9), ("zstd", 16), ("zstd", 19), ("snappy", None), ("none", None))))
    found = {"compression": codec, "compression_level": level}
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
