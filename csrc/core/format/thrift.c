/* The compact protocol's writer: see thrift.h. */
#include "format/thrift.h"

#include "base/bytes.h"
#include "base/varint.h"

static void put(cq_thrift *t, uint8_t b)
{
    assert(t->at < t->end);
    *t->at++ = b;
}

static void put_varint(cq_thrift *t, uint64_t v)
{
    assert((size_t)(t->end - t->at) >= cq_varint_bytes(v));
    t->at += cq_varint_put(t->at, v);
}

static void put_field(cq_thrift *t, int id, unsigned type)
{
    int *last = &t->last[t->depth];
    int const step = id - *last;
    assert(step > 0);
    if (step <= 15) {
        put(t, cq_low8((uint64_t)step << 4 | type));
    } else {
        put(t, cq_low8(type));
        put_varint(t, cq_zigzag(id));
    }
    *last = id;
}

void cq_thrift_resume(cq_thrift *t, uint8_t *dst, size_t cap, int last)
{
    t->begin = t->at = dst;
    t->end = dst + cap;
    t->depth = 0;
    t->last[0] = last;
}

void cq_thrift_begin(cq_thrift *t, uint8_t *dst, size_t cap) { cq_thrift_resume(t, dst, cap, 0); }

size_t cq_thrift_bytes(const cq_thrift *t) { return (size_t)(t->at - t->begin); }

void cq_thrift_bool(cq_thrift *t, int id, bool v) { put_field(t, id, v ? CQ_T_TRUE : CQ_T_FALSE); }

void cq_thrift_i8(cq_thrift *t, int id, int v)
{
    put_field(t, id, CQ_T_I8);
    put(t, cq_low8((uint64_t)v));
}

void cq_thrift_i32(cq_thrift *t, int id, int64_t v)
{
    assert(v >= INT32_MIN && v <= INT32_MAX);
    put_field(t, id, CQ_T_I32);
    put_varint(t, cq_zigzag(v));
}

void cq_thrift_i64(cq_thrift *t, int id, int64_t v)
{
    put_field(t, id, CQ_T_I64);
    put_varint(t, cq_zigzag(v));
}

void cq_thrift_binary(cq_thrift *t, int id, const void *p, size_t n)
{
    put_field(t, id, CQ_T_BINARY);
    cq_thrift_el_binary(t, p, n);
}

void cq_thrift_list(cq_thrift *t, int id, cq_thrift_type element, size_t n)
{
    put_field(t, id, CQ_T_LIST);
    if (n < 15) {
        put(t, cq_low8(n << 4 | (uint64_t)element));
    } else {
        put(t, cq_low8(0xF0u | (uint64_t)element));
        put_varint(t, n);
    }
}

static void open_struct(cq_thrift *t)
{
    assert(t->depth + 1 < CQ_THRIFT_DEPTH);
    t->last[++t->depth] = 0;
}

void cq_thrift_struct(cq_thrift *t, int id)
{
    put_field(t, id, CQ_T_STRUCT);
    open_struct(t);
}

void cq_thrift_el_struct(cq_thrift *t) { open_struct(t); }

void cq_thrift_el_int(cq_thrift *t, int64_t v) { put_varint(t, cq_zigzag(v)); }

void cq_thrift_el_bool(cq_thrift *t, bool v) { put(t, v ? CQ_T_TRUE : CQ_T_FALSE); }

void cq_thrift_el_binary(cq_thrift *t, const void *p, size_t n)
{
    put_varint(t, n);
    assert((size_t)(t->end - t->at) >= n);
    if (n) memcpy(t->at, p, n);
    t->at += n;
}

void cq_thrift_end(cq_thrift *t)
{
    put(t, 0);
    if (t->depth > 0) t->depth--;
}
