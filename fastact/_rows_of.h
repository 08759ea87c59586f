/* float32 by rows of a table (tools/rows.py): c0 + h (c1 + h (c2 + h c3)) in the interval of
   x, h from its middle, the first two in two parts: the result is rounded once, next to a root
   as elsewhere.  x outside of the rows, and NaN, are collected and given to FAR, the function
   by other means. */

/* c0, c1, c2, c3 of eight rows: two matrices of four by four, turned over. */
FA_AVX2_INLINE __m256 fa_two_rows(const char *row, const unsigned short *at) {
    __m256 low = _mm256_castps128_ps256(_mm_load_ps((const float *)(row + at[0])));
    return _mm256_insertf128_ps(low, _mm_load_ps((const float *)(row + at[8])), 1);
}
FA_AVX2_INLINE fa_pair fa_at_rows(
    const char *row, const unsigned short *at, __m256 h, const float bend, const float lack
) {
    __m256 a = fa_two_rows(row, at), b = fa_two_rows(row, at + 2);
    __m256 c = fa_two_rows(row, at + 4), d = fa_two_rows(row, at + 6);
    __m256 ab = _mm256_unpacklo_ps(a, b), cd = _mm256_unpacklo_ps(c, d);
    __m256 c0 = _mm256_shuffle_ps(ab, cd, 0x44), c1 = _mm256_shuffle_ps(ab, cd, 0xee);
    ab = _mm256_unpackhi_ps(a, b), cd = _mm256_unpackhi_ps(c, d);
    __m256 c2 = _mm256_shuffle_ps(ab, cd, 0x44), c3 = _mm256_shuffle_ps(ab, cd, 0xee);
    __m256i lower = _mm256_slli_epi32(_mm256_castps_si256(c3), 16);
    h = _mm256_sub_ps(h, _mm256_castsi256_ps(lower));
    __m256 square = _mm256_mul_ps(h, h);
    if (bend) c2 = _mm256_mul_ps(c2, _mm256_fmadd_ps(square, FA_PS(bend), FA_PS(1.0f)));
    __m256 rest = _mm256_mul_ps(_mm256_fmadd_ps(h, c3, c2), square);
    if (lack) rest = _mm256_fmadd_ps(h, FA_PS(lack), rest);
    if (bend) return fa_product_plus(h, c1, c0, rest);
    __m256 y = _mm256_fmadd_ps(h, c1, c0);
    return (fa_pair){y, _mm256_add_ps(_mm256_fmadd_ps(h, c1, _mm256_sub_ps(c0, y)), rest)};
}

typedef void fa_function_f32(const float *, float *, float *, ptrdiff_t);

/* What is to be given to FAR, and where its results go: of one block beside another. */
typedef struct {
    float x[2 * FA_BLOCK], f[2 * FA_BLOCK], d[2 * FA_BLOCK];
    ptrdiff_t at[2 * FA_BLOCK], count;
} fa_far;
/* Between least and most; of NaN, least. */
FA_AVX2_INLINE __m256 fa_between(__m256 x, __m256 least, __m256 most) {
    return _mm256_min_ps(_mm256_max_ps(x, least), most);
}

/* Collects those of m elements that are outside.  First their bits, then one loop over all
   bits: a branch on each vector or word is foretold badly. */
