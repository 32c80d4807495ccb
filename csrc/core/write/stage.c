/* The stage: builders of its own without dictionaries, whose pages go to a spillable log as they stand.
 *
 * The memory is divided once, at open: the structs, a window of the log (none for a single row), full builders (`B`),
 * and the rest for values beyond what a full builder holds, which is what a row may have. A chunk ends when a builder
 * is full, so no builder grows beyond that. The chunk that was built or read last stays in the builders: only when
 * another one follows does it go to the log. */
#include "write/stage.h"

#include "base/spill.h"
#include "format/limits.h"
#include "write/writer_int.h"

#include <stdio.h>

#define PAGE ((size_t)4096)
#define MOST_BUILDER_BYTES ((size_t)4 << 20)  /* of all builders of byte arrays together, per chunk */
#define MOST_LOG_BLOCKS ((size_t)64)
#define LEAST_COLUMN_BYTES ((size_t)64)

struct cq_stage {
    cq_mem *mem;
    const char *spill_dir;   /* the writer's */
    cq_colbuf *columns;
    int32_t n_columns;
    cq_row_meter meter;
    char advice[96];         /* behind the error of a row that is too large */
    int32_t max_rows;        /* of a chunk */
    int32_t n_rows;          /* of the chunk in the builders, whole ones */
    size_t log_blocks;       /* 0: there is only one chunk */
    cq_spill log;
    bool log_open, logged;   /* the chunk in the builders is in the log */
    int64_t n_chunks;        /* in the log */
    bool rewound;
    int64_t next_chunk, read_at;
};

/* Of one column in the log, in front of its levels and values. */
typedef struct column_head {
    int32_t n_values, has_levels;
    uint64_t bytes;
} column_head;

size_t cq_stage_room(const cq_plan *p)
{
    uint64_t const beyond = p->memory_limit > p->fixed_bytes ? p->memory_limit - p->fixed_bytes : 0;
    return p->batch_bytes + (size_t)cq_min_i64(cq_i64(beyond), INT64_C(1) << 40);
}

/* -- the division of the memory ------------------------------------------------------------------ */

typedef struct share {
    int32_t rows;
    size_t column_bytes;  /* at which a builder of byte arrays is full */
    size_t row_bytes;     /* byte arrays of one row beyond that */
    size_t log_blocks;
} share;

static cq_colbuf_opts opts_of(const cq_field *f, const share *s)
{
    cq_colbuf_opts const o = {.type = f->type, .optional = f->optional, .fixed_bytes = f->fixed_bytes, .page_rows = s->rows, .page_bytes = s->column_bytes,
                              .max_value_bytes = s->row_bytes};
    return o;
}

static size_t builder_bytes(const cq_schema *schema, const int32_t *columns, int32_t n, const share *s)
{
    size_t sum = 0;
    for (int32_t k = 0; k < n; k++) {
        cq_colbuf_opts const o = opts_of(&schema->fields[columns[k]], s);
        sum += cq_colbuf_memory(&o);
    }
    return sum;
}

static size_t struct_bytes(int32_t n) { return sizeof(cq_stage) + (size_t)n * sizeof(cq_colbuf); }

static size_t log_bytes(size_t blocks) { return blocks ? blocks * CQ_SPILL_BLOCK + (size_t)cq_mem_charge_of(2 * blocks * sizeof(void *)) : 0; }

