"""The mini emitter's second half: pages, chunks, indexes and footer laid out into one file, a hook at every stage.

Stages and what their hook gets (the object to change, then the place: row group, column name, page):
dictionary_body, dictionary_header, data_body, data_header, levels, stored, page_header, junk_before_page, bloom_header,
bloom_bits, junk_before_bloom, meta, chunk, group, column_index, offset_index, junk_before_index, footer, file.
`build` is the entry; handmade_parts holds the pieces. Everything before `stored` is compressed, sized and summed up by CRC afterwards; statistics stay those of the true values.
"""

from __future__ import annotations

import struct
from typing import Any

from .handmade_parts import (
    CODECS,
    ENC,
    LENGTHS,
    TYPES,
    ColumnSpec,
    FileSpec,
    PageSpec,
    Rec,
    compress,
    dictionary_ids,
    encode,
    plain,
    rle_runs,
    signed_crc,
    thrift,
)

# XXH64 of some byte strings, from the algorithm's own test vectors: what a bloom filter may be made of here.
XXH64 = {b"": 0xEF46DB3751D8E999, b"abc": 0x44BC2CF5AD770999, b"Nobody inspects the spammish repetition": 0xFBCEA83C8A378BF1}
_SALTS = (0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31)


class _Measure:
    """Counts and bounds of some rows, for Statistics and indexes alike."""

    def __init__(self, column: ColumnSpec, rows: list[Any]) -> None:
        kind = column.leaf_kind
        self.reps, self.defs, values = column.shred(rows)
        self.n_values = len(self.defs)
        self.n_rows = len(rows)
        self.n_nulls = self.n_values - len(values)
        self.is_bytes = kind in ("string", "binary")
        self.is_float = kind.startswith("float")
        self.n_nan = sum(v != v for v in values) if self.is_float else 0
        self.null = not values
        raws = [v.encode() if isinstance(v, str) else v for v in values]
        self.data_bytes = sum(map(len, raws)) if self.is_bytes else None
        self.low = self.high = self.low_raw = self.high_raw = None
        self.low_exact = self.high_exact = None
        if not values or self.n_nan or LENGTHS.get(kind, 0) > 64:
            return
        self.low, self.high = min(raws), max(raws)
        if self.is_bytes:
            self.low_raw, self.high_raw = _cut(self.low, kind), _round_up(self.high, kind)
            self.low_exact, self.high_exact = self.low_raw == self.low, self.high_raw == self.high
            self.low, self.high = self.low_raw, self.high_raw
        else:
            signed = (-0.0 if self.low == 0 else self.low, 0.0 if self.high == 0 else self.high) if self.is_float else None
            self.low_raw, self.high_raw = (plain(kind, [v]) for v in signed or (self.low, self.high))
            self.low_exact = self.high_exact = True
        if self.high_raw is None:
            self.high_exact = None

    def def_histogram(self, top: int) -> list[int] | None:
        return [self.defs.count(i) for i in range(top + 1)] if top else None

    def rep_histogram(self, top: int) -> list[int] | None:
        return [self.reps.count(i) for i in range(top + 1)] if top else None

    def statistics(self) -> Rec:
        return Rec(
            "Statistics",
            null_count=self.n_nulls,
            nan_count=self.n_nan if self.is_float else None,
            min_value=self.low_raw,
            max_value=self.high_raw,
            is_min_value_exact=self.low_exact,
            is_max_value_exact=self.high_exact,
        )


def _cut(raw: bytes, kind: str) -> bytes:
    head = raw[:64]
    return head.decode("utf-8", "ignore").encode() if kind == "string" else head


def _round_up(raw: bytes, kind: str) -> bytes | None:
    if len(raw) <= 64:
        return raw
    if kind == "string":
        text = _cut(raw, kind).decode()
        following = ord(text[-1]) + 1
        return (text[:-1] + chr(following)).encode() if following < 0xD800 else None
    head = raw[:64].rstrip(b"\xff")
    return head[:-1] + bytes([head[-1] + 1]) if head else None


