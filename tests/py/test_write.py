"""`ccpq.write`, and writers that are given no schema: it comes from what the first call writes, and from nothing else.

What `ccpq.infer_schema` makes of rows is in test_api_schema.py; here is what a writer does with it.
"""

import collections
import datetime
import gc
import io
import itertools
import os
import sqlite3
import threading
from pathlib import Path

import ccpq
import model
import pytest
from api_readback import need, write
from ccpq import _core
from writer_parts import Boom, Named, S, Sample, Sink, rows_of

ROWS = rows_of(3000)
DICTS = [{"a": a, "s": s} for a, s in ROWS]


def data_of(schema=S, rows=ROWS, **options):
    return write(schema, rows, **options)


def read(data):
    model.validate(data)
    return model.read_table(data)


# -- write ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [ROWS, DICTS, [Sample(*r) for r in ROWS], [Named(*r) for r in ROWS]], ids=["tuples", "dicts", "dataclasses", "NamedTuples"])
def test_rows(tmp_path, rows):
    report = ccpq.write(tmp_path / "x.parquet", iter(rows), S, row_group_size=1000, metadata={"k": "v"})
    assert (report.rows, report.row_groups) == (3000, 3) and report.name == str(tmp_path / "x.parquet")
    assert (tmp_path / "x.parquet").read_bytes() == data_of(row_group_size=1000, metadata={"k": "v"})


def test_targets(tmp_path):
    sink, f = Sink(), io.BytesIO()
    ccpq.write(sink, ROWS, S)
    ccpq.write(f, ROWS, S)
    with open(tmp_path / "x", "wb") as file:
        ccpq.write(file, ROWS, S)
    assert sink.calls[-1] == "finish" and bytes(sink.data) == f.getvalue() == (tmp_path / "x").read_bytes() == data_of()


def test_nothing_is_made_where_the_data_is_none(tmp_path):
    for data in ("abc", b"abc", 5, None, Path("x"), {}, {1: [1]}, {"a": 1, "s": "x"}, {"a": "abc"}, Sample(1), Sample, Named(1, "x"), object(), io.StringIO()):
        with pytest.raises(TypeError, match=r"write\(\)"):
            ccpq.write(tmp_path / "sub/x.parquet", data, S, mkdir=True)
    assert os.listdir(tmp_path) == []
    with pytest.raises(TypeError, match="is it one row"):
        ccpq.write(tmp_path / "x.parquet", {"a": 1, "s": "x"}, S)


def test_a_failing_source_publishes_nothing(tmp_path):
    def rows(n):
        yield from ROWS[:n]
        raise Boom

    for schema in (S, None):
        for n in (0, 1, 2500):
            with pytest.raises((Boom, ccpq.SchemaError)):
                ccpq.write(tmp_path / "x.parquet", rows(n), schema)
            with pytest.raises(Boom):
                ccpq.write(tmp_path / "x.parquet", (Sample(*r) for r in rows(n)), schema)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("options", [{"compresion": "zstd"}, {"schem": S}, {"extra": "no"}])
def test_options_are_checked(tmp_path, options):
    with pytest.raises((TypeError, ValueError)):
        ccpq.write(tmp_path / "x.parquet", ROWS, S, **options)
    assert os.listdir(tmp_path) == []


# -- no schema: rows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["write_rows", "write_group"])
@pytest.mark.parametrize(("make", "schema"), [
    (lambda: [Sample(*r) for r in ROWS], S), (lambda: (Sample(*r) for r in ROWS), S), (lambda: [Named(*r) for r in ROWS], S), (lambda: DICTS, {"a": "int64?", "s": "string?"}),
    (lambda: iter(DICTS), {"a": "int64?", "s": "string?"}), (lambda: collections.deque(DICTS), {"a": "int64?", "s": "string?"}),
    (lambda: [collections.namedtuple("N", "a s")(*r) for r in ROWS], {"a": "int64?", "s": "string?"}),
], ids=["dataclasses", "generator", "NamedTuples", "dicts", "iterator", "deque", "namedtuples"])  # fmt: skip
def test_the_first_rows_give_the_schema(method, make, schema):
    f, g = io.BytesIO(), io.BytesIO()
    with ccpq.Writer(f) as w, ccpq.Writer(g, schema) as v:
        assert w.schema is None
        assert getattr(w, method)(make()) == getattr(v, method)(make()) == 3000
        assert w.schema == ccpq.schema(schema) and w.plan == v.plan
        w.write_rows(ROWS)
        v.write_rows(ROWS)
    assert f.getvalue() == g.getvalue()


