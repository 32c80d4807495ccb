"""The archive job: golden trees give exactly the expected rows, nothing is archived twice, one bad input stops nothing
else, and nothing but whole archives is ever left behind."""

import datetime
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from checkpoint_trees import COLUMNS, NAN, archive_rows, copy_case, expected_rows, found, put, values_of

import ccpq
from ccpq import _archive
from ccpq._errors import FileChanged
from ccpq._sources import footer_hash, read_list

CASES = ["bin-basic", "bin-deep", "damaged", "json-basic", "json-deep", "json-foreign", "mixed", "overlap", "scope-collision"]
LATE = 4_000_000_000


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "src").mkdir()
    return tmp_path / "src"


@pytest.fixture
def dst(tmp_path):
    return tmp_path / "dst"


def run(tree, dst, cutoff=LATE, **options):
    return ccpq.archive_checkpoints(tree, dst, cutoff=cutoff, durability=options.pop("durability", "none"), **options)


def errors(report):
    return {e.file: e.reason for e in report.errors}


def cutoff_of(case):
    path = case / "cutoff.txt"
    return int(path.read_text()) if path.exists() else LATE


# The golden trees

@pytest.mark.parametrize("row_group", ["auto", "host"])
@pytest.mark.parametrize("case", CASES)
def test_golden_trees(checkpoints_dir, tree, dst, case, row_group):
    case = checkpoints_dir / case
    copy_case(case, tree)
    before = {p: (os.stat(tree / p).st_mtime_ns, (tree / p).read_bytes()) for p in found(tree)}
    report = run(tree, dst, cutoff_of(case), row_group=row_group)

    expected = expected_rows(case)
    got = archive_rows(*[a.path for a in report.archives])
    assert sorted(got) == sorted(expected)
    assert [r[:6] for r in got] == [r[:6] for r in expected]
    assert report.rows == len(expected) == sum(a.rows for a in report.archives)
    assert {p: (os.stat(tree / p).st_mtime_ns, (tree / p).read_bytes()) for p in found(tree)} == before

    unreadable = case / "unreadable.txt"
    named = {line.split("\t")[0] for line in unreadable.read_text().splitlines()} if unreadable.exists() else set()
    # current.wal belongs to the running server and is not read, so it is no error either.
    assert set(errors(report)) == {n for n in named if not n.endswith(".wal")}
    assert report.ok == (not named)

    again = run(tree, dst, cutoff_of(case) + 1)
    assert (again.archives, again.rows, again.files) == ([], 0, 0)
    assert again.skipped == report.files
    assert set(errors(again)) == set(errors(report))


@pytest.mark.parametrize("case", ["bin-deep", "json-basic", "overlap"])
def test_archives_keep_every_promise_of_the_format(checkpoints_dir, tree, dst, case):
    import model

    copy_case(checkpoints_dir / case, tree)
    for a in run(tree, dst).archives:
        model.validate(a.path, sorted_by=list(COLUMNS[:6]))
        footer = model.read_metadata(a.path)
        assert footer.sorting_columns == [(name, False) for name in COLUMNS[:6]]


def test_golden_trees_in_pyarrow(checkpoints_dir, tree, dst):
    parquet = pytest.importorskip("pyarrow.parquet")
    copy_case(checkpoints_dir / "bin-deep", tree)
    [a] = run(tree, dst).archives
    assert sorted(archive_rows(a.path, reader="pyarrow")) == sorted(expected_rows(checkpoints_dir / "bin-deep"))
    schema = parquet.read_schema(a.path)
    assert [(f.name, str(f.type), f.nullable) for f in schema] == [
        (n, "string" if i < 5 else "int64" if i < 7 else "float", False) for i, n in enumerate(COLUMNS)]


# What is due

def test_the_cutoff_is_inclusive_and_newer_files_are_left_alone(tree, dst):
    for name in ("1000.json", "2000.json", "2001.json", "0.json", "0.bin", "3000.bin.tmp", "current.wal", "9.bin.tmp"):
        put(tree, f"c/h/{name}")
    report = run(tree, dst, 2000)
    assert report.ok and report.files == 2
    assert [t for _, _, t, _ in values_of(report.archives[0].path)] == [1000, 1060, 2000, 2060]
    assert found(dst) == ["c/2000.parquet", "c/2000.sources.jsonl"]


def test_a_bin_wins_over_the_json_of_the_same_number(tree, dst):
    put(tree, "c/h/1000.json", load=[1.0])
    put(tree, "c/h/1000.bin", load=[2.0])
    report = run(tree, dst)
    assert report.ok and (report.files, report.shadowed) == (1, 1)
    assert values_of(report.archives[0].path) == [("h", "load", 1000, 2.0)]
    listed = list(read_list(dst / f"c/{LATE}.sources.jsonl", "c"))
    assert [(e.name, e.shadowed_by) for e in listed] == [("1000.bin", None), ("1000.json", "1000.bin")]
    os.unlink(tree / "c/h/1000.bin")
    again = run(tree, dst, LATE + 1)
    assert again.ok and again.archives == [] and again.skipped == 1


