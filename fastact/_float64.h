/* float64 with AVX-512 or AVX2: rows with an exponential, by its table.

   The compiler does not find vpermt2pd and vpermps by itself, hence intrinsics; tables
   and coefficients come from tools/tables64.py.

   E = exp(|x|) = 2^n 2^(j/N) (1 + p), n + j / N = |x| / ln2 rounded, p = expm1(r),
   |r| <= ln2 / 2 N, N = 16 or 4: FA_STEPS64.  It is kept, times 2^-K, as H + L:
   H = 2^n 2^(j/N) to 20 bits, L the rest.  Then g = 1 / (1 + E), the sigmoid of -|x|, is
   R (1 + e) where R is near it and has 33 bits at most: e = 1 - R - R H - R L, in which
   R H is exact, as is the difference of it to 1, so that only what is small is rounded.
   e < 2^-31: e^2 is nothing.  What is left of an error of g (1 ulp of it is 2^-53 or
   2^-52): 2^-56 by the polynomial, 3 2^-59 by the roundings of r, p and L, 3 2^-57 where N
   is 4.

   The scale makes 1 + E finite where g is subnormal; it goes with the last operation.

   Two steps, as in _formulas.pxd, over blocks of 256.  Each function takes n, a
   multiple of 16, and where to put the value and the derivative: a literal NULL where
   not. */
#include <stddef.h>
#include "_fetch.h"
#include "_vector64.h"
#include "_tables64.h"

/* 2^K (c[k] + c[k + 1] h) */
#define FA_ROOT64(k) FA_MADD64(h, FA_TO64(k + 1), FA_TO64(k))
#define FA_TO64(k) FA_PD(fa_silu_root64[k] / FA_SCALE64)
#define FA_BLOCK64 256

/* 2^-K */
#define FA_SCALE64 0x1p-100

/* min(|x|, top) */
FA_OP64 fa_f64x fa_min_abs64(fa_f64x x, double top) {
    return fa_min64(FA_PD(top), fa_abs64(x));
}

/* From 760 on even x g is below half the smallest subnormal. */
FA_OP64 fa_f64x fa_magnitude64(fa_f64x x) {
    return fa_min_abs64(x, 760.0);
}

/* what the first part of ln2 leaves */
#define FA_LN2_LOW 0x1.cf79abc9e3b3ap-40

/* A sum with it has a multiple of 1/N and bias in its low bits. */
#define FA_MAGIC64(bias) FA_PD(0x1.8p52 / FA_STEPS64 + (bias))

/* 2^n times the entry j of a table, for t with n and j in its low bits. */
#define FA_POWER64(name, t) FA_DOUBLE(fa_sum_of_bits64( \
    fa_shift_left64(FA_BITS64(t), 52 - FA_STEP_BITS64), \
    FA_BITS64(FA_PICK64(name, FA_INDEX64(FA_BITS64(t)))) \
))

/* 2^n 2^(j/N) as H and the rest, times 2^(bias - K), where n + bias >= 0, for t with j,
   which picks, and n in its low bits.  (0 in the second table becomes a number that is
   still nothing.) */
FA_OP64 void fa_powers64(fa_f64x t, fa_f64x *high, fa_f64x *low) {
    *high = FA_POWER64(fa_exp_hi, t);
    *low = FA_POWER64(fa_exp_lo, t);
}

/* t, with n and j of exp(a) in its low bits, k, the multiple of ln2, and the first part of
   a - k ln2, which is exact. */
FA_OP64 fa_f64x fa_steps64(fa_f64x a, fa_f64x magic, fa_f64x *k, fa_f64x *first) {
    fa_f64x t = FA_MADD64(a, FA_PD(0x1.71547652b82fep+0), magic);
    *k = fa_sub64(t, magic);
    *first = FA_NMADD64(*k, FA_PD(0x1.62e42fefap-1), a);
    return t;
}

/* The powers for exp(a); returns k. */
FA_OP64 fa_f64x fa_reduce64(
    fa_f64x a, fa_f64x magic, fa_f64x *high, fa_f64x *low, fa_f64x *first
) {
    fa_f64x k;
    fa_powers64(fa_steps64(a, magic, &k, first), high, low);
    return k;
}

/* H and L, times 2^(bias - K), of exp(a + rest). */
FA_OP64 void fa_exp64_of(
    fa_f64x a, const fa_f64x *rest, fa_f64x magic, fa_f64x *high, fa_f64x *low
) {
    fa_f64x first, k = fa_reduce64(a, magic, high, low, &first);
    const fa_f64x part = FA_PD(FA_LN2_LOW);
    fa_f64x r = rest ? fa_add64(first, FA_NMADD64(k, part, *rest))
                     : FA_NMADD64(k, part, first);
    fa_f64x r2 = fa_mul64(r, r);
    fa_f64x p = fa_polynomial64(r, r2, fa_exp_tail, FA_COUNT64(fa_exp_tail));
    p = FA_MADD64(r2, p, r);
    *low = FA_MADD64(fa_add64(*high, *low), p, *low);
}

FA_OP64 void fa_exp64_at(fa_f64x a, fa_f64x magic, fa_f64x *high, fa_f64x *low) {
    fa_exp64_of(a, NULL, magic, high, low);
}

/* H and L of exp(|x|), times 2^-K. */
FA_OP64 void fa_exp64(fa_f64x x, fa_f64x *high, fa_f64x *low) {
    fa_exp64_at(fa_magnitude64(x), FA_MAGIC64(0), high, low);
}

/* r cut to 33 bits: its product with one of 20 is exact. */
FA_OP64 fa_f64x fa_short64(fa_f64x r) {
    return fa_and64(r, FA_DOUBLE(FA_WORD(~0xfffffLL)));
}

/* R, times 2^K, and e. */
FA_OP64 fa_f64x fa_logistic64(fa_f64x high, fa_f64x low, fa_f64x *e) {
    const fa_f64x one = FA_PD(FA_SCALE64);
    fa_f64x r = fa_div64(FA_PD(1.0), fa_add64(high, fa_add64(low, one)));
    r = fa_short64(r);
    fa_f64x rest = FA_NMADD64(r, one, FA_NMADD64(r, high, FA_PD(1.0)));
    *e = FA_NMADD64(r, low, rest);
    return r;
}

/* scale d for x < 0, otherwise 1 - scale d. */
FA_OP64 fa_f64x fa_slope_of(fa_f64x x, fa_f64x d, double scale) {
    return FA_MADD64(d, fa_scale_of(x, scale), fa_base_of(x));
}

/* f = g or 1 - g; f' = g (1 - g) = R m + R e (m - R), m = 1 - R. */
FA_OP64 void fa_sigmoid_of(
    fa_f64x x, fa_f64x high, fa_f64x low, fa_f64x *f, fa_f64x *d
) {
    fa_f64x e, r = fa_logistic64(high, low, &e);
    if (f) {
        *f = fa_slope_of(x, FA_MADD64(r, e, r), FA_SCALE64);
    }
    if (d) {
        const fa_f64x one = FA_PD(FA_SCALE64);
        fa_f64x m = FA_NMADD64(r, one, FA_PD(1.0));
        fa_f64x k = fa_mul64(fa_mul64(r, e), FA_NMADD64(r, one, m));
        *d = fa_mul64(FA_MADD64(r, m, k), one);
    }
}

/* x sigmoid(z) for x of the sign of z, a = |x|, u + u_low = |z| (or u alone):
   f = -a g or x - a g, where a g = a R (1 + e) = y + z.

   f'(-x) = g G, G = 1 - u + u g; f'(x) = 1 - f'(-x).  At its root U the exponential is
   not good enough: within 1/16 of it, h Q(h), h = u - U, U in three parts with u_low:
   some multiples of doubles are that near to it. */
FA_OP64 void fa_swish_of(
    fa_f64x x, fa_f64x a, fa_f64x u, const fa_f64x *u_low, fa_f64x high, fa_f64x low,
    fa_f64x *f, fa_f64x *d
) {
    const fa_f64x minus = FA_PD(-FA_SCALE64);
    fa_f64x e, r = fa_logistic64(high, low, &e);
    if (f) {
        fa_f64x y = fa_mul64(a, r);
        fa_f64x z = FA_MADD64(y, e, FA_MSUB64(a, r, y));
        y = FA_MADD64(z, minus, FA_MADD64(y, minus, fa_above64(x)));
        /* (with the sign of x: the least numbers may have gone through 0) */
        *f = fa_copysign64(y, x);
    }
    if (d) {
        const fa_f64x one = FA_PD(1.0);
        fa_f64x g = fa_mul64(r, FA_PD(FA_SCALE64));
        fa_f64x big = FA_MADD64(u, g, fa_sub64(one, u));
        /* g G = R G + R e (G + u R): e in G too */
        fa_f64x k = fa_mul64(fa_mul64(r, e), FA_MADD64(u, g, big));
        fa_f64x h = fa_sub64(u, FA_PD(FA_SILU_ROOT64)), h_low;
        if (u_low) {
            k = FA_MADD64(fa_mul64(r, *u_low), fa_sub64(g, one), k);
            h_low = fa_sub64(*u_low, FA_PD(FA_SILU_ROOT64_LOW));
            fa_f64x sum = fa_add64(h, h_low);
            h_low = fa_add64(fa_sub64(h, sum), h_low);
            h_low = fa_sub64(h_low, FA_PD(FA_SILU_ROOT64_LAST));
            h = sum;
        }
        fa_f64x far = FA_MADD64(r, big, k);
        fa_f64x h2 = fa_mul64(h, h);
        fa_f64x q = FA_MADD64(h2, FA_ROOT64(7), FA_ROOT64(5));
        q = FA_MADD64(h2, q, FA_ROOT64(3));
        q = FA_MADD64(h2, q, FA_ROOT64(1));
        q = FA_MADD64(h, q, FA_TO64(0));
        fa_f64x rest = fa_mul64(q, u_low ? h_low : FA_PD(-FA_SILU_ROOT64_LOW));
        fa_f64x near = FA_MADD64(h, q, rest);
        fa_m64x is_near = FA_COMPARE64(h2, FA_PD(0x1p-8), _CMP_LT_OQ);
        fa_f64x slope = FA_SELECT64(is_near, near, far);
        *d = fa_slope_of(x, slope, FA_SCALE64);
    }
}

FA_OP64 void fa_silu_of(fa_f64x x, fa_f64x high, fa_f64x low, fa_f64x *f, fa_f64x *d) {
    fa_f64x a = fa_magnitude64(x);
    fa_swish_of(x, a, a, NULL, high, low, f, d);
}

