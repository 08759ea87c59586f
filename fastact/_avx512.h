/* float32 by look-up, for AVX-512: an interval for each of 32 ranges of a = |x|, a
   polynomial for each, its coefficients picked by vpermt2ps.  The compiler does not find
   this instruction by itself, hence intrinsics; the tables, and why their errors are
   small, are in tools/tables.py.

   Each function computes what its namesake in _formulas.pxd does, with default
   parameters: f, or d, or both (the other is NULL), of n elements, a multiple of 16 and
   at most FA_LOOK_UP, of ``all`` that there are.  Where |x| lies beyond the tables and the
   result is not the limit, it leaves the element to that formula: see fa_rest.  NaN stays
   NaN. */
#include <immintrin.h>
#include <stddef.h>
#include "_fetch.h"
#include "_tables.h"

/* How many elements are looked up at a time: many, for a few that are left have all the
   latency of the formula. */
enum { FA_LOOK_UP = 4096 };

/* The elements of a block beyond the tables: which, and whether there are any. */
typedef struct {
    __mmask16 lanes[FA_LOOK_UP / 16];
    int any;
} fa_rest;

#define FA_INLINE_ALWAYS static inline __attribute__((always_inline))
#define FA_PS(x) _mm512_set1_ps(x)

FA_INLINE_ALWAYS __m512 fa_pick(const float *row, __m512i at) {
    return _mm512_permutex2var_ps(_mm512_loadu_ps(row), at, _mm512_loadu_ps(row + 16));
}

/* min(|x|, top).  (The minimum keeps NaN only if that is its second operand.) */
FA_INLINE_ALWAYS __m512 fa_min_abs(__m512 x, __m512 top) {
    return _mm512_min_ps(top, _mm512_abs_ps(x));
}

/* The entry of a, in the low five bits of the sum with 1.5 2^23 (other bits: FA_MAGIC_BITS). */
enum { FA_MAGIC_BITS = 0x4b400000 };
FA_INLINE_ALWAYS __m512i fa_index(__m512 a, float linear, float square, int first) {
    __m512 slope = FA_PS(linear);
    if (square != 0) slope = _mm512_fmadd_ps(a, FA_PS(square), slope);
    return _mm512_castps_si512(_mm512_fmadd_ps(a, slope, FA_PS(12582912.0f + first)));
}

/* The same for four entries in each octave of a + shift. */
FA_INLINE_ALWAYS __m512i fa_log_index(__m512 a, float shift) {
    return _mm512_srli_epi32(_mm512_castps_si512(_mm512_add_ps(a, FA_PS(shift))), 21);
}

/* row[first] + d (row[first + 1] + ...), up to the last of the rows. */
FA_INLINE_ALWAYS __m512 fa_polynomial(
    const float (*table)[32], int first, int rows, __m512i at, __m512 d
) {
    __m512 p = fa_pick(table[rows - 1], at);
    for (int k = rows - 2; k >= first; k--) p = _mm512_fmadd_ps(p, d, fa_pick(table[k], at));
    return p;
}

