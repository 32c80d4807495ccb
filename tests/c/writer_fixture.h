/* What the tests of the writer share: tables of test data, a sink in memory, and a player that drives a writer through
 * a list of steps, with faults, with repeated calls after a fault, and with a check of every promise that holds for
 * any run (who frees, who finishes, who aborts). Memory of tables and sinks is malloc'ed: it is no part of a budget.
 *
 * With CCPQ_TEST_DUMP=<directory> every file that wf_dump sees is kept there beside a text of its values, for looking
 * at outputs with other readers. */
#ifndef CQ_WRITER_FIXTURE_H
#define CQ_WRITER_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "write/writer_int.h"

#include "cqtest.h"

#define WF_MAX_COLUMNS 48

/* -- tables ---------------------------------------------------------------------------------------------------------- */

typedef struct wf_column {
    cq_type type;
    bool optional;
    uint8_t *values;   /* fixed width: one slot a row, zero for nulls; byte arrays: the bytes */
    int64_t *offsets;  /* byte arrays: n_rows + 1 */
    cq_span *spans;    /* byte arrays: made by wf_vec from the offsets */
    uint8_t *validity; /* always there */
    int32_t fixed_bytes, precision, scale; /* as the schema has them */
    size_t bytes, cap;
} wf_column;

typedef struct wf_table {
    int32_t n_columns;
    int64_t n_rows, cap_rows;
    wf_column c[WF_MAX_COLUMNS];
} wf_table;

static inline void *wf_alloc(size_t n)
{
    void *p = calloc(1, n ? n : 1);
    CQT(p != NULL);
    return p;
}

static inline void wf_table_init(wf_table *t, int64_t cap_rows)
{
    memset(t, 0, sizeof *t);
    t->cap_rows = cap_rows;
}

/* `fixed_bytes` is for CQ_FIXED, `precision` for decimals, whose scale is a third of it. */
static inline int32_t wf_table_add_sized(wf_table *t, cq_type type, bool optional, int32_t fixed_bytes, int32_t precision)
{
    CQT(t->n_columns < WF_MAX_COLUMNS);
    wf_column *c = &t->c[t->n_columns];
    size_t const rows = (size_t)t->cap_rows;
    c->type = type;
    c->optional = optional;
    c->validity = wf_alloc(rows);
    if (type == CQ_FIXED) c->fixed_bytes = fixed_bytes;
    if (type == CQ_UUID) c->fixed_bytes = 16;
    if (type == CQ_FLOAT16) c->fixed_bytes = 2;
    if (type == CQ_DECIMAL128) c->fixed_bytes = cq_decimal_bytes(precision);
    if (cq_type_facts(type)->logical == CQ_PQ_LOGICAL_DECIMAL) {
        CQT_EQ_I(cq_type_of_decimal(precision), type);
        c->precision = precision;
        c->scale = precision / 3;
    }
    if (cq_type_facts(type)->width) {
        c->values = wf_alloc(rows * cq_type_facts(type)->width);
    } else {
        c->offsets = wf_alloc((rows + 1) * sizeof *c->offsets);
        c->spans = wf_alloc(rows * sizeof *c->spans);
    }
    return t->n_columns++;
}

static inline int32_t wf_table_add(wf_table *t, cq_type type, bool optional)
{
    return wf_table_add_sized(t, type, optional, 6, type == CQ_DECIMAL32 ? 9 : type == CQ_DECIMAL64 ? 18 : 25);
}

static inline void wf_table_free(wf_table *t)
{
    for (int32_t i = 0; i < t->n_columns; i++) {
        free(t->c[i].values);
        free(t->c[i].offsets);
        free(t->c[i].spans);
        free(t->c[i].validity);
    }
    memset(t, 0, sizeof *t);
}

/* The value of the next row of a column; p NULL: null. Rows are filled column by column, in order. */
static inline void wf_set(wf_table *t, int32_t column, int64_t row, const void *p, size_t n)
{
    wf_column *c = &t->c[column];
    size_t const width = cq_type_facts(c->type)->width;
    CQT(row < t->cap_rows);
    c->validity[row] = p != NULL;
    if (width) {
        if (p) memcpy(c->values + (size_t)row * width, p, width);
    } else {
        if (!p) n = 0;
        if (p && c->fixed_bytes) CQT_EQ_U(n, (size_t)c->fixed_bytes);
        if (c->bytes + n > c->cap) {
            c->cap = c->cap * 2 + n + 64;
            c->values = realloc(c->values, c->cap);
            CQT(c->values != NULL);
        }
        if (n) memcpy(c->values + c->bytes, p, n);
        c->offsets[row] = (int64_t)c->bytes;
        c->bytes += n;
        c->offsets[row + 1] = (int64_t)c->bytes;
    }
    if (row >= t->n_rows) t->n_rows = row + 1;
}

