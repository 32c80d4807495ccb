"""What a writer tells about itself: ``Report`` (the finished file), ``Plan`` (how the memory limit is divided), ``Memory``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import NamedTuple

from ccpq._sizes import format_bytes, format_count, format_duration, shortened

__all__ = ["ColumnReport", "Memory", "Plan", "Report"]

_NAME_WIDTH = 30


def of_limit(used: int, limit: int) -> str:
    """``14.9 of 32 MiB``: both in the limit's unit where that is readable."""
    used_text, limit_text = format_bytes(used), format_bytes(limit)
    if used_text.split()[-1] == limit_text.split()[-1]:
        used_text = used_text.split()[0]
    return f"{used_text} of {limit_text}"


def count_of(n: int, what: str) -> str:
    """``1 row``, ``1,204 rows``."""
    return f"{format_count(n)} {what}{'' if n == 1 else 's'}"


class Memory(NamedTuple):
    """Bytes: in use now, the most ever, the limit, and bytes ever written to temporary files."""

    used: int
    peak: int
    limit: int
    spilled: int

    def __str__(self) -> str:
        return f"{of_limit(self.used, self.limit)}, peak {format_bytes(self.peak)}, spilled {format_bytes(self.spilled)}"


@dataclass(frozen=True)
class ColumnReport:
    """One column of a file. ``pages`` counts data pages by encoding: plain, dictionary, delta, byte_stream_split."""

    name: str
    type: str
    values: int
    nulls: int
    compressed_bytes: int
    uncompressed_bytes: int
    pages: dict[str, int]

    @property
    def encodings(self) -> str:
        """``dictionary``, or ``dictionary 12, plain 3`` where pages differ."""
        used = {name: n for name, n in self.pages.items() if n}
        if len(used) == 1:
            return next(iter(used))
        return ", ".join(f"{name} {n}" for name, n in used.items()) or "-"


@dataclass(frozen=True, repr=False)
class Report:
    """A finished file. ``print(report)`` gives a line and a table of the columns, of many the
    first and the last; ``to_dict()`` everything.

    ``bytes``, ``peak_memory``, ``memory_limit``, ``spilled_bytes`` and ``footer_bytes`` are bytes, ``seconds`` is the
    time from open to close. ``skipped_rows`` were let go by ``on_error``.
    """

    name: str
    rows: int
    row_groups: int
    bytes: int
    seconds: float
    peak_memory: int
    memory_limit: int
    spilled_bytes: int
    footer_bytes: int
    skipped_rows: int
    columns: tuple[ColumnReport, ...]

    @classmethod
    def _of(cls, name: str, seconds: float, figures: dict) -> Report:
        columns = tuple(
            ColumnReport(
                c["name"], c["type"], c["values"], c["nulls"], c["compressed_bytes"], c["uncompressed_bytes"],
                {"plain": c["pages_plain"], "dictionary": c["pages_dict"], "delta": c["pages_delta"],
                 "byte_stream_split": c["pages_split"]},
            )
            for c in figures["columns"]
        )  # fmt: skip
        return cls(name, figures["rows"], figures["row_groups"], figures["bytes_written"], seconds,
                   figures["memory_peak"], figures["memory_limit"], figures["spilled_bytes"], figures["footer_bytes"],
                   figures["skipped_rows"], columns)  # fmt: skip

    def to_dict(self) -> dict:
        """Plain dicts, lists and numbers, ready for JSON."""
        d = asdict(self)
        d["columns"] = list(d["columns"])
        return d

    def summary(self) -> str:
        """The one line."""
        per_row = f" ({self.bytes / self.rows:.2f} B/row)" if self.rows else ""
        skipped = f", {count_of(self.skipped_rows, 'row')} skipped" if self.skipped_rows else ""
        spilled = format_bytes(self.spilled_bytes) if self.spilled_bytes else "0"
        return (
            f"{self.name}: {count_of(self.rows, 'row')}, {count_of(self.row_groups, 'group')}, "
            f"{format_bytes(self.bytes)}{per_row} in {format_duration(self.seconds)}, "
            f"peak {of_limit(self.peak_memory, self.memory_limit)}, spilled {spilled}{skipped}"
        )

    def __str__(self) -> str:
        rows = [("column", "type", "bytes", "share", "encodings")]
        for c in self.columns:
            name = c.name if c.name.isprintable() else repr(c.name)
            name = name if len(name) <= _NAME_WIDTH else name[:14] + "..." + name[17 - _NAME_WIDTH :]
            share = f"{100 * c.compressed_bytes / self.bytes:.1f} %" if self.bytes else "-"
            rows.append((name, c.type, format_bytes(c.compressed_bytes), share, c.encodings))
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = [
            f"  {row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}  {row[4]}"
            for row in rows
        ]
        return "\n".join([self.summary(), lines[0], *shortened(lines[1:])])

    def __repr__(self) -> str:
        return f"<ccpq.Report {self.summary()}>"


class Plan(Mapping):
    """How a writer divides its memory limit: name -> bytes (``page_rows``: rows). Fixed when the writer is opened.

    ``max_value_bytes`` and ``max_row_bytes`` are the largest value and row that fit; larger ones are errors of their row.
    Both are 0 where no column is a string or binary.
    """

    __slots__ = ("_figures",)

    def __init__(self, figures: dict[str, int]):
        self._figures = figures

    def __getitem__(self, name: str) -> int:
        return self._figures[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)

    def __repr__(self) -> str:
        f = self._figures
        # Columns of numbers only have no such bound: the figure is 0.
        values = f", values up to {format_bytes(f['max_value_bytes'])}" if f["max_value_bytes"] else ""
        return (
            f"<ccpq.Plan {format_bytes(f['fixed_bytes'])} of {format_bytes(f['memory_limit'])} planned: pages of "
            f"{format_count(f['page_rows'])} rows or {format_bytes(f['page_bytes'])}{values}>"
        )

    def __str__(self) -> str:
        width = max(map(len, self._figures))
        return "\n".join(
            f"{name:<{width}}  {format_count(n) if name == 'page_rows' else format_bytes(n):>10}"
            for name, n in self._figures.items()
        )
