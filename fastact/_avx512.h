/* float32 values by look-up: 32 intervals, a polynomial for each, its coefficients
   picked by vpermt2ps.  The compiler does not find this instruction by itself, hence
   intrinsics; the tables come from tools/tables.py.

   Each function takes n, a multiple of 16, and computes what its namesake in
   _formulas.pxd does, with the same edges: NaN stays NaN, -inf gives the limit -0. */
#include <immintrin.h>
#include "_tables.h"

#define FA_PS(x) _mm512_set1_ps(x)
#define FA_INT(x) _mm512_set1_epi32(x)
#define FA_BITS(x) _mm512_castps_si512(x)
#define FA_FLOAT(x) _mm512_castsi512_ps(x)
#define FA_TABLE(name) \
    const __m512 name##_lo = _mm512_loadu_ps(fa_##name), \
                 name##_hi = _mm512_loadu_ps(fa_##name + 16)
#define FA_PICK(name, at) _mm512_permutex2var_ps(name##_lo, at, name##_hi)
#define FA_TAIL(k, power) FA_PS(fa_expm1_tail[k] / (power))
#define FA_MADD(a, b, c) _mm512_fmadd_ps(a, b, c)

/* tanh.  In every interval |f| = p0 + d P(d), where d P is at most an eighth of p0;
   in that of 0, base + d P with base = d: only the last sum rounds. */
static void fa_tanh_f32(const float *x, float *f, ptrdiff_t n) {
    FA_TABLE(tanh_c); FA_TABLE(tanh_base); FA_TABLE(tanh_0); FA_TABLE(tanh_1);
    FA_TABLE(tanh_2); FA_TABLE(tanh_3); FA_TABLE(tanh_4); FA_TABLE(tanh_5);
    for (ptrdiff_t i = 0; i < n; i += 16) {
        __m512 v = _mm512_loadu_ps(x + i);
        /* (the minimum keeps NaN only if that is its second operand; from 9.02 on
           the result is 1) */
        __m512 a = _mm512_min_ps(FA_PS(9.75f), _mm512_abs_ps(v));
        __m512i at = _mm512_srli_epi32(FA_BITS(_mm512_add_ps(a, FA_PS(0.125f))), 21);
        __m512 d = _mm512_sub_ps(a, FA_PICK(tanh_c, at));
        __m512 p = FA_MADD(FA_PICK(tanh_5, at), d, FA_PICK(tanh_4, at));
        p = FA_MADD(p, d, FA_PICK(tanh_3, at));
        p = FA_MADD(p, d, FA_PICK(tanh_2, at));
        p = FA_MADD(p, d, FA_PICK(tanh_1, at));
        __m512 base = FA_MADD(d, FA_PICK(tanh_base, at), FA_PICK(tanh_0, at));
        p = FA_MADD(d, p, base);
        __m512i sign = _mm512_and_si512(FA_BITS(v), FA_INT((int)0x80000000));
        _mm512_storeu_ps(f + i, FA_FLOAT(_mm512_or_si512(FA_BITS(p), sign)));
    }
}

/* gelu: x Phi(x), Phi(-a) = E M with E = exp(-a^2 / 2) = 2^k (1 + u + v), where u is
   half the reduced argument and v the rest of expm1, and the Mills ratio M = p0 + g.

   E M 2^-k = p0 + p0 u + (p0 v + g (1 + u + v)): the first two are added with what
   that rounds, the rest is small.  For x >= 0, 1 - Phi(-x) likewise.  The last
   operations are x hi + x lo, rounded once, and for x < 0 the scale 2^-100 that keeps
   everything before it out of the subnormals. */
