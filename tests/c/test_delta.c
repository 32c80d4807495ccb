/* DELTA_BINARY_PACKED against a decoder written here: round trips, exact sizes, wrap-around, and the
 * rules on the last block. */
#include "codec/delta.h"

#include "bitread.h"

/* The portable twin under other names, so that both are tested wherever the tests run. */
#define CQ_PLAIN_ONLY
#define cq_delta_bound plain_bound
#define cq_delta_encode_i32 plain_encode_i32
#define cq_delta_encode_i64 plain_encode_i64
#define cq_delta_size_i32 plain_size_i32
#define cq_delta_size_i64 plain_size_i64
size_t plain_bound(size_t n, unsigned width);
size_t plain_encode_i32(const int32_t *v, size_t n, uint8_t *dst);
size_t plain_encode_i64(const int64_t *v, size_t n, uint8_t *dst);
size_t plain_size_i32(const int32_t *v, size_t n);
size_t plain_size_i64(const int64_t *v, size_t n);
#include "../../csrc/core/codec/delta.c"
#undef cq_delta_bound
#undef cq_delta_encode_i32
#undef cq_delta_encode_i64
#undef cq_delta_size_i32
#undef cq_delta_size_i64

enum { MAX_N = 65536, GUARD = 32 };

static int32_t v32[MAX_N];
static int64_t v64[MAX_N];
static uint64_t back[MAX_N];
static uint8_t out[MAX_N * 9 + 1024], twin[sizeof out];

static uint64_t unzigzag(uint64_t u) { return u >> 1 ^ (0 - (u & 1)); }

/* Exactly n values from exactly n_bytes. Unused miniblocks must have width 0, padding must be 0. */
static void decode(const uint8_t *p, size_t n_bytes, size_t n, unsigned max_width)
{
    size_t at = 0;
    CQT_EQ_U(varint_at(p, n_bytes, &at), 128);
    CQT_EQ_U(varint_at(p, n_bytes, &at), 4);
    CQT_EQ_U(varint_at(p, n_bytes, &at), n);
    uint64_t x = unzigzag(varint_at(p, n_bytes, &at));
    if (n) back[0] = x;
    for (size_t i = 1; i < n;) {
        uint64_t const least = unzigzag(varint_at(p, n_bytes, &at));
        CQT(n_bytes - at >= 4);
        const uint8_t *widths = p + at;
        at += 4;
        for (unsigned m = 0; m < 4; m++) {
            if (i >= n) {
                CQT_EQ_U(widths[m], 0);
                continue;
            }
            CQT(widths[m] <= max_width && n_bytes - at >= widths[m] * 4u);
            for (unsigned k = 0; k < 32; k++) {
                uint64_t const d = bits_at(p + at, (size_t)k * widths[m], widths[m]);
                if (i < n)
                    back[i++] = x += d + least;
                else
                    CQT_EQ_U(d, 0);
            }
            at += widths[m] * 4u;
        }
    }
    CQT_EQ_U(at, n_bytes);
}

static size_t check32(size_t n)
{
    size_t const bound = cq_delta_bound(n, 4);
    memset(out, 0xa5, bound + GUARD);
    size_t const got = cq_delta_encode_i32(v32, n, out);
    CQT(got <= bound);
    for (size_t i = bound; i < bound + GUARD; i++) CQT_EQ_U(out[i], 0xa5);
    CQT_EQ_U(cq_delta_size_i32(v32, n), got);
    CQT_EQ_U(plain_size_i32(v32, n), got);
    CQT_EQ_U(plain_encode_i32(v32, n, twin), got);
    CQT_EQ_MEM(twin, out, got);
    decode(out, got, n, 32);
    for (size_t i = 0; i < n; i++) CQT_EQ_U((uint32_t)back[i], (uint32_t)v32[i]);
    return got;
}

static size_t check64(size_t n)
{
    size_t const bound = cq_delta_bound(n, 8);
    memset(out, 0xa5, bound + GUARD);
    size_t const got = cq_delta_encode_i64(v64, n, out);
    CQT(got <= bound);
    for (size_t i = bound; i < bound + GUARD; i++) CQT_EQ_U(out[i], 0xa5);
    CQT_EQ_U(cq_delta_size_i64(v64, n), got);
    CQT_EQ_U(plain_size_i64(v64, n), got);
    CQT_EQ_U(plain_encode_i64(v64, n, twin), got);
    CQT_EQ_MEM(twin, out, got);
    decode(out, got, n, 64);
    for (size_t i = 0; i < n; i++) CQT_EQ_U(back[i], (uint64_t)v64[i]);
    return got;
}

