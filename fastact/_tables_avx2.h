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

/* exp(2 a) for tanh(a): error of that 0.137 ulp near 0 */
#define FA_PER_LN2 1.4426950216293335f
#define FA_TANH_LACK -1.0991341170552005e-08f
#define FA_TWICE_2 0.5000001192092896f
#define FA_TWICE_3 0.16666512191295624f
#define FA_TWICE_4 0.0416647344827652f
#define FA_TWICE_5 0.008369308896362782f
#define FA_TWICE_6 0.001399696571752429f

/* exp(r): error 2^-27.7 r */
#define FA_SILU_START -0.021186411380767822f
#define FA_SILU_STEP 0.08664339780807495f
#define FA_SILU_STEP_LOW -2.380817765157417e-10f
#define FA_SILU_EXP_2 0.49999964237213135f
#define FA_SILU_EXP_3 0.16666279733181f
#define FA_SILU_EXP_4 0.04234044626355171f
static const unsigned fa_table_silu[8] = {
    0x2b7aa222, 0x2b78a8a7, 0x2b750708, 0x2b7283ff,
    0x2b71397b, 0x2b7143c5, 0x2b72c1b5, 0x2b75d4ef,
};
static const float fa_table_silu_low[8] = {
    -6.49962039744878e-09f,
    -4.52476598411522e-08f,
    2.435635515496415e-08f,
    -1.1853415138318724e-08f,
    -3.430772821388928e-08f,
    -3.9422811681788517e-08f,
    1.7632778570586538e-09f,
    2.096522955241653e-08f,
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
