"""What a file says about itself, as its readers understand it: schema, statistics, order, encodings, indexes, metadata.

Values are the subject of test_values.py; here the footer is read by pyarrow, DuckDB and Polars and held against what was
asked of the writer.
"""

import datetime as dt
import math
import random
import re
import struct
import uuid
from decimal import Decimal

import ccpq
import pytest

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

EPOCH, FIRST, LAST = dt.datetime(1970, 1, 1), dt.datetime.min, dt.datetime.max
UTC = dt.timezone.utc


def time_text(unit, utc):
    return f"Time(isAdjustedToUTC={str(utc).lower()}, timeUnit={unit}seconds)"


def instant_text(unit, utc):
    return (f"Timestamp(isAdjustedToUTC={str(utc).lower()}, timeUnit={unit}seconds, is_from_converted_type=false, "
            "force_set_converted_type=false)")  # fmt: skip


TYPES = {
    # type: values in order, Arrow type, physical type, logical type
    "bool": ([False, True], pa.bool_(), "BOOLEAN", None),
    "int8": ([-128, 0, 127], pa.int8(), "INT32", "Int(bitWidth=8, isSigned=true)"),
    "int16": ([-(2**15), 0, 2**15 - 1], pa.int16(), "INT32", "Int(bitWidth=16, isSigned=true)"),
    "int32": ([-(2**31), 0, 2**31 - 1], pa.int32(), "INT32", "Int(bitWidth=32, isSigned=true)"),
    "int64": ([-(2**63), 0, 2**63 - 1], pa.int64(), "INT64", "Int(bitWidth=64, isSigned=true)"),
    "uint8": ([0, 127, 128, 255], pa.uint8(), "INT32", "Int(bitWidth=8, isSigned=false)"),
    "uint16": ([0, 2**15, 2**16 - 1], pa.uint16(), "INT32", "Int(bitWidth=16, isSigned=false)"),
    "uint32": ([0, 2**31 - 1, 2**31, 2**32 - 1], pa.uint32(), "INT32", "Int(bitWidth=32, isSigned=false)"),
    "uint64": ([0, 2**63 - 1, 2**63, 2**64 - 1], pa.uint64(), "INT64", "Int(bitWidth=64, isSigned=false)"),
    "float32": ([-math.inf, -0.5, 1.0, math.inf], pa.float32(), "FLOAT", None),
    "float64": ([-math.inf, -0.5, 5e-324, math.inf], pa.float64(), "DOUBLE", None),
    "string": (["", "\x7f", "\u00e9", "\uffff", "\U0010ffff"], pa.string(), "BYTE_ARRAY", "String"),
    "binary": ([b"", b"\x00", b"\x7f", b"\x80", b"\xff"], pa.binary(), "BYTE_ARRAY", None),
    "float16": ([-math.inf, -0.5, 2.0**-24, 65504.0], pa.float16(), "FIXED_LEN_BYTE_ARRAY", "Float16"),
    "json": (["[]", "null", "{}"], pa.json_(), "BYTE_ARRAY", "JSON"),
    "bson": ([b"", b"\x7f", b"\x80"], pa.binary(), "BYTE_ARRAY", "BSON"),
    "enum": (["A", "B", "\u00e9"], pa.binary(), "BYTE_ARRAY", "Enum"),
    "binary[3]": ([b"\x00ab", b"\x7fab", b"\x80ab", b"\xffab"], pa.binary(3), "FIXED_LEN_BYTE_ARRAY", None),
    "uuid": ([uuid.UUID(int=i << 120) for i in (0, 127, 128, 255)], pa.uuid(), "FIXED_LEN_BYTE_ARRAY", "UUID"),
    "date": ([dt.date.min, dt.date(1970, 1, 1), dt.date.max], pa.date32(), "INT32", "Date"),
    "time[ms]": ([dt.time.min, dt.time(12), dt.time(23, 59, 59, 999_000)], pa.time32("ms"), "INT32", time_text("milli", False)),
    "time[us, UTC]": ([dt.time.min, dt.time(12), dt.time.max], pa.time64("us"), "INT64", time_text("micro", True)),
    "time[ns]": ([dt.time.min, dt.time(12), dt.time.max], pa.time64("ns"), "INT64", time_text("nano", False)),
    "timestamp[s]": ([FIRST.replace(microsecond=0), EPOCH, LAST.replace(microsecond=0)], pa.timestamp("ms"), "INT64",
                     instant_text("milli", False)),
    "timestamp[ms, UTC]": ([EPOCH.replace(year=2, tzinfo=UTC), EPOCH.replace(tzinfo=UTC)], pa.timestamp("ms", "UTC"), "INT64",
                           instant_text("milli", True)),
    "timestamp[us]": ([FIRST, EPOCH, LAST], pa.timestamp("us"), "INT64", instant_text("micro", False)),
    "decimal(9, 4)": ([*map(Decimal, ("-99999.9999", "-0.0001", "0.0000", "99999.9999"))], pa.decimal128(9, 4), "INT32",
                      "Decimal(precision=9, scale=4)"),
    "decimal(18, 0)": ([Decimal(-(10**18) + 1), Decimal(-1), Decimal(10**18 - 1)], pa.decimal128(18, 0), "INT64",
                       "Decimal(precision=18, scale=0)"),
    "decimal(38, 2)": ([*map(Decimal, ("-" + "9" * 36 + ".99", "-0.01", "0.00", "9" * 36 + ".99"))], pa.decimal128(38, 2),
                       "FIXED_LEN_BYTE_ARRAY", "Decimal(precision=38, scale=2)"),
}  # fmt: skip

