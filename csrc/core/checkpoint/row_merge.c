/* The merge of an output series' sources, and the batches it leaves as. See row_merge.h.
 *
 * A value that is NaN is no sample and never wins over another file's, so it is dropped where it
 * is met. Times never overflow: the index pass checked start + n * frequency. */
#include "checkpoint/row_merge.h"

#include "base/bytes.h"

#include <assert.h>

enum {
    MIN_WINDOW = 64,    /* values */
    DIRECT_ROWS = 128,  /* fewer rows are gathered with their neighbours */
    WIDE_KEY = 20,      /* time, rank, file number: big end first */
    WIDE_BYTES = 32     /* key, frequency, value */
};

cq_status cq_row_merge_init(cq_row_merge *m, cq_mem *mem, const char *dir, cq_poll *poll, cq_value_reader *reader, cq_row_sink sink, cq_span cluster, cq_span hostname,
                            size_t value_window, size_t max_sources, size_t wide_window, cq_err *e)
{
    memset(m, 0, sizeof *m);
    m->mem = mem;
    m->reader = reader;
    m->sink = sink;
    m->value_window = value_window;
    m->max_sources = max_sources;
    cq_buf *const buffers[] = {&m->group, &m->path, &m->sources, &m->heap, &m->times, &m->free_windows};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) cq_buf_init(buffers[i], mem);
    cq_extsort_init(&m->wide, mem, dir, poll, wide_window, WIDE_BYTES);
    m->columns[CQ_ROW_CLUSTER] = cq_vec_const(CQ_STRING, cluster);
    m->columns[CQ_ROW_HOSTNAME] = cq_vec_const(CQ_STRING, hostname);
    void *p = NULL;
    cq_status st = cq_mem_alloc(mem, value_window, "the value windows", &p, e);
    m->values = p;
    if (st == CQ_OK) {
        p = NULL;
        st = cq_mem_alloc(mem, CQ_ROW_BATCH * (2 * sizeof(int64_t) + sizeof(float)), "a batch of rows", &p, e);
        m->out_time = p;
    }
    if (st != CQ_OK) {
        cq_row_merge_reset(m);
        return st;
    }
    m->out_frequency = m->out_time + CQ_ROW_BATCH;
    m->out_value = (float *)(void *)(m->out_frequency + CQ_ROW_BATCH);
    return CQ_OK;
}

void cq_row_merge_reset(cq_row_merge *m)
{
    if (!m->mem) return;
    cq_buf_reset(&m->group);
    cq_buf_reset(&m->path);
    cq_buf_reset(&m->sources);
    cq_buf_reset(&m->heap);
    cq_buf_reset(&m->times);
    cq_buf_reset(&m->free_windows);
    cq_extsort_reset(&m->wide);
    if (m->values) cq_mem_free(m->mem, m->values, m->value_window);
    if (m->out_time) cq_mem_free(m->mem, m->out_time, CQ_ROW_BATCH * (2 * sizeof(int64_t) + sizeof(float)));
    memset(m, 0, sizeof *m);
}

static cq_row_source *sources_of(const cq_row_merge *m) { return (cq_row_source *)(void *)m->sources.data; }
static size_t n_sources(const cq_row_merge *m) { return m->sources.len / sizeof(cq_row_source); }

/* Batches. */

static cq_status send(cq_row_merge *m, size_t n, cq_vec time, cq_vec frequency, const float *values, cq_err *e)
{
    m->columns[CQ_ROW_TIMESTAMP] = time;
    m->columns[CQ_ROW_FREQUENCY] = frequency;
    m->columns[CQ_ROW_VALUE] = cq_vec_flat(CQ_FLOAT32, values, NULL);
    cq_batch const b = {.n_rows = cq_i64(n), .columns = m->columns};
    m->n_rows += b.n_rows;
    m->emitted = true;
    return m->sink.batch(m->sink.ctx, &b, e);
}

static cq_vec constant_frequency(const int64_t *f) { return cq_vec_const(CQ_INT64, cq_span_of(f, sizeof *f)); }

static cq_status flush(cq_row_merge *m, cq_err *e)
{
    size_t const n = m->n_out;
    if (n == 0) return CQ_OK;
    m->n_out = 0;
    int64_t const first = m->out_frequency[0];
    int64_t differs = 0;
    for (size_t i = 1; i < n; i++) differs |= m->out_frequency[i] ^ first;
    return send(m, n, cq_vec_flat(CQ_INT64, m->out_time, NULL),
                differs ? cq_vec_flat(CQ_INT64, m->out_frequency, NULL) : constant_frequency(m->out_frequency), m->out_value, e);
}

