/* Host jobs: the golden checkpoints row by row, damaged files, overlaps, windows of any size, a
 * model of the merge, injected failures, and what memory it takes. */
#define _GNU_SOURCE
#include "checkpoint_help.h"

#include <time.h>

/* Names of a directory's files that are <number>.json or <number>.bin, in order of the numbers. */
static int list_names(const char *dir, char names[][64])
{
    int n = 0;
    DIR *d = opendir(dir);
    if (!d) return 0;
    for (struct dirent *f; (f = readdir(d));) {
        cq_checkpoint_kind const k = cq_checkpoint_kind_of(f->d_name);
        if (f->d_name[0] < '0' || f->d_name[0] > '9') continue;
        if (k == CQ_CHECKPOINT_JSON || k == CQ_CHECKPOINT_SNAPSHOT) snprintf(names[n++], 64, "%.63s", f->d_name);
    }
    closedir(d);
    for (int i = 1; i < n; i++)
        for (int k = i; k > 0 && atoll(names[k]) < atoll(names[k - 1]); k--) {
            char t[64];
            memcpy(t, names[k], 64);
            memcpy(names[k], names[k - 1], 64);
            memcpy(names[k - 1], t, 64);
        }
    return n;
}

typedef void (*host_fn)(const char *test_case, const char *cluster, const char *host, const char *dir);

static int each_host(const char *test_case, host_fn fn)
{
    char at[512];
    int n = 0;
    snprintf(at, sizeof at, GOLDEN "/%s", test_case);
    DIR *d = opendir(at);
    if (!d) CQT_SKIP("no golden checkpoints at %s", at);
    for (struct dirent *c; (c = readdir(d));) {
        if (c->d_type != DT_DIR || c->d_name[0] == '.') continue;
        snprintf(at, sizeof at, GOLDEN "/%s/%s", test_case, c->d_name);
        DIR *hosts = opendir(at);
        for (struct dirent *h; (h = readdir(hosts));) {
            if (h->d_name[0] == '.') continue;
            char dir[1024];
            snprintf(dir, sizeof dir, "%s/%s", at, h->d_name);
            fn(test_case, c->d_name, h->d_name, dir);
            n++;
        }
        closedir(hosts);
    }
    closedir(d);
    return n;
}

static rows run_dir(const char *cluster, const char *host, const char *dir, char names[][64], int n, uint64_t limit, uint32_t max_bad)
{
    rows got = {0};
    uint32_t bad = 0;
    job *j = job_new(cluster, host, dir, limit);
    for (int i = 0; i < n; i++) job_file(j, names[i]);
    CQT_OK(job_run(j, &got), &j->e);
    for (int i = 0; i < n; i++) bad += j->files[i].err.code != CQ_OK;
    CQT_MSG(bad <= max_bad, "%s: %s", dir, j->files[0].err.msg);
    CQT_EQ_I(j->job.n_rows, (int64_t)got.n);
    job_free(j);
    return got;
}

static void check_host(const char *test_case, const char *cluster, const char *host, const char *dir)
{
    static char names[64][64];
    char path[1024];
    int const n = list_names(dir, names);
    uint32_t const bad = strcmp(test_case, "damaged") == 0;
    for (int i = 0; i < n; i++) {
        rows got = run_dir(cluster, host, dir, names + i, 1, 2 << 20, bad);
        snprintf(path, sizeof path, GOLDEN "/%s/expected_per_file.tsv", test_case);
        rows want = load_expected(path, names[i], cluster, host);
        rows_same(&got, &want, names[i]);
        rows_free(&got);
        rows_free(&want);
    }
}

static void check_merged(const char *test_case, const char *cluster, const char *host, const char *dir)
{
    static char names[64][64];
    char path[1024];
    int const n = list_names(dir, names);
    rows got = run_dir(cluster, host, dir, names, n, 2 << 20, strcmp(test_case, "damaged") == 0);
    snprintf(path, sizeof path, GOLDEN "/%s/expected.tsv", test_case);
    rows want = load_expected(path, NULL, cluster, host);
    rows_same(&got, &want, dir);
    rows_free(&got);
    rows_free(&want);
}

static const char *const cases[] = {"json-basic", "bin-basic", "json-deep", "bin-deep", "json-foreign", "scope-collision", "overlap", "damaged", "mixed"};

static void golden_files(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) CQT(each_host(cases[i], check_host) > 0);
}

