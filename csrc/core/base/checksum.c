/* CRC-32 and XXH64. CRC-32 folds 64 bytes a step by carry-less multiplication where the processor
 * has it; the portable twin looks eight bytes up at once. Both treat the register as the reflected
 * remainder, so that state passes between them at any byte.
 *
 * Nothing here keeps state between calls: the tables are constants and the processor is asked
 * anew for each long input. */
#include "base/checksum.h"

#include "base/bytes.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Row k: what byte b does to the register when k zero bytes follow. CRC is linear, so a row is the
 * 256 sums of its eight basis values, those of b = 1, 2, 4, ... 128. */
#define CQ_SUM1(v, a) (v), ((v) ^ (a))
#define CQ_SUM2(v, a, b) CQ_SUM1(v, a), CQ_SUM1((v) ^ (b), a)
#define CQ_SUM3(v, a, b, c) CQ_SUM2(v, a, b), CQ_SUM2((v) ^ (c), a, b)
#define CQ_SUM4(v, a, b, c, d) CQ_SUM3(v, a, b, c), CQ_SUM3((v) ^ (d), a, b, c)
#define CQ_SUM5(v, a, b, c, d, e) CQ_SUM4(v, a, b, c, d), CQ_SUM4((v) ^ (e), a, b, c, d)
#define CQ_SUM6(v, a, b, c, d, e, f) CQ_SUM5(v, a, b, c, d, e), CQ_SUM5((v) ^ (f), a, b, c, d, e)
#define CQ_SUM7(v, a, b, c, d, e, f, g) CQ_SUM6(v, a, b, c, d, e, f), CQ_SUM6((v) ^ (g), a, b, c, d, e, f)
#define CQ_ROW(a, b, c, d, e, f, g, h) {CQ_SUM7(0u, a, b, c, d, e, f, g), CQ_SUM7(h, a, b, c, d, e, f, g)}

static const uint32_t crc_table[8][256] = {
    CQ_ROW(0x77073096u, 0xee0e612cu, 0x076dc419u, 0x0edb8832u, 0x1db71064u, 0x3b6e20c8u, 0x76dc4190u, 0xedb88320u),
    CQ_ROW(0x191b3141u, 0x32366282u, 0x646cc504u, 0xc8d98a08u, 0x4ac21251u, 0x958424a2u, 0xf0794f05u, 0x3b83984bu),
    CQ_ROW(0x01c26a37u, 0x0384d46eu, 0x0709a8dcu, 0x0e1351b8u, 0x1c26a370u, 0x384d46e0u, 0x709a8dc0u, 0xe1351b80u),
    CQ_ROW(0xb8bc6765u, 0xaa09c88bu, 0x8f629757u, 0xc5b428efu, 0x5019579fu, 0xa032af3eu, 0x9b14583du, 0xed59b63bu),
    CQ_ROW(0x3d6029b0u, 0x7ac05360u, 0xf580a6c0u, 0x30704bc1u, 0x60e09782u, 0xc1c12f04u, 0x58f35849u, 0xb1e6b092u),
    CQ_ROW(0xcb5cd3a5u, 0x4dc8a10bu, 0x9b914216u, 0xec53826du, 0x03d6029bu, 0x07ac0536u, 0x0f580a6cu, 0x1eb014d8u),
    CQ_ROW(0xa6770bb4u, 0x979f1129u, 0xf44f2413u, 0x33ef4e67u, 0x67de9cceu, 0xcfbd399cu, 0x440b7579u, 0x8816eaf2u),
    CQ_ROW(0xccaa009eu, 0x4225077du, 0x844a0efau, 0xd3e51bb5u, 0x7cbb312bu, 0xf9766256u, 0x299dc2edu, 0x533b85dau),
};

/* On the register itself: without the complement before and after. */
static uint32_t crc_tables(uint32_t reg, const uint8_t *p, size_t n)
{
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t const x = cq_load64(p) ^ reg;
        reg = crc_table[7][x & 0xff] ^ crc_table[6][x >> 8 & 0xff] ^ crc_table[5][x >> 16 & 0xff] ^
              crc_table[4][x >> 24 & 0xff] ^ crc_table[3][x >> 32 & 0xff] ^ crc_table[2][x >> 40 & 0xff] ^
              crc_table[1][x >> 48 & 0xff] ^ crc_table[0][x >> 56];
    }
    for (; n; p++, n--) reg = crc_table[0][(reg ^ *p) & 0xff] ^ reg >> 8;
    return reg;
}

uint32_t cq_crc32_plain(uint32_t crc, const void *p, size_t n) { return ~crc_tables(~crc, p, n); }

#if defined(__x86_64__)

__attribute__((target("pclmul"))) static inline __m128i fold(__m128i x, __m128i by, __m128i next)
{
    return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(x, by, 0x00), _mm_clmulepi64_si128(x, by, 0x11)), next);
}

static inline __m128i load128(const uint8_t *p) { return _mm_loadu_si128((const __m128i *)(const void *)p); }

/* n >= 64. Four remainders of 128 bits run 64 bytes apart: each is moved on by 512 bits with the
 * constants x^(512 + 32) and x^(512 - 32) mod P (reflected), at the end by 128 bits onto the next
 * one. The last remainder has the CRC of all that was folded, as if it were the message. */
