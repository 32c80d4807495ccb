/* A host's checkpoint files as sorted rows: the index pass over all of them, then the value pass.
 *
 * A file that cannot be read is reported and gives no row; it never stops its host. Once rows
 * flow, only I/O, the sink, memory, an interrupt or a file that changes meanwhile can fail. */
#ifndef CQ_CHECKPOINT_CHECKPOINT_ROWS_H
#define CQ_CHECKPOINT_CHECKPOINT_ROWS_H

#include "checkpoint/checkpoint_plan.h"
#include "checkpoint/row_merge.h"

typedef struct cq_host_job {
    cq_span cluster, hostname;  /* UTF-8 */
    const char *dir;            /* of the files */
    cq_checkpoint_file *files;  /* in: name, and info.kind if the name should not tell it. Out: info,
                                   err. Of two samples of one series and time the later file's counts */
    uint32_t n_files;
    cq_mem *mem;                /* what its limit leaves makes the plan; all of it may be used */
    const char *spill_dir;
    cq_row_sink sink;
    cq_poll poll;               /* should_stop may be NULL */
    const cq_checkpoint_plan *plan; /* NULL: made from the limit. Tests give windows of their own */
    /* results */
    int64_t n_rows;
    uint64_t spilled_bytes;
    uint32_t changed;           /* after CQ_ECHANGED: number of the file. Nothing given to the sink counts */
} cq_host_job;

/* Columns and order of the rows: row_merge.h; sorted by (metric, scope, scope_id, timestamp) and
 * then by path. CQ_EBUDGET below CQ_CHECKPOINT_MIN_MEMORY. */
cq_status cq_host_copy(cq_host_job *job, cq_err *e) CQ_MUST_CHECK;

#endif