static void golden_hosts(void)
{
    for (size_t i = 0; i + 1 < sizeof cases / sizeof *cases; i++) CQT(each_host(cases[i], check_merged) > 0);
}

/* unreadable.txt lists exactly the files that fail, but for logs and a name that is no number,
 * which are not this part's. */
static char *unreadable;

static void check_damaged(const char *test_case, const char *cluster, const char *host, const char *dir)
{
    static char names[64][64];
    int const n = list_names(dir, names);
    rows got = {0};
    job *j = job_new(cluster, host, dir, 2 << 20);
    for (int i = 0; i < n; i++) job_file(j, names[i]);
    CQT_OK(job_run(j, &got), &j->e);
    for (int i = 0; i < n; i++) {
        char line[512];
        const cq_err *e = &j->files[i].err;
        snprintf(line, sizeof line, "%s/%s/%s\t", cluster, host, names[i]);
        bool const listed = strstr(unreadable, line) != NULL;
        CQT_MSG(listed == (e->code != CQ_OK), "%s: %s", line, e->msg);
        if (listed) {
            CQT_EQ_I(e->code, CQ_EFORMAT);
            CQT(e->offset >= 0 && e->offset <= j->files[i].info.id.size && e->msg[0]);
            cqt_note("%s at %lld: %s", line, (long long)e->offset, e->msg);
        }
    }
    (void)test_case;
    rows_free(&got);
    job_free(j);
}

static void damaged_files(void)
{
    bytes b = load_file(GOLDEN "/damaged/unreadable.txt");
    unreadable = (char *)b.p;
    CQT(each_host("damaged", check_damaged) > 20);
    free(b.p);
}

/* A model of the merge: random trees in both formats, everything collected and sorted at once. */

enum { NODES = 9, METRICS = 3, MAX_FILES = 12 };

static const struct { const char *name; int parent; } nodes[NODES] = {
    {"", -1}, {"cpu3", 0}, {"hwthread3", 0}, {"socket0", 0}, {"core1", 3}, {"core1", 0}, {"x/y", 0}, {"core1", 6}, {"memoryDomain0", 4},
};
static const char *const metric_names[METRICS] = {"a", "ab", "b"};

typedef struct sample {
    int node, metric, file;
    int64_t time, frequency;
    float value;
} sample;

typedef struct model {
    sample *a;
    size_t n, cap;
} model;

static void model_put(model *m, sample s)
{
    if (m->n == m->cap) m->a = realloc(m->a, (m->cap = 2 * m->cap + 1024) * sizeof *m->a);
    m->a[m->n++] = s;
}

static void scope_of(int node, char *scope, char *id)
{
    cq_mem mem;
    cq_err e;
    cq_tree_path p;
    cq_span s, i;
    cq_mem_init(&mem, NULL, 1 << 16);
    cq_tree_path_init(&p, &mem);
    if (node) CQT_OK(cq_tree_path_push(&p, cq_span_of(nodes[node].name, strlen(nodes[node].name)), &e), &e);
    cq_tree_path_scope(cq_span_of(p.bytes.data, p.bytes.len), &s, &i);
    snprintf(scope, 64, "%.*s", (int)s.n, (const char *)s.p);
    snprintf(id, 64, "%.*s", (int)i.n, (const char *)i.p);
    cq_tree_path_reset(&p);
}

static int compare_paths(int a, int b)
{
    int chain[2][8], n[2] = {0, 0};
    for (int k = 0, x = a; k < 2; k++, x = b)
        for (; x > 0; x = nodes[x].parent) chain[k][n[k]++] = x;
    for (int i = 1; i <= n[0] && i <= n[1]; i++) {
        int const c = strcmp(nodes[chain[0][n[0] - i]].name, nodes[chain[1][n[1] - i]].name);
        if (c) return c;
    }
    return n[0] - n[1];
}

static int compare_samples(const void *x, const void *y)
{
    const sample *a = x, *b = y;
    char sa[64], ia[64], sb[64], ib[64];
    int c = strcmp(metric_names[a->metric], metric_names[b->metric]);
    if (c) return c;
    scope_of(a->node, sa, ia);
    scope_of(b->node, sb, ib);
    if ((c = strcmp(sa, sb)) || (c = strcmp(ia, ib))) return c;
    if (a->time != b->time) return a->time < b->time ? -1 : 1;
    if ((c = compare_paths(a->node, b->node))) return c;
    return a->file - b->file;
}

