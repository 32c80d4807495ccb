/* write_columns and write_arrow: which column of the caller is which of the schema, and what keeps
 * its memory alive. Reading, checking and writing rows is py_batch.h's. */
#include "py_columns.h"

#include "py_arrow.h"
#include "py_batch.h"
#include "py_errors.h"
#include "py_row_error.h"
#include "py_writer.h"

#include "base/bytes.h"
#include "write/stage.h"

#include <string.h>

/* What a source borrows from. */
typedef struct holder {
    bool has_view, has_mask;
    Py_buffer view, mask;
    arrow_input in;
    struct ArrowArray *arrays; /* of the writer's memory */
    size_t n_arrays, cap_arrays;
} holder;

/* What a column takes while it is written. */
typedef struct bound {
    source source;
    holder holder;
} bound;
_Static_assert(sizeof(bound) + sizeof(column) + sizeof(cq_vec) + 64 <= CQ_PLAN_PER_BATCH_COLUMN, "the plan counts less for a column of a batch than it takes");

static void holder_clear(WriterObject *self, holder *h)
{
    if (h->has_view) PyBuffer_Release(&h->view);
    if (h->has_mask) PyBuffer_Release(&h->mask);
    arrow_release_arrays(h->arrays, h->n_arrays);
    cq_mem_free(&self->mem, h->arrays, h->cap_arrays * sizeof *h->arrays);
    arrow_clear(&h->in);
    memset(h, 0, sizeof *h);
}

static const cq_field *field_of(const WriterObject *self, int32_t i) { return &cq_writer_schema(self->w)->fields[i]; }

/* A column that as a whole is refused or malformed, said for its first row. */
static int refuse_column(WriterObject *self, int32_t i, const cq_err *e) { return batch_raise(self, e, i, 0, 0); }

/* -- buffers ------------------------------------------------------------------------------------ */

typedef struct kind_name {
    const char *name;
    cq_strided_kind kind;
} kind_name;

static int find_kind(const char *name, cq_strided_kind *out)
{
    static const kind_name kinds[] = {
        {"bool", CQ_STRIDED_BOOL}, {"int", CQ_STRIDED_INT}, {"uint", CQ_STRIDED_UINT}, {"float", CQ_STRIDED_FLOAT},
        {"datetime64", CQ_STRIDED_DATETIME}, {"bytes", CQ_STRIDED_BYTES}, {"void", CQ_STRIDED_VOID}, {"text", CQ_STRIDED_TEXT},
    };
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (strcmp(kinds[k].name, name) == 0) return *out = kinds[k].kind, 0;
    PyErr_Format(PyExc_ValueError, "unknown kind of buffer '%s'", name);
    return -1;
}

static int find_unit(const char *name, cq_strided_unit *out)
{
    static const char *const names[] = {"W", "D", "h", "m", "s", "ms", "us", "ns"};
    static const cq_strided_unit units[] = {CQ_STRIDED_WEEK, CQ_STRIDED_DAY, CQ_STRIDED_HOUR, CQ_STRIDED_MINUTE, CQ_STRIDED_S, CQ_STRIDED_MS, CQ_STRIDED_US, CQ_STRIDED_NS};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (strcmp(names[k], name) == 0) return *out = units[k], 0;
    PyErr_Format(PyExc_ValueError, "unknown unit '%s'", name);
    return -1;
}

/* A buffer of one dimension. */
static int get_view(PyObject *exporter, Py_buffer *view, bool *has)
{
    if (PyObject_GetBuffer(exporter, view, PyBUF_FULL_RO) < 0) return -1;
    *has = true;
    if (view->ndim == 1 && view->shape && view->strides && !view->suboffsets && view->itemsize > 0) return 0;
    PyErr_SetString(PyExc_ValueError, view->itemsize > 0 ? "a column is a buffer of one dimension" : "a column is a buffer of items that have bytes");
    return -1;
}

