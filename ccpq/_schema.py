"""``Field``, ``Schema`` and the function ``schema`` that makes one from what users have.

The grammar of types is ``_types``'; Python types and classes are ``_annotations``'; Arrow schemas are read and made by the
core. Nothing here knows Parquet.
"""

from __future__ import annotations

import re
import typing
import warnings
from collections.abc import ItemsView, Iterable, Iterator, Mapping

from ccpq import _core
from ccpq._annotations import class_columns, is_record_class, python_type
from ccpq._errors import SchemaError, UnsupportedError
from ccpq._sizes import shortened
from ccpq._types import TYPES, Parsed, parse_type

__all__ = ["TYPES", "Field", "Schema", "core_fields", "schema"]


_INDEX = re.compile(r"__index_level_\d+__")  # what pandas calls an index without a name


def _check_name(name: object) -> str:
    if not isinstance(name, str):
        raise SchemaError(f"a column name is a str, not {type(name).__name__}: {name!r:.80}")
    if not name:
        raise SchemaError("a column name is empty")
    if "\0" in name:
        raise SchemaError(f"column name {name!r:.80} holds a NUL character")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise SchemaError(f"column name {name!r:.80} holds a lone surrogate, which UTF-8 cannot express") from None
    return name


def _shown(name: str) -> str:
    """A name in a line: with quotes where it would break it."""
    return name if name.isprintable() else repr(name)


class Field:
    """A column: ``name``, ``type`` (canonical, without mark) and ``nullable``. Immutable.

    ``type`` may be given as a type string (``"float32?"``) or a Python type; ``nullable`` must not contradict its mark.
    """

    __slots__ = ("_by_enum", "name", "nullable", "type")
    name: str
    type: str
    nullable: bool
    _by_enum: bool  # made from an annotation that named an Enum; no part of what the column is

    def __init__(self, name: str, type: object, nullable: bool | None = None):
        self._set(name, type, nullable, default=False)

    def _set(self, name: object, type_: object, nullable: bool | None, *, default: bool) -> None:
        name = _check_name(name)
        if nullable is not None and not isinstance(nullable, bool):
            raise TypeError(f"nullable is True, False or None, not {nullable!r:.80}")
        try:
            parsed = _parse(type_)
        except (SchemaError, UnsupportedError) as e:
            raise type(e)(f"column {name!r}: {e}") from None
        if nullable is not None and parsed.nullable is not None and nullable != parsed.nullable:
            raise SchemaError(f"column {name!r}: type {type_!r:.80} and nullable={nullable} contradict each other")
        self._fill(name, parsed if nullable is None else parsed._replace(nullable=nullable), default)

    def _fill(self, name: str, parsed: Parsed, default: bool) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "type", parsed.type.text)
        object.__setattr__(self, "nullable", default if parsed.nullable is None else parsed.nullable)
        object.__setattr__(self, "_by_enum", parsed.by_enum)

    @classmethod
    def _of(cls, name: object, x: object, default: bool) -> Field:
        if isinstance(x, Field):
            if x.name != name:
                raise SchemaError(f"column {name!r} is given a Field named {x.name!r}")
            return x
        field = object.__new__(cls)
        if isinstance(x, Parsed):
            field._fill(_check_name(name), x, default)
        else:
            field._set(name, x, None, default=default)
        return field

    def __setattr__(self, attribute: str, value: object = None) -> None:
        raise AttributeError("a Field is immutable")

    __delattr__ = __setattr__

    @property
    def type_string(self) -> str:
        """The canonical type with its mark: ``"float32?"``."""
        return self.type + "?" if self.nullable else self.type

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Field):
            return NotImplemented
        return (self.name, self.type, self.nullable) == (other.name, other.type, other.nullable)

    def __hash__(self) -> int:
        return hash((self.name, self.type, self.nullable))

    def __reduce__(self):
        return _restore, (self.name, self.type, self.nullable, self._by_enum)

    def __str__(self) -> str:
        return f"{_shown(self.name)}: {self.type_string}"

    def __repr__(self) -> str:
        return f"Field({self.name!r}, {self.type_string!r})"


