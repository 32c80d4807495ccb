/* Growing buffers: see buf.h. */
#include "base/buf.h"

void cq_buf_init(cq_buf *b, cq_mem *mem)
{
    memset(b, 0, sizeof *b);
    b->mem = mem;
}

void cq_buf_reset(cq_buf *b)
{
    cq_mem_free(b->mem, b->data, b->cap);
    b->data = NULL;
    b->len = b->cap = 0;
}

cq_status cq_buf_set_cap(cq_buf *b, size_t cap, cq_err *e)
{
    if (cap == b->cap) return CQ_OK;
    if (cap == 0) {
        cq_buf_reset(b);
        return CQ_OK;
    }
    uint8_t *p = cq_mem_resize(b->mem, b->data, b->cap, cap);
    if (!p) return cq_mem_error(b->mem, "a buffer", e);
    b->data = p;
    b->cap = cap;
    return CQ_OK;
}

cq_status cq_buf_reserve(cq_buf *b, size_t extra, cq_err *e)
{
    if (extra <= b->cap - b->len) return CQ_OK;
    if (extra > SIZE_MAX / 4 - b->len) return cq_fail(e, CQ_ELIMIT, "a buffer beyond the address space");
    size_t const need = b->len + extra;
    size_t want = b->cap < 256 ? 256 : b->cap * 2;
    if (want < need) want = need;
    if (want > need && cq_mem_charge_of(want) - cq_mem_charge_of(b->cap) > cq_mem_room(b->mem)) want = need;
    return cq_buf_set_cap(b, want, e);
}

cq_status cq_buf_append(cq_buf *b, const void *p, size_t n, cq_err *e)
{
    CQ_TRY(cq_buf_reserve(b, n, e));
    cq_buf_put(b, p, n);
    return CQ_OK;
}
