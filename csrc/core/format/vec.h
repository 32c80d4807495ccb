/* Vectors: how columns reach the writer. A vector is borrowed memory of the caller and a shape:
 * flat (one value a slot), constant (one value for all) or ramp (start + i * step).
 *
 * Integers narrower than 32 bits are given as int32_t (unsigned ones zero-extended), booleans as
 * one byte of 0 or 1, dates, times, timestamps and short decimals as the integer that is stored, byte
 * arrays of either kind as spans. Only a slot's level is read where the slot is null. The shapes of the
 * same values give the same bytes in the file. */
#ifndef CQ_FORMAT_VEC_H
#define CQ_FORMAT_VEC_H

#include "base/buf.h"
#include "format/types.h"

typedef enum cq_vec_shape { CQ_VEC_FLAT, CQ_VEC_CONST, CQ_VEC_RAMP } cq_vec_shape;

typedef struct cq_vec {
    cq_vec_shape shape;
    cq_type type;
    const void *values;      /* flat, fixed width: n values of the type's width */
    const cq_span *spans;    /* flat, width 0: n spans; fixed-length ones each of the field's fixed_bytes */
    bool repeats;            /* flat, width 0: equal pointers are likely (entries of a dictionary), so that remembering their ids pays */
    const uint8_t *validity; /* flat: one byte a slot, 1 = value, 0 = null (its value is ignored); NULL: no nulls */
    cq_span constant;        /* const: the value's bytes (width bytes, or the byte array) */
    bool is_null;            /* const: null in every slot */
    int64_t start, step;     /* ramp, types of 8-byte signed integers only (int64, timestamps, ...): start + i * step in the
                                stored unit, which must not overflow */
} cq_vec;

typedef struct cq_batch {
    int64_t n_rows;
    const cq_vec *columns;   /* one for each leaf of the schema, in its order */
} cq_batch;

static inline cq_vec cq_vec_flat(cq_type t, const void *values, const uint8_t *validity)
{
    cq_vec v = {.shape = CQ_VEC_FLAT, .type = t, .values = values, .validity = validity};
    return v;
}

static inline cq_vec cq_vec_spans(cq_type t, const cq_span *spans, const uint8_t *validity)
{
    cq_vec v = {.shape = CQ_VEC_FLAT, .type = t, .spans = spans, .validity = validity};
    return v;
}

/* `value` is borrowed like every vector's memory. */
static inline cq_vec cq_vec_const(cq_type t, cq_span value)
{
    cq_vec v = {.shape = CQ_VEC_CONST, .type = t, .constant = value};
    return v;
}

static inline cq_vec cq_vec_null(cq_type t)
{
    cq_vec v = {.shape = CQ_VEC_CONST, .type = t, .is_null = true};
    return v;
}

static inline cq_vec cq_vec_ramp_of(cq_type t, int64_t start, int64_t step)
{
    cq_vec v = {.shape = CQ_VEC_RAMP, .type = t, .start = start, .step = step};
    return v;
}

static inline cq_vec cq_vec_ramp(int64_t start, int64_t step) { return cq_vec_ramp_of(CQ_INT64, start, step); }

#endif
