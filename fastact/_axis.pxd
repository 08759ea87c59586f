# cython: cdivision=True, boundscheck=False, wraparound=False
# Functions of a whole row: softmax, log_softmax, logsumexp and their gradients.
#
# One row is contiguous here; _front.pyx brings it there.  Sums run in double
# over 16 lanes, so that they vectorise without reassociation by the compiler
# and do not depend on anything but the row.  For double they are compensated: a
# plain sum of 100,000 equal terms is off by 700 ULP.
#
# Largest errors found, in ULP, on v4 and base with rows of many kinds of up to
# 1,000,000 elements (v3 to 100,000: as v4) (float | double; witness: normal rows of n with
# that standard deviation):
#   softmax               1.70 (n = 1e6, 2)   | 1.94 (n = 300, 3, base; v4 1.72)
#   log_softmax           0.94 (n = 2, 10)    | 1.36 (n = 3, 3)
#   logsumexp             0.60 (one of 200 dominates by 5) | 0.85 (n = 2, 0.1)
#   logsumexp.backward    2.11 (n = 300, 1)   | 2.88 (n = 17, 3, base)
# and of gradients, in ULP of the largest term, as cancelled digits are gone:
#   softmax.backward      2.65 (n = 33, 3)    | 3.83 (n = 33, 10, base; v4 3.13)
#   ... from output       0.50                | 2.10 (one of 200 dominates by 20)
#   log_softmax.backward  1.53 (n = 17, 1)    | 1.59 (n = 33, 30, base)
#   ... from output       0.93 (n = 17, 30)   | 1.34 (n = 2, 0.1)

from libc.string cimport memcpy

