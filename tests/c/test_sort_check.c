/* The declared sort order: rows against a plain comparison of neighbours, batches against rows, refusals that leave the
 * remembered row alone, explicit groups, and the memory that the keys may take. */
#include "writer_fixture.h"

#include "format/limits.h"

#include <math.h>

typedef struct sorted_rows {
    const wf_table *t;
    int64_t row;
} sorted_rows;

static cq_span value_of_row(const void *ctx, int32_t column, bool *is_null)
{
    const sorted_rows *s = ctx;
    const wf_column *c = &s->t->c[column];
    size_t const width = cq_type_facts(c->type)->width;
    *is_null = !c->validity[s->row];
    if (width) return cq_span_of(c->values + (size_t)s->row * width, width);
    return wf_span(c, s->row);
}

/* >0: row b must not come behind row a. */
static int compare_rows(const wf_table *t, const cq_sort_key *keys, int32_t n, int64_t a, int64_t b)
{
    sorted_rows const x = {t, a}, y = {t, b};
    for (int32_t k = 0; k < n; k++) {
        bool nx, ny;
        cq_span const u = value_of_row(&x, keys[k].column, &nx), v = value_of_row(&y, keys[k].column, &ny);
        int c = (int)nx - (int)ny;
        if (!nx && !ny) c = keys[k].descending ? cq_value_cmp(t->c[keys[k].column].type, v, u) : cq_value_cmp(t->c[keys[k].column].type, u, v);
        if (c) return c;
    }
    return 0;
}

static void random_rows(wf_table *t, int64_t n)
{
    static const cq_type types[] = {CQ_INT64, CQ_STRING, CQ_UINT32, CQ_FLOAT64, CQ_INT8, CQ_BINARY, CQ_BOOL, CQ_UINT64};
    wf_table_init(t, n);
    int32_t const columns = 1 + (int32_t)cqt_rand_below(3);
    uint64_t const span = 1 + cqt_rand_below(3);
    for (int32_t i = 0; i < columns; i++) {
        (void)wf_table_add(t, types[cqt_rand_below(8)], cqt_rand_below(2));
        bool const steps = cqt_rand_below(2);
        for (int64_t row = 0; row < n; row++) {
            if (t->c[i].optional && cqt_rand_below(4) == 0)
                wf_set(t, i, row, NULL, 0);
            else
                wf_set_int(t, i, row, steps ? row % 100 : (int64_t)cqt_rand_below(span));
        }
    }
}

static void agrees_with_neighbours(void)
{
    enum { ROWS = 12 };
    for (int round = 0; round < 3000; round++) {
        wf_table t;
        random_rows(&t, ROWS);
        cq_mem mem, schema_mem;
        cq_schema schema;
        cq_err e;
        wf_schema_make(&schema, &schema_mem, &t);
        cq_mem_init(&mem, NULL, 1 << 20);
        cq_sort_key keys[3];
        for (int32_t k = 0; k < t.n_columns; k++) {
            keys[k].column = t.n_columns - 1 - k;
            keys[k].descending = cqt_rand_below(2);
        }
        cq_sort_check by_row, by_batch;
        CQT_OK(cq_sort_check_open(&by_row, &schema, keys, t.n_columns, &mem, &e), &e);
        CQT_OK(cq_sort_check_open(&by_batch, &schema, keys, t.n_columns, &mem, &e), &e);
        int64_t last = -1;
        for (int64_t a = 0; a < ROWS;) {
            int64_t const b = a + 1 + (int64_t)cqt_rand_below((uint64_t)(ROWS - a));
            cq_vec v[3];
            for (int32_t i = 0; i < t.n_columns; i++) v[i] = wf_vec(&t.c[i], a, b, cqt_rand_below(2));
            cq_batch const batch = {b - a, v};
            int64_t good = a, before = last;
            while (good < b && (before < 0 || compare_rows(&t, keys, t.n_columns, before, good) <= 0)) before = good++;
            cq_status const st = cq_sort_check_batch(&by_batch, &batch, &e);
            if (good < b) {
                CQT_EQ_I(st, CQ_EVALUE);
                CQT_EQ_I(e.row, good - a);
                CQT_IN_STR(e.msg, "out of order");
            } else {
                CQT_OK(st, &e);
                CQT_OK(cq_sort_check_take(&by_batch, &batch, b - a - 1, &e), &e);
                for (int64_t row = a; row < b; row++) {
                    sorted_rows const s = {&t, row};
                    CQT_OK(cq_sort_check_row(&by_row, value_of_row, &s, &e), &e);
                }
                last = b - 1;
            }
            for (int64_t row = 0; row < ROWS; row++) { /* a refused row changes nothing: asked for all of them */
                sorted_rows const s = {&t, row};
                if (last >= 0 && compare_rows(&t, keys, t.n_columns, last, row) > 0) CQT_STATUS(cq_sort_check_row(&by_row, value_of_row, &s, &e), CQ_EVALUE);
            }
            a = b;
        }
        cq_sort_check_close(&by_row);
        cq_sort_check_close(&by_batch);
        CQT_EQ_U(cq_mem_used(&mem), 0);
        wf_schema_free(&schema, &schema_mem);
        wf_table_free(&t);
    }
}

