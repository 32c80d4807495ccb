"""Ratios to the peers: the same rows, at the same codec level, written by ccpq, pyarrow and polars.

    benchmarks/run.py [--rows N] [--repeat N] [--json FILE]

Each case is a process of its own, so that memory is its own too: seconds are the least of the repeats, memory is the
growth of the process's peak over what it was with all libraries imported and the first row made. The rows come from a
generator, in time order per series, as a collector would give them; "rows only" is the cost of the generator, which every
case pays. Peers collect rows in batches of 65,536 and convert them by their own means. Ratios are to pyarrow.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import islice

SCHEMA = {"cluster": "string", "hostname": "string", "metric": "string", "scope": "string",
          "scope_id": "string?", "timestamp": "int64", "frequency": "int64", "value": "float32?"}
METRICS = ("cpu_load", "flops_any", "mem_bw", "mem_used", "net_bw")
BATCH = 65_536
LEVEL = 3


def rows(n):
    """n rows: hosts with five metrics of 1,440 samples each, one in fifty missing."""
    made = 0
    for host in range(n // (len(METRICS) * 1440) + 1):
        name = f"f{host:04d}"
        for k, metric in enumerate(METRICS):
            for i in range(1440):
                if made == n:
                    return
                made += 1
                x = (i * 7 + host * 13 + k) % 97
                value = None if x == 0 or x == 50 else round(50 + 40 * math.sin((i + host) / 60) + x / 10, 2)
                yield "fritz", name, metric, "node", None, 1_700_000_000 + 60 * i, 60, value


def batches(n):
    source = rows(n)
    while batch := list(islice(source, BATCH)):
        yield {name: list(column) for name, column in zip(SCHEMA, zip(*batch))}


def case_rows_only(n, path):
    for _ in rows(n):
        pass


def case_ccpq(n, path):
    import ccpq

    with ccpq.Writer(path, SCHEMA, compression_level=LEVEL, memory_limit="32MiB", durability="none") as w:
        w.write_rows(rows(n))


def case_pyarrow(n, path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"string": pa.string(), "int64": pa.int64(), "float32": pa.float32()}
    schema = pa.schema([pa.field(k, types[t.rstrip("?")], nullable=t.endswith("?")) for k, t in SCHEMA.items()])
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=LEVEL) as w:
        for batch in batches(n):
            w.write_table(pa.table(batch, schema=schema))


def case_polars(n, path):
    import polars as pl

    types = {"string": pl.String, "int64": pl.Int64, "float32": pl.Float32}
    schema = {k: types[t.rstrip("?")] for k, t in SCHEMA.items()}
    frames = [pl.DataFrame(batch, schema=schema) for batch in batches(n)]
    pl.concat(frames).write_parquet(path, compression="zstd", compression_level=LEVEL)


CASES = {"rows only": case_rows_only, "ccpq": case_ccpq, "pyarrow": case_pyarrow, "polars": case_polars}


def child(name, n, repeat):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.parquet")
        CASES[name](1, path)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seconds = []
        for _ in range(repeat):
            if os.path.exists(path):
                os.remove(path)
            start = time.perf_counter()
            CASES[name](n, path)
            seconds.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        size = os.path.getsize(path) if os.path.exists(path) else 0
    print(json.dumps({"case": name, "rows": n, "seconds": min(seconds), "bytes": size, "mib": (after - before) / 1024}))


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--rows", type=int, default=1_000_000)
    args.add_argument("--repeat", type=int, default=3)
    args.add_argument("--json", help="also write the figures to this file")
    args.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    args = args.parse_args()
    if args.case:
        return child(args.case, args.rows, args.repeat)

    found = []
    for name in CASES:
        done = subprocess.run([sys.executable, __file__, "--case", name, "--rows", str(args.rows),
                               "--repeat", str(args.repeat)], stdout=subprocess.PIPE, text=True)
        if done.returncode:
            print(f"{name}: failed", file=sys.stderr)
            continue
        found.append(json.loads(done.stdout.splitlines()[-1]))
    base = next((f for f in found if f["case"] == "pyarrow"), None)
    print(f"{args.rows:,} rows, zstd {LEVEL}, least of {args.repeat}")
    print(f"{'':12}{'seconds':>9}{'rows/s':>12}{'B/row':>8}{'MiB more':>10}{'time':>8}{'size':>8}")
    for f in found:
        ratio = "" if not (base and f["bytes"]) else (
            f"{f['seconds'] / base['seconds']:>7.2f}x{f['bytes'] / base['bytes']:>7.2f}x")
        print(f"{f['case']:12}{f['seconds']:>9.2f}{f['rows'] / f['seconds']:>12,.0f}{f['bytes'] / f['rows']:>8.2f}"
              f"{f['mib']:>10.1f}{ratio}")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as out:
            json.dump(found, out, indent=1)
            out.write("\n")
    return 0 if len(found) == len(CASES) else 1


if __name__ == "__main__":
    sys.exit(main())
