/* The writer's life: scenarios with their figures, rows that are aborted without a trace, calls out of order, options,
 * groups and where they are cut. Faults are in test_writer_faults.c, memory in test_writer_budget.c, routes in
 * test_batch_write.c. */
#include "writer_scenarios.h"

#include "format/limits.h"

static void figures_add_up(void)
{
    for (int i = 0; i < wf_n_scenarios(); i++) {
        wf_scenario s;
        wf_scenario_make(&s, i);
        wf_run r = wf_scenario_run(&s, NULL);
        wf_must(&r);
        CQT_EQ_I(r.info.rows, s.n_rows);
        CQT(r.info.closed && !r.info.failed && r.info.footer_bytes > 0 && r.info.footer_bytes < r.info.bytes_written);
        CQT_EQ_U(r.info.memory_limit, s.o.memory_limit);
        CQT_EQ_U(cq_load32(r.sink.data + r.sink.len - 8), (uint64_t)r.info.footer_bytes);
        int64_t bytes = 12 + r.info.footer_bytes;
        for (int32_t c = 0; c < s.t.n_columns; c++) {
            const cq_column_info *f = &r.figures[c];
            int64_t nulls = 0;
            for (int64_t row = 0; row < s.n_rows; row++) nulls += !s.t.c[c].validity[row];
            CQT_EQ_I(f->values, s.n_rows);
            CQT_EQ_I(f->nulls, nulls);
            CQT(f->dict_pages <= r.info.row_groups && (f->dict_pages == 0) == (f->pages_dict == 0));
            CQT(f->pages_plain + f->pages_dict + f->pages_delta + f->pages_split >= r.info.row_groups);
            bytes += f->compressed_bytes;
        }
        CQT(bytes <= r.info.bytes_written); /* the rest is the page index */
        wf_free(&r);
        wf_scenario_free(&s);
    }
}

/* What the dictionaries' scenario is for happens in it. */
static void dictionaries_come_and_go(void)
{
    wf_scenario s;
    wf_scenario_named(&s, "dictionaries");
    wf_run r = wf_scenario_run(&s, NULL);
    wf_must(&r);
    const cq_column_info *f = r.figures;
    CQT(f[0].pages_dict > 0 && f[0].pages_plain == 0);
    CQT(f[1].pages_dict == 0 && f[1].dict_pages == 0);
    for (int i = 2; i < 7; i++) cqt_note("column %d: %d plain, %d dictionary, %d delta", i, (int)f[i].pages_plain, (int)f[i].pages_dict, (int)f[i].pages_delta);
    CQT(f[2].pages_dict > 0 && f[2].pages_plain > 0);
    CQT(f[4].pages_dict > 0 && f[4].pages_plain > 0);
    wf_free(&r);
    wf_scenario_free(&s);
}

/* So does what the scenario of floats is for; the file's version follows the profile. */
static void profiles_have_their_pages(void)
{
    wf_scenario s;
    wf_scenario_named(&s, "modern_floats");
    wf_run r = wf_scenario_run(&s, NULL);
    wf_must(&r);
    const cq_column_info *f = r.figures;
    for (int i = 0; i < 5; i++) cqt_note("column %d: %d plain, %d dictionary, %d streams", i, (int)f[i].pages_plain, (int)f[i].pages_dict, (int)f[i].pages_split);
    CQT(f[0].pages_split > 0 && f[1].pages_split > 0 && f[2].pages_split > 0);
    CQT(f[2].pages_dict > 0);                           /* streams and dictionary in one chunk */
    CQT(f[3].pages_split == 0 && f[3].pages_plain > 0); /* nothing to gain without a codec */
    CQT(f[3].compressed_bytes == f[3].uncompressed_bytes && f[0].compressed_bytes < f[0].uncompressed_bytes);
    CQT(f[4].compressed_bytes <= f[4].uncompressed_bytes);
    wf_free(&r);
    wf_scenario_free(&s);
    wf_scenario_named(&s, "compat_codecs");
    r = wf_scenario_run(&s, NULL);
    wf_must(&r);
    for (int i = 0; i < 4; i++) CQT_EQ_I(r.figures[i].pages_delta + r.figures[i].pages_split, 0);
    wf_free(&r);
    wf_scenario_free(&s);
}

