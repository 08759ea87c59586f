/* float64 with AVX-512: rows with an exponential, by its table.

   The compiler does not find vpermt2pd by itself, hence intrinsics; tables and
   coefficients come from tools/tables64.py.

   E = exp(|x|) = 2^n 2^(j/16) (1 + p), n + j / 16 = |x| / ln2 rounded, p = expm1(r),
   |r| <= ln2 / 32.  It is kept, times 2^-K, as H + L: H = 2^n 2^(j/16) to 20 bits, L the
   rest.  Then g = 1 / (1 + E), the sigmoid of -|x|, is R (1 + e) where R is near it and
   has 33 bits at most: e = 1 - R - R H - R L, in which R H is exact, as is the
   difference of it to 1, so that only what is small is rounded.  e < 2^-31: e^2 is
   nothing.  What is left of an error of g (1 ulp of it is 2^-53 or 2^-52): 2^-56.3 by
   the polynomial, 3 2^-59 by the roundings of r, p and L.

   The scale makes 1 + E finite where g is subnormal; it goes with the last operation.

   Two steps, as in _formulas.pxd, over blocks of 256.  Each function takes n, a
   multiple of 16, and where to put the value and the derivative: NULL where not. */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include "_tables64.h"

#define FA_PD(x) _mm512_set1_pd(x)
#define FA_WORD(x) _mm512_set1_epi64(x)
#define FA_BITS64(x) _mm512_castpd_si512(x)
#define FA_DOUBLE(x) _mm512_castsi512_pd(x)
#define FA_SIGN64 FA_WORD((long long)(1ULL << 63))
#define FA_MADD64(a, b, c) _mm512_fmadd_pd(a, b, c)
#define FA_NMADD64(a, b, c) _mm512_fnmadd_pd(a, b, c)
#define FA_PICK64(name, at) \
    _mm512_permutex2var_pd(_mm512_loadu_pd(name), at, _mm512_loadu_pd(name + 8))
/* 2^K (c[k] + c[k + 1] h) */
#define FA_ROOT64(k) FA_MADD64(h, FA_TO64(k + 1), FA_TO64(k))
#define FA_TO64(k) FA_PD(fa_silu_root[k] / FA_SCALE64)
#define FA_STEP static inline __attribute__((always_inline))
#define FA_BLOCK64 256

/* 2^-K */
#define FA_SCALE64 0x1p-100

/* min(|x|, top).  (The minimum keeps NaN only if that is its second operand.) */
FA_STEP __m512d fa_min_abs64(__m512d x, double top) {
    return _mm512_min_pd(FA_PD(top), _mm512_abs_pd(x));
}

/* From 760 on even x g is below half the smallest subnormal. */
FA_STEP __m512d fa_magnitude64(__m512d x) {
    return fa_min_abs64(x, 760.0);
}

/* y with the sign of x. */
FA_STEP __m512d fa_copysign64(__m512d y, __m512d x) {
    return FA_DOUBLE(_mm512_ternarylogic_epi64(
        FA_BITS64(y), FA_BITS64(x), FA_SIGN64, 0xd8
    ));
}

/* what the first part of ln2 leaves */
#define FA_LN2_LOW 0x1.cf79abc9e3b3ap-40

/* A sum with it has a multiple of 1/16 and bias in its low bits. */
#define FA_MAGIC64(bias) FA_PD(0x1.8p48 + (bias))

/* 2^n 2^(j/16) as H and the rest, times 2^(bias - K), where n + bias >= 0, for t with j,
   which picks, and n in its low bits.  (0 in the second table becomes a number that is
   still nothing.) */
FA_STEP void fa_powers64(__m512d t, __m512d *high, __m512d *low) {
    __m512i at = FA_BITS64(t), n = _mm512_slli_epi64(at, 48);
    *high = FA_DOUBLE(_mm512_add_epi64(n, FA_BITS64(FA_PICK64(fa_exp16_hi, at))));
    *low = FA_DOUBLE(_mm512_add_epi64(n, FA_BITS64(FA_PICK64(fa_exp16_lo, at))));
}

/* The powers for exp(a); returns k, the multiple of ln2, and with it the first part of
   a - k ln2, which is exact. */
FA_STEP __m512d fa_reduce64(
    __m512d a, __m512d magic, __m512d *high, __m512d *low, __m512d *first
) {
    __m512d t = FA_MADD64(a, FA_PD(0x1.71547652b82fep+0), magic);
    __m512d k = _mm512_sub_pd(t, magic);
    *first = FA_NMADD64(k, FA_PD(0x1.62e42fefap-1), a);
    fa_powers64(t, high, low);
    return k;
}

/* H and L, times 2^(bias - K), of exp(a). */
FA_STEP void fa_exp64_at(__m512d a, __m512d magic, __m512d *high, __m512d *low) {
    __m512d first, k = fa_reduce64(a, magic, high, low, &first);
    __m512d r = FA_NMADD64(k, FA_PD(FA_LN2_LOW), first);
    __m512d r2 = _mm512_mul_pd(r, r);
    __m512d p = FA_MADD64(r, FA_PD(fa_exp16_tail[3]), FA_PD(fa_exp16_tail[2]));
    p = FA_MADD64(r2, FA_PD(fa_exp16_tail[4]), p);
    p = FA_MADD64(r2, p, FA_MADD64(r, FA_PD(fa_exp16_tail[1]), FA_PD(fa_exp16_tail[0])));
    p = FA_MADD64(r2, p, r);
    *low = FA_MADD64(_mm512_add_pd(*high, *low), p, *low);
}

/* H and L of exp(|x|), times 2^-K. */
FA_STEP void fa_exp64(__m512d x, __m512d *high, __m512d *low) {
    fa_exp64_at(fa_magnitude64(x), FA_MAGIC64(0), high, low);
}

/* r cut to 33 bits: its product with one of 20 is exact. */
FA_STEP __m512d fa_short64(__m512d r) {
    return FA_DOUBLE(_mm512_and_si512(FA_BITS64(r), FA_WORD(~0xfffffLL)));
}