static cq_status put_row(cq_row_merge *m, int64_t time, int64_t frequency, float value, cq_err *e)
{
    if (m->n_out == CQ_ROW_BATCH) CQ_TRY(flush(m, e));
    m->out_time[m->n_out] = time;
    m->out_frequency[m->n_out] = frequency;
    m->out_value[m->n_out] = value;
    m->n_out++;
    return CQ_OK;
}

static bool has_nan(const float *v, size_t n)
{
    unsigned found = 0;
    for (size_t i = 0; i < n; i++) found |= v[i] != v[i];
    return found != 0;
}

/* `n` rows of one source, n <= CQ_ROW_BATCH. */
static cq_status put_rows(cq_row_merge *m, int64_t time, int64_t frequency, const float *v, size_t n, cq_err *e)
{
    if (n >= DIRECT_ROWS && !has_nan(v, n)) {
        CQ_TRY(flush(m, e));
        return send(m, n, cq_vec_ramp(time, frequency), constant_frequency(&frequency), v, e);
    }
    if (n > CQ_ROW_BATCH - m->n_out) CQ_TRY(flush(m, e));
    size_t k = m->n_out;
    for (size_t i = 0; i < n; i++) {
        m->out_time[k] = time + cq_i64(i) * frequency;
        m->out_frequency[k] = frequency;
        m->out_value[k] = v[i];
        k += v[i] == v[i];
    }
    m->n_out = k;
    return CQ_OK;
}

/* The heap of sources. */

typedef struct merge_heap {
    cq_row_source *src;
    uint32_t *at;
    size_t n;
    size_t window; /* values of one source's window */
} merge_heap;

static bool is_before(const cq_row_source *a, const cq_row_source *b)
{
    if (a->time != b->time) return a->time < b->time;
    if (a->rank != b->rank) return a->rank < b->rank;
    return a->cursor.file < b->cursor.file;
}

static void sift_down(merge_heap *h, size_t i)
{
    uint32_t const x = h->at[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->n) break;
        if (child + 1 < h->n && is_before(&h->src[h->at[child + 1]], &h->src[h->at[child]])) child++;
        if (!is_before(&h->src[h->at[child]], &h->src[x])) break;
        h->at[i] = h->at[child];
        i = child;
    }
    h->at[i] = x;
}

/* The one that comes next when the first has been moved on. */
static const cq_row_source *second(const merge_heap *h)
{
    const cq_row_source *a = &h->src[h->at[1]];
    if (h->n == 2) return a;
    const cq_row_source *b = &h->src[h->at[2]];
    return is_before(b, a) ? b : a;
}

static cq_status load(cq_row_merge *m, const merge_heap *h, cq_row_source *s, cq_err *e)
{
    if (s->at < s->n) return CQ_OK;
    if (!s->window) {
        assert(m->free_windows.len > 0); /* sources that hold one overlap in time */
        m->free_windows.len -= sizeof s->window;
        memcpy(&s->window, m->free_windows.data + m->free_windows.len, sizeof s->window);
    }
    uint64_t const n = s->cursor.left < h->window ? s->cursor.left : h->window;
    s->at = 0;
    s->n = cq_u32(n);
    return cq_value_read(m->reader, &s->cursor, s->window, (size_t)n, e);
}

/* The first source has given `n` rows. */
static void move_on(cq_row_merge *m, merge_heap *h, size_t n)
{
    cq_row_source *s = &h->src[h->at[0]];
    s->time += cq_i64(n) * s->frequency;
    s->at += cq_u32(n);
    if (s->at == s->n && s->cursor.left == 0) {
        cq_buf_put(&m->free_windows, &s->window, sizeof s->window);
        h->at[0] = h->at[--h->n];
    }
    if (h->n > 0) sift_down(h, 0);
}

static void sort_times(int64_t *a, size_t n)
{
    for (size_t gap = n / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11)
        for (size_t i = gap; i < n; i++) {
            int64_t const x = a[i];
            size_t k = i;
            for (; k >= gap && a[k - gap] > x; k -= gap) a[k] = a[k - gap];
            a[k] = x;
        }
}