/* Before every row, rows are aborted: the row itself whole (it may fill the page or the dictionary, or be the page's
 * first null), the row in part, and others. */
static void aborted_rows_leave_no_trace(void)
{
    for (int i = 0; i < wf_n_scenarios(); i++) {
        wf_scenario s;
        wf_scenario_make(&s, i);
        if (s.o.n_sorting || s.n_rows == 0 || s.n_rows > 5000) {
            wf_scenario_free(&s);
            continue;
        }
        int32_t const columns = s.t.n_columns;
        wf_step const plain[] = {{WF_ROWS, 0, s.n_rows}, {WF_END_OF_STEPS, 0, 0}};
        wf_step *steps = wf_alloc((size_t)(s.n_rows * 4 + 1) * sizeof *steps);
        int64_t n = 0;
        for (int64_t row = 0; row < s.n_rows; row++) {
            wf_step const x[] = {{WF_ABORT, row, columns},
                                 {WF_ABORT, row, row % (columns + 1)},
                                 {WF_ABORT, s.n_rows + (int64_t)cqt_rand_below(8), (int64_t)cqt_rand_below((uint64_t)columns + 1)},
                                 {WF_ROWS, row, row + 1}};
            memcpy(steps + n, x, sizeof x);
            n += 4;
        }
        wf_run want = wf_scenario_run(&s, plain), got = wf_scenario_run(&s, steps);
        wf_must(&want);
        wf_must(&got);
        wf_same_bytes(s.name, &got, &want);
        wf_free(&want);
        wf_free(&got);
        free(steps);
        wf_scenario_free(&s);
    }
}

/* The last row fills pages: closing right away and settling before it give the same file. */
static void closing_instead_of_settling(void)
{
    enum { ROWS = 4096 };
    wf_table t;
    wf_table_init(&t, ROWS);
    (void)wf_table_add(&t, CQ_INT64, false);
    (void)wf_table_add(&t, CQ_FLOAT32, true);
    for (int64_t row = 0; row < ROWS; row++) { /* a dictionary pays if more such pages are to come, and not otherwise */
        int64_t before = cq_wrap_i64(cqt_rand());
        if (row > ROWS / 2 && row % 5 < 2) memcpy(&before, t.c[0].values + (size_t)(row - ROWS / 2) * 8, 8);
        wf_set_int(&t, 0, row, before);
        wf_set_int(&t, 1, row, (int64_t)(cqt_rand_below(90) * 1009));
    }
    static const int64_t page_bytes[] = {4096, 512 * 8, 2048, 1024 * 8, ROWS * 8};
    for (int i = 0; i < 5; i++) {
        wf_step const steps[] = {{WF_ROWS, 0, ROWS}, {WF_END_OF_STEPS, 0, 0}};
        wf_run want = wf_new(&t, steps, UINT64_C(16) << 20), got = want;
        want.o.data_page_bytes = got.o.data_page_bytes = page_bytes[i];
        want.o.codec = got.o.codec = CQ_CODEC_NONE;
        wf_must(&want);
        if (i == 4) CQT_EQ_I(want.figures[0].pages_dict, 1);
        CQT_OK(wf_begin(&got), &got.err);
        for (int64_t row = 0; row < ROWS; row++) {
            if (cq_writer_due(got.w)) CQT_OK(cq_writer_settle(got.w, &got.err), &got.err);
            CQT_OK(wf_whole_row(&got, row), &got.err);
        }
        CQT(cq_writer_due(got.w));
        wf_finish(&got, cq_writer_close(got.w, NULL, 0, &got.err));
        CQT_OK(got.status, &got.err);
        wf_same_bytes("closed without settling", &got, &want);
        wf_free(&want);
        wf_free(&got);
    }
    wf_table_free(&t);
}

/* -- calls out of order ---------------------------------------------------------------------------------------------- */

static void two_columns(wf_table *t, int64_t n)
{
    wf_table_init(t, n);
    (void)wf_table_add(t, CQ_STRING, true);
    (void)wf_table_add(t, CQ_INT32, false);
    for (int64_t row = 0; row < n; row++) {
        wf_set_int(t, 0, row, row);
        wf_set_int(t, 1, row, row);
    }
}

