"""The Writer around its rows: options and their errors, targets, publication, the with block, misuse from iterators,
threads, forks and sinks, memory budgets, reports, and that the stubs name what the extension has.
"""

import ast
import gc
import io
import logging
import os
import pickle
import signal
import sys
import threading
import time
import warnings
from pathlib import Path

import ccpq
import model
import pytest
from api_readback import write
from ccpq import _core
from writer_parts import Boom, S, Sink, rows_of

ROWS = rows_of(1000)


def reference(rows=ROWS, schema=S, **options):
    return write(schema, rows, **options)


def noisy(n):
    """Rows that do not compress, so that bytes reach the sink early."""
    import random

    r = random.Random(5)
    return [(r.getrandbits(63), r.randbytes(30).hex()) for _ in range(n)]


# -- the usual ----------------------------------------------------------------------------------------


def test_a_path(tmp_path):
    p = tmp_path / "x.parquet"
    with ccpq.Writer(p, S) as w:
        assert not w.closed and w.report is None and w.rows == 0 and w.row_groups == 0
        w.write_rows(ROWS)
        assert w.rows == 1000 and w.row_groups == 0
        assert os.listdir(tmp_path) == []
        assert w.flush_group()
        assert w.row_groups == 1 and w.bytes_written > 100
        assert os.listdir(tmp_path) == []
    assert w.closed and w.rows == 1000
    assert os.listdir(tmp_path) == ["x.parquet"]
    model.validate(p)
    assert model.read_table(p) == {"a": [r[0] for r in ROWS], "s": [r[1] for r in ROWS]}
    assert w.report.bytes == p.stat().st_size == w.bytes_written
    assert w.close() is w.report
    w.abort()
    assert p.exists()
    assert w.schema == ccpq.schema(S)


@pytest.mark.parametrize("make", [str, os.fsencode, lambda p: p], ids=["str", "bytes", "PathLike"])
def test_kinds_of_paths(tmp_path, make):
    with ccpq.Writer(make(tmp_path / "ü.parquet"), S) as w:
        w.write_rows(ROWS)
    assert (tmp_path / "ü.parquet").read_bytes() == reference()
    assert "ü.parquet" in repr(w) and w.report.name == str(tmp_path / "ü.parquet")


def test_empty_file():
    data = reference([])
    model.validate(data)
    assert model.read_table(data) == {"a": [], "s": []}
    pq = pytest.importorskip("pyarrow.parquet")
    assert pq.read_table(io.BytesIO(data)).num_rows == 0


def test_write_row_is_the_core_s_method():
    with ccpq.Writer(io.BytesIO(), S) as w:
        assert w.write_row.__self__ is w._core
    with pytest.raises(RuntimeError, match="closed"):
        w.write_row(ROWS[0])


@pytest.mark.parametrize("codec, level", [("zstd", None), ("ZSTD", 1), ("zstd", 9), ("Snappy", None), ("none", None),
                                          ("UNCOMPRESSED", None), (None, None)])  # fmt: skip
def test_codecs(codec, level):
    data = reference(compression=codec, compression_level=level)
    model.validate(data)
    assert model.read_table(data)["a"] == [r[0] for r in ROWS]


def test_metadata():
    f = io.BytesIO()
    given = {"k": "v", "ü": "漢字", "empty": ""}
    with ccpq.Writer(f, S, metadata=given) as w:
        given["late"] = "not taken"
        w.metadata["more"] = "x" * 10_000
    expect = {"k": "v", "ü": "漢字", "empty": "", "more": "x" * 10_000}
    pq = pytest.importorskip("pyarrow.parquet")
    got = pq.ParquetFile(io.BytesIO(f.getvalue())).metadata.metadata
    assert {k.decode(): v.decode() for k, v in got.items()} == expect


@pytest.mark.parametrize("key, value", [(1, "x"), ("x", 1), ("x", None), (b"k", "v")])
def test_bad_metadata(key, value):
    with pytest.raises(TypeError, match="metadata is a mapping str -> str"):
        ccpq.Writer(io.BytesIO(), S, metadata={key: value})
    f = io.BytesIO()
    w = ccpq.Writer(f, S)
    w.metadata[key] = value
    with pytest.raises(TypeError, match="metadata is a mapping str -> str"):
        w.close()
    assert not w.closed
    del w.metadata[key]
    w.close()
    model.validate(f.getvalue())


