/* Time of each kernel of the base and codec floors on one page of values: the best of many rounds.
 *
 *     gcc -std=c11 -O3 -Icsrc/core benchmarks/bench_kernels.c csrc/core/base/{checksum,mem,buf,err,utf8}.c \
 *         csrc/core/codec/{bitpack,byte_stream_split,rle,plain,delta,dict,compress}.c -lzstd -lsnappy -o build/bench_kernels
 *     build/bench_kernels [filter]
 *
 * Figures for people; nothing is asserted. */
#define _GNU_SOURCE
#include "base/checksum.h"
#include "base/utf8.h"
#include "codec/bitpack.h"
#include "codec/byte_stream_split.h"
#include "codec/compress.h"
#include "codec/delta.h"
#include "codec/dict.h"
#include "codec/plain.h"
#include "codec/rle.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { N = 65536, ROUNDS = 40 };

static uint32_t v32[N], ids[N];
static uint64_t v64[N];
static uint8_t bytes[N * 16], out[N * 16 + 4096];
static size_t text_at[N], text_len[N];
static uint64_t rng = 88172645463325252u;
static const char *filter;
static volatile uint64_t sink;

static uint64_t rnd(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    return rng ^= rng << 17;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Runs `code` ROUNDS times and keeps the shortest time. */
#define BEST(best, code)                                                                                               \
    double best = 1e18;                                                                                                \
    for (int round_ = 0; round_ < ROUNDS; round_++) {                                                                  \
        double const start_ = now();                                                                                   \
        code;                                                                                                          \
        double const took_ = now() - start_;                                                                           \
        if (took_ < best) best = took_;                                                                                \
    }

static bool wanted(const char *name) { return !filter || strstr(name, filter); }

static void per_value(const char *name, double ns, size_t n, size_t n_bytes)
{
    printf("%-34s %8.3f ns/value", name, ns / (double)n);
    if (n_bytes) printf("  %9zu bytes", n_bytes);
    putchar('\n');
}

static void per_byte(const char *name, double ns, size_t n)
{
    printf("%-34s %8.2f GB/s\n", name, (double)n / ns);
}

static void die(const cq_err *e)
{
    fprintf(stderr, "%s\n", e->msg);
    exit(1);
}

static void checksums(void)
{
    static const size_t sizes[] = {16, 64, 256, 4096, 65536, 1 << 20};
    char name[64];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)rnd();
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        size_t const n = sizes[k], times = sizeof bytes / n;
        snprintf(name, sizeof name, "crc32 %zu", n);
        if (wanted(name)) {
            BEST(t, for (size_t i = 0; i < times; i++) sink += cq_crc32(0, bytes + i * n, n));
            per_byte(name, t, n * times);
        }
        snprintf(name, sizeof name, "crc32 plain %zu", n);
        if (wanted(name)) {
            BEST(t, for (size_t i = 0; i < times; i++) sink += cq_crc32_plain(0, bytes + i * n, n));
            per_byte(name, t, n * times);
        }
        snprintf(name, sizeof name, "xxh64 %zu", n);
        if (wanted(name)) {
            BEST(t, for (size_t i = 0; i < times; i++) sink += cq_xxh64(bytes + i * n, n, 0));
            per_byte(name, t, n * times);
        }
    }
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)('a' + i % 26);
    if (wanted("utf8 ascii")) {
        BEST(t, sink += cq_utf8_valid_prefix(bytes, sizeof bytes));
        per_byte("utf8 ascii", t, sizeof bytes);
    }
    for (size_t i = 0; i + 2 <= sizeof bytes; i += 2) memcpy(bytes + i, "\xc3\xbc", 2);
    if (wanted("utf8 two-byte")) {
        BEST(t, sink += cq_utf8_valid_prefix(bytes, sizeof bytes));
        per_byte("utf8 two-byte", t, sizeof bytes);
    }
}

static void packing(void)
{
    char name[64];
    for (unsigned w = 1; w <= 32; w += w < 8 ? 1 : w < 20 ? 4 : 6) {
        for (size_t i = 0; i < N; i++) v32[i] = (uint32_t)(rnd() >> (64 - w));
        snprintf(name, sizeof name, "bitpack u32 width %u", w);
        if (!wanted(name)) continue;
        BEST(t, cq_bitpack_u32(v32, N, w, out));
        per_value(name, t, N, 0);
    }
    static const unsigned wide[] = {12, 33, 40, 47, 64};
    for (size_t k = 0; k < sizeof wide / sizeof *wide; k++) {
        for (size_t i = 0; i < N; i++) v64[i] = rnd() >> (64 - wide[k]);
        snprintf(name, sizeof name, "bitpack u64 width %u", wide[k]);
        if (!wanted(name)) continue;
        BEST(t, cq_bitpack_u64(v64, N, wide[k], out));
        per_value(name, t, N, 0);
    }
    for (size_t i = 0; i < N; i++) bytes[i] = (uint8_t)(rnd() >> 63);
    if (wanted("plain bool")) {
        BEST(t, sink += cq_plain_encode_bool(bytes, N, out));
        per_value("plain bool", t, N, 0);
    }
}

