/* BYTE_STREAM_SPLIT for values of 4 and 8 bytes: byte k of every value goes into stream k, and the streams stand one
 * behind the other. As many bytes as PLAIN has, with bytes of one significance side by side for the codec to find.
 *
 * `stride` is the distance between the streams in dst: n for a page, more where the values come in pieces that
 * become one page. dst has (width - 1) * stride + n bytes and does not overlap v; what lies between the streams is
 * left as it is. n may be 0. */
#ifndef CQ_CODEC_BYTE_STREAM_SPLIT_H
#define CQ_CODEC_BYTE_STREAM_SPLIT_H

#include <stddef.h>
#include <stdint.h>

void cq_byte_stream_split_4(const uint8_t *v, size_t n, uint8_t *dst, size_t stride);
void cq_byte_stream_split_8(const uint8_t *v, size_t n, uint8_t *dst, size_t stride);

/* The plain twin, of any width: what the others must give. */
void cq_byte_stream_split_plain(const uint8_t *v, size_t n, size_t width, uint8_t *dst, size_t stride);

#endif
