/* Writing Thrift's compact protocol into memory that the caller has sized: struct fields in
 * ascending order, integers, binaries, booleans, list headers. Nothing can fail but the size, which
 * is a matter of the caller's bound and asserted. */
#ifndef CQ_FORMAT_THRIFT_H
#define CQ_FORMAT_THRIFT_H

#include "base/buf.h"

#define CQ_THRIFT_DEPTH 8

typedef enum cq_thrift_type {
    CQ_T_TRUE = 1, CQ_T_FALSE = 2, CQ_T_I8 = 3, CQ_T_I16 = 4, CQ_T_I32 = 5, CQ_T_I64 = 6, CQ_T_BINARY = 8, CQ_T_LIST = 9, CQ_T_STRUCT = 12
} cq_thrift_type;

typedef struct cq_thrift {
    uint8_t *begin, *at, *end;
    int last[CQ_THRIFT_DEPTH]; /* last field id of each open struct */
    int depth;
} cq_thrift;

/* The outermost struct is open after it; cq_thrift_end closes it. */
void cq_thrift_begin(cq_thrift *t, uint8_t *dst, size_t cap);
/* A writer inside a struct whose fields up to `last` were written elsewhere (streamed structs). */
void cq_thrift_resume(cq_thrift *t, uint8_t *dst, size_t cap, int last);
size_t cq_thrift_bytes(const cq_thrift *t);

void cq_thrift_bool(cq_thrift *t, int id, bool v);
void cq_thrift_i8(cq_thrift *t, int id, int v);
void cq_thrift_i32(cq_thrift *t, int id, int64_t v);
void cq_thrift_i64(cq_thrift *t, int id, int64_t v);
void cq_thrift_binary(cq_thrift *t, int id, const void *p, size_t n);
/* A field of n elements follows: elements by the cq_thrift_el_* functions or struct elements. */
void cq_thrift_list(cq_thrift *t, int id, cq_thrift_type element, size_t n);
void cq_thrift_struct(cq_thrift *t, int id);
void cq_thrift_el_struct(cq_thrift *t);
void cq_thrift_el_int(cq_thrift *t, int64_t v);
void cq_thrift_el_bool(cq_thrift *t, bool v);
void cq_thrift_el_binary(cq_thrift *t, const void *p, size_t n);
/* Closes the innermost struct. */
void cq_thrift_end(cq_thrift *t);

#endif
