/* The index pass over a JSON checkpoint, and reading an array's values again. See scan.h.
 *
 * One pass over the window, no tree in memory. Tokens are consumed where they stand; what goes on
 * behind the window's end is taken character by character by the slow twins, so no token has a
 * limit but names. Known members of the objects that matter may come in any order and once;
 * unknown members are skipped, validated like everything else. */
#include "checkpoint/scan.h"

#include "base/bytes.h"
#include "base/utf8.h"
#include "checkpoint/decimal.h"

#include <math.h>

#define LOOKAHEAD 64 /* bytes a fast path wants in the window; CQ_SOURCE_PAD backs it at the end */

static inline bool is_space(uint8_t c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
static inline bool is_digit(int c) { return c >= '0' && c <= '9'; }
static inline uint8_t above(int c, char zero) { return cq_low8((uint64_t)(c - zero)); }

/* The character at p, -1 at the end of the input. */
static cq_status current(cq_source *s, int *c, cq_err *e)
{
    if (s->p == s->end) CQ_TRY(cq_source_fill(s, e));
    *c = s->p < s->end ? *s->p : -1;
    return CQ_OK;
}

static cq_status advance(cq_source *s, int *c, cq_err *e)
{
    s->p++;
    return current(s, c, e);
}

static cq_status skip_space(cq_source *s, int *c, cq_err *e)
{
    for (;;) {
        while (is_space(*s->p) && s->p < s->end) s->p++;
        CQ_TRY(current(s, c, e));
        if (*c < 0 || !is_space(*s->p)) return CQ_OK;
    }
}

static CQ_MUST_CHECK cq_status unexpected(int c, const char *wanted, cq_err *e)
{
    if (c < 0) return cq_fail(e, CQ_EFORMAT, "the file ends where %s is expected", wanted);
    if (c < 0x20 || c >= 0x7F) return cq_fail(e, CQ_EFORMAT, "byte 0x%02X where %s is expected", (unsigned)c, wanted);
    return cq_fail(e, CQ_EFORMAT, "'%c' where %s is expected", c, wanted);
}

static cq_status expect(cq_source *s, int wanted, const char *what, cq_err *e)
{
    int c;
    CQ_TRY(skip_space(s, &c, e));
    if (c != wanted) return unexpected(c, what, e);
    s->p++;
    return CQ_OK;
}

static cq_status literal(cq_source *s, const char *text, cq_err *e)
{
    int c;
    CQ_TRY(current(s, &c, e));
    for (const char *t = text; *t; t++) {
        if (c != *t) return unexpected(c, text, e);
        CQ_TRY(advance(s, &c, e));
    }
    return CQ_OK;
}

/* Numbers. */

/* Any number of the grammar. `what` is said to be expected where there is none. */
static cq_status take_number(cq_source *s, cq_decimal *d, const char *what, cq_err *e)
{
    int c;
    memset(d, 0, sizeof *d);
    CQ_TRY(current(s, &c, e));
    if (c == '-') {
        d->negative = true;
        CQ_TRY(advance(s, &c, e));
    }
    if (!is_digit(c)) return unexpected(c, d->negative ? "a digit" : what, e);
    if (c == '0') {
        CQ_TRY(advance(s, &c, e));
        if (is_digit(c)) return cq_fail(e, CQ_EFORMAT, "a number with a leading zero");
    }
    while (is_digit(c)) {
        cq_decimal_digit(d, above(c, '0'), false);
        CQ_TRY(advance(s, &c, e));
    }
    if (c == '.') {
        CQ_TRY(advance(s, &c, e));
        if (!is_digit(c)) return unexpected(c, "a digit", e);
        while (is_digit(c)) {
            cq_decimal_digit(d, above(c, '0'), true);
            CQ_TRY(advance(s, &c, e));
        }
    }
    if (c == 'e' || c == 'E') {
        int64_t exponent = 0;
        CQ_TRY(advance(s, &c, e));
        bool const down = c == '-';
        if (c == '-' || c == '+') CQ_TRY(advance(s, &c, e));
        if (!is_digit(c)) return unexpected(c, "a digit", e);
        while (is_digit(c)) {
            /* The cap is beyond what the digits of any file can balance. */
            if (exponent < INT64_C(100000000000000000)) exponent = exponent * 10 + (c - '0');
            CQ_TRY(advance(s, &c, e));
        }
        d->exp10 += down ? -exponent : exponent;
    }
    return CQ_OK;
}

static cq_status take_integer(cq_source *s, int64_t *out, const char *what, cq_err *e)
{
    int c;
    int64_t v = 0;
    CQ_TRY(skip_space(s, &c, e));
    bool const negative = c == '-';
    if (negative) CQ_TRY(advance(s, &c, e));
    if (!is_digit(c)) return unexpected(c, what, e);
    if (c == '0') {
        CQ_TRY(advance(s, &c, e));
        if (is_digit(c)) return cq_fail(e, CQ_EFORMAT, "a number with a leading zero");
    }
    while (is_digit(c)) {
        int64_t const digit = negative ? -(c - '0') : c - '0';
        if (!cq_mul_i64(v, 10, &v) || !cq_add_i64(v, digit, &v)) return cq_fail(e, CQ_EFORMAT, "%s is beyond 64 bits", what);
        CQ_TRY(advance(s, &c, e));
    }
    if (c == '.' || c == 'e' || c == 'E')
        return cq_fail(e, CQ_EFORMAT, "a number with a fraction or an exponent where %s is expected", what);
    *out = v;
    return CQ_OK;
}

/* One value and the comma or bracket behind it, of any length. */
static cq_status slow_value(cq_source *s, float *out, bool *closed, cq_err *e)
{
    int c;
    CQ_TRY(skip_space(s, &c, e));
    if (c == 'n') {
        CQ_TRY(literal(s, "null", e));
        *out = NAN;
    } else {
        cq_decimal d;
        int64_t const at = cq_source_offset(s);
        CQ_TRY(take_number(s, &d, "a number or null", e));
        if (!cq_decimal_to_f32(&d, out)) {
            cq_status st = cq_fail(e, CQ_EFORMAT, "a number beyond float32");
            cq_err_where(e, at, -1, -1, -1);
            return st;
        }
    }
    CQ_TRY(skip_space(s, &c, e));
    if (c != ',' && c != ']') return unexpected(c, "',' or ']'", e);
    *closed = c == ']';
    s->p++;
    return CQ_OK;
}

/* Up to `n` values behind the bracket; `keep` false: checked, not stored. A number of at most 19
 * digits without an exponent cannot be too large. */
static inline __attribute__((always_inline)) cq_status take_values(cq_source *s, bool keep, float *out, uint64_t n, uint64_t *got, bool *closed, cq_err *e)
{
    uint64_t i = 0;
    *closed = false;
    while (i < n && !*closed) {
        if (s->end - s->p < LOOKAHEAD && s->base + (s->end - s->buf) < s->limit) CQ_TRY(cq_source_fill(s, e));
        const uint8_t *const end = s->end;
        const uint8_t *const fast_end = end - s->p > LOOKAHEAD ? end - LOOKAHEAD : s->p;
        const uint8_t *p = s->p;
        do {
            float value = 0;
            const uint8_t *const token = p;
            while (is_space(*p)) p++;
            bool const negative = *p == '-';
            p += negative;
            uint8_t digit = cq_low8(*p - (unsigned)'0');
            if (digit <= 9) {
                const uint8_t *const first = p;
                uint64_t mantissa = digit;
                unsigned places = 0;
                bool whole = true;
                p++;
                if (digit != 0)
                    while ((digit = cq_low8(*p - (unsigned)'0')) <= 9) {
                        mantissa = mantissa * 10 + digit;
                        p++;
                    }
                ptrdiff_t n_digits = p - first;
                if (*p == '.') {
                    const uint8_t *const point = p++;
                    while ((digit = cq_low8(*p - (unsigned)'0')) <= 9) {
                        mantissa = mantissa * 10 + digit;
                        p++;
                    }
                    whole = p - point > 1;
                    n_digits += p - point - 1;
                    places = n_digits <= 19 ? cq_low32((uint64_t)(p - point - 1)) : 0;
                }
                if (!whole || n_digits > 19 || (keep && !cq_small_decimal_to_f32(mantissa, places, &value))) {
                    p = token;
                    break;
                }
                if (negative) value = -value;
            } else if (!negative && cq_load32(p) == cq_load32("null")) {
                p += 4;
                value = NAN;
            } else {
                p = token;
                break;
            }
            while (is_space(*p)) p++;
            if ((*p != ',' && *p != ']') || p >= end) { /* whatever it is, the slow twin says it */
                p = token;
                break;
            }
            *closed = *p == ']';
            p++;
            if (keep) out[i] = value;
            i++;
        } while (p < fast_end && i < n && !*closed);
        if (p > s->p) {
            s->p = p;
        } else {
            float value = 0;
            CQ_TRY(slow_value(s, &value, closed, e));
            if (keep) out[i] = value;
            i++;
        }
    }
    *got = i;
    return CQ_OK;
}

cq_status cq_json_values(cq_source *s, float *out, size_t n, size_t *got, bool *closed, cq_err *e)
{
    uint64_t k = 0;
    cq_status st = take_values(s, true, out, n, &k, closed, e);
    *got = (size_t)k;
    return st;
}

static cq_status check_values(cq_source *s, uint64_t *n, cq_err *e)
{
    int c;
    bool closed;
    *n = 0;
    CQ_TRY(skip_space(s, &c, e));
    if (c == ']') {
        s->p++;
        return CQ_OK;
    }
    return take_values(s, false, NULL, UINT64_MAX, n, &closed, e);
}

/* Strings. */

static cq_status put_char(cq_buf *to, uint32_t u, cq_err *e)
{
    CQ_TRY(cq_buf_reserve(to, 4, e));
    if (u < 0x80) {
        cq_buf_put_byte(to, cq_low8(u));
    } else if (u < 0x800) {
        cq_buf_put_byte(to, cq_low8(0xC0u | u >> 6));
        cq_buf_put_byte(to, cq_low8(0x80u | (u & 0x3Fu)));
    } else if (u < 0x10000) {
        cq_buf_put_byte(to, cq_low8(0xE0u | u >> 12));
        cq_buf_put_byte(to, cq_low8(0x80u | (u >> 6 & 0x3Fu)));
        cq_buf_put_byte(to, cq_low8(0x80u | (u & 0x3Fu)));
    } else {
        cq_buf_put_byte(to, cq_low8(0xF0u | u >> 18));
        cq_buf_put_byte(to, cq_low8(0x80u | (u >> 12 & 0x3Fu)));
        cq_buf_put_byte(to, cq_low8(0x80u | (u >> 6 & 0x3Fu)));
        cq_buf_put_byte(to, cq_low8(0x80u | (u & 0x3Fu)));
    }
    return CQ_OK;
}

/* p stands at the u of \uXXXX; afterwards behind the last digit. */
static cq_status take_hex4(cq_source *s, uint32_t *u, cq_err *e)
{
    int c;
    *u = 0;
    for (int i = 0; i < 4; i++) {
        CQ_TRY(advance(s, &c, e));
        int const lower = c | 0x20;
        if (is_digit(c)) *u = *u << 4 | above(c, '0');
        else if (c >= 0 && lower >= 'a' && lower <= 'f') *u = *u << 4 | (10u + above(lower, 'a'));
        else return unexpected(c, "a hexadecimal digit", e);
    }
    s->p++;
    return CQ_OK;
}

/* p stands behind the backslash. */
static cq_status take_escape(cq_source *s, cq_buf *to, cq_err *e)
{
    static const char from[] = "\"\\/bfnrt";
    static const uint8_t plain[] = "\"\\/\b\f\n\r\t";
    int c;
    CQ_TRY(current(s, &c, e));
    if (c != 'u') {
        const char *at = c > 0 ? strchr(from, c) : NULL;
        if (!at) return unexpected(c, "an escape", e);
        s->p++;
        return put_char(to, plain[at - from], e);
    }
    uint32_t u, low;
    CQ_TRY(take_hex4(s, &u, e));
    if (u >= 0xDC00 && u <= 0xDFFF) return cq_fail(e, CQ_EFORMAT, "half of a surrogate pair");
    if (u >= 0xD800 && u <= 0xDBFF) {
        CQ_TRY(current(s, &c, e));
        if (c == '\\') CQ_TRY(advance(s, &c, e));
        else c = -1;
        if (c != 'u') return cq_fail(e, CQ_EFORMAT, "half of a surrogate pair");
        CQ_TRY(take_hex4(s, &low, e));
        if (low < 0xDC00 || low > 0xDFFF) return cq_fail(e, CQ_EFORMAT, "half of a surrogate pair");
        u = 0x10000 + ((u - 0xD800) << 10) + (low - 0xDC00);
    }
    return put_char(to, u, e);
}

/* Keeps at most the first bytes of an unfinished character. */
static cq_status drop_checked(cq_buf *b, cq_err *e)
{
    size_t const n = cq_utf8_valid_prefix(b->data, b->len);
    if (b->len - n >= 4) return cq_fail(e, CQ_EFORMAT, "a text that is not UTF-8");
    if (n && b->len > n) memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
    return CQ_OK;
}

/* p stands behind the opening quote. Kept texts are names, shorter than a name can be; others are
 * only looked at, in pieces. */
static cq_status take_string(cq_source *s, cq_buf *to, bool keep, cq_err *e)
{
    enum { PIECE = 4096 };
    int c;
    to->len = 0;
    for (;;) {
        CQ_TRY(current(s, &c, e));
        if (c < 0) return cq_fail(e, CQ_EFORMAT, "the file ends inside a text");
        const uint8_t *p = s->p, *stop = s->end - p > PIECE ? p + PIECE : s->end;
        while (p < stop && *p >= 0x20 && *p != '"' && *p != '\\') p++;
        size_t const n = (size_t)(p - s->p);
        if (keep && to->len + n > CQ_MAX_TREE_NAME_BYTES) return cq_fail(e, CQ_EFORMAT, "a name of more than %d bytes", CQ_MAX_TREE_NAME_BYTES);
        CQ_TRY(cq_buf_append(to, s->p, n, e));
        s->p = p;
        if (!keep && to->len >= PIECE) CQ_TRY(drop_checked(to, e));
        if (p == stop) continue;
        s->p++;
        if (*p == '"') break;
        if (*p == '\\') {
            CQ_TRY(take_escape(s, to, e));
            continue;
        }
        s->p--;
        return cq_fail(e, CQ_EFORMAT, "control character 0x%02X inside a text", (unsigned)*p);
    }
    if (keep && to->len > CQ_MAX_TREE_NAME_BYTES) return cq_fail(e, CQ_EFORMAT, "a name of more than %d bytes", CQ_MAX_TREE_NAME_BYTES);
    if (!cq_utf8_valid(to->data, to->len)) return cq_fail(e, CQ_EFORMAT, "a text that is not UTF-8");
    return CQ_OK;
}

/* Structure. */

static cq_status enter(cq_scan *c, cq_err *e)
{
    if (c->json_depth == CQ_MAX_JSON_DEPTH) return cq_fail(e, CQ_EFORMAT, "values are nested more than %d levels deep", CQ_MAX_JSON_DEPTH);
    c->json_depth++;
    c->source.p++;
    return CQ_OK;
}

/* The next member of an object that was entered: its key is in c->key and p before its value; at
 * the closing brace the object is left. */
static cq_status next_member(cq_scan *c, bool *first, bool *more, cq_err *e)
{
    cq_source *s = &c->source;
    int ch;
    CQ_TRY(skip_space(s, &ch, e));
    *more = true;
    if (ch == '}') {
        s->p++;
        c->json_depth--;
        *more = false;
        return CQ_OK;
    }
    if (!*first) {
        if (ch != ',') return unexpected(ch, "',' or '}'", e);
        s->p++;
    }
    CQ_TRY(expect(s, '"', *first ? "a key or '}'" : "a key", e));
    *first = false;
    CQ_TRY(take_string(s, &c->key, true, e));
    CQ_TRY(expect(s, ':', "':'", e));
    return skip_space(s, &ch, e);
}

/* Any value. Arrays and objects are kept as a stack of bits. */
static cq_status skip_value(cq_scan *c, cq_err *e)
{
    cq_source *s = &c->source;
    bool is_object[CQ_MAX_JSON_DEPTH + 1];
    uint32_t const floor = c->json_depth;
    int ch;
    for (bool opened = false;;) {
        CQ_TRY(skip_space(s, &ch, e));
        if (opened && (ch == ']' || ch == '}')) { /* an empty one */
            if (is_object[c->json_depth] != (ch == '}')) return unexpected(ch, is_object[c->json_depth] ? "a key or '}'" : "a value or ']'", e);
        } else {
            if (c->json_depth > floor && is_object[c->json_depth]) {
                CQ_TRY(expect(s, '"', "a key", e));
                CQ_TRY(take_string(s, &c->key, false, e));
                CQ_TRY(expect(s, ':', "':'", e));
                CQ_TRY(skip_space(s, &ch, e));
            }
            opened = false;
            if (ch == '{' || ch == '[') {
                CQ_TRY(enter(c, e));
                is_object[c->json_depth] = ch == '{';
                opened = true;
                continue;
            }
            if (ch == '"') {
                s->p++;
                CQ_TRY(take_string(s, &c->key, false, e));
            } else if (ch == 't') {
                CQ_TRY(literal(s, "true", e));
            } else if (ch == 'f') {
                CQ_TRY(literal(s, "false", e));
            } else if (ch == 'n') {
                CQ_TRY(literal(s, "null", e));
            } else {
                cq_decimal d;
                CQ_TRY(take_number(s, &d, "a value", e));
            }
            if (c->json_depth == floor) return CQ_OK;
            CQ_TRY(skip_space(s, &ch, e));
        }
        /* Behind a value inside of something, or at the end of an empty one. */
        while (ch == ']' || ch == '}') {
            if (is_object[c->json_depth] != (ch == '}')) return unexpected(ch, is_object[c->json_depth] ? "',' or '}'" : "',' or ']'", e);
            s->p++;
            c->json_depth--;
            opened = false;
            if (c->json_depth == floor) return CQ_OK;
            CQ_TRY(skip_space(s, &ch, e));
        }
        if (ch != ',') return unexpected(ch, is_object[c->json_depth] ? "',' or '}'" : "',' or ']'", e);
        s->p++;
    }
}

/* The number of the key in `names`, or -1; twice in one object is an error. */
static cq_status known_key(const cq_scan *c, const char *const *names, int n, unsigned *seen, int *which, cq_err *e)
{
    *which = -1;
    for (int i = 0; i < n; i++) {
        if (c->key.len != strlen(names[i]) || memcmp(c->key.data, names[i], c->key.len) != 0) continue;
        if (*seen & 1u << i) return cq_fail(e, CQ_EFORMAT, "'%s' is twice in one object", names[i]);
        *seen |= 1u << i;
        *which = i;
    }
    return CQ_OK;
}

static cq_status scan_metric(cq_scan *c, cq_err *e)
{
    static const char *const names[] = {"frequency", "start", "data"};
    cq_source *s = &c->source;
    unsigned seen = 0;
    int64_t frequency = 0, start = 0, offset = 0, end = 0;
    uint64_t n = 0;
    int ch;
    CQ_TRY(current(s, &ch, e));
    if (ch != '{') return unexpected(ch, "a metric's '{'", e);
    CQ_TRY(enter(c, e));
    for (bool first = true, more;;) {
        int which;
        CQ_TRY(next_member(c, &first, &more, e));
        if (!more) break;
        CQ_TRY(known_key(c, names, 3, &seen, &which, e));
        switch (which) {
        case 0:
            CQ_TRY(take_integer(s, &frequency, "an integer as frequency", e));
            break;
        case 1:
            CQ_TRY(take_integer(s, &start, "an integer as start", e));
            break;
        case 2:
            CQ_TRY(current(s, &ch, e));
            if (ch == 'n') { /* how an empty list without memory is written */
                CQ_TRY(literal(s, "null", e));
                break;
            }
            if (ch != '[') return unexpected(ch, "an array as data", e);
            CQ_TRY(enter(c, e));
            offset = cq_source_offset(s);
            CQ_TRY(check_values(s, &n, e));
            end = cq_source_offset(s);
            c->json_depth--;
            break;
        default:
            CQ_TRY(skip_value(c, e));
        }
    }
    for (int i = 0; i < 3; i++)
        if (!(seen & 1u << i)) return cq_fail(e, CQ_EFORMAT, "a metric without '%s'", names[i]);
    return cq_scan_found(c, start, frequency, n, offset, end - offset, e);
}

/* p stands at an object or null. */
static cq_status open_or_null(cq_scan *c, const char *what, bool *open, cq_err *e)
{
    int ch;
    CQ_TRY(current(&c->source, &ch, e));
    *open = ch == '{';
    if (*open) return enter(c, e);
    return ch == 'n' ? literal(&c->source, "null", e) : unexpected(ch, what, e);
}

static cq_status scan_metrics(cq_scan *c, cq_err *e)
{
    bool open;
    CQ_TRY(open_or_null(c, "an object as metrics", &open, e));
    for (bool first = true, more = open; more;) {
        CQ_TRY(next_member(c, &first, &more, e));
        if (!more) break;
        cq_buf const name = c->key;
        c->key = c->metric;
        c->metric = name;
        CQ_TRY(cq_tree_name_check(cq_span_of(name.data, name.len), e));
        CQ_TRY(scan_metric(c, e));
    }
    return CQ_OK;
}

static cq_status scan_node(cq_scan *c, cq_err *e);

static cq_status scan_children(cq_scan *c, cq_err *e)
{
    bool open;
    CQ_TRY(open_or_null(c, "an object as children", &open, e));
    for (bool first = true, more = open; more;) {
        CQ_TRY(next_member(c, &first, &more, e));
        if (!more) break;
        cq_span const name = cq_span_of(c->key.data, c->key.len);
        CQ_TRY(cq_tree_name_check(name, e));
        CQ_TRY(cq_tree_path_push(&c->path, name, e));
        CQ_TRY(cq_series_index_add_node(c->index, cq_span_of(c->path.bytes.data, c->path.bytes.len), c->file, e));
        CQ_TRY(scan_node(c, e));
        cq_tree_path_pop(&c->path);
    }
    return CQ_OK;
}

/* Recursion is bounded by CQ_MAX_TREE_DEPTH. */
static cq_status scan_node(cq_scan *c, cq_err *e)
{
    static const char *const names[] = {"metrics", "children", "from", "to"};
    cq_source *s = &c->source;
    bool const is_root = c->path.depth == 0;
    unsigned seen = 0;
    int64_t time;
    int ch;
    CQ_TRY(skip_space(s, &ch, e));
    if (ch != '{') return unexpected(ch, is_root ? "the '{' of a checkpoint" : "a child's '{'", e);
    CQ_TRY(enter(c, e));
    for (bool first = true, more;;) {
        int which;
        CQ_TRY(next_member(c, &first, &more, e));
        if (!more) return CQ_OK;
        CQ_TRY(known_key(c, names, 4, &seen, &which, e));
        switch (which) {
        case 0:
            CQ_TRY(scan_metrics(c, e));
            break;
        case 1:
            CQ_TRY(scan_children(c, e));
            break;
        case 2:
            CQ_TRY(take_integer(s, &time, "an integer as from", e));
            if (is_root) c->info->from = time, c->info->has_from = true;
            break;
        case 3:
            CQ_TRY(take_integer(s, &time, "an integer as to", e));
            if (is_root) c->info->to = time, c->info->has_to = true;
            break;
        default:
            CQ_TRY(skip_value(c, e));
        }
    }
}

cq_status cq_scan_json(cq_scan *c, cq_err *e) { return scan_node(c, e); }