/* A fixed-length value made from a number: big-endian with its sign, for decimals; with bytes of its own before it, which
 * depend on it, for the others; float16: its low bits. */
static inline void wf_fixed_of(const wf_column *c, int64_t v, uint8_t *to)
{
    size_t const n = (size_t)c->fixed_bytes;
    uint64_t x = (uint64_t)v;
    if (c->type == CQ_FLOAT16) {
        cq_store16(to, cq_low16(x));
        return;
    }
    bool const decimal = c->type == CQ_DECIMAL128;
    for (size_t i = n; i > 0; i--, x >>= 8) {
        to[i - 1] = cq_low8(x);
        if (n - i >= 7) x = decimal ? (v < 0 ? UINT64_MAX : 0) : (x >> 8 | 1) * UINT64_C(0x9E3779B97F4A7C15) << 8;
    }
}

static inline void wf_set_int(wf_table *t, int32_t column, int64_t row, int64_t v)
{
    int32_t const w = cq_wrap_i32(cq_low32((uint64_t)v));
    uint8_t const b = v != 0;
    float const f = (float)v;
    double const d = (double)v;
    char text[32];
    const wf_column *c = &t->c[column];
    const cq_type_info *info = cq_type_facts(c->type);
    if (c->fixed_bytes) {
        uint8_t *bytes = wf_alloc((size_t)c->fixed_bytes);
        wf_fixed_of(c, v, bytes);
        wf_set(t, column, row, bytes, (size_t)c->fixed_bytes);
        free(bytes);
    } else if (info->width == 0)
        wf_set(t, column, row, text, (size_t)snprintf(text, sizeof text, "value %lld", (long long)v));
    else if (info->width == 1)
        wf_set(t, column, row, &b, 1);
    else if (info->is_float)
        wf_set(t, column, row, info->width == 4 ? (const void *)&f : (const void *)&d, 0);
    else
        wf_set(t, column, row, info->width == 4 ? (const void *)&w : (const void *)&v, 0);
}

/* A value of any type within the type's range: times of a day, decimals of as many digits as wf_table_add gives. */
static inline int64_t wf_in_range(cq_type type, uint64_t x)
{
    const cq_type_info *f = cq_type_facts(type);
    static const int64_t day[] = {[CQ_UNIT_MS] = 86400000, [CQ_UNIT_US] = 86400000000, [CQ_UNIT_NS] = 86400000000000};
    if (f->logical == CQ_PQ_LOGICAL_TIME) return (int64_t)(x % (uint64_t)day[f->unit]);
    if (type == CQ_DECIMAL32) return (int64_t)(x % 1999999999) - 999999999;
    if (type == CQ_DECIMAL64) return (int64_t)(x % UINT64_C(1999999999999999999)) - INT64_C(999999999999999999);
    if (f->bits == 0 || f->bits == 64) return cq_wrap_i64(x);
    uint64_t const low = x & ((UINT64_C(1) << f->bits) - 1);
    if (!f->is_signed) return cq_wrap_i64(low);
    return (int64_t)low - (int64_t)(UINT64_C(1) << (f->bits - 1));
}

/* -- the sink -------------------------------------------------------------------------------------------------------- */

typedef struct wf_sink {
    uint8_t *data;
    size_t len, cap;
    uint64_t n_writes, fail_at; /* write number fail_at fails; 0: none */
    bool fail_finish, failed;
    int finished, aborted;
} wf_sink;

static inline cq_status wf_sink_write(void *ctx, const void *p, size_t n, cq_err *e)
{
    wf_sink *s = ctx;
    CQT_MSG(!s->failed && !s->finished && !s->aborted, "a write to a sink that has failed or ended");
    if (++s->n_writes == s->fail_at) {
        s->failed = true;
        return cq_fail(e, CQ_ESINK, "the test's sink fails");
    }
    if (n > s->cap - s->len) {
        s->cap = s->cap * 2 + n;
        s->data = realloc(s->data, s->cap);
        CQT(s->data != NULL);
    }
    if (n) memcpy(s->data + s->len, p, n);
    s->len += n;
    return CQ_OK;
}

