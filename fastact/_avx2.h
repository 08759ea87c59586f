/* float32 for AVX2 and FMA: what its namesakes in _formulas.pxd compute, with default
   parameters, and of n elements, a multiple of 8.  f or d may be NULL.

   sigmoid, tanh and silu are quotients over D = 1 + exp(u), with low parts; gelu in both forms,
   quick_gelu and mish are read from rows (_rows_of.h), and computed only outside of them.

   AVX2 picks one of 8 numbers per lane in one instruction, which gcc does not find by itself:
   hence intrinsics.  exp(u) and D are 2^-40 times what they should be, and results scaled
   back in the last operation, so that it alone rounds where they are subnormal.  Work goes in
   steps over a block: short chains of dependent operations fill the processor better. */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include "_ahead.h"
#include "_fetch.h"
#include "_rows_avx2.h"
#include "_tables_avx2.h"

#define FA_AVX2_INLINE static inline __attribute__((always_inline))
#define FA_PS(x) _mm256_set1_ps(x)

/* A number and its low part. */
typedef struct {
    __m256 hi, lo;
} fa_pair;

typedef struct {
    float hi[FA_BLOCK] __attribute__((aligned(32)));
    float lo[FA_BLOCK] __attribute__((aligned(32)));
} fa_pairs;

/* The function of n elements, from fa_NAME_all(), at once.  (By blocks: FA_FUNCTION.) */
#define FA_WHOLE(name)                                                                  \
    static void fa_##name##_f32(const float *x, float *f, float *d, ptrdiff_t n) {      \
        if (!d) fa_##name##_all(x, f, NULL, n, 1, 0);                                   \
        else if (!f) fa_##name##_all(x, NULL, d, n, 0, 1);                              \
        else fa_##name##_all(x, f, d, n, 1, 1);                                         \
    }

FA_AVX2_INLINE fa_pair fa_load(const fa_pairs *from, ptrdiff_t i) {
    return (fa_pair){_mm256_load_ps(from->hi + i), _mm256_load_ps(from->lo + i)};
}
FA_AVX2_INLINE void fa_store(fa_pairs *to, ptrdiff_t i, fa_pair x) {
    _mm256_store_ps(to->hi + i, x.hi);
    _mm256_store_ps(to->lo + i, x.lo);
}

FA_AVX2_INLINE __m256 fa_sign(__m256 x) {
    return _mm256_and_ps(FA_PS(-0.0f), x);
}
/* |x|, and min(|x|, top).  (Minimum and maximum keep NaN only if it is their second
   operand.) */
FA_AVX2_INLINE __m256 fa_abs(__m256 x) {
    return _mm256_andnot_ps(FA_PS(-0.0f), x);
}
FA_AVX2_INLINE __m256 fa_min_abs(__m256 x, float top) {
    return _mm256_min_ps(FA_PS(top), fa_abs(x));
}
/* a, without a low part. */
FA_AVX2_INLINE fa_pair fa_exact(__m256 a) {
    return (fa_pair){a, _mm256_setzero_ps()};
}
/* a b, and a b + c + low, with what they lose to rounding (Knuth's sum). */
FA_AVX2_INLINE fa_pair fa_product(__m256 a, __m256 b) {
    __m256 p = _mm256_mul_ps(a, b);
    return (fa_pair){p, _mm256_fmsub_ps(a, b, p)};
}
FA_AVX2_INLINE fa_pair fa_product_plus(__m256 a, __m256 b, __m256 c, __m256 low) {
    __m256 sum = _mm256_fmadd_ps(a, b, c), part = _mm256_sub_ps(sum, c);
    __m256 rest = _mm256_sub_ps(c, _mm256_sub_ps(sum, part));
    rest = _mm256_add_ps(rest, _mm256_fmsub_ps(a, b, part));
    return (fa_pair){sum, _mm256_add_ps(rest, low)};
}

#include "_rows_of.h"
/* ... by rows, from fa_NAME_far_f32() outside of them. */
#define FA_BY_ROWS(name, NAME)                                                          \
    FA_AVX2_INLINE void fa_##name##_all(                                                \
        const float *x, float *f, float *d, ptrdiff_t n, const int with_f, const int with_d \
    ) {                                                                                 \
        fa_by_rows(                                                                     \
            fa_rows_##name, FA_ROWS_##NAME##_STEP, FA_ROWS_##NAME##_LOW,                \
            FA_ROWS_##NAME##_HIGH, FA_ROWS_##NAME##_BEND, FA_ROWS_##NAME##_LACK,        \
            fa_##name##_far_f32, x, f, d, n, with_f, with_d                             \
        );                                                                              \
    }                                                                                   \
    FA_WHOLE(name)

FA_AVX2_INLINE __m256 fa_pick(const float *row, __m256i at) {
    return _mm256_permutevar8x32_ps(_mm256_loadu_ps(row), at);
}

/* 2^more exp(-u) = s exp(-r), for u from -110 to 25 if more = -FA_SCALE_BITS; ``negative``,
   of the negative of u. */
