/* The dictionary against a linear search: ids in order of first use, limits, the budget at every
 * moment, truncation, and every allocation failing once. */
#include "codec/dict.h"

#include "cqtest.h"

enum { MAX_N = 70000 };

static uint32_t v32[MAX_N], ids[MAX_N], model_id[MAX_N];
static uint64_t v64[MAX_N];

static const cq_dict_limits wide = {CQ_DICT_MAX_ENTRIES, (size_t)1 << 30};

/* Puts n values of d->width; the first *done have ids. */
static cq_status put(cq_dict *d, size_t from, size_t n, size_t *done, cq_err *e)
{
    for (size_t i = from; d->width == 4 && i < from + n; i++) v32[i] = (uint32_t)v64[i];
    return d->width == 4 ? cq_dict_put_u32s(d, v32 + from, n, ids + from, done, e)
                         : cq_dict_put_u64s(d, v64 + from, n, ids + from, done, e);
}

static void check_fixed(const cq_dict *d, size_t n)
{
    uint32_t next = 0;
    for (size_t i = 0; i < n; i++) {
        CQT(ids[i] <= next);
        if (ids[i] == next) next++;
        CQT_EQ_MEM(d->plain.data + (size_t)ids[i] * d->width, v64 + i, d->width);
    }
    CQT_EQ_U(d->n_entries, next);
    CQT_EQ_U(d->plain.len, (size_t)next * d->width);
}

static void no_duplicates(const cq_dict *d)
{
    for (size_t a = 0; a < d->n_entries; a++)
        for (size_t b = 0; b < a; b++)
            CQT(memcmp(d->plain.data + a * d->width, d->plain.data + b * d->width, d->width) != 0);
}

static void fixed_random(void)
{
    static const uint64_t kinds[] = {1, 2, 30, 500, 60000, UINT32_MAX};
    cq_err e;
    for (unsigned width = 4; width <= 8; width += 4) {
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            cq_mem m;
            cq_dict d;
            size_t done;
            cq_mem_init(&m, NULL, 16 << 20);
            cq_dict_init(&d, &m, width, wide);
            for (size_t i = 0; i < MAX_N; i++) {
                v64[i] = cqt_rand_below(kinds[k]);
                if (width == 8) v64[i] *= UINT64_C(0x123456789abcdef);
                if (i && cqt_rand_below(3) == 0) v64[i] = v64[i - 1];
            }
            for (size_t at = 0; at < MAX_N;) {
                size_t n = (size_t)cqt_rand_below(2000);
                if (n > MAX_N - at) n = MAX_N - at;
                CQT_OK(put(&d, at, n, &done, &e), &e);
                CQT_EQ_U(done, n);
                at += n;
            }
            check_fixed(&d, MAX_N);
            if (kinds[k] <= 500) no_duplicates(&d);
            cq_dict_reset(&d);
            CQT_EQ_U(cq_mem_used(&m), 0);
        }
    }
}

/* Values by bits: zeros of both signs and NaNs of every payload are different values. */
static void fixed_special(void)
{
    static const uint64_t marks[] = {0, UINT64_C(1) << 63, UINT64_C(0x7ff8000000000000), UINT64_C(0x7ff8000000000001),
                                     UINT64_C(0xfff8000000000000), UINT64_MAX, 1, UINT64_C(1) << 32};
    cq_mem m;
    cq_dict d;
    cq_err e;
    size_t done;
    cq_mem_init(&m, NULL, 1 << 20);
    cq_dict_init(&d, &m, 8, wide);
    for (size_t i = 0; i < 64; i++) v64[i] = marks[i % 8];
    CQT_OK(put(&d, 0, 64, &done, &e), &e);
    CQT_EQ_U(done, 64);
    for (uint32_t i = 0; i < 64; i++) CQT_EQ_U(ids[i], i % 8);
    CQT_OK(put(&d, 0, 0, &done, &e), &e);
    CQT_EQ_U(done, 0);
    cq_dict_reset(&d);
    CQT_EQ_U(cq_mem_used(&m), 0);
}

