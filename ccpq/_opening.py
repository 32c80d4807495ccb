"""A writer before its schema is known: checked options and an open target, from which the core's writer is made.

Everything that can be refused without a schema is refused when the ``Writer`` is made; a target that is taken is one of
those things.
"""

from __future__ import annotations

import os

from ccpq import _core
from ccpq._options import Options, core_arguments
from ccpq._publish import Target, check_name, open_target, spill_dir_for
from ccpq._schema import Schema

__all__ = ["Opening"]


class Opening:
    """``name`` is what errors call the file, ``path`` is None for files and sinks."""

    __slots__ = ("_durability", "_mkdir", "_overwrite", "_spill_dir", "_target", "name", "options", "path")

    def __init__(self, target: object, options: Options, *, overwrite: bool, mkdir: bool, durability: str, spill_dir: object):
        if target is None:
            raise TypeError("the target must be a path, a binary file or a sink, not None")
        self.path = os.fsdecode(os.fspath(target)) if isinstance(target, (str, bytes, os.PathLike)) else None
        if self.path is not None:
            check_name(self.path)
        self.name = self.path if self.path is not None else _name_of(target)
        self.options = options
        self._target = target
        self._overwrite, self._mkdir, self._durability = overwrite, mkdir, durability
        self._spill_dir = _spill_dir(self.path, spill_dir, mkdir)

    def check_sink(self) -> None:
        """What is wrong with a file or sink, before the core takes it."""
        if self.path is None:
            _core.check_sink(self._target)

    def open_target(self) -> Target | None:
        if self.path is None:
            return None
        return open_target(self.path, overwrite=self._overwrite, mkdir=self._mkdir, durability=self._durability)

    def make_core(self, schema: Schema) -> _core.Writer:
        """The core's writer; one for a path gets its file by ``attach_fd``."""
        sink = self._target if self.path is None else None
        return _core.Writer(sink=sink, name=self.name, spill_dir=self._spill_dir, **core_arguments(self.options, schema))

    def abort_sink(self) -> None:
        """Tells a sink that never got a core; files are left as they are."""
        if self.path is None and callable(getattr(self._target, "finish", None)):
            self._target.abort()  # type: ignore[attr-defined]


def _name_of(target: object) -> str:
    name = getattr(target, "name", None)
    if isinstance(name, (str, bytes)) and name:
        return os.fsdecode(name)
    return f"<{type(target).__name__}>"


def _existing(path: str) -> str:
    """The nearest directory above `path` that exists."""
    directory = os.path.dirname(os.path.abspath(path))
    while not os.path.isdir(directory):
        directory = os.path.dirname(directory)
    return directory


def _spill_dir(path: str | None, override: object, mkdir: bool) -> str:
    if path is None or override is not None or not mkdir or os.path.isdir(os.path.dirname(path) or "."):
        try:
            return spill_dir_for(path, override)
        except FileNotFoundError:
            if override is not None:
                raise
            return "/var/tmp"  # the target's directory does not exist: open_target says so
    parent = _existing(path)
    chosen = spill_dir_for(os.path.join(parent, "x"), None)
    return os.path.dirname(path) if chosen == parent else chosen
