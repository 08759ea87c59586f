/* Steps of softmax and its kind down 16 columns at a time: see _columns.pxd.

   A line is 16 elements side by side, one of each column: one step of _axis_rows.h.  Sums
   go through the lines of a lane, so that they stay in registers; then to the next lane. */
#ifndef FASTACT_AXIS_COLUMNS_H
#define FASTACT_AXIS_COLUMNS_H
#include "_axis_rows.h"

#define FA_HEAD_AT(head, c, LOAD) \
    LOAD(head + (c)), LOAD(head + 16 + (c)), LOAD(head + 32 + (c)), LOAD(head + 48 + (c)), \
    LOAD(head + 64 + (c))

FA_OP64 void fa_column_max_f32(const float *x, ptrdiff_t n, float start, float *top) {
    fa_f32x a = FA_PS16(start), b = a;
    ptrdiff_t i = 0;
    for (; i < n - 1; i += 2) {
        a = fa_max32(fa_load32(x + 16 * i), a);
        b = fa_max32(fa_load32(x + 16 * i + 16), b);
    }
    if (i < n) a = fa_max32(fa_load32(x + 16 * i), a);
    fa_store32(top, fa_max32(a, b));
}

FA_OP64 void fa_column_max_f64(const double *x, ptrdiff_t n, double start, double *top) {
    fa_f64x a = FA_PD(start), b = a;
    for (ptrdiff_t i = 0; i < n; i++) {
        a = fa_max64(fa_load64(x + 16 * i), a);
        b = fa_max64(fa_load64(x + 16 * i + 8), b);
    }
    fa_store64(top, a);
    fa_store64(top + 8, b);
}

/* Lanes of float columns, 16 sums each, the first ``count`` of 8: to one. */
FA_OP64 void fa_fold_f32(double part[8][16], ptrdiff_t count, double *hi) {
    for (ptrdiff_t half = 4; half > 0; half /= 2) {
        for (ptrdiff_t j = 0; j + half < count && j < half; j++) {
            for (int c = 0; c < 16; c += 8) {
                fa_f64x a = fa_load64(part[j] + c), b = fa_load64(part[j + half] + c);
                fa_store64(part[j] + c, fa_add64(a, b));
            }
        }
        count = count < half ? count : half;
    }
    fa_store64(hi, fa_load64(part[0]));
    fa_store64(hi + 8, fa_load64(part[0] + 8));
}

/* ... of 8 double columns, with what they lost */
FA_OP64 void fa_fold_f64(
    double part[8][8], double low[8][8], ptrdiff_t count, double start, double *hi,
    double *lo
) {
    for (ptrdiff_t half = 4; half > 0; half /= 2) {
        for (ptrdiff_t j = 0; j + half < count && j < half; j++) {
            fa_f64x a = fa_load64(part[j]), b = fa_load64(part[j + half]);
            fa_f64x s = fa_add64(a, b), more = fa_load64(low[j + half]);
            fa_store64(part[j], s);
            more = fa_add64(more, fa_sum_low64(a, b, s));
            fa_store64(low[j], fa_add64(fa_load64(low[j]), more));
        }
        count = count < half ? count : half;
    }
    fa_store64(hi, fa_sub64(fa_load64(part[0]), FA_PD(start)));
    fa_store64(lo, fa_load64(low[0]));
}

/* The exponentials of a lane of float columns, which replace x exactly; with their sum, and
   what it lost. */
FA_OP64 fa_lanes_f32 fa_lane_exps_f32(
    float *x, ptrdiff_t n, ptrdiff_t lane, const fa_head_f32 *h, const int exactly,
    fa_f32x *lost
) {
    fa_lanes_f32 sum = {fa_zero64(), fa_zero64()};
    *lost = FA_PS16(0.0f);
    for (ptrdiff_t i = lane; i < n; i += 16) {
        fa_f32x e = fa_sub32(fa_load32(x + 16 * i), h->base);
        e = fa_exp_of32(e, h, exactly ? lost : NULL);
        if (exactly) fa_store32(x + 16 * i, e);
        fa_add_f32(&sum, e);
    }
    return sum;
}

