/* The metadata log: order and usability of page bounds, and that the window makes no difference to the end of a file. */
#include "writer_scenarios.h"

#include <math.h>

typedef struct meta_log {
    cq_mem schema_mem, mem;
    cq_schema schema;
    cq_plan plan;
    cq_file_meta m;
    cq_err e;
    int64_t position;
} meta_log;

static void log_open(meta_log *x, cq_type type, bool optional)
{
    wf_table t;
    memset(x, 0, sizeof *x);
    wf_table_init(&t, 1);
    (void)wf_table_add(&t, type, optional);
    wf_schema_make(&x->schema, &x->schema_mem, &t);
    wf_table_free(&t);
    cq_mem_init(&x->mem, NULL, 16 << 20);
    cq_plan_opts const po = {.codec = CQ_CODEC_NONE};
    CQT_OK(cq_plan_make(&x->plan, &x->schema, &po, 16 << 20, &x->e), &x->e);
    CQT_OK(cq_file_meta_open(&x->m, &x->schema, &x->plan, "/tmp", &x->mem, &x->e), &x->e);
    CQT_OK(cq_file_meta_begin_group(&x->m, &x->e), &x->e);
    CQT_OK(cq_file_meta_begin_chunk(&x->m, &x->schema.fields[0], &x->e), &x->e);
}

static void log_close(meta_log *x)
{
    cq_file_meta_close(&x->m);
    CQT_EQ_U(cq_mem_used(&x->mem), 0);
    wf_schema_free(&x->schema, &x->schema_mem);
}

/* A page of the values lo and hi and so many nulls; no values where lo is NULL. */
static void page(meta_log *x, const void *lo, size_t n_lo, const void *hi, size_t n_hi, int64_t n_nulls)
{
    cq_page_meta p;
    memset(&p, 0, sizeof p);
    cq_type const t = x->schema.fields[0].type;
    p.n_slots = n_nulls + (lo ? 2 : 0);
    if (lo && cq_type_facts(t)->width) {
        cq_stats_add_fixed(&p.stats, t, lo, 1);
        cq_stats_add_fixed(&p.stats, t, hi, 1);
    } else if (lo) {
        cq_stats_add_bytes(&p.stats, t, cq_span_of(lo, n_lo), cq_span_of(hi, n_hi));
    }
    p.stats.n_nulls = n_nulls;
    CQT_OK(cq_file_meta_add_page(&x->m, &p, &x->e), &x->e);
}

static void ints(meta_log *x, int32_t lo, int32_t hi) { page(x, &lo, 4, &hi, 4, 1); }

static void expect(meta_log *x, bool has_index, bool ascending, bool descending)
{
    CQT_EQ_I(x->m.has_index, has_index);
    if (has_index) {
        CQT_EQ_I(x->m.ascending, ascending);
        CQT_EQ_I(x->m.descending, descending);
    }
    log_close(x);
}

static void orders_of_pages(void)
{
    meta_log x;
    log_open(&x, CQ_INT32, true);
    ints(&x, 1, 5);
    page(&x, NULL, 0, NULL, 0, 9); /* pages of nulls have no say */
    ints(&x, 1, 6);
    ints(&x, 3, 6);
    expect(&x, true, true, false);
    log_open(&x, CQ_INT32, true);
    ints(&x, 7, 9);
    ints(&x, -1, 9);
    ints(&x, -1, -1);
    expect(&x, true, false, true);
    log_open(&x, CQ_INT32, true);
    ints(&x, 1, 5);
    ints(&x, 0, 6); /* wider on both sides */
    expect(&x, true, false, false);
    log_open(&x, CQ_INT32, true);
    ints(&x, 4, 4);
    ints(&x, 4, 4);
    expect(&x, true, true, true);
    log_open(&x, CQ_UINT32, true);
    ints(&x, 1, 1);
    ints(&x, -1, -1); /* 2^32 - 1 */
    expect(&x, true, true, false);
}

/* Pages are compared by what is emitted: a minimum that was cut, a maximum that was raised. */
static void orders_of_cut_bounds(void)
{
    uint8_t a[80], b[80];
    meta_log x;
    memset(a, 'a', sizeof a);
    memset(b, 'a', sizeof b);
    b[64] = 'b';
    log_open(&x, CQ_BINARY, false);
    page(&x, b, 70, b, 70, 0);
    page(&x, a, 70, a, 70, 0); /* smaller, though not in its first 64 bytes */
    expect(&x, true, true, true);
    log_open(&x, CQ_BINARY, false);
    page(&x, a, 64, a, 64, 0);
    page(&x, b, 70, b, 70, 0);
    page(&x, a, 64, a, 64, 0);
    expect(&x, true, false, false);
}

static void bounds_that_cannot_be_told(void)
{
    uint8_t ff[70];
    float const numbers[] = {1, (float)(HUGE_VAL - HUGE_VAL)};
    meta_log x;
    memset(ff, 0xFF, sizeof ff);
    log_open(&x, CQ_BINARY, true);
    page(&x, "a", 1, ff, 64, 0); /* whole */
    page(&x, NULL, 0, NULL, 0, 3);
    expect(&x, true, true, true);
    log_open(&x, CQ_BINARY, true);
    page(&x, "a", 1, ff, 65, 0);
    page(&x, "a", 1, "b", 1, 0);
    expect(&x, false, false, false);
    log_open(&x, CQ_FLOAT32, true);
    page(&x, &numbers[0], 4, &numbers[0], 4, 0);
    page(&x, &numbers[0], 4, &numbers[1], 4, 0);
    expect(&x, false, false, false);
    log_open(&x, CQ_INT8, true);
    page(&x, NULL, 0, NULL, 0, 1);
    expect(&x, true, true, true);
}

static void the_window_makes_no_difference(void)
{
    for (int i = 0; i < wf_n_scenarios(); i++) {
        wf_scenario s;
        wf_scenario_make(&s, i);
        wf_run narrow = wf_scenario_run(&s, NULL), wide = wf_scenario_run(&s, NULL);
        narrow.window = 1;
        wide.window = 0;
        wide.mem_limit = UINT64_C(1) << 28;
        wf_must(&narrow);
        wf_must(&wide);
        wf_same_bytes(s.name, &narrow, &wide);
        wf_free(&narrow);
        wf_free(&wide);
        wf_scenario_free(&s);
    }
}

void test_file_meta(void)
{
    CQT_RUN(orders_of_pages);
    CQT_RUN(orders_of_cut_bounds);
    CQT_RUN(bounds_that_cannot_be_told);
    CQT_RUN(the_window_makes_no_difference);
}
