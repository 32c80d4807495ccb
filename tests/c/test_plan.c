/* The plan: a pure function whose refusals name a limit that would do, for schemas of one to thousands of columns. */
#include "base/err.h"
#include "base/spill.h"
#include "format/limits.h"
#include "write/plan.h"

#include <stdio.h>

#include "cqtest.h"

static void make_schema(cq_schema *s, cq_mem *mem, int32_t n, bool strings)
{
    static const cq_type fixed[] = {CQ_BOOL, CQ_INT32, CQ_INT64, CQ_FLOAT16, CQ_TIMESTAMP_US, CQ_UUID};
    cq_err e;
    cq_mem_init(mem, NULL, UINT64_C(1) << 30);
    cq_schema_init(s, mem);
    for (int32_t i = 0; i < n; i++) {
        char name[32];
        size_t const k = (size_t)snprintf(name, sizeof name, "c%d", (int)i);
        CQT_OK(cq_schema_add(s, name, k, strings ? CQ_STRING : fixed[i % 6], i % 2, &e), &e);
    }
}

static cq_plan_opts opts_of(cq_codec_kind kind, int32_t level)
{
    cq_plan_opts o = {.codec = kind, .level = level};
    return o;
}

static void check_refusal(const cq_schema *s, const cq_plan_opts *o, uint64_t limit)
{
    cq_plan p, again;
    cq_err e;
    if (cq_plan_make(&p, s, o, limit, &e) == CQ_OK) {
        CQT(p.fixed_bytes <= limit && p.memory_limit == limit);
        CQT_OK(cq_plan_make(&again, s, o, limit, &e), &e);
        CQT_EQ_MEM(&again, &p, sizeof p);
        return;
    }
    CQT_EQ_I(e.code, CQ_EBUDGET);
    CQT_EQ_U(e.limit, limit);
    uint64_t const needed = e.needed;
    CQT(needed > limit);
    char text[32];
    (void)snprintf(text, sizeof text, "%" PRIu64, needed);
    CQT_IN_STR(e.msg, text);
    CQT_OK(cq_plan_make(&p, s, o, needed, &e), &e);
    if (needed > 2 * CQ_SPILL_BLOCK && needed - 2 * CQ_SPILL_BLOCK > limit) {
        CQT_STATUS(cq_plan_make(&p, s, o, needed - 2 * CQ_SPILL_BLOCK, &e), CQ_EBUDGET);
        CQT_EQ_U(e.needed, needed);
    }
}

static void refusals_name_what_would_do(void)
{
    static const int32_t columns[] = {1, 2, 7, 40, 300, 2000};
    static const uint64_t limits[] = {0, 1, 1000, 1 << 16, 1 << 20, 3 << 20, 10 << 20, 40 << 20, UINT64_C(100) << 20};
    for (int i = 0; i < 6; i++)
        for (int strings = 0; strings < 2; strings++) {
            cq_schema s;
            cq_mem mem;
            make_schema(&s, &mem, columns[i], strings);
            for (int k = 0; k < 9; k++) {
                cq_plan_opts const o[] = {opts_of(CQ_CODEC_NONE, 0), opts_of(CQ_CODEC_SNAPPY, 0), opts_of(CQ_CODEC_ZSTD, 3), opts_of(CQ_CODEC_ZSTD, 19),
                                          {.codec = CQ_CODEC_SNAPPY, .data_page_bytes = 1, .sort_key_bytes = strings ? CQ_MAX_SORT_KEY_BYTES : 0}, {.codec = CQ_CODEC_NONE, .max_value_bytes = 1000},
                                          {.codec = CQ_CODEC_NONE, .max_value_bytes = INT64_MAX, .data_page_bytes = INT64_MAX}};
                for (int j = 0; j < 7; j++) check_refusal(&s, &o[j], limits[k]);
            }
            cq_schema_reset(&s);
        }
}

