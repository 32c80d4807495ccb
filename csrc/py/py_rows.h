/* One Python row into all columns: which value belongs to which column, and what a row may be.
 *
 * A table belongs to one open writer. It knows names and converters, not row numbers: a refused
 * row leaves class, text, column and value in the table for whoever reports it. */
#ifndef CQ_PY_ROWS_H
#define CQ_PY_ROWS_H

#include "convert.h"

#include "write/writer.h"

/* The columns of rows that come by position. */
typedef struct layout {
    Py_ssize_t n;       /* values in a row */
    int32_t *column_of; /* n */
    int32_t *absent;    /* optional columns that no position gives */
    int32_t n_absent;
} layout;

typedef struct table {
    conv x;
    int32_t n;
    column *columns;
    ident *pool; /* of all columns' idents */
    size_t n_pool;
    PyObject *names; /* tuple of interned str */
    PyObject *index; /* dict: name -> number */
    /* The keys of the last mapping, in its order, and their columns: rows from one place have the
     * same key objects in the same order. NULL: not known yet. */
    PyObject **keys;
    int32_t *key_column;
    /* The last class with `_fields` and its layout. */
    PyObject *named_type;
    layout named;
    /* The failure: -1 and the row itself where no single column is the reason. */
    int32_t failed_column;
    PyObject *failed_value;
} table;

/* Binds a zeroed table to the columns of an open writer. On failure an exception is pending and
 * table_clear takes away what was made. */
int table_init(table *t, core_state *st, cq_writer *w);
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

/* The layout for a sequence of column names. CONV_REFUSED: an unknown, double or missing name. */
conv_result layout_make(table *t, PyObject *names, layout *out);
void layout_clear(layout *l);

#endif
