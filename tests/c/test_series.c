/* Scope rule, paths, the order of the index, and the external sorter: runs, levels, rewinding,
 * records of any size, failures. */
#define _GNU_SOURCE
#include "checkpoint_help.h"

static void scope_is(const char *name, const char *scope, const char *id)
{
    cq_mem mem;
    cq_err e;
    cq_tree_path p;
    cq_span s, i;
    cq_mem_init(&mem, NULL, 1 << 20);
    cq_tree_path_init(&p, &mem);
    if (name) {
        CQT_OK(cq_tree_path_push(&p, cq_span_of("core9", 5), &e), &e);
        CQT_OK(cq_tree_path_push(&p, cq_span_of(name, strlen(name)), &e), &e);
    }
    cq_tree_path_scope(cq_span_of(p.bytes.data, p.bytes.len), &s, &i);
    CQT_MSG(s.n == strlen(scope) && memcmp(s.p, scope, s.n) == 0, "%s: scope %.*s", name ? name : "(root)", (int)s.n, (const char *)s.p);
    CQT_MSG(i.n == strlen(id) && memcmp(i.p, id, i.n) == 0, "%s: id %.*s", name ? name : "(root)", (int)i.n, (const char *)i.p);
    cq_tree_path_reset(&p);
    cq_mem_close(&mem);
}

static void scopes(void)
{
    scope_is(NULL, "node", "");
    scope_is("socket0", "socket", "0");
    scope_is("memoryDomain3", "memoryDomain", "3");
    scope_is("core12", "core", "12");
    scope_is("hwthread71", "hwthread", "71");
    scope_is("cpu3", "hwthread", "3");
    scope_is("accelerator00000000:49:00.0", "accelerator", "00000000:49:00.0");
    scope_is("socketX", "socketX", "");
    scope_is("socket", "socket", "");
    scope_is("unknown", "unknown", "");
    scope_is("core-1", "core-1", "");
    scope_is("core1x", "core", "1x");
    scope_is("Core1", "Core1", "");
    scope_is("cpu", "cpu", "");
    scope_is("cpufreq", "cpufreq", "");
    scope_is("", "", "");
    scope_is("a/b", "a/b", "");
}

/* The sorter. */

typedef struct rec {
    uint32_t n;
    uint8_t p[60];
} rec;

static int compare_recs(const void *a, const void *b)
{
    const rec *x = a, *y = b;
    int const c = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);
    return c ? c : (x->n > y->n) - (x->n < y->n);
}

/* Random bytes without 0 of a small alphabet, and a 0: no one is a prefix of another. */
static void random_rec(rec *r)
{
    r->n = 1 + (uint32_t)cqt_rand_below(cqt_rand_below(4) ? 12 : 59);
    for (uint32_t i = 0; i < r->n; i++) r->p[i] = (uint8_t)(1 + cqt_rand_below(cqt_rand_below(3) ? 2 : 255));
    r->p[r->n - 1] = 0;
}

static void check_order(cq_extsort *s, const rec *want, size_t n, cq_err *e)
{
    cq_span r;
    for (size_t i = 0; i < n; i++) {
        CQT_OK(cq_extsort_next(s, &r, e), e);
        CQT_MSG(r.p && r.n == want[i].n && memcmp(r.p, want[i].p, r.n) == 0, "record %zu of %zu", i, n);
    }
    CQT_OK(cq_extsort_next(s, &r, e), e);
    CQT(r.p == NULL);
}

static void sorts(void)
{
    static const size_t windows[] = {512, 700, 2000, 9000, 40000, 400000};
    cq_mem mem;
    cq_err e;
    cq_mem_init(&mem, NULL, 8 << 20);
    for (int round = 0; round < 60; round++) {
        cq_extsort s;
        size_t const window = windows[round % 6], n = (size_t)cqt_rand_below(round % 6 < 2 ? 800 : 6000);
        rec *all = calloc(n + 1, sizeof *all);
        cq_extsort_init(&s, &mem, "/var/tmp", NULL, window, 20);
        for (int again = 0; again < 2; again++) {
            for (size_t i = 0; i < n; i++) {
                uint8_t *p;
                random_rec(&all[i]);
                CQT_OK(cq_extsort_add(&s, all[i].n, &p, &e), &e);
                memcpy(p, all[i].p, all[i].n);
            }
            CQT_EQ_U(s.n_records, n);
            qsort(all, n, sizeof *all, compare_recs);
            CQT_OK(cq_extsort_finish(&s, &e), &e);
            check_order(&s, all, n, &e);
            CQT_OK(cq_extsort_rewind(&s, &e), &e);
            check_order(&s, all, n, &e);
            if (window == 400000) CQT_EQ_U(cq_extsort_spilled(&s), 0);
            cq_extsort_clear(&s);
        }
        cq_extsort_reset(&s);
        CQT_EQ_U(cq_mem_used(&mem), 0);
        free(all);
    }
    cq_mem_close(&mem);
}

