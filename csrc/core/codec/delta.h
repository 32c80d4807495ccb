/* DELTA_BINARY_PACKED for INT32 (deltas wrap at 32 bits) and INT64.
 *
 * Blocks of 128 values in 4 miniblocks of 32. A sequence of constant step costs about six bytes a
 * block: bit width 0 everywhere. The last block's unused miniblocks have width 0 and no data; the
 * last used miniblock is padded to 32 values. */
#ifndef CQ_CODEC_DELTA_H
#define CQ_CODEC_DELTA_H

#include <stddef.h>
#include <stdint.h>

/* Upper bound of the encoded size for n values of `width` 4 or 8 bytes. */
size_t cq_delta_bound(size_t n, unsigned width);

/* dst has cq_delta_bound bytes; returns the bytes written. n may be 0. */
size_t cq_delta_encode_i32(const int32_t *v, size_t n, uint8_t *dst);
size_t cq_delta_encode_i64(const int64_t *v, size_t n, uint8_t *dst);

/* The exact encoded size without writing it: for choosing. */
size_t cq_delta_size_i32(const int32_t *v, size_t n);
size_t cq_delta_size_i64(const int64_t *v, size_t n);

#endif