static void fa_gelu_f32(const float *x, float *f, ptrdiff_t n) {
    const __m512 magic = FA_PS(12582912.0f);
    /* below -14.75 nothing is left, from 6 on Phi is 1 */
    const __m512i top_pos = FA_BITS(FA_PS(6.0f)), top_neg = FA_BITS(FA_PS(14.75f));
    const __m512i unscale_pos = FA_BITS(FA_PS(1.0f));
    const __m512i unscale_neg = FA_BITS(FA_PS(7.888609052210118e-31f));
    FA_TABLE(gelu_c); FA_TABLE(gelu_0); FA_TABLE(gelu_1); FA_TABLE(gelu_2);
    FA_TABLE(gelu_3); FA_TABLE(gelu_4); FA_TABLE(gelu_5);
    for (ptrdiff_t i = 0; i < n; i += 16) {
        __m512 y = _mm512_loadu_ps(x + i);
        __m512i neg = _mm512_srai_epi32(FA_BITS(y), 31);
        /* a = min(|x|, top): the bits of positive floats are ordered as they are */
        __m512i top = _mm512_ternarylogic_epi32(neg, top_neg, top_pos, 0xca);
        __m512 a = FA_FLOAT(_mm512_min_epu32(FA_BITS(_mm512_abs_ps(y)), top));
        /* r = -2 (-a^2 / 2 - k ln2) */
        __m512 s = _mm512_mul_ps(a, a);
        __m512 s_low = _mm512_fmsub_ps(a, a, s);
        __m512 t = FA_MADD(s, FA_PS(-0.72134752f), magic);
        __m512 k = _mm512_sub_ps(t, magic);
        __m512 r = FA_MADD(k, FA_PS(2 * 0.693145752f), s);
        r = _mm512_add_ps(r, FA_MADD(k, FA_PS(2 * 1.42860677e-6f), s_low));
        /* expm1_tail() of _primitives.pxd, for -r / 2 */
        __m512 r2 = _mm512_mul_ps(r, r);
        __m512 v = FA_MADD(r, FA_TAIL(5, -128), FA_TAIL(4, 64));
        v = FA_MADD(v, r2, FA_MADD(r, FA_TAIL(3, -32), FA_TAIL(2, 16)));
        v = FA_MADD(v, r2, FA_MADD(r, FA_TAIL(1, -8), FA_TAIL(0, 4)));
        v = _mm512_mul_ps(v, r2);
        __m512 u = _mm512_mul_ps(r, FA_PS(-0.5f));
        /* the Mills ratio */
        __m512i at = _mm512_srli_epi32(FA_BITS(_mm512_add_ps(a, FA_PS(1.0f))), 20);
        __m512 d = _mm512_sub_ps(a, FA_PICK(gelu_c, at));
        __m512 g = FA_MADD(FA_PICK(gelu_5, at), d, FA_PICK(gelu_4, at));
        g = FA_MADD(g, d, FA_PICK(gelu_3, at));
        g = FA_MADD(g, d, FA_PICK(gelu_2, at));
        g = FA_MADD(g, d, FA_PICK(gelu_1, at));
        g = _mm512_mul_ps(g, d);
        /* their product, m + low */
        __m512 p0 = FA_PICK(gelu_0, at);
        __m512 m = FA_MADD(p0, u, p0);
        __m512 low = FA_MADD(p0, v, FA_MADD(g, _mm512_add_ps(u, v), g));
        low = _mm512_add_ps(FA_MADD(p0, u, _mm512_sub_ps(p0, m)), low);
        /* Phi(x) = hi + lo = 0 + 2^(k + 100) (m + low) or 1 - 2^k (m + low) */
        __m512i bias = _mm512_ternarylogic_epi32(
            neg, FA_INT(227 << 23), FA_INT((int)(127u << 23 | 1u << 31)), 0xca
        );
        __m512 scale = FA_FLOAT(_mm512_add_epi32(_mm512_slli_epi32(FA_BITS(t), 23), bias));
        __m512 one = FA_FLOAT(_mm512_andnot_si512(neg, FA_BITS(FA_PS(1.0f))));
        __m512 hi = FA_MADD(m, scale, one);
        __m512 lo = FA_MADD(m, scale, _mm512_sub_ps(one, hi));
        lo = FA_MADD(low, scale, lo);
        /* (the maximum keeps NaN only if that is its second operand) */
        __m512 x_hi = _mm512_max_ps(FA_PS(-14.75f), y);
        __m512i sign = _mm512_slli_epi32(neg, 31);
        __m512 x_lo = FA_FLOAT(_mm512_or_si512(FA_BITS(a), sign));
        y = FA_MADD(x_hi, hi, _mm512_mul_ps(x_lo, lo));
        y = _mm512_mul_ps(
            y, FA_FLOAT(_mm512_ternarylogic_epi32(neg, unscale_neg, unscale_pos, 0xca))
        );
        _mm512_storeu_ps(f + i, y);
    }
}
