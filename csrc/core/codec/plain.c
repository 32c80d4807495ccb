/* PLAIN booleans: bit packing of width 1, the last byte padded with zeros. See plain.h. */
#include "codec/plain.h"

#include "base/bytes.h"
#include "codec/bitpack.h"

size_t cq_plain_encode_bool(const uint8_t *v, size_t n, uint8_t *dst)
{
    size_t const whole = n / 8 * 8;
    cq_bitpack_u8(v, whole, 1, dst);
    if (whole == n) return n / 8;
    uint8_t last[8] = {0};
    memcpy(last, v + whole, n - whole);
    cq_bitpack_u8(last, 8, 1, dst + n / 8);
    return n / 8 + 1;
}
