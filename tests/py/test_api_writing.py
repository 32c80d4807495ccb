"""Writing as the contract has it: the options and their defaults, the methods, wrong doors, targets, threads, what is shown.

Values and rows are in test_api_values.py, columns and Arrow in test_api_columns.py, schemas in test_api_schema.py. Rarer
faults of targets, sinks and forks are in test_writer.py and test_publish.py.
"""

import collections
import dataclasses
import gc
import inspect
import io
import os
import re
import threading
from pathlib import Path

import ccpq
import model
import pytest
from api_readback import need, read, write
from writer_parts import Boom, S, Sink, rows_of

ROWS = rows_of(1000)
COLUMNS = {"a": [r[0] for r in ROWS], "s": [r[1] for r in ROWS]}


def raising(rows):
    yield from rows
    raise Boom


def group_rows(data):
    return [g.num_rows for g in model.read_metadata(data).row_groups]


def data_of(rows=ROWS, schema=S, **options):
    return write(schema, rows, **options)


# -- what there is ----------------------------------------------------------------------------------------------------------

DEFAULTS = {
    "compression": "zstd", "compression_level": None, "profile": "default", "memory_limit": "64MiB", "row_group_size": 1_048_576,
    "row_group_bytes": "128MiB", "data_page_size": None,
    "sorting_columns": None, "metadata": None, "field_ids": None, "bloom_filter": (), "hashes": False, "strict": True,
    "extra": "error", "threads": 1, "overwrite": False, "mkdir": False,
    "durability": "full", "spill_dir": None,
}  # fmt: skip


def parameters(f):
    return {n: p for n, p in inspect.signature(f).parameters.items() if n != "self" and p.kind is not p.VAR_KEYWORD}


def test_options_and_their_defaults():
    found = parameters(ccpq.Writer)
    assert list(found) == ["target", "schema", *DEFAULTS]
    assert found["schema"].default is None and found["target"].default is inspect.Parameter.empty
    assert {n: found[n].default for n in DEFAULTS} == DEFAULTS
    assert all(found[n].kind is inspect.Parameter.KEYWORD_ONLY for n in DEFAULTS)


@pytest.mark.parametrize(("name", "positional", "keywords"), [
    ("write_rows", ["rows"], {"columns": None, "on_error": "raise"}), ("write_group", ["rows"], {"columns": None}),
    ("write_columns", ["mapping"], {}), ("write_arrow", ["data"], {}),
    ("flush_group", [], {"min_rows": 0}), ("close", [], {}), ("abort", [], {}),
])  # fmt: skip
def test_methods(name, positional, keywords):
    found = parameters(getattr(ccpq.Writer, name))
    assert list(found) == [*positional, *keywords]
    assert {n: found[n].default for n in keywords} == keywords
    assert all(found[n].kind is inspect.Parameter.KEYWORD_ONLY for n in keywords)


def test_functions_of_the_module():
    assert list(parameters(ccpq.write)) == ["target", "data", "schema"] and parameters(ccpq.write)["schema"].default is None
    assert list(parameters(ccpq.infer_schema)) == ["rows", "sample"] and parameters(ccpq.infer_schema)["sample"].default == 1000
    assert {"write", "infer_schema", "Json", "Field", "Schema", "schema", "MemoryBudget", "Writer", "Report"} <= set(ccpq.__all__)
    for module in ("checkpoint", "testing"):
        assert inspect.ismodule(__import__(f"ccpq.{module}", fromlist=[module]))


