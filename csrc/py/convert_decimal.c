/* decimal(P, S) columns. decimal.Decimal has no C interface: its text is read, which is the fastest of its exact forms and
 * the same for every version (str 45 ns, as_integer_ratio 150, as_tuple 300). */
#include "convert_shared.h"

#include <stdio.h>

__extension__ typedef unsigned __int128 u128;

enum { MAX_DIGITS = 38 };

/* (-1)^negative * value * 10^exp10; value has `n` digits and its last one is not 0, unless it is 0. */
typedef struct number {
    bool negative;
    int64_t n;     /* more than MAX_DIGITS: `value` is not whole */
    int64_t exp10;
    u128 value;
} number;

/* n: 0 to 38. */
static inline u128 power10(int64_t n)
{
    static const uint64_t low[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, UINT64_C(10000000000),
                                   UINT64_C(100000000000), UINT64_C(1000000000000), UINT64_C(10000000000000), UINT64_C(100000000000000),
                                   UINT64_C(1000000000000000), UINT64_C(10000000000000000), UINT64_C(100000000000000000),
                                   UINT64_C(1000000000000000000), UINT64_C(10000000000000000000)};
    return n < 20 ? low[n] : (u128)low[19] * low[n - 19];
}

/* zeros: those seen since the last other digit, which count only if another one comes. */
static inline void take_digit(number *out, int64_t *zeros, int digit)
{
    if (digit == 0) {
        *zeros += out->n > 0;
        return;
    }
    out->n += *zeros + 1;
    if (out->n <= MAX_DIGITS) out->value = out->value * power10(*zeros + 1) + (unsigned)digit; /* lint: 1 to 9 */
    *zeros = 0;
}

static bool take_exponent(const char *p, const char *end, int64_t *exponent)
{
    const int64_t most = INT64_C(4000000000000000000); /* beyond what Decimal has */
    const bool negative = p < end && *p == '-';
    int64_t v = 0;
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (p == end) return false;
    for (; p < end; p++) {
        if (*p < '0' || *p > '9') return false;
        v = v >= most / 10 ? most : v * 10 + (*p - '0');
    }
    *exponent = negative ? -v : v;
    return true;
}

/* [+-]digits[.digits][E[+-]digits]; false for NaN, Infinity, and what is no number. */
static bool parse(const char *p, size_t size, number *out)
{
    const char *end = p + size;
    int64_t zeros = 0, places = 0, exponent = 0;
    bool point = false, any = false;
    memset(out, 0, sizeof *out);
    out->negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    for (; p < end; p++) {
        if (*p == '.' && !point) {
            point = true;
        } else if (*p >= '0' && *p <= '9') {
            any = true;
            places += point;
            take_digit(out, &zeros, *p - '0');
        } else {
            break;
        }
    }
    if (!any) return false;
    if (p < end && ((*p != 'E' && *p != 'e') || !take_exponent(p + 1, end, &exponent))) return false;
    out->exp10 = exponent - places + zeros;
    return true;
}

static conv_result put_unscaled(conv *x, column *c, bool negative, u128 value)
{
    const u128 bits = negative ? -value : value;
    if (c->type == CQ_DECIMAL32) return put_result(cq_colbuf_put_u32(c->buf, cq_low32((uint64_t)bits), &x->err));
    if (c->type == CQ_DECIMAL64) return put_result(cq_colbuf_put_u64(c->buf, (uint64_t)bits, &x->err));
    uint8_t bytes[sizeof bits];
    for (size_t i = 0; i < sizeof bits; i++) bytes[i] = cq_low8((uint64_t)(bits >> (8 * (sizeof bits - 1 - i))));
    const size_t n = (size_t)c->fixed_bytes; /* the least for the precision: what is cut repeats the sign */
    return put_result(cq_colbuf_put_bytes(c->buf, bytes + sizeof bytes - n, n, &x->err));
}

static conv_result refuse_size(conv *x, const column *c, PyObject *v)
{
    char range[60];
    const int before = (int)(c->precision - c->scale); /* lint: 0 to 38 */
    (void)snprintf(range, sizeof range, "at most %d digit%s before the point", before, before == 1 ? "" : "s");
    return convert_refuse_range(x, c, v, range);
}

