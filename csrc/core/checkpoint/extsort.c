/* The external sorter: quicksort over eight bytes at a time in memory, k-way merges of runs. See
 * extsort.h.
 *
 * A record is kept as a 32-bit length and its bytes, in memory and in the log. Runs at the end of
 * the list that have the same level are merged into one of the next level as soon as there are as
 * many as buffers, so the list stays short and a record is written once per level. */
#include "checkpoint/extsort.h"

#include "base/bytes.h"

#define LEN 4u                        /* the length field */
#define MIN_READ ((size_t)4096)       /* of a run's read buffer */
#define MAX_READ ((size_t)256 << 10)
#define MAX_FAN_IN 4096u
#define FEW 12u                       /* records sorted by insertion */

typedef struct entry {
    uint64_t word;   /* eight bytes of the record from the depth of the sort, first byte on top */
    uint32_t offset; /* of the bytes in `records` */
    uint32_t n;
} entry;

void cq_extsort_init(cq_extsort *s, cq_mem *mem, const char *dir, cq_poll *poll, size_t window, size_t typical)
{
    memset(s, 0, sizeof *s);
    s->mem = mem;
    s->dir = dir;
    s->poll = poll;
    s->entries_cap = window / (typical + LEN + sizeof(entry)) * sizeof(entry);
    s->records_cap = cq_min_size(window - s->entries_cap, (size_t)1 << 30);
    s->max_record = s->records_cap / 2 - LEN; /* a merge holds two at least */
    s->random = 2463534242u;
    cq_buf_init(&s->records, mem);
    cq_buf_init(&s->entries, mem);
    cq_buf_init(&s->runs, mem);
    cq_buf_init(&s->readers, mem);
    cq_buf_init(&s->heap, mem);
}

void cq_extsort_reset(cq_extsort *s)
{
    cq_buf_reset(&s->records);
    cq_buf_reset(&s->entries);
    cq_buf_reset(&s->runs);
    cq_buf_reset(&s->readers);
    cq_buf_reset(&s->heap);
    if (s->log_open) cq_spill_close(&s->log);
    s->log_open = false;
}

void cq_extsort_clear(cq_extsort *s)
{
    s->records.len = s->entries.len = s->runs.len = 0;
    s->n_records = 0;
    s->next = 0;
    s->merging = s->started = false;
    if (s->log_open) cq_spill_clear(&s->log);
}

uint64_t cq_extsort_spilled(const cq_extsort *s) { return s->log_open ? s->log.written : 0; }

static entry *entries_of(const cq_extsort *s) { return (entry *)(void *)s->entries.data; }
static cq_run *runs_of(const cq_extsort *s) { return (cq_run *)(void *)s->runs.data; }
static cq_run_reader *readers_of(const cq_extsort *s) { return (cq_run_reader *)(void *)s->readers.data; }
static uint32_t *heap_of(const cq_extsort *s) { return (uint32_t *)(void *)s->heap.data; }

/* Sorting in memory. */

static uint64_t word_at(const uint8_t *p, size_t n, size_t depth)
{
    uint8_t w[8] = {0};
    if (depth >= n) return 0;
    if (n - depth >= 8) return __builtin_bswap64(cq_load64(p + depth));
    memcpy(w, p + depth, n - depth);
    return __builtin_bswap64(cq_load64(w));
}

static int compare_bytes(const uint8_t *a, size_t n_a, const uint8_t *b, size_t n_b)
{
    int const c = memcmp(a, b, cq_min_size(n_a, n_b));
    return c != 0 ? c : (n_a > n_b) - (n_a < n_b);
}

static void insertion_sort(const uint8_t *base, entry *a, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        entry const x = a[i];
        size_t k = i;
        for (; k > 0; k--) {
            const entry *y = &a[k - 1];
            if (x.word > y->word) break;
            if (x.word == y->word && compare_bytes(base + y->offset, y->n, base + x.offset, x.n) <= 0) break;
            a[k] = *y;
        }
        a[k] = x;
    }
}