def test_the_json_beside_an_unreadable_bin_is_not_given_away(tree, dst):
    put(tree, "c/h/1000.json", load=[1.0])
    put(tree, "c/h/1000.bin", b"damaged")
    put(tree, "c/h/2000.bin", load=[3.0])
    assert errors(run(tree, dst)).keys() == {"c/h/1000.bin"}
    os.unlink(tree / "c/h/1000.bin")
    again = run(tree, dst, LATE + 1)
    assert again.ok and values_of(again.archives[0].path) == [("h", "load", 1000, 1.0)]


def test_one_checkpoint_is_not_archived_in_two_formats(tree, dst):
    put(tree, "c/h/1000.json", load=[1.0])
    put(tree, "c/h/2000.bin", load=[1.0])
    assert run(tree, dst).ok
    put(tree, "c/h/1000.bin", load=[1.0])
    put(tree, "c/h/2000.json", load=[1.0])
    os.unlink(tree / "c/h/2000.bin")
    again = run(tree, dst, LATE + 1)
    assert errors(again) == {"c/h/1000.bin": "1000.json, the same checkpoint, is archived already; not archived twice"}
    assert again.archives == [] and again.skipped == 1


def test_clusters_are_chosen(tree, dst):
    for cluster in "abc":
        put(tree, f"{cluster}/h/1000.json")
    report = run(tree, dst, clusters=["b", "missing", "b"])
    assert [a.cluster for a in report.archives] == ["b"]
    assert errors(report) == {"missing": "no such cluster: no directory of this name in the tree"}
    assert found(dst) == [f"b/{LATE}.parquet", f"b/{LATE}.sources.jsonl"]


def test_older_than(tree, dst):
    now = int(datetime.datetime.now().timestamp())
    put(tree, f"c/h/{now - 7200}.json")
    put(tree, f"c/h/{now - 600}.json")
    report = ccpq.archive_checkpoints(tree, dst, older_than="1h30m")
    assert report.files == 1 and abs(report.cutoff - (now - 5400)) < 60
    report = ccpq.archive_checkpoints(tree, dst, older_than=datetime.timedelta(minutes=5))
    assert (report.files, report.skipped) == (1, 1)


# Nothing due, nothing there

def test_nothing_due_makes_nothing(tree, dst):
    assert run(tree, dst).ok
    put(tree, "c/h/5000.json")
    (tree / "c/empty").mkdir()
    (tree / "d").mkdir()
    report = run(tree, dst, 4999)
    assert report.ok and report.archives == [] and not dst.exists()
    assert report.summary() == "nothing to archive up to 4999"


def test_files_without_a_row_make_no_archive_and_are_read_again(tree, dst):
    put(tree, "c/h/1000.json", load=[NAN, NAN])
    put(tree, "c/h/2000.bin", load=[])
    for cutoff in (LATE, LATE + 1):
        report = run(tree, dst, cutoff)
        assert report.ok and (report.archives, report.rows, report.files) == ([], 0, 0)
        assert found(dst) == []
    put(tree, "c/h/3000.json")
    report = run(tree, dst)
    assert report.ok and (report.files, report.rows) == (3, 2)


# Earlier archives

def test_a_nightly_run_archives_only_what_is_new(tree, dst):
    rows = []
    for night in range(1, 6):
        for host in ("h1", "h2"):
            put(tree, f"c/{host}/{night * 1000}.bin", load=[float(night)])
        report = run(tree, dst, night * 1000)
        assert report.ok and (report.files, report.skipped, report.hosts) == (2, 2 * night - 2, 2)
        rows += values_of(report.archives[0].path)
    assert sorted(rows) == sorted((h, "load", n * 1000, float(n)) for h in ("h1", "h2") for n in range(1, 6))


def test_a_new_time_of_the_same_content_is_the_same_file(tree, dst):
    path = put(tree, "c/h/1000.json")
    run(tree, dst)
    os.utime(path, (1, 1))
    again = run(tree, dst, LATE + 1)
    assert again.ok and again.skipped == 1 and again.archives == []


@pytest.mark.parametrize("data", [b"x", None])
def test_other_content_under_a_listed_name_is_an_error(tree, dst, data):
    put(tree, "c/h/1000.json", load=[1.0])
    put(tree, "c/h2/1000.json", load=[1.0])
    run(tree, dst)
    put(tree, "c/h/1000.json", data, load=[2.0])
    os.utime(tree / "c/h/1000.json", (1, 1))
    put(tree, "c/h/2000.json", load=[5.0])
    again = run(tree, dst, LATE + 1)
    assert errors(again) == {"c/h/1000.json": "a file of this name but with other content is archived already; not archived twice"}
    assert [v for *_, v in values_of(again.archives[0].path)] == [5.0]


