/* Pages byte by byte: levels, values and headers of version 1 and version 2 pages of the same builders, what the codec
 * gets to see, values that stay raw, pages of nulls, byte streams before and between dictionary pages. */
#include "base/checksum.h"
#include "base/err.h"
#include "codec/byte_stream_split.h"
#include "codec/rle.h"
#include "write/encode_choice.h"
#include "write/page_write.h"

#include <snappy-c.h>
#include <zstd.h>

#include "cqtest.h"

enum { PAGE_ROWS = 8192, MOST = PAGE_ROWS * 8 + 2048 };

typedef struct bench {
    cq_mem mem;
    cq_plan plan;
    cq_page_coder k;
    cq_row_meter meter;
    cq_colbuf c;
    cq_codec_kind kind;
    cq_page page;
    cq_page_undo undo;
    cq_err e;
} bench;

static uint8_t unpacked[MOST];

static void bench_open(bench *b, cq_type type, bool optional, cq_profile profile, cq_codec_kind kind)
{
    memset(b, 0, sizeof *b);
    cq_mem_init(&b->mem, NULL, UINT64_C(64) << 20);
    cq_schema s;
    cq_mem schema_mem;
    cq_mem_init(&schema_mem, NULL, 1 << 20);
    cq_schema_init(&s, &schema_mem);
    CQT_OK(cq_schema_add(&s, "c", 1, type, optional, &b->e), &b->e);
    cq_plan_opts const po = {.codec = kind, .level = 3, .data_page_bytes = PAGE_ROWS * 8};
    CQT_OK(cq_plan_make(&b->plan, &s, &po, UINT64_C(32) << 20, &b->e), &b->e);
    cq_schema_reset(&s);
    CQT_EQ_I(b->plan.page_rows, PAGE_ROWS);
    b->kind = kind;
    b->meter.max_bytes = b->plan.max_row_bytes;
    CQT_OK(cq_page_coder_open(&b->k, &b->plan, profile, 3, &b->mem, &b->e), &b->e);
    cq_colbuf_opts const o = {.type = type, .optional = optional, .page_rows = b->plan.page_rows, .page_bytes = b->plan.page_bytes,
                              .dict_bytes = b->plan.dict_bytes, .max_value_bytes = b->plan.max_value_bytes};
    cq_colbuf_init(&b->c, &o, &b->meter, &b->mem);
}

static void bench_close(bench *b)
{
    cq_colbuf_reset(&b->c);
    cq_page_coder_close(&b->k);
    CQT_EQ_U(cq_mem_used(&b->mem), 0);
}

static void put(bench *b, const void *v)
{
    cq_status const st = !v ? cq_colbuf_put_null(&b->c, &b->e) : b->c.width ? cq_colbuf_put_fixed(&b->c, v, &b->e) : cq_colbuf_put_bytes(&b->c, v, strlen(v), &b->e);
    CQT_OK(st, &b->e);
    cq_colbuf_commit(&b->c);
    b->meter.bytes = 0;
}

/* Encodes, and holds header, CRC and figures against the body. `want` says what the header has beside sizes and CRC. */
static void encode(bench *b, bool continues, const cq_page_header *want)
{
    memset(&b->page, 0, sizeof b->page);
    CQT_OK(cq_page_encode(&b->k, b->kind, &b->c, continues, &b->page, &b->undo, &b->e), &b->e);
    const cq_page *p = &b->page;
    cq_page_header h = *want;
    uint8_t bytes[CQ_PAGE_HEADER_BYTES];
    h.uncompressed_bytes = p->meta.uncompressed_bytes;
    h.compressed_bytes = cq_i64(p->body.n);
    h.crc = cq_crc32_plain(0, p->body.p, p->body.n);
    CQT_EQ_U(p->header_bytes, cq_meta_page_header(&h, bytes));
    CQT_EQ_MEM(p->header, bytes, p->header_bytes);
    CQT_EQ_I(p->meta.compressed_bytes, h.compressed_bytes);
    CQT_EQ_I(p->meta.n_slots, h.n_values);
    CQT_EQ_I(p->meta.encoding, h.encoding);
}

/* The page as a reader gets it: levels and values in one piece. */
static size_t unpack(const bench *b, const cq_page_header *h)
{
    const cq_page *p = &b->page;
    size_t const levels = (size_t)h->level_bytes, most = (size_t)p->meta.uncompressed_bytes;
    bool const packed = h->type == CQ_PQ_DATA_PAGE_V2 ? h->is_compressed : b->kind != CQ_CODEC_NONE;
    size_t n = most - levels;
    CQT(most <= sizeof unpacked && levels <= p->body.n);
    memcpy(unpacked, p->body.p, levels);
    if (!packed) {
        CQT_EQ_U(p->body.n, most);
        memcpy(unpacked + levels, p->body.p + levels, n);
    } else if (b->kind == CQ_CODEC_ZSTD) {
        CQT_EQ_U(ZSTD_decompress(unpacked + levels, n, p->body.p + levels, p->body.n - levels), n);
    } else {
        CQT_EQ_I(snappy_uncompress((const char *)p->body.p + levels, p->body.n - levels, (char *)unpacked + levels, &n), SNAPPY_OK);
        CQT_EQ_U(n, most - levels);
    }
    return most;
}

