/* Column builders against a list of values: puts of every form, commits, aborts, vectors, dictionaries that are full, page
 * cuts, all with allocations that fail now and then. */
#include "base/err.h"
#include "format/limits.h"
#include "write/colbuf.h"

#include <stdio.h>
#include <stdlib.h>

#include "cqtest.h"

#define MOST_SLOTS 64
#define MOST_BYTES 60

typedef struct slot {
    bool is_null;
    size_t n;
    uint8_t v[MOST_BYTES];
} slot;

typedef struct model {
    cq_mem mem;
    cq_row_meter meter;
    cq_colbuf c;
    slot page[MOST_SLOTS + 1]; /* slots of the open page, committed ones first */
    int32_t n, committed;
    cq_err e;
} model;

static void model_open(model *m, cq_type type, int32_t fixed_bytes, bool optional, size_t page_bytes, size_t dict_bytes)
{
    memset(m, 0, sizeof *m);
    cq_mem_init(&m->mem, NULL, 1 << 20);
    m->meter.max_bytes = MOST_BYTES;
    cq_colbuf_opts const o = {.type = type, .optional = optional, .fixed_bytes = fixed_bytes, .page_rows = MOST_SLOTS, .page_bytes = page_bytes, .dict_bytes = dict_bytes, .max_value_bytes = MOST_BYTES};
    cq_colbuf_init(&m->c, &o, &m->meter, &m->mem);
    CQT(cq_colbuf_memory(&o) > 0);
}

/* What the builder holds in its slots, read from ids, values and levels. */
static void model_check(const model *m)
{
    const cq_colbuf *c = &m->c;
    CQT_EQ_I(c->n_slots, m->n);
    CQT_EQ_I(c->n_committed, m->committed);
    if (c->has_levels) CQT_EQ_U(c->levels.len, (uint64_t)m->n);
    const uint8_t *ids = c->ids.data, *values = c->values.data ? c->values.data + c->headroom : NULL;
    int32_t n_values = 0;
    size_t plain = 0;
    for (int32_t i = 0; i < m->n; i++) {
        const slot *s = &m->page[i];
        CQT_EQ_I(c->has_levels ? c->levels.data[i] == 0 : false, s->is_null);
        if (s->is_null) continue;
        n_values++;
        plain += c->prefix + s->n;
        if (c->width) {
            CQT_EQ_MEM(values, s->v, c->width);
            values += c->width;
        } else if (c->split >= 0 ? i < c->split : c->mode != CQ_CHUNK_DIRECT) {
            cq_span const v = cq_dict_entry(&c->dict, cq_load32(ids));
            CQT_EQ_U(v.n, s->n);
            CQT_EQ_MEM(v.p, s->v, s->n);
            ids += 4;
        } else {
            if (c->prefix) CQT_EQ_U(cq_load32(values), s->n);
            CQT_EQ_MEM(values + c->prefix, s->v, s->n);
            values += c->prefix + s->n;
        }
    }
    CQT_EQ_I(c->n_values, n_values);
    if (c->width == 0) {
        CQT_EQ_U(c->value_bytes, plain);
        if (ids) CQT_EQ_U((uint64_t)(ids - c->ids.data), c->ids.len);
    }
    if (values) CQT_EQ_U((uint64_t)(values - c->values.data), cq_max_size(c->values.len, c->headroom));
    CQT(c->n_slots <= c->page_rows && (c->n_slots < c->page_rows || c->full));
}

static slot random_slot(const model *m, uint64_t variety)
{
    slot s;
    memset(&s, 0, sizeof s);
    uint64_t const x = cqt_rand_below(variety);
    s.is_null = m->c.optional && cqt_rand_below(5) == 0;
    if (s.is_null) return s;
    s.n = m->c.width ? m->c.width : m->c.fixed_bytes ? m->c.fixed_bytes : (size_t)(x * 7 % (MOST_BYTES + 1));
    memset(s.v, (int)(x % 251), s.n);
    if (s.n >= 8) memcpy(s.v, &x, 8);
    if (s.n == 4) memcpy(s.v, &x, 4);
    if (m->c.width == 1) s.v[0] = x & 1;
    return s;
}