typedef struct {
    __m256 s, r;
} fa_reduced;
/* The s of a table for t, which has n in its low bits. */
FA_AVX2_INLINE __m256 fa_power_of(const unsigned *table, __m256 t) {
    __m256i at = _mm256_castps_si256(t);
    __m256i bits = _mm256_permutevar8x32_epi32(
        _mm256_loadu_si256((const __m256i *)table), at
    );
    return _mm256_castsi256_ps(_mm256_add_epi32(bits, _mm256_slli_epi32(at, 20)));
}
FA_AVX2_INLINE fa_reduced fa_reduce(fa_pair u, int more, const int negative) {
    const float sign = negative ? -1.0f : 1.0f;
    const __m256 magic = FA_PS(12582912.0f + 8 * (more + FA_SCALE_BITS));
    __m256 t = _mm256_fmadd_ps(u.hi, FA_PS(sign * -FA_PER_STEP), magic);
    __m256 n = _mm256_sub_ps(t, magic);
    __m256 r = negative ? _mm256_sub_ps(FA_PS(FA_LOG_THETA), u.lo)
                        : _mm256_add_ps(FA_PS(FA_LOG_THETA), u.lo);
    r = _mm256_fmadd_ps(n, FA_PS(FA_STEP_LOW), r);
    __m256 first = negative ? _mm256_fmsub_ps(n, FA_PS(FA_STEP), u.hi)
                            : _mm256_fmadd_ps(n, FA_PS(FA_STEP), u.hi);
    return (fa_reduced){fa_power_of(fa_table_exp, t), _mm256_add_ps(first, r)};
}
/* ... for u = a b, from which n steps are taken off before it is rounded. */
FA_AVX2_INLINE fa_reduced fa_reduce_product(__m256 a, __m256 b, int more) {
    const __m256 magic = FA_PS(12582912.0f + 8 * (more + FA_SCALE_BITS));
    __m256 t = _mm256_fmadd_ps(_mm256_mul_ps(a, b), FA_PS(-FA_PER_STEP), magic);
    __m256 n = _mm256_sub_ps(t, magic);
    __m256 r = _mm256_fmadd_ps(n, FA_PS(FA_STEP_LOW), FA_PS(FA_LOG_THETA));
    __m256 first = _mm256_fmadd_ps(a, b, _mm256_mul_ps(n, FA_PS(FA_STEP)));
    return (fa_reduced){fa_power_of(fa_table_exp, t), _mm256_add_ps(first, r)};
}
/* exp(-r) - 1 */
FA_AVX2_INLINE __m256 fa_growth(__m256 r) {
    __m256 q = _mm256_fmadd_ps(r, FA_PS(FA_EXP_4), FA_PS(FA_EXP_3));
    q = _mm256_fmadd_ps(q, r, FA_PS(0.5f));
    return _mm256_fmsub_ps(_mm256_mul_ps(r, r), q, r);
}
FA_AVX2_INLINE fa_pair fa_exp_reduced(fa_reduced from) {
    __m256 s = from.s, q = fa_growth(from.r), e = _mm256_fmadd_ps(s, q, s);
    return (fa_pair){e, _mm256_fmadd_ps(s, q, _mm256_sub_ps(s, e))};
}
/* |x| of a step, top at most. */
#define FA_ABS_AT(top) fa_min_abs(_mm256_loadu_ps(x + i), top)
/* 2^more exp(-U), or exp(U), for U of the step i, to TO.  The reduction runs one vector
   ahead: two chains of half the length, side by side. */
#define FA_EXP_STEP(to, n, U, more, negative)                                           \
    do {                                                                                \
        ptrdiff_t i = 0;                                                                \
        fa_reduced now = fa_reduce(U, more, negative);                                  \
        for (i = 8; i < n; i += 8) {                                                    \
            fa_reduced next = fa_reduce(U, more, negative);                             \
            fa_store(to, i - 8, fa_exp_reduced(now));                                   \
            now = next;                                                                 \
        }                                                                               \
        fa_store(to, i - 8, fa_exp_reduced(now));                                       \
    } while (0)

/* D = 2^-40 (1 + exp(u)), u >= 0. */
FA_AVX2_INLINE fa_pair fa_one_plus(fa_pair e) {
    const __m256 scale = FA_PS(FA_SCALE);
    __m256 sum = _mm256_add_ps(e.hi, scale);
    __m256 low = _mm256_sub_ps(scale, _mm256_sub_ps(sum, e.hi));
    return (fa_pair){sum, _mm256_add_ps(low, e.lo)};
}

/* n / D, for r near 1 / D.  (The excess of a quotient is +0 for either zero, which keeps its
   sign so.) */
FA_AVX2_INLINE __m256 fa_excess(__m256 q, __m256 n, fa_pair d) {
    return _mm256_fmadd_ps(q, d.lo, _mm256_fmsub_ps(q, d.hi, n));
}
FA_AVX2_INLINE __m256 fa_quotient(__m256 n, __m256 low, fa_pair d, __m256 r) {
    __m256 q = _mm256_mul_ps(n, r);
    return _mm256_fnmadd_ps(_mm256_sub_ps(fa_excess(q, n, d), low), r, q);
}

/* An exponential by a power of 2 to the n / 8, s, what is left of the argument, r, and the
   rest of the series of that, g. */
typedef struct {
    __m256 s, r, g;
} fa_powered;

/* 2^more exp(a) = s (1 + r + g), a = START + n step + r, for steps that meet the root of silu':
   near it r is exact, and all that is wrong by a part of r. */
FA_AVX2_INLINE fa_powered fa_silu_exp(__m256 a, int more) {
    const __m256 magic = FA_PS(12582912.0f + 8 * (more + FA_SCALE_BITS));
    __m256 t = _mm256_fmadd_ps(a, FA_PS(FA_PER_STEP), magic);
    __m256 n = _mm256_sub_ps(t, magic);
    __m256 r = _mm256_fnmadd_ps(n, FA_PS(FA_SILU_STEP), a);
    r = _mm256_sub_ps(r, FA_PS(FA_SILU_START));
    __m256 low = fa_pick(fa_table_silu_low, _mm256_castps_si256(t));
    low = _mm256_fnmadd_ps(n, FA_PS(FA_SILU_STEP_LOW), low);
    __m256 g = _mm256_fmadd_ps(r, FA_PS(FA_SILU_EXP_4), FA_PS(FA_SILU_EXP_3));
    g = _mm256_fmadd_ps(g, r, FA_PS(FA_SILU_EXP_2));
    g = _mm256_fmadd_ps(_mm256_mul_ps(r, r), g, low);
    return (fa_powered){fa_power_of(fa_table_silu, t), r, g};
}
/* D = scale (1 + exp(a)).  (hi - s is exact, and so is what it lacks to scale, where that
   counts.) */
FA_AVX2_INLINE fa_pair fa_silu_over(fa_powered of, float scale) {
    const __m256 one = FA_PS(scale);
    __m256 q = _mm256_add_ps(of.r, of.g);
    __m256 hi = _mm256_fmadd_ps(of.s, q, _mm256_add_ps(of.s, one));
    __m256 lo = _mm256_sub_ps(one, _mm256_sub_ps(hi, of.s));
    return (fa_pair){hi, _mm256_fmadd_ps(of.s, q, lo)};
}
FA_AVX2_INLINE __m256 fa_scaled(__m256 x, float scale) {
    return scale == 1 ? x : _mm256_mul_ps(x, FA_PS(scale));
}
/* f(x) and f'(x) of a gated function from f(-|x|) and f'(-|x|). */
FA_AVX2_INLINE __m256 fa_gated_f(__m256 x, __m256 left) {
    return _mm256_add_ps(_mm256_max_ps(FA_PS(-0.0f), x), left);
}
FA_AVX2_INLINE __m256 fa_gated_d(__m256 x, __m256 left) {
    return _mm256_blendv_ps(_mm256_sub_ps(FA_PS(1.0f), left), left, x);
}

