"""The same values by rows, by columns and by Arrow: the same bytes, cut into calls and mixed in any way, at the least memory
too; and refused data leave nothing behind, whatever they came in.

What the values are once they are read is asserted for the file that rows make, by four readers (value_readers.py); every
other file has to equal that one. CCPQ_EXAMPLES=20 multiplies the number of examples for a long run.
"""

import io
import os
import random
from dataclasses import make_dataclass

import ccpq
import model
import pytest

for _peer in ("hypothesis", "numpy", "pandas", "pyarrow", "duckdb", "polars"):
    pytest.importorskip(_peer)

import numpy as np  # noqa: E402
import pyarrow as pa  # noqa: E402
import value_cases as vc  # noqa: E402
import value_readers as vr  # noqa: E402
import value_refused as refused  # noqa: E402
import value_routes as vt  # noqa: E402
from hypothesis import HealthCheck, event, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

TIMES = float(os.environ.get("CCPQ_EXAMPLES", "1"))


def examples(n):
    return settings(max_examples=max(1, round(n * TIMES)), suppress_health_check=list(HealthCheck))


def written(schema, fill, **options):
    """The bytes of a file; what the core takes stays below the limit."""
    out = io.BytesIO()
    with ccpq.Writer(out, schema, **options) as w:
        fill(w)
    assert w.report.peak_memory <= w.memory.limit
    return out.getvalue()


def schema_of(columns):
    return {c.name: c.type for c in columns}


# -- each way by itself ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", vc.TYPES)
def test_every_way(kind):
    """Every way that holds the values, of a type's extremes and others, with and without nulls."""
    for seed in range(4):
        nature, nulls = ("pool", "fresh", "runs", "ramp")[seed], ("some", "blocks", "most", "none")[seed]
        c = vc.Column("v", kind, seed != 1, nature, nulls, tuple(vt.plain(vc.extremes(kind))[:: -1 if seed % 2 else 1]), seed)
        values = vt.plain(c.stored((60, 7, 1, 40)[seed]))
        schema, rows = schema_of([c]), vc.as_rows([c], [values])
        limit = vc.least_limit(schema)
        wanted = written(schema, lambda w: w.write_rows(rows), memory_limit=limit)
        model.validate(wanted)
        for name, make in vt.COLUMNS.items():
            column = make(c, values, random.Random(seed))
            if column is not None and name != "a_constant":
                assert written(schema, lambda w: w.write_columns({"v": column}), memory_limit=limit) == wanted, (name, seed)
        for name, make in vt.ARROW.items():
            data = make([c], [values], random.Random(seed))
            if data is not None:
                assert written(schema, lambda w: w.write_arrow(data), memory_limit=limit) == wanted, (name, seed)


@pytest.mark.parametrize("name", [*vt.COLUMNS, *vt.ARROW])
def test_no_way_is_idle(name):
    """Each one holds something."""
    rng = random.Random(1)
    for kind in vc.TYPES:
        c = vc.Column("v", kind, False, "pool", "none", (), 0)
        for values in ([v] * n for v in vc.extremes(kind) for n in (1, 3)):
            made = vt.ARROW[name]([c], [values], rng) if name in vt.ARROW else vt.COLUMNS[name](c, values, rng)
            if made is not None:
                return
    raise AssertionError(f"{name} holds no type")


# -- any of them, mixed ---------------------------------------------------------------------------------------------------


def rows_in_any_shape(columns, stored, rng):
    """Tuples, lists, mappings, NamedTuples, dataclasses with and without slots."""
    rows = vc.as_rows(columns, stored, rng)
    names = [c.name for c in columns]
    if rng.random() < 0.5 or not all(n.isidentifier() for n in names):
        return vc.shaped(rows, names, rng)
    row = make_dataclass("Row", names, **rng.choice(({}, {"slots": True}, {"frozen": True})))
    return [row(*r) for r in rows]