static rows model_rows(model *m)
{
    rows r = {0};
    qsort(m->a, m->n, sizeof *m->a, compare_samples);
    for (size_t i = 0; i < m->n; i++) {
        const sample *s = &m->a[i];
        char key[256], scope[64], id[64];
        if (i + 1 < m->n && s[1].node == s->node && s[1].metric == s->metric && s[1].time == s->time) continue;
        scope_of(s->node, scope, id);
        snprintf(key, sizeof key, "c\th\t%s\t%s\t%s", metric_names[s->metric], scope, id);
        rows_put(&r, rows_key(&r, key), s->time, s->frequency, s->value);
    }
    return r;
}

typedef struct tree_shape {
    int max_values, span, nan_in;
    bool one_frequency;
} tree_shape;

/* One node of a file, as text or binary, and its samples into the model. */
static void random_node(bytes *b, bool json, int node, int file, const tree_shape *t, model *m)
{
    char text[256];
    bool in[METRICS], child[NODES] = {false};
    uint32_t n = 0;
    for (int i = 0; i < METRICS; i++) n += in[i] = cqt_rand_below(3) > 0;
    if (json) put_text(b, "{\"metrics\":{");
    else put_u32(b, n);
    for (int k = 0, first = 1, order = (int)cqt_rand_below(METRICS); k < METRICS; k++) {
        int const i = (k + order) % METRICS;
        static const int64_t frequencies[] = {1, 2, 3, 10};
        int64_t const f = t->one_frequency ? 10 : frequencies[cqt_rand_below(4)], start = (int64_t)cqt_rand_below((uint64_t)t->span) - t->span / 2;
        uint32_t const n_values = (uint32_t)cqt_rand_below((uint64_t)t->max_values + 1);
        if (!in[i]) continue;
        snprintf(text, sizeof text, "%s\"%s\":{\"start\":%lld,\"frequency\":%lld,\"data\":[", first ? "" : ",", metric_names[i], (long long)start, (long long)f);
        if (json) put_text(b, text);
        else put_metric(b, metric_names[i], f, start, n_values);
        first = 0;
        for (uint32_t v = 0; v < n_values; v++) {
            bool const nan = t->nan_in && cqt_rand_below((uint64_t)t->nan_in) == 0;
            float const value = (float)((int64_t)cqt_rand_below(20000) - 10000) / 2;
            uint32_t const nan_bits = 0x7FC00000u + (uint32_t)cqt_rand_below(1000);
            snprintf(text, sizeof text, nan ? "%snull" : "%s%.1f", v ? "," : "", (double)value);
            if (json) put_text(b, text);
            else if (nan) put(b, &nan_bits, 4);
            else put(b, &value, 4);
            if (!nan) model_put(m, (sample){node, i, file, start + v * f, f, value});
        }
        if (json) put_text(b, "]}");
    }
    n = 0;
    for (int i = 1; i < NODES; i++) n += child[i] = nodes[i].parent == node && cqt_rand_below(4) > 0;
    if (json) put_text(b, "},\"children\":{");
    else put_u32(b, n);
    for (int i = NODES - 1, first = 1; i > 0; i--) {
        if (!child[i]) continue;
        snprintf(text, sizeof text, "%s\"%s\":", first ? "" : ",", nodes[i].name);
        if (json) put_text(b, text);
        else put_name(b, nodes[i].name);
        first = 0;
        random_node(b, json, i, file, t, m);
    }
    if (json) put_text(b, "}}");
}

static char *random_host(const tree_shape *t, int n_files, char names[][64], model *m)
{
    char *dir = make_dir("host");
    for (int i = 0; i < n_files; i++) {
        bytes b = {0};
        bool const json = cqt_rand_below(2) == 0;
        snprintf(names[i], 64, "%d.%s", i + 1, json ? "json" : "bin");
        if (!json) put_head(&b);
        random_node(&b, json, 0, i, t, m);
        save_in(dir, names[i], b.p, b.n);
        free(b.p);
    }
    return dir;
}

static cq_checkpoint_plan plan_of(size_t input, size_t index, size_t text, size_t values, size_t sources, size_t wide)
{
    return (cq_checkpoint_plan){input, index, text, values, sources, wide};
}

