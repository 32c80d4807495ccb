/* The row sink of a host job that is a Parquet writer. */
#ifndef CQ_CHECKPOINT_WRITER_ROWS_H
#define CQ_CHECKPOINT_WRITER_ROWS_H

#include "checkpoint/row_merge.h"
#include "write/writer.h"

/* Rows of a group behind which it ends with the series. */
#define CQ_SERIES_GROUP_ROWS INT64_C(1048576)

/* The writer's columns are those of row_merge.h. It is borrowed. */
cq_row_sink cq_writer_row_sink(cq_writer *w);

#endif
