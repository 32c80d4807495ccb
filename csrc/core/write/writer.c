/* The writer's life: open, rows, explicit groups, close. Batches are in batch_write.c, groups and
 * pages in row_group.h, the end of the file in file_meta.h. */
#include "write/writer_int.h"

#include "base/bytes.h"
#include "format/limits.h"

#define DEFAULT_GROUP_ROWS INT64_C(1048576)
#define DEFAULT_GROUP_BYTES (INT64_C(128) << 20)

/* Fields twice, for their array grows by doubling; sort keys of fixed width with their values. */
_Static_assert(sizeof(cq_chunk) + 2 * sizeof(cq_field) + sizeof(cq_column_info) + 2 * sizeof(cq_sort_value) + sizeof(cq_sort_key) + 64 <= CQ_PLAN_PER_COLUMN,
               "the plan counts less for a column than it takes");
/* Structs, page metadata window, scratch beside a name of any length, path of the spill directory, memory pages of eight blocks. */
_Static_assert(sizeof(cq_writer) + CQ_FILE_META_WINDOW * sizeof(cq_page_meta) + 1024 + CQ_MAX_NAME_BYTES + 4096 <= CQ_PLAN_PER_WRITER,
               "the plan counts less for a writer than it takes");

/* -- opening and freeing ------------------------------------------------------------------------ */

static cq_status check_opts(const cq_writer_opts *o, cq_err *e)
{
    if (o->row_group_size < 0 || o->row_group_size > CQ_MAX_GROUP_ROWS)
        return cq_fail(e, CQ_EARG, "row_group_size must be between 1 and %lld", (long long)CQ_MAX_GROUP_ROWS);
    if (o->row_group_bytes < 0) return cq_fail(e, CQ_EARG, "row_group_bytes must be above 0");
    if (o->data_page_bytes < 0) return cq_fail(e, CQ_EARG, "data_page_size must be above 0");
    if (o->max_value_bytes < 0) return cq_fail(e, CQ_EARG, "max_value_bytes must be above 0");
    if (o->n_sorting < 0) return cq_fail(e, CQ_EARG, "a negative number of sorting columns");
    if (!o->spill_dir || !*o->spill_dir) return cq_fail(e, CQ_EARG, "no directory for temporary files");
    return CQ_OK;
}

static bool relieve(void *ctx, size_t wanted)
{
    cq_writer *w = ctx;
    (void)wanted;
    bool const pages = cq_spill_relieve(&w->group.pages);
    return cq_spill_relieve(&w->meta.log) || pages;
}

static size_t sort_key_bytes(const cq_schema *s, const cq_writer_opts *o)
{
    size_t n = 0;
    for (int32_t i = 0; i < o->n_sorting; i++) {
        int32_t const c = o->sorting[i].column;
        if (c < 0 || c >= s->n_fields || cq_type_facts(s->fields[c].type)->width) continue;
        n += s->fields[c].fixed_bytes ? (size_t)s->fields[c].fixed_bytes : CQ_MAX_SORT_KEY_BYTES;
    }
    return n;
}

static cq_status make_plan(cq_plan *plan, int32_t *level, const cq_schema *schema, const cq_writer_opts *o, uint64_t mem_limit, cq_err *e)
{
    cq_codec_kind kind = cq_writer_codec_of(o, 0); /* the one that takes a level, if there is one */
    for (int32_t i = 1; i < schema->n_fields && kind != CQ_CODEC_ZSTD; i++) kind = cq_writer_codec_of(o, i);
    CQ_TRY(cq_codec_level(kind, o->level, level, e));
    cq_plan_opts const po = {.codec = o->codec, .codecs = o->codecs, .level = *level, .data_page_bytes = o->data_page_bytes, .max_value_bytes = o->max_value_bytes,
                             .sort_key_bytes = sort_key_bytes(schema, o)};
    return cq_plan_make(plan, schema, &po, o->memory_limit ? o->memory_limit : mem_limit, e);
}

static cq_status open_parts(cq_writer *w, int32_t level, const cq_schema *schema, const cq_writer_opts *o, cq_sink sink, cq_err *e)
{
    CQ_TRY(cq_schema_copy(&w->schema, schema, e));
    size_t const dir_bytes = strlen(o->spill_dir) + 1;
    void *p;
    CQ_TRY(cq_mem_alloc(w->mem, dir_bytes, "the writer", &p, e));
    w->spill_dir = p;
    memcpy(w->spill_dir, o->spill_dir, dir_bytes);
    CQ_TRY(cq_sort_check_open(&w->sort, &w->schema, o->sorting, o->n_sorting, w->mem, e));
    CQ_TRY(cq_row_group_open(&w->group, &w->schema, &w->plan, o, level, w->spill_dir, w->mem, e));
    CQ_TRY(cq_file_meta_open(&w->meta, &w->schema, &w->plan, w->spill_dir, w->mem, e));
    return cq_output_open(&w->out, sink, w->plan.sink_bytes, w->mem, e);
}

