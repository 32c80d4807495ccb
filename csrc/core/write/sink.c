/* The sink that writes to a descriptor. Sinks of other kinds live with their owners: Python's in the
 * binding, buffers in the tests. */
#include "write/sink.h"

#include "base/file.h"

static cq_status fd_sink_write(void *ctx, const void *p, size_t n, cq_err *e)
{
    const cq_fd_sink *s = ctx;
    return cq_fd_write(s->fd, p, n, s->name, e);
}

cq_sink cq_fd_sink_as_sink(cq_fd_sink *s)
{
    cq_sink sink = {fd_sink_write, NULL, NULL, s};
    return sink;
}