static void calls_out_of_order(void)
{
    wf_table t;
    two_columns(&t, 20);
    wf_step const none[] = {{WF_END_OF_STEPS, 0, 0}}, rows[] = {{WF_ROWS, 0, 20}, {WF_END_OF_STEPS, 0, 0}};
    wf_run want = wf_new(&t, rows, UINT64_C(8) << 20), r = wf_new(&t, none, UINT64_C(8) << 20);
    wf_must(&want);
    CQT_OK(wf_begin(&r), &r.err);
    cq_err *e = &r.err;
    CQT_STATUS(cq_writer_end_row(r.w, e), CQ_ESTATE); /* no value at all */
    CQT_OK(wf_whole_row(&r, 0), e);
    CQT_OK(wf_put_row(&r, 1, 1), e);
    CQT_STATUS(cq_writer_end_row(r.w, e), CQ_ESTATE); /* half a row, which is gone then */
    CQT_EQ_I(e->column, 1);
    CQT_OK(wf_put_row(&r, 1, 1), e);
    CQT_STATUS(cq_writer_settle(r.w, e), CQ_ESTATE); /* inside of a row */
    CQT_STATUS(wf_batch(&r, 1, 5, false), CQ_ESTATE);
    cq_writer_abort_row(r.w);
    CQT_OK(wf_batch(&r, 1, 5, false), e);
    CQT_STATUS(cq_writer_end_group(r.w, e), CQ_ESTATE);
    cq_writer_rollback_group(r.w); /* without a group it is nothing */
    CQT_STATUS(cq_colbuf_put_null(cq_writer_column(r.w, 1), e), CQ_EVALUE);
    CQT_OK(wf_batch(&r, 5, 20, false), e);
    wf_finish(&r, cq_writer_close(r.w, NULL, 0, e));
    CQT_OK(r.status, e);
    wf_same_bytes("after calls out of order", &r, &want);
    wf_free(&want);
    wf_free(&r);
    wf_table_free(&t);
}

static void explicit_groups_have_their_rules(void)
{
    wf_table t;
    two_columns(&t, 20);
    wf_step const none[] = {{WF_END_OF_STEPS, 0, 0}};
    wf_run r = wf_new(&t, none, UINT64_C(8) << 20);
    CQT_OK(wf_begin(&r), &r.err);
    cq_err *e = &r.err;
    CQT_OK(cq_writer_begin_group(r.w, e), e);
    CQT_OK(wf_batch(&r, 0, 7, false), e);
    CQT_EQ_I(cq_writer_group_rows(r.w), 7);
    CQT_STATUS(cq_writer_begin_group(r.w, e), CQ_ESTATE);
    CQT_STATUS(cq_writer_flush_group(r.w, e), CQ_ESTATE);
    CQT_STATUS(cq_writer_close(r.w, NULL, 0, e), CQ_ESTATE);
    CQT_OK(cq_writer_end_group(r.w, e), e);
    CQT_EQ_I(cq_writer_group_rows(r.w), 0);
    CQT_OK(cq_writer_begin_group(r.w, e), e);
    CQT_OK(wf_batch(&r, 7, 20, false), e);
    cq_writer_rollback_group(r.w);
    CQT_EQ_I(r.w->unchecked_bytes, 0);
    CQT(!cq_writer_due(r.w));
    cq_writer_info info;
    cq_writer_get_info(r.w, &info);
    CQT_EQ_I(info.rows, 7);
    CQT_EQ_I(info.row_groups, 1);
    CQT_OK(cq_writer_close(r.w, NULL, 0, e), e);
    CQT_STATUS(cq_writer_end_row(r.w, e), CQ_ESTATE);
    CQT_STATUS(cq_writer_settle(r.w, e), CQ_ESTATE);
    CQT_STATUS(cq_writer_close(r.w, NULL, 0, e), CQ_ESTATE);
    cq_writer_abort_row(r.w);
    wf_finish(&r, CQ_OK);
    wf_free(&r);
    wf_table_free(&t);
}

