"""Columns into a file: numpy arrays by write_columns and Arrow tables by write_arrow, ccpq against the fastest of three peers.

`numbers` is a table of numbers as a simulation leaves them; `metrics` are job metrics of eight columns, whose names are
Arrow strings or dictionaries of them. Making the arrays is not measured, turning them into what a writer takes is.
"""

import os
import sys
import tempfile

from measure import alternate, growth, print_growth, table, times
from rows_case import SCHEMA, STRINGS, VALUES, series

NUMBERS = {"step": "int64", "cell": "int32", "temperature": "float64", "pressure": "float32", "inside": "bool", "hits": "uint16"}


def numbers(n):
    """name -> numpy array. Smooth fields with noise in the last digits, a counter, a flag, small counts."""
    import numpy as np

    rng = np.random.default_rng(7)
    i = np.arange(n)
    return {
        "step": 1_700_000_000 + i // 64,
        "cell": (i % 64).astype(np.int32),
        "temperature": 290 + 5 * np.sin(i / 5000) + rng.normal(0, 0.01, n),
        "pressure": np.round(1013 + rng.normal(0, 4, n), 1).astype(np.float32),
        "inside": rng.random(n) < 0.9,
        "hits": rng.poisson(3, n).astype(np.uint16),
    }


def metrics(n):
    """A pyarrow table of the rows of rows_case."""
    import numpy as np
    import pyarrow as pa

    parts = list(series(n))
    counts = [p[4] for p in parts]
    values = np.array(VALUES, np.float32)
    columns = {
        "cluster": np.repeat(["fritz"], n), "hostname": np.repeat([p[0] for p in parts], counts),
        "metric": np.repeat([p[1] for p in parts], counts), "scope": np.repeat(["core"], n), "scope_id": np.repeat(["core17"], n),
        "timestamp": np.concatenate([start + 60 * np.arange(c) for _, _, start, _, c in parts]),
        "frequency": np.full(n, 60), "value": np.concatenate([values[(at + np.arange(c)) % len(values)] for _, _, _, at, c in parts]),
    }  # fmt: skip
    fields = [pa.field(k, {"string": pa.string(), "int64": pa.int64(), "float32": pa.float32()}[t], nullable=False) for k, t in SCHEMA.items()]
    return pa.table([pa.array(columns[f.name], f.type) for f in fields], schema=pa.schema(fields))


def metrics_with_dictionaries(n):
    import pyarrow as pa

    t = metrics(n)
    return pa.table({name: c.dictionary_encode() if name in STRINGS else c for name, c in zip(t.column_names, t.columns)})


def ccpq_writer(path, schema, level):
    import ccpq

    return ccpq.Writer(path, schema, compression_level=level, memory_limit="16MiB", durability="none", overwrite=True)


def numbers_by_ccpq(data, path, level):
    with ccpq_writer(path, NUMBERS, level) as w:
        w.write_columns(data)


def table_by_ccpq(data, path, level):
    with ccpq_writer(path, SCHEMA, level) as w:
        w.write_arrow(data)


def as_table(data):
    import pyarrow as pa

    return data if isinstance(data, pa.Table) else pa.table(data)


def by_pyarrow(data, path, level, **options):
    import pyarrow.parquet as pq

    pq.write_table(as_table(data), path, compression="zstd", compression_level=level, **options)


def by_polars(data, path, level):
    import polars as pl

    pl.DataFrame(data).write_parquet(path, compression="zstd", compression_level=level)


def by_duckdb(data, path, level):
    import duckdb

    with duckdb.connect(config={"threads": 1}) as c:
        c.register("data", as_table(data))
        c.execute(f"copy data to '{path}' (format parquet, compression zstd, compression_level {level})")


PEERS = {
    "pyarrow": by_pyarrow,
    "pyarrow, strings as dictionary": lambda *a: by_pyarrow(*a, use_dictionary=list(STRINGS)),
    "Polars": by_polars,
    "DuckDB": by_duckdb,
}
SHAPES = {
    "numpy, six columns of numbers": (numbers, numbers_by_ccpq),
    "Arrow, metrics with strings": (metrics, table_by_ccpq),
    "Arrow, metrics with dictionaries": (metrics_with_dictionaries, table_by_ccpq),
}


def routes(shape):
    return {"ccpq": SHAPES[shape][1], **PEERS}


def run(folder, n, rounds, level):
    found = {}
    for shape, (make, _) in SHAPES.items():
        data = make(n)
        sizes, contenders = {}, {}
        for name, route in routes(shape).items():
            path = os.path.join(folder, f"{name}.parquet")
            contenders[name] = lambda route=route, path=path: route(data, path, level)
        runs = alternate(contenders, rounds)
        for name in runs:
            sizes[name] = os.path.getsize(os.path.join(folder, f"{name}.parquet")) / n
        best = min((name for name in runs if name != "ccpq"), key=lambda name: runs[name].median)
        ratio = runs[best].ratio(runs["ccpq"])
        table(
            f"Columns: {shape}. {n:,} rows, zstd {level}",
            ("", "M rows/s", "spread", "bytes a row", "MiB more", "of ccpq's time"),
            [(name, f"{n / r.median / 1e6:.2f}", f"{r.spread:.0f} %", f"{sizes[name]:.2f}", f"{growth(__file__, shape, name, n, level):.1f}",
              "" if name == "ccpq" else times(r.ratio(runs["ccpq"])))
             for name, r in runs.items()],
            [f"ratio to the fastest peer ({best}): {times(ratio)}"],
        )  # fmt: skip
        found[shape] = {"ratio": ratio, "fastest": best, "rows_per_second": {name: n / r.median for name, r in runs.items()},
                        "bytes_per_row": sizes, "spread_percent": {name: r.spread for name, r in runs.items()}}  # fmt: skip
    return found


def main(shape, route, n, level):
    """Memory of one route: the arrays made, everything imported and used once before."""
    make, work = SHAPES[shape][0], routes(shape)[route]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "columns.parquet")
        data, few = make(int(n)), make(1000)
        work(few, path, int(level))
        print_growth(lambda: work(data, path, int(level)))


if __name__ == "__main__":
    main(*sys.argv[1:])
