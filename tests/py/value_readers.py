"""Readers for the value tests: the oracle, pyarrow, DuckDB and Polars give columns in the stored form (value_cases.py), and
count rows under filters.

`same` compares bit for bit, except that any NaN equals any other; `check` does it for all readers behind the strict
validator; `check_filter` holds the counts against Python's own, which fails where a bound in the file is wrong. Foreign
readers give Arrow, whose units `of_arrow` brings back to the stored ones. What a reader cannot do is in KNOWN and
UNFILTERED, one by one: each is asserted to be so still.
"""

import decimal
import functools
import os
import re
import uuid
from dataclasses import dataclass
from typing import Callable, Optional

import model
import pytest
from value_cases import FLOATS, PER_SECOND, facts, forms

INFINITY = 2**63 - 1  # DuckDB's timestamps of any unit, with either sign
EXACT = decimal.Context(prec=80, traps=[decimal.Inexact, decimal.InvalidOperation])


def by_model(path, names=None):
    found = model.read_table(path)
    return found if names is None else {n: found[n] for n in names}


# Arrow, and from it the stored form.


def arrow_by_pyarrow(path, names=None):
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, page_checksum_verification=True) as f:
        # By number: a name with a point would be a path.
        numbers = {f.schema.column(i).path: i for i in range(len(f.schema.names))}
        found = f.read(use_threads=False)
    assert list(numbers) == found.column_names
    found.validate(full=True)
    return found if names is None else found.select([numbers[n] for n in names])


@functools.lru_cache(maxsize=None)
def duckdb_connection():
    """One for all: to open another takes longer than to read a file."""
    import duckdb

    c = duckdb.connect(config={"threads": 1, "enable_external_file_cache": False})
    c.execute("set timezone = 'UTC'")
    return c


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def arrow_by_duckdb(path, names=None):
    what = "*" if names is None else ", ".join(map(quoted, names))
    return duckdb_connection().sql(f"select {what} from read_parquet(?)", params=[os.fspath(path)]).to_arrow_table()


def arrow_by_polars(path, names=None):
    import polars as pl

    return pl.read_parquet(path, columns=names).to_arrow()


def _integers(f, column):
    """Integers of a date, time or timestamp, in the stored unit."""
    import pyarrow as pa

    t = column.type
    if f.base == "date":
        assert t == pa.date32()
        return column.cast(pa.int32()).to_pylist()
    assert (pa.types.is_time if f.base == "time" else pa.types.is_timestamp)(t)
    if f.base == "timestamp":
        assert (t.tz in ("UTC", "Etc/UTC")) if f.utc else t.tz is None
    found = column.cast(pa.int32() if t.bit_width == 32 else pa.int64()).to_pylist()
    here, stored = PER_SECOND[t.unit], PER_SECOND[f.stored_unit]
    if here == stored:
        return found
    return [None if v is None else exact_ratio(v, stored, here) for v in found]


def exact_ratio(v, per, of):
    if abs(v) == INFINITY:
        return v
    q, rest = divmod(v * per, of)
    assert rest == 0, (v, per, of)
    return q


def of_arrow(kind, column):
    """A chunked array as stored values."""
    import pyarrow as pa

    f = facts(kind)
    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([c.storage for c in column.chunks], column.type.storage_type)
    if f.base in ("date", "time", "timestamp"):
        return _integers(f, column)
    if f.base == "int" or kind == "bool":
        assert column.type == (pa.bool_() if kind == "bool" else getattr(pa, kind)())
        return column.to_pylist()
    values = column.to_pylist()
    if f.base == "decimal":
        assert (column.type.precision, column.type.scale) == (f.n, f.scale)
        return [None if v is None else int(v.scaleb(f.scale, EXACT)) for v in values]
    if kind == "uuid" and not pa.types.is_fixed_size_binary(column.type) and not pa.types.is_large_binary(column.type):
        return [None if v is None else uuid.UUID(v).bytes for v in values]
    if f.is_text:
        return [v.decode() if isinstance(v, bytes) else v for v in values]
    return values


ARROW = {"pyarrow": arrow_by_pyarrow, "duckdb": arrow_by_duckdb, "polars": arrow_by_polars}
READERS = ("model", *ARROW)


def read(reader, path, kinds):
    """Name -> stored values of the columns in `kinds`, name -> type without a mark."""
    if reader == "model":
        return by_model(path, list(kinds))
    found = ARROW[reader](path, list(kinds))
    assert found.column_names == list(kinds), reader
    return {name: of_arrow(kind, found.column(i)) for i, (name, kind) in enumerate(kinds.items())}


# What readers cannot.


