/* Statistics: bounds of every type against a plain reference, the cut at 64 bytes, rounding up texts and bytes, and
 * that merging parts gives what the whole would. */
#include "base/bytes.h"
#include "base/err.h"
#include "base/utf8.h"
#include "format/stats.h"

#include <math.h>

#include "cqtest.h"

/* -- numbers --------------------------------------------------------------------------------------------------------- */

/* Bytes of a number; 0 for what is none. */
static size_t size_of(cq_type t) { return t == CQ_FLOAT16 ? 2 : cq_type_facts(t)->width; }

/* A half by its definition. */
static double half_value(const uint8_t *p)
{
    int const h = p[0] | p[1] << 8, exponent = h >> 10 & 31, fraction = h & 1023;
    double const m = exponent == 31 ? (fraction ? (double)NAN : HUGE_VAL) : exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return h & 0x8000 ? -m : m;
}

static bool less_fixed(cq_type t, const uint8_t *a, const uint8_t *b)
{
    const cq_type_info *f = cq_type_facts(t);
    float x, y;
    double u, v;
    switch (size_of(t)) {
    case 2: return half_value(a) < half_value(b);
    case 1: return *a < *b;
    case 4:
        memcpy(&x, a, 4), memcpy(&y, b, 4);
        if (f->is_float) return x < y;
        return f->is_signed ? cq_wrap_i32(cq_load32(a)) < cq_wrap_i32(cq_load32(b)) : cq_load32(a) < cq_load32(b);
    default:
        memcpy(&u, a, 8), memcpy(&v, b, 8);
        if (f->is_float) return u < v;
        return f->is_signed ? cq_wrap_i64(cq_load64(a)) < cq_wrap_i64(cq_load64(b)) : cq_load64(a) < cq_load64(b);
    }
}

static bool is_nan_value(cq_type t, const uint8_t *a)
{
    const cq_type_info *f = cq_type_facts(t);
    float x;
    double u;
    if (!f->is_float) return false;
    if (t == CQ_FLOAT16) return isnan(half_value(a));
    if (f->width == 4) {
        memcpy(&x, a, 4);
        return isnan(x);
    }
    memcpy(&u, a, 8);
    return isnan(u);
}

/* Zeros of either sign count as -0 for the minimum and as +0 for the maximum. */
static void signed_zero(cq_type t, uint8_t *a, bool negative)
{
    const cq_type_info *f = cq_type_facts(t);
    static const uint8_t zero[8];
    if (!f->is_float || less_fixed(t, a, zero) || less_fixed(t, zero, a)) return;
    memset(a, 0, size_of(t));
    if (negative) a[size_of(t) - 1] = 0x80;
}

static void random_fixed(cq_type t, uint8_t *out, uint64_t kind)
{
    static const double specials[] = {0.0, -0.0, 1.0, -1.0, HUGE_VAL, -HUGE_VAL, 5e-324};
    const cq_type_info *f = cq_type_facts(t);
    uint64_t x = cqt_rand();
    if (f->width == 1) {
        *out = (uint8_t)(x & 1);
    } else if (t == CQ_FLOAT16) {
        static const uint16_t half_specials[] = {0, 0x8000, 1, 0x8001, 0x3FF, 0x400, 0x7BFF, 0xFBFF, 0x7C00, 0xFC00};
        uint16_t h = (uint16_t)x;
        if (kind % 3 == 0) h = half_specials[cqt_rand_below(10)];
        if ((h & 0x7C00) == 0x7C00) h &= 0xFC00;
        if (kind % 5 == 4 && cqt_rand_below(20) == 0) h = cqt_rand_below(2) ? 0x7E00 : 0xFC01;
        memcpy(out, &h, 2);
    } else if (f->is_float) {
        double d = kind % 3 == 0 ? specials[cqt_rand_below(7)] : (double)(int64_t)x / 1e12;
        if (kind % 5 == 4 && cqt_rand_below(20) == 0) d = cqt_rand_below(2) ? (double)NAN : -(double)NAN;
        float const s = (float)d;
        if (f->width == 4)
            memcpy(out, &s, 4);
        else
            memcpy(out, &d, 8);
    } else {
        if (kind % 3 == 0) x = cqt_rand_below(4) + UINT64_C(0x7fffffffffffffff); /* around the turn of the sign */
        if (kind % 3 == 1) x %= 5;
        if (f->width == 4) x = kind % 3 == 0 ? cqt_rand_below(4) + 0x7fffffff : x;
        memcpy(out, &x, f->width);
    }
}