/* F(a): b d + (p0 + d (p1 + ...)), d = a - c, from a table of the rows c, (b,) p0, p1 ... */
FA_INLINE_ALWAYS __m512 fa_piece(
    const float (*table)[32], int rows, int has_b, __m512i at, __m512 a
) {
    __m512 d = _mm512_sub_ps(a, fa_pick(table[0], at));
    __m512 p = fa_polynomial(table, 1 + has_b, rows, at, d);
    return has_b ? _mm512_fmadd_ps(fa_pick(table[1], at), d, p) : p;
}
#define FA_ROWS_OF(name) ((int)(sizeof(fa_table_##name) / sizeof(fa_table_##name[0])))
#define FA_PIECE(name, at, a)                                                           \
    fa_piece(fa_table_##name, FA_ROWS_OF(name), fa_has_b_##name, at, a)

/* d^2 q.  A polynomial is p0 + u, u = d p1 + d^2 q, where neighbouring x may be closer
   together than results are: u rises with d, but d (p1 + d q) may not, for p1 + d q is a
   number of few digits. */
FA_INLINE_ALWAYS __m512 fa_bend(__m512 d, __m512 q) {
    return _mm512_mul_ps(_mm512_mul_ps(d, d), q);
}

/* What F(c + d) and F'(c + d) have in common: d, P3, P2' (see tools/tables.py). */
typedef struct { __m512 d, p3, slope; } fa_common;

FA_INLINE_ALWAYS fa_common fa_common_of(
    const float (*table)[32], int has_b, int degree, __m512i at, __m512 a
) {
    const float (*row)[32] = table + 1 + has_b;
    fa_common v;
    v.d = _mm512_sub_ps(a, fa_pick(table[0], at));
    v.p3 = fa_pick(row[degree], at);
    v.slope = _mm512_fmadd_ps(fa_pick(row[degree + 1], at), v.d, v.p3);
    for (int k = degree - 1; k > 2; k--) {
        v.p3 = _mm512_fmadd_ps(v.p3, v.d, fa_pick(row[k], at));
        v.slope = _mm512_fmadd_ps(v.slope, v.d, v.p3);
    }
    return v;
}

/* P2. */
FA_INLINE_ALWAYS __m512 fa_p2(const float (*table)[32], int has_b, __m512i at, fa_common v) {
    return _mm512_fmadd_ps(v.p3, v.d, fa_pick(table[3 + has_b], at));
}

/* F. */
FA_INLINE_ALWAYS __m512 fa_value(const float (*table)[32], int has_b, __m512i at, fa_common v) {
    __m512 p = _mm512_fmadd_ps(fa_p2(table, has_b, at, v), v.d, fa_pick(table[2 + has_b], at));
    p = _mm512_fmadd_ps(p, v.d, fa_pick(table[1 + has_b], at));
    return has_b ? _mm512_fmadd_ps(fa_pick(table[1], at), v.d, p) : p;
}

/* F' less r d, or the negative of that; ``last`` are the rows s1, h, r. */
FA_INLINE_ALWAYS __m512 fa_slope(
    const float (*last)[32], int negative, __m512i at, fa_common v
) {
    __m512 g = _mm512_fmadd_ps(v.p3, FA_PS(2.0f), v.slope), s1 = fa_pick(last[0], at);
    g = _mm512_fmadd_ps(g, v.d, fa_pick(last[1], at));
    return negative ? _mm512_fnmsub_ps(g, v.d, s1) : _mm512_fmadd_ps(g, v.d, s1);
}

#define FA_COMMON(name, at, a)                                                          \
    fa_common_of(fa_table_##name, fa_has_b_##name, fa_degree_##name, at, a)
#define FA_VALUE(name, at, v) fa_value(fa_table_##name, fa_has_b_##name, at, v)
#define FA_LAST(name) (fa_table_##name + fa_has_b_##name + fa_degree_##name + 3)

/* The loop around what computes y = f(v) and s = f'(v), of which the compiler drops the
   one that is not asked for, and the lanes to leave to the formula. */
#define FA_LOOP(name, ...)                                                              \
    FA_INLINE_ALWAYS void fa_##name##_loop(                                             \
        const float *x, float *f, float *d, ptrdiff_t n, ptrdiff_t ahead, fa_rest *rest, \
        const int with_f, const int with_d                                              \
    ) {                                                                                 \
        int any = 0;                                                                    \
        for (ptrdiff_t i = 0; i < n; i += 16) {                                         \
            FA_FETCH_NEXT(ahead, x + i, f + i, d + i, with_f, with_d);                  \
            const __m512 v = _mm512_loadu_ps(x + i);                                    \
            __m512 y, s;                                                                \
            __mmask16 left = 0;                                                         \
            __VA_ARGS__                                                                 \
            if (with_f) _mm512_storeu_ps(f + i, y);                                     \
            if (with_d) _mm512_storeu_ps(d + i, s);                                     \
            rest->lanes[i / 16] = left;                                                 \
            any |= left;                                                                \
        }                                                                               \
        rest->any = any;                                                                \
    }                                                                                   \
    static void fa_##name##_f32(                                                        \
        const float *x, float *f, float *d, ptrdiff_t n, ptrdiff_t all, fa_rest *rest   \
    ) {                                                                                 \
        const ptrdiff_t ahead = FA_NEXT_BLOCK(all, float, 1024);                        \
        if (!d) fa_##name##_loop(x, f, d, n, ahead, rest, 1, 0);                        \
        else if (!f) fa_##name##_loop(x, f, d, n, ahead, rest, 0, 1);                   \
        else fa_##name##_loop(x, f, d, n, ahead, rest, 1, 1);                           \
    }

