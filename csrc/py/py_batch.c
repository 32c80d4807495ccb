/* The two passes over columns from outside: see py_batch.h.
 *
 * The first pass converts Python values (attached, user code may run) and checks everything
 * (detached); the second writes what was checked and touches no Python object. */
#include "py_batch.h"

#include "py_errors.h"
#include "py_row_error.h"

#include "base/arena.h"
#include "base/bytes.h"
#include "write/stage.h"

#include <string.h>

enum { CHUNK_ROWS_MAX = 16384 };

typedef struct run {
    WriterObject *self;
    source *sources;
    int32_t n;              /* columns */
    int64_t n_rows;
    batch_place place;
    int64_t rows_before;    /* of the file */
    int32_t chunk_rows;
    int64_t unheard;        /* values converted since signals were looked at */
    bool wrote;             /* some rows of the second pass */
    cq_stage *objects;      /* of the sequences; NULL: there are none */
    cq_stage *values;       /* of the single values: one row */
    cq_vec *vecs;           /* a block of the writer's memory, with the two behind it */
    column *columns;        /* those of the writer, with builders of a stage */
    int32_t *staged;        /* the columns of `objects` */
    int32_t n_staged;
    cq_arena arena;
    size_t scratch_bytes;   /* what the arena may take: the rest of the room is of the stages */
    cq_err err;
    int32_t failed_column;  /* of `err`; -1: it knows itself */
    int64_t failed_row;     /* of the call; -1: `err.row` of the chunk at `chunk_from` */
    int64_t chunk_from;
} run;

/* Failures that are not a row's: those of the data say their column. */
static int raise_of_column(WriterObject *self, const cq_err *e, int32_t i)
{
    if (e->code == CQ_ECHANGED) {
        PyErr_Format(PyExc_RuntimeError, "column %R: %s", i >= 0 && i < self->rows.n ? self->rows.columns[i].name : Py_None, e->msg);
        return -1;
    }
    bool const of_data = e->code == CQ_EFORMAT || e->code == CQ_EUNSUPPORTED;
    if (!of_data || i < 0 || i >= self->rows.n) {
        (void)py_raise(self->st, e, writer_name(self), NULL);
        return -1;
    }
    cq_err with_column = *e;
    cq_status const st = cq_fail(&with_column, e->code, "column '%.100s': %.200s", cq_writer_schema(self->w)->fields[i].name, e->msg);
    (void)st;
    (void)py_raise(self->st, &with_column, NULL, self->rows.columns[i].name);
    return -1;
}

int batch_raise(WriterObject *self, const cq_err *e, int32_t i, int64_t row, int64_t written)
{
    PyObject *type = row >= 0 ? py_row_error_class(self->st, e->code) : NULL;
    if (PyErr_Occurred()) return -1; /* an interrupt, or a callback's own */
    if (!type) {
        (void)raise_of_column(self, e, i);
        return -1;
    }
    PyObject *text = PyUnicode_DecodeUTF8(e->msg, (Py_ssize_t)strlen(e->msg), "replace"), *error = NULL;
    if (text) {
        cq_writer_get_info(self->w, &self->info);
        row_place const at = {.in_call = row, .in_file = self->info.rows + row - written, .written = written, .column = i};
        error = py_row_error_new(self, type, text, &at, NULL);
    }
    Py_XDECREF(text);
    if (error) PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
    return -1;
}

/* -- Python values ------------------------------------------------------------------------------ */

/* The exception for a value that its converter refused. */
static int raise_value(run *r, int32_t i, PyObject *v, conv_result result, int64_t row)
{
    table *t = &r->self->rows;
    PyObject *held = t->x.held, *error = NULL;
    t->x.held = NULL;
    if (result == CONV_REFUSED) {
        row_place const at = {.in_call = r->place.first_row + row, .in_file = r->rows_before + row, .written = r->place.written, .column = i};
        error = py_row_error_new(r->self, t->x.refused_type, t->x.refused_text, &at, v);
        if (error) PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    } else if (result == CONV_CORE) {
        (void)batch_raise(r->self, &t->x.err, i, r->place.first_row + row, r->place.written);
        error = NULL;
    }
    Py_XDECREF(error);
    Py_XDECREF(held);
    Py_CLEAR(t->x.refused_text);
    return -1;
}

