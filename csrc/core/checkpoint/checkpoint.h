/* One checkpoint file as a handle: validated when it is opened, then its series in order and their
 * values on demand. */
#ifndef CQ_CHECKPOINT_CHECKPOINT_H
#define CQ_CHECKPOINT_CHECKPOINT_H

#include "checkpoint/checkpoint_plan.h"
#include "checkpoint/value_read.h"

typedef struct cq_checkpoint cq_checkpoint;

typedef struct cq_checkpoint_opts {
    cq_checkpoint_kind kind; /* UNKNOWN: by the name's ending, else by the first bytes */
    const char *spill_dir;   /* borrowed until the handle is freed */
    cq_poll poll;            /* kept by the handle; should_stop may be NULL */
} cq_checkpoint_opts;

/* `mem` has a limit of CQ_CHECKPOINT_MIN_MEMORY at least, beside what is in use. `path` is
 * borrowed until the handle is freed. Not for one file only: CQ_EBUDGET, CQ_ENOMEM. */
cq_status cq_checkpoint_open(cq_checkpoint **c, const char *path, const cq_checkpoint_opts *o, cq_mem *mem, cq_err *e) CQ_MUST_CHECK;
/* NULL is nothing. */
void cq_checkpoint_free(cq_checkpoint *c);

const cq_checkpoint_info *cq_checkpoint_get_info(const cq_checkpoint *c);

/* Series number `i`, counted from 0 in the order of the index; borrowed until the next call. *more
 * false behind the last. In turn it is cheap, anywhere else it starts over. */
cq_status cq_checkpoint_series(cq_checkpoint *c, uint64_t i, cq_series *s, bool *more, cq_err *e) CQ_MUST_CHECK;

/* All values of a series, NaN where there is no sample. CQ_ECHANGED if the file is not what was
 * opened. */
cq_status cq_checkpoint_values(cq_checkpoint *c, cq_value_cursor series, float *dst, cq_err *e) CQ_MUST_CHECK;

#endif
