/* Scratch of one chunk of work: pieces of any size, all given back at once.
 *
 * Pieces come from blocks of a cq_mem. A piece that does not fit the rest of the open block opens another one, so
 * that a block as large as all pieces together wastes nothing. The struct is the caller's. */
#ifndef CQ_BASE_ARENA_H
#define CQ_BASE_ARENA_H

#include "base/mem.h"

#define CQ_ARENA_ALIGN ((size_t)16)
/* What a block takes for itself. */
#define CQ_ARENA_HEADER ((size_t)32)

typedef struct cq_arena_block cq_arena_block;

typedef struct cq_arena {
    cq_mem *mem;
    cq_arena_block *blocks; /* the open one first; every other one is done with */
    size_t block_bytes;     /* of an ordinary block, with its header */
    size_t used;            /* bytes of the open block */
} cq_arena;

void cq_arena_init(cq_arena *a, cq_mem *mem, size_t block_bytes);
/* `n` bytes, not initialised, aligned to CQ_ARENA_ALIGN; valid until clear or reset. For 0 bytes too *out is not NULL. */
cq_status cq_arena_alloc(cq_arena *a, size_t n, void **out, cq_err *e) CQ_MUST_CHECK;
/* What a piece of n bytes takes of a block. */
static inline size_t cq_arena_piece(size_t n) { return (n + CQ_ARENA_ALIGN - 1) & ~(CQ_ARENA_ALIGN - 1); }
/* Bytes of all its blocks. */
size_t cq_arena_bytes(const cq_arena *a);
/* Takes every piece back; keeps one block of ordinary size. */
void cq_arena_clear(cq_arena *a);
/* Frees all; the arena can be used again. */
void cq_arena_reset(cq_arena *a);

#endif
