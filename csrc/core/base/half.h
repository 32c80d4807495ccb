/* IEEE 754 half precision: the bits of a number, rounded to the nearest, ties to even. */
#ifndef CQ_BASE_HALF_H
#define CQ_BASE_HALF_H

#include "base/bytes.h"

/* The half nearest to a double, rounded once; false where a finite number is beyond 65504 by half a step or more.
 * A NaN keeps its sign and the upper bits of its payload, quiet. */
static inline bool cq_half_of_f64(double d, uint16_t *out)
{
    uint64_t bits;
    memcpy(&bits, &d, 8);
    const uint64_t sign = bits >> 48 & 0x8000u, mantissa = bits & ((UINT64_C(1) << 52) - 1);
    const int exponent = (int)(bits >> 52 & 0x7FFu) - 1023; /* lint: eleven bits */
    uint64_t half = 0;
    if (exponent == 1024) {
        half = mantissa ? 0x7E00u | mantissa >> 42 : 0x7C00u;
    } else if (exponent > 15) {
        return false;
    } else if (exponent >= -25) {
        const int shift = exponent >= -14 ? 42 : 28 - exponent; /* 42 to 53 bits go */
        const uint64_t whole = mantissa | UINT64_C(1) << 52, tie = UINT64_C(1) << (shift - 1);
        const uint64_t rest = whole & ((UINT64_C(1) << shift) - 1);
        half = whole >> shift;
        if (exponent >= -14) half += (uint64_t)(exponent + 14) << 10; /* the leading bit adds the last one */
        if (rest > tie || (rest == tie && (half & 1))) half++; /* may carry into the exponent, which is right */
        if (half >= 0x7C00u) return false;
    }
    *out = cq_u16(sign | half);
    return true;
}

#endif
