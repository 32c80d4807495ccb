"""Broken files, first part: layout, footer, schema, row groups, column chunks and page placement.

Only the table; how a case is run is in model_mutations and the tests.
"""

from __future__ import annotations

import struct

from .handmade_parts import Rec
from .model_mutations import (
    BLOB,
    FLAG,
    ID,
    NAME,
    SMALL,
    TEXT,
    UTC_MILLIS,
    UTC_NANOS,
    VALUE,
    WIDE,
    Case,
    E,
    both,
    decimal_type,
    element,
    give,
    integer_type,
    logical,
    no_groups,
    plus,
    put,
    puts,
)

_LEAF = dict(name="x", repetition_type=0)


def _longer_footer(data: bytes) -> bytes:
    size = int.from_bytes(data[-8:-4], "little")
    return data[:-8] + b"\0" + struct.pack("<I", size + 1) + b"PAR1"


def _one_column(**fields: object):
    """A footer of one column and no rows."""
    root = Rec("SchemaElement", name="schema", num_children=1)
    leaf = Rec("SchemaElement", **{**_LEAF, **fields})
    return no_groups(schema=[root, leaf], column_orders=[Rec("ColumnOrder", TYPE_ORDER=E)])


def _schema(*elements: dict[str, object]):
    return no_groups(schema=[Rec("SchemaElement", **e) for e in elements])


def _sorting(*keys: tuple[int, bool]):
    return put("sorting_columns", [Rec("SortingColumn", column_idx=i, descending=d, nulls_first=False) for i, d in keys])


_ROOT1 = dict(name="schema", num_children=1)

