/* Which value of a row belongs to which column where the row itself does not say so: names given by
 * the caller, by a database cursor, or by the row's class. How values are fetched is py_rows.c's. */
#ifndef CQ_PY_LAYOUT_H
#define CQ_PY_LAYOUT_H

#include "convert.h"

struct table;

/* The columns of values that come in an order of their own. */
typedef struct layout {
    Py_ssize_t n;       /* values in a row */
    int32_t *column_of; /* n; -1: no column, left out */
    int32_t *absent;    /* optional columns that no value is for */
    int32_t n_absent;
} layout;

typedef enum row_kind {
    ROW_TUPLE,       /* a tuple subclass without names: schema order */
    ROW_LIST,
    ROW_DICT,        /* looked up as dict does */
    ROW_MAPPING,     /* by keys() and [] */
    ROW_NAMED_TUPLE, /* the class names the positions */
    ROW_OBJECT,      /* the class names attributes */
    ROW_KEYED,       /* keys() of each row names its positions (sqlite3.Row) */
    ROW_FIELDS       /* `_fields` of each row names its positions, or attributes where it is no sequence */
} row_kind;

/* A class of rows, resolved when its first row came, and again when the class has changed since. */
typedef struct row_class {
    PyObject *type;         /* held, so that no other class takes its address; NULL: free */
    unsigned version;       /* of the class when it was resolved; 0: not known, then it is not asked again */
    row_kind kind;
    bool by_position;       /* of ROW_FIELDS */
    const char *attribute;  /* of ROW_FIELDS: where the names are */
    PyObject *names;        /* tuple of interned str: the class's, or those of the last row */
    layout by_name;         /* for `names` */
    Py_ssize_t *slots;      /* of ROW_OBJECT: offset of each attribute in the object, -1 where it is none; or NULL */
} row_class;

/* The layout for a sequence of column names. CONV_REFUSED: an unknown, double or missing name. */
conv_result layout_make(struct table *t, PyObject *names, layout *out);
void layout_clear(layout *l);

/* The column of a name: -1 unknown, -2 with an exception pending (unhashable). */
int32_t layout_find(const struct table *t, PyObject *name);

/* What a row of no common type is. The entry belongs to the table and stays until the next call.
 * *out NULL with CONV_OK: nothing that is known as a row. Runs user code, before any value is put. */
conv_result row_class_find(struct table *t, PyObject *row, row_class **out);

/* The names of this one row, where they may differ from row to row. */
conv_result row_class_refresh(struct table *t, row_class *c, PyObject *row);

void row_class_clear(row_class *c);

/* 1 where an attribute is there, 0 where not; exceptions but AttributeError stay pending (-1). */
int layout_has(PyObject *o, const char *name);

int layout_add(PyObject *module, core_state *st);

#endif