static inline cq_status wf_sink_finish(void *ctx, cq_err *e)
{
    wf_sink *s = ctx;
    CQT_MSG(!s->failed && !s->aborted, "finish of a sink that has failed");
    s->finished++;
    return s->fail_finish ? cq_fail(e, CQ_ESINK, "the test's sink does not finish") : CQ_OK;
}

static inline void wf_sink_abort(void *ctx) { ((wf_sink *)ctx)->aborted++; }

static inline cq_sink wf_sink_of(wf_sink *s)
{
    cq_sink const sink = {wf_sink_write, wf_sink_finish, wf_sink_abort, s};
    return sink;
}

/* The smallest limit that a plan for these options accepts. */
static inline uint64_t wf_least_limit(const cq_schema *s, const cq_writer_opts *o)
{
    cq_writer_opts small = *o;
    cq_sink const none = {0};
    cq_writer *w;
    cq_mem mem;
    cq_err e;
    small.memory_limit = 1;
    cq_mem_init(&mem, NULL, UINT64_C(1) << 30);
    CQT_STATUS(cq_writer_open(&w, s, &small, none, &mem, &e), CQ_EBUDGET);
    return e.needed;
}

/* A schema of the table's columns; reset and checked by wf_schema_free. */
static inline void wf_schema_make(cq_schema *s, cq_mem *mem, const wf_table *t)
{
    cq_err e;
    cq_mem_init(mem, NULL, UINT64_C(1) << 30);
    cq_schema_init(s, mem);
    for (int32_t i = 0; i < t->n_columns; i++) {
        char name[16];
        size_t const n = (size_t)snprintf(name, sizeof name, "c%d", (int)i);
        const wf_column *c = &t->c[i];
        cq_field_spec const f = {.name = name, .name_bytes = n, .type = c->type, .optional = c->optional, .fixed_bytes = c->fixed_bytes,
                                 .precision = c->precision, .scale = c->scale, .field_id = i % 3 ? i : -1};
        CQT_OK(cq_schema_add_field(s, &f, &e), &e);
    }
}

static inline void wf_schema_free(cq_schema *s, const cq_mem *mem)
{
    cq_schema_reset(s);
    CQT_EQ_U(cq_mem_used(mem), 0);
}

static inline uint64_t wf_least_of(const wf_table *t, const cq_writer_opts *o)
{
    cq_mem mem;
    cq_schema s;
    wf_schema_make(&s, &mem, t);
    uint64_t const n = wf_least_limit(&s, o);
    wf_schema_free(&s, &mem);
    return n;
}

/* -- steps ----------------------------------------------------------------------------------------------------------- */

typedef enum wf_op {
    WF_END_OF_STEPS = 0,
    WF_ROWS,     /* rows [a, b) one by one */
    WF_BATCH,    /* rows [a, b) as one flat batch */
    WF_SHAPED,   /* the same, constants and ramps where the values are */
    WF_CHECKED,  /* the same in three batches, all of which are checked before the first is written */
    WF_ABORT,    /* row a is put into the first b columns and aborted */
    WF_REFUSED,  /* row a is put whole and refused by end_row */
    WF_BEGIN,    /* an explicit group */
    WF_END,
    WF_ROLLBACK,
    WF_FLUSH
} wf_op;

typedef struct wf_step {
    wf_op op;
    int64_t a, b;
} wf_step;

typedef struct wf_run {
    /* given */
    const wf_table *table;
    const wf_step *steps;     /* ends with WF_END_OF_STEPS */
    cq_writer_opts o;         /* memory_limit: of the plan */
    uint64_t mem_limit;       /* of cq_mem; 0: the plan's */
    size_t window;            /* blocks that the two logs hold in memory; 0: as the plan says */
    uint64_t mem_fail_at, sink_fail_at, pages_fail_at, meta_fail_at, stop_at;
    bool fail_finish, retry;  /* retry: the faults go away and the failed call is made again */
    const cq_kv *kv;
    int32_t n_kv;
    /* working */
    cq_mem mem, schema_mem;
    cq_schema schema;
    cq_writer *w;
    wf_sink sink;
    uint64_t n_polls;
    cq_err err;
    int n_failures;
    struct {
        int64_t row; /* + 1 */
        uint32_t id, epoch;
    } known[WF_MAX_COLUMNS]; /* a byte array that was put before, by its id */
    /* results */
    cq_status status;
    cq_writer_info info;
    cq_column_info figures[WF_MAX_COLUMNS];
    cq_plan plan;
    uint64_t peak, n_requests;
} wf_run;

