/* Bitmaps at every offset and length against single bits, in blocks of exactly their bytes. */
#include "base/bitmap.h"

#include <stdlib.h>

#include "cqtest.h"

static void bytes_of_every_range(void)
{
    for (int64_t from = 0; from < 20; from++)
        for (int64_t n = 0; n < 200; n += 1 + (int64_t)cqt_rand_below(9)) {
            size_t const bytes = (size_t)(from + n + 7) / 8;
            uint8_t *bits = malloc(bytes ? bytes : 1), *out = malloc(n ? (size_t)n : 1);
            CQT(bits && out);
            cqt_rand_bytes(bits, bytes);
            cq_bitmap_to_bytes(bits, from, n, out);
            for (int64_t i = 0; i < n; i++) CQT_EQ_U(out[i], bits[(from + i) / 8] >> (from + i) % 8 & 1);
            free(bits);
            free(out);
        }
}

static void one_zero_is_found(void)
{
    for (int64_t from = 0; from < 9; from++)
        for (int64_t n = 1; n < 140; n++) {
            size_t const bytes = (size_t)(from + n + 7) / 8;
            uint8_t *bits = malloc(bytes);
            CQT(bits != NULL);
            memset(bits, 0, bytes);
            for (int64_t i = from; i < from + n; i++) bits[i / 8] = (uint8_t)(bits[i / 8] | 1 << i % 8);
            CQT(!cq_bitmap_has_zero(bits, from, n)); /* zeros in front and behind do not count */
            int64_t const at = from + (int64_t)cqt_rand_below((uint64_t)n);
            bits[at / 8] = (uint8_t)(bits[at / 8] & ~(1 << at % 8));
            CQT(cq_bitmap_has_zero(bits, from, n));
            CQT(!cq_bitmap_get(bits, at));
            free(bits);
        }
}

void test_bitmap(void)
{
    CQT_RUN(bytes_of_every_range);
    CQT_RUN(one_zero_is_found);
}
