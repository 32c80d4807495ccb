"""A schema from rows: exact where the rows say their types (annotated classes, database cursors), else from a sample.

A sample is the caller's own objects, held until the iterator that is returned gives them out again, one by one. Nothing
is guessed: values of two types, columns without a value and numbers without a fixed width are errors that ask for a type.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import io
import itertools
import operator
import os
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ccpq._annotations import is_record_class
from ccpq._errors import SchemaError
from ccpq._json import Json
from ccpq._row_names import field_names
from ccpq._schema import Schema, schema
from ccpq._types import MAX_DIGITS

__all__ = ["infer_schema"]

_FETCH = 1000  # rows of a cursor that is no iterator, at a time
_GIVE = 'give schema={"name": "type", ...}'

_VALUES = {
    bool: "bool", int: "int64", float: "float64", str: "string", bytes: "binary", bytearray: "binary", memoryview: "binary",
    datetime.date: "date", uuid.UUID: "uuid", dict: "json", list: "json", Json: "json",
}  # fmt: skip
_BASES = (int, float, str, bytes, datetime.date, uuid.UUID, dict, list)

# Type numbers of PostgreSQL's catalog. numeric (1700) has digits and scale; json may hold a bare number, which a row refuses.
_POSTGRES = {
    16: "bool", 17: "binary", 18: "string", 19: "string", 20: "int64", 21: "int16", 23: "int32", 25: "string", 26: "int64",
    114: "json", 700: "float32", 701: "float64", 1042: "string", 1043: "string", 1082: "date", 1083: "time[us]",
    1114: "timestamp[us]", 1184: "timestamp[us, UTC]", 2950: "uuid", 3802: "json",
}  # fmt: skip
_POSTGRES_NUMERIC = 1700

_DUCKDB = {
    "boolean": "bool", "tinyint": "int8", "smallint": "int16", "integer": "int32", "bigint": "int64", "utinyint": "uint8",
    "usmallint": "uint16", "uinteger": "uint32", "ubigint": "uint64", "hugeint": "decimal(38, 0)",
    "float": "float32", "double": "float64", "varchar": "string", "blob": "binary", "enum": "string", "uuid": "uuid",
    "date": "date", "time": "time[us]", "timestamp": "timestamp[us]", "timestamp_s": "timestamp[s]",
    "timestamp_ms": "timestamp[ms]", "timestamp_ns": "timestamp[ns]", "timestamp with time zone": "timestamp[us, UTC]",
}  # fmt: skip


def infer_schema(rows: Iterable, sample: int = 1000) -> tuple[Schema, Iterator]:
    """A schema for rows, and an iterator over all of them, those that were looked at included.

    Exact for dataclasses, NamedTuples and other annotated classes (by the class of the first row), and for the columns
    of a database cursor whose types it tells (DuckDB, PostgreSQL drivers, drivers with Python types). Other columns of
    cursors, mappings and objects with names are sampled: the first ``sample`` rows decide, every column is optional,
    int with float is float64.

    SchemaError where the types are not clear: bare tuples, a column of None only, values of two types, a Decimal.
    """
    if isinstance(sample, bool) or not hasattr(type(sample), "__index__"):
        raise TypeError(f"sample is an int, not {type(sample).__name__}")
    count = operator.index(sample)
    if count < 1:
        raise ValueError(f"sample={count} is not positive")
    _check_rows(rows)
    columns = _described(rows)
    it = _iterate(rows)
    if columns is not None and all(c.type is not None for c in columns):
        return _made([(c.name, c.type, c.nullable) for c in columns]), it

    held = deque(itertools.islice(it, 1))
    if columns is None and held and is_record_class(type(held[0])):
        return schema(type(held[0])), itertools.chain(_drained(held), it)
    # One after the other: a source that raises here has been read no further.
    held.extend(itertools.islice(it, count - 1))
    if columns is None:
        made = _of_named_rows(held)
    else:
        made = _of_cursor_rows(columns, held)
    return made, itertools.chain(_drained(held), it)


def _check_rows(rows: object) -> None:
    kind = type(rows).__name__
    if isinstance(rows, Mapping):
        raise TypeError(f"infer_schema() takes rows; a {kind} is one row, or columns: infer_schema([row])")
    if isinstance(rows, (str, bytes, bytearray, os.PathLike)):
        raise TypeError(f"infer_schema() takes rows, not a {kind}")
    if hasattr(rows, "__arrow_c_stream__") or hasattr(rows, "__dataframe__") or hasattr(rows, "__arrow_c_array__"):
        raise TypeError(f"infer_schema({kind}): it has a schema of its own; write ccpq.schema(x)")
    if isinstance(rows, io.IOBase):
        raise TypeError("infer_schema() takes rows; iterating a file gives lines: write csv.DictReader(file), or parse each line")
    if not isinstance(rows, Iterable) and not hasattr(rows, "fetchmany"):
        raise TypeError(f"infer_schema() takes rows, not {kind}")


def _iterate(rows: Any) -> Iterator:
    return iter(rows) if isinstance(rows, Iterable) else _fetched(rows)


def _fetched(cursor: Any) -> Iterator:
    """The rows of a cursor that is no iterator."""
    while batch := cursor.fetchmany(_FETCH):
        yield from batch


def _drained(held: deque) -> Iterator:
    """Rows of a sample, let go one by one."""
    while held:
        yield held.popleft()


def _made(fields: Iterable[tuple[str, str | None, bool]]) -> Schema:
    return schema([(name, f"{type_}{'?' if nullable else ''}") for name, type_, nullable in fields])


# Database cursors


class _Described(NamedTuple):
    name: str
    type: str | None  # None: the cursor does not tell
    nullable: bool


def _described(rows: object) -> list[_Described] | None:
    """The columns of a DB-API cursor; None for what is none."""
    description = getattr(rows, "description", None)
    if not isinstance(description, Sequence) or not description or isinstance(description, str):
        return None
    packages = {base.__module__.partition(".")[0] for base in type(rows).__mro__}
    columns = []
    for item in description:
        try:
            name, code = item[0], item[1]
            digits, scale, null_ok = (item[i] if len(item) > i else None for i in (4, 5, 6))
        except (TypeError, IndexError, KeyError):
            return None
        if not isinstance(name, str):
            return None
        columns.append(_Described(name, _database_type(packages, code, digits, scale), null_ok is not False))
    return columns


def _database_type(packages: set[str], code: Any, digits: object, scale: object) -> str | None:
    """The type of a column by its type code, as far as that is exact."""
    if isinstance(code, type):
        if code is decimal.Decimal:
            return _decimal(digits, scale)
        # A time of day or a datetime may be aware or not; ints of a driver with one int type may be of any size.
        return _VALUES.get(code) if code in (bool, float, str, bytes, bytearray, datetime.date, uuid.UUID) else None
    if isinstance(code, int) and packages & {"psycopg", "psycopg2", "pg8000"}:
        if code == _POSTGRES_NUMERIC:
            return _decimal(digits, scale)
        if code == 2950 and "psycopg2" in packages:
            return None  # UUIDs come as str, unless an adapter was registered
        return _POSTGRES.get(code)
    kind = getattr(code, "id", None)
    if type(code).__name__ == "DuckDBPyType" and isinstance(kind, str):
        if str(code) == "JSON":
            return "json"
        if kind == "decimal":
            return _decimal(*(n for _, n in code.children))
        return _DUCKDB.get(kind)
    return None


def _decimal(digits: object, scale: object) -> str | None:
    if isinstance(digits, int) and isinstance(scale, int) and 1 <= digits <= MAX_DIGITS and 0 <= scale <= digits:
        return f"decimal({digits}, {scale})"
    return None


# Samples


class _Seen:
    """What the values of one column were so far."""

    __slots__ = ("label", "name", "row", "type")

    def __init__(self, name: str):
        self.name = name
        self.type: str | None = None
        self.label = ""
        self.row = 0

    def add(self, value: object, row: int) -> None:
        found = _VALUES.get(type(value)) if type(value) is not int else None
        label = type(value).__name__
        if found is None:
            found, label = _value_type(self.name, value, row)
        if found is None or found == self.type:
            return
        if self.type is None:
            self.type, self.label, self.row = found, label, row
        elif {found, self.type} == {"int64", "float64"}:
            self.type = "float64"
        else:
            raise SchemaError(
                f"column {self.name!r} holds {self.label} (row {self.row}) and {label} (row {row}); {_GIVE} with a type for it"
            )


def _value_type(name: str, v: Any, row: int) -> tuple[str | None, str]:
    """The type of a value, and how a message calls it. None for a null."""
    kind = type(v)
    where = f"column {name!r}, row {row}: "
    if v is None or (kind.__name__ in ("NaTType", "NAType") and kind.__module__.startswith("pandas.")):
        return None, ""
    if isinstance(v, enum.Enum) and not isinstance(v, (int, str)):
        raise SchemaError(f"{where}{kind.__name__} is an Enum; {_GIVE}, or rows of a dataclass whose annotation names it")
    if isinstance(v, decimal.Decimal):
        raise SchemaError(f'{where}a Decimal has no fixed number of digits; {_GIVE} with "decimal(P, S)" for it')
    if isinstance(v, datetime.datetime):
        aware = v.utcoffset() is not None
        return ("timestamp[us, UTC]", f"aware {kind.__name__}") if aware else ("timestamp[us]", f"naive {kind.__name__}")
    if isinstance(v, datetime.time):
        if v.utcoffset() is not None:
            raise SchemaError(f"{where}an aware time has no date, so its instant is not known; make it naive, and {_GIVE}")
        return "time[us]", kind.__name__
    found = next((_VALUES[b] for b in _BASES if isinstance(v, b)), None)
    if found is None and kind.__name__ == "datetime64" and kind.__module__ == "numpy":
        return _datetime64(where, v), "datetime64"
    if found is None and kind.__module__ == "numpy":
        found = {"b": "bool", "i": "int64", "u": "int64", "f": "float64"}.get(getattr(getattr(v, "dtype", None), "kind", ""))
    if found is None:
        raise SchemaError(f"{where}{kind.__name__} has no column type; {_GIVE}, and values of it")
    if found == "int64" and not -(2**63) <= int(v) < 2**63:
        raise SchemaError(f'{where}{v!r:.80} is beyond int64; {_GIVE} with "uint64" or "decimal(P, S)" for it')
    return found, kind.__name__


def _datetime64(where: str, v: Any) -> str | None:
    """The type of a ``numpy.datetime64``, by its unit; None for NaT."""
    if str(v) == "NaT":
        return None
    unit = str(v.dtype)[len("datetime64[") : -1]
    found = {"D": "date", "h": "timestamp[s]", "m": "timestamp[s]", **{u: f"timestamp[{u}]" for u in ("s", "ms", "us", "ns")}}
    if unit not in found:
        raise SchemaError(f"{where}{v.dtype} has no column type; {_GIVE}, and values of it")
    return found[unit]


def _of_named_rows(held: Sequence) -> Schema:
    """Of mappings and objects with named fields; every column is optional."""
    if not held:
        raise SchemaError(f"there are no rows to find a schema from; {_GIVE}")
    seen: dict[str, _Seen] = {}
    for i, row in enumerate(held):
        for name, value in _items(row, i):
            column = seen.get(name)
            if column is None:
                column = seen[name] = _Seen(name)
            column.add(value, i)
    if not seen:
        raise SchemaError(f"the first {len(held)} rows have no columns; {_GIVE}")
    return _of_seen([(s, True) for s in seen.values()], len(held))


def _items(row: Any, i: int) -> Iterable[tuple[Any, object]]:
    if hasattr(row, "__array_interface__") or hasattr(row, "__arrow_c_array__") or hasattr(row, "__arrow_c_stream__"):
        raise SchemaError(
            f"item {i} is a {type(row).__name__}, not a row; arrays and frames are written one by one: write_columns, write_arrow"
        )
    if isinstance(row, Mapping):
        return row.items()
    names = field_names(type(row))
    if names is not None:
        return [(n, getattr(row, n)) for n in names]
    if not isinstance(row, (tuple, list)) and hasattr(row, "keys") and hasattr(row, "__getitem__"):
        return [(n, row[n]) for n in row.keys()]  # noqa: SIM118: a sqlite3.Row iterates over its values
    if isinstance(row, (tuple, list)):
        raise SchemaError(
            f"row {i} is a bare {type(row).__name__}: its values have no names; {_GIVE}, or rows that are mappings, "
            "NamedTuples or dataclasses"
        )
    raise SchemaError(f"row {i} is of type {type(row).__name__}, which has no named values; {_GIVE}")


def _of_cursor_rows(columns: list[_Described], held: Sequence) -> Schema:
    """Of a cursor that does not tell the types of all its columns; rows are by position, or by name where they are mappings."""
    seen = [_Seen(c.name) for c in columns]
    unknown = [(k, s) for k, s in enumerate(seen) if columns[k].type is None]
    for k, s in enumerate(seen):
        s.type = columns[k].type
    for i, row in enumerate(held):
        by_key = isinstance(row, Mapping)
        by_attribute = not isinstance(row, tuple) and field_names(type(row)) is not None
        for k, s in unknown:
            try:
                value = row[s.name] if by_key else getattr(row, s.name) if by_attribute else row[k]
            except (TypeError, LookupError, AttributeError):
                raise SchemaError(f"row {i} of the cursor is a {type(row).__name__} without column {s.name!r}; {_GIVE}") from None
            s.add(value, i)
    return _of_seen([(s, c.nullable) for s, c in zip(seen, columns)], len(held))


def _of_seen(columns: list[tuple[_Seen, bool]], rows: int) -> Schema:
    empty = [repr(s.name) for s, _ in columns if s.type is None]
    if empty:
        names = ", ".join(empty[:5]) + (f" and {len(empty) - 5} more" if len(empty) > 5 else "")
        many, are, them = ("s", "are", "them") if len(empty) > 1 else ("", "is", "it")
        why = f"{are} None in every row that was looked at ({rows})" if rows else f"{are} of no known type, and there are no rows"
        raise SchemaError(f"column{many} {names} {why}; {_GIVE} with a type for {them}")
    return _made([(s.name, s.type, nullable) for s, nullable in columns])
