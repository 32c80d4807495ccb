"""Wrong doors: what is given to a method that cannot take it, and which method can. Rows of a cursor get their names here.

Nothing is imported to recognise a frame or an array; everything unknown is left to whoever iterates over it.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from ccpq._columns import is_arrow, is_frame
from ccpq._row_names import field_names

__all__ = ["kind_of_data", "rows_and_names"]


def rows_and_names(rows: Any, columns: Iterable[str] | None, method: str) -> tuple[Iterable, Iterable[str] | None]:
    """An iterable of rows, and the names of their positions where they are known: given, or those of a DB-API cursor.

    TypeError for what holds no rows, with the method that takes it.
    """
    if isinstance(columns, (str, bytes)):
        raise TypeError(f"{method}(): columns must be a list of names, not a {type(columns).__name__}")
    names = _cursor_names(rows)
    if names is not None:
        if not isinstance(rows, Iterable):
            rows = _fetched(rows)
        return rows, names if columns is None else columns
    _check_rows(rows, method)
    return rows, columns


def _cursor_names(rows: Any) -> list[str] | None:
    """The column names of a DB-API cursor; None for what is none."""
    description = getattr(rows, "description", None)
    if not isinstance(description, (list, tuple)) or not description:
        return None
    if not isinstance(rows, Iterable) and not callable(getattr(rows, "fetchone", None)):
        return None
    try:
        names = [item[0] for item in description]
    except (TypeError, IndexError, KeyError):
        return None
    return names if all(isinstance(n, str) for n in names) else None


def _fetched(cursor: Any) -> Iterator:
    """The rows of a cursor that is no iterator. One at a time: none is lost where one of them is refused."""
    while (row := cursor.fetchone()) is not None:
        yield row


def _check_rows(rows: Any, method: str) -> None:
    kind = type(rows).__name__
    if isinstance(rows, Mapping):
        raise TypeError(
            f"{method}() takes many rows; a {kind} is one row: write_row(row), or {method}([row]); "
            "a mapping of columns is for write_columns()"
        )
    if isinstance(rows, (str, bytes, bytearray, memoryview)):
        raise TypeError(f"{method}() takes rows (tuples, lists, mappings, objects with fields), not a {kind}")
    if hasattr(rows, "__array_interface__"):
        _check_array(rows, method)
    elif is_arrow(rows) or hasattr(rows, "__dataframe__"):
        raise TypeError(f"{method}({kind}): {_advice_of_frame(rows)}")
    elif isinstance(rows, os.PathLike):
        raise TypeError(f"{method}() takes rows, not a path; open the file and read its rows, as with csv.reader(file)")
    elif isinstance(rows, io.IOBase):
        raise TypeError(f"{method}() takes rows; iterating a file gives lines: write csv.DictReader(file), or parse each line")
    elif isinstance(rows, type):
        raise TypeError(f"{method}() takes rows, not the class {rows.__name__}")
    elif (isinstance(rows, tuple) or not isinstance(rows, Iterable)) and field_names(type(rows)) is not None:
        raise TypeError(f"{method}() takes many rows; a {kind} is one row: write_row(row), or {method}([row])")
    elif not isinstance(rows, Iterable) and (not hasattr(rows, "__getitem__") or hasattr(rows, "collect")):
        _refuse(rows, kind, method)


def _check_array(rows: Any, method: str) -> None:
    """Only a one-dimensional array of objects has rows in it; iterating any other gives arrays and numbers."""
    shape = getattr(rows, "shape", ())
    dtype = getattr(rows, "dtype", None)
    if not shape:
        _refuse(rows, type(rows).__name__, method)
    if len(shape) == 1 and getattr(dtype, "kind", "O") == "O":
        return
    if getattr(dtype, "names", None):
        advice = "write its fields with write_columns({n: array[n] for n in array.dtype.names}), or array.tolist()"
    elif len(shape) == 1:
        advice = "it is one column: write_columns({'name': array})"
    else:
        advice = "write columns of it with write_columns({'name': array[:, 0], ...}), or array.tolist()"
    raise TypeError(f"{method}({type(rows).__name__} of shape {shape}): {advice}")


def _advice_of_frame(rows: Any) -> str:
    kind = type(rows).__name__
    if not is_frame(rows) or hasattr(rows, "dtype"):
        return f"it is one column; use write_columns({{'name': {kind.lower()}}})"
    if hasattr(rows, "itertuples"):
        return "iterating a DataFrame gives column names; use write_arrow(df)"
    if kind == "DataFrame":
        return "iterating a DataFrame gives columns; use write_arrow(df)"
    return "it holds columns, no rows; use write_arrow(data)"


def _refuse(rows: Any, kind: str, method: str) -> NoReturn:
    if rows is None:
        raise TypeError(f"{method}() takes an iterable of rows; None is not iterable")
    if hasattr(rows, "__aiter__"):
        advice = "; in a coroutine: async for row in rows: w.write_row(row)"
    elif hasattr(rows, "collect"):
        call = "write(target, frame.collect())" if method == "write" else "write_arrow(frame.collect())"
        advice = f"; a lazy frame is collected first: {call}"
    else:
        advice = ""
    raise TypeError(f"{method}() takes an iterable of rows; {kind} is not iterable{advice}")


def kind_of_data(data: Any) -> str:
    """``"arrow"``, ``"columns"`` or ``"rows"``: what ``ccpq.write`` was given. TypeError for what is none of them."""
    kind = type(data).__name__
    if isinstance(data, (str, bytes, bytearray, memoryview)):
        raise TypeError(f"write() takes rows, columns or Arrow data, not {data!r:.80}; is it the target? That comes first")
    if isinstance(data, Mapping):
        if not data:
            raise TypeError("write(): the mapping of columns is empty")
        for name in data:
            if not isinstance(name, str):
                raise TypeError(f"write(): a mapping of columns has names as keys; {name!r:.80} is not a str")
        if not any(map(_has_length, data.values())):
            raise TypeError(
                f"write(): a {kind} holds columns, and no value of this one is a list or array; is it one row? write [row]"
            )
        return "columns"
    if is_frame(data):
        return "arrow"
    if is_arrow(data) and _cursor_names(data) is None:
        # Of arrays only those of structs are tables: the core says what is wrong with others.
        return "arrow"
    if isinstance(data, os.PathLike):
        raise TypeError("write() takes data, not a path; open the file and read its rows, as with csv.reader(file)")
    rows_and_names(data, None, "write")
    return "rows"


def _has_length(column: Any) -> bool:
    if isinstance(column, (str, bytes, bytearray, Mapping)):
        return False
    return hasattr(column, "__len__") or is_arrow(column) or hasattr(column, "__array_interface__")
