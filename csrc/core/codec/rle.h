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
 * an RLE run from 8 on (16 at widths of whole bytes, 16 to 32 at widths below 4, where less would be
 * larger), everything else bit-packed groups; the last bit-packed group is padded with zeros. A run
 * is never omitted and never of width 0. */
size_t cq_rle_encode_u32(const uint32_t *v, size_t n, unsigned bit_width, uint8_t *dst);
/* Levels: one byte a slot, bit_width 1..8. */
size_t cq_rle_encode_u8(const uint8_t *v, size_t n, unsigned bit_width, uint8_t *dst);
/* n slots of one value: the bytes that the others give for them. */
size_t cq_rle_encode_const(uint32_t v, size_t n, unsigned bit_width, uint8_t *dst);

#endif