/* Which of 32 vectors from i on, of n elements in all, have elements that are left. */
static inline __mmask32 fa_some(const fa_rest *rest, ptrdiff_t i, ptrdiff_t n) {
    const __mmask16 *lanes = rest->lanes + i / 16;
    __mmask32 here = n - i < 512 ? ((__mmask32)1 << (n - i) / 16) - 1 : (__mmask32)-1;
    __m512i all = _mm512_maskz_loadu_epi16(here, lanes);
    return _mm512_test_epi16_mask(all, all);
}

/* The elements of x (n of them) that are left, one after the other, and zeros up to a
   multiple of 16, which is returned; and the way back. */
static ptrdiff_t fa_take(const fa_rest *rest, const float *x, float *out, ptrdiff_t n) {
    ptrdiff_t count = 0;
    for (ptrdiff_t i = 0; i < n; i += 512) {
        for (__mmask32 some = fa_some(rest, i, n); some; some &= some - 1) {
            ptrdiff_t k = i / 16 + __builtin_ctz(some);
            __mmask16 lanes = rest->lanes[k];
            __m512 taken = _mm512_maskz_compress_ps(lanes, _mm512_loadu_ps(x + 16 * k));
            _mm512_storeu_ps(out + count, taken);
            count += __builtin_popcount(lanes);
        }
    }
    _mm512_storeu_ps(out + count, _mm512_setzero_ps());
    return (count + 15) & -16;
}
static void fa_put(const fa_rest *rest, const float *values, float *out, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i += 512) {
        for (__mmask32 some = fa_some(rest, i, n); some; some &= some - 1) {
            ptrdiff_t k = i / 16 + __builtin_ctz(some);
            __mmask16 lanes = rest->lanes[k];
            __m512 put = _mm512_maskz_expand_ps(lanes, _mm512_loadu_ps(values));
            _mm512_mask_storeu_ps(out + 16 * k, lanes, put);
            values += __builtin_popcount(lanes);
        }
    }
}

FA_INLINE_ALWAYS __mmask16 fa_less(__m512 x, __m512 y) {
    return _mm512_cmp_ps_mask(x, y, _CMP_LT_OQ);
}
FA_INLINE_ALWAYS __mmask16 fa_is_left(__m512 x) {
    return _mm512_movepi32_mask(_mm512_castps_si512(x));
}
FA_INLINE_ALWAYS __mmask16 fa_is_right(__m512 x) {
    return _mm512_cmp_epi32_mask(
        _mm512_castps_si512(x), _mm512_setzero_si512(), _MM_CMPINT_NLT
    );
}
FA_INLINE_ALWAYS __m512 fa_minus(__m512 x) {
    return _mm512_xor_ps(x, FA_PS(-0.0f));
}
FA_INLINE_ALWAYS __m512 fa_copysign(__m512 x, __m512 sign) {
    const __m512i bit = _mm512_set1_epi32((int)0x80000000);
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(
        bit, _mm512_castps_si512(sign), _mm512_castps_si512(x), 0xca
    ));
}

