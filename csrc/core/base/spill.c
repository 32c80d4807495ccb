/* The spillable log: a ring of memory blocks in front of an unlinked file. Bytes of block i always
 * stand at i * CQ_SPILL_BLOCK of the file once they are written, so a position needs no table.
 *
 * Invariants: held blocks are first .. first + n_blocks - 1; every lower block is whole in the
 * file. The block that holds `end` may be in the file after a truncation: it comes back with the
 * next append. Free blocks are kept so that held + free never falls below min_blocks. */
#define _GNU_SOURCE
#include "base/spill.h"

#include "base/bytes.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define BLOCK CQ_SPILL_BLOCK

static int64_t block_of(int64_t offset) { return offset / (int64_t)BLOCK; }
static size_t within(int64_t offset) { return (size_t)(offset % (int64_t)BLOCK); }
static int64_t start_of(int64_t block) { return block * (int64_t)BLOCK; }

static uint8_t **slot(const cq_spill *s, size_t i) { return &s->blocks[(s->head + i) % s->cap_blocks]; }

static bool is_held(const cq_spill *s, int64_t block)
{
    return block >= s->first && block < s->first + (int64_t)s->n_blocks;
}

static uint8_t *held(const cq_spill *s, int64_t block) { return *slot(s, (size_t)(block - s->first)); }

cq_status cq_spill_open(cq_spill *s, cq_mem *mem, const char *dir, size_t min_blocks, size_t max_blocks, cq_err *e)
{
    memset(s, 0, sizeof *s);
    s->mem = mem;
    s->dir = dir;
    s->fd = -1;
    s->owner = getpid();
    s->min_blocks = min_blocks > 0 ? min_blocks : 1;
    s->max_blocks = max_blocks > s->min_blocks ? max_blocks : s->min_blocks;
    void *p;
    CQ_TRY(cq_mem_alloc(mem, 2 * s->max_blocks * sizeof *s->blocks, "the window of a spill log", &p, e));
    s->blocks = p;
    s->free_blocks = s->blocks + s->max_blocks;
    s->cap_blocks = s->max_blocks;
    while (s->n_free < s->min_blocks) {
        p = cq_mem_resize(mem, NULL, 0, BLOCK);
        if (!p) {
            cq_status st = cq_mem_error(mem, "the window of a spill log", e);
            cq_spill_close(s);
            return st;
        }
        s->free_blocks[s->n_free++] = p;
    }
    return CQ_OK;
}

void cq_spill_close(cq_spill *s)
{
    if (!s->blocks) return;
    cq_spill_truncate(s, 0);
    while (s->n_free > 0) cq_mem_free(s->mem, s->free_blocks[--s->n_free], BLOCK);
    cq_mem_free(s->mem, s->blocks, 2 * s->cap_blocks * sizeof *s->blocks);
    if (s->fd >= 0 && s->owner == getpid()) (void)close(s->fd);
    memset(s, 0, sizeof *s);
    s->fd = -1;
}

/* Names of spill files where O_TMPFILE is missing: created exclusively, unlinked at once. */
static int open_named(const char *dir)
{
    char path[4096];
    for (int i = 0; i < 1000; i++) {
        int const n = snprintf(path, sizeof path, "%s/.ccpq-spill-%ld-%d", dir, (long)getpid(), i);
        if (n < 0 || (size_t)n >= sizeof path) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int const fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) {
            (void)unlink(path);
            return fd;
        }
        if (errno != EEXIST) return -1;
    }
    return -1;
}

static cq_status check_owner(const cq_spill *s, cq_err *e)
{
    if (s->owner != getpid()) return cq_fail(e, CQ_ESTATE, "a handle opened before a fork is not usable in the child");
    return CQ_OK;
}

static cq_status need_file(cq_spill *s, cq_err *e)
{
    CQ_TRY(check_owner(s, e));
    if (s->fd >= 0) return CQ_OK;
    s->fd = open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOENT))
        s->fd = open_named(s->dir);
    if (s->fd >= 0) return CQ_OK;
    int const why = errno;
    char what[256];
    (void)snprintf(what, sizeof what, "cannot make a temporary file in '%.200s'", s->dir);
    return cq_fail_errno(e, why, what);
}

static cq_status write_file(cq_spill *s, const void *p, size_t n, int64_t offset, cq_err *e)
{
    s->n_writes++;
    if (s->fail_write_at && s->n_writes == s->fail_write_at) return cq_fail_errno(e, ENOSPC, "cannot write to a temporary file");
    CQ_TRY(cq_fd_pwrite(s->fd, p, n, offset, "cannot write to a temporary file", e));
    s->written += n;
    return CQ_OK;
}

/* The oldest held block goes to the file; its memory becomes free. */
static cq_status evict(cq_spill *s, cq_err *e)
{
    CQ_TRY(need_file(s, e));
    uint8_t *b = *slot(s, 0);
    int64_t const at = start_of(s->first);
    size_t const n = s->end - at < (int64_t)BLOCK ? (size_t)(s->end - at) : BLOCK;
    CQ_TRY(write_file(s, b, n, at, e));
    s->head = (s->head + 1) % s->cap_blocks;
    s->n_blocks--;
    s->first++;
    s->free_blocks[s->n_free++] = b;
    return CQ_OK;
}

