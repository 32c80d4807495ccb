"""The oracle: an independent, slow and plain reader and strict validator of Parquet files, in pure Python.

It shares no code with ccpq and never imports it. Only the public entry points are here:

    read_table(source)      dict column name -> list of Python values, None for null
    read_metadata(source)   footer, leaves, key-value metadata, page indexes, decoded pages of a chunk
    validate(source)        every promise of the writer checked against every byte; ModelError names the first that is broken

`source` is a path or the bytes of a file. The reader is forgiving towards other writers, the validator is not.
"""

from __future__ import annotations

from typing import Any

from .model_errors import ModelError, UnsupportedError, at
from .model_file import LeafData, Metadata, Source, load, open_metadata
from .model_file import read_leaves as _read_leaves
from .model_validate import Summary, validate

__all__ = [
    "LeafData",
    "Metadata",
    "ModelError",
    "Summary",
    "UnsupportedError",
    "read_leaves",
    "read_metadata",
    "read_table",
    "validate",
]


def read_leaves(source: Source) -> dict[str, LeafData]:
    """Levels and values of every leaf by its dotted path, nested columns included."""
    with at():
        return {column.leaf.name: column for column in _read_leaves(load(source))}


def read_table(source: Source) -> dict[str, list[Any]]:
    """All values of a flat file: bool, int (unsigned as unsigned), float, str for text, bytes for binary, None for null.

    Dates, times and timestamps are the stored integers, decimals the unscaled ones, INT96 its 12 bytes.
    """
    with at():
        return {column.leaf.name: column.flat() for column in _read_leaves(load(source))}


def read_metadata(source: Source) -> Metadata:
    with at():
        return open_metadata(load(source))
