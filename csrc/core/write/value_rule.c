/* The table of what fits what, with the advice of every refusal. */
#include "write/value_rule.h"

#include "base/bytes.h"

#include <string.h>

#define DAY_NS INT64_C(86400000000000)

/* Columns by what they take. */
typedef enum target { INTO_BOOL, INTO_INT, INTO_FLOAT, INTO_DECIMAL, INTO_DATE, INTO_TIME, INTO_TIMESTAMP, INTO_TEXT, INTO_BINARY, INTO_FIXED } target;

static target target_of(cq_type t)
{
    const cq_type_info *info = cq_type_facts(t);
    switch (info->logical) {
    case CQ_PQ_LOGICAL_STRING: case CQ_PQ_LOGICAL_ENUM: case CQ_PQ_LOGICAL_JSON: return INTO_TEXT;
    case CQ_PQ_LOGICAL_BSON: return INTO_BINARY;
    case CQ_PQ_LOGICAL_DECIMAL: return INTO_DECIMAL;
    case CQ_PQ_LOGICAL_DATE: return INTO_DATE;
    case CQ_PQ_LOGICAL_TIME: return INTO_TIME;
    case CQ_PQ_LOGICAL_TIMESTAMP: return INTO_TIMESTAMP;
    case CQ_PQ_LOGICAL_INTEGER: return INTO_INT;
    case CQ_PQ_LOGICAL_UUID: return INTO_FIXED;
    case CQ_PQ_LOGICAL_FLOAT16: return INTO_FLOAT;
    case CQ_PQ_LOGICAL_NONE: break;
    }
    return t == CQ_BOOL ? INTO_BOOL : t == CQ_FIXED ? INTO_FIXED : info->is_float ? INTO_FLOAT : INTO_BINARY;
}

static cq_status refuse(const cq_value_rule *r, const char *advice, cq_err *e)
{
    char text[CQ_TYPE_TEXT_BYTES];
    (void)cq_field_type_text(r->field, text);
    return cq_fail(e, CQ_ETYPE, "an array of %s in a%s %s column%s", r->from.text, strchr("aeio", text[0]) ? "n" : "", text, advice);
}

/* -- integers ----------------------------------------------------------------------------------- */

/* The values of the source, as signed integers of its width, that [least, most] holds; `any` non-negative where the
 * column is unsigned. Where nothing can fail, there is no range to check. */
static void limit_range(cq_value_rule *r, int64_t least, uint64_t most)
{
    unsigned const bits = r->from.width * 8u;
    uint64_t const half = UINT64_C(1) << (bits - 1); /* of the source's range */
    if (r->from.is_signed) {
        int64_t const from_lo = -cq_wrap_i64(half - 1) - 1;
        r->has_range = least > from_lo || most < half - 1;
        r->lo = least > from_lo ? least : from_lo;
        r->hi = cq_wrap_i64(most < half - 1 ? most : half - 1);
    } else {
        r->has_range = most < half - 1 + half;
        r->lo = 0;
        r->hi = cq_wrap_i64(most < half - 1 ? most : half - 1);
    }
}

static cq_status from_int(cq_value_rule *r, const cq_type_info *info)
{
    r->op = CQ_OP_INT;
    uint64_t const half = UINT64_C(1) << (info->bits - 1);
    if (info->is_signed)
        limit_range(r, -cq_wrap_i64(half - 1) - 1, half - 1);
    else
        limit_range(r, 0, half - 1 + half);
    return CQ_OK;
}

/* -- times -------------------------------------------------------------------------------------- */

static int64_t tick_of(cq_unit u)
{
    switch (u) {
    case CQ_UNIT_NONE: return DAY_NS;
    case CQ_UNIT_S: return 1000000000;
    case CQ_UNIT_MS: return 1000000;
    case CQ_UNIT_US: return 1000;
    case CQ_UNIT_NS: break;
    }
    return 1;
}

