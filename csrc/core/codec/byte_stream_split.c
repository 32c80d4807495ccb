/* Splitting values into byte streams, sixteen values at a time: see byte_stream_split.h.
 *
 * Sixteen values of w bytes are a matrix of 16 rows and w columns. Interleaving the lower half of its bytes with the
 * upper half moves every byte from place p to place 2p modulo (16 w - 1), and four of these rounds to 16 p, which is
 * the transposed place. A round is a few byte-unpack instructions on any machine with vectors, and gcc finds them. */
#include "codec/byte_stream_split.h"

#include <string.h>

enum { GROUP = 16 };

#define CQ_INLINE static inline __attribute__((always_inline))

CQ_INLINE void interleave(const uint8_t *restrict from, size_t half, uint8_t *restrict to)
{
    for (size_t k = 0; k < half; k++) {
        to[2 * k] = from[k];
        to[2 * k + 1] = from[half + k];
    }
}

CQ_INLINE void split(const uint8_t *restrict v, size_t n, size_t width, uint8_t *restrict dst, size_t stride)
{
    uint8_t a[GROUP * 8], b[GROUP * 8];
    size_t const bytes = GROUP * width, whole = n / GROUP * GROUP;
    for (size_t i = 0; i < whole; i += GROUP) {
        memcpy(a, v + i * width, bytes);
        interleave(a, bytes / 2, b);
        interleave(b, bytes / 2, a);
        interleave(a, bytes / 2, b);
        interleave(b, bytes / 2, a);
        for (size_t k = 0; k < width; k++) memcpy(dst + k * stride + i, a + k * GROUP, GROUP);
    }
    cq_byte_stream_split_plain(v + whole * width, n - whole, width, dst + whole, stride);
}

void cq_byte_stream_split_4(const uint8_t *v, size_t n, uint8_t *dst, size_t stride) { split(v, n, 4, dst, stride); }
void cq_byte_stream_split_8(const uint8_t *v, size_t n, uint8_t *dst, size_t stride) { split(v, n, 8, dst, stride); }

void cq_byte_stream_split_plain(const uint8_t *v, size_t n, size_t width, uint8_t *dst, size_t stride)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < width; k++) dst[k * stride + i] = v[i * width + k];
}