/* One value of a sequence; a new reference. Converting the values before may have changed it. */
static PyObject *item_of(const run *r, int32_t i, int64_t row)
{
    PyObject *sequence = r->sources[i].object;
    Py_ssize_t const at = (Py_ssize_t)row; /* below the length, which is one */
    if (PyTuple_CheckExact(sequence)) return Py_NewRef(PyTuple_GET_ITEM(sequence, at));
    if (!PyList_CheckExact(sequence)) return PySequence_GetItem(sequence, at);
    if (at < PyList_GET_SIZE(sequence)) return Py_NewRef(PyList_GET_ITEM(sequence, at));
    PyErr_Format(PyExc_RuntimeError, "column %R: the list had %lld items when write_columns() began and has %zd now", r->columns[i].name,
                 (long long)r->n_rows, PyList_GET_SIZE(sequence));
    return NULL;
}

static int convert_row(run *r, int64_t row)
{
    for (int32_t k = 0; k < r->n_staged; k++) {
        int32_t const i = r->staged[k];
        column *c = &r->columns[i];
        PyObject *v = item_of(r, i, row);
        if (!v) return -1;
        conv_result const result = c->convert(&r->self->rows.x, c, v);
        int const failed = result == CONV_OK ? 0 : raise_value(r, i, v, result, row);
        Py_DECREF(v);
        if (failed) return -1;
    }
    return 0;
}

/* Conversions may be slow, and many of them make a row. */
static int hear_signals(run *r)
{
    enum { VALUES = 1024 };
    r->unheard += r->n_staged;
    if (r->unheard < VALUES) return 0;
    r->unheard = 0;
    return PyErr_CheckSignals();
}

/* Values of the sequences from row `from` on, at most n rows, into the chunk that was begun; *done rows. */
static int convert_chunk(run *r, int64_t from, int64_t n, int64_t *done)
{
    int64_t k = 0;
    for (bool full = false; k < n && !full; k++) {
        if (convert_row(r, from + k) < 0) {
            cq_stage_abort_row(r->objects);
            return -1;
        }
        full = cq_stage_end_row(r->objects);
        if (hear_signals(r) < 0) return -1;
    }
    *done = k;
    return 0;
}

/* -- single values ------------------------------------------------------------------------------ */

/* A value of a stage's one row as a constant vector. */
static cq_status constant_of(run *r, int32_t i, int32_t k)
{
    cq_vec one, *v = &r->vecs[i];
    r->failed_column = i;
    CQ_TRY(cq_stage_vec(r->values, k, &r->arena, &one, &r->err));
    unsigned const width = cq_type_facts(one.type)->width;
    bool const null = one.shape == CQ_VEC_CONST ? one.is_null : one.validity && !one.validity[0];
    if (null)
        *v = cq_vec_null(one.type);
    else
        *v = cq_vec_const(one.type, width ? cq_span_of(one.values, width) : one.spans[0]);
    r->failed_column = -1;
    return CQ_OK;
}

/* Converted once: a stage of one row holds them. */
static int convert_values(run *r, const int32_t *which, int32_t n, size_t room)
{
    cq_err_clear(&r->err);
    if (cq_stage_open(&r->values, r->self->w, which, n, 1, room, &r->err) != CQ_OK || cq_stage_begin_chunk(r->values, &r->err) != CQ_OK)
        return batch_raise(r->self, &r->err, -1, -1, 0);
    for (int32_t k = 0; k < n; k++) {
        column *c = &r->columns[which[k]];
        c->buf = cq_stage_column(r->values, k);
        PyObject *v = r->sources[which[k]].object;
        conv_result const result = c->convert(&r->self->rows.x, c, v);
        if (result == CONV_OK) continue;
        cq_stage_abort_row(r->values);
        return raise_value(r, which[k], v, result, 0);
    }
    (void)cq_stage_end_row(r->values);
    for (int32_t k = 0; k < n; k++)
        if (constant_of(r, which[k], k) != CQ_OK) return batch_raise(r->self, &r->err, which[k], -1, 0);
    return 0;
}

