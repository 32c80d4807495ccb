/* The scenarios of writer_scenarios.h. Data is random by the test's seed, its nature is not. */
#include "writer_scenarios.h"

#include <math.h>

#define SPARE 8

static void step(wf_scenario *s, wf_op op, int64_t a, int64_t b)
{
    CQT(s->n_steps < 39);
    wf_step const x = {op, a, b};
    s->steps[s->n_steps++] = x;
    s->steps[s->n_steps].op = WF_END_OF_STEPS;
}

void wf_fill_random(wf_table *t, int32_t column, int64_t n, size_t max_bytes)
{
    wf_column *c = &t->c[column];
    uint64_t const kind = cqt_rand_below(7), nulls = c->optional ? cqt_rand_below(5) : 0;
    uint64_t const few = 1 + cqt_rand_below(40), base = cqt_rand(), run_length = 1 + cqt_rand_below(300);
    bool const wide = cqt_rand_below(3) == 0;
    uint64_t run = 0, null_run = 0, x = base;
    uint8_t *bytes = wf_alloc(max_bytes + 1);
    for (int64_t row = 0; row < n; row++) {
        if (nulls == 4 || (nulls == 1 && cqt_rand_below(3) == 0) || (nulls == 2 && row < n / 2)) {
            wf_set(t, column, row, NULL, 0);
            continue;
        }
        if (nulls == 3 && null_run == 0 && cqt_rand_below(200) == 0) null_run = cqt_rand_below(2000);
        if (null_run) {
            null_run--;
            wf_set(t, column, row, NULL, 0);
            continue;
        }
        switch (kind) {
        case 0: x = cqt_rand(); break;
        case 1: x = base + cqt_rand_below(few); break;
        case 2:
            if (run == 0) x = base + cqt_rand_below(few), run = cqt_rand_below(run_length) + 1;
            run--;
            break;
        case 3: x = base; break;
        case 4: x = base + (uint64_t)row * few; break;
        case 5: x = row < n / 2 ? base + cqt_rand_below(few) : cqt_rand(); break;
        default: x = cqt_rand_below(50) ? base + cqt_rand_below(3000) : cqt_rand(); break;
        }
        if (cq_type_facts(c->type)->width) {
            wf_set_int(t, column, row, wf_in_range(c->type, x));
            continue;
        }
        if (c->fixed_bytes) {
            /* NaN takes the bounds of a whole chunk away: some columns have none */
            if (c->type == CQ_FLOAT16 && base & 1 && (x & 0x7C00) == 0x7C00) x &= ~UINT64_C(0x400);
            wf_set_int(t, column, row, cq_wrap_i64(x));
            continue;
        }
        size_t k = wide ? (size_t)((x * UINT64_C(0x9E3779B97F4A7C15)) >> 40) % (max_bytes + 1) : (size_t)(x % 23);
        k = cq_min_size(k, max_bytes);
        for (size_t i = 0; i < k; i++) bytes[i] = (uint8_t)('a' + (x >> (i % 50)) % 26);
        wf_set(t, column, row, bytes, k);
    }
    free(bytes);
}

static void table_of(wf_scenario *s, int64_t n)
{
    s->n_rows = n;
    wf_table_init(&s->t, n + SPARE);
}

/* Spare rows: of values that no other row has, the last two of nulls where they may be. */
static void spare_rows(wf_scenario *s)
{
    for (int32_t i = 0; i < s->t.n_columns; i++)
        for (int64_t k = 0; k < SPARE; k++) {
            if (k >= SPARE - 2 && s->t.c[i].optional)
                wf_set(&s->t, i, s->n_rows + k, NULL, 0);
            else
                wf_set_int(&s->t, i, s->n_rows + k, wf_in_range(s->t.c[i].type, 1000000007 + cqt_rand_below(1000)));
        }
}

