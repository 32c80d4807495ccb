/* Column builders: puts, commit and abort of rows, appending vectors. What becomes of a full page
 * is decided elsewhere (encode_choice.h, page_write.h).
 *
 * Buffer growth is bounded by hand: up to the page's ordinary size by doubling, beyond it exactly,
 * because the plan counts ordinary sizes for every column and large values once for the row. */
#include "write/colbuf.h"

#include "codec/rle.h"
#include "format/limits.h"

static bool is_bytes(const cq_colbuf *c) { return c->width == 0; }

size_t cq_colbuf_headroom(int32_t page_rows) { return (4 + cq_rle_bound((size_t)page_rows, 1) + 7) / 8 * 8; }

static size_t headroom_of(bool optional, int32_t page_rows) { return optional ? cq_colbuf_headroom(page_rows) : 0; }

/* Ordinary capacity of `values` behind the headroom. PLAIN byte arrays may end one value's prefix beyond
 * page_bytes, those of fixed length one whole value. */
static size_t ordinary_bytes(size_t width, size_t fixed_bytes, size_t page_bytes, size_t page_rows)
{
    if (width) return page_rows * width;
    return fixed_bytes ? cq_min_size(page_bytes + fixed_bytes, page_rows * fixed_bytes) : page_bytes + 64;
}

static size_t ordinary_values(const cq_colbuf *c)
{
    return c->headroom + ordinary_bytes(c->width, c->fixed_bytes, c->page_bytes, (size_t)c->page_rows);
}

size_t cq_colbuf_memory(const cq_colbuf_opts *o)
{
    size_t const width = cq_type_facts(o->type)->width, rows = (size_t)o->page_rows;
    size_t const values = headroom_of(o->optional, o->page_rows) + ordinary_bytes(width, (size_t)o->fixed_bytes, o->page_bytes, rows);
    size_t const ids = width ? 0 : rows * 4;
    size_t const levels = o->optional ? rows : 0;
    size_t const dict = width == 1 ? 0 : o->dict_bytes;
    return (size_t)(cq_mem_charge_of(values) + cq_mem_charge_of(ids) + cq_mem_charge_of(levels)) + dict;
}

static void init_dict(cq_colbuf *c, size_t dict_bytes)
{
    cq_dict_limits const none = {0, 0};
    if (c->fixed_bytes)
        cq_dict_init_fixed(&c->dict, c->mem, c->fixed_bytes, cq_dict_caps_fixed(c->fixed_bytes, dict_bytes));
    else
        cq_dict_init(&c->dict, c->mem, c->width == 1 ? 4 : c->width, c->width == 1 ? none : cq_dict_caps(c->width, dict_bytes));
}

void cq_colbuf_init(cq_colbuf *c, const cq_colbuf_opts *o, cq_row_meter *row, cq_mem *mem)
{
    memset(c, 0, sizeof *c);
    c->type = o->type;
    c->width = cq_type_facts(o->type)->width;
    c->fixed_bytes = (size_t)o->fixed_bytes;
    c->prefix = c->width == 0 && !c->fixed_bytes ? 4 : 0;
    c->optional = o->optional;
    c->page_rows = o->page_rows;
    c->page_bytes = o->page_bytes;
    c->max_value_bytes = c->fixed_bytes ? c->fixed_bytes : o->max_value_bytes;
    c->headroom = headroom_of(o->optional, o->page_rows);
    c->unmetered.max_bytes = SIZE_MAX;
    c->row = c->fixed_bytes ? &c->unmetered : row;
    c->mem = mem;
    cq_buf_init(&c->levels, mem);
    cq_buf_init(&c->values, mem);
    cq_buf_init(&c->ids, mem);
    init_dict(c, o->dict_bytes);
    cq_colbuf_new_chunk(c);
}

void cq_colbuf_reset(cq_colbuf *c)
{
    cq_buf_reset(&c->levels);
    cq_buf_reset(&c->values);
    cq_buf_reset(&c->ids);
    cq_dict_reset(&c->dict);
}

static void empty_page(cq_colbuf *c)
{
    c->full = c->has_levels = false;
    c->n_slots = c->n_committed = c->n_values = 0;
    c->split = -1;
    c->split_values = 0;
    c->value_bytes = c->undo_bytes = c->undo_row = 0;
    c->levels.len = c->ids.len = 0;
    c->values.len = cq_min_size(c->values.cap, c->headroom); /* 0 while nothing is allocated */
}

