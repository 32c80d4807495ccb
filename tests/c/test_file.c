/* Whole reads and writes on descriptors. */
#define _GNU_SOURCE
#include "base/err.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cqtest.h"

static void bytes_come_back(void)
{
    uint8_t out[5000], in[6000];
    cq_err e;
    size_t got;
    int const fd = open(cqt_tmp_path("file"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    CQT(fd >= 0);
    cqt_rand_bytes(out, sizeof out);
    CQT_OK(cq_fd_write(fd, out, 3000, "file", &e), &e);
    CQT_OK(cq_fd_write(fd, out + 3000, 2000, "file", &e), &e);
    CQT_OK(cq_fd_write(fd, NULL, 0, "file", &e), &e);
    CQT_OK(cq_fd_pread(fd, in, sizeof in, 0, &got, "file", &e), &e);
    CQT_EQ_U(got, 5000);
    CQT_EQ_MEM(in, out, 5000);
    CQT_OK(cq_fd_pwrite(fd, "xyz", 3, 4999, "file", &e), &e);
    CQT_OK(cq_fd_pread(fd, in, 10, 4998, &got, "file", &e), &e);
    CQT_EQ_U(got, 4);
    CQT_EQ_MEM(in + 1, "xyz", 3);
    CQT_OK(cq_fd_pread(fd, in, 10, 1 << 20, &got, "file", &e), &e);
    CQT_EQ_U(got, 0);
    CQT(close(fd) == 0);
}

static void failures_name_the_file(void)
{
    uint8_t byte = 0;
    size_t got;
    cq_err e;
    int const fd = open(cqt_tmp_path("read_only"), O_RDONLY | O_CREAT, 0400);
    CQT(fd >= 0);
    CQT_STATUS(cq_fd_write(fd, &byte, 1, "the archive", &e), CQ_EIO);
    CQT_EQ_I(e.sys_errno, EBADF);
    CQT_IN_STR(e.msg, "the archive: ");
    CQT_STATUS(cq_fd_pwrite(fd, &byte, 1, 0, "the archive", &e), CQ_EIO);
    CQT(close(fd) == 0);
    CQT_STATUS(cq_fd_pread(fd, &byte, 1, 0, &got, "the source", &e), CQ_EIO);
    CQT_IN_STR(e.msg, "the source: ");
    int const full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (full < 0) return;
    CQT_STATUS(cq_fd_write(full, &byte, 1, "the archive", &e), CQ_EIO);
    CQT_EQ_I(e.sys_errno, ENOSPC);
    CQT(close(full) == 0);
}

void test_file(void)
{
    CQT_RUN(bytes_come_back);
    CQT_RUN(failures_name_the_file);
}
