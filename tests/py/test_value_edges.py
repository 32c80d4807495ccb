"""Values and shapes at which writers break, each by itself: extremes, nulls, page and group borders, full dictionaries,
columns that change their nature, spilled pages, NaN and signed zeros under filters.

The same readers and the same strict validator as in test_values.py, which looks for what nobody thought of.
"""

import io
import itertools
import math
import random

import ccpq
import model
import pytest

for _peer in ("hypothesis", "numpy", "pyarrow", "duckdb", "polars"):
    pytest.importorskip(_peer)

import value_cases as vc  # noqa: E402
from checkpoint_trees import bin_bytes, put  # noqa: E402
import value_readers as vr  # noqa: E402
from value_readers import COUNTERS, check_filter  # noqa: E402


def column(name, kind, optional=False):
    return vc.Column(name, kind, optional, "pool", "none", (), 0)


def write(path, columns, rows, **options):
    """Rows of stored values."""
    rows = vc.as_rows(columns, list(zip(*rows)))
    return vc.write_simply(path, {c.name: c.type for c in columns}, [("open", rows)], **options)


def check(path, columns, rows, **options):
    return vr.check(path, columns, list(zip(*rows)) or [()] * len(columns), **options)


@pytest.mark.parametrize("codec", ["zstd", "snappy", "none"])
@pytest.mark.parametrize("kind", vc.TYPES)
def test_extremes(tmp_path, kind, codec):
    values = vc.extremes(kind)
    rows = [(v, None if i % 3 == 0 else v) for i, v in enumerate(values * 3)]
    columns = [column("r", kind), column("o", kind, True)]
    write(tmp_path / "x", columns, rows, compression=codec)
    check(tmp_path / "x", columns, rows)
    for i, value in enumerate(values if codec == "zstd" else []):
        check_filter(tmp_path / "x", "o", kind, [r[1] for r in rows], "=" if kind == "bool" else ("=", "<", ">=")[i % 3], value)


def test_each_extreme_alone_in_its_group(tmp_path):
    """Its bounds are the value itself: what is not exact in them is seen here."""
    for kind in vc.TYPES:
        values = vc.extremes(kind)
        columns, rows, path = [column("v", kind)], [(v,) for v in values], tmp_path / f"{vc.TYPES.index(kind)}"
        write(path, columns, rows, row_group_size=1)
        assert check(path, columns, rows).row_groups == len(values)
        for value in values:
            check_filter(path, "v", kind, values, "=", value)


@pytest.mark.parametrize("n", [1, 8, 70_000])
def test_nulls_only(tmp_path, n):
    columns = [column(f"c{i}", kind, True) for i, kind in enumerate(vc.TYPES if n < 9 else vc.TYPES[::6])]
    rows = [(None,) * len(columns)] * n
    report = write(tmp_path / "x", columns, rows)
    check(tmp_path / "x", columns, rows)
    assert all(c.nulls == n for c in report.columns)


@pytest.mark.parametrize("optional", [False, True])
def test_no_rows(tmp_path, optional):
    columns = [column(f"c{i}", kind, optional) for i, kind in enumerate(vc.TYPES)]
    report = write(tmp_path / "x", columns, [])
    assert (report.rows, report.row_groups) == (0, 0)
    check(tmp_path / "x", columns, [])
    with ccpq.Writer(tmp_path / "y", {c.name: c.type for c in columns}) as w:
        assert w.write_group([]) == 0 and not w.flush_group() and w.write_rows(iter(())) == 0
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


@pytest.mark.parametrize("kind", vc.TYPES)
def test_one_row(tmp_path, kind):
    for i, value in enumerate([*vc.extremes(kind), None]):
        columns = [column("v", kind, True)]
        write(tmp_path / str(i), columns, [(value,)])
        check(tmp_path / str(i), columns, [(value,)])


