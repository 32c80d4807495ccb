"""Writes the result of a Polars query; its schema is the file's.

    python polars_frames.py out.parquet
"""

import sys

import polars as pl

import ccpq


def query(n: int = 200_000) -> pl.DataFrame:
    i = pl.int_range(n)
    return pl.select(
        host=pl.format("f{}", i % 40).cast(pl.Categorical),
        at=pl.datetime(2024, 1, 1, time_zone="UTC") + pl.duration(seconds=i),
        load=(i % 977 / 10).cast(pl.Float32),
        job=pl.when(i % 7 > 0).then(i // 100),
    ).sort("host", "at")


def main(path: str) -> None:
    frame = query()
    with ccpq.Writer(path, ccpq.schema(frame), memory_limit="32MiB", sorting_columns=["host", "at"], overwrite=True) as w:
        w.write_arrow(frame)
    print(w.schema)
    print(w.report)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "out.parquet")
