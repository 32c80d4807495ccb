/* The slowest possible readers of packed bits and varints: what the codec tests decode with. */
#ifndef CQ_TEST_BITREAD_H
#define CQ_TEST_BITREAD_H

#include "cqtest.h"

static inline uint64_t bits_at(const uint8_t *p, size_t pos, unsigned width)
{
    uint64_t v = 0;
    for (unsigned k = 0; k < width; k++) v |= (uint64_t)(p[(pos + k) / 8] >> (pos + k) % 8 & 1) << k;
    return v;
}

static inline uint64_t varint_at(const uint8_t *p, size_t n, size_t *at)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        CQT(*at < n);
        uint8_t const c = p[(*at)++];
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) return v;
    }
    CQT_FAIL("a varint of more than ten bytes");
}

/* The low bits of a random number. */
static inline uint64_t rand_bits(unsigned width)
{
    uint64_t const r = cqt_rand();
    return width == 64 ? r : r & ((UINT64_C(1) << width) - 1);
}

#endif
