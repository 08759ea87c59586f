/* Steps of softmax and its kind for AVX-512 or AVX2: what _axis.pxd computes, by vectors.

   A step is 16 elements of a row: one fa_f32x, two fa_f64x.  Compilers make loops over
   arrays of them too, but convert by halves, and keep in memory what fits into registers.

   The numbers of a row as a whole stand in arrays, of FA_ROWS_AT_ONCE rows. */
#ifndef FASTACT_AXIS_ROWS_H
#define FASTACT_AXIS_ROWS_H
#include "_fetch.h"
#include "_vector64.h"
#include "_tables_axis.h"

#if defined(__AVX512F__)

typedef __m512 fa_f32x;
#define FA_PS16(x) _mm512_set1_ps(x)
#define fa_load32(p) _mm512_loadu_ps(p)
#define fa_store32(p, x) _mm512_storeu_ps(p, x)
#define fa_add32(a, b) _mm512_add_ps(a, b)
#define fa_sub32(a, b) _mm512_sub_ps(a, b)
#define fa_mul32(a, b) _mm512_mul_ps(a, b)
#define FA_MADD32(a, b, c) _mm512_fmadd_ps(a, b, c)
#define FA_NMADD32(a, b, c) _mm512_fnmadd_ps(a, b, c)
#define fa_max32(a, b) _mm512_max_ps(a, b)
/* bits of j, of 16 steps */
#define FA_ROW_BITS32 4
/* 2^(j/N) 2^(n + K), and what to add to the rest, for t with n N + j in its low bits */
#define fa_row_power_of32(t) _mm512_castsi512_ps(_mm512_add_epi32( \
    _mm512_slli_epi32(_mm512_castps_si512(t), 23 - FA_ROW_BITS32), \
    _mm512_castps_si512(fa_pick32((const float *)fa_row_power32, t)) \
))
#define fa_row_rest_of32(t) fa_pick32(fa_row_rest32, t)

FA_OP64 fa_f32x fa_pick32(const float *table, fa_f32x t) {
    return _mm512_permutexvar_ps(_mm512_castps_si512(t), _mm512_loadu_ps(table));
}
FA_OP64 __m256 fa_low32(fa_f32x x) {
    return _mm512_castps512_ps256(x);
}
FA_OP64 __m256 fa_high32(fa_f32x x) {
    return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1));
}
FA_OP64 fa_f64x fa_widen32(__m256 x) {
    return _mm512_cvtps_pd(x);
}
FA_OP64 fa_f64x fa_widen_at(const float *p) {
    return _mm512_cvtps_pd(_mm256_loadu_ps(p));
}
FA_OP64 __m256d fa_low64(fa_f64x x) {
    return _mm512_castpd512_pd256(x);
}
FA_OP64 __m256d fa_high64(fa_f64x x) {
    return _mm512_extractf64x4_pd(x, 1);
}

/* n < 16 elements, filled up (the others are not read), and back. */
FA_OP64 void fa_load_f32(const float *x, ptrdiff_t n, float fill, float *tail) {
    __mmask16 there = (__mmask16)((1u << n) - 1);
    _mm512_storeu_ps(tail, _mm512_mask_loadu_ps(_mm512_set1_ps(fill), there, x));
}
FA_OP64 void fa_store_f32(const float *tail, ptrdiff_t n, float *x) {
    __mmask16 there = (__mmask16)((1u << n) - 1);
    _mm512_mask_storeu_ps(x, there, _mm512_loadu_ps(tail));
}
FA_OP64 void fa_load_f64(
    const double *x, ptrdiff_t n, double fill, double *tail
) {
    unsigned there = (1u << n) - 1;
    __m512d all = _mm512_set1_pd(fill);
    _mm512_storeu_pd(tail, _mm512_mask_loadu_pd(all, (__mmask8)there, x));
    _mm512_storeu_pd(
        tail + 8, _mm512_mask_loadu_pd(all, (__mmask8)(there >> 8), x + 8)
    );
}
FA_OP64 void fa_store_f64(const double *tail, ptrdiff_t n, double *x) {
    unsigned there = (1u << n) - 1;
    _mm512_mask_storeu_pd(x, (__mmask8)there, _mm512_loadu_pd(tail));
    _mm512_mask_storeu_pd(x + 8, (__mmask8)(there >> 8), _mm512_loadu_pd(tail + 8));
}

#else

typedef struct {
    __m256 a, b;
} fa_f32x;
#define FA_TWO32(name, f) \
    FA_OP64 fa_f32x name(fa_f32x x, fa_f32x y) { \
        return (fa_f32x){f(x.a, y.a), f(x.b, y.b)}; \
    }
#define FA_THREE32(name, f) \
    FA_OP64 fa_f32x name(fa_f32x x, fa_f32x y, fa_f32x z) { \
        return (fa_f32x){f(x.a, y.a, z.a), f(x.b, y.b, z.b)}; \
    }
FA_TWO32(fa_add32, _mm256_add_ps)
FA_TWO32(fa_sub32, _mm256_sub_ps)
FA_TWO32(fa_mul32, _mm256_mul_ps)
FA_TWO32(fa_max32, _mm256_max_ps)
FA_THREE32(FA_MADD32, _mm256_fmadd_ps)
FA_THREE32(FA_NMADD32, _mm256_fnmadd_ps)

