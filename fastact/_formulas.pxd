# cython: cdivision=True, boundscheck=False, wraparound=False
# Formulas: one function per row of the registry, named like it.
#
# Each gives the value f and the derivative d from shared subexpressions; the
# loop that needs only one of them lets the compiler drop the other.  All are
# branch-free: both arms of a conditional are evaluated, so both are finite or
# harmless, and NaN goes through both f and d.
#
# Notation: E = 2^K exp(-|x|) (see _primitives.pxd), e = exp(-|x|), r = 1/(1+e).

from fastact._primitives cimport (
    cdf_near_0, clamp, copysign, exp_magnitude, exp_parts, exp_scaled,
    exp_scaled_low, exp_top, expm1_both, expm1_both_low, fabs, fma, INFINITY,
    keep_nan, log1p_scaled, magnitude, mills, minus_unscaled, nan_or, one_plus,
    real, rescale, sixth, sqrt, tanh_shrink_series, two_prod_low, unscale,
)


# --- exponential ------------------------------------------------------------

cdef inline void sigmoid(real x, real *f, real *d) noexcept nogil:
    """f = r or e r; f' = e r^2, never f (1 - f), which is 0 from x = 17 on."""
    cdef real e = exp_scaled(-exp_magnitude(x))
    cdef real r = <real>1 / one_plus(e)
    cdef real er = e * r
    f[0] = keep_nan(x, unscale(er) if x < 0 else r)
    d[0] = keep_nan(x, unscale(er * r))


cdef inline void sigmoid_from_output(real y, real *d) noexcept nogil:
    d[0] = y * (<real>1 - y)


cdef inline void log_sigmoid(real x, real *f, real *d) noexcept nogil:
    """min(x, 0) - log1p(e)."""
    cdef real r
    cdef real e = exp_scaled(-exp_magnitude(x))
    f[0] = minus_unscaled(log1p_scaled(e, &r), <real>0 if x > 0 else x)
    d[0] = keep_nan(x, r if x < 0 else unscale(e * r))


cdef inline void log_sigmoid_from_output(real y, real *d) noexcept nogil:
    """1 - exp(y) = -expm1(y)."""
    cdef real e
    d[0] = <real>0 - expm1_both(clamp(y), &e)


cdef inline void tanh(real x, real *f, real *d) noexcept nogil:
    """With m = expm1(-2 |x|): |f| = -m / (2 + m), f' = 4 (1 + m) / (2 + m)^2."""
    cdef real e
    cdef real m = expm1_both(-exp_magnitude(<real>2 * x), &e)
    cdef real r = <real>1 / (<real>2 + m)
    f[0] = keep_nan(x, copysign(m / (<real>2 + m), x))
    d[0] = keep_nan(x, unscale((<real>4 * e) * r * r))


cdef inline void tanh_from_output(real y, real *d) noexcept nogil:
    """(1 - y) (1 + y): 1 - y^2 without the rounding of y^2."""
    d[0] = (<real>1 - y) * (<real>1 + y)


cdef inline void tanh_shrink(real x, real *f, real *d) noexcept nogil:
    """x - tanh(x); f' = tanh(x)^2.

    Near 0 by series.  Elsewhere |f| = (|x| - 1) + 2 e / (1 + e) with
    e = exp(-2 |x|): the first difference is exact where it matters.
    """
    cdef real a = fabs(x), e, t, u
    cdef real m = expm1_both(-exp_magnitude(<real>2 * x), &e)
    cdef real r = <real>1 / (<real>2 + m)
    t = m * r
    u = (a - <real>1) + unscale(<real>2 * e) * r
    f[0] = tanh_shrink_series(x) if a < 0.9 else copysign(u, x)
    d[0] = t * t


cdef inline void elu(real x, real alpha, real *f, real *d) noexcept nogil:
    """alpha expm1(x), alpha exp(x) for x <= 0; -0 goes through as x."""
    cdef real e
    cdef real m = expm1_both(clamp(<real>0 if x > 0 else x), &e)
    f[0] = alpha * m if x < 0 else x
    d[0] = <real>1 if x > 0 else unscale(alpha * e)


