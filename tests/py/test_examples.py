"""Runs every script of examples/ as a user would; a new one without a test of its own fails here."""

import os
import subprocess
import sys
from datetime import datetime, timezone
from decimal import Decimal

import pytest
from checkpoint_trees import put
from conftest import ROOT

EXAMPLES = ROOT / "examples"
UTC = timezone.utc
# Recipes that write one file: script, arguments behind the target, modules it needs, rows, and a row that must be there.
RECIPES = {
    "sqlite_group_by_group.py": ((), (), 4000, {"device": "sensor 0", "time": datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), "celsius": None}),
    "csv_to_parquet.py": ((), (), 2, {"job": 4711, "user": "ada", "start": datetime(2024, 3, 1, 10, tzinfo=UTC), "nodes": 4, "cost": Decimal("12.50")}),
    "dataclass_events.py": (("1000",), (), 1000, {"at": datetime(2024, 1, 1, tzinfo=UTC), "kind": "view", "price": Decimal("0.00"), "ratio": None, "details": None}),
    "numpy_columns.py": (("3",), ("numpy",), 3 * 4096, {"run": "channel-7", "step": 0, "cell": 0, "time": datetime(2024, 1, 1, tzinfo=UTC)}),
    "pandas_frames.py": (("2",), ("pandas",), 40_000, {"at": datetime(2024, 1, 1, tzinfo=UTC)}),
    "polars_frames.py": ((), ("polars",), 200_000, {"host": "f0", "at": datetime(2024, 1, 1, tzinfo=UTC), "load": 0.0, "job": None}),
    "duckdb_query.py": ((), ("duckdb",), 300_000, {"host": "f0", "at": datetime(2024, 1, 1), "load": 0.0, "cost": Decimal("0.00")}),
    "asyncio_producer.py": (("700",), (), 2100, {"sensor": "sensor 0", "reading": 0}),
}  # fmt: skip
RUN = {"groups_from_generator.py", "nightly_archive.py", "memory_in_a_test.py", "one_file_per_day.py", *RECIPES}


def run(*args, cwd=None):
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.run([sys.executable, *map(str, args)], capture_output=True, text=True, cwd=cwd, env={**os.environ, "PYTHONPATH": path})


def test_every_example_is_run():
    assert {p.name for p in EXAMPLES.glob("*.py")} == RUN


@pytest.mark.parametrize("name", RECIPES)
def test_recipe(tmp_path, name):
    pq = pytest.importorskip("pyarrow.parquet")
    import model

    args, needs, rows, first = RECIPES[name]
    for module in needs:
        pytest.importorskip(module)
    target = tmp_path / "out.parquet"
    source = {"sqlite_group_by_group.py": ["measurements.db"], "csv_to_parquet.py": ["jobs.csv"]}.get(name, [])
    if source:  # without arguments it makes a source to try itself with
        assert run(EXAMPLES / name, cwd=tmp_path).returncode == 0
    done = run(EXAMPLES / name, *source, target, *args, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{rows:,} rows" in done.stdout
    assert model.validate(target).rows == rows
    table = pq.read_table(target)
    assert table.num_rows == rows
    assert any(row.items() >= first.items() for row in table.slice(0, 3000).to_pylist())


def test_csv_to_parquet_tells_what_it_leaves_out(tmp_path):
    done = run(EXAMPLES / "csv_to_parquet.py", cwd=tmp_path)
    assert "left out: row 1 of this call" in done.stderr and "'many'" in done.stderr


def test_one_file_per_day(tmp_path):
    import model

    done = run(EXAMPLES / "one_file_per_day.py", tmp_path / "days", "20000")
    assert done.returncode == 0, done.stderr
    files = sorted((tmp_path / "days").iterdir())
    assert len(files) >= 14
    assert sum(model.read_metadata(f).num_rows for f in files) == 20_000
    assert "budget: at most" in done.stdout


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