static void fill_runs(unsigned w, uint64_t longest)
{
    for (size_t i = 0; i < N;) {
        uint32_t const x = (uint32_t)(rnd() >> (64 - w));
        for (uint64_t k = rnd() % longest + 1; k && i < N; k--) v32[i++] = x;
    }
}

static void rle(void)
{
    static const unsigned widths[] = {1, 2, 8, 11, 16, 24};
    static const uint64_t longest[] = {1, 4, 16, 100, 5000};
    char name[64];
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
        for (size_t r = 0; r < sizeof longest / sizeof *longest; r++) {
            size_t got = 0;
            fill_runs(widths[k], longest[r]);
            snprintf(name, sizeof name, "rle u32 width %u runs to %d", widths[k], (int)longest[r]);
            if (wanted(name)) {
                BEST(t, got = cq_rle_encode_u32(v32, N, widths[k], out));
                per_value(name, t, N, got);
            }
            snprintf(name, sizeof name, "rle u8 width %u runs to %d", widths[k], (int)longest[r]);
            if (widths[k] <= 2 && wanted(name)) {
                for (size_t i = 0; i < N; i++) bytes[i] = (uint8_t)v32[i];
                BEST(t, got = cq_rle_encode_u8(bytes, N, widths[k], out));
                per_value(name, t, N, got);
            }
        }
    }
}

static void delta(void)
{
    static const unsigned widths[] = {0, 1, 7, 16, 30, 50, 64};
    char name[64];
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
        unsigned const w = widths[k];
        uint64_t x = 1700000000;
        size_t got = 0;
        for (size_t i = 0; i < N; i++) {
            v64[i] = x;
            v32[i] = (uint32_t)x;
            x += 60 + (w ? rnd() >> (64 - w) : 0);
        }
        snprintf(name, sizeof name, "delta i64 width %u", w);
        if (wanted(name)) {
            BEST(t, got = cq_delta_encode_i64((const int64_t *)v64, N, out));
            per_value(name, t, N, got);
            snprintf(name, sizeof name, "delta i64 width %u size", w);
            BEST(s, sink += cq_delta_size_i64((const int64_t *)v64, N));
            per_value(name, s, N, 0);
        }
        snprintf(name, sizeof name, "delta i32 width %u", w < 32 ? w : 32);
        if (wanted(name)) {
            BEST(t, got = cq_delta_encode_i32((const int32_t *)v32, N, out));
            per_value(name, t, N, got);
            snprintf(name, sizeof name, "delta i32 width %u size", w < 32 ? w : 32);
            BEST(s, sink += cq_delta_size_i32((const int32_t *)v32, N));
            per_value(name, s, N, 0);
        }
    }
}

static void streams(void)
{
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)rnd();
    if (wanted("byte stream split 4")) {
        BEST(t, cq_byte_stream_split_4(bytes, N, out, N));
        per_byte("byte stream split 4", t, (size_t)N * 4);
        BEST(u, cq_byte_stream_split_plain(bytes, N, 4, out, N));
        per_byte("byte stream split 4 plain", u, (size_t)N * 4);
    }
    if (wanted("byte stream split 8")) {
        BEST(t, cq_byte_stream_split_8(bytes, N, out, N));
        per_byte("byte stream split 8", t, (size_t)N * 8);
        BEST(u, cq_byte_stream_split_plain(bytes, N, 8, out, N));
        per_byte("byte stream split 8 plain", u, (size_t)N * 8);
    }
}

