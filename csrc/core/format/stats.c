/* Computing, merging and rounding bounds: see stats.h. */
#include "format/stats.h"

#include "base/bytes.h"
#include "base/utf8.h"

#include <math.h>

void cq_stats_clear(cq_stats *s) { memset(s, 0, sizeof *s); }

static int sign_of(bool less, bool more) { return more - less; }

/* Numbers in the order of the halves they stand for; both zeros are 0. NaN is not asked for. */
static int32_t half_rank(uint32_t h) { return h & 0x8000u ? -cq_i32(h & 0x7FFFu) : cq_i32(h); }

static uint16_t half_of_rank(int32_t rank, bool negative_zero)
{
    bool const negative = rank < 0 || (rank == 0 && negative_zero);
    return cq_u16((negative ? 0x8000u : 0u) | cq_u16((uint64_t)(rank < 0 ? -rank : rank)));
}

static bool half_is_nan(uint32_t h) { return (h & 0x7FFFu) > 0x7C00u; }

static int bytes_cmp(cq_span a, cq_span b)
{
    size_t const n = cq_min_size(a.n, b.n);
    int const c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : sign_of(a.n < b.n, a.n > b.n);
}

/* The sign is the top bit of the first byte: behind it all bytes count upwards. */
static int decimal_cmp(cq_span a, cq_span b)
{
    assert(a.n == b.n && a.n > 0);
    int const x = a.p[0] ^ 0x80, y = b.p[0] ^ 0x80;
    return x == y ? memcmp(a.p + 1, b.p + 1, a.n - 1) : x - y;
}

static int float_cmp(cq_span a, cq_span b)
{
    float x[2];
    double y[2];
    if (a.n == 4) {
        memcpy(&x[0], a.p, 4);
        memcpy(&x[1], b.p, 4);
        return sign_of(x[0] < x[1], x[0] > x[1]);
    }
    memcpy(&y[0], a.p, 8);
    memcpy(&y[1], b.p, 8);
    return sign_of(y[0] < y[1], y[0] > y[1]);
}

/* Signed order is unsigned order with the top bit turned. */
static int integer_cmp(cq_span a, cq_span b, bool is_signed)
{
    if (a.n == 1) return sign_of(a.p[0] < b.p[0], a.p[0] > b.p[0]);
    if (a.n == 4) {
        uint32_t const flip = is_signed ? UINT32_C(0x80000000) : 0;
        uint32_t const x = cq_load32(a.p) ^ flip, y = cq_load32(b.p) ^ flip;
        return sign_of(x < y, x > y);
    }
    uint64_t const flip = is_signed ? UINT64_C(1) << 63 : 0;
    uint64_t const x = cq_load64(a.p) ^ flip, y = cq_load64(b.p) ^ flip;
    return sign_of(x < y, x > y);
}

int cq_value_cmp(cq_type t, cq_span a, cq_span b)
{
    cq_order const order = cq_type_facts(t)->order;
    switch (order) {
    case CQ_ORDER_BYTES: return bytes_cmp(a, b);
    case CQ_ORDER_DECIMAL: return decimal_cmp(a, b);
    case CQ_ORDER_FLOAT: return float_cmp(a, b);
    case CQ_ORDER_HALF: {
        int32_t const x = half_rank(cq_load16(a.p)), y = half_rank(cq_load16(b.p));
        return sign_of(x < y, x > y);
    }
    case CQ_ORDER_SIGNED:
    case CQ_ORDER_UNSIGNED:
    default: return integer_cmp(a, b, order == CQ_ORDER_SIGNED);
    }
}

static cq_bound bound_of(cq_span v)
{
    cq_bound b;
    memset(&b, 0, sizeof b);
    size_t const n = cq_min_size(v.n, CQ_STAT_BYTES);
    b.n = cq_u8(n);
    b.exact = n == v.n;
    if (n) memcpy(b.bytes, v.p, n);
    return b;
}

/* The order of the whole values, as far as their prefixes tell: a cut one is longer than an equal whole one. (Only byte
 * arrays of any length are ever cut.) */
static int bound_cmp(cq_type t, const cq_bound *a, const cq_bound *b)
{
    int const c = cq_value_cmp(t, cq_span_of(a->bytes, a->n), cq_span_of(b->bytes, b->n));
    return c ? c : b->exact - a->exact;
}

static void widen(cq_stats *s, cq_type t, const cq_bound *min, const cq_bound *max)
{
    if (!s->has_bounds) {
        s->min = *min;
        s->max = *max;
        s->has_bounds = true;
        return;
    }
    if (bound_cmp(t, min, &s->min) < 0) s->min = *min;
    if (bound_cmp(t, max, &s->max) > 0) s->max = *max;
}

