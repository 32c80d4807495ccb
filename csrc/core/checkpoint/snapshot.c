/* The index pass over a binary snapshot (.bin, little endian): magic, from, to, and the levels of
 * the tree. Counts are compared with the bytes that are left before anything is done with them.
 *
 *     level = u32 n_metrics,  n x ( u16 len, name, i64 frequency, i64 start, u32 n_values, f32 ... )
 *             u32 n_children, n x ( u16 len, name, level )
 *
 * NaN of any bit pattern is a missing sample, so values need no look. */
#include "checkpoint/scan.h"

#include "base/bytes.h"

enum { METRIC_BYTES = 2 + 8 + 8 + 4, CHILD_BYTES = 2 + 4 + 4 }; /* the least that one takes */

/* `n` bytes in the window at s->p, or an error that names them. */
static cq_status need(cq_source *s, size_t n, const char *what, cq_err *e)
{
    bool ok;
    CQ_TRY(cq_source_need(s, n, &ok, e));
    return ok ? CQ_OK : cq_fail(e, CQ_EFORMAT, "the file ends inside %s", what);
}

static cq_status take_name(cq_scan *c, cq_buf *to, const char *what, cq_err *e)
{
    cq_source *s = &c->source;
    CQ_TRY(need(s, 2, what, e));
    size_t const n = cq_load16(s->p);
    if (n > cq_source_left(s) - 2) return cq_fail(e, CQ_EFORMAT, "%s of %zu bytes where %llu bytes are left", what, n, (unsigned long long)(cq_source_left(s) - 2));
    s->p += 2;
    CQ_TRY(need(s, n, what, e));
    CQ_TRY(cq_tree_name_check(cq_span_of(s->p, n), e));
    to->len = 0;
    CQ_TRY(cq_buf_append(to, s->p, n, e));
    s->p += n;
    return CQ_OK;
}

/* A count of things that take at least `least` bytes each. */
static cq_status take_count(cq_scan *c, uint32_t *n, uint32_t least, const char *what, cq_err *e)
{
    cq_source *s = &c->source;
    CQ_TRY(need(s, 4, "a count", e));
    *n = cq_load32(s->p);
    uint64_t const left = cq_source_left(s) - 4;
    if (*n > left / least)
        return cq_fail(e, CQ_EFORMAT, "%lu %s where %llu bytes are left", (unsigned long)*n, what, (unsigned long long)left);
    s->p += 4;
    return CQ_OK;
}

static cq_status take_metric(cq_scan *c, cq_err *e)
{
    cq_source *s = &c->source;
    uint32_t n;
    CQ_TRY(take_name(c, &c->metric, "the name of a metric", e));
    CQ_TRY(need(s, 16, "a metric", e));
    int64_t const at = cq_source_offset(s);
    int64_t const frequency = cq_wrap_i64(cq_load64(s->p)), start = cq_wrap_i64(cq_load64(s->p + 8));
    s->p += 16;
    CQ_TRY(take_count(c, &n, 4, "values", e));
    cq_status st = cq_scan_found(c, start, frequency, n, cq_source_offset(s), INT64_C(4) * n, e);
    if (st == CQ_EFORMAT) cq_err_where(e, at, -1, -1, -1);
    CQ_TRY(st);
    return cq_source_skip(s, UINT64_C(4) * n, e);
}

static cq_status take_metrics(cq_scan *c, cq_err *e)
{
    uint32_t n;
    CQ_TRY(take_count(c, &n, METRIC_BYTES, "metrics", e));
    for (; n > 0; n--) CQ_TRY(take_metric(c, e));
    return CQ_OK;
}

cq_status cq_scan_snapshot(cq_scan *c, cq_err *e)
{
    cq_source *s = &c->source;
    uint32_t children[CQ_MAX_TREE_DEPTH + 1]; /* still to come, at each depth of the path */
    CQ_TRY(need(s, 4, "the magic number", e));
    if (cq_load32(s->p) != CQ_SNAPSHOT_MAGIC)
        return cq_fail(e, CQ_EFORMAT, "not a snapshot: it begins with 0x%08lX, not 0x%08lX", (unsigned long)cq_load32(s->p), (unsigned long)CQ_SNAPSHOT_MAGIC);
    CQ_TRY(need(s, 20, "the header", e));
    c->info->from = cq_wrap_i64(cq_load64(s->p + 4));
    c->info->to = cq_wrap_i64(cq_load64(s->p + 12));
    c->info->has_from = c->info->has_to = true;
    s->p += 20;

    CQ_TRY(take_metrics(c, e));
    CQ_TRY(take_count(c, &children[0], CHILD_BYTES, "children", e));
    for (;;) {
        while (children[c->path.depth] == 0) {
            if (c->path.depth == 0) return CQ_OK;
            cq_tree_path_pop(&c->path);
        }
        children[c->path.depth]--;
        CQ_TRY(take_name(c, &c->key, "the name of a child", e));
        CQ_TRY(cq_tree_path_push(&c->path, cq_span_of(c->key.data, c->key.len), e));
        CQ_TRY(cq_series_index_add_node(c->index, cq_span_of(c->path.bytes.data, c->path.bytes.len), c->file, e));
        CQ_TRY(take_metrics(c, e));
        CQ_TRY(take_count(c, &children[c->path.depth], CHILD_BYTES, "children", e));
    }
}
