/* The budget's accounting and the only calls of malloc, free, mmap and mremap in the core.
 * See mem.h for the contract. */
#define _GNU_SOURCE
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const size_t page_bytes = 4096; /* fixed, so that plans are the same everywhere; a kernel with larger pages maps up to one of them more a block */

static size_t round_page(size_t n) { return (n + page_bytes - 1) & ~(page_bytes - 1); }

uint64_t cq_mem_charge_of(size_t n)
{
    if (n < CQ_MEM_LARGE) return n;
    return n > SIZE_MAX - page_bytes ? UINT64_MAX : round_page(n);
}

void cq_mem_init(cq_mem *m, cq_mem *parent, uint64_t limit)
{
    memset(m, 0, sizeof *m);
    m->parent = parent;
    m->limit = limit;
    atomic_init(&m->used, 0);
    atomic_init(&m->peak, 0);
}

/* What the parent bears of `used` own bytes: the reservation is paid already. */
static uint64_t beyond(const cq_mem *m, uint64_t used)
{
    return used > m->reserved ? used - m->reserved : 0;
}

static bool charge(cq_mem *m, uint64_t n)
{
    uint64_t used = atomic_load(&m->used);
    do {
        if (n > m->limit || used > m->limit - n) return false;
    } while (!atomic_compare_exchange_weak(&m->used, &used, used + n));
    if (m->parent) {
        uint64_t up = beyond(m, used + n) - beyond(m, used);
        if (up && !charge(m->parent, up)) {
            atomic_fetch_sub(&m->used, n);
            return false;
        }
    }
    uint64_t peak = atomic_load(&m->peak);
    while (peak < used + n && !atomic_compare_exchange_weak(&m->peak, &peak, used + n)) {
    }
    return true;
}

static void uncharge(cq_mem *m, uint64_t n)
{
    uint64_t used = atomic_fetch_sub(&m->used, n);
    if (m->parent) {
        uint64_t up = beyond(m, used) - beyond(m, used - n);
        if (up) uncharge(m->parent, up);
    }
}

void *cq_mem_resize_quiet(cq_mem *m, void *p, size_t old, size_t want)
{
    bool const before = m->in_stress;
    m->in_stress = true;
    void *q = cq_mem_resize(m, p, old, want);
    m->in_stress = before;
    return q;
}

static bool charge_or_stress(cq_mem *m, uint64_t n)
{
    m->stress_errno = 0;
    while (!charge(m, n)) {
        if (!m->stress || m->in_stress) return false;
        m->in_stress = true;
        bool again = m->stress(m->stress_ctx, (size_t)n);
        m->in_stress = false;
        if (!again) return false;
    }
    return true;
}

cq_status cq_mem_reserve(cq_mem *m, uint64_t n, cq_err *e)
{
    if (m->parent && !charge(m->parent, n)) {
        uint64_t const left = cq_mem_room(m->parent);
        cq_status const st = cq_fail(e, CQ_EBUDGET, "a share of %llu bytes does not fit: %llu of the memory budget's %llu bytes are free; "
                                     "take a smaller share", (unsigned long long)n, (unsigned long long)left,
                                     (unsigned long long)m->parent->limit);
        if (e) {
            e->needed = n;
            e->limit = m->parent->limit;
        }
        return st;
    }
    m->reserved = n;
    return CQ_OK;
}

void cq_mem_close(cq_mem *m)
{
    if (m->parent && m->reserved) uncharge(m->parent, m->reserved);
    m->reserved = 0;
}

