/* Statistics of a page or chunk: nulls, NaNs, bounds.
 *
 * Bounds are kept as prefixes of at most CQ_STAT_BYTES bytes with a flag for exactness, so that merging
 * parts gives what the whole would; characters and rounding are looked after when they are emitted. Values compare by
 * the order of the column's type (cq_order). A NaN anywhere takes the bounds away (no reader agrees on them). */
#ifndef CQ_FORMAT_STATS_H
#define CQ_FORMAT_STATS_H

#include "base/buf.h"
#include "format/limits.h"
#include "format/types.h"

typedef struct cq_bound {
    uint8_t n;
    bool exact;              /* the bytes are the whole value */
    uint8_t bytes[CQ_STAT_BYTES];
} cq_bound;

typedef struct cq_stats {
    int64_t n_nulls, n_nans;
    int64_t value_bytes;     /* byte arrays of no fixed length: bytes of the values without prefixes */
    bool has_bounds;         /* false while no value was seen that has bounds */
    cq_bound min, max;
} cq_stats;

void cq_stats_clear(cq_stats *s);

/* Adds n values that lie one behind the other: of width 1, 4, 8, or float16 of two bytes. */
void cq_stats_add_fixed(cq_stats *s, cq_type t, const void *values, size_t n);
/* Adds the smallest and the largest of some byte arrays of either kind but float16. Those of a fixed length beyond
 * CQ_STAT_BYTES get no bounds: a cut one would have another length, for which readers have no place (pyarrow ends the
 * process), and a whole one may be of 1 MiB. */
void cq_stats_add_bytes(cq_stats *s, cq_type t, cq_span min, cq_span max);
/* Adds what another part of the same column says. */
void cq_stats_merge(cq_stats *into, cq_type t, const cq_stats *from);

/* Order of two whole values of a type as their bytes: <0, 0, >0. NaN is not compared; -0 equals +0. */
int cq_value_cmp(cq_type t, cq_span a, cq_span b);

/* The bounds as a reader may use them, valid UTF-8 for what is text (string, json, enum): the minimum without a character
 * that was cut through, the maximum rounded up where it was cut; false: it cannot be expressed. Only
 * where has_bounds. */
void cq_stats_emit_min(const cq_stats *s, cq_type t, cq_bound *out);
bool cq_stats_emit_max(const cq_stats *s, cq_type t, cq_bound *out);
/* Bounds that can be emitted: there are some, no NaN, and the maximum can be expressed. */
bool cq_stats_usable(const cq_stats *s, cq_type t);

#endif