/* R, times 2^K, and e. */
FA_STEP __m512d fa_logistic64(__m512d high, __m512d low, __m512d *e) {
    const __m512d one = FA_PD(FA_SCALE64);
    __m512d r = _mm512_div_pd(FA_PD(1.0), _mm512_add_pd(high, _mm512_add_pd(low, one)));
    r = fa_short64(r);
    __m512d rest = FA_NMADD64(r, one, FA_NMADD64(r, high, FA_PD(1.0)));
    *e = FA_NMADD64(r, low, rest);
    return r;
}

/* 0 and scale for x < 0, otherwise 1 and -scale: scale g to the sigmoid of x. */
FA_STEP __m512d fa_base_of(__m512i neg) {
    return FA_DOUBLE(_mm512_andnot_si512(neg, FA_BITS64(FA_PD(1.0))));
}

FA_STEP __m512d fa_scale_of(__m512i neg, double scale) {
    return FA_DOUBLE(_mm512_ternarylogic_epi64(
        neg, FA_BITS64(FA_PD(-scale)), FA_SIGN64, 0x6c
    ));
}

/* f = g or 1 - g; f' = g (1 - g) = R m + R e (m - R), m = 1 - R. */
FA_STEP void fa_sigmoid_of(
    __m512d x, __m512d high, __m512d low, __m512d *f, __m512d *d
) {
    __m512d e, r = fa_logistic64(high, low, &e);
    if (f) {
        __m512i neg = _mm512_srai_epi64(FA_BITS64(x), 63);
        *f = FA_MADD64(FA_MADD64(r, e, r), fa_scale_of(neg, FA_SCALE64), fa_base_of(neg));
    }
    if (d) {
        const __m512d one = FA_PD(FA_SCALE64);
        __m512d m = FA_NMADD64(r, one, FA_PD(1.0));
        __m512d k = _mm512_mul_pd(_mm512_mul_pd(r, e), FA_NMADD64(r, one, m));
        *d = _mm512_mul_pd(FA_MADD64(r, m, k), one);
    }
}

/* f = -|x| g or x - |x| g, where |x| g = |x| R (1 + e) = y + z.

   f'(-|x|) = g G, G = 1 - |x| + |x| g; f'(x) = 1 - f'(-x).  At its root U the
   exponential is not good enough: within 1/16 of it, h Q(h), h = |x| - U. */
FA_STEP void fa_silu_of(__m512d x, __m512d high, __m512d low, __m512d *f, __m512d *d) {
    const __m512d minus = FA_PD(-FA_SCALE64);
    __m512i neg = _mm512_srai_epi64(FA_BITS64(x), 63);
    __m512d a = fa_magnitude64(x);
    __m512d e, r = fa_logistic64(high, low, &e);
    if (f) {
        __m512d y = _mm512_mul_pd(a, r);
        __m512d z = FA_MADD64(y, e, _mm512_fmsub_pd(a, r, y));
        /* x, or where x < 0 only its sign */
        __m512d base = FA_DOUBLE(_mm512_ternarylogic_epi64(
            neg, FA_BITS64(x), FA_SIGN64, 0x8c
        ));
        y = FA_MADD64(z, minus, FA_MADD64(y, minus, base));
        /* (with the sign of x: the least numbers may have gone through 0) */
        *f = fa_copysign64(y, x);
    }
    if (d) {
        const __m512d one = FA_PD(1.0);
        __m512d g = _mm512_mul_pd(r, FA_PD(FA_SCALE64));
        __m512d big = FA_MADD64(a, g, _mm512_sub_pd(one, a));
        /* g G = R G + R e (G + |x| R): e in G too */
        __m512d k = _mm512_mul_pd(_mm512_mul_pd(r, e), FA_MADD64(a, g, big));
        __m512d far = FA_MADD64(r, big, k);
        __m512d h = _mm512_sub_pd(a, FA_PD(FA_SILU_ROOT));
        __m512d h2 = _mm512_mul_pd(h, h);
        __m512d q = FA_MADD64(h2, FA_ROOT64(7), FA_ROOT64(5));
        q = FA_MADD64(h2, q, FA_ROOT64(3));
        q = FA_MADD64(h2, q, FA_ROOT64(1));
        q = FA_MADD64(h, q, FA_TO64(0));
        __m512d near = FA_MADD64(h, q, _mm512_mul_pd(q, FA_PD(-FA_SILU_ROOT_LOW)));
        __mmask8 is_near = _mm512_cmp_pd_mask(h2, FA_PD(0x1p-8), _CMP_LT_OQ);
        __m512d slope = _mm512_mask_mov_pd(far, is_near, near);
        *d = FA_MADD64(slope, fa_scale_of(neg, FA_SCALE64), fa_base_of(neg));
    }
}

/* From 0.7 on f = (a - 1) + 2 g, a = |x|, g the sigmoid of -2 a, in which the first
   difference is exact where it matters; f' = (1 - 2 g)^2.  Below, a^3 P(a^2), with what
   the roundings of both factors lose, and f' = (a - f)^2. */
FA_STEP void fa_tanh_shrink_of(
    __m512d x, __m512d high, __m512d low, __m512d *f, __m512d *d
) {
    const __m512d two = FA_PD(2 * FA_SCALE64);
    __m512d a = _mm512_abs_pd(x);
    __m512d e, r = fa_logistic64(high, low, &e);
    e = _mm512_mul_pd(r, e);
    __m512d far = FA_MADD64(e, two, FA_MADD64(r, two, _mm512_sub_pd(a, FA_PD(1.0))));
    __m512d w = _mm512_mul_pd(a, a);
    __m512d w2 = _mm512_mul_pd(w, w);
    __m512d a3 = _mm512_mul_pd(a, w);
    __m512d p = FA_PD(fa_tanh_shrink[12]), q = FA_PD(fa_tanh_shrink[11]);
#pragma GCC unroll 5
    for (int k = 10; k > 0; k -= 2) {
        p = FA_MADD64(p, w2, FA_PD(fa_tanh_shrink[k]));
        q = FA_MADD64(q, w2, FA_PD(fa_tanh_shrink[k - 1]));
    }
    q = FA_MADD64(p, w, q);
    p = FA_MADD64(q, w, FA_PD(fa_tanh_shrink[0]));
    q = FA_MADD64(q, w, _mm512_sub_pd(FA_PD(fa_tanh_shrink[0]), p));
    q = _mm512_mul_pd(a3, _mm512_add_pd(q, FA_PD(FA_THIRD_LOW)));
    w = FA_MADD64(a, _mm512_fmsub_pd(a, a, w), _mm512_fmsub_pd(a, w, a3));
    __m512d near = FA_MADD64(a3, p, FA_MADD64(w, p, q));
    __mmask8 is_near = _mm512_cmp_pd_mask(a, FA_PD(0.7), _CMP_LT_OQ);
    __m512d y = _mm512_mask_mov_pd(far, is_near, near);
    if (f) {
        *f = fa_copysign64(y, x);
    }
    if (d) {
        /* tanh(a) = t + t_low */
        __m512d t = FA_NMADD64(r, two, FA_PD(1.0));
        t = _mm512_mask_sub_pd(t, is_near, a, near);
        __m512d t_low = _mm512_mul_pd(e, FA_PD(-2 * FA_SCALE64));
        t_low = _mm512_mask_sub_pd(t_low, is_near, _mm512_sub_pd(a, t), near);
        *d = FA_MADD64(t, t, _mm512_mul_pd(_mm512_add_pd(t, t), t_low));
    }
}