def test_attributes(tmp_path):
    with ccpq.Writer(tmp_path / "x.parquet", S, metadata={"k": "v"}) as w:
        assert (w.closed, w.rows, w.row_groups) == (False, 0, 0) and w.schema == ccpq.schema(S) and isinstance(w.schema,
            ccpq.Schema)
        assert w.write_row(ROWS[0]) is None
        assert w.write_rows(ROWS[1:100]) == 99
        assert w.write_group(ROWS[100:200]) == 100
        assert w.write_columns({"a": range(200, 300), "s": COLUMNS["s"][200:300]}) == 100
        assert (w.rows, w.row_groups) == (300, 2) and w.bytes_written > 0
        assert w.flush_group(min_rows=101) is False and w.flush_group() is True and w.flush_group() is False
        assert w.row_groups == 3
        m = w.memory
        assert 0 < m.used <= m.peak <= m.limit == 64 << 20 and m.spilled >= 0
        assert {"memory_limit", "page_rows", "page_bytes", "max_value_bytes", "max_row_bytes"} <= set(w.plan)
        w.metadata["late"] = "yes"  # mutable until close
        report = w.close()
        assert w.close() is report and w.closed
        for call in (lambda: w.write_row(ROWS[0]), lambda: w.write_rows(ROWS), lambda: w.write_group(ROWS),
            lambda: w.write_columns(COLUMNS), w.flush_group):
            with pytest.raises(RuntimeError, match="closed"):
                call()
    data = (tmp_path / "x.parquet").read_bytes()
    assert read(data, S) == {n: v[:300] for n, v in COLUMNS.items()} and group_rows(data) == [100, 100, 100]
    assert {p.key: p.value for p in model.read_metadata(data).footer.key_value_metadata} == {"k": "v", "late": "yes"}
    assert (report.rows, report.row_groups, report.bytes) == (300, 3, len(data))


# -- defaults and options -----------------------------------------------------------------------------------------------------

NOISE = [(i * 7919 % 100_003, f"text {i * 31 % 997}") for i in range(3000)]


def test_compression():
    zstd, none = data_of(NOISE), data_of(NOISE, compression="none")
    assert zstd == data_of(NOISE, compression="ZSTD") == data_of(NOISE, compression_level=3) == data_of(NOISE, compression="zstd",
        compression_level=None)
    assert none == data_of(NOISE, compression=None) == data_of(NOISE, compression="None") == data_of(NOISE,
        compression="uncompressed") == data_of(NOISE, compression="UNCOMPRESSED")
    assert zstd != data_of(NOISE, compression_level=9) and len(zstd) < len(none)
    assert len({zstd, none, data_of(NOISE, compression="snappy")}) == 3 and data_of(NOISE, compression="SNAPPY") == data_of(NOISE,
        compression="snappy")


def codecs(data):
    pq = need("pyarrow.parquet")
    group = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0)
    return [group.column(i).compression for i in range(group.num_columns)]


def test_a_codec_for_each_column():
    data = data_of(NOISE, compression={"a": "none", "s": "Snappy"})
    assert codecs(data) == ["UNCOMPRESSED", "SNAPPY"]
    assert codecs(data_of(NOISE, compression={"a": "zstd", "s": None})) == ["ZSTD", "UNCOMPRESSED"]
    assert read(data, S)["s"] == [r[1] for r in NOISE]


def test_row_groups():
    f = io.BytesIO()
    with ccpq.Writer(f, {"a": "int64"}, durability="none") as w:
        w.write_columns({"a": range(1_048_577)})
    assert group_rows(f.getvalue()) == [1_048_576, 1]
    assert group_rows(data_of(row_group_size=300)) == [300, 300, 300, 100]
    # Bytes of compressed pages, which are looked at every few thousand rows: about 30 a row here.
    noise = [(i, os.urandom(30).hex()) for i in range(20_000)]
    groups = group_rows(data_of(noise, row_group_bytes="100KiB", data_page_size="16KiB"))
    assert len(groups) > 2 and sum(groups) == 20_000 and all(n * 30 > 100 << 10 for n in groups[:-1])


@pytest.mark.parametrize(("given", "limit"),
    [("64MiB", 64 << 20), ("64MB", 64_000_000), (50_000_000, 50_000_000), ("0.5GiB", 512 << 20)])
def test_sizes(given, limit):
    with ccpq.Writer(io.BytesIO(), S, memory_limit=given, row_group_bytes=given) as w:
        assert w.memory.limit == limit


def test_a_budget_of_many():
    budget = ccpq.MemoryBudget("96MiB")
    with ccpq.Writer(io.BytesIO(), S, memory_limit=budget) as w, ccpq.Writer(io.BytesIO(), S, memory_limit=budget.share("32MiB")) as v:
        assert (w.memory.limit, v.memory.limit) == (64 << 20, 32 << 20)
        with pytest.raises(ccpq.BudgetError) as info:
            ccpq.Writer(io.BytesIO(), S, memory_limit=budget.share("16MiB"))
        assert isinstance(info.value, MemoryError) and info.value.limit == 96 << 20 and info.value.needed is not None
    assert budget.used == 0