/* sigmoid(-a) on the left, 1 - sigmoid(-a) on the right. */
FA_LOOP(sigmoid,
    __m512 a = fa_min_abs(v, FA_PS(FA_SIGMOID_TOP));
    __m512i at = FA_SIGMOID_INDEX(a);
    fa_common both = FA_COMMON(sigmoid, at, a);
    y = FA_VALUE(sigmoid, at, both);
    y = _mm512_mask_sub_ps(y, fa_is_right(v), FA_PS(1.0f), y);
    s = fa_slope(FA_LAST(sigmoid), 1, at, both);
    left = fa_less(FA_PS(FA_SIGMOID_TOP), with_d ? _mm512_abs_ps(v) : fa_minus(v));
)

/* softplus: log(1 + exp(-a)), and in the lanes ``plus`` a more (there p0 and p1 are those
   of the sum), as p0 + u: see fa_bend(); beyond the table, x.  f' is the sigmoid. */
#define FA_SOFTPLUS_PARTS(plus)                                                         \
    const float (*table)[32] = fa_table_softplus;                                       \
    __m512 a = fa_min_abs(v, FA_PS(FA_SOFTPLUS_TOP));                                   \
    __m512i at = FA_SOFTPLUS_INDEX(a);                                                  \
    fa_common both = FA_COMMON(softplus, at, a);                                        \
    __m512 p0 = fa_pick(table[1], at), p1 = fa_pick(table[2], at);                      \
    p0 = _mm512_mask_mov_ps(p0, plus, fa_pick(fa_other_softplus, at));                   \
    p1 = _mm512_mask_add_ps(p1, plus, p1, FA_PS(1.0f));                                 \
    __m512 u = fa_bend(both.d, fa_p2(table, 0, at, both));                              \
    u = _mm512_fmadd_ps(both.d, p1, u);                                                 \
    s = fa_slope(FA_LAST(softplus), 1, at, both);

FA_LOOP(softplus,
    __mmask16 right = fa_is_right(v);
    FA_SOFTPLUS_PARTS(right)
    y = _mm512_max_ps(_mm512_add_ps(p0, u), v);
    s = _mm512_mask_sub_ps(s, right, FA_PS(1.0f), s);
    left = fa_less(v, FA_PS(-FA_SOFTPLUS_TOP));
)

/* -softplus(-x) */
FA_LOOP(log_sigmoid,
    __mmask16 negative = fa_is_left(v);
    FA_SOFTPLUS_PARTS(negative)
    y = _mm512_min_ps(_mm512_sub_ps(fa_minus(p0), u), v);
    s = _mm512_mask_sub_ps(s, negative, FA_PS(1.0f), s);
    left = fa_less(FA_PS(FA_SOFTPLUS_TOP), v);
)

FA_LOOP(tanh,
    __m512 a = fa_min_abs(v, FA_PS(FA_TANH_D_TOP));
    y = fa_copysign(FA_PIECE(tanh, FA_TANH_INDEX(a), a), v);
    s = FA_PIECE(tanh_d, FA_TANH_D_INDEX(a), a);
    left = with_d ? fa_less(FA_PS(FA_TANH_D_TOP), _mm512_abs_ps(v)) : 0;
)

/* (square + square_low) F(a) = the result + low. */
FA_INLINE_ALWAYS __m512 fa_times(
    __m512 square, __m512 square_low, const float (*table)[32], int rows, __m512i at,
    __m512 a, __m512 *low
) {
    __m512 d = _mm512_sub_ps(a, fa_pick(table[0], at)), p0 = fa_pick(table[1], at);
    __m512 slope = fa_polynomial(table, 2, rows, at, d);
    __m512 f = _mm512_fmadd_ps(d, slope, p0);
    __m512 f_low = _mm512_fmadd_ps(d, slope, _mm512_sub_ps(p0, f));
    __m512 w = _mm512_mul_ps(square, f);
    *low = _mm512_fmadd_ps(square_low, f, _mm512_fmsub_ps(square, f, w));
    *low = _mm512_fmadd_ps(square, f_low, *low);
    return w;
}

