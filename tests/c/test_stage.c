/* The stage: chunks as they were put, twice; its memory, at the smallest limits too; values that are too large; files
 * from stages against files from rows; faults. */
#define _GNU_SOURCE
#include "write/stage.h"

#include <dirent.h>
#include <unistd.h>

#include "writer_fixture.h"

typedef struct bench {
    wf_table t;
    cq_mem mem, schema_mem;
    cq_schema schema;
    cq_writer *w;
    wf_sink sink;
    const cq_plan *plan;
    cq_stage *s;
    int32_t columns[WF_MAX_COLUMNS]; /* those of the stage */
    int32_t n_columns;
    cq_arena arena;
    cq_err e;
} bench;

/* A writer for the table; limit 0: the least. */
static void bench_open(bench *b, uint64_t limit, const char *spill_dir)
{
    cq_writer_opts const o = {.codec = CQ_CODEC_SNAPPY, .level = CQ_LEVEL_DEFAULT, .spill_dir = spill_dir};
    memset(&b->sink, 0, sizeof b->sink);
    wf_schema_make(&b->schema, &b->schema_mem, &b->t);
    cq_mem_init(&b->mem, NULL, limit ? limit : wf_least_limit(&b->schema, &o));
    CQT_OK(cq_writer_open(&b->w, &b->schema, &o, wf_sink_of(&b->sink), &b->mem, &b->e), &b->e);
    b->plan = cq_writer_plan(b->w);
    b->n_columns = b->t.n_columns;
    for (int32_t i = 0; i < b->n_columns; i++) b->columns[i] = i;
}

static void bench_close(bench *b)
{
    cq_arena_reset(&b->arena);
    cq_stage_free(b->s);
    b->s = NULL;
    cq_writer_free(b->w);
    CQT_EQ_U(cq_mem_used(&b->mem), 0);
    wf_schema_free(&b->schema, &b->schema_mem);
    free(b->sink.data);
}

/* Random types and values; nulls, values up to max_bytes long. */
static void make_table(wf_table *t, int32_t n_columns, int64_t n, size_t max_bytes)
{
    wf_table_init(t, n);
    for (int32_t i = 0; i < n_columns; i++) {
        cq_type const type = (cq_type)cqt_rand_below(CQ_N_TYPES);
        (void)wf_table_add_sized(t, type, cqt_rand_below(2), 1 + (int32_t)cqt_rand_below(40), type == CQ_DECIMAL32 ? 9 : type == CQ_DECIMAL64 ? 18 : 25);
    }
    uint8_t *bytes = wf_alloc(max_bytes);
    for (int64_t row = 0; row < n; row++)
        for (int32_t i = 0; i < n_columns; i++) {
            const wf_column *c = &t->c[i];
            if (c->optional && cqt_rand_below(i % 3 ? 4 : 300) == 0) {
                wf_set(t, i, row, NULL, 0);
            } else if (cq_type_facts(c->type)->width || c->fixed_bytes || cqt_rand_below(3)) {
                wf_set_int(t, i, row, wf_in_range(c->type, cqt_rand() >> cqt_rand_below(40)));
            } else {
                size_t const k = max_bytes ? cqt_rand_below(cqt_rand_below(30) ? 20 % max_bytes + 1 : max_bytes + 1) : 0;
                cqt_rand_bytes(bytes, k);
                wf_set(t, i, row, bytes, k);
            }
        }
    free(bytes);
}

static cq_status put(bench *b, int32_t k, int64_t row)
{
    const wf_column *v = &b->t.c[b->columns[k]];
    cq_colbuf *c = cq_stage_column(b->s, k);
    size_t const width = cq_type_facts(v->type)->width;
    if (!v->validity[row]) return cq_colbuf_put_null(c, &b->e);
    if (width) return cq_colbuf_put_fixed(c, v->values + (size_t)row * width, &b->e);
    cq_span const s = wf_span(v, row);
    if (row % 2) return cq_colbuf_put_bytes(c, s.p, s.n, &b->e);
    uint8_t *to;
    CQ_TRY(cq_colbuf_reserve_bytes(c, s.n, &to, &b->e));
    if (s.n) memcpy(to, s.p, s.n);
    return cq_colbuf_commit_bytes(c, s.n, &b->e);
}

