/* What the index passes of all formats have in common: choosing the scanner, the hash, the bytes
 * behind the tree, and the check that the file stayed the same. */
#include "checkpoint/scan.h"

#include "base/bytes.h"

static bool ends_with(const char *s, const char *end)
{
    size_t const n = strlen(s), n_end = strlen(end);
    return n >= n_end && memcmp(s + n - n_end, end, n_end) == 0;
}

cq_checkpoint_kind cq_checkpoint_kind_of(const char *name)
{
    if (ends_with(name, ".json")) return CQ_CHECKPOINT_JSON;
    if (ends_with(name, ".bin")) return CQ_CHECKPOINT_SNAPSHOT;
    if (ends_with(name, ".wal")) return CQ_CHECKPOINT_WAL;
    return CQ_CHECKPOINT_UNKNOWN;
}

cq_status cq_scan_init(cq_scan *c, cq_mem *mem, cq_poll *poll, size_t window, cq_series_index *index, cq_err *e)
{
    memset(c, 0, sizeof *c);
    CQ_TRY(cq_source_init(&c->source, mem, window, e));
    c->source.poll = poll;
    c->index = index;
    cq_tree_path_init(&c->path, mem);
    cq_buf_init(&c->metric, mem);
    cq_buf_init(&c->key, mem);
    return CQ_OK;
}

void cq_scan_reset(cq_scan *c)
{
    cq_source_reset(&c->source);
    cq_tree_path_reset(&c->path);
    cq_buf_reset(&c->metric);
    cq_buf_reset(&c->key);
}

cq_status cq_scan_found(cq_scan *c, int64_t start, int64_t frequency, uint64_t n_values, int64_t offset, int64_t value_bytes, cq_err *e)
{
    int64_t span, end;
    if (frequency <= 0) return cq_fail(e, CQ_EFORMAT, "a frequency of %lld, it must be above 0", (long long)frequency);
    if (!cq_mul_i64(cq_i64(n_values), frequency, &span) || !cq_add_i64(start, span, &end))
        return cq_fail(e, CQ_EFORMAT, "the times of a series go beyond 64 bits");
    cq_series const s = {
        .metric = cq_span_of(c->metric.data, c->metric.len),
        .path = cq_span_of(c->path.bytes.data, c->path.bytes.len),
        .file = c->file,
        .start = start,
        .frequency = frequency,
        .n_values = n_values,
        .offset = offset,
        .value_bytes = value_bytes,
    };
    c->info->n_series++;
    c->info->n_values += n_values;
    return cq_series_index_add(c->index, &s, e);
}

static cq_status find_kind(cq_scan *c, cq_err *e)
{
    bool ok;
    c->info->kind = CQ_CHECKPOINT_JSON; /* whose scanner has a message for anything */
    CQ_TRY(cq_source_need(&c->source, 4, &ok, e));
    if (!ok) return CQ_OK;
    if (cq_load32(c->source.p) == CQ_SNAPSHOT_MAGIC) c->info->kind = CQ_CHECKPOINT_SNAPSHOT;
    if (cq_load32(c->source.p) == CQ_WAL_MAGIC) c->info->kind = CQ_CHECKPOINT_WAL;
    return CQ_OK;
}

static cq_status scan_tree(cq_scan *c, cq_err *e)
{
    if (c->info->id.size == 0) return cq_fail(e, CQ_EFORMAT, "the file is empty");
    if (c->info->kind == CQ_CHECKPOINT_UNKNOWN) CQ_TRY(find_kind(c, e));
    if (c->info->kind == CQ_CHECKPOINT_WAL) return cq_fail(e, CQ_EUNSUPPORTED, "write-ahead logs (current.wal) are not implemented; .json and .bin are");
    return c->info->kind == CQ_CHECKPOINT_JSON ? cq_scan_json(c, e) : cq_scan_snapshot(c, e);
}

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* Reads the rest for the hash. White space right behind a JSON tree is part of it. */
static cq_status read_rest(cq_scan *c, cq_err *e)
{
    cq_source *s = &c->source;
    bool white = c->info->kind == CQ_CHECKPOINT_JSON;
    for (;;) {
        while (white && s->p < s->end && is_space(*s->p)) s->p++;
        if (s->p < s->end) white = false;
        if (!white) break;
        CQ_TRY(cq_source_fill(s, e));
        if (s->p == s->end) break;
    }
    c->info->trailing_bytes = cq_source_left(s);
    return cq_source_skip(s, c->info->trailing_bytes, e);
}

cq_status cq_scan_file(cq_scan *c, int fd, const char *name, uint32_t file, cq_checkpoint_info *info, cq_err *e)
{
    cq_xxh64_state hash;
    cq_file_id now;
    cq_xxh64_init(&hash, 0);
    c->file = file;
    c->info = info;
    c->json_depth = 0;
    c->path.depth = 0;
    c->path.name_bytes = c->path.bytes.len = 0;
    c->metric.len = c->key.len = 0;
    cq_source_aim(&c->source, fd, name, 0, info->id.size);
    c->source.hash = &hash;

    cq_status st = scan_tree(c, e);
    if (st == CQ_EFORMAT) cq_err_where(e, cq_source_offset(&c->source), -1, -1, -1);
    if (st == CQ_OK) st = read_rest(c, e);
    c->source.hash = NULL;
    CQ_TRY(st);
    info->xxh64 = cq_xxh64_digest(&hash);
    CQ_TRY(cq_file_identify(fd, name, &now, e));
    if (!cq_file_id_equal(&now, &info->id)) return cq_fail(e, CQ_ECHANGED, "the file changed while it was read");
    return CQ_OK;
}
