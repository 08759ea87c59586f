# cython: cdivision=True, boundscheck=False, wraparound=False
# Functions of a whole row: softmax, log_softmax, logsumexp and their gradients.
#
# Rows are contiguous here, one after the other; _front.pyx brings them there, batch() of
# them at once, and a function takes at_once() of these from step to step: what there is
# to compute for a row as a whole runs over the rows in one loop, and a row of a few
# elements, which is a long chain of dependent operations, need not wait for itself.
#
# The steps of AVX2 and AVX-512 are those of _axis_rows.h, in vectors by name, and take as
# many rows as their registers like (FA_BY_STEPS).
#
# Vector code takes multiples of LANES elements: the `whole` of a row.  What is left, or
# all of a row of at most LANES, is its tail.  Tails are copied, filled up, so that they
# stand one after the other in LANES elements each (rows of LANES do so already), and go
# through the same steps there.  For short rows each function is compiled a second time,
# with whole = 0: there is nothing but tails in that.
#
# Sums run in double over 16 lanes, so that they vectorise without reassociation by
# the compiler and do not depend on anything but the row.  For double they are
# compensated: a plain sum of 100,000 equal terms is off by 700 ULP.
#
# The largest errors found stand in _bounds.py, with their rows.  Those from an output,
# in ULP of the largest term (by search among rows of normal numbers), float32 and double:
#   softmax.backward_from_output      3.13 | 2.99
#   log_softmax.backward_from_output  2.31 | 2.18
#
from libc.string cimport memcpy, memset

from fastact._primitives cimport (
    INFINITY, clamp, exp_of, exp_pair, exp_top, expm1_reduced, fa_exponent, fa_pow2_f64,
    fabs, fma, log1p_sum, magic_of, minus_rest, product_plus, real, reduce_at, rescale,
    sum_low, two_prod_low, unscale,
)
from fastact._wide_primitives cimport log1p_scaled as wide_log1p

cdef extern from "<math.h>":
    const float NAN

