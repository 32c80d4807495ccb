/* Format strings and metadata of Arrow fields, read and written; and the structure of batches. */
#include "format/arrow_type.h"

#include "base/bitmap.h"
#include "base/bytes.h"
#include "format/limits.h"

#include <stdio.h>
#include <string.h>

#define EXTENSION "ARROW:extension:name"
#define FIELD_ID "PARQUET:field_id"
#define MAX_SCALE 127 /* beyond what any decimal of 76 digits can use */

/* -- the format string -------------------------------------------------------------------------- */

/* A format string for messages: cut, and with no bytes that a terminal minds. */
typedef struct shown { char text[44]; } shown;

static shown show(const char *format)
{
    shown s;
    size_t n = 0;
    for (; n < sizeof s.text - 4 && format[n]; n++) s.text[n] = (format[n] >= ' ' && format[n] <= '~') ? format[n] : '?';
    memcpy(s.text + n, format[n] ? "..." : "", format[n] ? 4 : 1);
    return s;
}

static cq_status garbage(const char *format, cq_err *e)
{
    return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave a format string that means nothing: '%s'", show(format).text);
}

static cq_status nested(const char *what, cq_err *e)
{
    return cq_fail(e, CQ_EUNSUPPORTED, "an Arrow column of type %s: columns are flat here; write its parts as columns of their own, or its text as 'json'", what);
}

static cq_status span_of_time(const char *what, cq_err *e)
{
    return cq_fail(e, CQ_EUNSUPPORTED, "an Arrow column of type %s: Parquet has no type that readers take for it; cast it to int64 in the unit that is meant", what);
}

/* Digits with a sign in front, up to `end`: at most INT32_MAX in magnitude. */
static bool parse_int(const char **at, int32_t *out)
{
    const char *p = *at;
    bool const negative = *p == '-';
    int64_t v = 0;
    p += negative;
    if (*p < '0' || *p > '9') return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        v = v * 10 + (*p - '0');
        if (v > INT32_MAX) return false;
    }
    *out = cq_i32(negative ? -v : v);
    *at = p;
    return true;
}

static cq_status parse_decimal(const char *format, cq_arrow_type *t, cq_err *e)
{
    static const struct { int32_t bits, digits; } widths[] = {{32, 9}, {64, 18}, {128, 38}, {256, 76}};
    const char *p = format + 2;
    int32_t bits = 128;
    if (!parse_int(&p, &t->precision) || *p++ != ',' || !parse_int(&p, &t->scale)) return garbage(format, e);
    if (*p == ',') {
        p++;
        if (!parse_int(&p, &bits)) return garbage(format, e);
    }
    size_t i = 0;
    while (i < 4 && widths[i].bits != bits) i++;
    if (*p || i == 4 || t->precision < 1 || t->precision > widths[i].digits || t->scale < -MAX_SCALE || t->scale > MAX_SCALE) return garbage(format, e);
    t->kind = CQ_ARROW_DECIMAL;
    t->layout = CQ_ARROW_FIXED;
    t->width = bits / 8;
    return CQ_OK;
}

static cq_status parse_fixed(const char *format, cq_arrow_type *t, cq_err *e)
{
    const char *p = format + 2;
    if (!parse_int(&p, &t->width) || *p || t->width < 0) return garbage(format, e);
    if (t->width < 1 || t->width > CQ_MAX_FIXED_BYTES)
        return cq_fail(e, CQ_EUNSUPPORTED, "an Arrow column of type fixed-size binary of %d bytes: between 1 and %d are possible; cast it to binary",
                       (int)t->width, CQ_MAX_FIXED_BYTES);
    t->kind = CQ_ARROW_BINARY;
    t->layout = CQ_ARROW_FIXED;
    return CQ_OK;
}

static bool parse_unit(char c, cq_unit *u)
{
    switch (c) {
    case 's': *u = CQ_UNIT_S; return true;
    case 'm': *u = CQ_UNIT_MS; return true;
    case 'u': *u = CQ_UNIT_US; return true;
    case 'n': *u = CQ_UNIT_NS; return true;
    default: return false;
    }
}