static void swap_entries(entry *a, entry *b)
{
    entry const t = *a;
    *a = *b;
    *b = t;
}

/* A pivot drawn at random: no input is slow. */
static uint64_t draw_pivot(cq_extsort *s, const entry *a, size_t n)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 17;
    s->random ^= s->random << 5;
    uint64_t const x = a[0].word, y = a[s->random % n].word, z = a[n - 1].word;
    uint64_t const low = x < y ? x : y, high = x < y ? y : x;
    return z < low ? low : z > high ? high : z;
}

/* All records are equal in their first `depth` bytes, and `word` is loaded from there. */
static void sort_entries(cq_extsort *s, entry *a, size_t n, size_t depth)
{
    const uint8_t *base = s->records.data;
    while (n > FEW) {
        uint64_t const pivot = draw_pivot(s, a, n);
        size_t low = 0, at = 0, high = n; /* [0, low) below, [low, at) equal, [high, n) above */
        while (at < high) {
            if (a[at].word < pivot) swap_entries(&a[low++], &a[at++]);
            else if (a[at].word > pivot) swap_entries(&a[at], &a[--high]);
            else at++;
        }
        bool more = false;
        for (size_t i = low; i < high; i++) more |= a[i].n > depth + 8;
        if (more)
            for (size_t i = low; i < high; i++) a[i].word = word_at(base + a[i].offset, a[i].n, depth + 8);
        size_t const n_equal = more ? high - low : 0, n_above = n - high;
        /* The largest part goes round the loop, so the recursion is no deeper than log2(n). */
        if (n_equal >= low && n_equal >= n_above) {
            sort_entries(s, a, low, depth);
            sort_entries(s, a + high, n_above, depth);
            a += low;
            n = n_equal;
            depth += 8;
        } else if (low >= n_above) {
            sort_entries(s, a + low, n_equal, depth + 8);
            sort_entries(s, a + high, n_above, depth);
            n = low;
        } else {
            sort_entries(s, a + low, n_equal, depth + 8);
            sort_entries(s, a, low, depth);
            a += high;
            n = n_above;
        }
    }
    insertion_sort(base, a, n);
}

static void sort_window(cq_extsort *s)
{
    entry *a = entries_of(s);
    size_t const n = s->entries.len / sizeof *a;
    for (size_t i = 0; i < n; i++) a[i].word = word_at(s->records.data + a[i].offset, a[i].n, 0);
    sort_entries(s, a, n, 0);
}

/* Runs and their merge. */

static size_t read_bytes(const cq_extsort *s) { return cq_max_size(MIN_READ, s->largest + LEN); }

static uint32_t fan_in(const cq_extsort *s)
{
    size_t const n = s->records_cap / read_bytes(s);
    return cq_u32(cq_min_size(cq_max_size(n, 2), MAX_FAN_IN));
}

static cq_span head_of(const cq_run_reader *r)
{
    return cq_span_of(r->buf + r->at + LEN, cq_load32(r->buf + r->at));
}

/* Makes the current record whole in the buffer; at the end of the run len becomes 0. */
static cq_status load_head(cq_extsort *s, cq_run_reader *r, cq_err *e)
{
    size_t have = r->len - r->at;
    if (have >= LEN && have - LEN >= cq_load32(r->buf + r->at)) return CQ_OK;
    if (have) memmove(r->buf, r->buf + r->at, have);
    size_t const n = (size_t)cq_min_i64(r->end - r->next, cq_i64(r->cap - have));
    CQ_TRY(cq_poll_bytes(s->poll, n, e));
    CQ_TRY(cq_spill_read(&s->log, r->next, r->buf + have, n, e));
    r->next += cq_i64(n);
    r->at = 0;
    r->len = have + n;
    return CQ_OK;
}

