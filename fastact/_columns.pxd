# cython: cdivision=True, boundscheck=False, wraparound=False
# The functions of _axis.pxd for columns: of x[i][c], along i.
#
# _front.pyx brings LANES columns at a time to where they lie side by side, a line of them
# after the other.  What there is to compute for a row by itself is an operation on lines
# here, which needs no tails and no sums across a register: loops over c, which compilers
# vectorise.  For AVX2 and AVX-512, _axis_columns.h has those that are to stay in registers
# from line to line (FA_BY_STEPS).
#
# The results are those of rows to the bit: the same operations, and sums in the same
# order, with LANES sums for a column; element i belongs to that of i % LANES.  Where a
# column needs more care (log_of_dominated() and such), it is read as a row that has its
# elements LANES apart.
#
# All of them work in place.
#
from fastact._axis cimport (
    BATCH, FA_BY_STEPS, HEAD, LANES, above_exps, centred_at, dominated, exp_at, gain,
    half_scale, heads, less, less_exp, log_of, log_of_dominated, parts, reciprocal,
    rounded_sum, scaled, step_heads, whole_of, whole_sum, with_log, without_sum,
)
from fastact._primitives cimport INFINITY, fma, real, sum_low

cdef extern from *:
    """
    #if FA_BY_STEPS
    #include "_axis_columns.h"
    #else
    /* never called */
    #define fa_column_max_f32(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_column_max_f64(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_column_exps_f32(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_column_exps_f64(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_column_sums_f32(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_column_sums_f64(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_column_less_exps_f32(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_column_less_exps_f64(...) fa_no_steps(0, __VA_ARGS__)
    #endif
    """
    void fa_column_max_f32(const float *, Py_ssize_t, float, float *) noexcept nogil
    void fa_column_max_f64(const double *, Py_ssize_t, double, double *) noexcept nogil
    void fa_column_exps_f32(
        float *, Py_ssize_t, const float *, bint, double *
    ) noexcept nogil
    void fa_column_exps_f64(
        double *, Py_ssize_t, const double *, bint, double, double *, double *
    ) noexcept nogil
    void fa_column_sums_f32(
        const float *, const float *, Py_ssize_t, double *
    ) noexcept nogil
    void fa_column_sums_f64(
        const double *, const double *, Py_ssize_t, double *, double *
    ) noexcept nogil
    void fa_column_less_exps_f32(
        const float *, float *, Py_ssize_t, const float *, const float *
    ) noexcept nogil
    void fa_column_less_exps_f64(
        const double *, double *, Py_ssize_t, const double *, const double *
    ) noexcept nogil

cdef extern from "_turn.h":
    void fa_to_columns_f32(const float *, Py_ssize_t, float *) noexcept nogil
    void fa_to_columns_f64(const double *, Py_ssize_t, double *) noexcept nogil
    void fa_to_rows_f32(const float *, Py_ssize_t, float *) noexcept nogil
    void fa_to_rows_f64(const double *, Py_ssize_t, double *) noexcept nogil

cdef enum:
    FEW = 28  # elements of rows that may be turned into columns

cdef inline bint pays(Py_ssize_t n, int operands) noexcept nogil:
    """Whether rows of n elements are better turned into columns: their tails take long."""
    if operands == 2:
        return n < 12 or LANES < n < FEW
    return n < 9


cdef struct Lanes:  # lines of sums, and what they lost
    double sum[LANES * LANES]
    double low[LANES * LANES]

cdef struct Sums:  # of each column
    double hi[LANES]
    double lo[LANES]


# --- reductions ---------------------------------------------------------------

cdef inline void fill(double *x, Py_ssize_t lines, double value) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(lines * LANES):
        x[i] = value


cdef inline void clear(Sums *sums) noexcept nogil:
    fill(sums.hi, 1, 0)
    fill(sums.lo, 1, 0)


cdef inline void add_lines(
    double *sum, double *low, const double *more, const double *more_low,
    Py_ssize_t lines, real kind
) noexcept nogil:
    """Of double columns with what that loses (TwoSum, Knuth)."""
    cdef Py_ssize_t i
    cdef double s
    for i in range(lines * LANES):
        s = sum[i] + more[i]
        if real is double:
            low[i] += more_low[i] + sum_low(sum[i], more[i], s)
        sum[i] = s


cdef inline void fold(
    double *sum, double *low, Py_ssize_t count, double start, Sums *sums, real kind
) noexcept nogil:
    """``count`` lanes, which began with ``start``, added to the sums."""
    cdef Py_ssize_t half = LANES / 2, c
    while half > 0:
        if count > half:
            add_lines(
                sum, low, sum + half * LANES, low + half * LANES, count - half, kind
            )
            count = half
        half = half / 2
    for c in range(LANES):
        sum[c] -= start
    add_lines(sums.hi, sums.lo, sum, low, 1, kind)


