/* Bit packing in groups of eight values, least significant bit first, as RLE and DELTA use it. */
#ifndef CQ_CODEC_BITPACK_H
#define CQ_CODEC_BITPACK_H

#include <stddef.h>
#include <stdint.h>

/* Packs n (a multiple of 8) values of bit_width <= 32 into n / 8 * bit_width bytes. Values must fit.
 * May write up to 8 bytes beyond the packed size: callers' bounds include that. Width 0 writes
 * nothing. `v` and `dst` do not overlap. */
void cq_bitpack_u32(const uint32_t *v, size_t n, unsigned bit_width, uint8_t *dst);
/* The same for bit_width <= 64. */
void cq_bitpack_u64(const uint64_t *v, size_t n, unsigned bit_width, uint8_t *dst);
/* The same for values of one byte, bit_width 1..8. */
void cq_bitpack_u8(const uint8_t *v, size_t n, unsigned bit_width, uint8_t *dst);

#endif
