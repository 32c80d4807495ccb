"""Python types as column types: what an annotation says, and the columns of a class that is a row.

Classes are read by their annotations and the names that their kind lists (dataclass, NamedTuple, TypedDict; attrs, pydantic
and msgspec the same way, without importing them). String annotations are evaluated where the class was written.
"""

from __future__ import annotations

import collections.abc
import datetime
import decimal
import enum
import inspect
import pathlib
import sys
import types
import typing
import uuid
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ccpq._errors import SchemaError, UnsupportedError
from ccpq._json import Json
from ccpq._row_names import field_names
from ccpq._types import Parsed, nearest_type, parse_type

__all__ = ["ClassColumn", "class_columns", "is_record_class", "python_type"]

_PYTHON = {
    bool: "bool", int: "int64", float: "float64", str: "string", bytes: "binary", bytearray: "binary", memoryview: "binary",
    datetime.datetime: "timestamp[us, UTC]", datetime.date: "date", datetime.time: "time[us]", uuid.UUID: "uuid", Json: "json",
}  # fmt: skip
_KNOWN = "Python types: int, float, str, bytes, bool, datetime, date, time, UUID, T | None"

_REFUSED = {
    decimal.Decimal: 'Decimal has no fixed number of digits; write Annotated[Decimal, "decimal(12, 2)"]',
    datetime.timedelta: "readers agree on no type for durations; write int, and the unit in the name",
    dict: 'dict has no types inside; write Annotated[dict, "json"]',
    list: 'list has no types inside; write Annotated[list, "json"]',
    object: "object is no column type; a column holds values of one type",
    type(None): "a column of nulls only has no type; write for example int | None",
}
_CONTAINERS = (list, dict, tuple, set, frozenset, collections.abc.Iterable)
_MAX_DEPTH = 32  # wrappers around a type; a type alias may name itself


class ClassColumn(NamedTuple):
    """A column of a class: ``optional`` is True or False where the class itself says it (TypedDict)."""

    name: str
    parsed: Parsed
    optional: bool


def _shown(x: object) -> str:
    # list[int] is a type to isinstance in Python 3.10.
    name = getattr(x, "__qualname__", None) if isinstance(x, type) and typing.get_origin(x) is None else None
    return (name or repr(x).replace("typing.", ""))[:80]


def _form(x: object, *names: str) -> bool:
    """Whether an origin is this form of ``typing``, or of ``typing_extensions`` where that is loaded."""
    modules = (typing, sys.modules.get("typing_extensions"))
    return any(x is getattr(m, name, _form) for m in modules for name in names)


def _without_none(x: object) -> tuple[object, bool]:
    """A union without None, and whether None was in it."""
    if typing.get_origin(x) not in (typing.Union, types.UnionType):
        return x, False
    args = [a for a in typing.get_args(x) if a is not type(None)]
    if len(args) != 1:
        raise SchemaError(f"a column has one type, not the union {_shown(x)}; only '| None' may be added")
    return args[0], len(typing.get_args(x)) > 1


