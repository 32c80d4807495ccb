/* What the converters' files share; no other file includes it. A converter is bound by convert.c, reads
 * exact built-in types itself and everything else out of line.
 *
 * User code (an __index__, a buffer export, a repr) runs only out of line, and only while a strong reference to the
 * value is held, because it may change the row that the value came from. */
#ifndef CQ_PY_CONVERT_SHARED_H
#define CQ_PY_CONVERT_SHARED_H

#include "convert.h"

#include "py_errors.h"

#include <string.h>

static inline conv_result put_result(cq_status st) { return PY_LIKELY(st == CQ_OK) ? CONV_OK : CONV_CORE; }

/* Ends the time in which the value is held (its reference is taken). A value that failed stays held for the report. */
conv_result convert_release(conv *x, PyObject *v, conv_result r);

/* -- refusals --------------------------------------------------------------------------------- */

/* A class's own name, as Python's classes have it: C types carry their module in tp_name. */
static inline const char *convert_type_name(PyObject *v)
{
    const char *dot = strrchr(Py_TYPE(v)->tp_name, '.');
    return dot ? dot + 1 : Py_TYPE(v)->tp_name;
}

/* RowTypeError: "<value> (<type>) in a[n] <column type> column<advice>" */
conv_result convert_refuse_type(conv *x, const column *c, PyObject *v, const char *advice);
/* RowValueError of the same form. */
conv_result convert_refuse_value(conv *x, const column *c, PyObject *v, const char *advice);
/* RowOverflowError: "<value> does not fit <column type> (<range>)" */
conv_result convert_refuse_range(conv *x, const column *c, PyObject *v, const char *range);

/* -- scalars of other libraries, recognised without importing them ------------------------------ */

typedef enum foreign {
    FOREIGN_NONE,
    FOREIGN_NULL,       /* pandas.NA, pandas.NaT, a NaT of numpy */
    FOREIGN_INT, FOREIGN_FLOAT, FOREIGN_BOOL,
    FOREIGN_DATETIME,   /* numpy.datetime64 that is no NaT */
    FOREIGN_TIMESTAMP,  /* pandas.Timestamp and its subclasses */
    FOREIGN_OTHER       /* known, and nothing for a column: a duration, which has an __index__ */
} foreign;

foreign convert_classify(PyObject *v);

/* The count that a numpy.datetime64 or timedelta64 holds; false, without an exception, where that cannot be read. */
bool convert_numpy_count(PyObject *v, int64_t *out);

/* A new reference to the int that an integer of another library stands for; NULL without an
 * exception: it is none. */
PyObject *convert_foreign_int(conv *x, PyObject *v, foreign kind);

/* -- one value, for converters that turn it into another ---------------------------------------- */

/* An int (subclasses too) and a number into a column of integers or floats; refusals show `shown`. */
conv_result convert_put_int(conv *x, column *c, PyObject *n, PyObject *shown);
conv_result convert_put_double(conv *x, column *c, double d, PyObject *shown);
/* Any str, as UTF-8. */
conv_result convert_put_str(conv *x, column *c, PyObject *v);

/* -- points in time ----------------------------------------------------------------------------- */

/* The proleptic Gregorian day, counted from 1970-01-01. `year` within 2^53 of 0. */
int64_t convert_days(int64_t year, int64_t month, int64_t day);

__extension__ typedef __int128 convert_i128;

/* Puts `count` times `num` / `den` seconds since 1970 into a timestamp column, or refuses what does not fit or would lose
 * something. `den` is a power of 1000; `num` is 1 unless `den` is, and at most a week's seconds; `count` is at most
 * 2^96 in magnitude. */
conv_result convert_put_instant(conv *x, column *c, convert_i128 count, int64_t num, int64_t den, PyObject *shown);
/* A numpy.datetime64 into a timestamp or date column; a pandas.Timestamp into a timestamp column. Both held. */
conv_result convert_put_numpy_instant(conv *x, column *c, PyObject *v, PyObject *shown);
conv_result convert_put_pandas_instant(conv *x, column *c, PyObject *v);

conv_result convert_refuse_loss(conv *x, const column *c, PyObject *v);
/* A naive value in a UTC column, an aware one in a local column. */
conv_result convert_refuse_zone(conv *x, const column *c, PyObject *v, bool aware);

/* -- text, for strict=False: ASCII, without spaces around it ------------------------------------ */

/* The characters of an ASCII str; NULL: it is not ASCII. Borrowed from the str. */
static inline const char *convert_ascii(PyObject *v, size_t *n)
{
#if PY_VERSION_HEX < 0x030C0000
    if (PyUnicode_READY(v) < 0) {
        PyErr_Clear();
        return NULL;
    }
#endif
    if (!PyUnicode_IS_ASCII(v)) return NULL;
    *n = (size_t)PyUnicode_GET_LENGTH(v);
    return (const char *)PyUnicode_DATA(v);
}

/* Each puts the text as a value of the column, or gives a refusal that says what of it does not fit. CONV_NO_TEXT: it
 * is no text of that form. */
enum { CONV_NO_TEXT = CONV_RAISED + 1 };
int convert_date_text(conv *x, column *c, PyObject *v);      /* 2024-02-29 */
int convert_timestamp_text(conv *x, column *c, PyObject *v); /* 2024-02-29T12:30:15.5+01:00 */
int convert_decimal_text(conv *x, column *c, PyObject *v);
int convert_uuid_text(conv *x, column *c, PyObject *v);

/* -- the converters of each file; NULL: not a type of that file --------------------------------- */

conv_fn convert_number_for(cq_type type);
conv_fn convert_text_for(cq_type type);
conv_fn convert_bytes_for(cq_type type);
conv_fn convert_time_for(cq_type type);
conv_fn convert_lenient_for(cq_type type); /* NULL: strict=False adds nothing */

conv_result convert_json(conv *x, column *c, PyObject *v);
conv_result convert_decimal(conv *x, column *c, PyObject *v);
conv_result convert_uuid(conv *x, column *c, PyObject *v);

/* Sets *slot to module.name unless it is there. */
int convert_need(PyObject **slot, const char *module, const char *name);
/* The types of the C module datetime, whose layout is known. */
int convert_need_datetime(core_state *st);
/* Makes the encoder of a json column. */
int convert_bind_json(core_state *st, column *c);

#endif
