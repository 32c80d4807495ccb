/* RowErrors: refused rows and values become exceptions that tell row, column and value. */
#ifndef CQ_PY_ROW_ERROR_H
#define CQ_PY_ROW_ERROR_H

#include "py_writer_object.h"

/* Where a row was refused; rows count from 0. */
typedef struct row_place {
    int64_t in_call, in_file;
    int64_t written; /* rows of this call that stay */
    int32_t column;  /* -1: the row as a whole */
} row_place;

/* The class of RowError that a status of the core stands for (borrowed); NULL: the failure is not a row's. */
PyObject *py_row_error_class(core_state *st, cq_status code);

/* A new RowError of `type` with the text "row ... of this call (row ... of the file), column '...': <text>". */
PyObject *py_row_error_new(const WriterObject *self, PyObject *type, PyObject *text, const row_place *at, PyObject *value);

/* The RowError for what converting or ending a row has left in the table; NULL: another exception is
 * pending instead. Row number in the file: the rows written so far. */
PyObject *py_row_error(WriterObject *self, conv_result r, int64_t in_call, int64_t written);

#endif
