"""Columns: what a value of ``write_columns`` and an argument of ``write_arrow`` is, told to the core.

Here only the kind of a column is found out (a constant, a ramp, a buffer, an Arrow array, a sequence); every value is
checked and converted by ``_core``. numpy, pandas and pyarrow are never imported: an object of theirs means that they are
there already.
"""

from __future__ import annotations

import array
import datetime
import decimal
import enum
import os
import sys
import uuid
from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Any

from ccpq._errors import RowError, RowTypeError, RowValueError
from ccpq._json import Json
from ccpq._near import near

if TYPE_CHECKING:
    from ccpq import _core
    from ccpq._schema import Field, Schema

__all__ = ["is_arrow", "is_frame", "write_arrow", "write_columns"]

# One value for all rows. Everything else that is not known as a column is one too: its converter tells what is wrong.
_SCALARS = (
    str, bytes, bytearray, bool, int, float, complex, decimal.Decimal, datetime.date, datetime.time, datetime.timedelta,
    uuid.UUID, enum.Enum, Json,
)  # fmt: skip

_BYTES_TYPES = ("binary", "bson", "uuid", "json")

_DATETIME_UNITS = ("W", "D", "h", "m", "s", "ms", "us", "ns")
_NUMPY_KINDS = {"b": "bool", "i": "int", "u": "uint", "f": "float", "S": "bytes", "V": "void", "U": "text"}
STRUCT_KINDS = {"?": "bool", **dict.fromkeys("bhilqn", "int"), **dict.fromkeys("BHILQN", "uint"), **dict.fromkeys("efd", "float")}


def _package(x: object) -> str:
    """The package that an object's class comes from; its base classes count too."""
    for cls in type(x).__mro__:
        head = cls.__module__.partition(".")[0]
        if head not in ("builtins", "__main__"):
            return head
    return ""


def is_arrow(x: object) -> bool:
    """Whether an object offers itself by the Arrow PyCapsule interface (shared by frames, tables and columns)."""
    return hasattr(x, "__arrow_c_stream__") or hasattr(x, "__arrow_c_array__")


def is_frame(x: object) -> bool:
    """A table of columns: pandas, Polars, pyarrow, DuckDB."""
    return is_arrow(x) and (hasattr(x, "columns") or hasattr(x, "column_names") or hasattr(x, "schema"))


def _is_table(x: object) -> bool:
    """Frames and readers of record batches; not arrays of Arrow, of which some libraries' tell their own type as `schema`."""
    names = hasattr(x, "columns") or hasattr(x, "column_names") or hasattr(getattr(x, "schema", None), "names")
    return is_arrow(x) and names and not hasattr(x, "dtype")


_IGNORE = "; extra='ignore' leaves such columns out"


def _a(x: object) -> str:
    """``a list``, ``an ndarray``, ``None``."""
    kind = type(x).__name__
    if x is None:
        return "None"
    return f"an {kind}" if kind[0] in "aeioAEIO" or kind == "ndarray" else f"a {kind}"


def _refused(name: str, value: object, text: str) -> RowTypeError:
    return RowTypeError(f"column {name!r}: {text}", row=0, row_in_call=0, column=name, value=value)


def no_numpy_type(dtype: Any) -> str:
    """Why no column is of this numpy type, and what to write."""
    if dtype.kind == "M":
        return f"numpy type {dtype} has no column type; write array.astype('datetime64[us]')"
    if dtype.kind == "m":
        return f"numpy type {dtype} has no column type, durations have none; write array // numpy.timedelta64(1, 'us')"
    if dtype.kind == "f":
        return f"numpy type {dtype} has no column type; write array.astype('float64')"
    if dtype.kind == "c":
        return f"numpy type {dtype} has no column type; write array.real and array.imag as two columns"
    if dtype.names:
        return f"numpy type {dtype!s:.80} has no column type; write its fields: {{n: array[n] for n in array.dtype.names}}"
    return f"numpy type {dtype} has no column type"


class _Masked:
    """A masked array of objects as a sequence, None where the mask is: nothing is copied."""

    __slots__ = ("_data", "_mask")

    def __init__(self, data: Any, mask: Any):
        self._data, self._mask = data, mask

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, row: int) -> object:
        return None if self._mask[row] else self._data[row]


