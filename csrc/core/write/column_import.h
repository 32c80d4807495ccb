/* Columns from outside, chunk by chunk as vectors: arrays in memory (strided_import.h) and Arrow arrays
 * (arrow_import.h), with the conversions that rows have too (value_rule.h).
 *
 * The caller owns the struct; what it describes is borrowed and must not change while it is read. Nothing is
 * allocated but scratch in the arena of a read. */
#ifndef CQ_WRITE_COLUMN_IMPORT_H
#define CQ_WRITE_COLUMN_IMPORT_H

#include "format/vec.h"
#include "write/arrow_import.h"
#include "write/strided_import.h"

typedef struct cq_import {
    cq_value_rule rule;
    bool is_arrow, trusted;
    int64_t first, n;      /* Arrow: the slots of the array that are rows */
    cq_strided strided;
    cq_arrow_column arrow;
} cq_import;

/* CQ_ETYPE, with what it is, what the column is and what to do, where no value could ever fit. `f` is borrowed. */
cq_status cq_import_strided(cq_import *im, const cq_field *f, const cq_strided *s, cq_err *e) CQ_MUST_CHECK;
/* The type of the arrays to come; nothing of `s` is kept. CQ_ETYPE as above; cq_arrow_type_parse's errors. */
cq_status cq_import_arrow_type(cq_import *im, const cq_field *f, const struct ArrowSchema *s, cq_err *e) CQ_MUST_CHECK;
/* The next array of that type: CQ_EFORMAT where lengths, offsets, buffers or children do not fit together. */
cq_status cq_import_arrow_array(cq_import *im, const struct ArrowArray *a, cq_err *e) CQ_MUST_CHECK;
/* The same for rows [from, from + n) of the array, which become 0 to n: a child of a batch whose struct has an offset. */
cq_status cq_import_arrow_rows(cq_import *im, const struct ArrowArray *a, int64_t from, int64_t n, cq_err *e) CQ_MUST_CHECK;

/* Whether every row to come was read once without error: then what no memory safety depends on (UTF-8) is not checked again.
 * Not so at first; it holds for the arrays that were read, not for others of their type. */
void cq_import_trust(cq_import *im, bool read_before);

int64_t cq_import_length(const cq_import *im);

/* A read of n rows takes at most n * row_bytes + CQ_IMPORT_EXTRA bytes of scratch. */
#define CQ_IMPORT_EXTRA ((size_t)192)
size_t cq_import_row_bytes(const cq_import *im);

/* Rows [from, from + n) as a vector, n > 0: the source's own memory where it is what a vector wants, else converted into the
 * arena. CQ_ERANGE, CQ_EVALUE, CQ_EFORMAT for a value: e->row is its row, of the array. Nulls in a required column
 * are the writer's to refuse. */
cq_status cq_import_read(cq_import *im, int64_t from, int64_t n, cq_arena *scratch, cq_vec *out, cq_err *e) CQ_MUST_CHECK;

#endif
