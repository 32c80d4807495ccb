/* An append-only log of bytes in a bounded window of memory, continued in an unlinked temporary file.
 *
 * Positions count from 0 and stay valid whether their bytes are in memory or in the file; what was
 * appended can be read, patched, and cut off at the end. Parked pages, page metadata, series
 * indexes and merge runs are such logs. The file is made on first need: O_TMPFILE in `dir`, or
 * exclusive create and unlink where the file system has none. After a fork the child's handle
 * refuses work. */
#ifndef CQ_BASE_SPILL_H
#define CQ_BASE_SPILL_H

#include "base/mem.h"

#include <sys/types.h>

#define CQ_SPILL_BLOCK ((size_t)65536)

typedef struct cq_spill {
    cq_mem *mem;
    const char *dir;        /* borrowed; where the file is made */
    int fd;                 /* -1: none yet */
    pid_t owner;
    size_t min_blocks, max_blocks;
    uint8_t **blocks;       /* ring: block i of memory holds bytes [ (first + i) * CQ_SPILL_BLOCK, ... ) */
    size_t n_blocks, head;  /* held blocks, position of the first in the ring */
    size_t cap_blocks;      /* of the ring array */
    uint8_t **free_blocks;  /* stack of blocks that hold nothing */
    size_t n_free;
    int64_t first;          /* number of the first block held in memory; lower ones are in the file */
    int64_t end;            /* bytes in the log */
    uint64_t written;       /* bytes ever written to the file */
    uint64_t n_writes, fail_write_at; /* fault injection: file write number fail_write_at fails; 0: none */
} cq_spill;

/* Holds between min_blocks and max_blocks blocks of CQ_SPILL_BLOCK bytes in memory: the former are
 * allocated by cq_spill_open, the latter only while the budget has room. */
cq_status cq_spill_open(cq_spill *s, cq_mem *mem, const char *dir, size_t min_blocks, size_t max_blocks, cq_err *e) CQ_MUST_CHECK;
/* Frees memory and file. A zeroed struct may be closed. */
void cq_spill_close(cq_spill *s);

/* On failure the log is as before. `offset` may be NULL. */
cq_status cq_spill_append(cq_spill *s, const void *p, size_t n, int64_t *offset, cq_err *e) CQ_MUST_CHECK;
/* The range must lie inside the log. A patch that fails may have been done in part. */
cq_status cq_spill_read(cq_spill *s, int64_t offset, void *p, size_t n, cq_err *e) CQ_MUST_CHECK;
cq_status cq_spill_patch(cq_spill *s, int64_t offset, const void *p, size_t n, cq_err *e) CQ_MUST_CHECK;
/* Cuts the log to `end` bytes. Never fails. */
void cq_spill_truncate(cq_spill *s, int64_t end);
/* Forgets everything, keeps memory (cq_spill_relieve gives it back) and file. Never fails. */
void cq_spill_clear(cq_spill *s);

/* Writes blocks to the file until no more than min_blocks are held. True if memory was given back;
 * false too when writing failed, which s->mem->stress_errno then tells. For cq_mem_stress. */
bool cq_spill_relieve(cq_spill *s);

#endif