FA_OP64 fa_f32x FA_PS16(float x) {
    return (fa_f32x){_mm256_set1_ps(x), _mm256_set1_ps(x)};
}
FA_OP64 fa_f32x fa_load32(const float *p) {
    return (fa_f32x){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
FA_OP64 void fa_store32(float *p, fa_f32x x) {
    _mm256_storeu_ps(p, x.a);
    _mm256_storeu_ps(p + 8, x.b);
}
#define FA_ROW_BITS32 2
FA_OP64 __m256 fa_pick8(const float *table, __m256 t) {
    __m256 entries = _mm256_broadcast_ps((const __m128 *)table);
    return _mm256_permutevar_ps(entries, _mm256_castps_si256(t));
}
FA_OP64 __m256 fa_power8(__m256 t) {
    return _mm256_castsi256_ps(_mm256_add_epi32(
        _mm256_slli_epi32(_mm256_castps_si256(t), 23 - FA_ROW_BITS32),
        _mm256_castps_si256(fa_pick8((const float *)fa_row_power32, t))
    ));
}
FA_OP64 fa_f32x fa_row_power_of32(fa_f32x t) {
    return (fa_f32x){fa_power8(t.a), fa_power8(t.b)};
}
FA_OP64 fa_f32x fa_row_rest_of32(fa_f32x t) {
    return (fa_f32x){fa_pick8(fa_row_rest32, t.a), fa_pick8(fa_row_rest32, t.b)};
}
FA_OP64 __m256 fa_low32(fa_f32x x) {
    return x.a;
}
FA_OP64 __m256 fa_high32(fa_f32x x) {
    return x.b;
}
FA_OP64 fa_f64x fa_widen32(__m256 x) {
    return (fa_f64x){
        _mm256_cvtps_pd(_mm256_castps256_ps128(x)),
        _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1))
    };
}
FA_OP64 fa_f64x fa_widen_at(const float *p) {
    return (fa_f64x){
        _mm256_cvtps_pd(_mm_loadu_ps(p)), _mm256_cvtps_pd(_mm_loadu_ps(p + 4))
    };
}
FA_OP64 __m256d fa_low64(fa_f64x x) {
    return x.a;
}
FA_OP64 __m256d fa_high64(fa_f64x x) {
    return x.b;
}

#endif

FA_OP64 fa_f64x fa_row_power_of64(fa_f64x t) {
    fa_i64x bits = FA_BITS64(t);
    return FA_DOUBLE(fa_sum_of_bits64(
        fa_shift_left64(bits, 52 - FA_STEP_BITS64),
        FA_BITS64(FA_PICK64(fa_row_power64, FA_INDEX64(bits)))
    ));
}
FA_OP64 fa_f64x fa_row_rest_of64(fa_f64x t) {
    return FA_PICK64(fa_row_rest64, FA_INDEX64(FA_BITS64(t)));
}

/* The exponentials, e = 2^K exp(x - m) or exactly 2^K exp(x - m + c): exps() of _axis.pxd,
   but by steps of ln2 / N, N as many as one instruction picks from.

   With m = N' ln2 / N + c and k steps in x, x - m = (x - k ln2 / N) - c + (k - N') ln2 / N.
   The first difference is rounded once it is small, and so is what remains: 2^-31 (double:
   2^-60) of 1 for N = 16, four times that for N = 4.

   base is taken from x first, and x is not less than floor; see heads() there, which has
   the m and floor; and of x - m that is an integer N' less is back. */
typedef struct {
    fa_f32x base, m, floor, first, back;
} fa_head_f32;
typedef struct {
    fa_f64x base, m, floor, first, back;
} fa_head_f64;

#define FA_HEAD(head, ALL) \
    ALL(head[0]), ALL(head[FA_ROWS_AT_ONCE]), ALL(head[2 * FA_ROWS_AT_ONCE]), \
    ALL(head[3 * FA_ROWS_AT_ONCE]), ALL(head[4 * FA_ROWS_AT_ONCE])

/* A sum with it has an integer in its low bits. */
#define FA_ROW_MAGIC32 12582912.0f
#define FA_ROW_MAGIC64 6755399441055744.0

/* c and back of rows from their m; the numbers are ``apart`` elements apart. */
#define FA_HEADS(S, T, FMA, steps, magic) \
    FA_OP64 void fa_heads_##S( \
        T *head, ptrdiff_t rows, ptrdiff_t apart, const int exactly \
    ) { \
        for (ptrdiff_t r = 0; r < rows; r++) { \
            T m = head[apart + r], k = FMA(m, steps[0], magic) - magic; \
            T c = FMA(-k, steps[2], FMA(-k, steps[1], m)); \
            head[3 * apart + r] = exactly ? 0 : c; \
            head[4 * apart + r] = magic - k; \
        } \
    }
FA_HEADS(f32, float, __builtin_fmaf, fa_row_steps32, FA_ROW_MAGIC32)
FA_HEADS(f64, double, __builtin_fma, fa_row_steps64, FA_ROW_MAGIC64)