/* -- one chunk ---------------------------------------------------------------------------------- */

/* Rows from `from` on that no array border cuts. */
static int64_t until_border(const run *r, int64_t from, int64_t n)
{
    for (int32_t i = 0; i < r->n; i++) {
        const source *s = &r->sources[i];
        if (s->kind == SOURCE_ARROW) n = cq_min_i64(n, s->at_row + s->at_rows - from);
    }
    return n;
}

/* Moves to the arrays that hold row `from`; empty ones are passed over. */
static cq_status enter_arrays(run *r, int64_t from)
{
    for (int32_t i = 0; i < r->n; i++) {
        source *s = &r->sources[i];
        if (s->kind != SOURCE_ARROW) continue;
        r->failed_column = i;
        while (s->at < 0 || from >= s->at_row + s->at_rows) {
            s->at_row += s->at_rows;
            if (++s->at >= s->n_arrays) return cq_fail(&r->err, CQ_EFORMAT, "the Arrow producer gave arrays that have fewer rows now than before");
            const struct ArrowArray *a = &s->arrays[s->at];
            CQ_TRY(s->is_part ? cq_import_arrow_rows(&s->import, a, s->part_from, r->n_rows, &r->err) : cq_import_arrow_array(&s->import, a, &r->err));
            s->at_rows = cq_import_length(&s->import);
        }
        r->failed_column = -1;
    }
    return CQ_OK;
}

/* The writer refuses nulls too, but does not know how the column is declared otherwise. */
static cq_status check_nulls(run *r, int32_t i, const cq_vec *v, int64_t n)
{
    const cq_field *f = &cq_writer_schema(r->self->w)->fields[i];
    if (f->optional) return CQ_OK;
    int64_t row = 0;
    if (v->shape == CQ_VEC_FLAT) {
        const uint8_t *null = v->validity ? memchr(v->validity, 0, (size_t)n) : NULL;
        if (!null) return CQ_OK;
        row = null - v->validity;
    } else if (!v->is_null) {
        return CQ_OK;
    }
    char text[CQ_TYPE_TEXT_BYTES];
    const char *advice = r->sources[i].null_advice;
    r->failed_row = r->chunk_from + row;
    return cq_fail(&r->err, CQ_EVALUE, "null in a required column; declare it '%s?' to allow nulls%s", cq_field_type_text(f, text),
                   advice ? advice : "");
}

static cq_status read_source(run *r, int32_t i, int64_t n)
{
    source *s = &r->sources[i];
    cq_vec *v = &r->vecs[i];
    r->failed_column = i;
    switch (s->kind) {
    case SOURCE_NULL:
    case SOURCE_CONST: break; /* made before the first chunk */
    case SOURCE_RAMP:
        *v = cq_vec_ramp(cq_wrap_i64((uint64_t)s->start + (uint64_t)r->chunk_from * (uint64_t)s->step), s->step);
        v->type = cq_writer_schema(r->self->w)->fields[i].type;
        break;
    case SOURCE_STRIDED:
    case SOURCE_ARROW: {
        int64_t const base = s->kind == SOURCE_ARROW ? s->at_row : 0;
        cq_status const st = cq_import_read(&s->import, r->chunk_from - base, n, &r->arena, v, &r->err);
        if (st != CQ_OK) {
            if (r->err.row >= 0) r->failed_row = base + r->err.row;
            return st;
        }
        CQ_TRY(check_nulls(r, i, v, n));
        break;
    }
    case SOURCE_OBJECTS: break; /* of the stage, in its own order */
    }
    r->failed_column = -1;
    return CQ_OK;
}

/* All columns of rows [chunk_from, chunk_from + n) as vectors. */
static cq_status read_chunk(run *r, int64_t n)
{
    for (int32_t i = 0; i < r->n; i++) CQ_TRY(read_source(r, i, n));
    for (int32_t k = 0; k < r->n_staged; k++) {
        r->failed_column = r->staged[k];
        CQ_TRY(cq_stage_vec(r->objects, k, &r->arena, &r->vecs[r->staged[k]], &r->err));
    }
    r->failed_column = -1;
    return CQ_OK;
}