def test_an_existing_archive_is_never_overwritten(tree, dst):
    put(tree, "c/h/1000.json")
    put(tree, "d/h/1000.json")
    (dst / "c").mkdir(parents=True)
    (dst / f"c/{LATE}.parquet").write_bytes(b"old")
    report = run(tree, dst)
    assert list(errors(report)) == ["c"] and "run again with a later cutoff" in errors(report)["c"]
    assert (dst / f"c/{LATE}.parquet").read_bytes() == b"old"
    assert not (dst / f"c/{LATE}.sources.jsonl").exists()
    assert [a.cluster for a in report.archives] == ["d"]


def test_an_orphan_list_does_not_count_and_is_replaced(tree, dst):
    put(tree, "c/h/1000.json")
    run(tree, dst)
    os.unlink(dst / f"c/{LATE}.parquet")
    put(tree, "c/h/2000.json")
    report = run(tree, dst)
    assert report.ok and report.files == 2
    assert len(list(read_list(dst / f"c/{LATE}.sources.jsonl", "c"))) == 2


@pytest.mark.parametrize("damage", ["missing", "other", "inside"])
def test_an_archive_without_its_list_stops_its_cluster(tree, dst, damage):
    put(tree, "c/h/1000.json")
    put(tree, "d/h/1000.json")
    run(tree, dst, clusters=["c"])
    path = dst / f"c/{LATE}.sources.jsonl"
    if damage == "missing":
        path.unlink()
    elif damage == "other":
        path.write_bytes(b'{"files": 1, "sha256": "%s"}\n' % (b"0" * 64))
    else:
        path.write_bytes(path.read_bytes().replace(b'"1000.json"', b'"1001.json"'))
    before = found(dst)
    report = run(tree, dst, LATE + 1)
    assert list(errors(report)) == ["c"] and str(path) in errors(report)["c"]
    assert [a.cluster for a in report.archives] == ["d"]
    assert [p for p in found(dst) if p.startswith("c/")] == before
    assert run(tree, dst, LATE + 1, clusters=["c"], skip_archived=False).ok


def test_skip_archived_false_archives_again(tree, dst):
    put(tree, "c/h/1000.json")
    run(tree, dst)
    again = run(tree, dst, LATE + 1, skip_archived=False)
    assert again.ok and (again.files, again.skipped) == (1, 0)
    # Listed twice now, which is still listed.
    assert run(tree, dst, LATE + 2).skipped == 1


def test_the_list_is_published_first_and_carried(tree, dst, monkeypatch):
    put(tree, "c/h/1000.json")
    order = []
    real = _archive.Writer.close
    monkeypatch.setattr(_archive.Writer, "close", lambda w: (order.append(found(dst)), real(w))[1])
    report = run(tree, dst, metadata={"site": "test"})
    assert order == [[f"c/{LATE}.sources.jsonl"]]
    import model

    kept = model.read_metadata(report.archives[0].path).key_value_metadata
    digest = json.loads((dst / f"c/{LATE}.sources.jsonl").read_text().splitlines()[-1])["sha256"]
    assert kept == {"site": "test", "ccpq.format": "clustercockpit-metrics.v1", "ccpq.cluster": "c", "ccpq.cutoff": str(LATE),
                    "ccpq.sources.files": "1", "ccpq.sources.sha256": digest}
    assert footer_hash(report.archives[0].path) == digest


def test_the_same_tree_gives_the_same_bytes(tree, tmp_path):
    for host in ("h1", "h2"):
        put(tree, f"c/{host}/1000.bin", load=[1.0, 2.0], power=[3.5])
    made = []
    for name in ("one", "two"):
        for p in found(tree):
            os.utime(tree / p, (len(made), 7))
        made.append(Path(run(tree, tmp_path / name).archives[0].path).read_bytes())
    assert made[0] == made[1]


# Bad inputs

def test_one_bad_name_or_file_stops_nothing(tree, dst):
    good = put(tree, "c/h/1000.json")
    bad = ["c/h/copy.bin", "c/h/1e3.json", "c/h/-5.json", "c/h/007.json", "c/h/99999999999999999999.bin", "c/h/README", "c/h/.json",
           "c/h/60_1000.avro", "c/h/1000.json.gz", "c/h/1000.JSON"]
    for path in bad:
        shutil.copy(good, tree / path)
    put(tree, "c/h/2000.json", b"{")
    put(tree, "c/h/3000.bin", b"")
    (tree / "c/h/sub").mkdir()
    put(tree, "c/h2/1000.json")
    report = run(tree, dst)
    assert set(errors(report)) == {*bad, "c/h/2000.json", "c/h/3000.bin", "c/h/sub"}
    assert (report.files, report.rows, report.hosts) == (2, 4, 2)
    assert "not readable by this version" in errors(report)["c/h/60_1000.avro"]
    assert "not readable by this version" in errors(report)["c/h/sub"]
    assert "not a number" in errors(report)["c/h/copy.bin"]
    # Not due yet, so not an error yet.
    assert "c/h/60_1000.avro" not in errors(run(tree, dst, 999))