/* Of the column's share `bytes` for byte arrays, as many rows as leave half of what is there to large values. */
static cq_status divide(share *s, const cq_schema *schema, const int32_t *columns, int32_t n, int32_t chunk_rows, size_t max_bytes, cq_err *e)
{
    size_t n_bytes = 0, n_measured = 0;
    for (int32_t k = 0; k < n; k++) {
        const cq_type_info *info = cq_type_facts(schema->fields[columns[k]].type);
        n_bytes += info->width == 0;
        n_measured += info->physical == CQ_PQ_BYTE_ARRAY;
    }
    s->log_blocks = chunk_rows > 1;
    size_t const taken = (size_t)cq_mem_charge_of(struct_bytes(n)) + log_bytes(s->log_blocks), rest = max_bytes > taken ? max_bytes - taken : 0;
    s->column_bytes = n_bytes ? cq_max_size(cq_min_size(rest / 4, MOST_BUILDER_BYTES) / n_bytes, LEAST_COLUMN_BYTES) : 0;
    s->rows = chunk_rows;
    size_t need;
    while ((need = builder_bytes(schema, columns, n, s)) > rest / 2 && s->rows > 1) s->rows /= 2;
    if (need > rest) return cq_fail_budget(e, "a row of Python values beside the batch", taken + need, max_bytes);
    size_t left = rest - need;
    if (s->log_blocks) {
        s->log_blocks += cq_min_size(left / 4 / (CQ_SPILL_BLOCK + PAGE), MOST_LOG_BLOCKS);
        left -= log_bytes(s->log_blocks) - log_bytes(1);
    }
    /* stretched builders end in a memory page that they do not fill */
    size_t const rounding = cq_min_size(n_measured, (left + need) / CQ_MEM_LARGE + 1) * PAGE;
    s->row_bytes = !n_measured ? 0 : left > 2 * rounding ? left - rounding : left + s->column_bytes < CQ_MEM_LARGE - PAGE ? left : left / 2;
    return CQ_OK;
}

/* -- open and free ------------------------------------------------------------------------------- */

cq_status cq_stage_open(cq_stage **out, cq_writer *w, const int32_t *columns, int32_t n, int32_t chunk_rows, size_t max_bytes, cq_err *e)
{
    share s = {0};
    void *p;
    *out = NULL;
    CQ_TRY(divide(&s, &w->schema, columns, n, chunk_rows > 1 ? chunk_rows : 1, max_bytes, e));
    CQ_TRY(cq_mem_alloc(w->mem, struct_bytes(n), "columns of Python values", &p, e));
    cq_stage *stage = p;
    stage->mem = w->mem;
    stage->spill_dir = w->spill_dir;
    stage->columns = (cq_colbuf *)(void *)(stage + 1);
    stage->n_columns = n;
    stage->max_rows = s.rows;
    stage->log_blocks = s.log_blocks;
    stage->meter.max_bytes = cq_min_size(s.row_bytes, w->plan.max_row_bytes);
    if (stage->meter.max_bytes < w->plan.max_row_bytes) {
        (void)snprintf(stage->advice, sizeof stage->advice, " in one call of write_columns; write_rows takes up to %zu bytes", w->plan.max_value_bytes);
        stage->meter.advice = stage->advice;
    }
    for (int32_t k = 0; k < n; k++) {
        cq_colbuf_opts o = opts_of(&w->schema.fields[columns[k]], &s);
        o.max_value_bytes = cq_min_size(stage->meter.max_bytes, w->plan.max_value_bytes);
        cq_colbuf_init(&stage->columns[k], &o, &stage->meter, w->mem);
    }
    *out = stage;
    return CQ_OK;
}

void cq_stage_free(cq_stage *s)
{
    if (!s) return;
    for (int32_t k = 0; k < s->n_columns; k++) cq_colbuf_reset(&s->columns[k]);
    if (s->log_open) cq_spill_close(&s->log);
    cq_mem_free(s->mem, s, struct_bytes(s->n_columns));
}

size_t cq_stage_bytes(const cq_stage *s)
{
    uint64_t sum = cq_mem_charge_of(struct_bytes(s->n_columns));
    if (s->log_open) sum += log_bytes(s->log.n_blocks + s->log.n_free) + 2 * s->log.cap_blocks * sizeof(void *);
    for (int32_t k = 0; k < s->n_columns; k++) {
        const cq_colbuf *c = &s->columns[k];
        sum += cq_mem_charge_of(c->values.cap) + cq_mem_charge_of(c->levels.cap);
    }
    return (size_t)sum;
}

/* -- rows ---------------------------------------------------------------------------------------- */

cq_colbuf *cq_stage_column(cq_stage *s, int32_t k) { return &s->columns[k]; }

bool cq_stage_end_row(cq_stage *s)
{
    bool full = ++s->n_rows == s->max_rows;
    for (int32_t k = 0; k < s->n_columns; k++) {
        cq_colbuf_commit(&s->columns[k]);
        full = full || s->columns[k].full;
    }
    s->meter.bytes = 0;
    return full;
}

