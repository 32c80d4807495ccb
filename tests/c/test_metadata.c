/* Parquet's structs: the bytes of page headers and schema elements, and that the largest values of every piece stay
 * inside of the memory that is promised for it. */
#include "base/bytes.h"
#include "base/err.h"
#include "format/limits.h"
#include "format/metadata.h"

#include <stdlib.h>

#include "cqtest.h"

static void page_headers(void)
{
    uint8_t dst[CQ_PAGE_HEADER_BYTES];
    cq_page_header const data = {.type = CQ_PQ_DATA_PAGE, .encoding = CQ_PQ_RLE_DICTIONARY, .n_values = 3, .uncompressed_bytes = 10, .compressed_bytes = 9, .crc = 0xFFFFFFFF};
    static const uint8_t want[] = {0x15, 0x00, 0x15, 0x14, 0x15, 0x12, 0x15, 0x01, 0x1C, 0x15, 0x06, 0x15, 0x10, 0x15, 0x06, 0x15, 0x06, 0x00, 0x00};
    CQT_EQ_U(cq_meta_page_header(&data, dst), sizeof want);
    CQT_EQ_MEM(dst, want, sizeof want);
    cq_page_header const dict = {.type = CQ_PQ_DICTIONARY_PAGE, .encoding = CQ_PQ_PLAIN, .n_values = 1, .uncompressed_bytes = 4, .compressed_bytes = 4, .crc = 1};
    static const uint8_t want_dict[] = {0x15, 0x04, 0x15, 0x08, 0x15, 0x08, 0x15, 0x02, 0x3C, 0x15, 0x02, 0x15, 0x00, 0x12, 0x00, 0x00};
    CQT_EQ_U(cq_meta_page_header(&dict, dst), sizeof want_dict);
    CQT_EQ_MEM(dst, want_dict, sizeof want_dict);
    cq_page_header const most = {.type = CQ_PQ_DATA_PAGE, .encoding = CQ_PQ_RLE_DICTIONARY, .n_values = INT32_MAX, .uncompressed_bytes = INT32_MAX, .compressed_bytes = INT32_MAX, .crc = 0x80000000};
    CQT(cq_meta_page_header(&most, dst) <= CQ_PAGE_HEADER_BYTES);
    /* version 2: rows are values, no repetition levels, is_compressed is always said */
    cq_page_header v2 = {.type = CQ_PQ_DATA_PAGE_V2, .encoding = CQ_PQ_BYTE_STREAM_SPLIT, .n_values = 3, .n_nulls = 1, .level_bytes = 2, .uncompressed_bytes = 10, .compressed_bytes = 10, .crc = 1};
    uint8_t want_v2[] = {0x15, 0x06, 0x15, 0x14, 0x15, 0x14, 0x15, 0x02, 0x4C, 0x15, 0x06, 0x15, 0x02, 0x15, 0x06, 0x15, 0x12, 0x15, 0x04, 0x15, 0x00, 0x12, 0x00, 0x00};
    CQT_EQ_U(cq_meta_page_header(&v2, dst), sizeof want_v2);
    CQT_EQ_MEM(dst, want_v2, sizeof want_v2);
    v2.is_compressed = true;
    want_v2[21] = 0x11;
    CQT_EQ_U(cq_meta_page_header(&v2, dst), sizeof want_v2);
    CQT_EQ_MEM(dst, want_v2, sizeof want_v2);
    cq_page_header const most_v2 = {.type = CQ_PQ_DATA_PAGE_V2, .encoding = CQ_PQ_BYTE_STREAM_SPLIT, .n_values = INT32_MAX, .n_nulls = INT32_MAX, .level_bytes = INT32_MAX,
                                    .uncompressed_bytes = INT32_MAX, .compressed_bytes = INT32_MAX, .crc = 0x80000000, .is_compressed = true};
    CQT(cq_meta_page_header(&most_v2, dst) <= CQ_PAGE_HEADER_BYTES);
}