static void add_filled(wf_scenario *s, cq_type type, bool optional, size_t max_bytes)
{
    wf_fill_random(&s->t, wf_table_add(&s->t, type, optional), s->n_rows, max_bytes);
}

static void all_types(wf_scenario *s, bool optional)
{
    table_of(s, 1500);
    for (int t = 0; t < CQ_N_TYPES; t++) add_filled(s, (cq_type)t, optional, 40);
    s->o.data_page_bytes = 2000;
    step(s, WF_ROWS, 0, 500);
    step(s, WF_ABORT, s->n_rows, CQ_N_TYPES);
    step(s, WF_BATCH, 500, 1200);
    step(s, WF_ABORT, s->n_rows + 1, 5);
    step(s, WF_ROWS, 1200, 1500);
}

static void required_types(wf_scenario *s) { all_types(s, false); }
static void optional_types(wf_scenario *s) { all_types(s, true); }

/* The least limit whose plan has dictionaries of that size. */
static uint64_t limit_for_dictionaries(const wf_scenario *s, size_t bytes)
{
    cq_mem mem;
    cq_schema schema;
    cq_plan plan;
    cq_err e;
    cq_plan_opts const po = {.codec = s->o.codec, .codecs = s->o.codecs, .data_page_bytes = s->o.data_page_bytes};
    uint64_t limit = wf_least_of(&s->t, &s->o);
    cq_status st;
    wf_schema_make(&schema, &mem, &s->t);
    do { /* a codec's level is not looked at, so the first limits may be too small for this plan */
        limit += 16384;
        st = cq_plan_make(&plan, &schema, &po, limit, &e);
        CQT(st == CQ_OK || st == CQ_EBUDGET);
    } while (st != CQ_OK || plan.dict_bytes < bytes);
    wf_schema_free(&schema, &mem);
    return limit;
}

/* Dictionaries: admitted; given up on trial; full in the middle; given up for new values; nulls late. */
static void dictionaries(wf_scenario *s)
{
    enum { ROWS = 3000 };
    char text[200];
    table_of(s, ROWS);
    for (int i = 0; i < 5; i++) (void)wf_table_add(&s->t, CQ_STRING, i == 3);
    (void)wf_table_add(&s->t, CQ_INT64, true);
    (void)wf_table_add(&s->t, CQ_FLOAT32, false);
    for (int64_t row = 0; row < ROWS; row++) {
        int64_t const late = row < 1500 ? 0 : row;
        wf_set_int(&s->t, 0, row, row / 50 % 7);
        wf_set_int(&s->t, 1, row, row * 77777);
        memset(text, 'l', sizeof text);
        wf_set(&s->t, 2, row, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)(late ? late * 31 : row % 5)) + (late ? 150 : 20));
        if (row > 2000 && row % 3 == 0)
            wf_set(&s->t, 3, row, NULL, 0);
        else
            wf_set_int(&s->t, 3, row, row % 11);
        wf_set_int(&s->t, 4, row, late ? late : row % 3);
        if (row < 1000)
            wf_set(&s->t, 5, row, NULL, 0);
        else
            wf_set_int(&s->t, 5, row, row < 2000 ? (row % 9) * 1000000007 : row);
        wf_set_int(&s->t, 6, row, late ? cq_wrap_i64(cqt_rand() % 100000) : row % 4);
    }
    s->o.data_page_bytes = 3000;
    s->o.memory_limit = limit_for_dictionaries(s, 8192);
    step(s, WF_ROWS, 0, ROWS);
}

static void codecs_in_turn(wf_scenario *s)
{
    for (int32_t i = 0; i < s->t.n_columns; i++) s->codecs[i] = (cq_codec_kind)(i % CQ_N_CODECS);
    s->o.codecs = s->codecs;
}

