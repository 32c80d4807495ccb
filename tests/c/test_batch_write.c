/* Batches: the same values give the same bytes by every route, whatever the chunking, the shapes, the memory in use, the
 * groups rolled back before and the rows aborted between; and what a batch is refused for. */
#include "writer_scenarios.h"

#include "format/limits.h"

/* -- same values, same bytes ------------------------------------------------------------------------------------------ */

static int64_t random_rows(void)
{
    static const int64_t tops[] = {3, 40, 700, 5000, 9000, 20000};
    return 1 + (int64_t)cqt_rand_below((uint64_t)tops[cqt_rand_below(6)]);
}

static void random_table(wf_table *t, int64_t n, int64_t spare)
{
    int32_t const columns = 1 + (int32_t)cqt_rand_below(4);
    wf_table_init(t, n + spare);
    for (int32_t i = 0; i < columns; i++) {
        cq_type const type = cqt_rand_below(2) ? (cq_type)cqt_rand_below(CQ_N_TYPES) : cqt_rand_below(2) ? CQ_STRING : CQ_INT64;
        (void)wf_table_add_sized(t, type, cqt_rand_below(2), 1 + (int32_t)cqt_rand_below(cqt_rand_below(8) ? 40 : 2000),
                                 type == CQ_DECIMAL32 ? 9 : type == CQ_DECIMAL64 ? 18 : 19 + (int32_t)cqt_rand_below(20));
        wf_fill_random(t, i, n, (size_t)(cqt_rand_below(8) ? 60 : 3000));
    }
    /* spare rows of other values: for groups that are rolled back and rows that are aborted */
    for (int64_t row = n; row < n + spare; row++)
        for (int32_t i = 0; i < columns; i++) {
            if (t->c[i].optional && cqt_rand_below(4) == 0)
                wf_set(t, i, row, NULL, 0);
            else
                wf_set_int(t, i, row, wf_in_range(t->c[i].type, cqt_rand()));
        }
}

static void random_opts(wf_run *r)
{
    static const int64_t page_bytes[] = {0, 1, 200, 1000, 5000, 20000}, group_rows[] = {0, 1, 7, 1000, 4096, 6000};
    cq_writer_opts *o = &r->o;
    uint64_t const codec = cqt_rand_below(8);
    o->codec = codec == 0 ? CQ_CODEC_ZSTD : codec < 5 ? CQ_CODEC_SNAPPY : CQ_CODEC_NONE;
    if (codec == 0 && cqt_rand_below(2)) o->level = 1 + (int32_t)cqt_rand_below(9);
    o->data_page_bytes = page_bytes[cqt_rand_below(6)];
    o->row_group_size = group_rows[cqt_rand_below(6)];
    if (r->table->n_rows > 3000 && o->row_group_size && o->row_group_size < 1000) o->row_group_size = 1000;
    o->row_group_bytes = cqt_rand_below(3) == 0 ? 3000 + (int64_t)cqt_rand_below(60000) : 0;
    uint64_t const least = wf_least_of(r->table, o);
    o->memory_limit = least + cqt_rand_below(cqt_rand_below(2) ? least / 2 : UINT64_C(20) << 20);
}

#define MAX_STEPS 600

static void add_step(wf_step *steps, int *n, wf_op op, int64_t a, int64_t b)
{
    CQT(*n < MAX_STEPS - 1);
    wf_step const s = {op, a, b};
    steps[(*n)++] = s;
    steps[*n].op = WF_END_OF_STEPS;
}

/* Rows [a, b) in random pieces by random routes, with what leaves no trace between them. */
static void random_route(wf_step *steps, int *n_steps, const wf_table *t, int64_t a, int64_t b, int64_t spare, bool may_check)
{
    int64_t const top = cqt_rand_below(3) ? 1 + (b - a) / 8 : b - a;
    while (a < b) {
        int64_t const k = cq_min_i64(b - a, 1 + (int64_t)cqt_rand_below((uint64_t)top));
        uint64_t const route = cqt_rand_below(5);
        if (spare && cqt_rand_below(3) == 0)
            add_step(steps, n_steps, WF_ABORT, t->n_rows - 1 - (int64_t)cqt_rand_below((uint64_t)spare), (int64_t)cqt_rand_below((uint64_t)t->n_columns + 1));
        add_step(steps, n_steps, route == 0 ? WF_ROWS : route == 1 ? WF_BATCH : route == 2 && may_check ? WF_CHECKED : WF_SHAPED, a, a + k);
        a += k;
    }
}

