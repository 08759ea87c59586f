/* Lines of numbers to groups of 16 columns, and back: softmax's kind along an axis that has
   others after it.

   A group has its lines side by side, 16 numbers each, as kernels take them: float16 and
   bfloat16 become float. */
#ifndef FASTACT_LINES_H
#define FASTACT_LINES_H
#include <stddef.h>
#include <stdint.h>
#include "_fetch.h"
#include "_half.h"

typedef struct {
    ptrdiff_t n, count;  /* lines; numbers in each */
    ptrdiff_t stride;  /* from line to line, in bytes */
    ptrdiff_t apart;  /* from group to group, in bytes */
    ptrdiff_t place;  /* of the first number in its group */
    ptrdiff_t next;  /* where the lines after these begin, in bytes from the first */
} fa_lines;

/* What comes after line i, at x, into the cache ahead: lines may be in many pages. */
static inline void fa_fetch_line(
    const fa_lines *l, ptrdiff_t i, const char *x, int size, const int back
) {
    const ptrdiff_t ahead = l->n < 8 ? l->n : 8;
    x += i + ahead < l->n ? ahead * l->stride : (ahead - l->n) * l->stride + l->next;
    fa_fetch(x, l->count * size, back);
}

/* A line of numbers of ``size`` bytes, as they stand. */
static inline void fa_line_of(
    char *x, char *group, const fa_lines *l, const int size, const int back
) {
    char *end = x + l->count * size;
    ptrdiff_t at = l->place * size;
    while (x < end) {
        ptrdiff_t bytes = 16 * size - at;
        char *to = back ? x : group + at;
        const char *from = back ? group + at : x;
        if (end - x < bytes) bytes = end - x;
        if (bytes == 16 * size) {
            fa_copy64(from, to);
            if (size == 8) fa_copy64(from + 64, to + 64);
        } else {
            fa_copy_few(to, from, bytes);
        }
        x += bytes;
        group += l->apart;
        at = 0;
    }
}
#define FA_LINES_OF(S, size, way, back) \
    static inline void fa_lines_##way##_##S(char *x, char *groups, const fa_lines *l) { \
        for (ptrdiff_t i = 0; i < l->n; i++, x += l->stride, groups += 16 * size) { \
            fa_fetch_line(l, i, x, size, back); \
            fa_line_of(x, groups, l, size, back); \
        } \
    }
FA_LINES_OF(f32, 4, from, 0)
FA_LINES_OF(f32, 4, to, 1)
FA_LINES_OF(f64, 8, from, 0)
FA_LINES_OF(f64, 8, to, 1)

/* Whole groups of numbers of two bytes. */
#define FA_LINES_NARROW(S) \
    static inline void fa_lines_from_##S(char *x, char *groups, const fa_lines *l) { \
        for (ptrdiff_t i = 0; i < l->n; i++, x += l->stride, groups += 64) { \
            char *group = groups; \
            fa_fetch_line(l, i, x, 2, 0); \
            for (ptrdiff_t j = 0; j < l->count; j += 16, group += l->apart) { \
                fa_from_##S((const uint16_t *)x + j, (float *)group, 16); \
            } \
        } \
    } \
    static inline void fa_lines_to_##S(char *x, char *groups, const fa_lines *l) { \
        for (ptrdiff_t i = 0; i < l->n; i++, x += l->stride, groups += 64) { \
            const char *group = groups; \
            fa_fetch_line(l, i, x, 2, 1); \
            for (ptrdiff_t j = 0; j < l->count; j += 16, group += l->apart) { \
                fa_to_##S((const float *)group, (uint16_t *)x + j, 16); \
            } \
        } \
    }
FA_LINES_NARROW(f16)
FA_LINES_NARROW(bf16)

#endif
