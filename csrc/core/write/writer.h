/* The writer: rows and column batches in, one Parquet file out, in the memory of its plan.
 *
 * Rows: put one value into every column (colbuf.h), then cq_writer_end_row; cq_writer_abort_row
 * takes back the values of an unfinished row. Batches: cq_writer_write_batch. Both give the same
 * bytes for the same values. After each row, `cq_writer_due` says that pages or a row group are
 * full: then call cq_writer_settle before the next row (it may take long and is the place to
 * detach from an interpreter).
 *
 * Errors of a row or batch (null, order, size) leave the writer usable and without a trace of it.
 * Errors before a row group's splice (no memory, spill file full, interrupt) leave it usable too,
 * but for those of a batch: the call can be repeated. A failure inside a splice or the close is final and sticky. */
#ifndef CQ_WRITE_WRITER_H
#define CQ_WRITE_WRITER_H

#include "format/schema.h"
#include "format/vec.h"
#include "write/colbuf.h"
#include "write/plan.h"
#include "write/profile.h"
#include "write/sink.h"

typedef struct cq_writer cq_writer;

typedef struct cq_sort_key {
    int32_t column;
    bool descending;
} cq_sort_key;

typedef struct cq_kv {
    cq_span key, value; /* UTF-8 */
} cq_kv;

typedef struct cq_writer_opts {
    cq_profile profile;
    cq_codec_kind codec;
    const cq_codec_kind *codecs; /* of each column; NULL: `codec` for all. Borrowed for the opening */
    int32_t level;              /* of zstd, an error where no column uses it; CQ_LEVEL_DEFAULT: the codec's own */
    int64_t row_group_size;     /* rows; 0: 1,048,576 */
    int64_t row_group_bytes;    /* bytes of compressed pages; 0: 128 MiB */
    int64_t data_page_bytes;    /* 0: the plan's choice */
    int64_t max_value_bytes;    /* 0: the plan's choice */
    const cq_sort_key *sorting; /* checked: a row out of order is an error */
    int32_t n_sorting;
    uint64_t memory_limit;      /* what the plan divides; 0: the limit of `mem` (a share of a budget) */
    const char *spill_dir;      /* where temporary files are made; copied */
    bool (*should_stop)(void *ctx); /* polled between pages; may be NULL */
    void *should_stop_ctx;
} cq_writer_opts;

static inline cq_codec_kind cq_writer_codec_of(const cq_writer_opts *o, int32_t i) { return o->codecs ? o->codecs[i] : o->codec; }

/* The limit of `mem` is the plan's memory limit. `schema` is copied. On failure nothing of the sink
 * is called. */
cq_status cq_writer_open(cq_writer **w, const cq_schema *schema, const cq_writer_opts *o, cq_sink sink, cq_mem *mem, cq_err *e) CQ_MUST_CHECK;

/* Any state; without a close before it the sink is aborted. NULL is nothing. */
void cq_writer_free(cq_writer *w);

const cq_plan *cq_writer_plan(const cq_writer *w);
const cq_schema *cq_writer_schema(const cq_writer *w);

/* Rows. */
cq_colbuf *cq_writer_column(cq_writer *w, int32_t i);
/* CQ_ESTATE unless every column has exactly one more value, or where the writer is due to settle;
 * CQ_EVALUE for a row out of order, CQ_ELIMIT for a sort key beyond its cap. On failure the row is
 * gone. (A row beyond max_row_bytes is refused by the put that passes it.) */
cq_status cq_writer_end_row(cq_writer *w, cq_err *e) CQ_MUST_CHECK;
void cq_writer_abort_row(cq_writer *w);
bool cq_writer_due(const cq_writer *w);
cq_status cq_writer_settle(cq_writer *w, cq_err *e) CQ_MUST_CHECK;

/* All rows or none of them where the error is in the data (it is checked first); a failure of
 * memory, spill file or sink in the middle, or an interrupt, makes the writer final. CQ_ESTATE
 * inside of a row. */
cq_status cq_writer_write_batch(cq_writer *w, const cq_batch *b, cq_err *e) CQ_MUST_CHECK;

/* The same for several batches, all or none of them: each is checked as if those checked since begin had been written,
 * then each is written, without further checks, in the same order and unchanged. begin: CQ_ESTATE inside of a row or
 * of an explicit group. check: the errors of cq_writer_write_batch, e->row is a row of this batch. end: always, after a
 * failed check too; any state. Between begin and end nothing else is done with the writer. write: any failure is final. */
cq_status cq_writer_begin_checks(cq_writer *w, cq_err *e) CQ_MUST_CHECK;
cq_status cq_writer_check_batch(cq_writer *w, const cq_batch *b, cq_err *e) CQ_MUST_CHECK;
void cq_writer_end_checks(cq_writer *w);
cq_status cq_writer_write_checked(cq_writer *w, const cq_batch *b, cq_err *e) CQ_MUST_CHECK;
/* For whoever has written some of the checked batches and cannot make the others: `e` is final, as a failure of write is. */
void cq_writer_give_up(cq_writer *w, const cq_err *e);

/* An explicit row group: begin closes the open group; end writes the group's bytes; rollback drops
 * every row since begin. Between them neither row_group_size nor row_group_bytes cuts. */
cq_status cq_writer_begin_group(cq_writer *w, cq_err *e) CQ_MUST_CHECK;
cq_status cq_writer_end_group(cq_writer *w, cq_err *e) CQ_MUST_CHECK;
void cq_writer_rollback_group(cq_writer *w);

/* Ends the open row group, if it has rows. */
cq_status cq_writer_flush_group(cq_writer *w, cq_err *e) CQ_MUST_CHECK;
/* Rows in the open group. */
int64_t cq_writer_group_rows(const cq_writer *w);

/* Ends the last group, writes indexes and footer, finishes the sink. The key-value metadata is
 * borrowed for the call. The writer can only be freed afterwards; its figures stay readable. */
cq_status cq_writer_close(cq_writer *w, const cq_kv *metadata, int32_t n_metadata, cq_err *e) CQ_MUST_CHECK;

typedef struct cq_writer_info {
    int64_t rows, row_groups;
    int64_t bytes_written;              /* given to the sink or buffered for it */
    uint64_t memory_used, memory_peak, memory_limit;
    uint64_t spilled_bytes;             /* ever written to temporary files */
    int64_t footer_bytes;
    bool closed, failed;
} cq_writer_info;
void cq_writer_get_info(const cq_writer *w, cq_writer_info *out);

typedef struct cq_column_info {
    int64_t values, nulls;
    int64_t compressed_bytes, uncompressed_bytes;  /* with page headers */
    int64_t pages_plain, pages_dict, pages_delta, pages_split; /* data pages by encoding; split: BYTE_STREAM_SPLIT */
    int64_t dict_pages;
} cq_column_info;
void cq_writer_get_column_info(const cq_writer *w, int32_t i, cq_column_info *out);

/* The sticky error of a failed writer; CQ_OK in the record otherwise. */
const cq_err *cq_writer_error(const cq_writer *w);

#endif
