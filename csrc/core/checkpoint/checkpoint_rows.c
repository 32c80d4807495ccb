/* The two passes over a host's files. See checkpoint_rows.h. */
#define _GNU_SOURCE
#include "checkpoint/checkpoint_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Everything of a job that has to be given back. */
typedef struct host_state {
    cq_host_job *job;
    cq_checkpoint_plan plan;
    int dir_fd;
    cq_scan scan;
    cq_series_index index;
    cq_value_reader reader;
    cq_row_merge merge;
} host_state;

/* Is this failure one of the file alone? */
static bool is_of_file(const host_state *h, cq_status st)
{
    return st == CQ_EFORMAT || st == CQ_EUNSUPPORTED || st == CQ_ECHANGED || (st == CQ_EIO && h->scan.source.read_failed);
}

static cq_status index_file(host_state *h, uint32_t i, cq_err *e)
{
    cq_checkpoint_file *f = &h->job->files[i];
    cq_checkpoint_kind const kind = f->info.kind;
    int fd;
    memset(&f->info, 0, sizeof f->info);
    cq_err_clear(&f->err);
    f->info.kind = kind == CQ_CHECKPOINT_UNKNOWN ? cq_checkpoint_kind_of(f->name) : kind;
    CQ_TRY(cq_poll_bytes(&h->job->poll, 4096, e));
    cq_status st = cq_file_open(h->dir_fd, f->name, &fd, &f->info.id, &f->err);
    /* No descriptor or no memory in the system is nobody's fault. */
    bool of_file = st == CQ_EFORMAT || (st == CQ_EIO && f->err.sys_errno != EMFILE && f->err.sys_errno != ENFILE && f->err.sys_errno != ENOMEM);
    if (st == CQ_OK) {
        st = cq_scan_file(&h->scan, fd, f->name, i, &f->info, &f->err);
        of_file = is_of_file(h, st);
        (void)close(fd);
    }
    if (st == CQ_OK) {
        cq_err_clear(&f->err);
        return CQ_OK;
    }
    cq_series_index_drop_file(&h->index, i);
    if (of_file) return CQ_OK;
    if (e) *e = f->err;
    return st;
}

static void found_duplicate(void *ctx, uint32_t file, const cq_err *why)
{
    host_state *h = ctx;
    h->job->files[file].err = *why;
}

static cq_status index_pass(host_state *h, cq_err *e)
{
    cq_host_job *job = h->job;
    CQ_TRY(cq_series_index_init(&h->index, job->mem, job->spill_dir, &job->poll, h->plan.index_window, job->n_files, e));
    CQ_TRY(cq_scan_init(&h->scan, job->mem, &job->poll, h->plan.input_window, &h->index, e));
    for (uint32_t i = 0; i < job->n_files; i++) CQ_TRY(index_file(h, i, e));
    cq_scan_reset(&h->scan);
    return cq_series_index_finish(&h->index, found_duplicate, h, e);
}

static cq_status value_pass(host_state *h, cq_err *e)
{
    cq_host_job *job = h->job;
    CQ_TRY(cq_value_reader_init(&h->reader, job->mem, &job->poll, h->plan.text_window, h->dir_fd, job->files, e));
    CQ_TRY(cq_row_merge_init(&h->merge, job->mem, job->spill_dir, &job->poll, &h->reader, job->sink, job->cluster, job->hostname,
                             h->plan.value_window, h->plan.max_sources, h->plan.wide_window, e));
    for (;;) {
        cq_series s;
        bool more;
        CQ_TRY(cq_series_index_next(&h->index, &s, &more, e));
        if (!more) break;
        CQ_TRY(cq_row_merge_add(&h->merge, &s, e));
    }
    CQ_TRY(cq_row_merge_finish(&h->merge, e));
    return cq_value_reader_finish(&h->reader, e);
}

static cq_status copy(host_state *h, cq_err *e)
{
    if (h->job->plan) h->plan = *h->job->plan;
    else CQ_TRY(cq_checkpoint_plan_make(h->job->mem->limit, cq_mem_used(h->job->mem), &h->plan, e));
    h->dir_fd = open(h->job->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (h->dir_fd < 0) return cq_fail_errno(e, errno, h->job->dir);
    CQ_TRY(index_pass(h, e));
    return value_pass(h, e);
}

cq_status cq_host_copy(cq_host_job *job, cq_err *e)
{
    host_state h;
    memset(&h, 0, sizeof h);
    h.job = job;
    h.dir_fd = -1;
    job->n_rows = 0;
    cq_status st = copy(&h, e);
    job->changed = h.reader.changed;
    job->n_rows = h.merge.n_rows;
    job->spilled_bytes = cq_extsort_spilled(&h.index.sort) + cq_extsort_spilled(&h.merge.wide);
    cq_row_merge_reset(&h.merge);
    cq_value_reader_reset(&h.reader);
    cq_scan_reset(&h.scan);
    cq_series_index_reset(&h.index);
    if (h.dir_fd >= 0) (void)close(h.dir_fd);
    return st;
}