void cq_stage_abort_row(cq_stage *s)
{
    for (int32_t k = 0; k < s->n_columns; k++) cq_colbuf_abort(&s->columns[k]);
    s->meter.bytes = 0;
}

int32_t cq_stage_rows(const cq_stage *s) { return s->n_rows; }

/* -- the log ------------------------------------------------------------------------------------- */

static size_t stored_bytes(const cq_colbuf *c) { return c->values.len > c->headroom ? c->values.len - c->headroom : 0; }

static cq_status log_column(cq_stage *s, const cq_colbuf *c, cq_err *e)
{
    column_head const head = {.n_values = c->n_values, .has_levels = c->has_levels, .bytes = stored_bytes(c)};
    CQ_TRY(cq_spill_append(&s->log, &head, sizeof head, NULL, e));
    if (head.has_levels) CQ_TRY(cq_spill_append(&s->log, c->levels.data, c->levels.len, NULL, e));
    return head.bytes ? cq_spill_append(&s->log, c->values.data + c->headroom, head.bytes, NULL, e) : CQ_OK;
}

/* The chunk in the builders goes to the log, whole or not at all. */
static cq_status log_chunk(cq_stage *s, cq_err *e)
{
    if (s->n_rows == 0 || s->logged) return CQ_OK;
    if (!s->log_blocks) return cq_fail(e, CQ_ESTATE, "a second row in a stage of one");
    if (!s->log_open) CQ_TRY(cq_spill_open(&s->log, s->mem, s->spill_dir, 1, s->log_blocks, e));
    s->log_open = true;
    int64_t const end = s->log.end;
    cq_status st = cq_spill_append(&s->log, &s->n_rows, sizeof s->n_rows, NULL, e);
    for (int32_t k = 0; k < s->n_columns && st == CQ_OK; k++) st = log_column(s, &s->columns[k], e);
    if (st != CQ_OK) {
        cq_spill_truncate(&s->log, end);
        return st;
    }
    s->logged = true;
    s->n_chunks++;
    return CQ_OK;
}

static void empty_builders(cq_stage *s)
{
    for (int32_t k = 0; k < s->n_columns; k++) cq_colbuf_new_chunk(&s->columns[k]);
    s->meter.bytes = 0;
    s->n_rows = 0;
    s->logged = false;
}

cq_status cq_stage_begin_chunk(cq_stage *s, cq_err *e)
{
    if (s->rewound) return cq_fail(e, CQ_ESTATE, "rows for a stage that is read back");
    CQ_TRY(log_chunk(s, e));
    empty_builders(s);
    return CQ_OK;
}

static cq_status read_log(cq_stage *s, void *p, size_t n, cq_err *e)
{
    if (n) CQ_TRY(cq_spill_read(&s->log, s->read_at, p, n, e));
    s->read_at += (int64_t)n;
    return CQ_OK;
}

static cq_status not_as_written(cq_err *e) { return cq_fail(e, CQ_EIO, "a temporary file does not hold what was written to it"); }

/* What is read has passed through a file: the counts have to fit each other and what the builder takes. */
static cq_status load_column(cq_stage *s, cq_colbuf *c, cq_err *e)
{
    column_head head;
    CQ_TRY(read_log(s, &head, sizeof head, e));
    bool const has_levels = head.has_levels != 0;
    if (head.n_values < 0 || head.n_values > s->n_rows || (!has_levels && head.n_values != s->n_rows)) return not_as_written(e);
    uint64_t const exact = (uint64_t)head.n_values * (c->width ? c->width : c->fixed_bytes);
    if (c->prefix ? head.bytes > (uint64_t)c->page_bytes + 64 + s->meter.max_bytes : head.bytes != exact) return not_as_written(e);
    size_t const bytes = (size_t)head.bytes, need = c->headroom + bytes;
    if (c->values.cap < need) CQ_TRY(cq_buf_set_cap(&c->values, need, e));
    if (has_levels && c->levels.cap < (size_t)s->n_rows) CQ_TRY(cq_buf_set_cap(&c->levels, (size_t)s->n_rows, e));
    if (has_levels) {
        CQ_TRY(read_log(s, c->levels.data, (size_t)s->n_rows, e));
        c->levels.len = (size_t)s->n_rows;
    }
    CQ_TRY(read_log(s, bytes ? c->values.data + c->headroom : NULL, bytes, e));
    c->values.len = need;
    c->has_levels = has_levels;
    c->n_values = head.n_values;
    c->n_slots = c->n_committed = s->n_rows;
    return CQ_OK;
}

