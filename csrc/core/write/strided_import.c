/* Items at equal steps: gathered into contiguous native ones where they are not that already. */
#include "write/strided_import.h"

#include "base/bytes.h"
#include "write/value_import.h"

#include <stdio.h>
#include <string.h>

/* -- what they are ------------------------------------------------------------------------------- */

static const struct { int64_t ns; const char *name; } units[] = {
    [CQ_STRIDED_WEEK] = {INT64_C(604800000000000), "W"}, [CQ_STRIDED_DAY] = {INT64_C(86400000000000), "D"},
    [CQ_STRIDED_HOUR] = {INT64_C(3600000000000), "h"}, [CQ_STRIDED_MINUTE] = {INT64_C(60000000000), "m"},
    [CQ_STRIDED_S] = {1000000000, "s"}, [CQ_STRIDED_MS] = {1000000, "ms"}, [CQ_STRIDED_US] = {1000, "us"}, [CQ_STRIDED_NS] = {1, "ns"},
};

static cq_status datetime_type(const cq_strided *s, cq_value_type *out, cq_err *e)
{
    int64_t const steps = s->multiplier > 0 ? s->multiplier : 1;
    char count[16] = "";
    if (s->multiplier > 1) (void)snprintf(count, sizeof count, "%d", (int)s->multiplier);
    (void)snprintf(out->text, sizeof out->text, "datetime64[%s%s]", count, units[s->unit].name);
    out->kind = CQ_VALUE_TIMESTAMP;
    out->zone = CQ_ZONE_ANY;
    out->is_signed = true;
    if (!cq_mul_i64(steps, units[s->unit].ns, &out->tick_ns)) return cq_fail(e, CQ_EUNSUPPORTED, "an array of %s: its steps are too long", out->text);
    return CQ_OK;
}

cq_status cq_strided_value_type(const cq_strided *s, cq_value_type *out, cq_err *e)
{
    size_t const n = s->item_bytes;
    bool const power = n == 1 || n == 2 || n == 4 || n == 8;
    bool good = true;
    memset(out, 0, sizeof *out);
    out->width = power ? cq_u8(n) : 0;
    switch (s->kind) {
    case CQ_STRIDED_BOOL:
        good = n == 1;
        out->kind = CQ_VALUE_BOOL;
        (void)snprintf(out->text, sizeof out->text, "bool");
        break;
    case CQ_STRIDED_INT:
    case CQ_STRIDED_UINT:
        good = power;
        out->kind = CQ_VALUE_INT;
        out->is_signed = s->kind == CQ_STRIDED_INT;
        (void)snprintf(out->text, sizeof out->text, "%sint%zu", out->is_signed ? "" : "u", n * 8);
        break;
    case CQ_STRIDED_FLOAT:
        good = power && n > 1;
        out->kind = CQ_VALUE_FLOAT;
        (void)snprintf(out->text, sizeof out->text, "float%zu", n * 8);
        break;
    case CQ_STRIDED_DATETIME:
        good = n == 8;
        if (good) CQ_TRY(datetime_type(s, out, e));
        break;
    case CQ_STRIDED_BYTES:
    case CQ_STRIDED_VOID:
        good = n <= INT32_MAX;
        out->kind = CQ_VALUE_BINARY;
        out->width = 0;
        if (good && s->kind == CQ_STRIDED_VOID) out->fixed_bytes = cq_i32(cq_i64(n));
        (void)snprintf(out->text, sizeof out->text, "%c%zu", s->kind == CQ_STRIDED_VOID ? 'V' : 'S', n);
        break;
    case CQ_STRIDED_TEXT:
        good = n % 4 == 0 && n <= INT32_MAX;
        out->kind = CQ_VALUE_TEXT;
        out->width = 0;
        (void)snprintf(out->text, sizeof out->text, "U%zu", n / 4);
        break;
    }
    if (!good) return cq_fail(e, CQ_EARG, "an array whose items have %zu bytes, which its type has not", n);
    return CQ_OK;
}

