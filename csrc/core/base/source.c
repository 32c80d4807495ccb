/* Opening and identifying input files, and the window over them. See source.h for the contract. */
#define _GNU_SOURCE
#include "base/source.h"

#include "base/bytes.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

cq_status cq_poll_ask(cq_poll *p, cq_err *e)
{
    p->bytes = 0;
    if (p->should_stop && p->should_stop(p->ctx)) return cq_fail(e, CQ_EINTERRUPTED, "interrupted");
    return CQ_OK;
}

static int64_t nanoseconds(struct timespec t)
{
    int64_t ns;
    if (!cq_mul_i64(t.tv_sec, INT64_C(1000000000), &ns) || !cq_add_i64(ns, t.tv_nsec, &ns)) return t.tv_sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

cq_status cq_file_identify(int fd, const char *name, cq_file_id *id, cq_err *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return cq_fail_errno(e, errno, name);
    if (!S_ISREG(st.st_mode)) return cq_fail(e, CQ_EFORMAT, "not a regular file");
    id->dev = st.st_dev;
    id->ino = st.st_ino;
    id->size = st.st_size;
    id->mtime_ns = nanoseconds(st.st_mtim);
    id->ctime_ns = nanoseconds(st.st_ctim);
    return CQ_OK;
}

cq_status cq_file_open(int dir_fd, const char *name, int *fd, cq_file_id *id, cq_err *e)
{
    int f;
    do {
        f = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    } while (f < 0 && errno == EINTR);
    if (f < 0) return cq_fail_errno(e, errno, name);
    cq_status st = cq_file_identify(f, name, id, e);
    if (st != CQ_OK) {
        close(f);
        return st;
    }
    *fd = f;
    return CQ_OK;
}

bool cq_file_id_equal(const cq_file_id *a, const cq_file_id *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

cq_status cq_source_init(cq_source *s, cq_mem *mem, size_t window, cq_err *e)
{
    memset(s, 0, sizeof *s);
    void *p;
    CQ_TRY(cq_mem_alloc(mem, window + CQ_SOURCE_PAD, "the input window", &p, e));
    s->mem = mem;
    s->fd = -1;
    s->buf = p;
    s->cap = window;
    s->p = s->end = s->buf;
    return CQ_OK;
}

void cq_source_reset(cq_source *s)
{
    if (s->buf) cq_mem_free(s->mem, s->buf, s->cap + CQ_SOURCE_PAD);
    memset(s, 0, sizeof *s);
    s->fd = -1;
}

void cq_source_aim(cq_source *s, int fd, const char *name, int64_t offset, int64_t limit)
{
    s->fd = fd;
    s->name = name;
    s->base = offset;
    s->limit = limit;
    s->step = s->cap;
    s->p = s->end = s->buf;
    s->read_failed = false;
    memset(s->buf, 0, CQ_SOURCE_PAD);
}

cq_status cq_source_fill(cq_source *s, cq_err *e)
{
    size_t const kept = (size_t)(s->end - s->p);
    s->base += s->p - s->buf;
    if (kept && s->p != s->buf) memmove(s->buf, s->p, kept);
    s->p = s->buf;
    s->end = s->buf + kept;

    uint64_t const left = (uint64_t)(s->limit - s->base) - kept;
    size_t n = cq_min_size(s->cap - kept, s->step);
    if (n > left) n = (size_t)left;
    size_t got = 0;
    if (n > 0) {
        CQ_TRY(cq_poll_bytes(s->poll, n, e));
        cq_status st = cq_fd_pread(s->fd, s->buf + kept, n, s->base + cq_i64(kept), &got, s->name, e);
        s->read_failed = st != CQ_OK;
        CQ_TRY(st);
        if (s->hash) cq_xxh64_update(s->hash, s->buf + kept, got);
        s->end += got;
    }
    memset(s->buf + kept + got, 0, CQ_SOURCE_PAD);
    if (got < n) return cq_fail(e, CQ_ECHANGED, "the file became shorter while it was read");
    return CQ_OK;
}

cq_status cq_source_need(cq_source *s, size_t n, bool *ok, cq_err *e)
{
    if ((size_t)(s->end - s->p) < n && cq_source_left(s) >= n) {
        s->step = s->cap;
        CQ_TRY(cq_source_fill(s, e));
    }
    *ok = (size_t)(s->end - s->p) >= n;
    return CQ_OK;
}

cq_status cq_source_skip(cq_source *s, uint64_t n, cq_err *e)
{
    while (n > (size_t)(s->end - s->p)) {
        n -= (size_t)(s->end - s->p);
        s->p = s->end;
        if (!s->hash) {
            cq_source_aim(s, s->fd, s->name, cq_source_offset(s) + cq_i64(n), s->limit);
            return CQ_OK;
        }
        CQ_TRY(cq_source_fill(s, e));
    }
    s->p += n;
    return CQ_OK;
}