static bool is_before(const cq_extsort *s, uint32_t a, uint32_t b)
{
    cq_span const x = head_of(&readers_of(s)[a]), y = head_of(&readers_of(s)[b]);
    int const c = compare_bytes(x.p, x.n, y.p, y.n);
    return c != 0 ? c < 0 : a < b;
}

static void sift_down(const cq_extsort *s, uint32_t *heap, size_t n, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= n) return;
        if (child + 1 < n && is_before(s, heap[child + 1], heap[child])) child++;
        if (!is_before(s, heap[child], heap[i])) return;
        uint32_t const t = heap[i];
        heap[i] = heap[child];
        heap[child] = t;
        i = child;
    }
}

/* Readers for runs [from, from + n); the records' memory, which is empty then, is their buffers. */
static cq_status start_merge(cq_extsort *s, size_t from, size_t n, cq_err *e)
{
    s->readers.len = s->heap.len = 0;
    CQ_TRY(cq_buf_reserve(&s->readers, n * sizeof(cq_run_reader), e));
    CQ_TRY(cq_buf_reserve(&s->heap, n * sizeof(uint32_t), e));
    if (s->records.cap < s->records_cap) CQ_TRY(cq_buf_set_cap(&s->records, s->records_cap, e));
    size_t const cap = cq_min_size(s->records_cap / n, cq_max_size(MAX_READ, read_bytes(s)));
    cq_run_reader *readers = readers_of(s);
    uint32_t *heap = heap_of(s);
    size_t n_heap = 0;
    for (size_t i = 0; i < n; i++) {
        const cq_run *run = &runs_of(s)[from + i];
        readers[i] = (cq_run_reader){.next = run->offset, .end = run->end, .buf = s->records.data + i * cap, .cap = cap};
        CQ_TRY(load_head(s, &readers[i], e));
        if (readers[i].len) heap[n_heap++] = cq_u32(i);
    }
    s->heap.len = n_heap * sizeof *heap;
    for (size_t i = n_heap / 2; i-- > 0;) sift_down(s, heap, n_heap, i);
    s->started = false;
    return CQ_OK;
}

static cq_status next_merged(cq_extsort *s, cq_span *record, cq_err *e)
{
    uint32_t *heap = heap_of(s);
    size_t n = s->heap.len / sizeof *heap;
    if (s->started && n > 0) { /* the record given last stays in place until now */
        cq_run_reader *r = &readers_of(s)[heap[0]];
        r->at += LEN + cq_load32(r->buf + r->at);
        CQ_TRY(load_head(s, r, e));
        if (r->len == 0) {
            heap[0] = heap[--n];
            s->heap.len = n * sizeof *heap;
        }
        sift_down(s, heap, n, 0);
    }
    s->started = true;
    *record = n > 0 ? head_of(&readers_of(s)[heap[0]]) : cq_span_of(NULL, 0);
    return CQ_OK;
}

static cq_status put_record(cq_extsort *s, cq_span r, cq_err *e)
{
    uint8_t len[LEN];
    cq_store32(len, cq_u32(r.n));
    CQ_TRY(cq_poll_bytes(s->poll, r.n, e));
    CQ_TRY(cq_spill_append(&s->log, len, LEN, NULL, e));
    return cq_spill_append(&s->log, r.p, r.n, NULL, e);
}

static void push_run(cq_extsort *s, int64_t offset, uint32_t level)
{
    cq_run const run = {offset, s->log.end, level};
    cq_buf_put(&s->runs, &run, sizeof run);
}

/* The last `n` runs become one of the level above them. */
static cq_status merge_last(cq_extsort *s, size_t n, cq_err *e)
{
    size_t const from = s->runs.len / sizeof(cq_run) - n;
    uint32_t const level = runs_of(s)[from].level + 1;
    int64_t const offset = s->log.end;
    cq_span r;
    CQ_TRY(start_merge(s, from, n, e));
    for (;;) {
        CQ_TRY(next_merged(s, &r, e));
        if (!r.p) break;
        CQ_TRY(put_record(s, r, e));
    }
    s->runs.len = from * sizeof(cq_run);
    push_run(s, offset, level);
    return CQ_OK;
}

