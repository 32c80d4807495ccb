/* What the tests of columns from outside share: fields, Arrow arrays of any layout built from a list of seeds, each
 * buffer in a block of exactly its size (so that sanitizers see one byte too many), and what a seed is once stored. */
#ifndef CQ_IMPORT_HELP_H
#define CQ_IMPORT_HELP_H

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "write/column_import.h"

#include "cqtest.h"

/* -- memory that lives as long as a test ----------------------------------------------------------------------------- */

typedef struct ih_pool {
    void *blocks[4096];
    size_t n;
} ih_pool;

static inline void *ih_alloc(ih_pool *p, size_t n)
{
    CQT(p->n < sizeof p->blocks / sizeof p->blocks[0]);
    void *b = malloc(n ? n : 1);
    CQT(b != NULL);
    memset(b, 0, n);
    p->blocks[p->n++] = b;
    return b;
}

static inline void ih_free(ih_pool *p)
{
    while (p->n > 0) free(p->blocks[--p->n]);
}

/* -- fields and vectors ---------------------------------------------------------------------------------------------- */

/* A field as the schema makes it. `a` is the length of CQ_FIXED or the precision, `b` the scale. */
static inline cq_field ih_field(cq_type type, bool optional, int32_t a, int32_t b)
{
    static const char name[] = "x";
    cq_field f = {.name = name, .name_bytes = 1, .type = type, .optional = optional, .max_def = optional, .field_id = -1};
    if (cq_type_facts(type)->logical == CQ_PQ_LOGICAL_DECIMAL) {
        f.type = cq_type_of_decimal(a);
        f.precision = a;
        f.scale = b;
    }
    if (f.type == CQ_DECIMAL128) f.fixed_bytes = cq_decimal_bytes(a);
    if (type == CQ_FIXED) f.fixed_bytes = a;
    if (type == CQ_UUID) f.fixed_bytes = 16;
    if (type == CQ_FLOAT16) f.fixed_bytes = 2;
    return f;
}

/* The value of a slot as it is stored; false: null. */
static inline bool ih_value(const cq_vec *v, int64_t i, cq_span *out)
{
    size_t const width = cq_type_facts(v->type)->width;
    CQT(v->shape != CQ_VEC_RAMP);
    if (v->shape == CQ_VEC_CONST) {
        *out = v->constant;
        return !v->is_null;
    }
    if (v->validity) CQT(v->validity[i] <= 1);
    if (v->validity && !v->validity[i]) return false;
    *out = width ? cq_span_of((const uint8_t *)v->values + (size_t)i * width, width) : v->spans[i];
    CQT(out->p != NULL);
    return true;
}

static inline int64_t ih_int(const cq_vec *v, int64_t i)
{
    cq_span s;
    CQT(ih_value(v, i, &s));
    return s.n == 8 ? cq_wrap_i64(cq_load64(s.p)) : s.n == 4 ? cq_wrap_i32(cq_load32(s.p)) : s.p[0];
}

static inline double ih_float(const cq_vec *v, int64_t i)
{
    cq_span s;
    float f;
    double d;
    CQT(ih_value(v, i, &s));
    if (s.n == 8) return memcpy(&d, s.p, 8), d;
    CQT_EQ_U(s.n, 4);
    return memcpy(&f, s.p, 4), (double)f;
}

/* -- Arrow structs --------------------------------------------------------------------------------------------------- */

static inline void ih_release_schema(struct ArrowSchema *s) { s->release = NULL; }
static inline void ih_release_array(struct ArrowArray *a) { a->release = NULL; }

static inline struct ArrowSchema *ih_schema(ih_pool *p, const char *format)
{
    struct ArrowSchema *s = ih_alloc(p, sizeof *s);
    char *text = ih_alloc(p, strlen(format) + 1);
    memcpy(text, format, strlen(format) + 1);
    s->format = text;
    s->name = "x";
    s->flags = ARROW_FLAG_NULLABLE;
    s->release = ih_release_schema;
    return s;
}

static inline struct ArrowSchema *ih_dictionary_schema(ih_pool *p, const char *index, const char *values)
{
    struct ArrowSchema *s = ih_schema(p, index);
    s->dictionary = ih_schema(p, values);
    return s;
}

