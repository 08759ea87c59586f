/* float32 for AVX2 and AVX-512: squareplus (b = 4), of n elements, a multiple of 16; f or d
   may be NULL. */
#ifndef FASTACT_ALGEBRAIC32_H
#define FASTACT_ALGEBRAIC32_H
#include <immintrin.h>
#include <stddef.h>
#include "_ahead.h"
#include "_fetch.h"

#define FA_INLINE32 static inline __attribute__((always_inline))
#if defined(__AVX512F__)
typedef __m512 fa_v32;
enum { FA_WIDTH32 = 16, FA_ROOTS_AHEAD = 4 };
#define FA_OP32(op) _mm512_##op##_ps
FA_INLINE32 fa_v32 fa_abs32(fa_v32 x) {
    return _mm512_abs_ps(x);
}
/* yes where the sign of x is set */
FA_INLINE32 fa_v32 fa_where_signed32(fa_v32 x, fa_v32 yes, fa_v32 no) {
    return _mm512_mask_mov_ps(no, _mm512_movepi32_mask(_mm512_castps_si512(x)), yes);
}
FA_INLINE32 int fa_any_above32(fa_v32 x, float top) {
    return _mm512_cmp_ps_mask(x, _mm512_set1_ps(top), _CMP_GT_OQ) != 0;
}
#else
typedef __m256 fa_v32;
enum { FA_WIDTH32 = 8, FA_ROOTS_AHEAD = 2 };
#define FA_OP32(op) _mm256_##op##_ps
FA_INLINE32 fa_v32 fa_abs32(fa_v32 x) {
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
}
FA_INLINE32 fa_v32 fa_where_signed32(fa_v32 x, fa_v32 yes, fa_v32 no) {
    return _mm256_blendv_ps(no, yes, x);
}
FA_INLINE32 int fa_any_above32(fa_v32 x, float top) {
    return _mm256_movemask_ps(_mm256_cmp_ps(x, _mm256_set1_ps(top), _CMP_GT_OQ)) != 0;
}
#endif
#define FA_ALL32(x) FA_OP32(set1)(x)

/* squareplus: with z = |x| / 2, t = z^2 + 1, h = sqrt(t) and s = h + z, f is s or 1 / s, and f'
   1 - q or q for q = 1 / (2 h s).  The low part of h is (z^2 + 1 - h^2) / (2 h), and in that
   1 / (2 h), with r near 1 / s, r - r^2 / 2 to 7%: best near 0, where results would step back
   otherwise.  Up to TOP 1 - t is exact. */
#define FA_SQUAREPLUS_TOP 0x1p12f
typedef struct {
    fa_v32 z, t, h, r;
} fa_roots;
FA_INLINE32 fa_roots fa_squareplus_part(const float *x) {
    const fa_v32 one = FA_ALL32(1.0f);
    fa_roots of;
    of.z = FA_OP32(mul)(fa_abs32(FA_OP32(loadu)(x)), FA_ALL32(0.5f));
    of.t = FA_OP32(fmadd)(of.z, of.z, one);
    of.h = FA_OP32(sqrt)(of.t);
    of.r = FA_OP32(div)(one, FA_OP32(add)(of.h, of.z));
    return of;
}
FA_INLINE32 void fa_squareplus_rest(
    const float *x, float *f, float *d, ptrdiff_t at, fa_roots of,
    const int with_f, const int with_d
) {
    const fa_v32 one = FA_ALL32(1.0f);
    fa_v32 v = FA_OP32(loadu)(x + at), s = FA_OP32(add)(of.h, of.z);
    fa_v32 left = FA_OP32(fmadd)(of.z, of.z, FA_OP32(sub)(one, of.t));
    left = FA_OP32(add)(left, FA_OP32(fnmadd)(of.h, of.h, of.t));
    fa_v32 per_2h = FA_OP32(mul)(of.r, FA_OP32(fnmadd)(FA_ALL32(0.5f), of.r, one));
    fa_v32 low = FA_OP32(add)(FA_OP32(sub)(of.h, s), of.z);
    low = FA_OP32(fmadd)(left, per_2h, low);
    fa_v32 e = FA_OP32(fmadd)(of.r, low, FA_OP32(fmsub)(of.r, s, one));
    if (with_f) {
        fa_v32 y = FA_OP32(fnmadd)(of.r, e, of.r);
        FA_OP32(storeu)(f + at, fa_where_signed32(v, y, FA_OP32(add)(s, low)));
    }
    if (with_d) {
        fa_v32 h2 = FA_OP32(add)(of.h, of.h), q = FA_OP32(div)(of.r, h2);
        fa_v32 rest = FA_OP32(fnmadd)(of.r, e, FA_OP32(fnmadd)(q, h2, of.r));
        per_2h = FA_OP32(mul)(q, s);
        rest = FA_OP32(fnmadd)(FA_OP32(add)(q, q), FA_OP32(mul)(left, per_2h), rest);
        q = FA_OP32(fmadd)(rest, per_2h, q);
        FA_OP32(storeu)(d + at, fa_where_signed32(v, q, FA_OP32(sub)(one, q)));
    }
}
FA_AHEAD(
    fa_squareplus_near, fa_squareplus_part, fa_squareplus_rest,
    float, fa_roots, FA_WIDTH32, FA_ROOTS_AHEAD
)
/* ... and, beyond TOP, in double: so far out inputs are rare. */
FA_INLINE32 void fa_squareplus_block(
    const float *x, float *f, float *d, ptrdiff_t n, ptrdiff_t ahead,
    const int with_f, const int with_d
) {
    fa_v32 most = FA_ALL32(0.0f);
    for (ptrdiff_t i = 0; i < n; i += FA_WIDTH32) {
        FA_FETCH_NEXT(ahead, x + i, f + i, d + i, with_f, with_d);
        /* (the maximum takes its second operand for NaN) */
        most = FA_OP32(max)(fa_abs32(FA_OP32(loadu)(x + i)), most);
    }
    fa_squareplus_near(x, f, d, n, with_f, with_d);
    if (!fa_any_above32(most, FA_SQUAREPLUS_TOP)) return;
    for (ptrdiff_t i = 0; i < n; i++) {
        double a = __builtin_fabs(x[i]), h = __builtin_sqrt(a * a + 4), y = 2 / (a + h);
        if (!(a > FA_SQUAREPLUS_TOP)) continue;
        if (with_f) f[i] = (float)(x[i] < 0 ? y : (a + h) / 2);
        if (with_d) d[i] = (float)(x[i] < 0 ? y / h : 1 - y / h);
    }
}
FA_FUNCTION(squareplus)

#endif