static void model_of_merge(void)
{
    static const tree_shape shapes[] = {{40, 300, 5, false}, {40, 40, 3, true}, {600, 12000, 0, true}, {30, 3000, 0, false}, {3, 10, 2, true}, {900, 300, 20, false}};
    static char names[MAX_FILES][64];
    uint64_t n_spilled[5] = {0}, n_ramps = 0;
    for (int round = 0; round < 60; round++) {
        model m = {0};
        int const n_files = 1 + (int)cqt_rand_below(MAX_FILES);
        char *dir = random_host(&shapes[round % 6], n_files, names, &m);
        rows want = model_rows(&m);
        cq_checkpoint_plan const plans[] = {
            plan_of(256 << 10, 8 << 20, 128 << 10, 2 << 20, 10000, 4 << 20), /* all in memory */
            plan_of(70000, 1200, 512, 8192, 100, 2000),                      /* runs, small windows */
            plan_of(70000, 600, 512, 1024, 3, 400),                          /* levels, most by sorting */
            plan_of(70000, 40000, 512, 256, 100, 40000),                     /* overlaps by sorting */
        };
        for (size_t i = 0; i <= sizeof plans / sizeof *plans; i++) {
            rows got = {0};
            char what[64];
            job *j = job_new("c", "h", dir, 64 << 20);
            if (i) j->job.plan = &plans[i - 1];
            for (int k = 0; k < n_files; k++) job_file(j, names[k]);
            CQT_OK(job_run(j, &got), &j->e);
            for (int k = 0; k < n_files; k++) CQT_MSG(j->files[k].err.code == CQ_OK, "%s: %s", names[k], j->files[k].err.msg);
            n_spilled[i] += j->job.spilled_bytes;
            n_ramps += got.n_ramps;
            snprintf(what, sizeof what, "round %d, plan %zu", round, i);
            rows_same(&got, &want, what);
            rows_free(&got);
            job_free(j);
        }
        rows_free(&want);
        free(m.a);
        remove_dir(dir);
    }
    CQT(n_spilled[0] == 0 && n_spilled[1] == 0 && n_ramps > 0);
    CQT(n_spilled[2] + n_spilled[3] + n_spilled[4] > 0); /* the first 64 KiB of runs stay in memory */
}

/* Failures. */

static void every_allocation_fails(void)
{
    static const tree_shape shape = {40, 100, 5, false};
    static char names[MAX_FILES][64];
    static const cq_checkpoint_plan tiny = {70000, 1500, 512, 2048, 3, 600};
    model m = {0};
    char *dir = random_host(&shape, 6, names, &m);
    for (int with_spill = 0; with_spill < 2; with_spill++) {
        uint64_t n = 0;
        for (cq_status st = CQ_ENOMEM; st != CQ_OK;) {
            rows got = {0};
            job *j = job_new("c", "h", dir, 8 << 20);
            if (with_spill) j->job.plan = &tiny;
            for (int k = 0; k < 6; k++) job_file(j, names[k]);
            j->mem.fail_at = ++n;
            st = job_run(j, &got);
            CQT(st == CQ_OK || ((st == CQ_ENOMEM || st == CQ_EBUDGET) && j->e.code == st && j->e.msg[0]));
            rows_free(&got);
            job_free(j);
        }
        CQT(n > 10);
        cqt_note("%llu allocations", (unsigned long long)n);
    }
    free(m.a);
    remove_dir(dir);
}

static void sink_and_spill_fail(void)
{
    static const tree_shape shape = {400, 1000, 5, false};
    static char names[MAX_FILES][64];
    static const cq_checkpoint_plan tiny = {70000, 1500, 512, 2048, 3, 600};
    model m = {0};
    char *dir = random_host(&shape, 6, names, &m);
    for (int i = 1; i < 5000; i += 777) {
        rows got = {.fail_at_row = i};
        job *j = job_new("c", "h", dir, 8 << 20);
        for (int k = 0; k < 6; k++) job_file(j, names[k]);
        CQT_STATUS(job_run(j, &got), CQ_ESINK);
        CQT_EQ_STR(j->e.msg, "the sink is full");
        rows_free(&got);
        job_free(j);
    }
    rows got = {0};
    job *j = job_new("c", "h", dir, 8 << 20);
    for (int k = 0; k < 6; k++) job_file(j, names[k]);
    j->job.plan = &tiny;
    j->job.spill_dir = "/nonexistent";
    CQT_STATUS(job_run(j, &got), CQ_EIO);
    CQT_EQ_I(j->e.sys_errno, ENOENT);
    j->job.dir = "/nonexistent";
    CQT_STATUS(job_run(j, &got), CQ_EIO);
    j->job.plan = NULL;
    j->mem.limit = CQ_CHECKPOINT_MIN_MEMORY - 1;
    CQT_STATUS(job_run(j, &got), CQ_EBUDGET);
    CQT_EQ_U(j->e.needed, CQ_CHECKPOINT_MIN_MEMORY);
    CQT_EQ_U(got.n, 0);
    job_free(j);
    free(m.a);
    remove_dir(dir);
}