static conv_result put_number(conv *x, column *c, const number *n, PyObject *shown)
{
    if (n->n == 0) return put_unscaled(x, c, false, 0);
    const int64_t shift = n->exp10 + c->scale;
    if (shift < 0) {
        char advice[80];
        (void)snprintf(advice, sizeof advice, "; it has more digits than the scale: write round(value, %d)", (int)c->scale);
        return convert_refuse_value(x, c, shown, advice);
    }
    if (n->n > c->precision || shift > c->precision - n->n) return refuse_size(x, c, shown);
    return put_unscaled(x, c, n->negative, n->value * power10(shift));
}

/* -- Decimal and int -------------------------------------------------------------------------------- */

/* The type's own text: a subclass may have another. */
static conv_result put_decimal(conv *x, column *c, PyObject *v)
{
    number n;
    size_t size = 0;
    PyObject *text = ((PyTypeObject *)x->st->Decimal)->tp_str(v);
    if (!text) return CONV_RAISED;
    const char *p = PyUnicode_Check(text) ? convert_ascii(text, &size) : NULL;
    const bool is_number = p && parse(p, size, &n);
    Py_DECREF(text);
    return is_number ? put_number(x, c, &n, v) : convert_refuse_value(x, c, v, "; it is no finite number");
}

static conv_result put_small(conv *x, column *c, int64_t i, PyObject *shown)
{
    const u128 size = i < 0 ? -(u128)i : (u128)i;
    if (size >= power10(c->precision - c->scale)) return refuse_size(x, c, shown);
    return put_unscaled(x, c, i < 0, size * power10(c->scale));
}

/* Any int: its text if it has 38 digits or so; int's own, as a subclass may have another. */
static conv_result put_int(conv *x, column *c, PyObject *v, PyObject *shown)
{
    number n;
    size_t size = 0;
    double d = PyLong_AsDouble(v);
    if (PyErr_Occurred()) {
        PyErr_Clear(); /* too large: nothing else can go wrong with an int */
        return refuse_size(x, c, shown);
    }
    if (d > 1e39 || d < -1e39) return refuse_size(x, c, shown);
    PyObject *text = PyLong_Type.tp_repr(v);
    if (!text) return CONV_RAISED;
    const char *p = convert_ascii(text, &size);
    const bool is_number = p && parse(p, size, &n);
    Py_DECREF(text);
    return is_number ? put_number(x, c, &n, shown) : convert_refuse_type(x, c, shown, "");
}

static conv_result decimal_held(conv *x, column *c, PyObject *v)
{
    if (PyType_IsSubtype(Py_TYPE(v), (PyTypeObject *)x->st->Decimal)) return put_decimal(x, c, v);
    if (PyBool_Check(v)) return convert_refuse_type(x, c, v, "; write int(value) if 0 and 1 are meant");
    if (PyLong_Check(v)) return put_int(x, c, v, v);
    foreign kind = convert_classify(v);
    if (kind == FOREIGN_NULL) return convert_null(x, c, v);
    PyObject *n = convert_foreign_int(x, v, kind);
    if (n) {
        conv_result r = put_int(x, c, n, v);
        Py_DECREF(n);
        return r;
    }
    if (PyErr_Occurred()) return CONV_RAISED;
    if (PyFloat_Check(v) || kind == FOREIGN_FLOAT) return convert_refuse_type(x, c, v, "; a float is no exact decimal: write decimal.Decimal(str(value))");
    return convert_refuse_type(x, c, v, PyUnicode_Check(v) ? "; write decimal.Decimal(value)" : "; it takes decimal.Decimal and int");
}

conv_result convert_decimal(conv *x, column *c, PyObject *v)
{
    int64_t i;
    if (compat_small_int(v, &i)) return put_small(x, c, i, v);
    if (v == Py_None) return convert_null(x, c, v);
    Py_INCREF(v);
    return convert_release(x, v, decimal_held(x, c, v));
}

int convert_decimal_text(conv *x, column *c, PyObject *v)
{
    number n;
    size_t size = 0;
    const char *p = convert_ascii(v, &size);
    return p && parse(p, size, &n) ? (int)put_number(x, c, &n, v) : CONV_NO_TEXT; /* lint: an enum's value */
}
