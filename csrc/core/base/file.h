/* Whole reads and writes on descriptors: EINTR and short counts are handled here once. */
#ifndef CQ_BASE_FILE_H
#define CQ_BASE_FILE_H

#include "base/err.h"

/* Writes all bytes at the descriptor's position. `what` names the file in the error. */
cq_status cq_fd_write(int fd, const void *p, size_t n, const char *what, cq_err *e) CQ_MUST_CHECK;
cq_status cq_fd_pwrite(int fd, const void *p, size_t n, int64_t offset, const char *what, cq_err *e) CQ_MUST_CHECK;
/* Reads up to n bytes; *got < n only at the end of the file. */
cq_status cq_fd_pread(int fd, void *p, size_t n, int64_t offset, size_t *got, const char *what, cq_err *e) CQ_MUST_CHECK;

#endif