/* Files that are missing, no files, or not in a form that is read: reported, the others go on. */
static void odd_files(void)
{
    char *dir = make_dir("odd");
    char path[4096];
    rows got = {0};
    bytes b = {0};
    float const v[2] = {1, 2};
    put_head(&b);
    put_u32(&b, 1);
    put_metric(&b, "m", 10, 0, 2);
    put(&b, v, 8);
    put_u32(&b, 0);
    save_in(dir, "1.bin", b.p, b.n);
    save_in(dir, "current.wal", "\x01\xA7\x1D\xCC", 4);
    snprintf(path, sizeof path, "%s/2.bin", dir);
    CQT(mkdir(path, 0700) == 0);
    snprintf(path, sizeof path, "%s/3.bin", dir);
    CQT(mkfifo(path, 0600) == 0);
    job *j = job_new("c", "h", dir, 2 << 20);
    static const char *const names[] = {"1.bin", "2.bin", "3.bin", "4.bin", "current.wal"};
    static const cq_status want[] = {CQ_OK, CQ_EFORMAT, CQ_EFORMAT, CQ_EIO, CQ_EUNSUPPORTED};
    for (int i = 0; i < 5; i++) job_file(j, names[i]);
    CQT_OK(job_run(j, &got), &j->e);
    for (int i = 0; i < 5; i++) CQT_MSG(j->files[i].err.code == want[i], "%s: %d %s", names[i], j->files[i].err.code, j->files[i].err.msg);
    CQT_EQ_U(got.n, 2);
    CQT_EQ_U(got.n_series, 1);
    CQT_EQ_I(j->files[0].info.id.size, (int64_t)b.n);
    CQT_EQ_U(j->files[0].info.xxh64, cq_xxh64(b.p, b.n, 0));
    CQT_EQ_I(j->files[3].err.sys_errno, ENOENT);
    job_free(j);
    snprintf(path, sizeof path, "%s/2.bin", dir);
    rmdir(path);
    rows_free(&got);
    free(b.p);
    remove_dir(dir);
}

/* A file that changes while rows flow is named, whatever was done to it. */

typedef struct changer {
    rows rows;
    char path[512];
    int how;
} changer;

static cq_status change_at_once(void *ctx, const cq_batch *b, cq_err *e)
{
    changer *c = ctx;
    char other[600];
    if (c->rows.n == 0) {
        struct timespec const later[2] = {{1, 0}, {1, 0}};
        FILE *f;
        switch (c->how) {
        case 0: CQT((f = fopen(c->path, "ab")) && fputc('x', f) == 'x' && fclose(f) == 0); break;
        case 1: CQT(truncate(c->path, 30) == 0); break;
        case 2: CQT(unlink(c->path) == 0); break;
        case 3: CQT(utimensat(AT_FDCWD, c->path, later, 0) == 0); break;
        default:
            snprintf(other, sizeof other, "%s.other", c->path);
            CQT(rename(c->path, other) == 0 && mkfifo(c->path, 0600) == 0);
        }
    }
    return rows_batch(&c->rows, b, e);
}

