# cython: cdivision=True, boundscheck=False, wraparound=False
# Primitives: what the formulas are made of, for float and double.
#
# Everything here is branch-free and free of libm calls, so that the loops
# around it vectorise with gcc and clang without -ffast-math.  Coefficients
# come from tools/coefficients.py, which prints their error bounds.
#
# fma() is one rounding where the instruction set has it and two roundings on
# baseline x86-64; where the residual of a product is needed, two_prod_low()
# is exact on both.  The loops are compiled with -ffp-contract=off: the
# compiler never fuses what is not written as fma.
#
# Every formula keeps what its roundings lose: a quantity is a number and its
# low part, `e` and `el`.  The build makes a second copy of this file and of
# _formulas.pxd with WIDE = 1, for float32 through double: there the low parts
# are 0 and cost nothing, and the polynomials are as short as float32 allows.

cdef enum:
    WIDE = 0

cdef extern from *:
    """
    #ifndef FA_PRIMITIVES
    #define FA_PRIMITIVES
    #include <math.h>
    #include <stdint.h>
    #include <string.h>

    #if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__aarch64__)
    #define FA_FMA 1
    #else
    #define FA_FMA 0
    #endif

    #if defined(_MSC_VER)
    #define FA_INLINE static __forceinline
    #else
    #define FA_INLINE static inline __attribute__((always_inline))
    #endif

    FA_INLINE float fa_fmaf(float a, float b, float c) {
    #if FA_FMA
        return fmaf(a, b, c);
    #else
        return a * b + c;
    #endif
    }
    FA_INLINE double fa_fma(double a, double b, double c) {
    #if FA_FMA
        return fma(a, b, c);
    #else
        return a * b + c;
    #endif
    }
    /* min(|x|, top): positive floats are ordered as their bits are, and an
       integer minimum is one operation where a float one that keeps NaN takes a
       compare and a blend.  NaN gives top. */
    FA_INLINE float fa_magnitude_f32(float x, float top) {
        int32_t a, b; float f;
        memcpy(&a, &x, 4);
        memcpy(&b, &top, 4);
        a &= 0x7fffffff;
        a = a < b ? a : b;
        memcpy(&f, &a, 4);
        return f;
    }
    /* x, for |x| < 2, and a number for NaN: 2 has the first bit of the exponent. */
    FA_INLINE float fa_below_2_f32(float x) {
        uint32_t a;
        memcpy(&a, &x, 4);
        a &= 0xbfffffff;
        memcpy(&x, &a, 4);
        return x;
    }
    FA_INLINE double fa_below_2_f64(double x) {
        uint64_t a;
        memcpy(&a, &x, 8);
        a &= 0xbfffffffffffffff;
        memcpy(&x, &a, 8);
        return x;
    }
    /* 2^n from t = n + 1.5 * 2^23 (or 2^52): the integer n stands in the low
       bits of t; the shift drops everything else. */
    FA_INLINE float fa_pow2_f32(float t, int32_t bias) {
        uint32_t u; float f;
        memcpy(&u, &t, 4);
        u = (u << 23) + ((uint32_t)bias << 23);
        memcpy(&f, &u, 4);
        return f;
    }
    FA_INLINE double fa_pow2_f64(double t, int64_t bias) {
        uint64_t u; double f;
        memcpy(&u, &t, 8);
        u = (u << 52) + ((uint64_t)bias << 52);
        memcpy(&f, &u, 8);
        return f;
    }
    /* k with 2^-k w in (sqrt(1/2), sqrt(2)], for a normal w > 0. */
    FA_INLINE double fa_exponent(double w) {
        int64_t u;
        memcpy(&u, &w, 8);
        return (double)((int32_t)((u - 0x3fe6a09e667f3bcd) >> 32) >> 20);
    }
    /* r with its first 33 bits. */
    FA_INLINE double fa_short(double r) {
        uint64_t u;
        memcpy(&u, &r, 8);
        u &= 0xfffffffffff00000;
        memcpy(&r, &u, 8);
        return r;
    }
    #endif
    """
    float fa_below_2_f32(float) noexcept nogil
    double fa_below_2_f64(double) noexcept nogil
    double fa_short(double) noexcept nogil
    float fa_fmaf(float, float, float) noexcept nogil
    double fa_exponent(double) noexcept nogil
    float fa_magnitude_f32(float, float) noexcept nogil
    double fa_fma(double, double, double) noexcept nogil
    float fa_pow2_f32(float, int) noexcept nogil
    double fa_pow2_f64(double, int) noexcept nogil
    float fabsf(float) noexcept nogil
    double c_fabs "fabs"(double) noexcept nogil
    float copysignf(float, float) noexcept nogil
    double c_copysign "copysign"(double, double) noexcept nogil
    float sqrtf(float) noexcept nogil
    double c_sqrt "sqrt"(double) noexcept nogil
    const bint FA_FMA
    const float INFINITY

