/* The type Writer: rows and groups in, and the end of a file. Opening is in py_writer_open.c,
 * figures are in py_writer_info.c, rows are taken apart in py_rows.c.
 *
 * One caller at a time: the busy flag is set for each call, because calls run user code (iterators,
 * conversions, sinks) and detach; a second call, also one from inside the first, is refused. */
#include "py_writer_object.h"

#include "py_columns.h"
#include "py_errors.h"
#include "py_row_error.h"

/* -- entering and leaving ---------------------------------------------------------------------- */

static int refuse_busy(WriterObject *self, const char *what)
{
    const char *by = self->busy_with;
    PyErr_Format(PyExc_RuntimeError,
                 "%s() while %s() of the same writer is running, in another thread or around this call: one call at a time",
                 what, by ? by : "another call");
    return -1;
}

/* Marks the writer busy. `any_state`: closed and failed ones too. */
static int enter(WriterObject *self, const char *what, bool any_state)
{
    if (PY_UNLIKELY(self->forks != self->st->forks)) {
        PyErr_Format(PyExc_RuntimeError, "%s(): the writer belongs to the process that this one was forked from", what);
        return -1;
    }
    if (PY_UNLIKELY(atomic_exchange_explicit(&self->busy, true, memory_order_acquire))) return refuse_busy(self, what);
    self->busy_with = what;
    if (any_state) return 0;
    if (PY_UNLIKELY(!self->w)) {
        PyErr_Format(PyExc_RuntimeError, "%s(): the writer %s", what, self->aborted ? "was aborted" : "is closed");
    } else {
        const cq_err *e = cq_writer_error(self->w);
        if (PY_LIKELY(e->code == CQ_OK)) return 0;
        if (e->code == CQ_ESINK || e->code == CQ_EINTERRUPTED || e->code == CQ_ECHANGED)
            PyErr_Format(PyExc_RuntimeError, "%s(): the writer failed before and can only be aborted: %s", what, e->msg);
        else
            (void)py_raise(self->st, e, writer_name(self), NULL);
    }
    atomic_store_explicit(&self->busy, false, memory_order_release);
    return -1;
}

static void leave(WriterObject *self) { atomic_store_explicit(&self->busy, false, memory_order_release); }

static void detach(WriterObject *self)
{
    cq_writer_get_info(self->w, &self->info);
    py_gate_detach(&self->gate);
}

/* The outcome of a detached call. A callback's exception counts even where the core went on. */
static int outcome(WriterObject *self, cq_status status, const cq_err *e)
{
    if (status == CQ_OK) return PyErr_Occurred() ? -1 : 0;
    PyObject *where = e->column >= 0 && e->column < self->rows.n ? self->rows.columns[e->column].name : NULL;
    (void)py_raise(self->st, e, writer_name(self), where);
    return -1;
}

/* One call of the core, detached. */
static cq_status call_detached(WriterObject *self, cq_status (*call)(cq_writer *, cq_err *), cq_err *e)
{
    cq_err_clear(e);
    detach(self);
    cq_status status = call(self->w, e);
    py_gate_attach(&self->gate);
    return status;
}

static int run_detached(WriterObject *self, cq_status (*call)(cq_writer *, cq_err *))
{
    cq_err e;
    cq_status status = call_detached(self, call, &e);
    return outcome(self, status, &e);
}

cq_writer *py_writer_acquire(core_state *st, PyObject *obj, const char *what)
{
    if (Py_TYPE(obj) != (PyTypeObject *)st->Writer_type) {
        PyErr_Format(PyExc_TypeError, "a ccpq._core.Writer is needed, not %.100s", Py_TYPE(obj)->tp_name);
        return NULL;
    }
    return enter((WriterObject *)obj, what, false) < 0 ? NULL : ((WriterObject *)obj)->w;
}

void py_writer_release(PyObject *obj) { leave((WriterObject *)obj); }
py_gate *py_writer_gate(PyObject *obj) { return &((WriterObject *)obj)->gate; }
int py_writer_check(PyObject *obj, cq_status status, const cq_err *e) { return outcome((WriterObject *)obj, status, e); }

/* -- one row ----------------------------------------------------------------------------------- */

