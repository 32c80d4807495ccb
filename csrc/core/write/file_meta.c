/* The metadata log and the end of the file: see file_meta.h. */
#include "write/file_meta.h"

#include "base/bytes.h"
#include "base/varint.h"
#include "format/limits.h"

typedef struct group_record {
    cq_group_meta meta;
} group_record;

typedef struct chunk_record {
    int64_t n_pages, meta_bytes;
    int64_t column_index_bytes, offset_index_bytes; /* known once the indexes are written */
    int64_t boundary_order;                         /* -1: the chunk has no column index */
} chunk_record;

#define BOUNDARY_UNORDERED 0
#define BOUNDARY_ASCENDING 1
#define BOUNDARY_DESCENDING 2

#define SCRATCH_BYTES 1024 /* beside a name: the largest single piece */

cq_status cq_file_meta_open(cq_file_meta *m, const cq_schema *s, const cq_plan *plan, const char *spill_dir, cq_mem *mem, cq_err *e)
{
    memset(m, 0, sizeof *m);
    m->mem = mem;
    cq_buf_init(&m->scratch, mem);
    size_t name = 0;
    for (int32_t i = 0; i < s->n_fields; i++) name = cq_max_size(name, s->fields[i].name_bytes);
    CQ_TRY(cq_buf_set_cap(&m->scratch, SCRATCH_BYTES + name, e));
    void *p;
    CQ_TRY(cq_mem_alloc(mem, CQ_FILE_META_WINDOW * sizeof *m->window, "the page index", &p, e));
    m->window = p;
    size_t const least = plan->meta_window_bytes / CQ_SPILL_BLOCK;
    return cq_spill_open(&m->log, mem, spill_dir, least, least, e); /* fixed: memory does not grow with groups */
}

void cq_file_meta_close(cq_file_meta *m)
{
    if (!m->mem) return;
    cq_spill_close(&m->log);
    cq_buf_reset(&m->scratch);
    cq_mem_free(m->mem, m->window, CQ_FILE_META_WINDOW * sizeof *m->window);
    m->window = NULL;
}

/* -- adding ------------------------------------------------------------------------------------ */

cq_status cq_file_meta_begin_group(cq_file_meta *m, cq_err *e)
{
    group_record r;
    memset(&r, 0, sizeof r);
    return cq_spill_append(&m->log, &r, sizeof r, &m->group_at, e);
}

cq_status cq_file_meta_begin_chunk(cq_file_meta *m, const cq_field *f, cq_err *e)
{
    chunk_record r;
    memset(&r, 0, sizeof r);
    m->field = f;
    m->n_pages = 0;
    m->has_index = m->ascending = m->descending = true;
    m->has_last = false;
    return cq_spill_append(&m->log, &r, sizeof r, &m->chunk_at, e);
}

static int bounds_cmp(cq_type t, const cq_bound *a, const cq_bound *b)
{
    return cq_value_cmp(t, cq_span_of(a->bytes, a->n), cq_span_of(b->bytes, b->n));
}

/* The order of the bounds as they will be emitted; pages of nulls take no part in it. */
static void see_bounds(cq_file_meta *m, const cq_page_meta *p)
{
    cq_type const t = m->field->type;
    if (p->stats.n_nulls == p->n_slots) return;
    if (!cq_stats_usable(&p->stats, t)) {
        m->has_index = false;
        return;
    }
    cq_bound min, max;
    cq_stats_emit_min(&p->stats, t, &min);
    (void)cq_stats_emit_max(&p->stats, t, &max);
    if (m->has_last) {
        int const lo = bounds_cmp(t, &m->last_min, &min), hi = bounds_cmp(t, &m->last_max, &max);
        if (lo > 0 || hi > 0) m->ascending = false;
        if (lo < 0 || hi < 0) m->descending = false;
    }
    m->last_min = min;
    m->last_max = max;
    m->has_last = true;
}

cq_status cq_file_meta_add_page(cq_file_meta *m, const cq_page_meta *p, cq_err *e)
{
    if (p->stats.n_nans) m->has_index = false;
    if (m->has_index) see_bounds(m, p);
    m->n_pages++;
    return cq_spill_append(&m->log, p, sizeof *p, NULL, e);
}