FA_OP64 void fa_column_exps_f32(
    float *x, ptrdiff_t n, const float *head, const int exactly, double *hi
) {
    const fa_head_f32 h = {FA_HEAD_AT(head, 0, fa_load32)};
    double part[8][16];
    for (ptrdiff_t j = 0; j < 8 && j < n; j++) {
        fa_f32x lost, more_lost;
        fa_lanes_f32 sum = fa_lane_exps_f32(x, n, j, &h, exactly, &lost), more;
        if (j + 8 < n) {
            more = fa_lane_exps_f32(x, n, j + 8, &h, exactly, &more_lost);
            lost = fa_add32(lost, more_lost);
        }
        if (exactly) fa_add_f32(&sum, lost);
        if (j + 8 < n) {
            sum.a = fa_add64(sum.a, more.a);
            sum.b = fa_add64(sum.b, more.b);
        }
        fa_store64(part[j], sum.a);
        fa_store64(part[j] + 8, sum.b);
    }
    fa_fold_f32(part, n < 8 ? n : 8, hi);
}

typedef struct {
    fa_f64x sum, low;
} fa_lane_f64;

FA_OP64 fa_lane_f64 fa_both_f64(fa_lane_f64 a, fa_lane_f64 b) {
    fa_f64x s = fa_add64(a.sum, b.sum);
    a.low = fa_add64(a.low, fa_add64(b.low, fa_sum_low64(a.sum, b.sum, s)));
    a.sum = s;
    return a;
}

/* ... of 8 double columns */
FA_OP64 fa_lane_f64 fa_lane_exps_f64(
    double *x, ptrdiff_t n, ptrdiff_t lane, const fa_head_f64 *h, const int exactly,
    double start
) {
    fa_lane_f64 all = {FA_PD(start), fa_zero64()};
    for (ptrdiff_t i = lane; i < n; i += 16) {
        fa_f64x e = fa_sub64(fa_load64(x + 16 * i), h->base);
        e = fa_exp_of64(e, h, exactly ? &all.low : NULL);
        if (exactly) fa_store64(x + 16 * i, e);
        fa_add_near(&all.sum, &all.low, e);
    }
    return all;
}

FA_OP64 void fa_column_exps_f64(
    double *x, ptrdiff_t n, const double *head, const int exactly, double start,
    double *hi, double *lo
) {
    double part[8][8], low[8][8];
    for (int c = 0; c < 16; c += 8) {
        const fa_head_f64 h = {FA_HEAD_AT(head, c, fa_load64)};
        for (ptrdiff_t j = 0; j < 8 && j < n; j++) {
            fa_lane_f64 all = fa_lane_exps_f64(x + c, n, j, &h, exactly, start);
            if (j + 8 < n) {
                all = fa_both_f64(
                    all, fa_lane_exps_f64(x + c, n, j + 8, &h, exactly, start)
                );
            }
            fa_store64(part[j], all.sum);
            fa_store64(low[j], all.low);
        }
        fa_fold_f64(
            part, low, n < 8 ? n : 8, (double)(n < 16 ? n : 16) * start, hi + c, lo + c
        );
    }
}

/* g y, or g without y, added to more */
FA_OP64 fa_f32x fa_term32(const float *g, const float *y, ptrdiff_t i) {
    fa_f32x x = fa_load32(g + 16 * i);
    return y ? fa_mul32(x, fa_load32(y + 16 * i)) : x;
}
FA_OP64 fa_f32x fa_two_terms32(const float *g, const float *y, ptrdiff_t i, ptrdiff_t k) {
    fa_f32x x = fa_load32(g + 16 * k), t = fa_term32(g, y, i);
    return y ? FA_MADD32(x, fa_load32(y + 16 * k), t) : fa_add32(t, x);
}
FA_OP64 fa_f64x fa_term64(const double *g, const double *y, ptrdiff_t i) {
    fa_f64x x = fa_load64(g + 16 * i);
    return y ? fa_mul64(x, fa_load64(y + 16 * i)) : x;
}
FA_OP64 fa_f64x fa_two_terms64(
    const double *g, const double *y, ptrdiff_t i, ptrdiff_t k
) {
    fa_f64x x = fa_load64(g + 16 * k), t = fa_term64(g, y, i);
    return y ? FA_MADD64(x, fa_load64(y + 16 * k), t) : fa_add64(t, x);
}