def _restore(name: str, type_: str, nullable: bool, by_enum: bool) -> Field:
    return Field._of(name, parse_type(type_)._replace(nullable=nullable, by_enum=by_enum), False)


class Schema(Mapping):
    """Columns in their order: an immutable mapping name -> ``Field``. Made by ``ccpq.schema``.

    Equal schemas have equal columns in equal order. ``schema(s.to_dict()) == s``.
    """

    __slots__ = ("_by_name",)
    _by_name: dict[str, Field]

    def __init__(self, fields: Iterable[Field]):
        by_name: dict[str, Field] = {}
        for field in fields:
            if not isinstance(field, Field):
                raise SchemaError(f"Schema takes Field objects, not {type(field).__name__}; use ccpq.schema()")
            if field.name in by_name:
                raise SchemaError(f"column {field.name!r} is there twice")
            by_name[field.name] = field
        if not by_name:
            raise SchemaError("a schema needs at least one column")
        object.__setattr__(self, "_by_name", by_name)

    def __setattr__(self, attribute: str, value: object) -> None:
        raise AttributeError("a Schema is immutable")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    @property
    def fields(self) -> tuple[Field, ...]:
        return tuple(self._by_name.values())

    def to_dict(self) -> dict[str, str]:
        """Name -> canonical type string."""
        return {f.name: f.type_string for f in self.fields}

    def __arrow_c_schema__(self) -> object:
        """A PyCapsule of an ArrowSchema: ``pyarrow.schema(s)``, ``polars.Schema(s)``."""
        return _core.make_arrow_schema(core_fields(self))

    def __getitem__(self, name: str) -> Field:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Schema):
            return NotImplemented
        return self.fields == other.fields

    def __hash__(self) -> int:
        return hash(self.fields)

    def __reduce__(self):
        return Schema, (self.fields,)

    def __repr__(self) -> str:
        shown = [str(f) for f in self.fields[:8]]
        if len(self) > 8:
            shown.append(f"... {len(self) - 8} more")
        return f"<ccpq.Schema {', '.join(shown)}>"

    def __str__(self) -> str:
        names = [_shown(n) for n in self]
        width = max(map(len, names))
        return "\n".join(shortened([f"{name:<{width}}  {f.type_string}" for name, f in zip(names, self.fields)]))


def _pairs(x: object) -> Iterator[tuple[object, object]]:
    if isinstance(x, Mapping):
        yield from x.items()
        return
    for i, item in enumerate(typing.cast(Iterable[object], x)):
        if isinstance(item, Field):
            yield item.name, item
        elif isinstance(item, (tuple, list)) and len(item) == 2:
            yield item[0], item[1]
        else:
            raise SchemaError(f"item {i} of a schema is a pair (name, type) or a Field, not {item!r:.80}")


def schema(x: object, nullable: bool | None = None) -> Schema:
    """A ``Schema`` from a mapping or a list of pairs name -> type, from Fields, a class, or anything with an Arrow schema.

    A type is a string (``"int64"``, ``"float32?"``, ``"decimal(12, 2)"``), a Python type (``int`` int64, ``float``
    float64, ``str``, ``bytes``, ``bool``, ``datetime`` timestamp[us, UTC], ``date``, ``time`` time[us], ``UUID``, Enum
    and Literal string, ``T | None``, ``Annotated[Decimal, "decimal(12, 2)"]``), an Arrow type or a ``Field``. A class is a
    dataclass, NamedTuple or TypedDict, or one of attrs, pydantic or msgspec. An Arrow schema, and that of a frame or
    table, keeps its nullability; everywhere else unmarked types are required, or optional with ``nullable=True``.

    SchemaError for what cannot be, UnsupportedError for what a later release brings. Names that differ in case only are
    allowed with a warning: engines that ignore case cannot read such files.
    """
    if nullable is not None and not isinstance(nullable, bool):
        raise TypeError(f"nullable is True, False or None, not {nullable!r:.80}")
    if isinstance(x, Schema):
        return x
    made = Schema(_fields(x, bool(nullable)))
    folded: dict[str, str] = {}
    for name in made:
        other = folded.setdefault(name.casefold(), name)
        if other != name:
            warnings.warn(
                f"columns {other!r} and {name!r} differ in case only; engines that ignore case cannot read both",
                UserWarning, stacklevel=2,
            )  # fmt: skip
    return made