static cq_status put_row(bench *b, int64_t row)
{
    for (int32_t k = 0; k < b->n_columns; k++) {
        cq_status const st = put(b, k, row);
        if (st != CQ_OK) return st;
    }
    return CQ_OK;
}

static void check_vec(const wf_column *c, const cq_vec *v, int64_t from, int64_t n)
{
    size_t const width = cq_type_facts(c->type)->width;
    CQT_EQ_I(v->type, c->type);
    for (int64_t i = 0; i < n; i++) {
        bool const null = v->shape == CQ_VEC_CONST ? v->is_null : v->validity && !v->validity[i];
        CQT(null == !c->validity[from + i]);
        if (null) continue;
        cq_span const want = width ? cq_span_of(c->values + (size_t)(from + i) * width, width) : wf_span(c, from + i);
        cq_span const got = width ? cq_span_of((const uint8_t *)v->values + (size_t)i * width, width) : v->spans[i];
        CQT_EQ_U(got.n, want.n);
        CQT_EQ_MEM(got.p, want.p, want.n);
    }
}

/* The columns of the chunk, rows [from, ...) of the table, in just the promised scratch. */
static void check_chunk(bench *b, int64_t from, int64_t n, cq_vec *vecs)
{
    size_t block = CQ_ARENA_HEADER;
    for (int32_t k = 0; k < b->n_columns; k++) block += (size_t)n * cq_stage_row_bytes(b->s, k) + CQ_STAGE_EXTRA;
    cq_arena_reset(&b->arena);
    cq_arena_init(&b->arena, &b->mem, block);
    uint64_t const before = cq_mem_used(&b->mem);
    for (int32_t k = 0; k < b->n_columns; k++) {
        CQT_OK(cq_stage_vec(b->s, k, &b->arena, &vecs[k], &b->e), &b->e);
        check_vec(&b->t.c[b->columns[k]], &vecs[k], from, n);
    }
    CQT(cq_mem_used(&b->mem) <= before + cq_mem_charge_of(block));
}

/* All rows in, each chunk looked at; the chunks' rows. */
static int64_t fill(bench *b, size_t max_bytes, int32_t chunk_rows, int32_t *rows)
{
    int64_t n_chunks = 0;
    cq_vec vecs[WF_MAX_COLUMNS];
    for (int64_t row = 0; row < b->t.n_rows;) {
        int64_t const from = row;
        CQT_OK(cq_stage_begin_chunk(b->s, &b->e), &b->e);
        for (bool full = false; row < b->t.n_rows && !full; row++) {
            if (cqt_rand_below(50) == 0 && row + 1 < b->t.n_rows) { /* a row that comes to nothing */
                for (int32_t k = 0; k <= (int32_t)(row % b->n_columns); k++) CQT_OK(put(b, k, row), &b->e);
                cq_stage_abort_row(b->s);
            }
            CQT_OK(put_row(b, row), &b->e);
            full = cq_stage_end_row(b->s);
            CQT_MSG(cq_stage_bytes(b->s) <= max_bytes, "%zu bytes of %zu at row %lld", cq_stage_bytes(b->s), max_bytes, (long long)row);
        }
        rows[n_chunks] = (int32_t)(row - from);
        CQT_EQ_I(cq_stage_rows(b->s), row - from);
        CQT(row - from <= chunk_rows);
        check_chunk(b, from, row - from, vecs);
        n_chunks++;
    }
    return n_chunks;
}

static void read_back(bench *b, size_t max_bytes, const int32_t *rows, int64_t n_chunks)
{
    cq_vec vecs[WF_MAX_COLUMNS];
    int64_t from = 0;
    int32_t n;
    cq_stage_rewind(b->s);
    for (int64_t i = 0; i < n_chunks; i++) {
        CQT_OK(cq_stage_next_chunk(b->s, &n, &b->e), &b->e);
        CQT_EQ_I(n, rows[i]);
        check_chunk(b, from, n, vecs);
        CQT(cq_stage_bytes(b->s) <= max_bytes);
        from += n;
    }
    CQT_EQ_I(from, b->t.n_rows);
    for (int i = 0; i < 2; i++) {
        CQT_OK(cq_stage_next_chunk(b->s, &n, &b->e), &b->e);
        CQT_EQ_I(n, 0);
    }
}

