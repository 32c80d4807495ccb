/* Arrow arrays: every buffer checked, as far as the C data interface lets one, before a value is read, and the values
 * fetched chunk by chunk: plain, through a dictionary, through run ends, or both. */
#ifndef CQ_WRITE_ARROW_IMPORT_H
#define CQ_WRITE_ARROW_IMPORT_H

#include "base/arena.h"
#include "format/arrow_type.h"
#include "write/value_rule.h"

/* The buffers of one array without children; slot 0 is the array's first, its offset is counted in. */
typedef struct cq_arrow_slots {
    int64_t n;
    const uint8_t *validity;       /* bits; NULL: no nulls */
    int64_t bit_offset;            /* of slot 0 in `validity`, and in `values` for bits */
    const uint8_t *values;         /* values, offsets or views of slot 0; bits from bit_offset on; NULL: none */
    const uint8_t *data;           /* bytes behind offsets */
    const void *const *variadic;   /* bytes behind views */
    const int64_t *variadic_bytes;
    int64_t n_variadic;
} cq_arrow_slots;

typedef struct cq_arrow_column {
    cq_arrow_type type;
    cq_arrow_slots values;
    cq_arrow_slots index;          /* dictionaries */
    cq_arrow_slots run_ends;
    int64_t n;                     /* slots that a reader sees */
    int64_t first;                 /* with run ends: the array's offset, logical */
    int64_t run, run_start;        /* with run ends: where the last read was, to go on from */
    uint8_t dictionary;            /* 0: not looked at as a whole, 1: all entries are well-formed, 2: look at each slot */
} cq_arrow_column;

/* What the values are. */
void cq_arrow_value_type(const cq_arrow_type *t, cq_value_type *out);

/* The next array of c->type; borrowed. CQ_EFORMAT names what is wrong with it. */
cq_status cq_arrow_column_enter(cq_arrow_column *c, const struct ArrowArray *a, cq_err *e) CQ_MUST_CHECK;

#endif
