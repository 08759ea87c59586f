# cython: cdivision=True, boundscheck=False, wraparound=False
# Functions of a whole row: softmax, log_softmax, logsumexp and their gradients.
#
# Rows are contiguous here, one after the other; _front.pyx brings them there.  A
# function takes several at once: what there is to compute for a row as a whole runs
# over all of them in one loop.
#
# Sums run in double over 16 lanes, so that they vectorise without reassociation by
# the compiler and do not depend on anything but the row.  For double they are
# compensated: a plain sum of 100,000 equal terms is off by 700 ULP.
#
# The largest errors found stand in _bounds.py, with their rows.  Those from an output,
# in ULP of the largest term (rows of n normal numbers with that standard deviation):
#   softmax.backward_from_output      1.88 (n = 5000, 30) | 2.35 (n = 300, 30)
#   log_softmax.backward_from_output  1.18 (n = 5, 3)     | 1.66 (n = 2, 1)
#
from libc.string cimport memcpy

from fastact._primitives cimport (
    INFINITY, clamp, exp_of, exp_pair, exp_top, expm1_reduced, fabs, fma,
    log1p_sum, magic_of, minus_rest, product_plus, real, reduce_at, rescale, sum_low,
    two_prod_low, unscale,
)

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define FA_KEEP_LOOP _Pragma("GCC unroll 1")
    #else
    #define FA_KEEP_LOOP
    #endif

    /* Reductions over n elements, n a multiple of 16, on 16 lanes.  An inner loop
       that the compiler unrolls first is not vectorised: hence FA_KEEP_LOOP. */
    #define FA_EACH for (int j = 0; j < 16; j++)
    #define FA_FOLD(lane, from, op) \\
        FA_KEEP_LOOP \\
        for (int j = 0; j < from; j++) { op(lane[j], lane[j + from]); }
    #define FA_MAX(a, b) a = b > a ? b : a
    #define FA_ADD(a, b) a += b

    #define FA_MAXIMUM(T, S) \\
    /* the maximum; NaN is skipped (the exponentials bring it back) */ \\
    static inline T fa_max_##S(const T *x, ptrdiff_t n, T start) { \\
        T lane[16]; \\
        FA_KEEP_LOOP \\
        FA_EACH { lane[j] = start; } \\
        for (ptrdiff_t i = 0; i < n; i += 16) { \\
            FA_KEEP_LOOP \\
            FA_EACH { FA_MAX(lane[j], x[i + j]); } \\
        } \\
        FA_FOLD(lane, 8, FA_MAX) \\
        FA_FOLD(lane, 4, FA_MAX) \\
        FA_FOLD(lane, 2, FA_MAX) \\
        return lane[1] > lane[0] ? lane[1] : lane[0]; \\
    }
    FA_MAXIMUM(float, f32)
    FA_MAXIMUM(double, f64)

    /* The sum of 16 lanes, for float rows. */
    #define FA_TOTAL(lane) \\
        FA_FOLD(lane, 8, FA_ADD) \\
        FA_FOLD(lane, 4, FA_ADD) \\
        return (lane[0] + lane[2]) + (lane[1] + lane[3]);

    static inline double fa_sum_f32(const float *x, ptrdiff_t n) {
        double lane[16];
        FA_KEEP_LOOP
        FA_EACH { lane[j] = 0; }
        for (ptrdiff_t i = 0; i < n; i += 16) {
            FA_KEEP_LOOP
            FA_EACH { lane[j] += x[i + j]; }
        }
        FA_TOTAL(lane)
    }
    /* For gradients, terms are added in pairs first, in float: the conversions are what
       takes time, and this costs half an ulp of the size of the terms. */
    #define FA_PAIRS(one, two) \\
        double lane[16]; \\
        ptrdiff_t i = 0; \\
        FA_KEEP_LOOP \\
        FA_EACH { lane[j] = 0; } \\
        for (; i < (n & -32); i += 32) { \\
            FA_KEEP_LOOP \\
            FA_EACH { lane[j] += two; } \\
        } \\
        if (i < n) { \\
            FA_KEEP_LOOP \\
            FA_EACH { lane[j] += one; } \\
        } \\
        FA_TOTAL(lane)
    static inline double fa_sum_pairs_f32(const float *x, ptrdiff_t n) {
        FA_PAIRS(x[i + j], x[i + j] + x[i + j + 16])
    }
    static inline double fa_dot_f32(const float *g, const float *y, ptrdiff_t n) {
        FA_PAIRS(
            g[i + j] * y[i + j],
            fa_fmaf(g[i + j + 16], y[i + j + 16], g[i + j] * y[i + j])
        )
    }

    /* For double rows: the sum of 16 lanes and of what they lost to rounding, added
       to hi and lo.  FA_SUM_LOW is Knuth's TwoSum. */
    #define FA_SUM_LOW(a, x, s, t) ((a - (s - t)) + (x - t))
    static inline void fa_total(
        double *lane, double *low, double start, double *hi, double *lo
    ) {
        for (int half = 8; half; half /= 2) {
            FA_KEEP_LOOP
            for (int j = 0; j < half; j++) {
                double a = lane[j], x = lane[j + half], s = a + x, t = s - a;
                low[j] += low[j + half] + FA_SUM_LOW(a, x, s, t);
                lane[j] = s;
            }
        }
        double a = *hi, x = lane[0] - 16 * start, s = a + x, t = s - a;
        *lo += low[0] + FA_SUM_LOW(a, x, s, t);
        *hi = s;
    }
    /* x is at most start, which makes the shorter FastTwoSum (Dekker) exact.  Terms
       that are small before all of start are summed in lo alone. */
    static inline void fa_sum_near_f64(
        const double *x, ptrdiff_t n, double start, double *hi, double *lo
    ) {
        double lane[16], low[16];
        FA_KEEP_LOOP
        FA_EACH { lane[j] = start; low[j] = 0; }
        for (ptrdiff_t i = 0; i < n; i += 16) {
            FA_KEEP_LOOP
            FA_EACH {
                double a = lane[j], s = a + x[i + j];
                low[j] += x[i + j] - (s - a);
                lane[j] = s;
            }
        }
        fa_total(lane, low, start, hi, lo);
    }
    static inline void fa_sum_f64(
        const double *x, ptrdiff_t n, double *hi, double *lo
    ) {
        double lane[16], low[16];
        FA_KEEP_LOOP
        FA_EACH { lane[j] = 0; low[j] = 0; }
        for (ptrdiff_t i = 0; i < n; i += 16) {
            FA_KEEP_LOOP
            FA_EACH {
                double a = lane[j], s = a + x[i + j], t = s - a;
                low[j] += FA_SUM_LOW(a, x[i + j], s, t);
                lane[j] = s;
            }
        }
        fa_total(lane, low, 0, hi, lo);
    }
    static inline void fa_dot_f64(
        const double *g, const double *y, ptrdiff_t n, double *hi, double *lo
    ) {
        double lane[16], low[16];
        FA_KEEP_LOOP
        FA_EACH { lane[j] = 0; low[j] = 0; }
        for (ptrdiff_t i = 0; i < n; i += 16) {
            FA_KEEP_LOOP
            FA_EACH {
                double a = lane[j], p = g[i + j] * y[i + j], s = a + p, t = s - a;
                low[j] += FA_SUM_LOW(a, p, s, t);
                lane[j] = s;
            }
        }
        fa_total(lane, low, 0, hi, lo);
    }
    """
    float fa_max_f32(const float *, Py_ssize_t, float) noexcept nogil
    double fa_max_f64(const double *, Py_ssize_t, double) noexcept nogil
    double fa_sum_f32(const float *, Py_ssize_t) noexcept nogil
    double fa_sum_pairs_f32(const float *, Py_ssize_t) noexcept nogil
    double fa_dot_f32(const float *, const float *, Py_ssize_t) noexcept nogil
    void fa_sum_near_f64(
        const double *, Py_ssize_t, double, double *, double *
    ) noexcept nogil
    void fa_sum_f64(const double *, Py_ssize_t, double *, double *) noexcept nogil
    void fa_dot_f64(
        const double *, const double *, Py_ssize_t, double *, double *
    ) noexcept nogil

cdef enum:
    LANES = 16
    ROWS = 32  # at most so many at once, of not more than BATCH elements
    BATCH = 4096  # (Cython takes a step as a literal only)

cdef enum Kind:  # of terms of a sum
    ANY
    EXPONENTIALS  # at most 2^K, and their sum is not small beside it
    GRADIENT


# --- reductions -------------------------------------------------------------

cdef inline real row_max(const real *x, Py_ssize_t n) noexcept nogil:
    cdef real block[LANES]
    cdef Py_ssize_t whole = n & -LANES
    cdef real m = -INFINITY
    if whole:
        m = fa_max_f32(x, whole, m) if real is float else fa_max_f64(x, whole, m)
    if whole < n:
        pad(x, n, m, block)
        m = fa_max_f32(block, LANES, m) if real is float else fa_max_f64(block, LANES, m)
    return m


cdef inline void pad(
    const real *x, Py_ssize_t n, real fill, real *block
) noexcept nogil:
    """The last n % LANES elements, filled up to LANES."""
    cdef Py_ssize_t whole = n & -LANES, j
    for j in range(LANES):
        block[j] = fill
    memcpy(block, x + whole, (n - whole) * sizeof(real))


cdef inline void add_whole(
    const real *x, Py_ssize_t n, Kind kind, double *hi, double *lo
) noexcept nogil:
    if real is float:
        hi[0] += fa_sum_pairs_f32(x, n) if kind == GRADIENT else fa_sum_f32(x, n)
    elif kind == EXPONENTIALS:
        fa_sum_near_f64(x, n, rescale(<real>1), hi, lo)
    else:
        fa_sum_f64(x, n, hi, lo)


cdef inline void add(
    const real *x, Py_ssize_t n, Kind kind, double *hi, double *lo
) noexcept nogil:
    """The sum of the elements, added to hi + lo."""
    cdef real block[LANES]
    cdef Py_ssize_t whole = n & -LANES
    if whole:
        add_whole(x, whole, kind, hi, lo)
    if whole < n:
        pad(x, n, <real>0, block)
        add_whole(<const real *>block, LANES, kind, hi, lo)


cdef inline double sum_of(const real *g, Py_ssize_t n) noexcept nogil:
    """sum(g) of a gradient."""
    cdef double hi = 0, lo = 0
    add(g, n, GRADIENT, &hi, &lo)
    return hi + lo if hi - hi == 0 else hi


cdef inline double dot_of(const real *g, const real *y, Py_ssize_t n) noexcept nogil:
    """sum(g y)."""
    cdef real a[LANES]
    cdef real b[LANES]
    cdef double hi = 0, lo = 0
    cdef Py_ssize_t whole = n & -LANES
    if whole:
        if real is float:
            hi = fa_dot_f32(g, y, whole)
        else:
            fa_dot_f64(g, y, whole, &hi, &lo)
    if whole < n:
        pad(g, n, <real>0, a)
        pad(y, n, <real>0, b)
        if real is float:
            hi += fa_dot_f32(a, b, LANES)
        else:
            fa_dot_f64(a, b, LANES, &hi, &lo)
    return hi + lo if hi - hi == 0 else hi


# --- exponentials of rows ----------------------------------------------------

cdef inline real reach(real x) noexcept nogil:
    """exp(-reach) is nothing beside 1, even a million times."""
    return <real>120 if real is float else <real>800


cdef inline real base_of(real m) noexcept nogil:
    """What is taken from a row with the maximum m before anything else.

    0, if the row stays in the range where n ln2 is exact (all of it that matters
    lies between m - reach and m); else m, and the difference is exact (Sterbenz)
    where it matters.
    """
    cdef real limit = 235 if real is float else 1600
    return <real>0 if fabs(m) < limit else m


cdef inline void exps(
    const real *x, real *e, Py_ssize_t n, real m, bint rest
) noexcept nogil:
    """e = 2^K exp(x - m), n a multiple of 16; with ``rest``, 0 where x = m.

    With m = N ln2 + c, x - m = (x - n ln2) - c + (n - N) ln2: nothing here rounds
    before the differences are small.
    """
    cdef real base = base_of(m)
    cdef real top = m if base == 0 else <real>0
    cdef real floor = top - reach(m)
    cdef real magic = magic_of(m)
    cdef real k, s, first, second, back, a, r
    cdef Py_ssize_t i
    first = reduce_at(top, top, magic, magic, &k, &s)
    second = -minus_rest(k, <real>-0.0)
    back = magic - k
    for i in range(n & -LANES):
        a = x[i] - base
        a = floor if floor > a else a
        r = reduce_at(a, a - top, magic, back, &k, &s)
        r = exp_of(s, r - first, minus_rest(k, second))
        if rest:
            r = <real>0 if x[i] == m else r
        e[i] = r


cdef inline void exps_of_row(
    const real *x, real *e, Py_ssize_t n, real m, bint rest
) noexcept nogil:
    cdef real block[LANES]
    cdef Py_ssize_t whole = n & -LANES
    if whole:
        exps(x, e, whole, m, rest)
    if whole < n:
        pad(x, n, m, block)
        exps(<const real *>block, block, LANES, m, rest)
        memcpy(e + whole, block, (n - whole) * sizeof(real))


cdef inline Py_ssize_t batch(Py_ssize_t n) noexcept nogil:
    """How many rows of n elements go together.

    Step by step over all of them: a row of a few elements is a long chain of
    dependent operations, and several such chains fill the processor.
    """
    if n * ROWS <= BATCH:
        return ROWS
    return BATCH / n if n < BATCH else 1


cdef inline void exponentials(
    const real *x, real *e, Py_ssize_t n, Py_ssize_t rows, bint keep,
    real *top, double *hi, double *lo
) noexcept nogil:
    """Of batch(n) rows: the maximum, e = 2^K exp(x - max), and the sum hi + lo of e.

    Without ``keep``, e is a scratch of BATCH elements.
    """
    cdef Py_ssize_t r, at, count
    cdef real *to
    for r in range(rows):
        top[r] = row_max(x + r * n, n)
        hi[r] = 0
        lo[r] = 0
    for at in range(0, n, 4096):
        count = n - at if n - at < BATCH else BATCH
        to = e + at if keep else e
        for r in range(rows):
            exps_of_row(x + r * n + at, to + r * n, count, top[r], False)
        for r in range(rows):
            add(<const real *>to + r * n, count, EXPONENTIALS, &hi[r], &lo[r])


# --- softmax -----------------------------------------------------------------

cdef inline double less_scale(double sum, real kind) noexcept nogil:
    """2^-K sum, for the K of ``kind``: sums are double."""
    return sum * 7.888609052210118e-31 if real is float else unscale(sum)


cdef inline real reciprocal(double hi, double lo, real *low) noexcept nogil:
    """1 / (hi + lo) and its low part; 2^K times that for float."""
    cdef double f
    cdef real result
    if real is float:
        f = 1 / less_scale(hi, <real>0)
        result = <real>f
        low[0] = <real>(f - result)
    else:
        result = 1 / hi
        f = hi * result
        # 1 - (hi + lo) f
        low[0] = (((1 - f) - two_prod_low(hi, <double>result, f)) - lo * result) * result
    return result


cdef inline void scale(
    real *y, Py_ssize_t n, real factor, real low
) noexcept nogil:
    """y (factor + low), in float less 2^K: rounded once (and into the subnormals)."""
    cdef real f
    cdef Py_ssize_t i
    for i in range(n):
        f = product_plus(y[i], factor, y[i] * low)
        y[i] = unscale(f) if real is float else f


cdef inline void softmax(
    const real *x, real *y, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    """y = exp(x - max) / sum."""
    cdef real top[ROWS]
    cdef double hi[ROWS]
    cdef double lo[ROWS]
    cdef real factor[ROWS]
    cdef real low[ROWS]
    cdef Py_ssize_t r, count, step = batch(n)
    while rows > 0:
        count = step if step < rows else rows
        exponentials(x, y, n, count, True, top, hi, lo)
        for r in range(count):
            factor[r] = reciprocal(hi[r], lo[r], &low[r])
        for r in range(count):
            scale(y + r * n, n, factor[r], low[r])
        x += count * n
        y += count * n
        rows -= count


cdef inline real parts(double sum, real *low) noexcept nogil:
    """A sum as a number and the rest of it."""
    cdef real hi = <real>sum
    low[0] = <real>(sum - hi) if sum - sum == 0 else <real>0
    return hi


cdef inline void softmax_backward_from_output(
    const real *g, const real *y, real *gx, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    """y (g - sum(g y)); gx may be y."""
    cdef real dot, low
    cdef Py_ssize_t _, i
    for _ in range(rows):
        dot = parts(dot_of(g, y, n), &low)
        for i in range(n):
            gx[i] = y[i] * ((g[i] - dot) - low)
        g += n
        y += n
        gx += n


cdef inline void softmax_backward(
    const real *g, const real *x, real *gx, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    cdef Py_ssize_t count, step = batch(n)
    while rows > 0:
        count = step if step < rows else rows
        softmax(x, gx, n, count)
        softmax_backward_from_output(g, <const real *>gx, gx, n, count)
        g += count * n
        x += count * n
        gx += count * n
        rows -= count


# --- log_softmax, logsumexp ----------------------------------------------------

cdef inline double log_of(double hi, double lo, double *low, real kind) noexcept nogil:
    """log(sum exp(x - max)) and its low part, from the sum of the exponentials."""
    return log1p_sum(less_scale(hi, kind) - 1, less_scale(lo, kind), low)


cdef inline bint dominated(double hi, real kind) noexcept nogil:
    """Whether the maximum is nearly all of the sum, or that is NaN (no finite maximum)."""
    return not less_scale(hi, kind) >= 1.000001


cdef inline double log_of_dominated(
    const real *x, Py_ssize_t n, real m, double *low
) noexcept nogil:
    """As log_of(), where the sum is 1 and a little.

    The maximum adds exactly 1: log1p of the rest, summed alone, keeps every digit.
    """
    cdef real e[BATCH]
    cdef double hi = 0, lo = 0
    cdef Py_ssize_t at, count
    for at in range(0, n, 4096):
        count = n - at if n - at < BATCH else BATCH
        exps_of_row(x + at, e, count, m, True)
        add(<const real *>e, count, ANY, &hi, &lo)
    return log1p_sum(less_scale(hi, m), less_scale(lo, m), low)


cdef inline double log_sum_wide(
    const real *x, Py_ssize_t n, double m, double *low
) noexcept nogil:
    """log(sum exp(x - max)) in double whatever ``real`` is."""
    cdef double block[BATCH]
    cdef double hi = 0, lo = 0
    cdef Py_ssize_t at, i, count
    for at in range(0, n, 4096):
        count = n - at if n - at < BATCH else BATCH
        for i in range(count):
            block[i] = x[at + i]
        exps_of_row(<const double *>block, block, count, m, False)
        add(<const double *>block, count, EXPONENTIALS, &hi, &lo)
    return log_of(hi, lo, low, m)


cdef inline double log_sum_pairs(
    const double *x, Py_ssize_t n, double m, double *low
) noexcept nogil:
    """log(sum exp(x - max)) and its low part to 2^-58: with low parts throughout."""
    cdef double e[BATCH]
    cdef double el[BATCH]
    cdef double d, t, hi = 0, lo = 0
    cdef Py_ssize_t at, i, count, equal = -1
    for at in range(0, n, 4096):
        count = n - at if n - at < BATCH else BATCH
        for i in range(count):
            d = x[at + i] - m
            t = sum_low(x[at + i], -m, d)
            exp_pair(clamp(d), t if d > -exp_top(d) else 0.0, &e[i], &el[i])
            e[i] = 0.0 if d == 0 else e[i]
            el[i] = 0.0 if d == 0 else el[i]
            equal += 1 if d == 0 else 0
        add(<const double *>e, count, ANY, &hi, &lo)
        for i in range(count):
            lo += el[i]
    hi = unscale(hi)
    t = equal + hi
    return log1p_sum(t, sum_low(equal, hi, t) + unscale(lo), low)


cdef struct LogSums:
    # of each row: log(sum exp(x - max)) and its low part
    double log[ROWS]
    double low[ROWS]


cdef inline void log_sums(
    const real *x, Py_ssize_t n, Py_ssize_t rows, real *top, LogSums *sums
) noexcept nogil:
    """Of batch(n) rows; and their maxima."""
    cdef real e[BATCH]
    cdef double hi[ROWS]
    cdef double lo[ROWS]
    cdef Py_ssize_t r
    exponentials(x, e, n, rows, False, top, hi, lo)
    for r in range(rows):
        sums.log[r] = log_of(hi[r], lo[r], &sums.low[r], top[r])
    for r in range(rows):
        if dominated(hi[r], top[r]):
            sums.log[r] = log_of_dominated(x + r * n, n, top[r], &sums.low[r])


cdef inline real rounded_sum(real m, double log, double low, real *rest) noexcept nogil:
    """m + log + low, and what is left of it."""
    cdef double lost
    cdef double sum = two_sum(m, log, &lost)
    cdef real hi = <real>sum
    rest[0] = <real>((sum - hi) + (lost + low)) if sum - sum == 0 else <real>0
    return hi


cdef inline void minus_sum(
    const real *x, real *y, Py_ssize_t n, real sum, real rest
) noexcept nogil:
    """x - (sum + rest), with what the first difference loses to rounding.

    That is exact (FastTwoSum, Dekker) for |x| up to the sum, and off by half an ulp
    of the result beyond.
    """
    cdef real d, e, least = -1e38
    cdef Py_ssize_t i
    for i in range(n):
        d = x[i] - sum
        e = x[i] - (d + sum)
        # -inf is NaN here, and to stay -inf
        e = e if e > least else least
        y[i] = d + (e - rest)


cdef inline double two_sum(double a, double b, double *low) noexcept nogil:
    """a + b, and what it loses to rounding (Knuth)."""
    cdef double s = a + b
    low[0] = sum_low(a, b, s)
    return s


cdef inline void log_softmax(
    const real *x, real *y, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    cdef real top[ROWS]
    cdef real rest[ROWS]
    cdef LogSums sums
    cdef Py_ssize_t r, count, step = batch(n)
    while rows > 0:
        count = step if step < rows else rows
        log_sums(x, n, count, top, &sums)
        for r in range(count):
            top[r] = rounded_sum(top[r], sums.log[r], sums.low[r], &rest[r])
        for r in range(count):
            minus_sum(x + r * n, y + r * n, n, top[r], rest[r])
        x += count * n
        y += count * n
        rows -= count


cdef inline void logsumexp(
    const real *x, real *y, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    """max + log.

    Where they nearly cancel, the error of the log is that of its exponentials: float
    rows take those in double then, double rows with their low parts.
    """
    cdef real top[ROWS]
    cdef LogSums sums
    cdef double low, lost, sum
    cdef Py_ssize_t r, count, step = batch(n)
    while rows > 0:
        count = step if step < rows else rows
        log_sums(x, n, count, top, &sums)
        for r in range(count):
            low = sums.low[r]
            sum = two_sum(top[r], sums.log[r], &lost)
            if fabs(sum) < 0.5 * sums.log[r]:
                if real is float:
                    sum = log_sum_wide(x + r * n, n, top[r], &low)
                else:
                    sum = log_sum_pairs(x + r * n, n, top[r], &low)
                sum = two_sum(top[r], sum, &lost)
            y[r] = <real>(sum + (low + lost) if sum - sum == 0 else sum)
        x += count * n
        y += count
        rows -= count


cdef inline void log_softmax_backward_from_output(
    const real *g, const real *y, real *gx, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    """g - exp(y) sum(g), half of the scale 2^K on the sum: it may be small too."""
    cdef double half = 8.881784197001252e-16 if real is float else 7.006492321624085e-46
    cdef real a, e, k, s, sum, low, magic
    cdef real floor = -reach(<real>0)
    cdef Py_ssize_t _, i
    magic = magic_of(floor) - (<real>50 if real is float else <real>150)
    for _ in range(rows):
        sum = parts(sum_of(g, n) * half, &low)
        for i in range(n):
            a = floor if y[i] < floor else y[i]
            a = reduce_at(a, a, magic, magic, &k, &s)
            if real is float:
                e = fma(s, expm1_reduced(minus_rest(k, a)), s)
            else:
                e = exp_of(s, a, minus_rest(k, <real>-0.0))
            gx[i] = fma(-e, low, fma(-e, sum, g[i]))
        g += n
        y += n
        gx += n


cdef inline void log_softmax_backward(
    const real *g, const real *x, real *gx, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    """g - softmax(x) sum(g): exp() of a rounded y is off by |y| / 2 ULP."""
    cdef real hi, lo
    cdef Py_ssize_t _, i, count, step = batch(n)
    while rows > 0:
        count = step if step < rows else rows
        softmax(x, gx, n, count)
        for _ in range(count):
            hi = parts(sum_of(g, n), &lo)
            for i in range(n):
                gx[i] = fma(-gx[i], lo, fma(-gx[i], hi, g[i]))
            g += n
            gx += n
        x += count * n
        rows -= count


cdef inline void logsumexp_backward(
    const real *g, const real *x, real *gx, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    """g softmax(x), g one number for a row."""
    cdef Py_ssize_t r, i, count, step = batch(n)
    while rows > 0:
        count = step if step < rows else rows
        softmax(x, gx, n, count)
        for r in range(count):
            for i in range(n):
                gx[i] = gx[i] * g[r]
            gx += n
        g += count
        x += count * n
        rows -= count