def test_sorting_columns():
    f = io.BytesIO()
    with ccpq.Writer(f, S, sorting_columns=["a", ("s", "descending")]) as w:
        w.write_rows([(1, "b"), (1, "a"), (2, "z")])
        with pytest.raises(ccpq.RowValueError) as info:
            w.write_row((1, "z"))
        assert info.value.row == 3
        w.write_row((2, "y"))
    model.validate(f.getvalue())
    assert model.read_table(f.getvalue()) == {"a": [1, 1, 2, 2], "s": ["b", "a", "z", "y"]}


# -- options ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options, cls, words", [
    ({"compresion": "zstd"}, TypeError, "no option 'compresion'; did you mean 'compression'?"),
    ({"nonsense": 1}, TypeError, "no option 'nonsense'"),
    ({"compression": "gzip"}, ccpq.UnsupportedError, "later release; today there are zstd, snappy, none"),
    ({"compression": {"a": "lz4"}}, ccpq.UnsupportedError, "compression of 'a'='lz4' comes with a later release"),
    ({"compression": "zstdd"}, ValueError, "did you mean 'zstd'"),
    ({"compression": 5}, TypeError, "a name or None"),
    ({"compression_level": 99}, ValueError, "."),
    ({"compression_level": 0}, ValueError, "."),
    ({"compression_level": "3"}, TypeError, "an int or None"),
    ({"compression_level": True}, TypeError, "an int or None"),
    ({"compression": "snappy", "compression_level": 3}, ValueError, "snappy has no levels"),
    ({"memory_limit": None}, TypeError, 'no "unlimited"'),
    ({"memory_limit": "64M"}, ValueError, "64MiB"),
    ({"memory_limit": 0}, ValueError, "positive"),
    ({"memory_limit": 1.5}, TypeError, "."),
    ({"memory_limit": "10KiB"}, ccpq.BudgetError, "."),
    ({"row_group_size": 0}, ValueError, "row_group_size"),
    ({"row_group_size": 2**31}, ValueError, "row_group_size"),
    ({"row_group_size": "1M"}, TypeError, "row_group_size is an int"),
    ({"row_group_bytes": "1G"}, ValueError, "row_group_bytes"),
    ({"row_group_bytes": None}, TypeError, "row_group_bytes"),
    ({"data_page_size": "64K"}, ValueError, "data_page_size"),
    ({"sorting_columns": ["x"]}, ValueError, "no column 'x'"),
    ({"sorting_columns": "a"}, TypeError, r"write \['a'\]"),
    ({"sorting_columns": [("a", "down")]}, ValueError, "neither 'ascending' nor 'descending'"),
    ({"sorting_columns": ["a", "a"]}, ValueError, "twice"),
    ({"sorting_columns": [5]}, TypeError, "an item is a name"),
    ({"metadata": 5}, TypeError, "metadata"),
    ({"metadata": [("a", "b")]}, TypeError, "metadata"),
    ({"overwrite": 1}, TypeError, "overwrite is True or False"),
    ({"mkdir": "yes"}, TypeError, "mkdir is True or False"),
    ({"durability": "fsync"}, ValueError, "'full', 'file', 'none'"),
    ({"spill_dir": "/nonexistent"}, OSError, "spill_dir"),
    ({"profile": "modem"}, ValueError, "no profile 'modem': default, compat, modern; did you mean 'modern'"),
    ({"profile": 1}, TypeError, "profile is a name"),
    ({"field_ids": {"b": 1}}, ValueError, "no column 'b'"), ({"field_ids": {"a": 1, "s": 1}}, ValueError, "'a' and 's' have the same id 1"),
    ({"field_ids": {"a": -1}}, ValueError, "not between 0 and"), ({"field_ids": {"a": 1.0}}, TypeError, "the id of 'a' is an int"),
    ({"field_ids": ["a"]}, TypeError, "a mapping name -> int"),
    ({"bloom_filter": ["a"]}, ccpq.UnsupportedError, "later"),
    ({"hashes": True}, ccpq.UnsupportedError, "later"),
    ({"strict": 0}, TypeError, "strict is True or False"), ({"threads": 2}, ccpq.UnsupportedError, "later"),
    ({"hashes": 1}, TypeError, "hashes is True or False"),
    ({"extra": "ignroe"}, ValueError, "extra is 'error' or 'ignore', not 'ignroe'; did you mean 'ignore'"), ({"extra": None}, ValueError, "extra"), ({"threads": 0}, ValueError, "a number from 1"),
])  # fmt: skip
def test_bad_options_make_no_file(tmp_path, options, cls, words):
    live = _core._live()
    with pytest.raises(cls, match=words):
        ccpq.Writer(tmp_path / "sub" / "x.parquet", S, **{"mkdir": True, **options})
    assert os.listdir(tmp_path) == []
    sink = Sink()
    with pytest.raises(cls, match=words):
        ccpq.Writer(sink, S, **options)
    assert sink.calls == []
    assert _core._live() == live