static void file_changes(void)
{
    for (int how = 0; how < 5; how++)
        for (int which = 0; which < 2; which++) {
            char *dir = make_dir("changing");
            bytes b = {0};
            put_head(&b);
            put_u32(&b, 30);
            for (int i = 0; i < 30; i++) {
                char name[16];
                float const v[2] = {1, 2};
                snprintf(name, sizeof name, "m%02d", i);
                put_metric(&b, name, 10, 0, 2);
                put(&b, v, 8);
            }
            put_u32(&b, 0);
            save_in(dir, "1.bin", b.p, b.n);
            save_in(dir, "2.json", "{\"metrics\":{\"m15\":{\"frequency\":1,\"start\":0,\"data\":[1,2,3]}}}", 60);
            changer c = {.how = how};
            snprintf(c.path, sizeof c.path, "%s/%s", dir, which ? "2.json" : "1.bin");
            job *j = job_new("c", "h", dir, 2 << 20);
            job_file(j, "1.bin");
            job_file(j, "2.json");
            j->job.sink = (cq_row_sink){change_at_once, NULL, &c};
            cq_err_clear(&j->e);
            CQT_STATUS(cq_host_copy(&j->job, &j->e), CQ_ECHANGED);
            CQT_EQ_U(j->job.changed, (uint64_t)which);
            CQT_IN_STR(j->e.msg, which ? "2.json" : "1.bin");
            CQT_EQ_U(cq_mem_used(&j->mem), 0);
            job_free(j);
            rows_free(&c.rows);
            free(b.p);
            remove_dir(dir);
        }
}

/* Memory: files far larger than the budget. */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool stop_at_third(void *ctx)
{
    int *n = ctx;
    return ++*n == 3;
}

static void run_large(char *dir, const char *name, size_t want, const char *what)
{
    struct stat st;
    char path[4096];
    rows got = {.only_count = true};
    job *j = job_new("c", "h", dir, 4 << 20);
    job_file(j, name);
    double const t = seconds();
    CQT_OK(job_run(j, &got), &j->e);
    CQT_MSG(j->files[0].err.code == CQ_OK, "%s", j->files[0].err.msg);
    CQT_EQ_U(got.n, want);
    CQT(cq_mem_peak(&j->mem) <= 4 << 20);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    CQT(stat(path, &st) == 0);
    cqt_note("%s: %.1f MB, %zu rows in %zu batches, %.2f s, peak %.2f MiB, spilled %.1f MB", what, (double)st.st_size / 1e6, got.n, (size_t)got.n_batches, seconds() - t,
             (double)cq_mem_peak(&j->mem) / (1 << 20), (double)j->job.spilled_bytes / 1e6);
    int polls = 0;
    j->job.poll = (cq_poll){.should_stop = stop_at_third, .ctx = &polls};
    CQT_STATUS(job_run(j, &got), CQ_EINTERRUPTED);
    job_free(j);
    remove_dir(dir);
}

static void one_large_series(void)
{
    char *dir = make_dir("large"), path[4096];
    bytes b = {0};
    uint64_t const n = 50000000;
    put_head(&b);
    put_u32(&b, 1);
    put_metric(&b, "m", 1, 0, n);
    save_in(dir, "1.bin", b.p, b.n);
    snprintf(path, sizeof path, "%s/1.bin", dir);
    CQT(truncate(path, (off_t)(b.n + 4 * n + 4)) == 0); /* a hole: zeros */
    free(b.p);
    run_large(dir, "1.bin", n, "one series");
}

static void many_series(void)
{
    char *dir = make_dir("many"), name[32];
    bytes b = {0};
    float const v[5] = {1, 2, 3, 4, 5};
    uint32_t const n = 300000, step = 7919;
    put_head(&b);
    put_u32(&b, 0);
    put_u32(&b, n / 10);
    for (uint32_t i = 0; i < n / 10; i++) {
        snprintf(name, sizeof name, "hwthread%u", i * step % (n / 10));
        put_name(&b, name);
        put_u32(&b, 10);
        for (int k = 0; k < 10; k++) {
            snprintf(name, sizeof name, "metric_%d", k * 7 % 10);
            put_metric(&b, name, 60, 1700000000 + i, 5);
            put(&b, v, sizeof v);
        }
        put_u32(&b, 0);
    }
    save_in(dir, "1.bin", b.p, b.n);
    free(b.p);
    run_large(dir, "1.bin", 5 * n, "many series");
}

/* All paths have one scope and id: wider than any merge. */
static void wide_series(void)
{
    char *dir = make_dir("wide"), name[32];
    bytes b = {0};
    float v[20];
    uint32_t const n = 40000;
    for (int k = 0; k < 20; k++) v[k] = (float)k;
    put_head(&b);
    put_u32(&b, 0);
    put_u32(&b, n);
    for (uint32_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "n%u", i);
        put_name(&b, name);
        put_u32(&b, 0);
        put_u32(&b, 1);
        put_name(&b, "core1");
        put_u32(&b, 1);
        put_metric(&b, "m", 60, i % 600, 20);
        put(&b, v, sizeof v);
        put_u32(&b, 0);
    }
    save_in(dir, "1.bin", b.p, b.n);
    free(b.p);
    run_large(dir, "1.bin", 20 * n, "one scope and id of 40,000 paths");
}

