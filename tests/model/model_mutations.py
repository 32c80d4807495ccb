"""Valid handmade files and every way in which the oracle's tests break them: one `Case` for each check of the validator.

A case changes one thing at one stage of the emitter and says what the validator has to answer, with the place. The tests
run the cases and ask that together they reach every check, so that none is one that cannot fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .handmade import XXH64, build
from .handmade_parts import ColumnSpec, FileSpec, PageSpec, Rec

NAN = float("nan")
_P = PageSpec


def flat(codec: str = "zstd") -> FileSpec:
    """Two row groups of 6 and 3 rows: every type, a NaN chunk, an all-null chunk, bounds cut and bounds not expressible."""
    c = ColumnSpec
    columns = [
        c("id", "int64", [[_P([1, 2, 3, 4], "DELTA"), _P([5, 6])], [_P([7, 8, 9], "DELTA")]]),
        c("name", "string", [[_P(["b", "a", None, "b"], "DICT"), _P(["c", None])], [_P([None] * 3)]], optional=True),
        c("value", "float32", [[_P([0.0, 1.5, -0.0, -2.5], "DICT"), _P([3.0, 1.5])], [_P([NAN, 1.0, 2.0])]]),
        c("flag", "bool", [[_P([True, None, False, True]), _P([None, None])], [_P([True] * 3)]], optional=True),
        c("wide", "uint32", [[_P([2**32 - 1, 0, 5, 5]), _P([1, 2])], [_P([3, 3, 3], "DICT")]]),
        c("blob", "binary", [[_P([b"\xff" * 70, b"x", b"a", b""]), _P([b"q" * 100, b"r"])], [_P([b"a" * 70, b"b" * 70, b"c"])]]),
        c("text", "string", [[_P(["é" * 40, "z", "a", "b"]), _P(["ü" * 50, "ý" * 50])], [_P(["k", "l", "k"], "DICT")]]),
        c("small", "int8", [[_P([9, -8, 7, 6]), _P([-128, -100])], [_P([1, None, 127])]], optional=True),
        c("tiny", "uint8", [[_P([255, 0, 1, 1], "DELTA"), _P([7, 7], "DELTA")], [_P([1, 2, 3])]]),
        c("down", "int32", [[_P([9, 8, 8, 7], "DICT"), _P([7, 6], "DICT")], [_P([3, 2, None])]], optional=True),
        c("big", "float64", [[_P([0.5] * 4, "DICT"), _P([0.25, 0.125])], [_P([-0.0, 1e300, 2.0])]]),
        c("huge", "uint64", [[_P([2**64 - 1, 0, 1, 2], "DELTA"), _P([3, 4])], [_P([2**63] * 3, "DICT")]]),
    ]
    return FileSpec(columns, codec=codec, sorting=[(0, False), (9, True)])


def lists(codec: str = "zstd") -> FileSpec:
    """A list column, with empty lists and null elements."""
    pages = [[_P([[1, 2], [], [None], [3]]), _P([[4], [5, 6]])], [_P([[1], [2, None], []], "DICT")]]
    return FileSpec(
        [ColumnSpec("tags", "list<int32>", pages), ColumnSpec("n", "int32", [[_P([1] * 6)], [_P([2] * 3)]])], codec=codec
    )


def modern(codec: str = "zstd") -> FileSpec:
    """Version 2 pages, raw ones too, and the encodings of the modern profile."""
    c = ColumnSpec
    columns = [
        c("word", "string", [[_P(["ab", "abc", None], "DELTA_BYTES", 2), _P(["abd", "b"], "DELTA_LENGTH", 2)]], optional=True),
        c("real", "float64", [[_P([1.0, 2.5, 3.0], "BSS", 2), _P([1.0, 1.0], "DICT", 2, False)]]),
        c("flag", "bool", [[_P([True, False, None], "RLE", 2), _P([None, None], "PLAIN", 2, False)]], optional=True),
        c("tags", "list<int32>", [[_P([[1], [], [2, 3]], "DELTA", 2), _P([[None], [4]], "PLAIN", 2)]]),
        c("n", "int64", [[_P([1, 2, 3], "PLAIN", 2), _P([4, 5], "DELTA", 1)]]),
    ]
    return FileSpec(columns, codec=codec, version=2)


def late(codec: str = "zstd") -> FileSpec:
    """Pages of nulls only before the first page of a dictionary, between its pages and behind the last."""
    pages = [_P([None, None]), _P([7, 8], "DICT"), _P([None], "DICT"), _P([8, None], "DICT"), _P([None]), _P([7], "DICT")]
    return FileSpec([ColumnSpec("late", "int32", [pages], optional=True)], codec=codec)


def fixed(codec: str = "zstd") -> FileSpec:
    """Fixed lengths with their orders: halves as numbers, decimals as signed numbers, other bytes unsigned; no bounds beyond 64."""
    c = ColumnSpec
    columns = [
        c("half", "float16", [[_P([0.0, -1.5, 2.0], "DICT"), _P([-0.0, -2.0**-24])], [_P([NAN, 1.0])]]),
        c("code", "fixed4", [[_P([b"\x80abc", b"\0\0\0\0", b"zzzz"], "DICT"), _P([None, b"\xff" * 4])], [_P([None, None])]], optional=True),
        c("long", "fixed70", [[_P([b"a" * 70, b"b" * 70, b"b" * 69 + b"c"]), _P([b"b" * 70, None])], [_P([None, None])]], optional=True),
        c("money", "decimal20", [[_P([-1, 0, 10**20 - 1], "DICT"), _P([-(10**20) + 1, 255])], [_P([-256, -255])]]),
    ]
    return FileSpec(columns, codec=codec)


def bloom(codec: str = "zstd") -> FileSpec:
    keys = list(XXH64)
    return FileSpec(
        [ColumnSpec("key", "binary", [[_P(keys)]], bloom=True), ColumnSpec("n", "int32", [[_P([1, 2, 3])]])], codec=codec
    )


def _only(*pages: PageSpec, kind: str = "int32", optional: bool = False, version: int = 1) -> Callable[..., FileSpec]:
    """A file of one column whose pages break a rule by themselves."""
    return lambda codec="zstd": FileSpec([ColumnSpec("n", kind, [list(pages)], optional)], codec=codec, version=version)


BASES: dict[str, Callable[..., FileSpec]] = {"flat": flat, "lists": lists, "modern": modern, "late": late, "fixed": fixed, "bloom": bloom}
FAULTY: dict[str, Callable[..., FileSpec]] = {
    "empty_page": _only(_P([]), _P([1, 2])),
    "dictionary_again": _only(_P([1, 2], "DICT"), _P([3]), _P([1], "DICT")),
    "boolean_dictionary": _only(_P([True, True], "DICT"), kind="bool"),
    "v2_page": _only(_P([1, 2], "PLAIN", 2)),
    "modern_null_page": _only(_P([1, 2], "PLAIN", 2), _P([None], "PLAIN", 2), optional=True, version=2),
}


@dataclass(frozen=True)
class Case:
    """`place`: row group, column and page as far as the stage has them; the hook acts there only, those of `also` too."""

    name: str
    stage: str
    place: tuple[Any, ...]
    change: Callable[[Any], Any]
    message: str
    base: str = "flat"
    codec: str = "zstd"
    also: tuple[tuple[str, Callable[[Any], Any]], ...] = ()

    @property
    def profile(self) -> str:
        return "modern" if self.base.startswith("modern") else "default"

    def broken(self) -> bytes:
        spec = (BASES | FAULTY)[self.base](self.codec)
        hits = []

        def hook(change: Callable[[Any], Any]) -> Callable[..., Any]:
            def act(obj: Any, *place: Any) -> Any:
                if place[: len(self.place)] != self.place:
                    return None
                hits.append(place)
                return change(obj)

            return act

        for stage, change in ((self.stage, self.change), *self.also):
            spec.hooks[stage] = hook(change)
        data = build(spec)
        assert hits, f"case {self.name} found no {self.stage} at {self.place}"
        return data


def put(path: str, value: Any) -> Callable[[Any], None]:
    """Set one field of a struct; the path goes down by names and list positions, a callable value maps the old one."""

    def change(rec: Any) -> None:
        *way, last = [int(word) if word.isdigit() else word for word in path.split(".")]
        for word in way:
            rec = rec[word]
        rec[last] = value(rec[last]) if callable(value) else value

    return change


def puts(**values: Any) -> Callable[[Any], None]:
    return lambda rec: rec.update(values)


def give(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


def plus(n: int) -> Callable[[int], int]:
    return lambda old: old + n


def element(number: int, **values: Any) -> Callable[[Any], None]:
    return lambda footer: footer["schema"][number].update(values)


def no_groups(**values: Any) -> Callable[[Any], None]:
    """A footer without row groups, for faults of the schema alone."""
    return lambda footer: footer.update(row_groups=[], num_rows=0, **values)


def logical(**values: Any) -> Rec:
    return Rec("LogicalType", **values)


E = Rec("Empty")
UTC_MILLIS = Rec("TimeType", isAdjustedToUTC=True, unit=Rec("TimeUnit", MILLIS=E))
UTC_NANOS = Rec("TimeType", isAdjustedToUTC=True, unit=Rec("TimeUnit", NANOS=E))


def integer_type(bits: int, signed: bool) -> Rec:
    return logical(INTEGER=Rec("IntType", bitWidth=bits, isSigned=signed))


def decimal_type(scale: int, precision: int) -> Rec:
    return logical(DECIMAL=Rec("DecimalType", scale=scale, precision=precision))


def both(*changes: Callable[[Any], Any]) -> Callable[[Any], None]:
    def change(obj: Any) -> None:
        for one in changes:
            one(obj)

    return change


# Numbers of some columns of `flat` in its schema list, where the root is 0.
ID, NAME, VALUE, FLAG, WIDE, BLOB, TEXT, SMALL = range(1, 9)