static void options_are_checked(void)
{
    wf_table t;
    two_columns(&t, 1);
    wf_step const none[] = {{WF_END_OF_STEPS, 0, 0}};
    cq_sort_key const bad[] = {{2, false}}, twice[] = {{1, false}, {1, true}};
    for (int i = 0; i < 11; i++) {
        wf_run r = wf_new(&t, none, UINT64_C(8) << 20);
        switch (i) {
        case 0: r.o.row_group_size = -1; break;
        case 1: r.o.row_group_size = CQ_MAX_GROUP_ROWS + 1; break;
        case 2: r.o.row_group_bytes = -1; break;
        case 3: r.o.data_page_bytes = -5; break;
        case 4: r.o.max_value_bytes = -5; break;
        case 5: r.o.spill_dir = ""; break;
        case 6: r.o.level = 3; break; /* snappy has none */
        case 7: r.o.codec = CQ_CODEC_ZSTD, r.o.level = 20; break;
        case 8: r.o.sorting = bad, r.o.n_sorting = 1; break;
        case 9: r.o.sorting = twice, r.o.n_sorting = 2; break;
        default: r.o.memory_limit = 1 << 20;
        }
        wf_finish(&r, wf_begin(&r));
        CQT_EQ_I(r.status, i < 10 ? CQ_EARG : CQ_EBUDGET);
        CQT(r.err.msg[0] != 0);
    }
    wf_table_free(&t);
}

static void limits_of_values_and_rows(void)
{
    wf_table t;
    wf_table_init(&t, 1);
    (void)wf_table_add(&t, CQ_STRING, false);
    (void)wf_table_add(&t, CQ_BINARY, false);
    wf_set(&t, 0, 0, "a", 1);
    wf_set(&t, 1, 0, "b", 1);
    wf_step const none[] = {{WF_END_OF_STEPS, 0, 0}};
    wf_run r = wf_new(&t, none, UINT64_C(4) << 20);
    CQT_OK(wf_begin(&r), &r.err);
    size_t const most = r.plan.max_value_bytes;
    CQT_EQ_U(r.plan.max_row_bytes, most);
    uint8_t *bytes = wf_alloc(most + 1);
    cq_colbuf *a = cq_writer_column(r.w, 0), *b = cq_writer_column(r.w, 1);
    CQT_STATUS(cq_colbuf_put_bytes(a, bytes, most + 1, &r.err), CQ_ELIMIT);
    CQT_OK(cq_colbuf_put_bytes(a, bytes, most - 10, &r.err), &r.err);
    CQT_STATUS(cq_colbuf_put_bytes(b, bytes, 11, &r.err), CQ_ELIMIT);
    CQT_OK(cq_colbuf_put_bytes(b, bytes, 10, &r.err), &r.err);
    CQT_OK(cq_writer_end_row(r.w, &r.err), &r.err);
    CQT(cq_writer_due(r.w));
    CQT_STATUS(cq_colbuf_put_bytes(a, bytes, 1, &r.err), CQ_ESTATE);
    CQT_IN_STR(r.err.msg, "settle");
    CQT_OK(cq_writer_settle(r.w, &r.err), &r.err);
    /* the same limits for batches, which name the row */
    cq_span const at[] = {cq_span_of(bytes, 1), cq_span_of(bytes, most + 1)};
    cq_span const half[] = {cq_span_of(bytes, most / 2), cq_span_of(bytes, 1), cq_span_of(bytes, 1)};
    static const uint8_t hidden[] = {1, 0};
    cq_vec const huge[] = {cq_vec_spans(CQ_STRING, at, NULL), cq_vec_const(CQ_BINARY, cq_span_of("x", 1))};
    cq_vec const wide[] = {cq_vec_spans(CQ_STRING, half, NULL), cq_vec_const(CQ_BINARY, cq_span_of(bytes, most / 2 + 1))};
    cq_batch const two = {2, huge}, three = {3, wide};
    CQT_STATUS(cq_writer_write_batch(r.w, &two, &r.err), CQ_ELIMIT);
    CQT_EQ_I(r.err.row, 1);
    CQT_EQ_I(r.err.column, 0);
    CQT_STATUS(cq_writer_write_batch(r.w, &three, &r.err), CQ_ELIMIT);
    CQT_EQ_I(r.err.row, 0);
    cq_vec const null[] = {cq_vec_spans(CQ_STRING, half, hidden), huge[1]};
    cq_batch const with_null = {2, null};
    CQT_STATUS(cq_writer_write_batch(r.w, &with_null, &r.err), CQ_EVALUE);
    CQT_EQ_I(r.err.row, 1);
    cq_vec const types[] = {huge[1], huge[1]};
    cq_batch const other_type = {1, types};
    CQT_STATUS(cq_writer_write_batch(r.w, &other_type, &r.err), CQ_EARG);
    cq_vec const consts[] = {cq_vec_const(CQ_STRING, cq_span_of(bytes, most)), cq_vec_const(CQ_BINARY, cq_span_of(bytes, most))};
    cq_batch const endless = {INT64_MAX, consts};
    CQT_STATUS(cq_writer_write_batch(r.w, &endless, &r.err), CQ_ELIMIT);
    CQT_EQ_I(cq_writer_error(r.w)->code, CQ_OK);
    CQT_OK(wf_whole_row(&r, 0), &r.err);
    wf_finish(&r, cq_writer_close(r.w, NULL, 0, &r.err));
    CQT_OK(r.status, &r.err);
    CQT_EQ_I(r.info.rows, 2);
    wf_free(&r);
    free(bytes);
    wf_table_free(&t);
}

