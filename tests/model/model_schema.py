"""Leaves of a schema: paths, maximum levels, what kind of value they hold and in which order their values stand.

Reading is forgiving here; whether a SchemaElement says exactly what ccpq promises is for model_check_schema.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from .model_errors import ModelError, require
from .model_thrift import ConvertedType, FieldRepetitionType, Struct, Type

_CONVERTED_INTEGER = {
    ConvertedType[f"{sign}INT_{bits}"]: (bits, sign == "") for bits in (8, 16, 32, 64) for sign in ("", "U")
}
MAX_BOUND_BYTES = 64
_TEXT = {"STRING", "JSON", "ENUM"}
_CONVERTED_NAME = {ConvertedType.UTF8: "STRING", ConvertedType.JSON: "JSON", ConvertedType.ENUM: "ENUM"}


@dataclass(frozen=True)
class Leaf:
    """A column. `kind`: bool, int, uint, float, string, binary, decimal or int96; `bits` for int and uint."""

    path: tuple[str, ...]
    physical: int
    type_length: int | None
    max_def: int
    max_rep: int
    kind: str
    bits: int
    element: Struct

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @property
    def is_byte_array(self) -> bool:
        return self.physical == Type.BYTE_ARRAY

    @property
    def has_bounds(self) -> bool:
        """Fixed lengths beyond 64 bytes have none: a cut bound has another length, at which pyarrow ends the process."""
        return self.physical != Type.FIXED_LEN_BYTE_ARRAY or (self.type_length or 0) <= MAX_BOUND_BYTES

    def ordered(self, values: list[Any]) -> list[Any]:
        """Physical values as Python values whose < is the column's order: unsigned where unsigned, numbers for float16."""
        if self.kind == "uint":
            mask = (1 << (32 if self.physical == Type.INT32 else 64)) - 1
            return [v & mask for v in values]
        if self.kind == "float" and self.physical == Type.FIXED_LEN_BYTE_ARRAY:
            return [struct.unpack("<e", v)[0] for v in values]
        if self.kind == "decimal" and self.physical in (Type.BYTE_ARRAY, Type.FIXED_LEN_BYTE_ARRAY):
            return [int.from_bytes(v, "big", signed=True) for v in values]
        return values

    def python(self, values: list[Any]) -> list[Any]:
        """What read_table shows of ordered values: text as str, all else as it is."""
        if self.kind != "string":
            return values
        decoded = {v: v.decode("utf-8") for v in set(values)}
        return [decoded[v] for v in values]


def logical_name(element: Struct) -> str | None:
    """The name of the logical type, from logicalType or, in older files, from converted_type."""
    if element.logicalType is not None:
        names = element.logicalType.set_fields()
        return names[0] if names else None
    if element.converted_type in _CONVERTED_INTEGER:
        return "INTEGER"
    if element.converted_type == ConvertedType.DECIMAL:
        return "DECIMAL"
    return _CONVERTED_NAME.get(element.converted_type)


def _kind(element: Struct) -> tuple[str, int]:
    name = logical_name(element)
    physical = element.type
    if physical == Type.BOOLEAN:
        return "bool", 1
    if physical in (Type.FLOAT, Type.DOUBLE):
        return "float", 0
    if physical == Type.INT96:
        return "int96", 0
    if name == "DECIMAL":
        return "decimal", 0
    if physical in (Type.INT32, Type.INT64):
        bits, signed = (32 if physical == Type.INT32 else 64), True
        if name == "INTEGER" and element.logicalType is not None:
            bits, signed = element.logicalType.INTEGER.bitWidth, element.logicalType.INTEGER.isSigned
        elif name == "INTEGER":
            bits, signed = _CONVERTED_INTEGER[element.converted_type]
        return ("int" if signed else "uint"), bits
    if physical == Type.FIXED_LEN_BYTE_ARRAY and name == "FLOAT16":
        require(element.type_length == 2, "FLOAT16 is not 2 bytes long")
        return "float", 0
    return ("string" if physical == Type.BYTE_ARRAY and name in _TEXT else "binary"), 0


def schema_leaves(schema: list[Struct]) -> list[Leaf]:
    """The leaves in schema order, from the flattened tree of SchemaElements."""
    require(schema, "the schema is empty")
    leaves: list[Leaf] = []
    pos = 1

    def walk(n_children: int, path: tuple[str, ...], max_def: int, max_rep: int) -> None:
        nonlocal pos
        require(len(path) < 64, "the schema is nested too deeply")
        for _ in range(n_children):
            require(pos < len(schema), "the schema has fewer elements than num_children say")
            element = schema[pos]
            pos += 1
            below = path + (element.name,)
            optional = element.repetition_type != FieldRepetitionType.REQUIRED
            repeated = element.repetition_type == FieldRepetitionType.REPEATED
            if element.type is None:
                if not element.num_children:
                    raise ModelError("a group without children", column=".".join(below))
                walk(element.num_children, below, max_def + optional, max_rep + repeated)
            else:
                kind, bits = _kind(element)
                leaves.append(
                    Leaf(below, element.type, element.type_length, max_def + optional, max_rep + repeated, kind, bits, element)
                )

    walk(schema[0].num_children or 0, (), 0, 0)
    require(pos == len(schema), "the schema has more elements than num_children say")
    return leaves
