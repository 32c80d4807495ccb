"""The mini emitter's first half: specifications of a small file, thrift compact output, encodings, compression.

The emitter is for tests of the oracle and is written apart from it: it imports nothing of it, so that the two cannot share
a mistake. Slow and simple, for files of some dozen rows; `handmade.build` lays out the file.
"""

from __future__ import annotations

import ctypes
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

ENC = {"PLAIN": 0, "RLE": 3, "DELTA": 5, "DELTA_LENGTH": 6, "DELTA_BYTES": 7, "DICT": 8, "BSS": 9}
CODECS = {"none": 0, "snappy": 1, "zstd": 6}

# type word -> physical type, struct letter, converted_type, (bits, signed) of INTEGER
TYPES: dict[str, tuple[int, str, int | None, tuple[int, bool] | None]] = {
    "bool": (0, "", None, None),
    "int8": (1, "i", 15, (8, True)),
    "int32": (1, "i", 17, (32, True)),
    "int64": (2, "q", 18, (64, True)),
    "uint8": (1, "I", 11, (8, False)),
    "uint32": (1, "I", 13, (32, False)),
    "uint64": (2, "Q", 14, (64, False)),
    "float32": (4, "f", None, None),
    "float64": (5, "d", None, None),
    "string": (6, "", 0, None),
    "binary": (6, "", None, None),
    "float16": (7, "e", None, None),
    "fixed4": (7, "", None, None),
    "fixed70": (7, "", None, None),
    "decimal20": (7, "", 5, None),  # scale 2
}
LENGTHS = {"float16": 2, "fixed4": 4, "fixed70": 70, "decimal20": 9}

# The position of a word is its field number; `_` is a number that is never written.
_LAYOUTS = {
    "FileMetaData": "version:i32 schema:L:SchemaElement num_rows:i64 row_groups:L:RowGroup key_value_metadata:L:KeyValue"
    " created_by:bin column_orders:L:ColumnOrder",
    "SchemaElement": "type:i32 type_length:i32 repetition_type:i32 name:bin num_children:i32 converted_type:i32 scale:i32"
    " precision:i32 field_id:i32 logicalType:LogicalType",
    "LogicalType": "STRING:Empty MAP:Empty LIST:Empty ENUM:Empty DECIMAL:DecimalType DATE:Empty TIME:TimeType"
    " TIMESTAMP:TimeType _ INTEGER:IntType UNKNOWN:Empty JSON:Empty BSON:Empty UUID:Empty FLOAT16:Empty",
    "DecimalType": "scale:i32 precision:i32",
    "TimeType": "isAdjustedToUTC:bool unit:TimeUnit",
    "TimeUnit": "MILLIS:Empty MICROS:Empty NANOS:Empty",
    "IntType": "bitWidth:i8 isSigned:bool",
    "Empty": "",
    "ColumnOrder": "TYPE_ORDER:Empty IEEE_754_TOTAL_ORDER:Empty",
    "KeyValue": "key:bin value:bin",
    "RowGroup": "columns:L:ColumnChunk total_byte_size:i64 num_rows:i64 sorting_columns:L:SortingColumn file_offset:i64"
    " total_compressed_size:i64 ordinal:i16",
    "SortingColumn": "column_idx:i32 descending:bool nulls_first:bool",
    "ColumnChunk": "file_path:bin file_offset:i64 meta_data:ColumnMetaData offset_index_offset:i64 offset_index_length:i32"
    " column_index_offset:i64 column_index_length:i32",
    "ColumnMetaData": "type:i32 encodings:L:i32 path_in_schema:L:bin codec:i32 num_values:i64 total_uncompressed_size:i64"
    " total_compressed_size:i64 key_value_metadata:L:KeyValue data_page_offset:i64 index_page_offset:i64"
    " dictionary_page_offset:i64 statistics:Statistics encoding_stats:L:PageEncodingStats bloom_filter_offset:i64"
    " bloom_filter_length:i32 size_statistics:SizeStatistics",
    "PageEncodingStats": "page_type:i32 encoding:i32 count:i32",
    "Statistics": "max:bin min:bin null_count:i64 distinct_count:i64 max_value:bin min_value:bin is_max_value_exact:bool"
    " is_min_value_exact:bool nan_count:i64",
    "SizeStatistics": "unencoded_byte_array_data_bytes:i64 repetition_level_histogram:L:i64 definition_level_histogram:L:i64",
    "PageHeader": "type:i32 uncompressed_page_size:i32 compressed_page_size:i32 crc:i32 data_page_header:DataPageHeader"
    " index_page_header:Empty dictionary_page_header:DictionaryPageHeader data_page_header_v2:DataPageHeaderV2",
    "DataPageHeader": "num_values:i32 encoding:i32 definition_level_encoding:i32 repetition_level_encoding:i32"
    " statistics:Statistics",
    "DataPageHeaderV2": "num_values:i32 num_nulls:i32 num_rows:i32 encoding:i32 definition_levels_byte_length:i32"
    " repetition_levels_byte_length:i32 is_compressed:bool statistics:Statistics",
    "DictionaryPageHeader": "num_values:i32 encoding:i32 is_sorted:bool",
    "ColumnIndex": "null_pages:L:bool min_values:L:bin max_values:L:bin boundary_order:i32 null_counts:L:i64"
    " repetition_level_histograms:L:i64 definition_level_histograms:L:i64 nan_counts:L:i64",
    "OffsetIndex": "page_locations:L:PageLocation unencoded_byte_array_data_bytes:L:i64",
    "PageLocation": "offset:i64 compressed_page_size:i32 first_row_index:i64",
    "BloomFilterHeader": "numBytes:i32 algorithm:One hash:One compression:One",
    "One": "only:Empty",
}
_WIRE = {"i8": 3, "i16": 4, "i32": 5, "i64": 6, "bin": 8}