static cq_status put_slot(model *m, const slot *s)
{
    cq_colbuf *c = &m->c;
    if (s->is_null) return cq_colbuf_put_null(c, &m->e);
    if (c->width == 4 && cqt_rand_below(2)) return cq_colbuf_put_u32(c, cq_load32(s->v), &m->e);
    if (c->width == 8 && cqt_rand_below(2)) return cq_colbuf_put_u64(c, cq_load64(s->v), &m->e);
    if (c->width) return cq_colbuf_put_fixed(c, s->v, &m->e);
    uint32_t const last = cq_colbuf_last_id(c);
    if (last != CQ_NO_ID) {
        cq_span const v = cq_dict_entry(&c->dict, last);
        if (v.n == s->n && memcmp(v.p, s->v, v.n) == 0) return cq_colbuf_put_id(c, last, &m->e);
    }
    uint8_t *to;
    if (c->fixed_bytes && cqt_rand_below(8) == 0) { /* another length changes nothing */
        size_t const n = cqt_rand_below(2) ? s->n - 1 : s->n + 1;
        CQT_STATUS(cqt_rand_below(2) ? cq_colbuf_put_bytes(c, s->v, n, &m->e) : cq_colbuf_reserve_bytes(c, n, &to, &m->e), CQ_EVALUE);
    }
    if (cqt_rand_below(2)) return cq_colbuf_put_bytes(c, s->v, s->n, &m->e);
    CQ_TRY(cq_colbuf_reserve_bytes(c, s->n, &to, &m->e));
    memcpy(to, s->v, s->n);
    return cq_colbuf_commit_bytes(c, s->n, &m->e);
}

/* One row: put, looked at, then committed or aborted. */
static void row(model *m, uint64_t variety)
{
    slot const s = random_slot(m, variety);
    m->meter.bytes = 0;
    cq_status const st = put_slot(m, &s);
    if (st != CQ_OK) {
        CQT_EQ_I(st, CQ_ENOMEM);
        cq_colbuf_abort(&m->c);
        return;
    }
    bool is_null;
    cq_span const last = cq_colbuf_last_value(&m->c, &is_null);
    CQT_EQ_I(is_null, s.is_null);
    if (!is_null) {
        CQT_EQ_U(last.n, s.n);
        CQT_EQ_MEM(last.p, s.v, s.n);
    }
    if (cqt_rand_below(3) == 0) {
        cq_colbuf_abort(&m->c);
        CQT(!m->c.full);
        return;
    }
    cq_colbuf_commit(&m->c);
    m->page[m->n++] = s;
    m->committed = m->n;
}

/* Up to 20 slots at once, flat or constant. */
static void vector(model *m, uint64_t variety)
{
    slot s[20];
    uint8_t values[20 * MOST_BYTES], validity[20];
    cq_span spans[20];
    int64_t done;
    int64_t const n = 1 + (int64_t)cqt_rand_below(20);
    bool const constant = cqt_rand_below(3) == 0;
    cq_type const t = m->c.type;
    for (int64_t i = 0; i < n; i++) {
        s[i] = constant && i ? s[0] : random_slot(m, variety);
        validity[i] = !s[i].is_null;
        size_t const at = (size_t)i * (m->c.width ? m->c.width : MOST_BYTES);
        memcpy(values + at, s[i].v, m->c.width ? m->c.width : s[i].n);
        spans[i] = cq_span_of(values + at, s[i].n);
        if (s[i].is_null) spans[i] = cq_span_of((const void *)(uintptr_t)1, SIZE_MAX);
        if (i && cqt_rand_below(2) && !m->c.width) { /* a value from before, by its pointer */
            int64_t const k = (int64_t)cqt_rand_below((uint64_t)i);
            s[i] = s[k];
            validity[i] = validity[k];
            spans[i] = spans[k];
        }
    }
    cq_vec v = m->c.width ? cq_vec_flat(t, values, m->c.optional ? validity : NULL) : cq_vec_spans(t, spans, m->c.optional ? validity : NULL);
    v.repeats = cqt_rand_below(2);
    if (constant) v = s[0].is_null ? cq_vec_null(t) : cq_vec_const(t, cq_span_of(s[0].v, s[0].n));
    cq_status const st = cq_colbuf_append_vec(&m->c, &v, 0, n, &done, &m->e);
    CQT(st == CQ_OK || st == CQ_ENOMEM);
    CQT(done <= n && (st != CQ_OK || done == n || m->c.full));
    for (int64_t i = 0; i < done; i++) m->page[m->n++] = s[i];
    m->committed = m->n;
}