/* Rows with e = exp(-|x|) in place of E, as H + L times 2^1000: n is 0 to -1097, and the
   scale again keeps off the subnormals, to go with the last operation. */
#define FA_UP64 0x1p1000
#define FA_DOWN64 0x1p-1000

/* max(x, -760) */
FA_STEP __m512d fa_floor64(__m512d x) {
    return _mm512_max_pd(FA_PD(-760.0), x);
}

/* max(-|x|, -760) */
FA_STEP __m512d fa_down64(__m512d x) {
    return fa_floor64(FA_DOUBLE(_mm512_or_si512(FA_BITS64(x), FA_SIGN64)));
}

/* x < 0: f = both (exp(x) - 1) = both ((H - 1) + H first + p), first the first part of
   the reduced x, exact, and p what is left, so small that its errors are nothing.  H - 1
   is exact down to x = -23, and 0 where H = 1.  So two roundings are left, the last and
   that of one sum: elu, of the second and the third (an ulp of them is at most one of f);
   selu, of the first and the second.  (both is one constant: 0.07 ulp.)

   f' = both exp(x).  From -2^-54 on f = both x (p has something of an entry that should
   be 0), for x > 0 it is scale x. */
FA_STEP void fa_elu_kind(__m512d x, double both, double scale, __m512d *f, __m512d *d) {
    const __m512d down = FA_PD(FA_DOWN64);
    __m512d high, low, first;
    __m512d k = fa_reduce64(fa_down64(x), FA_MAGIC64(1100), &high, &low, &first);
    __m512d second = _mm512_mul_pd(k, FA_PD(FA_LN2_LOW));
    __m512d r = _mm512_sub_pd(first, second);
    __m512d r2 = _mm512_mul_pd(r, r);
    __m512d p = FA_MADD64(r, FA_PD(fa_expm1_tail[3]), FA_PD(fa_expm1_tail[2]));
    __m512d q = FA_MADD64(r, FA_PD(fa_expm1_tail[5]), FA_PD(fa_expm1_tail[4]));
    p = FA_MADD64(r2, q, p);
    q = FA_MADD64(r, FA_PD(fa_expm1_tail[1]), FA_PD(fa_expm1_tail[0]));
    p = _mm512_fmsub_pd(r2, FA_MADD64(r2, p, q), second);
    p = FA_MADD64(_mm512_add_pd(high, low), p, FA_MADD64(low, first, low));
    __m512d rest = FA_MADD64(high, first, p);
    if (f) {
        __m512d h = _mm512_mul_pd(high, down), m = _mm512_sub_pd(h, FA_PD(1.0)), y;
        if (both == 1) {
            y = FA_MADD64(rest, down, m);
        } else {
            y = _mm512_mul_pd(p, FA_PD(both * FA_DOWN64));
            y = FA_MADD64(FA_MADD64(h, first, m), FA_PD(both), y);
        }
        __mmask8 neg = _mm512_movepi64_mask(FA_BITS64(x));
        __mmask8 line = _mm512_cmp_pd_mask(x, FA_PD(-0x1p-54), _CMP_NLT_UQ);
        __m512d slope = _mm512_mask_mov_pd(FA_PD(scale), neg, FA_PD(both));
        *f = _mm512_mask_mul_pd(y, line, x, slope);
    }
    if (d) {
        __m512d y = _mm512_add_pd(high, rest);
        y = _mm512_mul_pd(y, FA_PD(both * FA_DOWN64));
        __mmask8 line = _mm512_cmp_pd_mask(x, _mm512_setzero_pd(), _CMP_GT_OQ);
        *d = _mm512_mask_mov_pd(y, line, FA_PD(scale));
    }
}

/* log1p(e) = hi + lo, times 2^1000, 0.1 ulp at most without the last rounding.

   A table has c near 1 / (1 + j / 15.49), to 20 bits, and -log(c), of which the first part
   is a multiple of 2^-44: z = (1 + e) c - 1 = z1 + z2, |z| < 1/28, with z1 of H exact, and
   its sum with -log(c), hi, too.  lo is the rest, z2 + z^2 P(z) + .., a few per cent of hi,
   and so are its rounding errors.  Where j is 0 both c = 1 and -log(c) = 0 are exact: hi is
   H, and e so small that log1p(e) is nearly e keeps the digits that it has. */
FA_STEP __m512d fa_log1p64(__m512d high, __m512d low, __m512d *lo) {
    const __m512d up = FA_PD(FA_UP64);
    __m512i at = FA_BITS64(FA_MADD64(
        high, FA_PD(FA_LOG_STEPS * FA_DOWN64), FA_PD(0x1.8p52)
    ));
    __m512d c = FA_PICK64(fa_log16_c, at);
    __m512d z1 = FA_MADD64(c, _mm512_add_pd(high, up), high);
    __m512d z2 = FA_MADD64(c, low, low);
    __m512d z = _mm512_add_pd(z1, z2);
    __m512d w = _mm512_mul_pd(z, FA_PD(FA_DOWN64));
    __m512d w2 = _mm512_mul_pd(w, w);
    __m512d p = FA_MADD64(w, FA_PD(fa_log16_tail[7]), FA_PD(fa_log16_tail[6]));
#pragma GCC unroll 3
    for (int k = 4; k >= 0; k -= 2) {
        __m512d q = FA_MADD64(w, FA_PD(fa_log16_tail[k + 1]), FA_PD(fa_log16_tail[k]));
        p = FA_MADD64(p, w2, q);
    }
    *lo = _mm512_add_pd(FA_PICK64(fa_log16_lo, at), z2);
    *lo = FA_MADD64(_mm512_mul_pd(z, w), p, *lo);
    return _mm512_add_pd(FA_PICK64(fa_log16_hi, at), z1);
}

