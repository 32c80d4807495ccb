/* Reading Arrow slots. Offsets, views, indexes and run ends are checked in the pass that uses them, slot by slot where
 * a check of the whole chunk failed, so that the error names the slot; what stands in null slots is not looked at. */
#include "write/arrow_read.h"

#include "base/bitmap.h"
#include "base/bytes.h"
#include "base/utf8.h"
#include "write/value_import.h"

#include <string.h>

/* One chunk on its way. */
typedef struct reading {
    cq_arrow_column *c;
    const cq_value_rule *r;
    bool trusted;
    cq_arena *scratch;
    cq_err *e;
} reading;

static cq_status take(const reading *x, int64_t n, size_t width, void **out) { return cq_arena_alloc(x->scratch, (size_t)n * width, out, x->e); }

/* One byte of validity each; NULL where none is null. */
static cq_status read_validity(const reading *x, const cq_arrow_slots *s, int64_t from, int64_t n, uint8_t **out)
{
    void *p;
    *out = NULL;
    if (!s->validity || !cq_bitmap_has_zero(s->validity, s->bit_offset + from, n)) return CQ_OK;
    CQ_TRY(take(x, n, 1, &p));
    *out = p;
    cq_bitmap_to_bytes(s->validity, s->bit_offset + from, n, *out);
    return CQ_OK;
}

/* -- byte arrays behind offsets ------------------------------------------------------------------ */

static bool is_wide(const reading *x) { return x->c->type.layout == CQ_ARROW_OFFSETS64; }

static int64_t offset_at(const reading *x, int64_t i)
{
    const uint8_t *p = x->c->values.values;
    return is_wide(x) ? cq_wrap_i64(cq_load64(p + i * 8)) : cq_wrap_i32(cq_load32(p + i * 4));
}

/* Offsets [from, from + n] that go back or are negative leave a sign bit. */
static bool offsets_ascend_32(const uint8_t *p, int64_t n)
{
    uint32_t bad = cq_load32(p);
    for (int64_t i = 0; i < n; i++) {
        uint32_t const a = cq_load32(p + i * 4), b = cq_load32(p + i * 4 + 4);
        bad |= b | (b - a);
    }
    return !(bad >> 31);
}

static bool offsets_ascend_64(const uint8_t *p, int64_t n)
{
    uint64_t bad = cq_load64(p);
    for (int64_t i = 0; i < n; i++) {
        uint64_t const a = cq_load64(p + i * 8), b = cq_load64(p + i * 8 + 8);
        bad |= b | (b - a);
    }
    return !(bad >> 63);
}

static cq_status bad_offsets(const reading *x, int64_t i, int64_t from)
{
    int64_t const a = offset_at(x, from + i), b = offset_at(x, from + i + 1);
    return cq_at_slot(cq_fail(x->e, CQ_EFORMAT, "the Arrow producer gave offsets from %lld to %lld, of %lld bytes", (long long)a, (long long)b, (long long)x->c->values.data_end), i, x->e);
}

static bool offsets_are_good(const reading *x, int64_t i)
{
    int64_t const a = offset_at(x, i), b = offset_at(x, i + 1);
    return a >= 0 && a <= b && b <= x->c->values.data_end;
}

static cq_status check_offsets(const reading *x, int64_t from, int64_t n)
{
    const uint8_t *p = x->c->values.values + from * (is_wide(x) ? 8 : 4);
    if ((is_wide(x) ? offsets_ascend_64(p, n) : offsets_ascend_32(p, n)) && offset_at(x, from + n) <= x->c->values.data_end) return CQ_OK;
    int64_t i = 0;
    while (i < n - 1 && offsets_are_good(x, from + i)) i++;
    return bad_offsets(x, i, from);
}

/* Offsets that were checked. An empty value has some address, though there may be no bytes. */
static cq_span span_of(const uint8_t *data, int64_t a, int64_t b) { return cq_span_of(data ? data + a : (const uint8_t *)"", (size_t)(b - a)); }

