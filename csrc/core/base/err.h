/* Status codes and the error record of the core.
 *
 * Every function that can fail returns cq_status and takes `cq_err *e` last. The deepest function
 * fills the record once; callers only add where (offset, row, row group, column), never rewrite
 * the message. `e` may be NULL everywhere. Nothing here allocates. */
#ifndef CQ_BASE_ERR_H
#define CQ_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CQ_MUST_CHECK __attribute__((warn_unused_result))
#define CQ_PRINTF(f, a) __attribute__((format(printf, f, a)))

typedef enum cq_status {
    CQ_OK = 0,
    CQ_ENOMEM,       /* the operating system gave no memory */
    CQ_EBUDGET,      /* the memory limit does not allow it; e->needed and e->limit are set */
    CQ_EIO,          /* a system call failed; e->sys_errno is set */
    CQ_ESINK,        /* a caller's callback failed; the callback keeps the reason */
    CQ_EFORMAT,      /* input bytes that break their format */
    CQ_EUNSUPPORTED, /* valid, but not built or not implemented */
    CQ_ELIMIT,       /* beyond a cap of limits.h or of the plan */
    CQ_ERANGE,       /* a value outside its type's range */
    CQ_ETYPE,        /* a value of another type */
    CQ_EVALUE,       /* a value that the column does not take (null, order, length) */
    CQ_ESTATE,       /* call out of order, closed handle */
    CQ_EARG,         /* a bad argument or option */
    CQ_ECHANGED,     /* an input file changed between two passes over it */
    CQ_EINTERRUPTED  /* should_stop asked for it */
} cq_status;

typedef struct cq_err {
    cq_status code;
    int sys_errno;
    int32_t row_group, column; /* -1: not known */
    int64_t offset, row;       /* -1: not known */
    uint64_t needed, limit;    /* bytes; with CQ_EBUDGET */
    char msg[320];             /* UTF-8 text, cut at its end when too long */
} cq_err;

/* Makes the record empty: CQ_OK and every place unknown. */
void cq_err_clear(cq_err *e);

/* Fills the record and returns `code`. */
cq_status cq_fail(cq_err *e, cq_status code, const char *fmt, ...) CQ_PRINTF(3, 4) CQ_MUST_CHECK;

/* CQ_EIO with errno's text behind the given one; `sys_errno` is kept for OSError. */
cq_status cq_fail_errno(cq_err *e, int sys_errno, const char *what) CQ_MUST_CHECK;

/* CQ_EBUDGET: `what` needs `needed` bytes where the limit is `limit`. */
cq_status cq_fail_budget(cq_err *e, const char *what, uint64_t needed, uint64_t limit) CQ_MUST_CHECK;

/* Adds a place; a field that is already known stays. Pass -1 for what is not known here. */
void cq_err_where(cq_err *e, int64_t offset, int64_t row, int32_t row_group, int32_t column);

/* For functions that own nothing: forward a failure at once. */
#define CQ_TRY(expr)                                                                               \
    do {                                                                                           \
        cq_status cq_try_st = (expr);                                                              \
        if (cq_try_st != CQ_OK) return cq_try_st;                                                  \
    } while (0)

/* For functions with one `done:` exit and a local `st`. */
#define CQ_GO(expr)                                                                                \
    do {                                                                                           \
        st = (expr);                                                                               \
        if (st != CQ_OK) goto done;                                                                \
    } while (0)

#endif