/* -- numbers ------------------------------------------------------------------------------------- */

static const uint8_t *item(const cq_strided *s, int64_t i) { return (const uint8_t *)s->base + i * s->stride; }

#define DEFINE_GATHER(BITS, SWAP)                                                                                      \
    static void gather_##BITS(const uint8_t *from, int64_t stride, bool swapped, int64_t n, void *out)                 \
    {                                                                                                                  \
        uint##BITS##_t *to = out, v;                                                                                   \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            memcpy(&v, from + i * stride, sizeof v);                                                                   \
            to[i] = swapped ? SWAP(v) : v;                                                                             \
        }                                                                                                              \
    }
#define SAME(v) (v)
DEFINE_GATHER(8, SAME)
DEFINE_GATHER(16, __builtin_bswap16)
DEFINE_GATHER(32, __builtin_bswap32)
DEFINE_GATHER(64, __builtin_bswap64)

/* The array's own memory, if it is contiguous, aligned and native. */
static cq_status fetch(const cq_strided *s, int64_t from, int64_t n, cq_arena *scratch, const void **out, cq_err *e)
{
    size_t const width = s->item_bytes;
    const uint8_t *at = item(s, from);
    bool const in_order = n == 1 || s->stride == (int64_t)width;
    *out = at;
    if (in_order && !(s->swapped && width > 1) && (uintptr_t)at % width == 0) return CQ_OK;
    void *p;
    CQ_TRY(cq_arena_alloc(scratch, (size_t)n * width, &p, e));
    *out = p;
    switch (width) {
    case 1: gather_8(at, s->stride, s->swapped, n, p); break;
    case 2: gather_16(at, s->stride, s->swapped, n, p); break;
    case 4: gather_32(at, s->stride, s->swapped, n, p); break;
    default: gather_64(at, s->stride, s->swapped, n, p); break;
    }
    return CQ_OK;
}

/* One byte each, 1 where the mask is 0; NULL where none is masked. */
static cq_status read_mask(const cq_strided *s, int64_t from, int64_t n, cq_arena *scratch, uint8_t **out, cq_err *e)
{
    void *p;
    *out = NULL;
    if (!s->mask) return CQ_OK;
    const uint8_t *m = s->mask + from * s->mask_stride;
    uint8_t all = 0;
    if (s->mask_stride == 1)
        for (int64_t i = 0; i < n; i++) all |= m[i];
    else
        for (int64_t i = 0; i < n; i++) all |= m[i * s->mask_stride];
    if (!all) return CQ_OK;
    CQ_TRY(cq_arena_alloc(scratch, (size_t)n, &p, e));
    *out = p;
    if (s->mask_stride == 1)
        for (int64_t i = 0; i < n; i++) (*out)[i] = m[i] == 0;
    else
        for (int64_t i = 0; i < n; i++) (*out)[i] = m[i * s->mask_stride] == 0;
    return CQ_OK;
}

/* NaT is null. */
static cq_status read_nat(const int64_t *raw, int64_t n, cq_arena *scratch, uint8_t **validity, cq_err *e)
{
    void *p;
    bool any = false;
    for (int64_t i = 0; i < n; i++) any |= raw[i] == INT64_MIN;
    if (!any) return CQ_OK;
    if (*validity) {
        for (int64_t i = 0; i < n; i++) (*validity)[i] &= raw[i] != INT64_MIN;
        return CQ_OK;
    }
    CQ_TRY(cq_arena_alloc(scratch, (size_t)n, &p, e));
    *validity = p;
    for (int64_t i = 0; i < n; i++) (*validity)[i] = raw[i] != INT64_MIN;
    return CQ_OK;
}

/* -- bytes and text ------------------------------------------------------------------------------ */

