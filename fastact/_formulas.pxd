# cython: cdivision=True, boundscheck=False, wraparound=False
# Formulas: one function per row of the registry, named like it.
#
# Each gives the value f and the derivative d from shared subexpressions; the
# loop that needs only one of them lets the compiler drop the other.  All are
# branch-free: both arms of a conditional are evaluated, so both are finite or
# harmless, and NaN goes through both f and d.
#
# Rows with an exponential come in two steps, NAME_exp and NAME: the loop takes
# the first over a block, then the second.  Two short chains of dependent
# operations fill the processor better than one long one (a third of the time).
# NAME_exp leaves two numbers for NAME, three where the registry says "expm1": s and q
# with 2^K exp(...) = s (1 + q) (see _primitives.pxd), and ql, the low part of q; or e
# and el; or what the two say.
#
# (Selects that belong together are written with different comparisons, x < 0 and
# x <= 0: gcc makes branches of equal ones, or both arms of everything between.)
#
# Notation: e = 2^K exp(-|x|), d = 1 + exp(-|x|), r near 1 / d; el, dl are the low
# parts of e, d: what the rounding of e, d lost.

from fastact._primitives cimport (
    below_2, cdf_near_0, clamp, copysign, exp_low, exp_low_split, exp_magnitude,
    exp_pair, exp_parts, exp_parts_anchored, exp_parts_low, exp_top, expm1_clamped,
    expm1_parts, expm1_parts_low, expm1_value, FA_FMA, fabs, fma, growth,
    growth_magnitude, growth_power, growth_unit, INFINITY, keep_nan, log1p_scaled,
    logistic, magnitude, mills, mills_argument, mills_slope, mills_wide, minus_unscaled,
    nan_or, one_plus, one_plus_low, product_low, product_plus, product_sum_low,
    quotient, quotient_low, real, rescale, residual, silu_slope, sixth, sqrt, sum_low,
    tanh_shrink_series, two_prod_low, unscale, WIDE,
)


cdef inline real square(real d, real dl, real *low) noexcept nogil:
    """(d + dl)^2 and its low part."""
    cdef real p = d * d
    low[0] = product_low(d, d, p) + (d + d) * dl
    return p


# --- exponential ------------------------------------------------------------

cdef inline void sigmoid_exp(real x, real *s, real *q, real *ql) noexcept nogil:
    """growth() in double; else e and its low part, as much of it as 1 ulp takes."""
    cdef real sr, qr
    if real is float:
        ql[0] = 0
        if not FA_FMA:
            exp_pair(-exp_magnitude(x), <real>-0.0, s, q)
        else:
            exp_parts(-exp_magnitude(x), &sr, &qr)
            s[0] = fma(sr, qr, sr)
            q[0] = exp_low(sr, qr, s[0])
    elif FA_FMA:
        growth(growth_magnitude(x), -0.0, s, q, ql)
    else:
        ql[0] = 0
        exp_pair(-exp_magnitude(x), <real>-0.0, s, q)


cdef inline void sigmoid(
    real x, real s, real q, real ql, real *f, real *d
) noexcept nogil:
    """f = 1 / d or e / d, f' = e / d^2, never f (1 - f), which is 0 from x = 17 on."""
    if real is double:
        if FA_FMA:
            sigmoid_short(x, s, q, ql, f, d)
            return
    cdef real den = one_plus(s)
    cdef real dl = one_plus_low(s, q, den)
    cdef real r = <real>1 / den
    logistic_of(x, s, q, r, f)
    den = square(den, dl, &dl)
    d[0] = keep_nan(x, unscale(quotient(s, q, den, dl, r * r)))


cdef inline double from_negative(double x, double y) noexcept nogil:
    """2^-150 y for x < 0, otherwise 1 - 2^-150 y."""
    return fma(-y, copysign(growth_unit(), x), 0.5 + copysign(0.5, x))


cdef inline void sigmoid_short(
    double x, double s, double q, double ql, double *f, double *d
) noexcept nogil:
    """f = g or 1 - g; f' = g (1 - g) = R m + R e (m - R), m = 1 - R: see logistic()."""
    cdef double one = growth_unit(), e, m
    cdef double r = logistic(s, q, ql, &e)
    f[0] = from_negative(x, fma(r, e, r))
    m = fma(r, -one, 1.0)
    d[0] = one * fma(r, m, (r * e) * fma(r, -one, m))


cdef inline void sigmoid_from_output(real y, real *d) noexcept nogil:
    d[0] = y * (<real>1 - y)


cdef inline real soft(real top, real hi, real lo) noexcept nogil:
    """top + 2^-K (hi + lo) for top >= 0 and hi + lo = 2^K log1p(exp(-|x|)).

    (For float from |x| = 0.4375 on, where an ulp of the sum is two of its second term.)
    """
    cdef real h = unscale(hi)
    cdef real t = top + h
    cdef real below = unscale(hi + lo)
    if real is float or WIDE:
        return top + below
    t = t + (sum_low(top, h, t) + unscale(lo))
    return t if top > 0 else below


cdef inline real soft_near_0(real x, real z, real inv, real inv_low) noexcept nogil:
    """log(1 + exp(z)) / beta, z = beta x, inv + inv_low = 1 / beta, for float.

    (ln2 / beta + x / 2) + x z P(z^2) for |z| < 0.4375: every operation rounds what rises
    with x, and so rises.  Neighbours x are closer here than a logarithm is exact.
    """
    cdef real ln2 = <real>0.693147182, w = z * z, top = ln2 * inv
    cdef real low = fma(ln2, inv_low, product_low(ln2, inv, top))
    low = fma(<real>-1.9046542e-9, inv, low)
    w = fma(fma(<real>0.000337740814, w, <real>-0.00520728948), w, <real>0.12499997)
    return top + fma(x * z, w, fma(<real>0.5, x, low))