static void check_body(const bench *b, const cq_page_header *h, const void *want, size_t n)
{
    CQT_EQ_U(unpack(b, h), n);
    CQT_EQ_MEM(unpacked, want, n);
}

/* Two values and a null: levels with their length in front in version 1, without it in version 2. */
static void small_pages(void)
{
    static const cq_profile profiles[] = {CQ_PROFILE_DEFAULT, CQ_PROFILE_COMPAT, CQ_PROFILE_MODERN};
    static const int32_t seven = 7, nine = 0x01020304;
    /* one bit-packed group of levels 1 0 1 */
    static const uint8_t v1[] = {2, 0, 0, 0, 0x03, 0x05, 7, 0, 0, 0, 4, 3, 2, 1}, v2[] = {0x03, 0x05, 7, 0, 0, 0, 4, 3, 2, 1};
    for (int i = 0; i < 3; i++)
        for (int kind = 0; kind < CQ_N_CODECS; kind++) {
            bench b;
            bool const modern = profiles[i] == CQ_PROFILE_MODERN;
            bench_open(&b, CQ_INT32, true, profiles[i], (cq_codec_kind)kind);
            put(&b, &seven);
            put(&b, NULL);
            put(&b, &nine);
            /* eight bytes of values are never smaller in a frame */
            cq_page_header const h1 = {.type = CQ_PQ_DATA_PAGE, .encoding = CQ_PQ_PLAIN, .n_values = 3};
            cq_page_header const h2 = {.type = CQ_PQ_DATA_PAGE_V2, .encoding = CQ_PQ_PLAIN, .n_values = 3, .n_nulls = 1, .level_bytes = 2};
            encode(&b, false, modern ? &h2 : &h1);
            if (modern)
                check_body(&b, &h2, v2, sizeof v2);
            else
                check_body(&b, &h1, v1, sizeof v1);
            bench_close(&b);
        }
}

static void required_and_booleans(void)
{
    static const uint8_t yes = 1, no = 0;
    bench b;
    bench_open(&b, CQ_BOOL, false, CQ_PROFILE_MODERN, CQ_CODEC_ZSTD);
    for (int i = 0; i < 11; i++) put(&b, i % 3 ? &yes : &no);
    cq_page_header const h = {.type = CQ_PQ_DATA_PAGE_V2, .encoding = CQ_PQ_PLAIN, .n_values = 11};
    static const uint8_t bits[] = {0xB6, 0x05};
    encode(&b, true, &h);
    check_body(&b, &h, bits, sizeof bits);
    bench_close(&b);
    bench_open(&b, CQ_BOOL, true, CQ_PROFILE_MODERN, CQ_CODEC_NONE);
    put(&b, &yes);
    put(&b, &no);
    cq_page_header const of_two = {.type = CQ_PQ_DATA_PAGE_V2, .encoding = CQ_PQ_PLAIN, .n_values = 2, .level_bytes = 2};
    static const uint8_t run_and_bits[] = {0x04, 0x01, 0x01};
    encode(&b, true, &of_two);
    check_body(&b, &of_two, run_and_bits, sizeof run_and_bits);
    bench_close(&b);
}

