/* relu6, hard_sigmoid and hard_swish for AVX2 and AVX-512, float32 and float64.

   gcc makes compares and blends of a clamp that keeps NaN, where a minimum and a maximum
   whose second operand is x do it: hence intrinsics. */
#include <immintrin.h>
#include <stddef.h>

#ifdef __AVX512F__
#define FA_VECTOR_ps __m512
#define FA_VECTOR_pd __m512d
#define FA_INTRINSIC(op, type) _mm512_##op##_##type
#define FA_WHERE(type, a, b, how, yes, no) \
    _mm512_mask_mov_##type(no, _mm512_cmp_##type##_mask(a, b, how), yes)
#else
#define FA_VECTOR_ps __m256
#define FA_VECTOR_pd __m256d
#define FA_INTRINSIC(op, type) _mm256_##op##_##type
#define FA_WHERE(type, a, b, how, yes, no) \
    _mm256_blendv_##type(no, yes, _mm256_cmp_##type(a, b, how))
#endif
/* (one more step, for arguments that are macros) */
#define FA_INTRINSIC_OF(op, type) FA_INTRINSIC(op, type)
#define FA_WHERE_OF(type, a, b, how, yes, no) FA_WHERE(type, a, b, how, yes, no)

#define FA_HARD(name) fa_##name##_f32
#define FA_REAL float
#define FA_TYPE ps
#define FA_VECTOR FA_VECTOR_ps
#define FA_SIXTH_LOW (1.0 / 6.0 - (float)(1.0 / 6.0))
#include "_hard_of.h"

#define FA_HARD(name) fa_##name##_f64
#define FA_REAL double
#define FA_TYPE pd
#define FA_VECTOR FA_VECTOR_pd
#define FA_SIXTH_LOW 0x1.5555555555555p-57
#include "_hard_of.h"