@pytest.mark.parametrize("profile", ["compat", "default", "modern"])
def test_profiles(profile, tmp_path):
    schema = {**S, "f": "float64", "g": "float32?", "n": "int32", "t": "timestamp[us, UTC]", "r": "string"}
    rows = [(i, s, i / 3, None if i % 5 else i / 7, i * i % 991, i * 1_000_003, f"row {i:08d}") for i, s in ROWS * 5]
    path = tmp_path / "x.parquet"
    path.write_bytes(write(schema, rows, profile=profile))
    got = read(path.read_bytes(), schema, profile)
    assert [got[n] for n in ("a", "s", "f", "n", "r")] == [[r[i] for r in rows] for i in (0, 1, 2, 4, 6)]
    pq, pl, duckdb = need("pyarrow.parquet", "polars", "duckdb")
    table = pq.read_table(path)
    assert pl.read_parquet(path).equals(pl.from_arrow(table))
    with duckdb.connect() as db:
        assert db.execute("select a, s, f, g, n, r from read_parquet(?)",
            [str(path)]).fetchall() == [(*r[:5], r[6]) for r in zip(*(table[n].to_pylist() for n in "asfgnr"), got["r"])]
    meta = pq.ParquetFile(path).metadata
    used = {e for i in range(meta.num_columns) for e in meta.row_group(0).column(i).encodings}
    plain = {"PLAIN", "RLE", "RLE_DICTIONARY", "PLAIN_DICTIONARY"}
    assert used <= {"compat": plain, "default": plain | {"DELTA_BINARY_PACKED"}}.get(profile, used)
    assert meta.format_version.startswith("2" if profile == "modern" else "1")


def test_field_ids():
    pq = need("pyarrow.parquet")
    schema = pq.ParquetFile(io.BytesIO(data_of(field_ids={"a": 7, "s": 300}))).schema_arrow
    assert [f.metadata[b"PARQUET:field_id"] for f in schema] == [b"7", b"300"]
    for bad, cls in (({"x": 1}, ValueError), ({"a": "1"}, TypeError), ({"a": True}, TypeError), (["a"], TypeError),
        ({"a": 1, "s": 1}, ValueError), ({"a": -1}, ValueError), ({"a": 2**31}, ValueError)):
        with pytest.raises(cls, match="field_ids"):
            ccpq.Writer(io.BytesIO(), S, field_ids=bad)


def test_sorting_columns():
    f = io.BytesIO()
    with ccpq.Writer(f, S, sorting_columns=[("a", "descending"), "s"]) as w:
        w.write_rows([(5, "a"), (5, "b"), (3, "a")])
        for bad, keys in (((4, "a"), ("3", "4")), ((3, "A"), ("'a'", "'A'"))):
            with pytest.raises(ccpq.RowValueError) as info:
                w.write_row(bad)
            assert all(k in str(info.value) for k in keys) and info.value.row == 3  # both keys are shown
        with pytest.raises(ccpq.RowValueError):
            w.write_columns({"a": [3, 2, 9], "s": ["z", "a", "a"]})
        w.write_row((3, "a"))
    assert read(f.getvalue(), S) == {"a": [5, 5, 3, 3], "s": ["a", "b", "a", "a"]}
    keys = model.read_metadata(f.getvalue()).row_groups[0].sorting_columns
    assert [(k.column_idx, k.descending, k.nulls_first) for k in keys] == [(0, True, False), (1, False, False)]


@pytest.mark.parametrize("durability", ["full", "file", "none"])
def test_durability_changes_no_byte(tmp_path, durability):
    with ccpq.Writer(tmp_path / "x.parquet", S, durability=durability) as w:
        w.write_rows(ROWS)
    assert (tmp_path / "x.parquet").read_bytes() == data_of()


def test_spill_dir(tmp_path):
    rows = [(i, os.urandom(30).hex()) for i in range(100_000)]
    f = io.BytesIO()
    with ccpq.Writer(f, S, memory_limit="4MiB", compression="none", data_page_size="64KiB", spill_dir=tmp_path) as w:
        w.write_rows(rows)
        assert w.memory.spilled > 0 and os.listdir(tmp_path) == []  # unlinked
    assert w.report.peak_memory <= 4 << 20
    assert model.read_table(f.getvalue())["s"] == [r[1] for r in rows]