/* t...: dates, times, timestamps; durations and intervals are told from garbage. */
static cq_status parse_time(const char *format, cq_arrow_type *t, cq_err *e)
{
    char const what = format[1], unit = what ? format[2] : '\0';
    bool const ends = unit && !format[3];
    t->layout = CQ_ARROW_FIXED;
    switch (what) {
    case 'd':
        t->kind = CQ_ARROW_DATE;
        t->width = unit == 'D' ? 4 : 8;
        t->unit = unit == 'D' ? CQ_UNIT_NONE : CQ_UNIT_MS;
        return ends && (unit == 'D' || unit == 'm') ? CQ_OK : garbage(format, e);
    case 't':
        t->kind = CQ_ARROW_TIME;
        if (!ends || !parse_unit(unit, &t->unit)) return garbage(format, e);
        t->width = t->unit <= CQ_UNIT_MS ? 4 : 8;
        return CQ_OK;
    case 's':
        t->kind = CQ_ARROW_TIMESTAMP;
        t->width = 8;
        if (!parse_unit(unit, &t->unit) || format[3] != ':') return garbage(format, e);
        t->has_zone = format[4] != '\0';
        return CQ_OK;
    case 'D': return ends && parse_unit(unit, &t->unit) ? span_of_time("duration", e) : garbage(format, e);
    case 'i': return ends && (unit == 'M' || unit == 'D' || unit == 'n') ? span_of_time("interval", e) : garbage(format, e);
    default: return garbage(format, e);
    }
}

static cq_status refuse_nested(const char *format, cq_err *e)
{
    switch (format[1]) {
    case 'l': case 'L': case 'w': return nested("list", e);
    case 's': return nested("struct", e);
    case 'm': return nested("map", e);
    case 'v': return format[2] == 'l' || format[2] == 'L' ? nested("list view", e) : garbage(format, e);
    case 'u': return nested("union", e);
    default: return garbage(format, e);
    }
}

static const struct {
    char format[3];
    uint8_t kind, layout, width;
    bool is_signed;
} plain_types[] = {
    {"n", CQ_ARROW_NULL, CQ_ARROW_NO_BUFFERS, 0, false}, {"b", CQ_ARROW_BOOL, CQ_ARROW_BITS, 0, false},
    {"c", CQ_ARROW_INT, CQ_ARROW_FIXED, 1, true}, {"C", CQ_ARROW_INT, CQ_ARROW_FIXED, 1, false},
    {"s", CQ_ARROW_INT, CQ_ARROW_FIXED, 2, true}, {"S", CQ_ARROW_INT, CQ_ARROW_FIXED, 2, false},
    {"i", CQ_ARROW_INT, CQ_ARROW_FIXED, 4, true}, {"I", CQ_ARROW_INT, CQ_ARROW_FIXED, 4, false},
    {"l", CQ_ARROW_INT, CQ_ARROW_FIXED, 8, true}, {"L", CQ_ARROW_INT, CQ_ARROW_FIXED, 8, false},
    {"e", CQ_ARROW_FLOAT, CQ_ARROW_FIXED, 2, false}, {"f", CQ_ARROW_FLOAT, CQ_ARROW_FIXED, 4, false},
    {"g", CQ_ARROW_FLOAT, CQ_ARROW_FIXED, 8, false},
    {"u", CQ_ARROW_STRING, CQ_ARROW_OFFSETS32, 0, false}, {"U", CQ_ARROW_STRING, CQ_ARROW_OFFSETS64, 0, false},
    {"vu", CQ_ARROW_STRING, CQ_ARROW_VIEWS, 0, false},
    {"z", CQ_ARROW_BINARY, CQ_ARROW_OFFSETS32, 0, false}, {"Z", CQ_ARROW_BINARY, CQ_ARROW_OFFSETS64, 0, false},
    {"vz", CQ_ARROW_BINARY, CQ_ARROW_VIEWS, 0, false},
};

