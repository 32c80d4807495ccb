/* Bit packing against a bit-by-bit reader, for every width, and the promise on what is overwritten. */
#include "codec/bitpack.h"

#include "bitread.h"

enum { MAX_N = 1024, SLACK = 8, GUARD = 16 };

static uint8_t out[MAX_N * 8 + SLACK + GUARD];

static void check_tail(size_t packed)
{
    for (size_t i = packed + SLACK; i < packed + SLACK + GUARD; i++) CQT_EQ_U(out[i], 0xa5);
}

static const size_t sizes[] = {0, 8, 16, 24, 32, 40, 64, 72, 128, 1000, 1024};

static void u32_every_width(void)
{
    static uint32_t v[MAX_N];
    for (unsigned w = 0; w <= 32; w++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            size_t const n = sizes[s];
            for (size_t i = 0; i < n; i++) v[i] = (uint32_t)(i % 5 == 3 ? (UINT64_C(1) << w) - 1 : rand_bits(w));
            memset(out, 0xa5, sizeof out);
            cq_bitpack_u32(v, n, w, out);
            for (size_t i = 0; i < n; i++) CQT_EQ_U(bits_at(out, i * w, w), v[i]);
            check_tail(n / 8 * w);
        }
    }
}

static void u64_every_width(void)
{
    static uint64_t v[MAX_N];
    for (unsigned w = 0; w <= 64; w++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            size_t const n = sizes[s];
            for (size_t i = 0; i < n; i++) v[i] = i % 5 == 3 && w ? UINT64_MAX >> (64 - w) : rand_bits(w);
            memset(out, 0xa5, sizeof out);
            cq_bitpack_u64(v, n, w, out);
            for (size_t i = 0; i < n; i++) CQT_EQ_U(bits_at(out, i * w, w), v[i]);
            check_tail(n / 8 * w);
        }
    }
}

static void u8_every_width(void)
{
    static uint8_t v[MAX_N];
    for (unsigned w = 1; w <= 8; w++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            size_t const n = sizes[s];
            for (size_t i = 0; i < n; i++) v[i] = (uint8_t)(i % 5 == 3 ? (1u << w) - 1 : rand_bits(w));
            memset(out, 0xa5, sizeof out);
            cq_bitpack_u8(v, n, w, out);
            for (size_t i = 0; i < n; i++) CQT_EQ_U(bits_at(out, i * w, w), v[i]);
            check_tail(n / 8 * w);
        }
    }
}

void test_bitpack(void)
{
    CQT_RUN(u32_every_width);
    CQT_RUN(u64_every_width);
    CQT_RUN(u8_every_width);
}