static void nan_is_refused_behind_a_ramp_too(void)
{
    double const values[3] = {1, (double)NAN, 2};
    wf_table t;
    cq_mem mem;
    cq_schema schema;
    cq_err e;
    wf_table_init(&t, 1);
    (void)wf_table_add(&t, CQ_INT64, false);
    (void)wf_table_add(&t, CQ_FLOAT64, false);
    wf_schema_make(&schema, &mem, &t);
    cq_sort_key const keys[] = {{0, false}, {1, false}};
    cq_sort_check s;
    CQT_OK(cq_sort_check_open(&s, &schema, keys, 2, &mem, &e), &e);
    cq_vec const v[2] = {cq_vec_ramp(0, 1), cq_vec_flat(CQ_FLOAT64, values, NULL)};
    cq_batch const batch = {3, v};
    CQT_STATUS(cq_sort_check_batch(&s, &batch, &e), CQ_EVALUE);
    CQT_EQ_I(e.row, 1);
    CQT_IN_STR(e.msg, "NaN");
    cq_sort_check_close(&s);
    wf_schema_free(&schema, &mem);
    wf_table_free(&t);
}

static void keys_stay_in_their_memory(void)
{
    enum { ROWS = 40 };
    wf_table t;
    cq_mem mem, schema_mem;
    cq_schema schema;
    cq_err e;
    static uint8_t text[CQ_MAX_SORT_KEY_BYTES + 1];
    memset(text, 'k', sizeof text);
    wf_table_init(&t, ROWS);
    (void)wf_table_add(&t, CQ_STRING, false);
    for (int64_t i = 0; i + 1 < ROWS; i++) wf_set(&t, 0, i, text, (size_t)(i + 1) * CQ_MAX_SORT_KEY_BYTES / (ROWS - 1));
    wf_set(&t, 0, ROWS - 1, text, sizeof text);
    wf_schema_make(&schema, &schema_mem, &t);
    cq_sort_key const key = {0, false};
    cq_sort_check s;
    cq_mem_init(&mem, NULL, 1 << 20);
    CQT_OK(cq_sort_check_open(&s, &schema, &key, 1, &mem, &e), &e);
    for (int64_t i = 0; i + 1 < ROWS; i++) {
        sorted_rows const r = {&t, i};
        CQT_OK(cq_sort_check_row(&s, value_of_row, &r, &e), &e);
        CQT_OK(cq_sort_check_save(&s, &e), &e);
    }
    sorted_rows const long_row = {&t, ROWS - 1};
    CQT_STATUS(cq_sort_check_row(&s, value_of_row, &long_row, &e), CQ_ELIMIT);
    CQT_MSG(cq_mem_peak(&mem) <= 2 * CQ_MAX_SORT_KEY_BYTES + 256, "%" PRIu64 " bytes", cq_mem_peak(&mem));
    cq_sort_check_close(&s);
    wf_schema_free(&schema, &schema_mem);
    wf_table_free(&t);
}

static void groups_are_taken_back(void)
{
    wf_table t;
    cq_mem mem, schema_mem;
    cq_schema schema;
    cq_err e;
    wf_table_init(&t, 3);
    (void)wf_table_add(&t, CQ_INT32, false);
    for (int64_t i = 0; i < 3; i++) wf_set_int(&t, 0, i, i);
    wf_schema_make(&schema, &schema_mem, &t);
    cq_mem_init(&mem, NULL, 1 << 20);
    cq_sort_key const key = {0, false};
    sorted_rows const r0 = {&t, 0}, r1 = {&t, 1}, r2 = {&t, 2};
    cq_sort_check s;
    CQT_OK(cq_sort_check_open(&s, &schema, &key, 1, &mem, &e), &e);
    CQT_OK(cq_sort_check_save(&s, &e), &e);
    CQT_OK(cq_sort_check_row(&s, value_of_row, &r2, &e), &e);
    cq_sort_check_restore(&s);
    CQT_OK(cq_sort_check_row(&s, value_of_row, &r1, &e), &e);
    CQT_OK(cq_sort_check_save(&s, &e), &e);
    CQT_OK(cq_sort_check_row(&s, value_of_row, &r2, &e), &e);
    cq_sort_check_restore(&s);
    CQT_STATUS(cq_sort_check_row(&s, value_of_row, &r0, &e), CQ_EVALUE);
    CQT_IN_STR(e.msg, "'c0' is 0 after 1, declared ascending");
    CQT_OK(cq_sort_check_row(&s, value_of_row, &r1, &e), &e);
    cq_sort_check_close(&s);
    cq_sort_key const twice[] = {{0, false}, {0, true}}, none = {1, false};
    CQT_STATUS(cq_sort_check_open(&s, &schema, twice, 2, &mem, &e), CQ_EARG);
    cq_sort_check_close(&s);
    CQT_STATUS(cq_sort_check_open(&s, &schema, &none, 1, &mem, &e), CQ_EARG);
    cq_sort_check_close(&s);
    CQT_EQ_U(cq_mem_used(&mem), 0);
    wf_schema_free(&schema, &schema_mem);
    wf_table_free(&t);
}

void test_sort_check(void)
{
    CQT_RUN(agrees_with_neighbours);
    CQT_RUN(nan_is_refused_behind_a_ramp_too);
    CQT_RUN(keys_stay_in_their_memory);
    CQT_RUN(groups_are_taken_back);
}