cq_status cq_writer_open(cq_writer **out, const cq_schema *schema, const cq_writer_opts *o, cq_sink sink, cq_mem *mem, cq_err *e)
{
    static const cq_sink no_sink = {0};
    *out = NULL;
    CQ_TRY(check_opts(o, e));
    CQ_TRY(cq_schema_check(schema, e));
    /* The plan comes before any allocation: only it knows which limit would do. */
    cq_plan plan;
    int32_t level;
    CQ_TRY(make_plan(&plan, &level, schema, o, mem->limit, e));
    void *p;
    CQ_TRY(cq_mem_alloc(mem, sizeof(cq_writer), "the writer", &p, e));
    cq_writer *w = p;
    w->mem = mem;
    w->plan = plan;
    cq_err_clear(&w->error);
    cq_schema_init(&w->schema, mem);
    w->version = cq_profile_version(o->profile);
    w->row_group_size = o->row_group_size ? o->row_group_size : DEFAULT_GROUP_ROWS;
    w->row_group_bytes = o->row_group_bytes ? o->row_group_bytes : DEFAULT_GROUP_BYTES;
    for (int32_t i = 0; i < schema->n_fields; i++) w->fixed_row_bytes += schema->fields[i].fixed_bytes;
    w->should_stop = o->should_stop;
    w->should_stop_ctx = o->should_stop_ctx;
    cq_status st = open_parts(w, level, schema, o, sink, e);
    if (st == CQ_OK) st = cq_output_write(&w->out, "PAR1", 4, e); /* into the buffer: the sink is not called */
    if (st != CQ_OK) {
        w->out.sink = no_sink;
        cq_writer_free(w);
        return st;
    }
    mem->stress = relieve;
    mem->stress_ctx = w;
    *out = w;
    return CQ_OK;
}

static void free_parts(cq_writer *w)
{
    w->mem->stress = NULL;
    w->mem->stress_ctx = NULL;
    cq_output_close(&w->out);
    cq_file_meta_close(&w->meta);
    cq_row_group_close(&w->group);
    cq_sort_check_close(&w->sort);
}

void cq_writer_free(cq_writer *w)
{
    if (!w) return;
    cq_mem *const mem = w->mem;
    free_parts(w);
    if (w->spill_dir) cq_mem_free(mem, w->spill_dir, strlen(w->spill_dir) + 1);
    cq_mem_free(mem, w->figures, (size_t)w->schema.n_fields * sizeof *w->figures);
    cq_schema_reset(&w->schema);
    cq_mem_free(mem, w, sizeof *w);
}

/* -- state -------------------------------------------------------------------------------------- */

static cq_status not_usable(const cq_writer *w, cq_err *e)
{
    if (w->failed) {
        if (e) *e = w->error;
        return w->error.code;
    }
    if (w->closed) return cq_fail(e, CQ_ESTATE, "the writer is closed");
    return cq_fail(e, CQ_ESTATE, "batches are being checked: end that first");
}

cq_status cq_writer_usable(const cq_writer *w, cq_err *e)
{
    return w->failed || w->closed || w->checking ? not_usable(w, e) : CQ_OK;
}

cq_status cq_writer_fail(cq_writer *w, cq_status st, const cq_err *e)
{
    if (!w->failed) {
        w->failed = true;
        if (e) {
            w->error = *e;
        } else {
            cq_status const same = cq_fail(&w->error, st, "the writer failed before");
            (void)same;
        }
    }
    return st;
}

const cq_err *cq_writer_error(const cq_writer *w) { return &w->error; }
const cq_plan *cq_writer_plan(const cq_writer *w) { return &w->plan; }
const cq_schema *cq_writer_schema(const cq_writer *w) { return &w->schema; }
int64_t cq_writer_group_rows(const cq_writer *w) { return w->group.n_rows; }
cq_colbuf *cq_writer_column(cq_writer *w, int32_t i) { return &w->group.chunks[i].col; }
bool cq_writer_due(const cq_writer *w) { return w->due; }

cq_status cq_writer_poll_stop(cq_writer *w, cq_err *e)
{
    if (w->should_stop && w->should_stop(w->should_stop_ctx)) return cq_fail(e, CQ_EINTERRUPTED, "interrupted");
    return CQ_OK;
}

/* -- rows --------------------------------------------------------------------------------------- */

void cq_writer_abort_row(cq_writer *w)
{
    for (int32_t i = 0; i < w->group.n_chunks; i++) cq_colbuf_abort(&w->group.chunks[i].col);
    w->group.meter.bytes = 0;
}

