"""The grammar of column types: a text is read to its canonical text, the core's name of it and whether it is optional.

Nothing here knows Parquet or Python types. A type is required unless it is marked ``?``, at every level, and a word that
means different widths to different programs is refused with advice. Every error shows the place. Nested types are read
to their end, so that errors inside are told, and then refused: a later release brings them.
"""

from __future__ import annotations

import difflib
import re
from typing import NamedTuple, NoReturn

from ccpq._errors import SchemaError, UnsupportedError

__all__ = ["FORMS", "MAX_DIGITS", "MAX_FIXED_BYTES", "TYPES", "Parsed", "Type", "nearest_type", "parse_type"]

MAX_FIXED_BYTES = 1 << 20  # of binary[N]; the core's CQ_MAX_FIXED_BYTES
MAX_DIGITS = 38            # of decimal(P, S)
_MAX_DEPTH = 32            # levels of nested types
_SHOWN = 100               # characters of a type text in an error

# Types without parameters. Each is its own canonical text and the core's name.
TYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
    "string", "binary", "date", "uuid", "json", "bson", "enum",
)  # fmt: skip

# What an error lists.
FORMS = (*TYPES, "binary[N]", "time[us]", "timestamp[us, UTC]", "decimal(P, S)")

_ALIASES = {
    "str": "string", "utf8": "string", "large_string": "string", "bytes": "binary", "large_binary": "binary",
    "boolean": "bool", "double": "float64", "halffloat": "float16", "date32": "date",
}  # fmt: skip

_TIME_UNITS = {"time": ("ms", "us", "ns"), "time32": ("ms",), "time64": ("us", "ns")}
_UNITS = ("s", "ms", "us", "ns")
_NESTED = {"list": "list", "large_list": "list", "map": "map", "struct": "struct"}
_WORDS = (*TYPES, *_ALIASES, *_TIME_UNITS, "timestamp", "decimal", "decimal128", "fixed_size_binary", *_NESTED)

_WIDTH = 'the width differs from program to program; write "{0}64" or "{0}32"'
_INSTANT = 'write "timestamp[us, UTC]" for instants or "timestamp[us]" for local times'
_NO_DURATION = 'readers agree on no type for it; write "int64" and the unit in the name'

_REFUSED = {
    "int": _WIDTH.format("int"), "integer": _WIDTH.format("int"), "uint": _WIDTH.format("uint"),
    "float": 'it is 32 bits wide to Arrow and 64 to Python; write "float64" or "float32"',
    "bigint": 'write "int64"', "smallint": 'write "int16"', "tinyint": 'write "int8"', "long": 'write "int64"',
    "short": 'write "int16"', "byte": 'write "int8" or "binary"', "real": 'write "float32"',
    "i8": 'eight bits or eight bytes? write "int8" or "int64"', "i16": 'write "int16"', "i32": 'write "int32"',
    "i64": 'write "int64"', "i1": 'write "int8"', "i2": 'write "int16"', "i4": 'write "int32"',
    "u8": 'eight bits or eight bytes? write "uint8" or "uint64"', "u16": 'write "uint16"', "u32": 'write "uint32"',
    "u64": 'write "uint64"', "u1": 'write "uint8"', "u2": 'write "uint16"', "u4": 'write "uint32"',
    "f2": 'write "float16"', "f4": 'write "float32"', "f8": 'write "float64"',
    "f16": 'write "float16"', "f32": 'write "float32"', "f64": 'write "float64"',
    "text": 'write "string"', "varchar": 'write "string"', "char": 'write "string"', "string_view": 'write "string"',
    "object": 'write "string", "binary" or "json"', "category": 'write "string"',
    "dictionary": "columns get dictionaries by themselves; write the type of the values",
    "blob": 'write "binary"', "bytea": 'write "binary"', "varbinary": 'write "binary"', "binary_view": 'write "binary"',
    "guid": 'write "uuid"', "jsonb": 'write "json"',
    "datetime": f"its unit is not given; {_INSTANT}", "datetime64": _INSTANT,
    "timestamptz": 'write "timestamp[us, UTC]"', "date64": 'write "date" or "timestamp[ms]"',
    "interval": _NO_DURATION, "duration": _NO_DURATION, "timedelta": _NO_DURATION,
    "numeric": 'write "decimal(12, 2)": digits and scale', "number": 'write "int64", "float64" or "decimal(12, 2)"',
    "decimal32": 'write "decimal(P, S)"', "decimal64": 'write "decimal(P, S)"',
    "decimal256": f'write "decimal(P, S)", of at most {MAX_DIGITS} digits',
    "null": "a column has a type even if all values are null", "array": 'write "list<int64>"',
    "fixed_size_list": 'write "list<int64>"', "row": 'write "struct<name: type>"', "dict": 'write "map<string, int64>"',
}  # fmt: skip