/* A buffer that a large value has stretched goes back to its ordinary size. Where the smaller size
 * is not granted the larger block simply stays. */
static void shrink_values(cq_colbuf *c)
{
    size_t const cap = cq_max_size(ordinary_values(c), c->values.len);
    if (c->values.cap <= cap) return;
    cq_status const st = cq_buf_set_cap(&c->values, cap, NULL);
    (void)st;
}

void cq_colbuf_new_chunk(cq_colbuf *c)
{
    empty_page(c);
    shrink_values(c);
    c->mode = c->dict.limits.max_entries > 0 ? CQ_CHUNK_TRIAL : CQ_CHUNK_DIRECT;
    /* interned values need no buffer, and dictionary and buffer together would be more than the first chunk had */
    if (is_bytes(c) && c->mode == CQ_CHUNK_TRIAL) cq_buf_reset(&c->values);
    cq_dict_clear(&c->dict);
    c->page_entries = 0;
    c->last_id = CQ_NO_ID;
    c->epoch++;
}

/* Grows `b` for `extra` bytes: doubling up to `ordinary`, exactly beyond it. */
static cq_status grow(cq_buf *b, size_t extra, size_t ordinary, cq_err *e)
{
    size_t const need = b->len + extra;
    if (need <= b->cap) return CQ_OK;
    size_t want = need;
    if (need <= ordinary) {
        want = cq_max_size(need, b->cap * 2);
        if (want > ordinary || ordinary <= 16384) want = ordinary;
    }
    return cq_buf_set_cap(b, want, e);
}

static cq_status need_values(cq_colbuf *c, size_t extra, cq_err *e)
{
    size_t const lead = c->values.len < c->headroom ? c->headroom - c->values.len : 0;
    if (c->values.cap - c->values.len < lead + extra) CQ_TRY(grow(&c->values, lead + extra, ordinary_values(c), e));
    c->values.len += lead;
    return CQ_OK;
}

static cq_status need_ids(cq_colbuf *c, size_t n, cq_err *e) { return grow(&c->ids, n * 4, (size_t)c->page_rows * 4, e); }

/* Room for n more levels; the first null of a page makes the levels of the slots before it. */
static cq_status need_levels(cq_colbuf *c, size_t n, cq_err *e)
{
    size_t const have = c->has_levels ? 0 : (size_t)c->n_slots;
    CQ_TRY(grow(&c->levels, have + n, (size_t)c->page_rows, e));
    if (!c->has_levels) {
        if (have) memset(c->levels.data, 1, have);
        c->levels.len = have;
        c->has_levels = true;
    }
    return CQ_OK;
}

static cq_status page_is_full(cq_err *e)
{
    return cq_fail(e, CQ_ESTATE, "a value was put on a full page: settle the writer first");
}

static void slot_added(cq_colbuf *c, bool is_value)
{
    if (c->has_levels) cq_buf_put_byte(&c->levels, is_value);
    c->n_slots++;
    c->n_values += is_value;
    if (c->n_slots == c->page_rows) c->full = true;
}

/* A slot's level has to fit before its value is stored: then nothing needs to be undone. */
static cq_status need_slot(cq_colbuf *c, cq_err *e)
{
    if (c->full) return page_is_full(e);
    return c->has_levels ? need_levels(c, 1, e) : CQ_OK;
}

cq_status cq_colbuf_put_fixed(cq_colbuf *c, const void *v, cq_err *e)
{
    CQ_TRY(need_slot(c, e));
    CQ_TRY(need_values(c, c->width, e));
    cq_buf_put(&c->values, v, c->width);
    slot_added(c, true);
    return CQ_OK;
}

cq_status cq_colbuf_put_null(cq_colbuf *c, cq_err *e)
{
    if (!c->optional) return cq_fail(e, CQ_EVALUE, "null in a required column");
    if (c->full) return page_is_full(e);
    CQ_TRY(need_levels(c, 1, e));
    c->undo_bytes = c->value_bytes;
    c->undo_entries = c->dict.n_entries;
    slot_added(c, false);
    return CQ_OK;
}

/* -- byte arrays ------------------------------------------------------------------------------- */