/* expm1(a - k ln2 / N - first), k steps, which t has in its low bits; first may be NULL. */
FA_OP64 fa_f32x fa_expm1_rest32(fa_f32x a, fa_f32x k, fa_f32x t, const fa_f32x *first) {
    fa_f32x r = FA_NMADD32(k, FA_PS16(fa_row_steps32[1]), a), p;
    if (first) r = fa_sub32(r, *first);
    r = fa_add32(r, FA_NMADD32(k, FA_PS16(fa_row_steps32[2]), fa_row_rest_of32(t)));
    int i = FA_COUNT64(fa_row_tail32) - 1;
    p = FA_PS16(fa_row_tail32[i]);
#pragma GCC unroll 4
    while (i-- > 0) p = FA_MADD32(p, r, FA_PS16(fa_row_tail32[i]));
    return FA_MADD32(fa_mul32(r, r), p, r);
}
FA_OP64 fa_f64x fa_expm1_rest64(fa_f64x a, fa_f64x k, fa_f64x t, const fa_f64x *first) {
    fa_f64x r = FA_NMADD64(k, FA_PD(fa_row_steps64[1]), a), r2;
    if (first) r = fa_sub64(r, *first);
    r = fa_add64(r, FA_NMADD64(k, FA_PD(fa_row_steps64[2]), fa_row_rest_of64(t)));
    r2 = fa_mul64(r, r);
    return FA_MADD64(
        r2, fa_polynomial64(r, r2, fa_row_tail64, FA_COUNT64(fa_row_tail64)), r
    );
}

/* An exponential of a row, of x less the base, and, exactly, what its last rounding takes
   added to lost; else lost is NULL. */
FA_OP64 fa_f32x fa_exp_of32(fa_f32x x, const fa_head_f32 *h, fa_f32x *lost) {
    fa_f32x a = fa_max32(h->floor, x), t, s, p, e;
    if (lost) t = FA_MADD32(a, FA_PS16(fa_row_steps32[0]), h->back);
    else t = FA_MADD32(fa_sub32(a, h->m), FA_PS16(fa_row_steps32[0]), FA_PS16(FA_ROW_MAGIC32));
    s = fa_row_power_of32(t);
    p = fa_expm1_rest32(a, fa_sub32(t, h->back), t, lost ? NULL : &h->first);
    e = FA_MADD32(s, p, s);
    if (lost) *lost = fa_add32(*lost, FA_MADD32(s, p, fa_sub32(s, e)));
    return e;
}

FA_OP64 fa_f64x fa_exp_of64(fa_f64x x, const fa_head_f64 *h, fa_f64x *lost) {
    fa_f64x a = fa_max64(h->floor, x), t, s, p, e;
    if (lost) t = FA_MADD64(a, FA_PD(fa_row_steps64[0]), h->back);
    else t = FA_MADD64(fa_sub64(a, h->m), FA_PD(fa_row_steps64[0]), FA_PD(FA_ROW_MAGIC64));
    s = fa_row_power_of64(t);
    p = fa_expm1_rest64(a, fa_sub64(t, h->back), t, lost ? NULL : &h->first);
    e = FA_MADD64(s, p, s);
    if (lost) *lost = fa_add64(*lost, FA_MADD64(s, p, fa_sub64(s, e)));
    return e;
}

/* Reductions of a row, n elements, a multiple of 16, and its tail if ``more``, to four
   lanes. */
FA_OP64 void fa_max_f32(
    const float *x, ptrdiff_t n, const float *tail, int more, float start, float *four
) {
    fa_f32x top = FA_PS16(start);
    __m256 half;
    ptrdiff_t i = 0;
    if (n >= 64) {  /* (four at a time: a maximum waits for the one before) */
        fa_f32x b = top, c = top, d = top;
        for (; i < (n & -64); i += 64) {
            top = fa_max32(fa_load32(x + i), top);
            b = fa_max32(fa_load32(x + i + 16), b);
            c = fa_max32(fa_load32(x + i + 32), c);
            d = fa_max32(fa_load32(x + i + 48), d);
        }
        top = fa_max32(fa_max32(top, b), fa_max32(c, d));
    }
    for (; i < n; i += 16) top = fa_max32(fa_load32(x + i), top);
    if (more) top = fa_max32(fa_load32(tail), top);
    half = _mm256_max_ps(fa_low32(top), fa_high32(top));
    _mm_storeu_ps(four, _mm_max_ps(
        _mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)
    ));
}

FA_OP64 void fa_max_f64(
    const double *x, ptrdiff_t n, const double *tail, int more, double start, double *four
) {
    fa_f64x top = FA_PD(start), more_top = top;
    for (ptrdiff_t i = 0; i < n; i += 16) {
        top = fa_max64(fa_load64(x + i), top);
        more_top = fa_max64(fa_load64(x + i + 8), more_top);
    }
    if (more) {
        top = fa_max64(fa_load64(tail), top);
        more_top = fa_max64(fa_load64(tail + 8), more_top);
    }
    top = fa_max64(top, more_top);
    _mm256_storeu_pd(four, _mm256_max_pd(fa_low64(top), fa_high64(top)));
}

/* The maxima of fa_rows() from four lanes each. */
FA_OP64 void fa_max_of_four_f32(const float *four, ptrdiff_t rows, float *top) {
    for (ptrdiff_t r = 0; r < rows; r += 4, four += 16) {
        __m128 a = _mm_loadu_ps(four), b = _mm_loadu_ps(four + 4);
        __m128 c = _mm_loadu_ps(four + 8), d = _mm_loadu_ps(four + 12);
        a = _mm_max_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
        c = _mm_max_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
        _mm_storeu_ps(top + r, _mm_max_ps(_mm_movelh_ps(a, c), _mm_movehl_ps(c, a)));
    }
}

