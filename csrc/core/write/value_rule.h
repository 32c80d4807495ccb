/* Which values from outside fit which column, by the strict rules of rows: an integer of any width where it is in
 * range, a float where it was a number of its kind, times and decimals where nothing is lost, never text as numbers.
 * Here is the decision for a whole column; single values are checked as they are converted (value_import.h). */
#ifndef CQ_WRITE_VALUE_RULE_H
#define CQ_WRITE_VALUE_RULE_H

#include "format/schema.h"

typedef enum cq_value_kind {
    CQ_VALUE_NULL, CQ_VALUE_BOOL, CQ_VALUE_INT, CQ_VALUE_FLOAT, CQ_VALUE_DECIMAL, CQ_VALUE_DATE, CQ_VALUE_TIME, CQ_VALUE_TIMESTAMP,
    CQ_VALUE_TEXT, CQ_VALUE_BINARY
} cq_value_kind;

typedef enum cq_zone { CQ_ZONE_NONE, CQ_ZONE_SET, CQ_ZONE_ANY } cq_zone;

/* Values as they come: little-endian and of equal width, or spans. */
typedef struct cq_value_type {
    cq_value_kind kind;
    uint8_t width;           /* bool 1; integers, dates, times 1 to 8; floats 2, 4, 8; decimals 4, 8, 16, 32; 0: spans, or no values */
    bool is_signed;          /* of integers */
    bool has_nat;            /* the least int64 is null */
    cq_zone zone;            /* of timestamps; numpy's fit both */
    int64_t tick_ns;         /* of dates, times and timestamps: nanoseconds of one step */
    int32_t precision, scale;/* of decimals */
    int32_t fixed_bytes;     /* of binary values that all have this length; 0: of any */
    char text[96];           /* "Arrow int8", "datetime64[us]": for messages */
} cq_value_type;

typedef enum cq_value_op {
    CQ_OP_NULL,              /* no values */
    CQ_OP_SAME,              /* stored as they are, floats */
    CQ_OP_BOOL,              /* any byte but 0 is true */
    CQ_OP_INT,               /* an integer into one of any width */
    CQ_OP_INT_FLOAT,
    CQ_OP_FLOAT,             /* a float of another width */
    CQ_OP_SCALE,             /* value / div * mul, without a remainder */
    CQ_OP_DECIMAL,           /* decimals and integers into decimals */
    CQ_OP_TEXT,              /* spans of UTF-8 */
    CQ_OP_BYTES,
    CQ_OP_FIXED              /* spans of the column's length */
} cq_value_op;

typedef struct cq_value_rule {
    const cq_field *field;   /* borrowed */
    cq_value_type from;
    cq_value_op op;
    uint8_t width;           /* of a stored value; 0: spans */
    int64_t mul, div;        /* CQ_OP_SCALE */
    bool has_range;          /* CQ_OP_INT, CQ_OP_SCALE: not every value fits, only those in */
    int64_t lo, hi;          /* [lo, hi], of values read as signed integers of their width (CQ_OP_SCALE: of 64 bits); hi - lo
                                is below half the range of that width */
} cq_value_rule;

/* CQ_ETYPE with what it is, what the column is, and what to do, where no value of the type fits; CQ_EUNSUPPORTED for
 * steps of time beyond what can be counted. */
cq_status cq_value_rule_make(cq_value_rule *r, const cq_field *f, const cq_value_type *from, cq_err *e) CQ_MUST_CHECK;

#endif
