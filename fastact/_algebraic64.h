/* float64: rows without an exponential, with default parameters.  Each function takes n, a
   multiple of 16, and where to put the value and the derivative: NULL where not. */
#include <stddef.h>
#include "_ahead.h"
#include "_vector64.h"

/* x for |x| < 2, a number for NaN */
FA_OP64 fa_f64x fa_below_2_64(fa_f64x x) {
    return fa_and64(x, FA_DOUBLE(FA_WORD(~(1LL << 62))));
}

/* softsign: 1 / (1 + a), and softsign_short() from it. */
FA_OP64 fa_f64x fa_softsign_part64(const double *x) {
    const fa_f64x one = FA_PD(1.0);
    return fa_div64(one, fa_add64(one, fa_abs64(fa_load64(x))));
}
FA_OP64 void fa_softsign_rest64(
    const double *x, double *f, double *d, ptrdiff_t at, fa_f64x r,
    const int with_f, const int with_d
) {
    fa_f64x v = fa_load64(x + at), u = fa_sub64(FA_PD(1.0), r);
    fa_f64x e = fa_below_2_64(FA_NMADD64(fa_abs64(v), r, u));
    if (with_f) fa_store64(f + at, fa_or64(FA_NMADD64(r, e, u), fa_sign64(v)));
    if (with_d) {
        fa_store64(d + at, FA_MADD64(r, r, fa_mul64(fa_add64(r, r), fa_mul64(r, e))));
    }
}
#if defined(__AVX512F__)
/* (such processors look far enough ahead) */
FA_ROW64(softsign) {
    for (ptrdiff_t i = 0; i < n; i += FA_WIDTH64) {
        fa_softsign_rest64(x, f, d, i, fa_softsign_part64(x + i), has_f, has_d);
    }
}
#else
FA_AHEAD(
    fa_softsign_row64, fa_softsign_part64, fa_softsign_rest64,
    double, fa_f64x, FA_WIDTH64, 4
)
#endif

/* squareplus beyond ``top``: f = x or 1 / |x|, f' = 1 or that squared. */
FA_OP64 void fa_squareplus_far64(
    const double *x, double *f, double *d, ptrdiff_t n, const double top
) {
    const fa_f64x one = FA_PD(1.0);
    for (ptrdiff_t i = 0; i < n; i += FA_WIDTH64) {
        fa_f64x v = fa_load64(x + i), a = fa_abs64(v), y = fa_div64(one, a);
        fa_m64x far = FA_COMPARE64(a, FA_PD(top), _CMP_GT_OQ), left = FA_SIGNED64(v);
        if (f) {
            fa_f64x value = FA_SELECT64(left, y, v);
            fa_store64(f + i, FA_SELECT64(far, value, fa_load64(f + i)));
        }
        if (d) {
            fa_f64x slope = FA_SELECT64(left, fa_mul64(y, y), one);
            fa_store64(d + i, FA_SELECT64(far, slope, fa_load64(d + i)));
        }
    }
}

#if defined(__AVX512F__)

/* Roots and reciprocals are estimates of 14 bits, made better once.  The square of an
   error has one sign; a part of the Newton steps' 1 is there to have half of it on either
   side.  What is left, 2^-27 to 2^-29, goes with the last step, by a residual that is
   nearly exact. */

/* 1 / y, to 2^-29 */
FA_OP64 fa_f64x fa_reciprocal64(fa_f64x y) {
    fa_f64x r = _mm512_rcp14_pd(y);
    return FA_MADD64(r, FA_NMADD64(y, r, FA_PD(1 + 0x1p-29)), r);
}

/* With h = sqrt(a^2 + 1), a = |x| / 2, and s = a + h, f = s or 1 / s and f' = 1 / (2 s h)
   or 1 - that; g is near 1 / (2 h), q near 1 / s.

   h_low is of a^2 + 1 - h^2, in which a^2 is rounded once, and the sum s has its low part:
   half an ulp of f is left beside the last rounding, one of f'.  Up to 2^400. */
FA_OP64 fa_f64x fa_squareplus_root64(fa_f64x a, fa_f64x *g, fa_f64x *h_low) {
    const fa_f64x one = FA_PD(1.0), half = FA_PD(0.5);
    fa_f64x w = FA_MADD64(a, a, one);
    *g = _mm512_rsqrt14_pd(w);
    fa_f64x h = fa_mul64(w, *g);
    *g = fa_mul64(*g, half);
    fa_f64x e = FA_NMADD64(h, *g, FA_PD(0.5 + 0x1.8p-29));
    h = FA_MADD64(h, e, h);
    *g = FA_MADD64(*g, e, *g);
    *h_low = fa_mul64(FA_MADD64(a, a, FA_NMADD64(h, h, one)), *g);
    return h;
}

FA_OP64 void fa_squareplus_of(
    fa_f64x x, fa_f64x a, fa_f64x h, fa_f64x g, fa_f64x h_low, fa_f64x *f, fa_f64x *d
) {
    const fa_f64x one = FA_PD(1.0), half = FA_PD(0.5);
    fa_m64x left = FA_SIGNED64(x);
    fa_f64x s = fa_add64(h, a), s_low = fa_add64(fa_sub64(a, fa_sub64(s, h)), h_low);
    fa_f64x q = fa_reciprocal64(s);
    fa_f64x e = FA_NMADD64(s_low, q, FA_NMADD64(s, q, one));
    if (f) *f = FA_SELECT64(left, FA_MADD64(q, e, q), fa_add64(s, s_low));
    if (d) {
        fa_f64x y = fa_mul64(q, g);
        fa_f64x rest = FA_NMADD64(h_low, g, FA_NMADD64(h, g, half));
        y = FA_MADD64(q, g, fa_mul64(y, FA_MADD64(rest, FA_PD(2.0), e)));
        *d = FA_SELECT64(left, y, fa_sub64(one, y));
    }
}