cdef inline void log_sigmoid_exp(real x, real *e, real *el) noexcept nogil:
    exp_pair(-exp_magnitude(x), <real>-0.0, e, el)


cdef inline void log_sigmoid(real x, real e, real el, real *f, real *d) noexcept nogil:
    """min(x, 0) - log1p(e)."""
    cdef real top = <real>0 if x > 0 else -x, hi, lo, r, t
    hi = log1p_scaled(e, el, &lo, &r)
    t = soft(exp_magnitude(top), hi, lo)
    if real is float:
        t = soft_near_0(-x, -x, <real>1, <real>0) if fabs(x) < <real>0.4375 else t
    f[0] = -t if t < exp_top(x) else x
    logistic_of(-x, e, el, r, d)


cdef inline void logistic_of(
    real x, real e, real el, real r, real *f
) noexcept nogil:
    """The sigmoid, r near 1 / (1 + e)."""
    cdef real den = one_plus(e)
    cdef real n = e if x < 0 else rescale(<real>1)
    cdef real nl = el if x <= 0 else <real>0
    nl = unscale(quotient(n, nl, den, one_plus_low(e, el, den), r))
    f[0] = keep_nan(x, nl)


cdef inline void log_sigmoid_from_output(real y, real *d) noexcept nogil:
    """1 - exp(y) = -expm1(y)."""
    d[0] = <real>0 - expm1_clamped(clamp(y))


cdef inline void tanh_exp(real x, real *s, real *q, real *ql) noexcept nogil:
    expm1_parts(-exp_magnitude(<real>2 * x), s, q, ql)


cdef inline void tanh(
    real x, real s, real q, real ql, real *f, real *d
) noexcept nogil:
    """With m = expm1(-2 |x|): |f| = -m / (2 + m), f' = 4 (1 + m) / (2 + m)^2."""
    cdef real ml, sq, sql, e
    cdef real m = expm1_value(s, q, ql, &ml)
    cdef real den = <real>2 + m
    cdef real dl = (m - (den - <real>2)) + ml
    cdef real r = <real>1 / den
    f[0] = keep_nan(x, copysign(quotient(m, ml, den, dl, r), x))
    e = fma(s, q, s)
    sq = square(den, dl, &sql)
    d[0] = keep_nan(
        x,
        unscale(<real>4 * quotient(e, exp_low_split(s, q, ql, e), sq, sql, r * r)),
    )


cdef inline void tanh_from_output(real y, real *d) noexcept nogil:
    """(1 - y) (1 + y): 1 - y^2 without the rounding of y^2."""
    d[0] = (<real>1 - y) * (<real>1 + y)


cdef inline void tanh_shrink_exp(real x, real *s, real *q, real *ql) noexcept nogil:
    tanh_exp(x, s, q, ql)


cdef inline void tanh_shrink(
    real x, real s, real q, real ql, real *f, real *d
) noexcept nogil:
    """x - tanh(x); f' = tanh(x)^2.

    Near 0 by series.  Elsewhere |f| = (|x| - 1) + 2 e / (1 + e) with
    e = exp(-2 |x|): the first difference is exact where it matters.
    """
    cdef real a = fabs(x), e, t, tl, u, ml, v, w
    cdef real m = expm1_value(s, q, ql, &ml)
    cdef real den = <real>2 + m
    cdef real dl = (m - (den - <real>2)) + ml
    cdef real r = <real>1 / den
    e = fma(s, q, s)
    t = e * r
    tl = unscale(<real>2 * quotient_low(e, exp_low(s, q, e), den, dl, r, t))
    t = unscale(<real>2 * t)
    u = a - <real>1
    v = u + t
    w = v + (sum_low(u, t, v) + tl)
    w = w if a < 100 else u
    f[0] = copysign(tanh_shrink_series(a) if a < 0.9 else w, x)
    t = m * r
    tl = quotient_low(m, ml, den, dl, r, t)
    d[0] = product_plus(t, t, (t + t) * tl)


cdef inline real scaled(real a, real m, real ml) noexcept nogil:
    """a (m + ml), rounded once."""
    return product_plus(a, m, a * ml)


cdef inline void elu_exp(
    real x, real alpha, real *s, real *q, real *ql
) noexcept nogil:
    expm1_parts(clamp(<real>0 if x > 0 else x), s, q, ql)


cdef inline void elu(
    real x, real alpha, real s, real q, real ql, real *f, real *d
) noexcept nogil:
    """alpha expm1(x), alpha exp(x) for x <= 0; -0 goes through as x."""
    cdef real ml
    cdef real m = expm1_value(s, q, ql, &ml)
    f[0] = scaled(alpha, m, ml) if x < 0 else x
    d[0] = <real>1 if x > 0 else unscale(alpha * fma(s, q, s))


cdef inline void elu_from_output(real y, real alpha, real *d) noexcept nogil:
    d[0] = <real>1 if y > 0 else y + alpha


cdef inline void celu_exp(
    real x, real alpha, real *s, real *q, real *ql
) noexcept nogil:
    """exp(x / alpha).

    The rounding errors of z = x (1 / alpha), (x - z alpha) / alpha, would cost the
    exponential |z| / 2 ulp.
    """
    cdef real a = <real>0 if x > 0 else x
    cdef real inv = <real>1 / alpha
    cdef real z = a * inv
    cdef real low = <real>0 if z < -exp_top(z) else residual(a, z, alpha) * inv
    expm1_parts_low(clamp(z), low, s, q, ql)


