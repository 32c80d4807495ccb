/* Vectors: how columns reach the writer. A vector is borrowed memory of the caller and a shape:
 * flat (one value a slot), constant (one value for all) or ramp (start + i * step).
 *
 * Integers narrower than 32 bits are given as int32_t (unsigned ones zero-extended), booleans as
 * one byte of 0 or 1. The three shapes of the same values give the same bytes in the file. */
#ifndef CQ_FORMAT_VEC_H
#define CQ_FORMAT_VEC_H

#include "base/buf.h"
#include "format/types.h"

typedef enum cq_vec_shape { CQ_VEC_FLAT, CQ_VEC_CONST, CQ_VEC_RAMP } cq_vec_shape;

typedef struct cq_vec {
    cq_vec_shape shape;
    cq_type type;
    const void *values;      /* flat: n values of the type's width; byte arrays: the bytes */
    const int64_t *offsets;  /* flat byte arrays: n + 1 positions in `values`, ascending */
    const uint8_t *validity; /* flat: one byte a slot, 1 = value, 0 = null (its value is ignored); NULL: no nulls */
    cq_span constant;        /* const: the value's bytes (width bytes, or the byte array) */
    bool is_null;            /* const: null in every slot */
    int64_t start, step;     /* ramp, CQ_INT64 only: start + i * step, which must not overflow */
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

static inline cq_vec cq_vec_bytes(cq_type t, const void *bytes, const int64_t *offsets, const uint8_t *validity)
{
    cq_vec v = {.shape = CQ_VEC_FLAT, .type = t, .values = bytes, .offsets = offsets, .validity = validity};
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

static inline cq_vec cq_vec_ramp(int64_t start, int64_t step)
{
    cq_vec v = {.shape = CQ_VEC_RAMP, .type = CQ_INT64, .start = start, .step = step};
    return v;
}

#endif