static cq_status refuse_length(const cq_colbuf *c, size_t n, cq_err *e)
{
    if (c->fixed_bytes) return cq_fail(e, CQ_EVALUE, "a value of %zu bytes in a column whose values have %zu", n, c->fixed_bytes);
    const char *advice = c->row->advice ? c->row->advice : "";
    if (n > c->max_value_bytes)
        return cq_fail(e, CQ_ELIMIT, "a value of %zu bytes is larger than the memory limit allows (%zu bytes)%s", n,
                       c->max_value_bytes, advice);
    return cq_fail(e, CQ_ELIMIT, "a row of %zu bytes or more is larger than the memory limit allows (%zu bytes)%s",
                   c->row->bytes + n, c->row->max_bytes, advice);
}

static cq_status check_length(const cq_colbuf *c, size_t n, cq_err *e)
{
    if (n <= c->max_value_bytes && n >= c->fixed_bytes && n <= c->row->max_bytes - c->row->bytes) return CQ_OK;
    return refuse_length(c, n, e);
}

/* A byte array of n bytes was stored in whichever form. */
static void bytes_added(cq_colbuf *c, size_t n)
{
    c->undo_bytes = c->value_bytes;
    c->undo_row = n;
    c->row->bytes += n;
    c->value_bytes += c->prefix + n;
    slot_added(c, true);
    if (c->mode != CQ_CHUNK_DICT && c->value_bytes >= c->page_bytes) c->full = true;
    if (c->split >= 0) c->full = true;
}

/* PLAIN: the bytes stand behind the place of their length already or are copied there. */
static cq_status put_direct(cq_colbuf *c, const void *p, size_t n, cq_err *e)
{
    CQ_TRY(need_values(c, c->prefix + n, e));
    uint8_t *to = c->values.data + c->values.len;
    if (p != to + c->prefix && n) memcpy(to + c->prefix, p, n);
    if (c->prefix) cq_store32(to, cq_u32(n));
    c->values.len += c->prefix + n;
    bytes_added(c, n);
    return CQ_OK;
}

/* The dictionary takes no more: the page is split here and cut after this row. */
static cq_status put_when_dict_full(cq_colbuf *c, const void *p, size_t n, cq_err *e)
{
    CQ_TRY(need_values(c, c->prefix + n, e)); /* so that the put below cannot fail */
    c->split = c->n_slots;
    c->split_values = c->n_values;
    c->split_mode = c->mode;
    c->mode = CQ_CHUNK_DIRECT;
    c->epoch++;
    return put_direct(c, p, n, e);
}

/* Equal neighbours are common in sorted data: they cost a comparison instead of a hash. */
static bool equals_last(const cq_colbuf *c, const void *p, size_t n)
{
    if (c->last_id == CQ_NO_ID) return false;
    cq_span const v = cq_dict_entry(&c->dict, c->last_id);
    return v.n == n && (n == 0 || memcmp(v.p, p, n) == 0);
}

cq_status cq_colbuf_put_bytes(cq_colbuf *c, const void *p, size_t n, cq_err *e)
{
    CQ_TRY(need_slot(c, e));
    CQ_TRY(check_length(c, n, e));
    c->undo_entries = c->dict.n_entries;
    if (c->mode == CQ_CHUNK_DIRECT) return put_direct(c, p, n, e);
    CQ_TRY(need_ids(c, 1, e));
    uint32_t id = c->last_id;
    if (!equals_last(c, p, n)) {
        bool full = false;
        CQ_TRY(cq_dict_put_bytes(&c->dict, p, n, &id, &full, e));
        if (full) return put_when_dict_full(c, p, n, e);
    }
    cq_buf_put(&c->ids, &id, 4);
    c->last_id = id;
    bytes_added(c, n);
    return CQ_OK;
}

cq_status cq_colbuf_put_id(cq_colbuf *c, uint32_t id, cq_err *e)
{
    assert(c->mode != CQ_CHUNK_DIRECT && id < c->dict.n_entries);
    CQ_TRY(need_slot(c, e));
    size_t const n = cq_dict_entry(&c->dict, id).n;
    CQ_TRY(check_length(c, n, e));
    CQ_TRY(need_ids(c, 1, e));
    c->undo_entries = c->dict.n_entries;
    cq_buf_put(&c->ids, &id, 4);
    c->last_id = id;
    bytes_added(c, n);
    return CQ_OK;
}