/* Version 2 pages of many types, with every codec; nulls for whole pages, also inside of a dictionary's pages. */
static void modern_types(wf_scenario *s)
{
    static const cq_type types[] = {CQ_STRING, CQ_BOOL, CQ_INT64, CQ_FLOAT32, CQ_BINARY, CQ_INT8, CQ_UINT32, CQ_FLOAT64, CQ_BOOL};
    table_of(s, 900);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) add_filled(s, types[i], i % 4 != 3, 40);
    int32_t const text = wf_table_add(&s->t, CQ_STRING, true);
    for (int64_t row = 0; row < s->n_rows; row++)
        if (row / 150 % 2)
            wf_set(&s->t, text, row, NULL, 0);
        else
            wf_set_int(&s->t, text, row, row < 700 ? row % 5 : row);
    codecs_in_turn(s);
    s->o.profile = CQ_PROFILE_MODERN;
    s->o.data_page_bytes = 600;
    s->o.memory_limit = limit_for_dictionaries(s, 4096);
    step(s, WF_ROWS, 0, 300);
    step(s, WF_ABORT, s->n_rows, 6);
    step(s, WF_SHAPED, 300, 800);
    step(s, WF_ROWS, 800, 900);
}

/* Floats that want byte streams, a dictionary, one after the other, or neither; an oversized page that stays raw. */
static void modern_floats(wf_scenario *s)
{
    enum { ROWS = 2400 };
    static uint8_t noise[200000];
    static const cq_codec_kind kinds[] = {CQ_CODEC_ZSTD, CQ_CODEC_SNAPPY, CQ_CODEC_ZSTD, CQ_CODEC_NONE, CQ_CODEC_SNAPPY};
    table_of(s, ROWS);
    (void)wf_table_add(&s->t, CQ_FLOAT64, false);
    (void)wf_table_add(&s->t, CQ_FLOAT32, true);
    (void)wf_table_add(&s->t, CQ_FLOAT64, true);
    (void)wf_table_add(&s->t, CQ_FLOAT32, false);
    (void)wf_table_add(&s->t, CQ_BINARY, true);
    double walk = 200;
    for (int64_t row = 0; row < ROWS; row++) {
        walk += (double)(int64_t)cqt_rand_below(2001) / 1000 - 1;
        double const sum = (double)(cqt_rand_below(300) + cqt_rand_below(300)), few = (double)cqt_rand_below(9) * 0.7;
        double const now = row / 400 % 2 ? few : walk;
        float const low = (float)walk;
        wf_set(&s->t, 0, row, row / 400 % 3 ? (const void *)&sum : &now, 8);
        wf_set(&s->t, 1, row, row % 700 < 200 ? NULL : (const void *)&low, 4);
        wf_set(&s->t, 2, row, row % 6 == 5 ? NULL : (const void *)(row < 900 ? &few : &now), 8);
        wf_set(&s->t, 3, row, &low, 4);
        bool const large = row % 500 == 499;
        if (large) cqt_rand_bytes(noise, sizeof noise);
        wf_set(&s->t, 4, row, row % 3 == 1 ? NULL : (const void *)(large ? noise : (const uint8_t *)"small"), large ? sizeof noise : 5);
    }
    memcpy(s->codecs, kinds, sizeof kinds);
    s->o.codecs = s->codecs;
    s->o.level = 1;
    s->o.profile = CQ_PROFILE_MODERN;
    s->o.data_page_bytes = 1600;
    s->o.row_group_size = 2000;
    s->o.memory_limit = limit_for_dictionaries(s, 8192);
    step(s, WF_ROWS, 0, 1300);
    step(s, WF_ABORT, 100, 3);
    step(s, WF_ROWS, 1300, ROWS);
}

static void compat_codecs(wf_scenario *s)
{
    table_of(s, 1000);
    add_filled(s, CQ_INT64, false, 0);
    add_filled(s, CQ_STRING, true, 30);
    add_filled(s, CQ_INT32, true, 0);
    add_filled(s, CQ_FLOAT64, false, 0);
    codecs_in_turn(s);
    s->o.profile = CQ_PROFILE_COMPAT;
    s->o.data_page_bytes = 2000;
    step(s, WF_ROWS, 0, 400);
    step(s, WF_BATCH, 400, 1000);
}

