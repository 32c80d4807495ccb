"""The one error of the oracle and the place it names.

Only the exception, the `at` block that adds a place on the way up, and `require`. No Parquet knowledge.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

_PLACES = ("row_group", "column", "page", "offset")


class ModelError(ValueError):
    """A file breaks a rule; `row_group`, `column`, `page` and `offset` (of the file) say where, as far as known."""

    def __init__(self, message: str, **place: object) -> None:
        super().__init__(message)
        self.message = message
        self.row_group: object = None
        self.column: object = None
        self.page: object = None
        self.offset: object = None
        self.fill(place)

    def fill(self, place: dict[str, object]) -> None:
        """Add what is known further up; the deepest frame's word stays."""
        for name, value in place.items():
            if name not in _PLACES:
                raise TypeError(f"not a place: {name}")
            if value is not None and getattr(self, name) is None:
                setattr(self, name, value)

    def __str__(self) -> str:
        words = []
        if self.row_group is not None:
            words.append(f"row group {self.row_group}")
        if self.column is not None:
            words.append(f"column {self.column!r}")
        if self.page is not None:
            words.append("dictionary page" if self.page == "dictionary" else f"page {self.page}")
        if self.offset is not None:
            words.append(f"file offset {self.offset}")
        return ", ".join(words) + (": " if words else "") + self.message


class UnsupportedError(ModelError):
    """The file may be right, but uses a part of the format that the oracle does not read."""


@contextmanager
def at(**place: object) -> Iterator[None]:
    """Fill the place of every ModelError that passes; a slip over the end of a buffer becomes a ModelError too."""
    try:
        yield
    except ModelError as error:
        error.fill(place)
        raise
    except (struct.error, IndexError, zlib.error, UnicodeDecodeError) as error:
        raise ModelError(f"cannot be decoded: {error}", **place) from error


def require(condition: object, message: str, **place: object) -> None:
    if not condition:
        raise ModelError(message, **place)
