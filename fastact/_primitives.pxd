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

cdef extern from *:
    """
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
    """
    float fa_fmaf(float, float, float) noexcept nogil
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
# subnormals instead of two.
#
# Arguments are clamped before they come here, to -exp_top: exp of that, even
# times exp_top, is below half the smallest subnormal.

cdef inline real exp_top(real x) noexcept nogil:
    """The magnitude at which the exponentials here stop, in the type of x."""
    if real is float:
        return <real>120
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
    else:
        return y * 4.909093465297727e-91


cdef inline real rescale(real y) noexcept nogil:
    """y 2^K."""
    if real is float:
        return y * <float>1.2676506002282294e30
    else:
        return y * 2.037035976334486e90


cdef inline real minus_unscaled(real y, real base) noexcept nogil:
    """base - y 2^-K."""
    if real is float:
        return fma(y, <float>-7.888609052210118e-31, base)
    else:
        return fma(y, -4.909093465297727e-91, base)


cdef inline real reduce(real x, real *s) noexcept nogil:
    """r, and s = 2^(n + K), for x in [-exp_top, 0]; |r| <= ln2 / 2.

    n ln2 is taken in two parts; the product with the first is exact without
    FMA too (its last 9 (16) bits are zero).
    """
    cdef real t, n
    if real is float:
        t = fma(x, <float>1.44269504, <float>12582912)
        n = t - <float>12582912
        s[0] = fa_pow2_f32(t, 127 + 100)
        return fma(n, <float>-1.42860677e-6, fma(n, <float>-0.693145752, x))
    else:
        t = fma(x, 1.4426950408889634, 6755399441055744.0)
        n = t - 6755399441055744.0
        s[0] = fa_pow2_f64(t, 1023 + 300)
        # 0x1.62e42fefap-1 and 0x1.cf79abc9e3b3ap-40
        return fma(n, -1.6465949582897082e-12, fma(n, -0.6931471805582987, x))


cdef inline real expm1_reduced(real r) noexcept nogil:
    """expm1(r) for |r| <= ln2 / 2: 2^-27.7 (float), 2^-56.5 (double).

    Estrin's scheme: the chain of dependent operations, not their number,
    limits the loops.
    """
    cdef real r2 = r * r, a, b, c, d
    if real is float:
        a = fma(r, <float>0.166665196, <float>0.49999994)
        b = fma(r, <float>0.00836877897, <float>0.0416683927)
        b = fma(r2, <float>0.00138146465, b)
        return fma(fma(b, r2, a), r2, r)
    else:
        a = fma(r, 0.1666666666666641, 0.5000000000000011)
        b = fma(r, 0.008333333333495636, 0.04166666666652923)
        c = fma(r, 0.00019841269504622015, 0.0013888888943911196)
        d = fma(r, 2.7557587539235265e-06, 2.4801492775081545e-05)
        a = fma(b, r2, a)
        c = fma(d, r2, c)
        b = r2 * r2
        d = fma(r, 2.499988740791518e-08, 2.763037409404218e-07)
        c = fma(d, b, c)
        return fma(fma(c, b, a), r2, r)


cdef inline real exp_scaled(real x) noexcept nogil:
    """2^K exp(x) for x in [-exp_top, 0]."""
    cdef real s, q
    q = expm1_reduced(reduce(x, &s))
    return fma(s, q, s)


cdef inline real exp_scaled_low(real x, real low) noexcept nogil:
    """2^K exp(x + low), x as in exp_scaled(), low what it lost to rounding."""
    cdef real s, q
    q = expm1_reduced(reduce(x, &s) + low)
    return fma(s, q, s)


cdef inline void exp_parts(real x, real low, real *s, real *q) noexcept nogil:
    """s and q such that 2^K exp(x + low) = s (1 + q), the sum not yet rounded."""
    q[0] = expm1_reduced(reduce(x, s) + low)


cdef inline real one_plus(real e) noexcept nogil:
    """1 + e for a scaled e = 2^K exp(...)."""
    if real is float:
        return fma(e, <float>7.888609052210118e-31, <float>1)
    else:
        return fma(e, 4.909093465297727e-91, 1.0)