@pytest.mark.parametrize("row", [Sample(1, "x"), Named(1, "x"), {"a": 1, "s": "x"}])
def test_one_row_gives_the_schema(row):
    f = io.BytesIO()
    with ccpq.Writer(f) as w:
        assert w.write_row(row) is None
        assert w.write_row == w._core.write_row
        w.write_row((2, None))
    assert read(f.getvalue()) == {"a": [1, 2], "s": ["x", None]}


def test_rows_without_names_are_an_error():
    w = ccpq.Writer(io.BytesIO())
    for call in (lambda: w.write_rows(ROWS), lambda: w.write_group(ROWS), lambda: w.write_row(ROWS[0]), lambda: w.write_row([1]), lambda: w.write_row("abc"), lambda: w.write_row(5),
                 lambda: w.write_rows([{"a": None}]), lambda: w.write_rows([{"a": 1}, {"a": "x"}])):  # fmt: skip
        with pytest.raises(ccpq.SchemaError, match="schema"):
            call()
        assert w.schema is None and not w.closed
    w.write_row(Sample(1))
    assert w.close().rows == 1


def test_no_rows_give_no_schema():
    f = io.BytesIO()
    with ccpq.Writer(f) as w:
        assert w.write_rows([]) == w.write_group(iter(())) == w.write_rows([], columns=["a"]) == 0
        assert w.schema is None and w.flush_group() is False
        w.write_rows(iter(DICTS))
    assert read(f.getvalue())["a"] == [r[0] for r in ROWS]


def test_columns_of_rows_by_position():
    f = io.BytesIO()
    with ccpq.Writer(f) as w:
        w.write_rows(((s, a) for a, s in ROWS), columns=iter(["s", "a"]))
        assert w.schema.to_dict() == {"s": "string?", "a": "int64?"}
    assert read(f.getvalue()) == {"s": [r[1] for r in ROWS], "a": [r[0] for r in ROWS]}
    for schema in (S, None):
        with ccpq.Writer(io.BytesIO(), schema) as w:
            for bad in ("as", b"as", 5):
                with pytest.raises(TypeError):
                    w.write_rows(ROWS, columns=bad)
            w.write_row(Sample(1))


@pytest.mark.parametrize("factory", [None, sqlite3.Row])
def test_cursors(factory):
    db = sqlite3.connect(":memory:")
    db.execute("create table t (a int, s text)")
    db.executemany("insert into t values (?, ?)", ROWS)
    db.row_factory = factory
    f = io.BytesIO()
    with ccpq.Writer(f) as w:
        assert w.write_rows(db.execute("select s, a from t order by a")) == 3000
        assert w.write_group(db.execute("select a, s from t order by a")) == 3000
        assert w.schema.to_dict() == {"s": "string?", "a": "int64?"}
    assert read(f.getvalue()) == {"s": [r[1] for r in ROWS] * 2, "a": [r[0] for r in ROWS] * 2}
    if factory is not None:
        rows = db.execute("select * from t order by a").fetchall()
        assert ccpq.write(io.BytesIO(), rows).rows == 3000
    db.close()


def test_cursors_that_tell_their_types():
    duckdb = need("duckdb")
    con = duckdb.connect()
    f = io.BytesIO()
    with ccpq.Writer(f) as w:
        w.write_rows(con.execute("select 1::smallint as a, 'x' as s, date '2024-02-29' as d where false"))  # no row, yet the types are known
        assert w.schema.to_dict() == {"a": "int16?", "s": "string?", "d": "date?"}
        w.write_rows(con.execute("select date '2024-02-29' as d, 5::smallint as a"))
    assert read(f.getvalue())["a"] == [5]
    con.close()


def test_a_sample_is_not_lost():
    """A refused row among those that were looked at: the same iterator goes on behind it."""
    def rows():
        for i in range(3000):
            yield {"a": 2**70 if i == 700 else i, "s": None if i % 7 else f"s{i}"}

    class Late(int):
        """Not seen by a sample: it is the 1,200th row."""

    for make in (rows, lambda: (Sample("bad" if i == 700 else i, None) for i in range(3000))):
        f, it = io.BytesIO(), make()
        with ccpq.Writer(f) as w:
            if make is rows:
                with pytest.raises(ccpq.SchemaError, match="beyond int64"):
                    w.write_rows(make())
                it = ({"a": 1.5 if i == 1700 else i, "s": "x"} for i in range(3000))
            with pytest.raises(ccpq.RowError) as info:
                w.write_rows(it)
            assert info.value.row in (700, 1700)
            assert w.write_rows([Sample(-1, "between")]) == 1
            assert w.write_rows(it) == 2999 - info.value.row
        assert read(f.getvalue())["a"] == [*range(info.value.row), -1, *range(info.value.row + 1, 3000)]