static void spans_of_offsets(const reading *x, int64_t from, int64_t n, cq_span *spans)
{
    const uint8_t *data = x->c->values.data, *offsets = x->c->values.values;
    if (is_wide(x)) {
        const uint8_t *p = offsets + from * 8;
        for (int64_t i = 0; i < n; i++) spans[i] = span_of(data, cq_wrap_i64(cq_load64(p + i * 8)), cq_wrap_i64(cq_load64(p + i * 8 + 8)));
    } else {
        const uint8_t *p = offsets + from * 4;
        for (int64_t i = 0; i < n; i++) spans[i] = span_of(data, cq_wrap_i32(cq_load32(p + i * 4)), cq_wrap_i32(cq_load32(p + i * 4 + 4)));
    }
}

static bool is_ascii(const uint8_t *p, size_t n)
{
    uint8_t all = 0;
    for (size_t i = 0; i < n; i++) all |= p[i];
    return all < 0x80;
}

/* True where every span is UTF-8, by a look at all bytes together and at where they are cut. False tells nothing: nulls
 * may hide bytes of any kind. */
static bool bytes_are_text(const reading *x, const cq_span *spans, int64_t from, int64_t n)
{
    int64_t const a = offset_at(x, from), b = offset_at(x, from + n);
    if (a == b) return true;
    const uint8_t *p = x->c->values.data + a, *end = p + (b - a);
    if (is_ascii(p, (size_t)(b - a))) return true;
    if (!cq_utf8_valid(p, (size_t)(b - a))) return false;
    for (int64_t i = 0; i < n; i++)
        if (spans[i].p < end && (*spans[i].p & 0xC0) == 0x80) return false;
    return true;
}

/* -- byte arrays behind views -------------------------------------------------------------------- */

static cq_status bad_view(const reading *x, int64_t size, int64_t buffer, int64_t at, int64_t i)
{
    return cq_at_slot(cq_fail(x->e, CQ_EFORMAT, "the Arrow producer gave a view of %lld bytes at %lld of buffer %lld, which is not there", (long long)size, (long long)at, (long long)buffer), i, x->e);
}

/* The view of slot i as bytes; `row` for the error. */
static cq_status read_view(const reading *x, int64_t i, int64_t row, cq_span *out)
{
    const cq_arrow_slots *s = &x->c->values;
    const uint8_t *v = s->values + i * 16;
    int32_t const size = cq_wrap_i32(cq_load32(v));
    if (size >= 0 && size <= 12) {
        *out = cq_span_of(v + 4, (size_t)size);
        return CQ_OK;
    }
    int32_t const buffer = cq_wrap_i32(cq_load32(v + 8)), at = cq_wrap_i32(cq_load32(v + 12));
    if (size < 0 || buffer < 0 || buffer >= s->n_variadic || at < 0) return bad_view(x, size, buffer, at, row);
    int64_t const bytes = cq_wrap_i64(cq_load64(s->variadic_bytes + (size_t)buffer * 8));
    if (at > bytes || size > bytes - at || !s->variadic[buffer]) return bad_view(x, size, buffer, at, row);
    *out = cq_span_of((const uint8_t *)s->variadic[buffer] + at, (size_t)size);
    return CQ_OK;
}

/* -- plain slots --------------------------------------------------------------------------------- */

static cq_span fixed_span(const cq_arrow_column *c, int64_t i) { return cq_span_of(c->values.values + i * c->type.width, (size_t)c->type.width); }

static cq_status read_spans(const reading *x, int64_t from, int64_t n, cq_vec *out)
{
    uint8_t *validity;
    void *p;
    bool trusted = x->trusted;
    CQ_TRY(read_validity(x, &x->c->values, from, n, &validity));
    CQ_TRY(take(x, n, sizeof(cq_span), &p));
    cq_span *spans = p;
    switch (x->c->type.layout) {
    case CQ_ARROW_FIXED:
        for (int64_t i = 0; i < n; i++) spans[i] = fixed_span(x->c, from + i);
        break;
    case CQ_ARROW_VIEWS:
        for (int64_t i = 0; i < n; i++) {
            spans[i] = cq_span_of("", 0);
            if (cq_is_value(validity, i)) CQ_TRY(read_view(x, from + i, i, &spans[i]));
        }
        break;
    default:
        CQ_TRY(check_offsets(x, from, n));
        spans_of_offsets(x, from, n, spans);
        trusted = trusted || (x->r->op == CQ_OP_TEXT && bytes_are_text(x, spans, from, n));
        break;
    }
    return cq_value_convert_spans(x->r, spans, validity, n, trusted, out, x->e);
}