static inline struct ArrowSchema *ih_run_schema(ih_pool *p, const char *ends, struct ArrowSchema *values)
{
    struct ArrowSchema *s = ih_schema(p, "+r");
    s->n_children = 2;
    s->children = ih_alloc(p, 2 * sizeof *s->children);
    s->children[0] = ih_schema(p, ends);
    s->children[1] = values;
    return s;
}

static inline struct ArrowArray *ih_array(ih_pool *p, int64_t length, int64_t n_buffers)
{
    struct ArrowArray *a = ih_alloc(p, sizeof *a);
    a->length = length;
    a->n_buffers = n_buffers;
    a->buffers = ih_alloc(p, (size_t)(n_buffers > 0 ? n_buffers : 1) * sizeof *a->buffers);
    a->release = ih_release_array;
    return a;
}

/* -- values of seeds ------------------------------------------------------------------------------------------------- */

#define IH_NULL (-1)
#define IH_SEEDS 7

/* Texts of views' borders: empty, 1, not ASCII, 12, 13 and more bytes. */
static inline cq_span ih_text(int seed)
{
    static const char *const texts[IH_SEEDS] = {"", "a", "gr\xC3\xBCn", "twelve bytes", "thirteen byte", "\xF0\x9F\x8C\xB3 and forty bytes of text for a view ...", "b"};
    return cq_span_of(texts[seed], strlen(texts[seed]));
}

/* A number of a kind that any width holds and that loses nothing: times of day, whole days in ms. */
static inline int64_t ih_number(const cq_arrow_type *t, int seed)
{
    if (t->kind == CQ_ARROW_BOOL) return seed % 2;
    if (t->kind == CQ_ARROW_DATE && t->width == 8) return (int64_t)(seed - 3) * 86400000;
    if (t->kind == CQ_ARROW_TIME || (t->kind == CQ_ARROW_INT && !t->is_signed)) return seed * 11;
    return (seed - 3) * 11;
}

static inline uint16_t ih_half(int seed)
{
    static const uint16_t halves[IH_SEEDS] = {0x0000, 0x8000, 0x3C00, 0xC500, 0x7BFF, 0x7E00, 0x0001};
    return halves[seed];
}

/* The bytes of a value of fixed width in an Arrow buffer. */
static inline void ih_raw(const cq_arrow_type *t, int seed, uint8_t *to)
{
    int64_t const v = ih_number(t, seed);
    double const d = (double)v / 4;
    float const f = (float)d;
    if (t->kind == CQ_ARROW_BINARY) {
        for (int32_t i = 0; i < t->width; i++) to[i] = cq_low8((uint64_t)(seed * 37 + i));
    } else if (t->kind == CQ_ARROW_FLOAT) {
        if (t->width == 2) cq_store16(to, ih_half(seed));
        if (t->width == 4) memcpy(to, &f, 4);
        if (t->width == 8) memcpy(to, &d, 8);
    } else {
        memset(to, v < 0 ? 0xFF : 0, (size_t)t->width);
        memcpy(to, &v, (size_t)(t->width < 8 ? t->width : 8));
    }
}

/* The bytes of the same value in the column that cq_arrow_to_field gives; the length is returned. */
static inline size_t ih_stored(const cq_arrow_type *t, const cq_field *f, int seed, uint8_t to[64])
{
    int64_t v = ih_number(t, seed);
    switch (t->kind) {
    case CQ_ARROW_STRING: return memcpy(to, ih_text(seed).p, ih_text(seed).n), ih_text(seed).n;
    case CQ_ARROW_BINARY:
        if (t->layout != CQ_ARROW_FIXED) return memcpy(to, ih_text(seed).p, ih_text(seed).n), ih_text(seed).n;
        return ih_raw(t, seed, to), (size_t)t->width;
    case CQ_ARROW_FLOAT: return ih_raw(t, seed, to), (size_t)t->width;
    case CQ_ARROW_BOOL: return to[0] = (uint8_t)v, 1;
    case CQ_ARROW_DATE: v /= t->width == 8 ? 86400000 : 1; break;
    case CQ_ARROW_TIME:
    case CQ_ARROW_TIMESTAMP: v *= t->unit == CQ_UNIT_S ? 1000 : 1; break;
    case CQ_ARROW_DECIMAL:
        if (f->type == CQ_DECIMAL128) {
            for (int32_t i = f->fixed_bytes - 1; i >= 0; i--, v >>= 8) to[i] = cq_low8((uint64_t)v);
            return (size_t)f->fixed_bytes;
        }
        break;
    case CQ_ARROW_INT:
    case CQ_ARROW_NULL: break;
    }
    memcpy(to, &v, 8);
    return cq_type_facts(f->type)->width;
}