cq_status cq_colbuf_reserve_bytes(cq_colbuf *c, size_t n, uint8_t **dst, cq_err *e)
{
    CQ_TRY(need_slot(c, e));
    CQ_TRY(check_length(c, n, e));
    CQ_TRY(need_values(c, c->prefix + n, e));
    *dst = c->values.data + c->values.len + c->prefix;
    return CQ_OK;
}

cq_status cq_colbuf_commit_bytes(cq_colbuf *c, size_t n, cq_err *e)
{
    CQ_TRY(cq_colbuf_put_bytes(c, c->values.data + c->values.len + c->prefix, n, e));
    /* a page of ids may go on for long: the room for this value is not the next column's */
    if (c->mode != CQ_CHUNK_DIRECT) shrink_values(c);
    return CQ_OK;
}

/* -- rows -------------------------------------------------------------------------------------- */

static void abort_bytes(cq_colbuf *c)
{
    if (c->mode != CQ_CHUNK_DIRECT) {
        c->ids.len -= 4;
        if (c->dict.n_entries > c->undo_entries) {
            cq_dict_truncate(&c->dict, c->undo_entries);
            c->epoch++;
        }
        c->last_id = CQ_NO_ID;
    } else {
        c->values.len -= c->prefix + c->undo_row;
        if (c->split == c->n_slots) {
            c->mode = c->split_mode;
            c->split = -1;
        }
    }
    c->value_bytes = c->undo_bytes;
}

static void abort_value(cq_colbuf *c)
{
    bool is_null = false;
    if (c->has_levels) is_null = c->levels.data[--c->levels.len] == 0;
    c->n_slots--;
    if (!is_null) {
        c->n_values--;
        if (is_bytes(c))
            abort_bytes(c);
        else
            c->values.len -= c->width;
    }
    c->full = false; /* a full page would not have taken the row */
    c->undo_row = 0;
}

void cq_colbuf_abort(cq_colbuf *c)
{
    if (c->n_slots != c->n_committed) abort_value(c);
    shrink_values(c); /* also where room was reserved and nothing put */
}

cq_span cq_colbuf_last_value(const cq_colbuf *c, bool *is_null)
{
    assert(c->n_slots > 0);
    *is_null = c->has_levels && c->levels.data[c->n_slots - 1] == 0;
    if (*is_null) return cq_span_of(NULL, 0);
    if (!is_bytes(c)) return cq_span_of(c->values.data + c->values.len - c->width, c->width);
    if (c->mode != CQ_CHUNK_DIRECT) return cq_dict_entry(&c->dict, cq_load32(c->ids.data + c->ids.len - 4));
    return cq_span_of(c->values.data + c->values.len - c->undo_row, c->undo_row);
}

/* -- vectors ----------------------------------------------------------------------------------- */

static void fill_fixed(uint8_t *to, const cq_vec *v, unsigned width, int64_t from, size_t n)
{
    if (v->shape == CQ_VEC_FLAT) {
        memcpy(to, (const uint8_t *)v->values + (size_t)from * width, n * width);
    } else if (v->shape == CQ_VEC_RAMP) {
        int64_t x = v->start + from * v->step;
        for (size_t i = 0; i < n; i++, x = cq_wrap_i64((uint64_t)x + (uint64_t)v->step)) memcpy(to + i * 8, &x, 8);
    } else if (width == 1) {
        memset(to, v->constant.p[0], n);
    } else if (width == 4) {
        uint32_t const x = cq_load32(v->constant.p);
        for (size_t i = 0; i < n; i++) cq_store32(to + i * 4, x);
    } else {
        uint64_t const x = cq_load64(v->constant.p);
        for (size_t i = 0; i < n; i++) cq_store64(to + i * 8, x);
    }
}

/* n slots of values were stored, of byte arrays `value_bytes` with them. */
static void values_added(cq_colbuf *c, size_t n)
{
    if (c->has_levels) {
        memset(c->levels.data + c->levels.len, 1, n);
        c->levels.len += n;
    }
    c->n_slots += cq_i32((int64_t)n);
    c->n_values += cq_i32((int64_t)n);
    if (c->n_slots == c->page_rows) c->full = true;
    if (is_bytes(c) && c->mode != CQ_CHUNK_DICT && c->value_bytes >= c->page_bytes) c->full = true;
}