/* softplus(x) = max(x, 0) + log1p(e), the first sum with what it lost (either may be the
   larger), or log_sigmoid(x) = -softplus(-x); x itself where |x| is large.

   f' = n / (1 + e), n = e or 1, by a short reciprocal as the sigmoid above: n = H or 1
   and L or 0, the product of the first with R is exact. */
FA_STEP void fa_soft_of(
    __m512d x, __m512d high, __m512d low, int flip, __m512d *f, __m512d *d
) {
    const __m512d up = FA_PD(FA_UP64), down = FA_PD(FA_DOWN64);
    const __m512d none = _mm512_setzero_pd();
    __mmask8 above = flip ? _mm512_cmp_pd_mask(x, none, _CMP_LT_OQ)
                          : _mm512_cmp_pd_mask(x, none, _CMP_GT_OQ);
    if (f) {
        __m512d lo, hi = fa_log1p64(high, low, &lo);
        __m512d a = _mm512_maskz_mul_pd(above, x, FA_PD(flip ? -FA_UP64 : FA_UP64));
        __m512d t = _mm512_add_pd(a, hi);
        __m512d rest = _mm512_sub_pd(t, _mm512_max_pd(a, hi));
        lo = _mm512_add_pd(lo, _mm512_sub_pd(_mm512_min_pd(a, hi), rest));
        t = _mm512_mul_pd(_mm512_add_pd(t, lo), FA_PD(flip ? -FA_DOWN64 : FA_DOWN64));
        __mmask8 line = flip ? _mm512_cmp_pd_mask(x, FA_PD(-700.0), _CMP_NGE_UQ)
                             : _mm512_cmp_pd_mask(x, FA_PD(700.0), _CMP_NLE_UQ);
        *f = _mm512_mask_mov_pd(t, line, x);
    }
    if (d) {
        __m512d r = _mm512_div_pd(up, _mm512_add_pd(high, _mm512_add_pd(low, up)));
        r = fa_short64(r);
        __m512d rest = FA_NMADD64(r, high, FA_NMADD64(r, up, up));
        rest = _mm512_mul_pd(FA_NMADD64(r, low, rest), down);
        __m512d q = _mm512_mul_pd(_mm512_mask_mov_pd(high, above, up), r);
        __m512d y = _mm512_mul_pd(_mm512_mask_mov_pd(low, above, none), r);
        y = FA_MADD64(_mm512_add_pd(q, y), rest, y);
        *d = _mm512_mul_pd(_mm512_add_pd(q, y), down);
    }
}

FA_STEP void fa_softplus_of(
    __m512d x, __m512d high, __m512d low, __m512d *f, __m512d *d
) {
    fa_soft_of(x, high, low, 0, f, d);
}

FA_STEP void fa_log_sigmoid_of(
    __m512d x, __m512d high, __m512d low, __m512d *f, __m512d *d
) {
    fa_soft_of(x, high, low, 1, f, d);
}

/* mish: f = x N / D, N = e (e + 2), D = N + 2; f' = e K / D^2,
       K = 4 (1 + x) + e (6 + 4 x) + e^2 (4 + e);
   e = exp(x) = H + L for both signs of x; from 22 on f is x and f' 1.  For x < -64, where
   nothing of e counts in D and K, H, L and N are times 2^1000.

   N, D and K are sums of something of H, exact where it matters, and of what has a factor
   L.  R is 1 / D to 33 bits, 1 / D = R (1 + rest).  So N / D is rounded once, and its
   product with x: 1.5 ulp and a little.  In f' each quotient keeps what it lost; what is
   left are the roundings of K.  Its first part is taken as 4 (1 + x) (1 + H) + 2 H + H p, p
   = H (4 + H): around the root of f', -1.19, they cancel the least; within 1/16 of it even
   that is not good enough, and a polynomial comes in. */
FA_STEP __mmask8 fa_mish_far(__m512d x) {
    return _mm512_cmp_pd_mask(x, FA_PD(-64.0), _CMP_LT_OQ);
}

FA_STEP void fa_mish_exp(__m512d x, __m512d *high, __m512d *low) {
    __m512d bias = _mm512_mask_mov_pd(FA_MAGIC64(100), fa_mish_far(x), FA_MAGIC64(1100));
    x = _mm512_min_pd(FA_PD(24.0), fa_floor64(x));
    fa_exp64_at(x, bias, high, low);
}

/* dl; D = dh + dl. */
FA_STEP __m512d fa_mish_below(__m512d x, __m512d nh, __m512d nl, __m512d *dh) {
    const __m512d two = FA_PD(2.0);
    __mmask8 near = ~fa_mish_far(x);
    __m512d n = _mm512_maskz_mov_pd(near, nh);
    *dh = _mm512_add_pd(n, two);
    __m512d dl = _mm512_sub_pd(n, _mm512_sub_pd(*dh, two));
    return _mm512_mask_add_pd(dl, near, dl, nl);
}

/* R; N = nh + nl. */
FA_STEP __m512d fa_mish_parts(
    __m512d x, __m512d high, __m512d low, __m512d *nh, __m512d *nl
) {
    __mmask8 near = ~fa_mish_far(x);
    __m512d h = _mm512_maskz_mov_pd(near, high), l = _mm512_maskz_mov_pd(near, low);
    __m512d t = _mm512_add_pd(_mm512_add_pd(h, FA_PD(2.0)), _mm512_add_pd(h, l));
    __m512d twice = _mm512_add_pd(high, high);
    *nh = FA_MADD64(high, h, twice);
    *nl = FA_MADD64(low, t, FA_MADD64(high, h, _mm512_sub_pd(twice, *nh)));
    __m512d dh, dl = fa_mish_below(x, *nh, *nl, &dh);
    __m512d r = _mm512_div_pd(FA_PD(1.0), _mm512_add_pd(dh, dl));
    return fa_short64(r);
}