@pytest.mark.parametrize("schema, cls", [({}, ccpq.SchemaError), ({"a": "int9"}, ccpq.SchemaError),
                                         ("a", ccpq.SchemaError), ([("a", "int8"), ("a", "int8")], ccpq.SchemaError),
                                         ({"a": "list<int64>"}, ccpq.UnsupportedError)])  # fmt: skip
def test_bad_schemas(schema, cls):
    with pytest.raises(cls):
        ccpq.Writer(io.BytesIO(), schema)


@pytest.mark.parametrize("limit", [1, 1000, 65536])
def test_budget_error_names_the_number_that_would_do(limit):
    with pytest.raises(ccpq.BudgetError) as info:
        ccpq.Writer(io.BytesIO(), S, memory_limit=limit)
    assert isinstance(info.value, MemoryError) and info.value.limit == limit
    again = pickle.loads(pickle.dumps(info.value))
    assert again.needed == info.value.needed
    with ccpq.Writer(io.BytesIO(), S, memory_limit=info.value.needed) as w:
        w.write_rows(ROWS)
    assert w.report.peak_memory <= info.value.needed


# -- targets ------------------------------------------------------------------------------------------


def test_existing_file(tmp_path):
    p = tmp_path / "x.parquet"
    p.write_bytes(b"old")
    with pytest.raises(FileExistsError, match="not appended to") as info:
        ccpq.Writer(p, S)
    assert info.value.filename == str(p)
    with ccpq.Writer(p, S, overwrite=True) as w:
        w.write_rows(ROWS)
        assert p.read_bytes() == b"old"
    assert p.read_bytes() == reference()


def test_file_made_meanwhile(tmp_path):
    p = tmp_path / "x.parquet"
    with pytest.raises(FileExistsError), ccpq.Writer(p, S) as w:
        w.write_rows(ROWS)
        p.write_bytes(b"other")
    assert p.read_bytes() == b"other" and os.listdir(tmp_path) == ["x.parquet"]
    assert w.closed and w.report is None
    with pytest.raises(RuntimeError):
        w.close()


def test_directories(tmp_path):
    with pytest.raises(FileNotFoundError):
        ccpq.Writer(tmp_path / "a/b/x.parquet", S)
    with ccpq.Writer(tmp_path / "a/b/x.parquet", S, mkdir=True, durability="none") as w:
        w.write_rows(ROWS)
    assert (tmp_path / "a/b/x.parquet").read_bytes() == reference()
    with pytest.raises(IsADirectoryError):
        ccpq.Writer(tmp_path / "a", S)
    with pytest.raises(OSError):
        ccpq.Writer("", S)


def test_binary_files(tmp_path):
    with open(tmp_path / "x", "wb") as f:
        with ccpq.Writer(f, S) as w:
            w.write_rows(ROWS)
        assert not f.closed
        assert (tmp_path / "x").read_bytes() == reference()  # flushed
    with open(tmp_path / "y", "wb", buffering=0) as f, ccpq.Writer(f, S) as w:
        w.write_rows(ROWS)
    assert (tmp_path / "y").read_bytes() == reference()
    assert str(tmp_path / "y") in repr(w)


def test_pipe():
    r, w_fd = os.pipe()
    got = []

    def drain():
        with os.fdopen(r, "rb") as end:
            got.append(end.read())

    reader = threading.Thread(target=drain)
    reader.start()
    with os.fdopen(w_fd, "wb") as f, ccpq.Writer(f, S) as w:
        w.write_rows(ROWS)
    reader.join()
    assert got == [reference()]


