/* The writer's struct, shared by writer.c, batch_write.c and stage.c and nobody else. */
#ifndef CQ_WRITE_WRITER_INT_H
#define CQ_WRITE_WRITER_INT_H

#include "write/file_meta.h"
#include "write/row_group.h"
#include "write/sort_check.h"
#include "write/writer.h"

/* Where the size of the open group is looked at: often enough for the caps, and at rows that do not
 * depend on how they came. */
#define CQ_CHECK_ROWS 4096
#define CQ_CHECK_BYTES (INT64_C(16) << 20)

struct cq_writer {
    cq_mem *mem;
    cq_schema schema;
    cq_plan plan;
    char *spill_dir;
    cq_row_group group;
    cq_file_meta meta;
    cq_output out;
    cq_sort_check sort;
    int64_t row_group_size, row_group_bytes;
    int32_t version;          /* of the file */
    int64_t n_rows;           /* committed, all groups */
    int64_t fixed_row_bytes;  /* fixed-length byte arrays of one row, nulls counted as values */
    int64_t unchecked_bytes;  /* byte-array bytes since the group's size was looked at */
    bool due;                 /* settle before the next row */
    bool check_group;         /* the group's size is to be looked at */
    bool explicit_group;
    bool checking;            /* between begin_checks and end_checks: nothing may be written */
    bool closed, failed;
    cq_err error;             /* of a failed writer */
    cq_writer_info final;     /* of a closed one */
    cq_column_info *figures;
    bool (*should_stop)(void *ctx);
    void *should_stop_ctx;
};

cq_status cq_writer_usable(const cq_writer *w, cq_err *e) CQ_MUST_CHECK;
/* Makes the writer final; returns st. */
cq_status cq_writer_fail(cq_writer *w, cq_status st, const cq_err *e) CQ_MUST_CHECK;
/* CQ_EINTERRUPTED where should_stop says so. */
cq_status cq_writer_poll_stop(cq_writer *w, cq_err *e) CQ_MUST_CHECK;
/* CQ_ESTATE inside of a row. */
cq_status cq_writer_no_row(const cq_writer *w, cq_err *e) CQ_MUST_CHECK;
void cq_writer_count_rows(cq_writer *w, int64_t n, int64_t bytes);
cq_status cq_writer_cut_page(cq_writer *w, int32_t column, bool continues, cq_err *e) CQ_MUST_CHECK;

#endif