static cq_status append_fixed(cq_colbuf *c, const cq_vec *v, int64_t from, size_t n, cq_err *e)
{
    if (c->has_levels) CQ_TRY(need_levels(c, n, e));
    CQ_TRY(need_values(c, n * c->width, e));
    fill_fixed(c->values.data + c->values.len, v, c->width, from, n);
    c->values.len += n * c->width;
    values_added(c, n);
    return CQ_OK;
}

/* Values and nulls in any order: every slot is copied, a null's is overwritten by the next. */
static cq_status append_fixed_or_null(cq_colbuf *c, const cq_vec *v, int64_t from, size_t n, cq_err *e)
{
    const uint8_t *valid = v->validity + from, *values = (const uint8_t *)v->values + (size_t)from * c->width;
    if (!memchr(valid, 0, n)) return append_fixed(c, v, from, n, e);
    CQ_TRY(need_levels(c, n, e));
    CQ_TRY(need_values(c, n * c->width, e));
    uint8_t *const begin = c->values.data + c->values.len, *to = begin;
    if (c->width == 8)
        for (size_t i = 0; i < n; to += 8u * valid[i], i++) memcpy(to, values + i * 8, 8);
    else if (c->width == 4)
        for (size_t i = 0; i < n; to += 4u * valid[i], i++) memcpy(to, values + i * 4, 4);
    else
        for (size_t i = 0; i < n; to += valid[i], i++) *to = values[i];
    cq_buf_put(&c->levels, valid, n);
    size_t const bytes = (size_t)(to - begin);
    c->values.len += bytes;
    c->n_values += cq_i32((int64_t)(bytes / c->width));
    c->n_slots += cq_i32((int64_t)n);
    if (c->n_slots == c->page_rows) c->full = true;
    return CQ_OK;
}

static cq_status append_nulls(cq_colbuf *c, size_t n, cq_err *e)
{
    CQ_TRY(need_levels(c, n, e));
    memset(c->levels.data + c->levels.len, 0, n);
    c->levels.len += n;
    c->n_slots += cq_i32((int64_t)n);
    if (c->n_slots == c->page_rows) c->full = true;
    return CQ_OK;
}

/* How many more values of `value` PLAIN bytes a page takes that is cut by its bytes: the one that fills it too. */
static size_t values_to_cut(const cq_colbuf *c, size_t value) { return (c->page_bytes - c->value_bytes + value - 1) / value; }

/* The last value, which has an id, up to n times more: as many as the page takes. */
static cq_status repeat_id(cq_colbuf *c, uint32_t id, size_t n, cq_err *e)
{
    size_t const value = c->prefix + cq_dict_entry(&c->dict, id).n;
    size_t k = cq_min_size(n, (size_t)(c->page_rows - c->n_slots));
    if (c->mode == CQ_CHUNK_TRIAL) k = cq_min_size(k, values_to_cut(c, value));
    CQ_TRY(need_ids(c, k, e));
    if (c->has_levels) CQ_TRY(need_levels(c, k, e));
    for (size_t i = 0; i < k; i++) memcpy(c->ids.data + c->ids.len + i * 4, &id, 4);
    c->ids.len += k * 4;
    c->value_bytes += k * value;
    values_added(c, k);
    return CQ_OK;
}

static cq_status append_one_bytes(cq_colbuf *c, cq_span v, cq_err *e)
{
    c->row->bytes = 0; /* rows of a batch were measured before */
    cq_status const st = cq_colbuf_put_bytes(c, v.p, v.n, e);
    c->row->bytes = 0;
    if (st == CQ_OK) cq_colbuf_commit(c);
    return st;
}

/* Values in PLAIN form; `step` 0: the first span again and again. */
static cq_status append_direct_fixed(cq_colbuf *c, const cq_span *s, size_t step, size_t n, cq_err *e)
{
    size_t const size = c->fixed_bytes;
    n = cq_min_size(n, values_to_cut(c, size));
    CQ_TRY(need_values(c, n * size, e));
    uint8_t *to = c->values.data + c->values.len;
    if (size == 16)
        for (size_t i = 0; i < n; i++, s += step) memcpy(to + i * 16, s->p, 16);
    else
        for (size_t i = 0; i < n; i++, s += step) memcpy(to + i * size, s->p, size);
    c->values.len += n * size;
    c->value_bytes += n * size;
    values_added(c, n);
    return CQ_OK;
}

