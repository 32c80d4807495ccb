/* Python objects as sinks of the core: the sink protocol (write, finish, abort) and binary files.
 *
 * The core calls while its thread is detached: the sink re-attaches through the handle's gate. An
 * exception stays pending in the thread state, as it was raised, until the handle's call returns. */
#ifndef CQ_PY_SINK_H
#define CQ_PY_SINK_H

#include "py_gate.h"
#include "state.h"

#include "write/sink.h"

typedef struct py_sink {
    PyObject *target; /* NULL: unused */
    PyObject *write;  /* bound method */
    bool is_file;     /* no finish and abort: flushed at the end, never closed */
    bool orphan;      /* the process is a fork's child: the target is the parent's */
    py_gate *gate;
} py_sink;

/* Binds a zeroed sink; TypeError or ValueError for what cannot be one (text files, files that are
 * not at their beginning). */
int py_sink_init(py_sink *s, core_state *st, PyObject *target, py_gate *gate);
/* Whether py_sink_init would take a target; -1 with the exception that it would raise. */
int py_sink_check(core_state *st, PyObject *target);
cq_sink py_sink_as_sink(py_sink *s);
int py_sink_traverse(py_sink *s, visitproc visit, void *arg);
void py_sink_clear(py_sink *s);

int py_sink_add(PyObject *module, core_state *st);

#endif