def _order(measures: list[_Measure]) -> int:
    bounds = [(m.low, m.high) for m in measures if not m.null]
    pairs = list(zip(bounds, bounds[1:]))
    if all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairs):
        return 1
    return 2 if all(a[0] >= b[0] and a[1] >= b[1] for a, b in pairs) else 0


class _Builder:
    def __init__(self, spec: FileSpec) -> None:
        self.spec = spec
        self.out = bytearray(b"PAR1")
        self.chunks: list[tuple[int, ColumnSpec, Rec, list[_Measure], list[tuple[int, int]]]] = []

    def page(self, body: bytes, header: Rec, packed: bool, levels: bytes, *place: Any) -> tuple[int, int, int]:
        """Write one page; `levels` stand before the compressed part (version 2). Offset, stored and raw size with header."""
        hook = self.spec.hook
        stored = levels + (compress(self.spec.codec, body) if packed else body)
        stored = hook("stored", stored, *place)
        header["uncompressed_page_size"] = len(levels) + len(body)
        header["compressed_page_size"] = len(stored)
        header["crc"] = signed_crc(stored)
        header = hook("page_header", header, *place)
        self.out += hook("junk_before_page", b"", *place)
        offset, head = len(self.out), thrift(header)
        self.out += head + stored
        return offset, len(head) + len(stored), len(head) + len(levels) + len(body)

    def data_page(self, column: ColumnSpec, page: PageSpec, entries: list[bytes], *place: Any) -> tuple[int, int, int]:
        hook, kind = self.spec.hook, column.leaf_kind
        reps, defs, values = column.shred(page.values)
        if page.encoding == "DICT":
            ids = [entries.index(plain(kind, [v])) for v in values]
            body = dictionary_ids(ids, max(1, (len(entries) - 1).bit_length()))
        else:
            body = encode(kind, page.encoding, values)
        body = hook("data_body", body, *place)
        rep_bytes = rle_runs(reps, 1) if column.is_list else b""
        def_bytes = rle_runs(defs, column.max_def.bit_length()) if column.max_def else b""
        if page.version == 1:
            prefixed = [struct.pack("<I", len(b)) + b for b in (rep_bytes, def_bytes) if b]
            body = hook("levels", b"".join(prefixed), *place) + body
            head = Rec(
                "DataPageHeader",
                num_values=len(defs),
                encoding=ENC[page.encoding],
                definition_level_encoding=3,
                repetition_level_encoding=3,
            )
            header = Rec("PageHeader", type=0, data_page_header=hook("data_header", head, *place))
            return self.page(body, header, True, b"", *place)
        head = Rec(
            "DataPageHeaderV2",
            num_values=len(defs),
            num_nulls=len(defs) - len(values),
            num_rows=len(page.values),
            encoding=ENC[page.encoding],
            definition_levels_byte_length=len(def_bytes),
            repetition_levels_byte_length=len(rep_bytes),
            is_compressed=page.compressed,
        )
        header = Rec("PageHeader", type=3, data_page_header_v2=hook("data_header", head, *place))
        return self.page(body, header, page.compressed, hook("levels", rep_bytes + def_bytes, *place), *place)

    def chunk(self, g: int, column: ColumnSpec) -> Rec:
        hook, kind = self.spec.hook, column.leaf_kind
        pages = column.groups[g]
        entries: list[bytes] = []
        for page in pages:
            if page.encoding == "DICT":
                for v in column.shred(page.values)[2]:
                    if plain(kind, [v]) not in entries:
                        entries.append(plain(kind, [v]))
        start, packed, raw = 0, 0, 0
        stats: dict[tuple[int, int], int] = {}
        if entries:
            place = (g, column.name, "dictionary")
            body = hook("dictionary_body", b"".join(entries), *place)
            head = hook("dictionary_header", Rec("DictionaryPageHeader", num_values=len(entries), encoding=0), *place)
            start, packed, raw = self.page(body, Rec("PageHeader", type=2, dictionary_page_header=head), True, b"", *place)
            stats[2, 0] = 1
        locations, measures = [], []
        for number, page in enumerate(pages):
            offset, size, raw_size = self.data_page(column, page, entries, g, column.name, number)
            packed, raw = packed + size, raw + raw_size
            key = (0 if page.version == 1 else 3, ENC[page.encoding])
            stats[key] = stats.get(key, 0) + 1
            locations.append((offset, size))
            measures.append(_Measure(column, page.values))
        whole = _Measure(column, [v for page in pages for v in page.values])
        meta = Rec(
            "ColumnMetaData",
            type=TYPES[kind][0],
            encodings=sorted({e for _, e in stats} | ({3} if column.max_def else set())),
            path_in_schema=column.path,
            codec=CODECS[self.spec.codec],
            num_values=whole.n_values,
            total_uncompressed_size=raw,
            total_compressed_size=packed,
            data_page_offset=locations[0][0],
            dictionary_page_offset=start if entries else None,
            statistics=whole.statistics(),
            encoding_stats=[Rec("PageEncodingStats", page_type=t, encoding=e, count=n) for (t, e), n in stats.items()],
        )
        if whole.is_bytes or column.max_def:
            meta["size_statistics"] = Rec(
                "SizeStatistics",
                unencoded_byte_array_data_bytes=whole.data_bytes,
                definition_level_histogram=whole.def_histogram(column.max_def),
                repetition_level_histogram=whole.rep_histogram(int(column.is_list)),
            )
        chunk = Rec("ColumnChunk", file_offset=0, meta_data=hook("meta", meta, g, column.name))
        self.chunks.append((g, column, chunk, measures, locations))
        return chunk

    def bloom(self, g: int, column: ColumnSpec, chunk: Rec) -> None:
        words = [0] * 8
        for page in column.groups[g]:
            for value in page.values:
                for i, salt in enumerate(_SALTS):
                    words[i] |= 1 << ((XXH64[value] & 0xFFFFFFFF) * salt % 2**32 >> 27)
        one = Rec("One", only=Rec("Empty"))
        place = (g, column.name)
        header = Rec("BloomFilterHeader", numBytes=32, algorithm=one, hash=one, compression=one)
        raw = thrift(self.spec.hook("bloom_header", header, *place))
        raw += self.spec.hook("bloom_bits", struct.pack("<8I", *words), *place)
        self.out += self.spec.hook("junk_before_bloom", b"", *place)
        chunk["meta_data"].setdefault("bloom_filter_offset", len(self.out))
        chunk["meta_data"].setdefault("bloom_filter_length", len(raw))
        self.out += raw

    def index(self, name: str, rec: Rec, chunk: Rec, *place: Any) -> None:
        rec = self.spec.hook(name, rec, *place)
        if rec.get("drop"):
            return
        self.out += self.spec.hook("junk_before_index", b"", name, *place)
        raw = thrift(rec)
        # A hook may have said otherwise before.
        chunk.setdefault(f"{name}_offset", len(self.out))
        chunk.setdefault(f"{name}_length", len(raw))
        self.out += raw

    def indexes(self) -> None:
        for g, column, chunk, pages, _ in self.chunks:
            dropped = any(p.n_nan or (p.high is None and not p.null) for p in pages)
            top = column.max_def
            lists = [p.def_histogram(top) or [] for p in pages]
            reps = [p.rep_histogram(int(column.is_list)) or [] for p in pages]
            rec = Rec(
                "ColumnIndex",
                null_pages=[p.null for p in pages],
                min_values=[p.low_raw or b"" for p in pages],
                max_values=[p.high_raw or b"" for p in pages],
                boundary_order=0 if dropped else _order(pages),
                null_counts=[p.n_nulls for p in pages],
                nan_counts=[p.n_nan for p in pages] if pages[0].is_float else None,
                definition_level_histograms=sum(lists, []) if top else None,
                repetition_level_histograms=sum(reps, []) if column.is_list else None,
            )
            rec["drop"] = dropped
            self.index("column_index", rec, chunk, g, column.name)
        for g, column, chunk, pages, locations in self.chunks:
            rows, rec = 0, Rec("OffsetIndex", page_locations=[])
            for page, (offset, size) in zip(pages, locations):
                location = Rec("PageLocation", offset=offset, compressed_page_size=size, first_row_index=rows)
                rec["page_locations"].append(location)
                rows += page.n_rows
            if pages[0].is_bytes:
                rec["unencoded_byte_array_data_bytes"] = [p.data_bytes for p in pages]
            self.index("offset_index", rec, chunk, g, column.name)

    def schema(self) -> list[Rec]:
        elements = [Rec("SchemaElement", name="schema", num_children=len(self.spec.columns))]
        for column in self.spec.columns:
            physical, _, converted, integer = TYPES[column.leaf_kind]
            logical = Rec("LogicalType", INTEGER=Rec("IntType", bitWidth=integer[0], isSigned=integer[1])) if integer else None
            decimal = {"scale": 2, "precision": 20} if column.leaf_kind == "decimal20" else {}
            if column.leaf_kind == "string":
                logical = Rec("LogicalType", STRING=Rec("Empty"))
            elif column.leaf_kind == "float16":
                logical = Rec("LogicalType", FLOAT16=Rec("Empty"))
            elif decimal:
                logical = Rec("LogicalType", DECIMAL=Rec("DecimalType", **decimal))
            name = column.name
            if column.is_list:
                mark = Rec("LogicalType", LIST=Rec("Empty"))
                elements.append(
                    Rec("SchemaElement", repetition_type=0, name=name, num_children=1, converted_type=3, logicalType=mark)
                )
                elements.append(Rec("SchemaElement", repetition_type=2, name="list", num_children=1))
                name = "element"
            elements.append(
                Rec(
                    "SchemaElement",
                    type=physical,
                    type_length=LENGTHS.get(column.leaf_kind),
                    repetition_type=int(column.optional or column.is_list),
                    name=name,
                    converted_type=converted,
                    logicalType=logical,
                    **decimal,
                )
            )
        return elements

    def build(self) -> bytes:
        spec, groups, n_rows = self.spec, [], 0
        for g in range(len(spec.columns[0].groups)):
            start = len(self.out)
            chunks = [self.chunk(g, column) for column in spec.columns]
            metas = [chunk["meta_data"] for chunk in chunks]
            rows = sum(len(page.values) for page in spec.columns[0].groups[g])
            group = Rec(
                "RowGroup",
                columns=chunks,
                total_byte_size=sum(m["total_uncompressed_size"] for m in metas),
                num_rows=rows,
                file_offset=start,
                total_compressed_size=sum(m["total_compressed_size"] for m in metas),
            )
            keys = [Rec("SortingColumn", column_idx=i, descending=d, nulls_first=False) for i, d in spec.sorting]
            group["sorting_columns"] = keys or None
            for chunk, column in zip(chunks, spec.columns):
                spec.hook("chunk", chunk, g, column.name)
            groups.append(spec.hook("group", group, g))
            n_rows += rows
        for g, column, chunk, _, _ in self.chunks:
            if column.bloom:
                self.bloom(g, column, chunk)
        self.indexes()
        self.out += spec.hook("junk_before_index", b"", "footer", 0, "")
        footer = Rec(
            "FileMetaData",
            version=spec.version,
            schema=self.schema(),
            num_rows=n_rows,
            row_groups=groups,
            created_by="ccpq version 0.1.0 (build 0123abc)",
            column_orders=[Rec("ColumnOrder", TYPE_ORDER=Rec("Empty")) for _ in spec.columns],
        )
        raw = thrift(spec.hook("footer", footer))
        data = bytes(self.out) + raw + struct.pack("<I", len(raw)) + b"PAR1"
        return spec.hook("file", data)


def build(spec: FileSpec) -> bytes:
    """The bytes of the file that `spec` describes."""
    return _Builder(spec).build()

