/* Gathering writes in front of a sink: see output.h. */
#include "write/output.h"

cq_status cq_output_open(cq_output *o, cq_sink sink, size_t buffer_bytes, cq_mem *mem, cq_err *e)
{
    memset(o, 0, sizeof *o);
    o->sink = sink;
    cq_buf_init(&o->buf, mem);
    return cq_buf_set_cap(&o->buf, buffer_bytes, e);
}

static cq_status give(cq_output *o, const void *p, size_t n, cq_err *e)
{
    if (o->failed) return cq_fail(e, CQ_ESTATE, "the output failed before");
    cq_status const st = n ? o->sink.write(o->sink.ctx, p, n, e) : CQ_OK;
    if (st != CQ_OK) o->failed = true;
    return st;
}

static cq_status flush(cq_output *o, cq_err *e)
{
    CQ_TRY(give(o, o->buf.data, o->buf.len, e));
    o->buf.len = 0;
    return CQ_OK;
}

cq_status cq_output_write(cq_output *o, const void *p, size_t n, cq_err *e)
{
    if (o->failed) return cq_fail(e, CQ_ESTATE, "the output failed before");
    if (n > o->buf.cap - o->buf.len) CQ_TRY(flush(o, e));
    if (n >= o->buf.cap)
        CQ_TRY(give(o, p, n, e));
    else
        cq_buf_put(&o->buf, p, n);
    o->position += (int64_t)n;
    return CQ_OK;
}

cq_status cq_output_finish(cq_output *o, cq_err *e)
{
    CQ_TRY(flush(o, e));
    o->ended = true;
    cq_status const st = o->sink.finish ? o->sink.finish(o->sink.ctx, e) : CQ_OK;
    if (st != CQ_OK) o->failed = true;
    return st;
}

void cq_output_close(cq_output *o)
{
    if (!o->buf.mem) return;
    if (!o->ended && o->sink.abort) o->sink.abort(o->sink.ctx);
    o->ended = true;
    cq_buf_reset(&o->buf);
}
