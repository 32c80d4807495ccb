/* Text: string and enum columns, and any str as UTF-8. A short string that comes again as the same object is neither
 * hashed nor compared (idents). */
#include "convert_shared.h"

#include <math.h>

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
conv_result convert_put_str(conv *x, column *c, PyObject *v)
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

static bool is_member(const conv *x, PyObject *v) { return PyType_IsSubtype(Py_TYPE(v), (PyTypeObject *)x->st->Enum); }

/* A member of a plain Enum, for a column that takes them: the text it stands for. */
static conv_result put_member(conv *x, column *c, PyObject *v)
{
    PyObject *value = py_attribute(v, "value");
    if (!value && PyErr_Occurred()) return CONV_RAISED;
    conv_result r = value && PyUnicode_Check(value) ? convert_put_str(x, c, value)
                                                    : convert_refuse_type(x, c, v, "; only members whose value is a str are text");
    Py_XDECREF(value);
    return r;
}

static conv_result string_held(conv *x, column *c, PyObject *v)
{
    if (PyUnicode_Check(v)) return convert_put_str(x, c, v);
    if (convert_classify(v) == FOREIGN_NULL) return convert_null(x, c, v);
    if (PyBytes_Check(v) || PyByteArray_Check(v) || PyMemoryView_Check(v))
        return convert_refuse_type(x, c, v, "; decode it, or declare the column 'binary'");
    if (PyFloat_Check(v) && isnan(PyFloat_AS_DOUBLE(v))) return convert_refuse_type(x, c, v, "; write None for no value");
    if (!is_member(x, v) || PyLong_Check(v)) return convert_refuse_type(x, c, v, "; write str(value) if its text is meant");
    if (c->type == CQ_ENUM || c->takes_members) return put_member(x, c, v);
    return convert_refuse_type(x, c, v, "; write value.value or value.name");
}

__attribute__((noinline)) static conv_result string_uncommon(conv *x, column *c, PyObject *v)
{
    if (v == Py_None) return convert_null(x, c, v);
    Py_INCREF(v);
    return convert_release(x, v, string_held(x, c, v));
}

static conv_result convert_string(conv *x, column *c, PyObject *v)
{
    if (PY_UNLIKELY(!PyUnicode_CheckExact(v))) return string_uncommon(x, c, v);
    if (!c->idents) return convert_put_str(x, c, v);
    ident *slot = ident_of(c, v);
    if (slot->object == v && slot->epoch == cq_colbuf_epoch(c->buf))
        return put_result(cq_colbuf_put_id(c->buf, slot->id, &x->err));
    conv_result r = PyUnicode_IS_COMPACT_ASCII(v)
        ? put_result(cq_colbuf_put_bytes(c->buf, PyUnicode_DATA(v), (size_t)PyUnicode_GET_LENGTH(v), &x->err))
        : convert_put_str(x, c, v);
    if (r == CONV_OK && PyUnicode_GET_LENGTH(v) * PyUnicode_KIND(v) <= IDENT_MAX_BYTES) remember(c, slot, v);
    return r;
}

bool convert_same_text(PyObject *a, PyObject *b)
{
    if (!PyUnicode_CheckExact(a) || !PyUnicode_CheckExact(b) || !PyUnicode_IS_COMPACT_ASCII(a) ||
        !PyUnicode_IS_COMPACT_ASCII(b) || PyUnicode_GET_LENGTH(a) != PyUnicode_GET_LENGTH(b))
        return false;
    return memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b), (size_t)PyUnicode_GET_LENGTH(a)) == 0;
}

conv_fn convert_text_for(cq_type type) { return type == CQ_STRING || type == CQ_ENUM ? convert_string : NULL; }
