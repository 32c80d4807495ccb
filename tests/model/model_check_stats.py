"""Truth of Statistics, SizeStatistics, ColumnIndex and OffsetIndex, measured against the decoded pages.

`PageFacts` is all that is kept of a page for it: counts and the real least and greatest value, never the values.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

from .model_encodings import decode_plain
from .model_errors import at, require
from .model_pages import Page
from .model_schema import MAX_BOUND_BYTES, Leaf
from .model_thrift import BoundaryOrder, Struct, Type

# A bound cut at a character border keeps at least this much: a UTF-8 character has up to 4 bytes.
_MIN_PREFIX_BYTES = MAX_BOUND_BYTES - 3


@dataclass
class PageFacts:
    """Counts and real bounds of a page or of a chunk; bounds are None where there is no value, a NaN, or too long a value."""

    offset: int
    compressed_bytes: int
    n_values: int
    n_rows: int
    n_nulls: int
    n_nan: int
    real_min: Any
    real_max: Any
    byte_array_bytes: int
    def_histogram: list[int]
    rep_histogram: list[int]

    @property
    def all_null(self) -> bool:
        return self.n_nulls == self.n_values


def _histogram(levels: list[int], top: int) -> list[int]:
    counts = Counter(levels)
    return [counts[level] for level in range(top + 1)]


def page_facts(page: Page, leaf: Leaf) -> PageFacts:
    values = page.values
    n_nan = sum(map(math.isnan, values)) if leaf.kind == "float" else 0
    bounded = bool(values) and n_nan == 0 and leaf.has_bounds
    return PageFacts(
        offset=page.offset,
        compressed_bytes=page.compressed_bytes,
        n_values=page.num_values,
        n_rows=page.n_rows,
        n_nulls=page.n_nulls,
        n_nan=n_nan,
        real_min=min(values) if bounded else None,
        real_max=max(values) if bounded else None,
        byte_array_bytes=sum(map(len, values)) if leaf.is_byte_array else 0,
        def_histogram=_histogram(page.def_levels, leaf.max_def),
        rep_histogram=_histogram(page.rep_levels, leaf.max_rep),
    )


def chunk_facts(pages: list[PageFacts]) -> PageFacts:
    n_nan = sum(p.n_nan for p in pages)
    bounded = [p for p in pages if p.real_min is not None and n_nan == 0]
    return PageFacts(
        offset=pages[0].offset,
        compressed_bytes=sum(p.compressed_bytes for p in pages),
        n_values=sum(p.n_values for p in pages),
        n_rows=sum(p.n_rows for p in pages),
        n_nulls=sum(p.n_nulls for p in pages),
        n_nan=n_nan,
        real_min=min((p.real_min for p in bounded), default=None),
        real_max=max((p.real_max for p in bounded), default=None),
        byte_array_bytes=sum(p.byte_array_bytes for p in pages),
        def_histogram=[sum(n) for n in zip(*(p.def_histogram for p in pages))],
        rep_histogram=[sum(n) for n in zip(*(p.rep_histogram for p in pages))],
    )


def _parse_bound(leaf: Leaf, raw: bytes) -> Any:
    if leaf.kind in ("string", "binary"):
        fits = len(raw) <= MAX_BOUND_BYTES if leaf.is_byte_array else len(raw) == leaf.type_length
        require(fits, f"a bound of {len(raw)} bytes")
        if leaf.kind == "string":
            with at():
                raw.decode("utf-8")
        return raw
    if leaf.physical == Type.BOOLEAN:
        require(raw in (b"\0", b"\1"), f"a boolean bound of {raw!r}")
        return raw == b"\1"
    values, end = decode_plain(raw, 0, len(raw), leaf.physical, leaf.type_length, 1)
    require(end == len(raw), f"a bound of {len(raw)} bytes")
    return leaf.ordered(values)[0]


def _check_bound(leaf: Leaf, side: str, raw: bytes, real: Any, claimed_exact: bool | None, may_be_inexact: bool) -> Any:
    """A bound is the real one, or of a value beyond 64 bytes a cut one on the right side; returns the parsed bound.

    `claimed_exact` None: the place has no flag. `may_be_inexact`: a longer value stood in the way of the exact bound.
    """
    with at():
        bound = _parse_bound(leaf, raw)
    if leaf.kind == "float" and bound == 0:
        sign = math.copysign(1, bound)
        require(sign == (-1 if side == "min" else 1), f"{side} is a zero of the wrong sign")
    if side == "min":
        require(bound <= real, f"min {bound!r} is above the least value {real!r}")
    else:
        require(bound >= real, f"max {bound!r} is below the greatest value {real!r}")
    if claimed_exact:
        require(bound == real, f"{side} {bound!r} is called exact, real is {real!r}")
    cut = leaf.kind in ("string", "binary") and (may_be_inexact or len(real) > MAX_BOUND_BYTES)
    if claimed_exact is False:
        require(cut, f"{side} {bound!r} is called inexact without need")
    if bound != real:
        require(cut, f"{side} {bound!r} is not the real one, {real!r}")
        if side == "min":
            require(real.startswith(bound) and len(bound) >= _MIN_PREFIX_BYTES, f"min {bound!r} is not a prefix of 64 bytes")
        else:
            head = bound.decode("utf-8")[:-1].encode() if leaf.kind == "string" else bound[:-1]
            require(real.startswith(head), f"max {bound!r} is not a rounded-up prefix")
    return bound


def max_is_expressible(leaf: Leaf, real: Any) -> bool:
    """Whether a writer has to be able to round the greatest value's prefix up: some place of it has a next of equal length."""
    if leaf.kind not in ("string", "binary") or len(real) <= MAX_BOUND_BYTES:
        return True
    prefix = real[:MAX_BOUND_BYTES]
    if leaf.kind == "binary":
        return any(b != 0xFF for b in prefix)
    for char in prefix.decode("utf-8", "ignore"):
        code = ord(char) + 1
        if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF and len(chr(code).encode()) == len(char.encode()):
            return True
    return False


