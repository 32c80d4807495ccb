"""The oracle of tests/model is tested itself: reading against pyarrow and the community's files, refusing what is broken.

Each case of the tables in tests/model breaks one thing in a handmade file; together they have to reach every check of the
validator. Nothing here uses ccpq.
"""

import ast
import csv
import functools
import io
import math
import random
import struct
import traceback
import zlib
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import need_data

import model
from model import model_bloom, model_encodings, model_pages, model_schema, model_thrift
from model.handmade import build
from model.handmade_parts import ColumnSpec, FileSpec, PageSpec, Rec, delta, thrift, uvarint, zigzag
from model.model_cases_data import DATA_CASES
from model.model_cases_file import FILE_CASES
from model.model_compress import decompress
from model.model_mutations import BASES, FAULTY
from model.model_thrift import CompressionCodec, Encoding, PageType, Type

CASES = FILE_CASES + DATA_CASES
MODEL = Path(model.__file__).parent


def same(a, b):
    """Equal, with NaN equal to NaN and the zeros told apart."""
    if isinstance(a, float) and isinstance(b, float):
        return a != a and b != b or a == b and math.copysign(1, a) == math.copysign(1, b)
    return type(a) is type(b) and a == b


def assert_same(got, want):
    assert list(got) == list(want)
    for name in want:
        assert len(got[name]) == len(want[name]), name
        for row, (a, b) in enumerate(zip(got[name], want[name])):
            assert same(a, b), f"{name}, row {row}: {a!r}, expected {b!r}"


# ---------------------------------------------------------------- the handmade files


@pytest.mark.parametrize("codec", ["zstd", "snappy", "none"])
@pytest.mark.parametrize("base", BASES)
def test_accepts(base, codec):
    spec = BASES[base](codec)
    data = build(spec)
    summary = model.validate(data, profile="modern" if base == "modern" else "default")
    assert summary.rows == sum(summary.group_rows) and summary.file_bytes == len(data)
    assert summary.row_groups == len(spec.columns[0].groups)
    assert summary.data_pages == sum(len(group) for column in spec.columns for group in column.groups)


def written(spec):
    """The values of a specification, as read_table gives them."""
    out = {}
    for column in spec.columns:
        rows = [v for group in column.groups for page in group for v in page.values]
        out[column.name] = [struct.unpack("<f", struct.pack("<f", v))[0] if column.kind == "float32" else v for v in rows]
    return out


@pytest.mark.parametrize("base", ["flat", "bloom"])
def test_reads_handmade(base):
    spec = BASES[base]()
    assert_same(model.read_table(build(spec)), written(spec))


@pytest.mark.parametrize("base", BASES)
def test_pyarrow_reads_handmade(base):
    """The emitter is right by somebody else's judgement too."""
    pq = pytest.importorskip("pyarrow.parquet")
    spec = BASES[base]()
    read = pq.read_table(io.BytesIO(build(spec)), page_checksum_verification=True).to_pydict()
    for name, values in read.items():
        read[name] = [int(v.scaleb(2)) if isinstance(v, Decimal) else v for v in values]
    assert_same(read, written(spec))


def test_reads_lists_as_levels():
    leaves = model.read_leaves(build(BASES["lists"]()))
    tags = leaves["tags.list.element"]
    assert tags.rep_levels[:6] == [0, 1, 0, 0, 0, 0] and tags.def_levels[:6] == [2, 2, 0, 1, 2, 2]
    assert tags.values == [1, 2, 3, 4, 5, 6, 1, 2]
    with pytest.raises(model.UnsupportedError, match="nested"):
        model.read_table(build(BASES["lists"]()))