static void schema_elements(void)
{
    uint8_t dst[CQ_SCHEMA_ELEMENT_BYTES(6)];
    cq_field const f = {.name = "n", .name_bytes = 1, .type = CQ_UINT8, .optional = true, .field_id = -1};
    static const uint8_t want[] = {0x15, 0x02, 0x25, 0x02, 0x18, 0x01, 'n', 0x25, 0x16, 0x4C, 0xAC, 0x13, 0x08, 0x12, 0x00, 0x00, 0x00};
    CQT_EQ_U(cq_meta_schema_leaf(&f, dst), sizeof want);
    CQT_EQ_MEM(dst, want, sizeof want);
    cq_field const text = {.name = "s", .name_bytes = 1, .type = CQ_STRING, .field_id = -1};
    static const uint8_t want_text[] = {0x15, 0x0C, 0x25, 0x00, 0x18, 0x01, 's', 0x25, 0x00, 0x4C, 0x1C, 0x00, 0x00, 0x00};
    CQT_EQ_U(cq_meta_schema_leaf(&text, dst), sizeof want_text);
    CQT_EQ_MEM(dst, want_text, sizeof want_text);
    /* field id, type length, scale and precision, and the unions inside of unions */
    static const struct {
        cq_field f;
        uint8_t want[40];
        size_t n;
    } others[] = {
        {{.name = "d", .name_bytes = 1, .type = CQ_DECIMAL128, .fixed_bytes = 9, .precision = 20, .scale = 3, .field_id = 70},
         {0x15, 0x0E, 0x15, 0x12, 0x15, 0x00, 0x18, 0x01, 'd', 0x25, 0x0A, 0x15, 0x06, 0x15, 0x28, 0x15, 0x8C, 0x01,
          0x1C, 0x5C, 0x15, 0x06, 0x15, 0x28, 0x00, 0x00, 0x00}, 27},
        {{.name = "t", .name_bytes = 1, .type = CQ_TIMESTAMP_US_UTC, .optional = true, .field_id = -1},
         {0x15, 0x04, 0x25, 0x02, 0x18, 0x01, 't', 0x25, 0x14, 0x4C, 0x8C, 0x11, 0x1C, 0x2C, 0x00, 0x00, 0x00, 0x00, 0x00}, 19},
        {{.name = "s", .name_bytes = 1, .type = CQ_TIMESTAMP_S, .field_id = 0},
         {0x15, 0x04, 0x25, 0x00, 0x18, 0x01, 's', 0x25, 0x12, 0x35, 0x00, 0x1C, 0x8C, 0x12, 0x1C, 0x1C, 0x00, 0x00, 0x00, 0x00, 0x00}, 21},
        {{.name = "n", .name_bytes = 1, .type = CQ_TIME_NS_UTC, .field_id = -1},
         {0x15, 0x04, 0x25, 0x00, 0x18, 0x01, 'n', 0x6C, 0x7C, 0x11, 0x1C, 0x3C, 0x00, 0x00, 0x00, 0x00, 0x00}, 17},
        {{.name = "u", .name_bytes = 1, .type = CQ_UUID, .fixed_bytes = 16, .field_id = -1},
         {0x15, 0x0E, 0x15, 0x20, 0x15, 0x00, 0x18, 0x01, 'u', 0x6C, 0xEC, 0x00, 0x00, 0x00}, 14},
        {{.name = "b", .name_bytes = 1, .type = CQ_FIXED, .fixed_bytes = 300, .field_id = -1},
         {0x15, 0x0E, 0x15, 0xD8, 0x04, 0x15, 0x00, 0x18, 0x01, 'b', 0x00}, 11},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        CQT_EQ_U(cq_meta_schema_leaf(&others[i].f, dst), others[i].n);
        CQT_EQ_MEM(dst, others[i].want, others[i].n);
    }
    CQT(cq_meta_schema_root(CQ_MAX_COLUMNS, dst) <= sizeof dst);
}

static void largest_pieces(void)
{
    static char name[CQ_MAX_NAME_BYTES + 1];
    memset(name, 'x', CQ_MAX_NAME_BYTES);
    static const size_t sizes[] = {1, 200, CQ_MAX_NAME_BYTES};
    for (int t = 0; t < CQ_N_TYPES; t++)
        for (int i = 0; i < 3; i++) {
            size_t const n = sizes[i];
            uint8_t *dst = malloc(CQ_CHUNK_META_BYTES(n)), *leaf = malloc(CQ_SCHEMA_ELEMENT_BYTES(n));
            CQT(dst && leaf);
            cq_field const f = {.name = name, .name_bytes = n, .type = (cq_type)t, .optional = true, .max_def = 1, .fixed_bytes = cq_type_facts((cq_type)t)->physical == CQ_PQ_FIXED_LEN_BYTE_ARRAY ? CQ_MAX_FIXED_BYTES : 0,
                                .precision = 38, .scale = 38, .field_id = INT32_MAX};
            cq_chunk_meta c = {.field = &f, .codec = CQ_PQ_ZSTD, .n_slots = INT32_MAX, .compressed_bytes = INT64_MAX, .uncompressed_bytes = INT64_MAX,
                               .data_page_offset = INT64_MAX, .dict_page_offset = INT64_MAX, .n_plain = INT32_MAX, .n_dict = INT32_MAX, .n_delta = INT32_MAX,
                               .n_split = INT32_MAX, .page_type = CQ_PQ_DATA_PAGE_V2};
            size_t const width = cq_type_facts(f.type)->width;
            c.stats.n_nulls = c.stats.value_bytes = INT64_MAX;
            c.stats.has_bounds = true;
            c.stats.min.n = c.stats.max.n = width ? cq_u8(width) : CQ_STAT_BYTES;
            c.stats.min.exact = width != 0;
            c.stats.max.exact = width != 0;
            memset(c.stats.min.bytes, 'a', CQ_STAT_BYTES);
            memset(c.stats.max.bytes, 'a', CQ_STAT_BYTES);
            CQT(cq_meta_chunk(&c, dst) <= CQ_CHUNK_META_BYTES(n));
            CQT(cq_meta_schema_leaf(&f, leaf) <= CQ_SCHEMA_ELEMENT_BYTES(n));
            free(dst);
            free(leaf);
        }
    uint8_t tail[CQ_CHUNK_TAIL_BYTES];
    CQT(cq_meta_chunk_tail(INT64_MAX, INT32_MAX, INT64_MAX, INT32_MAX, tail) <= sizeof tail);
    CQT_EQ_U(cq_meta_chunk_tail(1, 2, 3, 0, tail), 5); /* without a column index */
}

static void histograms(void)
{
    int64_t h[2] = {7, 7};
    cq_field f = {.type = CQ_INT32};
    CQT_EQ_I(cq_meta_def_histogram(&f, 10, 0, h), 0);
    f.max_def = 1;
    CQT_EQ_I(cq_meta_def_histogram(&f, 10, 4, h), 2);
    CQT(h[0] == 4 && h[1] == 6);
}

void test_metadata(void)
{
    CQT_RUN(page_headers);
    CQT_RUN(schema_elements);
    CQT_RUN(largest_pieces);
    CQT_RUN(histograms);
}