/* A type without dictionary and run ends. */
static cq_status parse_format(const char *format, cq_arrow_type *t, cq_err *e)
{
    for (size_t i = 0; i < sizeof plain_types / sizeof plain_types[0]; i++)
        if (strcmp(plain_types[i].format, format) == 0) {
            t->kind = (cq_arrow_kind)plain_types[i].kind;
            t->layout = (cq_arrow_layout)plain_types[i].layout;
            t->width = plain_types[i].width;
            t->is_signed = plain_types[i].is_signed;
            return CQ_OK;
        }
    switch (format[0]) {
    case '_': return cq_fail(e, CQ_EUNSUPPORTED, "an Arrow column of type '%s', which only its producer knows: cast it to a type of Arrow (Polars' Int128: to Int64 or a decimal)", show(format).text);
    case 'd': return format[1] == ':' ? parse_decimal(format, t, e) : garbage(format, e);
    case 'w': return format[1] == ':' ? parse_fixed(format, t, e) : garbage(format, e);
    case 't': return parse_time(format, t, e);
    case '+': return refuse_nested(format, e);
    default: return garbage(format, e);
    }
}

/* -- metadata ----------------------------------------------------------------------------------- */

/* The value of a key; NULL span pointer: not there. How long the metadata is, only itself tells. */
static cq_status find_metadata(const char *metadata, const char *key, cq_span *out, cq_err *e)
{
    *out = cq_span_of(NULL, 0);
    if (!metadata) return CQ_OK;
    const char *p = metadata;
    int32_t const pairs = cq_wrap_i32(cq_load32(p));
    p += 4;
    if (pairs < 0) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave metadata of %d pairs", (int)pairs);
    for (int32_t i = 0; i < pairs; i++) {
        cq_span part[2];
        for (int k = 0; k < 2; k++) {
            int32_t const n = cq_wrap_i32(cq_load32(p));
            if (n < 0) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave metadata with a text of %d bytes", (int)n);
            part[k] = cq_span_of(p + 4, (size_t)n);
            p += 4 + (size_t)n;
        }
        if (part[0].n == strlen(key) && memcmp(part[0].p, key, part[0].n) == 0) {
            *out = part[1];
            return CQ_OK;
        }
    }
    return CQ_OK;
}

static bool is_text(cq_span s, const char *text) { return s.p && s.n == strlen(text) && memcmp(s.p, text, s.n) == 0; }

/* Extension types whose storage is what they say it is; others are their storage, where a column's type was declared. */
static cq_status parse_extension(const struct ArrowSchema *s, cq_arrow_type *t, cq_err *e)
{
    cq_span name;
    CQ_TRY(find_metadata(s->metadata, EXTENSION, &name, e));
    t->is_uuid = is_text(name, "arrow.uuid") && t->kind == CQ_ARROW_BINARY && t->layout == CQ_ARROW_FIXED && t->width == 16;
    t->is_json = is_text(name, "arrow.json") && t->kind == CQ_ARROW_STRING;
    if (is_text(name, "arrow.bool8") && t->kind == CQ_ARROW_INT && t->width == 1 && t->is_signed) {
        t->kind = CQ_ARROW_BOOL;
        t->is_signed = false;
    }
    return CQ_OK;
}

/* -- types -------------------------------------------------------------------------------------- */

static cq_status check_alive(const struct ArrowSchema *s, cq_err *e)
{
    if (!s) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave no schema where one is needed");
    if (!s->release) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave a schema that is released already");
    if (!s->format) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave a schema without a format string");
    if (s->n_children < 0 || (s->n_children > 0 && !s->children)) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave %lld children and no list of them", (long long)s->n_children);
    return CQ_OK;
}

/* What indexes and run ends are. */
static cq_status parse_storage(const struct ArrowSchema *s, cq_arrow_type *t, cq_err *e)
{
    CQ_TRY(check_alive(s, e));
    CQ_TRY(parse_format(s->format, t, e));
    if (s->n_children) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave %lld children to a type that has none: '%s'", (long long)s->n_children, show(s->format).text);
    return CQ_OK;
}

/* Values that may stand in a dictionary or behind run ends. */
static cq_status parse_flat(const struct ArrowSchema *s, cq_arrow_type *t, cq_err *e)
{
    CQ_TRY(parse_storage(s, t, e));
    return parse_extension(s, t, e);
}

