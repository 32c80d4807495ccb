/* Parking pages and splicing groups: see row_group.h. */
#include "write/row_group.h"

#include "base/bytes.h"
#include "format/limits.h"

static int codec_number(cq_codec_kind kind)
{
    return kind == CQ_CODEC_ZSTD ? CQ_PQ_ZSTD : kind == CQ_CODEC_SNAPPY ? CQ_PQ_SNAPPY : CQ_PQ_UNCOMPRESSED;
}

static void chunk_restart(cq_chunk *c)
{
    const cq_field *f = c->meta.field;
    int const codec = c->meta.codec;
    cq_pq_page const page_type = c->meta.page_type;
    c->head = c->tail = -1;
    c->n_pages = 0;
    memset(&c->meta, 0, sizeof c->meta);
    c->meta.field = f;
    c->meta.codec = codec;
    c->meta.page_type = page_type;
    c->meta.dict_page_offset = -1;
    cq_colbuf_new_chunk(&c->col);
}

cq_status cq_row_group_open(cq_row_group *g, const cq_schema *s, const cq_plan *plan, const cq_writer_opts *o, int32_t level,
                            const char *spill_dir, cq_mem *mem, cq_err *e)
{
    memset(g, 0, sizeof *g);
    g->mem = mem;
    g->meter.max_bytes = plan->max_row_bytes;
    void *p;
    CQ_TRY(cq_mem_alloc(mem, (size_t)s->n_fields * sizeof *g->chunks, "the columns", &p, e));
    g->chunks = p;
    g->n_chunks = s->n_fields;
    for (int32_t i = 0; i < s->n_fields; i++) {
        const cq_field *f = &s->fields[i];
        cq_colbuf_opts const co = {.type = f->type, .optional = f->optional, .fixed_bytes = f->fixed_bytes, .page_rows = plan->page_rows, .page_bytes = plan->page_bytes,
                                  .dict_bytes = plan->dict_bytes, .max_value_bytes = plan->max_value_bytes};
        cq_chunk *c = &g->chunks[i];
        cq_colbuf_init(&c->col, &co, &g->meter, mem);
        c->codec = cq_writer_codec_of(o, i);
        c->meta.field = f;
        c->meta.codec = codec_number(c->codec);
        c->meta.page_type = o->profile == CQ_PROFILE_MODERN ? CQ_PQ_DATA_PAGE_V2 : CQ_PQ_DATA_PAGE;
        chunk_restart(c);
    }
    CQ_TRY(cq_page_coder_open(&g->coder, plan, o->profile, level, mem, e));
    size_t const least = plan->page_window_bytes / CQ_SPILL_BLOCK;
    return cq_spill_open(&g->pages, mem, spill_dir, least, cq_max_size(least, (size_t)(plan->memory_limit / CQ_SPILL_BLOCK)), e);
}

void cq_row_group_close(cq_row_group *g)
{
    if (!g->mem) return;
    for (int32_t i = 0; i < g->n_chunks; i++) cq_colbuf_reset(&g->chunks[i].col);
    cq_mem_free(g->mem, g->chunks, (size_t)g->n_chunks * sizeof *g->chunks);
    g->chunks = NULL;
    g->n_chunks = 0;
    cq_page_coder_close(&g->coder);
    cq_spill_close(&g->pages);
}

/* -- parking ----------------------------------------------------------------------------------- */

/* Appends the page and links it behind its column's last one; on failure the log is as before. */
static cq_status park(cq_row_group *g, cq_chunk *c, const cq_page *page, cq_err *e)
{
    cq_spill *log = &g->pages;
    int64_t at;
    int64_t const before = log->end;
    CQ_TRY(cq_spill_append(log, &page->meta, sizeof page->meta, &at, e));
    cq_status st = cq_spill_append(log, page->header, page->header_bytes, NULL, e);
    if (st == CQ_OK) st = cq_spill_append(log, page->body.p, page->body.n, NULL, e);
    if (st == CQ_OK && c->tail >= 0) st = cq_spill_patch(log, c->tail + (int64_t)offsetof(cq_page_meta, next), &at, sizeof at, e);
    if (st != CQ_OK) {
        cq_spill_truncate(log, before);
        return st;
    }
    if (c->head < 0) c->head = at;
    c->tail = at;
    return CQ_OK;
}

static void count_page(cq_row_group *g, cq_chunk *c, const cq_page_meta *p)
{
    cq_chunk_meta *m = &c->meta;
    c->n_pages++;
    m->n_slots += p->n_slots;
    m->compressed_bytes += p->header_bytes + p->compressed_bytes;
    m->uncompressed_bytes += p->header_bytes + p->uncompressed_bytes;
    m->n_plain += p->encoding == CQ_PQ_PLAIN;
    m->n_dict += p->encoding == CQ_PQ_RLE_DICTIONARY;
    m->n_delta += p->encoding == CQ_PQ_DELTA_BINARY_PACKED;
    m->n_split += p->encoding == CQ_PQ_BYTE_STREAM_SPLIT;
    cq_stats_merge(&m->stats, m->field->type, &p->stats);
    g->parked_bytes += p->header_bytes + p->compressed_bytes;
}

