/* Numbers: a check of the whole chunk that a compiler turns into vector code, then the conversion. Only where the check
 * fails, the slots are looked at one by one: nulls may hide what did not fit. */
#include "write/value_import.h"

#include "base/bytes.h"
#include "base/half.h"
#include "base/utf8.h"
#include "format/value_text.h"
#include "write/decimal_import.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* -- ranges ------------------------------------------------------------------------------------- */

/* A value below lo or above hi leaves a sign bit in one of the differences; hi - lo is below half the range, so no
 * value that fits does. Unsigned arithmetic wraps. */
#define DEFINE_IN_RANGE(BITS)                                                                                          \
    static bool in_range_##BITS(const uint##BITS##_t *v, int64_t n, int64_t lo, int64_t hi)                            \
    {                                                                                                                  \
        uint##BITS##_t const l = (uint##BITS##_t)lo, h = (uint##BITS##_t)hi; /* lint: of the width's range */          \
        uint##BITS##_t bad = 0;                                                                                        \
        for (int64_t i = 0; i < n; i++) bad = (uint##BITS##_t)(bad | ((uint##BITS##_t)(v[i] - l) | (uint##BITS##_t)(h - v[i]))); \
        return !(bad >> (BITS - 1));                                                                                   \
    }
DEFINE_IN_RANGE(8)
DEFINE_IN_RANGE(16)
DEFINE_IN_RANGE(32)
DEFINE_IN_RANGE(64)

static bool in_range(const void *raw, uint8_t width, int64_t n, int64_t lo, int64_t hi)
{
    switch (width) {
    case 1: return in_range_8(raw, n, lo, hi);
    case 2: return in_range_16(raw, n, lo, hi);
    case 4: return in_range_32(raw, n, lo, hi);
    default: return in_range_64(raw, n, lo, hi);
    }
}

static int64_t load_int(const void *raw, uint8_t width, bool is_signed, int64_t i)
{
    const uint8_t *p = (const uint8_t *)raw + i * width;
    switch (width) {
    case 1: return is_signed ? (int64_t)(int8_t)p[0] : (int64_t)p[0];
    case 2: return is_signed ? (int64_t)(int16_t)cq_load16(p) : (int64_t)cq_load16(p);
    case 4: return is_signed ? (int64_t)cq_wrap_i32(cq_load32(p)) : (int64_t)cq_load32(p);
    default: return cq_wrap_i64(cq_load64(p));
    }
}

/* A value of the source as text. */
typedef struct shown { char text[CQ_VALUE_TEXT_BYTES]; } shown;

/* The column whose values are counted in the source's steps; CQ_INT64: there is none. */
static cq_type type_of_steps(const cq_value_type *t)
{
    bool const utc = t->zone == CQ_ZONE_SET, time = t->kind == CQ_VALUE_TIME;
    switch (t->kind == CQ_VALUE_TIMESTAMP || t->kind == CQ_VALUE_DATE || time ? t->tick_ns : 0) {
    case 1: return time ? CQ_TIME_NS : utc ? CQ_TIMESTAMP_NS_UTC : CQ_TIMESTAMP_NS;
    case 1000: return time ? CQ_TIME_US : utc ? CQ_TIMESTAMP_US_UTC : CQ_TIMESTAMP_US;
    case 1000000: return time ? CQ_TIME_MS : utc ? CQ_TIMESTAMP_MS_UTC : CQ_TIMESTAMP_MS;
    case 1000000000: return time ? CQ_INT64 : utc ? CQ_TIMESTAMP_S_UTC : CQ_TIMESTAMP_S; /* stored in ms */
    default: return CQ_INT64;
    }
}

/* Integers as they are (of unsigned ones of 64 bits `v` has the bits), times as times. */
static shown show_int(const cq_value_rule *r, int64_t v)
{
    shown t;
    cq_field f;
    memset(&f, 0, sizeof f);
    f.type = r->from.kind == CQ_VALUE_INT && !r->from.is_signed && r->from.width == 8 ? CQ_UINT64 : type_of_steps(&r->from);
    int64_t stored = v;
    if ((f.type == CQ_TIMESTAMP_S || f.type == CQ_TIMESTAMP_S_UTC) && !cq_mul_i64(v, 1000, &stored)) {
        f.type = CQ_INT64;
        stored = v;
    }
    cq_value_text(&f, false, cq_span_of(&stored, r->from.kind == CQ_VALUE_TIME && f.type == CQ_TIME_MS ? 4 : 8), t.text);
    return t;
}

static cq_status beyond_column(const cq_value_rule *r, int64_t v, cq_err *e)
{
    const cq_type_info *info = cq_type_facts(r->field->type);
    char text[CQ_TYPE_TEXT_BYTES];
    (void)cq_field_type_text(r->field, text);
    if (info->logical == CQ_PQ_LOGICAL_INTEGER) {
        uint64_t const half = UINT64_C(1) << (info->bits - 1);
        if (info->is_signed) return cq_fail(e, CQ_ERANGE, "%s does not fit %s (%lld to %lld)", show_int(r, v).text, text, (long long)(-cq_wrap_i64(half - 1) - 1), (long long)(half - 1));
        return cq_fail(e, CQ_ERANGE, "%s does not fit %s (0 to %llu)", show_int(r, v).text, text, (unsigned long long)(half - 1 + half));
    }
    if (info->logical == CQ_PQ_LOGICAL_TIME) return cq_fail(e, CQ_ERANGE, "%s (%s) is no time of day", show_int(r, v).text, r->from.text);
    return cq_fail(e, CQ_ERANGE, "%s (%s) is beyond what %s holds", show_int(r, v).text, r->from.text, text);
}

/* The first value outside of [lo, hi], read as a signed integer of its width. */
static cq_status find_beyond(const cq_value_rule *r, const void *raw, uint8_t width, const uint8_t *validity, int64_t n, cq_err *e)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t const v = load_int(raw, width, true, i);
        if (cq_is_value(validity, i) && (v < r->lo || v > r->hi)) return cq_at_slot(beyond_column(r, load_int(raw, width, r->from.is_signed, i), e), i, e);
    }
    return CQ_OK;
}