cq_status cq_file_meta_end_chunk(cq_file_meta *m, const cq_chunk_meta *c, cq_err *e)
{
    assert(CQ_CHUNK_META_BYTES(m->field->name_bytes) <= m->scratch.cap);
    chunk_record r;
    memset(&r, 0, sizeof r);
    r.n_pages = m->n_pages;
    r.meta_bytes = cq_i64(cq_meta_chunk(c, m->scratch.data));
    r.boundary_order = !m->has_index ? -1 : m->ascending ? BOUNDARY_ASCENDING : m->descending ? BOUNDARY_DESCENDING : BOUNDARY_UNORDERED;
    CQ_TRY(cq_spill_append(&m->log, m->scratch.data, (size_t)r.meta_bytes, NULL, e));
    return cq_spill_patch(&m->log, m->chunk_at, &r, sizeof r, e);
}

cq_status cq_file_meta_end_group(cq_file_meta *m, const cq_group_meta *g, cq_err *e)
{
    group_record r;
    memset(&r, 0, sizeof r);
    r.meta = *g;
    CQ_TRY(cq_spill_patch(&m->log, m->group_at, &r, sizeof r, e));
    m->n_groups++;
    m->n_rows += g->n_rows;
    return CQ_OK;
}

/* -- walking ----------------------------------------------------------------------------------- */

typedef struct end_writer {
    cq_file_meta *m;
    const cq_footer *f;
    cq_output *out;
    /* the chunk at hand */
    const cq_field *field;
    chunk_record chunk;
    int64_t chunk_at;
} end_writer;

typedef cq_status (*chunk_fn)(end_writer *w, cq_err *e);
typedef void (*page_fn)(const end_writer *w, const cq_page_meta *p, cq_thrift *t);

static int64_t pages_at(const end_writer *w) { return w->chunk_at + (int64_t)sizeof(chunk_record); }
static int64_t meta_at(const end_writer *w) { return pages_at(w) + w->chunk.n_pages * (int64_t)sizeof(cq_page_meta); }

static cq_status next_chunk(end_writer *w, int32_t column, int64_t *at, cq_err *e)
{
    w->field = &w->f->schema->fields[column];
    w->chunk_at = *at;
    CQ_TRY(cq_spill_read(&w->m->log, *at, &w->chunk, sizeof w->chunk, e));
    *at = meta_at(w) + w->chunk.meta_bytes;
    return CQ_OK;
}

static cq_status for_chunks(end_writer *w, chunk_fn fn, cq_err *e)
{
    int64_t at = 0;
    for (int64_t g = 0; g < w->m->n_groups; g++) {
        at += (int64_t)sizeof(group_record);
        for (int32_t i = 0; i < w->f->schema->n_fields; i++) {
            CQ_TRY(next_chunk(w, i, &at, e));
            CQ_TRY(fn(w, e));
        }
    }
    return CQ_OK;
}

static cq_status put(end_writer *w, const cq_thrift *t, cq_err *e) { return cq_output_write(w->out, t->begin, cq_thrift_bytes(t), e); }

/* One list of an index: a header and an element for each page. */
static cq_status put_list(end_writer *w, int last_id, int id, cq_thrift_type type, size_t per_page, page_fn fn, cq_err *e)
{
    cq_file_meta *m = w->m;
    cq_thrift t;
    cq_thrift_resume(&t, m->scratch.data, m->scratch.cap, last_id);
    cq_thrift_list(&t, id, type, (size_t)w->chunk.n_pages * per_page);
    CQ_TRY(put(w, &t, e));
    for (int64_t i = 0; i < w->chunk.n_pages;) {
        int64_t const n = cq_min_i64(CQ_FILE_META_WINDOW, w->chunk.n_pages - i);
        CQ_TRY(cq_spill_read(&m->log, pages_at(w) + i * (int64_t)sizeof(cq_page_meta), m->window, (size_t)n * sizeof(cq_page_meta), e));
        for (int64_t j = 0; j < n; j++) {
            cq_thrift_resume(&t, m->scratch.data, m->scratch.cap, 0);
            fn(w, &m->window[j], &t);
            CQ_TRY(put(w, &t, e));
        }
        i += n;
    }
    return CQ_OK;
}

static bool all_null(const cq_page_meta *p) { return p->stats.n_nulls == p->n_slots; }

static void el_null_page(const end_writer *w, const cq_page_meta *p, cq_thrift *t)
{
    (void)w;
    cq_thrift_el_bool(t, all_null(p));
}

static void el_min(const end_writer *w, const cq_page_meta *p, cq_thrift *t)
{
    cq_bound min = {.n = 0};
    if (!all_null(p)) cq_stats_emit_min(&p->stats, w->field->type, &min);
    cq_thrift_el_binary(t, min.bytes, min.n);
}

