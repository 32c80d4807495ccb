/* Page compression: round trips through the libraries' own decompressors for every size that a
 * context has to take, memory as promised, and refusals. */
#include "codec/compress.h"

#include "base/bytes.h"

#include "cqtest.h"

#include <snappy-c.h>
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

enum { MAX_BYTES = 4 << 20 };

static uint8_t src[MAX_BYTES], back[MAX_BYTES], dst[MAX_BYTES + MAX_BYTES / 6 + 64];

/* Text-like, so that every stage of a compressor has work: random words from a small set. */
static void make_text(void)
{
    size_t at = 0;
    while (at < sizeof src) {
        uint64_t x = cqt_rand();
        size_t n = 3 + (size_t)(x % 9);
        uint64_t seed = (x >> 8) % 300 * UINT64_C(0x9E3779B97F4A7C15);
        for (; n && at < sizeof src; n--, seed >>= 5) src[at++] = (uint8_t)('a' + seed % 26);
        if (at < sizeof src && x >> 60 == 0) src[at++] = (uint8_t)(x >> 16);
    }
}

static void round_trip(cq_codec *c, cq_codec_kind kind, size_t n)
{
    cq_err e;
    size_t got = 0, size = 0;
    size_t const cap = cq_codec_bound(kind, n);
    CQT(cap <= sizeof dst);
    CQT_OK(cq_codec_compress(c, cq_span_of(src, n), dst, cap, &got, &e), &e);
    CQT(got <= cap);
    if (kind == CQ_CODEC_ZSTD) {
        ZSTD_frameHeader h;
        CQT_EQ_U(ZSTD_getFrameHeader(&h, dst, got), 0);
        CQT_EQ_U(h.frameContentSize, n);
        CQT_EQ_U(h.checksumFlag, 0);
        CQT_EQ_U(h.dictID, 0);
        CQT(h.windowSize <= 8 << 20);
        CQT_EQ_U(ZSTD_findFrameCompressedSize(dst, got), got);
        CQT_EQ_U(ZSTD_decompress(back, sizeof back, dst, got), n);
    } else {
        CQT_EQ_I(snappy_uncompressed_length((const char *)dst, got, &size), SNAPPY_OK);
        CQT_EQ_U(size, n);
        CQT_EQ_I(snappy_uncompress((const char *)dst, got, (char *)back, &size), SNAPPY_OK);
    }
    CQT_EQ_MEM(back, src, n);
}

static void every_size(cq_codec_kind kind, int32_t level, size_t page)
{
    cq_mem m;
    cq_err e;
    cq_codec *c = NULL;
    size_t const sizes[] = {0, 1, 2, 100, 4096, page - 1, page, page + 1, 131072, 131073, 1 << 20, MAX_BYTES, 0, page};
    uint64_t const memory = cq_codec_memory(kind, level, page);
    cq_mem_init(&m, NULL, memory);
    CQT_OK(cq_codec_open(&c, kind, level, page, &m, &e), &e);
    CQT_EQ_U(cq_mem_used(&m), memory);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) round_trip(c, kind, sizes[k]);
    CQT_EQ_U(cq_mem_used(&m), memory);
    CQT_EQ_U(m.n_requests, 2);
    cq_codec_free(c);
    CQT_EQ_U(cq_mem_used(&m), 0);
    cq_mem_init(&m, NULL, memory - 1);
    CQT_STATUS(cq_codec_open(&c, kind, level, page, &m, &e), CQ_EBUDGET);
    CQT(c == NULL);
    CQT_EQ_U(cq_mem_used(&m), 0);
}

static void zstd_contexts_never_grow(void)
{
    static const int32_t levels[] = {CQ_LEVEL_DEFAULT, 1, 3, 9, 19};
    for (size_t k = 0; k < sizeof levels / sizeof *levels; k++) {
        make_text();
        every_size(CQ_CODEC_ZSTD, levels[k], 65536);
        cqt_rand_bytes(src, sizeof src);
        every_size(CQ_CODEC_ZSTD, levels[k], 65536);
        memset(src, 7, sizeof src);
        every_size(CQ_CODEC_ZSTD, levels[k], 65536);
    }
}

