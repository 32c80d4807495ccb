/* CRC-32 and XXH64: known answers, streaming, and the fast path against bit-wise arithmetic. */
#include "base/checksum.h"
#include "cqtest.h"

static uint32_t crc_bitwise(uint32_t crc, const uint8_t *p, size_t n)
{
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void crc_known(void)
{
    static const char pangram[] = "The quick brown fox jumps over the lazy dog";
    uint8_t zeros[32] = {0};
    CQT_EQ_U(cq_crc32(0, "123456789", 9), 0xcbf43926u);
    CQT_EQ_U(cq_crc32(0, "", 0), 0);
    CQT_EQ_U(cq_crc32(0, NULL, 0), 0);
    CQT_EQ_U(cq_crc32(77, NULL, 0), 77);
    CQT_EQ_U(cq_crc32(0, "a", 1), 0xe8b7be43u);
    CQT_EQ_U(cq_crc32(0, pangram, sizeof pangram - 1), 0x414fa339u);
    CQT_EQ_U(cq_crc32(0, zeros, 32), 0x190a55adu);
}

static void crc_all_lengths_and_alignments(void)
{
    static uint8_t b[1024 + 64];
    cqt_rand_bytes(b, sizeof b);
    for (size_t shift = 0; shift < 16; shift++) {
        for (size_t n = 0; n <= 1024; n++) {
            uint32_t const start = shift % 2 ? (uint32_t)cqt_rand() : 0;
            uint32_t const want = crc_bitwise(start, b + shift, n);
            CQT_EQ_U(cq_crc32(start, b + shift, n), want);
            CQT_EQ_U(cq_crc32_plain(start, b + shift, n), want);
        }
    }
}

static void crc_in_pieces(void)
{
    static uint8_t b[100000];
    cqt_rand_bytes(b, sizeof b);
    uint32_t const want = crc_bitwise(0, b, sizeof b);
    for (int round = 0; round < 50; round++) {
        uint32_t crc = 0;
        for (size_t at = 0; at < sizeof b;) {
            size_t k = (size_t)cqt_rand_below(round % 2 ? 500 : 20000);
            if (k > sizeof b - at) k = sizeof b - at;
            crc = round % 3 ? cq_crc32(crc, b + at, k) : cq_crc32_plain(crc, b + at, k);
            at += k;
        }
        CQT_EQ_U(crc, want);
    }
}

static void xxh_known(void)
{
    static const char abc[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    uint8_t sanity[101];
    uint64_t gen = 2654435761u; /* the byte generator of the reference implementation's self-test */
    for (size_t i = 0; i < sizeof sanity; i++) {
        sanity[i] = (uint8_t)(gen >> 56);
        gen *= UINT64_C(11400714785074694797);
    }
    CQT_EQ_U(cq_xxh64("", 0, 0), UINT64_C(0xef46db3751d8e999));
    CQT_EQ_U(cq_xxh64(NULL, 0, 0), UINT64_C(0xef46db3751d8e999));
    CQT_EQ_U(cq_xxh64("a", 1, 0), UINT64_C(0xd24ec4f1a98c6e5b));
    CQT_EQ_U(cq_xxh64("abc", 3, 0), UINT64_C(0x44bc2cf5ad770999));
    CQT_EQ_U(cq_xxh64(abc, 36, 0), UINT64_C(0x64f23ecf1609b766));
    CQT_EQ_U(cq_xxh64(sanity, 1, 0), UINT64_C(0xe934a84adb052768));
    CQT_EQ_U(cq_xxh64(sanity, 1, 2654435761u), UINT64_C(0x5014607643a9b4c3));
    CQT_EQ_U(cq_xxh64(sanity, 0, 2654435761u), UINT64_C(0xac75fda2929b17ef));
    CQT_EQ_U(cq_xxh64(sanity, 14, 0), UINT64_C(0x8282dcc4994e35c8));
    CQT_EQ_U(cq_xxh64(sanity, 14, 2654435761u), UINT64_C(0xc3bd6bf63deb6df0));
}

/* The algorithm written from its description, one lane at a time. */
static uint64_t rotate(uint64_t x, unsigned r) { return x << r | x >> (64 - r); }

static uint64_t xxh_slow(const uint8_t *p, size_t n, uint64_t seed)
{
    static const uint64_t P[6] = {0, 11400714785074694791u, 14029467366897019727u, 1609587929392839161u,
                                  9650029242287828579u, 2870177450012600261u};
    uint64_t acc[4] = {seed + P[1] + P[2], seed + P[2], seed, seed - P[1]}, h, lane;
    size_t at = 0;
    while (n - at >= 32)
        for (int i = 0; i < 4; i++, at += 8) {
            memcpy(&lane, p + at, 8);
            acc[i] = rotate(acc[i] + lane * P[2], 31) * P[1];
        }
    if (n >= 32) {
        h = rotate(acc[0], 1) + rotate(acc[1], 7) + rotate(acc[2], 12) + rotate(acc[3], 18);
        for (int i = 0; i < 4; i++) h = (h ^ rotate(acc[i] * P[2], 31) * P[1]) * P[1] + P[4];
    } else {
        h = seed + P[5];
    }
    h += n;
    for (; n - at >= 8; at += 8) {
        memcpy(&lane, p + at, 8);
        h = rotate(h ^ rotate(lane * P[2], 31) * P[1], 27) * P[1] + P[4];
    }
    if (n - at >= 4) {
        uint32_t half;
        memcpy(&half, p + at, 4);
        h = rotate(h ^ half * P[1], 23) * P[2] + P[3];
        at += 4;
    }
    for (; at < n; at++) h = rotate(h ^ p[at] * P[5], 11) * P[1];
    h = (h ^ h >> 33) * P[2];
    h = (h ^ h >> 29) * P[3];
    return h ^ h >> 32;
}

static void xxh_all_lengths_and_alignments(void)
{
    static uint8_t b[1024 + 16];
    cqt_rand_bytes(b, sizeof b);
    for (size_t shift = 0; shift < 8; shift++) {
        for (size_t n = 0; n <= 1024; n++) {
            uint64_t const seed = shift % 2 ? cqt_rand() : 0;
            uint64_t const want = xxh_slow(b + shift, n, seed);
            CQT_EQ_U(cq_xxh64(b + shift, n, seed), want);
            cq_xxh64_state s;
            cq_xxh64_init(&s, seed);
            size_t const first = (size_t)cqt_rand_below(n + 1);
            cq_xxh64_update(&s, b + shift, first);
            cq_xxh64_update(&s, NULL, 0);
            cq_xxh64_update(&s, b + shift + first, n - first);
            CQT_EQ_U(cq_xxh64_digest(&s), want);
        }
    }
}

static void xxh_in_pieces(void)
{
    static uint8_t b[50000];
    cqt_rand_bytes(b, sizeof b);
    for (int round = 0; round < 50; round++) {
        cq_xxh64_state s;
        cq_xxh64_init(&s, (uint64_t)round);
        for (size_t at = 0; at < sizeof b;) {
            CQT_EQ_U(cq_xxh64_digest(&s), cq_xxh64(b, at, (uint64_t)round));
            size_t k = (size_t)cqt_rand_below(round % 2 ? 5000 : 700);
            if (k > sizeof b - at) k = sizeof b - at;
            cq_xxh64_update(&s, b + at, k);
            at += k;
        }
        CQT_EQ_U(cq_xxh64_digest(&s), cq_xxh64(b, sizeof b, (uint64_t)round));
    }
}

void test_checksum(void)
{
    CQT_RUN(crc_known);
    CQT_RUN(crc_all_lengths_and_alignments);
    CQT_RUN(crc_in_pieces);
    CQT_RUN(xxh_known);
    CQT_RUN(xxh_all_lengths_and_alignments);
    CQT_RUN(xxh_in_pieces);
}
