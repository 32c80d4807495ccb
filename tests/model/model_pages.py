"""One page: header, checksum, decompression, levels, values. Version 1 and 2 data pages and dictionary pages.

Where a page stands in its column chunk, and whether metadata tells the truth about it, is decided elsewhere.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

from . import model_encodings as enc
from .model_compress import decompress
from .model_errors import UnsupportedError, require
from .model_schema import Leaf
from .model_thrift import Encoding, PageType, Struct, Type, parse_struct

_MAX_PAGE_VALUES = 1 << 26


@dataclass
class Page:
    """A page of a chunk. `values` has no nulls and is in the leaf's order (Leaf.ordered); `ids` where they are dictionary ids."""

    header: Struct
    offset: int
    header_bytes: int
    body: bytes = b""
    num_values: int = 0
    n_rows: int = 0
    rep_levels: list[int] = field(default_factory=list)
    def_levels: list[int] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    ids: list[int] | None = None

    @property
    def is_dictionary(self) -> bool:
        return self.header.type == PageType.DICTIONARY_PAGE

    @property
    def type_header(self) -> Struct:
        h = self.header
        return {
            PageType.DATA_PAGE: h.data_page_header,
            PageType.DATA_PAGE_V2: h.data_page_header_v2,
            PageType.DICTIONARY_PAGE: h.dictionary_page_header,
            PageType.INDEX_PAGE: h.index_page_header,
        }[h.type]

    @property
    def encoding(self) -> int:
        return self.type_header.encoding

    @property
    def compressed_bytes(self) -> int:
        """As total_compressed_size and PageLocation count: header and body."""
        return self.header_bytes + self.header.compressed_page_size

    @property
    def uncompressed_bytes(self) -> int:
        return self.header_bytes + self.header.uncompressed_page_size

    @property
    def end(self) -> int:
        return self.offset + self.compressed_bytes

    @property
    def n_nulls(self) -> int:
        return self.num_values - len(self.values)


def read_page_header(data: bytes, pos: int, end: int, *, strict: bool) -> Page:
    """The header at `pos` and the body as stored, its CRC checked where there is one."""
    header, body = parse_struct("PageHeader", data, pos, end, strict=strict)
    page = Page(header, pos, body - pos)
    kinds = {
        PageType.DATA_PAGE: "data_page_header",
        PageType.INDEX_PAGE: "index_page_header",
        PageType.DICTIONARY_PAGE: "dictionary_page_header",
        PageType.DATA_PAGE_V2: "data_page_header_v2",
    }
    require(header.type in kinds, f"page type {header.type} is not known", offset=pos)
    present = [name for name in kinds.values() if getattr(header, name) is not None]
    require(kinds[header.type] in present, f"page of type {header.type.name} without {kinds[header.type]}", offset=pos)
    if strict:
        require(len(present) == 1, f"page header with {' and '.join(present)}", offset=pos)
        require(header.crc is not None, "page without CRC", offset=pos)
    require(header.uncompressed_page_size >= 0, "negative uncompressed_page_size", offset=pos)
    require(0 <= header.compressed_page_size <= end - body, "page body goes beyond its place", offset=pos)
    page.body = data[body : body + header.compressed_page_size]
    if header.crc is not None:
        require(zlib.crc32(page.body) == header.crc & 0xFFFFFFFF, "CRC of the page is wrong", offset=pos)
    return page


def _require_end(pos: int, body: bytes, strict: bool) -> None:
    require(not strict or pos == len(body), f"{len(body) - pos} bytes left in the page after its values")


def decode_dictionary_page(page: Page, leaf: Leaf, codec: int, *, strict: bool) -> tuple[list[Any], list[bytes] | None]:
    """The dictionary's values, in the leaf's order, and (strict) the bytes of each entry."""
    head = page.header.dictionary_page_header
    require(0 <= head.num_values <= _MAX_PAGE_VALUES, f"dictionary page with num_values {head.num_values}")
    wanted = (Encoding.PLAIN,) if strict else (Encoding.PLAIN, Encoding.PLAIN_DICTIONARY)
    require(head.encoding in wanted, f"dictionary page encoded as {head.encoding!r}")
    body = decompress(codec, page.body, page.header.uncompressed_page_size, strict=strict)
    values, pos = enc.decode_plain(body, 0, len(body), leaf.physical, leaf.type_length, head.num_values)
    _require_end(pos, body, strict)
    page.num_values = head.num_values
    page.values = leaf.ordered(values)
    if not strict:
        return page.values, None
    size = enc.fixed_size(leaf.physical, leaf.type_length)
    raw = [body[i : i + size] for i in range(0, len(body), size)] if size else values
    return page.values, raw


def _levels(body: bytes, pos: int, end: int, max_level: int, count: int, what: str, strict: bool) -> list[int]:
    levels, stop = enc.decode_hybrid(body, pos, end, max_level.bit_length(), count, strict=strict)
    require(not strict or stop == end, f"{end - stop} bytes left after the {what} levels")
    require(not levels or max(levels) <= max_level, f"{what} level above {max_level}")
    return levels


def _prefixed_levels(body: bytes, pos: int, max_level: int, count: int, what: str, strict: bool) -> tuple[list[int], int]:
    if max_level == 0:
        return [0] * count, pos
    require(len(body) - pos >= 4, f"length of the {what} levels is cut off")
    size = int.from_bytes(body[pos : pos + 4], "little")
    pos += 4
    require(size <= len(body) - pos, f"{what} levels of {size} bytes go beyond the page")
    return _levels(body, pos, pos + size, max_level, count, what, strict), pos + size


