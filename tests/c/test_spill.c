/* Spill logs: a model test against a plain array of bytes with windows of a few blocks, faults of the file and of memory
 * that leave the log as it was, a budget that takes blocks away, forks, directories that are not there. */
#define _GNU_SOURCE
#include "base/bytes.h"
#include "base/err.h"
#include "base/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cqtest.h"

#define BLOCK ((int64_t)CQ_SPILL_BLOCK)

typedef struct model {
    uint8_t *bytes;
    int64_t end, cap;
    cq_spill s;
    cq_mem mem;
    cq_err e;
} model;

static void model_open(model *m, size_t least, size_t most, uint64_t limit)
{
    memset(m, 0, sizeof *m);
    m->cap = 40 * BLOCK;
    m->bytes = malloc((size_t)m->cap);
    CQT(m->bytes != NULL);
    cq_mem_init(&m->mem, NULL, limit);
    CQT_OK(cq_spill_open(&m->s, &m->mem, "/tmp", least, most, &m->e), &m->e);
}

static void model_close(model *m)
{
    cq_spill_close(&m->s);
    CQT_EQ_U(cq_mem_used(&m->mem), 0);
    free(m->bytes);
}

static void model_check(model *m)
{
    uint8_t *got = malloc((size_t)m->end + 1);
    CQT(got != NULL);
    CQT_EQ_I(m->s.end, m->end);
    CQT_OK(cq_spill_read(&m->s, 0, got, (size_t)m->end, &m->e), &m->e);
    CQT_EQ_MEM(got, m->bytes, (size_t)m->end);
    free(got);
    CQT(m->s.n_blocks + m->s.n_free >= m->s.min_blocks);
    CQT(m->s.n_blocks + m->s.n_free <= m->s.max_blocks);
}

/* Sizes around nothing, a few bytes, block borders and several blocks. */
static int64_t random_size(int64_t most)
{
    static const int64_t about[] = {0, 8, 300, BLOCK - 2, BLOCK, 2 * BLOCK + 1, 5 * BLOCK};
    int64_t const n = about[cqt_rand_below(7)] + (int64_t)cqt_rand_below(5);
    return n < most ? n : most;
}

static int64_t random_position(int64_t end)
{
    int64_t const border = (int64_t)cqt_rand_below((uint64_t)(end / BLOCK) + 1) * BLOCK + (int64_t)cqt_rand_below(3) - 1;
    int64_t const p = cqt_rand_below(3) ? (int64_t)cqt_rand_below((uint64_t)end + 1) : border;
    return p < 0 ? 0 : p < end ? p : end;
}

/* One random operation; a failure (of a fault) is told, and the model stays as it was. */
static cq_status model_step(model *m)
{
    static uint8_t data[6 * CQ_SPILL_BLOCK];
    cq_status st = CQ_OK;
    int64_t at = 0, n;
    uint64_t const op = cqt_rand_below(20);
    if (op < 9) {
        n = random_size(m->cap - m->end);
        memset(data, (int)cqt_rand_below(256), (size_t)n);
        cqt_rand_bytes(data, (size_t)cq_min_i64(n, 16));
        st = cq_spill_append(&m->s, data, (size_t)n, &at, &m->e);
        if (st == CQ_OK) {
            CQT_EQ_I(at, m->end);
            memcpy(m->bytes + m->end, data, (size_t)n);
            m->end += n;
        }
    } else if (op < 13) {
        at = random_position(m->end);
        n = random_size(m->end - at);
        st = cq_spill_read(&m->s, at, data, (size_t)n, &m->e);
        if (st == CQ_OK) CQT_EQ_MEM(data, m->bytes + at, (size_t)n);
    } else if (op < 16) {
        at = random_position(m->end);
        n = random_size(m->end - at);
        cqt_rand_bytes(data, (size_t)cq_min_i64(n, 40));
        st = cq_spill_patch(&m->s, at, data, (size_t)n, &m->e);
        while (st == CQ_EIO) st = cq_spill_patch(&m->s, at, data, (size_t)n, &m->e); /* may be half done: again */
        if (st == CQ_OK) memcpy(m->bytes + at, data, (size_t)n);
    } else if (op < 18) {
        m->end = random_position(m->end);
        cq_spill_truncate(&m->s, m->end);
    } else if (op == 18) {
        uint64_t const used = cq_mem_used(&m->mem);
        bool const gave = cq_spill_relieve(&m->s);
        CQT_EQ_I(gave, cq_mem_used(&m->mem) < used);
        CQT(m->s.fail_write_at || m->s.n_blocks <= m->s.min_blocks);
    } else if (cqt_rand_below(4) == 0) {
        cq_spill_clear(&m->s);
        m->end = 0;
    }
    return st;
}