ctypedef fused real:
    float
    double


cdef inline real fma(real a, real b, real c) noexcept nogil:
    if real is float:
        return fa_fmaf(a, b, c)
    else:
        return fa_fma(a, b, c)


cdef inline real fabs(real x) noexcept nogil:
    if real is float:
        return fabsf(x)
    else:
        return c_fabs(x)


cdef inline real copysign(real x, real y) noexcept nogil:
    if real is float:
        return copysignf(x, y)
    else:
        return c_copysign(x, y)


cdef inline real sqrt(real x) noexcept nogil:
    if real is float:
        return sqrtf(x)
    else:
        return c_sqrt(x)


cdef inline real nan_or(real x, real y) noexcept nogil:
    """x where x is NaN, else y."""
    return x if x != x else y


cdef inline real magnitude(real x, real top) noexcept nogil:
    """min(|x|, top); NaN gives top (float) or NaN (double): see keep_nan()."""
    cdef real a
    if real is float:
        return fa_magnitude_f32(x, top)
    else:
        a = fabs(x)
        return top if a > top else a


cdef inline real keep_nan(real x, real y) noexcept nogil:
    """y, computed from magnitude(x, ...); NaN where x is."""
    return nan_or(x, y) if real is float else y


cdef inline real below_2(real x) noexcept nogil:
    """x for |x| < 2, a number for NaN.

    (Of selects between constants gcc makes one for each of the operations that follow.)
    """
    if real is float:
        return fa_below_2_f32(x)
    else:
        return fa_below_2_f64(x)


cdef inline real two_prod_low(real a, real b, real p) noexcept nogil:
    """a * b - p exactly, for p = a * b rounded (no overflow of 2^27 a or b)."""
    cdef real c, ah, al, bh, bl, split
    if FA_FMA:
        return fma(a, b, -p)
    # Veltkamp's split and Dekker's product (Dekker 1971).
    if real is float:
        split = 4097
    else:
        split = 134217729
    c = split * a
    ah = c - (c - a)
    al = a - ah
    c = split * b
    bh = c - (c - b)
    bl = b - bh
    return ((ah * bh - p) + ah * bl + al * bh) + al * bl


# --- exponentials -----------------------------------------------------------
#
# x = n ln2 + r with |r| <= ln2 / 2, expm1(r) = q, and exp(x) = 2^n (1 + q).
# Arguments here are <= 0, so 2^n underflows long before exp(x) matters less
# than the factor that it will be multiplied by (x exp(x) in silu).  Hence the
# scale is kept as s = 2^(n + K), with K = 100 (float) or 300 (double), and
# unscale() is the *last* operation of a formula: one rounding into the
# subnormals instead of two.  (WIDE needs no scale: K = 0.)
#
# Arguments are clamped before they come here, to -exp_top: exp of that, even
# times exp_top, is below half the smallest subnormal.

cdef inline real exp_top(real x) noexcept nogil:
    """The magnitude at which the exponentials here stop, in the type of x."""
    if real is float:
        return <real>120
    elif WIDE:
        return <real>700
    else:
        return <real>800


cdef inline real exp_magnitude(real x) noexcept nogil:
    """min(|x|, exp_top)."""
    return magnitude(x, exp_top(x))


cdef inline real clamp(real x) noexcept nogil:
    """max(x, -exp_top), NaN stays NaN."""
    cdef real floor = -exp_top(x)
    return floor if floor > x else x


cdef inline real unscale(real y) noexcept nogil:
    """y 2^-K."""
    if real is float:
        return y * <float>7.888609052210118e-31
    elif WIDE:
        return y
    else:
        return y * 4.909093465297727e-91


cdef inline real rescale(real y) noexcept nogil:
    """y 2^K."""
    if real is float:
        return y * <float>1.2676506002282294e30
    elif WIDE:
        return y
    else:
        return y * 2.037035976334486e90


cdef inline real minus_unscaled(real y, real base) noexcept nogil:
    """base - y 2^-K."""
    if real is float:
        return fma(y, <float>-7.888609052210118e-31, base)
    elif WIDE:
        return base - y
    else:
        return fma(y, -4.909093465297727e-91, base)


cdef inline real reduce(real x, real *s) noexcept nogil:
    """r, and s = 2^(n + K), for x in [-exp_top, 0]; |r| <= ln2 / 2.

    n ln2 is taken in two parts; the product with the first is exact without
    FMA too (its last 9 (16) bits are zero), and so is the difference.
    """
    cdef real n
    cdef real r = reduce_first(x, &n, s)
    return minus_rest(n, r)


