"""Runs every script of examples/ as a user would; a new one without a test of its own fails here."""

import os
import subprocess
import sys

import pytest
from checkpoint_trees import put
from conftest import ROOT

EXAMPLES = ROOT / "examples"
RUN = {"groups_from_generator.py", "nightly_archive.py", "memory_in_a_test.py"}


def run(*args):
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.run([sys.executable, *map(str, args)], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})


def test_every_example_is_run():
    assert {p.name for p in EXAMPLES.glob("*.py")} == RUN


def test_groups_from_generator(tmp_path):
    import model

    done = run(EXAMPLES / "groups_from_generator.py", tmp_path / "out.parquet", "9")
    assert done.returncode == 0, done.stderr
    assert "left out: h0007: the sensor does not answer" in done.stdout
    footer = model.read_metadata(tmp_path / "out.parquet")
    assert (footer.num_rows, len(footer.row_groups)) == (8 * 1440, 8)


def test_nightly_archive(tmp_path):
    put(tmp_path, "src/c/h/1000.json")
    done = run(EXAMPLES / "nightly_archive.py", tmp_path / "src", tmp_path / "dst")
    assert done.returncode == 0, done.stderr
    assert "2 rows of 1 hosts" in done.stdout and "INFO ccpq.publish: published" in done.stderr
    put(tmp_path, "src/c/h/x.json")
    done = run(EXAMPLES / "nightly_archive.py", tmp_path / "src", tmp_path / "dst")
    assert done.returncode == 4 and "c/h/x.json" in done.stderr
    (tmp_path / "file").write_bytes(b"")
    put(tmp_path, "src/c/h/2000.json")
    done = run(EXAMPLES / "nightly_archive.py", tmp_path / "src", tmp_path / "file/x")
    assert done.returncode == 1 and "the archive failed" in done.stderr


@pytest.mark.memory
def test_memory_in_a_test(tmp_path):
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", tmp_path, EXAMPLES / "memory_in_a_test.py")
    assert done.returncode == 0, done.stdout
