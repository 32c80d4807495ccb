"""Wrong doors: what is given to the wrong method, target or option is told with the one that takes it; what is shown.

The texts that the contract quotes are in test_api_writing.py; here is the rest of them, and that nothing is left behind.
"""

import collections
import dataclasses
import datetime
import gc
import io
import os
import pickle
import traceback
from pathlib import Path

import ccpq
import pytest
from api_readback import need
from ccpq import _core
from writer_parts import Named, S, Sample

@dataclasses.dataclass
class Source:
    """A dataclass that gives rows: no row itself."""

    n: int

    def __iter__(self):
        return iter([(i, None) for i in range(self.n)])


class Async:
    def __aiter__(self):
        raise AssertionError


class Old:
    """Rows by the protocol of before __iter__."""

    def __getitem__(self, i):
        if i == 3:
            raise IndexError
        return (i, None)


# -- rows ---------------------------------------------------------------------------------------------------------------

DOORS = {
    "dict": (lambda: {"a": 1}, "a dict is one row: write_row(row), or {}([row]); a mapping of columns is for write_columns()"),
    "ChainMap": (lambda: collections.ChainMap(), "a ChainMap is one row"),
    "str": (lambda: "abc", "not a str"), "bytes": (lambda: b"abc", "not a bytes"), "bytearray": (lambda: bytearray(), "not a bytearray"),
    "memoryview": (lambda: memoryview(b"abc"), "not a memoryview"), "path": (lambda: Path("x.csv"), "not a path; open the file"),
    "text file": (lambda: io.StringIO("1,x\n"), "iterating a file gives lines"), "binary file": (lambda: io.BytesIO(b"1,x\n"), "iterating a file gives lines"),
    "int": (lambda: 5, "int is not iterable"), "None": (lambda: None, "None is not iterable"), "object": (lambda: object(), "object is not iterable"),
    "dataclass": (lambda: Sample(1), "a Sample is one row: write_row(row)"), "NamedTuple": (lambda: Named(1, "x"), "a Named is one row: write_row(row)"),
    "class": (lambda: Sample, "not the class Sample"), "async": (lambda: Async(), "async for row in rows"),
    "pandas": (lambda: need("pandas").DataFrame({"a": [1]}), "{}(DataFrame): iterating a DataFrame gives column names; use write_arrow(df)"),
    "polars": (lambda: need("polars").DataFrame({"a": [1]}), "{}(DataFrame): iterating a DataFrame gives columns; use write_arrow(df)"),
    "lazy": (lambda: need("polars").LazyFrame({"a": [1]}), "write_arrow(frame.collect())"),
    "table": (lambda: need("pyarrow").table({"a": [1]}), "use write_arrow("), "batch": (lambda: need("pyarrow").record_batch({"a": [1]}), "use write_arrow("),
    "reader": (lambda: need("pyarrow").table({"a": [1]}).to_reader(), "use write_arrow("), "relation": (lambda: need("duckdb").sql("select 1 as a"), "use write_arrow("),
    "series": (lambda: need("pandas").Series([1]), "it is one column; use write_columns({{'name': series}})"),
    "polars series": (lambda: need("polars").Series([1]), "use write_columns({{'name': series}})"), "array": (lambda: need("pyarrow").array([1]), "use write_columns("),
    "numpy": (lambda: need("numpy").zeros(3), "it is one column: write_columns({{'name': array}})"),
    "numpy 2-D": (lambda: need("numpy").zeros((3, 2)), "{}(ndarray of shape (3, 2)): write columns of it with write_columns({{'name': array[:, 0], ...}}), or array.tolist()"),
    "numpy 2-D of objects": (lambda: need("numpy").zeros((3, 2), dtype=object), "write columns of it"),
    "numpy fields": (lambda: need("numpy").zeros(3, dtype="i8,f4"), "write_columns({{n: array[n] for n in array.dtype.names}})"),
    "numpy scalar": (lambda: need("numpy").int64(3), "int64 is not iterable"),
}  # fmt: skip


