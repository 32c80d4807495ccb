"""File sizes at equal codec level: ccpq with its defaults against the best of pyarrow's settings, Polars and DuckDB.

Data: the job metrics of 32 real nodes (where the shared test data is), sorted by host and metric, and a demo archive of
fritz nodes. Peers get groups of 1,048,576 rows; of pyarrow all combinations of what is known to matter are tried, and the
smallest counts. Values are float32; samples that are missing have no row.
"""

import gzip
import itertools
import json
import os

from archive_case import GROUP, STRINGS, archive, written
from measure import table
from rows_case import NAMES, SCHEMA, arrow_schema

LEVELS = (1, 3, 9)


def real_rows(path):
    with gzip.open(path) as f:
        metrics = json.load(f)
    series = sorted(
        (s["hostname"], metric, scope, part["timestep"], s["data"])
        for metric, scopes in metrics.items() for scope, part in scopes.items() for s in part["series"]
    )  # fmt: skip
    for host, metric, scope, step, data in series:
        for i, v in enumerate(data):
            if v is not None:
                yield "emmy", host, metric, scope, "", 1_700_000_000 + i * step, step, v


def as_table(rows):
    import pyarrow as pa

    schema = arrow_schema()
    return pa.table([pa.array(c, f.type) for c, f in zip(zip(*rows), schema)], schema=schema)


def pyarrow_settings():
    delta = {"timestamp": "DELTA_BINARY_PACKED", "frequency": "DELTA_BINARY_PACKED"}
    for value, pages, limit in itertools.product(("dictionary", "BYTE_STREAM_SPLIT", "PLAIN"), (1 << 20, 1 << 17), (1 << 20, 1 << 23)):
        if value == "dictionary":
            options = {"use_dictionary": [*STRINGS, "value"], "column_encoding": delta}
        else:
            options = {"use_dictionary": STRINGS, "column_encoding": {**delta, "value": value}}
        name = f"{value.lower()} values, delta timestamp, pages of {pages >> 10} KiB, dictionaries to {limit >> 20} MiB"
        yield name, {**options, "data_page_size": pages, "dictionary_pagesize_limit": limit}
    yield "defaults", {}


def sizes(rows, folder, level):
    """name -> bytes."""
    import pyarrow.parquet as pq

    path = os.path.join(folder, "peer.parquet")
    found = {}
    for name, options in pyarrow_settings():
        pq.write_table(rows, path, compression="zstd", compression_level=level, row_group_size=GROUP, store_schema=False, **options)
        found[f"pyarrow, {name}"] = os.path.getsize(path)
    try:
        import polars as pl

        pl.from_arrow(rows).write_parquet(path, compression="zstd", compression_level=level, row_group_size=GROUP)
        found["polars"] = os.path.getsize(path)
    except ImportError:
        pass
    try:
        import duckdb

        with duckdb.connect(config={"threads": 1}) as c:
            c.register("t", rows)
            for version in ("v1", "v2"):
                c.execute(f"copy t to '{path}' (format parquet, compression zstd, compression_level {level}, row_group_size {GROUP}, "
                          f"parquet_version {version})")
                found[f"duckdb {version}"] = os.path.getsize(path)
    except ImportError:
        pass
    return found


def show(title, n, ours, peers, found):
    for level in LEVELS:
        best = min(peers[level], key=peers[level].get)
        pick = {best}
        pick |= {min((p for p in peers[level] if p.startswith(start)), key=peers[level].get, default=best)
                 for start in ("pyarrow, dict", "pyarrow, byte", "pyarrow, plain", "pyarrow, def", "polars", "duckdb")}  # fmt: skip
        rows = [("ccpq", f"{ours[level]:,}", f"{ours[level] / n:.3f}", "")]
        rows += [(name, f"{size:,}", f"{size / n:.3f}", f"{size / ours[level]:.3f}x")
                 for name, size in sorted(peers[level].items(), key=lambda p: p[1]) if name in pick]  # fmt: skip
        table(f"Size: {title}, {n:,} rows, zstd {level}", ("", "bytes", "B/row", "of ccpq's"), rows)
        found[f"{title}, zstd {level}"] = {"ccpq": ours[level], "best": best, "ratio": peers[level][best] / ours[level], "rows": n}


def run(folder, data, hosts):
    import ccpq
    import pyarrow.parquet as pq
    from ccpq._demo import write_tree

    found = {}
    path = os.path.join(folder, "ours.parquet")
    real = os.path.join(data, "job-metrics", "emmy-haswell-32-nodes.json.gz") if data else ""
    if os.path.exists(real):
        rows = as_table(real_rows(real))
        ours = {}
        for level in LEVELS:
            with ccpq.Writer(path, SCHEMA, compression_level=level, sorting_columns=NAMES[:6], overwrite=True) as w:
                w.write_rows(real_rows(real))
            ours[level] = w.report.bytes
        show("32 real nodes", rows.num_rows, ours, {level: sizes(rows, folder, level) for level in LEVELS}, found)
    else:
        print("\nSize: no real job metrics here (CCPQ_TEST_DATA names the folder of test data)")

    tree, target = os.path.join(folder, "tree"), os.path.join(folder, "archive")
    write_tree(tree, hosts=hosts, clusters=["fritz"], files=2, samples=720)
    ours = {}
    for level in LEVELS:
        archive(tree, target, level)
        ours[level] = os.path.getsize(written(target))
    rows = pq.read_table(written(target))
    show("demo archive", rows.num_rows, ours, {level: sizes(rows, folder, level) for level in LEVELS}, found)
    return found
