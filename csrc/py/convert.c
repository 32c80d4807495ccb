/* The converters: exact built-in types in a few instructions, everything else out of line. This
 * file (with compat.h) alone looks into the layout of Python objects.
 *
 * User code (an __index__, a buffer export, a repr) runs only out of line, and only while a strong
 * reference to the value is held, because it may change the row that the value came from. */
#include "convert.h"

#include "py_errors.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

int convert_add(PyObject *module, core_state *st)
{
    (void)module;
    PyObject *numbers = PyImport_ImportModule("numbers");
    if (!numbers) return -1;
    st->Integral = PyObject_GetAttrString(numbers, "Integral");
    Py_DECREF(numbers);
    if (!st->Integral) return -1;
    PyObject *reprlib = PyImport_ImportModule("reprlib");
    if (!reprlib) return -1;
    st->repr = PyObject_GetAttrString(reprlib, "repr");
    Py_DECREF(reprlib);
    return st->repr ? 0 : -1;
}

conv_result convert_refuse(conv *x, PyObject *type, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    PyObject *text = PyUnicode_FromFormatV(format, ap);
    va_end(ap);
    if (!text) return CONV_RAISED;
    Py_XSETREF(x->refused_text, text);
    x->refused_type = type;
    return CONV_REFUSED;
}

static const char *type_name(const column *c) { return cq_type_facts(c->type)->name; }

/* "<value> (<type>) in a[n] <column type> column<advice>" */
static conv_result refuse_type(conv *x, const column *c, PyObject *v, const char *advice)
{
    PyObject *text = py_value_text(x->st, v);
    if (!text) return CONV_RAISED;
    const char *name = type_name(c);
    const char *article = strchr("aeiu", name[0]) && strncmp(name, "uint", 4) != 0 ? "an" : "a";
    conv_result r = convert_refuse(x, x->st->RowTypeError, "%U (%.100s) in %s %s column%s", text,
                                   Py_TYPE(v)->tp_name, article, name, advice);
    Py_DECREF(text);
    return r;
}

static conv_result refuse_range(conv *x, const column *c, PyObject *v, const char *range)
{
    PyObject *text = py_value_text(x->st, v);
    if (!text) return CONV_RAISED;
    conv_result r = convert_refuse(x, x->st->RowOverflowError, "%U does not fit %s (%s)", text, type_name(c), range);
    Py_DECREF(text);
    return r;
}

static inline conv_result put_result(cq_status st) { return PY_LIKELY(st == CQ_OK) ? CONV_OK : CONV_CORE; }

conv_result convert_null(conv *x, column *c, PyObject *v)
{
    if (c->optional) return put_result(cq_colbuf_put_null(c->buf, &x->err));
    PyObject *text = py_value_text(x->st, v);
    if (!text) return CONV_RAISED;
    conv_result r = convert_refuse(x, x->st->RowValueError, "%U in a required column; declare it '%s?' to allow nulls", text,
                                   type_name(c));
    Py_DECREF(text);
    return r;
}

/* Ends the time in which the value is held. A value that failed stays held for the report. */
static conv_result release(conv *x, PyObject *v, conv_result r)
{
    if (r == CONV_OK)
        Py_DECREF(v);
    else
        Py_XSETREF(x->held, v);
    return r;
}

/* -- foreign scalars, recognised without importing their packages ------------------------------ */

typedef enum foreign { FOREIGN_NONE, FOREIGN_NULL, FOREIGN_INT, FOREIGN_FLOAT, FOREIGN_BOOL } foreign;

static foreign numpy_kind(const char *name)
{
    static const char *const ints[] = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
                                       "longlong", "ulonglong", "intc", "uintc", "intp", "uintp", "long", "ulong",
                                       "byte", "ubyte", "short", "ushort"};
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++)
        if (strcmp(name, ints[i]) == 0) return FOREIGN_INT;
    if (strcmp(name, "float32") == 0 || strcmp(name, "float64") == 0 || strcmp(name, "float16") == 0) return FOREIGN_FLOAT;
    if (strcmp(name, "bool") == 0 || strcmp(name, "bool_") == 0) return FOREIGN_BOOL;
    return FOREIGN_NONE;
}

