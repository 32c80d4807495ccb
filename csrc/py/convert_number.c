/* Numbers: bool, integers of every width, floats of 16, 32 and 64 bits. */
#include "convert_shared.h"

#include "base/half.h"

#include <math.h>

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

conv_result convert_put_int(conv *x, column *c, PyObject *n, PyObject *shown)
{
    uint64_t bits = 0;
    if (!int_bits(c->type, n, &bits)) return convert_refuse_range(x, c, shown, int_range(c->type));
    if (cq_type_facts(c->type)->width == 8) return put_result(cq_colbuf_put_u64(c->buf, bits, &x->err));
    return put_result(cq_colbuf_put_u32(c->buf, cq_low32(bits), &x->err));
}

static conv_result int_held(conv *x, column *c, PyObject *v)
{
    if (PyBool_Check(v)) return convert_refuse_type(x, c, v, "; write int(value) if 0 and 1 are meant");
    if (PyLong_Check(v)) return convert_put_int(x, c, v, v);
    foreign kind = convert_classify(v);
    if (kind == FOREIGN_NULL) return convert_null(x, c, v);
    PyObject *n = convert_foreign_int(x, v, kind);
    if (n) {
        conv_result r = convert_put_int(x, c, n, v);
        Py_DECREF(n);
        return r;
    }
    if (PyErr_Occurred()) return CONV_RAISED;
    if (PyFloat_Check(v) && isnan(PyFloat_AS_DOUBLE(v)))
        return convert_refuse_type(x, c, v, "; a float is never cut to an int: write None for no value");
    if (PyFloat_Check(v) || kind == FOREIGN_FLOAT)
        return convert_refuse_type(x, c, v, "; a float is never cut to an int: write int(value) if that is meant");
    if (kind == FOREIGN_BOOL) return convert_refuse_type(x, c, v, "; write int(value) if 0 and 1 are meant");
    if (PyUnicode_Check(v)) return convert_refuse_type(x, c, v, "; write int(value)");
    const PyNumberMethods *as_number = Py_TYPE(v)->tp_as_number;
    return convert_refuse_type(x, c, v, as_number && as_number->nb_int && kind == FOREIGN_NONE ? "; write int(value) if its whole part is meant" : "; it takes int");
}

