/* Written by tools/tables64.py. */

/* (expm1(r) - r) / r^2: relative error of exp(r) 2^-56.3 */
static const double fa_exp16_tail[5] = {
    0x1.fffffffffffb8p-2, 0x1.555555548f861p-3, 0x1.555555590668bp-5, 0x1.11123ab0d210ap-7, 0x1.6c14c03962979p-10,
};

/* (expm1(r) - r) / r^2: relative error of expm1(r) 2^-58.9 */
static const double fa_expm1_tail[6] = {
    0x1.0000000000003p-1, 0x1.555555555555ap-3, 0x1.55555554ac5fdp-5, 0x1.111111102e30bp-7, 0x1.6c18202fe3c5ap-10, 0x1.a01c75c050921p-13,
};

/* 2^(j/16), times 2^-100: bits, less j 2^48 */
static const uint64_t fa_exp16_hi[16] = {
    0x39b0000000000000, 0x39afb55800000000, 0x39af72b800000000, 0x39af387a00000000,
    0x39af06fe00000000, 0x39aedea600000000, 0x39aebfda00000000, 0x39aeab0800000000,
    0x39aea09e00000000, 0x39aea11400000000, 0x39aeace600000000, 0x39aec49200000000,
    0x39aee8a000000000, 0x39af199c00000000, 0x39af581800000000, 0x39afa4b000000000,
};
static const uint64_t fa_exp16_lo[16] = {
    0x0000000000000000, 0x385a3e6243d8a62e, 0x384c3ea8bd6e6fbe, 0x38589d588e19b07f,
    0x3820636e2a5bd1ab, 0x384e048d088d6d05, 0x3864a6c544e3a873, 0xb83a5bd5eb539b68,
    0x38519fcef32422cc, 0x3853fac061b5f544, 0xb85dbaabe4948b07, 0xb8545703dbf8e0ee,
    0xb84da94b14a85e33, 0xb8343d56b1eeef9a, 0x385d9f7490e4bb41, 0xb84856dbc99e9c23,
};

/* silu'(-U - h) / h, |h| <= 1/16: relative error 2^-54.9; U */
static const double fa_silu_root[9] = {
    -0x1.be1410460527fp-3, 0x1.2c563458cc0b5p-3, -0x1.353eb573ca3cep-6, -0x1.f2d0e32c387e2p-7, 0x1.b0f82c48f2a71p-8, 0x1.098efc85a462bp-13, -0x1.a2a7c48f2207cp-11, 0x1.84e8276534e10p-13, 0x1.57136da7ab851p-15,
};
#define FA_SILU_ROOT 0x1.474973c84120bp+0
#define FA_SILU_ROOT_LOW 0x1.f8d74bc9ac154p-54

/* (x - tanh(x)) / x^3, in x^2, x <= 0.7: relative error 2^-55.3; what 1/3 is short of */
static const double fa_tanh_shrink[13] = {
    0x1.5555555555555p-2, -0x1.11111111110dbp-3, 0x1.ba1ba1ba15876p-5, -0x1.664f488099f77p-6, 0x1.226e34f92626bp-7, -0x1.d6d3baa7bd431p-9, 0x1.7da1d1d9a2314p-10, -0x1.3544f2f0fdc46p-11, 0x1.f439c4cf4f440p-13, -0x1.8f107e3dc89f4p-14, 0x1.2b42130ebd060p-15, -0x1.6f0f341689d42p-17, 0x1.03c3051155f8dp-19,
};
#define FA_THIRD_LOW 0x1.5555555555555p-56

/* (log1p(z) - z) / z^2: relative error of log1p 2^-56.1 */
static const double fa_log16_tail[8] = {
    -0x1.fffffffffffd5p-2, 0x1.555555555641dp-2, -0x1.00000000bca4bp-2, 0x1.99999971ea820p-3, -0x1.55553f4398284p-3, 0x1.249347bd890e8p-3, -0x1.00753096d9de6p-3, 0x1.c3797474e335fp-4,
};
#define FA_LOG_STEPS 0x1.efae147ae147bp+3
/* c - 1, -log(c) 2^1000 */
static const double fa_log16_c[16] = {
    0x0.0p+0, -0x1.f0ca000000000p-5, -0x1.d462000000000p-4, -0x1.4c49800000000p-3,
    -0x1.a451800000000p-3, -0x1.f3c1800000000p-3, -0x1.1de6800000000p-2, -0x1.3eb8400000000p-2,
    -0x1.5cbe800000000p-2, -0x1.7851000000000p-2, -0x1.91ba000000000p-2, -0x1.a937800000000p-2,
    -0x1.beffc00000000p-2, -0x1.d340800000000p-2, -0x1.e621800000000p-2, -0x1.f7c5800000000p-2,
};
static const double fa_log16_hi[16] = {
    0x0.0p+0, 0x1.003ecc5bb4000p+996, 0x1.f165b2a10b000p+996, 0x1.6a9157f0f9000p+997,
    0x1.d670a124cd800p+997, 0x1.1e74bf5378400p+998, 0x1.4f401d85ec800p+998, 0x1.7dd358652d000p+998,
    0x1.aa5f8de4d0400p+998, 0x1.d5102c6e9a800p+998, 0x1.fe0be1aa17c00p+998, 0x1.12b9978b2c600p+999,
    0x1.25b28c9287e00p+999, 0x1.37fde761e8400p+999, 0x1.49a78f6ae4400p+999, 0x1.5aba6f66fd800p+999,
};
static const double fa_log16_lo[16] = {
    0x0.0p+0, 0x1.a1d161648ad54p+954, 0x1.01aa08874dea8p+953, -0x1.3d920b5db1636p+952,
    -0x1.78397b8d4a997p+954, -0x1.f5d8bcfb8d361p+953, -0x1.b665217daf096p+954, 0x1.78fa7f95fc475p+954,
    -0x1.4b6f53d484f17p+953, -0x1.e9c5bbdbdaef8p+954, -0x1.f8dcb1ab73c9ap+953, -0x1.1895f0c194f89p+952,
    -0x1.9ee7e67ef29b2p+952, -0x1.ebfa93150bd4dp+954, 0x1.0e51aef1632d8p+954, -0x1.f21c096aeaf60p+953,
};

/* mish'(h - U) less mish'(-U), over h, |h| <= 1/16: relative error 2^-56.5; what its first
   number is short of; U, mish'(-U) */
static const double fa_mish_root[9] = {
    0x1.115acb42500bcp-2, 0x1.a34a251d8ad88p-3, 0x1.574f121a86981p-5, -0x1.4c222fe6a0e1dp-6, -0x1.03369d4b75e91p-6, -0x1.b87dd6568e30cp-9, 0x1.1e5e37537a6f8p-10, 0x1.0360ae3638c5cp-10, 0x1.09e8e03b3b1ecp-12,
};
#define FA_MISH_ROOT_LOW -0x1.76e7540a41322p-56
#define FA_MISH_ROOT 0x1.31432c0d12d84p+0
#define FA_MISH_AT_ROOT 0x1.dd827678b94bap-57
