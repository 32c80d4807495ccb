"""Thrift compact protocol for the structs of the Parquet format: bytes to `Struct` objects, by field tables.

The tables are the format's thrift definitions in short form: `number name type`, `?` for optional. Encryption, geospatial
statistics and the logical types that ccpq knows nothing of are not in them: they are skipped, or refused in strict mode.
What a value means, and whether it is right, is not decided here.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Any

from .model_errors import ModelError, at, require

_ENUMS = {
    "Type": "BOOLEAN 0, INT32 1, INT64 2, INT96 3, FLOAT 4, DOUBLE 5, BYTE_ARRAY 6, FIXED_LEN_BYTE_ARRAY 7",
    "ConvertedType": "UTF8 0, MAP 1, MAP_KEY_VALUE 2, LIST 3, ENUM 4, DECIMAL 5, DATE 6, TIME_MILLIS 7, TIME_MICROS 8,"
    " TIMESTAMP_MILLIS 9, TIMESTAMP_MICROS 10, UINT_8 11, UINT_16 12, UINT_32 13, UINT_64 14, INT_8 15, INT_16 16,"
    " INT_32 17, INT_64 18, JSON 19, BSON 20, INTERVAL 21",
    "FieldRepetitionType": "REQUIRED 0, OPTIONAL 1, REPEATED 2",
    "Encoding": "PLAIN 0, PLAIN_DICTIONARY 2, RLE 3, BIT_PACKED 4, DELTA_BINARY_PACKED 5, DELTA_LENGTH_BYTE_ARRAY 6,"
    " DELTA_BYTE_ARRAY 7, RLE_DICTIONARY 8, BYTE_STREAM_SPLIT 9, ALP 10",
    "CompressionCodec": "UNCOMPRESSED 0, SNAPPY 1, GZIP 2, LZO 3, BROTLI 4, LZ4 5, ZSTD 6, LZ4_RAW 7",
    "PageType": "DATA_PAGE 0, INDEX_PAGE 1, DICTIONARY_PAGE 2, DATA_PAGE_V2 3",
    "BoundaryOrder": "UNORDERED 0, ASCENDING 1, DESCENDING 2",
}

_STRUCTS = {
    "FileMetaData": "1 version i32, 2 schema list<SchemaElement>, 3 num_rows i64, 4 row_groups list<RowGroup>,"
    " 5 key_value_metadata list<KeyValue>?, 6 created_by string?, 7 column_orders list<ColumnOrder>?",
    "SchemaElement": "1 type Type?, 2 type_length i32?, 3 repetition_type FieldRepetitionType?, 4 name string,"
    " 5 num_children i32?, 6 converted_type ConvertedType?, 7 scale i32?, 8 precision i32?, 9 field_id i32?,"
    " 10 logicalType LogicalType?",
    "RowGroup": "1 columns list<ColumnChunk>, 2 total_byte_size i64, 3 num_rows i64,"
    " 4 sorting_columns list<SortingColumn>?, 5 file_offset i64?, 6 total_compressed_size i64?, 7 ordinal i16?",
    "ColumnChunk": "1 file_path string?, 2 file_offset i64, 3 meta_data ColumnMetaData?, 4 offset_index_offset i64?,"
    " 5 offset_index_length i32?, 6 column_index_offset i64?, 7 column_index_length i32?",
    "ColumnMetaData": "1 type Type, 2 encodings list<Encoding>, 3 path_in_schema list<string>, 4 codec CompressionCodec,"
    " 5 num_values i64, 6 total_uncompressed_size i64, 7 total_compressed_size i64, 8 key_value_metadata list<KeyValue>?,"
    " 9 data_page_offset i64, 10 index_page_offset i64?, 11 dictionary_page_offset i64?, 12 statistics Statistics?,"
    " 13 encoding_stats list<PageEncodingStats>?, 14 bloom_filter_offset i64?, 15 bloom_filter_length i32?,"
    " 16 size_statistics SizeStatistics?",
    "Statistics": "1 max binary?, 2 min binary?, 3 null_count i64?, 4 distinct_count i64?, 5 max_value binary?,"
    " 6 min_value binary?, 7 is_max_value_exact bool?, 8 is_min_value_exact bool?, 9 nan_count i64?",
    "SizeStatistics": "1 unencoded_byte_array_data_bytes i64?, 2 repetition_level_histogram list<i64>?,"
    " 3 definition_level_histogram list<i64>?",
    "PageEncodingStats": "1 page_type PageType, 2 encoding Encoding, 3 count i32",
    "SortingColumn": "1 column_idx i32, 2 descending bool, 3 nulls_first bool",
    "KeyValue": "1 key string, 2 value string?",
    "PageHeader": "1 type PageType, 2 uncompressed_page_size i32, 3 compressed_page_size i32, 4 crc i32?,"
    " 5 data_page_header DataPageHeader?, 6 index_page_header IndexPageHeader?,"
    " 7 dictionary_page_header DictionaryPageHeader?, 8 data_page_header_v2 DataPageHeaderV2?",
    "DataPageHeader": "1 num_values i32, 2 encoding Encoding, 3 definition_level_encoding Encoding,"
    " 4 repetition_level_encoding Encoding, 5 statistics Statistics?",
    "IndexPageHeader": "",
    "DataPageHeaderV2": "1 num_values i32, 2 num_nulls i32, 3 num_rows i32, 4 encoding Encoding,"
    " 5 definition_levels_byte_length i32, 6 repetition_levels_byte_length i32, 7 is_compressed bool?,"
    " 8 statistics Statistics?",
    "DictionaryPageHeader": "1 num_values i32, 2 encoding Encoding, 3 is_sorted bool?",
    "ColumnIndex": "1 null_pages list<bool>, 2 min_values list<binary>, 3 max_values list<binary>,"
    " 4 boundary_order BoundaryOrder, 5 null_counts list<i64>?, 6 repetition_level_histograms list<i64>?,"
    " 7 definition_level_histograms list<i64>?, 8 nan_counts list<i64>?",
    "OffsetIndex": "1 page_locations list<PageLocation>, 2 unencoded_byte_array_data_bytes list<i64>?",
    "PageLocation": "1 offset i64, 2 compressed_page_size i32, 3 first_row_index i64",
    "BloomFilterHeader": "1 numBytes i32, 2 algorithm BloomFilterAlgorithm, 3 hash BloomFilterHash,"
    " 4 compression BloomFilterCompression",
    "DecimalType": "1 scale i32, 2 precision i32",
    "TimestampType": "1 isAdjustedToUTC bool, 2 unit TimeUnit",
    "TimeType": "1 isAdjustedToUTC bool, 2 unit TimeUnit",
    "IntType": "1 bitWidth i8, 2 isSigned bool",
}

# A union is a struct of which exactly one field is set; its members below are empty structs unless named above.
_UNIONS = {
    "LogicalType": "1 STRING StringType, 2 MAP MapType, 3 LIST ListType, 4 ENUM EnumType, 5 DECIMAL DecimalType,"
    " 6 DATE DateType, 7 TIME TimeType, 8 TIMESTAMP TimestampType, 10 INTEGER IntType, 11 UNKNOWN NullType,"
    " 12 JSON JsonType, 13 BSON BsonType, 14 UUID UUIDType, 15 FLOAT16 Float16Type",
    "TimeUnit": "1 MILLIS MilliSeconds, 2 MICROS MicroSeconds, 3 NANOS NanoSeconds",
    "ColumnOrder": "1 TYPE_ORDER TypeDefinedOrder, 2 IEEE_754_TOTAL_ORDER IEEE754TotalOrder,"
    " 3 INT96_TIMESTAMP_ORDER Int96TimestampOrder",
    "BloomFilterAlgorithm": "1 BLOCK SplitBlockAlgorithm",
    "BloomFilterHash": "1 XXHASH XxHash",
    "BloomFilterCompression": "1 UNCOMPRESSED Uncompressed",
}

ENUMS: dict[str, type[IntEnum]] = {
    name: IntEnum(name, [(w.split()[0], int(w.split()[1])) for w in words.split(",")]) for name, words in _ENUMS.items()
}
Type = ENUMS["Type"]
ConvertedType = ENUMS["ConvertedType"]
FieldRepetitionType = ENUMS["FieldRepetitionType"]
Encoding = ENUMS["Encoding"]
CompressionCodec = ENUMS["CompressionCodec"]
PageType = ENUMS["PageType"]
BoundaryOrder = ENUMS["BoundaryOrder"]


class Field:
    """One line of a table: name, type word and whether it must be there."""

    def __init__(self, words: str, in_union: bool) -> None:
        number, self.name, type_word = words.split()
        self.number = int(number)
        self.required = not in_union and not type_word.endswith("?")
        self.type = type_word.rstrip("?")


def _table(words: str, in_union: bool) -> dict[int, Field]:
    fields = [Field(w, in_union) for w in words.split(",") if w.strip()]
    return {f.number: f for f in fields}


TABLES: dict[str, dict[int, Field]] = {name: _table(words, False) for name, words in _STRUCTS.items()}
TABLES |= {name: _table(words, True) for name, words in _UNIONS.items()}
for _words in _UNIONS.values():
    for _member in re.findall(r"\d+ \w+ (\w+)", _words):
        TABLES.setdefault(_member, {})


class Struct:
    """A parsed struct: every field of its table is an attribute, None when it was not in the bytes."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        for field in TABLES[kind].values():
            setattr(self, field.name, None)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{self.__dict__.get('kind')} has no field {name}")

    def set_fields(self) -> list[str]:
        return [f.name for f in TABLES[self.kind].values() if getattr(self, f.name) is not None]

    def __repr__(self) -> str:
        return f"{self.kind}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.set_fields())})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Struct) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]


