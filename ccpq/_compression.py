"""The options ``compression``, ``compression_level`` and ``profile``: checked here, before anything is opened."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ccpq._errors import UnsupportedError
from ccpq._near import near

__all__ = ["CODECS", "PROFILES", "Codecs", "check_profile", "resolve_compression"]

CODECS = ("zstd", "snappy", "none")
PROFILES = ("default", "compat", "modern")
_DEFAULT = "zstd"
_ALIASES = {"uncompressed": "none"}
_OTHER_CODECS = frozenset("gzip lz4 lz4_raw brotli lzo".split())


class Codecs(NamedTuple):
    """``codec`` of all columns, or in ``columns`` one for each of them in the schema's order; ``level`` of zstd."""

    codec: str
    columns: list[str] | None
    level: int | None


def _codec(name: object, what: str) -> str:
    if name is None:
        return "none"
    if not isinstance(name, str):
        raise TypeError(f"{what} is a name or None, not {type(name).__name__}")
    codec = _ALIASES.get(name.lower(), name.lower())
    if codec in _OTHER_CODECS:
        raise UnsupportedError(f"{what}={name!r} comes with a later release; today there are {', '.join(CODECS)}")
    if codec not in CODECS:
        raise ValueError(f"{what} {name!r} is unknown: {', '.join(CODECS)}{near(codec, CODECS)}")
    return codec


def resolve_compression(compression: object, level: object, names: Sequence[str]) -> Codecs:
    """``compression`` is a name, None, or a mapping column -> name or None; columns that it does not name take zstd."""
    columns = None
    codec = _DEFAULT
    if isinstance(compression, Mapping):
        of = {}
        for column, name in compression.items():
            if column not in names:
                raise ValueError(f"compression: there is no column {column!r}{near(column, names)}")
            of[column] = _codec(name, f"compression of {column!r}")
        columns = [of.get(name, _DEFAULT) for name in names]
    else:
        codec = _codec(compression, "compression")
    if level is None:
        return Codecs(codec, columns, None)
    if isinstance(level, bool) or not hasattr(type(level), "__index__"):
        raise TypeError(f"compression_level is an int or None, not {type(level).__name__}")
    if "zstd" not in (columns or [codec]):
        why = f"{codec} has no levels" if columns is None else "only zstd has levels, and no column has zstd"
        raise ValueError(f"compression_level={level}: {why}")
    return Codecs(codec, columns, operator.index(level))


def check_profile(profile: object) -> str:
    if not isinstance(profile, str):
        raise TypeError(f"profile is a name, not {type(profile).__name__}")
    if profile not in PROFILES:
        raise ValueError(f"there is no profile {profile!r}: {', '.join(PROFILES)}{near(profile, PROFILES)}")
    return profile