/* How many sources have their first and last row around one time, at most. */
static cq_status max_overlap(cq_row_merge *m, size_t *overlap, cq_err *e)
{
    size_t const n = n_sources(m);
    *overlap = n;
    if (n * CQ_ROW_BATCH * sizeof(float) <= m->value_window) return CQ_OK;
    m->times.len = 0;
    CQ_TRY(cq_buf_reserve(&m->times, 2 * n * sizeof(int64_t), e));
    int64_t *starts = (int64_t *)(void *)m->times.data, *ends = starts + n;
    for (size_t i = 0; i < n; i++) {
        starts[i] = sources_of(m)[i].time;
        ends[i] = sources_of(m)[i].last;
    }
    sort_times(starts, n);
    sort_times(ends, n);
    size_t open = 0, closed = 0, most = 0;
    while (open < n) {
        if (starts[open] <= ends[closed]) {
            open++;
            most = cq_max_size(most, open - closed);
        } else {
            closed++;
        }
    }
    *overlap = most;
    return CQ_OK;
}

static cq_status start_heap(cq_row_merge *m, merge_heap *h, size_t overlap, cq_err *e)
{
    size_t const n = n_sources(m);
    h->src = sources_of(m);
    h->n = n;
    h->window = cq_min_size(m->value_window / sizeof(float) / overlap, CQ_ROW_BATCH);
    m->heap.len = m->free_windows.len = 0;
    CQ_TRY(cq_buf_reserve(&m->heap, n * sizeof(uint32_t), e));
    CQ_TRY(cq_buf_reserve(&m->free_windows, overlap * sizeof(float *), e));
    h->at = (uint32_t *)(void *)m->heap.data;
    for (size_t i = overlap; i-- > 0;) {
        float *window = m->values + i * h->window;
        cq_buf_put(&m->free_windows, &window, sizeof window);
    }
    for (size_t i = 0; i < n; i++) h->at[i] = cq_u32(i);
    for (size_t i = n / 2; i-- > 0;) sift_down(h, i);
    return CQ_OK;
}

/* Rows of the first source with its path and time, the latest sample of them. */
static cq_status put_tie(cq_row_merge *m, merge_heap *h, cq_err *e)
{
    int64_t const time = h->src[h->at[0]].time;
    uint64_t const rank = h->src[h->at[0]].rank;
    int64_t frequency = 0;
    float value = 0;
    bool found = false;
    while (h->n > 0) {
        cq_row_source *s = &h->src[h->at[0]];
        if (s->time != time || s->rank != rank) break;
        CQ_TRY(load(m, h, s, e));
        float const v = s->window[s->at];
        if (v == v) {
            found = true;
            value = v;
            frequency = s->frequency;
        }
        move_on(m, h, 1);
    }
    return found ? put_row(m, time, frequency, value, e) : CQ_OK;
}

static cq_status merge_direct(cq_row_merge *m, size_t overlap, cq_err *e)
{
    merge_heap h;
    CQ_TRY(start_heap(m, &h, overlap, e));
    while (h.n > 0) {
        cq_row_source *s = &h.src[h.at[0]];
        CQ_TRY(load(m, &h, s, e));
        uint64_t n = s->n - s->at;
        if (h.n > 1) {
            int64_t const until = second(&h)->time;
            if (until == s->time) {
                CQ_TRY(put_tie(m, &h, e));
                continue;
            }
            uint64_t const rows = ((uint64_t)until - (uint64_t)s->time - 1) / (uint64_t)s->frequency + 1;
            if (rows < n) n = rows;
        }
        CQ_TRY(put_rows(m, s->time, s->frequency, s->window + s->at, (size_t)n, e));
        move_on(m, &h, (size_t)n);
    }
    return CQ_OK;
}

/* Series with too many sources. */

static void store64_big(uint8_t *p, uint64_t v) { cq_store64(p, __builtin_bswap64(v)); }
static uint64_t load64_big(const uint8_t *p) { return __builtin_bswap64(cq_load64(p)); }

#define SIGN (UINT64_C(1) << 63) /* flipped, so that negative times come first */

static cq_status spread(cq_row_merge *m, cq_row_source *s, cq_err *e)
{
    while (s->cursor.left > 0) {
        uint64_t const room = m->value_window / sizeof(float);
        size_t const n = (size_t)(s->cursor.left < room ? s->cursor.left : room);
        CQ_TRY(cq_value_read(m->reader, &s->cursor, m->values, n, e));
        for (size_t i = 0; i < n; i++, s->time += s->frequency) {
            float const v = m->values[i];
            uint8_t *p;
            if (v != v) continue;
            CQ_TRY(cq_extsort_add(&m->wide, WIDE_BYTES, &p, e));
            store64_big(p, (uint64_t)s->time ^ SIGN);
            store64_big(p + 8, s->rank);
            cq_store32(p + 16, __builtin_bswap32(s->cursor.file));
            cq_store64(p + 20, (uint64_t)s->frequency);
            memcpy(p + 28, &v, 4);
        }
    }
    return CQ_OK;
}