def test_places_that_are_no_directories(tree, dst, tmp_path):
    put(tree, "c/h/1000.json")
    put(tmp_path, "outside/h/1000.json")
    (tree / "file").write_bytes(b"")
    (tree / "c/file").write_bytes(b"")
    os.mkfifo(tree / "c/fifo")
    (tree / "link").symlink_to(tmp_path / "outside")
    (tree / "c/link").symlink_to(tmp_path / "outside/h")
    (tree / "c/h/2000.json").symlink_to(tmp_path / "outside/h/1000.json")
    (tree / "c/h/3000.json").mkdir()
    os.mkfifo(tree / "c/h/4000.json")
    report = run(tree, dst)
    assert report.files == 1
    assert errors(report) == {
        "file": "is a file; only directories are expected here", "c/file": "is a file; only directories are expected here",
        "c/fifo": "is neither file nor directory", "link": "is a symbolic link; links are not followed",
        "c/link": "is a symbolic link; links are not followed", "c/h/2000.json": "is a symbolic link; links are not followed",
        "c/h/3000.json": "is not a regular file", "c/h/4000.json": "is not a regular file",
    }  # fmt: skip


def test_hostile_names(tree, dst):
    put(tree, "c/h/1000.json")
    for name in (b"bad\xff", b"new\nline", b"esc\x1b[31m"):
        os.mkdir(os.path.join(os.fsencode(tree), name))
        os.mkdir(os.path.join(os.fsencode(tree), b"c", name))
        with open(os.path.join(os.fsencode(tree), b"c/h", name), "wb"):
            pass
    report = run(tree, dst)
    assert report.files == 1 and report.error_count == 9
    assert {e.file for e in report.errors} == {
        place + name for place in ("", "c/", "c/h/") for name in (r"bad\xff", r"new\nline", r"esc\x1b[31m")}
    for e in report.errors:
        assert str(e).isprintable()
        assert "UTF-8" in e.reason or "control" in e.reason
    assert found(dst) == [f"c/{LATE}.parquet", f"c/{LATE}.sources.jsonl"]


def test_names_in_all_scripts(tree, dst):
    for cluster, host in (("größe", "核1"), ("größe", "ä b"), ("größe", "z"), (" ", "'\"\\")):
        put(tree, f"{cluster}/{host}/1000.json")
    report = run(tree, dst)
    assert report.ok
    assert [a.cluster for a in report.archives] == [" ", "größe"]
    assert [r[:2] for r in archive_rows(report.archives[1].path)[::2]] == [("größe", "z"), ("größe", "ä b"), ("größe", "核1")]
    assert run(tree, dst, LATE + 1).skipped == 4


def test_bytes_behind_the_end_are_told(tree, dst, caplog):
    path = put(tree, "c/h/1000.bin")
    with open(path, "ab") as f:
        f.write(b"tail")
    with caplog.at_level(logging.WARNING, "ccpq"):
        assert run(tree, dst).ok
    assert "c/h/1000.bin: 4 bytes behind its end" in caplog.text


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_what_may_not_be_read(tree, dst):
    put(tree, "c/h/1000.json")
    put(tree, "c/h2/1000.json")
    put(tree, "d/h/1000.json")
    (tree / "c/h").chmod(0)
    (tree / "c/h2/1000.json").chmod(0)
    (tree / "d").chmod(0)
    try:
        report = run(tree, dst)
    finally:
        (tree / "c/h").chmod(0o755)
        (tree / "d").chmod(0o755)
    assert set(errors(report)) == {"c/h", "c/h2/1000.json", "d"}


