/* The object behind the type Writer, shared by the files that implement it and by no other. */
#ifndef CQ_PY_WRITER_OBJECT_H
#define CQ_PY_WRITER_OBJECT_H

#include "py_rows.h"
#include "py_sink.h"
#include "py_writer.h"

typedef struct WriterObject {
    PyObject_HEAD
    core_state *st;
    cq_writer *w;          /* NULL: closed, aborted, or never opened */
    cq_mem mem;            /* the root of a private limit, or a child of `budget` */
    PyObject *budget;      /* the MemoryBudget behind `mem`; NULL: none */
    PyObject *name;        /* bytes: what errors call the file */
    cq_fd_sink fd_sink;
    py_sink sink;
    py_gate gate;
    table rows;
    _Atomic bool busy;
    const char *busy_with; /* the call that set `busy` */
    uint64_t forks;        /* of the process that made it */
    bool aborted;          /* ended by abort, not by close */
    int64_t skipped;       /* rows that on_error let go */
    cq_writer_info info;   /* as of the last detach, and for good once closed */
    cq_plan plan;
} WriterObject;

/* tp_new. */
PyObject *Writer_new(PyTypeObject *tp, PyObject *args, PyObject *kwargs);

/* Frees the core's writer (an unfinished sink is aborted) and all that belongs to it. An exception
 * of a sink's abort() is left pending. */
void writer_free_core(WriterObject *self);

/* Figures; each a new dict or list. */
PyObject *Writer_info(PyObject *op, PyObject *ignored);
PyObject *Writer_plan(PyObject *op, PyObject *ignored);
PyObject *Writer_column_info(PyObject *op, PyObject *ignored);

/* The name of a writer's file for errors. */
static inline const char *writer_name(const WriterObject *self) { return self->name ? PyBytes_AS_STRING(self->name) : NULL; }

#endif
