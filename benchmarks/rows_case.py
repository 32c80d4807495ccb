"""Rows from a generator into a file: what a row costs beyond making it, ccpq against pyarrow's fastest routes.

The rows are metric samples of eight columns, series after series, as tuples, dicts, dataclasses and from a cursor of sqlite3.
The names are shared between rows (a collector keeps them) or made anew for every row (a parser does not). Generators run in
the measured time, since that is how rows come, and the median of exhausting them alone is taken away.
"""

import os
import sqlite3
import sys
import tempfile
from collections import deque
from dataclasses import make_dataclass
from itertools import islice
from operator import attrgetter, itemgetter

from measure import alternate, growth, print_growth, table, times

SCHEMA = {"cluster": "string", "hostname": "string", "metric": "string", "scope": "string", "scope_id": "string",
          "timestamp": "int64", "frequency": "int64", "value": "float32"}  # fmt: skip
NAMES = tuple(SCHEMA)
STRINGS = NAMES[:5]
SAMPLES = 720
BATCH = 131_072
METRICS = ("clock", "cpu_load", "cpu_user", "flops_any", "flops_dp", "ipc", "mem_bw", "mem_used", "rapl_power")

# Two decimals around a level, as sensors give them; a prime length, so that no series repeats another.
VALUES = [round(50 + 40 * (i * i % 9973 / 9973) ** 2 + (i * 7919 % 100) / 10, 2) for i in range(99_991)]


