modnet_fuzz(cache SOURCES cache_fuzz.cc LIBS formats)
