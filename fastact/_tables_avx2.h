/* Written by tools/tables_avx2.py. */

/* exp(-r) - 1 = -r + r^2 (1/2 + ...): error 2^-32.4 */
#define FA_PER_STEP 11.541560173034668f
#define FA_STEP 0.086639404296875f
#define FA_STEP_LOW 3.993272912339307e-06f
#define FA_LOG_THETA -0.0025643177796155214f
#define FA_EXP_3 -0.16668201982975006f
#define FA_EXP_4 0.041669297963380814f
#define FA_SCALE 0x1p-40f
#define FA_SCALE_BITS 40
static const unsigned fa_table_exp[8] = {
    0x2b7f5829, 0x2b7b3a3e, 0x2b77d424, 0x2b759202,
    0x2b748e45, 0x2b74e5be, 0x2b76b7da, 0x2b7a26de,
};

/* silu' at its root: error 2^-27.0 */
#define FA_SILU_NEAR 0.03125f
#define FA_SILU_ROOT 1.2784645557403564f
static const float fa_silu_root[5] = {
    -3108.363037109375f,
    239486500864.0f,
    161242054656.0f,
    20744511488.0f,
    -16734868480.0f,
};

/* tanh near 0: error 2^-29.8 */
#define FA_TANH_NEAR 0.55f
static const float fa_tanh_near[5] = {
    -0.33333316445350647f,
    0.13332554697990417f,
    -0.053849413990974426f,
    0.021060897037386894f,
    -0.006260193418711424f,
};

/* x - tanh(x) near 0: error 2^-30.8 */
#define FA_TANH_SHRINK_NEAR 0.65f
static const float fa_tanh_shrink_near[6] = {
    -0.13333331048488617f,
    0.05396732687950134f,
    -0.02185617759823799f,
    0.008771772496402264f,
    -0.0032610162161290646f,
    0.0008225933415815234f,
};

/* exp(-a) - 1 near 0: error 2^-30.4 */
#define FA_EXPM1_NEAR 0.1875f
static const float fa_expm1_near[4] = {
    549755682816.0f,
    -183245307904.0f,
    45707202560.0f,
    -8488838144.0f,
};

/* softplus near 0: error 2^-27.8 */
#define FA_SOFTPLUS_NEAR 0.9375f
#define FA_LN2 0.6931471824645996f
static const float fa_softplus_near[4] = {
    0.12499988079071045f,
    -0.005207287147641182f,
    0.0003439614665694535f,
    -2.207820216426626e-05f,
};

/* log(1 + e): error 2^-26.9 */
static const float fa_log1p_tail[6] = {
    -0.49999865889549255f,
    0.33326661586761475f,
    -0.24886788427829742f,
    0.1908963918685913f,
    -0.12764349579811096f,
    0.05006976053118706f,
};

/* gelu, far on the left: error 2^-28.8 */
#define FA_GELU_FAR_TOP 14.62f
static const float fa_gelu_far[5] = {
    0.3989398777484894f,
    -1.1959567070007324f,
    5.870946407318115f,
    -34.87651062011719f,
    149.2080078125f,
};
