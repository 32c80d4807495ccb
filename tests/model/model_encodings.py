"""The value encodings of Parquet, bytes to Python lists: PLAIN, RLE / bit-packed hybrid, DELTA_*, BYTE_STREAM_SPLIT.

Every decoder takes a buffer and the part of it that is its own, and returns the values and the position after its last byte.
In strict mode a decoder refuses what readers forgive: padding runs, cut-off last groups, widths of unused miniblocks.
Pages, levels and nulls are not known here.
"""

from __future__ import annotations

import struct
from itertools import accumulate
from typing import Any

from .model_errors import UnsupportedError, require
from .model_thrift import Type

_FORMATS = {Type.INT32: ("i", 4), Type.INT64: ("q", 8), Type.FLOAT: ("f", 4), Type.DOUBLE: ("d", 8)}
_BITS_OF_BYTE = [[b >> i & 1 for i in range(8)] for b in range(256)]


def fixed_size(physical: int, type_length: int | None) -> int | None:
    """Bytes per value of a fixed-size physical type, None for BOOLEAN and BYTE_ARRAY."""
    if physical in _FORMATS:
        return _FORMATS[physical][1]
    if physical == Type.INT96:
        return 12
    if physical == Type.FIXED_LEN_BYTE_ARRAY:
        require(type_length is not None and type_length > 0, "FIXED_LEN_BYTE_ARRAY without a length")
        return type_length
    return None


def unpack_bits(data: bytes, pos: int, width: int, count: int) -> list[int]:
    """`count` unsigned integers of `width` bits, least significant bit first, from data[pos:]; bytes beyond the end read as 0."""
    if width == 0:
        return [0] * count
    size = (count * width + 7) // 8
    raw = data[pos : pos + size].ljust(size, b"\0")
    if width == 1:
        out: list[int] = []
        for b in raw:
            out += _BITS_OF_BYTE[b]
        return out[:count]
    if width == 8:
        return list(raw)
    if width in (16, 32, 64):
        return list(struct.unpack(f"<{count}{'HIQ'[width.bit_length() - 5]}", raw))
    mask = (1 << width) - 1
    shifts = range(0, 8 * width, width)
    out = []
    for start in range(0, size, width):
        group = int.from_bytes(raw[start : start + width], "little")
        out += [group >> shift & mask for shift in shifts]
    return out[:count]