__attribute__((target("pclmul"))) static uint32_t crc_fold(uint32_t reg, const uint8_t *p, size_t n)
{
    __m128i const by512 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4);
    __m128i const by128 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
    __m128i a = _mm_xor_si128(load128(p), _mm_cvtsi64_si128((int64_t)reg));
    __m128i b = load128(p + 16), c = load128(p + 32), d = load128(p + 48);
    for (p += 64, n -= 64; n >= 64; p += 64, n -= 64) {
        a = fold(a, by512, load128(p));
        b = fold(b, by512, load128(p + 16));
        c = fold(c, by512, load128(p + 32));
        d = fold(d, by512, load128(p + 48));
    }
    a = fold(fold(fold(a, by128, b), by128, c), by128, d);
    for (; n >= 16; p += 16, n -= 16) a = fold(a, by128, load128(p));
    uint8_t rest[16];
    _mm_storeu_si128((__m128i *)(void *)rest, a);
    return crc_tables(crc_tables(0, rest, sizeof rest), p, n);
}

#endif

uint32_t cq_crc32(uint32_t crc, const void *p, size_t n)
{
#if defined(__x86_64__)
    if (n >= 64 && __builtin_cpu_supports("pclmul")) return ~crc_fold(~crc, p, n);
#endif
    return cq_crc32_plain(crc, p, n);
}

#define CQ_P1 UINT64_C(0x9E3779B185EBCA87)
#define CQ_P2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define CQ_P3 UINT64_C(0x165667B19E3779F9)
#define CQ_P4 UINT64_C(0x85EBCA77C2B2AE63)
#define CQ_P5 UINT64_C(0x27D4EB2F165667C5)

static inline uint64_t rotl(uint64_t x, unsigned r) { return x << r | x >> (64 - r); }
static inline uint64_t xxh_round(uint64_t acc, uint64_t lane) { return rotl(acc + lane * CQ_P2, 31) * CQ_P1; }

static void xxh_start(uint64_t acc[4], uint64_t seed)
{
    acc[0] = seed + CQ_P1 + CQ_P2;
    acc[1] = seed + CQ_P2;
    acc[2] = seed;
    acc[3] = seed - CQ_P1;
}

/* Whole stripes of 32 bytes; returns the bytes taken. */
static size_t xxh_stripes(uint64_t acc[4], const uint8_t *p, size_t n)
{
    uint64_t a = acc[0], b = acc[1], c = acc[2], d = acc[3];
    size_t const whole = n & ~(size_t)31;
    for (const uint8_t *end = p + whole; p != end; p += 32) {
        a = xxh_round(a, cq_load64(p));
        b = xxh_round(b, cq_load64(p + 8));
        c = xxh_round(c, cq_load64(p + 16));
        d = xxh_round(d, cq_load64(p + 24));
    }
    acc[0] = a;
    acc[1] = b;
    acc[2] = c;
    acc[3] = d;
    return whole;
}

/* `total` bytes in all, of which the last n < 32 are at p and not in acc. */
static uint64_t xxh_finish(const uint64_t acc[4], uint64_t seed, uint64_t total, const uint8_t *p, size_t n)
{
    uint64_t h = seed + CQ_P5;
    if (total >= 32) {
        h = rotl(acc[0], 1) + rotl(acc[1], 7) + rotl(acc[2], 12) + rotl(acc[3], 18);
        for (size_t i = 0; i < 4; i++) h = (h ^ xxh_round(0, acc[i])) * CQ_P1 + CQ_P4;
    }
    h += total;
    for (; n >= 8; p += 8, n -= 8) h = rotl(h ^ xxh_round(0, cq_load64(p)), 27) * CQ_P1 + CQ_P4;
    if (n >= 4) {
        h = rotl(h ^ cq_load32(p) * CQ_P1, 23) * CQ_P2 + CQ_P3;
        p += 4;
        n -= 4;
    }
    for (; n; p++, n--) h = rotl(h ^ *p * CQ_P5, 11) * CQ_P1;
    h = (h ^ h >> 33) * CQ_P2;
    h = (h ^ h >> 29) * CQ_P3;
    return h ^ h >> 32;
}

uint64_t cq_xxh64(const void *p, size_t n, uint64_t seed)
{
    uint64_t acc[4];
    xxh_start(acc, seed);
    size_t const taken = n >= 32 ? xxh_stripes(acc, p, n) : 0;
    return xxh_finish(acc, seed, n, taken ? (const uint8_t *)p + taken : p, n - taken);
}

void cq_xxh64_init(cq_xxh64_state *s, uint64_t seed)
{
    memset(s, 0, sizeof *s);
    xxh_start(s->acc, seed);
    s->seed = seed;
}

void cq_xxh64_update(cq_xxh64_state *s, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    if (n == 0) return;
    s->total += n;
    if (s->n_tail) {
        size_t const k = cq_min_size(n, sizeof s->tail - s->n_tail);
        memcpy(s->tail + s->n_tail, p, k);
        s->n_tail += k;
        p += k;
        n -= k;
        if (s->n_tail < sizeof s->tail) return;
        (void)xxh_stripes(s->acc, s->tail, sizeof s->tail);
    }
    size_t const taken = xxh_stripes(s->acc, p, n);
    s->n_tail = n - taken;
    if (s->n_tail) memcpy(s->tail, p + taken, s->n_tail);
}

uint64_t cq_xxh64_digest(const cq_xxh64_state *s)
{
    return xxh_finish(s->acc, s->seed, s->total, s->tail, s->n_tail);
}