/* -- chunks ---------------------------------------------------------------------------------------------------------- */

static void chunks_come_back(void)
{
    int32_t *rows = wf_alloc(4000 * sizeof *rows);
    for (int round = 0; round < 60; round++) {
        bench b;
        memset(&b, 0, sizeof b);
        make_table(&b.t, 1 + (int32_t)cqt_rand_below(9), 1 + (int64_t)cqt_rand_below(round % 3 ? 300 : 4000), 300);
        bench_open(&b, UINT64_C(16) << 20, "/tmp");
        for (int32_t i = b.n_columns - 1; i > 0; i--) { /* some of the columns, in any order */
            int32_t const k = (int32_t)cqt_rand_below((uint64_t)i + 1), c = b.columns[k];
            b.columns[k] = b.columns[i];
            b.columns[i] = c;
        }
        b.n_columns = 1 + (int32_t)cqt_rand_below((uint64_t)b.n_columns);
        size_t const max_bytes = round % 2 ? 100000 + cqt_rand_below(60000) : cq_stage_room(b.plan);
        int32_t const chunk_rows = 2 + (int32_t)cqt_rand_below(500);
        CQT_OK(cq_stage_open(&b.s, b.w, b.columns, b.n_columns, chunk_rows, max_bytes, &b.e), &b.e);
        int64_t const n = fill(&b, max_bytes, chunk_rows, rows);
        read_back(&b, max_bytes, rows, n);
        read_back(&b, max_bytes, rows, n); /* and once more */
        CQT_STATUS(cq_stage_begin_chunk(b.s, &b.e), CQ_ESTATE);
        bench_close(&b);
        wf_table_free(&b.t);
    }
    free(rows);
}

/* What is enough for one chunk needs no log, whatever the directory. */
static void one_chunk_stays_where_it_is(void)
{
    int32_t rows[4];
    bench b;
    memset(&b, 0, sizeof b);
    make_table(&b.t, 4, 100, 20);
    bench_open(&b, UINT64_C(16) << 20, "/no such directory");
    size_t const room = cq_stage_room(b.plan);
    CQT_OK(cq_stage_open(&b.s, b.w, b.columns, b.n_columns, 200, room, &b.e), &b.e);
    CQT_EQ_I(fill(&b, room, 200, rows), 1);
    CQT(cq_stage_bytes(b.s) < CQ_SPILL_BLOCK);
    read_back(&b, room, rows, 1);
    cq_stage_free(b.s);
    CQT_OK(cq_stage_open(&b.s, b.w, b.columns, b.n_columns, 200, room, &b.e), &b.e); /* no rows, no chunk */
    int32_t n;
    CQT_STATUS(cq_stage_next_chunk(b.s, &n, &b.e), CQ_ESTATE);
    cq_stage_rewind(b.s);
    CQT_OK(cq_stage_next_chunk(b.s, &n, &b.e), &b.e);
    CQT_EQ_I(n, 0);
    bench_close(&b);
    wf_table_free(&b.t);
}

static void a_stage_of_one_row(void)
{
    cq_vec vecs[WF_MAX_COLUMNS];
    bench b;
    memset(&b, 0, sizeof b);
    make_table(&b.t, 6, 2, 1000);
    bench_open(&b, UINT64_C(16) << 20, "/tmp");
    CQT_OK(cq_stage_open(&b.s, b.w, b.columns, b.n_columns, 1, 20000, &b.e), &b.e);
    CQT_OK(cq_stage_begin_chunk(b.s, &b.e), &b.e);
    CQT_OK(put_row(&b, 0), &b.e);
    CQT(cq_stage_end_row(b.s));
    check_chunk(&b, 0, 1, vecs);
    CQT_STATUS(cq_stage_begin_chunk(b.s, &b.e), CQ_ESTATE);
    check_chunk(&b, 0, 1, vecs);
    bench_close(&b);
    wf_table_free(&b.t);
}

/* -- memory ---------------------------------------------------------------------------------------------------------- */