static int bind_buffer(WriterObject *self, int32_t i, source *s, holder *h, PyObject *spec)
{
    PyObject *exporter, *mask;
    const char *tag, *kind, *unit;
    int count, swapped;
    cq_strided a;
    memset(&a, 0, sizeof a);
    if (!PyArg_ParseTuple(spec, "sOssipO:buffer", &tag, &exporter, &kind, &unit, &count, &swapped, &mask)) return -1;
    if (find_kind(kind, &a.kind) < 0 || (a.kind == CQ_STRIDED_DATETIME && find_unit(unit, &a.unit) < 0)) return -1;
    if (get_view(exporter, &h->view, &h->has_view) < 0) return -1;
    a.base = h->view.buf;
    a.stride = h->view.strides[0];
    a.n = h->view.shape[0];
    a.item_bytes = (size_t)h->view.itemsize;
    a.swapped = swapped != 0;
    a.multiplier = count;
    if (mask != Py_None) {
        if (get_view(mask, &h->mask, &h->has_mask) < 0) return -1;
        if (h->mask.shape[0] != a.n || h->mask.itemsize != 1) {
            PyErr_SetString(PyExc_ValueError, "a mask is as long as its column, one byte a value");
            return -1;
        }
        a.mask = h->mask.buf;
        a.mask_stride = h->mask.strides[0];
    }
    cq_err e;
    cq_err_clear(&e);
    if (cq_import_strided(&s->import, field_of(self, i), &a, &e) != CQ_OK) return refuse_column(self, i, &e);
    s->kind = SOURCE_STRIDED;
    s->length = a.n;
    return 0;
}

/* -- ramps -------------------------------------------------------------------------------------- */

static int get_i64(PyObject *o, const char *name, int64_t *out, bool *fits)
{
    PyObject *v = PyObject_GetAttrString(o, name);
    if (!v) return -1;
    int overflow = 0;
    *out = PyLong_AsLongLongAndOverflow(v, &overflow);
    Py_DECREF(v);
    if (overflow) *fits = false;
    return *out == -1 && PyErr_Occurred() ? -1 : 0;
}

static bool is_timestamp(cq_type t) { return cq_type_facts(t)->unit != CQ_UNIT_NONE && t >= CQ_TIMESTAMP_S; }

/* A range is a ramp where an int is stored as it is, or in seconds a thousand times; elsewhere its values are converted. */
static int bind_range(WriterObject *self, int32_t i, source *s, PyObject *range)
{
    cq_type const t = field_of(self, i)->type;
    Py_ssize_t const n = PyObject_Length(range);
    int64_t start = 0, step = 0, last;
    bool fits = t == CQ_INT64 || is_timestamp(t);
    if (n < 0) return -1;
    s->kind = SOURCE_OBJECTS;
    s->object = range;
    s->length = n;
    if (n == 0 || !fits) return 0;
    if (get_i64(range, "start", &start, &fits) < 0 || get_i64(range, "step", &step, &fits) < 0) return -1;
    int64_t const scale = cq_type_facts(t)->unit == CQ_UNIT_S ? 1000 : 1;
    fits = fits && cq_mul_i64(start, scale, &start) && cq_mul_i64(step, scale, &step) && cq_mul_i64(step, n - 1, &last) && cq_add_i64(start, last, &last);
    if (!fits) return 0;
    s->kind = SOURCE_RAMP;
    s->start = start;
    s->step = step;
    return 0;
}

/* -- Arrow columns ------------------------------------------------------------------------------ */

/* Bytes that all columns take while they are written. */
static size_t taken_by(const holder *holders, int32_t n)
{
    size_t sum = (size_t)cq_mem_charge_of((size_t)n * sizeof(bound));
    for (int32_t i = 0; i < n; i++) sum += (size_t)cq_mem_charge_of(holders[i].cap_arrays * sizeof(struct ArrowArray));
    return sum;
}

/* The list may take half of the room for columns from outside. */
static cq_status stretch_list(WriterObject *self, holder *holders, holder *h, cq_err *e)
{
    struct ArrowArray *more;
    size_t const cap = h->cap_arrays ? h->cap_arrays * 2 : 8, old_bytes = h->cap_arrays * sizeof *more, bytes = cap * sizeof *more;
    size_t const room = cq_stage_room(&self->plan), taken = taken_by(holders, self->rows.n) - (size_t)cq_mem_charge_of(old_bytes);
    if (h->cap_arrays && taken + bytes > room / 2) {
        cq_status const st = cq_fail(e, CQ_EBUDGET, "a column in more than %zu Arrow batches: the list of them needs more than the memory limit leaves; combine them, "
                                     "or use write_arrow, which takes batches one by one", h->n_arrays);
        e->limit = self->plan.memory_limit;
        e->needed = self->plan.memory_limit + 8 * (uint64_t)bytes;
        return st;
    }
    more = cq_mem_resize(&self->mem, h->arrays, old_bytes, bytes);
    if (!more) return cq_mem_error(&self->mem, "the list of a column's Arrow batches", e);
    h->arrays = more;
    h->cap_arrays = cap;
    return CQ_OK;
}