# Bounds that pyarrow shows as the bytes that they are.
AS_BYTES = {"float16": lambda v: struct.pack("<e", v), "json": str.encode, "enum": str.encode, "uuid": lambda v: v.bytes}


def write(path, schema, rows, **options):
    with ccpq.Writer(path, schema, **options) as w:
        w.write_rows(rows)
    return pq.ParquetFile(path)


def statistics(file, group=0, column=0):
    return file.metadata.row_group(group).column(column).statistics


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("kind", TYPES)
def test_type_and_statistics(tmp_path, kind, optional):
    values, arrow, physical, logical = TYPES[kind]
    n = len(values)
    rows = [(v,) for v in values] + [(v,) for v in reversed(values[:-1])] + ([(None,)] * 2 if optional else [])
    f = write(tmp_path / "x", {"v": kind + ("?" if optional else "")}, rows, row_group_size=n)
    assert f.schema_arrow == pa.schema([pa.field("v", arrow, nullable=optional)])
    leaf = f.schema.column(0)
    assert leaf.physical_type == physical
    assert str(leaf.logical_type) == (logical or "None")
    assert (leaf.max_definition_level, leaf.max_repetition_level) == (int(optional), 0)

    values = [AS_BYTES.get(kind, lambda v: v)(v) for v in values]
    first = statistics(f)
    assert first.has_min_max and (first.min, first.max) == (values[0], values[-1])
    assert first.has_null_count and first.null_count == 0 and first.num_values == n
    # The second group lacks the largest value.
    second = statistics(f, 1)
    assert (second.min, second.max) == (values[0], values[-2])
    if optional:
        assert sum(statistics(f, g).null_count for g in range(f.num_row_groups)) == 2


@pytest.mark.parametrize("kind", TYPES)
def test_nulls_have_no_bounds(tmp_path, kind):
    f = write(tmp_path / "x", {"v": kind + "?"}, [(None,)] * 5)
    s = statistics(f)
    assert not s.has_min_max and s.null_count == 5 and s.num_values == 0


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_bounds_of_floats(tmp_path, kind):
    """None beside a NaN, because readers do not agree on them; and a zero stands for both."""
    f = write(tmp_path / "x", {"v": kind}, [(1.0,), (math.nan,), (0.0,), (2.0,), (-2.0,), (-0.0,)], row_group_size=2)
    assert not statistics(f, 0).has_min_max
    low, high = statistics(f, 1).min, statistics(f, 2).max
    assert (low, math.copysign(1, low)) == (0.0, -1) and (high, math.copysign(1, high)) == (0.0, 1)


@pytest.mark.parametrize("kind", ["string", "binary"])
def test_bounds_of_long_values_are_cut(tmp_path, kind):
    value = "k" * 200 if kind == "string" else b"k" * 200
    f = write(tmp_path / "x", {"v": kind}, [(value,)])
    s = statistics(f)
    assert s.min == value[:64]
    assert s.max == (value[:63] + "l" if kind == "string" else value[:63] + b"l")
    if hasattr(s, "is_min_value_exact"):
        assert s.is_min_value_exact is False and s.is_max_value_exact is False


