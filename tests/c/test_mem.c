/* The memory budget: what is charged, where it is refused, that content survives every resize, and
 * that every byte comes back. */
#include "base/mem.h"

#include "base/bytes.h"
#include "cqtest.h"

#include <pthread.h>
#include <stdio.h>

static void fill(uint8_t *p, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) p[i] = (uint8_t)(i * 7 + i / 251);
}

static void check_filled(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != (uint8_t)(i * 7 + i / 251)) CQT_FAIL("byte %zu of %zu changed", i, n);
}

static void charges(void)
{
    CQT_EQ_U(cq_mem_charge_of(0), 0);
    CQT_EQ_U(cq_mem_charge_of(1), 1);
    CQT_EQ_U(cq_mem_charge_of(65535), 65535);
    CQT_EQ_U(cq_mem_charge_of(65536), 65536);
    CQT_EQ_U(cq_mem_charge_of(65537), 65536 + 4096);
    CQT_EQ_U(cq_mem_charge_of(SIZE_MAX), UINT64_MAX);
    CQT(cq_mem_charge_of(SIZE_MAX - 4096) >= SIZE_MAX - 4096);
}

/* A block walks through sizes on both sides of the border between the kinds of memory. */
static void resize_keeps_content(void)
{
    static const size_t marks[] = {1, 100, 4096, 65535, 65536, 65537, 70000, 131072, 1000000};
    cq_mem m;
    cq_mem_init(&m, NULL, 4 << 20);
    uint8_t *p = NULL;
    size_t n = 0;
    for (int round = 0; round < 400; round++) {
        size_t const want = round < 200 ? marks[cqt_rand_below(9)] : 1 + (size_t)cqt_rand_below(200000);
        uint8_t *q = cq_mem_resize(&m, p, n, want);
        CQT(q != NULL);
        check_filled(q, n < want ? n : want);
        if (want > n) fill(q, n, want);
        p = q;
        n = want;
        CQT_EQ_U(cq_mem_used(&m), cq_mem_charge_of(n));
    }
    CQT(cq_mem_resize(&m, p, n, 0) == NULL);
    CQT_EQ_U(cq_mem_used(&m), 0);
    CQT(cq_mem_peak(&m) >= 200000);
    cq_mem_free(&m, NULL, 0);
    cq_mem_close(&m);
}

static void limit_is_exact(void)
{
    cq_mem m;
    cq_err e;
    cq_mem_init(&m, NULL, 1000);
    uint8_t *p = cq_mem_resize(&m, NULL, 0, 1000);
    CQT(p != NULL);
    CQT_EQ_U(cq_mem_room(&m), 0);
    CQT(cq_mem_resize(&m, NULL, 0, 1) == NULL);
    CQT_EQ_I(m.last, CQ_EBUDGET);
    CQT_STATUS(cq_mem_error(&m, "a test", &e), CQ_EBUDGET);
    CQT_EQ_U(e.needed, 1001);
    CQT_EQ_U(e.limit, 1000);
    CQT_IN_STR(e.msg, "a test");
    fill(p, 0, 1000);
    CQT(cq_mem_resize(&m, p, 1000, 1001) == NULL);
    CQT(cq_mem_resize(&m, p, 1000, SIZE_MAX) == NULL);
    CQT(cq_mem_resize(&m, p, 1000, 65536) == NULL);
    check_filled(p, 1000);
    CQT_EQ_U(cq_mem_used(&m), 1000);
    CQT_EQ_U(cq_mem_peak(&m), 1000);
    p = cq_mem_resize(&m, p, 1000, 600);
    CQT(p != NULL);
    CQT_EQ_U(cq_mem_room(&m), 400);
    CQT_STATUS(cq_mem_charge(&m, 401, "others", &e), CQ_EBUDGET);
    CQT_OK(cq_mem_charge(&m, 400, "others", &e), &e);
    CQT_EQ_U(cq_mem_room(&m), 0);
    cq_mem_uncharge(&m, 400);
    cq_mem_free(&m, p, 600);
    CQT_EQ_U(cq_mem_used(&m), 0);
    CQT_EQ_U(cq_mem_peak(&m), 1000);
}

