/* pread, pwrite and write until everything is done. */
#define _GNU_SOURCE
#include "base/file.h"

#include <errno.h>
#include <unistd.h>

static const size_t max_io = (size_t)1 << 30; /* below the kernel's own cap of 2^31 */

cq_status cq_fd_write(int fd, const void *p, size_t n, const char *what, cq_err *e)
{
    const char *at = p;
    while (n > 0) {
        ssize_t const k = write(fd, at, n < max_io ? n : max_io);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return cq_fail_errno(e, errno, what);
        if (k == 0) return cq_fail_errno(e, ENOSPC, what);
        at += k;
        n -= (size_t)k;
    }
    return CQ_OK;
}

cq_status cq_fd_pwrite(int fd, const void *p, size_t n, int64_t offset, const char *what, cq_err *e)
{
    const char *at = p;
    while (n > 0) {
        ssize_t const k = pwrite(fd, at, n < max_io ? n : max_io, offset);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return cq_fail_errno(e, errno, what);
        if (k == 0) return cq_fail_errno(e, ENOSPC, what);
        at += k;
        n -= (size_t)k;
        offset += k;
    }
    return CQ_OK;
}

cq_status cq_fd_pread(int fd, void *p, size_t n, int64_t offset, size_t *got, const char *what, cq_err *e)
{
    char *at = p;
    size_t left = n;
    while (left > 0) {
        ssize_t const k = pread(fd, at, left < max_io ? left : max_io, offset);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return cq_fail_errno(e, errno, what);
        if (k == 0) break;
        at += k;
        left -= (size_t)k;
        offset += k;
    }
    *got = n - left;
    return CQ_OK;
}