@pytest.mark.parametrize("method", ["write_rows", "write_group"])
@pytest.mark.parametrize("door", DOORS)
def test_wrong_doors_of_rows(method, door):
    make, words = DOORS[door]
    for schema in (S, None):
        given = make()
        w = ccpq.Writer(io.BytesIO(), schema)
        with pytest.raises(TypeError) as info:
            getattr(w, method)(given)
        assert words.format(method, method) in str(info.value) and method in str(info.value)
        assert w.rows == 0 and not w.closed  # and it stays usable
        w.write_row(Sample(1))
        assert w.close().rows == 1


def test_what_gives_rows():
    import array

    rows = [(0, None), (1, None), (2, None)]
    with ccpq.Writer(io.BytesIO(), S) as w:
        for given in (Source(3), Old(), rows, tuple(rows), iter(rows), set(rows), dict.fromkeys(rows).keys(), collections.deque(rows), map(tuple, rows)):
            assert w.write_rows(given) == 3, given
        with pytest.raises(ccpq.RowTypeError, match="0 .int. is not a row"):
            w.write_rows(array.array("b", [0]))


def test_wrong_doors_of_columns_and_arrow():
    np = need("numpy")
    with ccpq.Writer(io.BytesIO(), S) as w, ccpq.Writer(io.BytesIO()) as v:
        for writer in (w, v):
            for bad, words in [([(1, "x")], "rows are for write_rows"), (5, "int"), (None, "not None"), (np.zeros((2, 2)), "an ndarray"), (iter([]), "write_rows")]:
                with pytest.raises(TypeError, match=r"write_columns\(\) takes a mapping name -> column") as info:
                    writer.write_columns(bad)
                assert words in str(info.value)
            for bad, words in [({"a": [1]}, "write_columns"), ([(1, "x")], "write_rows"), ([], "write_rows"), (5, "int"), (np.zeros(3), "write_columns")]:
                with pytest.raises(TypeError, match=r"write_arrow\(\) takes an object with __arrow_c_stream__") as info:
                    writer.write_arrow(bad)
                assert words in str(info.value)
        v.write_row(Sample(1))
    assert (w.rows, v.rows) == (0, 1)