static void same_bytes_by_every_route(void)
{
    enum { CASES = 220, ROUTES = 3, SPARE = 40 };
    static wf_step steps[MAX_STEPS];
    for (int i = 0; i < CASES; i++) {
        wf_table t;
        int64_t const n = random_rows();
        random_table(&t, n, SPARE);
        wf_step const plain[] = {{WF_ROWS, 0, n}, {WF_END_OF_STEPS, 0, 0}};
        wf_run first = wf_new(&t, plain, 0);
        random_opts(&first);
        wf_must(&first);
        CQT_EQ_I(first.info.rows, n);
        char name[32];
        (void)snprintf(name, sizeof name, "route_%d", i);
        wf_dump(&first, name, 0, n);
        for (int j = 0; j < ROUTES; j++) {
            int n_steps = 0;
            if (j == 2) { /* history: a group that is rolled back, first of all */
                add_step(steps, &n_steps, WF_BEGIN, 0, 0);
                random_route(steps, &n_steps, &t, cq_min_i64(n / 3, n - 1), n, 0, false);
                add_step(steps, &n_steps, WF_ROLLBACK, 0, 0);
            }
            random_route(steps, &n_steps, &t, 0, n, SPARE, true);
            wf_run r = wf_new(&t, steps, 0);
            r.o = first.o;
            /* less memory than the plan's limit would need at its worst, as far as parked pages go, or more */
            r.mem_limit = cqt_rand_below(2) ? first.o.memory_limit * 3 : cq_max_size((size_t)first.plan.fixed_bytes, 1);
            if (r.mem_limit < first.peak && cqt_rand_below(4) == 0) r.mem_limit = first.o.memory_limit;
            wf_must(&r);
            wf_same_bytes("another route", &r, &first);
            wf_free(&r);
        }
        wf_free(&first);
        wf_table_free(&t);
    }
}

/* -- batches checked together ----------------------------------------------------------------------------------------- */

