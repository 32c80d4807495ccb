"""The first promise: memory grows by at most the limit and 4 MiB, and twenty times the input adds at most 1 MiB.

Every job of memory_cases.py runs twice, in a process of its own each, and the kernel's figures are judged. The table of all
figures is printed behind the last test of the run. The bounds hold for ordinary builds; a sanitizer's shadow is no subject.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import memory_cases
import pytest
from memory_cases import CASES, MIB

pytestmark = [
    pytest.mark.memory,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="needs a high-water mark that can be reset"),
]

TIMES = 20
SLACK = 4 * MIB
MORE = 1 * MIB
ARCHIVES = {"archive_rows": (16, 40, 2), "archive_hosts": (1024, 20, 1)}  # hosts, samples of the 20th part, files


class Figures:
    """The table at the end of the run."""

    def __init__(self):
        self.lines = []

    def pytest_terminal_summary(self, terminalreporter):
        if not self.lines:
            return
        terminalreporter.section("memory: growth of the process in MiB, and what the core says")
        head = ("job", "limit", "units", "1x", f"{TIMES}x", "core", "written", "spilled", "groups", "seconds")
        rows = [head, *self.lines]
        widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
        for row in rows:
            terminalreporter.write_line("  ".join(
                x.ljust(w) if i in (0, 2) else x.rjust(w) for i, (x, w) in enumerate(zip(row, widths))).rstrip())


@pytest.fixture(scope="module")
def table(request):
    plugin = Figures()
    request.config.pluginmanager.register(plugin)
    return plugin.lines


def start(name, units, *folder):
    import ccpq

    # The process tests the very build that this one has.
    env = dict(os.environ, PYTHONPATH=str(Path(ccpq.__file__).resolve().parents[1]))
    return subprocess.Popen([sys.executable, memory_cases.__file__, name, str(units), *map(str, folder)],
                            env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip


def finish(process):
    out, err = process.communicate()
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def judge(name, small, large, table):
    mib = lambda n: f"{n / MIB:.1f}"  # noqa: E731
    table.append((
        name, mib(large["limit"]), f"{large.get('units', CASES[name].once * TIMES):,} {CASES[name].what}", mib(small["growth"]),
        mib(large["growth"]), mib(large["core_peak"]), mib(large["bytes"]), mib(large["spilled"]), f"{large['groups']:,}",
        f"{large['seconds']:.1f}",
    ))  # fmt: skip
    for found in (small, large):
        assert found["core_peak"] <= found["limit"]
        assert found["growth"] <= found["limit"] + SLACK
    assert large["growth"] - small["growth"] <= MORE


@pytest.mark.parametrize("name", [name for name in CASES if name not in {*ARCHIVES, "not_counted"}])
def test_bound(name, table):
    """Both sizes at once: memory of one process is not the other's."""
    once = CASES[name].once
    processes = [start(name, once), start(name, once * TIMES)]
    judge(name, *map(finish, processes), table)


def test_the_measure_sees_what_is_not_counted():
    found = finish(start("not_counted", 1))
    assert found["growth"] > 39 * MIB > found["core_peak"]


@pytest.mark.parametrize("name", list(ARCHIVES))
def test_bound_of_an_archive(name, table, tmp_path):
    from ccpq import _core
    from ccpq._demo import write_tree

    if not hasattr(_core, "archive_host"):
        pytest.skip("this build reads no checkpoints")
    hosts, samples, files = ARCHIVES[name]
    by_hosts = name == "archive_hosts"
    write_tree(tmp_path / "warm" / "tree", hosts=1, clusters=["fritz"], samples=10)
    made = []
    for times in (1, TIMES):
        folder = tmp_path / f"{times}x"
        tree = write_tree(folder / "tree", clusters=["fritz"], files=files, hosts=hosts * times // TIMES if by_hosts else hosts,
                          samples=samples * 2 if by_hosts else samples * times)  # fmt: skip
        made.append((folder, tree))
    small, large = map(finish, [start(name, times, folder) for times, (folder, _) in zip((1, TIMES), made)])
    large["units"] = large["rows"]
    for found, (_, tree) in zip((small, large), made):
        assert 0 < found["rows"] <= tree.samples
    judge(name, small, large, table)
