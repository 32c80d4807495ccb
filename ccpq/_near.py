"""The nearest known word, for messages about unknown ones. The core asks here too, for columns."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["near", "nearest"]


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word that differs in case only, else the most similar one; None where no word is near."""
    known = list(words)
    folded = word.casefold()
    same = next((k for k in known if k.casefold() == folded), None)
    if same is not None:
        return same
    return next(iter(difflib.get_close_matches(word, known, n=1)), None)


def near(word: object, words: Iterable[str]) -> str:
    """``"; did you mean 'x'?"``, or nothing where no word is near."""
    found = nearest(str(word), words)
    return "" if found is None else f"; did you mean {found!r}?"
