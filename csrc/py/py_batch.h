/* Columns from outside, written as batches: every row is checked first, then every row is written.
 *
 * A source is one column of the schema: memory of somebody else (a buffer, Arrow arrays), one value
 * for all rows, a ramp, or a Python sequence whose values are converted once and kept in the stage.
 * Rows pass in chunks, so that the scratch does not grow with them. */
#ifndef CQ_PY_BATCH_H
#define CQ_PY_BATCH_H

#include "py_writer_object.h"

#include "write/column_import.h"

typedef enum source_kind {
    SOURCE_NULL,    /* null in every row */
    SOURCE_CONST,   /* one Python value for all rows */
    SOURCE_RAMP,    /* start + row * step */
    SOURCE_STRIDED, /* bound in `import` */
    SOURCE_ARROW,   /* `import` is bound to the type; the arrays follow one another */
    SOURCE_OBJECTS  /* a Python sequence */
} source_kind;

typedef struct source {
    source_kind kind;
    int64_t length;                   /* -1: any */
    PyObject *object;                 /* borrowed: the value or the sequence */
    int64_t start, step;              /* of a ramp, in the stored unit */
    cq_import import;
    const struct ArrowArray *arrays;  /* borrowed; as many rows as all columns have */
    int64_t n_arrays;
    bool is_part;                     /* of its one array, `part_from` and the rows that follow */
    int64_t part_from;
    const char *null_advice;          /* behind the text about a null in a required column; NULL: none */
    /* of the run */
    int64_t at;                       /* the array that `import` stands on; -1: none yet */
    int64_t at_row, at_rows;          /* its first row, and how many it has */
} source;

/* Of a batch in its call. */
typedef struct batch_place {
    int64_t first_row; /* rows of the call before the batch */
    int64_t written;   /* those of them that stay if it fails */
    size_t taken;      /* bytes of the writer's memory that the caller holds for the sources */
} batch_place;

/* Bytes of the writer's memory for the structs of a run, beside scratch and stages. */
size_t batch_struct_bytes(int32_t n_columns);

/* Writes rows [0, n_rows) of one source for each column of the schema; all of them, or none and -1
 * with an exception: a RowError, or what conversion or core raised. A failure after some of what was
 * checked was written (memory, sink, interrupt, a column that somebody changed meanwhile) is final for
 * the writer. The writer is acquired (busy); chunks are checked and written detached. */
int batch_write(WriterObject *self, source *sources, int64_t n_rows, const batch_place *at);

/* The RowError (or other exception) for a failure of the core at a row of the call, `written` rows of
 * which stay; always -1. */
int batch_raise(WriterObject *self, const cq_err *e, int32_t column, int64_t row, int64_t written);

#endif
