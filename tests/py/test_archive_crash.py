"""The archive job killed, and failed, at every system call that changes the destination.

Whatever the moment: no archive that is not whole, and the next run makes up for it, so that all archives together hold each
row exactly once.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter

import pytest
from checkpoint_trees import archive_rows, found, put

import ccpq

CALLS = "write,pwrite64,fsync,linkat,rename,renameat,renameat2,unlinkat,unlink,mkdir,flock"
CODE = "import sys, ccpq; ccpq.archive_checkpoints(sys.argv[1], sys.argv[2], cutoff=10_000, durability='full')"


def traced(tree, dst, *strace):
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(["strace", "-f", "-qq", "-o", "/dev/stdout", "-e", f"trace={CALLS}", *strace, sys.executable, "-c", CODE, tree, dst],
                          capture_output=True, text=True, errors="replace",
                          env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"})


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("crash") / "src"
    for host in ("h1", "h2"):
        for n in (1000, 2000):
            put(root, f"c/{host}/{n}.bin", load=[1.0, 2.0])
    return root


@pytest.fixture(scope="module")
def calls(tree, tmp_path_factory):
    """(name, number among the calls of this name) of each call of an undisturbed run; skips where tracing is impossible."""
    if not shutil.which("strace"):
        pytest.skip("no strace")
    done = traced(tree, tmp_path_factory.mktemp("count") / "dst")
    if done.returncode != 0:
        pytest.skip(f"strace does not work here: {done.stderr[-200:]}")
    seen, out = Counter(), []
    for name in re.findall(rf"^\d*\s*({CALLS.replace(',', '|')})\(", done.stdout, re.M):
        seen[name] += 1
        out.append((name, seen[name]))
    assert len(out) >= 10
    return out


def check(tree, dst):
    """The rule, after whatever happened; returns the rows that were there before the next run."""
    left = found(dst) if dst.exists() else []
    assert {os.path.basename(p) for p in left} <= {"10000.parquet", "10000.sources.jsonl"}, left
    before = archive_rows(*[dst / p for p in left if p.endswith(".parquet")])
    again = ccpq.archive_checkpoints(tree, dst, cutoff=20_000, durability="none")
    assert again.ok, again.errors
    rows = archive_rows(*[dst / p for p in found(dst) if p.endswith(".parquet")])
    assert len(rows) == len(set(rows)) == 8
    assert len(before) in (0, 8)
    return before


def test_killed_at_every_call(tree, calls, tmp_path):
    states = []
    for name, n in calls:
        dst = tmp_path / f"{name}{n}"
        done = traced(tree, dst, "-e", f"inject={name}:signal=KILL:when={n}")
        assert done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), (name, n, done.returncode, done.stdout)
        states.append(len(check(tree, dst)))
    # Both sides of the one moment that counts were met.
    assert set(states) == {0, 8}


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_failed_at_every_call(tree, calls, tmp_path, error):
    for name, n in calls:
        dst = tmp_path / f"{name}{n}"
        done = traced(tree, dst, "-e", f"inject={name}:error={error}:when={n}")
        assert done.returncode == 1 and "OSError" in done.stderr and str(dst) in done.stderr, (name, n, done.stderr)
        # Only the last step, syncing the directory, fails behind the name.
        assert len(check(tree, dst)) == (8 if (name, n) == calls[-1] else 0), (name, n)
