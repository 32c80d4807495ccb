"""The nearest known word, for messages about unknown ones."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["near"]


def near(word: object, words: Iterable[str]) -> str:
    """``"; did you mean 'x'?"``, or nothing where no word is near."""
    found = difflib.get_close_matches(str(word), list(words), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""