/* Dictionaries that are full before the first page is, in many columns: some admitted, some given up. */
static void full_on_trial(wf_scenario *s)
{
    enum { ROWS = 700 };
    char text[200];
    table_of(s, ROWS);
    for (int i = 0; i < 12; i++) (void)wf_table_add(&s->t, CQ_STRING, i % 2);
    for (int32_t i = 0; i < 12; i++)
        for (int64_t row = 0; row < ROWS; row++) {
            for (size_t k = 0; k < sizeof text; k++) text[k] = (char)('a' + cqt_rand_below(26));
            if (i % 3 == 0) memset(text, 'a' + (int)cqt_rand_below(row % 30 ? 3 : 26), 150);
            wf_set(&s->t, i, row, i % 2 && row % 9 == 4 ? NULL : text, i % 3 == 0 && row % 30 ? 50 : 190);
        }
    s->o.codec = CQ_CODEC_NONE;
    s->o.data_page_bytes = 32768;
    s->o.memory_limit = limit_for_dictionaries(s, 32768);
    step(s, WF_ROWS, 0, ROWS);
}

static void large_values(wf_scenario *s)
{
    enum { ROWS = 120 };
    static uint8_t bytes[300000];
    table_of(s, ROWS);
    (void)wf_table_add(&s->t, CQ_BINARY, true);
    (void)wf_table_add(&s->t, CQ_STRING, false);
    for (int64_t row = 0; row < ROWS; row++) {
        size_t const n = row % 10 == 9 ? sizeof bytes - (size_t)row : row % 3 == 0 ? 3000 : 5;
        memset(bytes, 'a' + (int)(row % 26), n);
        cqt_rand_bytes(bytes, n / 2);
        wf_set(&s->t, 0, row, row % 7 == 6 ? NULL : bytes, n);
        for (size_t i = 0; i < n / 2; i++) bytes[i] = (uint8_t)('a' + bytes[i] % 26);
        wf_set(&s->t, 1, row, bytes, row % 10 == 9 ? n / 2 : (size_t)row % 4);
    }
    s->o.memory_limit = UINT64_C(4) << 20;
    step(s, WF_ROWS, 0, 60);
    step(s, WF_ABORT, 59, 2);
    step(s, WF_ABORT, 59, 1);
    step(s, WF_BATCH, 60, ROWS);
}

static void many_groups(wf_scenario *s)
{
    table_of(s, 900);
    add_filled(s, CQ_STRING, true, 20);
    add_filled(s, CQ_INT64, false, 0);
    add_filled(s, CQ_FLOAT64, true, 0);
    s->o.row_group_size = 10;
    step(s, WF_ROWS, 0, 333);
    step(s, WF_FLUSH, 0, 0);
    step(s, WF_FLUSH, 0, 0);
    step(s, WF_SHAPED, 333, 900);
}

static void explicit_groups(wf_scenario *s)
{
    table_of(s, 1200);
    add_filled(s, CQ_STRING, false, 30);
    add_filled(s, CQ_UINT32, true, 0);
    s->o.data_page_bytes = 1000;
    s->o.row_group_size = 200;
    step(s, WF_ROWS, 0, 100);
    step(s, WF_BEGIN, 0, 0);
    step(s, WF_ROWS, 100, 500);
    step(s, WF_END, 0, 0);
    step(s, WF_BEGIN, 0, 0);
    step(s, WF_ROWS, 700, 1200);
    step(s, WF_ABORT, s->n_rows, 1);
    step(s, WF_ROLLBACK, 0, 0);
    step(s, WF_BEGIN, 0, 0);
    step(s, WF_END, 0, 0);
    step(s, WF_ROWS, 500, 750);
    step(s, WF_BEGIN, 0, 0);
    step(s, WF_BATCH, 750, 1200);
    step(s, WF_END, 0, 0);
}

