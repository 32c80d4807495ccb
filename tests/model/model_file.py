"""A whole file: footer, schema, page index, and the forgiving reader behind `read_table` and `read_metadata`.

The strict walk over every byte is model_validate's; both share the page decoder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union

from .model_errors import UnsupportedError, at, require
from .model_pages import Page, decode_data_page, decode_dictionary_page, read_page_header
from .model_schema import Leaf, schema_leaves
from .model_thrift import Struct, parse_struct

Source = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview]
MAGIC = b"PAR1"


def load(source: Source) -> bytes:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    return Path(source).read_bytes()


def read_footer(data: bytes, *, strict: bool) -> tuple[Struct, int]:
    """FileMetaData and the position of its first byte."""
    n = len(data)
    require(n >= 12, f"a file of {n} bytes is too short")
    require(data[:4] == MAGIC, "the file does not start with PAR1", offset=0)
    require(data[-4:] == MAGIC, "the file does not end with PAR1", offset=n - 4)
    size = int.from_bytes(data[-8:-4], "little")
    start = n - 8 - size
    require(start >= 4, f"footer length {size} is longer than the file", offset=n - 8)
    footer, end = parse_struct("FileMetaData", data, start, n - 8, strict=strict)
    if strict:
        require(end == n - 8, f"footer length {size}, but the footer has {end - start} bytes", offset=n - 8)
    return footer, start


@dataclass
class Metadata:
    """What a file says about itself. Indexes stand as [row group][column], None where there is none."""

    footer: Struct
    leaves: list[Leaf]
    data: bytes = field(repr=False)
    column_indexes: list[list[Struct | None]] = field(default_factory=list, repr=False)
    offset_indexes: list[list[Struct | None]] = field(default_factory=list, repr=False)

    @property
    def schema(self) -> list[Struct]:
        return self.footer.schema

    @property
    def row_groups(self) -> list[Struct]:
        return self.footer.row_groups

    @property
    def num_rows(self) -> int:
        return self.footer.num_rows

    @property
    def version(self) -> int:
        return self.footer.version

    @property
    def created_by(self) -> str | None:
        return self.footer.created_by

    @property
    def key_value_metadata(self) -> dict[str, str | None]:
        return {kv.key: kv.value for kv in self.footer.key_value_metadata or []}

    @property
    def sorting_columns(self) -> list[tuple[str, bool]]:
        """(name, descending) of the first row group; empty where none is declared."""
        for group in self.row_groups:
            return [(self.leaves[s.column_idx].name, s.descending) for s in group.sorting_columns or []]
        return []

    def chunk(self, row_group: int, column: int | str) -> Struct:
        """The ColumnMetaData of a chunk, by column number or name."""
        return self.row_groups[row_group].columns[self.column_number(column)].meta_data

    def column_number(self, column: int | str) -> int:
        if isinstance(column, int):
            return column
        return [leaf.name for leaf in self.leaves].index(column)

    def pages(self, row_group: int, column: int | str) -> list[Page]:
        """All pages of a chunk, decoded, the dictionary page first."""
        number = self.column_number(column)
        return list(chunk_pages(self.data, self.leaves[number], self.row_groups[row_group].columns[number]))


def _optional_struct(kind: str, data: bytes, offset: int | None, length: int | None) -> Struct | None:
    if offset is None or length is None:
        return None
    require(0 <= offset <= len(data) and 0 <= length <= len(data) - offset, f"{kind} goes beyond the file", offset=offset)
    return parse_struct(kind, data, offset, offset + length, strict=False)[0]


def open_metadata(data: bytes, *, indexes: bool = True) -> Metadata:
    footer, _ = read_footer(data, strict=False)
    result = Metadata(footer, schema_leaves(footer.schema), data)
    for g, group in enumerate(footer.row_groups):
        require(len(group.columns) == len(result.leaves), "not one column chunk per leaf", row_group=g)
        for name, kind, into in (
            ("column_index", "ColumnIndex", result.column_indexes),
            ("offset_index", "OffsetIndex", result.offset_indexes),
        ):
            if indexes:
                into.append(
                    [
                        _optional_struct(kind, data, getattr(c, f"{name}_offset"), getattr(c, f"{name}_length"))
                        for c in group.columns
                    ]
                )
    return result


def chunk_pages(data: bytes, leaf: Leaf, chunk: Struct) -> Iterator[Page]:
    """Decode the pages of a chunk until its num_values are there."""
    meta = chunk.meta_data
    if meta is None or chunk.file_path is not None:
        raise UnsupportedError("column chunk without metadata or in another file")
    if meta.num_values == 0:
        return
    pos = meta.data_page_offset
    if meta.dictionary_page_offset and meta.dictionary_page_offset < pos:
        pos = meta.dictionary_page_offset
    require(4 <= pos <= len(data), "column chunk starts outside the file", offset=pos)
    dictionary: list[Any] | None = None
    n_values, number = 0, 0
    while n_values < meta.num_values:
        with at(page=number, offset=pos):
            page = read_page_header(data, pos, len(data), strict=False)
            pos = page.end
            if page.is_dictionary:
                require(dictionary is None, "a second dictionary page")
                dictionary, _ = decode_dictionary_page(page, leaf, meta.codec, strict=False)
            elif page.type_header.kind != "IndexPageHeader":
                decode_data_page(page, leaf, meta.codec, dictionary, strict=False)
                n_values += page.num_values
                number += 1
                require(n_values <= meta.num_values, "pages have more values than the chunk")
        yield page


@dataclass
class LeafData:
    """The level slots of one leaf over the whole file; `values` has no nulls."""

    leaf: Leaf
    rep_levels: list[int] = field(default_factory=list)
    def_levels: list[int] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def flat(self) -> list[Any]:
        """One Python value a row, None for null; for leaves that are not nested."""
        if self.leaf.max_rep or len(self.leaf.path) > 1:
            raise UnsupportedError("nested columns are not assembled here", column=self.leaf.name)
        return place_nulls(self.leaf.python(self.values), self.def_levels, self.leaf.max_def)


def place_nulls(values: list[Any], def_levels: list[int], max_def: int) -> list[Any]:
    if len(values) == len(def_levels):
        return values
    it = iter(values)
    return [next(it) if level == max_def else None for level in def_levels]


def read_leaves(data: bytes) -> list[LeafData]:
    """Levels and values of every leaf, nested ones too."""
    metadata = open_metadata(data, indexes=False)
    result = [LeafData(leaf) for leaf in metadata.leaves]
    for g, group in enumerate(metadata.row_groups):
        for column, chunk in zip(result, group.columns):
            with at(row_group=g, column=column.leaf.name):
                for page in chunk_pages(data, column.leaf, chunk):
                    if not page.is_dictionary:
                        column.rep_levels += page.rep_levels
                        column.def_levels += page.def_levels
                        column.values += page.values
                require(chunk.meta_data.num_values >= group.num_rows, "fewer values than rows")
    return result