static cq_status check_range(const cq_value_rule *r, const void *raw, uint8_t width, const uint8_t *validity, int64_t n, cq_err *e)
{
    if (!r->has_range || in_range(raw, width, n, r->lo, r->hi)) return CQ_OK;
    return find_beyond(r, raw, width, validity, n, e);
}

/* -- widths ------------------------------------------------------------------------------------- */

#define DEFINE_CAST(FROM, TO)                                                                                          \
    static void cast_##FROM##_##TO(const void *raw, void *out, int64_t n)                                              \
    {                                                                                                                  \
        const FROM##_t *from = raw;                                                                                    \
        TO##_t *to = out;                                                                                              \
        for (int64_t i = 0; i < n; i++) to[i] = (TO##_t)from[i]; /* lint: the range was checked */                     \
    }
DEFINE_CAST(int8, int32)
DEFINE_CAST(uint8, int32)
DEFINE_CAST(int16, int32)
DEFINE_CAST(uint16, int32)
DEFINE_CAST(uint64, uint32)
DEFINE_CAST(int8, int64)
DEFINE_CAST(uint8, int64)
DEFINE_CAST(int16, int64)
DEFINE_CAST(uint16, int64)
DEFINE_CAST(int32, int64)
DEFINE_CAST(uint32, int64)

/* An integer of another width; from 8 to 4 bytes the upper ones go. */
static void cast_ints(const void *raw, uint8_t width, bool is_signed, void *out, uint8_t out_width, int64_t n)
{
    if (out_width == 4) {
        switch (width) {
        case 1: (is_signed ? cast_int8_int32 : cast_uint8_int32)(raw, out, n); break;
        case 2: (is_signed ? cast_int16_int32 : cast_uint16_int32)(raw, out, n); break;
        default: cast_uint64_uint32(raw, out, n); break;
        }
        return;
    }
    switch (width) {
    case 1: (is_signed ? cast_int8_int64 : cast_uint8_int64)(raw, out, n); break;
    case 2: (is_signed ? cast_int16_int64 : cast_uint16_int64)(raw, out, n); break;
    default: (is_signed ? cast_int32_int64 : cast_uint32_int64)(raw, out, n); break;
    }
}

static cq_status take(cq_arena *scratch, int64_t n, size_t width, void **out, cq_err *e) { return cq_arena_alloc(scratch, (size_t)n * width, out, e); }

static cq_status convert_int(const cq_value_rule *r, const void *raw, const uint8_t *validity, int64_t n, cq_arena *scratch, cq_vec *out, cq_err *e)
{
    CQ_TRY(check_range(r, raw, r->from.width, validity, n, e));
    if (r->from.width == r->width) {
        *out = cq_vec_flat(r->field->type, raw, validity);
        return CQ_OK;
    }
    void *to;
    CQ_TRY(take(scratch, n, r->width, &to, e));
    cast_ints(raw, r->from.width, r->from.is_signed, to, r->width, n);
    *out = cq_vec_flat(r->field->type, to, validity);
    return CQ_OK;
}

static cq_status convert_bool(const cq_value_rule *r, const uint8_t *raw, const uint8_t *validity, int64_t n, cq_arena *scratch, cq_vec *out, cq_err *e)
{
    uint8_t all = 0;
    for (int64_t i = 0; i < n; i++) all |= raw[i];
    *out = cq_vec_flat(r->field->type, raw, validity);
    if (all <= 1) return CQ_OK;
    void *p;
    CQ_TRY(take(scratch, n, 1, &p, e));
    uint8_t *to = p;
    for (int64_t i = 0; i < n; i++) to[i] = raw[i] != 0;
    out->values = to;
    return CQ_OK;
}

/* -- floats ------------------------------------------------------------------------------------- */

static double half_to_f64(uint16_t half)
{
    uint32_t const sign = (uint32_t)(half & 0x8000u) << 16, exponent = half >> 10 & 0x1Fu, mantissa = half & 0x3FFu; /* lint: one bit */
    if (exponent == 0) return (half & 0x8000u ? -1.0 : 1.0) * (double)mantissa * 0x1p-24;
    uint32_t const bits = sign | (exponent == 31 ? 0x7F800000u : (exponent + 112) << 23) | mantissa << 13;
    float f;
    memcpy(&f, &bits, 4);
    return (double)f;
}

/* Spans over numbers of two bytes. */
static cq_status half_spans(const cq_value_rule *r, const void *halves, const uint8_t *validity, int64_t n, cq_arena *scratch, cq_vec *out, cq_err *e)
{
    void *p;
    CQ_TRY(take(scratch, n, sizeof(cq_span), &p, e));
    cq_span *spans = p;
    for (int64_t i = 0; i < n; i++) spans[i] = cq_span_of((const uint8_t *)halves + i * 2, 2);
    *out = cq_vec_spans(r->field->type, spans, validity);
    return CQ_OK;
}

static cq_status beyond_float(const cq_value_rule *r, double d, int64_t i, cq_err *e)
{
    char text[CQ_TYPE_TEXT_BYTES], value[CQ_VALUE_TEXT_BYTES];
    cq_field f;
    memset(&f, 0, sizeof f);
    f.type = r->from.width == 4 ? CQ_FLOAT32 : CQ_FLOAT64;
    float const single = (float)d; /* lint: of a float's width */
    if (r->from.kind == CQ_VALUE_INT)
        (void)snprintf(value, sizeof value, "%.0f", d);
    else
        cq_value_text(&f, false, r->from.width == 4 ? cq_span_of(&single, 4) : cq_span_of(&d, 8), value);
    return cq_at_slot(cq_fail(e, CQ_ERANGE, "%s does not fit %s (at most %s in magnitude)", value, cq_field_type_text(r->field, text),
                           r->field->type == CQ_FLOAT16 ? "65504" : "3.4028235e+38"), i, e);
}

/* One number of the source as a double: integers whose double is exact, floats. */
static double load_double(const cq_value_rule *r, const void *raw, int64_t i)
{
    const uint8_t *p = (const uint8_t *)raw + i * r->from.width;
    if (r->from.kind == CQ_VALUE_INT) {
        int64_t const v = load_int(raw, r->from.width, r->from.is_signed, i);
        return v < 0 && !r->from.is_signed ? (double)(uint64_t)v : (double)v;
    }
    if (r->from.width == 2) return half_to_f64(cq_load16(p));
    if (r->from.width == 4) {
        float f;
        memcpy(&f, p, 4);
        return (double)f;
    }
    double d;
    memcpy(&d, p, 8);
    return d;
}

static cq_status into_half(const cq_value_rule *r, const void *raw, const uint8_t *validity, int64_t n, cq_arena *scratch, cq_vec *out, cq_err *e)
{
    void *p;
    CQ_TRY(take(scratch, n, 2, &p, e));
    for (int64_t i = 0; i < n; i++) {
        uint16_t half = 0;
        double const d = load_double(r, raw, i);
        if (!cq_half_of_f64(d, &half) && cq_is_value(validity, i)) return beyond_float(r, d, i, e);
        cq_store16((uint8_t *)p + i * 2, half);
    }
    return half_spans(r, p, validity, n, scratch, out, e);
}

/* False where a finite number became infinite. */
static bool narrow_floats(const double *from, float *to, int64_t n)
{
    uint32_t bad = 0;
    for (int64_t i = 0; i < n; i++) {
        to[i] = (float)from[i]; /* lint: rounding is meant */
        bad |= (uint32_t)(fabsf(to[i]) > FLT_MAX) & (uint32_t)(fabs(from[i]) <= DBL_MAX); /* lint: truth values */
    }
    return !bad;
}

static cq_status convert_float(const cq_value_rule *r, const void *raw, const uint8_t *validity, int64_t n, cq_arena *scratch, cq_vec *out, cq_err *e)
{
    void *p;
    if (r->width == 0) return into_half(r, raw, validity, n, scratch, out, e);
    CQ_TRY(take(scratch, n, r->width, &p, e));
    *out = cq_vec_flat(r->field->type, p, validity);
    if (r->from.width == 8) {
        if (narrow_floats(raw, p, n)) return CQ_OK;
        for (int64_t i = 0; i < n; i++) {
            double const d = load_double(r, raw, i);
            if (cq_is_value(validity, i) && isfinite(d) && !isfinite((float)d)) return beyond_float(r, d, i, e); /* lint: rounding is meant */
        }
    } else if (r->width == 8) {
        for (int64_t i = 0; i < n; i++) ((double *)p)[i] = load_double(r, raw, i);
    } else {
        for (int64_t i = 0; i < n; i++) ((float *)p)[i] = (float)load_double(r, raw, i); /* lint: a half is exact */
    }
    return CQ_OK;
}

/* At most 53 bits between the first and the last that is set. */
static bool is_exact(uint64_t magnitude) { return magnitude == 0 || cq_bit_width64(magnitude) - (unsigned)__builtin_ctzll(magnitude) <= 53; } /* lint: below 64 */

static cq_status check_exact(const cq_value_rule *r, const void *raw, const uint8_t *validity, int64_t n, cq_err *e)
{
    int64_t const lo = r->from.is_signed ? -(INT64_C(1) << 53) : 0, hi = INT64_C(1) << 53;
    if (r->from.width < 8 || in_range_64(raw, n, lo, hi)) return CQ_OK;
    for (int64_t i = 0; i < n; i++) {
        int64_t const v = load_int(raw, 8, true, i);
        uint64_t const magnitude = v < 0 && r->from.is_signed ? 0 - (uint64_t)v : (uint64_t)v;
        if (cq_is_value(validity, i) && !is_exact(magnitude))
            return cq_at_slot(cq_fail(e, CQ_EVALUE, "%s is not exact as a float; cast it to float64 if rounding is meant", show_int(r, v).text), i, e);
    }
    return CQ_OK;
}

#define DEFINE_FLOATS(FROM)                                                                                            \
    static void floats_of_##FROM(const void *raw, void *out, uint8_t width, int64_t n)                                 \
    {                                                                                                                  \
        const FROM##_t *from = raw;                                                                                    \
        double *d = out;                                                                                               \
        float *f = out;                                                                                                \
        if (width == 8)                                                                                                \
            for (int64_t i = 0; i < n; i++) d[i] = (double)from[i];                                                    \
        else                                                                                                           \
            for (int64_t i = 0; i < n; i++) f[i] = (float)(double)from[i]; /* lint: rounds as a float does */          \
    }
DEFINE_FLOATS(int8)
DEFINE_FLOATS(uint8)
DEFINE_FLOATS(int16)
DEFINE_FLOATS(uint16)
DEFINE_FLOATS(int32)
DEFINE_FLOATS(uint32)
DEFINE_FLOATS(int64)
DEFINE_FLOATS(uint64)

static cq_status convert_int_float(const cq_value_rule *r, const void *raw, const uint8_t *validity, int64_t n, cq_arena *scratch, cq_vec *out, cq_err *e)
{
    void *p;
    CQ_TRY(check_exact(r, raw, validity, n, e));
    if (r->width == 0) return into_half(r, raw, validity, n, scratch, out, e);
    CQ_TRY(take(scratch, n, r->width, &p, e));
    *out = cq_vec_flat(r->field->type, p, validity);
    switch (r->from.width) {
    case 1: (r->from.is_signed ? floats_of_int8 : floats_of_uint8)(raw, p, r->width, n); break;
    case 2: (r->from.is_signed ? floats_of_int16 : floats_of_uint16)(raw, p, r->width, n); break;
    case 4: (r->from.is_signed ? floats_of_int32 : floats_of_uint32)(raw, p, r->width, n); break;
    default: (r->from.is_signed ? floats_of_int64 : floats_of_uint64)(raw, p, r->width, n); break;
    }
    return CQ_OK;
}

/* -- times -------------------------------------------------------------------------------------- */

/* Inlined with constant divisors, whose division is a multiplication. False: a remainder, or a product beyond int64. */
__attribute__((always_inline)) static inline bool rescale(const int64_t *from, int64_t *to, int64_t n, int64_t div, int64_t mul)
{
    int64_t bad = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t const v = from[i], q = v / div;
        bad |= v - q * div;
        bad |= !cq_mul_i64(q, mul, &to[i]);
    }
    return !bad;
}