static cq_status read_numbers(const reading *x, int64_t from, int64_t n, cq_vec *out)
{
    const cq_arrow_slots *s = &x->c->values;
    size_t const width = x->r->from.width;
    uint8_t *validity;
    void *copy;
    CQ_TRY(read_validity(x, s, from, n, &validity));
    if (x->c->type.layout == CQ_ARROW_BITS) {
        CQ_TRY(take(x, n, 1, &copy));
        cq_bitmap_to_bytes(s->values, s->bit_offset + from, n, copy);
        return cq_value_convert(x->r, copy, validity, n, x->scratch, out, x->e);
    }
    const uint8_t *raw = s->values + (size_t)from * width;
    if ((uintptr_t)raw % cq_min_size(width, 8) != 0) {
        CQ_TRY(take(x, n, width, &copy));
        memcpy(copy, raw, (size_t)n * width);
        raw = copy;
    }
    return cq_value_convert(x->r, raw, validity, n, x->scratch, out, x->e);
}

/* -- dictionaries -------------------------------------------------------------------------------- */

#define DEFINE_INDEXES(FROM)                                                                                           \
    static bool indexes_of_##FROM(const uint8_t *raw, const uint8_t *validity, int64_t n, uint64_t count, uint32_t *out) \
    {                                                                                                                  \
        bool bad = false;                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            FROM##_t v;                                                                                                \
            memcpy(&v, raw + (size_t)i * sizeof v, sizeof v);                                                          \
            bool const good = (uint64_t)v < count, null = validity && !validity[i]; /* lint: a negative one is large */ \
            bad |= !good & !null;                                                                                      \
            out[i] = (good & !null) ? (uint32_t)v : 0; /* lint: count fits */                                            \
        }                                                                                                              \
        return !bad;                                                                                                   \
    }
DEFINE_INDEXES(int8)
DEFINE_INDEXES(uint8)
DEFINE_INDEXES(int16)
DEFINE_INDEXES(uint16)
DEFINE_INDEXES(int32)
DEFINE_INDEXES(uint32)
DEFINE_INDEXES(int64)
DEFINE_INDEXES(uint64)

static bool indexes_of(const cq_arrow_type *t, const uint8_t *raw, const uint8_t *validity, int64_t n, uint64_t count, uint32_t *out)
{
    switch (t->index_width) {
    case 1: return (t->index_signed ? indexes_of_int8 : indexes_of_uint8)(raw, validity, n, count, out);
    case 2: return (t->index_signed ? indexes_of_int16 : indexes_of_uint16)(raw, validity, n, count, out);
    case 4: return (t->index_signed ? indexes_of_int32 : indexes_of_uint32)(raw, validity, n, count, out);
    default: return (t->index_signed ? indexes_of_int64 : indexes_of_uint64)(raw, validity, n, count, out);
    }
}

static cq_status bad_index(const reading *x, const uint8_t *raw, const uint8_t *validity, int64_t n)
{
    const cq_arrow_type *t = &x->c->type;
    int64_t i = 0;
    uint32_t ignored;
    while (i < n - 1 && indexes_of(t, raw + i * t->index_width, validity ? validity + i : NULL, 1, (uint64_t)x->c->values.n, &ignored)) i++;
    uint64_t v = 0;
    memcpy(&v, raw + i * t->index_width, (size_t)t->index_width);
    unsigned const shift = 64 - (unsigned)t->index_width * 8; /* lint: 0 to 56 */
    int64_t const shown = t->index_signed ? cq_wrap_i64(v << shift) >> shift : cq_wrap_i64(v);
    return cq_at_slot(cq_fail(x->e, CQ_EFORMAT, "the Arrow producer gave index %lld into a dictionary of %lld values", (long long)shown, (long long)x->c->values.n), i, x->e);
}