/* |f| / a and f' are a^2 times a table, which keeps their digits near 0; beyond the table
   |f| = |x| - 1.  Where f' is almost 1 its table is f' itself: a product would step back.
   The factor 2^24 keeps all but the last operation out of the subnormals (an addition to
   the exponent: of 0 it makes a number whose square is 0). */
FA_LOOP(tanh_shrink,
    __m512 a = fa_min_abs(v, FA_PS(FA_TANH_SHRINK_TOP)), low;
    __m512i at = FA_TANH_SHRINK_INDEX(a);
    __m512 big = _mm512_castsi512_ps(
        _mm512_add_epi32(_mm512_castps_si512(a), _mm512_set1_epi32(24 << 23))
    );
    __m512 square = _mm512_mul_ps(big, big), square_low = _mm512_fmsub_ps(big, big, square);
    y = fa_times(square, square_low, fa_table_tanh_shrink, FA_ROWS_OF(tanh_shrink), at, a, &low);
    y = _mm512_fmadd_ps(big, y, _mm512_mul_ps(big, low));
    y = _mm512_mul_ps(y, FA_PS(0x1p-72f));
    y = _mm512_mask_sub_ps(
        y, fa_less(FA_PS(FA_TANH_SHRINK_TOP), _mm512_abs_ps(v)), _mm512_abs_ps(v), FA_PS(1.0f)
    );
    y = fa_copysign(y, v);
    __mmask16 near_0 = _mm512_cmplt_epi32_mask(
        at, _mm512_set1_epi32(FA_MAGIC_BITS + 8)
    );
    square = _mm512_mask_mov_ps(FA_PS(0x1p48f), near_0, square);
    s = fa_times(
        square, square_low, fa_table_tanh_shrink_d, FA_ROWS_OF(tanh_shrink_d), at, a, &low
    );
    s = _mm512_mask_add_ps(s, near_0, s, low);
    s = _mm512_mul_ps(s, FA_PS(0x1p-48f));
)

/* x scale, rounded once. */
FA_INLINE_ALWAYS __m512 fa_scaled(__m512 x, double scale) {
    /* (rounded down, or infinity would be infinity less infinity) */
    const float hi = (float)(scale - 1e-7), lo = (float)(scale - hi);
    return _mm512_fmadd_ps(x, FA_PS(hi), _mm512_mul_ps(x, FA_PS(lo)));
}

/* With p0 + u = scale alpha exp(-a): f' is that, f is scale alpha - p0, which is the other
   p0, less u, on the left, where it ends at a limit; scale x on the right. */