static bool rescale_by(const int64_t *from, int64_t *to, int64_t n, int64_t div, int64_t mul)
{
    if (mul != 1) return rescale(from, to, n, div, mul);
    switch (div) {
    case 1000: return rescale(from, to, n, 1000, 1);
    case 1000000: return rescale(from, to, n, 1000000, 1);
    case 86400000: return rescale(from, to, n, 86400000, 1);
    default: return rescale(from, to, n, div, 1);
    }
}

static cq_status find_lossy(const cq_value_rule *r, const int64_t *raw, const uint8_t *validity, int64_t n, cq_err *e)
{
    char text[CQ_TYPE_TEXT_BYTES];
    for (int64_t i = 0; i < n; i++) {
        int64_t product;
        if (!cq_is_value(validity, i)) continue;
        if (raw[i] % r->div)
            return cq_at_slot(cq_fail(e, CQ_EVALUE, "%s (%s) would be cut in a %s column; round it first if that is meant", show_int(r, raw[i]).text, r->from.text,
                                   cq_field_type_text(r->field, text)), i, e);
        if (!cq_mul_i64(raw[i] / r->div, r->mul, &product)) return cq_at_slot(beyond_column(r, raw[i], e), i, e);
    }
    return CQ_OK;
}

static void multiply(const int64_t *from, int64_t *to, int64_t n, int64_t mul)
{
    for (int64_t i = 0; i < n; i++) to[i] = cq_wrap_i64((uint64_t)from[i] * (uint64_t)mul); /* nulls may wrap */
}

