/* float16 and bfloat16 to float32 and back, of n elements, a multiple of 16.

   float32 has every number of both, so that only the way back rounds: to nearest, ties to
   even.  NaN stays NaN. */
#ifndef FASTACT_HALF_H
#define FASTACT_HALF_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#include <immintrin.h>

static inline void fa_from_f16(const uint16_t *x, float *to, ptrdiff_t n) {
#pragma GCC unroll 4
    for (ptrdiff_t i = 0; i < n; i += 16) {
        __m256i h = _mm256_loadu_si256((const __m256i *)(x + i));
        _mm512_storeu_ps(to + i, _mm512_cvtph_ps(h));
    }
}
static inline void fa_to_f16(const float *x, uint16_t *to, ptrdiff_t n) {
#pragma GCC unroll 4
    for (ptrdiff_t i = 0; i < n; i += 16) {
        __m256i h = _mm512_cvtps_ph(_mm512_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT);
        _mm256_storeu_si256((__m256i *)(to + i), h);
    }
}

#elif defined(__F16C__)
#include <immintrin.h>

static inline void fa_from_f16(const uint16_t *x, float *to, ptrdiff_t n) {
#pragma GCC unroll 4
    for (ptrdiff_t i = 0; i < n; i += 8) {
        __m128i h = _mm_loadu_si128((const __m128i *)(x + i));
        _mm256_storeu_ps(to + i, _mm256_cvtph_ps(h));
    }
}
static inline void fa_to_f16(const float *x, uint16_t *to, ptrdiff_t n) {
#pragma GCC unroll 4
    for (ptrdiff_t i = 0; i < n; i += 8) {
        __m128i h = _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT);
        _mm_storeu_si128((__m128i *)(to + i), h);
    }
}

#else

/* A subnormal number is so many 2^-24. */
static inline void fa_from_f16(const uint16_t *x, float *to, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        int32_t h = x[i], a = h & 0x7FFF, bits = (a << 13) + (112 << 23), few;
        float subnormal = (float)a * 0x1p-24f;
        memcpy(&few, &subnormal, 4);
        bits = a < 0x400 ? few : bits;
        bits = a < 0x7C00 ? bits : (a << 13) | 0x7F800000;
        bits |= (int32_t)((uint32_t)(h & 0x8000) << 16);
        memcpy(to + i, &bits, 4);
    }
}
/* Below 2^-14 the sum with 0.5 rounds: its last bit is 2^-24. */
static inline void fa_to_f16(const float *x, uint16_t *to, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        int32_t bits, a, half, few;
        float sum;
        memcpy(&bits, x + i, 4);
        a = bits & 0x7FFFFFFF;
        memcpy(&sum, &a, 4);
        sum += 0.5f;
        memcpy(&few, &sum, 4);
        half = (a + 0xFFF + (a >> 13 & 1) - (112 << 23)) >> 13;
        half = a < 0x38800000 ? few - 0x3F000000 : half;
        half = a < 0x47800000 ? half : 0x7C00;
        half = a <= 0x7F800000 ? half : 0x7E00;
        to[i] = (uint16_t)((bits >> 16 & 0x8000) | half);
    }
}

#endif

/* bfloat16 is the upper half of float32. */
static inline void fa_from_bf16(const uint16_t *x, float *to, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)x[i] << 16;
        memcpy(to + i, &bits, 4);
    }
}
static inline void fa_to_bf16(const float *x, uint16_t *to, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        uint32_t bits, rounded, nan;
        memcpy(&bits, x + i, 4);
        rounded = bits + 0x7FFF + (bits >> 16 & 1);
        nan = bits | 0x400000;
        bits = (int32_t)(bits & 0x7FFFFFFF) > 0x7F800000 ? nan : rounded;
        to[i] = (uint16_t)(bits >> 16);
    }
}

#endif