static void *large_resize(void *p, size_t old, size_t want)
{
    if (!p) {
        void *q = mmap(NULL, round_page(want), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return q == MAP_FAILED ? NULL : q;
    }
    if (round_page(old) == round_page(want)) return p;
    void *q = mremap(p, round_page(old), round_page(want), MREMAP_MAYMOVE);
    return q == MAP_FAILED ? NULL : q;
}

/* One block between the two kinds of memory: a new one is made, the old one copied and freed. */
static void *block_resize(void *p, size_t old, size_t want)
{
    bool const was_large = old >= CQ_MEM_LARGE, is_large = want >= CQ_MEM_LARGE;
    if (was_large == is_large || !p) return is_large ? large_resize(p, old, want) : realloc(p, want);
    void *q = is_large ? large_resize(NULL, 0, want) : malloc(want);
    if (!q) return NULL;
    memcpy(q, p, old < want ? old : want);
    if (was_large)
        (void)munmap(p, round_page(old));
    else
        free(p);
    return q;
}

void cq_mem_free(cq_mem *m, void *p, size_t old)
{
    if (!p) return;
    if (old >= CQ_MEM_LARGE)
        (void)munmap(p, round_page(old));
    else
        free(p);
    uncharge(m, cq_mem_charge_of(old));
}

void *cq_mem_resize(cq_mem *m, void *p, size_t old, size_t want)
{
    if (want == 0) {
        cq_mem_free(m, p, old);
        return NULL;
    }
    uint64_t const a = p ? cq_mem_charge_of(old) : 0, b = cq_mem_charge_of(want);
    m->wanted = want;
    m->n_requests++;
    if (m->fail_at && m->n_requests == m->fail_at) {
        m->last = CQ_ENOMEM;
        return NULL;
    }
    if (b > a && !charge_or_stress(m, b - a)) {
        m->last = m->stress_errno ? CQ_EIO : CQ_EBUDGET;
        return NULL;
    }
    void *q = block_resize(p, old, want);
    if (!q) {
        if (b > a) uncharge(m, b - a);
        m->last = CQ_ENOMEM;
        return NULL;
    }
    if (a > b) uncharge(m, a - b);
    return q;
}

cq_status cq_mem_charge(cq_mem *m, uint64_t n, const char *what, cq_err *e)
{
    m->wanted = n;
    m->n_requests++;
    if (m->fail_at && m->n_requests == m->fail_at) {
        m->last = CQ_ENOMEM;
        return cq_mem_error(m, what, e);
    }
    if (charge_or_stress(m, n)) return CQ_OK;
    m->last = m->stress_errno ? CQ_EIO : CQ_EBUDGET;
    return cq_mem_error(m, what, e);
}

void cq_mem_uncharge(cq_mem *m, uint64_t n) { uncharge(m, n); }

cq_status cq_mem_error(const cq_mem *m, const char *what, cq_err *e)
{
    if (m->last == CQ_EIO) return cq_fail_errno(e, m->stress_errno, "cannot write to a temporary file what memory has no room for");
    if (m->last == CQ_EBUDGET) return cq_fail_budget(e, what, m->wanted + cq_mem_used(m), m->limit);
    return cq_fail(e, CQ_ENOMEM, "out of memory: %s (%llu bytes)", what, (unsigned long long)m->wanted);
}

cq_status cq_mem_alloc(cq_mem *m, size_t n, const char *what, void **out, cq_err *e)
{
    void *p = cq_mem_resize(m, NULL, 0, n);
    if (!p) return cq_mem_error(m, what, e);
    if (n < CQ_MEM_LARGE) memset(p, 0, n); /* mapped blocks are zero already */
    *out = p;
    return CQ_OK;
}

uint64_t cq_mem_used(const cq_mem *m) { return atomic_load(&m->used); }
uint64_t cq_mem_peak(const cq_mem *m) { return atomic_load(&m->peak); }

uint64_t cq_mem_room(const cq_mem *m)
{
    uint64_t const used = atomic_load(&m->used);
    uint64_t const own = used < m->limit ? m->limit - used : 0;
    if (!m->parent) return own;
    uint64_t const up = cq_mem_room(m->parent) + (m->reserved > used ? m->reserved - used : 0);
    return own < up ? own : up;
}