def test_short_writes():
    class Short(io.RawIOBase):
        def __init__(self):
            self.data = bytearray()

        def writable(self):
            return True

        def write(self, data):
            n = max(1, len(data) // 2)
            self.data += data[:n]
            return n

    f = Short()
    with ccpq.Writer(f, S) as w:
        w.write_rows(noisy(3000))
    assert bytes(f.data) == reference(noisy(3000))


@pytest.mark.parametrize("answer, cls, words", [(None, TypeError, "None"), ("5", TypeError, "str"), (0, OSError, "returned 0"),
                                                (-1, OSError, "returned -1"), (10**9, OSError, "returned 1000000000"),
                                                (2**70, OverflowError, ".")])  # fmt: skip
def test_odd_answers_of_a_file(answer, cls, words):
    class File:
        def write(self, data):
            return answer

    with pytest.raises(cls, match=words), ccpq.Writer(File(), S) as w:
        w.write_rows(ROWS)


def test_sink():
    sink = Sink()
    with ccpq.Writer(sink, S) as w:
        w.write_rows(noisy(20_000))
        assert "finish" not in sink.calls
    assert bytes(sink.data) == reference(noisy(20_000))
    assert sink.calls[-1] == "finish" and sink.calls.count("finish") == 1 and "abort" not in sink.calls


def test_sink_that_keeps_its_views():
    class Keeper(Sink):
        kept = []

        def write(self, data):
            self.kept.append(data[:])
            self.kept.append(data)

    sink = Keeper()
    with ccpq.Writer(sink, S) as w:
        w.write_rows(noisy(20_000))
    assert b"".join(sink.kept[::2]) == reference(noisy(20_000)) == b"".join(sink.kept[1::2])


def test_half_a_sink():
    class Half:
        def write(self, data):
            pass

        def finish(self):
            pass

    with pytest.raises(TypeError, match="a sink needs finish.. and abort..; Half has no abort"):
        ccpq.Writer(Half(), S)


@pytest.mark.parametrize("k", range(4))
def test_sink_that_raises_at_write_k(k):
    rows = noisy(30_000)
    sink = Sink(write=k)
    w = ccpq.Writer(sink, S, row_group_size=5000, compression="none")
    with pytest.raises(Boom) as info:
        for start in range(0, len(rows), 1000):
            w.write_rows(rows[start:start + 1000])
        w.close()
    assert info.value is sink.boom and info.value.__context__ is None
    for call in (lambda: w.write_row(rows[0]), lambda: w.write_rows(rows), lambda: w.write_group(rows), w.flush_group):
        with pytest.raises(RuntimeError, match="failed before"):
            call()
    assert sink.calls == ["write"] * (k + 1)
    with pytest.raises(RuntimeError):
        w.close()
    w.abort()
    assert sink.calls == ["write"] * (k + 1) + ["abort"] and w.closed


def test_sink_whose_ends_raise():
    sink = Sink(finish=0)
    with pytest.raises(Boom) as info, ccpq.Writer(sink, S) as w:
        w.write_rows(ROWS)
    assert info.value is sink.boom and sink.calls[-1] == "finish"
    sink = Sink(abort=0)
    w = ccpq.Writer(sink, S)
    with pytest.raises(Boom) as info:
        w.abort()
    assert info.value is sink.boom and w.closed
    w.abort()
    sink, mine = Sink(abort=0), LookupError("body")
    with pytest.raises(LookupError) as info, ccpq.Writer(sink, S):
        raise mine
    assert info.value is mine and sink.calls == ["abort"]


def test_a_full_disk():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    with open("/dev/full", "wb", buffering=0) as f, pytest.raises(OSError, match="No space left"), ccpq.Writer(f, S) as w:
        w.write_rows(noisy(20_000))
    fd = os.open("/dev/full", os.O_WRONLY)
    w = _core.Writer([("a", "int64", False)], fd=fd, name="disk.parquet")
    w.write_rows([(1,)])
    for _ in range(2):
        with pytest.raises(OSError) as info:
            w.close()
        assert info.value.filename == "disk.parquet"
    w.abort()
    os.close(fd)


# -- the with block -----------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [Boom("x"), SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
def test_exception_in_the_block(tmp_path, error):
    with pytest.raises(type(error)) as info, ccpq.Writer(tmp_path / "x.parquet", S) as w:
        w.write_rows(ROWS)
        w.flush_group()
        raise error
    assert info.value is error and os.listdir(tmp_path) == [] and w.closed
    with pytest.raises(RuntimeError, match="aborted"):
        w.close()


def test_ending_inside_the_block(tmp_path):
    with ccpq.Writer(tmp_path / "x.parquet", S) as w:
        w.write_rows(ROWS)
        report = w.close()
    assert w.close() is report
    with pytest.raises(Boom), ccpq.Writer(tmp_path / "y.parquet", S) as w:
        w.close()
        raise Boom
    with ccpq.Writer(tmp_path / "z.parquet", S) as w:
        w.abort()
    assert sorted(os.listdir(tmp_path)) == ["x.parquet", "y.parquet"]
    for call in (lambda: w.write_rows(ROWS), lambda: w.write_group(ROWS), w.flush_group, lambda: w.write_row(ROWS[0])):
        with pytest.raises(RuntimeError, match="aborted"):
            call()


def test_forgotten_writer(tmp_path):
    live = _core._live()
    w = ccpq.Writer(tmp_path / "x.parquet", S)
    w.write_rows(ROWS)
    with pytest.warns(ResourceWarning, match="not closed; nothing is published"):
        del w
        gc.collect()
    assert os.listdir(tmp_path) == [] and _core._live() == live
    sink = Sink()
    with pytest.warns(ResourceWarning):
        ccpq.Writer(sink, S).write_rows(ROWS)
        gc.collect()
    assert sink.calls == ["abort"]


def test_forgotten_in_a_cycle():
    sink = Sink()
    sink.w = ccpq.Writer(sink, S)
    calls = sink.calls
    with pytest.warns(ResourceWarning):
        del sink
        gc.collect()
    assert calls == ["abort"]
    sink = Sink()
    sink.core = _core.Writer([("a", "int8", True)], sink=sink)
    calls = sink.calls
    del sink
    gc.collect()
    assert calls == ["abort"]


def test_not_picklable():
    import copy

    w = ccpq.Writer(io.BytesIO(), S)
    for call in (lambda: pickle.dumps(w), lambda: copy.copy(w), lambda: pickle.dumps(w._core), lambda: pickle.dumps(ccpq.MemoryBudget("1MiB"))):
        with pytest.raises(TypeError):
            call()
    w.abort()


# -- one call at a time -------------------------------------------------------------------------------


def test_calls_from_inside_the_iterator():
    f = io.BytesIO()
    w = ccpq.Writer(f, S)
    seen = []

    def source():
        yield ROWS[0]
        for call in (lambda: w.write_row(ROWS[0]), lambda: w.write_rows(ROWS), lambda: w.write_group(ROWS), w.flush_group,
                     w.close, w.abort):
            with pytest.raises(RuntimeError, match=r"\(\) while write_rows\(\) of the same writer is running"):
                call()
            seen.append(w.rows)
            assert w.memory.used > 0 and "open" in repr(w)
        yield ROWS[1]

    assert w.write_rows(source()) == 2
    assert seen == [1] * 6 and not w.closed
    w.close()
    assert model.read_table(f.getvalue())["a"] == [0, 1]


def test_calls_from_inside_the_sink():
    errors = []

    class Nosy(Sink):
        def write(self, data):
            super().write(data)
            assert self.w.rows >= 0 and repr(self.w)
            try:
                self.w.write_row(ROWS[0])
            except RuntimeError as e:
                errors.append(str(e))

    sink = Nosy()
    sink.w = ccpq.Writer(sink, S, row_group_size=5000)
    sink.w.write_rows(noisy(20_000))
    sink.w.close()
    assert errors and all("while" in e for e in errors)
    assert bytes(sink.data) == reference(noisy(20_000), row_group_size=5000)
    del sink.w


def test_second_thread():
    f = io.BytesIO()
    w = ccpq.Writer(f, S)
    inside, go_on, errors = threading.Event(), threading.Event(), []

    def source():
        yield ROWS[0]
        inside.set()
        assert go_on.wait(30)
        yield ROWS[1]

    t = threading.Thread(target=lambda: w.write_rows(source()))
    t.start()
    assert inside.wait(30)
    for call in (lambda: w.write_row(ROWS[0]), w.flush_group, w.close, w.abort):
        with pytest.raises(RuntimeError, match="one call at a time") as info:
            call()
        errors.append(info.value)
    assert w.rows == 1
    go_on.set()
    t.join()
    w.write_row(ROWS[2])  # another thread than before
    assert w.close().rows == 3
    assert model.read_table(f.getvalue())["a"] == [0, 1, 2]


def test_figures_from_another_thread_while_writing():
    w = ccpq.Writer(io.BytesIO(), S, row_group_size=3000)
    done, problems = threading.Event(), []

    def watch():
        last = 0
        while not done.is_set():
            rows = w.rows
            if rows < last:
                problems.append((last, rows))
            last = rows
            repr(w), w.memory, w.plan

    t = threading.Thread(target=watch)
    t.start()
    w.write_rows(noisy(60_000))
    done.set()
    t.join()
    w.close()
    assert problems == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork(tmp_path):
    w = ccpq.Writer(tmp_path / "x.parquet", S)
    w.write_rows(noisy(70_000))
    sink = Sink()
    v = ccpq.Writer(sink, S)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        code = 1
        try:
            refused = 0
            for call in (lambda: w.write_row(ROWS[0]), w.close, w.abort, w.flush_group, v.close):
                try:
                    call()
                except RuntimeError as e:
                    refused += "forked" in str(e)
            repr(w)
            warnings.simplefilter("error")
            del w, v
            gc.collect()
            code = 0 if refused == 5 and sink.calls == [] else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    w.write_rows(ROWS)
    assert w.close().rows == 71_000
    model.validate(tmp_path / "x.parquet")
    v.close()
    assert sink.calls[-1] == "finish"


def test_interrupt_between_rows():
    def handler(*_):
        raise Boom

    old = signal.signal(signal.SIGALRM, handler)
    f = io.BytesIO()
    w = ccpq.Writer(f, S)
    try:
        import itertools

        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(Boom):
            w.write_rows(itertools.repeat(ROWS[1]))  # no Python code runs in this iterator
        n = w.rows
        assert n > 0
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(Boom):
            w.write_group(itertools.repeat(ROWS[1]))
        assert w.rows == n
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    w.write_row(ROWS[1])
    assert w.close().rows == n + 1


def test_interrupt_between_pages():
    """A signal that comes while pages are compressed ends the call; the rows are still there."""
    import random

    def handler(*_):
        raise Boom

    r = random.Random(3)
    schema = {f"c{i}": "binary" for i in range(24)}
    row = [bytes(r.choices(b"abcdefgh", k=100_000)) for _ in schema]
    f = io.BytesIO()
    w = ccpq.Writer(f, schema, compression_level=19, memory_limit="128MiB")
    w.write_row(row)
    old = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Boom):
            w.flush_group()
            time.sleep(1)  # not reached by a machine that is slow enough; one that is not has nothing to interrupt
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert w.rows == 1
    w.close()
    assert [c[0] for c in model.read_table(f.getvalue()).values()] == row


