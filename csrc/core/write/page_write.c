/* Assembling, compressing and heading a page: see page_write.h. */
#include "write/page_write.h"

#include "base/checksum.h"
#include "codec/delta.h"
#include "codec/plain.h"
#include "codec/rle.h"
#include "format/limits.h"
#include "write/encode_choice.h"

cq_status cq_page_coder_open(cq_page_coder *k, const cq_plan *plan, cq_codec_kind kind, int32_t level, cq_mem *mem, cq_err *e)
{
    memset(k, 0, sizeof *k);
    k->mem = mem;
    k->kind = kind;
    cq_buf_init(&k->assembly, mem);
    cq_buf_init(&k->ids, mem);
    cq_buf_init(&k->out, mem);
    k->out_ordinary = kind == CQ_CODEC_NONE ? 65536 : cq_max_size(65536, cq_codec_bound(kind, cq_plan_body_bytes(plan)));
    CQ_TRY(cq_buf_set_cap(&k->assembly, cq_plan_assembly_bytes(plan->page_rows), e));
    CQ_TRY(cq_buf_set_cap(&k->ids, (size_t)plan->page_rows * 4, e));
    CQ_TRY(cq_buf_set_cap(&k->out, k->out_ordinary, e));
    if (kind == CQ_CODEC_NONE) return CQ_OK;
    return cq_codec_open(&k->codec, kind, level, plan->page_bytes, mem, e);
}

void cq_page_coder_close(cq_page_coder *k)
{
    if (!k->mem) return;
    cq_codec_free(k->codec);
    k->codec = NULL;
    cq_buf_reset(&k->assembly);
    cq_buf_reset(&k->ids);
    cq_buf_reset(&k->out);
}

void cq_page_coder_shrink(cq_page_coder *k)
{
    if (k->out.cap <= k->out_ordinary) return;
    cq_status const st = cq_buf_set_cap(&k->out, k->out_ordinary, NULL);
    (void)st; /* the larger block stays where the smaller one is not granted */
}

/* -- bodies ------------------------------------------------------------------------------------ */

typedef struct page_slots {
    const cq_colbuf *c;
    size_t n_slots, n_values;
} page_slots;

/* Definition levels with their length, as v1 pages have them; nothing for required leaves. */
static size_t put_levels(const page_slots *p, uint8_t *dst)
{
    if (!p->c->optional) return 0;
    size_t n;
    if (p->n_values == p->n_slots || p->n_values == 0)
        n = cq_rle_encode_const(p->n_values != 0, p->n_slots, 1, dst + 4);
    else
        n = cq_rle_encode_u8(p->c->levels.data, p->n_slots, 1, dst + 4);
    cq_store32(dst, cq_u32(n));
    return 4 + n;
}

/* The builder's values are PLAIN already: the levels go right before them, into the headroom. */
static cq_span plain_body(cq_page_coder *k, const page_slots *p)
{
    const cq_colbuf *c = p->c;
    if (c->values.len == 0) return cq_span_of(k->assembly.data, put_levels(p, k->assembly.data)); /* only nulls so far */
    size_t const n = put_levels(p, k->assembly.data);
    uint8_t *begin = c->values.data + c->headroom - n;
    if (n) memcpy(begin, k->assembly.data, n);
    return cq_span_of(begin, n + c->values.len - c->headroom);
}

static cq_span assembled_body(cq_page_coder *k, const page_slots *p, const cq_choice *choice)
{
    uint8_t *const dst = k->assembly.data;
    size_t n = put_levels(p, dst);
    const uint8_t *values = p->c->values.data ? p->c->values.data + p->c->headroom : NULL;
    if (choice->encoding == CQ_PQ_RLE_DICTIONARY) {
        dst[n++] = cq_u8(choice->bit_width);
        if (p->n_values && k->kind == CQ_CODEC_ZSTD)
            n += cq_rle_encode_u32_min(choice->ids, p->n_values, choice->bit_width, CQ_RLE_MIN_RUN_ZSTD, dst + n);
        else if (p->n_values)
            n += cq_rle_encode_u32(choice->ids, p->n_values, choice->bit_width, dst + n);
    } else if (choice->encoding == CQ_PQ_DELTA_BINARY_PACKED) {
        n += p->c->width == 4 ? cq_delta_encode_i32((const int32_t *)(const void *)values, p->n_values, dst + n)
                              : cq_delta_encode_i64((const int64_t *)(const void *)values, p->n_values, dst + n);
    } else { /* booleans */
        if (p->n_values) n += cq_plain_encode_bool(values, p->n_values, dst + n);
    }
    return cq_span_of(dst, n);
}

/* -- statistics -------------------------------------------------------------------------------- */

static void bytes_stats_of_ids(cq_page_coder *k, const cq_colbuf *c, const uint32_t *ids, size_t n, cq_stats *s)
{
    if (n == 0) return;
    /* each distinct id is compared once: a bitmap tells which were. Where the pages are so small beside
       the dictionary that it finds no room, there are few to compare. */
    size_t const bitmap_bytes = (c->dict.n_entries + 7) / 8;
    uint8_t *seen = bitmap_bytes <= k->assembly.cap ? k->assembly.data : NULL;
    if (seen) memset(seen, 0, bitmap_bytes);
    uint32_t last = ids[0];
    cq_span min = cq_dict_entry(&c->dict, last), max = min;
    if (seen) seen[last / 8] = cq_low8(1u << last % 8);
    for (size_t i = 1; i < n; i++) {
        uint32_t const id = ids[i];
        if (id == last) continue;
        last = id;
        if (seen && (seen[id / 8] >> id % 8 & 1u)) continue;
        if (seen) seen[id / 8] = cq_low8(seen[id / 8] | 1u << id % 8);
        cq_span const v = cq_dict_entry(&c->dict, id);
        if (cq_value_cmp(c->type, v, min) < 0) min = v;
        if (cq_value_cmp(c->type, v, max) > 0) max = v;
    }
    cq_stats_add_bytes(s, c->type, min, max);
}

