"""Reading one ClusterCockpit checkpoint: a ``.json`` file or a binary ``.bin`` snapshot.

    import ccpq.checkpoint

    with ccpq.checkpoint.open("checkpoints/fritz/f0201/1700000000.bin") as c:
        for s in c.series(scope="node"):
            plt.plot(s.timestamps, s.values)

Opening validates the whole file and lists its series in the memory limit; values are read when they are asked for.
Archiving many files is ``ccpq.archive_checkpoints``, which never makes Python objects of values.
"""

from __future__ import annotations

import errno
import heapq
import itertools
import operator
import os
from collections.abc import Iterator, Mapping

from ccpq import _core
from ccpq._budget import MemoryBudget, MemoryShare, resolve_memory
from ccpq._errors import FormatError, UnsupportedError
from ccpq._publish import spill_dir_for

__all__ = ["Checkpoint", "Series", "open"]

Series = _core.Series


class Checkpoint:
    """An open checkpoint; made by ``ccpq.checkpoint.open``, closed by ``close`` or at the end of a ``with`` block.

    Attributes
    ----------
    kind : str
        ``"json"`` or ``"bin"``.
    start, end : int or None
        The file's ``from`` and ``to`` in unix seconds; None where a JSON file has none.
    report : dict
        ``size``, ``mtime_ns``, ``xxh64`` (16 hexadecimal digits) of the file; its number of ``series`` and ``values``
        (missing samples included); ``trailing_bytes`` behind the tree, which were ignored; ``memory_peak`` and
        ``memory_limit``.
    """

    __slots__ = ("_core", "_path")

    def __init__(self, core: _core.Checkpoint, path: str):
        self._core = core
        self._path = path

    @property
    def kind(self) -> str:
        return self._core.kind

    @property
    def start(self) -> int | None:
        return self._core.start

    @property
    def end(self) -> int | None:
        return self._core.end

    @property
    def report(self) -> dict:
        return self._core.report

    @property
    def closed(self) -> bool:
        return self._core.closed

    def series(self, metric: str | None = None, scope: str | None = None) -> Iterator[Series]:
        """The series, sorted by metric, scope, scope id and path; only those of ``metric`` and of ``scope`` if given.

        A series has ``path`` (names of the nodes below the host), ``metric``, ``scope``, ``scope_id``, ``start``,
        ``frequency``, ``len()``, ``timestamps`` (a range of unix seconds) and ``values``: a read-only buffer of float32
        with NaN for "no sample", which numpy takes without a copy. Values count against the memory limit for as long as
        they are held (BudgetError beyond it) and stay usable after ``close``.
        """
        return self._core.series(metric=metric, scope=scope)

    def rows(self, cluster: str, hostname: str) -> Iterator[tuple[str, str, str, str, str, int, int, float]]:
        """Tuples (cluster, hostname, metric, scope, scope_id, timestamp, frequency, value), as an archive has them.

        Sorted by metric, scope, scope id, timestamp and path. Missing samples give no row.
        """
        key = operator.attrgetter("metric", "scope", "scope_id")
        for (metric, scope, scope_id), group in itertools.groupby(self.series(), key):
            head = (cluster, hostname, metric, scope, scope_id)
            # Paths that share a scope and id are few, but for them times have to be merged.
            parts = [_samples(s) for s in group]
            for timestamp, frequency, value in parts[0] if len(parts) == 1 else heapq.merge(*parts, key=operator.itemgetter(0)):
                yield (*head, timestamp, frequency, value)

    def close(self) -> None:
        """Gives the memory back; a second call does nothing."""
        self._core.close()

    def __enter__(self) -> Checkpoint:
        if self.closed:
            raise RuntimeError("the checkpoint is closed")
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        r = self.report
        state = "closed" if self.closed else "open"
        return f"<ccpq.Checkpoint {os.path.basename(self._path)!r} {state}: {r['series']:,} series, {r['values']:,} values>"


def _samples(s: Series) -> Iterator[tuple[int, int, float]]:
    frequency = s.frequency
    for timestamp, value in zip(s.timestamps, s.values):
        if value == value:
            yield timestamp, frequency, value


def open(
    path: str | os.PathLike,
    frequencies: Mapping[str, int] | None = None,
    on_corrupt: str = "error",
    *,
    memory_limit: int | str | MemoryBudget | MemoryShare = "64MiB",
    spill_dir: str | os.PathLike | None = None,
) -> Checkpoint:
    """Opens a checkpoint and validates every byte of it.

    Parameters
    ----------
    path
        A ``.json`` or ``.bin`` file; with any other ending the first bytes decide.
    frequencies, on_corrupt
        For write-ahead logs, whose records hold no frequency and whose end may be torn: metric -> seconds, and what to do
        about damaged records. Other files need neither: a damaged one is always an error.
    memory_limit
        For the index and the values that are held, at least 2 MiB.
    spill_dir
        Where an index too large for that goes; default /var/tmp.

    Raises
    ------
    FormatError
        The file is damaged; ``.file``, ``.offset`` (bytes) say where.
    UnsupportedError
        A write-ahead log (``current.wal``).
    OSError, BudgetError
        IsADirectoryError for a directory.
    """
    if frequencies is not None and not isinstance(frequencies, Mapping):
        raise TypeError(f"frequencies: a mapping of metric to seconds, not {type(frequencies).__name__}")
    if not isinstance(on_corrupt, str):
        raise TypeError(f"on_corrupt must be a str, not {type(on_corrupt).__name__}")
    if on_corrupt != "error":
        raise UnsupportedError(f"on_corrupt={on_corrupt!r} is for write-ahead logs, which are not implemented; 'error' is")
    limit, budget = resolve_memory(memory_limit)
    name = os.fsdecode(os.fspath(path))
    if os.path.isdir(name):
        raise IsADirectoryError(errno.EISDIR, "is a directory; a checkpoint is one of its files", name)
    try:
        core = _core.Checkpoint(name, limit, spill_dir_for(None, spill_dir), budget)
    except FormatError as e:
        where = "" if e.offset is None else f" at byte {e.offset}"
        raise FormatError(f"{name}{where}: {e}", file=name, offset=e.offset) from None
    return Checkpoint(core, name)
