"""Which attributes of an object are the values of a row. ``_core`` asks once per class and reads the attributes itself.

Known are dataclasses, attrs and msgspec classes, pydantic models, and any class with ``_fields``. Their packages are never
imported: a class of theirs carries its list of fields with it. Properties are no fields.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

__all__ = ["field_names", "row_names"]


def _tuple_of_names(x: object) -> tuple[str, ...] | None:
    if not isinstance(x, Iterable) or isinstance(x, (str, bytes)):
        return None
    names = tuple(x)
    return names if all(isinstance(n, str) for n in names) else None


def field_names(cls: type) -> tuple[str, ...] | None:
    """The names of a class's fields in their order; None: the class names none.

    Of a dataclass ClassVar and InitVar are no fields, ``field(init=False)`` is one. Names are those of the attributes, not
    the aliases that msgspec, attrs and pydantic use in other formats.
    """
    if dataclasses.is_dataclass(cls):
        return tuple(f.name for f in dataclasses.fields(cls))
    struct = getattr(cls, "__struct_fields__", None)  # msgspec
    if isinstance(struct, tuple):
        return _tuple_of_names(struct)
    attributes = getattr(cls, "__attrs_attrs__", None)
    if isinstance(attributes, tuple):
        return _tuple_of_names(getattr(a, "name", None) for a in attributes)
    for name in ("__pydantic_fields__", "model_fields", "__fields__"):  # pydantic from 2.10, before that, 1
        fields = getattr(cls, name, None)
        if isinstance(fields, Mapping):
            return _tuple_of_names(fields)
    fields = getattr(cls, "_fields", None)
    return _tuple_of_names(fields) if isinstance(fields, (tuple, list)) else None


def row_names(cls: type) -> tuple[str, ...] | None:
    """``field_names`` of a class whose objects are rows. TypeError where an object may have more fields than its class."""
    names = field_names(cls)
    config = getattr(cls, "model_config", None)  # pydantic's
    if names is not None and isinstance(config, Mapping) and config.get("extra") == "allow":
        raise TypeError(
            f"objects of {cls.__name__} may have fields that the class does not name (extra='allow'): write row.model_dump()"
        )
    return names
