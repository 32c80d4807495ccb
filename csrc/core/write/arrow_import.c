/* Counts, offsets and buffers of Arrow arrays. After cq_arrow_column_enter every slot's position in every buffer of
 * fixed width can be counted in int64, buffers that are needed are there, and run ends increase; how long buffers are,
 * only the producer knows. Offsets, views and indexes are checked where they are read. */
#include "write/arrow_import.h"

#include "base/bytes.h"
#include "format/limits.h"

#include <stdio.h>
#include <string.h>

void cq_arrow_value_type(const cq_arrow_type *t, cq_value_type *out)
{
    static const int64_t tick_ns[] = {[CQ_UNIT_NONE] = INT64_C(86400000000000), [CQ_UNIT_S] = 1000000000, [CQ_UNIT_MS] = 1000000, [CQ_UNIT_US] = 1000, [CQ_UNIT_NS] = 1};
    static const cq_value_kind kinds[] = {
        [CQ_ARROW_NULL] = CQ_VALUE_NULL, [CQ_ARROW_BOOL] = CQ_VALUE_BOOL, [CQ_ARROW_INT] = CQ_VALUE_INT, [CQ_ARROW_FLOAT] = CQ_VALUE_FLOAT,
        [CQ_ARROW_DECIMAL] = CQ_VALUE_DECIMAL, [CQ_ARROW_DATE] = CQ_VALUE_DATE, [CQ_ARROW_TIME] = CQ_VALUE_TIME,
        [CQ_ARROW_TIMESTAMP] = CQ_VALUE_TIMESTAMP, [CQ_ARROW_STRING] = CQ_VALUE_TEXT, [CQ_ARROW_BINARY] = CQ_VALUE_BINARY};
    char text[CQ_ARROW_TEXT_BYTES];
    memset(out, 0, sizeof *out);
    out->kind = kinds[t->kind];
    if (t->layout == CQ_ARROW_BITS)
        out->width = 1;
    else if (t->layout == CQ_ARROW_FIXED && t->kind != CQ_ARROW_BINARY)
        out->width = cq_u8((uint64_t)t->width);
    out->is_signed = t->kind != CQ_ARROW_INT || t->is_signed;
    out->zone = t->has_zone ? CQ_ZONE_SET : CQ_ZONE_NONE;
    out->tick_ns = tick_ns[t->unit];
    out->precision = t->precision;
    out->scale = t->scale;
    out->fixed_bytes = t->kind == CQ_ARROW_BINARY && t->layout == CQ_ARROW_FIXED ? t->width : 0;
    (void)snprintf(out->text, sizeof out->text, "Arrow %.80s", cq_arrow_type_text(t, text));
}

/* What an array holds in its buffers. */
typedef struct shape {
    const char *what;      /* "array", "dictionary", ...: for messages */
    cq_arrow_layout layout;
    int32_t width;         /* of CQ_ARROW_FIXED */
} shape;

static cq_status check_counts(const struct ArrowArray *a, const char *what, cq_err *e)
{
    int64_t end;
    if (!a) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave no %s where its type has one", what);
    if (!a->release) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave an %s that is released already", what);
    if (a->length < 0) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave an %s of length %lld", what, (long long)a->length);
    /* so that positions of slots of any width, and of the offset behind the last one, can be counted */
    if (a->offset < 0 || !cq_add_i64(a->offset, a->length, &end) || end > INT64_MAX / (2 * CQ_MAX_FIXED_BYTES))
        return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave an %s of %lld slots from %lld on", what, (long long)a->length, (long long)a->offset);
    if (a->null_count < -1 || a->null_count > a->length)
        return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave an %s with %lld nulls in %lld slots", what, (long long)a->null_count, (long long)a->length);
    return CQ_OK;
}