/* The first part of K; kl is the second. */
FA_STEP __m512d fa_mish_factor(__m512d x, __m512d high, __m512d low, __m512d *kl) {
    const __m512d one = FA_PD(1.0), two = FA_PD(2.0), four = FA_PD(4.0);
    __mmask8 near = ~fa_mish_far(x);
    __m512d h = _mm512_maskz_mov_pd(near, high), l = _mm512_maskz_mov_pd(near, low);
    __m512d k0 = FA_MADD64(fa_floor64(x), four, four);
    __m512d y = _mm512_add_pd(four, h);
    __m512d p = _mm512_mul_pd(h, y);
    __m512d w = _mm512_mul_pd(l, _mm512_add_pd(y, _mm512_add_pd(h, l)));
    __m512d v = _mm512_add_pd(_mm512_add_pd(k0, two), _mm512_add_pd(p, w));
    w = FA_MADD64(h, w, _mm512_mul_pd(l, v));
    __m512d k = FA_MADD64(k0, _mm512_add_pd(one, h), _mm512_add_pd(h, h));
    k = FA_MADD64(h, p, k);
    __m512d sum = _mm512_add_pd(k, w);
    *kl = _mm512_sub_pd(w, _mm512_sub_pd(sum, k));
    return sum;
}

/* x (N / D) */
FA_STEP __m512d fa_mish_value(
    __m512d x, __m512d nh, __m512d nl, __m512d r, __m512d rest
) {
    __m512d c = _mm512_mul_pd(r, FA_MADD64(_mm512_add_pd(nh, nl), rest, nl));
    __m512d y = FA_MADD64(nh, r, c);
    y = _mm512_mul_pd(y, fa_floor64(x));
    return _mm512_mask_mul_pd(y, fa_mish_far(x), y, FA_PD(FA_DOWN64));
}

/* (e R (1 + rest)) (K / D): eh + el times q + ql; around the root, where v is 0, a
   constant, a slope in two parts, .. */
FA_STEP __m512d fa_mish_slope(
    __m512d x, __m512d high, __m512d low, __m512d dh, __m512d dl, __m512d r,
    __m512d rest, __m512d kh, __m512d kl
) {
    __m512d q = _mm512_mul_pd(kh, r);
    __m512d ql = FA_NMADD64(q, dl, FA_NMADD64(q, dh, kh));
    ql = _mm512_mul_pd(r, _mm512_add_pd(ql, kl));
    __m512d el = _mm512_mul_pd(r, FA_MADD64(_mm512_add_pd(high, low), rest, low));
    __m512d eh = _mm512_mul_pd(high, r);
    __m512d y = FA_MADD64(_mm512_add_pd(eh, el), ql, _mm512_mul_pd(el, q));
    y = FA_MADD64(eh, q, y);
    y = _mm512_mask_mul_pd(y, fa_mish_far(x), y, FA_PD(FA_DOWN64));
    __m512d v = _mm512_add_pd(x, FA_PD(FA_MISH_ROOT));
    __m512d v2 = _mm512_mul_pd(v, v);
    __m512d p = FA_MADD64(v, FA_PD(fa_mish_root[8]), FA_PD(fa_mish_root[7]));
#pragma GCC unroll 3
    for (int i = 5; i > 0; i -= 2) {
        __m512d odd = FA_MADD64(v, FA_PD(fa_mish_root[i + 1]), FA_PD(fa_mish_root[i]));
        p = FA_MADD64(v2, p, odd);
    }
    p = FA_MADD64(v, p, FA_PD(FA_MISH_ROOT_LOW));
    p = FA_MADD64(v, p, FA_PD(FA_MISH_AT_ROOT));
    p = FA_MADD64(v, FA_PD(fa_mish_root[0]), p);
    __mmask8 root = _mm512_cmp_pd_mask(v2, FA_PD(0x1p-8), _CMP_LT_OQ);
    return _mm512_mask_mov_pd(y, root, p);
}

/* The loop of a row over both of its steps; the first leaves h and l of v. */
#define FA_LOOP64_OF(name, first) \
    FA_STEP void fa_##name##_f64(const double *x, double *f, double *d, ptrdiff_t n) { \
        double high[FA_BLOCK64] __attribute__((aligned(64))); \
        double low[FA_BLOCK64] __attribute__((aligned(64))); \
        for (; n > 0; n -= FA_BLOCK64) { \
            ptrdiff_t m = n < FA_BLOCK64 ? n : FA_BLOCK64; \
            __m512d h, l, value, slope; \
            for (ptrdiff_t i = 0; i < m; i += 8) { \
                __m512d v = _mm512_loadu_pd(x + i); \
                first; \
                _mm512_storeu_pd(high + i, h); \
                _mm512_storeu_pd(low + i, l); \
            } \
            for (ptrdiff_t i = 0; i < m; i += 8) { \
                h = _mm512_loadu_pd(high + i); \
                l = _mm512_loadu_pd(low + i); \
                fa_##name##_of( \
                    _mm512_loadu_pd(x + i), h, l, f ? &value : NULL, d ? &slope : NULL \
                ); \
                if (f) _mm512_storeu_pd(f + i, value); \
                if (d) _mm512_storeu_pd(d + i, slope); \
            } \
            x += m; \
            if (f) f += m; \
            if (d) d += m; \
        } \
    }

/* ... of exp(factor |x|) */
#define FA_LOOP64(name, factor) \
    FA_LOOP64_OF(name, fa_exp64(_mm512_mul_pd(v, FA_PD(factor)), &h, &l))

FA_LOOP64(sigmoid, 1.0)
FA_LOOP64(silu, 1.0)
FA_LOOP64(tanh_shrink, 2.0)

/* alpha = 1, where elu and celu are one */
#define FA_LOOP64_ELU(name, both, scale) \
    FA_STEP void fa_##name##_f64(const double *x, double *f, double *d, ptrdiff_t n) { \
        for (ptrdiff_t i = 0; i < n; i += 8) { \
            __m512d value = _mm512_setzero_pd(), slope = value; \
            fa_elu_kind( \
                _mm512_loadu_pd(x + i), both, scale, f ? &value : NULL, d ? &slope : NULL \
            ); \
            if (f) _mm512_storeu_pd(f + i, value); \
            if (d) _mm512_storeu_pd(d + i, slope); \
        } \
    }