def test_a_list_begins_again():
    rows = [Sample(1), Sample("bad"), Sample(3)]
    f = io.BytesIO()
    with ccpq.Writer(f) as w:
        for _ in range(2):
            with pytest.raises(ccpq.RowTypeError):
                w.write_rows(rows)
    assert read(f.getvalue())["a"] == [1, 1]


def test_a_group_of_the_first_rows_is_all_or_nothing():
    f = io.BytesIO()
    with ccpq.Writer(f) as w:
        with pytest.raises(ccpq.RowTypeError):
            w.write_group([Sample(1), Sample("bad")])
        assert w.rows == 0 and w.schema == ccpq.schema(S)
        w.write_group([Sample(1)])
    assert read(f.getvalue()) == {"a": [1], "s": [None]}


# -- no schema: columns and Arrow ---------------------------------------------------------------------------------------------


def test_columns_give_the_schema():
    np = need("numpy")
    import array

    columns = {
        "i": np.arange(3, dtype=np.int16), "u": np.arange(3, dtype=">u4"), "f": np.zeros(3, np.float32), "h": np.zeros(3, np.float16), "b": np.zeros(3, bool), "t": np.array(["2024-02-29"] * 3, "M8[ms]"),
        "m": np.ma.masked_array([1, 2, 3], [0, 1, 0]), "o": np.array(["x", None, "y"], dtype=object), "text": np.array(["a", "b", "c"]), "bytes": np.array([b"a", b"b", b"c"]),
        "list": [1, 2.5, None], "range": range(3), "array": array.array("h", [1, 2, 3]), "view": memoryview(array.array("d", [1, 2, 3])), "one": "constant", "moment": datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc),
    }  # fmt: skip
    f = io.BytesIO()
    with ccpq.Writer(f) as w:
        assert w.write_columns(columns) == 3
        assert w.schema.to_dict() == {
            "i": "int16", "u": "uint32", "f": "float32", "h": "float16", "b": "bool", "t": "timestamp[ms]?", "m": "int64?", "o": "string?", "text": "string", "bytes": "binary",
            "list": "float64?", "range": "int64", "array": "int16", "view": "float64", "one": "string?", "moment": "timestamp[us, UTC]?",
        }  # fmt: skip
    got = read(f.getvalue())
    assert got["i"] == got["range"] == [0, 1, 2] and got["m"] == [1, None, 3] and got["list"] == [1.0, 2.5, None] and got["o"] == ["x", None, "y"] and got["one"] == ["constant"] * 3


@pytest.mark.parametrize(("columns", "words"), [
    ({"a": [None, None]}, "'a'"), ({"a": []}, "'a'|no rows"), ({"a": [1, "x"]}, "'a'"), ({"a": [object()]}, "'a'"), ({5: [1]}, "5"), ({}, "column"), ({"a": [[1, 2], {"x": 1}], "b": [1j]}, "'b'"),
])  # fmt: skip
def test_columns_that_give_none(columns, words):
    w = ccpq.Writer(io.BytesIO())
    with pytest.raises(ccpq.SchemaError, match=words):
        w.write_columns(columns)
    assert w.schema is None
    w.abort()


def test_numpy_types_that_are_none():
    np = need("numpy")
    for column in (np.zeros(2, complex), np.zeros(2, "m8[s]"), np.zeros(2, "M8[M]"), np.zeros(2, np.longdouble), np.zeros(2, "i4,i4")):
        with pytest.raises(ccpq.SchemaError, match="column 'a': numpy type .* has no column type"):
            ccpq.write(io.BytesIO(), {"a": column})


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_columns_of_libraries_give_the_schema(library):
    lib = need(library)
    if library == "pyarrow":
        columns = {"a": lib.array([1, 2, None], lib.int32()), "s": lib.chunked_array([["x"], ["y", None]]), "one": 1}
    elif library == "polars":
        columns = {"a": lib.Series([1, 2, None], dtype=lib.Int32), "s": lib.Series("other", ["x", "y", None]), "one": 1}
    else:
        columns = {"a": lib.Series([1, 2, None], dtype="Int32"), "s": lib.Series(["x", "y", None]), "one": 1}
    f = io.BytesIO()
    with ccpq.Writer(f) as w:
        assert w.write_columns(columns) == 3
        assert w.schema.to_dict() == {"a": "int32?", "s": "string?", "one": "int64?"}
    assert read(f.getvalue()) == {"a": [1, 2, None], "s": ["x", "y", None], "one": [1, 1, 1]}