static inline wf_run wf_new(const wf_table *t, const wf_step *steps, uint64_t plan_limit)
{
    wf_run r;
    memset(&r, 0, sizeof r);
    r.table = t;
    r.steps = steps;
    r.o.codec = CQ_CODEC_SNAPPY;
    r.o.level = CQ_LEVEL_DEFAULT;
    r.o.memory_limit = plan_limit;
    r.o.spill_dir = "/tmp";
    return r;
}

static inline bool wf_should_stop(void *ctx)
{
    wf_run *r = ctx;
    return ++r->n_polls == r->stop_at;
}

static inline void wf_no_faults(wf_run *r)
{
    r->mem.fail_at = r->sink.fail_at = r->stop_at = 0;
    r->mem_fail_at = r->sink_fail_at = r->pages_fail_at = r->meta_fail_at = 0;
    if (r->w) r->w->group.pages.fail_write_at = r->w->meta.log.fail_write_at = 0;
}

/* A failed call: its record is whole. True: it is to be made again. */
static inline bool wf_again(wf_run *r, cq_status st)
{
    CQT_MSG(r->err.code == st, "status %d, but %d in the record", (int)st, (int)r->err.code);
    CQT_MSG(r->err.msg[0] != 0, "status %d without a message", (int)st);
    r->n_failures++;
    CQT_MSG(r->n_failures < 100, "a call fails again and again: %s", r->err.msg);
    if (r->w && cq_writer_error(r->w)->code != CQ_OK) {
        cq_err e;
        CQT_EQ_I(cq_writer_end_row(r->w, &e), cq_writer_error(r->w)->code);
        CQT_EQ_STR(e.msg, cq_writer_error(r->w)->msg);
        CQT_EQ_I(cq_writer_settle(r->w, &e), cq_writer_error(r->w)->code);
        CQT(cq_writer_close(r->w, NULL, 0, &e) != CQ_OK);
        return false;
    }
    if (!r->retry) return false;
    wf_no_faults(r);
    return true;
}

#define WF_DO(r, call)                                                                                                 \
    do {                                                                                                               \
        cq_status wf_st_;                                                                                              \
        while ((wf_st_ = (call)) != CQ_OK)                                                                             \
            if (!wf_again((r), wf_st_)) return wf_st_;                                                                 \
    } while (0)

static inline cq_status wf_put(wf_run *r, int64_t row, int32_t column)
{
    const wf_column *v = &r->table->c[column];
    cq_colbuf *c = cq_writer_column(r->w, column);
    size_t const width = cq_type_facts(v->type)->width;
    cq_err *e = &r->err;
    if (!v->validity[row]) return cq_colbuf_put_null(c, e);
    if (width == 4) return cq_colbuf_put_u32(c, cq_load32(v->values + (size_t)row * 4), e);
    if (width == 8) return cq_colbuf_put_u64(c, cq_load64(v->values + (size_t)row * 8), e);
    if (width == 1) return cq_colbuf_put_bool(c, v->values[row], e);
    size_t const n = (size_t)(v->offsets[row + 1] - v->offsets[row]);
    const uint8_t *p = v->values + v->offsets[row];
    if (row % 3 == 0) { /* the two-step form */
        uint8_t *to;
        CQ_TRY(cq_colbuf_reserve_bytes(c, n, &to, e));
        if (n) memcpy(to, p, n);
        return cq_colbuf_commit_bytes(c, n, e);
    }
    int64_t const before = r->known[column].row - 1;
    if (before >= 0 && r->known[column].epoch == cq_colbuf_epoch(c) && v->offsets[before + 1] - v->offsets[before] == (int64_t)n &&
        memcmp(v->values + v->offsets[before], p, n) == 0)
        return cq_colbuf_put_id(c, r->known[column].id, e);
    CQ_TRY(cq_colbuf_put_bytes(c, n ? p : NULL, n, e));
    if (row % 5 == 1 && cq_colbuf_last_id(c) != CQ_NO_ID) {
        r->known[column].row = row + 1;
        r->known[column].id = cq_colbuf_last_id(c);
        r->known[column].epoch = cq_colbuf_epoch(c);
    }
    return CQ_OK;
}