FA_LOOP64_ELU(elu, 1.0, 1.0)
FA_LOOP64_ELU(celu, 1.0, 1.0)
FA_LOOP64_ELU(selu, 1.7580993408473768, 1.0507009873554805)

/* ... of exp(-|x|), times 2^1000 */
#define FA_LOOP64_DOWN(name) \
    FA_LOOP64_OF(name, fa_exp64_at(fa_down64(v), FA_MAGIC64(1100), &h, &l))

FA_LOOP64_DOWN(softplus)
FA_LOOP64_DOWN(log_sigmoid)

/* Three steps: the exponential, the division and K, the rest. */
FA_STEP void fa_mish_f64(const double *x, double *f, double *d, ptrdiff_t n) {
    double kept[7][FA_BLOCK64] __attribute__((aligned(64)));
    for (; n > 0; n -= FA_BLOCK64) {
        ptrdiff_t m = n < FA_BLOCK64 ? n : FA_BLOCK64;
        for (ptrdiff_t i = 0; i < m; i += 8) {
            __m512d h, l;
            fa_mish_exp(_mm512_loadu_pd(x + i), &h, &l);
            _mm512_storeu_pd(kept[0] + i, h);
            _mm512_storeu_pd(kept[1] + i, l);
        }
        for (ptrdiff_t i = 0; i < m; i += 8) {
            __m512d v = _mm512_loadu_pd(x + i);
            __m512d h = _mm512_loadu_pd(kept[0] + i), l = _mm512_loadu_pd(kept[1] + i);
            __m512d nl, nh;
            _mm512_storeu_pd(kept[2] + i, fa_mish_parts(v, h, l, &nh, &nl));
            _mm512_storeu_pd(kept[3] + i, nh);
            _mm512_storeu_pd(kept[4] + i, nl);
            if (d) {
                _mm512_storeu_pd(kept[5] + i, fa_mish_factor(v, h, l, &nl));
                _mm512_storeu_pd(kept[6] + i, nl);
            }
        }
        for (ptrdiff_t i = 0; i < m; i += 8) {
            __m512d v = _mm512_loadu_pd(x + i);
            __m512d r = _mm512_loadu_pd(kept[2] + i);
            __m512d nh = _mm512_loadu_pd(kept[3] + i), nl = _mm512_loadu_pd(kept[4] + i);
            __m512d dh, dl = fa_mish_below(v, nh, nl, &dh);
            __m512d rest = FA_NMADD64(r, dl, FA_NMADD64(r, dh, FA_PD(1.0)));
            __mmask8 line = _mm512_cmp_pd_mask(v, FA_PD(22.0), _CMP_GT_OQ);
            if (f) {
                __m512d y = fa_mish_value(v, nh, nl, r, rest);
                _mm512_storeu_pd(f + i, _mm512_mask_mov_pd(y, line, v));
            }
            if (d) {
                __m512d y = fa_mish_slope(
                    v, _mm512_loadu_pd(kept[0] + i), _mm512_loadu_pd(kept[1] + i), dh, dl,
                    r, rest, _mm512_loadu_pd(kept[5] + i), _mm512_loadu_pd(kept[6] + i)
                );
                _mm512_storeu_pd(d + i, _mm512_mask_mov_pd(y, line, FA_PD(1.0)));
            }
        }
        x += m;
        if (f) f += m;
        if (d) d += m;
    }
}

/* ---- tanh, and x times a sigmoid of another argument ---- */

/* H and L of exp(c a + c rest) 2^(offset - K); the numbers of c: tools/tables64.py.
   c h is not formed: h is left of a as r is above, and the polynomial knows of c. */
FA_STEP void fa_growth64(
    __m512d a, const __m512d *rest, double offset, const double *c,
    __m512d *high, __m512d *low
) {
    const __m512d magic = FA_MAGIC64(offset);
    __m512d t = FA_MADD64(a, FA_PD(c[0]), magic);
    __m512d k = _mm512_sub_pd(t, magic);
    __m512d h = FA_NMADD64(k, FA_PD(c[1]), a);
    if (rest) h = _mm512_add_pd(h, FA_NMADD64(k, FA_PD(c[2]), *rest));
    else h = FA_NMADD64(k, FA_PD(c[2]), h);
    __m512d p = FA_MADD64(h, FA_PD(c[8]), FA_PD(c[7]));
    p = FA_MADD64(h, p, FA_PD(c[6]));
    p = FA_MADD64(h, p, FA_PD(c[5]));
    p = FA_MADD64(h, p, FA_PD(c[4]));
    p = _mm512_mul_pd(h, FA_MADD64(h, p, FA_PD(c[3])));
    fa_powers64(t, high, low);
    *low = FA_MADD64(_mm512_add_pd(*high, *low), p, *low);
}

/* R near 1 / (one + H + L), and e, R (1 + e) = 1 / (one + H + L).  A short R has 33
   bits; of a full one R H is rounded in 1 - R H, by 2^-59 of 1. */
FA_STEP __m512d fa_inverse64(
    __m512d high, __m512d low, double scale, int is_short, __m512d *e
) {
    __m512d both = _mm512_add_pd(high, FA_PD(scale));
    __m512d r = _mm512_div_pd(FA_PD(1.0), _mm512_add_pd(both, low));
    if (is_short) r = fa_short64(r);
    *e = FA_NMADD64(r, low, FA_NMADD64(r, both, FA_PD(1.0)));
    return r;
}

/* What H + one lost; 0 for E < 2^33. */
FA_STEP __m512d fa_lost64(__m512d high, double scale) {
    const __m512d one = FA_PD(scale);
    return _mm512_sub_pd(one, _mm512_sub_pd(_mm512_add_pd(high, one), high));
}

/* tanh(a) = 1 - G, a = |x|, G = 2 / (1 + exp(2 a)); E here is half of that exponential.
   f' = G (1 + f).  Below 0.126, where that would cost digits, a + a^3 P(a^2).

   The value alone needs no scale: nothing is left of G from a = 20 on. */