static cq_status check_buffers(const struct ArrowArray *a, const shape *s, cq_err *e)
{
    static const int64_t counts[] = {[CQ_ARROW_NO_BUFFERS] = 0, [CQ_ARROW_BITS] = 2, [CQ_ARROW_FIXED] = 2, [CQ_ARROW_OFFSETS32] = 3, [CQ_ARROW_OFFSETS64] = 3,
                                     [CQ_ARROW_VIEWS] = 3};
    int64_t const want = counts[s->layout];
    bool const more = s->layout == CQ_ARROW_VIEWS;
    /* Polars gives a column of nulls the buffer of validity that other types have. */
    bool const spare = s->layout == CQ_ARROW_NO_BUFFERS && a->n_buffers == 1;
    if (a->n_buffers < want || (a->n_buffers > want && !more && !spare))
        return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave an %s of %lld buffers, its type has %lld%s", s->what, (long long)a->n_buffers, (long long)want, more ? " or more" : "");
    if (want > 0 && !a->buffers) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave an %s without its list of buffers", s->what);
    if (a->n_children != 0) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave an %s of %lld children, its type has none", s->what, (long long)a->n_children);
    return CQ_OK;
}

static cq_status no_buffer(const struct ArrowArray *a, const shape *s, const char *buffer, cq_err *e)
{
    return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave an %s of %lld slots without its buffer of %s", s->what, (long long)a->length, buffer);
}

static cq_status enter_offsets(cq_arrow_slots *o, const struct ArrowArray *a, const shape *s, cq_err *e)
{
    bool const wide = s->layout == CQ_ARROW_OFFSETS64;
    size_t const width = wide ? 8 : 4;
    if (a->length == 0) return CQ_OK;
    const uint8_t *last = o->values + (size_t)a->length * width;
    int64_t const from = wide ? cq_wrap_i64(cq_load64(o->values)) : cq_wrap_i32(cq_load32(o->values));
    o->data = a->buffers[2];
    o->data_end = wide ? cq_wrap_i64(cq_load64(last)) : cq_wrap_i32(cq_load32(last));
    if (from < 0 || o->data_end < from)
        return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave an %s whose offsets go from %lld to %lld", s->what, (long long)from, (long long)o->data_end);
    if (!o->data && o->data_end > from) return no_buffer(a, s, "bytes", e);
    return CQ_OK;
}

static cq_status enter_views(cq_arrow_slots *o, const struct ArrowArray *a, const shape *s, cq_err *e)
{
    o->n_variadic = a->n_buffers - 3;
    o->variadic = (const void *const *)a->buffers + 2;
    o->variadic_bytes = a->buffers[a->n_buffers - 1];
    if (o->n_variadic > 0 && !o->variadic_bytes && a->length > 0) return no_buffer(a, s, "buffer sizes", e);
    return CQ_OK;
}

static cq_status enter_slots(cq_arrow_slots *o, const struct ArrowArray *a, const shape *s, cq_err *e)
{
    memset(o, 0, sizeof *o);
    CQ_TRY(check_counts(a, s->what, e));
    CQ_TRY(check_buffers(a, s, e));
    o->n = a->length;
    o->bit_offset = a->offset;
    if (s->layout == CQ_ARROW_NO_BUFFERS) return CQ_OK;
    if (a->null_count > 0 && !a->buffers[0]) return no_buffer(a, s, "validity, which its nulls need", e);
    if (a->null_count != 0) o->validity = a->buffers[0];
    static const int32_t widths[] = {[CQ_ARROW_BITS] = 0, [CQ_ARROW_FIXED] = 0, [CQ_ARROW_OFFSETS32] = 4, [CQ_ARROW_OFFSETS64] = 8, [CQ_ARROW_VIEWS] = 16};
    size_t const width = s->layout == CQ_ARROW_FIXED ? (size_t)s->width : (size_t)widths[s->layout];
    const uint8_t *values = a->buffers[1];
    if (!values && a->length > 0) return no_buffer(a, s, "values", e);
    o->values = values ? values + (size_t)a->offset * width : NULL;
    if (s->layout == CQ_ARROW_VIEWS) return enter_views(o, a, s, e);
    return s->layout == CQ_ARROW_OFFSETS32 || s->layout == CQ_ARROW_OFFSETS64 ? enter_offsets(o, a, s, e) : CQ_OK;
}