static bool module_is_pandas(PyTypeObject *tp)
{
    PyObject *module = py_attribute((PyObject *)tp, "__module__");
    bool yes = false;
    if (module && PyUnicode_Check(module)) {
        PyObject *head = PyUnicode_Substring(module, 0, 7);
        yes = head && PyUnicode_CompareWithASCIIString(head, "pandas.") == 0;
        Py_XDECREF(head);
    }
    Py_XDECREF(module);
    PyErr_Clear();
    return yes;
}

/* C types carry their module in tp_name, classes made by Python code do not. */
static foreign classify(PyObject *v)
{
    PyTypeObject *tp = Py_TYPE(v);
    const char *name = tp->tp_name;
    if (strncmp(name, "numpy.", 6) == 0) return numpy_kind(name + 6);
    const char *dot = strrchr(name, '.');
    const char *last = dot ? dot + 1 : name;
    if (strcmp(last, "NAType") == 0 || strcmp(last, "NaTType") == 0)
        return strncmp(name, "pandas.", 7) == 0 || module_is_pandas(tp) ? FOREIGN_NULL : FOREIGN_NONE;
    return FOREIGN_NONE;
}

/* -- integers ---------------------------------------------------------------------------------- */

static const char *int_range(cq_type t)
{
    switch (t) {
    case CQ_INT8: return "-128 to 127";
    case CQ_INT16: return "-32768 to 32767";
    case CQ_INT32: return "-2147483648 to 2147483647";
    case CQ_INT64: return "-9223372036854775808 to 9223372036854775807";
    case CQ_UINT8: return "0 to 255";
    case CQ_UINT16: return "0 to 65535";
    case CQ_UINT32: return "0 to 4294967295";
    case CQ_UINT64: return "0 to 18446744073709551615";
    default: return "";
    }
}

/* The bits of an int (subclasses too) as the column stores them; false where it does not fit. */
static bool int_bits(cq_type t, PyObject *n, uint64_t *out)
{
    const cq_type_info *info = cq_type_facts(t);
    int overflow = 0;
    long long i = PyLong_AsLongLongAndOverflow(n, &overflow);
    if (overflow) {
        if (overflow < 0 || t != CQ_UINT64) return false;
        unsigned long long u = PyLong_AsUnsignedLongLong(n);
        if (u == ULLONG_MAX && PyErr_Occurred()) {
            PyErr_Clear(); /* beyond 64 bits: nothing else can go wrong with an int */
            return false;
        }
        *out = u;
        return true;
    }
    memcpy(out, &i, 8);
    if (info->bits == 64) return info->is_signed || i >= 0;
    if (info->is_signed) return i >= -(INT64_C(1) << (info->bits - 1)) && i < INT64_C(1) << (info->bits - 1);
    return i >= 0 && i < INT64_C(1) << info->bits;
}

static conv_result put_int(conv *x, column *c, PyObject *n, PyObject *shown)
{
    uint64_t bits = 0;
    if (!int_bits(c->type, n, &bits)) return refuse_range(x, c, shown, int_range(c->type));
    if (cq_type_facts(c->type)->width == 8) return put_result(cq_colbuf_put_u64(c->buf, bits, &x->err));
    return put_result(cq_colbuf_put_u32(c->buf, cq_low32(bits), &x->err));
}

/* A new reference to the int that an integer of another library stands for; NULL without an
 * exception: it is none. */
static PyObject *foreign_int(conv *x, PyObject *v, foreign kind)
{
    if (kind == FOREIGN_INT) return PyNumber_Index(v);
    if (kind != FOREIGN_NONE || !PyIndex_Check(v)) return NULL;
    int is = PyObject_IsInstance(v, x->st->Integral);
    return is > 0 ? PyNumber_Index(v) : NULL;
}

static conv_result int_held(conv *x, column *c, PyObject *v)
{
    if (PyBool_Check(v)) return refuse_type(x, c, v, "; write int(value) if 0 and 1 are meant");
    if (PyLong_Check(v)) return put_int(x, c, v, v);
    foreign kind = classify(v);
    if (kind == FOREIGN_NULL) return convert_null(x, c, v);
    PyObject *n = foreign_int(x, v, kind);
    if (n) {
        conv_result r = put_int(x, c, n, v);
        Py_DECREF(n);
        return r;
    }
    if (PyErr_Occurred()) return CONV_RAISED;
    if (PyFloat_Check(v) || kind == FOREIGN_FLOAT) return refuse_type(x, c, v, "; a float is never cut to an int");
    if (PyUnicode_Check(v)) return refuse_type(x, c, v, "; text is never read as a number");
    return refuse_type(x, c, v, "");
}

