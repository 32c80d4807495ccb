/* The types Checkpoint (one open file), Series (one series of it, its values on demand) and the
 * iterator between them. Scanning and reading are the core's.
 *
 * Values are memory of the core on the checkpoint's budget, exported by the buffer protocol; a
 * series and its views outlive the closing of the file once the values were read. */
#include "state.h"

#include "py_archive.h"
#include "py_budget.h"
#include "py_errors.h"
#include "py_gate.h"

#include "base/bytes.h"
#include "checkpoint/checkpoint.h"

#include <stdatomic.h>
#include <string.h>

typedef struct CheckpointObject {
    PyObject_HEAD
    core_state *st;
    cq_checkpoint *c;     /* NULL: closed */
    cq_mem mem;           /* also the parent of every series' values */
    PyObject *budget;     /* the MemoryBudget behind `mem`; NULL: none */
    PyObject *path;       /* bytes */
    PyObject *spill_dir;  /* bytes */
    cq_checkpoint_info info;
    py_gate gate;
    _Atomic bool busy;
    uint64_t forks;
} CheckpointObject;

typedef struct SeriesObject {
    PyObject_HEAD
    CheckpointObject *owner;
    PyObject *path, *metric, *scope, *scope_id;
    int64_t start, frequency;
    Py_ssize_t n, stride;
    cq_value_cursor cursor;
    cq_mem mem;           /* of `values` */
    float *values;        /* NULL: not read yet */
    bool loaded;
} SeriesObject;

typedef struct SeriesIterObject {
    PyObject_HEAD
    CheckpointObject *owner;
    PyObject *metric, *scope; /* bytes that a series must have; NULL: any */
    uint64_t next;
} SeriesIterObject;

/* -- Checkpoint -------------------------------------------------------------------------------- */

static const char *path_of(const CheckpointObject *self) { return PyBytes_AS_STRING(self->path); }

/* Marks the checkpoint busy: calls detach, and another thread must not come in between. */
static int enter(CheckpointObject *self)
{
    if (self->forks != self->st->forks) {
        PyErr_SetString(PyExc_RuntimeError, "the checkpoint belongs to the process that this one was forked from");
        return -1;
    }
    if (atomic_exchange_explicit(&self->busy, true, memory_order_acquire)) {
        PyErr_SetString(PyExc_RuntimeError, "the checkpoint is in use by another thread");
        return -1;
    }
    if (self->c) return 0;
    atomic_store_explicit(&self->busy, false, memory_order_release);
    PyErr_SetString(PyExc_RuntimeError, "the checkpoint is closed");
    return -1;
}

static void leave(CheckpointObject *self) { atomic_store_explicit(&self->busy, false, memory_order_release); }

static void close_core(CheckpointObject *self)
{
    if (!self->c) return;
    /* A child of a fork owns nothing, but may give its copy of the memory back. */
    cq_checkpoint_free(self->c);
    self->c = NULL;
    if (self->forks == self->st->forks) self->st->live--;
}

static int open_core(CheckpointObject *self)
{
    cq_checkpoint_opts const o = {.spill_dir = PyBytes_AS_STRING(self->spill_dir),
                                  .poll = {.should_stop = py_gate_should_stop, .ctx = &self->gate}};
    cq_err e;
    cq_err_clear(&e);
    py_gate_detach(&self->gate);
    cq_status const s = cq_checkpoint_open(&self->c, path_of(self), &o, &self->mem, &e);
    py_gate_attach(&self->gate);
    if (s != CQ_OK) {
        (void)py_raise(self->st, &e, path_of(self), NULL);
        return -1;
    }
    self->st->live++;
    self->info = *cq_checkpoint_get_info(self->c);
    return 0;
}

static PyObject *Checkpoint_new(PyTypeObject *tp, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = {"path", "memory_limit", "spill_dir", "budget", NULL};
    PyObject *path = NULL, *spill_dir = NULL, *budget = NULL;
    long long limit = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&LO&|O:Checkpoint", (char **)(uintptr_t)names, PyUnicode_FSConverter, &path,
                                     &limit, PyUnicode_FSConverter, &spill_dir, &budget)) {
        Py_XDECREF(path);
        return NULL;
    }
    CheckpointObject *self = (CheckpointObject *)tp->tp_alloc(tp, 0);
    if (!self) {
        Py_DECREF(path);
        Py_DECREF(spill_dir);
        return NULL;
    }
    self->st = py_state_of(tp);
    self->forks = self->st->forks;
    self->path = path;
    self->spill_dir = spill_dir;
    cq_mem_init(&self->mem, NULL, 1);
    if (py_budget_take(self->st, limit, budget, &self->mem, &self->budget) < 0 || open_core(self) < 0) Py_CLEAR(self);
    return (PyObject *)self;
}

