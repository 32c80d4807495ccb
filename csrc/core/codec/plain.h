/* PLAIN where the memory form is not already the encoded form: booleans. Fixed-width numbers and
 * length-prefixed byte arrays are stored as PLAIN by the column builder itself. */
#ifndef CQ_CODEC_PLAIN_H
#define CQ_CODEC_PLAIN_H

#include <stddef.h>
#include <stdint.h>

/* n bytes of 0 or 1 into (n + 7) / 8 bytes, least significant bit first, padded with zeros.
 * Returns the bytes written. */
size_t cq_plain_encode_bool(const uint8_t *v, size_t n, uint8_t *dst);

#endif
