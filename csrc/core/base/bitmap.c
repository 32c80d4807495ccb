/* Bitmaps: 64 bits at a time, at any offset. */
#include "base/bitmap.h"

#include "base/bytes.h"

/* Bits [from, from + 64), all of which are there: the ninth byte too, where it holds one of them. */
static uint64_t word_at(const uint8_t *bits, int64_t from)
{
    const uint8_t *p = bits + (from >> 3);
    unsigned const shift = (unsigned)(from & 7); /* lint: three bits */
    uint64_t const low = cq_load64(p) >> shift;
    return shift ? low | (uint64_t)p[8] << (64 - shift) : low;
}

bool cq_bitmap_has_zero(const uint8_t *bits, int64_t from, int64_t n)
{
    int64_t i = 0;
    for (; i + 64 <= n; i += 64)
        if (~word_at(bits, from + i)) return true;
    for (; i < n; i++)
        if (!cq_bitmap_get(bits, from + i)) return true;
    return false;
}

/* Byte k of the result is bit k. */
static uint64_t spread(uint64_t eight)
{
    uint64_t const one_bit_each = (eight * UINT64_C(0x0101010101010101)) & UINT64_C(0x8040201008040201);
    return (one_bit_each + UINT64_C(0x7F7F7F7F7F7F7F7F)) >> 7 & UINT64_C(0x0101010101010101);
}

void cq_bitmap_to_bytes(const uint8_t *bits, int64_t from, int64_t n, uint8_t *out)
{
    int64_t i = 0;
    for (; i + 64 <= n; i += 64) {
        uint64_t const w = word_at(bits, from + i);
        for (unsigned k = 0; k < 8; k++) cq_store64(out + i + 8 * k, spread(w >> (8 * k) & 0xFF));
    }
    for (; i < n; i++) out[i] = cq_bitmap_get(bits, from + i);
}
