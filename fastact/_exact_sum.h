/* The sum of exp(x) less 1, where it is next to nothing: logsumexp near 0.

   There the sum is needed to far more digits than two doubles have.  So it is computed in
   fixed point: limbs of 32 bits, the first of them before the point, 160 bits after it.
   An exponential is off by 2^-145 at most, so are the sums of a thousand by 2^-135; that
   takes some hundred nanoseconds, where a double takes one.

   exp(x) = 2^-n exp(f), f = x + n ln2 from 0 to ln2, and exp(f) = exp(f / 128)^128, for
   which 16 terms of the series are enough: (ln2 / 128)^17 / 17! < 2^-176. */
#ifndef FASTACT_EXACT_SUM_H
#define FASTACT_EXACT_SUM_H
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { FA_LIMBS = 6, FA_TERMS = 16, FA_SQUARINGS = 7 };

/* Where limbs end: exponentials below are nothing. */
#define FA_FIXED_LEAST (-110.0)

typedef struct {
    uint32_t limb[FA_LIMBS];
} fa_fixed;

/* ln2 = 0.b17217f7.. in base 2^32 */
static const uint32_t fa_fixed_ln2[FA_LIMBS] = {
    0, 0xb17217f7, 0xd1cf79ab, 0xc9e3b398, 0x03f2f6af, 0x40f34326,
};

static inline fa_fixed fa_fixed_product(fa_fixed a, fa_fixed b) {
    fa_fixed result;
    uint64_t carry = 0;
    /* (a column more than are kept, for what it carries) */
#pragma GCC unroll 8
    for (int column = FA_LIMBS; column >= 0; column--) {
        uint64_t low = carry, high = 0;
#pragma GCC unroll 8
        for (int i = 0; i < FA_LIMBS; i++) {
            if (column - i < 0 || column - i >= FA_LIMBS) continue;
            uint64_t product = (uint64_t)a.limb[i] * b.limb[column - i];
            low += (uint32_t)product;
            high += product >> 32;
        }
        carry = high + (low >> 32);
        if (column < FA_LIMBS) result.limb[column] = (uint32_t)low;
    }
    return result;
}

static inline fa_fixed fa_fixed_quotient(fa_fixed a, uint32_t by) {
    uint64_t rest = 0;
    for (int i = 0; i < FA_LIMBS; i++) {
        rest = rest << 32 | a.limb[i];
        a.limb[i] = (uint32_t)(rest / by);
        rest %= by;
    }
    return a;
}

/* a / 2^bits */
static inline fa_fixed fa_fixed_right(fa_fixed a, int bits) {
    fa_fixed result = {{0}};
    int limbs = bits / 32;
    for (int i = FA_LIMBS - 1; i >= limbs; i--) {
        uint64_t both = a.limb[i - limbs];
        if (i > limbs) both |= (uint64_t)a.limb[i - limbs - 1] << 32;
        result.limb[i] = (uint32_t)(both >> bits % 32);
    }
    return result;
}

/* a + factor b */
static inline void fa_fixed_add(fa_fixed *a, const uint32_t *b, uint32_t factor) {
    uint64_t carry = 0;
    for (int i = FA_LIMBS - 1; i >= 0; i--) {
        carry += a->limb[i] + (uint64_t)b[i] * factor;
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* -a, modulo 2^32 */
static inline void fa_fixed_negate(fa_fixed *a) {
    const uint32_t last[FA_LIMBS] = {0, 0, 0, 0, 0, 1};
    for (int i = 0; i < FA_LIMBS; i++) a->limb[i] = ~a->limb[i];
    fa_fixed_add(a, last, 1);
}

/* |x| < 2^31, without what is below the last limb. */
static inline fa_fixed fa_fixed_of(double x) {
    fa_fixed result;
    double a = fabs(x);
    for (int i = 0; i < FA_LIMBS; i++) {
        result.limb[i] = (uint32_t)a;
        a = (a - result.limb[i]) * 4294967296.0;
    }
    if (x < 0) fa_fixed_negate(&result);
    return result;
}

/* exp(x), x from FA_FIXED_LEAST to 0.69 */
static inline fa_fixed fa_fixed_exp(double x) {
    /* (not above the quotient: f is not negative) */
    int n = -(int)floor(x * 1.4426950408889634 - 1e-9);
    fa_fixed f = fa_fixed_of(x), p = {{1}};
    fa_fixed_add(&f, fa_fixed_ln2, (uint32_t)n);
    f = fa_fixed_right(f, FA_SQUARINGS);
    /* 1 + f (1 + f / 2 (1 + f / 3 (..))), eight terms over one denominator */
    for (uint32_t k = FA_TERMS; k > 0;) {
        uint32_t below = 1;
        for (int j = 0; j < 8; j++) {
            below *= k--;
            p = fa_fixed_product(f, p);
            p.limb[0] += below;
        }
        p = fa_fixed_quotient(p, below);
    }
    for (int k = 0; k < FA_SQUARINGS; k++) p = fa_fixed_product(p, p);
    return fa_fixed_right(p, n);
}

static inline void fa_fixed_add_exp(fa_fixed *sum, double x) {
    if (x < FA_FIXED_LEAST) return;
    fa_fixed more = fa_fixed_exp(x);
    fa_fixed_add(sum, more.limb, 1);
}

/* sum - 1, for a sum below 2, as two doubles. */
static inline double fa_fixed_less_1(fa_fixed sum, double *low) {
    int negative = sum.limb[0] == 0, k = 0;
    sum.limb[0]--;
    if (negative) fa_fixed_negate(&sum);
    while (k < FA_LIMBS - 1 && sum.limb[k] == 0) k++;
    uint32_t four[4] = {0, 0, 0, 0};
    memcpy(four, sum.limb + k, 4 * (FA_LIMBS - k < 4 ? FA_LIMBS - k : 4));
    /* 53 bits; 11 more, and two limbs */
    uint64_t two = (uint64_t)four[0] << 32 | four[1];
    double rest = (double)((two & 2047) << 32 | four[2]) + four[3] / 4294967296.0;
    double sign = negative ? -1.0 : 1.0;
    *low = sign * ldexp(rest, -32 * (k + 2));
    return sign * ldexp((double)(two & ~(uint64_t)2047), -32 * (k + 1));
}

#endif