def test_a_listing_that_fails_is_no_empty_list(tree, dst, monkeypatch):
    put(tree, "c/h/1000.json")
    put(tree, "c/h2/1000.json")
    put(tree, "d/h/1000.json")
    real = os.scandir

    def scandir(path):
        if str(path) in (str(tree / "c/h"), str(tree / "d")):
            raise OSError(5, "Input/output error", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    report = run(tree, dst)
    assert errors(report) == {"c/h": "cannot be listed: Input/output error", "d": "cannot be listed: Input/output error"}
    assert [(a.cluster, a.hosts) for a in report.archives] == [("c", 1)]


def test_errors_are_bounded_and_all_are_logged(tree, dst, monkeypatch, caplog):
    from ccpq import _archive_report

    monkeypatch.setattr(_archive_report, "KEPT_ERRORS", 10)
    for i in range(30):
        put(tree, f"c/h{i % 3}/x{i}.json")
    put(tree, "c/h/1000.json")
    with caplog.at_level(logging.WARNING, "ccpq"):
        report = run(tree, dst)
    assert (len(report.errors), report.error_count, report.ok) == (10, 30, False)
    assert len([r for r in caplog.records if "not archived" in r.getMessage()]) == 30
    with pytest.raises(ccpq.ArchiveError, match="30 inputs were not archived:(.|\n)*and 20 more") as e:
        report.raise_for_errors()
    assert e.value.report is report and isinstance(e.value, ccpq.Error)


# Files that change meanwhile

def changing(monkeypatch, *changes):
    """Lets merging fail as if the named files had changed between the passes; once each."""
    left = list(changes)
    real = _archive._ClusterRun.merge_host

    def merge_host(self, host, directory, names):
        rows = real(self, host, directory, names)
        for name in names:
            if f"{host}/{name}" in left:
                left.remove(f"{host}/{name}")
                raise FileChanged("the file changed while it was read", file=name)
        return rows

    monkeypatch.setattr(_archive._ClusterRun, "merge_host", merge_host)


def test_a_file_that_changes_costs_only_itself(tree, dst, monkeypatch):
    for host in ("h1", "h2", "h3"):
        for n in (1000, 2000):
            put(tree, f"c/{host}/{n}.json", load=[float(n)])
    put(tree, "c/h1/oops.json")
    changing(monkeypatch, "h2/1000.json", "h3/2000.json")
    seen = []
    report = run(tree, dst, progress=lambda done, total, what: seen.append((done, total, what)))
    assert set(errors(report)) == {"c/h1/oops.json", "c/h2/1000.json", "c/h3/2000.json"}
    assert report.error_count == 3 and errors(report)["c/h2/1000.json"] == "the file changed while it was read"
    assert (report.files, report.rows) == (4, 4)
    assert [(h, t) for h, _, t, _ in values_of(report.archives[0].path)] == [("h1", 1000), ("h1", 2000), ("h2", 2000), ("h3", 1000)]
    assert seen[-1] == (3, 3, "c/h3")
    assert found(dst) == [f"c/{LATE}.parquet", f"c/{LATE}.sources.jsonl"]
    again = run(tree, dst, LATE + 1)
    assert again.files == 2 and set(errors(again)) == {"c/h1/oops.json"}


def test_a_file_that_really_changes(tree, dst):
    import threading

    from ccpq._demo import write_tree

    shutil.rmtree(tree)
    write_tree(tree, hosts=2, clusters=["fritz"], files=2, samples=300)
    victim = found(tree)[1]
    stop = threading.Event()

    def touch():
        n = 0
        while not stop.wait(0.0005):
            n += 1
            os.utime(tree / victim, (n, n))

    thread = threading.Thread(target=touch)
    thread.start()
    try:
        report = run(tree, dst)
    finally:
        stop.set()
        thread.join()
    assert errors(report) == {victim: "the file changed while it was read"}
    assert (report.files, report.hosts) == (3, 2)
    assert run(tree, dst, LATE + 1).files == 1


def test_a_second_reading_that_fails(tree, dst, monkeypatch):
    for n in (1000, 2000):
        put(tree, f"c/h/{n}.json", load=[float(n)])
    real, failures = _archive._core.archive_host, [OSError(5, "Input/output error", "1000.json")]

    def archive_host(*args):
        result = real(*args)
        if failures:
            raise failures.pop()
        return result

    monkeypatch.setattr(_archive._core, "archive_host", archive_host)
    report = run(tree, dst)
    assert errors(report) == {"c/h/1000.json": "could not be read again: Input/output error"}
    assert report.files == 1
    failures.append(OSError(28, "No space left on device", str(dst / "c/x")))
    with pytest.raises(OSError, match="No space left"):
        run(tree, dst, LATE + 1)


def test_a_tree_that_never_rests_is_given_up(tree, dst, monkeypatch):
    monkeypatch.setattr(_archive, "MAX_ATTEMPTS", 3)
    for n in range(1, 9):
        put(tree, f"c/h/{n}.json")
    put(tree, "d/h/1.json")
    changing(monkeypatch, *[f"h/{n}.json" for n in range(2, 9)])
    report = run(tree, dst)
    assert "files changed while they were read" in errors(report)["c"]
    assert [a.cluster for a in report.archives] == ["d"]
    assert [p for p in found(dst) if p.startswith("c/")] == []


# Failing destinations, exceptions, kills

def test_exceptions_leave_nothing_of_the_cluster(tree, dst, monkeypatch):
    for cluster in "ab":
        put(tree, f"{cluster}/h1/1000.json")
        put(tree, f"{cluster}/h2/1000.json")
    real = _archive._ClusterRun.merge_host

    def merge_host(self, host, directory, names):
        if (self.cluster, host) == ("b", "h2"):
            raise KeyboardInterrupt
        return real(self, host, directory, names)

    monkeypatch.setattr(_archive._ClusterRun, "merge_host", merge_host)
    with pytest.raises(KeyboardInterrupt):
        run(tree, dst)
    assert found(dst) == [f"a/{LATE}.parquet", f"a/{LATE}.sources.jsonl"]
    monkeypatch.undo()
    report = run(tree, dst, LATE + 1)
    assert report.ok and (report.files, report.skipped) == (2, 2)


@pytest.mark.parametrize("step", ["the list", "the archive", "the archive, behind its name"])
def test_a_failing_publication_raises_and_keeps_the_rule(tree, dst, monkeypatch, step):
    from ccpq import _publish

    put(tree, "c/h/1000.json")
    real = _publish.Target.publish

    def publish(target):
        is_list = target.name.endswith(".jsonl")
        if step == "the list" and is_list or step == "the archive" and not is_list:
            target.abort()
            raise OSError(28, "No space left on device", target.name)
        real(target)
        if step == "the archive, behind its name" and not is_list:
            raise OSError(5, "its directory could not be synced", target.name)

    monkeypatch.setattr(_publish.Target, "publish", publish)
    with pytest.raises(OSError):
        run(tree, dst)
    monkeypatch.undo()
    kept = [f"c/{LATE}.parquet", f"c/{LATE}.sources.jsonl"]
    assert found(dst) == (kept if step.endswith("name") else [])
    again = run(tree, dst, LATE + 1)
    assert again.ok and again.skipped == step.endswith("name")


def test_destinations_that_cannot_be(tree, dst, tmp_path):
    put(tree, "c/h/1000.json")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileExistsError):
        run(tree, tmp_path / "file")
    with pytest.raises(NotADirectoryError):
        run(tree, tmp_path / "file/x")
    dst.mkdir()
    (dst / "c").symlink_to(tmp_path)
    assert "not a directory" in errors(run(tree, dst))["c"]
    assert not (tmp_path / f"{LATE}.parquet").exists()
    (dst / "c").unlink()
    (dst / "c").write_bytes(b"")
    assert "not a directory" in errors(run(tree, dst))["c"]