@pytest.mark.parametrize("n", [65_535, 65_536, 65_537])
@pytest.mark.parametrize("group", [None, 65_535, 65_536, 65_537])
def test_around_a_full_page(tmp_path, n, group):
    """A page holds 65,536 rows at most; its last row, and the first behind it, with and without nulls."""
    columns = [column("i", "int32"), column("b", "bool", True), column("s", "string", True), column("f", "float32")]
    rows = [(i, None if i % 65_536 in (0, 65_535) else i % 3 == 0, None if i % 5 else str(i % 100), i / 7) for i in range(n)]
    rows = [(a, b, c, vc.FLOATS["float32"].unpack(vc.FLOATS["float32"].pack(d))[0]) for a, b, c, d in rows]
    options = {"row_group_size": group} if group else {}
    write(tmp_path / "x", columns, rows, **options)
    assert check(tmp_path / "x", columns, rows).row_groups == -(-n // (group or n))


def test_dictionary_full_in_the_middle(tmp_path):
    rng = random.Random(3)
    few = [f"host{i:03d}" for i in range(200)]
    rows = [(rng.choice(few), i % 50, rng.choice(few).encode()) for i in range(40_000)]
    rows += [(f"{rng.randbytes(12).hex()}", rng.getrandbits(62), rng.randbytes(24)) for i in range(60_000)]
    rows += [(rng.choice(few), i % 50, b"x") for i in range(5_000)]
    columns = [column("s", "string"), column("i", "int64"), column("b", "binary")]
    report = write(tmp_path / "x", columns, rows, memory_limit="8MiB", data_page_size="64KiB")
    check(tmp_path / "x", columns, rows)
    pages = report.columns[0].pages
    assert pages["dictionary"] and pages["plain"]


NATURES = {
    "constant": lambda rng, n: [7] * n,
    "ramp": lambda rng, n: [1000 + 60 * i for i in range(n)],
    "jitter": lambda rng, n: [1000 + 60 * i + rng.randrange(3) for i in range(n)],
    "few": lambda rng, n: [rng.choice((5, 2**30, -9)) for _ in range(n)],
    "noise": lambda rng, n: [rng.getrandbits(31) for _ in range(n)],
}


@pytest.mark.parametrize("first, second", list(itertools.permutations(NATURES, 2)))
def test_a_column_changes_its_nature(tmp_path, first, second):
    rng = random.Random(1)
    values = NATURES[first](rng, 3000) + NATURES[second](rng, 3000) + NATURES[first](rng, 1000)
    columns = [column("i", "int32"), column("l", "int64", True), column("d", "float64"), column("s", "string")]
    rows = [(v, None if i % 11 == 0 else v * 2**31, v / 8, str(v)) for i, v in enumerate(values)]
    for size in (None, 1000):
        path = tmp_path / str(size)
        write(path, columns, rows, data_page_size=size, row_group_size=5000)
        check(path, columns, rows, readers=("model", "pyarrow", "duckdb") if size else ("model", "polars"))


@pytest.mark.parametrize("method", ["write_rows", "write_group"])
def test_spilled_pages_are_the_same_bytes(tmp_path, method):
    """Small pages of values that no dictionary takes: the plan makes the same of them at every limit, but the room for
    parked pages differs."""
    columns = [column("k", "uint64"), column("b", "binary", True), column("v", "float64"), column("s", "string")]
    schema = {c.name: c.type for c in columns}
    rng = random.Random(9)
    rows = [(rng.getrandbits(64), rng.randbytes(rng.randrange(60)) if i % 4 else None, rng.random(), f"{rng.getrandbits(40):x}")
            for i in range(100_000)]  # fmt: skip
    rows[50_000] = (0, rng.randbytes(300_000), 0.0, "a value that stretches its page")
    limit = vc.least_limit(schema) + 200_000
    reports, files = [], []
    for memory in (limit, ccpq.MemoryBudget(limit).share(limit), "16MiB"):
        out = io.BytesIO()
        with ccpq.Writer(out, schema, memory_limit=memory, data_page_size="4KiB") as w:
            getattr(w, method)(iter(rows))
        reports.append(w.report)
        files.append(out.getvalue())
    spilled = [r.spilled_bytes for r in reports]
    assert spilled[0] > 2_000_000 and spilled[1] > 2_000_000 and spilled[2] == 0
    assert files[0] == files[1] == files[2]
    (tmp_path / "x").write_bytes(files[0])
    check(tmp_path / "x", columns, rows)


NAN = math.nan
FLOAT_GROUPS = {
    "nan in one group": [[1.0, 2.0], [NAN, 5.0], [3.0, 9.0]],
    "nan first": [[NAN, 1.0, 2.0]],
    "nan last": [[1.0, 2.0, NAN]],
    "nan only": [[NAN, NAN], [NAN]],
    "nan and null": [[None, NAN, None], [None, 1.0]],
    "infinities": [[-math.inf, math.inf], [math.inf, NAN], [-math.inf]],
    "zeros": [[0.0, 0.0], [-0.0, -0.0], [0.0, -0.0]],
    "zero above": [[0.0, 1.0], [-0.0, 1.0]],
    "zero below": [[-1.0, 0.0], [-1.0, -0.0]],
    "denormals": [[5e-324, 0.0], [-5e-324, -0.0], [2.0**-149]],
}


@pytest.mark.parametrize("kind", vc.FLOATS)
@pytest.mark.parametrize("name", FLOAT_GROUPS)
def test_floats_under_filters(tmp_path, name, kind):
    cut = (lambda v: v if v is None else vc.FLOATS[kind].unpack(vc.FLOATS[kind].pack(v))[0])
    groups = [[cut(v) for v in g] for g in FLOAT_GROUPS[name]]
    with ccpq.Writer(tmp_path / "x", {"v": kind + "?"}) as w:
        for g in groups:
            w.write_group([(v,) for v in g])
    values = [v for g in groups for v in g]
    check(tmp_path / "x", [column("v", kind, True)], [(v,) for v in values])
    for value in {repr(v): v for v in [*values, 0.0, -0.0, 1.0, 4.0, math.inf, NAN] if v is not None}.values():
        for op in ("=", "!=", "<", "<=", ">", ">="):
            check_filter(tmp_path / "x", "v", kind, values, op, value)


@pytest.mark.parametrize("kind", ["string", "binary", "enum", "bson"])
def test_cut_bounds_under_filters(tmp_path, kind):
    """Values that are equal as far as a bound goes, and values that no bound can be above."""
    texts = ["x" * n + tail for n in (62, 63, 64, 65, 200) for tail in ("", "a", "\u00e9", "\U0010ffff", "\U0010ffff" * 40)]
    values = texts if vc.facts(kind).is_text else [t.encode() for t in texts] + [b"\xff" * n for n in (1, 63, 64, 65, 200)]
    for size in (1, 4):
        path = tmp_path / str(size)
        write(path, [column("v", kind)], [(v,) for v in values], row_group_size=size)
        check(path, [column("v", kind)], [(v,) for v in values])
        for i, value in enumerate(values):
            check_filter(path, "v", kind, values, ("=", ">", "<=")[i % 3] if size == 1 else "=", value)


def test_a_page_in_the_middle(tmp_path):
    """Thousands of small pages of sorted values: filters that hit one page, a border, or a gap between two."""
    values = [i * 10 for i in range(30_000)]
    columns = [column("t", "int64"), column("s", "string"), column("u", "uint8")]
    rows = [(v, f"{v:08d}", v // 1200) for v in values]
    write(tmp_path / "x", columns, rows, data_page_size=400, row_group_size=7000, sorting_columns=["t"])
    assert check(tmp_path / "x", columns, rows, sorted_by=["t"]).data_pages > 1000
    for value in (0, 10, 15, 69_990, 70_000, 150_000, 150_001, 299_990, 300_000, -1):
        for op in ("=", "<"):
            check_filter(tmp_path / "x", "t", "int64", values, op, value)
        check_filter(tmp_path / "x", "s", "string", [r[1] for r in rows], ">=", f"{value:08d}")
    for value in (0, 128, 249, 255):
        check_filter(tmp_path / "x", "u", "uint8", [r[2] for r in rows], ">", value)


def ascending(kind):
    """Five stored values in order."""
    f = vc.facts(kind)
    if kind in vc.FLOATS:
        return [1.0, 2.0, 3.0, 4.0, 5.0]
    if f.is_int:
        return [i * f.step for i in (1, 2, 3, 4, 5)]
    if f.n:
        return [c.encode() * f.n for c in "bcdef"]
    return [f'"{c * 3}"' if f.is_text else c.encode() * 3 for c in "bcdef"]


@pytest.mark.parametrize("kind", [k for k in vc.TYPES if k not in ("bool", "binary[65]")])  # those have no bounds to lie about
def test_wrong_bounds_would_be_seen(tmp_path, kind):
    """The readers of these tests do trust bounds, of each type: with a wrong one each of them finds fewer rows."""
    path, values = tmp_path / "x", ascending(kind)
    write(path, [column("v", kind)], [(v,) for v in values], compression=None)
    found = model.read_metadata(path)
    bounds, behind_pages = found.chunk(0, 0).statistics, found.row_groups[0].columns[0].column_index_offset
    data = path.read_bytes()
    lied = data[:behind_pages] + data[behind_pages:].replace(bounds.max_value, bounds.min_value)
    assert bounds.max_value != bounds.min_value and lied != data
    path.write_bytes(lied)
    with pytest.raises(model.ModelError):
        model.validate(path)
    for reader, count in COUNTERS.items():
        if (reader, kind) not in vr.UNFILTERED:
            assert count(path, "v", "=", values[2], kind) == 0, reader


def test_the_longest_names_of_an_archive(tmp_path):
    """An archive keeps no room for values larger than the largest name of a snapshot: that one must fit, in every column."""
    long = 65_535
    data = bin_bytes({}, {"c" * long: {"m" * long: [1.5, 2.5], "n" * long: [3.5]}})
    put(tmp_path / "tree", "cluster/host/1000.bin", data)
    report = ccpq.archive_checkpoints(tmp_path / "tree", tmp_path / "out", cutoff=2000)
    report.raise_for_errors()
    path = tmp_path / "out" / "cluster" / "2000.parquet"
    found = vr.read("pyarrow", path, {"metric": "string", "value": "float32"})
    assert found["metric"] == ["m" * long] * 2 + ["n" * long] and found["value"] == [1.5, 2.5, 3.5]