static void grows_with_the_limit(void)
{
    cq_schema s;
    cq_mem mem;
    cq_plan p, before;
    cq_err e;
    make_schema(&s, &mem, 8, true);
    memset(&before, 0, sizeof before);
    cq_plan_opts const o = opts_of(CQ_CODEC_ZSTD, 3);
    for (uint64_t limit = UINT64_C(4) << 20; limit < UINT64_C(1) << 34; limit += limit / 16) {
        CQT_OK(cq_plan_make(&p, &s, &o, limit, &e), &e);
        CQT(p.page_bytes + p.dict_bytes >= before.page_bytes && p.max_value_bytes >= before.max_value_bytes);
        CQT(p.page_rows <= CQ_PAGE_ROWS && p.page_bytes <= CQ_PAGE_BYTES && p.page_rows >= 8);
        CQT_EQ_U(p.max_value_bytes, cq_plan_body_bytes(&p) ? (size_t)(limit / 4 < CQ_MAX_PAGE_BYTES / 2 ? limit / 4 : CQ_MAX_PAGE_BYTES / 2) : 0);
        before = p;
    }
    cq_plan_opts const slow = opts_of(CQ_CODEC_ZSTD, 16);
    CQT_OK(cq_plan_make(&p, &s, &slow, UINT64_C(1) << 34, &e), &e);
    CQT_EQ_U(p.page_bytes, CQ_PAGE_BYTES_SLOW);
    cq_schema_reset(&s);
}

static void caps_are_kept(void)
{
    cq_schema s;
    cq_mem mem;
    cq_plan p;
    cq_err e;
    make_schema(&s, &mem, 3, true);
    cq_plan_opts o = opts_of(CQ_CODEC_SNAPPY, 0);
    o.max_value_bytes = 5000;
    o.data_page_bytes = 3000;
    CQT_OK(cq_plan_make(&p, &s, &o, 64 << 20, &e), &e);
    CQT_EQ_U(p.max_value_bytes, 5000);
    CQT_EQ_U(p.max_row_bytes, 15000);
    CQT_EQ_U(p.page_bytes, 3000);
    CQT_EQ_I(p.page_rows, 375);
    o.max_value_bytes = 0;
    CQT_OK(cq_plan_make(&p, &s, &o, 64 << 20, &e), &e);
    CQT_EQ_U(p.max_value_bytes, 16 << 20);
    CQT_EQ_U(p.max_row_bytes, 16 << 20);
    cq_schema_reset(&s);
}

/* Each kind in use is counted once, whichever columns have it; one kind for all columns is as if it was the only one. */
static void codecs_of_columns(void)
{
    static const cq_codec_kind mixed[] = {CQ_CODEC_ZSTD, CQ_CODEC_NONE, CQ_CODEC_SNAPPY, CQ_CODEC_ZSTD}, same[] = {CQ_CODEC_ZSTD, CQ_CODEC_ZSTD, CQ_CODEC_ZSTD, CQ_CODEC_ZSTD};
    static const cq_codec_kind light[] = {CQ_CODEC_SNAPPY, CQ_CODEC_NONE, CQ_CODEC_SNAPPY, CQ_CODEC_SNAPPY};
    cq_schema s;
    cq_mem mem;
    cq_plan one, p;
    cq_err e;
    make_schema(&s, &mem, 4, true);
    for (int32_t level = 3; level <= 16; level += 13) {
        cq_plan_opts o = opts_of(CQ_CODEC_ZSTD, level);
        CQT_OK(cq_plan_make(&one, &s, &o, 64 << 20, &e), &e);
        o.codec = CQ_CODEC_NONE;
        o.codecs = same;
        CQT_OK(cq_plan_make(&p, &s, &o, 64 << 20, &e), &e);
        CQT_EQ_MEM(&p, &one, sizeof p);
        o.codecs = mixed;
        CQT_OK(cq_plan_make(&p, &s, &o, 64 << 20, &e), &e);
        CQT_EQ_U(p.codec_bytes, one.codec_bytes + cq_codec_memory(CQ_CODEC_SNAPPY, level, p.page_bytes) + cq_codec_memory(CQ_CODEC_NONE, level, p.page_bytes));
        CQT_EQ_U(p.page_bytes, one.page_bytes);
        for (int k = 0; k < CQ_N_CODECS; k++) CQT(cq_plan_uses(&p, (cq_codec_kind)k));
        for (uint64_t limit = 1 << 16; limit < UINT64_C(64) << 20; limit *= 3) check_refusal(&s, &o, limit);
    }
    cq_plan_opts const o = {.codec = CQ_CODEC_ZSTD, .codecs = light, .level = 19};
    CQT_OK(cq_plan_make(&p, &s, &o, 64 << 20, &e), &e);
    CQT(!cq_plan_uses(&p, CQ_CODEC_ZSTD) && cq_plan_uses(&p, CQ_CODEC_SNAPPY));
    CQT(p.page_bytes > CQ_PAGE_BYTES_SLOW); /* no column is compressed slowly */
    cq_schema_reset(&s);
}