static cq_status append_direct(cq_colbuf *c, const cq_span *s, size_t step, size_t n, cq_err *e)
{
    if (c->has_levels) CQ_TRY(need_levels(c, n, e));
    if (c->fixed_bytes) return append_direct_fixed(c, s, step, n, e);
    CQ_TRY(need_values(c, 0, e)); /* the headroom */
    cq_status st = CQ_OK;
    size_t const most = c->page_bytes - c->value_bytes;
    size_t bytes = 0, k = 0, room = c->values.cap - c->values.len;
    uint8_t *to = c->values.data ? c->values.data + c->values.len : NULL;
    for (; k < n && bytes < most; k++, s += step) {
        size_t const value = 4 + s->n;
        if (room < value) {
            st = need_values(c, value, e);
            if (st != CQ_OK) break;
            to = c->values.data + c->values.len;
            room = c->values.cap - c->values.len;
        }
        cq_store32(to, cq_u32(s->n));
        if (s->n) memcpy(to + 4, s->p, s->n);
        to += value;
        room -= value;
        bytes += value;
        c->values.len += value;
    }
    c->value_bytes += bytes;
    values_added(c, k);
    return st;
}

/* What the spans of one vector told so far: equal pointers are equal values, which need no comparing. */
enum { KNOWN_SPANS = 512 };
typedef struct known_span {
    const uint8_t *p;
    uint32_t n, id_plus_1; /* 0: nothing is known */
} known_span;
typedef struct span_memory {
    cq_span last;          /* its id is the builder's last_id */
    bool has_last, repeats;
    known_span known[KNOWN_SPANS]; /* set only where `repeats` */
} span_memory;

static inline known_span *known_place(span_memory *m, cq_span v)
{
    return &m->known[((uint64_t)(uintptr_t)v.p * UINT64_C(0x9E3779B97F4A7C15)) >> 55];
}

/* Values as ids of the dictionary. Ids die only with the page at hand, so those of one call stay good. */
static cq_status append_interned(cq_colbuf *c, const cq_span *s, size_t n, span_memory *m, cq_err *e)
{
    CQ_TRY(need_ids(c, n, e));
    if (c->has_levels) CQ_TRY(need_levels(c, n, e));
    cq_status st = CQ_OK;
    size_t const most = c->mode == CQ_CHUNK_TRIAL ? c->page_bytes - c->value_bytes : SIZE_MAX, prefix = c->prefix;
    uint8_t *const ids = c->ids.data + c->ids.len;
    size_t bytes = 0, k = 0;
    bool full = false;
    for (; k < n && bytes < most; k++, s++) {
        cq_span const v = *s;
        uint32_t id = c->last_id;
        if (!m->has_last || v.p != m->last.p || v.n != m->last.n) {
            known_span *at = m->repeats ? known_place(m, v) : NULL;
            if (at && at->p == v.p && at->n == v.n && at->id_plus_1) {
                id = at->id_plus_1 - 1;
            } else if (!equals_last(c, v.p, v.n)) {
                st = cq_dict_put_bytes(&c->dict, v.p, v.n, &id, &full, e);
                if (st != CQ_OK || full) break;
                if (at) {
                    at->p = v.p;
                    at->n = cq_u32(v.n);
                    at->id_plus_1 = id + 1;
                }
            }
            m->last = v;
            m->has_last = true;
            c->last_id = id;
        }
        memcpy(ids + k * 4, &id, 4);
        bytes += prefix + v.n;
    }
    c->ids.len += k * 4;
    c->value_bytes += bytes;
    values_added(c, k);
    if (!full) return st;
    m->has_last = false;
    st = put_when_dict_full(c, s->p, s->n, e);
    c->row->bytes = 0; /* rows of a batch were measured before */
    return st;
}

static cq_status append_const_bytes(cq_colbuf *c, const cq_vec *v, size_t n, cq_err *e)
{
    if (c->mode == CQ_CHUNK_DIRECT) return append_direct(c, &v->constant, 0, n, e);
    CQ_TRY(append_one_bytes(c, v->constant, e));
    uint32_t const id = cq_colbuf_last_id(c);
    if (c->full || n == 1 || id == CQ_NO_ID) return CQ_OK;
    return repeat_id(c, id, n - 1, e);
}

