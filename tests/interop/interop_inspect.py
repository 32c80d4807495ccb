"""Which encodings the columns of a file really have, read from its page headers by the reader of tests/model.

The label of a column says all encodings of its data pages: `plain`, `delta`, `byte_stream_split`, `delta_length`,
`delta_byte_array`, `rle` (booleans), and for dictionaries the width of the widest indexes: `dict` (packed, not in whole
bytes), `dict8`, `dict16`, `dict24`. Where a column has several they are joined in that order: `dict8+plain`.
"""

from __future__ import annotations

from pathlib import Path

from model.model_compress import decompress
from model.model_file import open_metadata
from model.model_pages import Page, read_page_header
from model.model_schema import Leaf
from model.model_thrift import CompressionCodec, Encoding, PageType

ORDER = ("dict", "dict8", "dict16", "dict24", "plain", "rle", "delta", "byte_stream_split", "delta_length",
         "delta_byte_array")  # fmt: skip
_NAMES = {
    Encoding.PLAIN: "plain",
    Encoding.RLE: "rle",
    Encoding.DELTA_BINARY_PACKED: "delta",
    Encoding.BYTE_STREAM_SPLIT: "byte_stream_split",
    Encoding.DELTA_LENGTH_BYTE_ARRAY: "delta_length",
    Encoding.DELTA_BYTE_ARRAY: "delta_byte_array",
}


def index_width(page: Page, leaf: Leaf, codec: int) -> int | None:
    """Bits of the indexes of a data page with dictionary encoding; None where it has no value."""
    size = page.header.uncompressed_page_size
    v2 = page.header.data_page_header_v2
    if v2 is not None:
        at = v2.definition_levels_byte_length + v2.repetition_levels_byte_length
        if v2.num_nulls == v2.num_values:
            return None
        body = page.body[at:]
        if v2.is_compressed is not False:
            body = decompress(codec, body, size - at, strict=True)
        return body[0]
    body = decompress(codec, page.body, size, strict=True)
    at = 4 + int.from_bytes(body[:4], "little") if leaf.max_def else 0
    return body[at] if at < len(body) else None


def labels(path: Path) -> dict[str, str]:
    """name -> label of every column of a flat file; also checks that all of a file has one codec."""
    data = path.read_bytes()
    metadata = open_metadata(data, indexes=False)
    found: dict[str, set[str]] = {leaf.name: set() for leaf in metadata.leaves}
    widths: dict[str, int] = {}
    for group in metadata.row_groups:
        for leaf, chunk in zip(metadata.leaves, group.columns):
            m = chunk.meta_data
            at = m.data_page_offset if m.dictionary_page_offset is None else m.dictionary_page_offset
            end = at + m.total_compressed_size
            indexed: list[Page] = []
            while at < end:
                page = read_page_header(data, at, end, strict=True)
                at = page.end
                if page.header.type == PageType.DICTIONARY_PAGE:
                    continue
                if page.encoding == Encoding.RLE_DICTIONARY:
                    indexed.append(page)
                else:
                    found[leaf.name].add(_NAMES[page.encoding])
            # Dictionaries only grow: the last page that has indexes has the widest.
            for page in reversed(indexed):
                width = index_width(page, leaf, m.codec)
                if width is not None:
                    widths[leaf.name] = max(widths.get(leaf.name, 0), width)
                    break
    for name, width in widths.items():
        found[name].add(f"dict{width}" if width in (8, 16, 24) else "dict")
    return {name: "+".join(sorted(found[name], key=ORDER.index)) for name in found}


def codecs(path: Path) -> set[str]:
    """Names of the codecs of all chunks."""
    metadata = open_metadata(path.read_bytes(), indexes=False)
    names = {CompressionCodec.UNCOMPRESSED: "none", CompressionCodec.SNAPPY: "snappy", CompressionCodec.ZSTD: "zstd"}
    return {names[c.meta_data.codec] for group in metadata.row_groups for c in group.columns}