/* -- arrays from seeds ----------------------------------------------------------------------------------------------- */

static inline void ih_set_bit(uint8_t *bits, int64_t i, bool v) { bits[i / 8] = cq_low8((uint64_t)((bits[i / 8] & ~(1 << i % 8)) | (int)v << i % 8)); }

static inline void ih_set_validity(ih_pool *p, struct ArrowArray *a, const int *seeds)
{
    bool any = false;
    for (int64_t i = 0; i < a->length; i++) any = any || seeds[i] == IH_NULL;
    if (!any) return;
    uint8_t *bits = ih_alloc(p, (size_t)(a->offset + a->length + 7) / 8);
    for (int64_t i = 0; i < a->offset + a->length; i++) ih_set_bit(bits, i, i >= a->offset && seeds[i - a->offset] != IH_NULL);
    a->buffers[0] = bits;
    a->null_count = -1;
}

static inline void ih_fill_offsets(ih_pool *p, struct ArrowArray *a, const int *seeds, bool wide)
{
    int64_t const end = a->offset + a->length;
    size_t bytes = (size_t)a->offset + 3; /* some in front and one for each slot before the first */
    for (int64_t i = 0; i < a->length; i++) bytes += ih_text(seeds[i] == IH_NULL ? 1 : seeds[i]).n;
    uint8_t *data = ih_alloc(p, bytes), *offsets = ih_alloc(p, (size_t)(end + 1) * (wide ? 8 : 4));
    size_t at = 3;
    for (int64_t i = 0; i <= end; i++) {
        if (wide)
            cq_store64(offsets + i * 8, at);
        else
            cq_store32(offsets + i * 4, cq_u32(at));
        if (i == end) break;
        cq_span const text = i < a->offset ? cq_span_of("\xFF", 1) : ih_text(seeds[i - a->offset] == IH_NULL ? 1 : seeds[i - a->offset]);
        if (text.n) memcpy(data + at, text.p, text.n);
        at += text.n;
    }
    a->buffers[1] = offsets;
    a->buffers[2] = data;
}

/* Long texts stand in two buffers, by turns. */
static inline void ih_fill_views(ih_pool *p, struct ArrowArray *a, const int *seeds)
{
    int64_t *sizes = ih_alloc(p, 2 * sizeof *sizes);
    uint8_t *views = ih_alloc(p, (size_t)(a->offset + a->length) * 16), *data[2];
    for (int k = 0; k < 2; k++) a->buffers[2 + k] = data[k] = ih_alloc(p, (size_t)a->length * 64);
    memset(views, 0xFF, (size_t)a->offset * 16);
    for (int64_t i = 0; i < a->length; i++) {
        uint8_t *v = views + (a->offset + i) * 16;
        cq_span const text = seeds[i] == IH_NULL ? cq_span_of("", 0) : ih_text(seeds[i]);
        cq_store32(v, cq_u32(text.n));
        if (seeds[i] == IH_NULL) memset(v, 0xFF, 16); /* of nulls anything may stand there */
        if (text.n <= 12) {
            if (text.n) memcpy(v + 4, text.p, text.n);
            continue;
        }
        int const k = (int)(i % 2);
        memcpy(data[k] + sizes[k], text.p, text.n);
        memcpy(v + 4, text.p, 4);
        cq_store32(v + 8, (uint32_t)k);
        cq_store32(v + 12, cq_u32((uint64_t)sizes[k]));
        sizes[k] += (int64_t)text.n;
    }
    a->buffers[1] = views;
    a->buffers[4] = sizes;
}

