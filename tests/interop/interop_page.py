"""The page docs/interop.md: what all cells came to, small enough to be read. The same results give the same page."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from interop_cases import CODECS, PROFILES, File
from interop_compare import VIEWS, Cell, Known, Verdict
from interop_readers import READERS

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
ENCODINGS = ("plain", "dict", "delta", "byte_stream_split", "delta_length", "delta_byte_array", "rle")


def grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    out: dict[K, list[T]] = {}
    for item in items:
        out.setdefault(key(item), []).append(item)
    return out


def table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]) + "\n"


def parts(labels: Iterable[str]) -> list[str]:
    """The encodings of some labels, without the widths of dictionary indexes."""
    found = {re.sub(r"dict\d+", "dict", part) for label in labels for part in label.split("+")}
    return [e for e in ENCODINGS if e in found]


def row_of(label: str) -> str:
    return "mixed" if "+" in label else parts([label])[0]


def code(words: Iterable[str]) -> str:
    return ", ".join(f"`{w}`" for w in words)


class Numbers:
    """Exceptions in their order, numbered from 1, as cells name them."""

    def __init__(self, exceptions: list[Known]) -> None:
        self.of = {e.id: n for n, e in enumerate(exceptions, 1)}

    def cell(self, outcomes: list[str]) -> str:
        """`=` where all are equal, else the exceptions that some or all of the columns meet."""
        met = set(outcomes) - {"="}
        if "!" in met:
            return "WRONG"
        return " ".join(str(self.of[i]) for i in sorted(met, key=self.of.__getitem__)) or "="


def matrix(verdict: Verdict, numbers: Numbers, cells: list[Cell], names: list[str]) -> str:
    """Rows: types by encodings, those with the same cells together."""
    rows_of: dict[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]] = {}
    for t, mine in grouped(cells, lambda c: c.type).items():
        by_row = grouped(mine, lambda c: row_of(c.encoding))
        outcomes = {}
        for encoding in (*ENCODINGS, "mixed"):
            if encoding in by_row:
                by_reader = grouped(by_row[encoding], lambda c: c.reader)
                outcomes[encoding] = tuple(numbers.cell([verdict.outcomes[c] for c in by_reader[n]]) for n in names)
        rows_of[t] = tuple((tuple(same), outcome) for outcome, same in grouped(outcomes, outcomes.__getitem__).items())
    rows = []
    for same, types in grouped(rows_of, rows_of.__getitem__).items():
        for n, (encodings, outcome) in enumerate(same):
            rows.append([code(types) if n == 0 else "", ", ".join(encodings), *outcome])
    return table(["type", "encodings", *(READERS[n].title for n in names)], rows)


def extent(verdict: Verdict, entry: Known) -> str:
    """In which columns it was met."""
    cells = [c for c, outcome in verdict.outcomes.items() if outcome == entry.id]
    said = []
    for what, every in (("profile", (*PROFILES, "hand")), ("nulls", ("required", "optional"))):
        seen = {getattr(c, what) for c in cells}
        if not seen >= set(every) - {"hand"}:
            said.append(", ".join(f"`{x}`" if what == "profile" else x for x in every if x in seen))
    types = list(dict.fromkeys(c.type for c in cells))
    return (code(types) if len(types) <= 8 else f"{len(types)} types") + "".join("; " + x for x in said)


def widths(verdict: Verdict, numbers: Numbers, cells: list[Cell], names: list[str]) -> str:
    rows = []
    for width, some in sorted(grouped(cells, lambda c: int(re.sub(r"\D", "", c.column))).items()):
        by_reader = grouped(some, lambda c: c.reader)
        types = list(dict.fromkeys(c.type for c in some))
        cells_of = [numbers.cell([verdict.outcomes[c] for c in by_reader[n]]) for n in names]
        rows.append([f"{width} bits", code(types), *cells_of])
    return table(["indexes", "type", *(READERS[n].title for n in names)], rows)


def by_profile(found: dict[File, dict[str, str]], profiles: list[str]) -> str:
    """Which encodings each profile takes, and which are never taken."""
    taken: dict[str, dict[str, list[str]]] = {}
    for file, labels in found.items():
        if file.content != "hand":
            mine = taken.setdefault(file.type.text, {})
            mine[file.profile] = parts([*mine.get(file.profile, []), *labels.values()])
    rows = []
    for same, types in grouped(taken, lambda t: tuple(tuple(taken[t][p]) for p in profiles)).items():
        never = [e for e in ENCODINGS if not any(e in some for some in same)]
        rows.append([code(types), *(", ".join(some) for some in same), ", ".join(never)])
    return table(["type", *profiles, "never written"], rows)


def index_widths(found: dict[File, dict[str, str]]) -> str:
    rows = []
    for codec in CODECS:
        seen = {part for f, labels in found.items() if f.codec == codec and f.content != "hand"
                for label in labels.values() for part in label.split("+") if part.startswith("dict")}  # fmt: skip
        names = {"dict": "as narrow as can be", "dict8": "8 bits", "dict16": "16 bits", "dict24": "24 bits"}
        rows.append([f"`{codec}`", ", ".join(text for part, text in names.items() if part in seen)])
    return table(["codec", "widths that ccpq wrote"], rows)


def views(names: list[str]) -> str:
    rows = []
    for name in names:
        own = [types for types, view in VIEWS[name] if view == "itself"]
        shown = [f"`{types}` as {view}" for types, view in VIEWS[name] if view != "itself"]
        shown += [f"not so {code(own)}"] if own else []
        if shown:
            rows.append([READERS[name].title, "; ".join(shown)])
    return table(["reader", "what it makes of types that it has not"], rows)


def page(
    verdict: Verdict, found: dict[File, dict[str, str]], refused: dict[str, str], versions: dict[str, str]
) -> str:
    names = [n for n in READERS if n in versions]
    numbers = Numbers(verdict.exceptions)
    written = [c for c in verdict.outcomes if c.profile != "hand"]
    by_hand = [c for c in verdict.outcomes if c.profile == "hand"]
    profiles = [p for p in PROFILES if any(f.profile == p for f in found)]
    n_columns = sum(map(len, found.values()))
    exceptions = [
        [str(numbers.of[e.id]), f"`{e.id}`", e.what, extent(verdict, e), re.sub(r"(https://github\.com/([\w-]+/[\w-]+)/(?:issues|pull)/(\d+))",
                                                          r"[\2#\3](\1)", e.known)]
        for e in verdict.exceptions
    ]  # fmt: skip
    text = f"""# Which readers agree