/* Rows with e = exp(-|x|) in place of E, as H + L times 2^1000: n is 0 to -1097, and the
   scale again keeps off the subnormals, to go with the last operation. */
#define FA_UP64 0x1p1000
#define FA_DOWN64 0x1p-1000

/* max(x, -760) */
FA_OP64 fa_f64x fa_floor64(fa_f64x x) {
    return fa_max64(FA_PD(-760.0), x);
}

/* max(-|x|, -760) */
FA_OP64 fa_f64x fa_down64(fa_f64x x) {
    return fa_floor64(fa_or64(x, FA_PD(-0.0)));
}

/* x < 0: f = both (exp(x) - 1) = both ((H - 1) + H first + p), first the first part of
   the reduced x, exact, and p what is left, so small that its errors are nothing.  H - 1
   is exact down to x = -23, and 0 where H = 1.  So two roundings are left, the last and
   that of one sum: elu, of the second and the third (an ulp of them is at most one of f);
   selu, of the first and the second.  (both is one constant: 0.07 ulp.)

   f' = both exp(x).  From -2^-54 on f = both x (p has something of an entry that should
   be 0), for x > 0 it is scale x. */
FA_OP64 void fa_elu_kind(fa_f64x x, double both, double scale, fa_f64x *f, fa_f64x *d) {
    const fa_f64x down = FA_PD(FA_DOWN64);
    fa_f64x high, low, first;
    fa_f64x k = fa_reduce64(fa_down64(x), FA_MAGIC64(1100), &high, &low, &first);
    fa_f64x second = fa_mul64(k, FA_PD(FA_LN2_LOW));
    fa_f64x r = fa_sub64(first, second);
    fa_f64x r2 = fa_mul64(r, r);
    fa_f64x p = fa_polynomial64(r, r2, fa_expm1_tail, FA_COUNT64(fa_expm1_tail));
    p = FA_MSUB64(r2, p, second);
    p = FA_MADD64(fa_add64(high, low), p, FA_MADD64(low, first, low));
    fa_f64x rest = FA_MADD64(high, first, p);
    if (f) {
        fa_f64x h = fa_mul64(high, down), m = fa_sub64(h, FA_PD(1.0)), y;
        if (both == 1) {
            y = FA_MADD64(rest, down, m);
        } else {
            y = fa_mul64(p, FA_PD(both * FA_DOWN64));
            y = FA_MADD64(FA_MADD64(h, first, m), FA_PD(both), y);
        }
        fa_m64x line = FA_COMPARE64(x, FA_PD(-0x1p-54), _CMP_NLT_UQ);
        fa_f64x slope = FA_SELECT64(FA_SIGNED64(x), FA_PD(both), FA_PD(scale));
        *f = FA_SELECT64(line, fa_mul64(x, slope), y);
    }
    if (d) {
        fa_f64x y = fa_add64(high, rest);
        y = fa_mul64(y, FA_PD(both * FA_DOWN64));
        fa_m64x line = FA_COMPARE64(x, fa_zero64(), _CMP_GT_OQ);
        *d = FA_SELECT64(line, FA_PD(scale), y);
    }
}

/* log1p(e) = hi + lo, times 2^1000, 0.1 ulp at most without the last rounding.

   A table has c near 1 / (1 + j / 15.49), to 20 bits, and -log(c), of which the first part
   is a multiple of 2^-44: z = (1 + e) c - 1 = z1 + z2, |z| < 1/28, with z1 of H exact, and
   its sum with -log(c), hi, too.  (Of 4 entries: j / 3.49, |z| < 1/6.)  lo is the rest,
   z2 + z^2 P(z) + .., a few per cent of hi, and so are its rounding errors.  Where j is 0
   both c = 1 and -log(c) = 0 are exact: hi is H, and e so small that log1p(e) is nearly e
   keeps the digits that it has. */
FA_OP64 fa_f64x fa_log1p64(fa_f64x high, fa_f64x low, fa_f64x *lo) {
    const fa_f64x up = FA_PD(FA_UP64);
    fa_i64x at = FA_INDEX64(FA_BITS64(FA_MADD64(
        high, FA_PD(FA_LOG_STEPS * FA_DOWN64), FA_PD(0x1.8p52)
    )));
    fa_f64x c = FA_PICK64(fa_log_c, at);
    fa_f64x z1 = FA_MADD64(c, fa_add64(high, up), high);
    fa_f64x z2 = FA_MADD64(c, low, low);
    fa_f64x z = fa_add64(z1, z2);
    fa_f64x w = fa_mul64(z, FA_PD(FA_DOWN64));
    fa_f64x w2 = fa_mul64(w, w);
    fa_f64x p = fa_polynomial64(w, w2, fa_log_tail, FA_COUNT64(fa_log_tail));
    *lo = fa_add64(FA_PICK64(fa_log_lo, at), z2);
    *lo = FA_MADD64(fa_mul64(z, w), p, *lo);
    return fa_add64(FA_PICK64(fa_log_hi, at), z1);
}

/* softplus(x) = max(x, 0) + log1p(e), the first sum with what it lost (either may be the
   larger), or log_sigmoid(x) = -softplus(-x); x itself where |x| is large.

   f' = n / (1 + e), n = e or 1, by a short reciprocal as the sigmoid above: n = H or 1
   and L or 0, the product of the first with R is exact. */
FA_OP64 void fa_soft_of(
    fa_f64x x, fa_f64x high, fa_f64x low, int flip, fa_f64x *f, fa_f64x *d
) {
    const fa_f64x up = FA_PD(FA_UP64), down = FA_PD(FA_DOWN64);
    const fa_f64x none = fa_zero64();
    fa_m64x above = flip ? FA_COMPARE64(x, none, _CMP_LT_OQ)
                          : FA_COMPARE64(x, none, _CMP_GT_OQ);
    if (f) {
        fa_f64x lo, hi = fa_log1p64(high, low, &lo);
        fa_f64x a = FA_KEEP64(above, fa_mul64(x, FA_PD(flip ? -FA_UP64 : FA_UP64)));
        fa_f64x t = fa_add64(a, hi);
        fa_f64x rest = fa_sub64(t, fa_max64(a, hi));
        lo = fa_add64(lo, fa_sub64(fa_min64(a, hi), rest));
        t = fa_mul64(fa_add64(t, lo), FA_PD(flip ? -FA_DOWN64 : FA_DOWN64));
        fa_m64x line = flip ? FA_COMPARE64(x, FA_PD(-700.0), _CMP_NGE_UQ)
                             : FA_COMPARE64(x, FA_PD(700.0), _CMP_NLE_UQ);
        *f = FA_SELECT64(line, x, t);
    }
    if (d) {
        fa_f64x r = fa_div64(up, fa_add64(high, fa_add64(low, up)));
        r = fa_short64(r);
        fa_f64x rest = FA_NMADD64(r, high, FA_NMADD64(r, up, up));
        rest = fa_mul64(FA_NMADD64(r, low, rest), down);
        fa_f64x q = fa_mul64(FA_SELECT64(above, up, high), r);
        fa_f64x y = fa_mul64(FA_SELECT64(above, none, low), r);
        y = FA_MADD64(fa_add64(q, y), rest, y);
        *d = fa_mul64(fa_add64(q, y), down);
    }
}

FA_OP64 void fa_softplus_of(
    fa_f64x x, fa_f64x high, fa_f64x low, fa_f64x *f, fa_f64x *d
) {
    fa_soft_of(x, high, low, 0, f, d);
}

FA_OP64 void fa_log_sigmoid_of(
    fa_f64x x, fa_f64x high, fa_f64x low, fa_f64x *f, fa_f64x *d
) {
    fa_soft_of(x, high, low, 1, f, d);
}

/* Arguments of a row: x, f, d, n, and whether f and d are wanted, where the call shows it
   by a literal NULL (which a macro sees, a function does not).  What a compiler takes for a
   pointer that may be NULL makes it pass results through memory. */
#define FA_ROW64(name) FA_OP64 void fa_##name##_row64( \
    const double *x, double *f, double *d, ptrdiff_t n, const int has_f, const int has_d \
)
#define FA_CALL64(name, x, f, d, n) \
    fa_##name##_row64(x, f, d, n, !__builtin_constant_p(f), !__builtin_constant_p(d))

/* The loop of a row over both of its steps; the first leaves h and l of v. */
#define FA_LOOP64_OF(name, first) \
    FA_ROW64(name) { \
        double high[FA_BLOCK64] __attribute__((aligned(64))); \
        double low[FA_BLOCK64] __attribute__((aligned(64))); \
        for (ptrdiff_t at = 0; at < n; at += FA_BLOCK64) { \
            ptrdiff_t m = n - at < FA_BLOCK64 ? n - at : FA_BLOCK64; \
            fa_f64x h, l, value, slope; \
            for (ptrdiff_t i = 0; i < m; i += FA_WIDTH64) { \
                fa_f64x v = fa_load64(x + at + i); \
                first; \
                fa_store64(high + i, h); \
                fa_store64(low + i, l); \
            } \
            for (ptrdiff_t i = 0; i < m; i += FA_WIDTH64) { \
                h = fa_load64(high + i); \
                l = fa_load64(low + i); \
                fa_##name##_of( \
                    fa_load64(x + at + i), h, l, \
                    has_f ? &value : NULL, has_d ? &slope : NULL \
                ); \
                if (has_f) fa_store64(f + at + i, value); \
                if (has_d) fa_store64(d + at + i, slope); \
            } \
        } \
    }

/* ... of exp(factor |x|) */
#define FA_LOOP64(name, factor) \
    FA_LOOP64_OF(name, fa_exp64(fa_mul64(v, FA_PD(factor)), &h, &l))

#if FA_STEPS64 == 16

FA_LOOP64(sigmoid, 1.0)
FA_LOOP64(silu, 1.0)

#else

/* What AVX2 picks from is little, but memory has room for a table of many rows, one for
   each of as many intervals.  What is left of x is so small that short polynomials do. */

/* Whether a distance is so small that a row is not good enough. */
FA_OP64 fa_m64x fa_is_least64(fa_f64x x) {
    return FA_COMPARE64(x, FA_PD(0x1p-11), _CMP_LT_OQ);
}

FA_OP64 fa_f64x fa_no_least64(fa_f64x x, fa_f64x least) {
    return least;
}

