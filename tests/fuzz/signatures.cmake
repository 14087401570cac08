modnet_fuzz(signatures SOURCES signatures_fuzz.cc LIBS formats)
