"""Decompression of one page body: zstd by the system's library, snappy and LZ4 blocks in plain Python, gzip by zlib.

Every function knows the size that must come out and raises ModelError for any other. Nothing here knows pages.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import zlib
from functools import lru_cache

from .model_errors import UnsupportedError, require
from .model_thrift import CompressionCodec

_MAX_WINDOW = 8 << 20
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


@lru_cache(maxsize=1)
def _libzstd() -> ctypes.CDLL:
    try:
        lib = ctypes.CDLL("libzstd.so.1")
    except OSError:
        lib = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so")
    lib.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
    lib.ZSTD_getFrameContentSize.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    lib.ZSTD_findFrameCompressedSize.restype = ctypes.c_size_t
    lib.ZSTD_findFrameCompressedSize.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    lib.ZSTD_decompress.restype = ctypes.c_size_t
    lib.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    lib.ZSTD_isError.restype = ctypes.c_uint
    lib.ZSTD_isError.argtypes = [ctypes.c_size_t]
    return lib


def _zstd_window(frame: bytes) -> int | None:
    """The window a frame header asks for; None for a single-segment frame, which needs its own content only."""
    descriptor = frame[4]
    if descriptor & 0x20:
        return None
    exponent, mantissa = frame[5] >> 3, frame[5] & 7
    base = 1 << (10 + exponent)
    return base + base // 8 * mantissa


def _zstd(data: bytes, size: int, strict: bool) -> bytes:
    require(len(data) >= 6 and data[:4] == _ZSTD_MAGIC, "zstd: not a frame")
    lib = _libzstd()
    if strict:
        declared = lib.ZSTD_getFrameContentSize(data, len(data))
        require(declared < (1 << 64) - 2, "zstd: the frame has no content size")
        require(declared == size, f"zstd: the frame declares {declared} bytes, the page {size}")
        frame = lib.ZSTD_findFrameCompressedSize(data, len(data))
        require(frame == len(data), "zstd: the body is not exactly one frame")
        window = _zstd_window(data)
        require(window is None or window <= _MAX_WINDOW, f"zstd: window of {window} bytes")
    out = ctypes.create_string_buffer(max(size, 1))
    got = lib.ZSTD_decompress(out, size, data, len(data))
    require(not lib.ZSTD_isError(got), "zstd: the frame does not decompress")
    require(got == size, f"zstd: {got} bytes came out, {size} are declared")
    return out.raw[:size]


def _copy_back(out: bytearray, distance: int, length: int, codec: str) -> None:
    require(0 < distance <= len(out), f"{codec}: copy from before the start")
    start = len(out) - distance
    if distance >= length:
        out += out[start : start + length]
    else:
        out += (bytes(out[start:]) * (length // distance + 1))[:length]


def _snappy(data: bytes, size: int, strict: bool) -> bytes:
    declared = shift = pos = 0
    while True:
        declared |= (data[pos] & 0x7F) << shift
        pos += 1
        if data[pos - 1] < 0x80:
            break
        shift += 7
        require(shift < 35, "snappy: length varint too long")
    require(declared == size, f"snappy: the block declares {declared} bytes, the page {size}")
    out = bytearray()
    n = len(data)
    while pos < n:
        tag = data[pos]
        pos += 1
        kind = tag & 3
        if kind == 0:
            length = (tag >> 2) + 1
            if length > 60:
                width = length - 60
                require(width <= n - pos, "snappy: literal length cut off")
                length = int.from_bytes(data[pos : pos + width], "little") + 1
                pos += width
            require(length <= n - pos, "snappy: literal cut off")
            out += data[pos : pos + length]
            pos += length
        else:
            width = (1, 2, 4)[kind - 1]
            require(width <= n - pos, "snappy: copy cut off")
            distance = int.from_bytes(data[pos : pos + width], "little")
            pos += width
            if kind == 1:
                distance |= (tag >> 5) << 8
                length = ((tag >> 2) & 7) + 4
            else:
                length = (tag >> 2) + 1
            _copy_back(out, distance, length, "snappy")
        require(len(out) <= size, "snappy: more bytes come out than declared")
    require(len(out) == size, f"snappy: {len(out)} bytes came out, {size} are declared")
    return bytes(out)


def _lz4_length(data: bytes, pos: int, length: int) -> tuple[int, int]:
    if length == 15:
        while True:
            length += data[pos]
            pos += 1
            if data[pos - 1] != 255:
                break
    return length, pos


def _lz4_raw(data: bytes, size: int, strict: bool) -> bytes:
    out = bytearray()
    pos, n = 0, len(data)
    while pos < n:
        token = data[pos]
        length, pos = _lz4_length(data, pos + 1, token >> 4)
        require(length <= n - pos, "lz4: literal cut off")
        out += data[pos : pos + length]
        pos += length
        if pos == n:
            break
        require(n - pos >= 2, "lz4: match cut off")
        distance = int.from_bytes(data[pos : pos + 2], "little")
        length, pos = _lz4_length(data, pos + 2, token & 15)
        _copy_back(out, distance, length + 4, "lz4")
        require(len(out) <= size, "lz4: more bytes come out than declared")
    require(len(out) == size, f"lz4: {len(out)} bytes came out, {size} are declared")
    return bytes(out)


def _gzip(data: bytes, size: int, strict: bool) -> bytes:
    out = b""
    while data:
        member = zlib.decompressobj(31)
        out += member.decompress(data, max(size - len(out), 0) + 1)
        require(member.eof and len(out) <= size, "gzip: more bytes come out than declared, or the member is cut off")
        data = member.unused_data
    require(len(out) == size, f"gzip: {len(out)} bytes came out, {size} are declared")
    return out


def _uncompressed(data: bytes, size: int, strict: bool) -> bytes:
    require(len(data) == size, f"uncompressed page of {len(data)} bytes declares {size}")
    return data


_CODECS = {
    CompressionCodec.UNCOMPRESSED: _uncompressed,
    CompressionCodec.SNAPPY: _snappy,
    CompressionCodec.GZIP: _gzip,
    CompressionCodec.ZSTD: _zstd,
    CompressionCodec.LZ4_RAW: _lz4_raw,
}


def decompress(codec: int, data: bytes, size: int, *, strict: bool) -> bytes:
    """The `size` bytes that `data` stands for; strict asks zstd for one frame with its content size."""
    if codec not in _CODECS:
        raise UnsupportedError(f"codec {codec!r} is not read here")
    return _CODECS[codec](data, size, strict)