/* As whoever writes columns does it: a quarter of the room is the arena's, and as many rows a chunk as that holds. */
static int32_t rows_of_arena(const bench *b, size_t arena)
{
    size_t row = 0, used = CQ_ARENA_HEADER;
    for (int32_t i = 0; i < b->t.n_columns; i++) {
        row += cq_type_facts(b->t.c[i].type)->width ? cq_type_facts(b->t.c[i].type)->width : sizeof(cq_span);
        used += CQ_STAGE_EXTRA;
    }
    return cq_i32(cq_min_i64(4096, cq_i64((arena - used) / row)));
}

/* Writes the table as one call of columns does, by way of a stage; false: a row is too large for that. */
static bool write_staged(bench *b)
{
    size_t const room = cq_stage_room(b->plan), arena_bytes = room / 4, max_bytes = room - arena_bytes;
    cq_vec vecs[WF_MAX_COLUMNS];
    cq_batch batch = {.columns = vecs};
    int64_t row = 0;
    bool fits = true;
    CQT_OK(cq_stage_open(&b->s, b->w, b->columns, b->n_columns, rows_of_arena(b, arena_bytes), max_bytes, &b->e), &b->e);
    CQT_OK(cq_writer_begin_checks(b->w, &b->e), &b->e);
    cq_arena_init(&b->arena, &b->mem, arena_bytes);
    while (row < b->t.n_rows && fits) {
        CQT_OK(cq_stage_begin_chunk(b->s, &b->e), &b->e);
        for (bool full = false; row < b->t.n_rows && !full; row++) {
            cq_status const st = put_row(b, row);
            if (st == CQ_ELIMIT) cq_stage_abort_row(b->s), fits = false;
            if (st == CQ_ELIMIT) break;
            CQT_OK(st, &b->e);
            full = cq_stage_end_row(b->s);
            CQT(cq_stage_bytes(b->s) <= max_bytes);
        }
        batch.n_rows = cq_stage_rows(b->s);
        for (int32_t k = 0; k < b->n_columns; k++) CQT_OK(cq_stage_vec(b->s, k, &b->arena, &vecs[k], &b->e), &b->e);
        CQT_OK(cq_writer_check_batch(b->w, &batch, &b->e), &b->e);
        cq_arena_clear(&b->arena);
    }
    cq_writer_end_checks(b->w);
    cq_stage_rewind(b->s);
    while (fits) {
        int32_t n;
        CQT_OK(cq_stage_next_chunk(b->s, &n, &b->e), &b->e);
        if (n == 0) break;
        batch.n_rows = n;
        for (int32_t k = 0; k < b->n_columns; k++) CQT_OK(cq_stage_vec(b->s, k, &b->arena, &vecs[k], &b->e), &b->e);
        CQT_OK(cq_writer_write_checked(b->w, &batch, &b->e), &b->e);
        cq_arena_clear(&b->arena);
    }
    cq_arena_reset(&b->arena);
    cq_stage_free(b->s);
    b->s = NULL;
    return fits;
}

/* Same values, same bytes, by rows and by stages, at the smallest limit and above, for any schema and values up to what a
 * row may have; what was checked never fails for memory. */
static void files_of_stages_and_of_rows(void)
{
    int n_staged = 0, n_refused = 0;
    for (int round = 0; round < 40; round++) {
        bench b;
        memset(&b, 0, sizeof b);
        make_table(&b.t, 1 + (int32_t)cqt_rand_below(round % 4 ? 8 : WF_MAX_COLUMNS), 1 + (int64_t)cqt_rand_below(3000), round % 3 ? 100 : 20000);
        cq_writer_opts const o = {.codec = CQ_CODEC_SNAPPY, .level = CQ_LEVEL_DEFAULT, .spill_dir = "/tmp"};
        uint64_t const limit = wf_least_of(&b.t, &o) + (round % 2 ? 0 : cqt_rand_below(UINT64_C(4) << 20));
        wf_step const steps[] = {{WF_ROWS, 0, b.t.n_rows}, {WF_ROWS, 0, b.t.n_rows}, {WF_END_OF_STEPS, 0, 0}};
        bench_open(&b, limit, "/tmp");
        wf_run rows = wf_new(&b.t, steps, b.mem.limit);
        rows.o.codec = CQ_CODEC_SNAPPY;
        if (wf_go(&rows) != CQ_OK) { /* a row that no route takes */
            CQT_EQ_I(rows.err.code, CQ_ELIMIT);
        } else if (write_staged(&b) && write_staged(&b)) {
            CQT_OK(cq_writer_close(b.w, NULL, 0, &b.e), &b.e);
            CQT_EQ_U(b.sink.len, rows.sink.len);
            CQT_EQ_MEM(b.sink.data, rows.sink.data, b.sink.len);
            n_staged++;
        } else {
            CQT_IN_STR(b.e.msg, " in one call of write_columns; write_rows takes up to ");
            n_refused++;
        }
        bench_close(&b);
        wf_free(&rows);
        wf_table_free(&b.t);
    }
    CQT_MSG(n_staged > 10, "%d staged, %d refused", n_staged, n_refused);
}

