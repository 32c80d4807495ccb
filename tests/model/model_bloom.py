"""Split-block bloom filters: XXH64 in plain Python, the filter rebuilt from a chunk's values and compared bit by bit.

Only checking lives here; the reader prunes nothing.
"""

from __future__ import annotations

import struct
from typing import Any

from .model_errors import require
from .model_schema import Leaf
from .model_thrift import Type, parse_struct

_M64 = (1 << 64) - 1
_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P4, _P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
_SALTS = (0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31)


def _rotl(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _M64


def _round(acc: int, word: int) -> int:
    return _rotl((acc + word * _P2) & _M64, 31) * _P1 & _M64


def xxh64(data: bytes, seed: int = 0) -> int:
    n, pos = len(data), 0
    if n >= 32:
        accs = [(seed + _P1 + _P2) & _M64, (seed + _P2) & _M64, seed, (seed - _P1) & _M64]
        while n - pos >= 32:
            accs = [_round(acc, word) for acc, word in zip(accs, struct.unpack_from("<4Q", data, pos))]
            pos += 32
        h = sum(_rotl(acc, bits) for acc, bits in zip(accs, (1, 7, 12, 18))) & _M64
        for acc in accs:
            h = ((h ^ _round(0, acc)) * _P1 + _P4) & _M64
    else:
        h = (seed + _P5) & _M64
    h = (h + n) & _M64
    while n - pos >= 8:
        h = (_rotl(h ^ _round(0, struct.unpack_from("<Q", data, pos)[0]), 27) * _P1 + _P4) & _M64
        pos += 8
    if n - pos >= 4:
        h = (_rotl(h ^ struct.unpack_from("<I", data, pos)[0] * _P1 & _M64, 23) * _P2 + _P3) & _M64
        pos += 4
    for b in data[pos:]:
        h = _rotl(h ^ b * _P5 & _M64, 11) * _P1 & _M64
    h = (h ^ h >> 33) * _P2 & _M64
    h = (h ^ h >> 29) * _P3 & _M64
    return h ^ h >> 32


def plain_bytes(leaf: Leaf, values: list[Any]) -> set[bytes]:
    """The distinct PLAIN bytes, without length prefix, of ordered values: what a filter hashes."""
    require(leaf.physical != Type.BOOLEAN, "bloom filter of booleans")
    if leaf.kind in ("string", "binary"):
        return set(values)
    if leaf.kind == "decimal" and leaf.physical == Type.FIXED_LEN_BYTE_ARRAY:
        return {v.to_bytes(leaf.type_length, "big", signed=True) for v in values}
    letter = {Type.INT32: "i", Type.INT64: "q", Type.FLOAT: "f", Type.DOUBLE: "d", Type.FIXED_LEN_BYTE_ARRAY: "e"}[leaf.physical]
    pack = struct.Struct("<" + (letter.upper() if leaf.kind == "uint" else letter)).pack
    return {pack(v) for v in values}


def check_bloom_filter(data: bytes, pos: int, end: int, leaf: Leaf, hashed: set[bytes], has_nan: bool) -> None:
    """data[pos:end] is a header and a bitset that holds all values; exactly them, as long as no NaN lost its bits here."""
    header, body = parse_struct("BloomFilterHeader", data, pos, end, strict=True)
    require(header.numBytes >= 32 and header.numBytes % 32 == 0, f"bloom filter of {header.numBytes} bytes", offset=pos)
    require(end - body == header.numBytes, f"bloom_filter_length, the bitset has {header.numBytes} bytes", offset=pos)
    n_blocks = header.numBytes // 32
    words = [0] * (n_blocks * 8)
    for value in hashed:
        h = xxh64(value)
        block, key = (h >> 32) * n_blocks >> 32, h & 0xFFFFFFFF
        for i, salt in enumerate(_SALTS):
            words[block * 8 + i] |= 1 << ((key * salt & 0xFFFFFFFF) >> 27)
    given = struct.unpack_from(f"<{len(words)}I", data, body)
    missing = any(want & ~got for want, got in zip(words, given))
    require(not missing, "bloom filter misses a value of the chunk", offset=pos)
    require(has_nan or tuple(words) == given, "bloom filter has bits of values that are not there", offset=pos)