/* Counted from 0. */
typedef struct progress {
    int64_t taken;   /* rows from the caller's iterator, refused ones too */
    int64_t written;
} progress;

/* One whole row or none of it. */
static inline conv_result put_row(WriterObject *self, PyObject *row, const layout *given)
{
    table *t = &self->rows;
    conv_result r = table_put(t, row, given);
    if (PY_LIKELY(r == CONV_OK)) {
        if (PY_LIKELY(cq_writer_end_row(self->w, &t->x.err) == CQ_OK)) return CONV_OK;
        r = CONV_CORE;
        t->failed_column = t->x.err.column;
        Py_XSETREF(t->failed_value, Py_NewRef(row));
    } else {
        cq_writer_abort_row(self->w);
    }
    table_row_aborted(t);
    return r;
}

static void raise_row_error(WriterObject *self, conv_result r, int64_t in_call, int64_t written)
{
    PyObject *error = py_row_error(self, r, in_call, written);
    Py_CLEAR(self->rows.failed_value);
    if (!error) return;
    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_DECREF(error);
}

/* 0: the caller's function let the row go. */
static int ask_on_error(WriterObject *self, PyObject *on_error, conv_result r, const progress *p)
{
    PyObject *error = py_row_error(self, r, p->taken, p->written);
    Py_CLEAR(self->rows.failed_value);
    if (!error) return -1;
    PyObject *answer = PyObject_CallOneArg(on_error, error);
    Py_DECREF(error);
    if (!answer) return -1;
    Py_DECREF(answer);
    self->skipped++;
    return 0;
}

static inline int settle_if_due(WriterObject *self)
{
    return PY_UNLIKELY(cq_writer_due(self->w)) ? run_detached(self, cq_writer_settle) : 0;
}

/* Takes rows until the iterator ends. Whatever fails, rows put before stay, and no row beyond the
 * failing one is taken: pages are settled and signals seen before the next one is asked for. */
static int feed(WriterObject *self, PyObject *it, const layout *given, PyObject *on_error, bool in_group, progress *p)
{
    for (;;) {
        if (settle_if_due(self) < 0) return -1;
        if (PY_UNLIKELY((p->taken & 1023) == 1023) && PyErr_CheckSignals() < 0) return -1;
        PyObject *row = PyIter_Next(it);
        if (!row) return PyErr_Occurred() ? -1 : 0;
        conv_result r = put_row(self, row, given);
        Py_DECREF(row);
        if (PY_LIKELY(r == CONV_OK)) {
            p->written++;
        } else if (on_error) {
            if (ask_on_error(self, on_error, r, p) < 0) return -1;
        } else {
            raise_row_error(self, r, p->taken, in_group ? 0 : p->written);
            return -1;
        }
        p->taken++;
    }
}

/* -- methods that take rows -------------------------------------------------------------------- */

