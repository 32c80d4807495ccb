"""``Json``: marks a value as JSON for a json column, where a bare scalar would be refused as a probable mistake.

The conversion to text is the core's; here is told where in a value something is that it refused.
"""

from __future__ import annotations

import math

__all__ = ["Json"]

_DEPTH = 100


def _place(x: object, within: tuple[object, ...] = ()) -> str | None:
    """Where the first part of a value is that is no JSON: ``".tags[3].name"``; None: nowhere, or too deep to look for."""
    if x is None or isinstance(x, (str, int)) or (isinstance(x, float) and math.isfinite(x)):
        return None
    if not isinstance(x, (dict, list, tuple)):
        return ""
    if any(x is outer for outer in within):
        return ""
    if len(within) == _DEPTH:
        return None
    for key, part in x.items() if isinstance(x, dict) else enumerate(x):
        if isinstance(x, dict) and key is not None and not isinstance(key, (str, int, float)):
            return ""
        found = _place(part, (*within, x))
        if found is not None:
            return (f".{key}" if isinstance(key, str) and key.isidentifier() and len(key) <= 40 else f"[{key!r:.40}]") + found
    return None


class Json:
    """A value for a ``json`` column, written as compact JSON text: ``Json(3)``, ``Json("text")``, ``Json(None)``.

    ``value`` is what ``json.dumps`` would take: None (the JSON null, not a missing value), bool, int, float, str, and
    lists and dicts of them. It is checked when it is written. Immutable; equal and hashed as its value.
    """

    __slots__ = ("value",)
    value: object

    def __init__(self, value: object):
        object.__setattr__(self, "value", value)

    def __setattr__(self, attribute: str, value: object = None) -> None:
        raise AttributeError("a Json is immutable")

    __delattr__ = __setattr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Json):
            return NotImplemented
        return self.value == other.value

    def __hash__(self) -> int:
        return hash((Json, self.value))

    def __reduce__(self):
        return Json, (self.value,)

    def __repr__(self) -> str:
        return f"Json({self.value!r})"