/* For a / D = y: silu is x - y or -y, silu'(-a) = K / D for K = (1 - a) + y, and silu'(a) is 1
   less that.  (1 - a is exact from a = 1 / 2 on, and so is the sum next to the root: what it
   and y lose is in the low part.) */
FA_AVX2_INLINE void fa_silu_rest(
    const float *x, float *f, float *d, ptrdiff_t n, ptrdiff_t ahead,
    const int with_f, const int with_d,
    const fa_pairs *overs, float top, float scale
) {
    const __m256 one = FA_PS(1.0f);
    for (ptrdiff_t i = 0; i < n; i += 8) {
        FA_FETCH_NEXT(ahead, x + i, f + i, d + i, with_f, with_d);
        __m256 v = _mm256_loadu_ps(x + i), a = fa_min_abs(v, top);
        fa_pair over = fa_load(overs, i), k;
        __m256 r = _mm256_div_ps(one, over.hi), y = _mm256_mul_ps(a, r);
        __m256 lost = fa_excess(y, a, over);
        if (with_f) {
            __m256 z = fa_scaled(_mm256_fnmadd_ps(lost, r, y), scale);
            _mm256_storeu_ps(f + i, _mm256_sub_ps(_mm256_max_ps(FA_PS(-0.0f), v), z));
        }
        if (with_d) {
            __m256 rest = _mm256_sub_ps(one, a);
            __m256 low = _mm256_sub_ps(_mm256_sub_ps(one, rest), a);
            y = fa_scaled(y, scale);
            k.hi = _mm256_add_ps(y, rest);
            k.lo = _mm256_add_ps(_mm256_add_ps(y, _mm256_sub_ps(rest, k.hi)), low);
            k.lo = _mm256_fnmadd_ps(lost, fa_scaled(r, scale), k.lo);
            __m256 s = fa_scaled(fa_quotient(k.hi, k.lo, over, r), scale);
            _mm256_storeu_ps(d + i, fa_gated_d(v, s));
        }
    }
}
/* D for all |x|, top at most, to TO; and whether one is larger.  The exponential runs one
   vector ahead.  (The maximum takes its second operand for NaN.) */
FA_AVX2_INLINE int fa_silu_overs(
    fa_pairs *to, const float *x, ptrdiff_t n, float top, int more, float scale
) {
    __m256 most = fa_abs(_mm256_loadu_ps(x));
    fa_powered now = fa_silu_exp(_mm256_min_ps(FA_PS(top), most), more);
    ptrdiff_t i = 8;
    for (; i < n; i += 8) {
        fa_store(to, i - 8, fa_silu_over(now, scale));
        __m256 a = fa_abs(_mm256_loadu_ps(x + i));
        most = _mm256_max_ps(a, most);
        now = fa_silu_exp(_mm256_min_ps(FA_PS(top), a), more);
    }
    fa_store(to, i - 8, fa_silu_over(now, scale));
    return _mm256_movemask_ps(_mm256_cmp_ps(most, FA_PS(top), _CMP_GT_OQ));
}
/* (D is too large from 88 on, silu not 0 before -103.) */
FA_AVX2_INLINE void fa_silu_block(
    const float *x, float *f, float *d, ptrdiff_t n, ptrdiff_t ahead,
    const int with_f, const int with_d
) {
    fa_pairs overs;
    if (!fa_silu_overs(&overs, x, n, 86.0f, 0, 1.0f)) {
        fa_silu_rest(x, f, d, n, ahead, with_f, with_d, &overs, 86.0f, 1.0f);
    } else {
        fa_silu_overs(&overs, x, n, 110.0f, -FA_SCALE_BITS, FA_SCALE);
        fa_silu_rest(x, f, d, n, ahead, with_f, with_d, &overs, 110.0f, FA_SCALE);
    }
}
FA_FUNCTION(silu)

/* s (hi + lo) factor, for an s which is 2^40 times what it should be. */
FA_AVX2_INLINE __m256 fa_far_product(__m256 s, __m256 hi, __m256 lo, float factor) {
    fa_pair y = fa_product(s, hi);
    y.lo = _mm256_fmadd_ps(s, lo, y.lo);
    return _mm256_mul_ps(_mm256_add_ps(y.hi, y.lo), FA_PS(factor));
}

/* quick_gelu and gelu_tanh outside of their rows, e = exp(-u): f(-a) = -a e (1 - e ...), and
   f'(-a) = e (1 - W - e (1 - 2 W) ...), W = a u'(a). */
