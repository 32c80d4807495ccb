"""The schema of a writer that was given none: from what its first call writes, together with what is left to write.

Rows are ``infer_schema``'s business; columns and Arrow data are looked at here. Nothing is guessed: what has no type of its
own is sampled as rows are, and what cannot be told is a SchemaError that asks for a type.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ccpq import _core
from ccpq._columns import STRUCT_KINDS, is_arrow, is_frame, no_numpy_type
from ccpq._errors import SchemaError
from ccpq._infer import infer_schema
from ccpq._schema import Schema, schema as make_schema

__all__ = ["schema_of_arrow", "schema_of_columns", "schema_of_row", "schema_of_rows"]

_SAMPLE = 1000
_END = object()

_TIMES = {"D": "date?", "h": "timestamp[s]?", "m": "timestamp[s]?", "s": "timestamp[s]?", "ms": "timestamp[ms]?",
          "us": "timestamp[us]?", "ns": "timestamp[ns]?"}  # fmt: skip


class _Named:
    """Rows whose positions were named by the caller, as a cursor that tells no types."""

    def __init__(self, rows: Iterable, names: Iterable[str]):
        self._rows = rows
        self.description = [(name, None) for name in names]

    def __iter__(self) -> Iterator:
        return iter(self._rows)


def schema_of_rows(rows: Any, source: Iterable, names: Sequence[str] | None, given: bool) -> tuple[Schema, Iterator] | None:
    """The schema and all rows; None where there is no row to learn from.

    `source` iterates over `rows`, which may be a cursor; `names` are those of its positions, `given` by the caller or by
    the cursor itself.
    """
    if names is not None and not given:
        return infer_schema(rows, _SAMPLE)
    it = iter(source)
    first = next(it, _END)
    if first is _END:
        return None
    everything = itertools.chain([first], it)
    return infer_schema(everything if names is None else _Named(everything, names), _SAMPLE)


def schema_of_row(row: object) -> Schema:
    return infer_schema([row])[0]


class _Capsule:
    """What somebody exported once, given out again: a stream can be asked for its schema and then be read."""

    def __init__(self, **capsules: object):
        for method, capsule in capsules.items():
            setattr(self, method, lambda capsule=capsule: capsule)


def schema_of_arrow(data: Any) -> tuple[Schema, Any]:
    """The schema of Arrow data and the data to write; a stream that can be read only once is not lost."""
    if hasattr(data, "dtype") and not is_frame(data):
        raise TypeError(f'a {type(data).__name__} is one column, not a table: give {{"name": column}}')
    if hasattr(data, "__arrow_c_schema__") or hasattr(getattr(data, "schema", None), "__arrow_c_schema__"):
        return make_schema(data), data
    if hasattr(data, "__arrow_c_stream__"):
        once = _Capsule(__arrow_c_stream__=data.__arrow_c_stream__())
        return make_schema(once), once
    capsule, array = data.__arrow_c_array__()
    return make_schema(_Capsule(__arrow_c_schema__=capsule)), _Capsule(__arrow_c_array__=(capsule, array))


def schema_of_columns(columns: Mapping[str, Any]) -> Schema:
    """The schema of a mapping name -> column: by the type that a column has, else by its first 1,000 values."""
    return make_schema([(name, _column_type(name, x)) for name, x in columns.items()])


def _column_type(name: object, x: Any) -> str:
    if isinstance(x, range):
        return "int64"
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(getattr(x, "dtype", None), numpy.dtype):
        values = x.to_numpy() if hasattr(x, "to_numpy") else x
        if values.dtype.kind != "O":
            return _numpy_type(name, values, numpy)
        return _sampled_type(name, values[:_SAMPLE].tolist() if values.ndim else [values[()]])
    if is_arrow(x):
        return _arrow_type(name, x)
    if isinstance(x, (str, bytes, bytearray, Mapping)) or not isinstance(x, Iterable):
        return _sampled_type(name, [x])
    code = _buffer_code(x)
    if code is not None:
        return code
    if not hasattr(x, "__len__"):
        return _sampled_type(name, [x])
    return _sampled_type(name, itertools.islice(x, _SAMPLE))


def _numpy_type(name: object, x: Any, numpy: Any) -> str:
    kind, mark = x.dtype.kind, "?" if isinstance(x, numpy.ma.MaskedArray) else ""
    if kind in "iuf" and x.dtype.itemsize <= 8:
        return f"{ {'i': 'int', 'u': 'uint', 'f': 'float'}[kind] }{8 * x.dtype.itemsize}{mark}"
    if kind == "M":
        unit = numpy.datetime_data(x.dtype)[0]
        if unit in _TIMES:
            return _TIMES[unit]
    if kind in "bSUT":
        return {"b": "bool", "S": "binary", "U": "string", "T": "string"}[kind] + mark
    raise SchemaError(f"column {name!r}: {no_numpy_type(x.dtype)}")


def _buffer_code(x: Any) -> str | None:
    """Of array.array and memoryview."""
    try:
        view = memoryview(x)
    except TypeError:
        return None
    kind = STRUCT_KINDS.get(view.format.lstrip("@=<>!"))
    return kind if kind in (None, "bool") else f"{kind}{8 * view.itemsize}"


def _arrow_type(name: object, x: Any) -> str:
    if hasattr(x, "__arrow_c_array__"):
        capsule = x.__arrow_c_array__()[0]
    elif hasattr(getattr(x, "type", None), "__arrow_c_schema__"):
        capsule = x.type.__arrow_c_schema__()
    elif hasattr(x, "to_frame"):
        return next(iter(make_schema(x.to_frame(name)).fields)).type_string
    else:
        raise SchemaError(f"column {name!r}: a {type(x).__name__} does not tell its type; give a schema")
    _, text, nullable = _core.arrow_schema_field(capsule)
    return text if text.endswith("?") or not nullable else text + "?"


def _sampled_type(name: object, values: Iterable) -> str:
    found = infer_schema(({name: v} for v in values), _SAMPLE)[0]
    return next(iter(found.fields)).type_string
