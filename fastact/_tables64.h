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
/* the logarithm of the first part, less j ln2 / 16 */
static const double fa_exp16_off[16] = {
    0x0.0p+0, -0x1.a16b1b3ebe462p-22, -0x1.bbc0ceba37fb1p-23, -0x1.83fc73454cebfp-22,
    -0x1.1250015761931p-25, -0x1.ea0c14c2cd638p-23, -0x1.48d13b22265efp-21, 0x1.9a2c5b6dd05f4p-24,
    -0x1.21e7c52134643p-22, -0x1.39f71838aa85fp-22, 0x1.ec5df56ee9fdcp-22, 0x1.375b8a3f064ccp-22,
    0x1.e843fda5ced1ap-23, 0x1.3a1dc164964e4p-24, -0x1.e1f7a7c12c7ddp-22, 0x1.85f6337862c14p-23,
};

/* silu'(-U - h) / h, |h| <= 1/16: relative error 2^-54.9; U */
static const double fa_silu_root[9] = {
    -0x1.be1410460527fp-3, 0x1.2c563458cc0b5p-3, -0x1.353eb573ca3cep-6, -0x1.f2d0e32c387e2p-7, 0x1.b0f82c48f2a71p-8, 0x1.098efc85a462bp-13, -0x1.a2a7c48f2207cp-11, 0x1.84e8276534e10p-13, 0x1.57136da7ab851p-15,
};
#define FA_SILU_ROOT 0x1.474973c84120bp+0
#define FA_SILU_ROOT_LOW 0x1.f8d74bc9ac154p-54

