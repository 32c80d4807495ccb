/* The methods of Writer that take columns: write_columns and write_arrow. */
#ifndef CQ_PY_COLUMNS_H
#define CQ_PY_COLUMNS_H

#include "state.h"

PyObject *Writer_write_columns(PyObject *op, PyObject *sources);
PyObject *Writer_write_arrow(PyObject *op, PyObject *const *args, Py_ssize_t n);

#endif
