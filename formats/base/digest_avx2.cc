// Compiled for AVX2, so nothing that another file might share may be made here: no C++ library, everything else is static.
#include "formats/base/digest_avx2.h"

#if MODNET_XXH3_AVX2
#define XXH_INLINE_ALL 1
#include <xxhash.h>

extern "C" void modnet_xxh3_128_avx2(const void* bytes, size_t size, unsigned char* out) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, size));
  for (int i = 0; i < 16; ++i) out[i] = canonical.digest[i];
}
#endif