@pytest.mark.parametrize(("options", "cls", "words"), [
    ({"compresion": "zstd"}, TypeError, "'compresion'; did you mean 'compression'?"),
    ({"memory_limits": 5}, TypeError, "did you mean 'memory_limit'?"), ({"over_write": 1}, TypeError, "did you mean 'overwrite'?"),
    ({"nonsense": 1}, TypeError, "nonsense"),
    ({"memory_limit": None}, TypeError, "no \"unlimited\""), ({"memory_limit": "64M"}, ValueError, "64MiB.*64MB"),
    ({"memory_limit": "1KiB"}, ccpq.BudgetError, "."),
    ({"row_group_bytes": "128M"}, ValueError, "128MiB.*128MB"), ({"row_group_bytes": None}, TypeError, "row_group_bytes"),
    ({"data_page_size": "1G"}, ValueError, "1GiB.*1GB"),
    ({"row_group_size": 0}, ValueError, "row_group_size"), ({"row_group_size": 1.5}, TypeError, "row_group_size"),
    ({"compression": "ztsd"}, ValueError, "did you mean 'zstd'"), ({"compression": 5}, TypeError, "compression"),
    ({"compression": {"b": "zstd"}}, ValueError, "'b'"),
    ({"compression": {"a": "ztsd"}}, ValueError, "did you mean 'zstd'"), ({"compression_level": 99}, ValueError, "99"),
    ({"compression": "snappy", "compression_level": 1}, ValueError, "snappy"),
    ({"profile": "modren"}, ValueError, "did you mean 'modern'"), ({"profile": None}, (TypeError, ValueError), "profile"),
    ({"extra": "drop"}, ValueError, "extra.*'error'.*'ignore'"), ({"strict": 1}, TypeError, "strict"),
    ({"durability": "sync"}, ValueError, "'full', 'file', 'none'"),
    ({"overwrite": "yes"}, TypeError, "overwrite"), ({"mkdir": 1}, TypeError, "mkdir"), ({"threads": 0}, ValueError, "threads"),
    ({"sorting_columns": ["aa"]}, ValueError, "'aa'.*did you mean 'a'"), ({"sorting_columns": "a"}, TypeError, "sorting_columns"),
    ({"sorting_columns": [("a", "up")]}, ValueError, "'descending'"),
    ({"metadata": {"a": 1}}, TypeError, "metadata"), ({"spill_dir": "/nonexistent"}, OSError, "spill_dir"),
], ids=str)  # fmt: skip
def test_refused_options(tmp_path, options, cls, words):
    with pytest.raises(cls, match=words):
        ccpq.Writer(tmp_path / "sub/x.parquet", S, **{"mkdir": True, **options})
    assert os.listdir(tmp_path) == []
    with pytest.raises(cls, match=words):
        ccpq.write(tmp_path / "sub/x.parquet", ROWS, S, **{"mkdir": True, **options})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("options", [{"hashes": True}, {"bloom_filter": ["a"]}, {"bloom_filter": {"a": 0.01}}, {"threads": 2},
    {"schema": {"a": "list<int64>"}},
                                     {"schema": {"a": "map<string, int64>"}}, {"schema": {"a": "struct<x: int64>"}}],
                                     ids=str)  # fmt: skip
def test_what_a_later_release_brings(tmp_path, options):
    with pytest.raises(ccpq.UnsupportedError) as info:
        ccpq.Writer(tmp_path / "x.parquet", **{"schema": S, **options})
    assert isinstance(info.value, NotImplementedError) and os.listdir(tmp_path) == []


# -- write_rows and write_group -----------------------------------------------------------------------------------------------


def test_write_rows_goes_on_with_the_same_iterator():
    taken = []

    def source():
        for i in range(10):
            taken.append(i)
            yield ("bad", "x") if i in (3, 7) else (i, "x")

    f, rows = io.BytesIO(), source()
    with ccpq.Writer(f, S) as w:
        for bad, before in ((3, 3), (7, 3)):
            with pytest.raises(ccpq.RowTypeError) as info:
                w.write_rows(rows)
            assert (info.value.row_in_call, info.value.rows_written, taken[-1]) == (3, before, bad)
        assert w.write_rows(rows) == 2
    assert read(f.getvalue(), S)["a"] == [0, 1, 2, 4, 5, 6, 8, 9]