static void sorted_rows(wf_scenario *s)
{
    enum { ROWS = 800 };
    char text[80];
    table_of(s, ROWS);
    (void)wf_table_add(&s->t, CQ_STRING, true);
    (void)wf_table_add(&s->t, CQ_INT64, false);
    add_filled(s, CQ_FLOAT32, true, 0);
    for (int64_t row = 0; row < ROWS; row++) {
        memset(text, 'h', sizeof text);
        (void)snprintf(text, sizeof text, "h%03d", (int)(row / 100));
        wf_set(&s->t, 0, row, row < 700 ? text : NULL, row < 300 ? 4 : 4 + (size_t)row / 100 * 10);
        wf_set_int(&s->t, 1, row, row / 100 * 1000 - row % 100 * 5);
    }
    s->keys[0].column = 0;
    s->keys[1].column = 1;
    s->keys[1].descending = true;
    s->o.sorting = s->keys;
    s->o.n_sorting = 2;
    s->o.row_group_size = 300;
    step(s, WF_ROWS, 0, 150);
    step(s, WF_REFUSED, 20, 0);
    step(s, WF_ROWS, 150, 400);
    step(s, WF_REFUSED, 398, 0);
    step(s, WF_BEGIN, 0, 0);
    step(s, WF_ROWS, 500, 700);
    step(s, WF_ROLLBACK, 0, 0);
    step(s, WF_BATCH, 400, 650);
    step(s, WF_REFUSED, 648, 0);
    step(s, WF_ROWS, 650, ROWS);
}

static void shaped_batches(wf_scenario *s)
{
    enum { ROWS = 9000 };
    table_of(s, ROWS);
    (void)wf_table_add(&s->t, CQ_STRING, false);
    (void)wf_table_add(&s->t, CQ_INT64, false);
    (void)wf_table_add(&s->t, CQ_INT64, true);
    (void)wf_table_add(&s->t, CQ_FLOAT32, false);
    (void)wf_table_add(&s->t, CQ_BOOL, true);
    for (int64_t row = 0; row < ROWS; row++) {
        wf_set_int(&s->t, 0, row, row / 1000);
        wf_set_int(&s->t, 1, row, 1700000000 + row % 1000 * 60);
        if (row / 1000 % 2)
            wf_set(&s->t, 2, row, NULL, 0);
        else
            wf_set_int(&s->t, 2, row, row / 1000);
        wf_set_int(&s->t, 3, row, (int64_t)cqt_rand_below(3000));
        wf_set_int(&s->t, 4, row, row / 500 % 2);
    }
    s->o.data_page_bytes = 6000;
    for (int64_t i = 0; i < 9; i++) step(s, WF_SHAPED, i * 1000, i * 1000 + 1000);
}

/* Groups cut by the bytes of their pages, which do not compress and are spilled. */
static void groups_by_bytes(wf_scenario *s)
{
    enum { ROWS = 26000 };
    table_of(s, ROWS);
    (void)wf_table_add(&s->t, CQ_UINT64, false);
    (void)wf_table_add(&s->t, CQ_FLOAT64, true);
    for (int64_t row = 0; row < ROWS; row++) {
        wf_set_int(&s->t, 0, row, cq_wrap_i64(cqt_rand()));
        wf_set_int(&s->t, 1, row, cq_wrap_i64(cqt_rand()));
    }
    s->o.row_group_bytes = 200000;
    s->o.data_page_bytes = 30000;
    step(s, WF_ROWS, 0, 9000);
    step(s, WF_BATCH, 9000, ROWS);
}

static void with_zstd(wf_scenario *s)
{
    table_of(s, 3000);
    add_filled(s, CQ_STRING, false, 50);
    add_filled(s, CQ_STRING, true, 200);
    add_filled(s, CQ_INT64, true, 0);
    s->o.codec = CQ_CODEC_ZSTD;
    s->o.level = 7;
    s->o.data_page_bytes = 20000;
    step(s, WF_ROWS, 0, 1000);
    step(s, WF_BATCH, 1000, 3000);
}