Made by `make interop DOCS=--write-docs`; every `make interop` checks that it still holds. {len(found)} files with {n_columns:,}
columns are written: every type, required and optional with nulls, values that call for each encoding, extreme ones, the
codecs {code(CODECS)}, the profiles {code(profiles)}, several pages and row groups. Each reader prints all
values, and they are compared with those that went in.

{table(["reader", "version"], [[READERS[n].title, versions[n]] for n in names])}
## Types by encodings

`=`: every value is equal, in every codec and profile. A number: some or all of the columns meet the known exception of that
number, all others are equal. `mixed`: the pages of a column have different encodings, as when its dictionary is given up.

{matrix(verdict, numbers, written, names)}
## Known exceptions

Each is asserted still to fail as it says.

{table(["", "name", "what happens", "met in", "where it is known"], exceptions)}
## What readers show

A reader without a type of its own for a column gives the same values in another dress. These count as equal:

{views(names)}
## Encodings of the profiles

What the writer took for these values, over all codecs; the last column is what it never takes for the type.

{by_profile(found, profiles)}
## Widths of dictionary indexes

{index_widths(found)}
A dictionary ends at 65,536 entries, so that 24 bits do not occur yet. Files made by hand, with indexes wider than need be,
bit-packed and in runs:

{widths(verdict, numbers, by_hand, names)}"""
    if refused:
        text += "\n## Refused\n\n" + table(["", "what ccpq says"], [[f"`{k}`", v] for k, v in refused.items()])
    return text
