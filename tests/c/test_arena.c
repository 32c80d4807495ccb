/* The arena: alignment, pieces that do not overlap, blocks kept and given back, refusals, large pieces. */
#include "base/arena.h"

#include <stdlib.h>

#include "cqtest.h"

static void pieces_are_apart_and_aligned(void)
{
    enum { N = 400 };
    cq_mem mem;
    cq_arena a;
    cq_err e;
    uint8_t *at[N];
    size_t n[N];
    cq_mem_init(&mem, NULL, UINT64_C(1) << 30);
    cq_arena_init(&a, &mem, 4096);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < N; i++) {
            void *p;
            n[i] = cqt_rand_below(10) ? cqt_rand_below(200) : cqt_rand_below(20000);
            CQT_OK(cq_arena_alloc(&a, n[i], &p, &e), &e);
            CQT(p != NULL && (uintptr_t)p % CQ_ARENA_ALIGN == 0);
            at[i] = p;
            memset(p, i, n[i]);
        }
        for (int i = 0; i < N; i++)
            for (size_t k = 0; k < n[i]; k++) CQT_EQ_U(at[i][k], (uint8_t)i);
        cq_arena_clear(&a);
        CQT(cq_mem_used(&mem) <= 4096);
    }
    cq_arena_reset(&a);
    CQT_EQ_U(cq_mem_used(&mem), 0);
}

/* A block of the size of all its pieces takes them all, and stays for the next chunk. */
static void one_block_is_enough(void)
{
    enum { PIECES = 7 };
    size_t const sizes[PIECES] = {1, 15, 16, 17, 1000, 0, 33};
    size_t block = CQ_ARENA_HEADER;
    cq_mem mem;
    cq_arena a;
    cq_err e;
    for (int i = 0; i < PIECES; i++) block += cq_arena_piece(sizes[i]);
    cq_mem_init(&mem, NULL, block);
    cq_arena_init(&a, &mem, block);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < PIECES; i++) {
            void *p;
            CQT_OK(cq_arena_alloc(&a, sizes[i], &p, &e), &e);
        }
        CQT_EQ_U(cq_mem_used(&mem), block);
        CQT_EQ_U(mem.n_requests, 1);
        cq_arena_clear(&a);
    }
    cq_arena_reset(&a);
    CQT_EQ_U(cq_mem_used(&mem), 0);
}

static void large_blocks_are_given_back(void)
{
    cq_mem mem;
    cq_arena a;
    cq_err e;
    void *p;
    cq_mem_init(&mem, NULL, UINT64_C(1) << 30);
    cq_arena_init(&a, &mem, 1024);
    CQT_OK(cq_arena_alloc(&a, 100000, &p, &e), &e); /* the first one already is no ordinary block */
    cq_arena_clear(&a);
    CQT_EQ_U(cq_mem_used(&mem), 0);
    CQT_OK(cq_arena_alloc(&a, 10, &p, &e), &e);
    CQT_OK(cq_arena_alloc(&a, 100000, &p, &e), &e);
    CQT_OK(cq_arena_alloc(&a, 10, &p, &e), &e);
    CQT_EQ_U(cq_arena_bytes(&a), 1024 + 1024 + CQ_ARENA_HEADER + 100000);
    cq_arena_clear(&a);
    CQT_EQ_U(cq_mem_used(&mem), 1024);
    CQT_EQ_U(cq_arena_bytes(&a), 1024);
    cq_arena_reset(&a);
    CQT_EQ_U(cq_arena_bytes(&a), 0);
    CQT_EQ_U(cq_mem_used(&mem), 0);
}

static void refusals_leave_it_usable(void)
{
    cq_mem mem;
    cq_arena a;
    cq_err e;
    void *p, *q;
    cq_mem_init(&mem, NULL, 8192);
    cq_arena_init(&a, &mem, 1000);
    CQT_OK(cq_arena_alloc(&a, 100, &p, &e), &e);
    memset(p, 7, 100);
    CQT_STATUS(cq_arena_alloc(&a, 10000, &q, &e), CQ_EBUDGET);
    CQT(q == NULL);
    CQT_STATUS(cq_arena_alloc(&a, SIZE_MAX, &q, &e), CQ_ELIMIT);
    CQT_STATUS(cq_arena_alloc(&a, SIZE_MAX - 70, &q, &e), CQ_EBUDGET);
    mem.fail_at = mem.n_requests + 1;
    CQT_STATUS(cq_arena_alloc(&a, 2000, &q, &e), CQ_ENOMEM);
    CQT_OK(cq_arena_alloc(&a, 100, &q, &e), &e);
    memset(q, 8, 100);
    CQT_EQ_U(*(uint8_t *)p, 7);
    cq_arena_reset(&a);
    CQT_EQ_U(cq_mem_used(&mem), 0);
}

void test_arena(void)
{
    CQT_RUN(pieces_are_apart_and_aligned);
    CQT_RUN(one_block_is_enough);
    CQT_RUN(large_blocks_are_given_back);
    CQT_RUN(refusals_leave_it_usable);
}
