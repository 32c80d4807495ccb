"""What is written is what is read: any schema, any options, any way of calling, by the oracle and by three other readers.

CCPQ_EXAMPLES=20 multiplies the number of examples for a long run. Every file goes through the strict validator.
"""

import io
import os
import random

import ccpq
import model
import pytest

pytest.importorskip("hypothesis")
pytest.importorskip("numpy")
pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")
pytest.importorskip("polars")

import value_cases as vc  # noqa: E402
from hypothesis import HealthCheck, event, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from value_readers import OPS, check, check_filter  # noqa: E402

TIMES = float(os.environ.get("CCPQ_EXAMPLES", "1"))


def examples(n):
    return settings(max_examples=max(1, round(n * TIMES)), suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("values")


def in_groups(rows, cuts):
    """`rows` in segments: cuts are (share of the rest in percent, kind of the segment)."""
    segments, at = [], 0
    for share, kind in cuts:
        n = (len(rows) - at) * share // 100
        if kind == "flush":
            segments.append(None)
        else:
            segments.append((kind, rows[at : at + n]))
            at += n
    return [*segments, ("open", rows[at:])]


CUTS = st.lists(st.tuples(st.integers(0, 100), st.sampled_from(("open", "group", "flush"))), max_size=4)
COUNTS = st.integers(0, 30) | st.sampled_from((100, 257, 700, 1500))


def as_segments(columns, segments, rng=None):
    """Segments of stored rows as a writer takes them."""
    return [s and (s[0], vc.as_rows(columns, list(zip(*s[1])), rng)) for s in segments]


@examples(220)
@given(columns=vc.columns(), n=COUNTS, cuts=CUTS, data=st.data(), memory=st.sampled_from((1, 1.3, 3, 20)),
       keys=st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=3, unique_by=lambda k: k[0]),
       seed=st.integers(0, 999), where=st.sampled_from(("path", "file", "sink")))  # fmt: skip
def test_any_file(folder, columns, n, cuts, data, memory, keys, seed, where):
    schema, options = {c.name: c.type for c in columns}, data.draw(vc.options(columns))
    rows = list(zip(*(c.stored(n) for c in columns)))
    keys = [(i, d) for i, d in keys if i < len(columns)]
    sorting = [(columns[i].name, "descending" if d else "ascending") for i, d in keys]
    if keys:
        rows = vc.sort_rows(rows, keys)
        options["sorting_columns"] = sorting
    limit = int(vc.least_limit(schema, **options) * memory)
    segments = in_groups(rows, cuts)

    path = folder / "simple.parquet"
    report = vc.write_simply(path, schema, as_segments(columns, segments), overwrite=True, memory_limit=limit, **options)
    summary = check(path, columns, list(zip(*rows)) or [()] * len(columns), sorted_by=sorting, profile=options["profile"])
    assert (report.rows, report.row_groups, report.bytes) == (summary.rows, summary.row_groups, summary.file_bytes)
    assert report.peak_memory <= limit
    if "metadata" in options:
        pairs = {p.key: p.value for p in model.read_metadata(path).footer.key_value_metadata or []}
        assert pairs.items() >= options["metadata"].items()

    # The same rows in the same groups: the same bytes, by any way and to any target, with more memory for parked pages too.
    budget = ccpq.MemoryBudget(limit * 4).share(limit)
    other = {"path": folder / "odd.parquet", "file": io.BytesIO(), "sink": vc.Sink()}[where]
    more = {"overwrite": True, "durability": "none"} if where == "path" else {}
    segments = as_segments(columns, segments, random.Random(seed))
    odd = vc.write_oddly(other, schema, segments, seed, memory_limit=budget, **options, **more)
    got = other.read_bytes() if where == "path" else other.getvalue() if where == "file" else b"".join(other.parts)
    assert got == path.read_bytes()
    event(f"spilled: {report.spilled_bytes > 0}, with room: {odd.spilled_bytes > 0}")
    event(f"groups: {min(summary.row_groups, 5)}")
    event(options["profile"])


@examples(200)
@given(columns=vc.columns(most=2), n=COUNTS, data=st.data())
def test_filters_find_every_row(folder, columns, n, data):
    schema, options = {c.name: c.type for c in columns}, data.draw(vc.options(columns))
    stored = [c.stored(n) for c in columns]
    path = folder / "filtered.parquet"
    vc.write_simply(path, schema, [("open", vc.as_rows(columns, stored))], overwrite=True, **options)
    for c, values in zip(columns, stored):
        there = [v for v in values if v is not None]
        known = [st.sampled_from(there)] if there else []
        value = data.draw(st.one_of(*known, st.sampled_from(vc.extremes(c.kind)), vc.of_type(c.kind)))
        op = data.draw(st.sampled_from(("=", "!=") if c.kind == "bool" else tuple(OPS)))
        check_filter(path, c.name, c.kind, values, op, value)