/* A block of memory for the log's end, at the cost of the oldest one where the window is full. */
static cq_status take_block(cq_spill *s, uint8_t **out, cq_err *e)
{
    if (s->n_free == 0 && s->n_blocks < s->max_blocks) {
        uint8_t *b = cq_mem_resize_quiet(s->mem, NULL, 0, BLOCK);
        if (b) s->free_blocks[s->n_free++] = b;
    }
    if (s->n_free == 0) {
        if (s->n_blocks == 0) return cq_mem_error(s->mem, "the window of a spill log", e);
        CQ_TRY(evict(s, e));
    }
    *out = s->free_blocks[--s->n_free];
    return CQ_OK;
}

static void push_block(cq_spill *s, uint8_t *b)
{
    *slot(s, s->n_blocks) = b;
    s->n_blocks++;
}

/* Makes sure that the block which takes the next byte is held. */
static cq_status need_tail(cq_spill *s, cq_err *e)
{
    int64_t const block = block_of(s->end);
    if (is_held(s, block)) return CQ_OK;
    size_t const old = within(s->end);
    uint8_t *b = NULL;
    CQ_TRY(take_block(s, &b, e));
    if (old) { /* after a truncation into the file */
        size_t got;
        cq_status st = cq_fd_pread(s->fd, b, old, start_of(block), &got, "cannot read a temporary file", e);
        if (st == CQ_OK && got != old) st = cq_fail(e, CQ_EIO, "a temporary file is shorter than what was written to it");
        if (st != CQ_OK) {
            s->free_blocks[s->n_free++] = b;
            return st;
        }
    }
    if (s->n_blocks == 0) s->first = block;
    push_block(s, b);
    return CQ_OK;
}

cq_status cq_spill_append(cq_spill *s, const void *p, size_t n, int64_t *offset, cq_err *e)
{
    CQ_TRY(check_owner(s, e));
    int64_t const before = s->end;
    const uint8_t *at = p;
    while (n > 0) {
        cq_status st = need_tail(s, e);
        if (st != CQ_OK) {
            cq_spill_truncate(s, before);
            return st;
        }
        size_t const k = cq_min_size(n, BLOCK - within(s->end));
        memcpy(held(s, block_of(s->end)) + within(s->end), at, k);
        s->end += (int64_t)k;
        at += k;
        n -= k;
    }
    if (offset) *offset = before;
    return CQ_OK;
}

cq_status cq_spill_read(cq_spill *s, int64_t offset, void *p, size_t n, cq_err *e)
{
    uint8_t *to = p;
    assert(offset >= 0 && offset <= s->end && (int64_t)n <= s->end - offset);
    CQ_TRY(check_owner(s, e));
    while (n > 0) {
        int64_t const block = block_of(offset);
        size_t k;
        if (is_held(s, block)) {
            k = cq_min_size(n, BLOCK - within(offset));
            memcpy(to, held(s, block) + within(offset), k);
        } else {
            int64_t const in_file = start_of(s->first) - offset;
            k = s->n_blocks == 0 || (int64_t)n < in_file ? n : (size_t)in_file;
            size_t got;
            CQ_TRY(need_file(s, e));
            CQ_TRY(cq_fd_pread(s->fd, to, k, offset, &got, "cannot read a temporary file", e));
            if (got != k) return cq_fail(e, CQ_EIO, "a temporary file is shorter than what was written to it");
        }
        to += k;
        offset += (int64_t)k;
        n -= k;
    }
    return CQ_OK;
}

cq_status cq_spill_patch(cq_spill *s, int64_t offset, const void *p, size_t n, cq_err *e)
{
    const uint8_t *from = p;
    assert(offset >= 0 && offset <= s->end && (int64_t)n <= s->end - offset);
    CQ_TRY(check_owner(s, e));
    while (n > 0) {
        int64_t const block = block_of(offset);
        size_t const k = cq_min_size(n, BLOCK - within(offset));
        if (is_held(s, block)) {
            memcpy(held(s, block) + within(offset), from, k);
        } else {
            CQ_TRY(need_file(s, e));
            CQ_TRY(write_file(s, from, k, offset, e));
        }
        from += k;
        offset += (int64_t)k;
        n -= k;
    }
    return CQ_OK;
}

/* Free memory above the guaranteed window goes back to the budget. */
static bool trim_free(cq_spill *s)
{
    bool any = false;
    while (s->n_free > 0 && s->n_free + s->n_blocks > s->min_blocks) {
        cq_mem_free(s->mem, s->free_blocks[--s->n_free], BLOCK);
        any = true;
    }
    return any;
}

void cq_spill_truncate(cq_spill *s, int64_t end)
{
    assert(end >= 0 && end <= s->end);
    s->end = end;
    /* a block is kept while it holds a byte below the new end */
    while (s->n_blocks > 0 && start_of(s->first + (int64_t)s->n_blocks - 1) >= end) {
        s->n_blocks--;
        s->free_blocks[s->n_free++] = *slot(s, s->n_blocks);
    }
    if (s->n_blocks == 0) {
        s->head = 0;
        s->first = block_of(end) + (within(end) != 0);
    }
}

void cq_spill_clear(cq_spill *s)
{
    cq_spill_truncate(s, 0);
}

bool cq_spill_relieve(cq_spill *s)
{
    bool any = trim_free(s);
    while (s->n_blocks > s->min_blocks) {
        cq_err e;
        if (evict(s, &e) != CQ_OK) {
            s->mem->stress_errno = e.sys_errno;
            break;
        }
        any = trim_free(s) || any;
    }
    return any;
}