/* All levels and page sizes, each with pages larger than it was opened for. */
static void zstd_every_level(void)
{
    static const size_t pages[] = {1, 4096, 10000, 65536, 262144, 1 << 20};
    make_text();
    for (int32_t level = 1; level <= 19; level++) {
        for (size_t k = 0; k < sizeof pages / sizeof *pages; k++) {
            cq_mem m;
            cq_err e;
            cq_codec *c = NULL;
            cq_mem_init(&m, NULL, cq_codec_memory(CQ_CODEC_ZSTD, level, pages[k]));
            CQT_OK(cq_codec_open(&c, CQ_CODEC_ZSTD, level, pages[k], &m, &e), &e);
            round_trip(c, CQ_CODEC_ZSTD, 20000);
            round_trip(c, CQ_CODEC_ZSTD, level <= 15 || k < 3 ? 300000 : 140000);
            cq_codec_free(c);
            CQT_EQ_U(cq_mem_used(&m), 0);
        }
    }
}

/* The same page gives the same bytes whatever the context compressed before: other data, other sizes, larger than it
 * was opened for. From 1.5.5 on zstd salts the hashes of its row-based finder (levels 4 to 12) with what it saw before,
 * which moves rows and finds the same matches. */
static void zstd_has_no_history(void)
{
    static uint8_t fresh[1 << 18];
    cq_mem m;
    cq_err e;
    make_text();
    for (size_t i = sizeof src / 2; i < sizeof src; i += 2) { /* the other half: indexes of a dictionary, with repeats */
        uint64_t const x = cqt_rand();
        cq_store16(src + i, cq_low16(x % 3 ? cq_load16(src + i - 2 * (1 + (x >> 8) % 40)) : (x >> 20) % 3000));
    }
    cq_mem_init(&m, NULL, 64 << 20);
    for (int32_t level = 1; level <= 19; level += level < 13 ? 1 : 3)
        for (size_t page = 16384; page <= 65536; page *= 4) {
            cq_codec *used = NULL;
            CQT_OK(cq_codec_open(&used, CQ_CODEC_ZSTD, level, page, &m, &e), &e);
            for (int i = 0; i < (level < 13 ? 12 : 4); i++) {
                cq_codec *unused = NULL;
                size_t const n = i == 5 ? page * 3 : page - cqt_rand_below(i % 2 ? page : page / 8);
                cq_span const from = cq_span_of(src + cqt_rand_below(sizeof src - n), n);
                size_t got = 0, want = 0;
                CQT_OK(cq_codec_open(&unused, CQ_CODEC_ZSTD, level, page, &m, &e), &e);
                CQT_OK(cq_codec_compress(unused, from, fresh, sizeof fresh, &want, &e), &e);
                CQT_OK(cq_codec_compress(used, from, dst, sizeof dst, &got, &e), &e);
                CQT_EQ_U(got, want);
                CQT_EQ_MEM(dst, fresh, want);
                cq_codec_free(unused);
            }
            cq_codec_free(used);
        }
    CQT_EQ_U(cq_mem_used(&m), 0);
}

/* A context much larger than what is asked of it, many times: zstd gives such memory back where it
 * owns it, and must not try here. */
static void zstd_many_small_pages(void)
{
    cq_mem m;
    cq_err e;
    cq_codec *c = NULL;
    make_text();
    cq_mem_init(&m, NULL, 64 << 20);
    CQT_OK(cq_codec_open(&c, CQ_CODEC_ZSTD, 9, 1 << 20, &m, &e), &e);
    for (size_t i = 0; i < 500; i++) round_trip(c, CQ_CODEC_ZSTD, i % 7 * 10);
    round_trip(c, CQ_CODEC_ZSTD, 1 << 20);
    cq_codec_free(c);
    CQT_EQ_U(cq_mem_used(&m), 0);
}

