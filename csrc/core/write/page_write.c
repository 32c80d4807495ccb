/* Assembling, compressing and heading a page: see page_write.h. */
#include "write/page_write.h"

#include "base/checksum.h"
#include "codec/byte_stream_split.h"
#include "codec/delta.h"
#include "codec/plain.h"
#include "codec/rle.h"
#include "format/limits.h"
#include "write/encode_choice.h"

cq_status cq_page_coder_open(cq_page_coder *k, const cq_plan *plan, cq_profile profile, int32_t level, cq_mem *mem, cq_err *e)
{
    static const cq_codec_kind kinds[] = {CQ_CODEC_SNAPPY, CQ_CODEC_ZSTD};
    memset(k, 0, sizeof *k);
    k->mem = mem;
    k->profile = profile;
    cq_buf_init(&k->assembly, mem);
    cq_buf_init(&k->ids, mem);
    cq_buf_init(&k->out, mem);
    bool const packs = cq_plan_uses(plan, CQ_CODEC_SNAPPY) || cq_plan_uses(plan, CQ_CODEC_ZSTD);
    k->out_ordinary = packs ? cq_plan_out_bytes(plan, cq_plan_body_bytes(plan)) : 65536;
    CQ_TRY(cq_buf_set_cap(&k->assembly, cq_plan_assembly_bytes(plan->page_rows), e));
    CQ_TRY(cq_buf_set_cap(&k->ids, (size_t)plan->page_rows * 4, e));
    CQ_TRY(cq_buf_set_cap(&k->out, k->out_ordinary, e));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (cq_plan_uses(plan, kinds[i]))
            CQ_TRY(cq_codec_open(&k->codecs[kinds[i]], kinds[i], kinds[i] == CQ_CODEC_ZSTD ? level : CQ_LEVEL_DEFAULT, plan->page_bytes, mem, e));
    return CQ_OK;
}