static void model_of_bytes(void)
{
    static const struct { size_t least, most; } windows[] = {{1, 1}, {1, 2}, {2, 2}, {1, 5}, {3, 7}, {4, 64}};
    for (int w = 0; w < 6; w++) {
        model m;
        model_open(&m, windows[w].least, windows[w].most, UINT64_C(1) << 30);
        for (int i = 0; i < 500; i++) {
            CQT_OK(model_step(&m), &m.e);
            if (i % 10 == 0) model_check(&m);
        }
        model_check(&m);
        model_close(&m);
    }
}

/* The budget has room for three blocks and what the list of blocks takes: the log never fails for it. */
static void model_on_a_tight_budget(void)
{
    model m;
    model_open(&m, 2, 50, 3 * CQ_SPILL_BLOCK + 2 * 50 * sizeof(void *));
    for (int i = 0; i < 800; i++) {
        CQT_OK(model_step(&m), &m.e);
        if (i % 10 == 0) model_check(&m);
    }
    CQT(m.s.written > 0);
    model_close(&m);
}

static void faults_leave_the_log_alone(void)
{
    int n_failed = 0;
    for (int round = 0; round < 60; round++) {
        model m;
        model_open(&m, 1 + (size_t)cqt_rand_below(2), 3, UINT64_C(1) << 30);
        for (int i = 0; i < 60; i++) {
            m.s.fail_write_at = m.s.n_writes + 1 + cqt_rand_below(3);
            m.mem.fail_at = m.mem.n_requests + 1 + cqt_rand_below(3);
            cq_status const st = model_step(&m);
            if (st != CQ_OK) {
                CQT_EQ_I(st, CQ_EIO); /* memory that is not granted only makes the window smaller */
                CQT_EQ_I(m.e.sys_errno, ENOSPC);
                CQT_IN_STR(m.e.msg, "cannot write to a temporary file");
                n_failed++;
            }
            m.s.fail_write_at = m.mem.fail_at = 0;
            if (i % 6 == 0 || st != CQ_OK) model_check(&m);
        }
        model_close(&m);
    }
    CQT(n_failed > 20);
}

static void opening_fails_cleanly(void)
{
    for (uint64_t k = 1; k < 10; k++) {
        cq_mem mem;
        cq_spill s;
        cq_err e;
        cq_mem_init(&mem, NULL, UINT64_C(1) << 30);
        mem.fail_at = k;
        cq_status const st = cq_spill_open(&s, &mem, "/tmp", 4, 9, &e);
        CQT_EQ_I(st, k <= 5 ? CQ_ENOMEM : CQ_OK);
        cq_spill_close(&s);
        CQT_EQ_U(cq_mem_used(&mem), 0);
    }
    cq_spill zero;
    memset(&zero, 0, sizeof zero);
    cq_spill_close(&zero);
}

static void directory_that_is_missing(void)
{
    static uint8_t data[CQ_SPILL_BLOCK + 1];
    model m;
    model_open(&m, 1, 1, UINT64_C(1) << 30);
    m.s.dir = "/tmp/no such directory";
    CQT_OK(cq_spill_append(&m.s, data, BLOCK, NULL, &m.e), &m.e);
    CQT_STATUS(cq_spill_append(&m.s, data, 1, NULL, &m.e), CQ_EIO);
    CQT_EQ_I(m.e.sys_errno, ENOENT);
    CQT_IN_STR(m.e.msg, "no such directory");
    CQT_EQ_I(m.s.end, BLOCK);
    m.s.dir = "/tmp"; /* and goes on once there is one */
    CQT_OK(cq_spill_append(&m.s, data, 1, NULL, &m.e), &m.e);
    model_close(&m);
}

static bool relieve(void *ctx, size_t wanted)
{
    (void)wanted;
    return cq_spill_relieve(ctx);
}

/* Memory that blocks could give back, were there a file: the refusal is the file's, not the budget's. */
static void no_file_for_memory_in_need(void)
{
    static uint8_t data[8 * CQ_SPILL_BLOCK];
    model m;
    void *p = NULL;
    model_open(&m, 1, 8, 9 * CQ_SPILL_BLOCK);
    m.mem.stress = relieve;
    m.mem.stress_ctx = &m.s;
    m.s.dir = "/tmp/no such directory";
    CQT_OK(cq_spill_append(&m.s, data, sizeof data, NULL, &m.e), &m.e);
    CQT_STATUS(cq_mem_alloc(&m.mem, 4 * CQ_SPILL_BLOCK, "a test", &p, &m.e), CQ_EIO);
    CQT_EQ_I(m.e.sys_errno, ENOENT);
    CQT_STATUS(cq_mem_charge(&m.mem, 4 * CQ_SPILL_BLOCK, "a test", &m.e), CQ_EIO);
    CQT_STATUS(cq_mem_alloc(&m.mem, 20 * CQ_SPILL_BLOCK, "a test", &p, &m.e), CQ_EIO);
    m.s.dir = "/tmp";
    CQT_STATUS(cq_mem_alloc(&m.mem, 20 * CQ_SPILL_BLOCK, "a test", &p, &m.e), CQ_EBUDGET);
    CQT_OK(cq_mem_alloc(&m.mem, 4 * CQ_SPILL_BLOCK, "a test", &p, &m.e), &m.e);
    cq_mem_free(&m.mem, p, 4 * CQ_SPILL_BLOCK);
    model_close(&m);
}

