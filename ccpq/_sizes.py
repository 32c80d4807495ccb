"""Sizes, durations and counts as people write them, and back: ``"64MiB"``, ``"2h30m"``, ``18.4 MiB``.

Only units that mean one thing everywhere are read. A bare ``M`` is binary to Slurm and decimal to DuckDB, a bare number
of a duration could be seconds or hours: both are refused with advice instead of guessed.
"""

from __future__ import annotations

import datetime
import math
import operator
import re
from fractions import Fraction

__all__ = ["format_bytes", "format_count", "format_duration", "parse_duration", "parse_size", "shortened"]

_FIRST, _LAST = 45, 5

_MAX_SIZE = 2**63 - 1

_SIZE = re.compile(r"(?P<number>\d[\d_]*(?:\.\d+)?)\s*(?P<unit>[A-Za-z]*)", re.ASCII)
_SIZE_UNITS = {"": 1, "b": 1}
for _i, _letter in enumerate("kmgt", start=1):
    _SIZE_UNITS[_letter + "b"] = 1000**_i
    _SIZE_UNITS[_letter + "ib"] = 1024**_i

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "min": 60, "s": 1}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.ASCII)


def parse_size(value: object, what: str = "size") -> int:
    """Bytes of an int, or of a text like ``"64MiB"`` (1024 based) or ``"64MB"`` (1000 based).

    ``what`` names the argument in errors. TypeError for anything but int and str (None: there is no "unlimited"),
    ValueError for zero, negative numbers and units that are read differently by different programs.
    """
    if isinstance(value, str):
        n = _parse_size_text(value, what)
    elif value is None:
        raise TypeError(f'{what} is None: there is no "unlimited"; give a size such as "64MiB"')
    elif isinstance(value, bool) or not hasattr(type(value), "__index__"):
        raise TypeError(f'{what}: bytes as an int, or a text such as "64MiB", not {type(value).__name__}')
    else:
        n = operator.index(value)
    if n <= 0:
        raise ValueError(f"{what}: {value!r} is not a positive size")
    if n > _MAX_SIZE:
        raise ValueError(f"{what}: {value!r} is more than 2**63-1 bytes")
    return n


def _parse_size_text(text: str, what: str) -> int:
    m = _SIZE.fullmatch(text.strip())
    if m is None:
        raise ValueError(f'{what}: {text!r} is no size; write for example "64MiB" or "64MB"')
    number, unit = m["number"], m["unit"]
    factor = _SIZE_UNITS.get(unit.lower())
    if factor is None:
        letter = unit[:1].upper()
        if letter in ("K", "M", "G", "T") and unit[1:].lower() in ("", "i"):
            raise ValueError(
                f"{what}: {text!r} is read as binary by some programs and as decimal by others; "
                f'write "{number}{letter}iB" (1024 based) or "{number}{letter}B" (1000 based)'
            )
        raise ValueError(f"{what}: unknown unit {unit!r} in {text!r}; known: B, KiB, MiB, GiB, TiB, KB, MB, GB, TB")
    if factor == 1 and "." in number:
        raise ValueError(f"{what}: {text!r} is not a whole number of bytes")
    return math.floor(Fraction(number.replace("_", "")) * factor)


def parse_duration(value: object, what: str = "duration") -> datetime.timedelta:
    """A timedelta, or a text like ``"48h"``, ``"2h30m"``, ``"7d"`` (w, d, h, m or min, s), as a timedelta.

    Zero is allowed, negative durations and numbers without a unit are not.
    """
    if isinstance(value, datetime.timedelta):
        if value < datetime.timedelta(0):
            raise ValueError(f"{what}: {value!r} is negative")
        return value
    if not isinstance(value, str):
        raise TypeError(f'{what}: a text such as "48h" or a timedelta, not {type(value).__name__}')
    text = value.strip()
    seconds, seen, at = Fraction(0), [], 0
    while at < len(text):
        m = _PART.match(text, at)
        if m is None:
            raise ValueError(f'{what}: {value!r} is no duration; write for example "48h", "2h30m" or "7d"')
        number, unit = m.groups()
        if not unit:
            raise ValueError(f'{what}: {value!r} has a number without a unit; write "{number}h" or "{number}s"')
        if unit not in _SECONDS:
            raise ValueError(f"{what}: unknown unit {unit!r} in {value!r}; known: w, d, h, m, s")
        if seen and _SECONDS[unit] >= _SECONDS[seen[-1]]:
            raise ValueError(f"{what}: {value!r} is out of order; units go from large to small, each once")
        seen.append(unit)
        seconds += Fraction(number) * _SECONDS[unit]
        at = m.end()
    if not seen:
        raise ValueError(f'{what}: {value!r} is no duration; write for example "48h"')
    try:
        return datetime.timedelta(microseconds=int(seconds * 1_000_000))
    except OverflowError:
        raise ValueError(f"{what}: {value!r} is too long") from None


def format_bytes(n: float) -> str:
    """``512 B``, ``18.4 MiB``: three significant digits, 1024 based, trailing zeros cut."""
    if n < 1024:
        return f"{n:.0f} B"
    size = float(n)
    for unit in ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB"):
        size /= 1024
        # 1023.95 would be shown as 1024 or 1.02e+03.
        if size < 999.5 or unit == "EiB":
            break
    digits = 0 if size >= 99.95 else 1 if size >= 9.995 else 2
    text = f"{size:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text} {unit}"


def format_count(n: int) -> str:
    """``1,204,331``."""
    return f"{n:,}"


def shortened(lines: list[str]) -> list[str]:
    """The lines of a table; of more than 50 the first 45, how many there are in between, and the last 5."""
    left_out = len(lines) - _FIRST - _LAST
    if left_out <= 0:
        return lines
    return [*lines[:_FIRST], f"... {format_count(left_out)} more", *lines[-_LAST:]]


def format_duration(seconds: float) -> str:
    """``0.03 s``, ``4.1 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