__attribute__((noinline)) static conv_result int_uncommon(conv *x, column *c, PyObject *v)
{
    if (v == Py_None) return convert_null(x, c, v);
    Py_INCREF(v);
    return release(x, v, int_held(x, c, v));
}

#define CONVERT_INT(NAME, LOW, HIGH, PUT, WIDE)                                                    \
    static conv_result convert_##NAME(conv *x, column *c, PyObject *v)                             \
    {                                                                                              \
        int64_t i;                                                                                 \
        if (PY_LIKELY(compat_small_int(v, &i) && i >= (LOW) && i <= (HIGH)))                       \
            return put_result(PUT(c->buf, WIDE(i), &x->err));                                      \
        return int_uncommon(x, c, v);                                                              \
    }

static inline uint32_t bits32(int64_t i) { return cq_low32((uint64_t)i); }
static inline uint64_t bits64(int64_t i) { return (uint64_t)i; }

CONVERT_INT(int8, INT8_MIN, INT8_MAX, cq_colbuf_put_u32, bits32)
CONVERT_INT(int16, INT16_MIN, INT16_MAX, cq_colbuf_put_u32, bits32)
CONVERT_INT(int32, INT32_MIN, INT32_MAX, cq_colbuf_put_u32, bits32)
CONVERT_INT(int64, INT64_MIN, INT64_MAX, cq_colbuf_put_u64, bits64)
CONVERT_INT(uint8, 0, UINT8_MAX, cq_colbuf_put_u32, bits32)
CONVERT_INT(uint16, 0, UINT16_MAX, cq_colbuf_put_u32, bits32)
CONVERT_INT(uint32, 0, UINT32_MAX, cq_colbuf_put_u32, bits32)
CONVERT_INT(uint64, 0, INT64_MAX, cq_colbuf_put_u64, bits64)

/* -- floats ------------------------------------------------------------------------------------ */

static conv_result put_double(conv *x, column *c, double d, PyObject *shown)
{
    if (c->type == CQ_FLOAT64) return put_result(cq_colbuf_put_f64(c->buf, d, &x->err));
    float f = (float)d;
    if (isinf(f) && !isinf(d)) return refuse_range(x, c, shown, "at most 3.4028235e+38 in magnitude");
    return put_result(cq_colbuf_put_f32(c->buf, f, &x->err));
}

/* An int only if a float64 holds it exactly; float32 then rounds as it rounds a float. */
static conv_result put_int_as_double(conv *x, column *c, PyObject *n, PyObject *shown)
{
    double d = PyLong_AsDouble(n);
    if (PyErr_Occurred()) {
        PyErr_Clear(); /* too large: nothing else can go wrong with an int */
        return refuse_range(x, c, shown, "at most 1.7976931348623157e+308 in magnitude");
    }
    PyObject *back = PyLong_FromDouble(d);
    if (!back) return CONV_RAISED;
    /* int's own comparison: a subclass may define another equality. */
    PyObject *same = PyLong_Type.tp_richcompare(n, back, Py_EQ);
    Py_DECREF(back);
    if (!same) return CONV_RAISED;
    bool exact = same == Py_True;
    Py_DECREF(same);
    if (exact) return put_double(x, c, d, shown);
    PyObject *text = py_value_text(x->st, shown);
    if (!text) return CONV_RAISED;
    conv_result r = convert_refuse(x, x->st->RowValueError, "%U is not exact as a float; write float(value) if rounding is meant",
                                   text);
    Py_DECREF(text);
    return r;
}

static conv_result put_number_as_double(conv *x, column *c, PyObject *v)
{
    PyObject *number = PyNumber_Float(v);
    if (!number) return CONV_RAISED;
    conv_result r = put_double(x, c, PyFloat_AS_DOUBLE(number), v);
    Py_DECREF(number);
    return r;
}

