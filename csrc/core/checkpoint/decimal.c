/* From decimal digits to float32: a double that is wrong by a few units at most, and exact integer
 * comparison with the border of two float32 where that could decide. See decimal.h. */
#include "checkpoint/decimal.h"

#include "base/bytes.h"

#include <assert.h>
#include <float.h>
#include <math.h>

/* An unsigned integer of up to 1,024 bits. The largest here is below 2^760: 129 digits times
 * 10^41 times 2^150, or 2^25 times 10^175. */
typedef struct big {
    int n;
    uint32_t limb[32];
} big;

static void big_mul_add(big *b, uint32_t factor, uint32_t addend)
{
    uint64_t carry = addend;
    for (int i = 0; i < b->n; i++) {
        carry += (uint64_t)b->limb[i] * factor;
        b->limb[i] = cq_low32(carry);
        carry >>= 32;
    }
    if (carry) {
        assert(b->n < 32);
        b->limb[b->n++] = cq_u32(carry);
    }
}

static void big_mul_pow10(big *b, int64_t power)
{
    for (; power >= 9; power -= 9) big_mul_add(b, 1000000000u, 0);
    for (; power > 0; power--) big_mul_add(b, 10u, 0);
}

static void big_mul_pow2(big *b, int power)
{
    for (; power >= 31; power -= 31) big_mul_add(b, 0x80000000u, 0);
    if (power > 0) big_mul_add(b, 1u << power, 0);
}

static int big_compare(const big *a, const big *b)
{
    if (a->n != b->n) return a->n < b->n ? -1 : 1;
    for (int i = a->n - 1; i >= 0; i--)
        if (a->limb[i] != b->limb[i]) return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

/* The size of |d| in powers of ten: 10^(m-1) <= |d| < 10^m. */
static int64_t magnitude(const cq_decimal *d) { return d->n + d->exp10; }

/* |d| against a positive double of at most 25 bits, with |d| in [1e-47, 1e41). */
static int compare(const cq_decimal *d, double border)
{
    big a = {0}, b = {0};
    for (int i = 0; i < d->n; i++) big_mul_add(&a, 10u, d->digits[i]);
    int64_t exp10 = d->exp10;
    if (d->more) { /* any digit but 0 will do: see CQ_DECIMAL_DIGITS */
        big_mul_add(&a, 10u, 1u);
        exp10--;
    }
    int exp2;
    double const m = frexp(border, &exp2); /* border = (m * 2^25) * 2^(exp2 - 25) */
    big_mul_add(&b, 0, cq_u32((uint64_t)ldexp(m, 25)));
    exp2 -= 25;
    if (exp10 >= 0) big_mul_pow10(&a, exp10);
    else big_mul_pow10(&b, -exp10);
    if (exp2 >= 0) big_mul_pow2(&b, exp2);
    else big_mul_pow2(&a, -exp2);
    return big_compare(&a, &b);
}

static float from_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

#define INFINITE_BITS 0x7F800000u

/* The border above the positive float with these bits; 2^128 stands for the infinity. */
static double border_above(uint32_t bits)
{
    double const low = (double)from_bits(bits);
    double const high = bits + 1 == INFINITE_BITS ? 0x1p128 : (double)from_bits(bits + 1);
    return low + (high - low) / 2; /* exact: 25 bits */
}

/* Does |d| round to something above the float with these bits? */
static bool rounds_above(const cq_decimal *d, uint32_t bits)
{
    int const c = compare(d, border_above(bits));
    return c > 0 || (c == 0 && (bits & 1u)); /* a tie goes to the even one */
}

static bool finish(const cq_decimal *d, uint32_t bits, float *out)
{
    *out = from_bits(bits | (d->negative ? 0x80000000u : 0u));
    return bits < INFINITE_BITS;
}

/* 0 and what is far outside float32: true and the bits. */
static bool is_plain_case(const cq_decimal *d, uint32_t *bits)
{
    if (d->n == 0 || magnitude(d) < -46) *bits = 0;
    else if (magnitude(d) > 40) *bits = INFINITE_BITS;
    else return false;
    return true;
}

bool cq_decimal_to_f32_plain(const cq_decimal *d, float *out)
{
    uint32_t low = 0, high = INFINITE_BITS;
    if (is_plain_case(d, &low)) return finish(d, low, out);
    while (low < high) {
        uint32_t const mid = low + (high - low) / 2;
        if (rounds_above(d, mid)) low = mid + 1;
        else high = mid;
    }
    return finish(d, low, out);
}

bool cq_decimal_to_f32(const cq_decimal *d, float *out)
{
    uint32_t bits = 0;
    if (is_plain_case(d, &bits)) return finish(d, bits, out);

    uint64_t mantissa = 0;
    int n = 0;
    for (; n < d->n && n < 19; n++) mantissa = mantissa * 10 + d->digits[n];
    int64_t e = d->exp10 + (d->n - n);
    double x = (double)mantissa;
    for (; e > 22; e -= 22) x *= 1e22;
    for (; e < -22; e += 22) x /= 1e22;
    for (; e > 0; e--) x *= 10;
    double divisor = 1;
    for (; e < 0; e++) divisor *= 10; /* exact up to 1e22 */
    x /= divisor;

    /* Few roundings (the loop by tens adds up to 22): within 32 units of the last place of 53. */
    double const slack = x * 0x1p-47;
    if (x < (double)FLT_MAX) {
        float const f = (float)x;
        memcpy(&bits, &f, 4);
    } else {
        bits = INFINITE_BITS - 1;
    }
    if (fabs(x - border_above(bits)) <= slack || x > border_above(bits)) {
        if (rounds_above(d, bits)) bits++;
    } else if (bits > 0 && fabs(x - border_above(bits - 1)) <= slack) {
        if (!rounds_above(d, bits - 1)) bits--;
    }
    return finish(d, bits, out);
}
