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
    INFINITY, clamp, copysign, exp_floor, exp_scaled, exp_scaled_low,
    expm1_both, expm1_both_low, fabs, fma, log1p_scaled, mills, nan_or, one_plus, real, rescale,
    sqrt, tanh_shrink_series, two_prod_low, unscale,
)


# --- exponential ------------------------------------------------------------

cdef inline void sigmoid(real x, real *f, real *d) noexcept nogil:
    """f = r or e r; f' = e r^2, never f (1 - f), which is 0 from x = 17 on."""
    cdef real e = exp_scaled(-fabs(x))
    cdef real r = 1 / one_plus(e)
    cdef real er = e * r
    f[0] = unscale(er) if x < 0 else r
    d[0] = unscale(er * r)


cdef inline void sigmoid_from_output(real y, real *d) noexcept nogil:
    d[0] = y * (1 - y)


cdef inline void log_sigmoid(real x, real *f, real *d) noexcept nogil:
    """min(x, 0) - log1p(e)."""
    cdef double inv
    cdef double e = exp_scaled(<double>-fabs(x))
    cdef double log = unscale(log1p_scaled(e, &inv))
    f[0] = <real>((<double>x if x < 0 else 0.0) - log)
    d[0] = <real>(inv if x < 0 else unscale(e * inv))


cdef inline void log_sigmoid_from_output(real y, real *d) noexcept nogil:
    """1 - exp(y) = -expm1(y)."""
    cdef real e
    d[0] = -expm1_both(y, &e)


cdef inline void tanh(real x, real *f, real *d) noexcept nogil:
    """With m = expm1(-2 |x|): |f| = -m / (2 + m), f' = 4 (1 + m) / (2 + m)^2."""
    cdef real e
    cdef real m = expm1_both(-2 * fabs(x), &e)
    cdef real r = 1 / (2 + m)
    f[0] = copysign(m * r, x)
    d[0] = unscale((4 * e) * r * r)


cdef inline void tanh_from_output(real y, real *d) noexcept nogil:
    """(1 - y) (1 + y): 1 - y^2 without the rounding of y^2."""
    d[0] = (1 - y) * (1 + y)


cdef inline void tanh_shrink(real x, real *f, real *d) noexcept nogil:
    """x - tanh(x); f' = tanh(x)^2.

    Near 0 by series.  Elsewhere |f| = (|x| - 1) + 2 e / (1 + e) with
    e = exp(-2 |x|): the first difference is exact where it matters.
    """
    cdef real a = fabs(x), e, t, u
    cdef real m = expm1_both(-2 * a, &e)
    cdef real r = 1 / (2 + m)
    t = m * r
    u = (a - 1) + unscale(2 * e) * r
    f[0] = tanh_shrink_series(x) if a < 0.9 else copysign(u, x)
    d[0] = t * t


cdef inline void elu(real x, real alpha, real *f, real *d) noexcept nogil:
    """alpha expm1(x), alpha exp(x) for x <= 0; -0 goes through as x."""
    cdef real e
    cdef real m = expm1_both(<real>0 if x > 0 else x, &e)
    f[0] = alpha * m if x < 0 else x
    d[0] = <real>1 if x > 0 else unscale(alpha * e)


cdef inline void elu_from_output(real y, real alpha, real *d) noexcept nogil:
    d[0] = <real>1 if y > 0 else y + alpha


cdef inline void celu(real x, real alpha, real *f, real *d) noexcept nogil:
    """alpha expm1(x / alpha), exp(x / alpha) for x <= 0.

    The rounding error of z = x / alpha, (x - z alpha) / alpha, would cost the
    exponential |z| / 2 ulp.
    """
    cdef real a = <real>0 if x > 0 else x
    cdef real z = a / alpha, e
    cdef real m = expm1_both_low(z, -two_prod_low(z, alpha, a) / alpha, &e)
    f[0] = alpha * m if x < 0 else x
    d[0] = <real>1 if x > 0 else unscale(e)


cdef inline void celu_from_output(real y, real alpha, real *d) noexcept nogil:
    d[0] = <real>1 if y > 0 else <real>1 + y / alpha


cdef inline void selu(real x, real *f, real *d) noexcept nogil:
    """scale * elu(x, alpha); scale * alpha is rounded once."""
    cdef real scale = 1.0507009873554805, both = 1.7580993408473768
    cdef real e
    cdef real m = expm1_both(<real>0 if x > 0 else x, &e)
    f[0] = both * m if x < 0 else scale * x
    d[0] = scale if x > 0 else unscale(both * e)


