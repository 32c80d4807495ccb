/* Keys of series records, the scope rule, and the index with its check for duplicates. See
 * series.h.
 *
 * A record is a key and a payload. Key of a node: 1, path, file. Key of a series: 2, metric, 0,
 * scope, 0, scope id, 0, path, file. A path ends with a 0, a file number is 4 bytes, big end
 * first; so no key is a prefix of another. */
#include "checkpoint/series.h"

#include "base/bytes.h"
#include "base/utf8.h"

enum { KIND_NODE = 1, KIND_SERIES = 2 };
enum { FILE_BYTES = 4, PAYLOAD_BYTES = 40 };

void cq_tree_path_init(cq_tree_path *p, cq_mem *mem)
{
    p->name_bytes = 0;
    p->depth = 0;
    cq_buf_init(&p->bytes, mem);
}

void cq_tree_path_reset(cq_tree_path *p) { cq_buf_reset(&p->bytes); }

cq_status cq_tree_path_push(cq_tree_path *p, cq_span name, cq_err *e)
{
    if (p->depth == CQ_MAX_TREE_DEPTH) return cq_fail(e, CQ_EFORMAT, "children are nested more than %d levels deep", CQ_MAX_TREE_DEPTH);
    if (name.n > CQ_MAX_TREE_PATH_BYTES - p->name_bytes)
        return cq_fail(e, CQ_EFORMAT, "the names on a path have more than %d bytes", CQ_MAX_TREE_PATH_BYTES);
    CQ_TRY(cq_buf_reserve(&p->bytes, name.n + 2, e));
    p->starts[p->depth++] = p->bytes.len;
    cq_buf_put_byte(&p->bytes, 1);
    cq_buf_put(&p->bytes, name.p, name.n);
    cq_buf_put_byte(&p->bytes, 0);
    p->name_bytes += name.n;
    return CQ_OK;
}

void cq_tree_path_pop(cq_tree_path *p)
{
    size_t const start = p->starts[--p->depth];
    p->name_bytes -= p->bytes.len - start - 2;
    p->bytes.len = start;
}

bool cq_tree_path_next(cq_span path, size_t *at, cq_span *name)
{
    if (*at >= path.n) return false;
    const uint8_t *p = path.p + *at + 1;
    const uint8_t *end = memchr(p, 0, path.n - *at - 1);
    if (!end) return false;
    *name = cq_span_of(p, (size_t)(end - p));
    *at += name->n + 2;
    return true;
}

void cq_tree_path_scope(cq_span path, cq_span *scope, cq_span *scope_id)
{
    static const struct { const char *prefix, *scope; } known[] = {
        {"socket", "socket"}, {"memoryDomain", "memoryDomain"}, {"core", "core"},
        {"hwthread", "hwthread"}, {"cpu", "hwthread"}, {"accelerator", "accelerator"},
    };
    cq_span name = cq_span_of("node", 4);
    *scope_id = cq_span_of("", 0);
    if (path.n == 0) {
        *scope = name;
        return;
    }
    for (size_t at = 0; cq_tree_path_next(path, &at, &name);) {
    }
    *scope = name;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t const n = strlen(known[i].prefix);
        if (name.n > n && memcmp(name.p, known[i].prefix, n) == 0 && name.p[n] >= '0' && name.p[n] <= '9') {
            *scope = cq_span_of(known[i].scope, strlen(known[i].scope));
            *scope_id = cq_span_of(name.p + n, name.n - n);
            return;
        }
    }
}

cq_status cq_tree_name_check(cq_span name, cq_err *e)
{
    if (name.n && memchr(name.p, 0, name.n)) return cq_fail(e, CQ_EFORMAT, "a name with a NUL character in it");
    if (!cq_utf8_valid(name.p, name.n)) return cq_fail(e, CQ_EFORMAT, "a name that is not UTF-8");
    return CQ_OK;
}

cq_status cq_series_index_init(cq_series_index *ix, cq_mem *mem, const char *dir, cq_poll *poll, size_t window, uint32_t n_files, cq_err *e)
{
    memset(ix, 0, sizeof *ix);
    cq_extsort_init(&ix->sort, mem, dir, poll, window, 112);
    cq_buf_init(&ix->failed, mem);
    cq_buf_init(&ix->previous, mem);
    CQ_TRY(cq_buf_set_cap(&ix->failed, n_files, e));
    if (n_files) memset(ix->failed.data, 0, n_files);
    ix->failed.len = n_files;
    return CQ_OK;
}

void cq_series_index_reset(cq_series_index *ix)
{
    cq_extsort_reset(&ix->sort);
    cq_buf_reset(&ix->failed);
    cq_buf_reset(&ix->previous);
}

static uint8_t *put(uint8_t *p, cq_span s)
{
    if (s.n) memcpy(p, s.p, s.n);
    return p + s.n;
}

static uint8_t *put_text(uint8_t *p, cq_span s)
{
    p = put(p, s);
    *p = 0;
    return p + 1;
}

/* Path and file number. */
static uint8_t *put_place(uint8_t *p, cq_span path, uint32_t file)
{
    p = put_text(p, path);
    cq_store32(p, __builtin_bswap32(file));
    return p + FILE_BYTES;
}