_BOOL_TRUE, _BOOL_FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_INT_WIRE = {"i8": (_BYTE, 8), "i16": (_I16, 16), "i32": (_I32, 32), "i64": (_I64, 64)}
_MAX_DEPTH = 32
# Lists whose position says where in the file an error is; a column has no name yet.
_PLACE_OF = {"RowGroup": "row_group", "ColumnChunk": "column"}


class _Reader:
    def __init__(self, data: bytes, pos: int, end: int, strict: bool) -> None:
        self.data, self.pos, self.end, self.strict = data, pos, end, strict

    def byte(self) -> int:
        require(self.pos < self.end, "thrift: data ends inside a struct")
        self.pos += 1
        return self.data[self.pos - 1]

    def varint(self) -> int:
        value = shift = 0
        while True:
            b = self.byte()
            value |= (b & 0x7F) << shift
            if b < 0x80:
                return value
            shift += 7
            require(shift < 70, "thrift: varint of more than 10 bytes")

    def integer(self, bits: int) -> int:
        if bits == 8:
            b = self.byte()
            return b - 256 if b > 127 else b
        raw = self.varint()
        value = (raw >> 1) ^ -(raw & 1)
        require(-(1 << (bits - 1)) <= value < 1 << (bits - 1), f"thrift: integer does not fit i{bits}")
        return value

    def binary(self) -> bytes:
        size = self.varint()
        require(size <= self.end - self.pos, "thrift: binary longer than the data left")
        self.pos += size
        return self.data[self.pos - size : self.pos]

    def list_header(self) -> tuple[int, int]:
        header = self.byte()
        size = header >> 4
        if size == 15:
            size = self.varint()
        require(size <= self.end - self.pos, "thrift: list longer than the data left")
        return size, header & 15

    def wire_of(self, type_word: str) -> tuple[int, ...]:
        if type_word == "bool":
            return (_BOOL_TRUE, _BOOL_FALSE)
        if type_word in _INT_WIRE:
            return (_INT_WIRE[type_word][0],)
        if type_word in ENUMS:
            return (_I32,)
        if type_word in ("string", "binary"):
            return (_BINARY,)
        return (_LIST,) if type_word.startswith("list<") else (_STRUCT,)

    def value(self, type_word: str, wire: int, in_list: bool) -> Any:
        if type_word == "bool":
            if not in_list:
                return wire == _BOOL_TRUE
            b = self.byte()
            # Both 0 and 2 stand for false: the specification changed its mind.
            require(b in (0, 1, 2), f"thrift: boolean list element {b}")
            return b == 1
        if type_word in _INT_WIRE:
            return self.integer(_INT_WIRE[type_word][1])
        if type_word in ENUMS:
            number = self.integer(32)
            try:
                return ENUMS[type_word](number)
            except ValueError:
                require(not self.strict, f"{type_word} {number} is not known")
                return number
        if type_word == "binary":
            return self.binary()
        if type_word == "string":
            return self.binary().decode("utf-8")
        if type_word.startswith("list<"):
            item = type_word[5:-1]
            size, wire = self.list_header()
            require(size == 0 or wire in self.wire_of(item), f"thrift: {type_word} has elements of wire type {wire}")
            values = []
            for number in range(size):
                with at(**({_PLACE_OF[item]: number} if item in _PLACE_OF else {})):
                    values.append(self.value(item, wire, True))
            return values
        return self.struct(type_word)

    def struct(self, kind: str) -> Struct:
        table = TABLES[kind]
        result = Struct(kind)
        last = 0
        while True:
            header = self.byte()
            if header == 0:
                break
            wire, delta = header & 15, header >> 4
            number = last + delta if delta else self.integer(16)
            field = table.get(number)
            if self.strict:
                require(number > last, f"{kind}: field {number} after field {last}: fields ascend, each once")
                require(field is not None, f"{kind}: field {number} is not known")
            last = number
            fits = field is not None and wire in self.wire_of(field.type)
            if field is None or not fits:
                # Files older than a field used its number otherwise; thrift skips what does not fit.
                require(field is None or not self.strict, f"{kind}.{field and field.name}: wire type {wire}")
                self.skip(wire, 0, False)
                continue
            setattr(result, field.name, self.value(field.type, wire, False))
        for field in table.values():
            if field.required and getattr(result, field.name) is None:
                raise ModelError(f"{kind}.{field.name} is missing")
        if kind in _UNIONS and self.strict:
            require(len(result.set_fields()) == 1, f"{kind}: a union has exactly one field set")
        return result

    def skip(self, wire: int, depth: int, in_list: bool) -> None:
        require(depth < _MAX_DEPTH, "thrift: nested too deeply")
        if wire in (_BOOL_TRUE, _BOOL_FALSE):
            if in_list:
                self.byte()
        elif wire == _BYTE:
            self.byte()
        elif wire in (_I16, _I32, _I64):
            self.varint()
        elif wire == _DOUBLE:
            require(self.end - self.pos >= 8, "thrift: data ends inside a double")
            self.pos += 8
        elif wire == _BINARY:
            self.binary()
        elif wire in (_LIST, _SET):
            size, item = self.list_header()
            for _ in range(size):
                self.skip(item, depth + 1, True)
        elif wire == _MAP:
            size = self.varint()
            kinds = self.byte() if size else 0
            for _ in range(size):
                self.skip(kinds >> 4, depth + 1, True)
                self.skip(kinds & 15, depth + 1, True)
        elif wire == _STRUCT:
            while header := self.byte():
                if header >> 4 == 0:
                    self.varint()
                self.skip(header & 15, depth + 1, False)
        else:
            raise ModelError(f"thrift: wire type {wire} is not known")


def parse_struct(kind: str, data: bytes, pos: int, end: int, *, strict: bool) -> tuple[Struct, int]:
    """Parse one struct of `kind` at data[pos:end]; returns it and the position after its last byte."""
    reader = _Reader(data, pos, end, strict)
    try:
        with at():
            return reader.struct(kind), reader.pos
    except ModelError as error:
        error.fill({"offset": reader.pos})
        raise
