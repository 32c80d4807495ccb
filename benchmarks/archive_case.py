"""The archive job against a writer that has nothing to read: a tree of checkpoints into one sorted file, beside pyarrow
writing the very same rows from memory.

pyarrow's table is built before the clock starts, with dictionary arrays for the names (its fastest input) and plain arrays
for the numbers. ccpq reads, checks, merges and sorts the checkpoints within 32 MiB, and writes the list of its sources too.
"""

import os
import shutil

from measure import alternate, table, times

GROUP = 1_048_576
STRINGS = ["cluster", "hostname", "metric", "scope", "scope_id"]
CUTOFF = 2_000_000_000


def archive(tree, target, level):
    import ccpq

    shutil.rmtree(target, ignore_errors=True)
    report = ccpq.archive_checkpoints(tree, target, cutoff=CUTOFF, compression_level=level, durability="none")
    report.raise_for_errors()
    return report


def written(target):
    """The one Parquet file of an archive of one cluster."""
    [path] = [os.path.join(d, name) for d, _, names in os.walk(target) for name in names if name.endswith(".parquet")]
    return path


SETTINGS = {
    "pyarrow, defaults": {},
    "pyarrow, strings as dictionary": {"use_dictionary": STRINGS},
    "pyarrow, delta timestamp": {"use_dictionary": [*STRINGS, "value"], "column_encoding": {"timestamp": "DELTA_BINARY_PACKED", "frequency": "DELTA_BINARY_PACKED"}},
}


def run(folder, hosts, rounds, level):
    import pyarrow.parquet as pq
    from ccpq._demo import write_tree

    found = {}
    for kind in ("bin", "json"):
        tree, target, path = (os.path.join(folder, kind, name) for name in ("tree", "archive", "peer.parquet"))
        made = write_tree(tree, hosts=hosts, clusters=["fritz"], files=2, samples=720, format=kind)
        report = archive(tree, target, level)
        with pq.ParquetFile(written(target), read_dictionary=STRINGS) as f:
            rows = f.read().unify_dictionaries().combine_chunks()
        assert rows.num_rows == report.rows

        def peer(options, rows=rows, path=path):
            pq.write_table(rows, path, compression="zstd", compression_level=level, row_group_size=GROUP, store_schema=False, **options)

        contenders = {"ccpq, the whole job": lambda tree=tree, target=target: archive(tree, target, level)}
        for name, options in SETTINGS.items():
            contenders[name] = lambda options=options, peer=peer: peer(options)
        runs = alternate(contenders, rounds)
        ours = runs["ccpq, the whole job"]
        sizes = {"ccpq, the whole job": os.path.getsize(written(target))}
        for name, options in SETTINGS.items():
            peer(options)
            sizes[name] = os.path.getsize(path)
        best = min(SETTINGS, key=lambda name: runs[name].median)
        table(
            f"Archive: .{kind}, {hosts} hosts, {made.bytes / 1e6:.1f} MB in {made.files} files, {report.rows:,} rows, zstd {level}",
            ("", "seconds", "spread", "M rows/s", "B/row", "of ccpq's time"),
            [(name, f"{r.median:.3f}", f"{r.spread:.0f} %", f"{report.rows / r.median / 1e6:.2f}", f"{sizes[name] / report.rows:.3f}",
              "" if r is ours else times(r.ratio(ours))) for name, r in runs.items()],
            [f"ratio to pyarrow's fastest, which reads nothing: {times(runs[best].ratio(ours))}; peak of ccpq's budget "
             f"{report.peak_memory / 2**20:.1f} MiB"],
        )  # fmt: skip
        found[kind] = {"ratio": runs[best].ratio(ours), "rows": report.rows, "seconds": {n: r.median for n, r in runs.items()},
                       "spread_percent": {n: r.spread for n, r in runs.items()}, "bytes": sizes}  # fmt: skip
        shutil.rmtree(os.path.join(folder, kind))
    return found