static cq_status parse_dictionary(const struct ArrowSchema *s, cq_arrow_type *t, cq_err *e)
{
    cq_arrow_type index;
    memset(&index, 0, sizeof index);
    CQ_TRY(parse_storage(s, &index, e));
    if (index.kind != CQ_ARROW_INT) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave a dictionary whose index is no integer: '%s'", show(s->format).text);
    CQ_TRY(check_alive(s->dictionary, e));
    if (s->dictionary->dictionary || s->dictionary->format[0] == '+')
        return cq_fail(e, CQ_EUNSUPPORTED, "an Arrow dictionary whose values are %s; cast the column to its plain type",
                       s->dictionary->dictionary ? "a dictionary too" : "nested or run-end encoded");
    CQ_TRY(parse_flat(s->dictionary, t, e));
    t->is_dictionary = true;
    t->index_width = index.width;
    t->index_signed = index.is_signed;
    if (t->is_uuid || t->is_json) return CQ_OK;
    return parse_extension(s, t, e);
}

static cq_status parse_run_end(const struct ArrowSchema *s, cq_arrow_type *t, cq_err *e)
{
    if (s->n_children != 2) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave %lld children to a run-end encoded type, which has 2", (long long)s->n_children);
    if (s->dictionary) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave a dictionary whose index is no integer: '+r'");
    const struct ArrowSchema *ends = s->children[0], *values = s->children[1];
    cq_arrow_type run;
    memset(&run, 0, sizeof run);
    CQ_TRY(check_alive(ends, e));
    CQ_TRY(check_alive(values, e));
    if (ends->dictionary) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave run ends in a dictionary");
    CQ_TRY(parse_storage(ends, &run, e));
    if (run.kind != CQ_ARROW_INT || run.width == 1 || !run.is_signed)
        return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave run ends of type '%s'; they are int16, int32 or int64", show(ends->format).text);
    if (strcmp(values->format, "+r") == 0) return cq_fail(e, CQ_EUNSUPPORTED, "Arrow runs of runs; cast the column to its plain type");
    CQ_TRY(values->dictionary ? parse_dictionary(values, t, e) : parse_flat(values, t, e));
    t->is_run_end = true;
    t->run_end_width = run.width;
    if (t->is_uuid || t->is_json) return CQ_OK;
    return parse_extension(s, t, e);
}

cq_status cq_arrow_type_parse(const struct ArrowSchema *s, cq_arrow_type *out, cq_err *e)
{
    memset(out, 0, sizeof *out);
    CQ_TRY(check_alive(s, e));
    if (strcmp(s->format, "+r") == 0) return parse_run_end(s, out, e);
    return s->dictionary ? parse_dictionary(s, out, e) : parse_flat(s, out, e);
}

static const char *unit_text(cq_unit u)
{
    return u == CQ_UNIT_S ? "s" : u == CQ_UNIT_MS ? "ms" : u == CQ_UNIT_US ? "us" : "ns";
}

static void plain_text(const cq_arrow_type *t, char *buf, size_t n)
{
    const char *view = t->layout == CQ_ARROW_VIEWS ? "_view" : "", *large = t->layout == CQ_ARROW_OFFSETS64 ? "large_" : "";
    int got = 0;
    switch (t->kind) {
    case CQ_ARROW_NULL: got = snprintf(buf, n, "null"); break;
    case CQ_ARROW_BOOL: got = snprintf(buf, n, "bool"); break;
    case CQ_ARROW_INT: got = snprintf(buf, n, "%sint%d", t->is_signed ? "" : "u", (int)t->width * 8); break;
    case CQ_ARROW_FLOAT: got = snprintf(buf, n, "float%d", (int)t->width * 8); break;
    case CQ_ARROW_DECIMAL: got = snprintf(buf, n, "decimal%d(%d, %d)", (int)t->width * 8, (int)t->precision, (int)t->scale); break;
    case CQ_ARROW_DATE: got = snprintf(buf, n, "date%d", (int)t->width * 8); break;
    case CQ_ARROW_TIME: got = snprintf(buf, n, "time%d[%s]", (int)t->width * 8, unit_text(t->unit)); break;
    case CQ_ARROW_TIMESTAMP: got = snprintf(buf, n, "timestamp[%s] %s", unit_text(t->unit), t->has_zone ? "with a time zone" : "without a time zone"); break;
    case CQ_ARROW_STRING: got = snprintf(buf, n, "%sstring%s", large, view); break;
    case CQ_ARROW_BINARY:
        got = t->layout == CQ_ARROW_FIXED ? snprintf(buf, n, "binary[%d]", (int)t->width) : snprintf(buf, n, "%sbinary%s", large, view);
        break;
    }
    (void)got; /* cut where it is too long */
}

