"""Readers for the value tests: the oracle, pyarrow, DuckDB and Polars give columns as Python lists, and count rows under filters.

`same` compares bit for bit, except that any NaN equals any other; `check` does it for all readers behind the strict
validator; `check_filter` holds the counts against Python's own, which fails where a bound in the file is wrong.
"""

import os

import model
from value_cases import FLOATS, INTS


def by_model(path):
    return model.read_table(path)


def by_pyarrow(path):
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, page_checksum_verification=True) as f:
        table = f.read(use_threads=False)
    table.validate(full=True)
    return {name: table.column(i).to_pylist() for i, name in enumerate(table.column_names)}


def by_duckdb(path):
    import duckdb

    with duckdb.connect(config={"threads": 1}) as c:
        found = c.execute("select * from read_parquet(?)", [os.fspath(path)])
        names = [d[0] for d in found.description]
        rows = found.fetchall()
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def by_polars(path):
    import polars as pl

    frame = pl.read_parquet(path)
    return {name: frame.get_column(name).to_list() for name in frame.columns}


READERS = {"model": by_model, "pyarrow": by_pyarrow, "duckdb": by_duckdb, "polars": by_polars}


def canonical(kind, values):
    if kind not in FLOATS:
        return values
    s = FLOATS[kind]
    return [None if v is None else "NaN" if v != v else s.pack(v) for v in values]


def same(columns, expected, found, reader):
    """`columns`: name -> type without "?"."""
    assert list(found) == list(columns), reader
    for name, kind in columns.items():
        want, got = canonical(kind, expected[name]), canonical(kind, found[name])
        if want != got:
            i = next((i for i, (a, b) in enumerate(zip(want, got)) if a != b), min(len(want), len(got)))
            raise AssertionError(
                f"{reader}: column {name!r} ({kind}), {len(got)} of {len(want)} values, row {i}: "
                f"{expected[name][i : i + 1]} was written, {found[name][i : i + 1]} read")
        if kind == "bool" or kind in INTS or kind in ("string", "binary"):
            # True == 1 and no more than that.
            assert {type(v) for v in got} <= {type(v) for v in want} | {type(None)}, (reader, name)


def check(path, columns, rows, readers=tuple(READERS), sorted_by=()):
    summary = model.validate(path, sorted_by=list(sorted_by))
    assert summary.rows == len(rows)
    expected = {c.name: [r[i] for r in rows] for i, c in enumerate(columns)}
    kinds = {c.name: c.kind for c in columns}
    for name in readers:
        same(kinds, expected, READERS[name](path), name)
    return summary


# What readers trust: bounds in footer and page index. A predicate must find every row.

OPS = {
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


def total(v):
    """NaN as DuckDB and Polars order it: equal to itself, above everything."""
    return (1, 0) if v != v else (0, v)


def count_by_pyarrow(path, name, op, value, kind):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    arrow = {"bool": pa.bool_(), "float32": pa.float32(), "float64": pa.float64(), "string": pa.string(), "binary": pa.binary()}
    scalar = pa.scalar(value, arrow.get(kind) or getattr(pa, kind)())
    compare = {"=": pc.equal, "!=": pc.not_equal, "<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal}[op]
    return pq.read_table(path, filters=compare(pc.field((name,)), scalar), use_threads=False).num_rows


def count_by_duckdb(path, name, op, value, kind):
    import duckdb

    sql = {"bool": "boolean", "float32": "float", "float64": "double", "string": "varchar", "binary": "blob", "int8": "tinyint",
           "int16": "smallint", "int32": "integer", "int64": "bigint", "uint8": "utinyint", "uint16": "usmallint",
           "uint32": "uinteger", "uint64": "ubigint"}[kind]  # fmt: skip
    quoted = name.replace('"', '""')
    with duckdb.connect(config={"threads": 1}) as c:
        return c.execute(f'select count(*) from read_parquet(?) where "{quoted}" {op} cast(? as {sql})', [str(path), value]).fetchone()[0]


def count_by_polars(path, name, op, value, kind):
    import polars as pl

    types = {"bool": pl.Boolean, "string": pl.String, "binary": pl.Binary, "float32": pl.Float32, "float64": pl.Float64,
             **{k: getattr(pl, k.replace("uint", "UInt").replace("int", "Int")) for k in INTS}}  # fmt: skip
    method = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}[op]
    return pl.scan_parquet(path).filter(getattr(pl.col(name), method)(pl.lit(value, types[kind]))).select(pl.len()).collect().item()


COUNTERS = {"pyarrow": count_by_pyarrow, "duckdb": count_by_duckdb, "polars": count_by_polars}


def check_filter(path, name, kind, values, op, value):
    values = [v for v in values if v is not None]
    for reader, count in COUNTERS.items():
        order = (lambda v: v) if reader == "pyarrow" or kind not in FLOATS else total
        want = sum(OPS[op](order(v), order(value)) for v in values)
        found = count(path, name, op, value, kind)
        assert found == want, f"{reader}: {name} {op} {value!r} finds {found} rows of {want}"