# -- targets --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schema", [S, None])
def test_wrong_targets(tmp_path, schema, monkeypatch):
    """With and without a schema they are refused when the writer is made."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.parquet").write_bytes(b"old")
    (tmp_path / "dir").mkdir()
    there = sorted(os.listdir(tmp_path))
    used = io.BytesIO(b"old")
    used.seek(3)
    with open(tmp_path / "there.parquet") as text, open(tmp_path / "there.parquet", "rb") as reading:
        for target, cls, words in [
            ("s3://bucket/x.parquet", ValueError, "sink"), ("https://host/x", ValueError, "sink"), ("file:///tmp/x", ValueError, "sink"),
            ("there.parquet", FileExistsError, "not appended to"), ("dir", IsADirectoryError, "directory"), ("no/x.parquet", FileNotFoundError, "mkdir=True"),
            ("", OSError, "."), (text, TypeError, "open it with 'wb'"), (io.StringIO(), TypeError, "'wb'"), (reading, ValueError, "not open for writing"),
            (used, ValueError, "position 3"), (5, TypeError, "a path, a binary file or a sink"), (None, TypeError, "a path, a binary file or a sink"),
            (object(), TypeError, "a path, a binary file or a sink"), ([], TypeError, "a path, a binary file or a sink"),
            (type("Half", (), {"write": print, "finish": print})(), TypeError, "Half has no abort"),
        ]:  # fmt: skip
            with pytest.raises(cls, match=words):
                ccpq.Writer(target, schema)
    assert sorted(os.listdir(tmp_path)) == there and (tmp_path / "there.parquet").read_bytes() == b"old"


@pytest.mark.parametrize("options", [{"compresion": 1}, {"memory_limit": None}, {"memory_limit": "64M"}, {"extra": "drop"}, {"strict": 1}, {"threads": 2}, {"field_ids": {"a": -1}},
                                     {"compression": "zst"}, {"compression_level": 77, "compression": "snappy"}, {"sorting_columns": "a"}, {"metadata": 5}, {"durability": 5},
                                     {"profile": "x"}, {"row_group_size": 0}, {"overwrite": 1}, {"spill_dir": "/nonexistent"}], ids=str)  # fmt: skip
def test_options_are_checked_before_a_schema_is_known(tmp_path, options):
    with pytest.raises((TypeError, ValueError, OSError, NotImplementedError)):
        ccpq.Writer(tmp_path / "sub/x.parquet", mkdir=True, **options)
    assert os.listdir(tmp_path) == []


def test_undocumented_abbreviations_are_gone():
    with pytest.raises(ValueError, match="compression 'zst' is unknown.*did you mean 'zstd'"):
        ccpq.Writer(io.BytesIO(), S, compression="zst")


def test_flush_group_takes_a_number_of_rows():
    for schema in (S, None):
        w = ccpq.Writer(io.BytesIO(), schema)
        for bad, cls in ((-1, ValueError), (1.5, TypeError), ("1", TypeError), (True, TypeError), (None, TypeError)):
            with pytest.raises(cls, match="min_rows"):
                w.flush_group(min_rows=bad)
        assert w.flush_group() is w.flush_group(min_rows=0) is False
        w.write_row(Sample(1))
        assert w.flush_group(min_rows=2) is False and w.flush_group(min_rows=1) is True
        w.close()


# -- what is shown ----------------------------------------------------------------------------------------------------------

ERRORS = ["Error", "RowError", "RowTypeError", "RowValueError", "RowOverflowError", "SchemaError", "FormatError", "VerifyError", "UnsupportedError", "BudgetError", "ArchiveError"]


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_called_as_users_write_them(name):
    cls = getattr(ccpq, name)
    assert (cls.__module__, cls.__qualname__) == ("ccpq", name)
    error = cls("text", None) if name == "ArchiveError" else cls("text")
    assert traceback.format_exception_only(error)[-1] == f"ccpq.{name}: text\n"
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is cls and again.args == error.args and again.__dict__ == error.__dict__


def test_an_error_of_a_row_survives_pickling():
    with pytest.raises(ccpq.RowError) as info:
        ccpq.write(io.BytesIO(), [(1, "x"), ("bad", "x")], S)
    again = pickle.loads(pickle.dumps(info.value))
    assert (again.row, again.row_in_call, again.column, again.value, again.rows_written, str(again)) == (1, 1, "a", "bad", 1, str(info.value))
    assert traceback.format_exception_only(info.value)[-1].startswith("ccpq.RowTypeError: row 1 of this call")


def test_reprs_of_a_writer_before_its_schema_is_known(tmp_path):
    w = ccpq.Writer(tmp_path / "x.parquet", memory_limit="32MiB")
    assert repr(w) == f"<ccpq.Writer {str(tmp_path / 'x.parquet')!r} open: 0 rows, 0 groups, 0 B written, memory 0 B of 32 MiB>"
    assert w.schema is None and w.memory == (0, 0, 32 << 20, 0) and (w.rows, w.row_groups, w.bytes_written) == (0, 0, 0)
    with pytest.raises(RuntimeError, match="at the first write"):
        w.plan
    w.abort()
    assert " aborted: 0 rows, 0 groups" in repr(w) and w.memory.limit == 32 << 20
    with pytest.raises(AttributeError, match="no attribute 'write_line'"):
        w.write_line
    gc.collect()
    assert os.listdir(tmp_path) == []


def test_short_reprs():
    budget = ccpq.MemoryBudget("64MiB")
    f = io.BytesIO()
    with ccpq.Writer(f, {"a": "int64"}, memory_limit=budget.share("16MiB")) as w:
        w.write_rows((i,) for i in range(10))
        shown = [budget, budget.share("1MiB"), w, w.plan, w.memory, w.schema, w.schema["a"]]
        live = _core._live()
        texts = [repr(x) for x in shown]
        assert _core._live() == live
    texts += [repr(w.report), repr(w)]
    assert all(0 < len(t) < 200 and "\n" not in t and " at 0x" not in t for t in texts), texts
    assert repr(budget) == "<ccpq.MemoryBudget 0 B of 64 MiB in use>"


def test_values_of_doors_are_shown_short():
    for bad in ([{"a": datetime.datetime(2024, 1, 1), "x" * 10_000: "y" * 10_000}], ["x" * 10_000], [{"y" * 10_000: 1}]):
        with pytest.raises((ccpq.Error, TypeError)) as info:
            ccpq.write(io.BytesIO(), bad, S)
        assert len(str(info.value)) < 500
