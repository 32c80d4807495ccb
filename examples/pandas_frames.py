"""Writes pandas frames one after another into one file: more rows than fit in memory, frame by frame.

pandas has one mark for "no value" and for "not a number", and hands NaN over as null: columns that may have it are optional.

    python pandas_frames.py out.parquet [frames]
"""

import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd

import ccpq


def frames(n: int, rows: int = 20_000) -> Iterator[pd.DataFrame]:
    """As pandas.read_csv(..., chunksize=...) gives them."""
    rng = np.random.default_rng(3)
    for i in range(n):
        at = pd.date_range("2024-01-01", periods=rows, freq="s", tz="UTC") + pd.Timedelta(rows * i, "s")
        load = rng.gamma(2, 10, rows).round(1)
        load[rng.random(rows) < 0.02] = np.nan
        yield pd.DataFrame({"at": at, "host": pd.Categorical(rng.choice(["f01", "f02", "f03"], rows)), "load": load})


def main(path: str, n: int) -> None:
    schema = {"host": "string?", "at": "timestamp[us, UTC]?", "load": "float64?"}  # columns are matched by name
    with ccpq.Writer(path, schema, memory_limit="32MiB", overwrite=True) as w:
        for frame in frames(n):
            w.write_arrow(frame)
    print(w.report)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "out.parquet", int(sys.argv[2]) if len(sys.argv) > 2 else 10)
