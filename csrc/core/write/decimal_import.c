/* Decimals: 128 bits are enough for all but the source's widest, which are brought down to them first. */
#include "write/decimal_import.h"

#include "base/bytes.h"
#include "format/limits.h"
#include "write/value_import.h"

#include <stdio.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

static u128 power_of_ten(int32_t n)
{
    u128 p = 1;
    while (n-- > 0) p *= 10;
    return p;
}

/* A magnitude of 256 bits, lowest limb first. */
typedef struct wide {
    uint64_t limb[4];
    bool negative;
} wide;

static wide load_wide(const uint8_t *p, uint8_t width)
{
    wide w;
    uint8_t bytes[32];
    memset(bytes, p[width - 1] & 0x80 ? 0xFF : 0, sizeof bytes);
    memcpy(bytes, p, width);
    w.negative = p[width - 1] & 0x80;
    uint64_t carry = w.negative;
    for (int i = 0; i < 4; i++) {
        uint64_t const x = cq_load64(bytes + 8 * i);
        w.limb[i] = (w.negative ? ~x : x) + carry;
        carry = carry && w.limb[i] == 0;
    }
    return w;
}

/* Divides and returns the remainder. */
static uint64_t divide(wide *w, uint64_t by)
{
    u128 rest = 0;
    for (int i = 3; i >= 0; i--) {
        u128 const x = rest << 64 | w->limb[i];
        w->limb[i] = (uint64_t)(x / by);
        rest = x % by;
    }
    return (uint64_t)rest;
}

static bool is_zero(const wide *w) { return !(w->limb[0] | w->limb[1] | w->limb[2] | w->limb[3]); }

/* -- messages ----------------------------------------------------------------------------------- */

typedef struct number_text { char text[100]; } number_text;

static number_text show(const cq_value_rule *r, const void *raw, int64_t i)
{
    number_text t;
    char digits[84];
    const uint8_t *p = (const uint8_t *)raw + i * r->from.width;
    bool const is_unsigned = r->from.kind == CQ_VALUE_INT && !r->from.is_signed;
    wide w;
    if (is_unsigned) {
        memset(&w, 0, sizeof w);
        memcpy(w.limb, p, r->from.width);
    } else {
        w = load_wide(p, r->from.width);
    }
    int32_t const places = r->from.scale > 0 && r->from.scale < 78 ? r->from.scale : 0;
    size_t at = sizeof digits;
    digits[--at] = '\0';
    for (int32_t n = 0; n <= places || !is_zero(&w); n++) {
        if (n == places && n > 0) digits[--at] = '.';
        digits[--at] = (char)('0' + (char)divide(&w, 10)); /* lint: a digit */
    }
    bool const negative = !is_unsigned && p[r->from.width - 1] & 0x80;
    if (places == r->from.scale)
        (void)snprintf(t.text, sizeof t.text, "%s%s", negative ? "-" : "", digits + at);
    else
        (void)snprintf(t.text, sizeof t.text, "%s%sE%+d", negative ? "-" : "", digits + at, -(int)r->from.scale);
    return t;
}

static cq_status too_large(const cq_value_rule *r, const void *raw, int64_t i, cq_err *e)
{
    char text[CQ_TYPE_TEXT_BYTES];
    return cq_at_slot(cq_fail(e, CQ_ERANGE, "%s does not fit %s", show(r, raw, i).text, cq_field_type_text(r->field, text)), i, e);
}

static cq_status too_fine(const cq_value_rule *r, const void *raw, int64_t i, cq_err *e)
{
    char text[CQ_TYPE_TEXT_BYTES];
    return cq_at_slot(cq_fail(e, CQ_EVALUE, "%s has more digits behind the point than %s; round it first if that is meant", show(r, raw, i).text, cq_field_type_text(r->field, text)), i, e);
}

/* -- one value ---------------------------------------------------------------------------------- */

/* How values of one rule are rescaled. */
typedef struct scaling {
    int32_t down;   /* digits to take off, all zero */
    u128 up, by;    /* factor; 10^down where that is below 10^39 */
    u128 most;      /* of the magnitude before `up` */
} scaling;

static scaling scaling_of(const cq_value_rule *r)
{
    int32_t const diff = r->field->scale - r->from.scale;
    u128 const most = power_of_ten(r->field->precision) - 1;
    scaling s = {.down = diff < 0 ? -diff : 0, .up = 1, .by = 1, .most = most};
    if (diff > CQ_MAX_DECIMAL_DIGITS) {
        s.most = 0; /* only 0 fits */
    } else if (diff > 0) {
        s.up = power_of_ten(diff);
        s.most = most / s.up;
    } else if (s.down <= CQ_MAX_DECIMAL_DIGITS) {
        s.by = power_of_ten(s.down);
    }
    return s;
}

