/* Arrays in memory at equal steps, as buffers of Python and numpy describe them: their values fetched chunk by chunk.
 *
 * Others may write to the memory meanwhile: what is read then is anything, but within the array and within what was
 * allocated for it. */
#ifndef CQ_WRITE_STRIDED_IMPORT_H
#define CQ_WRITE_STRIDED_IMPORT_H

#include "base/arena.h"
#include "format/vec.h"
#include "write/value_rule.h"

typedef enum cq_strided_kind {
    CQ_STRIDED_BOOL,     /* bytes: 0 is false */
    CQ_STRIDED_INT, CQ_STRIDED_UINT, /* of 1, 2, 4, 8 bytes */
    CQ_STRIDED_FLOAT,    /* of 2, 4, 8 bytes */
    CQ_STRIDED_DATETIME, /* int64 steps of `multiplier` units since 1970; the least int64 is NaT, a null */
    CQ_STRIDED_BYTES,    /* 'S': NUL bytes at the end are not part of the value, unless the column's length is the item's */
    CQ_STRIDED_VOID,     /* 'V': all of the item's bytes */
    CQ_STRIDED_TEXT      /* 'U': UCS4 characters, NULs at the end not part of the value */
} cq_strided_kind;

/* Of datetime64: those whose length in nanoseconds is fixed and whole. */
typedef enum cq_strided_unit {
    CQ_STRIDED_WEEK, CQ_STRIDED_DAY, CQ_STRIDED_HOUR, CQ_STRIDED_MINUTE, CQ_STRIDED_S, CQ_STRIDED_MS, CQ_STRIDED_US, CQ_STRIDED_NS
} cq_strided_unit;

typedef struct cq_strided {
    const void *base;      /* of item 0; NULL where n is 0 */
    int64_t stride;        /* bytes from item to item; 0 and below are fine */
    int64_t n;
    cq_strided_kind kind;
    size_t item_bytes;
    bool swapped;          /* big-endian */
    cq_strided_unit unit;  /* of CQ_STRIDED_DATETIME */
    int32_t multiplier;    /* of datetime64[25us]; 0 is 1 */
    const uint8_t *mask;   /* not 0: null; NULL: none */
    int64_t mask_stride;
} cq_strided;

/* What the values are; CQ_EARG for items that the kind does not have. */
cq_status cq_strided_value_type(const cq_strided *s, cq_value_type *out, cq_err *e) CQ_MUST_CHECK;

/* Items [from, from + n) as a vector, n > 0. CQ_ERANGE, CQ_EVALUE: e->row is the item's, counted from `from`. */
cq_status cq_strided_read(const cq_strided *s, const cq_value_rule *r, int64_t from, int64_t n, cq_arena *scratch, cq_vec *out, cq_err *e) CQ_MUST_CHECK;

/* Scratch of a read of n items: at most n times this and CQ_STRIDED_EXTRA. */
#define CQ_STRIDED_EXTRA ((size_t)96)
size_t cq_strided_row_bytes(const cq_strided *s, const cq_value_rule *r);

#endif