def check_statistics(leaf: Leaf, stats: Struct | None, facts: PageFacts, pages: list[PageFacts]) -> None:
    """Statistics of a chunk (or of a page header) against what its pages really hold."""
    require(stats is not None, "Statistics are missing")
    assert stats is not None
    require(stats.min is None and stats.max is None, "the deprecated min or max is set")
    require(stats.distinct_count is None, "distinct_count is set")
    require(stats.null_count is not None, "null_count is missing")
    require(stats.null_count == facts.n_nulls, f"null_count {stats.null_count}, real is {facts.n_nulls}")
    if leaf.kind == "float":
        require(stats.nan_count is not None, "nan_count is missing")
        require(stats.nan_count == facts.n_nan, f"nan_count {stats.nan_count}, real is {facts.n_nan}")
    else:
        require(stats.nan_count is None, "nan_count in a column that is not float")
    for side, real in (("min", facts.real_min), ("max", facts.real_max)):
        raw = getattr(stats, f"{side}_value")
        exact = getattr(stats, f"is_{side}_value_exact")
        require((raw is None) == (exact is None), f"{side}_value and is_{side}_value_exact stand together")
        if real is None:
            why = "a NaN" if facts.n_nan else "no value" if leaf.has_bounds else f"values of {leaf.type_length} bytes"
            require(raw is None, f"{side}_value in a chunk with {why}")
        elif raw is None:
            require(not max_is_expressible(leaf, facts.real_max), f"{side}_value is missing")
        else:
            name = "real_" + side
            others = leaf.kind in ("string", "binary") and any(
                p.real_min is not None and len(getattr(p, name)) > MAX_BOUND_BYTES for p in pages
            )
            _check_bound(leaf, side, raw, real, exact, others)


def check_size_statistics(leaf: Leaf, sizes: Struct | None, facts: PageFacts) -> None:
    if sizes is None:
        require(not leaf.is_byte_array and not leaf.max_def, "SizeStatistics are missing")
        return
    n_bytes = sizes.unencoded_byte_array_data_bytes
    if leaf.is_byte_array:
        require(n_bytes == facts.byte_array_bytes, f"unencoded_byte_array_data_bytes {n_bytes}, real is {facts.byte_array_bytes}")
    else:
        require(n_bytes is None, "unencoded_byte_array_data_bytes in a column without byte arrays")
    for word, top, real in (("repetition", leaf.max_rep, facts.rep_histogram), ("definition", leaf.max_def, facts.def_histogram)):
        given = getattr(sizes, f"{word}_level_histogram")
        if top:
            require(given == real, f"{word}_level_histogram {given}, real is {real}")
        else:
            require(given is None, f"{word}_level_histogram in a column without such levels")