cdef inline void celu(
    real x, real alpha, real s, real q, real ql, real *f, real *d
) noexcept nogil:
    """alpha expm1(x / alpha), exp(x / alpha) for x <= 0.

    A tiny z = x / alpha may underflow; there f = x.
    """
    cdef real z = x * (<real>1 / alpha), ml
    cdef real m = expm1_value(s, q, ql, &ml)
    f[0] = scaled(alpha, m, ml) if z < -1e-20 else x
    d[0] = <real>1 if x > 0 else unscale(fma(s, q, s))


cdef inline void celu_from_output(real y, real alpha, real *d) noexcept nogil:
    d[0] = <real>1 if y > 0 else (y + alpha) / alpha


cdef inline void selu_exp(real x, real *s, real *q, real *ql) noexcept nogil:
    elu_exp(x, <real>1, s, q, ql)


cdef inline void selu(
    real x, real s, real q, real ql, real *f, real *d
) noexcept nogil:
    """scale * elu(x, alpha); scale * alpha is rounded once."""
    cdef real scale = 1.0507009873554805, both = 1.7580993408473768
    cdef real ml
    cdef real m = expm1_value(s, q, ql, &ml)
    f[0] = scaled(both, m, ml) if x < 0 else scale * x
    d[0] = scale if x > 0 else unscale(both * fma(s, q, s))


cdef inline void selu_from_output(real y, real *d) noexcept nogil:
    """y + scale alpha, the double of which is short of it by 1.4e-17."""
    cdef real t = (y + <real>1.7580993408473768) + <real>1.41535193800845e-17
    d[0] = <real>1.0507009873554805 if y > 0 else t


cdef inline void softplus_exp(
    real x, real beta, real *e, real *el
) noexcept nogil:
    """exp(-|beta x|) and its low part."""
    cdef real a = fabs(x)
    cdef real z = beta * a
    cdef real low = product_low(beta, a, z)
    cdef real u = exp_magnitude(z)
    exp_pair(-u, <real>0 if u == exp_top(u) else -low, e, el)


cdef inline void softplus(
    real x, real beta, real e, real el, real *f, real *d
) noexcept nogil:
    """max(x, 0) + log1p(exp(-|beta x|)) / beta; f' = sigmoid(beta x)."""
    cdef real top = <real>0 if x < 0 else x
    cdef real inv = <real>1 / beta
    cdef real invl = quotient_low(<real>1, <real>0, beta, <real>0, inv, inv)
    cdef real hi, lo, r, p, z = beta * x
    hi = log1p_scaled(e, el, &lo, &r)
    p = hi * inv
    lo = fma(lo, inv, fma(hi, invl, product_low(hi, inv, p)))
    p = soft(<real>0 if beta * top > exp_top(x) else top, p, lo)
    if real is float:
        p = soft_near_0(x, z, inv, invl) if fabs(z) < <real>0.4375 else p
    f[0] = p if z < exp_top(x) else x
    logistic_of(x, e, el, r, d)


cdef inline void softplus_from_output(real y, real beta, real *d) noexcept nogil:
    """1 - exp(-beta y)."""
    d[0] = <real>0 - expm1_clamped(clamp(-beta * y))


# --- gated linear: x times a sigmoid ----------------------------------------
#
# f = x / (1 + e), e = exp(-u), for an odd u of the sign of x.  In the half x < 0,
# f = -|x| e / (1 + e) and f' = e g / (1 + e)^2, g = 1 + e - v, v = |x u'|; and
# f'(x) = 1 - f'(-x).
#
# g goes through 0.  So that it keeps its digits there, the exponential is anchored
# at the root u0: e = c s (1 + q) with c = exp(-u0) and exp(-(u - u0)) = s (1 + q), and
#     g = (c s - c) + (c s q - (v - v0)) + delta,   delta = 1 + c - v0.
# Near the root s = 1 and the two terms of the second sum have the same sign.  u0 is
# taken as U + UL with few bits in U, so that u - U is exact where u > U / 2; delta is
# what this is off the root by.  UL is chosen such that c needs no low part, or (silu
# in double, whose slope varies) as near to the root as can be.

cdef inline void anchored_exp(
    real u, real ul, real at, real at_low, real *s, real *q
) noexcept nogil:
    """exp(-(u + ul - u0)), u0 = at + at_low."""
    cdef real h = u - at
    if WIDE:
        exp_parts(at_low - h, s, q)
    else:
        exp_parts_anchored(-h, at_low, -((u - (h + at)) + ul), <real>-0.0, s, q)


cdef inline void gated(
    real x, real a, real s, real q, real ql, real w, real wl, real c, real delta,
    real *f, real *d
) noexcept nogil:
    """x sigmoid(u), given a = |x| up to where the exponential ends, w + wl = v - v0,
    and c = exp(-u0)."""
    cdef real us = c * s
    cdef real e = fma(us, q, us)
    cdef real el = gated_low(us, q, ql, us, e)
    cdef real den = one_plus(e)
    cdef real dl = one_plus_low(e, el, den)
    cdef real r = <real>1 / den
    cdef real n, nl, t, g, gl, b
    n = a if x > 0 else a * e
    nl = fma(a, el, product_low(a, e, a * e))
    nl = <real>0 if x >= 0 else nl
    t = quotient(n, nl, den, dl, r)
    t = unscale(t) if x < 0 else t
    # (NaN too comes from here; on the way down there is nothing left of e)
    f[0] = copysign(t, x) if x <= a else x
    us = unscale(us)
    t = us - c
    b = t - w
    g = fma(us, q, b)
    if WIDE:
        gl = <real>0
    else:
        gl = gated_low(us, q, ql, b, g) + (((t - (b + w)) - wl) + delta)
    n = e * g
    nl = fma(e, gl, fma(el, g, product_low(e, g, n)))
    den = square(den, dl, &dl)
    t = unscale(quotient(n, nl, den, dl, r * r))
    d[0] = keep_nan(x, t if x < 0 else <real>1 - t)