static void init_bytes(cq_dict *d, cq_mem *m, size_t fixed, cq_dict_limits limits)
{
    if (fixed)
        cq_dict_init_fixed(d, m, fixed, limits);
    else
        cq_dict_init(d, m, 0, limits);
}

/* Byte arrays of every length up to 40 and some long ones, or all of one length, with shared beginnings and ends. */
static size_t make_bytes(uint64_t number, size_t fixed, uint8_t *to)
{
    size_t const n = fixed ? fixed : number % 97 == 0 ? 300 + (size_t)(number % 5) : (size_t)(number % 41);
    memset(to, 'x', n);
    if (n) to[(size_t)(number / 41) % n] = (uint8_t)(number / 1681);
    return n;
}

static void random_of(size_t fixed)
{
    static const uint64_t kinds[] = {1, 3, 41, 3000};
    enum { N = 20000 };
    static uint64_t number[N];
    uint8_t b[400];
    cq_err e;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        cq_mem m;
        cq_dict d;
        size_t done = 0;
        cq_mem_init(&m, NULL, 16 << 20);
        init_bytes(&d, &m, fixed, wide);
        for (size_t i = 0; i < N; i++) {
            bool full;
            number[i] = i && cqt_rand_below(3) == 0 ? number[i - 1] : cqt_rand_below(kinds[k]);
            size_t const n = make_bytes(number[i], fixed, b);
            CQT_OK(cq_dict_put_bytes(&d, n ? b : NULL, n, &ids[i], &full, &e), &e);
            CQT(!full);
            CQT(ids[i] < d.n_entries);
            cq_span const s = cq_dict_entry(&d, ids[i]);
            CQT_EQ_U(s.n, n);
            CQT_EQ_MEM(s.p, b, n);
            if (ids[i] == done) done++;
            CQT_EQ_U(d.n_entries, done);
        }
        for (uint32_t a = 0; a < d.n_entries; a++) {
            for (uint32_t c = 0; c < a; c++) {
                cq_span const x = cq_dict_entry(&d, a), y = cq_dict_entry(&d, c);
                CQT(x.n != y.n || memcmp(x.p, y.p, x.n) != 0);
            }
        }
        size_t at = 0; /* `plain` is the dictionary page */
        for (uint32_t a = 0; a < d.n_entries; a++) {
            uint32_t n;
            memcpy(&n, d.plain.data + at, 4);
            if (fixed)
                n = (uint32_t)fixed;
            else
                at += 4;
            CQT_EQ_U(n, cq_dict_entry(&d, a).n);
            CQT(cq_dict_entry(&d, a).p == d.plain.data + at);
            at += n;
        }
        CQT_EQ_U(at, d.plain.len);
        cq_dict_reset(&d);
        CQT_EQ_U(cq_mem_used(&m), 0);
    }
}

static void bytes_random(void)
{
    random_of(0);
    random_of(1);
    random_of(2);
    random_of(16);
    random_of(100);
}

/* Fills a dictionary of cq_dict_caps(width, bytes), or of values of a fixed length, with distinct values until it is full, on a
 * budget of exactly these bytes. */