def _ascending(bounds: list[tuple[Any, Any]]) -> bool:
    return all(a[0] <= b[0] and a[1] <= b[1] for a, b in zip(bounds, bounds[1:]))


def _check_boundary_order(order: int, bounds: list[tuple[Any, Any]]) -> None:
    ascending, descending = _ascending(bounds), _ascending(bounds[::-1])
    if order == BoundaryOrder.ASCENDING:
        require(ascending, "boundary_order ASCENDING is not true")
    elif order == BoundaryOrder.DESCENDING:
        require(descending, "boundary_order DESCENDING is not true")
    elif bounds:
        require(not ascending and not descending, "boundary_order UNORDERED of ordered bounds")


def check_column_index(leaf: Leaf, index: Struct | None, pages: list[PageFacts]) -> None:
    if index is None:
        hidden = not leaf.has_bounds and not all(p.all_null for p in pages)
        dropped = hidden or any(p.n_nan or (p.real_max is not None and not max_is_expressible(leaf, p.real_max)) for p in pages)
        require(dropped, "ColumnIndex is missing")
        return
    require(not any(p.n_nan for p in pages), "ColumnIndex of a chunk with a NaN")
    require(leaf.has_bounds or all(p.all_null for p in pages), f"ColumnIndex of values of {leaf.type_length} bytes")
    for name in ("null_pages", "min_values", "max_values"):
        got = len(getattr(index, name))
        require(got == len(pages), f"ColumnIndex.{name} has {got} entries for {len(pages)} pages")
    bounds = []
    for number, (page, null, low, high) in enumerate(zip(pages, index.null_pages, index.min_values, index.max_values)):
        with at(page=number):
            require(null == page.all_null, f"null_pages {null}, the page is {'' if page.all_null else 'not '}all null")
            if null:
                require(low == b"" == high, "ColumnIndex has a bound of a null page")
            else:
                bounds.append(
                    (
                        _check_bound(leaf, "min", low, page.real_min, None, False),
                        _check_bound(leaf, "max", high, page.real_max, None, False),
                    )
                )
    _check_boundary_order(index.boundary_order, bounds)
    n_nulls = [p.n_nulls for p in pages]
    require(index.null_counts == n_nulls, f"ColumnIndex.null_counts {index.null_counts}, real is {n_nulls}")
    if leaf.kind == "float":
        require(index.nan_counts == [0] * len(pages), f"ColumnIndex.nan_counts {index.nan_counts}")
    else:
        require(index.nan_counts is None, "ColumnIndex.nan_counts in a column that is not float")
    for word, top in (("repetition", leaf.max_rep), ("definition", leaf.max_def)):
        given = getattr(index, f"{word}_level_histograms")
        real = [n for p in pages for n in getattr(p, f"{word[:3]}_histogram")] if top else None
        require(given == real, f"ColumnIndex.{word}_level_histograms {given}, real is {real}")


def check_offset_index(leaf: Leaf, index: Struct, pages: list[PageFacts]) -> None:
    n_locations = len(index.page_locations)
    require(n_locations == len(pages), f"OffsetIndex has {n_locations} locations for {len(pages)} pages")
    row = 0
    for number, (location, page) in enumerate(zip(index.page_locations, pages)):
        with at(page=number, offset=page.offset):
            require(location.offset == page.offset, f"PageLocation.offset {location.offset}")
            size = location.compressed_page_size
            require(size == page.compressed_bytes, f"PageLocation.compressed_page_size {size}, real is {page.compressed_bytes}")
            require(location.first_row_index == row, f"first_row_index {location.first_row_index}, real is {row}")
        row += page.n_rows
    real = [p.byte_array_bytes for p in pages] if leaf.is_byte_array else None
    given = index.unencoded_byte_array_data_bytes
    require(given == real, f"OffsetIndex.unencoded_byte_array_data_bytes {given}, real is {real}")