# -- memory -------------------------------------------------------------------------------------------


def test_budget():
    budget = ccpq.MemoryBudget("40MiB")
    assert (budget.limit, budget.used, budget.peak) == (40 << 20, 0, 0)
    a = ccpq.Writer(io.BytesIO(), S, memory_limit=budget.share("16MiB"))
    assert budget.used == 16 << 20
    with pytest.raises(ccpq.BudgetError, match=f"{24 << 20} of the memory budget's {40 << 20} bytes are free") as info:
        ccpq.Writer(io.BytesIO(), S, memory_limit=budget)
    assert (info.value.needed, info.value.limit) == (40 << 20, 40 << 20)
    b = ccpq.Writer(io.BytesIO(), S, memory_limit=budget.share(24 << 20))
    assert budget.used == budget.peak == 40 << 20
    a.write_rows(noisy(1000))
    b.write_rows(noisy(1000))
    assert budget.used == 40 << 20
    assert a.memory.limit == 16 << 20
    a.close()
    assert budget.used == 24 << 20
    b.abort()
    assert budget.used == 0 and "40 MiB" in repr(budget)
    for bad, cls in (("41MiB", ValueError), (0, ValueError), ("1M", ValueError), (None, TypeError)):
        with pytest.raises(cls):
            budget.share(bad)
    with pytest.raises(TypeError):
        ccpq.MemoryBudget(None)