FILE_CASES = [
    Case("start", "file", (), lambda d: b"PAR2" + d[4:], "file offset 0: the file does not start with PAR1"),
    Case("end", "file", (), lambda d: d[:-1] + b"0", "the file does not end with PAR1"),
    Case("short", "file", (), lambda d: b"PAR1", "a file of 4 bytes is too short"),
    Case("footer length", "file", (), lambda d: d[:-8] + b"\xff\xff\xff\x7f" + d[-4:], "longer than the file"),
    Case("footer bytes left", "file", (), _longer_footer, "footer length [0-9]+, but the footer has"),
    Case("gap before a chunk", "junk_before_page", (0, "name", "dictionary"), give(b"\0"), "row group 0, column 'name', .*starts at"),
    Case("gap before a group", "junk_before_page", (1, "id", 0), give(b"\0"), "row group 1, column 'id'.*the chunk starts at"),
    Case("gap before a page", "junk_before_page", (0, "value", 1), give(b"\0"), "row group 0, column 'value', page 1, file offset"),
    Case("gap before ColumnIndex", "junk_before_index", ("column_index", 0, "wide"), give(b"\0"), "'wide'.*column_index_offset"),
    Case("gap before OffsetIndex", "junk_before_index", ("offset_index", 1, "id"), give(b"\0"), "group 1.*offset_index_offset"),
    Case("gap before footer", "junk_before_index", ("footer",), give(b"\0"), "1 bytes before the footer belong to nothing"),
    Case("gap before bloom filter", "junk_before_bloom", (0, "key"), give(b"\0"), "'key'.*bloom_filter_offset", "bloom"),
    # Footer
    Case("version", "footer", (), put("version", 2), "version 2, profile default has 1"),
    Case("version of modern", "footer", (), put("version", 1), "version 1, profile modern has 2", "modern"),
    Case("no created_by", "footer", (), put("created_by", None), "created_by is missing"),
    Case("created_by", "footer", (), put("created_by", "ccpq 0.1.0"), "created_by 'ccpq 0.1.0'"),
    Case("num_rows", "footer", (), put("num_rows", 10), "num_rows 10, the row groups have 9"),
    Case("negative num_rows", "footer", (), put("num_rows", -1), "num_rows -1"),
    Case("empty key-value list", "footer", (), put("key_value_metadata", []), "an empty list key_value_metadata"),
    Case("key twice", "footer", (), put("key_value_metadata", [Rec("KeyValue", key="k", value="")] * 2), "a key twice"),
    Case("no column_orders", "footer", (), put("column_orders", None), "column_orders is missing"),
    Case("short column_orders", "footer", (), put("column_orders", lambda o: o[1:]), "column_orders has 11 entries for 12"),
    Case("column order", "footer", (), put("column_orders.1", Rec("ColumnOrder", IEEE_754_TOTAL_ORDER=E)), "'name'.*IEEE_754"),
    # Schema
    Case("no root children", "footer", (), _schema(dict(name="schema")), "the root has no num_children"),
    Case("no leaves", "footer", (), _schema(dict(name="schema", num_children=0)), "a schema without leaves"),
    Case("empty schema", "footer", (), _schema(), "the schema is empty"),
    Case("few elements", "footer", (), _schema(_ROOT1), "fewer elements than num_children say"),
    Case("many elements", "footer", (), put("schema.0.num_children", 11), "more elements than num_children say"),
    Case("deep schema", "footer", (), _schema(*[dict(name="s", num_children=1, repetition_type=0)] * 70), "nested too deeply"),
    Case("childless group", "footer", (), _schema(_ROOT1, _LEAF), "column 'x': a group without children"),
    Case("root repetition", "footer", (), element(0, repetition_type=0), "the root has repetition_type"),
    Case("nameless", "footer", (), element(ID, name=""), "a schema element without a name"),
    Case("no repetition", "footer", (), element(ID, repetition_type=None), "without repetition_type"),
    Case("leaf children", "footer", (), element(ID, num_children=0), "column 'id': a leaf with num_children"),
    Case("INT96", "footer", (), _one_column(type=3), "INT96 is never written"),
    Case("type_length", "footer", (), element(BLOB, type_length=4), "'blob': type_length stands with"),
    Case("zero type_length", "footer", (), _one_column(type=7, type_length=0), "type_length is not above 0"),
    Case("scale", "footer", (), element(ID, scale=2), "scale or precision without DECIMAL"),
    Case("names equal", "footer", (), element(NAME, name="id"), "two columns named 'id'"),
    Case("repeated leaf", "footer", (), _one_column(type=1, repetition_type=2, converted_type=17, logicalType=integer_type(32, True)), "repeated leaf outside a list"),
    Case("int without logical", "footer", (), element(ID, logicalType=None), "column 'id': INT64 without logicalType"),
    Case("converted alone", "footer", (), element(TEXT, logicalType=None), "'text': converted_type UTF8 without logicalType"),
    Case("logical alone", "footer", (), element(TEXT, converted_type=None), "'text': converted_type None beside logicalType STRING"),
    Case("int converted", "footer", (), element(WIDE, converted_type=17), "'wide': converted_type INT_32 beside logicalType INTEGER"),
    Case("int bits", "footer", (), element(ID, logicalType=integer_type(12, True)), "INTEGER of 12 bits"),
    Case("int physical", "footer", (), element(ID, logicalType=integer_type(32, True)), "logicalType INTEGER on INT64"),
    Case("bool annotated", "footer", (), element(FLAG, converted_type=0), "'flag': converted_type UTF8"),
    Case("float annotated", "footer", (), element(VALUE, converted_type=0, logicalType=logical(STRING=E)), "STRING on FLOAT"),
    Case("leaf logical", "footer", (), element(ID, logicalType=logical(LIST=E)), "logicalType LIST on a leaf"),
    Case("UUID length", "footer", (), _one_column(type=7, type_length=15, logicalType=logical(UUID=E)), "UUID of 15 bytes"),
    Case("FLOAT16 length", "footer", (), _one_column(type=7, type_length=3, logicalType=logical(FLOAT16=E)), "FLOAT16 is not 2"),
    Case("DATE", "footer", (), _one_column(type=2, converted_type=6, logicalType=logical(DATE=E)), "DATE on INT64"),
    Case("TIME nanos", "footer", (), _one_column(type=2, converted_type=8, logicalType=logical(TIME=UTC_NANOS)), "TIME in nanoseconds"),
    Case("TIMESTAMP nanos", "footer", (), _one_column(type=2, converted_type=10, logicalType=logical(TIMESTAMP=UTC_NANOS)), "converted_type TIMESTAMP_MICROS"),
    Case("DECIMAL range", "footer", (), _one_column(type=2, converted_type=5, logicalType=decimal_type(5, 4)), "DECIMAL precision or scale"),
    Case("DECIMAL twice", "footer", (), _one_column(type=2, converted_type=5, scale=1, precision=4, logicalType=decimal_type(2, 4)), "precision and scale differ"),
    Case("DECIMAL too wide", "footer", (), _one_column(type=2, converted_type=5, scale=1, precision=9, logicalType=decimal_type(1, 9)), "DECIMAL of 9 digits as INT64"),
    Case("DECIMAL too narrow", "footer", (), _one_column(type=1, converted_type=5, scale=1, precision=10, logicalType=decimal_type(1, 10)), "DECIMAL of 10 digits as INT32"),
    Case("DECIMAL length", "footer", (), _one_column(type=7, type_length=16, converted_type=5, scale=1, precision=35, logicalType=decimal_type(1, 35)), "DECIMAL of 35 digits as FIXED_LEN_BYTE_ARRAY of length 16"),
    Case("DECIMAL digits", "footer", (), element(SMALL, converted_type=5, scale=0, precision=2, logicalType=decimal_type(0, 2)), "'small'.*a decimal of more than 2 digits"),
    Case("TIME of no day", "footer", (), element(SMALL, converted_type=7, logicalType=logical(TIME=UTC_MILLIS)), "'small'.*no time of day in MILLIS"),
    Case("group type_length", "footer", (), element(1, type_length=4), "a group with leaf fields", "lists"),
    Case("group logical", "footer", (), element(1, logicalType=logical(STRING=E)), "logicalType STRING on a group", "lists"),
    Case("group converted", "footer", (), element(1, converted_type=1), "converted_type of a group", "lists"),
    # Row groups
    Case("file_offset", "group", (1,), put("file_offset", plus(1)), "row group 1: RowGroup.file_offset"),
    Case("no file_offset", "group", (1,), put("file_offset", None), "row group 1: RowGroup.file_offset None"),
    Case("total_byte_size", "group", (0,), put("total_byte_size", plus(1)), "row group 0: RowGroup.total_byte_size"),
    Case("group size", "group", (0,), put("total_compressed_size", plus(1)), "group 0: RowGroup.total_compressed_size"),
    Case("no group size", "group", (0,), put("total_compressed_size", None), "total_compressed_size None"),
    Case("ordinal", "group", (0,), put("ordinal", 0), "row group 0: ordinal is set"),
    Case("group rows", "group", (1,), put("num_rows", 4), "row group 1, column 'id': num_rows of the group is 4"),
    Case("empty group", "group", (1,), put("num_rows", 0), "row group 1: a row group without rows"),
    Case("chunk missing", "group", (1,), put("columns", lambda c: c[1:]), "11 column chunks for 12 leaves"),
    Case("empty sorting", "group", (), put("sorting_columns", []), "an empty list sorting_columns"),
    Case("sorting column", "group", (0,), _sorting((12, False)), "sorting column 12"),
    Case("nulls_first", "group", (0,), put("sorting_columns.0.nulls_first", True), "nulls_first is set"),
    Case("sorted list", "group", (0,), _sorting((0, False)), "sorting column inside a list", "lists"),
    Case("sorted twice", "group", (), _sorting((0, False), (0, True)), "a sorting column twice"),
    Case("sorting differs", "group", (1,), _sorting((0, False)), "group 1: sorting_columns differ"),
    Case("sorting dropped", "group", (1,), put("sorting_columns", None), "group 1: sorting_columns differ"),
    Case("not sorted", "group", (), _sorting((4, False)), "column 'wide': row 1 breaks the declared order: 0 after"),
    Case("null first", "group", (), _sorting((1, True)), "column 'name': row 3 .*after null"),
    Case("not sorted by second", "group", (), _sorting((9, True), (0, True)), "column 'id': row 2 breaks"),
    Case("order over groups", "group", (), _sorting((1, True)), "column 'n': row 6 breaks", "lists"),
    Case("NaN then number", "group", (), _sorting((2, False)), "column 'value': row "),
    # Column chunks
    Case("file_path", "chunk", (0, "id"), put("file_path", "x"), "column 'id': file_path is set"),
    Case("chunk file_offset", "chunk", (0, "id"), put("file_offset", 4), "ColumnChunk.file_offset 4"),
    Case("no meta_data", "chunk", (0, "id"), puts(meta_data=None), "meta_data is missing"),
    Case("index pair", "group", (0,), put("columns.1.column_index_length", None), "column_index_offset and column_index_length"),
    Case("no OffsetIndex", "offset_index", (0, "name"), give(Rec("OffsetIndex", drop=True)), "'name': OffsetIndex is missing"),
    Case("type", "meta", (0, "id"), put("type", 1), "'id'.*type .* in a leaf"),
    Case("path", "meta", (0, "id"), put("path_in_schema", ["ID"]), "path_in_schema"),
    Case("chunk key-value", "meta", (0, "id"), puts(key_value_metadata=[]), "key_value_metadata is set"),
    Case("index page offset", "meta", (0, "id"), puts(index_page_offset=4), "index_page_offset is set"),
    Case("num_values", "meta", (0, "name"), put("num_values", plus(1)), "'name': num_values 7, the pages have 6"),
    Case("few num_values", "meta", (0, "name"), put("num_values", 4), "'name', page 1.*num_values 4 are read"),
    Case("uncompressed size", "meta", (0, "name"), put("total_uncompressed_size", plus(1)), "total_uncompressed_size"),
    Case("compressed size", "meta", (0, "name"), put("total_compressed_size", plus(1)), "'name', page 2.*total_compressed_size"),
    Case("small compressed size", "meta", (0, "name"), put("total_compressed_size", plus(-1)), "'name', page 1.*beyond its place"),
    Case("huge compressed size", "meta", (0, "name"), put("total_compressed_size", plus(1 << 40)), "goes beyond the row groups"),
    Case("zero compressed size", "meta", (0, "name"), put("total_compressed_size", 0), "total_compressed_size is not above 0"),
    Case("data_page_offset", "meta", (0, "name"), put("data_page_offset", plus(1)), "data_page_offset [0-9]+, the first data page"),
    Case("dictionary offset", "meta", (0, "name"), put("dictionary_page_offset", plus(1)), "'name'.*the chunk starts at"),
    Case("dictionary offset of none", "meta", (0, "tiny"), lambda m: m.update(dictionary_page_offset=m["data_page_offset"]), "dictionary_page_offset [0-9]+, expected None"),
    Case("encodings short", "meta", (0, "name"), put("encodings", [0, 8]), "encodings .*used are .*'RLE'"),
    Case("encodings long", "meta", (0, "id"), put("encodings", [0, 3, 5]), "encodings .*used are"),
    Case("encodings twice", "meta", (0, "id"), put("encodings", [0, 5, 5]), "encodings has an entry twice"),
    Case("no encoding_stats", "meta", (0, "id"), put("encoding_stats", None), "encoding_stats is missing"),
    Case("encoding_stats", "meta", (0, "id"), put("encoding_stats.0.count", 2), "encoding_stats .*real is"),
    Case("encoding_stats short", "meta", (0, "name"), put("encoding_stats", lambda s: s[1:]), "encoding_stats .*real is"),
    Case("encoding_stats twice", "meta", (0, "id"), put("encoding_stats", lambda s: s + s[:1]), "encoding_stats has an entry twice"),
    Case("codec", "meta", (0, "id"), put("codec", 1), "'id', page 0.*snappy"),
    Case("codec not known", "meta", (0, "id"), put("codec", 9), "CompressionCodec 9 is not known"),
    Case("codec not read", "meta", (0, "id"), put("codec", 4), "is not read here"),
    # Bloom filters
    Case("bloom pair", "group", (0,), put("columns.0.meta_data.bloom_filter_length", 40), "bloom_filter_offset and bloom_filter_length"),
    Case("bloom end", "chunk", (0, "key"), put("meta_data.bloom_filter_length", 1 << 20), "beyond the footer", "bloom"),
    Case("bloom length", "bloom_bits", (0, "key"), give(b"\xff" * 36), "bloom_filter_length, the bitset", "bloom"),
    Case("bloom size", "bloom_header", (0, "key"), put("numBytes", 31), "bloom filter of 31 bytes", "bloom"),
    Case("bloom misses", "bloom_bits", (0, "key"), give(b"\0" * 32), "bloom filter misses a value", "bloom"),
    Case("bloom says more", "bloom_bits", (0, "key"), give(b"\xff" * 32), "bits of values that are not there", "bloom"),
    Case("bloom of booleans", "group", (0,), both(put("columns.3.meta_data.bloom_filter_offset", 4), put("columns.3.meta_data.bloom_filter_length", 1)), "bloom filter of booleans"),
]