_BRACKETS = ("[", "(", "<")  # the right one and those that are written by mistake
_FOLLOW = "what may follow: '?', '| None', 'not null'"

_TOKEN = re.compile(
    r"\s*(?:(?P<word>[^\W\d]\w*)|(?P<number>-?[0-9]+)|(?P<quoted>'(?:[^']|'')*'(?!'))|(?P<mark>[][()<>?|,:=]))"
)
_ZONE = re.compile(r"\s*(?:tz\s*=\s*)?(?P<zone>[^\],\s]*)")


class Type(NamedTuple):
    """A type: its canonical text without mark, the core's name of it, and that one's parameters (0 where unused)."""

    text: str
    kind: str
    a: int = 0
    b: int = 0

    def __str__(self) -> str:
        return self.text


class Parsed(NamedTuple):
    """A type and its mark. ``by_enum``: an annotation named an Enum, so members of it are values."""

    type: Type
    nullable: bool | None = None  # None: not marked
    by_enum: bool = False


class _Token(NamedTuple):
    kind: str  # "word", "number", "quoted", "mark"; "" at the end
    text: str
    at: int
    end: int


def parse_type(text: str) -> Parsed:
    """The type and its mark. SchemaError with a caret under the place; UnsupportedError for nested types."""
    if not text.strip():
        raise _caret(text, 0, 'an empty type; write for example "int64" or "string?"')
    reader = _Reader(text)
    parsed = reader.member(0)
    rest = reader.peek()
    if rest.kind and parsed.nullable is None:
        reader.fail(f"unexpected {rest.text!r} after {reader.last!r}; {_FOLLOW}", rest.at)
    if rest.kind:
        reader.fail(f"unexpected {rest.text!r}: the type has ended", rest.at)
    if reader.nested:
        raise UnsupportedError(f"type {_cut(text.strip(), 0)[0]!r}: nested types come with a later release")
    return parsed


def nearest_type(word: str) -> str | None:
    """The known word that is most like this one."""
    near = difflib.get_close_matches(word[:40].lower(), _WORDS, n=1, cutoff=0.6)
    return near[0] if near else None