static void add_fixed(cq_schema *s, int32_t n, int32_t fixed_bytes)
{
    cq_err e;
    for (int32_t i = 0; i < n; i++) {
        char name[32];
        cq_field_spec const f = {.name = name, .name_bytes = (size_t)snprintf(name, sizeof name, "f%d", (int)s->n_fields), .type = CQ_FIXED,
                                 .fixed_bytes = fixed_bytes, .field_id = -1};
        CQT_OK(cq_schema_add_field(s, &f, &e), &e);
    }
}

/* Nothing is kept for large values where lengths are fixed, and all that they need is counted. */
static void fixed_lengths(void)
{
    static const int32_t lengths[] = {1, 16, 64, 5000, 100000, CQ_MAX_FIXED_BYTES};
    for (int i = 0; i < 6; i++) {
        cq_schema s;
        cq_mem mem;
        cq_plan p, more;
        cq_err e;
        cq_mem_init(&mem, NULL, 1 << 20);
        cq_schema_init(&s, &mem);
        add_fixed(&s, 4, lengths[i]);
        cq_plan_opts const o = opts_of(CQ_CODEC_SNAPPY, 0);
        CQT_OK(cq_plan_make(&p, &s, &o, 64 << 20, &e), &e);
        CQT(p.max_value_bytes == 0 && p.max_row_bytes == 0);
        CQT_EQ_U(p.max_fixed_bytes, (uint64_t)lengths[i]);
        CQT(cq_plan_body_bytes(&p) >= p.page_bytes + (size_t)lengths[i]);
        CQT(p.column_bytes >= 4 * (size_t)lengths[i]);
        CQT(p.batch_bytes >= (128 << 10) && p.batch_bytes < p.fixed_bytes);
        uint64_t const limits[] = {1, 1 << 20, 5 << 20, 64 << 20};
        for (int k = 0; k < 4; k++) check_refusal(&s, &o, limits[k]);
        CQT_STATUS(cq_plan_make(&p, &s, &o, 1, &e), CQ_EBUDGET);
        CQT(e.needed > 5 * (uint64_t)lengths[i]);
        CQT_OK(cq_plan_make(&p, &s, &o, 64 << 20, &e), &e);
        CQT_OK(cq_schema_add(&s, "text", 4, CQ_JSON, true, &e), &e);
        CQT_OK(cq_plan_make(&more, &s, &o, 64 << 20, &e), &e);
        CQT_EQ_U(more.max_value_bytes, 16 << 20);
        add_fixed(&s, 195, 1);
        CQT_OK(cq_plan_make(&more, &s, &o, 64 << 20, &e), &e);
        CQT(more.batch_bytes >= 200 * 32 * 64);
        cq_schema_reset(&s);
    }
}

void test_plan(void)
{
    CQT_RUN(fixed_lengths);
    CQT_RUN(refusals_name_what_would_do);
    CQT_RUN(grows_with_the_limit);
    CQT_RUN(caps_are_kept);
    CQT_RUN(codecs_of_columns);
}