void cq_stats_add_bytes(cq_stats *s, cq_type t, cq_span min, cq_span max)
{
    if (min.n > CQ_STAT_BYTES && cq_type_facts(t)->physical == CQ_PQ_FIXED_LEN_BYTE_ARRAY) return;
    cq_bound const lo = bound_of(min), hi = bound_of(max);
    widen(s, t, &lo, &hi);
}

void cq_stats_merge(cq_stats *into, cq_type t, const cq_stats *from)
{
    into->n_nulls += from->n_nulls;
    into->n_nans += from->n_nans;
    into->value_bytes += from->value_bytes;
    if (from->has_bounds) widen(into, t, &from->min, &from->max);
}

/* One loop per machine type, each in a form that compilers vectorise. */
#define MIN_MAX(NAME, TYPE)                                                                        \
    static void NAME(const void *values, size_t n, TYPE *lo_out, TYPE *hi_out)                     \
    {                                                                                              \
        const TYPE *v = values;                                                                    \
        TYPE lo = v[0], hi = v[0];                                                                 \
        for (size_t i = 1; i < n; i++) {                                                           \
            lo = v[i] < lo ? v[i] : lo;                                                            \
            hi = v[i] > hi ? v[i] : hi;                                                            \
        }                                                                                          \
        *lo_out = lo;                                                                              \
        *hi_out = hi;                                                                              \
    }
MIN_MAX(min_max_u8, uint8_t)
MIN_MAX(min_max_i32, int32_t)
MIN_MAX(min_max_u32, uint32_t)
MIN_MAX(min_max_i64, int64_t)
MIN_MAX(min_max_u64, uint64_t)

/* NaNs are counted; bounds are those of the other values and only used where there is no NaN. The order of comparisons
 * may not be changed by the compiler, so lanes that do not wait for each other are written out. */
#define MIN_MAX_FLOAT(NAME, TYPE, COUNT)                                                           \
    static size_t NAME(const void *values, size_t n, TYPE *lo_out, TYPE *hi_out)                   \
    {                                                                                              \
        enum { LANES = 64 / sizeof(TYPE) };                                                        \
        const TYPE *v = values;                                                                    \
        TYPE lo[LANES], hi[LANES], first = (TYPE)INFINITY, last = -(TYPE)INFINITY;                 \
        COUNT odd[LANES] = {0}; /* a page has fewer values than it counts */                      \
        size_t nans = 0, i = 0;                                                                    \
        for (size_t k = 0; k < LANES; k++) {                                                       \
            lo[k] = first;                                                                         \
            hi[k] = last;                                                                          \
        }                                                                                          \
        for (; i + LANES <= n; i += LANES) {                                                       \
            for (size_t k = 0; k < LANES; k++) {                                                   \
                TYPE const x = v[i + k];                                                           \
                odd[k] += x != x;                                                                  \
                lo[k] = x < lo[k] ? x : lo[k];                                                     \
                hi[k] = x > hi[k] ? x : hi[k];                                                     \
            }                                                                                      \
        }                                                                                          \
        for (; i < n; i++) {                                                                       \
            nans += v[i] != v[i];                                                                  \
            lo[0] = v[i] < lo[0] ? v[i] : lo[0];                                                   \
            hi[0] = v[i] > hi[0] ? v[i] : hi[0];                                                   \
        }                                                                                          \
        for (size_t k = 0; k < LANES; k++) {                                                       \
            nans += odd[k];                                                                        \
            first = lo[k] < first ? lo[k] : first;                                                 \
            last = hi[k] > last ? hi[k] : last;                                                    \
        }                                                                                          \
        *lo_out = first == 0 ? -(TYPE)0 : first; /* readers may take -0 < +0: cover both */        \
        *hi_out = last == 0 ? (TYPE)0 : last;                                                      \
        return nans;                                                                               \
    }
MIN_MAX_FLOAT(min_max_f32, float, uint32_t)
MIN_MAX_FLOAT(min_max_f64, double, uint64_t)

static size_t min_max_half(const uint8_t *v, size_t n, uint8_t lo_out[2], uint8_t hi_out[2])
{
    int32_t lo = INT32_MAX, hi = INT32_MIN;
    size_t nans = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t const h = cq_load16(v + 2 * i);
        if (half_is_nan(h)) {
            nans++;
            continue;
        }
        int32_t const x = half_rank(h);
        lo = x < lo ? x : lo;
        hi = x > hi ? x : hi;
    }
    if (nans == n) return nans;
    cq_store16(lo_out, half_of_rank(lo, true)); /* -0 and +0, as above */
    cq_store16(hi_out, half_of_rank(hi, false));
    return nans;
}

