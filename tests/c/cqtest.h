/* The C test framework: what a tests/c/test_<module>.c needs, and nothing else.
 *
 *     #include "base/err.h"               // headers of the core by floor, as in csrc/core
 *     #include "cqtest.h"
 *
 *     static void refuses_beyond_limit(void)
 *     {
 *         cq_err e = {0};
 *         CQT_STATUS(cq_mem_something(&m, &e), CQ_EBUDGET);
 *         CQT_OK(cq_buf_reserve(&b, 10, &e), &e);
 *         CQT_EQ_U(m.used, 0);
 *     }
 *
 *     void test_mem(void)
 *     {
 *         CQT_RUN(refuses_beyond_limit);
 *     }
 *
 * The module needs one line in test_modules.h (most are there already). The core is compiled with CQ_TESTING defined.
 * Build and run:  make ctest            all modules
 *                 make ctest T=mem      the tests whose full name "mem.refuses_beyond_limit" contains "mem"
 *                 make ctest-asan T=mem the same under address, leak and undefined-behaviour sanitizers
 *
 * A failed check prints file, line and values, ends its test (by longjmp, so what the test owned leaks) and counts as
 * one failure; the run goes on with the next test. Checks may stand in helper functions. Random numbers come from
 * cqt_rand(), whose stream depends on the printed seed and the test's name only: `--seed N` repeats a run, filtered or
 * not. No check is stripped by NDEBUG. */
#ifndef CQTEST_H
#define CQTEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "test_modules.h"

#define CQT_DECLARE(name) void test_##name(void) __attribute__((weak));
CQT_MODULES(CQT_DECLARE)
#undef CQT_DECLARE

typedef void (*cqt_fn)(void);

/* Runs one test of the current module, if the filter wants it. */
#define CQT_RUN(fn) cqt_run(#fn, (fn))
void cqt_run(const char *name, cqt_fn fn);

/* End the current test as failed, or as skipped (a failure when the environment says CI=true). */
#define CQT_FAIL(...) cqt_fail(__FILE__, __LINE__, __VA_ARGS__)
#define CQT_SKIP(...) cqt_skip(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void cqt_fail(const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
_Noreturn void cqt_skip(const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Prints a line only with -v; for figures worth reading. */
void cqt_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Random: 64 bits; [0, n) for n > 0; n bytes. */
uint64_t cqt_rand(void);
uint64_t cqt_rand_below(uint64_t n);
void     cqt_rand_bytes(void *dst, size_t n);

/* Borrowed until the next call: a path inside a directory that lives as long as the run and is removed at its end;
 * a path of the shared test data (environment CCPQ_TEST_DATA, default ../shared/data), which skips when it is absent. */
const char *cqt_tmp_path(const char *name);
const char *cqt_data_path(const char *relative);

#define CQT(cond)                                                                                                      \
    do {                                                                                                               \
        if (!(cond)) CQT_FAIL("not true: %s", #cond);                                                                  \
    } while (0)
#define CQT_MSG(cond, ...)                                                                                             \
    do {                                                                                                               \
        if (!(cond)) CQT_FAIL(__VA_ARGS__);                                                                            \
    } while (0)
/* Equality: signed, unsigned, float by bits (so NaN equals itself and 0.0 is not -0.0), text, bytes. got first. */
#define CQT_EQ_I(a, b) cqt_eq_i(__FILE__, __LINE__, #a, (a), (b))
#define CQT_EQ_U(a, b) cqt_eq_u(__FILE__, __LINE__, #a, (a), (b))
#define CQT_EQ_F(a, b) cqt_eq_f(__FILE__, __LINE__, #a, (a), (b))
#define CQT_EQ_STR(a, b) cqt_eq_str(__FILE__, __LINE__, #a, (a), (b))
#define CQT_EQ_MEM(a, b, n) cqt_eq_mem(__FILE__, __LINE__, #a, (a), (b), (n))
#define CQT_IN_STR(text, part) cqt_in_str(__FILE__, __LINE__, #text, (text), (part))
void cqt_eq_i(const char *file, int line, const char *what, int64_t got, int64_t want);
void cqt_eq_u(const char *file, int line, const char *what, uint64_t got, uint64_t want);
void cqt_eq_f(const char *file, int line, const char *what, double got, double want);
void cqt_eq_str(const char *file, int line, const char *what, const char *got, const char *want);
void cqt_eq_mem(const char *file, int line, const char *what, const void *got, const void *want, size_t n);
void cqt_in_str(const char *file, int line, const char *what, const char *text, const char *part);

/* Status of the core (include "base/err.h" for them): is CQ_OK, showing the error's message; is exactly this code. */
#define CQT_OK(expr, err)                                                                                              \
    do {                                                                                                               \
        cq_status cqt_st_ = (expr);                                                                                    \
        if (cqt_st_ != CQ_OK) CQT_FAIL("%s: status %d: %s", #expr, (int)cqt_st_, (err)->msg);                          \
    } while (0)
#define CQT_STATUS(expr, want)                                                                                         \
    do {                                                                                                               \
        cq_status cqt_st_ = (expr);                                                                                    \
        if (cqt_st_ != (want)) CQT_FAIL("%s: status %d, expected %s", #expr, (int)cqt_st_, #want);                     \
    } while (0)

#endif
