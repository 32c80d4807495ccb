/* date, time and timestamp columns from Python's own objects. The C fields of the datetime module's types and of their
 * subclasses are read; pandas.Timestamp, whose fields are not the whole truth, and numpy.datetime64 are
 * convert_instant.c's. */
#include "convert_shared.h"

#include <datetime.h> /* for the layout; its static pointer is never set: the types are in the module state */

#include <stdio.h>

#define MICROS INT64_C(1000000)

int convert_need_datetime(core_state *st)
{
    if (st->datetime) return 0;
    const PyDateTime_CAPI *api = PyCapsule_Import(PyDateTime_CAPSULE_NAME, 0);
    if (!api) return -1;
    if (!st->name_utcoffset && !(st->name_utcoffset = PyUnicode_InternFromString("utcoffset"))) return -1;
    Py_XSETREF(st->date, Py_NewRef((PyObject *)api->DateType));
    Py_XSETREF(st->time, Py_NewRef((PyObject *)api->TimeType));
    Py_XSETREF(st->timedelta, Py_NewRef((PyObject *)api->DeltaType));
    Py_XSETREF(st->utc, Py_NewRef(api->TimeZone_UTC));
    Py_XSETREF(st->datetime, Py_NewRef((PyObject *)api->DateTimeType));
    return 0;
}

static inline bool is_a(PyObject *v, PyObject *type) { return PyType_IsSubtype(Py_TYPE(v), (PyTypeObject *)type); }

/* -- refusals ------------------------------------------------------------------------------------ */

conv_result convert_refuse_loss(conv *x, const column *c, PyObject *v)
{
    static const char *const what[] = {
        [CQ_UNIT_NONE] = "its time of day", [CQ_UNIT_S] = "its fraction of a second", [CQ_UNIT_MS] = "its microseconds",
        [CQ_UNIT_US] = "its nanoseconds",   [CQ_UNIT_NS] = "what is finer than a nanosecond"};
    char advice[120];
    (void)snprintf(advice, sizeof advice, " would lose %s; round it, or declare a finer unit", what[c->unit]);
    return convert_refuse_value(x, c, v, advice);
}

conv_result convert_refuse_zone(conv *x, const column *c, PyObject *v, bool aware)
{
    static const char *const units[] = {[CQ_UNIT_NONE] = "", [CQ_UNIT_S] = "s", [CQ_UNIT_MS] = "ms", [CQ_UNIT_US] = "us", [CQ_UNIT_NS] = "ns"};
    const bool text = PyUnicode_Check(v);
    char advice[200];
    if (aware)
        (void)snprintf(advice, sizeof advice, "; it is aware: %sdeclare the column 'timestamp[%s, UTC]'",
                       text ? "" : "write value.replace(tzinfo=None) to keep what its clock says, or ", units[c->unit]);
    else
        (void)snprintf(advice, sizeof advice, "; it is naive: %s, or declare the column 'timestamp[%s]'",
                       text ? "add its zone, as in +01:00 or Z" : "write value.replace(tzinfo=datetime.timezone.utc) if it is UTC", units[c->unit]);
    return convert_refuse_type(x, c, v, advice);
}

/* What all three types take beside their own. */
static conv_result other_held(conv *x, column *c, PyObject *v, const char *advice)
{
    if (convert_classify(v) == FOREIGN_NULL) return convert_null(x, c, v);
    return convert_refuse_type(x, c, v, advice);
}

/* -- timestamp ------------------------------------------------------------------------------------ */