/* The positions in the dictionary, 0 for nulls; a null of the dictionary makes its slots null. *validity NULL: no nulls.
 * An empty dictionary, to which only nulls refer, gives *all_null. */
static cq_status read_indexes(const reading *x, int64_t from, int64_t n, uint32_t **out, uint8_t **validity, bool *all_null)
{
    const cq_arrow_slots *dictionary = &x->c->values;
    const uint8_t *raw = x->c->index.values + from * x->c->type.index_width;
    void *p;
    CQ_TRY(read_validity(x, &x->c->index, from, n, validity));
    CQ_TRY(take(x, n, 4, &p));
    uint32_t *index = p;
    if (!indexes_of(&x->c->type, raw, *validity, n, (uint64_t)dictionary->n, index)) return bad_index(x, raw, *validity, n);
    *out = index;
    *all_null = dictionary->n == 0;
    if (*all_null || !dictionary->validity) return CQ_OK;
    bool any = false;
    for (int64_t i = 0; i < n && !any; i++) any = !cq_bitmap_get(dictionary->validity, dictionary->bit_offset + index[i]);
    if (!any) return CQ_OK;
    if (!*validity) {
        CQ_TRY(take(x, n, 1, &p));
        *validity = p;
        memset(*validity, 1, (size_t)n);
    }
    for (int64_t i = 0; i < n; i++) (*validity)[i] &= cq_bitmap_get(dictionary->validity, dictionary->bit_offset + index[i]);
    return CQ_OK;
}

/* One entry of a dictionary of byte arrays, checked; `row` for errors. */
static cq_status read_entry(const reading *x, int64_t i, int64_t row, cq_span *out)
{
    switch (x->c->type.layout) {
    case CQ_ARROW_FIXED: *out = fixed_span(x->c, i); return CQ_OK;
    case CQ_ARROW_VIEWS: return read_view(x, i, row, out);
    default:
        if (!offsets_are_good(x, i))
            return cq_at_slot(cq_fail(x->e, CQ_EFORMAT, "the Arrow producer gave offsets from %lld to %lld, of %lld bytes", (long long)offset_at(x, i), (long long)offset_at(x, i + 1),
                                   (long long)x->c->values.data_end), row, x->e);
        *out = span_of(x->c->values.data, offset_at(x, i), offset_at(x, i + 1));
        return CQ_OK;
    }
}

/* Whether all entries are well-formed: worth knowing where slots refer to them many times. */
static bool dictionary_is_good(const reading *x)
{
    const cq_arrow_slots *s = &x->c->values;
    reading quiet = *x;
    quiet.e = NULL;
    if (s->n / 4 > x->c->index.n) return false; /* most entries are not referred to */
    for (int64_t i = 0; i < s->n; i++) {
        cq_span v;
        if (s->validity && !cq_bitmap_get(s->validity, s->bit_offset + i)) continue;
        if (read_entry(&quiet, i, i, &v) != CQ_OK || cq_value_check_span(x->r, v, NULL) != CQ_OK) return false;
    }
    return true;
}

static cq_status read_entries(const reading *x, int64_t from, int64_t n, cq_vec *out)
{
    uint32_t *index;
    uint8_t *validity;
    bool all_null;
    void *p;
    CQ_TRY(read_indexes(x, from, n, &index, &validity, &all_null));
    *out = cq_vec_null(x->r->field->type);
    if (all_null) return CQ_OK;
    if (x->c->dictionary == CQ_DICTIONARY_NEW) x->c->dictionary = dictionary_is_good(x) ? CQ_DICTIONARY_CHECKED : CQ_DICTIONARY_BY_SLOT;
    CQ_TRY(take(x, n, sizeof(cq_span), &p));
    cq_span *spans = p;
    bool const checked = x->c->dictionary == CQ_DICTIONARY_CHECKED;
    if (checked && x->c->type.layout == CQ_ARROW_OFFSETS32) {
        const uint8_t *offsets = x->c->values.values, *data = x->c->values.data;
        for (int64_t i = 0; i < n; i++) {
            const uint8_t *o = offsets + (size_t)index[i] * 4;
            spans[i] = span_of(data, cq_wrap_i32(cq_load32(o)), cq_wrap_i32(cq_load32(o + 4)));
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            spans[i] = cq_span_of("", 0);
            if (cq_is_value(validity, i)) CQ_TRY(read_entry(x, index[i], i, &spans[i]));
        }
    }
    *out = cq_vec_spans(x->r->field->type, spans, validity);
    if (!checked) CQ_TRY(cq_value_convert_spans(x->r, spans, validity, n, x->trusted, out, x->e));
    out->repeats = true;
    return CQ_OK;
}