static void alloc_is_zeroed(void)
{
    cq_mem m;
    cq_err e;
    cq_mem_init(&m, NULL, 1 << 20);
    for (size_t n = 1; n <= 200000; n = n * 3 + 1) {
        for (int again = 0; again < 3; again++) {
            void *p = NULL;
            CQT_OK(cq_mem_alloc(&m, n, "a test", &p, &e), &e);
            for (size_t i = 0; i < n; i++) CQT(((uint8_t *)p)[i] == 0);
            memset(p, 0xee, n);
            cq_mem_free(&m, p, n);
        }
    }
    void *none = NULL;
    CQT_STATUS(cq_mem_alloc(&m, 2 << 20, "a test", &none, &e), CQ_EBUDGET);
    CQT(none == NULL);
    CQT_EQ_U(cq_mem_used(&m), 0);
}

static void parent_bears_it_too(void)
{
    cq_mem top, a, b;
    cq_mem_init(&top, NULL, 1000);
    cq_mem_init(&a, &top, 800);
    cq_mem_init(&b, &top, 800);
    void *p = cq_mem_resize(&a, NULL, 0, 700);
    CQT(p != NULL);
    CQT_EQ_U(cq_mem_used(&top), 700);
    CQT_EQ_U(cq_mem_room(&a), 100);
    CQT_EQ_U(cq_mem_room(&b), 300);
    CQT(cq_mem_resize(&b, NULL, 0, 301) == NULL);
    CQT_EQ_U(cq_mem_used(&b), 0);
    CQT_EQ_U(cq_mem_used(&top), 700);
    void *q = cq_mem_resize(&b, NULL, 0, 300);
    CQT(q != NULL);
    CQT(cq_mem_resize(&a, p, 700, 701) == NULL);
    cq_mem_free(&b, q, 300);
    p = cq_mem_resize(&a, p, 700, 800);
    CQT(p != NULL);
    cq_mem_free(&a, p, 800);
    CQT_EQ_U(cq_mem_used(&top), 0);
    CQT_EQ_U(cq_mem_peak(&top), 1000);
}

static void reservation(void)
{
    cq_mem top, a, b;
    cq_err e;
    cq_mem_init(&top, NULL, 1000);
    cq_mem_init(&a, &top, 800);
    cq_mem_init(&b, &top, 800);
    CQT_OK(cq_mem_reserve(&a, 600, &e), &e);
    CQT_EQ_U(cq_mem_used(&top), 600);
    CQT_EQ_U(cq_mem_room(&a), 800);
    CQT_STATUS(cq_mem_reserve(&b, 401, &e), CQ_EBUDGET);
    CQT_EQ_U(cq_mem_used(&top), 600);
    void *p = cq_mem_resize(&a, NULL, 0, 500);
    CQT(p != NULL);
    CQT_EQ_U(cq_mem_used(&top), 600);
    p = cq_mem_resize(&a, p, 500, 700);
    CQT(p != NULL);
    CQT_EQ_U(cq_mem_used(&top), 700);
    void *q = cq_mem_resize(&b, NULL, 0, 300);
    CQT(q != NULL);
    CQT_EQ_U(cq_mem_room(&a), 0);
    CQT(cq_mem_resize(&a, p, 700, 701) == NULL);
    p = cq_mem_resize(&a, p, 700, 10);
    CQT(p != NULL);
    CQT_EQ_U(cq_mem_used(&top), 900);
    CQT_EQ_U(cq_mem_room(&a), 690);
    cq_mem_free(&a, p, 10);
    cq_mem_free(&b, q, 300);
    CQT_EQ_U(cq_mem_used(&top), 600);
    cq_mem_close(&a);
    cq_mem_close(&b);
    CQT_EQ_U(cq_mem_used(&top), 0);
}

typedef struct store {
    cq_mem *mem;
    void *block[4];
    int n_blocks, n_calls;
} store;

static bool relieve(void *ctx, size_t wanted)
{
    store *s = ctx;
    s->n_calls++;
    CQT(wanted > 0);
    /* its own requests see the plain limit and do not come back here */
    int const before = s->n_calls;
    CQT(cq_mem_resize(s->mem, NULL, 0, 500) == NULL);
    CQT_EQ_I(s->n_calls, before);
    if (s->n_blocks == 0) return false;
    cq_mem_free(s->mem, s->block[--s->n_blocks], 200);
    return true;
}

static void stress_gives_back(void)
{
    cq_mem m;
    store s = {.mem = &m};
    cq_mem_init(&m, NULL, 1000);
    m.stress = relieve;
    m.stress_ctx = &s;
    for (; s.n_blocks < 4; s.n_blocks++) {
        s.block[s.n_blocks] = cq_mem_resize(&m, NULL, 0, 200);
        CQT(s.block[s.n_blocks] != NULL);
    }
    void *p = cq_mem_resize(&m, NULL, 0, 210);
    CQT(p != NULL);
    CQT_EQ_I(s.n_calls, 1);
    CQT_EQ_I(s.n_blocks, 3);
    p = cq_mem_resize(&m, p, 210, 800);
    CQT(p != NULL);
    CQT_EQ_I(s.n_blocks, 1);
    CQT(cq_mem_resize(&m, NULL, 0, 500) == NULL);
    CQT_EQ_I(m.last, CQ_EBUDGET);
    CQT_EQ_I(s.n_blocks, 0);
    cq_mem_free(&m, p, 800);
    CQT_EQ_U(cq_mem_used(&m), 0);
}