static cq_status read_bytes(const cq_strided *s, const cq_value_rule *r, int64_t from, int64_t n, const uint8_t *validity, cq_arena *scratch, cq_vec *out, cq_err *e)
{
    bool const whole = s->kind == CQ_STRIDED_VOID || (r->op == CQ_OP_FIXED && s->item_bytes == (size_t)r->field->fixed_bytes);
    void *p;
    CQ_TRY(cq_arena_alloc(scratch, (size_t)n * sizeof(cq_span), &p, e));
    cq_span *spans = p;
    for (int64_t i = 0; i < n; i++) {
        const uint8_t *at = item(s, from + i);
        size_t k = s->item_bytes;
        if (!whole)
            while (k > 0 && at[k - 1] == 0) k--;
        spans[i] = cq_span_of(at, k);
    }
    return cq_value_convert_spans(r, spans, validity, n, false, out, e);
}

static uint32_t character(const uint8_t *p, bool swapped) { return swapped ? __builtin_bswap32(cq_load32(p)) : cq_load32(p); }

static size_t utf8_bytes(uint32_t c) { return 1 + (size_t)(c >= 0x80) + (size_t)(c >= 0x800) + (size_t)(c >= 0x10000); }

/* Characters without the NULs at the end. */
static size_t text_length(const uint8_t *p, size_t chars)
{
    while (chars > 0 && cq_load32(p + 4 * (chars - 1)) == 0) chars--;
    return chars;
}

static uint8_t *put_character(uint8_t *to, uint32_t c, size_t n)
{
    static const uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t k = n - 1; k > 0; k--, c >>= 6) to[k] = cq_low8(0x80 | (c & 0x3F));
    to[0] = cq_low8(lead[n] | c);
    return to + n;
}

/* One text as UTF-8 at *to, which it moves; *at_char is where it fails. */
typedef enum coded { CODED, NO_CHARACTER, NO_ROOM } coded;

static coded encode(const uint8_t *p, size_t chars, bool swapped, uint8_t **to, const uint8_t *end, size_t *at_char)
{
    uint8_t *out = *to;
    for (size_t k = 0; k < chars; k++) {
        uint32_t const c = character(p + 4 * k, swapped);
        *at_char = k;
        if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return NO_CHARACTER;
        size_t const n = utf8_bytes(c);
        if (n > (size_t)(end - out)) return NO_ROOM;
        if (n == 1)
            *out++ = cq_low8(c);
        else
            out = put_character(out, c, n);
    }
    *to = out;
    return CODED;
}

static cq_status bad_character(const uint8_t *p, bool swapped, size_t k, int64_t row, cq_err *e)
{
    uint32_t const c = character(p + 4 * k, swapped);
    cq_status const st = c > 0x10FFFF ? cq_fail(e, CQ_EVALUE, "a text with 0x%08x at index %zu, which is no character", (unsigned)c, k)
                                      : cq_fail(e, CQ_EVALUE, "a text with a lone surrogate (U+%04X) at index %zu, which no UTF-8 can hold", (unsigned)c, k);
    return cq_at_slot(st, row, e);
}

/* Bytes of the texts as UTF-8, at most; *ascii: each character is one. */
static size_t measure_texts(const cq_strided *s, int64_t from, int64_t n, const uint8_t *validity, bool *ascii)
{
    size_t const chars = s->item_bytes / 4;
    size_t bytes = 0, more = 0;
    uint32_t all = 0;
    for (int64_t i = 0; i < n; i++) {
        const uint8_t *at = item(s, from + i);
        if (!cq_is_value(validity, i)) continue;
        size_t const len = text_length(at, chars);
        bytes += len;
        for (size_t k = 0; k < len; k++) all |= character(at + 4 * k, s->swapped);
    }
    *ascii = all < 0x80;
    for (int64_t i = 0; i < n && !*ascii; i++) {
        const uint8_t *at = item(s, from + i);
        if (!cq_is_value(validity, i)) continue;
        for (size_t k = 0, len = text_length(at, chars); k < len; k++) more += utf8_bytes(character(at + 4 * k, s->swapped)) - 1;
    }
    return bytes + more;
}