cdef inline real gated_low(real us, real q, real ql, real b, real g) noexcept nogil:
    """The low part of g = b + us (q + ql); only float needs ql."""
    cdef real low = product_sum_low(us, q, b, g)
    return fma(us, ql, low) if real is float else low


cdef inline void silu_exp(real x, real *s, real *q, real *ql) noexcept nogil:
    """growth() of |x|, that in place of s, or exp(-|x|).

    u0 = 1.27846..., where 1 + exp(-u) = u.
    """
    cdef real u, h
    if real is float:
        u = exp_magnitude(x)
        h = u - <real>1.28125
        expm1_parts_low(-h, <real>-0.00278550386 - (u - (h + <real>1.28125)), s, q, ql)
    elif FA_FMA:
        u = growth_magnitude(x)
        growth(u, -0.0, s, q, ql)
        s[0] = u
    else:
        ql[0] = 0
        exp_parts_low(1.28125 - exp_magnitude(x), -0.002785457238926205, s, q)


cdef inline void swish_short(
    double x, double a, double u, double ul, bint has_low, double q, double ql,
    double *f, double *d
) noexcept nogil:
    """x sigmoid(z) for x of the sign of z, a = |x|, u + ul = |z|: see logistic().

    u is one of the numbers kept, not s: it is a minimum, and its constant gcc would take
    through all that follows.

    f = -a g or x - a g, a g = a R (1 + e) = y + t.

    f'(-x) = g G, G = 1 - u + u g.  At its root u0 the exponential is not good enough:
    within 1/16 of it, h Q(h), h = u - u0.
    """
    cdef double one = growth_unit(), e, y, t, h, hl, far, near
    cdef double r = logistic(growth_power(u, &t), q, ql, &e)
    y = a * r
    t = fma(y, e, fma(a, r, -y))
    # (with the sign of x: the least numbers may go through 0)
    f[0] = copysign(fma(t, -one, fma(y, -one, x if x > 0 else -0.0)), x)
    y = r * one
    t = fma(u, y, 1.0 - u)
    # e in G too
    e = e * fma(u, y, t)
    if has_low:
        e = fma(-ul, 1.0 - y, e)
    far = fma(r, t, r * e)
    h = u - 1.2784645427610737
    hl = -1.0946994183093437e-16
    if has_low:
        y = ul + hl
        t = h + y
        hl = ((h - t) + y) - 3.907766676128665e-33
        h = t
    t = silu_slope(h) * 1.42724769270596e45
    near = fma(h, t, t * hl)
    d[0] = from_negative(x, near if fabs(h) < 0.0625 else far)


cdef inline void silu(
    real x, real s, real q, real ql, real *f, real *d
) noexcept nogil:
    cdef real a, w
    if real is double:
        if FA_FMA:
            swish_short(x, s, s, 0.0, False, q, ql, f, d)
            return
    a = exp_magnitude(x)
    if real is float:
        w = a - <real>1.27846456
        gated(
            x, a, s, q, ql, w, sum_low(a, <real>-1.27846456, w) + <real>5.96046448e-8,
            <real>0.278464556, <real>5.96088725e-8, f, d,
        )
    else:
        w = a - 1.2784645427610737
        gated(
            x, a, s, q, ql, w,
            sum_low(a, -1.2784645427610737, w) - 1.0928757898653885e-16,
            0.2784645427610738, 2.3314443047673675e-19, f, d,
        )


cdef inline real swish_argument(
    real x, real beta, real beta_low, real *low
) noexcept nogil:
    """u = |beta x| and its low part; beta_low, of beta > 0, is a constant."""
    cdef real a = fabs(x), b = fabs(beta)
    cdef real z = b * a
    cdef real u = exp_magnitude(z)
    low[0] = product_low(b, a, z)
    if beta_low != 0 and not WIDE:
        low[0] = fma(beta_low, a, low[0])
    low[0] = <real>0 if u == exp_top(u) else low[0]
    return u


# For some beta there are x with beta x within 2^-100 of u0 = 1.27846...: it is taken in
# three parts.  Near it u and its low part are multiples of 2^-52 and 2^-105, and so are
# the first two of u0, so that all sums are exact but those with the third (delta).

cdef inline void silu_beta_exp(
    real x, real beta, real *s, real *q, real *ql
) noexcept nogil:
    swish_exp(x, beta, <real>0, s, q, ql)


cdef inline void swish_exp(
    real x, real beta, real beta_low, real *s, real *q, real *ql
) noexcept nogil:
    """growth() of u, that in place of s, or exp(-(u - u0))."""
    cdef real low, h
    cdef real u = swish_argument(x, beta, beta_low, &low)
    ql[0] = <real>0
    if WIDE:
        exp_parts_anchored(
            1.2784645427610737 - u, 1.0946994183093437e-16, <real>-0.0, <real>-0.0, s, q
        )
        return
    if real is double:
        if FA_FMA:
            growth(u, low, s, q, ql)
            s[0] = u
            return
    h = u - 1.28125
    exp_parts_anchored(
        -h, -0.0027854572389263144,
        1.0946994183093437e-16 - ((u - (h + 1.28125)) + low),
        3.907766676128665e-33, s, q,
    )


