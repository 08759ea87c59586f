/* What comes later, into the cache ahead.

   A processor reads ahead by itself, but only within a page, and only what the operations
   that it holds ask for: where many of them go to an element, that is not far, and loops
   that take a block in several steps read in bursts.  (Past the end of an array nothing
   happens.)

   And copies, of a block, of a few bytes, of rows: for kernels and for the array front. */
#ifndef FASTACT_FETCH_H
#define FASTACT_FETCH_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What comes ``ahead`` elements after p. */
#if defined(__GNUC__)
#define FA_FETCH(p, ahead) __builtin_prefetch((p) + (ahead))
/* ... to be written */
#define FA_FETCH_OUT(p, ahead) __builtin_prefetch((p) + (ahead), 1)
#else
#define FA_FETCH(p, ahead) (void)0
#define FA_FETCH_OUT(p, ahead) (void)0
#endif

/* So many bytes, to be read or written. */
static inline void fa_fetch(const void *p, ptrdiff_t bytes, const int to_write) {
    const char *at = (const char *)p;
    for (ptrdiff_t j = 0; j < bytes; j += 64) {
        if (to_write) FA_FETCH_OUT(at, j);
        else FA_FETCH(at, j);
    }
}

/* How far ahead a loop over n elements in blocks fetches.  Not where the arrays of a call
   may still be in the cache from the one before: there it would only take time. */
#define FA_NEXT_BLOCK(n, real, block) \
    ((n) * (ptrdiff_t)sizeof(real) >= 3 << 20 ? (ptrdiff_t)(block) : 0)
/* ... of the longer loops for float64, which with AVX-512 (on Zen 5) gain nothing by it */
#if defined(__AVX512F__)
#define FA_NEXT_BLOCK64(n, block) ((ptrdiff_t)0)
#else
#define FA_NEXT_BLOCK64(n, block) FA_NEXT_BLOCK(n, double, block)
#endif

/* Input and outputs of the next block, at x, f and d of this one. */
#define FA_FETCH_NEXT(ahead, x, f, d, with_f, with_d) \
    do { \
        if (ahead) { \
            FA_FETCH(x, ahead); \
            if (with_f) FA_FETCH_OUT(f, ahead); \
            if (with_d) FA_FETCH_OUT(d, ahead); \
        } \
    } while (0)

/* The float32 function of n elements, from fa_NAME_block() for a block of them. */
enum { FA_BLOCK = 256 };
#define FA_FUNCTION(name)                                                               \
    static void fa_##name##_f32(const float *x, float *f, float *d, ptrdiff_t n) {      \
        const ptrdiff_t ahead = FA_NEXT_BLOCK(n, float, FA_BLOCK);                      \
        for (ptrdiff_t i = 0; i < n; i += FA_BLOCK) {                                   \
            ptrdiff_t m = n - i < FA_BLOCK ? n - i : FA_BLOCK;                          \
            if (!d) fa_##name##_block(x + i, f + i, NULL, m, ahead, 1, 0);              \
            else if (!f) fa_##name##_block(x + i, NULL, d + i, m, ahead, 0, 1);         \
            else fa_##name##_block(x + i, f + i, d + i, m, ahead, 1, 1);                \
        }                                                                               \
    }

#if defined(__GNUC__)
#if defined(__AVX512F__)
enum { FA_WIDEST = 64 };
#elif defined(__AVX__)
enum { FA_WIDEST = 32 };
#else
enum { FA_WIDEST = 16 };
#endif
typedef uint64_t fa_widest
    __attribute__((vector_size(FA_WIDEST), aligned(1), may_alias));
#else
enum { FA_WIDEST = 8 };
typedef uint64_t fa_widest;
#endif

/* 64 bytes, by the widest vectors there are (compilers take narrow ones for memcpy). */
static inline void fa_copy64(const char *from, char *to) {
#if defined(__GNUC__)
#pragma GCC unroll 4
    for (int j = 0; j < 64; j += FA_WIDEST) {
        *(fa_widest *)(to + j) = *(const fa_widest *)(from + j);
    }
#else
    memcpy(to, from, 64);
#endif
}

/* memcpy for a few kilobytes that a kernel reads next.  libc's may take `rep movs` for that,
   which at memory size is twice as slow; and the next kilobytes can come while the kernel
   works on these. */
static inline void fa_copy(const char *from, char *to, ptrdiff_t bytes) {
    ptrdiff_t i = 0;
    for (; i < bytes - 63; i += 64) {
        FA_FETCH(from + i, bytes);
        fa_copy64(from + i, to + i);
    }
    memcpy(to + i, from + i, bytes - i);
}

/* A number of ``size`` bytes, as often as 8 bytes have room for it. */
static inline uint64_t fa_eight(const char *from, int size) {
    uint64_t eight;
    uint32_t four;
    uint16_t two;
    if (size == 8) {
        memcpy(&eight, from, 8);
    } else if (size == 4) {
        memcpy(&four, from, 4);
        eight = four * 0x100000001ULL;
    } else {
        memcpy(&two, from, 2);
        eight = two * 0x1000100010001ULL;
    }
    return eight;
}

/* memcpy of 4 to 127 bytes, all of them in two or three steps that overlap, without a
   call. */
static inline void fa_copy_few(char *to, const char *from, ptrdiff_t bytes) {
#define FA_BOTH_ENDS(size) \
    do { \
        char last[size]; \
        memcpy(last, from + bytes - size, size); \
        memcpy(to, from, size); \
        memcpy(to + bytes - size, last, size); \
    } while (0)
    if (bytes >= 64) FA_BOTH_ENDS(64);
    else if (bytes >= 32) FA_BOTH_ENDS(32);
    else if (bytes >= 16) FA_BOTH_ENDS(16);
    else if (bytes >= 8) FA_BOTH_ENDS(8);
    else memcpy(to, from, 4);
}

/* Rows: how many, of how many numbers, the bytes of a number, and how far apart they are. */
typedef struct {
    ptrdiff_t rows, n, size, stride;
} fa_few_rows;
/* They side by side; at least 8 bytes each. */
static inline void fa_copy_rows(const char *from, char *to, const fa_few_rows *of) {
    const ptrdiff_t bytes = of->n * of->size;
    for (ptrdiff_t i = 0; i < of->rows; i++, from += of->stride, to += bytes) {
        if (bytes < 64) {
            fa_copy_few(to, from, bytes);
        } else {
            for (ptrdiff_t j = 0; j < bytes - 64; j += 64) fa_copy64(from + j, to + j);
            fa_copy64(from + bytes - 64, to + bytes - 64);
        }
    }
}
/* Rows that are one number each, side by side, and up to 63 bytes after them. */
static inline void fa_repeat(const char *from, char *to, const fa_few_rows *of) {
    const ptrdiff_t bytes = of->n * of->size;
    for (ptrdiff_t i = 0; i < of->rows; i++, from += of->stride, to += bytes) {
        const fa_widest some = fa_eight(from, (int)of->size) | (fa_widest){0};
        for (ptrdiff_t j = 0; j < bytes; j += FA_WIDEST) memcpy(to + j, &some, FA_WIDEST);
    }
}

#endif