/* A page of nulls has levels and nothing else, also where the chunk has a dictionary; version 1 pages have its bit width. */
static void nulls_only(void)
{
    for (int modern = 0; modern < 2; modern++)
        for (int kind = 0; kind < CQ_N_CODECS; kind++)
            for (int bytes = 0; bytes < 2; bytes++) {
                bench b;
                static const double values[] = {2.5, 1e300, -7.125, 3.1, 0.7};
                static const char *const texts[] = {"the same text", "the other text", "some more", "and more", "no more"};
                bench_open(&b, bytes ? CQ_STRING : CQ_FLOAT64, true, modern ? CQ_PROFILE_MODERN : CQ_PROFILE_DEFAULT, (cq_codec_kind)kind);
                for (int i = 0; i < 1000; i++) {
                    uint64_t const pick = cqt_rand_below(5);
                    put(&b, bytes ? (const void *)texts[pick] : &values[pick]);
                }
                CQT_OK(cq_page_encode(&b.k, b.kind, &b.c, true, &b.page, &b.undo, &b.e), &b.e);
                CQT_EQ_I(b.page.meta.encoding, CQ_PQ_RLE_DICTIONARY);
                cq_colbuf_page_done(&b.c, b.page.mode_after);
                for (int i = 0; i < 1000; i++) put(&b, NULL);
                static const uint8_t v2[] = {0xD0, 0x0F, 0};
                uint8_t const v1[] = {3, 0, 0, 0, 0xD0, 0x0F, 0, cq_low8(cq_index_width(b.kind, 5))};
                cq_page_header const h2 = {.type = CQ_PQ_DATA_PAGE_V2, .encoding = CQ_PQ_PLAIN, .n_values = 1000, .n_nulls = 1000, .level_bytes = 3};
                cq_page_header const h1 = {.type = CQ_PQ_DATA_PAGE, .encoding = CQ_PQ_RLE_DICTIONARY, .n_values = 1000};
                encode(&b, true, modern ? &h2 : &h1);
                if (modern)
                    check_body(&b, &h2, v2, sizeof v2);
                else
                    check_body(&b, &h1, v1, sizeof v1);
                CQT_EQ_I(b.page.mode_after, CQ_CHUNK_DICT); /* it says nothing about what follows */
                CQT_EQ_I(b.page.meta.stats.n_nulls, 1000);
                CQT(!b.page.meta.stats.has_bounds);
                bench_close(&b);
            }
}

static double walk(int i)
{
    static double at;
    at = i ? at + (double)(int64_t)cqt_rand_below(2001) / 1000 - 1 : 300;
    return at * 1.0000001;
}

/* Values that the codec does not make smaller stay raw; others are compressed behind levels that are not. */
static void raw_or_compressed(void)
{
    static const cq_codec_kind kinds[] = {CQ_CODEC_SNAPPY, CQ_CODEC_ZSTD};
    static uint8_t want[MOST];
    for (int k = 0; k < 2; k++)
        for (int noise = 0; noise < 2; noise++) {
            bench b;
            size_t n = 0, at;
            bench_open(&b, CQ_INT64, true, CQ_PROFILE_MODERN, kinds[k]);
            uint8_t levels[PAGE_ROWS];
            uint64_t values[400]; /* which come again and again in one order */
            cqt_rand_bytes(values, sizeof values);
            for (int i = 0; i < PAGE_ROWS; i++) {
                uint64_t const v = noise ? cqt_rand() : values[n % 400];
                levels[i] = cqt_rand_below(3) != 0;
                put(&b, levels[i] ? &v : NULL);
                n += levels[i];
            }
            at = cq_rle_encode_u8(levels, PAGE_ROWS, 1, want);
            cq_page_header h = {.type = CQ_PQ_DATA_PAGE_V2, .encoding = CQ_PQ_PLAIN, .n_values = PAGE_ROWS, .n_nulls = PAGE_ROWS - cq_i64(n), .level_bytes = cq_i64(at)};
            if (noise) {
                memcpy(want + at, b.c.values.data + b.c.headroom, n * 8);
                encode(&b, true, &h);
                check_body(&b, &h, want, at + n * 8);
                CQT_EQ_U(b.page.body.n, at + n * 8);
            } else {
                h.encoding = CQ_PQ_RLE_DICTIONARY;
                h.is_compressed = true;
                encode(&b, true, &h);
                CQT(b.page.body.n < at + n);
                CQT_EQ_MEM(b.page.body.p, want, at); /* levels as they are */
                (void)unpack(&b, &h);
                CQT_EQ_U(unpacked[at], cq_index_width(b.kind, b.c.dict.n_entries));
            }
            bench_close(&b);
        }
}

/* The bytes of a page of streams, for both widths, and that no other profile has them. */
static void byte_streams(void)
{
    static uint8_t plain[PAGE_ROWS * 8], want[MOST];
    for (int width = 4; width <= 8; width += 4)
        for (int kind = 0; kind < CQ_N_CODECS; kind++)
            for (int p = 0; p < 3; p++) {
                cq_profile const profile = (cq_profile)p;
                bench b;
                bench_open(&b, width == 4 ? CQ_FLOAT32 : CQ_FLOAT64, false, profile, (cq_codec_kind)kind);
                for (int i = 0; i < PAGE_ROWS; i++) {
                    double const d = walk(i);
                    float const f = (float)d;
                    memcpy(plain + (size_t)i * (size_t)width, width == 4 ? (const void *)&f : (const void *)&d, (size_t)width);
                    put(&b, width == 4 ? (const void *)&f : (const void *)&d);
                }
                bool const modern = profile == CQ_PROFILE_MODERN, split = modern && kind != CQ_CODEC_NONE;
                cq_page_header const h = {.type = modern ? CQ_PQ_DATA_PAGE_V2 : CQ_PQ_DATA_PAGE, .encoding = split ? CQ_PQ_BYTE_STREAM_SPLIT : CQ_PQ_PLAIN,
                                          .n_values = PAGE_ROWS, .is_compressed = split};
                encode(&b, true, &h);
                size_t const n = PAGE_ROWS * (size_t)width;
                if (split)
                    cq_byte_stream_split_plain(plain, PAGE_ROWS, (size_t)width, want, PAGE_ROWS);
                else
                    memcpy(want, plain, n);
                check_body(&b, &h, want, n);
                bench_close(&b);
            }
}

