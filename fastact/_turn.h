/* 16 short rows as columns side by side, and back: rows[r][j] and lines[j][r].

   By squares of 4 (double: 2) with SSE2, the last of which may overlap the one before. */
#ifndef FASTACT_TURN_H
#define FASTACT_TURN_H
#include <stddef.h>
#if defined(__SSE2__) || defined(_M_X64)
#include <immintrin.h>
#define FA_SQUARES 1
#else
#define FA_SQUARES 0
#endif

#if FA_SQUARES
/* to[j][r] = from[r][j] */
static inline void fa_square_f32(
    const float *from, ptrdiff_t apart, float *to, ptrdiff_t to_apart
) {
    __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + apart);
    __m128 c = _mm_loadu_ps(from + 2 * apart), d = _mm_loadu_ps(from + 3 * apart);
    _MM_TRANSPOSE4_PS(a, b, c, d);
    _mm_storeu_ps(to, a);
    _mm_storeu_ps(to + to_apart, b);
    _mm_storeu_ps(to + 2 * to_apart, c);
    _mm_storeu_ps(to + 3 * to_apart, d);
}
static inline void fa_square_f64(
    const double *from, ptrdiff_t apart, double *to, ptrdiff_t to_apart
) {
    __m128d a = _mm_loadu_pd(from), b = _mm_loadu_pd(from + apart);
    _mm_storeu_pd(to, _mm_unpacklo_pd(a, b));
    _mm_storeu_pd(to + to_apart, _mm_unpackhi_pd(a, b));
}
#endif

#define FA_TURN(T, S, side) \
    static inline void fa_to_columns_##S(const T *rows, ptrdiff_t n, T *lines) { \
        if (FA_SQUARES && n >= side) { \
            for (ptrdiff_t j = 0;; j = j + 2 * side > n ? n - side : j + side) { \
                for (int r = 0; r < 16; r += side) \
                    FA_SQUARE_##S(rows + r * n + j, n, lines + 16 * j + r, 16); \
                if (j + side == n) return; \
            } \
        } \
        for (ptrdiff_t j = 0; j < n; j++) \
            for (int r = 0; r < 16; r++) lines[16 * j + r] = rows[r * n + j]; \
    } \
    static inline void fa_to_rows_##S(const T *lines, ptrdiff_t n, T *rows) { \
        if (FA_SQUARES && n >= side) { \
            for (ptrdiff_t j = 0;; j = j + 2 * side > n ? n - side : j + side) { \
                for (int r = 0; r < 16; r += side) \
                    FA_SQUARE_##S(lines + 16 * j + r, 16, rows + r * n + j, n); \
                if (j + side == n) return; \
            } \
        } \
        for (int r = 0; r < 16; r++) \
            for (ptrdiff_t j = 0; j < n; j++) rows[r * n + j] = lines[16 * j + r]; \
    }
#if FA_SQUARES
#define FA_SQUARE_f32 fa_square_f32
#define FA_SQUARE_f64 fa_square_f64
#else
#define FA_SQUARE_f32(...) (void)0
#define FA_SQUARE_f64(...) (void)0
#endif
FA_TURN(float, f32, 4)
FA_TURN(double, f64, 2)

#endif
