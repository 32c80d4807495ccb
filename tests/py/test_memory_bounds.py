"""The first promise: memory grows by at most the limit and 4 MiB, and twenty times the input adds at most 1 MiB.

Every job of memory_cases.py runs twice, in a process of its own each, and the kernel's figures are judged. The table of all
figures is printed behind the last test of the run. The bounds hold for ordinary builds; a sanitizer's shadow is no subject.
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
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
# Hosts, samples and files of the small tree. A group of rows ends at the border of a host behind 524,288 rows, so only
# hosts of a million rows fill one; that is why the rows of both trees are multiplied by hosts.
ARCHIVES = {"archive_rows": (1, 1060, 2), "archive_hosts": (52, 42, 1)}

NEEDS = {"numpy_columns": ("numpy",), "arrow_stream": ("pyarrow",), "arrow_batch": ("pyarrow",)}


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


def measure(name, units, *folder):
    import ccpq

    # The process tests the very build that this one has.
    env = dict(os.environ, PYTHONPATH=str(Path(ccpq.__file__).resolve().parents[1]))
    done = subprocess.run([sys.executable, memory_cases.__file__, name, str(units), *map(str, folder)],
                          env=env, capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def measure_both(*calls):
    """Both sizes at once: memory of one process is not the other's."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda call: measure(*call), calls))


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
    for module in NEEDS.get(name, ()):
        pytest.importorskip(module)
    once = CASES[name].once
    judge(name, *measure_both((name, once), (name, once * TIMES)), table)


def test_the_measure_sees_what_is_not_counted():
    found = measure("not_counted", 1)
    assert found["growth"] > 39 * MIB > found["core_peak"]


@pytest.mark.parametrize("name", list(ARCHIVES))
def test_bound_of_an_archive(name, table, tmp_path):
    from ccpq._demo import write_tree

    hosts, samples, files = ARCHIVES[name]
    write_tree(tmp_path / "warm" / "tree", hosts=1, clusters=["fritz"], samples=10)
    made = []
    for times in (1, TIMES):
        folder = tmp_path / f"{times}x"
        tree = write_tree(folder / "tree", clusters=["fritz"], hosts=hosts * times, samples=samples, files=files)
        made.append((folder, tree))
    small, large = measure_both(*((name, times, folder) for times, (folder, _) in zip((1, TIMES), made)))
    large["units"] = large["rows"]
    for found, (_, tree) in zip((small, large), made):
        assert 0 < found["rows"] <= tree.samples
    judge(name, small, large, table)