static void check_number_bounds(cq_type t, const uint8_t *v, size_t n, const cq_stats *s)
{
    size_t const width = size_of(t);
    int64_t nans = 0;
    const uint8_t *lo = NULL, *hi = NULL;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *x = v + i * width;
        if (is_nan_value(t, x)) {
            nans++;
            continue;
        }
        if (!lo || less_fixed(t, x, lo)) lo = x;
        if (!hi || less_fixed(t, hi, x)) hi = x;
    }
    CQT_EQ_I(s->n_nans, nans);
    CQT_EQ_I(cq_stats_usable(s, t), n > 0 && nans == 0);
    if (n == 0 || nans) return;
    uint8_t min[8], max[8];
    memcpy(min, lo, width);
    memcpy(max, hi, width);
    signed_zero(t, min, true);
    signed_zero(t, max, false);
    cq_bound a, b;
    cq_stats_emit_min(s, t, &a);
    CQT(cq_stats_emit_max(s, t, &b));
    CQT(a.exact && b.exact && a.n == width && b.n == width);
    CQT_EQ_MEM(a.bytes, min, width);
    CQT_EQ_MEM(b.bytes, max, width);
}

static void numbers(void)
{
    enum { MOST = 300 };
    static uint64_t store[MOST];
    uint8_t *v = (uint8_t *)store;
    for (int t = 0; t < CQ_N_TYPES; t++)
        for (int round = 0; round < 300 && size_of((cq_type)t); round++) {
            cq_type const type = (cq_type)t;
            size_t const width = size_of(type), n = (size_t)cqt_rand_below(round % 3 ? 6 : MOST);
            uint64_t const kind = cqt_rand();
            for (size_t i = 0; i < n; i++) random_fixed(type, v + i * width, kind);
            cq_stats all, merged;
            cq_stats_clear(&all);
            cq_stats_clear(&merged);
            cq_stats_add_fixed(&all, type, v, n);
            check_number_bounds(type, v, n, &all);
            for (size_t i = 0; i < n;) {
                size_t const k = 1 + (size_t)cqt_rand_below(n - i);
                cq_stats part;
                cq_stats_clear(&part);
                cq_stats_add_fixed(&part, type, v + i * width, k);
                cq_stats_merge(&merged, type, &part);
                i += k;
            }
            check_number_bounds(type, v, n, &merged);
        }
}

static void nothing_but_nan_has_no_bounds(void)
{
    double const nan = (double)NAN;
    cq_stats s;
    cq_stats_clear(&s);
    CQT(!cq_stats_usable(&s, CQ_FLOAT64));
    cq_stats_add_fixed(&s, CQ_FLOAT64, &nan, 1);
    CQT_EQ_I(s.n_nans, 1);
    CQT(!cq_stats_usable(&s, CQ_FLOAT64));
    uint8_t const half_nan[] = {0x01, 0x7C, 0xFF, 0xFF};
    cq_stats_clear(&s);
    cq_stats_add_fixed(&s, CQ_FLOAT16, half_nan, 2);
    CQT_EQ_I(s.n_nans, 2);
    CQT(!s.has_bounds && !cq_stats_usable(&s, CQ_FLOAT16));
}

/* -- byte arrays ----------------------------------------------------------------------------------------------------- */

#define TEXT_MOST 140

typedef struct text {
    uint8_t bytes[TEXT_MOST + 8];
    size_t n;
} text;

static bool is_text(cq_type t) { return t == CQ_STRING || t == CQ_JSON || t == CQ_ENUM; }

static cq_span span_of(const text *t) { return cq_span_of(t->bytes, t->n); }

static int text_cmp(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
    int const c = memcmp(a, b, na < nb ? na : nb);
    return c ? c : (na > nb) - (na < nb);
}

