# cython: cdivision=True, boundscheck=False, wraparound=False
# Functions of a whole row: softmax, log_softmax, logsumexp and their gradients.
#
# One row is contiguous here; _front.pyx brings it there.  Sums run in double
# over 16 lanes, so that they vectorise without reassociation by the compiler
# and do not depend on anything but the row.

from libc.string cimport memcpy

from fastact._primitives cimport (
    INFINITY, clamp, exp_scaled, exp_scaled_low, exp_top, real, unscale,
)

cdef extern from "<math.h>" nogil:
    double c_log "log"(double)
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


cdef inline double sum_lanes(double *lane) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(8):
        lane[j] += lane[j + 8]
    for j in range(4):
        lane[j] += lane[j + 4]
    return (lane[0] + lane[2]) + (lane[1] + lane[3])


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


cdef inline void exp_block(
    const real *x, real m, real *y, double *lane
) noexcept nogil:
    cdef Py_ssize_t j
    cdef real e
    for j in range(LANES):
        e = exp_difference(x[j], m)
        y[j] = e
        lane[j] += e


cdef inline void softmax(const real *x, real *y, Py_ssize_t n) noexcept nogil:
    """y = exp(x - max) / sum.

    2^K exp is stored, and the last product takes 2^-K along, so that results
    below the normal range are rounded once.
    """
    cdef real block[LANES]
    cdef real e[LANES]
    cdef double lane[LANES]
    cdef real m = row_max(x, n), factor
    cdef Py_ssize_t i, j, whole = n & -LANES
    for j in range(LANES):
        lane[j] = 0
    for i in range(0, whole, 16):
        exp_block(x + i, m, y + i, lane)
    if whole < n:
        pad(x, n, block)
        exp_block(block, m, e, lane)
        memcpy(y + whole, e, (n - whole) * sizeof(real))
    factor = <real>(1 / sum_lanes(lane))
    for i in range(n):
        y[i] = y[i] * factor


cdef inline void rest_block(
    const real *x, real m, double *lane, double *equal
) noexcept nogil:
    cdef Py_ssize_t j
    cdef real e
    for j in range(LANES):
        e = exp_difference(x[j], m)
        lane[j] += <double>(<real>0 if x[j] == m else e)
        equal[j] += 1.0 if x[j] == m else 0.0


cdef inline double log_sum(const real *x, Py_ssize_t n, real *top) noexcept nogil:
    """log(sum exp(x - max)), and the maximum.

    The maximum itself adds exactly 1, so log1p of the rest keeps every digit
    where one element dominates.
    """
    cdef real block[LANES]
    cdef double lane[LANES]
    cdef double equal[LANES]
    cdef real m = row_max(x, n)
    cdef Py_ssize_t i, j, whole = n & -LANES
    for j in range(LANES):
        lane[j] = 0
        equal[j] = 0
    for i in range(0, whole, 16):
        rest_block(x + i, m, lane, equal)
    if whole < n:
        pad(x, n, block)
        # -inf equals the maximum of a row of -inf: that padding counts below
        rest_block(block, m, lane, equal)
    top[0] = m
    if m == -INFINITY:
        # every element is -inf or NaN
        return sum_lanes(lane)
    if real is float:
        return c_log1p(
            sum_lanes(lane) * 7.888609052210118e-31 + (sum_lanes(equal) - 1)
        )
    else:
        return c_log1p(unscale(sum_lanes(lane)) + (sum_lanes(equal) - 1))


cdef inline void log_softmax(const real *x, real *y, Py_ssize_t n) noexcept nogil:
    cdef real m
    cdef double log = log_sum(x, n, &m)
    cdef Py_ssize_t i
    for i in range(n):
        # float: one rounding, at the end
        y[i] = <real>(<double>x[i] - m - log)


cdef inline void logsumexp(const real *x, real *y, Py_ssize_t n) noexcept nogil:
    cdef real m
    cdef double log = log_sum(x, n, &m)
    y[0] = <real>(m + log)


cdef inline void softmax_backward(
    const real *g, const real *y, real *gx, Py_ssize_t n
) noexcept nogil:
    """y (g - sum(g y))."""
    cdef double lane[LANES]
    cdef double dot
    cdef Py_ssize_t i, j, whole = n & -LANES
    for j in range(LANES):
        lane[j] = 0
    for i in range(0, whole, 16):
        for j in range(LANES):
            lane[j] += <double>g[i + j] * y[i + j]
    for i in range(whole, n):
        lane[i - whole] += <double>g[i] * y[i]
    dot = sum_lanes(lane)
    for i in range(n):
        gx[i] = <real>(y[i] * (g[i] - dot))


cdef inline void log_softmax_backward(
    const real *g, const real *y, real *gx, Py_ssize_t n
) noexcept nogil:
    """g - exp(y) sum(g)."""
    cdef double lane[LANES]
    cdef double total
    cdef Py_ssize_t i, j, whole = n & -LANES
    for j in range(LANES):
        lane[j] = 0
    for i in range(0, whole, 16):
        for j in range(LANES):
            lane[j] += <double>g[i + j]
    for i in range(whole, n):
        lane[i - whole] += <double>g[i]
    total = sum_lanes(lane)
    for i in range(n):
        gx[i] = <real>(g[i] - unscale(exp_scaled(clamp(y[i]))) * total)


cdef inline void logsumexp_backward(
    const real *g, const real *x, real *gx, Py_ssize_t n
) noexcept nogil:
    """g softmax(x), g one number."""
    cdef Py_ssize_t i
    cdef real factor = g[0]
    softmax(x, gx, n)
    for i in range(n):
        gx[i] = gx[i] * factor