static cq_span last_of_column(const void *ctx, int32_t column, bool *is_null)
{
    const cq_writer *w = ctx;
    return cq_colbuf_last_value(&w->group.chunks[column].col, is_null);
}

static cq_status check_row(cq_writer *w, cq_err *e)
{
    CQ_TRY(cq_writer_usable(w, e));
    if (w->due) return cq_fail(e, CQ_ESTATE, "a row before the writer was settled");
    for (int32_t i = 0; i < w->group.n_chunks; i++) {
        const cq_colbuf *c = &w->group.chunks[i].col;
        if (c->n_slots != c->n_committed + 1) {
            cq_status const st = cq_fail(e, CQ_ESTATE, "a row without a value for every column");
            cq_err_where(e, -1, -1, -1, i);
            return st;
        }
    }
    return w->sort.n_keys ? cq_sort_check_row(&w->sort, last_of_column, w, e) : CQ_OK;
}

/* Counts n rows whose byte arrays of no fixed length have `bytes` bytes. The group's size is looked at where any route of the
 * same rows comes by: at multiples of a row count and at a sum of bytes. */
void cq_writer_count_rows(cq_writer *w, int64_t n, int64_t bytes)
{
    w->group.n_rows += n;
    w->n_rows += n;
    w->unchecked_bytes += bytes + n * w->fixed_row_bytes;
    if (w->group.n_rows % CQ_CHECK_ROWS == 0 || w->unchecked_bytes >= CQ_CHECK_BYTES || w->group.n_rows >= w->row_group_size)
        w->check_group = w->due = true;
}

cq_status cq_writer_end_row(cq_writer *w, cq_err *e)
{
    cq_status const st = check_row(w, e);
    if (st != CQ_OK) {
        cq_writer_abort_row(w);
        return st;
    }
    bool full = false;
    for (int32_t i = 0; i < w->group.n_chunks; i++) {
        cq_colbuf *c = &w->group.chunks[i].col;
        cq_colbuf_commit(c);
        full = full || c->full;
    }
    if (full) w->due = true;
    int64_t const bytes = cq_i64(w->group.meter.bytes);
    w->group.meter.bytes = 0;
    cq_writer_count_rows(w, 1, bytes);
    return CQ_OK;
}

/* -- groups ------------------------------------------------------------------------------------- */

static cq_status end_group(cq_writer *w, cq_err *e)
{
    for (int32_t i = 0; i < w->group.n_chunks; i++)
        while (w->group.chunks[i].col.n_committed > 0) {
            CQ_TRY(cq_writer_poll_stop(w, e));
            /* a full page is cut as one whenever it is cut: at once, or by a close that came before the settling */
            CQ_TRY(cq_writer_cut_page(w, i, w->group.chunks[i].col.full, e));
        }
    cq_status const st = cq_row_group_splice(&w->group, &w->out, &w->meta, e);
    if (st != CQ_OK) {
        cq_err_where(e, -1, -1, cq_i32(cq_min_i64(w->meta.n_groups, INT32_MAX)), -1);
        return cq_writer_fail(w, st, e);
    }
    w->unchecked_bytes = 0;
    w->due = w->check_group = false;
    return CQ_OK;
}

cq_status cq_writer_cut_page(cq_writer *w, int32_t column, bool continues, cq_err *e)
{
    cq_status const st = cq_row_group_cut_page(&w->group, column, continues, e);
    if (st != CQ_OK) cq_err_where(e, -1, -1, -1, column);
    return st;
}

/* A chunk that comes near the format's cap ends the group; inside an explicit group the cut of the
 * page that would pass it fails. */
static bool group_is_due(const cq_writer *w)
{
    if (w->group.n_rows >= w->row_group_size || w->group.parked_bytes >= w->row_group_bytes) return true;
    for (int32_t i = 0; i < w->group.n_chunks; i++)
        if (w->group.chunks[i].meta.uncompressed_bytes >= CQ_MAX_CHUNK_BYTES / 2) return true;
    return false;
}

cq_status cq_writer_no_row(const cq_writer *w, cq_err *e)
{
    for (int32_t i = 0; i < w->group.n_chunks; i++)
        if (w->group.chunks[i].col.n_slots != w->group.chunks[i].col.n_committed)
            return cq_fail(e, CQ_ESTATE, "a row is being written: end or abort it first");
    return CQ_OK;
}

cq_status cq_writer_settle(cq_writer *w, cq_err *e)
{
    CQ_TRY(cq_writer_usable(w, e));
    CQ_TRY(cq_writer_no_row(w, e));
    for (int32_t i = 0; i < w->group.n_chunks; i++)
        while (w->group.chunks[i].col.full) {
            CQ_TRY(cq_writer_poll_stop(w, e));
            CQ_TRY(cq_writer_cut_page(w, i, true, e));
        }
    if (w->check_group) {
        w->unchecked_bytes = 0;
        if (!w->explicit_group && group_is_due(w)) CQ_TRY(end_group(w, e));
        w->check_group = false;
    }
    w->due = false;
    return CQ_OK;
}