static void put_char(text *t, uint32_t cp)
{
    uint8_t *p = t->bytes + t->n;
    if (cp < 0x80) {
        p[0] = (uint8_t)cp;
        t->n += 1;
    } else if (cp < 0x800) {
        p[0] = (uint8_t)(0xC0 | cp >> 6);
        p[1] = (uint8_t)(0x80 | (cp & 63));
        t->n += 2;
    } else if (cp < 0x10000) {
        p[0] = (uint8_t)(0xE0 | cp >> 12);
        p[1] = (uint8_t)(0x80 | (cp >> 6 & 63));
        p[2] = (uint8_t)(0x80 | (cp & 63));
        t->n += 3;
    } else {
        p[0] = (uint8_t)(0xF0 | cp >> 18);
        p[1] = (uint8_t)(0x80 | (cp >> 12 & 63));
        p[2] = (uint8_t)(0x80 | (cp >> 6 & 63));
        p[3] = (uint8_t)(0x80 | (cp & 63));
        t->n += 4;
    }
}

static uint32_t random_char(void)
{
    static const uint32_t borders[] = {0, 0x7E, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FE, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFE, 0x10FFFF};
    return cqt_rand_below(3) ? borders[cqt_rand_below(13)] : 'a' + (uint32_t)cqt_rand_below(3);
}

/* Texts that agree far beyond the cut or nearly so, ending around it; or all of one length. */
static void random_text(cq_type type, text *t, const text *like, size_t fixed)
{
    t->n = 0;
    size_t const most = fixed ? fixed : (size_t)(cqt_rand_below(3) ? 58 + cqt_rand_below(10) : cqt_rand_below(TEXT_MOST));
    if (like && like->n && cqt_rand_below(4)) {
        size_t const keep = (size_t)(cqt_rand_below(2) ? like->n - cqt_rand_below(cq_min_size(like->n, 9)) : cqt_rand_below(like->n + 1));
        memcpy(t->bytes, like->bytes, keep);
        t->n = is_text(type) ? cq_utf8_valid_prefix(t->bytes, keep) : keep;
    }
    uint64_t const mono = cqt_rand_below(3);
    uint32_t const c = random_char();
    while (t->n < most) {
        if (!is_text(type))
            t->bytes[t->n++] = (uint8_t)(cqt_rand_below(3) ? 0xFF : cqt_rand());
        else
            put_char(t, mono == 0 ? c : random_char());
    }
}

/* What a reader may rely on, and that nothing better of that length exists. */
static void check_bytes_bounds(cq_type type, const cq_stats *s, const text *lo, const text *hi)
{
    cq_bound min, max;
    cq_stats_emit_min(s, type, &min);
    CQT(min.n <= CQ_STAT_BYTES && min.n <= lo->n);
    CQT_EQ_MEM(min.bytes, lo->bytes, min.n);
    CQT_EQ_I(min.exact, lo->n <= CQ_STAT_BYTES);
    if (min.exact) CQT_EQ_U(min.n, lo->n);
    if (!min.exact && !is_text(type)) CQT_EQ_U(min.n, CQ_STAT_BYTES);
    if (!min.exact && is_text(type)) CQT(min.n == CQ_STAT_BYTES || cq_utf8_valid_prefix(lo->bytes, CQ_STAT_BYTES) == min.n);
    bool const has_max = cq_stats_emit_max(s, type, &max);
    CQT_EQ_I(cq_stats_usable(s, type), has_max);
    if (hi->n <= CQ_STAT_BYTES) {
        CQT(has_max && max.exact && max.n == hi->n);
        CQT_EQ_MEM(max.bytes, hi->bytes, hi->n);
        return;
    }
    size_t const cut = is_text(type) ? cq_utf8_valid_prefix(hi->bytes, CQ_STAT_BYTES) : CQ_STAT_BYTES;
    if (has_max) {
        CQT(!max.exact && max.n <= CQ_STAT_BYTES);
        CQT(text_cmp(max.bytes, max.n, hi->bytes, hi->n) > 0);
        /* the raised character is as far behind as it can be: what follows it in the value has no successor */
        size_t same = 0;
        while (same < max.n && max.bytes[same] == hi->bytes[same]) same++;
        CQT(same < cut);
    }
    if (is_text(type)) {
        if (has_max) CQT_EQ_U(cq_utf8_valid_prefix(max.bytes, max.n), max.n);
    } else {
        bool all_ff = true;
        for (size_t i = 0; i < CQ_STAT_BYTES; i++) all_ff = all_ff && hi->bytes[i] == 0xFF;
        CQT_EQ_I(has_max, !all_ff);
    }
}