cdef inline void elu_from_output(real y, real alpha, real *d) noexcept nogil:
    d[0] = <real>1 if y > 0 else y + alpha


cdef inline void celu(real x, real alpha, real *f, real *d) noexcept nogil:
    """alpha expm1(x / alpha), exp(x / alpha) for x <= 0.

    The rounding errors of z = x (1 / alpha), (x - z alpha) / alpha, would cost the
    exponential |z| / 2 ulp.  A tiny z may underflow; there f = x.
    """
    cdef real a = <real>0 if x > 0 else x
    cdef real inv = <real>1 / alpha
    cdef real z = a * inv, e
    cdef real low = -two_prod_low(z, alpha, a) * inv
    cdef real m = expm1_both_low(clamp(z), <real>0 if z < -exp_top(z) else low, &e)
    f[0] = alpha * m if z < -1e-20 else x
    d[0] = <real>1 if x > 0 else unscale(e)


cdef inline void celu_from_output(real y, real alpha, real *d) noexcept nogil:
    d[0] = <real>1 if y > 0 else (y + alpha) / alpha


cdef inline void selu(real x, real *f, real *d) noexcept nogil:
    """scale * elu(x, alpha); scale * alpha is rounded once."""
    cdef real scale = 1.0507009873554805, both = 1.7580993408473768
    cdef real e
    cdef real m = expm1_both(clamp(<real>0 if x > 0 else x), &e)
    f[0] = both * m if x < 0 else scale * x
    d[0] = scale if x > 0 else unscale(both * e)


cdef inline void selu_from_output(real y, real *d) noexcept nogil:
    """y + scale alpha, the double of which is short of it by 1.4e-17."""
    cdef real t = (y + <real>1.7580993408473768) + <real>1.41535193800845e-17
    d[0] = <real>1.0507009873554805 if y > 0 else t


cdef inline void softplus(real x, real beta, real *f, real *d) noexcept nogil:
    """max(x, 0) + log1p(exp(-|beta x|)) / beta; f' = sigmoid(beta x)."""
    cdef real z = beta * x, r
    cdef real low = two_prod_low(beta, x, z)
    cdef real u = exp_magnitude(z)
    cdef real e, log
    low = <real>0 if u == exp_top(u) else (-low if z > 0 else low)
    e = exp_scaled_low(-u, low)
    log = log1p_scaled(e, &r) * (<real>1 / beta)
    f[0] = minus_unscaled(-log, <real>0 if x < 0 else x)
    d[0] = keep_nan(x, unscale(e * r) if z < 0 else r)


cdef inline void softplus_from_output(real y, real beta, real *d) noexcept nogil:
    """1 - exp(-beta y)."""
    cdef real e
    d[0] = <real>0 - expm1_both(clamp(-beta * y), &e)


# --- gated linear: x times a sigmoid ----------------------------------------

cdef inline void gated(
    real x, real a, real u, real low, real v, real *f, real *d
) noexcept nogil:
    """x sigmoid(u) for an odd u of the sign of x, through its half x < 0.

    f(x) = x + f(-x) and f'(x) = 1 - f'(-x); with e = exp(-|u|), r = 1 / (1 + e)
    that half is f = -|x| e r, f' = e (1 + e - v) r^2.  Given are a = |x|, |u|
    up to exp_top, what the rounding of -|u| lost, and v = |x u'|; a and v finite.
    """
    cdef real e, n, p, q, r, s
    exp_parts(-u, low, &s, &q)
    e = fma(s, q, s)
    n = one_plus(e)
    r = <real>1 / n
    p = ((n - v) * r) * (e * r)
    # s fma(q, a, a) is a e with one rounding, not two
    f[0] = minus_unscaled((s * fma(q, a, a)) * r, <real>-0.0 if x < 0 else x)
    d[0] = keep_nan(x, unscale(p) if x < 0 else minus_unscaled(p, <real>1))