cdef inline void selu_from_output(real y, real *d) noexcept nogil:
    d[0] = <real>1.0507009873554805 if y > 0 else y + <real>1.7580993408473768


cdef inline void softplus(real x, real beta, real *f, real *d) noexcept nogil:
    """max(x, 0) + log1p(exp(-|beta x|)) / beta; f' = sigmoid(beta x)."""
    cdef double z = <double>beta * x, inv
    cdef double low = two_prod_low(<double>beta, <double>x, z)
    cdef double e = exp_scaled_low(-fabs(z), -low if z > 0 else low)
    cdef double log = unscale(log1p_scaled(e, &inv) / beta)
    f[0] = <real>((<double>x if x > 0 else 0.0) + log)
    d[0] = <real>(unscale(e * inv) if z < 0 else inv)


cdef inline void softplus_from_output(real y, real beta, real *d) noexcept nogil:
    """1 - exp(-beta y)."""
    cdef real e
    d[0] = -expm1_both(-beta * y, &e)


# --- gated linear: x times a sigmoid ----------------------------------------

cdef inline void silu_of(
    real x, real below, real z, real low, real *f, real *d
) noexcept nogil:
    """x sigmoid(z), z + low = beta x; below = x for z < 0, made finite.

    z >= 0: f = x r, f' = (1 + e + z e) r^2; z < 0: f = x e r,
    f' = e (1 + e + z) r^2.
    """
    cdef real a = -fabs(z)
    cdef real e = exp_scaled_low(a, -low if z > 0 else low)
    cdef real n = one_plus(e)
    cdef real r = 1 / n
    cdef real p
    f[0] = unscale((below * e) * r) if z < 0 else x * r
    a = clamp(a)
    p = n + a if z < 0 else fma(-a, unscale(e), n)
    p = (p * r) * r
    d[0] = unscale(e * p) if z < 0 else p


cdef inline void silu(real x, real *f, real *d) noexcept nogil:
    silu_of(x, clamp(-fabs(x)), x, <real>0, f, d)


cdef inline void silu_beta(real x, real beta, real *f, real *d) noexcept nogil:
    """Where the exponential ends, the value is 0 with the sign of x."""
    cdef real z = beta * x
    cdef real below = copysign(<real>0, x) if z < exp_floor(z) else x
    silu_of(x, below, z, two_prod_low(beta, x, z), f, d)


cdef inline void quick_gelu(real x, real *f, real *d) noexcept nogil:
    silu_beta(x, <real>1.702, f, d)


cdef inline void gelu_tanh(real x, real *f, real *d) noexcept nogil:
    """x sigmoid(u), u = 2 sqrt(2/pi) (x + 0.044715 x^3).

    f' as in silu with u' x in place of z.  u is made of two parts, since its
    rounding error would cost |u| / 2 ulp; beyond |x| = 40 the exponential has
    long ended.
    """
    cdef real a, w, v, u, low, x2, x2l, c, e, n, r, t, p, k
    c = 1.5957691216057308  # 2 sqrt(2/pi), short of 9.97e-17
    k = 0.07135481627260025  # 0.044715 c, short of 6.2e-19
    a = fabs(x)
    a = <real>40 if a > 40 else a
    x2 = a * a
    x2l = two_prod_low(a, a, x2)
    v = k * x2
    w = c + v
    low = (c - w) + v
    low = low + two_prod_low(k, x2, v) + k * x2l
    low = fma(<real>-6.175149918155315e-19, x2, low - <real>9.96930880911092e-17)
    u = a * w
    low = fma(a, low, two_prod_low(a, w, u))
    e = exp_scaled_low(-u, -low)
    n = one_plus(e)
    r = 1 / n
    t = unscale((-a * e) * r)
    f[0] = t if x < 0 else x * r
    p = a * fma(3 * k, x2, c)  # |x| u'
    p = n - p if x < 0 else fma(p, unscale(e), n)
    p = (p * r) * r
    d[0] = unscale(e * p) if x < 0 else p


cdef inline void gelu(real x, real *f, real *d) noexcept nogil:
    """x Phi(x) through Q = Phi(-|x|) = exp(-x^2 / 2) R(|x|), R the Mills ratio.

    Never 1 + erf, which has no digits left below x = -5.5.  x >= 0: f =
    x - x Q, f' = 1 - D; x < 0: f = x Q, f' = D, with D = exp(-x^2/2) (R(|x|) -
    |x| / sqrt(2 pi)).  The rounding error of x^2 goes into the exponential.
    """
    cdef real top = 15 if real is float else 39
    cdef real a, h, low, e, m, p, q
    a = fabs(x)
    a = top if a > top else a
    h = a * a
    low = two_prod_low(a, a, h)
    e = exp_scaled_low(<real>-0.5 * h, <real>-0.5 * low)
    m = mills(a)
    q = e * m
    p = e * fma(a, <real>-0.3989422804014327, m)
    f[0] = unscale(-a * q) if x < 0 else copysign(fma(-x, unscale(q), x), x)
    p = unscale(p)
    d[0] = p if x < 0 else <real>1 - p


