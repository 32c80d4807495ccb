"""Schemas: the type grammar, ``Field``, ``Schema`` and the function ``schema`` that makes one from what users write.

Nothing here knows Parquet; the core maps the canonical type names. A type is required unless it is marked ``?``, and a
word that means different widths to different programs is refused with advice. Types that a later release will bring
are known by name, so that they are told from misspelt ones.
"""

from __future__ import annotations

import difflib
import re
import types
import typing
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ccpq._errors import SchemaError, UnsupportedError

__all__ = ["Field", "Schema", "schema"]

TYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float32", "float64", "string", "binary",
)  # fmt: skip

_ALIASES = {
    "str": "string", "utf8": "string", "large_string": "string", "bytes": "binary", "large_binary": "binary",
    "boolean": "bool", "double": "float64",
}  # fmt: skip

# Words of the grammar that this release cannot write.
_LATER = frozenset(
    "float16 halffloat date date32 uuid json bson enum time time32 time64 timestamp decimal decimal128 "
    "fixed_size_binary list large_list map struct".split()
)
_LATER_PYTHON = {
    "datetime.datetime": "timestamp[us, UTC]", "datetime.date": "date", "datetime.time": "time[us]",
    "uuid.UUID": "uuid", "decimal.Decimal": "decimal(P, S)",
}  # fmt: skip

_REFUSED = {
    "int": 'the width differs from program to program; write "int64" or "int32"',
    "integer": 'the width differs from program to program; write "int64" or "int32"',
    "float": 'it is 32 bits wide to Arrow and 64 to Python; write "float64" or "float32"',
    "uint": 'the width differs from program to program; write "uint64" or "uint32"',
    "bigint": 'write "int64"', "smallint": 'write "int16"', "tinyint": 'write "int8"', "long": 'write "int64"',
    "real": 'write "float32"', "text": 'write "string"', "varchar": 'write "string"', "object": 'write "string" or "binary"',
    "i8": 'eight bits or eight bytes? write "int8" or "int64"', "i16": 'write "int16"',
    "i32": 'write "int32"', "i64": 'write "int64"', "i1": 'write "int8"', "i2": 'write "int16"', "i4": 'write "int32"',
    "u8": 'eight bits or eight bytes? write "uint8" or "uint64"', "u16": 'write "uint16"', "u32": 'write "uint32"',
    "u64": 'write "uint64"', "u1": 'write "uint8"', "u2": 'write "uint16"', "u4": 'write "uint32"',
    "f2": "16 bits; this release has no float16", "f4": 'write "float32"', "f8": 'write "float64"',
    "f32": 'write "float32"', "f64": 'write "float64"',
    "datetime": 'its unit is not given; "timestamp[us, UTC]" comes with a later release, today write "int64"',
}  # fmt: skip

_PYTHON = {int: "int64", float: "float64", str: "string", bytes: "binary", bool: "bool"}

_TOKEN = re.compile(r"\s*(?:(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>\d+)|(?P<mark>[][()<>?|,:=]))", re.ASCII)


class _Parsed(NamedTuple):
    type: str
    nullable: bool | None  # None: not marked


def _caret(text: str, at: int, message: str) -> SchemaError:
    # A tab or a line break in the text would move the caret away from its place.
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return SchemaError(f"{message}\n  {shown}\n  {' ' * at}^")


def _advice(word: str) -> str:
    near = difflib.get_close_matches(word.lower(), [*TYPES, *_ALIASES, *_LATER], n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(TYPES)}"


def parse_type(text: str) -> _Parsed:
    """The type word and its mark. SchemaError with a caret; UnsupportedError for types of later releases."""
    tokens, at = [], 0
    while at < len(text.rstrip()):
        m = _TOKEN.match(text, at)
        if m is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise _caret(text, at, f"unexpected character {text[at]!r} in a type")
        tokens.append((m[m.lastgroup], m.start(m.lastgroup)))
        at = m.end()
    if not tokens:
        raise _caret(text, 0, 'an empty type; write for example "int64" or "string?"')

    word, word_at = tokens[0]
    if word in _LATER:
        raise UnsupportedError(f"type {word!r} (in {text!r}) comes with a later release; today: {', '.join(TYPES)}")
    if word in _REFUSED:
        raise _caret(text, word_at, f"type {word!r} is refused: {_REFUSED[word]}")
    name = _ALIASES.get(word, word)
    if name not in TYPES:
        raise _caret(text, word_at, f"unknown type {word!r}{_advice(word)}")

    rest = tokens[1:]
    words = [t for t, _ in rest]
    if not rest:
        return _Parsed(name, None)
    if words[0] in ("[", "(") and name == "binary":
        raise UnsupportedError(f"fixed-size binary ({text!r}) comes with a later release; write 'binary'")
    if words[0] == "?":
        used, nullable = 1, True
    elif words[:2] == ["|", "None"]:
        used, nullable = 2, True
    elif words[:2] == ["not", "null"]:
        used, nullable = 2, False
    else:
        raise _caret(text, rest[0][1], f"unexpected {words[0]!r} after {word!r}; what may follow: '?', '| None', 'not null'")
    if len(rest) > used:
        raise _caret(text, rest[used][1], f"unexpected {words[used]!r}: the type has ended")
    return _Parsed(name, nullable)


