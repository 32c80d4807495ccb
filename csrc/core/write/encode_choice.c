/* The measured rules: see encode_choice.h. Costs are compressed bytes of the page, scaled up from a
 * sample of up to four pieces spread over it. */
#include "write/encode_choice.h"

#include "base/bytes.h"
#include "codec/byte_stream_split.h"
#include "codec/delta.h"

#define SAMPLE_VALUES 16384
#define SAMPLE_PIECES 4
#define TIE 0.95         /* what is faster to read (PLAIN, dictionaries) is taken before what is smaller by less */
#define DICT_OVERHEAD 64 /* page headers and frames that a dictionary page adds */

unsigned cq_index_width(cq_codec_kind kind, uint32_t n_entries)
{
    unsigned const bits = n_entries > 1 ? cq_bit_width32(n_entries - 1) : 1;
    if (kind == CQ_CODEC_NONE || n_entries <= 1 || (kind == CQ_CODEC_SNAPPY && bits <= 8)) return bits;
    return (bits + 7) / 8 * 8;
}

/* -- costs ------------------------------------------------------------------------------------- */

static cq_status compressed_size(cq_page_coder *k, cq_span s, size_t *n, cq_err *e)
{
    if (k->kind == CQ_CODEC_NONE) {
        *n = s.n;
        return CQ_OK;
    }
    return cq_codec_compress(k->codec, s, k->out.data, k->out.cap, n, e);
}

static size_t sample_size(const cq_page_coder *k, size_t n, size_t width)
{
    return cq_min_size(cq_min_size(n, SAMPLE_VALUES), k->assembly.cap / width);
}

/* Piece number s of a sample of `total` of n values: where it begins, and its *m values. */
static const uint8_t *piece_of(const uint8_t *v, size_t n, size_t width, size_t total, size_t s, size_t *m)
{
    size_t const piece = total / SAMPLE_PIECES;
    *m = s + 1 == SAMPLE_PIECES ? total - piece * (SAMPLE_PIECES - 1) : piece;
    return v + (n - *m) / (SAMPLE_PIECES - 1) * s * width;
}

/* Cost of n values of `width` bytes stored as they are. `shrink` > 0 keeps only that many low bytes
 * of each (indexes). */
static cq_status raw_cost(cq_page_coder *k, const uint8_t *v, size_t n, size_t width, size_t kept, double *cost, cq_err *e)
{
    if (k->kind == CQ_CODEC_NONE) {
        *cost = (double)(n * kept);
        return CQ_OK;
    }
    size_t const total = sample_size(k, n, kept);
    uint8_t *to = k->assembly.data;
    for (size_t s = 0; s < SAMPLE_PIECES; s++) {
        size_t m;
        const uint8_t *from = piece_of(v, n, width, total, s, &m);
        if (kept == width) {
            memcpy(to, from, m * width);
            to += m * width;
        } else {
            for (size_t i = 0; i < m; i++, to += kept) memcpy(to, from + i * width, kept);
        }
    }
    size_t got;
    CQ_TRY(compressed_size(k, cq_span_of(k->assembly.data, (size_t)(to - k->assembly.data)), &got, e));
    *cost = (double)got * (double)n / (double)total;
    return CQ_OK;
}

/* Cost of n values in byte streams. Without a codec it would be that of PLAIN. */
static cq_status split_cost(cq_page_coder *k, const uint8_t *v, size_t n, size_t width, double *cost, cq_err *e)
{
    size_t const total = sample_size(k, n, width);
    uint8_t *to = k->assembly.data;
    for (size_t s = 0; s < SAMPLE_PIECES; s++) {
        size_t m;
        const uint8_t *from = piece_of(v, n, width, total, s, &m);
        if (width == 4)
            cq_byte_stream_split_4(from, m, to, total);
        else
            cq_byte_stream_split_8(from, m, to, total);
        to += m;
    }
    size_t got;
    CQ_TRY(compressed_size(k, cq_span_of(k->assembly.data, total * width), &got, e));
    *cost = (double)got * (double)n / (double)total;
    return CQ_OK;
}