static void el_max(const end_writer *w, const cq_page_meta *p, cq_thrift *t)
{
    cq_bound max = {.n = 0};
    if (!all_null(p)) (void)cq_stats_emit_max(&p->stats, w->field->type, &max);
    cq_thrift_el_binary(t, max.bytes, max.n);
}

static void el_null_count(const end_writer *w, const cq_page_meta *p, cq_thrift *t)
{
    (void)w;
    cq_thrift_el_int(t, p->stats.n_nulls);
}

static void el_def_histogram(const end_writer *w, const cq_page_meta *p, cq_thrift *t)
{
    int64_t def[2];
    int const n = cq_meta_def_histogram(w->field, p->n_slots, p->stats.n_nulls, def);
    for (int i = 0; i < n; i++) cq_thrift_el_int(t, def[i]);
}

static void el_nan_count(const end_writer *w, const cq_page_meta *p, cq_thrift *t)
{
    (void)w;
    cq_thrift_el_int(t, p->stats.n_nans);
}

static void el_value_bytes(const end_writer *w, const cq_page_meta *p, cq_thrift *t)
{
    (void)w;
    cq_thrift_el_int(t, p->stats.value_bytes);
}

static cq_status put_field(end_writer *w, int last_id, int id, int64_t value, cq_err *e)
{
    cq_thrift t;
    cq_thrift_resume(&t, w->m->scratch.data, w->m->scratch.cap, last_id);
    cq_thrift_i32(&t, id, value);
    return put(w, &t, e);
}

static cq_status put_stop(end_writer *w, cq_err *e)
{
    static const uint8_t stop = 0;
    return cq_output_write(w->out, &stop, 1, e);
}

static cq_status put_column_index(end_writer *w, cq_err *e)
{
    if (w->chunk.boundary_order < 0) return CQ_OK;
    int64_t const begin = w->out->position;
    CQ_TRY(put_list(w, 0, 1, CQ_T_TRUE, 1, el_null_page, e));
    CQ_TRY(put_list(w, 1, 2, CQ_T_BINARY, 1, el_min, e));
    CQ_TRY(put_list(w, 2, 3, CQ_T_BINARY, 1, el_max, e));
    CQ_TRY(put_field(w, 3, 4, w->chunk.boundary_order, e));
    CQ_TRY(put_list(w, 4, 5, CQ_T_I64, 1, el_null_count, e));
    int last = 5;
    if (w->field->max_def > 0) {
        CQ_TRY(put_list(w, last, 7, CQ_T_I64, 2, el_def_histogram, e));
        last = 7;
    }
    if (cq_type_facts(w->field->type)->is_float) CQ_TRY(put_list(w, last, 8, CQ_T_I64, 1, el_nan_count, e));
    CQ_TRY(put_stop(w, e));
    w->chunk.column_index_bytes = w->out->position - begin;
    return cq_spill_patch(&w->m->log, w->chunk_at, &w->chunk, sizeof w->chunk, e);
}

/* Page locations carry the row index, a running sum: this list is written by hand. */
static cq_status put_locations(end_writer *w, cq_err *e)
{
    cq_file_meta *m = w->m;
    cq_thrift t;
    cq_thrift_begin(&t, m->scratch.data, m->scratch.cap);
    cq_thrift_list(&t, 1, CQ_T_STRUCT, (size_t)w->chunk.n_pages);
    CQ_TRY(put(w, &t, e));
    int64_t row = 0;
    for (int64_t i = 0; i < w->chunk.n_pages;) {
        int64_t const n = cq_min_i64(CQ_FILE_META_WINDOW, w->chunk.n_pages - i);
        CQ_TRY(cq_spill_read(&m->log, pages_at(w) + i * (int64_t)sizeof(cq_page_meta), m->window, (size_t)n * sizeof(cq_page_meta), e));
        for (int64_t j = 0; j < n; j++) {
            const cq_page_meta *p = &m->window[j];
            cq_thrift_begin(&t, m->scratch.data, m->scratch.cap);
            cq_thrift_i64(&t, 1, p->file_offset);
            cq_thrift_i32(&t, 2, p->header_bytes + p->compressed_bytes);
            cq_thrift_i64(&t, 3, row);
            cq_thrift_end(&t);
            CQ_TRY(put(w, &t, e));
            row += p->n_slots;
        }
        i += n;
    }
    return CQ_OK;
}