static void fill(unsigned width, size_t bytes, size_t entry, bool fixed)
{
    cq_mem m;
    cq_dict d;
    cq_err e;
    cq_dict_limits const lim = fixed ? cq_dict_caps_fixed(entry, bytes) : cq_dict_caps(width, bytes);
    if (lim.max_entries == 0) return;
    CQT(lim.max_entries <= CQ_DICT_MAX_ENTRIES);
    cq_mem_init(&m, NULL, bytes);
    cq_dict_init(&d, &m, width, lim);
    if (fixed) init_bytes(&d, &m, entry, lim);
    bool full = false;
    for (uint32_t i = 0; !full; i++) {
        CQT(i <= lim.max_entries);
        uint32_t id = UINT32_MAX;
        if (width) {
            uint64_t const x = i * UINT64_C(0x9E3779B97F4A7C15) + 7;
            uint32_t const low = i * 2654435761u + 7;
            size_t done;
            CQT_OK(width == 4 ? cq_dict_put_u32s(&d, &low, 1, &id, &done, &e) : cq_dict_put_u64s(&d, &x, 1, &id, &done, &e), &e);
            full = done == 0;
        } else {
            char text[300];
            memset(text, 'a', sizeof text);
            memcpy(text, &i, 4);
            CQT_OK(cq_dict_put_bytes(&d, text, entry, &id, &full, &e), &e);
        }
        if (!full) CQT_EQ_U(id, i);
    }
    CQT(cq_mem_peak(&m) <= bytes);
    if (width || fixed) {
        CQT_EQ_U(d.n_entries, lim.max_entries);
        CQT_EQ_U(d.plain.len, lim.max_bytes);
    } else {
        CQT(d.n_entries == lim.max_entries || d.plain.len + 4 + entry > lim.max_bytes);
    }
    uint64_t const used = cq_mem_used(&m);
    cq_dict_clear(&d);
    CQT_EQ_U(d.n_entries, 0);
    CQT_EQ_U(cq_mem_used(&m), used);
    cq_dict_reset(&d);
    CQT_EQ_U(cq_mem_used(&m), 0);
}

static void caps_hold(void)
{
    size_t const sizes[] = {0,      1,      64,     100,    256,     1000,    4096,    10000,   65535,  65536, 65537,
                            100000, 131072, 262144, 300000, 500000,  524288,  1 << 20, 1500000, 4 << 20};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        fill(4, sizes[k], 0, false);
        fill(8, sizes[k], 0, false);
        fill(0, sizes[k], 4, false);
        fill(0, sizes[k], 12, false);
        fill(0, sizes[k], 300, false);
        fill(0, sizes[k], 4, true);
        fill(0, sizes[k], 16, true);
        fill(0, sizes[k], 300, true);
    }
    for (int round = 0; round < 100; round++) fill((unsigned)(round % 3) * 4, (size_t)cqt_rand_below(400000), 10, round % 6 == 0);
}

static void caps_are_useful(void)
{
    CQT_EQ_U(cq_dict_caps(4, 0).max_entries, 0);
    CQT_EQ_U(cq_dict_caps(0, 0).max_entries, 0);
    CQT(cq_dict_caps(4, 1 << 20).max_entries >= 65536);
    CQT(cq_dict_caps(8, 1 << 20).max_entries >= 60000);
    CQT(cq_dict_caps(0, 1 << 20).max_entries >= 30000);
    CQT(cq_dict_caps_fixed(16, 1 << 20).max_entries >= 30000);
    CQT_EQ_U(cq_dict_caps_fixed(5000, 4096).max_entries, 0);
    CQT_EQ_U(cq_dict_caps(4, (size_t)1 << 30).max_entries, CQ_DICT_MAX_ENTRIES);
    CQT_EQ_U(cq_dict_caps(0, (size_t)1 << 40).max_entries, CQ_DICT_MAX_ENTRIES);
    CQT(cq_dict_caps(0, (size_t)1 << 40).max_bytes <= INT32_MAX);
    for (unsigned width = 0; width <= 8; width += 4) {
        cq_dict_limits before = {0, 0};
        for (size_t bytes = 0; bytes < 3 << 20; bytes += 999) {
            cq_dict_limits const now = cq_dict_caps(width, bytes);
            CQT(now.max_entries >= before.max_entries);
            if (width) CQT_EQ_U(now.max_bytes, (size_t)now.max_entries * width);
            before = now;
        }
    }
}