static void injected_failure(void)
{
    cq_mem m;
    cq_err e;
    cq_mem_init(&m, NULL, 1 << 20);
    m.fail_at = 2;
    uint8_t *p = cq_mem_resize(&m, NULL, 0, 100);
    CQT(p != NULL);
    fill(p, 0, 100);
    CQT(cq_mem_resize(&m, p, 100, 200) == NULL);
    CQT_STATUS(cq_mem_error(&m, "a test", &e), CQ_ENOMEM);
    CQT_IN_STR(e.msg, "a test");
    CQT_EQ_U(cq_mem_used(&m), 100);
    check_filled(p, 100);
    p = cq_mem_resize(&m, p, 100, 200);
    CQT(p != NULL);
    m.fail_at = 4;
    CQT_STATUS(cq_mem_charge(&m, 1, "others", &e), CQ_ENOMEM);
    CQT_EQ_U(cq_mem_used(&m), 200);
    cq_mem_free(&m, p, 200);
}

/* Two handles in two threads on one parent: sums stay right, the parent's limit is never passed. */
enum { PARENT_LIMIT = 300000 };

static void *churn(void *arg)
{
    cq_mem *m = arg;
    uint64_t x = (uint64_t)(uintptr_t)m;
    void *p = NULL;
    size_t n = 0;
    for (int i = 0; i < 20000; i++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
        size_t const want = (size_t)(x >> 33) % 40000 + (i % 50 == 0 ? 150000 : 1);
        void *q = cq_mem_resize(m, p, n, want);
        if (!q) continue;
        p = q;
        n = want;
    }
    cq_mem_free(m, p, n);
    return NULL;
}

static void parent_of_two_threads(void)
{
    cq_mem top, a, b;
    pthread_t ta, tb;
    cq_mem_init(&top, NULL, PARENT_LIMIT);
    cq_mem_init(&a, &top, 250000);
    cq_mem_init(&b, &top, 250000);
    CQT(pthread_create(&ta, NULL, churn, &a) == 0);
    CQT(pthread_create(&tb, NULL, churn, &b) == 0);
    pthread_join(ta, NULL);
    pthread_join(tb, NULL);
    CQT_EQ_U(cq_mem_used(&a), 0);
    CQT_EQ_U(cq_mem_used(&b), 0);
    CQT_EQ_U(cq_mem_used(&top), 0);
    CQT(cq_mem_peak(&top) <= PARENT_LIMIT);
    CQT(cq_mem_peak(&top) >= 150000);
}

/* What is given back leaves the process: 200 cycles of a growing large block keep RSS flat. */
static size_t rss_pages(void)
{
    unsigned long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) CQT_SKIP("no /proc");
    int const got = fscanf(f, "%lu %lu", &size, &resident);
    fclose(f);
    CQT_EQ_I(got, 2);
    return resident;
}

static void large_blocks_leave_the_process(void)
{
    cq_mem m;
    cq_mem_init(&m, NULL, 64 << 20);
    size_t const before = rss_pages();
    for (int round = 0; round < 20; round++) {
        uint8_t *p = NULL;
        size_t n = 0;
        for (size_t want = 50000; want <= (size_t)8 << 20; want = want * 3 / 2) {
            uint8_t *q = cq_mem_resize(&m, p, n, want);
            CQT(q != NULL);
            memset(q, round, want);
            p = q;
            n = want;
        }
        cq_mem_free(&m, p, n);
    }
    CQT_EQ_U(cq_mem_used(&m), 0);
    CQT(rss_pages() < before + 512);
}

void test_mem(void)
{
    CQT_RUN(charges);
    CQT_RUN(resize_keeps_content);
    CQT_RUN(limit_is_exact);
    CQT_RUN(alloc_is_zeroed);
    CQT_RUN(parent_bears_it_too);
    CQT_RUN(reservation);
    CQT_RUN(stress_gives_back);
    CQT_RUN(injected_failure);
    CQT_RUN(parent_of_two_threads);
    CQT_RUN(large_blocks_leave_the_process);
}