cdef inline real reduce_low(real x, real low, real *s, real *rl) noexcept nogil:
    """reduce() of x + low: one rounding in all, and what it lost."""
    cdef real n
    cdef real r1 = reduce_first(x, &n, s)
    cdef real t = minus_rest(n, low)
    cdef real r = r1 + t
    rl[0] = <real>0 if WIDE else t - (r - r1)
    return r


cdef inline real minus_rest(real n, real y) noexcept nogil:
    """y - n times what the first part of ln2 leaves of it (WIDE: has one part)."""
    if real is float:
        return fma(n, <float>-1.42860677e-6, y)
    if WIDE:
        return y
    return fma(n, -1.6465949582897082e-12, y)  # 0x1.cf79abc9e3b3ap-40


cdef inline real reduce_first(real x, real *n, real *s) noexcept nogil:
    """x - n times the first part of ln2, n and s."""
    return reduce_at(x, x, magic_of(x), magic_of(x), n, s)


cdef inline real magic_of(real x) noexcept nogil:
    """1.5 2^23 or 2^52: a sum with it is rounded to an integer, in its low bits."""
    return <real>12582912 if real is float else <real>6755399441055744.0


cdef inline real reduce_at(
    real x, real at, real magic, real back, real *n, real *s
) noexcept nogil:
    """reduce_first() with n from ``at``: magic less M makes s 2^(n + K - M), and
    back less M gives n for the n - M that was found.
    """
    cdef real t
    if real is float:
        t = fma(at, <float>1.44269504, magic)
        n[0] = t - back
        s[0] = fa_pow2_f32(t, 127 + 100)
        return fma(n[0], <float>-0.693145752, x)
    else:
        t = fma(at, 1.4426950408889634, magic)
        n[0] = t - back
        s[0] = fa_pow2_f64(t, 1023 if WIDE else 1023 + 300)
        # 0x1.62e42fefap-1 where the rest follows
        return fma(n[0], -0.6931471805599453 if WIDE else -0.6931471805582987, x)


cdef inline real expm1_tail(real r) noexcept nogil:
    """(expm1(r) - r) / r^2 for |r| <= ln2 / 2; relative error of exp(r): 2^-29.8
    (float), 2^-34.1 (WIDE), 2^-60.1 (double).

    Estrin's scheme: the chain of dependent operations, not their number,
    limits the loops.
    """
    cdef real r2 = r * r, r4, a, b, c, d, e
    if real is float or WIDE:
        if real is float:
            a = fma(r, <real>0.166666657, <real>0.5)
            b = fma(r, <real>0.00833349675, <real>0.0416662954)
            c = fma(r, <real>0.000197906338, <real>0.00139447546)
        else:
            a = fma(r, 0.16666665868293642, 0.5000000068019769)
            b = fma(r, 0.008333496892737265, 0.041666293686318856)
            c = fma(r, 0.00019790633728071773, 0.0013944754828730977)
        return fma(fma(c, r2, b), r2, a)
    else:
        a = fma(r, 0.16666666666666682, 0.5)
        b = fma(r, 0.008333333333316916, 0.04166666666666609)
        c = fma(r, 0.00019841269896684276, 0.0013888888889117103)
        d = fma(r, 2.755723455616702e-06, 2.480158692485861e-05)
        e = fma(r, 2.5112145192698354e-08, 2.7557582614057913e-07)
        e = fma(r2, 2.0826584739284548e-09, e)
        a = fma(b, r2, a)
        c = fma(d, r2, c)
        r4 = r2 * r2
        return fma(fma(e, r4, c), r4, a)


cdef inline real expm1_reduced(real r) noexcept nogil:
    return fma(r * r, expm1_tail(r), r)


cdef inline void exp_parts(real x, real *s, real *q) noexcept nogil:
    """s and q such that 2^K exp(x) = s (1 + q), x in [-exp_top, 0]."""
    q[0] = expm1_reduced(reduce(x, s))


cdef inline void exp_parts_low(real x, real low, real *s, real *q) noexcept nogil:
    """The same of x + low, low what x lost to rounding."""
    cdef real rl
    q[0] = expm1_reduced(reduce_low(x, low, s, &rl))


cdef inline void exp_parts_anchored(
    real x, real at, real low, real rest, real *s, real *q
) noexcept nogil:
    """The same of x + at + low + rest: near x = -at the first sum is exact, and the
    second where it is as small as the rest of it.
    """
    cdef real n
    cdef real r = reduce_first(x, &n, s) + at
    q[0] = expm1_reduced((r + minus_rest(n, low)) + rest)


cdef inline void expm1_parts(real x, real *s, real *q, real *ql) noexcept nogil:
    """As exp_parts(), q with its low part."""
    expm1_parts_low(x, <real>-0.0, s, q, ql)