cdef inline void swish(
    real x, real beta, real beta_low, real s, real q, real ql, real *f, real *d
) noexcept nogil:
    """x sigmoid(z), z = (beta + beta_low) x.

    For beta < 0 the roles of the two sides change:
    f = -(-x) sigmoid((-beta) (-x)).  Where the exponential ends, a = 0: its product
    with e would not be 0 for a small beta.
    """
    cdef real low, fa, w, u, a, h
    if real is double:
        if FA_FMA and not WIDE:
            a = fabs(x)
            u = fabs(beta) * a
            low = product_low(fabs(beta), a, u)
            if beta_low != 0:
                low = fma(beta_low, a, low)
            a = 0.0 if s == exp_top(s) else a
            w = copysign(1.0, beta)
            # (where u ends, low does not matter)
            swish_short(w * x, a, s, below_2(low), True, q, ql, &fa, d)
            f[0] = w * fa
            return
    u = swish_argument(x, beta, beta_low, &low)
    a = <real>0 if u == exp_top(u) else fabs(x)
    h = u - <real>1.2784645427610737
    low = low - <real>1.0946994183093437e-16
    w = h + low
    gated(
        -x if beta < 0 else x, a, s, q, <real>0, w,
        ((h - w) + low) + sum_low(u, <real>-1.2784645427610737, h),
        <real>0.2784645427610738, <real>3.907766676128665e-33, &fa, d,
    )
    f[0] = -fa if beta < 0 else fa


cdef inline void silu_beta(
    real x, real beta, real s, real q, real ql, real *f, real *d
) noexcept nogil:
    swish(x, beta, <real>0, s, q, ql, f, d)


cdef inline void quick_gelu_exp(real x, real *s, real *q, real *ql) noexcept nogil:
    """1.702 is meant as a decimal: the double is short of it by 4.3e-17."""
    swish_exp(x, <real>1.702, <real>4.263256414560601e-17, s, q, ql)


cdef inline void quick_gelu(
    real x, real s, real q, real ql, real *f, real *d
) noexcept nogil:
    swish(x, <real>1.702, <real>4.263256414560601e-17, s, q, ql, f, d)


cdef inline real gelu_tanh_argument(
    real a, real *ul, real *v, real *vl
) noexcept nogil:
    """u = 2 sqrt(2/pi) (a + 0.044715 a^3) and v = a u', with their low parts.

    The rounding error of u would cost the exponential |u| / 2 ulp.
    """
    cdef real c, k, x2, p, w, u, low, pl
    c = 1.5957691216057308  # 2 sqrt(2/pi), short of -9.97e-17
    k = 0.07135481627260025  # 0.044715 c, short of -6.2e-19
    x2 = a * a
    p = k * x2
    w = c + p
    u = a * w
    # the low parts of p, of w = c + p, of u = a w
    pl = fma(
        k, product_low(a, a, x2),
        fma(<real>-6.175149918155315e-19, x2, product_low(k, x2, p)),
    ) if not WIDE else <real>0
    low = sum_low(c, p, w) + (pl - <real>9.96930880911092e-17)
    ul[0] = fma(a, low, product_low(a, w, u)) if not WIDE else <real>0
    # v = u + 2 a p
    x2 = <real>2 * a
    low = x2 * p
    v[0] = u + low
    vl[0] = sum_low(u, low, v[0]) + (ul[0] + fma(x2, pl, product_low(x2, p, low)))
    return u


cdef inline void gelu_tanh_exp(real x, real *s, real *q) noexcept nogil:
    """exp(-|u|); beyond |x| = 40 it has long ended."""
    cdef real ul, v, vl
    cdef real u = exp_magnitude(gelu_tanh_argument(magnitude(x, <real>40), &ul, &v, &vl))
    anchored_exp(
        u, <real>0 if u == exp_top(u) else ul, 1.234375, -0.0032201276681012463, s, q
    )


cdef inline void gelu_tanh(real x, real s, real q, real *f, real *d) noexcept nogil:
    """x sigmoid(u); u0 = 1.23115..., v0 = 1.29195..."""
    cdef real a = magnitude(x, <real>40), ul, v, vl, w, v0 = 1.291955211914767
    gelu_tanh_argument(a, &ul, &v, &vl)
    w = v - v0
    gated(
        x, a, s, q, <real>0, w, (sum_low(v, -v0, w) + vl) - 1.0243969451078615e-16,
        0.29195521191476714, 8.557087243944977e-18, f, d,
    )


cdef inline void gelu_exp(real x, real *s, real *q, real *ql) noexcept nogil:
    """exp(-x^2 / 2), with what the rounding of x^2 lost."""
    cdef real a = magnitude(x, <real>15 if WIDE else <real>39)
    cdef real m = <real>-0.5 * a
    cdef real h = a * m
    if WIDE:
        # exp(h) itself, and -|x| / 2
        exp_parts(h, s, q)
        s[0] = fma(s[0], q[0], s[0])
        ql[0] = m
    else:
        expm1_parts_low(h, two_prod_low(a, m, h), s, q, ql)


