"""``MemoryBudget``: one hard limit for several writers, and the shares they take of it.

The accounting is the core's; this module gives it the sizes people write and a readable face.
"""

from __future__ import annotations

from typing import NamedTuple

from ccpq import _core
from ccpq._sizes import format_bytes, parse_size

__all__ = ["MemoryBudget", "MemoryShare", "resolve_memory"]

DEFAULT_SHARE = 64 << 20


class MemoryBudget:
    """A limit in bytes that several writers hold together: ``MemoryBudget("256MiB")``.

    Give it, or a share of it, as ``memory_limit``. A writer reserves its share when it is opened (BudgetError if the
    rest does not suffice) and gives it back when it ends. Without ``share`` a writer takes 64 MiB, or all if that is less.
    """

    __slots__ = ("_core",)

    def __init__(self, limit: int | str):
        self._core = _core.MemoryBudget(parse_size(limit, "limit"))

    @property
    def limit(self) -> int:
        """Bytes that all writers may use together."""
        return self._core.limit

    @property
    def used(self) -> int:
        """Bytes in use or reserved now."""
        return self._core.used

    @property
    def peak(self) -> int:
        """The most that was ever in use or reserved."""
        return self._core.peak

    def share(self, size: int | str) -> MemoryShare:
        """The part of this budget that one writer plans for. ValueError if it is more than the whole."""
        n = parse_size(size, "share")
        if n > self.limit:
            raise ValueError(f"a share of {format_bytes(n)} of a budget of {format_bytes(self.limit)}")
        return MemoryShare(self, n)

    def __reduce__(self):
        raise TypeError("a MemoryBudget cannot be pickled: it belongs to its process")

    def __repr__(self) -> str:
        return f"<ccpq.MemoryBudget {format_bytes(self.used)} of {format_bytes(self.limit)} in use>"


class MemoryShare(NamedTuple):
    """A part of a MemoryBudget, for ``memory_limit``."""

    budget: MemoryBudget
    size: int


def resolve_memory(memory_limit: object) -> tuple[int, _core.MemoryBudget | None]:
    """Bytes a writer plans for, and the core's budget they are taken from (None: a limit of its own)."""
    if isinstance(memory_limit, MemoryBudget):
        return min(memory_limit.limit, DEFAULT_SHARE), memory_limit._core
    if isinstance(memory_limit, MemoryShare):
        return memory_limit.size, memory_limit.budget._core
    return parse_size(memory_limit, "memory_limit"), None