#define FA_GATED_FAR(name, top, U, W)                                                   \
    FA_AVX2_INLINE void fa_##name##_far_all(                                            \
        const float *x, float *f, float *d, ptrdiff_t n, const int with_f, const int with_d \
    ) {                                                                                 \
        const __m256 one = FA_PS(1.0f);                                                 \
        for (ptrdiff_t i = 0; i < n; i += 8) {                                          \
            __m256 v = _mm256_loadu_ps(x + i), a = fa_min_abs(v, top);                  \
            fa_reduced from = fa_reduce(U, FA_SCALE_BITS, 0);                           \
            __m256 s = from.s, q = fa_growth(from.r);                                   \
            __m256 e = _mm256_mul_ps(_mm256_fmadd_ps(s, q, s), FA_PS(FA_SCALE));        \
            if (with_f) {                                                               \
                __m256 rest = _mm256_fnmadd_ps(e, _mm256_add_ps(one, q), q);            \
                rest = fa_far_product(s, a, _mm256_mul_ps(a, rest), -FA_SCALE);         \
                _mm256_storeu_ps(f + i, fa_gated_f(v, rest));                           \
            }                                                                           \
            if (with_d) {                                                               \
                fa_pair w = W;                                                          \
                __m256 first = _mm256_sub_ps(one, w.hi);                                \
                __m256 rest = _mm256_fmsub_ps(FA_PS(2.0f), w.hi, one);                  \
                rest = _mm256_fmsub_ps(e, rest, w.lo);                                  \
                rest = _mm256_fmadd_ps(q, _mm256_add_ps(first, rest), rest);            \
                rest = fa_far_product(s, first, rest, FA_SCALE);                        \
                _mm256_storeu_ps(d + i, fa_gated_d(v, rest));                           \
            }                                                                           \
        }                                                                               \
    }                                                                                   \
    FA_WHOLE(name##_far)

/* u = W = 1.702 a */
FA_AVX2_INLINE fa_pair fa_quick_gelu_u(__m256 a) {
    fa_pair u = fa_product(a, FA_PS(1.702f));
    u.lo = _mm256_fmadd_ps(a, FA_PS((float)(1.702 - 1.702f)), u.lo);
    return u;
}
FA_GATED_FAR(quick_gelu, 64.0f, fa_quick_gelu_u(a), fa_quick_gelu_u(a))
FA_BY_ROWS(quick_gelu, QUICK_GELU)

/* u = a (c + k a^2), c = 2 sqrt(2 / pi), k = 0.044715 c, and W, which is that for 3 k.  c
   is taken in two parts: the sum with the first is exact in its difference to that. */
#define FA_GELU_TANH_K 0.07135481627260025
FA_AVX2_INLINE fa_pair fa_gelu_tanh_u(__m256 a, double k) {
    const double c = 1.5957691216057308;
    const float c1 = 1.5966796875f, k1 = (float)k;
    fa_pair square = fa_product(a, a), p = fa_product(FA_PS(k1), square.hi);
    p.lo = _mm256_fmadd_ps(FA_PS((float)(k - k1)), square.hi, p.lo);
    p.lo = _mm256_fmadd_ps(FA_PS(k1), square.lo, p.lo);
    p.lo = _mm256_add_ps(p.lo, FA_PS((float)(c - c1)));
    __m256 w = _mm256_add_ps(p.hi, FA_PS(c1));
    __m256 low = _mm256_sub_ps(p.hi, _mm256_sub_ps(w, FA_PS(c1)));
    fa_pair u = fa_product(a, w);
    u.lo = _mm256_fmadd_ps(a, _mm256_add_ps(low, p.lo), u.lo);
    return u;
}
FA_GATED_FAR(gelu_tanh, 11.0f, fa_gelu_tanh_u(a, FA_GELU_TANH_K),
             fa_gelu_tanh_u(a, 3 * FA_GELU_TANH_K))
FA_BY_ROWS(gelu_tanh, GELU_TANH)

/* gelu outside of its rows: with E = exp(-a^2 / 2) = s (1 + q), w = 1 / a^2 and
   A(w) = a Phi(-a) / E, which is 1 / sqrt(2 pi) - w P(w), f(-a) = -A E and
   f'(-a) = -a (1 / sqrt(2 pi) - w A) E. */
FA_AVX2_INLINE void fa_gelu_far_all(
    const float *x, float *f, float *d, ptrdiff_t n, const int with_f, const int with_d
) {
    const double limit = 0.3989422804014327;
    const __m256 one = FA_PS(1.0f);
    const __m256 first = FA_PS((float)limit), low = FA_PS((float)(limit - (float)limit));
    for (ptrdiff_t i = 0; i < n; i += 8) {
        __m256 v = _mm256_loadu_ps(x + i), a = fa_min_abs(v, FA_GELU_FAR_TOP);
        __m256 half = _mm256_mul_ps(a, FA_PS(0.5f));
        fa_reduced from = fa_reduce_product(half, a, FA_SCALE_BITS);
        __m256 s = from.s, q = fa_growth(from.r);
        __m256 w = _mm256_div_ps(one, _mm256_mul_ps(a, a)), p = FA_PS(fa_gelu_far[4]);
        for (int k = 3; k >= 0; k--) p = _mm256_fmadd_ps(p, w, FA_PS(fa_gelu_far[k]));
        __m256 rest = _mm256_fnmadd_ps(p, w, low), all = _mm256_add_ps(first, rest);
        if (with_f) {
            __m256 y = fa_far_product(s, first, _mm256_fmadd_ps(q, all, rest), -FA_SCALE);
            _mm256_storeu_ps(f + i, fa_gated_f(v, y));
        }
        if (with_d) {
            fa_pair b = fa_product(a, first);
            rest = _mm256_fmadd_ps(a, _mm256_fnmadd_ps(w, all, low), b.lo);
            rest = _mm256_fmadd_ps(q, _mm256_add_ps(b.hi, rest), rest);
            rest = fa_far_product(s, b.hi, rest, -FA_SCALE);
            _mm256_storeu_ps(d + i, fa_gated_d(v, rest));
        }
    }
}
FA_WHOLE(gelu_far)
FA_BY_ROWS(gelu, GELU)

/* mish, for |x| > 5, e = exp(-|x|) = s (1 + q): x (e - e^2 / 2 + e^4 / 4 ...) on the left,
   and x (1 - 2 e^2 + 4 e^3 ...) on the right. */
FA_AVX2_INLINE void fa_mish_far_all(
    const float *x, float *f, float *d, ptrdiff_t n, const int with_f, const int with_d
) {
    const __m256 one = FA_PS(1.0f), half = FA_PS(0.5f), quarter = FA_PS(0.25f);
    for (ptrdiff_t i = 0; i < n; i += 8) {
        __m256 v = _mm256_loadu_ps(x + i), a = fa_min_abs(v, 110.0f);
        fa_reduced from = fa_reduce(fa_exact(a), FA_SCALE_BITS, 0);
        __m256 s = from.s, q = fa_growth(from.r);
        __m256 e = _mm256_mul_ps(_mm256_fmadd_ps(s, q, s), FA_PS(FA_SCALE));
        __m256 square = _mm256_mul_ps(e, e), twice = _mm256_add_ps(square, square);
        if (with_f) {
            __m256 t = _mm256_mul_ps(e, _mm256_fmsub_ps(square, quarter, half));
            __m256 rest = _mm256_mul_ps(a, _mm256_add_ps(q, _mm256_fmadd_ps(q, t, t)));
            __m256 y = fa_far_product(s, a, rest, -FA_SCALE);
            t = _mm256_mul_ps(twice, _mm256_sub_ps(one, _mm256_add_ps(e, e)));
            t = _mm256_fnmadd_ps(a, t, v);
            _mm256_storeu_ps(f + i, _mm256_blendv_ps(t, y, v));
        }
        if (with_d) {
            /* e (1 - a + e (a - 1/2) + e^3 (1/4 - a)), 1 - a exact */
            __m256 t = _mm256_mul_ps(square, _mm256_sub_ps(quarter, a));
            t = _mm256_mul_ps(e, _mm256_add_ps(_mm256_sub_ps(a, half), t));
            __m256 first = _mm256_sub_ps(one, a), u = _mm256_fmadd_ps(t, q, t);
            __m256 y = fa_far_product(s, first, _mm256_fmadd_ps(first, q, u), FA_SCALE);
            /* 1 + 2 e^2 (2 a - 1 + e (2 - 6 a)) */
            t = _mm256_fnmadd_ps(FA_PS(6.0f), a, FA_PS(2.0f));
            t = _mm256_fmadd_ps(e, t, _mm256_fmsub_ps(a, FA_PS(2.0f), one));
            t = _mm256_fmadd_ps(twice, t, one);
            _mm256_storeu_ps(d + i, _mm256_blendv_ps(t, y, v));
        }
    }
}
FA_WHOLE(mish_far)
FA_BY_ROWS(mish, MISH)

/* s = S = 1 / D for exp(|u|), or exp(-|u|) / (1 + exp(-|u|)), and its excess. */
typedef struct {
    __m256 s, excess;
} fa_share;
FA_AVX2_INLINE fa_share fa_share_of(fa_pair e) {
    const __m256 one = FA_PS(1.0f);
    fa_pair d = fa_one_plus(e);
    __m256 s = _mm256_div_ps(one, d.hi);
    return (fa_share){s, fa_excess(s, one, d)};
}
/* S (1 - S) */
FA_AVX2_INLINE __m256 fa_share_slope(fa_share of) {
    __m256 s = _mm256_mul_ps(of.s, FA_PS(FA_SCALE)), y = _mm256_fnmadd_ps(of.s, s, of.s);
    __m256 low = _mm256_fnmadd_ps(of.s, s, _mm256_sub_ps(of.s, y));
    s = _mm256_fnmadd_ps(FA_PS(2.0f), s, FA_PS(1.0f));
    low = _mm256_fnmadd_ps(_mm256_mul_ps(of.s, of.excess), s, low);
    return _mm256_mul_ps(_mm256_add_ps(y, low), FA_PS(FA_SCALE));
}

/* S on the left, 1 - S on the right. */
FA_AVX2_INLINE __m256 fa_sigmoid_at(__m256 x, fa_share of) {
    __m256 s = _mm256_fnmadd_ps(of.s, of.excess, of.s);
    s = _mm256_mul_ps(s, FA_PS(FA_SCALE));
    return _mm256_blendv_ps(_mm256_sub_ps(FA_PS(1.0f), s), s, x);
}
FA_AVX2_INLINE void fa_sigmoid_block(
    const float *x, float *f, float *d, ptrdiff_t n, ptrdiff_t ahead,
    const int with_f, const int with_d
) {
    fa_pairs pairs;
    FA_EXP_STEP(&pairs, n, fa_exact(FA_ABS_AT(110.0f)), -FA_SCALE_BITS, 1);
    for (ptrdiff_t i = 0; i < n; i += 8) {
        FA_FETCH_NEXT(ahead, x + i, f + i, d + i, with_f, with_d);
        fa_share share = fa_share_of(fa_load(&pairs, i));
        __m256 v = _mm256_loadu_ps(x + i);
        if (with_f) _mm256_storeu_ps(f + i, fa_sigmoid_at(v, share));
        if (with_d) _mm256_storeu_ps(d + i, fa_share_slope(share));
    }
}
FA_FUNCTION(sigmoid)

/* tanh(a) = 1 - 1 / D for D = (1 + exp(2 a)) / 2.  exp(2 a) / 2 = s (1 + r + g), where s is a
   power of 2, r = 2 a - n ln2, which is exact, and g = r^2 (1/2 + ...).  Near 0, D is
   1 + (r + g) / 2, good to the last digit of r.  What ln2 lost is left to the derivative. */

/* scale D for all |x|, top at most, to TO; and whether one is larger.  n and r have a step of
   their own: chains of half the length.  (The maximum takes its second operand for NaN.) */
FA_AVX2_INLINE int fa_tanh_overs(
    fa_pairs *to, const float *x, ptrdiff_t n, float top, int more, float scale
) {
    /* t ends with the exponent of s */
    const __m256 magic = FA_PS(12582912.0f + 126 + more), most = FA_PS(2 * top);
    const __m256 first = FA_PS(0.5f * scale);
    __m256 largest = _mm256_setzero_ps();
    for (ptrdiff_t i = 0; i < n; i += 8) {
        __m256 v = _mm256_loadu_ps(x + i), a = fa_abs(_mm256_add_ps(v, v));
        largest = _mm256_max_ps(a, largest);
        a = _mm256_min_ps(most, a);
        __m256 t = _mm256_fmadd_ps(a, FA_PS(FA_PER_LN2), magic);
        __m256 r = _mm256_fnmadd_ps(_mm256_sub_ps(t, magic), FA_PS(FA_LN2), a);
        __m256i s = _mm256_slli_epi32(_mm256_castps_si256(t), 23);
        fa_store(to, i, (fa_pair){r, _mm256_castsi256_ps(s)});
    }
    for (ptrdiff_t i = 0; i < n; i += 8) {
        fa_pair from = fa_load(to, i);
        __m256 r = from.hi, s = from.lo, r2 = _mm256_mul_ps(r, r);
        __m256 p = _mm256_fmadd_ps(r, FA_PS(FA_TWICE_3), FA_PS(FA_TWICE_2));
        __m256 q = _mm256_fmadd_ps(r, FA_PS(FA_TWICE_5), FA_PS(FA_TWICE_4));
        q = _mm256_fmadd_ps(_mm256_fmadd_ps(r2, FA_PS(FA_TWICE_6), q), r2, p);
        __m256 g = _mm256_mul_ps(r2, q);
        q = _mm256_add_ps(r, g);
        __m256 hi = _mm256_fmadd_ps(s, q, _mm256_add_ps(s, first));
        /* (Either difference is exact, but the second for a large s.) */
        __m256 lo = _mm256_sub_ps(first, _mm256_sub_ps(hi, s));
        lo = _mm256_fmadd_ps(s, g, _mm256_fmadd_ps(s, r, lo));
        fa_store(to, i, (fa_pair){hi, lo});
    }
    return _mm256_movemask_ps(_mm256_cmp_ps(largest, most, _CMP_GT_OQ));
}
/* For z near 1 / D: q, which is z to 2^-24, makes 1 - q exact, and what it leaves in q D = 1,
   e, gives 1 - q + q e.  (q e^2 is left out: below 2^-23, where D is 1 + e, that is up to an
   ulp too much, but never more than |x|.) */
FA_AVX2_INLINE __m256 fa_tanh_at(__m256 x, fa_pair d, __m256 z) {
    const __m256 one = FA_PS(1.0f);
    __m256 y = _mm256_sub_ps(one, z), q = _mm256_sub_ps(one, y);
    y = _mm256_fmadd_ps(fa_excess(q, one, d), q, y);
    return _mm256_or_ps(_mm256_min_ps(y, fa_abs(x)), fa_sign(x));
}
/* tanh'(x) = z (2 - z) for z = 1 / D: z T + z (the low part of T = 2 - z, and what the excess
   of z makes of z (2 - z), and of what ln2 lost a part of a, as it counts for a large one). */
FA_AVX2_INLINE __m256 fa_tanh_slope(__m256 a, fa_pair d, __m256 r, float scale) {
    const __m256 one = FA_PS(1.0f), two = FA_PS(2.0f);
    __m256 z = fa_scaled(r, scale);
    __m256 t = _mm256_sub_ps(two, z), low = _mm256_sub_ps(_mm256_sub_ps(two, t), z);
    __m256 e = fa_excess(r, one, d);
    low = _mm256_fnmadd_ps(_mm256_add_ps(e, e), _mm256_sub_ps(one, z), low);
    low = _mm256_fmadd_ps(a, FA_PS(FA_TANH_LACK), low);
    t = _mm256_fmadd_ps(r, t, _mm256_mul_ps(r, low));
    return fa_scaled(t, scale);
}
/* D serves f, and f' up to TOP: it is too large from 44 on, and parts of f', which is not 0 up
   to 52, are subnormal before.  A block that reaches so far takes another, 2^-40 times that,
   for f'. */
#define FA_TANH_TOP 30.0f
#define FA_TANH_FAR_TOP 55.0f
FA_AVX2_INLINE void fa_tanh_rest(
    const float *x, float *f, float *d, ptrdiff_t n, ptrdiff_t ahead,
    const int with_f, const int with_d,
    const fa_pairs *overs, const fa_pairs *far
) {
    const __m256 one = FA_PS(1.0f);
    for (ptrdiff_t i = 0; i < n; i += 8) {
        FA_FETCH_NEXT(ahead, x + i, f + i, d + i, with_f, with_d);
        fa_pair over = fa_load(overs, i);
        __m256 v = _mm256_loadu_ps(x + i), z = _mm256_div_ps(one, over.hi);
        if (with_f) _mm256_storeu_ps(f + i, fa_tanh_at(v, over, z));
        if (with_d && far) {
            over = fa_load(far, i);
            z = _mm256_div_ps(one, over.hi);
        }
        if (with_d) {
            __m256 a = fa_min_abs(v, far ? FA_TANH_FAR_TOP : FA_TANH_TOP);
            _mm256_storeu_ps(d + i, fa_tanh_slope(a, over, z, far ? FA_SCALE : 1.0f));
        }
    }
}
FA_AVX2_INLINE void fa_tanh_block(
    const float *x, float *f, float *d, ptrdiff_t n, ptrdiff_t ahead,
    const int with_f, const int with_d
) {
    fa_pairs overs, far;
    if (!fa_tanh_overs(&overs, x, n, FA_TANH_TOP, 0, 1.0f) || !with_d) {
        fa_tanh_rest(x, f, d, n, ahead, with_f, with_d, &overs, NULL);
    } else {
        fa_tanh_overs(&far, x, n, FA_TANH_FAR_TOP, -FA_SCALE_BITS, FA_SCALE);
        fa_tanh_rest(x, f, d, n, ahead, with_f, with_d, &overs, &far);
    }
}
FA_FUNCTION(tanh)

/* a - tanh(a) = (a - 1) + 2 S; a - 1 is exact (or S does not matter), and so is what the sum
   loses.  Near 0 it is a^3 / 3 + a^5 Q(a^2), with all of a^3 and of 1 / 3: for the sum, S would
   have to be better.  tanh(a)^2 is the square of 1 - 2 S, and near 0 of a less that, with what
   their roundings lost. */
FA_AVX2_INLINE void fa_tanh_shrink_block(
    const float *x, float *f, float *d, ptrdiff_t n, ptrdiff_t ahead,
    const int with_f, const int with_d
) {
    const __m256 one = FA_PS(1.0f), twice = FA_PS(2.0f * FA_SCALE);
    const __m256 third = FA_PS(1.0f / 3), third_low = FA_PS((float)(1.0 / 3 - 1.0f / 3));
    fa_pairs pairs;
    FA_EXP_STEP(
        &pairs, n, fa_exact(_mm256_mul_ps(FA_PS(2.0f), FA_ABS_AT(55.0f))), -FA_SCALE_BITS, 1
    );
    for (ptrdiff_t i = 0; i < n; i += 8) {
        FA_FETCH_NEXT(ahead, x + i, f + i, d + i, with_f, with_d);
        fa_share share = fa_share_of(fa_load(&pairs, i));
        __m256 low = _mm256_mul_ps(share.s, share.excess);
        __m256 v = _mm256_loadu_ps(x + i), a = fa_abs(v);
        __m256 near = _mm256_cmp_ps(a, FA_PS(FA_TANH_SHRINK_NEAR), _CMP_LT_OQ);

        __m256 up = _mm256_mul_ps(a, FA_PS(1.0f / FA_SCALE));
        fa_pair w = fa_product(a, a), cube = fa_product(up, w.hi);
        cube.lo = _mm256_fmadd_ps(up, w.lo, cube.lo);
        __m256 q = FA_PS(fa_tanh_shrink_near[5]);
        for (int k = 4; k >= 0; k--) q = _mm256_fmadd_ps(q, w.hi, FA_PS(fa_tanh_shrink_near[k]));
        q = _mm256_fmadd_ps(q, w.hi, third_low);
        q = _mm256_fmadd_ps(cube.hi, q, _mm256_mul_ps(cube.lo, third));
        __m256 small = _mm256_mul_ps(_mm256_fmadd_ps(cube.hi, third, q), FA_PS(FA_SCALE));
        if (with_f) {
            __m256 less_1 = _mm256_sub_ps(a, one), y = _mm256_fmadd_ps(share.s, twice, less_1);
            __m256 rest = _mm256_fmadd_ps(share.s, twice, _mm256_sub_ps(less_1, y));
            rest = _mm256_fnmadd_ps(low, twice, rest);
            /* (NaN for infinity: the maximum takes its second operand) */
            y = _mm256_add_ps(y, _mm256_max_ps(rest, FA_PS(-1.0f)));
            y = _mm256_blendv_ps(y, small, near);
            _mm256_storeu_ps(f + i, _mm256_or_ps(y, fa_sign(v)));
        }
        if (with_d) {
            __m256 top = _mm256_blendv_ps(one, a, near);
            __m256 less = _mm256_blendv_ps(_mm256_mul_ps(share.s, twice), small, near);
            __m256 t = _mm256_sub_ps(top, less);
            __m256 rest = _mm256_sub_ps(_mm256_sub_ps(top, t), less);
            low = _mm256_andnot_ps(near, low);
            rest = _mm256_fmadd_ps(low, twice, rest);
            rest = _mm256_mul_ps(_mm256_add_ps(t, t), rest);
            _mm256_storeu_ps(d + i, _mm256_fmadd_ps(t, t, rest));
        }
    }
}
FA_FUNCTION(tanh_shrink)

/* 2^40 log(1 + e), e <= exp(-15 / 16): e + e^2 P(e).  (The factor of the low part of e is
   near 1 / (1 + e).) */
FA_AVX2_INLINE __m256 fa_log1p(fa_pair e) {
    __m256 u = _mm256_mul_ps(e.hi, FA_PS(FA_SCALE)), t = _mm256_mul_ps(e.hi, u);
    __m256 low = _mm256_mul_ps(e.lo, _mm256_fnmadd_ps(u, FA_PS(0.75f), FA_PS(1.0f)));
    __m256 p = FA_PS(fa_log1p_tail[5]);
    for (int k = 4; k >= 0; k--) p = _mm256_fmadd_ps(p, u, FA_PS(fa_log1p_tail[k]));
    return _mm256_add_ps(e.hi, _mm256_fmadd_ps(t, p, low));
}

/* softplus where neighbours x are closer together than results, or than a logarithm is
   exact: (ln2 + x / 2) + w P(w), w = x^2.  Both sums rise with x. */
FA_AVX2_INLINE __m256 fa_softplus_0(__m256 x, __m256 w) {
    const __m256 half = FA_PS(0.5f), ln2 = FA_PS(FA_LN2);
    __m256 top = _mm256_fmadd_ps(x, half, ln2);
    __m256 low = _mm256_fmadd_ps(x, half, _mm256_sub_ps(ln2, top));
    __m256 p = FA_PS(fa_softplus_near[3]);
    for (int k = 2; k >= 0; k--) p = _mm256_fmadd_ps(p, w, FA_PS(fa_softplus_near[k]));
    return _mm256_add_ps(top, _mm256_fmadd_ps(p, w, low));
}

/* The sigmoid for 2^40 e, e = exp(-|x|): e / D on the left, 1 / D on the right. */
FA_AVX2_INLINE __m256 fa_side_of(__m256 x, fa_pair e) {
    const __m256 one = FA_PS(1.0f), scale = FA_PS(FA_SCALE);
    fa_pair d;
    d.hi = _mm256_fmadd_ps(e.hi, scale, one);
    d.lo = _mm256_fmadd_ps(e.hi, scale, _mm256_sub_ps(one, d.hi));
    d.lo = _mm256_fmadd_ps(e.lo, scale, d.lo);
    __m256 n = _mm256_blendv_ps(FA_PS(1.0f / FA_SCALE), e.hi, x);
    __m256 low = _mm256_blendv_ps(_mm256_setzero_ps(), e.lo, x);
    return _mm256_mul_ps(fa_quotient(n, low, d, _mm256_div_ps(one, d.hi)), scale);
}

/* softplus(x), which is max(x, 0) + log(1 + e), or, negative, -softplus(-x). */
FA_AVX2_INLINE void fa_softplus_at(
    const float *x, float *f, float *d, ptrdiff_t n, ptrdiff_t ahead,
    const int with_f, const int with_d, const int negative
) {
    const __m256 flip = FA_PS(negative ? -0.0f : 0.0f);
    const __m256 near = FA_PS(FA_SOFTPLUS_NEAR * FA_SOFTPLUS_NEAR);
    fa_pairs pairs;
    FA_EXP_STEP(&pairs, n, fa_exact(FA_ABS_AT(110.0f)), FA_SCALE_BITS, 0);
    for (ptrdiff_t i = 0; i < n; i += 8) {
        FA_FETCH_NEXT(ahead, x + i, f + i, d + i, with_f, with_d);
        fa_pair e = fa_load(&pairs, i);
        __m256 v = _mm256_xor_ps(_mm256_loadu_ps(x + i), flip);
        if (with_f) {
            __m256 y = _mm256_max_ps(_mm256_setzero_ps(), v), w = _mm256_mul_ps(v, v);
            y = _mm256_fmadd_ps(fa_log1p(e), FA_PS(FA_SCALE), y);
            y = _mm256_blendv_ps(y, fa_softplus_0(v, w), _mm256_cmp_ps(w, near, _CMP_LT_OQ));
            _mm256_storeu_ps(f + i, _mm256_xor_ps(y, flip));
        }
        if (with_d) _mm256_storeu_ps(d + i, fa_side_of(v, e));
    }
}
FA_AVX2_INLINE void fa_softplus_block(
    const float *x, float *f, float *d, ptrdiff_t n, ptrdiff_t ahead,
    const int with_f, const int with_d
) {
    fa_softplus_at(x, f, d, n, ahead, with_f, with_d, 0);
}
FA_FUNCTION(softplus)

/* -softplus(-x) */
FA_AVX2_INLINE void fa_log_sigmoid_block(
    const float *x, float *f, float *d, ptrdiff_t n, ptrdiff_t ahead,
    const int with_f, const int with_d
) {
    fa_softplus_at(x, f, d, n, ahead, with_f, with_d, 1);
}
FA_FUNCTION(log_sigmoid)

/* elu and celu, alpha = 1 and both = 1, and selu, both = scale alpha: x < 0: f = both
   (exp(x) - 1) and f' = both exp(x), else scale x and scale. */
FA_AVX2_INLINE __m256 fa_down(__m256 x) {
    return _mm256_max_ps(_mm256_setzero_ps(), _mm256_xor_ps(FA_PS(-0.0f), x));
}
/* e - 2^40 for e = 2^40 exp(-a), or, where what the exponential lacks would show,
   2^40 (-a + a^2 P(a)). */
FA_AVX2_INLINE fa_pair fa_expm1(__m256 a, fa_pair e) {
    const __m256 one = FA_PS(1.0f / FA_SCALE);
    __m256 hi = _mm256_sub_ps(e.hi, one), p = FA_PS(fa_expm1_near[3]);
    __m256 lo = _mm256_add_ps(_mm256_sub_ps(e.hi, _mm256_add_ps(hi, one)), e.lo);
    for (int k = 2; k >= 0; k--) p = _mm256_fmadd_ps(p, a, FA_PS(fa_expm1_near[k]));
    p = _mm256_mul_ps(_mm256_mul_ps(a, a), p);
    __m256 near = _mm256_cmp_ps(a, FA_PS(FA_EXPM1_NEAR), _CMP_LT_OQ);
    hi = _mm256_blendv_ps(hi, _mm256_mul_ps(a, FA_PS(-1.0f / FA_SCALE)), near);
    return (fa_pair){hi, _mm256_blendv_ps(lo, p, near)};
}
/* factor x, and factor (x.hi + x.lo), which is rounded once if factor is 1.  (The first part
   is below factor: with two parts of one sign infinities and -0 stay what they are.) */
#define FA_FIRST(factor) ((float)((factor) * (1 - 0x1p-23)))
FA_AVX2_INLINE __m256 fa_times(__m256 x, double factor) {
    if (factor == 1) return x;
    const __m256 high = FA_PS(FA_FIRST(factor)), low = FA_PS(factor - FA_FIRST(factor));
    return _mm256_fmadd_ps(x, high, _mm256_mul_ps(x, low));
}
FA_AVX2_INLINE __m256 fa_times_both(fa_pair x, double factor) {
    if (factor == 1) return _mm256_add_ps(x.hi, x.lo);
    const __m256 high = FA_PS(FA_FIRST(factor)), low = FA_PS(factor - FA_FIRST(factor));
    __m256 y = _mm256_fmadd_ps(x.lo, high, _mm256_mul_ps(x.hi, low));
    return _mm256_fmadd_ps(x.hi, high, y);
}
#define FA_ELU_KIND(name, both, scale)                                                  \
    FA_AVX2_INLINE void fa_##name##_block(                                              \
        const float *x, float *f, float *d, ptrdiff_t n, ptrdiff_t ahead,               \
        const int with_f, const int with_d                                              \
    ) {                                                                                 \
        const __m256 zero = _mm256_setzero_ps(), top = FA_PS(110.0f);                   \
        fa_pairs pairs;                                                                 \
        FA_EXP_STEP(                                                                    \
            &pairs, n, fa_exact(_mm256_min_ps(top, fa_down(_mm256_loadu_ps(x + i)))),   \
            FA_SCALE_BITS, 0                                                            \
        );                                                                              \
        for (ptrdiff_t i = 0; i < n; i += 8) {                                          \
            FA_FETCH_NEXT(ahead, x + i, f + i, d + i, with_f, with_d);                  \
            __m256 v = _mm256_loadu_ps(x + i), y;                                       \
            fa_pair e = fa_load(&pairs, i);                                             \
            if (with_f) {                                                               \
                y = fa_times_both(fa_expm1(fa_down(v), e), both);                       \
                y = _mm256_mul_ps(y, FA_PS(FA_SCALE));                                  \
                __m256 left = _mm256_cmp_ps(v, zero, _CMP_LT_OQ);                       \
                y = _mm256_blendv_ps(fa_times(v, scale), y, left);                      \
                _mm256_storeu_ps(f + i, y);                                             \
            }                                                                           \
            if (with_d) {                                                               \
                __m256 right = _mm256_cmp_ps(v, zero, _CMP_GT_OQ);                      \
                y = _mm256_mul_ps(fa_times_both(e, both), FA_PS(FA_SCALE));             \
                _mm256_storeu_ps(d + i, _mm256_blendv_ps(y, FA_PS(scale), right));      \
            }                                                                           \
        }                                                                               \
    }                                                                                   \
    FA_FUNCTION(name)