/* An array without dictionary and run ends, whose first slot stands at `offset` of its buffers. */
static inline struct ArrowArray *ih_flat(ih_pool *p, const cq_arrow_type *t, const int *seeds, int64_t n, int64_t offset)
{
    static const int64_t buffers[] = {[CQ_ARROW_NO_BUFFERS] = 0, [CQ_ARROW_BITS] = 2, [CQ_ARROW_FIXED] = 2, [CQ_ARROW_OFFSETS32] = 3, [CQ_ARROW_OFFSETS64] = 3,
                                      [CQ_ARROW_VIEWS] = 5};
    struct ArrowArray *a = ih_array(p, n, buffers[t->layout]);
    a->offset = offset;
    if (t->layout == CQ_ARROW_NO_BUFFERS) return a->null_count = n, a;
    ih_set_validity(p, a, seeds);
    if (t->layout == CQ_ARROW_VIEWS) return ih_fill_views(p, a, seeds), a;
    if (t->layout == CQ_ARROW_OFFSETS32 || t->layout == CQ_ARROW_OFFSETS64) return ih_fill_offsets(p, a, seeds, t->layout == CQ_ARROW_OFFSETS64), a;
    size_t const width = (size_t)t->width, slots = (size_t)(offset + n);
    uint8_t *values = ih_alloc(p, t->layout == CQ_ARROW_BITS ? (slots + 7) / 8 : slots * width);
    for (int64_t i = 0; i < n; i++) {
        if (t->layout == CQ_ARROW_BITS)
            ih_set_bit(values, offset + i, seeds[i] != IH_NULL && ih_number(t, seeds[i]));
        else if (seeds[i] == IH_NULL)
            memset(values + (size_t)(offset + i) * width, 0xA7, width);
        else
            ih_raw(t, seeds[i], values + (size_t)(offset + i) * width);
    }
    a->buffers[1] = values;
    return a;
}

/* Indexes of `width` bytes into a dictionary of all seeds, the last of them twice, and with a null: half of the nulls are
 * the dictionary's, half the index's, where anything may stand. */
static inline struct ArrowArray *ih_dictionary(ih_pool *p, const cq_arrow_type *t, const int *seeds, int64_t n, int64_t offset, int32_t width)
{
    static const int entries[] = {6, 5, IH_NULL, 4, 3, 2, 1, 0, 6};
    struct ArrowArray *a = ih_array(p, n, 2);
    cq_arrow_type values = *t;
    values.is_dictionary = false;
    a->offset = offset;
    a->null_count = -1;
    uint8_t *index = ih_alloc(p, (size_t)(offset + n) * (size_t)width), *bits = ih_alloc(p, (size_t)(offset + n + 7) / 8);
    memset(index, 0x55, (size_t)offset * (size_t)width);
    for (int64_t i = 0; i < n; i++) {
        bool const null = seeds[i] == IH_NULL, by_dictionary = null && i % 2;
        uint64_t k = null && !by_dictionary ? UINT64_C(0x7777777777777777) : 0;
        if (!null || by_dictionary)
            while (entries[k] != seeds[i]) k++;
        if (seeds[i] == 6 && i % 2) k = 8;
        ih_set_bit(bits, offset + i, !null || by_dictionary);
        memcpy(index + (size_t)(offset + i) * (size_t)width, &k, (size_t)width);
    }
    a->buffers[0] = bits;
    a->buffers[1] = index;
    a->dictionary = ih_flat(p, &values, entries, 9, 3);
    return a;
}

/* Runs of the seeds, of whatever array `values` makes of one seed a run; the first `offset` slots before them are runs too. */
static inline int64_t ih_runs_of(const int *seeds, int64_t n, int64_t offset, int *run_seeds, int64_t *ends)
{
    int64_t k = 0;
    if (offset) {
        run_seeds[k] = 0;
        ends[k++] = offset - offset / 2;
        if (offset / 2) run_seeds[k] = n ? seeds[0] : 0, ends[k++] = offset; /* equal neighbours may be two runs */
    }
    for (int64_t i = 0; i < n; i++)
        if (i == n - 1 || seeds[i] != seeds[i + 1]) run_seeds[k] = seeds[i], ends[k++] = offset + i + 1;
    return k;
}

static inline struct ArrowArray *ih_run_array(ih_pool *p, int64_t n, int64_t offset, const int64_t *ends, int64_t n_runs, int32_t width, struct ArrowArray *values)
{
    struct ArrowArray *a = ih_array(p, n, 0);
    a->offset = offset;
    a->n_children = 2;
    a->children = ih_alloc(p, 2 * sizeof *a->children);
    a->children[0] = ih_array(p, n_runs, 2);
    a->children[1] = values;
    uint8_t *buffer = ih_alloc(p, (size_t)n_runs * (size_t)width);
    for (int64_t i = 0; i < n_runs; i++) memcpy(buffer + i * width, &ends[i], (size_t)width);
    a->children[0]->buffers[1] = buffer;
    return a;
}

#endif
