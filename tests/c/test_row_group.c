/* Row groups: pages that a dictionary splits, parking, the caps of a chunk, dropping. */
#include "writer_fixture.h"

#include "format/limits.h"

/* Pages of a column in the file order of the log. */
static int64_t parked_pages(wf_run *r, int32_t column, cq_page_meta *out, int64_t most)
{
    cq_chunk *c = &r->w->group.chunks[column];
    int64_t n = 0;
    for (int64_t at = c->head; at >= 0; at = out[n - 1].next) {
        CQT(n < most);
        CQT_OK(cq_spill_read(&r->w->group.pages, at, &out[n++], sizeof *out, &r->err), &r->err);
    }
    CQT_EQ_I(n, c->n_pages);
    return n;
}

/* Few long values that fill the dictionary and then one that does not fit: `at` of the page's slots are taken before. */
static void dictionary_full_at(int64_t at, bool optional)
{
    enum { ROWS = 3000 };
    wf_table t;
    wf_table_init(&t, ROWS);
    (void)wf_table_add(&t, CQ_STRING, optional);
    wf_step const none[] = {{WF_END_OF_STEPS, 0, 0}};
    wf_run r = wf_new(&t, none, 0);
    r.o.memory_limit = wf_least_of(&t, &r.o) + (64 << 10);
    CQT_OK(wf_begin(&r), &r.err);
    int64_t const page = r.plan.page_rows;
    size_t const room = r.w->group.chunks[0].col.dict.limits.max_bytes;
    CQT(room > 200 && page + at + 10 < ROWS);
    uint8_t *text = wf_alloc(room + 1);
    memset(text, 'x', room);
    for (int64_t i = 0; i < page + at; i++) {
        if (optional && i >= page)
            wf_set(&t, 0, i, NULL, 0);
        else
            wf_set(&t, 0, i, "abc", 3);
    }
    wf_set(&t, 0, page + at, text, room); /* with its length it is more than the dictionary takes */
    for (int64_t i = page + at + 1; i < ROWS; i++) wf_set(&t, 0, i, "abc", 3);
    for (int64_t i = 0; i < ROWS; i++) {
        CQT_OK(wf_whole_row(&r, i), &r.err);
        if (cq_writer_due(r.w)) CQT_OK(cq_writer_settle(r.w, &r.err), &r.err);
        if (i == page + at) {
            cq_page_meta p[8];
            int64_t const n = parked_pages(&r, 0, p, 8);
            for (int64_t k = 0; k < n; k++) CQT_MSG(p[k].n_slots > 0, "page %d of %d has no rows", (int)k, (int)n);
            CQT_EQ_I(p[0].n_slots, page);
            CQT_EQ_I(n, 1 + (at > 0) + (r.w->group.chunks[0].col.n_slots == 0));
            CQT_EQ_I(r.w->group.chunks[0].col.mode, CQ_CHUNK_DIRECT);
        }
    }
    wf_finish(&r, cq_writer_close(r.w, NULL, 0, &r.err));
    CQT_OK(r.status, &r.err);
    wf_dump(&r, at ? "dict_full_inside" : "dict_full_at_start", 0, ROWS);
    wf_free(&r);
    free(text);
    wf_table_free(&t);
}

static void dictionary_full_at_page_start(void) { dictionary_full_at(0, false); }
static void dictionary_full_inside_page(void) { dictionary_full_at(7, false); }
static void dictionary_full_behind_nulls(void) { dictionary_full_at(7, true); }

/* More entries than the scratch memory of pages of a few rows has bits for. */
static void tiny_pages_with_a_large_dictionary(void)
{
    enum { ROWS = 60000 };
    wf_table t;
    wf_table_init(&t, ROWS);
    (void)wf_table_add(&t, CQ_STRING, false);
    for (int64_t i = 0; i < ROWS; i++) {
        if (i >= 8 && i % 5 == 0)
            wf_set_int(&t, 0, i, i);
        else
            wf_set(&t, 0, i, "a text that is long enough for a dictionary of its own", 54);
    }
    wf_step const steps[] = {{WF_ROWS, 0, ROWS}, {WF_END_OF_STEPS, 0, 0}};
    wf_run r = wf_new(&t, steps, UINT64_C(16) << 20);
    r.o.data_page_bytes = 200;
    wf_must(&r);
    CQT_EQ_I(r.plan.page_rows, 25);
    CQT(r.figures[0].pages_dict > 2000 && r.figures[0].pages_plain == 0);
    wf_free(&r);
    wf_table_free(&t);
}

void test_row_group(void)
{
    CQT_RUN(tiny_pages_with_a_large_dictionary);
    CQT_RUN(dictionary_full_at_page_start);
    CQT_RUN(dictionary_full_inside_page);
    CQT_RUN(dictionary_full_behind_nulls);
}
