"""Profiles and codecs of columns: what goes in comes out in every reader, and a file holds what its profile allows.

Values are compared with those that were written, by the oracle behind its strict validator, pyarrow, DuckDB and Polars.
"""

import datetime as dt
import io
import itertools
import json
import math
import random
import struct
import uuid
from decimal import Decimal

import ccpq
import model
import pytest
from api_readback import read, same
from model.model_thrift import Encoding, PageType

PROFILES = ("compat", "default", "modern")
UTC = dt.timezone.utc
MIXED = object()  # a codec for each column, one in turn
ROWS = 1600


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def decimal(unscaled, scale):
    """Of any number of digits, which Decimal's operations would round."""
    return Decimal((unscaled < 0, tuple(map(int, str(abs(unscaled)))), -scale))


def one_of_each(rng, i):
    """name -> (type, value of row i): values in runs, few different ones, all different ones."""
    few = rng.randrange(7)
    walk = 200 + i / 50 + rng.random()
    base = dt.datetime(2024, 2, 29, 12) + dt.timedelta(minutes=i)
    return {
        "flag": ("bool", few > 3),
        "i8": ("int8", few - 3),
        "i16": ("int16", i % 300 - 150),
        "i32": ("int32", i * 1000 + few),
        "i64": ("int64", rng.randrange(-(2**63), 2**63)),
        "u8": ("uint8", i // 40 % 256),
        "u32": ("uint32", 2**32 - 1 - i),
        "u64": ("uint64", 2**64 - 1 - few),
        "f32": ("float32", f32(walk)),
        "f64": ("float64", walk),
        "few_f64": ("float64", few * 0.7),
        "odd_f64": ("float64", rng.choice([math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, walk])),
        "text": ("string", f"host {few}"),
        "longer": ("string", f"ä {rng.random()} " * (few + 1)),
        "blob": ("binary", rng.randbytes(few)),
        "five": ("binary[5]", rng.randbytes(5) if i > 800 else bytes([few] * 5)),
        "day": ("date", base.date()),
        "clock": ("time[us]", base.time()),
        "clock_ms": ("time[ms]", base.time()),
        "local": ("timestamp[ms]", base),
        "instant": ("timestamp[us, UTC]", base.replace(tzinfo=UTC)),
        "dec7": ("decimal(7, 2)", decimal(few * 100 - 321, 2)),
        "dec18": ("decimal(18, 3)", decimal(i * 10**9, 3)),
        "dec38": ("decimal(38, 4)", decimal(rng.randrange(-(10**38) + 1, 10**38), 4)),
        "id": ("uuid", uuid.UUID(int=rng.getrandbits(128) if i % 2 else few)),
        "doc": ("json", {"a": few}),
    }


def table(seed=1, n=ROWS):
    """(schema, rows): every type required, and optional with nulls in several patterns."""
    rng = random.Random(seed)
    schema, rows = {}, []
    for i in range(n):
        row = []
        for k, (name, (kind, value)) in enumerate(one_of_each(rng, i).items()):
            schema[name] = kind
            schema[f"{name}_null"] = f"{kind}?"
            gone = [rng.random() < 0.2, i < 700, 500 < i < 1300, i % 50 == 0][k % 4]
            row += [value, None if gone else value]
        schema["none"], schema["none_text"] = "float64?", "string?"
        rows.append((*row, None, None))
    return schema, rows


SCHEMA, TABLE = table()
OPTIONS = {"data_page_size": "2KiB", "row_group_size": 1000, "memory_limit": "64MiB"}


def codecs_of(codec):
    if codec is MIXED:
        return dict(zip(SCHEMA, itertools.cycle(["zstd", "NONE", "snappy", None])))
    return codec


def written(profile, codec, rows=TABLE, schema=SCHEMA, **options):
    f = io.BytesIO()
    with ccpq.Writer(f, schema, profile=profile, compression=codecs_of(codec), **{**OPTIONS, **options}) as w:
        w.write_rows(rows)
    return f.getvalue(), w.report


def data_pages(data):
    """(column, page header) of every data page."""
    m = model.read_metadata(data)
    for g, group in enumerate(m.row_groups):
        for c, chunk in enumerate(group.columns):
            for page in m.pages(g, c):
                if not page.is_dictionary:
                    yield chunk.meta_data.path_in_schema[0], page


every = pytest.mark.parametrize(
    "profile, codec", [*itertools.product(PROFILES, ["zstd", "snappy", "none", MIXED])],
    ids=lambda v: "mixed" if v is MIXED else v)  # fmt: skip


@every
def test_values_come_back(profile, codec):
    data, report = written(profile, codec)
    found = read(data, SCHEMA, profile)  # the oracle and pyarrow
    for i, (name, kind) in enumerate(SCHEMA.items()):
        expected = [row[i] for row in TABLE]
        if kind.startswith("json"):
            expected = [v if v is None else json.dumps(v, separators=(",", ":")) for v in expected]
        same(found[name], expected, kind)


def arrow_by(reader, path):
    if reader == "duckdb":
        duckdb = pytest.importorskip("duckdb")
        with duckdb.connect(config={"threads": 1}) as c:
            return c.read_parquet(str(path)).to_arrow_table()
    pl = pytest.importorskip("polars")
    return pl.read_parquet(path).to_arrow()


def comparable(values):
    """NaN is equal to NaN, -0.0 is not 0.0."""
    return ["NaN" if v != v else ("float", math.copysign(1, v), v) if isinstance(v, float) else v for v in values]


@every
@pytest.mark.parametrize("reader", ["duckdb", "polars"])
def test_other_readers_see_what_pyarrow_sees(tmp_path, reader, profile, codec):
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    path.write_bytes(written(profile, codec)[0])
    expected, found = pq.read_table(path, use_threads=False), arrow_by(reader, path)
    assert found.column_names == expected.column_names
    for name, mine, other in zip(expected.column_names, expected.columns, found.columns):
        if SCHEMA[name].rstrip("?") in ("uuid", "json"):
            mine, other = bytes_of(mine), bytes_of(other)
        else:
            mine, other = mine.to_pylist(), other.cast(mine.type).to_pylist()
        assert comparable(other) == comparable(mine), name


def bytes_of(column):
    """uuid and json, whatever a reader makes of them."""
    kind = getattr(column.type, "storage_type", column.type)
    values = column.cast(kind).to_pylist() if kind is not column.type else column.to_pylist()
    out = []
    for v in values:
        if isinstance(v, uuid.UUID) or (isinstance(v, str) and len(v) == 36 and v.count("-") == 4):
            v = uuid.UUID(str(v)).bytes
        out.append(v.encode() if isinstance(v, str) else v)
    return out


@every
def test_what_a_file_holds(profile, codec):
    data, report = written(profile, codec)
    summary = model.validate(data, profile=profile)
    m = model.read_metadata(data)
    used = {e for encodings in summary.encodings.values() for e in encodings}
    v2 = profile == "modern"
    assert m.version == (2 if v2 else 1)
    assert {page.header.type for _, page in data_pages(data)} == {PageType.DATA_PAGE_V2 if v2 else PageType.DATA_PAGE}
    assert ("DELTA_BINARY_PACKED" in used) == (profile != "compat")
    assert ("BYTE_STREAM_SPLIT" in used) == (v2 and codec != "none")
    split = {name for name, encodings in summary.encodings.items() if "BYTE_STREAM_SPLIT" in encodings}
    assert {SCHEMA[name].rstrip("?") for name in split} <= {"float32", "float64"}
    codec_of = dict(zip(SCHEMA, itertools.cycle([6, 0, 1, 0]))) if codec is MIXED else {}
    for group in m.row_groups:
        for chunk in group.columns:
            name = chunk.meta_data.path_in_schema[0]
            number = codec_of.get(name, {"zstd": 6, "snappy": 1, "none": 0}.get(codec))
            assert chunk.meta_data.codec == number, name
            # Without a codec there is nothing to gain from byte streams, and nothing is packed.
            assert number or chunk.meta_data.total_compressed_size == chunk.meta_data.total_uncompressed_size
    counted = dict.fromkeys(["plain", "dictionary", "delta", "byte_stream_split"], 0)
    for column in report.columns:
        for encoding, n in column.pages.items():
            counted[encoding] += n
    names = {Encoding.PLAIN: "plain", Encoding.RLE_DICTIONARY: "dictionary", Encoding.DELTA_BINARY_PACKED: "delta",
             Encoding.BYTE_STREAM_SPLIT: "byte_stream_split"}  # fmt: skip
    for _, page in data_pages(data):
        counted[names[page.encoding]] -= 1
    assert set(counted.values()) == {0}


@pytest.mark.parametrize("codec", ["zstd", "snappy", "none", MIXED], ids=["zstd", "snappy", "none", "mixed"])
def test_version_2_pages(codec):
    data, _ = written("modern", codec)
    raw = packed = empty = 0
    for name, page in data_pages(data):
        head = page.header.data_page_header_v2
        levels = head.definition_levels_byte_length
        assert head.repetition_levels_byte_length == 0 and head.num_rows == head.num_values
        assert (levels > 0) == SCHEMA[name].endswith("?"), name
        sizes = page.header.uncompressed_page_size, page.header.compressed_page_size
        if head.is_compressed:
            assert sizes[1] < sizes[0], name
            packed += 1
        else:
            assert sizes[1] == sizes[0], name
            raw += 1
        if head.num_nulls == head.num_values:
            assert head.encoding == Encoding.PLAIN and not head.is_compressed and sizes == (levels, levels), name
            empty += 1
    assert raw and empty and (packed > 0) == (codec != "none")


@pytest.mark.parametrize("profile", PROFILES)
def test_bytes_do_not_depend_on_how_rows_come(profile):
    schema, rows = SCHEMA, TABLE[:1300]
    whole, _ = written(profile, MIXED, rows)
    rng = random.Random(7)
    for route in ("row", "rows", "columns"):
        f = io.BytesIO()
        with ccpq.Writer(f, schema, profile=profile, compression=codecs_of(MIXED), **OPTIONS) as w:
            at = 0
            while at < len(rows):
                n = rng.choice([1, 2, 63, 64, 65, 400])
                part = rows[at : at + n]
                if route == "row":
                    for row in part:
                        w.write_row(row)
                elif route == "rows":
                    w.write_rows(part)
                else:
                    w.write_columns(dict(zip(schema, zip(*part))))
                at += n
        assert f.getvalue() == whole, route


# -- compression --------------------------------------------------------------------------------------


def codecs(**options):
    f = io.BytesIO()
    with ccpq.Writer(f, {"a": "int64", "B": "string", "c": "float64?"}, **options) as w:
        w.write_rows((i, f"text {i % 9}", i / 7) for i in range(500))
    model.validate(f.getvalue(), profile=options.get("profile", "default"))
    [group] = model.read_metadata(f.getvalue()).row_groups
    return [{0: "none", 1: "snappy", 6: "zstd"}[c.meta_data.codec] for c in group.columns], f.getvalue()


@pytest.mark.parametrize("compression, found", [
    ({}, ["zstd", "zstd", "zstd"]),
    ({"a": "snappy"}, ["snappy", "zstd", "zstd"]),
    ({"c": None, "a": "ZSTD"}, ["zstd", "zstd", "none"]),
    ({"a": "None", "B": "Uncompressed", "c": "Snappy"}, ["none", "none", "snappy"]),
    ("snappy", ["snappy"] * 3),
    (None, ["none"] * 3),
])  # fmt: skip
def test_codecs_of_columns(compression, found):
    assert codecs(compression=compression)[0] == found


def test_one_codec_for_all_is_the_same_file():
    assert codecs(compression={"a": "snappy", "B": "snappy", "c": "snappy"}) == codecs(compression="snappy")
    assert codecs(compression={}, compression_level=9) == codecs(compression_level=9)


def test_the_level_is_that_of_zstd():
    low = codecs(compression={"a": "none"}, compression_level=1)
    high = codecs(compression={"a": "none"}, compression_level=19)
    assert low[0] == high[0] == ["none", "zstd", "zstd"]
    assert low[1] != high[1]


@pytest.mark.parametrize("options, cls, words", [
    ({"compression": {"cc": "zstd"}}, ValueError, "no column 'cc'; did you mean 'c'"),
    ({"compression": {"b": "zstd"}}, ValueError, "no column 'b'"),
    ({"compression": {"other": "zstd"}}, ValueError, "no column 'other'"),
    ({"compression": {3: "zstd"}}, ValueError, "no column 3"),
    ({"compression": {"a": "snapy"}}, ValueError, "compression of 'a' 'snapy' is unknown.*did you mean 'snappy'"),
    ({"compression": {"a": "gzip"}}, ccpq.UnsupportedError, "compression of 'a'='gzip' comes with a later release"),
    ({"compression": {"a": 1}}, TypeError, "compression of 'a' is a name or None, not int"),
    ({"compression": [("a", "zstd")]}, TypeError, "a name or None, not list"),
    ({"compression": {"a": None, "B": None, "c": "snappy"}, "compression_level": 3}, ValueError, "no column has zstd"),
    ({"compression": {"a": "none"}, "compression_level": 20}, ValueError, "not in 1..19"),
    ({"profile": "Modern"}, ValueError, "no profile 'Modern'.*did you mean 'modern'"),
    ({"profile": None}, TypeError, "profile is a name, not NoneType"),
])  # fmt: skip
def test_wrong_options(tmp_path, options, cls, words):
    with pytest.raises(cls, match=words):
        ccpq.Writer(tmp_path / "x.parquet", {"a": "int64", "B": "string", "c": "float64?"}, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("profile", PROFILES)
def test_several_codecs_stay_inside_the_limit(profile):
    schema = {"a": "string", "b": "float64", "c": "binary?", "d": "int64"}
    rng = random.Random(5)
    rows = [(f"{rng.random()}" * 3, rng.random(), rng.randbytes(900) if i % 3 else None, i) for i in range(20_000)]
    f = io.BytesIO()
    compression = {"a": "snappy", "b": "zstd", "c": "none"}
    options = {"compression": compression, "compression_level": 9, "memory_limit": "4MiB"}
    with ccpq.Writer(f, schema, profile=profile, **options) as w:
        w.write_rows(rows)
    assert w.report.peak_memory <= 4 << 20 and w.report.spilled_bytes > 0
    assert model.validate(f.getvalue(), profile=profile).rows == len(rows)


# -- sizes --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Schema and rows of a demo archive, of two kinds of nodes."""
    pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq
    from ccpq._demo import write_tree

    folder = tmp_path_factory.mktemp("demo")
    write_tree(folder / "checkpoints", hosts=1, files=3, samples=120)
    report = ccpq.archive_checkpoints(folder / "checkpoints", folder / "archive", older_than="0s")
    report.raise_for_errors()
    found = {}
    for path in sorted((folder / "archive").rglob("*.parquet")):
        t = pq.read_table(path)
        found[path.parent.name] = list(zip(*(c.to_pylist() for c in t.columns)))
        schema = {f.name: "float32" if f.type == "float" else str(f.type) for f in t.schema}
    return schema, found


@pytest.mark.parametrize("cluster", ["alex", "fritz"])
@pytest.mark.parametrize("compression, level", [("zstd", 1), ("zstd", 3), ("zstd", 9), ("snappy", None)])
def test_modern_files_are_no_larger(demo, cluster, compression, level):
    """But for the headers of pages, of which version 2 has six fields more."""
    schema, found = demo
    sizes, pages = {}, 0
    for profile in ("default", "modern"):
        f = io.BytesIO()
        with ccpq.Writer(f, schema, profile=profile, compression=compression, compression_level=level) as w:
            w.write_rows(found[cluster])
        sizes[profile] = len(f.getvalue())
        pages = sum(sum(c.pages.values()) for c in w.report.columns)
    assert sizes["modern"] <= sizes["default"] + 20 * pages


def test_streams_pay_on_floats_that_do_not_repeat():
    rng = random.Random(3)
    rows = [(300 + rng.gauss(0, 20), f32(rng.gauss(1e6, 5e4))) for _ in range(60_000)]
    schema = {"d": "float64", "f": "float32"}
    for codec in ("zstd", "snappy"):
        old, _ = written("default", codec, rows, schema, data_page_size=None)
        new, report = written("modern", codec, rows, schema, data_page_size=None)
        assert [c.encodings for c in report.columns] == ["byte_stream_split"] * 2
        assert len(new) < 0.95 * len(old), codec