const char *cq_arrow_type_text(const cq_arrow_type *t, char buf[CQ_ARROW_TEXT_BYTES])
{
    char values[48], index[16] = "";
    plain_text(t, values, sizeof values);
    if (t->is_dictionary) (void)snprintf(index, sizeof index, "%sint%d, ", t->index_signed ? "" : "u", (int)t->index_width * 8);
    (void)snprintf(buf, CQ_ARROW_TEXT_BYTES, "%s%s%s%s%s%s", t->is_run_end ? "run_end_encoded<" : "", t->is_dictionary ? "dictionary<" : "", index, values,
                   t->is_dictionary ? ">" : "", t->is_run_end ? ">" : "");
    return buf;
}

/* -- columns ------------------------------------------------------------------------------------ */

static cq_type timestamp_of(cq_unit u, bool utc)
{
    static const cq_type types[2][5] = {
        {CQ_TIMESTAMP_S, CQ_TIMESTAMP_S, CQ_TIMESTAMP_MS, CQ_TIMESTAMP_US, CQ_TIMESTAMP_NS},
        {CQ_TIMESTAMP_S_UTC, CQ_TIMESTAMP_S_UTC, CQ_TIMESTAMP_MS_UTC, CQ_TIMESTAMP_US_UTC, CQ_TIMESTAMP_NS_UTC}};
    return types[utc][u];
}

static cq_type int_of(int32_t width, bool is_signed)
{
    switch (width) {
    case 1: return is_signed ? CQ_INT8 : CQ_UINT8;
    case 2: return is_signed ? CQ_INT16 : CQ_UINT16;
    case 4: return is_signed ? CQ_INT32 : CQ_UINT32;
    default: return is_signed ? CQ_INT64 : CQ_UINT64;
    }
}

static cq_status column_type(const cq_arrow_type *t, cq_field_spec *f, cq_err *e)
{
    switch (t->kind) {
    case CQ_ARROW_NULL: return cq_fail(e, CQ_EUNSUPPORTED, "an Arrow column of type null, which says nothing about the values to come; cast it to a type");
    case CQ_ARROW_BOOL: f->type = CQ_BOOL; return CQ_OK;
    case CQ_ARROW_INT: f->type = int_of(t->width, t->is_signed); return CQ_OK;
    case CQ_ARROW_FLOAT: f->type = t->width == 2 ? CQ_FLOAT16 : t->width == 4 ? CQ_FLOAT32 : CQ_FLOAT64; return CQ_OK;
    case CQ_ARROW_DATE: f->type = CQ_DATE; return CQ_OK;
    case CQ_ARROW_TIME: f->type = t->unit <= CQ_UNIT_MS ? CQ_TIME_MS : t->unit == CQ_UNIT_US ? CQ_TIME_US : CQ_TIME_NS; return CQ_OK;
    case CQ_ARROW_TIMESTAMP: f->type = timestamp_of(t->unit, t->has_zone); return CQ_OK;
    case CQ_ARROW_STRING: f->type = t->is_json ? CQ_JSON : CQ_STRING; return CQ_OK;
    case CQ_ARROW_BINARY:
        f->type = t->is_uuid ? CQ_UUID : t->layout == CQ_ARROW_FIXED ? CQ_FIXED : CQ_BINARY;
        f->fixed_bytes = f->type == CQ_BINARY ? 0 : t->width;
        return CQ_OK;
    case CQ_ARROW_DECIMAL:
        if (t->precision > CQ_MAX_DECIMAL_DIGITS || t->scale < 0 || t->scale > t->precision)
            return cq_fail(e, CQ_EUNSUPPORTED, "an Arrow column of type decimal%d(%d, %d): Parquet's decimals have up to 38 digits and a scale between 0 and the precision; cast it",
                           (int)t->width * 8, (int)t->precision, (int)t->scale);
        f->type = cq_type_of_decimal(t->precision);
        f->precision = t->precision;
        f->scale = t->scale;
        return CQ_OK;
    }
    return cq_fail(e, CQ_EFORMAT, "an Arrow type without a kind");
}