FA_STEP void fa_tanh_exp64(__m512d x, const double *d, __m512d *high, __m512d *low) {
    __m512d a = fa_min_abs64(x, d ? 380.0 : 20.0);
    fa_growth64(a, NULL, d ? -1.0 : 99.0, fa_tanh_growth, high, low);
}

FA_STEP void fa_tanh_of(__m512d x, __m512d high, __m512d low, __m512d *f, __m512d *d) {
    const double factor = d ? FA_SCALE64 : 1.0;
    const __m512d scale = FA_PD(factor), one = FA_PD(1.0);
    __m512d a = _mm512_abs_pd(x);
    __mmask8 near = _mm512_cmp_pd_mask(a, FA_PD(FA_TANH_EDGE), _CMP_LT_OQ);
    __m512d w = _mm512_mul_pd(a, a);
    __m512d p = FA_PD(fa_tanh_series[5]);
#pragma GCC unroll 5
    for (int k = 4; k >= 0; k--) p = FA_MADD64(w, p, FA_PD(fa_tanh_series[k]));
    p = FA_MADD64(_mm512_mul_pd(w, a), p, a);
    __m512d e, r = fa_inverse64(high, low, factor / 2, 0, &e);
    __m512d g = _mm512_mul_pd(r, scale);
    /* 1 - g - g e, with what the first difference lost */
    __m512d m = _mm512_sub_pd(one, g);
    __m512d rest = _mm512_sub_pd(_mm512_sub_pd(one, m), g);
    __m512d y = _mm512_add_pd(m, FA_NMADD64(g, e, rest));
    y = _mm512_mask_mov_pd(y, near, p);
    if (f) {
        *f = fa_copysign64(y, x);
    }
    if (d) {
        /* R (1 + y) + R e (1 + y): of the first only one rounding, not that of 1 + y */
        e = _mm512_mul_pd(g, FA_NMADD64(r, fa_lost64(high, factor / 2), e));
        *d = FA_MADD64(FA_MADD64(r, y, r), scale, FA_MADD64(e, y, e));
        *d = _mm512_mask_mov_pd(*d, near, FA_NMADD64(y, y, one));
    }
}

/* x times the sigmoid: -|x| g or x - |x| g, |x| g = |x| R (1 + e), rounded once. */
FA_STEP __m512d fa_gated_of(__m512d x, __m512d a, __m512d r, __m512d e) {
    __m512d y = _mm512_mul_pd(a, r);
    y = _mm512_add_pd(y, FA_MADD64(y, e, _mm512_fmsub_pd(a, r, y)));
    /* x, or where x < 0 only its sign; NaN comes from x */
    __m512d base = _mm512_max_pd(FA_PD(-0.0), x);
    return FA_MADD64(y, FA_PD(-FA_SCALE64), base);
}

/* scale d for x < 0, otherwise 1 - scale d. */
FA_STEP __m512d fa_slope_of(__m512d x, __m512d d, double scale) {
    __m512i neg = _mm512_srai_epi64(FA_BITS64(x), 63);
    return FA_MADD64(d, fa_scale_of(neg, scale), fa_base_of(neg));
}

/* 2^K G (1 - (v + v_low) (1 - G)): m = 1 - R is exact (R is short), so that the sum is
   rounded once, and what e and v_low add is small. */
FA_STEP __m512d fa_gated_slope(__m512d r, __m512d e, __m512d v, __m512d v_low) {
    __m512d g = _mm512_mul_pd(r, FA_PD(FA_SCALE64)), one = FA_PD(1.0);
    __m512d m = _mm512_sub_pd(one, g), sum = FA_NMADD64(v, m, one);
    __m512d low = _mm512_mul_pd(e, FA_MADD64(v, g, sum));
    low = FA_NMADD64(v_low, m, low);
    return FA_MADD64(r, sum, _mm512_mul_pd(r, low));
}

/* In place of d, within the width of the root U: 2^K h Q(h), h = a - U. */
FA_STEP __m512d fa_near_root(
    __m512d a, __m512d d, const double *root, int degree, double width
) {
    __m512d h = _mm512_sub_pd(a, FA_PD(root[0]));
    __m512d q = FA_PD(root[2 + degree] / FA_SCALE64);
#pragma GCC unroll 16
    for (int k = degree - 1; k >= 0; k--)
        q = FA_MADD64(h, q, FA_PD(root[2 + k] / FA_SCALE64));
    q = FA_MADD64(h, q, _mm512_mul_pd(q, FA_PD(-root[1])));
    __mmask8 near = _mm512_cmp_pd_mask(_mm512_abs_pd(h), FA_PD(width), _CMP_LT_OQ);
    return _mm512_mask_mov_pd(d, near, q);
}

/* v = b a, b = 1.702. */
FA_STEP void fa_quick_gelu_exp64(__m512d x, const double *d, __m512d *high, __m512d *low) {
    __m512d a = fa_min_abs64(x, 446.0);
    fa_growth64(a, NULL, 0.0, fa_quick_gelu_growth, high, low);
}

FA_STEP void fa_quick_gelu_of(
    __m512d x, __m512d high, __m512d low, __m512d *f, __m512d *d
) {
    __m512d a = fa_min_abs64(x, 446.0);
    __m512d e, r = fa_inverse64(high, low, FA_SCALE64, 1, &e);
    if (f) *f = fa_gated_of(x, a, r, e);
    if (d) {
        const __m512d b = FA_PD(fa_quick_gelu_growth[3]);
        __m512d v = _mm512_mul_pd(a, b), v_low = _mm512_fmsub_pd(a, b, v);
        v_low = FA_MADD64(a, FA_PD(FA_QUICK_GELU_LOW), v_low);
        e = FA_NMADD64(r, fa_lost64(high, FA_SCALE64), e);
        __m512d far = fa_gated_slope(r, e, v, v_low);
        *d = fa_slope_of(x, fa_near_root(a, far, fa_quick_gelu_root, 8, 0x1p-5), FA_SCALE64);
    }
}

