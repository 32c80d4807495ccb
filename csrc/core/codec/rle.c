/* The RLE / bit-packed hybrid. One body for values of four bytes and of one byte.
 *
 * The values are cut greedily: at each border of a group of eight (counted from the end of the last
 * run) either a repeated run of at least paying_run(width) values starts there, or the group joins the
 * open bit-packed run. A repeated run of that length is smaller than its values bit-packed, the
 * header of the bit-packed run that it splits included; so the output is never larger than one
 * bit-packed run of everything, but for one header byte for each 64 groups. Values that are all equal
 * are one repeated run whatever their number, as cq_rle_encode_const writes them. */
#include "codec/rle.h"

#include "base/varint.h"
#include "codec/bitpack.h"

#define CQ_INLINE static inline __attribute__((always_inline))

CQ_INLINE unsigned value_bytes(unsigned w) { return (w + 7) / 8; }

/* The shortest run that is smaller as a repeated one. */
CQ_INLINE size_t paying_run(unsigned w)
{
    unsigned const cost = 1 + value_bytes(w) + 1;
    return 8 * (size_t)(cost / w + 1);
}

size_t cq_rle_bound(size_t n, unsigned bit_width)
{
    size_t const groups = n / 8 + 2; /* a padded group at the end, and rounding */
    return groups * bit_width + groups / 64 + 10 + 8;
}

static size_t put_repeat(uint8_t *dst, uint32_t v, size_t n, unsigned w)
{
    size_t at = cq_varint_put(dst, (uint64_t)n << 1);
    for (unsigned k = 0; k < value_bytes(w); k++) dst[at++] = cq_low8(v >> 8 * k);
    return at;
}

CQ_INLINE uint32_t value_at(const void *v, size_t i, bool bytes)
{
    return bytes ? ((const uint8_t *)v)[i] : ((const uint32_t *)v)[i];
}

CQ_INLINE bool eight_are(const uint32_t *p, uint64_t two)
{
    return ((cq_load64(p) ^ two) | (cq_load64(p + 2) ^ two) | (cq_load64(p + 4) ^ two) | (cq_load64(p + 6) ^ two)) == 0;
}

CQ_INLINE bool eight_equal(const void *v, size_t i, bool bytes)
{
    if (bytes) {
        const uint8_t *p = (const uint8_t *)v + i;
        return cq_load64(p) == p[0] * UINT64_C(0x0101010101010101);
    }
    const uint32_t *p = (const uint32_t *)v + i;
    return eight_are(p, p[0] * UINT64_C(0x0000000100000001));
}

/* Which of the eight values at p differ from a. */
CQ_INLINE unsigned differ8(const uint32_t *p, uint32_t a)
{
    unsigned m = 0;
    for (unsigned k = 0; k < 8; k++) m |= (unsigned)(p[k] != a) << k; /* lint: 0 or 1 */
    return m;
}

/* The end of the values equal to the one at i, not beyond n. The eight at i are equal. */
CQ_INLINE size_t run_end_u32(const uint32_t *p, size_t i, size_t n)
{
    uint32_t const a = p[i];
    uint64_t const two = a * UINT64_C(0x0000000100000001);
    i += 8;
    for (size_t k = 1; n - i >= 8; i += 8, k++) {
        /* A long run goes faster by whole blocks that equal themselves moved by one value. */
        if (k % 8 == 0)
            while (n - i >= 256 + 8 && p[i] == a && memcmp(p + i, p + i + 1, 255 * 4) == 0) i += 256;
        if (!eight_are(p + i, two)) return i + (unsigned)__builtin_ctz(differ8(p + i, a)); /* lint: 0..31 */
    }
    while (i < n && p[i] == a) i++;
    return i;
}

