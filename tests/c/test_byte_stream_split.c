/* BYTE_STREAM_SPLIT: bytes by hand, the fast forms against the plain twin, gaps between the streams, round trips. */
#include "codec/byte_stream_split.h"

#include "cqtest.h"

enum { MAX_N = 1100, GUARD = 32 };

static uint8_t v[MAX_N * 8 + 8], out[2 * MAX_N * 8 + GUARD], twin[sizeof out];

static void split(size_t width, const uint8_t *from, size_t n, uint8_t *dst, size_t stride)
{
    if (width == 4)
        cq_byte_stream_split_4(from, n, dst, stride);
    else
        cq_byte_stream_split_8(from, n, dst, stride);
}

static void by_hand(void)
{
    static const uint8_t four[] = {1, 2, 3, 4, 11, 12, 13, 14, 21, 22, 23, 24};
    static const uint8_t want4[] = {1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24};
    static const uint8_t eight[] = {1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 18};
    static const uint8_t want8[] = {1, 11, 2, 12, 3, 13, 4, 14, 5, 15, 6, 16, 7, 17, 8, 18};
    cq_byte_stream_split_4(four, 3, out, 3);
    CQT_EQ_MEM(out, want4, sizeof want4);
    cq_byte_stream_split_8(eight, 2, out, 2);
    CQT_EQ_MEM(out, want8, sizeof want8);
}

/* Every count around the groups of sixteen, at every alignment; nothing but the streams is written. */
static void twins_agree(void)
{
    cqt_rand_bytes(v, sizeof v);
    for (size_t width = 4; width <= 8; width += 4)
        for (size_t n = 0; n <= MAX_N; n += n < 70 ? 1 : 103)
            for (size_t gap = 0; gap < 4; gap++) {
                const uint8_t *from = v + (n + gap) % 8;
                size_t const stride = n + gap * 7, end = n ? (width - 1) * stride + n : 0;
                memset(out, 0xa5, sizeof out);
                memset(twin, 0xa5, sizeof twin);
                split(width, from, n, out, stride);
                cq_byte_stream_split_plain(from, n, width, twin, stride);
                CQT_EQ_MEM(out, twin, sizeof out);
                for (size_t i = end; i < end + GUARD; i++) CQT_EQ_U(out[i], 0xa5);
                for (size_t i = 0; i < n; i++)
                    for (size_t k = 0; k < width; k++) CQT_EQ_U(out[k * stride + i], from[i * width + k]);
            }
}

/* Pieces with the stride of the whole are the whole. */
static void in_pieces(void)
{
    cqt_rand_bytes(v, sizeof v);
    for (size_t width = 4; width <= 8; width += 4)
        for (int round = 0; round < 50; round++) {
            size_t const n = (size_t)cqt_rand_below(MAX_N);
            split(width, v, n, twin, n);
            for (size_t at = 0; at < n;) {
                size_t const m = 1 + (size_t)cqt_rand_below(n - at);
                split(width, v + at * width, m, out + at, n);
                at += m;
            }
            CQT_EQ_MEM(out, twin, n * width);
        }
}

void test_byte_stream_split(void)
{
    CQT_RUN(by_hand);
    CQT_RUN(twins_agree);
    CQT_RUN(in_pieces);
}
