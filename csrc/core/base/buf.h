/* A growable byte buffer on a budget, and a borrowed span of bytes.
 *
 * Reserve first (may fail), then put without checks. The struct is the caller's; its memory is
 * given back by cq_buf_reset. */
#ifndef CQ_BASE_BUF_H
#define CQ_BASE_BUF_H

#include "base/mem.h"

#include <string.h>

typedef struct cq_span {
    const uint8_t *p;
    size_t n;
} cq_span;

static inline cq_span cq_span_of(const void *p, size_t n)
{
    cq_span s = {(const uint8_t *)p, n};
    return s;
}

typedef struct cq_buf {
    cq_mem *mem;
    uint8_t *data;
    size_t len, cap;
} cq_buf;

void cq_buf_init(cq_buf *b, cq_mem *mem);
/* Frees the memory; the buffer can be used again. */
void cq_buf_reset(cq_buf *b);

/* Room for `extra` more bytes; grows by doubling, but exactly where doubling would not be granted.
 * The content is untouched on failure. */
cq_status cq_buf_reserve(cq_buf *b, size_t extra, cq_err *e) CQ_MUST_CHECK;
/* Capacity of exactly `cap` bytes, not below len. */
cq_status cq_buf_set_cap(cq_buf *b, size_t cap, cq_err *e) CQ_MUST_CHECK;

cq_status cq_buf_append(cq_buf *b, const void *p, size_t n, cq_err *e) CQ_MUST_CHECK;

static inline void cq_buf_put(cq_buf *b, const void *p, size_t n)
{
    if (n) memcpy(b->data + b->len, p, n);
    b->len += n;
}

static inline void cq_buf_put_byte(cq_buf *b, uint8_t v) { b->data[b->len++] = v; }

#endif