void cq_stats_add_fixed(cq_stats *s, cq_type t, const void *values, size_t n)
{
    if (n == 0) return;
    const cq_type_info *f = cq_type_facts(t);
    size_t const width = f->order == CQ_ORDER_HALF ? 2 : f->width;
    uint8_t lo[8], hi[8];
    size_t nans = 0;
#define TAKE(FN, TYPE)                                                                             \
    do {                                                                                           \
        TYPE a, b;                                                                                 \
        FN(values, n, &a, &b);                                                                     \
        memcpy(lo, &a, sizeof a);                                                                  \
        memcpy(hi, &b, sizeof b);                                                                  \
    } while (0)
    if (f->order == CQ_ORDER_HALF) {
        nans = min_max_half(values, n, lo, hi);
    } else if (width == 1) {
        TAKE(min_max_u8, uint8_t);
    } else if (f->is_float && width == 4) {
        TAKE(nans = min_max_f32, float);
    } else if (f->is_float) {
        TAKE(nans = min_max_f64, double);
    } else if (width == 4 && f->is_signed) {
        TAKE(min_max_i32, int32_t);
    } else if (width == 4) {
        TAKE(min_max_u32, uint32_t);
    } else if (f->is_signed) {
        TAKE(min_max_i64, int64_t);
    } else {
        TAKE(min_max_u64, uint64_t);
    }
#undef TAKE
    s->n_nans += cq_i64(nans);
    if (nans == n) return;
    cq_bound const a = bound_of(cq_span_of(lo, width)), b = bound_of(cq_span_of(hi, width));
    widen(s, t, &a, &b);
}

/* Takes away the last character if the cut went through it. */
static void drop_cut_char(cq_bound *b)
{
    size_t at = b->n;
    while (at > 0 && (b->bytes[at - 1] & 0xC0u) == 0x80u) at--;
    if (at == 0) return;
    uint8_t const lead = b->bytes[--at];
    size_t const len = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (at + len > b->n) b->n = cq_u8(at);
}

/* The next text in code point order that is no longer than the record: the last character that has
 * a successor is raised, what follows it is cut. */
static bool round_up_utf8(cq_bound *b)
{
    size_t n = b->n;
    while (n > 0) {
        size_t at = n - 1;
        while (at > 0 && (b->bytes[at] & 0xC0u) == 0x80u) at--;
        uint32_t cp = b->bytes[at];
        size_t const len = n - at;
        if (len > 4) { /* no text */
            n = at;
            continue;
        }
        if (len > 1) {
            cp &= 0xFFu >> (len + 1);
            for (size_t i = 1; i < len; i++) cp = cp << 6 | (b->bytes[at + i] & 0x3Fu);
        }
        cp = cp + 1 == 0xD800 ? 0xE000 : cp + 1;
        size_t const width = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
        if (cp <= 0x10FFFF && at + width <= CQ_STAT_BYTES) {
            if (width == 1) {
                b->bytes[at] = cq_u8(cp);
            } else {
                for (size_t i = width - 1; i > 0; i--, cp >>= 6) b->bytes[at + i] = cq_low8(0x80u | (cp & 0x3Fu));
                b->bytes[at] = cq_low8((0xF00u >> width) | cp);
            }
            b->n = cq_u8(at + width);
            return true;
        }
        n = at;
    }
    return false;
}

static bool round_up_bytes(cq_bound *b)
{
    while (b->n > 0 && b->bytes[b->n - 1] == 0xFF) b->n--;
    if (b->n == 0) return false;
    b->bytes[b->n - 1]++;
    return true;
}

static bool is_text(cq_type t) { return t == CQ_STRING || t == CQ_JSON || t == CQ_ENUM; }

void cq_stats_emit_min(const cq_stats *s, cq_type t, cq_bound *out)
{
    *out = s->min;
    if (!out->exact && is_text(t)) drop_cut_char(out);
}

bool cq_stats_emit_max(const cq_stats *s, cq_type t, cq_bound *out)
{
    *out = s->max;
    if (out->exact) return true;
    if (!is_text(t)) return round_up_bytes(out);
    drop_cut_char(out);
    /* JSON and ENUM may come as bytes that nobody has looked at */
    return cq_utf8_valid(out->bytes, out->n) ? round_up_utf8(out) : round_up_bytes(out);
}

bool cq_stats_usable(const cq_stats *s, cq_type t)
{
    cq_bound scratch;
    return s->has_bounds && s->n_nans == 0 && cq_stats_emit_max(s, t, &scratch);
}