def _parse_python(x: object) -> _Parsed:
    """A Python type as an annotation writes it: ``int``, ``float | None``, ``Optional[str]``."""
    if x in _PYTHON:
        return _Parsed(_PYTHON[x], None)
    origin = typing.get_origin(x)
    if origin in (typing.Union, types.UnionType):
        args = [a for a in typing.get_args(x) if a is not type(None)]
        if len(args) == 1 and len(typing.get_args(x)) == 2:
            return _Parsed(_parse_python(args[0]).type, True)
        raise SchemaError(f"a column has one type, not the union {x}; only '| None' may be added")
    if origin in (list, dict, tuple, set):
        raise UnsupportedError(f"nested types ({x}) come with a later release")
    qualified = f"{getattr(x, '__module__', '')}.{getattr(x, '__qualname__', '')}"
    if qualified in _LATER_PYTHON:
        raise UnsupportedError(f"type {qualified} ({_LATER_PYTHON[qualified]}) comes with a later release")
    if isinstance(x, type):
        words = [*TYPES, *_ALIASES]
        near = [w for w in words if w == x.__name__] or difflib.get_close_matches(x.__name__.lower(), words, n=1)
        hint = f"; write the string {near[0]!r}" if near else ""
        raise SchemaError(f"{qualified} is no column type{hint}; Python types: int, float, str, bytes, bool, T | None")
    raise SchemaError(f'a type is a string such as "float32?" or a Python type, not {type(x).__name__}')


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


class Field:
    """A column: ``name``, ``type`` (canonical, without mark) and ``nullable``. Immutable.

    ``type`` may be given as a type string (``"float32?"``) or a Python type; ``nullable`` must not contradict its mark.
    """

    __slots__ = ("name", "nullable", "type")
    name: str
    type: str
    nullable: bool

    def __init__(self, name: str, type: object, nullable: bool | None = None):
        self._set(name, type, nullable, default=False)

    def _set(self, name: object, type_: object, nullable: bool | None, *, default: bool) -> None:
        name = _check_name(name)
        if nullable is not None and not isinstance(nullable, bool):
            raise TypeError(f"nullable is True, False or None, not {nullable!r:.80}")
        try:
            parsed = parse_type(type_) if isinstance(type_, str) else _parse_python(type_)
        except (SchemaError, UnsupportedError) as e:
            raise type(e)(f"column {name!r}: {e}") from None
        if nullable is not None and parsed.nullable is not None and nullable != parsed.nullable:
            raise SchemaError(f"column {name!r}: type {type_!r} and nullable={nullable} contradict each other")
        mark = parsed.nullable if nullable is None else nullable
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "type", parsed.type)
        object.__setattr__(self, "nullable", default if mark is None else mark)

    @classmethod
    def _of(cls, name: object, x: object, default: bool) -> Field:
        if isinstance(x, Field):
            if x.name != name:
                raise SchemaError(f"column {name!r} is given a Field named {x.name!r}")
            return x
        field = object.__new__(cls)
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
        return Field, (self.name, self.type, self.nullable)

    def __str__(self) -> str:
        return f"{self.name}: {self.type_string}"

    def __repr__(self) -> str:
        return f"Field({self.name!r}, {self.type_string!r})"


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
        width = max(len(n) for n in self)
        return "\n".join(f"{f.name:<{width}}  {f.type_string}" for f in self.fields)


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
    """A ``Schema`` from a mapping or a list of pairs name -> type, from Fields, or from a Schema.

    A type is a string (``"int64"``, ``"float32?"``, ``"string | None"``), a Python type (``int``, ``float``, ``str``,
    ``bytes``, ``bool``, ``T | None``) or a ``Field``. Unmarked types are required, or optional with ``nullable=True``.
    SchemaError for what cannot be, UnsupportedError for what a later release brings. Names that differ in case only
    are allowed with a warning: engines that ignore case cannot read such files.
    """
    if nullable is not None and not isinstance(nullable, bool):
        raise TypeError(f"nullable is True, False or None, not {nullable!r:.80}")
    if isinstance(x, Schema):
        return x
    if isinstance(x, (str, bytes)):
        raise SchemaError(f"a schema is a mapping or a list of pairs name -> type, not the {type(x).__name__} {x!r:.80}")
    later = (
        isinstance(x, type) or hasattr(x, "__arrow_c_schema__") or hasattr(x, "__dataclass_fields__")
        or hasattr(x, "__arrow_c_stream__")
    )  # fmt: skip
    if later:
        raise UnsupportedError(
            "a schema from a dataclass, NamedTuple, TypedDict or Arrow object comes with a later release; "
            "today give a mapping name -> type"
        )
    if not isinstance(x, Mapping) and not isinstance(x, (list, tuple)):
        raise SchemaError(f"a schema is a mapping or a list of pairs name -> type, not {type(x).__name__}")
    made = Schema([Field._of(name, t, bool(nullable)) for name, t in _pairs(x)])
    folded: dict[str, str] = {}
    for name in made:
        other = folded.setdefault(name.casefold(), name)
        if other != name:
            warnings.warn(
                f"columns {other!r} and {name!r} differ in case only; engines that ignore case cannot read both",
                UserWarning, stacklevel=2,
            )  # fmt: skip
    return made


def core_fields(s: Schema) -> list[tuple[str, str, bool]]:
    """(name, type, optional) of each column, as the core's writer takes them."""
    return [(f.name, f.type, f.nullable) for f in s.fields]