typedef enum fit { FITS, TOO_LARGE, TOO_FINE } fit;

static fit rescale(const scaling *s, u128 *magnitude)
{
    if (s->down > CQ_MAX_DECIMAL_DIGITS) {
        if (*magnitude) return TOO_FINE; /* below 10^39, so not a multiple of it */
    } else if (s->down > 0) {
        if (*magnitude % s->by) return TOO_FINE;
        *magnitude /= s->by;
    }
    if (*magnitude > s->most) return TOO_LARGE;
    *magnitude *= s->up;
    return FITS;
}

/* 256 bits: zeros behind the point go first, and then 128 bits have to be enough. */
static fit rescale_wide(const scaling *s, wide *w, u128 *magnitude)
{
    scaling rest = *s;
    for (; rest.down > 0 && !is_zero(w); rest.down--)
        if (divide(w, 10)) return TOO_FINE;
    rest.down = 0;
    if (w->limb[2] | w->limb[3]) return TOO_LARGE;
    *magnitude = (u128)w->limb[1] << 64 | w->limb[0];
    return rescale(&rest, magnitude);
}

static u128 load_magnitude(const cq_value_rule *r, const uint8_t *p, bool *negative)
{
    bool const is_signed = r->from.kind != CQ_VALUE_INT || r->from.is_signed;
    uint64_t low, high;
    switch (r->from.width) {
    case 1: low = is_signed ? (uint64_t)(int8_t)p[0] : p[0]; break;                     /* lint: sign extension */
    case 2: low = is_signed ? (uint64_t)(int16_t)cq_load16(p) : cq_load16(p); break;    /* lint: sign extension */
    case 4: low = is_signed ? (uint64_t)cq_wrap_i32(cq_load32(p)) : cq_load32(p); break;
    default: low = cq_load64(p); break;
    }
    high = r->from.width == 16 ? cq_load64(p + 8) : is_signed && low >> 63 ? UINT64_MAX : 0;
    u128 const x = (u128)high << 64 | low;
    *negative = high >> 63;
    return *negative ? 0 - x : x;
}

/* Big-endian two's complement in n bytes, 9 to 16, which hold it: its first eight bytes and its last eight. */
static void store_big(uint8_t *to, int32_t n, u128 x)
{
    cq_store64(to, __builtin_bswap64((uint64_t)(x >> (8 * (n - 8)))));
    cq_store64(to + n - 8, __builtin_bswap64((uint64_t)x));
}

static cq_status convert(const cq_value_rule *r, const void *raw, const uint8_t *validity, int64_t n, uint8_t *to, size_t step, cq_err *e)
{
    scaling const s = scaling_of(r);
    bool const is_wide = r->from.width > 16;
    for (int64_t i = 0; i < n; i++, to += step) {
        const uint8_t *p = (const uint8_t *)raw + i * r->from.width;
        u128 x = 0;
        bool negative = false;
        fit f = FITS;
        if (!cq_is_value(validity, i)) {
            x = 0;
        } else if (is_wide) {
            wide w = load_wide(p, r->from.width);
            negative = w.negative;
            f = rescale_wide(&s, &w, &x);
        } else {
            x = load_magnitude(r, p, &negative);
            f = rescale(&s, &x);
        }
        if (f != FITS) return f == TOO_FINE ? too_fine(r, raw, i, e) : too_large(r, raw, i, e);
        if (negative) x = 0 - x;
        if (r->width == 4)
            cq_store32(to, cq_low32((uint64_t)x));
        else if (r->width == 8)
            cq_store64(to, (uint64_t)x);
        else
            store_big(to, r->field->fixed_bytes, x);
    }
    return CQ_OK;
}

cq_status cq_decimal_convert(const cq_value_rule *r, const void *raw, const uint8_t *validity, int64_t n, cq_arena *scratch, cq_vec *out, cq_err *e)
{
    size_t const step = r->width ? r->width : (size_t)r->field->fixed_bytes;
    void *to, *p;
    CQ_TRY(cq_arena_alloc(scratch, (size_t)n * step, &to, e));
    CQ_TRY(convert(r, raw, validity, n, to, step, e));
    *out = cq_vec_flat(r->field->type, to, validity);
    if (r->width) return CQ_OK;
    CQ_TRY(cq_arena_alloc(scratch, (size_t)n * sizeof(cq_span), &p, e));
    cq_span *spans = p;
    for (int64_t i = 0; i < n; i++) spans[i] = cq_span_of((const uint8_t *)to + (size_t)i * step, step);
    *out = cq_vec_spans(r->field->type, spans, validity);
    return CQ_OK;
}
