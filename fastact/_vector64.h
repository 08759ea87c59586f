/* Vectors of doubles of AVX-512 or AVX2: what _float64.h is written in.

   A name ends in 64 as there are such functions of float32 elsewhere.  A compare gives a
   fa_m64x, which only FA_SELECT64 and FA_KEEP64 take.

   The tables have as many entries as one instruction picks from, FA_STEPS64: fewer of them
   leave more to the polynomials, which have more terms then. */
#ifndef FASTACT_VECTOR64_H
#define FASTACT_VECTOR64_H
#include <immintrin.h>
#include <stdint.h>

#define FA_OP64 static inline __attribute__((always_inline))
#define FA_COUNT64(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* The sign bit of x, of either kind of vector. */
#define fa_sign64(x) fa_and64(FA_PD(-0.0), x)

#if defined(__AVX512F__)

typedef __m512d fa_f64x;
typedef __m512i fa_i64x;
typedef __mmask8 fa_m64x;
/* doubles in a vector, and entries of a table, 2^FA_STEP_BITS64 */
#define FA_WIDTH64 8
#define FA_STEPS64 16
#define FA_STEP_BITS64 4

#define FA_PD(x) _mm512_set1_pd(x)
#define FA_WORD(x) _mm512_set1_epi64(x)
#define FA_BITS64(x) _mm512_castpd_si512(x)
#define FA_DOUBLE(x) _mm512_castsi512_pd(x)
#define fa_load64(p) _mm512_loadu_pd(p)
#define fa_store64(p, x) _mm512_storeu_pd(p, x)
#define fa_zero64() _mm512_setzero_pd()
#define fa_add64(a, b) _mm512_add_pd(a, b)
#define fa_sub64(a, b) _mm512_sub_pd(a, b)
#define fa_mul64(a, b) _mm512_mul_pd(a, b)
#define fa_div64(a, b) _mm512_div_pd(a, b)
/* NaN only if the second operand is. */
#define fa_min64(a, b) _mm512_min_pd(a, b)
#define fa_max64(a, b) _mm512_max_pd(a, b)
/* a b + c, c - a b, a b - c */
#define FA_MADD64(a, b, c) _mm512_fmadd_pd(a, b, c)
#define FA_NMADD64(a, b, c) _mm512_fnmadd_pd(a, b, c)
#define FA_MSUB64(a, b, c) _mm512_fmsub_pd(a, b, c)
#define FA_COMPARE64(a, b, how) _mm512_cmp_pd_mask(a, b, how)
/* where x has a sign */
#define FA_SIGNED64(x) _mm512_movepi64_mask(FA_BITS64(x))
/* where: a; elsewhere b, or 0 */
#define FA_SELECT64(where, a, b) _mm512_mask_mov_pd(b, where, a)
#define FA_KEEP64(where, a) _mm512_maskz_mov_pd(where, a)
/* Whether a compare holds anywhere. */
#define FA_ANY64(where) ((where) != 0)
#define fa_and64(a, b) FA_DOUBLE(_mm512_and_si512(FA_BITS64(a), FA_BITS64(b)))
#define fa_or64(a, b) FA_DOUBLE(_mm512_or_si512(FA_BITS64(a), FA_BITS64(b)))
#define fa_xor64(a, b) FA_DOUBLE(_mm512_xor_si512(FA_BITS64(a), FA_BITS64(b)))
/* sums and shifts of bits */
#define fa_sum_of_bits64(a, b) _mm512_add_epi64(a, b)
#define fa_shift_left64(a, by) _mm512_slli_epi64(a, by)
#define fa_shift_right64(a, by) _mm512_srli_epi64(a, by)
/* What FA_PICK64 takes, and the entry of each lane, by the low bits of ``bits``. */
#define FA_INDEX64(bits) (bits)
#define FA_PICK64(name, at) \
    _mm512_permutex2var_pd(fa_load64(name), at, fa_load64(name + 8))

#define FA_MINUS64 FA_WORD((long long)(1ULL << 63))

FA_OP64 fa_f64x fa_abs64(fa_f64x x) {
    return _mm512_abs_pd(x);
}

/* y with the sign of x. */
FA_OP64 fa_f64x fa_copysign64(fa_f64x y, fa_f64x x) {
    return FA_DOUBLE(_mm512_ternarylogic_epi64(
        FA_BITS64(y), FA_BITS64(x), FA_MINUS64, 0xd8
    ));
}

/* ---- by the sign of x ---- */

/* -0 or x */
FA_OP64 fa_f64x fa_above64(fa_f64x x) {
    fa_i64x neg = _mm512_srai_epi64(FA_BITS64(x), 63);
    return FA_DOUBLE(_mm512_ternarylogic_epi64(neg, FA_BITS64(x), FA_MINUS64, 0x8c));
}