/* The rows of a block first: what loads from them need not wait for it.  Then what rows
   are not for, if ``most`` or ``least`` of the block shows that there is some: rare. */
#define FA_LOOP64_ROWS(name) \
    FA_ROW64(name) { \
        int64_t row[FA_BLOCK64] __attribute__((aligned(64))); \
        const ptrdiff_t ahead = FA_NEXT_BLOCK64(n, FA_BLOCK64); \
        for (ptrdiff_t at = 0; at < n; at += FA_BLOCK64) { \
            ptrdiff_t m = n - at < FA_BLOCK64 ? n - at : FA_BLOCK64; \
            fa_f64x value, slope, most = fa_zero64(), least = FA_PD(1.0); \
            for (ptrdiff_t i = 0; i < m; i += FA_WIDTH64) { \
                fa_f64x v = fa_load64(x + at + i); \
                fa_store_bits64(row + i, fa_##name##_row(v)); \
                most = fa_##name##_most(v, most); \
                if (has_d) least = fa_##name##_least(v, least); \
            } \
            for (ptrdiff_t i = 0; i < m; i += FA_WIDTH64) { \
                FA_FETCH_NEXT(ahead, x + at + i, f + at + i, d + at + i, has_f, has_d); \
                fa_##name##_results( \
                    fa_load64(x + at + i), row + i, \
                    has_f ? &value : NULL, has_d ? &slope : NULL \
                ); \
                if (has_f) fa_store64(f + at + i, value); \
                if (has_d) fa_store64(d + at + i, slope); \
            } \
            fa_##name##_others( \
                x + at, has_f ? f + at : NULL, has_d ? d + at : NULL, m, \
                FA_ANY64(fa_##name##_is_far(most)) || FA_ANY64(fa_is_least64(least)) \
            ); \
        } \
    }

/* The sigmoid by rows of a table, for |x| up to 31, each for 1/16 of x: c near its middle,
   s = s(c), s', and silu'(c), all three next to doubles (there are no low parts of them).
   With h = x - c, t = 2 tanh(h / 2), g = t / (1 + (s - 1/2) t)

       s(x) = s + s' g,   s'(x) = s' - s' g k,   k = s' g + 2 s - 1,
       silu'(x) = silu'(c) + s' (h + g (1 - x k)).

   h is exact.  What is added is a few per cent of the result, and so are its rounding
   errors: 0.5 ulp and a little.  As a part of s(x), s - s^2 is good enough for s': one
   column less.

   silu'(x) is rounded twice, as then the sum that may cancel comes last, without a
   rounding of its own.  At the root of silu' c is within 2^-13 of it: from 2^-11 on
   silu'(c) is little of the sum.  The c beside it are such that it is no more than twice
   the sum.  The c of the row of 0 is below it: g is positive there, and silu(-0) is -0.

   Nearer to that root, and beyond 31, results are those of the functions above. */
FA_OP64 fa_i64x fa_sigmoid_row(fa_f64x x) {
    /* a sum with 64 to an ulp, without its last two bits: four times the row */
    fa_f64x t = fa_add64(x, FA_PD(0x1.8p46 + FA_SIGMOID_BIAS));
    return FA_BITS64(fa_and64(t, FA_DOUBLE(FA_WORD(1023 * 4))));
}

FA_OP64 fa_m64x fa_sigmoid_is_far(fa_f64x x) {
    return FA_COMPARE64(fa_abs64(x), FA_PD(31.0), _CMP_GT_OQ);
}

FA_OP64 fa_f64x fa_sigmoid_most(fa_f64x x, fa_f64x most) {
    return fa_max64(fa_abs64(x), most);
}

#define fa_sigmoid_least fa_no_least64

/* s, s' g, g, and h + h_low. */
FA_OP64 fa_f64x fa_sigmoid_rest(
    fa_f64x x, const fa_f64x *x_low, const int64_t *at,
    fa_f64x *h, fa_f64x *h_low, fa_f64x *g, fa_f64x *rest
) {
    fa_f64x s, c = fa_columns64(fa_sigmoid_rows[0], at, &s);
    *h = fa_sub64(x, c);
    if (x_low) {
        fa_f64x sum = fa_add64(*h, *x_low);
        *h_low = fa_add64(fa_sub64(*h, sum), *x_low);
        *h = sum;
    }
    fa_f64x w = fa_mul64(*h, *h);
    fa_f64x t = FA_MADD64(w, FA_PD(fa_sigmoid_tail[2]), FA_PD(fa_sigmoid_tail[1]));
    t = FA_MADD64(w, t, FA_PD(fa_sigmoid_tail[0]));
    t = FA_MADD64(fa_mul64(*h, w), t, *h);
    *g = fa_div64(t, FA_MADD64(fa_sub64(s, FA_PD(0.5)), t, FA_PD(1.0)));
    *rest = fa_mul64(FA_NMADD64(s, s, s), *g);
    return s;
}

FA_OP64 void fa_sigmoid_results(fa_f64x x, const int64_t *at, fa_f64x *f, fa_f64x *d) {
    fa_f64x h, none, g, rest, s = fa_sigmoid_rest(x, NULL, at, &h, &none, &g, &rest);
    if (f) *f = fa_add64(s, rest);
    if (d) {
        fa_f64x rise = fa_column64(fa_sigmoid_rows[0] + 2, at);
        fa_f64x m = fa_sub64(s, FA_PD(0.5)), k = fa_add64(rest, fa_add64(m, m));
        *d = FA_NMADD64(fa_mul64(rise, g), k, rise);
    }
}

/* x s(z + z_low), and s(..) + (z + z_low) s'(..) */
FA_OP64 void fa_gate_results(
    fa_f64x x, fa_f64x z, const fa_f64x *z_low, const int64_t *at, fa_f64x *f, fa_f64x *d
) {
    fa_f64x h, h_low, g, rest;
    fa_f64x s = fa_sigmoid_rest(z, z_low, at, &h, &h_low, &g, &rest);
    if (f) *f = FA_MADD64(x, s, fa_mul64(x, rest));
    if (d) {
        fa_f64x slope, rise = fa_columns64(fa_sigmoid_rows[0] + 2, at, &slope);
        /* 1 - z k: its first part is rounded once near the root, where it is small */
        fa_f64x y = FA_NMADD64(fa_add64(z, z), s, fa_add64(z, FA_PD(1.0)));
        y = FA_NMADD64(z, rest, y);
        if (z_low) {
            y = FA_NMADD64(fa_add64(*z_low, *z_low), fa_sub64(s, FA_PD(0.5)), y);
            rest = FA_MADD64(fa_mul64(rise, g), y, fa_mul64(rise, h_low));
        } else {
            rest = fa_mul64(fa_mul64(rise, g), y);
        }
        *d = FA_MADD64(rise, h, fa_add64(slope, rest));
    }
}

