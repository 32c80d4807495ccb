/* Opening a Writer: arguments to the core's options. All checks that need no file are made here or
 * in the core's open; nothing of the sink is called before they pass. */
#include "py_writer_object.h"

#include "py_budget.h"
#include "py_errors.h"
#include "py_schema.h"

#include <string.h>

/* What the arguments say, in the core's terms; the arrays are released by opening_clear. */
typedef struct opening {
    cq_mem mem; /* of the schema, which the writer copies */
    cq_schema schema;
    cq_writer_opts opts;
    cq_sort_key *sorting;
    cq_codec_kind *codecs;
    bool *takes_members; /* of each field */
    PyObject *spill_dir; /* bytes; on the stack only, lint: no traverse */
    int strict;          /* of the converters */
    bool ignore_extra;   /* of rows */
} opening;

static void opening_clear(opening *o)
{
    cq_schema_reset(&o->schema);
    cq_mem_close(&o->mem);
    PyMem_Free(o->sorting);
    PyMem_Free(o->takes_members);
    PyMem_Free(o->codecs);
    Py_CLEAR(o->spill_dir);
}

static int sort_key(const cq_schema *schema, PyObject *item, cq_sort_key *key)
{
    PyObject *name;
    int descending;
    if (!PyTuple_Check(item)) {
        PyErr_SetString(PyExc_TypeError, "a sorting column is a tuple (name, descending)");
        return -1;
    }
    if (!PyArg_ParseTuple(item, "Up:sorting", &name, &descending)) return -1;
    PyObject *utf8 = PyUnicode_AsUTF8String(name);
    if (!utf8) return -1;
    key->column = cq_schema_find(schema, PyBytes_AS_STRING(utf8), (size_t)PyBytes_GET_SIZE(utf8));
    key->descending = descending != 0;
    Py_DECREF(utf8);
    if (key->column >= 0) return 0;
    PyErr_Format(PyExc_ValueError, "sorting column %R is not in the schema", name);
    return -1;
}

static int make_sorting(opening *o, PyObject *sorting)
{
    if (!sorting || sorting == Py_None) return 0;
    PyObject *list = PySequence_Fast(sorting, "sorting must be a sequence of (name, descending)");
    if (!list) return -1;
    int r = 0;
    Py_ssize_t n = PySequence_Fast_GET_SIZE(list);
    if (n > o->schema.n_fields) {
        PyErr_SetString(PyExc_ValueError, "more sorting columns than columns");
        r = -1;
    } else if (n > 0) {
        o->sorting = PyMem_Calloc((size_t)n, sizeof *o->sorting);
        if (!o->sorting) PyErr_NoMemory();
        r = o->sorting ? 0 : -1;
    }
    for (Py_ssize_t i = 0; r == 0 && i < n; i++)
        r = sort_key(&o->schema, PySequence_Fast_GET_ITEM(list, i), &o->sorting[i]);
    Py_DECREF(list);
    o->opts.sorting = o->sorting;
    o->opts.n_sorting = cq_i32(n);
    return r;
}

static int find_codec(core_state *st, const char *name, cq_codec_kind *out)
{
    static const char *const names[CQ_N_CODECS] = {[CQ_CODEC_NONE] = "none", [CQ_CODEC_SNAPPY] = "snappy", [CQ_CODEC_ZSTD] = "zstd"};
    for (int i = 0; i < CQ_N_CODECS; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *out = (cq_codec_kind)i;
        return 0;
    }
    PyErr_Format(st->UnsupportedError, "compression '%s' is not in this build: zstd, snappy and none are", name);
    return -1;
}

/* One name for each field, or None: the one codec is all columns'. */
static int make_codecs(core_state *st, opening *o, PyObject *codecs)
{
    if (!codecs || codecs == Py_None) return 0;
    PyObject *list = PySequence_Fast(codecs, "codecs must be a sequence of names");
    if (!list) return -1;
    int r = 0;
    Py_ssize_t n = PySequence_Fast_GET_SIZE(list);
    if (n != o->schema.n_fields) {
        PyErr_Format(PyExc_ValueError, "%zd codecs for %d fields", n, (int)o->schema.n_fields);
        r = -1;
    } else {
        o->codecs = PyMem_Calloc((size_t)n, sizeof *o->codecs);
        if (!o->codecs) PyErr_NoMemory();
        r = o->codecs ? 0 : -1;
    }
    for (Py_ssize_t i = 0; r == 0 && i < n; i++) {
        const char *name = PyUnicode_AsUTF8(PySequence_Fast_GET_ITEM(list, i));
        r = name ? find_codec(st, name, &o->codecs[i]) : -1;
    }
    Py_DECREF(list);
    o->opts.codecs = o->codecs;
    return r;
}

static int make_profile(opening *o, const char *name)
{
    static const char *const names[] = {[CQ_PROFILE_DEFAULT] = "default", [CQ_PROFILE_COMPAT] = "compat", [CQ_PROFILE_MODERN] = "modern"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        o->opts.profile = (cq_profile)i;
        return 0;
    }
    PyErr_Format(PyExc_ValueError, "there is no profile '%s'", name);
    return -1;
}

