/* Decimal numbers as JSON texts hold them, and their float32: correctly rounded once, from the
 * decimal value itself, in any locale, for any number of digits and any exponent.
 *
 * Scanning the text is json_scan.c's; here are the collected digits and the arithmetic. */
#ifndef CQ_CHECKPOINT_DECIMAL_H
#define CQ_CHECKPOINT_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

/* The border between two float32 has at most 113 significant digits; more digits than that can
 * only say "a bit above", which is what `more` keeps. */
#define CQ_DECIMAL_DIGITS 128

/* (digits as an integer, plus a bit if `more`) * 10^exp10. A zeroed struct is 0. */
typedef struct cq_decimal {
    bool negative, more;
    int32_t n;
    int64_t exp10;
    uint8_t digits[CQ_DECIMAL_DIGITS + 1]; /* 0 .. 9, the first not 0 */
} cq_decimal;

/* Takes the next digit of the integer part, or of the fraction. */
static inline void cq_decimal_digit(cq_decimal *d, uint8_t digit, bool fraction)
{
    if (d->n < CQ_DECIMAL_DIGITS) {
        if (d->n > 0 || digit != 0) d->digits[d->n++] = digit;
        if (fraction) d->exp10--;
    } else {
        d->more |= digit != 0;
        if (!fraction) d->exp10++;
    }
}

/* False where the value is beyond float32 (it would round to infinity). Too small gives 0. */
bool cq_decimal_to_f32(const cq_decimal *d, float *out);
/* The plain twin: a search over all float32 by exact comparison. */
bool cq_decimal_to_f32_plain(const cq_decimal *d, float *out);

/* mantissa * 10^-places for at most 19 digits and places: false where only cq_decimal_to_f32 can
 * tell how to round. */
static inline bool cq_small_decimal_to_f32(uint64_t mantissa, unsigned places, float *out)
{
    /* Powers of ten that float and double hold exactly. */
    static const float exact_f32[] = {1e0F, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F, 1e6F, 1e7F, 1e8F, 1e9F, 1e10F};
    static const double exact_f64[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
                                       1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};
    if (mantissa < (UINT64_C(1) << 24) && places <= 10) {
        *out = (float)mantissa / exact_f32[places];
        return true;
    }
    /* Two roundings to double, each wrong by at most half a unit of its last place, so the value
     * lies within 2 units; the float32 is safe if no border of two float32, which are halfway in
     * the 29 bits that go, lies within 8. The smallest result, 1e-19, is far from subnormal. */
    double const x = (double)mantissa / exact_f64[places];
    union { double f; uint64_t u; } const bits = {x};
    uint64_t const low = bits.u & 0x1FFFFFFFu;
    if (low - (0x10000000u - 8u) <= 16u) return false;
    *out = (float)x;
    return true;
}

#endif