def uleb128(data: bytes, pos: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        require(pos < end, "varint is cut off")
        b = data[pos]
        pos += 1
        value |= (b & 0x7F) << shift
        if b < 0x80:
            return value, pos
        shift += 7
        require(shift < 70, "varint of more than 10 bytes")


def zigzag(data: bytes, pos: int, end: int) -> tuple[int, int]:
    raw, pos = uleb128(data, pos, end)
    return (raw >> 1) ^ -(raw & 1), pos


def decode_hybrid(data: bytes, pos: int, end: int, width: int, count: int, *, strict: bool) -> tuple[list[int], int]:
    """RLE / bit-packed hybrid runs without any length prefix, until `count` values are there."""
    require(0 <= width <= 32, f"bit width {width}")
    values: list[int] = []
    value_bytes = (width + 7) // 8
    while len(values) < count:
        left = count - len(values)
        header, pos = uleb128(data, pos, end)
        if header & 1:
            groups = header >> 1
            require(groups > 0, "bit-packed run of no group")
            size = groups * width
            if strict:
                require(size <= end - pos, "bit-packed run is cut off")
                require(groups * 8 - left < 8, "bit-packed run goes on beyond the values")
            take = min(groups * 8, left)
            require((take * width + 7) // 8 <= end - pos, "bit-packed run is cut off")
            values += unpack_bits(data[:end], pos, width, take)
            pos = min(pos + size, end)
        else:
            run = header >> 1
            require(run > 0, "RLE run of no value")
            require(value_bytes <= end - pos, "RLE run is cut off")
            value = int.from_bytes(data[pos : pos + value_bytes], "little")
            pos += value_bytes
            require(value < 1 << width or width == 0 and value == 0, f"RLE value {value} is wider than {width} bits")
            if strict:
                require(run <= left, "RLE run goes on beyond the values")
            values += [value] * min(run, left)
    return values, pos


def decode_plain(
    data: bytes, pos: int, end: int, physical: int, type_length: int | None, count: int
) -> tuple[list[Any], int]:
    if physical == Type.BOOLEAN:
        size = (count + 7) // 8
        require(size <= end - pos, "PLAIN booleans are cut off")
        return [bit == 1 for bit in unpack_bits(data, pos, 1, count)], pos + size
    if physical in _FORMATS:
        letter, size = _FORMATS[physical]
        require(size * count <= end - pos, f"PLAIN values are cut off: {end - pos} bytes for {count} of {size}")
        return list(struct.unpack_from(f"<{count}{letter}", data, pos)), pos + size * count
    if physical == Type.BYTE_ARRAY:
        values = []
        for _ in range(count):
            require(end - pos >= 4, "PLAIN byte array: length cut off")
            size = int.from_bytes(data[pos : pos + 4], "little")
            pos += 4
            require(size <= end - pos, f"PLAIN byte array of {size} bytes is cut off")
            values.append(data[pos : pos + size])
            pos += size
        return values, pos
    width = fixed_size(physical, type_length)
    require(width is not None, f"physical type {physical!r} is not known")
    assert width is not None
    require(width * count <= end - pos, "PLAIN fixed-length values are cut off")
    return [data[i : i + width] for i in range(pos, pos + width * count, width)], pos + width * count


def decode_delta_binary_packed(
    data: bytes, pos: int, end: int, bits: int, *, strict: bool, count: int | None = None
) -> tuple[list[int], int]:
    """Signed values of 32 or 64 bits; additions wrap. `count`, when given, is what the block header has to say."""
    block_size, pos = uleb128(data, pos, end)
    n_miniblocks, pos = uleb128(data, pos, end)
    total, pos = uleb128(data, pos, end)
    first, pos = zigzag(data, pos, end)
    require(count is None or total == count, f"delta: header says {total} values, the page has {count}")
    require(block_size > 0 and block_size % 128 == 0, f"delta: block size {block_size} is not a multiple of 128")
    require(n_miniblocks > 0 and block_size % n_miniblocks == 0, f"delta: {n_miniblocks} miniblocks in {block_size} values")
    per_miniblock = block_size // n_miniblocks
    require(per_miniblock % 32 == 0, f"delta: {per_miniblock} values per miniblock, not a multiple of 32")
    half, full = 1 << (bits - 1), 1 << bits
    require(-half <= first < half, f"delta: first value does not fit {bits} bits")
    if total == 0:
        return [], pos
    deltas: list[int] = [first]
    while len(deltas) < total:
        min_delta, pos = zigzag(data, pos, end)
        require(-half <= min_delta < half, f"delta: minimum delta does not fit {bits} bits")
        require(n_miniblocks <= end - pos, "delta: bit widths are cut off")
        widths = data[pos : pos + n_miniblocks]
        pos += n_miniblocks
        for width in widths:
            if len(deltas) == total:
                require(not strict or width == 0, "delta: unused miniblock has a bit width")
                continue
            require(width <= bits, f"delta: bit width {width} of INT{bits}")
            size = per_miniblock * width // 8
            take = min(per_miniblock, total - len(deltas))
            require((size if strict else (take * width + 7) // 8) <= end - pos, "delta: miniblock is cut off")
            deltas += [min_delta + d for d in unpack_bits(data[:end], pos, width, take)]
            pos = min(pos + size, end)
    values = list(accumulate(deltas))
    if max(values) >= half or min(values) < -half:
        values = [(v + half) % full - half for v in values]
    return values, pos


def decode_delta_length(data: bytes, pos: int, end: int, count: int, *, strict: bool) -> tuple[list[bytes], int]:
    lengths, pos = decode_delta_binary_packed(data, pos, end, 32, strict=strict, count=count)
    values = []
    for length in lengths:
        require(0 <= length <= end - pos, f"DELTA_LENGTH_BYTE_ARRAY: length {length}")
        values.append(data[pos : pos + length])
        pos += length
    return values, pos


def decode_delta_byte_array(data: bytes, pos: int, end: int, count: int, *, strict: bool) -> tuple[list[bytes], int]:
    prefixes, pos = decode_delta_binary_packed(data, pos, end, 32, strict=strict, count=count)
    suffixes, pos = decode_delta_length(data, pos, end, count, strict=strict)
    values: list[bytes] = []
    last = b""
    for prefix, suffix in zip(prefixes, suffixes):
        require(0 <= prefix <= len(last), f"DELTA_BYTE_ARRAY: prefix of {prefix} bytes from a value of {len(last)}")
        last = last[:prefix] + suffix
        values.append(last)
    return values, pos


def decode_byte_stream_split(
    data: bytes, pos: int, end: int, physical: int, type_length: int | None, count: int
) -> tuple[list[Any], int]:
    size = fixed_size(physical, type_length)
    if size is None or physical == Type.INT96:
        raise UnsupportedError(f"BYTE_STREAM_SPLIT of {physical!r}")
    require(size * count <= end - pos, "BYTE_STREAM_SPLIT streams are cut off")
    joined = bytearray(size * count)
    for i in range(size):
        joined[i::size] = data[pos + i * count : pos + (i + 1) * count]
    values, _ = decode_plain(bytes(joined), 0, len(joined), physical, type_length, count)
    return values, pos + size * count
