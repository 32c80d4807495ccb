/* strict=False: what is taken beyond the strict table. Each converter looks for its own forms first, all of which the
 * strict one refuses, and asks that one for everything else; a text that cannot be read is told what can. Nothing is
 * guessed: texts are ASCII without spaces around them, a text without a zone is naive, and what would lose something is
 * refused.
 *
 *   int columns      "-12", "+5"; a float without a fraction
 *   float columns    "1.5", "-2e3", "inf", "nan"
 *   bool             0 and 1; "true", "false", "1", "0", in any case
 *   date, timestamp  "2024-02-29"; "2024-02-29T12:30[:15[.5]][Z or +01:00]", a space for the T
 *   decimal, uuid    "1.25", "1E+3"; with hyphens or 32 hexadecimal digits
 *   string           os.PathLike, uuid.UUID, a member of an Enum whose value is a str
 *   optional columns but string and enum: "" is null */
#include "convert_shared.h"

#include <math.h>

static inline bool is_empty_text(PyObject *v) { return PyUnicode_Check(v) && PyUnicode_GET_LENGTH(v) == 0; }

/* What a text has to be. NULL: the type is not read from text, so the strict converter's advice is right. */
static const char *text_advice(const column *c)
{
    const cq_type_info *info = cq_type_facts(c->type);
    if (info->bits > 0) return "; strict=False reads texts such as \"-12\"";
    if (info->is_float) return "; strict=False reads texts such as \"-1.5\", \"2e3\", \"nan\"";
    if (c->type == CQ_BOOL) return "; strict=False reads \"true\", \"false\", \"1\", \"0\"";
    if (info->logical == CQ_PQ_LOGICAL_DATE) return "; strict=False reads texts such as \"2024-02-29\"";
    if (info->logical == CQ_PQ_LOGICAL_DECIMAL) return "; strict=False reads texts such as \"-1.25\"";
    if (info->logical == CQ_PQ_LOGICAL_UUID) return "; strict=False reads 32 hexadecimal digits, with hyphens or without";
    if (info->logical != CQ_PQ_LOGICAL_TIMESTAMP) return NULL;
    return c->utc ? "; strict=False reads texts such as \"2024-02-29T12:30:15Z\"" : "; strict=False reads texts such as \"2024-02-29T12:30:15\"";
}

/* A text that cannot be read is told what can; the strict converter tells the rest, and holds the value again where it has to. */
static conv_result ask_strict(conv *x, column *c, PyObject *v, int r)
{
    if (r != CONV_NO_TEXT) return (conv_result)r;
    const char *advice = PyUnicode_Check(v) ? text_advice(c) : NULL;
    if (!advice) return c->strict(x, c, v);
    if (is_empty_text(v)) advice = "; an empty text is null where the column is optional, declared with \"?\"";
    return convert_refuse_type(x, c, v, advice);
}

/* -- numbers ------------------------------------------------------------------------------------ */

enum { MOST_DIGITS = 400 }; /* of an int; more would only be told as too large after long work */

static bool is_int_text(const char *p, size_t n)
{
    const size_t sign = n > 0 && (p[0] == '-' || p[0] == '+');
    if (n == sign || n - sign > MOST_DIGITS) return false;
    for (size_t i = sign; i < n; i++)
        if (p[i] < '0' || p[i] > '9') return false;
    return true;
}

static int int_text(conv *x, column *c, PyObject *v)
{
    size_t n = 0;
    const char *p = convert_ascii(v, &n);
    if (!p || !is_int_text(p, n)) return CONV_NO_TEXT;
    PyObject *number = PyLong_FromUnicodeObject(v, 10);
    if (!number) return CONV_RAISED;
    conv_result r = convert_put_int(x, c, number, v);
    Py_DECREF(number);
    return r;
}

static int put_integral(conv *x, column *c, double d, PyObject *shown)
{
    if (!isfinite(d) || floor(d) != d) return CONV_NO_TEXT;
    PyObject *number = PyLong_FromDouble(d);
    if (!number) return CONV_RAISED;
    conv_result r = convert_put_int(x, c, number, shown);
    Py_DECREF(number);
    return r;
}