class Rec(dict):
    """A thrift struct as a dict of its fields; None and absent are the same. `raw` bytes are put before the stop byte."""

    def __init__(self, kind: str, **fields: Any) -> None:
        super().__init__(fields)
        self.kind = kind
        self.raw = b""


def uvarint(n: int) -> bytes:
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def zigzag(n: int) -> bytes:
    return uvarint(n * 2 if n >= 0 else -n * 2 - 1)


def _thrift_value(word: str, value: Any) -> bytes:
    if word.startswith("L:"):
        item = word[2:]
        wire = 2 if item == "bool" else _WIRE.get(item, 12)
        head = bytes([len(value) << 4 | wire]) if len(value) < 15 else bytes([0xF0 | wire]) + uvarint(len(value))
        if item == "bool":
            return head + bytes(1 if v else 0 for v in value)
        return head + b"".join(_thrift_value(item, v) for v in value)
    if word == "bin":
        raw = value.encode() if isinstance(value, str) else value
        return uvarint(len(raw)) + raw
    if word == "i8":
        return struct.pack("b", value)
    if word in _WIRE:
        return zigzag(value)
    return thrift(value)


def thrift(rec: Rec) -> bytes:
    out, last = b"", 0
    for number, entry in enumerate(_LAYOUTS[rec.kind].split(), 1):
        name, _, word = entry.partition(":")
        value = rec.get(name)
        if value is None:
            continue
        wire = (1 if value else 2) if word == "bool" else 9 if word.startswith("L:") else _WIRE.get(word, 12)
        out += bytes([number - last << 4 | wire]) + (b"" if word == "bool" else _thrift_value(word, value))
        last = number
    return out + rec.raw + b"\0"


def compress(codec: str, raw: bytes) -> bytes:
    if codec == "none":
        return raw
    if codec == "snappy":
        out = uvarint(len(raw))
        for i in range(0, len(raw), 60):
            out += bytes([len(raw[i : i + 60]) - 1 << 2]) + raw[i : i + 60]
        return out
    lib = ctypes.CDLL("libzstd.so.1")
    lib.ZSTD_compressBound.restype = lib.ZSTD_compress.restype = ctypes.c_size_t
    room = lib.ZSTD_compressBound(ctypes.c_size_t(len(raw)))
    out_buffer = ctypes.create_string_buffer(room)
    size = lib.ZSTD_compress(out_buffer, ctypes.c_size_t(room), raw, ctypes.c_size_t(len(raw)), 1)
    return out_buffer.raw[:size]