static PyObject *Writer_write_row(PyObject *op, PyObject *row)
{
    WriterObject *self = (WriterObject *)op;
    if (enter(self, "write_row", false) < 0) return NULL;
    int failed = settle_if_due(self);
    if (failed == 0) {
        conv_result r = put_row(self, row, NULL);
        if (PY_UNLIKELY(r != CONV_OK)) {
            raise_row_error(self, r, 0, 0);
            failed = -1;
        }
    }
    leave(self);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* The layout for `columns`; 0 and an empty one for None. */
static int given_layout(WriterObject *self, PyObject *columns, layout *out)
{
    if (!columns || columns == Py_None) return 0;
    if (PyUnicode_Check(columns)) {
        PyErr_SetString(PyExc_TypeError, "columns must be a list of names, not a str");
        return -1;
    }
    conv_result r = layout_make(&self->rows, columns, out);
    if (r == CONV_REFUSED) PyErr_Format(PyExc_ValueError, "columns: %U", self->rows.x.refused_text);
    Py_CLEAR(self->rows.x.refused_text);
    return r == CONV_OK ? 0 : -1;
}

static const char *const row_args[] = {"rows", "columns", "on_error"};

static PyObject *write_rows(WriterObject *self, PyObject *rows, PyObject *columns, PyObject *on_error)
{
    layout given = {0, NULL, NULL, 0};
    if (on_error == Py_None || (on_error && PyUnicode_Check(on_error) && PyUnicode_CompareWithASCIIString(on_error, "raise") == 0))
        on_error = NULL;
    if (on_error && !PyCallable_Check(on_error)) {
        PyErr_Format(PyExc_TypeError, "on_error is 'raise' or a function of the RowError, not %R", on_error);
        return NULL;
    }
    if (given_layout(self, columns, &given) < 0) return NULL;
    progress p = {0, 0};
    int failed = -1;
    PyObject *it = PyObject_GetIter(rows);
    if (it) failed = feed(self, it, given.column_of ? &given : NULL, on_error, false, &p);
    Py_XDECREF(it);
    layout_clear(&given);
    return failed ? NULL : PyLong_FromLongLong(p.written);
}

static PyObject *Writer_write_rows(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    PyObject *a[3];
    if (py_parse_args("write_rows", args, n, kwnames, row_args, 3, 1, 3, a) < 0) return NULL;
    if (enter((WriterObject *)op, "write_rows", false) < 0) return NULL;
    PyObject *r = write_rows((WriterObject *)op, a[0], a[1], a[2]);
    leave((WriterObject *)op);
    return r;
}

/* Drops the group unless its bytes may be out already; the pending exception stays. */
static void drop_group(WriterObject *self)
{
    if (cq_writer_error(self->w)->code != CQ_OK) return;
    cq_writer_rollback_group(self->w);
    table_drop_idents(&self->rows);
}

static int feed_group(WriterObject *self, PyObject *it, const layout *given, progress *p)
{
    cq_err e;
    cq_status begun = call_detached(self, cq_writer_begin_group, &e);
    int failed = outcome(self, begun, &e);
    if (begun != CQ_OK) return -1;
    if (failed || feed(self, it, given, NULL, true, p) < 0) {
        drop_group(self);
        return -1;
    }
    if (p->written == 0) {
        drop_group(self);
        return 0;
    }
    if (run_detached(self, cq_writer_end_group) == 0) return 0;
    drop_group(self);
    return -1;
}

static PyObject *write_group(WriterObject *self, PyObject *rows, PyObject *columns)
{
    layout given = {0, NULL, NULL, 0};
    if (given_layout(self, columns, &given) < 0) return NULL;
    progress p = {0, 0};
    int failed = -1;
    PyObject *it = PyObject_GetIter(rows);
    if (it) failed = feed_group(self, it, given.column_of ? &given : NULL, &p);
    Py_XDECREF(it);
    layout_clear(&given);
    return failed ? NULL : PyLong_FromLongLong(p.written);
}

static PyObject *Writer_write_group(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    PyObject *a[2];
    if (py_parse_args("write_group", args, n, kwnames, row_args, 2, 1, 2, a) < 0) return NULL;
    if (enter((WriterObject *)op, "write_group", false) < 0) return NULL;
    PyObject *r = write_group((WriterObject *)op, a[0], a[1]);
    leave((WriterObject *)op);
    return r;
}

static PyObject *Writer_flush_group(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    static const char *const names[] = {"min_rows"};
    WriterObject *self = (WriterObject *)op;
    PyObject *a[1];
    long long min_rows = 0;
    if (py_parse_args("flush_group", args, n, kwnames, names, 1, 0, 1, a) < 0) return NULL;
    if (a[0] && (min_rows = PyLong_AsLongLong(a[0])) == -1 && PyErr_Occurred()) return NULL;
    if (enter(self, "flush_group", false) < 0) return NULL;
    int64_t rows = cq_writer_group_rows(self->w);
    bool cut = rows > 0 && rows >= min_rows;
    int failed = cut ? run_detached(self, cq_writer_flush_group) : 0;
    leave(self);
    return failed ? NULL : PyBool_FromLong(cut);
}

/* -- the end ----------------------------------------------------------------------------------- */

void writer_free_core(WriterObject *self)
{
    cq_writer *w = self->w;
    if (w) {
        cq_writer_get_info(w, &self->info);
        self->w = NULL;
        self->sink.orphan = self->forks != self->st->forks;
        cq_writer_free(w);
        self->info.memory_used = 0;
        self->st->live--;
    }
    cq_mem_close(&self->mem);
    table_clear(&self->rows);
    py_sink_clear(&self->sink);
    Py_CLEAR(self->budget);
}

/* The key-value pairs as UTF-8: bytes objects in `hold`, pointers to them in *kv. */
static int make_metadata(PyObject *pairs, PyObject *hold, cq_kv *kv)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(pairs); i++) {
        PyObject *text[2], *pair = PyList_GET_ITEM(pairs, i);
        cq_span *to[2] = {&kv[i].key, &kv[i].value};
        if (!PyTuple_Check(pair)) {
            PyErr_SetString(PyExc_TypeError, "metadata is a list of (key, value)");
            return -1;
        }
        if (!PyArg_ParseTuple(pair, "UU:metadata", &text[0], &text[1])) return -1;
        for (int k = 0; k < 2; k++) {
            PyObject *utf8 = PyUnicode_AsUTF8String(text[k]);
            if (!utf8) return -1;
            *to[k] = cq_span_of(PyBytes_AS_STRING(utf8), (size_t)PyBytes_GET_SIZE(utf8));
            int r = PyList_Append(hold, utf8);
            Py_DECREF(utf8);
            if (r < 0) return -1;
        }
    }
    return 0;
}

