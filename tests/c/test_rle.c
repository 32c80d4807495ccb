/* The RLE / bit-packed hybrid against a decoder written here: round trips of random, run-like and
 * edge inputs for every width, the size bound, and the choice of runs. */
#include "codec/rle.h"

#include "bitread.h"

enum { MAX_N = 65536, GUARD = 32 };

static uint32_t in[MAX_N], back[MAX_N + 8];
static uint8_t in8[MAX_N], out[MAX_N * 4 + MAX_N + 64 + GUARD];

static struct { size_t n_repeat, n_packed, shortest; } seen; /* shortest: repeated run, the last run aside */

/* Decodes exactly n values from exactly n_bytes; padding must be zero and stay in the last group. */
static void decode(const uint8_t *p, size_t n_bytes, unsigned w, size_t n)
{
    size_t at = 0, have = 0;
    memset(&seen, 0, sizeof seen);
    seen.shortest = SIZE_MAX;
    while (at < n_bytes) {
        uint64_t const head = varint_at(p, n_bytes, &at);
        CQT(have < n && head > 1);
        if (head & 1) {
            size_t const values = (size_t)(head >> 1) * 8, bytes = values / 8 * w;
            CQT(bytes <= n_bytes - at);
            CQT(values < n - have + 8);
            for (size_t i = 0; i < values; i++) {
                uint64_t const x = bits_at(p + at, i * w, w);
                if (have < n)
                    back[have++] = (uint32_t)x;
                else
                    CQT_EQ_U(x, 0);
            }
            at += bytes;
            seen.n_packed++;
        } else {
            size_t const values = (size_t)(head >> 1), bytes = (w + 7) / 8;
            CQT(bytes <= n_bytes - at && values <= n - have);
            uint32_t x = 0;
            for (size_t k = 0; k < bytes; k++) x |= (uint32_t)p[at++] << 8 * k;
            CQT(w == 32 || x >> w == 0);
            for (size_t i = 0; i < values; i++) back[have++] = x;
            seen.n_repeat++;
            if (have < n && values < seen.shortest) seen.shortest = values;
        }
    }
    CQT_EQ_U(have, n);
}

static size_t check(size_t n, unsigned w)
{
    size_t const bound = cq_rle_bound(n, w), packed = (n + 7) / 8 * w;
    memset(out, 0xa5, sizeof out);
    size_t const got = cq_rle_encode_u32(in, n, w, out);
    CQT(got <= bound);
    CQT(got <= packed + 6 + packed / 64);
    for (size_t i = bound; i < bound + GUARD; i++) CQT_EQ_U(out[i], 0xa5);
    decode(out, got, w, n);
    CQT_EQ_MEM(back, in, n * 4);
    static uint8_t again[sizeof out];
    size_t const min_run = (size_t)cqt_rand_below(200);
    memset(again, 0xa5, bound + GUARD);
    size_t const longer = cq_rle_encode_u32_min(in, n, w, min_run, again);
    CQT(longer <= packed + 6 + packed / 64 && longer <= bound);
    for (size_t i = bound; i < bound + GUARD; i++) CQT_EQ_U(again[i], 0xa5);
    decode(again, longer, w, n);
    CQT_EQ_MEM(back, in, n * 4);
    CQT(seen.shortest >= min_run);
    decode(out, got, w, n);
    if (w <= 8) {
        for (size_t i = 0; i < n; i++) in8[i] = (uint8_t)in[i];
        memset(again, 0xa5, bound + GUARD);
        CQT_EQ_U(cq_rle_encode_u8(in8, n, w, again), got);
        CQT_EQ_MEM(again, out, got);
        for (size_t i = bound; i < bound + GUARD; i++) CQT_EQ_U(again[i], 0xa5);
    }
    return got;
}

static const size_t sizes[] = {0, 1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 127, 128, 129, 511, 512, 513, 4000};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static void random_values(void)
{
    for (unsigned w = 1; w <= 32; w++) {
        for (size_t s = 0; s < N_SIZES; s++) {
            for (size_t i = 0; i < sizes[s]; i++) in[i] = (uint32_t)rand_bits(w);
            check(sizes[s], w);
        }
    }
}

