/* AVX-512 by SIMDe's functions, and those that SIMDe 0.7.4 lacks: for
   tools/emulate_avx512.sh, which puts before it a line for each intrinsic that the kernels
   use.  The approximations have the 14 bits that they promise, and no more. */
#include <math.h>
#include <string.h>

static inline float emulated_14_bits(float x) {
    unsigned bits;
    memcpy(&bits, &x, 4);
    bits = (bits + 0x3ff) & ~0x7ffu;
    if (isfinite(x) && fabsf(x) >= 0x1p-126f) memcpy(&x, &bits, 4);
    return x;
}

static inline simde__m512 simde_mm512_rcp14_ps(simde__m512 x) {
    simde__m512_private p = simde__m512_to_private(x);
    for (int i = 0; i < 16; i++) p.f32[i] = emulated_14_bits(1 / p.f32[i]);
    return simde__m512_from_private(p);
}

static inline simde__m512 simde_mm512_rsqrt14_ps(simde__m512 x) {
    simde__m512_private p = simde__m512_to_private(x);
    for (int i = 0; i < 16; i++) p.f32[i] = emulated_14_bits(1 / sqrtf(p.f32[i]));
    return simde__m512_from_private(p);
}

static inline double emulated_14_bits_of_double(double x) {
    unsigned long long bits;
    memcpy(&bits, &x, 8);
    bits = (bits + 0x3fffffffffull) & ~0x7fffffffffull;
    if (isfinite(x) && fabs(x) >= 0x1p-1022) memcpy(&x, &bits, 8);
    return x;
}

static inline simde__m512d simde_mm512_rcp14_pd(simde__m512d x) {
    simde__m512d_private p = simde__m512d_to_private(x);
    for (int i = 0; i < 8; i++) p.f64[i] = emulated_14_bits_of_double(1 / p.f64[i]);
    return simde__m512d_from_private(p);
}

static inline simde__m512d simde_mm512_rsqrt14_pd(simde__m512d x) {
    simde__m512d_private p = simde__m512d_to_private(x);
    for (int i = 0; i < 8; i++) p.f64[i] = emulated_14_bits_of_double(1 / sqrt(p.f64[i]));
    return simde__m512d_from_private(p);
}

static inline simde__m512i simde_mm512_srai_epi64(simde__m512i x, int by) {
    simde__m512i_private p = simde__m512i_to_private(x);
    for (int i = 0; i < 8; i++) p.i64[i] >>= by;
    return simde__m512i_from_private(p);
}

static inline simde__m512i simde_mm512_maskz_loadu_epi16(unsigned where, const void *from) {
    simde__m512i_private p;
    for (int i = 0; i < 32; i++) {
        p.i16[i] = where >> i & 1 ? ((const short *)from)[i] : 0;
    }
    return simde__m512i_from_private(p);
}

static inline simde__m512 simde_mm512_maskz_expand_ps(simde__mmask16 where, simde__m512 x) {
    simde__m512_private from = simde__m512_to_private(x), to;
    for (int i = 0, j = 0; i < 16; i++) to.f32[i] = where >> i & 1 ? from.f32[j++] : 0;
    return simde__m512_from_private(to);
}

static inline void simde_mm512_mask_storeu_ps(
    void *to, simde__mmask16 where, simde__m512 x
) {
    simde__m512_private p = simde__m512_to_private(x);
    for (int i = 0; i < 16; i++) {
        if (where >> i & 1) ((float *)to)[i] = p.f32[i];
    }
}

static inline void simde_mm512_mask_storeu_pd(
    void *to, simde__mmask8 where, simde__m512d x
) {
    simde__m512d_private p = simde__m512d_to_private(x);
    for (int i = 0; i < 8; i++) {
        if (where >> i & 1) ((double *)to)[i] = p.f64[i];
    }
}

static inline simde__m512 simde_mm512_mask_loadu_ps(
    simde__m512 x, simde__mmask16 where, const void *from
) {
    simde__m512_private p = simde__m512_to_private(x);
    for (int i = 0; i < 16; i++) {
        if (where >> i & 1) p.f32[i] = ((const float *)from)[i];
    }
    return simde__m512_from_private(p);
}

static inline simde__m512d simde_mm512_mask_loadu_pd(
    simde__m512d x, simde__mmask8 where, const void *from
) {
    simde__m512d_private p = simde__m512d_to_private(x);
    for (int i = 0; i < 8; i++) {
        if (where >> i & 1) p.f64[i] = ((const double *)from)[i];
    }
    return simde__m512d_from_private(p);
}

/* how: _MM_CMPINT_.. */
static inline simde__mmask16 simde_mm512_cmp_epi32_mask(
    simde__m512i x, simde__m512i y, int how
) {
    simde__m512i_private p = simde__m512i_to_private(x), q = simde__m512i_to_private(y);
    unsigned found = 0;
    for (int i = 0; i < 16; i++) {
        int less = p.i32[i] < q.i32[i], same = p.i32[i] == q.i32[i];
        int yes = (how & 1 && less) || ((how & 3) != 1 && same);
        found |= (unsigned)(how & 4 ? !yes : yes) << i;
    }
    return (simde__mmask16)found;
}

static inline simde__mmask16 simde_mm512_cmplt_epi32_mask(simde__m512i x, simde__m512i y) {
    return simde_mm512_cmp_epi32_mask(x, y, _MM_CMPINT_LT);
}

static inline double simde_mm512_reduce_max_pd(simde__m512d x) {
    simde__m512d_private p = simde__m512d_to_private(x);
    double most = p.f64[0];
    for (int i = 1; i < 8; i++) most = p.f64[i] > most ? p.f64[i] : most;
    return most;
}

static inline simde__m512d simde_mm512_cvtps_pd(simde__m256 x) {
    simde__m256_private from = simde__m256_to_private(x);
    simde__m512d_private p;
    for (int i = 0; i < 8; i++) p.f64[i] = from.f32[i];
    return simde__m512d_from_private(p);
}

static inline simde__m512 simde_mm512_cvtph_ps(__m256i x) {
    float of[16];
    _mm256_storeu_ps(of, _mm256_cvtph_ps(_mm256_castsi256_si128(x)));
    _mm256_storeu_ps(of + 8, _mm256_cvtph_ps(_mm256_extracti128_si256(x, 1)));
    return simde_mm512_loadu_ps(of);
}

/* (to nearest is the only rounding that the kernels ask for) */
static inline __m256i simde_mm512_cvtps_ph(simde__m512 x, int how) {
    float of[16];
    (void)how;
    simde_mm512_storeu_ps(of, x);
    return _mm256_set_m128i(
        _mm256_cvtps_ph(_mm256_loadu_ps(of + 8), _MM_FROUND_TO_NEAREST_INT),
        _mm256_cvtps_ph(_mm256_loadu_ps(of), _MM_FROUND_TO_NEAREST_INT)
    );
}
