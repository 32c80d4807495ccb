"""``write``: a whole file in one call, from rows, columns or Arrow data."""

from __future__ import annotations

from typing import Any

from ccpq._doors import kind_of_data
from ccpq._report import Report
from ccpq._writer import Writer

__all__ = ["write"]


def write(target: object, data: Any, schema: object = None, **options: Any) -> Report:
    """Writes one file and publishes it; nothing is published if that fails.

    ``data`` is Arrow data (frames of pandas and Polars, tables, batches, readers, DuckDB relations), a mapping name ->
    column (arrays, lists, ranges, and single values for all rows), or an iterable of rows, as ``Writer.write_arrow``,
    ``write_columns`` and ``write_rows`` take them. Without ``schema`` it is found from the data. ``target`` and
    ``options`` are those of ``Writer``.
    """
    kind = kind_of_data(data)
    with Writer(target, schema, **options) as w:
        if kind == "arrow":
            w.write_arrow(data)
        elif kind == "columns":
            w.write_columns(data)
        else:
            w.write_rows(data)
    report = w.report
    assert report is not None
    return report
