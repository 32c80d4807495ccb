/* Solving the plan: the largest page and dictionary sizes of a fixed ladder whose worst case fits.
 *
 * Worst case = every builder full, every dictionary full, one row of the largest size on top of
 * the builders, one page with the largest value in the compressor, the scratch of batches, and the least windows. What is
 * left over at run time serves parked pages, which give way at any time. */
#include "write/plan.h"

#include "base/bytes.h"
#include "base/spill.h"
#include "codec/delta.h"
#include "codec/rle.h"
#include "format/limits.h"
#include "write/colbuf.h"

#define KIB ((size_t)1024)
#define PAGE (4 * KIB) /* of memory, as charges are rounded */

/* Page bytes and dictionary bytes, best first. */
static const struct { size_t page, dict; } ladder[] = {
    {1024 * KIB, 1024 * KIB}, {1024 * KIB, 512 * KIB}, {512 * KIB, 1024 * KIB}, {512 * KIB, 512 * KIB},
    {256 * KIB, 512 * KIB}, {256 * KIB, 256 * KIB}, {128 * KIB, 256 * KIB}, {128 * KIB, 128 * KIB},
    {64 * KIB, 128 * KIB}, {64 * KIB, 64 * KIB}, {32 * KIB, 64 * KIB}, {32 * KIB, 32 * KIB}, {16 * KIB, 16 * KIB},
    {16 * KIB, 8 * KIB}, {8 * KIB, 8 * KIB}, {8 * KIB, 4 * KIB}, {4 * KIB, 4 * KIB}, {4 * KIB, 0},
};
#define N_LADDER (sizeof ladder / sizeof ladder[0])

#define SINK_BYTES (64 * KIB)
#define BATCH_BYTES (128 * KIB + 2 * PAGE)
#define BATCH_BYTES_PER_COLUMN ((size_t)32 * 64 + CQ_PLAN_PER_BATCH_COLUMN)
#define STEP UINT64_C(65536) /* of limits that refusals name */
#define PAGE_WINDOW_BLOCKS 4
#define META_WINDOW_BLOCKS 8

static int32_t rows_of(size_t page_bytes)
{
    return cq_i32(cq_min_i64(CQ_PAGE_ROWS, cq_i64(page_bytes / 8)));
}

size_t cq_plan_assembly_bytes(int32_t page_rows)
{
    size_t const rows = (size_t)page_rows;
    return cq_colbuf_headroom(page_rows) + 1 +
           cq_max_size(cq_rle_bound(rows, CQ_MAX_INDEX_BITS), cq_max_size(cq_delta_bound(rows, 8), cq_delta_bound(rows, 4)));
}

size_t cq_plan_body_bytes(const cq_plan *p)
{
    size_t const plain = cq_colbuf_headroom(p->page_rows) + cq_max_size(p->page_bytes + cq_max_size(64, p->max_fixed_bytes), (size_t)p->page_rows * 8);
    return cq_max_size(cq_max_size(plain, cq_plan_assembly_bytes(p->page_rows)), p->dict_bytes);
}

size_t cq_plan_out_bytes(const cq_plan *p, size_t body_bytes)
{
    size_t n = 0;
    for (int k = 0; k < CQ_N_CODECS; k++)
        if (cq_plan_uses(p, (cq_codec_kind)k)) n = cq_max_size(n, cq_codec_bound((cq_codec_kind)k, body_bytes));
    /* levels in front of packed values may take a byte more than the bound for all of them as one */
    return cq_max_size(n + 8, SINK_BYTES);
}

static uint32_t codecs_of(const cq_schema *s, const cq_plan_opts *o)
{
    uint32_t set = o->codecs ? 0 : 1u << o->codec;
    for (int32_t i = 0; o->codecs && i < s->n_fields; i++) set |= 1u << o->codecs[i];
    return set;
}

