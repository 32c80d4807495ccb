"""Reads Parquet files with pyarrow and prints every value in the canonical form. Checksums of pages are checked."""

import re
import sys
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from interop_values import column, main  # noqa: E402


@lru_cache(maxsize=1)
def opened(path):
    return pq.ParquetFile(path, page_checksum_verification=True)


def read(path, name):
    a = opened(path).read([name], use_threads=False).column(0)
    t, kind = a.type, None
    if isinstance(t, pa.BaseExtensionType):
        kind = {"arrow.uuid": "uuid", "arrow.json": "json"}[t.extension_name]
        a = pa.chunked_array([c.storage for c in a.chunks], t.storage_type)
        t = a.type
    if kind is not None:
        return column(kind, a.to_pylist())
    if pa.types.is_boolean(t):
        return column("bool", a.to_pylist())
    if pa.types.is_integer(t):
        return column("int", a.to_pylist(), bits=t.bit_width, signed=pa.types.is_signed_integer(t))
    if pa.types.is_floating(t):
        return column("float", a.to_pylist(), bits=t.bit_width)
    if pa.types.is_decimal(t):
        return column("decimal", a.to_pylist(), precision=t.precision, scale=t.scale)
    if pa.types.is_date32(t):
        return column("date", a.cast(pa.int32()).to_pylist())
    if pa.types.is_time(t):
        ints = a.cast(pa.int32() if t.bit_width == 32 else pa.int64())
        return column("time", ints.to_pylist(), unit=t.unit)
    if pa.types.is_timestamp(t):
        return column("timestamp", a.cast(pa.int64()).to_pylist(), unit=t.unit, utc=t.tz is not None)
    if pa.types.is_string(t) or pa.types.is_large_string(t):
        return column("string", a.to_pylist())
    if pa.types.is_fixed_size_binary(t):
        return column("binary", a.to_pylist(), length=t.byte_width)
    if pa.types.is_binary(t):
        return column("binary", a.to_pylist())
    raise TypeError(f"column of type {t}")


main("pyarrow", re.sub(r"\+.*", "", pa.__version__), lambda path: opened(path).schema_arrow.names, read)