CQ_INLINE size_t run_end_u8(const uint8_t *p, size_t i, size_t n)
{
    uint64_t const all = p[i] * UINT64_C(0x0101010101010101);
    for (i += 8; n - i >= 8; i += 8) {
        uint64_t const d = cq_load64(p + i) ^ all;
        if (d) return i + (unsigned)__builtin_ctzll(d) / 8; /* lint: 0..63 */
    }
    while (i < n && p[i] == (all & 0xff)) i++;
    return i;
}

CQ_INLINE size_t run_end(const void *v, size_t i, size_t n, bool bytes)
{
    return bytes ? run_end_u8(v, i, n) : run_end_u32(v, i, n);
}

/* All of [i, n), at least one, are equal. */
CQ_INLINE bool all_equal(const void *v, size_t i, size_t n, bool bytes)
{
    uint32_t const a = value_at(v, i, bytes);
    while (i < n && value_at(v, i, bytes) == a) i++;
    return i == n;
}

CQ_INLINE void pack(const void *v, size_t i, size_t n, unsigned w, uint8_t *dst, bool bytes)
{
    if (bytes)
        cq_bitpack_u8((const uint8_t *)v + i, n, w, dst);
    else
        cq_bitpack_u32((const uint32_t *)v + i, n, w, dst);
}

/* A bit-packed run of [i, end); only the last of all may have an open group, filled with zeros. */
CQ_INLINE size_t put_packed(uint8_t *dst, const void *v, size_t i, size_t end, unsigned w, bool bytes)
{
    size_t const n = end - i, whole = n / 8 * 8;
    size_t at = cq_varint_put(dst, (uint64_t)((n + 7) / 8) << 1 | 1);
    pack(v, i, whole, w, dst + at, bytes);
    at += whole / 8 * w;
    if (whole < n) {
        uint64_t last[4] = {0};
        size_t const width = bytes ? 1 : 4;
        memcpy(last, (const uint8_t *)v + (i + whole) * width, (n - whole) * width);
        pack(last, 0, 8, w, dst + at, bytes);
        at += w;
    }
    return at;
}

CQ_INLINE size_t encode(const void *v, size_t n, unsigned w, size_t min_run, uint8_t *dst, bool bytes)
{
    size_t const least = cq_max_size(min_run, paying_run(w));
    size_t at = 0, open = 0, i = 0; /* [open, i): groups of the open bit-packed run */
    while (n - i >= 8) {
        if (!eight_equal(v, i, bytes)) {
            i += 8;
            continue;
        }
        size_t const end = run_end(v, i, n, bytes);
        if (end - i < least && end - i < n) {
            i += (end - i) / 8 * 8;
            continue;
        }
        if (open < i) at += put_packed(dst + at, v, open, i, w, bytes);
        at += put_repeat(dst + at, value_at(v, i, bytes), end - i, w);
        open = i = end;
    }
    /* Fewer than eight are left: a repeated run where they are equal and a padded group is larger. */
    if (i < n && 1 + value_bytes(w) <= w + (open == i) && all_equal(v, i, n, bytes)) {
        if (open < i) at += put_packed(dst + at, v, open, i, w, bytes);
        at += put_repeat(dst + at, value_at(v, i, bytes), n - i, w);
        open = n;
    }
    if (open < n) at += put_packed(dst + at, v, open, n, w, bytes);
    return at;
}

size_t cq_rle_encode_u32(const uint32_t *v, size_t n, unsigned bit_width, uint8_t *dst)
{
    return encode(v, n, bit_width, 0, dst, false);
}

size_t cq_rle_encode_u32_min(const uint32_t *v, size_t n, unsigned bit_width, size_t min_run, uint8_t *dst)
{
    return encode(v, n, bit_width, min_run, dst, false);
}

size_t cq_rle_encode_u8(const uint8_t *v, size_t n, unsigned bit_width, uint8_t *dst)
{
    return encode(v, n, bit_width, 0, dst, true);
}

size_t cq_rle_encode_const(uint32_t v, size_t n, unsigned bit_width, uint8_t *dst)
{
    return n ? put_repeat(dst, v, n, bit_width) : 0;
}