cdef inline void silu(real x, real *f, real *d) noexcept nogil:
    cdef real a = exp_magnitude(x)
    gated(x, a, a, <real>0, a, f, d)


cdef inline void swish(
    real x, real beta, real beta_low, real *f, real *d
) noexcept nogil:
    """x sigmoid(z), z = (beta + beta_low) x.

    For beta < 0 the roles of the two sides change: x sigmoid(z) = x - x sigmoid(-z).
    Where the exponential ends, a = 0: its product with e would not be 0 for a
    small beta.
    """
    cdef real z = beta * x
    cdef real u = exp_magnitude(z), top = exp_top(z)
    cdef real low = fma(beta_low, x, two_prod_low(beta, x, z))
    cdef real a = <real>0 if u == top else fabs(x)
    cdef real fa, da
    low = <real>0 if u == top else (-low if z > 0 else low)
    gated(copysign(x, z), a, u, low, u, &fa, &da)
    f[0] = -fa if beta < 0 else fa
    d[0] = da


cdef inline void silu_beta(real x, real beta, real *f, real *d) noexcept nogil:
    swish(x, beta, <real>0, f, d)


cdef inline void quick_gelu(real x, real *f, real *d) noexcept nogil:
    """1.702 is meant as a decimal: the double is short of it by 4.3e-17."""
    swish(x, <real>1.702, <real>4.263256414560601e-17, f, d)


cdef inline void gelu_tanh(real x, real *f, real *d) noexcept nogil:
    """x sigmoid(u), u = 2 sqrt(2/pi) (x + 0.044715 x^3).

    u is made of two parts, since its rounding error would cost |u| / 2 ulp;
    beyond |x| = 40 the exponential has long ended.
    """
    cdef real a, c, k, x2, v, w, u, low
    c = 1.5957691216057308  # 2 sqrt(2/pi), short of -9.97e-17
    k = 0.07135481627260025  # 0.044715 c, short of -6.2e-19
    a = magnitude(x, <real>40)
    x2 = a * a
    v = k * x2
    w = c + v
    u = w - c
    low = (c - (w - u)) + (v - u)
    low = low + two_prod_low(k, x2, v) + k * two_prod_low(a, a, x2)
    low = fma(<real>-6.175149918155315e-19, x2, low - <real>9.96930880911092e-17)
    u = a * w
    low = fma(a, low, two_prod_low(a, w, u))
    v = a * fma(<real>3 * k, x2, c)
    gated(x, a, exp_magnitude(u), -low, v, f, d)


cdef inline void gelu(real x, real *f, real *d) noexcept nogil:
    """x Phi(x) through Q = Phi(-|x|) = exp(-x^2 / 2) R(|x|), R the Mills ratio.

    Never 1 + erf, which has no digits left below x = -5.5.  x < 0: f = -|x| Q,
    f' = D = exp(-x^2 / 2) (R(|x|) - |x| / sqrt(2 pi)); x >= 0: f = x - x Q,
    f' = 1 - D.  The rounding error of x^2 goes into the exponential.
    """
    cdef real top = <real>15 if real is float else <real>39
    cdef real a, e, g, h, low, m, p, q, s
    a = magnitude(x, top)
    m = <real>-0.5 * a
    h = a * m
    exp_parts(h, two_prod_low(a, m, h), &s, &q)
    m = mills(a, &low)
    # |x| Q = s (1 + q) |x| (m + low), rounded where nothing is left to add
    g = a * m
    low = fma(a, low, two_prod_low(a, m, g))
    e = s * (g + fma(q, g, low))
    p = fma(a, <real>-0.3989422804014327, m)
    p = s * fma(q, p, p)
    if real is double:
        m = rescale(cdf_near_0(a))
        e = a * m if a < 0.75 else e
        p = fma(fma(s, q, s) * a, -0.3989422804014327, m) if a < 0.75 else p
    f[0] = minus_unscaled(e, <real>-0.0 if x < 0 else x)
    d[0] = keep_nan(x, unscale(p) if x < 0 else minus_unscaled(p, <real>1))