def _from_numpy(name: str, a: Any) -> tuple:
    numpy = sys.modules["numpy"]
    if a.ndim == 0:
        value = a[()]
        return ("const", None if value is numpy.ma.masked else value)
    if a.ndim != 1:
        shape = "x".join(map(str, a.shape))
        raise _refused(name, a, f"an array of {a.ndim} dimensions ({shape}); a column has one: write a[:, i]")
    mask = a.mask if isinstance(a, numpy.ma.MaskedArray) else None
    if mask is not None and not mask.shape:
        mask = None  # numpy.ma.nomask
    kind, dtype = a.dtype.kind, a.dtype
    data = a if mask is None else a.data
    if kind == "O" or dtype.char == "T" or dtype.itemsize == 0:
        return ("objects", data if mask is None else _Masked(data, mask))
    swapped = dtype.byteorder == (">" if sys.byteorder == "little" else "<")
    if kind == "M":
        unit, count = numpy.datetime_data(dtype)
        if unit not in _DATETIME_UNITS:
            raise _refused(name, a, no_numpy_type(dtype))
        return ("buffer", data.view(dtype.str[0] + "i8"), "datetime64", unit, count, swapped, mask)
    if kind not in _NUMPY_KINDS or dtype.names is not None or dtype.itemsize > 8 and kind == "f":
        raise _refused(name, a, no_numpy_type(dtype))
    return ("buffer", data, _NUMPY_KINDS[kind], "", 1, swapped, mask)


def _from_buffer(name: str, x: object) -> tuple:
    view = memoryview(x)  # type: ignore[arg-type]
    if view.ndim != 1:
        raise _refused(name, x, f"a buffer of {view.ndim} dimensions; a column has one")
    code = view.format
    swapped = code[:1] in (">!" if sys.byteorder == "little" else "<")
    kind = STRUCT_KINDS.get(code.lstrip("@=<>!"))
    if isinstance(x, array.array) and x.typecode in "uw":
        return ("objects", x)
    if kind is None:
        raise _refused(name, x, f"a buffer of format {code!r} has no column type")
    return ("buffer", view, kind, "", 1, swapped, None)


