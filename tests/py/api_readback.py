"""Writing and reading back for the tests of the contract (test_api_*.py): whole files in memory, values as Python objects.

`read` decodes what the oracle finds stored, by the type's own rule, and holds it against pyarrow where that is installed:
the two must agree. Columns in nanoseconds are shown as the stored integers, because datetime has no nanoseconds.
"""

import datetime as dt
import io
import json
import math
import re
import uuid
from decimal import Decimal

import ccpq
import model
import pytest

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:
    pa = pq = None

UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1)
MICROS = {"s": 1000, "ms": 1000, "us": 1}  # of the stored unit: seconds are stored in milliseconds


def write(schema, rows, method="write_rows", **options):
    """The bytes of a file with these rows."""
    f = io.BytesIO()
    with ccpq.Writer(f, schema, **options) as w:
        getattr(w, method)(rows)
    return f.getvalue()


def from_stored(kind, v):
    """What a stored value means. `kind`: canonical type without a mark."""
    base, unit, utc = re.match(r"(\w+)(?:\[(\w+)(, UTC)?\])?", kind).groups()
    if v is None or unit == "ns":
        return v
    if base == "date":
        return EPOCH.date() + dt.timedelta(days=v)
    if base == "time":
        t = (EPOCH + dt.timedelta(microseconds=v * MICROS[unit])).time()
        return t.replace(tzinfo=UTC) if utc else t
    if base == "timestamp":
        t = EPOCH + dt.timedelta(microseconds=v * MICROS[unit])
        return t.replace(tzinfo=UTC) if utc else t
    if base == "decimal":
        scale = int((re.search(r", *(\d+)\)", kind) or [0, 0])[1])
        return Decimal((v < 0, tuple(map(int, str(abs(v)))), -scale))
    if base == "uuid":
        return uuid.UUID(bytes=bytes(v))
    if base in ("json", "enum") and isinstance(v, bytes):
        return v.decode()
    return v


def by_pyarrow(data):
    """Columns of stored integers where the type has them, else of Python objects; json, enum and uuid as they are stored."""
    found = {}
    with pq.ParquetFile(io.BytesIO(data), page_checksum_verification=True) as f:
        table = f.read(use_threads=False)
    table.validate(full=True)
    for name, column in zip(table.column_names, table.columns):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
        if isinstance(column.type, pa.BaseExtensionType):
            column = column.storage
        t = column.type
        if pa.types.is_timestamp(t) or pa.types.is_time64(t):
            column = column.cast(pa.int64())
        elif pa.types.is_time32(t) or pa.types.is_date32(t):
            column = column.cast(pa.int32())
        found[name] = column.to_pylist()
    return found


def plain(v):
    """For comparing across readers: any NaN is the same, -0.0 is not 0.0, True is not 1, text is its bytes."""
    if isinstance(v, float):
        return "NaN" if math.isnan(v) else ("float", v, math.copysign(1, v))
    if isinstance(v, Decimal):
        return v.as_tuple()
    return (type(v), v) if isinstance(v, bool) else v.encode() if isinstance(v, str) else v


def read(data, schema, profile="default"):
    """Name -> values as Python objects, by the oracle behind its validator and by pyarrow."""
    model.validate(data, profile=profile)
    stored = model.read_table(data)
    kinds = {f.name: f.type for f in ccpq.schema(schema).fields}
    assert list(stored) == list(kinds)
    if pa is not None:
        for name, values in by_pyarrow(data).items():
            mine = stored[name]
            if kinds[name].startswith("decimal"):
                mine = [from_stored(kinds[name], v) for v in mine]
            assert [*map(plain, values)] == [*map(plain, mine)], f"pyarrow and the oracle differ in {name}"
    return {name: [from_stored(kinds[name], v) for v in values] for name, values in stored.items()}


def same(found, expected, kind):
    """Equal values of equal types; json is compared as text."""
    assert [*map(plain, found)] == [*map(plain, expected)], kind
    for f, e in zip(found, expected):
        assert f is None or type(f) is type(e), (kind, f, e)


def column(type_, values, method="write_rows", **options):
    """The values of a file with one column, written as rows, as a group or as a column."""
    given = {"c": values} if method == "write_columns" else [(v,) for v in values]
    return read(write({"c": type_}, given, method, **options), {"c": type_})["c"]


def refused(type_, value, cls, *words, method="write_rows", **options):
    """The RowError of a value in a column of its own; every attribute is checked."""
    given = {"c": [value]} if method == "write_columns" else [(value,)]
    with pytest.raises(cls) as info:
        write({"c": type_}, given, method, **options)
    e = info.value
    assert isinstance(e, ccpq.RowError) and isinstance(e, ccpq.Error)
    assert isinstance(e, (TypeError, ValueError, OverflowError))
    assert (e.row, e.row_in_call, e.column, e.rows_written) == (0, 0, "c", 0)
    assert e.value is value
    text = str(e)
    assert text.startswith("row 0 of this call (row 0 of the file), column 'c': ")
    for word in words:
        assert word in text
    return e


def compact(x):
    """JSON text as the json type stores dicts and lists."""
    return json.dumps(x, separators=(",", ":"), ensure_ascii=False)


def need(*names):
    """The modules, or a skip where one is absent."""
    found = [pytest.importorskip(n) for n in names]
    return found if len(found) > 1 else found[0]