class Once:
    """Arrow data that can be asked for once."""

    def __init__(self, data):
        self.data = data

    def __arrow_c_stream__(self, requested_schema=None):
        data, self.data = self.data, None
        return data.__arrow_c_stream__()


def arrow(kind):
    pa = need("pyarrow")
    table = pa.table({"a": pa.array([1, 2, 3], pa.int32()), "s": ["x", None, "z"]})
    if kind in ("polars", "pandas", "duckdb"):
        need(kind)
    return {"table": lambda: table, "reader": lambda: table.to_reader(), "batch": lambda: table.to_batches()[0], "once": lambda: Once(table), "struct array": lambda: table.to_struct_array().chunk(0),
            "polars": lambda: need("polars").from_arrow(table), "pandas": lambda: table.to_pandas(), "duckdb": lambda: need("duckdb").from_arrow(table)}[kind]()  # fmt: skip


@pytest.mark.parametrize("kind", ["table", "reader", "batch", "once", "struct array", "polars", "pandas", "duckdb"])
def test_arrow_gives_the_schema(kind):
    for call in (lambda target, data: ccpq.write(target, data), lambda target, data: write_arrow(target, data)):
        f = io.BytesIO()
        call(f, arrow(kind))
        assert read(f.getvalue()) == {"a": [1, 2, 3], "s": ["x", None, "z"]}
        schema = need("pyarrow.parquet").read_schema(io.BytesIO(f.getvalue()))
        assert [str(t) for t in schema.types] == ["int32", "string"]


def write_arrow(target, data):
    with ccpq.Writer(target) as w:
        assert w.write_arrow(data) == 3


# -- no schema: the rest of a writer's life -------------------------------------------------------------------------------------


def test_nothing_written_is_an_error_that_says_what_to_do(tmp_path):
    w = ccpq.Writer(tmp_path / "x.parquet")
    with pytest.raises(ccpq.SchemaError, match=r"x\.parquet: nothing was written, .*schema=\{"):
        w.close()
    assert not w.closed
    w.write_row(Sample(1))
    assert w.close().rows == 1
    sink = Sink()
    for target in (tmp_path / "y.parquet", sink, io.BytesIO()):
        with pytest.raises(ccpq.SchemaError, match="nothing was written"), ccpq.Writer(target) as w:
            pass
        assert w.closed
    assert os.listdir(tmp_path) == ["x.parquet"] and sink.calls == ["abort"]


def test_an_exception_before_the_first_row(tmp_path):
    sink, live = Sink(), _core._live()
    for target in (tmp_path / "x.parquet", sink, io.BytesIO()):
        with pytest.raises(Boom), ccpq.Writer(target):
            raise Boom
    w = ccpq.Writer(tmp_path / "x.parquet")
    w.abort()
    w.abort()
    for call in (lambda: w.write_row(Sample(1)), lambda: w.write_rows([Sample(1)]), lambda: w.write_columns({"a": [1]}), w.flush_group):
        with pytest.raises(RuntimeError, match="aborted"):
            call()
    with pytest.raises(RuntimeError, match="aborted"):
        w.close()
    with pytest.warns(ResourceWarning, match="not closed"):
        ccpq.Writer(tmp_path / "x.parquet")
        gc.collect()
    with pytest.warns(ResourceWarning, match="not closed"):
        ccpq.Writer(sink)
        gc.collect()
    assert sink.calls == ["abort", "abort"] and os.listdir(tmp_path) == [] and _core._live() == live


def test_the_target_is_taken_at_open(tmp_path):
    p = tmp_path / "sub/x.parquet"
    with ccpq.Writer(p, mkdir=True) as w:
        assert os.listdir(tmp_path) == ["sub"] and os.listdir(tmp_path / "sub") == []
        w.write_rows([Sample(*r) for r in ROWS])
    assert p.read_bytes() == data_of()
    with pytest.raises(FileExistsError, match="not appended to"):
        ccpq.Writer(p)
    with ccpq.Writer(p, overwrite=True) as w:
        w.write_row(Sample(1))
    assert read(p.read_bytes())["a"] == [1]