def _has_numpy_type(x: Any) -> bool:
    """A pandas Series or Index over a plain numpy array: there NaN is a value, in its Arrow form it would be a null."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(getattr(x, "dtype", None), numpy.dtype) and hasattr(x, "to_numpy")


def _holds_objects(x: Any) -> bool:
    """A Polars Series of Python objects: as Arrow data it would be their addresses."""
    return _package(x) == "polars" and str(getattr(x, "dtype", "")) == "Object"


def _has_buffer(x: object) -> bool:
    try:
        memoryview(x)  # type: ignore[arg-type]
    except (TypeError, ValueError, BufferError):
        return False
    return True


def _source(name: str, field: Field, x: Any) -> tuple:
    """The column as the core takes it."""
    if x is None or isinstance(x, _SCALARS):
        return ("const", x)
    if isinstance(x, range):
        try:
            len(x)
        except OverflowError:
            raise _refused(name, x, "a range of more values than a file has rows") from None
        return ("range", x)
    if isinstance(x, type):
        raise _refused(name, x, f"the class {x.__name__} is no column")
    if isinstance(x, Mapping):
        if field.type == "json":
            return ("const", x)
        raise _refused(name, x, f"a {type(x).__name__} is no column; columns are arrays, lists or one value for all rows")
    if isinstance(x, memoryview) and (field.type in _BYTES_TYPES or field.type.startswith("binary[")):
        return ("const", x)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(x, numpy.generic):
        return ("const", x)
    if numpy is not None and isinstance(x, numpy.ndarray):
        return _from_numpy(name, x)
    if _has_numpy_type(x):
        if x.dtype.kind == "M" and field.type.endswith(", UTC]"):
            raise _refused(name, x, "naive datetimes in a UTC column; write column.dt.tz_localize('UTC')")
        if field.type == "int64" and type(x).__name__ == "RangeIndex":
            return ("range", range(x.start, x.stop, x.step))
        return _from_numpy(name, x.to_numpy())
    if type(getattr(x, "dtype", None)).__name__ == "SparseDtype":
        raise _refused(name, x, "a sparse column of pandas; write column.sparse.to_dense()")
    if _holds_objects(x):
        return ("objects", x)
    if _is_table(x):
        raise _refused(name, x, f"a {type(x).__name__} is a table, not one column; write_arrow(table) takes tables")
    if hasattr(x, "__arrow_c_array__"):
        return ("arrow_array", x.__arrow_c_array__())
    if hasattr(x, "__arrow_c_stream__"):
        return ("arrow_stream", x.__arrow_c_stream__())
    if hasattr(x, "__array_interface__") and numpy is not None:
        return _from_numpy(name, numpy.asarray(x))
    if _has_buffer(x):
        return _from_buffer(name, x)
    if hasattr(x, "__len__") and hasattr(x, "__getitem__") and not isinstance(x, Set):
        return ("objects", x)
    if hasattr(x, "__iter__"):
        raise _refused(name, x, f"a {type(x).__name__} has no length or no order by number; write list(...)")
    return ("const", x)


def _value_at(column: Any, row: Any) -> object:
    """The value that was refused, or the column of a table; None where it is not to be had."""
    try:
        if _package(column) == "pandas" and hasattr(column, "iloc") and isinstance(row, int):
            return column.iloc[row]
        return column[row] if hasattr(column, "__getitem__") and not isinstance(column, (*_SCALARS, Mapping)) else column
    except Exception:  # whatever a foreign object raises: only the report would be poorer
        return None


def _sources(schema: Schema, columns: Mapping[str, object], ignore_extra: bool) -> list[tuple]:
    unknown = [k for k in columns if k not in schema]
    if unknown and not ignore_extra:
        first = unknown[0]
        raise RowValueError(
            f"write_columns(): there is no column {first!r}{near(first, schema.names)}{_IGNORE}"
            + (f" ({len(unknown) - 1} more are unknown)" if len(unknown) > 1 else ""),
            row=0, column=None, value=first,
        )  # fmt: skip
    sources: list[tuple] = []
    for name, field in schema.items():
        if name in columns:
            sources.append(_source(name, field, columns[name]))
        elif field.nullable:
            sources.append(("const", None))
        else:
            raise RowValueError(
                f"write_columns(): column {name!r} is missing; declare it '{field.type}?' to allow that", column=name
            )
    return sources


def write_columns(core: _core.Writer, schema: Schema, columns: Mapping[str, object], *, ignore_extra: bool = False) -> int:
    """All rows of a mapping name -> column, or none of them; the number of rows."""
    if not isinstance(columns, Mapping):
        if is_frame(columns):
            advice = f"use write_arrow({type(columns).__name__.lower()})"
        elif getattr(getattr(columns, "dtype", None), "names", None):
            advice = "write {n: array[n] for n in array.dtype.names}"
        else:
            advice = 'write {"name": column, ...}; rows are for write_rows'
        raise TypeError(f"write_columns() takes a mapping name -> column, not {_a(columns)}: {advice}")
    try:
        return core.write_columns(_sources(schema, columns, ignore_extra))
    except RowError as e:
        if e.column in columns and e.value is None:
            e.value = _value_at(columns[e.column], e.row_in_call)
        raise


def write_arrow(core: _core.Writer, schema: Schema, data: Any, *, ignore_extra: bool = False) -> int:
    """The record batches of anything with the Arrow PyCapsule interface, one after another; the number of rows.

    A batch is written whole or not at all; those before a failing one stay.
    """
    capsules = _capsules(data)  # before the core, which is not there while the schema is not known
    try:
        return core.write_arrow(*capsules, ignore_extra)
    except RowError as e:
        # Only of tables that stay: a reader would go on to read.
        if e.column is not None and e.value is None and is_frame(data) and hasattr(data, "__len__"):
            e.value = _value_at(_value_at(data, e.column), e.row_in_call)
        raise


def _capsules(data: Any) -> tuple:
    """A stream and None, or a schema and an array."""
    if (
        _package(data) == "polars"
        and hasattr(data, "__arrow_c_stream__")  # not a lazy frame, which warns where it is asked for its types
        and any(str(t) == "Object" for t in getattr(data, "dtypes", ()))
    ):
        raise TypeError("write_arrow(): the frame has columns of Python objects, whose Arrow form is their addresses: write_columns(frame.to_dict())")
    if hasattr(data, "__arrow_c_stream__"):
        return data.__arrow_c_stream__(), None
    if hasattr(data, "__arrow_c_array__"):
        capsules = data.__arrow_c_array__()
        if not isinstance(capsules, tuple) or len(capsules) != 2:
            raise TypeError(f"write_arrow(): __arrow_c_array__() gives a schema and an array, not {_a(capsules)}")
        return capsules
    raise TypeError(
        f"write_arrow() takes an object with __arrow_c_stream__ or __arrow_c_array__, not {_a(data)}: {_other_door(data)}"
    )


def _other_door(data: Any) -> str:
    """What to do with data that is no Arrow data."""
    if isinstance(data, Mapping):
        return "a mapping of columns is for write_columns"
    if hasattr(data, "collect"):
        return "a lazy frame is collected first: write_arrow(frame.collect())"
    if hasattr(data, "__array_interface__"):
        return 'an array is a column: write_columns({"name": array})'
    if isinstance(data, (list, tuple)) and data and is_arrow(data[0]):
        return "write one after the other: for batch in batches: w.write_arrow(batch)"
    if isinstance(data, (str, bytes, os.PathLike)):
        return "it takes data, no path and no text; open the file with its own library"
    if _package(data) in ("duckdb", "_duckdb"):
        return "write the relation: connection.sql(query)"
    if hasattr(data, "__iter__"):
        return "rows are for write_rows; of batches, write one after the other"
    return "it takes pyarrow, Polars, pandas and DuckDB tables"
