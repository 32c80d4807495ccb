"""What an archive job did: ``ArchiveReport``, its errors and the archives it published.

Errors are bounded in memory, since a broken tree can have as many as it has files: the first ones are kept, all are
counted, and each goes to the log when it happens.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from ccpq._errors import Error
from ccpq._report import count_of, of_limit
from ccpq._sizes import format_bytes, format_count, format_duration

__all__ = ["ArchiveError", "ArchiveReport", "Published", "SourceError"]

log = logging.getLogger("ccpq.archive")

KEPT_ERRORS = 1_000


def not_archived(n: int) -> str:
    """``1 input was not archived``, ``30 inputs were not archived``."""
    return f"{count_of(n, 'input')} {'was' if n == 1 else 'were'} not archived"


class SourceError(NamedTuple):
    """An input that was not archived. ``file`` is relative to the tree: a file, a host, or a whole cluster."""

    file: str
    offset: int | None
    reason: str

    def __str__(self) -> str:
        at = "" if self.offset is None else f" at byte {self.offset}"
        return f"{self.file}{at}: {self.reason}"


class Published(NamedTuple):
    """An archive that was published."""

    cluster: str
    path: str
    rows: int
    hosts: int
    files: int
    bytes: int


class ArchiveError(Error):
    """Some inputs were not archived; ``report`` has the details."""

    __module__ = "ccpq"

    def __init__(self, message: str, report: ArchiveReport):
        super().__init__(message)
        self.report = report

    def __reduce__(self):
        return ArchiveError, (self.args[0], self.report)


class Tally:
    """Counts of one cluster, kept apart until the cluster is done: an attempt that is given up counts nothing."""

    def __init__(self) -> None:
        self.files = self.skipped = self.shadowed = self.hosts = self.rows = self.bytes = self.input_bytes = 0
        self.errors: list[SourceError] = []
        self.error_count = 0

    def error(self, file: str, reason: str, offset: int | None = None) -> None:
        found = SourceError(file, offset, reason)
        log.warning("not archived: %s", found)
        self.error_count += 1
        if len(self.errors) < KEPT_ERRORS:
            self.errors.append(found)

    def add(self, other: Tally) -> None:
        for name in ("files", "skipped", "shadowed", "hosts", "rows", "bytes", "input_bytes", "error_count"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.errors += other.errors[: KEPT_ERRORS - len(self.errors)]


class ArchiveReport(Tally):
    """What ``archive_checkpoints`` did.

    ``files``: checkpoints that are in the archives now; ``skipped``: due, but listed by an earlier archive;
    ``shadowed``: ``.json`` beside a ``.bin`` of the same number; ``hosts``: hosts with rows; ``bytes``: of the archives;
    ``input_bytes``: of the files; ``errors``: the first 1,000 ``SourceError``, ``error_count``: all of them;
    ``archives``: one ``Published`` per archive; ``peak_memory``: the most bytes of the memory limit that were in use by
    the writer, and all that is set aside for reading.
    """

    def __init__(self, cutoff: int, memory_limit: int) -> None:
        super().__init__()
        self.cutoff = cutoff
        self.memory_limit = memory_limit
        self.archives: list[Published] = []
        self.seconds = 0.0
        self.peak_memory = 0

    @property
    def ok(self) -> bool:
        """Everything that was due is in an archive."""
        return self.error_count == 0

    def raise_for_errors(self) -> None:
        """ArchiveError that names the first inputs which were not archived, if there are any."""
        if self.ok:
            return
        shown = "\n".join(f"  {e}" for e in self.errors[:10])
        more = self.error_count - min(10, len(self.errors))
        tail = f"\n  and {format_count(more)} more" if more else ""
        raise ArchiveError(f"{not_archived(self.error_count)}:\n{shown}{tail}", self)

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "ok": self.ok,
            "cutoff": self.cutoff,
            "archives": [a._asdict() for a in self.archives],
            "hosts": self.hosts,
            "files": self.files,
            "skipped": self.skipped,
            "shadowed": self.shadowed,
            "rows": self.rows,
            "bytes": self.bytes,
            "input_bytes": self.input_bytes,
            "seconds": round(self.seconds, 3),
            "peak_memory": self.peak_memory,
            "memory_limit": self.memory_limit,
            "error_count": self.error_count,
            "errors": [e._asdict() for e in self.errors],
        }

    def __repr__(self) -> str:
        state = "ok" if self.ok else count_of(self.error_count, "error")
        return (f"<ccpq.ArchiveReport {state}: {count_of(self.rows, 'row')} of {count_of(self.files, 'file')}, "
                f"{count_of(len(self.archives), 'archive')}, {format_bytes(self.bytes)}>")

    def __str__(self) -> str:
        return "\n".join([self.summary(), *self.table()])

    def summary(self) -> str:
        """One line; at most 80 columns where numbers are of usual size."""
        errors = f", {count_of(self.error_count, 'error')}" if self.error_count else ""
        if not self.archives:
            known = f", {count_of(self.skipped, 'file')} archived before" if self.skipped else ""
            return f"nothing to archive up to {self.cutoff}{known}{errors}"
        per_row = f" ({self.bytes / self.rows:.2f} B/row)" if self.rows else ""
        return (f"{count_of(self.rows, 'row')}, {format_bytes(self.bytes)}{per_row} in {format_duration(self.seconds)}, "
                f"peak {of_limit(self.peak_memory, self.memory_limit)}{errors}")

    def table(self) -> list[str]:
        """Lines of a table, one row per archive; none without archives."""
        if not self.archives:
            return []
        lines = [f"{'cluster':<16} {'hosts':>7} {'files':>8} {'rows':>15} {'size':>9} {'B/row':>6}"]
        for a in self.archives:
            name = a.cluster if len(a.cluster) <= 16 else a.cluster[:15] + "~"
            per_row = f"{a.bytes / a.rows:.2f}" if a.rows else "-"
            lines.append(f"{name:<16} {a.hosts:>7,} {a.files:>8,} {a.rows:>15,} {format_bytes(a.bytes):>9} {per_row:>6}")
        return lines
