/* The output: a sink behind a small buffer, with the count of bytes, which is the position in the
 * file. Small pieces (headers, index entries) are gathered, large ones go through. The first
 * failure is kept: nothing is written after it. */
#ifndef CQ_WRITE_OUTPUT_H
#define CQ_WRITE_OUTPUT_H

#include "base/buf.h"
#include "write/sink.h"

typedef struct cq_output {
    cq_sink sink;
    cq_buf buf;
    int64_t position;    /* bytes given to cq_output_write */
    bool failed, ended;  /* ended: finish or abort was called */
} cq_output;

cq_status cq_output_open(cq_output *o, cq_sink sink, size_t buffer_bytes, cq_mem *mem, cq_err *e) CQ_MUST_CHECK;
cq_status cq_output_write(cq_output *o, const void *p, size_t n, cq_err *e) CQ_MUST_CHECK;
/* Flushes and finishes the sink. */
cq_status cq_output_finish(cq_output *o, cq_err *e) CQ_MUST_CHECK;
/* Aborts the sink unless it has ended; frees the buffer. */
void cq_output_close(cq_output *o);

#endif
