/* Where a finished file's bytes go, in order, once. The writer owns the sequence: any number of
 * writes, then finish or abort, exactly one of them. A failed write is never followed by another.
 *
 * Publishing (temporary names, fsync, links) is the caller's policy, not the sink's. */
#ifndef CQ_WRITE_SINK_H
#define CQ_WRITE_SINK_H

#include "base/err.h"

typedef struct cq_sink {
    cq_status (*write)(void *ctx, const void *p, size_t n, cq_err *e);
    cq_status (*finish)(void *ctx, cq_err *e); /* NULL: nothing to do */
    void (*abort)(void *ctx);                  /* NULL: nothing to do */
    void *ctx;
} cq_sink;

/* A sink that writes to a descriptor at its position. `fd` is the caller's and stays open. */
typedef struct cq_fd_sink {
    int fd;
    const char *name; /* borrowed; for errors */
} cq_fd_sink;
cq_sink cq_fd_sink_as_sink(cq_fd_sink *s);

#endif
