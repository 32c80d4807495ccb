/* Bitmaps, lowest bit first, and the bytes of 0 and 1 that vectors have in their place. */
#ifndef CQ_BASE_BITMAP_H
#define CQ_BASE_BITMAP_H

#include <stdbool.h>
#include <stdint.h>

static inline bool cq_bitmap_get(const uint8_t *bits, int64_t i) { return bits[i >> 3] >> (i & 7) & 1; }

/* Bits [from, from + n): no byte beyond the last one's is read. */
bool cq_bitmap_has_zero(const uint8_t *bits, int64_t from, int64_t n);
void cq_bitmap_to_bytes(const uint8_t *bits, int64_t from, int64_t n, uint8_t *out);

#endif