static int float_of_numpy(conv *x, column *c, PyObject *v)
{
    if (convert_classify(v) != FOREIGN_FLOAT) return CONV_NO_TEXT;
    double d = PyFloat_AsDouble(v);
    if (d == -1.0 && PyErr_Occurred()) return CONV_RAISED;
    return put_integral(x, c, d, v);
}

static conv_result lenient_int(conv *x, column *c, PyObject *v)
{
    if (PyLong_CheckExact(v)) return c->strict(x, c, v);
    Py_INCREF(v);
    int r = CONV_NO_TEXT;
    if (is_empty_text(v) && c->optional)
        r = convert_null(x, c, v);
    else if (PyUnicode_Check(v))
        r = int_text(x, c, v);
    else if (PyFloat_Check(v))
        r = put_integral(x, c, PyFloat_AS_DOUBLE(v), v);
    else
        r = float_of_numpy(x, c, v);
    return convert_release(x, v, ask_strict(x, c, v, r));
}

/* Digits, point and exponent, or a name of infinity or NaN: what Python's float reads, without its spaces and "_". */
static int float_text(conv *x, column *c, PyObject *v)
{
    size_t n = 0;
    const char *p = convert_ascii(v, &n);
    if (!p || n == 0 || n > MOST_DIGITS || memchr(p, '\0', n)) return CONV_NO_TEXT;
    char *end = NULL;
    double d = PyOS_string_to_double(p, &end, NULL);
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) return CONV_RAISED;
        PyErr_Clear();
        return CONV_NO_TEXT;
    }
    if (end != p + n) return CONV_NO_TEXT;
    if (isinf(d) && memchr("iI", p[p[0] == '-' || p[0] == '+'], 2) == NULL) return convert_refuse_range(x, c, v, "at most 1.7976931348623157e+308 in magnitude");
    return convert_put_double(x, c, d, v);
}

static conv_result lenient_float(conv *x, column *c, PyObject *v)
{
    if (PyFloat_CheckExact(v) || !PyUnicode_Check(v)) return c->strict(x, c, v);
    Py_INCREF(v);
    int r = is_empty_text(v) && c->optional ? (int)convert_null(x, c, v) : float_text(x, c, v); /* lint: an enum's value */
    return convert_release(x, v, ask_strict(x, c, v, r));
}

/* 0, 1, or -1: neither. */
static int truth_of_text(PyObject *v)
{
    static const char *const words[] = {"0", "1", "false", "true"};
    size_t n = 0;
    const char *p = convert_ascii(v, &n);
    if (!p) return -1;
    for (int i = 0; i < 4; i++) {
        if (strlen(words[i]) == n && PyOS_strnicmp(p, words[i], (Py_ssize_t)n) == 0) return i % 2;
    }
    return -1;
}

static int truth_of_int(conv *x, PyObject *v)
{
    int overflow = 0;
    PyObject *n = PyLong_Check(v) ? Py_NewRef(v) : convert_foreign_int(x, v, convert_classify(v));
    if (!n) return -1;
    long i = PyLong_AsLongAndOverflow(n, &overflow);
    Py_DECREF(n);
    return !overflow && (i == 0 || i == 1) ? i == 1 : -1;
}

static conv_result lenient_bool(conv *x, column *c, PyObject *v)
{
    if (v == Py_True || v == Py_False || v == Py_None) return c->strict(x, c, v);
    Py_INCREF(v);
    conv_result r = CONV_RAISED;
    if (is_empty_text(v) && c->optional) {
        r = convert_null(x, c, v);
    } else {
        int truth = PyUnicode_Check(v) ? truth_of_text(v) : truth_of_int(x, v);
        if (truth >= 0)
            r = put_result(cq_colbuf_put_bool(c->buf, truth > 0, &x->err));
        else if (!PyErr_Occurred())
            r = ask_strict(x, c, v, CONV_NO_TEXT);
    }
    return convert_release(x, v, r);
}

