/* Which encoding pages get: the rules at their borders, and the data for which each encoding is there. */
#include "writer_scenarios.h"

#include "write/encode_choice.h"

static void index_widths(void)
{
    static const struct { uint32_t n; unsigned plain, snappy, zstd; } cases[] = {
        {0, 1, 1, 1}, {1, 1, 1, 1}, {2, 1, 1, 8}, {3, 2, 2, 8}, {256, 8, 8, 8}, {257, 9, 16, 16}, {65536, 16, 16, 16}, {65537, 17, 24, 24}, {1 << 20, 20, 24, 24}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CQT_EQ_U(cq_index_width(CQ_CODEC_NONE, cases[i].n), cases[i].plain);
        CQT_EQ_U(cq_index_width(CQ_CODEC_SNAPPY, cases[i].n), cases[i].snappy);
        CQT_EQ_U(cq_index_width(CQ_CODEC_ZSTD, cases[i].n), cases[i].zstd);
    }
}

typedef int64_t (*value_fn)(int64_t row);

static int64_t few(int64_t row) { return row % 7 * 1000003 * (row % 3 + 1); }
static int64_t steps(int64_t row) { return 1700000000 + row * 60; }
static int64_t noise(int64_t row) { return cq_wrap_i64(cqt_rand() + (uint64_t)row); }
static int64_t same(int64_t row) { return row < 0 ? 0 : 123456789; }
static int64_t few_then_noise(int64_t row) { return row < 20000 ? few((int64_t)cqt_rand_below(100)) : noise(row); }

static cq_column_info written_as(cq_profile profile, cq_type type, value_fn value, int64_t n, bool optional, cq_codec_kind codec, bool batch)
{
    wf_table t;
    wf_table_init(&t, n);
    (void)wf_table_add(&t, type, optional);
    for (int64_t row = 0; row < n; row++) {
        if (optional && row % 10 == 9)
            wf_set(&t, 0, row, NULL, 0);
        else
            wf_set_int(&t, 0, row, wf_in_range(type, (uint64_t)value(row)));
    }
    wf_step const s[] = {{batch ? WF_BATCH : WF_ROWS, 0, n}, {WF_END_OF_STEPS, 0, 0}};
    wf_run r = wf_new(&t, s, UINT64_C(32) << 20);
    r.o.codec = codec;
    r.o.profile = profile;
    r.o.data_page_bytes = 8192 * 8;
    wf_must(&r);
    cq_column_info const f = r.figures[0];
    wf_free(&r);
    wf_table_free(&t);
    return f;
}

static cq_column_info written(cq_type type, value_fn value, int64_t n, bool optional, cq_codec_kind codec, bool batch)
{
    return written_as(CQ_PROFILE_DEFAULT, type, value, n, optional, codec, batch);
}

static void each_encoding_for_its_data(void)
{
    enum { ROWS = 40000 };
    static const cq_codec_kind codecs[] = {CQ_CODEC_NONE, CQ_CODEC_SNAPPY, CQ_CODEC_ZSTD};
    for (int k = 0; k < 3; k++)
        for (int batch = 0; batch < 2; batch++)
            for (int optional = 0; optional < 2; optional++) {
                cq_column_info f = written(CQ_INT64, few, ROWS, optional, codecs[k], batch);
                CQT(f.pages_plain == 0 && f.dict_pages <= 1);
                if (codecs[k] == CQ_CODEC_NONE) CQT(f.pages_dict > 0 && f.pages_delta == 0);
                f = written(CQ_INT64, steps, ROWS, optional, codecs[k], batch);
                CQT(f.pages_delta > 0 && f.pages_plain == 0 && f.pages_dict == 0);
                f = written(CQ_INT64, noise, ROWS, optional, codecs[k], batch);
                CQT(f.pages_plain > 0 && f.pages_dict == 0 && f.pages_delta == 0);
                f = written(CQ_FLOAT64, noise, ROWS, optional, codecs[k], batch);
                CQT(f.pages_plain > 0 && f.pages_dict == 0 && f.pages_delta == 0);
                f = written(CQ_STRING, same, ROWS, optional, codecs[k], batch);
                CQT(f.pages_dict > 0 && f.pages_plain == 0 && f.dict_pages == 1);
                f = written(CQ_STRING, noise, ROWS, optional, codecs[k], batch);
                CQT(f.pages_dict == 0 && f.pages_plain > 0);
                f = written(CQ_BOOL, noise, ROWS, optional, codecs[k], batch);
                CQT(f.pages_dict == 0 && f.pages_delta == 0);
                /* given up once, for good: dictionary pages are the first ones */
                f = written(CQ_FLOAT64, few_then_noise, ROWS, optional, codecs[k], batch);
                CQT(f.pages_dict > 0 && f.pages_plain > 0);
                f = written(CQ_STRING, few_then_noise, ROWS, optional, codecs[k], batch);
                CQT(f.pages_dict > 0 && f.pages_plain > 0);
            }
}

static void pages_of_few_values(void)
{
    for (int t = 0; t < CQ_N_TYPES; t++)
        for (int64_t n = 1; n < 12; n++) {
            cq_column_info const f = written((cq_type)t, few, n, n % 2, CQ_CODEC_ZSTD, n % 3);
            CQT_EQ_I(f.values, n);
            CQT_EQ_I(f.pages_plain + f.pages_dict + f.pages_delta, 1);
            CQT_EQ_I(f.pages_split, 0);
        }
}

/* No delta in compat; byte streams in modern, for floats and before a codec; everything else as in default. */
static void profiles(void)
{
    enum { ROWS = 30000 };
    static const cq_codec_kind codecs[] = {CQ_CODEC_NONE, CQ_CODEC_SNAPPY, CQ_CODEC_ZSTD};
    static const cq_type types[] = {CQ_INT64, CQ_INT32, CQ_TIMESTAMP_US_UTC, CQ_DATE, CQ_FLOAT64, CQ_FLOAT32, CQ_STRING, CQ_BOOL};
    for (int k = 0; k < 3; k++)
        for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
            bool const is_float = cq_type_facts(types[t])->is_float;
            bool const is_int = !is_float && cq_type_facts(types[t])->width >= 4;
            cq_column_info const c = written_as(CQ_PROFILE_COMPAT, types[t], steps, ROWS, t % 2, codecs[k], true);
            cq_column_info const d = written_as(CQ_PROFILE_DEFAULT, types[t], steps, ROWS, t % 2, codecs[k], true);
            cq_column_info const m = written_as(CQ_PROFILE_MODERN, types[t], steps, ROWS, t % 2, codecs[k], true);
            CQT(c.pages_delta == 0 && c.pages_split == 0 && d.pages_split == 0);
            CQT(is_int ? d.pages_delta > 0 && m.pages_delta == d.pages_delta : d.pages_delta + m.pages_delta == 0);
            CQT(is_float && codecs[k] != CQ_CODEC_NONE ? m.pages_split > 0 && m.pages_plain == 0 : m.pages_split == 0);
            if (!is_float) CQT(m.pages_plain == d.pages_plain && m.pages_dict == d.pages_dict);
        }
}

void test_encode_choice(void)
{
    CQT_RUN(index_widths);
    CQT_RUN(each_encoding_for_its_data);
    CQT_RUN(pages_of_few_values);
    CQT_RUN(profiles);
}