def test_no_bound_above_the_highest_bytes(tmp_path):
    f = write(tmp_path / "x", {"v": "binary"}, [(b"\xff" * 100,)])
    assert not statistics(f).has_min_max


def test_sorting_columns(tmp_path):
    schema = {"a": "string", "b": "int64", "c": "float32?"}
    rows = [("a", 3, 1.0), ("a", 2, None), ("b", 9, 0.5), ("b", 9, 0.75), ("b", 9, None)]
    f = write(tmp_path / "x", schema, rows, sorting_columns=["a", ("b", "descending"), "c"], row_group_size=2)
    assert f.num_row_groups == 3
    for g in range(3):
        assert f.metadata.row_group(g).sorting_columns == (
            pq.SortingColumn(0), pq.SortingColumn(1, descending=True), pq.SortingColumn(2))  # fmt: skip
    assert not write(tmp_path / "y", schema, rows).metadata.row_group(0).sorting_columns


@pytest.mark.parametrize("kind, values, encoding", [
    ("string", [f"host{i % 10}" for i in range(5000)], "RLE_DICTIONARY"),
    ("string", [f"{i * 7919:x} of its own" for i in range(5000)], "PLAIN"),
    ("int64", [1_700_000_000 + 60 * i for i in range(5000)], "DELTA_BINARY_PACKED"),
    ("int32", list(range(5000)), "DELTA_BINARY_PACKED"),
    ("float32", random.Random(1).choices([i / 8 for i in range(31)], k=5000), "RLE_DICTIONARY"),
    ("float64", [math.sin(i) * i for i in range(5000)], "PLAIN"),
    ("bool", [i % 3 == 0 for i in range(5000)], "PLAIN"),
])  # fmt: skip
def test_encoding_follows_the_values(tmp_path, kind, values, encoding):
    f = write(tmp_path / "x", {"v": kind}, [(v,) for v in values])
    c = f.metadata.row_group(0).column(0)
    assert encoding in c.encodings
    assert c.has_dictionary_page == (encoding == "RLE_DICTIONARY")
    assert not {"BIT_PACKED", "PLAIN_DICTIONARY"} & set(c.encodings)


@pytest.mark.parametrize("codec, name", [("zstd", "ZSTD"), ("snappy", "SNAPPY"), (None, "UNCOMPRESSED")])
def test_chunks(tmp_path, codec, name):
    rows = [(i, str(i % 7)) for i in range(1000)]
    f = write(tmp_path / "x", {"i": "int64", "s": "string"}, rows, compression=codec, row_group_size=300)
    m = f.metadata
    assert (m.num_rows, m.num_row_groups, m.num_columns) == (1000, 4, 2)
    position = 4
    for g in range(4):
        group = m.row_group(g)
        chunks = [group.column(k) for k in range(2)]
        assert group.num_rows == (300 if g < 3 else 100)
        for c in chunks:
            first = c.dictionary_page_offset if c.has_dictionary_page else c.data_page_offset
            assert (c.compression, c.num_values, first) == (name, group.num_rows, position)
            position += c.total_compressed_size
            assert c.has_offset_index and c.has_column_index
        assert group.total_byte_size == sum(c.total_uncompressed_size for c in chunks)


def test_created_by_and_metadata(tmp_path):
    given = {"site": "NHR@FAU", "\u03bb": "", "json": '{"a": 1}'}
    with ccpq.Writer(tmp_path / "x", {"i": "int8"}, metadata=given) as w:
        w.metadata["late"] = "known at the end"
    m = pq.read_metadata(tmp_path / "x")
    # The form that readers parse to know a writer by its version.
    assert re.fullmatch(r"ccpq version \d+\.\d+\.\d+\S* \(build \S+\)", m.created_by)
    assert ccpq.__version__ in m.created_by
    assert m.metadata == {k.encode(): v.encode() for k, v in {**given, "late": "known at the end"}.items()}
    assert m.format_version in ("1.0", "2.4", "2.6")