static cq_status convert_scale(const cq_value_rule *r, const void *raw, const uint8_t *validity, int64_t n, cq_arena *scratch, cq_vec *out, cq_err *e)
{
    bool const same_tick = r->mul == 1 && r->div == 1;
    const void *at = raw;
    void *p = NULL;
    if (same_tick) CQ_TRY(check_range(r, raw, r->from.width, validity, n, e));
    if (r->from.width != 8 && (!same_tick || r->width == 8)) {
        CQ_TRY(take(scratch, n, 8, &p, e));
        cast_ints(raw, r->from.width, r->from.is_signed, p, 8, n);
        at = p;
    }
    if (!same_tick) {
        if (!p) CQ_TRY(take(scratch, n, 8, &p, e));
        CQ_TRY(check_range(r, at, 8, validity, n, e));
        if (r->div == 1) {
            multiply(at, p, n, r->mul);
        } else {
            assert(at != p); /* what is divided is 64 bits wide as it comes */
            if (!rescale_by(at, p, n, r->div, r->mul)) CQ_TRY(find_lossy(r, at, validity, n, e));
        }
        at = p;
    }
    if (r->width == 4 && (r->from.width == 8 || !same_tick)) {
        if (!p) CQ_TRY(take(scratch, n, 4, &p, e));
        cast_ints(at, 8, true, p, 4, n);
        at = p;
    }
    *out = cq_vec_flat(r->field->type, at, validity);
    return CQ_OK;
}