/* Howard Hinnant's days_from_civil: years begin in March, so that a leap day is the last of its year. */
int64_t convert_days(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    const int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static inline int64_t days_of(PyObject *v)
{
    return convert_days(PyDateTime_GET_YEAR(v), PyDateTime_GET_MONTH(v), PyDateTime_GET_DAY(v));
}

/* The clock's microseconds since 1970, without its zone. */
static inline int64_t micros_of(PyObject *v)
{
    const int64_t seconds = PyDateTime_DATE_GET_HOUR(v) * 3600 + PyDateTime_DATE_GET_MINUTE(v) * 60 + PyDateTime_DATE_GET_SECOND(v);
    return (days_of(v) * 86400 + seconds) * MICROS + PyDateTime_DATE_GET_MICROSECOND(v);
}

/* Years 0 to 10000. */
static inline conv_result put_micros(conv *x, column *c, int64_t micros, PyObject *shown)
{
    int64_t nanos;
    switch (c->unit) {
    case CQ_UNIT_US: return put_result(cq_colbuf_put_i64(c->buf, micros, &x->err));
    case CQ_UNIT_MS:
        if (PY_UNLIKELY(micros % 1000 != 0)) return convert_refuse_loss(x, c, shown);
        return put_result(cq_colbuf_put_i64(c->buf, micros / 1000, &x->err));
    case CQ_UNIT_S:
        if (PY_UNLIKELY(micros % MICROS != 0)) return convert_refuse_loss(x, c, shown);
        return put_result(cq_colbuf_put_i64(c->buf, micros / 1000, &x->err));
    case CQ_UNIT_NS:
    case CQ_UNIT_NONE: break;
    }
    if (PY_LIKELY(cq_mul_i64(micros, 1000, &nanos))) return put_result(cq_colbuf_put_i64(c->buf, nanos, &x->err));
    return convert_refuse_range(x, c, shown, "the years 1677 to 2262");
}

static inline conv_result put_count(conv *x, column *c, int64_t i, PyObject *shown)
{
    if (PY_LIKELY(c->unit != CQ_UNIT_S || cq_mul_i64(i, 1000, &i))) return put_result(cq_colbuf_put_i64(c->buf, i, &x->err));
    return convert_refuse_range(x, c, shown, "-9223372036854775 to 9223372036854775 seconds");
}

static conv_result put_big_count(conv *x, column *c, PyObject *n, PyObject *shown)
{
    int overflow = 0;
    long long i = PyLong_AsLongLongAndOverflow(n, &overflow);
    if (!overflow) return put_count(x, c, i, shown);
    return convert_refuse_range(x, c, shown, "-9223372036854775808 to 9223372036854775807");
}

/* utcoffset() is asked for, which respects the fold; only a plain datetime without tzinfo cannot have one. */
static conv_result datetime_held(conv *x, column *c, PyObject *v)
{
    int64_t micros = micros_of(v);
    PyObject *offset = NULL;
    if (Py_IS_TYPE(v, (PyTypeObject *)x->st->datetime) && PyDateTime_DATE_GET_TZINFO(v) == Py_None)
        offset = Py_NewRef(Py_None);
    else
        offset = PyObject_CallMethodNoArgs(v, x->st->name_utcoffset);
    if (!offset) return CONV_RAISED;
    conv_result r = CONV_OK;
    const bool aware = offset != Py_None;
    if (aware && !is_a(offset, x->st->timedelta))
        r = convert_refuse_type(x, c, v, "; its utcoffset() gives no datetime.timedelta");
    else if (aware != c->utc)
        r = convert_refuse_zone(x, c, v, aware);
    else if (aware)
        micros -= (PyDateTime_DELTA_GET_DAYS(offset) * INT64_C(86400) + PyDateTime_DELTA_GET_SECONDS(offset)) * MICROS +
                  PyDateTime_DELTA_GET_MICROSECONDS(offset);
    Py_DECREF(offset);
    return r == CONV_OK ? put_micros(x, c, micros, v) : r;
}

static conv_result timestamp_other(conv *x, column *c, PyObject *v, foreign kind)
{
    if (kind == FOREIGN_FLOAT || PyFloat_Check(v))
        return convert_refuse_type(x, c, v, c->utc
            ? "; a float is no exact time: write datetime.datetime.fromtimestamp(value, datetime.timezone.utc)"
            : "; a float is no exact time: write datetime.datetime.fromtimestamp(value, datetime.timezone.utc).replace(tzinfo=None)");
    if (PyUnicode_Check(v)) return convert_refuse_type(x, c, v, "; write datetime.datetime.fromisoformat(value)");
    if (is_a(v, x->st->date)) return convert_refuse_type(x, c, v, "; combine it with a time of day, or declare the column 'date'");
    return convert_refuse_type(x, c, v, c->utc ? "; it takes an aware datetime.datetime, or an int in its unit"
                                              : "; it takes a naive datetime.datetime, or an int in its unit");
}

static conv_result timestamp_held(conv *x, column *c, PyObject *v)
{
    if (PyBool_Check(v)) return timestamp_other(x, c, v, FOREIGN_NONE);
    if (PyLong_Check(v)) return put_big_count(x, c, v, v);
    foreign kind = convert_classify(v);
    if (kind == FOREIGN_NULL) return convert_null(x, c, v);
    if (kind == FOREIGN_TIMESTAMP) return convert_put_pandas_instant(x, c, v);
    if (kind == FOREIGN_DATETIME) return convert_put_numpy_instant(x, c, v, v);
    if (is_a(v, x->st->datetime)) return datetime_held(x, c, v);
    PyObject *n = convert_foreign_int(x, v, kind);
    if (!n) return PyErr_Occurred() ? CONV_RAISED : timestamp_other(x, c, v, kind);
    conv_result r = put_big_count(x, c, n, v);
    Py_DECREF(n);
    return r;
}

__attribute__((noinline)) static conv_result timestamp_uncommon(conv *x, column *c, PyObject *v)
{
    if (v == Py_None) return convert_null(x, c, v);
    Py_INCREF(v);
    return convert_release(x, v, timestamp_held(x, c, v));
}

#define CONVERT_TIMESTAMP(NAME, ZONE)                                                              \
    static conv_result convert_timestamp_##NAME(conv *x, column *c, PyObject *v)                   \
    {                                                                                              \
        int64_t i;                                                                                 \
        if (PY_LIKELY(Py_IS_TYPE(v, (PyTypeObject *)x->st->datetime) && PyDateTime_DATE_GET_TZINFO(v) == (ZONE))) \
            return put_micros(x, c, micros_of(v), v);                                              \
        if (compat_small_int(v, &i)) return put_count(x, c, i, v);                                 \
        return timestamp_uncommon(x, c, v);                                                        \
    }

CONVERT_TIMESTAMP(utc, x->st->utc)
CONVERT_TIMESTAMP(local, Py_None)

/* -- date ----------------------------------------------------------------------------------------- */

static inline conv_result put_date(conv *x, column *c, PyObject *v)
{
    return put_result(cq_colbuf_put_i32(c->buf, cq_i32(days_of(v)), &x->err));
}

static conv_result date_held(conv *x, column *c, PyObject *v)
{
    foreign kind = convert_classify(v);
    if (kind == FOREIGN_DATETIME) return convert_put_numpy_instant(x, c, v, v);
    if (kind == FOREIGN_NULL) return convert_null(x, c, v);
    if (is_a(v, x->st->datetime)) return convert_refuse_type(x, c, v, "; write value.date() if its time of day is to go");
    if (is_a(v, x->st->date)) return put_date(x, c, v);
    return other_held(x, c, v, PyUnicode_Check(v) ? "; write datetime.date.fromisoformat(value)" : "; it takes datetime.date");
}

static conv_result convert_date(conv *x, column *c, PyObject *v)
{
    if (PY_LIKELY(Py_IS_TYPE(v, (PyTypeObject *)x->st->date))) return put_date(x, c, v);
    if (v == Py_None) return convert_null(x, c, v);
    Py_INCREF(v);
    return convert_release(x, v, date_held(x, c, v));
}

/* -- time ----------------------------------------------------------------------------------------- */

static inline conv_result put_time(conv *x, column *c, PyObject *v)
{
    const int64_t seconds = PyDateTime_TIME_GET_HOUR(v) * 3600 + PyDateTime_TIME_GET_MINUTE(v) * 60 + PyDateTime_TIME_GET_SECOND(v);
    const int64_t micros = seconds * MICROS + PyDateTime_TIME_GET_MICROSECOND(v);
    if (c->unit == CQ_UNIT_US) return put_result(cq_colbuf_put_i64(c->buf, micros, &x->err));
    if (c->unit == CQ_UNIT_NS) return put_result(cq_colbuf_put_i64(c->buf, micros * 1000, &x->err));
    if (micros % 1000 != 0) return convert_refuse_loss(x, c, v);
    return put_result(cq_colbuf_put_i32(c->buf, cq_i32(micros / 1000), &x->err));
}

static conv_result time_held(conv *x, column *c, PyObject *v)
{
    if (!is_a(v, x->st->time)) return other_held(x, c, v, PyUnicode_Check(v) ? "; write datetime.time.fromisoformat(value)" : "; it takes datetime.time");
    if (PyDateTime_TIME_GET_TZINFO(v) == Py_None) return put_time(x, c, v);
    return convert_refuse_type(x, c, v, "; it is aware, and a time of day has no zone: write value.replace(tzinfo=None)");
}

static conv_result convert_time(conv *x, column *c, PyObject *v)
{
    if (PY_LIKELY(Py_IS_TYPE(v, (PyTypeObject *)x->st->time) && PyDateTime_TIME_GET_TZINFO(v) == Py_None)) return put_time(x, c, v);
    if (v == Py_None) return convert_null(x, c, v);
    Py_INCREF(v);
    return convert_release(x, v, time_held(x, c, v));
}

conv_fn convert_time_for(cq_type type)
{
    const cq_type_info *info = cq_type_facts(type);
    if (info->logical == CQ_PQ_LOGICAL_TIMESTAMP) return info->utc ? convert_timestamp_utc : convert_timestamp_local;
    if (info->logical == CQ_PQ_LOGICAL_TIME) return convert_time;
    return info->logical == CQ_PQ_LOGICAL_DATE ? convert_date : NULL;
}
