/* RowErrors: see py_row_error.h. What is wrong with a value is said by the converters and the core;
 * here it gets its place. */
#include "py_row_error.h"

#include "py_errors.h"

#include <string.h>

PyObject *py_row_error_class(core_state *st, cq_status code)
{
    switch (code) {
    case CQ_EVALUE:
    case CQ_ELIMIT: return st->RowValueError;
    case CQ_ERANGE: return st->RowOverflowError;
    case CQ_ETYPE: return st->RowTypeError;
    case CQ_OK: case CQ_ENOMEM: case CQ_EBUDGET: case CQ_EIO: case CQ_ESINK: case CQ_EFORMAT: case CQ_EUNSUPPORTED:
    case CQ_ESTATE: case CQ_EARG: case CQ_ECHANGED: case CQ_EINTERRUPTED: break;
    }
    return NULL;
}

static int set_attribute(PyObject *o, const char *name, PyObject *value)
{
    int r = value ? PyObject_SetAttrString(o, name, value) : -1;
    Py_XDECREF(value);
    return r;
}

PyObject *py_row_error_new(const WriterObject *self, PyObject *type, PyObject *text, const row_place *at, PyObject *value)
{
    PyObject *name = at->column >= 0 && at->column < self->rows.n ? self->rows.columns[at->column].name : NULL;
    PyObject *whole, *error;
    if (name)
        whole = PyUnicode_FromFormat("row %lld of this call (row %lld of the file), column %R: %U", (long long)at->in_call,
                                     (long long)at->in_file, name, text);
    else
        whole = PyUnicode_FromFormat("row %lld of this call (row %lld of the file): %U", (long long)at->in_call,
                                     (long long)at->in_file, text);
    if (!whole) return NULL;
    error = PyObject_CallOneArg(type, whole);
    Py_DECREF(whole);
    if (!error) return NULL;
    if (set_attribute(error, "row", PyLong_FromLongLong(at->in_file)) < 0 ||
        set_attribute(error, "row_in_call", PyLong_FromLongLong(at->in_call)) < 0 ||
        set_attribute(error, "column", Py_NewRef(name ? name : Py_None)) < 0 ||
        set_attribute(error, "value", Py_NewRef(value ? value : Py_None)) < 0 ||
        set_attribute(error, "rows_written", PyLong_FromLongLong(at->written)) < 0)
        Py_CLEAR(error);
    return error;
}

PyObject *py_row_error(WriterObject *self, conv_result r, int64_t in_call, int64_t written)
{
    table *t = &self->rows;
    if (r == CONV_RAISED) return NULL;
    PyObject *type = r == CONV_REFUSED ? t->x.refused_type : py_row_error_class(self->st, t->x.err.code);
    if (!type) {
        (void)py_raise(self->st, &t->x.err, writer_name(self), NULL);
        return NULL;
    }
    PyObject *text = r == CONV_REFUSED ? Py_NewRef(t->x.refused_text)
                                       : PyUnicode_DecodeUTF8(t->x.err.msg, (Py_ssize_t)strlen(t->x.err.msg), "replace");
    if (!text) return NULL;
    cq_writer_get_info(self->w, &self->info);
    row_place const at = {.in_call = in_call, .in_file = self->info.rows, .written = written, .column = t->failed_column};
    PyObject *error = py_row_error_new(self, type, text, &at, t->failed_value);
    Py_DECREF(text);
    Py_CLEAR(t->x.refused_text);
    return error;
}
