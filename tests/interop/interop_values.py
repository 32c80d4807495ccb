"""The canonical form of values: what the reader programs print and what the driver expects. Nothing of ccpq is in here.

A column is an object of facts and values. `kind` and its facts:

    bool | int (bits, signed) | float (bits) | string | binary (length, where it is fixed) | date
    time, timestamp (unit: ms, us or ns; utc: true or false) | decimal (precision, scale) | uuid | json | bson | enum

A value is null or a text, equal for equal values and different for different ones:

    bool       true, false
    int        decimal digits; date: days since 1970-01-01; time, timestamp: the count of units; decimal: the unscaled integer
    float      the bits in hexadecimal, most significant first (so -0 is not 0); nan for every NaN
    string     the text itself; json and enum too
    binary     hexadecimal; bson and uuid too

A program prints one JSON object per line: first {"reader", "version"}, then for every file {"file", "columns"} or
{"file", "error"}; a column that could not be read is {"error"}. Programs written in Python get the plumbing from
`main`.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Callable, Iterable
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

FACTS = ("kind", "bits", "signed", "length", "precision", "scale", "unit", "utc")
HEX_KINDS = ("binary", "bson", "uuid")
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # per second

_wide = Context(prec=100)
_float_formats = {16: (struct.Struct(">e"), 4), 32: (struct.Struct(">f"), 8), 64: (struct.Struct(">d"), 16)}

Tell = Callable[[Any], str]


def tell_bool(value: Any) -> str:
    return "true" if value else "false"


def tell_int(value: Any) -> str:
    return str(int(value))


def tell_float(bits: int) -> Tell:
    pack = _float_formats[bits][0].pack

    def tell(value: Any) -> str:
        return pack(value).hex() if value == value else "nan"

    return tell


def tell_bytes(value: Any) -> str:
    return bytes(value).hex()


def tell_decimal(scale: int) -> Tell:
    def tell(value: Decimal) -> str:
        unscaled = value.scaleb(scale, _wide)
        whole = int(unscaled)
        if whole != unscaled:
            raise ValueError(f"{value} has more than {scale} digits behind the point")
        return str(whole)

    return tell


def teller(kind: str, *, bits: int = 64, scale: int = 0) -> Tell:
    """How values of a kind are told, where a reader hands them over as Python values of the nearest type."""
    if kind == "bool":
        return tell_bool
    if kind in ("int", "date", "time", "timestamp"):
        return tell_int
    if kind == "float":
        return tell_float(bits)
    if kind == "decimal":
        return tell_decimal(scale)
    return tell_bytes if kind in HEX_KINDS else str


def column(kind: str, values: Iterable[Any], tell: Tell | None = None, **facts: Any) -> dict[str, Any]:
    """A column of the canonical form, from Python values; None is null."""
    if tell is None:
        tell = teller(kind, bits=facts.get("bits", 64), scale=facts.get("scale", 0))
    return {"kind": kind, **facts, "values": [None if v is None else tell(v) for v in values]}


def as_hex(column: dict[str, Any]) -> dict[str, Any]:
    """The same column as `binary`: the bytes of a text."""
    if column["kind"] in HEX_KINDS:
        values = column["values"]
    else:
        values = [None if v is None else v.encode().hex() for v in column["values"]]
    return {"kind": "binary", "values": values}


def main(
    reader: str, version: str, names: Callable[[str], Iterable[str]], read: Callable[[str, str], dict[str, Any]]
) -> None:
    """The body of a reader program: `names` gives the columns of a file, `read` one of them as `column` makes it."""

    def said(e: BaseException) -> str:
        return f"{type(e).__name__}: {e}"

    def show(line: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")

    show({"reader": reader, "version": version})
    for path in Path(sys.argv[1]).read_text(encoding="utf-8").split("\n"):
        line: dict[str, Any] = {"file": path}
        try:
            line["columns"] = columns = {}
            for name in names(path):
                try:
                    columns[name] = read(path, name)
                except BaseException as e:  # a panic of Rust is no Exception
                    if isinstance(e, (KeyboardInterrupt, SystemExit)):
                        raise
                    columns[name] = {"error": said(e)}
        except BaseException as e:
            if isinstance(e, (KeyboardInterrupt, SystemExit)):
                raise
            line = {"file": path, "error": said(e)}
        show(line)