/* Room for one more array; NULL with an exception. The structs move, as the interface allows. */
static struct ArrowArray *new_array(WriterObject *self, holder *holders, holder *h)
{
    cq_err e;
    if (h->n_arrays == h->cap_arrays && stretch_list(self, holders, h, &e) != CQ_OK) return py_raise(self->st, &e, writer_name(self), NULL), NULL;
    struct ArrowArray *a = &h->arrays[h->n_arrays++];
    memset(a, 0, sizeof *a);
    return a;
}

/* All arrays of the column: the producer holds their memory. */
static int collect(WriterObject *self, int32_t i, holder *holders, int64_t *length)
{
    holder *h = &holders[i];
    *length = 0;
    for (;;) {
        struct ArrowArray *a = new_array(self, holders, h);
        if (!a || arrow_next(&h->in, a) < 0) return -1;
        if (!a->release) return h->n_arrays--, 0;
        if (a->length < 0 || !cq_add_i64(*length, a->length, length)) {
            cq_err e;
            cq_status const st = cq_fail(&e, CQ_EFORMAT, "the Arrow producer gave an array of %lld rows", (long long)a->length);
            (void)st;
            return refuse_column(self, i, &e);
        }
        if (a->length == 0) arrow_release_arrays(&h->arrays[--h->n_arrays], 1); /* nothing of it will be read */
        if (PyErr_CheckSignals() < 0) return -1;
    }
}

static int bind_arrow_type(WriterObject *self, int32_t i, source *s, const struct ArrowSchema *type)
{
    cq_err e;
    cq_err_clear(&e);
    if (cq_import_arrow_type(&s->import, field_of(self, i), type, &e) != CQ_OK) return refuse_column(self, i, &e);
    s->kind = SOURCE_ARROW;
    if (cq_type_facts(field_of(self, i)->type)->is_float) s->null_advice = " (pandas gives NaN as null)";
    return 0;
}

static int bind_arrow(WriterObject *self, int32_t i, source *s, holder *holders, PyObject *capsule, PyObject *array)
{
    holder *h = &holders[i];
    if (arrow_open(self->st, &h->in, capsule, array) < 0) return -1;
    if (bind_arrow_type(self, i, s, &h->in.schema) < 0) return -1;
    if (collect(self, i, holders, &s->length) < 0) return -1;
    s->arrays = h->arrays;
    s->n_arrays = cq_i64(h->n_arrays);
    return 0;
}

/* -- write_columns ------------------------------------------------------------------------------ */

static int bind_source(WriterObject *self, int32_t i, source *s, holder *holders, PyObject *spec)
{
    PyObject *first;
    const char *tag;
    s->length = -1;
    if (!PyTuple_Check(spec) || PyTuple_GET_SIZE(spec) < 2 || !(tag = PyUnicode_AsUTF8(PyTuple_GET_ITEM(spec, 0)))) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "a source is a tuple (kind, ...)");
        return -1;
    }
    first = PyTuple_GET_ITEM(spec, 1);
    if (strcmp(tag, "const") == 0) {
        s->kind = SOURCE_CONST;
        s->object = first;
        return 0;
    }
    if (strcmp(tag, "range") == 0) return bind_range(self, i, s, first);
    if (strcmp(tag, "buffer") == 0) return bind_buffer(self, i, s, &holders[i], spec);
    if (strcmp(tag, "arrow_stream") == 0) return bind_arrow(self, i, s, holders, first, NULL);
    if (strcmp(tag, "arrow_array") == 0) {
        if (!PyTuple_Check(first) || PyTuple_GET_SIZE(first) != 2) {
            PyErr_Format(PyExc_TypeError, "column %R: __arrow_c_array__() gives a schema and an array, not %.100s", self->rows.columns[i].name,
                         Py_TYPE(first)->tp_name);
            return -1;
        }
        return bind_arrow(self, i, s, holders, PyTuple_GET_ITEM(first, 0), PyTuple_GET_ITEM(first, 1));
    }
    s->kind = SOURCE_OBJECTS;
    s->object = first;
    s->length = PyObject_Length(first);
    return s->length < 0 ? -1 : 0;
}

/* One length of all columns that have one. */
static int common_length(const WriterObject *self, const source *sources, int64_t *out)
{
    int32_t first = -1;
    for (int32_t i = 0; i < self->rows.n; i++) {
        if (sources[i].length < 0) continue;
        if (first < 0) {
            first = i;
        } else if (sources[i].length != sources[first].length) {
            PyErr_Format(PyExc_ValueError, "write_columns(): column %R has %lld rows where column %R has %lld", self->rows.columns[i].name,
                         (long long)sources[i].length, self->rows.columns[first].name, (long long)sources[first].length);
            return -1;
        }
    }
    if (first < 0) {
        PyErr_SetString(PyExc_ValueError, "write_columns(): every column is one value, so that the number of rows is not known; "
                                          "give a list or an array for one of them");
        return -1;
    }
    *out = sources[first].length;
    return 0;
}