static bool is_known(cq_span extension)
{
    return extension.n == 0 || is_text(extension, "arrow.uuid") || is_text(extension, "arrow.json") || is_text(extension, "arrow.bool8");
}

/* A type that says more than its storage, of the field or of the values of its dictionary or runs. */
static cq_status refuse_extension(const struct ArrowSchema *s, const cq_arrow_type *t, cq_err *e)
{
    cq_span name;
    for (; s; s = s->n_children == 2 ? s->children[1] : s->dictionary) {
        CQ_TRY(find_metadata(s->metadata, EXTENSION, &name, e));
        if (is_known(name)) continue;
        char cut[sizeof ((shown *)0)->text], storage[CQ_ARROW_TEXT_BYTES];
        size_t const n = cq_min_size(name.n, sizeof cut - 1);
        memcpy(cut, name.p, n);
        cut[n] = '\0';
        return cq_fail(e, CQ_EUNSUPPORTED, "extension type '%s': declare the column's type to write its storage (%s), or cast it", show(cut).text,
                       cq_arrow_type_text(t, storage));
    }
    return CQ_OK;
}

cq_status cq_arrow_to_field(const struct ArrowSchema *s, cq_field_spec *out, cq_err *e)
{
    cq_arrow_type t;
    memset(out, 0, sizeof *out);
    CQ_TRY(cq_arrow_type_parse(s, &t, e));
    CQ_TRY(column_type(&t, out, e));
    CQ_TRY(refuse_extension(s, &t, e));
    out->name = s->name ? s->name : "";
    out->name_bytes = strlen(out->name);
    out->optional = (s->flags & ARROW_FLAG_NULLABLE) != 0;
    out->field_id = -1;
    cq_span id;
    CQ_TRY(find_metadata(s->metadata, FIELD_ID, &id, e));
    char digits[12];
    if (id.p && id.n < sizeof digits) { /* anything but a number is somebody else's affair */
        memcpy(digits, id.p, id.n);
        digits[id.n] = '\0';
        const char *p = digits;
        int32_t v;
        if (parse_int(&p, &v) && !*p && v >= 0) out->field_id = v;
    }
    return CQ_OK;
}

/* -- the other way ------------------------------------------------------------------------------ */

static const char *format_of(const cq_field *f, char *buf, size_t n)
{
    static const char *const formats[CQ_N_TYPES] = {
        [CQ_BOOL] = "b", [CQ_INT8] = "c", [CQ_INT16] = "s", [CQ_INT32] = "i", [CQ_INT64] = "l",
        [CQ_UINT8] = "C", [CQ_UINT16] = "S", [CQ_UINT32] = "I", [CQ_UINT64] = "L",
        [CQ_FLOAT16] = "e", [CQ_FLOAT32] = "f", [CQ_FLOAT64] = "g",
        [CQ_STRING] = "u", [CQ_BINARY] = "z", [CQ_JSON] = "u", [CQ_BSON] = "z", [CQ_ENUM] = "u", [CQ_UUID] = "w:16", [CQ_DATE] = "tdD",
        [CQ_TIME_MS] = "ttm", [CQ_TIME_US] = "ttu", [CQ_TIME_NS] = "ttn", [CQ_TIME_MS_UTC] = "ttm", [CQ_TIME_US_UTC] = "ttu", [CQ_TIME_NS_UTC] = "ttn",
        [CQ_TIMESTAMP_S] = "tss:", [CQ_TIMESTAMP_MS] = "tsm:", [CQ_TIMESTAMP_US] = "tsu:", [CQ_TIMESTAMP_NS] = "tsn:",
        [CQ_TIMESTAMP_S_UTC] = "tss:UTC", [CQ_TIMESTAMP_MS_UTC] = "tsm:UTC", [CQ_TIMESTAMP_US_UTC] = "tsu:UTC", [CQ_TIMESTAMP_NS_UTC] = "tsn:UTC",
    };
    if (formats[f->type]) return formats[f->type];
    (void)(f->type == CQ_FIXED ? snprintf(buf, n, "w:%d", (int)f->fixed_bytes) : snprintf(buf, n, "d:%d,%d", (int)f->precision, (int)f->scale));
    return buf;
}