cdef inline void gelu(
    real x, real s, real q, real ql, real *f, real *d
) noexcept nogil:
    """x Phi(x) through Q = Phi(-|x|) = exp(-x^2 / 2) R(|x|), R the Mills ratio.

    Never 1 + erf, which has no digits left below x = -5.5.  x < 0: f = -|x| Q,
    f' = D = exp(-x^2 / 2) (R(|x|) - |x| / sqrt(2 pi)); x >= 0: f = x - x Q,
    f' = 1 - D.
    """
    cdef real a, e, g, low, m, p, z, zl, inv, inv_low
    if WIDE:
        m = ql
        z = mills_argument(<real>-2 * m, &inv, &inv_low, &zl)
        e = s * ((m * inv) * mills_wide(z))
        f[0] = fma(<real>2, e, <real>-0.0 if x < 0 else x)
        p = s * (fma(<real>2, m, <real>0.7517915246935645) * mills_slope(z, zl, &g))
        d[0] = p if x < 0 else <real>1 - p
        return
    a = magnitude(x, <real>39)
    z = mills_argument(a, &inv, &inv_low, &zl)
    m = mills(z, zl, inv, inv_low, &low)
    # |x| Q = s (1 + q) |x| (m + low), rounded where nothing is left to add
    g = a * m
    low = fma(a, low, two_prod_low(a, m, g))
    e = fma(q, g, g)
    e = s * (e + (product_sum_low(q, g, g, e) + fma(q, low, fma(ql, g, low))))
    m = cdf_near_0(a, &low)
    m = rescale(product_plus(a, m, a * low))
    e = m if a < 0.75 else e
    f[0] = minus_unscaled(e, <real>-0.0 if x < 0 else x)
    p = <real>0.7517915246935645 - a
    low = sum_low(<real>0.7517915246935645, -a, p) - <real>1.4956759177009883e-17
    m = mills_slope(z, zl, &g)
    z = p * m
    low = fma(p, g, fma(low, m, product_low(p, m, z)))
    p = s * (z + fma(q, z, fma(q, low, fma(ql, z, low))))
    d[0] = keep_nan(x, unscale(p) if x < 0 else minus_unscaled(p, <real>1))


cdef inline void mish_exp(real x, real *s, real *q) noexcept nogil:
    anchored_exp(exp_magnitude(x), <real>0, 1.1953125, -0.0028812854845047227, s, q)


cdef inline void mish(real x, real s, real q, real *f, real *d) noexcept nogil:
    """x tanh(softplus(x)) = x N / D.

    x < 0, e = exp(x): N = e (2 + e), D = N + 2, f' = e G / D^2,
    G = (2 + e) D + 4 x (1 + e); x >= 0, e = exp(-x): N = 1 + 2 e, D = N + 2 e^2,
    f' = 1 - 2 e^2 (D - 2 x (1 + e)) / D^2.

    Anchored as the gated functions, u0 = 1.19243..., c = exp(-u0), h = |x| - u0:
    G = (e - c) (e^2 + e c + c^2 + 4 (e + c) + 6 - 4 |x|) - 4 (1 + c) h + delta.
    """
    cdef real a = exp_magnitude(x), us, es, esl, e, el, k, kl, n, nl, den, dl, p, r
    cdef real h, hl, t, tl, g, gl
    cdef real c = 0.3034825352815289, u0 = 1.1924312145154954
    cdef real c4 = 5.213930141126116  # 4 (1 + c), short of 1.7e-19
    us = c * s
    es = fma(us, q, us)
    esl = product_sum_low(us, q, us, es)
    e = unscale(es)
    el = unscale(esl)
    # k + kl: N / e for x < 0, N for x >= 0; p + ..: what D has beyond 2 or N
    k = <real>2 + e if x < 0 else fma(<real>2, e, <real>1)
    kl = <real>0 if WIDE else (
        (e - (k - <real>2)) + el if x < 0
        else fma(<real>2, e, <real>1 - k) + <real>2 * el
    )
    t = e if x < 0 else e + e
    n = k if x < 0 else e
    p = t * n
    nl = kl if x < 0 else el
    nl = fma(t, nl, fma(el if x < 0 else el + el, n, product_low(t, n, p)))
    t = <real>2 if x < 0 else k
    den = t + p
    dl = <real>0 if WIDE else (p - (den - t)) + (nl if x < 0 else nl + kl)
    r = <real>1 / den
    # f: |x| e k / D or x k / D
    t = a * es if x < 0 else x
    nl = <real>0 if x >= 0 else fma(a, esl, product_low(a, es, t))
    n = t * k
    nl = fma(t, kl, fma(nl, k, product_low(t, k, n)))
    t = quotient(n, nl, den, dl, r)
    t = unscale(t) if x < 0 else t
    f[0] = copysign(t, x) if x < 1e9 else x
    # f'
    k = fma(<real>-2 * a, <real>1 + e, den)
    t = <real>2 * e * e
    p = t * k
    kl = fma(t, dl, product_low(t, k, p))
    kl = fma(<real>2 * k, product_low(e, e, e * e) + <real>2 * e * el, kl)
    us = unscale(us)
    t = fma(us, q, us - c)
    tl = product_sum_low(us, q, us - c, t)
    n = fma(e, e + (c + <real>4), <real>7.30603179034702) - <real>4 * a
    h = a - u0
    hl = sum_low(a, -u0, h) + <real>1.0842021724855044e-16
    k = h * c4
    hl = fma(hl, c4, product_low(h, c4, k))
    hl = fma(h, <real>1.6982476299350256e-19, hl)
    g = t * n
    gl = fma(tl, n, product_low(t, n, g)) - (hl + <real>4.1741194675765537e-16)
    n = g - k
    gl = gl + sum_low(g, -k, n)
    den = square(den, dl, &dl)
    t = es * n
    nl = fma(es, gl, fma(esl, n, product_low(es, n, t)))
    t = t if x < 0 else p
    nl = kl if x >= 0 else nl
    t = quotient(t, nl, den, dl, r * r)
    d[0] = unscale(t) if x < 0 else <real>1 - t


# --- algebraic --------------------------------------------------------------