static cq_status spill_window(cq_extsort *s, cq_err *e)
{
    if (s->entries.len == 0) return CQ_OK;
    if (!s->log_open) {
        CQ_TRY(cq_spill_open(&s->log, s->mem, s->dir, 1, 1, e));
        s->log_open = true;
    }
    CQ_TRY(cq_buf_reserve(&s->runs, sizeof(cq_run), e));
    sort_window(s);
    int64_t const offset = s->log.end;
    const entry *a = entries_of(s);
    for (size_t i = 0; i < s->entries.len / sizeof *a; i++)
        CQ_TRY(put_record(s, cq_span_of(s->records.data + a[i].offset, a[i].n), e));
    push_run(s, offset, 0);
    s->records.len = s->entries.len = 0;

    for (size_t const n = fan_in(s);;) {
        size_t const n_runs = s->runs.len / sizeof(cq_run);
        if (n_runs < n || runs_of(s)[n_runs - n].level != runs_of(s)[n_runs - 1].level) return CQ_OK;
        CQ_TRY(merge_last(s, n, e));
    }
}

/* Grows a buffer of the window by doubling; never beyond `cap`. */
static cq_status grow(cq_buf *b, size_t extra, size_t cap, cq_err *e)
{
    if (b->cap - b->len >= extra) return CQ_OK;
    return cq_buf_set_cap(b, cq_min_size(cap, cq_max_size(cq_max_size(2 * b->cap, b->len + extra), 4096)), e);
}

cq_status cq_extsort_add(cq_extsort *s, size_t n, uint8_t **record, cq_err *e)
{
    if (n > s->max_record) return cq_fail(e, CQ_ELIMIT, "a record of %zu bytes, at most %zu are possible", n, s->max_record);
    if (n + LEN > s->records_cap - s->records.len || sizeof(entry) > s->entries_cap - s->entries.len) CQ_TRY(spill_window(s, e));
    s->largest = cq_max_size(s->largest, n);
    CQ_TRY(grow(&s->records, n + LEN, s->records_cap, e));
    CQ_TRY(grow(&s->entries, sizeof(entry), s->entries_cap, e));
    entry const x = {0, cq_u32(s->records.len + LEN), cq_u32(n)};
    cq_buf_put(&s->entries, &x, sizeof x);
    cq_store32(s->records.data + s->records.len, x.n);
    *record = s->records.data + x.offset;
    s->records.len += n + LEN;
    s->n_records++;
    return CQ_OK;
}

cq_status cq_extsort_finish(cq_extsort *s, cq_err *e)
{
    if (s->runs.len == 0) {
        sort_window(s);
        return CQ_OK;
    }
    CQ_TRY(spill_window(s, e));
    cq_buf_reset(&s->entries);
    for (size_t n = s->runs.len / sizeof(cq_run); n > fan_in(s); n = s->runs.len / sizeof(cq_run))
        CQ_TRY(merge_last(s, cq_min_size(fan_in(s), n - fan_in(s) + 1), e));
    s->merging = true;
    return cq_extsort_rewind(s, e);
}

cq_status cq_extsort_rewind(cq_extsort *s, cq_err *e)
{
    s->next = 0;
    return s->merging ? start_merge(s, 0, s->runs.len / sizeof(cq_run), e) : CQ_OK;
}

cq_status cq_extsort_next(cq_extsort *s, cq_span *record, cq_err *e)
{
    if (s->merging) return next_merged(s, record, e);
    const entry *a = entries_of(s);
    *record = cq_span_of(NULL, 0);
    if (s->next < s->entries.len / sizeof *a) {
        *record = cq_span_of(s->records.data + a[s->next].offset, a[s->next].n);
        s->next++;
    }
    return CQ_OK;
}