cdef inline real expm1_both(real x, real *e) noexcept nogil:
    """expm1(x), and e = 2^K exp(x), for x in [-exp_top, 0].

    s - 1 is exact for n >= -24 (-53), and -1 to half an ulp below.
    """
    cdef real s, q, u
    q = expm1_reduced(reduce(x, &s))
    e[0] = fma(s, q, s)
    u = unscale(s)
    return fma(u, q, u - <real>1)


cdef inline real expm1_both_low(real x, real low, real *e) noexcept nogil:
    """expm1(x + low) and e = 2^K exp(x + low), as expm1_both()."""
    cdef real s, q, u
    q = expm1_reduced(reduce(x, &s) + low)
    e[0] = fma(s, q, s)
    u = unscale(s)
    return fma(u, q, u - <real>1)


# --- logarithm --------------------------------------------------------------

cdef inline real log1p_scaled(real e, real *r) noexcept nogil:
    """2^K log1p(u) and r = 1 / (1 + u), for a scaled e = 2^K u, u in [0, 1].

    Float: u + u^2 P(u), relative error 2^-24.8.  Double: log1p(u) = 2 atanh(v),
    v = u / (2 + u) <= 1/3, 2^-58.5; one division, 1 / ((1 + u) (2 + u)),
    serves both results.
    """
    cdef real u = unscale(e), u2, u4, even, odd, a, b, v
    if real is float:
        u2 = u * u
        r[0] = <float>1 / one_plus(e)
        even = <real>-0.00324398419
        even = fma(even, u2, <real>-0.0569594875)
        even = fma(even, u2, <real>-0.153056145)
        even = fma(even, u2, <real>-0.249541372)
        even = fma(even, u2, <real>-0.499999017)
        odd = <real>0.0198513512
        odd = fma(odd, u2, <real>0.106036693)
        odd = fma(odd, u2, <real>0.196759522)
        odd = fma(odd, u2, <real>0.333299637)
        even = fma(odd, u, even)
        return fma(e * u, even, e)
    else:
        a = 1.0 + u
        b = 2.0 + u
        u = 1.0 / (a * b)
        r[0] = b * u
        v = e * (a * u)
        u = unscale(v)
        u2 = u * u
        u4 = u2 * u2
        even = <real>0.0834492537513662
        even = fma(even, u4, <real>0.1330111992578952)
        even = fma(even, u4, <real>0.18181744473411765)
        even = fma(even, u4, <real>0.285714285481147)
        even = fma(even, u4, <real>0.6666666666666631)
        odd = <real>0.17009837701219352
        odd = fma(odd, u4, <real>0.12104955952409541)
        odd = fma(odd, u4, <real>0.1538654850770036)
        odd = fma(odd, u4, <real>0.22222223953820738)
        odd = fma(odd, u4, <real>0.4000000000015515)
        even = fma(odd, u2, even)
        return fma(v * u2, even, v + v)


# --- the normal distribution ------------------------------------------------

