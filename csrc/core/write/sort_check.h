/* The declared sort order, checked row by row over the whole file: what `sorting_columns` of the
 * footer promises is true. Nulls come last in either direction; NaN has no place in an order and is
 * refused. The last row's keys are kept whole, so they are bounded (CQ_MAX_SORT_KEY_BYTES). */
#ifndef CQ_WRITE_SORT_CHECK_H
#define CQ_WRITE_SORT_CHECK_H

#include "format/schema.h"
#include "format/vec.h"
#include "write/writer.h"

typedef struct cq_sort_value {
    bool is_null;
    cq_buf bytes;
} cq_sort_value;

typedef struct cq_sort_check {
    cq_mem *mem;
    const cq_schema *schema;
    cq_sort_key *keys;
    cq_sort_value *last, *saved; /* per key: of the last row; of the row before the explicit group */
    int32_t n_keys;
    bool has_last, has_saved;
} cq_sort_check;

cq_status cq_sort_check_open(cq_sort_check *s, const cq_schema *schema, const cq_sort_key *keys, int32_t n, cq_mem *mem, cq_err *e) CQ_MUST_CHECK;
void cq_sort_check_close(cq_sort_check *s);

/* One row, given by a function that tells its value in a column. Accepts and remembers it, or fails
 * with CQ_EVALUE (both keys in the text) and remembers nothing. */
typedef cq_span (*cq_sort_value_fn)(const void *ctx, int32_t column, bool *is_null);
cq_status cq_sort_check_row(cq_sort_check *s, cq_sort_value_fn value, const void *ctx, cq_err *e) CQ_MUST_CHECK;

/* All rows of a batch, without remembering; then its last row is remembered by _take. */
cq_status cq_sort_check_batch(const cq_sort_check *s, const cq_batch *b, cq_err *e) CQ_MUST_CHECK;
cq_status cq_sort_check_take(cq_sort_check *s, const cq_batch *b, int64_t row, cq_err *e) CQ_MUST_CHECK;

/* For explicit groups. */
cq_status cq_sort_check_save(cq_sort_check *s, cq_err *e) CQ_MUST_CHECK;
void cq_sort_check_restore(cq_sort_check *s);

#endif