static void byte_arrays(cq_type type, size_t fixed)
{
    enum { MOST = 8 };
    static text v[MOST];
    for (int round = 0; round < 8000; round++) {
        size_t const n = 1 + (size_t)cqt_rand_below(MOST);
        const text *lo = &v[0], *hi = &v[0];
        for (size_t i = 0; i < n; i++) {
            random_text(type, &v[i], i ? &v[cqt_rand_below(i)] : NULL, fixed);
            if (is_text(type)) CQT_EQ_U(cq_utf8_valid_prefix(v[i].bytes, v[i].n), v[i].n);
            if (text_cmp(v[i].bytes, v[i].n, lo->bytes, lo->n) < 0) lo = &v[i];
            if (text_cmp(v[i].bytes, v[i].n, hi->bytes, hi->n) > 0) hi = &v[i];
        }
        cq_stats all, merged;
        cq_stats_clear(&all);
        cq_stats_clear(&merged);
        cq_stats_add_bytes(&all, type, span_of(lo), span_of(hi));
        check_bytes_bounds(type, &all, lo, hi);
        for (size_t i = 0; i < n; i++) {
            cq_stats part;
            cq_stats_clear(&part);
            part.value_bytes = (int64_t)v[i].n;
            part.n_nulls = 2;
            cq_stats_add_bytes(&part, type, span_of(&v[i]), span_of(&v[i]));
            cq_stats_merge(&merged, type, &part);
        }
        CQT_EQ_I(merged.n_nulls, 2 * (int64_t)n);
        CQT_EQ_I(merged.min.exact, all.min.exact);
        CQT_EQ_I(merged.max.exact, all.max.exact);
        CQT_EQ_U(merged.min.n, all.min.n);
        CQT_EQ_U(merged.max.n, all.max.n);
        CQT_EQ_MEM(merged.min.bytes, all.min.bytes, all.min.n);
        CQT_EQ_MEM(merged.max.bytes, all.max.bytes, all.max.n);
    }
}

static void texts(void)
{
    byte_arrays(CQ_STRING, 0);
    byte_arrays(CQ_JSON, 0);
    byte_arrays(CQ_ENUM, 0);
}

static void bytes(void)
{
    static const size_t lengths[] = {1, 2, 16, 63, 64};
    byte_arrays(CQ_BINARY, 0);
    byte_arrays(CQ_BSON, 0);
    byte_arrays(CQ_UUID, 16);
    for (int i = 0; i < 5; i++) byte_arrays(CQ_FIXED, lengths[i]);
    uint8_t const longer[65] = {0};
    cq_stats s;
    cq_stats_clear(&s);
    cq_stats_add_bytes(&s, CQ_FIXED, cq_span_of(longer, 65), cq_span_of(longer, 65));
    CQT(!s.has_bounds && !cq_stats_usable(&s, CQ_FIXED));
}

__extension__ typedef __int128 i128;

static i128 decimal_of(const uint8_t *p, size_t n)
{
    i128 x = p[0] & 0x80 ? -1 : 0;
    for (size_t i = 0; i < n; i++) x = x * 256 + p[i];
    return x;
}

/* Big-endian two's complement against the numbers. */
static void decimals(void)
{
    for (int round = 0; round < 30000; round++) {
        uint8_t v[6][16];
        size_t const n = 9 + (size_t)cqt_rand_below(8), count = 1 + (size_t)cqt_rand_below(6);
        cq_stats s;
        cq_stats_clear(&s);
        size_t lo = 0, hi = 0;
        for (size_t i = 0; i < count; i++) {
            cqt_rand_bytes(v[i], n);
            if (i && cqt_rand_below(2)) memcpy(v[i], v[i - 1], (size_t)cqt_rand_below(n + 1));
            if (cqt_rand_below(3) == 0) memset(v[i], cqt_rand_below(2) ? 0xFF : 0, n - 1);
            if (decimal_of(v[i], n) < decimal_of(v[lo], n)) lo = i;
            if (decimal_of(v[i], n) > decimal_of(v[hi], n)) hi = i;
            cq_span const x = cq_span_of(v[i], n), y = cq_span_of(v[0], n);
            int const c = cq_value_cmp(CQ_DECIMAL128, x, y);
            CQT_EQ_I((c > 0) - (c < 0), (decimal_of(v[i], n) > decimal_of(v[0], n)) - (decimal_of(v[i], n) < decimal_of(v[0], n)));
            cq_stats_add_bytes(&s, CQ_DECIMAL128, x, x);
        }
        cq_bound a, b;
        cq_stats_emit_min(&s, CQ_DECIMAL128, &a);
        CQT(cq_stats_emit_max(&s, CQ_DECIMAL128, &b));
        CQT(a.exact && b.exact && a.n == n && b.n == n);
        CQT_EQ_MEM(a.bytes, v[lo], n);
        CQT_EQ_MEM(b.bytes, v[hi], n);
    }
}

