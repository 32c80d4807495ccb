/* The arena: blocks in a list, the open one first. */
#include "base/arena.h"

#include <string.h>

struct cq_arena_block {
    cq_arena_block *next;
    size_t bytes; /* with this header */
    uint64_t unused[2];
};
_Static_assert(sizeof(cq_arena_block) == CQ_ARENA_HEADER && CQ_ARENA_HEADER % CQ_ARENA_ALIGN == 0, "pieces stay aligned behind the header");

void cq_arena_init(cq_arena *a, cq_mem *mem, size_t block_bytes)
{
    memset(a, 0, sizeof *a);
    a->mem = mem;
    a->block_bytes = block_bytes > 2 * CQ_ARENA_HEADER ? block_bytes : 2 * CQ_ARENA_HEADER;
}

static cq_status open_block(cq_arena *a, size_t piece, cq_err *e)
{
    size_t const need = CQ_ARENA_HEADER + piece;
    size_t const bytes = need > a->block_bytes ? need : a->block_bytes;
    cq_arena_block *b = cq_mem_resize(a->mem, NULL, 0, bytes);
    if (!b) return cq_mem_error(a->mem, "scratch", e);
    b->next = a->blocks;
    b->bytes = bytes;
    a->blocks = b;
    a->used = CQ_ARENA_HEADER;
    return CQ_OK;
}

cq_status cq_arena_alloc(cq_arena *a, size_t n, void **out, cq_err *e)
{
    *out = NULL;
    if (n > SIZE_MAX - 2 * CQ_ARENA_HEADER) return cq_fail(e, CQ_ELIMIT, "scratch beyond the address space");
    size_t const piece = cq_arena_piece(n);
    if (!a->blocks || a->blocks->bytes - a->used < piece) CQ_TRY(open_block(a, piece, e));
    *out = (uint8_t *)a->blocks + a->used;
    a->used += piece;
    return CQ_OK;
}

size_t cq_arena_bytes(const cq_arena *a)
{
    size_t n = 0;
    for (const cq_arena_block *b = a->blocks; b; b = b->next) n += b->bytes;
    return n;
}

static void free_blocks(cq_arena *a, const cq_arena_block *kept)
{
    for (cq_arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        if (b != kept) cq_mem_free(a->mem, b, b->bytes);
    }
}

void cq_arena_clear(cq_arena *a)
{
    cq_arena_block *kept = a->blocks;
    while (kept && kept->bytes != a->block_bytes) kept = kept->next;
    free_blocks(a, kept);
    a->blocks = kept;
    a->used = CQ_ARENA_HEADER;
    if (kept) kept->next = NULL;
}

void cq_arena_reset(cq_arena *a)
{
    free_blocks(a, NULL);
    a->blocks = NULL;
    a->used = 0;
}