/* The page is taken, or its dictionary given up first, as page_write does it. */
static void cut(model *m)
{
    cq_colbuf *c = &m->c;
    bool const on_trial = c->mode == CQ_CHUNK_TRIAL || (c->split >= 0 && c->split_mode == CQ_CHUNK_TRIAL);
    if (c->width == 0 && on_trial && cqt_rand_below(2)) {
        if (cq_colbuf_give_up_dict(c, &m->e) != CQ_OK) return;
        CQT(c->mode == CQ_CHUNK_DIRECT && c->split < 0 && c->dict.n_entries == 0);
        model_check(m);
    }
    int32_t const taken = c->split >= 0 ? c->split : c->n_slots;
    cq_chunk_mode mode = c->mode;
    if (c->split < 0 && mode == CQ_CHUNK_TRIAL) mode = CQ_CHUNK_DICT;
    if (c->split < 0 && mode == CQ_CHUNK_DICT && cqt_rand_below(4) == 0) mode = CQ_CHUNK_DIRECT;
    cq_colbuf_page_done(c, mode);
    m->n -= taken;
    memmove(m->page, m->page + taken, (size_t)m->n * sizeof *m->page);
    m->committed = m->n;
}

static void against_a_list(void)
{
    static const cq_type types[] = {CQ_BOOL, CQ_INT32, CQ_INT64, CQ_FLOAT32, CQ_STRING, CQ_BINARY, CQ_JSON, CQ_STRING, CQ_FIXED, CQ_FIXED, CQ_UUID, CQ_FLOAT16};
    static const int32_t lengths[12] = {[8] = 1, [9] = 37, [10] = 16, [11] = 2};
    for (int round = 0; round < 900; round++) {
        model m;
        model_open(&m, types[round % 12], lengths[round % 12], cqt_rand_below(2), 64 + (size_t)cqt_rand_below(2000), cqt_rand_below(4) ? 200 + (size_t)cqt_rand_below(3000) : 0);
        uint64_t const variety = 1 + cqt_rand_below(cqt_rand_below(2) ? 8 : 500);
        bool const faults = cqt_rand_below(2);
        for (int i = 0; i < 200; i++) {
            m.mem.fail_at = faults && cqt_rand_below(3) == 0 ? m.mem.n_requests + 1 + cqt_rand_below(3) : 0;
            if (m.c.full) {
                CQT_STATUS(m.c.width ? cq_colbuf_put_fixed(&m.c, m.page[0].v, &m.e) : cq_colbuf_put_bytes(&m.c, m.page[0].v, m.c.fixed_bytes, &m.e), CQ_ESTATE);
                cut(&m);
            } else if (cqt_rand_below(4)) {
                row(&m, variety);
            } else {
                vector(&m, variety);
            }
            model_check(&m);
            if (cqt_rand_below(60) == 0) {
                cq_colbuf_new_chunk(&m.c);
                m.n = m.committed = 0;
                model_check(&m);
            }
        }
        cq_colbuf_reset(&m.c);
        CQT_EQ_U(cq_mem_used(&m.mem), 0);
    }
}

static void limits_of_a_row(void)
{
    static uint8_t bytes[MOST_BYTES + 1];
    model m;
    uint8_t *to;
    model_open(&m, CQ_STRING, 0, false, 500, 2000);
    CQT_STATUS(cq_colbuf_put_bytes(&m.c, bytes, MOST_BYTES + 1, &m.e), CQ_ELIMIT);
    CQT_STATUS(cq_colbuf_reserve_bytes(&m.c, MOST_BYTES + 1, &to, &m.e), CQ_ELIMIT);
    m.meter.bytes = 20;
    CQT_STATUS(cq_colbuf_put_bytes(&m.c, bytes, MOST_BYTES - 19, &m.e), CQ_ELIMIT);
    CQT_OK(cq_colbuf_put_bytes(&m.c, bytes, MOST_BYTES - 20, &m.e), &m.e);
    CQT_STATUS(cq_colbuf_put_null(&m.c, &m.e), CQ_EVALUE);
    cq_colbuf_reset(&m.c);
    model_open(&m, CQ_INT32, 0, false, 500, 0);
    CQT_STATUS(cq_colbuf_put_null(&m.c, &m.e), CQ_EVALUE);
    CQT_EQ_I(m.c.n_slots, 0);
}

/* Ids die with their dictionary, and the epoch tells. */
static void epochs(void)
{
    model m;
    model_open(&m, CQ_STRING, 0, false, 500, 2000);
    CQT_EQ_U(cq_colbuf_last_id(&m.c), CQ_NO_ID);
    CQT_OK(cq_colbuf_put_bytes(&m.c, "ab", 2, &m.e), &m.e);
    cq_colbuf_commit(&m.c);
    uint32_t const epoch = cq_colbuf_epoch(&m.c), id = cq_colbuf_last_id(&m.c);
    CQT_EQ_U(id, 0);
    CQT_OK(cq_colbuf_put_id(&m.c, id, &m.e), &m.e);
    cq_colbuf_abort(&m.c);
    CQT_EQ_U(cq_colbuf_epoch(&m.c), epoch); /* nothing died */
    CQT_OK(cq_colbuf_put_bytes(&m.c, "new", 3, &m.e), &m.e);
    cq_colbuf_abort(&m.c);
    CQT(cq_colbuf_epoch(&m.c) != epoch);
    uint32_t const later = cq_colbuf_epoch(&m.c);
    cq_colbuf_new_chunk(&m.c);
    CQT(cq_colbuf_epoch(&m.c) != later);
    cq_colbuf_reset(&m.c);
}