def bit_pack(values: Sequence[int], width: int) -> bytes:
    """Whole groups of eight, padded with zeros."""
    n = -(-len(values) // 8) * 8
    return sum(v << i * width for i, v in enumerate(values)).to_bytes(n * width // 8, "little")


def rle_runs(values: Sequence[int], width: int) -> bytes:
    out, i = b"", 0
    while i < len(values):
        n = 1
        while i + n < len(values) and values[i + n] == values[i]:
            n += 1
        out += uvarint(n << 1) + values[i].to_bytes((width + 7) // 8, "little")
        i += n
    return out


def dictionary_ids(ids: Sequence[int], width: int) -> bytes:
    if not ids:
        return bytes([width])
    return bytes([width]) + uvarint(-(-len(ids) // 8) << 1 | 1) + bit_pack(ids, width)


def delta(values: Sequence[int], bits: int) -> bytes:
    """One block of 128 values in four miniblocks: enough for 129 values."""
    out = uvarint(128) + uvarint(4) + uvarint(len(values)) + zigzag(values[0] if values else 0)
    if len(values) > 1:
        half = 1 << bits - 1
        deltas = [(b - a + half) % (2 * half) - half for a, b in zip(values, values[1:])]
        low = min(deltas)
        minis = [[d - low for d in deltas[i : i + 32]] for i in range(0, 128, 32)]
        widths = [max((d.bit_length() for d in m), default=0) for m in minis]
        out += zigzag(low) + bytes(widths)
        for m, width in zip(minis, widths):
            out += bit_pack(m + [0] * (32 - len(m)), width) if m else b""
    return out


def plain(kind: str, values: Sequence[Any]) -> bytes:
    if kind == "bool":
        return bit_pack([int(v) for v in values], 1)[: (len(values) + 7) // 8]
    if kind in ("string", "binary"):
        raws = [v.encode() if isinstance(v, str) else v for v in values]
        return b"".join(struct.pack("<I", len(r)) + r for r in raws)
    if kind.startswith("fixed"):
        return b"".join(values)
    if kind == "decimal20":
        return b"".join(v.to_bytes(LENGTHS[kind], "big", signed=True) for v in values)
    return struct.pack(f"<{len(values)}{TYPES[kind][1]}", *values)


def encode(kind: str, encoding: str, values: Sequence[Any]) -> bytes:
    if encoding == "DELTA":
        bits = 32 if TYPES[kind][0] == 1 else 64
        return delta([v - (v >> bits - 1 << bits) if v > 0 else v for v in values], bits)
    if encoding == "BSS":
        raw = plain(kind, values)
        size = len(raw) // len(values)
        return b"".join(raw[i::size] for i in range(size))
    raws = [v.encode() if isinstance(v, str) else v for v in values] if kind in ("string", "binary") else []
    if encoding == "DELTA_LENGTH":
        return delta([len(r) for r in raws], 32) + b"".join(raws)
    if encoding == "DELTA_BYTES":
        prefixes = [0]
        for a, b in zip(raws, raws[1:]):
            prefixes.append(next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b))))
        return delta(prefixes, 32) + encode(kind, "DELTA_LENGTH", [r[p:] for r, p in zip(raws, prefixes)])
    if encoding == "RLE":
        body = rle_runs([int(v) for v in values], 1)
        return struct.pack("<I", len(body)) + body
    return plain(kind, values)


@dataclass
class PageSpec:
    """Values of one page: one entry a row, None for null; for a list column one list a row."""

    values: list[Any]
    encoding: str = "PLAIN"
    version: int = 1
    compressed: bool = True


@dataclass
class ColumnSpec:
    """`kind`: a word of TYPES, or list<word>, a required list of optional elements. `groups`: the pages of each row group."""

    name: str
    kind: str
    groups: list[list[PageSpec]]
    optional: bool = False
    bloom: bool = False

    @property
    def is_list(self) -> bool:
        return self.kind.startswith("list<")

    @property
    def leaf_kind(self) -> str:
        return self.kind[5:-1] if self.is_list else self.kind

    @property
    def max_def(self) -> int:
        return 2 if self.is_list else int(self.optional)

    @property
    def path(self) -> list[str]:
        return [self.name, "list", "element"] if self.is_list else [self.name]

    def shred(self, rows: list[Any]) -> tuple[list[int], list[int], list[Any]]:
        """Repetition levels, definition levels, values without nulls."""
        if not self.is_list:
            return [0] * len(rows), [int(v is not None) * self.max_def for v in rows], [v for v in rows if v is not None]
        reps, defs, values = [], [], []
        for row in rows:
            for i, v in enumerate(row or [None]):
                reps.append(int(i > 0))
                defs.append(0 if not row else 1 if v is None else 2)
                values += [] if v is None else [v]
        return reps, defs, values


Hook = Callable[..., Any]


@dataclass
class FileSpec:
    columns: list[ColumnSpec]
    codec: str = "zstd"
    version: int = 1
    sorting: list[tuple[int, bool]] = field(default_factory=list)
    hooks: dict[str, Hook] = field(default_factory=dict)

    def hook(self, stage: str, obj: Any, *place: Any) -> Any:
        """Let a test change what a stage made: in place, or by returning another object."""
        changed = self.hooks[stage](obj, *place) if stage in self.hooks else None
        return obj if changed is None else changed


def signed_crc(body: bytes) -> int:
    return struct.unpack("<i", struct.pack("<I", zlib.crc32(body)))[0]