void cq_stage_rewind(cq_stage *s)
{
    s->rewound = true;
    s->next_chunk = s->read_at = 0;
}

cq_status cq_stage_next_chunk(cq_stage *s, int32_t *n_rows, cq_err *e)
{
    *n_rows = 0;
    if (!s->rewound) return cq_fail(e, CQ_ESTATE, "a stage is read back before it was rewound");
    if (s->n_chunks == 0) { /* the only chunk never left the builders */
        *n_rows = s->next_chunk++ == 0 ? s->n_rows : 0;
        return CQ_OK;
    }
    CQ_TRY(log_chunk(s, e));
    if (s->next_chunk == s->n_chunks) return CQ_OK;
    empty_builders(s);
    s->logged = true;
    CQ_TRY(read_log(s, &s->n_rows, sizeof s->n_rows, e));
    if (s->n_rows < 1 || s->n_rows > s->max_rows) return not_as_written(e);
    for (int32_t k = 0; k < s->n_columns; k++) CQ_TRY(load_column(s, &s->columns[k], e));
    s->next_chunk++;
    *n_rows = s->n_rows;
    return CQ_OK;
}

/* -- vectors ------------------------------------------------------------------------------------- */

size_t cq_stage_row_bytes(const cq_stage *s, int32_t k)
{
    const cq_colbuf *c = &s->columns[k];
    return c->width ? c->width : sizeof(cq_span);
}

/* One slot a row out of one value a value. */
static void spread(const cq_colbuf *c, int32_t n_rows, const uint8_t *from, uint8_t *to)
{
    size_t const width = c->width;
    for (int32_t i = 0; i < n_rows; i++, to += width) {
        if (!c->levels.data[i]) {
            memset(to, 0, width);
            continue;
        }
        memcpy(to, from, width);
        from += width;
    }
}

static cq_status find_spans(const cq_colbuf *c, int32_t n_rows, cq_span *spans, cq_err *e)
{
    const uint8_t *p = c->values.data + c->headroom, *end = p + stored_bytes(c);
    for (int32_t i = 0; i < n_rows; i++) {
        spans[i] = cq_span_of("", 0);
        if (c->has_levels && !c->levels.data[i]) continue;
        if ((size_t)(end - p) < c->prefix) return not_as_written(e);
        size_t const n = c->prefix ? cq_load32(p) : c->fixed_bytes;
        p += c->prefix;
        if ((size_t)(end - p) < n) return not_as_written(e);
        spans[i] = cq_span_of(p, n);
        p += n;
    }
    return CQ_OK;
}

static int32_t count_values(const cq_colbuf *c, int32_t n_rows)
{
    int32_t n = 0;
    for (int32_t i = 0; i < n_rows; i++) n += c->levels.data[i] != 0;
    return n;
}

cq_status cq_stage_vec(cq_stage *s, int32_t k, cq_arena *scratch, cq_vec *out, cq_err *e)
{
    const cq_colbuf *c = &s->columns[k];
    void *p;
    *out = cq_vec_null(c->type);
    if (c->n_values == 0) return CQ_OK;
    const uint8_t *validity = c->has_levels ? c->levels.data : NULL, *values = c->values.data + c->headroom;
    if (validity && count_values(c, s->n_rows) != c->n_values) return not_as_written(e);
    if (c->width && !validity) {
        *out = cq_vec_flat(c->type, values, NULL);
        return CQ_OK;
    }
    CQ_TRY(cq_arena_alloc(scratch, (size_t)s->n_rows * cq_stage_row_bytes(s, k), &p, e));
    if (c->width) {
        spread(c, s->n_rows, values, p);
        *out = cq_vec_flat(c->type, p, validity);
        return CQ_OK;
    }
    *out = cq_vec_spans(c->type, p, validity);
    return find_spans(c, s->n_rows, p, e);
}
