/* Arrow arrays: the structure of each one checked, as far as the C data interface lets one, before a value is read.
 * Reading them is in arrow_read.h. */
#ifndef CQ_WRITE_ARROW_IMPORT_H
#define CQ_WRITE_ARROW_IMPORT_H

#include "format/arrow_type.h"
#include "write/value_rule.h"

/* The buffers of one array without children; slot 0 is the array's first, its offset is counted in. */
typedef struct cq_arrow_slots {
    int64_t n;
    const uint8_t *validity;       /* bits; NULL: no nulls */
    int64_t bit_offset;            /* of slot 0 in `validity`, and in `values` of bits */
    const uint8_t *values;         /* values, offsets or views of slot 0; bits from bit_offset on; NULL where n is 0 */
    const uint8_t *data;           /* bytes that offsets point to */
    int64_t data_end;              /* the last offset */
    const void *const *variadic;   /* bytes that views point to */
    const uint8_t *variadic_bytes; /* int64 each */
    int64_t n_variadic;
} cq_arrow_slots;

typedef struct cq_arrow_column {
    cq_arrow_type type;
    cq_arrow_slots values;         /* of the array, of its dictionary, or of its runs */
    cq_arrow_slots index;          /* dictionaries */
    cq_arrow_slots run_ends;
    int64_t first;                 /* with run ends: the logical offset */
    int64_t n;                     /* slots that a reader sees */
    uint8_t dictionary;            /* a CQ_DICTIONARY_ state */
} cq_arrow_column;

/* Entries of a dictionary are checked once, or each time a slot refers to one. */
enum { CQ_DICTIONARY_NEW, CQ_DICTIONARY_CHECKED, CQ_DICTIONARY_BY_SLOT };

/* What the values are. */
void cq_arrow_value_type(const cq_arrow_type *t, cq_value_type *out);

/* The next array of c->type; borrowed. CQ_EFORMAT names what is wrong with it. */
cq_status cq_arrow_column_enter(cq_arrow_column *c, const struct ArrowArray *a, cq_err *e) CQ_MUST_CHECK;

/* The end of run i of a column that has run ends. */
int64_t cq_arrow_run_end(const cq_arrow_column *c, int64_t i);

#endif