static conv_result float_held(conv *x, column *c, PyObject *v)
{
    if (PyFloat_Check(v)) return put_double(x, c, PyFloat_AS_DOUBLE(v), v);
    if (PyBool_Check(v)) return refuse_type(x, c, v, "; write float(value) if 0 and 1 are meant");
    if (PyLong_Check(v)) return put_int_as_double(x, c, v, v);
    foreign kind = classify(v);
    if (kind == FOREIGN_NULL) return convert_null(x, c, v);
    if (kind == FOREIGN_FLOAT) return put_number_as_double(x, c, v);
    PyObject *n = foreign_int(x, v, kind);
    if (n) {
        conv_result r = put_int_as_double(x, c, n, v);
        Py_DECREF(n);
        return r;
    }
    if (PyErr_Occurred()) return CONV_RAISED;
    if (PyUnicode_Check(v)) return refuse_type(x, c, v, "; text is never read as a number");
    return refuse_type(x, c, v, "");
}

__attribute__((noinline)) static conv_result float_uncommon(conv *x, column *c, PyObject *v)
{
    if (v == Py_None) return convert_null(x, c, v);
    int64_t i;
    const int64_t exact = INT64_C(1) << 53;
    if (compat_small_int(v, &i) && i >= -exact && i <= exact) return put_double(x, c, (double)i, v);
    Py_INCREF(v);
    return release(x, v, float_held(x, c, v));
}

static conv_result convert_float64(conv *x, column *c, PyObject *v)
{
    if (PY_LIKELY(PyFloat_CheckExact(v))) return put_result(cq_colbuf_put_f64(c->buf, PyFloat_AS_DOUBLE(v), &x->err));
    return float_uncommon(x, c, v);
}

static conv_result convert_float32(conv *x, column *c, PyObject *v)
{
    if (PY_LIKELY(PyFloat_CheckExact(v))) {
        double d = PyFloat_AS_DOUBLE(v);
        float f = (float)d;
        if (PY_LIKELY(!isinf(f) || isinf(d))) return put_result(cq_colbuf_put_f32(c->buf, f, &x->err));
    }
    return float_uncommon(x, c, v);
}

/* -- bool -------------------------------------------------------------------------------------- */

__attribute__((noinline)) static conv_result bool_uncommon(conv *x, column *c, PyObject *v)
{
    if (v == Py_None) return convert_null(x, c, v);
    Py_INCREF(v);
    conv_result r = CONV_RAISED;
    foreign kind = classify(v);
    if (kind == FOREIGN_NULL) {
        r = convert_null(x, c, v);
    } else if (kind == FOREIGN_BOOL) {
        int truth = PyObject_IsTrue(v);
        if (truth >= 0) r = put_result(cq_colbuf_put_bool(c->buf, truth > 0, &x->err));
    } else {
        r = refuse_type(x, c, v, PyLong_Check(v) ? "; write bool(value) if a truth value is meant" : "");
    }
    return release(x, v, r);
}

static conv_result convert_bool(conv *x, column *c, PyObject *v)
{
    if (PY_LIKELY(v == Py_True || v == Py_False)) return put_result(cq_colbuf_put_bool(c->buf, v == Py_True, &x->err));
    return bool_uncommon(x, c, v);
}

/* -- strings ----------------------------------------------------------------------------------- */

enum { IDENT_MAX_BYTES = 256 };

static inline ident *ident_of(const column *c, PyObject *v)
{
    uintptr_t at = (uintptr_t)v >> 4;
    return &c->idents[(at ^ at >> 7) & c->idents_mask];
}

static inline void remember(column *c, ident *slot, PyObject *v)
{
    uint32_t id = cq_colbuf_last_id(c->buf);
    if (id == CQ_NO_ID) return;
    slot->id = id;
    slot->epoch = cq_colbuf_epoch(c->buf);
    if (slot->object != v) Py_XSETREF(slot->object, Py_NewRef(v));
}

void convert_row_aborted(column *c)
{
    if (!c->idents) return;
    for (size_t i = 0; i <= c->idents_mask; i++)
        if (c->idents[i].id >= c->buf->dict.n_entries) Py_CLEAR(c->idents[i].object);
}

