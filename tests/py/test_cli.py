"""The command line: exit codes, what goes to stdout and stderr, JSON for programs, tables of 80 columns, usage errors."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from checkpoint_trees import found, put

import ccpq

pytest.importorskip("click")

from ccpq import _cli  # noqa: E402

LATE = "4000000000"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path, "src/c/h/1000.json")
    put(tmp_path, "src/d/h/1000.bin")
    return tmp_path


@pytest.fixture
def ccpq_(capfd):
    """Runs the command in this process: exit code, stdout, stderr."""
    def call(*args):
        code = _cli.run([str(a) for a in args])
        out, err = capfd.readouterr()
        assert all(len(line) <= 80 for line in out.splitlines() if not line.startswith("{")), out
        return code, out, err

    return call


def spawn(*args, **options):
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.Popen([sys.executable, "-m", "ccpq", *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, env={**os.environ, "PYTHONPATH": path}, **options)


def test_archive(tree, ccpq_):
    code, out, err = ccpq_("archive", "src", "dst", "--cutoff", LATE)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("4 rows, ") and "of 32 MiB" in lines[0]
    assert [line.split()[0] for line in lines[1:]] == ["cluster", "c", "d"]
    assert found("dst") == [f"{c}/{LATE}{s}" for c in "cd" for s in (".parquet", ".sources.jsonl")]
    assert ccpq_("archive", "src", "dst", "--older-than", "0s") [1].endswith("2 files archived before\n")


def test_json_is_for_programs(tree, ccpq_):
    put(tree, "src/c/h/x.json")
    code, out, err = ccpq_("archive", "src", "dst", "--older-than", "48h", "--json", "--cluster", "c", "--row-group", "host")
    report = json.loads(out)
    assert code == 4
    assert (report["rows"], report["ok"], report["error_count"]) == (2, False, 1)
    assert report["errors"] == [{"file": "c/h/x.json", "offset": None, "reason": "the name is not a number (unix seconds)"}]
    assert "c/h/x.json" in err


def test_every_unreadable_input_is_named_on_stderr(tree, ccpq_, monkeypatch):
    from ccpq import _archive_report

    monkeypatch.setattr(_archive_report, "KEPT_ERRORS", 5)
    names = [f"c/h/x{i}.json" for i in range(20)]
    for name in names:
        put(tree, f"src/{name}")
    code, out, err = ccpq_("archive", "src", "dst", "--cutoff", LATE, "--quiet")
    assert (code, out) == (4, "")
    assert all(f"not archived: {name}: " in err for name in names)
    assert "20 inputs were not archived" in err.splitlines()[-1]
    assert len(found("dst")) == 4


def test_options_reach_the_archive(tree, ccpq_):
    import model

    code, _, err = ccpq_("archive", "src", "dst", "--cutoff", "1970-01-01T00:16:40Z", "--compression", "snappy", "--memory-limit", "16MiB",
                         "--durability", "none", "--spill-dir", tree)
    assert (code, err) == (0, "")
    footer = model.read_metadata(tree / "dst/c/1000.parquet")
    assert footer.chunk(0, 0).codec == 1
    code, out, _ = ccpq_("archive", "src", "other", "--cutoff", LATE, "--compression-level", "9", "--json")
    assert code == 0 and json.loads(out)["memory_limit"] == 32 << 20


@pytest.mark.parametrize(("args", "words"), [
    (["archive", "src"], "DST"), (["archive", "src", "dst"], "--older-than"), (["archive", "src", "dst", "--older-than", "48h", "--cutoff", "5"], "exactly one"),
    (["archive", "missing", "dst", "--cutoff", "5"], "missing"), (["archive", "src", "dst", "--older-than", "48"], "48h"),
    (["archive", "src", "dst", "--cutoff", "2026-05-01T00:00:00"], "no time zone"), (["archive", "src", "dst", "--cutoff", "soon"], "unix seconds"),
    (["archive", "src", "dst", "--cutoff", "5", "--memory-limit", "32M"], "32MiB"), (["archive", "src", "dst", "--cutoff", "5", "--memory-limit", "1MiB"], "would do"),
    (["archive", "src", "dst", "--cutoff", "5", "--compression", "zstt"], "zstd"), (["archive", "src", "dst", "--cutoff", "5", "--cluster", "../x"], "inside the tree"),
    (["archive", "src", "dst", "--cutoff", "5", "--row-group", "x"], "auto"), (["archive", "src", "src/x", "--cutoff", "5"], "inside the checkpoint tree"),
    (["archive", "src", "dst", "--cutoff", "0"], "1970"), (["archive", "src", "dst", "--cutoff", "5", "--wat"], "--wat"), (["wat"], "wat"),
    (["demo-data", "x", "--hosts", "0"], "hosts"), (["demo-data", "x", "--format", "avro"], "avro"), (["demo-data", "x", "--clusters", "a/b"], "names"),
    (["demo-data", "x", "--clusters", ","], "names"),
])  # fmt: skip
def test_usage_errors(tree, ccpq_, args, words):
    before = found(tree)
    code, out, err = ccpq_(*args)
    assert (code, out) == (2, "")
    assert words in err and "Traceback" not in err
    assert found(tree) == before


def test_a_failing_destination(tree, ccpq_):
    (tree / "file").write_bytes(b"")
    code, out, err = ccpq_("archive", "src", "file/x", "--cutoff", LATE)
    assert (code, out) == (1, "")
    assert err.startswith("ccpq: file/x: Not a directory")


def test_nothing_due(tree, ccpq_):
    assert ccpq_("archive", "src", "dst", "--cutoff", "5") == (0, "nothing to archive up to 5\n", "")


def test_demo_data_and_back(tree, ccpq_):
    code, out, err = ccpq_("demo-data", "demo", "--hosts", "2", "--samples", "5", "--clusters", "alex", "--format", "both")
    assert (code, err) == (0, "")
    assert out.startswith("demo: 2 hosts, 4 files, ")
    code, out, _ = ccpq_("demo-data", "demo", "--hosts", "1", "--samples", "5", "--clusters", "fritz", "--json", "--seed", "3")
    made = json.loads(out)
    assert (made["hosts"], made["files"]) == (1, 2)
    code, out, err = ccpq_("archive", "demo", "dst", "--older-than", "0s", "--json")
    assert (code, err) == (0, "") and json.loads(out)["hosts"] == 3
    code, out, err = ccpq_("demo-data", "demo", "--clusters", "alex")
    assert code == 1 and "demo/alex: exists; give" in err
    assert ccpq_("demo-data", "more", "--hosts", "1", "--files", "1", "--samples", "1", "--quiet")[:2] == (0, "")


def test_version_and_help(ccpq_):
    assert ccpq_("--version") == (0, f"ccpq {ccpq.__version__}\n", "")
    for args in (["--help"], ["archive", "-h"], ["demo-data", "--help"]):
        code, out, err = ccpq_(*args)
        assert code == 0 and out.startswith("Usage: ccpq") and err == ""
    assert "Exit code 4" in " ".join(ccpq_("archive", "--help")[1].split())


def test_a_process(tree):
    done = spawn("archive", "src", "dst", "--cutoff", LATE)
    out, err = done.communicate()
    assert (done.returncode, err) == (0, "") and out.startswith("4 rows")


def test_an_interrupt_is_130_and_publishes_nothing(tree):
    from ccpq._demo import write_tree

    write_tree(tree / "big", hosts=24, clusters=["fritz"], files=2, samples=100)
    process = spawn("archive", "big", "dst", "--cutoff", LATE)
    # The directory is made when the first host is due, which is when there is something to interrupt.
    while not os.path.isdir("dst/fritz") and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    if process.returncode == 0:
        pytest.skip("the job was faster than the signal")
    assert (process.returncode, out) == (130, "")
    assert err.strip() == "ccpq: interrupted; what was not finished is not published"
    assert found("dst") == []


def test_a_reader_that_goes_away(tree):
    process = spawn("archive", "--help")
    process.stdout.close()
    process.wait()
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


def test_without_click(tmp_path):
    code = "import sys; sys.modules['click'] = None; import runpy; runpy.run_module('ccpq', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
    assert done.returncode == 1 and "install python3-click" in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.parametrize("bad_input", [False, True])
def test_a_report_that_cannot_be_printed(tree, form, bad_input):
    """The archive is published: its exit code stays, and stderr says what is missing."""
    if bad_input:
        put(tree, "src/c/h/x.json")
    with open("/dev/full", "wb", buffering=0) as full:
        done = subprocess.run([sys.executable, "-m", "ccpq", "archive", "src", "dst", "--cutoff", LATE, *form], stdout=full,
                              stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})  # fmt: skip
    assert done.returncode == (4 if bad_input else 0)
    assert "ccpq: the work is done, but its report could not be printed: No space left on device" in done.stderr.splitlines()
    assert len(found("dst")) == 4


def test_a_report_that_nobody_reads(tree):
    process = spawn("archive", "src", "dst", "--cutoff", LATE)
    process.stdout.close()
    assert process.wait() == 0 and process.stderr.read() == ""
    process.stderr.close()
    assert len(found("dst")) == 4
