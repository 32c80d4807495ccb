"""One checkpoint file from Python: every golden file row by row, damaged files, values as buffers on a budget, misuse;
and host jobs with the real writer."""

import gc
import math
import os
import random
import signal
import struct
import threading
import time
from collections import Counter
from pathlib import Path

import ccpq
import ccpq.checkpoint
import pytest
from ccpq import _core
from ccpq._errors import FileChanged

GOLDEN = Path(__file__).resolve().parents[1] / "data" / "checkpoints"
CASES = ["json-basic", "bin-basic", "json-deep", "bin-deep", "json-foreign", "scope-collision", "overlap", "mixed", "damaged"]
MAGIC = 0xCC5B0001


def f32(text):
    return struct.pack("<f", float(text))


def load(path):
    """The rows of an expectation by (file, cluster, host); files are '' where it has no such column."""
    rows = {}
    with open(path, encoding="utf-8", newline="\n") as f:
        columns = f.readline().rstrip("\n").split("\t")
        for line in f:
            r = dict(zip(columns, line.rstrip("\n").split("\t")))
            row = (r["cluster"], r["hostname"], r["metric"], r["scope"], r["scope_id"], int(r["timestamp"]), int(r["frequency"]), f32(r["value"]))
            rows.setdefault((r.get("file", ""), r["cluster"], r["hostname"]), []).append(row)
    return rows


def golden_files(case):
    for path in sorted((GOLDEN / case).glob("*/*/*")):
        if path.suffix in (".json", ".bin") and path.stem.isdigit():
            yield path


def unreadable():
    return {line.split("\t")[0] for line in (GOLDEN / "damaged" / "unreadable.txt").read_text().splitlines()}


def snapshot(metrics, children=(), magic=MAGIC):
    """A .bin: metrics are (name, frequency, start, values), children (name, metrics)."""

    def name(s):
        b = s.encode() if isinstance(s, str) else s
        return struct.pack("<H", len(b)) + b

    def level(metrics, children):
        out = struct.pack("<I", len(metrics))
        for n, frequency, start, values in metrics:
            out += name(n) + struct.pack("<qqI", frequency, start, len(values)) + struct.pack(f"<{len(values)}f", *values)
        out += struct.pack("<I", len(children))
        for n, inner in children:
            out += name(n) + level(inner, ())
        return out

    return struct.pack("<Iqq", magic, 1000, 2000) + level(metrics, children)


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "1000.bin"
    path.write_bytes(snapshot([("load", 60, 1000, [1.5, math.nan, 3]), ("mem", 30, 1000, [])], [("core3", [("load", 60, 1000, [7])]), ("socket0", [("load", 60, 990, [8, 9])])]))
    return path


# Golden files


@pytest.mark.parametrize("case", CASES)
def test_golden_files_row_by_row(case):
    expected = load(GOLDEN / case / "expected_per_file.tsv")
    bad = unreadable() if case == "damaged" else set()
    n = 0
    for path in golden_files(case):
        cluster, host, name = path.parts[-3:]
        if f"{cluster}/{host}/{name}" in bad:
            continue
        with ccpq.checkpoint.open(path, memory_limit="2MiB") as c:
            assert c.kind == path.suffix[1:]
            rows = [(*r[:7], struct.pack("<f", r[7])) for r in c.rows(cluster, host)]
            assert c.report["xxh64"] == _core.hash_file(path)
            assert c.report["size"] == path.stat().st_size
        want = expected.get((name, cluster, host), [])
        assert (Counter(rows) if case == "scope-collision" else rows) == (Counter(want) if case == "scope-collision" else want)
        n += 1
    assert n