static void sorts_equal_and_sorted_input(void)
{
    cq_mem mem;
    cq_err e;
    cq_extsort s;
    cq_mem_init(&mem, NULL, 16 << 20);
    for (int kind = 0; kind < 3; kind++) {
        cq_extsort_init(&s, &mem, "/var/tmp", NULL, 4 << 20, 32);
        for (int i = 0; i < 50000; i++) {
            uint8_t *p;
            uint32_t const key = kind == 0 ? 7 : kind == 1 ? (uint32_t)i : (uint32_t)(50000 - i);
            CQT_OK(cq_extsort_add(&s, 32, &p, &e), &e);
            memset(p, 'x', 32);
            cq_store32(p + 28, __builtin_bswap32(key));
        }
        CQT_OK(cq_extsort_finish(&s, &e), &e);
        uint32_t last = 0;
        for (int i = 0; i < 50000; i++) {
            cq_span r;
            CQT_OK(cq_extsort_next(&s, &r, &e), &e);
            uint32_t const key = __builtin_bswap32(cq_load32(r.p + 28));
            CQT(key >= last);
            last = key;
        }
        cq_extsort_reset(&s);
    }
    cq_mem_close(&mem);
}

static void largest_records(void)
{
    cq_mem mem;
    cq_err e;
    cq_extsort s;
    uint8_t *p;
    cq_mem_init(&mem, NULL, 2 << 20);
    cq_extsort_init(&s, &mem, "/var/tmp", NULL, 512 << 10, 112);
    CQT(s.max_record >= CQ_MAX_SERIES_RECORD);
    CQT_STATUS(cq_extsort_add(&s, s.max_record + 1, &p, &e), CQ_ELIMIT);
    for (unsigned i = 0; i < 40; i++) {
        CQT_OK(cq_extsort_add(&s, i % 3 ? 20 : s.max_record, &p, &e), &e);
        memset(p, 1 + (int)(i * 7 % 40), i % 3 ? 20 : s.max_record);
        p[0] = (uint8_t)(i * 7 % 40);
    }
    CQT_OK(cq_extsort_finish(&s, &e), &e);
    for (unsigned i = 0; i < 40; i++) {
        cq_span r;
        CQT_OK(cq_extsort_next(&s, &r, &e), &e);
        CQT_EQ_U(r.p[0], i);
    }
    cq_extsort_reset(&s);
    CQT_EQ_U(cq_mem_used(&mem), 0);
    cq_mem_close(&mem);
}

static bool always(void *ctx)
{
    (void)ctx;
    return true;
}

static void sorter_failures(void)
{
    cq_mem mem;
    cq_err e;
    cq_extsort s;
    uint8_t *p;
    cq_status st = CQ_OK;
    cq_mem_init(&mem, NULL, 2 << 20);
    cq_extsort_init(&s, &mem, "/nonexistent", NULL, 4096, 20);
    for (int i = 0; i < 1000 && st == CQ_OK; i++) {
        st = cq_extsort_add(&s, 20, &p, &e);
        if (st == CQ_OK) memset(p, 1, 20);
    }
    CQT_EQ_I(st, CQ_EIO);
    CQT_EQ_I(e.sys_errno, ENOENT);
    cq_extsort_reset(&s);

    cq_poll poll = {.should_stop = always};
    cq_extsort_init(&s, &mem, "/var/tmp", &poll, 4096, 20);
    st = CQ_OK;
    for (int i = 0; i < 1000000 && st == CQ_OK; i++) {
        st = cq_extsort_add(&s, 20, &p, &e);
        if (st == CQ_OK) memset(p, 1, 20);
    }
    CQT_EQ_I(st, CQ_EINTERRUPTED);
    cq_extsort_reset(&s);
    CQT_EQ_U(cq_mem_used(&mem), 0);
    cq_mem_close(&mem);
}