static void uncompressed(wf_scenario *s)
{
    table_of(s, 3000);
    add_filled(s, CQ_STRING, true, 200);
    add_filled(s, CQ_UINT8, false, 0);
    add_filled(s, CQ_FLOAT64, false, 0);
    s->o.codec = CQ_CODEC_NONE;
    s->o.data_page_bytes = 5000;
    step(s, WF_BATCH, 0, 2000);
    step(s, WF_ROWS, 2000, 3000);
}

static void nulls_only(wf_scenario *s)
{
    enum { ROWS = 2500 };
    table_of(s, ROWS);
    for (int t = 0; t < CQ_N_TYPES; t++) (void)wf_table_add(&s->t, (cq_type)t, true);
    for (int32_t i = 0; i < CQ_N_TYPES; i++)
        for (int64_t row = 0; row < ROWS; row++) {
            if (row == 1300 && i % 3 == 0)
                wf_set_int(&s->t, i, row, 1);
            else
                wf_set(&s->t, i, row, NULL, 0);
        }
    s->o.data_page_bytes = 2000;
    step(s, WF_ROWS, 0, 1000);
    step(s, WF_SHAPED, 1000, ROWS);
}

/* Orders of pages, values whose bounds are cut or cannot be told, NaN in one group and zeros of both signs. */
static void bounds(wf_scenario *s)
{
    enum { ROWS = 2400 };
    uint8_t bytes[80];
    table_of(s, ROWS);
    static const cq_type types[] = {CQ_INT32, CQ_UINT64, CQ_FLOAT32, CQ_FLOAT64, CQ_BINARY, CQ_STRING, CQ_STRING, CQ_BOOL};
    for (int i = 0; i < 8; i++) (void)wf_table_add(&s->t, types[i], i == 3);
    for (int64_t row = 0; row < ROWS; row++) {
        float const f = row < 900 && row % 90 == 7 ? (float)(HUGE_VAL - HUGE_VAL) : row % 5 == 0 ? -0.0f : 0.0f;
        double const d = row % 3 ? -(double)row : row > 2000 ? -0.0 : 0.0;
        wf_set_int(&s->t, 0, row, row - 1000);
        wf_set_int(&s->t, 1, row, cq_wrap_i64(UINT64_MAX - (uint64_t)row * 3));
        wf_set(&s->t, 2, row, &f, 4);
        wf_set(&s->t, 3, row, row / 100 % 3 ? (const void *)&d : NULL, 8);
        memset(bytes, 0xFF, sizeof bytes);
        if (row >= 1600) bytes[2] = 7;
        wf_set(&s->t, 4, row, bytes, row % 11 == 3 ? 70 : 3);
        for (size_t i = 0; i < 80; i += 4) memcpy(bytes + i, i % 8 ? "\xF4\x8F\xBF\xBF" : "\xF0\x9F\x98\x80", 4);
        wf_set(&s->t, 5, row, bytes, 4 * (size_t)(row % 21));
        memset(bytes, 'a' + (int)(row / 600), sizeof bytes);
        memcpy(bytes + 62, "\xE2\x82\xAC", 3);
        wf_set(&s->t, 6, row, bytes, row % 50 ? 65 : 62);
        wf_set_int(&s->t, 7, row, row / 1200);
    }
    s->o.row_group_size = 800;
    s->o.data_page_bytes = 1600;
    step(s, WF_ROWS, 0, 1000);
    step(s, WF_BATCH, 1000, ROWS);
}

/* Fixed lengths below and beyond a page; dictionaries that are admitted, given up on trial, full in the middle and on
 * trial, too small for one value; nulls for whole pages and late; bounds that are cut and cannot be told. */