static size_t delta_encode(const void *v, size_t n, size_t width, uint8_t *dst)
{
    return width == 4 ? cq_delta_encode_i32(v, n, dst) : cq_delta_encode_i64(v, n, dst);
}

static size_t delta_size(const void *v, size_t n, size_t width)
{
    return width == 4 ? cq_delta_size_i32(v, n) : cq_delta_size_i64(v, n);
}

static cq_status delta_cost(cq_page_coder *k, const uint8_t *v, size_t n, size_t width, double *cost, cq_err *e)
{
    if (k->kind == CQ_CODEC_NONE) {
        *cost = (double)delta_size(v, n, width);
        return CQ_OK;
    }
    size_t m = cq_min_size(n, SAMPLE_VALUES);
    while (cq_delta_bound(m, cq_u32(width)) > k->assembly.cap) m /= 2;
    size_t const bytes = delta_encode(v + (n - m) / 2 * width, m, width, k->assembly.data);
    size_t got;
    CQ_TRY(compressed_size(k, cq_span_of(k->assembly.data, bytes), &got, e));
    *cost = (double)got * (double)n / (double)m;
    return CQ_OK;
}

/* -- fixed width ------------------------------------------------------------------------------- */

typedef struct fixed_page {
    const uint8_t *values;
    size_t n, width;
    cq_pq_type physical;
} fixed_page;

/* Ids of values [from, to); *fits false: the dictionary took no more. */
static cq_status make_some_ids(cq_page_coder *k, cq_colbuf *c, const fixed_page *p, size_t from, size_t to, bool *fits, cq_err *e)
{
    size_t done = 0, n = to - from;
    uint32_t *ids = (uint32_t *)(void *)k->ids.data + from;
    const void *v = p->values + from * p->width;
    CQ_TRY(p->width == 4 ? cq_dict_put_u32s(&c->dict, v, n, ids, &done, e) : cq_dict_put_u64s(&c->dict, v, n, ids, &done, e));
    *fits = done == n;
    return CQ_OK;
}

/* Ids of all values. *growth: entries that another page of this kind would add, by what the second half of it did. */
static cq_status make_ids(cq_page_coder *k, cq_colbuf *c, const fixed_page *p, size_t *growth, bool *fits, cq_err *e)
{
    size_t const half = p->n / 2, before = c->dict.n_entries;
    CQ_TRY(make_some_ids(k, c, p, 0, half, fits, e));
    size_t const at_half = c->dict.n_entries;
    if (*fits) CQ_TRY(make_some_ids(k, c, p, half, p->n, fits, e));
    *growth = cq_min_size((c->dict.n_entries - at_half) * 2, c->dict.n_entries - before);
    return CQ_OK;
}

/* The encoding that may be smaller than PLAIN: integers have differences, floats have bytes that go together. */
static cq_pq_encoding rival_of_plain(const cq_page_coder *k, const fixed_page *p)
{
    bool const is_int = p->physical == CQ_PQ_INT32 || p->physical == CQ_PQ_INT64;
    bool const is_float = p->physical == CQ_PQ_FLOAT || p->physical == CQ_PQ_DOUBLE;
    if (p->n < 2) return CQ_PQ_PLAIN;
    if (is_int && k->profile != CQ_PROFILE_COMPAT) return CQ_PQ_DELTA_BINARY_PACKED;
    if (is_float && k->profile == CQ_PROFILE_MODERN && k->kind != CQ_CODEC_NONE) return CQ_PQ_BYTE_STREAM_SPLIT;
    return CQ_PQ_PLAIN;
}

/* What a page would take without a dictionary: PLAIN, and the better of PLAIN and its rival. */
typedef struct direct_cost {
    double plain, best;
    cq_pq_encoding encoding;
} direct_cost;