FA_ROW64(squareplus) {
    double root[FA_BLOCK64] __attribute__((aligned(64)));
    double inverse[FA_BLOCK64] __attribute__((aligned(64)));
    double low[FA_BLOCK64] __attribute__((aligned(64)));
    fa_f64x top = fa_zero64(), half = FA_PD(0.5), g, h_low, value, slope;
    for (ptrdiff_t at = 0; at < n; at += FA_BLOCK64) {
        ptrdiff_t m = n - at < FA_BLOCK64 ? n - at : FA_BLOCK64;
        for (ptrdiff_t i = 0; i < m; i += FA_WIDTH64) {
            fa_f64x a = fa_abs64(fa_load64(x + at + i));
            /* (that of NaN is not kept) */
            top = fa_max64(a, top);
            fa_store64(root + i, fa_squareplus_root64(fa_mul64(a, half), &g, &h_low));
            if (has_d) fa_store64(inverse + i, g);
            fa_store64(low + i, h_low);
        }
        for (ptrdiff_t i = 0; i < m; i += FA_WIDTH64) {
            fa_f64x v = fa_load64(x + at + i), a = fa_mul64(fa_abs64(v), half);
            if (has_d) g = fa_load64(inverse + i);
            fa_squareplus_of(
                v, a, fa_load64(root + i), g, fa_load64(low + i),
                has_f ? &value : NULL, has_d ? &slope : NULL
            );
            if (has_f) fa_store64(f + at + i, value);
            if (has_d) fa_store64(d + at + i, slope);
        }
    }
    if (_mm512_reduce_max_pd(top) > 0x1p400) fa_squareplus_far64(x, f, d, n, 0x1p400);
}

#else

/* Here estimates have 12 bits, of float32, and the divider is faster: what the formulas of
   _formulas.pxd compute, with the divisions ahead. */

/* squareplus: y = 2 / (a + h), h = sqrt(a^2 + 4), f = max(x, 0) + y and f' = y / h = t, or
   1 - t for x >= 0.

   Not h is made better but the results, by what they leave in y^2 + a y = 1, h = a + 2 y,
   over h: 1 / h is y / (1 + y^2), to 5% a polynomial.  The rounding errors of the first
   differences there, 1 - a y and y - a t, are half an ulp at most.  (Up to 2^511, where
   a^2 does not overflow and t is normal.) */
FA_OP64 void fa_squareplus_rest64(
    const double *x, double *f, double *d, ptrdiff_t at, fa_f64x y,
    const int with_f, const int with_d
) {
    const fa_f64x one = FA_PD(1.0), two = FA_PD(2.0);
    fa_f64x v = fa_load64(x + at), a = fa_abs64(v);
    fa_f64x rest = FA_NMADD64(y, y, FA_NMADD64(a, y, one));
    fa_f64x per_h = fa_mul64(y, FA_NMADD64(FA_PD(0.525), y, FA_PD(1.035)));
    if (with_f) {
        fa_f64x left = FA_MADD64(rest, per_h, y);
        fa_store64(f + at, fa_add64(fa_max64(fa_zero64(), v), left));
    }
    if (with_d) {
        fa_f64x t = fa_div64(y, FA_MADD64(two, y, a));
        fa_f64x low = FA_NMADD64(fa_add64(t, t), y, FA_NMADD64(a, t, y));
        low = FA_MADD64(fa_mul64(rest, per_h), FA_NMADD64(two, t, one), low);
        t = FA_MADD64(low, per_h, t);
        fa_store64(d + at, FA_SELECT64(FA_SIGNED64(v), t, fa_sub64(one, t)));
    }
}
/* The root is two vectors ahead of the division, and that of the rest: a + h and y wait
   where a result goes. */
FA_ROW64(squareplus) {
    enum { AHEAD = 2 * FA_WIDTH64 };
    const fa_f64x two = FA_PD(2.0);
    double *out = has_f ? f : d;
    fa_f64x top = fa_zero64();
    for (ptrdiff_t i = -2 * AHEAD; i < n; i += FA_WIDTH64) {
        ptrdiff_t second = i + AHEAD, first = second + AHEAD;
        if (second >= 0 && second < n) {
            fa_store64(out + second, fa_div64(two, fa_load64(out + second)));
        }
        if (first < n) {
            fa_f64x a = fa_abs64(fa_load64(x + first));
            fa_f64x h = fa_sqrt64(FA_MADD64(a, a, FA_PD(4.0)));
            /* (that of NaN is not kept) */
            top = fa_max64(a, top);
            fa_store64(out + first, fa_add64(a, h));
        }
        if (i >= 0) fa_squareplus_rest64(x, f, d, i, fa_load64(out + i), has_f, has_d);
    }
    if (FA_ANY64(FA_COMPARE64(top, FA_PD(0x1p511), _CMP_GT_OQ))) {
        fa_squareplus_far64(x, f, d, n, 0x1p511);
    }
}
#endif

#define fa_softsign_f64(...) FA_CALL64(softsign, __VA_ARGS__)
#define fa_squareplus_f64(...) FA_CALL64(squareplus, __VA_ARGS__)