FA_AVX2_INLINE void fa_collect_far(
    fa_far *far, const float *x, ptrdiff_t first, ptrdiff_t m, __m256 least, __m256 most
) {
    uint64_t outside[FA_BLOCK / 64];
    ptrdiff_t count = 0;
    for (ptrdiff_t i = 0; i < m; i += 64) {
        uint64_t bits = 0;
        for (ptrdiff_t k = 0; k < 64 && i + k < m; k += 8) {
            __m256 v = _mm256_loadu_ps(x + first + i + k);
            __m256 a = fa_between(v, least, most);
            uint64_t eight = _mm256_movemask_ps(_mm256_cmp_ps(a, v, _CMP_NEQ_UQ));
            bits |= eight << k;
        }
        outside[i / 64] = bits;
        count += __builtin_popcountll(bits);
    }
    uint64_t bits = outside[0];
    for (ptrdiff_t k = 0, n = far->count, end = n + count; n < end; n++) {
        while (!bits) bits = outside[++k];
        ptrdiff_t at = first + 64 * k + __builtin_ctzll(bits);
        far->at[n] = at;
        far->x[n] = x[at];
        bits &= bits - 1;
    }
    far->count += count;
}
FA_AVX2_INLINE void fa_put_far(
    fa_far *far, fa_function_f32 *function, float *f, float *d,
    const int with_f, const int with_d
) {
    for (ptrdiff_t i = far->count; i % 8; i++) far->x[i] = 0.0f;
    function(far->x, with_f ? far->f : NULL, with_d ? far->d : NULL, (far->count + 7) & -8);
    for (ptrdiff_t i = 0; i < far->count; i++) {
        if (with_f) f[far->at[i]] = far->f[i];
        if (with_d) d[far->at[i]] = far->d[i];
    }
    far->count = 0;
}

FA_AVX2_INLINE void fa_by_rows(
    const unsigned (*rows)[8], const float step, const int low, const int high,
    const float bend, const float lack, fa_function_f32 *function,
    const float *x, float *f, float *d, ptrdiff_t n, const int with_f, const int with_d
) {
    const __m256 magic = FA_PS(12582912.0f - low);
    const __m256 least = FA_PS(low * step), most = FA_PS(high * step);
    const char *table = (const char *)rows;
    /* the place of each row in bytes, in the lower half of a word */
    unsigned short at[2 * FA_BLOCK] __attribute__((aligned(32)));
    float h[FA_BLOCK] __attribute__((aligned(32)));
    const ptrdiff_t ahead = FA_NEXT_BLOCK(n, float, FA_BLOCK);
    fa_far far;
    far.count = 0;
    for (ptrdiff_t first = 0; first < n; first += FA_BLOCK) {
        ptrdiff_t m = n - first < FA_BLOCK ? n - first : FA_BLOCK;
        __m256 outside = _mm256_setzero_ps();
        for (ptrdiff_t i = 0; i < m; i += 8) {
            __m256 v = _mm256_loadu_ps(x + first + i);
            __m256 a = fa_between(v, least, most);
            __m256 t = _mm256_fmadd_ps(a, FA_PS(1 / step), magic);
            __m256i place = _mm256_slli_epi16(_mm256_castps_si256(t), 5);
            t = _mm256_sub_ps(t, magic);
            _mm256_store_ps(h + i, _mm256_fnmadd_ps(t, FA_PS(step), a));
            _mm256_store_si256((__m256i *)(at + 2 * i), place);
            outside = _mm256_or_ps(outside, _mm256_cmp_ps(a, v, _CMP_NEQ_UQ));
        }
        if (_mm256_movemask_ps(outside)) fa_collect_far(&far, x, first, m, least, most);
        for (ptrdiff_t i = 0; i < m; i += 8) {
            const ptrdiff_t to = first + i;
            FA_FETCH_NEXT(ahead, x + to, f + to, d + to, with_f, with_d);
            __m256 from = _mm256_load_ps(h + i);
            __m256 sign = fa_sign(_mm256_loadu_ps(x + to));
            if (with_f) {
                fa_pair y = fa_at_rows(table, at + 2 * i, from, 0.0f, lack);
                y.hi = _mm256_or_ps(_mm256_add_ps(y.hi, y.lo), sign);
                _mm256_storeu_ps(f + to, y.hi);
            }
            if (with_d) {
                fa_pair y = fa_at_rows(table + 16, at + 2 * i, from, bend, 0.0f);
                _mm256_storeu_ps(d + to, _mm256_add_ps(y.hi, y.lo));
            }
        }
        if (far.count >= FA_BLOCK) fa_put_far(&far, function, f, d, with_f, with_d);
    }
    if (far.count) fa_put_far(&far, function, f, d, with_f, with_d);
}