static int Checkpoint_traverse(PyObject *op, visitproc visit, void *arg)
{
    CheckpointObject *self = (CheckpointObject *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->budget);
    Py_VISIT(self->path);
    Py_VISIT(self->spill_dir);
    return 0;
}

static void Checkpoint_dealloc(PyObject *op)
{
    CheckpointObject *self = (CheckpointObject *)op;
    PyTypeObject *tp = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    close_core(self);
    cq_mem_close(&self->mem);
    Py_CLEAR(self->budget);
    Py_CLEAR(self->path);
    Py_CLEAR(self->spill_dir);
    tp->tp_free(op);
    Py_DECREF(tp);
}

static PyObject *Checkpoint_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    CheckpointObject *self = (CheckpointObject *)op;
    if (!self->c) Py_RETURN_NONE;
    if (enter(self) < 0) return NULL;
    close_core(self);
    leave(self);
    Py_RETURN_NONE;
}

static int take_filter(PyObject *arg, const char *what, PyObject **out)
{
    *out = NULL;
    if (!arg || arg == Py_None) return 0;
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "%s must be a str, not %.100s", what, Py_TYPE(arg)->tp_name);
        return -1;
    }
    *out = PyUnicode_AsEncodedString(arg, "utf-8", "surrogatepass");
    return *out ? 0 : -1;
}

static PyObject *Checkpoint_series(PyObject *op, PyObject *const *args, Py_ssize_t n_args, PyObject *kwnames)
{
    static const char *const names[] = {"metric", "scope"};
    CheckpointObject *self = (CheckpointObject *)op;
    PyObject *given[2];
    if (py_parse_args("series", args, n_args, kwnames, names, 2, 0, 2, given) < 0) return NULL;
    if (enter(self) < 0) return NULL;
    leave(self);
    PyTypeObject *tp = (PyTypeObject *)self->st->SeriesIter_type;
    SeriesIterObject *it = (SeriesIterObject *)tp->tp_alloc(tp, 0);
    if (!it) return NULL;
    it->owner = (CheckpointObject *)Py_NewRef(op);
    if (take_filter(given[0], "metric", &it->metric) < 0 || take_filter(given[1], "scope", &it->scope) < 0) Py_CLEAR(it);
    return (PyObject *)it;
}

static PyObject *Checkpoint_get_kind(PyObject *op, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(((CheckpointObject *)op)->info.kind == CQ_CHECKPOINT_JSON ? "json" : "bin");
}

static PyObject *Checkpoint_get_start(PyObject *op, void *Py_UNUSED(closure))
{
    const cq_checkpoint_info *i = &((CheckpointObject *)op)->info;
    return i->has_from ? PyLong_FromLongLong(i->from) : Py_NewRef(Py_None);
}

static PyObject *Checkpoint_get_end(PyObject *op, void *Py_UNUSED(closure))
{
    const cq_checkpoint_info *i = &((CheckpointObject *)op)->info;
    return i->has_to ? PyLong_FromLongLong(i->to) : Py_NewRef(Py_None);
}

static PyObject *Checkpoint_get_report(PyObject *op, void *Py_UNUSED(closure))
{
    CheckpointObject *self = (CheckpointObject *)op;
    const cq_checkpoint_info *i = &self->info;
    char hash[17];
    (void)snprintf(hash, sizeof hash, "%016llx", (unsigned long long)i->xxh64);
    return Py_BuildValue("{s:N,s:L,s:L,s:s,s:K,s:K,s:K,s:K,s:K}", "kind", Checkpoint_get_kind(op, NULL), "size", (long long)i->id.size,
                         "mtime_ns", (long long)i->id.mtime_ns, "xxh64", hash, "series", (unsigned long long)i->n_series, "values",
                         (unsigned long long)i->n_values, "trailing_bytes", (unsigned long long)i->trailing_bytes, "memory_peak",
                         (unsigned long long)cq_mem_peak(&self->mem), "memory_limit", (unsigned long long)self->mem.limit);
}

