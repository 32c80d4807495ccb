/* Open files of the value pass, and reading floats or JSON numbers from them. See value_read.h. */
#define _GNU_SOURCE
#include "checkpoint/value_read.h"

#include "base/bytes.h"
#include "base/file.h"

#include <errno.h>
#include <unistd.h>

cq_status cq_value_reader_init(cq_value_reader *r, cq_mem *mem, cq_poll *poll, size_t text_window, int dir_fd, const cq_checkpoint_file *files, cq_err *e)
{
    memset(r, 0, sizeof *r);
    r->dir_fd = dir_fd;
    r->files = files;
    r->poll = poll;
    for (size_t i = 0; i < CQ_VALUE_FILES; i++) r->slots[i].fd = -1;
    CQ_TRY(cq_source_init(&r->text, mem, text_window, e));
    r->text.poll = poll;
    return CQ_OK;
}

void cq_value_reader_reset(cq_value_reader *r)
{
    for (size_t i = 0; i < CQ_VALUE_FILES; i++)
        if (r->text.buf && r->slots[i].fd >= 0) (void)close(r->slots[i].fd);
    cq_source_reset(&r->text);
}

static CQ_MUST_CHECK cq_status changed(cq_value_reader *r, uint32_t file, cq_err *e)
{
    r->changed = file;
    return cq_fail(e, CQ_ECHANGED, "'%.200s' changed while it was read", r->files[file].name);
}

static cq_status release(cq_value_reader *r, struct cq_value_slot *slot, cq_err *e)
{
    cq_file_id now;
    if (slot->fd < 0) return CQ_OK;
    cq_status st = cq_file_identify(slot->fd, r->files[slot->file].name, &now, e);
    (void)close(slot->fd);
    slot->fd = -1;
    CQ_TRY(st);
    return cq_file_id_equal(&now, &r->files[slot->file].info.id) ? CQ_OK : changed(r, slot->file, e);
}

cq_status cq_value_reader_finish(cq_value_reader *r, cq_err *e)
{
    for (size_t i = 0; i < CQ_VALUE_FILES; i++) CQ_TRY(release(r, &r->slots[i], e));
    return CQ_OK;
}

static cq_status descriptor(cq_value_reader *r, uint32_t file, int *fd, cq_err *e)
{
    struct cq_value_slot *oldest = &r->slots[0];
    r->n_uses++;
    for (size_t i = 0; i < CQ_VALUE_FILES; i++) {
        struct cq_value_slot *s = &r->slots[i];
        if (s->fd >= 0 && s->file == file) {
            s->last_use = r->n_uses;
            *fd = s->fd;
            return CQ_OK;
        }
        if (s->fd < 0 ? oldest->fd >= 0 : oldest->fd >= 0 && s->last_use < oldest->last_use) oldest = s;
    }
    CQ_TRY(release(r, oldest, e));
    cq_file_id now;
    cq_err why;
    cq_status st = cq_file_open(r->dir_fd, r->files[file].name, fd, &now, &why);
    if (st == CQ_EFORMAT || (st == CQ_EIO && (why.sys_errno == ENOENT || why.sys_errno == ESTALE))) return changed(r, file, e);
    if (st != CQ_OK) {
        if (e) *e = why;
        return st;
    }
    oldest->fd = *fd;
    oldest->file = file;
    oldest->last_use = r->n_uses;
    return cq_file_id_equal(&now, &r->files[file].info.id) ? CQ_OK : changed(r, file, e);
}

cq_value_cursor cq_value_cursor_of(const cq_series *s)
{
    cq_value_cursor const c = {.file = s->file, .left = s->n_values, .offset = s->offset, .end = s->offset + s->value_bytes};
    return c;
}

static cq_status read_json(cq_value_reader *r, cq_value_cursor *c, int fd, float *dst, size_t n, cq_err *e)
{
    cq_source *s = &r->text;
    cq_source_aim(s, fd, r->files[c->file].name, c->offset, c->end);
    /* Where one part of a series is wanted, the mean length of its values says how much to read. */
    if (n < c->left) {
        uint64_t const mean = (uint64_t)(c->end - c->offset) / c->left + 1;
        if (mean < s->cap / 2 / n) s->step = cq_max_size((size_t)mean * n + 64, 512);
    }
    size_t got;
    bool closed;
    cq_status st = cq_json_values(s, dst, n, &got, &closed, e);
    if (st == CQ_EFORMAT || st == CQ_ECHANGED) return changed(r, c->file, e);
    CQ_TRY(st);
    if (got != n || closed != (n == c->left)) return changed(r, c->file, e);
    c->offset = cq_source_offset(s);
    return CQ_OK;
}

static cq_status read_snapshot(cq_value_reader *r, cq_value_cursor *c, int fd, float *dst, size_t n, cq_err *e)
{
    size_t got;
    CQ_TRY(cq_poll_bytes(r->poll, n * sizeof *dst, e));
    CQ_TRY(cq_fd_pread(fd, dst, n * sizeof *dst, c->offset, &got, r->files[c->file].name, e));
    if (got < n * sizeof *dst) return changed(r, c->file, e);
    c->offset += cq_i64(n * sizeof *dst);
    return CQ_OK;
}

cq_status cq_value_read(cq_value_reader *r, cq_value_cursor *c, float *dst, size_t n, cq_err *e)
{
    int fd;
    if (n == 0) return CQ_OK;
    CQ_TRY(descriptor(r, c->file, &fd, e));
    if (r->files[c->file].info.kind == CQ_CHECKPOINT_JSON) CQ_TRY(read_json(r, c, fd, dst, n, e));
    else CQ_TRY(read_snapshot(r, c, fd, dst, n, e));
    c->left -= n;
    return CQ_OK;
}