cq_status cq_row_group_cut_page(cq_row_group *g, int32_t column, bool continues, cq_err *e)
{
    cq_chunk *c = &g->chunks[column];
    assert(c->col.n_committed > 0 && c->col.n_committed == c->col.n_slots);
    if (c->col.split == 0 && c->col.split_mode == CQ_CHUNK_DICT) {
        /* the dictionary took not even the page's first value: there is no page before the split */
        cq_colbuf_page_done(&c->col, CQ_CHUNK_DIRECT);
        if (continues && !c->col.full) return CQ_OK;
    }
    cq_page page;
    cq_page_undo undo;
    memset(&page, 0, sizeof page); /* its meta is logged as it is, padding included */
    CQ_TRY(cq_page_encode(&g->coder, c->codec, &c->col, continues, &page, &undo, e));
    if (c->meta.uncompressed_bytes > CQ_MAX_CHUNK_BYTES - page.meta.uncompressed_bytes - CQ_PAGE_HEADER_BYTES ||
        c->meta.n_slots > CQ_MAX_GROUP_ROWS - page.meta.n_slots) {
        cq_page_take_back(&c->col, &undo);
        return cq_fail(e, CQ_ELIMIT, "a column chunk of a row group would grow beyond 2^31 - 1 bytes or rows");
    }
    cq_status const st = park(g, c, &page, e);
    if (st != CQ_OK) {
        cq_page_take_back(&c->col, &undo);
        return st;
    }
    count_page(g, c, &page.meta);
    cq_colbuf_page_done(&c->col, page.mode_after);
    cq_page_coder_shrink(&g->coder);
    return CQ_OK;
}

/* -- the splice -------------------------------------------------------------------------------- */

/* Copies parked bytes to the output through the coder's buffer, which is idle by then. */
static cq_status copy_parked(cq_row_group *g, int64_t at, int64_t n, cq_output *out, cq_err *e)
{
    cq_buf *b = &g->coder.out;
    while (n > 0) {
        size_t const k = cq_min_size((size_t)n, b->cap);
        CQ_TRY(cq_spill_read(&g->pages, at, b->data, k, e));
        CQ_TRY(cq_output_write(out, b->data, k, e));
        at += cq_i64(k);
        n -= cq_i64(k);
    }
    return CQ_OK;
}

static cq_status splice_dict(cq_row_group *g, cq_chunk *c, cq_output *out, cq_err *e)
{
    if (c->meta.n_dict == 0) return CQ_OK;
    cq_page page;
    memset(&page, 0, sizeof page);
    CQ_TRY(cq_page_encode_dict(&g->coder, c->codec, &c->col, &page, e));
    c->meta.dict_page_offset = out->position;
    CQ_TRY(cq_output_write(out, page.header, page.header_bytes, e));
    CQ_TRY(cq_output_write(out, page.body.p, page.body.n, e));
    c->meta.compressed_bytes += page.meta.header_bytes + page.meta.compressed_bytes;
    c->meta.uncompressed_bytes += page.meta.header_bytes + page.meta.uncompressed_bytes;
    return CQ_OK;
}

static cq_status splice_chunk(cq_row_group *g, cq_chunk *c, cq_output *out, cq_file_meta *meta, cq_err *e)
{
    CQ_TRY(cq_file_meta_begin_chunk(meta, c->meta.field, e));
    CQ_TRY(splice_dict(g, c, out, e));
    c->meta.data_page_offset = out->position;
    int64_t slots = 0;
    for (int64_t at = c->head; at >= 0;) {
        cq_page_meta p;
        CQ_TRY(cq_spill_read(&g->pages, at, &p, sizeof p, e));
        p.file_offset = out->position;
        CQ_TRY(copy_parked(g, at + (int64_t)sizeof p, p.header_bytes + p.compressed_bytes, out, e));
        CQ_TRY(cq_file_meta_add_page(meta, &p, e));
        slots += p.n_slots;
        at = p.next;
    }
    /* rows in = rows encoded = rows in the footer, or no file */
    if (slots != g->n_rows || c->meta.n_slots != g->n_rows)
        return cq_fail(e, CQ_ESTATE, "column '%.100s' has %lld rows in its pages where the row group has %lld", c->meta.field->name,
                       (long long)slots, (long long)g->n_rows);
    return cq_file_meta_end_chunk(meta, &c->meta, e);
}

static void count_chunk(cq_chunk *c)
{
    const cq_chunk_meta *m = &c->meta;
    c->all_slots += m->n_slots;
    c->all_nulls += m->stats.n_nulls;
    c->all_compressed += m->compressed_bytes;
    c->all_uncompressed += m->uncompressed_bytes;
    c->all_plain += m->n_plain;
    c->all_dict += m->n_dict;
    c->all_delta += m->n_delta;
    c->all_split += m->n_split;
    c->all_dict_pages += m->dict_page_offset >= 0;
}

cq_status cq_row_group_splice(cq_row_group *g, cq_output *out, cq_file_meta *meta, cq_err *e)
{
    cq_group_meta gm = {.n_rows = g->n_rows, .file_offset = out->position};
    CQ_TRY(cq_file_meta_begin_group(meta, e));
    for (int32_t i = 0; i < g->n_chunks; i++) {
        cq_chunk *c = &g->chunks[i];
        cq_status const st = splice_chunk(g, c, out, meta, e);
        if (st != CQ_OK) {
            cq_err_where(e, -1, -1, -1, i);
            return st;
        }
        gm.compressed_bytes += c->meta.compressed_bytes;
        gm.uncompressed_bytes += c->meta.uncompressed_bytes;
        count_chunk(c);
    }
    CQ_TRY(cq_file_meta_end_group(meta, &gm, e));
    cq_row_group_drop(g);
    return CQ_OK;
}

void cq_row_group_drop(cq_row_group *g)
{
    for (int32_t i = 0; i < g->n_chunks; i++) chunk_restart(&g->chunks[i]);
    cq_spill_clear(&g->pages);
    /* else a column that had dropped its dictionary begins the next one on top of all blocks: memory of
       the second group would be above the first's. What is shared goes back between groups, too. */
    (void)cq_spill_relieve(&g->pages);
    g->n_rows = 0;
    g->parked_bytes = 0;
    g->meter.bytes = 0;
}
