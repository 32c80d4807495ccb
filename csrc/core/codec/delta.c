/* DELTA_BINARY_PACKED. A block is worked on in one pass over at most 128 differences: smallest
 * difference, differences above it, and the bits they need per miniblock. See delta.h.
 *
 * With CQ_PLAIN_ONLY defined only the portable twin of that pass is compiled, which the tests do. */
#include "codec/delta.h"

#include "base/varint.h"
#include "codec/bitpack.h"

#if defined(__x86_64__) && !defined(CQ_PLAIN_ONLY)
#include <immintrin.h>
#endif

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

/* v[0] is the value before the block, v[1..k] are its values. */
CQ_INLINE void scan32(const int32_t *v, size_t k, block32 *b)
{
    int32_t d[BLOCK], least = INT32_MAX;
    for (size_t i = 0; i < k; i++) {
        d[i] = cq_wrap_i32((uint32_t)v[i + 1] - (uint32_t)v[i]); /* lint: wraps as the format says */
        least = d[i] < least ? d[i] : least;
    }
    for (size_t i = k; i < BLOCK; i++) d[i] = least;
    for (size_t m = 0; m < MINIS; m++) {
        uint32_t any = 0;
        for (size_t i = m * MINI; i < (m + 1) * MINI; i++) {
            b->d[i] = (uint32_t)d[i] - (uint32_t)least; /* lint: wraps as the format says */
            any |= b->d[i];
        }
        b->width[m] = cq_bit_width32(any);
    }
    b->min = least;
}

CQ_INLINE void scan64(const int64_t *v, size_t k, block64 *b)
{
    int64_t d[BLOCK], least = INT64_MAX;
    for (size_t i = 0; i < k; i++) {
        d[i] = cq_wrap_i64((uint64_t)v[i + 1] - (uint64_t)v[i]);
        least = d[i] < least ? d[i] : least;
    }
    for (size_t i = k; i < BLOCK; i++) d[i] = least;
    for (size_t m = 0; m < MINIS; m++) {
        uint64_t any = 0;
        for (size_t i = m * MINI; i < (m + 1) * MINI; i++) {
            b->d[i] = (uint64_t)d[i] - (uint64_t)least;
            any |= b->d[i];
        }
        b->width[m] = cq_bit_width64(any);
    }
    b->min = least;
}

typedef void (*scan32_fn)(const int32_t *v, size_t k, block32 *b);
typedef void (*scan64_fn)(const int64_t *v, size_t k, block64 *b);

static void scan32_plain(const int32_t *v, size_t k, block32 *b) { scan32(v, k, b); }
static void scan64_plain(const int64_t *v, size_t k, block64 *b) { scan64(v, k, b); }

#if defined(__x86_64__) && !defined(CQ_PLAIN_ONLY)

#define CQ_AVX2 __attribute__((target("avx2")))

/* Compilers make this one good by themselves. */
CQ_AVX2 static void scan32_avx2(const int32_t *v, size_t k, block32 *b) { scan32(v, k, b); }

CQ_AVX2 static inline __m256i load256(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }

CQ_AVX2 static inline __m256i lower(__m256i a, __m256i b) { return _mm256_blendv_epi8(a, b, _mm256_cmpgt_epi64(a, b)); }

CQ_AVX2 static void scan64_avx2(const int64_t *v, size_t k, block64 *b)
{
    if (k < BLOCK) {
        scan64(v, k, b);
        return;
    }
    int64_t four[4];
    __m256i least = _mm256_set1_epi64x(INT64_MAX), least2 = least;
    for (size_t i = 0; i < BLOCK; i += 8) {
        __m256i const d = _mm256_sub_epi64(load256(v + i + 1), load256(v + i));
        __m256i const d2 = _mm256_sub_epi64(load256(v + i + 5), load256(v + i + 4));
        least = lower(least, d);
        least2 = lower(least2, d2);
        _mm256_storeu_si256((__m256i *)(void *)(b->d + i), d);
        _mm256_storeu_si256((__m256i *)(void *)(b->d + i + 4), d2);
    }
    _mm256_storeu_si256((__m256i *)(void *)four, lower(least, least2));
    b->min = cq_min_i64(cq_min_i64(four[0], four[1]), cq_min_i64(four[2], four[3]));
    __m256i const by = _mm256_set1_epi64x(b->min);
    for (size_t m = 0; m < MINIS; m++) {
        __m256i any = _mm256_setzero_si256();
        for (size_t i = m * MINI; i < (m + 1) * MINI; i += 4) {
            __m256i const d = _mm256_sub_epi64(load256(b->d + i), by);
            _mm256_storeu_si256((__m256i *)(void *)(b->d + i), d);
            any = _mm256_or_si256(any, d);
        }
        _mm256_storeu_si256((__m256i *)(void *)four, any);
        b->width[m] = cq_bit_width64((uint64_t)(four[0] | four[1] | four[2] | four[3]));
    }
}

static scan32_fn scanner32(void) { return __builtin_cpu_supports("avx2") ? scan32_avx2 : scan32_plain; }
static scan64_fn scanner64(void) { return __builtin_cpu_supports("avx2") ? scan64_avx2 : scan64_plain; }

#else

static scan32_fn scanner32(void) { return scan32_plain; }
static scan64_fn scanner64(void) { return scan64_plain; }

#endif

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
    scan32_fn const scan = scanner32();
    for (size_t i = 1; i < n; i += BLOCK) {
        scan(v + i - 1, cq_min_size(BLOCK, n - i), &b);
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
    scan64_fn const scan = scanner64();
    for (size_t i = 1; i < n; i += BLOCK) {
        scan(v + i - 1, cq_min_size(BLOCK, n - i), &b);
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
    scan32_fn const scan = scanner32();
    for (size_t i = 1; i < n; i += BLOCK) {
        scan(v + i - 1, cq_min_size(BLOCK, n - i), &b);
        at += block_bytes(b.min, b.width);
    }
    return at;
}

size_t cq_delta_size_i64(const int64_t *v, size_t n)
{
    size_t at = header_bytes(n, n ? v[0] : 0);
    block64 b;
    scan64_fn const scan = scanner64();
    for (size_t i = 1; i < n; i += BLOCK) {
        scan(v + i - 1, cq_min_size(BLOCK, n - i), &b);
        at += block_bytes(b.min, b.width);
    }
    return at;
}