def write_a_piece(w, columns, stored, rng, doors):
    """Values of some rows by a door; its name."""
    door = rng.choice(doors)
    if door == "arrow":
        name, data = vt.any_table(columns, stored, rng)
        if data is not None:
            assert w.write_arrow(data) == len(stored[0])
            return name
    if door == "rows" or not stored[0]:
        w.write_rows(rows_in_any_shape(columns, stored, rng))
        return door
    assert w.write_columns(vt.columns_of(columns, stored, rng)) == len(stored[0])
    return "columns"


def in_pieces(w, columns, stored, borders, rng, doors):
    """The groups between `borders`, each in calls of any size."""
    used = set()
    for start, end in zip(borders, borders[1:]):
        at = start
        while at < end:
            n = min(end - at, rng.choice((1, 2, 20, 300, 2000)))
            used.add(write_a_piece(w, columns, [v[at : at + n] for v in stored], rng, doors))
            at += n
        w.flush_group()
    return used


COUNTS = st.integers(0, 30) | st.sampled_from((100, 257, 700, 1500))
DOORS = (("columns",), ("arrow",), ("columns", "arrow", "rows"))


@examples(200)
@given(columns=vc.columns(most=4), n=COUNTS, data=st.data(), memory=st.sampled_from((1, 1, 1.3, 3, 20)),
       seed=st.integers(0, 999_999), keys=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=2, unique_by=lambda k: k[0]))  # fmt: skip
def test_any_route(tmp_path_factory, columns, n, data, memory, seed, keys):
    schema, options, rng = schema_of(columns), data.draw(vc.options(columns)), random.Random(seed)
    stored = [vt.plain(c.stored(n)) for c in columns]
    keys = [(i, d) for i, d in keys if i < len(columns)]
    sorting = [(columns[i].name, "descending" if d else "ascending") for i, d in keys]
    if keys:
        stored = list(map(list, zip(*vc.sort_rows(list(zip(*stored)), keys)))) or [[] for _ in columns]
        options["sorting_columns"] = sorting
    limit = int(vc.least_limit(schema, **options) * memory)
    borders = vt.cuts(len(stored[0]), rng, 3)

    def simply(w):
        for i, k in zip(borders, borders[1:]):
            w.write_rows(vc.as_rows(columns, [v[i:k] for v in stored]))
            w.flush_group()

    wanted = written(schema, simply, memory_limit=limit, **options)
    path = tmp_path_factory.getbasetemp() / "any_route.parquet"
    path.write_bytes(wanted)
    vr.check(path, columns, stored, sorted_by=sorting, profile=options["profile"])
    for doors in rng.sample(DOORS, 2):
        used = set()

        def fill(w):
            used.update(in_pieces(w, columns, stored, borders, rng, doors))

        got = written(schema, fill, memory_limit=limit, **options)
        assert got == wanted, (doors, used)
        for name in used:
            event(name)


# -- refused --------------------------------------------------------------------------------------------------------------


def good_column(c, values, rng):
    """A column that has a length."""
    name, found = vt.any_column(c, values, rng)
    return vt.a_list(c, values, rng) if name == "a_constant" else found


def check_error(e, column, row_in_call, before, written_of_call):
    assert (e.row_in_call, e.column, e.rows_written) == (row_in_call, column, written_of_call)
    assert e.row == before + row_in_call
    assert str(e).startswith(f"row {e.row_in_call} of this call (row {e.row} of the file), column {column!r}: ")


REFUSED = dict(columns=vc.columns(most=3), before=st.integers(0, 20), n=st.integers(1, 40) | st.just(400),
               seed=st.integers(0, 999_999), memory=st.sampled_from((1, 1.3, 10)))  # fmt: skip