cdef inline void softsign(real x, real *f, real *d) noexcept nogil:
    cdef real a, den, dl, r, t
    if FA_FMA and not WIDE:
        softsign_short(x, f, d)
        return
    a = fabs(x)
    den = <real>1 + a
    dl = sum_low(<real>1, a, den)
    r = <real>1 / den
    t = quotient(x, <real>0, den, dl, r)
    f[0] = copysign(<real>1 if a > 1e18 else t, x)
    den = square(den, dl, &dl)
    t = quotient(<real>1, <real>0, den, dl, r * r)
    d[0] = r * r if a > 1e100 else t


cdef inline void softsign_short(real x, real *f, real *d) noexcept nogil:
    """f = u - r e, u = 1 - r, where r is near 1 / (1 + a) and r (1 + e) is that.

    u is rounded to 2^-54 (float: 2^-25), half an ulp of f at most, and so is e with it;
    f' has twice that, which float takes off.  (At infinity r = 0, and e would be NaN.)
    """
    cdef real a = fabs(x)
    cdef real r = <real>1 / (<real>1 + a)
    cdef real u = <real>1 - r
    cdef real e = below_2(fma(-a, r, u))
    f[0] = copysign(fma(-r, e, u), x)
    if real is float:
        e = e + ((<real>1 - u) - r)
    d[0] = fma(r, r, (r + r) * (r * e))


cdef inline void softsign_from_output(real y, real *d) noexcept nogil:
    cdef real t = <real>1 - fabs(y)
    d[0] = t * t


cdef inline real root_residual(real a, real b, real h) noexcept nogil:
    """a^2 + b - h^2 for h = sqrt(a^2 + b), to 2^-54 h^2 (float: to 2^-48 h^2).

    The larger of a^2 and b first: its difference to h^2 is exact.
    """
    cdef real p = h * h, q = a * a
    return (
        (((b if q < b else q) - p) + (q if q < b else b))
        + (two_prod_low(a, a, q) - two_prod_low(h, h, p))
    )


cdef inline real squareplus_big(real x) noexcept nogil:
    """Where sqrt(x^2 + b) is |x| and x^2 soon overflows: 2^60 or 2^400."""
    return <real>1.152921504606847e18 if real is float else <real>2.582249878086909e120


cdef inline real squareplus_scale(real x) noexcept nogil:
    """2^-70 or 2^-600."""
    if real is float:
        return <real>8.470329472543003e-22
    else:
        return <real>2.409919865102884e-181


cdef inline void squareplus_exp(
    real x, real b, real *h, real *w, real *a
) noexcept nogil:
    """h = sqrt(a^2 + b) and w = 1 / (h s), s = (a + h) / 2: one division for 1 / h and
    1 / s.

    a = |x|, and scaled where |x| is big and h = a: f and f' are scaled back.
    (double with FMA: h, and s in a's place.)
    """
    cdef real y = fabs(x), c, big = squareplus_big(x)
    if real is double:
        if FA_FMA:
            c = sqrt(fma(y, y, b))
            a[0] = y if y > big else fma(0.5, c, 0.5 * y)
            h[0] = y if y >= big else c
            return
    a[0] = y * (squareplus_scale(x) if y > big else <real>1)
    c = b if y <= big else <real>0
    h[0] = sqrt(fma(a[0], a[0], c))
    w[0] = <real>1 / (h[0] * (<real>0.5 * h[0] + <real>0.5 * a[0]))


cdef inline void squareplus_short(
    double x, double b, double h, double s, double *f, double *d
) noexcept nogil:
    """x >= 0: s = (|x| + h) / 2, x < 0: y = b / 4 / s; f' = y / h, and 1 - f'(-x).

    Not h is made better but the results, by what they leave in y^2 + |x| y = b / 4,
    h = |x| + 2 y, over h, or nearly that: h = s + y, 1 / (1 + y / s) to 5%.  The rounding
    errors of the first differences there, y^2 and 2 y f', are half an ulp at most.
    """
    cdef double a = fabs(x), c = 0.25 * b, r = 1.0 / s, y = c * r, t = y / h, rest, low
    r = r * fma(-0.4714, y * r, 0.9571)
    rest = below_2(fma(-y, y, fma(-a, y, c)))
    f[0] = fma(rest, r, y) if x < 0 else s
    low = below_2(fma(-2.0 * t, y, fma(-a, t, y)))
    low = fma(rest * r, fma(-2.0, t, 1.0), low)
    t = fma(low, r, t)
    d[0] = t if x < 0 else 1.0 - t


cdef inline void squareplus(
    real x, real b, real h, real w, real a, real *f, real *d
) noexcept nogil:
    """x >= 0: s, x < 0: b / 4 / s; f' = f / h, and 1 - f'(-x) for x >= 0.

    (Halves first: nothing overflows.)
    """
    cdef real s, r, rh, n, nl, hl, sl, t, scale, big = squareplus_big(x)
    if real is double:
        if FA_FMA:
            squareplus_short(x, b, h, a, f, d)
            return
    s = <real>0.5 * h + <real>0.5 * a
    r = h * w
    rh = s * w
    n = (<real>0.25 * b) * r
    # half the residual of the root, over h; the low part of s, h >= a
    t = <real>0 if fabs(x) > big else b
    hl = (<real>0.5 * rh) * root_residual(a, t, h)
    sl = fma(<real>0.5, hl, <real>0.5 * a - (s - <real>0.5 * h))
    nl = quotient_low(<real>0.25 * b, <real>0, s, sl, r, n)
    scale = squareplus_scale(x) if x < -big else <real>1
    t = scale * ((n if x < 0 else s) + (sl if x >= 0 else nl))
    t = x if x > big else t
    f[0] = <real>0 if x == -INFINITY else t
    t = quotient(n, nl, h, hl, rh)
    t = scale * (scale * t) if x < 0 else <real>1 - t
    t = <real>1 if x >= big else t
    big = <real>-1e30 if real is float else <real>-1e308
    d[0] = <real>0 if x <= big else t


