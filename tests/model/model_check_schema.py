"""What ccpq promises about FileMetaData's schema: annotations of every leaf, column orders, and the words of created_by.

Levels and kinds are computed in model_schema; values are looked at elsewhere.
"""

from __future__ import annotations

import re

from .model_errors import at, require
from .model_schema import Leaf
from .model_thrift import ConvertedType, FieldRepetitionType, Struct, Type

_CREATED_BY = re.compile(r"ccpq version \d+\.\d+\.\d+[0-9A-Za-z.+-]* \(build [0-9A-Za-z._+-]+\)")
_UNIT = {"MILLIS": "MILLIS", "MICROS": "MICROS", "NANOS": None}

# logical type -> physical types, converted type; None stands for "no annotation at all".
_PLAIN_LOGICAL: dict[str, tuple[tuple[int, ...], str | None]] = {
    "STRING": ((Type.BYTE_ARRAY,), "UTF8"),
    "JSON": ((Type.BYTE_ARRAY,), "JSON"),
    "BSON": ((Type.BYTE_ARRAY,), None),  # DuckDB refuses a file with the old one
    "ENUM": ((Type.BYTE_ARRAY,), "ENUM"),
    "DATE": ((Type.INT32,), "DATE"),
    "UUID": ((Type.FIXED_LEN_BYTE_ARRAY,), None),
    "FLOAT16": ((Type.FIXED_LEN_BYTE_ARRAY,), None),
}
_BARE = (Type.BOOLEAN, Type.FLOAT, Type.DOUBLE, Type.BYTE_ARRAY, Type.FIXED_LEN_BYTE_ARRAY)
_LENGTHS = {"UUID": 16, "FLOAT16": 2}


def _decimal_bytes(precision: int) -> int:
    """The least length of two's complement that holds every number of so many digits."""
    n = 1
    while 10**precision - 1 >= 1 << 8 * n - 1:
        n += 1
    return n


def _check_annotation(element: Struct) -> None:
    """logicalType and converted_type name the same type, both where both exist, and fit the physical type."""
    physical = Type(element.type)
    converted = None if element.converted_type is None else ConvertedType(element.converted_type).name
    if element.logicalType is None:
        require(physical in _BARE, f"{physical.name} without logicalType")
        require(converted is None, f"converted_type {converted} without logicalType")
        return
    name = element.logicalType.set_fields()[0]
    logical = getattr(element.logicalType, name)
    wanted: tuple[str | None, ...]
    if name == "INTEGER":
        require(logical.bitWidth in (8, 16, 32, 64), f"INTEGER of {logical.bitWidth} bits")
        physicals = (Type.INT64,) if logical.bitWidth == 64 else (Type.INT32,)
        wanted = (f"{'' if logical.isSigned else 'U'}INT_{logical.bitWidth}",)
    elif name in ("TIME", "TIMESTAMP"):
        unit = logical.unit.set_fields()[0]
        physicals = (Type.INT32,) if (name, unit) == ("TIME", "MILLIS") else (Type.INT64,)
        old = None if _UNIT[unit] is None else f"{name}_{unit}"
        # Local times, too: "must annotate local time with legacy annotations" (LogicalTypes.md).
        wanted = (old,)
        require(name == "TIMESTAMP" or unit != "NANOS" or converted is None, "TIME in nanoseconds has no converted_type")
    elif name == "DECIMAL":
        physicals = (Type.INT32, Type.INT64, Type.FIXED_LEN_BYTE_ARRAY)
        wanted = ("DECIMAL",)
        require(1 <= logical.precision <= 38 and 0 <= logical.scale <= logical.precision, "DECIMAL precision or scale")
        require((element.precision, element.scale) == (logical.precision, logical.scale), "DECIMAL: precision and scale differ")
        n_bytes = _decimal_bytes(logical.precision)
        least = (Type.INT32, None) if n_bytes <= 4 else (Type.INT64, None) if n_bytes <= 8 else (Type.FIXED_LEN_BYTE_ARRAY, n_bytes)
        given = f"{physical.name} of length {element.type_length}"
        require((physical, element.type_length) == least, f"DECIMAL of {logical.precision} digits as {given}")
    else:
        require(name in _PLAIN_LOGICAL, f"logicalType {name} on a leaf")
        physicals, old_name = _PLAIN_LOGICAL[name]
        wanted = (old_name,)
    require(physical in physicals, f"logicalType {name} on {physical.name}")
    require(converted in wanted, f"converted_type {converted} beside logicalType {name}, expected {wanted[0]}")
    if name in _LENGTHS:
        require(element.type_length == _LENGTHS[name], f"{name} of {element.type_length} bytes")


def _check_element(element: Struct) -> None:
    require(element.name, "a schema element without a name")
    require(element.repetition_type is not None, "a schema element without repetition_type")
    if element.type is None:
        require(element.type_length is None and element.scale is None and element.precision is None, "a group with leaf fields")
        logical = None if element.logicalType is None else element.logicalType.set_fields()[0]
        require(logical in (None, "LIST", "MAP"), f"logicalType {logical} on a group")
        wanted = None if logical is None else ConvertedType[logical]
        require(element.converted_type == wanted, f"converted_type of a group with logicalType {logical}")
        return
    require(element.num_children is None, "a leaf with num_children")
    require(element.type != Type.INT96, "INT96 is never written")
    fixed = element.type == Type.FIXED_LEN_BYTE_ARRAY
    require((element.type_length is not None) == fixed, "type_length stands with FIXED_LEN_BYTE_ARRAY and nothing else")
    require(not fixed or element.type_length > 0, "type_length is not above 0")
    decimal = element.logicalType is not None and element.logicalType.DECIMAL is not None
    require(decimal or (element.scale is None and element.precision is None), "scale or precision without DECIMAL")
    _check_annotation(element)


def _check_sibling_names(schema: list[Struct]) -> None:
    pos = 1

    def walk(n_children: int) -> None:
        nonlocal pos
        seen: set[str] = set()
        for _ in range(n_children):
            element = schema[pos]
            pos += 1
            require(element.name not in seen, f"two columns named {element.name!r}")
            seen.add(element.name)
            walk(element.num_children or 0)

    walk(schema[0].num_children)


def check_schema(footer: Struct, leaves: list[Leaf], profile: str) -> None:
    version = 2 if profile == "modern" else 1
    require(footer.version == version, f"version {footer.version}, profile {profile} has {version}")
    require(footer.created_by is not None, "created_by is missing")
    require(_CREATED_BY.fullmatch(footer.created_by), f"created_by {footer.created_by!r}")
    root = footer.schema[0]
    require(root.num_children is not None, "the root has no num_children")
    others = set(root.set_fields()) - {"name", "num_children"}
    require(not others, f"the root has {', '.join(sorted(others))}")
    require(leaves, "a schema without leaves")
    for element in footer.schema[1:]:
        with at(column=element.name):
            _check_element(element)
    _check_sibling_names(footer.schema)
    for element in footer.schema[1:]:
        flat = element.type is None or element.repetition_type != FieldRepetitionType.REPEATED
        require(flat, "a repeated leaf outside a list", column=element.name)
    orders = footer.column_orders
    require(orders is not None, "column_orders is missing")
    require(len(orders) == len(leaves), f"column_orders has {len(orders)} entries for {len(leaves)} leaves")
    for order, leaf in zip(orders, leaves):
        require(order.TYPE_ORDER is not None, f"column order {order.set_fields()[0]}", column=leaf.name)