static void fixed_lengths(wf_scenario *s)
{
    enum { ROWS = 1600 };
    static const int32_t lengths[] = {1, 40, 100, 700, 5000, 65, 3};
    uint8_t bytes[5000];
    table_of(s, ROWS);
    for (int i = 0; i < 7; i++) (void)wf_table_add_sized(&s->t, CQ_FIXED, i % 2, lengths[i], 0);
    (void)wf_table_add(&s->t, CQ_UUID, false);
    (void)wf_table_add(&s->t, CQ_UUID, true);
    (void)wf_table_add(&s->t, CQ_FLOAT16, true);
    (void)wf_table_add_sized(&s->t, CQ_DECIMAL128, false, 0, 19);
    (void)wf_table_add_sized(&s->t, CQ_DECIMAL128, true, 0, 38);
    for (int64_t row = 0; row < ROWS; row++) {
        int64_t const late = row < 900 ? 0 : row;
        wf_set_int(&s->t, 0, row, row / 7 % 120);
        if (row < 700 || row % 6 == 0)
            wf_set(&s->t, 1, row, NULL, 0);
        else
            wf_set_int(&s->t, 1, row, row % 5);
        wf_set_int(&s->t, 2, row, late ? late * 31 : row % 4); /* full in the middle */
        memset(bytes, row % 9 == 4 ? 0xFF : 'a' + (int)(row % 3), sizeof bytes);
        bytes[699] = cq_low8((uint64_t)row);
        wf_set(&s->t, 3, row, row % 50 == 7 ? NULL : bytes, 700); /* full on trial */
        memset(bytes, (int)(row % 40), sizeof bytes);
        wf_set(&s->t, 4, row, bytes, 5000);
        memset(bytes, 0xFF, sizeof bytes);
        bytes[64] = cq_low8((uint64_t)row);
        bytes[row < 1200 ? 63 : 64] = cq_low8((uint64_t)row);
        wf_set(&s->t, 5, row, bytes, 65);
        wf_set_int(&s->t, 6, row, row % 2 ? row * 77 : 1);
        wf_set_int(&s->t, 7, row, row * 1000003);
        if (row % 11 == 5)
            wf_set(&s->t, 8, row, NULL, 0);
        else
            wf_set_int(&s->t, 8, row, late ? row / 100 : row * 5);
        uint16_t const half = row < 500 ? (uint16_t)(row % 3 ? 0x8000 : 0) : row == 1000 ? 0x7E01 : (uint16_t)(0x3000 + row % 300);
        wf_set(&s->t, 9, row, row % 13 == 1 ? NULL : (const void *)&half, 2);
        wf_set_int(&s->t, 10, row, (row - 800) * 1000000007);
        if (row % 4 == 3)
            wf_set(&s->t, 11, row, NULL, 0);
        else
            wf_set_int(&s->t, 11, row, row % 8 - 4);
    }
    s->o.data_page_bytes = 3000;
    s->o.row_group_size = 1100;
    s->o.memory_limit = limit_for_dictionaries(s, 16384);
    step(s, WF_ROWS, 0, 400);
    step(s, WF_ABORT, ROWS, 12);
    step(s, WF_SHAPED, 400, 1000);
    step(s, WF_ABORT, ROWS + 1, 7);
    step(s, WF_CHECKED, 1000, 1400);
    step(s, WF_BATCH, 1400, ROWS);
}