/* Characters of one byte; what is none any more becomes one. */
static coded copy_ascii(const uint8_t *p, size_t chars, bool swapped, uint8_t **to, const uint8_t *end)
{
    uint8_t *out = *to;
    if (chars > (size_t)(end - out)) return NO_ROOM;
    for (size_t k = 0; k < chars; k++) out[k] = p[4 * k + (swapped ? 3 : 0)] & 0x7F;
    *to = out + chars;
    return CODED;
}

/* Lengths first, so that the scratch is no larger than the texts; the second look stays within it whatever it sees. */
static cq_status read_text(const cq_strided *s, const cq_value_rule *r, int64_t from, int64_t n, const uint8_t *validity, cq_arena *scratch, cq_vec *out, cq_err *e)
{
    size_t const chars = s->item_bytes / 4;
    size_t at_char = 0;
    bool ascii;
    void *p, *text;
    size_t const bytes = measure_texts(s, from, n, validity, &ascii);
    CQ_TRY(cq_arena_alloc(scratch, (size_t)n * sizeof(cq_span), &p, e));
    CQ_TRY(cq_arena_alloc(scratch, bytes, &text, e));
    cq_span *spans = p;
    uint8_t *to = text;
    const uint8_t *end = to + bytes;
    for (int64_t i = 0; i < n; i++) {
        const uint8_t *at = item(s, from + i), *start = to;
        if (cq_is_value(validity, i)) {
            size_t const len = text_length(at, chars);
            coded const c = ascii ? copy_ascii(at, len, s->swapped, &to, end) : encode(at, len, s->swapped, &to, end, &at_char);
            if (c == NO_CHARACTER) return bad_character(at, s->swapped, at_char, i, e);
            if (c == NO_ROOM) return cq_fail(e, CQ_ECHANGED, "an array was changed while it was read");
        }
        spans[i] = cq_span_of(start, (size_t)(to - start));
    }
    *out = cq_vec_spans(r->field->type, spans, validity);
    return CQ_OK;
}

/* -- reading ------------------------------------------------------------------------------------- */

cq_status cq_strided_read(const cq_strided *s, const cq_value_rule *r, int64_t from, int64_t n, cq_arena *scratch, cq_vec *out, cq_err *e)
{
    uint8_t *validity;
    const void *raw;
    CQ_TRY(read_mask(s, from, n, scratch, &validity, e));
    if (s->kind == CQ_STRIDED_TEXT) return read_text(s, r, from, n, validity, scratch, out, e);
    if (s->kind == CQ_STRIDED_BYTES || s->kind == CQ_STRIDED_VOID) return read_bytes(s, r, from, n, validity, scratch, out, e);
    CQ_TRY(fetch(s, from, n, scratch, &raw, e));
    if (s->kind == CQ_STRIDED_DATETIME) CQ_TRY(read_nat(raw, n, scratch, &validity, e));
    return cq_value_convert(r, raw, validity, n, scratch, out, e);
}

size_t cq_strided_row_bytes(const cq_strided *s, const cq_value_rule *r)
{
    size_t const validity = s->mask || s->kind == CQ_STRIDED_DATETIME ? 1 : 0;
    if (s->kind == CQ_STRIDED_TEXT) return validity + sizeof(cq_span) + s->item_bytes;
    if (s->kind == CQ_STRIDED_BYTES || s->kind == CQ_STRIDED_VOID) return validity + sizeof(cq_span);
    bool const own = s->stride == (int64_t)s->item_bytes && !(s->swapped && s->item_bytes > 1) && (uintptr_t)s->base % s->item_bytes == 0;
    return validity + (own ? 0 : s->item_bytes) + cq_value_row_bytes(r);
}