from fastact._primitives cimport (
    INFINITY, c_fabs, clamp, exp_scaled, exp_scaled_low, exp_top, fma, real,
    two_prod_low, unscale,
)

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define FA_KEEP_LOOP _Pragma("GCC unroll 1")
    #else
    #define FA_KEEP_LOOP
    #endif

    /* lane += x (g y), low += the rounding errors of the sums (Knuth's TwoSum).
       Unrolled first, these loops would not be vectorised. */
    static inline void fa_add_16(double *lane, double *low, const double *x) {
        FA_KEEP_LOOP
        for (int j = 0; j < 16; j++) {
            double a = lane[j], s = a + x[j], t = s - a;
            low[j] += (a - (s - t)) + (x[j] - t);
            lane[j] = s;
        }
    }
    static inline void fa_add_products_16(
        double *lane, double *low, const double *g, const double *y
    ) {
        FA_KEEP_LOOP
        for (int j = 0; j < 16; j++) {
            double a = lane[j], x = g[j] * y[j], s = a + x, t = s - a;
            low[j] += (a - (s - t)) + (x - t);
            lane[j] = s;
        }
    }
    /* The second n lanes added to the first. */
    static inline void fa_fold(double *lane, double *low, const int n) {
        FA_KEEP_LOOP
        for (int j = 0; j < n; j++) {
            double a = lane[j], x = lane[j + n], s = a + x, t = s - a;
            low[j] += low[j + n] + ((a - (s - t)) + (x - t));
            lane[j] = s;
        }
    }
    """
    void fa_add_16(double *, double *, const double *) noexcept nogil
    void fa_add_products_16(
        double *, double *, const double *, const double *
    ) noexcept nogil
    void fa_fold(double *, double *, int) noexcept nogil

cdef extern from "<math.h>" nogil:
    double c_log1p "log1p"(double)

cdef enum:
    LANES = 16  # Cython takes a loop's step as a literal only: it is 16 below


cdef inline real row_max(const real *x, Py_ssize_t n) noexcept nogil:
    """The largest element; NaN is skipped (the exponentials bring it back)."""
    cdef real lane[LANES]
    cdef real m
    cdef Py_ssize_t i, j, whole = n & -LANES
    for j in range(LANES):
        lane[j] = -INFINITY
    for i in range(0, whole, 16):
        for j in range(LANES):
            lane[j] = x[i + j] if x[i + j] > lane[j] else lane[j]
    m = -INFINITY
    for j in range(LANES):
        m = lane[j] if lane[j] > m else m
    for i in range(whole, n):
        m = x[i] if x[i] > m else m
    return m


cdef inline double two_sum(double a, double b, double *low) noexcept nogil:
    """a + b, and what it loses to rounding (Knuth)."""
    cdef double s = a + b
    cdef double t = s - a
    low[0] = (a - (s - t)) + (b - t)
    return s


cdef struct Sum:
    # 16 partial sums, and what they lost to rounding (double rows only)
    double lane[LANES]
    double low[LANES]


cdef inline void clear(Sum *s) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(LANES):
        s.lane[j] = 0
        s.low[j] = 0


cdef inline double total(Sum *s, double *low, real kind) noexcept nogil:
    """The sum of all lanes, rounded, and the rest of it (0 for a ``kind`` float)."""
    cdef Py_ssize_t j
    cdef double hi, lo
    low[0] = 0
    if real is float:
        for j in range(8):
            s.lane[j] += s.lane[j + 8]
        for j in range(4):
            s.lane[j] += s.lane[j + 4]
        return (s.lane[0] + s.lane[2]) + (s.lane[1] + s.lane[3])
    else:
        fa_fold(s.lane, s.low, 8)
        fa_fold(s.lane, s.low, 4)
        fa_fold(s.lane, s.low, 2)
        fa_fold(s.lane, s.low, 1)
        # (an infinite sum has no rest)
        lo = s.low[0] if s.low[0] == s.low[0] else 0.0
        hi = s.lane[0] + lo
        low[0] = lo - (hi - s.lane[0]) if hi - hi == 0 else 0.0
        return hi


cdef inline real exp_difference(real x, real m) noexcept nogil:
    """2^K exp(x - m), x <= m, with what the difference loses to rounding."""
    cdef real d = x - m
    cdef real t = d - x
    cdef real low = (x - (d - t)) - (m + t)
    return exp_scaled_low(clamp(d), low if d > -exp_top(d) else <real>0)


cdef inline void pad(const real *x, Py_ssize_t n, real *block) noexcept nogil:
    """The last n % LANES elements, with -inf behind them: exp gives 0."""
    cdef Py_ssize_t whole = n & -LANES, j
    for j in range(LANES):
        block[j] = -INFINITY
    memcpy(block, x + whole, (n - whole) * sizeof(real))


cdef inline void exp_block(const real *x, real m, real *e, Sum *s) noexcept nogil:
    cdef Py_ssize_t j
    cdef real t
    for j in range(LANES):
        t = exp_difference(x[j], m)
        e[j] = t
        if real is float:
            s.lane[j] += t
    if real is double:
        fa_add_16(s.lane, s.low, e)


cdef inline double exponentials(
    const real *x, real *e, Py_ssize_t n, double *low
) noexcept nogil:
    """e = 2^K exp(x - max), and 1 / sum(e) as the result + low."""
    cdef real block[LANES]
    cdef real last[LANES]
    cdef Sum s
    cdef real m = row_max(x, n)
    cdef double hi, lo, inv
    cdef Py_ssize_t i, whole = n & -LANES
    clear(&s)
    for i in range(0, whole, 16):
        exp_block(x + i, m, e + i, &s)
    if whole < n:
        pad(x, n, block)
        exp_block(block, m, last, &s)
        memcpy(e + whole, last, (n - whole) * sizeof(real))
    hi = total(&s, &lo, m)
    inv = 1 / hi
    # 1 - (hi + lo) inv
    low[0] = (((1 - hi * inv) - two_prod_low(hi, inv, hi * inv)) - lo * inv) * inv
    return inv


cdef inline real scaled(real e, double factor, double low) noexcept nogil:
    """e (factor + low), rounded once, into the subnormals too."""
    if real is float:
        return <real>(e * factor)
    else:
        return fma(e, factor, e * low)


cdef inline void softmax(const real *x, real *y, Py_ssize_t n) noexcept nogil:
    """y = exp(x - max) / sum."""
    cdef double low
    cdef double factor = exponentials(x, y, n, &low)
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = scaled(y[i], factor, low)


cdef inline void rest_block(const real *x, real m, Sum *s, double *equal) noexcept nogil:
    cdef Py_ssize_t j
    cdef real rest[LANES]
    cdef real e
    for j in range(LANES):
        e = exp_difference(x[j], m)
        e = <real>0 if x[j] == m else e
        equal[j] += 1.0 if x[j] == m else 0.0
        if real is float:
            s.lane[j] += e
        else:
            rest[j] = e
    if real is double:
        fa_add_16(s.lane, s.low, rest)


cdef inline double log_of(Sum *s, double *equal, real m, double *low) noexcept nogil:
    """log(sum exp(x - max)) as the result + low.

    The maximum itself adds exactly 1, so log1p of the rest keeps every digit
    where one element dominates.
    """
    cdef double hi, lo, count = -1, log
    cdef Py_ssize_t j
    for j in range(LANES):
        count += equal[j]
    hi = total(s, &lo, m)
    low[0] = 0
    if m == -INFINITY:
        # every element is -inf or NaN
        return hi
    if real is float:
        return c_log1p(hi * 7.888609052210118e-31 + count)
    hi = two_sum(count, unscale(hi), &log)
    lo = log + unscale(lo)
    low[0] = lo / (1 + hi)
    return c_log1p(hi)


cdef inline double log_sum(
    const real *x, Py_ssize_t n, real *top, double *low
) noexcept nogil:
    """log(sum exp(x - max)) as the result + low, and the maximum."""
    cdef real block[LANES]
    cdef Sum s
    cdef double equal[LANES]
    cdef real m = row_max(x, n)
    cdef Py_ssize_t i, j, whole = n & -LANES
    clear(&s)
    for j in range(LANES):
        equal[j] = 0
    for i in range(0, whole, 16):
        rest_block(x + i, m, &s, equal)
    if whole < n:
        pad(x, n, block)
        # -inf equals the maximum of a row of -inf: that padding counts nothing
        rest_block(block, m, &s, equal)
    top[0] = m
    return log_of(&s, equal, m, low)


cdef inline void log_softmax(const real *x, real *y, Py_ssize_t n) noexcept nogil:
    cdef real m
    cdef double low, shift, lost, d
    cdef double log = log_sum(x, n, &m, &low)
    cdef Py_ssize_t i
    if real is float:
        for i in range(n):
            # one rounding, at the end
            y[i] = <real>(<double>x[i] - m - log)
    else:
        # x - (max + log), every difference with its rounding error
        shift = two_sum(m, log, &lost)
        low = low + lost if shift - shift == 0 else 0.0
        for i in range(n):
            d = two_sum(x[i], -shift, &lost)
            y[i] = d + (lost - low if d > -INFINITY else 0.0)


cdef inline double log_sum_wide(
    const real *x, Py_ssize_t n, double *low
) noexcept nogil:
    """As log_sum(), in double whatever ``real`` is."""
    cdef double block[LANES]
    cdef double equal[LANES]
    cdef Sum s
    cdef double m = row_max(x, n)
    cdef Py_ssize_t i, j
    clear(&s)
    for j in range(LANES):
        equal[j] = 0
    for i in range(0, n, 16):
        for j in range(LANES):
            block[j] = x[i + j] if i + j < n else -INFINITY
        rest_block(<const double *>block, m, &s, equal)
    return log_of(&s, equal, m, low)


cdef inline void logsumexp(const real *x, real *y, Py_ssize_t n) noexcept nogil:
    """max + log.

    Where they nearly cancel, the error of the log is that of its exponentials:
    float rows take those in double then.  Double rows have nothing wider: there
    the error stays up to 2 ULP of the log, whatever is left of it.
    """
    cdef real m
    cdef double low, lost, sum
    cdef double log = log_sum(x, n, &m, &low)
    sum = two_sum(m, log, &lost)
    if real is float:
        if c_fabs(sum) < 0.5 * log:
            log = log_sum_wide(x, n, &low)
            sum = two_sum(m, log, &lost)
    y[0] = <real>(sum + (low + lost) if sum - sum == 0 else sum)


cdef inline void last_block(const real *x, Py_ssize_t n, real *block) noexcept nogil:
    """The last n % LANES elements, with zeros behind them."""
    cdef Py_ssize_t whole = n & -LANES, j
    for j in range(LANES):
        block[j] = 0
    memcpy(block, x + whole, (n - whole) * sizeof(real))


cdef inline void sum_block(const real *g, Sum *s) noexcept nogil:
    cdef Py_ssize_t j
    if real is float:
        for j in range(LANES):
            s.lane[j] += <double>g[j]
    else:
        fa_add_16(s.lane, s.low, g)


cdef inline double sum_of(const real *g, Py_ssize_t n) noexcept nogil:
    """sum(g)."""
    cdef real block[LANES]
    cdef Sum s
    cdef double low
    cdef Py_ssize_t i, whole = n & -LANES
    clear(&s)
    for i in range(0, whole, 16):
        sum_block(g + i, &s)
    if whole < n:
        last_block(g, n, block)
        sum_block(<const real *>block, &s)
    return total(&s, &low, g[0])


cdef inline void dot_block(const real *g, const real *y, Sum *s) noexcept nogil:
    cdef Py_ssize_t j
    if real is float:
        for j in range(LANES):
            s.lane[j] += <double>g[j] * y[j]
    else:
        fa_add_products_16(s.lane, s.low, g, y)


cdef inline double dot_of(const real *g, const real *y, Py_ssize_t n) noexcept nogil:
    """sum(g y)."""
    cdef real g_last[LANES]
    cdef real y_last[LANES]
    cdef Sum s
    cdef double low
    cdef Py_ssize_t i, whole = n & -LANES
    clear(&s)
    for i in range(0, whole, 16):
        dot_block(g + i, y + i, &s)
    if whole < n:
        last_block(g, n, g_last)
        last_block(y, n, y_last)
        dot_block(<const real *>g_last, <const real *>y_last, &s)
    return total(&s, &low, g[0])


cdef inline void softmax_backward_from_output(
    const real *g, const real *y, real *gx, Py_ssize_t n
) noexcept nogil:
    """y (g - sum(g y)); gx may be y."""
    cdef double dot = dot_of(g, y, n)
    cdef Py_ssize_t i
    for i in range(n):
        gx[i] = <real>(y[i] * (g[i] - dot))


cdef inline void softmax_backward(
    const real *g, const real *x, real *gx, Py_ssize_t n
) noexcept nogil:
    softmax(x, gx, n)
    softmax_backward_from_output(g, gx, gx, n)


cdef inline void log_softmax_backward_from_output(
    const real *g, const real *y, real *gx, Py_ssize_t n
) noexcept nogil:
    """g - exp(y) sum(g)."""
    cdef double sum = sum_of(g, n)
    cdef Py_ssize_t i
    for i in range(n):
        gx[i] = <real>(g[i] - unscale(exp_scaled(clamp(y[i]))) * sum)


cdef inline void log_softmax_backward(
    const real *g, const real *x, real *gx, Py_ssize_t n
) noexcept nogil:
    """g - softmax(x) sum(g): exp() of a rounded y is off by |y| / 2 ULP."""
    cdef double sum = sum_of(g, n)
    cdef Py_ssize_t i
    softmax(x, gx, n)
    for i in range(n):
        gx[i] = <real>(g[i] - gx[i] * sum)


cdef inline void logsumexp_backward(
    const real *g, const real *x, real *gx, Py_ssize_t n
) noexcept nogil:
    """g softmax(x), g one number."""
    cdef double factor = g[0]
    cdef Py_ssize_t i
    softmax(x, gx, n)
    for i in range(n):
        gx[i] = <real>(gx[i] * factor)