/* Keys of fixed length, decimals, times: in order, and rows that are not. */
static void sorted_types(wf_scenario *s)
{
    enum { ROWS = 600 };
    table_of(s, ROWS);
    (void)wf_table_add_sized(&s->t, CQ_DECIMAL128, true, 0, 30);
    (void)wf_table_add(&s->t, CQ_FLOAT16, false);
    (void)wf_table_add(&s->t, CQ_TIMESTAMP_US_UTC, false);
    (void)wf_table_add(&s->t, CQ_UUID, false);
    (void)wf_table_add(&s->t, CQ_STRING, false);
    for (int64_t row = 0; row < ROWS; row++) {
        int64_t const block = row / 100;
        uint16_t const half = (uint16_t)(block % 2 ? 0x3C00 - row / 20 : 0x8000);
        if (block == 5)
            wf_set(&s->t, 0, row, NULL, 0);
        else
            wf_set_int(&s->t, 0, row, block - 2);
        wf_set(&s->t, 1, row, &half, 2);
        wf_set_int(&s->t, 2, row, 1700000000000000 + row / 10 % 2 * 86400 + row / 20 * 1000000);
        wf_set_int(&s->t, 3, row, row % 10);
        wf_set_int(&s->t, 4, row, row / 3);
    }
    for (int32_t i = 0; i < 4; i++) s->keys[i].column = i;
    s->keys[1].descending = true;
    s->o.sorting = s->keys;
    s->o.n_sorting = 3;
    s->o.data_page_bytes = 700;
    step(s, WF_ROWS, 0, 150);
    step(s, WF_REFUSED, 99, 0);
    step(s, WF_CHECKED, 150, 350);
    step(s, WF_REFUSED, 320, 0);
    step(s, WF_SHAPED, 350, 450);
    step(s, WF_CHECKED, 450, ROWS);
}

static void no_rows(wf_scenario *s)
{
    table_of(s, 0);
    (void)wf_table_add(&s->t, CQ_STRING, false);
    (void)wf_table_add(&s->t, CQ_INT32, true);
    spare_rows(s);
    step(s, WF_FLUSH, 0, 0);
    step(s, WF_ABORT, 0, 2);
    step(s, WF_BEGIN, 0, 0);
    step(s, WF_ROWS, 0, 3);
    step(s, WF_ROLLBACK, 0, 0);
}

static const struct {
    const char *name;
    void (*make)(wf_scenario *s);
} scenarios[] = {
    {"required_types", required_types}, {"optional_types", optional_types}, {"modern_types", modern_types}, {"modern_floats", modern_floats}, {"compat_codecs", compat_codecs},
    {"dictionaries", dictionaries}, {"large_values", large_values}, {"full_on_trial", full_on_trial},
    {"many_groups", many_groups}, {"explicit_groups", explicit_groups}, {"sorted_rows", sorted_rows}, {"shaped_batches", shaped_batches},
    {"groups_by_bytes", groups_by_bytes}, {"with_zstd", with_zstd}, {"uncompressed", uncompressed}, {"nulls_only", nulls_only}, {"bounds", bounds},
    {"fixed_lengths", fixed_lengths}, {"sorted_types", sorted_types}, {"no_rows", no_rows},
};

int wf_n_scenarios(void) { return (int)(sizeof scenarios / sizeof scenarios[0]); }

void wf_scenario_make(wf_scenario *s, int number)
{
    memset(s, 0, sizeof *s);
    s->name = scenarios[number].name;
    s->o.codec = CQ_CODEC_SNAPPY;
    s->o.level = CQ_LEVEL_DEFAULT;
    s->o.spill_dir = "/tmp";
    s->window = 1;
    scenarios[number].make(s);
    if (s->t.n_rows == s->n_rows) spare_rows(s);
    if (!s->o.memory_limit) s->o.memory_limit = wf_least_of(&s->t, &s->o);
}

void wf_scenario_named(wf_scenario *s, const char *name)
{
    for (int i = 0; i < wf_n_scenarios(); i++)
        if (strcmp(scenarios[i].name, name) == 0) {
            wf_scenario_make(s, i);
            return;
        }
    CQT_FAIL("no scenario '%s'", name);
}

void wf_scenario_free(wf_scenario *s) { wf_table_free(&s->t); }

wf_run wf_scenario_run(const wf_scenario *s, const wf_step *steps)
{
    wf_run r = wf_new(&s->t, steps ? steps : s->steps, 0);
    r.o = s->o;
    r.window = s->window;
    return r;
}