cdef inline void expm1_parts_low(
    real x, real low, real *s, real *q, real *ql
) noexcept nogil:
    cdef real rl
    cdef real r = reduce_low(x, low, s, &rl)
    cdef real c = r * r * expm1_tail(r)
    q[0] = r + c
    if WIDE:
        ql[0] = <real>0
    elif real is float:
        ql[0] = c - (q[0] - r)  # (rl matters less than 0.2 ulp)
    else:
        ql[0] = (c - (q[0] - r)) + rl


cdef inline real exp_low(real s, real q, real e) noexcept nogil:
    """What e = s (1 + q) lost to rounding; s is a power of 2."""
    return <real>0 if WIDE else fma(s, q, s - e)


cdef inline real exp_low_split(real s, real q, real ql, real e) noexcept nogil:
    """The same with the low part of q."""
    return <real>0 if WIDE else fma(s, ql, exp_low(s, q, e))


cdef inline void exp_pair(real x, real low, real *e, real *el) noexcept nogil:
    """2^K exp(x + low) and its low part, x and low as in exp_parts_low()."""
    cdef real s, q, ql
    expm1_parts_low(x, low, &s, &q, &ql)
    e[0] = fma(s, q, s)
    el[0] = exp_low_split(s, q, ql, e[0])


cdef inline real exp_of(
    real s, real r, real t, bint exactly, real *low
) noexcept nogil:
    """2^K exp(x), for r + t the reduced x, t small, and what the last two roundings take.

    float may leave out what r + t loses (0.3 ulp), and low.
    """
    cdef real u = r + t
    cdef real e
    if real is float and not exactly:
        low[0] = 0
        return fma(s, expm1_reduced(u), s)
    t = fma(u * u, expm1_tail(u), t - (u - r))
    e = fma(s, u + t, s)
    low[0] = fma(s, t, fma(s, u, s - e))
    return e


cdef inline real one_plus(real e) noexcept nogil:
    """1 + e for a scaled e = 2^K exp(...)."""
    if real is float:
        return fma(e, <float>7.888609052210118e-31, <float>1)
    elif WIDE:
        return <real>1 + e
    else:
        return fma(e, 4.909093465297727e-91, 1.0)


cdef inline real one_plus_low(real e, real el, real d) noexcept nogil:
    """The low part of d = 1 + e + el."""
    if WIDE:
        return <real>0
    if real is float:
        return fma(
            el, <float>7.888609052210118e-31,
            fma(e, <float>7.888609052210118e-31, <float>1 - d),
        )
    else:
        return fma(el, 4.909093465297727e-91, fma(e, 4.909093465297727e-91, 1.0 - d))


cdef inline real expm1_value(real s, real q, real ql, real *low) noexcept nogil:
    """expm1(x) and its low part, from expm1_parts().

    w = u - 1 is exact for n >= -24 (-53); below, its error matters as much as u.
    """
    cdef real u = unscale(s)
    cdef real w = u - <real>1
    cdef real m = fma(u, q, w)
    if WIDE:
        low[0] = <real>0
    else:
        low[0] = fma(u, q, w - m) + fma(u, ql, u - (w + <real>1))
    return m


cdef inline real expm1_clamped(real x) noexcept nogil:
    """expm1(x) for x in [-exp_top, 0]."""
    cdef real s, q, ql, low, m
    expm1_parts(x, &s, &q, &ql)
    m = expm1_value(s, q, ql, &low)
    return m + low


# --- the logistic function in double, with FMA --------------------------------
#
# E = exp(|x|) = 2^K' s (1 + r + c): s a power of 2, r the reduced x before the second
# part of ln2 is taken off, which is exact, and c all that is small, |c| < 0.07.  Then
# g = 1 / (1 + E), the sigmoid of -|x|, is R (1 + e) where R is near it and has 33 bits:
#     e = (1 - R s) - R - R s r - R s c,
# in which R s is exact and so are the first two terms, and what is left of the third
# is small.  e < 2^-31, so that e^2 is nothing.  K' = 150 makes 1 + E finite where even
# g x, |x| < 2^60, is below half the smallest subnormal: exp_top.  (_float64.h does the same
# with an exponential by table.)

cdef inline void growth(
    double a, double low, double *s, double *r, double *c
) noexcept nogil:
    """2^-150 exp(a + low) = s (1 + r + c), a from 0 to exp_top."""
    cdef double n, u
    s[0] = growth_power(a, &n)
    r[0] = fma(n, -0.6931471805582987, a)
    c[0] = fma(n, -1.6465949582897082e-12, low)
    u = r[0] + c[0]
    c[0] = fma(u * u, expm1_tail(u), c[0])


cdef inline double growth_power(double a, double *n) noexcept nogil:
    """s of growth(), and n."""
    cdef double magic = magic_of(a)
    cdef double t = fma(a, 1.4426950408889634, magic)
    n[0] = t - magic
    return fa_pow2_f64(t, 1023 - 150)


