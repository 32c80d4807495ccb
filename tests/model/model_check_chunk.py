"""The strict walk over one column chunk: page after page from its first byte, then ColumnMetaData against what was met.

Statistics are handed to model_check_stats; positions of the page index and the footer are model_validate's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .model_bloom import plain_bytes
from .model_check_stats import (
    PageFacts,
    check_size_statistics,
    check_statistics,
    chunk_facts,
    page_facts,
)
from .model_errors import at, require
from .model_file import place_nulls
from .model_pages import Page, decode_data_page, decode_dictionary_page, read_page_header
from .model_schema import Leaf, logical_name
from .model_thrift import Encoding, PageType, Struct, Type

_COMPAT = {Encoding.PLAIN, Encoding.RLE_DICTIONARY}
_DELTA_TYPES = (Type.INT32, Type.INT64)


@dataclass
class ChunkWalk:
    """What the pages of a chunk hold; `rows` only of sorting columns, `hashed` only beside a bloom filter."""

    end: int
    pages: list[PageFacts] = field(default_factory=list)
    has_dictionary: bool = False
    n_dictionary_entries: int = 0
    encodings: list[str] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)
    hashed: set[bytes] = field(default_factory=set)


def _allowed_encodings(leaf: Leaf, page_type: int, profile: str) -> set[int]:
    if leaf.physical == Type.BOOLEAN:
        # Old readers know nothing but PLAIN booleans in version 1 pages.
        return {Encoding.PLAIN} if page_type == PageType.DATA_PAGE else {Encoding.PLAIN, Encoding.RLE}
    allowed = set(_COMPAT)
    if profile != "compat" and leaf.physical in _DELTA_TYPES:
        allowed.add(Encoding.DELTA_BINARY_PACKED)
    if profile == "modern":
        if leaf.physical == Type.BYTE_ARRAY:
            allowed |= {Encoding.DELTA_LENGTH_BYTE_ARRAY, Encoding.DELTA_BYTE_ARRAY}
        if leaf.physical in (Type.FLOAT, Type.DOUBLE):
            allowed.add(Encoding.BYTE_STREAM_SPLIT)
    return allowed


def _check_values(leaf: Leaf, values: list[Any]) -> None:
    """Values stay inside their logical type: text is UTF-8, a narrow integer is narrow, a decimal has its digits."""
    if leaf.kind == "string":
        for value in set(values):
            try:
                value.decode("utf-8")
            except UnicodeDecodeError:
                require(False, f"a string that is not UTF-8: {value[:40]!r}")
    elif leaf.kind == "int" and values:
        half = 1 << (leaf.bits - 1)
        require(-half <= min(values) and max(values) < half, f"a value that does not fit int{leaf.bits}")
        if logical_name(leaf.element) == "TIME":
            unit = leaf.element.logicalType.TIME.unit.set_fields()[0]
            day = 86_400 * {"MILLIS": 10**3, "MICROS": 10**6, "NANOS": 10**9}[unit]
            require(min(values) >= 0 and max(values) < day, f"a value that is no time of day in {unit}")
    elif leaf.kind == "uint" and values:
        require(max(values) < 1 << leaf.bits, f"a value that does not fit uint{leaf.bits}")
    elif leaf.kind == "decimal" and values:
        digits = leaf.element.precision
        require(max(map(abs, values)) < 10**digits, f"a decimal of more than {digits} digits")


class _Dictionary:
    """The dictionary page of a chunk and how far its entries have been used."""

    def __init__(self, page: Page, leaf: Leaf, codec: int) -> None:
        self.values, raw = decode_dictionary_page(page, leaf, codec, strict=True)
        assert raw is not None
        require(leaf.physical != Type.BOOLEAN, "a dictionary of booleans")
        require(self.values, "a dictionary page without entries")
        require(len(set(raw)) == len(raw), "dictionary entries are not distinct")
        is_sorted = page.header.dictionary_page_header.is_sorted
        require(not is_sorted or self.values == sorted(self.values), "is_sorted of a dictionary that is not sorted")
        _check_values(leaf, self.values)
        self.used = 0

    def use(self, ids: list[int]) -> None:
        for id_ in dict.fromkeys(ids):
            if id_ >= self.used:
                require(id_ == self.used, f"dictionary id {id_} is used before id {self.used}: not in order of first use")
                self.used += 1


def _check_profile(page: Page, leaf: Leaf, profile: str) -> None:
    v2 = page.header.type == PageType.DATA_PAGE_V2
    require(not v2 or profile == "modern", f"a version 2 data page in profile {profile}")
    allowed = _allowed_encodings(leaf, page.header.type, profile)
    require(page.encoding in allowed, f"encoding {Encoding(page.encoding).name} of {Type(leaf.physical).name} in profile {profile}")


def _check_data_page(page: Page) -> None:
    require(page.n_rows > 0, "a data page without rows")
    require(page.rep_levels[0] == 0, "a data page starts inside a row")
    if page.header.type == PageType.DATA_PAGE_V2 and not page.values:
        require(page.header.data_page_header_v2.is_compressed is False, "an all-null version 2 page that is compressed")


def walk_chunk(
    data: bytes, leaf: Leaf, meta: Struct, start: int, limit: int, profile: str, keep_rows: bool
) -> ChunkWalk:
    """Read every page from `start`, and compare ColumnMetaData with what was there."""
    require(meta.total_compressed_size > 0, "total_compressed_size is not above 0")
    end = start + meta.total_compressed_size
    require(end <= limit, f"total_compressed_size {meta.total_compressed_size} goes beyond the row groups", offset=start)
    walk = ChunkWalk(end)
    dictionary: _Dictionary | None = None
    stats: Counter[tuple[int, int]] = Counter()
    pos, n_values, uncompressed, first_data = start, 0, 0, None
    left_dictionary = False
    while pos < end:
        with at(page="dictionary" if pos == meta.dictionary_page_offset else len(walk.pages), offset=pos):
            done = n_values >= meta.num_values
            require(not done, f"num_values {meta.num_values} are read, total_compressed_size goes on for {end - pos} bytes")
            page = read_page_header(data, pos, end, strict=True)
            require(page.header.type != PageType.INDEX_PAGE, "an index page")
            if page.is_dictionary:
                require(pos == start, "a dictionary page that is not the first page")
                dictionary = _Dictionary(page, leaf, meta.codec)
                walk.n_dictionary_entries = len(dictionary.values)
            else:
                first_data = pos if first_data is None else first_data
                _check_profile(page, leaf, profile)
                decode_data_page(page, leaf, meta.codec, dictionary and dictionary.values, strict=True)
                _check_data_page(page)
                facts = page_facts(page, leaf)
                if page.ids is None:
                    # A page of nulls only is no word about what follows.
                    left_dictionary = left_dictionary or bool(page.values)
                    _check_values(leaf, page.values)
                else:
                    require(not left_dictionary or profile == "modern", "dictionary ids again after another encoding")
                    assert dictionary is not None
                    dictionary.use(page.ids)
                if page.type_header.statistics is not None:
                    check_statistics(leaf, page.type_header.statistics, facts, [facts])
                walk.pages.append(facts)
                n_values += page.num_values
                if keep_rows:
                    walk.rows += place_nulls(page.values, page.def_levels, leaf.max_def)
                if meta.bloom_filter_offset is not None:
                    walk.hashed |= plain_bytes(leaf, page.values)
                name = Encoding(page.encoding).name
                if name not in walk.encodings:
                    walk.encodings.append(name)
        stats[page.header.type, page.encoding] += 1
        uncompressed += page.uncompressed_bytes
        pos = page.end
    walk.has_dictionary = dictionary is not None
    require(first_data is not None, "a column chunk without data pages", offset=start)
    if dictionary is not None:
        n_entries = len(dictionary.values)
        require(
            dictionary.used == n_entries, f"only {dictionary.used} of {n_entries} dictionary entries are used", page="dictionary"
        )
    require(n_values == meta.num_values, f"num_values {meta.num_values}, the pages have {n_values}")
    with at(offset=start):
        _check_metadata(leaf, meta, start, first_data or 0, uncompressed, stats)
        facts = chunk_facts(walk.pages)
        check_statistics(leaf, meta.statistics, facts, walk.pages)
        check_size_statistics(leaf, meta.size_statistics, facts)
    return walk


def _check_metadata(
    leaf: Leaf, meta: Struct, start: int, first_data: int, uncompressed: int, stats: Counter[tuple[int, int]]
) -> None:
    require(meta.type == leaf.physical, f"type {meta.type!r} in a leaf of {leaf.physical!r}")
    require(tuple(meta.path_in_schema) == leaf.path, f"path_in_schema {meta.path_in_schema}")
    for name in ("key_value_metadata", "index_page_offset"):
        require(getattr(meta, name) is None, f"{name} is set")
    got = meta.total_uncompressed_size
    require(got == uncompressed, f"total_uncompressed_size {got}, the pages take {uncompressed}")
    require(meta.data_page_offset == first_data, f"data_page_offset {meta.data_page_offset}, the first data page is at {first_data}")
    wanted = start if first_data != start else None
    require(meta.dictionary_page_offset == wanted, f"dictionary_page_offset {meta.dictionary_page_offset}, expected {wanted}")
    used = {encoding for _, encoding in stats}
    if leaf.max_def or leaf.max_rep:
        used.add(Encoding.RLE)
    given = meta.encodings
    names = sorted(Encoding(e).name for e in used)
    require(len(set(given)) == len(given), f"encodings has an entry twice: {given}")
    require(set(given) == used, f"encodings {sorted(e.name for e in given)}, used are {names}")
    require(meta.encoding_stats is not None, "encoding_stats is missing")
    keys = [(s.page_type, s.encoding) for s in meta.encoding_stats]
    require(len(set(keys)) == len(keys), "encoding_stats has an entry twice")
    counted = {(s.page_type, s.encoding): s.count for s in meta.encoding_stats}
    require(counted == dict(stats), f"encoding_stats {counted}, real is {dict(stats)}")