cdef inline void add_line(
    const real *g, const real *y, const real *more_g, const real *more_y,
    double *sum, double *low
) noexcept nogil:
    """g y + more_g more_y, or without y g + more_g; without more_g only the first."""
    cdef double term[LANES]
    cdef double nothing[LANES]
    cdef real t
    cdef Py_ssize_t c
    for c in range(LANES):
        t = g[c] if y == NULL else g[c] * y[c]
        if more_g != NULL:
            t = t + more_g[c] if y == NULL else fma(more_g[c], more_y[c], t)
        term[c] = t
        nothing[c] = 0
    add_lines(sum, low, term, nothing, 1, g[0])


cdef inline void gradient_sums(
    const real *g, const real *y, Py_ssize_t n, Sums *sums
) noexcept nogil:
    """sum(g y), with the pairs that rows have (see fa_dot_f32()); without y, sum(g)."""
    cdef Lanes lanes
    cdef const real *none = NULL
    cdef const real *y1 = NULL
    cdef const real *y2 = NULL
    cdef Py_ssize_t i, j, count = n if n < LANES else LANES, pairs = 0
    clear(sums)
    if FA_BY_STEPS:
        if real is float:
            fa_column_sums_f32(g, y, n, sums.hi)
        else:
            fa_column_sums_f64(g, y, n, sums.hi, sums.lo)
        return
    if n > LANES and real is float:
        pairs = whole_of(n) & -32
    fill(lanes.sum, count, 0)
    fill(lanes.low, count, 0)
    for i in range(n):
        if y != NULL:
            y1, y2 = y + i * LANES, y + (i + LANES) * LANES
        j = i % LANES * LANES
        if i >= pairs:
            add_line(g + i * LANES, y1, none, none, lanes.sum + j, lanes.low + j)
        elif (i & LANES) == 0:
            add_line(
                g + i * LANES, y1, g + (i + LANES) * LANES, y2, lanes.sum + j,
                lanes.low + j,
            )
    fold(lanes.sum, lanes.low, count, 0, sums, g[0])


cdef inline void maxima(const real *x, Py_ssize_t n, real *top) noexcept nogil:
    cdef Py_ssize_t i, c
    if FA_BY_STEPS:
        if real is float:
            fa_column_max_f32(x, n, -INFINITY, top)
        else:
            fa_column_max_f64(x, n, -INFINITY, top)
        return
    for c in range(LANES):
        top[c] = -INFINITY
    for i in range(n):
        for c in range(LANES):
            top[c] = x[i * LANES + c] if x[i * LANES + c] > top[c] else top[c]


cdef inline void exponentials(
    real *x, Py_ssize_t n, bint exactly, const real *top, Sums *sums
) noexcept nogil:
    """Those of _axis.pxd.  Exactly they replace x, else it stays."""
    cdef Lanes lanes
    cdef real head[HEAD * LANES]
    cdef real line[LANES]
    cdef real rest
    cdef double start = 0 if real is float else above_exps(<real>0)
    cdef Py_ssize_t at, stop, i, j, c, count
    clear(sums)
    if FA_BY_STEPS:
        step_heads(top, LANES, exactly, head, LANES)
        if real is float:
            fa_column_exps_f32(x, n, head, exactly, sums.hi)
        else:
            fa_column_exps_f64(x, n, head, exactly, start, sums.hi, sums.lo)
        return
    heads(top, LANES, exactly, head, LANES)
    for at in range(0, n, 4096):
        stop = n if n - at < BATCH else at + BATCH
        count = stop - at if stop - at < LANES else LANES
        fill(lanes.sum, count, start)
        fill(lanes.low, count, 0)
        for i in range(at, stop):
            j = (i - at) % LANES * LANES
            for c in range(LANES):
                line[c] = exp_at(
                    x[i * LANES + c], <const real *>head + c, LANES, exactly, &rest
                )
                if exactly:
                    x[i * LANES + c] = line[c]
                    lanes.low[j + c] += rest
            add_exps(<const real *>line, lanes.sum + j, lanes.low + j)
        fold(lanes.sum, lanes.low, count, count * start, sums, top[0])
        if exactly and real is float:
            fold(lanes.low, lanes.low, count, 0, sums, top[0])


cdef inline void add_exps(const real *e, double *sum, double *low) noexcept nogil:
    """(At most what the sum began with: a FastTwoSum, Dekker.)"""
    cdef Py_ssize_t c
    cdef double s
    for c in range(LANES):
        s = sum[c] + e[c]
        if real is double:
            low[c] += e[c] - (s - sum[c])
        sum[c] = s


# --- softmax ------------------------------------------------------------------

cdef inline void softmax(real *x, Py_ssize_t n) noexcept nogil:
    softmax_times(<const real *>NULL, x, n)