static cq_status put_offset_index(end_writer *w, cq_err *e)
{
    int64_t const begin = w->out->position;
    CQ_TRY(put_locations(w, e));
    if (cq_type_facts(w->field->type)->physical == CQ_PQ_BYTE_ARRAY) CQ_TRY(put_list(w, 1, 2, CQ_T_I64, 1, el_value_bytes, e));
    CQ_TRY(put_stop(w, e));
    w->chunk.offset_index_bytes = w->out->position - begin;
    return cq_spill_patch(&w->m->log, w->chunk_at, &w->chunk, sizeof w->chunk, e);
}

/* -- the footer -------------------------------------------------------------------------------- */

static cq_status put_schema(end_writer *w, cq_err *e)
{
    const cq_schema *s = w->f->schema;
    uint8_t *scratch = w->m->scratch.data;
    cq_thrift t;
    cq_thrift_begin(&t, scratch, w->m->scratch.cap);
    cq_thrift_i32(&t, 1, w->f->version);
    cq_thrift_list(&t, 2, CQ_T_STRUCT, (size_t)s->n_fields + 1);
    CQ_TRY(put(w, &t, e));
    CQ_TRY(cq_output_write(w->out, scratch, cq_meta_schema_root(s->n_fields, scratch), e));
    for (int32_t i = 0; i < s->n_fields; i++)
        CQ_TRY(cq_output_write(w->out, scratch, cq_meta_schema_leaf(&s->fields[i], scratch), e));
    return CQ_OK;
}

static cq_status copy_log(end_writer *w, int64_t at, int64_t n, cq_err *e)
{
    while (n > 0) {
        int64_t const k = cq_min_i64(n, cq_i64(w->m->scratch.cap));
        CQ_TRY(cq_spill_read(&w->m->log, at, w->m->scratch.data, (size_t)k, e));
        CQ_TRY(cq_output_write(w->out, w->m->scratch.data, (size_t)k, e));
        at += k;
        n -= k;
    }
    return CQ_OK;
}

/* Positions of the next chunk's indexes. */
typedef struct index_positions {
    int64_t column_index, offset_index;
} index_positions;

static cq_status put_chunk(end_writer *w, index_positions *at, cq_err *e)
{
    CQ_TRY(copy_log(w, meta_at(w), w->chunk.meta_bytes, e));
    uint8_t tail[CQ_CHUNK_TAIL_BYTES];
    size_t const n = cq_meta_chunk_tail(at->offset_index, w->chunk.offset_index_bytes, at->column_index, w->chunk.column_index_bytes, tail);
    at->column_index += w->chunk.column_index_bytes;
    at->offset_index += w->chunk.offset_index_bytes;
    return cq_output_write(w->out, tail, n, e);
}

static cq_status put_group(end_writer *w, int64_t *at, index_positions *indexes, cq_err *e)
{
    group_record g;
    CQ_TRY(cq_spill_read(&w->m->log, *at, &g, sizeof g, e));
    *at += (int64_t)sizeof g;
    cq_thrift t;
    cq_thrift_begin(&t, w->m->scratch.data, w->m->scratch.cap);
    cq_thrift_list(&t, 1, CQ_T_STRUCT, (size_t)w->f->schema->n_fields);
    CQ_TRY(put(w, &t, e));
    for (int32_t i = 0; i < w->f->schema->n_fields; i++) {
        CQ_TRY(next_chunk(w, i, at, e));
        CQ_TRY(put_chunk(w, indexes, e));
    }
    cq_thrift_resume(&t, w->m->scratch.data, w->m->scratch.cap, 1);
    cq_thrift_i64(&t, 2, g.meta.uncompressed_bytes);
    cq_thrift_i64(&t, 3, g.meta.n_rows);
    if (w->f->n_sorting) cq_thrift_list(&t, 4, CQ_T_STRUCT, (size_t)w->f->n_sorting);
    CQ_TRY(put(w, &t, e));
    for (int32_t i = 0; i < w->f->n_sorting; i++) {
        cq_thrift_begin(&t, w->m->scratch.data, w->m->scratch.cap);
        cq_thrift_i32(&t, 1, w->f->sorting[i].column);
        cq_thrift_bool(&t, 2, w->f->sorting[i].descending);
        cq_thrift_bool(&t, 3, false);
        cq_thrift_end(&t);
        CQ_TRY(put(w, &t, e));
    }
    cq_thrift_resume(&t, w->m->scratch.data, w->m->scratch.cap, w->f->n_sorting ? 4 : 3);
    cq_thrift_i64(&t, 5, g.meta.file_offset);
    cq_thrift_i64(&t, 6, g.meta.compressed_bytes);
    cq_thrift_end(&t);
    return put(w, &t, e);
}