/* The UTF-8 size of a string; -1: it has a lone surrogate at *where. */
static Py_ssize_t utf8_size(PyObject *v, Py_ssize_t *where)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(v), size = n;
    const void *data = PyUnicode_DATA(v);
    switch (PyUnicode_KIND(v)) {
    case PyUnicode_1BYTE_KIND:
        for (Py_ssize_t i = 0; i < n; i++) size += ((const Py_UCS1 *)data)[i] >> 7;
        return size;
    case PyUnicode_2BYTE_KIND:
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_UCS2 u = ((const Py_UCS2 *)data)[i];
            size += (u >= 0x80) + (u >= 0x800);
            if (u >= 0xD800 && u <= 0xDFFF) return *where = i, -1;
        }
        return size;
    default:
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_UCS4 u = ((const Py_UCS4 *)data)[i];
            size += (u >= 0x80) + (u >= 0x800) + (u >= 0x10000);
            if (u >= 0xD800 && u <= 0xDFFF) return *where = i, -1;
        }
        return size;
    }
}

static inline uint8_t *put_char(uint8_t *to, Py_UCS4 u)
{
    if (u < 0x80) {
        *to++ = cq_u8(u);
    } else if (u < 0x800) {
        *to++ = cq_u8(0xC0 | u >> 6);
        *to++ = cq_u8(0x80 | (u & 0x3F));
    } else if (u < 0x10000) {
        *to++ = cq_u8(0xE0 | u >> 12);
        *to++ = cq_u8(0x80 | (u >> 6 & 0x3F));
        *to++ = cq_u8(0x80 | (u & 0x3F));
    } else {
        *to++ = cq_u8(0xF0 | u >> 18);
        *to++ = cq_u8(0x80 | (u >> 12 & 0x3F));
        *to++ = cq_u8(0x80 | (u >> 6 & 0x3F));
        *to++ = cq_u8(0x80 | (u & 0x3F));
    }
    return to;
}

static void encode_utf8(PyObject *v, uint8_t *to)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(v);
    const void *data = PyUnicode_DATA(v);
    switch (PyUnicode_KIND(v)) {
    case PyUnicode_1BYTE_KIND:
        for (Py_ssize_t i = 0; i < n; i++) to = put_char(to, ((const Py_UCS1 *)data)[i]);
        return;
    case PyUnicode_2BYTE_KIND:
        for (Py_ssize_t i = 0; i < n; i++) to = put_char(to, ((const Py_UCS2 *)data)[i]);
        return;
    default:
        for (Py_ssize_t i = 0; i < n; i++) to = put_char(to, ((const Py_UCS4 *)data)[i]);
        return;
    }
}

static conv_result refuse_surrogate(conv *x, PyObject *v, Py_ssize_t where)
{
    PyObject *text = py_value_text(x->st, v);
    if (!text) return CONV_RAISED;
    conv_result r = convert_refuse(x, x->st->RowValueError, "%U has a lone surrogate at index %zd, which no UTF-8 can hold", text, where);
    Py_DECREF(text);
    return r;
}

/* Any str. Straight into the page: CPython's own UTF-8 form would stay with the caller's object. */
static conv_result put_str(conv *x, column *c, PyObject *v)
{
#if PY_VERSION_HEX < 0x030C0000
    if (PyUnicode_READY(v) < 0) return CONV_RAISED;
#endif
    if (PyUnicode_IS_ASCII(v))
        return put_result(cq_colbuf_put_bytes(c->buf, PyUnicode_DATA(v), (size_t)PyUnicode_GET_LENGTH(v), &x->err));
    Py_ssize_t where = 0, n = utf8_size(v, &where);
    if (n < 0) return refuse_surrogate(x, v, where);
    uint8_t *to = NULL;
    cq_status st = cq_colbuf_reserve_bytes(c->buf, (size_t)n, &to, &x->err);
    if (st != CQ_OK) return CONV_CORE;
    encode_utf8(v, to);
    return put_result(cq_colbuf_commit_bytes(c->buf, (size_t)n, &x->err));
}

__attribute__((noinline)) static conv_result string_uncommon(conv *x, column *c, PyObject *v)
{
    if (v == Py_None) return convert_null(x, c, v);
    if (PyUnicode_Check(v)) return put_str(x, c, v);
    Py_INCREF(v);
    conv_result r;
    if (classify(v) == FOREIGN_NULL)
        r = convert_null(x, c, v);
    else if (PyBytes_Check(v) || PyByteArray_Check(v) || PyMemoryView_Check(v))
        r = refuse_type(x, c, v, "; decode it, or declare the column 'binary'");
    else
        r = refuse_type(x, c, v, "; write str(value) if its text is meant");
    return release(x, v, r);
}