def refused_case(columns, before, n, seed, memory):
    """(schema, values, rng, options, the file of the good values, the bad column, its row)"""
    rng = random.Random(seed)
    stored = [vt.plain(c.stored(before + n)) for c in columns]
    options = {"memory_limit": int(vc.least_limit(schema_of(columns)) * memory)}
    wanted = written(schema_of(columns), lambda w: w.write_rows(vc.as_rows(columns, stored)), **options)
    return stored, rng, options, wanted, rng.randrange(len(columns)), rng.randrange(n)


@examples(200)
@given(**REFUSED)
def test_refused_columns(columns, before, n, seed, memory):
    """One bad value somewhere: nothing of the call is there, and the writer goes on."""
    stored, rng, options, wanted, k, row = refused_case(columns, before, n, seed, memory)
    good = [v[before:] for v in stored]
    mapping = {c.name: good_column(c, values, rng) for c, values in zip(columns, good)}
    c, value = columns[k], None
    way = rng.choice(("objects", "arrow", "numpy"))
    bad = None if way == "objects" else (refused.in_arrow if way == "arrow" else refused.in_numpy)(c, good[k], row, rng)
    if bad is None:
        value, error = rng.choice(refused.objects(c))
        items = vt.a_list(c, good[k], rng)
        items[row] = value
        mapping[c.name], way = rng.choice((list, tuple, lambda x: np.array([*x, None], object)[:-1]))(items), "objects"
    else:
        mapping[c.name], error = bad
    event(f"{way} {error.__name__}")

    def fill(w):
        w.write_rows(vc.as_rows(columns, [v[:before] for v in stored]))
        for _ in range(2):
            with pytest.raises(error) as info:
                w.write_columns(mapping)
            check_error(info.value, c.name, row, before, 0)
            assert way != "objects" or info.value.value is value
            assert w.rows == before
        in_pieces(w, columns, [v[before:] for v in stored], [0, n], rng, DOORS[2])

    # A group ends in `in_pieces`; in the file of rows it ends at the end.
    assert written(schema_of(columns), fill, **options) == wanted


@examples(200)
@given(**REFUSED)
def test_refused_batches(columns, before, n, seed, memory):
    """One bad value in a stream of batches: those before its batch are there, of its own nothing is."""
    stored, rng, options, wanted, k, row = refused_case(columns, before, n, seed, memory)
    good = [v[before:] for v in stored]
    bad = refused.in_arrow(columns[k], good[k], row, rng)
    if bad is None:
        event("no Arrow type holds a bad value")
        return
    arrays = {c.name: vt.any_array(c, values, rng) for c, values in zip(columns, good)}
    arrays[columns[k].name], error = bad
    whole = pa.record_batch(arrays)
    borders = vt.cuts(n, rng)
    stays = max(b for b in borders if b <= row)
    batches = pa.RecordBatchReader.from_batches(whole.schema, [whole.slice(i, j - i) for i, j in zip(borders, borders[1:])])
    event(error.__name__)

    def fill(w):
        w.write_rows(vc.as_rows(columns, [v[:before] for v in stored]))
        with pytest.raises(error) as info:
            w.write_arrow(batches)
        check_error(info.value, columns[k].name, row, before, stays)
        assert w.rows == before + stays
        in_pieces(w, columns, [v[before + stays :] for v in stored], [0, n - stays], rng, DOORS[2])

    assert written(schema_of(columns), fill, **options) == wanted


@examples(60)
@given(**REFUSED)
def test_refused_rows(columns, before, n, seed, memory):
    """One bad value in rows: those before it are there, and the iterator goes on behind it."""
    stored, rng, options, wanted, k, row = refused_case(columns, before, n, seed, memory)
    value, error = rng.choice(refused.objects(columns[k]))
    rows = vc.as_rows(columns, [v[before:] for v in stored], rng)
    bad = tuple(value if i == k else v for i, v in enumerate(rows[row]))
    source = iter([*rows[:row], bad, *rows[row:]])

    def fill(w):
        w.write_columns(vt.columns_of(columns, [v[:before] for v in stored], rng)) if before else None
        with pytest.raises(error) as info:
            w.write_rows(source)
        check_error(info.value, columns[k].name, row, before, row)
        assert info.value.value is value and w.rows == before + row
        assert w.write_rows(source) == n - row

    assert written(schema_of(columns), fill, **options) == wanted


