/* Points in time that are no datetime: numpy.datetime64 of any unit, pandas.Timestamp to its nanosecond, and, for
 * strict=False, ISO 8601 texts. Whatever comes is a count of some unit, which goes into the column's without loss. */
#include "convert_shared.h"

/* -- a count of a unit into a column --------------------------------------------------------------- */

conv_result convert_put_instant(conv *x, column *c, convert_i128 count, int64_t num, int64_t den, PyObject *shown)
{
    static const int64_t per_second[] = {[CQ_UNIT_NONE] = 1, [CQ_UNIT_S] = 1, [CQ_UNIT_MS] = 1000, [CQ_UNIT_US] = 1000000, [CQ_UNIT_NS] = 1000000000};
    const int64_t units = per_second[c->unit];
    bool fits = true;
    if (den <= units) {
        /* Beyond 2^63 it fits no unit that is as fine; below, the product is less than 2^113. */
        fits = count >= INT64_MIN && count <= INT64_MAX;
        if (fits) count *= (convert_i128)num * (units / den);
    } else {
        if (count % (den / units) != 0) return convert_refuse_loss(x, c, shown);
        count /= den / units;
    }
    if (fits && c->unit == CQ_UNIT_S) count *= 1000; /* as it is stored */
    if (!fits || count < INT64_MIN || count > INT64_MAX)
        return convert_refuse_range(x, c, shown, c->unit == CQ_UNIT_NS ? "the years 1677 to 2262" : "64 bits of its unit");
    return put_result(cq_colbuf_put_i64(c->buf, (int64_t)count, &x->err));
}

/* -- numpy.datetime64 and pandas.Timestamp ---------------------------------------------------------- */

typedef struct unit_of_numpy {
    const char *name;
    int64_t months, num, den;
} unit_of_numpy;

static const unit_of_numpy *find_unit(const char *name, size_t n)
{
    static const unit_of_numpy units[] = {
        {"Y", 12, 0, 1}, {"M", 1, 0, 1}, {"W", 0, 604800, 1}, {"D", 0, 86400, 1}, {"h", 0, 3600, 1}, {"m", 0, 60, 1}, {"s", 0, 1, 1},
        {"ms", 0, 1, INT64_C(1000)}, {"us", 0, 1, INT64_C(1000000)}, {"ns", 0, 1, INT64_C(1000000000)},
        {"ps", 0, 1, INT64_C(1000000000000)}, {"fs", 0, 1, INT64_C(1000000000000000)}, {"as", 0, 1, INT64_C(1000000000000000000)}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == n && memcmp(units[i].name, name, n) == 0) return &units[i];
    return NULL;
}

/* The unit of a dtype's "<M8[25us]" and how many of it one step is; NULL: there is none ("<M8"). */
static const unit_of_numpy *parse_unit(const char *text, size_t n, int64_t *steps)
{
    const char *at = memchr(text, '[', n);
    if (!at || text[n - 1] != ']') return NULL;
    const char *end = text + n - 1;
    int64_t k = 0;
    for (at++; at < end && *at >= '0' && *at <= '9' && k <= INT32_MAX; at++) k = k * 10 + (*at - '0');
    *steps = k ? k : 1;
    return *steps <= INT32_MAX ? find_unit(at, (size_t)(end - at)) : NULL;
}

/* NULL with an exception of user code, or without one: it cannot be read. */
static const unit_of_numpy *unit_of(PyObject *v, int64_t *steps)
{
    const unit_of_numpy *unit = NULL;
    PyObject *dtype = py_attribute(v, "dtype"), *text = dtype ? py_attribute(dtype, "str") : NULL;
    size_t n = 0;
    const char *p = text && PyUnicode_Check(text) ? convert_ascii(text, &n) : NULL;
    if (p && n > 0) unit = parse_unit(p, n, steps);
    Py_XDECREF(dtype);
    Py_XDECREF(text);
    return unit;
}

static conv_result put_months(conv *x, column *c, convert_i128 months, PyObject *shown)
{
    const int64_t most = INT64_C(12) << 40; /* further away than any unit reaches */
    if (months > most || months < -most) return convert_refuse_range(x, c, shown, "64 bits of its unit");
    const int64_t m = (int64_t)months, year = (m >= 0 ? m : m - 11) / 12;
    return convert_put_instant(x, c, convert_days(1970 + year, m - year * 12 + 1, 1), 86400, 1, shown);
}

static conv_result put_numpy_day(conv *x, column *c, PyObject *v, const unit_of_numpy *unit, convert_i128 days)
{
    if (strcmp(unit->name, "D") != 0) return convert_refuse_type(x, c, v, "; write value.astype('datetime64[D]') if its time of day is to go");
    if (days < INT32_MIN || days > INT32_MAX) return convert_refuse_range(x, c, v, "32 bits of days");
    return put_result(cq_colbuf_put_i32(c->buf, cq_i32((int64_t)days), &x->err));
}

conv_result convert_put_numpy_instant(conv *x, column *c, PyObject *v, PyObject *shown)
{
    int64_t count = 0, steps = 1;
    const unit_of_numpy *unit = unit_of(v, &steps);
    if (PyErr_Occurred()) return CONV_RAISED;
    if (!unit || !convert_numpy_count(v, &count)) return convert_refuse_type(x, c, shown, "; it has no unit");
    if (count == INT64_MIN) return convert_null(x, c, shown);
    const convert_i128 whole = (convert_i128)count * steps;
    if (c->type == CQ_DATE) return put_numpy_day(x, c, shown, unit, whole);
    return unit->months ? put_months(x, c, whole * unit->months, shown) : convert_put_instant(x, c, whole, unit->num, unit->den, shown);
}