/* One row of long texts may need more than there is for many rows. Where that is too much it is refused here: the second
 * pass has no more to give. */
static cq_status check_scratch(run *r)
{
    size_t const needed = cq_arena_bytes(&r->arena);
    if (needed <= r->scratch_bytes) return CQ_OK;
    r->failed_row = r->chunk_from;
    return cq_fail(&r->err, CQ_ELIMIT, "a row that needs %zu bytes of scratch is larger than the memory limit allows (%zu bytes) in one call of write_columns; "
                   "give a higher memory_limit, or use write_rows", needed, r->scratch_bytes);
}

static cq_status check_chunk(run *r, int64_t n)
{
    CQ_TRY(read_chunk(r, n));
    CQ_TRY(check_scratch(r));
    cq_batch const b = {.n_rows = n, .columns = r->vecs};
    return cq_writer_check_batch(r->self->w, &b, &r->err);
}

/* -- the passes --------------------------------------------------------------------------------- */

static cq_status stopped(run *r)
{
    return py_gate_should_stop(&r->self->gate) ? cq_fail(&r->err, CQ_EINTERRUPTED, "interrupted") : CQ_OK;
}

/* Detached: chunks without Python values, from `from` to the end. */
static cq_status check_rest(run *r, int64_t from)
{
    while (from < r->n_rows) {
        r->chunk_from = from;
        CQ_TRY(stopped(r));
        CQ_TRY(enter_arrays(r, from));
        int64_t const n = until_border(r, from, cq_min_i64(r->chunk_rows, r->n_rows - from));
        CQ_TRY(check_chunk(r, n));
        cq_arena_clear(&r->arena);
        from += n;
    }
    return CQ_OK;
}

/* Detached: what was converted, and the columns beside it. */
static cq_status check_converted(run *r, int64_t n)
{
    CQ_TRY(check_chunk(r, n));
    cq_arena_clear(&r->arena);
    return CQ_OK;
}

static cq_status begin_chunk(run *r, int64_t unused)
{
    (void)unused;
    return cq_stage_begin_chunk(r->objects, &r->err); /* the chunk before may go to a file */
}

/* What was checked is refused now: only somebody else's code can have done that. */
static cq_status as_changed(run *r, cq_status st)
{
    bool const of_data = st == CQ_EVALUE || st == CQ_ERANGE || st == CQ_ETYPE || st == CQ_ELIMIT || st == CQ_EFORMAT;
    return of_data ? cq_fail(&r->err, CQ_ECHANGED, "its values were changed while they were written") : st;
}

/* The chunk at `chunk_from` as vectors; *n rows. */
static cq_status read_again(run *r, int64_t *n)
{
    CQ_TRY(enter_arrays(r, r->chunk_from));
    if (r->objects) { /* as cut by the first pass */
        int32_t staged = 0;
        CQ_TRY(cq_stage_next_chunk(r->objects, &staged, &r->err));
        if (staged == 0) return cq_fail(&r->err, CQ_EIO, "a temporary file does not hold what was written to it");
        *n = staged;
    } else {
        *n = until_border(r, r->chunk_from, cq_min_i64(r->chunk_rows, r->n_rows - r->chunk_from));
    }
    return read_chunk(r, *n);
}

static cq_status write_chunk(run *r, int64_t *n)
{
    cq_status const st = read_again(r, n);
    if (st != CQ_OK) return as_changed(r, st);
    cq_batch const b = {.n_rows = *n, .columns = r->vecs};
    CQ_TRY(cq_writer_write_checked(r->self->w, &b, &r->err));
    r->wrote = true;
    cq_arena_clear(&r->arena);
    return CQ_OK;
}

static cq_status write_all(run *r, int64_t unused)
{
    (void)unused;
    int64_t n = 0;
    for (int64_t from = 0; from < r->n_rows; from += n) {
        r->chunk_from = from;
        cq_status const st = write_chunk(r, &n);
        if (st == CQ_OK) continue;
        if (r->wrote) cq_writer_give_up(r->self->w, &r->err); /* rows of a call that promised all or none */
        return st;
    }
    return CQ_OK;
}