/* Any schema that a writer takes can be staged. */
static void every_schema_at_its_least_limit(void)
{
    for (int round = 0; round < 60; round++) {
        bench b;
        memset(&b, 0, sizeof b);
        int32_t const n = 1 + (int32_t)cqt_rand_below(WF_MAX_COLUMNS);
        wf_table_init(&b.t, 3);
        for (int32_t i = 0; i < n; i++) {
            cq_type const type = round < 4 ? (round % 2 ? CQ_STRING : CQ_FIXED) : (cq_type)cqt_rand_below(CQ_N_TYPES);
            (void)wf_table_add_sized(&b.t, type, cqt_rand_below(2), 1 + (int32_t)cqt_rand_below(cqt_rand_below(6) ? 40 : 60000), type == CQ_DECIMAL32 ? 9 : type == CQ_DECIMAL64 ? 18 : 38);
        }
        for (int64_t row = 0; row < 3; row++)
            for (int32_t i = 0; i < n; i++) wf_set_int(&b.t, i, row, row);
        bench_open(&b, 0, "/tmp");
        CQT_MSG(write_staged(&b), "%d columns: %s", (int)n, b.e.msg);
        CQT_OK(cq_writer_close(b.w, NULL, 0, &b.e), &b.e);
        bench_close(&b);
        wf_table_free(&b.t);
    }
}

static void rows_that_are_too_large(void)
{
    bench b;
    memset(&b, 0, sizeof b);
    wf_table_init(&b.t, 1);
    (void)wf_table_add(&b.t, CQ_BINARY, false);
    (void)wf_table_add(&b.t, CQ_STRING, false);
    wf_set_int(&b.t, 0, 0, 1);
    wf_set_int(&b.t, 1, 0, 2);
    bench_open(&b, 0, "/tmp");
    size_t const max_bytes = cq_stage_room(b.plan) / 4 * 3;
    CQT_OK(cq_stage_open(&b.s, b.w, b.columns, 2, 100, max_bytes, &b.e), &b.e);
    CQT_OK(cq_stage_begin_chunk(b.s, &b.e), &b.e);
    cq_colbuf *x = cq_stage_column(b.s, 0), *y = cq_stage_column(b.s, 1);
    size_t most = 0; /* the largest value that it takes, by halves */
    uint8_t *bytes = wf_alloc(b.plan->max_value_bytes + 1);
    for (size_t lo = 0, hi = b.plan->max_value_bytes + 1; hi - lo > 1;) {
        most = lo + (hi - lo) / 2;
        cq_status const st = cq_colbuf_put_bytes(x, bytes, most, &b.e);
        CQT(st == CQ_OK || st == CQ_ELIMIT);
        if (st == CQ_ELIMIT) {
            char text[64];
            (void)snprintf(text, sizeof text, " in one call of write_columns; write_rows takes up to %zu bytes", b.plan->max_value_bytes);
            CQT_IN_STR(b.e.msg, text);
            CQT_IN_STR(b.e.msg, "a value of ");
        }
        cq_stage_abort_row(b.s);
        if (st == CQ_OK)
            lo = most;
        else
            hi = most;
        most = lo;
    }
    CQT(most > 1000 && most < b.plan->max_value_bytes);
    for (int i = 0; i < 200; i++) {
        CQT_OK(cq_colbuf_put_bytes(x, bytes, most - most / 4, &b.e), &b.e);
        CQT_STATUS(cq_colbuf_put_bytes(y, bytes, most / 2, &b.e), CQ_ELIMIT);
        CQT_IN_STR(b.e.msg, "a row of ");
        CQT_IN_STR(b.e.msg, "write_rows takes up to");
        CQT_OK(cq_colbuf_put_bytes(y, bytes, most / 4, &b.e), &b.e);
        CQT(cq_stage_bytes(b.s) <= max_bytes);
        if (cq_stage_end_row(b.s)) CQT_OK(cq_stage_begin_chunk(b.s, &b.e), &b.e);
        CQT(cq_stage_bytes(b.s) <= max_bytes);
    }
    free(bytes);
    bench_close(&b);
    wf_table_free(&b.t);
}

