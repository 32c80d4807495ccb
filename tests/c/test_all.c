/* The C test runner: runs the modules of test_modules.h in floor order.
 *
 *     test_all [--seed N] [--list] [-v] [filter ...]
 *
 * A test runs when its name "module.test" contains one of the filters. Exit code 0: all passed; 1: a failure;
 * 2: bad arguments, or a filter that no test matches. Here live the runner and the checks of cqtest.h; the tests are
 * in the modules' own files. */
#define _GNU_SOURCE
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cqtest.h"

static struct {
    const char *module;
    const char *const *filters;
    int n_filters;
    bool list, verbose;
    uint64_t seed, rng;
    int n_passed, n_failed, n_skipped;
    jmp_buf back;
    char name[256];
    char tmp_dir[64];
    char path[PATH_MAX];
} t;

enum { PASSED = 0, FAILED = 1, SKIPPED = 2 };

static bool in_ci(void)
{
    const char *ci = getenv("CI");
    return ci && strcmp(ci, "true") == 0;
}

static bool wanted(void)
{
    if (t.n_filters == 0) return true;
    for (int i = 0; i < t.n_filters; i++)
        if (strstr(t.name, t.filters[i])) return true;
    return false;
}

uint64_t cqt_rand(void)
{
    /* splitmix64 */
    uint64_t z = (t.rng += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint64_t cqt_rand_below(uint64_t n)
{
    return cqt_rand() % n;
}

void cqt_rand_bytes(void *dst, size_t n)
{
    unsigned char *p = dst;
    for (size_t i = 0; i < n; i++) p[i] = (unsigned char)(cqt_rand() >> 32);
}

void cqt_run(const char *name, cqt_fn fn)
{
    snprintf(t.name, sizeof t.name, "%s.%s", t.module, name);
    if (!wanted()) return;
    if (t.list) {
        puts(t.name);
        t.n_passed++;
        return;
    }
    t.rng = t.seed;
    for (const char *p = t.name; *p; p++) t.rng = (t.rng ^ (unsigned char)*p) * 0x100000001B3u;
    if (t.verbose) printf("%s\n", t.name);
    fflush(stdout);
    switch (setjmp(t.back)) {
    case PASSED:
        fn();
        t.n_passed++;
        break;
    case SKIPPED:
        t.n_skipped++;
        break;
    default:
        t.n_failed++;
    }
}

static void say(const char *kind, const char *file, int line, const char *fmt, va_list ap)
{
    printf("%s:%d: %s: %s: ", file, line, kind, t.name);
    vprintf(fmt, ap);
    putchar('\n');
    fflush(stdout);
}

void cqt_fail(const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say("FAILED", file, line, fmt, ap);
    va_end(ap);
    longjmp(t.back, FAILED);
}

void cqt_skip(const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(in_ci() ? "FAILED (a skip, and CI=true)" : "skipped", file, line, fmt, ap);
    va_end(ap);
    longjmp(t.back, in_ci() ? FAILED : SKIPPED);
}

void cqt_note(const char *fmt, ...)
{
    if (!t.verbose) return;
    va_list ap;
    va_start(ap, fmt);
    printf("    ");
    vprintf(fmt, ap);
    putchar('\n');
    va_end(ap);
}

void cqt_eq_i(const char *file, int line, const char *what, int64_t got, int64_t want)
{
    if (got != want) cqt_fail(file, line, "%s is %" PRId64 ", expected %" PRId64, what, got, want);
}

void cqt_eq_u(const char *file, int line, const char *what, uint64_t got, uint64_t want)
{
    if (got != want)
        cqt_fail(file, line, "%s is %" PRIu64 " (0x%" PRIx64 "), expected %" PRIu64 " (0x%" PRIx64 ")", what, got, got,
                 want, want);
}

void cqt_eq_f(const char *file, int line, const char *what, double got, double want)
{
    if (memcmp(&got, &want, sizeof got) != 0) cqt_fail(file, line, "%s is %.17g, expected %.17g", what, got, want);
}

void cqt_eq_str(const char *file, int line, const char *what, const char *got, const char *want)
{
    if (!got || strcmp(got, want) != 0)
        cqt_fail(file, line, "%s is \"%s\", expected \"%s\"", what, got ? got : "(null)", want);
}

void cqt_in_str(const char *file, int line, const char *what, const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        cqt_fail(file, line, "%s is \"%s\", expected to contain \"%s\"", what, text ? text : "(null)", part);
}

void cqt_eq_mem(const char *file, int line, const char *what, const void *got, const void *want, size_t n)
{
    const unsigned char *a = got, *b = want;
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            cqt_fail(file, line, "%s differs at byte %zu of %zu: 0x%02x, expected 0x%02x", what, i, n, a[i], b[i]);
}

const char *cqt_tmp_path(const char *name)
{
    if (!t.tmp_dir[0]) {
        strcpy(t.tmp_dir, "/tmp/cqtest.XXXXXX");
        if (!mkdtemp(t.tmp_dir)) {
            t.tmp_dir[0] = 0;
            CQT_FAIL("cannot make a temporary directory");
        }
    }
    snprintf(t.path, sizeof t.path, "%s/%s", t.tmp_dir, name);
    return t.path;
}

const char *cqt_data_path(const char *relative)
{
    const char *root = getenv("CCPQ_TEST_DATA");
    snprintf(t.path, sizeof t.path, "%s/%s", root && *root ? root : "../shared/data", relative);
    if (access(t.path, R_OK) != 0) CQT_SKIP("no test data at %s (set CCPQ_TEST_DATA)", t.path);
    return t.path;
}

/* Flat: cqt_tmp_path hands out names without folders, a test that makes folders removes them itself. */
static void remove_tmp_dir(void)
{
    if (!t.tmp_dir[0]) return;
    DIR *d = opendir(t.tmp_dir);
    if (!d) return;
    for (struct dirent *f; (f = readdir(d));)
        if (f->d_type != DT_DIR) unlinkat(dirfd(d), f->d_name, 0);
    closedir(d);
    rmdir(t.tmp_dir);
}

int main(int argc, char **argv)
{
    const char *filters[64];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    t.seed = (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            t.list = true;
        } else if (strcmp(argv[i], "-v") == 0) {
            t.verbose = true;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            t.seed = strtoull(argv[++i], NULL, 0);
        } else if (argv[i][0] == '-' || t.n_filters == 64) {
            fprintf(stderr, "usage: %s [--seed N] [--list] [-v] [filter ...]\n", argv[0]);
            return 2;
        } else {
            filters[t.n_filters++] = argv[i];
        }
    }
    t.filters = filters;
    if (!t.list) printf("seed %" PRIu64 "\n", t.seed);

#define CQT_CALL(m)                                                                                                    \
    if (test_##m) {                                                                                                    \
        t.module = #m;                                                                                                 \
        test_##m();                                                                                                    \
    }
    CQT_MODULES(CQT_CALL)

    remove_tmp_dir();
    if (t.list) return 0;
    if (t.n_skipped) printf("%d skipped, ", t.n_skipped);
    printf("%d passed, %d failed\n", t.n_passed, t.n_failed);
    if (t.n_filters && t.n_passed + t.n_failed + t.n_skipped == 0) {
        fprintf(stderr, "no test matches the filter\n");
        return 2;
    }
    if (t.n_failed) {
        /* What failed tests owned is lost; at a plain exit LeakSanitizer would bury the failures under it. */
        fflush(stdout);
        _exit(1);
    }
    return 0;
}