static cq_status choose_direct(cq_page_coder *k, const fixed_page *p, direct_cost *d, cq_err *e)
{
    cq_pq_encoding const rival = rival_of_plain(k, p);
    CQ_TRY(raw_cost(k, p->values, p->n, p->width, p->width, &d->plain, e));
    d->best = d->plain;
    d->encoding = CQ_PQ_PLAIN;
    if (rival == CQ_PQ_PLAIN) return CQ_OK;
    double cost;
    if (rival == CQ_PQ_BYTE_STREAM_SPLIT)
        CQ_TRY(split_cost(k, p->values, p->n, p->width, &cost, e));
    else
        CQ_TRY(delta_cost(k, p->values, p->n, p->width, &cost, e));
    if (cost < d->plain * TIE) {
        d->best = cost;
        d->encoding = rival;
    }
    return CQ_OK;
}

/* The same where only the encoding matters: without a rival there is nothing to measure. */
static cq_status choose_encoding(cq_page_coder *k, const fixed_page *p, cq_pq_encoding *encoding, cq_err *e)
{
    direct_cost d = {.encoding = CQ_PQ_PLAIN};
    if (rival_of_plain(k, p) != CQ_PQ_PLAIN) CQ_TRY(choose_direct(k, p, &d, e));
    *encoding = d.encoding;
    return CQ_OK;
}

/* Cost of the page's indexes into the dictionary as it is now. */
static cq_status ids_cost(cq_page_coder *k, const cq_colbuf *c, const fixed_page *p, double *cost, cq_err *e)
{
    unsigned const bits = cq_index_width(k->kind, c->dict.n_entries);
    CQ_TRY(raw_cost(k, k->ids.data, p->n, 4, (bits + 7) / 8, cost, e));
    if (bits < 8) *cost = *cost * bits / 8;
    return CQ_OK;
}

/* Byte streams do not decide about the dictionary: they are a matter of one page, it is one of all that
 * follow. A page that is smaller in streams is stored so, and the next one is the chunk's trial again. */
static cq_status choose_on_trial(cq_page_coder *k, cq_colbuf *c, const fixed_page *p, bool chunk_continues, cq_choice *out, cq_err *e)
{
    bool fits;
    size_t growth;
    CQ_TRY(make_ids(k, c, p, &growth, &fits, e));
    direct_cost direct;
    CQ_TRY(choose_direct(k, p, &direct, e));
    bool const streams = direct.encoding == CQ_PQ_BYTE_STREAM_SPLIT;
    out->encoding = direct.encoding;
    c->mode = CQ_CHUNK_DIRECT;
    if (fits) {
        double dict;
        CQ_TRY(ids_cost(k, c, p, &dict, e));
        /* a full page stands for many */
        dict += DICT_OVERHEAD + (double)((chunk_continues ? growth : c->dict.n_entries) * p->width);
        if (dict < (streams ? direct.plain : direct.best) * 0.98) c->mode = streams && direct.best < dict * TIE ? CQ_CHUNK_TRIAL : CQ_CHUNK_DICT;
    }
    if (c->mode == CQ_CHUNK_DICT)
        out->encoding = CQ_PQ_RLE_DICTIONARY;
    else
        cq_dict_reset(&c->dict);
    return CQ_OK;
}

