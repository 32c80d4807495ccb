/* One Python row into all columns: which value belongs to which column, and what a row may be.
 *
 * A table belongs to one open writer. It knows names and converters, not row numbers: a refused
 * row leaves class, text, column and value in the table for whoever reports it. */
#ifndef CQ_PY_ROWS_H
#define CQ_PY_ROWS_H

#include "py_layout.h"

#include "write/writer.h"

/* Classes of rows that are known at a time. */
enum { ROW_CLASSES = 8 };

typedef struct table {
    conv x;
    bool strict;
    bool ignore_extra; /* keys and fields that are no columns are left out */
    int32_t n;
    column *columns;
    ident *pool; /* of all columns' idents */
    size_t n_pool;
    PyObject *names; /* tuple of interned str */
    PyObject *index; /* dict: name -> number */
    /* The keys of the last mapping, in its order, and their columns (-1: none): rows from one place
     * have the same key objects in the same order. NULL: not known yet. */
    PyObject **keys;
    int32_t *key_column;
    Py_ssize_t n_keys;
    row_class classes[ROW_CLASSES];
    int next_class; /* the one that was replaced last */
    /* The failure: -1 and the row itself where no single column is the reason. */
    int32_t failed_column;
    PyObject *failed_value;
} table;

/* Binds a zeroed table to the columns of an open writer. On failure an exception is pending and
 * table_clear takes away what was made. `strict`: convert.h. */
int table_init(table *t, core_state *st, cq_writer *w, bool strict, bool ignore_extra);
int table_traverse(table *t, visitproc visit, void *arg);
/* Forgets the idents: no string of the caller is held any more. */
void table_drop_idents(table *t);
/* Releases every object and block. A zeroed table may be cleared. */
void table_clear(table *t);

/* Puts one value into each column; the caller ends or aborts the row. `given` is the layout of
 * rows by position, or NULL: schema order. */
conv_result table_put(table *t, PyObject *row, const layout *given);
/* After cq_writer_abort_row. */
void table_row_aborted(table *t);

#endif