/* An array without run ends. */
static cq_status enter_values(cq_arrow_column *c, const struct ArrowArray *a, const char *what, cq_err *e)
{
    const cq_arrow_type *t = &c->type;
    shape const values = {t->is_dictionary ? "array of dictionary values" : what, t->layout, t->width};
    c->dictionary = CQ_DICTIONARY_NEW;
    if (!t->is_dictionary) {
        CQ_TRY(enter_slots(&c->values, a, &values, e));
        if (a->dictionary) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave an %s with a dictionary, its type has none", what);
        return CQ_OK;
    }
    shape const index = {"array of dictionary indexes", CQ_ARROW_FIXED, t->index_width};
    CQ_TRY(enter_slots(&c->index, a, &index, e));
    CQ_TRY(enter_slots(&c->values, a->dictionary, &values, e));
    if (a->dictionary->dictionary) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave a dictionary with a dictionary, its type has none");
    if (c->values.n > UINT32_MAX) return cq_fail(e, CQ_ELIMIT, "an Arrow dictionary of %lld values; %llu are possible", (long long)c->values.n, (unsigned long long)UINT32_MAX);
    return CQ_OK;
}

int64_t cq_arrow_run_end(const cq_arrow_column *c, int64_t i)
{
    const uint8_t *p = c->run_ends.values + i * c->type.run_end_width;
    switch (c->type.run_end_width) {
    case 2: return (int16_t)cq_load16(p); /* lint: the bits of a signed end */
    case 4: return cq_wrap_i32(cq_load32(p));
    default: return cq_wrap_i64(cq_load64(p));
    }
}

#define DEFINE_ASCEND(FROM)                                                                                            \
    static bool ascend_##FROM(const uint8_t *p, int64_t n)                                                             \
    {                                                                                                                  \
        FROM##_t before = 0;                                                                                           \
        bool bad = false;                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            FROM##_t v;                                                                                                \
            memcpy(&v, p + (size_t)i * sizeof v, sizeof v);                                                            \
            bad |= v <= before;                                                                                        \
            before = v;                                                                                                \
        }                                                                                                              \
        return !bad;                                                                                                   \
    }
DEFINE_ASCEND(int16)
DEFINE_ASCEND(int32)
DEFINE_ASCEND(int64)

static cq_status check_ends(const cq_arrow_column *c, cq_err *e)
{
    const cq_arrow_slots *s = &c->run_ends;
    if ((c->type.run_end_width == 2 ? ascend_int16 : c->type.run_end_width == 4 ? ascend_int32 : ascend_int64)(s->values, s->n)) return CQ_OK;
    int64_t i = 0, before = 0;
    while (i < s->n - 1 && cq_arrow_run_end(c, i) > before) before = cq_arrow_run_end(c, i++);
    return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave run ends that do not increase: %lld after %lld", (long long)cq_arrow_run_end(c, i), (long long)before);
}

static cq_status enter_runs(cq_arrow_column *c, const struct ArrowArray *a, cq_err *e)
{
    shape const ends = {"array of run ends", CQ_ARROW_FIXED, c->type.run_end_width};
    CQ_TRY(check_counts(a, "array", e));
    if (a->n_buffers != 0) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave a run-end encoded array of %lld buffers, which has none", (long long)a->n_buffers);
    if (a->n_children != 2 || !a->children) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave a run-end encoded array of %lld children, which has 2", (long long)a->n_children);
    if (a->dictionary) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave a run-end encoded array with a dictionary of its own");
    CQ_TRY(enter_slots(&c->run_ends, a->children[0], &ends, e));
    if (a->children[0]->dictionary) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave an array of run ends with a dictionary");
    if (a->children[0]->null_count > 0) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave run ends that are null");
    CQ_TRY(enter_values(c, a->children[1], "array of run values", e));
    int64_t const n_runs = c->run_ends.n, n_values = c->type.is_dictionary ? c->index.n : c->values.n;
    if (n_values < n_runs) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave %lld run ends for %lld values", (long long)n_runs, (long long)n_values);
    CQ_TRY(check_ends(c, e));
    c->first = a->offset;
    c->n = a->length;
    int64_t const covered = n_runs ? cq_arrow_run_end(c, n_runs - 1) : 0;
    if (c->n > 0 && covered < c->first + c->n)
        return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave run ends up to %lld for an array that ends at %lld", (long long)covered, (long long)(c->first + c->n));
    return CQ_OK;
}

cq_status cq_arrow_column_enter(cq_arrow_column *c, const struct ArrowArray *a, cq_err *e)
{
    c->n = 0;
    if (c->type.is_run_end) return enter_runs(c, a, e);
    CQ_TRY(enter_values(c, a, "array", e));
    c->n = c->type.is_dictionary ? c->index.n : c->values.n;
    return CQ_OK;
}
