/* The memory budget: every byte the core owns is asked for here and nowhere else.
 *
 * One cq_mem belongs to one handle, has a limit and may have a parent (a shared MemoryBudget); a
 * charge goes to the whole chain or to nobody. Blocks of CQ_MEM_LARGE bytes and more are mapped
 * directly and charged in whole pages, so that what is given back leaves the process at once.
 * One handle is used by one thread at a time; a parent may be charged by several at once. */
#ifndef CQ_BASE_MEM_H
#define CQ_BASE_MEM_H

#include "base/err.h"

#include <stdatomic.h>

#define CQ_MEM_LARGE ((size_t)65536)

typedef struct cq_mem cq_mem;

/* Called when the limit is reached: give back what can be given back (spill parked pages) and
 * return true if anything was; the request is tried again while it says so. */
typedef bool (*cq_mem_stress)(void *ctx, size_t wanted);

struct cq_mem {
    cq_mem *parent;
    uint64_t limit;
    _Atomic uint64_t used, peak;
    uint64_t reserved;  /* charged to the parent up front; own charges below it do not reach it */
    cq_mem_stress stress;
    void *stress_ctx;
    bool in_stress;     /* no recursion: the callback's own requests see the plain limit */
    int stress_errno;   /* set by the callback where a system call kept it from giving back */
    cq_status last;     /* why the last request was refused: CQ_ENOMEM, CQ_EBUDGET, or CQ_EIO by stress_errno */
    uint64_t wanted;    /* the size of that request */
    uint64_t n_requests, fail_at; /* fault injection: request number fail_at fails; 0: none */
};

/* `limit` in bytes, above 0. The struct is the caller's and must outlive every block. */
void cq_mem_init(cq_mem *m, cq_mem *parent, uint64_t limit);

/* Charges `n` bytes to the parent once; cq_mem_close gives them back. */
cq_status cq_mem_reserve(cq_mem *m, uint64_t n, cq_err *e) CQ_MUST_CHECK;

/* Every block must be back. Returns the reservation to the parent. */
void cq_mem_close(cq_mem *m);

/* Allocates (p NULL, old 0), resizes, or frees (want 0, never fails). `old` is the size that was
 * asked for. NULL: refused, m->last says why, and the old block is untouched. New bytes are not
 * initialised. */
void *cq_mem_resize(cq_mem *m, void *p, size_t old, size_t want) CQ_MUST_CHECK;

/* The same without the stress callback: for memory that is nice to have. */
void *cq_mem_resize_quiet(cq_mem *m, void *p, size_t old, size_t want) CQ_MUST_CHECK;

/* Frees a block of `old` bytes; NULL with 0 is nothing. */
void cq_mem_free(cq_mem *m, void *p, size_t old);

/* What a block of `n` bytes is charged: page-rounded from CQ_MEM_LARGE up. */
uint64_t cq_mem_charge_of(size_t n);

/* Charges bytes that somebody else allocates (a library without an allocator hook). */
cq_status cq_mem_charge(cq_mem *m, uint64_t n, const char *what, cq_err *e) CQ_MUST_CHECK;
void cq_mem_uncharge(cq_mem *m, uint64_t n);

/* The refusal of the last request as an error record: `what` names the purpose. */
cq_status cq_mem_error(const cq_mem *m, const char *what, cq_err *e) CQ_MUST_CHECK;

/* cq_mem_resize for zeroed new blocks, with the error filled. */
cq_status cq_mem_alloc(cq_mem *m, size_t n, const char *what, void **out, cq_err *e) CQ_MUST_CHECK;

uint64_t cq_mem_used(const cq_mem *m);
uint64_t cq_mem_peak(const cq_mem *m);
/* Bytes that could still be charged along the chain. */
uint64_t cq_mem_room(const cq_mem *m);

#endif
