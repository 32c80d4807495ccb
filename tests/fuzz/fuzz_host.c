/* Fuzz target: a host with up to four checkpoint files, merged into a writer that checks the order of the rows.
 *
 * The input is cut at each line "%%%%\n" into files; one that begins with "{" is JSON, any other a snapshot. A file that
 * is refused gives no row and stops nobody; the rows of the others arrive sorted, and their number is the footer's. */
#define _GNU_SOURCE
#include "checkpoint/checkpoint_rows.h"
#include "checkpoint/writer_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FUZZ_CHECK(cond)                                                                                               \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond);                                       \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MAX_FILES = 4, SEPARATOR = 5, N_KEYS = CQ_ROW_TIMESTAMP + 1 };

/* A descriptor of a file with these bytes; its name in /proc/self/fd is the number. */
static int fuzz_file(const uint8_t *data, size_t n)
{
    int const fd = memfd_create("fuzz", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(n == 0 || write(fd, data, n) == (ssize_t)n);
    return fd;
}

/* Statuses that the bytes of a file can cause. */
static bool is_refusal(cq_status st)
{
    return st == CQ_EFORMAT || st == CQ_EUNSUPPORTED || st == CQ_ELIMIT;
}

static cq_status swallow(void *ctx, const void *p, size_t n, cq_err *e)
{
    (void)p;
    (void)e;
    *(uint64_t *)ctx += n;
    return CQ_OK;
}

static cq_writer *open_writer(cq_sink sink, cq_mem *mem, cq_err *e)
{
    static const char *const names[] = {"cluster", "hostname", "metric", "scope", "scope_id", "timestamp", "frequency", "value"};
    cq_schema schema;
    cq_sort_key keys[N_KEYS];
    cq_writer *w = NULL;
    cq_schema_init(&schema, mem);
    for (int32_t i = 0; i < CQ_ROW_COLUMNS; i++) {
        cq_type const t = i < CQ_ROW_TIMESTAMP ? CQ_STRING : i == CQ_ROW_VALUE ? CQ_FLOAT32 : CQ_INT64;
        FUZZ_CHECK(cq_schema_add(&schema, names[i], strlen(names[i]), t, false, e) == CQ_OK);
    }
    for (int32_t i = 0; i < N_KEYS; i++) keys[i] = (cq_sort_key){.column = i};
    cq_writer_opts const opts = {.codec = CQ_CODEC_NONE, .level = CQ_LEVEL_DEFAULT, .sorting = keys, .n_sorting = N_KEYS,
                                 .data_page_bytes = 4096, .row_group_size = 5000, .spill_dir = "/tmp"};
    FUZZ_CHECK(cq_writer_open(&w, &schema, &opts, sink, mem, e) == CQ_OK);
    cq_schema_reset(&schema);
    return w;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    cq_checkpoint_file files[MAX_FILES];
    char names[MAX_FILES][16];
    int fds[MAX_FILES];
    uint32_t n_files = 0;
    memset(files, 0, sizeof files);
    for (size_t at = 0; n_files < MAX_FILES && at <= n; n_files++) {
        const uint8_t *cut = memmem(data + at, n - at, "%%%%\n", SEPARATOR);
        size_t const size = cut ? (size_t)(cut - data) - at : n - at;
        fds[n_files] = fuzz_file(data + at, size);
        snprintf(names[n_files], sizeof names[0], "%d", fds[n_files]);
        files[n_files].name = names[n_files];
        files[n_files].info.kind = size && data[at] == '{' ? CQ_CHECKPOINT_JSON : CQ_CHECKPOINT_SNAPSHOT;
        at += size + SEPARATOR;
    }

    cq_mem write_mem, mem;
    cq_err e;
    uint64_t n_bytes = 0;
    cq_mem_init(&write_mem, NULL, (uint64_t)8 << 20);
    cq_mem_init(&mem, NULL, CQ_CHECKPOINT_MIN_MEMORY);
    cq_err_clear(&e);
    cq_writer *w = open_writer((cq_sink){.write = swallow, .ctx = &n_bytes}, &write_mem, &e);
    cq_host_job job = {.cluster = {(const uint8_t *)"fritz", 5}, .hostname = {(const uint8_t *)"f0101", 5}, .dir = "/proc/self/fd",
                       .files = files, .n_files = n_files, .mem = &mem, .spill_dir = "/tmp", .sink = cq_writer_row_sink(w)};
    cq_status const st = cq_host_copy(&job, &e);
    if (st != CQ_OK) fprintf(stderr, "status %d: %s\n", (int)st, e.msg);
    FUZZ_CHECK(st == CQ_OK);
    for (uint32_t i = 0; i < n_files; i++) FUZZ_CHECK(files[i].err.code == CQ_OK || is_refusal(files[i].err.code));
    FUZZ_CHECK(cq_writer_close(w, NULL, 0, &e) == CQ_OK);
    cq_writer_info info;
    cq_writer_get_info(w, &info);
    FUZZ_CHECK(info.rows == job.n_rows && (uint64_t)info.bytes_written == n_bytes);
    cq_writer_free(w);
    FUZZ_CHECK(cq_mem_used(&mem) == 0 && cq_mem_used(&write_mem) == 0);
    cq_mem_close(&mem);
    cq_mem_close(&write_mem);
    for (uint32_t i = 0; i < n_files; i++) close(fds[i]);
    return 0;
}
