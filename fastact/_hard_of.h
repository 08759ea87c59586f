/* _hard.h for one type.

   In hard_sigmoid and hard_swish t + low is x + 3 exactly, and 1/6 is taken in two parts, or
   by a residual (which has its digits where the result is subnormal), so that both functions
   and the derivative of hard_swish are rounded once: 0.5 ulp, and a tie may go either way.

   Each function takes n, a multiple of 16, and where to put the value and the derivative:
   NULL where not. */
#define FA_OF(op) FA_INTRINSIC_OF(op, FA_TYPE)
#define FA_ALL(x) FA_OF(set1)((FA_REAL)(x))

/* (high + low) / 6 */
static inline FA_VECTOR FA_HARD(sixth)(FA_VECTOR high, FA_VECTOR low) {
    const FA_VECTOR sixth = FA_ALL(1.0 / 6.0);
    low = FA_OF(fmadd)(low, sixth, FA_OF(mul)(high, FA_ALL(FA_SIXTH_LOW)));
    return FA_OF(fmadd)(high, sixth, low);
}

/* t = x + 3; what it lost */
static inline FA_VECTOR FA_HARD(lost)(FA_VECTOR x, FA_VECTOR t) {
    return FA_OF(sub)(x, FA_OF(sub)(t, FA_ALL(3)));
}

/* |x| < 3: yes, otherwise no */
static inline FA_VECTOR FA_HARD(inside)(FA_VECTOR x, FA_VECTOR yes, FA_VECTOR no) {
    x = FA_OF(andnot)(FA_ALL(-0.0), x);
    return FA_WHERE_OF(FA_TYPE, x, FA_ALL(3), _CMP_LT_OQ, yes, no);
}

/* (the sum makes 0 of the -0 that the maximum keeps) */
static inline void FA_HARD(relu6)(
    const FA_REAL *x, FA_REAL *f, FA_REAL *d, ptrdiff_t n
) {
    const FA_VECTOR zero = FA_ALL(0), six = FA_ALL(6);
    for (ptrdiff_t i = 0; i < n; i += sizeof(FA_VECTOR) / sizeof(FA_REAL)) {
        FA_VECTOR v = FA_OF(loadu)(x + i);
        FA_VECTOR in = FA_OF(min)(six, FA_OF(max)(zero, v));
        if (f) FA_OF(storeu)(f + i, FA_OF(add)(in, zero));
        if (d) {
            FA_VECTOR zero_or_nan = FA_OF(sub)(in, in);
            FA_VECTOR step = FA_WHERE_OF(FA_TYPE, v, zero, _CMP_GT_OQ, FA_ALL(1), zero_or_nan);
            FA_OF(storeu)(d + i, FA_WHERE_OF(FA_TYPE, v, six, _CMP_LT_OQ, step, zero_or_nan));
        }
    }
}

static inline void FA_HARD(hard_sigmoid)(
    const FA_REAL *x, FA_REAL *f, FA_REAL *d, ptrdiff_t n
) {
    for (ptrdiff_t i = 0; i < n; i += sizeof(FA_VECTOR) / sizeof(FA_REAL)) {
        FA_VECTOR v = FA_OF(loadu)(x + i);
        FA_VECTOR in = FA_OF(min)(FA_ALL(3), FA_OF(max)(FA_ALL(-3), v));
        if (f) {
            FA_VECTOR t = FA_OF(add)(in, FA_ALL(3));
            FA_OF(storeu)(f + i, FA_HARD(sixth)(t, FA_HARD(lost)(in, t)));
        }
        if (d) {
            FA_VECTOR zero_or_nan = FA_OF(sub)(in, in);
            FA_OF(storeu)(d + i, FA_HARD(inside)(v, FA_ALL(1.0 / 6.0), zero_or_nan));
        }
    }
}

/* x (t + low) / 6 = q + (p - 6 q + p_low + x low) / 6, p + p_low = x t; max(x, -0) where that
   is less or p overflows (of two zeros the second operand counts: f has the sign of x).

   f' = (2 x + 3) / 6, outside x cut to 0 to 1. */
static inline void FA_HARD(hard_swish)(
    const FA_REAL *x, FA_REAL *f, FA_REAL *d, ptrdiff_t n
) {
    for (ptrdiff_t i = 0; i < n; i += sizeof(FA_VECTOR) / sizeof(FA_REAL)) {
        FA_VECTOR v = FA_OF(loadu)(x + i);
        if (f) {
            const FA_VECTOR sixth = FA_ALL(1.0 / 6.0);
            FA_VECTOR t = FA_OF(add)(v, FA_ALL(3));
            FA_VECTOR p = FA_OF(mul)(v, t), q = FA_OF(mul)(p, sixth);
            FA_VECTOR low = FA_OF(fmsub)(v, t, p);
            low = FA_OF(fmadd)(v, FA_HARD(lost)(v, t), low);
            low = FA_OF(add)(FA_OF(fnmadd)(q, FA_ALL(6), p), low);
            q = FA_OF(fmadd)(low, sixth, q);
            FA_OF(storeu)(f + i, FA_OF(min)(q, FA_OF(max)(FA_ALL(-0.0), v)));
        }
        if (d) {
            FA_VECTOR t = FA_OF(fmadd)(v, FA_ALL(2), FA_ALL(3));
            FA_VECTOR low = FA_OF(fmsub)(v, FA_ALL(2), FA_OF(sub)(t, FA_ALL(3)));
            FA_VECTOR step = FA_OF(min)(FA_ALL(1), FA_OF(max)(FA_ALL(0), v));
            t = FA_HARD(sixth)(t, low);
            FA_OF(storeu)(d + i, FA_HARD(inside)(v, t, step));
        }
    }
}

#undef FA_OF
#undef FA_ALL
#undef FA_HARD
#undef FA_REAL
#undef FA_TYPE
#undef FA_VECTOR
#undef FA_SIXTH_LOW
