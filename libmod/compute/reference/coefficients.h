// Coefficients of the portable polynomials, lowest power first. Written by fit.py beside this file; changing
// one changes the bits of every result. Tested by tests/unit/compute/math_test.cc.
#pragma once

#include <cstdint>

namespace modnet::coefficients {

/// exp(r) = 1 + r + r^2 p(r), |r| <= ln 2 / 2; error 2^-28.3
inline constexpr float kExpF32[] = {
    0x1.fffffc0000000p-2f, 0x1.5554920000000p-3f, 0x1.5558f20000000p-5f, 0x1.123a200000000p-7f,
    0x1.6a23d20000000p-10f,
};
/// 2 atanh(s) = 2 s + s^3 p(s^2), |s| <= 3 - sqrt 8; error 2^-30.2
inline constexpr float kLogF32[] = {
    0x1.55557a0000000p-1f, 0x1.995e9c0000000p-2f, 0x1.31e6780000000p-2f,
};
/// sin(r) = r + r^3 p(r^2), |r| <= pi / 4; error 2^-37.6
inline constexpr double kSinF32[] = {
    -0x1.5555554cb2067p-3, 0x1.11110890796c8p-7, -0x1.a00f98e71012bp-13, 0x1.6cd733578056ap-19,
};
/// cos(r) = 1 - r^2 / 2 + r^4 p(r^2), |r| <= pi / 4; error 2^-33.3
inline constexpr double kCosF32[] = {
    0x1.55554aabe0e7ep-5, -0x1.6c0c86860056ep-10, 0x1.9a00cd992ae72p-16,
};
/// tanh(x) = x + x^3 p(x^2), |x| < 0.625; error 2^-27.9
inline constexpr float kTanhF32[] = {
    -0x1.5555340000000p-2f, 0x1.1107680000000p-3f, -0x1.b844480000000p-5f, 0x1.5256d40000000p-6f,
    -0x1.76ac0a0000000p-8f,
};
/// erf(x) = x + x p(x^2), |x| < 1; error 2^-29.7
inline constexpr float kErfF32[] = {
    0x1.06eba80000000p-3f, -0x1.81273e0000000p-2f, 0x1.ce2d200000000p-4f, -0x1.b7fbb40000000p-6f,
    0x1.5419f40000000p-8f, -0x1.a485ea0000000p-11f, 0x1.4ae4c80000000p-14f,
};
/// erfc(x) = exp(-p(x - 1)), 1 <= x <= 4; error 2^-35.5
inline constexpr float kErfcF32[] = {
    0x1.d97fc00000000p+0f, 0x1.51c9b00000000p+1f, 0x1.afabba0000000p-1f, 0x1.547d160000000p-5f,
    -0x1.4934e60000000p-7f, 0x1.07bad20000000p-9f, -0x1.2fa8040000000p-12f, 0x1.6c066e0000000p-16f,
};
/// exp(r) = 1 + r + r^2 p(r), |r| <= ln 2 / 2; error 2^-57.9
inline constexpr double kExpF64[] = {
    0x1.000000000000ap-1, 0x1.55555555554f9p-3, 0x1.555555555083ep-5, 0x1.1111111127d0fp-7,
    0x1.6c16c18438c5dp-10, 0x1.a01a012a0e759p-13, 0x1.a01999e22a48bp-16, 0x1.71df25b5aeda5p-19,
    0x1.28ad9bb83bde3p-22, 0x1.ad7f397c11535p-26,
};
/// 2 atanh(s) = 2 s + s^3 p(s^2), |s| <= 3 - sqrt 8; error 2^-59.5
inline constexpr double kLogF64[] = {
    0x1.5555555555593p-1, 0x1.999999997fb32p-2, 0x1.2492494217991p-2, 0x1.c71c51e7fd541p-3,
    0x1.7466462b6d233p-3, 0x1.39a0f51da3881p-3, 0x1.2f0d8d9231456p-3,
};
/// sin(r) = r + r^3 p(r^2), |r| <= pi / 4; error 2^-58.0
inline constexpr double kSinF64[] = {
    -0x1.5555555555549p-3, 0x1.111111110f861p-7, -0x1.a01a019c0e4cbp-13, 0x1.71de3574baa8ep-19,
    -0x1.ae5e63cd99e29p-26, 0x1.5d9246c9a487bp-33,
};
/// cos(r) = 1 - r^2 / 2 + r^4 p(r^2), |r| <= pi / 4; error 2^-64.2
inline constexpr double kCosF64[] = {
    0x1.555555555554cp-5, -0x1.6c16c16c15162p-10, 0x1.a01a019caef31p-16, -0x1.27e4f807d5adfp-22,
    0x1.1ee9ea6c58d33p-29, -0x1.8fadd02fd16b8p-37,
};
/// tanh(x) = x + x^3 p(x^2), |x| < 0.625; error 2^-56.5
inline constexpr double kTanhF64[] = {
    -0x1.5555555555503p-2, 0x1.111111110b0c7p-3, -0x1.ba1ba1b531076p-5, 0x1.664f4781f74c1p-6,
    -0x1.226e16da0b192p-7, 0x1.d6cf3ca5cc821p-9, -0x1.7d696a733ba91p-10, 0x1.336ae5fed55f0p-11,
    -0x1.df7a89e9930adp-13, 0x1.43e177aa3cd38p-14, -0x1.0e3d64af4c3b8p-16,
};
/// erf(x) = x + x p(x^2), |x| < 1; error 2^-57.0
inline constexpr double kErfF64[] = {
    0x1.06eba8214db68p-3, -0x1.812746b0379c2p-2, 0x1.ce2f21a041017p-4, -0x1.b82ce3120627fp-6,
    0x1.565bccfa9a1e8p-8, -0x1.c02db072e818ep-11, 0x1.f9a2bf731230dp-14, -0x1.f4ca948ed7ef0p-17,
    0x1.b9827ace3db77p-20, -0x1.5c16e1d291c44p-23, 0x1.d7848e01ef687p-27, -0x1.acdff11139c74p-31,
};
/// erfc(x) = exp(-p(x - 1)), 1 <= x <= 6; error 2^-57.7
inline constexpr double kErfcF64[] = {
    0x1.d97fbf27aa2a1p+0, 0x1.51c9b0006c229p+1, 0x1.afabc11a2a23cp-1, 0x1.5477f09ae7aafp-5,
    -0x1.48c9d3b6b8957p-7, 0x1.033f5ff80c943p-9, -0x1.f1b1ede2df2b0p-13, -0x1.b905fe086e2b5p-16,
    0x1.c7fca358ea902p-16, -0x1.43765a1e1edafp-17, 0x1.1940693e97971p-19, -0x1.74486bc0a5208p-23,
    -0x1.50069877cf375p-24, 0x1.718594f06e69bp-25, -0x1.97588fa621413p-27, 0x1.25871662d4da8p-29,
    -0x1.15f194cd39be2p-32, 0x1.3b1d38a7d5ad1p-36, -0x1.44475fb43db8ep-41,
};
/// 2 atanh(s) = 2 s + 2/3 s^3 + s^5 p(s^2), |s| <= 3 - sqrt 8; error 2^-66.3
inline constexpr double kPowF64[] = {
    0x1.9999999999b33p-2, 0x1.24924924577fcp-2, 0x1.c71c722de3ffdp-3, 0x1.745ce9b69780bp-3,
    0x1.3b1ef468160dep-3, 0x1.0f7f201ec9521p-3, 0x1.0e4a34f1b823ap-3,
};

/// ln 2 in parts: the head has so few bits that n * head is exact for every exponent n.
inline constexpr float kLn2HeadF32 = 0x1.62e0000000000p-1f;
inline constexpr float kLn2TailF32 = 0x1.0bfbe80000000p-15f;
inline constexpr double kLn2HeadF64 = 0x1.62e42fefa2000p-1;
inline constexpr double kLn2TailF64 = 0x1.9ef35793c7673p-41;
inline constexpr double kLn2RestF64 = 0x1.f97b57a079a19p-103;
inline constexpr float kLog2eF32 = 0x1.7154760000000p+0f;
inline constexpr double kLog2eF64 = 0x1.71547652b82fep+0;
/// 2/3 and 1/sqrt(2), head and rest.
inline constexpr double kTwoThirdsHead = 0x1.5555555555555p-1;
inline constexpr double kTwoThirdsTail = 0x1.5555555555555p-55;
inline constexpr float kSqrtHalfF32 = 0x1.6a09e60000000p-1f;
inline constexpr double kSqrtHalfF64 = 0x1.6a09e667f3bcdp-1;
inline constexpr float kSqrtTwoOverPiF32 = 0x1.9884540000000p-1f;
inline constexpr double kSqrtTwoOverPiF64 = 0x1.9884533d43651p-1;
/// pi / 2: two parts of 30 bits, so that n * part is exact for |n| < 2^23, and the rest in two doubles.
inline constexpr double kHalfPiA = 0x1.921fb54000000p+0;
inline constexpr double kHalfPiB = 0x1.10b4611800000p-30;
inline constexpr double kHalfPiC = 0x1.313198a2e0370p-61;
inline constexpr double kHalfPiD = 0x1.cd129024e088ap-115;
/// pi / 2 in two doubles.
inline constexpr double kHalfPiHead = 0x1.921fb54442d18p+0;
inline constexpr double kHalfPiTail = 0x1.1a62633145c07p-54;
inline constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
/// The bits of 2 / pi behind the binary point, 64 a word, first word first.
inline constexpr uint64_t kTwoOverPiBits[20] = {
    0xa2f9836e4e441529u, 0xfc2757d1f534ddc0u, 0xdb6295993c439041u, 0xfe5163abdebbc561u,
    0xb7246e3a424dd2e0u, 0x06492eea09d1921cu, 0xfe1deb1cb129a73eu, 0xe88235f52ebb4484u,
    0xe99c7026b45f7e41u, 0x3991d639835339f4u, 0x9c845f8bbdf9283bu, 0x1ff897ffde05980fu,
    0xef2f118b5a0a6d1fu, 0x6d367ecf27cb09b7u, 0x4f463f669e5fea2du, 0x7527bac7ebe5f17bu,
    0x3d0739f78a5292eau, 0x6bfb5fb11f8d5d08u, 0x56033046fc7b6babu, 0xf0cfbc209af4361du,
};

}  // namespace modnet::coefficients