static void full_adds_nothing(void)
{
    cq_mem m;
    cq_dict d;
    cq_err e;
    size_t done;
    uint32_t id;
    bool full;
    cq_mem_init(&m, NULL, 1 << 20);
    cq_dict_init(&d, &m, 4, (cq_dict_limits){3, 1000});
    for (size_t i = 0; i < 10; i++) v64[i] = i % 3;
    v64[10] = 77;
    v64[11] = 1;
    CQT_OK(put(&d, 0, 12, &done, &e), &e);
    CQT_EQ_U(done, 10);
    CQT_EQ_U(d.n_entries, 3);
    CQT_OK(put(&d, 11, 1, &done, &e), &e);
    CQT_EQ_U(done, 1);
    CQT_EQ_U(ids[11], 1);
    cq_dict_reset(&d);
    cq_dict_init(&d, &m, 0, (cq_dict_limits){100, 20});
    CQT_OK(cq_dict_put_bytes(&d, "0123456789", 10, &id, &full, &e), &e);
    CQT(!full);
    CQT_OK(cq_dict_put_bytes(&d, "abc", 3, &id, &full, &e), &e);
    CQT(full);
    CQT_OK(cq_dict_put_bytes(&d, "ab", 2, &id, &full, &e), &e);
    CQT(!full);
    CQT_EQ_U(id, 1);
    CQT_OK(cq_dict_put_bytes(&d, "", 0, &id, &full, &e), &e);
    CQT(full);
    CQT_OK(cq_dict_put_bytes(&d, "0123456789", 10, &id, &full, &e), &e);
    CQT(!full);
    CQT_EQ_U(id, 0);
    cq_dict_reset(&d);
    CQT_EQ_U(cq_mem_used(&m), 0);
}

/* Truncation at random points, across growth: what stays and what comes again has the ids of a
 * dictionary that never held more. */
static void truncate_is_undo(unsigned width, size_t fixed)
{
    cq_mem m;
    cq_dict d, fresh;
    cq_err e;
    size_t done;
    cq_mem_init(&m, NULL, 16 << 20);
    for (int round = 0; round < 40; round++) {
        size_t const n = 1 + (size_t)cqt_rand_below(3000), extra = (size_t)cqt_rand_below(3000);
        cq_dict_init(&d, &m, width, wide);
        cq_dict_init(&fresh, &m, width, wide);
        if (fixed) init_bytes(&d, &m, fixed, wide);
        if (fixed) init_bytes(&fresh, &m, fixed, wide);
        for (size_t i = 0; i < 9000; i++) v64[i] = cqt_rand_below(round % 2 ? 100 : 100000);
        uint32_t keep = 0;
        for (int pass = 0; pass < 2; pass++) {
            for (size_t i = 0; i < n + extra + 1000; i++) {
                /* second pass: the kept values, then others */
                size_t const at = pass && i >= n ? i + 3000 : i;
                if (width) {
                    CQT_OK(put(&d, at, 1, &done, &e), &e);
                    CQT_EQ_U(done, 1);
                } else {
                    uint8_t b[400];
                    bool full;
                    size_t const k = make_bytes(v64[at], fixed, b);
                    CQT_OK(cq_dict_put_bytes(&d, b, k, &ids[at], &full, &e), &e);
                }
                if (!pass && i + 1 == n) keep = d.n_entries;
                if (pass) {
                    if (width) {
                        model_id[at] = ids[at];
                        CQT_OK(put(&fresh, at, 1, &done, &e), &e);
                    } else {
                        uint8_t b[400];
                        bool full;
                        size_t const k = make_bytes(v64[at], fixed, b);
                        model_id[at] = ids[at];
                        CQT_OK(cq_dict_put_bytes(&fresh, b, k, &ids[at], &full, &e), &e);
                    }
                    CQT_EQ_U(ids[at], model_id[at]);
                }
            }
            if (!pass) cq_dict_truncate(&d, keep);
            if (!pass) CQT_EQ_U(d.n_entries, keep);
        }
        CQT_EQ_U(d.plain.len, fresh.plain.len);
        CQT_EQ_MEM(d.plain.data, fresh.plain.data, d.plain.len);
        cq_dict_truncate(&d, d.n_entries + 5);
        CQT_EQ_U(d.plain.len, fresh.plain.len);
        cq_dict_truncate(&d, 0);
        CQT_EQ_U(d.plain.len, 0);
        for (uint32_t s = 0; s < d.n_slots; s++) CQT_EQ_U(d.table[s], 0);
        cq_dict_reset(&d);
        cq_dict_reset(&fresh);
        CQT_EQ_U(cq_mem_used(&m), 0);
    }
}

static void truncate_fixed(void)
{
    truncate_is_undo(4, 0);
    truncate_is_undo(8, 0);
}