static int close_core(WriterObject *self, PyObject *pairs)
{
    int r = -1;
    Py_ssize_t n = PyList_GET_SIZE(pairs);
    PyObject *hold = PyList_New(0);
    cq_kv *kv = PyMem_Calloc((size_t)n + 1, sizeof *kv);
    if (!kv) PyErr_NoMemory();
    if (hold && kv && make_metadata(pairs, hold, kv) == 0) {
        cq_err e;
        cq_err_clear(&e);
        detach(self);
        cq_status status = cq_writer_close(self->w, kv, cq_i32(n), &e);
        py_gate_attach(&self->gate);
        r = outcome(self, status, &e);
    }
    PyMem_Free(kv);
    Py_XDECREF(hold);
    return r;
}

static PyObject *report(PyObject *op)
{
    PyObject *d = Writer_info(op, NULL), *columns = d ? Writer_column_info(op, NULL) : NULL;
    if (!columns || PyDict_SetItemString(d, "columns", columns) < 0) Py_CLEAR(d);
    Py_XDECREF(columns);
    return d;
}

static PyObject *Writer_close(PyObject *op, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    static const char *const names[] = {"metadata"};
    WriterObject *self = (WriterObject *)op;
    PyObject *a[1];
    if (py_parse_args("close", args, n, kwnames, names, 1, 0, 1, a) < 0) return NULL;
    PyObject *pairs = a[0] && a[0] != Py_None ? PySequence_List(a[0]) : PyList_New(0);
    if (!pairs) return NULL;
    PyObject *r = NULL;
    if (enter(self, "close", false) == 0) {
        if (close_core(self, pairs) == 0) {
            r = report(op);
            writer_free_core(self);
        }
        leave(self);
    }
    Py_DECREF(pairs);
    return r;
}

