/* Batches go to the writer as they are; a large row group ends where a series does. */
#include "checkpoint/writer_rows.h"

static cq_status batch(void *ctx, const cq_batch *b, cq_err *e) { return cq_writer_write_batch(ctx, b, e); }

static cq_status series_end(void *ctx, cq_err *e)
{
    cq_writer *w = ctx;
    return cq_writer_group_rows(w) >= CQ_SERIES_GROUP_ROWS ? cq_writer_flush_group(w, e) : CQ_OK;
}

cq_row_sink cq_writer_row_sink(cq_writer *w)
{
    cq_row_sink const s = {batch, series_end, w};
    return s;
}