static cq_status spread_all(cq_row_merge *m, cq_err *e)
{
    m->is_wide = true;
    for (size_t i = 0; i < n_sources(m); i++) CQ_TRY(spread(m, &sources_of(m)[i], e));
    m->sources.len = 0;
    return CQ_OK;
}

static cq_status merge_wide(cq_row_merge *m, cq_err *e)
{
    uint8_t row[WIDE_BYTES];
    bool have = false;
    CQ_TRY(spread_all(m, e));
    CQ_TRY(cq_extsort_finish(&m->wide, e));
    for (;;) {
        cq_span r;
        CQ_TRY(cq_extsort_next(&m->wide, &r, e));
        /* Later files come later: the last of equal time and path stays. */
        if (have && (!r.p || memcmp(row, r.p, 16) != 0)) {
            float v;
            memcpy(&v, row + 28, 4);
            CQ_TRY(put_row(m, cq_wrap_i64(load64_big(row) ^ SIGN), cq_wrap_i64(cq_load64(row + 20)), v, e));
        }
        if (!r.p) break;
        memcpy(row, r.p, WIDE_BYTES);
        have = true;
    }
    cq_extsort_clear(&m->wide);
    return CQ_OK;
}

/* Series by series. */

static cq_status close_series(cq_row_merge *m, cq_err *e)
{
    if (!m->is_open) return CQ_OK;
    m->is_open = false;
    if (m->is_wide) {
        CQ_TRY(merge_wide(m, e));
    } else if (n_sources(m) > 0) {
        size_t overlap;
        CQ_TRY(max_overlap(m, &overlap, e));
        if (overlap * MIN_WINDOW * sizeof(float) > m->value_window) CQ_TRY(merge_wide(m, e));
        else CQ_TRY(merge_direct(m, overlap, e));
    }
    CQ_TRY(flush(m, e));
    return m->emitted && m->sink.series_end ? m->sink.series_end(m->sink.ctx, e) : CQ_OK;
}

static cq_span copy_of(cq_span part, cq_span whole, const cq_buf *copy)
{
    return cq_span_of(copy->data + (part.p - whole.p), part.n);
}

static cq_status open_series(cq_row_merge *m, const cq_series *s, cq_err *e)
{
    m->group.len = m->path.len = m->sources.len = 0;
    CQ_TRY(cq_buf_append(&m->group, s->group.p, s->group.n, e));
    m->columns[CQ_ROW_METRIC] = cq_vec_const(CQ_STRING, copy_of(s->metric, s->group, &m->group));
    m->columns[CQ_ROW_SCOPE] = cq_vec_const(CQ_STRING, copy_of(s->scope, s->group, &m->group));
    m->columns[CQ_ROW_SCOPE_ID] = cq_vec_const(CQ_STRING, copy_of(s->scope_id, s->group, &m->group));
    m->rank = 0;
    m->is_open = true;
    m->is_wide = m->emitted = false;
    return CQ_OK;
}

cq_status cq_row_merge_add(cq_row_merge *m, const cq_series *s, cq_err *e)
{
    if (!m->is_open || m->group.len != s->group.n || memcmp(m->group.data, s->group.p, s->group.n) != 0) {
        CQ_TRY(close_series(m, e));
        CQ_TRY(open_series(m, s, e));
    }
    if (m->path.len != s->path.n || (s->path.n && memcmp(m->path.data, s->path.p, s->path.n) != 0)) {
        m->rank++;
        m->path.len = 0;
        CQ_TRY(cq_buf_append(&m->path, s->path.p, s->path.n, e));
    }
    if (s->n_values == 0) return CQ_OK;
    cq_row_source src = {
        .time = s->start,
        .frequency = s->frequency,
        .last = s->start + cq_i64(s->n_values - 1) * s->frequency,
        .rank = m->rank,
        .cursor = cq_value_cursor_of(s),
    };
    if (!m->is_wide && n_sources(m) == m->max_sources) CQ_TRY(spread_all(m, e));
    if (m->is_wide) return spread(m, &src, e);
    return cq_buf_append(&m->sources, &src, sizeof src, e);
}

cq_status cq_row_merge_finish(cq_row_merge *m, cq_err *e) { return close_series(m, e); }