cdef inline void squareplus_from_output(real y, real b, real *d) noexcept nogil:
    """f^2 / (f^2 + b / 4), divided through by f^2 where f^2 would overflow."""
    cdef real t = <real>0.5 * sqrt(b) / y
    cdef real u = <real>2 * y / sqrt(b)
    t = <real>1 / fma(t, t, <real>1)
    u = u * u
    d[0] = t if y > 1 else u / (<real>1 + u)


# --- piecewise linear and their kin -----------------------------------------

cdef inline void relu(real x, real *f, real *d) noexcept nogil:
    f[0] = <real>0 if x <= 0 else x
    d[0] = nan_or(x, <real>1 if x > 0 else <real>0)


cdef inline void relu_from_output(real y, real *d) noexcept nogil:
    d[0] = nan_or(y, <real>1 if y > 0 else <real>0)


cdef inline void relu_squared(real x, real *f, real *d) noexcept nogil:
    cdef real t = <real>0 if x <= 0 else x
    f[0] = t * t
    d[0] = <real>2 * t


cdef inline void relu_squared_from_output(real y, real *d) noexcept nogil:
    d[0] = <real>2 * sqrt(y)


cdef inline void relu6(real x, real *f, real *d) noexcept nogil:
    cdef real t = <real>0 if x <= 0 else x
    f[0] = <real>6 if t > 6 else t
    d[0] = nan_or(x, (<real>1 if x < 6 else <real>0) if x > 0 else <real>0)


cdef inline void relu6_from_output(real y, real *d) noexcept nogil:
    d[0] = nan_or(y, (<real>1 if y < 6 else <real>0) if y > 0 else <real>0)


cdef inline real below(real x) noexcept nogil:
    """The derivative of leaky_relu with respect to its slope: min(x, 0).

    (Not by the comparison of leaky_relu: gcc makes one branch of the two.)
    """
    return nan_or(x, x if x < 0 else <real>0)


cdef inline void leaky_relu(real x, real negative_slope, real *f, real *d) noexcept nogil:
    """With slope 0 the limit at -inf is 0."""
    cdef real t = x * negative_slope
    t = -negative_slope if (negative_slope == 0 and x == -INFINITY) else t
    f[0] = x if x > 0 else t
    d[0] = nan_or(x, <real>1 if x > 0 else negative_slope)


cdef inline void leaky_relu_from_output(
    real y, real negative_slope, real *d
) noexcept nogil:
    d[0] = nan_or(y, <real>1 if y > 0 else negative_slope)


cdef inline void hard_sigmoid(real x, real *f, real *d) noexcept nogil:
    cdef real t = x + <real>3
    t = sixth(t, x - (t - <real>3))
    t = <real>0 if x <= -3 else t
    f[0] = <real>1 if x >= 3 else t
    d[0] = nan_or(x, <real>(1.0 / 6.0) if fabs(x) < 3 else <real>0)


cdef inline void hard_sigmoid_from_output(real y, real *d) noexcept nogil:
    d[0] = nan_or(y, (<real>(1.0 / 6.0) if y < 1 else <real>0) if y > 0 else <real>0)


cdef inline void hard_tanh(
    real x, real min_val, real max_val, real *f, real *d
) noexcept nogil:
    cdef real t = min_val if x < min_val else x
    f[0] = max_val if t > max_val else t
    d[0] = nan_or(x, (<real>1 if x < max_val else <real>0) if x > min_val else <real>0)


cdef inline void hard_tanh_from_output(
    real y, real min_val, real max_val, real *d
) noexcept nogil:
    d[0] = nan_or(y, (<real>1 if y < max_val else <real>0) if y > min_val else <real>0)


cdef inline void hard_swish(real x, real *f, real *d) noexcept nogil:
    cdef real t = x + <real>3
    cdef real p = x * t
    t = sixth(p, fma(x, x - (t - <real>3), product_low(x, t, p)))
    t = <real>-0.0 if x <= -3 else t
    f[0] = x if x >= 3 else t
    p = <real>2 * x
    t = p + <real>3
    # (exact for |x| < 3, though |p| may be more than 3: t - 3 is)
    t = sixth(t, p - (t - <real>3))
    # (not by the comparisons of f: gcc makes branches of what the two share)
    d[0] = (<real>1 if x > 0 else <real>0) if fabs(x) >= 3 else t


cdef inline void hard_shrink(real x, real lambd, real *f, real *d) noexcept nogil:
    f[0] = <real>0 if fabs(x) <= lambd else x
    d[0] = nan_or(x, <real>1 if fabs(x) > lambd else <real>0)


cdef inline void hard_shrink_from_output(real y, real lambd, real *d) noexcept nogil:
    d[0] = nan_or(y, <real>0 if y == 0 else <real>1)


cdef inline void soft_shrink(real x, real lambd, real *f, real *d) noexcept nogil:
    """|x| - lambd with the sign of x: exact where the result is near 0."""
    cdef real a = fabs(x)
    f[0] = <real>0 if a <= lambd else copysign(a - lambd, x)
    d[0] = nan_or(x, <real>1 if a > lambd else <real>0)


cdef inline void soft_shrink_from_output(real y, real lambd, real *d) noexcept nogil:
    d[0] = nan_or(y, <real>0 if y == 0 else <real>1)


cdef inline void threshold(
    real x, real threshold, real value, real *f, real *d
) noexcept nogil:
    f[0] = value if x <= threshold else x
    d[0] = nan_or(x, <real>1 if x > threshold else <real>0)