cdef extern from "_exact_sum.h":
    ctypedef struct fa_fixed:
        pass
    void fa_fixed_add_exp(fa_fixed *sum, double x) noexcept nogil
    double fa_fixed_less_1(fa_fixed sum, double *low) noexcept nogil

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define FA_KEEP_LOOP _Pragma("GCC unroll 1")
    #else
    #define FA_KEEP_LOOP
    #endif

    /* 16, of which the compiler knows only that it is not 0: for loops that cannot have an
       FA_KEEP_LOOP. */
    static inline ptrdiff_t fa_lanes(void) {
        ptrdiff_t n = 16;
    #if defined(__GNUC__)
        __asm__("" : "+r"(n));
        if (n < 16) __builtin_unreachable();
    #endif
        return n;
    }

    #define FA_EACH for (int j = 0; j < 16; j++)
    #define FA_TAILS(T, S) \\
    /* n < 16 elements, filled up (the others are not read) */ \\
    static inline void fa_load_##S(const T *x, ptrdiff_t n, T fill, T *tail) { \\
        FA_KEEP_LOOP \\
        FA_EACH { tail[j] = j < n ? x[j] : fill; } \\
    } \\
    static inline void fa_store_##S(const T *tail, ptrdiff_t n, T *x) { \\
        if (n & 8) { memcpy(x, tail, 8 * sizeof(T)); x += 8; tail += 8; } \\
        if (n & 4) { memcpy(x, tail, 4 * sizeof(T)); x += 4; tail += 4; } \\
        if (n & 2) { memcpy(x, tail, 2 * sizeof(T)); x += 2; tail += 2; } \\
        if (n & 1) { *x = *tail; } \\
    }
    #if !defined(__AVX512F__)
    FA_TAILS(float, f32)
    FA_TAILS(double, f64)
    #endif

    /* Short rows go so many together: what is computed of each row as a whole (heads,
       logarithms) is a long chain of operations, which then run side by side. */
    #define FA_ROWS_AT_ONCE 32
    #if defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__))
    #define FA_BY_STEPS 1
    #include "_axis_rows.h"
    #else
    #define FA_BY_STEPS 0
    #endif

    /* The rows for which that is computed: up to a multiple of 8, likewise. */
    static inline ptrdiff_t fa_rows(ptrdiff_t n) {
        n += 7;
    #if defined(__GNUC__)
        __asm__("" : "+r"(n));
        if (n < 8) __builtin_unreachable();
    #endif
        return n & -8;
    }

    #if !FA_BY_STEPS
    /* Reductions over n elements of a row, n a multiple of 16, and its tail if ``more``, on
       16 lanes.  They give four lanes, the rest is for all rows.  An inner loop that the
       compiler unrolls first is not vectorised: hence FA_KEEP_LOOP. */
    #define FA_MAX(a, b) a = b > a ? b : a
    #define FA_MAX_FOLD(lane, from) \\
        FA_KEEP_LOOP \\
        for (int j = 0; j < from; j++) { FA_MAX(lane[j], lane[j + from]); }

    #define FA_ROWS(T, S) \\
    /* the maximum; NaN is skipped (the exponentials bring it back) */ \\
    static inline void fa_max_##S( \\
        const T *x, ptrdiff_t n, const T *tail, int more, T start, T *four \\
    ) { \\
        T lane[16]; \\
        FA_KEEP_LOOP \\
        FA_EACH { lane[j] = start; } \\
        for (ptrdiff_t i = 0; i < n; i += 16) { \\
            FA_KEEP_LOOP \\
            FA_EACH { FA_MAX(lane[j], x[i + j]); } \\
        } \\
        if (more) { \\
            FA_KEEP_LOOP \\
            FA_EACH { FA_MAX(lane[j], tail[j]); } \\
        } \\
        FA_MAX_FOLD(lane, 8) \\
        FA_MAX_FOLD(lane, 4) \\
        memcpy(four, lane, 4 * sizeof lane[0]); \\
    } \\
    /* the maxima of fa_rows(rows) from four lanes each */ \\
    static inline void fa_max_of_four_##S(const T *four, ptrdiff_t rows, T *top) { \\
        for (ptrdiff_t r = 0; r < rows; r++, four += 4) { \\
            T a = four[2] > four[0] ? four[2] : four[0]; \\
            T b = four[3] > four[1] ? four[3] : four[1]; \\
            top[r] = b > a ? b : a; \\
        } \\
    }
    FA_ROWS(float, f32)
    FA_ROWS(double, f64)

    /* 16 lanes of double as vectors, by name: as loops over arrays they would stay in
       memory, which short rows have no time for. */
    #if !defined(__GNUC__)
    #define FA_WIDE 1
    typedef double fa_part;
    typedef float fa_floats;
    #define FA_WIDEN(x) ((double)(x))
    #else
    #define FA_WIDE 2
    typedef double fa_part __attribute__((vector_size(8 * FA_WIDE), aligned(8), may_alias));
    typedef float fa_floats
        __attribute__((vector_size(4 * FA_WIDE), aligned(4), may_alias));
    #define FA_WIDEN(x) __builtin_convertvector(x, fa_part)
    #endif
    enum { FA_PARTS = 16 / FA_WIDE };
    #if defined(__GNUC__)
    #define FA_EACH_OF(count) _Pragma("GCC unroll 16") for (int k = 0; k < count; k++)
    #else
    #define FA_EACH_OF(count) for (int k = 0; k < count; k++)
    #endif
    #define FA_PART(x) (*(const fa_part *)((x) + k * FA_WIDE))
    #define FA_FLOATS(x) (*(const fa_floats *)((x) + k * FA_WIDE))
    #define FA_SUM_TO_FOUR \\
        FA_EACH_OF(FA_PARTS / 2) { lane[k] += lane[k + FA_PARTS / 2]; } \\
        FA_EACH_OF(FA_PARTS / 4) { lane[k] += lane[k + FA_PARTS / 4]; } \\
        memcpy(four, lane, 32);

    static inline void fa_sum_f32(
        const float *x, ptrdiff_t n, const float *tail, int more, double *four
    ) {
        fa_part lane[FA_PARTS];
        const fa_part none = {0};
        FA_EACH_OF(FA_PARTS) { lane[k] = none; }
        for (ptrdiff_t i = 0; i < n; i += 16) {
            FA_EACH_OF(FA_PARTS) { lane[k] += FA_WIDEN(FA_FLOATS(x + i)); }
        }
        if (more) FA_EACH_OF(FA_PARTS) { lane[k] += FA_WIDEN(FA_FLOATS(tail)); }
        FA_SUM_TO_FOUR
    }
    /* For gradients, terms are added in pairs first, in float: the conversions are what
       takes time, and this costs half an ulp of the size of the terms. */
    #define FA_PAIRS(one, two, last) \\
        fa_part lane[FA_PARTS]; \\
        const fa_part none = {0}; \\
        FA_EACH_OF(FA_PARTS) { lane[k] = none; } \\
        if (n) { \\
            double sum[16]; \\
            ptrdiff_t i = 0; \\
            FA_KEEP_LOOP \\
            FA_EACH { sum[j] = 0; } \\
            for (; i < (n & -32); i += 32) { \\
                FA_KEEP_LOOP \\
                FA_EACH { sum[j] += two; } \\
            } \\
            if (i < n) { \\
                FA_KEEP_LOOP \\
                FA_EACH { sum[j] += one; } \\
            } \\
            FA_EACH_OF(FA_PARTS) { lane[k] = FA_PART(sum); } \\
        } \\
        if (more) FA_EACH_OF(FA_PARTS) { lane[k] += FA_WIDEN(last); } \\
        FA_SUM_TO_FOUR
    static inline void fa_sum_pairs_f32(
        const float *x, ptrdiff_t n, const float *tail, int more, double *four
    ) {
        FA_PAIRS(x[i + j], x[i + j] + x[i + j + 16], FA_FLOATS(tail))
    }
    static inline void fa_dot_f32(
        const float *g, const float *y, ptrdiff_t n, const float *tail,
        const float *y_tail, int more, float *gx, double *four
    ) {
        (void)gx;
        FA_PAIRS(
            g[i + j] * y[i + j],
            fa_fmaf(g[i + j + 16], y[i + j + 16], g[i + j] * y[i + j]),
            FA_FLOATS(tail) * FA_FLOATS(y_tail)
        )
    }

    /* The same for double rows, and what the sums lost to rounding: four and four_low, each
       of four lanes. */
    /* What a + x, s, loses: Knuth's TwoSum. */
    #define FA_SUM_LOW(a, x, s, t) ((a - (s - t)) + (x - t))
    /* b added to a, of type T, and what that loses, after what b lost, to low. */
    #define FA_ADD_TERM(T, a, low, b, b_low_and) \\
        { \\
            T fa_a = a, fa_b = b, fa_s = fa_a + fa_b, fa_t = fa_s - fa_a; \\
            low += b_low_and FA_SUM_LOW(fa_a, fa_b, fa_s, fa_t); \\
            a = fa_s; \\
        }
    #define FA_TERM(x) FA_EACH_OF(FA_PARTS) FA_ADD_TERM(fa_part, lane[k], low[k], x, )
    /* x is at most start, which makes the shorter FastTwoSum (Dekker) exact.  Terms
       that are small before all of start are summed in lo alone. */
    #define FA_NEAR(x) \\
        FA_EACH_OF(FA_PARTS) { \\
            fa_part b = x, a = lane[k], s = a + b; \\
            low[k] += b - (s - a); \\
            lane[k] = s; \\
        }
    #define FA_HALF(n) \\
        FA_EACH_OF(n) FA_ADD_TERM(fa_part, lane[k], low[k], lane[k + n], low[k + n] +)
    #define FA_TO_FOUR \\
        FA_HALF(FA_PARTS / 2) \\
        FA_HALF(FA_PARTS / 4) \\
        memcpy(four, lane, 32); \\
        memcpy(four_low, low, 32);
    #define FA_TERMS(start, term, x, last) \\
        fa_part lane[FA_PARTS], low[FA_PARTS]; \\
        const fa_part none = {0}; \\
        FA_EACH_OF(FA_PARTS) { lane[k] = none + start; low[k] = none; } \\
        for (ptrdiff_t i = 0; i < n; i += 16) { term(x) } \\
        if (more) { term(last) } \\
        FA_TO_FOUR
    static inline void fa_sum_near_f64(
        const double *x, ptrdiff_t n, const double *tail, int more, double start,
        double *four, double *four_low
    ) {
        FA_TERMS(start, FA_NEAR, FA_PART(x + i), FA_PART(tail))
    }
    static inline void fa_sum_f64(
        const double *x, ptrdiff_t n, const double *tail, int more,
        double *four, double *four_low
    ) {
        FA_TERMS(0, FA_TERM, FA_PART(x + i), FA_PART(tail))
    }
    static inline void fa_dot_f64(
        const double *g, const double *y, ptrdiff_t n, const double *tail,
        const double *y_tail, int more, double *gx, double *four, double *four_low
    ) {
        (void)gx;
        FA_TERMS(
            0, FA_TERM, FA_PART(g + i) * FA_PART(y + i), FA_PART(tail) * FA_PART(y_tail)
        )
    }
    /* The four lanes of each row, less what the lanes began with, added to hi and lo. */
    static inline void fa_add_four_f64(
        double *four, double *low, ptrdiff_t rows, double start, double *hi, double *lo
    ) {
        for (ptrdiff_t r = 0; r < rows; r++, four += 4, low += 4) {
            FA_ADD_TERM(double, four[0], low[0], four[2], low[2] +)
            FA_ADD_TERM(double, four[1], low[1], four[3], low[3] +)
            FA_ADD_TERM(double, four[0], low[0], four[1], low[1] +)
            FA_ADD_TERM(double, hi[r], lo[r], (four[0] - 16 * start), low[0] +)
        }
    }
    static inline void fa_add_four_f32(
        const double *four, ptrdiff_t rows, double *hi
    ) {
        for (ptrdiff_t r = 0; r < rows; r++, four += 4) {
            hi[r] += (four[0] + four[2]) + (four[1] + four[3]);
        }
    }
    /* never called */
    static inline void fa_no_steps(int none, ...) { (void)none; }
    #define fa_sum_pairs_f64 fa_sum_f64
    #define fa_short_exps_f32(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_short_exps_f64(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_heads_f32(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_heads_f64(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_exps_f32(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_exps_f64(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_scale_f32(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_scale_f64(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_centred_f32(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_centred_f64(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_less_exps_f32(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_less_exps_f64(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_minus_sum_f32(...) fa_no_steps(0, __VA_ARGS__)
    #define fa_minus_sum_f64(...) fa_no_steps(0, __VA_ARGS__)
    #endif
    """
    const bint FA_BY_STEPS
    enum:
        ROWS "FA_ROWS_AT_ONCE"
    Py_ssize_t fa_lanes() noexcept nogil
    Py_ssize_t fa_rows(Py_ssize_t) noexcept nogil
    void fa_max_of_four_f32(const float *, Py_ssize_t, float *) noexcept nogil
    void fa_max_of_four_f64(const double *, Py_ssize_t, double *) noexcept nogil
    void fa_max_f32(
        const float *, Py_ssize_t, const float *, bint, float, float *
    ) noexcept nogil
    void fa_max_f64(
        const double *, Py_ssize_t, const double *, bint, double, double *
    ) noexcept nogil
    void fa_load_f32(const float *, Py_ssize_t, float, float *) noexcept nogil
    void fa_load_f64(const double *, Py_ssize_t, double, double *) noexcept nogil
    void fa_store_f32(const float *, Py_ssize_t, float *) noexcept nogil
    void fa_store_f64(const double *, Py_ssize_t, double *) noexcept nogil
    void fa_sum_f32(
        const float *, Py_ssize_t, const float *, bint, double *
    ) noexcept nogil
    void fa_sum_pairs_f32(
        const float *, Py_ssize_t, const float *, bint, double *
    ) noexcept nogil
    void fa_dot_f32(
        const float *, const float *, Py_ssize_t, const float *, const float *, bint,
        float *, double *
    ) noexcept nogil
    void fa_sum_near_f64(
        const double *, Py_ssize_t, const double *, bint, double, double *, double *
    ) noexcept nogil
    void fa_sum_f64(
        const double *, Py_ssize_t, const double *, bint, double *, double *
    ) noexcept nogil
    void fa_sum_pairs_f64(
        const double *, Py_ssize_t, const double *, bint, double *, double *
    ) noexcept nogil
    void fa_dot_f64(
        const double *, const double *, Py_ssize_t, const double *, const double *, bint,
        double *, double *, double *
    ) noexcept nogil
    void fa_add_four_f32(const double *, Py_ssize_t, double *) noexcept nogil
    void fa_add_four_f64(
        double *, double *, Py_ssize_t, double, double *, double *
    ) noexcept nogil
    # with FA_BY_STEPS only
    void fa_heads_f32(float *, Py_ssize_t, Py_ssize_t, bint) noexcept nogil
    void fa_heads_f64(double *, Py_ssize_t, Py_ssize_t, bint) noexcept nogil
    void fa_exps_f32(
        const float *, float *, Py_ssize_t, const float *, float *, bint, const float *,
        Py_ssize_t, bint, double *
    ) noexcept nogil
    void fa_short_exps_f32(
        const float *, float *, const float *, Py_ssize_t, bint, double *
    ) noexcept nogil
    void fa_short_exps_f64(
        const double *, double *, const double *, Py_ssize_t, bint, double, double *,
        double *
    ) noexcept nogil
    void fa_exps_f64(
        const double *, double *, Py_ssize_t, const double *, double *, bint,
        const double *, Py_ssize_t, bint, double, double *, double *
    ) noexcept nogil
    void fa_scale_f32(const float *, float *, Py_ssize_t, float, float) noexcept nogil
    void fa_scale_f64(
        const double *, double *, Py_ssize_t, double, double
    ) noexcept nogil
    void fa_centred_f32(
        const float *, const float *, float *, Py_ssize_t, float, float
    ) noexcept nogil
    void fa_centred_f64(
        const double *, const double *, double *, Py_ssize_t, double, double
    ) noexcept nogil
    void fa_less_exps_f32(
        const float *, const float *, float *, Py_ssize_t, float, float, Py_ssize_t
    ) noexcept nogil
    void fa_less_exps_f64(
        const double *, const double *, double *, Py_ssize_t, double, double, Py_ssize_t
    ) noexcept nogil
    void fa_minus_sum_f32(
        const float *, float *, Py_ssize_t, float, float
    ) noexcept nogil
    void fa_minus_sum_f64(
        const double *, double *, Py_ssize_t, double, double
    ) noexcept nogil

cdef enum:
    LANES = 16
    BATCH = 4096  # (Cython takes a step as a literal only)

cdef enum Kind:  # of terms of a sum
    ANY
    EXPONENTIALS  # at most 2^K, and their sum is not small beside it
    GRADIENT


cdef inline Py_ssize_t batch(Py_ssize_t n) noexcept nogil:
    """How many rows of n elements a call gets."""
    cdef Py_ssize_t rows = BATCH / n if n < BATCH else 1
    return rows & -LANES if rows > LANES else rows


cdef inline Py_ssize_t at_once(Py_ssize_t n, Py_ssize_t rows) noexcept nogil:
    """... and how many of ``rows`` go from step to step."""
    cdef Py_ssize_t most = BATCH / 2 if FA_BY_STEPS else BATCH
    most = most / n if n < most else 1
    most = most if most < ROWS else ROWS
    return rows if rows < most else most


cdef inline Py_ssize_t ahead(Py_ssize_t n, Py_ssize_t rows) noexcept nogil:
    """How far ahead to fetch: the next rows, or what comes in a long one."""
    return n * rows if n * rows <= BATCH else 1024


# --- tails --------------------------------------------------------------------

cdef inline Py_ssize_t lanes() noexcept nogil:
    """LANES, for a loop."""
    return LANES if FA_BY_STEPS else fa_lanes()


cdef inline Py_ssize_t whole_of(Py_ssize_t n) noexcept nogil:
    return n & -LANES if n > LANES else 0


cdef inline bint has_tail(Py_ssize_t n, Py_ssize_t whole) noexcept nogil:
    return whole == 0 or whole < n


cdef inline const real *tails(
    const real *x, Py_ssize_t n, Py_ssize_t rows, Py_ssize_t whole, real fill,
    real *buffer
) noexcept nogil:
    """The tails of x, in the buffer if they do not stand there already."""
    cdef Py_ssize_t r
    if n == LANES:
        return x
    for r in range(rows):
        if real is float:
            fa_load_f32(x + r * n + whole, n - whole, fill, buffer + r * LANES)
        else:
            fa_load_f64(x + r * n + whole, n - whole, fill, buffer + r * LANES)
    return buffer


cdef inline void store_tails(
    const real *tail, Py_ssize_t n, Py_ssize_t rows, Py_ssize_t whole, real *y
) noexcept nogil:
    """(Those of short rows all at once: the next row makes good what is too much.)"""
    cdef Py_ssize_t r
    if tail == y:
        return
    for r in range(rows):
        if whole == 0 and r * n + LANES <= rows * n:
            memcpy(y + r * n, tail + r * LANES, LANES * sizeof(real))
        elif real is float:
            fa_store_f32(tail + r * LANES, n - whole, y + r * n + whole)
        else:
            fa_store_f64(tail + r * LANES, n - whole, y + r * n + whole)


# --- reductions -------------------------------------------------------------
#
# Of rows that begin n elements apart, over `count` of each, a multiple of LANES, and
# their tails if ``more``.

cdef inline double above_exps(real kind) noexcept nogil:
    """More than an exponential of exps(), which is up to 2^K sqrt 2."""
    return 2 * rescale(<real>1)


cdef inline void none(real *of, int each, Py_ssize_t rows) noexcept nogil:
    """0 for the rows that are not there."""
    cdef Py_ssize_t r
    for r in range(each * rows, each * fa_rows(rows)):
        of[r] = 0


cdef inline void one_row(real x, real *of) noexcept nogil:
    of[0] = x
    none(of, 1, 1)


cdef inline void maxima(
    const real *x, Py_ssize_t n, Py_ssize_t rows, Py_ssize_t count, const real *tail,
    bint more, real *top
) noexcept nogil:
    cdef real four[4 * ROWS]
    cdef Py_ssize_t r
    none(four, 4, rows)
    for r in range(rows):
        if real is float:
            fa_max_f32(x + r * n, count, tail, more, -INFINITY, four + 4 * r)
        else:
            fa_max_f64(x + r * n, count, tail, more, -INFINITY, four + 4 * r)
        tail += LANES if more else 0
    if real is float:
        fa_max_of_four_f32(four, fa_rows(rows), top)
    else:
        fa_max_of_four_f64(four, fa_rows(rows), top)


cdef inline void sums(
    const real *x, Py_ssize_t n, Py_ssize_t rows, Py_ssize_t count, const real *tail,
    bint more, Kind kind, double *hi, double *lo
) noexcept nogil:
    """The sums of the elements, added to hi + lo."""
    cdef double four[4 * ROWS]
    cdef double low[4 * ROWS]
    cdef double start = above_exps(<real>0) if kind == EXPONENTIALS else 0
    cdef Py_ssize_t r
    none(four, 4, rows)
    none(low, 4, rows)
    for r in range(rows):
        if real is float:
            if kind == GRADIENT:
                fa_sum_pairs_f32(x + r * n, count, tail, more, four + 4 * r)
            else:
                fa_sum_f32(x + r * n, count, tail, more, four + 4 * r)
        elif kind == EXPONENTIALS:
            fa_sum_near_f64(
                x + r * n, count, tail, more, start, four + 4 * r, low + 4 * r
            )
        elif kind == GRADIENT:
            fa_sum_pairs_f64(x + r * n, count, tail, more, four + 4 * r, low + 4 * r)
        else:
            fa_sum_f64(x + r * n, count, tail, more, four + 4 * r, low + 4 * r)
        tail += LANES if more else 0
    if real is float:
        fa_add_four_f32(four, fa_rows(rows), hi)
    else:
        fa_add_four_f64(four, low, fa_rows(rows), start, hi, lo)


cdef inline void dots(
    const real *g, const real *y, Py_ssize_t n, Py_ssize_t rows, Py_ssize_t count,
    const real *tail, const real *y_tail, bint more, real *gx,
    double *hi, double *lo
) noexcept nogil:
    """Those of g y; gx is where something is to be written then."""
    cdef double four[4 * ROWS]
    cdef double low[4 * ROWS]
    cdef real *to
    cdef Py_ssize_t r
    none(four, 4, rows)
    none(low, 4, rows)
    for r in range(rows):
        to = gx + r * n if n <= BATCH else NULL
        if real is float:
            fa_dot_f32(
                g + r * n, y + r * n, count, tail, y_tail, more, to, four + 4 * r
            )
        else:
            fa_dot_f64(
                g + r * n, y + r * n, count, tail, y_tail, more, to,
                four + 4 * r, low + 4 * r,
            )
        tail += LANES if more else 0
        y_tail += LANES if more else 0
    if real is float:
        fa_add_four_f32(four, fa_rows(rows), hi)
    else:
        fa_add_four_f64(four, low, fa_rows(rows), 0, hi, lo)


cdef inline void clear(double *hi, double *lo, Py_ssize_t rows) noexcept nogil:
    cdef Py_ssize_t r
    for r in range(fa_rows(rows)):
        hi[r] = 0
        lo[r] = 0


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


cdef enum:  # what exps() knows of rows: so many arrays of ROWS
    HEAD = 6

cdef inline void bases(
    const real *top, Py_ssize_t rows, real *head, Py_ssize_t apart
) noexcept nogil:
    """What is known of rows with the maxima ``top`` first: the base, the maximum m of what
    is left, the least argument.  The arrays are ``apart`` elements apart.
    """
    cdef Py_ssize_t r
    for r in range(rows):
        head[r] = base_of(top[r])
        head[apart + r] = top[r] if head[r] == 0 else <real>0
        head[2 * apart + r] = head[apart + r] - reach(top[r])


cdef inline void heads(
    const real *top, Py_ssize_t rows, bint exactly, real *head, Py_ssize_t apart
) noexcept nogil:
    """That, and with m = N ln2 + c the two parts of c (0 for exps() exactly), and what is
    to be taken from a sum with magic_of() to have n - N.
    """
    cdef real m, c, k, s, magic
    cdef Py_ssize_t r
    bases(top, rows, head, apart)
    for r in range(rows):
        m = head[apart + r]
        magic = magic_of(m)
        c = reduce_at(m, m, magic, magic, &k, &s)
        head[3 * apart + r] = <real>0 if exactly else c
        head[4 * apart + r] = <real>0 if exactly else -minus_rest(k, <real>-0.0)
        head[5 * apart + r] = magic - k


cdef inline void step_heads(
    const real *top, Py_ssize_t rows, bint exactly, real *head, Py_ssize_t apart
) noexcept nogil:
    """The same for the steps of _axis_rows.h."""
    bases(top, rows, head, apart)
    if real is float:
        fa_heads_f32(head, rows, apart, exactly)
    else:
        fa_heads_f64(head, rows, apart, exactly)


cdef inline real exp_at(
    real x, const real *head, Py_ssize_t apart, bint exactly, real *rest
) noexcept nogil:
    """2^K exp(x - m), head[0] the first number of heads().

    Exactly, and the rest: of few elements, or equal ones, the sum has the error that each
    of them has.  Then c is not taken off: the exponential is exp(c) times as large, up to
    sqrt 2, and there is no rounding of that difference.

    With m = N ln2 + c, x - m = (x - n ln2) - c + (n - N) ln2: nothing here rounds
    before the differences are small.
    """
    cdef real base = head[0], m = head[apart], floor = head[2 * apart]
    cdef real first = head[3 * apart], second = head[4 * apart], back = head[5 * apart]
    cdef real k, s, r, a = x - base
    a = floor if floor > a else a
    if exactly:
        r = reduce_at(a, a, back, back, &k, &s)
    else:
        r = reduce_at(a, a - m, magic_of(a), back, &k, &s)
    return exp_of(s, r - first, minus_rest(k, second), exactly, rest)


cdef inline void exps(
    const real *x, real *e, real *low, Py_ssize_t n, const real *head, bint exactly,
    real without
) noexcept nogil:
    """exp_at() of n elements, a multiple of LANES; 0 where x is ``without`` (or NaN)."""
    cdef real row[HEAD]
    cdef real a, r, rest
    cdef Py_ssize_t i
    for i in range(HEAD):
        row[i] = head[i * ROWS]
    for i in range(n & -LANES):
        # (x and e may be one: x is read first)
        a = x[i]
        r = exp_at(a, <const real *>row, 1, exactly, &rest)
        e[i] = <real>0 if a == without else r
        if exactly:
            low[i] = <real>0 if a == without else rest


cdef inline void sums_of_exps(
    const real *x, real *e, const real *tail, real *e_tail, Py_ssize_t n,
    Py_ssize_t rows, Py_ssize_t whole, const real *head, bint exactly, double *hi,
    double *lo
) noexcept nogil:
    """exponentials() by steps; without e and e_tail none is kept."""
    cdef double four[4 * ROWS]
    cdef double low[4 * ROWS]
    cdef double start = above_exps(<real>0)
    cdef Py_ssize_t r, next = ahead(n, rows)
    cdef bint more = has_tail(n, whole)
    if whole == 0 and rows == ROWS:
        if real is float:
            fa_short_exps_f32(tail, e_tail, head, next, exactly, four)
            fa_add_four_f32(four, fa_rows(rows), hi)
        else:
            fa_short_exps_f64(tail, e_tail, head, next, exactly, start, four, low)
            fa_add_four_f64(four, low, fa_rows(rows), start, hi, lo)
        return
    none(four, 4, rows)
    none(low, 4, rows)
    for r in range(rows):
        if real is float:
            fa_exps_f32(
                x + r * n, e + r * n if e != NULL else e, whole, tail + r * LANES,
                e_tail + r * LANES if e != NULL else e_tail, more, head + r, next,
                exactly, four + 4 * r,
            )
        else:
            fa_exps_f64(
                x + r * n, e + r * n if e != NULL else e, whole, tail + r * LANES,
                e_tail + r * LANES if e != NULL else e_tail, more, head + r, next,
                exactly, start, four + 4 * r, low + 4 * r,
            )
    if real is float:
        fa_add_four_f32(four, fa_rows(rows), hi)
    else:
        fa_add_four_f64(four, low, fa_rows(rows), start, hi, lo)


cdef inline void exponentials(
    const real *x, real *e, const real *tail, real *e_tail, Py_ssize_t n,
    Py_ssize_t rows, Py_ssize_t whole, bint exactly, const real *top, double *hi,
    double *lo
) noexcept nogil:
    """Of at_once() rows with the maxima ``top``: e = 2^K exp(x - max), and their sums.

    Exactly for quotients alone.  Else the maximum counts as 1, and e is a scratch of
    BATCH elements.
    """
    cdef real head[HEAD * ROWS]
    cdef real low[BATCH]
    cdef real low_tail[LANES * ROWS]
    cdef Py_ssize_t r, at, count
    cdef real *to
    cdef real none = NAN
    cdef bint more
    clear(hi, lo, rows)
    if FA_BY_STEPS:
        step_heads(top, fa_rows(rows), exactly, head, ROWS)
        sums_of_exps(
            x, e if exactly else <real *>NULL, tail, e_tail, n, rows, whole,
            <const real *>head, exactly, hi, lo,
        )
        return
    heads(top, fa_rows(rows), exactly, head, ROWS)
    for at in range(0, n, 4096):
        count = whole - at if whole - at < BATCH else BATCH
        to = e + at if exactly else e
        for r in range(rows):
            exps(
                x + r * n + at, to + r * n, low + r * n, count, head + r, exactly, none
            )
        more = has_tail(n, whole) and n <= at + BATCH
        if more:
            for r in range(rows):
                exps(
                    tail + r * LANES, e_tail + r * LANES, low_tail + r * LANES, lanes(),
                    head + r, exactly, none,
                )
        sums(
            <const real *>to, n, rows, count, <const real *>e_tail, more, EXPONENTIALS,
            hi, lo,
        )
        if exactly:
            sums(
                <const real *>low, n, rows, count, <const real *>low_tail, more, ANY, hi,
                lo,
            )


# --- softmax -----------------------------------------------------------------

cdef inline double less_scale(double sum, real kind) noexcept nogil:
    """2^-K sum, for the K of ``kind``: sums are double."""
    return sum * 7.888609052210118e-31 if real is float else unscale(sum)


cdef inline real reciprocal(double hi, double lo, real *low) noexcept nogil:
    """1 / (hi + lo) and its low part; 2^K times that for float.

    (Of double sums hi is not all of the sum that it could be, which depends on how it came
    about; the result is not to.)
    """
    cdef double f
    cdef real result
    if real is float:
        f = 1 / less_scale(hi, <real>0)
        result = <real>f
        low[0] = <real>(f - result)
    else:
        f = hi + lo
        lo = lo - (f - hi)
        hi = f
        result = 1 / hi
        f = hi * result
        # 1 - (hi + lo) f
        low[0] = (((1 - f) - two_prod_low(hi, <double>result, f)) - lo * result) * result
    return result


cdef inline real scaled(real e, real factor, real low) noexcept nogil:
    """e (factor + low), in float less 2^K: rounded once (and into the subnormals)."""
    e = product_plus(e, factor, e * low)
    return unscale(e) if real is float else e


cdef inline void scale(
    real *y, Py_ssize_t n, real factor, real low
) noexcept nogil:
    cdef Py_ssize_t i
    if FA_BY_STEPS:
        if real is float:
            fa_scale_f32(y, y, n, factor, low)
        else:
            fa_scale_f64(y, y, n, factor, low)
        return
    for i in range(n & -LANES):
        y[i] = scaled(y[i], factor, low)


cdef inline real gain(real g, real *factor, real *low) noexcept nogil:
    """Multiply a factor by g, if scaled() keeps its digits with the product; returns what
    is left to multiply by.

    (A product of 0 has a sign, which the sum of two need not keep.)
    """
    cdef double p
    cdef real hi, lo
    cdef bint kept
    if real is float:
        p = (<double>factor[0] + low[0]) * g
        kept = 5.4e-20 < fabs(p) < 134217728.0  # 2^-64, 2^27
        hi = <real>p
        lo = <real>(p - hi)
    else:
        p = hi = factor[0] * g
        kept = 2.4e-181 < fabs(p) < 4.1e180  # 2^-600, 2^600
        lo = two_prod_low(factor[0], g, p) + low[0] * g
    factor[0] = hi if kept else factor[0]
    low[0] = lo if kept else low[0]
    return <real>1 if kept else g


cdef inline void multiply(real *y, Py_ssize_t n, real by) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        y[i] *= by


cdef inline void softmax(
    const real *x, real *y, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    """y = exp(x - max) / sum."""
    softmax_times(<const real *>NULL, x, y, n, rows)


cdef inline void softmax_times(
    const real *g, const real *x, real *y, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    """... times g, one number for a row; 1 without it."""
    cdef Py_ssize_t count
    while rows > 0:
        count = at_once(n, rows)
        if n > LANES:
            softmax_of(g, x, y, n, count, whole_of(n))
        elif FA_BY_STEPS and count == ROWS:
            softmax_of(g, x, y, n, ROWS, 0)
        else:
            softmax_of(g, x, y, n, count, 0)
        rows -= count
        x += n * count
        y += n * count
        if g != NULL:
            g += count


cdef inline void softmax_of(
    const real *g, const real *x, real *y, Py_ssize_t n, Py_ssize_t rows,
    Py_ssize_t whole
) noexcept nogil:
    cdef real buffer[LANES * ROWS]
    cdef const real *tail = NULL
    cdef real own_buffer[LANES * ROWS]
    cdef real *own = own_buffer
    cdef real top[ROWS]
    cdef double hi[ROWS]
    cdef double lo[ROWS]
    cdef real factor[ROWS]
    cdef real low[ROWS]
    cdef real left[ROWS]
    cdef Py_ssize_t r
    cdef bint more = has_tail(n, whole), every = True
    if more:
        tail = tails(x, n, rows, whole, <real>-INFINITY, buffer)
    if n == LANES:
        own = y
    maxima(x, n, rows, whole, tail, more, top)
    exponentials(x, y, tail, own, n, rows, whole, True, top, hi, lo)
    for r in range(fa_rows(rows)):
        factor[r] = reciprocal(hi[r], lo[r], &low[r])
    if g != NULL:
        for r in range(rows):
            left[r] = gain(g[r], &factor[r], &low[r])
        for r in range(rows):
            every = every and left[r] == 1
    for r in range(rows):
        scale(y + r * n, whole, factor[r], low[r])
    if more:
        for r in range(rows):
            scale(own + r * LANES, lanes(), factor[r], low[r])
        store_tails(<const real *>own, n, rows, whole, y)
    if not every:
        for r in range(rows):
            multiply(y + r * n, n, left[r])


cdef inline real parts(double sum, real *low) noexcept nogil:
    """A sum as a number and the rest of it."""
    cdef real hi = <real>sum
    low[0] = <real>(sum - hi) if sum - sum == 0 else <real>0
    return hi


cdef inline double whole_sum(double hi, double lo) noexcept nogil:
    return hi + lo if hi - hi == 0 else hi


cdef inline real centred_at(real g, real y, real dot, real low) noexcept nogil:
    return y * ((g - dot) - low)


cdef inline void centred(
    const real *g, const real *y, real *gx, Py_ssize_t n, real dot, real low
) noexcept nogil:
    cdef Py_ssize_t i
    if FA_BY_STEPS:
        if real is float:
            fa_centred_f32(g, y, gx, n, dot, low)
        else:
            fa_centred_f64(g, y, gx, n, dot, low)
        return
    for i in range(n & -LANES):
        gx[i] = centred_at(g[i], y[i], dot, low)


cdef inline void softmax_backward_from_output(
    const real *g, const real *y, real *gx, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    """y (g - sum(g y)); gx may be y."""
    cdef Py_ssize_t count
    while rows > 0:
        count = at_once(n, rows)
        if n > LANES:
            softmax_from_output(g, y, gx, n, count, whole_of(n))
        elif FA_BY_STEPS and count == ROWS:
            softmax_from_output(g, y, gx, n, ROWS, 0)
        else:
            softmax_from_output(g, y, gx, n, count, 0)
        rows -= count
        g += n * count
        y += n * count
        gx += n * count


cdef inline void softmax_from_output(
    const real *g, const real *y, real *gx, Py_ssize_t n, Py_ssize_t rows,
    Py_ssize_t whole
) noexcept nogil:
    cdef real buffer[LANES * ROWS]
    cdef real y_buffer[LANES * ROWS]
    cdef const real *tail = NULL
    cdef const real *y_tail = NULL
    cdef real own_buffer[LANES * ROWS]
    cdef real *own = own_buffer
    cdef double hi[ROWS]
    cdef double lo[ROWS]
    cdef real dot[ROWS]
    cdef real low[ROWS]
    cdef Py_ssize_t r
    cdef bint more = has_tail(n, whole)
    if more:
        tail = tails(g, n, rows, whole, <real>0, buffer)
        y_tail = tails(y, n, rows, whole, <real>0, y_buffer)
    clear(hi, lo, rows)
    dots(g, y, n, rows, whole, tail, y_tail, more, gx, hi, lo)
    if n == LANES:
        own = gx
    for r in range(fa_rows(rows)):
        dot[r] = parts(whole_sum(hi[r], lo[r]), &low[r])
    for r in range(rows):
        centred(g + r * n, y + r * n, gx + r * n, whole, dot[r], low[r])
    if more:
        for r in range(rows):
            centred(
                tail + r * LANES, y_tail + r * LANES, own + r * LANES, lanes(),
                dot[r], low[r],
            )
        store_tails(<const real *>own, n, rows, whole, gx)


cdef inline void softmax_backward(
    const real *g, const real *x, real *gx, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    softmax(x, gx, n, rows)
    softmax_backward_from_output(g, <const real *>gx, gx, n, rows)


# --- log_softmax, logsumexp ----------------------------------------------------

cdef inline double log_of(double hi, double lo, double *low, real kind) noexcept nogil:
    """log(sum exp(x - max)) and its low part, from the sum of the exponentials.

    For float the logarithm of 2^k (1 + f) is good to 2^-38.
    """
    cdef double z = less_scale(hi, kind) - 1, k, r
    if real is float:
        low[0] = 0
        k = fa_exponent(1 + z)
        z = (1 + z) * fa_pow2_f64(6755399441055744.0 - k, 1023) - 1
        return fma(k, 0.6931471805599453, wide_log1p(z, 0.0, &z, &r))
    else:
        return log1p_sum(z, less_scale(lo, kind), low)


cdef inline bint dominated(double hi, real kind) noexcept nogil:
    """Whether the maximum is nearly all of the sum, or that is NaN (no finite maximum)."""
    return not less_scale(hi, kind) >= 1.000001


cdef inline Py_ssize_t fill_up(real *x, Py_ssize_t n, real fill) noexcept nogil:
    """n rounded up to LANES; what was not there becomes ``fill``."""
    cdef Py_ssize_t i, full = (n + LANES - 1) & -LANES
    for i in range(n, full):
        x[i] = fill
    return full


# Of single rows, which have their elements ``step`` apart (columns do):

cdef inline double log_of_dominated(
    const real *x, Py_ssize_t n, Py_ssize_t step, real m, double *low
) noexcept nogil:
    """As log_of(), where the sum is 1 and a little.

    The maximum adds exactly 1: log1p of the rest, summed alone, keeps every digit.
    """
    cdef real e[BATCH]
    cdef real head[HEAD * ROWS]
    cdef real tops[ROWS]
    cdef double hi[ROWS]
    cdef double lo[ROWS]
    cdef Py_ssize_t at, i, count
    one_row(m, tops)
    heads(<const real *>tops, fa_rows(1), False, head, ROWS)
    clear(hi, lo, 1)
    for at in range(0, n, 4096):
        count = n - at if n - at < BATCH else BATCH
        for i in range(count):
            e[i] = x[(at + i) * step]
        count = fill_up(e, count, <real>-INFINITY)
        exps(<const real *>e, e, e, count, <const real *>head, False, m)
        sums(<const real *>e, n, 1, count, <const real *>e, False, ANY, hi, lo)
    return log1p_sum(less_scale(hi[0], m), less_scale(lo[0], m), low)


cdef inline double log_sum_wide(
    const real *x, Py_ssize_t n, Py_ssize_t step, double m, double *low
) noexcept nogil:
    """log(sum exp(x - max)) in double whatever ``real`` is."""
    cdef double e[BATCH]
    cdef double head[HEAD * ROWS]
    cdef double tops[ROWS]
    cdef double hi[ROWS]
    cdef double lo[ROWS]
    cdef Py_ssize_t at, i, count
    one_row(m, tops)
    heads(<const double *>tops, fa_rows(1), False, head, ROWS)
    clear(hi, lo, 1)
    for at in range(0, n, 4096):
        count = n - at if n - at < BATCH else BATCH
        for i in range(count):
            e[i] = x[(at + i) * step]
        count = fill_up(e, count, <double>-INFINITY)
        exps(<const double *>e, e, e, count, <const double *>head, False, <double>NAN)
        sums(
            <const double *>e, n, 1, count, <const double *>e, False, EXPONENTIALS, hi,
            lo,
        )
    return log_of(hi[0], lo[0], low, m)


cdef inline double log_sum_pairs(
    const double *x, Py_ssize_t n, Py_ssize_t step, double m, double *low
) noexcept nogil:
    """log(sum exp(x - max)) and its low part to 2^-58: with low parts throughout."""
    cdef double e[BATCH]
    cdef double el[BATCH]
    cdef double hi[ROWS]
    cdef double lo[ROWS]
    cdef double d, t
    cdef Py_ssize_t at, i, count, equal = -1
    clear(hi, lo, 1)
    for at in range(0, n, 4096):
        count = n - at if n - at < BATCH else BATCH
        for i in range(count):
            t = x[(at + i) * step]
            d = t - m
            t = sum_low(t, -m, d)
            exp_pair(clamp(d), t if d > -exp_top(d) else 0.0, &e[i], &el[i])
            e[i] = 0.0 if d == 0 else e[i]
            el[i] = 0.0 if d == 0 else el[i]
            equal += 1 if d == 0 else 0
        for i in range(count):
            lo[0] += el[i]
        count = fill_up(e, count, 0.0)
        sums(<const double *>e, n, 1, count, <const double *>e, False, ANY, hi, lo)
    d = unscale(hi[0])
    t = equal + d
    return log1p_sum(t, sum_low(equal, d, t) + unscale(lo[0]), low)


cdef inline double log_sum_near_0(
    const real *x, Py_ssize_t n, Py_ssize_t step, double *low
) noexcept nogil:
    """log(sum exp(x)), from -1/2 to 1/2: the sum less 1 to 2^-135."""
    cdef fa_fixed sum
    cdef double more, less_1
    cdef Py_ssize_t i
    memset(&sum, 0, sizeof(sum))
    for i in range(n):
        fa_fixed_add_exp(&sum, x[i * step])
    less_1 = fa_fixed_less_1(sum, &more)
    return log1p_sum(less_1, more, low)


cdef struct LogSums:
    # of each row: log(sum exp(x - max)) and its low part
    double log[ROWS]
    double low[ROWS]


cdef inline void log_sums(
    const real *x, const real *tail, Py_ssize_t n, Py_ssize_t rows, Py_ssize_t whole,
    real *top, LogSums *sums
) noexcept nogil:
    """Of at_once() rows with these tails; and their maxima."""
    cdef real e[BATCH]
    cdef real e_tail[LANES * ROWS]
    cdef double hi[ROWS]
    cdef double lo[ROWS]
    cdef Py_ssize_t r
    maxima(x, n, rows, whole, tail, has_tail(n, whole), top)
    exponentials(x, e, tail, e_tail, n, rows, whole, False, top, hi, lo)
    for r in range(fa_rows(rows)):
        sums.log[r] = log_of(hi[r], lo[r], &sums.low[r], top[r])
    for r in range(rows):
        if dominated(hi[r], top[r]):
            sums.log[r] = log_of_dominated(x + r * n, n, 1, top[r], &sums.low[r])


cdef inline real rounded_sum(real m, double log, double low, real *rest) noexcept nogil:
    """m + log + low, and what is left of it."""
    cdef double lost
    cdef double sum = two_sum(m, log, &lost)
    cdef real hi = <real>sum
    rest[0] = <real>((sum - hi) + (lost + low)) if sum - sum == 0 else <real>0
    return hi


cdef inline real without_sum(real x, real sum, real rest) noexcept nogil:
    """x - (sum + rest), with what the first difference loses to rounding.

    That is exact (FastTwoSum, Dekker) for |x| up to the sum, and off by half an ulp
    of the result beyond.
    """
    cdef real d = x - sum, least = -1e38
    cdef real e = x - (d + sum)
    # -inf is NaN here, and to stay -inf
    e = e if e > least else least
    return d + (e - rest)


cdef inline void minus_sum(
    const real *x, real *y, Py_ssize_t n, real sum, real rest
) noexcept nogil:
    cdef Py_ssize_t i
    if FA_BY_STEPS:
        if real is float:
            fa_minus_sum_f32(x, y, n, sum, rest)
        else:
            fa_minus_sum_f64(x, y, n, sum, rest)
        return
    for i in range(n & -LANES):
        y[i] = without_sum(x[i], sum, rest)


cdef inline double two_sum(double a, double b, double *low) noexcept nogil:
    """a + b, and what it loses to rounding (Knuth)."""
    cdef double s = a + b
    low[0] = sum_low(a, b, s)
    return s


cdef inline void log_softmax(
    const real *x, real *y, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    cdef Py_ssize_t count
    while rows > 0:
        count = at_once(n, rows)
        if n > LANES:
            log_softmax_of(x, y, n, count, whole_of(n))
        elif FA_BY_STEPS and count == ROWS:
            log_softmax_of(x, y, n, ROWS, 0)
        else:
            log_softmax_of(x, y, n, count, 0)
        rows -= count
        x += n * count
        y += n * count


cdef inline void log_softmax_of(
    const real *x, real *y, Py_ssize_t n, Py_ssize_t rows, Py_ssize_t whole
) noexcept nogil:
    cdef real buffer[LANES * ROWS]
    cdef const real *tail = NULL
    cdef real own_buffer[LANES * ROWS]
    cdef real *own = own_buffer
    cdef real top[ROWS]
    cdef real rest[ROWS]
    cdef LogSums sums
    cdef Py_ssize_t r
    cdef bint more = has_tail(n, whole)
    if more:
        tail = tails(x, n, rows, whole, <real>-INFINITY, buffer)
    log_sums(x, tail, n, rows, whole, top, &sums)
    if n == LANES:
        own = y
    for r in range(fa_rows(rows)):
        top[r] = rounded_sum(top[r], sums.log[r], sums.low[r], &rest[r])
    for r in range(rows):
        minus_sum(x + r * n, y + r * n, whole, top[r], rest[r])
    if more:
        for r in range(rows):
            minus_sum(
                tail + r * LANES, own + r * LANES, lanes(), top[r], rest[r]
            )
        store_tails(<const real *>own, n, rows, whole, y)


cdef inline real with_log(
    const real *x, Py_ssize_t n, Py_ssize_t step, real top, double log, double low
) noexcept nogil:
    """max + log.

    Where they nearly cancel, the error of the log is that of its exponentials, most of
    all of few: float rows take those in double then, double rows with their low parts; and
    where not enough would be left of that either, both in fixed point.
    """
    cdef double lost, near
    cdef double sum = two_sum(top, log, &lost)
    if fabs(sum) < (0.5 if log > 1 else 2.0) * log and top < 0:
        if real is float:
            sum = log_sum_wide(x, n, step, top, &low)
            near = 7.5e-9 * (log if log > 1 else 1.0)  # 2^25 2^-52
        else:
            sum = log_sum_pairs(x, n, step, top, &low)
            near = (0.03 if log > 1 else 0.25) * log  # 2^-57, and 2^-55 of the log
        sum = two_sum(top, sum, &lost)
        if fabs(sum) < near:
            sum = log_sum_near_0(x, n, step, &low)
            lost = 0
    return <real>(sum + (low + lost) if sum - sum == 0 else sum)


cdef inline void logsumexp(
    const real *x, real *y, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    cdef Py_ssize_t count
    while rows > 0:
        count = at_once(n, rows)
        if n > LANES:
            logsumexp_of(x, y, n, count, whole_of(n))
        elif FA_BY_STEPS and count == ROWS:
            logsumexp_of(x, y, n, ROWS, 0)
        else:
            logsumexp_of(x, y, n, count, 0)
        rows -= count
        x += n * count
        y += count


cdef inline void logsumexp_of(
    const real *x, real *y, Py_ssize_t n, Py_ssize_t rows, Py_ssize_t whole
) noexcept nogil:
    cdef real buffer[LANES * ROWS]
    cdef const real *tail = NULL
    cdef real top[ROWS]
    cdef LogSums sums
    cdef Py_ssize_t r
    if has_tail(n, whole):
        tail = tails(x, n, rows, whole, <real>-INFINITY, buffer)
    log_sums(x, tail, n, rows, whole, top, &sums)
    for r in range(rows):
        y[r] = with_log(x + r * n, n, 1, top[r], sums.log[r], sums.low[r])


cdef inline real less(real g, real e, real sum, real low) noexcept nogil:
    """g - e (sum + low)."""
    return fma(-e, low, fma(-e, sum, g))


cdef inline double half_scale(real kind) noexcept nogil:
    """2^(-K / 2)."""
    return 8.881784197001252e-16 if real is float else 7.006492321624085e-46


cdef inline real less_exp(real g, real y, real sum, real low) noexcept nogil:
    """g - exp(y) (sum + low), for a sum with half of the scale 2^K: it may be small too."""
    cdef real floor = -reach(<real>0)
    cdef real magic = magic_of(floor) - (<real>50 if real is float else <real>150)
    cdef real k, s, rest, a = floor if y < floor else y
    a = reduce_at(a, a, magic, magic, &k, &s)
    if real is float:
        return less(g, fma(s, expm1_reduced(minus_rest(k, a)), s), sum, low)
    return less(g, exp_of(s, a, minus_rest(k, <real>-0.0), False, &rest), sum, low)


cdef inline void less_exps(
    const real *g, const real *y, real *gx, Py_ssize_t n, real sum, real low,
    Py_ssize_t ahead
) noexcept nogil:
    cdef Py_ssize_t i
    if FA_BY_STEPS:
        if real is float:
            fa_less_exps_f32(g, y, gx, n, sum, low, ahead)
        else:
            fa_less_exps_f64(g, y, gx, n, sum, low, ahead)
        return
    for i in range(n & -LANES):
        gx[i] = less_exp(g[i], y[i], sum, low)


cdef inline void gradient_sums(
    const real *g, const real *tail, Py_ssize_t n, Py_ssize_t rows, Py_ssize_t whole,
    double scale, real *sum, real *low
) noexcept nogil:
    """Those of the rows of g, times scale, as a number and the rest of it."""
    cdef double hi[ROWS]
    cdef double lo[ROWS]
    cdef Py_ssize_t r
    clear(hi, lo, rows)
    sums(g, n, rows, whole, tail, has_tail(n, whole), GRADIENT, hi, lo)
    for r in range(fa_rows(rows)):
        sum[r] = parts(whole_sum(hi[r], lo[r]) * scale, &low[r])


cdef inline void log_softmax_backward_from_output(
    const real *g, const real *y, real *gx, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    """g - exp(y) sum(g)."""
    cdef Py_ssize_t count
    while rows > 0:
        count = at_once(n, rows)
        if n > LANES:
            log_softmax_from_output(g, y, gx, n, count, whole_of(n))
        elif FA_BY_STEPS and count == ROWS:
            log_softmax_from_output(g, y, gx, n, ROWS, 0)
        else:
            log_softmax_from_output(g, y, gx, n, count, 0)
        rows -= count
        g += n * count
        y += n * count
        gx += n * count


cdef inline void log_softmax_from_output(
    const real *g, const real *y, real *gx, Py_ssize_t n, Py_ssize_t rows,
    Py_ssize_t whole
) noexcept nogil:
    cdef real buffer[LANES * ROWS]
    cdef real y_buffer[LANES * ROWS]
    cdef const real *tail = NULL
    cdef const real *y_tail = NULL
    cdef real own_buffer[LANES * ROWS]
    cdef real *own = own_buffer
    cdef real sum[ROWS]
    cdef real low[ROWS]
    cdef Py_ssize_t r
    cdef bint more = has_tail(n, whole)
    if more:
        tail = tails(g, n, rows, whole, <real>0, buffer)
        y_tail = tails(y, n, rows, whole, <real>0, y_buffer)
    gradient_sums(g, tail, n, rows, whole, half_scale(<real>0), sum, low)
    if n == LANES:
        own = gx
    for r in range(rows):
        less_exps(g + r * n, y + r * n, gx + r * n, whole, sum[r], low[r], ahead(n, rows))
    if more:
        for r in range(rows):
            less_exps(
                tail + r * LANES, y_tail + r * LANES, own + r * LANES, lanes(),
                sum[r], low[r], ahead(n, rows),
            )
        store_tails(<const real *>own, n, rows, whole, gx)


cdef inline void log_softmax_backward(
    const real *g, const real *x, real *gx, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    """g - softmax(x) sum(g): exp() of a rounded y is off by |y| / 2 ULP."""
    cdef real buffer[LANES * ROWS]
    cdef const real *tail = NULL
    cdef real sum[ROWS]
    cdef real low[ROWS]
    cdef Py_ssize_t r, i, count, whole = whole_of(n)
    softmax(x, gx, n, rows)
    while rows > 0:
        count = at_once(n, rows)
        if has_tail(n, whole):
            tail = tails(g, n, count, whole, <real>0, buffer)
        gradient_sums(g, tail, n, count, whole, 1.0, sum, low)
        for r in range(count):
            for i in range(n):
                gx[i] = less(g[i], gx[i], sum[r], low[r])
            g += n
            gx += n
        rows -= count


cdef inline void logsumexp_backward(
    const real *g, const real *x, real *gx, Py_ssize_t n, Py_ssize_t rows
) noexcept nogil:
    """g softmax(x), g one number for a row."""
    softmax_times(g, x, gx, n, rows)
