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

void test_checkpoint_rows(void)
{
    CQT_RUN(golden_files);
    CQT_RUN(golden_hosts);
    CQT_RUN(damaged_files);
}