/* 0 or 1 */
FA_OP64 fa_f64x fa_base_of(fa_f64x x) {
    fa_i64x neg = _mm512_srai_epi64(FA_BITS64(x), 63);
    return FA_DOUBLE(_mm512_andnot_si512(neg, FA_BITS64(FA_PD(1.0))));
}

/* scale or -scale */
FA_OP64 fa_f64x fa_scale_of(fa_f64x x, double scale) {
    fa_i64x neg = _mm512_srai_epi64(FA_BITS64(x), 63);
    return FA_DOUBLE(_mm512_ternarylogic_epi64(
        neg, FA_BITS64(FA_PD(-scale)), FA_MINUS64, 0x6c
    ));
}

#else

/* Two vectors: independent chains of operations, which a processor with a small window
   would not find in the next round of a loop. */
typedef struct {
    __m256d a, b;
} fa_f64x;
typedef struct {
    __m256i a, b;
} fa_i64x;
/* (all bits of a lane, or none; selections see only its sign) */
typedef fa_f64x fa_m64x;
#define FA_WIDTH64 8
#define FA_STEPS64 4
#define FA_STEP_BITS64 2

#define FA_ALL64(name, type, T, value) \
    FA_OP64 type name(T x) { return (type){value, value}; }
#define FA_ONE64(name, type, T, f) \
    FA_OP64 type name(T x) { return (type){f(x.a), f(x.b)}; }
#define FA_TWO64(name, type, f) \
    FA_OP64 type name(type x, type y) { return (type){f(x.a, y.a), f(x.b, y.b)}; }
#define FA_THREE64(name, f) \
    FA_OP64 fa_f64x name(fa_f64x x, fa_f64x y, fa_f64x z) { \
        return (fa_f64x){f(x.a, y.a, z.a), f(x.b, y.b, z.b)}; \
    }
#define FA_SHIFT64(name, f) \
    FA_OP64 fa_i64x name(fa_i64x x, const int by) { \
        return (fa_i64x){f(x.a, by), f(x.b, by)}; \
    }

FA_ALL64(FA_PD, fa_f64x, double, _mm256_set1_pd(x))
FA_ALL64(FA_WORD, fa_i64x, long long, _mm256_set1_epi64x(x))
FA_ONE64(FA_BITS64, fa_i64x, fa_f64x, _mm256_castpd_si256)
FA_ONE64(FA_DOUBLE, fa_f64x, fa_i64x, _mm256_castsi256_pd)
FA_ONE64(fa_sqrt64, fa_f64x, fa_f64x, _mm256_sqrt_pd)
FA_TWO64(fa_add64, fa_f64x, _mm256_add_pd)
FA_TWO64(fa_sub64, fa_f64x, _mm256_sub_pd)
FA_TWO64(fa_mul64, fa_f64x, _mm256_mul_pd)
FA_TWO64(fa_div64, fa_f64x, _mm256_div_pd)
FA_TWO64(fa_min64, fa_f64x, _mm256_min_pd)
FA_TWO64(fa_max64, fa_f64x, _mm256_max_pd)
FA_TWO64(fa_and64, fa_f64x, _mm256_and_pd)
FA_TWO64(fa_andnot64, fa_f64x, _mm256_andnot_pd)
FA_TWO64(fa_or64, fa_f64x, _mm256_or_pd)
FA_TWO64(fa_xor64, fa_f64x, _mm256_xor_pd)
FA_TWO64(fa_sum_of_bits64, fa_i64x, _mm256_add_epi64)
FA_SHIFT64(fa_shift_left64, _mm256_slli_epi64)
FA_SHIFT64(fa_shift_right64, _mm256_srli_epi64)
FA_THREE64(FA_MADD64, _mm256_fmadd_pd)
FA_THREE64(FA_NMADD64, _mm256_fnmadd_pd)
FA_THREE64(FA_MSUB64, _mm256_fmsub_pd)
#define fa_zero64() FA_PD(0.0)
#define FA_SIGNED64(x) (x)
#define FA_KEEP64(where, x) fa_and64(where, x)

FA_OP64 fa_m64x FA_COMPARE64(fa_f64x x, fa_f64x y, const int how) {
    return (fa_m64x){_mm256_cmp_pd(x.a, y.a, how), _mm256_cmp_pd(x.b, y.b, how)};
}

FA_OP64 fa_f64x FA_SELECT64(fa_m64x where, fa_f64x x, fa_f64x y) {
    return (fa_f64x){
        _mm256_blendv_pd(y.a, x.a, where.a), _mm256_blendv_pd(y.b, x.b, where.b)
    };
}

FA_OP64 int FA_ANY64(fa_m64x where) {
    return _mm256_movemask_pd(_mm256_or_pd(where.a, where.b)) != 0;
}

