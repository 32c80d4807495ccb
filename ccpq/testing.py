"""Helpers for tests of programs that use ccpq, for anybody's test suite.

``peak_memory()`` measures what a block of code adds to the memory of the process and what the core's writers used of
their limits, so that "this job fits in 64 MiB" can be an assertion.
"""

from __future__ import annotations

import functools
import os
import resource
import threading
from collections.abc import Callable

from ccpq._writer import Writer

__all__ = ["PeakMemory", "peak_memory"]

_PAGE = os.sysconf("SC_PAGE_SIZE")

# Blocks that are open now. The constructor of Writer is wrapped while there is one, and only then.
_watching: list[PeakMemory] = []
_lock = threading.Lock()
_init: Callable = Writer.__init__


@functools.wraps(_init)
def _watched_init(self, *args, **kwargs):
    _init(self, *args, **kwargs)
    for block in list(_watching):
        block._opened(self._core)


def _status(key: str) -> int | None:
    """Bytes of a kB line of /proc/self/status; None where there is no such line."""
    with open("/proc/self/status", "rb") as f:
        for line in f:
            if line.startswith(key.encode("ascii") + b":"):
                return int(line.split()[1]) * 1024
    return None


def _rss() -> int:
    with open("/proc/self/statm", "rb") as f:
        return int(f.read().split()[1]) * _PAGE


class PeakMemory:
    """Made by ``peak_memory()``. The figures are live inside the block and fixed behind it.

    ``rss_growth``: bytes by which the peak resident size inside the block exceeds the resident size at its beginning.
    The kernel's count may lag by some hundred KiB. ``core_peak``: the largest peak, in bytes, of the core memory of the
    writers that were opened inside the block; 0 if there were none. ``exact``: the kernel's high-water mark could be reset
    at the beginning; where it could not (/proc/self/clear_refs is not writable), growth that stays below an earlier peak
    of the process is not seen.
    """

    def __init__(self) -> None:
        self.exact = False
        self._start: int | None = None
        self._growth: int | None = None
        self._cores: list = []
        self._core_peak = 0

    def __enter__(self) -> PeakMemory:
        if self._start is not None:
            raise RuntimeError("a peak_memory() block is entered once")
        with _lock:
            _watching.append(self)
            Writer.__init__ = _watched_init  # type: ignore[method-assign]
        try:
            with open("/proc/self/clear_refs", "wb", buffering=0) as f:
                f.write(b"5")  # the high-water mark becomes the size of now
            self.exact = _status("VmHWM") is not None
        except OSError:
            self.exact = False
        self._start = _rss()
        return self

    def __exit__(self, *exc: object) -> None:
        self._growth = self.rss_growth
        self._core_peak = self.core_peak
        self._cores.clear()
        with _lock:
            _watching.remove(self)
            if not _watching:
                Writer.__init__ = _init  # type: ignore[method-assign]

    def _opened(self, core) -> None:
        # Writers that have ended give their figure and are let go: a block may open any number of them.
        self._core_peak = self.core_peak
        self._cores = [c for c in self._cores if not c.info()["closed"]]
        self._cores.append(core)

    @property
    def rss_growth(self) -> int:
        if self._growth is not None:
            return self._growth
        if self._start is None:
            raise RuntimeError("the peak_memory() block was not entered")
        peak = _status("VmHWM") if self.exact else None
        if peak is None:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return max(0, peak - self._start)

    @property
    def core_peak(self) -> int:
        return max([self._core_peak, *(c.info()["memory_peak"] for c in self._cores)])

    def __repr__(self) -> str:
        if self._start is None:
            return "<ccpq.testing.PeakMemory not entered>"
        return f"<ccpq.testing.PeakMemory rss_growth={self.rss_growth:,} core_peak={self.core_peak:,}>"


def peak_memory() -> PeakMemory:
    """A context manager: ``with peak_memory() as m: ...`` then ``m.rss_growth`` and ``m.core_peak``."""
    return PeakMemory()