/* Others, by ``first``, which leaves h and l of v, and fa_NAME_of. */
#define FA_OTHERS64(name, first) \
    FA_OP64 void fa_##name##_others( \
        const double *x, double *f, double *d, ptrdiff_t n, int is_far \
    ) { \
        const int has_d = d != NULL; \
        for (ptrdiff_t i = 0; is_far && i < n; i += FA_WIDTH64) { \
            fa_f64x h, l, value, slope, v = fa_load64(x + i); \
            fa_m64x far = fa_##name##_is_far(v), near = far; \
            if (has_d) near = fa_is_least64(fa_##name##_least(v, FA_PD(1.0))); \
            near = fa_or64(near, far); \
            if (!FA_ANY64(near)) continue; \
            first; \
            fa_##name##_of(v, h, l, f ? &value : NULL, has_d ? &slope : NULL); \
            if (f) fa_store64(f + i, FA_SELECT64(far, value, fa_load64(f + i))); \
            if (has_d) fa_store64(d + i, FA_SELECT64(near, slope, fa_load64(d + i))); \
        } \
    }

#define fa_silu_row fa_sigmoid_row
#define fa_silu_is_far fa_sigmoid_is_far
#define fa_silu_most fa_sigmoid_most

/* How near the root is. */
FA_OP64 fa_f64x fa_silu_least(fa_f64x x, fa_f64x least) {
    return fa_min64(fa_abs64(fa_add64(x, FA_PD(FA_SILU_ROOT64))), least);
}

FA_OP64 void fa_silu_results(fa_f64x x, const int64_t *at, fa_f64x *f, fa_f64x *d) {
    fa_gate_results(x, x, NULL, at, f, d);
}

FA_OTHERS64(sigmoid, fa_exp64(v, &h, &l))
FA_OTHERS64(silu, fa_exp64(v, &h, &l))
FA_LOOP64_ROWS(sigmoid)
FA_LOOP64_ROWS(silu)

#endif

/* a = |x|, u + u_low = |beta x|, up to 760: nothing is left of a g there for a slope from
   0.001 on. */
FA_OP64 fa_f64x fa_slope_times64(fa_f64x x, double slope, fa_f64x *a, fa_f64x *u_low) {
    *a = fa_min_abs64(x, 760.0 / slope);
    fa_f64x u = fa_mul64(*a, FA_PD(slope));
    *u_low = FA_MSUB64(*a, FA_PD(slope), u);
    return u;
}

#if FA_STEPS64 == 16

/* (For beta < 0, -(-x) sigmoid((-beta) (-x)).) */
FA_OP64 void fa_silu_beta_row64(
    const double *x, double *f, double *d, ptrdiff_t n, double beta,
    const int has_f, const int has_d
) {
    double high[FA_BLOCK64] __attribute__((aligned(64)));
    double low[FA_BLOCK64] __attribute__((aligned(64)));
    const double slope = __builtin_fabs(beta);
    for (ptrdiff_t at = 0; at < n; at += FA_BLOCK64) {
        ptrdiff_t m = n - at < FA_BLOCK64 ? n - at : FA_BLOCK64;
        fa_f64x a, u, u_low, h, l, value, rise;
        for (ptrdiff_t i = 0; i < m; i += FA_WIDTH64) {
            u = fa_slope_times64(fa_load64(x + at + i), slope, &a, &u_low);
            fa_exp64_of(u, &u_low, FA_MAGIC64(0), &h, &l);
            fa_store64(high + i, h);
            fa_store64(low + i, l);
        }
        const fa_f64x turn = fa_sign64(FA_PD(beta));
        for (ptrdiff_t i = 0; i < m; i += FA_WIDTH64) {
            fa_f64x v = fa_load64(x + at + i);
            u = fa_slope_times64(v, slope, &a, &u_low);
            fa_swish_of(
                fa_xor64(v, turn), a, u, &u_low, fa_load64(high + i), fa_load64(low + i),
                has_f ? &value : NULL, has_d ? &rise : NULL
            );
            if (has_f) fa_store64(f + at + i, fa_xor64(value, turn));
            if (has_d) fa_store64(d + at + i, rise);
        }
    }
}

#else

FA_OP64 void fa_silu_beta_others(
    const double *x, double *f, double *d, ptrdiff_t n, double beta
) {
    const fa_f64x turn = fa_sign64(FA_PD(beta));
    for (ptrdiff_t i = 0; i < n; i += FA_WIDTH64) {
        fa_f64x a, u_low, h, l, value, rise, v = fa_load64(x + i);
        fa_f64x z = fa_mul64(v, FA_PD(beta));
        fa_m64x far = fa_silu_is_far(z);
        fa_m64x near = fa_or64(far, fa_is_least64(fa_silu_least(z, FA_PD(1.0))));
        if (!FA_ANY64(near)) continue;
        /* (For beta < 0, -(-x) sigmoid((-beta) (-x)).) */
        fa_f64x u = fa_slope_times64(v, __builtin_fabs(beta), &a, &u_low);
        fa_exp64_of(u, &u_low, FA_MAGIC64(0), &h, &l);
        fa_swish_of(
            fa_xor64(v, turn), a, u, &u_low, h, l, f ? &value : NULL, d ? &rise : NULL
        );
        if (f) fa_store64(f + i, FA_SELECT64(far, fa_xor64(value, turn), fa_load64(f + i)));
        if (d) fa_store64(d + i, FA_SELECT64(near, rise, fa_load64(d + i)));
    }
}

FA_OP64 void fa_silu_beta_row64(
    const double *x, double *f, double *d, ptrdiff_t n, double beta,
    const int has_f, const int has_d
) {
    int64_t row[FA_BLOCK64] __attribute__((aligned(64)));
    const fa_f64x factor = FA_PD(beta);
    const ptrdiff_t ahead = FA_NEXT_BLOCK64(n, FA_BLOCK64);
    for (ptrdiff_t at = 0; at < n; at += FA_BLOCK64) {
        ptrdiff_t m = n - at < FA_BLOCK64 ? n - at : FA_BLOCK64;
        fa_f64x value, slope, most = fa_zero64(), least = FA_PD(1.0);
        for (ptrdiff_t i = 0; i < m; i += FA_WIDTH64) {
            fa_f64x z = fa_mul64(fa_load64(x + at + i), factor);
            fa_store_bits64(row + i, fa_silu_row(z));
            most = fa_silu_most(z, most);
            if (has_d) least = fa_silu_least(z, least);
        }
        for (ptrdiff_t i = 0; i < m; i += FA_WIDTH64) {
            FA_FETCH_NEXT(ahead, x + at + i, f + at + i, d + at + i, has_f, has_d);
            fa_f64x v = fa_load64(x + at + i), z = fa_mul64(v, factor);
            fa_f64x z_low = FA_MSUB64(v, factor, z);
            fa_gate_results(
                v, z, &z_low, row + i, has_f ? &value : NULL, has_d ? &slope : NULL
            );
            if (has_f) fa_store64(f + at + i, value);
            if (has_d) fa_store64(d + at + i, slope);
        }
        if (FA_ANY64(fa_silu_is_far(most)) || FA_ANY64(fa_is_least64(least))) {
            fa_silu_beta_others(
                x + at, has_f ? f + at : NULL, has_d ? d + at : NULL, m, beta
            );
        }
    }
}

#endif

/* alpha = 1, where elu and celu are one */
#define FA_LOOP64_ELU(name, both, scale) \
    FA_ROW64(name) { \
        const ptrdiff_t ahead = FA_NEXT_BLOCK64(n, FA_BLOCK64); \
        for (ptrdiff_t i = 0; i < n; i += FA_WIDTH64) { \
            fa_f64x value = fa_zero64(), slope = value; \
            FA_FETCH_NEXT(ahead, x + i, f + i, d + i, has_f, has_d); \
            fa_elu_kind( \
                fa_load64(x + i), both, scale, \
                has_f ? &value : NULL, has_d ? &slope : NULL \
            ); \
            if (has_f) fa_store64(f + i, value); \
            if (has_d) fa_store64(d + i, slope); \
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

/* ---- tanh, and x times a sigmoid of another argument ---- */

/* H and L of exp(c a + c rest) 2^(offset - K); the numbers of c: tools/tables64.py.
   c h is not formed: h is left of a as r is above, and the polynomial knows of c. */
#define FA_GROWTH64 FA_COUNT64(fa_gelu_growth)

FA_OP64 void fa_growth64(
    fa_f64x a, const fa_f64x *rest, double offset, const double *c,
    fa_f64x *high, fa_f64x *low
) {
    const fa_f64x magic = FA_MAGIC64(offset);
    fa_f64x t = FA_MADD64(a, FA_PD(c[0]), magic);
    fa_f64x k = fa_sub64(t, magic);
    fa_f64x h = FA_NMADD64(k, FA_PD(c[1]), a);
    if (rest) h = fa_add64(h, FA_NMADD64(k, FA_PD(c[2]), *rest));
    else h = FA_NMADD64(k, FA_PD(c[2]), h);
    fa_f64x p = FA_PD(c[FA_GROWTH64 - 1]);
#pragma GCC unroll 8
    for (int i = FA_GROWTH64 - 2; i > 2; i--) p = FA_MADD64(h, p, FA_PD(c[i]));
    p = fa_mul64(h, p);
    fa_powers64(t, high, low);
    *low = FA_MADD64(fa_add64(*high, *low), p, *low);
}

/* R, 33 bits near 1 / (one + H + L), and e, R (1 + e) = 1 / (one + H + L). */
FA_OP64 fa_f64x fa_inverse64(fa_f64x high, fa_f64x low, double scale, fa_f64x *e) {
    fa_f64x both = fa_add64(high, FA_PD(scale));
    fa_f64x r = fa_short64(fa_div64(FA_PD(1.0), fa_add64(both, low)));
    *e = FA_NMADD64(r, low, FA_NMADD64(r, both, FA_PD(1.0)));
    return r;
}

/* What H + one lost; 0 for E < 2^33. */
FA_OP64 fa_f64x fa_lost64(fa_f64x high, double scale) {
    const fa_f64x one = FA_PD(scale);
    return fa_sub64(one, fa_sub64(fa_add64(high, one), high));
}

#if FA_STEPS64 == 16

/* tanh(a), a = |x| = c + h, by the addition theorem: c = n ln2 / 2 + c_j, P = exp(2 c) =
   2^n exp(2 c_j), exact, in 20 bits.  With t = tanh(h) = h - s

       tanh(a) = ((P - 1) + (P + 1) t) / D,   D = (P + 1) + (P - 1) t.

   R is 1 / D to 33 bits, 1 / D = R (1 + e).  u = P R is exact, as is 1 - u; z = u - R loses
   l, where R is small.  Then P R = (1 - e - t z + z) / 2 and R the like, so that

       e = (1 - u - R) - t z,
       tanh(a) = z + l + h - s + z ((1 - t^2) (1 + e) - 1),
       f' = 1 - f^2 = 4 P (1 - t^2) / D^2 = 4 u R (1 - t^2) (1 + 2 e).

   For n = 0 h is exact but for 0.0001 ulp of c_j.  From a = c_0 = 0, where z = e = 0,
   the result is t.  The second c_j is low: from there on an ulp of h is half one of the
   result at most, and so is that of the sum of h and what follows it.  So 0.75 ulp and a
   little; f' is rounded once, wherever.  (P, D and 1 are times 2^-K there: P is up to
   2^1096.) */
FA_OP64 fa_f64x fa_tanh_power64(fa_f64x a, double offset, fa_f64x *h) {
    const fa_f64x magic = FA_MAGIC64(offset);
    fa_f64x t = FA_MADD64(a, FA_PD(FA_TANH_WHOLE_INVERSE), magic);
    fa_f64x k = fa_sub64(t, magic), n = fa_sub64(fa_whole64(t), magic);
    k = FA_NMADD64(k, FA_PD(FA_TANH_WHOLE), a);
    k = fa_sub64(k, FA_PICK64(fa_tanh_off, FA_INDEX64(FA_BITS64(t))));
    *h = FA_NMADD64(n, FA_PD(FA_TANH_WHOLE_LOW), k);
    return FA_POWER64(fa_tanh_power, t);
}

/* R, and s. */
FA_OP64 fa_f64x fa_tanh_inverse64(fa_f64x power, fa_f64x h, double factor, fa_f64x *s) {
    const fa_f64x scale = FA_PD(factor);
    fa_f64x w = fa_mul64(h, h);
    fa_f64x p = FA_MADD64(w, FA_PD(fa_tanh_tail[2]), FA_PD(fa_tanh_tail[1]));
    *s = fa_mul64(fa_mul64(h, w), FA_MADD64(w, p, FA_PD(fa_tanh_tail[0])));
    fa_f64x t = fa_sub64(h, *s);
    fa_f64x below = FA_MADD64(fa_sub64(power, scale), t, fa_add64(power, scale));
    return fa_short64(fa_div64(FA_PD(1.0), below));
}

/* z, and l - s + z (..): with h they are tanh(a).  The slope is f' / 4, times 2^K where P
   is times 2^-K. */
FA_OP64 fa_f64x fa_tanh_sum64(
    fa_f64x power, fa_f64x h, fa_f64x s, fa_f64x r, double factor,
    fa_f64x *rest, fa_f64x *slope
) {
    fa_f64x t = fa_sub64(h, s), t2 = fa_mul64(t, t);
    fa_f64x g = fa_mul64(r, FA_PD(factor)), u = fa_mul64(power, r), z = fa_sub64(u, g);
    fa_f64x e = FA_NMADD64(t, z, fa_sub64(fa_sub64(FA_PD(1.0), u), g));
    e = FA_NMADD64(t2, e, e);
    t2 = fa_sub64(e, t2);
    *rest = fa_add64(FA_MSUB64(z, t2, s), fa_sub64(fa_sub64(u, z), g));
    *slope = FA_MADD64(u, r, fa_mul64(fa_mul64(u, r), fa_add64(e, t2)));
    return z;
}

/* From a = 20 on tanh(a) is 1: what is not its derivative needs no scale. */
FA_OP64 void fa_tanh_exp64(fa_f64x x, int has_d, fa_f64x *power, fa_f64x *h) {
    fa_f64x a = fa_min_abs64(x, has_d ? 380.0 : 20.0);
    *power = fa_tanh_power64(a, has_d ? 0.0 : 100.0, h);
}

FA_OP64 void fa_tanh_of(
    fa_f64x x, fa_f64x power, fa_f64x h, fa_f64x s, fa_f64x r, fa_f64x *f, fa_f64x *d
) {
    fa_f64x rest, slope, z;
    z = fa_tanh_sum64(power, h, s, r, d ? FA_SCALE64 : 1.0, &rest, &slope);
    if (f) *f = fa_copysign64(fa_add64(z, fa_add64(h, rest)), x);
    if (d) *d = fa_mul64(slope, FA_PD(4 * FA_SCALE64));
}

/* f = a - T - T_low, T + T_low = tanh(a), of which the first difference is exact where it
   matters; below 0.34, where h would cost digits, a (w / 3 + w^2 Q(w)), w = a^2, with what
   w, 1/3 and their product lose.  f' = (T + T_low)^2. */
FA_OP64 void fa_tanh_shrink_exp64(fa_f64x x, int has_d, fa_f64x *power, fa_f64x *h) {
    *power = fa_tanh_power64(fa_min_abs64(x, 20.0), 100.0, h);
}

FA_OP64 void fa_tanh_shrink_of(
    fa_f64x x, fa_f64x power, fa_f64x h, fa_f64x s, fa_f64x r, fa_f64x *f, fa_f64x *d
) {
    fa_f64x rest, slope, z = fa_tanh_sum64(power, h, s, r, 1.0, &rest, &slope);
    fa_f64x t = fa_add64(z, fa_add64(h, rest));
    rest = fa_add64(fa_sub64(h, fa_sub64(t, z)), rest);
    if (f) {
        fa_f64x a = fa_abs64(x), w = fa_mul64(a, a), w2 = fa_mul64(w, w);
        fa_f64x third = FA_PD(fa_tanh_shrink[0]), near = fa_mul64(w, third);
        fa_f64x p = FA_PD(fa_tanh_shrink[8]), q = FA_PD(fa_tanh_shrink[7]);
#pragma GCC unroll 3
        for (int k = 6; k > 0; k -= 2) {
            p = FA_MADD64(p, w2, FA_PD(fa_tanh_shrink[k]));
            q = FA_MADD64(q, w2, FA_PD(fa_tanh_shrink[k - 1]));
        }
        p = FA_MADD64(FA_MADD64(p, w, q), w, FA_PD(FA_THIRD_LOW));
        q = FA_MADD64(third, FA_MSUB64(a, a, w), FA_MSUB64(w, third, near));
        near = FA_MADD64(a, near, fa_mul64(a, FA_MADD64(w, p, q)));
        fa_m64x is_near = FA_COMPARE64(a, FA_PD(0.34), _CMP_LT_OQ);
        fa_f64x y = FA_SELECT64(is_near, near, fa_sub64(fa_sub64(a, t), rest));
        *f = fa_copysign64(y, x);
    }
    if (d) *d = FA_MADD64(t, t, fa_mul64(fa_add64(t, t), rest));
}

#else

/* tanh(a), a = |x| = c + h, by the addition theorem: c is near j / 32, and a row of a
   table has c, T = tanh(c) and 1 - T^2, the last two next to doubles (so that there are
   no low parts of them) as far as there are such c.  With t = tanh(h) = h - s

       tanh(a) = (T + t) / D = T + (h - (s + T t (T + h)) / D),   D = 1 + T t,
       f' = 1 - f^2 = (1 - T^2) (1 - (t^2 + T t (1 + D)) / D^2).

   h is exact.  From a = c_0 = 0 the result is t; c_1 is low, so that from there on an ulp
   of h is half one of the result at most, and so is that of the difference that h is in.
   So 0.75 ulp and a little; f' is rounded once where it counts. */
FA_OP64 fa_f64x fa_tanh_magnitude(fa_f64x x) {
    return fa_min_abs64(x, 20.0);
}

/* Where the row of each lane begins, for fa_columns64; of NaN, the last. */
FA_OP64 fa_i64x fa_tanh_row(fa_f64x x) {
    fa_f64x a = fa_min64(fa_abs64(x), FA_PD(20.0));
    /* (a sum with 32 to an ulp: j is in its low bits) */
    fa_i64x at = fa_shift_left64(FA_BITS64(fa_add64(a, FA_PD(0x1.8p47))), 2);
    return FA_BITS64(fa_and64(FA_DOUBLE(at), FA_DOUBLE(FA_WORD(1023 * 4))));
}

FA_OP64 fa_m64x fa_tanh_is_far(fa_f64x x) {
    return FA_COMPARE64(fa_abs64(x), FA_PD(20.0), _CMP_GT_OQ);
}

#define fa_tanh_most fa_sigmoid_most
#define fa_tanh_least fa_no_least64

/* f' there is 4 exp(-2 a); elsewhere d. */
FA_OP64 fa_f64x fa_tanh_far(fa_f64x x, fa_f64x d) {
    fa_f64x high, low;
    fa_exp64_at(fa_down64(fa_add64(x, x)), FA_MAGIC64(1100), &high, &low);
    fa_f64x far = fa_mul64(fa_add64(high, low), FA_PD(4 * FA_DOWN64));
    return FA_SELECT64(fa_tanh_is_far(x), far, d);
}

FA_OP64 void fa_tanh_results(fa_f64x x, const int64_t *at, fa_f64x *f, fa_f64x *d) {
    const double *rows = fa_tanh_rows[0];
    const fa_f64x one = FA_PD(1.0);
    fa_f64x top, c = fa_columns64(rows, at, &top);
    fa_f64x h = fa_sub64(fa_tanh_magnitude(x), c), w = fa_mul64(h, h);
    fa_f64x s = FA_MADD64(w, FA_PD(fa_tanh_tail[2]), FA_PD(fa_tanh_tail[1]));
    s = fa_mul64(fa_mul64(h, w), FA_MADD64(w, s, FA_PD(fa_tanh_tail[0])));
    fa_f64x t = fa_sub64(h, s), u = fa_mul64(top, t), below = fa_add64(one, u);
    fa_f64x r = fa_div64(one, below);
    if (f) {
        fa_f64x rest = fa_mul64(FA_MADD64(u, fa_add64(top, h), s), r);
        *f = fa_or64(fa_add64(top, fa_sub64(h, rest)), fa_sign64(x));
    }
    if (d) {
        fa_f64x none, slope = fa_columns64(rows + 2, at, &none);
        fa_f64x rest = FA_MADD64(u, fa_add64(one, below), fa_mul64(t, t));
        rest = fa_mul64(fa_mul64(rest, r), r);
        *d = FA_NMADD64(slope, rest, slope);
    }
}

FA_OP64 void fa_tanh_others(
    const double *x, double *f, double *d, ptrdiff_t n, int is_far
) {
    for (ptrdiff_t i = 0; d && is_far && i < n; i += FA_WIDTH64) {
        fa_store64(d + i, fa_tanh_far(fa_load64(x + i), fa_load64(d + i)));
    }
}

FA_LOOP64_ROWS(tanh)

/* tanh_shrink by the same rows, in which c - tanh(c) is next to a double, too: with k =
   T t (T + t) / D, tanh(a) = T + (h - s - k),

       f = (c - T) + s + k,   f' = (T + (h - s - k))^2.

   Up to 0.2 the row is that of 0, where f is s = h^3 P(h^2), with what the roundings of
   both factors lose; from there on s + k is a third of c - T at most. */
FA_OP64 fa_i64x fa_tanh_shrink_row(fa_f64x x) {
    fa_m64x near = FA_COMPARE64(fa_abs64(x), FA_PD(6.5 / 32), _CMP_LT_OQ);
    return FA_BITS64(fa_andnot64(near, FA_DOUBLE(fa_tanh_row(x))));
}

#define fa_tanh_shrink_is_far fa_tanh_is_far
#define fa_tanh_shrink_most fa_tanh_most
#define fa_tanh_shrink_least fa_no_least64

FA_OP64 void fa_tanh_shrink_results(fa_f64x x, const int64_t *at, fa_f64x *f, fa_f64x *d) {
    const double *rows = fa_tanh_rows[0];
    const fa_f64x first = FA_PD(fa_tanh_shrink[0]);
    fa_f64x top, c = fa_columns64(rows, at, &top);
    fa_f64x h = fa_sub64(fa_abs64(x), c), w = fa_mul64(h, h), w_low = FA_MSUB64(h, h, w);
    fa_f64x h3 = fa_mul64(h, w), h3_low = FA_MADD64(h, w_low, FA_MSUB64(h, w, h3));
    fa_f64x q = fa_polynomial64(
        w, fa_mul64(w, w), fa_tanh_shrink + 1, FA_COUNT64(fa_tanh_shrink) - 1
    );
    fa_f64x p = FA_MADD64(w, q, first), p_low = FA_MADD64(w, q, fa_sub64(first, p));
    p_low = fa_add64(p_low, FA_PD(FA_THIRD_LOW));
    fa_f64x s_low = FA_MADD64(h3, p_low, fa_mul64(h3_low, p));
    fa_f64x t = fa_sub64(h, FA_MADD64(h3, p, s_low)), u = fa_mul64(top, t);
    fa_f64x r = fa_div64(fa_mul64(u, fa_add64(top, t)), fa_add64(FA_PD(1.0), u));
    fa_f64x rest = FA_MADD64(h3, p, fa_add64(s_low, r));
    if (f) {
        fa_f64x base = fa_column64(rows + 3, at);
        *f = fa_or64(fa_add64(base, rest), fa_sign64(x));
    }
    if (d) {
        fa_f64x more = fa_sub64(h, rest);
        *d = FA_MADD64(top, top, fa_mul64(more, FA_MADD64(FA_PD(2.0), top, more)));
    }
}

/* Beyond 20 tanh(a) is 1. */
FA_OP64 void fa_tanh_shrink_others(
    const double *x, double *f, double *d, ptrdiff_t n, int is_far
) {
    const fa_f64x one = FA_PD(1.0);
    for (ptrdiff_t i = 0; is_far && i < n; i += FA_WIDTH64) {
        fa_f64x v = fa_load64(x + i), line = fa_copysign64(fa_sub64(fa_abs64(v), one), v);
        fa_m64x far = fa_tanh_is_far(v);
        if (f) fa_store64(f + i, FA_SELECT64(far, line, fa_load64(f + i)));
        if (d) fa_store64(d + i, FA_SELECT64(far, one, fa_load64(d + i)));
    }
}

FA_LOOP64_ROWS(tanh_shrink)

#endif

/* x times the sigmoid: -|x| g or x - |x| g, |x| g = |x| R (1 + e), rounded once. */
FA_OP64 fa_f64x fa_gated_of(fa_f64x x, fa_f64x a, fa_f64x r, fa_f64x e) {
    fa_f64x y = fa_mul64(a, r);
    y = fa_add64(y, FA_MADD64(y, e, FA_MSUB64(a, r, y)));
    /* x, or where x < 0 only its sign; NaN comes from x */
    fa_f64x base = fa_max64(FA_PD(-0.0), x);
    return FA_MADD64(y, FA_PD(-FA_SCALE64), base);
}

/* 2^K G (1 - (v + v_low) (1 - G)): m = 1 - R is exact (R is short), so that the sum is
   rounded once, and what e and v_low add is small. */
FA_OP64 fa_f64x fa_gated_slope(fa_f64x r, fa_f64x e, fa_f64x v, fa_f64x v_low) {
    fa_f64x g = fa_mul64(r, FA_PD(FA_SCALE64)), one = FA_PD(1.0);
    fa_f64x m = fa_sub64(one, g), sum = FA_NMADD64(v, m, one);
    fa_f64x low = fa_mul64(e, FA_MADD64(v, g, sum));
    low = FA_NMADD64(v_low, m, low);
    return FA_MADD64(r, sum, fa_mul64(r, low));
}

/* In place of d, within 1/32 of the root U: h Q(h) / scale, h = a - U; in a branch where
   that is seldom. */
FA_OP64 fa_f64x fa_near_root(
    fa_f64x a, fa_f64x d, const double *root, int degree, double scale, int seldom
) {
    fa_f64x h = fa_sub64(a, FA_PD(root[0]));
    fa_m64x near = FA_COMPARE64(fa_abs64(h), FA_PD(0x1p-5), _CMP_LT_OQ);
    if (seldom && !FA_ANY64(near)) return d;
    fa_f64x q = FA_PD(root[2 + degree] / scale);
#pragma GCC unroll 16
    for (int k = degree - 1; k >= 0; k--)
        q = FA_MADD64(h, q, FA_PD(root[2 + k] / scale));
    q = FA_MADD64(h, q, fa_mul64(q, FA_PD(-root[1])));
    return FA_SELECT64(near, q, d);
}

#if FA_STEPS64 == 16

/* P, times 2^(bias - K), and h: exp(a) = P exp(h), P the first part of a power, exact. */
FA_OP64 fa_f64x fa_power64(fa_f64x a, fa_f64x magic, fa_f64x *h) {
    fa_f64x k, first, t = fa_steps64(a, magic, &k, &first);
    first = FA_NMADD64(k, FA_PD(FA_LN2_LOW), first);
    *h = fa_sub64(first, FA_PICK64(fa_exp_off, FA_INDEX64(FA_BITS64(t))));
    return FA_POWER64(fa_exp_hi, t);
}

/* mish: f = x T, T = e w R, e = exp(x), w = e + 2, 1 / R = D = e w + 2;
   f' = e R S, S = w + 4 x R p, p = e + 1.  From 22 on f is x and f' 1.

   e = P (1 + q), P exact and of 20 bits; e0 is P without what w0 = e0 + 2 would lose, and
   delta the rest of e.  So w = w0 + delta, p = p0 + delta, e w = e0 w0 + .. = P (w0 + ..),
   in which what has a factor q or delta is small and so are its errors; e0 w0 is rounded
   only where it counts little.  R is 1 / D to 33 bits, 1 / D = R (1 + c): u = P R is
   exact.  T and its product with x are rounded once each.  S is w0 + g p0, g = 4 x R, in
   one rounding where they cancel, and what is small: f' has two roundings.  Near its root
   there would be more: S is down to a thirtieth of w0.

   P is times 2^900 where it is a factor of the results, as they may be subnormal. */
#define FA_MISH_DOWN 0x1p-900

FA_OP64 void fa_mish_exp64(fa_f64x x, int has_d, fa_f64x *power, fa_f64x *q) {
    fa_f64x h, p;
    x = fa_min64(FA_PD(24.0), fa_floor64(x));
    *power = fa_power64(x, FA_MAGIC64(1000), &h);
    p = FA_PD(fa_exp_tail[FA_COUNT64(fa_exp_tail) - 1]);
#pragma GCC unroll 8
    for (int k = FA_COUNT64(fa_exp_tail) - 2; k >= 0; k--)
        p = FA_MADD64(h, p, FA_PD(fa_exp_tail[k]));
    *q = FA_MADD64(fa_mul64(h, h), p, h);
}

FA_OP64 void fa_mish_of(fa_f64x x, fa_f64x power, fa_f64x q, fa_f64x *f, fa_f64x *d) {
    const fa_f64x one = FA_PD(1.0), two = FA_PD(2.0), down = FA_PD(FA_MISH_DOWN);
    fa_m64x line = FA_COMPARE64(x, FA_PD(22.0), _CMP_GT_OQ);
    fa_f64x v = fa_floor64(x), e0 = fa_mul64(power, down);
    fa_f64x w0 = fa_add64(e0, two), kept = fa_sub64(w0, two), p0 = fa_add64(kept, one);
    fa_f64x delta = FA_MADD64(e0, q, fa_sub64(e0, kept)), p = fa_add64(p0, delta);
    fa_f64x n0 = fa_mul64(kept, w0), nq = fa_mul64(delta, fa_add64(p0, p));
    fa_f64x below = fa_add64(fa_add64(n0, two), nq);
    fa_f64x r = fa_short64(fa_div64(one, below)), u = fa_mul64(power, r);
    fa_f64x c = FA_NMADD64(r, nq, FA_NMADD64(r, n0, FA_NMADD64(r, two, one)));
    if (f) {
        fa_f64x wq = FA_MADD64(q, fa_add64(w0, delta), delta);
        fa_f64x rest = FA_MADD64(c, fa_add64(w0, wq), wq);
        fa_f64x y = FA_MADD64(u, w0, fa_mul64(u, rest));
        *f = FA_SELECT64(line, x, fa_mul64(fa_mul64(y, v), down));
    }
    if (d) {
        fa_f64x v2 = fa_add64(v, v), v4 = fa_add64(v2, v2);
        fa_f64x g = fa_mul64(v4, r), g_low = FA_MADD64(g, c, FA_MSUB64(v4, r, g));
        fa_f64x rest = FA_MADD64(g_low, p, FA_MADD64(g, delta, delta));
        fa_f64x s = FA_MADD64(g, p0, w0);
        c = FA_MADD64(c, q, fa_add64(c, q));
        fa_f64x y = FA_MADD64(u, s, fa_mul64(u, FA_MADD64(fa_add64(s, rest), c, rest)));
        /* (on one side of 0, and far from it: one vector of 17 for x of deviation 3) */
        fa_f64x minus = fa_sub64(fa_zero64(), v);
        y = fa_near_root(minus, fa_mul64(y, down), fa_mish_root, 7, 1.0, 1);
        *d = FA_SELECT64(line, one, y);
    }
}

#else

/* mish: f = x T, T = tanh(softplus(x)) = 1 - 2 / D, D = m^2 + 1, m = exp(x) + 1;
   T' = 4 m (m - 1) / D^2, f' = T + x T'.  From -14 to 21 by rows of a table, each for 1/16
   of x: c near j / 16, T_0 = T(c), P = exp(c), T'_0, f'_0 = f'(c), T_0 and f'_0 next to
   doubles.  What is added to these two has a factor h = x - c, and so has its error:

       T = T_0 + V,   V = (1 - T_0) u s / D,
       f' = f'_0 + V + h T'_0 + x (4 (s - 1) - T'_0 s (D + D_0)) u / D^2,

   u = P expm1(h), m = m_0 + u, s = m_0 + m.  So f has two roundings, T and the product;
   f' one, but where it is next to nothing: within 1/16 of its root -U it is another
   polynomial, from there on V and the others are half of it at most. */
FA_OP64 fa_i64x fa_mish_row(fa_f64x x) {
    /* (NaN takes the last row) */
    fa_f64x v = fa_max64(FA_PD(-14.0), fa_min64(x, FA_PD(21.0)));
    /* a sum with 16 to an ulp: j is in its low bits; times 2, times 3 */
    fa_i64x at = FA_BITS64(fa_add64(v, FA_PD(0x1.8p48 + 14)));
    at = FA_BITS64(fa_and64(
        FA_DOUBLE(fa_sum_of_bits64(at, at)), FA_DOUBLE(FA_WORD(1023 * 2))
    ));
    return fa_sum_of_bits64(at, fa_sum_of_bits64(at, at));
}

FA_OP64 void fa_mish_results(fa_f64x x, const int64_t *at, fa_f64x *f, fa_f64x *d) {
    const double *rows = fa_mish_rows[0];
    const fa_f64x one = FA_PD(1.0), four = FA_PD(4.0);
    fa_f64x v = fa_max64(FA_PD(-14.0), fa_min64(FA_PD(21.0), x));
    fa_f64x top, c = fa_columns64(rows, at, &top);
    fa_f64x rise, power = fa_columns64(rows + 2, at, &rise);
    fa_f64x h = fa_sub64(v, c), h2 = fa_mul64(h, h);
    fa_f64x q = fa_polynomial64(h, h2, fa_mish_tail, FA_COUNT64(fa_mish_tail));
    fa_f64x u = fa_mul64(power, FA_MADD64(h2, q, h));
    fa_f64x m0 = fa_add64(power, one), m = fa_add64(m0, u), s = fa_add64(m0, m);
    fa_f64x below = FA_MADD64(m, m, one), r = fa_div64(one, below);
    fa_f64x more = fa_mul64(fa_mul64(fa_sub64(one, top), u), fa_mul64(s, r));
    if (f) *f = fa_mul64(x, fa_add64(top, more));
    if (d) {
        fa_f64x none, slope = fa_columns64(rows + 4, at, &none);
        fa_f64x both = fa_add64(below, FA_MADD64(m0, m0, one));
        fa_f64x k = FA_NMADD64(rise, fa_mul64(s, both), FA_MSUB64(four, s, four));
        k = fa_mul64(fa_mul64(k, r), fa_mul64(u, r));
        *d = fa_add64(slope, fa_add64(more, FA_MADD64(h, rise, fa_mul64(v, k))));
    }
}

/* In place of d, within 1/16 of -U: h (c_0 + h P(h)), h = x + U, where U and c_0 have low
   parts; in a branch, as that is seldom: one vector of 8 for x of deviation 3. */
FA_OP64 fa_f64x fa_mish_near(fa_f64x x, fa_f64x d) {
    fa_f64x h = fa_add64(x, FA_PD(fa_mish_root[0]));
    fa_m64x near = FA_COMPARE64(fa_abs64(h), FA_PD(0x1p-4), _CMP_LT_OQ);
    if (!FA_ANY64(near)) return d;
    fa_f64x h2 = fa_mul64(h, h);
    fa_f64x p = fa_polynomial64(h, h2, fa_mish_root + 4, FA_COUNT64(fa_mish_root) - 4);
    p = FA_MADD64(h, FA_MADD64(h, p, FA_PD(fa_mish_root[3])), FA_PD(fa_mish_root[2]));
    return FA_SELECT64(near, FA_MADD64(h, FA_PD(fa_mish_root[1]), p), d);
}

FA_OP64 fa_m64x fa_mish_is_far(fa_f64x x) {
    return FA_COMPARE64(x, FA_PD(-14.0), _CMP_LT_OQ);
}

FA_OP64 fa_f64x fa_mish_most(fa_f64x x, fa_f64x most) {
    return fa_min64(x, most);
}

#define fa_mish_least fa_no_least64

/* There T = e (1 - e / 2), e = exp(x), f' = e (1 + x - e (x + 1 / 2)). */
FA_OP64 void fa_mish_far(fa_f64x x, fa_f64x *f, fa_f64x *d) {
    const fa_f64x down = FA_PD(FA_DOWN64);
    fa_f64x high, low, v = fa_floor64(x);
    fa_m64x far = fa_mish_is_far(x);
    fa_exp64_at(v, FA_MAGIC64(1100), &high, &low);
    fa_f64x e = fa_add64(high, low), small = fa_mul64(e, down);
    low = fa_sub64(low, fa_sub64(e, high));
    if (f) {
        fa_f64x y = fa_mul64(v, e), rest = FA_MADD64(v, low, FA_MSUB64(v, e, y));
        rest = FA_NMADD64(y, fa_mul64(small, FA_PD(0.5)), rest);
        *f = FA_SELECT64(far, fa_mul64(fa_add64(y, rest), down), *f);
    }
    if (d) {
        fa_f64x k = fa_add64(v, FA_PD(1.0));
        k = FA_NMADD64(small, fa_add64(v, FA_PD(0.5)), k);
        fa_f64x y = FA_MADD64(e, k, fa_mul64(low, k));
        *d = FA_SELECT64(far, fa_mul64(y, down), *d);
    }
}

/* (Near the root in a step of its own, as a branch would hold up another.) */
FA_OP64 void fa_mish_others(
    const double *x, double *f, double *d, ptrdiff_t n, int is_far
) {
    fa_f64x value, slope;
    for (ptrdiff_t i = 0; d && i < n; i += FA_WIDTH64) {
        fa_store64(d + i, fa_mish_near(fa_load64(x + i), fa_load64(d + i)));
    }
    for (ptrdiff_t i = 0; is_far && i < n; i += FA_WIDTH64) {
        if (f) value = fa_load64(f + i);
        if (d) slope = fa_load64(d + i);
        fa_mish_far(fa_load64(x + i), f ? &value : NULL, d ? &slope : NULL);
        if (f) fa_store64(f + i, value);
        if (d) fa_store64(d + i, slope);
    }
}

FA_LOOP64_ROWS(mish)

#endif

/* v = b a, b = 1.702. */
FA_OP64 void fa_quick_gelu_exp64(
    fa_f64x x, int has_d, fa_f64x *high, fa_f64x *low
) {
    fa_f64x a = fa_min_abs64(x, 446.0);
    fa_growth64(a, NULL, 0.0, fa_quick_gelu_growth, high, low);
}

FA_OP64 void fa_quick_gelu_of(
    fa_f64x x, fa_f64x high, fa_f64x low, fa_f64x *f, fa_f64x *d
) {
    fa_f64x a = fa_min_abs64(x, 446.0);
    fa_f64x e, r = fa_inverse64(high, low, FA_SCALE64, &e);
    if (f) *f = fa_gated_of(x, a, r, e);
    if (d) {
        const fa_f64x b = FA_PD(fa_quick_gelu_growth[3]);
        fa_f64x v = fa_mul64(a, b), v_low = FA_MSUB64(a, b, v);
        v_low = FA_MADD64(a, FA_PD(FA_QUICK_GELU_LOW), v_low);
        e = FA_NMADD64(r, fa_lost64(high, FA_SCALE64), e);
        fa_f64x far = fa_gated_slope(r, e, v, v_low);
        far = fa_near_root(a, far, fa_quick_gelu_root, 8, FA_SCALE64, 0);
        *d = fa_slope_of(x, far, FA_SCALE64);
    }
}

#if FA_STEPS64 != 16

FA_OP64 fa_i64x fa_quick_gelu_row(fa_f64x x) {
    return fa_sigmoid_row(fa_mul64(x, FA_PD(fa_quick_gelu_growth[3])));
}

FA_OP64 fa_m64x fa_quick_gelu_is_far(fa_f64x x) {
    return FA_COMPARE64(fa_abs64(x), FA_PD(18.0), _CMP_GT_OQ);
}

#define fa_quick_gelu_most fa_sigmoid_most

FA_OP64 fa_f64x fa_quick_gelu_least(fa_f64x x, fa_f64x least) {
    return fa_min64(fa_abs64(fa_add64(x, FA_PD(fa_quick_gelu_root[0]))), least);
}

FA_OP64 void fa_quick_gelu_results(fa_f64x x, const int64_t *at, fa_f64x *f, fa_f64x *d) {
    const fa_f64x b = FA_PD(fa_quick_gelu_growth[3]);
    fa_f64x z = fa_mul64(x, b);
    fa_f64x z_low = FA_MADD64(x, FA_PD(FA_QUICK_GELU_LOW), FA_MSUB64(x, b, z));
    fa_gate_results(x, z, &z_low, at, f, d);
}

FA_OTHERS64(quick_gelu, fa_quick_gelu_exp64(v, has_d, &h, &l))
FA_LOOP64_ROWS(quick_gelu)

#endif

/* w = a (s + s d a^2), and what its roundings lose: u is some times of it. */
FA_OP64 fa_f64x fa_cubic64(fa_f64x a, fa_f64x *low) {
    const fa_f64x s = FA_PD(fa_gelu_tanh_sum[0]), t = FA_PD(fa_gelu_tanh_sum[1]);
    fa_f64x a2 = fa_mul64(a, a), a2_low = FA_MSUB64(a, a, a2);
    fa_f64x sum = FA_MADD64(a2, t, s);
    fa_f64x rest = FA_MADD64(a2_low, t, FA_MADD64(a2, t, fa_sub64(s, sum)));
    fa_f64x w = fa_mul64(a, sum);
    *low = FA_MADD64(a, rest, FA_MSUB64(a, sum, w));
    return w;
}

/* v = a u'.  (From |x| = 21.6 on even x g is below half the smallest subnormal.) */
FA_OP64 void fa_gelu_tanh_exp64(fa_f64x x, int has_d, fa_f64x *high, fa_f64x *low) {
    fa_f64x rest, a = fa_min_abs64(x, 21.6);
    fa_f64x w = fa_cubic64(a, &rest);
    fa_growth64(w, &rest, 0.0, fa_gelu_tanh_growth, high, low);
}

FA_OP64 void fa_gelu_tanh_of(
    fa_f64x x, fa_f64x high, fa_f64x low, fa_f64x *f, fa_f64x *d
) {
    fa_f64x a = fa_min_abs64(x, 21.6);
    fa_f64x e, r = fa_inverse64(high, low, FA_SCALE64, &e);
    if (f) *f = fa_gated_of(x, a, r, e);
    if (d) {
        const fa_f64x c = FA_PD(fa_gelu_tanh_slope[0]), c3 = FA_PD(fa_gelu_tanh_slope[1]);
        fa_f64x a2 = fa_mul64(a, a), sum = FA_MADD64(a2, c3, c);
        fa_f64x rest = FA_MADD64(a2, c3, fa_sub64(c, sum));
        rest = FA_MADD64(FA_MSUB64(a, a, a2), c3, rest);
        rest = fa_add64(rest, FA_MADD64(
            a2, FA_PD(fa_gelu_tanh_slope[3]), FA_PD(fa_gelu_tanh_slope[2])
        ));
        fa_f64x v = fa_mul64(a, sum);
        rest = FA_MADD64(a, rest, FA_MSUB64(a, sum, v));
        e = FA_NMADD64(r, fa_lost64(high, FA_SCALE64), e);
        fa_f64x far = fa_gated_slope(r, e, v, rest);
        far = fa_near_root(a, far, fa_gelu_tanh_root, 8, FA_SCALE64, 0);
        *d = fa_slope_of(x, far, FA_SCALE64);
    }
}

/* gelu: Phi(-a) = exp(-a^2 / 2) R(a), f'(-a) = exp(-a^2 / 2) S(a), R and S polynomials
   in h = a - centre by intervals, which the exponent and the next bits of v0 + s a tell
   apart (see tools/tables64.py).  From a = 39 on both results are below half the
   smallest subnormal.  The exponential falls, hence another scale: 2^-1000.

   The even and the odd powers go apart; the last three steps are Horner's, as what they
   add up is as large as the result.  Where c0 is next to nothing, at the root, c1 of S
   has a low part. */
#define FA_GELU_UNIT 0x1p-1000

FA_OP64 fa_f64x fa_gelu_magnitude(fa_f64x x) {
    return fa_min_abs64(x, 39.0);
}

FA_OP64 void fa_gelu_exp64(fa_f64x x, int has_d, fa_f64x *high, fa_f64x *low) {
    fa_f64x a = fa_gelu_magnitude(x);
    fa_f64x a2 = fa_mul64(a, a), a2_low = FA_MSUB64(a, a, a2);
    /* (n + 1100 is positive, as the tables want it) */
    fa_growth64(a2, &a2_low, 1100.0, fa_gelu_growth, high, low);
}

#if FA_STEPS64 == 16

/* What R and S = R - a / sqrt(2 pi) have in common, h^2 times it: degree 12, the even and
   the odd powers apart. */
FA_OP64 fa_f64x fa_gelu_both64(fa_f64x h, fa_i64x at) {
    fa_f64x h2 = fa_mul64(h, h);
    fa_f64x p = FA_PICK64(fa_gelu_both[12], at), q = FA_PICK64(fa_gelu_both[11], at);
#pragma GCC unroll 8
    for (int k = 10; k > 1; k -= 2) {
        p = FA_MADD64(h2, p, FA_PICK64(fa_gelu_both[k], at));
        q = FA_MADD64(h2, q, FA_PICK64(fa_gelu_both[k - 1], at));
    }
    p = FA_MADD64(h2, p, FA_PICK64(fa_gelu_both[0], at));
    return FA_MADD64(h, q, p);
}

/* R and S, where they are wanted. */
FA_OP64 void fa_gelu_pieces(fa_f64x a, fa_f64x *r, fa_f64x *s) {
    fa_i64x at = fa_shift_right64(FA_BITS64(
        FA_MADD64(a, FA_PD(FA_GELU_SCALE), FA_PD(FA_GELU_START))
    ), 50);
    fa_f64x h = fa_sub64(a, FA_PICK64(fa_gelu_centre[0], at));
    fa_f64x both = fa_gelu_both64(h, at);
    if (r) {
        *r = FA_MADD64(h, both, FA_PICK64(fa_gelu_mills[1], at));
        *r = FA_MADD64(h, *r, FA_PICK64(fa_gelu_mills[0], at));
    }
    if (s) {
        /* (at the root the first number is next to nothing, the second has two parts) */
        *s = FA_MADD64(h, both, FA_PICK64(fa_gelu_slope[1], at));
        fa_f64x first = FA_PICK64(fa_gelu_slope[0], at);
        first = FA_MADD64(h, FA_PICK64(fa_gelu_slope[2], at), first);
        *s = FA_MADD64(h, *s, first);
    }
}

#else

/* What AVX2 picks from is too little for such a table: rows are read from memory, of
   which there may be many then, with few coefficients.  Those of R and S are the same
   after the second. */

/* Where the row of each lane begins, for fa_columns64. */
FA_OP64 fa_i64x fa_gelu_row(fa_f64x x) {
    fa_f64x v = FA_MADD64(
        fa_gelu_magnitude(x), FA_PD(FA_GELU_SCALE), FA_PD(FA_GELU_START)
    );
    /* five bits of the fraction and two of the exponent, times 4, times 3 */
    fa_i64x at = fa_shift_right64(FA_BITS64(v), 45);
    at = FA_BITS64(fa_and64(FA_DOUBLE(at), FA_DOUBLE(FA_WORD(127 * 4))));
    return fa_sum_of_bits64(at, fa_sum_of_bits64(at, at));
}

/* R and S, where they are wanted. */
FA_OP64 void fa_gelu_pieces(fa_f64x a, const int64_t *at, fa_f64x *r, fa_f64x *s) {
    const double *rows = fa_gelu_rows[0];
    fa_f64x p, odd, c1, c0 = fa_columns64(rows, at, &p);
    fa_m64x root = FA_COMPARE64(c0, FA_PD(FA_GELU_ROOT), _CMP_EQ_OQ);
    fa_f64x h = fa_sub64(a, c0), h2 = fa_mul64(h, h);
#pragma GCC unroll 3
    for (int k = 10; k > 4; k -= 2) {
        fa_f64x even = fa_columns64(rows + k, at, &odd);
        p = FA_MADD64(h2, p, FA_MADD64(h, odd, even));
    }
    if (r) {
        c0 = fa_columns64(rows + 2, at, &c1);
        *r = FA_MADD64(h, FA_MADD64(h, p, c1), c0);
    }
    if (s) {
        c0 = fa_columns64(rows + 4, at, &c1);
        c0 = FA_MADD64(h, FA_KEEP64(root, FA_PD(FA_GELU_SLOPE_LOW)), c0);
        *s = FA_MADD64(h, FA_MADD64(h, p, c1), c0);
    }
}

#endif

FA_OP64 void fa_gelu_results(
    fa_f64x x, fa_f64x high, fa_f64x low, fa_f64x r, fa_f64x s, fa_f64x *f, fa_f64x *d
) {
    if (f) {
        /* a R (H + L), rounded once */
        fa_f64x a = fa_gelu_magnitude(x), y = fa_mul64(a, r);
        fa_f64x rest = fa_mul64(FA_MSUB64(a, r, y), high);
        y = FA_MADD64(y, high, FA_MADD64(y, low, rest));
        *f = FA_MADD64(y, FA_PD(-FA_GELU_UNIT), fa_max64(FA_PD(-0.0), x));
    }
    if (d) *d = fa_slope_of(x, FA_MADD64(s, high, fa_mul64(s, low)), FA_GELU_UNIT);
}

/* ... by fa_NAME_exp64 */
#define FA_LOOP64_OWN(name) FA_LOOP64_OF(name, fa_##name##_exp64(v, has_d, &h, &l))

FA_LOOP64_OWN(gelu_tanh)

#if FA_STEPS64 == 16

FA_LOOP64_OWN(quick_gelu)
FA_LOOP64_OWN(mish)

/* Three steps: a processor holds only so many operations that wait for others, and of one
   chain with the division in its middle that is two or three rounds of the loop. */
#define FA_LOOP64_TANH(name, factor) \
    FA_ROW64(name) { \
        double power[FA_BLOCK64] __attribute__((aligned(64))); \
        double left[FA_BLOCK64] __attribute__((aligned(64))); \
        double bend[FA_BLOCK64] __attribute__((aligned(64))); \
        double inverse[FA_BLOCK64] __attribute__((aligned(64))); \
        for (ptrdiff_t at = 0; at < n; at += FA_BLOCK64) { \
            ptrdiff_t m = n - at < FA_BLOCK64 ? n - at : FA_BLOCK64; \
            fa_f64x p, h, s, value, slope; \
            for (ptrdiff_t i = 0; i < m; i += FA_WIDTH64) { \
                fa_##name##_exp64(fa_load64(x + at + i), has_d, &p, &h); \
                fa_store64(power + i, p); \
                fa_store64(left + i, h); \
            } \
            for (ptrdiff_t i = 0; i < m; i += FA_WIDTH64) { \
                fa_store64(inverse + i, fa_tanh_inverse64( \
                    fa_load64(power + i), fa_load64(left + i), factor, &s \
                )); \
                fa_store64(bend + i, s); \
            } \
            for (ptrdiff_t i = 0; i < m; i += FA_WIDTH64) { \
                fa_##name##_of( \
                    fa_load64(x + at + i), fa_load64(power + i), fa_load64(left + i), \
                    fa_load64(bend + i), fa_load64(inverse + i), \
                    has_f ? &value : NULL, has_d ? &slope : NULL \
                ); \
                if (has_f) fa_store64(f + at + i, value); \
                if (has_d) fa_store64(d + at + i, slope); \
            } \
        } \
    }

FA_LOOP64_TANH(tanh, has_d ? FA_SCALE64 : 1.0)
FA_LOOP64_TANH(tanh_shrink, 1.0)

FA_OP64 void fa_gelu_of(fa_f64x x, fa_f64x high, fa_f64x low, fa_f64x *f, fa_f64x *d) {
    fa_f64x r, s;
    fa_gelu_pieces(fa_gelu_magnitude(x), f ? &r : NULL, d ? &s : NULL);
    fa_gelu_results(x, high, low, r, s, f, d);
}

FA_LOOP64_OWN(gelu)

#else

/* The first step leaves the rows, too: what loads from them need not wait for it. */
FA_ROW64(gelu) {
    double high[FA_BLOCK64] __attribute__((aligned(64)));
    double low[FA_BLOCK64] __attribute__((aligned(64)));
    int64_t row[FA_BLOCK64] __attribute__((aligned(64)));
    for (ptrdiff_t at = 0; at < n; at += FA_BLOCK64) {
        ptrdiff_t m = n - at < FA_BLOCK64 ? n - at : FA_BLOCK64;
        fa_f64x h, l, r, s, value, slope;
        for (ptrdiff_t i = 0; i < m; i += FA_WIDTH64) {
            fa_f64x v = fa_load64(x + at + i);
            fa_gelu_exp64(v, has_d, &h, &l);
            fa_store64(high + i, h);
            fa_store64(low + i, l);
            fa_store_bits64(row + i, fa_gelu_row(v));
        }
        for (ptrdiff_t i = 0; i < m; i += FA_WIDTH64) {
            fa_f64x v = fa_load64(x + at + i);
            fa_gelu_pieces(
                fa_gelu_magnitude(v), row + i, has_f ? &r : NULL, has_d ? &s : NULL
            );
            fa_gelu_results(
                v, fa_load64(high + i), fa_load64(low + i), r, s,
                has_f ? &value : NULL, has_d ? &slope : NULL
            );
            if (has_f) fa_store64(f + at + i, value);
            if (has_d) fa_store64(d + at + i, slope);
        }
    }
}

#endif

#define fa_sigmoid_f64(...) FA_CALL64(sigmoid, __VA_ARGS__)
#define fa_silu_f64(...) FA_CALL64(silu, __VA_ARGS__)
#define fa_tanh_shrink_f64(...) FA_CALL64(tanh_shrink, __VA_ARGS__)
#define fa_silu_beta_f64(x, f, d, n, beta) fa_silu_beta_row64( \
    x, f, d, n, beta, !__builtin_constant_p(f), !__builtin_constant_p(d) \
)
#define fa_elu_f64(...) FA_CALL64(elu, __VA_ARGS__)
#define fa_celu_f64(...) FA_CALL64(celu, __VA_ARGS__)
#define fa_selu_f64(...) FA_CALL64(selu, __VA_ARGS__)
#define fa_softplus_f64(...) FA_CALL64(softplus, __VA_ARGS__)
#define fa_log_sigmoid_f64(...) FA_CALL64(log_sigmoid, __VA_ARGS__)
#define fa_mish_f64(...) FA_CALL64(mish, __VA_ARGS__)
#define fa_tanh_f64(...) FA_CALL64(tanh, __VA_ARGS__)
#define fa_quick_gelu_f64(...) FA_CALL64(quick_gelu, __VA_ARGS__)
#define fa_gelu_tanh_f64(...) FA_CALL64(gelu_tanh, __VA_ARGS__)
#define fa_gelu_f64(...) FA_CALL64(gelu, __VA_ARGS__)

#include "_algebraic64.h"
