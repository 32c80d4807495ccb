/* The slots of an Arrow array that was entered (arrow_import.h), read chunk by chunk into vectors: plain, through a
 * dictionary, through run ends, or through both. */
#ifndef CQ_WRITE_ARROW_READ_H
#define CQ_WRITE_ARROW_READ_H

#include "base/arena.h"
#include "format/vec.h"
#include "write/arrow_import.h"

/* Slots [from, from + n) of the column, n > 0, within c->n. `trusted`: they were read before, UTF-8 is not checked again.
 * Errors of a value have its slot in e->row, counted from `from`. */
cq_status cq_arrow_read(cq_arrow_column *c, const cq_value_rule *r, bool trusted, int64_t from, int64_t n, cq_arena *scratch, cq_vec *out,
                        cq_err *e) CQ_MUST_CHECK;

/* Scratch of a read of n slots: at most n times this and CQ_ARROW_EXTRA. */
#define CQ_ARROW_EXTRA ((size_t)192)
size_t cq_arrow_row_bytes(const cq_arrow_column *c, const cq_value_rule *r);

#endif