# -- by themselves --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["time[ns]", "time[ns, UTC]"])
def test_times_that_no_row_has(tmp_path, kind):
    """Every nanosecond of a day comes by Arrow only."""
    rng = random.Random(3)
    values = [0, 1, 999, 86_399_999_999_999, *(rng.randrange(86_400 * 10**9) for _ in range(500))]
    values += [None if i % 3 else v for i, v in enumerate(values)]
    c = vc.Column("v", kind, True, "pool", "none", (), 0)
    wanted = written({"v": c.type}, lambda w: w.write_arrow(pa.table({"v": vt.natural(c, values)})))
    (tmp_path / "x").write_bytes(wanted)
    vr.check(tmp_path / "x", [c], [values])
    for seed in range(30):
        column = vt.one_array(c, values, random.Random(seed))
        if column is not None:
            assert written({"v": c.type}, lambda w: w.write_columns({"v": column})) == wanted
    for column in (vt.polars_series(c, values, rng), vt.pandas_arrow(c, values, rng)):
        assert written({"v": c.type}, lambda w: w.write_columns({"v": column})) == wanted


def long_columns(n):
    """name -> (type, values as rows have them, the column)"""
    rng, nprng = random.Random(4), np.random.default_rng(4)
    words = [f"host{i:03d}" for i in range(300)] + ["\u00e9" * 20, ""]
    ids = nprng.integers(0, len(words), n)
    missing = nprng.random(n) < 0.3
    counts = nprng.integers(-(2**62), 2**62, n)
    fresh = [f"{rng.getrandbits(50):x}" if rng.random() < 0.9 else None for _ in range(n)]
    return {
        "ramp": ("int64", list(range(5, 5 + 60 * n, 60)), range(5, 5 + 60 * n, 60)),
        "constant": ("string?", ["fritz"] * n, "fritz"),
        "nothing": ("float32?", [None] * n, None),
        "objects": ("string?", fresh, fresh),
        "dictionary": ("string", [words[i] for i in ids], pa.chunked_array(
            [pa.DictionaryArray.from_arrays(ids[i : i + 9973], words) for i in range(0, n, 9973)])),
        "masked": ("int64?", [None if m else v for m, v in zip(missing, counts.tolist())], np.ma.array(counts, mask=missing)),
        "swapped": ("float64", (counts / 7).tolist(), (counts / 7).astype(">f8")),
        "instants": ("timestamp[ms]?", [None if m else v % 10**12 for m, v in zip(missing, counts.tolist())],
                     np.where(missing, -(2**63), counts % 10**12).view("M8[ms]")),
        "text": ("string", [words[i] for i in ids[::-1]], np.array([words[i] for i in ids])[::-1]),
        "decimals": ("decimal(20, 0)", counts.tolist(), pa.array(counts.tolist(), pa.decimal128(38, 0))),
        "halves": ("float16", (ids % 100 / 8).tolist(), pa.array((ids % 100 / 8).tolist(), pa.float32())),
    }  # fmt: skip


@pytest.mark.parametrize("memory", [1, 4])
@pytest.mark.parametrize("without", [(), ("objects",)])
def test_long_columns(memory, without):
    """Across chunks, pages, dictionaries that fill up and the stage's spill, with and without a column of objects."""
    n = 70_001
    found = {name: v for name, v in long_columns(n).items() if name not in without}
    schema = {name: t for name, (t, _, _) in found.items()}
    options = {"memory_limit": vc.least_limit(schema) * memory, "row_group_size": 50_000}
    wanted = written(schema, lambda w: w.write_rows(zip(*(rows for _, rows, _ in found.values()))), **options)
    assert model.validate(wanted).rows == n
    assert written(schema, lambda w: w.write_columns({k: column for k, (_, _, column) in found.items()}), **options) == wanted
    table = pa.table({
        k: column if t == "float16" else pa.array(rows, vt.natural_type(t.rstrip("?"))) for k, (t, rows, column) in found.items()
    })  # fmt: skip
    for data in (lambda: table, lambda: table.to_reader(max_chunksize=777)):
        assert written(schema, lambda w: w.write_arrow(data()), **options) == wanted