#define FA_ELU(name, table, TOP, INDEX, scale, LOW)                                     \
    FA_LOOP(name,                                                                       \
        __m512 a = fa_min_abs(v, FA_PS(TOP));                                           \
        __m512i at = INDEX(a);                                                          \
        const float (*row)[32] = fa_table_##table;                                      \
        __m512 t = _mm512_sub_ps(a, fa_pick(row[0], at)), p1 = fa_pick(row[2], at);     \
        __m512 u = fa_bend(t, fa_polynomial(row, 3, FA_ROWS_OF(table), at, t));         \
        y = scale == 1 ? v : fa_scaled(v, scale);                                       \
        y = _mm512_mask_sub_ps(                                                         \
            y, fa_less(v, FA_PS(0.0f)), _mm512_fmadd_ps(t, p1, LOW(u)),                 \
            fa_pick(fa_other_##table, at)                                               \
        );                                                                              \
        /* (0 has the derivative of the left, and NaN its own) */                       \
        s = _mm512_mask_add_ps(                                                         \
            FA_PS((float)scale), _mm512_cmp_ps_mask(v, FA_PS(0.0f), _CMP_NGT_UQ),       \
            fa_pick(row[1], at), _mm512_fmadd_ps(t, p1, u)                              \
        );                                                                              \
        left = with_d ? fa_less(v, FA_PS(-TOP)) : 0;                                    \
    )
#define FA_NO_LOW(u) u
#define FA_SELU_LOW(u) _mm512_sub_ps(u, fa_pick(fa_other_low_selu, at))
FA_ELU(elu, elu, FA_ELU_TOP, FA_ELU_INDEX, 1.0, FA_NO_LOW)
FA_ELU(celu, elu, FA_ELU_TOP, FA_ELU_INDEX, 1.0, FA_NO_LOW)
FA_ELU(selu, selu, FA_SELU_TOP, FA_SELU_INDEX, 1.0507009873554805, FA_SELU_LOW)

/* x times a sigmoid of x: -F(a) on the left, x - F(a) on the right; f'(x) = 1 - f'(-x). */
FA_LOOP(silu,
    __m512 a = fa_min_abs(v, FA_PS(FA_SILU_TOP));
    __m512i at = FA_SILU_INDEX(a);
    fa_common both = FA_COMMON(silu, at, a);
    y = _mm512_sub_ps(_mm512_max_ps(FA_PS(-0.0f), v), FA_VALUE(silu, at, both));
    s = _mm512_fmadd_ps(
        fa_pick(FA_LAST(silu)[2], at), both.d, fa_slope(FA_LAST(silu), 0, at, both)
    );
    s = _mm512_mask_sub_ps(s, fa_is_right(v), FA_PS(1.0f), s);
    left = fa_less(v, FA_PS(-FA_SILU_LEFT));
)

/* The same with tables of their own for f and f'; both end at the same a, or the pair
   would differ from them. */
#define FA_GATED(name, TOP, INDEX, TOP_D, INDEX_D)                                      \
    FA_LOOP(name,                                                                       \
        const float top = TOP < TOP_D ? TOP : TOP_D;                                    \
        __m512 a = fa_min_abs(v, FA_PS(top));                                           \
        y = FA_PIECE(name, INDEX(a), a);                                                \
        y = _mm512_sub_ps(_mm512_max_ps(FA_PS(-0.0f), v), y);                           \
        s = FA_PIECE(name##_d, INDEX_D(a), a);                                          \
        s = _mm512_mask_sub_ps(s, fa_is_right(v), FA_PS(1.0f), s);                      \
        left = fa_less(v, FA_PS(-top));                                                 \
    )
FA_GATED(quick_gelu, FA_QUICK_GELU_TOP, FA_QUICK_GELU_INDEX, FA_QUICK_GELU_D_TOP,
         FA_QUICK_GELU_D_INDEX)
FA_GATED(gelu, FA_GELU_TOP, FA_GELU_INDEX, FA_GELU_D_TOP, FA_GELU_D_INDEX)
FA_GATED(gelu_tanh, FA_GELU_TANH_TOP, FA_GELU_TANH_INDEX, FA_GELU_TANH_D_TOP,
         FA_GELU_TANH_D_INDEX)

/* The same, but the right side has entries of its own. */
FA_LOOP(mish,
    __mmask16 right = fa_is_right(v);
    __m512 a_left = fa_min_abs(v, FA_PS(FA_MISH_TOP));
    __m512 a = _mm512_mask_min_ps(a_left, right, FA_PS(FA_MISH_RIGHT_TOP), v);
    __m512i at = _mm512_mask_mov_epi32(
        FA_MISH_INDEX(a), right, FA_MISH_RIGHT_INDEX(a)
    );
    y = _mm512_sub_ps(_mm512_max_ps(FA_PS(-0.0f), v), FA_PIECE(mish, at, a));
    s = FA_PIECE(mish_d, at, a);
    s = _mm512_mask_sub_ps(s, right, FA_PS(1.0f), s);
    left = fa_less(v, FA_PS(-FA_MISH_TOP));
)
