/* The division of the memory limit. At the least limit of 2 MiB, in KiB, with names and paths of
 * the largest size:
 *
 *     index pass   window 128, index 512, its log 64, names and path 64 + 64 + 80, last key 220
 *     value pass   index 512 and its log 64, text 64, values 128, sources 2 * 64, batch 80, key
 *                  and path of the series 208 (512 while they grow), sort 256 and its log 64 */
#include "checkpoint/checkpoint_plan.h"

#include "base/bytes.h"
#include "checkpoint/row_merge.h"

static size_t part(uint64_t limit, unsigned divisor, size_t least, size_t most)
{
    uint64_t const n = limit / divisor;
    return n < least ? least : n > most ? most : (size_t)n;
}

cq_status cq_checkpoint_plan_make(uint64_t limit, uint64_t used, cq_checkpoint_plan *p, cq_err *e)
{
    size_t const KiB = 1024, MiB = 1024 * KiB;
    uint64_t const beyond = used > 64 * KiB ? used - 64 * KiB : 0;
    if (limit < CQ_CHECKPOINT_MIN_MEMORY || limit - CQ_CHECKPOINT_MIN_MEMORY < beyond)
        return cq_fail_budget(e, "reading checkpoints", CQ_CHECKPOINT_MIN_MEMORY + beyond, limit);
    limit -= beyond;
    p->input_window = part(limit, 16, 128 * KiB, 256 * KiB);
    p->index_window = part(limit, 4, 512 * KiB, 1024 * MiB);
    p->text_window = part(limit, 32, 64 * KiB, 128 * KiB);
    p->value_window = part(limit, 16, 128 * KiB, 4 * MiB);
    p->max_sources = part(limit, 32, 64 * KiB, 4 * MiB) / sizeof(cq_row_source);
    p->wide_window = part(limit, 8, 256 * KiB, 256 * MiB);
    return CQ_OK;
}