static void runs_of_random_length(void)
{
    for (unsigned w = 1; w <= 32; w++) {
        for (size_t s = 0; s < N_SIZES; s++) {
            for (unsigned longest = 2; longest <= 200; longest *= 3) {
                for (size_t i = 0; i < sizes[s];) {
                    uint32_t const x = (uint32_t)rand_bits(w);
                    for (size_t k = cqt_rand_below(longest) + 1; k && i < sizes[s]; k--) in[i++] = x;
                }
                check(sizes[s], w);
            }
        }
    }
}

/* Every way to cut up to 40 slots into a run of ones among zeros. */
static void every_run_of_bits(void)
{
    for (size_t n = 0; n <= 80; n++) {
        for (size_t a = 0; a <= n; a++) {
            size_t const b = a + (size_t)cqt_rand_below(n - a + 1);
            for (size_t i = 0; i < n; i++) in[i] = i >= a && i < b;
            check(n, 1);
            check(n, 9);
        }
    }
}

static void pages(void)
{
    static const unsigned widths[] = {1, 2, 7, 8, 13, 16, 20, 24, 32};
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
        unsigned const w = widths[k];
        for (size_t i = 0; i < MAX_N; i++) in[i] = (uint32_t)rand_bits(w);
        check(MAX_N, w);
        for (size_t i = 0; i < MAX_N; i++) in[i] = i % 1000 < 980 ? 1 : (uint32_t)rand_bits(w);
        check(MAX_N, w);
        CQT(seen.n_repeat > 0 && seen.n_packed > 0);
        for (size_t i = 0; i < MAX_N; i++) in[i] = 1;
        CQT(check(MAX_N, w) <= 4 + (w + 7) / 8);
        CQT_EQ_U(seen.n_repeat, 1);
        CQT_EQ_U(seen.n_packed, 0);
    }
}

/* Runs that cost most: as short as the encoder takes them, between single groups. */
static void worst_cuts(void)
{
    for (unsigned w = 1; w <= 32; w++) {
        for (size_t run = 8; run <= 48; run += 8) {
            size_t n = 0;
            while (n + run + 8 <= 4000) {
                for (size_t i = 0; i < run; i++) in[n++] = 0;
                for (size_t i = 0; i < 8; i++) in[n++] = i & 1;
            }
            check(n, w);
        }
    }
}

static void known_bytes(void)
{
    static const uint8_t example[] = {0x03, 0x88, 0xc6, 0xfa}; /* 0..7 of width 3, as in the format's text */
    static const uint8_t repeat[] = {0x90, 0x03, 0x05};        /* 200 times 5 of width 3 */
    for (uint32_t i = 0; i < 8; i++) in[i] = i;
    CQT_EQ_U(check(8, 3), sizeof example);
    CQT_EQ_MEM(out, example, sizeof example);
    for (size_t i = 0; i < 200; i++) in[i] = 5;
    CQT_EQ_U(check(200, 3), sizeof repeat);
    CQT_EQ_MEM(out, repeat, sizeof repeat);
    CQT_EQ_U(check(0, 3), 0);
}

/* The constant route gives the bytes of the flat one. */
static void constants(void)
{
    for (unsigned w = 1; w <= 32; w++) {
        for (size_t n = 0; n <= MAX_N; n += n < 140 ? 1 : 16349) {
            static uint8_t one[64];
            uint32_t const v = (uint32_t)rand_bits(w);
            size_t const got = cq_rle_encode_const(v, n, w, one);
            CQT(got <= cq_rle_bound(n, w) && got <= sizeof one);
            for (size_t i = 0; i < n; i++) in[i] = v;
            CQT_EQ_U(check(n, w), got);
            CQT_EQ_MEM(out, one, got);
        }
    }
}

void test_rle(void)
{
    CQT_RUN(known_bytes);
    CQT_RUN(random_values);
    CQT_RUN(runs_of_random_length);
    CQT_RUN(every_run_of_bits);
    CQT_RUN(worst_cuts);
    CQT_RUN(pages);
    CQT_RUN(constants);
}