FA_OP64 void fa_max_of_four_f64(const double *four, ptrdiff_t rows, double *top) {
    for (ptrdiff_t r = 0; r < rows; r += 4, four += 16) {
        __m256d a = _mm256_loadu_pd(four), b = _mm256_loadu_pd(four + 4);
        __m256d c = _mm256_loadu_pd(four + 8), d = _mm256_loadu_pd(four + 12);
        a = _mm256_max_pd(_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
        c = _mm256_max_pd(_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
        _mm256_storeu_pd(top + r, _mm256_max_pd(
            _mm256_permute2f128_pd(a, c, 0x20), _mm256_permute2f128_pd(a, c, 0x31)
        ));
    }
}

/* Of float rows the sums in double: lanes 0 to 7 and 8 to 15. */
typedef struct {
    fa_f64x a, b;
} fa_lanes_f32;

FA_OP64 void fa_add_f32(fa_lanes_f32 *sum, fa_f32x x) {
    sum->a = fa_add64(sum->a, fa_widen32(fa_low32(x)));
    sum->b = fa_add64(sum->b, fa_widen32(fa_high32(x)));
}

/* ... the first x of a row that has no other */
FA_OP64 void fa_add_last_f32(fa_lanes_f32 *sum, fa_f32x x, ptrdiff_t n) {
    if (n == 0) {
        sum->a = fa_widen32(fa_low32(x));
        sum->b = fa_widen32(fa_high32(x));
    } else {
        fa_add_f32(sum, x);
    }
}

FA_OP64 void fa_four_of_f32(const fa_lanes_f32 *sum, double *four) {
    fa_f64x half = fa_add64(sum->a, sum->b);
    _mm256_storeu_pd(four, _mm256_add_pd(fa_low64(half), fa_high64(half)));
}

/* The two halves of x in one. */
FA_OP64 fa_f64x fa_halves32(fa_f32x x) {
    return fa_widen32(_mm256_add_ps(fa_low32(x), fa_high32(x)));
}

/* e = 2^K exp(x - m) of a row (not kept if e is NULL), and their sum, as four lanes. */
FA_OP64 void fa_exps_f32(
    const float *x, float *e, ptrdiff_t n, const float *tail, float *e_tail, int more,
    const float *head, ptrdiff_t ahead, const int exactly, double *four
) {
    const fa_head_f32 h = {FA_HEAD(head, FA_PS16)};
    fa_lanes_f32 sum = {fa_zero64(), fa_zero64()};
    fa_f32x lost = FA_PS16(0.0f);
    for (ptrdiff_t at = 0; at < n; at += 1024) {
        float block[1024];
        ptrdiff_t m = n - at < 1024 ? n - at : 1024;
        float *to = e ? e + at : block;
        const float *from = x + at;
        if (head[0] != 0) {
            for (ptrdiff_t i = 0; i < m; i += 16) {
                fa_store32(to + i, fa_sub32(fa_load32(from + i), h.base));
            }
            from = to;
        }
        for (ptrdiff_t i = 0; i < m; i += 16) {
            FA_FETCH(x + at + i, ahead);
            if (e) FA_FETCH_OUT(to + i, ahead);
            fa_f32x v = fa_load32(from + i);
            fa_store32(to + i, fa_exp_of32(v, &h, exactly ? &lost : NULL));
        }
        for (ptrdiff_t i = 0; i < m; i += 16) {
            sum.a = fa_add64(sum.a, fa_widen_at(to + i));
            sum.b = fa_add64(sum.b, fa_widen_at(to + i + 8));
        }
    }
    if (more) {
        fa_f32x y = fa_exp_of32(fa_sub32(fa_load32(tail), h.base), &h, exactly ? &lost : NULL);
        if (n == 0) FA_FETCH(tail, ahead);
        if (e_tail) fa_store32(e_tail, y);
        fa_add_last_f32(&sum, y, n);
    }
    if (exactly) sum.a = fa_add64(sum.a, fa_halves32(lost));
    fa_four_of_f32(&sum, four);
}

/* ... of FA_ROWS_AT_ONCE rows of one step each */
FA_OP64 void fa_short_exps_f32(
    const float *x, float *e, const float *head, ptrdiff_t ahead, const int exactly,
    double *four
) {
    fa_f32x lost[FA_ROWS_AT_ONCE];
    for (int r = 0; r < FA_ROWS_AT_ONCE; r++) {
        const fa_head_f32 h = {FA_HEAD((head + r), FA_PS16)};
        FA_FETCH(x + 16 * r, ahead);
        lost[r] = FA_PS16(0.0f);
        fa_f32x v = fa_sub32(fa_load32(x + 16 * r), h.base);
        fa_store32(e + 16 * r, fa_exp_of32(v, &h, exactly ? lost + r : NULL));
    }
    for (int r = 0; r < FA_ROWS_AT_ONCE; r++) {
        fa_f64x sum = fa_add64(fa_widen_at(e + 16 * r), fa_widen_at(e + 16 * r + 8));
        if (exactly) sum = fa_add64(sum, fa_halves32(lost[r]));
        _mm256_storeu_pd(four + 4 * r, _mm256_add_pd(fa_low64(sum), fa_high64(sum)));
    }
}

/* Of double rows the sums with what they lost. */
typedef struct {
    fa_f64x a, b, a_low, b_low;
} fa_lanes_f64;

/* x is at most start, which makes the shorter FastTwoSum (Dekker) exact.  (Zen adds in two
   pipes and multiplies in two others: differences are left to these.) */
FA_OP64 void fa_add_near(fa_f64x *sum, fa_f64x *low, fa_f64x x) {
    const fa_f64x one = FA_PD(1.0);
    fa_f64x s = fa_add64(*sum, x), rest = FA_NMADD64(*sum, one, s);
    *low = fa_add64(*low, FA_NMADD64(rest, one, x));
    *sum = s;
}
/* (Knuth's TwoSum) */
FA_OP64 fa_f64x fa_sum_low64(fa_f64x a, fa_f64x x, fa_f64x s) {
    fa_f64x t = fa_sub64(s, a);
    return fa_add64(fa_sub64(a, fa_sub64(s, t)), fa_sub64(x, t));
}
FA_OP64 void fa_add_any(fa_f64x *sum, fa_f64x *low, fa_f64x x) {
    fa_f64x s = fa_add64(*sum, x);
    *low = fa_add64(*low, fa_sum_low64(*sum, x, s));
    *sum = s;
}
/* ... of 16 terms */
FA_OP64 void fa_add_any16(fa_lanes_f64 *sum, fa_f64x x, fa_f64x y) {
    fa_add_any(&sum->a, &sum->a_low, x);
    fa_add_any(&sum->b, &sum->b_low, y);
}
FA_OP64 void fa_add_near16(fa_lanes_f64 *sum, fa_f64x x, fa_f64x y) {
    fa_add_near(&sum->a, &sum->a_low, x);
    fa_add_near(&sum->b, &sum->b_low, y);
}
FA_OP64 __m256d fa_sum_low4(__m256d a, __m256d x, __m256d s) {
    __m256d t = _mm256_sub_pd(s, a);
    return _mm256_add_pd(_mm256_sub_pd(a, _mm256_sub_pd(s, t)), _mm256_sub_pd(x, t));
}
FA_OP64 void fa_add4(__m256d *sum, __m256d *low, __m256d x, __m256d x_low) {
    __m256d s = _mm256_add_pd(*sum, x);
    *low = _mm256_add_pd(*low, _mm256_add_pd(x_low, fa_sum_low4(*sum, x, s)));
    *sum = s;
}

FA_OP64 void fa_four_of_f64(const fa_lanes_f64 *sum, double *four, double *four_low) {
    fa_f64x s = fa_add64(sum->a, sum->b);
    fa_f64x low = fa_add64(
        sum->a_low, fa_add64(sum->b_low, fa_sum_low64(sum->a, sum->b, s))
    );
    __m256d half = fa_low64(s), half_low = fa_low64(low);
    fa_add4(&half, &half_low, fa_high64(s), fa_high64(low));
    _mm256_storeu_pd(four, half);
    _mm256_storeu_pd(four_low, half_low);
}

/* ... of 8 lanes that have lost nothing yet */
FA_OP64 void fa_four_of_pairs64(fa_f64x x, double *four, double *four_low) {
    __m256d a = fa_low64(x), b = fa_high64(x), s = _mm256_add_pd(a, b);
    _mm256_storeu_pd(four, s);
    _mm256_storeu_pd(four_low, fa_sum_low4(a, b, s));
}

FA_OP64 void fa_exps_f64(
    const double *x, double *e, ptrdiff_t n, const double *tail, double *e_tail, int more,
    const double *head, ptrdiff_t ahead, const int exactly, double start, double *four,
    double *four_low
) {
    const fa_head_f64 h = {FA_HEAD(head, FA_PD)};
    fa_lanes_f64 sum = {FA_PD(start), FA_PD(start), fa_zero64(), fa_zero64()};
    fa_f64x lost = fa_zero64();
    for (ptrdiff_t at = 0; at < n; at += 512) {
        double block[512];
        ptrdiff_t m = n - at < 512 ? n - at : 512;
        double *to = e ? e + at : block;
        const double *from = x + at;
        if (head[0] != 0) {
            for (ptrdiff_t i = 0; i < m; i += 8) {
                fa_store64(to + i, fa_sub64(fa_load64(from + i), h.base));
            }
            from = to;
        }
        for (ptrdiff_t i = 0; i < m; i += 8) {
            FA_FETCH(x + at + i, ahead);
            if (e) FA_FETCH_OUT(to + i, ahead);
            fa_f64x v = fa_load64(from + i);
            fa_store64(to + i, fa_exp_of64(v, &h, exactly ? &lost : NULL));
        }
        for (ptrdiff_t i = 0; i < m; i += 16) {
            fa_add_near16(&sum, fa_load64(to + i), fa_load64(to + i + 8));
        }
    }
    if (more) {
        fa_f64x y = fa_exp_of64(fa_sub64(fa_load64(tail), h.base), &h, exactly ? &lost : NULL);
        if (n == 0) { FA_FETCH(tail, ahead); FA_FETCH(tail + 8, ahead); }
        fa_f64x z = fa_exp_of64(fa_sub64(fa_load64(tail + 8), h.base), &h, exactly ? &lost : NULL);
        if (e_tail) {
            fa_store64(e_tail, y);
            fa_store64(e_tail + 8, z);
        }
        fa_add_near16(&sum, y, z);
    }
    if (exactly) sum.a_low = fa_add64(sum.a_low, lost);
    fa_four_of_f64(&sum, four, four_low);
}

FA_OP64 void fa_short_exps_f64(
    const double *x, double *e, const double *head, ptrdiff_t ahead, const int exactly,
    double start, double *four, double *four_low
) {
    fa_f64x lost[FA_ROWS_AT_ONCE];
    for (int r = 0; r < FA_ROWS_AT_ONCE; r++) {
        const fa_head_f64 h = {FA_HEAD((head + r), FA_PD)};
        lost[r] = fa_zero64();
        for (int k = 0; k < 16; k += 8) {
            FA_FETCH(x + 16 * r + k, ahead);
            fa_f64x v = fa_sub64(fa_load64(x + 16 * r + k), h.base);
            fa_store64(e + 16 * r + k, fa_exp_of64(v, &h, exactly ? lost + r : NULL));
        }
    }
    for (int r = 0; r < FA_ROWS_AT_ONCE; r++) {
        fa_lanes_f64 sum = {FA_PD(start), FA_PD(start), lost[r], fa_zero64()};
        fa_add_near16(&sum, fa_load64(e + 16 * r), fa_load64(e + 16 * r + 8));
        fa_four_of_f64(&sum, four + 4 * r, four_low + 4 * r);
    }
}

/* The sums of fa_rows() from four lanes each, to hi (and lo). */
FA_OP64 void fa_add_four_f32(const double *four, ptrdiff_t rows, double *hi) {
    for (ptrdiff_t r = 0; r < rows; r += 4, four += 16) {
        __m256d a = _mm256_loadu_pd(four), b = _mm256_loadu_pd(four + 4);
        __m256d c = _mm256_loadu_pd(four + 8), d = _mm256_loadu_pd(four + 12);
        a = _mm256_add_pd(
            _mm256_permute2f128_pd(a, b, 0x20), _mm256_permute2f128_pd(a, b, 0x31)
        );
        c = _mm256_add_pd(
            _mm256_permute2f128_pd(c, d, 0x20), _mm256_permute2f128_pd(c, d, 0x31)
        );
        a = _mm256_add_pd(_mm256_unpacklo_pd(a, c), _mm256_unpackhi_pd(a, c));
        a = _mm256_permute4x64_pd(a, 0xd8);
        _mm256_storeu_pd(hi + r, _mm256_add_pd(_mm256_loadu_pd(hi + r), a));
    }
}

FA_OP64 void fa_add_four_f64(
    const double *four, const double *low, ptrdiff_t rows, double start, double *hi,
    double *lo
) {
    for (ptrdiff_t r = 0; r < rows; r += 4, four += 16, low += 16) {
        __m256d a = _mm256_loadu_pd(four), b = _mm256_loadu_pd(four + 4);
        __m256d c = _mm256_loadu_pd(four + 8), d = _mm256_loadu_pd(four + 12);
        __m256d al = _mm256_loadu_pd(low), bl = _mm256_loadu_pd(low + 4);
        __m256d cl = _mm256_loadu_pd(low + 8), dl = _mm256_loadu_pd(low + 12);
        __m256d s, sl;
        s = _mm256_permute2f128_pd(a, b, 0x20);
        sl = _mm256_permute2f128_pd(al, bl, 0x20);
        fa_add4(
            &s, &sl, _mm256_permute2f128_pd(a, b, 0x31),
            _mm256_permute2f128_pd(al, bl, 0x31)
        );
        a = _mm256_permute2f128_pd(c, d, 0x20);
        al = _mm256_permute2f128_pd(cl, dl, 0x20);
        fa_add4(
            &a, &al, _mm256_permute2f128_pd(c, d, 0x31),
            _mm256_permute2f128_pd(cl, dl, 0x31)
        );
        b = _mm256_unpacklo_pd(s, a);
        bl = _mm256_unpacklo_pd(sl, al);
        fa_add4(&b, &bl, _mm256_unpackhi_pd(s, a), _mm256_unpackhi_pd(sl, al));
        b = _mm256_sub_pd(_mm256_permute4x64_pd(b, 0xd8), _mm256_set1_pd(16 * start));
        bl = _mm256_permute4x64_pd(bl, 0xd8);
        s = _mm256_loadu_pd(hi + r);
        sl = _mm256_loadu_pd(lo + r);
        fa_add4(&s, &sl, b, bl);
        _mm256_storeu_pd(hi + r, s);
        _mm256_storeu_pd(lo + r, sl);
    }
}

/* y (factor + low), in float less 2^K. */
FA_OP64 void fa_scale_f32(const float *e, float *y, ptrdiff_t n, float factor, float low) {
    for (ptrdiff_t i = 0; i < n; i += 16) {
        fa_f32x x = fa_load32(e + i);
        x = FA_MADD32(x, FA_PS16(factor), fa_mul32(x, FA_PS16(low)));
        fa_store32(y + i, fa_mul32(x, FA_PS16(7.888609052210118e-31f)));
    }
}
FA_OP64 void fa_scale_f64(
    const double *e, double *y, ptrdiff_t n, double factor, double low
) {
    for (ptrdiff_t i = 0; i < n; i += 8) {
        fa_f64x x = fa_load64(e + i);
        fa_store64(y + i, FA_MADD64(x, FA_PD(factor), fa_mul64(x, FA_PD(low))));
    }
}

/* sum(g y), then gx = y ((g - sum) - low).

   For gradients, terms are added in pairs first: what a sum of 16 lanes does to each of
   them is what takes time, and this costs half an ulp of the size of the terms.  The pairs
   of a short row are those of its halves. */
FA_OP64 void fa_dot_f32(
    const float *g, const float *y, ptrdiff_t n, const float *tail, const float *y_tail,
    int more, float *gx, double *four
) {
    fa_lanes_f32 sum = {fa_zero64(), fa_zero64()};
    ptrdiff_t i = 0;
    if (n == 0) {
        fa_f64x half;
        if (gx) FA_FETCH_OUT(gx, 0);
        half = fa_widen32(_mm256_fmadd_ps(
            _mm256_loadu_ps(tail + 8), _mm256_loadu_ps(y_tail + 8),
            _mm256_mul_ps(_mm256_loadu_ps(tail), _mm256_loadu_ps(y_tail))
        ));
        _mm256_storeu_pd(four, _mm256_add_pd(fa_low64(half), fa_high64(half)));
        return;
    }
    for (; i < (n & -32); i += 32) {
        fa_f32x p = fa_mul32(fa_load32(g + i), fa_load32(y + i));
        if (gx) {
            FA_FETCH_OUT(gx, i);
            FA_FETCH_OUT(gx, i + 16);
        }
        fa_add_f32(&sum, FA_MADD32(fa_load32(g + i + 16), fa_load32(y + i + 16), p));
    }
    if (i < n) fa_add_f32(&sum, fa_mul32(fa_load32(g + i), fa_load32(y + i)));
    if (more) fa_add_f32(&sum, fa_mul32(fa_load32(tail), fa_load32(y_tail)));
    fa_four_of_f32(&sum, four);
}
FA_OP64 void fa_dot_f64(
    const double *g, const double *y, ptrdiff_t n, const double *tail,
    const double *y_tail, int more, double *gx, double *four, double *four_low
) {
    fa_lanes_f64 sum = {fa_zero64(), fa_zero64(), fa_zero64(), fa_zero64()};
    ptrdiff_t i = 0;
    if (n == 0) {
        if (gx) FA_FETCH_OUT(gx, 0);
        fa_four_of_pairs64(
            FA_MADD64(
                fa_load64(tail + 8), fa_load64(y_tail + 8),
                fa_mul64(fa_load64(tail), fa_load64(y_tail))
            ),
            four, four_low
        );
        return;
    }
    for (; i < (n & -32); i += 32) {
        fa_f64x p = fa_mul64(fa_load64(g + i), fa_load64(y + i));
        fa_f64x q = fa_mul64(fa_load64(g + i + 8), fa_load64(y + i + 8));
        if (gx) {
            FA_FETCH_OUT(gx, i);
            FA_FETCH_OUT(gx, i + 8);
            FA_FETCH_OUT(gx, i + 16);
            FA_FETCH_OUT(gx, i + 24);
        }
        p = FA_MADD64(fa_load64(g + i + 16), fa_load64(y + i + 16), p);
        q = FA_MADD64(fa_load64(g + i + 24), fa_load64(y + i + 24), q);
        fa_add_any16(&sum, p, q);
    }
    if (i < n) {
        fa_add_any16(
            &sum, fa_mul64(fa_load64(g + i), fa_load64(y + i)),
            fa_mul64(fa_load64(g + i + 8), fa_load64(y + i + 8))
        );
    }
    if (more) {
        fa_add_any16(
            &sum, fa_mul64(fa_load64(tail), fa_load64(y_tail)),
            fa_mul64(fa_load64(tail + 8), fa_load64(y_tail + 8))
        );
    }
    fa_four_of_f64(&sum, four, four_low);
}
FA_OP64 void fa_centred_f32(
    const float *g, const float *y, float *gx, ptrdiff_t n, float dot, float low
) {
    for (ptrdiff_t i = 0; i < n; i += 16) {
        fa_f32x d = fa_sub32(fa_sub32(fa_load32(g + i), FA_PS16(dot)), FA_PS16(low));
        fa_store32(gx + i, fa_mul32(fa_load32(y + i), d));
    }
}
FA_OP64 void fa_centred_f64(
    const double *g, const double *y, double *gx, ptrdiff_t n, double dot, double low
) {
    for (ptrdiff_t i = 0; i < n; i += 8) {
        fa_f64x d = fa_sub64(fa_sub64(fa_load64(g + i), FA_PD(dot)), FA_PD(low));
        fa_store64(gx + i, fa_mul64(fa_load64(y + i), d));
    }
}

/* sum(g) */
FA_OP64 void fa_sum_f32(
    const float *x, ptrdiff_t n, const float *tail, int more, double *four
) {
    fa_lanes_f32 sum = {fa_zero64(), fa_zero64()};
    for (ptrdiff_t i = 0; i < n; i += 16) fa_add_f32(&sum, fa_load32(x + i));
    if (more) fa_add_last_f32(&sum, fa_load32(tail), n);
    fa_four_of_f32(&sum, four);
}
FA_OP64 void fa_sum_near_f64(
    const double *x, ptrdiff_t n, const double *tail, int more, double start,
    double *four, double *four_low
) {
    fa_lanes_f64 sum = {FA_PD(start), FA_PD(start), fa_zero64(), fa_zero64()};
    for (ptrdiff_t i = 0; i < n; i += 16) {
        fa_add_near16(&sum, fa_load64(x + i), fa_load64(x + i + 8));
    }
    if (more) {
        fa_add_near16(&sum, fa_load64(tail), fa_load64(tail + 8));
    }
    fa_four_of_f64(&sum, four, four_low);
}
FA_OP64 void fa_sum_pairs_f32(
    const float *g, ptrdiff_t n, const float *tail, int more, double *four
) {
    fa_lanes_f32 sum = {fa_zero64(), fa_zero64()};
    ptrdiff_t i = 0;
    if (n == 0) {
        fa_f64x half = fa_widen32(
            _mm256_add_ps(_mm256_loadu_ps(tail), _mm256_loadu_ps(tail + 8))
        );
        _mm256_storeu_pd(four, _mm256_add_pd(fa_low64(half), fa_high64(half)));
        return;
    }
    for (; i < (n & -32); i += 32) {
        fa_add_f32(&sum, fa_add32(fa_load32(g + i), fa_load32(g + i + 16)));
    }
    if (i < n) fa_add_f32(&sum, fa_load32(g + i));
    if (more) fa_add_f32(&sum, fa_load32(tail));
    fa_four_of_f32(&sum, four);
}
FA_OP64 void fa_sum_pairs_f64(
    const double *g, ptrdiff_t n, const double *tail, int more, double *four,
    double *four_low
) {
    fa_lanes_f64 sum = {fa_zero64(), fa_zero64(), fa_zero64(), fa_zero64()};
    ptrdiff_t i = 0;
    if (n == 0) {
        fa_four_of_pairs64(
            fa_add64(fa_load64(tail), fa_load64(tail + 8)), four, four_low
        );
        return;
    }
    for (; i < (n & -32); i += 32) {
        fa_add_any16(
            &sum, fa_add64(fa_load64(g + i), fa_load64(g + i + 16)),
            fa_add64(fa_load64(g + i + 8), fa_load64(g + i + 24))
        );
    }
    if (i < n) {
        fa_add_any16(&sum, fa_load64(g + i), fa_load64(g + i + 8));
    }
    if (more) {
        fa_add_any16(&sum, fa_load64(tail), fa_load64(tail + 8));
    }
    fa_four_of_f64(&sum, four, four_low);
}
/* ... of the dominated rows' exponentials, which are not in any order of size */
FA_OP64 void fa_sum_f64(
    const double *g, ptrdiff_t n, const double *tail, int more, double *four,
    double *four_low
) {
    fa_lanes_f64 sum = {fa_zero64(), fa_zero64(), fa_zero64(), fa_zero64()};
    for (ptrdiff_t i = 0; i < n; i += 16) {
        fa_add_any16(&sum, fa_load64(g + i), fa_load64(g + i + 8));
    }
    if (more) {
        fa_add_any16(&sum, fa_load64(tail), fa_load64(tail + 8));
    }
    fa_four_of_f64(&sum, four, four_low);
}

/* g - exp(y) (sum + low): less_exp() */
FA_OP64 fa_f32x fa_less_exp32(fa_f32x g, fa_f32x y, fa_f32x sum, fa_f32x low) {
    const fa_f32x magic = FA_PS16(FA_ROW_MAGIC32 - (50 << FA_ROW_BITS32));
    fa_f32x a = fa_max32(FA_PS16(-120.0f), y);
    fa_f32x t = FA_MADD32(a, FA_PS16(fa_row_steps32[0]), magic), s = fa_row_power_of32(t);
    a = FA_MADD32(s, fa_expm1_rest32(a, fa_sub32(t, magic), t, NULL), s);
    return FA_NMADD32(a, low, FA_NMADD32(a, sum, g));
}
FA_OP64 fa_f64x fa_less_exp64(fa_f64x g, fa_f64x y, fa_f64x sum, fa_f64x low) {
    const fa_f64x magic = FA_PD(FA_ROW_MAGIC64 - 150 * FA_STEPS64);
    fa_f64x a = fa_max64(FA_PD(-800.0), y);
    fa_f64x t = FA_MADD64(a, FA_PD(fa_row_steps64[0]), magic), s = fa_row_power_of64(t);
    a = FA_MADD64(s, fa_expm1_rest64(a, fa_sub64(t, magic), t, NULL), s);
    return FA_NMADD64(a, low, FA_NMADD64(a, sum, g));
}
FA_OP64 void fa_less_exps_f32(
    const float *g, const float *y, float *gx, ptrdiff_t n, float sum, float low,
    ptrdiff_t ahead
) {
    for (ptrdiff_t i = 0; i < n; i += 16) {
        FA_FETCH(g + i, ahead);
        FA_FETCH(y + i, ahead);
        FA_FETCH_OUT(gx + i, ahead);
        fa_store32(gx + i, fa_less_exp32(
            fa_load32(g + i), fa_load32(y + i), FA_PS16(sum), FA_PS16(low)
        ));
    }
}
FA_OP64 void fa_less_exps_f64(
    const double *g, const double *y, double *gx, ptrdiff_t n, double sum, double low,
    ptrdiff_t ahead
) {
    for (ptrdiff_t i = 0; i < n; i += 8) {
        FA_FETCH(g + i, ahead);
        FA_FETCH(y + i, ahead);
        FA_FETCH_OUT(gx + i, ahead);
        fa_store64(gx + i, fa_less_exp64(
            fa_load64(g + i), fa_load64(y + i), FA_PD(sum), FA_PD(low)
        ));
    }
}

/* x - (sum + rest): minus_sum(), with differences as in fa_add_near() */
FA_OP64 void fa_minus_sum_f32(
    const float *x, float *y, ptrdiff_t n, float sum, float rest
) {
    const fa_f32x one = FA_PS16(1.0f);
    for (ptrdiff_t i = 0; i < n; i += 16) {
        fa_f32x a = fa_load32(x + i), d = FA_MADD32(a, one, FA_PS16(-sum)), e;
        e = FA_NMADD32(fa_add32(d, FA_PS16(sum)), one, a);
        e = fa_max32(e, FA_PS16(-1e38f));
        fa_store32(y + i, fa_add32(d, fa_sub32(e, FA_PS16(rest))));
    }
}
FA_OP64 void fa_minus_sum_f64(
    const double *x, double *y, ptrdiff_t n, double sum, double rest
) {
    const fa_f64x one = FA_PD(1.0);
    for (ptrdiff_t i = 0; i < n; i += 8) {
        fa_f64x a = fa_load64(x + i), d = FA_MADD64(a, one, FA_PD(-sum)), e;
        e = FA_NMADD64(fa_add64(d, FA_PD(sum)), one, a);
        e = fa_max64(e, FA_PD(-1e38));
        fa_store64(y + i, fa_add64(d, fa_sub64(e, FA_PD(rest))));
    }
}

#endif
