/* DELTA_BINARY_PACKED. A block is worked on in one pass over at most 128 differences: smallest
 * difference, differences above it, and the bits they need per miniblock. See delta.h. */
#include "codec/delta.h"

#include "base/varint.h"
#include "codec/bitpack.h"

#define CQ_INLINE static inline __attribute__((always_inline))

enum { BLOCK = 128, MINIS = 4, MINI = BLOCK / MINIS };

/* One block: differences above the smallest one, and the width of each miniblock. Unused places
 * hold zeros. */
typedef struct block32 {
    uint32_t d[BLOCK];
    unsigned width[MINIS];
    int64_t min;
} block32;

typedef struct block64 {
    uint64_t d[BLOCK];
    unsigned width[MINIS];
    int64_t min;
} block64;

/* v[0] is the value before the block, v[1..k] are its values. Four smallest differences run side by
 * side: one alone is a chain of 128 compares that wait for each other. */
static void scan32(const int32_t *v, size_t k, block32 *b)
{
    int32_t d[BLOCK], least[4];
    for (size_t i = 0; i < k; i++) d[i] = cq_wrap_i32((uint32_t)v[i + 1] - (uint32_t)v[i]);
    for (size_t i = k; i < BLOCK; i++) d[i] = d[0];
    memcpy(least, d, sizeof least);
    for (size_t i = 4; i < BLOCK; i += 4)
        for (size_t j = 0; j < 4; j++) least[j] = d[i + j] < least[j] ? d[i + j] : least[j];
    for (size_t j = 1; j < 4; j++) least[0] = least[j] < least[0] ? least[j] : least[0];
    for (size_t i = k; i < BLOCK; i++) d[i] = least[0];
    for (size_t m = 0; m < MINIS; m++) {
        uint32_t any = 0;
        for (size_t i = m * MINI; i < (m + 1) * MINI; i++) {
            b->d[i] = (uint32_t)d[i] - (uint32_t)least[0];
            any |= b->d[i];
        }
        b->width[m] = cq_bit_width32(any);
    }
    b->min = least[0];
}

static void scan64(const int64_t *v, size_t k, block64 *b)
{
    int64_t d[BLOCK], least[4];
    for (size_t i = 0; i < k; i++) d[i] = cq_wrap_i64((uint64_t)v[i + 1] - (uint64_t)v[i]);
    for (size_t i = k; i < BLOCK; i++) d[i] = d[0];
    memcpy(least, d, sizeof least);
    for (size_t i = 4; i < BLOCK; i += 4)
        for (size_t j = 0; j < 4; j++) least[j] = d[i + j] < least[j] ? d[i + j] : least[j];
    for (size_t j = 1; j < 4; j++) least[0] = least[j] < least[0] ? least[j] : least[0];
    for (size_t i = k; i < BLOCK; i++) d[i] = least[0];
    for (size_t m = 0; m < MINIS; m++) {
        uint64_t any = 0;
        for (size_t i = m * MINI; i < (m + 1) * MINI; i++) {
            b->d[i] = (uint64_t)d[i] - (uint64_t)least[0];
            any |= b->d[i];
        }
        b->width[m] = cq_bit_width64(any);
    }
    b->min = least[0];
}

size_t cq_delta_bound(size_t n, unsigned width)
{
    size_t const blocks = n / BLOCK + 1;
    return 2 + 1 + 10 + 10 + blocks * (10 + MINIS + (size_t)BLOCK * width) + 8;
}

static size_t put_header(uint8_t *dst, size_t n, int64_t first)
{
    size_t at = cq_varint_put(dst, BLOCK);
    at += cq_varint_put(dst + at, MINIS);
    at += cq_varint_put(dst + at, n);
    return at + cq_varint_put(dst + at, cq_zigzag(first));
}

static size_t header_bytes(size_t n, int64_t first)
{
    return 2 + 1 + cq_varint_bytes(n) + cq_varint_bytes(cq_zigzag(first));
}

static size_t put_block_head(uint8_t *dst, int64_t min, const unsigned *width)
{
    size_t at = cq_varint_put(dst, cq_zigzag(min));
    for (size_t m = 0; m < MINIS; m++) dst[at++] = cq_low8(width[m]);
    return at;
}

static size_t block_bytes(int64_t min, const unsigned *width)
{
    return cq_varint_bytes(cq_zigzag(min)) + MINIS + (width[0] + width[1] + width[2] + width[3]) * (size_t)(MINI / 8);
}

size_t cq_delta_encode_i32(const int32_t *v, size_t n, uint8_t *dst)
{
    size_t at = put_header(dst, n, n ? v[0] : 0);
    block32 b;
    for (size_t i = 1; i < n; i += BLOCK) {
        scan32(v + i - 1, cq_min_size(BLOCK, n - i), &b);
        at += put_block_head(dst + at, b.min, b.width);
        for (size_t m = 0; m < MINIS; m++) {
            cq_bitpack_u32(b.d + m * MINI, MINI, b.width[m], dst + at);
            at += b.width[m] * (size_t)(MINI / 8);
        }
    }
    return at;
}

size_t cq_delta_encode_i64(const int64_t *v, size_t n, uint8_t *dst)
{
    size_t at = put_header(dst, n, n ? v[0] : 0);
    block64 b;
    for (size_t i = 1; i < n; i += BLOCK) {
        scan64(v + i - 1, cq_min_size(BLOCK, n - i), &b);
        at += put_block_head(dst + at, b.min, b.width);
        for (size_t m = 0; m < MINIS; m++) {
            cq_bitpack_u64(b.d + m * MINI, MINI, b.width[m], dst + at);
            at += b.width[m] * (size_t)(MINI / 8);
        }
    }
    return at;
}

size_t cq_delta_size_i32(const int32_t *v, size_t n)
{
    size_t at = header_bytes(n, n ? v[0] : 0);
    block32 b;
    for (size_t i = 1; i < n; i += BLOCK) {
        scan32(v + i - 1, cq_min_size(BLOCK, n - i), &b);
        at += block_bytes(b.min, b.width);
    }
    return at;
}

size_t cq_delta_size_i64(const int64_t *v, size_t n)
{
    size_t at = header_bytes(n, n ? v[0] : 0);
    block64 b;
    for (size_t i = 1; i < n; i += BLOCK) {
        scan64(v + i - 1, cq_min_size(BLOCK, n - i), &b);
        at += block_bytes(b.min, b.width);
    }
    return at;
}