static inline cq_status wf_put_row(wf_run *r, int64_t row, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        cq_status const st = wf_put(r, row, i);
        if (st != CQ_OK) {
            cq_writer_abort_row(r->w);
            return st;
        }
    }
    return CQ_OK;
}

static inline cq_status wf_whole_row(wf_run *r, int64_t row)
{
    CQ_TRY(wf_put_row(r, row, r->table->n_columns));
    return cq_writer_end_row(r->w, &r->err);
}

static inline bool wf_is_ramp(const wf_column *c, int64_t a, int64_t b, int64_t *step)
{
    if (cq_type_facts(c->type)->physical != CQ_PQ_INT64 || !cq_type_facts(c->type)->is_signed || b - a < 2) return false;
    for (int64_t i = a; i < b; i++)
        if (!c->validity[i]) return false;
    int64_t v[2];
    memcpy(v, c->values + a * 8, 16);
    if (__builtin_sub_overflow(v[1], v[0], step)) return false;
    int64_t want = v[1], got;
    for (int64_t i = a + 2; i < b; i++) {
        if (!cq_add_i64(want, *step, &want)) return false;
        memcpy(&got, c->values + i * 8, 8);
        if (got != want) return false;
    }
    return true;
}

static inline cq_span wf_span(const wf_column *c, int64_t row)
{
    return cq_span_of(c->values + c->offsets[row], (size_t)(c->offsets[row + 1] - c->offsets[row]));
}

/* Spans of rows [a, b); `shared`: equal values have equal pointers, as those of a dictionary do. Nulls are not to be
 * looked at. */
static inline const cq_span *wf_spans(const wf_column *c, int64_t a, int64_t b, bool shared)
{
    enum { KNOWN = 64 };
    cq_span known[KNOWN];
    memset(known, 0, sizeof known);
    for (int64_t i = a; i < b; i++) {
        if (!c->validity[i]) {
            c->spans[i] = cq_span_of((const void *)(uintptr_t)1, SIZE_MAX);
            continue;
        }
        cq_span const v = wf_span(c, i);
        c->spans[i] = v;
        if (!shared || v.n == 0) continue;
        cq_span *k = &known[(v.p[0] * 3u + v.p[v.n - 1] * 5u + v.n) % KNOWN];
        if (k->n == v.n && memcmp(k->p, v.p, v.n) == 0)
            c->spans[i] = *k;
        else
            *k = v;
    }
    return c->spans + a;
}

static inline cq_vec wf_vec(const wf_column *c, int64_t a, int64_t b, bool shaped)
{
    size_t const width = cq_type_facts(c->type)->width;
    bool nulls = false, same = true;
    for (int64_t i = a; i < b; i++) {
        nulls = nulls || !c->validity[i];
        same = same && c->validity[i] == c->validity[a];
        if (same && width && c->validity[a]) same = memcmp(c->values + (size_t)i * width, c->values + (size_t)a * width, width) == 0;
        if (same && !width && c->validity[a]) {
            cq_span const x = wf_span(c, i), y = wf_span(c, a);
            same = x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
        }
    }
    int64_t step;
    if (shaped && same && !c->validity[a]) return cq_vec_null(c->type);
    if (shaped && same && width) return cq_vec_const(c->type, cq_span_of(c->values + (size_t)a * width, width));
    if (shaped && same) return cq_vec_const(c->type, wf_span(c, a));
    if (shaped && wf_is_ramp(c, a, b, &step)) {
        int64_t start;
        memcpy(&start, c->values + (size_t)a * 8, 8);
        return cq_vec_ramp_of(c->type, start, step);
    }
    const uint8_t *validity = nulls ? c->validity + a : NULL;
    if (width) return cq_vec_flat(c->type, c->values + (size_t)a * width, validity);
    cq_vec v = cq_vec_spans(c->type, wf_spans(c, a, b, shaped), validity);
    v.repeats = shaped;
    return v;
}