__attribute__((noinline)) static conv_result int_uncommon(conv *x, column *c, PyObject *v)
{
    if (v == Py_None) return convert_null(x, c, v);
    Py_INCREF(v);
    return convert_release(x, v, int_held(x, c, v));
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

static conv_result put_half(conv *x, column *c, double d, PyObject *shown)
{
    uint16_t half;
    if (!cq_half_of_f64(d, &half)) return convert_refuse_range(x, c, shown, "at most 65504 in magnitude");
    return put_result(cq_colbuf_put_bytes(c->buf, &half, sizeof half, &x->err));
}

conv_result convert_put_double(conv *x, column *c, double d, PyObject *shown)
{
    if (c->type == CQ_FLOAT64) return put_result(cq_colbuf_put_f64(c->buf, d, &x->err));
    if (c->type == CQ_FLOAT16) return put_half(x, c, d, shown);
    float f = (float)d;
    if (isinf(f) && !isinf(d)) return convert_refuse_range(x, c, shown, "at most 3.4028235e+38 in magnitude");
    return put_result(cq_colbuf_put_f32(c->buf, f, &x->err));
}

/* An int only if a float64 holds it exactly; narrower columns then round as they round a float. */
static conv_result put_int_as_double(conv *x, column *c, PyObject *n, PyObject *shown)
{
    double d = PyLong_AsDouble(n);
    if (PyErr_Occurred()) {
        PyErr_Clear(); /* too large: nothing else can go wrong with an int */
        return convert_refuse_range(x, c, shown, "at most 1.7976931348623157e+308 in magnitude");
    }
    PyObject *back = PyLong_FromDouble(d);
    if (!back) return CONV_RAISED;
    /* int's own comparison: a subclass may define another equality. */
    PyObject *same = PyLong_Type.tp_richcompare(n, back, Py_EQ);
    Py_DECREF(back);
    if (!same) return CONV_RAISED;
    bool exact = same == Py_True;
    Py_DECREF(same);
    if (exact) return convert_put_double(x, c, d, shown);
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
    conv_result r = convert_put_double(x, c, PyFloat_AS_DOUBLE(number), v);
    Py_DECREF(number);
    return r;
}

static conv_result float_held(conv *x, column *c, PyObject *v)
{
    if (PyFloat_Check(v)) return convert_put_double(x, c, PyFloat_AS_DOUBLE(v), v);
    if (PyBool_Check(v)) return convert_refuse_type(x, c, v, "; write float(value) if 0 and 1 are meant");
    if (PyLong_Check(v)) return put_int_as_double(x, c, v, v);
    foreign kind = convert_classify(v);
    if (kind == FOREIGN_NULL) return convert_null(x, c, v);
    if (kind == FOREIGN_FLOAT) return put_number_as_double(x, c, v);
    PyObject *n = convert_foreign_int(x, v, kind);
    if (n) {
        conv_result r = put_int_as_double(x, c, n, v);
        Py_DECREF(n);
        return r;
    }
    if (PyErr_Occurred()) return CONV_RAISED;
    const PyNumberMethods *as_number = Py_TYPE(v)->tp_as_number;
    return convert_refuse_type(x, c, v, PyUnicode_Check(v) || (as_number && as_number->nb_float) ? "; write float(value)" : "; it takes float and int");
}

__attribute__((noinline)) static conv_result float_uncommon(conv *x, column *c, PyObject *v)
{
    if (v == Py_None) return convert_null(x, c, v);
    int64_t i;
    const int64_t exact = INT64_C(1) << 53;
    if (compat_small_int(v, &i) && i >= -exact && i <= exact) return convert_put_double(x, c, (double)i, v);
    Py_INCREF(v);
    return convert_release(x, v, float_held(x, c, v));
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

static conv_result convert_float16(conv *x, column *c, PyObject *v)
{
    if (PY_LIKELY(PyFloat_CheckExact(v))) return put_half(x, c, PyFloat_AS_DOUBLE(v), v);
    return float_uncommon(x, c, v);
}

/* -- bool -------------------------------------------------------------------------------------- */

__attribute__((noinline)) static conv_result bool_uncommon(conv *x, column *c, PyObject *v)
{
    if (v == Py_None) return convert_null(x, c, v);
    Py_INCREF(v);
    conv_result r = CONV_RAISED;
    foreign kind = convert_classify(v);
    if (kind == FOREIGN_NULL) {
        r = convert_null(x, c, v);
    } else if (kind == FOREIGN_BOOL) {
        int truth = PyObject_IsTrue(v);
        if (truth >= 0) r = put_result(cq_colbuf_put_bool(c->buf, truth > 0, &x->err));
    } else {
        const bool number = PyLong_Check(v) || PyFloat_Check(v) || kind == FOREIGN_INT || kind == FOREIGN_FLOAT;
        r = convert_refuse_type(x, c, v, number                ? "; write bool(value) if a truth value is meant"
                                         : PyUnicode_Check(v) ? "; write value == \"true\", or whatever its texts are"
                                                              : "; it takes True and False");
    }
    return convert_release(x, v, r);
}

static conv_result convert_bool(conv *x, column *c, PyObject *v)
{
    if (PY_LIKELY(v == Py_True || v == Py_False)) return put_result(cq_colbuf_put_bool(c->buf, v == Py_True, &x->err));
    return bool_uncommon(x, c, v);
}

conv_fn convert_number_for(cq_type type)
{
    switch (type) {
    case CQ_BOOL: return convert_bool;
    case CQ_INT8: return convert_int8;
    case CQ_INT16: return convert_int16;
    case CQ_INT32: return convert_int32;
    case CQ_INT64: return convert_int64;
    case CQ_UINT8: return convert_uint8;
    case CQ_UINT16: return convert_uint16;
    case CQ_UINT32: return convert_uint32;
    case CQ_UINT64: return convert_uint64;
    case CQ_FLOAT16: return convert_float16;
    case CQ_FLOAT32: return convert_float32;
    case CQ_FLOAT64: return convert_float64;
    default: return NULL;
    }
}
