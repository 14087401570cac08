modnet_fuzz(module SOURCES module_fuzz.cc LIBS formats)
