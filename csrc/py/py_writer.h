/* The type Writer, for other rooms of the binding that fill a writer themselves.
 *
 * A room acquires a writer for one call, works on the core's handle and releases it. Long work is
 * done detached, through the writer's own gate, because the sink re-attaches through it:
 *
 *     cq_writer *w = py_writer_acquire(st, obj, "archive");
 *     if (!w) return NULL;
 *     py_gate_detach(py_writer_gate(obj));
 *     cq_status s = ...;
 *     py_gate_attach(py_writer_gate(obj));
 *     int r = py_writer_check(obj, s, &e);
 *     py_writer_release(obj);
 */
#ifndef CQ_PY_WRITER_H
#define CQ_PY_WRITER_H

#include "py_gate.h"
#include "state.h"

#include "write/writer.h"

/* Sets the busy flag. NULL with an exception: not a Writer (TypeError), in use, closed, or made
 * before a fork (RuntimeError), or failed before (the failure again). `what` is a literal that
 * names the call to others. */
cq_writer *py_writer_acquire(core_state *st, PyObject *obj, const char *what);
void py_writer_release(PyObject *obj);

/* Of an acquired writer. */
py_gate *py_writer_gate(PyObject *obj);

/* The outcome of a call on an acquired writer, attached again: 0, or -1 with an exception. */
int py_writer_check(PyObject *obj, cq_status status, const cq_err *e);

#endif
