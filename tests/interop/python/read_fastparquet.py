"""Reads Parquet files with fastparquet and prints every value in the canonical form, as far as the pandas types tell it.

fastparquet gives no logical types for object columns: text is `string`, bytes are `binary`. JSON is parsed by it; what it
makes of a text is shown as compact JSON again.
"""

import json
import sys
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import fastparquet  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from interop_values import column, main, tell_int  # noqa: E402


@lru_cache(maxsize=1)
def opened(path):
    return fastparquet.ParquetFile(path)


def known(s):
    """Values with None for what pandas calls missing; a NaN of a plain float column is a NaN."""
    missing = s.isna()
    return [None if m else v for v, m in zip(s.tolist(), missing.tolist())] if missing.any() else s.tolist()


def read(path, name):
    s = opened(path).to_pandas([name])[name]
    t = s.dtype
    if pd.api.types.is_bool_dtype(t):
        return column("bool", known(s))
    if pd.api.types.is_integer_dtype(t):
        return column("int", known(s), bits=t.itemsize * 8, signed=pd.api.types.is_signed_integer_dtype(t))
    if pd.api.types.is_float_dtype(t):
        values = known(s) if isinstance(t, pd.api.extensions.ExtensionDtype) else s.tolist()
        return column("float", values, bits=t.itemsize * 8)
    if t.kind in "mM":
        utc = isinstance(t, pd.DatetimeTZDtype)
        unit = t.unit if utc else np.datetime_data(t)[0]
        raw = (s.dt.tz_convert(None) if utc else s).to_numpy().view("int64").tolist()
        values = [None if v == np.iinfo("int64").min else v for v in raw]
        facts = {"utc": True} if utc else {}  # without a zone it tells nothing
        return column("timestamp" if t.kind == "M" else "time", values, tell_int, unit=unit, **facts)
    values = known(s)
    some = next((v for v in values if v is not None), None)
    if isinstance(some, bytes):
        return column("binary", values)
    if isinstance(some, str) or some is None:
        return column("string", values)
    if isinstance(some, (dict, list, int, float, bool)):
        text = [None if v is None else json.dumps(v, separators=(",", ":"), ensure_ascii=False) for v in values]
        return column("json", text)
    raise TypeError(f"column of type {t} with a {type(some).__name__}")


main("fastparquet", fastparquet.__version__, lambda path: opened(path).columns, read)