static void add_text(cq_arrow_field *out, const char *text)
{
    size_t const n = strlen(text);
    cq_store32(out->metadata + out->metadata_bytes, cq_u32(n));
    memcpy(out->metadata + out->metadata_bytes + 4, text, n);
    out->metadata_bytes += 4 + n;
}

static void add_pair(cq_arrow_field *out, const char *key, const char *value)
{
    cq_store32(out->metadata, cq_load32(out->metadata) + 1);
    add_text(out, key);
    add_text(out, value);
}

void cq_arrow_from_field(const cq_field *f, cq_arrow_field *out)
{
    char text[sizeof out->format];
    memset(out, 0, sizeof *out);
    const char *format = format_of(f, text, sizeof text);
    memcpy(out->format, format, strlen(format) + 1);
    out->flags = f->optional ? ARROW_FLAG_NULLABLE : 0;
    out->metadata_bytes = 4;
    if (f->type == CQ_UUID || f->type == CQ_JSON) {
        add_pair(out, EXTENSION, f->type == CQ_UUID ? "arrow.uuid" : "arrow.json");
        add_pair(out, "ARROW:extension:metadata", "");
    }
    if (f->field_id >= 0) {
        (void)snprintf(text, sizeof text, "%d", (int)f->field_id);
        add_pair(out, FIELD_ID, text);
    }
    if (!cq_load32(out->metadata)) out->metadata_bytes = 0;
}

/* -- batches ------------------------------------------------------------------------------------ */

cq_status cq_arrow_check_struct(const struct ArrowSchema *s, cq_err *e)
{
    CQ_TRY(check_alive(s, e));
    if (strcmp(s->format, "+s") != 0 || s->dictionary)
        return cq_fail(e, CQ_EFORMAT, "Arrow data of format '%s' where a table (a struct, '+s') is needed", show(s->format).text);
    if (s->n_children > CQ_MAX_COLUMNS) return cq_fail(e, CQ_ELIMIT, "an Arrow table of %lld columns; %d are possible", (long long)s->n_children, CQ_MAX_COLUMNS);
    for (int64_t i = 0; i < s->n_children; i++) CQ_TRY(check_alive(s->children[i], e));
    return CQ_OK;
}

cq_status cq_arrow_check_batch(const struct ArrowSchema *s, const struct ArrowArray *a, cq_err *e)
{
    int64_t end;
    if (!a->release) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave a batch that is released already");
    if (a->length < 0 || a->offset < 0 || !cq_add_i64(a->length, a->offset, &end))
        return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave a batch of %lld rows from %lld on", (long long)a->length, (long long)a->offset);
    if (a->n_children != s->n_children || (a->n_children > 0 && !a->children))
        return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave a batch of %lld columns where its schema has %lld", (long long)a->n_children, (long long)s->n_children);
    if (a->n_buffers != 1 || !a->buffers) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave a batch of %lld buffers where a struct has 1", (long long)a->n_buffers);
    if (a->null_count < -1 || a->null_count > a->length) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave a batch with %lld null rows of %lld", (long long)a->null_count, (long long)a->length);
    if (a->null_count > 0 || (a->null_count < 0 && a->buffers[0] && cq_bitmap_has_zero(a->buffers[0], a->offset, a->length)))
        return cq_fail(e, CQ_EFORMAT, "Arrow data with rows that are null as a whole; a table has none");
    for (int64_t i = 0; i < a->n_children; i++) {
        const struct ArrowArray *c = a->children[i];
        if (!c || !c->release) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave a batch whose column %lld is released already", (long long)i);
        if (c->length < end) return cq_fail(e, CQ_EFORMAT, "the Arrow producer gave a batch of %lld rows whose column %lld has %lld", (long long)end, (long long)i, (long long)c->length);
    }
    return CQ_OK;
}