static int raise_run(run *r)
{
    cq_err *e = &r->err;
    int32_t const i = r->failed_column >= 0 ? r->failed_column : e->column;
    int64_t row = r->failed_row;
    if (row < 0 && (e->row >= 0 || py_row_error_class(r->self->st, e->code))) row = r->chunk_from + (e->row >= 0 ? e->row : 0);
    return batch_raise(r->self, e, i, row >= 0 ? r->place.first_row + row : -1, r->place.written);
}

typedef cq_status (*detached_fn)(run *r, int64_t arg);

static int detached(run *r, detached_fn fn, int64_t arg)
{
    cq_err_clear(&r->err);
    if (PY_UNLIKELY(r->self->forks != r->self->st->forks)) { /* by the code of a value */
        PyErr_SetString(PyExc_RuntimeError, "the writer belongs to the process that this one was forked from");
        return -1;
    }
    py_gate_detach(&r->self->gate);
    cq_status const st = fn(r, arg);
    py_gate_attach(&r->self->gate);
    if (st != CQ_OK) return raise_run(r);
    return PyErr_Occurred() ? -1 : 0;
}

static int check_all(run *r)
{
    if (!r->objects) return detached(r, check_rest, 0);
    for (int64_t from = 0; from < r->n_rows;) {
        int64_t done = 0;
        r->chunk_from = from;
        cq_err_clear(&r->err);
        if (enter_arrays(r, from) != CQ_OK) return raise_run(r);
        if (detached(r, begin_chunk, 0) < 0) return -1;
        if (convert_chunk(r, from, until_border(r, from, cq_min_i64(r->chunk_rows, r->n_rows - from)), &done) < 0) return -1;
        if (detached(r, check_converted, done) < 0) return -1;
        from += done;
    }
    return 0;
}

static void rewind_sources(run *r)
{
    for (int32_t i = 0; i < r->n; i++) {
        r->sources[i].at = -1;
        r->sources[i].at_row = r->sources[i].at_rows = 0;
    }
}

/* -- a run's life ------------------------------------------------------------------------------- */

static size_t struct_bytes(int32_t n) { return (size_t)n * (sizeof(cq_vec) + sizeof(column) + sizeof(int32_t)); }

size_t batch_struct_bytes(int32_t n_columns) { return (size_t)cq_mem_charge_of(struct_bytes(n_columns)); }

/* Chunk and arena: as many rows as the room holds, in one block. A row that it does not hold has pieces of its own. */
static void size_chunk(run *r, size_t room)
{
    size_t row = 0, fixed = CQ_ARENA_HEADER;
    for (int32_t i = 0; i < r->n; i++) {
        const source *s = &r->sources[i];
        if (s->kind == SOURCE_STRIDED || s->kind == SOURCE_ARROW) {
            row += cq_import_row_bytes(&s->import);
            fixed += CQ_IMPORT_EXTRA;
        } else if (s->kind == SOURCE_OBJECTS) {
            row += sizeof(cq_span) + 1;
            fixed += CQ_STAGE_EXTRA;
        } else if (s->kind == SOURCE_CONST) {
            fixed += sizeof(cq_span) + CQ_STAGE_EXTRA;
        }
    }
    size_t const rows = !row ? CHUNK_ROWS_MAX : room > fixed ? (room - fixed) / row : 0;
    int64_t const most = cq_min_i64(CHUNK_ROWS_MAX, r->n_rows);
    r->chunk_rows = cq_i32(rows ? cq_min_i64(most, cq_i64(rows)) : 1);
    cq_arena_init(&r->arena, &r->self->mem, rows ? fixed + (size_t)r->chunk_rows * row : cq_min_size(room, fixed));
}

static int make_structs(run *r)
{
    void *p;
    cq_err_clear(&r->err);
    if (cq_mem_alloc(&r->self->mem, struct_bytes(r->n), "a batch of columns", &p, &r->err) != CQ_OK) return raise_run(r);
    r->vecs = p;
    r->columns = (column *)(void *)(r->vecs + r->n);
    r->staged = (int32_t *)(void *)(r->columns + r->n);
    return 0;
}