/* -- spans -------------------------------------------------------------------------------------- */

cq_status cq_value_check_span(const cq_value_rule *r, cq_span s, cq_err *e)
{
    char text[CQ_TYPE_TEXT_BYTES];
    if (r->op == CQ_OP_FIXED && s.n != (size_t)r->field->fixed_bytes)
        return cq_fail(e, CQ_EVALUE, "%zu bytes in a %s column, whose values have %d", s.n, cq_field_type_text(r->field, text), (int)r->field->fixed_bytes);
    if (r->op == CQ_OP_TEXT) {
        size_t const good = cq_utf8_valid_prefix(s.p, s.n);
        if (good < s.n) return cq_fail(e, CQ_EVALUE, "a text that is not UTF-8 at byte %zu of %zu (0x%02x); declare the column 'binary' if it is no text", good, s.n, (unsigned)s.p[good]);
    }
    return CQ_OK;
}

cq_status cq_value_convert_spans(const cq_value_rule *r, const cq_span *spans, const uint8_t *validity, int64_t n, bool trusted, cq_vec *out, cq_err *e)
{
    *out = cq_vec_spans(r->field->type, spans, validity);
    if (r->op == CQ_OP_BYTES || (r->op == CQ_OP_TEXT && trusted)) return CQ_OK;
    for (int64_t i = 0; i < n; i++) {
        if (!cq_is_value(validity, i)) continue;
        cq_status const st = cq_value_check_span(r, spans[i], e);
        if (st != CQ_OK) return cq_at_slot(st, i, e);
    }
    return CQ_OK;
}

