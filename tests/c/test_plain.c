/* PLAIN booleans: every small length, the padding, and nothing written behind the last byte. */
#include "codec/plain.h"

#include "bitread.h"

static void check(size_t n, unsigned kind)
{
    static uint8_t v[65536 + 1], out[65536 / 8 + 2];
    for (size_t i = 0; i < n; i++) v[i] = (uint8_t)(kind == 0 ? 0 : kind == 1 ? 1 : cqt_rand() >> 40 & 1);
    memset(out, 0xa5, sizeof out);
    size_t const want = (n + 7) / 8;
    CQT_EQ_U(cq_plain_encode_bool(v, n, out), want);
    for (size_t i = 0; i < want * 8; i++) CQT_EQ_U(bits_at(out, i, 1), i < n ? v[i] : 0);
    CQT_EQ_U(out[want], 0xa5);
}

static void bools(void)
{
    for (unsigned kind = 0; kind < 3; kind++) {
        for (size_t n = 0; n <= 130; n++) check(n, kind);
        check(65535, kind);
        check(65536, kind);
    }
}

void test_plain(void)
{
    CQT_RUN(bools);
}