def test_options_that_name_columns_are_checked_at_the_first_write(tmp_path):
    for options, words in [({"sorting_columns": ["b"]}, "sorting_columns: there is no column 'b'"), ({"field_ids": {"b": 1}}, "field_ids: there is no column 'b'"),
                           ({"compression": {"b": "none"}}, "there is no column 'b'"), ({"memory_limit": "10KiB"}, ".")]:  # fmt: skip
        with pytest.raises((ValueError, ccpq.BudgetError), match=words), ccpq.Writer(tmp_path / "x.parquet", **options) as w:
            w.write_row(Sample(1))
        assert w.closed and os.listdir(tmp_path) == []
    f = io.BytesIO()
    with ccpq.Writer(f, sorting_columns=(n for n in ["a"]), field_ids={"a": 7}, compression={"s": "snappy"}) as w:
        w.write_rows([Sample(*r) for r in ROWS])
    assert f.getvalue() == data_of(sorting_columns=["a"], field_ids={"a": 7}, compression={"s": "snappy"})


def test_a_budget_is_used_from_the_first_write_on():
    budget = ccpq.MemoryBudget("64MiB")
    with ccpq.Writer(io.BytesIO(), memory_limit=budget.share("16MiB")) as w:
        assert budget.used == 0 and w.memory.limit == 16 << 20
        w.write_row(Sample(1))
        assert budget.used == 16 << 20
    assert budget.used == 0


def test_calls_from_inside_the_first_rows():
    f, seen = io.BytesIO(), []
    w = ccpq.Writer(f)

    def rows():
        for a, s in ROWS[:5]:
            for call in (lambda: w.write_row(Sample(1)), lambda: w.write_rows(DICTS), lambda: w.write_group(DICTS), lambda: w.write_columns({"a": [1]}), w.flush_group, w.close, w.abort):
                with pytest.raises(RuntimeError, match=r"\(\) while write_rows\(\) of the same writer is running") as info:
                    call()
                seen.append(info.value)
            assert "open" in repr(w) and w.rows >= 0 and w.memory.limit
            yield {"a": a, "s": s}

    assert w.write_rows(rows()) == 5
    assert len(seen) == 35 and w.close().rows == 5


def test_a_second_thread_before_the_schema_is_known():
    f = io.BytesIO()
    w = ccpq.Writer(f)
    inside, go_on = threading.Event(), threading.Event()

    def rows():
        inside.set()
        assert go_on.wait(60)
        yield Sample(0)

    t = threading.Thread(target=lambda: w.write_rows(rows()))
    t.start()
    assert inside.wait(60)
    try:
        for call in (lambda: w.write_row(Sample(1)), lambda: w.write_rows(DICTS), w.close, w.abort):
            with pytest.raises(RuntimeError, match="one call at a time"):
                call()
    finally:
        go_on.set()
        t.join()
    w.write_row(Sample(1))
    w.close()
    assert read(f.getvalue())["a"] == [0, 1]


def test_many_threads_that_write_the_first_row():
    """One of them opens the file; nobody opens it twice and no row is lost."""
    for _ in range(20):
        live, w, written, barrier = _core._live(), ccpq.Writer(f := io.BytesIO()), [], threading.Barrier(4)

        def work(i, w=w, written=written, barrier=barrier):
            barrier.wait()
            for k in itertools.count():
                try:
                    w.write_row(Sample(10 * i + k, None))
                except RuntimeError as e:
                    assert "one call at a time" in str(e)
                    continue
                written.append(10 * i + k)
                return

        threads = [threading.Thread(target=work, args=(i * 1000,)) for i in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert w.close().rows == 4 and _core._live() == live
        assert sorted(read(f.getvalue())["a"]) == sorted(written)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_before_the_schema_is_known(tmp_path):
    import warnings

    w = ccpq.Writer(tmp_path / "x.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        code = 1
        try:
            refused = 0
            for call in (lambda: w.write_row(Sample(1)), lambda: w.write_rows(DICTS), w.close, w.flush_group):
                try:
                    call()
                except RuntimeError as e:
                    refused += "forked" in str(e)
            code = 0 if refused == 4 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    w.write_row(Sample(1))
    assert w.close().rows == 1