/* w = a (s + s d a^2), and what its roundings lose: u is some times of it. */
FA_STEP __m512d fa_cubic64(__m512d a, __m512d *low) {
    const __m512d s = FA_PD(fa_gelu_tanh_sum[0]), t = FA_PD(fa_gelu_tanh_sum[1]);
    __m512d a2 = _mm512_mul_pd(a, a), a2_low = _mm512_fmsub_pd(a, a, a2);
    __m512d sum = FA_MADD64(a2, t, s);
    __m512d rest = FA_MADD64(a2_low, t, FA_MADD64(a2, t, _mm512_sub_pd(s, sum)));
    __m512d w = _mm512_mul_pd(a, sum);
    *low = FA_MADD64(a, rest, _mm512_fmsub_pd(a, sum, w));
    return w;
}

/* v = a u'.  (From |x| = 21.6 on even x g is below half the smallest subnormal.) */
FA_STEP void fa_gelu_tanh_exp64(__m512d x, const double *d, __m512d *high, __m512d *low) {
    __m512d rest, a = fa_min_abs64(x, 21.6);
    __m512d w = fa_cubic64(a, &rest);
    fa_growth64(w, &rest, 0.0, fa_gelu_tanh_growth, high, low);
}

FA_STEP void fa_gelu_tanh_of(
    __m512d x, __m512d high, __m512d low, __m512d *f, __m512d *d
) {
    __m512d a = fa_min_abs64(x, 21.6);
    __m512d e, r = fa_inverse64(high, low, FA_SCALE64, 1, &e);
    if (f) *f = fa_gated_of(x, a, r, e);
    if (d) {
        const __m512d c = FA_PD(fa_gelu_tanh_slope[0]), c3 = FA_PD(fa_gelu_tanh_slope[1]);
        __m512d a2 = _mm512_mul_pd(a, a), sum = FA_MADD64(a2, c3, c);
        __m512d rest = FA_MADD64(a2, c3, _mm512_sub_pd(c, sum));
        rest = FA_MADD64(_mm512_fmsub_pd(a, a, a2), c3, rest);
        rest = _mm512_add_pd(rest, FA_MADD64(
            a2, FA_PD(fa_gelu_tanh_slope[3]), FA_PD(fa_gelu_tanh_slope[2])
        ));
        __m512d v = _mm512_mul_pd(a, sum);
        rest = FA_MADD64(a, rest, _mm512_fmsub_pd(a, sum, v));
        e = FA_NMADD64(r, fa_lost64(high, FA_SCALE64), e);
        __m512d far = fa_gated_slope(r, e, v, rest);
        *d = fa_slope_of(x, fa_near_root(a, far, fa_gelu_tanh_root, 8, 0x1p-5), FA_SCALE64);
    }
}

/* gelu: Phi(-a) = exp(-a^2 / 2) R(a), f'(-a) = exp(-a^2 / 2) S(a), R and S polynomials
   in h = a - centre by 16 intervals, which the exponent and two bits of v0 + s a tell
   apart (see tools/tables64.py).  From a = 39 on both results are below half the
   smallest subnormal.  The exponential falls, hence another scale: 2^-1000. */
#define FA_GELU_UNIT 0x1p-1000

FA_STEP __m512d fa_gelu_magnitude(__m512d x) {
    return fa_min_abs64(x, 39.0);
}

FA_STEP void fa_gelu_exp64(__m512d x, const double *d, __m512d *high, __m512d *low) {
    __m512d a = fa_gelu_magnitude(x);
    __m512d a2 = _mm512_mul_pd(a, a), a2_low = _mm512_fmsub_pd(a, a, a2);
    /* (n + 1100 is positive, as the tables want it) */
    fa_growth64(a2, &a2_low, 1100.0, fa_gelu_growth, high, low);
}

/* Degree 14, the even and the odd powers apart; the last three steps are Horner's, as
   what they add up is as large as the result.  Where c0 is next to nothing, at the root,
   c1 has a low part, rest. */
FA_STEP __m512d fa_pieces64(
    __m512d h, __m512i at, const double table[][16], const double *rest
) {
    __m512d h2 = _mm512_mul_pd(h, h);
    __m512d p = FA_PICK64(table[14], at), q = FA_PICK64(table[13], at);
#pragma GCC unroll 8
    for (int k = 12; k > 3; k -= 2) {
        p = FA_MADD64(h2, p, FA_PICK64(table[k], at));
        q = FA_MADD64(h2, q, FA_PICK64(table[k - 1], at));
    }
    p = FA_MADD64(h2, p, FA_PICK64(table[2], at));
    p = FA_MADD64(h, FA_MADD64(h, q, p), FA_PICK64(table[1], at));
    q = FA_PICK64(table[0], at);
    if (rest) q = FA_MADD64(h, FA_PICK64(rest, at), q);
    return FA_MADD64(h, p, q);
}

FA_STEP void fa_gelu_of(__m512d x, __m512d high, __m512d low, __m512d *f, __m512d *d) {
    __m512d a = fa_gelu_magnitude(x);
    __m512i at = _mm512_srli_epi64(FA_BITS64(
        FA_MADD64(a, FA_PD(FA_GELU_SCALE), FA_PD(FA_GELU_START))
    ), 50);
    __m512d h = _mm512_sub_pd(a, FA_PICK64(fa_gelu_centre[0], at));
    if (f) {
        /* a R (H + L), rounded once */
        __m512d r = fa_pieces64(h, at, fa_gelu_mills, NULL), y = _mm512_mul_pd(a, r);
        __m512d rest = _mm512_mul_pd(_mm512_fmsub_pd(a, r, y), high);
        y = FA_MADD64(y, high, FA_MADD64(y, low, rest));
        *f = FA_MADD64(y, FA_PD(-FA_GELU_UNIT), _mm512_max_pd(FA_PD(-0.0), x));
    }
    if (d) {
        __m512d r = fa_pieces64(h, at, fa_gelu_slope, fa_gelu_rest[0]);
        *d = fa_slope_of(x, FA_MADD64(r, high, _mm512_mul_pd(r, low)), FA_GELU_UNIT);
    }
}

/* ... by fa_NAME_exp64 */
#define FA_LOOP64_OWN(name) FA_LOOP64_OF(name, fa_##name##_exp64(v, d, &h, &l))

FA_LOOP64_OWN(tanh)
FA_LOOP64_OWN(quick_gelu)
FA_LOOP64_OWN(gelu_tanh)
FA_LOOP64_OWN(gelu)