/* Names and paths of the largest size in the least memory, with as many sources as make it sort. */
static void largest_names(void)
{
    char *dir = make_dir("names"), *big = malloc(65536), number[16];
    bytes b = {0};
    float const v[3] = {1, 2, 3};
    memset(big, 'n', 65535);
    big[65535] = 0;
    put_head(&b);
    put_u32(&b, 0);
    put_u32(&b, 8 + 700);
    for (int i = 0; i < 8; i++) { /* records of the largest size: metric, scope and path */
        snprintf(number, sizeof number, "%08d", i * 5 % 8);
        memcpy(big + 65527, number, 8);
        put_name(&b, big);
        for (int k = 0; k < 2; k++) {
            put_u32(&b, 4);
            for (int m = 0; m < 4; m++) {
                snprintf(number, sizeof number, "%08d", m * 3 % 4);
                memcpy(big + 65527, number, 8);
                put_metric(&b, big, 10, i, 3);
                put(&b, v, sizeof v);
            }
            put_u32(&b, k == 0);
            if (k) break;
            big[16384] = 0; /* 65,535 and 16,384 are all that a path may have */
            put_name(&b, big);
            big[16384] = 'n';
        }
    }
    memcpy(big + 65527, "widewide", 8);
    for (int i = 0; i < 700; i++) {
        snprintf(number, sizeof number, "p%d", i);
        put_name(&b, number);
        put_u32(&b, 0);
        put_u32(&b, 1);
        put_name(&b, "core1");
        put_u32(&b, 1);
        put_metric(&b, big, 10, i, 3);
        put(&b, v, sizeof v);
        put_u32(&b, 0);
    }
    save_in(dir, "1.bin", b.p, b.n);
    free(b.p);
    free(big);
    rows got = {.only_count = true};
    job *j = job_new("c", "h", dir, CQ_CHECKPOINT_MIN_MEMORY);
    job_file(j, "1.bin");
    void *own = cq_mem_resize(&j->mem, NULL, 0, 65536); /* what a caller may have */
    CQT(own != NULL);
    j->job.sink = rows_sink(&got);
    CQT_OK(cq_host_copy(&j->job, &j->e), &j->e);
    CQT_MSG(j->files[0].err.code == CQ_OK, "%s at %lld", j->files[0].err.msg, (long long)j->files[0].err.offset);
    CQT_EQ_U(got.n, 8 * 8 * 3 + 700 * 3);
    CQT_EQ_U(cq_mem_used(&j->mem), 65536);
    cqt_note("peak %.1f KiB of 2048, spilled %.1f MB", (double)cq_mem_peak(&j->mem) / 1024, (double)j->job.spilled_bytes / 1e6);
    cq_mem_free(&j->mem, own, 65536);
    job_free(j);
    remove_dir(dir);
}

static void large_json(void)
{
    char *dir = make_dir("text"), path[4096];
    static char block[1 << 20];
    size_t n = 0, n_values = 0, total = 0;
    while (n < sizeof block - 16) n += (size_t)snprintf(block + n, 16, "%d.%d,", (int)cqt_rand_below(1000), (int)cqt_rand_below(10)), n_values++;
    snprintf(path, sizeof path, "%s/1.json", dir);
    FILE *f = fopen(path, "wb");
    CQT(f != NULL);
    fputs("{\"metrics\":{\"m\":{\"data\":[", f);
    for (int i = 0; i < 200; i++) fwrite(block, 1, n, f), total += n_values;
    fputs("null],\"start\":0,\"frequency\":60}}}", f);
    CQT(fclose(f) == 0);
    run_large(dir, "1.json", total, "JSON");
}

void test_checkpoint_rows(void)
{
    CQT_RUN(golden_files);
    CQT_RUN(golden_hosts);
    CQT_RUN(damaged_files);
    CQT_RUN(model_of_merge);
    CQT_RUN(every_allocation_fails);
    CQT_RUN(sink_and_spill_fail);
    CQT_RUN(odd_files);
    CQT_RUN(file_changes);
    CQT_RUN(one_large_series);
    CQT_RUN(many_series);
    CQT_RUN(wide_series);
    CQT_RUN(largest_names);
    CQT_RUN(large_json);
}