/* Fills the plan for one rung; the result may be larger than the limit. */
static void fill(cq_plan *p, const cq_schema *s, const cq_plan_opts *o, uint64_t limit, size_t page, size_t dict)
{
    memset(p, 0, sizeof *p);
    p->memory_limit = limit;
    p->page_bytes = page;
    p->page_rows = rows_of(page);
    p->dict_bytes = dict;
    size_t n_bytes = 0; /* columns of byte arrays of any length */
    size_t fixed_values = 0; /* one of each column of fixed-length byte arrays */
    for (int32_t i = 0; i < s->n_fields; i++) {
        const cq_field *f = &s->fields[i];
        cq_colbuf_opts const c = {.type = f->type, .optional = f->optional, .fixed_bytes = f->fixed_bytes, .page_rows = p->page_rows, .page_bytes = page, .dict_bytes = dict};
        p->column_bytes += cq_colbuf_memory(&c);
        n_bytes += cq_type_facts(f->type)->physical == CQ_PQ_BYTE_ARRAY;
        p->max_fixed_bytes = cq_max_size(p->max_fixed_bytes, (size_t)f->fixed_bytes);
        fixed_values += (size_t)f->fixed_bytes;
    }
    uint64_t const quarter = limit / 4;
    if (n_bytes) {
        p->max_value_bytes = (size_t)cq_min_i64(cq_i64(quarter), CQ_MAX_PAGE_BYTES / 2);
        if (o->max_value_bytes > 0) p->max_value_bytes = cq_min_size(p->max_value_bytes, (size_t)o->max_value_bytes);
        p->max_row_bytes = p->max_value_bytes;
        if (o->max_value_bytes > 0) p->max_row_bytes = cq_min_size((size_t)quarter, p->max_value_bytes * (size_t)s->n_fields);
    }
    /* A builder that a large row makes a block of its own ends in a memory page that it does not fill; larger
       builders than these have given up more than that for their ids by then. */
    size_t const rounding = page < 2 * PAGE ? cq_min_size(n_bytes, p->max_row_bytes / (CQ_MEM_LARGE - 4 * PAGE) + 1) * PAGE : 0;
    p->codecs = codecs_of(s, o);
    for (int k = 0; k < CQ_N_CODECS; k++)
        if (cq_plan_uses(p, (cq_codec_kind)k)) p->codec_bytes += cq_codec_memory((cq_codec_kind)k, o->level, page);
    size_t const body = cq_plan_body_bytes(p);
    size_t const out = cq_plan_out_bytes(p, body + p->max_value_bytes);
    p->scratch_bytes = cq_plan_assembly_bytes(p->page_rows) + (size_t)p->page_rows * 4 + out + 16 * KIB;
    p->sink_bytes = SINK_BYTES;
    p->batch_bytes = BATCH_BYTES + (size_t)s->n_fields * BATCH_BYTES_PER_COLUMN + 2 * fixed_values;
    p->page_window_bytes = PAGE_WINDOW_BLOCKS * CQ_SPILL_BLOCK;
    p->meta_window_bytes = META_WINDOW_BLOCKS * CQ_SPILL_BLOCK;
    size_t const rings = (size_t)(limit / CQ_SPILL_BLOCK) * sizeof(void *) * 4;
    p->fixed_bytes = p->column_bytes + p->max_row_bytes + p->codec_bytes + p->scratch_bytes + p->sink_bytes + p->batch_bytes + p->page_window_bytes +
                     p->meta_window_bytes + rings + rounding + (size_t)s->n_fields * CQ_PLAN_PER_COLUMN + s->bytes + CQ_PLAN_PER_WRITER +
                     2 * o->sort_key_bytes;
}

static bool fits(const cq_schema *s, const cq_plan_opts *o, uint64_t limit, size_t page)
{
    cq_plan p;
    fill(&p, s, o, limit, page, 0);
    return p.fixed_bytes <= limit;
}

/* The least multiple of STEP, above a limit that is too small, with which the smallest rung fits. The
 * largest value grows with the limit, though slower, so it is found by doubling up and halving down. */
static uint64_t least_limit(const cq_schema *s, const cq_plan_opts *o, uint64_t limit, size_t page)
{
    uint64_t const most = UINT64_MAX / 4 / STEP;
    uint64_t lo = limit / STEP, hi = lo + 1;
    while (hi < most && !fits(s, o, hi * STEP, page)) {
        lo = hi;
        hi *= 2;
    }
    while (hi - lo > 1) {
        uint64_t const mid = lo + (hi - lo) / 2;
        if (fits(s, o, mid * STEP, page))
            hi = mid;
        else
            lo = mid;
    }
    return hi * STEP;
}

cq_status cq_plan_make(cq_plan *p, const cq_schema *s, const cq_plan_opts *o, uint64_t memory_limit, cq_err *e)
{
    bool const zstd = codecs_of(s, o) >> CQ_CODEC_ZSTD & 1u;
    size_t cap = zstd && o->level >= 16 ? CQ_PAGE_BYTES_SLOW : CQ_PAGE_BYTES;
    if (o->data_page_bytes > 0) cap = cq_min_size(cap, (size_t)o->data_page_bytes);
    cap = cq_max_size(cap, 64); /* eight rows: the least that packs */
    for (size_t i = 0; i < N_LADDER; i++) {
        fill(p, s, o, memory_limit, cq_min_size(ladder[i].page, cap), ladder[i].dict);
        if (p->fixed_bytes <= memory_limit) return CQ_OK;
    }
    uint64_t const needed = least_limit(s, o, memory_limit, cq_min_size(ladder[N_LADDER - 1].page, cap));
    int const shift = needed < UINT64_C(1) << 20 ? 10 : 20;
    cq_status const st = cq_fail(e, CQ_EBUDGET, "a memory limit of %llu bytes is too small for %d column%s: at least %llu bytes would do (memory_limit=\"%llu%s\")",
                                 (unsigned long long)memory_limit, (int)s->n_fields, s->n_fields == 1 ? "" : "s", (unsigned long long)needed,
                                 (unsigned long long)((needed + (UINT64_C(1) << shift) - 1) >> shift), shift == 10 ? "KiB" : "MiB");
    if (e) {
        e->needed = needed;
        e->limit = memory_limit;
    }
    return st;
}