/* A constant and a vector of spans fill a page to the same slot as single values do, with and without a rest, on trial and
 * without a dictionary. */
static void vectors_end_where_values_do(void)
{
    static cq_span spans[1000];
    uint8_t bytes[MOST_BYTES], same[MOST_BYTES];
    memset(bytes, 'x', sizeof bytes);
    memset(same, 'x', sizeof same);
    for (int32_t n = 0; n < 40; n++)
        for (int kind = 0; kind < 4; kind++) {
            bool const fixed = kind % 2 && n > 0;
            cq_type const type = fixed ? CQ_FIXED : CQ_STRING;
            model m[3];
            for (int i = 0; i < 3; i++) model_open(&m[i], type, fixed ? n : 0, true, 600, kind < 2 ? 2000 : 0);
            while (!m[0].c.full) {
                CQT_OK(cq_colbuf_put_bytes(&m[0].c, bytes, (size_t)n, &m[0].e), &m[0].e);
                cq_colbuf_commit(&m[0].c);
                m[0].meter.bytes = 0;
            }
            for (int i = 0; i < 1000; i++) spans[i] = cq_span_of(cqt_rand_below(2) ? bytes : same, (size_t)n);
            cq_vec v[3] = {cq_vec_null(type), cq_vec_const(type, cq_span_of(bytes, (size_t)n)), cq_vec_spans(type, spans, NULL)};
            v[2].repeats = n % 3;
            for (int i = 1; i < 3; i++) {
                int64_t done;
                CQT_OK(cq_colbuf_append_vec(&m[i].c, &v[i], 0, 1000, &done, &m[i].e), &m[i].e);
                CQT_EQ_I(done, m[0].c.n_slots);
                CQT(m[i].c.full && m[i].c.n_slots == m[0].c.n_slots && m[i].c.value_bytes == m[0].c.value_bytes && m[i].c.mode == m[0].c.mode);
                CQT_EQ_U(m[i].c.values.len, m[0].c.values.len);
                CQT_EQ_U(m[i].c.ids.len, m[0].c.ids.len);
            }
            for (int i = 0; i < 3; i++) cq_colbuf_reset(&m[i].c);
        }
}

/* The room that a large value took on its way into the dictionary, or to an abort, is given back. */
static void large_values_pass_through(void)
{
    enum { LARGE = 15000 };
    cq_mem mem;
    cq_row_meter meter = {.max_bytes = LARGE};
    cq_colbuf c;
    cq_err e;
    uint8_t *to;
    cq_mem_init(&mem, NULL, 1 << 20);
    cq_colbuf_opts const o = {.type = CQ_STRING, .page_rows = MOST_SLOTS, .page_bytes = 64, .dict_bytes = 65536, .max_value_bytes = LARGE};
    cq_colbuf_init(&c, &o, &meter, &mem);
    for (int i = 0; i < 3; i++) {
        CQT_OK(cq_colbuf_reserve_bytes(&c, LARGE, &to, &e), &e);
        memset(to, 'a' + i, LARGE);
        if (i == 1) { /* reserved, and nothing put */
            cq_colbuf_abort(&c);
        } else {
            CQT_OK(cq_colbuf_commit_bytes(&c, LARGE, &e), &e);
            CQT(c.mode != CQ_CHUNK_DIRECT);
            cq_colbuf_commit(&c);
        }
        CQT(c.values.cap <= 64 + 64);
        meter.bytes = 0;
        cq_colbuf_page_done(&c, CQ_CHUNK_DICT);
    }
    CQT_EQ_U(c.dict.n_entries, 2);
    cq_colbuf_reset(&c);
    CQT_EQ_U(cq_mem_used(&mem), 0);
}

void test_colbuf(void)
{
    CQT_RUN(vectors_end_where_values_do);
    CQT_RUN(large_values_pass_through);
    CQT_RUN(against_a_list);
    CQT_RUN(limits_of_a_row);
    CQT_RUN(epochs);
}