/* Somebody cut the file: what cannot be read back is an error, and a failed append leaves the log alone. */
static void file_that_is_too_short(void)
{
    static uint8_t data[4 * CQ_SPILL_BLOCK];
    model m;
    model_open(&m, 1, 1, UINT64_C(1) << 30);
    CQT_OK(cq_spill_append(&m.s, data, sizeof data, NULL, &m.e), &m.e);
    cq_spill_truncate(&m.s, BLOCK + 10); /* the block of the end is in the file */
    CQT(ftruncate(m.s.fd, BLOCK + 5) == 0);
    CQT_STATUS(cq_spill_append(&m.s, data, 1, NULL, &m.e), CQ_EIO);
    CQT_IN_STR(m.e.msg, "shorter");
    CQT_EQ_I(m.s.end, BLOCK + 10);
    CQT_STATUS(cq_spill_read(&m.s, BLOCK, data, 10, &m.e), CQ_EIO);
    CQT_OK(cq_spill_read(&m.s, BLOCK - 5, data, 10, &m.e), &m.e);
    model_close(&m);
}

static void no_file_before_the_window_is_full(void)
{
    static uint8_t data[4 * CQ_SPILL_BLOCK];
    model m;
    model_open(&m, 2, 4, UINT64_C(1) << 30);
    CQT_OK(cq_spill_append(&m.s, data, sizeof data, NULL, &m.e), &m.e);
    CQT_EQ_I(m.s.fd, -1);
    CQT_OK(cq_spill_append(&m.s, data, 1, NULL, &m.e), &m.e);
    CQT(m.s.fd >= 0);
    CQT_EQ_U(m.s.written, CQ_SPILL_BLOCK);
    model_close(&m);
}

/* What the child answers, as its exit code: bits of the calls that were not refused. */
static int in_child(model *m)
{
    uint8_t byte = 0;
    int bad = 0;
    cq_err e;
    bad |= (cq_spill_append(&m->s, &byte, 1, NULL, &e) != CQ_ESTATE) << 0;
    bad |= (cq_spill_read(&m->s, m->s.end - 1, &byte, 1, &e) != CQ_ESTATE) << 1;
    bad |= (cq_spill_read(&m->s, 0, &byte, 1, &e) != CQ_ESTATE) << 2;
    bad |= (cq_spill_patch(&m->s, m->s.end - 1, &byte, 1, &e) != CQ_ESTATE) << 3;
    bad |= (cq_spill_relieve(&m->s) && m->s.n_blocks > 0 && m->s.n_blocks <= m->s.min_blocks) << 4;
    int const fd = m->s.fd;
    cq_spill_close(&m->s);
    bad |= (fcntl(fd, F_GETFD) < 0) << 5; /* the parent's file is not the child's to close */
    return bad;
}

static void fork_owns_nothing(void)
{
    model m;
    model_open(&m, 1, 3, UINT64_C(1) << 30);
    for (int i = 0; i < 6; i++) {
        memset(m.bytes + m.end, i, CQ_SPILL_BLOCK);
        CQT_OK(cq_spill_append(&m.s, m.bytes + m.end, CQ_SPILL_BLOCK, NULL, &m.e), &m.e);
        m.end += BLOCK;
    }
    CQT(m.s.fd >= 0);
    pid_t const child = fork();
    CQT(child >= 0);
    if (child == 0) _exit(in_child(&m));
    int status = 0;
    CQT(waitpid(child, &status, 0) == child && WIFEXITED(status));
    CQT_EQ_I(WEXITSTATUS(status), 0);
    model_check(&m);
    model_close(&m);
}

void test_spill(void)
{
    CQT_RUN(model_of_bytes);
    CQT_RUN(model_on_a_tight_budget);
    CQT_RUN(faults_leave_the_log_alone);
    CQT_RUN(opening_fails_cleanly);
    CQT_RUN(directory_that_is_missing);
    CQT_RUN(no_file_for_memory_in_need);
    CQT_RUN(file_that_is_too_short);
    CQT_RUN(no_file_before_the_window_is_full);
    CQT_RUN(fork_owns_nothing);
}
