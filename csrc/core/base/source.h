/* An input file behind a window: a descriptor with its identity, read forward by pread into one
 * budgeted buffer, hashed on the way if asked.
 *
 * A scanner works on [p, end) and calls cq_source_fill for more; what it has not consumed stays.
 * Files are never mapped: a file cut short by somebody else is an error here, not a signal. */
#ifndef CQ_BASE_SOURCE_H
#define CQ_BASE_SOURCE_H

#include "base/checksum.h"
#include "base/mem.h"

/* What tells one version of a file from another. */
typedef struct cq_file_id {
    uint64_t dev, ino;
    int64_t size, mtime_ns, ctime_ns;
} cq_file_id;

/* Asks a caller now and then whether to go on. A zeroed struct never asks. */
typedef struct cq_poll {
    bool (*should_stop)(void *ctx);
    void *ctx;
    uint64_t bytes; /* of work since the last question */
} cq_poll;

#define CQ_POLL_BYTES ((uint64_t)4 << 20)

cq_status cq_poll_ask(cq_poll *p, cq_err *e) CQ_MUST_CHECK;
/* Counts `n` bytes of work; CQ_EINTERRUPTED when asked to stop. `p` may be NULL. */
static inline CQ_MUST_CHECK cq_status cq_poll_bytes(cq_poll *p, uint64_t n, cq_err *e)
{
    if (!p) return CQ_OK;
    p->bytes += n;
    return p->bytes < CQ_POLL_BYTES ? CQ_OK : cq_poll_ask(p, e);
}

/* Opens a regular file for reading, relative to `dir_fd` (AT_FDCWD: as given). Never blocks on a
 * pipe. The descriptor is the caller's. */
cq_status cq_file_open(int dir_fd, const char *name, int *fd, cq_file_id *id, cq_err *e) CQ_MUST_CHECK;
/* CQ_EFORMAT unless `fd` is a regular file. */
cq_status cq_file_identify(int fd, const char *name, cq_file_id *id, cq_err *e) CQ_MUST_CHECK;
bool cq_file_id_equal(const cq_file_id *a, const cq_file_id *b);

/* Bytes behind `end` that may be read and are 0, so that a scanner's inner loop needs no bound. */
#define CQ_SOURCE_PAD 64

typedef struct cq_source {
    cq_mem *mem;
    cq_poll *poll;         /* borrowed; may be NULL */
    cq_xxh64_state *hash;  /* borrowed; every byte read is added. NULL: not wanted */
    const char *name;      /* borrowed; for errors */
    int fd;                /* borrowed */
    uint8_t *buf;
    size_t cap;
    size_t step;           /* bytes to read at once; cq_source_aim sets it to the window */
    const uint8_t *p, *end;
    int64_t base;          /* position in the file of buf[0] */
    int64_t limit;         /* reading ends here */
    bool read_failed;      /* the last error was this file's */
} cq_source;

/* `window` is at least 4,096. On failure there is nothing to reset. */
cq_status cq_source_init(cq_source *s, cq_mem *mem, size_t window, cq_err *e) CQ_MUST_CHECK;
void cq_source_reset(cq_source *s);

/* Points the window at bytes [offset, limit) of a file; nothing is read yet. */
void cq_source_aim(cq_source *s, int fd, const char *name, int64_t offset, int64_t limit);

/* Reads on behind what is unread, one step or what the window takes. No new byte: the limit is
 * reached, or the window is full of unread bytes. CQ_ECHANGED where the file ends before the limit. */
cq_status cq_source_fill(cq_source *s, cq_err *e) CQ_MUST_CHECK;

/* At least `n` unread bytes in the window (n <= window); *ok false where the limit comes before. */
cq_status cq_source_need(cq_source *s, size_t n, bool *ok, cq_err *e) CQ_MUST_CHECK;

/* Passes over `n` bytes, which must not go beyond the limit; they are read only if hashed. */
cq_status cq_source_skip(cq_source *s, uint64_t n, cq_err *e) CQ_MUST_CHECK;

static inline int64_t cq_source_offset(const cq_source *s) { return s->base + (s->p - s->buf); }
/* Bytes from the next unread one to the limit. */
static inline uint64_t cq_source_left(const cq_source *s) { return (uint64_t)(s->limit - cq_source_offset(s)); }

#endif