static const size_t sizes[] = {0, 1, 2, 7, 8, 9, 31, 32, 33, 34, 65, 127, 128, 129, 130, 161, 256, 257, 1000, 4097};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static void every_width(void)
{
    for (size_t s = 0; s < N_SIZES; s++) {
        for (unsigned w = 0; w <= 64; w++) {
            for (size_t i = 0; i < sizes[s]; i++) {
                v64[i] = (int64_t)(rand_bits(w) - (w % 2 ? UINT64_C(1) << (w - 1) : 0));
                v32[i] = (int32_t)(uint32_t)v64[i];
            }
            check64(sizes[s]);
            check32(sizes[s]);
        }
    }
}

static void ramps(void)
{
    static const int64_t steps[] = {0, 1, -1, 60, -60, 1000000007, INT64_MAX, INT64_MIN};
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
        uint64_t x = 1700000000;
        for (size_t i = 0; i < MAX_N; i++, x += (uint64_t)steps[k]) {
            v64[i] = (int64_t)x;
            v32[i] = (int32_t)(uint32_t)x;
        }
        for (size_t s = 0; s < N_SIZES; s++) {
            check32(sizes[s]);
            check64(sizes[s]);
        }
        size_t const got = check64(MAX_N), blocks = MAX_N / 128;
        CQT(got <= 16 + blocks * 14);
        if (steps[k] == 60) CQT(got <= 16 + blocks * 6);
    }
}

static void extremes(void)
{
    static const int64_t marks[] = {INT64_MIN, INT64_MAX, 0, -1, 1, INT32_MIN, INT32_MAX, INT64_MIN + 1};
    for (int round = 0; round < 200; round++) {
        size_t const n = (size_t)cqt_rand_below(300);
        for (size_t i = 0; i < n; i++) {
            v64[i] = marks[cqt_rand_below(8)];
            v32[i] = cqt_rand() & 1 ? INT32_MIN + (int32_t)cqt_rand_below(2) : INT32_MAX;
        }
        check64(n);
        check32(n);
    }
}

/* Quiet stretches and bursts: miniblocks of very different width in one block. */
static void bursts(void)
{
    for (int round = 0; round < 20; round++) {
        uint64_t x = cqt_rand();
        for (size_t i = 0; i < MAX_N; i++) {
            x += i / 32 % 7 == 3 ? rand_bits((unsigned)cqt_rand_below(64)) : 30;
            v64[i] = (int64_t)x;
            v32[i] = (int32_t)(uint32_t)x;
        }
        size_t const n = round ? (size_t)cqt_rand_below(3000) : MAX_N;
        check64(n);
        check32(n);
    }
}

static void known_bytes(void)
{
    /* The format's example: 1, 2, 3, 4, 5 and 7, 5, 3, 1, 2, 3, 4, 5. */
    static const int32_t a[] = {1, 2, 3, 4, 5}, b[] = {7, 5, 3, 1, 2, 3, 4, 5};
    static const uint8_t a_bytes[] = {128, 1, 4, 5, 2, 2, 0, 0, 0, 0};
    static const uint8_t b_bytes[] = {128, 1, 4, 8, 14, 3, 2, 0, 0, 0, 0xc0, 0x3f, 0, 0, 0, 0, 0, 0};
    static const uint8_t none[] = {128, 1, 4, 0, 0};
    memcpy(v32, a, sizeof a);
    CQT_EQ_U(check32(5), sizeof a_bytes);
    CQT_EQ_MEM(out, a_bytes, sizeof a_bytes);
    memcpy(v32, b, sizeof b);
    CQT_EQ_U(check32(8), sizeof b_bytes);
    CQT_EQ_MEM(out, b_bytes, sizeof b_bytes);
    CQT_EQ_U(check64(0), sizeof none);
    CQT_EQ_MEM(out, none, sizeof none);
}

void test_delta(void)
{
    CQT_RUN(known_bytes);
    CQT_RUN(every_width);
    CQT_RUN(ramps);
    CQT_RUN(extremes);
    CQT_RUN(bursts);
}
