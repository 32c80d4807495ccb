/* The open row group: chunks whose pages are parked in a spillable log until the group ends, and the
 * splice that writes them column by column. Nothing of a group reaches the output before its
 * splice, so an open group can be dropped. */
#ifndef CQ_WRITE_ROW_GROUP_H
#define CQ_WRITE_ROW_GROUP_H

#include "base/spill.h"
#include "write/file_meta.h"
#include "write/output.h"
#include "write/page_write.h"

typedef struct cq_chunk {
    cq_colbuf col;
    int64_t head, tail;      /* log positions of the first and last parked page; -1: none */
    int64_t n_pages;
    cq_codec_kind codec;
    cq_chunk_meta meta;      /* sums over the parked pages; offsets are set by the splice */
    /* figures over all groups, for reports */
    int64_t all_slots, all_nulls, all_compressed, all_uncompressed;
    int64_t all_plain, all_dict, all_delta, all_split, all_dict_pages;
} cq_chunk;

typedef struct cq_row_group {
    cq_mem *mem;
    cq_chunk *chunks;
    int32_t n_chunks;
    int64_t n_rows;
    int64_t parked_bytes;    /* pages with headers */
    cq_spill pages;          /* cq_page_meta, header, body; page after page, columns mixed */
    cq_page_coder coder;
    cq_row_meter meter;
} cq_row_group;

/* Of the options profile and codecs are used; `level` is zstd's. `spill_dir` is borrowed while the group is open. */
cq_status cq_row_group_open(cq_row_group *g, const cq_schema *s, const cq_plan *plan, const cq_writer_opts *o, int32_t level,
                            const char *spill_dir, cq_mem *mem, cq_err *e) CQ_MUST_CHECK;
void cq_row_group_close(cq_row_group *g);

/* Encodes and parks the open page of a column, which has rows, and no unfinished one. Repeatable after
 * a failure. `continues`: the page is full and the chunk goes on. What is left of the page when its
 * dictionary was full stays in the builder, which may be full again. */
cq_status cq_row_group_cut_page(cq_row_group *g, int32_t column, bool continues, cq_err *e) CQ_MUST_CHECK;

/* Writes the group, all of whose pages are parked, to the output and its metadata to the log, and begins a new one. Any
 * failure is final for the file. */
cq_status cq_row_group_splice(cq_row_group *g, cq_output *out, cq_file_meta *meta, cq_err *e) CQ_MUST_CHECK;

/* Forgets the open group's rows and pages. */
void cq_row_group_drop(cq_row_group *g);

#endif
