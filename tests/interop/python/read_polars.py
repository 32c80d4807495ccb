"""Reads Parquet files with the reader of Polars and prints every value in the canonical form."""

import sys
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import polars as pl  # noqa: E402
from interop_values import column, main  # noqa: E402


@lru_cache(maxsize=1)
def names(path):
    return list(pl.read_parquet_schema(path))


def read(path, name):
    s = pl.read_parquet(path, columns=[name], use_pyarrow=False).to_series()
    t = s.dtype
    if t == pl.Boolean:
        return column("bool", s.to_list())
    if t.is_integer():
        text = str(t)
        return column("int", s.to_list(), bits=int(text.lstrip("UInt")), signed=text[0] == "I")
    if t.is_float():
        return column("float", s.to_list(), bits=int(str(t)[5:]))
    if t.is_decimal():
        return column("decimal", s.to_list(), precision=t.precision, scale=t.scale)
    if t == pl.Date:
        return column("date", s.to_physical().to_list())
    if t == pl.Time:
        return column("time", s.to_physical().to_list(), unit="ns")
    if t == pl.Datetime:
        return column("timestamp", s.to_physical().to_list(), unit=t.time_unit, utc=t.time_zone is not None)
    if t == pl.String:
        return column("string", s.to_list())
    if t == pl.Binary:
        return column("binary", s.to_list())
    raise TypeError(f"column of type {t}")


main("polars", pl.__version__, names, read)