cdef inline void softmax_times(const real *g, real *x, Py_ssize_t n) noexcept nogil:
    cdef real top[LANES]
    cdef real factor[LANES]
    cdef real low[LANES]
    cdef Sums sums
    cdef Py_ssize_t i, c
    cdef real left[LANES]
    cdef bint every = True
    maxima(<const real *>x, n, top)
    exponentials(x, n, True, <const real *>top, &sums)
    for c in range(LANES):
        factor[c] = reciprocal(sums.hi[c], sums.lo[c], &low[c])
    if g != NULL:
        for c in range(LANES):
            left[c] = gain(g[c], &factor[c], &low[c])
            every = every and left[c] == 1
    for i in range(n):
        for c in range(LANES):
            x[i * LANES + c] = scaled(x[i * LANES + c], factor[c], low[c])
    if not every:
        for i in range(n):
            for c in range(LANES):
                x[i * LANES + c] *= left[c]


cdef inline void softmax_backward_from_output(
    const real *g, real *y, Py_ssize_t n
) noexcept nogil:
    cdef real dot[LANES]
    cdef real low[LANES]
    cdef Sums sums
    cdef Py_ssize_t i, j, c
    gradient_sums(g, <const real *>y, n, &sums)
    for c in range(LANES):
        dot[c] = parts(whole_sum(sums.hi[c], sums.lo[c]), &low[c])
    for i in range(n):
        for c in range(LANES):
            j = i * LANES + c
            y[j] = centred_at(g[j], y[j], dot[c], low[c])


cdef inline void softmax_backward(const real *g, real *x, Py_ssize_t n) noexcept nogil:
    softmax(x, n)
    softmax_backward_from_output(g, x, n)


# --- log_softmax, logsumexp ----------------------------------------------------

cdef inline void log_sums(real *x, Py_ssize_t n, real *top, Sums *logs) noexcept nogil:
    """Of each column log(sum exp(x - max)) and its low part, and the maximum."""
    cdef Sums sums
    cdef Py_ssize_t c
    maxima(<const real *>x, n, top)
    exponentials(x, n, False, <const real *>top, &sums)
    for c in range(LANES):
        logs.hi[c] = log_of(sums.hi[c], sums.lo[c], &logs.lo[c], top[c])
    for c in range(LANES):
        if dominated(sums.hi[c], top[c]):
            logs.hi[c] = log_of_dominated(
                <const real *>x + c, n, LANES, top[c], &logs.lo[c]
            )


cdef inline void log_softmax(real *x, Py_ssize_t n) noexcept nogil:
    cdef real top[LANES]
    cdef real rest[LANES]
    cdef Sums logs
    cdef Py_ssize_t i, c
    log_sums(x, n, top, &logs)
    for c in range(LANES):
        top[c] = rounded_sum(top[c], logs.hi[c], logs.lo[c], &rest[c])
    for i in range(n):
        for c in range(LANES):
            x[i * LANES + c] = without_sum(x[i * LANES + c], top[c], rest[c])


cdef inline void logsumexp(real *x, real *y, Py_ssize_t n) noexcept nogil:
    cdef real top[LANES]
    cdef Sums logs
    cdef Py_ssize_t c
    log_sums(x, n, top, &logs)
    for c in range(LANES):
        y[c] = with_log(<const real *>x + c, n, LANES, top[c], logs.hi[c], logs.lo[c])


cdef inline void scaled_sums(
    const real *g, Py_ssize_t n, double scale, real *sum, real *low
) noexcept nogil:
    """gradient_sums() of _axis.pxd."""
    cdef Sums sums
    cdef Py_ssize_t c
    gradient_sums(g, <const real *>NULL, n, &sums)
    for c in range(LANES):
        sum[c] = parts(whole_sum(sums.hi[c], sums.lo[c]) * scale, &low[c])


cdef inline void log_softmax_backward_from_output(
    const real *g, real *y, Py_ssize_t n
) noexcept nogil:
    cdef real sum[LANES]
    cdef real low[LANES]
    cdef Py_ssize_t i, j, c
    scaled_sums(g, n, half_scale(g[0]), sum, low)
    if FA_BY_STEPS:
        if real is float:
            fa_column_less_exps_f32(g, y, n, sum, low)
        else:
            fa_column_less_exps_f64(g, y, n, sum, low)
        return
    for i in range(n):
        for c in range(LANES):
            j = i * LANES + c
            y[j] = less_exp(g[j], y[j], sum[c], low[c])


cdef inline void log_softmax_backward(const real *g, real *x, Py_ssize_t n) noexcept nogil:
    cdef real sum[LANES]
    cdef real low[LANES]
    cdef Py_ssize_t i, j, c
    softmax(x, n)
    scaled_sums(g, n, 1.0, sum, low)
    for i in range(n):
        for c in range(LANES):
            j = i * LANES + c
            x[j] = less(g[j], x[j], sum[c], low[c])


cdef inline void logsumexp_backward(const real *g, real *x, Py_ssize_t n) noexcept nogil:
    softmax_times(g, x, n)
