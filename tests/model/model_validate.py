"""The strict validator: walks a file from its first byte to its last and holds every promise of the writer against it.

Order of the walk: footer, schema, row groups chunk by chunk, bloom filters, ColumnIndexes, OffsetIndexes, sorting. What one
chunk has to fulfil is in model_check_chunk, what statistics have to, in model_check_stats.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Union

from .model_bloom import check_bloom_filter
from .model_check_chunk import ChunkWalk, walk_chunk
from .model_check_schema import check_schema
from .model_check_stats import check_column_index, check_offset_index
from .model_errors import ModelError, at, require
from .model_file import Source, load, read_footer
from .model_schema import Leaf, schema_leaves
from .model_thrift import Struct, parse_struct

PROFILES = ("compat", "default", "modern")
SortKey = Union[str, tuple[str, str]]


@dataclass
class Summary:
    """What a valid file holds; `encodings` are those of data pages, per column, in order of first appearance."""

    rows: int = 0
    row_groups: int = 0
    columns: list[str] = field(default_factory=list)
    file_bytes: int = 0
    footer_bytes: int = 0
    data_pages: int = 0
    dictionary_pages: int = 0
    group_rows: list[int] = field(default_factory=list)
    encodings: dict[str, list[str]] = field(default_factory=dict)
    column_bytes: dict[str, int] = field(default_factory=dict)
    sorting_columns: list[tuple[str, bool]] = field(default_factory=list)


def _check_footer(footer: Struct) -> None:
    require(footer.num_rows >= 0, f"num_rows {footer.num_rows}")
    pairs = footer.key_value_metadata
    if pairs is not None:
        require(pairs, "an empty list key_value_metadata")
        keys = [pair.key for pair in pairs]
        require(len(set(keys)) == len(keys), "a key twice in key_value_metadata")


def _check_column_chunk(chunk: Struct) -> Struct:
    require(chunk.file_path is None, "file_path is set")
    require(chunk.file_offset == 0, f"ColumnChunk.file_offset {chunk.file_offset}, expected 0")
    require(chunk.meta_data is not None, "meta_data is missing")
    for name in ("offset_index", "column_index"):
        pair = (getattr(chunk, f"{name}_offset"), getattr(chunk, f"{name}_length"))
        require((pair[0] is None) == (pair[1] is None), f"{name}_offset and {name}_length stand together")
    require(chunk.offset_index_offset is not None, "OffsetIndex is missing")
    return chunk.meta_data


class _Walk:
    def __init__(self, data: bytes, profile: str) -> None:
        self.data = data
        self.profile = profile
        self.footer, self.footer_start = read_footer(data, strict=True)
        self.leaves = schema_leaves(self.footer.schema)
        self.summary = Summary(file_bytes=len(data), footer_bytes=len(data) - 8 - self.footer_start)
        self.chunks: list[list[ChunkWalk]] = []
        self.pos = 4

    def run(self, sorted_by: Sequence[SortKey] | None) -> Summary:
        check_schema(self.footer, self.leaves, self.profile)
        _check_footer(self.footer)
        sorting = self._sorting(sorted_by)
        for g, group in enumerate(self.footer.row_groups):
            with at(row_group=g):
                self._row_group(group, {number for number, _ in sorting})
        rows = sum(group.num_rows for group in self.footer.row_groups)
        require(self.footer.num_rows == rows, f"num_rows {self.footer.num_rows}, the row groups have {rows}")
        self._bloom_filters()
        self._indexes("column_index", "ColumnIndex")
        self._indexes("offset_index", "OffsetIndex")
        if self.pos != self.footer_start:
            raise ModelError(f"{self.footer_start - self.pos} bytes before the footer belong to nothing", offset=self.pos)
        if sorting:
            _check_sorted(sorting, self.chunks, self.leaves)
        return self._summarise(rows, sorting)

    def _sorting(self, sorted_by: Sequence[SortKey] | None) -> list[tuple[int, bool]]:
        """(column, descending) as declared, the same in every row group, and as the caller expects."""
        declared: list[tuple[int, bool]] | None = None
        for g, group in enumerate(self.footer.row_groups):
            with at(row_group=g):
                columns = group.sorting_columns
                require(columns is None or columns, "an empty list sorting_columns")
                keys = []
                for s in columns or []:
                    require(0 <= s.column_idx < len(self.leaves), f"sorting column {s.column_idx}")
                    require(not s.nulls_first, "nulls_first is set")
                    require(not self.leaves[s.column_idx].max_rep, "sorting column inside a list")
                    keys.append((s.column_idx, s.descending))
                numbers = [number for number, _ in keys]
                require(len(set(numbers)) == len(numbers), "a sorting column twice")
                require(declared is None or declared == keys, "sorting_columns differ between row groups")
                declared = keys
        if sorted_by is not None and declared is not None:
            names = [leaf.name for leaf in self.leaves]
            wanted = []
            for key in sorted_by:
                name, order = (key, "ascending") if isinstance(key, str) else key
                wanted.append((names.index(name), order == "descending"))
            require(declared == wanted, f"sorting_columns {declared}, expected {wanted}")
        return declared or []

    def _row_group(self, group: Struct, keep: set[int]) -> None:
        start = self.pos
        require(group.num_rows > 0, "a row group without rows")
        require(group.ordinal is None, "ordinal is set")
        require(len(group.columns) == len(self.leaves), f"{len(group.columns)} column chunks for {len(self.leaves)} leaves")
        require(group.file_offset == start, f"RowGroup.file_offset {group.file_offset}, the group starts at {start}")
        chunks = []
        for number, (leaf, chunk) in enumerate(zip(self.leaves, group.columns)):
            with at(column=leaf.name):
                meta = _check_column_chunk(chunk)
                first = meta.dictionary_page_offset or meta.data_page_offset
                require(first == self.pos, f"the chunk starts at {first}, the bytes before it end at {self.pos}", offset=self.pos)
                walk = walk_chunk(self.data, leaf, meta, self.pos, self.footer_start, self.profile, number in keep)
                n_rows = sum(page.n_rows for page in walk.pages)
                require(n_rows == group.num_rows, f"num_rows of the group is {group.num_rows}, the pages have {n_rows}")
                self.pos = walk.end
                chunks.append(walk)
        for name, word in (("total_byte_size", "uncompressed"), ("total_compressed_size", "compressed")):
            real = sum(getattr(c.meta_data, f"total_{word}_size") for c in group.columns)
            require(getattr(group, name) == real, f"RowGroup.{name} {getattr(group, name)}, the chunks take {real}")
        self.chunks.append(chunks)

    def _places(self) -> list[tuple[int, int]]:
        return [(g, c) for g in range(len(self.chunks)) for c in range(len(self.leaves))]

    def _bloom_filters(self) -> None:
        for g, c in self._places():
            meta = self.footer.row_groups[g].columns[c].meta_data
            with at(row_group=g, column=self.leaves[c].name):
                pair = (meta.bloom_filter_offset, meta.bloom_filter_length)
                require((pair[0] is None) == (pair[1] is None), "bloom_filter_offset and bloom_filter_length stand together")
                if pair[0] is not None:
                    require(pair[0] == self.pos, f"bloom_filter_offset {pair[0]}, expected {self.pos}", offset=self.pos)
                    end = self.pos + pair[1]
                    require(pair[1] > 0 and end <= self.footer_start, "bloom filter goes beyond the footer", offset=self.pos)
                    has_nan = any(page.n_nan for page in self.chunks[g][c].pages)
                    check_bloom_filter(self.data, self.pos, end, self.leaves[c], self.chunks[g][c].hashed, has_nan)
                    self.pos = end

    def _indexes(self, name: str, kind: str) -> None:
        for g, c in self._places():
            chunk, leaf = self.footer.row_groups[g].columns[c], self.leaves[c]
            offset, length = getattr(chunk, f"{name}_offset"), getattr(chunk, f"{name}_length")
            pages = self.chunks[g][c].pages
            with at(row_group=g, column=leaf.name):
                index = None
                if offset is not None:
                    require(offset == self.pos, f"{name}_offset {offset}, expected {self.pos}", offset=self.pos)
                    end = self.pos + length
                    require(length > 0 and end <= self.footer_start, f"{kind} goes beyond the footer", offset=self.pos)
                    index, stop = parse_struct(kind, self.data, self.pos, end, strict=True)
                    require(stop == end, f"{name}_length {length}, the {kind} has {stop - self.pos} bytes", offset=self.pos)
                    self.pos = end
                with at(offset=offset):
                    if kind == "ColumnIndex":
                        check_column_index(leaf, index, pages)
                    else:
                        assert index is not None
                        check_offset_index(leaf, index, pages)

    def _summarise(self, rows: int, sorting: list[tuple[int, bool]]) -> Summary:
        s = self.summary
        s.rows, s.row_groups = rows, len(self.chunks)
        s.columns = [leaf.name for leaf in self.leaves]
        s.group_rows = [group.num_rows for group in self.footer.row_groups]
        s.sorting_columns = [(s.columns[number], descending) for number, descending in sorting]
        for name in s.columns:
            s.encodings[name], s.column_bytes[name] = [], 0
        for group, walks in zip(self.footer.row_groups, self.chunks):
            for name, chunk, walk in zip(s.columns, group.columns, walks):
                s.data_pages += len(walk.pages)
                s.dictionary_pages += walk.has_dictionary
                s.column_bytes[name] += chunk.meta_data.total_compressed_size
                s.encodings[name] += [e for e in walk.encodings if e not in s.encodings[name]]
        return s


def _sort_key(value: Any) -> tuple[int, Any]:
    """Ascending order of a column's values without null: numbers, then NaN."""
    if isinstance(value, float) and math.isnan(value):
        return (1, 0)
    return (0, value)