static void checks_see_the_batches_before(void)
{
    static const int64_t first[] = {1, 2, 3}, second[] = {3, 5, 5}, back[] = {4, 9, 2};
    wf_table t;
    wf_table_init(&t, 1);
    (void)wf_table_add(&t, CQ_INT64, false);
    wf_step const none[] = {{WF_END_OF_STEPS, 0, 0}};
    cq_sort_key const key = {0, false};
    wf_run r = wf_new(&t, none, UINT64_C(8) << 20);
    r.o.sorting = &key;
    r.o.n_sorting = 1;
    CQT_OK(wf_begin(&r), &r.err);
    cq_err *e = &r.err;
    cq_vec const a = cq_vec_flat(CQ_INT64, first, NULL), b = cq_vec_flat(CQ_INT64, second, NULL), c = cq_vec_flat(CQ_INT64, back, NULL);
    cq_batch const one = {3, &a}, two = {3, &b}, three = {3, &c}, empty = {0, &c};
    CQT_STATUS(cq_writer_check_batch(r.w, &one, e), CQ_ESTATE);
    cq_writer_end_checks(r.w); /* nothing was begun */
    CQT_OK(cq_writer_begin_checks(r.w, e), e);
    CQT_STATUS(cq_writer_begin_checks(r.w, e), CQ_ESTATE);
    CQT_OK(cq_writer_check_batch(r.w, &one, e), e);
    CQT_OK(cq_writer_check_batch(r.w, &empty, e), e);
    CQT_OK(cq_writer_check_batch(r.w, &two, e), e);
    CQT_STATUS(cq_writer_check_batch(r.w, &three, e), CQ_EVALUE);
    CQT_EQ_I(e->row, 0);
    CQT_IN_STR(e->msg, "4 after 5");
    CQT_STATUS(cq_writer_write_batch(r.w, &one, e), CQ_ESTATE);
    CQT_STATUS(cq_writer_write_checked(r.w, &one, e), CQ_ESTATE);
    CQT_STATUS(cq_writer_begin_group(r.w, e), CQ_ESTATE);
    CQT_STATUS(cq_writer_close(r.w, NULL, 0, e), CQ_ESTATE);
    cq_writer_end_checks(r.w);
    CQT_EQ_I(cq_writer_error(r.w)->code, CQ_OK);
    CQT_EQ_I(cq_writer_group_rows(r.w), 0);
    CQT_OK(cq_writer_begin_checks(r.w, e), e); /* forgotten: the first one again */
    CQT_OK(cq_writer_check_batch(r.w, &one, e), e);
    CQT_OK(cq_writer_check_batch(r.w, &two, e), e);
    cq_writer_end_checks(r.w);
    CQT_OK(cq_writer_write_checked(r.w, &one, e), e);
    CQT_OK(cq_writer_write_checked(r.w, &empty, e), e);
    CQT_OK(cq_writer_write_checked(r.w, &two, e), e);
    CQT_STATUS(cq_writer_write_batch(r.w, &three, e), CQ_EVALUE);
    CQT_STATUS(cq_writer_write_batch(r.w, &one, e), CQ_EVALUE);
    CQT_OK(cq_colbuf_put_i64(cq_writer_column(r.w, 0), 7, e), e);
    CQT_STATUS(cq_writer_begin_checks(r.w, e), CQ_ESTATE); /* inside of a row */
    CQT_OK(cq_writer_end_row(r.w, e), e);
    CQT_OK(cq_writer_begin_group(r.w, e), e);
    CQT_STATUS(cq_writer_begin_checks(r.w, e), CQ_ESTATE);
    cq_writer_rollback_group(r.w);
    CQT_OK(cq_writer_begin_checks(r.w, e), e);
    CQT_STATUS(cq_writer_check_batch(r.w, &two, e), CQ_EVALUE);
    CQT_IN_STR(e->msg, "3 after 7");
    cq_writer_end_checks(r.w);
    wf_finish(&r, cq_writer_close(r.w, NULL, 0, e));
    CQT_OK(r.status, e);
    CQT_EQ_I(r.info.rows, 7);
    wf_free(&r);
    wf_table_free(&t);
}

/* Whoever wrote some of the batches and lost the others ends the writer. */
static void given_up(void)
{
    wf_table t;
    int64_t const values[] = {1, 2, 3};
    wf_table_init(&t, 1);
    (void)wf_table_add(&t, CQ_INT64, false);
    wf_step const none[] = {{WF_END_OF_STEPS, 0, 0}};
    wf_run r = wf_new(&t, none, UINT64_C(8) << 20);
    CQT_OK(wf_begin(&r), &r.err);
    cq_vec const v = cq_vec_flat(CQ_INT64, values, NULL);
    cq_batch const one = {3, &v};
    CQT_OK(cq_writer_write_checked(r.w, &one, &r.err), &r.err);
    cq_err why;
    CQT_STATUS(cq_fail(&why, CQ_ECHANGED, "changed"), CQ_ECHANGED);
    cq_writer_give_up(r.w, &why);
    CQT_STATUS(cq_writer_write_checked(r.w, &one, &r.err), CQ_ECHANGED);
    CQT_EQ_STR(r.err.msg, "changed");
    CQT_STATUS(cq_fail(&why, CQ_EIO, "later"), CQ_EIO);
    cq_writer_give_up(r.w, &why);
    CQT_EQ_STR(cq_writer_error(r.w)->msg, "changed");
    wf_finish(&r, cq_writer_close(r.w, NULL, 0, &r.err));
    CQT_EQ_I(r.status, CQ_ECHANGED);
    wf_free(&r);
    wf_table_free(&t);
}

