/* The figures of a Writer as dicts: they can be asked for at any time, by any thread and from
 * inside a row iterator. While a call is detached the core's own figures are not touched; those of
 * its beginning are given. */
#include "py_writer_object.h"

/* Takes the value's reference; NULL value: an error is pending. */
static int set(PyObject *dict, const char *key, PyObject *value)
{
    if (!value) return -1;
    int r = PyDict_SetItemString(dict, key, value);
    Py_DECREF(value);
    return r;
}

static int set_i64(PyObject *dict, const char *key, int64_t v) { return set(dict, key, PyLong_FromLongLong(v)); }
static int set_u64(PyObject *dict, const char *key, uint64_t v) { return set(dict, key, PyLong_FromUnsignedLongLong(v)); }

PyObject *Writer_info(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    WriterObject *self = (WriterObject *)op;
    bool live = self->w && !self->gate.working;
    if (live) cq_writer_get_info(self->w, &self->info);
    const cq_writer_info *i = &self->info;
    PyObject *d = PyDict_New();
    if (!d) return NULL;
    if (set_i64(d, "rows", i->rows) < 0 || set_i64(d, "row_groups", i->row_groups) < 0 ||
        set_i64(d, "bytes_written", i->bytes_written) < 0 || set_u64(d, "memory_used", i->memory_used) < 0 ||
        set_u64(d, "memory_peak", i->memory_peak) < 0 || set_u64(d, "memory_limit", i->memory_limit) < 0 ||
        set_u64(d, "spilled_bytes", i->spilled_bytes) < 0 || set_i64(d, "footer_bytes", i->footer_bytes) < 0 ||
        set_i64(d, "group_rows", live ? cq_writer_group_rows(self->w) : 0) < 0 ||
        set_i64(d, "skipped_rows", self->skipped) < 0 || set(d, "closed", PyBool_FromLong(!self->w)) < 0 ||
        set(d, "failed", PyBool_FromLong(i->failed)) < 0)
        Py_CLEAR(d);
    return d;
}

PyObject *Writer_plan(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    const cq_plan *p = &((WriterObject *)op)->plan;
    PyObject *d = PyDict_New();
    if (!d) return NULL;
    if (set_u64(d, "memory_limit", p->memory_limit) < 0 || set_i64(d, "page_rows", p->page_rows) < 0 ||
        set_u64(d, "page_bytes", p->page_bytes) < 0 || set_u64(d, "dict_bytes", p->dict_bytes) < 0 ||
        set_u64(d, "max_value_bytes", p->max_value_bytes) < 0 || set_u64(d, "max_row_bytes", p->max_row_bytes) < 0 ||
        set_u64(d, "codec_bytes", p->codec_bytes) < 0 || set_u64(d, "scratch_bytes", p->scratch_bytes) < 0 ||
        set_u64(d, "column_bytes", p->column_bytes) < 0 || set_u64(d, "page_window_bytes", p->page_window_bytes) < 0 ||
        set_u64(d, "batch_bytes", p->batch_bytes) < 0 || set_u64(d, "meta_window_bytes", p->meta_window_bytes) < 0 ||
        set_u64(d, "sink_bytes", p->sink_bytes) < 0 ||
        set_u64(d, "fixed_bytes", p->fixed_bytes) < 0)
        Py_CLEAR(d);
    return d;
}

static PyObject *one_column(WriterObject *self, int32_t i)
{
    cq_column_info c;
    cq_writer_get_column_info(self->w, i, &c);
    PyObject *d = PyDict_New();
    if (!d) return NULL;
    const column *col = &self->rows.columns[i];
    if (set(d, "name", Py_NewRef(col->name)) < 0 ||
        set(d, "type", PyUnicode_FromFormat("%s%s", cq_type_facts(col->type)->name, col->optional ? "?" : "")) < 0 ||
        set_i64(d, "values", c.values - c.nulls) < 0 || set_i64(d, "nulls", c.nulls) < 0 ||
        set_i64(d, "compressed_bytes", c.compressed_bytes) < 0 ||
        set_i64(d, "uncompressed_bytes", c.uncompressed_bytes) < 0 || set_i64(d, "pages_plain", c.pages_plain) < 0 ||
        set_i64(d, "pages_dict", c.pages_dict) < 0 || set_i64(d, "pages_delta", c.pages_delta) < 0 ||
        set_i64(d, "pages_split", c.pages_split) < 0 || set_i64(d, "dict_pages", c.dict_pages) < 0)
        Py_CLEAR(d);
    return d;
}

PyObject *Writer_column_info(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    WriterObject *self = (WriterObject *)op;
    if (!self->w || self->gate.working) {
        PyErr_SetString(PyExc_RuntimeError, self->w ? "the writer is at work" : "the writer is closed");
        return NULL;
    }
    PyObject *list = PyList_New(self->rows.n);
    if (!list) return NULL;
    for (int32_t i = 0; i < self->rows.n; i++) {
        PyObject *d = one_column(self, i);
        if (!d) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, i, d);
    }
    return list;
}