static conv_result convert_string(conv *x, column *c, PyObject *v)
{
    if (PY_UNLIKELY(!PyUnicode_CheckExact(v))) return string_uncommon(x, c, v);
    if (!c->idents) return put_str(x, c, v);
    ident *slot = ident_of(c, v);
    if (slot->object == v && slot->epoch == cq_colbuf_epoch(c->buf))
        return put_result(cq_colbuf_put_id(c->buf, slot->id, &x->err));
    conv_result r = PyUnicode_IS_COMPACT_ASCII(v)
        ? put_result(cq_colbuf_put_bytes(c->buf, PyUnicode_DATA(v), (size_t)PyUnicode_GET_LENGTH(v), &x->err))
        : put_str(x, c, v);
    if (r == CONV_OK && PyUnicode_GET_LENGTH(v) * PyUnicode_KIND(v) <= IDENT_MAX_BYTES) remember(c, slot, v);
    return r;
}

/* -- binary ------------------------------------------------------------------------------------ */

/* bytearray and memoryview of any layout: the bytes in C order. */
static conv_result put_buffer(conv *x, column *c, PyObject *v)
{
    Py_buffer view;
    if (PyObject_GetBuffer(v, &view, PyBUF_FULL_RO) < 0) return CONV_RAISED;
    conv_result r = CONV_CORE;
    uint8_t *to = NULL;
    if (cq_colbuf_reserve_bytes(c->buf, (size_t)view.len, &to, &x->err) == CQ_OK) {
        if (view.len > 0 && PyBuffer_ToContiguous(to, &view, view.len, 'C') < 0)
            r = CONV_RAISED;
        else
            r = put_result(cq_colbuf_commit_bytes(c->buf, (size_t)view.len, &x->err));
    }
    PyBuffer_Release(&view);
    return r;
}

__attribute__((noinline)) static conv_result binary_uncommon(conv *x, column *c, PyObject *v)
{
    if (v == Py_None) return convert_null(x, c, v);
    if (PyBytes_Check(v))
        return put_result(cq_colbuf_put_bytes(c->buf, PyBytes_AS_STRING(v), (size_t)PyBytes_GET_SIZE(v), &x->err));
    Py_INCREF(v);
    conv_result r;
    if (PyByteArray_Check(v) || PyMemoryView_Check(v))
        r = put_buffer(x, c, v);
    else if (classify(v) == FOREIGN_NULL)
        r = convert_null(x, c, v);
    else if (PyUnicode_Check(v))
        r = refuse_type(x, c, v, "; encode it, or declare the column 'string'");
    else
        r = refuse_type(x, c, v, "; write bytes(value) if its bytes are meant");
    return release(x, v, r);
}

static conv_result convert_binary(conv *x, column *c, PyObject *v)
{
    if (PY_LIKELY(PyBytes_CheckExact(v)))
        return put_result(cq_colbuf_put_bytes(c->buf, PyBytes_AS_STRING(v), (size_t)PyBytes_GET_SIZE(v), &x->err));
    return binary_uncommon(x, c, v);
}

bool convert_same_text(PyObject *a, PyObject *b)
{
    if (!PyUnicode_CheckExact(a) || !PyUnicode_CheckExact(b) || !PyUnicode_IS_COMPACT_ASCII(a) ||
        !PyUnicode_IS_COMPACT_ASCII(b) || PyUnicode_GET_LENGTH(a) != PyUnicode_GET_LENGTH(b))
        return false;
    return memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b), (size_t)PyUnicode_GET_LENGTH(a)) == 0;
}

conv_fn convert_for(cq_type type)
{
    static const conv_fn table[CQ_N_TYPES] = {
        [CQ_BOOL] = convert_bool,       [CQ_INT8] = convert_int8,       [CQ_INT16] = convert_int16,
        [CQ_INT32] = convert_int32,     [CQ_INT64] = convert_int64,     [CQ_UINT8] = convert_uint8,
        [CQ_UINT16] = convert_uint16,   [CQ_UINT32] = convert_uint32,   [CQ_UINT64] = convert_uint64,
        [CQ_FLOAT32] = convert_float32, [CQ_FLOAT64] = convert_float64, [CQ_STRING] = convert_string,
        [CQ_BINARY] = convert_binary,
    };
    return (unsigned)type < CQ_N_TYPES ? table[type] : NULL; /* lint: an enum's value */
}