/* 63 bytes of 'a', then two characters, of which the second is beyond the cut. */
static void upper_of(cq_type type, const void *bytes, size_t n, const void *want, size_t n_want)
{
    cq_stats s;
    cq_bound b;
    cq_stats_clear(&s);
    cq_stats_add_bytes(&s, type, cq_span_of(bytes, n), cq_span_of(bytes, n));
    CQT_EQ_I(cq_stats_emit_max(&s, type, &b), want != NULL);
    if (!want) return;
    CQT_EQ_U(b.n, n_want);
    CQT_EQ_MEM(b.bytes, want, n_want);
}

static void rounding_up(void)
{
    uint8_t v[80], want[80];
    memset(v, 'a', sizeof v);
    memset(want, 'a', sizeof want);
    want[63] = 'b';
    upper_of(CQ_STRING, v, 65, want, 64);
    upper_of(CQ_BINARY, v, 65, want, 64);
    upper_of(CQ_STRING, v, 64, v, 64); /* whole */
    memcpy(v + 61, "\xED\x9F\xBF", 3); /* U+D7FF: its successor is beyond the surrogates */
    memcpy(want + 61, "\xEE\x80\x80", 3);
    upper_of(CQ_STRING, v, 65, want, 64);
    memset(want, 'a', sizeof want);
    memcpy(v + 60, "\xF4\x8F\xBF\xBF", 4); /* U+10FFFF has none: the character before is raised */
    want[59] = 'b';
    upper_of(CQ_STRING, v, 65, want, 60);
    memset(want, 'a', sizeof want);
    memset(v, 'a', sizeof v);
    v[63] = 0x7F; /* U+0080 needs two bytes, which are not there */
    want[62] = 'b';
    upper_of(CQ_STRING, v, 65, want, 63);
    memset(v, 'a', sizeof v);
    memcpy(v + 62, "\xE2\x82\xAC", 3); /* cut through */
    want[61] = 'b', want[62] = 'a';
    upper_of(CQ_STRING, v, 65, want, 62);
    for (int i = 0; i < 20; i++) memcpy(v + 4 * i, "\xF4\x8F\xBF\xBF", 4);
    upper_of(CQ_STRING, v, 80, NULL, 0);
    memset(v, 0xFF, sizeof v);
    upper_of(CQ_BINARY, v, 65, NULL, 0);
    upper_of(CQ_BINARY, v, 64, v, 64);
    v[0] = 7;
    want[0] = 8;
    upper_of(CQ_BINARY, v, 65, want, 1);
}

/* Bytes that are no text in a column of texts: bounds hold all the same. */
static void no_text_in_a_string(void)
{
    for (int round = 0; round < 20000; round++) {
        uint8_t v[80];
        cqt_rand_bytes(v, sizeof v);
        if (round % 2)
            for (size_t i = (size_t)cqt_rand_below(4); i < sizeof v; i++) v[i] = (uint8_t)(0x80 | (v[i] & 0x3F));
        cq_stats s;
        cq_bound a, b;
        cq_stats_clear(&s);
        cq_type const type = round % 3 ? CQ_STRING : CQ_JSON;
        cq_stats_add_bytes(&s, type, cq_span_of(v, sizeof v), cq_span_of(v, sizeof v));
        cq_stats_emit_min(&s, type, &a);
        CQT(a.n <= CQ_STAT_BYTES && text_cmp(a.bytes, a.n, v, sizeof v) <= 0);
        if (cq_stats_emit_max(&s, type, &b)) CQT(b.n <= CQ_STAT_BYTES && text_cmp(b.bytes, b.n, v, sizeof v) > 0);
    }
}

void test_stats(void)
{
    CQT_RUN(numbers);
    CQT_RUN(nothing_but_nan_has_no_bounds);
    CQT_RUN(texts);
    CQT_RUN(bytes);
    CQT_RUN(decimals);
    CQT_RUN(rounding_up);
    CQT_RUN(no_text_in_a_string);
}
