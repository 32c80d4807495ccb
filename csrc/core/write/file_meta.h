/* Metadata of finished row groups, kept serialised in a spillable log, and the end of the file: all
 * column indexes, all offset indexes, the footer, each streamed from that log. Memory does not grow
 * with the number of groups.
 *
 * The log is a sequence of groups: a group record, then for each column a chunk record, the
 * serialised ColumnChunk without its index fields, and one cq_page_meta for each data page. */
#ifndef CQ_WRITE_FILE_META_H
#define CQ_WRITE_FILE_META_H

#include "base/spill.h"
#include "format/metadata.h"
#include "write/output.h"
#include "write/writer.h"

#define CQ_FILE_META_WINDOW 64 /* pages read at a time */

typedef struct cq_file_meta {
    cq_mem *mem;
    cq_spill log;
    cq_buf scratch;          /* thrift pieces */
    cq_page_meta *window;    /* pages of a chunk while its indexes are written */
    int64_t n_groups, n_rows;
    int64_t footer_bytes;
    /* the group and the chunk being added */
    int64_t group_at, chunk_at, n_pages;
    const cq_field *field;
    bool has_index, ascending, descending, has_last;
    cq_bound last_min, last_max;
} cq_file_meta;

cq_status cq_file_meta_open(cq_file_meta *m, const cq_schema *s, const cq_plan *plan, const char *spill_dir, cq_mem *mem, cq_err *e) CQ_MUST_CHECK;
void cq_file_meta_close(cq_file_meta *m);

typedef struct cq_group_meta {
    int64_t n_rows, file_offset, uncompressed_bytes, compressed_bytes;
} cq_group_meta;

/* In this order: begin, then for each column its pages, then the chunk, then end. */
cq_status cq_file_meta_begin_group(cq_file_meta *m, cq_err *e) CQ_MUST_CHECK;
cq_status cq_file_meta_begin_chunk(cq_file_meta *m, const cq_field *f, cq_err *e) CQ_MUST_CHECK;
cq_status cq_file_meta_add_page(cq_file_meta *m, const cq_page_meta *p, cq_err *e) CQ_MUST_CHECK;
cq_status cq_file_meta_end_chunk(cq_file_meta *m, const cq_chunk_meta *c, cq_err *e) CQ_MUST_CHECK;
cq_status cq_file_meta_end_group(cq_file_meta *m, const cq_group_meta *g, cq_err *e) CQ_MUST_CHECK;

typedef struct cq_footer {
    int32_t version;
    const cq_schema *schema;
    const cq_sort_key *sorting;
    int32_t n_sorting;
    const cq_kv *metadata;
    int32_t n_metadata;
} cq_footer;

/* Writes indexes, footer, footer length and magic. */
cq_status cq_file_meta_write_end(cq_file_meta *m, const cq_footer *f, cq_output *out, cq_err *e) CQ_MUST_CHECK;

#endif