def test_on_error():
    f, seen = io.BytesIO(), []
    with ccpq.Writer(f, S) as w:
        assert w.write_rows([(1, "x"), ("bad", "x"), (2, "x"), (3, 5), (4,)], on_error=seen.append) == 2
        boom = Boom()

        def raising(e):
            raise boom

        with pytest.raises(Boom) as info:
            w.write_rows([(5, "x"), (None, "x"), (6, "x")], on_error=raising)
        assert info.value is boom
        for bad in ("skip", 5):
            with pytest.raises((TypeError, ValueError), match="on_error"):
                w.write_rows([], on_error=bad)
    assert [(e.row_in_call, e.column) for e in seen] == [(1, "a"), (3, "s"),
        (4, None)] and all(isinstance(e, ccpq.RowError) for e in seen)
    assert w.report.skipped_rows == 3 and "3 rows skipped" in str(w.report)
    assert read(f.getvalue(), S)["a"] == [1, 2, 5]


@pytest.mark.parametrize("bad", [[(5, "x"), (6, "y"), ("bad", "z")], "raises"])
def test_write_group_is_all_or_nothing(bad):
    f, g = io.BytesIO(), io.BytesIO()
    with ccpq.Writer(f, S, row_group_size=10) as w:
        w.write_rows(ROWS[:5])
        with pytest.raises((ccpq.RowError, Boom)):
            w.write_group(raising([(5, "new"), (6, "newer")]) if bad == "raises" else bad)
        assert (w.rows, w.row_groups) == (5, 1)
        assert w.write_group(ROWS[5:105]) == 100  # neither row_group_size nor row_group_bytes cuts it
        assert w.write_group([]) == 0
        w.write_rows(ROWS[105:])
    with ccpq.Writer(g, S, row_group_size=10) as w:
        w.write_rows(ROWS[:5])
        w.flush_group()
        w.write_group(ROWS[5:105])
        w.write_rows(ROWS[105:])
    assert f.getvalue() == g.getvalue() and read(f.getvalue(), S) == COLUMNS
    assert group_rows(f.getvalue())[:3] == [5, 100, 10]


def test_a_group_without_rows_is_none():
    f = io.BytesIO()
    with ccpq.Writer(f, S) as w:
        assert w.write_group([]) == w.write_group(iter(())) == 0
        assert w.row_groups == 0
    assert group_rows(f.getvalue()) == [] and read(f.getvalue(), S) == {"a": [], "s": []}


# -- ccpq.write -----------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Sample:
    a: int
    s: str | None