static inline cq_status wf_batch(wf_run *r, int64_t a, int64_t b, bool shaped)
{
    cq_vec v[WF_MAX_COLUMNS];
    if (b <= a) return CQ_OK;
    for (int32_t i = 0; i < r->table->n_columns; i++) v[i] = wf_vec(&r->table->c[i], a, b, shaped);
    cq_batch const batch = {.n_rows = b - a, .columns = v};
    return cq_writer_write_batch(r->w, &batch, &r->err);
}

static inline cq_status wf_checked(wf_run *r, int64_t a, int64_t b)
{
    int64_t const cut[] = {a, a + (b - a) / 4, a + (b - a) / 4, b - (b - a) / 3, b};
    cq_status st = cq_writer_begin_checks(r->w, &r->err);
    for (int pass = 0; st == CQ_OK && pass < 2; pass++) {
        for (int k = 0; st == CQ_OK && k < 4; k++) { /* one of them empty */
            cq_vec v[WF_MAX_COLUMNS];
            for (int32_t i = 0; i < r->table->n_columns; i++) v[i] = wf_vec(&r->table->c[i], cut[k], cut[k + 1], k % 2);
            cq_batch const batch = {.n_rows = cut[k + 1] - cut[k], .columns = v};
            st = pass ? cq_writer_write_checked(r->w, &batch, &r->err) : cq_writer_check_batch(r->w, &batch, &r->err);
        }
        if (pass == 0) cq_writer_end_checks(r->w);
    }
    return st;
}

static inline cq_status wf_play(wf_run *r)
{
    cq_writer *w = r->w;
    for (const wf_step *s = r->steps; s->op != WF_END_OF_STEPS; s++) switch (s->op) {
        case WF_ROWS:
            for (int64_t i = s->a; i < s->b; i++) {
                WF_DO(r, wf_whole_row(r, i));
                if (cq_writer_due(w)) WF_DO(r, cq_writer_settle(w, &r->err));
            }
            break;
        case WF_BATCH:
        case WF_SHAPED: WF_DO(r, wf_batch(r, s->a, s->b, s->op == WF_SHAPED)); break;
        case WF_CHECKED: WF_DO(r, wf_checked(r, s->a, s->b)); break;
        case WF_ABORT:
            WF_DO(r, wf_put_row(r, s->a, (int32_t)s->b));
            cq_writer_abort_row(w);
            break;
        case WF_REFUSED:
            WF_DO(r, wf_put_row(r, s->a, r->table->n_columns));
            CQT_STATUS(cq_writer_end_row(w, &r->err), CQ_EVALUE);
            break;
        case WF_BEGIN: WF_DO(r, cq_writer_begin_group(w, &r->err)); break;
        case WF_END: WF_DO(r, cq_writer_end_group(w, &r->err)); break;
        case WF_ROLLBACK: cq_writer_rollback_group(w); break;
        case WF_FLUSH: WF_DO(r, cq_writer_flush_group(w, &r->err)); break;
        case WF_END_OF_STEPS:
        default: CQT_FAIL("no such step");
        }
    WF_DO(r, cq_writer_close(w, r->kv, r->n_kv, &r->err));
    return CQ_OK;
}

static inline cq_status wf_open(wf_run *r)
{
    WF_DO(r, cq_writer_open(&r->w, &r->schema, &r->o, wf_sink_of(&r->sink), &r->mem, &r->err));
    r->plan = *cq_writer_plan(r->w);
    return CQ_OK;
}

/* A window of so many blocks, so that little data is spilled. */
static inline void wf_narrow(cq_spill *s, size_t blocks)
{
    if (!blocks) return;
    s->min_blocks = s->max_blocks = blocks;
    (void)cq_spill_relieve(s);
}

/* Makes the schema and opens. */
static inline cq_status wf_begin(wf_run *r)
{
    wf_schema_make(&r->schema, &r->schema_mem, r->table);
    cq_mem_init(&r->mem, NULL, r->mem_limit ? r->mem_limit : r->o.memory_limit);
    r->mem.fail_at = r->mem_fail_at;
    r->sink.fail_at = r->sink_fail_at;
    r->sink.fail_finish = r->fail_finish;
    r->o.should_stop = wf_should_stop;
    r->o.should_stop_ctx = r;
    cq_status const st = wf_open(r);
    if (st != CQ_OK) {
        CQT(r->w == NULL);
        CQT_EQ_U(r->sink.n_writes, 0);
        CQT_EQ_I(r->sink.finished + r->sink.aborted, 0);
    } else {
        wf_narrow(&r->w->group.pages, r->window);
        wf_narrow(&r->w->meta.log, r->window);
        r->w->group.pages.fail_write_at = r->pages_fail_at;
        r->w->meta.log.fail_write_at = r->meta_fail_at;
    }
    return st;
}

