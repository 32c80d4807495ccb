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
        (void)wf_table_add(t, type, cqt_rand_below(2));
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
static void random_route(wf_step *steps, int *n_steps, const wf_table *t, int64_t a, int64_t b, int64_t spare)
{
    int64_t const top = cqt_rand_below(3) ? 1 + (b - a) / 8 : b - a;
    while (a < b) {
        int64_t const k = cq_min_i64(b - a, 1 + (int64_t)cqt_rand_below((uint64_t)top));
        uint64_t const route = cqt_rand_below(4);
        if (spare && cqt_rand_below(3) == 0)
            add_step(steps, n_steps, WF_ABORT, t->n_rows - 1 - (int64_t)cqt_rand_below((uint64_t)spare), (int64_t)cqt_rand_below((uint64_t)t->n_columns + 1));
        add_step(steps, n_steps, route == 0 ? WF_ROWS : route == 1 ? WF_BATCH : WF_SHAPED, a, a + k);
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
                random_route(steps, &n_steps, &t, cq_min_i64(n / 3, n - 1), n, 0);
                add_step(steps, &n_steps, WF_ROLLBACK, 0, 0);
            }
            random_route(steps, &n_steps, &t, 0, n, SPARE);
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

void test_batch_write(void)
{
    CQT_RUN(same_bytes_by_every_route);
}