def test_ways_of_pyarrow(tmp_path):
    rows = [(i, f"s{i % 50}", None if i % 4 else i / 2) for i in range(20_000)]
    path = tmp_path / "x.parquet"
    f = write(path, {"i": "int64", "s": "string", "v": "float64?"}, rows, row_group_size=6000, data_page_size="4KiB")
    columns = dict(zip("isv", map(list, zip(*rows))))
    assert f.read_row_group(2, columns=["v"]).column(0).to_pylist() == columns["v"][12_000:18_000]
    assert [x for b in f.iter_batches(batch_size=777, columns=["s"]) for x in b.column(0).to_pylist()] == columns["s"]
    for options in ({"memory_map": True}, {"pre_buffer": False}, {"read_dictionary": ["s"]}, {"use_threads": False}):
        assert pq.read_table(path, **options).to_pydict() == columns
    dataset = pytest.importorskip("pyarrow.dataset").dataset(tmp_path)
    assert dataset.count_rows(filter=pytest.importorskip("pyarrow.compute").field("i") >= 19_000) == 1000


def test_pandas(tmp_path):
    pd = pytest.importorskip("pandas")
    write(tmp_path / "x", {"i": "int32", "s": "string?", "v": "float32"}, [(1, None, 0.5), (2, "a", math.nan)])
    frame = pd.read_parquet(tmp_path / "x")
    assert frame["i"].dtype == "int32" and frame["v"].dtype == "float32"
    assert frame["s"].isna().tolist() == [True, False] and frame["v"].isna().tolist() == [False, True]


def test_duckdb_metadata(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    path = str(tmp_path / "x")
    write(path, {"t": "int64", "u": "uint64", "s": "string?", "b": "binary"},
          [(i, 2**64 - 1 - i, None if i % 2 else f"v{i:03d}", b"x") for i in range(100)], row_group_size=50, metadata={"k": "v"})
    with duckdb.connect(config={"threads": 1}) as c:
        types = dict(c.execute("select column_name, column_type from (describe select * from read_parquet(?))", [path]).fetchall())
        assert types == {"t": "BIGINT", "u": "UBIGINT", "s": "VARCHAR", "b": "BLOB"}
        found = c.execute("select row_group_id, path_in_schema, num_values, stats_min_value, stats_max_value, stats_null_count "
                          "from parquet_metadata(?) order by 1, column_id", [path]).fetchall()
        assert found[0] == (0, "t", 50, "0", "49", 0) and found[4] == (1, "t", 50, "50", "99", 0)
        assert found[1][3:] == (str(2**64 - 50), str(2**64 - 1), 0)
        assert found[6][2:] == (50, "v050", "v098", 25)
        assert c.execute("select key, value from parquet_kv_metadata(?)", [path]).fetchall() == [(b"k", b"v")]


def test_polars_schema(tmp_path):
    pl = pytest.importorskip("polars")
    write(tmp_path / "x", {f"c{i}": kind for i, kind in enumerate(TYPES)}, [])
    assert list(pl.read_parquet_schema(tmp_path / "x").values()) == [
        pl.Boolean, pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32, pl.Float64,
        pl.String, pl.Binary, pl.Float16, pl.Binary, pl.Binary, pl.String, pl.Binary, pl.Binary, pl.Date, pl.Time, pl.Time,
        pl.Time, pl.Datetime("ms"), pl.Datetime("ms", "UTC"), pl.Datetime("us"), pl.Decimal(9, 4), pl.Decimal(18, 0),
        pl.Decimal(38, 2)]  # fmt: skip


def test_duckdb_schema(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    write(tmp_path / "x", {kind: kind for kind in TYPES}, [])
    found = duckdb.sql("describe select * from read_parquet(?)", params=[str(tmp_path / "x")]).fetchall()
    assert [row[1] for row in found] == [
        "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT", "DOUBLE",
        "VARCHAR", "BLOB", "FLOAT", "JSON", "BLOB", "VARCHAR", "BLOB", "UUID", "DATE", "TIME", "TIME WITH TIME ZONE", "TIME_NS",
        "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "DECIMAL(9,4)", "DECIMAL(18,0)", "DECIMAL(38,2)"]  # fmt: skip


def test_many_files_are_one_table(tmp_path):
    """Files of different batches, one with no row at all, read as one by a pattern."""
    duckdb, pl = pytest.importorskip("duckdb"), pytest.importorskip("polars")
    for i, n in enumerate((10, 0, 1)):
        write(tmp_path / f"{i}.parquet", {"i": "int64", "s": "string?"}, [(k, None) for k in range(n)])
    pattern = str(tmp_path / "*.parquet")
    assert duckdb.sql(f"select count(*), sum(i) from read_parquet('{pattern}')").fetchall() == [(11, 45)]
    assert pl.scan_parquet(pattern).select(pl.len()).collect().item() == 11
    assert pq.read_table(tmp_path).num_rows == 11