TABLE = {"a": [1, 2, 3], "s": ["x", None, "z"]}
PAIRS = [(1, "x"), (2, None), (3, "z")]
DATA = {
    "tuples": lambda: PAIRS, "generator": lambda: (p for p in PAIRS), "dicts": lambda: [dict(zip("as", p)) for p in PAIRS],
    "dataclasses": lambda: [Sample(*p) for p in PAIRS],
    "columns": lambda: TABLE, "numpy": lambda: {**TABLE, "a": need("numpy").array([1, 2, 3])},
    "pyarrow": lambda: need("pyarrow").table(TABLE),
    "batch": lambda: need("pyarrow").record_batch(TABLE), "reader": lambda: need("pyarrow").table(TABLE).to_reader(),
    "polars": lambda: need("polars").DataFrame(TABLE),
    "pandas": lambda: need("pandas").DataFrame(TABLE),
    "duckdb": lambda: need("duckdb").sql("select * from (values (1::bigint, 'x'), (2, null), (3, 'z')) t(a, s)"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DATA)
def test_write_takes_rows_columns_and_arrow(tmp_path, kind):
    report = ccpq.write(tmp_path / "x.parquet", DATA[kind](), S, compression="snappy")
    assert isinstance(report, ccpq.Report) and report.rows == 3
    assert (tmp_path / "x.parquet").read_bytes() == write(S, PAIRS, compression="snappy")


@pytest.mark.parametrize("kind", [k for k in DATA if k not in ("tuples", "generator")])
def test_write_finds_the_schema_out(tmp_path, kind):
    ccpq.write(tmp_path / "x.parquet", DATA[kind]())
    assert model.read_table(tmp_path / "x.parquet") == TABLE


def test_write_publishes_all_or_nothing(tmp_path):
    with pytest.raises(ccpq.RowTypeError):
        ccpq.write(tmp_path / "x.parquet", [*PAIRS, ("bad", "x")], S)
    with pytest.raises(Boom):
        ccpq.write(tmp_path / "x.parquet", raising(PAIRS), S)
    assert os.listdir(tmp_path) == []
    ccpq.write(tmp_path / "x.parquet", [], S)
    with pytest.raises(FileExistsError, match="Parquet files are not appended to: write a second file beside it"):
        ccpq.write(tmp_path / "x.parquet", PAIRS, S)
    assert ccpq.write(tmp_path / "x.parquet", PAIRS, S, overwrite=True).rows == 3


@pytest.mark.parametrize("data", ["abc", b"abc", 5, None, Path("x.csv"), {1: [1]}, {}], ids=repr)
def test_write_refuses_what_is_no_data(tmp_path, data):
    with pytest.raises((TypeError, ValueError)):
        ccpq.write(tmp_path / "x.parquet", data, S)
    assert os.listdir(tmp_path) == []


# -- wrong doors ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["write_rows", "write_group"])
@pytest.mark.parametrize(("make", "words"), [
    (lambda: need("pandas").DataFrame(TABLE), "iterating a DataFrame gives column names; use write_arrow(df)"),
    (lambda: need("polars").DataFrame(TABLE), "write_arrow("),
    (lambda: need("pyarrow").table(TABLE), "write_arrow("), (lambda: need("pyarrow").record_batch(TABLE), "write_arrow("),
    (lambda: {"a": 1, "s": "x"}, "write_row"), (lambda: "abc", "str"),
    (lambda: b"abc", "bytes"), (lambda: Path("x"), "path"), (lambda: 5, "int"), (lambda: None, "None"),
])  # fmt: skip
def test_wrong_doors_of_rows(method, make, words):
    with pytest.raises(TypeError, match=re.escape(words)), ccpq.Writer(io.BytesIO(), S) as w:
        getattr(w, method)(make())


def test_wrong_doors_of_a_row():
    with ccpq.Writer(io.BytesIO(), S) as w:
        for bad in ("ab", b"ab", 5, None, [(1, "x")], iter((1, "x"))):
            with pytest.raises(ccpq.RowError):
                w.write_row(bad)


@pytest.mark.parametrize("method", ["write_columns", "write_arrow"])
@pytest.mark.parametrize("bad", [5, None, "abc", b"abc", [(1, "x")], iter(()), Path("x"), object()], ids=lambda x: type(x).__name__)
def test_wrong_doors_of_columns_and_arrow(method, bad):
    with pytest.raises(TypeError, match=r"write_\w+\("), ccpq.Writer(io.BytesIO(), S) as w:
        getattr(w, method)(bad)


@pytest.mark.parametrize("make", [lambda: need("pandas").DataFrame(TABLE), lambda: need("pyarrow").table(TABLE),
    lambda: need("polars").DataFrame(TABLE)])
def test_a_frame_is_no_mapping_of_columns(make):
    with pytest.raises(TypeError, match=r"write_arrow\("), ccpq.Writer(io.BytesIO(), S) as w:
        w.write_columns(make())


# -- targets --------------------------------------------------------------------------------------------------------------------


class Place:
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return str(self.path)


@pytest.mark.parametrize("make", [str, os.fsencode, Path, Place])
def test_a_path_is_published_at_the_end(tmp_path, make):
    with ccpq.Writer(make(tmp_path / "ü.parquet"), S) as w:
        w.write_rows(ROWS)
        assert os.listdir(tmp_path) == []
    assert os.listdir(tmp_path) == ["ü.parquet"] and (tmp_path / "ü.parquet").read_bytes() == data_of()


def test_an_existing_file(tmp_path):
    p = tmp_path / "x.parquet"
    p.write_bytes(b"old")
    words = "Parquet files are not appended to: write a second file beside it"
    with pytest.raises(FileExistsError, match=words) as info:
        ccpq.Writer(p, S)
    assert info.value.filename == str(p)
    with pytest.raises(Boom), ccpq.Writer(p, S, overwrite=True) as w:
        w.write_rows(ROWS)
        raise Boom
    assert p.read_bytes() == b"old"
    with ccpq.Writer(p, S, overwrite=True) as w:
        w.write_rows(ROWS)
        assert p.read_bytes() == b"old"
    assert p.read_bytes() == data_of()
    p.unlink()
    with pytest.raises(FileExistsError, match=words), ccpq.Writer(p, S) as w:  # checked at publication too
        p.write_bytes(b"other")
    assert p.read_bytes() == b"other" and os.listdir(tmp_path) == ["x.parquet"]


def test_directories(tmp_path):
    with pytest.raises(FileNotFoundError, match="mkdir=True"):
        ccpq.Writer(tmp_path / "a/b/x.parquet", S)
    with ccpq.Writer(tmp_path / "a/b/x.parquet", S, mkdir=True) as w:
        w.write_rows(ROWS)
    assert (tmp_path / "a/b/x.parquet").read_bytes() == data_of()
    with pytest.raises(IsADirectoryError):
        ccpq.Writer(tmp_path / "a", S)


@pytest.mark.parametrize("url", ["s3://bucket/x.parquet", "gs://b/x", "https://host/x.parquet", "file:///tmp/x.parquet",
    "hdfs://n/x"])
def test_schemes_name_the_sink_protocol(url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="sink"):
        ccpq.Writer(url, S)
    assert os.listdir(tmp_path) == []


def test_binary_files_are_not_closed(tmp_path):
    with open(tmp_path / "x", "wb") as f:
        with ccpq.Writer(f, S) as w:
            w.write_rows(ROWS)
        assert not f.closed
        with pytest.raises(Boom), ccpq.Writer(io.BytesIO(), S):
            raise Boom
    assert (tmp_path / "x").read_bytes() == data_of()


def test_text_files_and_positions(tmp_path):
    with open(tmp_path / "x", "w") as f, pytest.raises(TypeError, match="open it with 'wb'"):
        ccpq.Writer(f, S)
    with pytest.raises(TypeError, match="'wb'"):
        ccpq.Writer(io.StringIO(), S)
    f = io.BytesIO(b"old")
    f.seek(3)
    with pytest.raises(ValueError, match="3"):
        ccpq.Writer(f, S)
    assert f.getvalue() == b"old"


@pytest.mark.parametrize("bad", [5, None, object(), ["x"], 1.5], ids=repr)
def test_what_is_no_target(bad):
    with pytest.raises(TypeError, match="path.*binary file.*sink"):
        ccpq.Writer(bad, S)


def test_a_sink():
    sink = Sink()
    with ccpq.Writer(sink, S) as w:
        w.write_rows(ROWS)
    assert bytes(sink.data) == data_of() and [c for c in sink.calls if c != "write"] == ["finish"]
    sink = Sink()
    with pytest.raises(Boom), ccpq.Writer(sink, S) as w:
        raise Boom
    assert [c for c in sink.calls if c != "write"] == ["abort"]


@pytest.mark.parametrize("error", [Boom(), SystemExit(1), KeyboardInterrupt(), GeneratorExit()], ids=repr)
def test_leaving_by_an_exception_publishes_nothing(tmp_path, error):
    with pytest.raises(type(error)) as info, ccpq.Writer(tmp_path / "x.parquet", S) as w:
        w.write_rows(ROWS)
        w.flush_group()
        raise error
    assert info.value is error and w.closed and os.listdir(tmp_path) == []
    w.abort()
    with pytest.raises(RuntimeError):
        w.close()


def test_abort_publishes_nothing(tmp_path):
    w = ccpq.Writer(tmp_path / "x.parquet", S)
    w.write_rows(ROWS)
    w.abort()
    w.abort()
    assert w.closed and os.listdir(tmp_path) == []


def test_a_forgotten_writer_warns(tmp_path):
    with pytest.warns(ResourceWarning, match="not closed"):
        ccpq.Writer(tmp_path / "x.parquet", S).write_rows(ROWS)
        gc.collect()
    assert os.listdir(tmp_path) == []


# -- threads and calls from inside -------------------------------------------------------------------------------------------------


@pytest.fixture
def writer():
    """Makes writers; those that a test left open are given up."""
    made = []

    def make(*args, **options):
        made.append(ccpq.Writer(*args, **options))
        return made[-1]

    yield make
    for w in made:
        w.abort()


CALLS = {
    "write_row": lambda w: w.write_row(ROWS[0]), "write_rows": lambda w: w.write_rows(ROWS),
    "write_group": lambda w: w.write_group(ROWS),
    "write_columns": lambda w: w.write_columns(COLUMNS), "flush_group": lambda w: w.flush_group(), "close": lambda w: w.close(),
    "abort": lambda w: w.abort(),
}  # fmt: skip


class Nosy(collections.abc.Sequence):
    """Values that call the writer while they are read."""

    def __init__(self, values, call):
        self.values, self.call = values, call

    def __len__(self):
        return len(self.values)

    def __getitem__(self, i):
        self.call()
        return self.values[i]


@pytest.mark.parametrize("outer", ["write_rows", "write_group", "write_columns", "on_error", "write_arrow"])
@pytest.mark.parametrize("inner", CALLS)
def test_calls_from_inside(outer, inner, writer):
    f, seen = io.BytesIO(), []
    w = writer(f, S)

    def call(_=None):
        with pytest.raises(RuntimeError, match=f"{inner}.*while") as info:
            CALLS[inner](w)
        seen.append(info.value)

    def rows():
        for row in ROWS[:3]:
            call()
            yield row

    if outer == "write_columns":
        w.write_columns({"a": Nosy(COLUMNS["a"][:3], call), "s": COLUMNS["s"][:3]})
    elif outer == "on_error":
        w.write_rows([*ROWS[:2], ("bad", "x"), ROWS[2]], on_error=call)
    elif outer == "write_arrow":
        pa = need("pyarrow")

        def batches():
            call()
            yield pa.record_batch({n: v[:3] for n, v in COLUMNS.items()})

        w.write_arrow(pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int64()), ("s", pa.string())]), batches()))
    else:
        getattr(w, outer)(rows())
    assert seen and not w.closed
    w.close()
    assert read(f.getvalue(), S) == {n: v[:3] for n, v in COLUMNS.items()}