/* One step: at least one slot, at most n, never beyond the page; on failure perhaps some. n_slots tells. */
static cq_status append_step(cq_colbuf *c, const cq_vec *v, int64_t from, size_t n, span_memory *m, cq_err *e)
{
    n = cq_min_size(n, (size_t)(c->page_rows - c->n_slots));
    if (v->shape == CQ_VEC_CONST && v->is_null) return append_nulls(c, n, e);
    if (v->shape == CQ_VEC_CONST && is_bytes(c)) return append_const_bytes(c, v, n, e);
    if (v->shape != CQ_VEC_FLAT || (!v->validity && !is_bytes(c))) return append_fixed(c, v, from, n, e);
    if (v->validity && !is_bytes(c)) return append_fixed_or_null(c, v, from, n, e);
    if (v->validity) { /* a run of nulls or of values at a time */
        uint8_t const first = v->validity[from];
        size_t k = 1;
        while (k < n && v->validity[from + (int64_t)k] == first) k++;
        n = k;
        if (!first) return append_nulls(c, n, e);
    }
    if (c->mode == CQ_CHUNK_DIRECT) return append_direct(c, v->spans + from, 1, n, e);
    return append_interned(c, v->spans + from, n, m, e);
}

cq_status cq_colbuf_append_vec(cq_colbuf *c, const cq_vec *v, int64_t from, int64_t n, int64_t *done, cq_err *e)
{
    span_memory m;
    m.has_last = false;
    m.repeats = v->shape == CQ_VEC_FLAT && is_bytes(c) && v->repeats && c->mode != CQ_CHUNK_DIRECT;
    if (m.repeats) memset(m.known, 0, sizeof m.known);
    *done = 0;
    while (*done < n && !c->full) {
        int32_t const before = c->n_slots;
        cq_status const st = append_step(c, v, from + *done, (size_t)(n - *done), &m, e);
        cq_colbuf_commit(c);
        *done += c->n_slots - before;
        if (st != CQ_OK) return st;
    }
    return CQ_OK;
}

/* -- the page cut ------------------------------------------------------------------------------ */

cq_status cq_colbuf_give_up_dict(cq_colbuf *c, cq_err *e)
{
    assert(is_bytes(c) && (c->mode == CQ_CHUNK_TRIAL || (c->split >= 0 && c->split_mode == CQ_CHUNK_TRIAL)));
    size_t const behind = c->values.len > c->headroom ? c->values.len - c->headroom : 0; /* the split's values */
    size_t const interned = c->value_bytes - behind;
    CQ_TRY(need_values(c, interned, e));
    uint8_t *to = c->values.data + c->headroom;
    if (behind) memmove(to + interned, to, behind);
    for (size_t i = 0; i < c->ids.len; i += 4) {
        cq_span const v = cq_dict_entry(&c->dict, cq_load32(c->ids.data + i));
        if (c->prefix) cq_store32(to, cq_u32(v.n));
        if (v.n) memcpy(to + c->prefix, v.p, v.n);
        to += c->prefix + v.n;
    }
    c->values.len = c->headroom + c->value_bytes;
    cq_buf_reset(&c->ids);
    cq_dict_reset(&c->dict);
    c->mode = CQ_CHUNK_DIRECT;
    c->split = -1;
    c->last_id = CQ_NO_ID;
    c->epoch++;
    /* `full` stays: where the split made it so, a cut that fails now has to be made again at this slot */
    return CQ_OK;
}

void cq_colbuf_page_done(cq_colbuf *c, cq_chunk_mode mode)
{
    if (mode != c->mode) {
        c->mode = mode;
        c->last_id = CQ_NO_ID;
        c->epoch++;
    }
    if (c->split < 0) {
        empty_page(c);
    } else {
        int32_t const first = c->split;
        c->n_slots -= first;
        c->n_values -= c->split_values;
        c->n_committed = c->n_slots;
        c->split = -1;
        c->value_bytes = c->values.len - c->headroom;
        if (c->has_levels) {
            c->levels.len -= (size_t)first;
            memmove(c->levels.data, c->levels.data + first, c->levels.len);
            c->has_levels = c->n_values != c->n_slots;
            if (!c->has_levels) c->levels.len = 0;
        }
        c->full = c->n_slots == c->page_rows || c->value_bytes >= c->page_bytes;
    }
    if (is_bytes(c) && c->mode == CQ_CHUNK_DIRECT) cq_buf_reset(&c->ids);
    c->page_entries = c->dict.n_entries;
    shrink_values(c);
}