def _cut(text: str, at: int) -> tuple[str, int]:
    """A window of a text that fits a line, and where the place is in it."""
    first = max(0, at - _SHOWN // 2) if len(text) > _SHOWN else 0
    # A tab or a line break in the text would move the caret away from its place.
    shown = "".join(c if c.isprintable() else "?" for c in text[first : first + _SHOWN])
    before = "..." if first else ""
    after = "..." if first + _SHOWN < len(text) else ""
    return before + shown + after, at - first + len(before)


def _caret(text: str, at: int, message: str) -> SchemaError:
    shown, at = _cut(text, at)
    return SchemaError(f"{message}\n  {shown}\n  {' ' * at}^")


def _found(token: _Token) -> str:
    return f"not {token.text[:40]!r}" if token.kind else "and the text ends"


class _Reader:
    """Reads one text from left to right, by recursive descent. ``last`` is the last word of a type that was read."""

    def __init__(self, text: str):
        self.text = text
        self.at = 0
        self.last = ""
        self.nested = False

    def fail(self, message: str, at: int) -> NoReturn:
        raise _caret(self.text, at, message) from None

    def _token(self, at: int) -> _Token:
        m = _TOKEN.match(self.text, at)
        if m is not None:
            kind = m.lastgroup or ""
            return _Token(kind, m[kind], m.start(kind), m.end())
        place = at + len(self.text[at:]) - len(self.text[at:].lstrip())
        if place == len(self.text):
            return _Token("", "", len(self.text.rstrip()), place)
        if self.text[place] == "'":
            self.fail("a quote that is not closed", place)
        self.fail(f"unexpected character {self.text[place]!r} in a type", place)

    def peek(self) -> _Token:
        return self._token(self.at)

    def take(self) -> _Token:
        token = self._token(self.at)
        self.at = token.end
        return token

    def accept(self, text: str) -> bool:
        token = self.peek()
        if token.kind in ("word", "mark") and token.text == text:
            self.at = token.end
            return True
        return False

    def expect(self, text: str, advice: str) -> None:
        token = self.peek()
        if not self.accept(text):
            self.fail(f"{text!r} is expected here, {_found(token)}; {advice}", token.at)

    def member(self, depth: int) -> Parsed:
        """A type with its mark."""
        made = self.base(depth)
        if self.accept("?"):
            return Parsed(made, True)
        if self._accept_both("|", "None"):
            return Parsed(made, True)
        if self._accept_both("not", "null"):
            return Parsed(made, False)
        return Parsed(made, None)

    def _accept_both(self, first: str, second: str) -> bool:
        before = self.at
        if self.accept(first) and self.accept(second):
            return True
        self.at = before
        return False

    def base(self, depth: int) -> Type:
        token = self.take()
        word = token.text
        if not token.kind:
            self.fail("a type is expected here, and the text ends", token.at)
        self.last = word
        if word in _NESTED:
            return self._nested(_NESTED[word], token, depth)
        if word in _TIME_UNITS:
            return self._time(token)
        if word == "timestamp":
            return self._timestamp(token)
        if word in ("decimal", "decimal128"):
            return self._decimal(token)
        if word == "fixed_size_binary" or (word == "binary" and self.peek().text in _BRACKETS):
            return self._fixed(word)
        if word == "date32" and self.accept("["):
            self.expect("day", 'write "date"')
            self.expect("]", 'write "date"')
        name = _ALIASES.get(word, word)
        if name in TYPES:
            return Type(name, name)
        refused = _REFUSED.get(word.lower())
        if refused:
            self.fail(f"type {word!r} is refused: {refused}", token.at)
        near = nearest_type(word)
        advice = f"did you mean {near!r}?" if near else f"known: {', '.join(FORMS)}"
        self.fail(f"unknown type {word[:80]!r}; {advice}", token.at)

    def number(self, lowest: int, highest: int, what: str) -> int:
        token = self.peek()
        if token.kind != "number":
            self.fail(f"a number is expected here, {_found(token)}: {what}", token.at)
        self.take()
        n = int(token.text) if len(token.text) <= 20 else -1
        if not lowest <= n <= highest:
            self.fail(f"{what}, not {token.text[:40]}", token.at)
        return n

    def _fixed(self, word: str) -> Type:
        advice = f'write "{word}[16]"'
        self.expect("[", advice)
        n = self.number(1, MAX_FIXED_BYTES, f"{word}[N] has 1 to {MAX_FIXED_BYTES} bytes")
        self.expect("]", advice)
        return Type(f"binary[{n}]", "fixed", n)

    def _decimal(self, token: _Token) -> Type:
        if self.peek().text not in _BRACKETS:
            self.fail(f'type {token.text!r} is refused without digits and scale: write "decimal(12, 2)"', self.peek().at)
        advice = 'write "decimal(12, 2)": digits and scale'
        self.expect("(", advice)
        digits = self.number(1, MAX_DIGITS, f"a decimal has 1 to {MAX_DIGITS} digits")
        scale = 0
        if self.accept(","):
            scale = self.number(0, digits, f"the scale of a decimal is 0 to {digits}, the number of its digits")
        self.expect(")", advice)
        return Type(f"decimal({digits}, {scale})", "decimal", digits, scale)

    def _unit(self, token: _Token, units: tuple[str, ...], advice: str) -> str:
        if self.peek().text not in _BRACKETS:
            self.fail(f"type {token.text!r} is refused without a unit: {advice}", self.peek().at)
        self.expect("[", advice)
        unit = self.peek()
        if unit.text not in units:
            known = " or ".join(filter(None, [", ".join(units[:-1]), units[-1]]))
            near = difflib.get_close_matches(unit.text[:40], units, n=1) if unit.text not in _UNITS else []
            advice = f"did you mean {near[0]!r}?" if near else advice
            self.fail(f"the unit of {token.text} is {known}, {_found(unit)}; {advice}", unit.at)
        return self.take().text

    def _time(self, token: _Token) -> Type:
        advice = 'write "time[ms]"' if token.text == "time32" else 'write "time[us]" or "time[ms]"'
        unit = self._unit(token, _TIME_UNITS[token.text], advice)
        utc = self._zone("time", unit)
        self.expect("]", advice)
        return Type(f"time[{unit}{', UTC' if utc else ''}]", f"time_{unit}{'_utc' if utc else ''}")

    def _timestamp(self, token: _Token) -> Type:
        unit = self._unit(token, _UNITS, _INSTANT)
        utc = self._zone("timestamp", unit)
        self.expect("]", f'write "timestamp[{unit}, UTC]" or "timestamp[{unit}]"')
        return Type(f"timestamp[{unit}{', UTC' if utc else ''}]", f"timestamp_{unit}{'_utc' if utc else ''}")

    def _zone(self, word: str, unit: str) -> bool:
        """Whether ", UTC" or ", tz=UTC" follows."""
        if not self.accept(","):
            return False
        m = _ZONE.match(self.text, self.at)
        zone, at = (m["zone"], m.start("zone")) if m else ("", self.at)
        if not zone:
            self.fail(f'a zone is expected here: write "{word}[{unit}, UTC]"', at)
        if zone != "UTC":
            self.fail(f'zone {zone[:40]!r} is refused, Parquet keeps the instant only; write "{word}[{unit}, UTC]"', at)
        self.at = at + len(zone)
        return True

    def _nested(self, word: str, token: _Token, depth: int) -> Type:
        if depth >= _MAX_DEPTH:
            self.fail(f"types are nested at most {_MAX_DEPTH} deep", token.at)
        self.nested = True
        advice = {"list": 'write "list<string>"', "map": 'write "map<string, int64>"', "struct": 'write "struct<a: int64>"'}[word]
        self.expect("<", advice)
        if word == "list":
            self._name_of_element()
            self.member(depth + 1)
        elif word == "map":
            key_at = self.peek().at
            if self.member(depth + 1).nullable:
                self.fail("a key of a map is never null", key_at)
            self.expect(",", advice)
            self.member(depth + 1)
        else:
            self._struct_fields(depth, advice)
        self.expect(">", f"{advice}; {_FOLLOW}")
        return Type(word, word)

    def _name_of_element(self) -> None:
        name = self.peek()
        if name.kind in ("word", "quoted") and self._token(name.end).text == ":":
            self.at = self._token(name.end).end

    def _struct_fields(self, depth: int, advice: str) -> None:
        seen: set[str] = set()
        while True:
            name = self.peek()
            if name.kind not in ("word", "quoted"):
                self.fail(f"a name is expected here, {_found(name)}; {advice}", name.at)
            self.take()
            text = name.text[1:-1].replace("''", "'") if name.kind == "quoted" else name.text
            if not text:
                self.fail("a name in a struct is empty", name.at)
            if text in seen:
                self.fail(f"{text[:80]!r} is there twice", name.at)
            seen.add(text)
            self.expect(":", advice)
            self.member(depth + 1)
            if not self.accept(","):
                return