/* Binary values of any length, which the scratch need not hold. */
static cq_status put_text(end_writer *w, int last_id, int id, cq_span s, cq_err *e)
{
    uint8_t head[4 + CQ_VARINT_BYTES];
    cq_thrift t;
    cq_thrift_resume(&t, head, sizeof head, last_id);
    cq_thrift_binary(&t, id, NULL, 0);
    size_t n = cq_thrift_bytes(&t) - 1; /* without the length of nothing */
    n += cq_varint_put(head + n, s.n);
    CQ_TRY(cq_output_write(w->out, head, n, e));
    return cq_output_write(w->out, s.p, s.n, e);
}

static cq_status put_key_values(end_writer *w, cq_err *e)
{
    if (w->f->n_metadata == 0) return CQ_OK;
    cq_thrift t;
    cq_thrift_resume(&t, w->m->scratch.data, w->m->scratch.cap, 4);
    cq_thrift_list(&t, 5, CQ_T_STRUCT, (size_t)w->f->n_metadata);
    CQ_TRY(put(w, &t, e));
    for (int32_t i = 0; i < w->f->n_metadata; i++) {
        CQ_TRY(put_text(w, 0, 1, w->f->metadata[i].key, e));
        CQ_TRY(put_text(w, 1, 2, w->f->metadata[i].value, e));
        CQ_TRY(put_stop(w, e));
    }
    return CQ_OK;
}

static cq_status put_footer(end_writer *w, index_positions indexes, cq_err *e)
{
    static const char created_by[] = "ccpq version " CQ_VERSION " (build " CQ_BUILD ")";
    int64_t const begin = w->out->position;
    cq_file_meta *m = w->m;
    CQ_TRY(put_schema(w, e));
    cq_thrift t;
    cq_thrift_resume(&t, m->scratch.data, m->scratch.cap, 2);
    cq_thrift_i64(&t, 3, m->n_rows);
    cq_thrift_list(&t, 4, CQ_T_STRUCT, (size_t)m->n_groups);
    CQ_TRY(put(w, &t, e));
    int64_t at = 0;
    for (int64_t g = 0; g < m->n_groups; g++) CQ_TRY(put_group(w, &at, &indexes, e));
    CQ_TRY(put_key_values(w, e));
    CQ_TRY(put_text(w, w->f->n_metadata ? 5 : 4, 6, cq_span_of(created_by, sizeof created_by - 1), e));
    cq_thrift_resume(&t, m->scratch.data, m->scratch.cap, 6);
    cq_thrift_list(&t, 7, CQ_T_STRUCT, (size_t)w->f->schema->n_fields);
    CQ_TRY(put(w, &t, e));
    for (int32_t i = 0; i < w->f->schema->n_fields; i++) {
        cq_thrift_begin(&t, m->scratch.data, m->scratch.cap);
        cq_thrift_struct(&t, 1); /* TYPE_ORDER */
        cq_thrift_end(&t);
        cq_thrift_end(&t);
        CQ_TRY(put(w, &t, e));
    }
    CQ_TRY(put_stop(w, e));
    m->footer_bytes = w->out->position - begin;
    if (m->footer_bytes > INT32_MAX)
        return cq_fail(e, CQ_ELIMIT, "a footer of %lld bytes is beyond what the format allows: make larger row groups", (long long)m->footer_bytes);
    uint8_t tail[8];
    cq_store32(tail, cq_u32((uint64_t)m->footer_bytes));
    memcpy(tail + 4, "PAR1", 4);
    return cq_output_write(w->out, tail, sizeof tail, e);
}

cq_status cq_file_meta_write_end(cq_file_meta *m, const cq_footer *f, cq_output *out, cq_err *e)
{
    end_writer w = {.m = m, .f = f, .out = out};
    index_positions indexes;
    indexes.column_index = out->position;
    CQ_TRY(for_chunks(&w, put_column_index, e));
    indexes.offset_index = out->position;
    CQ_TRY(for_chunks(&w, put_offset_index, e));
    return put_footer(&w, indexes, e);
}