void cq_page_coder_close(cq_page_coder *k)
{
    if (!k->mem) return;
    for (int i = 0; i < CQ_N_CODECS; i++) {
        cq_codec_free(k->codecs[i]);
        k->codecs[i] = NULL;
    }
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

static bool is_v2(const cq_page_coder *k) { return k->profile == CQ_PROFILE_MODERN; }

/* Definition levels, before which version 1 pages have their length; nothing for required leaves. */
static size_t put_levels(const cq_page_coder *k, const page_slots *p, uint8_t *dst)
{
    if (!p->c->optional) return 0;
    size_t const at = is_v2(k) ? 0 : 4;
    size_t n;
    if (p->n_values == p->n_slots || p->n_values == 0)
        n = cq_rle_encode_const(p->n_values != 0, p->n_slots, 1, dst + at);
    else
        n = cq_rle_encode_u8(p->c->levels.data, p->n_slots, 1, dst + at);
    if (at) cq_store32(dst, cq_u32(n));
    return at + n;
}

/* The builder's values are PLAIN already: the levels go right before them, into the headroom. */
static cq_span plain_body(cq_page_coder *k, const page_slots *p, size_t *level_bytes)
{
    const cq_colbuf *c = p->c;
    size_t const n = *level_bytes = put_levels(k, p, k->assembly.data);
    if (p->n_values == 0) return cq_span_of(k->assembly.data, n);
    uint8_t *begin = c->values.data + c->headroom - n;
    if (n) memcpy(begin, k->assembly.data, n);
    return cq_span_of(begin, n + c->values.len - c->headroom);
}

static cq_span assembled_body(cq_page_coder *k, const page_slots *p, const cq_choice *choice, size_t *level_bytes)
{
    uint8_t *const dst = k->assembly.data;
    size_t n = *level_bytes = put_levels(k, p, dst);
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
    } else if (choice->encoding == CQ_PQ_BYTE_STREAM_SPLIT) {
        if (p->c->width == 4)
            cq_byte_stream_split_4(values, p->n_values, dst + n, p->n_values);
        else
            cq_byte_stream_split_8(values, p->n_values, dst + n, p->n_values);
        n += p->n_values * p->c->width;
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

/* The first bytes of a value as a number of the same order; most comparisons end there. `flip` turns the sign. */
static uint64_t front_of(cq_span v, uint64_t flip)
{
    uint8_t head[8] = {0};
    if (v.n >= 8) return __builtin_bswap64(cq_load64(v.p)) ^ flip;
    for (size_t i = 0; i < v.n; i++) head[i] = v.p[i];
    return __builtin_bswap64(cq_load64(head)) ^ flip;
}

static void bytes_stats_of_plain(const cq_colbuf *c, size_t n, cq_stats *s)
{
    if (n == 0) return;
    uint64_t const flip = cq_type_facts(c->type)->order == CQ_ORDER_DECIMAL ? UINT64_C(1) << 63 : 0;
    const uint8_t *at = c->values.data + c->headroom;
    cq_span v = cq_span_of(at, c->fixed_bytes), min, max;
    uint64_t min_front = 0, max_front = 0;
    for (size_t i = 0; i < n; i++) {
        if (c->prefix) v.n = cq_load32(at);
        v.p = at + c->prefix;
        at = v.p + v.n;
        uint64_t const front = front_of(v, flip);
        if (i == 0 || front < min_front || (front == min_front && cq_value_cmp(c->type, v, min) < 0)) {
            min = v;
            min_front = front;
        }
        if (i == 0 || front > max_front || (front == max_front && cq_value_cmp(c->type, v, max) > 0)) {
            max = v;
            max_front = front;
        }
    }
    cq_stats_add_bytes(s, c->type, min, max);
}

/* Halves count their NaNs one by one, so each value is looked at. */
static void half_stats(cq_page_coder *k, const cq_colbuf *c, const cq_choice *choice, size_t n, cq_stats *s)
{
    if (n == 0) return;
    const uint8_t *values = c->values.data + c->headroom;
    if (choice->encoding == CQ_PQ_RLE_DICTIONARY) {
        assert(2 * n <= k->assembly.cap);
        uint8_t *const to = k->assembly.data;
        for (size_t i = 0; i < n; i++) memcpy(to + 2 * i, c->dict.plain.data + 2 * (size_t)choice->ids[i], 2);
        values = to;
    }
    cq_stats_add_fixed(s, c->type, values, n);
}

static void page_stats(cq_page_coder *k, const page_slots *p, const cq_choice *choice, cq_stats *s)
{
    const cq_colbuf *c = p->c;
    cq_stats_clear(s);
    s->n_nulls = cq_i64(p->n_slots - p->n_values);
    if (c->prefix) {
        size_t const behind = c->split >= 0 ? c->values.len - c->headroom : 0;
        s->value_bytes = cq_i64(c->value_bytes - behind - c->prefix * p->n_values);
    }
    if (c->width) {
        if (p->n_values) cq_stats_add_fixed(s, c->type, c->values.data + c->headroom, p->n_values);
    } else if (c->fixed_bytes > CQ_STAT_BYTES) {
        return; /* no bounds, see stats.h */
    } else if (c->type == CQ_FLOAT16) {
        half_stats(k, c, choice, p->n_values, s);
    } else if (choice->encoding == CQ_PQ_RLE_DICTIONARY) {
        bytes_stats_of_ids(k, c, choice->ids, p->n_values, s);
    } else {
        bytes_stats_of_plain(c, p->n_values, s);
    }
}

/* -- pages ------------------------------------------------------------------------------------- */

/* Compresses the body into `out`. In a version 2 page the levels in front stay as they are, and so do
 * values that the codec does not make smaller, none at all among them. */
static cq_status compress_body(cq_page_coder *k, cq_span body, cq_page_header *h, cq_span *out, cq_err *e)
{
    bool const v2 = h->type == CQ_PQ_DATA_PAGE_V2;
    size_t const levels = (size_t)h->level_bytes;
    cq_span const values = cq_span_of(body.p + levels, body.n - levels);
    *out = body;
    if (k->kind == CQ_CODEC_NONE || (v2 && values.n == 0)) return CQ_OK;
    size_t const bound = levels + cq_codec_bound(k->kind, values.n);
    if (k->out.cap < bound) CQ_TRY(cq_buf_set_cap(&k->out, bound, e));
    size_t got;
    CQ_TRY(cq_codec_compress(k->codec, values, k->out.data + levels, k->out.cap - levels, &got, e));
    if (v2 && got >= values.n) return CQ_OK;
    if (levels) memcpy(k->out.data, body.p, levels);
    *out = cq_span_of(k->out.data, levels + got);
    h->is_compressed = true;
    return CQ_OK;
}

/* Compresses, checks the caps, makes the header, in which `h` lacks the sizes and what follows from
 * the compression. `body` may lie in the assembly. */
static cq_status finish_page(cq_page_coder *k, cq_span body, cq_page_header *h, cq_page *page, cq_err *e)
{
    CQ_TRY(compress_body(k, body, h, &page->body, e));
    if (body.n > (size_t)CQ_MAX_PAGE_BYTES || page->body.n > (size_t)CQ_MAX_PAGE_BYTES)
        return cq_fail(e, CQ_ELIMIT, "a page of %zu bytes is beyond what the format allows", body.n);
    h->uncompressed_bytes = cq_i64(body.n);
    h->compressed_bytes = cq_i64(page->body.n);
    h->crc = cq_crc32(0, page->body.p, page->body.n);
    page->header_bytes = cq_meta_page_header(h, page->header);
    cq_page_meta *m = &page->meta;
    m->next = -1;
    m->file_offset = -1;
    m->header_bytes = cq_i64(page->header_bytes);
    m->compressed_bytes = h->compressed_bytes;
    m->uncompressed_bytes = h->uncompressed_bytes;
    m->n_slots = h->n_values;
    m->encoding = h->encoding;
    return CQ_OK;
}

static void select_codec(cq_page_coder *k, cq_codec_kind kind)
{
    k->kind = kind;
    k->codec = k->codecs[kind];
}

void cq_page_take_back(cq_colbuf *c, const cq_page_undo *undo)
{
    if (c->width == 0) return; /* ids were made by the puts; giving up a dictionary is the same again */
    c->mode = undo->mode;
    if (c->dict.n_entries > undo->dict_entries) cq_dict_truncate(&c->dict, undo->dict_entries);
}

cq_status cq_page_encode(cq_page_coder *k, cq_codec_kind kind, cq_colbuf *c, bool chunk_continues, cq_page *page, cq_page_undo *undo, cq_err *e)
{
    undo->mode = c->mode;
    undo->dict_entries = c->dict.n_entries;
    select_codec(k, kind);
    cq_choice choice;
    cq_status st = c->width ? cq_choose_fixed(k, c, chunk_continues, &choice, e) : cq_choose_bytes(k, c, &choice, e);
    if (st == CQ_OK) {
        bool const split = c->split >= 0;
        page_slots const p = {.c = c, .n_slots = (size_t)(split ? c->split : c->n_committed), .n_values = (size_t)(split ? c->split_values : c->n_values)};
        page_stats(k, &p, &choice, &page->meta.stats);
        /* a version 2 page of nulls has no values, where a dictionary would have the width of its indexes */
        if (is_v2(k) && p.n_values == 0) choice.encoding = CQ_PQ_PLAIN;
        bool const in_place = choice.encoding == CQ_PQ_PLAIN && c->width != 1;
        size_t levels;
        cq_span const body = in_place ? plain_body(k, &p, &levels) : assembled_body(k, &p, &choice, &levels);
        cq_page_header h = {.type = CQ_PQ_DATA_PAGE, .encoding = choice.encoding, .n_values = cq_i64(p.n_slots)};
        if (is_v2(k)) {
            h.type = CQ_PQ_DATA_PAGE_V2;
            h.n_nulls = cq_i64(p.n_slots - p.n_values);
            h.level_bytes = cq_i64(levels);
        }
        page->mode_after = choice.mode_after;
        st = finish_page(k, body, &h, page, e);
    }
    if (st != CQ_OK) cq_page_take_back(c, undo);
    return st;
}

cq_status cq_page_encode_dict(cq_page_coder *k, cq_codec_kind kind, const cq_colbuf *c, cq_page *page, cq_err *e)
{
    cq_page_header h = {.type = CQ_PQ_DICTIONARY_PAGE, .encoding = CQ_PQ_PLAIN, .n_values = c->dict.n_entries};
    select_codec(k, kind);
    cq_stats_clear(&page->meta.stats);
    page->mode_after = c->mode;
    return finish_page(k, cq_span_of(c->dict.plain.data, c->dict.plain.len), &h, page, e);
}