static int write_sources(WriterObject *self, PyObject *specs, source *sources, holder *holders, int64_t *n_rows)
{
    int32_t const n = self->rows.n;
    for (int32_t i = 0; i < n; i++)
        if (bind_source(self, i, &sources[i], holders, PyTuple_GET_ITEM(specs, i)) < 0) return -1;
    if (common_length(self, sources, n_rows) < 0) return -1;
    batch_place const at = {.taken = taken_by(holders, n)};
    return batch_write(self, sources, *n_rows, &at);
}

static PyObject *write_columns(WriterObject *self, PyObject *specs)
{
    int32_t const n = self->rows.n;
    if (PyTuple_GET_SIZE(specs) != n) {
        PyErr_Format(PyExc_TypeError, "write_columns() takes a list of %d sources", (int)n); /* lint: a count of columns */
        return NULL;
    }
    cq_err e;
    void *p;
    int64_t n_rows = 0;
    if (cq_mem_alloc(&self->mem, (size_t)n * sizeof(bound), "a batch of columns", &p, &e) != CQ_OK) return py_raise(self->st, &e, writer_name(self), NULL);
    source *sources = p;
    holder *holders = (holder *)(void *)(sources + n);
    int const failed = write_sources(self, specs, sources, holders, &n_rows);
    for (int32_t i = 0; i < n; i++) holder_clear(self, &holders[i]);
    cq_mem_free(&self->mem, p, (size_t)n * sizeof(bound));
    return failed ? NULL : PyLong_FromLongLong(n_rows);
}

/* A tuple of the sources holds what they borrow, whatever becomes of the list. */
PyObject *Writer_write_columns(PyObject *op, PyObject *list)
{
    WriterObject *self = (WriterObject *)op;
    PyObject *specs = PySequence_Tuple(list), *r = NULL;
    if (specs && py_writer_acquire(self->st, op, "write_columns")) {
        r = write_columns(self, specs);
        py_writer_release(op);
    }
    Py_XDECREF(specs);
    return r;
}

/* -- write_arrow -------------------------------------------------------------------------------- */

/* A stream of record batches bound to the writer's columns. */
typedef struct arrow_table {
    arrow_input in;
    source *sources;
    int64_t *child_of;           /* column -> child; -1: none, null */
} arrow_table;
_Static_assert(sizeof(source) + sizeof(int64_t) <= sizeof(bound), "the plan counts columns of both ways");

static int refuse_unknown(WriterObject *self, PyObject *name, bool is_index)
{
    PyObject *hint = py_did_you_mean(name, self->rows.names), *shown = hint ? py_value_text(self->st, name) : NULL;
    if (shown && is_index)
        PyErr_Format(self->st->RowValueError,
                     "write_arrow(): there is no column %U: it is the index of a pandas DataFrame; write df.reset_index(drop=True), "
                     "or df.reset_index() and a column for it",
                     shown);
    else if (shown)
        PyErr_Format(self->st->RowValueError, "write_arrow(): there is no column %U%U; extra='ignore' leaves such columns out", shown, hint);
    Py_XDECREF(hint);
    Py_XDECREF(shown);
    return -1;
}

/* The column of a child; -1: none, -2: an exception. A name that is not UTF-8 is no column's. */
static int32_t column_of(WriterObject *self, const struct ArrowSchema *child, bool ignore_extra)
{
    const char *text = child->name ? child->name : "";
    PyObject *name = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "surrogateescape");
    if (!name) return -2;
    PyObject *number = PyDict_GetItemWithError(self->rows.index, name);
    int32_t i = number ? cq_i32(PyLong_AsLong(number)) : -1;
    if (!number && (PyErr_Occurred() || !ignore_extra)) {
        if (!PyErr_Occurred()) (void)refuse_unknown(self, name, strncmp(text, "__index_level_", 14) == 0);
        i = -2;
    }
    Py_DECREF(name);
    return i;
}

static int refuse_missing(WriterObject *self, int32_t i)
{
    char text[CQ_TYPE_TEXT_BYTES];
    PyErr_Format(self->st->RowValueError, "write_arrow(): column %R is missing; declare it '%s?' to allow that", self->rows.columns[i].name,
                 cq_field_type_text(field_of(self, i), text));
    return -1;
}