static void bytes_stats_of_plain(const cq_colbuf *c, size_t n, cq_stats *s)
{
    if (n == 0) return;
    const uint8_t *at = c->values.data + c->headroom;
    cq_span min = cq_span_of(at + 4, cq_load32(at)), max = min;
    for (size_t i = 0; i < n; i++) {
        cq_span const v = cq_span_of(at + 4, cq_load32(at));
        at += 4 + v.n;
        if (cq_value_cmp(c->type, v, min) < 0)
            min = v;
        else if (cq_value_cmp(c->type, v, max) > 0)
            max = v;
    }
    cq_stats_add_bytes(s, c->type, min, max);
}

static void page_stats(cq_page_coder *k, const page_slots *p, const cq_choice *choice, cq_stats *s)
{
    const cq_colbuf *c = p->c;
    cq_stats_clear(s);
    if (c->width) {
        if (p->n_values) cq_stats_add_fixed(s, c->type, c->values.data + c->headroom, p->n_values);
    } else {
        size_t const behind = c->split >= 0 ? c->values.len - c->headroom : 0;
        s->value_bytes = cq_i64(c->value_bytes - behind - 4 * p->n_values);
        if (choice->encoding == CQ_PQ_RLE_DICTIONARY)
            bytes_stats_of_ids(k, c, choice->ids, p->n_values, s);
        else
            bytes_stats_of_plain(c, p->n_values, s);
    }
    s->n_nulls = cq_i64(p->n_slots - p->n_values);
}

/* -- pages ------------------------------------------------------------------------------------- */

/* Compresses, checks the caps, makes the header. `body` may lie in the assembly. */
static cq_status finish_page(cq_page_coder *k, cq_span body, cq_pq_page type, cq_pq_encoding encoding, int64_t n, cq_page *page, cq_err *e)
{
    page->body = body;
    if (k->kind != CQ_CODEC_NONE) {
        size_t const bound = cq_codec_bound(k->kind, body.n);
        if (k->out.cap < bound) CQ_TRY(cq_buf_set_cap(&k->out, bound, e));
        size_t got;
        CQ_TRY(cq_codec_compress(k->codec, body, k->out.data, k->out.cap, &got, e));
        page->body = cq_span_of(k->out.data, got);
    }
    if (body.n > (size_t)CQ_MAX_PAGE_BYTES || page->body.n > (size_t)CQ_MAX_PAGE_BYTES)
        return cq_fail(e, CQ_ELIMIT, "a page of %zu bytes is beyond what the format allows", body.n);
    cq_page_header const h = {
        .type = type,
        .encoding = encoding,
        .n_values = n,
        .uncompressed_bytes = cq_i64(body.n),
        .compressed_bytes = cq_i64(page->body.n),
        .crc = cq_crc32(0, page->body.p, page->body.n),
    };
    page->header_bytes = cq_meta_page_header(&h, page->header);
    cq_page_meta *m = &page->meta;
    m->next = -1;
    m->file_offset = -1;
    m->header_bytes = cq_i64(page->header_bytes);
    m->compressed_bytes = h.compressed_bytes;
    m->uncompressed_bytes = h.uncompressed_bytes;
    m->n_slots = n;
    m->encoding = encoding;
    return CQ_OK;
}

void cq_page_take_back(cq_colbuf *c, const cq_page_undo *undo)
{
    if (c->width == 0) return; /* ids were made by the puts; giving up a dictionary is the same again */
    c->mode = undo->mode;
    if (c->dict.n_entries > undo->dict_entries) cq_dict_truncate(&c->dict, undo->dict_entries);
}

cq_status cq_page_encode(cq_page_coder *k, cq_colbuf *c, bool chunk_continues, cq_page *page, cq_page_undo *undo, cq_err *e)
{
    undo->mode = c->mode;
    undo->dict_entries = c->dict.n_entries;
    cq_choice choice;
    cq_status st = c->width ? cq_choose_fixed(k, c, chunk_continues, &choice, e) : cq_choose_bytes(k, c, &choice, e);
    if (st == CQ_OK) {
        bool const split = c->split >= 0;
        page_slots const p = {.c = c, .n_slots = (size_t)(split ? c->split : c->n_committed), .n_values = (size_t)(split ? c->split_values : c->n_values)};
        page_stats(k, &p, &choice, &page->meta.stats);
        bool const in_place = choice.encoding == CQ_PQ_PLAIN && c->width != 1;
        cq_span const body = in_place ? plain_body(k, &p) : assembled_body(k, &p, &choice);
        page->mode_after = choice.mode_after;
        st = finish_page(k, body, CQ_PQ_DATA_PAGE, choice.encoding, cq_i64(p.n_slots), page, e);
    }
    if (st != CQ_OK) cq_page_take_back(c, undo);
    return st;
}

cq_status cq_page_encode_dict(cq_page_coder *k, const cq_colbuf *c, cq_page *page, cq_err *e)
{
    cq_stats_clear(&page->meta.stats);
    page->mode_after = c->mode;
    return finish_page(k, cq_span_of(c->dict.plain.data, c->dict.plain.len), CQ_PQ_DICTIONARY_PAGE, CQ_PQ_PLAIN, c->dict.n_entries, page, e);
}