#define DEFINE_GATHER(BITS)                                                                                            \
    static void gather_##BITS(const uint8_t *from, const uint32_t *index, int64_t n, uint8_t *to)                      \
    {                                                                                                                  \
        for (int64_t i = 0; i < n; i++) memcpy(to + (size_t)i * (BITS / 8), from + (size_t)index[i] * (BITS / 8), BITS / 8); \
    }
DEFINE_GATHER(8)
DEFINE_GATHER(16)
DEFINE_GATHER(32)
DEFINE_GATHER(64)
DEFINE_GATHER(128)
DEFINE_GATHER(256)

static cq_status read_gathered(const reading *x, int64_t from, int64_t n, cq_vec *out)
{
    const cq_arrow_slots *s = &x->c->values;
    size_t const width = x->r->from.width;
    uint32_t *index;
    uint8_t *validity;
    bool all_null;
    void *p;
    CQ_TRY(read_indexes(x, from, n, &index, &validity, &all_null));
    *out = cq_vec_null(x->r->field->type);
    if (all_null) return CQ_OK;
    CQ_TRY(take(x, n, width, &p));
    uint8_t *to = p;
    if (x->c->type.layout == CQ_ARROW_BITS) {
        for (int64_t i = 0; i < n; i++) to[i] = cq_bitmap_get(s->values, s->bit_offset + index[i]);
        return cq_value_convert(x->r, to, validity, n, x->scratch, out, x->e);
    }
    switch (width) {
    case 1: gather_8(s->values, index, n, to); break;
    case 2: gather_16(s->values, index, n, to); break;
    case 4: gather_32(s->values, index, n, to); break;
    case 8: gather_64(s->values, index, n, to); break;
    case 16: gather_128(s->values, index, n, to); break;
    default: gather_256(s->values, index, n, to); break;
    }
    return cq_value_convert(x->r, to, validity, n, x->scratch, out, x->e);
}

/* -- run ends ------------------------------------------------------------------------------------ */

static cq_status read_plain(const reading *x, int64_t from, int64_t n, cq_vec *out)
{
    bool const bytes = x->r->from.width == 0;
    if (x->c->type.is_dictionary) return bytes ? read_entries(x, from, n, out) : read_gathered(x, from, n, out);
    return bytes ? read_spans(x, from, n, out) : read_numbers(x, from, n, out);
}