FA_OP64 fa_f64x fa_load64(const void *from) {
    const double *p = (const double *)from;
    return (fa_f64x){_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)};
}

FA_OP64 void fa_store64(double *p, fa_f64x x) {
    _mm256_storeu_pd(p, x.a);
    _mm256_storeu_pd(p + 4, x.b);
}

FA_OP64 void fa_store_bits64(int64_t *p, fa_i64x x) {
    _mm256_storeu_si256((__m256i *)p, x.a);
    _mm256_storeu_si256((__m256i *)p + 1, x.b);
}

/* p[at] and p[at + 1] of four. */
FA_OP64 __m256d fa_two_of_four64(const double *p, const int64_t *at, __m256d *second) {
    __m256d even = _mm256_castpd128_pd256(_mm_loadu_pd(p + at[0]));
    __m256d odd = _mm256_castpd128_pd256(_mm_loadu_pd(p + at[1]));
    even = _mm256_insertf128_pd(even, _mm_loadu_pd(p + at[2]), 1);
    odd = _mm256_insertf128_pd(odd, _mm_loadu_pd(p + at[3]), 1);
    *second = _mm256_unpackhi_pd(even, odd);
    return _mm256_unpacklo_pd(even, odd);
}

/* p[at] of each lane; p[at + 1] is the second. */
FA_OP64 fa_f64x fa_columns64(const double *p, const int64_t *at, fa_f64x *second) {
    return (fa_f64x){
        fa_two_of_four64(p, at, &second->a), fa_two_of_four64(p, at + 4, &second->b)
    };
}

/* p[at] of four. */
FA_OP64 __m256d fa_one_of_four64(const double *p, const int64_t *at) {
    __m128d low = _mm_loadh_pd(_mm_load_sd(p + at[0]), p + at[1]);
    __m128d high = _mm_loadh_pd(_mm_load_sd(p + at[2]), p + at[3]);
    return _mm256_insertf128_pd(_mm256_castpd128_pd256(low), high, 1);
}

/* p[at] of each lane. */
FA_OP64 fa_f64x fa_column64(const double *p, const int64_t *at) {
    return (fa_f64x){fa_one_of_four64(p, at), fa_one_of_four64(p, at + 4)};
}

/* Halves of an entry: 2 j and 2 j + 1 of eight. */
FA_OP64 __m256i fa_halves64(__m256i bits) {
    __m256i twice = _mm256_shuffle_epi32(_mm256_add_epi32(bits, bits), 0xa0);
    return _mm256_or_si256(twice, _mm256_set1_epi64x(1LL << 32));
}

FA_OP64 __m256d fa_entry64(__m256i at, const void *table) {
    __m256 entries = _mm256_loadu_ps((const float *)table);
    return _mm256_castps_pd(_mm256_permutevar8x32_ps(entries, at));
}

FA_ONE64(FA_INDEX64, fa_i64x, fa_i64x, fa_halves64)

FA_OP64 fa_f64x FA_PICK64(const void *table, fa_i64x at) {
    return (fa_f64x){fa_entry64(at.a, table), fa_entry64(at.b, table)};
}

FA_OP64 fa_f64x fa_abs64(fa_f64x x) {
    return fa_andnot64(FA_PD(-0.0), x);
}

FA_OP64 fa_f64x fa_copysign64(fa_f64x y, fa_f64x x) {
    return fa_or64(fa_abs64(y), fa_sign64(x));
}

FA_OP64 fa_f64x fa_above64(fa_f64x x) {
    return fa_max64(FA_PD(-0.0), x);
}

FA_OP64 fa_f64x fa_base_of(fa_f64x x) {
    return FA_SELECT64(x, fa_zero64(), FA_PD(1.0));
}

FA_OP64 fa_f64x fa_scale_of(fa_f64x x, double scale) {
    return fa_xor64(FA_PD(-scale), fa_sign64(x));
}

#endif

/* c[0] + c[1] x + ... + c[n - 1] x^(n - 1), with x^2, by pairs. */
FA_OP64 fa_f64x fa_polynomial64(fa_f64x x, fa_f64x x2, const double *c, int n) {
    int k = (n - 1) & ~1;
    fa_f64x p = FA_PD(c[k]);
    if (k + 1 < n) p = FA_MADD64(x, FA_PD(c[k + 1]), p);
#pragma GCC unroll 8
    for (k -= 2; k >= 0; k -= 2)
        p = FA_MADD64(x2, p, FA_MADD64(x, FA_PD(c[k + 1]), FA_PD(c[k])));
    return p;
}

/* t without its lowest bits, FA_STEP_BITS64 of them */
#define fa_whole64(t) fa_and64(t, FA_DOUBLE(FA_WORD(-FA_STEPS64)))

#endif