/* asm8 is its instant with its unit as a numpy.datetime64: in UTC where it is aware, else what its clock says. */
conv_result convert_put_pandas_instant(conv *x, column *c, PyObject *v)
{
    PyObject *zone = py_attribute(v, "tzinfo"), *instant = zone ? py_attribute(v, "asm8") : NULL;
    conv_result r = CONV_RAISED;
    if (instant)
        r = (zone != Py_None) == c->utc ? convert_put_numpy_instant(x, c, instant, v) : convert_refuse_zone(x, c, v, zone != Py_None);
    else if (!PyErr_Occurred())
        r = convert_refuse_type(x, c, v, "; it has no tzinfo or asm8");
    Py_XDECREF(zone);
    Py_XDECREF(instant);
    return r;
}

/* -- ISO 8601 texts ---------------------------------------------------------------------------------- */

typedef struct scan {
    const char *p, *end;
} scan;

static bool take(scan *s, char ch)
{
    if (s->p == s->end || *s->p != ch) return false;
    s->p++;
    return true;
}

/* Exactly n digits, between low and high. */
static bool take_number(scan *s, int n, int64_t low, int64_t high, int64_t *out)
{
    int64_t v = 0;
    if (s->end - s->p < n) return false;
    for (int i = 0; i < n; i++, s->p++) {
        if (*s->p < '0' || *s->p > '9') return false;
        v = v * 10 + (*s->p - '0');
    }
    *out = v;
    return v >= low && v <= high;
}

static bool take_date(scan *s, int64_t *days)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year, month, day;
    if (!take_number(s, 4, 1, 9999, &year) || !take(s, '-') || !take_number(s, 2, 1, 12, &month) || !take(s, '-')) return false;
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (!take_number(s, 2, 1, month == 2 && leap ? 29 : lengths[month - 1], &day)) return false;
    *days = convert_days(year, month, day);
    return true;
}

/* HH:MM[:SS[.f]]; the fraction in nanoseconds, *finer: more digits than that are not 0. */
static bool take_clock(scan *s, int64_t *seconds, int64_t *nanos, bool *finer)
{
    int64_t hour, minute, second = 0;
    *nanos = 0;
    if (!take_number(s, 2, 0, 23, &hour) || !take(s, ':') || !take_number(s, 2, 0, 59, &minute)) return false;
    if (take(s, ':')) {
        if (!take_number(s, 2, 0, 59, &second)) return false;
        if (take(s, '.')) {
            int64_t digit, place = 100000000;
            if (!take_number(s, 1, 0, 9, &digit)) return false;
            do {
                *nanos += digit * place;
                *finer |= place == 0 && digit != 0;
                place /= 10;
            } while (take_number(s, 1, 0, 9, &digit));
        }
    }
    *seconds = hour * 3600 + minute * 60 + second;
    return true;
}

/* Z, +HH, +HHMM, +HH:MM, +HH:MM:SS, or nothing. */
static bool take_zone(scan *s, bool *aware, int64_t *offset)
{
    int64_t hour, minute = 0, second = 0;
    *aware = s->p < s->end;
    *offset = 0;
    if (!*aware || take(s, 'Z')) return true;
    const bool west = take(s, '-');
    if ((!west && !take(s, '+')) || !take_number(s, 2, 0, 23, &hour)) return false;
    if (s->p < s->end) {
        const bool colon = take(s, ':');
        if (!take_number(s, 2, 0, 59, &minute)) return false;
        if (colon && take(s, ':') && !take_number(s, 2, 0, 59, &second)) return false;
    }
    *offset = (hour * 3600 + minute * 60 + second) * (west ? -1 : 1);
    return true;
}

int convert_date_text(conv *x, column *c, PyObject *v)
{
    size_t n = 0;
    const char *p = convert_ascii(v, &n);
    scan s = {p, p ? p + n : p};
    int64_t days;
    if (!p || !take_date(&s, &days) || s.p != s.end) return CONV_NO_TEXT;
    return put_result(cq_colbuf_put_i32(c->buf, cq_i32(days), &x->err));
}

int convert_timestamp_text(conv *x, column *c, PyObject *v)
{
    size_t n = 0;
    const char *p = convert_ascii(v, &n);
    scan s = {p, p ? p + n : p};
    int64_t days, seconds, nanos, offset;
    bool aware, finer = false;
    if (!p || !take_date(&s, &days) || !(take(&s, 'T') || take(&s, ' '))) return CONV_NO_TEXT;
    if (!take_clock(&s, &seconds, &nanos, &finer) || !take_zone(&s, &aware, &offset) || s.p != s.end) return CONV_NO_TEXT;
    if (aware != c->utc) return convert_refuse_zone(x, c, v, aware);
    if (finer) return convert_refuse_loss(x, c, v);
    return convert_put_instant(x, c, (convert_i128)(days * 86400 + seconds - offset) * 1000000000 + nanos, 1, 1000000000, v);
}