cq_status cq_series_index_add(cq_series_index *ix, const cq_series *s, cq_err *e)
{
    cq_span scope, scope_id;
    uint8_t *p;
    cq_tree_path_scope(s->path, &scope, &scope_id);
    CQ_TRY(cq_extsort_add(&ix->sort, 1 + s->metric.n + 1 + scope.n + 1 + scope_id.n + 1 + s->path.n + 1 + FILE_BYTES + PAYLOAD_BYTES, &p, e));
    *p = KIND_SERIES;
    p = put_text(p + 1, s->metric);
    p = put_text(p, scope);
    p = put_text(p, scope_id);
    p = put_place(p, s->path, s->file);
    int64_t const numbers[PAYLOAD_BYTES / 8] = {s->start, s->frequency, cq_i64(s->n_values), s->offset, s->value_bytes};
    memcpy(p, numbers, sizeof numbers);
    return CQ_OK;
}

cq_status cq_series_index_add_node(cq_series_index *ix, cq_span path, uint32_t file, cq_err *e)
{
    uint8_t *p;
    CQ_TRY(cq_extsort_add(&ix->sort, 1 + path.n + 1 + FILE_BYTES, &p, e));
    *p = KIND_NODE;
    put_place(p + 1, path, file);
    return CQ_OK;
}

void cq_series_index_drop_file(cq_series_index *ix, uint32_t file) { ix->failed.data[file] = 1; }
bool cq_series_index_is_dropped(const cq_series_index *ix, uint32_t file) { return ix->failed.data[file] != 0; }

/* The record's parts; records are our own, so their shape is known to be right. */
static cq_span take_text(const uint8_t **p)
{
    cq_span const s = cq_span_of(*p, strlen((const char *)*p));
    *p += s.n + 1;
    return s;
}

static cq_span take_path(const uint8_t **p)
{
    const uint8_t *start = *p;
    while (**p == 1) take_text(p);
    cq_span const path = cq_span_of(start, (size_t)(*p - start));
    *p += 1;
    return path;
}

static uint32_t take_file(const uint8_t **p)
{
    uint32_t const file = __builtin_bswap32(cq_load32(*p));
    *p += FILE_BYTES;
    return file;
}

static void decode(cq_span record, cq_series *s)
{
    const uint8_t *p = record.p + 1;
    int64_t numbers[PAYLOAD_BYTES / 8];
    s->metric = take_text(&p);
    s->scope = take_text(&p);
    s->scope_id = take_text(&p);
    s->group = cq_span_of(record.p, (size_t)(p - record.p));
    s->path = take_path(&p);
    s->file = take_file(&p);
    memcpy(numbers, p, sizeof numbers);
    s->start = numbers[0];
    s->frequency = numbers[1];
    s->n_values = (uint64_t)numbers[2];
    s->offset = numbers[3];
    s->value_bytes = numbers[4];
}

static int shown(cq_span s) { return s.n > 60 ? 60 : cq_i32(cq_i64(s.n)); }

static void duplicate_error(cq_span record, cq_err *why)
{
    cq_status st;
    if (record.p[0] == KIND_NODE) {
        cq_span name = {0}, path = cq_span_of(record.p + 1, record.n - 1 - 1 - FILE_BYTES);
        for (size_t at = 0; cq_tree_path_next(path, &at, &name);) {
        }
        st = cq_fail(why, CQ_EFORMAT, "child '%.*s' is twice in one node", shown(name), (const char *)name.p);
    } else {
        cq_series s;
        decode(record, &s);
        st = cq_fail(why, CQ_EFORMAT, "metric '%.*s' is twice in one node", shown(s.metric), (const char *)s.metric.p);
    }
    (void)st;
}

cq_status cq_series_index_finish(cq_series_index *ix, void (*on_duplicate)(void *ctx, uint32_t file, const cq_err *why), void *ctx, cq_err *e)
{
    CQ_TRY(cq_extsort_finish(&ix->sort, e));
    for (;;) {
        cq_span r;
        CQ_TRY(cq_extsort_next(&ix->sort, &r, e));
        if (!r.p) break;
        size_t const n_key = r.n - (r.p[0] == KIND_NODE ? 0 : PAYLOAD_BYTES);
        const uint8_t *p = r.p + n_key - FILE_BYTES;
        uint32_t const file = take_file(&p);
        if (cq_series_index_is_dropped(ix, file)) continue;
        if (ix->previous.len == n_key && memcmp(ix->previous.data, r.p, n_key) == 0) {
            cq_err why;
            duplicate_error(r, &why);
            if (on_duplicate) on_duplicate(ctx, file, &why);
            cq_series_index_drop_file(ix, file);
            continue;
        }
        ix->previous.len = 0;
        CQ_TRY(cq_buf_append(&ix->previous, r.p, n_key, e));
    }
    cq_buf_reset(&ix->previous);
    return cq_extsort_rewind(&ix->sort, e);
}

cq_status cq_series_index_next(cq_series_index *ix, cq_series *s, bool *more, cq_err *e)
{
    for (;;) {
        cq_span r;
        CQ_TRY(cq_extsort_next(&ix->sort, &r, e));
        *more = r.p != NULL;
        if (!r.p) return CQ_OK;
        if (r.p[0] != KIND_SERIES) continue;
        decode(r, s);
        if (!cq_series_index_is_dropped(ix, s->file)) return CQ_OK;
    }
}

cq_status cq_series_index_rewind(cq_series_index *ix, cq_err *e) { return cq_extsort_rewind(&ix->sort, e); }