def test_calls_without_rows():
    """Of every door, between calls with rows: they change nothing."""
    schema = {"a": "int64", "b": "string?"}
    empty = pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())})

    def fill(w):
        for i in range(3):
            for nothing in ({"a": []}, {"a": np.array([], "i4"), "b": "x"},
                            {"a": range(0), "b": pa.chunked_array([], pa.string())}):  # fmt: skip
                assert w.write_columns(nothing) == 0
            batch = pa.record_batch([[], []], schema=empty.schema)
            for table in (empty, batch, empty.to_reader(), pa.RecordBatchReader.from_batches(empty.schema, [batch, batch])):
                assert w.write_arrow(table) == 0
            assert w.write_rows([]) == 0 and w.write_columns({"a": [i], "b": ["x"]}) == 1

    assert written(schema, fill) == written(schema, lambda w: w.write_rows([(i, "x") for i in range(3)]))


@pytest.mark.parametrize("width", [300, 70_000])
def test_texts_of_wide_items(width):
    """An item of numpy takes four bytes for each character of the longest: more than there is memory for."""
    values = ["a", "\u00e9" * (width // 3), "", "\U0001f600" * min(width, 5000), "b" * 50] * 5
    limit = vc.least_limit({"v": "string"})
    wanted = written({"v": "string"}, lambda w: w.write_rows([(v,) for v in values]), memory_limit=limit)
    for column in (np.array(values, f"<U{width}"), np.array(values, f">U{width}"), np.array(values[::-1], f"<U{width}")[::-1]):
        assert written({"v": "string"}, lambda w: w.write_columns({"v": column}), memory_limit=limit) == wanted


@examples(60)
@given(kind=st.sampled_from(("int64", "uint8", "string", "timestamp[us, UTC]", "decimal(20, 3)", "float16", "uuid", "date")),
       before=st.integers(1, 30), n=st.integers(1, 60), seed=st.integers(0, 999_999), descending=st.booleans())  # fmt: skip
def test_refused_order(kind, before, n, seed, descending):
    """One row before the one that it follows: by every door, also where that one came with an earlier call."""
    rng = random.Random(seed)
    pool = sorted({v for v in (vc.fresh(kind, rng) for _ in range(400)) if v == v}, reverse=descending)[: before + n + 1]
    first, values = pool[0], pool[1:]
    before = min(before, len(values) - 1)
    c, row = vc.Column("v", kind, False, "pool", "none", (), 0), rng.randrange(len(values) - before)
    good, bad = values[before:], values[before : before + row] + [first] + values[before + row + 1 :]
    options = {"sorting_columns": [("v", "descending" if descending else "ascending")]}

    def fill(w):
        w.write_columns({"v": good_column(c, values[:before], rng)})
        for door, data in (("write_columns", {"v": good_column(c, bad, rng)}), ("write_arrow", vt.batch([c], [bad], rng))):
            with pytest.raises(ccpq.RowValueError) as info:
                getattr(w, door)(data)
            e = info.value
            assert (e.row, e.row_in_call, e.rows_written, w.rows) == (before + row, row, 0, before)
        in_pieces(w, [c], [good], [0, len(good)], rng, DOORS[2])

    wanted = written({"v": kind}, lambda w: w.write_rows(vc.as_rows([c], [values])), **options)
    assert written({"v": kind}, fill, **options) == wanted
