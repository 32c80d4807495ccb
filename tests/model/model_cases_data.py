"""Broken files, second part: pages, levels, dictionaries, encodings, statistics and the page index.

Only the table; how a case is run is in model_mutations and the tests.
"""

from __future__ import annotations

import struct

from .handmade_parts import Rec, bit_pack, compress, delta, plain, uvarint, zigzag
from .model_mutations import NAN, Case, E, give, plus, put, puts

_D = "dictionary"
_STATS = Rec("Statistics", null_count=0)


def _ids(width: int, *ids: int) -> bytes:
    return bytes([width]) + uvarint(-(-len(ids) // 8) << 1 | 1) + bit_pack(ids, width)


def _prefixed(body: bytes) -> bytes:
    return struct.pack("<I", len(body)) + body


def _f32(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def _stat(**values: object):
    return lambda meta: meta["statistics"].update(values)


def _sizes(**values: object):
    return lambda meta: meta["size_statistics"].update(values)


def _head(block: int = 128, minis: int = 4, total: int = 4, first: int = 1) -> bytes:
    return uvarint(block) + uvarint(minis) + uvarint(total) + zigzag(first)


def _raw(more: bytes):
    def change(rec: Rec) -> None:
        rec.raw = more

    return change


_ZSTD_NO_SIZE = b"\x28\xb5\x2f\xfd\x00\x58\x19\x00\x00abc"  # one raw block of 3 bytes, no content size

PAGE_CASES = [
    Case("crc", "page_header", (0, "name", 1), put("crc", plus(1)), "group 0, column 'name', page 1, file offset [0-9]+: CRC"),
    Case("crc of dictionary", "page_header", (0, "name", _D), put("crc", 5), "'name', dictionary page, file offset [0-9]+: CRC"),
    Case("no crc", "page_header", (1, "flag", 0), put("crc", None), "group 1, column 'flag', page 0.*page without CRC"),
    Case("uncompressed_page_size", "page_header", (0, "id", 1), put("uncompressed_page_size", plus(1)), "'id', page 1.*zstd: the frame"),
    Case("uncompressed_page_size plain", "page_header", (0, "id", 1), put("uncompressed_page_size", plus(1)), "'id', page 1.*uncompressed page of", codec="none"),
    Case("uncompressed_page_size snappy", "page_header", (0, "id", 1), put("uncompressed_page_size", plus(1)), "'id', page 1.*snappy: the block", codec="snappy"),
    Case("negative size", "page_header", (0, "id", 1), put("uncompressed_page_size", -1), "negative uncompressed_page_size"),
    Case("compressed_page_size", "page_header", (0, "id", 1), put("compressed_page_size", plus(1)), "'id', page 1.*beyond its place"),
    Case("small compressed_page_size", "page_header", (0, "id", 0), put("compressed_page_size", plus(-1)), "'id', page 0.*CRC"),
    Case("page type not known", "page_header", (0, "id", 0), put("type", 7), "PageType 7 is not known"),
    Case("page without its header", "page_header", (0, "id", 0), put("type", 3), "without data_page_header_v2"),
    Case("two headers", "page_header", (0, "id", 0), puts(index_page_header=E), "data_page_header and index_page_header"),
    Case("index page", "page_header", (0, "id", 0), puts(type=1, index_page_header=E, data_page_header=None), "an index page"),
    Case("second dictionary", "page_header", (0, "name", 1), lambda h: h.update(type=2, data_page_header=None, dictionary_page_header=Rec("DictionaryPageHeader", num_values=1, encoding=0)), "'name', page 1.*a dictionary page that is not the first"),
    Case("chunk of a dictionary", "page_header", (1, "flag", 0), lambda h: h.update(type=2, data_page_header=None, dictionary_page_header=Rec("DictionaryPageHeader", num_values=3, encoding=0)), "dictionary of booleans|bytes left"),
    Case("page num_values", "data_header", (0, "wide", 1), put("num_values", 3), "'wide', page 1.*PLAIN values are cut off"),
    Case("few page num_values", "data_header", (0, "wide", 1), put("num_values", 1), "'wide', page 1.*4 bytes left in the page"),
    Case("negative num_values", "data_header", (0, "wide", 1), put("num_values", -1), "data page with num_values -1"),
    Case("definition encoding", "data_header", (0, "name", 0), put("definition_level_encoding", 4), "definition levels encoded as"),
    Case("repetition encoding", "data_header", (0, "name", 0), put("repetition_level_encoding", 4), "repetition levels encoded as"),
    Case("body bytes left", "data_body", (0, "wide", 0), lambda b: b + b"\0", "'wide', page 0.*1 bytes left in the page"),
    Case("boolean bytes left", "data_body", (0, "flag", 0), lambda b: b + b"\0", "'flag', page 0.*1 bytes left"),
    Case("booleans cut", "data_body", (1, "flag", 0), give(b""), "PLAIN booleans are cut off"),
    Case("RLE booleans in v1", "data_header", (0, "flag", 1), put("encoding", 3), "encoding RLE of BOOLEAN in profile default"),
    Case("boolean encoding", "data_header", (0, "flag", 1), put("encoding", 8), "encoding RLE_DICTIONARY of BOOLEAN"),
    Case("encoding of profile", "data_header", (0, "big", 1), put("encoding", 9), "BYTE_STREAM_SPLIT of DOUBLE in profile default"),
    Case("encoding not read", "data_header", (0, "big", 1), put("encoding", 5), "encoding DELTA_BINARY_PACKED of DOUBLE"),
    Case("split of strings", "data_header", (0, "text", 1), put("encoding", 9), "BYTE_STREAM_SPLIT of "),
    Case("ALP", "data_header", (0, "big", 1), put("encoding", 10), "encoding .*ALP"),
    Case("PLAIN_DICTIONARY", "data_header", (0, "name", 0), put("encoding", 2), "encoding PLAIN_DICTIONARY of BYTE_ARRAY"),
    Case("header statistics", "data_header", (0, "id", 1), puts(statistics=_STATS), "'id', page 1.*min_value is missing"),
    Case("strings cut", "data_body", (0, "text", 0), lambda b: b[:-1], "PLAIN byte array of 1 bytes is cut off"),
    Case("string length cut", "data_body", (0, "text", 0), lambda b: b + b"\0", "'text', page 0.*bytes left"),
    Case("string lengths missing", "data_body", (0, "text", 1), lambda b: b[:3], "length cut off"),
    Case("not UTF-8", "data_body", (0, "text", 1), lambda b: b.replace("ý".encode(), b"\xc3\x28"), "'text', page 1.*not UTF-8"),
    Case("not UTF-8 in dictionary", "dictionary_body", (1, "text", _D), lambda b: b.replace(b"k", b"\xff"), "'text', dictionary page.*not UTF-8"),
    Case("int8", "data_body", (0, "small", 1), give(plain("int32", [-129, -100])), "does not fit int8"),
    Case("uint8", "data_body", (1, "tiny", 0), give(plain("int32", [1, 2, 256])), "does not fit uint8"),
    Case("no rows in page", "footer", (), give(None), "'n', page 0.*a data page without rows", "empty_page"),
    Case("dictionary again", "footer", (), give(None), "'n', page 2.*dictionary ids again", "dictionary_again"),
    Case("boolean dictionary", "footer", (), give(None), "'n', dictionary page.*a dictionary of booleans", "boolean_dictionary"),
    Case("no data pages", "meta", (0, "name"), lambda m: m.update(total_compressed_size=m["data_page_offset"] - m["dictionary_page_offset"]), "'name'.*a column chunk without data pages"),
    # Codecs
    Case("zstd magic", "stored", (0, "id", 1), lambda b: b"\0" + b[1:], "zstd: not a frame"),
    Case("zstd block", "stored", (0, "id", 1), lambda b: b[:6] + b"\xff\xff" + b[8:], "zstd: "),
    Case("zstd content", "stored", (0, "id", 1), give(b"\x28\xb5\x2f\xfd\x20\x10\x45\0\0" + b"\xff" * 8), "zstd: the frame does not decompress"),
    Case("zstd content size", "stored", (0, "id", 1), give(_ZSTD_NO_SIZE), "zstd: the frame has no content size"),
    Case("zstd two frames", "stored", (0, "id", 1), lambda b: b + compress("zstd", b""), "zstd: the body is not exactly one frame"),
    Case("zstd window", "stored", (0, "wide", 1), give(b"\x28\xb5\x2f\xfd\x80\x78" + struct.pack("<I", 8) + struct.pack("<I", 8 << 3 | 1)[:3] + b"\0" * 8), "zstd: window of"),
    Case("snappy literal", "stored", (0, "id", 1), lambda b: b[:-1], "snappy: literal cut off", codec="snappy"),
    Case("snappy less", "stored", (0, "id", 1), lambda b: b[:1], "snappy: 0 bytes came out", codec="snappy"),
    Case("snappy more", "stored", (0, "id", 1), lambda b: b + b[1:], "snappy: more bytes come out", codec="snappy"),
    Case("snappy copy", "stored", (0, "id", 1), lambda b: b[:1] + b"\x01\x01", "snappy: copy from before", codec="snappy"),
    Case("snappy copy cut", "stored", (0, "id", 1), lambda b: b[:1] + b"\x02\x01", "snappy: copy cut off", codec="snappy"),
    Case("snappy length cut", "stored", (0, "id", 1), lambda b: b[:1] + b"\xf4\x01", "snappy: literal length cut off", codec="snappy"),
    Case("snappy varint", "stored", (0, "id", 1), give(b"\xff" * 9), "snappy: length varint", codec="snappy"),
    # Levels
    Case("level length", "levels", (0, "name", 0), lambda b: b"\xff\xff\0\0" + b[4:], "definition levels of 65535 bytes go beyond"),
    Case("level length cut", "levels", (1, "name", 0), give(b"\x02\0"), "length of the definition levels is cut off"),
    Case("level bytes left", "levels", (0, "name", 0), lambda b: _prefixed(b[4:] + b"\x02\x01"), "2 bytes left after the definition levels"),
    Case("levels short", "levels", (0, "name", 0), lambda b: _prefixed(b[4:-2]), "varint is cut off"),
    Case("level high", "levels", (0, "tags", 0), lambda b: b[:-1] + b"\x03", "definition level above 2", "lists"),
    Case("starts inside a row", "levels", (0, "tags", 1), lambda b: _prefixed(b"\x02\x01\x04\x00") + b[4 + int.from_bytes(b[:4], "little"):], "a data page starts inside a row", "lists"),
    Case("rows of a list", "levels", (0, "tags", 1), lambda b: _prefixed(b"\x06\x00") + b[4 + int.from_bytes(b[:4], "little"):], "'tags.list.element'.*repetition_level_histogram", "lists"),
    # Runs
    Case("run of nothing", "levels", (1, "name", 0), give(_prefixed(b"\0\0\x06\0")), "RLE run of no value"),
    Case("run too long", "levels", (1, "name", 0), give(_prefixed(b"\x08\0")), "RLE run goes on beyond the values"),
    Case("run cut", "levels", (1, "name", 0), give(_prefixed(b"\x06")), "RLE run is cut off"),
    Case("run too wide", "levels", (1, "name", 0), give(_prefixed(b"\x06\x02")), "RLE value 2 is wider than 1 bits"),
    Case("groups of nothing", "levels", (1, "name", 0), give(_prefixed(b"\x01")), "bit-packed run of no group"),
    Case("groups cut", "levels", (1, "name", 0), give(_prefixed(b"\x03")), "bit-packed run is cut off"),
    Case("groups too many", "levels", (1, "name", 0), give(_prefixed(b"\x05\0\0")), "bit-packed run goes on beyond"),
    Case("run varint", "levels", (1, "name", 0), give(_prefixed(b"\x80" * 11)), "varint of more than 10 bytes"),
    # Dictionaries
    Case("dictionary encoding", "dictionary_header", (0, "name", _D), put("encoding", 8), "dictionary page encoded as"),
    Case("dictionary count", "dictionary_header", (0, "name", _D), put("num_values", 1), "'name', dictionary page.*5 bytes left"),
    Case("dictionary count high", "dictionary_header", (0, "value", _D), put("num_values", 5), "'value', dictionary page.*cut off"),
    Case("negative dictionary", "dictionary_header", (0, "value", _D), put("num_values", -1), "dictionary page with num_values -1"),
    Case("empty dictionary", "dictionary_header", (1, "text", _D), put("num_values", 0), "a dictionary page without entries", also=(("dictionary_body", give(b"")),)),
    Case("dictionary entries equal", "dictionary_body", (0, "name", _D), give(plain("string", ["b", "b"])), "entries are not distinct"),
    Case("dictionary said sorted", "dictionary_header", (0, "name", _D), puts(is_sorted=True), "is_sorted of a dictionary that is not sorted"),
    Case("id too high", "data_body", (0, "name", 0), give(_ids(2, 0, 1, 3)), "dictionary id beyond 2 entries"),
    Case("not first use", "data_body", (0, "name", 0), give(_ids(1, 1, 0, 1)), "dictionary id 1 is used before id 0"),
    Case("entry not used", "data_body", (0, "name", 0), give(_ids(1, 0, 0, 0)), "'name', dictionary page.*only 1 of 2"),
    Case("width 0", "data_body", (1, "huge", 0), give(b"\0\x06"), "bit width 0 of dictionary ids"),
    Case("width 25", "data_body", (1, "huge", 0), give(_ids(25, 0, 0, 0)), "bit width 25 of dictionary ids"),
    Case("no width", "data_body", (1, "huge", 0), give(b""), "bit width of the dictionary ids is missing"),
    Case("ids left", "data_body", (1, "huge", 0), lambda b: b + b"\x02\0", "2 bytes left in the page"),
    Case("no dictionary", "data_header", (1, "id", 0), put("encoding", 8), "in a chunk without a dictionary"),
]

DELTA_CASES = [
    Case("delta block", "data_body", (0, "id", 0), give(_head(block=100)), "block size 100 is not a multiple of 128"),
    Case("delta no block", "data_body", (0, "id", 0), give(_head(block=0)), "block size 0"),
    Case("delta miniblocks", "data_body", (0, "id", 0), give(_head(minis=3)), "3 miniblocks in 128 values"),
    Case("delta miniblock size", "data_body", (0, "id", 0), give(_head(minis=8)), "16 values per miniblock"),
    Case("delta count", "data_body", (0, "id", 0), give(_head(total=5)), "header says 5 values, the page has 4"),
    Case("delta first", "data_body", (0, "tiny", 0), give(_head(first=1 << 40)), "first value does not fit 32 bits"),
    Case("delta minimum", "data_body", (0, "tiny", 0), give(_head() + zigzag(1 << 40)), "minimum delta does not fit 32 bits"),
    Case("delta widths", "data_body", (0, "id", 0), give(_head() + zigzag(1) + b"\0\0"), "bit widths are cut off"),
    Case("delta width", "data_body", (0, "tiny", 0), give(_head() + zigzag(0) + b"\x21\0\0\0"), "bit width 33 of INT32"),
    Case("delta cut", "data_body", (0, "id", 0), give(_head() + zigzag(0) + b"\x02\0\0\0" + b"\xff"), "miniblock is cut off"),
    Case("delta unused width", "data_body", (0, "id", 0), lambda b: b[:-1] + b"\1", "unused miniblock has a bit width"),
    Case("delta values", "data_body", (0, "id", 0), give(delta([1, 2, 3, 10], 64)), "'id'.*max .* is below the greatest value 10"),
    Case("delta length", "data_body", (0, "word", 1), give(delta([3, 9], 32) + b"abdb"), "DELTA_LENGTH_BYTE_ARRAY: length 9", "modern"),
    Case("delta prefix", "data_body", (0, "word", 0), give(delta([1, 2], 32) + delta([1, 1], 32) + b"ab"), "prefix of 1 bytes", "modern"),
    Case("split cut", "data_body", (0, "real", 0), lambda b: b[:-1], "streams are cut off", "modern"),
]

V2_CASES = [
    Case("v2 in default", "footer", (), put("version", 1), "'n', page 0.*a version 2 data page in profile default", "v2_page"),
    Case("v2 nulls", "data_header", (0, "word", 0), put("num_nulls", 2), "'word', page 0.*num_nulls 2, the page has 1", "modern"),
    Case("v2 rows", "data_header", (0, "tags", 0), put("num_rows", 4), "num_rows 4, the page has 3", "modern"),
    Case("v2 level lengths", "data_header", (0, "word", 0), put("definition_levels_byte_length", 1 << 20), "level lengths go beyond", "modern"),
    Case("v2 level left", "data_header", (0, "flag", 1), put("definition_levels_byte_length", 1), "RLE run is cut off|bytes left after", "modern"),
    Case("v2 level size", "page_header", (0, "flag", 1), put("uncompressed_page_size", 1), "smaller than the levels", "modern"),
    Case("v2 repetition", "data_header", (0, "word", 0), puts(repetition_levels_byte_length=1), "repetition levels in a column that has none", "modern"),
    Case("v2 definition", "data_header", (0, "n", 0), puts(definition_levels_byte_length=1), "definition levels in a column that has none", "modern"),
    Case("v2 compressed nothing", "data_header", (0, "flag", 1), put("is_compressed", True), "zstd: not a frame", "modern"),
    Case("v2 null page", "footer", (), give(None), "'n', page 1.*an all-null version 2 page that is compressed", "modern_null_page"),
    Case("v2 RLE cut", "data_body", (0, "flag", 0), lambda b: b[:-1], "RLE booleans are cut off", "modern"),
    Case("v2 RLE left", "data_body", (0, "flag", 0), lambda b: _prefixed(b[4:] + b"\x02\0"), "bytes left after the RLE booleans", "modern"),
]

STATISTICS_CASES = [
    Case("no statistics", "meta", (0, "id"), put("statistics", None), "group 0, column 'id'.*Statistics are missing"),
    Case("deprecated min", "meta", (0, "id"), _stat(min=b"\0" * 8), "deprecated min or max"),
    Case("deprecated max", "meta", (0, "id"), _stat(max=b"\0" * 8), "deprecated min or max"),
    Case("distinct_count", "meta", (0, "id"), _stat(distinct_count=6), "distinct_count is set"),
    Case("no null_count", "meta", (0, "id"), _stat(null_count=None), "null_count is missing"),
    Case("null_count", "meta", (0, "name"), _stat(null_count=1), "'name'.*null_count 1, real is 2"),
    Case("no nan_count", "meta", (0, "value"), _stat(nan_count=None), "nan_count is missing"),
    Case("nan_count", "meta", (1, "value"), _stat(nan_count=0), "group 1, column 'value'.*nan_count 0, real is 1"),
    Case("nan_count of int", "meta", (0, "id"), _stat(nan_count=0), "nan_count in a column that is not float"),
    Case("no exactness", "meta", (0, "id"), _stat(is_max_value_exact=None), "max_value and is_max_value_exact stand together"),
    Case("exactness alone", "meta", (1, "name"), _stat(is_min_value_exact=True), "min_value and is_min_value_exact stand"),
    Case("bounds beside NaN", "meta", (1, "value"), _stat(min_value=_f32(1.0), is_min_value_exact=True), "min_value in a chunk with a NaN"),
    Case("bounds of nulls", "meta", (1, "name"), _stat(max_value=b"", is_max_value_exact=True), "max_value in a chunk with no value"),
    Case("no min", "meta", (0, "id"), _stat(min_value=None, is_min_value_exact=None), "min_value is missing"),
    Case("no max", "meta", (0, "text"), _stat(max_value=None, is_max_value_exact=None), "'text'.*max_value is missing"),
    Case("bound size", "meta", (0, "id"), _stat(min_value=b"\0" * 4), "PLAIN values are cut off"),
    Case("bound size long", "meta", (0, "id"), _stat(min_value=b"\1" + b"\0" * 8), "a bound of 9 bytes"),
    Case("bound of another length", "meta", (0, "code"), _stat(min_value=b"\0" * 3, is_min_value_exact=False), "'code'.*a bound of 3 bytes", "fixed"),
    Case("bound of a long length", "meta", (0, "long"), _stat(min_value=b"a" * 64, is_min_value_exact=False), "'long'.*min_value in a chunk with values of 70 bytes", "fixed"),
    Case("bytes unsigned", "meta", (0, "code"), _stat(min_value=b"\x80abc", max_value=b"zzzz"), "'code'.*min .* is above the least value", "fixed"),
    Case("decimals signed", "meta", (0, "money"), _stat(max_value=plain("decimal20", [-1])), "'money'.*max -1 is below the greatest value", "fixed"),
    Case("halves as numbers", "meta", (0, "half"), _stat(min_value=plain("float16", [-(2.0**-24)])), "'half'.*min .* is above the least value -1.5", "fixed"),
    Case("half of NaN", "meta", (1, "half"), _stat(nan_count=0), "'half'.*nan_count 0, real is 1", "fixed"),
    Case("boolean bound", "meta", (0, "flag"), _stat(min_value=b"\2"), "a boolean bound"),
    Case("long bound", "meta", (0, "text"), _stat(max_value="ý".encode() * 50, is_max_value_exact=True), "a bound of 100 bytes"),
    Case("bound not UTF-8", "meta", (0, "text"), _stat(max_value=b"\xc3\xff"), "utf-8"),
    Case("min too high", "meta", (0, "id"), _stat(min_value=plain("int64", [2])), "min 2 is above the least value 1"),
    Case("max too low", "meta", (0, "id"), _stat(max_value=plain("int64", [5])), "max 5 is below the greatest value 6"),
    Case("min too low", "meta", (0, "id"), _stat(min_value=plain("int64", [0])), "min 0 is called exact, real is 1"),
    Case("called inexact", "meta", (0, "id"), _stat(is_min_value_exact=False), "called inexact without need"),
    Case("called inexact text", "meta", (1, "text"), _stat(is_max_value_exact=False), "called inexact without need"),
    Case("signed order", "meta", (0, "wide"), _stat(max_value=plain("int32", [5]), min_value=plain("int32", [-1])), "'wide'.*min 4294967295"),
    Case("NaN bound", "meta", (0, "value"), _stat(min_value=_f32(NAN)), "min nan is above"),
    Case("zero of wrong sign", "meta", (1, "big"), _stat(min_value=plain("float64", [0.0])), "min is a zero of the wrong sign"),
    Case("cut called exact", "meta", (0, "text"), _stat(is_max_value_exact=True), "max .* is called exact"),
    Case("min prefix", "meta", (1, "blob"), _stat(min_value=b"a" * 60), "not a prefix of 64 bytes"),
    Case("max prefix", "meta", (0, "text"), _stat(max_value="ÿ".encode() * 3), "not a rounded-up prefix"),
    Case("binary max prefix", "meta", (1, "blob"), _stat(max_value=b"d"), "max b'd' is called exact|'blob'.*max"),
    # SizeStatistics
    Case("no sizes", "meta", (0, "blob"), put("size_statistics", None), "SizeStatistics are missing"),
    Case("no sizes with levels", "meta", (0, "small"), put("size_statistics", None), "SizeStatistics are missing"),
    Case("unencoded bytes", "meta", (0, "blob"), _sizes(unencoded_byte_array_data_bytes=1), "'blob'.*unencoded_byte_array_data_bytes 1"),
    Case("unencoded bytes of int", "meta", (0, "small"), _sizes(unencoded_byte_array_data_bytes=1), "in a column without byte arrays"),
    Case("definition histogram", "meta", (0, "name"), _sizes(definition_level_histogram=[3, 3]), "definition_level_histogram .3, 3., real is .2, 4."),
    Case("no definition histogram", "meta", (0, "name"), _sizes(definition_level_histogram=None), "definition_level_histogram None"),
    Case("histogram without levels", "meta", (0, "blob"), _sizes(definition_level_histogram=[6]), "definition_level_histogram in a column"),
    Case("repetition histogram", "meta", (0, "tags"), _sizes(repetition_level_histogram=None), "repetition_level_histogram None", "lists"),
    Case("repetition without levels", "meta", (0, "name"), _sizes(repetition_level_histogram=[6]), "repetition_level_histogram in a"),
]


def _drop(rec: Rec) -> Rec:
    return Rec(rec.kind, drop=True)


def _ci(name: str, column: str, change, message: str, base: str = "flat", g: int = 0) -> Case:
    return Case(name, "column_index", (g, column), change, message, base)


def _oi(name: str, column: str, change, message: str) -> Case:
    return Case(name, "offset_index", (0, column), change, message)


INDEX_CASES = [
    _ci("ColumnIndex missing", "id", _drop, "row group 0, column 'id': ColumnIndex is missing"),
    _ci("ColumnIndex of cut text missing", "text", _drop, "'text': ColumnIndex is missing"),
    _ci("ColumnIndex of a long length", "long", lambda rec: rec.update(drop=False), "'long'.*ColumnIndex of values of 70 bytes", "fixed"),
    _ci("null_pages short", "id", put("null_pages", [False]), "ColumnIndex.null_pages has 1 entries for 2"),
    _ci("min_values short", "id", put("min_values", lambda v: v[1:]), "ColumnIndex.min_values has 1 entries"),
    _ci("max_values short", "id", put("max_values", lambda v: v[1:]), "ColumnIndex.max_values has 1 entries"),
    _ci("null page", "flag", put("null_pages", [False, False]), "'flag', page 1.*null_pages False, the page is all null"),
    _ci("no null page", "flag", put("null_pages", [True, True]), "'flag', page 0.*null_pages True, the page is not all null"),
    _ci("bound of a null page", "flag", put("max_values.1", b"\0"), "'flag', page 1.*a bound of a null page"),
    _ci("page min", "id", put("min_values.1", plain("int64", [6])), "'id', page 1.*min 6 is above the least value 5"),
    _ci("page min low", "id", put("min_values.1", plain("int64", [4])), "'id', page 1.*min 4 is not the real one, 5"),
    _ci("page max", "id", put("max_values.0", plain("int64", [5])), "'id', page 0.*max 5 is not the real one, 4"),
    _ci("page max low", "wide", put("max_values.0", plain("int32", [5])), "'wide', page 0.*max 5 is below"),
    _ci("page max prefix", "text", put("max_values.1", b"\xdf"), "'text', page 1.*utf-8"),
    _ci("page max rounded far", "text", put("max_values.1", "ÿ".encode() * 3), "'text', page 1.*not a rounded-up prefix"),
    _ci("page min prefix", "blob", put("min_values.0", b"a" * 60), "'blob', page 0.*not the real one|prefix", g=1),
    _ci("order asc", "wide", put("boundary_order", 1), "boundary_order ASCENDING is not true"),
    _ci("order desc", "id", put("boundary_order", 2), "boundary_order DESCENDING is not true"),
    _ci("order none", "id", put("boundary_order", 0), "boundary_order UNORDERED of ordered bounds"),
    _ci("order down", "down", put("boundary_order", 1), "'down'.*boundary_order ASCENDING is not true"),
    _ci("index null_counts", "name", put("null_counts", [1, 2]), "ColumnIndex.null_counts .1, 2., real is .1, 1."),
    _ci("no index null_counts", "id", put("null_counts", None), "ColumnIndex.null_counts None"),
    _ci("index nan_counts", "value", put("nan_counts", [0, 1]), "ColumnIndex.nan_counts .0, 1."),
    _ci("no index nan_counts", "value", put("nan_counts", None), "ColumnIndex.nan_counts None"),
    _ci("index nan_counts of int", "id", puts(nan_counts=[0, 0]), "ColumnIndex.nan_counts in a column that is not float"),
    _ci("index histogram", "name", put("definition_level_histograms.0", 2), "ColumnIndex.definition_level_histograms"),
    _ci("index histogram of none", "id", puts(definition_level_histograms=[4, 2]), "ColumnIndex.definition_level_histograms"),
    _ci("index repetition", "tags", put("repetition_level_histograms", None), "ColumnIndex.repetition_level_histograms", "lists"),
    Case("ColumnIndex length", "chunk", (0, "id"), puts(column_index_length=90), "ColumnIndex: field|column_index_length 90|thrift", "flat"),
    Case("ColumnIndex beyond", "chunk", (0, "id"), puts(column_index_length=1 << 20), "ColumnIndex goes beyond the footer"),
    Case("ColumnIndex offset", "chunk", (0, "id"), puts(column_index_offset=4), "column_index_offset 4, expected"),
    Case("OffsetIndex offset", "chunk", (0, "id"), puts(offset_index_offset=4), "offset_index_offset 4, expected"),
    Case("NaN with index", "data_body", (0, "value", 1), give(_f32(NAN, 1.5)), "nan_count 0, real is 1"),
    _ci("index beside NaN", "value", puts(drop=False), "group 1, column 'value'.*ColumnIndex of a chunk with a NaN", g=1),
    _oi("locations", "id", put("page_locations", lambda v: v[1:]), "OffsetIndex has 1 locations for 2 pages"),
    _oi("location offset", "id", put("page_locations.1.offset", plus(1)), "'id', page 1.*PageLocation.offset"),
    _oi("location size", "id", put("page_locations.1.compressed_page_size", plus(1)), "page 1.*PageLocation.compressed_page_size"),
    _oi("first_row_index", "id", put("page_locations.1.first_row_index", 5), "page 1.*first_row_index 5, real is 4"),
    _oi("no index bytes", "text", put("unencoded_byte_array_data_bytes", None), "OffsetIndex.unencoded_byte_array_data_bytes None"),
    _oi("index bytes", "text", put("unencoded_byte_array_data_bytes.0", 1), "OffsetIndex.unencoded_byte_array_data_bytes"),
    _oi("index bytes of int", "id", puts(unencoded_byte_array_data_bytes=[0, 0]), "OffsetIndex.unencoded_byte_array_data_bytes"),
]

THRIFT_CASES = [
    Case("unknown field", "meta", (0, "id"), _raw(b"\x95\x02"), "ColumnMetaData: field [0-9]+ is not known"),
    Case("field twice", "data_header", (0, "id", 0), _raw(b"\x05\x02\x02"), "DataPageHeader: field 1 after field 4"),
    Case("wrong wire type", "data_header", (0, "id", 0), _raw(b"\x16\x02"), "DataPageHeader.statistics: wire type 6"),
    Case("field missing", "data_header", (0, "id", 0), put("encoding", None), "DataPageHeader.encoding is missing"),
    Case("empty union", "footer", (), put("column_orders.0", Rec("ColumnOrder")), "ColumnOrder: a union has exactly one field"),
    Case("full union", "footer", (), put("schema.1.logicalType", lambda t: Rec("LogicalType", STRING=E, **t)), "LogicalType: a union"),
    Case("enum", "footer", (), put("schema.1.converted_type", 40), "ConvertedType 40 is not known"),
    Case("bad name", "footer", (), put("schema.1.name", b"\xff"), "cannot be decoded"),
]

DATA_CASES = PAGE_CASES + DELTA_CASES + V2_CASES + STATISTICS_CASES + INDEX_CASES + THRIFT_CASES
