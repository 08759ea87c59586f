/* float32 by look-up, for AVX-512: an interval for each of 32 ranges of a = |x|, a
   polynomial for each, its coefficients picked by vpermt2ps.  The compiler does not find
   this instruction by itself, hence intrinsics; the tables, and why their errors are
   small, are in tools/tables.py.

   Each function computes what its namesake in _formulas.pxd does, with default
   parameters: f, or d, or both (the other is NULL), of n elements, a multiple of 16 and
   at most FA_LOOK_UP.  Where |x| lies beyond the tables and the result is not the limit, it
   leaves the element to that formula: see fa_rest.  NaN stays NaN. */
#include <immintrin.h>
#include <stddef.h>
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

/* u = d p1 + d^2 Q, what F(c + d) is but for p0, where there is no b.

   Neighbouring x may be closer together than results are.  u rises with d, where
   d (p1 + d Q) may not: p1 + d Q is a number of few digits. */
FA_INLINE_ALWAYS __m512 fa_rise(
    const float (*table)[32], int rows, __m512i at, __m512 d, __m512 p1
) {
    __m512 q = fa_polynomial(table, 3, rows, at, d);
    return _mm512_fmadd_ps(d, p1, _mm512_mul_ps(_mm512_mul_ps(d, d), q));
}

/* F(a) as p0 + u. */
FA_INLINE_ALWAYS __m512 fa_rising(
    const float (*table)[32], int rows, __m512i at, __m512 a
) {
    __m512 d = _mm512_sub_ps(a, fa_pick(table[0], at));
    __m512 u = fa_rise(table, rows, at, d, fa_pick(table[2], at));
    return _mm512_add_ps(fa_pick(table[1], at), u);
}

/* The loop around what computes y = f(v) and s = f'(v), of which the compiler drops the
   one that is not asked for, and the lanes to leave to the formula. */
#define FA_LOOP(name, ...)                                                              \
    FA_INLINE_ALWAYS void fa_##name##_loop(                                             \
        const float *x, float *f, float *d, ptrdiff_t n, fa_rest *rest,                 \
        const int with_f, const int with_d                                              \
    ) {                                                                                 \
        int any = 0;                                                                    \
        for (ptrdiff_t i = 0; i < n; i += 16) {                                         \
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
        const float *x, float *f, float *d, ptrdiff_t n, fa_rest *rest                  \
    ) {                                                                                 \
        if (!d) fa_##name##_loop(x, f, d, n, rest, 1, 0);                               \
        else if (!f) fa_##name##_loop(x, f, d, n, rest, 0, 1);                          \
        else fa_##name##_loop(x, f, d, n, rest, 1, 1);                                  \
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
    y = FA_PIECE(sigmoid, at, a);
    y = _mm512_mask_sub_ps(y, fa_is_right(v), FA_PS(1.0f), y);
    s = FA_PIECE(sigmoid_d, at, a);
    left = fa_less(FA_PS(FA_SIGMOID_TOP), with_d ? _mm512_abs_ps(v) : fa_minus(v));
)

/* softplus: log(1 + exp(-a)), and in the lanes ``plus`` a more (there p0 and p1 are those
   of the sum), as p0 + u: see fa_rise(). */
FA_INLINE_ALWAYS __m512 fa_softplus_parts(__m512 a, __mmask16 plus, __m512 *p0) {
    const float (*table)[32] = fa_table_softplus;
    __m512i at = FA_SOFTPLUS_INDEX(a);
    __m512 d = _mm512_sub_ps(a, fa_pick(table[0], at)), p1 = fa_pick(table[2], at);
    *p0 = _mm512_mask_mov_ps(fa_pick(table[1], at), plus, fa_pick(fa_plus_softplus, at));
    p1 = _mm512_mask_add_ps(p1, plus, p1, FA_PS(1.0f));
    return fa_rise(table, FA_ROWS_OF(softplus), at, d, p1);
}

/* Beyond the table, x; f' is the sigmoid. */
FA_LOOP(softplus,
    __mmask16 right = fa_is_right(v);
    __m512 a = fa_min_abs(v, FA_PS(FA_SOFTPLUS_TOP)), p0;
    __m512 u = fa_softplus_parts(a, right, &p0);
    y = _mm512_max_ps(_mm512_add_ps(p0, u), v);
    s = FA_PIECE(sigmoid, FA_SIGMOID_INDEX(a), a);
    s = _mm512_mask_sub_ps(s, right, FA_PS(1.0f), s);
    left = fa_less(v, FA_PS(-FA_SOFTPLUS_TOP));
)

/* -softplus(-x) */
FA_LOOP(log_sigmoid,
    __mmask16 negative = fa_is_left(v);
    __m512 a = fa_min_abs(v, FA_PS(FA_SOFTPLUS_TOP)), p0;
    __m512 u = fa_softplus_parts(a, negative, &p0);
    y = _mm512_min_ps(_mm512_sub_ps(fa_minus(p0), u), v);
    s = FA_PIECE(sigmoid, FA_SIGMOID_INDEX(a), a);
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

/* -F(a) on the left, which ends at a limit; scale x on the right. */
#define FA_ELU(name, table, TOP, INDEX, TOP_D, INDEX_D, scale)                          \
    FA_LOOP(name,                                                                       \
        __m512 a = fa_min_abs(v, FA_PS(TOP));                                           \
        y = scale == 1 ? v : fa_scaled(v, scale);                                       \
        y = _mm512_mask_sub_ps(                                                         \
            y, fa_is_left(v), FA_PS(-0.0f), FA_PIECE(table, INDEX(a), a)                \
        );                                                                              \
        a = fa_min_abs(v, FA_PS(TOP_D));                                                \
        /* (0 is on the left, and so is NaN) */                                         \
        s = _mm512_mask_mov_ps(                                                         \
            FA_PS((float)scale), _mm512_cmp_ps_mask(v, FA_PS(0.0f), _CMP_NGT_UQ),       \
            fa_rising(fa_table_##table##_d, FA_ROWS_OF(table##_d), INDEX_D(a), a)       \
        );                                                                              \
        left = with_d ? fa_less(v, FA_PS(-TOP_D)) : 0;                                  \
    )
FA_ELU(elu, elu, FA_ELU_TOP, FA_ELU_INDEX, FA_ELU_D_TOP, FA_ELU_D_INDEX, 1.0)
FA_ELU(celu, elu, FA_ELU_TOP, FA_ELU_INDEX, FA_ELU_D_TOP, FA_ELU_D_INDEX, 1.0)
FA_ELU(selu, selu, FA_SELU_TOP, FA_SELU_INDEX, FA_SELU_D_TOP, FA_SELU_D_INDEX,
       1.0507009873554805)

/* x times a sigmoid of x: -F(a) on the left, x - F(a) on the right; f'(x) = 1 - f'(-x).
   Value and derivative end at the same a, or the pair would differ from them. */       \
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
FA_GATED(silu, FA_SILU_TOP, FA_SILU_INDEX, FA_SILU_D_TOP, FA_SILU_D_INDEX)
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
