// XXH3-128 with 256-bit vectors. Tested by tests/unit/base/digest_test.cc.
#pragma once

#include <stddef.h>

#if defined(__x86_64__)
#define MODNET_XXH3_AVX2 1

/// The canonical (big-endian) hash of `bytes`, 16 bytes to `out`. Only for a CPU with AVX2.
extern "C" void modnet_xxh3_128_avx2(const void* bytes, size_t size, unsigned char* out);
#endif