static PyObject *Checkpoint_get_closed(PyObject *op, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((CheckpointObject *)op)->c == NULL);
}

static PyMethodDef Checkpoint_methods[] = {
    {"close", Checkpoint_close, METH_NOARGS, "close($self, /)\n--\n\nFrees the index; series whose values were read keep them."},
    {"series", (PyCFunction)(void (*)(void))Checkpoint_series, METH_FASTCALL | METH_KEYWORDS,
     "series($self, /, metric=None, scope=None)\n--\n\nAn iterator over the series, sorted by metric, scope, scope id and path."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef Checkpoint_getset[] = {
    {"kind", Checkpoint_get_kind, NULL, "'json' or 'bin'", NULL},
    {"start", Checkpoint_get_start, NULL, "the file's `from` in unix seconds; None: it has none", NULL},
    {"end", Checkpoint_get_end, NULL, "the file's `to` in unix seconds; None: it has none", NULL},
    {"report", Checkpoint_get_report, NULL, "a new dict: size, mtime_ns, xxh64, series, values, trailing_bytes, memory", NULL},
    {"closed", Checkpoint_get_closed, NULL, "whether close() was called", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot Checkpoint_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)"Checkpoint(path, memory_limit, spill_dir, budget=None)\n--\n\n"
                                   "One .json or .bin checkpoint, validated as a whole when it is opened."},
    {Py_tp_new, (void *)Checkpoint_new},
    {Py_tp_dealloc, (void *)Checkpoint_dealloc},
    {Py_tp_traverse, (void *)Checkpoint_traverse},
    {Py_tp_methods, Checkpoint_methods},
    {Py_tp_getset, Checkpoint_getset},
    {0, NULL},
};

static PyType_Spec Checkpoint_spec = {
    .name = "ccpq._core.Checkpoint",
    .basicsize = (int)sizeof(CheckpointObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = Checkpoint_slots,
};

/* -- Series ------------------------------------------------------------------------------------ */

static PyObject *text_of(cq_span s) { return PyUnicode_DecodeUTF8((const char *)s.p, (Py_ssize_t)s.n, "strict"); }

static PyObject *path_tuple(cq_span path)
{
    PyObject *list = PyList_New(0);
    cq_span name;
    for (size_t at = 0; list && cq_tree_path_next(path, &at, &name);) {
        PyObject *text = text_of(name);
        if (!text || PyList_Append(list, text) < 0) Py_CLEAR(list);
        Py_XDECREF(text);
    }
    if (!list) return NULL;
    PyObject *tuple = PyList_AsTuple(list);
    Py_DECREF(list);
    return tuple;
}

static PyObject *make_series(CheckpointObject *owner, const cq_series *s)
{
    PyTypeObject *tp = (PyTypeObject *)owner->st->Series_type;
    if (s->n_values > (uint64_t)PY_SSIZE_T_MAX / sizeof(float)) return PyErr_NoMemory();
    SeriesObject *self = (SeriesObject *)tp->tp_alloc(tp, 0);
    if (!self) return NULL;
    cq_mem_init(&self->mem, &owner->mem, owner->mem.limit);
    self->owner = (CheckpointObject *)Py_NewRef((PyObject *)owner);
    self->start = s->start;
    self->frequency = s->frequency;
    self->n = (Py_ssize_t)s->n_values;
    self->stride = sizeof(float);
    self->cursor = cq_value_cursor_of(s);
    self->path = path_tuple(s->path);
    self->metric = text_of(s->metric);
    self->scope = text_of(s->scope);
    self->scope_id = text_of(s->scope_id);
    if (!self->path || !self->metric || !self->scope || !self->scope_id) Py_CLEAR(self);
    return (PyObject *)self;
}

static size_t value_bytes(const SeriesObject *self) { return (size_t)self->n * sizeof(float); }

static int Series_traverse(PyObject *op, visitproc visit, void *arg)
{
    SeriesObject *self = (SeriesObject *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->owner);
    Py_VISIT(self->path);
    Py_VISIT(self->metric);
    Py_VISIT(self->scope);
    Py_VISIT(self->scope_id);
    return 0;
}

static void Series_dealloc(PyObject *op)
{
    SeriesObject *self = (SeriesObject *)op;
    PyTypeObject *tp = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (self->values) cq_mem_free(&self->mem, self->values, value_bytes(self));
    cq_mem_close(&self->mem);
    Py_CLEAR(self->owner);
    Py_CLEAR(self->path);
    Py_CLEAR(self->metric);
    Py_CLEAR(self->scope);
    Py_CLEAR(self->scope_id);
    tp->tp_free(op);
    Py_DECREF(tp);
}

/* Reads the values into memory of the series' own; the owner is busy meanwhile. */
static int load_entered(SeriesObject *self)
{
    CheckpointObject *owner = self->owner;
    cq_err e;
    cq_err_clear(&e);
    size_t const n = value_bytes(self);
    cq_status s = CQ_OK;
    void *p = NULL;
    if (n > 0 && !(p = cq_mem_resize(&self->mem, NULL, 0, n))) {
        s = self->mem.last == CQ_EBUDGET
                ? cq_fail_budget(&e, "the values of a series, beside what is in use,", n + cq_mem_used(&owner->mem), owner->mem.limit)
                : cq_mem_error(&self->mem, "the values of a series", &e);
    }
    if (s == CQ_OK) {
        py_gate_detach(&owner->gate);
        s = cq_checkpoint_values(owner->c, self->cursor, p, &e);
        py_gate_attach(&owner->gate);
    }
    if (s == CQ_OK) {
        self->values = p;
        self->loaded = true;
        return 0;
    }
    if (p) cq_mem_free(&self->mem, p, n);
    (void)py_raise(owner->st, &e, path_of(owner), NULL);
    return -1;
}

static int load(SeriesObject *self)
{
    if (self->loaded) return 0;
    if (enter(self->owner) < 0) return -1;
    /* Read by another thread before this one could enter. */
    int const r = self->loaded ? 0 : load_entered(self);
    leave(self->owner);
    return r;
}

static int Series_getbuffer(PyObject *op, Py_buffer *view, int flags)
{
    SeriesObject *self = (SeriesObject *)op;
    view->obj = NULL;
    if (flags & PyBUF_WRITABLE) {
        PyErr_SetString(PyExc_BufferError, "the values of a series are read-only");
        return -1;
    }
    if (load(self) < 0) return -1;
    view->buf = self->values ? (void *)self->values : (void *)&self->n;
    view->len = self->n * (Py_ssize_t)sizeof(float);
    view->readonly = 1;
    view->itemsize = sizeof(float);
    view->format = flags & PyBUF_FORMAT ? (char *)(uintptr_t)"f" : NULL;
    view->ndim = 1;
    view->shape = flags & PyBUF_ND ? &self->n : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &self->stride : NULL;
    view->suboffsets = NULL;
    view->internal = NULL;
    view->obj = Py_NewRef(op);
    return 0;
}

static Py_ssize_t Series_length(PyObject *op) { return ((SeriesObject *)op)->n; }

static PyObject *Series_get_path(PyObject *op, void *Py_UNUSED(closure)) { return Py_NewRef(((SeriesObject *)op)->path); }
static PyObject *Series_get_metric(PyObject *op, void *Py_UNUSED(closure)) { return Py_NewRef(((SeriesObject *)op)->metric); }
static PyObject *Series_get_scope(PyObject *op, void *Py_UNUSED(closure)) { return Py_NewRef(((SeriesObject *)op)->scope); }
static PyObject *Series_get_scope_id(PyObject *op, void *Py_UNUSED(closure)) { return Py_NewRef(((SeriesObject *)op)->scope_id); }
static PyObject *Series_get_start(PyObject *op, void *Py_UNUSED(closure)) { return PyLong_FromLongLong(((SeriesObject *)op)->start); }
static PyObject *Series_get_frequency(PyObject *op, void *Py_UNUSED(closure)) { return PyLong_FromLongLong(((SeriesObject *)op)->frequency); }
static PyObject *Series_get_values(PyObject *op, void *Py_UNUSED(closure)) { return PyMemoryView_FromObject(op); }

static PyObject *Series_get_timestamps(PyObject *op, void *Py_UNUSED(closure))
{
    SeriesObject *self = (SeriesObject *)op;
    int64_t const end = self->start + (int64_t)self->n * self->frequency; /* the index pass saw that it fits */
    return PyObject_CallFunction((PyObject *)&PyRange_Type, "LLL", (long long)self->start, (long long)end, (long long)self->frequency);
}

static PyObject *Series_repr(PyObject *op)
{
    SeriesObject *self = (SeriesObject *)op;
    return PyUnicode_FromFormat("<ccpq.Series %.60R %.60U%s%.60U: %zd values, every %lld s from %lld>", self->metric, self->scope,
                                PyUnicode_GET_LENGTH(self->scope_id) ? " " : "", self->scope_id, self->n, (long long)self->frequency,
                                (long long)self->start);
}

static PyGetSetDef Series_getset[] = {
    {"path", Series_get_path, NULL, "names of the nodes below the host, a tuple of str", NULL},
    {"metric", Series_get_metric, NULL, NULL, NULL},
    {"scope", Series_get_scope, NULL, "'node', 'socket', 'core', ...: from the name of the deepest node", NULL},
    {"scope_id", Series_get_scope_id, NULL, "what follows the scope in that name; '' where nothing does", NULL},
    {"start", Series_get_start, NULL, "time of the first value in unix seconds", NULL},
    {"frequency", Series_get_frequency, NULL, "seconds from value to value", NULL},
    {"timestamps", Series_get_timestamps, NULL, "a range of unix seconds, one for each value", NULL},
    {"values", Series_get_values, NULL,
     "a read-only memoryview of float32, NaN where there is no sample; read from the file when first asked for", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot Series_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)"One metric of one node of a checkpoint. A buffer of float32 (numpy.asarray needs no copy)."},
    {Py_tp_dealloc, (void *)Series_dealloc},
    {Py_tp_traverse, (void *)Series_traverse},
    {Py_tp_repr, (void *)Series_repr},
    {Py_tp_getset, Series_getset},
    {Py_sq_length, (void *)Series_length},
    {Py_bf_getbuffer, (void *)Series_getbuffer},
    {0, NULL},
};

static PyType_Spec Series_spec = {
    .name = "ccpq._core.Series",
    .basicsize = (int)sizeof(SeriesObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = Series_slots,
};

/* -- the iterator ------------------------------------------------------------------------------ */

static int SeriesIter_traverse(PyObject *op, visitproc visit, void *arg)
{
    SeriesIterObject *self = (SeriesIterObject *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->owner);
    Py_VISIT(self->metric);
    Py_VISIT(self->scope);
    return 0;
}

static void SeriesIter_dealloc(PyObject *op)
{
    SeriesIterObject *self = (SeriesIterObject *)op;
    PyTypeObject *tp = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_CLEAR(self->owner);
    Py_CLEAR(self->metric);
    Py_CLEAR(self->scope);
    tp->tp_free(op);
    Py_DECREF(tp);
}

static bool is_wanted(cq_span s, PyObject *filter)
{
    return !filter || (s.n == (size_t)PyBytes_GET_SIZE(filter) && memcmp(s.p, PyBytes_AS_STRING(filter), s.n) == 0);
}

static PyObject *SeriesIter_next(PyObject *op)
{
    SeriesIterObject *self = (SeriesIterObject *)op;
    CheckpointObject *owner = self->owner;
    PyObject *result = NULL;
    if (enter(owner) < 0) return NULL;
    for (bool more = true; more && !result;) {
        cq_series s;
        cq_err e;
        cq_err_clear(&e);
        if (cq_checkpoint_series(owner->c, self->next, &s, &more, &e) != CQ_OK) {
            (void)py_raise(owner->st, &e, path_of(owner), NULL);
            break;
        }
        if (!more) break;
        self->next++;
        if (!is_wanted(s.metric, self->metric) || !is_wanted(s.scope, self->scope)) continue;
        result = make_series(owner, &s);
        if (!result) break;
    }
    leave(owner);
    return result;
}

static PyType_Slot SeriesIter_slots[] = {
    {Py_tp_dealloc, (void *)SeriesIter_dealloc},
    {Py_tp_traverse, (void *)SeriesIter_traverse},
    {Py_tp_iter, (void *)PyObject_SelfIter},
    {Py_tp_iternext, (void *)SeriesIter_next},
    {0, NULL},
};

static PyType_Spec SeriesIter_spec = {
    .name = "ccpq._core.SeriesIter",
    .basicsize = (int)sizeof(SeriesIterObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = SeriesIter_slots,
};

int py_checkpoint_add(PyObject *module, core_state *st)
{
    if (py_add_type(module, &Checkpoint_spec, &st->Checkpoint_type) < 0) return -1;
    if (py_add_type(module, &Series_spec, &st->Series_type) < 0) return -1;
    if (py_add_type(module, &SeriesIter_spec, &st->SeriesIter_type) < 0) return -1;
    return py_archive_add(module);
}