cdef inline double growth_unit() noexcept nogil:
    """2^-150."""
    return 7.006492321624085e-46


cdef inline double growth_magnitude(double x) noexcept nogil:
    """min(|x|, 760): from there on even x g is below half the smallest subnormal."""
    return magnitude(x, 760.0)


cdef inline double logistic(double s, double r, double c, double *e) noexcept nogil:
    """2^150 R and e, from growth()."""
    cdef double R = fa_short(1.0 / (fma(s, r + c, s) + growth_unit()))
    cdef double rs = R * s
    cdef double rest = fma(R, -growth_unit(), 1.0 - rs)
    e[0] = fma(-rs, c, fma(-rs, r, rest))
    return R


cdef inline double silu_slope(double h) noexcept nogil:
    """silu'(-u) / (u - u0), h = u - u0, |h| <= 1/16, silu'(-u0) = 0: 2^-54.9."""
    cdef double h2 = h * h, p, q
    p = fma(h, -0.0007985216960984111, 0.0001266281798746755)
    q = fma(h, 4.08978333415888e-05, 0.00018544523769624443)
    p = fma(q, h2, p)
    q = fma(h, 0.006606589137798311, -0.01522265522402572)
    p = fma(p, h2, q)
    q = fma(h, -0.018874814223781837, 0.14664879699694713)
    p = fma(p, h2, q)
    return fma(p, h, -0.2178117057198001)


# --- quotients --------------------------------------------------------------

cdef inline real residual(real n, real q, real d) noexcept nogil:
    """n - q d, where q d is near n."""
    cdef real p
    if FA_FMA or WIDE:
        return fma(-q, d, n)
    p = q * d
    return (n - p) - two_prod_low(q, d, p)


cdef inline real quotient_low(
    real n, real nl, real d, real dl, real r, real q
) noexcept nogil:
    """(n + nl) / (d + dl) - q, for q near it and r near 1 / d."""
    if WIDE:
        return <real>0
    return (fma(-q, dl, residual(n, q, d)) + nl) * r


cdef inline real quotient(real n, real nl, real d, real dl, real r) noexcept nogil:
    """(n + nl) / (d + dl) to half an ulp and a little, r within some ulp of 1 / d."""
    cdef real q = n * r
    if WIDE:
        return q
    return fma(fma(-q, dl, residual(n, q, d)) + nl, r, q)


cdef inline real sum_low(real a, real b, real s) noexcept nogil:
    """a + b - s exactly, for s = a + b rounded (Knuth)."""
    cdef real t = s - a
    return <real>0 if WIDE else (a - (s - t)) + (b - t)


cdef inline real product_low(real a, real b, real p) noexcept nogil:
    """two_prod_low() where p needs a low part."""
    return <real>0 if WIDE else two_prod_low(a, b, p)


cdef inline real product_plus(real a, real b, real c) noexcept nogil:
    """a b + c for a small c, rounded once.

    (Without FMA the low part of a product near the subnormals is no good, and one that
    is 0 has the sign.)
    """
    cdef real p, low, tiny = 1e-30 if real is float else 1e-290
    if FA_FMA or WIDE:
        return fma(a, b, c)
    p = a * b
    low = c if fabs(p) < tiny else two_prod_low(a, b, p) + c
    return p + (p if p == 0 else low)


cdef inline real product_sum_low(real a, real b, real c, real s) noexcept nogil:
    """a b + c - s for s = fma(a, b, c), |c| >= |a b|."""
    cdef real p
    if WIDE:
        return <real>0
    if FA_FMA:
        return fma(a, b, c - s)
    p = a * b
    return (p + (c - s)) + two_prod_low(a, b, p)


# --- logarithm --------------------------------------------------------------