def test_two_runs_at_once(tree, dst, monkeypatch):
    put(tree, "c/h/1000.json")
    inner = []
    real = _archive._ClusterRun.merge_host

    def merge_host(self, host, directory, names):
        if not inner:
            inner.append(None)
            inner[0] = run(tree, dst, LATE + 1)
        return real(self, host, directory, names)

    monkeypatch.setattr(_archive._ClusterRun, "merge_host", merge_host)
    assert run(tree, dst).ok
    assert "another run is archiving" in errors(inner[0])["c"]
    assert found(dst) == [f"c/{LATE}.parquet", f"c/{LATE}.sources.jsonl"]


def test_a_directory_that_cannot_be_locked(tree, dst, monkeypatch, caplog):
    put(tree, "c/h/1000.json")

    def flock(fd, how):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(_archive.fcntl, "flock", flock)
    with caplog.at_level(logging.WARNING, "ccpq"):
        assert run(tree, dst).ok
    assert "cannot be locked (No locks available)" in caplog.text


def child(code, *args):
    prelude = """
        import os, resource, signal, sys
        import ccpq
        from ccpq import _archive
    """
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.run([sys.executable, "-c", textwrap.dedent(prelude) + textwrap.dedent(code), *map(str, args)],
                          capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})


@pytest.mark.parametrize("moment", ["second host", "before the list", "between list and archive"])
def test_a_killed_run_leaves_no_archive(tree, dst, moment):
    for host in ("h1", "h2"):
        put(tree, f"c/{host}/1000.json")
    done = child("""
        moment = sys.argv[3]
        kill = lambda *a, **o: os.kill(os.getpid(), signal.SIGKILL)
        real = _archive._ClusterRun.merge_host
        if moment == "second host":
            _archive._ClusterRun.merge_host = lambda self, host, *a: kill() if host == "h2" else real(self, host, *a)
        elif moment == "before the list":
            _archive._ClusterRun.publish = kill
        else:
            _archive.Writer.close = kill
        ccpq.archive_checkpoints(sys.argv[1], sys.argv[2], cutoff=4_000_000_000)
    """, tree, dst, moment)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert found(dst) == ([f"c/{LATE}.sources.jsonl"] if moment == "between list and archive" else [])
    # The list alone does not count: the next run archives everything, under this cutoff too.
    assert run(tree, dst).files == 2