@pytest.mark.parametrize("inner", CALLS)
def test_a_second_thread_is_refused_and_a_later_one_is_not(inner, writer):
    f = io.BytesIO()
    w = writer(f, S)
    inside, go_on = threading.Event(), threading.Event()

    def rows():
        inside.set()
        assert go_on.wait(60)
        yield ROWS[0]

    t = threading.Thread(target=lambda: w.write_rows(rows()))
    t.start()
    assert inside.wait(60)
    try:
        with pytest.raises(RuntimeError, match="one call at a time"):
            CALLS[inner](w)
    finally:
        go_on.set()
        t.join()
    w.write_row(ROWS[1])
    w.close()
    assert read(f.getvalue(), S)["a"] == [0, 1]


# -- what is shown -----------------------------------------------------------------------------------------------------------------

SIZE = r"[\d.]+ (B|KiB|MiB)"


def test_repr_of_a_writer(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ccpq.Writer("out.parquet", {"a": "int64"}, durability="none") as w:
        for _ in range(3):
            w.write_columns({"a": range(401_443)})
            w.flush_group()
        w.write_columns({"a": [1, 2]})
        assert re.fullmatch(rf"<ccpq.Writer 'out.parquet' open: 1,204,331 rows, 3 groups, {SIZE} written, memory [\d.]+( [KM]iB)? of 64 MiB>", repr(w)), repr(w)
    assert re.fullmatch(rf"<ccpq.Writer 'out.parquet' closed: 1,204,331 rows, 4 groups, {SIZE} written, memory .* of 64 MiB>",
        repr(w)), repr(w)
    v = ccpq.Writer("new.parquet", S)
    v.abort()
    assert repr(v).startswith("<ccpq.Writer 'new.parquet' aborted: 0 rows, 0 groups, ")


def test_repr_and_print_of_a_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = ccpq.write("out.parquet", {"a": range(43_700), "s": "constant"}, S, memory_limit="32MiB")
    lines = str(report).splitlines()
    assert re.fullmatch(rf"out.parquet: 43,700 rows, 1 group, {SIZE} \([\d.]+ B/row\) in [\d.]+ s, peak [\d.]+( [KM]iB)? of 32 MiB, spilled 0", lines[0]), lines[0]
    assert lines[1].split() == ["column", "type", "bytes", "share", "encodings"]
    assert [line.split()[:2] for line in lines[2:]] == [["a", "int64"], ["s", "string?"]]
    assert repr(report) == f"<ccpq.Report {lines[0]}>"


def test_repr_of_a_schema():
    text = repr(ccpq.schema({f"c{i}": "timestamp[us, UTC]?" for i in range(1000)}))
    assert text.startswith("<ccpq.Schema c0: timestamp[us, UTC]?, ") and len(text) < 400