static PyObject *Writer_abort(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    WriterObject *self = (WriterObject *)op;
    if (enter(self, "abort", true) < 0) return NULL;
    if (self->w) self->aborted = true;
    writer_free_core(self);
    leave(self);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static PyObject *Writer_attach_fd(PyObject *op, PyObject *arg)
{
    WriterObject *self = (WriterObject *)op;
    int fd = PyObject_AsFileDescriptor(arg);
    if (fd < 0 || enter(self, "attach_fd", false) < 0) return NULL;
    bool ok = self->fd_sink.fd < 0 && !self->sink.target;
    if (ok)
        self->fd_sink.fd = fd;
    else
        PyErr_SetString(PyExc_RuntimeError, "attach_fd(): the writer has a target already");
    leave(self);
    return ok ? Py_NewRef(Py_None) : NULL;
}

/* -- the type ---------------------------------------------------------------------------------- */

static void Writer_finalize(PyObject *op)
{
    PyObject *pending = compat_take_exception();
    writer_free_core((WriterObject *)op);
    if (PyErr_Occurred()) PyErr_WriteUnraisable(NULL);
    compat_set_exception(pending);
}

static int Writer_traverse(PyObject *op, visitproc visit, void *arg)
{
    WriterObject *self = (WriterObject *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->budget);
    Py_VISIT(self->name);
    int r = py_sink_traverse(&self->sink, visit, arg);
    return r ? r : table_traverse(&self->rows, visit, arg);
}

static int Writer_clear(PyObject *op)
{
    WriterObject *self = (WriterObject *)op;
    writer_free_core(self); /* finalized before: no sink is called any more */
    Py_CLEAR(self->name);
    return 0;
}

static void Writer_dealloc(PyObject *op)
{
    PyTypeObject *tp = Py_TYPE(op);
    if (PyObject_CallFinalizerFromDealloc(op) < 0) return;
    PyObject_GC_UnTrack(op);
    (void)Writer_clear(op);
    tp->tp_free(op);
    Py_DECREF(tp);
}

#define FAST(f) ((PyCFunction)(uintptr_t)(f))

static PyMethodDef Writer_methods[] = {
    {"write_row", Writer_write_row, METH_O, "write_row($self, row, /)\n--\n\nOne row."},
    {"write_rows", FAST(Writer_write_rows), METH_FASTCALL | METH_KEYWORDS,
     "write_rows($self, rows, columns=None, on_error=None)\n--\n\nAll rows of an iterable; the number written."},
    {"write_group", FAST(Writer_write_group), METH_FASTCALL | METH_KEYWORDS,
     "write_group($self, rows, columns=None)\n--\n\nAll rows as one row group of their own, or none."},
    {"write_columns", Writer_write_columns, METH_O,
     "write_columns($self, sources, /)\n--\n\nRows of one source for each column, all or none; the number written."},
    {"write_arrow", FAST(Writer_write_arrow), METH_FASTCALL,
     "write_arrow($self, stream_or_schema, array, ignore_extra, /)\n--\n\nThe batches of Arrow capsules; the number of rows."},
    {"flush_group", FAST(Writer_flush_group), METH_FASTCALL | METH_KEYWORDS,
     "flush_group($self, min_rows=0)\n--\n\nEnds the open row group if it has at least so many rows; whether it did."},
    {"close", FAST(Writer_close), METH_FASTCALL | METH_KEYWORDS,
     "close($self, metadata=None)\n--\n\nEnds the file with the given (key, value) pairs; its figures."},
    {"abort", Writer_abort, METH_NOARGS, "abort($self, /)\n--\n\nGives the file up. Any number of times."},
    {"attach_fd", Writer_attach_fd, METH_O,
     "attach_fd($self, fd, /)\n--\n\nThe file of a writer that was made without one; the caller keeps it open."},
    {"info", Writer_info, METH_NOARGS, "info($self, /)\n--\n\nFigures of now."},
    {"plan", Writer_plan, METH_NOARGS, "plan($self, /)\n--\n\nHow the memory limit is divided."},
    {"column_info", Writer_column_info, METH_NOARGS, "column_info($self, /)\n--\n\nFigures of each column."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot Writer_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)
     "Writer(fields, *, fd=-1, sink=None, name='<sink>', codec='zstd', level=None, memory_limit=67108864, budget=None,\n"
     "       row_group_size=0, row_group_bytes=0, data_page_size=0, sorting=None, spill_dir='/var/tmp', max_value_bytes=0,\n"
     "       field_ids=None, strict=True, profile='default', codecs=None, extra='error')\n"
     "--\n\nThe core's writer behind one Python object. Without fd and sink: options are checked, attach_fd() comes later."},
    {Py_tp_new, (void *)Writer_new},
    {Py_tp_dealloc, (void *)Writer_dealloc},
    {Py_tp_finalize, (void *)Writer_finalize},
    {Py_tp_traverse, (void *)Writer_traverse},
    {Py_tp_clear, (void *)Writer_clear},
    {Py_tp_methods, Writer_methods},
    {0, NULL},
};

static PyType_Spec Writer_spec = {
    .name = "ccpq._core.Writer",
    .basicsize = (int)sizeof(WriterObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = Writer_slots,
};

int py_writer_add(PyObject *module, core_state *st)
{
    if (convert_add(module, st) < 0 || layout_add(module, st) < 0 || py_sink_add(module, st) < 0) return -1;
    return py_add_type(module, &Writer_spec, &st->Writer_type);
}