def test_a_full_disk_publishes_nothing(tree, dst):
    from ccpq._demo import write_tree

    shutil.rmtree(tree)
    write_tree(tree, hosts=2, clusters=["fritz"], files=1, samples=200)
    done = child("""
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            ccpq.archive_checkpoints(sys.argv[1], sys.argv[2], cutoff=4_000_000_000)
        except OSError as e:
            print(e.errno, e.filename)
    """, tree, dst)
    assert done.stdout.startswith("27 "), done.stdout + done.stderr
    assert str(dst) in done.stdout
    assert found(dst) == []


# Arguments and report

@pytest.mark.parametrize(("options", "kind", "words"), [
    ({}, TypeError, "exactly one"), ({"cutoff": 5, "older_than": "1h"}, TypeError, "exactly one"),
    ({"cutoff": datetime.datetime(2026, 5, 1)}, ValueError, "no time zone"), ({"cutoff": 0}, ValueError, "1970"), ({"cutoff": -5}, ValueError, "1970"),
    ({"cutoff": True}, TypeError, "unix seconds"), ({"cutoff": 1.5}, TypeError, "unix seconds"), ({"cutoff": "5"}, TypeError, "unix seconds"),
    ({"older_than": "48"}, ValueError, "without a unit"), ({"older_than": 48}, TypeError, "48h"), ({"cutoff": 2**63}, ValueError, "1970"),
    ({"cutoff": 5, "clusters": "fritz"}, TypeError, r"\['fritz'\]"), ({"cutoff": 5, "clusters": ["../x"]}, ValueError, "inside the tree"),
    ({"cutoff": 5, "clusters": [".."]}, ValueError, "inside the tree"), ({"cutoff": 5, "clusters": [""]}, ValueError, "inside the tree"),
    ({"cutoff": 5, "clusters": [3]}, TypeError, "str"), ({"cutoff": 5, "clusters": ["a\0b"]}, ValueError, "inside the tree"),
    ({"cutoff": 5, "memory_limit": "32M"}, ValueError, "32MiB"), ({"cutoff": 5, "memory_limit": None}, TypeError, "unlimited"),
    ({"cutoff": 5, "row_group": "cluster"}, ValueError, "'auto' or 'host'"), ({"cutoff": 5, "include_wal": True}, ccpq.UnsupportedError, "later release"),
    ({"cutoff": 5, "frequencies": {"a": 60}}, ccpq.UnsupportedError, "later release"), ({"cutoff": 5, "on_corrupt": "resync"}, ccpq.UnsupportedError, "logs"),
    ({"cutoff": 5, "on_corrupt": "ignore"}, ValueError, "'error'"), ({"cutoff": 5, "threads": 0}, ValueError, "threads"),
    ({"cutoff": 5, "threads": 2}, ccpq.UnsupportedError, "later release"), ({"cutoff": 5, "skip_archived": "no"}, TypeError, "True or False"),
    ({"cutoff": 5, "target": "x"}, TypeError, "takes no target"), ({"cutoff": 5, "metadata": [1]}, TypeError, "mapping"),
    ({"cutoff": 5, "progress": 3}, TypeError, "callable"), ({"cutoff": 5, "overwrite": True}, TypeError, "never overwritten"),
    ({"cutoff": 5, "schema": {}}, TypeError, "one schema"), ({"cutoff": 5, "compresion": "zstd"}, TypeError, "did you mean 'compression'"),
    ({"cutoff": 5, "compression": "zstt"}, ValueError, "zstd"), ({"cutoff": 5, "durability": "x"}, ValueError, "'full', 'file', 'none'"),
    ({"cutoff": 5, "metadata": {"ccpq.cutoff": "5"}}, ValueError, "archive's own"), ({"cutoff": 5, "memory_limit": "64KiB"}, ccpq.BudgetError, "would do"),
    ({"cutoff": 5, "spill_dir": "missing"}, FileNotFoundError, "spill_dir"), ({"cutoff": 5, "metadata": {"a": 3}}, TypeError, "str"),
])  # fmt: skip
def test_bad_arguments_raise_before_anything_is_made(tree, dst, options, kind, words):
    put(tree, "c/h/3.json")
    with pytest.raises(kind, match=words):
        ccpq.archive_checkpoints(tree, dst, **options)
    assert not dst.exists()


def test_bad_trees_raise(tmp_path, tree):
    with pytest.raises(FileNotFoundError, match="no such checkpoint tree"):
        run(tmp_path / "missing", tmp_path / "d")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        run(tmp_path / "file", tmp_path / "d")
    for inside in (tree, tree / "archive"):
        with pytest.raises(ValueError, match="inside the checkpoint tree"):
            run(tree, inside)
    assert os.listdir(tree) == []


