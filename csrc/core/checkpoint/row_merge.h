/* From the sources of one output series to its rows, in the order of (timestamp, path).
 *
 * Sources are one metric of one scope and id in several files and, rarely, at several paths. Where
 * only one of them has rows, they leave as constant, ramp and flat vectors straight from its
 * window; where times overlap a heap picks. Of rows with the same path and time the latest file's
 * counts, unless it has no sample there. More sources than windows go through an external sort. */
#ifndef CQ_CHECKPOINT_ROW_MERGE_H
#define CQ_CHECKPOINT_ROW_MERGE_H

#include "checkpoint/value_read.h"
#include "format/vec.h"

/* Columns of a row, in this order: cluster, hostname, metric, scope, scope_id (string), timestamp,
 * frequency (int64), value (float32). */
enum {
    CQ_ROW_CLUSTER, CQ_ROW_HOSTNAME, CQ_ROW_METRIC, CQ_ROW_SCOPE, CQ_ROW_SCOPE_ID,
    CQ_ROW_TIMESTAMP, CQ_ROW_FREQUENCY, CQ_ROW_VALUE, CQ_ROW_COLUMNS
};

#define CQ_ROW_BATCH 4096 /* rows of a batch at most */

/* Who takes the rows. Batches are never empty; series_end (may be NULL) follows the last batch of
 * each output series. */
typedef struct cq_row_sink {
    cq_status (*batch)(void *ctx, const cq_batch *b, cq_err *e);
    cq_status (*series_end)(void *ctx, cq_err *e);
    void *ctx;
} cq_row_sink;

typedef struct cq_row_source {
    int64_t time;          /* of the next row */
    int64_t frequency, last;
    uint64_t rank;         /* of its path among the series' paths */
    cq_value_cursor cursor;
    float *window;         /* NULL: none yet */
    uint32_t at, n;        /* next and number of its values */
} cq_row_source;

typedef struct cq_row_merge {
    cq_mem *mem;
    cq_value_reader *reader; /* borrowed */
    cq_row_sink sink;
    size_t value_window;     /* bytes for all windows */
    size_t max_sources;      /* beyond: by sorting */
    cq_buf group, path;      /* key of the series; path of the source before */
    cq_buf sources, heap, times, free_windows;
    float *values;           /* the windows; allocated once */
    int64_t *out_time, *out_frequency; /* rows gathered for the next batch */
    float *out_value;
    size_t n_out;
    cq_vec columns[CQ_ROW_COLUMNS];
    uint64_t rank;
    cq_extsort wide;         /* rows of a series with too many sources */
    bool is_open, is_wide, emitted;
    int64_t n_rows;
} cq_row_merge;

/* Columns cluster and hostname are borrowed. `wide_window` bytes serve the sort, when needed. */
cq_status cq_row_merge_init(cq_row_merge *m, cq_mem *mem, const char *dir, cq_poll *poll, cq_value_reader *reader, cq_row_sink sink, cq_span cluster, cq_span hostname,
                            size_t value_window, size_t max_sources, size_t wide_window, cq_err *e) CQ_MUST_CHECK;
void cq_row_merge_reset(cq_row_merge *m);

/* Series in the order of the index; rows of an output series leave when the next one begins. */
cq_status cq_row_merge_add(cq_row_merge *m, const cq_series *s, cq_err *e) CQ_MUST_CHECK;
cq_status cq_row_merge_finish(cq_row_merge *m, cq_err *e) CQ_MUST_CHECK;

#endif