static void dict_fixed(unsigned width, uint64_t distinct, const char *what, bool runs)
{
    cq_mem m;
    cq_dict d;
    cq_err e;
    size_t done;
    char name[64];
    snprintf(name, sizeof name, "dict u%u %s", width * 8, what);
    if (!wanted(name)) return;
    cq_mem_init(&m, NULL, 64 << 20);
    cq_dict_init(&d, &m, width, cq_dict_caps(width, 8 << 20));
    for (size_t i = 0; i < N; i++) v64[i] = runs && rnd() % 8 ? v64[i ? i - 1 : 0] : rnd() % distinct * 0x123457;
    for (size_t i = 0; i < N; i++) v32[i] = (uint32_t)v64[i];
#define PUT                                                                                                            \
    if ((width == 4 ? cq_dict_put_u32s(&d, v32, N, ids, &done, &e) : cq_dict_put_u64s(&d, v64, N, ids, &done, &e))) die(&e)
    BEST(cold, cq_dict_reset(&d); PUT);
    BEST(warm, PUT);
    per_value(name, warm, N, 0);
    snprintf(name, sizeof name, "dict u%u %s, new", width * 8, what);
    per_value(name, cold, N, 0);
    cq_dict_reset(&d);
}

static void dict_bytes(uint64_t distinct, size_t len, const char *what)
{
    cq_mem m;
    cq_dict d;
    cq_err e;
    bool full;
    uint32_t id;
    char name[64];
    snprintf(name, sizeof name, "dict bytes %s", what);
    if (!wanted(name)) return;
    cq_mem_init(&m, NULL, 64 << 20);
    cq_dict_init(&d, &m, 0, cq_dict_caps(0, 8 << 20));
    for (size_t i = 0; i < N; i++) {
        uint64_t const x = rnd() % distinct;
        size_t const at = (size_t)x * (len + 8) % (sizeof bytes - 64);
        text_at[i] = at;
        text_len[i] = len + x % 5;
        memset(bytes + at, 'x', len + 5);
        memcpy(bytes + at + (len > 8 ? len - 8 : 0), &x, 4);
    }
    BEST(warm, for (size_t i = 0; i < N; i++) {
        if (cq_dict_put_bytes(&d, bytes + text_at[i], text_len[i], &id, &full, &e)) die(&e);
        sink += id;
    });
    per_value(name, warm, N, 0);
    cq_dict_reset(&d);
}

static void codecs(void)
{
    static const int32_t levels[] = {CQ_LEVEL_DEFAULT, 1, 3, 9, 19};
    cq_mem m;
    cq_err e;
    char name[64];
    cq_mem_init(&m, NULL, 64 << 20);
    double x = 100;
    for (size_t i = 0; i < sizeof bytes / 4; i++) { /* a metric: a slow walk with two decimals */
        x += (double)(int64_t)(rnd() % 201) / 100 - 1;
        float const f = (float)((double)(int64_t)(x * 10) / 10);
        memcpy(bytes + 4 * i, &f, 4);
    }
    for (size_t k = 0; k < sizeof levels / sizeof *levels; k++) {
        cq_codec_kind const kind = k ? CQ_CODEC_ZSTD : CQ_CODEC_SNAPPY;
        size_t const page = 262144;
        size_t got = 0;
        cq_codec *c = NULL;
        if (k) snprintf(name, sizeof name, "zstd %d", levels[k]);
        else snprintf(name, sizeof name, "snappy");
        if (!wanted(name)) continue;
        if (cq_codec_open(&c, kind, levels[k], page, &m, &e)) die(&e);
        double best = 1e18;
        for (int i = 0; i < 3; i++) {
            double const start = now();
            if (cq_codec_compress(c, cq_span_of(bytes, page), out, sizeof out, &got, &e)) die(&e);
            double const took = now() - start;
            if (took < best) best = took;
        }
        printf("%-34s %8.1f MB/s  ratio %.2f  memory %zu KiB\n", name, (double)page / best * 1e3,
               (double)page / (double)got, cq_codec_memory(kind, levels[k], page) / 1024);
        cq_codec_free(c);
    }
}

int main(int argc, char **argv)
{
    filter = argc > 1 ? argv[1] : NULL;
    checksums();
    packing();
    rle();
    delta();
    streams();
    static const unsigned fixed[] = {4, 8};
    for (size_t k = 0; k < 2; k++) {
        dict_fixed(fixed[k], 100, "100 random", false);
        dict_fixed(fixed[k], 100, "100 in runs", true);
        dict_fixed(fixed[k], 5000, "5,000 random", false);
        dict_fixed(fixed[k], 60000, "60,000 random", false);
    }
    dict_bytes(30, 6, "30 of 8");
    dict_bytes(1000, 14, "1,000 of 16");
    dict_bytes(20000, 14, "20,000 of 16");
    dict_bytes(5000, 40, "5,000 of 42");
    codecs();
    return 0;
}