static void truncate_bytes(void)
{
    truncate_is_undo(0, 0);
    truncate_is_undo(0, 16);
    truncate_is_undo(0, 3);
}

/* One scenario with request k failing: the failure is reported, nothing is lost, and going on after
 * it gives the ids that an undisturbed run gives. Returns whether anything failed. */
static bool with_failure(unsigned width, size_t fixed, uint64_t fail_at)
{
    enum { N = 5000 };
    cq_mem m;
    cq_dict d;
    cq_err e;
    size_t done;
    bool failed = false;
    cq_mem_init(&m, NULL, 16 << 20);
    m.fail_at = fail_at;
    cq_dict_init(&d, &m, width, wide);
    if (fixed) init_bytes(&d, &m, fixed, wide);
    for (size_t i = 0; i < N; i++) v64[i] = i / 2;
    for (size_t i = 0; i < N;) {
        cq_status st;
        bool full = false;
        if (width) {
            st = put(&d, i, N - i, &done, &e);
        } else {
            uint8_t b[16];
            memcpy(b, &v64[i], 8);
            st = cq_dict_put_bytes(&d, b, 8, &ids[i], &full, &e);
            done = st == CQ_OK;
        }
        CQT(!full);
        if (st != CQ_OK) {
            CQT_EQ_I(st, CQ_ENOMEM);
            CQT(!failed);
            failed = true;
        }
        for (size_t k = 0; k < done; k++) CQT_EQ_U(ids[i + k], (i + k) / 2);
        i += done;
    }
    CQT_EQ_U(d.n_entries, N / 2);
    cq_dict_reset(&d);
    CQT_EQ_U(cq_mem_used(&m), 0);
    return failed;
}

static void every_allocation_fails(void)
{
    for (unsigned width = 0; width <= 8; width += 4) {
        uint64_t k = 1;
        while (with_failure(width, 0, k)) k++;
        CQT(k > 5);
    }
    uint64_t k = 1;
    while (with_failure(0, 8, k)) k++;
    CQT(k > 5);
}

static void refused_by_budget(void)
{
    cq_mem m;
    cq_dict d;
    cq_err e;
    size_t done;
    for (uint64_t limit = 100; limit < 200000; limit += 1 + limit / 3) {
        cq_mem_init(&m, NULL, limit);
        cq_dict_init(&d, &m, 8, wide);
        for (size_t i = 0; i < 20000; i++) v64[i] = i;
        cq_status const st = put(&d, 0, 20000, &done, &e);
        if (st != CQ_OK) CQT_EQ_I(st, CQ_EBUDGET);
        CQT_EQ_U(d.n_entries, done);
        CQT(cq_mem_peak(&m) <= limit);
        cq_dict_reset(&d);
        CQT_EQ_U(cq_mem_used(&m), 0);
    }
}

static void clear_keeps_working(void)
{
    cq_mem m;
    cq_dict d;
    cq_err e;
    size_t done;
    cq_mem_init(&m, NULL, 16 << 20);
    cq_dict_init(&d, &m, 8, wide);
    cq_dict_clear(&d);
    cq_dict_truncate(&d, 0);
    CQT_EQ_U(cq_mem_used(&m), 0);
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < 3000; i++) v64[i] = cqt_rand_below(1000) + (uint64_t)round;
        CQT_OK(put(&d, 0, 3000, &done, &e), &e);
        check_fixed(&d, 3000);
        cq_dict_clear(&d);
    }
    cq_dict_reset(&d);
    CQT_EQ_U(cq_mem_used(&m), 0);
}

void test_dict(void)
{
    CQT_RUN(fixed_random);
    CQT_RUN(fixed_special);
    CQT_RUN(bytes_random);
    CQT_RUN(caps_hold);
    CQT_RUN(caps_are_useful);
    CQT_RUN(full_adds_nothing);
    CQT_RUN(truncate_fixed);
    CQT_RUN(truncate_bytes);
    CQT_RUN(every_allocation_fails);
    CQT_RUN(refused_by_budget);
    CQT_RUN(clear_keeps_working);
}