def test_a_failing_open_gives_its_share_back():
    budget = ccpq.MemoryBudget("40MiB")
    for options in ({"memory_limit": budget.share("64KiB")}, {"memory_limit": budget, "compression_level": 77}):
        with pytest.raises((ccpq.BudgetError, ValueError)):
            ccpq.Writer(io.BytesIO(), S, **options)
        assert budget.used == 0
    with pytest.raises(TypeError):
        ccpq.Writer(object(), S, memory_limit=budget)
    assert budget.used == 0


def test_strings_are_not_kept(tmp_path):
    class Canary(str):
        pass

    import weakref

    with ccpq.Writer(io.BytesIO(), {"s": "string"}) as w:
        small, big = "tiny" + str(id(w)), "x" * 1000 + str(id(w))
        before = sys.getrefcount(big)
        w.write_rows([(big,)] * 10)
        assert sys.getrefcount(big) == before
        before = sys.getrefcount(small)
        w.write_rows([(small,)] * 10)
        assert sys.getrefcount(small) == before + 1
        canary = Canary("abc")
        dead = weakref.ref(canary)
        w.write_row((canary,))
        del canary
        assert dead() is None
    assert sys.getrefcount(small) == before


def test_spilling_is_bounded_and_changes_nothing(tmp_path):
    rows = noisy(120_000)
    plenty, little = io.BytesIO(), io.BytesIO()
    options = {"compression": "none", "data_page_size": "64KiB"}
    with ccpq.Writer(plenty, S, memory_limit="256MiB", **options) as w:
        w.write_rows(rows)
    with ccpq.Writer(little, S, memory_limit="8MiB", spill_dir=tmp_path, **options) as v:
        v.write_rows(rows)
        assert v.memory.spilled > 0 and os.listdir(tmp_path) == []
        assert "spilled" in str(v.memory)
    assert v.report.peak_memory <= 8 << 20 and v.report.spilled_bytes > 0
    model.validate(little.getvalue())
    assert model.read_table(little.getvalue()) == model.read_table(plenty.getvalue())