cdef inline void mish(real x, real *f, real *d) noexcept nogil:
    """x tanh(softplus(x)) = x N / D.

    x < 0, e = exp(x): N = e (2 + e), D = N + 2, f' = (N D + 4 x e (1 + e)) / D^2;
    x >= 0, e = exp(-x): N = 1 + 2 e, D = N + 2 e^2,
    f' = (N D + 4 x e^2 (1 + e)) / D^2.
    """
    cdef real a = -exp_magnitude(x), s, e, n, k, r, t, p
    s = exp_scaled(a)
    e = unscale(s)
    # k: N / e for x < 0, N for x >= 0
    k = <real>2 + e if x < 0 else fma(<real>2, e, <real>1)
    n = fma(e, k, <real>2) if x < 0 else fma(<real>2 * e, e, k)
    r = <real>1 / n
    t = unscale((a * s) * (k * r))
    f[0] = t if x < 0 else x * (k * r)
    p = <real>4 * a * (<real>1 + e)
    p = fma(k, n, p) if x < 0 else fma(k, n, -p * (e * e))
    p = (p * r) * r
    d[0] = keep_nan(x, unscale(s * p) if x < 0 else p)


# --- algebraic --------------------------------------------------------------

cdef inline void softsign(real x, real *f, real *d) noexcept nogil:
    cdef real a = fabs(x)
    cdef real r = <real>1 / (<real>1 + a)
    cdef real t = x / (<real>1 + a)
    f[0] = copysign(<real>1, x) if a == INFINITY else t
    d[0] = r * r


cdef inline void softsign_from_output(real y, real *d) noexcept nogil:
    cdef real t = <real>1 - fabs(y)
    d[0] = t * t


cdef inline void squareplus(real x, real b, real *f, real *d) noexcept nogil:
    """x >= 0: (x + h) / 2, x < 0: b / 2 / (h - x), h = sqrt(x^2 + b); f' = f / h.

    Halves first, so that nothing overflows; beyond 2^400 h = |x|.
    """
    cdef real a = fabs(x), h, s
    cdef real big = <real>2.582249878086909e120
    h = sqrt(fma(a, a, b))
    h = a if a > big else h
    s = <real>0.5 * h + <real>0.5 * a
    f[0] = (<real>0.25 * b) / s if x < 0 else s
    s = (<real>0.25 * b) / s / h if x < 0 else s / h
    d[0] = <real>1 if x > big else s


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
    cdef real t = sixth(x + <real>3)
    t = <real>0 if x <= -3 else t
    f[0] = <real>1 if x >= 3 else t
    d[0] = nan_or(x, <real>(1.0 / 6.0) if fabs(x) < 3 else <real>0)


cdef inline void hard_sigmoid_from_output(real y, real *d) noexcept nogil:
    d[0] = nan_or(y, (<real>(1.0 / 6.0) if y < 1 else <real>0) if y > 0 else <real>0)


cdef inline void hard_tanh(
    real x, real min_val, real max_val, real *f, real *d
) noexcept nogil:
    cdef real t = min_val if x < min_val else x
    f[0] = max_val if x > max_val else t
    d[0] = nan_or(x, (<real>1 if x < max_val else <real>0) if x > min_val else <real>0)


cdef inline void hard_tanh_from_output(
    real y, real min_val, real max_val, real *d
) noexcept nogil:
    d[0] = nan_or(y, (<real>1 if y < max_val else <real>0) if y > min_val else <real>0)


cdef inline void hard_swish(real x, real *f, real *d) noexcept nogil:
    cdef real t = sixth(x * (x + <real>3))
    t = <real>-0.0 if x <= -3 else t
    f[0] = x if x >= 3 else t
    t = sixth(<real>2 * x + <real>3)
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