def python_type(x: object, depth: int = 0) -> Parsed:
    """The column type of a Python type: ``int``, ``float | None``, ``Annotated[float, "float32"]``, an Enum.

    SchemaError for what is none, UnsupportedError for nested types.
    """
    if depth > _MAX_DEPTH:
        raise SchemaError(f"{_shown(x)} names itself")
    inner, optional = _without_none(x)
    if optional:
        parsed = python_type(inner, depth + 1)
        if parsed.nullable is False:
            raise SchemaError(f"{_shown(x)}: '| None' and 'not null' contradict each other")
        return parsed._replace(nullable=True)
    if typing.get_origin(x) is typing.Annotated:
        return _annotated(x, depth)
    origin = typing.get_origin(x)
    if _form(origin, "Final", "Required", "NotRequired", "ReadOnly"):
        return python_type(typing.get_args(x)[0], depth + 1)
    if _form(origin, "Literal"):
        return _literal(x)
    if origin is not None:
        return _parametrised(x, origin)
    if isinstance(x, typing.NewType):
        return python_type(x.__supertype__, depth + 1)
    if type(x).__name__ == "TypeAliasType":
        return python_type(getattr(x, "__value__", None), depth + 1)
    if x is typing.Any or isinstance(x, typing.TypeVar):
        raise SchemaError(f"{_shown(x)} is no column type: a column holds values of one type; {_KNOWN}")
    if isinstance(x, type):
        return _class_type(x)
    if isinstance(x, typing.ForwardRef):
        raise SchemaError(f"{x.__forward_arg__!r:.80} is the name of a type; give the type itself, or the whole type as a string")
    raise SchemaError(f'a type is a string such as "float32?" or a Python type, not {type(x).__name__}{_as_string(x)}')


_DATETIMES = {"datetime64", "Datetime", "DatetimeTZDtype"}


def _as_string(x: object) -> str:
    """The string for a dtype object of numpy, pandas or Polars, where it has one of our names."""
    package = type(x).__module__.partition(".")[0]
    if package not in ("numpy", "pandas", "polars"):
        return ""
    if type(x).__name__ in _DATETIMES or getattr(x, "kind", "") == "M":
        return '; write the string "timestamp[us, UTC]" for instants or "timestamp[us]" for local times'
    word = str(x).lower()
    return f'; write the string "{word}"' if nearest_type(word) == word else ""


def _plain_enum(x: object) -> bool:
    """Whether members of this class are values of a string column because of their class only.

    Members of IntEnum and StrEnum are ints and strings, and go where those go. SchemaError where a value is no text.
    """
    if not isinstance(x, type) or not issubclass(x, enum.Enum) or issubclass(x, (int, str)):
        return False
    for member in x:
        if not isinstance(member.value, str):
            raise SchemaError(
                f"{_shown(x)}.{member.name} is {member.value!r:.80}, which is no text; give the members values that are str, "
                "or make it an IntEnum"
            )
    return True


def _class_type(x: type) -> Parsed:
    name = _PYTHON.get(x)
    if name is not None:
        return Parsed(parse_type(name).type)
    if x in _REFUSED:
        raise SchemaError(_REFUSED[x])
    if issubclass(x, enum.Enum):
        return Parsed(parse_type("int64" if issubclass(x, int) else "string").type, by_enum=_plain_enum(x))
    if is_record_class(x) or x in _CONTAINERS or issubclass(x, (tuple, set, frozenset)):
        raise UnsupportedError(f'{_shown(x)}: nested types come with a later release; Annotated[..., "json"] keeps it as JSON')
    if issubclass(x, pathlib.PurePath):
        raise SchemaError("paths are no column type; write str, and give str(path)")
    near = nearest_type(x.__name__)
    qualified = f"{x.__module__}.{x.__qualname__}"
    raise SchemaError(f"{qualified} is no column type{f'; write the string {near!r}' if near else ''}; {_KNOWN}")


def _parametrised(x: object, origin: object) -> Parsed:
    if isinstance(origin, type) and (origin in _CONTAINERS or issubclass(origin, collections.abc.Iterable)):
        raise UnsupportedError(f'{_shown(x)}: nested types come with a later release; Annotated[..., "json"] keeps it as JSON')
    raise SchemaError(f"{_shown(x)} is no column type; {_KNOWN}")


def _literal(x: object) -> Parsed:
    values = [v for v in typing.get_args(x) if v is not None]
    for v in values:
        if not isinstance(v, str):
            raise SchemaError(f"{_shown(x)}: a Literal of strings is a column type; for others write the type, such as int")
    if not values:
        raise SchemaError(_REFUSED[type(None)])
    return Parsed(parse_type("string").type, True if len(values) < len(typing.get_args(x)) else None)