# -- reports ------------------------------------------------------------------------------------------


def test_report():
    w = ccpq.Writer(io.BytesIO(), {**S, "x" * 60: "float64?"})
    w.write_rows((*r, None) for r in ROWS)
    r = w.close()
    assert (r.rows, r.row_groups, r.skipped_rows) == (1000, 1, 0)
    assert [(c.name, c.type, c.values, c.nulls) for c in r.columns] == [
        ("a", "int64", 1000, 0), ("s", "string?", 1000 - 143, 143), ("x" * 60, "float64?", 0, 1000)]  # fmt: skip
    assert 0 < sum(c.compressed_bytes for c in r.columns) < r.bytes
    lines = str(r).splitlines()
    assert lines[0].startswith("<BytesIO>: 1,000 rows, 1 group, ") and " B/row) in " in lines[0] and "spilled 0" in lines[0]
    assert lines[1].split() == ["column", "type", "bytes", "share", "encodings"]
    assert max(map(len, lines[1:])) <= 100 and len(lines) == 5
    assert repr(r) == f"<ccpq.Report {lines[0]}>"
    d = r.to_dict()
    assert d["rows"] == 1000 and d["columns"][0]["name"] == "a"
    import json

    assert json.loads(json.dumps(d)) == d
    assert pickle.loads(pickle.dumps(r)) == r


def test_plan():
    with ccpq.Writer(io.BytesIO(), S, memory_limit="32MiB") as w:
        p = w.plan
        assert p["memory_limit"] == 32 << 20 and p["fixed_bytes"] <= 32 << 20
        assert set(p) >= {"page_rows", "page_bytes", "max_value_bytes", "max_row_bytes"}
        assert "of 32 MiB planned" in repr(p) and "max_value_bytes" in str(p)
    assert dict(w.plan) == dict(p)


