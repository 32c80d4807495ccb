/* The handle on one file: index pass at open, then index and value reader. See checkpoint.h. */
#define _GNU_SOURCE
#include "checkpoint/checkpoint.h"

#include <fcntl.h>
#include <unistd.h>

struct cq_checkpoint {
    cq_mem *mem;
    cq_poll poll;
    cq_checkpoint_file file;
    cq_series_index index;
    cq_value_reader reader;
    uint64_t next; /* number of the series that the index gives next */
    cq_err duplicate;
};

static void note_duplicate(void *ctx, uint32_t file, const cq_err *why)
{
    cq_checkpoint *c = ctx;
    (void)file;
    c->duplicate = *why;
}

static cq_status scan(cq_checkpoint *c, const cq_checkpoint_plan *plan, cq_err *e)
{
    cq_scan s;
    int fd;
    CQ_TRY(cq_file_open(AT_FDCWD, c->file.name, &fd, &c->file.info.id, e));
    cq_status st = cq_scan_init(&s, c->mem, &c->poll, plan->input_window, &c->index, e);
    if (st == CQ_OK) {
        st = cq_scan_file(&s, fd, c->file.name, 0, &c->file.info, e);
        cq_scan_reset(&s);
    }
    (void)close(fd);
    return st;
}

static cq_status prepare(cq_checkpoint *c, const cq_checkpoint_opts *o, cq_err *e)
{
    cq_checkpoint_plan plan;
    CQ_TRY(cq_checkpoint_plan_make(c->mem->limit, cq_mem_used(c->mem), &plan, e));
    CQ_TRY(cq_series_index_init(&c->index, c->mem, o->spill_dir, &c->poll, plan.index_window, 1, e));
    CQ_TRY(scan(c, &plan, e));
    CQ_TRY(cq_series_index_finish(&c->index, note_duplicate, c, e));
    if (c->duplicate.code != CQ_OK) {
        if (e) *e = c->duplicate;
        return c->duplicate.code;
    }
    return cq_value_reader_init(&c->reader, c->mem, &c->poll, plan.text_window, AT_FDCWD, &c->file, e);
}

cq_status cq_checkpoint_open(cq_checkpoint **out, const char *path, const cq_checkpoint_opts *o, cq_mem *mem, cq_err *e)
{
    void *p;
    *out = NULL;
    /* Before any allocation, whose failure would name its own size only. */
    if (mem->limit < CQ_CHECKPOINT_MIN_MEMORY) return cq_fail_budget(e, "reading checkpoints", CQ_CHECKPOINT_MIN_MEMORY, mem->limit);
    CQ_TRY(cq_mem_alloc(mem, sizeof(cq_checkpoint), "a checkpoint", &p, e));
    cq_checkpoint *c = p;
    c->mem = mem;
    c->poll = o->poll;
    c->file.name = path;
    c->file.info.kind = o->kind == CQ_CHECKPOINT_UNKNOWN ? cq_checkpoint_kind_of(path) : o->kind;
    cq_status st = prepare(c, o, e);
    if (st == CQ_OK) *out = c;
    else cq_checkpoint_free(c);
    return st;
}

void cq_checkpoint_free(cq_checkpoint *c)
{
    if (!c) return;
    cq_value_reader_reset(&c->reader);
    cq_series_index_reset(&c->index);
    cq_mem_free(c->mem, c, sizeof *c);
}

const cq_checkpoint_info *cq_checkpoint_get_info(const cq_checkpoint *c) { return &c->file.info; }

cq_status cq_checkpoint_series(cq_checkpoint *c, uint64_t i, cq_series *s, bool *more, cq_err *e)
{
    if (i < c->next) {
        c->next = 0;
        CQ_TRY(cq_series_index_rewind(&c->index, e));
    }
    *more = true;
    while (*more && c->next <= i) {
        CQ_TRY(cq_series_index_next(&c->index, s, more, e));
        c->next++;
    }
    return CQ_OK;
}

cq_status cq_checkpoint_values(cq_checkpoint *c, cq_value_cursor series, float *dst, cq_err *e)
{
    uint64_t const part = (uint64_t)1 << 20; /* how often an interrupt is seen */
    while (series.left > 0) {
        size_t const n = (size_t)(series.left < part ? series.left : part);
        CQ_TRY(cq_value_read(&c->reader, &series, dst, n, e));
        dst += n;
    }
    return cq_value_reader_finish(&c->reader, e);
}
