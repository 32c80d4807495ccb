/* How a memory limit is divided among the windows of a checkpoint job: a pure function of it. */
#ifndef CQ_CHECKPOINT_CHECKPOINT_PLAN_H
#define CQ_CHECKPOINT_CHECKPOINT_PLAN_H

#include "base/err.h"

/* The least limit of cq_checkpoint_open and cq_host_copy. The largest names, deepest trees and any
 * number of files, series and values pass with it. */
#define CQ_CHECKPOINT_MIN_MEMORY ((uint64_t)2 << 20)

typedef struct cq_checkpoint_plan {
    size_t input_window; /* index pass: of the file */
    size_t index_window; /* records of the series index in memory */
    size_t text_window;  /* value pass: of JSON text */
    size_t value_window; /* value pass: of all sources of an output series */
    size_t max_sources;  /* that are merged without sorting */
    size_t wide_window;  /* rows sorted in memory */
} cq_checkpoint_plan;

/* For a budget of `limit` bytes of which `used` are taken by the caller's own lists; 64 KiB of that
 * are in the least limit. CQ_EBUDGET with the number that would do. */
cq_status cq_checkpoint_plan_make(uint64_t limit, uint64_t used, cq_checkpoint_plan *p, cq_err *e) CQ_MUST_CHECK;

#endif