def test_repr_and_logging(tmp_path, caplog):
    p = tmp_path / "out.parquet"
    with caplog.at_level(logging.DEBUG, "ccpq"), ccpq.Writer(p, S) as w:
        w.write_rows(ROWS)
        assert repr(w).startswith(f"<ccpq.Writer {str(p)!r} open: 1,000 rows, 0 groups, ")
        assert repr(w).endswith(" of 64 MiB>")
        w.flush_group()
    assert " closed: 1,000 rows, 1 group, " in repr(w)
    assert [r.levelname for r in caplog.records if "published" in r.message] == ["INFO"]
    told = [r.message.removeprefix(f"{p}: ") for r in caplog.records if r.levelname == "DEBUG"]
    assert "1000 rows written; row groups so far: 0, spilled: 0 B" in told
    assert "row group cut; row groups so far: 1, spilled: 0 B" in told
    assert any(isinstance(h, logging.NullHandler) for h in logging.getLogger("ccpq").handlers)


# -- the extension ------------------------------------------------------------------------------------


def test_stubs_name_what_is_there():
    tree = ast.parse(Path(_core.__file__).with_name("_core.pyi").read_text())
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            assert callable(getattr(_core, node.name))
        elif isinstance(node, ast.ClassDef):
            cls = getattr(_core, node.name)
            stubbed = {f.name for f in node.body if isinstance(f, ast.FunctionDef)} - {"__new__"}
            stubbed |= {f.target.id for f in node.body if isinstance(f, ast.AnnAssign)}
            assert {n for n in vars(cls) if not n.startswith("__")} == {n for n in stubbed if not n.startswith("__")}, node.name


def test_types_are_closed():
    for cls in (_core.Writer, _core.MemoryBudget):
        with pytest.raises(TypeError):
            type("Sub", (cls,), {})
        with pytest.raises(TypeError):
            cls.new_attribute = 1


@pytest.mark.parametrize("args, kwargs", [((), {}), (([],), {}), ((5,), {}), (([("a", "int8")],), {}), (([("a", "int9", True)],), {}),
                                          (([(5, "int8", True)],), {}), (([("a", "int8", True)],), {"fd": 1, "sink": Sink()}),
                                          (([("a", "int8", True)],), {"sorting": [("b", False)]}),
                                          (([("a", "int8", True)],), {"sorting": [5]}), (([("a", "int8", True)],), {"level": 2**80}),
                                          (([("a", "int8", True)],), {"memory_limit": -1}), (([("a", "int8", True)],), {"budget": 5}),
                                          (([("a", "int8", True)] * 2,), {}), (([("\ud800", "int8", True)],), {}),
                                          (([("a", "int8", True)],), {"row_group_size": -5})])  # fmt: skip
def test_core_checks_its_arguments(args, kwargs):
    live = _core._live()
    with pytest.raises((TypeError, ValueError, OverflowError)):
        _core.Writer(*args, **kwargs)
    assert _core._live() == live


def test_attach_fd(tmp_path):
    w = _core.Writer([("a", "int8", True)])
    w.write_row((1,))
    with open(tmp_path / "x", "wb") as f:
        w.attach_fd(f)
        with pytest.raises(RuntimeError, match="has a target"):
            w.attach_fd(f.fileno())
        figures = w.close([("k", "v")])
    assert figures["rows"] == 1 and model.read_table(tmp_path / "x") == {"a": [1]}
    w = _core.Writer([("a", "int8", True)])
    w.write_row((1,))
    with pytest.raises(OSError):
        w.close()
    w.abort()


def test_keyword_arguments_of_the_core():
    w = _core.Writer([("a", "int8", True)], sink=Sink())
    assert w.write_rows(rows=[(1,)], on_error=None) == 1
    for call in (lambda: w.write_rows(), lambda: w.write_rows([], row=1), lambda: w.write_rows([], rows=[]),
                 lambda: w.write_rows([], None, None, None), lambda: w.flush_group("x"), lambda: w.close([5]), lambda: w.close([("a", 1)])):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(UnicodeEncodeError):
        w.close([("\ud800", "x")])
    w.close()


def test_live_handles_return_to_zero():
    gc.collect()
    live = _core._live()
    ws = [ccpq.Writer(io.BytesIO(), S, memory_limit="8MiB") for _ in range(3)]
    assert _core._live() == live + 3
    ws[0].close(), ws[1].abort()
    assert _core._live() == live + 1
    ws[2].close()
    assert _core._live() == live


def test_time_of_a_report():
    w = ccpq.Writer(io.BytesIO(), S)
    time.sleep(0.02)
    assert 0.02 <= w.close().seconds < 60
