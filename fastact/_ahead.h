/* Divisions ahead of the rest.

   A division takes the divider several cycles, and what follows waits for it longer than a
   processor looks ahead.  So a loop divides for the vector that is ``count`` vectors
   further on: nothing waits, and the divider, which is what such a loop can't be faster
   than, always has the next one. */
#ifndef FASTACT_AHEAD_H
#define FASTACT_AHEAD_H
#include <stddef.h>

/* function() of n elements, from part(x), ``count`` vectors of ``width`` ahead, and
   rest(x, f, d, at, part, with_f, with_d) of the vector at x + at. */
#define FA_AHEAD(function, part, rest, real, vector, width, count)                      \
    static inline __attribute__((always_inline)) void function(                         \
        const real *x, real *f, real *d, ptrdiff_t n, const int with_f, const int with_d \
    ) {                                                                                 \
        const ptrdiff_t ahead = count * width;                                          \
        vector parts[count];                                                            \
        ptrdiff_t i = 0;                                                                \
        if (n >= ahead) {                                                               \
            _Pragma("GCC unroll 8")                                                     \
            for (int k = 0; k < count; k++) parts[k] = part(x + k * width);             \
            for (; i <= n - 2 * ahead; i += ahead) {                                    \
                _Pragma("GCC unroll 8")                                                 \
                for (int k = 0; k < count; k++) {                                       \
                    ptrdiff_t at = i + k * width;                                       \
                    rest(x, f, d, at, parts[k], with_f, with_d);                        \
                    parts[k] = part(x + at + ahead);                                    \
                }                                                                       \
            }                                                                           \
            _Pragma("GCC unroll 8")                                                     \
            for (int k = 0; k < count; k++, i += width) {                               \
                rest(x, f, d, i, parts[k], with_f, with_d);                             \
            }                                                                           \
        }                                                                               \
        for (; i < n; i += width) {                                                     \
            rest(x, f, d, i, part(x + i), with_f, with_d);                              \
        }                                                                               \
    }

#endif