static void memory_that_is_too_little(void)
{
    bench b;
    memset(&b, 0, sizeof b);
    make_table(&b.t, 5, 3, 10);
    bench_open(&b, UINT64_C(16) << 20, "/tmp");
    uint64_t const before = cq_mem_used(&b.mem);
    bool opened = false;
    for (size_t n = 0; n < 120000; n += 997) {
        cq_status const st = cq_stage_open(&b.s, b.w, b.columns, b.n_columns, 10, n, &b.e);
        CQT(st == CQ_OK || st == CQ_EBUDGET);
        CQT((b.s != NULL) == (st == CQ_OK) && st == (opened ? CQ_OK : st));
        opened = st == CQ_OK;
        if (opened) CQT(cq_stage_bytes(b.s) <= n);
        if (!opened) CQT(b.e.needed > b.e.limit);
        cq_stage_free(b.s);
        b.s = NULL;
        CQT_EQ_U(cq_mem_used(&b.mem), before);
    }
    CQT(opened);
    bench_close(&b);
    wf_table_free(&b.t);
}

/* -- faults ---------------------------------------------------------------------------------------------------------- */

/* A failed call can be made again, and nothing is lost. */
static void every_request_may_fail(void)
{
    wf_table t;
    make_table(&t, 5, 400, 100);
    for (uint64_t fail = 1;; fail++) {
        bench b;
        memset(&b, 0, sizeof b);
        b.t = t;
        bench_open(&b, UINT64_C(16) << 20, "/tmp");
        cq_vec vecs[WF_MAX_COLUMNS];
        int32_t rows[400], n;
        int64_t n_chunks = 0, from = 0;
        bool failed = false;
#define AGAIN(call)                                                                                                    \
    do {                                                                                                               \
        cq_status st_ = (call);                                                                                        \
        if (st_ == CQ_ENOMEM) {                                                                                        \
            CQT(!failed);                                                                                              \
            failed = true;                                                                                             \
            st_ = (call);                                                                                              \
        }                                                                                                              \
        CQT_OK(st_, &b.e);                                                                                             \
    } while (0)
        b.mem.fail_at = b.mem.n_requests + fail;
        AGAIN(cq_stage_open(&b.s, b.w, b.columns, b.n_columns, 60, 110000, &b.e));
        for (int64_t row = 0; row < t.n_rows;) {
            AGAIN(cq_stage_begin_chunk(b.s, &b.e));
            int64_t const start = row;
            for (bool full = false; row < t.n_rows && !full; row++) {
                cq_status const st = put_row(&b, row);
                if (st == CQ_ENOMEM) {
                    failed = true;
                    cq_stage_abort_row(b.s);
                    CQT_OK(put_row(&b, row), &b.e);
                } else {
                    CQT_OK(st, &b.e);
                }
                full = cq_stage_end_row(b.s);
            }
            rows[n_chunks++] = (int32_t)(row - start);
        }
        cq_stage_rewind(b.s);
        for (int64_t i = 0; i < n_chunks; i++) {
            AGAIN(cq_stage_next_chunk(b.s, &n, &b.e));
            CQT_EQ_I(n, rows[i]);
            bool const before = failed;
            uint64_t const at = b.mem.fail_at;
            b.mem.fail_at = 0;
            check_chunk(&b, from, n, vecs);
            b.mem.fail_at = before ? 0 : at > b.mem.n_requests ? at : b.mem.n_requests + 1;
            from += n;
        }
        CQT_EQ_I(from, t.n_rows);
        bool const more = failed;
        bench_close(&b);
        if (!more) break;
    }
    wf_table_free(&t);
}