/* A page that repeats less than it adds ends the dictionary. One that is smaller in byte streams leaves it as it was. */
static cq_status choose_admitted(cq_page_coder *k, cq_colbuf *c, const fixed_page *p, cq_choice *out, cq_err *e)
{
    uint32_t const before = c->dict.n_entries;
    bool fits;
    size_t growth;
    CQ_TRY(make_ids(k, c, p, &growth, &fits, e));
    if (!fits || (size_t)(c->dict.n_entries - before) * 2 > p->n) {
        cq_dict_truncate(&c->dict, before);
        c->mode = CQ_CHUNK_DIRECT;
        return choose_encoding(k, p, &out->encoding, e);
    }
    out->encoding = CQ_PQ_RLE_DICTIONARY;
    if (rival_of_plain(k, p) != CQ_PQ_BYTE_STREAM_SPLIT) return CQ_OK;
    double dict, streams;
    CQ_TRY(ids_cost(k, c, p, &dict, e));
    dict += (double)(growth * p->width);
    if (dict < (double)p->n / 8) return CQ_OK; /* a bit a value: nothing to gain */
    CQ_TRY(split_cost(k, p->values, p->n, p->width, &streams, e));
    if (streams >= dict * TIE) return CQ_OK;
    cq_dict_truncate(&c->dict, before);
    out->encoding = CQ_PQ_BYTE_STREAM_SPLIT;
    return CQ_OK;
}

cq_status cq_choose_fixed(cq_page_coder *k, cq_colbuf *c, bool chunk_continues, cq_choice *out, cq_err *e)
{
    fixed_page const p = {.values = c->values.data ? c->values.data + c->headroom : NULL, .n = (size_t)c->n_values, .width = c->width, .physical = cq_type_facts(c->type)->physical};
    memset(out, 0, sizeof *out);
    out->encoding = CQ_PQ_PLAIN;
    if (p.n == 0) { /* nothing to learn from: a chunk on trial stays there, and cannot have indexes of nothing */
        if (c->mode == CQ_CHUNK_DICT) out->encoding = CQ_PQ_RLE_DICTIONARY;
    } else if (c->width == 1) {
        c->mode = CQ_CHUNK_DIRECT;
    } else if (c->mode == CQ_CHUNK_TRIAL) {
        CQ_TRY(choose_on_trial(k, c, &p, chunk_continues, out, e));
    } else if (c->mode == CQ_CHUNK_DICT) {
        CQ_TRY(choose_admitted(k, c, &p, out, e));
    } else {
        CQ_TRY(choose_encoding(k, &p, &out->encoding, e));
    }
    out->mode_after = c->mode;
    out->bit_width = cq_index_width(k->kind, c->dict.n_entries);
    out->ids = (const uint32_t *)(const void *)k->ids.data;
    return CQ_OK;
}

/* -- byte arrays ------------------------------------------------------------------------------- */

cq_status cq_choose_bytes(cq_page_coder *k, cq_colbuf *c, cq_choice *out, cq_err *e)
{
    memset(out, 0, sizeof *out);
    bool const split = c->split >= 0;
    cq_chunk_mode const mode = split ? c->split_mode : c->mode;
    size_t const n = split ? (size_t)c->split_values : (size_t)c->n_values;
    out->bit_width = cq_index_width(k->kind, c->dict.n_entries);
    out->encoding = CQ_PQ_RLE_DICTIONARY;
    out->mode_after = CQ_CHUNK_DICT;
    if (mode == CQ_CHUNK_TRIAL) {
        size_t const behind = split ? c->values.len - c->headroom : 0;
        size_t const with = c->dict.plain.len + (n * out->bit_width + 7) / 8 + DICT_OVERHEAD;
        if (n == 0 && !split) { /* only nulls, which tell nothing */
            out->encoding = CQ_PQ_PLAIN;
            out->mode_after = CQ_CHUNK_TRIAL;
            return CQ_OK;
        }
        if (n == 0 || with >= c->value_bytes - behind) {
            CQ_TRY(cq_colbuf_give_up_dict(c, e));
            out->encoding = CQ_PQ_PLAIN;
        }
    } else if (mode == CQ_CHUNK_DIRECT) {
        out->encoding = CQ_PQ_PLAIN;
    } else if ((size_t)(c->dict.n_entries - c->page_entries) * 2 > n) {
        out->mode_after = CQ_CHUNK_DIRECT;
    }
    if (out->encoding == CQ_PQ_PLAIN || split) out->mode_after = CQ_CHUNK_DIRECT;
    out->ids = (const uint32_t *)(const void *)c->ids.data;
    return CQ_OK;
}
