/* Showing values: see value_text.h. Dates are of the proleptic Gregorian calendar, as Parquet's are. */
#include "format/value_text.h"

#include "base/bytes.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOWN_BYTES 40
#define ROOM CQ_VALUE_TEXT_BYTES

static void hex(const uint8_t *p, size_t n, char *to)
{
    for (size_t i = 0; i < n; i++) (void)snprintf(to + 2 * i, 3, "%02x", (unsigned)p[i]);
}

static void binary_text(cq_span v, char *buf)
{
    char digits[SHOWN_BYTES + 1] = "";
    hex(v.p, cq_min_size(v.n, SHOWN_BYTES / 2), digits);
    (void)snprintf(buf, ROOM, "x'%s'%s", digits, v.n > SHOWN_BYTES / 2 ? ".." : "");
}

static void uuid_text(cq_span v, char *buf)
{
    char d[33];
    hex(v.p, 16, d);
    (void)snprintf(buf, ROOM, "%.8s-%.4s-%.4s-%.4s-%s", d, d + 8, d + 12, d + 16, d + 20);
}

static void text_text(cq_span v, char *buf)
{
    size_t const n = cq_utf8_valid_prefix(v.p, cq_min_size(v.n, SHOWN_BYTES));
    (void)snprintf(buf, ROOM, "'%.*s'%s", (int)n, (const char *)v.p, v.n > SHOWN_BYTES ? ".." : "");
}

static void float_text(cq_span v, char *buf)
{
    double d;
    if (v.n == 2) {
        uint32_t const h = cq_load16(v.p);
        int32_t const exponent = cq_i32(h >> 10 & 31u), fraction = cq_i32(h & 1023u);
        d = exponent == 31 ? (fraction ? (double)NAN : HUGE_VAL) : exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
        if (h & 0x8000u) d = -d;
    } else if (v.n == 4) {
        float x;
        memcpy(&x, v.p, 4);
        d = (double)x;
    } else {
        memcpy(&d, v.p, 8);
    }
    /* the fewest digits that stand for no other number of the type */
    for (int digits = v.n == 8 ? 15 : v.n == 4 ? 6 : 3; digits <= 17; digits++) {
        (void)snprintf(buf, ROOM, "%.*g", digits, d);
        double const back = strtod(buf, NULL);
        if (v.n == 8 ? back == d : v.n == 4 ? (float)back == (float)d : fabs(back - d) <= fabs(d) / 8192) break;
    }
    size_t const n = strlen(buf);
    if (n == strspn(buf, "-0123456789")) memcpy(buf + n, ".0", 3); /* no integer */
}

static int64_t stored_integer(const cq_type_info *info, cq_span v)
{
    if (v.n == 8) return cq_wrap_i64(cq_load64(v.p));
    return info->is_signed ? (int64_t)cq_wrap_i32(cq_load32(v.p)) : (int64_t)cq_load32(v.p);
}

/* Digits of the magnitude, with at least one before the point. */
static void decimal_text(const cq_field *f, cq_span v, char *buf)
{
    __extension__ typedef unsigned __int128 u128;
    const cq_type_info *info = cq_type_facts(f->type);
    u128 x = 0;
    bool negative;
    if (info->width) {
        int64_t const i = stored_integer(info, v);
        negative = i < 0;
        x = negative ? 0 - (uint64_t)i : (uint64_t)i;
    } else {
        negative = v.p[0] & 0x80;
        if (negative) x = ~x;
        for (size_t i = 0; i < v.n; i++) x = x << 8 | v.p[i];
        if (negative) x = 0 - x;
    }
    char digits[48];
    size_t at = sizeof digits;
    digits[--at] = 0;
    for (int32_t n = 0; x > 0 || n <= f->scale; n++, x /= 10) {
        if (n == f->scale && n > 0) digits[--at] = '.';
        digits[--at] = "0123456789"[x % 10];
    }
    (void)snprintf(buf, ROOM, "%s%s", negative ? "-" : "", digits + at);
}

/* Days since 1970-01-01 as a date, counted in years that begin in March. */
static int date_text(int64_t days, char *buf)
{
    int64_t const z = days + 719468;
    int64_t const era = (z >= 0 ? z : z - 146096) / 146097, of_era = z - era * 146097;
    int64_t const year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t const day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t const m = (5 * day_of_year + 2) / 153, month = m < 10 ? m + 3 : m - 9;
    int64_t const year = year_of_era + era * 400 + (month <= 2);
    return snprintf(buf, ROOM, "%04lld-%02d-%02d", (long long)year, (int)month, (int)(day_of_year - (153 * m + 2) / 5 + 1));
}

/* `ticks` of the day, `digits` of them behind the second. */
static void clock_text(int64_t ticks, int digits, bool utc, char *buf, size_t room)
{
    int64_t per_second = 1;
    for (int i = 0; i < digits; i++) per_second *= 10;
    int64_t const second = ticks / per_second;
    (void)snprintf(buf, room, "%02lld:%02d:%02d.%0*lld%s", (long long)(second / 3600), (int)(second / 60 % 60), (int)(second % 60), digits,
                   (long long)(ticks % per_second), utc ? "Z" : "");
}

static void time_text(const cq_type_info *info, int64_t v, char *buf)
{
    int const digits = info->unit == CQ_UNIT_NS ? 9 : info->unit == CQ_UNIT_US ? 6 : 3;
    int64_t day = 86400;
    for (int i = 0; i < digits; i++) day *= 10;
    int64_t const rest = v % day, days = v / day - (rest < 0), ticks = rest < 0 ? rest + day : rest;
    if (info->logical == CQ_PQ_LOGICAL_TIME && days != 0) { /* no time of day: its number */
        (void)snprintf(buf, ROOM, "%lld", (long long)v);
        return;
    }
    int n = 0;
    if (info->logical == CQ_PQ_LOGICAL_TIMESTAMP) {
        n = date_text(days, buf);
        buf[n++] = ' ';
    }
    clock_text(ticks, digits, info->utc, buf + n, ROOM - (size_t)n);
}

void cq_value_text(const cq_field *f, bool is_null, cq_span v, char buf[CQ_VALUE_TEXT_BYTES])
{
    const cq_type_info *info = cq_type_facts(f->type);
    if (is_null)
        (void)snprintf(buf, ROOM, "None");
    else if (f->type == CQ_UUID)
        uuid_text(v, buf);
    else if (f->type == CQ_STRING || f->type == CQ_JSON || f->type == CQ_ENUM)
        text_text(v, buf);
    else if (info->is_float)
        float_text(v, buf);
    else if (info->logical == CQ_PQ_LOGICAL_DECIMAL)
        decimal_text(f, v, buf);
    else if (info->width == 0)
        binary_text(v, buf);
    else if (info->width == 1)
        (void)snprintf(buf, ROOM, "%s", v.p[0] ? "True" : "False");
    else if (info->logical == CQ_PQ_LOGICAL_DATE)
        (void)date_text(stored_integer(info, v), buf);
    else if (info->unit != CQ_UNIT_NONE)
        time_text(info, stored_integer(info, v), buf);
    else if (f->type == CQ_UINT64)
        (void)snprintf(buf, ROOM, "%llu", (unsigned long long)cq_load64(v.p));
    else
        (void)snprintf(buf, ROOM, "%lld", (long long)stored_integer(info, v));
}