/* (x - tanh(x)) / x^3, in x^2, x <= 0.34: relative error 2^-55.8; what 1/3 is short of */
static const double fa_tanh_shrink[9] = {
    0x1.5555555555555p-2, -0x1.11111111110a1p-3, 0x1.ba1ba1ba02640p-5, -0x1.664f487130d61p-6, 0x1.226e2f3c83038p-7, -0x1.d6d167782f1bdp-9, 0x1.7d5bc487ff1a6p-10, -0x1.3075f47931cb1p-11, 0x1.97a23432a8d4dp-13,
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

/* (h - tanh(h)) / h^3, in h^2, |h| <= 0.0143: relative error of tanh 2^-61.3 */
static const double fa_tanh_tail[3] = {
    0x1.55555555552f2p-2, -0x1.111110ee585a2p-3, 0x1.ba09af79e2d8ap-5,
};
/* ln2 / 2 in two parts, its inverse */
#define FA_TANH_WHOLE 0x1.62e42fefa0000p-2
#define FA_TANH_WHOLE_LOW 0x1.cf79abc9e3b3ap-41
#define FA_TANH_WHOLE_INVERSE 0x1.71547652b82fep+1
/* exp(2 c_j), times 2^-100: bits, less j 2^48; c_j, to 0.0001 ulp, less j ln2 / 32 */
static const uint64_t fa_tanh_power[16] = {
    0x39b0000000000000, 0x39af99ee00000000, 0x39af821800000000, 0x39af26e600000000,
    0x39aefef800000000, 0x39aed63400000000, 0x39aeaa1e00000000, 0x39ae869a00000000,
    0x39ae8cbe00000000, 0x39ae779400000000, 0x39aebffa00000000, 0x39aea14600000000,
    0x39aec48000000000, 0x39af144000000000, 0x39af5df800000000, 0x39afd97000000000,
};
static const double fa_tanh_off[16] = {
    0x0.0p+0, -0x1.a567faaeb4248p-9, 0x1.c25d4222e42c0p-10, -0x1.eeed30c450680p-10,
    -0x1.b02a2aa707080p-11, -0x1.b3a819946ca00p-11, -0x1.0cbe07d579000p-9, -0x1.afd0d55c08800p-9,
    -0x1.c2875961c0800p-10, -0x1.c32e784113540p-9, 0x1.8b52d85e0e680p-10, -0x1.5f978f8ba0b80p-9,
    -0x1.5891f876e5400p-9, -0x1.86b63241aec00p-12, 0x1.99a2b056ce800p-12, 0x1.b7386710cad00p-9,
};

/* U in two parts, d(U + h) / h, |h| <= 0.0313: 2^-53.9 */
static const double fa_mish_root[10] = {
    0x1.31432c0d12d84p+0, 0x1.bf319154da210p-55, -0x1.115acb42500bbp-2, 0x1.a34a251d8ad7cp-3, -0x1.574f121a88a56p-5, -0x1.4c222fe654d2ep-6, 0x1.03369d9e55b9ep-6, -0x1.b87ddd92e6581p-9, -0x1.1e7f74e608fd2p-10, 0x1.036c49f15fcbbp-10,
};

/* c = 1.702: c / ln2, its inverse in two parts, c,
   (expm1(c h) - c h) / h^2: relative error of exp(c h) 2^-56.3 */
static const double fa_quick_gelu_growth[9] = {
    0x1.3a4cbdc7ee26bp+1, 0x1.a10753b438000p-2, 0x1.305015c728834p-44, 0x1.b3b645a1cac08p+0, 0x1.72ca793576005p+0, 0x1.a4b95dd654fd6p-1, 0x1.6609445a913fep-2, 0x1.e7829c389bf05p-4, 0x1.1491fb02749ffp-5,
};
/* U in two parts, d(U + h) / h, |h| <= 0.0313: 2^-54.6 */
static const double fa_quick_gelu_root[11] = {
    0x1.80974a62be3dfp-1, -0x1.b12c858d26bf0p-55, -0x1.7b9cd99ff06b7p-2, 0x1.b30221e11c039p-2, -0x1.7d2c1a0734092p-4, -0x1.059cd091f05ccp-3, 0x1.827cb3ebf554bp-4, 0x1.9374c7e166383p-9, -0x1.0ea4191cc1875p-5, 0x1.ac11254cc0373p-7, 0x1.413f18d8bcbccp-8,
};
#define FA_QUICK_GELU_LOW 0x1.89374bc6a7efap-55

/* c = 1.0458: c / ln2, its inverse in two parts, c,
   (expm1(c h) - c h) / h^2: relative error of exp(c h) 2^-56.3 */
static const double fa_gelu_tanh_growth[9] = {
    0x1.823f16d58ebbbp+0, 0x1.53591db658000p-1, 0x1.6a6d7cbfdd16cp-43, 0x1.0bb9c30b65442p+0, 0x1.17fd03a5404c5p-1, 0x1.866abd48aef02p-3, 0x1.984ca0079e4acp-5, 0x1.559b3565143c0p-7, 0x1.dc51b19622f98p-10,
};
/* U in two parts, d(U + h) / h, |h| <= 0.0313: 2^-54.2 */
static const double fa_gelu_tanh_root[11] = {
    0x1.81429f9e97e4dp-1, -0x1.4f523ed77dbdcp-55, -0x1.b8bacd2c96b91p-2, 0x1.8cd1a2b2fff32p-2, 0x1.029615edb0777p-6, -0x1.d2b773464500ep-4, 0x1.104a83edc1b10p-6, 0x1.42799666f6ffep-6, -0x1.58c9ed0bb0a6ep-8, -0x1.3d79e5dd2ba46p-9, 0x1.e621e29e42367p-11,
};
/* s, s d */
static const double fa_gelu_tanh_sum[2] = {
    0x1.86a0000000000p+0, 0x1.1778000000000p-4,
};
/* a u' = a (c + c' a^2): c, c', what they are short of */
static const double fa_gelu_tanh_slope[4] = {
    0x1.9884533d43651p+0, 0x1.b6676bf7450f0p-3, -0x1.cbc0d30ebfd15p-54, 0x1.bba7351828aabp-57,
};

/* c = -0.5: c / ln2, its inverse in two parts, c,
   (expm1(c h) - c h) / h^2: relative error of exp(c h) 2^-56.3 */
static const double fa_gelu_growth[9] = {
    -0x1.71547652b82fep-1, -0x1.62e42fefa0000p+0, -0x1.cf79abc9e3b3ap-39, -0x1.0000000000000p-1, 0x1.fffffffffffb8p-4, -0x1.555555548f861p-6, 0x1.555555590668bp-9, -0x1.11123ab0d210ap-12, 0x1.6c14c03962979p-16,
};
#define FA_GELU_SCALE 0x1.8747afc5c2e4cp-2
#define FA_GELU_START 0x1.1675b20ede06ep+0
/* R and S by intervals: relative error 2^-55.1 */
static const double fa_gelu_centre[1][16] = {
    {0x1.8577000000000p+1, 0x1.167e300000000p+2, 0x1.6a31100000000p+2, 0x1.bdec140000000p+2, 0x1.1dcb360000000p+3, 0x1.718cb00000000p+3, 0x1.c54bcc0000000p+3, 0x1.0c821e0000000p+4, 0x1.4b54d80000000p+4, 0x1.9f0fba0000000p+4, 0x1.f2d27d0000000p+4, 0x1.23488a0000000p+5, 0x0.0p+0, 0x1.80ead197f00b4p-1, 0x1.6843000000000p+0, 0x1.07bdb00000000p+1,},
};
static const double fa_gelu_mills[2][16] = {
    {0x1.ebc5e2a5c804dp-4, 0x1.663711ce02f90p-4, 0x1.18767c7ef7519p-4, 0x1.cbeedfb70a6d5p-5, 0x1.6981154c3f1a1p-5, 0x1.18eb0b58063eep-5, 0x1.cb27df522b1cbp-6, 0x1.841e2fa16b0c4p-6, 0x1.3ae7d901116ffp-6, 0x1.f72e73e382be7p-7, 0x1.a2e1019839bb0p-7, 0x1.66c3437944ce2p-7, 0x1.0000000000000p-1, 0x1.331e9a233c13ap-2, 0x1.b738f9990e081p-3, 0x1.50a8b9254645bp-3,},
    {-0x1.138170610b2b2p-5, -0x1.2d3f3a2756e8cp-6, -0x1.76e0df8fb2cdap-7, -0x1.fc48ee8e6e447p-8, -0x1.3c2a3a90cc399p-8, -0x1.7f931bcb3a3cdp-9, -0x1.00c96efb5e0c8p-9, -0x1.6f74908dc6eefp-10, -0x1.e45fc41ccd5cfp-11, -0x1.356f4c2b4f634p-11, -0x1.ad108a73ab38ap-12, -0x1.3ad4e8b6d006bp-12, -0x1.9884533d43651p-2, -0x1.634109da8599ep-3, -0x1.8ddb2723f0002p-4, -0x1.ed6c481a43278p-5,},
};
static const double fa_gelu_slope[3][16] = {
    {-0x1.18031dd507f12p+0, -0x1.a6059f016ec2dp+0, -0x1.1839006472e2cp+1, -0x1.5c9ba3cd6c671p+1, -0x1.c269936fee2e7p+1, -0x1.24a9c88336635p+2, -0x1.67e265ed4c999p+2, -0x1.aaf60c0648002p+2, -0x1.07bfc9f115b40p+3, -0x1.4aae0223b1c87p+3, -0x1.8d97eeb8a2f1fp+3, -0x1.d0787b3c8364ap+3, 0x1.0000000000000p-1, -0x1.3bdb95217ce99p-57, -0x1.634882e368cabp-2, -0x1.50b475c70c204p-1,},
    {-0x1.baf4814964ca7p-2, -0x1.ab5846dfb8d39p-2, -0x1.a43b5a39c0fb7p-2, -0x1.a07576f77d1e2p-2, -0x1.9d74fc278695fp-2, -0x1.9b837974d9d98p-2, -0x1.9a85e61b3a212p-2, -0x1.99f3c7cdd12bfp-2, -0x1.9976831f51cbbp-2, -0x1.991f0ae3590ccp-2, -0x1.98ef975fe04fdp-2, -0x1.98d3087771191p-2, -0x1.9884533d43651p-1, -0x1.25126c1543190p-1, -0x1.fbfb1d063f651p-2, -0x1.d631dc408bca0p-2,},
    {0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x1.6354306820102p-55, 0x0.0p+0, 0x0.0p+0,},
};
static const double fa_gelu_both[13][16] = {
    {0x1.228886dc53c09p-7, 0x1.e7feb0cd0541dp-9, 0x1.e8b2463e3521fp-10, 0x1.13f1ee7709e6bp-10, 0x1.11633d7652319p-11, 0x1.0407eef8e9920p-12, 0x1.1dd992d566ee2p-13, 0x1.5ab205f6ed3e1p-14, 0x1.73aba9df36849p-15, 0x1.7c0510f92b739p-16, 0x1.b70cc8c9e4e28p-17, 0x1.1412b27af2ec0p-17, 0x1.0000000000041p-2, 0x1.5b297ebb9a527p-4, 0x1.3e8da3cc54282p-5, 0x1.49f33017c9306p-6,},
    {-0x1.22b0fba6f15bbp-9, -0x1.7dfc72716ae18p-11, -0x1.372aa60480efcp-12, -0x1.269f1a1d92008p-13, -0x1.d39f4be67c5fdp-15, -0x1.5e20df0cdbb69p-16, -0x1.3cb46f493d115p-17, -0x1.45fe6d20d382dp-18, -0x1.1c8b2edf19980p-19, -0x1.d2064758450b2p-21, -0x1.c0cfa06d05910p-22, -0x1.e3cf576844dbdp-23, -0x1.1058377e2e3e0p-3, -0x1.2bad2862a3fbfp-5, -0x1.cf3a567e39918p-7, -0x1.995290d5ace79p-8,},
    {0x1.15a5fe1dfe9f6p-11, 0x1.21c90a98c7529p-13, 0x1.83a2a6fb2c7aep-15, 0x1.358cd6c15da8ap-16, 0x1.8baf178415a3cp-18, 0x1.d44237f6c05c1p-20, 0x1.5d42f03a34f50p-21, 0x1.317e945516ef5p-22, 0x1.b2b341f7b5d9dp-24, 0x1.1d54d4e03b93dp-25, 0x1.ca53045d15f11p-27, 0x1.a79d7c05206d8p-28, 0x1.000000003e674p-4, 0x1.d507ae5ca7825p-7, 0x1.3729a4a5964f6p-8, 0x1.dc66840cb8d60p-10,},
    {-0x1.fcbef338cdce3p-14, -0x1.ab21d75db17f3p-16, -0x1.d8f9a38af87e0p-18, -0x1.4045ec337044bp-19, -0x1.4b5d2bb2f01cep-21, -0x1.370c43bf1ab79p-23, -0x1.7f66a7c6a0a78p-25, -0x1.1d53f3eafcad5p-26, -0x1.4b4df86881a19p-28, -0x1.5ce46376c4e13p-30, -0x1.d390fd239b498p-32, -0x1.72a23a222a342p-33, -0x1.b3c058d8b64e7p-6, -0x1.526fe74d75a2dp-8, -0x1.86da2471374a1p-10, -0x1.064573d6a7219p-11,},
    {0x1.c0d1c58501291p-16, 0x1.326cc6df9a494p-18, 0x1.1aef13a012bb5p-20, 0x1.46842d0b55709p-22, 0x1.12b8e104dd62bp-24, 0x1.9a8cd041796a4p-27, 0x1.a2f9bf6b8eb3ap-29, 0x1.099c7c3b536b3p-30, 0x1.f7e18e2896a10p-33, 0x1.a9ff36723a009p-35, 0x1.dc83af2afbd9dp-37, 0x1.4409ada9cdfc6p-38, 0x1.55555686be8cep-7, 0x1.c7c0250a4f14cp-10, 0x1.cf13ad7fc8b29p-12, 0x1.12ee709bea3b9p-13,},
    {-0x1.7e7e4be316e27p-18, -0x1.acb9ef1f6432fp-21, -0x1.4c3d017bf7330p-23, -0x1.48323114619dfp-25, -0x1.c317520f2cec3p-28, -0x1.0d3649519cf2cp-30, -0x1.c7cf0e4cb7d69p-33, -0x1.ece4ef3c7916bp-35, -0x1.7e5466adff698p-37, -0x1.03b2995954271p-39, -0x1.e52560f313250p-42, -0x1.1b170b76939fdp-43, -0x1.f20087bb5ce14p-9, -0x1.20e4236163488p-11, -0x1.047ec595a65d4p-13, -0x1.13c4d5a15b8eap-15,},
    {0x1.3bbbd12b9be79p-20, 0x1.24e89ef43e081p-23, 0x1.7f40da2018004p-26, 0x1.4569cb303be41p-28, 0x1.6ed5ad6a1c6a8p-31, 0x1.5ed9d58a96800p-34, 0x1.edb256ee4e593p-37, 0x1.c7d8fe98a1d77p-39, 0x1.2176a0dd2ff30p-41, 0x1.3c2ed9308301bp-44, 0x1.ed708195c0729p-47, 0x1.ee4488294a22dp-49, 0x1.5556b062c5968p-10, 0x1.5b28586e40bd2p-13, 0x1.17c873eac5fd7p-15, 0x1.09c153cfad847p-17,},
    {-0x1.fa0afcc9590fbp-23, -0x1.87674999ca0cap-26, -0x1.b2a6c5b830109p-29, -0x1.3e6fae454fb1bp-31, -0x1.27911e3d3a089p-34, -0x1.c66f045821631p-38, -0x1.0a346f0fdfaffp-40, -0x1.a43b1266a7725p-43, -0x1.b55b681c63646p-46, -0x1.806857be6e693p-49, -0x1.f55fd206b97afp-52, -0x1.af2bcb4e32654p-54, -0x1.babe4d17cecacp-12, -0x1.8d96cdb2868c8p-15, -0x1.201c7a02a09b7p-17, -0x1.edc59fce0a78cp-20,},
    {0x1.8a76fabe5bd01p-25, 0x1.000acbcc6b9d4p-28, 0x1.e4fc6db2c080cp-32, 0x1.33ac858c5f2e1p-34, 0x1.d7ff145f17793p-38, 0x1.248456c2ff1c2p-41, 0x1.1dd89c1241d44p-44, 0x1.8229bb1b14283p-47, 0x1.49afd4352ab7dp-50, 0x1.d2b08dcc0a028p-54, 0x1.fcede06535b4fp-57, 0x1.77da26b6213c3p-59, 0x1.116ea9fa52437p-13, 0x1.b3e4188d9cfa2p-17, 0x1.1d790878996e7p-19, 0x1.bb7466ed3ac89p-22,},
    {-0x1.2b540037d45cbp-27, -0x1.482b5a7d8f99ap-31, -0x1.0a4f6edd5a533p-34, -0x1.2598dc7d75b21p-37, -0x1.7511ee2ca0515p-41, -0x1.7621b5926e6b6p-45, -0x1.318ccd4a417cep-48, -0x1.61af40b2cf986p-51, -0x1.ef694de9736ddp-55, -0x1.1ac20f01ee0fcp-58, -0x1.01fba80851545p-61, -0x1.475954c7eac87p-64, -0x1.442ec23c1dd91p-15, -0x1.cb0f5e02dadc8p-19, -0x1.10f29c34b26d8p-21, -0x1.81e991e5c712dp-24,},
    {0x1.bbb7aec871cd4p-30, 0x1.9cd8448d4f73bp-34, 0x1.2030f789c8524p-37, 0x1.14e5602b9b6fap-40, 0x1.24ba2dd3ceaa4p-44, 0x1.dbf8b5d08f126p-49, 0x1.45537c69ec5c5p-52, 0x1.42f8c5cba5a18p-55, 0x1.73d5b079af902p-59, 0x1.5650872776a37p-63, 0x1.05593ecf74bd6p-66, 0x1.1cee016c0fb34p-69, 0x1.72b4f7f76ab9cp-17, 0x1.d20c4acffc3e4p-21, 0x1.f90fca36dc915p-24, 0x1.4629d1ec40b91p-26,},
    {-0x1.50e469e9856eap-32, -0x1.07f8603669725p-36, -0x1.3b76b905acc4ap-40, -0x1.075548bc9b0b6p-43, -0x1.e238847e0411cp-48, -0x1.388e20dc265cdp-52, -0x1.622c5563a9ab9p-56, -0x1.2bc72195e0e61p-59, -0x1.25d8ea8868275p-63, -0x1.ac6f9c25c71e2p-68, -0x1.0efb5ecf31f5bp-71, -0x1.f8937c0b91822p-75, -0x1.82893c00b3fa4p-19, -0x1.d2c3b73c9d6d4p-23, -0x1.cd26518fcc714p-26, -0x1.102cea0e2b952p-28,},
    {0x1.ddb0a999ca219p-35, 0x1.40ea6e905ad81p-39, 0x1.4be81b2874f7fp-43, 0x1.e58905fb32517p-47, 0x1.744cba94ddf48p-51, 0x1.898449ff6512fp-56, 0x1.76625702d5fefp-60, 0x1.10251defe088fp-63, 0x1.b78d13f9b510cp-68, 0x1.02a6244a0ae55p-72, 0x1.122218a530521p-76, 0x1.b6c22295b6998p-80, 0x1.0d20f58baecd3p-21, 0x1.bafdc0843eaf5p-25, 0x1.93167756b3842p-28, 0x1.b409333a0ac63p-31,},
};