static int64_t gcd(int64_t a, int64_t b)
{
    while (b) {
        int64_t const rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static int64_t ceil_div(int64_t a, int64_t b) { return a / b + (a % b > 0); }
static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* value / div * mul steps of `stored` nanoseconds, exact in steps of `declared` ones, of which there are [least, most].
 * A quotient that is multiplied again is guarded where that is done. */
static cq_status scale(cq_value_rule *r, int64_t declared, int64_t stored, int64_t least, int64_t most, cq_err *e)
{
    int64_t const g = gcd(r->from.tick_ns, declared);
    bool const all = least == INT64_MIN && most == INT64_MAX;
    r->op = CQ_OP_SCALE;
    r->div = declared / g;
    if (!cq_mul_i64(r->from.tick_ns / g, declared / stored, &r->mul)) return refuse(r, "; its steps are too long", e);
    r->has_range = !all || (r->div == 1 && r->mul > 1);
    r->lo = ceil_div(least, r->mul);
    r->hi = floor_div(most, r->mul);
    if (!r->has_range) return CQ_OK;
    if (r->div == 1 && r->mul == 1 && r->from.width == 4) { /* checked as it comes */
        r->lo = r->lo > INT32_MIN ? r->lo : INT32_MIN;
        r->hi = r->hi < INT32_MAX ? r->hi : INT32_MAX;
        r->has_range = r->lo > INT32_MIN || r->hi < INT32_MAX;
    }
    if (r->div == 1) return CQ_OK;
    /* of a day or of int32: far from the ends of int64 */
    if (!cq_mul_i64(r->lo, r->div, &r->lo) || !cq_mul_i64(r->hi, r->div, &r->hi)) return refuse(r, "; its steps are too short", e);
    return CQ_OK;
}

static cq_status into_timestamp(cq_value_rule *r, const cq_type_info *info, cq_err *e)
{
    int64_t const declared = tick_of(info->unit), stored = info->unit == CQ_UNIT_S ? tick_of(CQ_UNIT_MS) : declared;
    switch (r->from.kind) {
    case CQ_VALUE_INT: /* in the declared unit */
        r->from.tick_ns = declared;
        CQ_TRY(scale(r, declared, stored, INT64_MIN, INT64_MAX, e));
        if (r->from.width == 8 && !r->from.is_signed) {
            r->has_range = true;
            r->lo = 0;
        }
        return CQ_OK;
    case CQ_VALUE_TIMESTAMP:
        if (r->from.zone == CQ_ZONE_NONE && info->utc)
            return refuse(r, "; no time zone is guessed: give the values theirs, or declare the column without UTC", e);
        if (r->from.zone == CQ_ZONE_SET && !info->utc)
            return refuse(r, "; declare the column with UTC, or take the time zone off the values if local times are meant", e);
        return scale(r, declared, stored, INT64_MIN, INT64_MAX, e);
    case CQ_VALUE_DATE: return refuse(r, "; cast it to a timestamp if midnight is meant", e);
    case CQ_VALUE_FLOAT: return refuse(r, "; a float is no exact time: cast it to an integer of the column's unit", e);
    case CQ_VALUE_TEXT: return refuse(r, "; text is never read as a time: parse it first", e);
    default: return refuse(r, "", e);
    }
}

static cq_status into_date(cq_value_rule *r, cq_err *e)
{
    /* numpy's dates are datetimes of whole days */
    bool const whole_days = r->from.kind == CQ_VALUE_TIMESTAMP && r->from.zone == CQ_ZONE_ANY && r->from.tick_ns % DAY_NS == 0;
    if (r->from.kind == CQ_VALUE_DATE || whole_days) return scale(r, DAY_NS, DAY_NS, INT32_MIN, INT32_MAX, e);
    switch (r->from.kind) {
    case CQ_VALUE_TIMESTAMP: return refuse(r, "; cast it to days if the time of day is to go", e);
    case CQ_VALUE_INT: return refuse(r, "; cast it to a date if days since 1970-01-01 are meant", e);
    case CQ_VALUE_TEXT: return refuse(r, "; text is never read as a date: parse it first", e);
    default: return refuse(r, "", e);
    }
}

static cq_status into_time(cq_value_rule *r, const cq_type_info *info, cq_err *e)
{
    int64_t const tick = tick_of(info->unit);
    switch (r->from.kind) {
    case CQ_VALUE_TIME: return scale(r, tick, tick, 0, DAY_NS / tick - 1, e);
    case CQ_VALUE_TIMESTAMP: return refuse(r, "; cast it to a time of day if the date is to go", e);
    case CQ_VALUE_INT: return refuse(r, "; cast it to a time of day if steps since midnight are meant", e);
    case CQ_VALUE_TEXT: return refuse(r, "; text is never read as a time: parse it first", e);
    default: return refuse(r, "", e);
    }
}

/* -- everything else ---------------------------------------------------------------------------- */

static cq_status into_int(cq_value_rule *r, const cq_type_info *info, cq_err *e)
{
    switch (r->from.kind) {
    case CQ_VALUE_INT: return from_int(r, info);
    case CQ_VALUE_BOOL: return refuse(r, "; cast it to an integer if 0 and 1 are meant", e);
    case CQ_VALUE_FLOAT: return refuse(r, "; a float is never cut to an int: cast the array to one if that is meant", e);
    case CQ_VALUE_DECIMAL: return refuse(r, "; cast it to an integer, or declare the column a decimal", e);
    case CQ_VALUE_TEXT: return refuse(r, "; text is never read as a number", e);
    case CQ_VALUE_DATE: case CQ_VALUE_TIME: case CQ_VALUE_TIMESTAMP: return refuse(r, "; declare the column as what it is, or cast it to an integer", e);
    default: return refuse(r, "", e);
    }
}

static cq_status into_float(cq_value_rule *r, cq_err *e)
{
    unsigned const width = r->width ? r->width : 2u;
    switch (r->from.kind) {
    case CQ_VALUE_INT: r->op = CQ_OP_INT_FLOAT; return CQ_OK;
    case CQ_VALUE_FLOAT: r->op = r->from.width == width ? CQ_OP_SAME : CQ_OP_FLOAT; return CQ_OK;
    case CQ_VALUE_BOOL: return refuse(r, "; cast it to a float if 0 and 1 are meant", e);
    case CQ_VALUE_DECIMAL: return refuse(r, "; cast it to a float if rounding is meant, or declare the column a decimal", e);
    case CQ_VALUE_TEXT: return refuse(r, "; text is never read as a number", e);
    default: return refuse(r, "", e);
    }
}

static cq_status into_decimal(cq_value_rule *r, cq_err *e)
{
    switch (r->from.kind) {
    case CQ_VALUE_INT: case CQ_VALUE_DECIMAL: r->op = CQ_OP_DECIMAL; return CQ_OK;
    case CQ_VALUE_FLOAT: return refuse(r, "; a float is no exact decimal: cast it if rounding is meant", e);
    case CQ_VALUE_BOOL: return refuse(r, "; cast it to an integer if 0 and 1 are meant", e);
    case CQ_VALUE_TEXT: return refuse(r, "; text is never read as a number", e);
    default: return refuse(r, "", e);
    }
}

static cq_status into_bool(cq_value_rule *r, cq_err *e)
{
    if (r->from.kind == CQ_VALUE_INT) return refuse(r, "; cast it to bool if a truth value is meant", e);
    if (r->from.kind != CQ_VALUE_BOOL) return refuse(r, "", e);
    r->op = CQ_OP_BOOL;
    return CQ_OK;
}

static cq_status into_text(cq_value_rule *r, cq_err *e)
{
    if (r->from.kind == CQ_VALUE_BINARY) return refuse(r, "; decode it, or declare the column 'binary'", e);
    if (r->from.kind != CQ_VALUE_TEXT) return refuse(r, "; cast it to text if its text is meant", e);
    r->op = CQ_OP_TEXT;
    return CQ_OK;
}

static cq_status into_binary(cq_value_rule *r, cq_err *e)
{
    if (r->from.kind == CQ_VALUE_TEXT) return refuse(r, "; encode it, or declare the column 'string'", e);
    if (r->from.kind != CQ_VALUE_BINARY) return refuse(r, "", e);
    r->op = CQ_OP_BYTES;
    return CQ_OK;
}

static cq_status into_fixed(cq_value_rule *r, cq_err *e)
{
    if (r->from.kind == CQ_VALUE_TEXT) return refuse(r, r->field->type == CQ_UUID ? "; give the 16 bytes of each UUID" : "; encode it, or declare the column 'string'", e);
    if (r->from.kind != CQ_VALUE_BINARY) return refuse(r, "", e);
    if (r->from.fixed_bytes && r->from.fixed_bytes != r->field->fixed_bytes)
        return refuse(r, r->field->type == CQ_UUID ? ": a UUID has 16 bytes" : ": every value has another length", e);
    r->op = CQ_OP_FIXED;
    return CQ_OK;
}

cq_status cq_value_rule_make(cq_value_rule *r, const cq_field *f, const cq_value_type *from, cq_err *e)
{
    const cq_type_info *info = cq_type_facts(f->type);
    memset(r, 0, sizeof *r);
    r->field = f;
    r->from = *from;
    r->width = info->width;
    r->mul = r->div = 1;
    if (from->kind == CQ_VALUE_NULL) {
        r->op = CQ_OP_NULL;
        return CQ_OK;
    }
    switch (target_of(f->type)) {
    case INTO_BOOL: return into_bool(r, e);
    case INTO_INT: return into_int(r, info, e);
    case INTO_FLOAT: return into_float(r, e);
    case INTO_DECIMAL: return into_decimal(r, e);
    case INTO_DATE: return into_date(r, e);
    case INTO_TIME: return into_time(r, info, e);
    case INTO_TIMESTAMP: return into_timestamp(r, info, e);
    case INTO_TEXT: return into_text(r, e);
    case INTO_BINARY: return into_binary(r, e);
    case INTO_FIXED: return into_fixed(r, e);
    }
    return refuse(r, "", e);
}