/* -- texts of other types ------------------------------------------------------------------------- */

static conv_result from_text(conv *x, column *c, PyObject *v, int (*read)(conv *, column *, PyObject *))
{
    if (!PyUnicode_Check(v)) return c->strict(x, c, v);
    Py_INCREF(v);
    int r = is_empty_text(v) && c->optional ? (int)convert_null(x, c, v) : read(x, c, v); /* lint: an enum's value */
    return convert_release(x, v, ask_strict(x, c, v, r));
}

static conv_result lenient_date(conv *x, column *c, PyObject *v) { return from_text(x, c, v, convert_date_text); }
static conv_result lenient_timestamp(conv *x, column *c, PyObject *v) { return from_text(x, c, v, convert_timestamp_text); }
static conv_result lenient_decimal(conv *x, column *c, PyObject *v) { return from_text(x, c, v, convert_decimal_text); }
static conv_result lenient_uuid(conv *x, column *c, PyObject *v) { return from_text(x, c, v, convert_uuid_text); }

static int no_text(conv *x, column *c, PyObject *v)
{
    (void)x, (void)c, (void)v;
    return CONV_NO_TEXT;
}

/* Times and bytes are not read from text, and that of json is taken as it is; "" is null. */
static conv_result lenient_empty(conv *x, column *c, PyObject *v) { return from_text(x, c, v, no_text); }

/* -- text of other types -------------------------------------------------------------------------- */

static bool is_a(PyObject *v, PyObject *type) { return PyType_IsSubtype(Py_TYPE(v), (PyTypeObject *)type); }

/* NULL without an exception: it stands for no text. */
static PyObject *text_of(conv *x, PyObject *v)
{
    if (is_a(v, x->st->UUID)) return PyObject_Str(v);
    if (is_a(v, x->st->Enum)) return py_attribute(v, "value");
    int is_path = PyObject_IsInstance(v, x->st->PathLike);
    return is_path > 0 ? PyOS_FSPath(v) : NULL;
}

static conv_result lenient_string(conv *x, column *c, PyObject *v)
{
    if (PyUnicode_Check(v) || v == Py_None || PyBytes_Check(v) || PyLong_CheckExact(v) || PyFloat_CheckExact(v)) return c->strict(x, c, v);
    Py_INCREF(v);
    PyObject *text = text_of(x, v);
    conv_result r = CONV_RAISED;
    if (text && PyUnicode_Check(text))
        r = convert_put_str(x, c, text);
    else if (!PyErr_Occurred())
        r = c->strict(x, c, v);
    Py_XDECREF(text);
    return convert_release(x, v, r);
}

conv_fn convert_lenient_for(cq_type type)
{
    const cq_type_info *info = cq_type_facts(type);
    if (info->bits > 0) return lenient_int;
    if (info->is_float) return lenient_float;
    if (type == CQ_BOOL) return lenient_bool;
    switch (info->logical) {
    case CQ_PQ_LOGICAL_STRING: return lenient_string;
    case CQ_PQ_LOGICAL_DATE: return lenient_date;
    case CQ_PQ_LOGICAL_TIMESTAMP: return lenient_timestamp;
    case CQ_PQ_LOGICAL_DECIMAL: return lenient_decimal;
    case CQ_PQ_LOGICAL_UUID: return lenient_uuid;
    case CQ_PQ_LOGICAL_ENUM: return NULL; /* a text column: "" is a value */
    case CQ_PQ_LOGICAL_JSON: /* "" is no JSON */
    case CQ_PQ_LOGICAL_NONE:
    case CQ_PQ_LOGICAL_TIME:
    case CQ_PQ_LOGICAL_INTEGER:
    case CQ_PQ_LOGICAL_BSON:
    case CQ_PQ_LOGICAL_FLOAT16: break;
    }
    return lenient_empty;
}