/* The first run that ends behind `at`; the last one does. */
static int64_t find_run(const cq_arrow_column *c, int64_t at)
{
    int64_t lo = 0, hi = c->run_ends.n - 1;
    while (lo < hi) {
        int64_t const mid = lo + (hi - lo) / 2;
        if (cq_arrow_run_end(c, mid) > at)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

/* Lengths of the runs of slots [at, at + n), the first being `run`: at most n runs, for none is empty, whatever becomes
 * of ends that increased when they were checked. */
static cq_status read_runs(const reading *x, int64_t run, int64_t at, int64_t n, int64_t *lengths, int64_t *n_runs)
{
    int64_t const end = at + n;
    *n_runs = 0;
    for (int64_t pos = at; pos < end; run++) {
        int64_t const next = run < x->c->run_ends.n ? cq_arrow_run_end(x->c, run) : 0;
        if (next <= pos) return cq_fail(x->e, CQ_ECHANGED, "run ends of an Arrow array were changed while it was read");
        lengths[(*n_runs)++] = cq_min_i64(next, end) - pos;
        pos = cq_min_i64(next, end);
    }
    return CQ_OK;
}

#define DEFINE_EXPAND(NAME, TYPE)                                                                                      \
    static void expand_##NAME(const TYPE *from, const int64_t *lengths, int64_t n_runs, TYPE *to)                      \
    {                                                                                                                  \
        for (int64_t r = 0; r < n_runs; r++)                                                                           \
            for (int64_t i = 0; i < lengths[r]; i++) *to++ = from[r];                                                  \
    }
DEFINE_EXPAND(8, uint8_t)
DEFINE_EXPAND(32, uint32_t)
DEFINE_EXPAND(64, uint64_t)
DEFINE_EXPAND(spans, cq_span)

static cq_status expand(const reading *x, const cq_vec *runs, const int64_t *lengths, int64_t n_runs, int64_t n, cq_vec *out)
{
    void *to, *validity;
    *out = *runs;
    if (runs->shape == CQ_VEC_CONST) return CQ_OK;
    if (n_runs == 1) {
        *out = cq_vec_const(runs->type, x->r->width ? cq_span_of(runs->values, x->r->width) : runs->spans[0]);
        if (runs->validity && !runs->validity[0]) *out = cq_vec_null(runs->type);
        return CQ_OK;
    }
    if (runs->validity) {
        CQ_TRY(take(x, n, 1, &validity));
        expand_8(runs->validity, lengths, n_runs, validity);
        out->validity = validity;
    }
    CQ_TRY(take(x, n, x->r->width ? x->r->width : sizeof(cq_span), &to));
    out->repeats = x->r->width == 0;
    switch (x->r->width) {
    case 0: expand_spans(runs->spans, lengths, n_runs, to); out->spans = to; return CQ_OK;
    case 1: expand_8(runs->values, lengths, n_runs, to); break;
    case 4: expand_32(runs->values, lengths, n_runs, to); break;
    default: expand_64(runs->values, lengths, n_runs, to); break;
    }
    out->values = to;
    return CQ_OK;
}

static cq_status read_run_ends(const reading *x, int64_t from, int64_t n, cq_vec *out)
{
    int64_t const at = x->c->first + from, run = find_run(x->c, at);
    int64_t n_runs = 0;
    void *p;
    cq_vec runs;
    CQ_TRY(take(x, n, sizeof(int64_t), &p));
    int64_t *lengths = p;
    CQ_TRY(read_runs(x, run, at, n, lengths, &n_runs));
    cq_status const st = read_plain(x, run, n_runs, &runs);
    if (st != CQ_OK) {
        int64_t slot = 0;
        if (x->e && x->e->row >= 0) {
            for (int64_t r = 0; r < x->e->row; r++) slot += lengths[r];
            x->e->row = slot;
        }
        return st;
    }
    return expand(x, &runs, lengths, n_runs, n, out);
}

cq_status cq_arrow_read(cq_arrow_column *c, const cq_value_rule *r, bool trusted, int64_t from, int64_t n, cq_arena *scratch, cq_vec *out, cq_err *e)
{
    reading const x = {.c = c, .r = r, .trusted = trusted, .scratch = scratch, .e = e};
    if (r->op == CQ_OP_NULL) {
        *out = cq_vec_null(r->field->type);
        return CQ_OK;
    }
    return c->type.is_run_end ? read_run_ends(&x, from, n, out) : read_plain(&x, from, n, out);
}

size_t cq_arrow_row_bytes(const cq_arrow_column *c, const cq_value_rule *r)
{
    if (r->op == CQ_OP_NULL) return 0;
    size_t const copied = r->from.width ? r->from.width : sizeof(cq_span), stored = r->width ? r->width : sizeof(cq_span);
    size_t n = 1 + copied + cq_value_row_bytes(r);
    if (c->type.is_dictionary) n += 4;
    if (c->type.is_run_end) n += 8 + 1 + stored;
    return n;
}