def _check_sorted(sorting: list[tuple[int, bool]], chunks: list[list[ChunkWalk]], leaves: list[Leaf]) -> None:
    """Rows stand in the declared order over all row groups; nulls stand last in either direction."""
    n_rows = sum(len(group[sorting[0][0]].rows) for group in chunks)
    ties = list(range(1, n_rows))
    for number, descending in sorting:
        rows = [row for group in chunks for row in group[number].rows]
        still = []
        for i in ties:
            a, b = rows[i - 1], rows[i]
            if a is None and b is None:
                still.append(i)
            elif a is None:
                raise ModelError(f"row {i} breaks the declared order: {b!r} after null", column=leaves[number].name)
            elif b is not None:
                low, high = _sort_key(a), _sort_key(b)
                if low == high:
                    still.append(i)
                elif (low > high) != descending:
                    raise ModelError(f"row {i} breaks the declared order: {b!r} after {a!r}", column=leaves[number].name)
        ties = still


def validate(source: Source, *, sorted_by: Sequence[SortKey] | None = None, profile: str = "default") -> Summary:
    """Check a file that the writer made; raises ModelError with the place of the first violation.

    `sorted_by`: the sorting columns that the file has to declare, names or (name, "descending"); [] for none.
    `profile`: the writer's profile, which decides version, page versions and encodings.
    """
    if profile not in PROFILES:
        raise ValueError(f"profile {profile!r} is not one of {', '.join(PROFILES)}")
    data = load(source)
    with at():
        return _Walk(data, profile).run(sorted_by)