FA_ELU_KIND(elu, 1.0, 1.0)
FA_ELU_KIND(celu, 1.0, 1.0)
FA_ELU_KIND(selu, 1.7580993408473768, 1.0507009873554805)

/* softsign: 1 / (1 + a), and softsign_short() of _formulas.pxd from it, with 2 e for f'. */
FA_AVX2_INLINE __m256 fa_softsign_part(const float *x) {
    const __m256 one = FA_PS(1.0f);
    return _mm256_div_ps(one, _mm256_add_ps(one, fa_abs(_mm256_loadu_ps(x))));
}
FA_AVX2_INLINE void fa_softsign_rest(
    const float *x, float *f, float *d, ptrdiff_t at, __m256 r,
    const int with_f, const int with_d
) {
    const __m256 one = FA_PS(1.0f);
    const __m256 below_2 = _mm256_castsi256_ps(_mm256_set1_epi32(~(1 << 30)));
    __m256 v = _mm256_loadu_ps(x + at), u = _mm256_sub_ps(one, r);
    __m256 e = _mm256_and_ps(_mm256_fnmadd_ps(fa_abs(v), r, u), below_2);
    if (with_f) {
        _mm256_storeu_ps(f + at, _mm256_or_ps(_mm256_fnmadd_ps(r, e, u), fa_sign(v)));
    }
    if (with_d) {
        const __m256 two = FA_PS(2.0f);
        __m256 lost = _mm256_fnmadd_ps(r, two, _mm256_fnmadd_ps(u, two, two));
        e = _mm256_fmadd_ps(e, two, lost);
        e = _mm256_mul_ps(_mm256_mul_ps(r, r), e);
        _mm256_storeu_ps(d + at, _mm256_fmadd_ps(r, r, e));
    }
}
FA_AHEAD(fa_softsign_all, fa_softsign_part, fa_softsign_rest, float, __m256, 8, 8)
FA_WHOLE(softsign)