cdef inline real log1p_scaled(real e, real el, real *low, real *r) noexcept nogil:
    """2^K log1p(u), its low part, and r near 1 / (1 + u), for 2^K u = e + el, u <= 1.

    log1p(u) = 2 atanh(v), v = u / (2 + u) <= 1/3; relative error 2^-58.5 (double),
    2^-38.4 (WIDE), 2^-30 (float, u <= exp(-0.4375)).  One division,
    1 / ((1 + u) (2 + u)), serves both results (two short ones are faster for WIDE).
    """
    cdef real u = unscale(e)
    cdef real a = <real>1 + u
    cdef real b = <real>2 + u
    cdef real bl = (u - (b - <real>2)) + unscale(el)
    cdef real v, w, w2, even, odd
    if WIDE:
        r[0] = <real>1 / a
        v = e / b
    else:
        w = <real>1 / (a * b)
        r[0] = b * w
        a = a * w
        v = e * a
    low[0] = <real>2 * quotient_low(e, el, b, bl, a, v)
    w = unscale(v)
    w = w * w
    w2 = w * w
    if real is float:
        even = fma(<real>0.284236461, w2, <real>0.666666508)
        odd = fma(<real>0.250942886, w2, <real>0.40002957)
    elif WIDE:
        even = <real>0.17151254144519454
        even = fma(even, w2, <real>0.2856841910247843)
        even = fma(even, w2, <real>0.6666666636351407)
        odd = <real>0.2178201409907609
        odd = fma(odd, w2, <real>0.22301084889877007)
        odd = fma(odd, w2, <real>0.40000052443582085)
    else:
        even = <real>0.0834492537513662
        even = fma(even, w2, <real>0.1330111992578952)
        even = fma(even, w2, <real>0.18181744473411765)
        even = fma(even, w2, <real>0.285714285481147)
        even = fma(even, w2, <real>0.6666666666666631)
        odd = <real>0.17009837701219352
        odd = fma(odd, w2, <real>0.12104955952409541)
        odd = fma(odd, w2, <real>0.1538654850770036)
        odd = fma(odd, w2, <real>0.22222223953820738)
        odd = fma(odd, w2, <real>0.4000000000015515)
    w2 = (v * w) * fma(odd, w, even)
    if WIDE:
        return fma(<real>2, v, w2)
    low[0] = low[0] + w2
    return v + v


cdef inline double log1p_sum(double z, double zl, double *low) noexcept nogil:
    """log1p(z + zl), z >= 0, and its low part: 0.6 ulp at most.

    With 1 + z = 2^k f, sqrt(1/2) < f <= sqrt(2), it is k ln2 + 2 atanh(v), v =
    (f - 1) / (f + 1); k ln2 is exact in its first part.  2 atanh(v) as in
    log1p_scaled().
    """
    cdef double w = 1.0 + z
    cdef double wl = sum_low(1.0, z, w) + zl
    cdef double k, f, fl, d, r, v, vl, v2, v4, even, odd, hi
    k = fa_exponent(w)
    f = fa_pow2_f64(6755399441055744.0 - k, 1023)
    fl = wl * f
    f = w * f - 1.0
    d = 2.0 + f
    r = 1.0 / d
    v = f * r
    vl = quotient_low(f, fl, d, (f - (d - 2.0)) + fl, r, v)
    hi = v + vl
    vl = vl - (hi - v)
    v = hi
    v2 = v * v
    v4 = v2 * v2
    even = 0.0834492537513662
    even = fma(even, v4, 0.1330111992578952)
    even = fma(even, v4, 0.18181744473411765)
    even = fma(even, v4, 0.285714285481147)
    even = fma(even, v4, 0.6666666666666631)
    odd = 0.17009837701219352
    odd = fma(odd, v4, 0.12104955952409541)
    odd = fma(odd, v4, 0.1538654850770036)
    odd = fma(odd, v4, 0.22222223953820738)
    odd = fma(odd, v4, 0.4000000000015515)
    vl = 2.0 * vl + (v * v2) * fma(odd, v2, even)
    v = v + v
    d = k * 0.6931471805582987
    hi = d + v
    vl = sum_low(d, v, hi) + fma(k, 1.6465949582897082e-12, vl)
    v = hi + vl
    low[0] = vl - (v - hi)
    return v


# --- the normal distribution ------------------------------------------------

cdef inline real mills_argument(
    real t, real *inv, real *inv_low, real *zl
) noexcept nogil:
    """z = (t - c) / (t + c) = 1 - 2 c / (t + c) and inv = 1 / (t + c) with its error.

    c = 4 (WIDE) or 5 makes the range of z nearly symmetric for t in [0, 15] (WIDE)
    or [0, 39].
    """
    cdef real c = <real>4 if WIDE else <real>5
    cdef real d = t + c
    cdef real r = <real>1 / d
    inv[0] = r
    cdef real z
    inv_low[0] = <real>0
    zl[0] = <real>0
    if WIDE:
        return fma(<real>-8, r, <real>1)
    inv_low[0] = (residual(<real>1, r, d) - (t - (d - c)) * r) * r
    d = <real>-10 * r
    z = <real>1 + d
    zl[0] = sum_low(<real>1, d, z) + (product_low(<real>-10, r, d) - <real>10 * inv_low[0])
    return z