@pytest.mark.parametrize("case", [c for c in CASES if c != "mixed"])  # what of mixed is due is the archive job's to say
def test_golden_hosts_through_the_writer(case, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    expected, bad = load(GOLDEN / case / "expected.tsv"), unreadable() if case == "damaged" else set()
    got, results = [], {}
    target = tmp_path / "out.parquet"
    schema = {"cluster": "string", "hostname": "string", "metric": "string", "scope": "string", "scope_id": "string", "timestamp": "int64", "frequency": "int64", "value": "float32"}
    with ccpq.Writer(target, schema, sorting_columns=["cluster", "hostname", "metric", "scope", "scope_id", "timestamp"]) as w:
        for directory in sorted((GOLDEN / case).glob("*/*")):
            if not directory.is_dir():
                continue
            names = sorted((p.name for p in golden_files(case) if p.parent == directory), key=lambda n: int(n.split(".")[0]))
            rows, files = _core.archive_host(w._core, *directory.parts[-2:], str(directory), names, 2 << 20, "/var/tmp")
            assert [f["name"] for f in files] == names
            assert rows == len(expected.get(("", *directory.parts[-2:]), []))
            results.update({"/".join((*directory.parts[-2:], f["name"])): f for f in files})
    for name, f in results.items():
        assert f["ok"] == (name not in bad), f
        assert (f["error"] is None) == f["ok"] and (f["offset"] is None) == f["ok"], f
        assert f["xxh64"] == (_core.hash_file(GOLDEN / case / name) if f["ok"] else None)
    columns = pq.read_table(target).to_pydict()
    got = [(*r[:7], struct.pack("<f", r[7])) for r in zip(*columns.values())]
    want = [row for key in sorted(expected) for row in expected[key]]
    assert (Counter(got) if case == "scope-collision" else got) == (Counter(want) if case == "scope-collision" else want)


@pytest.mark.parametrize("name", sorted(n for n in unreadable() if n.endswith((".json", ".bin")) and n.split("/")[-1][0].isdigit()))
def test_damaged_files_say_where(name):
    path = GOLDEN / "damaged" / name
    before = _core._live()
    with pytest.raises(ccpq.FormatError) as e:
        ccpq.checkpoint.open(path)
    assert e.value.file == str(path)
    assert 0 <= e.value.offset <= path.stat().st_size
    assert str(path) in str(e.value) and f"byte {e.value.offset}" in str(e.value)
    assert isinstance(e.value, ValueError) and isinstance(e.value, ccpq.Error)
    assert _core._live() == before


# Series and values


def test_a_checkpoint_and_its_series(small):
    with ccpq.checkpoint.open(small) as c:
        assert (c.kind, c.start, c.end, c.closed) == ("bin", 1000, 2000, False)
        report = c.report
        assert (report["series"], report["values"], report["trailing_bytes"], report["memory_limit"]) == (4, 6, 0, 64 << 20)
        found = list(c.series())
        assert [(s.metric, s.scope, s.scope_id, s.path) for s in found] == [
            ("load", "core", "3", ("core3",)), ("load", "node", "", ()), ("load", "socket", "0", ("socket0",)), ("mem", "node", "", ())]
        s = found[1]
        assert (s.start, s.frequency, len(s), s.timestamps) == (1000, 60, 3, range(1000, 1180, 60))
        assert s.values[0] == 1.5 and math.isnan(s.values[1]) and s.values.tolist()[2] == 3
        assert len(found[3]) == 0 and found[3].values.tolist() == [] and found[3].timestamps == range(1000, 1000, 30)
        assert repr(s) == "<ccpq.Series 'load' node: 3 values, every 60 s from 1000>"
        assert repr(found[2]) == "<ccpq.Series 'load' socket 0: 2 values, every 60 s from 990>"
        assert repr(c) == "<ccpq.Checkpoint '1000.bin' open: 4 series, 6 values>"
        assert list(c.rows("fritz", "f1")) == [
            ("fritz", "f1", "load", "core", "3", 1000, 60, 7.0), ("fritz", "f1", "load", "node", "", 1000, 60, 1.5), ("fritz", "f1", "load", "node", "", 1120, 60, 3.0),
            ("fritz", "f1", "load", "socket", "0", 990, 60, 8.0), ("fritz", "f1", "load", "socket", "0", 1050, 60, 9.0)]
    assert c.closed and "closed" in repr(c)
    c.close()


def test_filters(small):
    with ccpq.checkpoint.open(small) as c:
        assert [s.scope for s in c.series(metric="load")] == ["core", "node", "socket"]
        assert [s.metric for s in c.series(scope="node")] == ["load", "mem"]
        assert [s.scope_id for s in c.series("load", "socket")] == ["0"]
        assert list(c.series(metric="nothing")) == [] and list(c.series(metric="loa\udc80")) == []
        with pytest.raises(TypeError, match="metric must be a str"):
            c.series(metric=b"load")


def test_iterators_do_not_disturb_each_other(small):
    with ccpq.checkpoint.open(small) as c:
        assert [(a.metric + a.scope, b.metric + b.scope) for a in c.series() for b in c.series()] == [
            (a, b) for a in ["loadcore", "loadnode", "loadsocket", "memnode"] for b in ["loadcore", "loadnode", "loadsocket", "memnode"]]
        one, two = c.series(), c.series()
        assert [next(one).scope, next(two).scope, next(one).scope, next(two).scope] == ["core", "core", "node", "node"]
        done = c.series(metric="mem")
        assert [s.metric for s in done] == ["mem"]
        assert next(done, None) is None and next(done, None) is None


def test_values_are_a_buffer(small):
    with ccpq.checkpoint.open(small) as c:
        s = next(c.series(scope="socket"))
        values = s.values
        assert (values.format, values.itemsize, values.shape, values.strides, values.readonly, values.c_contiguous) == ("f", 4, (2,), (4,), True, True)
        assert memoryview(s).tobytes() == struct.pack("<2f", 8, 9)
        with pytest.raises(TypeError):
            values[0] = 1
        np = pytest.importorskip("numpy")
        a, b = np.asarray(s.values), np.asarray(s)
        assert a.dtype == np.float32 and a.tolist() == [8, 9]
        assert a.ctypes.data == b.ctypes.data


def test_values_outlive_the_file_and_their_series(small):
    before = _core._live()
    c = ccpq.checkpoint.open(small)
    assert _core._live() == before + 1
    read, unread = (s for s in c.series(metric="load") if s.scope in ("core", "node"))
    values = read.values
    c.close()
    del c, read
    gc.collect()
    assert values.tolist() == [7]
    with pytest.raises(RuntimeError, match="closed"):
        unread.values
    assert _core._live() == before


def test_closed(small):
    c = ccpq.checkpoint.open(small)
    it = c.series()
    c.close()
    with pytest.raises(RuntimeError, match="closed"):
        next(it)
    with pytest.raises(RuntimeError, match="closed"):
        c.series()
    with pytest.raises(RuntimeError, match="closed"), c:
        pass


def test_names_of_any_kind(tmp_path):
    path = tmp_path / "größe.json"
    path.write_text('{"metrics": {"µ\\u00b2 \\ud83d\\ude80": {"frequency": 1, "start": -3, "data": [1, null]}}, "children": {"a/b": {"children": {"": {"metrics": {"": {"frequency": 1, "start": 0, "data": []}}}}}}}', encoding="utf-8")
    with ccpq.checkpoint.open(path) as c:
        assert (c.start, c.end) == (None, None)
        assert [(s.metric, s.scope, s.path) for s in c.series()] == [("", "", ("a/b", "")), ("µ² 🚀", "node", ())]
        assert list(next(c.series("µ² 🚀")).timestamps) == [-3, -2]


# The budget


def big(tmp_path, n):
    """One series of n zeros, without taking n values' room on the disk."""
    path = tmp_path / "1.bin"
    head = struct.pack("<Iqq", MAGIC, 0, 0) + struct.pack("<I", 1) + struct.pack("<H1sqqI", 1, b"m", 1, 0, n)
    with open(path, "wb") as f:
        f.write(head)
        f.truncate(len(head) + 4 * n + 4)
    return path


def test_a_series_beyond_the_limit(tmp_path):
    with ccpq.checkpoint.open(big(tmp_path, 2_000_000), memory_limit="4MiB") as c:
        assert c.report["memory_peak"] < 1 << 20
        s = next(c.series())
        assert len(s) == 2_000_000
        with pytest.raises(ccpq.BudgetError) as e:
            s.values
        assert e.value.needed >= 8_000_000 and e.value.limit == 4 << 20
    with ccpq.checkpoint.open(big(tmp_path, 500_000), memory_limit="4MiB") as c:
        s = next(c.series())
        held = s.values
        other = next(c.series())
        with pytest.raises(ccpq.BudgetError):
            next(c.series()).values, other.values
        del s, held, other
        gc.collect()
        assert next(c.series()).values[499_999] == 0


def test_limits(small):
    for limit in ("1MiB", 1000):
        with pytest.raises(ccpq.BudgetError, match="2097152"):
            ccpq.checkpoint.open(small, memory_limit=limit)
    with pytest.raises(TypeError, match="unlimited"):
        ccpq.checkpoint.open(small, memory_limit=None)
    budget = ccpq.MemoryBudget("8MiB")
    with ccpq.checkpoint.open(small, memory_limit=budget.share("4MiB")) as c:
        assert c.report["memory_limit"] == 4 << 20
        assert budget.used == 4 << 20
        with pytest.raises(ccpq.BudgetError):
            ccpq.checkpoint.open(small, memory_limit=budget.share("5MiB"))
    del c
    gc.collect()
    assert budget.used == 0


def test_memory_of_the_process(tmp_path):
    from ccpq.testing import peak_memory

    path = big(tmp_path, 100_000_000)
    with peak_memory() as m, ccpq.checkpoint.open(path, memory_limit="2MiB") as c:
        assert c.report["values"] == 100_000_000
    assert m.rss_growth < 6 << 20


# Misuse and trouble


def test_what_cannot_be_opened(tmp_path, small):
    with pytest.raises(FileNotFoundError) as e:
        ccpq.checkpoint.open(tmp_path / "none.bin")
    assert e.value.filename == str(tmp_path / "none.bin")
    with pytest.raises(IsADirectoryError, match="one of its files") as e:
        ccpq.checkpoint.open(tmp_path)
    assert e.value.filename == str(tmp_path)
    fifo = tmp_path / "1.json"
    os.mkfifo(fifo)
    with pytest.raises(ccpq.FormatError, match="not a regular file"):
        ccpq.checkpoint.open(fifo)
    for name in ("current.wal", "other"):
        path = tmp_path / name
        path.write_bytes(struct.pack("<I", 0xCC1DA701))
        with pytest.raises(ccpq.UnsupportedError, match="write-ahead logs"):
            ccpq.checkpoint.open(path)
    with pytest.raises(ccpq.UnsupportedError, match="on_corrupt='stop'"):
        ccpq.checkpoint.open(small, on_corrupt="stop")
    with pytest.raises(TypeError, match="frequencies"):
        ccpq.checkpoint.open(small, frequencies=60)
    with pytest.raises(TypeError):
        ccpq.checkpoint.open(small, on_corrupt=None)
    with pytest.raises(ValueError):
        ccpq.checkpoint.open("a\0b")
    with pytest.raises(FileNotFoundError):
        ccpq.checkpoint.open(small, spill_dir=tmp_path / "none")
    with pytest.raises(TypeError):
        _core.Series()


def test_any_name_is_taken_by_content(tmp_path, small):
    copy = tmp_path / "copy of snapshot"
    copy.write_bytes(small.read_bytes() + b"\n")
    with ccpq.checkpoint.open(copy) as c:
        assert c.kind == "bin" and c.report["trailing_bytes"] == 1


def test_a_file_that_changes(small):
    c = ccpq.checkpoint.open(small)
    s = next(c.series())
    with open(small, "ab") as f:
        f.write(b"x")
    with pytest.raises(ccpq.Error, match="changed") as e:
        s.values
    assert e.value.file == str(small)
    c.close()


def test_duplicates(tmp_path):
    path = tmp_path / "1.bin"
    path.write_bytes(snapshot([("a", 1, 0, [1])], [("c", [("m", 1, 0, [2]), ("m", 1, 5, [2])])]))
    with pytest.raises(ccpq.FormatError, match="metric 'm' is twice"):
        ccpq.checkpoint.open(path)
    path.write_bytes(snapshot([], [("c", []), ("d", []), ("c", [])]))
    with pytest.raises(ccpq.FormatError, match="child 'c' is twice"):
        ccpq.checkpoint.open(path)


def interrupt_soon(call):
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    began = time.monotonic()
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            call()
    finally:
        timer.cancel()
    return time.monotonic() - began


def test_interrupt(tmp_path):
    path = big(tmp_path, 0xF0000000)
    before = _core._live()
    assert interrupt_soon(lambda: ccpq.checkpoint.open(path)) < 3
    assert interrupt_soon(lambda: _core.hash_file(path)) < 3
    with ccpq.Writer(tmp_path / "x.parquet", {"a": "string"}) as w:
        assert interrupt_soon(lambda: _core.archive_host(w._core, "c", "h", tmp_path, ["1.bin"], 2 << 20, "/var/tmp")) < 3
        assert w.rows == 0
    assert _core._live() == before


def test_other_threads_run_meanwhile(tmp_path):
    path = big(tmp_path, 100_000_000)
    ticks, done = [], threading.Event()

    def tick():
        while not done.wait(0.01):
            ticks.append(1)

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        ccpq.checkpoint.open(path).close()
    finally:
        done.set()
        thread.join()
    assert len(ticks) > 1


def test_a_fork_owns_nothing(small):
    c = ccpq.checkpoint.open(small)
    pid = os.fork()
    if pid == 0:
        try:
            c.series()
            os._exit(1)
        except RuntimeError:
            os._exit(0)
        finally:
            os._exit(2)
    assert os.waitpid(pid, 0)[1] == 0
    assert len(list(c.series())) == 4
    c.close()


# archive_host by itself


def test_archive_host_reports_each_file(tmp_path, small):
    (tmp_path / "2000.json").write_text('{"metrics": {"load": {"frequency": 60, "start": 1060, "data": [4, nope]}}}')
    (tmp_path / "3000.json").write_text('{"metrics": {"load": {"frequency": 60, "start": 1060, "data": [4.5, null, 5]}}} \n and more')
    names = ["1000.bin", "2000.json", "3000.json", "4000.bin", "current.wal"]
    (tmp_path / "current.wal").write_bytes(b"\1\xa7\x1d\xcc")
    schema = {"cluster": "string", "hostname": "string", "metric": "string", "scope": "string", "scope_id": "string", "timestamp": "int64", "frequency": "int64", "value": "float32"}
    with ccpq.Writer(tmp_path / "x.parquet", schema) as w:
        rows, files = _core.archive_host(w._core, "c", "h", tmp_path, names, ccpq.MemoryBudget("4MiB")._core, tmp_path)
        assert rows == w.rows == 7
    assert [f["ok"] for f in files] == [True, False, True, False, False]
    assert (files[0]["series"], files[0]["values"], files[0]["trailing_bytes"]) == (4, 6, 0)
    assert files[0]["mtime_ns"] == small.stat().st_mtime_ns
    assert files[1]["offset"] == (tmp_path / "2000.json").read_text().index("ope") and "null" in files[1]["error"]
    assert files[2]["trailing_bytes"] == 8
    assert files[3]["error"] == "No such file or directory" and files[3]["offset"] is None
    assert "write-ahead log" in files[4]["error"]


def test_archive_host_arguments(tmp_path, small):
    with ccpq.Writer(tmp_path / "x.parquet", {"a": "int64"}) as w:
        call = _core.archive_host
        for args, error in [
            ((None, "c", "h", tmp_path, [], 2 << 20, "/var/tmp"), TypeError), ((w._core, b"c", "h", tmp_path, [], 2 << 20, "/var/tmp"), TypeError),
            ((w._core, "c", "h", tmp_path, 5, 2 << 20, "/var/tmp"), TypeError), ((w._core, "c", "h", tmp_path, ["a\0"], 2 << 20, "/var/tmp"), ValueError),
            ((w._core, "c", "h", tmp_path, [], "2MiB", "/var/tmp"), TypeError), ((w._core, "c", "h", tmp_path, [], 0, "/var/tmp"), ValueError),
            ((w._core, "c", "h", tmp_path, [], (2 << 20) - 1, "/var/tmp"), ccpq.BudgetError), ((w._core, "c", "h", tmp_path / "none", [], 2 << 20, "/var/tmp"), FileNotFoundError),
            ((w._core, "c\ud800", "h", tmp_path, [], 2 << 20, "/var/tmp"), UnicodeEncodeError), ((w._core, "c"), TypeError),
        ]:
            with pytest.raises(error):
                call(*args)
        assert call(w._core, "c", "h", tmp_path, [], 2 << 20, "/var/tmp") == (0, [])
        with pytest.raises(Exception):  # rows of another shape
            call(w._core, "c", "h", tmp_path, ["1000.bin"], 2 << 20, "/var/tmp")
        w.write_rows([(1,)])


def test_archive_host_names_a_file_that_changes(tmp_path):
    path = tmp_path / "1.bin"
    n = 1_100_000  # so many rows end a row group behind their series: the sink sees bytes between the series
    path.write_bytes(snapshot([("a", 1, 0, [random.random() for _ in range(n)]), ("b", 1, 0, [1.0])]))

    class Sink:
        def write(self, data):
            with open(path, "ab") as f:
                f.write(b"x")

        def finish(self):
            raise AssertionError("what was written is not to be kept")

        def abort(self):
            pass

    schema = {"cluster": "string", "hostname": "string", "metric": "string", "scope": "string", "scope_id": "string", "timestamp": "int64", "frequency": "int64", "value": "float32"}
    with pytest.raises(FileChanged, match="changed while it was read") as e, ccpq.Writer(Sink(), schema) as w:
        _core.archive_host(w._core, "c", "h", tmp_path, ["1.bin"], 2 << 20, "/var/tmp")
    assert e.value.file == "1.bin"