def test_metadata_and_path(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(build(BASES["flat"]()))
    metadata = model.read_metadata(path)
    assert metadata.num_rows == 9 and metadata.version == 1 and metadata.created_by.startswith("ccpq version")
    assert metadata.sorting_columns == [("id", False), ("down", True)] and metadata.key_value_metadata == {}
    assert metadata.chunk(0, "id").statistics.min_value == (1).to_bytes(8, "little")
    assert metadata.column_indexes[0][metadata.column_number("blob")] is None
    assert [p.is_dictionary for p in metadata.pages(0, "name")] == [True, False, False]
    assert metadata.offset_indexes[0][1].page_locations[1].offset == metadata.pages(0, "name")[2].offset
    assert "ColumnMetaData(" in repr(metadata.chunk(0, 0))
    assert_same(model.read_table(path), model.read_table(path.read_bytes()))
    assert model.validate(path).rows == 9


def test_summary():
    summary = model.validate(build(BASES["flat"]()), sorted_by=["id", ("down", "descending")])
    assert summary.rows == 9 and summary.group_rows == [6, 3] and summary.dictionary_pages == 7
    assert summary.encodings["name"] == ["RLE_DICTIONARY", "PLAIN"]
    assert summary.columns[:2] == ["id", "name"] and summary.column_bytes["id"] > 0


@pytest.mark.parametrize("expected", [[], ["name"], ["id"], [("id", "descending"), ("down", "descending")]])
def test_sorted_by_is_compared(expected):
    with pytest.raises(model.ModelError, match="sorting_columns .*, expected"):
        model.validate(build(BASES["flat"]()), sorted_by=expected)


def test_empty_file():
    spec = FileSpec([ColumnSpec("n", "int32", [])])
    assert model.validate(build(spec)).row_groups == 0
    assert model.read_table(build(spec)) == {"n": []}


def test_profiles():
    spec = FileSpec([ColumnSpec("n", "int64", [[PageSpec([1, 2], "DELTA")]])])
    assert model.validate(build(spec), profile="default").encodings == {"n": ["DELTA_BINARY_PACKED"]}
    with pytest.raises(model.ModelError, match="DELTA_BINARY_PACKED of INT64 in profile compat"):
        model.validate(build(spec), profile="compat")
    with pytest.raises(ValueError, match="profile 'fast'"):
        model.validate(build(spec), profile="fast")


@pytest.mark.parametrize("value", ["a" * 64, "a" * 61 + "\U0001f600", "€" * 22, "a" * 63 + "€"])
def test_bounds_at_the_edge(value):
    """Around 64 bytes: kept whole, or cut at a character border and rounded up."""
    model.validate(build(FileSpec([ColumnSpec("x", "string", [[PageSpec([value, "b"]), PageSpec([value])]])])))


@pytest.mark.parametrize(("value", "may_drop"), [("\U0010ffff" * 17, True), ("\x7f" * 65, True), ("\ud7ff" * 22, True), ("a" * 65, False), ("\x7f" * 9 + "a" * 60, False)])
def test_max_may_be_dropped(value, may_drop):
    """Only where no character of the prefix has a next one of its length."""
    spec = FileSpec([ColumnSpec("x", "string", [[PageSpec([value, "b"])]])])
    spec.hooks["meta"] = lambda meta, *_: meta["statistics"].update(max_value=None, is_max_value_exact=None)
    spec.hooks["column_index"] = lambda rec, *_: rec.update(drop=True)
    if may_drop:
        model.validate(build(spec))
    else:
        with pytest.raises(model.ModelError, match="max_value is missing"):
            model.validate(build(spec))


@pytest.mark.parametrize("order", ["ASCENDING", "DESCENDING"])
def test_equal_bounds_are_in_both_orders(order):
    spec = FileSpec([ColumnSpec("x", "int32", [[PageSpec([1, 2]), PageSpec([1, 2])]])])
    number = model_thrift.BoundaryOrder[order]
    spec.hooks["column_index"] = lambda rec, *_: rec.update(boundary_order=int(number))
    model.validate(build(spec))


def empty_file_of(**element):
    """A file without rows whose one column is described by a SchemaElement."""

    def footer(rec):
        rec["schema"][1] = Rec("SchemaElement", **{"name": "x", "repetition_type": 1, **element})

    return build(FileSpec([ColumnSpec("x", "int32", [])], hooks={"footer": footer}))


def time_type(kind, utc, unit):
    return Rec("LogicalType", **{kind: Rec("TimeType", isAdjustedToUTC=utc, unit=Rec("TimeUnit", **{unit: Rec("Empty")}))})


def named(name):
    return Rec("LogicalType", **{name: Rec("Empty")})


@pytest.mark.parametrize(
    "element",
    [
        dict(type=0),
        dict(type=6),
        dict(type=7, type_length=3),
        dict(type=1, converted_type=6, logicalType=named("DATE")),
        dict(type=6, converted_type=19, logicalType=named("JSON")),
        dict(type=6, logicalType=named("BSON")),
        dict(type=6, converted_type=4, logicalType=named("ENUM")),
        dict(type=7, type_length=16, logicalType=named("UUID")),
        dict(type=7, type_length=2, logicalType=named("FLOAT16")),
        dict(type=1, converted_type=7, logicalType=time_type("TIME", True, "MILLIS")),
        dict(type=2, converted_type=8, logicalType=time_type("TIME", True, "MICROS")),
        dict(type=2, logicalType=time_type("TIME", True, "NANOS")),
        dict(type=2, converted_type=9, logicalType=time_type("TIMESTAMP", True, "MILLIS")),
        dict(type=2, converted_type=10, logicalType=time_type("TIMESTAMP", False, "MICROS")),
        dict(type=2, logicalType=time_type("TIMESTAMP", True, "NANOS"), field_id=5),
        dict(type=7, type_length=9, converted_type=5, scale=2, precision=20, logicalType=Rec("LogicalType", DECIMAL=Rec("DecimalType", scale=2, precision=20))),
    ],
    ids=str,
)
def test_accepts_annotations(element):
    assert model.validate(empty_file_of(**element)).columns == ["x"]


def test_delta_wraps():
    extremes = [-(2**31), 2**31 - 1, 0, -(2**31)]
    for kind, values in (("int32", extremes), ("int64", [-(2**63), 2**63 - 1, -1, 5]), ("uint64", [0, 2**64 - 1, 1])):
        data = build(FileSpec([ColumnSpec("x", kind, [[PageSpec(values, "DELTA")]])]))
        assert model.read_table(data) == {"x": values}
        model.validate(data)


# ---------------------------------------------------------------- broken files


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_refuses(case):
    with pytest.raises(model.ModelError, match=case.message) as caught:
        model.validate(case.broken(), profile=case.profile)
    if case.stage in ("page_header", "data_header", "stored", "data_body", "levels", "meta", "chunk", "column_index", "offset_index"):
        assert caught.value.row_group == case.place[0]
        column = caught.value.column
        names = [c.name for c in (BASES | FAULTY)[case.base]().columns]
        assert (names[column] if isinstance(column, int) else column.split(".")[0]) == case.place[1]


def test_case_names_are_distinct():
    assert len({case.name for case in CASES}) == len(CASES)


LEAF = {
    word: model_schema.Leaf(("x",), physical, length, 0, 0, kind, 0, None)
    for word, physical, length, kind in (
        ("int", Type.INT32, None, "int"),
        ("fixed", Type.FIXED_LEN_BYTE_ARRAY, 2, "binary"),
        ("nothing", Type.FIXED_LEN_BYTE_ARRAY, None, "binary"),
    )
}


def fixed_delta_page():
    body = delta([0, 0], 32) + delta([2, 1], 32) + b"abc"
    head = Rec("DataPageHeader", num_values=2, encoding=7, definition_level_encoding=3, repetition_level_encoding=3)
    raw = thrift(
        Rec(
            "PageHeader",
            type=0,
            uncompressed_page_size=len(body),
            compressed_page_size=len(body),
            crc=zlib.crc32(body) - (1 << 32 if zlib.crc32(body) >> 31 else 0),
            data_page_header=head,
        )
    )
    page = model_pages.read_page_header(raw + body, 0, len(raw + body), strict=True)
    model_pages.decode_data_page(page, LEAF["fixed"], 0, None, strict=True)


def plain(data, word, count):
    leaf = LEAF[word]
    return model_encodings.decode_plain(data, 0, len(data), leaf.physical, leaf.type_length, count)


def header(raw, kind="PageLocation", strict=True):
    return model_thrift.parse_struct(kind, raw, 0, len(raw), strict=strict)


SMALL_ZSTD = b"\x28\xb5\x2f\xfd\x00\x58\x19\x00\x00abc"
GZIP = zlib.compressobj(wbits=31)
GZIP = GZIP.compress(b"abc") + GZIP.flush()

# Broken bytes for the parts below the page, that no file of the emitter reaches.
BYTES_CASES = [
    ("thrift end", lambda: header(b"\x16"), "data ends inside a struct"),
    ("thrift varint", lambda: header(b"\x16" + b"\x80" * 12), "varint of more than 10 bytes"),
    ("thrift range", lambda: header(b"\x16\x00\x15" + uvarint(1 << 33)), "does not fit i32"),
    ("thrift binary", lambda: header(b"\x18\x05a", "KeyValue"), "binary longer than the data left"),
    ("thrift list", lambda: header(b"\x19\xf3\xff\x7f", "ColumnIndex"), "list longer than the data left"),
    ("thrift list type", lambda: header(b"\x19\x15\x00", "ColumnIndex"), "elements of wire type 5"),
    ("thrift bool", lambda: header(b"\x19\x12\x07", "ColumnIndex"), "boolean list element 7"),
    ("thrift depth", lambda: header(b"\xfc" + b"\x1c" * 40 + b"\0" * 41, strict=False), "nested too deeply"),
    ("thrift double", lambda: header(b"\xf7\0\0", strict=False), "data ends inside a double"),
    ("thrift wire", lambda: header(b"\xfe\0", strict=False), "wire type 14 is not known"),
    ("page type", lambda: model_pages.read_page_header(b"\x15\x0e\x15\0\x15\0\0", 0, 7, strict=False), "page type 7 is not known"),
    ("zstd size", lambda: decompress(CompressionCodec.ZSTD, SMALL_ZSTD, 4, strict=False), "3 bytes came out, 4 are declared"),
    ("gzip size", lambda: decompress(CompressionCodec.GZIP, GZIP, 4, strict=False), "3 bytes came out, 4 are declared"),
    ("gzip more", lambda: decompress(CompressionCodec.GZIP, GZIP, 2, strict=False), "more bytes come out"),
    ("lz4 literal", lambda: decompress(CompressionCodec.LZ4_RAW, b"\x50ab", 5, strict=False), "literal cut off"),
    ("lz4 match", lambda: decompress(CompressionCodec.LZ4_RAW, b"\x10a\x01", 5, strict=False), "match cut off"),
    ("lz4 more", lambda: decompress(CompressionCodec.LZ4_RAW, b"\x10a\x01\0", 3, strict=False), "more bytes come out"),
    ("lz4 less", lambda: decompress(CompressionCodec.LZ4_RAW, b"\x10a", 3, strict=False), "1 bytes came out"),
    ("hybrid width", lambda: model_encodings.decode_hybrid(b"\x02\0", 0, 2, 33, 1, strict=True), "bit width 33"),
    ("hybrid cut", lambda: model_encodings.decode_hybrid(b"\x03", 0, 1, 8, 4, strict=False), "bit-packed run is cut off"),
    ("fixed length", lambda: plain(b"ab", "nothing", 1), "FIXED_LEN_BYTE_ARRAY without a length"),
    ("fixed cut", lambda: plain(b"abc", "fixed", 2), "fixed-length values are cut off"),
    ("physical", lambda: model_encodings.decode_plain(b"", 0, 0, 9, None, 1), "physical type 9 is not known"),
    ("fixed delta", fixed_delta_page, "value of a wrong length"),
    ("sorted_by", lambda: model.validate(build(BASES["flat"]()), sorted_by=["name"]), "sorting_columns"),
]


@pytest.mark.parametrize(("act", "message"), [c[1:] for c in BYTES_CASES], ids=[c[0] for c in BYTES_CASES])
def test_refuses_bytes(act, message):
    with pytest.raises(model.ModelError, match=message):
        act()


def test_every_check_can_fail():
    """Each `require` of the strict modules is the one that speaks in at least one case."""
    spoke = set()

    def note(error):
        while error is not None:
            for frame in traceback.extract_tb(error.__traceback__):
                spoke.add((Path(frame.filename).name, frame.lineno))
            error = error.__cause__

    acts = [functools.partial(lambda c: model.validate(c.broken(), profile=c.profile), case) for case in CASES]
    for act in acts + [act for _, act, _ in BYTES_CASES]:
        try:
            act()
        except model.ModelError as error:
            note(error)
    strict = [MODEL / f"model_{word}.py" for word in ("validate", "bloom", "compress", "encodings", "schema")]
    strict += sorted(MODEL.glob("model_check_*.py"))
    silent = []
    for path in strict + [MODEL / "model_pages.py", MODEL / "model_thrift.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "require":
                if not any((path.name, line) in spoke for line in range(node.lineno, node.end_lineno + 1)):
                    silent.append(f"{path.name}:{node.lineno}")
    assert silent == []


def test_cut_files_are_refused():
    """Any prefix of a file, and any one byte lost, is an error and never another exception."""
    data = build(BASES["flat"]())
    rng = random.Random(7)
    for at in rng.sample(range(len(data)), 60):
        for broken in (data[:at], data[:at] + data[at + 1 :]):
            with pytest.raises(model.ModelError):
                model.validate(broken)


def test_changed_bytes_raise_nothing_else():
    """The reader and the validator answer any damage with ModelError or with values."""
    data = build(BASES["flat"]())
    rng = random.Random(8)
    for _ in range(150):
        broken = bytearray(data)
        broken[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        with pytest.raises(model.ModelError):
            model.validate(broken)
        try:
            model.read_table(broken)
        except model.ModelError:
            pass


# ---------------------------------------------------------------- the pieces


def test_xxh64_vectors():
    assert model_bloom.xxh64(b"") == 0xEF46DB3751D8E999
    assert model_bloom.xxh64(b"abc") == 0x44BC2CF5AD770999
    assert model_bloom.xxh64(b"Nobody inspects the spammish repetition") == 0xFBCEA83C8A378BF1


@pytest.mark.parametrize("width", range(33))
def test_bit_packing_at_every_width(width):
    rng = random.Random(width)
    values = [rng.randrange(1 << width) for _ in range(43)]
    bits = "".join(format(v, f"0{width}b")[::-1] for v in values) if width else ""
    packed = bytes(int(bits[i : i + 8][::-1], 2) for i in range(0, len(bits), 8))
    assert model_encodings.unpack_bits(packed, 0, width, 43) == values
    if width:
        body = uvarint(6 << 1 | 1) + packed.ljust(6 * width, b"\0") + uvarint(3 << 1) + values[0].to_bytes((width + 7) // 8, "little")
        got, end = model_encodings.decode_hybrid(body, 0, len(body), width, 51, strict=True)
        assert got == values + [0] * 5 + [values[0]] * 3 and end == len(body)


@pytest.mark.parametrize("bits", [32, 64])
def test_delta_against_the_emitter(bits):
    rng = random.Random(bits)
    for n in (0, 1, 2, 33, 129):
        for span in (1, 100, 1 << bits - 1):
            values = [rng.randrange(-span, span) for _ in range(n)]
            raw = delta(values, bits)
            got = model_encodings.decode_delta_binary_packed(raw, 0, len(raw), bits, strict=True, count=n)
            assert got == (values, len(raw))


def test_zigzag_and_names():
    for n in (0, -1, 1, -(2**63), 2**63 - 1):
        assert model_encodings.zigzag(zigzag(n), 0, len(zigzag(n))) == (n, len(zigzag(n)))
    error = model.ModelError("wrong", row_group=1, column="c", page=2, offset=3)
    assert str(error) == "row group 1, column 'c', page 2, file offset 3: wrong"
    assert (Encoding.PLAIN, PageType.DATA_PAGE_V2) == (0, 3)


# ---------------------------------------------------------------- files of pyarrow


def arrow_table(pa, n=1000):
    rng = random.Random(3)

    def nulls(values):
        return [None if rng.random() < 0.2 else v for v in values]

    words = ["", "a", "ä", "emmy", "fritz", "x" * 300, "\U0001f600"]
    columns = {
        "flag": pa.array([rng.random() < 0.5 for _ in range(n)]),
        "flag?": pa.array(nulls([rng.random() < 0.5 for _ in range(n)])),
        "f4": pa.array([rng.gauss(0, 1) for _ in range(n - 3)] + [math.nan, -0.0, math.inf], pa.float32()),
        "f8?": pa.array(nulls([rng.gauss(0, 1e300) for _ in range(n)]), pa.float64()),
        "word": pa.array([rng.choice(words) for _ in range(n)]),
        "word?": pa.array(nulls([rng.choice(words) for _ in range(n)])),
        "blob?": pa.array(nulls([rng.randbytes(rng.randrange(40)) for _ in range(n)]), pa.binary()),
        "fixed": pa.array([rng.randbytes(5) for _ in range(n)], pa.binary(5)),
        "null?": pa.array([None] * n, pa.int32()),
        "same": pa.array([7] * n, pa.int64()),
    }
    for bits in (8, 16, 32, 64):
        half = 1 << bits - 1
        columns[f"i{bits}"] = pa.array([rng.randrange(-half, half) for _ in range(n)], getattr(pa, f"int{bits}")())
        columns[f"u{bits}?"] = pa.array(nulls([rng.randrange(2 * half) for _ in range(n)]), getattr(pa, f"uint{bits}")())
    return pa.table(columns)


@pytest.mark.parametrize("options", [{}, {"data_page_version": "2.0"}, {"use_dictionary": False}, {"write_page_checksum": True, "write_page_index": True}], ids=str)
@pytest.mark.parametrize("codec", ["zstd", "snappy", "gzip", "lz4", "none"])
def test_reads_pyarrow(codec, options):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = arrow_table(pa)
    sink = io.BytesIO()
    pq.write_table(table, sink, compression=codec, row_group_size=400, data_page_size=512, **options)
    assert_same(model.read_table(sink.getvalue()), table.to_pydict())


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", ["zstd", "none"])
def test_reads_pyarrow_encodings(codec, version):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = arrow_table(pa)
    chosen = {
        "DELTA_BINARY_PACKED": ["i32", "i64", "u32?", "u64?", "i8", "same", "null?"],
        "DELTA_LENGTH_BYTE_ARRAY": ["word"],
        "DELTA_BYTE_ARRAY": ["word?", "blob?", "fixed"],
        "BYTE_STREAM_SPLIT": ["f4", "f8?", "i16", "u16?"],
        "RLE": ["flag", "flag?"],
    }
    encodings = {name: encoding for encoding, names in chosen.items() for name in names}
    sink = io.BytesIO()
    pq.write_table(
        table, sink, compression=codec, use_dictionary=False, column_encoding=encodings, row_group_size=700, data_page_version=version
    )
    assert_same(model.read_table(sink.getvalue()), table.to_pydict())
    metadata = model.read_metadata(sink.getvalue())
    for name, encoding in encodings.items():
        assert {p.encoding for p in metadata.pages(0, name)} == {Encoding[encoding]}, name


def test_pyarrow_files_are_not_ours():
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    sink = io.BytesIO()
    pq.write_table(pa.table({"x": [1, 2]}), sink)
    with pytest.raises(model.ModelError):
        model.validate(sink.getvalue())


# ---------------------------------------------------------------- the community's files


def expected_csv(path):
    with open(path, newline="") as f:
        head, *rows = list(csv.reader(f))
    return {name.strip(): [row[i] for row in rows] for i, name in enumerate(head)}


@pytest.mark.parametrize(
    "name", ["delta_binary_packed", "delta_byte_array", "delta_encoding_optional_column", "delta_encoding_required_column"]
)
def test_delta_files(name):
    folder = need_data("parquet-testing", "data")
    want = expected_csv(folder / f"{name}_expect.csv")
    got = model.read_table(folder / f"{name}.parquet")
    got = {column.rstrip(":"): values for column, values in got.items()}
    assert set(got) == set(want)
    for column, values in got.items():
        assert ["" if v is None else str(v) for v in values] == [w.strip() for w in want[column]], column


def test_equal_families():
    folder = need_data("parquet-testing", "data")
    first = model.read_table(folder / "alltypes_tiny_pages.parquet")
    assert model.read_table(folder / "alltypes_tiny_pages_plain.parquet") == first
    split = model.read_table(folder / "byte_stream_split_extended.gzip.parquet")
    for name in [n for n in split if n.endswith("_plain")]:
        assert split[name.replace("_plain", "_byte_stream_split")] == split[name], name
    members = model.read_table(folder / "concatenated_gzip_members.parquet")
    assert list(members.values()) == [list(range(1, 514))]


@pytest.mark.parametrize(
    "name",
    ["datapage_v1-snappy-compressed-checksum", "datapage_v1-uncompressed-checksum", "plain-dict-uncompressed-checksum",
     "rle-dict-snappy-checksum", "lz4_raw_compressed_larger", "float16_nonzeros_and_nans", "rle_boolean_encoding",
     "int32_with_null_pages", "data_index_bloom_encoding_stats", "dict-page-offset-zero", "nation.dict-malformed",
     "datapage_v2_empty_datapage.snappy", "page_v2_empty_compressed", "column_chunk_key_value_metadata", "unknown-logical-type"],
)  # fmt: skip
def test_files_that_pyarrow_reads_equally(name):
    path = need_data("parquet-testing", "data", f"{name}.parquet")
    pq = pytest.importorskip("pyarrow.parquet")
    want = pq.read_table(path).to_pydict()
    got = model.read_table(path)
    assert list(got) == list(want)
    for column in want:
        for a, b in zip(got[column], want[column]):
            assert a == b or a != a and b != b, column


@pytest.mark.parametrize("name", ["datapage_v1-corrupt-checksum", "rle-dict-uncompressed-corrupt-checksum"])
def test_corrupt_checksums(name):
    path = need_data("parquet-testing", "data", f"{name}.parquet")
    with pytest.raises(model.ModelError, match="row group 0, column '[a-z_]+', page 0, file offset 4: CRC of the page is wrong"):
        model.read_table(path)


def test_bad_data():
    """Broken files end in a ModelError; three hold values that can be read, or are nested."""
    folder = need_data("parquet-testing", "bad_data")
    readable = []
    for path in sorted(folder.glob("*.parquet")):
        try:
            model.read_leaves(path)
            readable.append(path.stem)
        except model.ModelError as error:
            assert str(error)
    assert readable == ["ARROW-GH-43605", "ARROW-GH-45185"]


def test_truncated_bounds():
    path = need_data("parquet-testing", "data", "binary_truncated_min_max.parquet")
    metadata = model.read_metadata(path)
    for column, leaf in enumerate(metadata.leaves):
        statistics = metadata.chunk(0, column).statistics
        values = [v.encode() if isinstance(v, str) else v for v in model.read_table(path)[leaf.name]]
        assert (statistics.min_value == min(values)) == bool(statistics.is_min_value_exact), leaf.name
        assert (statistics.max_value == max(values)) == bool(statistics.is_max_value_exact), leaf.name