/* -- the rule's conversion ---------------------------------------------------------------------- */

size_t cq_value_row_bytes(const cq_value_rule *r)
{
    switch (r->op) {
    case CQ_OP_NULL: return 0;
    case CQ_OP_SAME: return r->width ? 0 : sizeof(cq_span);
    case CQ_OP_BOOL: return 1;
    case CQ_OP_INT: return r->from.width == r->width ? 0 : r->width;
    case CQ_OP_INT_FLOAT:
    case CQ_OP_FLOAT: return r->width ? r->width : 2 + sizeof(cq_span);
    case CQ_OP_SCALE: return r->mul == 1 && r->div == 1 && r->from.width == r->width ? 0 : 8;
    case CQ_OP_DECIMAL: return r->width ? r->width : (size_t)r->field->fixed_bytes + sizeof(cq_span);
    case CQ_OP_TEXT:
    case CQ_OP_BYTES:
    case CQ_OP_FIXED: return 0;
    }
    return 0;
}

cq_status cq_value_convert(const cq_value_rule *r, const void *raw, const uint8_t *validity, int64_t n, cq_arena *scratch, cq_vec *out, cq_err *e)
{
    switch (r->op) {
    case CQ_OP_NULL: *out = cq_vec_null(r->field->type); return CQ_OK;
    case CQ_OP_SAME:
        if (!r->width) return half_spans(r, raw, validity, n, scratch, out, e);
        *out = cq_vec_flat(r->field->type, raw, validity);
        return CQ_OK;
    case CQ_OP_BOOL: return convert_bool(r, raw, validity, n, scratch, out, e);
    case CQ_OP_INT: return convert_int(r, raw, validity, n, scratch, out, e);
    case CQ_OP_INT_FLOAT: return convert_int_float(r, raw, validity, n, scratch, out, e);
    case CQ_OP_FLOAT: return convert_float(r, raw, validity, n, scratch, out, e);
    case CQ_OP_SCALE: return convert_scale(r, raw, validity, n, scratch, out, e);
    case CQ_OP_DECIMAL: return cq_decimal_convert(r, raw, validity, n, scratch, out, e);
    case CQ_OP_TEXT:
    case CQ_OP_BYTES:
    case CQ_OP_FIXED: break;
    }
    return cq_fail(e, CQ_ESTATE, "numbers for a column of spans");
}