def _read_v1(page: Page, leaf: Leaf, codec: int, strict: bool) -> tuple[bytes, int]:
    head = page.header.data_page_header
    for name, top in (("repetition", leaf.max_rep), ("definition", leaf.max_def)):
        encoding = getattr(head, f"{name}_level_encoding")
        if strict:
            require(encoding == Encoding.RLE, f"{name} levels encoded as {encoding!r}")
        elif top and encoding != Encoding.RLE:
            raise UnsupportedError(f"{name} levels encoded as {encoding!r}")
    body = decompress(codec, page.body, page.header.uncompressed_page_size, strict=strict)
    page.rep_levels, pos = _prefixed_levels(body, 0, leaf.max_rep, page.num_values, "repetition", strict)
    page.def_levels, pos = _prefixed_levels(body, pos, leaf.max_def, page.num_values, "definition", strict)
    return body, pos


def _read_v2(page: Page, leaf: Leaf, codec: int, strict: bool) -> tuple[bytes, int]:
    head = page.header.data_page_header_v2
    n_rep, n_def = head.repetition_levels_byte_length, head.definition_levels_byte_length
    require(n_rep >= 0 and n_def >= 0 and n_rep + n_def <= len(page.body), "level lengths go beyond the page")
    if strict:
        require(leaf.max_rep or n_rep == 0, "repetition levels in a column that has none")
        require(leaf.max_def or n_def == 0, "definition levels in a column that has none")
    page.rep_levels = page.def_levels = [0] * page.num_values
    if leaf.max_rep:
        page.rep_levels = _levels(page.body, 0, n_rep, leaf.max_rep, page.num_values, "repetition", strict)
    if leaf.max_def:
        page.def_levels = _levels(page.body, n_rep, n_rep + n_def, leaf.max_def, page.num_values, "definition", strict)
    rest = page.body[n_rep + n_def :]
    size = page.header.uncompressed_page_size - n_rep - n_def
    require(size >= 0, "uncompressed_page_size is smaller than the levels")
    if head.is_compressed is False:
        codec = 0
    elif not strict and size == 0:
        return b"", 0
    return decompress(codec, rest, size, strict=strict), 0


def decode_data_page(page: Page, leaf: Leaf, codec: int, dictionary: list[Any] | None, *, strict: bool) -> None:
    """Fill a data page's levels, rows, values and ids."""
    head = page.type_header
    require(0 <= head.num_values <= _MAX_PAGE_VALUES, f"data page with num_values {head.num_values}")
    page.num_values = head.num_values
    v2 = page.header.type == PageType.DATA_PAGE_V2
    body, pos = (_read_v2 if v2 else _read_v1)(page, leaf, codec, strict)
    page.n_rows = page.rep_levels.count(0)
    count = page.def_levels.count(leaf.max_def)
    end = len(body)
    if strict and v2:
        require(head.num_nulls == page.num_values - count, f"num_nulls {head.num_nulls}, the page has {page.num_values - count}")
        require(head.num_rows == page.n_rows, f"num_rows {head.num_rows}, the page has {page.n_rows}")
    physical, length = leaf.physical, leaf.type_length
    encoding = head.encoding
    if encoding in (Encoding.RLE_DICTIONARY, Encoding.PLAIN_DICTIONARY):
        require(dictionary is not None, "dictionary-encoded page in a chunk without a dictionary")
        assert dictionary is not None
        if pos == end and count == 0 and not strict:
            return
        require(pos < end, "the bit width of the dictionary ids is missing")
        width = body[pos]
        require(not strict or 1 <= width <= 24, f"bit width {width} of dictionary ids")
        page.ids, pos = enc.decode_hybrid(body, pos + 1, end, width, count, strict=strict)
        require(not page.ids or max(page.ids) < len(dictionary), f"dictionary id beyond {len(dictionary)} entries")
        page.values = [dictionary[i] for i in page.ids]
        _require_end(pos, body, strict)
        return
    values: list[Any]
    if encoding == Encoding.PLAIN:
        values, pos = enc.decode_plain(body, pos, end, physical, length, count)
    elif encoding == Encoding.RLE and physical == Type.BOOLEAN:
        size = int.from_bytes(body[pos : pos + 4], "little")
        require(size <= end - pos - 4, "RLE booleans are cut off")
        bits, stop = enc.decode_hybrid(body, pos + 4, pos + 4 + size, 1, count, strict=strict)
        require(not strict or stop == pos + 4 + size, "bytes left after the RLE booleans")
        values, pos = [b == 1 for b in bits], pos + 4 + size
    elif encoding == Encoding.DELTA_BINARY_PACKED and physical in (Type.INT32, Type.INT64):
        n_bits = 32 if physical == Type.INT32 else 64
        values, pos = enc.decode_delta_binary_packed(body, pos, end, n_bits, strict=strict, count=count)
    elif encoding == Encoding.DELTA_LENGTH_BYTE_ARRAY and physical == Type.BYTE_ARRAY:
        values, pos = enc.decode_delta_length(body, pos, end, count, strict=strict)
    elif encoding == Encoding.DELTA_BYTE_ARRAY and physical in (Type.BYTE_ARRAY, Type.FIXED_LEN_BYTE_ARRAY):
        values, pos = enc.decode_delta_byte_array(body, pos, end, count, strict=strict)
        require(length is None or physical == Type.BYTE_ARRAY or all(len(v) == length for v in values), "value of a wrong length")
    elif encoding == Encoding.BYTE_STREAM_SPLIT:
        values, pos = enc.decode_byte_stream_split(body, pos, end, physical, length, count)
    else:
        raise UnsupportedError(f"encoding {encoding!r} of {physical!r}")
    page.values = leaf.ordered(values)
    _require_end(pos, body, strict)