/* What of the memory that a plan leaves to columns from outside is left for scratch and stages. */
static size_t room_of(const run *r)
{
    size_t const room = cq_stage_room(&r->self->plan), taken = r->place.taken + batch_struct_bytes(r->n);
    return room > taken ? room - taken : 0;
}

static int open_run(run *r)
{
    if (make_structs(r) < 0) return -1;
    const cq_schema *schema = cq_writer_schema(r->self->w);
    int32_t n_values = 0;
    for (int32_t i = 0; i < r->n; i++) {
        r->columns[i] = r->self->rows.columns[i];
        r->columns[i].idents = NULL;
        if (r->sources[i].kind == SOURCE_NULL) r->vecs[i] = cq_vec_null(schema->fields[i].type);
        if (r->sources[i].kind == SOURCE_CONST) r->staged[n_values++] = i;
    }
    size_t room = room_of(r);
    bool objects = false;
    for (int32_t i = 0; i < r->n; i++) objects = objects || r->sources[i].kind == SOURCE_OBJECTS;
    size_chunk(r, objects ? room / 4 : room / 2);
    if (n_values && convert_values(r, r->staged, n_values, room / 2) < 0) return -1;
    size_t const taken = r->values ? cq_stage_bytes(r->values) : 0;
    r->scratch_bytes = cq_max_size(objects ? room / 4 : room > taken ? room - taken : 0, r->arena.block_bytes);
    if (!objects) return 0;
    for (int32_t i = 0; i < r->n; i++)
        if (r->sources[i].kind == SOURCE_OBJECTS) r->staged[r->n_staged++] = i;
    room -= room / 4;
    cq_err_clear(&r->err);
    int32_t const rows = r->chunk_rows == 1 && r->n_rows > 1 ? 2 : r->chunk_rows; /* a stage of one row has no log */
    if (cq_stage_open(&r->objects, r->self->w, r->staged, r->n_staged, rows, room > taken ? room - taken : 0, &r->err) != CQ_OK) return raise_run(r);
    for (int32_t k = 0; k < r->n_staged; k++) r->columns[r->staged[k]].buf = cq_stage_column(r->objects, k);
    return 0;
}

static void close_run(run *r)
{
    if (r->arena.mem) cq_arena_reset(&r->arena);
    cq_stage_free(r->objects);
    cq_stage_free(r->values);
    if (r->vecs) cq_mem_free(&r->self->mem, r->vecs, struct_bytes(r->n));
}

static int check_pass(run *r)
{
    cq_err_clear(&r->err);
    if (cq_writer_begin_checks(r->self->w, &r->err) != CQ_OK) return raise_run(r);
    int const failed = check_all(r);
    cq_writer_end_checks(r->self->w);
    return failed;
}

static void trust(run *r, bool read_before)
{
    for (int32_t i = 0; i < r->n; i++)
        if (r->sources[i].kind == SOURCE_STRIDED || r->sources[i].kind == SOURCE_ARROW) cq_import_trust(&r->sources[i].import, read_before);
}

int batch_write(WriterObject *self, source *sources, int64_t n_rows, const batch_place *at)
{
    if (n_rows == 0) return 0;
    run r;
    memset(&r, 0, sizeof r);
    r.self = self;
    r.sources = sources;
    r.n = self->rows.n;
    r.n_rows = n_rows;
    r.place = *at;
    r.failed_column = -1;
    r.failed_row = -1;
    cq_writer_get_info(self->w, &self->info);
    r.rows_before = self->info.rows;
    rewind_sources(&r);
    trust(&r, false); /* a stream's next batch comes through the same imports */
    int failed = open_run(&r);
    if (!failed) failed = check_pass(&r);
    if (!failed) {
        rewind_sources(&r);
        trust(&r, true);
        if (r.objects) cq_stage_rewind(r.objects);
        failed = detached(&r, write_all, 0);
    }
    close_run(&r);
    return failed;
}