cdef inline real mills(
    real z, real zl, real inv, real inv_low, real *low
) noexcept nogil:
    """Mills ratio Phi(-t) exp(t^2 / 2) = P(z) inv and its low part.

    Relative error of P 2^-55.2, from t = 0.7 on (below, see cdf_near_0).
    """
    cdef real z2 = z * z, even, odd, p, zp
    even = <real>7.295848676890788e-09
    even = fma(even, z2, <real>-6.560331949074474e-08)
    even = fma(even, z2, <real>4.329873874969071e-07)
    even = fma(even, z2, <real>-2.769237170687985e-06)
    even = fma(even, z2, <real>1.6681216146498942e-05)
    even = fma(even, z2, <real>-5.937573071222589e-05)
    even = fma(even, z2, <real>-0.0007978693977958813)
    even = fma(even, z2, <real>0.020795066799797035)
    even = fma(even, z2, <real>0.16502036617039037)
    even = fma(even, z2, <real>0.49530561596997624)
    odd = <real>-3.897603676141986e-09
    odd = fma(odd, z2, <real>3.508179397037729e-08)
    odd = fma(odd, z2, <real>-3.31249314121887e-07)
    odd = fma(odd, z2, <real>3.978437786073328e-06)
    odd = fma(odd, z2, <real>-4.976209631106746e-05)
    odd = fma(odd, z2, <real>0.0005448989329943938)
    odd = fma(odd, z2, <real>-0.0029933767558885673)
    odd = fma(odd, z2, <real>-0.06911863870720679)
    odd = fma(odd, z2, <real>-0.3135331566712792)
    # The last two steps by Horner: even and odd parts cancel.
    p = fma(odd, z, even)
    zp = product_sum_low(odd, z, even, p)
    odd = fma(p, z, <real>-0.665382502890057)
    # zl P'(z), nearly, and what p and odd lost
    zl = zl * fma(p, z, odd)
    zp = fma(zp, z, product_sum_low(p, z, <real>-0.665382502890057, odd))
    zl = fma(zp, z, zl)
    p = fma(odd, z, <real>0.769193049750063)
    odd = product_sum_low(odd, z, <real>0.769193049750063, p)
    even = (odd + zl) + fma(<real>4.6912796894844064e-17, z, <real>-1.4572123222285348e-17)
    z = p * inv
    low[0] = fma(p, inv_low, fma(even, inv, two_prod_low(p, inv, z)))
    return z


cdef inline real mills_wide(real z) noexcept nogil:
    """P(z) of mills() for WIDE, 2^-26.7: float32 gelu then has at most 0.66 ulp."""
    cdef real z2 = z * z, even, odd
    even = <real>0.000174665934686274
    even = fma(even, z2, <real>-0.003510214615237326)
    even = fma(even, z2, <real>0.06040349003200505)
    even = fma(even, z2, <real>0.38713691652009286)
    even = fma(even, z2, <real>0.7552851352500287)
    odd = <real>-0.00013419398543032608
    odd = fma(odd, z2, <real>0.0015684117971862914)
    odd = fma(odd, z2, <real>-0.007524007177369491)
    odd = fma(odd, z2, <real>-0.18652365580437363)
    odd = fma(odd, z2, <real>-0.6078965798856598)
    return fma(odd, z, even)


cdef inline real mills_slope(real z, real zl, real *low) noexcept nogil:
    """W(t) = (Mills ratio - t / sqrt(2 pi)) / (a0 - t), a0 = 0.7517915..., and its
    low part.

    The derivative of x Phi(x) at -t is exp(-t^2 / 2) (a0 - t) W(t): no difference
    that cancels at its root a0.  Relative error 2^-31.8 (WIDE), 2^-55.7.
    """
    cdef real z2 = z * z, even, odd, p
    if WIDE:
        even = <real>-1.2520595731748969e-06
        even = fma(even, z2, <real>-1.3869873788617539e-05)
        even = fma(even, z2, <real>-0.00015560718951474842)
        even = fma(even, z2, <real>0.009505068846477966)
        even = fma(even, z2, <real>0.060462931137746194)
        even = fma(even, z2, <real>0.4622112441018795)
        odd = <real>-1.8849627624897158e-05
        odd = fma(odd, z2, <real>0.0001873423915135108)
        odd = fma(odd, z2, <real>-0.001788769012446722)
        odd = fma(odd, z2, <real>-0.02808330397017667)
        odd = fma(odd, z2, <real>-0.10336590012202196)
        low[0] = <real>0
        return fma(odd, z, even)
    even = <real>2.167455293350284e-10
    even = fma(even, z2, <real>-2.7207329688404472e-09)
    even = fma(even, z2, <real>2.166344654089839e-08)
    even = fma(even, z2, <real>-1.6869215816382708e-07)
    even = fma(even, z2, <real>1.3601371443909374e-06)
    even = fma(even, z2, <real>-9.20116343136491e-06)
    even = fma(even, z2, <real>-1.5195773753582412e-05)
    even = fma(even, z2, <real>0.0023021837234423544)
    even = fma(even, z2, <real>0.017807831556892563)
    even = fma(even, z2, <real>0.06048781355387075)
    odd = <real>1.5347483498962593e-10
    odd = fma(odd, z2, <real>-2.1396836764680286e-09)
    odd = fma(odd, z2, <real>1.2104544341491845e-08)
    odd = fma(odd, z2, <real>2.164421534002439e-08)
    odd = fma(odd, z2, <real>-1.9928317539653703e-06)
    odd = fma(odd, z2, <real>4.0646995894253223e-05)
    odd = fma(odd, z2, <real>-0.0004405306253034241)
    odd = fma(odd, z2, <real>-0.00733431092899136)
    odd = fma(odd, z2, <real>-0.03553512146915542)
    # The last two steps by Horner: even and odd parts cancel.
    even = fma(odd, z, even)
    odd = fma(even, z, <real>-0.08979658026980374)
    zl = zl * fma(even, z, odd)
    p = fma(odd, z, <real>0.45143549526340543)
    odd = product_sum_low(odd, z, <real>0.45143549526340543, p)
    even = (odd + zl) + fma(<real>-3.5604668174482776e-19, z, <real>-2.142273808954654e-17)
    low[0] = even
    return p


