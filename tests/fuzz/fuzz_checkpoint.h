/* What the fuzz targets of checkpoints share: input through a memfd, scans with two windows, values
 * counted in two ways. The including file defines FUZZ_KIND and FUZZ_NAME. */
#ifndef FUZZ_CHECKPOINT_H
#define FUZZ_CHECKPOINT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/bytes.h"
#include "checkpoint/checkpoint_rows.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

typedef struct outcome {
    cq_status status;
    cq_err err;
    cq_checkpoint_info info;
    uint64_t n_samples;
} outcome;

static void note_duplicate(void *ctx, uint32_t file, const cq_err *why)
{
    outcome *o = ctx;
    (void)file;
    o->status = why->code;
    o->err = *why;
}

static void read_back(outcome *o, cq_series_index *ix, cq_mem *mem, const char *path, size_t chunk)
{
    cq_checkpoint_file const file = {.name = path, .info = o->info};
    cq_value_reader reader;
    cq_err e;
    float values[1000];
    uint64_t n_series = 0;
    must(cq_value_reader_init(&reader, mem, NULL, 4096, AT_FDCWD, &file, &e) == CQ_OK, "reader");
    for (;;) {
        cq_series s;
        bool more;
        must(cq_series_index_next(ix, &s, &more, &e) == CQ_OK, "next series");
        if (!more) break;
        n_series++;
        must(s.frequency > 0, "frequency");
        cq_value_cursor c = cq_value_cursor_of(&s);
        while (c.left > 0) {
            size_t const n = c.left < chunk ? (size_t)c.left : chunk;
            must(cq_value_read(&reader, &c, values, n, &e) == CQ_OK, "values are read again");
            for (size_t i = 0; i < n; i++) o->n_samples += values[i] == values[i];
        }
    }
    must(n_series == o->info.n_series, "number of series");
    must(cq_value_reader_finish(&reader, &e) == CQ_OK, "the file is the same");
    cq_value_reader_reset(&reader);
}

static outcome scan(int fd, const char *path, size_t window, size_t index_window, size_t chunk)
{
    outcome o;
    cq_mem mem;
    cq_scan c;
    cq_series_index ix;
    cq_err e;
    memset(&o, 0, sizeof o);
    cq_err_clear(&o.err);
    cq_mem_init(&mem, NULL, (uint64_t)16 << 20);
    must(cq_series_index_init(&ix, &mem, "/tmp", NULL, index_window, 1, &e) == CQ_OK, "index");
    must(cq_scan_init(&c, &mem, NULL, window, &ix, &e) == CQ_OK, "scan");
    o.info.kind = FUZZ_KIND;
    must(cq_file_identify(fd, path, &o.info.id, &e) == CQ_OK, "identity");
    o.status = cq_scan_file(&c, fd, path, 0, &o.info, &o.err);
    must(o.status == CQ_OK || o.status == CQ_EFORMAT, "read or refused");
    must(o.status == CQ_OK || (o.err.msg[0] && o.err.offset >= 0 && o.err.offset <= o.info.id.size), "place of the error");
    if (o.status == CQ_OK) must(cq_series_index_finish(&ix, note_duplicate, &o, &e) == CQ_OK, "sort");
    if (o.status == CQ_OK) read_back(&o, &ix, &mem, path, chunk);
    cq_scan_reset(&c);
    cq_series_index_reset(&ix);
    must(cq_mem_used(&mem) == 0, "memory is given back");
    cq_mem_close(&mem);
    return o;
}

static cq_status count_rows(void *ctx, const cq_batch *b, cq_err *e)
{
    uint64_t *n = ctx;
    (void)e;
    must(b->n_rows > 0 && b->n_rows <= CQ_ROW_BATCH, "rows of a batch");
    *n += (uint64_t)b->n_rows;
    return CQ_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char path[64];
    int const fd = memfd_create("fuzz", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, data, n) == (ssize_t)n, "memfd");
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);

    /* An index window of 512 KiB takes the largest names; the text windows differ. */
    outcome const a = scan(fd, path, 131072, 1 << 20, 1000);
    outcome const b = scan(fd, path, FUZZ_KIND == CQ_CHECKPOINT_JSON ? 67 : 65600, 1 << 19, 3);
    must(a.status == b.status && a.n_samples == b.n_samples, "the window's size changes nothing");
    must(a.err.offset == b.err.offset && strcmp(a.err.msg, b.err.msg) == 0, "nor the error");
    must(a.status != CQ_OK || a.info.xxh64 == b.info.xxh64, "nor the hash");

    uint64_t n_rows = 0;
    cq_mem mem;
    cq_err e;
    cq_checkpoint_file file = {.name = path, .info = {.kind = FUZZ_KIND}};
    cq_mem_init(&mem, NULL, CQ_CHECKPOINT_MIN_MEMORY);
    cq_host_job job = {.cluster = cq_span_of("c", 1), .hostname = cq_span_of("h", 1), .dir = "/", .files = &file, .n_files = 1, .mem = &mem, .spill_dir = "/tmp",
                       .sink = {count_rows, NULL, &n_rows}};
    must(cq_host_copy(&job, &e) == CQ_OK, "the host's job goes on");
    must(file.err.code == a.status && n_rows == a.n_samples && n_rows == (uint64_t)job.n_rows, "one row for each sample");
    must(cq_mem_used(&mem) == 0, "memory is given back");
    cq_mem_close(&mem);
    (void)close(fd);
    return 0;
}

#endif