def _fields(x: object, default: bool) -> list[Field]:
    if isinstance(x, (str, bytes)):
        raise SchemaError(f"a schema is a mapping or a list of pairs name -> type, not the {type(x).__name__} {x!r:.80}")
    if isinstance(x, type) and typing.get_origin(x) is None:
        return [Field._of(c.name, c.parsed, default or c.optional) for c in class_columns(x)]
    if hasattr(x, "__arrow_c_schema__"):
        return _arrow_fields(_core.arrow_schema_fields(x.__arrow_c_schema__()))
    inner = getattr(x, "schema", None)
    if hasattr(inner, "__arrow_c_schema__"):
        return _arrow_fields(_core.arrow_schema_fields(inner.__arrow_c_schema__()))
    if hasattr(x, "__arrow_c_stream__"):
        return _arrow_fields(_core.arrow_stream_schema(x))
    if is_record_class(type(x)) or hasattr(x, "_fields"):
        name = type(x).__name__
        raise SchemaError(f"a schema is made from the class {name}, not from an object of it: ccpq.schema({name})")
    if not isinstance(x, Mapping) and not isinstance(x, (list, tuple)):
        raise SchemaError(
            f"a schema is a mapping or a list of pairs name -> type, or a class, not {type(x).__name__}{_instead(x)}"
        )
    return [Field._of(name, t, default) for name, t in _pairs(x)]


def _instead(x: object) -> str:
    """What to write where the schema is in what was given, in another way."""
    if hasattr(x, "description"):
        return "; ccpq.infer_schema(cursor) finds it"
    return "; write dict(...)" if isinstance(x, (zip, map, ItemsView)) else ""


def _arrow_fields(fields: Iterable[tuple[str, str, bool]]) -> list[Field]:
    fields = list(fields)
    for name, _, _ in fields:
        if _INDEX.fullmatch(name):
            raise SchemaError(
                f"column {name!r} is the index of a pandas DataFrame, which has no name: write df.reset_index(drop=True), or give "
                "the index a name and write df.reset_index()"
            )
    return [Field(name, text, nullable) for name, text, nullable in fields]


def _parse(x: object) -> Parsed:
    """A type in any of its forms."""
    if isinstance(x, str):
        return parse_type(x)
    if hasattr(x, "__arrow_c_schema__") and not isinstance(x, type):
        return _arrow_type(x)
    return python_type(x)


def _arrow_type(x: typing.Any) -> Parsed:
    """An Arrow type, or the type of an Arrow field with its nullability."""
    _, text, _ = _core.arrow_schema_field(x.__arrow_c_schema__())
    nullable = getattr(x, "nullable", None)
    return parse_type(text)._replace(nullable=nullable if isinstance(nullable, bool) else None)


def core_fields(s: Schema) -> list[tuple[str, str, bool, int, int, bool]]:
    """(name, kind, optional, a, b, members) of each column, as the core's writer takes them.

    a is N of binary[N] ("fixed") or the digits of a decimal, b its scale; 0 elsewhere. members: an annotation named an
    Enum, so its members are values of the text column.
    """
    types = (parse_type(f.type).type for f in s.fields)
    return [(f.name, t.kind, f.nullable, t.a, t.b, f._by_enum) for f, t in zip(s.fields, types)]