/* Frees the writer; the file's bytes stay in r->sink until wf_free. */
static inline void wf_finish(wf_run *r, cq_status st)
{
    r->status = st;
    bool const opened = r->w != NULL;
    if (opened) {
        cq_writer_get_info(r->w, &r->info);
        for (int32_t i = 0; i < r->table->n_columns; i++) cq_writer_get_column_info(r->w, i, &r->figures[i]);
    }
    cq_writer_free(r->w);
    r->w = NULL;
    r->peak = cq_mem_peak(&r->mem);
    r->n_requests = r->mem.n_requests;
    wf_schema_free(&r->schema, &r->schema_mem);
    CQT_EQ_U(cq_mem_used(&r->mem), 0);
    CQT(r->peak <= r->mem.limit);
    if (!opened) return;
    CQT_EQ_I(r->sink.finished, st == CQ_OK || r->fail_finish ? 1 : 0);
    CQT_EQ_I(r->sink.aborted, r->sink.finished ? 0 : 1);
    if (st != CQ_OK) return;
    CQT_EQ_I(r->info.bytes_written, (int64_t)r->sink.len);
    CQT(r->sink.len > 12 && memcmp(r->sink.data, "PAR1", 4) == 0 && memcmp(r->sink.data + r->sink.len - 4, "PAR1", 4) == 0);
}

static inline cq_status wf_go(wf_run *r)
{
    cq_status st = wf_begin(r);
    if (st == CQ_OK) st = wf_play(r);
    wf_finish(r, st);
    return st;
}

static inline void wf_must(wf_run *r)
{
    if (wf_go(r) != CQ_OK) CQT_FAIL("status %d: %s", (int)r->status, r->err.msg);
}

static inline void wf_free(wf_run *r)
{
    free(r->sink.data);
    memset(&r->sink, 0, sizeof r->sink);
}

static inline void wf_same_bytes(const char *what, const wf_run *got, const wf_run *want)
{
    size_t const n = cq_min_size(got->sink.len, want->sink.len);
    for (size_t i = 0; i < n; i++)
        if (got->sink.data[i] != want->sink.data[i]) CQT_FAIL("%s: bytes differ at %zu of %zu / %zu", what, i, got->sink.len, want->sink.len);
    CQT_MSG(got->sink.len == want->sink.len, "%s: %zu bytes, expected %zu", what, got->sink.len, want->sink.len);
}

/* Keeps a file with rows [a, b) of its table for a look from outside. */
static inline void wf_dump(const wf_run *r, const char *name, int64_t a, int64_t b)
{
    const char *dir = getenv("CCPQ_TEST_DUMP");
    if (!dir || !*dir) return;
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s.parquet", dir, name);
    FILE *f = fopen(path, "wb");
    CQT(f != NULL && fwrite(r->sink.data, 1, r->sink.len, f) == r->sink.len && fclose(f) == 0);
    (void)snprintf(path, sizeof path, "%s/%s.expect", dir, name);
    f = fopen(path, "wb");
    CQT(f != NULL);
    for (int32_t i = 0; i < r->table->n_columns; i++) {
        const wf_column *c = &r->table->c[i];
        size_t const width = cq_type_facts(c->type)->width;
        fprintf(f, "%s", cq_type_facts(c->type)->name);
        for (int64_t row = a; row < b; row++) {
            fputc(' ', f);
            if (!c->validity[row]) {
                fputc('-', f);
                continue;
            }
            const uint8_t *p = width ? c->values + (size_t)row * width : c->values + c->offsets[row];
            size_t const n = width ? width : (size_t)(c->offsets[row + 1] - c->offsets[row]);
            fputc('x', f);
            for (size_t j = 0; j < n; j++) fprintf(f, "%02x", p[j]);
        }
        fputc('\n', f);
    }
    CQT(fclose(f) == 0);
}

#endif