cdef inline real mills(real t, real *low) noexcept nogil:
    """Mills ratio Phi(-t) exp(t^2 / 2), t in [0, 15] (float), [0, 39] (double).

    P(z) / (t + c), z = (t - c) / (t + c) = 1 - 2 c / (t + c), where c makes the
    range of z nearly symmetric; relative error of P 2^-24.4 (float), 2^-53.6
    (double, from t = 0.7 on: below, see cdf_near_0).  The result has a low part:
    1 / (t + c) comes with its error, those of t + c and of the division.
    """
    cdef real c = <real>4 if real is float else <real>5
    cdef real d = t + c
    cdef real inv = <real>1 / d
    cdef real inv_low = fma(-d, inv, <real>1) - (t - (d - c)) * inv
    cdef real z, z2, even, odd
    inv_low = inv_low * inv
    z = fma(<real>-2 * c, inv, <real>1) - <real>2 * c * inv_low
    z2 = z * z
    if real is float:
        even = <real>-4.50593507e-5
        even = fma(even, z2, <real>0.000171860171)
        even = fma(even, z2, <real>-0.00349222124)
        even = fma(even, z2, <real>0.0603983551)
        even = fma(even, z2, <real>0.387137294)
        even = fma(even, z2, <real>0.755285144)
        odd = <real>-0.00021928057
        odd = fma(odd, z2, <real>0.00163548323)
        odd = fma(odd, z2, <real>-0.0075426125)
        odd = fma(odd, z2, <real>-0.186521575)
        odd = fma(odd, z2, <real>-0.607896626)
        even = fma(odd, z, even)
    else:
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
        even = fma(even, z2, <real>0.769193049750063)
        odd = <real>-3.897603676141986e-09
        odd = fma(odd, z2, <real>3.508179397037729e-08)
        odd = fma(odd, z2, <real>-3.31249314121887e-07)
        odd = fma(odd, z2, <real>3.978437786073328e-06)
        odd = fma(odd, z2, <real>-4.976209631106746e-05)
        odd = fma(odd, z2, <real>0.0005448989329943938)
        odd = fma(odd, z2, <real>-0.0029933767558885673)
        odd = fma(odd, z2, <real>-0.06911863870720679)
        odd = fma(odd, z2, <real>-0.3135331566712792)
        odd = fma(odd, z2, <real>-0.665382502890057)
        even = fma(odd, z, even)
    d = even * inv
    low[0] = fma(even, inv_low, two_prod_low(even, inv, d))
    return d


cdef inline real cdf_near_0(real t) noexcept nogil:
    """Phi(-t) for t in [0, 0.75]: 1/2 - t P(t^2), double, 2^-53.8.

    The rounding errors of mills() add up to 4 ulp here.
    """
    cdef real w = t * t
    cdef real w2 = w * w, even, odd
    even = <real>2.2577454998287263e-09
    even = fma(even, w2, <real>6.659652279444428e-07)
    even = fma(even, w2, <real>0.00011543468746250024)
    even = fma(even, w2, <real>0.009973557010035229)
    even = fma(even, w2, <real>0.3989422804014327)
    odd = <real>-9.953325915871235e-11
    odd = fma(odd, w2, <real>-4.1216321102823304e-08)
    odd = fma(odd, w2, <real>-9.444655240218705e-06)
    odd = fma(odd, w2, <real>-0.0011873282154671308)
    odd = fma(odd, w2, <real>-0.06649038006690544)
    even = fma(odd, w, even)
    return fma(-t, even, <real>0.5)


# --- small things ------------------------------------------------------------------

cdef inline real sixth(real t) noexcept nogil:
    """t / 6, correctly rounded: a product and a residual beat a division."""
    cdef real q
    if FA_FMA:
        q = t * <real>(1.0 / 6.0)
        return copysign(fma(fma(<real>-6, q, t), <real>(1.0 / 6.0), q), t)
    return t / <real>6


cdef inline real tanh_shrink_series(real x) noexcept nogil:
    """x - tanh(x) for |x| <= 0.9: x^3 P(x^2), relative error 2^-54."""
    cdef real w = x * x
    cdef real w2 = w * w, even, odd
    even = <real>1.1689568507221255e-07
    even = fma(even, w2, <real>4.404823078432041e-06)
    even = fma(even, w2, <real>3.7988665678501304e-05)
    even = fma(even, w2, <real>0.00023889208353266008)
    even = fma(even, w2, <real>0.0014558223681087911)
    even = fma(even, w2, <real>0.00886323539445902)
    even = fma(even, w2, <real>0.05396825396806185)
    even = fma(even, w2, <real>0.3333333333333333)
    odd = <real>-9.98520899260512e-07
    odd = fma(odd, w2, <real>-1.4022455826507482e-05)
    odd = fma(odd, w2, <real>-9.626998457430221e-05)
    odd = fma(odd, w2, <real>-0.0005899642014135392)
    odd = fma(odd, w2, <real>-0.00359212646091501)
    odd = fma(odd, w2, <real>-0.02186948852911755)
    odd = fma(odd, w2, <real>-0.13333333333333125)
    even = fma(odd, w, even)
    return x * w * even