static int bind_children(WriterObject *self, arrow_table *t, bool ignore_extra)
{
    const struct ArrowSchema *s = &t->in.schema;
    cq_err e;
    cq_err_clear(&e);
    if (s->format && strcmp(s->format, "+s") != 0) {
        PyErr_SetString(PyExc_TypeError, "write_arrow(): the data is one column without a name, not a table; write_columns({\"name\": data})");
        return -1;
    }
    if (cq_arrow_check_struct(s, &e) != CQ_OK) return batch_raise(self, &e, -1, -1, 0);
    for (int32_t i = 0; i < self->rows.n; i++) t->child_of[i] = -1;
    for (int64_t k = 0; k < s->n_children; k++) {
        const struct ArrowSchema *child = s->children[k];
        int32_t const i = column_of(self, child, ignore_extra);
        if (i == -2) return -1;
        if (i < 0) continue;
        if (t->child_of[i] >= 0) {
            PyErr_Format(self->st->RowValueError, "write_arrow(): column %R is there twice", self->rows.columns[i].name);
            return -1;
        }
        t->child_of[i] = k;
        if (bind_arrow_type(self, i, &t->sources[i], child) < 0) return -1;
    }
    for (int32_t i = 0; i < self->rows.n; i++) {
        if (t->child_of[i] >= 0) continue;
        if (!field_of(self, i)->optional) return refuse_missing(self, i);
        t->sources[i].kind = SOURCE_NULL;
    }
    return 0;
}

/* The children of a batch as sources; a struct's own offset and length cut them. */
static int cut_batch(WriterObject *self, arrow_table *t, const struct ArrowArray *batch)
{
    cq_err e;
    cq_err_clear(&e);
    if (cq_arrow_check_batch(&t->in.schema, batch, &e) != CQ_OK) return batch_raise(self, &e, -1, -1, 0);
    for (int32_t i = 0; i < self->rows.n; i++) {
        if (t->child_of[i] < 0) continue;
        t->sources[i].arrays = batch->children[t->child_of[i]];
        t->sources[i].n_arrays = 1;
        t->sources[i].is_part = true;
        t->sources[i].part_from = batch->offset;
    }
    return 0;
}

static size_t table_bytes(int32_t n) { return (size_t)n * (sizeof(source) + sizeof(int64_t)); }

static int write_batches(WriterObject *self, arrow_table *t, int64_t *n_rows)
{
    for (;;) {
        struct ArrowArray batch;
        if (arrow_next(&t->in, &batch) < 0) return -1;
        if (!batch.release) return 0;
        batch_place const at = {.first_row = *n_rows, .written = *n_rows, .taken = (size_t)cq_mem_charge_of(table_bytes(self->rows.n))};
        int failed = cut_batch(self, t, &batch);
        if (!failed) failed = batch_write(self, t->sources, batch.length, &at);
        if (!failed) *n_rows += batch.length;
        arrow_release_arrays(&batch, 1);
        if (failed || PyErr_CheckSignals() < 0) return -1;
    }
}

static int write_table(WriterObject *self, arrow_table *t, PyObject *capsule, PyObject *array, bool ignore_extra, int64_t *n_rows)
{
    if (arrow_open(self->st, &t->in, capsule, array) < 0 || bind_children(self, t, ignore_extra) < 0) return -1;
    return write_batches(self, t, n_rows);
}

static PyObject *write_arrow(WriterObject *self, PyObject *capsule, PyObject *array, bool ignore_extra)
{
    arrow_table t;
    cq_err e;
    void *p;
    int64_t n_rows = 0;
    memset(&t, 0, sizeof t);
    if (cq_mem_alloc(&self->mem, table_bytes(self->rows.n), "a batch of columns", &p, &e) != CQ_OK) return py_raise(self->st, &e, writer_name(self), NULL);
    t.sources = p;
    t.child_of = (int64_t *)(void *)(t.sources + self->rows.n);
    int const failed = write_table(self, &t, capsule, array, ignore_extra, &n_rows);
    arrow_clear(&t.in);
    cq_mem_free(&self->mem, p, table_bytes(self->rows.n));
    return failed ? NULL : PyLong_FromLongLong(n_rows);
}

PyObject *Writer_write_arrow(PyObject *op, PyObject *const *args, Py_ssize_t n)
{
    WriterObject *self = (WriterObject *)op;
    if (n != 3) {
        PyErr_SetString(PyExc_TypeError, "write_arrow() takes a stream or schema capsule, an array capsule or None, and ignore_extra");
        return NULL;
    }
    int const ignore = PyObject_IsTrue(args[2]);
    if (ignore < 0 || !py_writer_acquire(self->st, op, "write_arrow")) return NULL;
    PyObject *r = write_arrow(self, args[0], args[1], ignore > 0);
    py_writer_release(op);
    return r;
}
