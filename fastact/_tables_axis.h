/* Written by tools/tables_axis.py. */
#if FA_STEPS64 == 16

/* float: steps in 1, a step, what that is short of */
static const float fa_row_steps32[3] = {
    0x1.7154760000000p+4, 0x1.62e4300000000p-5, -0x1.05c6100000000p-33,
};
/* (expm1(r) - r) / r^2: relative error of exp(r) 2^-29.2 */
static const float fa_row_tail32[2] = {
    0x1.00021e0000000p-1, 0x1.55559c0000000p-3,
};
/* 2^(j/16), times 2^100: bits, less j 2^19; j ln2 / 16 less its logarithm */
static const uint32_t fa_row_power32[16] = {
    0x71800000, 0x717daac3, 0x717b95c2, 0x7179c3d3,
    0x717837f0, 0x7176f532, 0x7175fed7, 0x7175583f,
    0x717504f3, 0x717508a4, 0x7175672a, 0x7176248c,
    0x717744fd, 0x7178ccdf, 0x717ac0c7, 0x717d257d,
};
static const float fa_row_rest32[16] = {
    0x0.0p+0, 0x1.8d96d40000000p-25, -0x1.9c0c220000000p-27, 0x1.9649020000000p-25,
    0x1.1250020000000p-25, 0x1.370be40000000p-25, -0x1.0a35520000000p-25, -0x1.00d8ac0000000p-27,
    0x1.26055c0000000p-26, -0x1.05cb440000000p-25, 0x1.67a1ca0000000p-28, 0x1.a3b5e40000000p-28,
    -0x1.f9c3060000000p-27, -0x1.6961b40000000p-28, -0x1.a5217c0000000p-28, 0x1.61428e0000000p-28,
};

/* double: steps in 1, a step, what that is short of */
static const double fa_row_steps64[3] = {
    0x1.71547652b82fep+4, 0x1.62e42fefa39efp-5, 0x1.abc9e3b39803fp-60,
};
/* (expm1(r) - r) / r^2: relative error of exp(r) 2^-65.2 */
static const double fa_row_tail64[6] = {
    0x1.0000000000004p-1, 0x1.5555555555545p-3, 0x1.555555547f669p-5, 0x1.111111125fc53p-7,
    0x1.6c1841a47b8bep-10, 0x1.a0190f3434b2ap-13,
};
/* 2^(j/16), times 2^300: bits, less j 2^48; j ln2 / 16 less its logarithm */
static const uint64_t fa_row_power64[16] = {
    0x52b0000000000000, 0x52afb5586cf9890f, 0x52af72b83c7d517b, 0x52af387a6e756238,
    0x52af06fe0a31b715, 0x52aedea64c123422, 0x52aebfdad5362a27, 0x52aeab07dd485429,
    0x52aea09e667f3bcd, 0x52aea11473eb0187, 0x52aeace5422aa0db, 0x52aec49182a3f090,
    0x52aee89f995ad3ad, 0x52af199bdd85529c, 0x52af5818dcfba487, 0x52afa4afa2a490da,
};
static const double fa_row_rest64[16] = {
    0x0.0p+0, 0x1.79aa65d837b6cp-54, -0x1.01b15eaa59348p-55, 0x1.68efde3a8a894p-54,
    0x1.34d754db0abb6p-55, 0x1.59f48a72a4c6dp-55, 0x1.690cebb7aafb0p-56, 0x1.063e1e21c5409p-54,
    -0x1.3b3efbf5e2229p-54, -0x1.b32dcb94da51dp-56, 0x1.db72fc1f0eab4p-55, 0x1.1affc2b91ce27p-56,
    0x1.c1a7792cb3387p-55, 0x1.36eae30af0cb3p-56, 0x1.4a385a63d07a7p-56, -0x1.ff7128fd391f1p-55,
};

#else

/* float: steps in 1, a step, what that is short of */
static const float fa_row_steps32[3] = {
    0x1.7154760000000p+2, 0x1.62e4300000000p-3, -0x1.05c6100000000p-31,
};
/* (expm1(r) - r) / r^2: relative error of exp(r) 2^-27.4 */
static const float fa_row_tail32[3] = {
    0x1.0000060000000p-1, 0x1.5571e20000000p-3, 0x1.5520fc0000000p-5,
};
/* 2^(j/4), times 2^100: bits, less j 2^21; j ln2 / 4 less its logarithm */
static const uint32_t fa_row_power32[4] = {
    0x71800000, 0x717837f0, 0x717504f3, 0x717744fd,
};
static const float fa_row_rest32[4] = {
    0x0.0p+0, 0x1.1250020000000p-25, 0x1.26055c0000000p-26, -0x1.f9c3060000000p-27,
};

/* double: steps in 1, a step, what that is short of */
static const double fa_row_steps64[3] = {
    0x1.71547652b82fep+2, 0x1.62e42fefa39efp-3, 0x1.abc9e3b39803fp-58,
};
/* (expm1(r) - r) / r^2: relative error of exp(r) 2^-57.6 */
static const double fa_row_tail64[7] = {
    0x1.0000000000006p-1, 0x1.5555555557ea0p-3, 0x1.5555555541a1fp-5, 0x1.111110a12b747p-7,
    0x1.6c16c383ee3d8p-10, 0x1.a030d075800ccp-13, 0x1.a000a484ece6cp-16,
};
/* 2^(j/4), times 2^300: bits, less j 2^50; j ln2 / 4 less its logarithm */
static const uint64_t fa_row_power64[4] = {
    0x52b0000000000000, 0x52af06fe0a31b715, 0x52aea09e667f3bcd, 0x52aee89f995ad3ad,
};
static const double fa_row_rest64[4] = {
    0x0.0p+0, 0x1.34d754db0abb6p-55, -0x1.3b3efbf5e2229p-54, 0x1.c1a7792cb3387p-55,
};

#endif