/* Order of the index: metric, scope, scope id, path as a tuple, file. */
static void index_order(void)
{
    static const struct { const char *metric, *path[3]; uint32_t file; } in[] = {
        {"b", {"core1"}, 0}, {"a", {"socket0", "core1"}, 0}, {"a", {"core1"}, 1}, {"a", {"core1"}, 0}, {"a", {"core10"}, 0}, {"a", {NULL}, 2}, {"a", {"cpu1"}, 0}, {"a", {"hwthread1"}, 0},
        {"a\x01", {NULL}, 0}, {"a", {"zoo", "core1"}, 0}, {"a", {"zoo\x01", "core1"}, 0}, {"", {NULL}, 0}, {"a", {""}, 0}, {"a", {"", ""}, 0},
    };
    static const char *const want = "|node||0 a||/|0 a||//|0 a|core|1/core1|0 a|core|1/core1|1 a|core|1/socket0/core1|0 a|core|1/zoo/core1|0 a|core|1/zoo\x01/core1|0 "
                                    "a|core|10/core10|0 a|hwthread|1/cpu1|0 a|hwthread|1/hwthread1|0 a|node||2 a\x01|node||0 b|core|1/core1|0 ";
    for (size_t window = 1000; window < 5000; window += 1500) {
        cq_mem mem;
        cq_err e;
        cq_series_index ix;
        cq_tree_path path;
        bytes got = {0};
        cq_mem_init(&mem, NULL, 2 << 20);
        cq_tree_path_init(&path, &mem);
        CQT_OK(cq_series_index_init(&ix, &mem, "/var/tmp", NULL, window, 4, &e), &e);
        for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
            for (int k = 0; k < 3 && in[i].path[k]; k++) CQT_OK(cq_tree_path_push(&path, cq_span_of(in[i].path[k], strlen(in[i].path[k])), &e), &e);
            cq_series const s = {.metric = cq_span_of(in[i].metric, strlen(in[i].metric)), .path = cq_span_of(path.bytes.data, path.bytes.len), .file = in[i].file, .start = (int64_t)i, .frequency = 1};
            CQT_OK(cq_series_index_add(&ix, &s, &e), &e);
            CQT_OK(cq_series_index_add_node(&ix, s.path, 3, &e), &e); /* many twice: file 3 goes */
            while (path.depth) cq_tree_path_pop(&path);
        }
        scanned dup = {0};
        CQT_OK(cq_series_index_finish(&ix, note_duplicate, &dup, &e), &e);
        CQT(dup.duplicate);
        CQT(cq_series_index_is_dropped(&ix, 3) && !cq_series_index_is_dropped(&ix, 0));
        for (;;) {
            cq_series s;
            cq_span name;
            bool more;
            char number[20];
            CQT_OK(cq_series_index_next(&ix, &s, &more, &e), &e);
            if (!more) break;
            put(&got, s.metric.p, s.metric.n);
            put_text(&got, "|");
            put(&got, s.scope.p, s.scope.n);
            put_text(&got, "|");
            put(&got, s.scope_id.p, s.scope_id.n);
            for (size_t at = 0; cq_tree_path_next(s.path, &at, &name);) {
                put_text(&got, "/");
                put(&got, name.p, name.n);
            }
            snprintf(number, sizeof number, "|%u ", s.file);
            put_text(&got, number);
        }
        put(&got, "", 1);
        CQT_EQ_STR((char *)got.p, want);
        free(got.p);
        cq_tree_path_reset(&path);
        cq_series_index_reset(&ix);
        CQT_EQ_U(cq_mem_used(&mem), 0);
        cq_mem_close(&mem);
    }
}

void test_series(void)
{
    CQT_RUN(scopes);
    CQT_RUN(sorts);
    CQT_RUN(sorts_equal_and_sorted_input);
    CQT_RUN(largest_records);
    CQT_RUN(sorter_failures);
    CQT_RUN(index_order);
}