def series(n):
    """(host, metric, first timestamp, index of the first value, number of rows) of n rows."""
    for k in range(-(-n // SAMPLES)):
        yield f"f{k // len(METRICS):04d}", METRICS[k % len(METRICS)], 1_700_000_000, k * SAMPLES, min(SAMPLES, n - k * SAMPLES)


def shared_tuples(n):
    values, m = VALUES, len(VALUES)
    for host, metric, start, at, count in series(n):
        for i in range(count):
            yield "fritz", host, metric, "core", "core17", start + 60 * i, 60, values[(at + i) % m]


def fresh_tuples(n):
    """Concatenation makes a new str each time."""
    values, m = VALUES, len(VALUES)
    z, e, seven = "z", "e", "17"
    for host, metric, start, at, count in series(n):
        h, t, k, x = host[:-1], host[-1:], metric[:-1], metric[-1:]
        for i in range(count):
            yield "frit" + z, h + t, k + x, "cor" + e, "core" + seven, start + 60 * i, 60, values[(at + i) % m]


def shared_dicts(n):
    for c, h, m, s, d, t, f, v in shared_tuples(n):
        yield {"cluster": c, "hostname": h, "metric": m, "scope": s, "scope_id": d, "timestamp": t, "frequency": f, "value": v}


def fresh_dicts(n):
    for c, h, m, s, d, t, f, v in fresh_tuples(n):
        yield {"cluster": c, "hostname": h, "metric": m, "scope": s, "scope_id": d, "timestamp": t, "frequency": f, "value": v}


Sample = make_dataclass("Sample", NAMES, slots=True)
Open = make_dataclass("Open", NAMES)


def slotted(n):
    for row in shared_tuples(n):
        yield Sample(*row)


def dataclasses(n):
    for row in shared_tuples(n):
        yield Open(*row)


def cursor(n):
    """A table of n rows; sqlite3 makes new strings for every row."""
    db = DATABASES.get(n)
    if db is None:
        db = DATABASES[n] = sqlite3.connect(":memory:")
        db.execute(f"create table samples ({', '.join(NAMES)})")
        db.executemany(f"insert into samples values ({', '.join('?' * len(NAMES))})", shared_tuples(n))
    return db.execute("select * from samples")


DATABASES = {}
SHAPES = {
    "tuples, shared strings": shared_tuples, "tuples, fresh strings": fresh_tuples,
    "dicts, shared strings": shared_dicts, "dicts, fresh strings": fresh_dicts,
    "dataclasses with slots": slotted, "dataclasses": dataclasses, "sqlite3 cursor": cursor,
}  # fmt: skip


def arrow_schema():
    import pyarrow as pa

    kinds = {"string": pa.string(), "int64": pa.int64(), "float32": pa.float32()}
    return pa.schema([pa.field(k, kinds[t], nullable=False) for k, t in SCHEMA.items()])


def by_ccpq(rows, path, level):
    import ccpq

    with ccpq.Writer(path, SCHEMA, compression_level=level, memory_limit="16MiB", durability="none", overwrite=True) as w:
        w.write_rows(rows)


def _pyarrow(rows, path, level, convert, **options):
    import pyarrow.parquet as pq

    schema = arrow_schema()
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=level, **options) as w:
        while batch := list(islice(rows, BATCH)):
            w.write_batch(convert(batch, schema))


def _transposed(batch, schema):
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([pa.array(c, f.type) for c, f in zip(zip(*batch), schema)], schema=schema)


def _picked(batch, schema):
    return _transposed(map(itemgetter(*NAMES), batch), schema)


def _attributes(batch, schema):
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([pa.array([getattr(r, f.name) for r in batch], f.type) for f in schema], schema=schema)


def _got(batch, schema):
    return _transposed(map(attrgetter(*NAMES), batch), schema)


def _from_pylist(batch, schema):
    import pyarrow as pa

    return pa.RecordBatch.from_pylist(batch, schema)


# Default settings, and the settings that spare it dictionaries that do not pay.
SPARING = {"use_dictionary": list(STRINGS)}
ROUTES = {
    "tuples": {
        "pyarrow zip(*batch)": lambda *a: _pyarrow(*a, _transposed),
        "pyarrow zip(*batch), strings as dictionary": lambda *a: _pyarrow(*a, _transposed, **SPARING),
    },
    "dicts": {
        "pyarrow from_pylist": lambda *a: _pyarrow(*a, _from_pylist),
        "pyarrow itemgetter, zip(*batch)": lambda *a: _pyarrow(*a, _picked),
        "pyarrow itemgetter, zip(*batch), strings as dictionary": lambda *a: _pyarrow(*a, _picked, **SPARING),
    },
    "dataclasses": {
        "pyarrow, a list for each column": lambda *a: _pyarrow(*a, _attributes),
        "pyarrow attrgetter, zip(*batch)": lambda *a: _pyarrow(*a, _got),
        "pyarrow attrgetter, zip(*batch), strings as dictionary": lambda *a: _pyarrow(*a, _got, **SPARING),
    },
}
ROUTES["sqlite3"] = ROUTES["tuples"]


def routes(shape):
    return {"ccpq": by_ccpq, **ROUTES[shape.replace(",", "").split()[0]]}


def run(folder, n, rounds, level):
    found = {}
    for shape, make in SHAPES.items():
        path = os.path.join(folder, "rows.parquet")
        contenders = {"generator": lambda make=make: deque(make(n), maxlen=0)}
        for name, route in routes(shape).items():
            contenders[name] = lambda make=make, route=route: route(make(n), path, level)
        runs = alternate(contenders, rounds)
        net = {name: runs[name].less(runs["generator"]) for name in runs if name != "generator"}
        best = min((name for name in net if name != "ccpq"), key=lambda name: net[name].median)
        ratio = net[best].ratio(net["ccpq"])
        table(
            f"Rows: {shape}. {n:,} rows, zstd {level}; the generator alone takes {runs['generator'].median / n * 1e9:.0f} ns a row",
            ("", "ns a row", "spread", "M rows/s, all", "MiB more", "of ccpq's time"),
            [(name, f"{r.median / n * 1e9:.0f}", f"{r.spread:.0f} %", f"{n / runs[name].median / 1e6:.2f}",
              f"{growth(__file__, shape, name, n, level):.1f}", "" if name == "ccpq" else times(r.ratio(net["ccpq"])))
             for name, r in net.items()],
            [f"ratio to pyarrow's fastest: {times(ratio)}"],
        )  # fmt: skip
        found[shape] = {"ratio": ratio, "ns": {name: r.median / n * 1e9 for name, r in net.items()},
                        "spread_percent": {name: r.spread for name, r in net.items()},
                        "generator_ns": runs["generator"].median / n * 1e9}  # fmt: skip
    return found


def main(shape, route, n, level):
    """Memory of one route: everything imported and used once before."""
    work = routes(shape)[route]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows.parquet")
        work(SHAPES[shape](1000), path, int(level))
        rows = SHAPES[shape](int(n))  # the database of a cursor is made here
        print_growth(lambda: work(rows, path, int(level)))


if __name__ == "__main__":
    main(*sys.argv[1:])
