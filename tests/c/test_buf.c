/* Growable buffers: content, growth, the exact fit under a tight budget, and every request failing. */
#include "base/buf.h"

#include "cqtest.h"

static uint8_t byte_at(size_t i) { return (uint8_t)(i * 31 + i / 7); }

static void append_some(cq_buf *b, size_t n, cq_err *e)
{
    uint8_t piece[5000];
    for (size_t i = 0; i < n; i++) piece[i] = byte_at(b->len + i);
    CQT_OK(cq_buf_append(b, piece, n, e), e);
}

static void check_content(const cq_buf *b)
{
    for (size_t i = 0; i < b->len; i++) CQT(b->data[i] == byte_at(i));
}

static void appends(void)
{
    cq_mem m;
    cq_buf b;
    cq_err e;
    cq_mem_init(&m, NULL, 4 << 20);
    cq_buf_init(&b, &m);
    CQT_OK(cq_buf_append(&b, NULL, 0, &e), &e);
    CQT_EQ_U(cq_mem_used(&m), 0);
    while (b.len < 300000) append_some(&b, (size_t)cqt_rand_below(5000), &e);
    check_content(&b);
    CQT(b.cap >= b.len);
    CQT_EQ_U(cq_mem_used(&m), cq_mem_charge_of(b.cap));
    CQT(m.n_requests < 20);
    cq_buf_reset(&b);
    CQT_EQ_U(cq_mem_used(&m), 0);
    append_some(&b, 10, &e);
    check_content(&b);
    cq_buf_reset(&b);
    cq_buf_reset(&b);
    CQT_EQ_U(cq_mem_used(&m), 0);
}

static void puts_without_checks(void)
{
    cq_mem m;
    cq_buf b;
    cq_err e;
    cq_mem_init(&m, NULL, 1 << 20);
    cq_buf_init(&b, &m);
    CQT_OK(cq_buf_reserve(&b, 100, &e), &e);
    CQT(b.cap >= 100);
    for (size_t i = 0; i < 50; i++) cq_buf_put_byte(&b, byte_at(i));
    uint8_t rest[50];
    for (size_t i = 0; i < 50; i++) rest[i] = byte_at(50 + i);
    cq_buf_put(&b, rest, 50);
    cq_buf_put(&b, NULL, 0);
    CQT_EQ_U(b.len, 100);
    check_content(&b);
    CQT_OK(cq_buf_set_cap(&b, 100, &e), &e);
    CQT_EQ_U(b.cap, 100);
    CQT_EQ_U(cq_mem_used(&m), 100);
    check_content(&b);
    b.len = 0;
    CQT_OK(cq_buf_set_cap(&b, 0, &e), &e);
    CQT_EQ_U(cq_mem_used(&m), 0);
    cq_buf_reset(&b);
}

static void exact_where_doubling_does_not_fit(void)
{
    cq_mem m;
    cq_buf b;
    cq_err e;
    for (uint64_t limit = 600; limit < 300000; limit += 1 + limit / 5) {
        cq_mem_init(&m, NULL, limit);
        cq_buf_init(&b, &m);
        append_some(&b, 500, &e);
        /* everything that the budget can hold, and not a byte (a page, for large blocks) more */
        size_t room = (size_t)cq_mem_room(&m) + b.cap;
        if (room >= CQ_MEM_LARGE) room &= ~(size_t)4095;
        size_t const most = room - b.len;
        CQT_OK(cq_buf_reserve(&b, most, &e), &e);
        CQT_STATUS(cq_buf_reserve(&b, most + 4096, &e), CQ_EBUDGET);
        CQT_EQ_U(e.limit, limit);
        CQT_EQ_U(b.len, 500);
        check_content(&b);
        CQT(cq_mem_peak(&m) <= limit);
        cq_buf_reset(&b);
        CQT_EQ_U(cq_mem_used(&m), 0);
    }
}

static void absurd_sizes(void)
{
    cq_mem m;
    cq_buf b;
    cq_err e;
    cq_mem_init(&m, NULL, UINT64_MAX);
    cq_buf_init(&b, &m);
    append_some(&b, 10, &e);
    CQT(cq_buf_reserve(&b, SIZE_MAX, &e) != CQ_OK);
    CQT(cq_buf_reserve(&b, SIZE_MAX - 10, &e) != CQ_OK);
    CQT(cq_buf_reserve(&b, SIZE_MAX / 2, &e) != CQ_OK);
    check_content(&b);
    cq_buf_reset(&b);
    CQT_EQ_U(cq_mem_used(&m), 0);
}

static void every_request_fails(void)
{
    for (uint64_t k = 1;; k++) {
        cq_mem m;
        cq_buf b;
        cq_err e;
        bool failed = false;
        cq_mem_init(&m, NULL, 4 << 20);
        m.fail_at = k;
        cq_buf_init(&b, &m);
        for (size_t i = 0; i < 200; i++) {
            uint8_t piece[1000];
            for (size_t j = 0; j < sizeof piece; j++) piece[j] = byte_at(b.len + j);
            size_t const before = b.len;
            cq_status const st = cq_buf_append(&b, piece, sizeof piece, &e);
            if (st == CQ_OK) continue;
            CQT_EQ_I(st, CQ_ENOMEM);
            CQT_EQ_U(b.len, before);
            check_content(&b);
            failed = true;
        }
        check_content(&b);
        CQT_EQ_U(b.len, failed ? 199000 : 200000);
        cq_buf_reset(&b);
        CQT_EQ_U(cq_mem_used(&m), 0);
        if (!failed) break;
    }
}

void test_buf(void)
{
    CQT_RUN(appends);
    CQT_RUN(puts_without_checks);
    CQT_RUN(exact_where_doubling_does_not_fit);
    CQT_RUN(absurd_sizes);
    CQT_RUN(every_request_fails);
}