def test_aware_datetimes(tree, dst):
    put(tree, "c/h/7200.json")
    zone = datetime.timezone(datetime.timedelta(hours=1))
    report = run(tree, dst, datetime.datetime(1970, 1, 1, 3, 0, 0, 900_000, tzinfo=zone))
    assert report.cutoff == 7200 and report.files == 1


def test_a_budget_too_small_names_what_would_do(tree, dst):
    put(tree, "c/h/1000.json")
    with pytest.raises(ccpq.BudgetError) as e:
        run(tree, dst, memory_limit="1MiB")
    assert run(tree, dst, memory_limit=e.value.needed).ok
    with pytest.raises(ccpq.BudgetError):
        run(tree, dst, memory_limit=e.value.needed - 1)


def test_row_groups(tree, dst, monkeypatch):
    import model

    for i in range(6):
        put(tree, f"c/h{i}/1000.json", load=[1.0] * 10)
    [a] = run(tree, dst, row_group="host").archives
    assert len(model.read_metadata(a.path).row_groups) == 6
    monkeypatch.setattr(_archive, "GROUP_ROWS", 25)
    [a] = run(tree, dst, LATE + 1, skip_archived=False).archives
    assert len(model.read_metadata(a.path).row_groups) == 2


def test_progress(tree, dst, capfd):
    for host in ("a/h1", "a/h2", "b/h1"):
        put(tree, f"{host}/1000.json")
    seen = []
    run(tree, dst, progress=lambda *step: seen.append(step))
    assert seen == [(1, 3, "a/h1"), (2, 3, "a/h2"), (3, 3, "b/h1")]
    pytest.importorskip("tqdm")
    run(tree, dst, LATE + 1, progress=True)
    assert capfd.readouterr() == ("", "")
    run(tree, dst, LATE + 2, progress="tqdm")
    out, err = capfd.readouterr()
    assert out == "" and "0/3" in err


def test_report(tree, dst):
    put(tree, "c/h/1000.json")
    put(tree, "c/h/x.json")
    report = run(tree, dst)
    size = os.stat(dst / f"c/{LATE}.parquet").st_size
    assert json.loads(json.dumps(report.to_dict())) == {
        "ok": False, "cutoff": LATE, "hosts": 1, "files": 1, "skipped": 0, "shadowed": 0, "rows": 2, "bytes": size,
        "input_bytes": os.stat(tree / "c/h/1000.json").st_size, "seconds": round(report.seconds, 3),
        "peak_memory": report.peak_memory, "memory_limit": 32 << 20, "error_count": 1,
        "archives": [{"cluster": "c", "path": str(dst / f"c/{LATE}.parquet"), "rows": 2, "hosts": 1, "files": 1, "bytes": size}],
        "errors": [{"file": "c/h/x.json", "offset": None, "reason": "the name is not a number (unix seconds)"}],
    }  # fmt: skip
    assert repr(report).startswith("<ccpq.ArchiveReport 1 error: 2 rows of 1 file, 1 archive, ")
    assert all(len(line) <= 80 for line in str(report).splitlines()), str(report)
    assert 0 < report.peak_memory <= 32 << 20 and report.seconds > 0
    assert str(report.errors[0]) == "c/h/x.json: the name is not a number (unix seconds)"
    os.unlink(tree / "c/h/x.json")
    run(tree, dst, LATE + 1).raise_for_errors()


def test_the_library_prints_nothing(tree, dst, capfd):
    put(tree, "c/h/1000.json")
    put(tree, "c/h/x.json")
    run(tree, dst)
    assert capfd.readouterr() == ("", "")


def test_descriptors_are_given_back(tree, dst, monkeypatch):
    for host in ("h1", "h2"):
        put(tree, f"c/{host}/1000.json")
    before = os.listdir("/proc/self/fd")
    run(tree, dst)
    run(tree, dst)
    changing(monkeypatch, "h2/1000.json")
    run(tree, dst, LATE + 1, skip_archived=False)
    assert len(os.listdir("/proc/self/fd")) == len(before)


@pytest.mark.memory
def test_memory_does_not_grow_with_hosts(tmp_path):
    from ccpq._demo import write_tree
    from ccpq.testing import peak_memory

    write_tree(tmp_path / "src", hosts=12, clusters=["fritz"], files=2, samples=60)
    run(tmp_path / "src", tmp_path / "warm", memory_limit="8MiB")
    with peak_memory() as m:
        report = run(tmp_path / "src", tmp_path / "dst", memory_limit="8MiB")
    assert report.ok and report.rows > 600_000
    assert report.peak_memory <= 8 << 20
    if m.exact:
        assert m.rss_growth <= 12 << 20