static cq_pq_encoding page_of(bench *b, bool repeats)
{
    for (int i = 0; i < PAGE_ROWS; i++) {
        double const d = repeats ? (double)(int64_t)(cqt_rand_below(50) * 987654321) / 7 : walk(i);
        put(b, &d);
    }
    CQT_OK(cq_page_encode(&b->k, b->kind, &b->c, true, &b->page, &b->undo, &b->e), &b->e);
    cq_colbuf_page_done(&b->c, b->page.mode_after);
    return b->page.meta.encoding;
}

/* Byte streams between dictionary pages leave the dictionary as it was. A first page whose values do not repeat gives
 * the dictionary up. */
static void streams_beside_a_dictionary(void)
{
    bench b;
    bench_open(&b, CQ_FLOAT64, false, CQ_PROFILE_MODERN, CQ_CODEC_ZSTD);
    CQT_EQ_I(page_of(&b, true), CQ_PQ_RLE_DICTIONARY);
    uint32_t const entries = b.c.dict.n_entries;
    CQT_EQ_U(entries, 50);
    for (int i = 0; i < PAGE_ROWS; i++) { /* every value three times: few enough new ones to keep the dictionary, but better in streams */
        double const d = 1000 + (double)(i / 3);
        put(&b, &d);
    }
    CQT_OK(cq_page_encode(&b.k, b.kind, &b.c, true, &b.page, &b.undo, &b.e), &b.e);
    CQT_EQ_I(b.page.meta.encoding, CQ_PQ_BYTE_STREAM_SPLIT);
    CQT_EQ_I(b.page.mode_after, CQ_CHUNK_DICT);
    CQT_EQ_U(b.c.dict.n_entries, entries);
    cq_page_take_back(&b.c, &b.undo);
    CQT_EQ_I(b.c.mode, CQ_CHUNK_DICT);
    cq_colbuf_page_done(&b.c, b.page.mode_after);
    CQT_EQ_I(page_of(&b, true), CQ_PQ_RLE_DICTIONARY);
    CQT_EQ_U(b.c.dict.n_entries, entries);
    bench_close(&b);
    bench_open(&b, CQ_FLOAT64, false, CQ_PROFILE_MODERN, CQ_CODEC_ZSTD);
    CQT_EQ_I(page_of(&b, false), CQ_PQ_BYTE_STREAM_SPLIT);
    CQT_EQ_I(b.page.mode_after, CQ_CHUNK_DIRECT);
    bench_close(&b);
}

/* A trial that byte streams win is put off, not lost: the values that repeat later get their dictionary. */
static void trial_after_streams(void)
{
    bench b;
    bench_open(&b, CQ_FLOAT64, false, CQ_PROFILE_MODERN, CQ_CODEC_ZSTD);
    for (int i = 0; i < PAGE_ROWS; i++) { /* smaller with a dictionary than PLAIN, and still smaller in streams */
        double const d = (double)(cqt_rand_below(600) + cqt_rand_below(600) + cqt_rand_below(600));
        put(&b, &d);
    }
    CQT_OK(cq_page_encode(&b.k, b.kind, &b.c, true, &b.page, &b.undo, &b.e), &b.e);
    CQT_EQ_I(b.page.meta.encoding, CQ_PQ_BYTE_STREAM_SPLIT);
    CQT_EQ_I(b.page.mode_after, CQ_CHUNK_TRIAL);
    CQT_EQ_U(b.c.dict.n_entries, 0);
    cq_colbuf_page_done(&b.c, b.page.mode_after);
    CQT_EQ_I(page_of(&b, true), CQ_PQ_RLE_DICTIONARY);
    CQT_EQ_I(b.page.mode_after, CQ_CHUNK_DICT);
    bench_close(&b);
}

void test_page_write(void)
{
    CQT_RUN(small_pages);
    CQT_RUN(required_and_booleans);
    CQT_RUN(nulls_only);
    CQT_RUN(raw_or_compressed);
    CQT_RUN(byte_streams);
    CQT_RUN(streams_beside_a_dictionary);
    CQT_RUN(trial_after_streams);
}