static int make_codec(core_state *st, opening *o, const char *codec, PyObject *level)
{
    if (find_codec(st, codec, &o->opts.codec) < 0) return -1;
    o->opts.level = CQ_LEVEL_DEFAULT;
    if (level && level != Py_None) {
        long n = PyLong_AsLong(level);
        if (n == -1 && PyErr_Occurred()) return -1;
        o->opts.level = cq_i32(n < -1000 ? -1000 : n > 1000 ? 1000 : n);
    }
    return 0;
}

static int make_sink(WriterObject *self, int fd, PyObject *target, cq_sink *out)
{
    bool has_target = target && target != Py_None;
    if (fd >= 0 && has_target) {
        PyErr_SetString(PyExc_TypeError, "a writer has either a descriptor or a sink");
        return -1;
    }
    if (!has_target) {
        self->fd_sink.fd = fd;
        self->fd_sink.name = writer_name(self);
        *out = cq_fd_sink_as_sink(&self->fd_sink);
        return 0;
    }
    if (py_sink_init(&self->sink, self->st, target, &self->gate) < 0) return -1;
    *out = py_sink_as_sink(&self->sink);
    return 0;
}

static int open_core(WriterObject *self, opening *o, cq_sink sink)
{
    cq_err e;
    o->opts.spill_dir = PyBytes_AS_STRING(o->spill_dir);
    o->opts.should_stop = py_gate_should_stop;
    o->opts.should_stop_ctx = &self->gate;
    if (cq_writer_open(&self->w, &o->schema, &o->opts, sink, &self->mem, &e) != CQ_OK) {
        self->w = NULL;
        (void)py_raise(self->st, &e, writer_name(self), NULL);
        return -1;
    }
    self->st->live++;
    self->plan = *cq_writer_plan(self->w);
    cq_writer_get_info(self->w, &self->info);
    if (table_init(&self->rows, self->st, self->w, o->strict != 0, o->ignore_extra) < 0) return -1;
    for (int32_t i = 0; i < self->rows.n; i++) self->rows.columns[i].takes_members = o->takes_members[i];
    return 0;
}

static int fill(WriterObject *self, opening *o, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = {"fields", "fd", "sink", "name", "codec", "level", "memory_limit", "budget",
                                        "row_group_size", "row_group_bytes", "data_page_size", "sorting", "spill_dir",
                                        "max_value_bytes", "field_ids", "strict", "profile", "codecs", "extra", NULL};
    PyObject *fields = NULL, *target = NULL, *level = NULL, *budget = NULL, *sorting = NULL, *field_ids = NULL, *codecs = NULL;
    const char *codec = "zstd", *profile = "default", *extra = "error";
    int fd = -1;
    long long limit = 64LL << 20, group_rows = 0, group_bytes = 0, page_bytes = 0, value_bytes = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$iOO&sOLOLLLOO&LOpsOs:Writer", (char **)(uintptr_t)names, &fields, &fd,
                                     &target, PyUnicode_FSConverter, &self->name, &codec, &level, &limit, &budget,
                                     &group_rows, &group_bytes, &page_bytes, &sorting, PyUnicode_FSConverter,
                                     &o->spill_dir, &value_bytes, &field_ids, &o->strict, &profile, &codecs, &extra))
        return -1;
    o->ignore_extra = strcmp(extra, "ignore") == 0;
    if (!o->ignore_extra && strcmp(extra, "error") != 0) {
        PyErr_Format(PyExc_ValueError, "extra is 'error' or 'ignore', not '%.80s'", extra);
        return -1;
    }
    if (!self->name) self->name = PyBytes_FromString("<sink>");
    if (!o->spill_dir) o->spill_dir = PyBytes_FromString("/var/tmp");
    if (!self->name || !o->spill_dir) return -1;
    o->opts.row_group_size = group_rows;
    o->opts.row_group_bytes = group_bytes;
    o->opts.data_page_bytes = page_bytes;
    o->opts.max_value_bytes = value_bytes;
    if (py_schema_fill(self->st, &o->schema, fields, field_ids, &o->takes_members) < 0 || make_sorting(o, sorting) < 0) return -1;
    if (make_codec(self->st, o, codec, level) < 0 || make_codecs(self->st, o, codecs) < 0 || make_profile(o, profile) < 0) return -1;
    if (py_budget_take(self->st, limit, budget, &self->mem, &self->budget) < 0) return -1;
    cq_sink sink;
    if (make_sink(self, fd, target, &sink) < 0) return -1;
    return open_core(self, o, sink);
}

PyObject *Writer_new(PyTypeObject *tp, PyObject *args, PyObject *kwargs)
{
    WriterObject *self = (WriterObject *)tp->tp_alloc(tp, 0);
    if (!self) return NULL;
    self->st = py_state_of(tp);
    self->forks = self->st->forks;
    atomic_init(&self->busy, false);
    opening o;
    memset(&o, 0, sizeof o);
    cq_mem_init(&o.mem, NULL, UINT64_C(256) << 20);
    cq_schema_init(&o.schema, &o.mem);
    o.strict = 1;
    int r = fill(self, &o, args, kwargs);
    opening_clear(&o);
    if (r == 0) return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}