static void ramps_stay_in_range(void)
{
    static const struct { int64_t start, step, n; bool good; } cases[] = {
        {INT64_MAX - 2, 1, 3, true}, {INT64_MAX - 2, 1, 4, false}, {INT64_MIN, -1, 1, true}, {INT64_MIN, -1, 2, false},
        {0, INT64_MAX, 3, false}, {INT64_MIN, INT64_MAX, 3, false}, {0, INT64_MIN, 2, true}, {5, 0, 3, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wf_table t;
        wf_table_init(&t, 4);
        (void)wf_table_add(&t, CQ_INT64, false);
        wf_step const none[] = {{WF_END_OF_STEPS, 0, 0}}, rows[] = {{WF_ROWS, 0, cases[i].n}, {WF_END_OF_STEPS, 0, 0}};
        wf_run r = wf_new(&t, none, UINT64_C(8) << 20);
        CQT_OK(wf_begin(&r), &r.err);
        cq_vec const v = cq_vec_ramp(cases[i].start, cases[i].step);
        cq_batch const b = {cases[i].n, &v};
        CQT_EQ_I(cq_writer_write_batch(r.w, &b, &r.err), cases[i].good ? CQ_OK : CQ_ERANGE);
        wf_finish(&r, cq_writer_close(r.w, NULL, 0, &r.err));
        CQT_OK(r.status, &r.err);
        if (cases[i].good) {
            for (int64_t k = 0, x = cases[i].start; k < cases[i].n; k++) {
                wf_set_int(&t, 0, k, x);
                x = cq_wrap_i64((uint64_t)x + (uint64_t)cases[i].step);
            }
            wf_run flat = wf_new(&t, rows, UINT64_C(8) << 20);
            wf_must(&flat);
            wf_same_bytes("a ramp", &r, &flat);
            wf_free(&flat);
        }
        wf_free(&r);
        wf_table_free(&t);
    }
}

/* -- groups ---------------------------------------------------------------------------------------------------------- */

static void groups_are_cut_by_rows(void)
{
    wf_table t;
    two_columns(&t, 10000);
    static const struct { int64_t size, n, groups; } cases[] = {{1, 10, 10}, {10, 10, 1}, {10, 11, 2}, {4096, 8192, 2}, {5000, 10000, 2}, {0, 10000, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int route = 0; route < 2; route++) {
            wf_step const steps[] = {{route ? WF_BATCH : WF_ROWS, 0, cases[i].n}, {WF_END_OF_STEPS, 0, 0}};
            wf_run r = wf_new(&t, steps, UINT64_C(8) << 20);
            r.o.row_group_size = cases[i].size;
            wf_must(&r);
            CQT_EQ_I(r.info.row_groups, cases[i].groups);
            wf_free(&r);
        }
    wf_table_free(&t);
}

/* The format's cap on a chunk: a group is cut before it; an explicit one fails, and can be rolled back. */
static void chunks_near_their_cap(void)
{
    wf_table t;
    two_columns(&t, 5000);
    wf_step const none[] = {{WF_END_OF_STEPS, 0, 0}};
    wf_run r = wf_new(&t, none, UINT64_C(8) << 20);
    r.o.data_page_bytes = 1000;
    CQT_OK(wf_begin(&r), &r.err);
    CQT_OK(wf_batch(&r, 0, 4000, false), &r.err);
    CQT_OK(cq_writer_flush_group(r.w, &r.err), &r.err);
    CQT_OK(cq_writer_begin_group(r.w, &r.err), &r.err);
    r.w->group.chunks[1].meta.uncompressed_bytes = CQ_MAX_CHUNK_BYTES - 100;
    CQT_STATUS(wf_batch(&r, 0, 4000, false), CQ_ELIMIT);
    wf_finish(&r, CQ_ELIMIT); /* in a batch it is final */
    wf_free(&r);

    wf_run rows = wf_new(&t, none, UINT64_C(8) << 20);
    rows.o.data_page_bytes = 1000;
    CQT_OK(wf_begin(&rows), &rows.err);
    CQT_OK(cq_writer_begin_group(rows.w, &rows.err), &rows.err);
    rows.w->group.chunks[1].meta.uncompressed_bytes = CQ_MAX_CHUNK_BYTES - 100;
    cq_status st = CQ_OK;
    for (int64_t row = 0; row < 4000 && st == CQ_OK; row++) {
        CQT_OK(wf_whole_row(&rows, row), &rows.err);
        if (cq_writer_due(rows.w)) st = cq_writer_settle(rows.w, &rows.err);
    }
    CQT_EQ_I(st, CQ_ELIMIT);
    CQT_IN_STR(rows.err.msg, "2^31");
    CQT_EQ_I(rows.err.column, 1);
    cq_writer_rollback_group(rows.w);
    CQT_OK(wf_batch(&rows, 0, 3000, false), &rows.err);
    rows.w->group.chunks[1].meta.uncompressed_bytes = CQ_MAX_CHUNK_BYTES / 2;
    CQT_OK(wf_batch(&rows, 3000, 5000, false), &rows.err);
    CQT_EQ_I(rows.w->meta.n_groups, 1);
    CQT_EQ_I(cq_writer_group_rows(rows.w), 5000 - 4096);
    wf_finish(&rows, cq_writer_close(rows.w, NULL, 0, &rows.err));
    CQT_OK(rows.status, &rows.err);
    wf_free(&rows);
    wf_table_free(&t);
}

static void key_values_of_any_length(void)
{
    wf_table t;
    two_columns(&t, 3);
    uint8_t *text = wf_alloc(200000);
    memset(text, 'v', 200000);
    cq_kv const kv[] = {{cq_span_of("a", 1), cq_span_of(text, 200000)}, {cq_span_of(text, 300), cq_span_of(NULL, 0)}};
    wf_step const steps[] = {{WF_ROWS, 0, 3}, {WF_END_OF_STEPS, 0, 0}};
    wf_run r = wf_new(&t, steps, UINT64_C(8) << 20);
    r.kv = kv;
    r.n_kv = 2;
    wf_must(&r);
    CQT(r.info.footer_bytes > 200000);
    wf_dump(&r, "key_values", 0, 3);
    wf_free(&r);
    free(text);
    wf_table_free(&t);
}

void test_writer(void)
{
    CQT_RUN(figures_add_up);
    CQT_RUN(dictionaries_come_and_go);
    CQT_RUN(profiles_have_their_pages);
    CQT_RUN(aborted_rows_leave_no_trace);
    CQT_RUN(closing_instead_of_settling);
    CQT_RUN(calls_out_of_order);
    CQT_RUN(explicit_groups_have_their_rules);
    CQT_RUN(options_are_checked);
    CQT_RUN(limits_of_values_and_rows);
    CQT_RUN(ramps_stay_in_range);
    CQT_RUN(groups_are_cut_by_rows);
    CQT_RUN(chunks_near_their_cap);
    CQT_RUN(key_values_of_any_length);
}
