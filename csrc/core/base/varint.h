/* Unsigned LEB128 integers and zigzag, as RLE headers, DELTA and thrift compact use them. */
#ifndef CQ_BASE_VARINT_H
#define CQ_BASE_VARINT_H

#include "base/bytes.h"

#define CQ_VARINT_BYTES 10 /* of the largest 64-bit value */

/* Returns the bytes written. */
static inline size_t cq_varint_put(uint8_t *dst, uint64_t v)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7) dst[n++] = cq_low8(v | 0x80);
    dst[n++] = cq_low8(v);
    return n;
}

static inline size_t cq_varint_bytes(uint64_t v) { return (cq_bit_width64(v | 1) + 6) / 7; }

static inline uint64_t cq_zigzag(int64_t v) { return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0); }

#endif