/* The descriptor of an unlinked file of this process; -1: none. */
static int unlinked_file(void)
{
    int found = -1;
    DIR *d = opendir("/proc/self/fd");
    CQT(d != NULL);
    for (struct dirent *f; (f = readdir(d));) {
        char path[64], target[512];
        (void)snprintf(path, sizeof path, "/proc/self/fd/%.20s", f->d_name);
        ssize_t const n = readlink(path, target, sizeof target - 1);
        if (n <= 0) continue;
        target[n] = '\0';
        if (strstr(target, "(deleted)") && !strstr(target, "memfd")) found = atoi(f->d_name);
    }
    closedir(d);
    return found;
}

static void files_that_fail(void)
{
    wf_table t;
    wf_table_init(&t, 3000);
    (void)wf_table_add(&t, CQ_STRING, true);
    for (int64_t row = 0; row < 3000; row++) {
        char text[120];
        int const n = snprintf(text, sizeof text, "%0100d", (int)row);
        wf_set(&t, 0, row, row % 10 ? text : NULL, (size_t)n);
    }
    for (int damage = 0; damage < 4; damage++) {
        static int32_t rows[3000];
        bench b;
        memset(&b, 0, sizeof b);
        b.t = t;
        bench_open(&b, UINT64_C(16) << 20, damage == 0 ? "/no such directory" : "/tmp");
        CQT_OK(cq_stage_open(&b.s, b.w, b.columns, 1, 100, 100000, &b.e), &b.e);
        if (damage == 0) { /* there is no file: what was put stays, and the call says why */
            cq_status st = CQ_OK;
            for (int64_t row = 0; row < 3000 && st == CQ_OK; row++) {
                CQT_OK(put_row(&b, row), &b.e);
                if (cq_stage_end_row(b.s)) st = cq_stage_begin_chunk(b.s, &b.e);
            }
            CQT_EQ_I(st, CQ_EIO);
            CQT_IN_STR(b.e.msg, "/no such directory");
            CQT_STATUS(cq_stage_begin_chunk(b.s, &b.e), CQ_EIO);
        } else {
            int64_t const n = fill(&b, 100000, 100, rows);
            int const fd = unlinked_file();
            CQT(n > 10 && fd >= 0);
            uint8_t bad[64];
            memset(bad, 0xFF, sizeof bad);
            if (damage == 1) CQT(ftruncate(fd, 50000) == 0);
            if (damage == 2) CQT(pwrite(fd, bad, 4, 0) == 4);   /* the number of rows */
            if (damage == 3) CQT(pwrite(fd, bad, 64, 400) == 64); /* a length among the values */
            cq_status st = CQ_OK;
            cq_arena_reset(&b.arena);
            cq_stage_rewind(b.s);
            for (int64_t i = 0; i < n && st == CQ_OK; i++) {
                int32_t rows_now;
                cq_vec v;
                st = cq_stage_next_chunk(b.s, &rows_now, &b.e);
                cq_arena_init(&b.arena, &b.mem, 4096);
                if (st == CQ_OK) st = cq_stage_vec(b.s, 0, &b.arena, &v, &b.e);
                cq_arena_reset(&b.arena);
            }
            CQT_EQ_I(st, CQ_EIO);
            CQT_IN_STR(b.e.msg, "temporary file");
        }
        bench_close(&b);
    }
    wf_table_free(&t);
}

void test_stage(void)
{
    CQT_RUN(chunks_come_back);
    CQT_RUN(one_chunk_stays_where_it_is);
    CQT_RUN(a_stage_of_one_row);
    CQT_RUN(files_of_stages_and_of_rows);
    CQT_RUN(every_schema_at_its_least_limit);
    CQT_RUN(rows_that_are_too_large);
    CQT_RUN(memory_that_is_too_little);
    CQT_RUN(every_request_may_fail);
    CQT_RUN(files_that_fail);
}