/* sum(g y), or sum(g), with the pairs that rows have: fa_dot_f32(). */
FA_OP64 fa_lanes_f32 fa_lane_sum_f32(
    const float *g, const float *y, ptrdiff_t n, ptrdiff_t lane
) {
    fa_lanes_f32 sum = {fa_zero64(), fa_zero64()};
    ptrdiff_t i = lane, pairs = n & -32;
    for (; i < pairs; i += 32) fa_add_f32(&sum, fa_two_terms32(g, y, i, i + 16));
    for (; i < n; i += 16) fa_add_f32(&sum, fa_term32(g, y, i));
    return sum;
}
FA_OP64 fa_lane_f64 fa_lane_sum_f64(
    const double *g, const double *y, ptrdiff_t n, ptrdiff_t lane
) {
    fa_lane_f64 all = {fa_zero64(), fa_zero64()};
    ptrdiff_t i = lane, pairs = n & -32;
    for (; i < pairs; i += 32) {
        fa_add_any(&all.sum, &all.low, fa_two_terms64(g, y, i, i + 16));
    }
    for (; i < n; i += 16) fa_add_any(&all.sum, &all.low, fa_term64(g, y, i));
    return all;
}

FA_OP64 void fa_column_sums_f32(const float *g, const float *y, ptrdiff_t n, double *hi) {
    double part[8][16];
    for (ptrdiff_t j = 0; j < 8 && j < n; j++) {
        fa_lanes_f32 sum = {fa_zero64(), fa_zero64()}, more;
        if (n > 16) {
            sum = fa_lane_sum_f32(g, y, n, j);
            more = fa_lane_sum_f32(g, y, n, j + 8);
            sum.a = fa_add64(sum.a, more.a);
            sum.b = fa_add64(sum.b, more.b);
        } else if (j + 8 < n) {
            fa_add_f32(&sum, fa_two_terms32(g, y, j, j + 8));
        } else {
            fa_add_f32(&sum, fa_term32(g, y, j));
        }
        fa_store64(part[j], sum.a);
        fa_store64(part[j] + 8, sum.b);
    }
    fa_fold_f32(part, n < 8 ? n : 8, hi);
}

FA_OP64 void fa_column_sums_f64(
    const double *g, const double *y, ptrdiff_t n, double *hi, double *lo
) {
    double part[8][8], low[8][8];
    for (int c = 0; c < 16; c += 8) {
        for (ptrdiff_t j = 0; j < 8 && j < n; j++) {
            fa_lane_f64 all = {fa_zero64(), fa_zero64()};
            if (n > 16) {
                all = fa_both_f64(
                    fa_lane_sum_f64(g, y, n, j), fa_lane_sum_f64(g, y, n, j + 8)
                );
            } else if (j + 8 < n) {
                fa_add_any(&all.sum, &all.low, fa_two_terms64(g, y, j, j + 8));
            } else {
                fa_add_any(&all.sum, &all.low, fa_term64(g, y, j));
            }
            fa_store64(part[j], all.sum);
            fa_store64(low[j], all.low);
        }
        fa_fold_f64(part, low, n < 8 ? n : 8, 0.0, hi + c, lo + c);
        g += 8;
        if (y) y += 8;
    }
}

/* y = g - exp(y) (sum + low) of each column */
FA_OP64 void fa_column_less_exps_f32(
    const float *g, float *y, ptrdiff_t n, const float *sum, const float *low
) {
    const fa_f32x s = fa_load32(sum), l = fa_load32(low);
    for (ptrdiff_t i = 0; i < 16 * n; i += 16) {
        fa_store32(y + i, fa_less_exp32(fa_load32(g + i), fa_load32(y + i), s, l));
    }
}
FA_OP64 void fa_column_less_exps_f64(
    const double *g, double *y, ptrdiff_t n, const double *sum, const double *low
) {
    for (int c = 0; c < 16; c += 8) {
        const fa_f64x s = fa_load64(sum + c), l = fa_load64(low + c);
        for (ptrdiff_t i = c; i < 16 * n; i += 16) {
            fa_store64(y + i, fa_less_exp64(fa_load64(g + i), fa_load64(y + i), s, l));
        }
    }
}

#endif