@dataclass(frozen=True)
class Known:
    """Values that a reader refuses, with this error, or shows as others."""

    reader: str
    kinds: str
    values: Callable
    error: str = ""
    shown: Optional[Callable] = None

    def concerns(self, reader, kind, values):
        return (reader == self.reader and re.fullmatch(self.kinds, kind) is not None
                and any(v is not None and self.values(v) for v in values))  # fmt: skip


KNOWN = (
    # DuckDB makes microseconds of milliseconds.
    Known("duckdb", r"timestamp\[m?s.*", lambda v: not -(2**63) <= v * 1000 < 2**63 and abs(v) != INFINITY,
          r"Could not convert Timestamp\(MS\) to Timestamp\(US\)"),  # fmt: skip
    # DuckDB has no time of a day in nanoseconds with UTC: it is cut.
    Known("duckdb", r"time\[ns, UTC\]", lambda v: v % 1000, shown=lambda v: v // 1000 * 1000),
)


def known(reader, kind, values):
    return next((k for k in KNOWN if k.concerns(reader, kind, values)), None)


# Comparing.


def canonical(kind, values):
    if kind not in FLOATS:
        return values
    s = FLOATS[kind]
    return [None if v is None else "NaN" if v != v else s.pack(v) for v in values]


def same(kinds, expected, found, reader):
    for name, kind in kinds.items():
        want, got = canonical(kind, expected[name]), canonical(kind, found[name])
        if want != got:
            i = next((i for i, (a, b) in enumerate(zip(want, got)) if a != b), min(len(want), len(got)))
            raise AssertionError(
                f"{reader}: column {name!r} ({kind}), {len(got)} of {len(want)} values, row {i}: "
                f"{expected[name][i : i + 1]} was written, {found[name][i : i + 1]} read")
        # True == 1 and no more than that.
        assert {type(v) for v in got} <= {type(v) for v in want} | {type(None)}, (reader, name)


def check_reader(reader, path, kinds, expected):
    """All columns by one reader, but those it is known to refuse, which it has to refuse."""
    kinds, expected = dict(kinds), dict(expected)
    for name, kind in list(kinds.items()):
        k = known(reader, kind, expected[name])
        if k is None:
            continue
        if k.error:
            with pytest.raises(Exception, match=k.error):
                read(reader, path, {name: kind})
            del kinds[name]
        else:
            expected[name] = [v if v is None else k.shown(v) for v in expected[name]]
    if kinds:
        same(kinds, expected, read(reader, path, kinds), reader)


def check(path, columns, stored, readers=READERS, sorted_by=(), profile="default"):
    """`stored`: the values of each column."""
    summary = model.validate(path, sorted_by=list(sorted_by), profile=profile)
    assert summary.rows == (len(stored[0]) if stored else 0) and summary.columns == [c.name for c in columns]
    kinds = {c.name: c.kind for c in columns}
    for reader in readers:
        check_reader(reader, path, kinds, {c.name: list(values) for c, values in zip(columns, stored)})
    return summary


# What readers trust: bounds in footer and page index. A predicate must find every row.

OPS = {
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


def total(v):
    """NaN as DuckDB and Polars order it: equal to itself, above everything."""
    return (1, 0) if v != v else (0, v)


def decimal_of(f, v):
    return decimal.Decimal(v).scaleb(-f.scale, EXACT)


def pyarrow_type(kind):
    """The type by which pyarrow reads a column."""
    import pyarrow as pa

    f = facts(kind)
    if f.base in ("time", "timestamp"):
        unit = f.stored_unit
        if f.base == "timestamp":
            return pa.timestamp(unit, "UTC" if f.utc else None)
        return pa.time32(unit) if unit == "ms" else pa.time64(unit)
    if f.base == "decimal":
        return pa.decimal128(f.n, f.scale)
    if f.base == "binary" and f.n:
        return pa.binary(f.n)
    special = {"bool": pa.bool_(), "date": pa.date32(), "json": pa.json_(), "uuid": pa.uuid(), "bson": pa.binary(),
               "enum": pa.binary()}  # fmt: skip
    return special.get(kind) or getattr(pa, kind)()


def count_by_pyarrow(path, name, op, value, kind):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    f, t = facts(kind), pyarrow_type(kind)
    if f.base in ("date", "time", "timestamp"):
        scalar = pa.array([value], pa.int32() if t.bit_width == 32 else pa.int64()).cast(t)[0]
    elif f.base == "decimal":
        scalar = pa.scalar(decimal_of(f, value), t)
    else:
        scalar = pa.scalar(value.encode() if kind == "enum" else value, t)
    compare = {"=": pc.equal, "!=": pc.not_equal, "<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal}[op]
    return pq.read_table(path, filters=compare(pc.field((name,)), scalar), use_threads=False).num_rows


SQL = {"bool": "boolean", "float16": "float", "float32": "float", "float64": "double", "string": "varchar", "enum": "varchar",
       "json": "varchar", "binary": "blob", "bson": "blob", "int8": "tinyint", "int16": "smallint", "int32": "integer",
       "int64": "bigint", "uint8": "utinyint", "uint16": "usmallint", "uint32": "uinteger", "uint64": "ubigint"}  # fmt: skip


def duckdb_value(kind, v):
    """A stored value as SQL with one parameter, and that; None where SQL has no word for it."""
    f = facts(kind)
    if f.base == "date":
        return _duckdb_count("date", "(date '1970-01-01' + cast(? as integer))", v, 2**31 - 1)
    if f.base == "time":
        sql = "time with time zone" if f.utc else "time_ns" if f.unit == "ns" else "time"
        return f"cast(? as {sql})", f"{forms(kind, v)[0]}{'+00' if f.utc else ''}"
    if f.base == "timestamp" and f.unit == "ns":
        sql = "timestamptz_ns" if f.utc else "timestamp_ns"
        return _duckdb_count(sql, f"cast(make_timestamp_ns(cast(? as bigint)) as {sql})", v, 2**63 - 1)
    if f.base == "timestamp":
        sql, v = "timestamptz" if f.utc else "timestamp", v if f.unit == "us" else v * 1000
        if not -9_223_372_022_400_000_000 <= v < 2**63:  # from the first whole day on
            return None
        return _duckdb_count(sql, f"cast(make_timestamp(cast(? as bigint)) as {sql})", v, 2**63 - 1)
    if f.base == "decimal":
        return f"cast(? as decimal({f.n}, {f.scale}))", f"{decimal_of(f, v):f}"
    if kind == "uuid":
        return "cast(? as uuid)", str(uuid.UUID(bytes=v))
    return f"cast(? as {SQL['binary' if f.is_bytes else kind]})", v


def _duckdb_count(sql, make, v, most):
    """The largest of either sign are infinities there, and the least of all has no word."""
    if abs(v) < most:
        return make, v
    return None if v < -most else (f"cast(? as {sql})", "infinity" if v > 0 else "-infinity")


def count_by_duckdb(path, name, op, value, kind):
    """None: there is no such question."""
    found = duckdb_value(kind, value)
    if found is None:
        return None
    query = f"select count(*) from read_parquet(?) where {quoted(name)} {op} {found[0]}"
    return duckdb_connection().execute(query, [os.fspath(path), found[1]]).fetchall()[0][0]


@functools.lru_cache(maxsize=None)
def polars_type(kind):
    import polars as pl

    f = facts(kind)
    if f.base == "timestamp":
        return pl.Datetime(f.stored_unit, "UTC" if f.utc else None)
    if f.base == "decimal":
        return pl.Decimal(f.n, f.scale)
    types = {"bool": pl.Boolean, "float16": pl.Float16, "float32": pl.Float32, "float64": pl.Float64, "date": pl.Date,
             "time": pl.Time}  # fmt: skip
    if f.base in types:
        return types[f.base]
    if f.base == "int":
        return getattr(pl, kind.replace("uint", "UInt").replace("int", "Int"))
    return pl.Binary if f.is_bytes or kind == "json" else pl.String


def count_by_polars(path, name, op, value, kind):
    import polars as pl

    f, t = facts(kind), polars_type(kind)
    if f.base == "date":
        literal = pl.lit(value, pl.Int32).cast(t)
    elif f.base == "time":
        literal = pl.lit(value * 10**9 // PER_SECOND[f.unit], pl.Int64).cast(t)
    elif f.base == "timestamp":
        literal = pl.lit(value, pl.Int64).cast(t)
    elif f.base == "decimal":
        literal = pl.lit(decimal_of(f, value), t)
    else:
        literal = pl.lit(value.encode() if kind == "json" else value, t)
    method = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}[op]
    return pl.scan_parquet(path).filter(getattr(pl.col(name), method)(literal)).select(pl.len()).collect().item()


COUNTERS = {"pyarrow": count_by_pyarrow, "duckdb": count_by_duckdb, "polars": count_by_polars}

# Types that a reader does not compare at all, whatever the file says.
UNFILTERED = {("pyarrow", kind): "has no kernel matching input types" for kind in ("float16", "json", "uuid")}


def check_filter(path, name, kind, values, op, value):
    values = [v for v in values if v is not None]
    for reader, count in COUNTERS.items():
        if known(reader, kind, values):
            continue  # asserted where the values are read
        if (reader, kind) in UNFILTERED:
            with pytest.raises(Exception, match=UNFILTERED[reader, kind]):
                count(path, name, op, value, kind)
            continue
        order = (lambda v: v) if reader == "pyarrow" or kind not in FLOATS else total
        want = sum(OPS[op](order(v), order(value)) for v in values)
        found = count(path, name, op, value, kind)
        assert found in (want, None), f"{reader}: {name} {op} {value!r} finds {found} rows of {want}"
