/* The RLE / bit-packed hybrid of Parquet: levels and dictionary indexes.
 *
 * Encoders write into space of _bound() bytes and cannot fail. No length prefix and no bit-width
 * byte are written: those belong to the page. */
#ifndef CQ_CODEC_RLE_H
#define CQ_CODEC_RLE_H

#include <stddef.h>
#include <stdint.h>

/* Upper bound of the encoded size, with the slack that bit packing may overwrite. */
size_t cq_rle_bound(size_t n, unsigned bit_width);

/* bit_width 1..32; every value fits. Returns the bytes written; 0 for no values. Equal values become
 * an RLE run where that is smaller (from 8 on; from 16 or 32 on at widths below 4), everything else
 * bit-packed groups; the last bit-packed group is padded with zeros. A run is never omitted and never
 * of width 0. */
size_t cq_rle_encode_u32(const uint32_t *v, size_t n, unsigned bit_width, uint8_t *dst);
/* The same with no RLE run below min_run values, but for values that are all equal.
 *
 * Before zstd, CQ_RLE_MIN_RUN_ZSTD makes smaller pages: short runs among bit-packed groups hide from
 * it what repeats. Measured against 8 at whole-byte widths: dictionary indexes of real job metrics -1 %
 * at zstd 1 and +-0.1 % at zstd 3, indexes in random runs of up to 16 and 30 values -1 to -25 %.
 * Before snappy and without a codec the shortest runs (cq_rle_encode_u32) are smaller, up to two times
 * on such runs. */
#define CQ_RLE_MIN_RUN_ZSTD 32
size_t cq_rle_encode_u32_min(const uint32_t *v, size_t n, unsigned bit_width, size_t min_run, uint8_t *dst);
/* Levels: one byte a slot, bit_width 1..8. */
size_t cq_rle_encode_u8(const uint8_t *v, size_t n, unsigned bit_width, uint8_t *dst);
/* n slots of one value: the bytes that the others give for them. */
size_t cq_rle_encode_const(uint32_t v, size_t n, unsigned bit_width, uint8_t *dst);

#endif