cdef inline real cdf_near_0(real t, real *low) noexcept nogil:
    """Phi(-t) for t in [0, 0.75]: 1/2 - t P(t^2), double, 2^-60.5, and its low part.

    The rounding errors of mills() add up to 4 ulp here.
    """
    cdef real w = t * t
    cdef real w2 = w * w, even, odd, p
    even = <real>2.2577454998287263e-09
    even = fma(even, w2, <real>6.659652279444428e-07)
    even = fma(even, w2, <real>0.00011543468746250024)
    even = fma(even, w2, <real>0.009973557010035229)
    odd = <real>-9.953325915871235e-11
    odd = fma(odd, w2, <real>-4.1216321102823304e-08)
    odd = fma(odd, w2, <real>-9.444655240218705e-06)
    odd = fma(odd, w2, <real>-0.0011873282154671308)
    odd = fma(fma(odd, w, even), w, <real>-0.06649038006690544)
    p = fma(odd, w, <real>0.3989422804014327)
    odd = product_sum_low(odd, w, <real>0.3989422804014327, p)
    odd = odd - <real>2.4951774247824358e-17
    even = fma(-t, p, <real>0.5)
    low[0] = fma(-t, odd, product_sum_low(-t, p, <real>0.5, even))
    return even


# --- small things ------------------------------------------------------------------

cdef inline real sixth(real t, real low) noexcept nogil:
    """(t + low) / 6, correctly rounded: a product and a residual beat a division."""
    cdef real q = t * <real>(1.0 / 6.0)
    return copysign(fma(residual(t, q, <real>6) + low, <real>(1.0 / 6.0), q), t)


cdef inline real tanh_shrink_series(real x) noexcept nogil:
    """x - tanh(x) for 0 <= x <= 0.9: x^3 P(x^2), relative error 2^-54.

    (x^3 is scaled where it is tiny: low parts have no digits in the subnormals.)
    """
    cdef real w = x * x, even, odd
    cdef real big = x
    cdef real back = <real>1
    if not WIDE:
        big = x * (<real>2.037035976334486e90 if x < 1e-30 else <real>1)
        back = <real>1 if x >= 1e-30 else <real>1.1830521861667747e-271
    cdef real big2 = big * big
    cdef real x3 = big * big2
    cdef real low = product_low(big, big2, x3) + big * product_low(big, big, big2)
    cdef real w2 = w * w
    even = <real>1.1689568507221255e-07
    even = fma(even, w2, <real>4.404823078432041e-06)
    even = fma(even, w2, <real>3.7988665678501304e-05)
    even = fma(even, w2, <real>0.00023889208353266008)
    even = fma(even, w2, <real>0.0014558223681087911)
    even = fma(even, w2, <real>0.00886323539445902)
    even = fma(even, w2, <real>0.05396825396806185)
    odd = <real>-9.98520899260512e-07
    odd = fma(odd, w2, <real>-1.4022455826507482e-05)
    odd = fma(odd, w2, <real>-9.626998457430221e-05)
    odd = fma(odd, w2, <real>-0.0005899642014135392)
    odd = fma(odd, w2, <real>-0.00359212646091501)
    odd = fma(odd, w2, <real>-0.02186948852911755)
    odd = fma(odd, w2, <real>-0.13333333333333125)
    # P = 1/3 + w T, with what its rounding and that of 1/3 lost
    odd = fma(even, w, odd)
    even = fma(odd, w, <real>0.3333333333333333)
    w2 = product_sum_low(odd, w, <real>0.3333333333333333, even)
    w2 = w2 + <real>1.850371707708594e-17
    return back * product_plus(x3, even, fma(low, even, x3 * w2))