cdef inline void mish(real x, real *f, real *d) noexcept nogil:
    """x tanh(softplus(x)) = x N / D.

    x < 0, e = exp(x): N = e (2 + e), D = N + 2, f' = (N D + 4 x e (1 + e)) / D^2;
    x >= 0, e = exp(-x): N = 1 + 2 e, D = N + 2 e^2,
    f' = (N D + 4 x e^2 (1 + e)) / D^2.
    """
    cdef real a = -fabs(x), s, e, n, k, r, t, p
    s = exp_scaled(a)
    e = unscale(s)
    # k: N / e for x < 0, N for x >= 0
    k = 2 + e if x < 0 else fma(<real>2, e, <real>1)
    n = fma(e, k, <real>2) if x < 0 else fma(2 * e, e, k)
    r = 1 / n
    a = clamp(a)
    t = unscale((a * s) * (k * r))
    f[0] = t if x < 0 else x * (k * r)
    p = 4 * a * (1 + e)
    p = fma(k, n, p) if x < 0 else fma(k, n, -p * (e * e))
    p = (p * r) * r
    d[0] = unscale(s * p) if x < 0 else p


# --- algebraic --------------------------------------------------------------

cdef inline void softsign(real x, real *f, real *d) noexcept nogil:
    cdef real a = fabs(x)
    cdef real r = 1 / (1 + a)
    cdef real t = x / (1 + a)
    f[0] = copysign(<real>1, x) if a == INFINITY else t
    d[0] = r * r


cdef inline void softsign_from_output(real y, real *d) noexcept nogil:
    cdef real t = 1 - fabs(y)
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
    cdef real u = 2 * y / sqrt(b)
    t = 1 / fma(t, t, <real>1)
    u = u * u
    d[0] = t if y > 1 else u / (1 + u)


# --- piecewise linear and their kin -----------------------------------------

cdef inline void relu(real x, real *f, real *d) noexcept nogil:
    f[0] = <real>0 if x <= 0 else x
    d[0] = nan_or(x, <real>1 if x > 0 else <real>0)


cdef inline void relu_from_output(real y, real *d) noexcept nogil:
    d[0] = nan_or(y, <real>1 if y > 0 else <real>0)


cdef inline void relu_squared(real x, real *f, real *d) noexcept nogil:
    cdef real t = <real>0 if x <= 0 else x
    f[0] = t * t
    d[0] = 2 * t


cdef inline void relu_squared_from_output(real y, real *d) noexcept nogil:
    d[0] = 2 * sqrt(y)


cdef inline void relu6(real x, real *f, real *d) noexcept nogil:
    cdef real t = <real>0 if x <= 0 else x
    f[0] = <real>6 if t > 6 else t
    d[0] = nan_or(x, (<real>1 if x < 6 else <real>0) if x > 0 else <real>0)


cdef inline void relu6_from_output(real y, real *d) noexcept nogil:
    d[0] = nan_or(y, (<real>1 if y < 6 else <real>0) if y > 0 else <real>0)


cdef inline real below(real x) noexcept nogil:
    """The derivative of leaky_relu with respect to its slope."""
    return <real>0 if x > 0 else x


cdef inline void leaky_relu(real x, real negative_slope, real *f, real *d) noexcept nogil:
    """With slope 0 the limit at -inf is 0."""
    cdef real t = x * negative_slope
    t = <real>0 if (negative_slope == 0 and x == -INFINITY) else t
    f[0] = x if x > 0 else t
    d[0] = nan_or(x, <real>1 if x > 0 else negative_slope)


cdef inline void leaky_relu_from_output(
    real y, real negative_slope, real *d
) noexcept nogil:
    d[0] = nan_or(y, <real>1 if y > 0 else negative_slope)


cdef inline void hard_sigmoid(real x, real *f, real *d) noexcept nogil:
    cdef real t = (x + 3) / 6
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
    cdef real t = x * (x + 3) / 6
    t = <real>-0.0 if x <= -3 else t
    f[0] = x if x >= 3 else t
    t = (2 * x + 3) / 6
    t = <real>0 if x <= -3 else t
    d[0] = <real>1 if x >= 3 else t


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