def _annotated(x: object, depth: int) -> Parsed:
    """Annotated[T, "type text"]: the text decides, T adds only whether None is a value. Other metadata is not ours."""
    inner, *metadata = typing.get_args(x)
    texts = [m for m in metadata if isinstance(m, str)]
    if not texts:
        return python_type(inner, depth + 1)
    if len(texts) > 1:
        raise SchemaError(f"Annotated has more than one type text: {', '.join(map(repr, texts))[:80]}")
    parsed = parse_type(texts[0])
    bare, optional = _without_none(inner)
    if optional and parsed.nullable is False:
        raise SchemaError(f"{_shown(x)}: '| None' and 'not null' contradict each other")
    by_enum = parsed.type.kind in ("string", "enum") and _plain_enum(bare)
    return parsed._replace(nullable=True if optional else parsed.nullable, by_enum=by_enum)


def is_record_class(x: object) -> bool:
    """Whether a class is a row whose columns have types: ``class_columns`` takes it."""
    if not isinstance(x, type):
        return False
    names = _column_names(x)
    return names is not None and {n for base in x.__mro__ for n in inspect.get_annotations(base)}.issuperset(names)


def _column_names(cls: type) -> Sequence[str] | None:
    if issubclass(cls, dict) and hasattr(cls, "__required_keys__"):
        return list(cls.__annotations__)  # a TypedDict; its objects are plain dicts
    return field_names(cls)


def class_columns(cls: type) -> list[ClassColumn]:
    """The columns of a dataclass, NamedTuple, TypedDict, or attrs, pydantic or msgspec class, in the order of its fields.

    SchemaError for a class that is none of them, or a field without a column type; UnsupportedError for nested fields.
    """
    names = _column_names(cls)
    if names is None:
        raise SchemaError(f"class {_shown(cls)} is no dataclass, NamedTuple or TypedDict; its columns are not known")
    hints = _hints(cls, names)
    columns = []
    for name in names:
        if name not in hints:
            raise SchemaError(f"column {name!r} of {_shown(cls)} has no annotation; annotate it, or give a mapping name -> type")
        try:
            parsed = python_type(hints[name])
        except (SchemaError, UnsupportedError) as e:
            raise type(e)(f"column {name!r} of {_shown(cls)}: {e}") from None
        columns.append(ClassColumn(name, parsed, _may_be_missing(cls, name, hints[name])))
    return columns


def _may_be_missing(cls: type, name: str, hint: object) -> bool:
    """Whether a TypedDict may be without this key."""
    required = getattr(cls, "__required_keys__", None)
    if required is None:
        return False
    # __required_keys__ does not see marks in string annotations.
    while hint is not None:
        origin = typing.get_origin(hint)
        if _form(origin, "NotRequired", "Required"):
            return _form(origin, "NotRequired")
        args = typing.get_args(hint)
        hint = args[0] if args and (origin is typing.Annotated or _form(origin, "ReadOnly")) else None
    return name not in required


def _hints(cls: type, names: Iterable[str]) -> dict[str, object]:
    """The annotations of these names, evaluated class by class: those of other names need not be evaluable."""
    wanted = set(names)
    found: dict[str, object] = {}
    for base in reversed(cls.__mro__):
        try:
            own = {n: a for n, a in inspect.get_annotations(base).items() if n in wanted}
            holder = type(base.__name__, (), {"__annotations__": own, "__module__": base.__module__})
            module = sys.modules.get(base.__module__)
            # The module first, as typing does: a field `date: date = None` must not hide the type.
            found |= typing.get_type_hints(holder, dict(vars(base)), dict(vars(module)) if module else {}, include_extras=True)
        except (NameError, AttributeError, TypeError, SyntaxError) as e:
            raise SchemaError(
                f"the annotations of {_shown(base)} cannot be evaluated: {e}; types in string annotations must be found in "
                f"the module {base.__module__}"
            ) from None
    return found