/* A writer that is freed between begin and end, and one whose checks found no memory. */
static void checks_without_an_end(void)
{
    wf_table t;
    wf_table_init(&t, 1);
    (void)wf_table_add(&t, CQ_STRING, false);
    wf_step const none[] = {{WF_END_OF_STEPS, 0, 0}};
    cq_sort_key const key = {0, false};
    cq_span const texts[] = {cq_span_of("abc", 3), cq_span_of("abcd", 4)};
    cq_vec const v = cq_vec_spans(CQ_STRING, texts, NULL);
    cq_batch const b = {2, &v};
    wf_run r = wf_new(&t, none, UINT64_C(8) << 20);
    r.o.sorting = &key;
    r.o.n_sorting = 1;
    CQT_OK(wf_begin(&r), &r.err);
    CQT_OK(cq_writer_begin_checks(r.w, &r.err), &r.err);
    r.mem.fail_at = r.mem.n_requests + 1;
    CQT_STATUS(cq_writer_check_batch(r.w, &b, &r.err), CQ_ENOMEM);
    CQT_OK(cq_writer_check_batch(r.w, &b, &r.err), &r.err);
    wf_finish(&r, CQ_ESTATE);
    wf_free(&r);
    wf_table_free(&t);
}

/* Lengths of fixed-length values, and types that take no ramp. */
static void refusals(void)
{
    wf_table t;
    wf_table_init(&t, 1);
    (void)wf_table_add_sized(&t, CQ_FIXED, true, 3, 0);
    (void)wf_table_add(&t, CQ_TIMESTAMP_MS, false);
    (void)wf_table_add(&t, CQ_DATE, true);
    wf_step const none[] = {{WF_END_OF_STEPS, 0, 0}};
    wf_run r = wf_new(&t, none, UINT64_C(8) << 20);
    CQT_OK(wf_begin(&r), &r.err);
    cq_err *e = &r.err;
    cq_span const good[] = {cq_span_of("abc", 3), cq_span_of(NULL, 99)}, bad[] = {cq_span_of("abc", 3), cq_span_of("ab", 2)}, longer[] = {cq_span_of("abcd", 4), good[0]};
    static const uint8_t second_null[] = {1, 0};
    cq_vec const dates = cq_vec_null(CQ_DATE), time = cq_vec_ramp_of(CQ_TIMESTAMP_MS, 5, 10);
    cq_vec const ok[] = {cq_vec_spans(CQ_FIXED, good, second_null), time, dates}, shorter[] = {cq_vec_spans(CQ_FIXED, bad, NULL), time, dates},
                 too_long[] = {cq_vec_spans(CQ_FIXED, longer, NULL), time, dates}, constant[] = {cq_vec_const(CQ_FIXED, cq_span_of("abcd", 4)), time, dates},
                 ramp[] = {ok[0], time, cq_vec_ramp_of(CQ_DATE, 1, 1)}, other[] = {ok[0], cq_vec_ramp(1, 1), dates};
    cq_batch const b[] = {{2, ok}, {2, shorter}, {2, too_long}, {2, constant}, {2, ramp}, {2, other}};
    CQT_STATUS(cq_writer_write_batch(r.w, &b[1], e), CQ_EVALUE);
    CQT_EQ_I(e->row, 1);
    CQT_IN_STR(e->msg, "binary[3]");
    CQT_STATUS(cq_writer_write_batch(r.w, &b[2], e), CQ_EVALUE);
    CQT_EQ_I(e->row, 0);
    CQT_STATUS(cq_writer_write_batch(r.w, &b[3], e), CQ_EVALUE);
    CQT_STATUS(cq_writer_write_batch(r.w, &b[4], e), CQ_EARG);
    CQT_STATUS(cq_writer_write_batch(r.w, &b[5], e), CQ_EARG);
    CQT_OK(cq_writer_write_batch(r.w, &b[0], e), e);
    cq_colbuf *c = cq_writer_column(r.w, 0);
    uint8_t *to;
    CQT_STATUS(cq_colbuf_put_bytes(c, "ab", 2, e), CQ_EVALUE);
    CQT_STATUS(cq_colbuf_reserve_bytes(c, 4, &to, e), CQ_EVALUE);
    wf_finish(&r, cq_writer_close(r.w, NULL, 0, e));
    CQT_OK(r.status, e);
    CQT_EQ_I(r.info.rows, 2);
    wf_free(&r);
    wf_table_free(&t);
}

void test_batch_write(void)
{
    CQT_RUN(checks_see_the_batches_before);
    CQT_RUN(given_up);
    CQT_RUN(checks_without_an_end);
    CQT_RUN(refusals);
    CQT_RUN(same_bytes_by_every_route);
}
