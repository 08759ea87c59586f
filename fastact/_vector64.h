/* Vectors of doubles, whatever their width: what _avx512_f64.h is written in.

   A name ends in 64 as there are such functions of float32 elsewhere.  A compare gives a
   fa_m64x, which only FA_SELECT64 and FA_KEEP64 take. */
#ifndef FASTACT_VECTOR64_H
#define FASTACT_VECTOR64_H
#include <immintrin.h>
#include <stdint.h>

#define FA_OP64 static inline __attribute__((always_inline))

typedef __m512d fa_f64x;
typedef __m512i fa_i64x;
typedef __mmask8 fa_m64x;
/* doubles in a vector, and entries of a table that one look-up picks from */
#define FA_WIDTH64 8
#define FA_STEPS64 16

#define FA_PD(x) _mm512_set1_pd(x)
#define FA_WORD(x) _mm512_set1_epi64(x)
#define FA_BITS64(x) _mm512_castpd_si512(x)
#define FA_DOUBLE(x) _mm512_castsi512_pd(x)
#define FA_SIGN64 FA_WORD((long long)(1ULL << 63))
#define fa_load64(p) _mm512_loadu_pd(p)
#define fa_store64(p, x) _mm512_storeu_pd(p, x)
#define fa_zero64() _mm512_setzero_pd()
#define fa_add64(a, b) _mm512_add_pd(a, b)
#define fa_sub64(a, b) _mm512_sub_pd(a, b)
#define fa_mul64(a, b) _mm512_mul_pd(a, b)
#define fa_div64(a, b) _mm512_div_pd(a, b)
#define fa_abs64(x) _mm512_abs_pd(x)
/* t without its lowest bits, log2 of FA_STEPS64 of them */
#define fa_whole64(t) FA_DOUBLE(_mm512_and_si512(FA_BITS64(t), FA_WORD(-FA_STEPS64)))
/* NaN only if the second operand is. */
#define fa_min64(a, b) _mm512_min_pd(a, b)
#define fa_max64(a, b) _mm512_max_pd(a, b)
/* a b + c, c - a b, a b - c */
#define FA_MADD64(a, b, c) _mm512_fmadd_pd(a, b, c)
#define FA_NMADD64(a, b, c) _mm512_fnmadd_pd(a, b, c)
#define FA_MSUB64(a, b, c) _mm512_fmsub_pd(a, b, c)
#define FA_COMPARE64(a, b, how) _mm512_cmp_pd_mask(a, b, how)
/* where: a; elsewhere b, or 0 */
#define FA_SELECT64(where, a, b) _mm512_mask_mov_pd(b, where, a)
#define FA_KEEP64(where, a) _mm512_maskz_mov_pd(where, a)
/* Whether a compare holds anywhere. */
#define FA_ANY64(where) ((where) != 0)
/* The entry of each lane, by the low bits of its ``at``. */
#define FA_PICK64(name, at) \
    _mm512_permutex2var_pd(fa_load64(name), at, fa_load64(name + 8))

#endif
