/* Bit packing, least significant bit first. One kernel per width, made from one inline body, so
 * that every shift is by a constant; byte-aligned widths are narrow copies.
 *
 * Words are stored whole: a store may reach up to 7 bytes beyond the packed values, which the next
 * group overwrites and the caller's bound includes for the last one. */
#include "codec/bitpack.h"

#include "base/bytes.h"

#define CQ_INLINE static inline __attribute__((always_inline))

/* Two neighbours in one 64-bit load become 2 * w bits: a | b << 32 -> a | b << w. */
CQ_INLINE uint64_t pair(const uint32_t *v, unsigned w)
{
    uint64_t const x = cq_load64(v);
    return (x & UINT32_MAX) | x >> 32 << w;
}

CQ_INLINE void pack_width(const uint32_t *v, size_t n, unsigned w, uint8_t *dst)
{
    for (size_t i = 0; i < n; i += 8, dst += w) {
        uint64_t out[5] = {0};
        for (unsigned k = 0; k < 4; k++) {
            uint64_t const p = pair(v + i + 2 * k, w);
            unsigned const at = 2 * k * w, shift = at % 64;
            out[at / 64] |= p << shift;
            if (shift + 2 * w > 64) out[at / 64 + 1] |= p >> (64 - shift);
        }
        for (unsigned k = 0; k * 8 < w; k++) cq_store64(dst + 8 * k, out[k]);
    }
}

static void pack_8(const uint32_t *restrict v, size_t n, uint8_t *restrict dst)
{
    for (size_t i = 0; i < n; i++) dst[i] = cq_low8(v[i]);
}

static void pack_16(const uint32_t *restrict v, size_t n, uint8_t *restrict dst)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t const x = cq_low16(v[i]);
        memcpy(dst + 2 * i, &x, 2);
    }
}

/* Four values are 96 bits: a 64-bit and a 32-bit store. */
static void pack_24(const uint32_t *restrict v, size_t n, uint8_t *restrict dst)
{
    for (size_t i = 0; i < n; i += 4, dst += 12) {
        uint64_t const a = v[i], b = v[i + 1], c = v[i + 2], d = v[i + 3];
        cq_store64(dst, a | b << 24 | c << 48);
        cq_store32(dst + 8, cq_low32(c >> 16 | d << 8));
    }
}

void cq_bitpack_u32(const uint32_t *v, size_t n, unsigned bit_width, uint8_t *dst)
{
#define CQ_CASE(w) case w: pack_width(v, n, w, dst); return;
    switch (bit_width) {
    CQ_CASE(1) CQ_CASE(2) CQ_CASE(3) CQ_CASE(4) CQ_CASE(5) CQ_CASE(6) CQ_CASE(7)
    case 8: pack_8(v, n, dst); return;
    CQ_CASE(9) CQ_CASE(10) CQ_CASE(11) CQ_CASE(12) CQ_CASE(13) CQ_CASE(14) CQ_CASE(15)
    case 16: pack_16(v, n, dst); return;
    CQ_CASE(17) CQ_CASE(18) CQ_CASE(19) CQ_CASE(20) CQ_CASE(21) CQ_CASE(22) CQ_CASE(23)
    case 24: pack_24(v, n, dst); return;
    CQ_CASE(25) CQ_CASE(26) CQ_CASE(27) CQ_CASE(28) CQ_CASE(29) CQ_CASE(30) CQ_CASE(31)
    case 32: if (n) memcpy(dst, v, n * 4); return;
    default: return; /* width 0: no bytes */
    }
#undef CQ_CASE
}

/* Widths 33..63 that are not whole bytes: an accumulator of the bits not yet stored. */
static void pack_wide(const uint64_t *v, size_t n, unsigned w, uint8_t *dst)
{
    uint64_t acc = 0;
    unsigned held = 0;
    for (size_t i = 0; i < n; i++) {
        acc |= v[i] << held;
        held += w;
        if (held >= 64) {
            cq_store64(dst, acc);
            dst += 8;
            held -= 64;
            acc = held ? v[i] >> (w - held) : 0;
        }
    }
    if (held) cq_store64(dst, acc);
}

void cq_bitpack_u64(const uint64_t *v, size_t n, unsigned bit_width, uint8_t *dst)
{
    if (bit_width == 0 || n == 0) return;
    if (bit_width == 64) {
        memcpy(dst, v, n * 8);
    } else if (bit_width % 8 == 0 && bit_width > 32) {
        for (size_t i = 0; i < n; i++) cq_store64(dst + i * (bit_width / 8), v[i]);
    } else if (bit_width > 32) {
        pack_wide(v, n, bit_width, dst);
    } else {
        uint32_t low[64];
        for (size_t i = 0; i < n; i += 64) {
            size_t const k = cq_min_size(64, n - i);
            for (size_t j = 0; j < k; j++) low[j] = cq_low32(v[i + j]);
            cq_bitpack_u32(low, k, bit_width, dst + i / 8 * bit_width);
        }
    }
}

void cq_bitpack_u8(const uint8_t *v, size_t n, unsigned bit_width, uint8_t *dst)
{
    if (bit_width == 8) {
        if (n) memcpy(dst, v, n);
        return;
    }
    if (bit_width == 1) {
        /* Byte i is bit 8 i; the multiplication adds a copy at bit 56 + i and no two terms meet. */
        for (size_t i = 0; i < n; i += 8) dst[i / 8] = cq_low8((cq_load64(v + i) * UINT64_C(0x0102040810204080)) >> 56);
        return;
    }
    unsigned const w = bit_width;
    for (size_t i = 0; i < n; i += 8, dst += w) {
        uint64_t x = cq_load64(v + i);
        x = (x & UINT64_C(0x00ff00ff00ff00ff)) | (x & UINT64_C(0xff00ff00ff00ff00)) >> (8 - w);
        x = (x & UINT64_C(0x0000ffff0000ffff)) | (x & UINT64_C(0xffff0000ffff0000)) >> (16 - 2 * w);
        x = (x & UINT64_C(0x00000000ffffffff)) | (x & UINT64_C(0xffffffff00000000)) >> (32 - 4 * w);
        cq_store64(dst, x);
    }
}