cq_status cq_writer_flush_group(cq_writer *w, cq_err *e)
{
    CQ_TRY(cq_writer_usable(w, e));
    if (w->explicit_group) return cq_fail(e, CQ_ESTATE, "a row group is being written: end it first");
    cq_writer_abort_row(w);
    return w->group.n_rows ? end_group(w, e) : CQ_OK;
}

cq_status cq_writer_begin_group(cq_writer *w, cq_err *e)
{
    CQ_TRY(cq_writer_flush_group(w, e));
    CQ_TRY(cq_sort_check_save(&w->sort, e));
    w->explicit_group = true;
    return CQ_OK;
}

cq_status cq_writer_end_group(cq_writer *w, cq_err *e)
{
    CQ_TRY(cq_writer_usable(w, e));
    if (!w->explicit_group) return cq_fail(e, CQ_ESTATE, "no row group was begun");
    cq_writer_abort_row(w);
    if (w->group.n_rows) CQ_TRY(end_group(w, e));
    w->explicit_group = false;
    return CQ_OK;
}

void cq_writer_rollback_group(cq_writer *w)
{
    if (!w->explicit_group || w->failed) return;
    w->n_rows -= w->group.n_rows;
    cq_row_group_drop(&w->group);
    cq_sort_check_restore(&w->sort);
    w->unchecked_bytes = 0;
    w->due = w->check_group = w->explicit_group = false;
}

/* -- closing ------------------------------------------------------------------------------------ */

static cq_status save_figures(cq_writer *w, cq_err *e)
{
    void *p;
    CQ_TRY(cq_mem_alloc(w->mem, (size_t)w->schema.n_fields * sizeof *w->figures, "the report", &p, e));
    cq_column_info *const f = p;
    for (int32_t i = 0; i < w->schema.n_fields; i++) cq_writer_get_column_info(w, i, &f[i]);
    w->figures = f;
    return CQ_OK;
}

static cq_status write_end(cq_writer *w, const cq_kv *metadata, int32_t n_metadata, cq_err *e)
{
    if (w->meta.n_rows != w->n_rows)
        return cq_fail(e, CQ_ESTATE, "%lld rows were taken and %lld written", (long long)w->n_rows, (long long)w->meta.n_rows);
    cq_footer const f = {.version = w->version, .schema = &w->schema, .sorting = w->sort.keys, .n_sorting = w->sort.n_keys, .metadata = metadata, .n_metadata = n_metadata};
    CQ_TRY(cq_file_meta_write_end(&w->meta, &f, &w->out, e));
    CQ_TRY(save_figures(w, e));
    return cq_output_finish(&w->out, e);
}

cq_status cq_writer_close(cq_writer *w, const cq_kv *metadata, int32_t n_metadata, cq_err *e)
{
    CQ_TRY(cq_writer_usable(w, e));
    if (w->explicit_group) return cq_fail(e, CQ_ESTATE, "a row group is being written: end it first");
    CQ_TRY(cq_writer_flush_group(w, e));
    cq_status const st = write_end(w, metadata, n_metadata, e);
    if (st != CQ_OK) return cq_writer_fail(w, st, e);
    cq_writer_get_info(w, &w->final);
    w->final.closed = w->closed = true;
    free_parts(w);
    return CQ_OK;
}

/* -- figures ------------------------------------------------------------------------------------ */

void cq_writer_get_info(const cq_writer *w, cq_writer_info *out)
{
    if (w->closed) {
        *out = w->final;
        out->memory_used = cq_mem_used(w->mem);
        return;
    }
    out->rows = w->n_rows;
    out->row_groups = w->meta.n_groups;
    out->bytes_written = w->out.position;
    out->memory_used = cq_mem_used(w->mem);
    out->memory_peak = cq_mem_peak(w->mem);
    out->memory_limit = w->plan.memory_limit;
    out->spilled_bytes = w->group.pages.written + w->meta.log.written;
    out->footer_bytes = w->meta.footer_bytes;
    out->closed = false;
    out->failed = w->failed;
}

void cq_writer_get_column_info(const cq_writer *w, int32_t i, cq_column_info *out)
{
    if (w->figures) {
        *out = w->figures[i];
        return;
    }
    const cq_chunk *c = &w->group.chunks[i];
    out->values = c->all_slots;
    out->nulls = c->all_nulls;
    out->compressed_bytes = c->all_compressed;
    out->uncompressed_bytes = c->all_uncompressed;
    out->pages_plain = c->all_plain;
    out->pages_dict = c->all_dict;
    out->pages_delta = c->all_delta;
    out->pages_split = c->all_split;
    out->dict_pages = c->all_dict_pages;
}
