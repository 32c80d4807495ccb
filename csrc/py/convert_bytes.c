/* Bytes: binary and bson columns of any length, binary[N] and uuid of a fixed one. */
#include "convert_shared.h"

#include <stdio.h>

/* -- any length, or that of the column ----------------------------------------------------------- */

static conv_result refuse_length(conv *x, column *c, PyObject *v, Py_ssize_t n)
{
    char advice[80];
    (void)snprintf(advice, sizeof advice, ": it has %zd byte%s, %d are needed", n, n == 1 ? "" : "s", (int)c->fixed_bytes);
    return convert_refuse_value(x, c, v, advice);
}

static inline bool wrong_length(const column *c, Py_ssize_t n) { return c->fixed_bytes > 0 && n != c->fixed_bytes; }

static conv_result put_bytes(conv *x, column *c, PyObject *v)
{
    if (wrong_length(c, PyBytes_GET_SIZE(v))) return refuse_length(x, c, v, PyBytes_GET_SIZE(v));
    return put_result(cq_colbuf_put_bytes(c->buf, PyBytes_AS_STRING(v), (size_t)PyBytes_GET_SIZE(v), &x->err));
}

static conv_result put_view(conv *x, column *c, Py_buffer *view)
{
    uint8_t *to = NULL;
    if (cq_colbuf_reserve_bytes(c->buf, (size_t)view->len, &to, &x->err) != CQ_OK) return CONV_CORE;
    if (view->len > 0 && PyBuffer_ToContiguous(to, view, view->len, 'C') < 0) return CONV_RAISED;
    return put_result(cq_colbuf_commit_bytes(c->buf, (size_t)view->len, &x->err));
}

/* bytearray and memoryview of any layout: the bytes in C order. */
static conv_result put_buffer(conv *x, column *c, PyObject *v)
{
    Py_buffer view;
    if (PyObject_GetBuffer(v, &view, PyBUF_FULL_RO) < 0) return CONV_RAISED;
    Py_ssize_t n = view.len;
    conv_result r = wrong_length(c, n) ? CONV_REFUSED : put_view(x, c, &view);
    PyBuffer_Release(&view);
    return r == CONV_REFUSED ? refuse_length(x, c, v, n) : r;
}

static conv_result binary_held(conv *x, column *c, PyObject *v)
{
    if (PyBytes_Check(v)) return put_bytes(x, c, v);
    if (PyByteArray_Check(v) || PyMemoryView_Check(v)) return put_buffer(x, c, v);
    if (convert_classify(v) == FOREIGN_NULL) return convert_null(x, c, v);
    if (PyUnicode_Check(v)) return convert_refuse_type(x, c, v, "; encode it, or declare the column 'string'");
    PyObject *bytes = py_attribute(v, "bytes");
    if (!bytes && PyErr_Occurred()) return CONV_RAISED;
    const char *advice = bytes && PyBytes_Check(bytes) ? "; write value.bytes" : "; write bytes(value) if its bytes are meant";
    Py_XDECREF(bytes);
    return convert_refuse_type(x, c, v, PyIndex_Check(v) || PyFloat_Check(v) ? "; it takes bytes, bytearray and memoryview" : advice);
}

__attribute__((noinline)) static conv_result binary_uncommon(conv *x, column *c, PyObject *v)
{
    if (v == Py_None) return convert_null(x, c, v);
    Py_INCREF(v);
    return convert_release(x, v, binary_held(x, c, v));
}

static conv_result convert_binary(conv *x, column *c, PyObject *v)
{
    if (PY_LIKELY(PyBytes_CheckExact(v) && c->fixed_bytes == 0))
        return put_result(cq_colbuf_put_bytes(c->buf, PyBytes_AS_STRING(v), (size_t)PyBytes_GET_SIZE(v), &x->err));
    return binary_uncommon(x, c, v);
}

static conv_result convert_fixed(conv *x, column *c, PyObject *v)
{
    if (PY_LIKELY(PyBytes_CheckExact(v) && PyBytes_GET_SIZE(v) == c->fixed_bytes))
        return put_result(cq_colbuf_put_bytes(c->buf, PyBytes_AS_STRING(v), (size_t)PyBytes_GET_SIZE(v), &x->err));
    return binary_uncommon(x, c, v);
}

conv_fn convert_bytes_for(cq_type type)
{
    return type == CQ_BINARY || type == CQ_BSON ? convert_binary : type == CQ_FIXED ? convert_fixed : NULL;
}

/* -- uuid ----------------------------------------------------------------------------------------- */

enum { UUID_BYTES = 16 };

static conv_result put_uuid(conv *x, column *c, PyObject *v)
{
    uint8_t bytes[UUID_BYTES];
    PyObject *n = PyObject_GetAttr(v, x->st->name_int);
    if (!n) return CONV_RAISED;
    bool fits = PyLong_Check(n) && compat_long_big_endian(n, bytes, sizeof bytes);
    Py_DECREF(n);
    if (!fits) return convert_refuse_value(x, c, v, ": its `int` is no number of 128 bits");
    return put_result(cq_colbuf_put_bytes(c->buf, bytes, sizeof bytes, &x->err));
}

static conv_result uuid_held(conv *x, column *c, PyObject *v)
{
    if (PyType_IsSubtype(Py_TYPE(v), (PyTypeObject *)x->st->UUID)) return put_uuid(x, c, v);
    if (PyBytes_Check(v)) return put_bytes(x, c, v);
    if (PyByteArray_Check(v) || PyMemoryView_Check(v)) return put_buffer(x, c, v);
    if (convert_classify(v) == FOREIGN_NULL) return convert_null(x, c, v);
    return convert_refuse_type(x, c, v, PyUnicode_Check(v) ? "; write uuid.UUID(value)" : "; it takes uuid.UUID or 16 bytes");
}

conv_result convert_uuid(conv *x, column *c, PyObject *v)
{
    if (v == Py_None) return convert_null(x, c, v);
    Py_INCREF(v);
    return convert_release(x, v, uuid_held(x, c, v));
}

static int hex_digit(char ch)
{
    if (ch >= '0' && ch <= '9') return ch - '0';
    if (ch >= 'a' && ch <= 'f') return ch - 'a' + 10;
    if (ch >= 'A' && ch <= 'F') return ch - 'A' + 10;
    return -1;
}

/* 8-4-4-4-12 digits, or 32 without hyphens. */
int convert_uuid_text(conv *x, column *c, PyObject *v)
{
    uint8_t bytes[UUID_BYTES];
    size_t n = 0, k = 0;
    const char *p = convert_ascii(v, &n);
    if (!p || (n != 36 && n != 32)) return CONV_NO_TEXT;
    for (size_t i = 0; i < n;) {
        if (n == 36 && (i == 8 || i == 13 || i == 18 || i == 23)) {
            if (p[i++] != '-') return CONV_NO_TEXT;
            continue;
        }
        const int high = hex_digit(p[i]), low = hex_digit(p[i + 1]);
        if (high < 0 || low < 0) return CONV_NO_TEXT;
        bytes[k++] = cq_low8((uint64_t)(high << 4 | low));
        i += 2;
    }
    return put_result(cq_colbuf_put_bytes(c->buf, bytes, sizeof bytes, &x->err));
}
