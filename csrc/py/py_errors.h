/* From the core's error records to Python exceptions, and short texts of values for messages. */
#ifndef CQ_PY_ERRORS_H
#define CQ_PY_ERRORS_H

#include "state.h"

#include "base/err.h"

/* Sets the exception of a failed call; an exception that is pending already (from a sink, an
 * interrupt) stays as it is. `file` names the file that the handle works on, or is NULL; `column`
 * its column's name (borrowed) where e->column is known, or NULL. Always returns NULL. */
PyObject *py_raise(core_state *st, const cq_err *e, const char *file, PyObject *column);

/* repr(value), cut at 80 characters, whatever the value's size. A repr that raises gives
 * "<T object>"; NULL only with an exception that is no Exception, or without memory. */
PyObject *py_value_text(core_state *st, PyObject *value);

/* An attribute; NULL without an exception where there is none, with one where looking it up failed. */
PyObject *py_attribute(PyObject *o, const char *name);

/* ", did you mean 'x'?" for the nearest of `names` (a sequence of str), else ''. New reference. */
PyObject *py_did_you_mean(PyObject *word, PyObject *names);

/* METH_FASTCALL | METH_KEYWORDS: fills out[0..n) (borrowed, NULL where not given) from positional
 * and keyword arguments; the first `n_required` must be there, at most `n_positional` by position. */
int py_parse_args(const char *function, PyObject *const *args, Py_ssize_t n_args, PyObject *kwnames,
                  const char *const *names, Py_ssize_t n, Py_ssize_t n_required, Py_ssize_t n_positional,
                  PyObject **out);

#endif