static void snappy_pages(void)
{
    make_text();
    every_size(CQ_CODEC_SNAPPY, CQ_LEVEL_DEFAULT, 65536);
    cqt_rand_bytes(src, sizeof src);
    every_size(CQ_CODEC_SNAPPY, CQ_LEVEL_DEFAULT, 4096);
}

static void no_codec(void)
{
    cq_mem m;
    cq_err e;
    cq_codec *c = NULL;
    uint64_t const memory = cq_codec_memory(CQ_CODEC_NONE, CQ_LEVEL_DEFAULT, 65536);
    cq_mem_init(&m, NULL, memory);
    CQT_OK(cq_codec_open(&c, CQ_CODEC_NONE, CQ_LEVEL_DEFAULT, 65536, &m, &e), &e);
    CQT_EQ_U(cq_mem_used(&m), memory);
    CQT_EQ_U(cq_codec_bound(CQ_CODEC_NONE, 123), 123);
    cq_codec_free(c);
    cq_codec_free(NULL);
    CQT_EQ_U(cq_mem_used(&m), 0);
}

static void levels(void)
{
    cq_err e;
    int32_t out = -7;
    CQT_OK(cq_codec_level(CQ_CODEC_ZSTD, CQ_LEVEL_DEFAULT, &out, &e), &e);
    CQT_EQ_I(out, 3);
    CQT_OK(cq_codec_level(CQ_CODEC_ZSTD, 19, &out, &e), &e);
    CQT_EQ_I(out, 19);
    CQT_OK(cq_codec_level(CQ_CODEC_SNAPPY, CQ_LEVEL_DEFAULT, &out, &e), &e);
    CQT_OK(cq_codec_level(CQ_CODEC_NONE, CQ_LEVEL_DEFAULT, &out, &e), &e);
    CQT_STATUS(cq_codec_level(CQ_CODEC_ZSTD, 0, &out, &e), CQ_EARG);
    CQT_STATUS(cq_codec_level(CQ_CODEC_ZSTD, 20, &out, &e), CQ_EARG);
    CQT_STATUS(cq_codec_level(CQ_CODEC_ZSTD, -5, &out, &e), CQ_EARG);
    CQT_STATUS(cq_codec_level(CQ_CODEC_SNAPPY, 1, &out, &e), CQ_EARG);
    CQT_STATUS(cq_codec_level(CQ_CODEC_NONE, 3, &out, NULL), CQ_EARG);
}

static void refusals(void)
{
    cq_mem m;
    cq_err e;
    cq_codec *c = NULL;
    size_t n = 0;
    static const cq_codec_kind kinds[] = {CQ_CODEC_SNAPPY, CQ_CODEC_ZSTD};
    cqt_rand_bytes(src, 1000);
    for (size_t i = 0; i < 2; i++) {
        cq_mem_init(&m, NULL, 64 << 20);
        for (uint64_t k = 1; k <= 2; k++) {
            m.n_requests = 0;
            m.fail_at = k;
            CQT_STATUS(cq_codec_open(&c, kinds[i], CQ_LEVEL_DEFAULT, 65536, &m, &e), CQ_ENOMEM);
            CQT(c == NULL);
            CQT_EQ_U(cq_mem_used(&m), 0);
        }
        m.fail_at = 0;
        CQT_OK(cq_codec_open(&c, kinds[i], CQ_LEVEL_DEFAULT, 65536, &m, &e), &e);
        CQT_STATUS(cq_codec_compress(c, cq_span_of(src, 1000), dst, 100, &n, &e), CQ_ESTATE);
        round_trip(c, kinds[i], 1000);
        cq_codec_free(c);
        CQT_EQ_U(cq_mem_used(&m), 0);
    }
}

void test_compress(void)
{
    CQT_RUN(levels);
    CQT_RUN(no_codec);
    CQT_RUN(snappy_pages);
    CQT_RUN(zstd_contexts_never_grow);
    CQT_RUN(zstd_every_level);
    CQT_RUN(zstd_has_no_history);
    CQT_RUN(zstd_many_small_pages);
    CQT_RUN(refusals);
}
